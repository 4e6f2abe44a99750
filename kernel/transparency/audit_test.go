package transparency_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"yagona/kernel/journal"
	"yagona/kernel/transparency"
	"yagona/std/c2sp"
)

// folder returns a log's files as a folder.
func folder(t testing.TB, log transparency.Resources, size int64) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	read := func(path string) {
		content, err := log.Resource(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = &fstest.MapFile{Data: bytes.Clone(content)}
	}
	read("checkpoint")
	for _, tile := range tlog.NewTiles(c2sp.TileHeight, 0, size) {
		read(c2sp.Path(tile))
		if tile.L == 0 {
			tile.L = c2sp.EntriesLevel
			read(c2sp.Path(tile))
		}
	}
	return files
}

func verify(t testing.TB, files fs.FS, audit transparency.Audit) transparency.Report {
	t.Helper()
	report, err := transparency.Verify(context.Background(), transparency.Folder(files), audit)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// entriesOf returns the range of entries that a file of the log concerns.
func entriesOf(t testing.TB, path string) (from, to int64) {
	t.Helper()
	tile, err := c2sp.ParsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	span := int64(1) << (max(tile.L, 0) * c2sp.TileHeight)
	from = tile.N * c2sp.TileWidth * span
	return from, from + int64(tile.W)*span
}

// flip flips one bit of a file and checks that the audit names the file, with an entry in its range; it leaves the file
// as it was.
func flip(t testing.TB, files fstest.MapFS, path string, at int, audit transparency.Audit) {
	t.Helper()
	file := files[path]
	file.Data[at] ^= 1
	report := verify(t, files, audit)
	file.Data[at] ^= 1
	if len(report.Findings) != 1 {
		t.Fatalf("byte %d of %s flipped gave the findings %v", at, path, report.Findings)
	}
	finding := report.Findings[0]
	if finding.Resource != path {
		t.Fatalf("byte %d of %s flipped is found as: %s", at, path, finding)
	}
	if path == "checkpoint" {
		return
	}
	from, to := entriesOf(t, path)
	if finding.Index < from || finding.Index >= to {
		t.Fatalf("byte %d of %s flipped is found at entry %d", at, path, finding.Index)
	}
	// In a tile, and within an entry, it is found at the very entry.
	if tile, _ := c2sp.ParsePath(path); tile.L >= 0 {
		span := int64(1) << (tile.L * c2sp.TileHeight)
		if want := from + int64(at/tlog.HashSize)*span; finding.Index != want {
			t.Fatalf("byte %d of %s flipped is found at entry %d instead of %d", at, path, finding.Index, want)
		}
	} else if framed := 2 + 33; at%framed >= 2 && finding.Index != from+int64(at/framed) {
		t.Fatalf("byte %d of %s flipped is found at entry %d", at, path, finding.Index)
	}
}

func TestAuditOfSoundLog(t *testing.T) {
	s := newSetup(t, 3, 2)
	s.append(t, 600)
	s.advance(t)
	report, err := transparency.Verify(t.Context(), s.log(), transparency.Audit{
		Trust: s.trust(), Events: transparency.StoredEvents(s.database),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Findings) > 0 || report.Entries != 600 || report.Events != 600 || report.Checkpoint.Tree.N != 600 || len(report.Cosigners) < 2 {
		t.Errorf("%+v", report)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := transparency.Verify(ended, s.log(), transparency.Audit{Trust: s.trust()}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted audit gave %v", err)
	}
}

// Every byte of a small log, and of a larger one a sample of every file; with -short an eleventh of both.
func TestAuditNamesAFlippedByte(t *testing.T) {
	for _, test := range []struct{ size, step int }{{5, 1}, {600, 397}} {
		t.Run(fmt.Sprint(test.size, " entries"), func(t *testing.T) {
			s := newSetup(t, 2, 2)
			s.append(t, test.size)
			s.advance(t)
			files := folder(t, s.log(), int64(test.size))
			audit := transparency.Audit{Trust: s.trust()}
			if report := verify(t, files, audit); len(report.Findings) > 0 {
				t.Fatal(report.Findings)
			}
			step := test.step
			if testing.Short() {
				step *= 11
			}
			for path, file := range files {
				for at := 0; at < len(file.Data); at += step {
					flip(t, files, path, at, audit)
				}
			}
		})
	}
}

// A tree of three levels, made by x/mod.
func TestAuditNamesAFlippedByteInALargeLog(t *testing.T) {
	const size = 256*256 + 256*3 + 9
	holder := newHolder(t, origin)
	var entries [][]byte
	for i := range size {
		entries = append(entries, journal.Entry(fmt.Append(nil, i)))
	}
	tree := newReference(t, entries)
	text := c2sp.Checkpoint{Origin: origin, Tree: tlog.Tree{N: size, Hash: tree.root(t, size)}}
	signature, err := holder.SignCheckpoint(t.Context(), []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"checkpoint": {Data: c2sp.Sign(text, origin, holder.Verifier().KeyHash(), signature)}}
	for _, tile := range tlog.NewTiles(c2sp.TileHeight, 0, size) {
		data, err := tlog.ReadTileData(tile, tree)
		if err != nil {
			t.Fatal(err)
		}
		files[c2sp.Path(tile)] = &fstest.MapFile{Data: data}
		if tile.L > 0 {
			continue
		}
		var bundle []byte
		for _, entry := range entries[tile.N*256 : tile.N*256+int64(tile.W)] {
			if bundle, err = c2sp.AppendEntry(bundle, entry); err != nil {
				t.Fatal(err)
			}
		}
		tile.L = c2sp.EntriesLevel
		files[c2sp.Path(tile)] = &fstest.MapFile{Data: bundle}
	}
	audit := transparency.Audit{Trust: transparency.Trust{Log: holder.Verifier()}}
	if report := verify(t, files, audit); len(report.Findings) > 0 || report.Entries != size {
		t.Fatalf("%+v", report)
	}
	upper := slices.DeleteFunc(slices.Collect(maps.Keys(files)), func(path string) bool {
		return !strings.HasPrefix(path, "tile/1/") && !strings.HasPrefix(path, "tile/2/")
	})
	if testing.Short() { // each flip recomputes the whole log
		upper = upper[:1]
	}
	for _, path := range append(upper, "tile/0/000", "tile/0/255", "tile/0/256", "tile/0/258", "tile/0/259.p/9", "tile/entries/100", "tile/entries/259.p/9") {
		flip(t, files, path, rand.IntN(len(files[path].Data)), audit)
	}
	for _, path := range append(upper, "tile/0/000", "tile/0/259.p/9", "tile/entries/007") {
		missing := maps.Clone(files)
		delete(missing, path)
		if report := verify(t, missing, audit); len(report.Findings) != 1 || report.Findings[0].Resource != path {
			t.Errorf("without %s: %v", path, report.Findings)
		}
	}
}

// Rewriting an entry together with what is above it, as far as a holder of the database can, is found at the first file
// that the root still confirms.
func TestAuditNamesARewrittenSubtree(t *testing.T) {
	s := newSetup(t, 1, 1)
	s.append(t, 600)
	s.advance(t)
	files := folder(t, s.log(), 600)
	bundle, err := c2sp.ParseEntries(files["tile/entries/001"].Data)
	if err != nil {
		t.Fatal(err)
	}
	bundle[7][5] ^= 1
	hash := tlog.RecordHash(bundle[7])
	copy(files["tile/0/001"].Data[7*tlog.HashSize:], hash[:])
	report := verify(t, files, transparency.Audit{Trust: s.trust()})
	if len(report.Findings) != 1 || report.Findings[0].Resource != "tile/0/001" || report.Findings[0].Index != 256 {
		t.Errorf("%v", report.Findings)
	}
}

// A log that was rewritten as a whole and signed again by its key fits itself; a copy of an old checkpoint, the
// witnesses, and the journal's events each tell.
func TestAuditOfRewrittenLog(t *testing.T) {
	honest := newSetup(t, 1, 1)
	honest.append(t, 300)
	honest.advance(t)
	old, err := honest.log().Resource(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	honest.append(t, 100)
	honest.advance(t)

	rewritten := newSetup(t, 0, 0)
	rewritten.holder = honest.holder
	rewritten.data = make([][]byte, 5000)
	rewritten.append(t, 400)
	rewritten.advance(t)
	shorter := newSetup(t, 0, 0)
	shorter.holder = honest.holder
	shorter.append(t, 200)
	shorter.advance(t)

	key := transparency.Trust{Log: honest.holder.Verifier()}
	for name, test := range map[string]struct {
		log   *setup
		audit transparency.Audit
		found string // the resource of the only finding, or "" for none
	}{
		"honest, with an old checkpoint":        {honest, transparency.Audit{Trust: honest.trust(), Old: old}, ""},
		"rewritten, nothing else to go by":      {rewritten, transparency.Audit{Trust: key}, ""},
		"rewritten, with an old checkpoint":     {rewritten, transparency.Audit{Trust: key, Old: old}, "old checkpoint"},
		"rewritten, with the witnesses":         {rewritten, transparency.Audit{Trust: honest.trust()}, "checkpoint"},
		"shorter, with an old checkpoint":       {shorter, transparency.Audit{Trust: key, Old: old}, "old checkpoint"},
		"honest, with another old checkpoint":   {honest, transparency.Audit{Trust: key, Old: []byte("rubbish")}, "old checkpoint"},
		"honest, with the checkpoint as old":    {honest, transparency.Audit{Trust: key, Old: checkpointOf(t, honest)}, ""},
		"honest, but of another log":            {honest, transparency.Audit{Trust: transparency.Trust{Log: newHolder(t, origin).Verifier()}}, "checkpoint"},
		"honest, a quorum that was not reached": {honest, transparency.Audit{Trust: transparency.Trust{Log: key.Log, Witnesses: honest.trust().Witnesses, Quorum: 2}}, "checkpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := transparency.Verify(t.Context(), test.log.log(), test.audit)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, finding := range report.Findings {
				found = append(found, finding.Resource)
			}
			if got := strings.Join(found, ", "); got != test.found {
				t.Errorf("found %v", report.Findings)
			}
			if wantOld := test.found == "" && test.audit.Old != nil; (report.Old > 0) != wantOld {
				t.Errorf("the old checkpoint's size is %d", report.Old)
			}
		})
	}
}

func checkpointOf(t testing.TB, s *setup) []byte {
	t.Helper()
	signed, err := s.log().Resource(context.Background(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// The entries and tiles of another log under a checkpoint that is signed all right.
func TestAuditOfSwappedFiles(t *testing.T) {
	honest := newSetup(t, 0, 0)
	honest.append(t, 5)
	honest.advance(t)
	other := newSetup(t, 0, 0)
	other.data = make([][]byte, 100)
	other.append(t, 5)
	other.advance(t)
	files := folder(t, other.log(), 5)
	files["checkpoint"].Data = checkpointOf(t, honest)
	report := verify(t, files, transparency.Audit{Trust: honest.trust()})
	if len(report.Findings) != 1 || report.Findings[0].Resource != "checkpoint" {
		t.Errorf("%v", report.Findings)
	}
}

func TestAuditComparesTheJournal(t *testing.T) {
	s := newSetup(t, 0, 0)
	s.append(t, 600)
	s.advance(t)
	stored, err := transparency.StoredEvents(s.database)(t.Context(), 303, 2)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(events []journal.StoredEvent) []journal.StoredEvent
		found  transparency.Finding
	}{
		"an entry is changed": {func(events []journal.StoredEvent) []journal.StoredEvent {
			events[3].Entry[5] ^= 1
			return events
		}, transparency.Finding{Resource: "event " + string(stored[0].ID), Index: 303}},
		"two events change places": {func(events []journal.StoredEvent) []journal.StoredEvent {
			events[3], events[4] = events[4], events[3]
			events[3].Index, events[4].Index = events[4].Index, events[3].Index
			return events
		}, transparency.Finding{Resource: "event " + string(stored[1].ID), Index: 303}},
		"an event is gone": {func(events []journal.StoredEvent) []journal.StoredEvent {
			return slices.Delete(events, 3, 4)
		}, transparency.Finding{Resource: "journal", Index: 303}},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := transparency.Verify(t.Context(), s.log(), transparency.Audit{
				Trust: s.trust(),
				Events: func(ctx context.Context, from int64, limit int) ([]journal.StoredEvent, error) {
					// The audit asks for ranges of its own choice: 300 is the first event that the change is counted from.
					events, err := transparency.StoredEvents(s.database)(ctx, 300, 300)
					before, err2 := transparency.StoredEvents(s.database)(ctx, 0, 300)
					events = append(before, test.change(events)...)
					first := slices.IndexFunc(events, func(event journal.StoredEvent) bool { return event.Index >= from })
					return events[first:min(first+limit, len(events))], errors.Join(err, err2)
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Findings) == 0 || report.Findings[0].Resource != test.found.Resource || report.Findings[0].Index != test.found.Index {
				t.Errorf("found %v", report.Findings)
			}
		})
	}
}

// Whatever the files hold, the audit ends, and calls sound only what the key signed.
func FuzzVerify(f *testing.F) {
	s := newSetup(f, 0, 0)
	s.append(f, 3)
	s.advance(f)
	sound := folder(f, s.log(), 3)
	f.Add(sound["checkpoint"].Data, sound["tile/entries/000.p/3"].Data, sound["tile/0/000.p/3"].Data)
	f.Add([]byte("example.org/log\n9223372036854775807\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— a b\n"), []byte{0, 0}, []byte{})
	f.Fuzz(func(t *testing.T, checkpoint, bundle, tile []byte) {
		files := fstest.MapFS{
			"checkpoint": {Data: checkpoint}, "tile/entries/000.p/3": {Data: bundle}, "tile/0/000.p/3": {Data: tile},
		}
		report := verify(t, files, transparency.Audit{Trust: s.trust()})
		if len(report.Findings) > 0 {
			return
		}
		if _, err := note.Open(checkpoint, note.VerifierList(s.holder.Verifier())); err != nil {
			t.Errorf("a log is called sound whose checkpoint is not signed: %v", err)
		}
		for path, file := range sound {
			if path != "checkpoint" && !bytes.Equal(files[path].Data, file.Data) {
				t.Errorf("a log is called sound whose %s differs", path)
			}
		}
	})
}
