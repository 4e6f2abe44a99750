package demo

import (
	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/ident"
)

// personas adds the people of the story, before anybody else, so that they are the same in a small and a large demo.
func (g *generator) personas() {
	alone := func(name Persona, territory ident.Territory, sex country.Sex, age int, family, given string) int {
		return g.cast(name, g.move(territory), sex, g.story(age), family, given)
	}
	home, other := g.pop.Home, g.pop.Other

	g.register(alone(Jobless, home, country.Male, 22, "Namunaev", "Jasur"), 90)
	g.employ(alone(Worker, home, country.Female, 25, "Sinovov", "Dilnoza"), g.pop.Today.AddMonths(-30))
	g.register(alone(TooOld, home, country.Male, 31, "Misolov", "Bobur"), 200)
	newcomer := g.cast(Newcomer, g.move(home), country.Male, g.pop.Today.AddMonths(-12*adult), "Andozaev", "Umid")
	g.register(newcomer, 0)
	g.register(alone(Outsider, other, country.Female, 23, "Mashqov", "Zuhra"), 60)

	family := g.move(home)
	mother := g.cast(Mother, family, country.Female, g.story(33), "Tajribaev", "Nargiza")
	for _, child := range []int{
		g.cast(Daughter, family, country.Female, g.story(9), "Tajribaev", "Sevara"),
		g.cast(Son, family, country.Male, g.story(4), "Tajribaev", "Amir"),
	} {
		g.pop.People[child].Mother = g.pop.People[mother].ID
	}
	g.benefit(mother, "child-allowance", 32500000, g.pop.Today.AddMonths(-8))

	couple := g.move(home)
	husband := g.cast(Husband, couple, country.Male, g.story(27), "Shartliev", "Sherzod")
	wife := g.cast(Wife, couple, country.Female, g.story(24), "Shartliev", "Malika")
	g.marry(husband, wife, 900)
	g.employ(husband, g.pop.Today.AddMonths(-50))
	if len(g.pop.Organisations) > 0 {
		g.pop.Organisations[0].Director = g.pop.People[husband].ID
	}
	g.register(wife, 120)

	widow := alone(Pensioner, home, country.Female, 68, "Toʻqimaev", "Xosiyat")
	g.benefit(widow, "pension", 121500000, g.pop.People[widow].Birth.AddMonths(12*pension))

	// Their national numbers are those for which the test double of the disability register is slow or fails: it cannot
	// know a birth date that moves with the day.
	patient := g.cast(Patient, g.move(home), country.Female, calendar.Date{Year: 1988, Month: 4, Day: 17}, "Sinovov", "Gulnora")
	unanswered := g.cast(Unanswered, g.move(home), country.Male, calendar.Date{Year: 1979, Month: 9, Day: 3}, "Misolov", "Anvar")
	for _, who := range []int{patient, unanswered} {
		g.benefit(who, "disability", 75000000, g.pop.Today.AddMonths(-20))
		g.pop.People[who].Resident = g.pop.Today.AddMonths(-36)
	}

	siblings := g.move(home)
	sister := g.cast(YouthLeader, siblings, country.Female, g.story(29), "Namunaev", "Kamola")
	g.register(g.cast(Brother, siblings, country.Male, g.story(20), "Namunaev", "Otabek"), 45)
	g.employ(sister, g.pop.Today.AddMonths(-24))
	g.employ(alone(Chair, home, country.Male, 52, "Sinovov", "Rahim"), g.pop.Today.AddMonths(-60))
}

// story returns a birth date four months before the birthday that made someone the age, so that they keep it for
// months.
func (g *generator) story(age int) calendar.Date { return g.pop.Today.AddMonths(-12*age - 4) }

func (g *generator) cast(name Persona, household int, sex country.Sex, birth calendar.Date, family, given string) int {
	who := g.person(household, sex, birth, family, given, "Namuna")
	g.pop.Personas[name] = g.pop.People[who].ID
	g.pop.People[who].Language = g.profile.Languages[0]
	return who
}

// register registers someone as unemployed since so many days.
func (g *generator) register(who, days int) {
	g.pop.People[who].Employment = Employment{Status: Unemployed, Since: g.pop.Today.AddDays(-days)}
}

// post is a role of the story and the height at which it is held: 0 is the lowest level, 1 the one above it, and so on;
// root is the whole country. A role is held at several heights, so that what is late or contested has somewhere to go.
type post struct {
	agency  ident.Agency
	role    ident.Role
	heights []int
	persona Persona // who holds it at Home, or ""
}

// root stands for the country, however many levels lie between.
const root = -1

