package register

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

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
	// RegistersOf returns which registers have records under the key, sorted.
	RegistersOf(key act.Key) ([]ident.Register, error)
	// IndexedRecords returns the records that hold what the index entry stands for, at most limit, by key and record.
	IndexedRecords(index Index, limit int) ([]Place, error)
	// VersionOfCause returns the version under the key that was written for the cause, or fault.NotFound.
	VersionOfCause(key act.Key, register ident.Register, cause string) (StoredVersion, error)
	// RegisterClaim returns the claim of a unique key's value, or fault.NotFound.
	RegisterClaim(index Index) (Claim, error)
	// StoredVersions returns versions of the register ("": of all), in order of key, register, record and number, after
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
	// IndexRecord makes these the index entries of the record.
	IndexRecord(place Place, indexes []Index) error
	// SaveClaim stores a claim, or replaces it.
	SaveClaim(claim Claim) error
	// RemoveClaim removes the record's claim; if it holds none, nothing happens.
	RemoveClaim(claim Claim) error
	// SaveNotebook stores a new or changed notebook under the act's key, its official's.
	SaveNotebook(one Notebook) error
	// RemoveNotebook removes a notebook of the act's key; if there is none, nothing happens.
	RemoveNotebook(id ident.Import) error
}

// Index is the values of some fields of a register's record under the index key: 32 hexadecimal digits.
type Index string

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
	IndexKey    []byte          // 32 bytes; kept with the master key
	People      People          // for import and export
	Currency    money.Currency  // for export
	Readings    *access.OwnReadings
	// Written is told of each version in its act, and may queue jobs there. Nil: nobody is told.
	Written func(tx job.Tx, version StoredVersion) error
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
	if wanted.Record == "" {
		wanted.Record = ident.New[ident.Record](k.Clock())
	}
	plan := plan{definition: definition, by: by, wanted: wanted, subject: subject}
	if newest, _ := valid(head, latestDate); !wanted.closes && (wanted.Corrects == 0 || wanted.Corrects == newest.Number) {
		plan.indexes, plan.unique = k.indexes(definition, wanted.Values)
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
	var saved Version
	err = k.Store.Update(ctx, key, func(tx Tx) error {
		saved, err = k.save(tx, plan)
		return err
	})
	if err != nil {
		k.release(ctx, plan)
		return Version{}, err
	}
	return saved, nil
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
	indexes    []Index
	unique     []unique
	sealer     *seal.Sealer
}

// save writes the version in its act.
func (k *Keeper) save(tx Tx, p plan) (Version, error) {
	wanted := p.wanted
	known, err := tx.RegisterVersions(tx.Key(), wanted.Register, wanted.Record)
	if err != nil {
		return Version{}, err
	}
	if len(known) != wanted.Expect {
		return Version{}, ErrChanged
	}
	from, err := k.from(tx, wanted, known)
	if err != nil {
		return Version{}, err
	}
	encoded, err := EncodeValues(wanted.Values)
	if err != nil {
		return Version{}, err
	}
	stored := StoredVersion{
		Key: tx.Key(), Register: wanted.Register, Record: wanted.Record, Number: len(known) + 1, At: tx.Now(), From: from,
		Closed: wanted.closes, Corrects: wanted.Corrects, Cause: wanted.Cause, Event: journal.NewID(tx),
	}
	if err := stored.close(p.sealer, body{Values: encoded, Reason: wanted.Reason, By: p.by}); err != nil {
		return Version{}, err
	}
	if err := tx.SaveVersion(stored); err != nil {
		return Version{}, err
	}
	found, err := k.find(tx, p, known, stored)
	if err != nil {
		return Version{}, err
	}
	if !wanted.Takeover {
		if err := announce(tx, p.definition, stored.Record, wanted.Values); err != nil {
			return Version{}, err
		}
	}
	event := p.event(stored)
	event.Covers = append(event.Covers, found...)
	if err := journal.AppendAs(tx, p.sealer, stored.Event, event); err != nil {
		return Version{}, err
	}
	if k.Written != nil {
		if err := k.Written(tx, stored); err != nil {
			return Version{}, err
		}
	}
	return stored.open(p.sealer)
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

// index returns the index entry for the fields' values; false if one of them is absent.
func (k *Keeper) index(register ident.Register, fields []string, values map[string]any) (Index, bool) {
	tagged := make([]any, len(fields))
	for i, name := range fields {
		value := values[name]
		if value == nil {
			return "", false
		}
		one, err := tag(value)
		if err != nil {
			return "", false
		}
		tagged[i] = one
	}
	encoded, err := json.Marshal(tagged)
	if err != nil {
		return "", false
	}
	mac := hmac.New(sha256.New, k.IndexKey)
	for _, part := range []string{"register", string(register), strings.Join(fields, ",")} {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	mac.Write(encoded)
	return Index(hex.EncodeToString(mac.Sum(nil)[:16])), true
}

// indexed returns the sets of fields that records are found by: as declared, and as evidence types and relations need.
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

// indexes returns the index entries of a record with the values, and those that must be unique.
func (k *Keeper) indexes(d *Definition, values map[string]any) (all []Index, once []unique) {
	for _, fields := range d.indexed() {
		if index, ok := k.index(d.Path, fields, values); ok && !slices.Contains(all, index) {
			all = append(all, index)
		}
	}
	for _, fields := range d.Unique {
		if index, ok := k.index(d.Path, fields, values); ok {
			spans := d.Subject != "" && !slices.Contains(fields, d.Subject)
			once = append(once, unique{index: index, claimed: spans, fields: fields})
		}
	}
	return all, once
}
