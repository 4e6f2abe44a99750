// Package archive owns what leaves the database: whole months of the journal, of evidence and of closed cases, moved into
// files that prove as much as the database did.
//
// A file is a volume: what was moved of one month at one time. It stands in a folder (Shelf); that it is there, with its
// digest and the stretch of the log that it holds, is a row of the database which an event covers. So the log vouches for
// the volume, and the volume for nothing less than the rows did: events with their headers and sealed parts byte for byte,
// covered rows with exactly the bytes that their digest is of.
//
// The journal leaves as stretches of the log, one after another without a gap: all events of an index below the end of the
// newest stretch are in volumes. A case leaves once nothing can happen in it any more and the service's time for keeping it
// at hand is over; its row stays, without what was said in it, so that its applicant and the statistics still see that it
// was. Evidence leaves with its case, or with its month of the journal if it belongs to no case at hand. Tasks, documents,
// entitlements, records and the books stay: people are asked about them years later.
//
// How a month leaves: the volume is written, read again and compared with the database, and put in its place; then an event
// says so; only then the database forgets, key by key, each act as short as any other. Whatever is still in the database
// counts; the archive speaks for the rest. So it may end at any moment and be run again: nothing is lost, and nothing
// counts twice.
//
// Invariants: a volume is never changed; nothing leaves before its proof is published; what is sealed stays sealed under its
// subject's key, so that erasing the key erases it in every volume and every copy of one; nothing of an open case, of a
// benefit or licence in force, of an appeal in its term, of a payment under way leaves.
package archive

import (
	"context"
	"crypto/sha256"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/transparency"
)

// Volume is what was moved of one month at one time.
type Volume struct {
	ID    string    `json:"id"`    // the month and the first digits of the digest: "2025-01-3fa9c2e1"; the file is "<id>.db"
	Month string    `json:"month"` // in the country's time: "2025-01"
	Made  time.Time `json:"made"`
	// Its events are those with the indices From to Until-1 of the log; both are equal if it has none.
	From  int64 `json:"from"`
	Until int64 `json:"until"`
	// Oldest and Newest are the least and the greatest id of its events; "" if it has none.
	Oldest ident.Event `json:"oldest,omitempty"`
	Newest ident.Event `json:"newest,omitempty"`

	Counts

	Bytes   int64       `json:"bytes"`            // of the file
	Digest  []byte      `json:"digest"`           // SHA-256 of the file
	Cleared time.Time   `json:"cleared,omitzero"` // since when the database has nothing of it; zero: it may
	Event   ident.Event `json:"-"`                // that last wrote it
}

// Counts are how much of each thing a volume has.
type Counts struct {
	Events      int64 `json:"events"`
	Parts       int64 `json:"parts"` // what the events say of subjects
	Cases       int64 `json:"cases"`
	Evidence    int64 `json:"evidence"`
	Attachments int64 `json:"attachments"`
}

// Cover returns what an event says of the volume.
func (v Volume) Cover() journal.Cover {
	return journal.Cover{Row: "archive-volume/" + v.ID, Digest: journal.Digest(v)}
}

// HasEvents reports whether the journal's events of a stretch of the log are in it.
func (v Volume) HasEvents() bool { return v.Until > v.From }

// Row is a covered row in a volume.
type Row struct {
	Name    string            // as in the event's Cover: "exchange/<id>"
	Case    ident.Application // whose papers it belongs to; "": to no case's
	Key     act.Key
	Event   ident.Event // that covers it
	Content []byte      // what the digest in the Cover is of
}

// Digest returns the digest of the row as the event has it.
func (r Row) Digest() []byte {
	sum := sha256.Sum256(r.Content)
	return sum[:]
}

// Place names an event by its key.
type Place struct {
	Key   act.Key
	Event ident.Event
}

// Contents are what is in a volume.
type Contents interface {
	journal.Reader
	// EventsByIndex returns events with an index from the given one on, in order, at most limit.
	EventsByIndex(from int64, limit int) ([]journal.StoredEvent, error)
	// Places returns the events in the order of keys and ids, after the given one, at most limit.
	Places(after Place, limit int) ([]Place, error)
	// Rows returns rows in the order of their cases and names, after the given one, at most limit.
	Rows(after Row, limit int) ([]Row, error)
}

