package transparency_test

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/fault"
	"yagona/kernel/signature"
	"yagona/kernel/transparency"
	"yagona/std/c2sp"
	"yagona/store/keyfile"
)

func TestRingSigner(t *testing.T) {
	now := start
	folder := filepath.Join(t.TempDir(), "keys")
	ring, err := keyfile.Open(folder, func() time.Time { return now })
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

	// Another process rotates the key: it signs from its time on, without a new signer.
	elsewhere, err := keyfile.Open(folder, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	old := signer.Verifier()
	_, err = elsewhere.Rotate("log", now.Add(time.Hour), func(signature.Key, []signature.Key) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	s.append(t, 3)
	s.advance(t)
	if signer.Verifier().KeyHash() != old.KeyHash() {
		t.Error("the new key signs before its term")
	}
	now = now.Add(time.Hour)
	s.append(t, 3)
	s.advance(t)
	if got := s.published(t); got.Tree.N != 9 {
		t.Errorf("with the new key %d are published", got.Tree.N)
	}
	if signer.Verifier().KeyHash() == old.KeyHash() {
		t.Error("the old key signs after its term")
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
