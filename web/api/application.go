package api

import (
	"encoding/json"
	"time"

	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/representation"
	"yagona/kernel/service"
)

// ApplicationSummary is an application in a list.
type ApplicationSummary struct {
	ID        ident.Application `json:"id"`
	Service   ident.Service     `json:"service"`
	Version   string            `json:"version"`
	Title     string            `json:"title"`
	State     casework.State    `json:"state"`
	Revision  int64             `json:"revision" doc:"its ETag is this in quotation marks"`
	Language  string            `json:"language"`
	Created   time.Time         `json:"created"`
	Submitted time.Time         `json:"submitted,omitzero"`
	Decided   time.Time         `json:"decided,omitzero"`
	Expires   time.Time         `json:"expires,omitzero" doc:"of a draft; of an offered place; of a fee that is not paid; of the time in which a household confirms"`
	Event     ident.Event       `json:"event" doc:"the journal's event that last wrote it"`
}

// Application is an application as its reader may see it: the applicant, or an official with a task in it.
type Application struct {
	ApplicationSummary
	Answers     json.RawMessage       `json:"answers" doc:"by question"`
	Evidence    []EvidenceShown       `json:"evidence"`
	Rules       []RuleShown           `json:"rules"`
	Params      []ParamShown          `json:"params" doc:"legal amounts and dates that the rules and the amounts were computed with"`
	Tasks       []TaskShown           `json:"tasks" doc:"what waits for officials, with its deadlines"`
	Questions   []Asked               `json:"questions" doc:"what officials asked the applicant"`
	Decisions   []Decision            `json:"decisions"`
	Because     []Reason              `json:"because" doc:"why it was refused"`
	Together    *Together             `json:"together,omitempty" doc:"a household asks together"`
	Fee         *Fee                  `json:"fee,omitempty" doc:"what was asked for; absent: it costs nothing, or is not received yet"`
	Granted     *Granted              `json:"granted,omitempty"`
	Queue       *Queue                `json:"queue,omitempty" doc:"where it stands, while it waits for a place"`
	Ended       *Ended                `json:"ended,omitempty" doc:"why what was granted is not in force any more"`
	Appeal      *Appeal               `json:"appeal,omitempty"`
	AppealUntil time.Time             `json:"appealUntil,omitzero" doc:"until when the refusal can be contested"`
	History     []Entry               `json:"history"`
	Represented []Represented         `json:"represented" doc:"who acted in it for the applicant"`
	Acting      representation.Ground `json:"acting,omitempty" doc:"by what the reader acts for the applicant"`
}

// Together is how many of a household confirm what one of it asked for.
type Together struct {
	Declared  int64 `json:"declared" doc:"how many other adults were declared"`
	Confirmed int64 `json:"confirmed" doc:"how many have confirmed; who, is not told"`
}

// Represented is somebody who acted in an application for its applicant.
type Represented struct {
	Name   string                `json:"name,omitempty"`
	Ground representation.Ground `json:"ground" doc:"parent, officer or mandate"`
	At     time.Time             `json:"at" doc:"when they last did"`
}

// EvidenceShown is what a register answered.
type EvidenceShown struct {
	Name      string            `json:"name"`
	Title     string            `json:"title"`
	Of        string            `json:"of" doc:"applicant, or a relation of theirs"`
	Status    string            `json:"status" doc:"answered, none (no record), no-relation, attested, hidden, or unknown: the register has not answered yet"`
	Hidden    bool              `json:"hidden" doc:"it is another adult's: only the rules' results are shown"`
	At        time.Time         `json:"at,omitzero"`
	Agency    ident.Agency      `json:"agency" doc:"who answers"`
	VouchedBy string            `json:"vouchedBy,omitempty"`
	Values    json.RawMessage   `json:"values,omitempty"`
	Labels    map[string]string `json:"labels,omitempty" doc:"what people call the values"`
}

// RuleShown is what the evaluation of a requirement found.
type RuleShown struct {
	ID      string         `json:"id"`
	Outcome string         `json:"outcome" doc:"met, not-met or unknown"`
	Text    string         `json:"text" doc:"what a refused person reads"`
	Read    []ReadingShown `json:"read" doc:"the values that the rule read"`
	Unknown []string       `json:"unknown" doc:"what it could not read yet"`
}

