package casework

import (
	"context"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/service"
)

// Assisted says that an official wrote an application down for a resident who asked them to. The resident is the
// applicant: until they have confirmed what stands in it, no register is asked and nothing is sent.
type Assisted struct {
	By        journal.Actor `json:"by"` // the helper, who is never the only official that decides it
	At        time.Time     `json:"at"`
	Made      time.Time     `json:"made,omitzero"` // by the device's clock, if it was written down without a connection
	Code      *Code         `json:"code,omitempty"`
	Confirmed time.Time     `json:"confirmed,omitzero"`
	Means     Confirmation  `json:"means,omitempty"`
	Summary   string        `json:"summary,omitempty"` // the attachment: the signed summary
	Looked    []Look        `json:"looked,omitempty"`  // who looked at the signed summary
}

// Look says that an official looked at the signed summary.
type Look struct {
	By journal.Actor `json:"by"`
	At time.Time     `json:"at"`
}

// Confirmation is how a resident confirmed an application that an official wrote down.
type Confirmation string

// The means of confirmation.
const (
	ConfirmedBySignIn  Confirmation = "own-sign-in"    // they signed in and sent it themself
	ConfirmedByCode    Confirmation = "code"           // they told the code that was sent to their address
	ConfirmedByPasskey Confirmation = "passkey"        // they signed with their passkey
	ConfirmedByPaper   Confirmation = "signed-summary" // they signed the printed summary, which was photographed
	largestAttachment               = 2 << 20          // bytes of a re-encoded photo
)

// Attachment is a file that belongs to an application, as the store keeps it: under the applicant's key, sealed.
type Attachment struct {
	ID          string
	Applicant   ident.Subject
	Application ident.Application
	Kind        string // what it is: "signed-summary"
	Sealed      []byte // its bytes, under the applicant's key with the context "attachment:<id>"
	Event       ident.Event
}

// Cover returns what an event says of the attachment.
func (a Attachment) Cover() journal.Cover {
	return journal.Cover{Row: "attachment/" + a.ID, Digest: journal.Digest(a.covered())}
}

func (a Attachment) covered() Attachment { a.Event = ""; return a }

var (
	errHelpsSelf   = fault.New(fault.Forbidden, "assist.self", "This number is your own. Apply on your own page, as a resident.")
	errHelpsClose  = fault.New(fault.Forbidden, "assist.own-interest", "You live with this person or may act for them. Another official helps them, or they apply on their own page.")
	errMostDrafts  = fault.New(fault.Conflict, "assist.too-many-drafts", "Too many drafts are waiting for this person. Let them confirm one or take one back first.")
	errAttachment  = fault.New(fault.Invalid, "assist.photo", "Add a photo of the signed summary, at most two megabytes.").At("photo")
	errHelperAlone = fault.New(fault.Forbidden, "task.helper-alone", "You wrote this application down for the applicant. Another official decides it: hand it over.")
	errUnseen      = fault.New(fault.Conflict, "task.summary-unseen", "The applicant confirmed this application on paper. Look at the photo of the signed sheet first, then decide.")
)

// Dictated is an application as a resident told it to an official.
type Dictated struct {
	ID        ident.Application // made by the client or, if empty, by Assist; the same id again changes nothing
	Applicant ident.Person
	Service   ident.Service
	Language  string
	Answers   map[string]any

	Made   time.Time // by the device's clock; zero: it was written down with a connection
	Digest []byte    // SHA-256 over what the device wrote down then, with a random salt
}

