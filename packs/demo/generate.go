package demo

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"

	"github.com/google/uuid"

	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/money"
)

// The ages that the generator goes by. They are those of the demonstration, not of a law.
const (
	adult   = 18
	banking = 16 // has an account and a telephone
	leaving = 28 // the age at which grown children have moved out
	pension = 60
)

// Generate makes at least size people who live in the profile's territories of the lowest level on the given day. The
// personas are always among them, and officials are added where too few residents could hold a post.
func Generate(seed uint64, profile *country.Profile, today calendar.Date, size int) (*Population, error) {
	g, err := generate(seed, profile, today, size)
	if err != nil {
		return nil, err
	}
	return g.pop, nil
}

// GeneratePractice is Generate with the people whom officials practise with.
func GeneratePractice(seed uint64, profile *country.Profile, today calendar.Date, size int) (*Population, error) {
	g, err := generate(seed, profile, today, size)
	if err != nil {
		return nil, err
	}
	g.practice()
	if g.err != nil {
		return nil, g.err
	}
	return g.pop, nil
}

func generate(seed uint64, profile *country.Profile, today calendar.Date, size int) (*generator, error) {
	tree := profile.Territories
	levels := tree.Levels()
	lowest := levels[len(levels)-1]
	var leaves []ident.Territory
	for code := range tree.Within(tree.Root()) {
		if tree.Level(code) == lowest {
			leaves = append(leaves, code)
		}
	}
	if len(leaves) < 2 {
		return nil, fault.New(fault.Invalid, "demo.no-territory",
			"The demo needs two territories of the lowest level to live in. Add them to the profile.")
	}
	g := &generator{
		random:  rand.New(rand.NewPCG(seed, 0x79616e6f6761)), // any constant: a second stream is not needed
		profile: profile,
		leaves:  leaves,
		numbers: make(map[cohort]int),
		pop: &Population{
			Today: today, Home: leaves[0], Other: leaves[1],
			People:   make([]Person, 0, size+size/8),
			Personas: make(map[Persona]ident.Person),
			index:    make(map[ident.Person]int, size+size/8),
		},
	}
	for _, leaf := range leaves {
		if tree.Parent(leaf) != tree.Parent(g.pop.Home) {
			g.pop.Other = leaf
			break
		}
	}
	g.organisations()
	g.personas()
	for len(g.pop.People) < size && g.err == nil {
		g.household(leaves[g.random.IntN(len(leaves))])
	}
	g.officials()
	return g, g.err
}

// How many people each mahalla of a practice ground has to practise with.
const (
	neighbours = 20 // who ask for themselves
	directors  = 10 // who ask for their business
)

// practice adds whom officials practise with: women of 24, registered as unemployed, of families that the social register
// calls poor, so that nearly every service of a mahalla is for them; a sister or brother in each official's household; and
// the directors of businesses of the mahalla, who work there.
func (g *generator) practice() {
	g.pop.Neighbours, g.pop.Relatives = map[ident.Territory][]ident.Person{}, map[ident.Person]ident.Person{}
	g.pop.Businesses = map[ident.Person]ident.Organisation{}
	for _, leaf := range g.leaves {
		for range neighbours {
			who := g.person(g.move(leaf), country.Female, g.story(24), g.pick(familyNames), "", "")
			g.register(who, 90)
			g.benefit(who, "child-allowance", 32500000, g.pop.Today.AddMonths(-8))
			g.pop.People[who].Resident = g.pop.Today.AddMonths(-36)
			g.pop.Neighbours[leaf] = append(g.pop.Neighbours[leaf], g.pop.People[who].ID)
		}
	}
	homes := make(map[ident.Household]int, len(g.pop.Households))
	for i, one := range g.pop.Households {
		homes[one.ID] = i
	}
	for _, official := range g.pop.Officials {
		self, _ := g.pop.Person(official.Person)
		if self.Residence != official.Territory {
			continue
		}
		who := g.person(homes[self.Household], g.sex(), g.story(20), g.pick(familyNames), "", "")
		g.register(who, 45)
		g.pop.Relatives[official.Person] = g.pop.People[who].ID
	}
	for _, leaf := range g.leaves {
		for i := range directors {
			position := g.person(g.move(leaf), g.sex(), g.aged(g.between(30, 55)), g.pick(familyNames), "", "")
			who := &g.pop.People[position]
			business := g.organisation(organisationNames[i%len(organisationNames)], leaf)
			business.Director = who.ID
			who.Employment = Employment{Status: Employed, Employer: business.ID, Since: g.pop.Today.AddMonths(-founded)}
			g.pop.Neighbours[leaf] = append(g.pop.Neighbours[leaf], who.ID)
			g.pop.Businesses[who.ID] = business.ID
		}
	}
}

