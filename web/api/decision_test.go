package api

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/kernel/wording"
)

// wage is what the resident's spouse earns: digits that stand nowhere else.
const wage = "97531359"

// changed puts the world's service anew into the catalogue, changed before its rules are compiled.
func (w *world) changed(change func(*service.Definition), compiled func(*service.Definition, *rules.Environment)) {
	w.Helper()
	definition := w.subsidy()
	change(definition)
	environment, err := definition.Environment()
	w.must(err)
	compiled(definition, environment)
	w.catalogue = service.NewCatalogue([]*service.Definition{definition}, nil)
	w.serve()
}

// married makes the service depend on what the resident's spouse earns.
func (w *world) married() {
	w.Helper()
	w.registers.spouse = map[ident.Subject][]ident.Subject{w.resident.Subject(): {ident.Random[ident.Person]().Subject()}}
	w.registers.values["employment/work"] = map[string]any{"wage": money.Amount(97531359)}
	w.changed(func(d *service.Definition) {
		d.Evidence = append(d.Evidence, service.Evidence{
			Name: "partner", Of: service.Of{Relation: "spouse"}, From: "employment/work", Agency: "employment-agency",
			Title: wording.Text{"en": "Your spouse's work"}, None: service.NoneRefuse, Type: rules.ObjectOf(rules.Field{Name: "wage", Type: rules.Money}),
		})
	}, func(d *service.Definition, environment *rules.Environment) {
		that, err := environment.Compile("partner.wage <= ask.price", rules.KindBool)
		w.must(err)
		d.Require = append(d.Require, service.Requirement{ID: "means", That: that, Private: true, Otherwise: wording.Text{"en": "You earn too much together."}})
	})
}

func TestOfASpouseTheApplicantIsShownTheRulesResultOnly(t *testing.T) {
	w := newWorld(t)
	w.married()
	leader, chair := w.official("youth-agency", "youth-leader"), w.official("youth-agency", "chair")
	hides := func(answer reply) {
		t.Helper()
		if bytes.Contains(answer.body, []byte(wage)) {
			t.Errorf("what the spouse earns stands in %s", answer.body)
		}
	}
	shows := func(evidence []EvidenceShown, found []RuleShown) {
		t.Helper()
		i := slices.IndexFunc(evidence, func(one EvidenceShown) bool { return one.Name == "partner" })
		if i < 0 || !evidence[i].Hidden || evidence[i].Status != "hidden" || evidence[i].Values != nil {
			t.Errorf("of the spouse is shown %+v", evidence)
		}
		if i := slices.IndexFunc(found, func(one RuleShown) bool { return one.ID == "means" }); i < 0 || found[i].Outcome != casework.OutcomeMet {
			t.Errorf("the rules found %+v", found)
		}
	}
	draft := w.ask("POST", "/applications", w.resident, map[string]any{"service": "youth/tools", "answers": w.answers()})
	started := into[Receipt](draft, http.StatusCreated).Application
	path := "/applications/" + string(started.ID)
	previewed := w.ask("POST", path+"/preview", w.resident, nil)
	hides(previewed)
	preview := into[Preview](previewed, http.StatusOK)
	shows(preview.Application.Evidence, preview.Application.Rules)

	w.must(w.jobs.Drain(t.Context()))
	into[Receipt](w.ask("POST", path+"/submit", w.resident, nil, "If-Match", draft.header.Get("ETag")), http.StatusOK)
	task, _ := w.taskOf(leader)
	i := slices.IndexFunc(task.Application.Evidence, func(one EvidenceShown) bool { return one.Name == "partner" })
	if i < 0 || task.Application.Evidence[i].Hidden || !bytes.Contains(task.Application.Evidence[i].Values, []byte(wage)) {
		t.Errorf("the official is shown %+v", task.Application.Evidence)
	}
	w.decide(leader, map[string]any{"action": "recommend"})
	if state := w.decide(chair, map[string]any{"action": "approve"}).State; state != casework.Granted {
		t.Fatalf("the application is %s", state)
	}
	decided := w.ask("GET", path, w.resident, nil)
	hides(decided)
	shown := into[Application](decided, http.StatusOK)
	shows(shown.Evidence, shown.Rules)
}

// A decision says which legal amount it was computed with, since when it is in force, and where it stands.
func TestADecisionSaysWhichLegalAmountHeld(t *testing.T) {
	w := newWorld(t)
	of := func(day int) calendar.Date { return calendar.Date{Year: 2026, Month: 3, Day: day} }
	w.changed(func(d *service.Definition) {
		d.Params = []service.Param{{Name: "most", Type: rules.Money, Values: []service.ParamValue{
			{From: of(1), Value: money.Amount(40_000_000), Source: "Order 1"}, {From: of(3), Value: money.Amount(50_000_000), Source: "Order 2"},
		}}}
	}, func(d *service.Definition, environment *rules.Environment) {
		amount, err := environment.Compile("least(ask.price, param.most)", rules.KindMoney)
		w.must(err)
		d.Output.Payment.Amount = amount
	})
	leader, chair := w.official("youth-agency", "youth-leader"), w.official("youth-agency", "chair")
	sent := w.apply()
	w.decide(leader, map[string]any{"action": "recommend"})
	w.now = w.now.AddDate(0, 0, 1)
	w.decide(chair, map[string]any{"action": "approve"})
	shown := into[Application](w.ask("GET", "/applications/"+string(sent.Application.ID), w.resident, nil), http.StatusOK)
	if shown.Granted == nil || shown.Granted.Payment != 50_000_000 {
		t.Fatalf("it gave %+v", shown.Granted)
	}
	want := []ParamShown{{Name: "most", From: of(3), Value: 50_000_000.0, Source: "Order 2"}}
	if !slices.Equal(shown.Params, want) {
		t.Errorf("the decision names %+v", shown.Params)
	}
}
