package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"yagona/bench/wire"
	"yagona/kernel/access"
	"yagona/kernel/exchange"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/packs/demo"
)

// measurement is one thing that is measured.
type measurement struct {
	name, slug string
	after      string // the slug of the one whose results it takes, or ""
	// do does it and returns how long each piece took.
	do func(context.Context) ([]time.Duration, error)
	// check looks, outside of the measured time, whether it was done; nil if every answer said so.
	check func(context.Context) error
}

const (
	certificate ident.Service  = "employment/unemployment-certificate"
	subsidy     ident.Service  = "youth/tools-subsidy"
	question    ident.Evidence = "employment/unemployment"
)

// measurements returns what a run measures, in order: payments can be released after stories have prepared them.
func (w *world) measurements(wanted options) []measurement {
	return append([]measurement{
		{
			name: "automatic service: apply, decided by rule, document", slug: "automatic", check: w.documented,
			do: func(ctx context.Context) ([]time.Duration, error) {
				return w.automatic(ctx, wanted.Clients, wanted.Applications)
			},
		},
		{
			name: "subsidy story: apply, recommend, approve (7 requests)", slug: "story", check: w.ordered,
			do: func(ctx context.Context) ([]time.Duration, error) {
				return w.stories(ctx, wanted.Clients, wanted.Stories)
			},
		},
		{
			name: "payment: release, sent, confirmed by the bank", slug: "payment", after: "story", check: w.confirmed,
			do: func(ctx context.Context) ([]time.Duration, error) { return w.payments(ctx, wanted.Clients) },
		},
		{
			name: "evidence answer: asked, signed, kept, journaled", slug: "evidence",
			do: func(ctx context.Context) ([]time.Duration, error) {
				return w.evidence(ctx, wanted.Clients, wanted.Answers)
			},
		},
	}, w.records(wanted)...)
}

// each does the pieces 0 … count-1, so many at a time, and returns how long each took. The first error ends it.
func each(ctx context.Context, clients, count int, do func(context.Context, int) error) ([]time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	latencies := make([]time.Duration, count)
	var next atomic.Int64
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= count {
					return
				}
				begun := time.Now()
				if err := do(ctx, i); err != nil {
					cancel(err)
					return
				}
				latencies[i] = time.Since(begun)
			}
		})
	}
	group.Wait()
	return latencies, context.Cause(ctx)
}

// The parts of the API's answers that are read here.
type (
	application struct {
		ID       ident.Application `json:"id"`
		State    string            `json:"state"`
		Revision int64             `json:"revision"`
		Granted  *struct {
			Order    ident.Order    `json:"order"`
			Document ident.Document `json:"document"`
		} `json:"granted"`
	}
	receipt struct {
		Application application `json:"application"`
	}
	page[T any] struct {
		Items []T    `json:"items"`
		Next  string `json:"next"`
	}
)

// apply applies and expects the state.
func (a applicant) apply(ctx context.Context, service ident.Service, answers map[string]any, expected string) (ident.Application, error) {
	var sent receipt
	err := a.post(ctx, "/api/v1/applications", map[string]any{
		"service": service, "language": "en", "answers": answers, "send": true,
	}, &sent)
	if err == nil && sent.Application.State != expected {
		err = fmt.Errorf("the application is %s instead of %s", sent.Application.State, expected)
	}
	return sent.Application.ID, err
}

// granted returns what came out of an application, and checks that a document did.
func (a applicant) granted(ctx context.Context, id ident.Application) (application, error) {
	var shown application
	err := a.get(ctx, "/api/v1/applications/"+string(id), &shown)
	if err == nil && (shown.Granted == nil || shown.Granted.Document == "") {
		err = fmt.Errorf("no document came out of an application that is %s", shown.State)
	}
	return shown, err
}

// others returns so many residents, those whose last turn is longest ago: in their lives nobody applies, or is asked about, by
// the hundred.
func (w *world) others(count int) func(int) applicant {
	first := int(w.turn.Add(int64(count))) - count
	return func(i int) applicant { return w.applicants[(first+i)%len(w.applicants)] }
}

func (w *world) automatic(ctx context.Context, clients, count int) ([]time.Duration, error) {
	w.sent, w.whose = make([]ident.Application, count), w.others(count)
	return each(ctx, clients, count, func(ctx context.Context, i int) (err error) {
		w.sent[i], err = w.whose(i).apply(ctx, certificate, map[string]any{}, "granted")
		return err
	})
}

