// Package tlogclient checks the transparency log and the witness against software that others wrote from the same
// specifications: the client, the checker and the log of transparency-dev/tessera, and the cosignatures of
// transparency-dev/formats.
//
// It is a module of its own, so that these do not become dependencies of the product.
package tlogclient

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	formats "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/transparency"
	"yagona/std/c2sp"
	"yagona/store/query"
	"yagona/store/sqlite"
	"yagona/web/log"
	"yagona/web/witness"
)

const origin = "log.example/yagona"

var quiet = slog.New(slog.DiscardHandler)

// node is a log in a database, served over HTTP.
type node struct {
	db        *sqlite.DB
	store     transparency.Store
	sequencer *transparency.Sequencer
	url       *url.URL
	entries   int
}

// key is the log's key in both halves.
type key struct{ private, public string }

func newKey(t *testing.T, name string) key {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	return key{private, public}
}

func (k key) verifier(t *testing.T) note.Verifier {
	t.Helper()
	verifier, err := note.NewVerifier(k.public)
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

func newNode(t *testing.T, signing key, witnesses ...transparency.Witness) *node {
	t.Helper()
	db, err := sqlite.Temporary(context.Background(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	signer, err := transparency.NoteSigner(signing.private, signing.public)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{db: db, store: query.For[transparency.Reader, transparency.Tx](db)}
	n.sequencer, err = transparency.NewSequencer(transparency.Config{
		Store: n.store, Signer: signer, Witnesses: witnesses, Quorum: len(witnesses), Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(log.Handler(transparency.NewLog(n.store), quiet))
	t.Cleanup(server.Close)
	if n.url, err = url.Parse(server.URL + log.Prefix); err != nil {
		t.Fatal(err)
	}
	return n
}

// append appends events and publishes them.
func (n *node) append(t *testing.T, count int, content string) error {
	t.Helper()
	err := n.db.Update(context.Background(), act.Platform, func(tx *query.Tx) error {
		for i := range count {
			err := tx.AppendEvent(journal.StoredEvent{
				Key: tx.Key(), ID: ident.New[ident.Event](tx.Now()), At: tx.Now(), Header: []byte("{}"),
				Entry: journal.Entry(fmt.Appendf(nil, "%s %d", content, n.entries+i)),
			}, nil)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n.entries += count
	return n.sequencer.Advance(context.Background())
}

// newWitness runs a witness of the logs over HTTP.
func newWitness(t *testing.T, name string, logs ...note.Verifier) (server *httptest.Server, verifier *c2sp.CosignatureVerifier, public string) {
	t.Helper()
	private, public, err := c2sp.GenerateCosigner(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	cosigner, err := c2sp.NewCosigner(private, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if verifier, err = c2sp.NewCosignatureVerifier(public); err != nil {
		t.Fatal(err)
	}
	state, err := witness.Open(witness.Config{Folder: t.TempDir(), Cosigner: cosigner, Logs: logs, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	server = httptest.NewServer(state.Handler())
	t.Cleanup(func() { server.Close(); state.Close() })
	return server, verifier, public
}

// leafHashes is how the checker learns the leaves of a bundle.
func leafHashes(bundle []byte) ([][]byte, error) {
	var parsed api.EntryBundle
	if err := parsed.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, entry := range parsed.Entries {
		hash := tlog.RecordHash(entry)
		hashes = append(hashes, hash[:])
	}
	return hashes, nil
}

func TestTesseraReadsTheLog(t *testing.T) {
	ctx := t.Context()
	signing := newKey(t, origin)
	one, oneKey, onePublic := newWitness(t, "witness.example/one", signing.verifier(t))
	two, twoKey, twoPublic := newWitness(t, "witness.example/two", signing.verifier(t))
	n := newNode(t, signing, witness.NewClient(one.URL, oneKey, one.Client()), witness.NewClient(two.URL, twoKey, two.Client()))
	fetcher, err := client.NewHTTPFetcher(n.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	var tracker *client.LogStateTracker
	for _, more := range []int{1, 4, 250, 1, 256, 600} {
		if err := n.append(t, more, "event"); err != nil {
			t.Fatal(err)
		}
		checkpoint, signed, _, err := client.FetchCheckpoint(ctx, fetcher.ReadCheckpoint, signing.verifier(t), origin)
		if err != nil {
			t.Fatal(err)
		}
		if checkpoint.Size != uint64(n.entries) {
			t.Fatalf("the client reads %d entries, there are %d", checkpoint.Size, n.entries)
		}
		// The cosignatures verify with other people's code.
		for _, public := range []string{onePublic, twoPublic} {
			verifier, err := formats.NewVerifierForCosignatureV1(public)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := note.Open(signed, note.VerifierList(verifier))
			if err != nil {
				t.Fatal(err)
			}
			if at, err := formats.CoSigV1Timestamp(opened.Sigs[0]); err != nil || time.Since(at).Abs() > time.Minute {
				t.Errorf("cosigned at %v, %v", at, err)
			}
		}
		// All tiles and entries give the root.
		if err := fsck.New(origin, signing.verifier(t), fetcher, leafHashes, fsck.Opts{N: 2}).Check(ctx); err != nil {
			t.Fatalf("at %d entries: %v", n.entries, err)
		}
		// Each checkpoint continues the one before.
		if tracker == nil {
			tracker, err = client.NewLogStateTracker(ctx, fetcher.ReadTile, signed, signing.verifier(t), origin,
				client.UnilateralConsensus(fetcher.ReadCheckpoint))
		} else {
			_, _, _, err = tracker.Update(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		if tracker.Latest().Size != uint64(n.entries) {
			t.Errorf("the tracker is at %d", tracker.Latest().Size)
		}
	}
	// The proofs that the client builds from the tiles are those that we give out.
	builder, err := client.NewProofBuilder(ctx, uint64(n.entries), fetcher.ReadTile)
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []int64{0, 1, 255, 256, 511, 700, int64(n.entries) - 1} {
		want, err := builder.InclusionProof(ctx, uint64(index))
		if err != nil {
			t.Fatal(err)
		}
		proof, err := transparency.NewLog(n.store).Proof(ctx, index)
		if err != nil {
			t.Fatal(err)
		}
		var got [][]byte
		for _, hash := range proof.Hashes {
			got = append(got, hash[:])
		}
		if !slices.EqualFunc(want, got, slices.Equal) {
			t.Errorf("the proofs of %d differ", index)
		}
	}
	// Our own auditor reads the same over HTTP.
	report, err := transparency.Verify(ctx, log.NewRemote(n.url.String(), one.Client()), transparency.Audit{
		Trust: transparency.Trust{
			Log: signing.verifier(t), Witnesses: []*c2sp.CosignatureVerifier{oneKey, twoKey}, Quorum: 2,
		},
		Events: transparency.StoredEvents(n.store),
	})
	if err != nil || len(report.Findings) > 0 || report.Events != int64(n.entries) {
		t.Errorf("our audit says %+v, %v", report, err)
	}
}

// Who holds the database and the log's key rewrites the log; the witnesses, over HTTP, do not go along.
func TestWitnessesRefuseARewrittenLog(t *testing.T) {
	signing := newKey(t, origin)
	one, oneKey, _ := newWitness(t, "witness.example/one", signing.verifier(t))
	two, twoKey, _ := newWitness(t, "witness.example/two", signing.verifier(t))
	clients := []transparency.Witness{witness.NewClient(one.URL, oneKey, one.Client()), witness.NewClient(two.URL, twoKey, two.Client())}
	honest := newNode(t, signing, clients...)
	if err := honest.append(t, 300, "event"); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"shorter": 200, "as long": 300, "longer": 400} {
		t.Run(name, func(t *testing.T) {
			rewritten := newNode(t, signing, clients...)
			if err := rewritten.append(t, size, "another event"); fault.Code(err) != "log.no-quorum" {
				t.Errorf("got %v", err)
			}
			fetcher, err := client.NewHTTPFetcher(rewritten.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if checkpoint, err := fetcher.ReadCheckpoint(t.Context()); err == nil {
				t.Errorf("it is published: %s", checkpoint)
			}
		})
	}
	if err := honest.append(t, 10, "event"); err != nil {
		t.Errorf("the honest log cannot go on: %v", err)
	}
}

// A log that others wrote gets its cosignatures from our witness.
func TestTesseraIsWitnessed(t *testing.T) {
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	signing := newKey(t, "log.example/tessera")
	server, _, public := newWitness(t, "witness.example/one", signing.verifier(t))
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := tessera.NewWitness(public, at)
	if err != nil {
		t.Fatal(err)
	}
	driver, err := posix.New(ctx, posix.Config{Path: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(signing.private)
	if err != nil {
		t.Fatal(err)
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(200*time.Millisecond).
		WithBatching(8, 50*time.Millisecond).
		WithWitnesses(tessera.NewWitnessGroup(1, trusted), &tessera.WitnessOptions{FailOpen: false})
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		t.Fatal(err)
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 50*time.Millisecond)
	verifier, err := c2sp.NewCosignatureVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		_, signed, err := awaiter.Await(ctx, appender.Add(ctx, tessera.NewEntry([]byte(strings.Repeat("x", i+1)))))
		if err != nil {
			t.Fatal(err)
		}
		checkpoint, cosignatures, err := c2sp.Open(signed, signing.verifier(t), verifier)
		if err != nil || len(cosignatures) != 1 || checkpoint.Tree.N < int64(i)+1 {
			t.Fatalf("%s: %v", signed, err)
		}
	}
	if err := shutdown(ctx); err != nil {
		t.Error(err)
	}
}
