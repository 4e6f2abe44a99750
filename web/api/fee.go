package api

import (
	"context"
	"net/http"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/web/route"
)

// Fees is what the API needs to let fees be paid.
type Fees interface {
	Page(ctx context.Context, by access.Actor, id ident.Application) (address string, err error)
	// Hear takes it that something about a fee may have changed. It says nothing of what it finds or whether it failed.
	Hear(ctx context.Context, id ident.Application)
}

// Fee is what an applicant pays for an application.
type Fee struct {
	Amount   int64         `json:"amount" doc:"minor units"`
	Asked    time.Time     `json:"asked"`
	Paid     time.Time     `json:"paid,omitzero"`
	Back     casework.Back `json:"back,omitempty" doc:"why it is given back; absent: it is kept, or that is not decided yet"`
	Returned time.Time     `json:"returned,omitzero" doc:"when the payment system had given it back"`
}

// FeePage is where a fee is paid.
type FeePage struct {
	Address string `json:"address" doc:"a page of the payment system"`
}

func feeOperations(fees Fees) []operation {
	return []operation{{
		id: "payFee", tag: "applications", summary: "Tells where the fee of an application is paid. The same again gives the same address.",
		method: "POST", path: "/applications/{application}/fee", access: route.SignedIn(), timeout: askTimeout, response: FeePage{},
		codes: []string{"application.unknown", "application.archived", "fee.not-due", "fee.no-system", "seal.erased", "representation.ended", "representation.scope", "representation.confidential", "representation.as-official"},
		handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
			address, err := fees.Page(r.Context(), v.Actor, ident.Application(r.PathValue("application")))
			if err != nil {
				return err
			}
			return route.WriteJSON(w, http.StatusOK, FeePage{address})
		},
	}, {
		id: "feeChanged", tag: "applications", summary: "Lets the payment system be asked whether a fee is paid. The answer is the same whatever it says, and whether there is such a fee: the system itself calls it, as often as it likes.",
		method: "POST", path: "/fees/{application}", access: route.Public(), timeout: askTimeout, status: http.StatusNoContent,
		handle: func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
			id, err := ident.Parse[ident.Application](r.PathValue("application"))
			if err != nil {
				return err
			}
			fees.Hear(r.Context(), id)
			w.WriteHeader(http.StatusNoContent)
			return nil
		},
	}}
}
