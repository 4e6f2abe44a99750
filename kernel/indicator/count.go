package indicator

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/register"
	"yagona/kernel/territory"
)

// Reader is what indicators need for reading.
type Reader interface {
	// CountedSource returns what the source contributes to the count so far; nothing, if it was never counted.
	CountedSource(count act.Key, source string) (Counted, error)
	// IndicatorParts returns the figures of the territory ("": of all) in order of month.
	IndicatorParts(count act.Key, territory ident.Territory) ([]Part, error)
	// IndicatorCount returns how far the count is; nothing, if it has not begun.
	IndicatorCount(count act.Key) (Progress, error)
	// StoredVersions returns a register's versions after the given one, by key, record and number.
	StoredVersions(register ident.Register, after register.StoredVersion, limit int) ([]register.StoredVersion, error)
	// Application returns one, or fault.NotFound.
	Application(id ident.Application) (casework.Application, error)
	// ApplicationsTo returns the service's applications that were received, by id, after the given one.
	ApplicationsTo(of ident.Service, after ident.Application, limit int) ([]casework.Application, error)
}

// Tx is what indicators need of an act.
type Tx interface {
	job.Tx
	Reader
	// SaveCountedSource stores under the act's key what a source contributes.
	SaveCountedSource(counted Counted) error
	// AddIndicatorPart adds to a figure under the act's key.
	AddIndicatorPart(part Part) error
	// SaveIndicatorCount stores how far the count is under the act's key.
	SaveIndicatorCount(progress Progress) error
	// ForgetIndicatorCount removes all that was counted under the act's key.
	ForgetIndicatorCount() error
}

// Counted is what a source contributes to a count.
type Counted struct {
	Source string // a keyed hash
	Seen   int64  // how much of the source was seen: its versions or acts; what saw less comes late and is not counted
	Parts  []Part
}

// Progress is how far a count is.
type Progress struct {
	Begun time.Time
	Done  time.Time // when all that was there at its beginning was counted; zero: not yet
}

// Registers tells what records say over time; it is what package register's keeper does.
type Registers interface {
	Timeline(ctx context.Context, key act.Key, register ident.Register, record ident.Record) ([]register.Span, int, error)
}

// Counter counts. It is safe for concurrent use.
type Counter struct {
	Store       act.Store[Reader, Tx]
	Catalogue   func() *Catalogue
	Registers   Registers
	Definitions func() *register.Catalogue
	Territories *territory.Tree
	Location    *time.Location // of the days and months
	HashKey     []byte         // of the sources: 32 bytes, kept with the master key
	Clock       act.Clock
}

// The kinds of job.
const (
	jobCount = "indicator.count"
	jobAll   = "indicator.count-all"
)

// countPayload says what was written: a register's records (of the job's key, or one record about nobody), or an
// application.
type countPayload struct {
	Register    ident.Register    `json:"register,omitempty"`
	Record      ident.Record      `json:"record,omitempty"`
	Application ident.Application `json:"application,omitempty"`
}

// allPayload says how far counting all has come.
type allPayload struct {
	Indicator ident.Indicator `json:"indicator"`
	After     cursor          `json:"after"`
}

// Written queues the counting of a version in its act, if an indicator reads its register.
func (c *Counter) Written(tx job.Tx, version register.StoredVersion) error {
	if len(c.Catalogue().reading(version.Register)) == 0 {
		return nil
	}
	payload := countPayload{Register: version.Register}
	if version.Subject() == "" {
		payload.Record = version.Record
	}
	return job.QueueBehind(tx, jobCount, payload)
}

// Stored queues the counting of an application in its act, if an indicator counts its service's.
func (c *Counter) Stored(tx job.Tx, application casework.Application) error {
	if application.Submitted.IsZero() || len(c.Catalogue().counting(application.Service)) == 0 {
		return nil
	}
	return job.QueueBehind(tx, jobCount, countPayload{Application: application.ID})
}

// Handlers returns the handlers of this package's jobs.
func (c *Counter) Handlers() map[string]job.Handler {
	return map[string]job.Handler{jobCount: job.With(c.doCount), jobAll: job.With(c.doAll)}
}

func (c *Counter) doCount(ctx context.Context, one job.Job, payload countPayload) error {
	from := source{key: one.Key, register: payload.Register, record: payload.Record, application: payload.Application}
	counting := c.Catalogue().reading(payload.Register)
	if payload.Application != "" {
		application, err := c.application(ctx, payload.Application)
		if err != nil {
			return err
		}
		counting = c.Catalogue().counting(application.Service)
	}
	for _, d := range counting {
		if err := c.count(ctx, d, from); err != nil {
			return err
		}
	}
	return nil
}

