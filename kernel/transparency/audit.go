package transparency

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"yagona/kernel/journal"
	"yagona/std/c2sp"
)

// Resources are the files of a log, wherever they are: a Log, a folder, a log on another machine.
type Resources interface {
	// Resource returns a file by its path below the log's prefix.
	Resource(ctx context.Context, path string) ([]byte, error)
}

// Folder returns the files of a log that stand in a folder.
func Folder(folder fs.FS) Resources { return files{folder} }

type files struct{ folder fs.FS }

func (f files) Resource(_ context.Context, path string) ([]byte, error) {
	return fs.ReadFile(f.folder, path)
}

// Trust says whose signatures an auditor believes, and got from elsewhere than from the log.
type Trust struct {
	Log       note.Verifier // its name is the log's origin
	Witnesses []*c2sp.CosignatureVerifier
	Quorum    int // how many of them must have cosigned
}

// Open verifies a signed checkpoint and returns it with the names of the witnesses who cosigned it. If only the quorum
// is missing, it returns both with the error; if the log's signature is, the zero Checkpoint.
func (t Trust) Open(signed []byte) (c2sp.Checkpoint, []string, error) {
	if err := distinct(t.Witnesses); err != nil {
		return c2sp.Checkpoint{}, nil, err
	}
	var keys []note.Verifier
	for _, witness := range t.Witnesses {
		keys = append(keys, witness)
	}
	checkpoint, cosignatures, err := c2sp.Open(signed, t.Log, keys...)
	if err != nil {
		return checkpoint, nil, err
	}
	var names []string
	for _, cosignature := range cosignatures {
		names = append(names, cosignature.Name)
	}
	if len(names) < t.Quorum {
		return checkpoint, names, fmt.Errorf("%d of the witnesses cosigned, %d must", len(names), t.Quorum)
	}
	return checkpoint, names, nil
}

// Audit says what to verify.
type Audit struct {
	Trust
	// Old is a copy of a checkpoint that the auditor kept, or nil: the log must continue it. The log must have signed
	// it; its cosignatures are not asked for.
	Old []byte
	// Events returns the journal's events from an index on, in order, at most limit; nil if they are not at hand. Each
	// must be what the log has at its index. (Whether an event is what its entry says is package journal's to check.)
	Events func(ctx context.Context, from int64, limit int) ([]journal.StoredEvent, error)
	// Elsewhere reports whether the event with the index is known not to be at hand: it is not missed. Nil: all are.
	Elsewhere func(index int64) bool
}

// StoredEvents returns the events of the store for an Audit.
func StoredEvents(store Store) func(ctx context.Context, from int64, limit int) ([]journal.StoredEvent, error) {
	return func(ctx context.Context, from int64, limit int) (events []journal.StoredEvent, err error) {
		err = store.View(ctx, func(reader Reader) (err error) {
			events, err = reader.EventsByIndex(from, limit)
			return err
		})
		return events, err
	}
}

// Finding is something that is not as it was logged.
type Finding struct {
	Resource string // what is wrong: "checkpoint", the path of a tile or bundle, "event <id>"
	Index    int64  // the first entry that it concerns, or -1: the whole log
	Problem  string
}

// String returns the finding as one line.
func (f Finding) String() string {
	if f.Index < 0 {
		return f.Resource + ": " + f.Problem
	}
	return fmt.Sprintf("%s: entry %d: %s", f.Resource, f.Index, f.Problem)
}

// Report is what an audit found.
type Report struct {
	Checkpoint c2sp.Checkpoint // as the log publishes it
	Cosigners  []string        // the witnesses who cosigned it
	Entries    int64           // how many entries were recomputed
	Events     int64           // how many of them were compared with the journal's events
	Old        int64           // the size of the old checkpoint that the log continues; 0: none was given, or it does not
	Findings   []Finding       // in the order of the audit; none: the log is as it was witnessed
}

// maxFindings is how many findings end an audit.
const maxFindings = 100

// Verify recomputes a log from its entries up: entries, tiles, root, the log's signature, the witnesses' cosignatures,
// consistency with an old checkpoint, and the journal's events. Where two files contradict each other, what stands
// above them up to the witnessed root decides which is wrong. The error says that the audit was interrupted; a file
// that cannot be read is a finding.
//
// It covers what the published checkpoint covers: an event that is still pending is checked by package journal only.
func Verify(ctx context.Context, resources Resources, audit Audit) (Report, error) {
	v := &verification{ctx: ctx, resources: resources, audit: audit}
	err := v.run()
	if errors.Is(err, errEnough) {
		err = nil
	}
	return v.report, err
}

var errEnough = fmt.Errorf("audit: %d findings", maxFindings)

type verification struct {
	ctx       context.Context
	resources Resources
	audit     Audit
	report    Report
	tree      tlog.Tree
	edge      bool // the tiles at the right edge give the root
}

