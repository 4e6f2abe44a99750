package casework_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/exchange"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/notice"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/representation"
	"yagona/kernel/seal"
	"yagona/kernel/service"
	"yagona/store/query"
)

// births are the fake registers as representation asks them.
type births struct{ *registers }

func (b births) Related(ctx context.Context, relation string, of ident.Subject) ([]ident.Subject, error) {
	return b.registers.Related(ctx, relation, of, exchange.Request{})
}

func (b births) Answer(_ context.Context, _ *register.EvidenceType, of ident.Subject) (map[string]any, []ident.Subject, error) {
	return b.values["civil/birth"][of], nil, nil
}

// ending are registers that take so long that something happens meanwhile.
type ending struct {
	*registers
	end func()
}

func (e *ending) Inquire(ctx context.Context, within ident.Subject, requests ...exchange.Request) ([]exchange.Result, *exchange.Unkept) {
	defer e.end()
	return e.registers.Inquire(ctx, within, requests...)
}

// family lets people act for each other: the helper is the applicant's parent while they are minor, and may be given
// mandates.
type family struct {
	*world
	people *representation.Representatives
	helper access.Actor
}

func newFamily(t *testing.T, change ...func(*service.Definition)) *family {
	t.Helper()
	f := &family{world: newWorld(t, change...)}
	directory := &person.Directory{Store: query.For[person.Reader, person.Tx](f.db), Vault: f.Vault, Keys: seal.OneIndexKey(make([]byte, 32))}
	helper, err := directory.TakeUp(t.Context(), journal.Actor{}, "", person.Attributes{Number: "7", Name: "Sample Helper"})
	if err != nil {
		t.Fatal(err)
	}
	f.helper = access.Actor{Person: helper}
	f.registers.related["wards"] = map[ident.Subject][]ident.Subject{}
	catalogue, err := register.NewCatalogue([]*register.Definition{
		{Path: "civil/births", Held: register.HeldHere, Subject: "person", Evidence: []register.EvidenceType{
			{Path: "civil/birth", Register: "civil/births", Answer: []register.Answer{{Name: "date", Term: register.TermBirth}}},
		}},
		{Path: "civil/family", Held: register.HeldHere, Subject: "person", Relations: []register.Relation{{Name: "wards", To: "r", Many: true, Represents: register.RepresentsMinor}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.people = &representation.Representatives{
		Store: query.For[representation.Reader, representation.Tx](f.db), Vault: f.Vault, Clock: f.Clock, Location: time.UTC, OfAge: 18,
		Registers: births{f.registers}, Definitions: func() *register.Catalogue { return catalogue }, People: directory,
		Notify: func(context.Context, ident.Subject, string, string) error { return nil },
	}
	f.Representatives = f.people
	for kind, handler := range f.people.Handlers() {
		f.jobs.Handlers[kind] = handler
	}
	return f
}

// child makes the applicant a child of the helper, who is of age for the service and comes of age in the country on the
// third of March.
func (f *family) child() {
	f.registers.related["wards"][f.applicant.Person.Subject()] = nil
	f.registers.related["wards"][f.helper.Person.Subject()] = []ident.Subject{f.applicant.Person.Subject()}
	f.people.OfAge = 23
	f.registers.set("civil/birth", f.applicant.Person.Subject(), map[string]any{"date": calendar.Date{Year: 2003, Month: 3, Day: 4}})
}

// mandate gives the helper a mandate of the applicant.
func (f *family) mandate(reads, applies bool, services ...ident.Service) representation.Mandate {
	f.Helper()
	given, err := f.people.Give(f.Context(), f.applicant, representation.Wanted{
		ID: ident.New[ident.Mandate](f.now), Number: "7", Called: "helper", Reads: reads, Applies: applies, Services: services,
		Until: calendar.Date{Year: 2026, Month: 3, Day: 20},
	})
	if err == nil {
		given, err = f.people.Accept(f.Context(), f.helper, given.ID, given.Revision)
	}
	if err != nil {
		f.Fatal(err)
	}
	return given
}

// acting is the helper who wants to act for the applicant.
func (f *family) acting() access.Actor {
	by := f.helper
	by.For = f.applicant.Person.Subject()
	return by
}

// sends sends an application as the helper.
func (f *family) sends() (casework.Receipt, error) {
	return f.Apply(f.Context(), f.acting(), "", "youth/tools", "en", answers)
}

func (f *family) sent() casework.Application {
	f.Helper()
	return f.must(f.sends())
}

// read returns the types of the disclosures about somebody, newest first.
func (f *family) read(of access.Actor) (types []string) {
	f.Helper()
	err := f.db.View(f.Context(), func(tx *query.Tx) error {
		types = nil
		parts, err := tx.PartsOf(of.Person.Subject(), true, "", 100)
		if err != nil {
			return err
		}
		for _, part := range parts {
			event, err := tx.StoredEvent(part.Key, part.Event)
			if err != nil {
				return err
			}
			var header journal.Header
			if err := json.Unmarshal(event.Header, &header); err != nil {
				return err
			}
			types = append(types, header.Type)
		}
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	return types
}

func TestAParentAppliesForAChildAndItIsTheChilds(t *testing.T) {
	f := newFamily(t)
	f.child()
	leader, chair := f.official("youth-leader", "X11"), f.official("chair", "X11")
	sent := f.sent()
	if sent.Applicant != f.applicant.Person.Subject() || sent.State != casework.Deciding {
		t.Fatalf("the application is %+v", sent)
	}
	for _, asked := range f.registers.asked {
		if asked.Of != f.applicant.Person.Subject() || asked.By.Person != f.helper.Person {
			t.Errorf("%s was asked about %s by %s", asked.Evidence, asked.Of, asked.By.Person)
		}
	}
	view, err := f.Own(t.Context(), f.helper, sent.ID)
	if err != nil {
		t.Fatal(err)
	}
	if view.Acting == nil || view.Acting.Ground != representation.Parent || view.Evidence[0].Values == nil {
		t.Errorf("the parent sees it by %+v, and %+v", view.Acting, view.Evidence[0])
	}
	task, err := f.Read(t.Context(), leader, f.open(leader).ID)
	if err != nil {
		t.Fatal(err)
	}
	if who := task.Content.Represented; len(who) != 1 || who[0].By != f.helper.Person || who[0].Ground != representation.Parent {
		t.Errorf("the official sees that %+v acted for the applicant", who)
	}
	if entry := task.Content.History[0]; entry.By.Person != f.helper.Person || entry.For != representation.Parent {
		t.Errorf("the history says %+v", entry)
	}
	f.must(f.decide(leader, casework.Verdict{Action: service.Recommend}))
	f.must(f.decide(chair, casework.Verdict{Action: service.Approve}))
	f.later(time.Hour)
	if got := f.notices(); !strings.Contains(got, "application.granted") {
		t.Errorf("the child was told %q", got)
	}
	board := notice.Board{Store: query.For[notice.Reader, notice.Tx](f.db)}
	if told, err := board.Of(t.Context(), f.helper.Person.Subject(), 10); err != nil || len(told) != 1 || told[0].Kind != "application.granted" {
		t.Errorf("the parent was told %+v, %v", told, err)
	}
}

func TestWhoeverIsOfAgeActsAlone(t *testing.T) {
	f := newFamily(t)
	f.child()
	draft := f.must(f.Start(t.Context(), f.acting(), "", "youth/tools", "en"))
	f.now = time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	_, err := f.Submit(t.Context(), f.helper, draft.ID, draft.Revision)
	f.refused(err, "representation.ended")
	_, err = f.sends()
	f.refused(err, "representation.ended")
	if view := f.state(draft.ID); view.Application.State != casework.Draft {
		t.Errorf("the child finds the draft %s", view.Application.State)
	}
}

func TestAStrangerActsForNobody(t *testing.T) {
	f := newFamily(t)
	_, err := f.sends()
	f.refused(err, "representation.none")
	_, err = f.Eligibility(t.Context(), f.acting(), "youth/tools", "en")
	f.refused(err, "representation.none")
	_, err = f.RepresentedAll(t.Context(), f.helper, f.applicant.Person.Subject(), "", 10)
	f.refused(err, "representation.none")
	mine := f.apply().Application
	_, err = f.Own(t.Context(), f.helper, mine.ID)
	f.refused(err, "application.unknown")
	_, err = f.Own(t.Context(), f.acting(), mine.ID)
	f.refused(err, "application.unknown")
	_, err = f.Withdraw(t.Context(), f.acting(), mine.ID, mine.Revision)
	f.refused(err, "application.unknown")
	if len(f.registers.asked) != 3 {
		t.Errorf("the registers were asked %d times: for the stranger, too", len(f.registers.asked))
	}
}

// A child who fears a parent asks for protection: the parent neither sees it, nor takes it back, nor asks in the child's name.
// Nor does anybody with a mandate for everything.
func TestNobodyRepresentsInAConfidentialService(t *testing.T) {
	for name, represent := range map[string]func(*family){
		"parent":  (*family).child,
		"mandate": func(f *family) { f.mandate(true, true) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFamily(t, func(d *service.Definition) { d.Confidential = true })
			represent(f)
			_, err := f.sends()
			f.refused(err, "representation.confidential")
			_, err = f.Start(t.Context(), f.acting(), "", "youth/tools", "en")
			f.refused(err, "representation.confidential")
			_, err = f.Eligibility(t.Context(), f.acting(), "youth/tools", "en")
			f.refused(err, "representation.confidential")
			mine := f.apply().Application
			for _, by := range []access.Actor{f.helper, f.acting()} {
				_, err = f.Own(t.Context(), by, mine.ID)
				f.refused(err, "application.unknown")
				_, err = f.Withdraw(t.Context(), by, mine.ID, mine.Revision)
				f.refused(err, "application.unknown")
			}
			if seen, err := f.RepresentedAll(t.Context(), f.helper, f.applicant.Person.Subject(), "", 10); err != nil || len(seen) > 0 {
				t.Errorf("among the other's applications they see %+v, %v", seen, err)
			}
		})
	}
}

func TestAMandateThatEndsLetsNobodyActAnyMore(t *testing.T) {
	f := newFamily(t)
	given := f.mandate(true, true, "youth/tools")
	leader := f.official("youth-leader", "X11")
	sent := f.sent()
	draft := f.must(f.Start(t.Context(), f.acting(), "", "youth/tools", "en"))
	f.must(f.decide(leader, casework.Verdict{Action: service.Ask, Question: "Which tools?"}))
	view, err := f.Own(t.Context(), f.helper, sent.ID)
	if err != nil {
		t.Fatal(err)
	}
	revision := view.Application.Revision
	if _, err := f.people.End(t.Context(), f.applicant, given.ID, given.Revision); err != nil {
		t.Fatal(err)
	}
	acts := map[string]func() error{
		"seeing it":     func() error { _, err := f.Own(t.Context(), f.helper, sent.ID); return err },
		"answering":     func() error { _, err := f.Answer(t.Context(), f.helper, sent.ID, revision, "A loom."); return err },
		"withdrawing":   func() error { _, err := f.Withdraw(t.Context(), f.helper, sent.ID, revision); return err },
		"contesting":    func() error { _, err := f.Contest(t.Context(), f.helper, sent.ID, revision, "No."); return err },
		"an account":    func() error { _, err := f.ChangeAccount(t.Context(), f.helper, sent.ID, revision, "x"); return err },
		"saving":        func() error { _, err := f.Save(t.Context(), f.helper, draft.ID, draft.Revision, answers); return err },
		"looking ahead": func() error { _, err := f.Preview(t.Context(), f.helper, draft.ID); return err },
		"sending":       func() error { _, err := f.Submit(t.Context(), f.helper, draft.ID, draft.Revision); return err },
		"applying":      func() error { _, err := f.sends(); return err },
		"looking": func() error {
			_, err := f.RepresentedAll(t.Context(), f.helper, f.applicant.Person.Subject(), "", 10)
			return err
		},
	}
	for name, do := range acts {
		t.Run(name, func(*testing.T) { f.refused(do(), "representation.ended") })
	}
	if _, err := f.Answer(t.Context(), f.applicant, sent.ID, revision, "A loom."); err != nil {
		t.Errorf("the applicant themself gets %v", err)
	}
}

// A mandate is taken back after the representative's act has looked it up and before it is committed.
func TestAMandateIsCheckedInTheActItself(t *testing.T) {
	f := newFamily(t)
	given := f.mandate(true, true)
	draft := f.must(f.Start(t.Context(), f.acting(), "", "youth/tools", "en"))
	if _, err := f.Save(t.Context(), f.helper, draft.ID, draft.Revision, answers); err != nil {
		t.Fatal(err)
	}
	f.Evidence = &ending{registers: f.registers, end: func() {
		if _, err := f.people.End(t.Context(), f.applicant, given.ID, given.Revision); err != nil {
			t.Error(err)
		}
	}}
	_, err := f.Submit(t.Context(), f.helper, draft.ID, draft.Revision+1)
	f.refused(err, "representation.ended")
	if view := f.state(draft.ID); view.Application.State != casework.Draft {
		t.Errorf("it was sent all the same: %s", view.Application.State)
	}
}

func TestAMandateCoversTheServicesAndTheActsThatItNames(t *testing.T) {
	f := newFamily(t)
	own := f.apply().Application
	f.mandate(true, true, "youth/other")
	_, err := f.sends()
	f.refused(err, "representation.scope")
	_, err = f.Own(t.Context(), f.helper, own.ID)
	f.refused(err, "application.unknown")

	f = newFamily(t)
	own = f.apply().Application
	f.mandate(true, false, "youth/tools")
	_, err = f.sends()
	f.refused(err, "representation.scope")
	_, err = f.Withdraw(t.Context(), f.helper, own.ID, own.Revision)
	f.refused(err, "representation.scope")
	if view, err := f.Own(t.Context(), f.helper, own.ID); err != nil || view.Evidence[0].Values == nil {
		t.Errorf("who may read sees %+v, %v", view.Evidence, err)
	}
	if got := strings.Join(f.read(f.applicant), " "); got != "application.read-for" {
		t.Errorf("the applicant sees that %q", got)
	}
}

func TestWhoMayOnlyApplySeesWhatTheySentAndNoneOfTheEvidence(t *testing.T) {
	f := newFamily(t)
	own := f.apply().Application
	f.must(f.Withdraw(t.Context(), f.applicant, own.ID, own.Revision))
	f.mandate(false, true)
	_, err := f.Own(t.Context(), f.helper, own.ID)
	f.refused(err, "application.unknown")
	draft := f.must(f.Start(t.Context(), f.acting(), "", "youth/tools", "en"))
	preview, err := f.Preview(t.Context(), f.helper, draft.ID)
	if err != nil {
		t.Fatal(err)
	}
	withheld := func(view casework.View) {
		t.Helper()
		for _, one := range view.Evidence {
			if !one.Hidden || one.Values != nil {
				t.Errorf("they see %+v", one)
			}
		}
		for _, rule := range view.Content.Rules {
			if rule.Outcome != casework.OutcomeMet || rule.Read != nil {
				t.Errorf("of the rules they see %+v", rule)
			}
		}
	}
	withheld(preview.View)
	sent := f.sent()
	view, err := f.Own(t.Context(), f.helper, sent.ID)
	if err != nil {
		t.Fatal(err)
	}
	withheld(view)
	all, err := f.RepresentedAll(t.Context(), f.helper, f.applicant.Person.Subject(), "", 10)
	if err != nil || len(all) != 2 || slices.ContainsFunc(all, func(a casework.Application) bool { return a.ID != sent.ID && a.ID != draft.ID }) {
		t.Errorf("they see %d applications, %v", len(all), err)
	}
}

func TestNobodyRepresentsAsAnOfficial(t *testing.T) {
	f := newFamily(t)
	f.mandate(true, true)
	official := f.official("youth-leader", "X11")
	by := f.acting()
	by.Appointment = official.Appointment
	_, err := f.Apply(t.Context(), by, "", "youth/tools", "en", answers)
	f.refused(err, "representation.as-official")
}

func TestAnOfficialDoesNotDecideForWhomTheyRepresentNorWhatTheySent(t *testing.T) {
	f := newFamily(t)
	f.apply()
	f.mandate(true, false, "youth/other") // for another service, and only to read: a tie all the same
	leader := f.official("youth-leader", "X11")
	leader.Person = f.helper.Person
	_, err := f.Read(t.Context(), leader, f.open(f.official("youth-leader", "X1")).ID)
	f.refused(err, "task.own-interest")
	if seen, err := f.Tasks(t.Context(), leader, casework.Filter{}, casework.Cursor{}, 10); len(seen) != 0 || err != nil {
		t.Errorf("their inbox holds %v, %v", seen, err)
	}

	f = newFamily(t)
	given := f.mandate(true, true)
	f.sent()
	if _, err := f.people.End(t.Context(), f.applicant, given.ID, given.Revision); err != nil {
		t.Fatal(err)
	}
	leader = f.official("youth-leader", "X11")
	leader.Person = f.helper.Person
	_, err = f.Read(t.Context(), leader, f.open(leader).ID)
	f.refused(err, "task.own-interest")

	spouse := f.official("youth-leader", "X11")
	f.registers.related["household"][spouse.Person.Subject()] = []ident.Subject{f.helper.Person.Subject()}
	_, err = f.Read(t.Context(), spouse, f.open(spouse).ID)
	f.refused(err, "task.own-interest")
}

func TestAServiceTakesApplicationsOfWhomItIsForOnly(t *testing.T) {
	f := newFamily(t, func(d *service.Definition) { d.For = []string{"organisation"} })
	_, err := f.Apply(t.Context(), f.applicant, "", "youth/tools", "en", answers)
	f.refused(err, "service.not-for")
}

func TestDraftsOfARepresentativeAreCountedApart(t *testing.T) {
	f := newFamily(t)
	f.mandate(true, true)
	begin := func(by access.Actor) (casework.Receipt, error) {
		return f.Start(t.Context(), by, "", "youth/tools", "en")
	}
	for range 20 { // which the representative need not know of
		f.must(begin(f.applicant))
	}
	_, err := begin(f.applicant)
	f.refused(err, "application.too-many-drafts")
	var last casework.Application
	for range 20 {
		last = f.must(begin(f.acting()))
	}
	_, err = begin(f.acting())
	f.refused(err, "application.too-many-drafts")
	// Saving on does not hand a draft from the one's count to the other's.
	if last, err = f.Save(t.Context(), f.applicant, last.ID, last.Revision, answers); err == nil {
		_, err = f.Save(t.Context(), f.acting(), last.ID, last.Revision, answers)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []access.Actor{f.applicant, f.acting()} {
		_, err = begin(by)
		f.refused(err, "application.too-many-drafts")
	}
	f.must(f.Withdraw(t.Context(), f.acting(), last.ID, last.Revision+1))
	f.must(begin(f.acting()))
	_, err = begin(f.applicant)
	f.refused(err, "application.too-many-drafts")
}
