package representation_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/representation"
	"yagona/kernel/seal"
	"yagona/store/query"
	"yagona/store/storetest"
)

// registers are a fake of the registers: who is whose child or officer, and when people were born.
type registers struct {
	related map[string]map[ident.Subject][]ident.Subject
	births  map[ident.Subject]calendar.Date
}

func (r registers) Related(_ context.Context, relation string, of ident.Subject) ([]ident.Subject, error) {
	return r.related[relation][of], nil
}

func (r registers) AreRelated(_ context.Context, relation string, one, other ident.Subject) (bool, error) {
	return slices.Contains(r.related[relation][one], other), nil
}

func (r registers) Answer(_ context.Context, evidence *register.EvidenceType, of ident.Subject) (map[string]any, []ident.Subject, error) {
	if evidence.Path == "tax/business" && of == firm {
		return map[string]any{"called": "Sample Bakery"}, nil, nil
	}
	if day, ok := r.births[of]; ok {
		return map[string]any{"date": day}, nil, nil
	}
	return nil, nil, nil
}

// firm is the organisation that a register knows by name.
var firm = ident.Random[ident.Organisation]().Subject()

// world is a family in which a daughter is to act for her mother.
type world struct {
	*representation.Representatives
	t    *testing.T
	db   query.DB
	now  time.Time
	told []string

	mother, daughter, son, stranger access.Actor
	numbers                         map[ident.Person]string
	known                           registers
}

