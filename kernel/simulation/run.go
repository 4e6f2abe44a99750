package simulation

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/register"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// run is one simulation on its way.
type run struct {
	simulator     *Simulator
	territory     ident.Territory
	today         calendar.Date
	before, after *service.Definition
	assumed       [2]map[string]any // answers to the questions of each

	sources []source
	unread  []ident.Evidence // what cannot be read in bulk, and counts as not known
	where   reading          // which source tells where somebody lives,
	born    reading          // when they were born,
	sex     reading          // and their sex; source -1: none that the service reads
	places  map[ident.Territory]int
	sexes   map[string]int
	groups  [dimensions][]string // names of the groups of each dimension; the last is "" : it is not known
	delay   int                  // days: the longest for which a law keeps readings of these registers from people
}

// source is one evidence type about the residents themselves, that either definition reads.
type source struct {
	evidence ident.Evidence
	wanted   []string    // of its answers: those that rules read and those by which residents are grouped
	ruled    []string    // those that rules read
	names    [2][]string // under which names each definition reads it
}

// reading is one answer of one source.
type reading struct {
	source int
	answer string
}

// The information concepts (CCCEV) by which residents are grouped, if the service reads them.
const (
	termBirth = "person.birth.date"
	termSex   = "person.sex"
)

// The dimensions in which residents are grouped.
const (
	byTerritory = iota
	byAge
	bySex
	dimensions
)

// Ages are counted in decades; the last holds all who are older.
const (
	ageGroups = 9
	decade    = 10
)

// plan finds out what both definitions read, and that it is granted.
func (r *run) plan() error {
	r.where.source, r.born.source, r.sex.source = -1, -1, -1
	for side, definition := range []*service.Definition{r.before, r.after} {
		read := readBy(definition)
		for _, evidence := range definition.Evidence {
			if err := r.add(side, evidence, read); err != nil {
				return err
			}
		}
	}
	r.name()
	for _, source := range r.sources {
		slices.Sort(source.wanted)
	}
	return nil
}

// Questions returns the questions whose answers decide who is entitled, or to how much: those that a simulation has to
// assume.
func Questions(definition *service.Definition) (read []service.Question) {
	inputs := readBy(definition)
	for _, question := range definition.Ask {
		name := "ask." + question.Name
		if slices.ContainsFunc(inputs, func(input string) bool {
			return input == name || strings.HasPrefix(input, name+".") || strings.HasPrefix(input, name+"[")
		}) {
			read = append(read, question)
		}
	}
	return read
}

// Amounts returns the legal amounts, numbers and dates that decide who is entitled, or to how much.
func Amounts(definition *service.Definition) (read []service.Param) {
	inputs := readBy(definition)
	for _, param := range definition.Params {
		if slices.Contains(inputs, "param."+param.Name) {
			read = append(read, param)
		}
	}
	return read
}

// readBy returns the inputs of everything that a simulation evaluates of a definition.
func readBy(definition *service.Definition) (inputs []string) {
	for _, one := range definition.Require {
		inputs = append(inputs, one.That.Inputs()...)
	}
	if payment := definition.Output.Payment; payment != nil {
		inputs = append(inputs, payment.Amount.Inputs()...)
	}
	return inputs
}

