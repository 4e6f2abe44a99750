package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/seal"
	"yagona/kernel/signature"
)

// Exchange asks for evidence. It is safe for concurrent use.
type Exchange struct {
	Store     act.Store[Reader, Tx]
	Vault     *seal.Vault
	Ring      signature.Ring
	Clock     act.Clock
	Registers *register.Keeper         // definitions, and the relations that registers here declare
	Numbers   Numbers                  // of people, for sources that do not know our ids; nil if there are none
	Sources   map[register.Held]Source // who answers for a register that is held so
	Timeout   time.Duration            // for one question; zero: 10 s. An adapter's own timeout counts if it is shorter.
	Log       *slog.Logger             // nil: none

	mu       sync.Mutex
	breakers map[ident.Register]*breaker // guarded by mu
}

// Numbers tells people's national numbers; it is what package person's directory does.
type Numbers interface {
	Attributes(ctx context.Context, whose ident.Person) (person.Attributes, error)
}

var (
	errNotGranted = fault.New(fault.Forbidden, "exchange.not-granted", "This service may not ask this for this purpose. Ask the register's agency for a grant.")
	errAggregates = fault.New(fault.Forbidden, "exchange.aggregates-only", "For this purpose there are counts only, never anybody's values.")
	errNoSource   = fault.New(fault.Unavailable, "exchange.no-source", "Nothing here reaches this register at the moment. It is asked again later.")
	errFailed     = fault.New(fault.Unavailable, "exchange.unavailable", "The register does not answer. It is asked again later.")
	errType       = fault.New(fault.Unavailable, "exchange.wrong-type", "The register's answer is not of the declared type. It is asked again after it was repaired.")
)

// asking is one request on its way.
type asking struct {
	request    Request
	question   Question
	definition *register.Definition
	sent       SignedQuestion
	received   SignedAnswer
	answer     Answer
	err        error
}

// Ask asks for each request and returns one result for each, in order. Sources are asked at the same time. What was
// answered about one subject is kept and its disclosure journaled in one act; values are returned after it is
// committed. A request that is not granted is refused and the refusal journaled.
func (x *Exchange) Ask(ctx context.Context, requests ...Request) []Result {
	results, _ := x.askWithin(ctx, "", requests)
	return results
}

// Inquire is Ask for an act that is to keep what was answered about one subject: everything about others is kept when it
// returns. The caller keeps the rest with Unkept.Keep in their act, and calls Unkept.Settle before anything that they
// learnt, or made of it, leaves them: an error, too, tells of it.
func (x *Exchange) Inquire(ctx context.Context, within ident.Subject, requests ...Request) ([]Result, *Unkept) {
	return x.askWithin(ctx, within, requests)
}

func (x *Exchange) askWithin(ctx context.Context, within ident.Subject, requests []Request) ([]Result, *Unkept) {
	all := make([]*asking, len(requests))
	var under sync.WaitGroup
	for i, request := range requests {
		one := &asking{request: request}
		all[i] = one
		if one.err = x.prepare(one); one.err != nil {
			continue
		}
		if len(requests) == 1 {
			one.err = x.ask(ctx, one)
			continue
		}
		under.Go(func() { one.err = x.ask(ctx, one) })
	}
	under.Wait()
	var unkept *Unkept
	for _, group := range bySubject(all) {
		if group[0].request.Of == within {
			unkept = x.unkept(ctx, group)
			continue
		}
		under.Go(func() { x.keep(ctx, group) })
	}
	under.Wait()
	results := make([]Result, len(all))
	for i, one := range all {
		if one.err != nil {
			results[i].Err = one.err
		} else {
			results[i].Answer = one.answer
		}
	}
	return results, unkept
}

// prepare checks the request against the grants and makes its question.
func (x *Exchange) prepare(one *asking) error {
	request := one.request
	evidence, definition, err := x.Registers.Definitions().Evidence(request.Evidence)
	if err != nil {
		return err
	}
	if _, err := ident.ParseSubject(string(request.Of)); err != nil {
		return err
	}
	one.definition = definition
	one.question = Question{
		ID: ident.New[ident.Exchange](x.Clock()), Evidence: request.Evidence, Of: request.Of, Service: request.Service,
		Version: request.Version, Purpose: request.Purpose, Application: request.Application,
		Asking: request.Asking, Answering: definition.Agency, At: x.Clock().UTC(),
	}
	return granted(evidence, request.Service, request.Purpose)
}

// granted checks the purpose and the grant.
func granted(evidence *register.EvidenceType, service ident.Service, purpose access.Purpose) error {
	switch {
	case purpose == access.Simulate:
		return errAggregates
	case !evidence.Grants(service, purpose):
		return errNotGranted
	}
	return nil
}

