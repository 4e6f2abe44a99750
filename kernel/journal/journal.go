// Package journal owns what happened: one event for every act and for every disclosure of personal data, appended in
// the transaction of the act.
//
// An event has a header, which holds no personal data, and one part for each subject that it is about. A part is
// sealed under its subject's key (package seal); the header holds only a salted commitment to it. The header's hash is
// the event's entry in the transparency log (package transparency), so that neither a header nor a part nor a row that
// the header covers can be changed unseen, and so that erasing a subject's key leaves every hash as it was: the
// verifier then says "erased", not "tampered with".
//
//	commitment = SHA-256("yagona part v1\n" ‖ salt (32 bytes) ‖ subject ‖ 0x00 ‖ personal JSON)
//	entry      = 0x01 ‖ SHA-256("yagona event v1\n" ‖ header JSON)
//
// Invariants: an event is never changed or removed; a header is stored byte for byte as it was hashed; what the journal
// says of a subject (what was read, by whom, for what) stands in that subject's part, so that it is erased with it.
package journal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/seal"
)

// EntryVersion is the first byte of every entry in the transparency log.
const EntryVersion = 1

const saltSize = 32

// Actor is who did it, from the server's own records.
type Actor struct {
	Person      ident.Person      `json:"person,omitempty"`      // empty: the platform itself
	Agency      ident.Agency      `json:"agency,omitempty"`      // on whose behalf
	Role        ident.Role        `json:"role,omitempty"`        // as what
	Appointment ident.Appointment `json:"appointment,omitempty"` // by which appointment
	Component   string            `json:"component,omitempty"`   // which part of the platform, if no person: "deadline"
}

// Cover names a row that the event vouches for, and the digest of its content.
type Cover struct {
	Row    string `json:"row"`    // "register-version/<record>/<number>"
	Digest []byte `json:"digest"` // SHA-256 of the row's canonical bytes; nil: the event removed the row
}

// Gone returns what an event says of a row that it removed.
func Gone(row string) Cover { return Cover{Row: row} }

// Part is what an event says of one subject.
type Part struct {
	Subject ident.Subject
	// Personal is marshalled to JSON, sealed and committed to; nil is an empty object.
	Personal any
	// Disclosure marks that the subject's data was shown to someone: it appears in "who read my data".
	Disclosure bool
	// ShownFrom is when the subject may see the entry, where a law delays it; zero: at once.
	ShownFrom time.Time
}

// Event is something that happened.
type Event struct {
	Type    string            // what: "application.submitted"
	Actor   Actor             // who
	Object  string            // to what: "application:<id>"; never a name or a number of a person
	Purpose string            // for what, if personal data was disclosed: "apply"
	Facts   map[string]string // what else is true of it and tells nothing about a person
	Covers  []Cover           // the rows that it wrote
	Parts   []Part
	// Population is whose data an evaluation in bulk read: it has no part for each of them, and each sees it in "who read my
	// data".
	Population *Population
}

// Population is everybody of a territory whom a register knows.
type Population struct {
	Of   ident.Territory `json:"of"`
	From time.Time       `json:"from,omitzero"` // when people may see it, where a law delays it; zero: at once
}

// Header is an event as it is hashed: everything but the sealed parts.
type Header struct {
	ID          ident.Event       `json:"id"`
	Key         act.Key           `json:"key"`
	Type        string            `json:"type"`
	At          time.Time         `json:"at"`
	Actor       Actor             `json:"actor"`
	Object      string            `json:"object,omitempty"`
	Purpose     string            `json:"purpose,omitempty"`
	Facts       map[string]string `json:"facts,omitempty"`
	Covers      []Cover           `json:"covers,omitempty"`
	Commitments [][]byte          `json:"commitments,omitempty"` // one for each part, in order
	Shown       []Shown           `json:"shown,omitempty"`       // of the parts that are disclosures or delayed
	Population  *Population       `json:"population,omitempty"`
}

// shownFrom returns from when everybody of the population sees the event, zero if it is about no population.
func (h Header) shownFrom() time.Time {
	if h.Population == nil {
		return time.Time{}
	}
	if h.Population.From.IsZero() {
		return h.At
	}
	return h.Population.From
}

// Shown says how a part appears to its subject.
type Shown struct {
	Part       int       `json:"part"`       // its number
	Disclosure bool      `json:"disclosure"` // in "who read my data"
	From       time.Time `json:"from,omitzero"`
}

// StoredEvent is an event as the store keeps it.
type StoredEvent struct {
	Key    act.Key
	ID     ident.Event
	At     time.Time
	Header []byte // the JSON of Header, byte for byte as hashed
	Entry  []byte // Entry(Header): 33 bytes
	Index  int64  // its place in the transparency log, or -1 while it has none
	// ShownFrom is from when everybody of a population sees the event; zero: it is about no population.
	ShownFrom time.Time

	Purpose string // the header's, of an event that is appended: for counting, kept in no column of its own
}