const tools, care = ident.Service("youth/tools"), ident.Service("social/care")

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC), numbers: map[ident.Person]string{}}
	clock := func() time.Time { return w.now }
	w.db = storetest.Temporary(t, clock)
	vault, err := seal.NewVault(storetest.Keys(t), make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	people := &person.Directory{Store: query.For[person.Reader, person.Tx](w.db), Vault: vault, Keys: seal.OneIndexKey(make([]byte, 32))}
	w.known = registers{map[string]map[ident.Subject][]ident.Subject{"wards": {}, "offices": {}}, map[ident.Subject]calendar.Date{}}
	for i, who := range []struct {
		into *access.Actor
		born int
	}{{&w.mother, 1950}, {&w.daughter, 1980}, {&w.son, 2010}, {&w.stranger, 1990}} {
		number := string(rune('1' + i))
		id, err := people.TakeUp(t.Context(), journal.Actor{}, "", person.Attributes{Number: number, Name: "Sample " + number})
		if err != nil {
			t.Fatal(err)
		}
		*who.into = access.Actor{Person: id}
		w.numbers[id] = number
		w.known.births[id.Subject()] = calendar.Date{Year: who.born, Month: 3, Day: 10}
	}
	w.known.related["wards"][w.daughter.Person.Subject()] = []ident.Subject{w.son.Person.Subject()}
	catalogue, err := register.NewCatalogue([]*register.Definition{
		{
			Path: "civil/births", Held: register.HeldHere, Subject: "person",
			Evidence: []register.EvidenceType{{Path: "civil/birth", Register: "civil/births", Answer: []register.Answer{{Name: "date", Term: register.TermBirth}}}},
		},
		{Path: "civil/family", Held: register.HeldHere, Subject: "person", Relations: []register.Relation{
			{Name: "wards", To: "relative", Many: true, Represents: register.RepresentsMinor},
			{Name: "spouse", To: "relative"},
		}},
		{
			Path: "tax/businesses", Held: register.HeldHere, Subject: "business",
			Evidence: []register.EvidenceType{{Path: "tax/business", Register: "tax/businesses", Answer: []register.Answer{{Name: "called", Term: register.TermOrganisationName}}}},
		},
		{Path: "tax/offices", Held: register.HeldHere, Subject: "person", Relations: []register.Relation{
			{Name: "offices", To: "organisation", Many: true, Represents: register.RepresentsOrganisation},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Representatives = &representation.Representatives{
		Store: query.For[representation.Reader, representation.Tx](w.db), Vault: vault, Clock: clock, Location: time.FixedZone("five", 5*3600),
		OfAge: 18, Registers: w.known, Definitions: func() *register.Catalogue { return catalogue }, People: people,
		Notify: func(_ context.Context, reader ident.Subject, kind, _ string) error {
			w.told = append(w.told, kind+" to "+string(reader))
			return nil
		},
	}
	return w
}

// wanted is a mandate for the daughter in one service, until the end of the year.
func (w *world) wanted(change ...func(*representation.Wanted)) representation.Wanted {
	wanted := representation.Wanted{
		ID: ident.New[ident.Mandate](w.now), Number: w.numbers[w.daughter.Person], Called: "my daughter", Reads: true, Applies: true,
		Services: []ident.Service{care}, Until: calendar.Date{Year: 2026, Month: 12, Day: 31},
	}
	for _, one := range change {
		one(&wanted)
	}
	return wanted
}

func (w *world) give(change ...func(*representation.Wanted)) representation.Mandate {
	w.t.Helper()
	given, err := w.Give(w.t.Context(), w.mother, w.wanted(change...))
	if err != nil {
		w.t.Fatal(err)
	}
	return given
}

func (w *world) accepted(change ...func(*representation.Wanted)) representation.Mandate {
	w.t.Helper()
	given := w.give(change...)
	accepted, err := w.Accept(w.t.Context(), w.daughter, given.ID, given.Revision)
	if err != nil {
		w.t.Fatal(err)
	}
	return accepted
}

// may says what comes of the daughter acting for somebody.
func (w *world) may(of access.Actor, service ident.Service, action representation.Action) string {
	w.t.Helper()
	authority, err := w.May(w.t.Context(), w.daughter.Person, of.Person.Subject(), service, action)
	if err != nil {
		return fault.Code(err)
	}
	return string(authority.Ground)
}

func (w *world) expect(got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("got %q instead of %q", got, want)
	}
}

func TestAParentActsForAChildUntilItsBirthday(t *testing.T) {
	w := newWorld(t)
	w.expect(w.may(w.son, tools, representation.Apply), "parent")
	w.expect(w.may(w.son, tools, representation.Read), "parent")
	w.expect(w.may(w.stranger, tools, representation.Apply), "representation.none")
	w.now = time.Date(2028, 3, 9, 18, 59, 59, 0, time.UTC) // the son's eighteenth birthday begins a second later
	w.expect(w.may(w.son, tools, representation.Apply), "parent")
	w.now = w.now.Add(time.Second)
	w.expect(w.may(w.son, tools, representation.Apply), "representation.ended")
	if all, err := w.Authorities(t.Context(), w.daughter.Person); err != nil || len(all) != 0 {
		t.Errorf("of a child that is of age there is still %v, %v", all, err)
	}
}

func TestAChildWhoseBirthIsUnknownIsRepresentedByNobody(t *testing.T) {
	w := newWorld(t)
	delete(w.known.births, w.son.Person.Subject())
	w.expect(w.may(w.son, tools, representation.Apply), "representation.none")
}

func TestOnALeapDayOneComesOfAgeOnTheDayAfter(t *testing.T) {
	w := newWorld(t)
	w.known.births[w.son.Person.Subject()] = calendar.Date{Year: 2008, Month: 2, Day: 29}
	w.now = time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC)
	w.expect(w.may(w.son, tools, representation.Apply), "parent")
	w.now = time.Date(2026, 2, 28, 19, 0, 0, 0, time.UTC)
	w.expect(w.may(w.son, tools, representation.Apply), "representation.ended")
}

func TestAnOfficerActsForTheOrganisationThatTheRegisterNames(t *testing.T) {
	w := newWorld(t)
	w.known.related["offices"][w.stranger.Person.Subject()] = []ident.Subject{firm}
	authority, err := w.May(t.Context(), w.stranger.Person, firm, tools, representation.Apply)
	if err != nil || authority.Ground != representation.Officer || !authority.Until.IsZero() {
		t.Errorf("the officer has %+v, %v", authority, err)
	}
	if _, err := w.May(t.Context(), w.daughter.Person, firm, tools, representation.Read); fault.Code(err) != "representation.none" {
		t.Errorf("somebody else gets %v", err)
	}
	if name, err := w.Name(t.Context(), firm); err != nil || name != "Sample Bakery" {
		t.Errorf("the organisation is called %q, %v", name, err)
	}
	if name, err := w.Name(t.Context(), ident.Random[ident.Organisation]().Subject()); err != nil || name != "" {
		t.Errorf("one that no register knows is called %q, %v", name, err)
	}
}

func TestAMandateCountsFromAcceptanceToItsEndForWhatItNames(t *testing.T) {
	w := newWorld(t)
	given := w.give()
	w.expect(w.may(w.mother, care, representation.Apply), "representation.none")
	if _, err := w.Accept(t.Context(), w.stranger, given.ID, given.Revision); fault.Code(err) != "mandate.unknown" {
		t.Errorf("somebody to whom it was not given gets %v", err)
	}
	if _, err := w.Accept(t.Context(), w.mother, given.ID, given.Revision); fault.Code(err) != "mandate.unknown" {
		t.Errorf("who gave it cannot take it on: %v", err)
	}
	accepted, err := w.Accept(t.Context(), w.daughter, given.ID, given.Revision)
	if err != nil {
		t.Fatal(err)
	}
	w.expect(w.may(w.mother, care, representation.Apply), "mandate")
	w.expect(w.may(w.mother, tools, representation.Apply), "representation.scope")
	w.expect(w.may(w.mother, tools, representation.Read), "representation.scope")
	if _, err := w.Accept(t.Context(), w.daughter, accepted.ID, accepted.Revision); fault.Code(err) != "mandate.accepted" {
		t.Errorf("taking it on twice gives %v", err)
	}
	w.now = time.Date(2026, 12, 31, 18, 59, 59, 0, time.UTC)
	w.expect(w.may(w.mother, care, representation.Apply), "mandate")
	w.now = w.now.Add(time.Second)
	w.expect(w.may(w.mother, care, representation.Apply), "representation.ended")
	if _, err := w.End(t.Context(), w.mother, accepted.ID, accepted.Revision); fault.Code(err) != "mandate.ended" {
		t.Errorf("ending what is over gives %v", err)
	}
}

func TestEitherEndsAMandateAtOnceAndTheOtherIsTold(t *testing.T) {
	for name, by := range map[string]func(*world) access.Actor{
		"who gave it": func(w *world) access.Actor { return w.mother }, "who has it": func(w *world) access.Actor { return w.daughter },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			accepted := w.accepted()
			if _, err := w.End(t.Context(), w.stranger, accepted.ID, accepted.Revision); fault.Code(err) != "mandate.unknown" {
				t.Errorf("somebody else gets %v", err)
			}
			if _, err := w.End(t.Context(), by(w), accepted.ID, accepted.Revision); err != nil {
				t.Fatal(err)
			}
			w.expect(w.may(w.mother, care, representation.Apply), "representation.ended")
			other := w.daughter
			if by(w).Person == w.daughter.Person {
				other = w.mother
			}
			runner := &job.Runner{Store: query.For[job.Reader, job.Tx](w.db), Clock: func() time.Time { return w.now }, Handlers: w.Handlers()}
			if err := runner.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if want := "mandate.ended to " + string(other.Person.Subject()); !slices.Contains(w.told, want) {
				t.Errorf("told was %v, not %s", w.told, want)
			}
		})
	}
}

