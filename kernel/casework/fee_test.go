package casework_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// charging lets the service of the world cost a hundredth of the price.
func charging(t *testing.T, amount string, late, refused bool) func(*service.Definition) {
	return func(d *service.Definition) {
		environment, err := d.Environment()
		if err != nil {
			t.Fatal(err)
		}
		program, err := environment.Compile(amount, rules.KindMoney)
		if err != nil {
			t.Fatal(err)
		}
		d.Fee = &service.Fee{Amount: program, Fund: "youth-fund", Within: 3, IfLate: late, IfRefused: refused}
	}
}

// paying is a world of a service with a fee.
func paying(t *testing.T, late, refused bool) *world {
	w := newWorld(t, charging(t, "percent(1, ask.price)", late, refused))
	w.jobs.Handlers[casework.JobFee] = w.note
	w.jobs.Handlers[casework.JobUnpaid] = func(ctx context.Context, queued job.Job) error {
		var payload casework.Job
		if err := json.Unmarshal(queued.Payload, &payload); err != nil {
			return err
		}
		return w.LapseFee(ctx, queued, payload)
	}
	return w
}

func (w *world) paid(id ident.Application) casework.View {
	w.Helper()
	if err := w.FeePaid(w.Context(), id); err != nil {
		w.Fatal(err)
	}
	return w.state(id)
}

func TestOfficialsBeginOnceTheFeeIsPaidAndItIsKept(t *testing.T) {
	w := paying(t, true, true)
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	sent := w.apply().Application
	view := w.state(sent.ID)
	if view.Application.State != casework.Unpaid || view.Content.Fee.Amount != 1_500_000 || view.Application.Submitted.IsZero() {
		t.Fatalf("sent, it is %s with the fee %+v", view.Application.State, view.Content.Fee)
	}
	w.empty(leader)
	due, err := w.FeeDue(t.Context(), w.applicant, sent.ID)
	if err != nil || money.Amount(due.Amount) != 1_500_000 || due.Fund != "youth-fund" {
		t.Fatalf("what is due is %+v, %v", due, err)
	}
	received := view.Application.Submitted
	w.later(2 * time.Hour)
	if view = w.paid(sent.ID); view.Application.State != casework.Deciding || !view.Application.Submitted.Equal(received) {
		t.Fatalf("paid, it is %s and was received at %s", view.Application.State, view.Application.Submitted)
	}
	again := w.paid(sent.ID) // the payment system says it twice
	if again.Application.Revision != view.Application.Revision {
		t.Error("that it is paid was recorded twice")
	}
	_, err = w.FeeDue(t.Context(), w.applicant, sent.ID)
	w.refused(err, "fee.not-due")
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	w.must(w.decide(chair, casework.Verdict{Action: service.Approve}))
	w.later(time.Hour)
	fee, err := w.Fee(t.Context(), sent.ID)
	if err != nil || fee.Settled.IsZero() || fee.Back != "" || fee.Transfer == "" {
		t.Errorf("granted, the fee is %+v, %v", fee, err)
	}
	if !slices.Equal(w.queued, []string{casework.JobFee, casework.JobPay}) && !slices.Equal(w.queued, []string{casework.JobPay, casework.JobFee}) {
		t.Errorf("what was asked for elsewhere is %v", w.queued)
	}
}