// posts are those of the story. Agencies and roles are named as the demo's packs name them.
var posts = []post{
	{"youth-agency", "youth-leader", []int{0, 1, 2}, YouthLeader},
	{"mahalla-association", "chair", []int{0, 1, 2}, Chair},
	{"local-administration", "hokim-assistant", []int{0, 1, 2}, ""},
	{"women-committee", "women-activist", []int{0, 1, 2}, ""},
	{"social-agency", "social-worker", []int{0, 1, 2}, ""},
	{"tax-committee", "tax-inspector", []int{0, 1, 2}, ""},
	{"interior-ministry", "prevention-inspector", []int{0, 1, 2}, ""},
	{"employment-agency", "adviser", []int{1, 2, root}, ""},
	{"local-administration", "architect", []int{1, 2}, ""},
	{"social-agency", "centre-head", []int{1, 2}, ""},
	{"interior-ministry", "registration-officer", []int{1, 2}, ""},
	{"civil-registry", "records-officer", []int{1, 2}, ""},
	{"cadastre-agency", "surveyor", []int{1, 2}, ""},
	{"cadastre-agency", "registrar-of-land", []int{1, 2, root}, ""},
	{"construction-inspectorate", "engineer", []int{1, 2}, ""},
	{"housing-agency", "inspector", []int{1, 2}, ""},
	{"housing-agency", "head", []int{1, 2}, ""},
	{"civil-registry", "registrar", []int{root}, ""},
	{"civil-registry", "data-protection-officer", []int{root}, ""},    // proposes, and
	{"interior-ministry", "data-protection-officer", []int{root}, ""}, // of the supervising agency, confirms
	{"interior-ministry", "registrar", []int{root}, ""},
	{"employment-agency", "registrar", []int{root}, ""},
	{"youth-agency", "registrar", []int{root}, ""},
	{"social-agency", "registrar", []int{root}, ""},
	{"women-committee", "registrar", []int{root}, ""},
	{"tax-committee", "registrar", []int{root}, ""},
	{"cadastre-agency", "registrar", []int{root}, ""},
	{"local-administration", "registrar", []int{root}, ""},
	{"mahalla-association", "registrar", []int{root}, ""},
	{"youth-agency", "treasurer", []int{root, root}, ""}, // two: one may be of the payee's household
	{"housing-agency", "treasurer", []int{root, root}, ""},
	{"social-agency", "treasurer", []int{root, root}, ""},
	{"women-committee", "treasurer", []int{root, root}, ""},
	{"youth-agency", "publisher", []int{root, root}, ""}, // two: one publishes, the other approves
	{"employment-agency", "publisher", []int{root, root}, ""},
	{"housing-agency", "publisher", []int{root, root}, ""},
	{"local-administration", "deputy", []int{1, 2}, ""},
	{"preschool-agency", "head", []int{1, 2}, ""},
	{"platform-operator", "operator", []int{root}, ""},
	{"youth-agency", "analyst", []int{root}, ""},
}

// officials fills every post with a resident of its territory who has a job and no other post.
func (g *generator) officials() {
	taken := make(map[ident.Person]bool)
	for _, id := range g.pop.Personas {
		taken[id] = true // nobody of the story holds a post by chance
	}
	residents := make(map[ident.Territory][]int, len(g.leaves))
	for i := range g.pop.People {
		p := &g.pop.People[i]
		if age := p.Age(g.pop.Today); p.Employment.Status == Employed && age >= 25 && age < pension {
			residents[p.Residence] = append(residents[p.Residence], i)
		}
	}
	for _, post := range posts {
		for _, height := range post.heights {
			for _, territory := range g.atHeight(height) {
				var id ident.Person
				if post.persona != "" && territory == g.pop.Home {
					id = g.pop.Personas[post.persona]
				} else {
					id = g.appoint(territory, residents, taken)
				}
				taken[id] = true
				g.pop.Officials = append(g.pop.Officials, Official{id, post.agency, post.role, territory})
			}
		}
	}
}

// appoint finds a free resident of the territory, or lets one more person move there.
func (g *generator) appoint(
	territory ident.Territory, residents map[ident.Territory][]int, taken map[ident.Person]bool,
) ident.Person {
	leaf := g.leaves[0]
	for _, at := range g.leaves {
		if !g.profile.Territories.Contains(territory, at) {
			continue
		}
		leaf = at
		for len(residents[at]) > 0 {
			candidate := g.pop.People[residents[at][0]].ID
			residents[at] = residents[at][1:]
			if !taken[candidate] {
				return candidate
			}
		}
	}
	who := g.person(g.move(leaf), g.sex(), g.aged(g.between(28, 55)), g.pick(familyNames), "", "")
	g.employ(who, g.ago(5*365, g.pop.People[who].Birth.AddMonths(12*adult)))
	return g.pop.People[who].ID
}

// atHeight returns the territories so many levels above where people live, in the order of the tree, each once.
func (g *generator) atHeight(height int) []ident.Territory {
	tree := g.profile.Territories
	if height == root {
		return []ident.Territory{tree.Root()}
	}
	var found []ident.Territory
	seen := make(map[ident.Territory]bool)
	for _, leaf := range g.leaves {
		path := tree.Path(leaf)
		at := len(path) - 1 - height
		if at < 0 || seen[path[at]] {
			continue
		}
		seen[path[at]] = true
		found = append(found, path[at])
	}
	return found
}
