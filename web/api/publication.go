package api

import (
	"net/http"
	"time"

	"yagona/kernel/ident"
	"yagona/kernel/publication"
	"yagona/kernel/signature"
	"yagona/web/route"
)

// Publication is one revision of one pack.
type Publication struct {
	ID        ident.Publication `json:"id"`
	Pack      string            `json:"pack"`
	Digest    string            `json:"digest"`
	State     publication.State `json:"state"`
	Agency    ident.Agency      `json:"agency,omitempty" doc:"in whose name; absent: it came with the installation"`
	Published time.Time         `json:"published"`
	InForce   time.Time         `json:"inForce,omitzero"`
	Event     ident.Event       `json:"event"`
}

// Approval is a second person's signature over a publication.
type Approval struct {
	Signature signature.Signature `json:"signature" doc:"Ed25519 over: yagona pack approval v1, the id, the digest and approve or reject, each on a line"`
}

// NewClosure closes a version of a service to new applications.
type NewClosure struct {
	Service   ident.Service       `json:"service"`
	Agency    ident.Agency        `json:"agency"`
	Version   string              `json:"version"`
	Reason    string              `json:"reason"`
	Signature signature.Signature `json:"signature" doc:"Ed25519 over: yagona version closure v1, the service, the version and the reason, each on a line"`
}

// Closure is a version of a service that takes no new applications.
type Closure struct {
	Service ident.Service `json:"service"`
	Version string        `json:"version"`
	Reason  string        `json:"reason"`
	At      time.Time     `json:"at"`
	Event   ident.Event   `json:"event"`
}

func publicationShown(p publication.Publication) Publication {
	return Publication{p.ID, p.Pack, p.Digest, p.State, p.Agency, p.Published, p.InForceAt, p.Event}
}

// publicationOperations need no session: who publishes and who approves is proven by their signatures, which the kernel
// holds against the appointments in its records.
func publicationOperations(press *publication.Press) []operation {
	signed := []string{
		"signature.other-holder", "signature.out-of-term", "signature.wrong", "signature.unknown-key", "access.forbidden",
	}
	settle := func(id, path, summary string, approve bool) operation {
		return operation{
			id: id, tag: "publications", summary: summary, method: "POST", path: "/publications/{publication}/" + path, access: route.Public(),
			body: smallBody, timeout: time.Minute, request: Approval{}, response: Publication{},
			codes: append([]string{"publication.unknown", "publication.same-person", "publication.settled", "pack.problems"}, signed...),
			handle: func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
				var sent Approval
				if err := route.ReadJSON(r, &sent); err != nil {
					return err
				}
				settled, err := press.Settle(r.Context(), ident.Publication(r.PathValue("publication")), approve, sent.Signature)
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, publicationShown(settled))
			},
		}
	}
	return []operation{
		{
			id: "listPublications", tag: "publications", summary: "Lists all publications, the oldest first.",
			method: "GET", path: "/publications", access: route.Public(), response: Page[Publication]{},
			handle: func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
				all, _, err := press.All(r.Context(), false)
				if err != nil {
					return err
				}
				page := Page[Publication]{Items: []Publication{}}
				for _, one := range all {
					page.Items = append(page.Items, publicationShown(one))
				}
				return route.WriteJSON(w, http.StatusOK, page)
			},
		},
		{
			id: "publish", tag: "publications", summary: "Proposes a pack, signed by a publisher. A second one has to approve it.",
			method: "POST", path: "/publications", access: route.Public(), body: fileBody, timeout: time.Minute,
			request: publication.Proposal{}, response: Publication{}, status: http.StatusCreated,
			codes: append([]string{"publication.time", "publication.agency", "publication.again", "pack.problems"}, signed...),
			handle: func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
				var sent publication.Proposal
				if err := route.ReadJSON(r, &sent); err != nil {
					return err
				}
				proposed, err := press.Propose(r.Context(), sent)
				if err != nil {
					return err
				}
				w.Header().Set("Location", Root+"/publications/"+string(proposed.ID))
				return route.WriteJSON(w, http.StatusCreated, publicationShown(proposed))
			},
		},
		settle("approvePublication", "approve", "Brings a proposed pack into force, signed by a second publisher.", true),
		settle("rejectPublication", "reject", "Refuses a proposed pack, signed by a second publisher.", false),
		{
			id: "closeVersion", tag: "publications", summary: "Closes a version of a service to new applications, signed by a publisher.",
			method: "POST", path: "/closures", access: route.Public(), body: smallBody, request: NewClosure{}, response: Closure{},
			status: http.StatusCreated, codes: append([]string{"closure.reason"}, signed...),
			handle: func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
				var sent NewClosure
				if err := route.ReadJSON(r, &sent); err != nil {
					return err
				}
				closed, err := press.CloseVersion(r.Context(), sent.Service, sent.Agency, sent.Version, sent.Reason, sent.Signature)
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusCreated, Closure{closed.Service, closed.Version, closed.Reason, closed.At, closed.Event})
			},
		},
	}
}
