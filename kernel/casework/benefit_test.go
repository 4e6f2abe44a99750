package casework_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/store/query"
)

// allowance makes the service of the world a benefit: each month a hundred for each child, as long as the family has few
// means, for three years from a day that the applicant knows.
func allowance(t *testing.T) func(*service.Definition) {
	return func(d *service.Definition) {
		d.Process = nil
		d.Evidence = []service.Evidence{
			{Name: "birth", From: "civil/birth", None: service.NoneRefuse, Type: rules.ObjectOf(rules.Field{Name: "date", Type: rules.Date})},
			{Name: "means", From: "tax/means", None: service.NoneRefuse, Type: rules.ObjectOf(rules.Field{Name: "few", Type: rules.Bool}, rules.Field{Name: "children", Type: rules.Money})},
		}
		d.Ask = []service.Question{{Definition: field.Definition{Name: "account", Kind: field.BankAccount}}}
		environment, err := d.Environment()
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
		d.Require = []service.Requirement{{ID: "poor", That: compile("means.few", rules.KindBool)}}
		d.Output.Payment = &service.Payment{Amount: compile("means.children", rules.KindMoney), To: "account", Fund: "fund"}
		d.Every = &service.Every{Months: 1, Until: compile("plusMonths(birth.date, 12)", rules.KindDate), Review: []string{"means"}}
	}
}

// newBenefit returns a world whose applicant gets the allowance: their birth is the first month's first day, so that a
// year later it ends.
func newBenefit(t *testing.T) (*world, *paid) {
	w := newWorld(t, allowance(t))
	w.registers.set("civil/birth", w.applicant.Person.Subject(), map[string]any{"date": calendar.Date{Year: 2026, Month: 3, Day: 10}})
	w.means(true, 100)
	p := &paid{orders: map[ident.Order]bool{}}
	w.jobs.Handlers[casework.JobPay] = func(ctx context.Context, queued job.Job) error {
		var payload casework.Job
		if err := json.Unmarshal(queued.Payload, &payload); err != nil {
			return err
		}
		wanted, err := w.Payment(ctx, payload.Application, payload.Order)
		if err == nil && !p.orders[wanted.Order] { // the ledger knows an order again by its id
			p.orders[wanted.Order] = true
			p.amounts = append(p.amounts, wanted.Amount)
		}
		return err
	}
	return w, p
}

// paid is what the ledger was asked to pay.
type paid struct {
	orders  map[ident.Order]bool
	amounts []int64
}

func (w *world) means(few bool, amount money.Amount) {
	w.registers.set("tax/means", w.applicant.Person.Subject(), map[string]any{"few": few, "children": amount})
}

func (w *world) benefit() casework.Application {
	w.Helper()
	return w.must(w.Apply(w.Context(), w.applicant, "", "youth/tools", "en", map[string]any{"account": "20208000900000000001"}))
}

// periods returns the months that were paid, and what.
func periods(view casework.View) string {
	var shown []string
	for _, one := range view.Content.Granted.Payments {
		shown = append(shown, fmt.Sprintf("%s:%d", one.Period.String()[:7], one.Amount))
	}
	return strings.Join(shown, " ")
}

const days = 24 * time.Hour

func TestABenefitIsPaidEachMonthUntilItsDay(t *testing.T) {
	w, p := newBenefit(t)
	granted := w.benefit()
	w.later(40 * days)
	if got, want := periods(w.state(granted.ID)), "2026-03:100 2026-04:100"; got != want {
		t.Fatalf("paid %s, want %s", got, want)
	}
	if last := w.registers.asked[len(w.registers.asked)-1]; last.Purpose != access.Review || last.Evidence != "tax/means" {
		t.Errorf("asked %+v", last)
	}
	w.later(400 * days)
	view := w.state(granted.ID)
	if n := len(view.Content.Granted.Payments); n != 13 || len(p.amounts) != 13 {
		t.Errorf("%d months are in the application, %d were paid: %s", n, len(p.amounts), periods(view))
	}
	if view.Application.State != casework.Ended || view.Content.Ended.Because[0].Requirement != service.Ended || view.AppealUntil.IsZero() {
		t.Errorf("then it is %s because of %+v", view.Application.State, view.Content.Ended)
	}
	if got := w.notices(); !strings.HasPrefix(got, "benefit.ended ") {
		t.Errorf("told %s", got)
	}
}

func TestABenefitFollowsTheRegister(t *testing.T) {
	w, p := newBenefit(t)
	granted := w.benefit()
	w.means(true, 250)
	w.later(40 * days)
	w.means(false, 250)
	w.later(40 * days)
	view := w.state(granted.ID)
	if got, want := periods(view), "2026-03:100 2026-04:250"; got != want || len(p.amounts) != 2 {
		t.Errorf("paid %s, want %s; the ledger %v", got, want, p.amounts)
	}
	if view.Application.State != casework.Ended || view.Content.Ended.Because[0].Requirement != "poor" || view.Content.Ended.Period.Month != time.May {
		t.Errorf("it is %s because of %+v", view.Application.State, view.Content.Ended)
	}
	if got, want := w.notices(), "benefit.ended benefit.changed application.granted"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	// Who was wronged by the register gets all that they missed once it is corrected and the appeal is granted.
	registrar := w.official(access.Registrar, "X")
	w.must(w.Contest(t.Context(), w.applicant, granted.ID, view.Application.Revision, "The register is wrong."))
	w.later(3 * days)
	w.means(true, 300)
	w.must(w.decide(registrar, casework.Verdict{Action: service.Approve}))
	w.later(days)
	view = w.state(granted.ID)
	if got, want := periods(view), "2026-03:100 2026-04:250 2026-05:300"; got != want || view.Application.State != casework.Granted {
		t.Errorf("after the appeal: %s, %s", view.Application.State, got)
	}
}

