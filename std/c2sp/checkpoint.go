// Package c2sp reads and writes the formats of a public, append-only Merkle log and of its witnesses as the Community
// Cryptography Specification Project (https://c2sp.org) defines them. It owns formats only: it keeps no state, does no
// I/O and asks no clock.
//
// Specifications implemented:
//
//   - signed-note v1.0.0: read and written with golang.org/x/mod/sumdb/note;
//   - tlog-tiles v0.1.0: paths of tiles and entry bundles, tiles of height 8, entries with a big-endian uint16 length;
//   - tlog-checkpoint v1.0.0: origin, size, root;
//   - tlog-cosignature v1.0.1, the Ed25519 form "cosignature/v1" (signature type 0x04); ML-DSA-44 is not implemented;
//   - tlog-witness v1.0.0: the add-checkpoint request and its answers;
//   - tlog-proof, format v1: an inclusion proof that verifies offline, as one text.
//
// Hashes and proofs are RFC 6962 (section 2.1) with SHA-256, by golang.org/x/mod/sumdb/tlog. Sizes, indexes and tile
// numbers are int64 and never negative.
//
// Invariant: every reader accepts the canonical form only, so that what was read is written back byte for byte.
package c2sp

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is what a log signs: how many entries it has, and the root of the Merkle tree over them.
type Checkpoint struct {
	Origin     string    // names the log: one line, not empty
	Tree       tlog.Tree // N: the number of entries; Hash: the root
	Extensions []string  // further lines, none empty; not recommended by the specification
}

// String returns the note text of the checkpoint: what is signed, with its final newline.
func (c Checkpoint) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n%d\n%s\n", c.Origin, c.Tree.N, formatHash(c.Tree.Hash))
	for _, line := range c.Extensions {
		text.WriteString(line)
		text.WriteByte('\n')
	}
	return text.String()
}

// ParseCheckpoint reads the note text of a checkpoint. It verifies no signature.
func ParseCheckpoint(text string) (Checkpoint, error) {
	body, ended := strings.CutSuffix(text, "\n")
	lines := strings.Split(body, "\n")
	if !ended || len(lines) < 3 {
		return Checkpoint{}, errors.New("c2sp: a checkpoint is at least three lines: origin, size, root")
	}
	for _, line := range lines {
		if line == "" {
			return Checkpoint{}, errors.New("c2sp: a checkpoint has an empty line")
		}
	}
	size, err := parseSize(lines[1])
	if err != nil {
		return Checkpoint{}, err
	}
	if size > maxTree {
		return Checkpoint{}, errors.New("c2sp: a log of more than 2^62 entries cannot be read here")
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return Checkpoint{}, err
	}
	checkpoint := Checkpoint{Origin: lines[0], Tree: tlog.Tree{N: size, Hash: root}}
	if len(lines) > 3 {
		checkpoint.Extensions = lines[3:]
	}
	return checkpoint, nil
}

// Unverified reads a signed checkpoint without verifying any signature: for those who wrote it themselves, and to learn
// the origin before a key can be chosen.
func Unverified(signed []byte) (Checkpoint, error) {
	text, _, err := splitNote(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	return ParseCheckpoint(text)
}

// Open verifies that a checkpoint is signed by its log, and returns it with the valid cosignatures of the given
// witnesses, at most one for each. A signature by a known key that does not verify makes the whole note refused; those
// by other keys are ignored. The name of the log's key must be the checkpoint's origin.
func Open(signed []byte, log note.Verifier, witnesses ...note.Verifier) (Checkpoint, []note.Signature, error) {
	opened, err := note.Open(signed, note.VerifierList(append([]note.Verifier{log}, witnesses...)...))
	if err != nil {
		return Checkpoint{}, nil, fmt.Errorf("c2sp: checkpoint: %w", err)
	}
	checkpoint, err := ParseCheckpoint(opened.Text)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if checkpoint.Origin != log.Name() {
		return Checkpoint{}, nil, fmt.Errorf("c2sp: the checkpoint is of %q, the key of %q", checkpoint.Origin, log.Name())
	}
	var cosignatures []note.Signature
	byLog := false
	for _, signature := range opened.Sigs {
		// Unused bits in the last character would let two different texts say the same.
		if _, err := base64.StdEncoding.Strict().DecodeString(signature.Base64); err != nil {
			return Checkpoint{}, nil, fmt.Errorf("c2sp: a signature of %q is not in canonical base64", signature.Name)
		}
		if signature.Name == log.Name() && signature.Hash == log.KeyHash() {
			byLog = true
			continue
		}
		cosignatures = append(cosignatures, signature)
	}
	if !byLog {
		return Checkpoint{}, nil, fmt.Errorf("c2sp: the checkpoint of %q is not signed by its log", checkpoint.Origin)
	}
	return checkpoint, cosignatures, nil
}

// Sign returns the note of a checkpoint with one signature, made elsewhere over the checkpoint's text by the key that
// has the given name and key id.
func Sign(checkpoint Checkpoint, name string, keyID uint32, signature []byte) []byte {
	return Append([]byte(checkpoint.String()+"\n"), note.Signature{
		Name: name, Hash: keyID,
		Base64: base64.StdEncoding.EncodeToString(append(binary.BigEndian.AppendUint32(nil, keyID), signature...)),
	})
}

// Append returns a copy of a signed note with further signature lines.
func Append(signed []byte, signatures ...note.Signature) []byte {
	signed = bytes.Clone(signed)
	for _, signature := range signatures {
		signed = fmt.Appendf(signed, "— %s %s\n", signature.Name, signature.Base64)
	}
	return signed
}

// splitNote cuts a signed note into its text and its signature lines, verifying nothing.
func splitNote(signed []byte) (text, signatures string, err error) {
	at := bytes.LastIndex(signed, []byte("\n\n"))
	if at < 0 || !bytes.HasSuffix(signed, []byte("\n")) || len(signed) == at+2 {
		return "", "", errors.New("c2sp: a signed note is a text, an empty line and signature lines")
	}
	return string(signed[:at+1]), string(signed[at+2:]), nil
}

// maxTree is the largest tree that a checkpoint may have here: the proofs of x/mod's tlog do not end for a larger one.
const maxTree = 1 << 62

// parseSize reads an ASCII decimal without leading zeroes.
func parseSize(text string) (int64, error) {
	size, err := strconv.ParseInt(text, 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != text {
		return 0, errors.New("c2sp: a size is a decimal number without leading zeroes")
	}
	return size, nil
}

func formatHash(hash tlog.Hash) string { return base64.StdEncoding.EncodeToString(hash[:]) }

func parseHash(text string) (tlog.Hash, error) {
	var hash tlog.Hash
	// The length is checked first: the decoder passes over carriage returns.
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize || len(text) != base64.StdEncoding.EncodedLen(tlog.HashSize) {
		return hash, errors.New("c2sp: a hash is 32 bytes in base64")
	}
	copy(hash[:], raw)
	return hash, nil
}

// maxProof is how many hashes a proof may have: a tree of 2^63 leaves needs no more (tlog-witness, add-checkpoint).
const maxProof = 63

func parseHashes(lines []string) ([]tlog.Hash, error) {
	if len(lines) > maxProof {
		return nil, fmt.Errorf("c2sp: a proof has at most %d hashes", maxProof)
	}
	var hashes []tlog.Hash
	for _, line := range lines {
		hash, err := parseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}
