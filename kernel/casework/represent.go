package casework

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/notice"
	"yagona/kernel/representation"
)

// Representatives is what casework needs to know of who may act for whom; it is what package representation's does.
type Representatives interface {
	May(ctx context.Context, by ident.Person, of ident.Subject, service ident.Service, action representation.Action) (representation.Authority, error)
	Represents(ctx context.Context, by ident.Person, of ident.Subject) (bool, error)
	Authorities(ctx context.Context, by ident.Person) ([]representation.Authority, error)
	Name(ctx context.Context, of ident.Subject) (string, error)
}

// Represented says that somebody acted in an application for its applicant, and by what.
type Represented struct {
	By      ident.Person          `json:"by"`
	Ground  representation.Ground `json:"ground"`
	Mandate ident.Mandate         `json:"mandate,omitempty"`
	At      time.Time             `json:"at"`              // when they last acted
	Began   bool                  `json:"began,omitempty"` // they began the application
}

var (
	errRepresentsAsOfficial = fault.New(fault.Forbidden, "representation.as-official", "You work as an official now. Act for others as a resident.")
	errConfidential         = fault.New(fault.Forbidden, "representation.confidential", "This service is confidential: nobody asks for it on behalf of another. Whom it is about asks themself, or with an official beside them.")
	errNotFor               = fault.New(fault.Invalid, "service.not-for", "This service is not for whom you apply. Look who it is for.")
)

// represents looks up by what the actor may do the action for the applicant.
func (c *Casework) represents(ctx context.Context, by access.Actor, of ident.Subject, service ident.Service, action representation.Action) (*representation.Authority, error) {
	switch {
	case c.Representatives == nil || by.Person == "":
		return nil, representation.ErrNone
	case by.Appointment != nil:
		return nil, errRepresentsAsOfficial
	case c.Catalogue().Confidential(service):
		return nil, errConfidential
	}
	authority, err := c.Representatives.May(ctx, by.Person, of, service, action)
	return &authority, err
}

// own loads a file for its applicant, or for who may do the action for them; for anyone else there is no such
// application. A representative who may only apply sees what they began themself.
func (c *Casework) own(ctx context.Context, by access.Actor, id ident.Application, action representation.Action) (*file, error) {
	f, err := c.load(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil, errUnknown
	}
	if isArchived(err) {
		return nil, c.leftOf(ctx, by, id)
	}
	if err != nil {
		return nil, err
	}
	if by.Person == "" {
		return nil, errUnknown
	}
	if f.app.Applicant == by.Person.Subject() {
		return f, nil
	}
	began := f.representedBy(by.Person)
	f.acting, err = c.represents(ctx, by, f.app.Applicant, f.app.Service, action)
	if action == representation.Read && fault.Code(err) == codeScope && began {
		f.acting, err = c.represents(ctx, by, f.app.Applicant, f.app.Service, representation.Apply)
	}
	switch {
	case err == nil && !f.acting.Reads && !began:
		return nil, errUnknown
	case err != nil && fault.Is(err, fault.Forbidden) && !began:
		if _, unseen := c.represents(ctx, by, f.app.Applicant, f.app.Service, representation.Read); action == representation.Read || unseen != nil {
			return nil, errUnknown
		}
		return nil, err
	case err != nil:
		return nil, err
	}
	return f, c.openFor(ctx, f)
}

const codeScope = "representation.scope"

// openFor makes the file ready for an act of a representative, of which both are told.
func (c *Casework) openFor(ctx context.Context, f *file) (err error) {
	f.sealer, err = c.Vault.Open(ctx, f.app.Applicant, f.acting.Representative.Subject())
	return err
}

// representedBy reports whether the person acted in the application for its applicant.
func (f *file) representedBy(who ident.Person) bool {
	return slices.ContainsFunc(f.content.Represented, func(one Represented) bool { return one.By == who })
}

// represent records in the file that its act is a representative's.
func (f *file) represent() {
	if f.acting == nil {
		return
	}
	acted := Represented{By: f.acting.Representative, Ground: f.acting.Ground, Mandate: f.acting.Mandate, At: f.now, Began: f.app.Revision == 0}
	i := slices.IndexFunc(f.content.Represented, func(one Represented) bool {
		return one.By == acted.By && one.Ground == acted.Ground && one.Mandate == acted.Mandate
	})
	if i < 0 {
		f.content.Represented = append(f.content.Represented, acted)
		return
	}
	acted.Began = acted.Began || f.content.Represented[i].Began
	f.content.Represented[i] = acted
}

// beganBy returns the representative who began another application of the file's applicant; empty: no representative did.
func (f *file) beganBy(other Application) (ident.Person, error) {
	if other.Archived != "" {
		return "", nil // whoever it was can do nothing in it any more
	}
	plain, err := f.sealer.Unseal(other.Applicant, contentContext(other.ID), other.Sealed)
	if err != nil {
		return "", err
	}
	var content Content
	if err := json.Unmarshal(plain, &content); err != nil {
		return "", err
	}
	for _, one := range content.Represented {
		if one.Began {
			return one.By, nil
		}
	}
	return "", nil
}

// sentBy returns who sent the application for its applicant; nil if they did themself.
func (f *file) sentBy() *Represented {
	for _, entry := range slices.Backward(f.content.History) {
		if entry.What != "application.submitted" {
			continue
		}
		for i, one := range f.content.Represented {
			if one.By == entry.By.Person {
				return &f.content.Represented[i]
			}
		}
		return nil
	}
	return nil
}

