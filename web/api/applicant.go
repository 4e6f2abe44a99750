package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/country"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/reading"
	"yagona/web/route"
)

// NewApplication begins an application, and sends it if asked to.
type NewApplication struct {
	Service  ident.Service   `json:"service"`
	For      ident.Subject   `json:"for,omitempty" doc:"for whom, if one may act for them: their subject; absent: for oneself"`
	Language string          `json:"language,omitempty" doc:"of what is written to the applicant; absent: that of the request"`
	Answers  json.RawMessage `json:"answers,omitempty" doc:"by question: the schema <pack>.<service>.answers"`
	Send     bool            `json:"send,omitempty" doc:"send it at once; otherwise it is a draft"`
}

// Answers are answers to a service's questions; null removes one.
type Answers struct {
	Answers json.RawMessage `json:"answers" doc:"by question: the schema <pack>.<service>.answers; null removes an answer"`
}

// Reply answers an official's question.
type Reply struct {
	Answer string `json:"answer" doc:"1 to 5,000 characters"`
}

// Grounds are why a refusal is contested.
type Grounds struct {
	Grounds string `json:"grounds" doc:"1 to 5,000 characters"`
}

// NewAccount is where a payment shall go instead.
type NewAccount struct {
	Account string `json:"account" doc:"the number of an account in the applicant's own name"`
}

// Draft is a draft after it was saved: wrong answers are not in it, and problems says what is wrong with them.
type Draft struct {
	Application ApplicationSummary   `json:"application"`
	Problems    []route.ProblemField `json:"problems"`
	Receipt     *Proof               `json:"receipt,omitempty"`
}

// Receipt is what a person keeps of an act of theirs.
type Receipt struct {
	Application ApplicationSummary   `json:"application"`
	Problems    []route.ProblemField `json:"problems"`
	Receipt     Proof                `json:"receipt"`
}

// Preview is what sending an application would find.
type Preview struct {
	Application
	Outcome  string               `json:"outcome" doc:"of all rules: met, not-met or unknown"`
	Problems []route.ProblemField `json:"problems" doc:"answers that are still missing or wrong"`
}

// applications are what the handlers of an applicant's operations stand on.
type applications struct {
	cases     *casework.Casework
	catalogue func() *service.Catalogue
	profile   *country.Profile
	clock     act.Clock
	readings  *access.OwnReadings
	trail     *reading.Trail
	say       route.Say
}

// The codes that come out of checking answers.
var answerCodes = []string{
	"field.required", "field.unknown", "field.type", "field.option", "field.range", "field.date-range", "field.too-long",
	"field.too-short", "field.pattern", "field.characters", "field.subject", "field.json", "territory.unknown", "territory.level",
	countryCode,
}

// The codes that come out of a change to an application of one's own.
var changeCodes = []string{"representation.scope", "representation.confidential", "representation.ended", "representation.as-official", "application.unknown", "application.archived", "application.closed", "http.precondition-required", "http.precondition-failed"}