func (c *Counter) application(ctx context.Context, id ident.Application) (found casework.Application, err error) {
	err = c.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Application(id)
		return err
	})
	return found, err
}

// tally works out what a source contributes to an indicator now, and how much of the source was seen.
func (c *Counter) tally(ctx context.Context, d *Definition, from source) (sum, int64, error) {
	into := sum{}
	if from.application != "" {
		application, err := c.application(ctx, from.application)
		if err != nil {
			return nil, 0, err
		}
		for _, one := range d.sides(into, func(m Measure) bool { return slices.Contains(m.Services, application.Service) }) {
			one.application(application, c.days)
		}
		return into, application.Revision, nil
	}
	seen := map[ident.Register]int{}
	known := map[ident.Register][][]register.Span{}
	read := func(path ident.Register) ([][]register.Span, error) {
		if _, done := seen[path]; !done {
			spans, versions, err := c.Registers.Timeline(ctx, from.key, path, from.record)
			if err != nil {
				return nil, err
			}
			seen[path], known[path] = versions, grouped(spans)
		}
		return known[path], nil
	}
	for _, one := range d.sides(into, func(m Measure) bool { return m.Register != "" && c.feeds(m.Register, from) }) {
		records, err := read(one.Register)
		if err != nil {
			return nil, 0, err
		}
		h := history{records: records}
		if one.Place != nil {
			if h.place, err = read(one.Place.Register); err != nil {
				return nil, 0, err
			}
		}
		if err := one.records(ctx, h); err != nil {
			return nil, 0, err
		}
	}
	total := 0
	for _, versions := range seen {
		total += versions
	}
	return into, int64(total), nil
}

// feeds reports whether the source's records are of the register: a subject's of all registers about subjects, a record
// about nobody of its own register.
func (c *Counter) feeds(path ident.Register, from source) bool {
	if from.record != "" {
		return path == from.register
	}
	definition, err := c.Definitions().Register(path)
	return err == nil && definition.Subject != ""
}

func (c *Counter) days(a casework.Application) (submitted, decided calendar.Date) {
	return calendar.DateOf(a.Submitted, c.Location), calendar.DateOf(a.Decided, c.Location)
}

// hash returns under what the source is kept.
func (c *Counter) hash(d *Definition, from source) string {
	mac := hmac.New(sha256.New, c.HashKey)
	for _, part := range []string{"indicator", string(d.Key()), from.name()} {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// count brings what the sources contribute to the indicator up to date, in one act. What an erased person contributed
// stays as it is.
func (c *Counter) count(ctx context.Context, d *Definition, sources ...source) error {
	var news []Counted
	for _, from := range sources {
		found, seen, err := c.tally(ctx, d, from)
		if fault.Is(err, fault.Erased) {
			continue
		}
		if err != nil {
			return err
		}
		news = append(news, Counted{Source: c.hash(d, from), Seen: seen, Parts: found.parts()})
	}
	err := c.Store.View(ctx, func(tx Reader) error {
		var err error
		news = slices.DeleteFunc(news, func(one Counted) bool {
			counted, failed := tx.CountedSource(d.Key(), one.Source)
			if failed != nil {
				err = failed
			}
			return counted.Seen >= one.Seen
		})
		return err
	})
	if err != nil || len(news) == 0 {
		return err
	}
	return c.Store.Update(ctx, d.Key(), func(tx Tx) error {
		change := sum{}
		for _, one := range news {
			counted, err := tx.CountedSource(d.Key(), one.Source)
			if err != nil {
				return err
			}
			if counted.Seen >= one.Seen {
				continue // another was faster
			}
			change.take(counted.Parts, -1)
			change.take(one.Parts, 1)
			if err := tx.SaveCountedSource(one); err != nil {
				return err
			}
		}
		for _, part := range c.rolledUp(change).parts() {
			if err := tx.AddIndicatorPart(part); err != nil {
				return err
			}
		}
		return nil
	})
}

// rolledUp returns the sum for each territory and all above it. What lies in none that is known counts for the country.
func (c *Counter) rolledUp(of sum) sum {
	all := sum{}
	for _, one := range of.parts() {
		path := c.Territories.Path(one.Territory)
		if len(path) == 0 {
			path = []ident.Territory{c.Territories.Root()}
		}
		for _, each := range path {
			one.Territory = each
			all.take([]Part{one}, 1)
		}
	}
	return all
}