// readFor records, before the file is shown to a representative, that they read it. What they wrote themself and nobody
// has sent tells them nothing.
func (c *Casework) readFor(ctx context.Context, f *file, by access.Actor) error {
	if f.acting == nil || f.app.State == Draft && f.representedBy(by.Person) {
		return nil
	}
	return c.tellOfReading(ctx, f.app.Applicant, by, f.acting.Ground, map[string]any{"service": f.app.Service, "application": f.app.ID}, "application:"+string(f.app.ID))
}

func (c *Casework) tellOfReading(ctx context.Context, subject ident.Subject, by access.Actor, ground representation.Ground, told map[string]any, object string) error {
	sealer, err := c.Vault.Open(ctx, subject)
	if err != nil {
		return err
	}
	told["ground"] = ground
	return c.Store.Update(ctx, act.Of(subject), func(tx Tx) error {
		_, err := journal.Append(tx, sealer, journal.Event{
			Type: "application.read-for", Actor: by.Journal(), Object: object, Purpose: string(access.Represent),
			Parts: []journal.Part{{Subject: subject, Disclosure: true, Personal: told}},
		})
		return err
	})
}

// withhold takes out of a view what a representative may not see who may apply, but not read: what registers say of the
// other. They see what the rules make of it.
func (f *file) withhold(view *View) {
	if f.acting == nil || f.acting.Reads {
		return
	}
	for i := range view.Evidence {
		view.Evidence[i].Hidden, view.Evidence[i].Values = true, nil
	}
	view.Content.Rules = slices.Clone(view.Content.Rules)
	for i := range view.Content.Rules {
		view.Content.Rules[i].Read = nil
	}
	view.Content.Attested, view.Content.Params = nil, nil
}

// people returns what those are called who acted for the applicant, and whom the reader acts for.
func (c *Casework) people(ctx context.Context, f *file) (map[ident.Subject]string, error) {
	var named []ident.Subject
	for _, one := range f.content.Represented {
		named = append(named, one.By.Subject())
	}
	if f.acting != nil {
		named = append(named, f.app.Applicant)
	}
	if len(named) == 0 || c.Representatives == nil {
		return nil, nil
	}
	names := map[ident.Subject]string{}
	for _, subject := range named {
		name, err := c.Representatives.Name(ctx, subject)
		if err != nil {
			return nil, err
		}
		names[subject] = name
	}
	return names, nil
}

// RepresentedAll returns the applications of somebody for whom the actor may act, newest first, as far as they may see
// them. That they looked is recorded first.
func (c *Casework) RepresentedAll(ctx context.Context, by access.Actor, of ident.Subject, before ident.Application, limit int) ([]Application, error) {
	authority, err := c.represents(ctx, by, of, "", representation.Read)
	if fault.Code(err) == codeScope {
		authority, err = c.represents(ctx, by, of, "", representation.Apply)
	}
	if err != nil {
		return nil, err
	}
	var found []Application
	err = c.Store.View(ctx, func(tx Reader) error {
		found, err = tx.ApplicationsOf(of, before, min(max(limit, 1), 100))
		return err
	})
	if err != nil {
		return nil, err
	}
	var shown []Application
	for _, app := range found {
		if _, err := c.own(ctx, by, app.ID, representation.Read); err == nil {
			shown = append(shown, app)
		} else if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Forbidden) {
			return nil, err
		}
	}
	return shown, c.tellOfReading(ctx, of, by, authority.Ground, map[string]any{}, "")
}

// tied returns an error if the official may not decide because of the applicant or of who acted for them: it is the
// official themself, somebody they live with, or somebody for whom they may act.
func (c *Casework) tied(ctx context.Context, by access.Actor, f *file) error {
	if err := c.disinterested(ctx, by, f.app.Applicant); err != nil {
		return err
	}
	for _, one := range f.content.Represented {
		if err := c.disinterested(ctx, by, one.By.Subject()); err != nil {
			return err
		}
	}
	return nil
}

// JobTell tells a representative what became of an application that they sent, under their own key: Casework.Tell.
const JobTell = "application.tell-representative"

type telling struct {
	Job
	Reader ident.Person `json:"reader"`
	Event  string       `json:"event"`
}

// tellRepresentative has the one who sent the application for its applicant told, too.
func (f *file) tellRepresentative(event string) {
	if sent := f.sentBy(); sent != nil {
		f.queue(JobTell, time.Time{}, telling{f.job(""), sent.By, event})
	}
}

// Tell tells a representative, if they still are one (JobTell).
func (c *Casework) Tell(ctx context.Context, queued job.Job, wanted telling) error {
	_, err := c.own(ctx, access.Actor{Person: wanted.Reader}, wanted.Application, representation.Read)
	if fault.Is(err, fault.Forbidden) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Erased) {
		return nil
	}
	if err != nil {
		return err
	}
	reader := wanted.Reader.Subject()
	sealer, err := c.Vault.Open(ctx, reader)
	if err != nil {
		return err
	}
	return c.Store.Update(ctx, act.Of(reader), func(tx Tx) error {
		id := journal.NewID(tx)
		covers, err := notice.Add(tx, wanted.Event, wanted.Application, string(queued.ID), id)
		if err != nil || len(covers) == 0 {
			return err
		}
		return journal.AppendAs(tx, sealer, id, journal.Event{
			Type: "notice.posted", Actor: platform("notice"), Object: "application:" + string(wanted.Application),
			Facts: map[string]string{"kind": wanted.Event}, Covers: covers, Parts: []journal.Part{{Subject: reader}},
		})
	})
}
