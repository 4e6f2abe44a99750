package transparency_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/transparency"
	"yagona/std/c2sp"
	"yagona/store/storetest"
)

// Whatever the batches, the published log is the one that x/mod makes of the same entries.
func TestLogIsTheTreeOfItsEntries(t *testing.T) {
	s := newSetup(t, 2, 2)
	for _, more := range []int{1, 1, 3, 250, 1, 1, 254, 300, 1213} {
		s.append(t, more)
		s.advance(t)
		size := int64(len(s.data))
		tree := newReference(t, s.data)
		if got := s.published(t); got.Tree.N != size || got.Tree.Hash != tree.root(t, size) {
			t.Fatalf("after %d entries the log has %d with another root", size, got.Tree.N)
		}
		for _, tile := range tlog.NewTiles(c2sp.TileHeight, 0, size) {
			want, err := tlog.ReadTileData(tile, tree)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.log().Resource(t.Context(), c2sp.Path(tile))
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("at %d entries %s is wrong: %v", size, c2sp.Path(tile), err)
			}
			if tile.L > 0 {
				continue
			}
			tile.L = c2sp.EntriesLevel
			bundle, err := s.log().Resource(t.Context(), c2sp.Path(tile))
			if err != nil {
				t.Fatal(err)
			}
			entries, err := c2sp.ParseEntries(bundle)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.data[tile.N*256:tile.N*256+int64(tile.W)], entries); diff != "" {
				t.Fatalf("at %d entries %s: %s", size, c2sp.Path(tile), diff)
			}
		}
	}
	s.holder.neverForked(t)
}

func TestProofsVerify(t *testing.T) {
	s := newSetup(t, 3, 2)
	s.append(t, 700)
	s.advance(t)
	var witnesses []note.Verifier
	for _, witness := range s.witnesses {
		witnesses = append(witnesses, witness.key)
	}
	stride := int64(1)
	if testing.Short() {
		stride = 7
	}
	for index := int64(0); index < 700; index += stride {
		proof, err := s.log().Proof(t.Context(), index)
		if err != nil {
			t.Fatal(err)
		}
		read, err := c2sp.ParseProof(proof.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := read.Verify(s.data[index], s.holder.Verifier(), witnesses, 2); err != nil {
			t.Fatal(err)
		}
		if _, err := read.Verify(s.data[(index+1)%700], s.holder.Verifier(), witnesses, 2); err == nil {
			t.Fatalf("the proof of %d proves another entry", index)
		}
	}
	for _, index := range []int64{-1, 700, 1 << 40} {
		if _, err := s.log().Proof(t.Context(), index); fault.Code(err) != "log.pending" {
			t.Errorf("a proof of entry %d gave %v", index, err)
		}
	}
	tree := newReference(t, s.data)
	for _, sizes := range [][2]int64{{1, 700}, {256, 700}, {300, 512}, {699, 700}, {700, 700}} {
		proof, err := s.log().Consistency(t.Context(), sizes[0], sizes[1])
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckTree(proof, sizes[1], tree.root(t, sizes[1]), sizes[0], tree.root(t, sizes[0])); err != nil {
			t.Errorf("%v: %v", sizes, err)
		}
	}
	for _, sizes := range [][2]int64{{0, 1}, {-1, 1}, {2, 1}, {1, 701}} {
		if _, err := s.log().Consistency(t.Context(), sizes[0], sizes[1]); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v gave %v", sizes, err)
		}
	}
}

func TestOnlyWhatIsPublishedIsServed(t *testing.T) {
	s := newSetup(t, 1, 1)
	if _, err := s.log().Resource(t.Context(), "checkpoint"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an empty log has a checkpoint: %v", err)
	}
	s.append(t, 300)
	s.advance(t)
	s.append(t, 300)
	s.witnesses[0].failure = errors.New("down")
	if err := s.sequencer(t).Advance(t.Context()); err == nil {
		t.Fatal("published without the witness")
	}
	for path, there := range map[string]bool{
		"tile/0/000": true, "tile/0/001.p/44": true, "tile/0/001.p/1": true, "tile/entries/001.p/44": true, "tile/1/000.p/1": true,
		"tile/0/001.p/45": false, "tile/0/001": false, "tile/entries/001": false, "tile/entries/001.p/45": false,
		"tile/1/000.p/2": false, "tile/2/000.p/1": false, "tile/63/000": false, "tile/0/x999/x999/x999/x999/x999/999": false,
		"tile": false, "": false, "../checkpoint": false, "tile/8/0/000": false,
	} {
		content, err := s.log().Resource(t.Context(), path)
		if there && (err != nil || len(content) == 0) {
			t.Errorf("%s: %v", path, err)
		}
		if !there && !fault.Is(err, fault.NotFound) {
			t.Errorf("%s is served: %v", path, err)
		}
	}
}

