package fault

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"yagona/kernel/ident"
	"yagona/kernel/ledger"
)

// killsVariable names the environment variable that says how often to kill.
const killsVariable = "YAGONA_FAULT_KILLS"

// TestWhatWasAcknowledgedSurvivesKill kills the platform with SIGKILL at random moments while several clients apply,
// decide and release payments, and starts it again in the same folder. Every third kill falls into the start itself. It
// then looks for everything that was acknowledged, before the kill and at the end, and lets the auditor recompute the
// whole installation.
//
// It kills 6 times; 200 times in
//
//	make fault
func TestWhatWasAcknowledgedSurvivesKill(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a process under load for half a minute and more")
	}
	t.Parallel()
	kills := killsWanted(t, 6)
	seed := uint64(time.Now().UnixNano())
	chance := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	people := 500
	if kills > 50 {
		people = 4000
	}
	i := install(t, t.TempDir(), people)
	i.start()
	l := newLoad(i)
	if len(l.residents) < 5 {
		t.Fatalf("only %d residents may ask for the subsidy", len(l.residents))
	}
	for kill := range kills {
		if kill%3 == 2 { // a start is killed, too
			i.kill()
			i.launch()
			time.Sleep(time.Duration(chance.IntN(800)) * time.Millisecond)
		} else {
			// Until the next kill the load goes on; in the middle of it the process is gone. It is killed after some work,
			// however long that takes.
			ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
			worked := make(chan struct{})
			before := l.answered()
			go func() {
				l.run(ctx, 6)
				close(worked)
			}()
			l.await(t, before+leastWork+chance.IntN(50))
			time.Sleep(time.Duration(chance.IntN(50)) * time.Millisecond)
			i.kill()
			<-worked
			cancel()
		}
		i.kill()
		i.start()
		l.check(t, false)
		if t.Failed() {
			t.Fatalf("after kill %d of %d; the platform says:\n%s", kill+1, kills, i.tail())
		}
	}
	l.settle(t)
	l.check(t, true)
	l.checkMoney(t)
	l.checkAudit(t)
	l.report(t, kills)
	if err := i.terminate(); err != nil {
		t.Errorf("asked to end: %v", err)
	}
}

// killsWanted returns how often to kill.
func killsWanted(t *testing.T, usually int) int {
	t.Helper()
	text := os.Getenv(killsVariable)
	if text == "" {
		return usually
	}
	wanted, err := strconv.Atoi(text)
	if err != nil || wanted < 1 {
		t.Fatalf("%s=%q: it must be how often to kill, 1 or more", killsVariable, text)
	}
	return wanted
}

// settle goes on without kills until every story has its end.
func (l *load) settle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		l.mu.Lock()
		open := len(l.open)
		var s *story
		if open > 0 {
			s, l.open = l.open[0], l.open[1:]
		}
		l.mu.Unlock()
		if s == nil {
			return
		}
		if wait := time.Until(s.resumes); wait > 0 {
			time.Sleep(min(wait, 50*time.Millisecond))
		} else if err := l.advance(ctx, s); errors.Is(err, errNoAnswer) {
			s.resumes = time.Now().Add(500 * time.Millisecond) // a request may still hang on what was lost
		} else if err != nil {
			t.Fatalf("application %s, stage %d, after the last start: %v", s.id, s.stage, err)
		}
		l.giveBack(s)
	}
	for _, s := range l.open {
		t.Logf("application %s of %s: stage %d, pending %t, lost %t", s.id, s.service, s.stage, s.pending != nil, s.lost)
		if token, err := l.as(t.Context(), s.resident); err == nil {
			var paid payment
			err = l.get(t.Context(), token, "/api/v1/applications/"+string(s.id)+"/payment", &paid)
			t.Logf("its payment is %+v, %v", paid, err)
		}
	}
	t.Fatalf("%d applications have no end after %s without a kill; problems %v", len(l.open), patience, l.problemsSoFar())
}

