package pack

import (
	"slices"
	"strings"

	"yagona/kernel/ident"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/kernel/wording"
)

// process compiles the steps, and checks who may do what in them and where they lead.
func (sc *serviceCompiler) process() {
	seen := map[string]bool{}
	for i := range sc.doc.Process {
		one := &sc.doc.Process[i]
		var steps []*step
		switch {
		case len(one.Parallel) > 0 && len(one.node.pairs) > 1:
			sc.fail(one.place(), "put the keys of each step below parallel:", "parallel stands alone")
			continue
		case one.node != nil && one.node.find("parallel") != nil:
			for j := range one.Parallel {
				steps = append(steps, &one.Parallel[j])
			}
		default:
			steps = []*step{&one.step}
		}
		var stage service.Stage
		for _, s := range steps {
			if s.Step.text != "" && seen[s.Step.text] {
				sc.fail(s.Step.place(), "give each step a name of its own", "the step %s stands twice", s.Step.text)
			}
			seen[s.Step.text] = true
			stage.Steps = append(stage.Steps, sc.step(s))
		}
		if len(stage.Steps) == 0 {
			continue
		}
		sc.d.Process = append(sc.d.Process, stage)
	}
	sc.checkNoting()
	if sc.d.Notification {
		return
	}
	sc.checkEnds()
	sc.checkSeparation()
	sc.checkSilence()
	sc.checkAttested()
}

// checkAttested checks that somebody can attest what a register lacks, before it is needed.
func (sc *serviceCompiler) checkAttested() {
	for _, e := range sc.d.Evidence {
		if e.None != service.NoneAttest {
			continue
		}
		declared, _ := sc.doc.Evidence.get(e.Name)
		if len(sc.d.Process) == 0 {
			sc.fail(declared.None.place(), "add a step, or write none: refuse or none: allow",
				"nobody can attest %s: the service has no officials", e.Name)
			continue
		}
		for i, stage := range sc.d.Process {
			for _, s := range stage.Steps {
				if i == 0 && s.Territory != nil && reads(s.Territory, e.Name) {
					sc.fail(sc.stepPlace(s.Name), "take the territory from evidence that always has a record, or write country",
						"the territory of the first step is not known before somebody attests %s", e.Name)
				}
			}
		}
	}
}

// reads reports whether an expression reads the evidence.
func reads(p *rules.Program, evidence string) bool {
	return slices.ContainsFunc(p.Inputs(), func(input string) bool {
		return input == evidence || strings.HasPrefix(input, evidence+".") || strings.HasPrefix(input, evidence+"[")
	})
}

func (sc *serviceCompiler) step(s *step) service.Step {
	missing := func(given bool, what, hint wording.Phrase) {
		if !given && s.given() {
			sc.refuse(s.place(), hint, "the step %s has no %s", s.Step.text, what)
		}
	}
	missing(s.Step.given(), phrase("name"), phrase("add step: its name"))
	missing(s.Role.given(), phrase("role"), phrase("add role: who does it"))
	missing(s.Territory.given(), phrase("territory"), phrase("add territory: an expression such as residence.place, or country"))
	missing(s.Within.given(), phrase("deadline"), phrase("add within: 3 working days"))
	missing(s.Late.given(), phrase("meaning of silence"), phrase("add late: escalate, refuse or grant"))
	key := sc.key + ".process." + s.Step.text
	compiled := service.Step{
		Name: s.Step.text, Title: sc.s.texts.sayOr(key+".title", s.Title, s.Step.text), Agency: ident.Agency(s.Agency.text),
		Role: ident.Role(s.Role.text), Within: s.Within.days, Late: service.Late(s.Late.value),
		Silent: sc.says("application.silent-refusal"),
	}
	if compiled.Agency == "" {
		compiled.Agency = sc.d.Agency
	} else if sc.agencies[s.Agency.text] == nil {
		sc.refuse(s.Agency.place(), oneOf(s.Agency.text, sc.agencyNames()), "no pack speaks for %s", s.Agency.text)
	}
	if s.Role.text != "" {
		sc.checkRole(s.Role, string(compiled.Agency))
	}
	if s.Territory.text != "country" {
		compiled.Territory = sc.compile(sc.environment, s.Territory, rules.KindTerritory)
	}
	for _, a := range s.Actions {
		compiled.Actions = append(compiled.Actions, service.Action(a.value))
	}
	if s.node == nil || s.node.find("actions") == nil {
		compiled.Actions = []service.Action{service.Approve, service.Ask, service.Refuse}
		if sc.d.Notification {
			compiled.Actions = []service.Action{service.Note}
		}
	}
	for i := range s.Form.list {
		one := &s.Form.list[i]
		sc.ordered(&one.value.formField, compiled.Form)
		compiled.Form = append(compiled.Form, sc.defineField(sc.s, key+".form."+one.key, one.key, one.at,
			&one.value.formField, one.value.Optional.value))
	}
	compiled.Photos = sc.photos(&s.Photos)
	return compiled
}