func TestLateEventIsNotSkipped(t *testing.T) {
	s := newSetup(t, 0, 0)
	s.append(t, 3) // takes the numbers 0 to 2
	s.advance(t)
	s.data = make([][]byte, 2000)
	s.append(t, 1)
	s.advance(t)
	s.data = make([][]byte, 1000) // its id lies before the last, its commit behind
	s.append(t, 1)
	s.advance(t)
	events, err := transparency.StoredEvents(s.database)(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, event := range events {
		order = append(order, string(event.Key))
	}
	want := []string{"person:0", "person:1", "person:2", "person:2000", "person:1000"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Error(diff)
	}
}

func TestQuorum(t *testing.T) {
	down := errors.New("down")
	for _, test := range []struct {
		name      string
		witnesses int
		quorum    int
		faults    func(w []*fakeWitness)
		published bool
	}{
		{"all answer", 3, 2, func([]*fakeWitness) {}, true},
		{"one is down", 3, 2, func(w []*fakeWitness) { w[0].failure = down }, true},
		{"one hangs", 3, 2, func(w []*fakeWitness) { w[2].hangs = true }, true},
		{"two are down", 3, 2, func(w []*fakeWitness) { w[0].failure, w[1].hangs = down, true }, false},
		{"one answers rubbish", 2, 2, func(w []*fakeWitness) { w[1].answer = []byte("thank you\n") }, false},
		{"one sends the other's", 2, 2, func(w []*fakeWitness) { w[1].cosigner = w[0].cosigner }, false},
		{"one refuses", 1, 1, func(w []*fakeWitness) { w[0].failure = &c2sp.Refusal{Status: 403, Size: -1} }, false},
		{"no witness is declared", 0, 0, func([]*fakeWitness) {}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSetup(t, test.witnesses, test.quorum)
			test.faults(s.witnesses)
			s.append(t, 5)
			sequencer := s.sequencer(t)
			err := sequencer.Advance(t.Context())
			status, statusErr := sequencer.Status(t.Context())
			if statusErr != nil {
				t.Fatal(statusErr)
			}
			if test.published {
				if err != nil {
					t.Fatal(err)
				}
				if got := s.published(t); got.Tree.N != 5 || status.Pending() {
					t.Errorf("published %d, %+v", got.Tree.N, status)
				}
				return
			}
			if fault.Code(err) != "log.no-quorum" {
				t.Errorf("got %v", err)
			}
			if _, err := s.log().Resource(t.Context(), "checkpoint"); !fault.Is(err, fault.NotFound) {
				t.Errorf("a checkpoint without quorum is served: %v", err)
			}
			if _, err := s.log().Proof(t.Context(), 0); fault.Code(err) != "log.pending" {
				t.Errorf("a proof without quorum: %v", err)
			}
			if !status.Pending() || status.Indexed != 5 || status.Signed != 5 || status.Published != 0 {
				t.Errorf("the status is %+v", status)
			}
			failures := 0
			for _, witness := range status.Witnesses {
				if witness.Failure != "" {
					failures++
				}
			}
			if failures == 0 {
				t.Errorf("the status names no failing witness: %+v", status)
			}
		})
	}
}

