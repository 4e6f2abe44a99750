package casework_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/money"
	"yagona/kernel/notice"
	"yagona/kernel/queue"
	"yagona/kernel/rules"
	"yagona/kernel/seal"
	"yagona/kernel/service"
	"yagona/kernel/territory"
	"yagona/kernel/wording"
	"yagona/store/query"
	"yagona/store/storetest"
)

// registers is a fake of the exchange: what the registers would answer, and whether they do.
type registers struct {
	mu      sync.Mutex
	values  map[ident.Evidence]map[ident.Subject]map[string]any // guarded by mu
	silent  map[ident.Evidence]bool                             // guarded by mu: they do not answer
	asked   []exchange.Request                                  // guarded by mu
	kept    map[ident.Exchange]exchange.Answer                  // guarded by mu
	related map[string]map[ident.Subject][]ident.Subject
	clock   act.Clock
}

func (r *registers) Inquire(_ context.Context, _ ident.Subject, requests ...exchange.Request) ([]exchange.Result, *exchange.Unkept) {
	r.mu.Lock()
	defer r.mu.Unlock()
	results := make([]exchange.Result, len(requests))
	for i, request := range requests {
		r.asked = append(r.asked, request)
		if r.silent[request.Evidence] {
			results[i].Err = fault.New(fault.Unavailable, "exchange.silent", "The register does not answer.")
			continue
		}
		answer := exchange.Answer{
			Exchange: ident.New[ident.Exchange](r.clock()), Evidence: request.Evidence, Of: request.Of,
			Status: exchange.StatusNone, At: r.clock(),
		}
		if values, ok := r.values[request.Evidence][request.Of]; ok {
			answer.Status, answer.Values = exchange.StatusAnswered, maps.Clone(values)
		}
		r.kept[answer.Exchange] = answer
		results[i].Answer = answer
	}
	return results, nil
}

func (r *registers) Answer(_ context.Context, id ident.Exchange, _ ident.Subject) (exchange.Answer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept[id], nil
}

func (r *registers) Related(_ context.Context, relation string, of ident.Subject, _ exchange.Request) ([]ident.Subject, error) {
	return r.related[relation][of], nil
}

func (r *registers) AreRelated(_ context.Context, relation string, one, other ident.Subject) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.silent[ident.Evidence(relation)] {
		return false, fault.New(fault.Unavailable, "exchange.silent", "The register does not answer.")
	}
	return slices.Contains(r.related[relation][one], other), nil
}

func (r *registers) RelatedTo(_ context.Context, relation string, one ident.Subject) ([]ident.Subject, error) {
	return r.related[relation][one], nil
}

func (r *registers) set(evidence ident.Evidence, of ident.Subject, values map[string]any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values[evidence] == nil {
		r.values[evidence] = map[ident.Subject]map[string]any{}
	}
	r.values[evidence][of] = values
}

func (r *registers) silence(evidence ident.Evidence, silent bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent[evidence] = silent
}

// scheme accepts every account and phone number.
type scheme struct{ *territory.Tree }

func (scheme) CheckBankAccount(text string) (string, error) {
	if len(text) != 20 {
		return "", fault.New(fault.Invalid, "account", "This is no account. Write its 20 digits.")
	}
	return text, nil
}

func (scheme) CheckPhone(text string) (string, error)         { return text, nil }
func (s scheme) CheckTerritory(ident.Territory, string) error { return nil }
func (scheme) ParseMoney(string) (money.Amount, error)        { return 0, nil }

// world is an invented country with one region, two districts and three mahallas.
type world struct {
	*testing.T
	*casework.Casework
	registers *registers
	db        query.DB
	stores    []io.Closer
	now       time.Time
	jobs      *job.Runner
	office    *access.Office
	queued    []string // kinds of job that others do
	applicant access.Actor
	messenger messenger
}

// monday is a Monday, 09:00 in the country.
var monday = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// close gives back what the world is stored in before its test ends: for tests that make many, more than PostgreSQL has
// connections.
func (w *world) close() {
	w.Helper()
	for _, one := range w.stores {
		if err := one.Close(); err != nil {
			w.Error(err)
		}
	}
}