// rank orders states: an application only goes on.
var rank = map[string]int{"draft": 0, "gathering": 1, "deciding": 2, "asked": 2, "granted": 3, "refused": 3}

// check looks for everything that was acknowledged and not found since it last changed; final asks for all of it again,
// and for the end of every payment.
func (l *load) check(t *testing.T, final bool) {
	t.Helper()
	for _, failure := range l.failed {
		t.Error(failure)
	}
	for _, s := range l.stories {
		if s.checked && !final {
			continue
		}
		if err := l.verify(t.Context(), s, final); err != nil {
			t.Errorf("application %s of %s (acknowledged: received %t, %s at revision %d, steps %v, released %q): %v",
				s.id, s.service, s.sent, s.state, s.revision, s.steps, s.order, err)
			continue
		}
		s.checked = true
	}
}

// verify compares one story with what the installation shows.
func (l *load) verify(ctx context.Context, s *story, final bool) error {
	if !s.sent {
		if final {
			return errors.New("it was never acknowledged, though nothing kills any more")
		}
		return nil
	}
	shown, err := l.own(ctx, s)
	if err != nil {
		return err
	}
	if rank[shown.State] < rank[s.state] || rank[shown.State] == rank["granted"] && rank[s.state] == rank["granted"] && shown.State != s.state {
		return fmt.Errorf("it is %s", shown.State)
	}
	if shown.Revision < s.revision {
		return fmt.Errorf("it is at revision %d", shown.Revision)
	}
	taken := map[string]int{}
	for _, decision := range shown.Decisions {
		taken[decision.Step]++
	}
	for step, times := range taken {
		if times != 1 {
			return fmt.Errorf("the step %s was taken %d times", step, times)
		}
	}
	for _, step := range s.steps {
		if taken[step] == 0 {
			return fmt.Errorf("the step %s is not taken", step)
		}
	}
	if final {
		if err := l.verifyEntry(ctx, s); err != nil {
			return err
		}
	}
	if s.order == "" && !final || s.service != "youth/tools-subsidy" || shown.State != "granted" {
		return nil
	}
	return l.verifyPayment(ctx, s, final)
}

// verifyEntry asks for the proof of the entry that the receipt named, until the witnesses have cosigned it.
func (l *load) verifyEntry(ctx context.Context, s *story) error {
	token, err := l.as(ctx, s.resident)
	if err != nil {
		return err
	}
	var found struct{ Proof string }
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		err := l.get(ctx, token, "/api/v1/access-log/"+string(s.entry)+"/proof", &found)
		if err == nil && found.Proof != "" {
			return nil
		}
		if !errors.Is(err, errLater) && err != nil || time.Since(begun) > patience {
			return fmt.Errorf("the entry %q of its receipt is not proven: %w", s.entry, err)
		}
	}
}

func (l *load) verifyPayment(ctx context.Context, s *story, final bool) error {
	token, err := l.as(ctx, s.resident)
	if err != nil {
		return err
	}
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		var paid payment
		if err := l.get(ctx, token, "/api/v1/applications/"+string(s.id)+"/payment", &paid); err != nil {
			return err
		}
		switch {
		case paid.State == "confirmed":
			return nil
		case !final && (paid.State == "released" || paid.State == "sent"):
			return nil
		case !final || paid.State == "rejected" || time.Since(begun) > patience:
			return fmt.Errorf("its payment is %q", paid.State)
		}
	}
}

