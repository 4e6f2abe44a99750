package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/store/query"
)

const celebration ident.Service = "mahalla/street-event"

const (
	notebook = "/api/v1/registers/youth/notebook/records"
	// eventsAnAct is how many events an act of the journal's measurement appends.
	eventsAnAct = 50
)

// records are the measurements of single readings and writings, in order: what was written is read.
func (w *world) records(wanted options) []measurement {
	return []measurement{
		{
			name: "record: made by its registrar, journaled", slug: "record",
			do: func(ctx context.Context) ([]time.Duration, error) {
				return w.makeRecords(ctx, wanted.Clients, wanted.Records)
			},
		},
		{
			name: "official's reading: disclosure journaled, then answered", slug: "reading", after: "record",
			do: func(ctx context.Context) ([]time.Duration, error) {
				return w.readRecords(ctx, wanted.Clients, wanted.Records)
			},
		},
		{
			name: "own application read", slug: "own", after: "automatic",
			do: func(ctx context.Context) ([]time.Duration, error) {
				return w.readOwn(ctx, wanted.Clients, wanted.Records)
			},
		},
		{
			name: fmt.Sprintf("journal: an event, %d in an act", eventsAnAct), slug: "journal",
			do: func(ctx context.Context) ([]time.Duration, error) {
				return w.journal(ctx, wanted.Clients, wanted.Records)
			},
		},
		{
			name: "lifecycle: create, take, resolve, find (6 requests)", slug: "lifecycle",
			do: func(ctx context.Context) ([]time.Duration, error) {
				return w.lifecycles(ctx, wanted.Clients, wanted.Lifecycles)
			},
		},
	}
}

func (w *world) makeRecords(ctx context.Context, clients, count int) ([]time.Duration, error) {
	w.made = make([]string, count)
	who := w.others(count)
	return each(ctx, clients, count, func(ctx context.Context, i int) error {
		var made struct {
			Record string `json:"record"`
		}
		err := w.registrar.post(ctx, notebook, w.entry(who(i)), &made)
		w.made[i] = made.Record
		return err
	})
}

// entry is a record of the notebook about somebody, as its registrar sends it.
func (w *world) entry(of applicant) map[string]any {
	return map[string]any{
		"reason": "measured", "values": map[string]any{
			"person": of.ID.Subject(), "support": "help", "amount": 100_000, "grantedOn": w.today().String(),
		},
	}
}

func (w *world) readRecords(ctx context.Context, clients, count int) ([]time.Duration, error) {
	return each(ctx, clients, count, func(ctx context.Context, i int) error {
		var shown struct {
			Versions []struct{} `json:"versions"`
		}
		err := w.registrar.get(ctx, notebook+"/"+w.made[i%len(w.made)], &shown)
		if err == nil && len(shown.Versions) == 0 {
			err = errors.New("a record has no version")
		}
		return err
	})
}

// readOwn reads what the automatic service's measurement left.
func (w *world) readOwn(ctx context.Context, clients, count int) ([]time.Duration, error) {
	return each(ctx, clients, count, func(ctx context.Context, i int) error {
		i %= len(w.certified)
		_, err := w.whose(i).granted(ctx, w.certified[i])
		return err
	})
}

// journal appends events, each about one person, in acts of fifty under that person's key.
func (w *world) journal(ctx context.Context, clients, count int) ([]time.Duration, error) {
	who := w.others(max(count/eventsAnAct, 1))
	acts, err := each(ctx, clients, max(count/eventsAnAct, 1), func(ctx context.Context, i int) error {
		subject := who(i).ID.Subject()
		sealer, err := w.node.Vault.Open(ctx, subject)
		if err != nil {
			return err
		}
		return query.For[journal.Reader, journal.Tx](w.node.DB).Update(ctx, act.Of(subject), func(tx journal.Tx) error {
			for range eventsAnAct {
				_, err := journal.Append(tx, sealer, journal.Event{
					Type: "record.read", Actor: journal.Actor{Component: "bench"}, Purpose: "keep",
					Parts: []journal.Part{{Subject: subject, Personal: map[string]string{"register": "youth/notebook"}}},
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
	latencies := make([]time.Duration, 0, len(acts)*eventsAnAct)
	for _, took := range acts {
		latencies = append(latencies, slices.Repeat([]time.Duration{took}, eventsAnAct)...)
	}
	return latencies, err
}

// lifecycles takes cases from their beginning to their end: a resident makes one, an official finds it in the inbox,
// takes it, reads it and resolves it, and the resident finds it among their own.
func (w *world) lifecycles(ctx context.Context, clients, count int) ([]time.Duration, error) {
	who := w.others(count)
	return each(ctx, clients, count, func(ctx context.Context, i int) error { return w.celebrate(ctx, who(i)) })
}

func (w *world) celebration() map[string]any {
	return map[string]any{"occasion": "wedding", "day": w.today().AddDays(20), "guests": 120}
}

func (w *world) celebrate(ctx context.Context, one applicant) error {
	id, err := one.apply(ctx, celebration, w.celebration(), "deciding")
	if err != nil {
		return fmt.Errorf("creating: %w", err)
	}
	chair := w.officials[post{"chair", one.Residence}]
	if err := chair.take(ctx, id); err != nil {
		return fmt.Errorf("taking: %w", err)
	}
	var own page[application]
	if err := one.get(ctx, "/api/v1/applications?limit=20", &own); err != nil {
		return fmt.Errorf("finding: %w", err)
	}
	if i := slices.IndexFunc(own.Items, func(a application) bool { return a.ID == id }); i < 0 || own.Items[i].State != "granted" {
		return errors.New("a resolved case is not among the applicant's own")
	}
	return nil
}

// take finds the application's task in the inbox, claims it, reads it and approves.
func (c *client) take(ctx context.Context, id ident.Application) error {
	found, err := c.find(ctx, id)
	if err != nil {
		return err
	}
	path := "/api/v1/tasks/" + string(found)
	if err := c.post(ctx, path+"/claim", nil, nil); err != nil {
		return err
	}
	var read receipt
	if err := c.get(ctx, path, &read); err != nil {
		return err
	}
	return c.post(ctx, path+"/decide", map[string]any{"action": "approve"}, nil, "If-Match", fmt.Sprintf(`"%d"`, read.Application.Revision))
}

func (w *world) today() calendar.Date { return w.node.Profile.Calendar.Date(time.Now()) }
