package casework

import (
	"context"
	"maps"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/exchange"
	"yagona/kernel/ident"
	"yagona/kernel/representation"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// View is an application as one reader may see it.
type View struct {
	Application Application
	Definition  *service.Definition
	Content     Content
	Answers     map[string]any
	Evidence    []EvidenceView
	Tasks       []Task
	Right       *Entitlement              // what it left in force; nil: nothing that lasts
	Task        *Task                     // the official's own; nil for the applicant
	Queue       *QueuePosition            // of one that waits for a place, for its applicant; else nil
	Acting      *representation.Authority // by what the reader acts for the applicant; nil: they do not
	People      map[ident.Subject]string  // what those are called who act for the applicant, and whom the reader acts for
	AppealUntil time.Time                 // zero if it cannot be contested
	Awaited     *Question                 // the official's question that the applicant answers next; nil if none is open
	AnswerUntil time.Time                 // when it is too late to answer it; zero if none is open
}

// MayBeGivenUp reports whether the application gave something that lasts still and that its holder can give up.
func (v View) MayBeGivenUp() bool {
	return v.Application.State == Granted && v.Right != nil && v.Right.State == InForce && v.Definition.Licence == nil
}

// EvidenceView is an evidence as one reader may see it.
type EvidenceView struct {
	Evidence service.Evidence
	Bound    Bound
	Known    bool           // the register has answered
	Hidden   bool           // it is another adult's: the applicant sees the rule's result only
	Attested bool           // an official signed for the values
	Values   map[string]any // nil: there is no record, it is not known yet, or hidden
}

// view opens the file for a reader: the applicant, or an official ("").
func (c *Casework) view(ctx context.Context, f *file, reader ident.Subject) (View, error) {
	answers, err := f.answersOf()
	if err != nil {
		return View{}, err
	}
	view := View{Application: f.app, Definition: f.def, Content: f.content, Answers: answers, Tasks: f.tasks, Acting: f.acting, Right: f.right}
	if view.People, err = c.people(ctx, f); err != nil {
		return View{}, err
	}
	if assisted := f.content.Assisted; assisted != nil && assisted.Code != nil {
		shown, code := *assisted, *assisted.Code
		code.Digits = ""
		shown.Code, view.Content.Assisted = &code, &shown
	}
	if together := f.content.Together; together != nil { // who confirmed is theirs to tell
		shown := *together
		shown.Confirmed = make([]Member, len(together.Confirmed))
		for i, one := range together.Confirmed {
			shown.Confirmed[i].At = one.At
		}
		view.Content.Together = &shown
	}
	for _, evidence := range f.def.Evidence {
		for _, bound := range f.bound(evidence.Name) {
			shown := EvidenceView{Evidence: evidence, Bound: bound, Known: bound.Exchange != "" || bound.Status == statusNoRelation}
			shown.Hidden = reader != "" && bound.Of != reader && bound.Of != "" && evidence.Of.Relation != "children"
			attested, ok := f.content.Attested[evidence.Name]
			switch {
			case shown.Hidden:
				view.Content.Attested = maps.Clone(view.Content.Attested)
				delete(view.Content.Attested, evidence.Name)
			case ok:
				shown.Attested = true
				value, _, err := c.evidenceValue(ctx, f, evidence)
				if err != nil {
					return View{}, err
				}
				shown.Values, _ = value.(map[string]any)
				shown.Bound.At = attested.At
			case bound.Status == exchange.StatusAnswered:
				answer, ok := f.answers[bound.Exchange]
				if !ok {
					if answer, err = c.Evidence.Answer(ctx, bound.Exchange, bound.Of); err != nil {
						return View{}, err
					}
				}
				shown.Values = answer.Values
			}
			view.Evidence = append(view.Evidence, shown)
		}
	}
	if !f.content.contested() && (f.app.State == Refused || len(f.content.ended()) > 0) {
		days, err := c.calendarWithOutages(ctx)
		if err != nil {
			return View{}, err
		}
		view.AppealUntil = c.appealUntil(f, days.Deadline)
	}
	if view.Awaited = awaited(f.content.Questions, f.tasks); view.Awaited != nil {
		var err error
		if view.AnswerUntil, err = c.DueAfter(ctx, view.Awaited.At, answerDays); err != nil {
			return View{}, err
		}
	}
	return view, nil
}

// Own returns an application to its applicant, or to who may see it for them; that they read it is recorded first.
func (c *Casework) Own(ctx context.Context, by access.Actor, id ident.Application) (View, error) {
	var f *file
	var view View
	err := c.reading(ctx, func(ctx context.Context) (err error) {
		if f, err = c.own(ctx, by, id, representation.Read); err != nil {
			return err
		}
		if view, err = c.view(ctx, f, f.app.Applicant); err != nil {
			return err
		}
		view.Queue, err = c.position(ctx, f)
		return err
	})
	if err != nil {
		return View{}, err
	}
	f.withhold(&view)
	return view, c.readFor(ctx, f, by)
}

// OwnAll returns the person's applications, newest first.
func (c *Casework) OwnAll(ctx context.Context, by access.Actor, before ident.Application, limit int) (found []Application, err error) {
	if by.Person == "" {
		return nil, access.ErrForbidden
	}
	err = c.Store.View(ctx, func(tx Reader) error {
		found, err = tx.ApplicationsOf(by.Person.Subject(), before, min(max(limit, 1), 100))
		return err
	})
	return found, err
}

// What is published of a cell of the statistics. Counts are rounded to base 5, as Statistics Canada does with every count
// of its census (2011 Census, Data Quality and Confidentiality Standards and Guidelines, "Random rounding"), here to the
// nearest multiple, so that one more application is mostly not seen. Totals that are rounded by themselves would let a
// cell be computed out of the others: none is published but the sum of what is. A cell of few is left out as an empty one
// is: that there is anybody would tell the neighbours of the first.
const (
	SmallestCell = 5 // a cell of fewer is not published, so that nobody is recognised in it
	RoundedTo    = 5
)

// Statistics returns the public figures of a service, per territory and state, as they are published. Those of a
// confidential service are the whole country's, without a median, and count each applicant once, where their last
// application is: who could add as many as they like would find out, by when the published number moves, how many others
// there are.
func (c *Casework) Statistics(ctx context.Context, of ident.Service) (counts []Count, err error) {
	confidential := c.Catalogue().Confidential(of)
	err = c.Store.View(ctx, func(tx Reader) error {
		if confidential {
			counts, err = tx.Applicants(of)
			return err
		}
		counts, err = tx.Counts(of)
		return err
	})
	if confidential {
		for i := range counts {
			counts[i].Territory = c.Territories.Root()
		}
	}
	var told []Count
	for _, one := range counts {
		if one.Number = Rounded(one.Number); one.Number > 0 {
			one.Median = one.Median.Round(time.Hour) // an exact one is the time of one person's application
			told = append(told, one)
		}
	}
	return told, err
}

// Rounded returns the number that is published for an exact one; 0: none, or too few to say.
func Rounded(exact int64) int64 {
	if exact < SmallestCell {
		return 0
	}
	return (exact + RoundedTo/2) / RoundedTo * RoundedTo
}

// Because returns the words that a refused person reads for a reason.
func Because(definition *service.Definition, reason Reason, languages ...string) string {
	for _, requirement := range definition.Require {
		if requirement.ID == reason.Requirement {
			return requirement.Otherwise.In(languages...)
		}
	}
	if definition.Licence != nil && reason.Requirement == service.Ended {
		return definition.Licence.Over.In(languages...)
	}
	if definition.Every != nil && reason.Requirement == service.Ended {
		return definition.Every.Over.In(languages...)
	}
	for _, evidence := range definition.Evidence {
		if evidence.Name == reason.Requirement {
			return evidence.Missing.In(languages...)
		}
	}
	return reason.Text
}

// Outcomes of a rule result, as package rules names them.
var (
	OutcomeMet     = rules.Met.String()
	OutcomeNotMet  = rules.NotMet.String()
	OutcomeUnclear = rules.Unclear.String()
)
