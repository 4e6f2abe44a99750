package api

import (
	"context"
	"net/http"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/route"
)

// NewMeasure is what an official proposes to do with a licence.
type NewMeasure struct {
	Measure service.Measure `json:"measure"`
	Reason  string          `json:"reason" doc:"why, in words that the holder reads: 1 to 5,000 characters"`
}

// Proposed is a measure that waits for somebody else's decision.
type Proposed struct {
	Application ident.Application `json:"application" doc:"that the licence was given for"`
	Event       ident.Event       `json:"event" doc:"the journal's event of the act"`
}

// proposing is what proposing a measure stands on.
type proposing interface {
	Propose(ctx context.Context, by access.Actor, number ident.Document, measure service.Measure, reason string) (casework.Receipt, error)
}

func licenceOperations(cases proposing) []operation {
	return []operation{{
		id: "proposeMeasure", tag: "tasks",
		summary: "Proposes to suspend, restore or revoke a licence, by the number of its document. Another official decides on it, in a task.",
		method:  "POST", path: "/documents/{document}/measures", access: route.Official(), body: wordsBody, timeout: askTimeout,
		request: NewMeasure{}, response: Proposed{},
		codes: append([]string{"licence.unknown", "licence.measure", "task.own-interest", "field.required", "field.characters", "field.too-long"}, exchangeCodes...),
		handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
			var sent NewMeasure
			if err := route.ReadJSON(r, &sent); err != nil {
				return err
			}
			receipt, err := cases.Propose(r.Context(), v.Actor, ident.Document(r.PathValue("document")), sent.Measure, sent.Reason)
			if err != nil {
				return err
			}
			return route.WriteJSON(w, http.StatusOK, Proposed{receipt.Application.ID, receipt.Event})
		},
	}}
}
