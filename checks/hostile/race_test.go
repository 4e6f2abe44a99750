package hostile

import (
	"bytes"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"yagona/kernel/ident"
	"yagona/packs/demo"
)

// atOnce runs all at once and returns their answers in order.
func atOnce(attacks ...func() answer) []answer {
	answers := make([]answer, len(attacks))
	begin := make(chan struct{})
	var under sync.WaitGroup
	for i, attack := range attacks {
		under.Go(func() {
			<-begin
			answers[i] = attack()
		})
	}
	close(begin)
	under.Wait()
	return answers
}

// count returns how many answers have the status.
func count(answers []answer, status int) (n int) {
	for _, one := range answers {
		if one.Status == status {
			n++
		}
	}
	return n
}

// TestTwoOfficialsDecideAtOnce lets one recommend and the other refuse, in the same moment.
func TestTwoOfficialsDecideAtOnce(t *testing.T) {
	w := open(t)
	resident, leader := w.persona(demo.Jobless), w.persona(demo.YouthLeader)
	w.appoint(w.pop.Personas[demo.Worker], "youth-agency", "youth-leader", w.pop.Home)
	second := w.persona(demo.Worker)
	for range 10 {
		one := resident.apply()
		decide := func(who visitor, verdict map[string]any) func() answer {
			return func() answer {
				return who.send("POST", "/api/v1/tasks/"+one.task(t)+"/decide", verdict, "If-Match", match(one.Revision))
			}
		}
		answers := atOnce(
			decide(leader, map[string]any{"action": "recommend"}),
			decide(second, map[string]any{"action": "refuse", "reasons": []map[string]any{{"text": "no"}}}),
		)
		if count(answers, http.StatusOK) != 1 || count(answers, http.StatusConflict)+count(answers, http.StatusPreconditionFailed) != 1 {
			t.Fatalf("both decided at once: %v and %v", answers[0], answers[1])
		}
		want := "deciding"
		if answers[1].Status == http.StatusOK {
			want = "refused"
		}
		if shown := resident.own(one.ID); shown.State != want {
			t.Errorf("it is %s instead of %s", shown.State, want)
		}
	}
}

// TestOneRequestSentManyTimesAtOnce sends the same application many times under one key, and the same draft many times.
func TestOneRequestSentManyTimesAtOnce(t *testing.T) {
	w := open(t)
	resident := w.persona(demo.Jobless)
	person := w.pop.Persona(demo.Jobless)
	key, id := ident.New[string](w.clock.now()), ""
	send := func() answer {
		return resident.send("POST", "/api/v1/applications", subsidy(person.Account), "Idempotency-Key", key)
	}
	answers := atOnce(slices.Repeat([]func() answer{send}, 8)...)
	answers = append(answers, send()) // and once more
	for _, got := range answers {
		if got.Status == http.StatusConflict && got.code() == "idempotency.in-progress" {
			continue
		}
		var sent receipt
		got.into(t, http.StatusCreated, &sent)
		if id == "" {
			id = sent.Application.ID
		}
		if sent.Application.ID != id {
			t.Errorf("it made the application %s, too", sent.Application.ID)
		}
	}

	resident.withdrawOpen()
	var draft receipt
	resident.send("POST", "/api/v1/applications", map[string]any{
		"service": "youth/tools-subsidy", "language": "en", "answers": subsidy(person.Account)["answers"],
	}).into(t, http.StatusCreated, &draft)
	submit := func() answer {
		return resident.send("POST", "/api/v1/applications/"+draft.Application.ID+"/submit", nil, "If-Match", match(draft.Application.Revision))
	}
	for _, got := range atOnce(slices.Repeat([]func() answer{submit}, 8)...) {
		got.into(t, http.StatusOK, nil)
	}
	shown := resident.own(draft.Application.ID)
	if submitted := len(slices.DeleteFunc(shown.History, func(one struct{ What string }) bool { return one.What != "application.submitted" })); submitted != 1 {
		t.Errorf("it was submitted %d times", submitted)
	}
	if len(shown.Tasks) != 1 {
		t.Errorf("it opened %d tasks", len(shown.Tasks))
	}
	var page struct{ Items []application }
	resident.send("GET", "/api/v1/applications", nil).into(t, http.StatusOK, &page)
	if len(page.Items) != 2 {
		t.Errorf("there are %d applications instead of 2", len(page.Items))
	}
}

