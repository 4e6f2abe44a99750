package simulation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/rules"
	"yagona/kernel/seal"
	"yagona/kernel/service"
	"yagona/kernel/simulation"
	"yagona/kernel/territory"
	"yagona/store/query"
	"yagona/store/storetest"
)

// world is a country of two regions, four registers, and a service that pays whoever is young and out of work.
type world struct {
	*simulation.Simulator
	db     query.DB
	keys   seal.Store
	vault  *seal.Vault
	people *person.Directory
	keeper *register.Keeper
	now    time.Time
}

const tools ident.Service = "youth/tools"

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	w.db, w.keys = storetest.Temporary(t, clock), storetest.Keys(t)
	var err error
	if w.vault, err = seal.NewVault(w.keys, make([]byte, seal.KeySize)); err != nil {
		t.Fatal(err)
	}
	tree, err := territory.New([]territory.Level{{Name: "country"}, {Name: "region"}}, []territory.Territory{
		{Code: "land", Level: "country"}, {Code: "north", Level: "region", Parent: "land"}, {Code: "south", Level: "region", Parent: "land"},
	})
	if err != nil {
		t.Fatal(err)
	}
	registers, err := register.NewCatalogue(registers(t))
	if err != nil {
		t.Fatal(err)
	}
	services := service.NewCatalogue([]*service.Definition{
		definition(t, tools, "age(birth.date, submitted) in range(18, 30)"),
		withIncome(t, "youth/poor", "tax/low-income"), withIncome(t, "youth/ill", "health/illness"),
	}, nil)
	w.people = &person.Directory{Store: query.For[person.Reader, person.Tx](w.db), Vault: w.vault, Keys: seal.OneIndexKey(make([]byte, 32))}
	w.keeper = &register.Keeper{
		Store: query.For[register.Reader, register.Tx](w.db), Vault: w.vault, Clock: clock, Location: time.UTC, IndexKeys: seal.OneIndexKey(make([]byte, 32)),
		Definitions: func() *register.Catalogue { return registers }, Scheme: scheme{},
	}
	w.Simulator = &simulation.Simulator{
		Store: query.For[simulation.Reader, simulation.Tx](w.db), Vault: w.vault, Registers: w.keeper, Scheme: scheme{},
		Services: func() *service.Catalogue { return services }, Territories: tree, Location: time.UTC, Clock: clock, Runs: 1_000,
		// A draft of these tests is the rule alone.
		Draft: func(_ context.Context, of ident.Service, rule string) (*service.Definition, error) {
			return definition(t, of, rule), nil
		},
	}
	return w
}

