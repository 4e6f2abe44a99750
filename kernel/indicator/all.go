package indicator

import (
	"context"
	"slices"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/register"
)

// pageSize is how many versions or applications are looked at in one go while all are counted.
const pageSize = 200

// cursor is how far looking at all sources of an indicator has come: in which of its registers and services, and there
// after which version or application.
type cursor struct {
	Index       int               `json:"index"`
	Key         act.Key           `json:"key,omitempty"`
	Record      ident.Record      `json:"record,omitempty"`
	Number      int               `json:"number,omitempty"`
	Application ident.Application `json:"application,omitempty"`
}

// page returns the next sources of the indicator, and where to go on; false: there are no more. A source may come twice.
func (c *Counter) page(ctx context.Context, d *Definition, after cursor) (found []source, next cursor, more bool, err error) {
	var registers []ident.Register
	var services []ident.Service
	for _, m := range d.Measures() {
		if m.Register != "" && !slices.Contains(registers, m.Register) {
			registers = append(registers, m.Register)
		}
		for _, of := range m.Services {
			if !slices.Contains(services, of) {
				services = append(services, of)
			}
		}
	}
	next = after
	err = c.Store.View(ctx, func(tx Reader) error {
		found = nil
		switch {
		case after.Index < len(registers):
			path := registers[after.Index]
			versions, err := tx.StoredVersions(path, register.StoredVersion{Key: after.Key, Register: path, Record: after.Record, Number: after.Number}, pageSize)
			for _, one := range versions {
				from := source{key: one.Key, register: path, wrote: []ident.Register{path}}
				if one.Subject() == "" {
					from.record = one.Record
				}
				if last := len(found) - 1; last < 0 || found[last].key != from.key || found[last].record != from.record {
					found = append(found, from)
				}
				next.Key, next.Record, next.Number = one.Key, one.Record, one.Number
			}
			return err
		case after.Index < len(registers)+len(services):
			applications, err := tx.ApplicationsTo(services[after.Index-len(registers)], after.Application, pageSize)
			for _, one := range applications {
				found = append(found, source{key: act.Of(one.Applicant), application: &one})
				next.Application = one.ID
			}
			return err
		}
		return nil
	})
	if err != nil {
		return nil, after, false, err
	}
	if len(found) == 0 {
		next = cursor{Index: after.Index + 1}
	}
	return found, next, next.Index < len(registers)+len(services), nil
}

// Recount forgets what was counted of the indicator, and counts all anew.
func (c *Counter) Recount(ctx context.Context, d *Definition) error { return c.begin(ctx, d, true) }

func (c *Counter) begin(ctx context.Context, d *Definition, anew bool) error {
	return c.Store.Update(ctx, d.Key(), func(tx Tx) error {
		if anew {
			if err := tx.ForgetIndicatorCount(); err != nil {
				return err
			}
		}
		if err := tx.SaveIndicatorCount(Progress{Begun: tx.Now()}); err != nil {
			return err
		}
		return job.QueueBehind(tx, jobAll, allPayload{Indicator: d.Path})
	})
}

// doAll counts one page and queues the next.
func (c *Counter) doAll(ctx context.Context, one job.Job, payload allPayload) error {
	d, err := c.Catalogue().Indicator(payload.Indicator)
	if fault.Is(err, fault.NotFound) || err == nil && d.Key() != one.Key {
		return nil // it is measured otherwise by now, and has a count of its own
	}
	if err != nil {
		return err
	}
	sources, next, more, err := c.page(ctx, d, payload.After)
	if err != nil {
		return err
	}
	failed, err := c.count(ctx, d, sources...)
	if err != nil {
		return err
	}
	if err := c.leave(ctx, failed); err != nil {
		return err
	}
	return c.Store.Update(ctx, one.Key, func(tx Tx) error {
		if err := tx.FinishJob(one.Key, one.ID); err != nil {
			return err
		}
		if more {
			return job.QueueBehind(tx, jobAll, allPayload{Indicator: d.Path, After: next})
		}
		progress, err := tx.IndicatorCount(one.Key)
		if err != nil {
			return err
		}
		progress.Done = tx.Now()
		return tx.SaveIndicatorCount(progress)
	})
}

// Difference is a figure that is not what counting all anew gives.
type Difference struct {
	Published Part // as it stands
	Counted   Part // as it should
}

// Verify counts everything anew, beside what stands, and returns what differs. While the log is not followed to its end,
// figures may differ by the rest.
func (c *Counter) Verify(ctx context.Context, d *Definition) ([]Difference, error) {
	anew := sum{}
	seen := map[string]bool{}
	for after, more := (cursor{}), true; more; {
		var sources []source
		var err error
		if sources, after, more, err = c.page(ctx, d, after); err != nil {
			return nil, err
		}
		for _, from := range sources {
			if seen[from.name()] {
				continue
			}
			seen[from.name()] = true
			found, _, err := c.tally(ctx, d, from)
			parts := found.parts()
			if fault.Is(err, fault.Erased) {
				parts, err = c.before(ctx, d, from)
			}
			if err != nil {
				return nil, err
			}
			anew.take(parts, 1)
		}
	}
	var standing []Part
	err := c.Store.View(ctx, func(tx Reader) (err error) {
		standing, err = tx.IndicatorParts(d.Key(), "")
		return err
	})
	if err != nil {
		return nil, err
	}
	anew = c.rolledUp(anew)
	now := sum{}
	now.take(standing, 1)
	change := sum{}
	change.take(anew.parts(), 1)
	change.take(now.parts(), -1)
	var differences []Difference
	for _, one := range change.parts() {
		at := cell{one.Month, one.Territory}
		differences = append(differences, Difference{Published: now[at], Counted: anew[at]})
	}
	return differences, nil
}

// before returns what the source contributed when it was last counted.
func (c *Counter) before(ctx context.Context, d *Definition, from source) (parts []Part, err error) {
	err = c.Store.View(ctx, func(tx Reader) error {
		counted, err := tx.CountedSource(d.Key(), c.hash(d, from))
		parts = counted.Parts
		return err
	})
	return parts, err
}