func TestWhatAnActSawIsCheckedAgainInTheAct(t *testing.T) {
	w := newWorld(t)
	accepted := w.accepted()
	authority, err := w.May(t.Context(), w.daughter.Person, w.mother.Person.Subject(), care, representation.Apply)
	if err != nil {
		t.Fatal(err)
	}
	still := func(authority representation.Authority) string {
		var result error
		err := w.db.View(t.Context(), func(tx *query.Tx) error {
			result = representation.Still(tx, authority, w.now)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return fault.Code(result)
	}
	w.expect(still(authority), "")
	forged := authority
	forged.Subject = w.stranger.Person.Subject()
	w.expect(still(forged), "representation.ended")
	forged = authority
	forged.Representative = w.stranger.Person
	w.expect(still(forged), "representation.ended")
	if _, err := w.End(t.Context(), w.mother, accepted.ID, accepted.Revision); err != nil {
		t.Fatal(err)
	}
	w.expect(still(authority), "representation.ended")
}

func TestAMandateSaysWhoMayWhatAndUntilWhen(t *testing.T) {
	w := newWorld(t)
	official := w.mother
	official.Appointment = &access.Appointment{ID: "a", Agency: "x", Role: "y"}
	for name, one := range map[string]struct {
		by     access.Actor
		change func(*representation.Wanted)
		code   string
	}{
		"of nobody":      {access.Actor{}, func(*representation.Wanted) {}, "access.forbidden"},
		"of an official": {official, func(*representation.Wanted) {}, "mandate.as-official"},
		"of a minor":     {w.son, func(*representation.Wanted) {}, "mandate.minor"},
		"to oneself":     {w.mother, func(m *representation.Wanted) { m.Number = w.numbers[w.mother.Person] }, "mandate.self"},
		"to nobody":      {w.mother, func(m *representation.Wanted) { m.Number = "9" }, "person.unknown"},
		"without a name": {w.mother, func(m *representation.Wanted) { m.Called = " " }, "mandate.called"},
		"to do nothing":  {w.mother, func(m *representation.Wanted) { m.Reads, m.Applies = false, false }, "mandate.nothing"},
		"for no service": {w.mother, func(m *representation.Wanted) { m.Services = []ident.Service{"x"} }, "mandate.services"},
		"that is over":   {w.mother, func(m *representation.Wanted) { m.Until = calendar.Date{Year: 2026, Month: 3, Day: 1} }, "mandate.until"},
		"for too long":   {w.mother, func(m *representation.Wanted) { m.Until = calendar.Date{Year: 2029, Month: 3, Day: 3} }, "mandate.until"},
		"without an end": {w.mother, func(m *representation.Wanted) { m.Until = calendar.Date{} }, "mandate.until"},
		"without an id":  {w.mother, func(m *representation.Wanted) { m.ID = "" }, "ident.malformed"},
	} {
		if _, err := w.Give(t.Context(), one.by, w.wanted(one.change)); fault.Code(err) != one.code {
			t.Errorf("a mandate %s gives %v instead of %s", name, err, one.code)
		}
	}
	minor := w.give(func(m *representation.Wanted) { m.Number = w.numbers[w.son.Person] })
	if _, err := w.Accept(t.Context(), w.son, minor.ID, minor.Revision); fault.Code(err) != "mandate.minor" {
		t.Errorf("a minor who takes on a mandate gets %v", err)
	}
}

func TestNobodyIsFloodedWithMandates(t *testing.T) {
	w := newWorld(t)
	same := w.wanted()
	for range 2 {
		if _, err := w.Give(t.Context(), w.mother, same); err != nil {
			t.Fatal(err)
		}
	}
	if given, err := w.Given(t.Context(), w.mother); err != nil || len(given) != 1 || given[0].Called != "my daughter" {
		t.Fatalf("a form sent twice gives %v, %v", given, err)
	}
	for range 19 {
		w.now = w.now.Add(time.Second)
		w.give()
	}
	if _, err := w.Give(t.Context(), w.mother, w.wanted()); fault.Code(err) != "mandate.too-many" {
		t.Errorf("the 21st mandate gives %v", err)
	}
	received, err := w.Received(t.Context(), w.daughter.Person)
	if err != nil || len(received) != 20 {
		t.Errorf("she received %d, %v", len(received), err)
	}
}
