package casework

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// gather asks for every evidence of the file that is wanted and binds the answers. What does not answer stays unknown;
// gather then returns true: ask again later. It returns the names of evidences whose answer differs from the one that
// was bound before. What was answered about the applicant is kept with the file's act; whoever calls gather defers
// file.disclose.
func (c *Casework) gather(ctx context.Context, f *file, purpose access.Purpose, by journal.Actor, wanted func(service.Evidence, *Bound) bool) (again bool, differs []string, err error) {
	if err := c.lookBack(ctx, f); err != nil {
		return false, nil, err
	}
	var requests []exchange.Request
	var places []Bound
	var kept []Bound
	for _, evidence := range f.def.Evidence {
		before := f.bound(evidence.Name)
		if len(before) > 0 && !anyWanted(evidence, before, wanted) {
			kept = append(kept, before...)
			continue
		}
		if f.outcomes.waiting[evidence.Register] {
			again = true
			kept = append(kept, Bound{Name: evidence.Name, Failure: codeRecordWaits})
			continue
		}
		subjects, err := c.subjectsOf(ctx, f, evidence, purpose, by)
		if err != nil {
			if !fault.Is(err, fault.Unavailable) {
				return false, nil, err
			}
			again = true
			kept = append(kept, Bound{Name: evidence.Name, Failure: fault.Code(err)})
			continue
		}
		if len(subjects) == 0 {
			kept = append(kept, Bound{Name: evidence.Name, Status: statusNoRelation, At: f.now})
			continue
		}
		for _, subject := range subjects {
			requests = append(requests, c.request(f, evidence.From, subject, purpose, by))
			places = append(places, Bound{Name: evidence.Name, Of: subject})
		}
	}
	results, unkept := c.Evidence.Inquire(ctx, f.app.Applicant, requests...)
	if f.unkept != nil { // an act asks once
		return false, nil, fault.New(fault.Internal, "application.asked-twice", "An act asked for evidence twice.")
	}
	f.unkept = unkept
	for i, result := range results {
		bound := places[i]
		if result.Err != nil {
			if !fault.Is(result.Err, fault.Unavailable) {
				return false, nil, result.Err
			}
			again = true
			bound.Failure = fault.Code(result.Err)
			kept = append(kept, bound)
			continue
		}
		answer := result.Answer
		bound.Exchange, bound.Status, bound.At = answer.Exchange, answer.Status, answer.At
		bound.Answering, bound.VouchedBy = answer.Answering, answer.VouchedBy
		f.answers[answer.Exchange] = answer
		kept = append(kept, bound)
	}
	differs, err = c.differing(ctx, f, kept)
	f.content.Evidence = kept
	return again, differs, err
}

// disclose makes sure that what the act asked for is journaled, before its outcome leaves casework: with the act, or, where
// there was none, alone. It returns the error of the act, or, if nothing could be journaled, that.
func (f *file) disclose(ctx context.Context, err error) error {
	if failed := f.unkept.Settle(context.WithoutCancel(ctx)); failed != nil {
		return failed
	}
	return err
}

func anyWanted(evidence service.Evidence, before []Bound, wanted func(service.Evidence, *Bound) bool) bool {
	for i := range before {
		if wanted(evidence, &before[i]) {
			return true
		}
	}
	return false
}

// bound returns the answers bound to the evidence.
func (f *file) bound(name string) (found []Bound) {
	for _, one := range f.content.Evidence {
		if one.Name == name {
			found = append(found, one)
		}
	}
	return found
}

// unanswered wants what has not been answered yet.
func unanswered(_ service.Evidence, bound *Bound) bool {
	return bound.Exchange == "" && bound.Status != statusNoRelation
}

// stale wants, of a file that looked back, what is older than its evidence may be when the decision falls on the day of the act.
func (c *Casework) stale(f *file) func(service.Evidence, *Bound) bool {
	return func(evidence service.Evidence, bound *Bound) bool {
		if unanswered(evidence, bound) {
			return true
		}
		if record := f.def.Output.Record; record != nil && record.Register == evidence.Register || f.outcomes.written[evidence.Register] {
			return true // what an earlier decision wrote counts at once
		}
		if evidence.Fresh.IsZero() {
			return false
		}
		return evidence.Fresh.After(c.Calendar.Date(bound.At)).Before(c.Calendar.Date(f.now))
	}
}

// all wants everything anew.
func all(service.Evidence, *Bound) bool { return true }

