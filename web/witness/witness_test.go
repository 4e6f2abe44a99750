package witness_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"yagona/std/c2sp"
	"yagona/web/witness"
)

const origin = "example.org/log"

// tree is a log that can prove what it likes.
type tree struct {
	signer note.Signer
	hashes []tlog.Hash
	sizes  int64
}

func (l *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = l.hashes[index]
	}
	return found, nil
}

func (l *tree) grow(t testing.TB, to int64, content string) *tree {
	t.Helper()
	for ; l.sizes < to; l.sizes++ {
		hashes, err := tlog.StoredHashes(l.sizes, fmt.Appendf(nil, "%s %d", content, l.sizes), l)
		if err != nil {
			t.Fatal(err)
		}
		l.hashes = append(l.hashes, hashes...)
	}
	return l
}

func (l *tree) fork() *tree {
	return &tree{signer: l.signer, hashes: append([]tlog.Hash(nil), l.hashes...), sizes: l.sizes}
}

func (l *tree) checkpoint(t testing.TB, size int64) c2sp.Checkpoint {
	t.Helper()
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		t.Fatal(err)
	}
	return c2sp.Checkpoint{Origin: l.signer.Name(), Tree: tlog.Tree{N: size, Hash: root}}
}

func (l *tree) signed(t testing.TB, size int64) []byte {
	t.Helper()
	signed, err := note.Sign(&note.Note{Text: l.checkpoint(t, size).String()}, l.signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (l *tree) request(t testing.TB, old, size int64) c2sp.AddCheckpoint {
	t.Helper()
	request := c2sp.AddCheckpoint{Old: old, Checkpoint: l.signed(t, size)}
	if old > 0 && old < size {
		proof, err := tlog.ProveTree(size, old, l)
		if err != nil {
			t.Fatal(err)
		}
		request.Proof = proof
	}
	return request
}

func newTree(t testing.TB, origin string) (*tree, note.Verifier) {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, origin)
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
	return &tree{signer: signer}, verifier
}

// setup is a witness in a folder with its key.
type setup struct {
	folder   string
	cosigner *c2sp.Cosigner
	key      *c2sp.CosignatureVerifier
	logs     []note.Verifier
}

func newSetup(t testing.TB, logs ...note.Verifier) setup {
	t.Helper()
	private, public, err := c2sp.GenerateCosigner(rand.Reader, "witness.example/one")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	cosigner, err := c2sp.NewCosigner(private, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	key, err := c2sp.NewCosignatureVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return setup{t.TempDir(), cosigner, key, logs}
}

func (s setup) open(t testing.TB) *witness.Server {
	t.Helper()
	server, err := witness.Open(witness.Config{
		Folder: s.folder, Cosigner: s.cosigner, Logs: s.logs, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// client serves the witness over HTTP and returns the log's client of it.
func (s setup) client(t testing.TB, server *witness.Server) *witness.Client {
	t.Helper()
	listening := httptest.NewServer(server.Handler())
	t.Cleanup(listening.Close)
	return witness.NewClient(listening.URL+"/", s.key, listening.Client())
}

// cosigned submits and checks that the answer is a cosignature of just that checkpoint.
func (s setup) cosigned(t testing.TB, client *witness.Client, request c2sp.AddCheckpoint) {
	t.Helper()
	body, err := client.Cosign(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c2sp.ParseCosignature(request.Checkpoint, body, s.key); err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, client *witness.Client, request c2sp.AddCheckpoint, status int, size int64) {
	t.Helper()
	_, err := client.Cosign(t.Context(), request)
	refusal, ok := errors.AsType[*c2sp.Refusal](err)
	if !ok || refusal.Status != status || refusal.Size != size {
		t.Errorf("%d → %s gave %v; want %d with size %d", request.Old, request.Checkpoint, err, status, size)
	}
}

func TestWitnessCosignsWhatContinues(t *testing.T) {
	log, key := newTree(t, origin)
	log.grow(t, 300, "entry")
	with := newSetup(t, key)
	client := with.client(t, with.open(t))
	for _, step := range []struct{ old, size int64 }{{0, 0}, {0, 1}, {1, 1}, {1, 2}, {2, 256}, {256, 300}, {300, 300}} {
		with.cosigned(t, client, log.request(t, step.old, step.size))
	}
}

func TestWitnessRefuses(t *testing.T) {
	log, key := newTree(t, origin)
	log.grow(t, 5, "entry")
	rewritten := log.fork()
	log.grow(t, 20, "entry")
	rewritten.grow(t, 20, "rewritten")
	stranger, _ := newTree(t, origin)
	stranger.grow(t, 20, "entry")
	unknown, _ := newTree(t, "example.org/unknown")
	unknown.grow(t, 20, "entry")
	with := newSetup(t, key)
	client := with.client(t, with.open(t))
	with.cosigned(t, client, log.request(t, 0, 10))

	changed := func(request c2sp.AddCheckpoint, change func(*c2sp.AddCheckpoint)) c2sp.AddCheckpoint {
		change(&request)
		return request
	}
	for name, test := range map[string]struct {
		request c2sp.AddCheckpoint
		status  int
		size    int64
	}{
		"an unknown origin":            {unknown.request(t, 0, 10), 404, -1},
		"a signature by another key":   {stranger.request(t, 10, 20), 403, -1},
		"an old size over the new":     {log.request(t, 12, 11), 400, -1},
		"an older size":                {log.request(t, 0, 5), 409, 10},
		"a size that it does not know": {log.request(t, 11, 20), 409, 10},
		"from the beginning again":     {rewritten.request(t, 0, 20), 409, 10},
		"the same size rewritten":      {rewritten.request(t, 10, 10), 409, 10},
		"a rewritten log":              {rewritten.request(t, 10, 20), 422, -1},
		"the proof left out": {
			changed(log.request(t, 10, 20), func(r *c2sp.AddCheckpoint) { r.Proof = nil }),
			422, -1,
		},
		"a proof too long": {changed(log.request(t, 10, 20), func(r *c2sp.AddCheckpoint) {
			r.Proof = append(r.Proof, tlog.Hash{})
		}), 422, -1},
		"a proof where none is due": {changed(log.request(t, 10, 10), func(r *c2sp.AddCheckpoint) {
			r.Proof = tlog.TreeProof{{}}
		}), 422, -1},
	} {
		t.Run(name, func(t *testing.T) { refused(t, client, test.request, test.status, test.size) })
	}
	t.Run("and cosigns the true continuation after all that", func(t *testing.T) {
		with.cosigned(t, client, log.request(t, 10, 20))
	})
}

func TestWitnessRefusesProofFromNothing(t *testing.T) {
	log, key := newTree(t, origin)
	log.grow(t, 10, "entry")
	with := newSetup(t, key)
	client := with.client(t, with.open(t))
	request := log.request(t, 0, 10)
	request.Proof = tlog.TreeProof{{}}
	refused(t, client, request, 422, -1)
}

func TestWitnessAnswersOnTheWire(t *testing.T) {
	log, key := newTree(t, origin)
	log.grow(t, 10, "entry")
	with := newSetup(t, key)
	handler := with.open(t).Handler()
	post := func(method, path, body string) *httptest.ResponseRecorder {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(method, path, strings.NewReader(body)))
		return recorder
	}
	if got := post("POST", "/add-checkpoint", string(log.request(t, 0, 5).Bytes())).Code; got != 200 {
		t.Fatalf("the first checkpoint gave %d", got)
	}
	conflict := post("POST", "/add-checkpoint", string(log.request(t, 0, 10).Bytes()))
	body, err := io.ReadAll(conflict.Body)
	if err != nil {
		t.Fatal(err)
	}
	if conflict.Code != 409 || conflict.Header().Get("Content-Type") != "text/x.tlog.size" || string(body) != "5\n" {
		t.Errorf("a conflict gave %d %s %q", conflict.Code, conflict.Header().Get("Content-Type"), body)
	}
	for name, test := range map[string]struct {
		method, path, body string
		status             int
	}{
		"nothing":      {"POST", "/add-checkpoint", "", 400},
		"rubbish":      {"POST", "/add-checkpoint", "old 5\n\xff\n\n", 400},
		"200 KiB":      {"POST", "/add-checkpoint", "old 5\n" + strings.Repeat("x", 200<<10), 400},
		"a GET":        {"GET", "/add-checkpoint", "", 405},
		"another path": {"POST", "/", "", 404},
	} {
		if got := post(test.method, test.path, test.body).Code; got != test.status {
			t.Errorf("%s gave %d, want %d", name, got, test.status)
		}
	}
}

func TestWitnessRemembersAfterRestart(t *testing.T) {
	log, key := newTree(t, origin)
	log.grow(t, 5, "entry")
	rewritten := log.fork().grow(t, 20, "rewritten")
	log.grow(t, 20, "entry")
	with := newSetup(t, key)
	server := with.open(t)
	with.cosigned(t, with.client(t, server), log.request(t, 0, 10))

	if _, err := witness.Open(witness.Config{
		Folder: with.folder, Cosigner: with.cosigner, Logs: with.logs, Logger: slog.New(slog.DiscardHandler),
	}); err == nil {
		t.Error("two witnesses share a folder")
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	client := with.client(t, with.open(t))
	refused(t, client, log.request(t, 0, 5), 409, 10)
	refused(t, client, rewritten.request(t, 10, 20), 422, -1)
	with.cosigned(t, client, log.request(t, 10, 20))
}

func TestWitnessDoesNotStartWithoutItsMemory(t *testing.T) {
	log, key := newTree(t, origin)
	log.grow(t, 10, "entry")
	with := newSetup(t, key)
	server := with.open(t)
	with.cosigned(t, with.client(t, server), log.request(t, 0, 10))
	server.Close()
	kept, err := filepath.Glob(filepath.Join(with.folder, "*.checkpoint"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%v, %v", kept, err)
	}
	content, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	for at := range content {
		damaged := append([]byte(nil), content...)
		damaged[at] ^= 1
		if err := os.WriteFile(kept[0], damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if server, err := witness.Open(witness.Config{
			Folder: with.folder, Cosigner: with.cosigner, Logs: with.logs, Logger: slog.New(slog.DiscardHandler),
		}); err == nil {
			server.Close()
			t.Fatalf("it starts with byte %d flipped: %q", at, damaged)
		}
	}
}

// Of two checkpoints of one size with different roots, at most one is ever cosigned, whoever comes first.
func TestWitnessTwoSubmissionsAtOnce(t *testing.T) {
	log, key := newTree(t, origin)
	log.grow(t, 5, "entry")
	rewritten := log.fork().grow(t, 40, "rewritten")
	log.grow(t, 40, "entry")
	with := newSetup(t, key)
	server := with.open(t)
	if _, err := server.Add(t.Context(), log.request(t, 0, 5).Bytes()); err != nil {
		t.Fatal(err)
	}
	var requests [][]byte
	for size := int64(6); size <= 40; size++ {
		requests = append(requests, log.request(t, 5, size).Bytes(), rewritten.request(t, 5, size).Bytes())
	}
	var submissions sync.WaitGroup
	var guard sync.Mutex
	cosigned := 0
	for _, request := range requests {
		submissions.Go(func() {
			_, err := server.Add(context.Background(), request)
			if refusal, ok := errors.AsType[*c2sp.Refusal](err); ok && refusal.Status == http.StatusConflict {
				return
			}
			if err != nil {
				t.Error(err)
			}
			guard.Lock()
			defer guard.Unlock()
			cosigned++
		})
	}
	submissions.Wait()
	if cosigned != 1 {
		t.Errorf("%d checkpoints were cosigned as the one after 5", cosigned)
	}
}
