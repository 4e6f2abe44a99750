package transparency_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/transparency"
	"yagona/std/c2sp"
	"yagona/store/query"
	"yagona/store/storetest"
)

const origin = "example.org/log"

var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// database is a store with the journal's side of it, and with fault hooks.
type database struct {
	transparency.Store
	db   query.DB
	data [][]byte // what was appended, by place in the order of appending

	updates     int   // counts the acts of the log
	failAt      int   // the number of the act that fails; 0: none
	failedAfter bool  // the failing act is committed all the same
	failure     error // what it then reports
}

func clock() time.Time { return start }

// newDatabase returns a fresh store on the engine that package storetest chooses.
func newDatabase(t testing.TB) *database {
	t.Helper()
	return databaseOn(storetest.Temporary(t, clock))
}

func databaseOn(db query.DB) *database {
	return &database{Store: query.For[transparency.Reader, transparency.Tx](db), db: db, failure: errors.New("crash")}
}

func (d *database) Update(ctx context.Context, key act.Key, run func(transparency.Tx) error) error {
	d.updates++
	if d.updates != d.failAt {
		return d.Store.Update(ctx, key, run)
	}
	if d.failedAfter {
		if err := d.Store.Update(ctx, key, run); err != nil {
			return err
		}
	}
	return d.failure
}