// TestOneKeyGivesOneEffectWhereNoIdentifierHelps repeats at once a request whose thing gets its id from the platform.
func TestOneKeyGivesOneEffectWhereNoIdentifierHelps(t *testing.T) {
	w := open(t)
	operator := w.official("operator", "platform-operator", w.node.Profile.Territories.Root())
	now := w.clock.now()
	outage := map[string]any{"from": now.Add(-2 * time.Hour), "until": now.Add(-time.Hour), "reason": "a cut cable"}
	declare := func() answer {
		return operator.send("POST", "/api/v1/outages", outage, "Idempotency-Key", "an-outage-of-this-morning")
	}
	answers := atOnce(slices.Repeat([]func() answer{declare}, 8)...)
	if made := count(answers, http.StatusCreated); made < 1 || made+count(answers, http.StatusConflict) != len(answers) {
		t.Errorf("the answers were %v", answers)
	}
	var page struct{ Items []struct{ ID string } }
	operator.send("GET", "/api/v1/outages", nil).into(t, http.StatusOK, &page)
	if len(page.Items) != 1 {
		t.Errorf("one declaration made %d outages", len(page.Items))
	}
}

// TestAPaymentReleasedTwiceIsPaidOnce lets two treasurers release the same order, each several times, at once.
func TestAPaymentReleasedTwiceIsPaidOnce(t *testing.T) {
	w := open(t)
	resident, leader, chair := w.persona(demo.Jobless), w.persona(demo.YouthLeader), w.persona(demo.Chair)
	var treasurers []visitor
	for _, one := range w.pop.Officials {
		if one.Role == "treasurer" && one.Agency == "youth-agency" {
			treasurers = append(treasurers, w.as(one.Person))
		}
	}
	if len(treasurers) != 2 {
		t.Fatalf("there are %d treasurers", len(treasurers))
	}
	one := resident.apply()
	leader.decide(one, "recommend")
	chair.decide(resident.own(one.ID), "approve")
	one = resident.own(one.ID)
	paid := func() string {
		var payment struct{ State string }
		resident.send("GET", "/api/v1/applications/"+one.ID+"/payment", nil).into(t, http.StatusOK, &payment)
		return payment.State
	}
	w.wait("the payment may be released", func() bool { return paid() == "verified" })
	var attacks []func() answer
	for range 4 {
		for _, who := range treasurers {
			attacks = append(attacks, func() answer { return who.send("POST", "/api/v1/orders/"+one.Granted.Order+"/release", nil) })
		}
	}
	answers := atOnce(attacks...)
	if count(answers, http.StatusOK) < 1 || count(answers, http.StatusOK) > 4 || count(answers, http.StatusOK)+count(answers, http.StatusConflict) != len(answers) {
		t.Errorf("the answers were %v", answers)
	}
	w.wait("the payment is confirmed", func() bool { return paid() == "confirmed" })
	for range 2 {
		for _, who := range treasurers {
			who.send("POST", "/api/v1/orders/"+one.Granted.Order+"/release", nil)
			who.send("POST", "/api/v1/orders/"+one.Granted.Order+"/refuse", map[string]any{"reason": "wrong-amount"})
		}
	}
	if err := w.node.Jobs.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if state := paid(); state != "confirmed" {
		t.Errorf("the payment is %s in the end", state)
	}
	if lines := bytes.Count(w.file("bank.journal"), []byte("\n")); lines != 1 {
		t.Errorf("the bank accepted %d payments", lines)
	}
}