func TestWitnessThatWasDownCatchesUp(t *testing.T) {
	s := newSetup(t, 2, 1)
	sequencer := s.sequencer(t)
	s.witnesses[1].failure = errors.New("down")
	for range 3 {
		s.append(t, 10)
		if err := sequencer.Advance(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.witnesses[1].failure = nil
	s.append(t, 10)
	if err := sequencer.Advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.witnesses[1].last.N; got != 40 {
		t.Errorf("the second witness is at %d", got)
	}
}

func TestConfigRefused(t *testing.T) {
	s := newSetup(t, 2, 3)
	config := transparency.Config{Store: s.database, Signer: s.holder, Logger: slog.New(slog.DiscardHandler), Quorum: 3}
	for _, witness := range s.witnesses {
		config.Witnesses = append(config.Witnesses, witness)
	}
	if _, err := transparency.NewSequencer(config); fault.Code(err) != "log.quorum" {
		t.Errorf("3 of 2 gave %v", err)
	}
	config.Quorum, config.Witnesses = 2, append(config.Witnesses[:1], config.Witnesses[0])
	if _, err := transparency.NewSequencer(config); fault.Code(err) != "log.same-witness" {
		t.Errorf("one witness twice gave %v", err)
	}
}

func TestOriginStays(t *testing.T) {
	s := newSetup(t, 0, 0)
	s.append(t, 1)
	s.advance(t)
	s.append(t, 1)
	s.holder = newHolder(t, "example.org/renamed")
	renamed := s.sequencer(t)
	for what, err := range map[string]error{"it continues": renamed.Continues(t.Context()), "it is advanced": renamed.Advance(t.Context())} {
		if fault.Code(err) != "log.origin" {
			t.Errorf("%s: got %v", what, err)
		}
	}
}

// Every step of a run fails, and was not or was done; then the process starts again, with or without new events. What
// must hold after: all events are in the log once and in order, published, and never were two trees of one size signed.
func TestCrash(t *testing.T) {
	type crash struct {
		name   string
		damage func(s *setup)
	}
	crashes := []crash{
		{"the signer fails", func(s *setup) { s.holder.failure = errors.New("crash") }},
		{"the witness fails", func(s *setup) { s.witnesses[0].failure = errors.New("crash") }},
		{"the witness's answer is lost", func(s *setup) { s.witnesses[0].answer = []byte{} }},
	}
	// One act for the indexes, one for the signed and one for the published checkpoint.
	for number := 1; number <= 3; number++ {
		for _, after := range []bool{false, true} {
			crashes = append(crashes, crash{fmt.Sprintf("act %d fails, persisted %v", number, after), func(s *setup) {
				s.failAt, s.failedAfter = s.updates+number, after
			}})
		}
	}
	restarts := []int{0, 1, 300} // with so many new events
	if testing.Short() {
		restarts = restarts[1:2]
	}
	for _, crash := range crashes {
		for _, more := range restarts {
			t.Run(fmt.Sprintf("%s, then %d events", crash.name, more), func(t *testing.T) {
				s := newSetup(t, 1, 1)
				s.append(t, 250)
				s.advance(t)
				before := s.published(t)

				s.append(t, 20)
				crash.damage(s)
				if err := s.sequencer(t).Advance(t.Context()); err == nil {
					t.Fatal("nothing crashed: the row shows nothing")
				}
				if got := s.published(t); got.Tree != before.Tree && got.Tree.N != 270 {
					t.Errorf("published is neither the old nor the new state: %d", got.Tree.N)
				}

				s.failAt, s.holder.failure, s.witnesses[0].failure, s.witnesses[0].answer = 0, nil, nil, nil
				s.append(t, more)
				s.advance(t)
				size := int64(len(s.data))
				got := s.published(t)
				if got.Tree.N != size || got.Tree.Hash != newReference(t, s.data).root(t, size) {
					t.Errorf("after the restart %d of %d entries are published, or others", got.Tree.N, size)
				}
				s.holder.neverForked(t)
				report, err := transparency.Verify(t.Context(), s.log(), transparency.Audit{
					Trust: s.trust(), Events: transparency.StoredEvents(s.database),
				})
				if err != nil || len(report.Findings) > 0 || report.Events != size {
					t.Errorf("the audit says %+v, %v", report, err)
				}
			})
		}
	}
}

// Whoever holds the database and the log's key can write another history and sign it. The witnesses do not cosign it.
func TestRewriteIsRefused(t *testing.T) {
	honest := newSetup(t, 2, 2)
	honest.append(t, 10)
	honest.advance(t)
	for name, size := range map[string]int{"shorter": 5, "as long": 10, "longer": 30} {
		t.Run(name, func(t *testing.T) {
			rewritten := newSetup(t, 2, 2)
			rewritten.holder, rewritten.witnesses = honest.holder, honest.witnesses
			rewritten.data = make([][]byte, 5000) // other events
			rewritten.append(t, size)
			sequencer := rewritten.sequencer(t)
			err := sequencer.Advance(t.Context())
			if fault.Code(err) != "log.no-quorum" {
				t.Errorf("got %v", err)
			}
			if want := map[string]string{"shorter": "log.set-back", "as long": "409", "longer": "422"}[name]; !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not say %s", err, want)
			}
			if _, err := rewritten.log().Resource(t.Context(), "checkpoint"); !fault.Is(err, fault.NotFound) {
				t.Errorf("the rewritten log is published: %v", err)
			}
			status, err := sequencer.Status(t.Context())
			if err != nil || !status.Pending() || status.Witnesses[0].Failure == "" {
				t.Errorf("the status is %+v, %v", status, err)
			}
		})
	}
}

// A tile that was changed in the database stops the log instead of forking it.
func TestDamagedTileStopsTheLog(t *testing.T) {
	s := newSetup(t, 0, 0)
	s.append(t, 300)
	s.advance(t)
	signatures := len(s.holder.signed)
	err := s.Update(t.Context(), "platform", func(tx transparency.Tx) error {
		tile, err := tx.LogTile(0, 1)
		if err != nil {
			return err
		}
		tile[40] ^= 1
		return tx.SaveLogTile(0, 1, tile)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.append(t, 1)
	if err := s.sequencer(t).Advance(t.Context()); fault.Code(err) != "log.damaged" {
		t.Errorf("got %v", err)
	}
	if len(s.holder.signed) != signatures {
		t.Error("it was signed")
	}
	if _, err := s.log().Proof(t.Context(), 299); fault.Code(err) != "log.damaged" {
		t.Errorf("a proof from the damaged tile: %v", err)
	}
}

// counted counts how often the store is used.
type counted struct {
	*database
	used int
}

func (c *counted) View(ctx context.Context, run func(transparency.Reader) error) error {
	c.used++
	return c.database.View(ctx, run)
}

func (c *counted) Update(ctx context.Context, key act.Key, run func(transparency.Tx) error) error {
	c.used++
	return c.database.Update(ctx, key, run)
}

func TestRunSleepsUntilItIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// In a file: a server stands outside the bubble, and its pool would look after its connections all through the days.
		db, _ := storetest.File(t, clock)
		s := newSetupOn(t, databaseOn(db), 1, 1)
		store := &counted{database: s.database}
		sequencer, err := transparency.NewSequencer(transparency.Config{
			Store: store, Signer: s.holder, Witnesses: []transparency.Witness{s.witnesses[0]}, Quorum: 1, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		pass := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		s.append(t, 3)
		go func() { sequencer.Run(ctx); close(done) }()

		pass(time.Second)
		if got := s.published(t); got.Tree.N != 3 {
			t.Errorf("what waited at the start is not published: %d", got.Tree.N)
		}
		store.used = 0
		pass(24 * time.Hour)
		if store.used != 0 {
			t.Errorf("in an idle day the store was used %d times", store.used)
		}

		// A hundred commits in a tenth of a second share one checkpoint.
		signatures := len(s.holder.signed)
		for range 100 {
			s.append(t, 1)
			sequencer.Wake()
			pass(time.Millisecond)
		}
		pass(150 * time.Millisecond)
		if got := s.published(t); got.Tree.N != 103 {
			t.Errorf("250 ms after the first commit %d are published", got.Tree.N)
		}
		if got := len(s.holder.signed) - signatures; got != 1 {
			t.Errorf("%d checkpoints were signed", got)
		}

		// A witness that is down is asked again, ever more seldom, and what it did not cosign is published once it is up.
		s.witnesses[0].fail(errors.New("down"))
		asked := s.witnesses[0].times()
		s.append(t, 1)
		sequencer.Wake()
		pass(10 * time.Minute)
		if got := s.witnesses[0].times() - asked; got < 10 || got > 20 {
			t.Errorf("in ten minutes the witness was asked %d times", got)
		}
		s.witnesses[0].fail(nil)
		pass(61 * time.Second)
		if got := s.published(t); got.Tree.N != 104 {
			t.Errorf("after the witness is back %d are published", got.Tree.N)
		}
		stop()
		<-done
	})
}
