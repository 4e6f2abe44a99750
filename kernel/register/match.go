package register

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/locale"
)

// A row of a notebook that gives no number names somebody in words: in Latin or Cyrillic letters, with or without the
// patronymic, with the spelling of whoever held the pen. The platform looks for everybody who may be meant and never takes
// one of them by itself, not even the only one: namesakes are many, and a record about the wrong person is worse than one
// that waits. Looking at everybody's name is an evaluation in bulk: one event, which everybody sees. Whoever settles a row
// is told of its candidates, each of whom sees that.

// Unsettled is a row of whom a person has to say who it is about.
type Unsettled struct {
	Line       int
	Name       string        // as the row writes it
	Birth      calendar.Date // zero: it says none
	Candidates []Candidate   // the likeliest first, at most mostCandidates
}

// Candidate is somebody whom a row may be about.
type Candidate struct {
	Person ident.Person
	Name   Likeness
	Birth  Likeness
}

// Likeness says how well what a row says fits what is known.
type Likeness string

// The likenesses.
const (
	Same      Likeness = "same"      // of a name: letter by letter, once it is written in Latin
	Alike     Likeness = "alike"     // of a name: it sounds the same, or parts of it are left out
	NotSaid   Likeness = "not-said"  // one of the two is not known
	Different Likeness = "different" // of a row that has the number of somebody else's name or birth
)

// mostCandidates is how many candidates a row has: more are no help.
const mostCandidates = 10

var (
	errNobodyAlike = fault.New(fault.NotFound, "import.nobody-alike", "Nobody known here has a name like this. Check the spelling, or write the national number.")
	errSettledNone = fault.New(fault.NotFound, "import.settled-none", "Whoever settled this row says that it is about nobody known here. Take the person up, or write the national number.")
	errManyNames   = fault.New(fault.TooLarge, "import.many-names", "More than 20,000 rows give no number. Import the notebook in parts.")
)

// mostNames is how many rows may name people in words: all of them are kept in memory while everybody is looked at.
const mostNames = 20_000

// written is a name as it is compared: keys of its parts, in any order.
type written struct {
	exact  []string // by sound and letter
	coarse []string // by sound alone
}

func nameOf(text string) (found written) {
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '.' || r == ',' }) {
		key := locale.Fold(part)
		if key == "" || slices.Contains(sonOrDaughter, key) {
			continue
		}
		for _, ending := range sonOf {
			if stem, ok := strings.CutSuffix(key, ending); ok && len(stem) >= 3 {
				key = stem
				break
			}
		}
		found.exact, found.coarse = append(found.exact, key), append(found.coarse, locale.FoldName(key))
	}
	return found
}

// sonOrDaughter are the words that follow a father's name, and sonOf the endings that it has in Russian. They are written
// as locale.Fold writes them, and tell nobody apart.
var (
	sonOrDaughter = []string{locale.Fold("oʻgʻli"), locale.Fold("qizi"), locale.Fold("ugli"), locale.Fold("uli")}
	sonOf         = []string{"ovich", "evich", "ovna", "evna"}
)

// like says how a name that was written fits a name that is known: each part of the shorter one must be a part of the
// other, an initial its beginning, and at least two parts must be more than initials.
func (w written) like(known written) (Likeness, bool) {
	if fits(w.exact, known.exact) {
		if len(w.exact) == len(known.exact) && !slices.ContainsFunc(w.exact, initial) {
			return Same, true
		}
		return Alike, true
	}
	return Alike, fits(w.coarse, known.coarse)
}

func initial(part string) bool { return len([]rune(part)) == 1 }

func fits(parts, known []string) bool {
	whole, used := 0, make([]bool, len(known))
	for _, part := range parts {
		found := -1
		for i, one := range known {
			if !used[i] && (one == part || initial(part) && strings.HasPrefix(one, part)) {
				found = i
				break
			}
		}
		switch {
		case found < 0:
			return false
		case !initial(part):
			whole++
		}
		used[found] = true
	}
	return whole >= 2 || whole == 1 && len(parts) >= 2
}

func birthLike(said, known calendar.Date) Likeness {
	switch {
	case said.IsZero() || known.IsZero():
		return NotSaid
	case said == known:
		return Same
	}
	return Different
}