// checkMoney compares what the bank paid with what the funds' books confirm, and each resident's applications with those
// that were made here.
func (l *load) checkMoney(t *testing.T) {
	t.Helper()
	confirmed := map[ledger.EndToEndID]int64{}
	for _, state := range []string{"prepared", "verified", "released", "sent", "confirmed", "rejected"} {
		for _, order := range l.orders(t, state) {
			if state != "confirmed" {
				t.Errorf("order %s is %s at the end", order.ID, state)
				continue
			}
			confirmed[ledger.Order{ID: order.ID}.EndToEndID()] = order.Amount
		}
	}
	journal, err := os.ReadFile(filepath.Join(l.folder, "bank.journal"))
	if err != nil {
		t.Fatal(err)
	}
	paid := map[ledger.EndToEndID]int64{}
	var paidSum, confirmedSum int64
	for scanner := bufio.NewScanner(bytes.NewReader(journal)); scanner.Scan(); {
		var one struct {
			ID     ledger.EndToEndID
			Amount int64
			Reason string
		}
		if err := json.Unmarshal(scanner.Bytes(), &one); err != nil {
			t.Fatalf("the bank's journal has the line %q: %v", scanner.Text(), err)
		}
		if _, twice := paid[one.ID]; twice {
			t.Errorf("the bank accepted %s twice", one.ID)
		}
		if one.Reason != "" {
			t.Errorf("the bank rejected %s: %s", one.ID, one.Reason)
		}
		paid[one.ID] = one.Amount
		paidSum += one.Amount
		if confirmed[one.ID] != one.Amount {
			t.Errorf("the bank paid %d for %s, the book confirms %d", one.Amount, one.ID, confirmed[one.ID])
		}
	}
	for _, amount := range confirmed {
		confirmedSum += amount
	}
	if len(paid) != len(confirmed) || paidSum != confirmedSum {
		t.Errorf("the bank paid %d times %d in all, the books confirm %d and %d", len(paid), paidSum, len(confirmed), confirmedSum)
	}
	granted := map[ledger.EndToEndID]bool{}
	for _, s := range l.stories {
		if s.order != "" {
			granted[ledger.Order{ID: ident.Order(s.order)}.EndToEndID()] = true
		}
	}
	for id := range granted {
		if _, ok := paid[id]; !ok {
			t.Errorf("the payment %s was acknowledged as released, and the bank never got it", id)
		}
	}
	l.checkNothingElse(t)
}

type order struct {
	ID     ident.Order
	Amount int64
}

func (l *load) orders(t *testing.T, state string) (all []order) {
	t.Helper()
	token, err := l.treasurer(t.Context(), l.stories[0])
	if err != nil {
		t.Fatal(err)
	}
	for after := ""; ; {
		var page struct {
			Items []order
			Next  string
		}
		if err := l.get(t.Context(), token, "/api/v1/orders?limit=100&state="+state+"&after="+after, &page); err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Items...)
		if after = page.Next; after == "" {
			return all
		}
	}
}

// checkNothingElse looks for applications that nobody made: a request that was repeated must not have made another.
func (l *load) checkNothingElse(t *testing.T) {
	t.Helper()
	known, looked := map[string]bool{}, map[string]bool{}
	for _, s := range l.stories {
		known[string(s.id)] = true
	}
	for _, s := range l.stories {
		if looked[s.resident.Number] {
			continue
		}
		looked[s.resident.Number] = true
		token, err := l.as(t.Context(), s.resident)
		if err != nil {
			t.Fatal(err)
		}
		for after := ""; ; {
			var page struct {
				Items []application
				Next  string
			}
			if err := l.get(t.Context(), token, "/api/v1/applications?limit=90&after="+after, &page); err != nil {
				t.Fatal(err)
			}
			for _, one := range page.Items {
				if !known[one.ID] {
					t.Errorf("there is an application %s that nobody made", one.ID)
				}
			}
			if after = page.Next; after == "" {
				break
			}
		}
	}
}

var (
	loggedEntries = regexp.MustCompile(`(?m)^log .*: (\d+) entries`)
	storedEvents  = regexp.MustCompile(`(?m)^events\s+(\d+), (\d+) of them not in the log yet`)
)

