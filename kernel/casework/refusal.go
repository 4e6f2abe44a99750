package casework

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
)

// Refusal is one reason of a refusal, for the public statistics. It names neither the applicant nor the application.
type Refusal struct {
	ID          string // random, the same for all reasons of one refusal
	Requirement string // or the name of an evidence that has no record; empty: an official's own words, or silence
	Service     ident.Service
	Territory   ident.Territory
}

// RefusalCount is how many refusals in a territory had a reason.
type RefusalCount struct {
	Service     ident.Service
	Territory   ident.Territory
	Requirement string // as in Refusal
	Number      int64  // as it is published: rounded, never fewer than SmallestCell
}

// countRefusal queues the counting of a refusal's reasons, under its agency's key. An appeal does not count twice.
func (f *file) countRefusal() {
	if f.content.Appeal != nil {
		return
	}
	payload := f.job("")
	payload.Refusal = rand.Text()
	f.queue(JobRefusal, time.Time{}, payload)
}

// CountRefusal counts the reasons of a refusal (JobRefusal), once: the refusal's number tells a duplicate.
func (c *Casework) CountRefusal(ctx context.Context, _ job.Job, payload Job) error {
	f, err := c.load(ctx, payload.Application)
	if fault.Is(err, fault.Erased) {
		return nil
	}
	if err != nil {
		return err
	}
	reasons := f.content.Because
	if f.content.Appeal != nil {
		reasons = f.content.Appeal.Previous
	}
	return c.Store.Update(ctx, act.OfAgency(f.app.Agency), func(tx Tx) error {
		for _, reason := range reasons {
			counted := Refusal{ID: payload.Refusal, Requirement: reason.Requirement, Service: f.app.Service, Territory: f.app.Territory}
			if err := tx.AddRefusal(counted); err != nil {
				return err
			}
		}
		return nil
	})
}

// Refusals returns why applications to a service were refused, per territory and reason, as it is published: rounded and
// hidden as Statistics are. A refusal counts for each of its reasons, also if it was contested later. Those of a
// confidential service are not published: a refusal tells nothing of whom it is, so that one person's cannot be counted once.
func (c *Casework) Refusals(ctx context.Context, of ident.Service) (counts []RefusalCount, err error) {
	if c.Catalogue().Confidential(of) {
		return nil, nil
	}
	err = c.Store.View(ctx, func(tx Reader) error {
		counts, err = tx.RefusalCounts(of)
		return err
	})
	var told []RefusalCount
	for _, one := range counts {
		if one.Number = Rounded(one.Number); one.Number > 0 {
			told = append(told, one)
		}
	}
	// The order must not tell what the numbers hide.
	slices.SortFunc(told, func(a, b RefusalCount) int {
		return strings.Compare(string(a.Territory)+" "+a.Requirement, string(b.Territory)+" "+b.Requirement)
	})
	return told, err
}
