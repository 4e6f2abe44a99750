package exchange_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/signature"
	"yagona/store/query"
	"yagona/store/sqlite"
	"yagona/store/storetest"
)

func TestAskAnswersWithTheDeclaredPredicateOnly(t *testing.T) {
	w, subject := newWorld(t), newPerson()
	w.save(t, "employment-agency", "employment/unemployed", map[string]any{"person": subject, "registeredOn": day("2026-02-01"), "note": "private"})
	results := w.Ask(t.Context(), request("employment/unemployment", subject), request("civil/married", subject))
	answer := results[0].Answer
	if results[0].Err != nil || results[1].Err != nil {
		t.Fatal(results[0].Err, results[1].Err)
	}
	if diff := cmp.Diff(map[string]any{"registered": true, "since": day("2026-02-01")}, answer.Values); diff != "" {
		t.Error(diff)
	}
	if answer.Status != exchange.StatusAnswered || answer.Answering != "employment-agency" || answer.VouchedBy != exchange.VouchedByRegister || answer.Of != subject {
		t.Errorf("the answer is %+v", answer)
	}
	if none := results[1].Answer; none.Status != exchange.StatusNone || none.Values != nil {
		t.Errorf("no record is %+v", none)
	}

	entries := w.log(t, subject)
	if len(entries) != 2 || entries[0].Event != entries[1].Event {
		t.Fatalf("one act for one subject, but the journal says %+v", entries)
	}
	told := entries[0]
	want := exchange.Disclosed{
		Exchange: answer.Exchange, Evidence: "employment/unemployment", Register: "employment/unemployed", Answering: "employment-agency",
		Asking: "youth-agency", Service: service, Purpose: access.Apply, Application: "application-1",
		Status: exchange.StatusAnswered, Values: []string{"registered", "since"},
	}
	if diff := cmp.Diff(want, told.Disclosed); diff != "" || !told.Disclosure || told.Type != "evidence.disclosed" || told.Purpose != "apply" {
		t.Errorf("the subject is told %+v\n%s", told, diff)
	}
	if late := entries[1]; !late.ShownFrom.Equal(w.now.AddDate(0, 0, 10)) || late.Delayed != "illustrative" || late.Status != exchange.StatusNone {
		t.Errorf("the delayed entry is %+v", late)
	}

	again, err := w.Answer(t.Context(), answer.Exchange, subject)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(answer, again); diff != "" {
		t.Error(diff)
	}
	if _, err := w.Answer(t.Context(), answer.Exchange, newPerson()); !fault.Is(err, fault.NotFound) {
		t.Errorf("under another subject it gave %v", err)
	}
	asked, replied, err := w.Kept(t.Context(), answer.Exchange, subject)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(replied.Statement, []byte("private")) || bytes.Contains(replied.Statement, []byte("note")) {
		t.Errorf("more than the predicate left the register: %s", replied.Statement)
	}
	if _, err := asked.Verify(w.ring); err != nil {
		t.Error(err)
	}
}

