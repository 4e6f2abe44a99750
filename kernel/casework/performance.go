package casework

import (
	"context"
	"time"

	"yagona/kernel/ident"
)

// Performance is how long a service takes in the whole country, measured on its real cases.
type Performance struct {
	Decided int64         // applications that were granted or refused
	Median  time.Duration // from receipt to decision; half of the decided ones took at most so long
	Steps   int64         // steps of officials that are done
	OnTime  int64         // of these, done before they escalated to a level above
}

// Performance returns how long a service takes. Of fewer than five cases nothing is told, and
// numbers are rounded, so that nobody is recognised. Of a confidential service nothing is told: with cases of their own
// somebody would move the middle past those of the others, and so count them.
func (c *Casework) Performance(ctx context.Context, of ident.Service) (found Performance, err error) {
	if c.Catalogue().Confidential(of) {
		return Performance{}, nil
	}
	err = c.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Performance(of)
		return err
	})
	return found.published(), err
}

// published returns what of the exact figures is published, by the rule of Count.
func (p Performance) published() Performance {
	if p.Decided < SmallestCell {
		p.Decided, p.Median = 0, 0
	}
	if p.Steps < SmallestCell {
		p.Steps, p.OnTime = 0, 0
	}
	rounded := func(number int64) int64 { return (number + RoundedTo/2) / RoundedTo * RoundedTo }
	p.Decided, p.Median, p.Steps, p.OnTime = rounded(p.Decided), p.Median.Round(time.Hour), rounded(p.Steps), rounded(p.OnTime)
	return p
}