// photos returns how many photos a step takes: none where it does not say.
func (sc *serviceCompiler) photos(p *photos) service.Photos {
	const usual, most = 5, 10
	if !p.given() {
		return service.Photos{}
	}
	wanted := service.Photos{Min: 1, Max: usual, Position: p.Position.value}
	if p.Min.given() {
		wanted.Min = int(min(p.Min.value, most+1))
		wanted.Max = max(wanted.Max, wanted.Min)
	}
	if p.Max.given() {
		wanted.Max = int(min(p.Max.value, most+1))
	}
	switch {
	case wanted.Min < 0 || wanted.Max < 1 || wanted.Max > most:
		sc.fail(p.place(), "write from 0 to 10, and at least 1 as max", "a step takes at most %d photos", most)
	case wanted.Min > wanted.Max:
		sc.fail(p.place(), "raise max or lower min", "at least %d photos are more than at most %d", wanted.Min, wanted.Max)
	}
	return wanted
}

func (c *compiler) agencyNames() []string {
	var names []string
	for name := range c.agencies {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// checkRole checks that the agency has officials of the role.
func (c *compiler) checkRole(role name, of string) {
	a := c.agencies[of]
	if a == nil || role.text == "" {
		return // reported
	}
	if _, ok := a.Roles.get(role.text); !ok {
		c.refuse(role.place(), phrase("%s (roles are declared with their agency in pack.yaml)", oneOf(role.text, a.Roles.keys())),
			"%s has no role %s", of, role.text)
	}
}

// forward reports whether a step can be passed.
func forward(s service.Step) bool {
	return s.Allows(service.Recommend) || s.Allows(service.Approve) || s.Late == service.LateGrant
}

// checkEnds follows the states of an application: from each an end must be reached, and granted from the first.
func (sc *serviceCompiler) checkEnds() {
	for i, stage := range sc.d.Process {
		last := i == len(sc.d.Process)-1
		for _, s := range stage.Steps {
			at := sc.stepPlace(s.Name)
			ends := forward(s) || s.Allows(service.Refuse) || s.Late == service.LateRefuse
			switch {
			case !ends:
				sc.fail(at, "add approve, recommend or refuse to actions", "from the step %s no end is reached", s.Name)
			case !forward(s):
				sc.fail(at, "add approve or recommend to actions", "the step %s can only refuse, so that nothing is ever granted",
					s.Name)
			case last && !s.Allows(service.Approve) && s.Late != service.LateGrant:
				sc.fail(at, "add approve to actions, or a step that approves after it",
					"after the step %s, the last one, nobody approves", s.Name)
			}
		}
	}
}

// checkSeparation keeps whoever prepares from approving.
func (sc *serviceCompiler) checkSeparation() {
	type official struct {
		agency ident.Agency
		role   ident.Role
	}
	prepared := map[official]string{}
	for _, stage := range sc.d.Process {
		for _, s := range stage.Steps {
			at := sc.stepPlace(s.Name)
			who := official{s.Agency, s.Role}
			if s.Allows(service.Recommend) && s.Allows(service.Approve) {
				sc.fail(at, "leave recommend to one step and approve to another, with another role",
					"in the step %s a preparer may also approve", s.Name)
			}
			if before, ok := prepared[who]; ok && s.Role != "" && s.Allows(service.Approve) {
				sc.fail(at, "give one of the steps to another role",
					"%s works on the step %s and may approve in the step %s: whoever prepares does not approve", s.Role, before, s.Name)
			}
			prepared[who] = s.Name
		}
	}
}

// checkSilence keeps silence from paying.
func (sc *serviceCompiler) checkSilence() {
	if !sc.doc.Output.Payment.given() {
		return
	}
	for _, stage := range sc.d.Process {
		for _, s := range stage.Steps {
			if s.Late == service.LateGrant {
				sc.fail(sc.stepPlace(s.Name), "write late: escalate or late: refuse", "silence in the step %s would pay", s.Name)
			}
		}
	}
}

// stepPlace returns where a step stands.
func (sc *serviceCompiler) stepPlace(name string) place {
	for i := range sc.doc.Process {
		one := &sc.doc.Process[i]
		if one.Step.text == name && one.Step.given() {
			return one.Step.place()
		}
		for j := range one.Parallel {
			if one.Parallel[j].Step.text == name && one.Parallel[j].Step.given() {
				return one.Parallel[j].Step.place()
			}
		}
	}
	return sc.doc.place()
}
