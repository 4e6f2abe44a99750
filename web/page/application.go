package page

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/exchange"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/kernel/register"
	"yagona/kernel/service"
	"yagona/kernel/wording"
	"yagona/web/ui"
)

// State returns the word for an application's state, with its tone.
func (r Reader) State(state casework.State) ui.Tag {
	shown := map[casework.State]struct {
		key  string
		tone ui.Tone
	}{
		casework.Draft:        {"application.state.draft", ui.Plain},
		casework.Gathering:    {"application.state.waiting-for-evidence", ui.Wait},
		casework.Joining:      {"portal.state-joining", ui.Wait},
		casework.Unpaid:       {"portal.state-unpaid", ui.Wait},
		casework.Deciding:     {"application.state.in-progress", ui.Info},
		casework.Asked:        {"application.state.question-for-you", ui.Wait},
		casework.Received:     {"portal.state-received", ui.Good},
		casework.Granted:      {"application.state.granted", ui.Good},
		casework.Refused:      {"application.state.refused", ui.Bad},
		casework.Appealed:     {"portal.state-appealed", ui.Info},
		casework.Withdrawn:    {"application.state.withdrawn", ui.Plain},
		casework.Queued:       {"portal.state-queued", ui.Wait},
		casework.PlaceOffered: {"portal.state-offered", ui.Wait},
		casework.Ended:        {"portal.state-ended", ui.Plain},
		casework.Expired:      {"application.state.expired", ui.Plain},
	}[state]
	return ui.Tag{Text: r.Say(shown.key), Tone: shown.tone}
}

// Answers shows what was answered to the questions that were asked; change leads to a question, if it is not nil.
func (r Reader) Answers(view casework.View, asked map[string]bool, change func(name string) string) ui.SummaryList {
	list := ui.SummaryList{Title: r.Say("case.answers")}
	for _, question := range view.Definition.Ask {
		value, answered := view.Answers[question.Name]
		if asked != nil && !asked[question.Name] || asked == nil && !answered {
			continue
		}
		row := ui.SummaryRow{Term: r.In(question.Label), Values: r.values(question.Definition, value)}
		if !answered {
			row.Values = []string{r.Say("case.no-answer")}
		}
		if change != nil {
			row.Change = &ui.Link{Text: r.Say("actions.change"), Href: change(question.Name), About: row.Term}
		}
		list.Rows = append(list.Rows, row)
	}
	return list
}

// Fields shows what an official recorded in a step's form.
func (r Reader) Fields(title string, fields []field.Definition, values map[string]any) ui.SummaryList {
	list := ui.SummaryList{Title: title}
	for _, d := range fields {
		if value, ok := values[d.Name]; ok {
			list.Rows = append(list.Rows, ui.SummaryRow{Term: r.In(d.Label), Values: r.values(d, value)})
		}
	}
	return list
}

// values writes an answer: of a choice the words of the option, of a list a line for each group.
func (r Reader) values(d field.Definition, value any) []string {
	for _, option := range d.Options {
		if option.Value == value {
			return []string{r.In(option.Label)}
		}
	}
	groups, ok := value.([]any)
	if !ok || d.Kind != field.List {
		return []string{r.Words.Value(r.Language, value)}
	}
	lines := []string{}
	for _, one := range groups {
		group, _ := one.(map[string]any)
		var parts []string
		for _, inner := range d.Fields {
			if value, ok := group[inner.Name]; ok {
				parts = append(parts, r.In(inner.Label)+": "+strings.Join(r.values(inner, value), ", "))
			}
		}
		lines = append(lines, strings.Join(parts, "; "))
	}
	if len(lines) == 0 {
		return []string{r.Say("question.none-yet")}
	}
	return lines
}

// Evidence shows what the registers answered: each value, its source and time, or why there is none.
func (r Reader) Evidence(view casework.View) []ui.Component {
	var shown []ui.Component
	for _, one := range view.Evidence {
		shown = append(shown, r.evidence(one))
	}
	return shown
}

// OwnEvidence shows what the registers answered about the reader themself, who can say at each value that it is wrong.
func (r Reader) OwnEvidence(view casework.View) []ui.Component {
	var shown []ui.Component
	for _, one := range view.Evidence {
		list := r.evidence(one)
		if view.Acting == nil && one.Evidence.Of.Relation == "" && one.Known && !one.Hidden && !one.Attested {
			var names []string
			for _, value := range one.Evidence.Type.Fields {
				if _, ok := one.Values[value.Name]; ok {
					names = append(names, value.Name)
				}
			}
			if len(names) == 0 {
				names = []string{""} // there is no record: that can be wrong, too
			}
			for i := range list.Rows[:min(len(list.Rows), len(names))] {
				row := &list.Rows[i]
				row.Contest = &ui.Link{Text: r.Say("correction.wrong"), Href: ContestPath(one.Evidence.Register, names[i]), About: row.Term}
			}
		}
		shown = append(shown, list)
	}
	return shown
}