func newWorld(t *testing.T, change ...func(*service.Definition)) *world {
	t.Helper()
	w := &world{T: t, now: monday}
	clock := func() time.Time { return w.now }
	tree, err := territory.New(
		[]territory.Level{{Name: "country"}, {Name: "district"}, {Name: "mahalla"}},
		[]territory.Territory{
			{Code: "X", Level: "country"},
			{Code: "X1", Parent: "X", Level: "district"},
			{Code: "X2", Parent: "X", Level: "district"},
			{Code: "X11", Parent: "X1", Level: "mahalla"},
			{Code: "X12", Parent: "X1", Level: "mahalla"},
			{Code: "X21", Parent: "X2", Level: "mahalla"},
		})
	if err != nil {
		t.Fatal(err)
	}
	days, err := calendar.New(calendar.Definition{Weekend: []time.Weekday{time.Saturday, time.Sunday}, Location: time.FixedZone("five", 5*3600)})
	if err != nil {
		t.Fatal(err)
	}
	stored := storetest.Temporary(t, clock)
	w.db = stored
	keys := storetest.Keys(t)
	w.stores = []io.Closer{stored, keys}
	vault, err := seal.NewVault(keys, make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	w.registers = &registers{
		clock: clock, values: map[ident.Evidence]map[ident.Subject]map[string]any{}, silent: map[ident.Evidence]bool{},
		kept: map[ident.Exchange]exchange.Answer{}, related: map[string]map[ident.Subject][]ident.Subject{"household": {}},
	}
	definition := subsidy(t)
	for _, one := range change {
		one(definition)
	}
	catalogue := service.NewCatalogue([]*service.Definition{definition}, nil)
	w.Casework = casework.New(casework.Config{
		Store: query.For[casework.Reader, casework.Tx](w.db), Vault: vault, Clock: clock,
		Catalogue: func() *service.Catalogue { return catalogue }, Evidence: w.registers,
		Calendar: days, Territories: tree, Scheme: scheme{tree}, Messenger: &w.messenger,
		Queues: &queue.Queues{Store: query.For[queue.Reader, queue.Tx](w.db), Vault: vault},
	})
	w.office = &access.Office{Store: query.For[access.Reader, access.Tx](w.db), Vault: vault}
	w.jobs = &job.Runner{Store: query.For[job.Reader, job.Tx](w.db), Clock: clock, Handlers: w.Handlers()}
	w.jobs.Handlers[casework.JobPay] = w.note
	w.applicant = access.Actor{Person: ident.Random[ident.Person]()}
	subject := w.applicant.Person.Subject()
	w.registers.set("civil/birth", subject, map[string]any{"date": calendar.Date{Year: 2003, Month: 11, Day: 5}})
	w.registers.set("interior/residence", subject, map[string]any{"mahalla": ident.Territory("X11")})
	w.registers.set("employment/unemployment", subject, map[string]any{"registered": true})
	return w
}

// note keeps what the platform was asked to do elsewhere.
func (w *world) note(_ context.Context, queued job.Job) error {
	w.queued = append(w.queued, queued.Kind)
	return nil
}

// notices returns what the applicant was told of, newest first.
func (w *world) notices() string {
	w.Helper()
	board := notice.Board{Store: query.For[notice.Reader, notice.Tx](w.db)}
	found, err := board.Of(w.Context(), w.applicant.Person.Subject(), 100)
	if err != nil {
		w.Fatal(err)
	}
	var kinds []string
	for _, one := range found {
		kinds = append(kinds, one.Kind)
	}
	return strings.Join(kinds, " ")
}

// subsidy is the service of the story, without a document.
func subsidy(t *testing.T) *service.Definition {
	t.Helper()
	def := &service.Definition{
		Path: "youth/tools", Hash: "1", Agency: "youth-agency", For: []string{"person"},
		Ask: []service.Question{
			{Definition: field.Definition{Name: "price", Kind: field.Money}},
			{Definition: field.Definition{Name: "account", Kind: field.BankAccount}},
		},
		Evidence: []service.Evidence{
			{Name: "birth", From: "civil/birth", None: service.NoneRefuse, Type: rules.ObjectOf(rules.Field{Name: "date", Type: rules.Date})},
			{Name: "residence", From: "interior/residence", None: service.NoneAttest, Type: rules.ObjectOf(rules.Field{Name: "mahalla", Type: rules.Territory})},
			{Name: "unemployment", From: "employment/unemployment", None: service.NoneRefuse, Fresh: service.Period{Days: 1}, Type: rules.ObjectOf(rules.Field{Name: "registered", Type: rules.Bool})},
		},
	}
	environment, err := def.Environment()
	if err != nil {
		t.Fatal(err)
	}
	compile := func(source string, kind rules.Kind) *rules.Program {
		program, err := environment.Compile(source, kind)
		if err != nil {
			t.Fatal(err)
		}
		return program
	}
	mahalla := compile("residence.mahalla", rules.KindTerritory)
	def.Require = []service.Requirement{
		{ID: "age", That: compile("age(birth.date, submitted) in range(18, 30)", rules.KindBool), Otherwise: wording.Text{"en": "This is for people aged 18 to 30."}},
		{ID: "unemployed", That: compile("unemployment.registered", rules.KindBool), Otherwise: wording.Text{"en": "You are not registered as unemployed."}},
	}
	def.Process = []service.Stage{
		{Steps: []service.Step{{
			Name: "assess", Agency: "youth-agency", Role: "youth-leader", Territory: mahalla, Within: 3, Late: service.LateEscalate,
			Actions: []service.Action{service.Recommend, service.Ask, service.Refuse},
		}}},
		{Steps: []service.Step{{
			Name: "approve", Agency: "youth-agency", Role: "chair", Territory: mahalla, Within: 2, Late: service.LateEscalate,
			Actions: []service.Action{service.Approve, service.Refuse},
		}}},
	}
	def.Output.Payment = &service.Payment{Amount: compile("least(ask.price, ask.price)", rules.KindMoney), To: "account", Fund: "youth-fund"}
	return def
}

// official appoints somebody.
func (w *world) official(role ident.Role, place ident.Territory) access.Actor {
	w.Helper()
	made, err := w.office.Appoint(w.Context(), access.Actor{}, access.Appointment{
		Person: ident.Random[ident.Person](), Agency: "youth-agency", Role: role, Territory: place,
	})
	if err != nil {
		w.Fatal(err)
	}
	return access.Actor{Person: made.Person, Appointment: &made}
}

var answers = map[string]any{"price": money.Amount(150_000_000), "account": "20208000900000000001"}

// apply sends an application in one act.
func (w *world) apply() casework.Receipt {
	w.Helper()
	receipt, err := w.Apply(w.Context(), w.applicant, "", "youth/tools", "en", answers)
	if err != nil {
		w.Fatal(err)
	}
	return receipt
}

// open returns the one task that the official's inbox holds.
func (w *world) open(by access.Actor) casework.Task {
	w.Helper()
	tasks, err := w.Tasks(w.Context(), by, casework.Filter{}, casework.Cursor{}, 10)
	if err != nil {
		w.Fatal(err)
	}
	if len(tasks) != 1 {
		w.Fatalf("the inbox holds %d tasks", len(tasks))
	}
	return tasks[0]
}

// decide reads the official's one task and decides it.
func (w *world) decide(by access.Actor, verdict casework.Verdict) (casework.Receipt, error) {
	w.Helper()
	task := w.open(by)
	view, err := w.Read(w.Context(), by, task.ID)
	if err != nil {
		return casework.Receipt{}, err
	}
	return w.Decide(w.Context(), by, task.ID, view.Application.Revision, verdict)
}

func (w *world) must(receipt casework.Receipt, err error) casework.Application {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	return receipt.Application
}

func (w *world) state(id ident.Application) casework.View {
	w.Helper()
	view, err := w.Own(w.Context(), w.applicant, id)
	if err != nil {
		w.Fatal(err)
	}
	return view
}

// later lets time pass, an hour at a time, and does the jobs that fall due.
func (w *world) later(d time.Duration) {
	w.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(min(time.Hour, end.Sub(w.now)))
		if err := w.jobs.Drain(w.Context()); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) refused(err error, code string) {
	w.Helper()
	if fault.Code(err) != code {
		w.Errorf("got %v instead of %s", err, code)
	}
}

func TestTwoOfficialsGrantAndThePaymentIsQueuedOnce(t *testing.T) {
	w := newWorld(t)
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	sent := w.apply()
	if sent.Application.State != casework.Deciding {
		t.Fatalf("the application is %s", sent.Application.State)
	}
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	granted := w.must(w.decide(chair, casework.Verdict{Action: service.Approve}))
	if granted.State != casework.Granted {
		t.Fatalf("the application is %s", granted.State)
	}
	w.later(time.Hour)
	payment, err := w.Payment(t.Context(), granted.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if payment.Amount != 150_000_000 || len(payment.DecidedBy) != 2 || payment.Account != answers["account"] {
		t.Errorf("the payment is %+v", payment)
	}
	if got, want := fmt.Sprint(w.queued), "[application.pay]"; got != want {
		t.Errorf("queued %s", got)
	}
	if got, want := w.notices(), "application.granted"; got != want {
		t.Errorf("the applicant was told of %q, not of %q", got, want)
	}
}

func TestPaymentThatTheBankDidNotTakeGoesToAnotherAccount(t *testing.T) {
	w := newWorld(t)
	w.apply()
	w.must(w.decide(w.official("youth-leader", "X11"), casework.Verdict{Action: service.Recommend}))
	granted := w.must(w.decide(w.official("chair", "X11"), casework.Verdict{Action: service.Approve}))
	w.later(time.Hour)
	first, err := w.Payment(t.Context(), granted.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	change := func(by access.Actor, revision int64, account string) (casework.Receipt, error) {
		return w.ChangeAccount(t.Context(), by, granted.ID, revision, account)
	}
	if _, err := change(w.applicant, granted.Revision, "20208000900000000002"); fault.Code(err) != "application.no-account-wanted" {
		t.Errorf("before the bank turned anything down: %v", err)
	}
	if err := w.RejectPayment(t.Context(), granted.ID, "00000000-0000-7000-8000-000000000000", "BE01"); err != nil {
		t.Errorf("an order that is not this application's: %v", err)
	}
	for range 2 { // a job may be done twice
		if err := w.RejectPayment(t.Context(), granted.ID, first.Order, "BE01"); err != nil {
			t.Fatal(err)
		}
	}
	w.later(time.Hour)
	if got, want := w.notices(), "payment.rejected application.granted"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	own, err := w.Own(t.Context(), w.applicant, granted.ID)
	if err != nil {
		t.Fatal(err)
	}
	revision := own.Application.Revision
	if own.Application.State != casework.Granted || own.Content.Granted.Rejected != "BE01" || revision != granted.Revision+1 {
		t.Errorf("what was granted became %+v %+v", own.Application, own.Content.Granted)
	}
	for name, test := range map[string]struct {
		by       access.Actor
		revision int64
		account  string
		code     string
	}{
		"somebody else":          {access.Actor{Person: ident.Random[ident.Person]()}, revision, "20208000900000000002", "application.unknown"},
		"an official":            {w.official("chair", "X11"), revision, "20208000900000000002", "application.unknown"},
		"an old page":            {w.applicant, revision - 1, "20208000900000000002", "application.changed"},
		"nothing":                {w.applicant, revision, "", "field.required"},
		"what no account can be": {w.applicant, revision, "1", "account"},
	} {
		if _, err := change(test.by, test.revision, test.account); fault.Code(err) != test.code {
			t.Errorf("%s: %v, want %s", name, err, test.code)
		}
	}
	w.queued = nil
	changed, err := change(w.applicant, revision, "20208000900000000002")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := change(w.applicant, revision, "20208000900000000002"); err != nil || again.Event != changed.Event {
		t.Errorf("the same again gave %+v, %v", again, err)
	}
	if _, err := change(w.applicant, changed.Application.Revision, "20208000900000000001"); fault.Code(err) != "application.no-account-wanted" {
		t.Errorf("a third account, before the bank has spoken: %v", err)
	}
	w.later(time.Hour)
	if got, want := fmt.Sprint(w.queued), "[application.pay]"; got != want {
		t.Errorf("queued %s, want %s", got, want)
	}
	second, err := w.Payment(t.Context(), granted.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if second.Account != "20208000900000000002" || second.Order == first.Order || second.Amount != first.Amount || !slices.Equal(second.DecidedBy, first.DecidedBy) {
		t.Errorf("the second payment is %+v after %+v", second, first)
	}
	// The news of the first order comes once more, late: it is about an order that was replaced.
	if err := w.RejectPayment(t.Context(), granted.ID, first.Order, "BE01"); err != nil {
		t.Fatal(err)
	}
	if own, err = w.Own(t.Context(), w.applicant, granted.ID); err != nil || own.Content.Granted.Rejected != "" || own.Answers["account"] != answers["account"] {
		t.Errorf("then it is %+v with the answers %v, %v", own.Content.Granted, own.Answers, err)
	}
}

func TestARuleRefusesWithItsReason(t *testing.T) {
	w := newWorld(t)
	w.registers.set("employment/unemployment", w.applicant.Person.Subject(), map[string]any{"registered": false})
	view := w.state(w.apply().Application.ID)
	if view.Application.State != casework.Refused || len(view.Content.Because) != 1 || view.Content.Because[0].Requirement != "unemployed" {
		t.Errorf("the application is %s because %v", view.Application.State, view.Content.Because)
	}
	if got := casework.Because(view.Definition, view.Content.Because[0], "en"); got != "You are not registered as unemployed." {
		t.Errorf("the reason reads %q", got)
	}
	if view.AppealUntil.IsZero() {
		t.Error("it cannot be contested")
	}
}

func TestASilentRegisterLeavesAReceiptAndARetry(t *testing.T) {
	w := newWorld(t)
	w.official("youth-leader", "X11")
	w.registers.silence("employment/unemployment", true)
	sent := w.apply().Application
	if sent.State != casework.Gathering || !sent.Submitted.Equal(monday) {
		t.Fatalf("the application is %s, received %v", sent.State, sent.Submitted)
	}
	w.later(3 * time.Hour)
	if state := w.state(sent.ID).Application.State; state != casework.Gathering {
		t.Fatalf("while the register is silent the application is %s", state)
	}
	w.registers.silence("employment/unemployment", false)
	w.later(3 * time.Hour)
	after := w.state(sent.ID).Application
	if after.State != casework.Deciding || !after.Submitted.Equal(monday) {
		t.Errorf("once it answers the application is %s, received %v", after.State, after.Submitted)
	}
}

func TestNoRecordUnknownAndFalseAreThreeThings(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*world)
		want   casework.State
	}{
		"false": {func(w *world) {
			w.registers.set("employment/unemployment", w.applicant.Person.Subject(), map[string]any{"registered": false})
		}, casework.Refused},
		"no record": {func(w *world) { delete(w.registers.values, "employment/unemployment") }, casework.Refused},
		"unknown":   {func(w *world) { w.registers.silence("employment/unemployment", true) }, casework.Gathering},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.change(w)
			if got := w.apply().Application.State; got != test.want {
				t.Errorf("the application is %s", got)
			}
		})
	}
}

