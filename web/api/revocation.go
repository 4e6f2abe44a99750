package api

import (
	"context"
	"net/http"
	"slices"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/route"
)

// NewRevocation ends a document for good.
type NewRevocation struct {
	Reason string `json:"reason" doc:"why, in words that its subject reads: 1 to 4,000 characters"`
	Basis  string `json:"basis,omitempty" doc:"the act of law: at most 500 characters"`
}

var errOwnDocument = fault.New(fault.Forbidden, "document.own-interest",
	"This document is your own or of someone you live with. Ask a colleague to revoke it.")

var errIsLicence = fault.New(fault.Conflict, "document.licence",
	"This document is a licence: one official proposes what is done to it, another decides. Propose a measure on it, with reasons.")

// revocations are what revoking stands on.
type revocations struct {
	issuer *document.Issuer
	cases  *casework.Casework
}

func revocationOperations(d revocations) []operation {
	return []operation{{
		id: "revokeDocument", tag: "verification",
		summary: "Revokes a document that one's agency issued. A licence is taken back by a measure instead (proposeMeasure). For whoever takes the last step of its service there, or the registrar where no official of the agency takes it.",
		method:  "POST", path: "/documents/{document}/revoke", access: route.Official(), body: wordsBody, timeout: askTimeout,
		request: NewRevocation{}, response: Revocation{},
		codes: append([]string{
			"document.unknown", "document.reason", "document.basis", "document.already-revoked", "document.licence", "document.own-interest", "seal.erased",
		}, exchangeCodes...),
		handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
			var sent NewRevocation
			if err := route.ReadJSON(r, &sent); err != nil {
				return err
			}
			id := ident.Document(r.PathValue("document"))
			if err := d.check(r.Context(), v.Actor, id); err != nil {
				return err
			}
			reason := document.Reason{Text: sent.Reason, Basis: sent.Basis}
			if err := d.issuer.Revoke(r.Context(), v.Actor.Journal(), id, reason); err != nil {
				return err
			}
			standing, err := d.issuer.Standing(r.Context(), id, d.cases.Clock())
			if err != nil {
				return err
			}
			return route.WriteJSON(w, http.StatusOK, Revocation{Document: id, At: standing.Revoked})
		},
	}}
}

// check refuses whoever may not revoke the document. The tasks that were done say whose role and territory it is: a
// later version of the service changes nothing about a document that is issued.
func (d revocations) check(ctx context.Context, by access.Actor, id ident.Document) error {
	var stored document.Stored
	err := d.issuer.Store.View(ctx, func(tx document.Reader) (err error) {
		stored, err = tx.Document(id)
		return err
	})
	if err != nil {
		return err
	}
	definition, last, err := d.lastTasks(ctx, stored)
	if err != nil {
		return err
	}
	if err := mayRevoke(d.cases, by, stored.Agency, last); err != nil {
		return err
	}
	if definition != nil && definition.Licence != nil {
		return errIsLicence
	}
	own := by.Person.Subject()
	if own == stored.Subject {
		return errOwnDocument
	}
	together, err := d.cases.Evidence.AreRelated(ctx, "household", own, stored.Subject)
	if err == nil && together {
		err = errOwnDocument
	}
	return err
}

func mayRevoke(cases *casework.Casework, by access.Actor, agency ident.Agency, last []casework.Task) error {
	if len(last) == 0 {
		return by.As(cases.Territories, agency, access.Registrar, "")
	}
	for _, task := range last {
		if by.As(cases.Territories, task.Agency, task.Role, task.Territory) == nil {
			return nil
		}
	}
	return access.ErrForbidden
}

// lastTasks returns the service as it was applied for, nil if no application led to the document, and the tasks of the
// last stage that officials of the issuing agency did: none if it was granted by rule.
func (d revocations) lastTasks(ctx context.Context, stored document.Stored) (definition *service.Definition, last []casework.Task, err error) {
	if stored.Application == "" {
		return nil, nil, nil
	}
	err = d.cases.Store.View(ctx, func(tx casework.Reader) error {
		application, err := tx.Application(stored.Application)
		if err != nil {
			return err
		}
		if definition, err = d.cases.Catalogue().Version(application.Version); err != nil {
			return err
		}
		last, err = tx.TasksOf(stored.Subject, stored.Application)
		last = slices.DeleteFunc(last, func(t casework.Task) bool {
			return t.Agency != stored.Agency || !takesLastStep(definition, t.Step)
		})
		return err
	})
	return definition, last, err
}

func takesLastStep(definition *service.Definition, step string) bool {
	stage, _, ok := definition.Step(step)
	return ok && stage == len(definition.Process)-1
}