// ReadingShown is a value that a rule read; another adult's is absent.
type ReadingShown struct {
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// ParamShown is a legal amount or date that a rule or an amount was computed with.
type ParamShown struct {
	Name   string        `json:"name"`
	From   calendar.Date `json:"from"`
	Value  any           `json:"value"`
	Source string        `json:"source,omitempty"`
}

// TaskShown is a step of an application that waits for an official, or waited.
type TaskShown struct {
	ID        ident.Task         `json:"id"`
	Step      string             `json:"step"`
	Agency    ident.Agency       `json:"agency"`
	Role      ident.Role         `json:"role"`
	Territory ident.Territory    `json:"territory"`
	Escalated int                `json:"escalated" doc:"how often it went to the level above"`
	State     casework.TaskState `json:"state"`
	Opened    time.Time          `json:"opened"`
	Due       time.Time          `json:"due,omitzero" doc:"the first moment that is too late; absent while the clock stands still"`
	Closed    time.Time          `json:"closed,omitzero"`
}

// Asked is a question of an official and the applicant's answer.
type Asked struct {
	Text     string    `json:"text"`
	By       Official  `json:"by"`
	At       time.Time `json:"at"`
	Answer   string    `json:"answer,omitempty"`
	Answered time.Time `json:"answered,omitzero"`
}

// Decision is what an official did in a step.
type Decision struct {
	Step    string          `json:"step"`
	By      Official        `json:"by"`
	Action  service.Action  `json:"action"`
	Reasons []Reason        `json:"reasons"`
	Form    json.RawMessage `json:"form,omitempty" doc:"what the step's form recorded"`
	At      time.Time       `json:"at"`
}

// Reason is why something was refused.
type Reason struct {
	Requirement string `json:"requirement,omitempty" doc:"the requirement that is not met, or the evidence that has no record"`
	Text        string `json:"text,omitempty" doc:"in words"`
}

// Granted is what came out.
type Granted struct {
	Payment  int64          `json:"payment,omitempty" doc:"minor units"`
	Order    ident.Order    `json:"order,omitempty"`
	Payments []Instalment   `json:"payments,omitempty" doc:"of a benefit, by period, the oldest first; payment and order are those of the last"`
	Document ident.Document `json:"document,omitempty"`
	Rejected string         `json:"rejected,omitempty" doc:"why the bank did not take the payment: a code of ISO 20022; another account is wanted"`
}

// Instalment is the payment of a benefit for one period.
type Instalment struct {
	Period calendar.Date `json:"period" doc:"its first day"`
	Amount int64         `json:"amount" doc:"minor units"`
	Order  ident.Order   `json:"order"`
}

// Queue is where an application stands that waits for one of limited places.
type Queue struct {
	Ahead   []Ahead `json:"ahead" doc:"who is before it, by each criterion of the order"`
	Waiting int64   `json:"waiting" doc:"how many wait"`
	Places  int64   `json:"places"`
}

// Ahead is how many are before an application by one criterion.
type Ahead struct {
	By    string `json:"by,omitempty" doc:"the criterion, in words; absent: the moment of receipt"`
	Value any    `json:"value,omitempty" doc:"the application's own; absent: it may not be shown"`
	Count int64  `json:"count"`
}

// Ended is why and when what was granted ended.
type Ended struct {
	At      time.Time `json:"at"`
	Because []Reason  `json:"because" doc:"the requirements that are not met any more; empty: it was given up"`
}

// Appeal is a contested refusal.
type Appeal struct {
	Grounds  string    `json:"grounds"`
	At       time.Time `json:"at"`
	Upheld   *bool     `json:"upheld,omitempty" doc:"the refusal stands; absent: not decided"`
	Reasons  []Reason  `json:"reasons"`
	Previous []Reason  `json:"previous" doc:"why it was refused before"`
}

// Entry is a line of the history.
type Entry struct {
	At   time.Time             `json:"at"`
	What string                `json:"what"`
	By   Official              `json:"by"`
	Step string                `json:"step,omitempty"`
	Note string                `json:"note,omitempty"`
	For  representation.Ground `json:"for,omitempty" doc:"by what they acted for the applicant"`
}

func summarise(a casework.Application, d *service.Definition, languages ...string) ApplicationSummary {
	shown := ApplicationSummary{
		ID: a.ID, Service: a.Service, Version: a.Version, State: a.State, Revision: a.Revision, Language: a.Language,
		Created: a.Created, Submitted: a.Submitted, Decided: a.Decided, Expires: a.Expires, Event: a.Event,
	}
	if d != nil {
		shown.Title = d.Title.In(languages...)
	}
	return shown
}

// shownTo turns a view into what its reader gets. The reader's own id may be shown to them, of officials their agency
// and role only.
func shownTo(reader ident.Person, view casework.View, languages ...string) (Application, error) {
	content, definition := view.Content, view.Definition
	by := func(actor journal.Actor) Official {
		named := officialOf(actor)
		if named.Person != reader {
			named.Person = ""
		}
		return named
	}
	reasons := func(of []casework.Reason) []Reason {
		shown := []Reason{}
		for _, one := range of {
			shown = append(shown, Reason{one.Requirement, casework.Because(definition, one, languages...)})
		}
		return shown
	}
	shown := Application{
		ApplicationSummary: summarise(view.Application, definition, languages...), AppealUntil: view.AppealUntil,
		Evidence: []EvidenceShown{}, Rules: []RuleShown{}, Params: []ParamShown{}, Tasks: []TaskShown{}, Questions: []Asked{},
		Decisions: []Decision{}, Because: reasons(content.Because), History: []Entry{}, Represented: []Represented{},
	}
	var err error
	if shown.Answers, err = object(view.Answers); err != nil {
		return Application{}, err
	}
	for _, one := range view.Evidence {
		evidence, err := evidenceShown(one, languages...)
		if err != nil {
			return Application{}, err
		}
		shown.Evidence = append(shown.Evidence, evidence)
	}
	for _, one := range content.Rules {
		shown.Rules = append(shown.Rules, ruleShown(definition, one, languages...))
	}
	for _, one := range content.Params {
		shown.Params = append(shown.Params, ParamShown{one.Name, one.From, one.Value, one.Source})
	}
	for _, one := range view.Tasks {
		shown.Tasks = append(shown.Tasks, taskShown(one))
	}
	for _, one := range content.Questions {
		shown.Questions = append(shown.Questions, Asked{one.Text, by(one.By), one.At, one.Answer, one.Answered})
	}
	for _, one := range content.Decisions {
		shown.Decisions = append(shown.Decisions, Decision{one.Step, by(one.By), one.Action, reasons(one.Reasons), one.Form, one.At})
	}
	if one := content.Together; one != nil {
		shown.Together = &Together{one.Declared, int64(len(one.Confirmed))}
	}
	if one := content.Fee; one != nil {
		shown.Fee = &Fee{one.Amount, one.Asked, one.Paid, one.Back, one.Returned}
	}
	if one := content.Granted; one != nil {
		shown.Granted = &Granted{Payment: one.Payment, Order: one.Order, Document: one.Document, Rejected: one.Rejected}
		for _, paid := range one.Payments {
			shown.Granted.Payments = append(shown.Granted.Payments, Instalment{paid.Period, paid.Amount, paid.Order})
		}
	}
	if view.Queue != nil {
		shown.Queue = &Queue{Waiting: view.Queue.Waiting, Places: view.Queue.Places}
		for i, count := range view.Queue.Ahead {
			ahead := Ahead{Count: count}
			if i < len(definition.Places.Order) {
				ahead.By, ahead.Value = definition.Places.Order[i].Title.In(languages...), content.Place.Values[i]
			}
			shown.Queue.Ahead = append(shown.Queue.Ahead, ahead)
		}
	}
	if one := content.Ended; one != nil {
		shown.Ended = &Ended{one.At, reasons(one.Because)}
	}
	if one := content.Appeal; one != nil {
		shown.Appeal = &Appeal{one.Grounds, one.At, one.Upheld, reasons(one.Reasons), reasons(one.Previous)}
	}
	for _, one := range content.Represented {
		shown.Represented = append(shown.Represented, Represented{view.People[one.By.Subject()], one.Ground, one.At})
	}
	if view.Acting != nil {
		shown.Acting = view.Acting.Ground
	}
	for _, one := range content.History {
		shown.History = append(shown.History, Entry{one.At, one.What, by(one.By), one.Step, one.Note, one.For})
	}
	return shown, nil
}

// object returns values as a JSON object, never null.
func object(values map[string]any) (json.RawMessage, error) {
	if values == nil {
		return json.RawMessage("{}"), nil
	}
	return json.Marshal(values)
}

func evidenceShown(one casework.EvidenceView, languages ...string) (EvidenceShown, error) {
	shown := EvidenceShown{
		Name: one.Evidence.Name, Title: one.Evidence.Title.In(languages...), Of: ofWhom(one.Evidence), Hidden: one.Hidden,
		At: one.Bound.At, Agency: one.Evidence.Agency, VouchedBy: string(one.Bound.VouchedBy), Status: string(one.Bound.Status),
	}
	switch {
	case one.Attested:
		shown.Status = "attested"
	case !one.Known:
		shown.Status = "unknown"
	}
	if one.Hidden { // whether another adult stands in a register at all is theirs, too
		shown.Status, shown.At, shown.VouchedBy = "hidden", time.Time{}, ""
		return shown, nil
	}
	if one.Values != nil {
		var err error
		if shown.Values, err = object(one.Values); err != nil {
			return EvidenceShown{}, err
		}
		shown.Labels = map[string]string{}
		for name := range one.Values {
			shown.Labels[name] = one.Evidence.Labels[name].In(languages...)
		}
	}
	return shown, nil
}

func ruleShown(definition *service.Definition, one casework.RuleResult, languages ...string) RuleShown {
	shown := RuleShown{ID: one.ID, Outcome: one.Outcome, Read: []ReadingShown{}, Unknown: listed(one.Unknown)}
	shown.Text = casework.Because(definition, casework.Reason{Requirement: one.ID}, languages...)
	for _, reading := range one.Read {
		shown.Read = append(shown.Read, ReadingShown{reading.Path, reading.Value})
	}
	return shown
}

func taskShown(one casework.Task) TaskShown {
	return TaskShown{
		ID: one.ID, Step: one.Step, Agency: one.Agency, Role: one.Role, Territory: one.Territory, Escalated: one.Escalated,
		State: one.State, Opened: one.Opened, Due: one.Due, Closed: one.Closed,
	}
}
