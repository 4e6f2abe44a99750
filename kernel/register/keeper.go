package register

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/person"
	"yagona/kernel/seal"
)

// Reader is what registers need for reading.
type Reader interface {
	// RegisterVersions returns the versions of the record under the key, oldest first; of all the register's records
	// under the key, by record, if none is named.
	RegisterVersions(key act.Key, register ident.Register, record ident.Record) ([]StoredVersion, error)
	// RecordVersions returns the versions of the record wherever it lives, oldest first; none if there is no such record.
	RecordVersions(record ident.Record) ([]StoredVersion, error)
	// RegistersOf returns those of the registers that have records under the key, sorted.
	RegistersOf(key act.Key, among ...ident.Register) ([]ident.Register, error)
	// IndexedRecords returns the records that hold what the index entry stands for, at most limit, by key and record.
	IndexedRecords(index Index, limit int) ([]Place, error)
	// IndexedVersions returns the versions of these records, by key, record and number.
	IndexedVersions(index Index, limit int) ([]StoredVersion, error)
	// IndexesOf returns the record's index entries.
	IndexesOf(place Place) ([]Index, error)
	// IndexEntries returns the index entries after the given one (zero: from the first), by key, record and index, at most
	// limit.
	IndexEntries(after Entry, limit int) ([]Entry, error)
	// VersionOfCause returns the version under the key that was written for the cause, or fault.NotFound.
	VersionOfCause(key act.Key, register ident.Register, cause string) (StoredVersion, error)
	// RegisterClaim returns the claim of a unique key's value, or fault.NotFound.
	RegisterClaim(index Index) (Claim, error)
	// RegisterClaims returns the claims after the index ("": from the first), in order, at most limit.
	RegisterClaims(after Index, limit int) ([]Claim, error)
	// StoredVersions returns versions of the register ("": of all), in order of register, key, record and number, after
	// the given one (zero: from the first), at most limit.
	StoredVersions(register ident.Register, after StoredVersion, limit int) ([]StoredVersion, error)
	// Notebooks returns the notebooks that an official is taking over, the oldest first.
	Notebooks(owner ident.Subject) ([]Notebook, error)
}

// Tx is what registers need of an act.
type Tx interface {
	job.Tx
	journal.Tx
	Reader
	// SaveVersion stores a new version; a number or a cause that is taken gives fault.Conflict.
	SaveVersion(version StoredVersion) error
	// IndexRecord adds index entries of the record, which it does not have.
	IndexRecord(place Place, indexes []Index) error
	// UnindexRecord removes all index entries of the record; if it has none, nothing happens.
	UnindexRecord(place Place) error
	// SaveClaim stores a claim, or replaces it.
	SaveClaim(claim Claim) error
	// RemoveClaim removes the record's claim; if it holds none, nothing happens.
	RemoveClaim(claim Claim) error
	// SaveNotebook stores a new or changed notebook under the act's key, its official's.
	SaveNotebook(one Notebook) error
	// RemoveNotebook removes a notebook of the act's key; if there is none, nothing happens.
	RemoveNotebook(id ident.Import) error
}

// Index is the values of some fields of a register's record under an index key: 32 hexadecimal digits, after the key's
// generation if that is not the first.
type Index string

// Entry is one index entry of a record.
type Entry struct {
	Place
	Index Index
}

// People tells people and their national numbers apart; it is what package person's directory does.
type People interface {
	// ByNumber returns the person with the national number, or fault.NotFound.
	ByNumber(ctx context.Context, number string) (ident.Person, error)
	// Attributes returns what is known of a person, their number with it.
	Attributes(ctx context.Context, whose ident.Person) (person.Attributes, error)
	// Each visits everybody.
	Each(ctx context.Context, visit func(ident.Person, person.Attributes) error) error
}

// Place is where a record lives.
type Place struct {
	Key      act.Key
	Register ident.Register
	Record   ident.Record
}

// Claim says which record holds a value of a unique key.
type Claim struct {
	Index  Index
	Record ident.Record
	At     time.Time
}

// Key returns what the claim is distributed by.
func (c Claim) Key() act.Key { return act.Key("unique:" + string(c.Index)) }

