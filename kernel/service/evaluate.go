package service

import (
	"context"

	"yagona/kernel/calendar"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/rules"
)

// Facts are what the rules are evaluated over.
type Facts struct {
	Applicant ident.Subject
	Submitted calendar.Date
	Decided   calendar.Date  // the day for which params count; before the decision: today
	Ask       map[string]any // the answers
	// Evidence is by name: map[string]any, or []any of them for each of the related; nil: there is no record; a missing
	// name: not known yet.
	Evidence map[string]any
}

// Environment returns what the service's rules may name, and with what type: ask, every evidence, param, applicant,
// submitted, decided. A rule is compiled against it.
func (d *Definition) Environment() (*rules.Environment, error) {
	return rules.NewEnvironment(d.Variables()...)
}

// today is the type of the day on which something is done: so that a day a lifetime later is still a date.
var today = rules.Date.WithBounds(rules.DaysBetween(
	calendar.Date{Year: 2000, Month: 1, Day: 1}, calendar.Date{Year: 2899, Month: 12, Day: 31}))

// Variables returns the declarations of the environment.
func (d *Definition) Variables() []rules.Field {
	var params []rules.Field
	for _, param := range d.Params {
		params = append(params, rules.Field{Name: param.Name, Type: param.Type})
	}
	asked := field.TypeOf(d.Fields())
	for i, question := range d.Ask {
		asked.Fields[i].Optional = asked.Fields[i].Optional || question.When != nil
	}
	variables := []rules.Field{
		{Name: "ask", Type: asked},
		{Name: "param", Type: rules.ObjectOf(params...)},
		{Name: "applicant", Type: rules.Subject},
		{Name: "submitted", Type: today},
		{Name: "decided", Type: today},
	}
	for _, evidence := range d.Evidence {
		of := evidence.Type
		if evidence.Of.Each {
			of = rules.ListOf(of)
		}
		variables = append(variables, rules.Field{Name: evidence.Name, Type: of, Optional: evidence.None == NoneAllow})
	}
	return variables
}

// Values returns the facts as the rules read them: what is not known yet is rules.Unknown.
func (d *Definition) Values(facts Facts) map[string]any {
	params := make(map[string]any, len(d.Params))
	for _, param := range d.Params {
		if value, ok := param.On(facts.Decided); ok {
			params[param.Name] = value.Value
		}
	}
	asked := make(map[string]any, len(facts.Ask))
	for _, question := range d.Ask {
		value, ok := facts.Ask[question.Name]
		if !ok && !question.Optional && question.When == nil {
			value = rules.Unknown{}
		}
		if value != nil {
			asked[question.Name] = value
		}
	}
	values := map[string]any{
		"ask": asked, "param": params, "applicant": facts.Applicant, "submitted": facts.Submitted, "decided": facts.Decided,
	}
	for _, evidence := range d.Evidence {
		switch value, known := facts.Evidence[evidence.Name]; {
		case !known, value == nil && evidence.None != NoneAllow:
			values[evidence.Name] = rules.Unknown{}
		case value != nil:
			values[evidence.Name] = value
		}
	}
	return values
}

// Found is what an evaluation says of one requirement.
type Found struct {
	Requirement Requirement
	Outcome     rules.Outcome
	Read        []rules.Reading
	Unknown     []string
}

// Evaluation is what the rules say of an application.
type Evaluation struct {
	Found []Found
	// Missing are evidences whose register has no record where that means refusal.
	Missing []string
	// Attest are evidences that an official must attest.
	Attest []string
	// Params are the params that were read, with the values in force.
	Params map[string]ParamValue
}

// Outcome returns NotMet if a requirement is not met or a needed record is missing, Met if all are met, and Unclear
// otherwise.
func (e Evaluation) Outcome() rules.Outcome {
	outcome := rules.Met
	if len(e.Attest) > 0 {
		outcome = rules.Unclear
	}
	if len(e.Missing) > 0 {
		return rules.NotMet
	}
	for _, found := range e.Found {
		switch found.Outcome {
		case rules.NotMet:
			return rules.NotMet
		case rules.Unclear:
			outcome = rules.Unclear
		}
	}
	return outcome
}

// Because returns the ids of the requirements that are not met, in order, the missing evidences first.
func (e Evaluation) Because() []string {
	because := append([]string(nil), e.Missing...)
	for _, found := range e.Found {
		if found.Outcome == rules.NotMet {
			because = append(because, found.Requirement.ID)
		}
	}
	return because
}

