package transparency_test

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/fault"
	"yagona/kernel/transparency"
	"yagona/std/c2sp"
	"yagona/store/keyfile"
)

func TestRingSigner(t *testing.T) {
	now := start
	ring, err := keyfile.Open(filepath.Join(t.TempDir(), "keys"), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transparency.RingSigner(ring, "log", origin); fault.Code(err) != "log.no-key" {
		t.Errorf("without a key: %v", err)
	}
	if _, err := ring.Ensure("node", "log"); err != nil {
		t.Fatal(err)
	}
	signer, err := transparency.RingSigner(ring, "log", origin)
	if err != nil {
		t.Fatal(err)
	}
	s := newSetup(t, 0, 0)
	s.holder = &holder{CheckpointSigner: signer}
	s.append(t, 3)
	s.advance(t)
	if got := s.published(t); got.Tree.N != 3 || got.Origin != origin {
		t.Errorf("published %+v", got)
	}

	// After a rotation the old signer stops the log instead of publishing what nobody can verify.
	now = now.Add(time.Hour)
	if _, err := ring.Rotate("log"); err != nil {
		t.Fatal(err)
	}
	s.append(t, 3)
	if err := s.sequencer(t).Advance(t.Context()); fault.Code(err) != "log.signature" {
		t.Errorf("after a rotation: %v", err)
	}
	if signer, err = transparency.RingSigner(ring, "log", origin); err != nil {
		t.Fatal(err)
	}
	s.holder = &holder{CheckpointSigner: signer}
	s.advance(t)
	if got := s.published(t); got.Tree.N != 6 {
		t.Errorf("with the new key %d are published", got.Tree.N)
	}
}

func TestNoteSignerWantsAPair(t *testing.T) {
	private, _, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transparency.NoteSigner(private, other); fault.Code(err) != "log.key-pair" {
		t.Errorf("halves of two keys: %v", err)
	}
	witness, _, err := c2sp.GenerateCosigner(rand.Reader, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transparency.NoteSigner(witness, other); err == nil {
		t.Error("the key of a witness is taken for that of a log")
	}
}