func (c *Casework) request(f *file, from ident.Evidence, of ident.Subject, purpose access.Purpose, by journal.Actor) exchange.Request {
	request := exchange.Request{
		Evidence: from, Of: of, Service: f.app.Service, Version: f.app.Version, Purpose: purpose, By: by, Asking: f.app.Agency,
	}
	if purpose != access.Preview && purpose != access.Proactive { // of these there is no application yet
		request.Application = f.app.ID
	}
	return request
}

// subjectsOf returns whom an evidence is about: the applicant, or those related to them as the civil register knows.
func (c *Casework) subjectsOf(ctx context.Context, f *file, evidence service.Evidence, purpose access.Purpose, by journal.Actor) ([]ident.Subject, error) {
	if evidence.Of.Relation == "" {
		return []ident.Subject{f.app.Applicant}, nil
	}
	related, err := c.Evidence.Related(ctx, evidence.Of.Relation, f.app.Applicant, c.request(f, evidence.From, f.app.Applicant, purpose, by))
	if err == nil && len(related) > rules.MostElements {
		return nil, errRelated
	}
	return related, err
}

// The rules are checked for lists of so many.
var errRelated = fault.Newf(fault.Conflict, "application.too-many-related", "A register names more than %d relatives of yours, more than the rules can be computed for. Ask the register's agency to correct it.", rules.MostElements).
	With("max", strconv.Itoa(rules.MostElements))

// differing returns the names of evidences whose values are not those that were bound before.
func (c *Casework) differing(ctx context.Context, f *file, fresh []Bound) (names []string, err error) {
	before := map[string]Bound{}
	for _, one := range f.content.Evidence {
		if one.Exchange != "" {
			before[one.Name+"\x00"+string(one.Of)] = one
		}
	}
	for _, one := range fresh {
		old, had := before[one.Name+"\x00"+string(one.Of)]
		if !had || one.Exchange == "" || one.Exchange == old.Exchange {
			continue
		}
		same := one.Status == old.Status
		if same && one.Status == exchange.StatusAnswered {
			if _, open := f.answers[old.Exchange]; !open {
				if f.answers[old.Exchange], err = c.Evidence.Answer(ctx, old.Exchange, old.Of); err != nil {
					return nil, err
				}
			}
			same, err = equal(f.answers[old.Exchange].Values, f.answers[one.Exchange].Values)
			if err != nil {
				return nil, err
			}
		}
		if !same {
			names = append(names, one.Name)
		}
	}
	return names, nil
}

func equal(a, b any) (bool, error) {
	first, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	second, err := json.Marshal(b)
	return bytes.Equal(first, second), err
}

// evaluate evaluates the file's rules and keeps the result in its content.
func (c *Casework) evaluate(ctx context.Context, f *file) (service.Facts, service.Evaluation, error) {
	facts, err := c.facts(ctx, f)
	if err != nil {
		return facts, service.Evaluation{}, err
	}
	evaluation, err := f.def.Evaluate(ctx, facts)
	if err != nil {
		return facts, evaluation, err
	}
	f.content.Rules = make([]RuleResult, len(evaluation.Found))
	for i, found := range evaluation.Found {
		result := RuleResult{ID: found.Requirement.ID, Outcome: found.Outcome.String(), Unknown: found.Unknown}
		for _, reading := range found.Read {
			kept := Reading{Path: reading.Path}
			if reading.State == rules.Known && !found.Requirement.Private {
				kept.Value = reading.Value
			}
			result.Read = append(result.Read, kept)
		}
		f.content.Rules[i] = result
	}
	f.content.Params = nil
	f.use(evaluation.Params)
	return facts, evaluation, nil
}

// use notes with which legal amounts and dates the file's outcome was computed, beside those that its rules read.
func (f *file) use(params map[string]service.ParamValue) {
	for _, param := range f.def.Params {
		used, ok := params[param.Name]
		if !ok || slices.ContainsFunc(f.content.Params, func(noted ParamUsed) bool { return noted.Name == param.Name }) {
			continue
		}
		f.content.Params = append(f.content.Params, ParamUsed{Name: param.Name, From: used.From, Value: used.Value, Source: used.Source})
	}
}

// retryAfter returns when to ask again, given how long the application has waited.
func retryAfter(waited time.Duration) time.Duration {
	return min(max(firstRetry, waited/2), time.Hour)
}
