package register_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/rules"
	"yagona/kernel/seal"
	"yagona/store/query"
	"yagona/store/storetest"
)

var tashkent = time.FixedZone("UTC+5", 5*60*60)

// world is registers over a real store and real keys.
type world struct {
	*register.Keeper
	db        query.DB
	vault     *seal.Vault
	directory *person.Directory
	now       time.Time
	catalogue *register.Catalogue
}

// newWorld returns a fresh world, on the engine that package storetest chooses.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: start}
	return w.built(t, storetest.Temporary(t, w.clock))
}

// newFile returns a world on the embedded engine, and the path of its file: for a test that changes the file.
func newFile(t *testing.T) (w *world, path string) {
	t.Helper()
	w = &world{now: start}
	db, path := storetest.File(t, w.clock)
	return w.built(t, db), path
}

// start is the morning on which every world begins.
var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

func (w *world) clock() time.Time { return w.now }

// built returns the world on a store.
func (w *world) built(t *testing.T, db query.DB) *world {
	t.Helper()
	w.db = db
	var err error
	if w.vault, err = seal.NewVault(storetest.Keys(t), make([]byte, seal.KeySize)); err != nil {
		t.Fatal(err)
	}
	w.directory = &person.Directory{Store: query.For[person.Reader, person.Tx](w.db), Vault: w.vault, Keys: seal.OneIndexKey(make([]byte, 32))}
	if w.catalogue, err = register.NewCatalogue(definitions(t)); err != nil {
		t.Fatal(err)
	}
	w.Keeper = &register.Keeper{
		Store: query.For[register.Reader, register.Tx](w.db), Vault: w.vault,
		Definitions: func() *register.Catalogue { return w.catalogue }, Scheme: scheme{}, Clock: w.clock,
		Location: tashkent, IndexKeys: seal.OneIndexKey(make([]byte, 32)), People: w.directory,
		Readings: access.NewOwnReadings(query.For[journal.Reader, journal.Tx](w.db), w.vault),
	}
	return w
}