// ask puts the question to its source and verifies the answer.
func (x *Exchange) ask(ctx context.Context, one *asking) (err error) {
	source := x.Sources[one.definition.Held]
	if source == nil {
		return errNoSource
	}
	if err := x.identify(ctx, one); err != nil {
		return err
	}
	if one.sent, err = SignQuestion(ctx, x.Ring, one.question); err != nil {
		return err
	}
	finish, err := x.breaker(one.definition.Path).enter(one.definition.Held, x.Clock())
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, x.timeout(one.definition))
	defer cancel()
	one.received, err = answered(limited, source, one.sent)
	if err == nil {
		one.answer, err = x.verify(one)
	}
	finish(x.Clock(), err)
	if err == nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	x.log().Warn("a register did not answer", "register", one.definition.Path, "evidence", one.request.Evidence,
		"exchange", one.question.ID, "error", err)
	switch fault.Of(err).Kind {
	case fault.Unavailable, fault.Forbidden, fault.Erased, fault.NotFound:
		return err
	}
	return errFailed.Because(err) // whatever broke there: the answer is unknown
}

// answered asks the source; a defect in it is its own failure and nobody else's.
func answered(ctx context.Context, source Source, sent SignedQuestion) (received SignedAnswer, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fault.Newf(fault.Internal, "exchange.panic", "A source panicked.\n%s", debug.Stack())
		}
	}()
	return source.Answer(ctx, sent)
}

// identify adds the national number for a source that does not know the subject by our id.
func (x *Exchange) identify(ctx context.Context, one *asking) error {
	whose, ok := one.request.Of.Person()
	if one.definition.Held == register.HeldHere || !ok || x.Numbers == nil {
		return nil
	}
	known, err := x.Numbers.Attributes(ctx, whose)
	one.question.Number = known.Number
	return err
}

func (x *Exchange) timeout(definition *register.Definition) time.Duration {
	timeout := x.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	if definition.Adapter != nil && definition.Adapter.Timeout > 0 {
		timeout = min(timeout, definition.Adapter.Timeout)
	}
	return timeout
}

func (x *Exchange) log() *slog.Logger {
	if x.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return x.Log
}

// verify checks the answer's signature and that its values are what the evidence type declares.
func (x *Exchange) verify(one *asking) (Answer, error) {
	reply, err := one.received.verify(x.Ring, one.sent, one.question)
	if err != nil {
		return Answer{}, errFailed.Because(err)
	}
	evidence, _, err := x.Registers.Definitions().Evidence(reply.Evidence)
	if err != nil {
		return Answer{}, err
	}
	answer, err := opened(one.sent, one.received, reply)
	if err != nil {
		return Answer{}, errType.Because(err)
	}
	if answer.Status == StatusAnswered {
		if err := evidence.Type().Check(answer.Values); err != nil {
			return Answer{}, errType.Because(err)
		}
	}
	return answer, nil
}

// opened returns the answer that the reply to the question is.
func opened(asked SignedQuestion, received SignedAnswer, reply Reply) (answer Answer, err error) {
	answer = Answer{
		Exchange: reply.ID, Evidence: reply.Evidence, Of: reply.Of, Status: reply.Status, At: reply.At, Answering: reply.Answering,
		VouchedBy: reply.VouchedBy, Question: asked.Signature, Reply: received.Signature,
	}
	if reply.Status == StatusAnswered {
		answer.Values, err = register.DecodeValues(reply.Values)
	}
	return answer, err
}

// bySubject groups what is to be kept or to be journaled as refused, by subject, in order.
func bySubject(all []*asking) [][]*asking {
	var order []ident.Subject
	groups := map[ident.Subject][]*asking{}
	for _, one := range all {
		if one.err != nil && !refused(one.err) {
			continue
		}
		if groups[one.request.Of] == nil {
			order = append(order, one.request.Of)
		}
		groups[one.request.Of] = append(groups[one.request.Of], one)
	}
	sorted := make([][]*asking, len(order))
	for i, subject := range order {
		sorted[i] = groups[subject]
	}
	return sorted
}

func refused(err error) bool {
	return fault.Code(err) == errNotGranted.Code || fault.Code(err) == errAggregates.Code
}

// kept is what a stored exchange holds.
type kept struct {
	Question SignedQuestion `json:"question"`
	Answer   SignedAnswer   `json:"answer"`
}

func exchangeContext(id ident.Exchange) string { return "exchange:" + string(id) }

