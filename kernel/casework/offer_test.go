package casework_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/offer"
	"yagona/kernel/register"
	"yagona/kernel/service"
	"yagona/store/query"
)

// offers lets a register's change lead to an offer of the subsidy.
type offers struct {
	*world
	taking *offer.Participations
}

func newOffers(t *testing.T) *offers {
	t.Helper()
	w := newWorld(t, func(d *service.Definition) { d.Start = "employment/unemployment" })
	return &offers{w, &offer.Participations{Store: query.For[offer.Reader, offer.Tx](w.db), Vault: w.Vault}}
}

// changes tells of a record about the applicant that was written, and does the jobs that follow.
func (o *offers) changes(record ident.Record) {
	o.Helper()
	o.announce("employment/unemployment", record)
	if err := o.jobs.Drain(o.Context()); err != nil {
		o.Fatal(err)
	}
}

func (o *offers) announce(evidence ident.Evidence, record ident.Record) {
	o.Helper()
	subject := o.applicant.Person.Subject()
	err := o.db.Update(o.Context(), act.Of(subject), func(tx *query.Tx) error {
		return job.Queue(tx, register.JobChanged, 0, register.Change{Evidence: evidence, Of: subject, Record: record})
	})
	if err != nil {
		o.Fatal(err)
	}
}

func (o *offers) open() []casework.OpenOffer {
	o.Helper()
	open, err := o.Offers(o.Context(), o.applicant)
	if err != nil {
		o.Fatal(err)
	}
	return open
}

// purposes returns for what the registers were asked.
func (o *offers) purposes() (found []access.Purpose) {
	for _, one := range o.registers.asked {
		if !slices.Contains(found, one.Purpose) {
			found = append(found, one.Purpose)
		}
	}
	return found
}

func TestAChangeLeadsToAnOfferThatItsPersonOnlyConfirms(t *testing.T) {
	o := newOffers(t)
	o.changes("record-1")
	open := o.open()
	if len(open) != 1 || open[0].Service != "youth/tools" || open[0].Territory != "X11" {
		t.Fatalf("the offers are %+v", open)
	}
	if got := o.notices(); got != "application.offered" {
		t.Errorf("they were told %q", got)
	}
	if got := o.purposes(); !slices.Equal(got, []access.Purpose{access.Proactive}) || o.registers.asked[0].Application != "" {
		t.Errorf("the registers were asked for %v, in the application %q", got, o.registers.asked[0].Application)
	}
	draft := o.state(open[0].Application)
	if draft.Application.State != casework.Draft || draft.Content.Offered == nil || len(draft.Content.Evidence) > 0 {
		t.Errorf("the draft is %+v with %+v", draft.Application, draft.Content)
	}
	saved, err := o.Save(t.Context(), o.applicant, draft.Application.ID, draft.Application.Revision, answers)
	if err != nil {
		t.Fatal(err)
	}
	sent := o.must(o.Submit(t.Context(), o.applicant, saved.ID, saved.Revision))
	if sent.State != casework.Deciding || len(o.open()) != 0 {
		t.Errorf("the confirmed offer is %s, open are %v", sent.State, o.open())
	}
}

func TestNothingIsOfferedTwice(t *testing.T) {
	o := newOffers(t)
	o.changes("record-1")
	asked := len(o.registers.asked)
	o.changes("record-1")
	o.changes("record-2") // another event, but the draft of the first is still open
	if len(o.open()) != 1 || len(o.registers.asked) != asked {
		t.Errorf("there are %d offers, and the registers were asked %d times more", len(o.open()), len(o.registers.asked)-asked)
	}
	draft := o.state(o.open()[0].Application).Application
	o.must(o.Withdraw(t.Context(), o.applicant, draft.ID, draft.Revision))
	o.changes("record-1")
	if len(o.open()) != 0 {
		t.Error("what was declined is offered again for the same event")
	}
	o.changes("record-2")
	if len(o.open()) != 1 {
		t.Error("another event offers nothing any more")
	}
}

func TestOfWhoDeclinedNothingIsAsked(t *testing.T) {
	o := newOffers(t)
	if err := o.taking.Choose(t.Context(), o.applicant, offer.Choice{Declined: true}); err != nil {
		t.Fatal(err)
	}
	o.changes("record-1")
	if len(o.open()) != 0 || len(o.registers.asked) != 0 {
		t.Errorf("there are %d offers, and the registers were asked %d times", len(o.open()), len(o.registers.asked))
	}
}

