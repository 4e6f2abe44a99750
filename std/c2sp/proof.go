package c2sp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const proofHeader = "c2sp.org/tlog-proof@v1"

// Proof says that a log has an entry at an index, as one text that verifies offline. Files of it end in ".tlog-proof".
type Proof struct {
	Extra      []byte           // opaque and vouched for by nobody, or nil
	Index      int64            // of the entry, from 0
	Hashes     tlog.RecordProof // RFC 6962 inclusion proof, from the leaf's sibling up
	Checkpoint []byte           // the signed note, cosignatures included
}

// Bytes returns the text of the proof.
func (p Proof) Bytes() []byte {
	text := []byte(proofHeader + "\n")
	if len(p.Extra) > 0 {
		text = fmt.Appendf(text, "extra %s\n", base64.StdEncoding.EncodeToString(p.Extra))
	}
	text = fmt.Appendf(text, "index %d\n", p.Index)
	for _, hash := range p.Hashes {
		text = append(append(text, formatHash(hash)...), '\n')
	}
	text = append(text, '\n')
	return append(text, p.Checkpoint...)
}

// ParseProof reads the text of a proof. It verifies nothing: Verify does.
func ParseProof(text []byte) (Proof, error) {
	head, checkpoint, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || lines[0] != proofHeader || len(lines) < 2 {
		return Proof{}, fmt.Errorf("c2sp: a proof is %q, an index, hashes, an empty line and a checkpoint", proofHeader)
	}
	proof := Proof{Checkpoint: checkpoint}
	lines = lines[1:]
	if encoded, ok := strings.CutPrefix(lines[0], "extra "); ok {
		extra, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil || len(extra) == 0 || base64.StdEncoding.EncodeToString(extra) != encoded {
			return Proof{}, errors.New("c2sp: the extra data of a proof is not base64")
		}
		proof.Extra, lines = extra, lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return Proof{}, errors.New("c2sp: the proof has no index")
	}
	var err error
	if proof.Index, err = parseSize(strings.TrimPrefix(lines[0], "index ")); err != nil {
		return Proof{}, err
	}
	if proof.Hashes, err = parseHashes(lines[1:]); err != nil {
		return Proof{}, err
	}
	if _, err := Unverified(checkpoint); err != nil {
		return Proof{}, err
	}
	return proof, nil
}

// Verify checks that the log vouches for the entry, and that at least quorum of the witnesses cosigned its checkpoint.
func (p Proof) Verify(entry []byte, log note.Verifier, witnesses []note.Verifier, quorum int) (Checkpoint, error) {
	checkpoint, cosignatures, err := Open(p.Checkpoint, log, witnesses...)
	if err != nil {
		return Checkpoint{}, err
	}
	if len(cosignatures) < quorum {
		return Checkpoint{}, fmt.Errorf("c2sp: %d of the witnesses cosigned, %d must", len(cosignatures), quorum)
	}
	if p.Index >= checkpoint.Tree.N {
		return Checkpoint{}, fmt.Errorf("c2sp: index %d is not among the %d entries", p.Index, checkpoint.Tree.N)
	}
	err = tlog.CheckRecord(p.Hashes, checkpoint.Tree.N, checkpoint.Tree.Hash, p.Index, tlog.RecordHash(entry))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("c2sp: the entry is not at index %d of the log: %w", p.Index, err)
	}
	return checkpoint, nil
}
