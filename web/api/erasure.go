package api

import (
	"net/http"
	"time"

	"yagona/kernel/erasure"
	"yagona/kernel/ident"
	"yagona/web/route"
)

// Erasure is the erasing of a subject's data by law. It names the subject by their random id alone.
type Erasure struct {
	ID        string        `json:"id"`
	Subject   ident.Subject `json:"subject" doc:"person:…, organisation:… or household:…"`
	Law       string        `json:"law" doc:"the act of law that demands it"`
	Proposed  time.Time     `json:"proposed"`
	By        ident.Person  `json:"by" doc:"the officer who proposed it"`
	Confirmed time.Time     `json:"confirmed,omitzero" doc:"absent: it waits for a second officer"`
	Second    ident.Person  `json:"second,omitempty" doc:"the officer who confirmed it"`
	Event     ident.Event   `json:"event"`
}

// NewErasure proposes to erase a subject.
type NewErasure struct {
	Subject ident.Subject `json:"subject" doc:"person:…, organisation:… or household:…"`
	Law     string        `json:"law" doc:"the act of law that demands it: 1 to 500 characters, nothing personal"`
}

func erasureShown(e erasure.Erasure) Erasure {
	return Erasure{e.ID, e.Subject, e.Law, e.Proposed, e.By, e.Confirmed, e.Second, e.Event}
}

func erasureOperations(erasures *erasure.Erasures) []operation {
	officer := route.Role(erasure.Officer)
	return []operation{
		{
			id: "listErasures", tag: "erasures", summary: "Lists the erasures that officers of one's agency proposed, the newest first; to the supervising agency, all.",
			method: "GET", path: "/erasures", access: officer, query: []parameter{limitParameter}, response: Page[Erasure]{},
			codes: []string{"page.limit"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				wanted, err := limit(r)
				if err != nil {
					return err
				}
				found, err := erasures.All(r.Context(), v.Actor, wanted)
				if err != nil {
					return err
				}
				page := Page[Erasure]{Items: []Erasure{}}
				for _, one := range found {
					page.Items = append(page.Items, erasureShown(one))
				}
				return route.WriteJSON(w, http.StatusOK, page)
			},
		},
		{
			id: "proposeErasure", tag: "erasures", summary: "Proposes to erase the data of a subject of whom one's agency keeps a record. Nothing is erased before an officer of the supervising agency confirms it.",
			method: "POST", path: "/erasures", access: officer, body: smallBody, request: NewErasure{}, response: Erasure{},
			status: http.StatusCreated, codes: []string{"ident.malformed", "erasure.law", "erasure.no-standing", "erasure.no-supervisor", "erasure.open-business"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				var sent NewErasure
				if err := route.ReadJSON(r, &sent); err != nil {
					return err
				}
				proposed, err := erasures.Propose(r.Context(), v.Actor, sent.Subject, sent.Law)
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusCreated, erasureShown(proposed))
			},
		},
		{
			id: "confirmErasure", tag: "erasures", summary: "Confirms, for the supervising agency, an erasure that another agency's officer proposed. The subject's key is destroyed soon after; it cannot be undone.",
			method: "POST", path: "/erasures/{erasure}/confirm", access: officer, response: Erasure{},
			codes: []string{"erasure.unknown", "erasure.same-person", "erasure.confirmed-already", "erasure.open-business"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				confirmed, err := erasures.Confirm(r.Context(), v.Actor, r.PathValue("erasure"))
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, erasureShown(confirmed))
			},
		},
	}
}
