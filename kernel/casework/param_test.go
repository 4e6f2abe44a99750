package casework_test

import (
	"slices"
	"testing"
	"time"

	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// limited makes the subsidy pay no more than a legal amount, which changes on Wednesday, for people of a legal age.
func limited(t *testing.T) func(*service.Definition) {
	return func(def *service.Definition) {
		march := func(day int) calendar.Date { return calendar.Date{Year: 2026, Month: 3, Day: day} }
		def.Params = []service.Param{
			{Name: "most", Type: rules.Money, Values: []service.ParamValue{
				{From: march(1), Value: money.Amount(40_000_000), Source: "Order 1"}, {From: march(4), Value: money.Amount(50_000_000), Source: "Order 2"},
			}},
			{Name: "oldest", Type: rules.Int, Values: []service.ParamValue{{From: march(1), Value: int64(30)}}},
			{Name: "unread", Type: rules.Int, Values: []service.ParamValue{{From: march(1), Value: int64(1)}}},
		}
		environment, err := def.Environment()
		if err != nil {
			t.Fatal(err)
		}
		if def.Require[0].That, err = environment.Compile("age(birth.date, submitted) <= param.oldest", rules.KindBool); err != nil {
			t.Fatal(err)
		}
		if def.Output.Payment.Amount, err = environment.Compile("least(ask.price, param.most)", rules.KindMoney); err != nil {
			t.Fatal(err)
		}
	}
}

// A decision uses the value in force on its day, and says so: of what a rule read, and of what the amount was computed with.
func TestADecisionSaysWhichLegalAmountsHeld(t *testing.T) {
	w := newWorld(t, limited(t))
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	used := func(params []casework.ParamUsed, name string) (found casework.ParamUsed) {
		t.Helper()
		i := slices.IndexFunc(params, func(one casework.ParamUsed) bool { return one.Name == name })
		if i < 0 {
			t.Fatalf("%s is not among %+v", name, params)
		}
		return params[i]
	}
	draft := w.must(w.Start(t.Context(), w.applicant, "", "youth/tools", "en"))
	draft, err := w.Save(t.Context(), w.applicant, draft.ID, draft.Revision, answers)
	if err != nil {
		t.Fatal(err)
	}
	preview, err := w.Preview(t.Context(), w.applicant, draft.ID)
	if err != nil {
		t.Fatal(err)
	}
	if most := used(preview.Content.Params, "most"); most.Value != money.Amount(40_000_000) || most.Source != "Order 1" {
		t.Errorf("on Monday the preview says %+v", most)
	}
	w.must(w.Submit(t.Context(), w.applicant, draft.ID, draft.Revision))
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	w.later(2 * 24 * time.Hour)
	granted := w.must(w.decide(chair, casework.Verdict{Action: service.Approve}))
	content := w.state(granted.ID).Content
	if content.Granted.Payment != 50_000_000 {
		t.Errorf("on Wednesday it gives %d", content.Granted.Payment)
	}
	most := used(content.Params, "most")
	if most.From != (calendar.Date{Year: 2026, Month: 3, Day: 4}) || most.Value != money.Amount(50_000_000) || most.Source != "Order 2" {
		t.Errorf("the decision says %+v", most)
	}
	if oldest := used(content.Params, "oldest"); oldest.From != (calendar.Date{Year: 2026, Month: 3, Day: 1}) {
		t.Errorf("the decision says %+v", oldest)
	}
	if len(content.Params) != 2 {
		t.Errorf("the decision names %d values, of which two were read", len(content.Params))
	}
}
