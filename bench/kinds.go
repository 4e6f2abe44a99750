package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"yagona/kernel/ident"
	"yagona/packs/demo"
)

const absence ident.Service = "interior/empty-home"

// seven are the officials of a mahalla, by their roles.
var seven = []ident.Role{"chair", "hokim-assistant", "youth-leader", "women-activist", "social-worker", "tax-inspector", "prevention-inspector"}

// kind is one kind of act, as often as people do it.
type kind struct {
	slug, name string
	// yearly is how often a resident does it in a year, or has it done for them. It is an assumption of this benchmark and
	// no statistic: whoever knows better changes it, and what a country needs is computed anew.
	yearly float64
	// do does it as the number i among all that are done.
	do func(ctx context.Context, i int) error
}

// cast is who takes part in the acts besides the applicants, and what they have in their hands.
type cast struct {
	officials []*client // the Seven of some mahallas
	payloads  []string  // of the QR codes of issued documents
	records   []string  // of the notebook, by their paths
	stories   atomic.Int64
	released  sync.Map // orders, by their ids
	done      atomic.Int64
}

// kinds returns every kind of act of a day: first those that have a measurement of their own.
func (w *world) kinds(people *cast) []kind {
	someone := func(i int) applicant { return w.applicants[i%len(w.applicants)] }
	return []kind{
		{"automatic", "service decided by rule, with its document", 1, func(ctx context.Context, i int) error {
			_, err := someone(i).apply(ctx, certificate, map[string]any{}, "granted")
			return err
		}},
		{"story", "subsidy: two decisions", 0.05, func(ctx context.Context, _ int) error { return w.subsidised(ctx, people) }},
		{"payment", "payment released and confirmed", 0.05, func(ctx context.Context, _ int) error { return w.release(ctx, people) }},
		{"evidence", "evidence asked by another agency", 4, func(ctx context.Context, _ int) error {
			_, err := w.evidence(ctx, 1, 1)
			return err
		}},
		{"record", "record made by its registrar", 1, func(ctx context.Context, i int) error {
			return w.registrar.post(ctx, notebook, w.entry(someone(i)), nil)
		}},
		{"reading", "official's reading of a record", 2, func(ctx context.Context, i int) error {
			return w.registrar.get(ctx, people.records[i%len(people.records)], nil)
		}},
		{"own", "own application read", 8, func(ctx context.Context, i int) error {
			i %= len(w.certified)
			return w.whose(i).get(ctx, "/api/v1/applications/"+string(w.certified[i]), nil)
		}},
		{"lifecycle", "case of a mahalla: create, take, resolve, find", 0.5, func(ctx context.Context, i int) error { return w.celebrate(ctx, someone(i)) }},
		{"contest", "case refused, contested, granted by the level above", 0.02, func(ctx context.Context, i int) error { return w.contest(ctx, someone(i)) }},
		{"notification", "notification, noted, into its register", 0.2, func(ctx context.Context, i int) error { return w.notify(ctx, someone(i)) }},
		{"draft", "draft begun, saved, given up", 0.5, func(ctx context.Context, i int) error { return w.draft(ctx, someone(i)) }},
		{"inbox", "inbox looked at by one of the Seven", 6, func(ctx context.Context, i int) error {
			return people.officials[i%len(people.officials)].get(ctx, "/api/v1/tasks?limit=20", nil)
		}},
		{"access-log", "who read my data", 1, func(ctx context.Context, i int) error {
			return someone(i).get(ctx, "/api/v1/access-log?limit=20", nil)
		}},
		{"verify", "document verified", 2, func(ctx context.Context, i int) error {
			var found struct {
				State string `json:"state"`
			}
			err := someone(i).post(ctx, "/api/v1/verify", map[string]any{"payload": people.payloads[i%len(people.payloads)]}, &found)
			if err == nil && found.State != "valid" {
				err = fmt.Errorf("an issued document is %s", found.State)
			}
			return err
		}},
		{"service", "service looked up", 10, func(ctx context.Context, i int) error {
			return someone(i).get(ctx, "/api/v1/services/"+string(celebration), nil)
		}},
	}
}

// further returns the measurements of those kinds that have none of their own.
func (w *world) further(wanted options, people *cast) (found []measurement) {
	for _, one := range w.kinds(people) {
		count := wanted.Records
		switch one.slug {
		case "contest", "notification", "draft":
			count = wanted.Lifecycles
		case "inbox", "access-log", "verify", "service":
		default:
			continue
		}
		found = append(found, measurement{name: one.name, slug: one.slug, do: func(ctx context.Context) ([]time.Duration, error) {
			before := int(people.done.Add(int64(count))) - count // not always the same people
			return each(ctx, wanted.Clients, count, func(ctx context.Context, i int) error { return one.do(ctx, before+i) })
		}})
	}
	return found
}

