package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/correction"
	"yagona/kernel/document"
	"yagona/kernel/erasure"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/ledger/bank"
	"yagona/kernel/money"
	"yagona/kernel/notice"
	"yagona/kernel/offer"
	"yagona/kernel/person"
	"yagona/kernel/publication"
	"yagona/kernel/register"
	"yagona/kernel/representation"
	"yagona/kernel/rules"
	"yagona/kernel/seal"
	"yagona/kernel/service"
	"yagona/kernel/session"
	"yagona/kernel/signature"
	"yagona/kernel/transparency"
	"yagona/kernel/wording"
	"yagona/packs"
	"yagona/store/keyfile"
	"yagona/store/query"
	"yagona/store/sqlite"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"

	"github.com/getkin/kin-openapi/openapi3"

	"yagona/web/reading"
)

// answering is a fake of the exchange: what the registers answer, and whether they do.
type answering struct {
	mu      sync.Mutex
	values  map[ident.Evidence]map[string]any // guarded by mu: the same for everybody
	silent  bool                              // guarded by mu
	lonely  bool                              // guarded by mu: nobody knows who lives with whom
	kept    map[ident.Exchange]exchange.Answer
	related map[ident.Subject][]ident.Subject
	spouse  map[ident.Subject][]ident.Subject
	clock   func() time.Time
}

func (a *answering) Inquire(_ context.Context, _ ident.Subject, requests ...exchange.Request) ([]exchange.Result, *exchange.Unkept) {
	a.mu.Lock()
	defer a.mu.Unlock()
	results := make([]exchange.Result, len(requests))
	for i, request := range requests {
		if a.silent {
			results[i].Err = fault.New(fault.Unavailable, "exchange.unavailable", "The register does not answer.")
			continue
		}
		answer := exchange.Answer{
			Exchange: ident.New[ident.Exchange](a.clock()), Evidence: request.Evidence, Of: request.Of, Status: exchange.StatusNone, At: a.clock(),
		}
		if values, ok := a.values[request.Evidence]; ok {
			answer.Status, answer.Values = exchange.StatusAnswered, values
		}
		a.kept[answer.Exchange] = answer
		results[i].Answer = answer
	}
	return results, nil
}

func (a *answering) Answer(_ context.Context, id ident.Exchange, _ ident.Subject) (exchange.Answer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.kept[id], nil
}

func (a *answering) Related(_ context.Context, relation string, of ident.Subject, _ exchange.Request) ([]ident.Subject, error) {
	switch relation {
	case "household":
		return a.related[of], nil
	case "spouse":
		return a.spouse[of], nil
	}
	return nil, nil
}

func (a *answering) unrelatable(lonely bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lonely = lonely
}

func (a *answering) silence(silent bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.silent = silent
}

// world is an installation with the shipped country and one service, over a real store.
type world struct {
	*testing.T
	Dependencies
	db        *sqlite.DB
	router    *route.Router
	registers *answering
	sequencer *transparency.Sequencer
	keys      *keyfile.Folder
	jobs      *job.Runner
	catalogue *service.Catalogue
	doc       *openapi3.T
	mahalla   ident.Territory
	now       time.Time
	resident  ident.Person
}

