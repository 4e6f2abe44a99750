package casework_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"yagona/kernel/casework"
	"yagona/kernel/exchange"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/kernel/wording"
	"yagona/store/query"
)

// married makes the subsidy depend on what the applicant's spouse earns: no more than the tools cost.
func married(t *testing.T) func(*service.Definition) {
	return func(def *service.Definition) {
		def.Evidence = append(def.Evidence, service.Evidence{
			Name: "partner", Of: service.Of{Relation: "spouse"}, From: "employment/work", None: service.NoneAttest,
			Type: rules.ObjectOf(rules.Field{Name: "wage", Type: rules.Money}),
		})
		environment, err := def.Environment()
		if err != nil {
			t.Fatal(err)
		}
		that, err := environment.Compile("partner.wage <= ask.price", rules.KindBool)
		if err != nil {
			t.Fatal(err)
		}
		def.Require = append(def.Require, service.Requirement{ID: "means", That: that, Private: true, Otherwise: wording.Text{"en": "You earn too much together."}})
	}
}

// wage is what the spouse earns: digits that stand nowhere else.
const wage = money.Amount(97_531_359)

// newMarried returns a world whose applicant has a spouse who earns the wage.
func newMarried(t *testing.T) (w *world, spouse ident.Subject) {
	w = newWorld(t, married(t))
	spouse = ident.Random[ident.Person]().Subject()
	w.registers.related["spouse"] = map[ident.Subject][]ident.Subject{w.applicant.Person.Subject(): {spouse}}
	w.registers.set("employment/work", spouse, map[string]any{"wage": wage})
	return w, spouse
}

// partner returns what a view shows of the spouse.
func partner(t *testing.T, view casework.View) casework.EvidenceView {
	t.Helper()
	i := slices.IndexFunc(view.Evidence, func(one casework.EvidenceView) bool { return one.Evidence.Name == "partner" })
	if i < 0 {
		t.Fatal("the view does not say that there is evidence about the spouse")
	}
	return view.Evidence[i]
}

// hidesTheSpouse says that a view of the applicant's tells the rule's result, and nowhere what the spouse earns.
func (w *world) hidesTheSpouse(view casework.View, outcome string) {
	w.Helper()
	if one := partner(w.T, view); !one.Hidden || one.Values != nil {
		w.Errorf("the applicant sees %+v of the spouse", one)
	}
	i := slices.IndexFunc(view.Content.Rules, func(found casework.RuleResult) bool { return found.ID == "means" })
	if i < 0 || view.Content.Rules[i].Outcome != outcome {
		w.Fatalf("the rules found %+v", view.Content.Rules)
	}
	if !slices.ContainsFunc(view.Content.Rules[i].Read, func(one casework.Reading) bool { return one.Path == "partner.wage" && one.Value == nil }) {
		w.Errorf("the rule says that it read %+v", view.Content.Rules[i].Read)
	}
	said, err := json.Marshal([]any{view.Content, view.Answers, view.Evidence, view.Tasks, view.People})
	if err != nil {
		w.Fatal(err)
	}
	if strings.Contains(string(said), fmt.Sprint(int64(wage))) {
		w.Errorf("what the spouse earns stands in %s", said)
	}
}

func TestWhatASpouseEarnsIsSeenByTheOfficialOnly(t *testing.T) {
	w, spouse := newMarried(t)
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	draft := w.must(w.Start(t.Context(), w.applicant, "", "youth/tools", "en"))
	draft, err := w.Save(t.Context(), w.applicant, draft.ID, draft.Revision, answers)
	if err != nil {
		t.Fatal(err)
	}
	preview, err := w.Preview(t.Context(), w.applicant, draft.ID)
	if err != nil {
		t.Fatal(err)
	}
	w.hidesTheSpouse(preview.View, casework.OutcomeMet)
	sent := w.must(w.Submit(t.Context(), w.applicant, draft.ID, draft.Revision))
	w.hidesTheSpouse(w.state(sent.ID), casework.OutcomeMet)

	seen, err := w.Read(t.Context(), leader, w.open(leader).ID)
	if err != nil {
		t.Fatal(err)
	}
	if one := partner(t, seen); one.Hidden || one.Values["wage"] != wage {
		t.Errorf("the official sees %+v of the spouse", one)
	}
	err = w.db.View(t.Context(), func(tx *query.Tx) error {
		told, err := tx.PartsOf(spouse, true, "", 10)
		if len(told) != 1 {
			t.Errorf("the spouse is told of %d readings", len(told))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	w.must(w.decide(chair, casework.Verdict{Action: service.Approve}))
	view := w.state(sent.ID)
	if view.Application.State != casework.Granted {
		t.Fatalf("the application is %s", view.Application.State)
	}
	w.hidesTheSpouse(view, casework.OutcomeMet)
}

func TestARefusalForWhatASpouseEarnsDoesNotSayWhatItIs(t *testing.T) {
	w, _ := newMarried(t)
	receipt, err := w.Apply(t.Context(), w.applicant, "", "youth/tools", "en", map[string]any{"price": money.Amount(1_000_000), "account": answers["account"]})
	if err != nil {
		t.Fatal(err)
	}
	view := w.state(receipt.Application.ID)
	if view.Application.State != casework.Refused || len(view.Content.Because) != 1 || view.Content.Because[0].Requirement != "means" {
		t.Fatalf("the application is %s because of %+v", view.Application.State, view.Content.Because)
	}
	w.hidesTheSpouse(view, casework.OutcomeNotMet)
}

// What an official attests of a spouse whom the register lacks is the spouse's as well.
func TestWhatIsAttestedOfASpouseIsHiddenToo(t *testing.T) {
	w, spouse := newMarried(t)
	delete(w.registers.values["employment/work"], spouse)
	leader := w.official("youth-leader", "X11")
	sent := w.apply().Application
	if one := partner(t, w.state(sent.ID)); one.Bound.Status != exchange.StatusNone {
		t.Fatalf("the register says of the spouse %+v", one.Bound)
	}
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend, Attest: map[string]map[string]any{"partner": {"wage": wage}}}))
	w.hidesTheSpouse(w.state(sent.ID), casework.OutcomeMet)
	chair := w.official("chair", "X11")
	seen, err := w.Read(t.Context(), chair, w.open(chair).ID)
	if err != nil {
		t.Fatal(err)
	}
	if one := partner(t, seen); !one.Attested || one.Values["wage"] != wage {
		t.Errorf("the next official sees %+v of the spouse", one)
	}
}