func (v *verification) found(resource string, index int64, problem string, args ...any) error {
	v.report.Findings = append(v.report.Findings, Finding{resource, index, fmt.Sprintf(problem, args...)})
	if len(v.report.Findings) == maxFindings {
		return errEnough
	}
	return nil
}

func (v *verification) run() error {
	signed, err := v.resources.Resource(v.ctx, "checkpoint")
	if err != nil {
		return v.unreadable("checkpoint", -1, err)
	}
	v.report.Checkpoint, v.report.Cosigners, err = v.audit.Open(signed)
	if err != nil {
		if err := v.found("checkpoint", -1, "%v", err); err != nil || v.report.Checkpoint.Origin == "" {
			return err // what is not signed by the log says nothing about it, not even how much there is to read
		}
	}
	v.tree = v.report.Checkpoint.Tree
	root, err := tlog.TreeHash(v.tree.N, v.served())
	if v.ctx.Err() != nil {
		return v.ctx.Err()
	}
	v.edge = err == nil && root == v.tree.Hash
	before := len(v.report.Findings)
	roots, err := v.entries()
	if err != nil {
		return err
	}
	for level := 1; c2sp.Hashes(level, v.tree.N) > 0; level++ {
		if roots, err = v.level(level, roots); err != nil {
			return err
		}
	}
	if !v.edge && len(v.report.Findings) == before {
		err := v.found("checkpoint", -1, "the entries and tiles agree with each other and give another root: the log was rewritten, or the checkpoint is another log's")
		if err != nil {
			return err
		}
	}
	return v.old()
}

// entries checks the entry bundles against the tiles of level 0, and both against the journal. It returns the roots of
// the full tiles of level 0.
func (v *verification) entries() (roots []tlog.Hash, err error) {
	for first := int64(0); first < v.tree.N; first += c2sp.TileWidth {
		tile, _ := c2sp.TileOf(0, first, v.tree.N)
		bundle := tile
		bundle.L = c2sp.EntriesLevel
		below, err := v.leaves(bundle)
		if err != nil {
			return nil, err
		}
		best, err := v.settle(tile, below, c2sp.Path(bundle))
		if err != nil {
			return nil, err
		}
		v.report.Entries += int64(tile.W)
		if err := v.events(first, best); err != nil {
			return nil, err
		}
		if tile.W == c2sp.TileWidth && best != nil {
			roots = append(roots, tileRoot(best))
		} else if tile.W == c2sp.TileWidth {
			roots = append(roots, tlog.Hash{}) // nothing of it is readable: it was named
		}
	}
	return roots, nil
}

// level checks a level's tiles against the roots of the full tiles below.
func (v *verification) level(level int, below []tlog.Hash) (roots []tlog.Hash, err error) {
	for first := int64(0); first < int64(len(below)); first += c2sp.TileWidth {
		tile, _ := c2sp.TileOf(level, first, v.tree.N)
		var data []byte
		for _, hash := range below[first : first+int64(tile.W)] {
			data = append(data, hash[:]...)
		}
		best, err := v.settle(tile, data, "")
		if err != nil {
			return nil, err
		}
		if tile.W == c2sp.TileWidth {
			roots = append(roots, tileRoot(best))
		}
	}
	return roots, nil
}

// settle compares a tile as it is served with what was computed from below (nil: could not be) and returns the one that
// the tree above confirms. What stands below is the named bundle, or, for "", the tiles of the level below.
func (v *verification) settle(tile tlog.Tile, below []byte, bundle string) ([]byte, error) {
	path, span := c2sp.Path(tile), int64(1)<<(tile.L*c2sp.TileHeight)
	start := tile.N * c2sp.TileWidth * span
	served, err := v.tile(tile)
	if err != nil {
		return below, v.unreadable(path, start, err)
	}
	if below == nil || bytes.Equal(served, below) {
		return served, nil
	}
	at := 0
	for bytes.Equal(served[at*tlog.HashSize:(at+1)*tlog.HashSize], below[at*tlog.HashSize:(at+1)*tlog.HashSize]) {
		at++
	}
	index := start + int64(at)*span
	culprit := bundle
	if culprit == "" {
		culprit = c2sp.Path(tlog.Tile{H: c2sp.TileHeight, L: tile.L - 1, N: tile.N*c2sp.TileWidth + int64(at), W: c2sp.TileWidth})
	}
	switch {
	case v.confirmed(tile, served):
		return served, v.found(culprit, index, "it is not what %s has of it", path)
	case v.confirmed(tile, below):
		return below, v.found(path, index, "its hash is not that of %s", culprit)
	}
	return served, v.found(path, index, "its hash is not that of %s, and the root confirms neither", culprit)
}