// add plans the reading of one evidence of one of the definitions.
func (r *run) add(side int, evidence service.Evidence, inputs []string) error {
	registers := r.simulator.Registers.Definitions()
	found, definition, err := registers.Evidence(evidence.From)
	if err != nil {
		return err
	}
	if !found.Grants(r.before.Path, access.Simulate) {
		return fault.Newf(fault.Forbidden, "simulation.not-granted",
			"The service may not count people by the evidence %s. Ask %s to grant it for the purpose simulate.", evidence.From, found.Agency).
			With("evidence", string(evidence.From)).With("agency", string(found.Agency))
	}
	if _, err := r.simulator.Registers.Bulk(evidence.From, nil); evidence.Of != (service.Of{}) || fault.Code(err) == register.ErrNoBulk.Code {
		if !slices.Contains(r.unread, evidence.From) {
			r.unread = append(r.unread, evidence.From)
		}
		return nil
	} else if err != nil {
		return err
	}
	if definition.Delay != nil {
		r.delay = max(r.delay, definition.Delay.Days)
	}
	i := slices.IndexFunc(r.sources, func(s source) bool { return s.evidence == evidence.From })
	if i < 0 {
		i = len(r.sources)
		r.sources = append(r.sources, source{evidence: evidence.From})
	}
	s := &r.sources[i]
	s.names[side] = append(s.names[side], evidence.Name)
	want := func(answer string) {
		if !slices.Contains(s.wanted, answer) {
			s.wanted = append(s.wanted, answer)
		}
	}
	for _, input := range inputs {
		path := strings.Split(input, ".")
		if path[0] != evidence.Name || len(path) < 2 {
			continue
		}
		name, _, _ := strings.Cut(path[1], "[")
		want(name)
		if !slices.Contains(s.ruled, name) {
			s.ruled = append(s.ruled, name)
		}
	}
	for _, answer := range found.Answer {
		for _, one := range []struct {
			into *reading
			is   bool
		}{
			{&r.where, answer.Type.Kind == rules.KindTerritory},
			{&r.born, answer.Term == termBirth && answer.Type.Kind == rules.KindDate},
			{&r.sex, answer.Term == termSex && answer.Type.Kind == rules.KindChoice},
		} {
			if one.is && (one.into.source < 0 || *one.into == reading{i, answer.Name}) {
				*one.into = reading{i, answer.Name}
				want(answer.Name)
			}
		}
		if r.sex == (reading{i, answer.Name}) {
			r.groups[bySex] = slices.Clone(answer.Type.Options)
		}
	}
	return nil
}

// name names the groups of each dimension.
func (r *run) name() {
	r.places, r.sexes = map[ident.Territory]int{}, map[string]int{}
	if r.where.source >= 0 {
		children := r.simulator.Territories.Children(r.territory)
		if len(children) == 0 {
			children = []ident.Territory{r.territory}
		}
		for i, child := range children {
			r.groups[byTerritory] = append(r.groups[byTerritory], string(child))
			for place := range r.simulator.Territories.Within(child) {
				r.places[place] = i
			}
		}
		r.groups[byTerritory] = append(r.groups[byTerritory], "")
	}
	if r.born.source >= 0 {
		for i := range ageGroups {
			name := strconv.Itoa(i*decade) + "-" + strconv.Itoa(i*decade+decade-1)
			if i == ageGroups-1 {
				name = strconv.Itoa(i*decade) + "+"
			}
			r.groups[byAge] = append(r.groups[byAge], name)
		}
		r.groups[byAge] = append(r.groups[byAge], "")
	}
	if r.sex.source >= 0 {
		for i, name := range r.groups[bySex] {
			r.sexes[name] = i
		}
		r.groups[bySex] = append(r.groups[bySex], "")
	}
}

// place returns the group of what a register says in a dimension, the last for nil; false: the resident is of another
// territory.
func (r *run) place(dimension int, says any) (group int, counts bool) {
	unknown := len(r.groups[dimension]) - 1
	switch dimension {
	case byTerritory:
		place, ok := says.(ident.Territory)
		if group, ok := r.places[place]; ok {
			return group, true
		}
		// Who lives nowhere that is known is of the whole country.
		return unknown, r.territory == r.simulator.Territories.Root() || ok && place == r.territory
	case byAge:
		if birth, ok := says.(calendar.Date); ok && !birth.After(r.today) {
			return min(calendar.Age(birth, r.today)/decade, ageGroups-1), true
		}
	case bySex:
		if sex, ok := says.(string); ok {
			if group, ok := r.sexes[sex]; ok {
				return group, true
			}
		}
	}
	return unknown, true
}

// told returns which answer of which source tells the dimension; source -1: none.
func (r *run) told(dimension int) reading {
	return [dimensions]reading{r.where, r.born, r.sex}[dimension]
}

// shownFrom returns from when people are shown that they were counted: zero for at once.
func (r *run) shownFrom(now time.Time) time.Time {
	if r.delay == 0 {
		return time.Time{}
	}
	return now.AddDate(0, 0, r.delay)
}

// appendNumber adds a number to a key.
func appendNumber(key []byte, number uint32) []byte {
	return binary.LittleEndian.AppendUint32(key, number)
}