type generator struct {
	random  *rand.Rand
	profile *country.Profile
	leaves  []ident.Territory
	numbers map[cohort]int // last serial number given
	serial  int            // of accounts and telephones
	pop     *Population
	err     error // the first; what follows it does not count
}

// cohort is who would get the same national number but for the serial.
type cohort struct {
	birth calendar.Date
	sex   country.Sex
}

// id makes a UUID of version 4 from the seed (RFC 9562, 5.4).
func (g *generator) id() string {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], g.random.Uint64())
	binary.BigEndian.PutUint64(id[8:], g.random.Uint64())
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

func (g *generator) between(least, most int) int { return least + g.random.IntN(most-least+1) }

func (g *generator) chance(percent int) bool { return g.random.IntN(100) < percent }

func (g *generator) pick(names []string) string { return names[g.random.IntN(len(names))] }

// aged returns a birth date that makes someone the age today.
func (g *generator) aged(years int) calendar.Date {
	return g.pop.Today.AddMonths(-12 * years).AddDays(-g.random.IntN(364))
}

// ago returns a day at most so many days before today, and not before the other.
func (g *generator) ago(days int, notBefore calendar.Date) calendar.Date {
	day := g.pop.Today.AddDays(-g.random.IntN(days + 1))
	if day.Before(notBefore) {
		return notBefore
	}
	return day
}

// move opens a household in the territory and returns its position.
func (g *generator) move(territory ident.Territory) int {
	g.pop.Households = append(g.pop.Households, Household{ID: ident.Household(g.id()), Territory: territory})
	return len(g.pop.Households) - 1
}

// person adds someone to a household and returns their position. The rest is filled in by the caller.
func (g *generator) person(household int, sex country.Sex, birth calendar.Date, family, given, patronymic string) int {
	home := &g.pop.Households[household]
	names, ending := maleNames, " oʻgʻli"
	if sex == country.Female {
		names, ending = femaleNames, " qizi"
		family += "a"
	}
	if given == "" {
		given = g.pick(names)
	}
	if patronymic == "" {
		patronymic = g.pick(maleNames)
	}
	p := Person{
		ID: ident.Person(g.id()), Number: g.number(birth, sex),
		FamilyName: family, GivenName: given, Patronymic: patronymic + ending,
		Sex: sex, Birth: birth, Household: home.ID, Residence: home.Territory,
		Resident: g.ago(10*365, birth), Employment: Employment{Status: Inactive},
		Language: g.profile.Languages[0],
	}
	if g.chance(25) {
		p.Language = g.pick(g.profile.Languages)
	}
	if p.Age(g.pop.Today) >= banking {
		g.serial++
		p.Account = g.compose(g.profile.Account, g.serial)
		p.Phone = g.compose(g.profile.Phone, g.serial)
	}
	position := len(g.pop.People)
	g.pop.People = append(g.pop.People, p)
	g.pop.index[p.ID] = position
	home.Members = append(home.Members, p.ID)
	return position
}

// number returns the next national number of the cohort.
func (g *generator) number(birth calendar.Date, sex country.Sex) string {
	for {
		who := cohort{birth, sex}
		g.numbers[who]++
		text, err := g.profile.Person.Compose(birth, sex, g.numbers[who])
		if fault.Code(err) == "country.never-issued" {
			continue
		}
		if err != nil && g.err == nil {
			g.err = err
		}
		return text
	}
}

// compose returns a synthetic identifier, or none where the profile sets none aside.
func (g *generator) compose(scheme *country.Scheme, serial int) string {
	text, err := scheme.Compose(calendar.Date{}, "", serial)
	if err != nil {
		return ""
	}
	return text
}

// organisations makes one employer of each name, spread over the districts.
func (g *generator) organisations() {
	for i, name := range organisationNames {
		g.organisation(name, g.leaves[i%len(g.leaves)])
	}
}

// organisation makes one that has its seat in a territory of the lowest level. It is valid until the next is made.
func (g *generator) organisation(name string, seat ident.Territory) *Organisation {
	_, trade, _ := strings.Cut(name, " ")
	g.pop.Organisations = append(g.pop.Organisations, Organisation{
		ID: ident.Organisation(g.id()), Number: g.compose(g.profile.Organisation, len(g.pop.Organisations)+1), Name: name, Trade: trade,
		Territory: g.profile.Territories.Parent(seat), Mahalla: seat,
	})
	return &g.pop.Organisations[len(g.pop.Organisations)-1]
}

// household makes one of the usual families.
func (g *generator) household(territory ident.Territory) {
	home := g.move(territory)
	family := g.pick(familyNames)
	switch n := g.random.IntN(100); {
	case n < 70:
		husband, wife := g.couple(home, family, g.between(21, 70))
		if g.chance(25) {
			g.parents(home, husband, family)
		}
		g.children(home, husband, wife, family, g.random.IntN(6))
	case n < 80: // a parent alone
		mother := g.person(home, country.Female, g.aged(g.between(21, 50)), family, "", "")
		g.work(mother)
		g.children(home, -1, mother, family, g.between(1, 3))
	case n < 92: // an elderly person alone
		g.work(g.person(home, g.sex(), g.aged(g.between(60, 95)), family, "", ""))
	default: // a young person alone
		g.work(g.person(home, g.sex(), g.aged(g.between(adult, 35)), family, "", ""))
	}
}