func applicationOperations(a applications) []operation {
	own := func(handle route.Handler) route.Handler { return route.Own(a.readings, handle) }
	changing := func(id, path, summary string, request any, words reader, change changer, codes ...string) operation {
		body := int64(0)
		if request != nil {
			body = wordsBody
		}
		return operation{
			id: id, tag: "applications", summary: summary, method: "POST", path: "/applications/{application}/" + path,
			access: route.SignedIn(), body: body, timeout: askTimeout, ifMatch: true, etag: true, request: request, response: Receipt{},
			codes: slices.Concat(codes, changeCodes), handle: a.change(words, change),
		}
	}
	return []operation{
		{
			id: "startApplication", tag: "applications",
			summary: "Begins an application for oneself, or for whom one may act, and sends it if asked to. An Idempotency-Key is a UUID of version 7: the application's id is made of it.",
			method:  "POST", path: "/applications", access: route.SignedIn(), body: answerBody, timeout: askTimeout,
			request: NewApplication{}, response: Receipt{}, status: http.StatusCreated, etag: true,
			codes: slices.Concat([]string{
				"service.unknown", "service.closed", "application.already-open", "application.too-many-open", "application.in-force", "application.granted-meanwhile", "application.too-many-drafts", "application.other-service", "application.new-version", "application.language",
				codeNotUUID, "http.precondition-failed", "service.not-for", "representation.none", "representation.confidential", "representation.as-official", "representation.scope", "representation.ended", "service.unknown-value", "service.amount",
			}, answerCodes, exchangeCodes),
			handle: a.begin,
		},
		{
			id: "listApplications", tag: "applications", summary: "Lists one's own applications, the newest first.",
			method: "GET", path: "/applications", access: route.SignedIn(), query: []parameter{limitParameter, afterParameter},
			response: Page[ApplicationSummary]{}, codes: []string{"page.limit", "page.cursor"}, handle: own(a.list),
		},
		{
			id: "showApplication", tag: "applications", summary: "Shows an application of one's own with all that was said and decided in it.",
			method: "GET", path: "/applications/{application}", access: route.SignedIn(), response: Application{}, etag: true,
			codes: []string{"application.unknown", "application.archived", "seal.erased", "representation.ended", "representation.as-official"}, handle: own(a.show),
		},
		{
			id: "saveAnswers", tag: "applications", summary: "Saves answers in a draft. Wrong answers are not saved and come back as problems; the others are.",
			method: "PATCH", path: "/applications/{application}", access: route.SignedIn(), body: answerBody, ifMatch: true, etag: true,
			request: Answers{}, response: Draft{}, codes: slices.Concat([]string{"application.sent"}, answerCodes, changeCodes),
			handle: a.save,
		},
		{
			id: "previewApplication", tag: "applications", summary: "Asks the registers and evaluates the rules of a draft, without sending it.",
			method: "POST", path: "/applications/{application}/preview", access: route.SignedIn(), timeout: askTimeout, response: Preview{},
			etag: true, codes: append([]string{"application.unknown", "application.archived", "application.sent", "application.closed", "representation.ended", "representation.scope", "representation.confidential", "representation.as-official"}, exchangeCodes...),
			handle: own(a.preview),
		},
		changing("submitApplication", "submit", "Sends a draft. Sending it again gives the same receipt.", nil, nothing,
			func(ctx context.Context, by access.Actor, id ident.Application, revision int64, _ string) (casework.Receipt, error) {
				return a.cases.Submit(ctx, by, id, revision)
			}, slices.Concat([]string{"application.already-open", "application.too-many-open", "application.in-force", "application.granted-meanwhile", "application.new-version", "service.closed", "service.unknown", "service.unknown-value", "service.amount"},
				answerCodes, exchangeCodes)...),
		changing("acceptPlace", "accept", "Accepts the place that is offered. To decline it, withdraw.", nil, nothing,
			func(ctx context.Context, by access.Actor, id ident.Application, revision int64, _ string) (casework.Receipt, error) {
				return a.cases.Accept(ctx, by, id, revision)
			}, slices.Concat([]string{"application.no-offer", "application.register-silent", "service.unknown-value"}, exchangeCodes)...),
		{
			id: "confirmTogether", tag: "applications", summary: "Confirms, as another adult of the applicant's household, what one of it asked for. Confirming again changes nothing.",
			method: "POST", path: "/applications/{application}/confirm", access: route.SignedIn(), timeout: askTimeout, status: http.StatusNoContent,
			codes: []string{"application.unknown", "application.archived", "application.changed", "together.acted", "together.closed", "together.minor", "together.own", "seal.erased"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				if err := a.cases.Confirm(r.Context(), v.Actor, ident.Application(r.PathValue("application"))); err != nil {
					return err
				}
				w.WriteHeader(http.StatusNoContent)
				return nil
			},
		},
		changing("withdrawApplication", "withdraw", "Takes an application back that is not decided yet, or gives up what is in force.", nil, nothing,
			func(ctx context.Context, by access.Actor, id ident.Application, revision int64, _ string) (casework.Receipt, error) {
				return a.cases.Withdraw(ctx, by, id, revision)
			}),
		changing("answerQuestion", "answer", "Answers an official's question. The clock runs again.", Reply{}, replied, a.cases.Answer,
			"application.not-asked", "field.required", "field.characters", "field.too-long"),
		changing("contestRefusal", "appeal", "Contests a refusal, with grounds. The level above decides it.", Grounds{}, grounds, a.cases.Contest,
			"appeal.not-refused", "appeal.decided", "appeal.late", "application.already-open", "application.in-force", "field.required", "field.characters", "field.too-long"),
		changing("changeAccount", "account", "Names another account of one's own for a payment that the bank did not take.", NewAccount{}, account,
			a.cases.ChangeAccount, slices.Concat([]string{"application.no-account-wanted"}, answerCodes)...),
	}
}