// Cover returns what an event says of the claim.
func (c Claim) Cover() journal.Cover {
	return journal.Cover{Row: "register-claim/" + string(c.Index), Digest: journal.Digest([]any{c.Index, c.Record, c.At.UTC()})}
}

// IndexCover returns what an event says of all index entries of a record, in any order.
func IndexCover(place Place, indexes []Index) journal.Cover {
	row := "register-index/" + string(place.Record)
	if len(indexes) == 0 {
		return journal.Gone(row)
	}
	return journal.Cover{Row: row, Digest: journal.Digest([]any{place.Key, place.Register, slices.Sorted(slices.Values(indexes))})}
}

// Keeper keeps the registers that are held here. It is safe for concurrent use.
type Keeper struct {
	Store       act.Store[Reader, Tx]
	Vault       *seal.Vault
	Definitions func() *Catalogue
	Scheme      field.Scheme
	Clock       act.Clock
	Location    *time.Location  // of the days from which versions hold
	Country     ident.Territory // whose people are all who are known here
	IndexKeys   seal.IndexKeys
	People      People         // for import and export
	Currency    money.Currency // for export
	Readings    *access.OwnReadings
}

var (
	errBroken = fault.New(fault.Internal, "register.broken", "A stored version cannot be read: it was changed. Run yagona audit verify.")

	// ErrNoRecord is what asking for an unknown record gives.
	ErrNoRecord = fault.New(fault.NotFound, "register.no-record", "There is no such record here, or it is not for you to see.")
	// ErrChanged is what writing on an outdated version gives.
	ErrChanged = fault.New(fault.Conflict, "register.changed", "The record has changed since you read it. Look at it again.")

	errNotUnique  = fault.New(fault.Conflict, "register.not-unique", "Another record has the same value where each record must have its own. Look for that record, or correct the value.")
	errNotHere    = fault.New(fault.Invalid, "register.not-here", "This register is not held here. Write into the system that holds it.")
	errNoReason   = fault.New(fault.Invalid, "register.no-reason", "Say why the record is written.").At("reason")
	errSubject    = fault.New(fault.Invalid, "register.subject-fixed", "A record stays with whom it is about. Close it and make a new one.")
	errClosed     = fault.New(fault.Conflict, "register.closed", "The record is closed. Make a new one, or correct the version that closed it.")
	errOutOfOrder = fault.New(fault.Invalid, "register.out-of-order", "The record already has a version that holds from a later day. Choose a later day, or correct that version.").At("from")
	errBusy       = fault.New(fault.Conflict, "register.busy", "Others write this record at the same time. Try again.")
)

// Write is what someone wants to record.
type Write struct {
	Register ident.Register
	Record   ident.Record   // empty: a new one
	Expect   int            // the number of the newest version that the writer knows; 0: none
	Values   map[string]any // all of them, by field
	From     calendar.Date  // from which day they hold; zero: the day of the act, or that of the corrected version
	Reason   string         // why; required
	Corrects int            // the number of the version that this corrects; 0: it is a change
	Cause    string         // what it is written for, at most once: "application:<id>"; empty: nothing of the kind

	Takeover bool // it stood elsewhere before: nothing new has happened, and no service starts by it

	closes bool
	once   bool // of a register without a unique key: a record that says the same is enough
}

// Save creates a record or changes it. By keeps the register. A record that changed since gives ErrChanged.
func (k *Keeper) Save(ctx context.Context, by access.Actor, wanted Write) (Version, error) {
	if _, err := k.keeps(by, wanted.Register); err != nil {
		return Version{}, err
	}
	wanted.Corrects = 0
	return k.write(ctx, by.Journal(), wanted)
}

// Correct records that a version was wrong, and what is right; the wrong one stays. By keeps the register. Correcting
// the version that closed a record opens it again.
func (k *Keeper) Correct(ctx context.Context, by access.Actor, wanted Write) (Version, error) {
	if _, err := k.keeps(by, wanted.Register); err != nil {
		return Version{}, err
	}
	if wanted.Corrects < 1 || wanted.Record == "" {
		return Version{}, fault.New(fault.Invalid, "register.corrects-nothing", "Say which version of which record is corrected.")
	}
	return k.write(ctx, by.Journal(), wanted)
}

