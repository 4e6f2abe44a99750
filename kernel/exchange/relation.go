package exchange

import (
	"cmp"
	"context"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

// Related returns whom the relation relates the subject to: "spouse", "children", "household", as the register that
// declares it says today; without the subject, sorted. The request says who asks for what; its Evidence and Of are not
// read. A service is told a relation if the register that declares it grants it for that purpose. The disclosure is committed
// first, and stands in the log of the subject and of each of the related.
func (x *Exchange) Related(ctx context.Context, relation string, of ident.Subject, request Request) ([]ident.Subject, error) {
	catalogue := x.Registers.Definitions()
	declared, definition, err := catalogue.Relation(relation)
	if err != nil {
		return nil, err
	}
	var refusal error
	var related []ident.Subject
	switch {
	case request.Purpose == access.Simulate:
		refusal = errAggregates
	case !declared.Grants(request.Service, request.Purpose):
		refusal = errNotGranted
	default:
		if related, err = x.Registers.Related(ctx, relation, of); err != nil {
			return nil, err
		}
	}
	subjects := append([]ident.Subject{of}, related...)
	sealer, err := x.Vault.Open(ctx, subjects...)
	if err != nil {
		return nil, err
	}
	told := ToldRelation{
		Relation: relation, Register: definition.Path, Answering: definition.Agency, Asking: request.Asking,
		Service: request.Service, Purpose: request.Purpose, Application: request.Application, Refused: fault.Code(refusal),
	}
	err = x.Store.Update(ctx, act.Of(of), func(tx Tx) error {
		event := journal.Event{Type: "relation.disclosed", Actor: request.By, Purpose: string(request.Purpose)}
		part := journal.Part{Disclosure: refusal == nil}
		personal := told
		if refusal != nil {
			event.Type = "relation.refused"
		} else {
			part.ShownFrom, personal.Delayed = delayed(tx, definition)
		}
		part.Personal = personal
		for _, subject := range subjects {
			part.Subject = subject
			event.Parts = append(event.Parts, part)
		}
		_, err := journal.Append(tx, sealer, event)
		return err
	})
	if err := cmp.Or(refusal, err); err != nil {
		return nil, err
	}
	return related, nil
}

// ToldRelation is what the journal tells a subject of a relation that was disclosed or refused.
type ToldRelation struct {
	Relation    string            `json:"relation"`
	Register    ident.Register    `json:"register"`
	Answering   ident.Agency      `json:"answering"`
	Asking      ident.Agency      `json:"asking"`
	Service     ident.Service     `json:"service"`
	Purpose     access.Purpose    `json:"purpose"`
	Application ident.Application `json:"application,omitempty"`
	Refused     string            `json:"refused,omitempty"` // the code of the refusal
	Delayed     string            `json:"delayed,omitempty"` // the law that delayed this entry
}

// AreRelated reports whether the relation relates the one to the other. It is for the platform's own checks (nobody
// decides for their household): nothing is disclosed to anybody, so nothing is journaled.
func (x *Exchange) AreRelated(ctx context.Context, relation string, one, other ident.Subject) (bool, error) {
	return x.Registers.AreRelated(ctx, relation, one, other)
}

// RelatedTo returns whom the relation relates the one to, for the platform's own checks, as AreRelated is.
func (x *Exchange) RelatedTo(ctx context.Context, relation string, one ident.Subject) ([]ident.Subject, error) {
	return x.Registers.Related(ctx, relation, one)
}
