package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/document"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/notice"
	"yagona/kernel/offer"
	"yagona/kernel/representation"
	"yagona/kernel/rules"
	"yagona/kernel/seal"
	"yagona/kernel/service"
)

// file is an application with all that belongs to it, opened, while an act is being prepared.
type file struct {
	app     Application
	content Content
	def     *service.Definition
	tasks   []Task
	changed map[ident.Task]bool
	answers map[ident.Exchange]exchange.Answer // the values of bound evidence, as far as opened
	sealer  *seal.Sealer
	now     time.Time

	jobs        []pendingJob
	documents   []document.Prepared
	told        []string                  // the events that the applicant is told of
	unkept      *exchange.Unkept          // what registers answered about the applicant for this act
	acting      *representation.Authority // by what the act is a representative's; nil: it is not
	offer       *offer.Offer              // that the act makes
	alone       bool                      // the act fails if another application of the same person to the service is open
	sends       bool                      // the act fails if as many applications of the same person to the service are open as may be
	counted     bool                      // the act fails if there are as many drafts as one may have
	attachments []Attachment
	takenUp     []string     // uploads that became attachments
	right       *Entitlement // what the application left in force
	revoked     []revocation
	outcomes    *outcomes     // what was granted to the applicant before the registers were asked; nil: not looked at
	granting    bool          // the act grants: it fails if more was granted since
	paying      bool          // the act pays a period: it fails if the period is paid already
	day         calendar.Date // for which the rules are evaluated; zero: the day of the act
	arrival     *Arrival      // the act that was done offline, if this is one
	finish      *job.Job      // the job that this act does, removed with it

	recorded *journal.Recorded // the event of the act, once it is done; nil: nothing was done yet
}

type pendingJob struct {
	kind    string
	due     time.Time // zero: at once
	payload any
}

// reading runs readings, of casework and of those whom it asks, on one snapshot.
func (c *Casework) reading(ctx context.Context, run func(ctx context.Context) error) error {
	return c.Store.View(ctx, func(tx Reader) error { return run(tx.Within(ctx)) })
}