// Unkept is what was answered about one subject, or refused, and is not kept yet. Nil is nothing.
type Unkept struct {
	exchange *Exchange
	subject  ident.Subject
	group    []*asking
	sealer   *seal.Sealer
	stored   []StoredExchange
	together bool // one entry tells of all
	kept     bool
}

// Together returns what was asked about one subject for several services at once, as one: the journal tells the subject of
// all of it in one entry, with one more for each law that delays its part. All are about that subject.
func Together(all ...*Unkept) *Unkept {
	var one *Unkept
	for _, more := range all {
		switch {
		case more == nil:
		case one == nil:
			one = &Unkept{
				exchange: more.exchange, subject: more.subject, sealer: more.sealer, together: true,
				group: slices.Clone(more.group), stored: slices.Clone(more.stored),
			}
		default:
			one.group, one.stored = append(one.group, more.group...), append(one.stored, more.stored...)
		}
	}
	return one
}

// unkept seals what a group's requests were answered. If that fails, nothing of the group is disclosed.
func (x *Exchange) unkept(ctx context.Context, group []*asking) *Unkept {
	made, err := x.seal(ctx, group)
	if err == nil {
		return made
	}
	withhold(group, err)
	return nil
}

// withhold takes back what was answered.
func withhold(group []*asking, because error) {
	for _, one := range group {
		if one.err == nil {
			one.answer, one.err = Answer{}, because
		}
	}
}

// keep keeps what was answered about one subject and journals it and what was refused, in one act. If that fails,
// nothing of the group is disclosed.
func (x *Exchange) keep(ctx context.Context, group []*asking) {
	made, err := x.seal(ctx, group)
	if err == nil {
		err = made.commit(ctx)
	}
	if err != nil {
		withhold(group, err)
	}
}