func TestWhoMayNotDecide(t *testing.T) {
	w := newWorld(t)
	leader := w.official("youth-leader", "X11")
	w.apply()
	task := w.open(leader)
	family := w.official("youth-leader", "X11")
	w.registers.related["household"][family.Person.Subject()] = []ident.Subject{w.applicant.Person.Subject()}
	self := w.official("youth-leader", "X11")
	self.Person = w.applicant.Person
	ended := w.official("youth-leader", "X11")
	if _, err := w.office.End(t.Context(), access.Actor{}, ended.Appointment.ID); err != nil {
		t.Fatal(err)
	}
	held, err := w.office.Appointments(t.Context(), ended.Person, w.now)
	if err != nil || len(held) != 0 {
		t.Errorf("an ended appointment still holds: %v, %v", held, err)
	}
	for name, test := range map[string]struct {
		by   access.Actor
		code string
	}{
		"a resident":                    {w.applicant, "access.forbidden"},
		"another mahalla's":             {w.official("youth-leader", "X12"), "access.forbidden"},
		"another district's":            {w.official("youth-leader", "X2"), "access.forbidden"},
		"another role":                  {w.official("chair", "X11"), "access.forbidden"},
		"someone of the same household": {family, "task.own-interest"},
		"the applicant as official":     {self, "task.own-interest"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Read(t.Context(), test.by, task.ID)
			if fault.Code(err) != test.code {
				t.Errorf("reading gave %v", err)
			}
			_, err = w.Decide(t.Context(), test.by, task.ID, 1, casework.Verdict{Action: service.Recommend})
			if fault.Code(err) != test.code {
				t.Errorf("deciding gave %v", err)
			}
		})
	}
	if district := w.official("youth-leader", "X1"); w.open(district).ID != task.ID {
		t.Error("the district's official does not see its mahalla's task")
	}
}

