package register

import (
	"bytes"
	"context"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
)

// JobWrite is the kind of job that writes the record which a decided application gives. Its payload is an Output's
// Application: {"application": "<id>"}.
const JobWrite = "register.write"

// JobChanged is the kind of job that tells of a record that was written, for each evidence type of it that some service
// may ask proactively. Whoever evaluates services does it.
const JobChanged = "register.changed"

// Change is the payload of JobChanged: what may now be answered differently about whom.
type Change struct {
	Evidence ident.Evidence `json:"evidence"`
	Of       ident.Subject  `json:"of"`
	Record   ident.Record   `json:"record"`
}

// announce queues what tells of a record that was written.
func announce(tx Tx, definition *Definition, record ident.Record, values map[string]any) error {
	for _, one := range definition.Evidence {
		of, ok := values[one.Of].(ident.Subject)
		if !ok || !one.IsAnnounced() {
			continue
		}
		if err := job.Queue(tx, JobChanged, 0, Change{one.Path, of, record}); err != nil {
			return err
		}
	}
	return nil
}

// WritePayload is the payload of JobWrite.
type WritePayload struct {
	Application ident.Application `json:"application"`
}

// Output is what a decided application writes.
type Output struct {
	Register ident.Register
	Values   map[string]any
	From     calendar.Date // zero: the day of the act
	Reason   string
	By       journal.Actor // who decided
	Service  ident.Service // that the application is to
	Agency   ident.Agency  // whose service it is
}

var errNoWriter = fault.New(fault.Forbidden, "register.no-writer", "This service may not write into the register. Ask the register's agency to add it to the writers.")

// Handlers returns the handlers of this package's jobs. Output returns what an application writes, by whoever decides
// on applications; it may be called again.
func (k *Keeper) Handlers(output func(context.Context, ident.Application) (Output, error)) map[string]job.Handler {
	return map[string]job.Handler{
		jobRelease: job.With(k.doRelease),
		jobForget:  job.With(k.forget),
		JobWrite: job.With(func(ctx context.Context, _ job.Job, payload WritePayload) error {
			wanted, err := output(ctx, payload.Application)
			if err != nil {
				return err
			}
			definition, err := k.Definitions().Register(wanted.Register)
			if err != nil {
				return err
			}
			if !definition.Takes(wanted.Service, wanted.Agency) {
				return errNoWriter
			}
			_, _, err = k.Put(ctx, wanted.By, Write{
				Register: wanted.Register, Values: wanted.Values, From: wanted.From, Reason: wanted.Reason,
				Cause: "application:" + string(payload.Application),
			})
			return err
		}),
	}
}

// Effect says what putting a record did.
type Effect string

// The effects.
const (
	Created   Effect = "created"
	Changed   Effect = "changed"
	Unchanged Effect = "unchanged"
)

// Put makes sure that the register has a record with the values: it changes the living record that has the same value
// of the register's first unique key, and creates one if there is none. If that record says the same already, or if the
// write's cause was written already, nothing happens. A register without a unique key gets a new record each time. Who
// calls it answers for the right to write.
func (k *Keeper) Put(ctx context.Context, by journal.Actor, wanted Write) (Version, Effect, error) {
	definition, err := k.Definitions().Register(wanted.Register)
	if err != nil {
		return Version{}, "", err
	}
	const most = 5
	for range most {
		attempt := wanted
		done, found, err := k.match(ctx, definition, &attempt)
		switch {
		case err != nil:
			return Version{}, "", err
		case done:
			return found, Unchanged, nil
		}
		saved, err := k.write(ctx, by, attempt)
		switch {
		case err == nil && attempt.Record == "":
			return saved, Created, nil
		case err == nil:
			return saved, Changed, nil
		case fault.Code(err) == ErrChanged.Code, fault.Code(err) == ErrCauseDone.Code, fault.Code(err) == errClosed.Code:
			continue // another was faster: look again
		default:
			return Version{}, "", err
		}
	}
	return Version{}, "", errBusy
}

// ErrCauseDone is what SaveVersion gives for a cause that is taken.
var ErrCauseDone = fault.New(fault.Conflict, "register.cause-done", "This was written already.")

// match finds the record that the write is about, and reports whether there is nothing left to do.
func (k *Keeper) match(ctx context.Context, d *Definition, wanted *Write) (done bool, found Version, err error) {
	subject, _ := wanted.Values[d.Subject].(ident.Subject)
	var record []StoredVersion
	err = k.Store.View(ctx, func(tx Reader) error {
		record = nil
		if wanted.Cause != "" {
			written, err := tx.VersionOfCause(keyOf(d.Path, subject), d.Path, wanted.Cause)
			if !fault.Is(err, fault.NotFound) {
				record, done = []StoredVersion{written}, err == nil
				return err
			}
		}
		if len(d.Unique) == 0 && wanted.once {
			record, err = tx.RegisterVersions(keyOf(d.Path, subject), d.Path, "")
			return err
		}
		if len(d.Unique) == 0 {
			return nil
		}
		places, err := k.places(tx, d.Path, d.Unique[0], wanted.Values, 1)
		if err != nil || len(places) == 0 {
			return err
		}
		record, err = tx.RegisterVersions(places[0].Key, d.Path, places[0].Record)
		return err
	})
	if err != nil || len(record) == 0 {
		return false, Version{}, err
	}
	if len(d.Unique) == 0 && !done {
		return k.matchSame(ctx, d, *wanted, record)
	}
	newest, ok := valid(record, latestDate)
	if !ok || newest.Closed && !done {
		return false, Version{}, nil
	}
	opened, err := k.open(ctx, []StoredVersion{newest})
	if err != nil {
		return false, Version{}, err
	}
	if done {
		return true, opened[0], nil
	}
	wanted.Record, wanted.Expect = newest.Record, len(record)
	return k.same(d, *wanted, opened[0]), opened[0], nil
}

// matchSame looks for a living record about the subject that says the same, in a register without a unique key.
func (k *Keeper) matchSame(ctx context.Context, d *Definition, wanted Write, versions []StoredVersion) (done bool, found Version, err error) {
	for _, record := range byRecord(versions) {
		newest, ok := valid(record, latestDate)
		if !ok || newest.Closed {
			continue
		}
		opened, err := k.open(ctx, []StoredVersion{newest})
		if err != nil {
			return false, Version{}, err
		}
		if k.same(d, wanted, opened[0]) {
			return true, opened[0], nil
		}
	}
	return false, Version{}, nil
}

// same reports whether the version says what is wanted already.
func (k *Keeper) same(d *Definition, wanted Write, version Version) bool {
	values, problems := field.CheckAll(k.Scheme, d.Fields, wanted.Values, nil)
	if len(problems) > 0 {
		return false // writing it will say what is wrong
	}
	a, err := EncodeValues(values)
	if err != nil {
		return false
	}
	b, err := EncodeValues(version.Values)
	return err == nil && bytes.Equal(a, b)
}
