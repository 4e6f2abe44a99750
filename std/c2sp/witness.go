package c2sp

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// SizeType is the content type of a witness's answer 409 that tells the size it knows.
const SizeType = "text/x.tlog.size"

// AddCheckpoint is the request of tlog-witness: cosign this checkpoint, which continues the one you know.
type AddCheckpoint struct {
	Old        int64          // the size of the checkpoint that the witness cosigned last; 0 for none
	Proof      tlog.TreeProof // RFC 6962 consistency proof from Old to the checkpoint; empty if Old is 0
	Checkpoint []byte         // the signed note
}

// Bytes returns the body of the request.
func (a AddCheckpoint) Bytes() []byte {
	body := fmt.Appendf(nil, "old %d\n", a.Old)
	for _, hash := range a.Proof {
		body = append(append(body, formatHash(hash)...), '\n')
	}
	body = append(body, '\n')
	return append(body, a.Checkpoint...)
}

// ParseAddCheckpoint reads the body of a request. It verifies neither the proof nor a signature.
func ParseAddCheckpoint(body []byte) (AddCheckpoint, error) {
	head, checkpoint, found := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	text, ok := strings.CutPrefix(lines[0], "old ")
	if !found || !ok {
		return AddCheckpoint{}, errors.New(`c2sp: a request is "old SIZE", hashes, an empty line and a checkpoint`)
	}
	old, err := parseSize(text)
	if err != nil {
		return AddCheckpoint{}, err
	}
	proof, err := parseHashes(lines[1:])
	if err != nil {
		return AddCheckpoint{}, err
	}
	if _, err := Unverified(checkpoint); err != nil {
		return AddCheckpoint{}, err
	}
	return AddCheckpoint{Old: old, Proof: proof, Checkpoint: checkpoint}, nil
}

// FormatSize returns the body of the answer 409.
func FormatSize(size int64) string { return fmt.Sprintf("%d\n", size) }

// ParseSize reads the body of the answer 409.
func ParseSize(body []byte) (int64, error) {
	text, ok := strings.CutSuffix(string(body), "\n")
	if !ok {
		return 0, errors.New("c2sp: a size ends with a newline")
	}
	return parseSize(text)
}

// ParseCosignature finds the given witness's cosignature of a checkpoint in the body of the answer 200, and verifies
// it. Signatures by other keys are ignored.
func ParseCosignature(checkpoint, body []byte, witness note.Verifier) (note.Signature, error) {
	text, _, err := splitNote(checkpoint)
	if err != nil {
		return note.Signature{}, err
	}
	opened, err := note.Open([]byte(text+"\n"+string(body)), note.VerifierList(witness))
	if err != nil {
		return note.Signature{}, fmt.Errorf("c2sp: answer of witness %s: %w", witness.Name(), err)
	}
	if opened.Text != text { // an answer that holds an empty line would move the border between text and signatures
		return note.Signature{}, fmt.Errorf("c2sp: answer of witness %s: not only signature lines", witness.Name())
	}
	return opened.Sigs[0], nil
}

// A Refusal is a witness's answer other than 200.
type Refusal struct {
	Status int    // the HTTP status: 400, 403, 404, 409, 422
	Size   int64  // with status 409, the size that the witness knows, else -1
	Reason string // what the witness says, for a log
}

// Error says what the witness answered.
func (r *Refusal) Error() string {
	if r.Size >= 0 {
		return fmt.Sprintf("the witness answered %d: it knows %d entries", r.Status, r.Size)
	}
	return fmt.Sprintf("the witness answered %d: %s", r.Status, r.Reason)
}