// append appends events to the journal, a hundred in one act.
func (d *database) append(t testing.TB, count int) {
	t.Helper()
	for count > 0 {
		some := min(count, 100)
		count -= some
		first := len(d.data)
		err := d.db.Update(context.Background(), act.Platform, func(tx *query.Tx) error {
			d.data = d.data[:first]
			for range some {
				number := len(d.data)
				entry := journal.Entry(fmt.Appendf(nil, "header %d", number))
				event := journal.StoredEvent{
					Key: act.Key(fmt.Sprint("person:", number)), ID: eventID(number), At: tx.Now(), Header: []byte("{}"), Entry: entry,
				}
				if err := tx.AppendEvent(event, nil); err != nil {
					return err
				}
				d.data = append(d.data, entry)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// eventID returns an id whose order is that of the numbers.
func eventID(number int) ident.Event {
	return ident.New[ident.Event](start.Add(time.Duration(number) * time.Millisecond))
}

// holder holds the log's key and remembers what it signed.
type holder struct {
	transparency.CheckpointSigner
	signed  []string
	failure error
}

func newHolder(t testing.TB, origin string) *holder {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := transparency.NoteSigner(private, public)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{CheckpointSigner: signer}
}

func (h *holder) SignCheckpoint(ctx context.Context, text []byte) ([]byte, error) {
	if h.failure != nil {
		return nil, h.failure
	}
	h.signed = append(h.signed, string(text))
	return h.CheckpointSigner.SignCheckpoint(ctx, text)
}

// neverForked checks that no two checkpoints of one size with different roots were signed.
func (h *holder) neverForked(t testing.TB) {
	t.Helper()
	roots := map[int64]tlog.Hash{}
	for _, text := range h.signed {
		checkpoint, err := c2sp.ParseCheckpoint(text)
		if err != nil {
			t.Fatal(err)
		}
		if root, ok := roots[checkpoint.Tree.N]; ok && root != checkpoint.Tree.Hash {
			t.Errorf("two checkpoints of %d entries were signed", checkpoint.Tree.N)
		}
		roots[checkpoint.Tree.N] = checkpoint.Tree.Hash
	}
}

// fakeWitness is an honest witness in memory, with fault hooks.
type fakeWitness struct {
	cosigner *c2sp.Cosigner
	key      *c2sp.CosignatureVerifier
	log      note.Verifier

	guard   sync.Mutex // the sequencer asks from its own goroutines
	last    tlog.Tree
	asked   int
	failure error  // answers this
	hangs   bool   // does not answer at all
	answer  []byte // answers this instead of a cosignature
}

func newWitness(t testing.TB, name string, log note.Verifier) *fakeWitness {
	t.Helper()
	private, public, err := c2sp.GenerateCosigner(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	cosigner, err := c2sp.NewCosigner(private, func() time.Time { return start })
	if err != nil {
		t.Fatal(err)
	}
	key, err := c2sp.NewCosignatureVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeWitness{cosigner: cosigner, key: key, log: log}
}

// fail makes the witness answer an error, nil: a cosignature again.
func (w *fakeWitness) fail(failure error) {
	w.guard.Lock()
	defer w.guard.Unlock()
	w.failure = failure
}

// times returns how often the witness was asked.
func (w *fakeWitness) times() int {
	w.guard.Lock()
	defer w.guard.Unlock()
	return w.asked
}

func (w *fakeWitness) Verifier() *c2sp.CosignatureVerifier { return w.key }

func (w *fakeWitness) Cosign(ctx context.Context, request c2sp.AddCheckpoint) ([]byte, error) {
	w.guard.Lock()
	defer w.guard.Unlock()
	w.asked++
	switch {
	case w.hangs:
		<-ctx.Done()
		return nil, ctx.Err()
	case w.failure != nil:
		return nil, w.failure
	case w.answer != nil:
		return w.answer, nil
	}
	checkpoint, _, err := c2sp.Open(request.Checkpoint, w.log)
	if err != nil {
		return nil, &c2sp.Refusal{Status: 403, Size: -1, Reason: err.Error()}
	}
	if request.Old != w.last.N || checkpoint.Tree.N == w.last.N && checkpoint.Tree.Hash != w.last.Hash {
		return nil, &c2sp.Refusal{Status: 409, Size: w.last.N}
	}
	if w.last.N > 0 {
		if err := tlog.CheckTree(request.Proof, checkpoint.Tree.N, checkpoint.Tree.Hash, w.last.N, w.last.Hash); err != nil {
			return nil, &c2sp.Refusal{Status: 422, Size: -1, Reason: err.Error()}
		}
	}
	w.last = checkpoint.Tree
	text := checkpoint.String()
	cosigned, err := note.Sign(&note.Note{Text: text}, w.cosigner)
	if err != nil {
		return nil, err
	}
	return cosigned[len(text)+1:], nil
}

// setup is a log with its key and witnesses.
type setup struct {
	*database
	holder    *holder
	witnesses []*fakeWitness
	quorum    int
}

func newSetup(t testing.TB, witnesses, quorum int) *setup {
	t.Helper()
	return newSetupOn(t, newDatabase(t), witnesses, quorum)
}

func newSetupOn(t testing.TB, db *database, witnesses, quorum int) *setup {
	t.Helper()
	s := &setup{database: db, holder: newHolder(t, origin), quorum: quorum}
	for i := range witnesses {
		s.witnesses = append(s.witnesses, newWitness(t, fmt.Sprint("witness.example/", i), s.holder.Verifier()))
	}
	return s
}

// sequencer returns a new one, as after a restart.
func (s *setup) sequencer(t testing.TB) *transparency.Sequencer {
	t.Helper()
	config := transparency.Config{Store: s.database, Signer: s.holder, Quorum: s.quorum, Logger: slog.New(slog.DiscardHandler)}
	for _, witness := range s.witnesses {
		config.Witnesses = append(config.Witnesses, witness)
	}
	sequencer, err := transparency.NewSequencer(config)
	if err != nil {
		t.Fatal(err)
	}
	return sequencer
}

func (s *setup) advance(t testing.TB) {
	t.Helper()
	if err := s.sequencer(t).Advance(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (s *setup) trust() transparency.Trust {
	trust := transparency.Trust{Log: s.holder.Verifier(), Quorum: s.quorum}
	for _, witness := range s.witnesses {
		trust.Witnesses = append(trust.Witnesses, witness.key)
	}
	return trust
}

func (s *setup) log() *transparency.Log { return transparency.NewLog(s.database) }

// published returns the published checkpoint.
func (s *setup) published(t testing.TB) c2sp.Checkpoint {
	t.Helper()
	signed, err := s.log().Resource(context.Background(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, _, err := s.trust().Open(signed)
	if err != nil {
		t.Fatal(err)
	}
	return checkpoint
}

// reference is the tree that x/mod makes of the same entries.
type reference []tlog.Hash

func newReference(t testing.TB, entries [][]byte) reference {
	t.Helper()
	var tree reference
	for i, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, tree)
		if err != nil {
			t.Fatal(err)
		}
		tree = append(tree, hashes...)
	}
	return tree
}

func (r reference) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = r[index]
	}
	return found, nil
}

func (r reference) root(t testing.TB, size int64) tlog.Hash {
	t.Helper()
	root, err := tlog.TreeHash(size, r)
	if err != nil {
		t.Fatal(err)
	}
	return root
}