func TestATaskOfSomebodyCloseIsNotSeen(t *testing.T) {
	w := newWorld(t)
	family, colleague := w.official("youth-leader", "X11"), w.official("youth-leader", "X11")
	w.registers.related["household"][family.Person.Subject()] = []ident.Subject{w.applicant.Person.Subject()}
	w.apply()
	task := w.open(colleague)
	if seen, err := w.Tasks(t.Context(), family, casework.Filter{}, casework.Cursor{}, 10); len(seen) != 0 || err != nil {
		t.Errorf("the inbox of somebody of the household holds %v, %v", seen, err)
	}
	if got := w.counts(family, ""); got != (casework.Counts{}) {
		t.Errorf("their inbox counts %+v", got)
	}
	if along, err := w.TakeAlong(t.Context(), family); len(along) != 0 || err != nil {
		t.Errorf("they take along %v, %v", along, err)
	}
	if team, err := w.Team(t.Context(), family, ""); team.All.Open != 0 || err != nil {
		t.Errorf("their team has %+v, %v", team.All, err)
	}
	if task.Territory != "X11" {
		t.Errorf("the task went to %s although a colleague may decide it", task.Territory)
	}
	w.another("X11")
	w.open(family) // somebody else's is there
}

func TestThatAConfidentialServiceWasAskedForIsNotToldToSomebodyClose(t *testing.T) {
	w := newWorld(t, func(d *service.Definition) { d.Confidential, d.Output.Payment = true, nil })
	family, colleague := w.official("youth-leader", "X11"), w.official("youth-leader", "X11")
	w.registers.related["household"][family.Person.Subject()] = []ident.Subject{w.applicant.Person.Subject()}
	w.apply()
	task := w.open(colleague)
	_, err := w.Read(t.Context(), family, task.ID)
	w.refused(err, "task.unknown")
	_, err = w.Claim(t.Context(), family, task.ID)
	w.refused(err, "task.unknown")
	_, err = w.HandOver(t.Context(), family, task.ID, "")
	w.refused(err, "task.unknown")
	_, err = w.Decide(t.Context(), family, task.ID, 1, casework.Verdict{Action: service.Recommend})
	w.refused(err, "task.unknown")
	_, err = w.Arrive(t.Context(), family, casework.Offline{Act: ident.New[string](w.now), Made: w.now, Digest: make([]byte, 32), Task: task.ID})
	w.refused(err, "task.unknown")

	for _, one := range []access.Actor{colleague, w.official("youth-leader", "X12")} { // nor that it went up
		w.registers.related["household"][one.Person.Subject()] = []ident.Subject{w.applicant.Person.Subject()}
	}
	country := w.official("youth-leader", "X")
	w.apply()
	raised, err := w.Tasks(t.Context(), country, casework.Filter{}, casework.Cursor{}, 10)
	i := slices.IndexFunc(raised, func(one casework.Task) bool { return one.Territory == "X" })
	if err != nil || len(raised) != 2 || i < 0 {
		t.Fatalf("the country's inbox holds %+v, %v", raised, err)
	}
	_, err = w.Read(t.Context(), family, raised[i].ID)
	w.refused(err, "task.unknown")
}

