package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/person"
	"yagona/web/route"
)

// Post is an appointment as a registrar keeps it: one person in one role of one agency, for a territory and a time.
type Post struct {
	ID          ident.Appointment `json:"id"`
	Person      ident.Person      `json:"person"`
	Agency      ident.Agency      `json:"agency"`
	Role        ident.Role        `json:"role"`
	Territory   ident.Territory   `json:"territory" doc:"with all that lies in it"`
	From        time.Time         `json:"from"`
	Until       time.Time         `json:"until,omitzero" doc:"absent: without end"`
	Substitutes ident.Appointment `json:"substitutes,omitempty" doc:"the appointment that it stands in for"`
	MadeBy      ident.Person      `json:"madeBy,omitempty" doc:"absent: whoever set the installation up"`
	Waits       bool              `json:"waits,omitempty" doc:"it is not in force until a second registrar approves it"`
	Event       ident.Event       `json:"event"`
}

// NewPost is an appointment that a registrar makes. The agency is the registrar's own.
type NewPost struct {
	Person      ident.Person      `json:"person,omitempty" doc:"by their id; or"`
	Number      string            `json:"number,omitempty" doc:"by their national number"`
	Role        ident.Role        `json:"role" doc:"one that the agency's pack declares, or registrar, treasurer, publisher, operator, data-protection-officer"`
	Territory   ident.Territory   `json:"territory"`
	From        time.Time         `json:"from,omitzero" doc:"absent: now"`
	Until       time.Time         `json:"until,omitzero" doc:"absent: without end; a substitute's needs one"`
	Substitutes ident.Appointment `json:"substitutes,omitempty" doc:"the appointment that it stands in for, of the same role and territory"`
}

var errWho = fault.New(fault.Invalid, "appointment.person", "Name the person by their id or by their national number, not by both.").At("person")

func postShown(a access.Appointment) Post {
	return Post{a.ID, a.Person, a.Agency, a.Role, a.Territory, a.From, a.Until, a.Substitutes, a.MadeBy, a.Waits, a.Event}
}

// posts are what the handlers of a registrar's appointments stand on.
type posts struct {
	office *access.Office
	people *person.Directory
}

func appointmentOperations(p posts) []operation {
	registrar := route.Role(access.Registrar)
	return []operation{
		{
			id: "listPosts", tag: "appointments",
			summary: "Lists the appointments of one's agency, ended ones too, the oldest first; or those for exactly one territory, by role.",
			method:  "GET", path: "/appointments", access: registrar,
			query: []parameter{
				{"territory", "For exactly which territory; without it, for that of one's own appointment and all that lies in it.", "string"}, limitParameter, afterParameter,
			},
			response: Page[Post]{}, codes: []string{"page.limit", "page.cursor", "territory.unknown"}, handle: p.list,
		},
		{
			id: "appoint", tag: "appointments", summary: "Appoints a person to a role of one's agency, or as the substitute of one who holds it. A sensitive role waits for a second registrar.",
			method: "POST", path: "/appointments", access: registrar, body: smallBody, request: NewPost{}, response: Post{},
			status: http.StatusCreated,
			codes: []string{
				"appointment.person", "appointment.incomplete", "appointment.role", "appointment.term", "appointment.other-post",
				"appointment.own-substitute", "appointment.substitute-term", "appointment.unknown", "person.unknown", "territory.unknown",
				"seal.erased",
			},
			handle: p.appoint,
		},
		{
			id: "approveAppointment", tag: "appointments",
			summary: "Approves an appointment to a sensitive role that another registrar made: one of the same agency, or of the supervising agency.",
			method:  "POST", path: "/appointments/{appointment}/approve", access: registrar, response: Post{},
			codes: []string{"appointment.unknown", "appointment.ended", "appointment.approved-already", "appointment.same-registrar", "seal.erased"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				approved, err := p.office.Approve(r.Context(), v.Actor, ident.Appointment(r.PathValue("appointment")))
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, postShown(approved))
			},
		},
		{
			id: "endAppointment", tag: "appointments", summary: "Ends an appointment of one's agency now, and with it that of whoever stands in. It stays on record.",
			method: "POST", path: "/appointments/{appointment}/end", access: registrar, response: Post{},
			codes: []string{"appointment.unknown", "appointment.ended", "seal.erased"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				ended, err := p.office.End(r.Context(), v.Actor, ident.Appointment(r.PathValue("appointment")))
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, postShown(ended))
			},
		},
	}
}

func (p posts) list(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	wanted, err := limit(r)
	if err != nil {
		return err
	}
	last, err := after(r, 1)
	if err != nil {
		return err
	}
	place := ident.Territory(r.URL.Query().Get("territory"))
	if place == "" {
		return p.listAll(w, r, v, wanted, last)
	}
	found, err := p.office.In(r.Context(), v.Actor, place)
	if err != nil {
		return err
	}
	shown := make([]Post, len(found))
	for i, one := range found {
		shown[i] = postShown(one)
	}
	if last != nil {
		at := slices.IndexFunc(shown, func(one Post) bool { return string(one.ID) == last[0] })
		if at < 0 {
			return errCursor
		}
		shown = shown[at+1:]
	}
	return route.WriteJSON(w, http.StatusOK, pageOf(shown, wanted, func(last Post) string { return cursor(last.ID) }))
}

// listAll lists what the registrar keeps, page by page.
func (p posts) listAll(w http.ResponseWriter, r *http.Request, v route.Visitor, wanted int, last []string) (err error) {
	var from ident.Appointment
	if last != nil {
		if from, err = ident.Parse[ident.Appointment](last[0]); err != nil {
			return errCursor
		}
	}
	found, err := p.office.Of(r.Context(), v.Actor, from, wanted+1)
	if err != nil {
		return err
	}
	shown := make([]Post, len(found))
	for i, one := range found {
		shown[i] = postShown(one)
	}
	return route.WriteJSON(w, http.StatusOK, pageOf(shown, wanted, func(last Post) string { return cursor(last.ID) }))
}

func (p posts) appoint(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	var sent NewPost
	if err := route.ReadJSON(r, &sent); err != nil {
		return err
	}
	who, err := p.who(r.Context(), sent)
	if err != nil {
		return err
	}
	made, err := p.office.Appoint(r.Context(), v.Actor, access.Appointment{
		Person: who, Agency: v.Actor.Appointment.Agency, Role: sent.Role, Territory: sent.Territory, From: sent.From.UTC(), Until: sent.Until.UTC(),
		Substitutes: sent.Substitutes,
	})
	if err != nil {
		return err
	}
	return route.WriteJSON(w, http.StatusCreated, postShown(made))
}

// who returns the person whom the request names, who must be known here.
func (p posts) who(ctx context.Context, sent NewPost) (ident.Person, error) {
	if (sent.Person == "") == (sent.Number == "") {
		return "", errWho
	}
	if sent.Number != "" {
		return p.people.ByNumber(ctx, sent.Number)
	}
	return sent.Person, p.people.Store.View(ctx, func(tx person.Reader) error {
		_, err := tx.StoredPerson(sent.Person)
		return err
	})
}