func (x *Exchange) seal(ctx context.Context, group []*asking) (*Unkept, error) {
	subject := group[0].request.Of
	sealer, err := x.Vault.Open(ctx, subject)
	if err != nil {
		return nil, err
	}
	made := &Unkept{exchange: x, subject: subject, group: group, sealer: sealer, stored: make([]StoredExchange, len(group))}
	for i, one := range group {
		if one.err != nil {
			continue
		}
		plain, err := json.Marshal(kept{one.sent, one.received})
		if err != nil {
			return nil, err
		}
		made.stored[i] = StoredExchange{Key: act.Of(subject), ID: one.question.ID, Application: one.request.Application, Known: true}
		if made.stored[i].Sealed, err = sealer.Seal(subject, exchangeContext(one.question.ID), plain); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// Keep keeps and journals everything in an act under the subject's key. It may be run again, as acts are.
func (u *Unkept) Keep(tx Tx) error {
	if u == nil {
		return nil
	}
	for _, indices := range bySession(u.group) {
		event := eventOf(u.group[indices[0]])
		id := journal.NewID(tx)
		for _, i := range indices {
			event.Parts = append(event.Parts, partOf(tx, u.group[i]))
			if u.group[i].err != nil {
				continue
			}
			row := u.stored[i]
			row.At, row.Event = tx.Now(), id
			if err := tx.SaveExchange(row); err != nil {
				return err
			}
			event.Covers = append(event.Covers, row.Cover())
		}
		if u.together {
			event.Parts = joined(event.Parts)
		}
		if err := journal.AppendAs(tx, u.sealer, id, event); err != nil {
			return err
		}
	}
	return nil
}

// Kept says that the act is committed in which Keep was called.
func (u *Unkept) Kept() {
	if u != nil {
		u.kept = true
	}
}

// Settle keeps and journals, in an act of its own, what no act of the caller has kept. After an error nothing of it may
// leave the caller.
func (u *Unkept) Settle(ctx context.Context) error {
	if u == nil || u.kept {
		return nil
	}
	return u.commit(ctx)
}

func (u *Unkept) commit(ctx context.Context) error {
	err := u.exchange.Store.Update(ctx, act.Of(u.subject), u.Keep)
	u.kept = err == nil
	return err
}

// session is what requests share that one event tells of.
type session struct {
	by      journal.Actor
	purpose access.Purpose
	refused bool
}

// bySession groups the indices of requests that one event tells of, in order.
func bySession(group []*asking) [][]int {
	var order []session
	found := map[session][]int{}
	for i, one := range group {
		of := session{one.request.By, one.request.Purpose, one.err != nil}
		if found[of] == nil {
			order = append(order, of)
		}
		found[of] = append(found[of], i)
	}
	var groups [][]int
	for _, of := range order {
		groups = append(groups, found[of])
	}
	return groups
}

func eventOf(one *asking) journal.Event {
	event := journal.Event{Type: "evidence.disclosed", Actor: one.request.By, Purpose: string(one.request.Purpose)}
	if one.err != nil {
		event.Type = "evidence.refused"
	}
	return event
}

// Disclosed is what the journal tells a subject of one disclosure, or refusal, of evidence.
type Disclosed struct {
	Exchange    ident.Exchange    `json:"exchange,omitempty"`
	Evidence    ident.Evidence    `json:"evidence"`
	Register    ident.Register    `json:"register"`
	Answering   ident.Agency      `json:"answering"`
	Asking      ident.Agency      `json:"asking"`
	Service     ident.Service     `json:"service"`
	Purpose     access.Purpose    `json:"purpose"`
	Application ident.Application `json:"application,omitempty"`
	Status      Status            `json:"status,omitempty"`  // empty: refused
	Values      []string          `json:"values,omitempty"`  // the names of the values, sorted; never the values
	Refused     string            `json:"refused,omitempty"` // the code of the refusal
	Delayed     string            `json:"delayed,omitempty"` // the law that delayed this entry
}

func partOf(tx Tx, one *asking) journal.Part {
	told := Disclosed{
		Evidence: one.request.Evidence, Register: one.definition.Path, Answering: one.definition.Agency,
		Asking: one.request.Asking, Service: one.request.Service, Purpose: one.request.Purpose, Application: one.request.Application,
	}
	part := journal.Part{Subject: one.request.Of}
	if one.err != nil {
		told.Refused = fault.Code(one.err)
		part.Personal = told
		return part
	}
	told.Exchange, told.Status = one.answer.Exchange, one.answer.Status
	told.Values = slices.Sorted(maps.Keys(one.answer.Values))
	part.Disclosure = true
	part.ShownFrom, told.Delayed = delayed(tx, one.definition)
	part.Personal = told
	return part
}

// DisclosedTogether is what the journal tells a subject of several disclosures that were asked for at once.
type DisclosedTogether struct {
	Together []Disclosed `json:"together"`
}

// joined makes one part of all disclosures that the subject may see from the same time on, by the same law. Refusals stay
// as they are: they tell of no disclosure.
func joined(parts []journal.Part) (fewer []journal.Part) {
	type shown struct {
		from time.Time
		law  string
	}
	at := map[shown]int{}
	for _, part := range parts {
		told, ok := part.Personal.(Disclosed)
		if !ok || !part.Disclosure {
			fewer = append(fewer, part)
			continue
		}
		of := shown{part.ShownFrom, told.Delayed}
		i, known := at[of]
		if !known {
			at[of] = len(fewer)
			part.Personal = DisclosedTogether{[]Disclosed{told}}
			fewer = append(fewer, part)
			continue
		}
		all, _ := fewer[i].Personal.(DisclosedTogether)
		fewer[i].Personal = DisclosedTogether{append(all.Together, told)}
	}
	return fewer
}

// delayed returns from when a subject sees a disclosure from the register, and the law that delays it.
func delayed(tx act.Tx, definition *register.Definition) (time.Time, string) {
	if definition.Delay == nil {
		return time.Time{}, ""
	}
	return tx.Now().AddDate(0, 0, definition.Delay.Days), definition.Delay.Legal
}

// Answer returns a kept answer, its signatures verified again. Who calls it answers for the purpose and the journal.
func (x *Exchange) Answer(ctx context.Context, id ident.Exchange, of ident.Subject) (Answer, error) {
	asked, received, err := x.Kept(ctx, id, of)
	if err != nil {
		return Answer{}, err
	}
	question, err := asked.Verify(x.Ring)
	if err != nil {
		return Answer{}, err
	}
	reply, err := received.verify(x.Ring, asked, question)
	if err != nil {
		return Answer{}, err
	}
	return opened(asked, received, reply)
}

// Kept returns a kept question with its answer as they were signed. Who calls it answers for the purpose and the journal.
func (x *Exchange) Kept(ctx context.Context, id ident.Exchange, of ident.Subject) (SignedQuestion, SignedAnswer, error) {
	sealer, err := x.Vault.Open(ctx, of)
	if err != nil {
		return SignedQuestion{}, SignedAnswer{}, err
	}
	var stored StoredExchange
	err = x.Store.View(ctx, func(tx Reader) (err error) {
		stored, err = tx.StoredExchange(act.Of(of), id)
		return err
	})
	if err != nil {
		return SignedQuestion{}, SignedAnswer{}, err
	}
	plain, err := sealer.Unseal(of, exchangeContext(id), stored.Sealed)
	if err != nil {
		return SignedQuestion{}, SignedAnswer{}, err
	}
	var both kept
	err = jsonv2.Unmarshal(plain, &both)
	return both.Question, both.Answer, err
}