func TestATaskThatOnlySomebodyCloseCouldDecideGoesUpAtOnce(t *testing.T) {
	w := newWorld(t)
	family, district := w.official("youth-leader", "X11"), w.official("youth-leader", "X1")
	country := w.official("youth-leader", "X")
	for _, one := range []access.Actor{family, district} {
		w.registers.related["household"][one.Person.Subject()] = []ident.Subject{w.applicant.Person.Subject()}
	}
	sent := w.apply().Application
	task := w.open(country)
	if task.Territory != "X" || task.Escalated != 0 {
		t.Errorf("the task is %+v", task)
	}
	history := w.state(sent.ID).Content.History
	if !slices.ContainsFunc(history, func(one casework.Entry) bool { return one.What == "task.raised" && one.Step == "assess" }) {
		t.Errorf("the applicant does not see it in %+v", history)
	}
	if below := w.another("X11").Application; below.Territory != "X11" {
		t.Errorf("another's counts in %s", below.Territory)
	}
	if task := w.open(family); task.Territory != "X11" {
		t.Errorf("another's went to %s", task.Territory)
	}
}

func TestATaskStaysWhereNobodyIsAppointedYet(t *testing.T) {
	w := newWorld(t)
	district := w.official("youth-leader", "X1")
	w.apply()
	if task := w.open(district); task.Territory != "X11" {
		t.Errorf("the task went to %s", task.Territory)
	}
}

func TestWhetherAnOfficialIsCloseKeepsNobodyFromApplying(t *testing.T) {
	w := newWorld(t)
	leader := w.official("youth-leader", "X11")
	w.registers.silence("household", true)
	w.apply()
	task := w.open(leader)
	if task.Territory != "X11" {
		t.Errorf("the task went to %s", task.Territory)
	}
	if _, err := w.Read(t.Context(), leader, task.ID); !fault.Is(err, fault.Unavailable) {
		t.Errorf("it is opened all the same: %v", err)
	}
}

func TestALateTaskPassesOverSomebodyClose(t *testing.T) {
	w := newWorld(t)
	w.official("youth-leader", "X11")
	district, country := w.official("youth-leader", "X1"), w.official("youth-leader", "X")
	w.registers.related["household"][district.Person.Subject()] = []ident.Subject{w.applicant.Person.Subject()}
	w.apply()
	w.later(7 * 24 * time.Hour)
	if task := w.open(country); task.Territory != "X" || task.Escalated == 0 {
		t.Errorf("the task is %+v", task)
	}
}

func TestWhoRecommendsDoesNotApprove(t *testing.T) {
	w := newWorld(t)
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	chair.Person = leader.Person
	w.apply()
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	_, err := w.decide(chair, casework.Verdict{Action: service.Approve})
	w.refused(err, "task.same-person")
}

func TestTwoOfficialsDecideAtOnce(t *testing.T) {
	w := newWorld(t)
	first, second := w.official("youth-leader", "X11"), w.official("youth-leader", "X1")
	w.apply()
	task := w.open(first)
	view, err := w.Read(t.Context(), first, task.ID)
	if err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 2)
	var both sync.WaitGroup
	for i, by := range []access.Actor{first, second} {
		both.Go(func() {
			_, errs[i] = w.Decide(t.Context(), by, task.ID, view.Application.Revision, casework.Verdict{Action: service.Recommend})
		})
	}
	both.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("the two decisions gave %v and %v", errs[0], errs[1])
	}
	for _, err := range errs {
		if err != nil && !fault.Is(err, fault.Conflict) {
			t.Errorf("the slower one got %v", err)
		}
	}
	if decisions := w.state(view.Application.ID).Content.Decisions; len(decisions) != 1 {
		t.Errorf("%d decisions were stored", len(decisions))
	}
}

