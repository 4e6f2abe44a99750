package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/packs/demo"
)

// stage is how far a story has come.
type stage int

// The stages of an application for money; one that is decided by rule ends after the first.
const (
	apply  stage = iota
	gather       // a register did not answer yet
	recommend
	approve
	release
	settled
)

// story is one application and all that was acknowledged of it. One worker has it at a time.
type story struct {
	key      string            // of the request that applies
	id       ident.Application // empty until the application was acknowledged
	service  string
	resident demo.Person

	stage   stage
	pending *request // sent at least once and not acknowledged
	lost    bool     // a request of this stage had no answer
	resumes time.Time

	sent     bool        // it was acknowledged that the application was received
	entry    ident.Event // that the receipt names
	state    string
	revision int64 // acknowledged with the state
	steps    []string
	order    string // acknowledged as released
	checked  bool   // all of it was found since the last kill
}

// load drives stories through an installation from several clients.
type load struct {
	*installation
	residents []demo.Person
	each      int  // how many stories there are for each subsidy, certificates otherwise
	restored  bool // what others asked for and were paid may be lost: who asks again is not paid again

	mu       sync.Mutex
	next     int               // guarded by mu: whose turn it is
	stories  []*story          // guarded by mu: all
	open     []*story          // guarded by mu: those that nobody works on and that are not settled
	waiting  map[string]bool   // guarded by mu: who has an open application for money, by national number; another is refused
	tokens   map[string]string // guarded by mu: sessions, by national number
	repeated int               // guarded by mu: requests that were sent again with the same key
	problems map[string]int    // guarded by mu: how often a request was to be repeated, by code
	failed   []string          // guarded by mu: what must never happen

	acknowledgements []acknowledgement // guarded by mu
}

// newLoad finds the residents who may ask for the subsidy and whose mahalla has officials to decide.
func newLoad(i *installation) *load {
	l := &load{installation: i, each: 3, waiting: map[string]bool{}, tokens: map[string]string{}, problems: map[string]int{}}
	for _, person := range i.population.People {
		age := calendar.Age(person.Birth, i.population.Today)
		if person.Employment.Status != demo.Unemployed || age < 18 || age > 29 {
			continue
		}
		leader, led := i.population.Holder("youth-leader", person.Residence)
		chair, chaired := i.population.Holder("chair", person.Residence)
		if !led || !chaired || i.together(leader.Person, person) || i.together(chair.Person, person) {
			continue
		}
		l.residents = append(l.residents, person)
	}
	return l
}

func (i *installation) together(official ident.Person, resident demo.Person) bool {
	found, _ := i.population.Person(official)
	return found.Household == resident.Household
}

func (l *load) fail(format string, arguments ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = append(l.failed, fmt.Sprintf(format, arguments...))
}

func (l *load) failedSoFar() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.failed)
}

// take returns a story to go on with, or a new one.
func (l *load) take() *story {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if i := slices.IndexFunc(l.open, func(s *story) bool { return now.After(s.resumes) }); i >= 0 {
		s := l.open[i]
		l.open = slices.Delete(l.open, i, i+1)
		return s
	}
	resident := l.residents[l.next/l.each%len(l.residents)]
	s := &story{key: string(ident.New[ident.Application](now)), resident: resident, service: "employment/unemployment-certificate"}
	if l.next%l.each == 0 && !l.waiting[resident.Number] {
		s.service, l.waiting[resident.Number] = "youth/tools-subsidy", true
	}
	l.next++
	l.stories = append(l.stories, s)
	return s
}

func (l *load) giveBack(s *story) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.checked = false
	if s.stage != settled {
		l.open = append(l.open, s)
	} else if s.service == "youth/tools-subsidy" {
		delete(l.waiting, s.resident.Number)
	}
}

// work goes on with stories until the context ends or the installation does not answer any more.
func (l *load) work(ctx context.Context) {
	for ctx.Err() == nil {
		s := l.take()
		err := l.advance(ctx, s)
		l.giveBack(s)
		if errors.Is(err, errNoAnswer) {
			return
		}
		if err != nil {
			l.fail("application %s of %s, stage %d: %v", s.id, s.service, s.stage, err)
			return
		}
	}
}

// run works with several clients until the context ends or the installation does.
func (l *load) run(ctx context.Context, clients int) {
	var workers sync.WaitGroup
	for range clients {
		workers.Go(func() { l.work(ctx) })
	}
	workers.Wait()
}