// checkAudit lets the auditor recompute everything, and waits until a checkpoint that all witnesses cosigned covers
// every event.
func (l *load) checkAudit(t *testing.T) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(500 * time.Millisecond) {
		said, err := l.audit()
		if err != nil {
			t.Errorf("the audit: %v\n%s", err, said)
			return
		}
		entries, events := loggedEntries.FindStringSubmatch(said), storedEvents.FindStringSubmatch(said)
		if entries == nil || events == nil || !strings.Contains(said, "VERIFIED") {
			t.Errorf("the audit says:\n%s", said)
			return
		}
		for n := range l.running.Witnesses {
			if name := fmt.Sprintf("witness-%d.example", n+1); !strings.Contains(said, name) {
				t.Errorf("%s has not cosigned:\n%s", name, said)
			}
		}
		if events[2] == "0" && entries[1] == events[1] {
			t.Logf("the audit says:\n%s", said)
			return
		}
		if time.Since(begun) > patience {
			t.Errorf("events are still not in the log:\n%s", said)
			return
		}
	}
}

// patience is how long is waited for what takes moments on a machine with nothing else to do.
const patience = 3 * time.Minute

// leastWork is how many changes are acknowledged before a kill. An application has four at most, and every third kill may
// come without work before it: so there are more applications than kills, however fast the machine is.
const leastWork = 8

// answered returns how many changes were acknowledged so far.
func (l *load) answered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledgements)
}

// await waits until so many changes were acknowledged in all.
func (l *load) await(t *testing.T, count int) {
	t.Helper()
	for begun := time.Now(); l.answered() < count; time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatalf("after %s %d of %d changes are acknowledged; problems %s; failures %q", patience, l.answered(), count, l.problemsSoFar(), l.failedSoFar())
		}
	}
}

// report says what was done, and fails if the load was too light to show anything.
func (l *load) report(t *testing.T, kills int) {
	t.Helper()
	var received, steps, released int
	for _, s := range l.stories {
		if s.sent {
			received++
		}
		steps += len(s.steps)
		if s.order != "" {
			released++
		}
	}
	t.Logf("%d kills; acknowledged: %d applications, %d decisions, %d releases; %d requests repeated with the same key; nothing lost",
		kills, received, steps, released, l.repeated)
	if received < kills || steps == 0 || released == 0 || l.repeated == 0 {
		t.Error("the load was too light to show anything")
	}
}

// TestAKilledFirstStartIsFinishedByTheNext kills the platform while it makes its people for the first time.
func TestAKilledFirstStartIsFinishedByTheNext(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills a process several times")
	}
	for _, after := range []time.Duration{100, 500, 1000} {
		t.Run(fmt.Sprint(after*time.Millisecond), func(t *testing.T) {
			i := install(t, t.TempDir(), 300)
			i.launch()
			select {
			case <-time.After(after * time.Millisecond):
			case <-i.output.ready:
			}
			i.kill()
			i.start()
			l := newLoad(i)
			s := l.take()
			if err := l.advance(t.Context(), s); err != nil || !s.sent {
				t.Fatalf("applying after the second start: %v", err)
			}
			if said, err := i.audit(); err != nil {
				t.Errorf("the audit: %v\n%s", err, said)
			}
		})
	}
}

// TestAskedToEndItFinishesWhatItBegan sends SIGTERM under load.
func TestAskedToEndItFinishesWhatItBegan(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process and puts it under load")
	}
	i := install(t, t.TempDir(), 300)
	i.start()
	l := newLoad(i)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	worked := make(chan struct{})
	go func() {
		l.run(ctx, 6)
		close(worked)
	}()
	l.await(t, 10)
	begun := time.Now()
	if err := i.terminate(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s to end", took)
	}
	<-worked
	if _, err := os.Stat(filepath.Join(i.folder, "running.json")); err == nil {
		t.Error("it left word that it still runs")
	}
	if _, err := i.send(t.Context(), request{method: http.MethodGet, path: "/api/v1/services"}); err == nil {
		t.Error("somebody still answers at its address")
	}
	i.start()
	l.settle(t)
	l.check(t, true)
	l.checkMoney(t)
	l.checkAudit(t)
}