func TestSendingTwiceGivesOneApplication(t *testing.T) {
	w := newWorld(t)
	id := ident.New[ident.Application](w.now)
	receipts := make([]casework.Receipt, 8)
	var all sync.WaitGroup
	for i := range receipts {
		all.Go(func() {
			var err error
			if receipts[i], err = w.Apply(t.Context(), w.applicant, id, "youth/tools", "en", answers); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, receipt := range receipts {
		if receipt.Application.ID != id || receipt.Event != receipts[0].Event {
			t.Errorf("a receipt is %+v", receipt)
		}
	}
	sent, err := w.OwnAll(t.Context(), w.applicant, "", 10)
	if err != nil || len(sent) != 1 {
		t.Errorf("%d applications were stored, %v", len(sent), err)
	}
}

func TestTheClockStopsWhileTheApplicantIsAsked(t *testing.T) {
	w := newWorld(t)
	leader := w.official("youth-leader", "X11")
	w.apply()
	due := w.open(leader).Due
	asked := w.must(w.decide(leader, casework.Verdict{Action: service.Ask, Question: "Which machine?"}))
	if asked.State != casework.Asked {
		t.Fatalf("the application is %s", asked.State)
	}
	w.later(7 * 24 * time.Hour)
	if state := w.state(asked.ID); state.Application.State != casework.Asked || state.Tasks[0].Escalated != 0 {
		t.Fatalf("after a week the application is %s", state.Application.State)
	}
	w.must(w.Answer(t.Context(), w.applicant, asked.ID, asked.Revision, "A sewing machine."))
	if moved := w.open(leader).Due; moved.Sub(due) != 7*24*time.Hour {
		t.Errorf("the deadline moved by %v", moved.Sub(due))
	}
}

func TestSilenceEscalatesAndNeverPays(t *testing.T) {
	w := newWorld(t)
	leader, district := w.official("youth-leader", "X11"), w.official("youth-leader", "X1")
	sent := w.apply()
	w.later(5 * 24 * time.Hour)
	task := w.open(district)
	if task.Territory != "X1" || task.Escalated != 1 {
		t.Errorf("the task is with %s, escalated %d times", task.Territory, task.Escalated)
	}
	if tasks, _ := w.Tasks(t.Context(), leader, casework.Filter{}, casework.Cursor{}, 10); len(tasks) != 0 {
		t.Error("the late official still has the task")
	}
	_, err := w.Decide(t.Context(), leader, task.ID, sent.Application.Revision, casework.Verdict{Action: service.Recommend})
	w.refused(err, "access.forbidden")
	w.later(60 * 24 * time.Hour)
	if state := w.state(sent.Application.ID).Application.State; state != casework.Deciding {
		t.Errorf("after two months of silence the application is %s", state)
	}
}

func TestAnOutageMovesTheDeadline(t *testing.T) {
	w := newWorld(t)
	leader, operator := w.official("youth-leader", "X11"), w.official("operator", "X")
	w.official("youth-leader", "X1")
	w.apply()
	w.later(26 * time.Hour)
	_, err := w.DeclareOutage(t.Context(), leader, monday, w.now, "power")
	w.refused(err, "access.forbidden")
	if _, err := w.DeclareOutage(t.Context(), operator, monday.Add(24*time.Hour), w.now, "power"); err != nil {
		t.Fatal(err)
	}
	w.later(3*24*time.Hour + 12*time.Hour)
	if task := w.open(leader); task.Escalated != 0 {
		t.Error("the task escalated on a day that the outage gave back")
	}
	w.later(2 * time.Hour)
	if tasks, _ := w.Tasks(t.Context(), leader, casework.Filter{}, casework.Cursor{}, 10); len(tasks) != 0 {
		t.Error("the task did not escalate when the moved deadline was over")
	}
}

func TestAChangedAnswerGoesBackToTheOfficial(t *testing.T) {
	w := newWorld(t)
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	sent := w.apply()
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	w.now = w.now.Add(2 * 24 * time.Hour)
	w.registers.set("employment/unemployment", w.applicant.Person.Subject(), map[string]any{"registered": false})
	_, err := w.decide(chair, casework.Verdict{Action: service.Approve})
	w.refused(err, "task.evidence-changed")
	_, err = w.decide(chair, casework.Verdict{Action: service.Approve})
	w.refused(err, "task.requirement-not-met")
	w.must(w.decide(chair, casework.Verdict{Action: service.Refuse, Reasons: []casework.Reason{{Requirement: "unemployed"}}}))
	if state := w.state(sent.Application.ID).Application.State; state != casework.Refused {
		t.Errorf("the application is %s", state)
	}
}

func TestARegisterThatIsSilentAtTheDecisionDecidesNothing(t *testing.T) {
	w := newWorld(t)
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	w.apply()
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	w.now = w.now.Add(2 * 24 * time.Hour)
	w.registers.silence("employment/unemployment", true)
	_, err := w.decide(chair, casework.Verdict{Action: service.Approve})
	w.refused(err, "task.register-silent")
	w.registers.silence("employment/unemployment", false)
	if got := w.must(w.decide(chair, casework.Verdict{Action: service.Approve})); got.State != casework.Granted {
		t.Errorf("the application is %s", got.State)
	}
}

func TestAnAppealGoesToTheLevelAbove(t *testing.T) {
	w := newWorld(t)
	leader := w.official("youth-leader", "X11")
	above := w.official("youth-leader", "X1")
	sent := w.apply()
	_, err := w.decide(leader, casework.Verdict{Action: service.Refuse})
	w.refused(err, "task.no-reason")
	refused := w.must(w.decide(leader, casework.Verdict{Action: service.Refuse, Reasons: []casework.Reason{{Text: "The price is too high."}}}))
	if refused.State != casework.Refused {
		t.Fatalf("the application is %s", refused.State)
	}
	contested := w.must(w.Contest(t.Context(), w.applicant, sent.Application.ID, refused.Revision, "It is the market price."))
	if contested.State != casework.Appealed {
		t.Fatalf("the application is %s", contested.State)
	}
	if tasks, _ := w.Tasks(t.Context(), leader, casework.Filter{}, casework.Cursor{}, 10); len(tasks) != 0 {
		t.Error("who refused decides the appeal")
	}
	granted := w.must(w.decide(above, casework.Verdict{Action: service.Approve}))
	view := w.state(granted.ID)
	if granted.State != casework.Granted || view.Content.Appeal.Upheld == nil || *view.Content.Appeal.Upheld {
		t.Errorf("the application is %s, the appeal %+v", granted.State, view.Content.Appeal)
	}
}

func TestNobodyGrantsAgainstARuleNotEvenOnAppeal(t *testing.T) {
	w := newWorld(t)
	w.registers.set("employment/unemployment", w.applicant.Person.Subject(), map[string]any{"registered": false})
	refused := w.apply().Application
	above := w.official("registrar", "X")
	w.must(w.Contest(t.Context(), w.applicant, refused.ID, refused.Revision, "I lost my job last week."))
	_, err := w.decide(above, casework.Verdict{Action: service.Approve})
	w.refused(err, "task.requirement-not-met")
	w.registers.set("employment/unemployment", w.applicant.Person.Subject(), map[string]any{"registered": true})
	if got := w.must(w.decide(above, casework.Verdict{Action: service.Approve})); got.State != casework.Granted {
		t.Errorf("once the register is corrected the application is %s", got.State)
	}
}

func TestAnOfficialAttestsWhatTheRegisterLacks(t *testing.T) {
	w := newWorld(t, func(d *service.Definition) {
		d.Process[0].Steps[0].Territory = nil
		d.Process[1].Steps[0].Territory = nil
	})
	delete(w.registers.values, "interior/residence")
	leader, chair := w.official("youth-leader", "X"), w.official("chair", "X")
	w.apply()
	_, err := w.decide(leader, casework.Verdict{Action: service.Recommend})
	w.refused(err, "task.requirement-unknown")
	_, err = w.decide(leader, casework.Verdict{Action: service.Recommend, Attest: map[string]map[string]any{"birth": {"date": calendar.Date{Year: 2000, Month: 1, Day: 1}}}})
	w.refused(err, "task.attest")
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend, Attest: map[string]map[string]any{"residence": {"mahalla": ident.Territory("X12")}}}))
	if got := w.must(w.decide(chair, casework.Verdict{Action: service.Approve})); got.State != casework.Granted {
		t.Errorf("the application is %s", got.State)
	}
}