func compile(t *testing.T, fields []field.Definition, source string, kinds ...rules.Kind) *rules.Program {
	t.Helper()
	environment, err := rules.NewEnvironment(rules.Field{Name: "record", Type: field.TypeOf(fields)})
	if err != nil {
		t.Fatal(err)
	}
	program, err := environment.Compile(source, kinds...)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

func definitions(t *testing.T) []*register.Definition {
	unemployed := []field.Definition{
		{Name: "person", Kind: field.Person},
		{Name: "registeredOn", Kind: field.Date},
		{Name: "closedOn", Kind: field.Date, Optional: true},
		{Name: "skill", Kind: field.Text, Optional: true},
	}
	vehicles := []field.Definition{
		{Name: "owner", Kind: field.Person}, {Name: "plate", Kind: field.Text}, {Name: "driver", Kind: field.Person, Optional: true},
	}
	residence := []field.Definition{{Name: "person", Kind: field.Person}, {Name: "dwelling", Kind: field.Text}}
	marriages := []field.Definition{{Name: "person", Kind: field.Person}, {Name: "spouse", Kind: field.Person}, {Name: "ended", Kind: field.Bool}}
	return []*register.Definition{
		{
			Path: "employment/unemployed", Agency: "employment-agency", Held: register.HeldHere, Subject: "person",
			Fields: unemployed, Unique: [][]string{{"person"}}, Index: [][]string{{"skill"}},
			Evidence: []register.EvidenceType{{
				Path: "employment/unemployment", Register: "employment/unemployed", Agency: "employment-agency", Of: "person",
				Answer: []register.Answer{
					{Name: "registered", Type: rules.Bool, Is: compile(t, unemployed, "!has(record.closedOn)", rules.KindBool), Term: "person.unemployed"},
					{Name: "since", Type: rules.Date, Is: compile(t, unemployed, "record.registeredOn", rules.KindDate)},
				},
				For: []register.Grant{{Service: "youth/tools-subsidy", Purposes: []access.Purpose{access.Apply}}},
			}},
		},
		{
			Path: "transport/vehicles", Agency: "transport-agency", Held: register.HeldHere, Subject: "owner",
			Fields: vehicles, Unique: [][]string{{"plate"}},
			Evidence: []register.EvidenceType{{
				Path: "transport/driven", Register: "transport/vehicles", Agency: "transport-agency", Of: "driver",
				Answer: []register.Answer{{Name: "plate", Type: rules.Text, Is: compile(t, vehicles, "record.plate", rules.KindText)}},
				For:    []register.Grant{{Service: "transport/insurance", Purposes: []access.Purpose{access.Proactive}}},
			}},
		},
		{
			Path: "trade/batches", Agency: "plant-agency", Held: register.HeldHere,
			Fields: []field.Definition{{Name: "code", Kind: field.Text}, {Name: "kilograms", Kind: field.Int}}, Unique: [][]string{{"code"}},
		},
		{
			Path: "interior/residence", Agency: "interior", Held: register.HeldHere, Subject: "person", Fields: residence, Unique: [][]string{{"person"}},
			Relations: []register.Relation{{Name: "household", Same: "dwelling", Many: true}},
			Delay:     &register.Delay{Days: 30, Legal: "illustrative"},
		},
		{
			Path: "civil/marriages", Agency: "civil", Held: register.HeldHere, Subject: "person", Fields: marriages, Index: [][]string{{"person"}},
			Relations: []register.Relation{{Name: "spouse", To: "spouse", Where: compile(t, marriages, "!record.ended", rules.KindBool)}},
		},
		{Path: "tax/income", Agency: "tax", Held: register.HeldAdapter, Subject: "person", Fields: []field.Definition{{Name: "person", Kind: field.Person}}},
	}
}

// scheme accepts what the tests need.
type scheme struct{}

func (scheme) CheckBankAccount(text string) (string, error)        { return text, nil }
func (scheme) CheckPhone(text string) (string, error)              { return text, nil }
func (scheme) CheckTerritory(code ident.Territory, _ string) error { return nil }
func (scheme) ParseMoney(text string) (money.Amount, error) {
	return money.Currency{Code: "UZS", MinorDigits: 2}.Parse(text)
}

type fieldDefinition = field.Definition

func newPerson() ident.Subject { return ident.Random[ident.Person]().Subject() }

func date(text string) calendar.Date {
	found, err := calendar.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return found
}

func registrar(agency ident.Agency) access.Actor {
	return access.Actor{Person: "official", Appointment: &access.Appointment{ID: "a", Agency: agency, Role: access.Registrar}}
}

// told returns what the subject's own log says, newest first.
func (w *world) told(t *testing.T, subject ident.Subject) (told []map[string]any) {
	t.Helper()
	sealer, err := w.vault.Open(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	err = w.db.View(t.Context(), func(tx *query.Tx) error {
		parts, err := tx.PartsOf(subject, true, "", 100)
		if err != nil {
			return err
		}
		for _, part := range parts {
			event, err := tx.StoredEvent(part.Key, part.Event)
			if err != nil {
				return err
			}
			opening, err := journal.Open(sealer, event, part)
			if err != nil {
				return err
			}
			var personal map[string]any
			if err := json.Unmarshal(opening.Personal, &personal); err != nil {
				return err
			}
			if !part.ShownFrom.IsZero() {
				personal["shownFrom"] = part.ShownFrom
			}
			told = append(told, personal)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return told
}

// audit compares each version with the event that covers it, and returns the names of the rows that differ.
func (w *world) audit(t *testing.T) (rows int, differ []string) {
	t.Helper()
	err := w.db.View(context.Background(), func(tx *query.Tx) error {
		return register.Rows(tx, func(row journal.Row) error {
			rows++
			event, err := tx.StoredEvent(row.Key, row.Event)
			if err != nil {
				return err
			}
			var header journal.Header
			if err := json.Unmarshal(event.Header, &header); err != nil {
				return err
			}
			for _, cover := range header.Covers {
				if cover.Row == row.Name && string(cover.Digest) == string(row.Digest) {
					return nil
				}
			}
			differ = append(differ, row.Name)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows, differ
}

func wantKind(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if !fault.Is(err, kind) || fault.Code(err) != code {
		t.Errorf("got %v, wanted %v %s", err, kind, code)
	}
}