func TestFalseNoneAndUnknownAreThreeThings(t *testing.T) {
	w := newWorld(t)
	subject := w.known(t)
	say := func(values map[string]any) func(context.Context, exchange.SignedQuestion, exchange.Question) (exchange.SignedAnswer, error) {
		return func(ctx context.Context, asked exchange.SignedQuestion, question exchange.Question) (exchange.SignedAnswer, error) {
			return w.remote.say(ctx, asked, question, values)
		}
	}
	ask := func() exchange.Result { return w.Ask(t.Context(), request("tax/low-income", subject))[0] }
	w.remote.answer = say(map[string]any{"low": false})
	if got := ask(); got.Err != nil || got.Answer.Values["low"] != false {
		t.Errorf("false is %+v", got)
	}
	w.remote.answer = say(nil)
	if got := ask(); got.Err != nil || got.Answer.Status != exchange.StatusNone {
		t.Errorf("none is %+v", got)
	}
	before := len(w.log(t, subject))
	for name, answer := range map[string]func(context.Context, exchange.SignedQuestion, exchange.Question) (exchange.SignedAnswer, error){
		"wrong type":    say(map[string]any{"low": "no"}),
		"missing value": say(map[string]any{}),
		"more values":   say(map[string]any{"low": true, "salary": int64(5)}),
		"an error": func(context.Context, exchange.SignedQuestion, exchange.Question) (exchange.SignedAnswer, error) {
			return exchange.SignedAnswer{}, errors.New("it burns")
		},
		"too slow": func(ctx context.Context, _ exchange.SignedQuestion, _ exchange.Question) (exchange.SignedAnswer, error) {
			<-ctx.Done()
			return exchange.SignedAnswer{}, ctx.Err()
		},
		"a defect": func(context.Context, exchange.SignedQuestion, exchange.Question) (exchange.SignedAnswer, error) {
			panic("broken on purpose")
		},
		"another's signature": func(ctx context.Context, asked exchange.SignedQuestion, question exchange.Question) (exchange.SignedAnswer, error) {
			question.Answering = "civil"
			return w.remote.say(ctx, asked, question, map[string]any{"low": true})
		},
		"a changed statement": func(ctx context.Context, asked exchange.SignedQuestion, question exchange.Question) (exchange.SignedAnswer, error) {
			made, err := w.remote.say(ctx, asked, question, map[string]any{"low": false})
			made.Statement = bytes.Replace(made.Statement, []byte("false"), []byte("true"), 1)
			return made, err
		},
		"an answer to another question": func(ctx context.Context, asked exchange.SignedQuestion, question exchange.Question) (exchange.SignedAnswer, error) {
			question.Of = newPerson()
			other, err := exchange.SignQuestion(ctx, w.ring, question)
			if err != nil {
				return exchange.SignedAnswer{}, err
			}
			return w.remote.say(ctx, other, question, map[string]any{"low": true})
		},
		"nonsense": func(context.Context, exchange.SignedQuestion, exchange.Question) (exchange.SignedAnswer, error) {
			return exchange.SignedAnswer{Statement: []byte(`{"id":1}`)}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			w.pass(time.Minute) // the breaker rests for less
			w.remote.answer = answer
			got := ask()
			if !fault.Is(got.Err, fault.Unavailable) || got.Answer.Values != nil || got.Answer.Status != "" {
				t.Errorf("unknown is %+v", got)
			}
		})
	}
	if after := len(w.log(t, subject)); after != before {
		t.Errorf("what was not answered was journaled %d times as disclosed", after-before)
	}
}

func TestWhatIsNotGrantedIsRefusedAndJournaled(t *testing.T) {
	for name, c := range map[string]struct {
		with func(*exchange.Request)
		code string
	}{
		"another service": {func(r *exchange.Request) { r.Service = "youth/other" }, "exchange.not-granted"},
		"another purpose": {func(r *exchange.Request) { r.Purpose = access.Review }, "exchange.not-granted"},
		"simulation":      {func(r *exchange.Request) { r.Purpose = access.Simulate }, "exchange.aggregates-only"},
	} {
		t.Run(name, func(t *testing.T) {
			w, subject := newWorld(t), newPerson()
			asked := request("employment/unemployment", subject)
			c.with(&asked)
			got := w.Ask(t.Context(), asked)[0]
			if !fault.Is(got.Err, fault.Forbidden) || fault.Code(got.Err) != c.code || got.Answer.Status != "" {
				t.Errorf("got %+v", got)
			}
			entries := w.log(t, subject)
			if len(entries) != 1 || entries[0].Type != "evidence.refused" || entries[0].Refused != c.code || entries[0].Disclosure {
				t.Errorf("the journal says %+v", entries)
			}
		})
	}
	t.Run("the source checks the grant for itself", func(t *testing.T) {
		w, subject := newWorld(t), newPerson()
		question := exchange.Question{
			ID: "1", Evidence: "employment/unemployment", Of: subject, Service: "youth/other", Purpose: access.Apply,
			Asking: "youth-agency", Answering: "employment-agency", At: w.now,
		}
		asked, err := exchange.SignQuestion(t.Context(), w.ring, question)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.local.Answer(t.Context(), asked); fault.Code(err) != "exchange.not-granted" {
			t.Errorf("got %v", err)
		}
		asked.Statement = bytes.Replace(asked.Statement, []byte("youth/other"), []byte(service), 1)
		if _, err := w.local.Answer(t.Context(), asked); fault.Code(err) != "signature.wrong" {
			t.Errorf("a changed question got %v", err)
		}
	})
	t.Run("unknown evidence", func(t *testing.T) {
		w := newWorld(t)
		if got := w.Ask(t.Context(), request("no/such", newPerson()))[0]; !fault.Is(got.Err, fault.NotFound) {
			t.Errorf("got %v", got.Err)
		}
	})
}

