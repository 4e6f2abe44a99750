package journal

import (
	"slices"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

// Reading is one reading of a subject's data, as "who read my data" shows it.
type Reading struct {
	Event StoredEvent
	Part  *StoredPart // what the event says of the subject; nil: it is about a population, and says the same to everybody
}

// Readings returns readings of the subject's data, newest first, those before the event ("" : from the newest), of at most
// limit that are looked at, and the event after which the next page begins ("" : there is none). What a law still delays is
// left out.
func Readings(tx Reader, subject ident.Subject, now time.Time, before ident.Event, limit int) (found []Reading, next ident.Event, err error) {
	parts, err := tx.PartsOf(subject, true, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	populations, err := tx.PopulationEvents(now, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	for len(parts)+len(populations) > 0 {
		var last ident.Event
		if len(parts) == 0 || len(populations) > 0 && populations[0].ID > parts[0].Event {
			found = append(found, Reading{Event: populations[0]})
			last, populations = populations[0].ID, populations[1:]
		} else {
			part := parts[0]
			found = append(found, Reading{Part: &part})
			last, parts = part.Event, parts[1:]
		}
		if len(found) == limit && len(parts)+len(populations) > 0 {
			next = last
			break
		}
	}
	found = slices.DeleteFunc(found, func(r Reading) bool { return r.Part != nil && r.Part.ShownFrom.After(now) })
	for i, one := range found {
		if one.Part == nil {
			continue
		}
		if found[i].Event, err = tx.StoredEvent(one.Part.Key, one.Part.Event); err != nil {
			return nil, "", err
		}
	}
	return found, next, nil
}

// ErrUnknown is what asking for an entry gives that is not about the subject, or that a law still delays.
var ErrUnknown = fault.New(fault.NotFound, "journal.unknown", "There is no such entry about you, or it is not yet for you to see.")

// ReadingOf returns the event as far as it is about the subject.
func ReadingOf(tx Reader, subject ident.Subject, now time.Time, id ident.Event) (Reading, error) {
	// Nearly all that happens to somebody lies under their own key.
	parts, err := tx.StoredParts(act.Of(subject), id)
	if err != nil {
		return Reading{}, err
	}
	parts = slices.DeleteFunc(parts, func(part StoredPart) bool { return part.Subject != subject })
	if len(parts) == 0 {
		// An identifier holds nothing after "~": the newest before "<id>~" is this event, if it is there.
		if parts, err = tx.PartsOf(subject, false, id+"~", 1); err != nil {
			return Reading{}, err
		}
	}
	if len(parts) > 0 && parts[0].Event == id && !parts[0].ShownFrom.After(now) {
		event, err := tx.StoredEvent(parts[0].Key, id)
		return Reading{Event: event, Part: &parts[0]}, err
	}
	populations, err := tx.PopulationEvents(now, id+"~", 1)
	if err != nil {
		return Reading{}, err
	}
	if len(populations) == 0 || populations[0].ID != id {
		return Reading{}, ErrUnknown
	}
	return Reading{Event: populations[0]}, nil
}
