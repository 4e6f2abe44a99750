package node_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/packs/demo"
)

// inSuspense returns what of the cadastre's fees stands in suspense, and what the fund holds beside what it held before.
func inSuspense(t *testing.T, s *site) (suspense, fund ledger.Balance) {
	t.Helper()
	err := s.node.Ledger.Store.View(t.Context(), func(tx ledger.Reader) error {
		held, err := tx.LedgerAccount("fund:cadastre-fund")
		if err != nil {
			return err
		}
		fund = held.Balance
		waiting, err := tx.LedgerAccount(ledger.SuspenseOf("fund:cadastre-fund"))
		suspense = waiting.Balance
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return suspense, fund
}

// tell lets the payment system, or anybody, tell that something about the fee has changed.
func tell(t *testing.T, s *site, application string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v1/fees/"+application, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Errorf("telling of the fee is answered with %s", answer.Status)
	}
}

// toBePaid sends an application for boundaries, and opens the page on which its fee is paid.
func toBePaid(t *testing.T, s *site, who demo.Person) (b *browser, application string) {
	t.Helper()
	b = s.signedIn(t, "en", who)
	b.get("/services/land/boundary-marking")
	b.says(b.say("portal.fee-by-answers"))
	b.says(b.say("portal.fee-back-late"))
	b.press("/apply")
	b.fill(map[string]string{"points": "4"}, "")
	b.says("82,400")
	b.press("/submit")
	application = strings.TrimSuffix(b.at.Path, "/receipt")
	b.get(application)
	b.says(b.say("portal.state-unpaid"))
	b.follow(application + "/pay")
	b.says("82,400")
	return b, application
}

func TestAFeeIsPaidOnceAndGivenBackWhenWithdrawnBeforeAnybodyBegan(t *testing.T) {
	s := open(t)
	_, before := inSuspense(t, s)
	b, application := toBePaid(t, s, s.people.Persona(demo.Pensioner))
	id := application[strings.LastIndexByte(application, '/')+1:]
	tell(t, s, id)
	if suspense, _ := inSuspense(t, s); suspense != (ledger.Balance{}) {
		t.Fatalf("before it is paid, in suspense stands %+v", suspense)
	}
	b.press("/demo-payment/" + id)
	if b.at.Path != application {
		t.Fatalf("paying leads to %s: %s", b.at, b.text(b.page))
	}
	b.says(b.say("portal.fee-paid"))
	b.says(b.say("application.state.in-progress"))
	for range 3 {
		tell(t, s, id)
	}
	tell(t, s, string(ident.Random[ident.Application]()))
	if suspense, fund := inSuspense(t, s); suspense.Posted != 8_240_000 || fund != before {
		t.Errorf("paid, in suspense stands %+v, and the fund has %+v", suspense, fund)
	}
	b.get(application + "/pay")
	b.want(http.StatusConflict)
	b.get(application + "/withdraw")
	b.press("/withdraw")
	eventually(t, "the fee is given back", func() bool {
		b.get(application)
		return contains(b, b.say("event.fee.returned"))
	})
	if suspense, fund := inSuspense(t, s); suspense != (ledger.Balance{}) || fund != before {
		t.Errorf("given back, in suspense stands %+v, and the fund has %+v", suspense, fund)
	}
	if err := s.node.Close(); err != nil {
		t.Fatal(err)
	}
	if report := verify(t, s.folder); report.Found > 0 || report.Funds == 0 {
		t.Errorf("the audit finds %v in %d books", report.Findings, report.Funds)
	}
}

func TestWhatCannotBeDoneIsRefusedWithoutFindingsAndTheFeeComesBack(t *testing.T) {
	s := open(t)
	resident := s.people.Persona(demo.Pensioner)
	_, before := inSuspense(t, s)
	b, application := toBePaid(t, s, resident)
	b.press("/demo-payment/" + application[strings.LastIndexByte(application, '/')+1:])
	decides(t, s, "en", officialFor(t, s, "cadastre-agency", "surveyor", resident.Residence), map[string]string{
		"action": "refuse", "reason": "The neighbours dispute the line.",
	})
	eventually(t, "the fee is given back", func() bool {
		b.get(application)
		return contains(b, b.say("event.fee.returned"))
	})
	b.says(b.say("portal.fee-back-refused"))
	if suspense, fund := inSuspense(t, s); suspense != (ledger.Balance{}) || fund != before {
		t.Errorf("given back, in suspense stands %+v, and the fund has %+v", suspense, fund)
	}
}

// pressPay pays on the payment system's page, in a tab of its own, whatever that answers.
func pressPay(t *testing.T, s *site, id string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/demo-payment/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
}

// TestAFeeOfAClosedApplicationIsNotPaidAnyMore withdraws an application before its fee is paid: the page takes nothing more.
func TestAFeeOfAClosedApplicationIsNotPaidAnyMore(t *testing.T) {
	s := open(t)
	b, application := toBePaid(t, s, s.people.Persona(demo.Pensioner))
	id := application[strings.LastIndexByte(application, '/')+1:]
	b.get(application + "/withdraw")
	b.press("/withdraw")
	eventually(t, "the payment system knows that it is closed", func() bool {
		b.get("/demo-payment/" + id)
		return contains(b, b.say("demonstration.pay-cancelled"))
	})
	pressPay(t, s, id) // from a page that was open
	if collected, err := s.node.SimulatedTill().Collected(t.Context(), time.Time{}); err != nil || len(collected) != 0 {
		t.Errorf("the payment system still takes it: %v, %v", collected, err)
	}
	if suspense, _ := inSuspense(t, s); suspense != (ledger.Balance{}) {
		t.Errorf("in suspense stands %+v", suspense)
	}
}

// TestAFeeWhosePaymentNobodyToldOfIsGivenBackOnceItsApplicationIsClosed loses the payment system's word of a payment.
func TestAFeeWhosePaymentNobodyToldOfIsGivenBackOnceItsApplicationIsClosed(t *testing.T) {
	s := open(t)
	b, application := toBePaid(t, s, s.people.Persona(demo.Pensioner))
	id := application[strings.LastIndexByte(application, '/')+1:]
	failing := atomic.Bool{}
	s.node.SimulatedTill().Fault = func(context.Context) error {
		if failing.Load() {
			return errors.New("closed on Sundays")
		}
		return nil
	}
	failing.Store(true)
	tell(t, s, id) // whoever tells hears the same, whatever fails and whatever there is
	tell(t, s, string(ident.Random[ident.Application]()))
	pressPay(t, s, id)
	failing.Store(false)
	if suspense, _ := inSuspense(t, s); suspense != (ledger.Balance{}) {
		t.Fatalf("nobody heard of it, and in suspense stands %+v", suspense)
	}
	b.get(application + "/withdraw")
	b.press("/withdraw")
	eventually(t, "the fee is given back", func() bool {
		b.get(application)
		return contains(b, b.say("event.fee.returned"))
	})
	if suspense, _ := inSuspense(t, s); suspense != (ledger.Balance{}) {
		t.Errorf("given back, in suspense stands %+v", suspense)
	}
}