// What is asked for several services at once is one entry, which says who was given what; another one where a law delays
// it. Every exchange is kept as if it were alone, and nothing is kept before it is settled.
func TestWhatIsAskedTogetherIsToldInOneEntry(t *testing.T) {
	w, subject := newWorld(t), newPerson()
	w.save(t, "employment-agency", "employment/unemployed", map[string]any{"person": subject, "registeredOn": day("2026-02-01")})
	first, one := w.Inquire(t.Context(), subject, request("employment/unemployment", subject))
	second, two := w.Inquire(t.Context(), subject, request("employment/unemployment", subject), request("civil/married", subject))
	if parts := w.log(t, subject); parts != nil {
		t.Fatalf("before it is settled the journal says %+v", parts)
	}
	if err := exchange.Together(nil, one, two).Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries := w.log(t, subject)
	if len(entries) != 2 || entries[0].Event != entries[1].Event {
		t.Fatalf("the journal says %+v", entries)
	}
	told, late := entries[0].Together, entries[1].Together
	if len(told) != 2 || told[0].Exchange != first[0].Answer.Exchange || told[1].Exchange != second[0].Answer.Exchange || told[0].Evidence != "employment/unemployment" ||
		told[0].Asking != "youth-agency" || told[0].Service != service || !slices.Equal(told[0].Values, []string{"registered", "since"}) || !entries[0].Disclosure {
		t.Errorf("the subject is told %+v", entries[0])
	}
	if len(late) != 1 || late[0].Evidence != "civil/married" || late[0].Delayed != "illustrative" || entries[1].ShownFrom.IsZero() || !entries[0].ShownFrom.IsZero() {
		t.Errorf("the delayed entry is %+v", entries[1])
	}
	for _, result := range append(first, second...) {
		if _, err := w.Answer(t.Context(), result.Answer.Exchange, subject); err != nil {
			t.Errorf("an answer is not kept: %v", err)
		}
	}
	if err := exchange.Together(nil).Settle(t.Context()); err != nil || exchange.Together() != nil {
		t.Errorf("nothing that is settled gives %v", err)
	}
	w.Store = broken{w.Store}
	_, three := w.Inquire(t.Context(), subject, request("civil/married", subject))
	if err := exchange.Together(three).Settle(t.Context()); !errors.Is(err, errFull) || len(w.log(t, subject)) != 2 {
		t.Errorf("what cannot be journaled gives %v", err)
	}
}

// broken is a store whose acts fail after they ran: nothing was committed.
type broken struct {
	act.Store[exchange.Reader, exchange.Tx]
}

var errFull = errors.New("the disk is full")

func (b broken) Update(ctx context.Context, key act.Key, run func(exchange.Tx) error) error {
	return b.Store.Update(ctx, key, func(tx exchange.Tx) error {
		if err := run(tx); err != nil {
			return err
		}
		return errFull
	})
}