// Close ends a record from a day on (zero: the day of the act). By keeps the register. Its versions stay; its unique
// values are free for others.
func (k *Keeper) Close(ctx context.Context, by access.Actor, register ident.Register, record ident.Record, expect int, from calendar.Date, reason string) (Version, error) {
	if _, err := k.keeps(by, register); err != nil {
		return Version{}, err
	}
	if record == "" {
		return Version{}, ErrNoRecord
	}
	return k.write(ctx, by.Journal(), Write{Register: register, Record: record, Expect: expect, From: from, Reason: reason, closes: true})
}

// keeps checks that the actor keeps the register, and returns it.
func (k *Keeper) keeps(by access.Actor, register ident.Register) (*Definition, error) {
	definition, err := k.Definitions().Register(register)
	if err != nil {
		return nil, err
	}
	if by.Appointment == nil || by.Appointment.Agency != definition.Agency || by.Appointment.Role != access.Registrar ||
		!by.Appointment.Holds(k.Clock()) {
		return nil, access.ErrForbidden
	}
	return definition, nil
}

// write is Save, Correct and Close without the question who may.
func (k *Keeper) write(ctx context.Context, by journal.Actor, wanted Write) (Version, error) {
	definition, err := k.Definitions().Register(wanted.Register)
	if err != nil {
		return Version{}, err
	}
	if wanted.Reason = strings.TrimSpace(wanted.Reason); wanted.Reason == "" {
		return Version{}, errNoReason
	}
	if definition.Held != HeldHere {
		return Version{}, errNotHere
	}
	var head []StoredVersion
	if wanted.Record != "" {
		if head, err = k.versions(ctx, wanted); err != nil {
			return Version{}, err
		}
	}
	if wanted.Values, err = k.check(ctx, definition, wanted, head); err != nil {
		return Version{}, err
	}
	subject, _ := wanted.Values[definition.Subject].(ident.Subject)
	key := keyOf(definition.Path, subject)
	if len(head) > 0 && head[0].Key != key {
		return Version{}, errSubject
	}
	plan := plan{definition: definition, by: by, subject: subject, begins: wanted.Record == ""}
	if plan.begins {
		wanted.Record = ident.New[ident.Record](k.Clock())
	}
	plan.wanted = wanted
	if plan.encoded, err = EncodeValues(wanted.Values); err != nil {
		return Version{}, err
	}
	values, err := DecodeValues(plan.encoded) // as everybody will read them
	if err != nil {
		return Version{}, err
	}
	if newest, _ := valid(head, latestDate); !wanted.closes && (wanted.Corrects == 0 || wanted.Corrects == newest.Number) {
		plan.indexes, plan.unique = indexes(k.IndexKeys(), definition, wanted.Values)
		if err := k.claim(ctx, plan); err != nil {
			return Version{}, err
		}
	}
	var subjects []ident.Subject
	if subject != "" {
		subjects = append(subjects, subject)
	}
	if plan.sealer, err = k.Vault.Open(ctx, subjects...); err != nil {
		return Version{}, err
	}
	var saved StoredVersion
	err = k.Store.Update(ctx, key, func(tx Tx) (err error) {
		saved, err = k.save(tx, plan)
		return err
	})
	if err != nil {
		k.release(ctx, plan)
		return Version{}, err
	}
	return saved.saying(values, wanted.Reason, by), nil
}

// versions returns the record's versions, or ErrNoRecord.
func (k *Keeper) versions(ctx context.Context, wanted Write) (found []StoredVersion, err error) {
	err = k.Store.View(ctx, func(tx Reader) error {
		found, err = tx.RecordVersions(wanted.Record)
		return err
	})
	if err == nil && (len(found) == 0 || found[0].Register != wanted.Register) {
		return nil, ErrNoRecord
	}
	return found, err
}

// check returns the values that the new version will have.
func (k *Keeper) check(ctx context.Context, definition *Definition, wanted Write, head []StoredVersion) (map[string]any, error) {
	if wanted.closes {
		newest, _ := valid(head, latestDate)
		opened, err := k.open(ctx, []StoredVersion{newest})
		if err != nil {
			return nil, err
		}
		return opened[0].Values, nil
	}
	values, problems := field.CheckAll(k.Scheme, definition.Fields, wanted.Values, nil)
	return values, problems.Err()
}