func TestAFeeIsGivenBackAsTheServiceSays(t *testing.T) {
	for name, test := range map[string]struct {
		late, refused bool
		do            func(w *world, id ident.Application)
		back          casework.Back
		kept          bool
	}{
		"withdrawn before an official began": {false, false, func(w *world, id ident.Application) {
			w.must(w.Withdraw(w.Context(), w.applicant, id, w.state(id).Application.Revision))
		}, casework.BackWithdrawn, false},
		"withdrawn after an official began": {true, true, func(w *world, id ident.Application) {
			w.must(w.decide(w.official("youth-leader", "X11"), casework.Verdict{Action: service.Recommend}))
			w.must(w.Withdraw(w.Context(), w.applicant, id, w.state(id).Application.Revision))
		}, "", true},
		"refused, and said to be given back": {false, true, refusing, casework.BackRefused, false},
		"refused, and not said":              {true, false, refusing, "", true},
		"late, and said to be given back": {true, false, func(w *world, _ ident.Application) {
			w.later(7 * 24 * time.Hour)
		}, casework.BackLate, false},
		"late, and not said": {false, true, func(w *world, _ ident.Application) { w.later(7 * 24 * time.Hour) }, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := paying(t, test.late, test.refused)
			id := w.apply().Application.ID
			w.paid(id)
			test.do(w, id)
			fee, err := w.Fee(t.Context(), id)
			if err != nil || fee.Back != test.back || !fee.Settled.IsZero() != (test.kept || test.back != "") {
				t.Fatalf("the fee is %+v, %v", fee, err)
			}
			if test.back == "" {
				return
			}
			for range 2 { // the payment system says it twice
				if err := w.FeeReturned(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
			returned := 0
			for _, one := range w.state(id).Content.History {
				if one.What == "fee.returned" && one.Note == string(test.back) {
					returned++
				}
			}
			if returned != 1 {
				t.Errorf("the history says %d times that it was given back", returned)
			}
		})
	}
}

func refusing(w *world, _ ident.Application) {
	w.must(w.decide(w.official("youth-leader", "X11"), casework.Verdict{
		Action: service.Refuse, Reasons: []casework.Reason{{Text: "The tools are not for work."}},
	}))
}

func TestAFeeThatIsNotPaidInTimeClosesTheApplicationAndIsGivenBackIfItComesLater(t *testing.T) {
	w := paying(t, false, false)
	id := w.apply().Application.ID
	w.later(2 * 24 * time.Hour)
	if state := w.state(id).Application.State; state != casework.Unpaid {
		t.Fatalf("after two days it is %s", state)
	}
	w.later(3 * 24 * time.Hour)
	if state := w.state(id).Application.State; state != casework.Withdrawn {
		t.Fatalf("after the term it is %s", state)
	}
	if view := w.paid(id); view.Application.State != casework.Withdrawn || view.Content.Fee.Back != casework.BackTooLate {
		t.Errorf("paid too late, it is %s with the fee %+v", view.Application.State, view.Content.Fee)
	}
	if told := w.notices(); told != "fee.paid fee.lapsed fee.due" {
		t.Errorf("the applicant was told of %q", told)
	}
}

func TestNobodyPaysForWhatARuleRefusesOrWhereTheFeeIsZero(t *testing.T) {
	w := paying(t, true, true)
	w.registers.set("employment/unemployment", w.applicant.Person.Subject(), map[string]any{"registered": false})
	refused := w.apply().Application
	_, err := w.Fee(t.Context(), refused.ID)
	if w.refused(err, "fee.not-due"); refused.State != casework.Refused {
		t.Errorf("refused by a rule, it is %s", refused.State)
	}
	w = newWorld(t, charging(t, "percent(0, ask.price)", true, true))
	if free := w.apply().Application; free.State != casework.Deciding {
		t.Errorf("where there is nothing to pay, it is %s", free.State)
	}
}

func TestAnApplicationThatIsClosedUnpaidIsLookedAtAtOnceAndADayAfterTheTerm(t *testing.T) {
	for name, test := range map[string]struct {
		close func(w *world, id ident.Application)
		after time.Duration // until the last look at the latest
	}{
		"withdrawn": {func(w *world, id ident.Application) {
			w.must(w.Withdraw(w.Context(), w.applicant, id, w.state(id).Application.Revision))
		}, 6 * 24 * time.Hour},
		"not paid in time": {func(w *world, id ident.Application) {
			for w.state(id).Application.State == casework.Unpaid {
				w.later(time.Hour)
			}
		}, 25 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := paying(t, false, false)
			w.jobs.Handlers[casework.JobFeeClosed] = w.note
			id := w.apply().Application.ID
			test.close(w, id)
			w.later(time.Minute)
			if !slices.Equal(w.queued, []string{casework.JobFeeClosed}) {
				t.Errorf("once it was closed, what was asked for elsewhere is %v", w.queued)
			}
			w.later(test.after)
			if !slices.Equal(w.queued, []string{casework.JobFeeClosed, casework.JobFeeClosed}) {
				t.Errorf("after the term, what was asked for elsewhere is %v", w.queued)
			}
		})
	}
}
