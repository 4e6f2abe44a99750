package api

import (
	"net/http"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/correction"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/web/route"
)

// CorrectionSummary is where a correction stands. It tells nothing of the person.
type CorrectionSummary struct {
	ID       ident.Correction `json:"id"`
	Register ident.Register   `json:"register"`
	Agency   ident.Agency     `json:"agency" doc:"keeps the register and answers"`
	State    correction.State `json:"state" doc:"open, corrected, refused or withdrawn"`
	Late     bool             `json:"late" doc:"the last day for an answer went by; it waits on"`
	Created  time.Time        `json:"created"`
	Due      time.Time        `json:"due" doc:"the answer is owed by then"`
	Resolved time.Time        `json:"resolved,omitzero" doc:"absent: it is open"`
	Event    ident.Event      `json:"event"`
}

// Correction is what a person says against a register, and what its agency answered.
type Correction struct {
	CorrectionSummary
	Subject   ident.Subject `json:"subject" doc:"whose data it is, who asked"`
	Field     string        `json:"field,omitempty" doc:"of the register or of one of its answers; absent: the whole record"`
	Shown     string        `json:"shown,omitempty" doc:"what the page said to the person when they asked there"`
	Statement string        `json:"statement" doc:"what is wrong, and what is right"`
	Reason    string        `json:"reason,omitempty" doc:"the agency's words"`
	By        *Official     `json:"by,omitempty" doc:"who answered"`
}

// NewCorrection says that a register is wrong about oneself.
type NewCorrection struct {
	Register  ident.Register `json:"register"`
	Field     string         `json:"field,omitempty" doc:"of the register or of one of its answers; absent: the whole record"`
	Statement string         `json:"statement" doc:"what is wrong, and what is right: 1 to 4000 characters"`
}

// CorrectionAnswer answers a correction.
type CorrectionAnswer struct {
	State  correction.State `json:"state" doc:"corrected: the record says since the person asked what is right; or refused"`
	Reason string           `json:"reason" doc:"the person reads exactly these words: 1 to 4000 characters"`
}

func correctionSummary(c correction.Correction) CorrectionSummary {
	return CorrectionSummary{c.ID, c.Register, c.Agency, c.State, c.Late, c.Created, c.Due, c.Resolved, c.Event}
}

func correctionShown(c correction.Opened) Correction {
	shown := Correction{
		CorrectionSummary: correctionSummary(c.Correction), Subject: c.Subject,
		Field: c.Field, Shown: c.Shown, Statement: c.Statement, Reason: c.Reason,
	}
	if by := officialOf(c.By); by != (Official{}) {
		shown.By = &by
	}
	return shown
}

func answerCorrection(w http.ResponseWriter, status int, revision int64, shown any) error {
	w.Header().Set("ETag", etag(revision))
	return route.WriteJSON(w, status, shown)
}