func registers(t testing.TB) []*register.Definition {
	person := field.Definition{Name: "person", Kind: field.Person}
	births := []field.Definition{person, {Name: "date", Kind: field.Date}, {Name: "sex", Kind: field.Choice, Options: []field.Option{{Value: "female"}, {Value: "male"}}}}
	residences := []field.Definition{person, {Name: "place", Kind: field.Territory}, {Name: "leaves", Kind: field.Date, Optional: true}}
	unemployed := []field.Definition{person, {Name: "since", Kind: field.Date}, {Name: "until", Kind: field.Date, Optional: true}}
	all := []ident.Service{tools, "youth/poor", "youth/ill"}
	grants := func(services []ident.Service, purposes ...access.Purpose) (granted []register.Grant) {
		for _, one := range services {
			granted = append(granted, register.Grant{Service: one, Purposes: purposes})
		}
		return granted
	}
	return []*register.Definition{
		{Path: "civil/births", Agency: "civil", Held: register.HeldHere, Subject: "person", Fields: births, Evidence: []register.EvidenceType{{
			Path: "civil/birth", Register: "civil/births", Agency: "civil", Of: "person", Answer: []register.Answer{
				{Name: "date", Type: rules.Date, Is: compile(t, births, "record.date", rules.KindDate), Term: "person.birth.date"},
				{Name: "sex", Type: rules.ChoiceOf("female", "male"), Is: compile(t, births, "record.sex", rules.KindChoice, rules.KindText), Term: "person.sex"},
			}, For: grants(all, access.Apply, access.Simulate),
		}}},
		{
			Path: "interior/residences", Agency: "interior", Held: register.HeldHere, Subject: "person", Fields: residences,
			Delay: &register.Delay{Days: 30, Legal: "illustrative"}, Evidence: []register.EvidenceType{{
				Path: "interior/residence", Register: "interior/residences", Agency: "interior", Of: "person",
				Where: compile(t, residences, "!has(record.leaves) || record.leaves > today", rules.KindBool), Answer: []register.Answer{
					{Name: "place", Type: rules.Territory, Is: compile(t, residences, "record.place", rules.KindTerritory)},
				}, For: grants(all, access.Apply, access.Simulate),
			}},
		},
		{Path: "employment/unemployed", Agency: "employment", Held: register.HeldHere, Subject: "person", Fields: unemployed, Evidence: []register.EvidenceType{{
			Path: "employment/unemployment", Register: "employment/unemployed", Agency: "employment", Of: "person", Answer: []register.Answer{
				{Name: "registered", Type: rules.Bool, Is: compile(t, unemployed, "!has(record.until)", rules.KindBool)},
			}, For: grants(all, access.Apply, access.Simulate),
		}}},
		{
			Path: "tax/incomes", Agency: "tax", Held: register.HeldAdapter, Subject: "person", Fields: []field.Definition{person, {Name: "low", Kind: field.Bool}},
			Evidence: []register.EvidenceType{{
				Path: "tax/low-income", Register: "tax/incomes", Agency: "tax", Of: "person", Answer: []register.Answer{{Name: "low", Type: rules.Bool}},
				For: grants(all, access.Apply, access.Simulate),
			}},
		},
		{
			Path: "health/illnesses", Agency: "health", Held: register.HeldHere, Subject: "person", Fields: []field.Definition{person, {Name: "low", Kind: field.Bool}},
			Evidence: []register.EvidenceType{{
				Path: "health/illness", Register: "health/illnesses", Agency: "health", Of: "person", Answer: []register.Answer{{Name: "low", Type: rules.Bool}},
				For: grants(all, access.Apply),
			}},
		},
	}
}

