package witness_test

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yagona/std/c2sp"
	"yagona/web/witness"
)

// TestMain lets the test binary be a witness in a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("WITNESS_FOLDER") == "" {
		os.Exit(m.Run())
	}
	if err := serve(); err != nil {
		slog.Error("witness", "error", err)
		os.Exit(1)
	}
}

func serve() error {
	cosigner, err := c2sp.NewCosigner(os.Getenv("WITNESS_KEY"), time.Now)
	if err != nil {
		return err
	}
	log, err := note.NewVerifier(os.Getenv("WITNESS_LOG"))
	if err != nil {
		return err
	}
	folder := os.Getenv("WITNESS_FOLDER")
	server, err := witness.Open(witness.Config{
		Folder: folder, Cosigner: cosigner, Logs: []note.Verifier{log}, Logger: slog.Default(),
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := filepath.Join(folder, "address")
	if err := os.WriteFile(address+".new", []byte(listener.Addr().String()), 0o600); err != nil {
		return err
	}
	if err := os.Rename(address+".new", address); err != nil {
		return err
	}
	return http.Serve(listener, server.Handler())
}

// A witness that is killed at random moments never goes back behind a size that it cosigned. Each time it is killed after a
// number of cosignatures, however long they take, and more of them than the two logs share entries.
func TestWitnessSurvivesKill(t *testing.T) {
	const (
		kills  = 12
		shared = 3               // the entries with which the true log and the rewritten one begin
		bound  = 2 * time.Minute // for anything that is waited for: only a witness that hangs takes so long
	)
	private, public, err := note.GenerateKey(nil, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	log := &tree{signer: signer}
	log.grow(t, shared, "entry")
	rewritten := log.fork().grow(t, 3000, "rewritten")
	log.grow(t, 3000, "entry")
	cosignerKey, cosignerPublic, err := c2sp.GenerateCosigner(nil, "witness.example/one")
	if err != nil {
		t.Fatal(err)
	}
	key, err := c2sp.NewCosignatureVerifier(cosignerPublic)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	address := filepath.Join(folder, "address")

	var acknowledged int64
	for round := range kills {
		process := exec.CommandContext(t.Context(), os.Args[0])
		process.Env = append(os.Environ(), "WITNESS_FOLDER="+folder, "WITNESS_KEY="+cosignerKey, "WITNESS_LOG="+public)
		var output strings.Builder
		process.Stderr = &output
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		var at []byte
		for deadline := time.Now().Add(bound); ; time.Sleep(2 * time.Millisecond) {
			if at, err = os.ReadFile(address); err == nil {
				break
			}
			if time.Now().After(deadline) {
				_ = process.Process.Kill()
				t.Fatalf("the witness does not start: %s", output.String())
			}
		}
		client := witness.NewClient("http://"+string(at), key, &http.Client{Timeout: bound})

		// What does it know? At least what was acknowledged; one more if the answer was lost. It never comes as far as
		// the size that this asks from, so that the answer is a refusal that tells.
		known := acknowledged
		_, err := client.Cosign(t.Context(), log.request(t, 2998, 2999))
		refusal, ok := errors.AsType[*c2sp.Refusal](err)
		if round > 0 && (!ok || refusal.Size < acknowledged) {
			t.Errorf("round %d: after %d it answers %v", round, acknowledged, err)
		}
		if ok && refusal.Size >= 0 {
			known = refusal.Size
		}
		if round > 0 { // it cosigned more than the logs share
			_, err := client.Cosign(t.Context(), rewritten.request(t, known, known+1))
			if refusal, ok := errors.AsType[*c2sp.Refusal](err); !ok || refusal.Status != http.StatusUnprocessableEntity {
				t.Errorf("round %d: the rewritten log is answered with %v after %d", round, err, known)
			}
		}
		begun, wanted := known, known+shared+1+rand.Int64N(40)
		for known < 2990 {
			request := log.request(t, known, known+1)
			body, err := client.Cosign(t.Context(), request)
			if err != nil && acknowledged < wanted {
				_ = process.Process.Kill()
				t.Fatalf("round %d: alive, it answers %v after %d: %s", round, err, known, output.String())
			}
			if err != nil {
				break // killed
			}
			if _, err := c2sp.ParseCosignature(request.Checkpoint, body, key); err != nil {
				t.Fatal(err)
			}
			known++
			acknowledged = known
			if acknowledged == wanted { // while it cosigns the next ones
				time.AfterFunc(time.Duration(rand.IntN(10_000))*time.Microsecond, func() { _ = process.Process.Kill() })
			}
		}
		_ = process.Wait() // it was killed
		t.Logf("round %d: killed after %d cosignatures", round, known-begun)
		if err := os.Remove(address); err != nil {
			t.Fatal(err)
		}
	}
}