// confirmed reports whether the tree above has a tile with this content: for a full tile the slot of its root in the
// tile above, for the partial one of the level the root of the tree.
func (v *verification) confirmed(tile tlog.Tile, data []byte) bool {
	if tile.W == c2sp.TileWidth {
		above, ok := c2sp.TileOf(tile.L+1, tile.N, v.tree.N)
		if !ok {
			return false
		}
		slots, err := v.tile(above)
		if err != nil {
			return false
		}
		slot := tile.N % c2sp.TileWidth * tlog.HashSize
		return tileRoot(data) == tlog.Hash(slots[slot:slot+tlog.HashSize])
	}
	root, err := tlog.TreeHash(v.tree.N, hashReader(func(wanted tlog.Tile) ([]byte, error) {
		if wanted.L == tile.L && wanted.N == tile.N {
			return data, nil
		}
		return v.widest(wanted)
	}))
	return err == nil && root == v.tree.Hash
}

// events compares the journal's events with the leaves' hashes.
func (v *verification) events(first int64, leaves []byte) error {
	if v.audit.Events == nil || leaves == nil {
		return nil
	}
	width := len(leaves) / tlog.HashSize
	events, err := v.audit.Events(v.ctx, first, width)
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	for i := range width {
		index := first + int64(i)
		for len(events) > 0 && events[0].Index < index {
			events = events[1:] // more than one event with an index, which the store rules out
		}
		if len(events) == 0 || events[0].Index != index {
			if v.audit.Elsewhere != nil && v.audit.Elsewhere(index) {
				continue
			}
			if err := v.found("journal", index, "no event has this index"); err != nil {
				return err
			}
			continue
		}
		if tlog.RecordHash(events[0].Entry) != tlog.Hash(leaves[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
			err := v.found("event "+string(events[0].ID), index, "it is not what the log has at this index")
			if err != nil {
				return err
			}
		}
		v.report.Events++
	}
	return nil
}

// old checks that the log continues the checkpoint that the auditor kept.
func (v *verification) old() error {
	if v.audit.Old == nil {
		return nil
	}
	old, _, err := Trust{Log: v.audit.Log}.Open(v.audit.Old)
	if err != nil {
		return v.found("old checkpoint", -1, "%v", err)
	}
	if old.Tree.N > v.tree.N {
		return v.found("old checkpoint", v.tree.N, "it has %d entries, the log has %d: entries were removed", old.Tree.N, v.tree.N)
	}
	root, err := tlog.TreeHash(old.Tree.N, v.served())
	if err != nil {
		return v.unreadable("old checkpoint", -1, err)
	}
	if root != old.Tree.Hash {
		return v.found("old checkpoint", -1, "the log's first %d entries are not those that it stands for: the log was rewritten", old.Tree.N)
	}
	v.report.Old = old.Tree.N
	return nil
}

// leaves returns the hashes of a bundle's entries, nil if it cannot be read.
func (v *verification) leaves(bundle tlog.Tile) ([]byte, error) {
	path, start := c2sp.Path(bundle), bundle.N*c2sp.TileWidth
	content, err := v.resources.Resource(v.ctx, path)
	if err != nil {
		return nil, v.unreadable(path, start, err)
	}
	entries, err := c2sp.ParseEntries(content)
	if err != nil {
		return nil, v.found(path, start, "%v", err)
	}
	if len(entries) != bundle.W {
		return nil, v.found(path, start, "it holds %d entries instead of %d", len(entries), bundle.W)
	}
	hashes := make([]byte, 0, bundle.W*tlog.HashSize)
	for _, entry := range entries {
		hash := tlog.RecordHash(entry)
		hashes = append(hashes, hash[:]...)
	}
	return hashes, nil
}

// tile returns a tile as it is served.
func (v *verification) tile(tile tlog.Tile) ([]byte, error) {
	data, err := v.resources.Resource(v.ctx, c2sp.Path(tile))
	if err == nil && len(data) != tile.W*tlog.HashSize {
		err = fmt.Errorf("it has %d bytes instead of %d", len(data), tile.W*tlog.HashSize)
	}
	return data, err
}

// widest returns a tile as wide as the tree has it.
func (v *verification) widest(tile tlog.Tile) ([]byte, error) {
	tile, ok := c2sp.TileOf(tile.L, tile.N*c2sp.TileWidth, v.tree.N)
	if !ok {
		return nil, fmt.Errorf("a tree of %d entries has no such tile", v.tree.N)
	}
	return v.tile(tile)
}

func (v *verification) served() tlog.HashReader { return hashReader(v.widest) }

// unreadable notes a file that cannot be read, unless the audit was interrupted.
func (v *verification) unreadable(path string, index int64, err error) error {
	if v.ctx.Err() != nil {
		return v.ctx.Err()
	}
	return v.found(path, index, "it cannot be read: %v", err)
}