func TestNothingIsDisclosedThatCannotBeJournaled(t *testing.T) {
	w, subject := newWorld(t), newPerson()
	w.save(t, "civil", "civil/marriages", map[string]any{"person": subject, "spouse": newPerson()})
	w.Exchange.Store = broken{w.Exchange.Store}
	got := w.Ask(t.Context(), request("civil/married", subject))[0]
	if !errors.Is(got.Err, errFull) || got.Answer.Values != nil {
		t.Errorf("got %+v", got)
	}
	if related, err := w.Related(t.Context(), "spouse", subject, request("", subject)); !errors.Is(err, errFull) || related != nil {
		t.Errorf("the relation: %v, %v", related, err)
	}
	if entries := w.log(t, subject); entries != nil {
		t.Errorf("the journal says %+v", entries)
	}
}

func TestRelationsAndAnotherAdult(t *testing.T) {
	w, subject, spouse := newWorld(t), newPerson(), newPerson()
	w.save(t, "civil", "civil/marriages", map[string]any{"person": subject, "spouse": spouse})
	related, err := w.Related(t.Context(), "spouse", subject, request("", ""))
	if err != nil || !cmp.Equal(related, []ident.Subject{spouse}) {
		t.Fatal(related, err)
	}
	if got := w.Ask(t.Context(), request("employment/unemployment", spouse))[0]; got.Err != nil {
		t.Fatal(got.Err)
	}
	entries := w.log(t, spouse)
	if len(entries) != 2 {
		t.Fatalf("the spouse's log says %+v", entries)
	}
	for _, one := range entries {
		if one.Service != service || one.Asking != "youth-agency" || !one.Disclosure {
			t.Errorf("the spouse is told %+v", one)
		}
	}
	if own := w.log(t, subject); len(own) != 1 || own[0].Relation != "spouse" {
		t.Errorf("the subject's log says %+v", own)
	}
	ungranted := request("", "")
	ungranted.Service = "youth/evidence-only" // a grant of evidence grants no relation
	if _, err := w.Related(t.Context(), "spouse", subject, ungranted); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a service without the relation's grant got %v", err)
	}
	refused := w.log(t, subject)
	i := slices.IndexFunc(refused, func(one entry) bool { return one.Type == "relation.refused" })
	if len(refused) != 2 || i < 0 || refused[i].Disclosure || refused[i].Refused != "exchange.not-granted" {
		t.Errorf("the refusal is journaled as %+v", refused)
	}
	before := len(refused)
	if yes, err := w.AreRelated(t.Context(), "spouse", subject, spouse); !yes || err != nil {
		t.Error(yes, err)
	}
	if no, err := w.AreRelated(t.Context(), "spouse", subject, newPerson()); no || err != nil {
		t.Error(no, err)
	}
	if after := len(w.log(t, subject)); after != before {
		t.Error("the platform's own check was journaled as a disclosure")
	}
	t.Run("an answer from somebody else's record", func(t *testing.T) {
		got := w.Ask(t.Context(), request("civil/named-as-spouse", spouse))[0]
		if got.Err != nil || got.Answer.Values["named"] != true {
			t.Fatal(got)
		}
		entries := w.log(t, subject)
		if len(entries) != before+1 {
			t.Errorf("whose record answered is not told: %+v", entries)
		}
	})
}

func TestNumbersGoOnlyToSourcesThatNeedThem(t *testing.T) {
	w := newWorld(t)
	id, err := w.Numbers.(*person.Directory).TakeUp(t.Context(), journal.Actor{}, "", person.Attributes{Number: "30101900000000"})
	if err != nil {
		t.Fatal(err)
	}
	results := w.Ask(t.Context(), request("tax/low-income", id.Subject()), request("employment/unemployment", id.Subject()))
	if results[0].Err != nil || results[1].Err != nil || w.remote.asked[0].Number != "30101900000000" {
		t.Fatalf("the node was asked %+v: %v, %v", w.remote.asked, results[0].Err, results[1].Err)
	}
	asked, _, err := w.Kept(t.Context(), results[1].Answer.Exchange, id.Subject())
	if err != nil || strings.Contains(string(asked.Statement), "30101900000000") {
		t.Errorf("the register here was asked with the number: %v", err)
	}
}