// Evaluate evaluates all requirements over the facts.
func (d *Definition) Evaluate(ctx context.Context, facts Facts) (Evaluation, error) {
	evaluation := Evaluation{Params: map[string]ParamValue{}}
	for _, evidence := range d.Evidence {
		value, known := facts.Evidence[evidence.Name]
		if known && value == nil {
			switch evidence.None {
			case NoneRefuse:
				evaluation.Missing = append(evaluation.Missing, evidence.Name)
			case NoneAttest:
				evaluation.Attest = append(evaluation.Attest, evidence.Name)
			}
		}
	}
	values := d.Values(facts)
	for _, requirement := range d.Require {
		result, err := requirement.That.Evaluate(ctx, values)
		if err != nil {
			return Evaluation{}, err
		}
		evaluation.Found = append(evaluation.Found, Found{
			Requirement: requirement, Outcome: result.Outcome(), Read: result.Read, Unknown: result.Unknown,
		})
		d.used(evaluation.Params, result.Read, facts.Decided)
	}
	return evaluation, nil
}

// used adds the params that were read, with the values in force on the day.
func (d *Definition) used(params map[string]ParamValue, read []rules.Reading, day calendar.Date) {
	for _, reading := range read {
		for _, param := range d.Params {
			if reading.Path == "param."+param.Name {
				params[param.Name], _ = param.On(day)
			}
		}
	}
}

// Offers reports whether the platform may offer the service to whom the evidence is about: every register has answered,
// and no requirement fails, whatever their own answers will be.
func (d *Definition) Offers(ctx context.Context, facts Facts) (bool, error) {
	for _, evidence := range d.Evidence {
		if _, known := facts.Evidence[evidence.Name]; !known {
			return false, nil
		}
	}
	facts.Ask = nil
	evaluation, err := d.Evaluate(ctx, facts)
	return err == nil && evaluation.Outcome() != rules.NotMet, err
}

// Entitled returns the outcome that Evaluate would find of the evidence, for those who evaluate for very many people and tell
// none of them why: what refuses first ends it. If it is unclear, it returns the inputs that are not known. What evaluates a
// program over the facts may remember what it found for others.
func (d *Definition) Entitled(evidence map[string]any, evaluate func(*rules.Program) (rules.Result, error)) (outcome rules.Outcome, unknown []string, err error) {
	outcome = rules.Met
	for _, one := range d.Evidence {
		if value, known := evidence[one.Name]; known && value == nil {
			switch one.None {
			case NoneRefuse:
				return rules.NotMet, nil, nil
			case NoneAttest:
				outcome, unknown = rules.Unclear, append(unknown, one.Name)
			}
		}
	}
	for _, requirement := range d.Require {
		result, err := evaluate(requirement.That)
		if err != nil {
			return rules.Unclear, nil, err
		}
		switch result.Outcome() {
		case rules.NotMet:
			return rules.NotMet, nil, nil
		case rules.Unclear:
			outcome, unknown = rules.Unclear, append(unknown, result.Unknown...)
		}
	}
	return outcome, unknown, nil
}

// Asked returns which questions are asked, given the answers so far: those whose condition is true.
func (d *Definition) Asked(ctx context.Context, facts Facts) (map[string]bool, error) {
	asked := make(map[string]bool, len(d.Ask))
	values := d.Values(facts)
	for _, question := range d.Ask {
		if question.When == nil {
			asked[question.Name] = true
			continue
		}
		result, err := question.When.Evaluate(ctx, values)
		if err != nil {
			return nil, err
		}
		if asked[question.Name] = result.Value == true; !asked[question.Name] {
			// An answer to what is no longer asked does not make a later question asked.
			delete(values["ask"].(map[string]any), question.Name)
		}
	}
	return asked, nil
}

// Outcome is what a granted application gives, computed.
type Outcome struct {
	Payment money.Amount   // zero: nothing is paid
	Lines   map[string]any // of the document, by name
	Record  map[string]any // of the register, by field
	// Params are the params that the outputs were computed with, with the values in force.
	Params map[string]ParamValue
}

// Grant computes the outputs over the facts. A value that is not known is an error: nothing is granted on it.
func (d *Definition) Grant(ctx context.Context, facts Facts) (Outcome, error) {
	values := d.Values(facts)
	outcome := Outcome{Lines: map[string]any{}, Record: map[string]any{}, Params: map[string]ParamValue{}}
	compute := func(program *rules.Program) (any, error) {
		result, err := known(ctx, program, values)
		d.used(outcome.Params, result.Read, facts.Decided)
		return result.Value, err
	}
	if d.Output.Payment != nil {
		value, err := compute(d.Output.Payment.Amount)
		if err != nil {
			return Outcome{}, err
		}
		outcome.Payment = value.(money.Amount)
		if outcome.Payment < 0 {
			return Outcome{}, errAmount
		}
		over, err := d.over(ctx, facts)
		if err != nil {
			return Outcome{}, err
		}
		if over {
			outcome.Payment = 0
		}
	}
	if d.Output.Document != nil {
		for _, line := range d.Output.Document.Lines {
			value, err := compute(line.Is)
			if err != nil {
				return Outcome{}, err
			}
			outcome.Lines[line.Name] = value
		}
	}
	if d.Output.Record != nil {
		for _, set := range d.Output.Record.Set {
			value, err := compute(set.Is)
			if err != nil {
				return Outcome{}, err
			}
			outcome.Record[set.Field] = value
		}
	}
	return outcome, nil
}