// documented checks that a document came out of every application.
func (w *world) documented(ctx context.Context) error {
	w.certified = w.sent
	for i, id := range w.sent {
		if _, err := w.whose(i).granted(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) stories(ctx context.Context, clients, count int) ([]time.Duration, error) {
	if w.fresh+count > len(w.applicants) {
		return nil, errors.New("everybody has had the subsidy")
	}
	who := w.applicants[w.fresh : w.fresh+count]
	w.fresh += count
	w.sent = make([]ident.Application, count)
	return each(ctx, clients, count, func(ctx context.Context, i int) (err error) {
		one := who[i]
		w.sent[i], err = one.apply(ctx, subsidy, map[string]any{"trade": "sewing", "price": 150_000_000, "account": one.Account}, "deciding")
		if err != nil {
			return err
		}
		if err := w.officials[post{"youth-leader", one.Residence}].decide(ctx, w.sent[i], "recommend"); err != nil {
			return fmt.Errorf("recommending: %w", err)
		}
		if err := w.officials[post{"chair", one.Residence}].decide(ctx, w.sent[i], "approve"); err != nil {
			return fmt.Errorf("approving: %w", err)
		}
		return nil
	})
}

// ordered checks that a document and a payment order came out of every story, and keeps the orders for the treasurer.
func (w *world) ordered(ctx context.Context) error {
	who := w.applicants[w.fresh-len(w.sent) : w.fresh]
	for i, id := range w.sent {
		shown, err := who[i].granted(ctx, id)
		if err != nil {
			return err
		}
		if shown.Granted.Order == "" {
			return errors.New("no payment order came out of a granted application")
		}
		w.orders = append(w.orders, shown.Granted.Order)
	}
	return nil
}

// find finds the application's task in the official's inbox, page by page, the most urgent first.
func (c *client) find(ctx context.Context, id ident.Application) (ident.Task, error) {
	type task struct {
		ID          ident.Task        `json:"id"`
		Application ident.Application `json:"application"`
	}
	seen, after := 0, ""
	for {
		var inbox page[task]
		if err := c.get(ctx, "/api/v1/tasks?limit=100"+after, &inbox); err != nil {
			return "", err
		}
		if i := slices.IndexFunc(inbox.Items, func(one task) bool { return one.Application == id }); i >= 0 {
			return inbox.Items[i].ID, nil
		}
		if seen += len(inbox.Items); inbox.Next == "" {
			return "", fmt.Errorf("the application is not among the %d tasks of the inbox", seen)
		}
		after = "&after=" + url.QueryEscape(inbox.Next)
	}
}

// decide finds the application's task in the official's inbox, reads it and decides.
func (c *client) decide(ctx context.Context, id ident.Application, action string) error {
	found, err := c.find(ctx, id)
	if err != nil {
		return err
	}
	path := "/api/v1/tasks/" + string(found)
	var read receipt
	if err := c.get(ctx, path, &read); err != nil {
		return err
	}
	return c.post(ctx, path+"/decide", map[string]any{"action": action}, nil, "If-Match", fmt.Sprintf(`"%d"`, read.Application.Revision))
}

// payments releases every order that is waiting. A piece is done when its release is answered; the measurement, when the
// bank has confirmed all of them: sending is a job.
func (w *world) payments(ctx context.Context, clients int) ([]time.Duration, error) {
	orders := w.orders
	w.orders = nil
	return each(ctx, clients, len(orders), func(ctx context.Context, i int) error {
		return w.treasurer.post(ctx, "/api/v1/orders/"+string(orders[i])+"/release", nil, nil)
	})
}

// confirmed checks that no order is on its way any more.
func (w *world) confirmed(ctx context.Context) error {
	for _, state := range []string{"prepared", "verified", "released", "sent", "rejected"} {
		var open page[json.RawMessage]
		if err := w.treasurer.get(ctx, "/api/v1/orders?limit=1&state="+state, &open); err != nil {
			return err
		}
		if len(open.Items) > 0 {
			return fmt.Errorf("an order is still %s", state)
		}
	}
	return nil
}

// evidence asks as casework does, without an application around it.
func (w *world) evidence(ctx context.Context, clients, count int) ([]time.Duration, error) {
	definition, err := w.node.Catalogue().Services.Open(certificate, w.node.Profile.Calendar.Date(time.Now()))
	if err != nil {
		return nil, err
	}
	who := w.others(count)
	return each(ctx, clients, count, func(ctx context.Context, i int) error {
		of := who(i).ID
		result := w.node.Exchange.Ask(ctx, exchange.Request{
			Evidence: question, Of: of.Subject(), Service: certificate, Version: definition.Hash, Purpose: access.Apply,
			By: journal.Actor{Person: of}, Asking: definition.Agency,
		})[0]
		if result.Err == nil && result.Answer.Values["registered"] != true {
			return fmt.Errorf("the register answered %s for someone of the status %s", result.Answer.Status, demo.Unemployed)
		}
		return result.Err
	})
}

// client speaks to the installation as one person.
type client struct {
	site   *url.URL
	wire   *wire.Client
	person ident.Person
	token  string
}

func (c *client) get(ctx context.Context, path string, into any) error {
	return c.send(ctx, http.MethodGet, path, nil, into)
}

func (c *client) post(ctx context.Context, path string, body, into any, header ...string) error {
	return c.send(ctx, http.MethodPost, path, body, into, header...)
}

// send sends a request and decodes the answer; anything but success is an error.
func (c *client) send(ctx context.Context, method, path string, body, into any, header ...string) error {
	header = append([]string{"Authorization", "Bearer " + c.token}, header...)
	status, read, err := c.wire.Send(ctx, method, c.site.String()+path, body, header...)
	if err != nil {
		return err
	}
	if status >= http.StatusBadRequest {
		name, _, _ := strings.Cut(path, "?")
		return fmt.Errorf("%s %s answered %d: %s", method, name, status, read)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(read, into)
}
