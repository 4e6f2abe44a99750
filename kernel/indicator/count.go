package indicator

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/register"
	"yagona/kernel/territory"
	"yagona/kernel/transparency"
)

// Reader is what indicators need for reading.
type Reader interface {
	// CountedSource returns what the source contributes to the count so far; nothing, if it was never counted.
	CountedSource(count act.Key, source string) (Counted, error)
	// IndicatorParts returns the figures of the territory ("": of all) in order of month.
	IndicatorParts(count act.Key, territory ident.Territory) ([]Part, error)
	// IndicatorPlace returns how far the log was followed; false: nothing was begun.
	IndicatorPlace() (place LogPlace, begun bool, err error)
	// EventsByIndex returns events from a place in the log on, in order.
	EventsByIndex(from int64, limit int) ([]journal.StoredEvent, error)
	// LogHead returns how long the log is.
	LogHead() (transparency.Head, error)
	// IndicatorCount returns how far the count is; nothing, if it has not begun.
	IndicatorCount(count act.Key) (Progress, error)
	// RegisterOf returns which register has the record under the key, or fault.NotFound.
	RegisterOf(key act.Key, record ident.Record) (ident.Register, error)
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
	// SaveIndicatorPlace stores the place, under act.Platform, unless a later one stands.
	SaveIndicatorPlace(place LogPlace) error
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

	wake chan struct{}
	once sync.Once
}

// The kinds of job.
const (
	jobAll   = "indicator.count-all"
	jobCount = "indicator.count"
)

// countPayload names a source that could not be counted when its event was followed: of the job's key.
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

// Handlers returns the handlers of this package's jobs.
func (c *Counter) Handlers() map[string]job.Handler {
	return map[string]job.Handler{jobCount: job.With(c.doCount), jobAll: job.With(c.doAll)}
}

// doCount counts one source.
func (c *Counter) doCount(ctx context.Context, one job.Job, payload countPayload) error {
	from := source{key: one.Key, register: payload.Register, record: payload.Record, wrote: []ident.Register{payload.Register}}
	if payload.Application != "" {
		err := c.Store.View(ctx, func(tx Reader) error {
			application, err := tx.Application(payload.Application)
			from.application = &application
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, d := range c.Catalogue().All() {
		if !d.counts(from) {
			continue
		}
		failed, err := c.count(ctx, d, from)
		if err != nil {
			return err
		}
		if len(failed) > 0 {
			return failed[0].err
		}
	}
	return nil
}

// tally works out what a source contributes to an indicator now, and how much of the source was seen.
func (c *Counter) tally(ctx context.Context, d *Definition, from source) (sum, int64, error) {
	into := sum{}
	if from.application != nil {
		for _, one := range d.sides(into, func(m Measure) bool { return slices.Contains(m.Services, from.application.Service) }) {
			one.application(*from.application, c.days)
		}
		return into, from.application.Revision, nil
	}
	seen := map[ident.Register]int{}
	known := from.read
	if known == nil {
		known = map[ident.Register]timeline{}
	}
	read := func(path ident.Register) ([][]register.Span, error) {
		if _, done := known[path]; !done {
			spans, versions, err := c.Registers.Timeline(ctx, from.key, path, from.record)
			if err != nil {
				return nil, err
			}
			known[path] = timeline{grouped(spans), versions}
		}
		seen[path] = known[path].versions
		return known[path].records, nil
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

// failure is a source that could not be worked out, and why.
type failure struct {
	source
	err error
}

// leave queues a job for each source that could not be worked out: they hold up nobody, and an operator sees why they fail.
func (c *Counter) leave(ctx context.Context, failed []failure) error {
	left := map[string]bool{}
	for _, one := range failed {
		if left[one.name()] {
			continue
		}
		left[one.name()] = true
		err := c.Store.Update(ctx, one.key, func(tx Tx) error { return job.QueueBehind(tx, jobCount, one.payload()) })
		if err != nil {
			return err
		}
	}
	return nil
}

// count brings what the sources contribute to the indicator up to date, in one act, but those that cannot be worked out:
// they are returned. What an erased person contributed stays as it is.
func (c *Counter) count(ctx context.Context, d *Definition, sources ...source) (failed []failure, err error) {
	var news []Counted
	for _, from := range sources {
		found, seen, err := c.tally(ctx, d, from)
		switch {
		case err == nil:
			news = append(news, Counted{Source: c.hash(d, from), Seen: seen, Parts: found.parts()})
		case fault.Is(err, fault.Erased):
		case ctx.Err() != nil || fault.Is(err, fault.Unavailable):
			return nil, err
		default:
			failed = append(failed, failure{from, err})
		}
	}
	if len(news) == 0 {
		return failed, nil
	}
	return failed, c.Store.Update(ctx, d.Key(), func(tx Tx) error {
		change := sum{}
		for _, one := range news {
			counted, err := tx.CountedSource(d.Key(), one.Source)
			if err != nil {
				return err
			}
			if counted.Seen >= one.Seen {
				continue // it was counted already, or another was faster
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
