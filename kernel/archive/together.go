package archive

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

// Together is the journal as the database and the volumes that are here have it together. It is safe for concurrent use.
type Together struct {
	Store act.Store[Reader, Tx]
	Shelf Shelf
}

// Update implements act.Store.
func (t *Together) Update(ctx context.Context, key act.Key, run func(journal.Tx) error) error {
	return t.Store.Update(ctx, key, func(tx Tx) error { return run(tx) })
}

// View implements act.Store. What is in a volume that is not here is left out: Away tells of it.
func (t *Together) View(ctx context.Context, run func(journal.Reader) error) error {
	return t.Store.View(ctx, func(tx Reader) error {
		return run(&together{tx, ctx, t.Shelf, sync.OnceValues(func() ([]Volume, error) {
			volumes, err := tx.Volumes()
			volumes = slices.DeleteFunc(volumes, func(v Volume) bool { return !v.HasEvents() || !t.Shelf.Present(v) })
			slices.SortFunc(volumes, func(a, b Volume) int { return cmp.Compare(b.Newest, a.Newest) })
			return volumes, err
		})})
	})
}

// Away returns the volumes with events that are not here, the oldest first: what is said of anybody in their months cannot
// be shown.
func (t *Together) Away(ctx context.Context) (away []Volume, err error) {
	err = t.Store.View(ctx, func(tx Reader) error {
		volumes, err := tx.Volumes()
		away = slices.DeleteFunc(volumes, func(v Volume) bool { return !v.HasEvents() || t.Shelf.Present(v) })
		slices.SortFunc(away, func(a, b Volume) int { return cmp.Compare(a.From, b.From) })
		return err
	})
	return away, err
}

// together reads the database first: what it still has counts, and a volume speaks for what it has no more.
type together struct {
	journal.Reader
	ctx     context.Context
	shelf   Shelf
	volumes func() ([]Volume, error) // that are here and have events; the one with the newest first
}

// StoredEvent implements journal.Reader.
func (t *together) StoredEvent(key act.Key, id ident.Event) (journal.StoredEvent, error) {
	return found(t, id, func(from journal.Reader) (journal.StoredEvent, error) { return from.StoredEvent(key, id) },
		func(_ journal.StoredEvent, err error) bool { return fault.Is(err, fault.NotFound) })
}

// StoredParts implements journal.Reader.
func (t *together) StoredParts(key act.Key, id ident.Event) ([]journal.StoredPart, error) {
	return found(t, id, func(from journal.Reader) ([]journal.StoredPart, error) { return from.StoredParts(key, id) },
		func(parts []journal.StoredPart, err error) bool { return err == nil && len(parts) == 0 })
}

// found returns what the database has of an event, or else the first volume that it can be in and that has it.
func found[T any](t *together, id ident.Event, read func(journal.Reader) (T, error), missing func(T, error) bool) (T, error) {
	one, err := read(t.Reader)
	if !missing(one, err) { // as of whatever has just happened
		return one, err
	}
	volumes, failed := t.volumes()
	if failed != nil {
		return one, failed
	}
	for _, volume := range volumes {
		if !missing(one, err) {
			break
		}
		if id < volume.Oldest || id > volume.Newest {
			continue
		}
		err = t.shelf.View(t.ctx, volume, func(contents Contents) (err error) {
			one, err = read(contents)
			return err
		})
	}
	return one, err
}

// PartsOf implements journal.Reader.
func (t *together) PartsOf(subject ident.Subject, disclosures bool, before ident.Event, limit int) ([]journal.StoredPart, error) {
	return merged(t, before, limit, func(from journal.Reader) ([]journal.StoredPart, error) {
		return from.PartsOf(subject, disclosures, before, limit)
	}, func(part journal.StoredPart) (ident.Event, int) { return part.Event, part.Number })
}

// PopulationEvents implements journal.Reader.
func (t *together) PopulationEvents(at time.Time, before ident.Event, limit int) ([]journal.StoredEvent, error) {
	return merged(t, before, limit, func(from journal.Reader) ([]journal.StoredEvent, error) {
		return from.PopulationEvents(at, before, limit)
	}, func(event journal.StoredEvent) (ident.Event, int) { return event.ID, 0 })
}

// merged returns what the database and the volumes have, newest first, each thing once, at most limit. A volume is read only
// if something of it can be among these.
func merged[T any](t *together, before ident.Event, limit int, read func(journal.Reader) ([]T, error), name func(T) (ident.Event, int)) ([]T, error) {
	order := func(a, b T) int {
		first, i := name(a)
		second, j := name(b)
		return cmp.Or(cmp.Compare(second, first), cmp.Compare(i, j))
	}
	found, err := read(t.Reader)
	if err != nil {
		return nil, err
	}
	volumes, err := t.volumes()
	for _, volume := range volumes {
		if err != nil {
			return nil, err
		}
		if before != "" && volume.Oldest >= before {
			continue
		}
		if len(found) >= limit {
			if last, _ := name(found[limit-1]); last > volume.Newest {
				break // so are all volumes after this one
			}
		}
		var more []T
		err = t.shelf.View(t.ctx, volume, func(contents Contents) (err error) {
			more, err = read(contents)
			return err
		})
		found = append(found, more...)
		slices.SortFunc(found, order)
		found = slices.CompactFunc(found, func(a, b T) bool { return order(a, b) == 0 })
	}
	return found[:min(len(found), limit)], err
}