// plan is what one act will write.
type plan struct {
	definition *Definition
	by         journal.Actor
	wanted     Write
	subject    ident.Subject
	begins     bool // the record has its name from here: nobody else has written it
	encoded    json.RawMessage
	indexes    []Index
	unique     []unique
	sealer     *seal.Sealer
}

// save writes the version in its act.
func (k *Keeper) save(tx Tx, p plan) (StoredVersion, error) {
	wanted := p.wanted
	var known []StoredVersion
	if !p.begins {
		var err error
		if known, err = tx.RegisterVersions(tx.Key(), wanted.Register, wanted.Record); err != nil {
			return StoredVersion{}, err
		}
	}
	if len(known) != wanted.Expect {
		return StoredVersion{}, ErrChanged
	}
	from, err := k.from(tx, wanted, known)
	if err != nil {
		return StoredVersion{}, err
	}
	stored := StoredVersion{
		Key: tx.Key(), Register: wanted.Register, Record: wanted.Record, Number: len(known) + 1, At: tx.Now(), From: from,
		Closed: wanted.closes, Corrects: wanted.Corrects, Cause: wanted.Cause, Event: journal.NewID(tx),
	}
	if err := stored.close(p.sealer, body{Values: p.encoded, Reason: wanted.Reason, By: p.by}); err != nil {
		return StoredVersion{}, err
	}
	if err := tx.SaveVersion(stored); err != nil {
		return StoredVersion{}, err
	}
	found, err := k.find(tx, p, known, stored)
	if err != nil {
		return StoredVersion{}, err
	}
	if !wanted.Takeover {
		if err := announce(tx, p.definition, stored.Record, wanted.Values); err != nil {
			return StoredVersion{}, err
		}
	}
	event := p.event(stored)
	event.Covers = append(event.Covers, found...)
	if err := journal.AppendAs(tx, p.sealer, stored.Event, event); err != nil {
		return StoredVersion{}, err
	}
	return stored, nil
}

// find keeps the record to be found, and unique, by what its newest version says. It returns what the event vouches for of
// that.
func (k *Keeper) find(tx Tx, p plan, known []StoredVersion, stored StoredVersion) ([]journal.Cover, error) {
	before, existed := valid(known, latestDate)
	after, _ := valid(append(slices.Clone(known), stored), latestDate)
	switch {
	case after.Number == stored.Number && (stored.Corrects == 0 || stored.Corrects == before.Number):
	case after.Number == before.Number:
		return nil, nil // an older version was corrected
	default:
		return nil, errOutOfOrder // a correction keeps its place among the versions
	}
	for _, one := range p.unique {
		if err := one.check(tx, stored.Record); err != nil {
			return nil, err
		}
	}
	place := Place{stored.Key, stored.Register, stored.Record}
	if len(known) > 0 {
		if err := tx.UnindexRecord(place); err != nil {
			return nil, err
		}
	}
	if err := tx.IndexRecord(place, p.indexes); err != nil {
		return nil, err
	}
	var covers []journal.Cover
	if existed || len(p.indexes) > 0 {
		covers = append(covers, IndexCover(place, p.indexes))
	}
	if !existed || before.Closed {
		return covers, nil
	}
	return covers, k.queueReleases(tx, p, before)
}

// from returns from which day the new version holds.
func (k *Keeper) from(tx act.Tx, wanted Write, known []StoredVersion) (calendar.Date, error) {
	if wanted.Corrects > len(known) {
		return calendar.Date{}, ErrNoRecord
	}
	from := wanted.From
	if wanted.Corrects > 0 {
		for _, one := range known {
			if one.Corrects == wanted.Corrects {
				return calendar.Date{}, fault.New(fault.Conflict, "register.corrected-already", "This version was corrected already. Correct the newer one.")
			}
		}
		if from.IsZero() {
			from = known[wanted.Corrects-1].From
		}
		return from, nil
	}
	if from.IsZero() {
		from = calendar.DateOf(tx.Now(), k.Location)
	}
	if newest, ok := valid(known, latestDate); ok {
		switch {
		case newest.Closed:
			return calendar.Date{}, errClosed
		case from.Before(newest.From):
			return calendar.Date{}, errOutOfOrder
		}
	}
	return from, nil
}

// latestDate is after every day from which a version may hold.
var latestDate = calendar.Date{Year: 9999, Month: time.December, Day: 31}

