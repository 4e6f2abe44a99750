package simulation

import (
	"cmp"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/rules"
)

// The columns of a row of counts.
const (
	entitledBefore = iota
	entitledAfter
	newlyIn
	newlyOut
	notKnown // by the rules of either side
	columns
)

// exact is the exact count of one group.
type exact struct {
	people   [columns]int64
	cost     [2]wide     // of those who are entitled, before and after
	most     [2]greatest // of their amounts
	least    [2]greatest // of their amounts, each below zero: the smallest of them
	unpriced [2]int64    // entitled ones whose amount is not known: it counts as none
}

func (e *exact) add(o exact) {
	for side := range e.cost {
		e.cost[side] = e.cost[side].plus(o.cost[side])
		e.unpriced[side] += o.unpriced[side]
		for i := range min(o.people[side], int64(len(o.most[side]))) {
			e.most[side].keep(o.most[side][i], e.people[side]+i)
			e.least[side].keep(o.least[side][i], e.people[side]+i)
		}
	}
	for i := range e.people {
		e.people[i] += o.people[i]
	}
}

// greatest is the greatest of some amounts, in order: as many as are enough people.
type greatest [casework.SmallestCell]money.Amount

// keep takes an amount up, if it is one of the greatest. So many were taken up before.
func (g *greatest) keep(amount money.Amount, before int64) {
	at := min(before, int64(len(g)))
	for ; at > 0 && g[at-1] < amount; at-- {
		if at < int64(len(g)) {
			g[at] = g[at-1]
		}
	}
	if at < int64(len(g)) {
		g[at] = amount
	}
}

// wide is a sum of amounts that never overflows: else one vast amount would stand out of it.
type wide struct {
	high int64
	low  uint64
}

func wideOf(amount money.Amount) wide { return wide{int64(amount) >> 63, uint64(amount)} }

func (w wide) plus(o wide) wide {
	low, carry := bits.Add64(w.low, o.low, 0)
	return wide{w.high + o.high + int64(carry), low}
}

// times returns an amount so many times.
func times(amount money.Amount, count int64) wide {
	high, low := bits.Mul64(uint64(amount), uint64(count))
	if amount < 0 {
		high -= uint64(count)
	}
	return wide{int64(high), low}
}

func (w wide) float() float64 { return math.Ldexp(float64(w.high), 64) + float64(w.low) }

// exact returns the count of so many residents of whom both definitions say the same.
func (v verdict) exact(count int64) (e exact) {
	was, is := v.outcome[0], v.outcome[1]
	all := func(column int, counts bool) {
		if counts {
			e.people[column] = count
		}
	}
	all(entitledBefore, was == rules.Met)
	all(entitledAfter, is == rules.Met)
	all(newlyIn, was == rules.NotMet && is == rules.Met)
	all(newlyOut, was == rules.Met && is == rules.NotMet)
	all(notKnown, was == rules.Unclear || is == rules.Unclear)
	for side, outcome := range v.outcome {
		if outcome != rules.Met {
			continue
		}
		amount := v.amount[side]
		e.cost[side] = times(amount, count)
		for i := range min(count, int64(len(e.most[side]))) {
			e.most[side][i], e.least[side][i] = amount, -amount
		}
		if !v.priced[side] {
			e.unpriced[side] = count
		}
	}
	return e
}

// tally is what was counted, exactly.
type tally struct {
	people int64
	total  exact
	groups [dimensions][]exact
	lacked map[string]bool // inputs without which some were not known
}

func newTally(r *run) tally {
	t := tally{lacked: map[string]bool{}}
	for i, names := range r.groups {
		t.groups[i] = make([]exact, len(names))
	}
	return t
}

// pile is residents who were counted and not added up yet: how many there are of each verdict, in each group.
type pile struct {
	tally    tally // of those who were
	verdicts []verdict
	numbers  map[verdict]uint32
	people   []int64               // by verdict
	groups   [dimensions][][]int64 // by group and verdict
}

// mostPiled is how many different verdicts a pile holds.
const mostPiled = 1 << 10

func newPile(r *run) pile {
	p := pile{tally: newTally(r), numbers: map[verdict]uint32{}, people: make([]int64, mostPiled)}
	for i, names := range r.groups {
		p.groups[i] = make([][]int64, len(names))
		for j := range p.groups[i] {
			p.groups[i][j] = make([]int64, mostPiled)
		}
	}
	return p
}