// Assist writes an application down for a resident, as a draft that they are to confirm. Answers that are wrong or
// missing come back as field.Problems, and nothing is stored. The same id again gives the draft that it gave first.
func (c *Casework) Assist(ctx context.Context, by access.Actor, told Dictated) (Application, error) {
	offline := !told.Made.IsZero()
	switch {
	case by.Appointment == nil:
		return Application{}, access.ErrForbidden
	case told.Applicant == by.Person:
		return Application{}, errHelpsSelf
	case offline && len(told.Digest) != 32:
		return Application{}, errAct
	}
	if err := c.mayHelp(ctx, by, told.Applicant.Subject()); err != nil {
		return Application{}, err
	}
	f, err := c.start(ctx, access.Actor{Person: told.Applicant}, told.ID, told.Service, told.Language)
	if err != nil {
		return Application{}, err
	}
	if f.app.Revision > 0 {
		if f.helper() != by.Person {
			return Application{}, errUnknown
		}
		return f.app, nil
	}
	stored := map[string]any{}
	var problems field.Problems
	for name, value := range told.Answers {
		question, ok := field.Find(f.def.Fields(), name)
		if !ok {
			continue
		}
		checked, wrong := question.Check(c.Scheme, value)
		problems = append(problems, wrong...)
		stored[name] = checked
	}
	if err := problems.Err(); err != nil {
		return Application{}, err
	}
	if f.content.Answers, err = field.Encode(stored); err != nil {
		return Application{}, err
	}
	if _, problems, err = c.check(ctx, f); err != nil {
		return Application{}, err
	}
	if err := problems.Err(); err != nil {
		return Application{}, err
	}
	f.content.Assisted, f.app.Helper = &Assisted{By: by.Journal(), At: f.now}, by.Person
	event := journal.Event{Type: "application.assisted", Actor: by.Journal()}
	f.note(event.Type, by.Journal(), "", "")
	if offline {
		made := told.Made.UTC().Truncate(time.Microsecond)
		f.content.Assisted.Made, f.content.History[len(f.content.History)-1].Made = made, made
		event.Facts = deviceFacts(string(told.ID), made, told.Digest)
	}
	f.counted = true
	f.queue(JobExpire, f.app.Expires, f.job(""))
	err = c.store(ctx, f, event)
	switch {
	case fault.Code(err) == errDrafts.Code:
		return Application{}, errMostDrafts
	case isChanged(err): // perhaps the same, sent twice at once
		if again, err := c.assisted(ctx, by, f.app.ID); err == nil {
			return again.app, nil
		}
	}
	return f.app, err
}

// mayHelp checks that the official is not close to the applicant: who would not decide for somebody does not say for them
// what they ask for either.
func (c *Casework) mayHelp(ctx context.Context, by access.Actor, applicant ident.Subject) error {
	err := c.disinterested(ctx, by, applicant)
	if fault.Code(err) == errInterest.Code {
		return errHelpsClose
	}
	return err
}

// helper returns the official who wrote the application down, if one did.
func (f *file) helper() ident.Person {
	if f.content.Assisted == nil {
		return ""
	}
	return f.content.Assisted.By.Person
}

// assisted loads a draft for the official who wrote it down; for anyone else, and once it was sent, there is none.
func (c *Casework) assisted(ctx context.Context, by access.Actor, id ident.Application) (*file, error) {
	f, err := c.load(ctx, id)
	if fault.Is(err, fault.NotFound) || isArchived(err) || err == nil && (by.Appointment == nil || f.helper() != by.Person) {
		return nil, errUnknown
	}
	if err != nil {
		return nil, err
	}
	return f, c.mayHelp(ctx, by, f.app.Applicant)
}

// mostHelped is how many drafts a helper sees: who helps more people than that at once looks at the newest.
const mostHelped = 100

// AssistedDrafts returns the drafts that an official wrote down and that still wait for their residents' confirmation,
// newest first. What stands in them, and whose they are, is not told: reading one is recorded.
func (c *Casework) AssistedDrafts(ctx context.Context, by access.Actor) (waiting []Application, err error) {
	if by.Appointment == nil {
		return nil, access.ErrForbidden
	}
	err = c.Store.View(ctx, func(tx Reader) error {
		waiting, err = tx.AssistedDrafts(by.Person, mostHelped)
		return err
	})
	for i, one := range waiting {
		waiting[i] = Application{ID: one.ID, Service: one.Service, Agency: one.Agency, State: one.State, Created: one.Created, Expires: one.Expires, Helper: one.Helper}
	}
	return waiting, err
}

// AssistedDraft returns a draft to the official who wrote it down, to be printed and signed. That it was read is recorded
// first.
func (c *Casework) AssistedDraft(ctx context.Context, by access.Actor, id ident.Application) (View, error) {
	f, err := c.assisted(ctx, by, id)
	if err != nil {
		return View{}, err
	}
	if f.app.State != Draft {
		return View{}, errNotDraft
	}
	view, err := c.view(ctx, f, f.app.Applicant)
	if err != nil {
		return View{}, err
	}
	return view, c.disclose(ctx, f, by, access.Assist, &Task{Agency: by.Appointment.Agency, Role: by.Appointment.Role})
}