func (g *generator) sex() country.Sex {
	if g.chance(50) {
		return country.Female
	}
	return country.Male
}

func (g *generator) couple(home int, family string, age int) (husband, wife int) {
	husband = g.person(home, country.Male, g.aged(age), family, "", "")
	wife = g.person(home, country.Female, g.aged(max(age-g.random.IntN(6), adult+1)), family, "", "")
	g.marry(husband, wife, g.random.IntN(6*365))
	g.work(husband)
	g.work(wife)
	return husband, wife
}

// marry marries two, so many days after the younger came of age, at the latest today.
func (g *generator) marry(husband, wife, days int) {
	h, w := &g.pop.People[husband], &g.pop.People[wife]
	younger := h.Birth
	if w.Birth.After(younger) {
		younger = w.Birth
	}
	day := younger.AddMonths(12 * adult).AddDays(1 + days)
	if day.After(g.pop.Today) {
		day = younger.AddMonths(12 * adult).AddDays(1)
	}
	h.Spouse, w.Spouse, h.Married, w.Married = w.ID, h.ID, day, day
}

// parents adds the parents of someone, where they would not be too old.
func (g *generator) parents(home, child int, family string) {
	of := g.pop.People[child]
	mother := of.Birth.AddMonths(-12 * g.between(19, 35)).AddDays(-g.random.IntN(300))
	if calendar.Age(mother, g.pop.Today) > 95 {
		return
	}
	father := mother.AddMonths(-12 * g.random.IntN(6))
	f := g.person(home, country.Male, father, family, "", "")
	m := g.person(home, country.Female, mother, family, "", "")
	g.marry(f, m, 200)
	g.work(f)
	g.work(m)
	g.pop.People[child].Father, g.pop.People[child].Mother = g.pop.People[f].ID, g.pop.People[m].ID
	g.pop.People[child].Patronymic = g.pop.People[f].GivenName + " oʻgʻli"
}

// children adds up to n children who still live at home, a year and more apart; father is -1 where there is none.
func (g *generator) children(home, father, mother int, family string, n int) {
	birth := g.pop.People[mother].Birth.AddMonths(12*19 + g.random.IntN(36))
	last := g.pop.People[mother].Birth.AddMonths(12 * 45)
	for range n {
		birth = birth.AddMonths(14 + g.random.IntN(48)).AddDays(g.random.IntN(28))
		if !birth.Before(g.pop.Today) || birth.After(last) {
			return
		}
		if calendar.Age(birth, g.pop.Today) >= leaving {
			continue
		}
		patronymic := ""
		if father >= 0 {
			patronymic = g.pop.People[father].GivenName
		}
		child := g.person(home, g.sex(), birth, family, "", patronymic)
		g.pop.People[child].Mother = g.pop.People[mother].ID
		if father >= 0 {
			g.pop.People[child].Father = g.pop.People[father].ID
		}
		g.work(child)
		if g.chance(8) && calendar.Age(birth, g.pop.Today) < adult {
			g.benefit(mother, "child-allowance", 32500000, birth)
		}
	}
}

// work gives an adult a job, a registration as unemployed, a pension, or none of these.
func (g *generator) work(who int) {
	p := &g.pop.People[who]
	age := p.Age(g.pop.Today)
	if age < adult {
		return
	}
	of := p.Birth.AddMonths(12 * adult)
	switch n := g.random.IntN(100); {
	case age >= pension:
		g.benefit(who, "pension", money.Amount(g.between(800000, 2500000))*100, p.Birth.AddMonths(12*pension))
	case n < 55:
		g.employ(who, g.ago(12*365, of))
	case n < 67:
		p.Employment = Employment{Status: Unemployed, Since: g.ago(365, of)}
	}
	if g.chance(2) {
		g.benefit(who, "disability", 75000000, g.ago(6*365, p.Birth))
	}
}

func (g *generator) employ(who int, since calendar.Date) {
	employer := g.pop.Organisations[g.random.IntN(len(g.pop.Organisations))].ID
	g.pop.People[who].Employment = Employment{Status: Employed, Employer: employer, Since: since}
}

// benefit adds a benefit unless the person already has one of the kind. Amounts are in minor units and illustrative.
func (g *generator) benefit(who int, kind string, amount money.Amount, since calendar.Date) {
	p := &g.pop.People[who]
	for _, b := range p.Benefits {
		if b.Kind == kind {
			return
		}
	}
	p.Benefits = append(p.Benefits, Benefit{Kind: kind, Since: since, Amount: amount})
}