func TestADraftIsSavedResumedPreviewedAndExpires(t *testing.T) {
	w := newWorld(t)
	started := w.must(w.Start(t.Context(), w.applicant, "", "youth/tools", "ru"))
	saved, err := w.Save(t.Context(), w.applicant, started.ID, started.Revision, map[string]any{"price": money.Amount(-1), "account": answers["account"]})
	w.refused(err, "field.range")
	if saved.Revision != 2 {
		t.Fatalf("the good answer was not stored: revision %d", saved.Revision)
	}
	_, err = w.Save(t.Context(), w.applicant, started.ID, started.Revision, nil)
	w.refused(err, "application.changed")
	preview, err := w.Preview(t.Context(), w.applicant, started.ID)
	if err != nil {
		t.Fatal(err)
	}
	if preview.Outcome != rules.Met || len(preview.Problems) != 1 || len(preview.Evidence) != 3 {
		t.Errorf("the preview says %v with %d evidences, problems %v", preview.Outcome, len(preview.Evidence), preview.Problems)
	}
	_, err = w.Submit(t.Context(), w.applicant, started.ID, saved.Revision)
	w.refused(err, "field.required")
	_, err = w.Own(t.Context(), access.Actor{Person: ident.Random[ident.Person]()}, started.ID)
	w.refused(err, "application.unknown")
	w.later(31 * 24 * time.Hour)
	view := w.state(started.ID)
	if view.Application.State != casework.Expired || len(view.Answers) != 0 {
		t.Errorf("after a month the draft is %s with %v", view.Application.State, view.Answers)
	}
	_, err = w.Submit(t.Context(), w.applicant, started.ID, view.Application.Revision)
	w.refused(err, "application.closed")
}

func TestAPersonHasTwentyDraftsAtMost(t *testing.T) {
	w := newWorld(t)
	for range 20 {
		w.must(w.Start(t.Context(), w.applicant, "", "youth/tools", "en"))
	}
	_, err := w.Start(t.Context(), w.applicant, "", "youth/tools", "en")
	w.refused(err, "application.too-many-drafts")
	w.apply() // what is sent at once is no draft
	drafts, err := w.OwnAll(t.Context(), w.applicant, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	drafts = slices.DeleteFunc(drafts, func(one casework.Application) bool { return one.State != casework.Draft })
	oldest := drafts[len(drafts)-1]
	if again := w.must(w.Start(t.Context(), w.applicant, oldest.ID, "youth/tools", "en")); again.ID != oldest.ID {
		t.Error("starting an old draft again is not the same draft")
	}
	w.must(w.Withdraw(t.Context(), w.applicant, oldest.ID, oldest.Revision))
	w.must(w.Start(t.Context(), w.applicant, "", "youth/tools", "en"))
}

func TestOneOpenApplicationToAServiceThatPays(t *testing.T) {
	w := newWorld(t)
	errs := make([]error, 6)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { _, errs[i] = w.Apply(t.Context(), w.applicant, "", "youth/tools", "en", answers) })
	}
	all.Wait()
	sent := 0
	for _, err := range errs {
		if err == nil {
			sent++
			continue
		}
		w.refused(err, "application.already-open")
	}
	if sent != 1 {
		t.Fatalf("%d applications were received at once", sent)
	}
	open, err := w.OwnAll(t.Context(), w.applicant, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	w.must(w.Withdraw(t.Context(), w.applicant, open[0].ID, open[0].Revision))
	w.apply()
}