// gather signs in the Seven of some mahallas, and lets documents and records be made that are read later.
func (w *world) gather(ctx context.Context, wanted options) (*cast, error) {
	const mahallas = 30
	people := &cast{}
	population, err := demo.Generate(1, w.node.Profile, w.today(), wanted.People)
	if err != nil {
		return nil, err
	}
	places := map[ident.Territory]bool{} // where applicants live; true: all seven take part, and not only whom they ask for something
	for _, one := range w.applicants {
		if _, known := places[one.Residence]; !known {
			places[one.Residence] = len(places) < mahallas
		}
	}
	for _, one := range population.Officials {
		at := post{one.Role, one.Territory}
		all, lived := places[one.Territory]
		if !lived || !all && one.Role != "prevention-inspector" || !slices.Contains(seven, one.Role) {
			continue
		}
		if w.officials[at] == nil {
			if w.officials[at], err = w.signIn(ctx, one.Person); err != nil {
				return nil, err
			}
		}
		if all {
			people.officials = append(people.officials, w.officials[at])
		}
	}
	if wanted := min(len(places), mahallas) * len(seven); len(people.officials) < wanted {
		return nil, fmt.Errorf("only %d of %d officials could be signed in", len(people.officials), wanted)
	}
	if _, err := w.automatic(ctx, wanted.Clients, min(wanted.Applications, len(w.applicants))); err != nil {
		return nil, err
	}
	w.certified = w.sent
	for i, id := range w.certified[:min(len(w.certified), 50)] {
		one := w.whose(i)
		shown, err := one.granted(ctx, id)
		if err != nil {
			return nil, err
		}
		var document struct {
			Payload string `json:"payload"`
		}
		if err := one.get(ctx, "/api/v1/documents/"+string(shown.Granted.Document), &document); err != nil {
			return nil, err
		}
		people.payloads = append(people.payloads, document.Payload)
	}
	if _, err := w.makeRecords(ctx, wanted.Clients, min(wanted.Records, 200)); err != nil {
		return nil, err
	}
	for _, record := range w.made {
		people.records = append(people.records, notebook+"/"+record)
	}
	return people, w.quiet(ctx)
}

// subsidised takes one more resident through the subsidy, until it is granted.
func (w *world) subsidised(ctx context.Context, people *cast) error {
	i := w.fresh + int(people.stories.Add(1)) - 1
	if i >= len(w.applicants) {
		return errors.New("everybody has had the subsidy")
	}
	one := w.applicants[i]
	id, err := one.apply(ctx, subsidy, map[string]any{"trade": "sewing", "price": 150_000_000, "account": one.Account}, "deciding")
	if err != nil {
		return err
	}
	if err := w.officials[post{"youth-leader", one.Residence}].decide(ctx, id, "recommend"); err != nil {
		return fmt.Errorf("recommending: %w", err)
	}
	return w.officials[post{"chair", one.Residence}].decide(ctx, id, "approve")
}

// release lets the treasurer look which orders wait, and release one of them; there may be none.
func (w *world) release(ctx context.Context, people *cast) error {
	var verified page[struct {
		ID ident.Order `json:"id"`
	}]
	if err := w.treasurer.get(ctx, "/api/v1/orders?limit=20&state=verified", &verified); err != nil {
		return err
	}
	for _, one := range verified.Items {
		if _, taken := people.released.LoadOrStore(one.ID, true); !taken {
			return w.treasurer.post(ctx, "/api/v1/orders/"+string(one.ID)+"/release", nil, nil)
		}
	}
	return nil
}

// contest lets the chair refuse a case, and the level above grant what the applicant contests.
func (w *world) contest(ctx context.Context, one applicant) error {
	id, err := one.apply(ctx, celebration, w.celebration(), "deciding")
	if err != nil {
		return err
	}
	place := w.node.Profile.Territories
	reason := map[string]any{"action": "refuse", "reasons": []any{map[string]any{"text": "The next street is closed on that day."}}}
	if err := w.officials[post{"chair", one.Residence}].settle(ctx, id, reason); err != nil {
		return fmt.Errorf("refusing: %w", err)
	}
	path := "/api/v1/applications/" + string(id)
	var refused application
	if err := one.get(ctx, path, &refused); err != nil {
		return err
	}
	err = one.post(ctx, path+"/appeal", map[string]any{"grounds": "It is open again."}, nil, "If-Match", fmt.Sprintf(`"%d"`, refused.Revision))
	if err != nil {
		return fmt.Errorf("contesting: %w", err)
	}
	return w.officials[post{"chair", place.Parent(one.Residence)}].settle(ctx, id, map[string]any{"action": "approve"})
}

// notify tells that a home stands empty, and lets the inspector of the mahalla take note of it.
func (w *world) notify(ctx context.Context, one applicant) error {
	day := w.today()
	id, err := one.apply(ctx, absence, map[string]any{"where": one.Residence, "from": day.AddDays(3), "until": day.AddDays(20)}, "received")
	if err != nil {
		return err
	}
	inspector := w.officials[post{"prevention-inspector", one.Residence}]
	if inspector == nil {
		return errors.New("the mahalla has no inspector who is signed in")
	}
	return inspector.settle(ctx, id, map[string]any{"action": "note"})
}

// draft begins an application, answers it, and gives it up.
func (w *world) draft(ctx context.Context, one applicant) error {
	var begun receipt
	err := one.post(ctx, "/api/v1/applications", map[string]any{"service": celebration, "language": "en", "answers": map[string]any{"guests": 20}}, &begun)
	if err != nil {
		return err
	}
	path := "/api/v1/applications/" + string(begun.Application.ID)
	var saved receipt
	held := []string{"If-Match", fmt.Sprintf(`"%d"`, begun.Application.Revision)}
	if err := one.send(ctx, "PATCH", path, map[string]any{"answers": w.celebration()}, &saved, held...); err != nil {
		return err
	}
	return one.post(ctx, path+"/withdraw", nil, nil, "If-Match", fmt.Sprintf(`"%d"`, saved.Application.Revision))
}

// settle finds the application's task in the inbox, reads it and decides.
func (c *client) settle(ctx context.Context, id ident.Application, decision map[string]any) error {
	found, err := c.find(ctx, id)
	if err != nil {
		return err
	}
	path := "/api/v1/tasks/" + url.PathEscape(string(found))
	var read receipt
	if err := c.get(ctx, path, &read); err != nil {
		return err
	}
	return c.post(ctx, path+"/decide", decision, nil, "If-Match", fmt.Sprintf(`"%d"`, read.Application.Revision))
}