func TestASilentRegisterDelaysAPaymentAndEndsNothing(t *testing.T) {
	w, _ := newBenefit(t)
	granted := w.benefit()
	w.registers.silence("tax/means", true)
	w.later(45 * days)
	view := w.state(granted.ID)
	if got := periods(view); got != "2026-03:100" || view.Application.State != casework.Granted {
		t.Errorf("while the register is silent: %s, %s", view.Application.State, got)
	}
	w.registers.silence("tax/means", false)
	w.later(2 * time.Hour)
	if got := periods(w.state(granted.ID)); got != "2026-03:100 2026-04:100" {
		t.Errorf("after it answered: %s", got)
	}
}

func TestABenefitIsHeldOnceAndCanBeGivenUp(t *testing.T) {
	w, p := newBenefit(t)
	granted := w.benefit()
	_, err := w.Apply(t.Context(), w.applicant, "", "youth/tools", "en", map[string]any{"account": "20208000900000000001"})
	w.refused(err, "application.in-force")
	given := w.must(w.Withdraw(t.Context(), w.applicant, granted.ID, granted.Revision))
	if given.State != casework.Ended {
		t.Fatalf("it is %s", given.State)
	}
	again := w.benefit() // in the same month
	w.later(40 * days)
	if got, want := periods(w.state(again.ID)), "2026-04:100"; got != want || len(p.amounts) != 2 {
		t.Errorf("the second paid %s, want %s; the ledger %v", got, want, p.amounts)
	}
}

func TestAnAccountThatTheBankDidNotTakeIsPaidAnew(t *testing.T) {
	w, p := newBenefit(t)
	granted := w.benefit()
	w.later(40 * days)
	first := w.state(granted.ID).Content.Granted.Payments[0].Order
	if err := w.RejectPayment(t.Context(), granted.ID, first, "AC04"); err != nil {
		t.Fatal(err)
	}
	view := w.state(granted.ID)
	w.must(w.ChangeAccount(t.Context(), w.applicant, granted.ID, view.Application.Revision, "20208000900000000002"))
	w.later(time.Hour)
	view = w.state(granted.ID)
	if got := periods(view); got != "2026-03:100 2026-04:100" || len(p.amounts) != 3 || view.Content.Granted.Payments[0].Order == first {
		t.Errorf("paid %s; the ledger %v", got, p.amounts)
	}
}

// TestWhateverHappensAMonthIsPaidOnce lets time pass at random while the node is down or up, jobs are done twice, the
// register is silent or changes, and the benefit is given up and asked for anew. In the end each month was paid at most
// once to the person, and while a benefit was in force none was left out.
func TestWhateverHappensAMonthIsPaidOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w, p := newBenefit(t)
		defer w.close()
		all := []ident.Application{w.benefit().ID}
		var done []job.Job
		review := w.jobs.Handlers[casework.JobReview]
		w.jobs.Handlers[casework.JobReview] = func(ctx context.Context, queued job.Job) error {
			done = append(done, queued)
			return review(ctx, queued)
		}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			switch rapid.IntRange(0, 6).Draw(r, "step") {
			case 0: // down for weeks, then up
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 100).Draw(r, "days down")) * days)
				w.later(2 * time.Hour)
			case 1:
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 31).Draw(r, "days")) * days)
				w.later(2 * time.Hour)
			case 2:
				w.registers.silence("tax/means", rapid.Bool().Draw(r, "silent"))
			case 3:
				w.means(rapid.IntRange(0, 4).Draw(r, "poor") > 0, money.Amount(rapid.IntRange(0, 3).Draw(r, "amount")*100))
			case 4: // a process died after the act and before the job was gone
				for _, one := range done {
					_ = review(t.Context(), one)
				}
			case 5:
				view := w.state(all[len(all)-1])
				_, _ = w.Withdraw(t.Context(), w.applicant, view.Application.ID, view.Application.Revision)
			case 6:
				receipt, err := w.Apply(t.Context(), w.applicant, "", "youth/tools", "en", map[string]any{"account": "20208000900000000001"})
				if err == nil {
					all = append(all, receipt.Application.ID)
				}
			}
		}
		w.registers.silence("tax/means", false)
		w.later(2 * time.Hour)
		seen, orders := map[calendar.Date]bool{}, 0
		for _, id := range all {
			view := w.state(id)
			if view.Content.Granted == nil {
				continue
			}
			for _, one := range view.Content.Granted.Payments {
				if seen[one.Period] {
					r.Fatalf("%s was paid twice", one.Period)
				}
				if one.Period.Start(w.Calendar.Location()).After(one.At) {
					r.Fatalf("%s was paid before it began, %s", one.Period, one.At)
				}
				seen[one.Period], orders = true, orders+1
			}
			if view.Application.State != casework.Granted {
				continue
			}
			// What is in force has been decided on up to this month.
			err := w.db.View(t.Context(), func(tx *query.Tx) error {
				right, err := tx.Entitlement(w.applicant.Person.Subject(), id)
				if now := w.Calendar.Date(w.now); right.Paid != (calendar.Date{Year: now.Year, Month: now.Month, Day: 1}) {
					r.Errorf("in force, and decided on up to %s only on %s", right.Paid, now)
				}
				return err
			})
			if err != nil {
				r.Fatal(err)
			}
		}
		if len(p.amounts) != orders || slices.Contains(p.amounts, 0) {
			r.Errorf("%d months, the ledger paid %v", orders, p.amounts)
		}
	})
}