func compile(t testing.TB, fields []field.Definition, source string, kinds ...rules.Kind) *rules.Program {
	t.Helper()
	environment, err := rules.NewEnvironment(rules.Field{Name: "record", Type: field.TypeOf(fields)}, rules.Field{Name: "today", Type: rules.Date})
	if err != nil {
		t.Fatal(err)
	}
	program, err := environment.Compile(source, kinds...)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// definition is the service with its first rule.
func definition(t testing.TB, path ident.Service, rule string) *service.Definition {
	t.Helper()
	one := func(name string) (rules.Type, ident.Register) {
		for _, definition := range registers(t) {
			for _, evidence := range definition.Evidence {
				if string(evidence.Path) == name {
					return evidence.Type(), definition.Path
				}
			}
		}
		t.Fatalf("there is no evidence %s", name)
		return rules.Type{}, ""
	}
	d := &service.Definition{
		Path: path, Hash: rule, Agency: "youth-agency", For: []string{"person"},
		Ask: []service.Question{{Definition: field.Definition{Name: "price", Kind: field.Money}}},
		Params: []service.Param{{Name: "brv", Type: rules.Money, Values: []service.ParamValue{
			{From: calendar.Date{Year: 2025, Month: 1, Day: 1}, Value: money.Amount(400_000_00)},
		}}},
	}
	for _, evidence := range []service.Evidence{
		{Name: "birth", From: "civil/birth", None: service.NoneAttest},
		{Name: "residence", From: "interior/residence", None: service.NoneAllow},
		{Name: "unemployment", From: "employment/unemployment", None: service.NoneRefuse},
	} {
		evidence.Type, evidence.Register = one(string(evidence.From))
		d.Evidence = append(d.Evidence, evidence)
	}
	return compiled(t, d, rule, "unemployment.registered")
}

// withIncome is a service that reads one register more.
func withIncome(t testing.TB, path ident.Service, from ident.Evidence) *service.Definition {
	t.Helper()
	d := definition(t, path, "true")
	d.Hash = string(path)
	d.Evidence = append(d.Evidence, service.Evidence{
		Name: "income", From: from, None: service.NoneRefuse, Type: rules.ObjectOf(rules.Field{Name: "low", Type: rules.Bool}),
	})
	return compiled(t, d, "income.low")
}

func compiled(t testing.TB, d *service.Definition, requirements ...string) *service.Definition {
	t.Helper()
	environment, err := d.Environment()
	if err != nil {
		t.Fatal(err)
	}
	d.Require = nil
	for _, rule := range requirements {
		program, err := environment.Compile(rule, rules.KindBool)
		if err != nil {
			t.Fatalf("%s: %v", rule, err)
		}
		d.Require = append(d.Require, service.Requirement{ID: rule, That: program})
	}
	amount, err := environment.Compile("least(ask.price, 10 * param.brv)", rules.KindMoney)
	if err != nil {
		t.Fatal(err)
	}
	d.Output.Payment = &service.Payment{Amount: amount, To: "account"}
	return d
}

// resident is somebody, as the registers know them. What is empty, no register knows.
type resident struct {
	birth, sex, place, unemployed, until string
}

// settle takes up so many residents who are alike, and returns them.
func (w *world) settle(t testing.TB, count int, like resident) (settled []ident.Subject) {
	t.Helper()
	by := journal.Actor{Component: "test"}
	for range count {
		id, err := w.people.TakeUp(t.Context(), by, ident.Random[ident.Person](), person.Attributes{Number: fmt.Sprint(ident.Random[ident.Person]()), Name: "Namuna"})
		if err != nil {
			t.Fatal(err)
		}
		subject := id.Subject()
		put := func(into ident.Register, values map[string]any) {
			values["person"] = subject
			if _, _, err := w.keeper.Put(t.Context(), by, register.Write{
				Register: into, Values: values, From: calendar.Date{Year: 2000, Month: 1, Day: 1}, Reason: "test",
			}); err != nil {
				t.Fatal(err)
			}
		}
		if like.birth != "" {
			put("civil/births", map[string]any{"date": date(like.birth), "sex": like.sex})
		}
		if like.place != "" {
			put("interior/residences", map[string]any{"place": ident.Territory(like.place)})
		}
		if like.unemployed != "" {
			values := map[string]any{"since": date(like.unemployed)}
			if like.until != "" {
				values["until"] = date(like.until)
			}
			put("employment/unemployed", values)
		}
		settled = append(settled, subject)
	}
	return settled
}

func date(text string) calendar.Date {
	found, err := calendar.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return found
}

func analyst(place ident.Territory) access.Actor {
	return access.Actor{Person: "analyst", Appointment: &access.Appointment{ID: "a", Agency: "youth-agency", Role: simulation.Analyst, Territory: place}}
}

// table writes the rows of a result as a reader would see them: "north 12 19 7 0 0", with – for what is not shown.
func table(rows []simulation.Row) string {
	var lines []string
	for _, row := range rows {
		line := []string{row.Group}
		for _, n := range []simulation.Number{row.Before, row.After, row.In, row.Out, row.NotKnown} {
			if n.Hidden {
				line = append(line, "–")
			} else {
				line = append(line, fmt.Sprint(n.Count))
			}
		}
		lines = append(lines, strings.TrimSpace(strings.Join(line, " ")))
	}
	return strings.Join(lines, "\n")
}

// scheme accepts what the tests need.
type scheme struct{}

func (scheme) CheckBankAccount(text string) (string, error)     { return text, nil }
func (scheme) CheckPhone(text string) (string, error)           { return text, nil }
func (scheme) CheckTerritory(_ ident.Territory, _ string) error { return nil }
func (scheme) ParseMoney(text string) (money.Amount, error) {
	return money.Currency{Code: "UZS", MinorDigits: 2}.Parse(text)
}