var monday = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{T: t, now: monday, resident: ident.Random[ident.Person]()}
	clock := func() time.Time { return w.now }
	profile, err := packs.Profile()
	w.must(err)
	for code := range profile.Territories.Within(profile.Territories.Root()) {
		w.mahalla = code // the last one is a leaf
	}
	w.db, err = sqlite.Temporary(ctx, clock)
	w.must(err)
	t.Cleanup(func() { w.db.Close() })
	subjectKeys, err := sqlite.OpenSubjectKeys(ctx, filepath.Join(t.TempDir(), "keys.db"), false)
	w.must(err)
	t.Cleanup(func() { subjectKeys.Close() })
	vault, err := seal.NewVault(subjectKeys, make([]byte, seal.KeySize))
	w.must(err)
	w.keys, err = keyfile.Open(t.TempDir(), clock)
	w.must(err)
	_, err = w.keys.Ensure(signature.Node, "log", signature.OfAgency("youth-agency"))
	w.must(err)
	definition := w.subsidy()
	w.catalogue = service.NewCatalogue([]*service.Definition{definition}, nil)
	w.registers = &answering{
		clock: clock, kept: map[ident.Exchange]exchange.Answer{}, related: map[ident.Subject][]ident.Subject{},
		values: map[ident.Evidence]map[string]any{
			"interior/residence":      {"mahalla": w.mahalla},
			"employment/unemployment": {"registered": true},
		},
	}
	w.Dependencies = Dependencies{
		Profile: profile, Clock: clock, Catalogue: func() *service.Catalogue { return w.catalogue }, Ring: w.keys, Vault: vault,
		Fees:      noFees{},
		Jobs:      query.For[JobReader, JobTx](w.db),
		Documents: &document.Issuer{Store: query.For[document.Reader, document.Tx](w.db), Vault: vault, Signer: w.keys, Node: "services.example"},
		Notices:   &notice.Board{Store: query.For[notice.Reader, notice.Tx](w.db), Vault: vault},
		Courier: &notice.Courier{
			Store: query.For[notice.Reader, notice.Tx](w.db), Vault: vault, Clock: clock, Key: make([]byte, 32),
			Channels: []notice.Channel{{Name: "sms", Normalise: func(text string) (string, error) {
				if !strings.HasPrefix(text, "+") {
					return "", notice.ErrMalformed
				}
				return text, nil
			}}},
		},
		People: &person.Directory{Store: query.For[person.Reader, person.Tx](w.db), Vault: vault, Keys: seal.OneIndexKey(make([]byte, 32))},
		Ledger: &ledger.Ledger{Store: query.For[ledger.Reader, ledger.Tx](w.db), Vault: vault},
	}
	words, err := page.Words()
	w.must(err)
	house, err := ui.New("Yagona", words)
	w.must(err)
	w.Say = house.Say
	w.Figures, w.Indicators = counted{}, func() *indicator.Catalogue { return indicators }
	w.Erasures = &erasure.Erasures{
		Store: query.For[erasure.Reader, erasure.Tx](w.db), Vault: vault, Country: profile.Territories.Root(), Supervisor: "data-authority",
		Registers: func(agency ident.Agency) []ident.Register {
			return map[ident.Agency][]ident.Register{"employment-agency": {"employment/unemployed"}}[agency]
		},
	}
	events := query.For[journal.Reader, journal.Tx](w.db)
	w.OwnReadings = access.NewOwnReadings(events, vault)
	w.Trail = &reading.Trail{Store: events, Vault: vault, Log: transparency.NewLog(query.For[transparency.Reader, transparency.Tx](w.db)), Clock: clock}
	w.Casework = casework.New(casework.Config{
		Store: query.For[casework.Reader, casework.Tx](w.db), Vault: vault, Clock: clock, Catalogue: w.Dependencies.Catalogue,
		Evidence: w.registers, Documents: w.Documents, Composer: letter{}, Calendar: profile.Calendar, Territories: profile.Territories, Scheme: profile,
	})
	w.Office = &access.Office{
		Store: query.For[access.Reader, access.Tx](w.db), Vault: vault, Territories: profile.Territories,
		Roles:     func(ident.Agency) []ident.Role { return []ident.Role{"youth-leader", "chair", access.Registrar} },
		Sensitive: []ident.Role{access.Registrar},
	}
	w.Publications = &publication.Press{
		Store: query.For[publication.Reader, publication.Tx](w.db), Vault: vault, Ring: w.keys, Clock: clock,
		Check: func(context.Context, string, publication.Bundle) ([]ident.Agency, error) {
			return []ident.Agency{"youth-agency"}, nil
		},
	}
	unemployed := &register.Definition{
		Path: "employment/unemployed", Agency: "employment-agency", Held: register.HeldHere, Subject: "person",
		Title:  wording.Text{"en": "Registered unemployed people"},
		Fields: []field.Definition{{Name: "person", Kind: field.Person}, {Name: "registeredOn", Kind: field.Date}, {Name: "skill", Kind: field.Text, Optional: true}},
		Unique: [][]string{{"person"}}, Index: [][]string{{"skill"}},
	}
	definitions, err := register.NewCatalogue([]*register.Definition{unemployed})
	w.must(err)
	w.Definitions = func() *register.Catalogue { return definitions }
	w.Registers = &register.Keeper{
		Store: query.For[register.Reader, register.Tx](w.db), Vault: vault, Definitions: w.Definitions, Scheme: profile, Clock: clock,
		Location: profile.Location, IndexKeys: seal.OneIndexKey(make([]byte, 32)), People: w.People, Readings: w.OwnReadings,
	}
	w.Corrections = &correction.Corrections{
		Store: query.For[correction.Reader, correction.Tx](w.db), Vault: vault, Clock: clock, Registers: w.Definitions,
		Deadline: func(_ context.Context, received time.Time) (time.Time, error) { return received.AddDate(0, 0, 15), nil },
		Household: func(ctx context.Context, one, other ident.Subject) (bool, error) {
			return w.registers.AreRelated(ctx, "household", one, other)
		},
	}
	w.Participations = &offer.Participations{Store: query.For[offer.Reader, offer.Tx](w.db), Vault: vault}
	w.Representatives = &representation.Representatives{
		Store: query.For[representation.Reader, representation.Tx](w.db), Vault: vault, Clock: clock, Location: profile.Location, OfAge: profile.OfAge,
		Definitions: w.Definitions, People: w.People, Notify: func(context.Context, ident.Subject, string, string) error { return nil },
	}
	w.Casework.Representatives = w.Representatives
	logStore := query.For[transparency.Reader, transparency.Tx](w.db)
	signer, err := transparency.RingSigner(w.keys, "log", "services.example/log")
	w.must(err)
	w.sequencer, err = transparency.NewSequencer(transparency.Config{Store: logStore, Signer: signer, Logger: slog.New(slog.DiscardHandler)})
	w.must(err)
	w.jobs = &job.Runner{Store: query.For[job.Reader, job.Tx](w.db), Clock: clock, Handlers: w.Casework.Handlers()}
	w.jobs.Handlers[casework.JobPay] = w.pay
	simulated := bank.New(clock)
	simulated.Accounts = map[string]bank.Account{
		profile.Account.Example: {Holder: "Test Person"}, "00000000000000000099": {Holder: "Somebody Else"},
	}
	sender := &ledger.Sender{Ledger: w.Ledger, Bank: simulated}
	w.jobs.Handlers[ledger.JobVerify] = sender.Verify
	w.jobs.Handlers[erasure.JobErase] = w.Erasures.Carry
	_, err = w.People.TakeUp(ctx, journal.Actor{Component: "test"}, w.resident, person.Attributes{
		Number: "30000000000001", Name: "Test Person", Birth: calendar.Date{Year: 2003, Month: 11, Day: 5},
	})
	w.must(err)
	_, err = w.Ledger.OpenFund(ctx, access.Actor{}, "fund:youth-fund", "youth-agency", profile.Currency.Code)
	w.must(err)
	_, err = w.Ledger.Transfer(ctx, access.Actor{}, ledger.Transfer{
		ID: ident.New[ident.Transfer](w.now), Debit: ledger.OutsideOf("fund:youth-fund"), Credit: "fund:youth-fund", Amount: 1_000_000_000, Reason: "appropriation",
	})
	w.must(err)
	w.serve()
	return w
}