// number returns the number of a verdict. Anew: the pile was full, and was added up; numbers from before no longer count.
func (p *pile) number(of verdict) (number uint32, anew bool) {
	if number, known := p.numbers[of]; known {
		return number, false
	}
	if anew = len(p.verdicts) == mostPiled; anew {
		p.addUp()
	}
	number = uint32(len(p.verdicts))
	p.verdicts, p.numbers[of] = append(p.verdicts, of), number
	return number, anew
}

// count takes up one resident.
func (p *pile) count(group [dimensions]int, verdict uint32) {
	p.people[verdict]++
	for dimension, groups := range p.groups {
		if len(groups) > 0 {
			groups[group[dimension]][verdict]++
		}
	}
}

func (p *pile) addUp() {
	for number, verdict := range p.verdicts {
		p.tally.people += p.people[number]
		p.tally.total.add(verdict.exact(p.people[number]))
		p.people[number] = 0
		for dimension, groups := range p.groups {
			for group, counts := range groups {
				if counts[number] > 0 {
					p.tally.groups[dimension][group].add(verdict.exact(counts[number]))
					counts[number] = 0
				}
			}
		}
	}
	p.verdicts = p.verdicts[:0]
	clear(p.numbers)
}

// onto adds everybody to a tally.
func (p *pile) onto(total *tally) {
	p.addUp()
	total.add(p.tally)
}

func (t *tally) add(o tally) {
	t.people += o.people
	t.total.add(o.total)
	for dimension := range t.groups {
		for i := range t.groups[dimension] {
			t.groups[dimension][i].add(o.groups[dimension][i])
		}
	}
}

// Number is a count as it may be published: rounded, or not shown, because it is of few, or because with it another could be
// told that is of few. Nobody looks like few: else one run with a draft that leaves out somebody's birth date would say
// whether they are entitled.
type Number struct {
	Count  int64 `json:"count"`
	Hidden bool  `json:"hidden,omitempty"`
}

// Row is what may be published of one group of residents.
type Row struct {
	Group    string       `json:"group,omitempty"` // a territory, an age in years, a sex; empty: of all, or it is not known
	Before   Number       `json:"before"`          // who is entitled by the rules in force
	After    Number       `json:"after"`           // who would be
	In       Number       `json:"in"`              // of these, who is not by the rules in force
	Out      Number       `json:"out"`             // who is by the rules in force, and would not be any more
	NotKnown Number       `json:"notKnown"`        // of whom the rules of one side or the other cannot say
	Cost     money.Amount `json:"cost"`            // if everybody who is entitled by the rules in force asks once; 0 where it is not told
	NewCost  money.Amount `json:"newCost"`         // if everybody does who would be
}

// Result is what may be published of a simulation.
type Result struct {
	Residents   int64            `json:"residents"` // who were counted, rounded
	Total       Row              `json:"total"`
	Territories []Row            `json:"territories,omitempty"`
	Ages        []Row            `json:"ages,omitempty"`
	Sexes       []Row            `json:"sexes,omitempty"`
	Pays        bool             `json:"pays"`              // an amount is paid, and known for everybody entitled but a few
	Read        []ident.Evidence `json:"read"`              // what registers were asked
	Unread      []ident.Evidence `json:"unread,omitempty"`  // what they could not be asked in bulk: it counts as not known
	Lacking     []string         `json:"lacking,omitempty"` // inputs for want of which somebody is not known, or an amount: ask.price
}

// published returns what may be published.
func (t tally) published(r *run) Result {
	result := Result{
		Residents: rounded(t.people), Unread: r.unread, Lacking: slices.Sorted(maps.Keys(t.lacked)),
		Pays: (r.before.Output.Payment != nil || r.after.Output.Payment != nil) && max(t.total.unpriced[0], t.total.unpriced[1]) < casework.SmallestCell,
	}
	for _, source := range r.sources {
		result.Read = append(result.Read, source.evidence)
	}
	total := shown(t.total)
	result.Total = t.total.row("", total, result.Pays)
	for dimension, into := range []*[]Row{byTerritory: &result.Territories, byAge: &result.Ages, bySex: &result.Sexes} {
		cells := protect(total, t.groups[dimension])
		for i, group := range t.groups[dimension] {
			if r.groups[dimension][i] == "" && group.people == [columns]int64{} {
				continue // everybody's is known
			}
			*into = append(*into, group.row(r.groups[dimension][i], cells[i], result.Pays))
		}
	}
	return result
}