// load reads and opens a file that is at hand.
func (c *Casework) load(ctx context.Context, id ident.Application) (*file, error) {
	f, err := c.read(ctx, id)
	if err == nil {
		err = c.unseal(ctx, f)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// unseal opens a file that was read and is at hand.
func (c *Casework) unseal(ctx context.Context, f *file) (err error) {
	if f.app.Archived != "" {
		return c.archived(ctx, f.app)
	}
	if f.def, err = c.Catalogue().Version(f.app.Version); err != nil {
		return err
	}
	if f.sealer, err = c.Vault.Open(ctx, f.app.Applicant); err != nil {
		return err
	}
	plain, err := f.sealer.Unseal(f.app.Applicant, contentContext(f.app.ID), f.app.Sealed)
	if err != nil {
		return err
	}
	if err := jsonv2.Unmarshal(plain, &f.content); err != nil {
		return err
	}
	if err := f.typed(); err != nil {
		return err
	}
	f.prepare(c.Clock())
	return nil
}

// read reads what of a file is not sealed.
func (c *Casework) read(ctx context.Context, id ident.Application) (*file, error) {
	var f file
	err := c.Store.View(ctx, func(tx Reader) (err error) {
		if f.app, err = tx.Application(id); err != nil {
			return err
		}
		if f.tasks, err = tx.TasksOf(f.app.Applicant, id); err != nil {
			return err
		}
		right, err := tx.Entitlement(f.app.Applicant, id)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		f.right = &right
		return err
	})
	return &f, err
}

// typed gives the values that were stored as JSON back their types: an amount of money is no mere number.
func (f *file) typed() error {
	var fields []rules.Field
	stored := map[string]any{}
	for _, param := range f.def.Params {
		fields = append(fields, rules.Field{Name: param.Name, Type: param.Type})
	}
	for _, used := range f.content.Params {
		stored[used.Name] = used.Value
	}
	criterion := func(i int) string { return fmt.Sprintf("place %d", i) } // no param's name has a space
	if f.content.Place != nil {
		for i, value := range f.content.Place.Values {
			fields = append(fields, rules.Field{Name: criterion(i), Type: f.def.Places.Order[i].By.Type()})
			stored[criterion(i)] = value
		}
	}
	if len(stored) == 0 {
		return nil
	}
	encoded, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	values, err := field.Decode(rules.ObjectOf(fields...), encoded)
	if err != nil {
		return err
	}
	for i, used := range f.content.Params {
		f.content.Params[i].Value = values[used.Name]
	}
	if f.content.Place != nil {
		for i := range f.content.Place.Values {
			f.content.Place.Values[i] = values[criterion(i)]
		}
	}
	return nil
}

// prepare makes the file ready for an act at the time, which is never before its last act.
func (f *file) prepare(now time.Time) {
	f.now = now.UTC().Truncate(time.Microsecond)
	for _, entry := range f.content.History {
		if entry.At.After(f.now) {
			f.now = entry.At
		}
	}
	f.changed = map[ident.Task]bool{}
	f.answers = map[ident.Exchange]exchange.Answer{}
}

func contentContext(id ident.Application) string { return "application:" + string(id) }

// task returns the file's task with the id.
func (f *file) task(id ident.Task) (*Task, error) {
	for i := range f.tasks {
		if f.tasks[i].ID == id {
			return &f.tasks[i], nil
		}
	}
	return nil, errNoTask
}

var errNoTask = fault.New(fault.NotFound, "task.unknown", "There is no such task here, or it is not for you to see.")

// note adds a line to the history.
func (f *file) note(what string, by journal.Actor, step, note string) {
	entry := Entry{At: f.now, What: what, By: by, Step: step, Note: note}
	if f.acting != nil && by.Person == f.acting.Representative {
		entry.For = f.acting.Ground
	}
	if f.arrival != nil {
		entry.Made = f.arrival.Made
	}
	f.content.History = append(f.content.History, entry)
}

// queue queues a job with the act.
func (f *file) queue(kind string, due time.Time, payload any) {
	f.jobs = append(f.jobs, pendingJob{kind, due, payload})
}

// tell leaves the applicant a notice with the act.
func (f *file) tell(event string) {
	f.told = append(f.told, event)
	f.tellRepresentative(event)
}

// store commits the act: the application with its next revision, the changed tasks, the documents, what registers
// answered, the notices, the jobs, the event.
// A file that somebody else changed in between gives errChanged, and nothing is stored.
func (c *Casework) store(ctx context.Context, f *file, event journal.Event) error {
	if event.Facts == nil {
		event.Facts = map[string]string{}
	}
	if f.arrival != nil {
		f.content.Arrivals = append(f.content.Arrivals, *f.arrival)
		maps.Copy(event.Facts, f.arrival.facts())
	}
	f.represent()
	plain, err := json.Marshal(f.content)
	if err != nil {
		return err
	}
	app := f.app
	if app.Sealed, err = f.sealer.Seal(app.Applicant, contentContext(app.ID), plain); err != nil {
		return err
	}
	app.Revision++
	event.Object = "application:" + string(app.ID)
	parts := []journal.Part{{Subject: app.Applicant}}
	if f.acting != nil {
		told := map[string]any{"ground": f.acting.Ground, "mandate": f.acting.Mandate}
		parts[0].Personal = told
		parts = append(parts, journal.Part{Subject: f.acting.Representative.Subject(), Personal: told})
	}
	event.Parts = append(parts, event.Parts...)
	event.Facts["service"], event.Facts["state"] = string(app.Service), string(app.State)
	var recorded journal.Recorded
	err = c.Store.Update(ctx, act.Of(app.Applicant), func(tx Tx) error {
		if err := unchanged(tx, f.app); err != nil {
			return err
		}
		if f.acting != nil {
			if err := representation.Still(tx, *f.acting, tx.Now()); err != nil {
				return err
			}
		}
		others := sync.OnceValues(func() ([]Outline, error) { return tx.OutlinesOf(f.app.Applicant, mostOpen) })
		if f.sends {
			if err := c.fewOpen(tx, f, others); err != nil {
				return err
			}
		}
		if f.granting {
			if err := c.nothingSince(tx, f, others); err != nil {
				return err
			}
		}
		if f.counted {
			if err := f.fewDrafts(tx); err != nil {
				return err
			}
		}
		id := journal.NewID(tx)
		event := event
		app.Event = id
		if err := tx.SaveApplication(app); err != nil {
			return err
		}
		offered, err := f.saveOffer(tx, id)
		if err != nil {
			return err
		}
		covers := append(append(offered, event.Covers...), app.Cover())
		for _, task := range f.tasks {
			if !f.changed[task.ID] {
				continue
			}
			task.Event = id
			if err := tx.SaveTask(task); err != nil {
				return err
			}
			covers = append(covers, task.Cover())
		}
		if f.right != nil {
			if f.paying {
				if err := f.unpaid(tx); err != nil {
					return err
				}
			}
			right := *f.right
			right.Event = id
			if err := tx.SaveEntitlement(right); err != nil {
				return err
			}
			covers = append(covers, right.Cover())
		}
		for _, told := range f.told {
			added, err := notice.Add(tx, told, app.ID, string(id), id)
			if err != nil {
				return err
			}
			covers = append(covers, added...)
		}
		for _, one := range f.attachments {
			one.Event = id
			if err := tx.AddAttachment(one); err != nil {
				return err
			}
			covers = append(covers, one.Cover())
		}
		for _, id := range f.takenUp {
			if _, err := tx.Upload(f.app.Applicant, id); err != nil {
				return errPhotos // it has expired meanwhile
			}
			if err := tx.RemoveUpload(id); err != nil {
				return err
			}
		}
		event.Covers = covers
		if err := f.unkept.Keep(tx); err != nil {
			return err
		}
		for _, one := range f.documents {
			if err := document.Issue(tx, f.sealer, event.Actor, one); err != nil {
				return err
			}
		}
		for _, one := range f.revoked {
			if err := document.Revoke(tx, f.sealer, event.Actor, one.document, one.reason); err != nil && !fault.Is(err, fault.Conflict) {
				return err // it counts no more already
			}
		}
		for _, one := range f.jobs {
			due := one.due
			if due.Before(tx.Now()) {
				due = tx.Now()
			}
			if err := job.QueueAt(tx, one.kind, due, one.payload); err != nil {
				return err
			}
		}
		if f.finish != nil {
			if err := tx.FinishJob(f.finish.Key, f.finish.ID); err != nil {
				return err
			}
		}
		recorded, err = journal.Record(tx, f.sealer, id, event)
		return err
	})
	if isArchived(err) {
		_, err = c.load(ctx, f.app.ID) // it says since when
	}
	if err != nil {
		return err
	}
	f.unkept.Kept()
	f.app, f.recorded = app, &recorded
	return nil
}

// acknowledge is store, and gives the act's receipt.
func (c *Casework) acknowledge(ctx context.Context, f *file, event journal.Event) (Receipt, error) {
	if err := c.store(ctx, f, event); err != nil {
		return Receipt{}, err
	}
	return f.receipt(), nil
}

// receipt returns the receipt of the act that was done last to the file.
func (f *file) receipt() Receipt { return Receipt{f.app, f.app.Event, f.recorded} }

// unchanged checks that the stored application is still the one that was read.
func unchanged(tx Tx, read Application) error {
	revision, archived, err := tx.RevisionOf(read.ID)
	switch {
	case fault.Is(err, fault.NotFound) && read.Revision == 0:
		return nil
	case err != nil:
		return err
	case archived:
		return errArchived // between the reading and the act
	case revision != read.Revision:
		return errChanged
	}
	return nil
}

// How many of a person's newest applications are looked through, and how many of them may be open to one service: enough
// for somebody who reports every pothole of their street, too few to bury an official's inbox. Of what is asked for in
// confidence it is less: one need is one application.
const (
	mostOpen             = 1000
	mostAtOnce           = 20
	mostConfidentialOnce = 3
)

// fewOpen checks that the person may send one more application to the service: where it is asked for alone, that no other
// is open and no benefit of it runs; elsewhere that not too many are open. An organisation may have any number, as one
// notifies of every case.
func (c *Casework) fewOpen(tx Tx, f *file, outlines func() ([]Outline, error)) error {
	app := f.app
	_, person := app.Applicant.Person()
	if !f.alone && !person {
		return nil
	}
	others, err := outlines()
	if err != nil {
		return err
	}
	open := 0
	for _, other := range others {
		today := other.State == Received && f.now.Sub(other.Decided) < 24*time.Hour // nothing ends a notification but its day
		if other.ID != app.ID && other.Service == app.Service && (other.State.IsOpen() || today) {
			open++
		}
	}
	most := mostAtOnce
	if c.Catalogue().Confidential(app.Service) {
		most = mostConfidentialOnce
	}
	switch {
	case f.alone && open > 0:
		return errOpen
	case open >= most:
		return errMostOpen.With("max", strconv.Itoa(most))
	case !f.alone:
		return nil
	}
	held, err := tx.EntitlementsOf(app.Applicant)
	if err != nil {
		return err
	}
	for _, one := range held {
		if one.Application != app.ID && one.Service == app.Service && (one.State == InForce || one.State == Suspended) && !c.renewable(f.def, one, f.now) {
			return errRunning
		}
	}
	return nil
}

// mostDrafts is how many drafts one person may have open at a time, and each representative for them: enough for a
// household, too few to fill a disk.
const mostDrafts = 20

// fewDrafts checks that one more draft may be begun. A representative's are counted apart: so they do not use up the
// applicant's, and cannot tell from the count that there are drafts which they may not see.
func (f *file) fewDrafts(tx Tx) error {
	var by ident.Person
	if f.acting != nil {
		by = f.acting.Representative
	}
	others, err := tx.ApplicationsOf(f.app.Applicant, "", mostOpen)
	if err != nil {
		return err
	}
	drafts := 0
	for _, other := range others {
		if other.State != Draft {
			continue
		}
		began, err := f.beganBy(other)
		if err != nil {
			return err
		}
		if began == by {
			drafts++
		}
	}
	if drafts >= mostDrafts {
		return errDrafts
	}
	return nil
}

// answersOf returns the application's answers as values.
func (f *file) answersOf() (map[string]any, error) {
	if len(f.content.Answers) == 0 {
		return map[string]any{}, nil
	}
	return field.Decode(field.TypeOf(f.def.Fields()), f.content.Answers)
}

// facts returns what the rules are evaluated over. It opens the values of bound evidence where they are not at hand.
func (c *Casework) facts(ctx context.Context, f *file) (service.Facts, error) {
	asked, err := f.answersOf()
	if err != nil {
		return service.Facts{}, err
	}
	facts := service.Facts{
		Applicant: f.app.Applicant, Submitted: c.Calendar.Date(f.submitted()), Decided: c.Calendar.Date(f.now),
		Ask: asked, Evidence: map[string]any{},
	}
	if !f.day.IsZero() {
		facts.Decided = f.day
	}
	for _, wanted := range f.def.Evidence {
		value, known, err := c.evidenceValue(ctx, f, wanted)
		if err != nil {
			return service.Facts{}, err
		}
		if known {
			facts.Evidence[wanted.Name] = value
		}
	}
	return facts, nil
}

func (f *file) submitted() time.Time {
	if f.app.Submitted.IsZero() {
		return f.now
	}
	return f.app.Submitted
}

// evidenceValue returns what is known of an evidence: an object, a list of objects, nil for no record.
func (c *Casework) evidenceValue(ctx context.Context, f *file, wanted service.Evidence) (value any, known bool, err error) {
	if attested, ok := f.content.Attested[wanted.Name]; ok {
		values, err := field.Decode(wanted.Type, attested.Values)
		return values, err == nil, err
	}
	list := []any{}
	found := false
	for _, bound := range f.content.Evidence {
		if bound.Name != wanted.Name {
			continue
		}
		found = true
		switch {
		case bound.Status == statusNoRelation:
			continue
		case bound.Exchange == "":
			return nil, false, nil
		case bound.Status == exchange.StatusNone:
			if !wanted.Of.Each {
				return nil, true, nil
			}
			continue
		}
		answer, ok := f.answers[bound.Exchange]
		if !ok {
			if answer, err = c.Evidence.Answer(ctx, bound.Exchange, bound.Of); err != nil {
				return nil, false, err
			}
			f.answers[bound.Exchange] = answer
		}
		if !wanted.Of.Each {
			return answer.Values, true, nil
		}
		list = append(list, answer.Values)
	}
	if !wanted.Of.Each {
		return nil, found, nil
	}
	return list, found, nil
}

// statusNoRelation marks that the civil register knows no such relative.
const statusNoRelation exchange.Status = "no-relation"

// calendarWithOutages returns the calendar with the declared outages.
func (c *Casework) calendarWithOutages(ctx context.Context) (*calendar.Calendar, error) {
	var declared []Outage
	err := c.Store.View(ctx, func(tx Reader) (err error) {
		declared, err = tx.Outages()
		return err
	})
	if err != nil || len(declared) == 0 {
		return c.Calendar, err
	}
	outages := make([]calendar.Outage, len(declared))
	for i, one := range declared {
		outages[i] = calendar.Outage{From: one.From, Until: one.Until}
	}
	return c.Calendar.WithOutages(outages...)
}

// placeOf returns the path of a territory for finding tasks.
func (c *Casework) placeOf(code ident.Territory) string {
	var path strings.Builder
	path.WriteByte('/')
	for _, one := range c.Territories.Path(code) {
		path.WriteString(string(one))
		path.WriteByte('/')
	}
	return path.String()
}

// isChanged reports whether an act failed because somebody else was faster.
func isChanged(err error) bool {
	return errors.Is(err, errChanged) || fault.Code(err) == errChanged.Code
}