// serve makes the router and the document anew.
func (w *world) serve() {
	w.router = route.New(route.Config{
		Recognise: w.recognise, Languages: w.Profile.Languages, Say: w.Say, Now: w.Clock, Refusals: 100_000,
		Log:     slog.New(slog.NewTextHandler(w.Output(), &slog.HandlerOptions{Level: slog.LevelError})),
		Answers: session.NewAnswers(query.For[session.Reader, session.Tx](w.db), time.Minute),
	})
	w.router.Add(New(w.Dependencies)...)
	today := calendar.DateOf(w.now, w.Profile.Location)
	w.doc = describe(append(operations(w.Dependencies), sessionOperations()...), w.catalogue.All(today), w.Profile, "en", today)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// recognise knows everybody by their id as the token.
func (w *world) recognise(ctx context.Context, token session.Token) (session.Session, []access.Appointment, error) {
	if _, err := ident.Parse[ident.Person](string(token)); err != nil {
		return session.Session{}, nil, fault.New(fault.Unauthorized, "session.ended", "Sign in again.")
	}
	held, err := w.Office.Appointments(ctx, ident.Person(token), w.now)
	return session.Session{ID: ident.Session("session-of-" + token), Person: ident.Person(token)}, held, err
}

// letter writes no words: what a document says is tested elsewhere.
type letter struct{}

func (letter) Compose(_ context.Context, d *service.Definition, a casework.Application, _ service.Outcome, _ *casework.Represented, id ident.Document, _ time.Time) (document.Draft, error) {
	headings := document.Headings{Number: "Number", Issued: "Issued", Until: "Until", Reasons: "Reasons", Basis: "Basis", Contest: "Contest", Check: "Check", Authoritative: "Counts"}
	return document.Draft{Subject: a.Applicant, Application: a.ID, Date: func(string, time.Time) string { return "2 March 2026" }, Content: document.Content{
		ID: id, Type: "subsidy-decision", Service: d.Path, Agency: d.Agency, Authoritative: "en", Link: "https://services.example/verify/" + string(id),
		Texts: []document.Text{{Language: "en", Agency: "Youth agency", Title: "Decision", Lines: []document.Line{{Label: "Amount", Value: "1", Checked: true}}, Headings: headings}},
	}}, nil
}

func (w *world) pay(ctx context.Context, queued job.Job) error {
	var payload casework.Job
	if err := json.Unmarshal(queued.Payload, &payload); err != nil {
		return err
	}
	wanted, err := w.Casework.Payment(ctx, payload.Application, payload.Order)
	if err != nil {
		return err
	}
	_, err = w.Ledger.Prepare(ctx, journal.Actor{Component: "casework"}, ledger.Instruction{
		ID: wanted.Order, Fund: fundAccount(wanted.Fund), Application: payload.Application, Subject: wanted.Application.Applicant,
		Creditor: ledger.Creditor{Name: "Test Person", Account: wanted.Account}, Amount: money.Amount(wanted.Amount), PreparedBy: wanted.DecidedBy,
	})
	return err
}

// subsidy is a service with a question of most kinds.
func (w *world) subsidy() *service.Definition {
	w.Helper()
	least, most := int64(100), int64(500_000_000)
	text := func(words string) wording.Text { return wording.Text{"en": words} }
	d := &service.Definition{
		Path: "youth/tools", Hash: "1", Number: 1, From: calendar.Date{Year: 2026, Month: 1, Day: 1}, Agency: "youth-agency", For: []string{"person"},
		Title: text("Subsidy to buy tools"), Summary: text("One payment."),
		Ask: []service.Question{
			{Definition: field.Definition{Name: "trade", Kind: field.Choice, Label: text("What will you do?"), Options: []field.Option{{Value: "sewing", Label: text("Sewing")}, {Value: "welding", Label: text("Welding")}}}},
			{Definition: field.Definition{Name: "price", Kind: field.Money, Label: text("Price"), Min: &least, Max: &most}},
			{Definition: field.Definition{Name: "account", Kind: field.BankAccount, Label: text("Account")}},
			{Definition: field.Definition{Name: "phone", Kind: field.Phone, Label: text("Phone"), Optional: true}},
			{Definition: field.Definition{Name: "code", Kind: field.Text, Label: text("Code"), Optional: true, Pattern: regexp.MustCompile(`^[A-Z]{2}-\d{3}(x|y)?$`)}},
			{Definition: field.Definition{Name: "place", Kind: field.Territory, Label: text("Where?"), Optional: true}},
			{Definition: field.Definition{Name: "start", Kind: field.Date, Label: text("From when?"), Optional: true, Earliest: calendar.Date{Year: 2026, Month: 4, Day: 1}}},
			{Definition: field.Definition{Name: "tools", Kind: field.List, Label: text("Tools"), Optional: true, Fields: []field.Definition{
				{Name: "name", Kind: field.Text, Label: text("Name")}, {Name: "number", Kind: field.Int, Label: text("How many?"), Min: &least},
			}}},
		},
		Evidence: []service.Evidence{
			{Name: "residence", From: "interior/residence", Agency: "interior", Title: text("Residence"), None: service.NoneRefuse, Type: rules.ObjectOf(rules.Field{Name: "mahalla", Type: rules.Territory})},
			{Name: "unemployment", From: "employment/unemployment", Agency: "employment-agency", Title: text("Unemployment"), None: service.NoneRefuse, Type: rules.ObjectOf(rules.Field{Name: "registered", Type: rules.Bool})},
		},
	}
	environment, err := d.Environment()
	w.must(err)
	compile := func(source string, kind rules.Kind) *rules.Program {
		program, err := environment.Compile(source, kind)
		w.must(err)
		return program
	}
	mahalla := compile("residence.mahalla", rules.KindTerritory)
	d.Require = []service.Requirement{{ID: "unemployed", That: compile("unemployment.registered", rules.KindBool), Otherwise: text("You are not registered as unemployed.")}}
	d.Process = []service.Stage{
		{Steps: []service.Step{{
			Name: "assess", Title: text("Assess"), Agency: "youth-agency", Role: "youth-leader", Territory: mahalla, Within: 3, Late: service.LateEscalate,
			Actions: []service.Action{service.Recommend, service.Ask, service.Refuse},
			Form:    []field.Definition{{Name: "visited", Kind: field.Bool, Label: text("Visited?"), Optional: true}},
		}}},
		{Steps: []service.Step{{
			Name: "approve", Title: text("Approve"), Agency: "youth-agency", Role: "chair", Territory: mahalla, Within: 2, Late: service.LateEscalate,
			Actions: []service.Action{service.Approve, service.Refuse},
		}}},
	}
	d.Output.Document = &service.Document{Type: "subsidy-decision", Title: text("Decision")}
	d.Output.Payment = &service.Payment{Amount: compile("least(ask.price, ask.price)", rules.KindMoney), To: "account", Fund: "youth-fund"}
	return d
}

// official appoints somebody and returns who they are.
func (w *world) official(agency ident.Agency, role ident.Role) ident.Person {
	w.Helper()
	return w.officialFor(agency, role, w.mahalla)
}

// officialFor appoints somebody for a territory.
func (w *world) officialFor(agency ident.Agency, role ident.Role, place ident.Territory) ident.Person {
	w.Helper()
	made, err := w.Office.Appoint(w.Context(), access.Actor{}, access.Appointment{
		Person: ident.Random[ident.Person](), Agency: agency, Role: role, Territory: place,
	})
	w.must(err)
	return made.Person
}

// reply is what the API answered.
type reply struct {
	*testing.T
	status int
	header http.Header
	body   []byte
}

// into decodes the answer, which has the status.
func into[T any](r reply, status int) (found T) {
	r.Helper()
	if r.status != status {
		r.Fatalf("answered %d instead of %d: %s", r.status, status, r.body)
	}
	if err := json.Unmarshal(r.body, &found); err != nil {
		r.Fatalf("%v in %s", err, r.body)
	}
	return found
}

// problem checks that the answer is a problem with the code, and returns it.
func (r reply) problem(status int, code string) route.Problem {
	r.Helper()
	problem, ok := route.ReadProblem(r.header.Get("Content-Type"), r.body)
	if !ok || r.status != status || problem.Code() != code {
		r.Errorf("answered %d %s instead of %d %s", r.status, r.body, status, code)
	}
	return problem
}

// refused is problem for those who need no more than that it is one.
func (r reply) refused(status int, code string) {
	r.Helper()
	_ = r.problem(status, code)
}

// ask sends a request and holds the answer to the document: a problem's code and status must be documented for the
// operation, and the content must be of the documented schema. The body is JSON unless it is bytes.
func (w *world) ask(method, path string, as ident.Person, body any, headers ...string) reply {
	w.Helper()
	var content io.Reader
	if body != nil {
		raw, ok := body.([]byte)
		if !ok {
			var err error
			raw, err = json.Marshal(body)
			w.must(err)
		}
		content = bytes.NewReader(raw)
	}
	r := httptest.NewRequestWithContext(w.Context(), method, Root+path, content)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if as != "" {
		r.Header.Set("Authorization", "Bearer "+string(as))
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.router.ServeHTTP(recorder, r)
	answer := reply{w.T, recorder.Code, recorder.Header(), recorder.Body.Bytes()}
	w.documented(r, answer)
	return answer
}

func (w *world) documented(r *http.Request, answer reply) {
	w.Helper()
	mux := http.NewServeMux()
	for _, one := range operations(w.Dependencies) {
		mux.HandleFunc(one.method+" "+Root+one.path, func(http.ResponseWriter, *http.Request) {})
	}
	_, pattern := mux.Handler(r)
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		return // no operation of ours
	}
	var operation *openapi3.Operation
	for _, item := range w.doc.Paths.Map() {
		if item == w.doc.Paths.Value(path) {
			operation = item.GetOperation(method)
		}
	}
	if operation == nil {
		w.Errorf("%s is not documented", pattern)
		return
	}
	response := operation.Responses.Status(answer.status)
	if response == nil {
		w.Errorf("%s: the status %d is not documented: %s", pattern, answer.status, answer.body)
		return
	}
	if problem, ok := route.ReadProblem(answer.header.Get("Content-Type"), answer.body); ok {
		_, codes, _ := strings.Cut(*response.Value.Description, ": ")
		if !slices.Contains(strings.Split(codes, ", "), problem.Code()) {
			w.Errorf("%s: the code %s is not documented for %d", pattern, problem.Code(), answer.status)
		}
		all := *operation
		for _, one := range problem.Fields {
			found := false
			for _, other := range all.Responses.Map() {
				found = found || strings.Contains(*other.Value.Description, one.Code)
			}
			if !found {
				w.Errorf("%s: the code %s of a field is not documented", pattern, one.Code)
			}
		}
	}
	if answer.status == http.StatusNotModified || answer.status == http.StatusNoContent {
		return
	}
	media, _, _ := strings.Cut(answer.header.Get("Content-Type"), ";")
	content := response.Value.Content.Get(media)
	if content == nil {
		w.Errorf("%s: the media type %q of %d is not documented", pattern, media, answer.status)
		return
	}
	if content.Schema == nil || !strings.HasSuffix(media, "json") {
		return
	}
	var value any
	w.must(json.Unmarshal(answer.body, &value))
	if err := content.Schema.Value.VisitJSON(value); err != nil {
		w.Errorf("%s: the answer is not of the documented schema: %v", pattern, err)
	}
}

// answers are those to the subsidy's questions.
func (w *world) answers(change ...string) map[string]any {
	answers := map[string]any{"trade": "sewing", "price": 150_000_000, "account": w.Profile.Account.Example}
	for i := 0; i < len(change); i += 2 {
		answers[change[i]] = change[i+1]
	}
	return answers
}

// apply sends an application as the resident.
func (w *world) apply() Receipt {
	w.Helper()
	return into[Receipt](w.ask("POST", "/applications", w.resident, map[string]any{"service": "youth/tools", "language": "en", "answers": w.answers(), "send": true}), http.StatusCreated)
}

// publish lets the log publish what happened.
func (w *world) publish() {
	w.Helper()
	for range 4 {
		w.must(w.sequencer.Advance(w.Context()))
	}
}

func (a *answering) AreRelated(_ context.Context, relation string, one, other ident.Subject) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lonely {
		return false, fault.New(fault.Unavailable, "exchange.unavailable", "The register does not answer.")
	}
	return relation == "household" && slices.Contains(a.related[one], other), nil
}

func (a *answering) RelatedTo(_ context.Context, relation string, one ident.Subject) ([]ident.Subject, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lonely {
		return nil, fault.New(fault.Unavailable, "exchange.unavailable", "The register does not answer.")
	}
	if relation != "household" {
		return nil, nil
	}
	return a.related[one], nil
}

// noFees is a world whose services cost nothing.
type noFees struct{}

func (noFees) Page(context.Context, access.Actor, ident.Application) (string, error) {
	return "", fault.New(fault.Conflict, "fee.not-due", "Nothing has to be paid.")
}

func (noFees) Hear(context.Context, ident.Application) {}