func correctionOperations(corrections *correction.Corrections, readings *access.OwnReadings) []operation {
	const asked, waiting = "/corrections", "/correction-tasks"
	const one = "/{correction}"
	registrar := route.Role(access.Registrar)
	id := func(r *http.Request) ident.Correction { return ident.Correction(r.PathValue("correction")) }
	codes := []string{"correction.unknown", "seal.erased"}
	changing := append([]string{"correction.resolved", "http.precondition-required", "http.precondition-failed"}, codes...)
	return []operation{
		{
			id: "listCorrections", tag: "corrections", summary: "Lists the corrections that one asked for, the newest first.",
			method: "GET", path: asked, access: route.SignedIn(), query: []parameter{limitParameter, afterParameter}, response: Page[Correction]{},
			codes: []string{"page.limit", "page.cursor", "seal.erased"},
			handle: route.Own(readings, func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				wanted, err := limit(r)
				if err != nil {
					return err
				}
				before, err := afterID[ident.Correction](r)
				if err != nil {
					return err
				}
				found, err := corrections.OwnAll(r.Context(), v.Resident(), before, wanted+1)
				if err != nil {
					return err
				}
				shown := make([]Correction, len(found))
				for i, one := range found {
					shown[i] = correctionShown(one)
				}
				return route.WriteJSON(w, http.StatusOK, pageOf(shown, wanted, func(last Correction) string { return cursor(last.ID) }))
			}),
		},
		{
			id: "askCorrection", tag: "corrections",
			summary: "Says that a register is wrong about oneself. Its agency answers by the time that is told here. An Idempotency-Key is a UUID of version 7: the correction's id is made of it.",
			method:  "POST", path: asked, access: route.SignedIn(), body: wordsBody, request: NewCorrection{}, response: CorrectionSummary{},
			status: http.StatusCreated, etag: true,
			codes: []string{codeNotUUID, "register.unknown", "correction.unknown", "correction.register", "correction.field", "correction.statement", "correction.too-many", "correction.twice", "seal.erased"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				var sent NewCorrection
				if err := route.ReadJSON(r, &sent); err != nil {
					return err
				}
				id, err := keyed[ident.Correction]("correction", v.Actor.Person, v.Key)
				if err != nil {
					return err
				}
				if id == "" {
					id = ident.New[ident.Correction](corrections.Clock())
				}
				made, err := corrections.Ask(r.Context(), v.Resident(), correction.Wanted{
					ID: id, Register: sent.Register, Field: sent.Field, Statement: sent.Statement,
				})
				if err != nil {
					return err
				}
				w.Header().Set("Location", Root+asked+"/"+string(made.ID))
				return answerCorrection(w, http.StatusCreated, made.Revision, correctionSummary(made))
			},
		},
		{
			id: "showCorrection", tag: "corrections", summary: "Shows a correction that one asked for, with its answer.",
			method: "GET", path: asked + one, access: route.SignedIn(), response: Correction{}, etag: true, codes: codes,
			handle: route.Own(readings, func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				found, err := corrections.Own(r.Context(), v.Resident(), id(r))
				if err != nil {
					return err
				}
				return answerCorrection(w, http.StatusOK, found.Revision, correctionShown(found))
			}),
		},
		{
			id: "withdrawCorrection", tag: "corrections", summary: "Takes back a correction that is not answered yet.",
			method: "POST", path: asked + one + "/withdraw", access: route.SignedIn(), ifMatch: true, response: CorrectionSummary{}, etag: true, codes: changing,
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				return changeCorrection(w, r, func(revision int64) (correction.Correction, error) {
					return corrections.Withdraw(r.Context(), v.Resident(), id(r), revision)
				})
			},
		},
		{
			id: "listCorrectionTasks", tag: "corrections", summary: "Lists the corrections that wait for one's agency, the most urgent first. They show nothing of a person.",
			method: "GET", path: waiting, access: registrar, query: []parameter{limitParameter, afterParameter}, response: Page[CorrectionSummary]{},
			codes: []string{"page.limit", "page.cursor"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				wanted, err := limit(r)
				if err != nil {
					return err
				}
				due, id, err := afterDue[ident.Correction](r)
				if err != nil {
					return err
				}
				found, err := corrections.Waiting(r.Context(), v.Actor, correction.Cursor{Due: due, Correction: id}, wanted+1)
				if err != nil {
					return err
				}
				shown := make([]CorrectionSummary, len(found))
				for i, one := range found {
					shown[i] = correctionSummary(one)
				}
				return route.WriteJSON(w, http.StatusOK, pageOf(shown, wanted, func(last CorrectionSummary) string { return cursor(last.Due.UnixMicro(), last.ID) }))
			},
		},
		{
			id: "readCorrectionTask", tag: "corrections", summary: "Opens a correction that waits for one's agency. Who asked for it sees that it was read, and by whom.",
			method: "GET", path: waiting + one, costly: true, access: registrar, response: Correction{}, etag: true,
			codes: slices.Concat([]string{"correction.own-interest"}, exchangeCodes, codes),
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				found, err := corrections.Read(r.Context(), v.Actor, id(r))
				if err != nil {
					return err
				}
				return answerCorrection(w, http.StatusOK, found.Revision, correctionShown(found))
			},
		},
		{
			id: "answerCorrectionTask", tag: "corrections", summary: "Answers a correction: the record has been corrected since, or it is refused with reasons.",
			method: "POST", path: waiting + one + "/answer", access: registrar, body: wordsBody, ifMatch: true,
			request: CorrectionAnswer{}, response: CorrectionSummary{}, etag: true,
			codes: slices.Concat([]string{"correction.own-interest", "correction.state", "correction.reason", "correction.record-unchanged", "register.unknown"}, exchangeCodes, changing),
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				var sent CorrectionAnswer
				if err := route.ReadJSON(r, &sent); err != nil {
					return err
				}
				if sent.State != correction.Corrected && sent.State != correction.Refused {
					return fault.New(fault.Invalid, "correction.state", "Say how it ends: corrected, or refused.").At("state")
				}
				return changeCorrection(w, r, func(revision int64) (correction.Correction, error) {
					answer := correction.Answer{Corrected: sent.State == correction.Corrected, Reason: sent.Reason}
					return corrections.Resolve(r.Context(), v.Actor, id(r), revision, answer)
				})
			},
		},
	}
}

// changeCorrection changes a correction as its sender saw it.
func changeCorrection(w http.ResponseWriter, r *http.Request, change func(revision int64) (correction.Correction, error)) error {
	revision, err := expected(r)
	if err != nil {
		return err
	}
	changed, err := change(revision)
	if err != nil {
		return preconditioned(err)
	}
	return answerCorrection(w, http.StatusOK, changed.Revision, correctionSummary(changed))
}