func TestFailingRegisterDelaysNobodyElse(t *testing.T) {
	w := newWorld(t)
	subject := w.known(t)
	w.Timeout = 300 * time.Millisecond
	w.remote.answer = func(ctx context.Context, _ exchange.SignedQuestion, _ exchange.Question) (exchange.SignedAnswer, error) {
		<-ctx.Done()
		return exchange.SignedAnswer{}, ctx.Err()
	}
	for range 5 {
		results := w.Ask(t.Context(), request("tax/low-income", subject), request("employment/unemployment", subject))
		if !fault.Is(results[0].Err, fault.Unavailable) || results[1].Err != nil {
			t.Fatal(results[0].Err, results[1].Err)
		}
	}
	if got := w.Ask(t.Context(), request("tax/low-income", subject))[0]; fault.Code(got.Err) != "exchange.left-alone" {
		t.Errorf("after five failures: %v", got.Err)
	}
	asked := len(w.remote.asked)
	if asked != 5 {
		t.Errorf("it was asked %d times", asked)
	}
	w.pass(31 * time.Second)
	w.remote.answer = nil
	if got := w.Ask(t.Context(), request("tax/low-income", subject))[0]; got.Err != nil {
		t.Errorf("after it was mended: %v", got.Err)
	}
}

func TestSourceThatIsNotThere(t *testing.T) {
	w := newWorld(t)
	delete(w.Sources, "node")
	if got := w.Ask(t.Context(), request("tax/low-income", newPerson()))[0]; !fault.Is(got.Err, fault.Unavailable) {
		t.Errorf("got %v", got.Err)
	}
}

// crowd is a source that answers when so many questions are with it, or its asker gives up.
type crowd struct {
	exchange.Source
	waits sync.WaitGroup
}

func (c *crowd) Answer(ctx context.Context, asked exchange.SignedQuestion) (exchange.SignedAnswer, error) {
	c.waits.Done()
	here := make(chan struct{})
	go func() {
		c.waits.Wait()
		close(here)
	}()
	select {
	case <-here:
		return c.Source.Answer(ctx, asked)
	case <-ctx.Done():
		return exchange.SignedAnswer{}, ctx.Err()
	}
}

// However many ask at once, a register here answers all of them. One elsewhere is spared beyond sixty-four: who asks then is
// not held up, and asks again later.
func TestACrowdIsAnsweredHereAndSparedElsewhere(t *testing.T) {
	w := newWorld(t)
	subject := w.known(t)
	const many, elsewhere = 150, 64
	ask := func(evidence ident.Evidence, full func()) (answered, spared int) {
		var mu sync.Mutex
		var askers sync.WaitGroup
		for range many {
			askers.Go(func() {
				got := w.Ask(t.Context(), request(evidence, subject))[0]
				mu.Lock()
				defer mu.Unlock()
				switch {
				case got.Err == nil:
					answered++
				case fault.Code(got.Err) == "exchange.busy":
					if spared++; spared == many-elsewhere {
						full()
					}
				default:
					t.Error(got.Err)
				}
			})
		}
		askers.Wait()
		return answered, spared
	}
	here := &crowd{Source: w.local}
	here.waits.Add(many)
	w.Sources[register.HeldHere] = here
	if answered, spared := ask("employment/unemployment", func() {}); answered != many || spared != 0 {
		t.Errorf("a register here answered %d and was spared %d", answered, spared)
	}
	there := &crowd{Source: w.remote}
	there.waits.Add(elsewhere + 1) // one more than may be there: it answers when the rest was sent away
	w.Sources[register.HeldNode] = there
	if answered, spared := ask("tax/low-income", there.waits.Done); answered != elsewhere || spared != many-elsewhere {
		t.Errorf("a register elsewhere answered %d and was spared %d", answered, spared)
	}
}