func (a applications) words(v route.Visitor) []string {
	return []string{v.Language, a.profile.Authoritative()}
}

func (a applications) begin(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	var wish NewApplication
	if err := route.ReadJSON(r, &wish); err != nil {
		return err
	}
	id, err := keyed[ident.Application]("application", v.Actor.Person, v.Key)
	if err != nil {
		return err
	}
	if wish.Language == "" {
		wish.Language = v.Language
	}
	if !a.profile.Speaks(wish.Language) {
		return errLanguage
	}
	d, err := a.catalogue().Open(wish.Service, calendar.DateOf(a.clock(), a.profile.Location))
	if err != nil {
		return err
	}
	answers, err := decodeValues("answers", field.TypeOf(d.Fields()), wish.Answers)
	if err != nil {
		return err
	}
	ctx, by := r.Context(), v.Actor
	by.For = wish.For
	var receipt casework.Receipt
	var problems error
	if wish.Send {
		receipt, err = a.cases.Apply(ctx, by, id, wish.Service, wish.Language, answers)
	} else {
		receipt, problems, err = a.draft(ctx, by, id, wish, answers)
	}
	if err != nil {
		return preconditioned(under("answers", err))
	}
	shown, err := a.receipt(ctx, v, receipt)
	if err != nil {
		return err
	}
	shown.Problems = route.Fields(problems, v.Language, a.say)
	w.Header().Set("Location", Root+"/applications/"+string(receipt.Application.ID))
	w.Header().Set("ETag", etag(receipt.Application.Revision))
	return route.WriteJSON(w, http.StatusCreated, shown)
}

// draft begins a draft and saves the answers in it. Problems are those of answers that were not saved.
func (a applications) draft(ctx context.Context, by access.Actor, id ident.Application, wish NewApplication, answers map[string]any) (receipt casework.Receipt, problems, err error) {
	receipt, err = a.cases.Start(ctx, by, id, wish.Service, wish.Language)
	if err != nil || len(answers) == 0 || receipt.Application.State != casework.Draft {
		return receipt, nil, err
	}
	saved, err := a.cases.Save(ctx, by, receipt.Application.ID, receipt.Application.Revision, answers)
	if wrong, ok := errors.AsType[field.Problems](err); ok {
		problems, err = under("answers", wrong.Err()), nil
	}
	return casework.Receipt{Application: saved, Event: saved.Event}, problems, err
}

const codeNotUUID = "idempotency.not-uuid"

// keyed returns the id of what of a kind a person's Idempotency-Key stands for: the key's time, and a digest of the person
// and the key; "" without a key. The same key gives the same id again, and tells nothing of what other people made with it.
func keyed[T ~string](kind string, person ident.Person, key string) (T, error) {
	if key == "" {
		return "", nil
	}
	made, err := uuid.Parse(key)
	if err != nil || made.String() != key || made.Version() != 7 {
		return "", fault.New(fault.Invalid, codeNotUUID,
			"The id of what is made is taken from the Idempotency-Key. Make the key a UUID of version 7, in lower case.")
	}
	sum := sha256.Sum256([]byte("yagona " + kind + " of key 1\n" + string(person) + "\n" + key))
	copy(made[6:], sum[:])
	made[6] = 0x70 | made[6]&0x0f // version 7 (RFC 9562, 5.7)
	made[8] = 0x80 | made[8]&0x3f // the variant (RFC 9562, 4.1)
	return T(made.String()), nil
}

func (a applications) receipt(ctx context.Context, v route.Visitor, receipt casework.Receipt) (Receipt, error) {
	proof, err := receiptOf(ctx, a.trail, v.Actor, receipt)
	if err != nil {
		return Receipt{}, err
	}
	d, err := a.catalogue().Version(receipt.Application.Version)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Application: summarise(receipt.Application, d, a.words(v)...), Problems: []route.ProblemField{}, Receipt: proof}, nil
}

