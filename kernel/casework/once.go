package casework

import (
	"context"
	"encoding/json"
	"maps"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/register"
)

// What was granted to a person is written into a register by a job, and the rules of the next application read it there. Two
// applications that are granted at the same moment would each find nothing. So an act that grants has looked, before it
// asked the registers, at what was granted to the person (outcomes), and fails if there is more by the time it is stored; and
// a register that is still to be written to does not answer yet.

var errMeanwhile = fault.New(fault.Conflict, "application.granted-meanwhile",
	"At this moment something was granted to the applicant that these rules may depend on. Nothing of this was done; do it again.")

// codeRecordWaits is why a register that is still to be written to is not asked yet.
const codeRecordWaits = "register.record-waits"

// outcomes are what other applications of a file's applicant wrote, or are about to write, into registers that the file reads.
type outcomes struct {
	granted map[ident.Application]int64 // with their revisions
	written map[ident.Register]bool     // by any of them
	waiting map[ident.Register]bool     // the record of one of them is not written yet
}

// outcomesFor returns what was granted to the applicant so far. The outlines are those of all their applications.
func (c *Casework) outcomesFor(tx Reader, f *file, outlines func() ([]Outline, error)) (outcomes, error) {
	found := outcomes{map[ident.Application]int64{}, map[ident.Register]bool{}, map[ident.Register]bool{}}
	read := map[ident.Register]bool{}
	for _, evidence := range f.def.Evidence {
		if c.Catalogue().Writes(evidence.Register) {
			read[evidence.Register] = true
		}
	}
	if len(read) == 0 {
		return found, nil // no other application can have changed what the file reads
	}
	others, err := outlines()
	if err != nil {
		return outcomes{}, err
	}
	writes := map[ident.Application]ident.Register{}
	for _, other := range others {
		if other.ID == f.app.ID || other.Decided.IsZero() || other.State == Refused {
			continue
		}
		definition, err := c.Catalogue().Version(other.Version)
		if err != nil {
			return outcomes{}, err
		}
		if record := definition.Output.Record; record != nil && read[record.Register] {
			found.granted[other.ID], found.written[record.Register] = other.Revision, true
			writes[other.ID] = record.Register
		}
	}
	if len(writes) == 0 {
		return found, nil
	}
	jobs, err := tx.JobsOf(act.Of(f.app.Applicant))
	if err != nil {
		return outcomes{}, err
	}
	for _, one := range jobs {
		var payload register.WritePayload
		if one.Kind != register.JobWrite || json.Unmarshal(one.Payload, &payload) != nil {
			continue
		}
		if path, ok := writes[payload.Application]; ok {
			found.waiting[path] = true
		}
	}
	return found, nil
}

// How often, and with which pause, a record that is about to be written is waited for: its job takes milliseconds, and who
// asks for the next thing right after being granted one need not be told to come back.
const (
	recordLooks = 100
	recordPause = 20 * time.Millisecond
)

// lookBack notes what was granted to the applicant so far, before the registers are asked.
func (c *Casework) lookBack(ctx context.Context, f *file) error {
	if f.outcomes != nil {
		return nil // what was granted after the registers were asked must not look as if it had been there before
	}
	for look := 0; look == 0 || len(f.outcomes.waiting) > 0 && look < recordLooks; look++ {
		if look > 0 {
			select {
			case <-time.After(recordPause):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		err := c.Store.View(ctx, func(tx Reader) error {
			found, err := c.outcomesFor(tx, f, func() ([]Outline, error) { return tx.OutlinesOf(f.app.Applicant, mostOpen) })
			f.outcomes = &found
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// nothingSince checks, in the act that grants, that nothing was granted since the file looked back.
func (c *Casework) nothingSince(tx Tx, f *file, outlines func() ([]Outline, error)) error {
	now, err := c.outcomesFor(tx, f, outlines)
	if err != nil {
		return err
	}
	if !maps.Equal(now.granted, f.outcomes.granted) {
		return errMeanwhile
	}
	return nil
}