// as returns a session of the person; once it was acknowledged, it must hold.
func (l *load) as(ctx context.Context, person demo.Person) (string, error) {
	l.mu.Lock()
	token := l.tokens[person.Number]
	l.mu.Unlock()
	if token != "" {
		return token, nil
	}
	token, refused, err := l.signIn(ctx, person.Number)
	if refused.Status >= 500 {
		return "", l.later(refused)
	}
	if err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.tokens[person.Number]; known != "" {
		return known, nil
	}
	l.tokens[person.Number] = token
	return token, nil
}

func (l *load) holder(role ident.Role, of demo.Person) demo.Person {
	official, _ := l.population.Holder(role, of.Residence)
	person, _ := l.population.Person(official.Person)
	return person
}

// The parts of the API's answers that are read here.
type (
	application struct {
		ID        string
		State     string
		Revision  int64
		Tasks     []struct{ ID, Step, State string }
		Decisions []struct{ Step, Action string }
		Granted   *struct {
			Payment int64
			Order   string
		}
	}
	payment struct {
		State  string
		Amount int64
	}
)

// get reads something; an answer that is not 200 is an error.
func (l *load) get(ctx context.Context, token, path string, into any) error {
	got, err := l.send(ctx, request{token: token, method: http.MethodGet, path: path})
	if err != nil {
		return err
	}
	if got.Status >= 500 {
		return l.later(got)
	}
	if got.Status != http.StatusOK {
		return fmt.Errorf("GET %s answered %v", path, got)
	}
	return json.Unmarshal(got.Body, into)
}

func (l *load) own(ctx context.Context, s *story) (shown application, err error) {
	token, err := l.as(ctx, s.resident)
	if err != nil {
		return shown, err
	}
	return shown, l.get(ctx, token, "/api/v1/applications/"+string(s.id), &shown)
}

// change sends a request that changes something, the same bytes under the same key until it is answered. Repeated says
// that an earlier one was not.
func (l *load) change(ctx context.Context, s *story, made request) (got answer, repeated bool, err error) {
	repeated = s.pending != nil
	if repeated {
		made = *s.pending
		l.mu.Lock()
		l.repeated++
		l.mu.Unlock()
	}
	s.pending = &made
	asked := time.Now()
	got, err = l.send(ctx, made)
	switch {
	case err != nil:
		s.lost = true
		return got, repeated, err
	case got.Status >= 500 || got.code() == "idempotency.in-progress":
		return got, repeated, l.later(got) // not acknowledged either: the same again
	}
	s.pending = nil
	if got.Status < 300 {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.acknowledgements = append(l.acknowledgements, acknowledgement{asked, time.Now(), repeated})
	}
	return got, repeated, nil
}

var errLater = errors.New("it is to be repeated later")