func (r Reader) evidence(one casework.EvidenceView) ui.SummaryList {
	list := ui.SummaryList{Title: r.In(one.Evidence.Title), Under: true}
	source := r.source(one)
	state := func(key string) {
		list.Rows = append(list.Rows, ui.SummaryRow{Term: r.Say("case.answer"), Values: []string{r.Say(key)}, Source: source})
	}
	switch {
	case !one.Known:
		source = r.Agency(one.Evidence.Agency)
		state("case.evidence-unknown")
	case one.Hidden:
		state("case.evidence-hidden")
	case one.Values == nil && one.Bound.Status == exchange.StatusNone:
		state("case.evidence-none")
	case one.Values == nil:
		state("case.evidence-nobody")
	}
	known, _ := r.Names().Register(one.Evidence.Register)
	for _, value := range one.Evidence.Type.Fields {
		if found, ok := one.Values[value.Name]; ok {
			list.Rows = append(list.Rows, ui.SummaryRow{
				Term: r.label(one.Evidence, value.Name), Values: []string{r.evidenceValue(known, value.Name, found)}, Source: source,
			})
			source = "" // said once
		}
	}
	return list
}

func (r Reader) label(evidence service.Evidence, name string) string {
	if label := r.In(evidence.Labels[name]); label != "" {
		return label
	}
	return name
}

// evidenceValue writes a value of a register; of a choice, in the register's words.
func (r Reader) evidenceValue(known *register.Definition, name string, value any) string {
	if text, ok := value.(string); ok {
		if label := r.In(optionLabel(known, name, text)); label != "" {
			return label
		}
	}
	return r.Words.Value(r.Language, value)
}

func optionLabel(known *register.Definition, name, value string) wording.Text {
	if known == nil {
		return nil
	}
	d, ok := field.Find(known.Fields, name)
	i := slices.IndexFunc(d.Options, func(o field.Option) bool { return o.Value == value })
	if !ok || i < 0 {
		return nil
	}
	return d.Options[i].Label
}

// source says who answered, who signed, and when. An answer whose signature does not verify is never shown.
func (r Reader) source(one casework.EvidenceView) string {
	at := r.Moment(one.Bound.At)
	switch {
	case one.Attested:
		return r.Say("case.source-attested", "time", at)
	case one.Bound.Answering == "":
		return ""
	case one.Values == nil:
		return r.Say("case.source", "agency", r.Agency(one.Bound.Answering), "time", at)
	case one.Bound.VouchedBy == exchange.VouchedByAdapter:
		return r.Say("case.source-adapter", "agency", r.Agency(one.Bound.Answering), "time", at)
	}
	return r.Say("case.source-signed", "agency", r.Agency(one.Bound.Answering), "time", at)
}

// Requirements shows each requirement with what the rules say, on what they stood, and the words for who is refused.
func (r Reader) Requirements(view casework.View) ui.TaskList {
	list := ui.TaskList{Found: true}
	for _, evidence := range view.Evidence {
		if evidence.Known && evidence.Values == nil && evidence.Bound.Status == exchange.StatusNone && evidence.Evidence.None != service.NoneAllow {
			item := ui.TaskItem{Title: r.In(evidence.Evidence.Title), Hint: r.Say("case.no-record", "title", r.In(evidence.Evidence.Title)), Status: r.Outcome(casework.OutcomeNotMet)}
			if evidence.Evidence.None == service.NoneAttest {
				item.Hint, item.Status = r.Say("case.to-attest"), r.Outcome(casework.OutcomeUnclear)
			}
			list.Items = append(list.Items, item)
		}
	}
	for _, requirement := range view.Definition.Require {
		i := slices.IndexFunc(view.Content.Rules, func(found casework.RuleResult) bool { return found.ID == requirement.ID })
		if i < 0 {
			continue
		}
		found := view.Content.Rules[i]
		item := ui.TaskItem{Title: r.subject(view.Definition, requirement), Status: r.Outcome(found.Outcome)}
		switch found.Outcome {
		case casework.OutcomeNotMet:
			item.Hint = r.In(requirement.Otherwise)
		case casework.OutcomeUnclear:
			item.Hint = r.Say("case.unclear")
		default:
			item.Hint = r.readings(view, found)
		}
		list.Items = append(list.Items, item)
	}
	return list
}

