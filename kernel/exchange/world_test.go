package exchange_test

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/exchange"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/rules"
	"yagona/kernel/seal"
	"yagona/kernel/signature"
	"yagona/store/keyfile"
	"yagona/store/query"
	"yagona/store/storetest"
)

// world is two agencies with registers, a third whose system is behind a source that the test plays, and a service.
type world struct {
	*exchange.Exchange
	db     database
	keeper *register.Keeper
	ring   *keyfile.Folder
	local  *exchange.Local
	remote *source
	now    time.Time
	mu     sync.Mutex
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
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

// database is a store that a test closes.
type database interface {
	query.DB
	io.Closer
}

// built returns the world on a store.
func (w *world) built(t *testing.T, db database) *world {
	t.Helper()
	w.db = db
	vault, err := seal.NewVault(storetest.Keys(t), make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	if w.ring, err = keyfile.Open(t.TempDir(), w.clock); err != nil {
		t.Fatal(err)
	}
	for _, agency := range []ident.Agency{"employment-agency", "civil", "tax", "youth-agency"} {
		if _, err := w.ring.Ensure(signature.OfAgency(agency)); err != nil {
			t.Fatal(err)
		}
	}
	catalogue, err := register.NewCatalogue(definitions(t))
	if err != nil {
		t.Fatal(err)
	}
	w.keeper = &register.Keeper{
		Store: query.For[register.Reader, register.Tx](w.db), Vault: vault,
		Definitions: func() *register.Catalogue { return catalogue }, Clock: w.clock, Location: time.UTC, IndexKeys: seal.OneIndexKey(make([]byte, 32)),
	}
	directory := &person.Directory{Store: query.For[person.Reader, person.Tx](w.db), Vault: vault, Keys: seal.OneIndexKey(make([]byte, 32))}
	w.local = &exchange.Local{Registers: w.keeper, Ring: w.ring, Clock: w.clock}
	w.remote = &source{world: w}
	w.Exchange = &exchange.Exchange{
		Store: query.For[exchange.Reader, exchange.Tx](w.db), Vault: vault, Ring: w.ring, Clock: w.clock,
		Registers: w.keeper, Numbers: directory, Timeout: time.Second,
		Sources: map[register.Held]exchange.Source{register.HeldHere: w.local, register.HeldNode: w.remote},
	}
	return w
}

// source plays another node; answer is what it does, nil: it says income 5.
type source struct {
	world  *world
	mu     sync.Mutex
	asked  []exchange.Question
	answer func(context.Context, exchange.SignedQuestion, exchange.Question) (exchange.SignedAnswer, error)
}

func (s *source) Answer(ctx context.Context, asked exchange.SignedQuestion) (exchange.SignedAnswer, error) {
	question, err := asked.Verify(s.world.ring)
	if err != nil {
		return exchange.SignedAnswer{}, err
	}
	s.mu.Lock()
	s.asked = append(s.asked, question)
	answer := s.answer
	s.mu.Unlock()
	if answer != nil {
		return answer(ctx, asked, question)
	}
	return s.say(ctx, asked, question, map[string]any{"low": true})
}

func (s *source) say(ctx context.Context, asked exchange.SignedQuestion, question exchange.Question, values map[string]any) (exchange.SignedAnswer, error) {
	reply, err := question.Reply(asked, values, exchange.VouchedByRegister, s.world.clock)
	if err != nil {
		return exchange.SignedAnswer{}, err
	}
	return exchange.SignReply(ctx, s.world.ring, reply)
}

func compile(t *testing.T, fields []field.Definition, source string, kind rules.Kind) *rules.Program {
	t.Helper()
	environment, err := rules.NewEnvironment(rules.Field{Name: "record", Type: field.TypeOf(fields)})
	if err != nil {
		t.Fatal(err)
	}
	program, err := environment.Compile(source, kind)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

const service = ident.Service("youth/tools-subsidy")

func definitions(t *testing.T) []*register.Definition {
	unemployed := []field.Definition{
		{Name: "person", Kind: field.Person},
		{Name: "registeredOn", Kind: field.Date},
		{Name: "closedOn", Kind: field.Date, Optional: true},
		{Name: "note", Kind: field.Text, Optional: true},
	}
	marriages := []field.Definition{{Name: "person", Kind: field.Person}, {Name: "spouse", Kind: field.Person}}
	grant := []register.Grant{{Service: service, Purposes: []access.Purpose{access.Preview, access.Apply}}}
	return []*register.Definition{
		{
			Path: "employment/unemployed", Agency: "employment-agency", Held: register.HeldHere, Subject: "person", Fields: unemployed,
			Evidence: []register.EvidenceType{{
				Path: "employment/unemployment", Register: "employment/unemployed", Agency: "employment-agency", Of: "person", For: grant,
				Answer: []register.Answer{
					{Name: "registered", Type: rules.Bool, Is: compile(t, unemployed, "!has(record.closedOn)", rules.KindBool)},
					{Name: "since", Type: rules.Date, Is: compile(t, unemployed, "record.registeredOn", rules.KindDate)},
				},
			}},
		},
		{
			Path: "civil/marriages", Agency: "civil", Held: register.HeldHere, Subject: "person", Fields: marriages,
			Delay: &register.Delay{Days: 10, Legal: "illustrative"},
			Evidence: []register.EvidenceType{
				{
					Path: "civil/married", Register: "civil/marriages", Agency: "civil", Of: "person",
					For:    append([]register.Grant{{Service: "youth/evidence-only", Purposes: grant[0].Purposes}}, grant...),
					Answer: []register.Answer{{Name: "married", Type: rules.Bool, Is: compile(t, marriages, "true", rules.KindBool)}},
				},
				{
					Path: "civil/named-as-spouse", Register: "civil/marriages", Agency: "civil", Of: "spouse", For: grant,
					Answer: []register.Answer{{Name: "named", Type: rules.Bool, Is: compile(t, marriages, "true", rules.KindBool)}},
				},
			},
			Relations: []register.Relation{{Name: "spouse", To: "spouse", For: grant}},
		},
		{
			Path: "tax/income", Agency: "tax", Held: register.HeldNode, Subject: "person",
			Fields: []field.Definition{{Name: "person", Kind: field.Person}},
			Evidence: []register.EvidenceType{{
				Path: "tax/low-income", Register: "tax/income", Agency: "tax", Of: "person", For: grant,
				Answer: []register.Answer{{Name: "low", Type: rules.Bool}},
			}},
		},
	}
}

func newPerson() ident.Subject { return ident.Random[ident.Person]().Subject() }

// known returns a person whose national number is known here.
func (w *world) known(t *testing.T) ident.Subject {
	t.Helper()
	id, err := w.Numbers.(*person.Directory).TakeUp(t.Context(), journal.Actor{}, "", person.Attributes{Number: "invented " + string(ident.Random[ident.Person]())})
	if err != nil {
		t.Fatal(err)
	}
	return id.Subject()
}

func (w *world) save(t *testing.T, agency ident.Agency, path ident.Register, values map[string]any) {
	t.Helper()
	by := access.Actor{Person: "official", Appointment: &access.Appointment{Agency: agency, Role: access.Registrar}}
	if _, err := w.keeper.Save(t.Context(), by, register.Write{Register: path, Values: values, Reason: "r"}); err != nil {
		t.Fatal(err)
	}
}

func day(text string) calendar.Date {
	found, err := calendar.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return found
}

func request(evidence ident.Evidence, of ident.Subject) exchange.Request {
	return exchange.Request{
		Evidence: evidence, Of: of, Service: service, Version: "hash", Purpose: access.Apply, Application: "application-1",
		By: journal.Actor{Person: "applicant"}, Asking: "youth-agency",
	}
}

// entry is one part of an event about a subject.
type entry struct {
	Type, Purpose string
	Event         ident.Event
	Disclosure    bool
	ShownFrom     time.Time
	exchange.Disclosed
	exchange.DisclosedTogether
	Relation string `json:"relation"`
}

// log returns what the journal says of the subject, newest first.
func (w *world) log(t *testing.T, subject ident.Subject) (entries []entry) {
	t.Helper()
	sealer, err := w.Vault.Open(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	err = w.db.View(t.Context(), func(tx *query.Tx) error {
		parts, err := tx.PartsOf(subject, false, "", 1000)
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
			header, _, err := opening.Verify()
			if err != nil {
				return err
			}
			one := entry{Type: header.Type, Purpose: header.Purpose, Event: part.Event, Disclosure: part.Disclosure, ShownFrom: part.ShownFrom}
			if err := json.Unmarshal(opening.Personal, &one); err != nil {
				return err
			}
			if one.Type != "register.written" && one.Type != "person.taken-up" {
				entries = append(entries, one)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}