func TestManyAtOnce(t *testing.T) {
	w := newWorld(t)
	subjects := []ident.Subject{w.known(t), w.known(t), w.known(t)}
	var askers sync.WaitGroup
	for i := range 30 {
		askers.Go(func() {
			for _, got := range w.Ask(t.Context(), request("employment/unemployment", subjects[i%3]), request("tax/low-income", subjects[(i+1)%3])) {
				if got.Err != nil {
					t.Error(got.Err)
				}
			}
		})
	}
	askers.Wait()
	for _, subject := range subjects {
		if n := len(w.log(t, subject)); n != 20 {
			t.Errorf("%d disclosures were journaled", n)
		}
	}
}

func TestFlippedByteOfAKeptExchange(t *testing.T) {
	w, path := newFile(t)
	subject := newPerson()
	answer := w.Ask(t.Context(), request("employment/unemployment", subject))[0].Answer
	differ := func() (names []string) {
		t.Helper()
		err := w.db.View(t.Context(), func(tx *query.Tx) error {
			return exchange.Rows(tx, func(row journal.Row) error {
				event, err := tx.StoredEvent(row.Key, row.Event)
				if err != nil {
					return err
				}
				var header journal.Header
				if err := json.Unmarshal(event.Header, &header); err != nil {
					return err
				}
				if len(header.Covers) != 1 || header.Covers[0].Row != row.Name || !bytes.Equal(header.Covers[0].Digest, row.Digest) {
					names = append(names, row.Name)
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	if got := differ(); got != nil {
		t.Fatalf("before anything was changed: %v", got)
	}
	pool, err := sqlite.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var sealed []byte
	if err := pool.QueryRow(`SELECT sealed FROM exchange`).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := pool.Exec(`UPDATE exchange SET sealed = $1`, sealed); err != nil {
		t.Fatal(err)
	}
	storetest.Changed(t, w.db)
	if got := differ(); !cmp.Equal(got, []string{"exchange/" + string(answer.Exchange)}) {
		t.Errorf("the auditor names %v", got)
	}
	if _, err := w.Answer(t.Context(), answer.Exchange, subject); fault.Code(err) != "seal.broken" {
		t.Errorf("reading it gave %v", err)
	}
}

func TestAnErasedSubject(t *testing.T) {
	w, subject := newWorld(t), newPerson()
	answer := w.Ask(t.Context(), request("employment/unemployment", subject))[0].Answer
	if err := w.Vault.Erase(t.Context(), subject); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Answer(t.Context(), answer.Exchange, subject); !fault.Is(err, fault.Erased) {
		t.Errorf("a kept answer gave %v", err)
	}
	if got := w.Ask(t.Context(), request("employment/unemployment", subject))[0]; !fault.Is(got.Err, fault.Erased) {
		t.Errorf("asking again gave %v", got.Err)
	}
}

func TestRefusalsWithoutASession(t *testing.T) {
	w, path := newFile(t)
	refusals := exchange.Refusals{Store: query.For[journal.Reader, journal.Tx](w.db)}
	for range 1000 {
		refusals.Count("GET /api/applications")
	}
	for i := range 500 {
		refusals.Count(strings.Repeat("x", i))
	}
	if err := refusals.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := refusals.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, err := journaled(t, path)
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if facts := events[0].Facts; facts["GET /api/applications"] != "1000" || len(facts) != 65 || facts["others"] != "437" {
		t.Errorf("the event says %d kinds, others %s", len(facts), facts["others"])
	}
}

// journaled returns the headers of all events under the platform's key.
func journaled(t *testing.T, path string) (headers []journal.Header, err error) {
	t.Helper()
	pool, err := sqlite.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	rows, err := pool.Query(`SELECT header FROM event WHERE key = $1`, act.Platform)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var encoded []byte
		var header journal.Header
		if err := errors.Join(rows.Scan(&encoded), json.Unmarshal(encoded, &header)); err != nil {
			return nil, err
		}
		headers = append(headers, header)
	}
	return headers, rows.Err()
}

func FuzzStatement(f *testing.F) {
	f.Add([]byte(`{"id":"1","evidence":"a/b","of":"person:x","service":"a/b","version":"","purpose":"apply","asking":"a","answering":"b","at":"2026-03-02T04:00:00Z"}`))
	f.Add([]byte(`{"id":"1","id":"2"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, statement []byte) {
		question, err := exchange.SignedQuestion{Statement: statement}.Verify(noKeys{})
		if err == nil {
			t.Fatal("verified without a key")
		}
		if fault.Code(err) == "exchange.statement" {
			return
		}
		// It was read: then it is the one form of what it says.
		signed, err := exchange.SignQuestion(t.Context(), noKeys{}, question)
		if err != nil || !bytes.Equal(signed.Statement, statement) {
			t.Errorf("%q has another form %q, %v", statement, signed.Statement, err)
		}
	})
}

// noKeys is a ring that signs with nothing and knows nobody.
type noKeys struct{}

func (noKeys) Sign(context.Context, signature.Holder, []byte) (signature.Signature, error) {
	return signature.Signature{}, nil
}

func (noKeys) Key(string) (signature.Key, error) {
	return signature.Key{}, fault.New(fault.NotFound, "signature.unknown-key", "none")
}
func (noKeys) Keys() []signature.Key { return nil }

func TestWhatAnActKeepsIsKeptWithIt(t *testing.T) {
	w, subject, other := newWorld(t), newPerson(), newPerson()
	w.save(t, "employment-agency", "employment/unemployed", map[string]any{"person": subject, "registeredOn": day("2026-02-01")})
	requests := []exchange.Request{request("employment/unemployment", subject), request("employment/unemployment", other), request("civil/named-as-spouse", subject)}
	requests[2].Purpose = access.Review // not granted
	inquire := func() *exchange.Unkept {
		results, unkept := w.Inquire(t.Context(), subject, requests...)
		if results[0].Err != nil || results[0].Answer.Values["registered"] != true || results[1].Err != nil || !fault.Is(results[2].Err, fault.Forbidden) {
			t.Fatalf("the answers are %+v", results)
		}
		return unkept
	}
	count := func(of ident.Subject) int { return len(w.log(t, of)) }

	unkept := inquire()
	if count(subject) != 0 || count(other) != 1 {
		t.Fatalf("before the act the journal has %d and %d entries", count(subject), count(other))
	}
	failed := errors.New("no")
	act := func(fail error) error {
		return w.Store.Update(t.Context(), act.Of(subject), func(tx exchange.Tx) error { return errors.Join(unkept.Keep(tx), fail) })
	}
	if err := act(failed); !errors.Is(err, failed) || count(subject) != 0 {
		t.Fatalf("a failed act gave %v and left %d entries", err, count(subject))
	}
	if err := act(nil); err != nil {
		t.Fatal(err)
	}
	unkept.Kept()
	if err := unkept.Settle(t.Context()); err != nil || count(subject) != 2 {
		t.Errorf("kept in an act, then settled: %v, %d entries", err, count(subject))
	}

	unkept = inquire()
	if err := act(failed); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	for range 2 {
		if err := unkept.Settle(t.Context()); err != nil || count(subject) != 4 {
			t.Errorf("settled alone: %v, %d entries", err, count(subject))
		}
	}

	unkept = inquire()
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := unkept.Settle(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("what cannot be journaled was settled: %v", err)
	}
	var none *exchange.Unkept
	none.Kept()
	if err := errors.Join(none.Keep(nil), none.Settle(t.Context())); err != nil {
		t.Error(err)
	}
}