// Outcome returns the word for what a rule says.
func (r Reader) Outcome(outcome string) ui.Tag {
	switch outcome {
	case casework.OutcomeMet:
		return ui.Tag{Text: r.Say("case.met"), Tone: ui.Good}
	case casework.OutcomeNotMet:
		return ui.Tag{Text: r.Say("case.not-met"), Tone: ui.Bad}
	}
	return ui.Tag{Text: r.Say("case.unknown"), Tone: ui.Wait}
}

// subject says what a requirement looks at: the labels of its inputs.
func (r Reader) subject(definition *service.Definition, requirement service.Requirement) string {
	var labels []string
	for _, path := range requirement.That.Inputs() {
		if label := r.PathLabel(definition, path); label != "" && !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	if len(labels) == 0 {
		return r.In(requirement.Otherwise)
	}
	return strings.Join(labels, ", ")
}

// PathLabel returns what people call an input of a rule; empty for what needs no telling: a param, the day.
func (r Reader) PathLabel(definition *service.Definition, path string) string {
	root, rest, _ := strings.Cut(path, ".")
	root, _, _ = strings.Cut(root, "[")
	if root == "ask" {
		name, _, _ := strings.Cut(rest, ".")
		name, _, _ = strings.Cut(name, "[")
		if d, ok := field.Find(definition.Fields(), name); ok {
			return r.In(d.Label)
		}
		return ""
	}
	for _, evidence := range definition.Evidence {
		if evidence.Name == root {
			if label := r.In(evidence.Labels[rest]); label != "" {
				return label
			}
			return r.In(evidence.Title)
		}
	}
	return ""
}

// readings writes the values that a rule read, where they may be shown.
func (r Reader) readings(view casework.View, found casework.RuleResult) string {
	var texts []string
	for _, reading := range found.Read {
		label := r.PathLabel(view.Definition, reading.Path)
		value, ok := r.valueAt(view, reading.Path)
		if text := label + ": " + value; ok && label != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "; ")
}

// valueAt writes the value at a path of the answers or the evidence, and returns false where it is not to be shown.
func (r Reader) valueAt(view casework.View, path string) (string, bool) {
	root, rest, _ := strings.Cut(path, ".")
	if root == "ask" {
		d, ok := field.Find(view.Definition.Fields(), rest)
		value, answered := view.Answers[rest]
		if !ok || !answered {
			return "", false
		}
		return strings.Join(r.values(d, value), ", "), true
	}
	for _, one := range view.Evidence {
		if value, ok := one.Values[rest]; ok && one.Evidence.Name == root && !one.Hidden {
			known, _ := r.Names().Register(one.Evidence.Register)
			return r.evidenceValue(known, rest, value), true
		}
	}
	return "", false
}

// PaymentReason writes why a payment was turned down: a bank's code of ISO 20022, or a treasurer's reason.
func (r Reader) PaymentReason(reason string) string {
	switch reason {
	case ledger.IncorrectAccount, ledger.ClosedAccount, ledger.OtherHolder:
		return r.Say("payment-reason." + strings.ToLower(reason))
	}
	if ident.IsName(reason) {
		return r.Say("payment-reason." + reason)
	}
	return r.Say("payment-reason.other", "code", reason)
}

// Because writes the reasons of a refusal.
func (r Reader) Because(definition *service.Definition, reasons []casework.Reason) []string {
	var texts []string
	for _, reason := range reasons {
		isEvidence := slices.ContainsFunc(definition.Evidence, func(e service.Evidence) bool { return e.Name == reason.Requirement })
		switch text := casework.Because(definition, reason, r.Language, r.Words.Profile.Authoritative()); {
		case isEvidence:
			texts = append(texts, r.Say("case.no-record", "title", text))
		case text != "":
			texts = append(texts, text)
		default:
			texts = append(texts, r.Say("case.because-silence"))
		}
		if reason.Requirement != "" && reason.Text != "" {
			texts = append(texts, reason.Text)
		}
	}
	return texts
}

// Params shows the legal amounts and dates that were used, and since when they are in force.
func (r Reader) Params(used []casework.ParamUsed) []string {
	var texts []string
	for _, param := range used {
		texts = append(texts, r.Say("case.param", "value", r.Words.Value(r.Language, param.Value), "date", r.Date(param.From)))
	}
	return texts
}

// tones of what happened in an application.
var tones = map[string]ui.Tone{
	"application.granted": ui.Good, "application.refused": ui.Bad, "application.waiting": ui.Wait, "application.asked": ui.Wait,
	"place.offered": ui.Wait, "place.accepted": ui.Good, "place.lapsed": ui.Bad,
	"benefit.paid": ui.Good, "benefit.changed": ui.Wait, "benefit.ended": ui.Bad, "benefit.waiting": ui.Wait,
	"task.late": ui.Wait, "task.approve": ui.Good, "task.refuse": ui.Bad, "task.recommend": ui.Info, "evidence.changed": ui.Wait,
}

// Photos shows the photos that officials took: when, where, and the link to each.
func (r Reader) Photos(photos []casework.Photo, at string) []ui.Component {
	if len(photos) == 0 {
		return nil
	}
	list := ui.List{}
	for i, one := range photos {
		text := r.Say("photo.one", "number", i+1, "made", r.Moment(one.Made), "received", r.Moment(one.Received))
		if at := one.Position; at != nil {
			text += " " + r.Say("photo.at", "position", fmt.Sprintf("%.5f, %.5f", at.Latitude, at.Longitude), "metres", int(at.Accuracy))
		}
		list.Items = append(list.Items, ui.Link{Text: text, Href: at + "/photos/" + one.ID})
	}
	return []ui.Component{ui.Heading{Text: r.Say("photo.title")}, list}
}

// History shows what happened, the newest first.
func (r Reader) History(view casework.View) ui.Timeline {
	var timeline ui.Timeline
	for _, entry := range slices.Backward(view.Content.History) {
		event := ui.TimelineEvent{
			Title: r.Event(entry.What), When: r.Moment(entry.At), Time: entry.At.UTC().Format(time.RFC3339), By: r.ActedBy(view, entry.By, entry.For), Tone: tones[entry.What],
		}
		if event.Tone == "" {
			event.Tone = ui.Plain
		}
		if entry.Step != "" {
			event.Text = r.Step(view.Definition, entry.Step)
		}
		timeline.Events = append(timeline.Events, event)
	}
	return timeline
}

// Event says what happened.
func (r Reader) Event(what string) string { return r.SayIf("event."+what, what) }

// Step returns what a step is called.
func (r Reader) Step(definition *service.Definition, name string) string {
	if name == casework.StepAppeal {
		return r.Say("case.step-appeal")
	}
	if _, ok := definition.MeasureStep(name); ok {
		return r.Say("licence.step-" + name)
	}
	if _, step, ok := definition.Step(name); ok && len(step.Title) > 0 {
		return r.In(step.Title)
	}
	return name
}

// Purpose says what personal data was read for.
func (r Reader) Purpose(purpose string) string { return r.SayIf("purpose."+purpose, purpose) }

// Asked returns which questions an application asks, given its answers. An answer to a question that is not asked does
// not count: what only depends on it is not asked either.
func (s *Shared) Asked(ctx context.Context, view casework.View) (map[string]bool, error) {
	facts := s.facts(view)
	facts.Ask = maps.Clone(facts.Ask)
	for {
		asked, err := view.Definition.Asked(ctx, facts)
		if err != nil {
			return nil, err
		}
		before := len(facts.Ask)
		maps.DeleteFunc(facts.Ask, func(name string, _ any) bool { return !asked[name] })
		if len(facts.Ask) == before {
			return asked, nil
		}
	}
}

// Gives computes what the application gives if it is granted, from what its reader may see.
func (s *Shared) Gives(ctx context.Context, view casework.View) (service.Outcome, error) {
	return view.Definition.Grant(ctx, s.facts(view))
}

func (s *Shared) facts(view casework.View) service.Facts {
	facts := service.Facts{
		Applicant: view.Application.Applicant, Submitted: s.Today(), Decided: s.Today(), Ask: view.Answers, Evidence: map[string]any{},
	}
	for _, one := range view.Evidence {
		switch name := one.Evidence.Name; {
		case !one.Known || one.Hidden:
		case one.Evidence.Of.Each:
			list, _ := facts.Evidence[name].([]any)
			if one.Values != nil {
				list = append(list, one.Values)
			}
			facts.Evidence[name] = list
		case one.Values == nil:
			facts.Evidence[name] = nil
		default:
			facts.Evidence[name] = one.Values
		}
	}
	return facts
}