// alike looks for the candidates of all rows that give a name and no number. Reading everybody's name is journaled before.
func (k *Keeper) alike(ctx context.Context, by journal.Actor, wanted Import, open func() (RowReader, error)) (map[int][]Candidate, error) {
	if wanted.ID == "" || wanted.Known != nil {
		return wanted.Known, nil
	}
	looked, err := namesOf(wanted, open)
	if err != nil || len(looked) == 0 {
		return nil, err
	}
	if k.People == nil {
		return nil, errImportPeople
	}
	err = k.Store.Update(ctx, act.OfRegister(wanted.Register), func(tx Tx) error {
		_, err := journal.Append(tx, nil, journal.Event{
			Type: "register.matched", Actor: by, Object: "import:" + string(wanted.ID), Purpose: string(access.Keep),
			Facts:      map[string]string{"register": string(wanted.Register), "rows": strconv.Itoa(len(looked))},
			Population: &journal.Population{Of: k.Country, From: tx.Now()},
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	// A row is looked at again only for those who share a part of its name.
	byPart := map[string][]int{}
	for line, one := range looked {
		for _, part := range one.name.coarse {
			byPart[part] = append(byPart[part], line)
		}
	}
	found := map[int][]Candidate{}
	err = k.People.Each(ctx, func(who ident.Person, known person.Attributes) error {
		theirs := nameOf(known.Name)
		tried := map[int]bool{}
		for _, part := range theirs.coarse {
			for _, line := range byPart[part] {
				if tried[line] {
					continue
				}
				tried[line] = true
				row := looked[line]
				name, ok := row.name.like(theirs)
				birth := birthLike(row.birth, known.Birth)
				if !ok || birth == Different {
					continue
				}
				found[line] = best(append(found[line], Candidate{who, name, birth}))
			}
		}
		return nil
	})
	return found, err
}

// best keeps the likeliest candidates.
func best(candidates []Candidate) []Candidate {
	slices.SortStableFunc(candidates, func(a, b Candidate) int {
		return cmp.Or(rank(a.Birth)-rank(b.Birth), rank(a.Name)-rank(b.Name), strings.Compare(string(a.Person), string(b.Person)))
	})
	return candidates[:min(len(candidates), mostCandidates)]
}

func rank(l Likeness) int { return slices.Index([]Likeness{Same, Alike, NotSaid, Different}, l) }

// sought is a name that is looked for.
type sought struct {
	name  written
	birth calendar.Date
}

// namesOf returns, by line, the names of the rows that say no number and that nobody has settled.
func namesOf(wanted Import, open func() (RowReader, error)) (map[int]sought, error) {
	rows, err := open()
	if err != nil {
		return nil, err
	}
	found := map[int]sought{}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if _, settled := wanted.Settled[row.Line]; settled || row.Err != nil || row.named == nil || row.named.number != "" {
			continue
		}
		if len(found) == mostNames {
			return nil, errManyNames
		}
		found[row.Line] = sought{nameOf(row.named.name), row.named.birth}
	}
}

// identify says whom a row of a notebook is about, or who that may be.
func (i *importing) identify(ctx context.Context, row Row) ([]Candidate, error) {
	number := row.named.number
	settled, isSettled := i.wanted.Settled[row.Line]
	switch {
	case isSettled && settled == "":
		return nil, errSettledNone
	case isSettled:
		number = settled
	case number == "" && len(i.alike[row.Line]) == 0:
		return nil, errNobodyAlike
	case number == "":
		return i.alike[row.Line], nil
	}
	row.Values[i.definition.Subject] = ident.Subject(number)
	if isSettled || row.named.name == "" && row.named.birth.IsZero() || i.k.People == nil {
		return nil, nil
	}
	who, err := i.k.People.ByNumber(ctx, number)
	if err != nil {
		return nil, nil //nolint:nilerr // resolving the number says what is wrong with it
	}
	known, err := i.k.People.Attributes(ctx, who)
	if err != nil {
		return nil, err
	}
	one := Candidate{Person: who, Name: NotSaid, Birth: birthLike(row.named.birth, known.Birth)}
	if row.named.name != "" {
		var ok bool
		if one.Name, ok = nameOf(row.named.name).like(nameOf(known.Name)); !ok {
			one.Name = Different
		}
	}
	if one.Name == Different || one.Birth == Different {
		return []Candidate{one}, nil // the number is somebody else's, or the name is
	}
	return nil, nil
}

// ShownCandidate is a candidate as whoever settles a row sees them.
type ShownCandidate struct {
	Candidate
	Known person.Attributes
}

// Candidates shows the candidates of rows to whoever settles them, by line. That each of them was shown is recorded before
// anything is returned.
func (k *Keeper) Candidates(ctx context.Context, by journal.Actor, register ident.Register, rows []Unsettled) (map[int][]ShownCandidate, error) {
	definition, err := k.Definitions().Register(register)
	if err != nil {
		return nil, err
	}
	found, told := map[int][]ShownCandidate{}, map[ident.Subject]any{}
	for _, row := range rows {
		for _, one := range row.Candidates {
			known, err := k.People.Attributes(ctx, one.Person)
			if err != nil {
				return nil, err
			}
			found[row.Line] = append(found[row.Line], ShownCandidate{one, known})
			told[one.Person.Subject()] = map[string]any{
				"register": definition.Path, "agency": definition.Agency, "purpose": access.Keep, "candidate": true,
			}
		}
	}
	if err := k.Disclose(ctx, by, access.Keep, definition, told); err != nil {
		return nil, err
	}
	return found, nil
}