// StoredPart is a part as the store keeps it.
type StoredPart struct {
	Key        act.Key // the event's
	Event      ident.Event
	Number     int // its place among the event's parts, from 0
	Subject    ident.Subject
	Sealed     []byte // salt ‖ personal JSON, sealed under the subject's key with the context "event:<id>"
	Disclosure bool
	ShownFrom  time.Time
}

// Reader is what the journal needs for reading.
type Reader interface {
	// StoredEvent returns an event, or fault.NotFound.
	StoredEvent(key act.Key, id ident.Event) (StoredEvent, error)
	// StoredParts returns the event's parts in order.
	StoredParts(key act.Key, id ident.Event) ([]StoredPart, error)
	// PartsOf returns parts about the subject, newest event first, only disclosures if asked for, of events whose id
	// is less than before ("" from the newest), at most limit.
	PartsOf(subject ident.Subject, disclosures bool, before ident.Event, limit int) ([]StoredPart, error)
	// PopulationEvents returns events about a population that are shown at the time, newest first, with ids less than before
	// ("" from the newest), at most limit.
	PopulationEvents(at time.Time, before ident.Event, limit int) ([]StoredEvent, error)
}

// Tx is what the journal needs of an act.
type Tx interface {
	act.Tx
	Reader
	// AppendEvent stores an event with its parts.
	AppendEvent(event StoredEvent, parts []StoredPart) error
}

// NewID returns an id for an event of this act, for acts whose rows name their event before it is appended.
func NewID(tx act.Tx) ident.Event { return ident.New[ident.Event](tx.Now()) }

// Append appends an event to the act and returns its id. The sealer must be open for every part's subject.
func Append(tx Tx, sealer *seal.Sealer, event Event) (ident.Event, error) {
	id := NewID(tx)
	return id, AppendAs(tx, sealer, id, event)
}

// AppendAs is Append with an id made by NewID.
func AppendAs(tx Tx, sealer *seal.Sealer, id ident.Event, event Event) error {
	_, err := Record(tx, sealer, id, event)
	return err
}

// Recorded is an event that an act has appended, and what its parts say: a receipt is made of it without reading it back.
// It counts once the act is committed.
type Recorded struct {
	Event    StoredEvent
	parts    []StoredPart
	openings []Opening // one for each part, without the header
}

// Opening returns what the event says of the subject; nil if that is nothing, or if a law still delays it at the time.
func (r Recorded) Opening(subject ident.Subject, now time.Time) *Opening {
	for i, part := range r.parts {
		if part.Subject == subject && !part.ShownFrom.After(now) {
			opening := r.openings[i]
			opening.Header = r.Event.Header
			return &opening
		}
	}
	return nil
}

// Record is AppendAs, and returns what was appended.
func Record(tx Tx, sealer *seal.Sealer, id ident.Event, event Event) (Recorded, error) {
	header := Header{
		ID: id, Key: tx.Key(), Type: event.Type, At: tx.Now(), Actor: event.Actor,
		Object: event.Object, Purpose: event.Purpose, Facts: event.Facts, Covers: event.Covers, Population: event.Population,
	}
	parts := make([]StoredPart, len(event.Parts))
	openings := make([]Opening, len(event.Parts))
	for i, part := range event.Parts {
		personal := []byte("{}")
		if part.Personal != nil {
			var err error
			if personal, err = json.Marshal(part.Personal); err != nil {
				return Recorded{}, err
			}
		}
		opening := make([]byte, saltSize, saltSize+len(personal))
		rand.Read(opening)
		opening = append(opening, personal...)
		sealed, err := sealer.Seal(part.Subject, partContext(id), opening)
		if err != nil {
			return Recorded{}, err
		}
		header.Commitments = append(header.Commitments, commitment(part.Subject, opening))
		if part.Disclosure || !part.ShownFrom.IsZero() {
			header.Shown = append(header.Shown, Shown{Part: i, Disclosure: part.Disclosure, From: part.ShownFrom.UTC()})
		}
		parts[i] = StoredPart{
			Key: tx.Key(), Event: id, Number: i, Subject: part.Subject, Sealed: sealed,
			Disclosure: part.Disclosure, ShownFrom: part.ShownFrom,
		}
		openings[i] = Opening{Number: i, Subject: part.Subject, Salt: opening[:saltSize:saltSize], Personal: personal}
	}
	encoded, err := json.Marshal(header)
	if err != nil {
		return Recorded{}, err
	}
	stored := StoredEvent{
		Key: tx.Key(), ID: id, At: tx.Now(), Header: encoded, Entry: Entry(encoded), Index: -1, ShownFrom: header.shownFrom(),
		Purpose: event.Purpose,
	}
	return Recorded{stored, parts, openings}, tx.AppendEvent(stored, parts)
}

// Entry returns the entry in the transparency log of an event with the header.
func Entry(header []byte) []byte {
	hash := sha256.New()
	hash.Write([]byte("yagona event v1\n"))
	hash.Write(header)
	return hash.Sum([]byte{EntryVersion})
}

func partContext(id ident.Event) string { return "event:" + string(id) }

func commitment(subject ident.Subject, opening []byte) []byte {
	hash := sha256.New()
	hash.Write([]byte("yagona part v1\n"))
	hash.Write(opening[:saltSize])
	hash.Write([]byte(subject))
	hash.Write([]byte{0})
	hash.Write(opening[saltSize:])
	return hash.Sum(nil)
}