func TestWhoIsNotEntitledHearsNothing(t *testing.T) {
	o := newOffers(t)
	o.registers.set("employment/unemployment", o.applicant.Person.Subject(), map[string]any{"registered": false})
	o.changes("record-1")
	if len(o.open()) != 0 || o.notices() != "" {
		t.Errorf("there are %v, and they were told %q", o.open(), o.notices())
	}
	o.announce("civil/birth", "record-2") // which starts no service
	asked := len(o.registers.asked)
	if err := o.jobs.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(o.registers.asked) != asked {
		t.Error("a change that starts no service has registers asked")
	}
}

func TestAnOfferWaitsForARegisterThatIsSilent(t *testing.T) {
	o := newOffers(t)
	o.registers.silence("interior/residence", true)
	o.announce("employment/unemployment", "record-1")
	if err := o.jobs.Drain(t.Context()); err != nil || len(o.open()) != 0 {
		t.Errorf("meanwhile there are %d offers, %v", len(o.open()), err)
	}
	o.registers.silence("interior/residence", false)
	o.later(24 * time.Hour)
	if len(o.open()) != 1 {
		t.Error("nothing is offered after the register came back")
	}
}

func TestAnOfferIsLetLapseAndCountsAsAGapWithoutSmallCells(t *testing.T) {
	o := newOffers(t)
	o.changes("record-1")
	first := o.applicant
	published := func(want ...casework.TakeUp) {
		t.Helper()
		if gaps, err := o.TakeUp(t.Context(), "youth/tools"); err != nil || !slices.Equal(gaps, want) {
			t.Fatalf("the gaps are %+v, %v", gaps, err)
		}
	}
	published() // of one person
	o.later(31 * 24 * time.Hour)
	if len(o.open()) != 0 || o.state(offersOf(o, first)[0].Application).Application.State != casework.Expired {
		t.Error("the offer did not lapse")
	}
	for range 6 {
		o.applicant = access.Actor{Person: ident.Random[ident.Person]()}
		subject := o.applicant.Person.Subject()
		o.registers.set("civil/birth", subject, o.registers.values["civil/birth"][first.Person.Subject()])
		o.registers.set("interior/residence", subject, map[string]any{"mahalla": ident.Territory("X11")})
		o.registers.set("employment/unemployment", subject, map[string]any{"registered": true})
		o.changes("record-1")
	}
	published(casework.TakeUp{Territory: "X11", NotTaken: 5}) // of seven
}

func offersOf(o *offers, who access.Actor) (found []offer.Offer) {
	o.Helper()
	err := o.db.View(o.Context(), func(tx *query.Tx) (err error) {
		found, err = tx.OffersOf(who.Person.Subject(), 10)
		return err
	})
	if err != nil {
		o.Fatal(err)
	}
	return found
}

func TestAVisitLooksForServicesOnlyOfWhoAgreed(t *testing.T) {
	o := newOffers(t)
	_, err := o.Visit(t.Context(), o.applicant)
	o.refused(err, "offer.not-agreed")
	if err := o.taking.Keep(t.Context(), o.applicant, offer.Found{}); err == nil || len(o.registers.asked) > 0 {
		t.Errorf("without consent: %v, and %d questions", err, len(o.registers.asked))
	}
	if err := o.taking.Choose(t.Context(), o.applicant, offer.Choice{Visits: true}); err != nil {
		t.Fatal(err)
	}
	found, err := o.Visit(t.Context(), o.applicant)
	if err != nil || !slices.Equal(found.Services, []ident.Service{"youth/tools"}) {
		t.Fatalf("found is %+v, %v", found, err)
	}
	if err := o.taking.Keep(t.Context(), o.applicant, found); err != nil {
		t.Fatal(err)
	}
	if _, kept, err := o.taking.Of(t.Context(), o.applicant.Person.Subject()); err != nil || !slices.Equal(kept.Services, found.Services) {
		t.Errorf("kept is %+v, %v", kept, err)
	}
	o.registers.set("employment/unemployment", o.applicant.Person.Subject(), map[string]any{"registered": false})
	if found, err = o.Visit(t.Context(), o.applicant); err != nil || len(found.Services) != 0 {
		t.Errorf("of who is not entitled is found %v, %v", found.Services, err)
	}
	if err := o.taking.Choose(t.Context(), o.applicant, offer.Choice{}); err != nil {
		t.Fatal(err)
	}
	if _, kept, err := o.taking.Of(t.Context(), o.applicant.Person.Subject()); err != nil || len(kept.Services) > 0 {
		t.Errorf("after the consent was taken back there is still %+v, %v", kept, err)
	}
	var types []string
	for _, purpose := range o.purposes() {
		types = append(types, string(purpose))
	}
	if got := strings.Join(types, " "); got != "preview" {
		t.Errorf("a visit asks for %q", got)
	}
}