func (p plan) event(stored StoredVersion) journal.Event {
	action := "changed"
	switch {
	case stored.Number == 1:
		action = "created"
	case stored.Closed:
		action = "closed"
	case stored.Corrects > 0:
		action = "corrected"
	}
	event := journal.Event{
		Type: "register.written", Actor: p.by, Object: "record:" + string(stored.Record), Covers: []journal.Cover{stored.Cover()},
	}
	if p.subject == "" {
		event.Facts = map[string]string{"register": string(stored.Register), "number": strconv.Itoa(stored.Number), "action": action}
		return event
	}
	// Which register has a record of someone tells something about them.
	event.Parts = []journal.Part{{Subject: p.subject, Personal: map[string]any{
		"register": stored.Register, "number": stored.Number, "action": action, "reason": p.wanted.Reason,
	}}}
	return event
}

// open opens versions of any subjects.
func (k *Keeper) open(ctx context.Context, stored []StoredVersion) ([]Version, error) {
	var subjects []ident.Subject
	for _, one := range stored {
		if subject := one.Subject(); subject != "" {
			subjects = append(subjects, subject)
		}
	}
	slices.Sort(subjects)
	sealer, err := k.Vault.Open(ctx, slices.Compact(subjects)...)
	if err != nil {
		return nil, err
	}
	opened := make([]Version, len(stored))
	for i, one := range stored {
		if opened[i], err = one.open(sealer); err != nil {
			return nil, err
		}
	}
	return opened, nil
}

// content returns what is hashed to find the fields' values; nil if one of them is absent.
func content(register ident.Register, fields []string, values map[string]any) []byte {
	found := make([]any, len(fields))
	for i, name := range fields {
		if found[i] = values[name]; found[i] == nil {
			return nil
		}
	}
	hashed, err := encoded(func(to *jsontext.Encoder) error { return encodeValue(to, found) })
	if err != nil {
		return nil
	}
	return slices.Concat([]byte("register\x00"+string(register)+"\x00"+strings.Join(fields, ",")+"\x00"), hashed)
}

func indexUnder(key seal.IndexKey, content []byte) Index { return Index(key.Hash(16, content)) }

// places returns where up to limit records are that have the fields' values; none if one of those is absent.
func (k *Keeper) places(tx Reader, register ident.Register, fields []string, values map[string]any, limit int) (found []Place, err error) {
	sought := content(register, fields, values)
	if sought == nil {
		return nil, nil
	}
	for _, key := range k.IndexKeys() {
		more, err := tx.IndexedRecords(indexUnder(key, sought), limit)
		if err != nil {
			return nil, err
		}
		for _, place := range more {
			if !slices.Contains(found, place) {
				found = append(found, place)
			}
		}
	}
	return found[:min(len(found), limit)], nil
}

// indexed returns the sets of fields that records are found by: those that are unique, those that are declared, and what
// evidence types and relations need.
func (d *Definition) indexed() [][]string {
	sets := slices.Concat(d.Unique, d.Index)
	for _, evidence := range d.Evidence {
		if evidence.Of != d.Subject {
			sets = append(sets, []string{evidence.Of})
		}
	}
	for _, relation := range d.Relations {
		if relation.Same != "" {
			sets = append(sets, []string{relation.Same})
		}
	}
	return sets
}

// bySubject reports whether the fields are the one that says whom a record is about: such records lie together.
func (d *Definition) bySubject(fields []string) bool {
	return d.Subject != "" && len(fields) == 1 && fields[0] == d.Subject
}

// indexes returns the index entries of a record with the values under the keys, and those that must be unique.
func indexes(keys []seal.IndexKey, d *Definition, values map[string]any) (all []Index, once []unique) {
	sets := d.indexed()
	for _, key := range keys {
		for i, fields := range sets {
			if i >= len(d.Unique) && d.bySubject(fields) {
				continue // they are found under their subject's key
			}
			hashed := content(d.Path, fields, values)
			if hashed == nil {
				continue
			}
			index := indexUnder(key, hashed)
			if !slices.Contains(all, index) {
				all = append(all, index)
			}
			if i < len(d.Unique) {
				spans := d.Subject != "" && !slices.Contains(fields, d.Subject)
				once = append(once, unique{index: index, claimed: spans, fields: fields})
			}
		}
	}
	return all, once
}
