package node_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"

	"yagona/kernel/access"
	"yagona/kernel/ledger"
	"yagona/kernel/ledger/bank"
	"yagona/packs/demo"
)

// granted lets somebody apply for the subsidy with an account, and the officials of the story grant it.
func granted(t *testing.T, s *site, account string) (b *browser, application string) {
	t.Helper()
	b = s.signedIn(t, "en", s.people.Persona(demo.Jobless))
	application = apply(t, b, account)
	decides(t, s, "en", s.people.Persona(demo.YouthLeader), map[string]string{"action": "recommend"})
	decides(t, s, "en", s.people.Persona(demo.Chair), map[string]string{"action": "approve"})
	b.get(application)
	b.says(b.say("portal.what-you-got"))
	return b, application
}

// releases lets a treasurer release the one payment that waits, and waits until the bank has paid.
func releases(t *testing.T, s *site, b *browser, application string) {
	t.Helper()
	treasurer := s.signedIn(t, "en", official(t, s, "youth-agency", access.Treasurer))
	eventually(t, "the payment may be released", func() bool {
		treasurer.get("/desk/payments")
		return !contains(treasurer, treasurer.say("desk.no-payments"))
	})
	if contains(treasurer, treasurer.say("desk.turned-down")) {
		t.Error("what another order replaced is still listed as turned down")
	}
	treasurer.follow("/desk/payments/youth-fund/")
	treasurer.says(treasurer.say("payment.verified"))
	treasurer.press("/release")
	eventually(t, "the bank has paid", func() bool {
		b.get(application)
		return contains(b, b.say("payment.confirmed"))
	})
}

func TestAnAccountOfSomebodyElseIsNeverPaidAndTheApplicantNamesTheirOwn(t *testing.T) {
	s := open(t)
	jobless, worker := s.people.Persona(demo.Jobless), s.people.Persona(demo.Worker)
	b, application := granted(t, s, worker.Account)
	eventually(t, "the applicant is told", func() bool {
		b.get(application)
		return contains(b, b.say("portal.account-wanted"))
	})
	b.says(b.say("payment-reason.be01"))
	b.says(b.say("portal.what-you-got")) // what was granted stands
	treasurer := s.signedIn(t, "en", official(t, s, "youth-agency", access.Treasurer))
	treasurer.get("/desk/payments")
	treasurer.says(treasurer.say("desk.no-payments"))
	treasurer.says(treasurer.say("desk.turned-down"))
	treasurer.says(treasurer.say("desk.next-account"))
	treasurer.follow("/desk/payments/youth-fund/")
	treasurer.says(treasurer.say("payment-reason.be01"))
	treasurer.says(treasurer.say("desk.next-account"))
	b.get("/me")
	b.says(b.say("notice.payment.rejected"))

	b.get(application)
	b.follow(application + "/account")
	b.fill(map[string]string{"account": "12"}, "")
	b.want(http.StatusUnprocessableEntity)
	b.fill(map[string]string{"account": jobless.Account}, "")
	if b.at.Path != application {
		t.Fatalf("naming an account leads to %s: %s", b.at, b.text(b.page))
	}
	b.says(b.say("event.payment.account-changed"))
	releases(t, s, b, application)
	if paid := s.bank.Paid(); len(paid) != 1 {
		t.Errorf("the bank paid %v", paid)
	}
	b.get("/me/readings")
	b.says(b.say("event.order.verifying"))
}

func TestABankThatIsDownStopsNoApplication(t *testing.T) {
	s := open(t)
	var down atomic.Bool
	down.Store(true)
	s.bank.Fault = func(context.Context, bank.Moment, ledger.EndToEndID) error {
		if down.Load() {
			return errors.New("the bank is down")
		}
		return nil
	}
	b, application := granted(t, s, s.people.Persona(demo.Jobless).Account)
	treasurer := s.signedIn(t, "en", official(t, s, "youth-agency", access.Treasurer))
	eventually(t, "the payment waits for the bank", func() bool {
		treasurer.get("/desk/payments")
		return contains(treasurer, treasurer.say("desk.at-bank"))
	})
	treasurer.says(treasurer.say("desk.no-payments"))
	b.get(application)
	b.says(b.say("payment.prepared"))
	down.Store(false)
	releases(t, s, b, application)
}