func (a applications) list(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	wanted, err := limit(r)
	if err != nil {
		return err
	}
	before, err := afterID[ident.Application](r)
	if err != nil {
		return err
	}
	found, err := a.cases.OwnAll(r.Context(), v.Actor, before, min(wanted+1, 100))
	if err != nil {
		return err
	}
	shown := make([]ApplicationSummary, len(found))
	for i, one := range found {
		d, err := a.catalogue().Version(one.Version)
		if err != nil {
			return err
		}
		shown[i] = summarise(one, d, a.words(v)...)
	}
	page := pageOf(shown, min(wanted, 99), func(last ApplicationSummary) string { return cursor(last.ID) })
	return route.WriteJSON(w, http.StatusOK, page)
}

func (a applications) show(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	view, err := a.cases.Own(r.Context(), v.Actor, ident.Application(r.PathValue("application")))
	if err != nil {
		return err
	}
	shown, err := shownTo(v.Actor.Person, view, a.words(v)...)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(view.Application.Revision))
	return route.WriteJSON(w, http.StatusOK, shown)
}

func (a applications) save(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	revision, err := expected(r)
	if err != nil {
		return err
	}
	var sent Answers
	if err := route.ReadJSON(r, &sent); err != nil {
		return err
	}
	id := ident.Application(r.PathValue("application"))
	view, err := a.cases.Own(r.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	answers, err := decodeValues("answers", field.TypeOf(view.Definition.Fields()), sent.Answers)
	if err != nil {
		return err
	}
	saved, err := a.cases.Save(r.Context(), v.Actor, id, revision, answers)
	wrong, partly := errors.AsType[field.Problems](err)
	if err != nil && !partly {
		return preconditioned(err)
	}
	shown := Draft{Application: summarise(saved, view.Definition, a.words(v)...), Problems: route.Fields(under("answers", wrong.Err()), v.Language, a.say)}
	w.Header().Set("ETag", etag(saved.Revision))
	return route.WriteJSON(w, http.StatusOK, shown)
}

func (a applications) preview(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	found, err := a.cases.Preview(r.Context(), v.Actor, ident.Application(r.PathValue("application")))
	if err != nil {
		return err
	}
	application, err := shownTo(v.Actor.Person, found.View, a.words(v)...)
	if err != nil {
		return err
	}
	shown := Preview{Application: application, Outcome: found.Outcome.String(), Problems: route.Fields(under("answers", found.Problems.Err()), v.Language, a.say)}
	w.Header().Set("ETag", etag(found.Application.Revision))
	return route.WriteJSON(w, http.StatusOK, shown)
}

// changer is an act of the applicant on an application; text is what they wrote, if the act takes words.
type changer func(ctx context.Context, by access.Actor, id ident.Application, revision int64, text string) (casework.Receipt, error)

// reader reads what a person wrote.
type reader func(*http.Request) (string, error)

func nothing(*http.Request) (string, error) { return "", nil }

func replied(r *http.Request) (string, error) {
	var sent Reply
	err := route.ReadJSON(r, &sent)
	return sent.Answer, err
}

func grounds(r *http.Request) (string, error) {
	var sent Grounds
	err := route.ReadJSON(r, &sent)
	return sent.Grounds, err
}

func account(r *http.Request) (string, error) {
	var sent NewAccount
	err := route.ReadJSON(r, &sent)
	return sent.Account, err
}

func (a applications) change(words reader, change changer) route.Handler {
	return func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
		revision, err := expected(r)
		if err != nil {
			return err
		}
		text, err := words(r)
		if err != nil {
			return err
		}
		receipt, err := change(r.Context(), v.Actor, ident.Application(r.PathValue("application")), revision, text)
		if err != nil {
			return preconditioned(under("answers", err))
		}
		shown, err := a.receipt(r.Context(), v, receipt)
		if err != nil {
			return err
		}
		w.Header().Set("ETag", etag(receipt.Application.Revision))
		return route.WriteJSON(w, http.StatusOK, shown)
	}
}