// Whoever watches the statistics must not learn that somebody near them asked for a confidential service: neither a place
// nor the first four of the country are told; nor, by applications of their own, how many others there are.
func TestOfAConfidentialServiceOnlyTheCountrysApplicantsArePublished(t *testing.T) {
	w := newWorld(t, func(d *service.Definition) { d.Confidential, d.Output.Payment = true, nil })
	leader := w.official("youth-leader", "X11")
	refuse := casework.Verdict{Action: service.Refuse, Reasons: []casework.Reason{{Requirement: "unemployed"}}}
	for i := range 6 {
		if counts, err := w.Statistics(t.Context(), "youth/tools"); err != nil || i < 5 && len(counts) > 0 {
			t.Fatalf("after %d applications: %+v, %v", i, counts, err)
		}
		w.another("X11")
		w.must(w.decide(leader, refuse))
	}
	want := []casework.Count{{Service: "youth/tools", Territory: "X", State: casework.Refused, Number: 5}}
	for range 10 { // one more resident is one more, however often they apply
		w.apply()
		w.must(w.decide(leader, refuse))
		counts, err := w.Statistics(t.Context(), "youth/tools")
		if err != nil || !slices.Equal(counts, want) {
			t.Fatalf("the figures are %+v, %v", counts, err)
		}
	}
	w.later(time.Hour)
	if refusals, err := w.Refusals(t.Context(), "youth/tools"); err != nil || len(refusals) > 0 {
		t.Errorf("the reasons are %+v, %v", refusals, err)
	}
	if performance, err := w.Performance(t.Context(), "youth/tools"); err != nil || performance != (casework.Performance{}) {
		t.Errorf("how long it takes is %+v, %v", performance, err)
	}
}

func TestAPersonCannotBuryAnInbox(t *testing.T) {
	for name, test := range map[string]struct {
		confidential bool
		most         int
	}{"of a service": {false, 20}, "of a confidential one": {true, 3}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(d *service.Definition) { d.Confidential, d.Output.Payment = test.confidential, nil })
			var first casework.Application
			for i := range test.most {
				if sent := w.apply().Application; i == 0 {
					first = sent
				}
			}
			send := func() (casework.Receipt, error) {
				return w.Apply(t.Context(), w.applicant, "", "youth/tools", "en", answers)
			}
			_, err := send()
			w.refused(err, "application.too-many-open")
			w.another("X11") // another person's is received
			w.must(w.Withdraw(t.Context(), w.applicant, first.ID, first.Revision))
			w.must(send())
			_, err = send()
			w.refused(err, "application.too-many-open")
		})
	}
}

func TestStatisticsCountAndHideSmallCells(t *testing.T) {
	w := newWorld(t)
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	for i := range 6 {
		w.apply()
		w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
		w.now = w.now.Add(time.Duration(i) * time.Hour) // decided after 0, 1, … 5 hours
		w.must(w.decide(chair, casework.Verdict{Action: service.Approve}))
	}
	w.apply()
	counts, err := w.Statistics(t.Context(), "youth/tools")
	if err != nil {
		t.Fatal(err)
	}
	want := []casework.Count{
		{Service: "youth/tools", Territory: "X11", State: casework.Granted, Number: 5, Median: 2 * time.Hour}, // of 6
	}
	if !slices.Equal(counts, want) {
		t.Errorf("got %+v", counts)
	}
}

// Reasons are counted without the person, rounded as all statistics are; neither an appeal nor a job that is done again
// counts twice.
func TestRefusalsCountByReason(t *testing.T) {
	w := newWorld(t)
	count := w.jobs.Handlers[casework.JobRefusal]
	w.jobs.Handlers[casework.JobRefusal] = func(ctx context.Context, queued job.Job) error {
		return errors.Join(count(ctx, queued), count(ctx, queued))
	}
	leader, above := w.official("youth-leader", "X11"), w.official("youth-leader", "X1")
	refuse := func(by access.Actor, reasons ...casework.Reason) casework.Application {
		return w.must(w.decide(by, casework.Verdict{Action: service.Refuse, Reasons: reasons}))
	}
	unemployed := casework.Reason{Requirement: "unemployed"}
	for range 6 {
		w.apply()
		refuse(leader, unemployed)
	}
	w.apply()
	refused := refuse(leader, unemployed, casework.Reason{Text: "The price is too high."})
	w.must(w.Contest(t.Context(), w.applicant, refused.ID, refused.Revision, "It is the market price."))
	refuse(above, unemployed)
	// What a rule refuses at once counts where it would have been decided.
	w.registers.set("civil/birth", w.applicant.Person.Subject(), map[string]any{"date": calendar.Date{Year: 1980, Month: 1, Day: 1}})
	for range 5 {
		w.apply()
	}
	w.later(time.Hour)
	counts, err := w.Refusals(t.Context(), "youth/tools")
	if err != nil {
		t.Fatal(err)
	}
	want := []casework.RefusalCount{
		{Service: "youth/tools", Territory: "X11", Requirement: "age", Number: 5},
		{Service: "youth/tools", Territory: "X11", Requirement: "unemployed", Number: 5}, // of 7
	}
	if !slices.Equal(counts, want) {
		t.Errorf("got %+v", counts)
	}
}

func TestEveryActAndEveryReadingIsJournaled(t *testing.T) {
	w := newWorld(t)
	leader := w.official("youth-leader", "X11")
	w.apply()
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	err := w.db.View(t.Context(), func(tx *query.Tx) error {
		all, err := tx.PartsOf(w.applicant.Person.Subject(), false, "", 100)
		if err != nil {
			return err
		}
		disclosed, err := tx.PartsOf(w.applicant.Person.Subject(), true, "", 100)
		if len(all) != 3 || len(disclosed) != 1 {
			t.Errorf("the journal has %d events about the applicant, %d of them readings", len(all), len(disclosed))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
