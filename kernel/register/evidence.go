package register

import (
	"bytes"
	"context"
	"slices"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/rules"
)

// counts reports whether a record counts on a day: whether the rule, of an evidence type or a relation, holds of it. Without
// a rule every record counts.
func counts(ctx context.Context, where *rules.Program, record map[string]any, today calendar.Date) (bool, error) {
	if where == nil {
		return true, nil
	}
	found, err := where.Evaluate(ctx, map[string]any{"record": record, "today": today})
	return found.Value == true, err
}

// Compute computes what the evidence type says today of the records, which are given newest first as values by field. The
// first record that counts answers; if none does, the answer is nil: there is no record.
func (e *EvidenceType) Compute(ctx context.Context, today calendar.Date, records []map[string]any) (map[string]any, error) {
	for _, record := range records {
		if counted, err := counts(ctx, e.Where, record, today); err != nil {
			return nil, err
		} else if !counted {
			continue
		}
		values := map[string]any{"record": record}
		answer := make(map[string]any, len(e.Answer))
		for _, one := range e.Answer {
			result, err := one.Is.Evaluate(ctx, values)
			switch {
			case err == nil && result.IsKnown() && result.Value != nil:
				answer[one.Name] = result.Value
			case one.Optional && (err == nil || fault.Code(err) == "rules.absent"):
			case err != nil:
				return nil, err
			default:
				return nil, errNoAnswer
			}
		}
		return answer, nil
	}
	return nil, nil
}

var errNoAnswer = fault.New(fault.Internal, "register.no-answer", "A record does not give the answer that its evidence type declares. Correct the record or the evidence type.")

// Answer returns what the evidence type says of the subject today, nil if there is no record, and whose records it
// comes from besides the subject's own. Who calls it answers for the grant, the purpose and the journal.
func (k *Keeper) Answer(ctx context.Context, e *EvidenceType, subject ident.Subject) (answer map[string]any, others []ident.Subject, err error) {
	definition, err := k.Definitions().Register(e.Register)
	if err != nil {
		return nil, nil, err
	}
	if definition.Held != HeldHere {
		return nil, nil, errNotHere
	}
	found, err := k.about(ctx, definition, e.Of, subject)
	if err != nil {
		return nil, nil, err
	}
	versions, err := k.open(ctx, found)
	if err != nil {
		return nil, nil, err
	}
	newestFirst(versions)
	records := make([]map[string]any, len(versions))
	for i, one := range versions {
		records[i] = one.Values
		if one.Subject != "" && one.Subject != subject && !slices.Contains(others, one.Subject) {
			others = append(others, one.Subject)
		}
	}
	answer, err = e.Compute(ctx, k.today(), records)
	return answer, others, err
}

// Related returns whom the relation relates the subject to today: their spouse, their children, those of their
// household; without the subject, sorted. Who calls it answers for the purpose and the journal.
func (k *Keeper) Related(ctx context.Context, name string, subject ident.Subject) ([]ident.Subject, error) {
	relation, definition, err := k.Definitions().Relation(name)
	if err != nil {
		return nil, err
	}
	if definition.Held != HeldHere {
		return nil, errNotHere
	}
	own, err := k.counting(ctx, definition, relation, definition.Subject, subject)
	if err != nil {
		return nil, err
	}
	var related []ident.Subject
	add := func(version Version, fieldName string) {
		other, ok := version.Values[fieldName].(ident.Subject)
		if ok && other != subject && !slices.Contains(related, other) {
			related = append(related, other)
		}
	}
	for _, version := range own {
		if relation.To != "" {
			add(version, relation.To)
			continue
		}
		found, err := k.having(ctx, definition, []string{relation.Same}, version.Values)
		if err != nil {
			return nil, err
		}
		sharing, err := k.openCounting(ctx, relation, found)
		if err != nil {
			return nil, err
		}
		for _, other := range sharing {
			add(other, definition.Subject)
		}
	}
	if !relation.Many && len(related) > 1 {
		related = related[:1] // records are newest first
	}
	slices.Sort(related)
	return related, nil
}

// AreRelated reports whether the relation relates the one to the other today. It opens the records of these two alone. Who
// calls it answers for the purpose and the journal.
func (k *Keeper) AreRelated(ctx context.Context, name string, one, other ident.Subject) (bool, error) {
	relation, definition, err := k.Definitions().Relation(name)
	if err != nil {
		return false, err
	}
	if definition.Held != HeldHere || relation.Same != "" && !relation.Many {
		related, err := k.Related(ctx, name, one)
		return slices.Contains(related, other), err
	}
	own, err := k.current(ctx, definition, one)
	if err != nil || len(own) == 0 || one == other {
		return false, err
	}
	if relation.Same != "" {
		theirs, err := k.current(ctx, definition, other)
		if err != nil {
			return false, err
		}
		return k.share(ctx, definition, relation, own, theirs)
	}
	for _, version := range own {
		found, ok := version.Values[relation.To].(ident.Subject)
		if !ok || found == one || relation.Many && found != other {
			continue
		}
		if counted, err := counts(ctx, relation.Where, version.Values, k.today()); err != nil || counted {
			return counted && found == other, err
		}
	}
	return false, nil
}

// share reports whether one of the records and one of the others say the same, and both count.
func (k *Keeper) share(ctx context.Context, d *Definition, relation Relation, own, others []Version) (bool, error) {
	said := func(version Version) []byte { return content(d.Path, []string{relation.Same}, version.Values) }
	for _, one := range own {
		for _, other := range others {
			if same := said(one); same == nil || !bytes.Equal(same, said(other)) {
				continue
			}
			counted, err := counts(ctx, relation.Where, one.Values, k.today())
			if err == nil && counted {
				counted, err = counts(ctx, relation.Where, other.Values, k.today())
			}
			if err != nil || counted {
				return counted, err
			}
		}
	}
	return false, nil
}

// current returns the version that holds today of each living record about the subject, opened, newest first.
func (k *Keeper) current(ctx context.Context, d *Definition, subject ident.Subject) ([]Version, error) {
	found, err := k.about(ctx, d, d.Subject, subject)
	if err != nil {
		return nil, err
	}
	versions, err := k.open(ctx, found)
	newestFirst(versions)
	return versions, err
}

func (k *Keeper) counting(ctx context.Context, d *Definition, relation Relation, fieldName string, subject ident.Subject) ([]Version, error) {
	found, err := k.about(ctx, d, fieldName, subject)
	if err != nil {
		return nil, err
	}
	return k.openCounting(ctx, relation, found)
}

// openCounting opens the versions that count for the relation, newest first.
func (k *Keeper) openCounting(ctx context.Context, relation Relation, found []StoredVersion) ([]Version, error) {
	versions, err := k.open(ctx, found)
	if err != nil {
		return nil, err
	}
	newestFirst(versions)
	var counting []Version
	today := k.today()
	for _, version := range versions {
		counted, err := counts(ctx, relation.Where, version.Values, today)
		if err != nil {
			return nil, err
		}
		if counted {
			counting = append(counting, version)
		}
	}
	return counting, nil
}