// Writer writes a volume.
type Writer interface {
	// AddEvent adds an event with its parts.
	AddEvent(event journal.StoredEvent, parts []journal.StoredPart) error
	// AddRow adds a row and reports whether it is new: one of the same name stays as it is.
	AddRow(row Row) (added bool, err error)
}

// Shelf is the folder of volumes.
type Shelf interface {
	// Make writes a new volume: durable, in its place and never changed again when it returns. It fills in ID, Bytes and
	// Digest. If write fails nothing is left.
	Make(ctx context.Context, volume Volume, write func(Writer) error) (Volume, error)
	// Describe writes what is said of the volume beside it.
	Describe(volume Volume, manifest []byte) error
	// Begin takes the folder for this process and removes what an earlier run began and did not finish. Where another process
	// has it, it touches nothing and gives ErrAtWork. End lets it go.
	Begin() (end func(), err error)
	// Present reports whether the volume's file is there, of its size.
	Present(volume Volume) bool
	// Check reads the whole file and compares it with the volume's size and digest. Of one that is not there the error says
	// which file, and is ErrAway.
	Check(ctx context.Context, volume Volume) error
	// View reads a volume. One that is not there is ErrAway.
	View(ctx context.Context, volume Volume, run func(Contents) error) error
}

// ErrAway says that a volume is not connected here.
var ErrAway = fault.New(fault.Unavailable, "archive.away",
	"What you look for was moved into an archive that is not connected here. Ask the operator of the platform to connect it.")

// ErrAtWork says that somebody else moves months out of the installation.
var ErrAtWork = fault.New(fault.Conflict, "archive.at-work",
	"Another process moves months out of this installation. Wait until it is done, then look what is left.")

// Volumes tells which volumes there are.
type Volumes interface {
	// Volumes returns all volumes in the order of their ids.
	Volumes() ([]Volume, error)
}

// Reader is what archiving needs for reading.
type Reader interface {
	journal.Reader
	Volumes
	transparency.Reader
	// ClosedApplications returns closed applications that are at hand and whose last event's id is greater than after and
	// less than before, in the order of these, at most limit.
	ClosedApplications(after, before ident.Event, limit int) ([]casework.Application, error)
	// Application returns one, or fault.NotFound.
	Application(id ident.Application) (casework.Application, error)
	// AttachmentsOf returns the application's attachments.
	AttachmentsOf(applicant ident.Subject, application ident.Application) ([]casework.Attachment, error)
	// StoredExchange returns one, or fault.NotFound.
	StoredExchange(key act.Key, id ident.Exchange) (exchange.StoredExchange, error)
	// ExchangesFor returns the answers about the subject that were asked for the application.
	ExchangesFor(of ident.Subject, application ident.Application) ([]exchange.StoredExchange, error)
	// JobsOf returns all jobs under the key.
	JobsOf(key act.Key) ([]job.Job, error)
	// OrdersTo returns the payment orders whose payee the subject is, in every fund's book.
	OrdersTo(subject ident.Subject) ([]ledger.Order, error)
}

// Tx is what archiving needs of an act.
type Tx interface {
	journal.Tx
	Reader
	// SaveVolume stores a new or changed volume under the act's key, the platform's.
	SaveVolume(volume Volume) error
	// ForgetEvents removes those of the events, all under the act's key, that have an index of the log from one to below
	// another, with their parts; one that is not there is no error.
	ForgetEvents(from, until int64, events []Place) error
	// ForgetContent empties what was said in the application under the act's key, and writes down which volume has it.
	ForgetContent(application ident.Application, volume string) error
	// ForgetAttachments removes the application's attachments under the act's key.
	ForgetAttachments(application ident.Application) error
	// ForgetExchange removes an answer under the act's key; one that is not there is no error.
	ForgetExchange(id ident.Exchange) error
}