// ConfirmAssisted sends a draft that an official wrote down, with the photo of the summary that the applicant signed: a
// picture without metadata. Only now are the registers asked. Sending again gives the same receipt.
func (c *Casework) ConfirmAssisted(ctx context.Context, by access.Actor, id ident.Application, revision int64, photo []byte) (Receipt, error) {
	f, err := c.assisted(ctx, by, id)
	if err != nil {
		return Receipt{}, err
	}
	switch {
	case f.app.State == Expired:
		return Receipt{}, errClosed
	case f.app.State != Draft:
		return f.receipt(), nil
	case f.app.Revision != revision:
		return Receipt{}, errChanged
	case len(photo) == 0 || len(photo) > largestAttachment:
		return Receipt{}, errAttachment
	}
	summary := Attachment{ID: ident.New[string](f.now), Applicant: f.app.Applicant, Application: id, Kind: string(ConfirmedByPaper)}
	if summary.Sealed, err = f.sealer.Seal(f.app.Applicant, attachmentContext(summary.ID), photo); err != nil {
		return Receipt{}, err
	}
	f.attachments = append(f.attachments, summary)
	f.content.Assisted.Summary = summary.ID
	f.confirmed(ConfirmedByPaper)
	return c.submit(ctx, by, f)
}

// confirmed says that the resident confirmed what was written down for them.
func (f *file) confirmed(means Confirmation) {
	f.content.Assisted.Confirmed, f.content.Assisted.Means, f.content.Assisted.Code = f.now, means, nil
}

func attachmentContext(id string) string { return "attachment:" + id }

// Summary returns the photo of the signed summary to an official who has a task of the application. That it was read is
// recorded first.
func (c *Casework) Summary(ctx context.Context, by access.Actor, id ident.Task) ([]byte, error) {
	f, task, err := c.taken(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if f.content.Assisted == nil || f.content.Assisted.Summary == "" {
		return nil, errUnknown
	}
	return c.attachment(ctx, f, by, task, f.content.Assisted.Summary)
}

// LookedAtSummary records that an official who has a task of the application looked at the photo of the signed summary:
// before it they do not decide. Saying it again changes nothing.
func (c *Casework) LookedAtSummary(ctx context.Context, by access.Actor, id ident.Task) error {
	f, task, err := c.taken(ctx, by, id)
	if err != nil {
		return err
	}
	if f.content.Assisted == nil || f.content.Assisted.Summary == "" {
		return errUnknown
	}
	if f.looked(by) {
		return nil
	}
	if err := yours(task, by); err != nil {
		return err
	}
	f.content.Assisted.Looked = append(f.content.Assisted.Looked, Look{By: by.Journal(), At: f.now})
	err = c.store(ctx, f, journal.Event{Type: "application.summary-looked-at", Actor: by.Journal(), Facts: map[string]string{"step": task.Step}})
	return err
}

// looked reports whether the official need not look at a signed summary, or did.
func (f *file) looked(by access.Actor) bool {
	assisted := f.content.Assisted
	return assisted == nil || assisted.Means != ConfirmedByPaper ||
		slices.ContainsFunc(assisted.Looked, func(one Look) bool { return one.By.Person == by.Person })
}

// Progress says how far an application is, and nothing of whom or what it is about: for whoever has its number on paper.
type Progress string

// The values of Progress.
const (
	ProgressDraft    Progress = "draft"    // written down, not sent
	ProgressReceived Progress = "received" // not decided yet
	ProgressDecided  Progress = "decided"
	ProgressClosed   Progress = "closed" // withdrawn or expired
)

// Progress returns how far the application with the number is.
func (c *Casework) Progress(ctx context.Context, id ident.Application) (Progress, error) {
	var app Application
	err := c.Store.View(ctx, func(tx Reader) (err error) {
		app, err = tx.Application(id)
		return err
	})
	switch {
	case fault.Is(err, fault.NotFound):
		return "", errUnknown
	case err != nil:
		return "", err
	case app.State == Draft:
		return ProgressDraft, nil
	case app.State.IsOpen():
		return ProgressReceived, nil
	case app.State == Granted || app.State == Refused:
		return ProgressDecided, nil
	}
	return ProgressClosed, nil
}

// helped checks that the official who wrote the application down is not the only one who decides it.
func (f *file) helped(by access.Actor, task *Task, action service.Action) error {
	if f.helper() != by.Person || action == service.Ask || action == service.Recommend && !f.isLast(task) {
		return nil
	}
	for _, earlier := range f.content.Decisions {
		if earlier.By.Person != "" && earlier.By.Person != by.Person {
			return nil
		}
	}
	return errHelperAlone
}