// Opening is what a subject needs to check, without anybody's help, what the journal says of them: the header, the
// place of their part, the salt and the personal JSON.
type Opening struct {
	Header   []byte          `json:"header"`
	Number   int             `json:"number"`
	Subject  ident.Subject   `json:"subject"`
	Salt     []byte          `json:"salt"`
	Personal json.RawMessage `json:"personal"`
}

// Open unseals a part.
func Open(sealer *seal.Sealer, event StoredEvent, part StoredPart) (Opening, error) {
	opening, err := sealer.Unseal(part.Subject, partContext(part.Event), part.Sealed)
	if err != nil {
		return Opening{}, err
	}
	if len(opening) < saltSize {
		return Opening{}, ErrTampered(event, "its part is too short")
	}
	return Opening{
		Header: event.Header, Number: part.Number, Subject: part.Subject,
		Salt: opening[:saltSize], Personal: opening[saltSize:],
	}, nil
}

// Verify checks that the opening fits its header, and returns the header and the entry to look for in the log.
func (o Opening) Verify() (Header, []byte, error) {
	var header Header
	if err := jsonv2.Unmarshal(o.Header, &header); err != nil {
		return Header{}, nil, fault.New(fault.Invalid, "journal.header", "The header is not one of the journal's.").Because(err)
	}
	if len(o.Salt) != saltSize || o.Number < 0 || o.Number >= len(header.Commitments) {
		return Header{}, nil, fault.New(fault.Invalid, "journal.opening", "The opening does not belong to this header.")
	}
	opening := append(bytes.Clone(o.Salt), o.Personal...)
	if !bytes.Equal(commitment(o.Subject, opening), header.Commitments[o.Number]) {
		return Header{}, nil, fault.New(fault.Forbidden, "journal.tampered", "What the journal says of this subject has been changed.")
	}
	return header, Entry(o.Header), nil
}

// Check recomputes an event from what is stored: its entry from its header, its columns from its header, and, for
// subjects whose keys the sealer holds, each commitment from the opened part. It returns the header and how many parts
// are erased.
func Check(sealer *seal.Sealer, event StoredEvent, parts []StoredPart) (header Header, erased int, err error) {
	if !bytes.Equal(event.Entry, Entry(event.Header)) {
		return Header{}, 0, ErrTampered(event, "its header does not give its entry")
	}
	if err := jsonv2.Unmarshal(event.Header, &header); err != nil {
		return Header{}, 0, ErrTampered(event, "its header cannot be read")
	}
	if header.ID != event.ID || header.Key != event.Key || !header.At.Equal(event.At) || !header.shownFrom().Equal(event.ShownFrom) {
		return Header{}, 0, ErrTampered(event, "its columns are not those of its header")
	}
	if len(parts) != len(header.Commitments) {
		return Header{}, 0, ErrTampered(event, fmt.Sprintf("it has %d parts instead of %d", len(parts), len(header.Commitments)))
	}
	shown := make([]Shown, len(parts))
	for _, one := range header.Shown {
		if one.Part < 0 || one.Part >= len(parts) {
			return Header{}, 0, ErrTampered(event, "it shows a part that it does not have")
		}
		shown[one.Part] = one
	}
	for i, part := range parts {
		if part.Disclosure != shown[i].Disclosure || !part.ShownFrom.Equal(shown[i].From) {
			return Header{}, 0, ErrTampered(event, fmt.Sprintf("part %d is not shown to its subject as was recorded", part.Number))
		}
		opening, err := Open(sealer, event, part)
		if fault.Is(err, fault.Erased) {
			erased++
			continue
		}
		if err != nil {
			return Header{}, 0, ErrTampered(event, fmt.Sprintf("part %d does not open", part.Number))
		}
		if _, _, err := opening.Verify(); err != nil {
			return Header{}, 0, ErrTampered(event, fmt.Sprintf("part %d is not what was committed to", part.Number))
		}
	}
	return header, erased, nil
}

// ErrTampered names an event that is not what was appended.
func ErrTampered(event StoredEvent, how string) error {
	return fault.Newf(fault.Conflict, "journal.tampered", "Event %s (log index %d) has been tampered with: %s.", event.ID, event.Index, how)
}

// Content returns a row's content as it is covered: JSON. The row is a struct of its columns in a fixed order, sealed
// columns as they are stored.
func Content(row any) []byte {
	encoded, err := json.Marshal(row)
	if err != nil {
		panic(err) // a row is made of plain columns
	}
	return encoded
}

// Digest returns the digest of a row's content for a Cover: SHA-256 over it.
func Digest(row any) []byte {
	sum := sha256.Sum256(Content(row))
	return sum[:]
}

// Row is a covered row as the auditor finds it.
type Row struct {
	Name   string      // as in the event's Cover
	Key    act.Key     // of the event that covers it
	Event  ident.Event // the event that covers it, as the row names it; "" : rows of its kind do not
	Digest []byte      // recomputed from what is stored
}
