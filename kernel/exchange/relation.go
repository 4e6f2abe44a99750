package exchange

import (
	"context"
	"slices"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

// Related returns whom the relation relates the subject to: "spouse", "children", "household", as the register that
// declares it says today; without the subject, sorted. The request says who asks for what; its Evidence and Of are not
// read. A service is told a relation if some evidence is granted to it for that purpose. The disclosure is committed
// first, and stands in the log of the subject and of each of the related.
func (x *Exchange) Related(ctx context.Context, relation string, of ident.Subject, request Request) ([]ident.Subject, error) {
	catalogue := x.Registers.Definitions()
	_, definition, err := catalogue.Relation(relation)
	if err != nil {
		return nil, err
	}
	switch {
	case request.Purpose == access.Simulate:
		return nil, errAggregates
	case !catalogue.GrantsAny(request.Service, request.Purpose):
		return nil, errNotGranted
	}
	related, err := x.Registers.Related(ctx, relation, of)
	if err != nil {
		return nil, err
	}
	sealer, err := x.Vault.Open(ctx, append([]ident.Subject{of}, related...)...)
	if err != nil {
		return nil, err
	}
	err = x.Store.Update(ctx, act.Of(of), func(tx Tx) error {
		event := journal.Event{Type: "relation.disclosed", Actor: request.By, Purpose: string(request.Purpose)}
		for _, subject := range append([]ident.Subject{of}, related...) {
			told := map[string]any{
				"relation": relation, "register": definition.Path, "answering": definition.Agency, "asking": request.Asking,
				"service": request.Service, "purpose": request.Purpose, "application": request.Application,
			}
			part := journal.Part{Subject: subject, Disclosure: true, Personal: told}
			part.ShownFrom, told["delayed"] = delayed(tx, definition)
			event.Parts = append(event.Parts, part)
		}
		_, err := journal.Append(tx, sealer, event)
		return err
	})
	if err != nil {
		return nil, err
	}
	return related, nil
}

// AreRelated reports whether the relation relates the one to the other. It is for the platform's own checks (nobody
// decides for their household): nothing is disclosed to anybody, so nothing is journaled.
func (x *Exchange) AreRelated(ctx context.Context, relation string, one, other ident.Subject) (bool, error) {
	related, err := x.Registers.Related(ctx, relation, one)
	return slices.Contains(related, other), err
}