// shown says which counts of a group may be shown: those of enough people, and of nobody at all.
func shown(e exact) (cells [columns]bool) {
	for column, count := range e.people {
		cells[column] = count == 0 || count >= casework.SmallestCell
	}
	return cells
}

// protect says which cells of the groups may be shown beside the total. A cell of few is not, and neither may it come out by
// taking the others from the total: what is not shown is at least two cells, with enough people in them together. The
// smallest of the others go first.
func protect(total [columns]bool, groups []exact) [][columns]bool {
	cells := make([][columns]bool, len(groups))
	for i, group := range groups {
		cells[i] = shown(group)
	}
	for column := range columns {
		var visible []int
		hidden, people := 0, int64(0)
		for i, group := range groups {
			switch {
			case group.people[column] == 0: // it hides nobody
			case cells[i][column]:
				visible = append(visible, i)
			default:
				hidden++
				people += group.people[column]
			}
		}
		slices.SortStableFunc(visible, func(a, b int) int { return cmp.Compare(groups[a].people[column], groups[b].people[column]) })
		for _, i := range visible {
			if total[column] && (hidden == 0 || hidden > 1 && people >= casework.SmallestCell) {
				break
			}
			cells[i][column] = false
			hidden++
			people += groups[i].people[column]
		}
	}
	return cells
}

// row returns what of a group is published.
func (e exact) row(name string, cells [columns]bool, pays bool) Row {
	number := func(column int) Number {
		if !cells[column] || e.people[column] < casework.SmallestCell {
			return Number{Hidden: true}
		}
		return Number{Count: rounded(e.people[column])}
	}
	row := Row{
		Group: name, Before: number(entitledBefore), After: number(entitledAfter), In: number(newlyIn), Out: number(newlyOut),
		NotKnown: number(notKnown),
	}
	// Where few change sides, the rounding of one side must not tell that anybody does.
	if e.people[newlyIn] < casework.SmallestCell && e.people[newlyOut] < casework.SmallestCell {
		if row.After.Hidden {
			row.Before = row.After
		}
		row.After = row.Before
	}
	if pays {
		row.Cost, row.NewCost = e.costs(0, row.Before), e.costs(1, row.After)
	}
	return row
}

// costs returns what a published number of people costs, at what the exact ones cost on average, to three digits: one
// person's amount is not told by the difference of two runs.
//
// Neither does an amount tell that stands out, because rules were written to give it to one person. A cell that a few
// people dominate is sensitive by the (n, k) rule (Hundepool and others, Statistical Disclosure Control, Wiley 2012,
// chapter 4). To leave such a cell out would say that the person is in it; so the amounts of the few who get the most, and
// of those who get the least, count as much as the next one's (top and bottom coding, chapter 3): what a few get changes
// nothing, whatever it is. A few are four, and less than half of the cell.
func (e exact) costs(side int, published Number) money.Amount {
	if published.Hidden || e.people[side] == 0 {
		return 0
	}
	few := min(casework.SmallestCell-1, (e.people[side]-1)/2)
	cost, most, least := e.cost[side], e.most[side], e.least[side]
	for i := range few {
		cost = cost.plus(wideOf(-most[i])).plus(wideOf(most[few]))
		cost = cost.plus(wideOf(least[i])).plus(wideOf(-least[few]))
	}
	exactly := cost.float() * float64(published.Count) / float64(e.people[side])
	if exactly < 1 {
		return 0
	}
	scale := math.Pow(10, math.Floor(math.Log10(exactly))-2)
	shown := math.Round(exactly/scale) * scale
	if shown >= math.MaxInt64 {
		return math.MaxInt64 // what no amount can hold stays at the most there is
	}
	return money.Amount(shown)
}

func rounded(count int64) int64 {
	return (count + casework.RoundedTo/2) / casework.RoundedTo * casework.RoundedTo
}

// Lacks returns which of the inputs that somebody lacked are questions, as Change.Assume names them.
func (r Result) Lacks() (questions []string) {
	for _, input := range r.Lacking {
		if name, ok := strings.CutPrefix(input, "ask."); ok {
			questions = append(questions, name)
		}
	}
	return questions
}