// later counts what could not be answered now. On a full disk it waits a moment: whoever repeats without a pause has soon
// asked more often than a program may.
func (l *load) later(got answer) error {
	if got.code() == "store.full" {
		time.Sleep(50 * time.Millisecond)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.problems[got.code()]++
	return fmt.Errorf("%w: %v", errLater, got)
}

func (l *load) advance(ctx context.Context, s *story) error {
	var err error
	switch s.stage {
	case apply:
		err = l.apply(ctx, s)
	case gather:
		err = l.gathered(ctx, s)
	case recommend:
		err = l.decide(ctx, s, "assess", "recommend", l.holder("youth-leader", s.resident))
	case approve:
		err = l.decide(ctx, s, "approve", "approve", l.holder("chair", s.resident))
	case release:
		err = l.release(ctx, s)
	}
	if errors.Is(err, errLater) {
		s.resumes = time.Now().Add(500 * time.Millisecond)
		return nil
	}
	return err
}

func (l *load) apply(ctx context.Context, s *story) error {
	token, err := l.as(ctx, s.resident)
	if err != nil {
		return err
	}
	answers := map[string]any{}
	if s.service == "youth/tools-subsidy" {
		answers = map[string]any{"trade": "sewing", "price": 150_000_000, "account": s.resident.Account}
	}
	got, _, err := l.change(ctx, s, request{
		token: token, method: http.MethodPost, path: "/api/v1/applications", key: s.key,
		body: map[string]any{"service": s.service, "language": "en", "answers": answers, "send": true},
	})
	if err != nil {
		return err
	}
	var receipt struct {
		Application application
		Receipt     struct{ Event ident.Event }
	}
	if got.Status != http.StatusCreated || json.Unmarshal(got.Body, &receipt) != nil || receipt.Application.ID == "" {
		return fmt.Errorf("applying was answered %v", got)
	}
	s.id, s.entry = ident.Application(receipt.Application.ID), receipt.Receipt.Event
	s.sent = true
	s.received(receipt.Application)
	return nil
}

// received notes how far the application is that was sent.
func (s *story) received(shown application) {
	s.state, s.revision = shown.State, shown.Revision
	switch s.state {
	case "gathering":
		s.stage, s.resumes = gather, time.Now().Add(500*time.Millisecond)
	case "deciding":
		s.stage = recommend
	default:
		s.stage = settled
	}
}

// gathered looks whether the registers have answered meanwhile.
func (l *load) gathered(ctx context.Context, s *story) error {
	shown, err := l.own(ctx, s)
	if err != nil {
		return err
	}
	s.received(shown)
	return nil
}

// decide lets the official take the step, if it is not taken already.
func (l *load) decide(ctx context.Context, s *story, step, action string, official demo.Person) error {
	token, err := l.as(ctx, official)
	if err != nil {
		return err
	}
	if s.pending == nil {
		shown, err := l.own(ctx, s)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(shown.Tasks, func(one struct{ ID, Step, State string }) bool { return one.Step == step && one.State == "open" })
		if i < 0 && s.lost && shown.decided(step) {
			s.stage, s.lost = s.stage+1, false // it happened, and its answer was lost
			return nil
		}
		if i < 0 {
			return fmt.Errorf("no task for the step %s is open: %+v", step, shown)
		}
		var read struct{ Application application }
		if err := l.get(ctx, token, "/api/v1/tasks/"+shown.Tasks[i].ID, &read); err != nil {
			return err
		}
		return l.decided(ctx, s, step, request{
			token: token, method: http.MethodPost, path: "/api/v1/tasks/" + shown.Tasks[i].ID + "/decide",
			key: "decide-" + ident.New[string](time.Now()), match: fmt.Sprintf(`"%d"`, read.Application.Revision),
			body: map[string]any{"action": action},
		})
	}
	return l.decided(ctx, s, step, request{})
}

func (l *load) decided(ctx context.Context, s *story, step string, made request) error {
	got, repeated, err := l.change(ctx, s, made)
	if err != nil {
		return err
	}
	switch {
	case got.Status == http.StatusOK:
		var decided application
		if err := json.Unmarshal(got.Body, &decided); err != nil {
			return err
		}
		s.state, s.revision = decided.State, decided.Revision
		s.steps = append(s.steps, step)
	case repeated && (got.code() == "task.not-open" || got.code() == "http.precondition-failed"):
		// It happened, and its answer was lost; or it did not, and the application has changed since it was read.
		shown, err := l.own(ctx, s)
		if err != nil {
			return err
		}
		if !shown.decided(step) {
			return nil // read it again
		}
	default:
		return fmt.Errorf("deciding the step %s was answered %v", step, got)
	}
	s.stage, s.lost = s.stage+1, false
	return nil
}

// decided reports whether the step is taken.
func (a application) decided(step string) bool {
	return slices.ContainsFunc(a.Decisions, func(one struct{ Step, Action string }) bool { return one.Step == step })
}

// release lets a treasurer release the payment, once it is prepared.
func (l *load) release(ctx context.Context, s *story) error {
	resident, err := l.as(ctx, s.resident)
	if err != nil {
		return err
	}
	treasurer, err := l.treasurer(ctx, s)
	if err != nil {
		return err
	}
	path := "/api/v1/applications/" + string(s.id) + "/payment"
	if s.pending == nil {
		var shown payment
		if err := l.get(ctx, resident, path, &shown); err != nil {
			return err
		}
		if l.restored && shown.State == "confirmed" {
			s.stage = settled // by what the bank had paid before the loss: nobody releases it again
			return nil
		}
		if shown.State != "verified" {
			s.resumes = time.Now().Add(50 * time.Millisecond)
			return nil // its job has not come to it yet
		}
	}
	shown, err := l.own(ctx, s)
	if err != nil {
		return err
	}
	got, repeated, err := l.change(ctx, s, request{
		token: treasurer, method: http.MethodPost, path: "/api/v1/orders/" + shown.Granted.Order + "/release",
		key: "release-" + ident.New[string](time.Now()),
	})
	if err != nil {
		return err
	}
	if got.Status != http.StatusOK && (!repeated || got.code() != "order.moved") {
		return fmt.Errorf("releasing was answered %v", got)
	}
	if got.Status == http.StatusOK {
		s.order = shown.Granted.Order
	}
	s.stage = settled
	return nil
}

// treasurer returns the session of one who does not live with the payee.
func (l *load) treasurer(ctx context.Context, s *story) (string, error) {
	for _, official := range l.population.Officials {
		if official.Role == "treasurer" && official.Agency == "youth-agency" && !l.together(official.Person, s.resident) {
			person, _ := l.population.Person(official.Person)
			return l.as(ctx, person)
		}
	}
	return "", errors.New("there is no treasurer for this payee")
}
