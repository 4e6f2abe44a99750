package node

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/store/query"
)

// retried is by how much a job that failed may be due later than it was: job.Backoff, and the time of the failure.
const retried = 8 * time.Hour

// waiting asks of everything that waits for a job whether the job is there. Jobs are written and removed too often for an
// event to vouch for each; but what must wait follows from the records, for which events vouch.
func (a *auditing) waiting() error {
	last, err := a.tx.LastActTime()
	if err != nil {
		return err
	}
	for after := (query.Awaited{}); ; {
		page, err := a.tx.AwaitedJobs(after, eventsPage)
		if err != nil {
			return err
		}
		for _, one := range page {
			after = one
			done, err := a.carriedOut(one)
			if err != nil {
				return err
			}
			if done {
				continue
			}
			jobs, err := a.tx.JobsOf(one.Key)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(jobs, func(j job.Job) bool { return serves(j, one, last) }) {
				a.found(Finding{
					Index: -1, Thing: "job of " + one.Row,
					Problem: fmt.Sprintf("no job %s waits for it in time: it was removed, changed or put off", one.Kind),
				})
			}
		}
		if len(page) < eventsPage {
			return nil
		}
	}
}

// held looks at the jobs that no process will do by itself. One that was given up failed before, and an operator sees it; a
// process claims a job for no longer than a lease.
func (a *auditing) held() error {
	beyond := time.Now().Add(2 * job.Lease) // clocks differ a little
	for after := (job.Job{}); ; {
		page, err := a.tx.HeldJobs(beyond, after, eventsPage)
		if err != nil {
			return err
		}
		for _, one := range page {
			after = one
			problem := "it is claimed for longer than any process claims a job: nobody does it"
			switch {
			case one.GivenUp():
				a.report.GivenUp++
				continue
			case one.Dead:
				problem = fmt.Sprintf("it counts as given up after %d failures, the last %q: no process gives up so", one.Attempts, one.Failure)
			}
			a.found(Finding{Index: -1, Thing: "job/" + string(one.ID), Problem: one.Kind + ": " + problem})
		}
		if len(page) < eventsPage {
			return nil
		}
	}
}

// serves reports whether the job is the one that is awaited, and comes in time.
func serves(j job.Job, awaited query.Awaited, last time.Time) bool {
	if j.Kind != awaited.Kind || !bytes.Contains(j.Payload, []byte(`"`+awaited.ID+`"`)) {
		return false
	}
	switch {
	case awaited.Due.IsZero() || j.Dead: // those that were given up are looked at by themselves
		return true
	case j.Attempts > 0:
		return !j.Due.After(last.Add(retried))
	}
	return !j.Due.After(awaited.Due)
}

// carriedOut reports whether nothing waits any more: of an erasure only the subject's key tells.
func (a *auditing) carriedOut(one query.Awaited) (bool, error) {
	if one.Kind != "erasure.carry-out" {
		return false, nil
	}
	found, err := a.tx.ErasureOf(one.Key, one.ID)
	if err != nil {
		return true, nil //nolint:nilerr // what cannot be read is a finding among the rows
	}
	if found.Confirmed.IsZero() || a.Subjects == nil {
		return true, nil
	}
	keys, err := a.Subjects.SubjectKeys(a.ctx, []ident.Subject{found.Subject})
	if fault.Is(err, fault.NotFound) || err == nil && len(keys) == 0 {
		return true, nil // of whom nothing was ever sealed there is nothing to erase
	}
	return err == nil && keys[0].Erased, err
}
