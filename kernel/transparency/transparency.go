// Package transparency owns the Merkle log over the journal: the place of every event in it, its tiles, its signed and
// witnessed checkpoints, its proofs, and its audit. It hands the log's files to package web/log, proofs to whoever
// shows an event, and findings to the auditor. The formats are those of package std/c2sp.
//
// An entry of the log is an event's Entry (package journal): an opaque hash that tells nothing about a person.
//
// # From an event to a published checkpoint
//
// The Sequencer takes events without an index, the oldest id first, and goes through four steps, each of which leaves
// the store in a state from which the next run continues:
//
//  1. In one act: the events get the next indexes, their entries and hashes are appended to the tiles.
//  2. Outside: the checkpoint of that size is signed by the log's key. In a second act it is kept as signed.
//  3. Outside: the witnesses are asked to cosign it.
//  4. In a third act, once the declared quorum cosigned: it is published. Until then it is pending.
//
// A crash between the steps leaves the old or the new state, and the work is done again from what the store says: the
// sequencer keeps nothing in memory but hints. An event that was committed late is found late, because it is looked for
// by "has no index", never by a range of ids.
//
// # Invariants
//
//   - An index, once given, is never given again or changed; an entry never changes.
//   - The log never signs two checkpoints of one size with different roots. The indexes of a size are committed before
//     the size is signed, so that the root is a function of committed, unchanging rows; a size that was signed is not
//     signed again but sent as it was kept; and before a larger size is signed, the root of the last signed size is
//     computed again from the tiles and compared, so that a damaged or rewritten tile stops the log instead of forking
//     it. A database that was set back to an older state would break this; the witnesses then refuse, the status says
//     so, and nothing is published. If what is missing is lost for good, a new log begins under another origin, with the
//     entries that are left (BeginAnew).
//   - Only what a published checkpoint covers is proven or served.
//
// # Storage
//
// A tile row holds all hashes that the tile has so far: it grows by appending until it is full, then never changes. The
// partial tile of a smaller tree is its prefix. Level c2sp.EntriesLevel holds the entry bundles in the same way. The
// database is thus written once for each batch at the right edge, and a proof needs a few rows only.
package transparency

import (
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

// PublishWithin is what a receipt promises: an event has a proof after this time, if the witnesses answer.
const PublishWithin = 5 * time.Second

// Entry is an event that has no index yet.
type Entry struct {
	Key   act.Key
	Event ident.Event
	Data  []byte // the leaf's data
}

// Head is how far the log is.
type Head struct {
	Size      int64  // how many events have an index
	Signed    []byte // the newest checkpoint that the log signed, a signed note; nil: none yet
	Published []byte // the newest checkpoint with the quorum's cosignatures, a signed note; nil: none yet
}

// Reader is what the log needs for reading.
type Reader interface {
	// LogHead returns the head; the zero Head in a store without a log.
	LogHead() (Head, error)
	// LogTile returns what the tile holds so far: its hashes, or for level c2sp.EntriesLevel its entry bundle; nil if
	// there is no such tile.
	LogTile(level int, number int64) ([]byte, error)
	// EventsByIndex returns events whose index is at least from, in the order of their indexes, at most limit. It needs
	// an index over the log's indexes.
	EventsByIndex(from int64, limit int) ([]journal.StoredEvent, error)
	// WaitingEvents returns how many events have no index yet, and when the oldest of them happened.
	WaitingEvents() (count int, oldest time.Time, err error)
}

// Tx is what the sequencer needs of an act.
type Tx interface {
	act.Tx
	Reader
	// PendingEntries returns events without an index, the smallest id first, at most limit.
	PendingEntries(limit int) ([]Entry, error)
	// SaveLogIndex gives an event its index. An event that has one, or an index that is taken, is an error.
	SaveLogIndex(key act.Key, event ident.Event, index int64) error
	// SaveLogTile stores what a tile holds.
	SaveLogTile(level int, number int64, data []byte) error
	// SaveLogHead stores the head.
	SaveLogHead(Head) error
}

// Store is the store of the log.
type Store = act.Store[Reader, Tx]

var (
	errPending = fault.New(fault.Unavailable, "log.pending",
		"The proof is not there yet: the witnesses have not cosigned this entry. It takes at most 5 seconds; try again then.")
	errNoResource = fault.New(fault.NotFound, "log.no-resource",
		"The log has no such file for its published checkpoint. Read the checkpoint first.")
)

// errDamaged says that the log's own rows contradict each other.
func errDamaged(how string, args ...any) *fault.Fault {
	return fault.Newf(fault.Internal, "log.damaged", how, args...)
}
