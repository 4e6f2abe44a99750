package indicator

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

// followed is how many events of the log are looked at in one go.
const followed = 128

// Wake says that the log may have grown. It never blocks.
func (c *Counter) Wake() {
	c.init()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *Counter) init() { c.once.Do(func() { c.wake = make(chan struct{}, 1) }) }

// Run follows the log until the context ends: at once, then whenever it is woken. It does not poll; what fails is tried
// again after 1 s, 2 s, … 60 s.
func (c *Counter) Run(ctx context.Context, log *slog.Logger) {
	c.init()
	const first, last = time.Second, time.Minute
	wait := first
	for {
		var retry <-chan time.Time
		if err := c.Follow(ctx); err == nil {
			wait = first
		} else if ctx.Err() == nil {
			log.WarnContext(ctx, "counting the indicators failed", "error", err, "again", wait)
			retry = time.After(wait)
			wait = min(2*wait, last)
		}
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		case <-retry:
		}
	}
}

// Follow counts what the events of the log wrote that it has not looked at, to the log's end.
func (c *Counter) Follow(ctx context.Context) error {
	for {
		more, err := c.follow(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// LogPlace is how far the counts have followed the log, and which counts.
type LogPlace struct {
	Next   int64     // the place of the first event that was not looked at
	Counts []act.Key // that have everything before it, or count all at present; in order
}

// Begin begins each count that does not follow the log yet: it counts all that is there, in jobs, while what is written
// meanwhile is counted by following.
func (c *Counter) Begin(ctx context.Context) error {
	var place LogPlace
	var begun bool
	err := c.Store.View(ctx, func(tx Reader) (err error) {
		if place, begun, err = tx.IndicatorPlace(); err != nil || begun {
			return err
		}
		head, err := tx.LogHead()
		place.Next = head.Size
		return err
	})
	if err != nil {
		return err
	}
	counts, err := c.beginOthers(ctx, place.Counts)
	if err != nil || begun && slices.Equal(counts, place.Counts) {
		return err
	}
	return c.storePlace(ctx, LogPlace{Next: place.Next, Counts: counts})
}

// beginOthers begins every count of the catalogue but those, and returns all counts of the catalogue. What was counted
// already stays, and nothing counts twice.
func (c *Counter) beginOthers(ctx context.Context, than []act.Key) (counts []act.Key, err error) {
	for _, d := range c.Catalogue().All() {
		counts = append(counts, d.Key())
		if !slices.Contains(than, d.Key()) {
			if err := c.begin(ctx, d, false); err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(counts)
	return counts, nil
}

func (c *Counter) storePlace(ctx context.Context, place LogPlace) error {
	return c.Store.Update(ctx, act.Platform, func(tx Tx) error { return tx.SaveIndicatorPlace(place) })
}

// follow counts what some events wrote, and reports whether there may be more. A process that ends before the place is
// stored, or another that follows at the same time, counts the same sources again, which changes nothing. A count that is
// not among those of the place was left behind by a process that does not know its indicator: it begins again.
func (c *Counter) follow(ctx context.Context) (more bool, err error) {
	var place LogPlace
	var begun bool
	var next int64
	var sources []source
	err = c.Store.View(ctx, func(tx Reader) error {
		if place, begun, err = tx.IndicatorPlace(); err != nil || !begun {
			return err
		}
		events, err := tx.EventsByIndex(place.Next, followed)
		if err != nil || len(events) == 0 {
			return err
		}
		if events[0].Index > place.Next {
			place.Counts = nil // events that were not looked at have left for an archive
		}
		next, more = events[len(events)-1].Index+1, len(events) == followed
		sources, err = c.written(tx, events)
		return err
	})
	switch {
	case err != nil:
		return false, err
	case !begun:
		return true, c.Begin(ctx)
	case next == 0:
		return false, nil
	}
	// The catalogue is read after the events: an indicator that this process does not know yet is begun after they were
	// written, and counts them as it counts all.
	counts, err := c.beginOthers(ctx, place.Counts)
	if err != nil {
		return false, err
	}
	var failed []failure
	for _, d := range c.Catalogue().All() {
		affected := slices.DeleteFunc(slices.Clone(sources), func(from source) bool { return !d.counts(from) })
		left, err := c.count(ctx, d, affected...)
		if err != nil {
			return false, err
		}
		failed = append(failed, left...)
	}
	if err := c.leave(ctx, failed); err != nil {
		return false, err
	}
	return more, c.storePlace(ctx, LogPlace{Next: next, Counts: counts})
}

// written returns the sources that the events wrote, each once, as they are now.
func (c *Counter) written(tx Reader, events []journal.StoredEvent) (sources []source, err error) {
	known := map[string]int{}
	add := func(from source, wrote ident.Register) {
		at, ok := known[from.name()]
		if !ok {
			at = len(sources)
			known[from.name()] = at
			sources = append(sources, from)
		}
		if wrote != "" && !slices.Contains(sources[at].wrote, wrote) {
			sources[at].wrote = append(sources[at].wrote, wrote)
		}
	}
	for _, event := range events {
		var header journal.Header
		if err := jsonv2.Unmarshal(event.Header, &header); err != nil {
			return nil, err
		}
		for _, cover := range header.Covers {
			table, id, _ := strings.Cut(cover.Row, "/")
			from := source{key: event.Key, read: map[ident.Register]timeline{}}
			switch table {
			case "application":
				application, err := tx.Application(ident.Application(id))
				if err == nil && !application.Submitted.IsZero() { // not a draft
					from.application = &application
					add(from, "")
				} else if err != nil && !fault.Is(err, fault.NotFound) {
					return nil, err
				}
			case "register-version":
				record, _, _ := strings.Cut(id, "/")
				path, err := tx.RegisterOf(event.Key, ident.Record(record))
				if fault.Is(err, fault.NotFound) {
					continue // it was removed since
				}
				if err != nil {
					return nil, err
				}
				if event.Key == act.OfRegister(path) {
					from.register, from.record = path, ident.Record(record)
				}
				add(from, path)
			}
		}
	}
	return sources, nil
}
