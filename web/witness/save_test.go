package witness

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"yagona/std/c2sp"
	"yagona/std/wholefile"
)

// What a witness owes when the disk fails: no cosignature before the state is kept, and no state that forgets a
// cosignature, whether the failed write reached the disk or not.
func TestFailedWrite(t *testing.T) {
	private, public, err := note.GenerateKey(rand.Reader, "example.org/log")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	cosignerKey, _, err := c2sp.GenerateCosigner(rand.Reader, "witness.example/one")
	if err != nil {
		t.Fatal(err)
	}
	cosigner, err := c2sp.NewCosigner(cosignerKey, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	request := func(content string) []byte {
		checkpoint := c2sp.Checkpoint{Origin: signer.Name(), Tree: tlog.Tree{N: 1, Hash: tlog.RecordHash([]byte(content))}}
		signed, err := note.Sign(&note.Note{Text: checkpoint.String()}, signer)
		if err != nil {
			t.Fatal(err)
		}
		return c2sp.AddCheckpoint{Checkpoint: signed}.Bytes()
	}
	full := errors.New("disk full")
	for name, save := range map[string]func(string, []byte) error{
		"and was not persisted": func(string, []byte) error { return full },
		"and was persisted":     func(path string, content []byte) error { return errors.Join(wholefile.Write(path, content), full) },
	} {
		t.Run(name, func(t *testing.T) {
			config := Config{Folder: t.TempDir(), Cosigner: cosigner, Logs: []note.Verifier{verifier}, Logger: slog.New(slog.DiscardHandler)}
			server, err := Open(config)
			if err != nil {
				t.Fatal(err)
			}
			server.save = save
			if cosignature, err := server.Add(t.Context(), request("one")); !errors.Is(err, full) || cosignature != nil {
				t.Fatalf("got %q, %v", cosignature, err)
			}
			// Nothing was given out, so that either content may now become the first.
			server.save = wholefile.Write
			if _, err := server.Add(t.Context(), request("two")); err != nil {
				t.Fatal(err)
			}
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
			again, err := Open(config)
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if _, err := again.Add(t.Context(), request("one")); err == nil {
				t.Error("the other content of size 1 is cosigned after all")
			}
		})
	}
}
