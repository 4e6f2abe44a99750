package demo_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/territory"
	"yagona/packs/demo"
)

var today = calendar.Date{Year: 2026, Month: time.March, Day: 2}

func profile(t testing.TB) *country.Profile {
	t.Helper()
	p, err := country.Load(os.DirFS("../uz"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// invented is the profile of the invented country.
func invented() (*country.Profile, error) {
	return country.Load(os.DirFS("../../checks/country/profile"))
}

func generate(t testing.TB, seed uint64, size int) *demo.Population {
	t.Helper()
	pop, err := demo.Generate(seed, profile(t), today, size)
	if err != nil {
		t.Fatal(err)
	}
	return pop
}

func TestTheSameSeedGivesTheSamePeople(t *testing.T) {
	unexported := cmpopts.IgnoreUnexported(demo.Population{})
	if diff := cmp.Diff(generate(t, 1, 500), generate(t, 1, 500), unexported); diff != "" {
		t.Error(diff)
	}
	if generate(t, 1, 500).People[0].ID == generate(t, 2, 500).People[0].ID {
		t.Error("another seed gives the same ids")
	}
	// The people of the story are the same in a small and a large demo.
	small, large := generate(t, 1, 10), generate(t, 1, 3000)
	for name := range small.Personas {
		if diff := cmp.Diff(small.Persona(name), large.Persona(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestIdentifiersAreValidAndUnique(t *testing.T) {
	p := profile(t)
	pop := generate(t, 7, 5000)
	seen := map[string]bool{}
	once := func(what, text string) {
		if seen[what+text] {
			t.Errorf("%s %s stands twice", what, text)
		}
		seen[what+text] = true
	}
	for _, person := range pop.People {
		if _, err := ident.Parse[ident.Person](string(person.ID)); err != nil || person.ID[14] != '4' {
			t.Fatalf("%s is no id of version 4", person.ID)
		}
		if err := p.Person.Validate(person.Number); err != nil {
			t.Fatalf("%s: %v", person.Number, err)
		}
		birth, _ := p.Person.BirthDate(person.Number)
		sex, _ := p.Person.Sex(person.Number)
		if birth != person.Birth || sex != person.Sex || person.Number[7:10] != "000" {
			t.Fatalf("%s does not tell of %+v", person.Number, person)
		}
		once("id", string(person.ID))
		once("number", person.Number)
		if person.Age(today) >= 16 {
			if p.Account.Validate(person.Account) != nil || p.Phone.Validate(person.Phone) != nil {
				t.Fatalf("account %q, telephone %q", person.Account, person.Phone)
			}
			once("account", person.Account)
			once("phone", person.Phone)
		} else if person.Account != "" || person.Phone != "" {
			t.Fatalf("a child has an account: %+v", person)
		}
		if !p.Speaks(person.Language) {
			t.Fatalf("they speak %q", person.Language)
		}
	}
	for _, organisation := range pop.Organisations {
		if err := p.Organisation.Validate(organisation.Number); err != nil {
			t.Errorf("%s: %v", organisation.Number, err)
		}
		once("organisation", organisation.Number)
	}
}

func TestNobodyCouldBeTakenForReal(t *testing.T) {
	stems := []string{"Namuna", "Sinov", "Misol", "Andoza", "Mashq", "Tajriba", "Shartli", "Toʻqima"}
	starts := func(name string) bool {
		return slices.ContainsFunc(stems, func(stem string) bool { return strings.HasPrefix(name, stem) })
	}
	pop := generate(t, 3, 2000)
	for _, person := range pop.People {
		if !starts(person.FamilyName) {
			t.Fatalf("%s looks real", person.Name())
		}
		if person.Account != "" && !strings.HasPrefix(person.Account, "00000000") {
			t.Fatalf("the account %s looks real", person.Account)
		}
		if (person.Sex == country.Female) != strings.HasSuffix(person.FamilyName, "va") {
			t.Fatalf("%s is %s", person.Name(), person.Sex)
		}
	}
	for _, organisation := range pop.Organisations {
		if !starts(organisation.Name) {
			t.Errorf("%s looks real", organisation.Name)
		}
	}
}

func TestFamiliesHangTogether(t *testing.T) {
	pop := generate(t, 5, 5000)
	homes := map[ident.Household]demo.Household{}
	members := 0
	for _, household := range pop.Households {
		homes[household.ID] = household
		members += len(household.Members)
		if len(household.Members) == 0 {
			t.Fatal("an empty household")
		}
	}
	if members != len(pop.People) {
		t.Errorf("%d people, %d members of households", len(pop.People), members)
	}
	couples, children := 0, 0
	for _, person := range pop.People {
		home := homes[person.Household]
		if !slices.Contains(home.Members, person.ID) || home.Territory != person.Residence {
			t.Fatalf("%+v is not at home", person)
		}
		if person.Birth.After(today) || person.Age(today) > 101 || person.Resident.Before(person.Birth) {
			t.Fatalf("born %v, resident since %v", person.Birth, person.Resident)
		}
		for _, id := range []ident.Person{person.Mother, person.Father} {
			if id == "" {
				continue
			}
			parent, found := pop.Person(id)
			if !found || calendar.Age(parent.Birth, person.Birth) < 16 {
				t.Fatalf("born %v of a parent born %v", person.Birth, parent.Birth)
			}
			if !slices.ContainsFunc(pop.Children(id), func(child demo.Person) bool { return child.ID == person.ID }) {
				t.Fatal("a parent does not know their child")
			}
			children++
		}
		if person.Father != "" {
			if father, _ := pop.Person(person.Father); !strings.HasPrefix(person.Patronymic, father.GivenName+" ") {
				t.Fatalf("%s is a child of %s", person.Name(), father.Name())
			}
		}
		if person.Spouse != "" {
			spouse, found := pop.Person(person.Spouse)
			if !found || spouse.Spouse != person.ID || spouse.Sex == person.Sex || spouse.Married != person.Married {
				t.Fatalf("%+v and %+v are no couple", person, spouse)
			}
			if calendar.Age(person.Birth, person.Married) < 18 || person.Married.After(today) {
				t.Fatalf("born %v, married %v", person.Birth, person.Married)
			}
			couples++
		}
	}
	if couples < 1000 || children < 1000 {
		t.Errorf("only %d spouses and %d children", couples, children)
	}
}

func TestEveryoneIsThere(t *testing.T) {
	pop := generate(t, 9, 5000)
	if len(pop.People) < 5000 || len(pop.People) > 5500 {
		t.Errorf("%d people", len(pop.People))
	}
	count := map[string]int{}
	places := map[ident.Territory]int{}
	for _, person := range pop.People {
		age := person.Age(today)
		count[fmt.Sprintf("age %d", age/10*10)]++
		count[string(person.Sex)]++
		count[string(person.Employment.Status)]++
		for _, benefit := range person.Benefits {
			count[benefit.Kind]++
			if benefit.Amount <= 0 || benefit.Since.After(today) || benefit.Since.Before(person.Birth) {
				t.Fatalf("%+v of someone born %v", benefit, person.Birth)
			}
		}
		places[person.Residence]++
		switch person.Employment.Status {
		case demo.Employed:
			if person.Employment.Employer == "" || age < 18 {
				t.Fatalf("%+v at the age of %d", person.Employment, age)
			}
			fallthrough
		case demo.Unemployed:
			if since := person.Employment.Since; since.After(today) || calendar.Age(person.Birth, since) < 18 {
				t.Fatalf("born %v, %+v", person.Birth, person.Employment)
			}
		}
	}
	for _, what := range []string{
		"age 0", "age 10", "age 20", "age 30", "age 40", "age 50", "age 60", "age 70", "age 80", "age 90",
		"male", "female", "employed", "unemployed", "inactive", "child-allowance", "disability", "pension",
	} {
		if count[what] < 10 {
			t.Errorf("%s: only %d", what, count[what])
		}
	}
	if len(places) != 21 {
		t.Errorf("they live in %d mahallas of 21", len(places))
	}
}

func TestThePersonasAreWhoTheStorySays(t *testing.T) {
	for _, size := range []int{0, 5000} {
		for _, on := range []calendar.Date{today, {Year: 2028, Month: time.February, Day: 29}, {Year: 2026, Month: time.December, Day: 31}} {
			pop, err := demo.Generate(1, profile(t), on, size)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range map[demo.Persona]struct {
				age    int
				status demo.Status
			}{
				demo.Jobless: {22, demo.Unemployed}, demo.Worker: {25, demo.Employed}, demo.TooOld: {31, demo.Unemployed},
				demo.Newcomer: {18, demo.Unemployed}, demo.Mother: {33, demo.Inactive}, demo.Daughter: {9, demo.Inactive},
				demo.Son: {4, demo.Inactive}, demo.Husband: {27, demo.Employed}, demo.Wife: {24, demo.Unemployed},
				demo.Pensioner: {68, demo.Inactive}, demo.Brother: {20, demo.Unemployed}, demo.YouthLeader: {29, demo.Employed},
				demo.Chair: {52, demo.Employed}, demo.Outsider: {23, demo.Unemployed},
			} {
				person := pop.Persona(name)
				if person.Age(on) != want.age || person.Employment.Status != want.status {
					t.Errorf("on %v %s is %d and %s", on, name, person.Age(on), person.Employment.Status)
				}
				if home := person.Residence == pop.Home; home == (name == demo.Outsider) {
					t.Errorf("%s lives in %s", name, person.Residence)
				}
			}
			if len(pop.Personas) != 16 {
				t.Errorf("%d personas", len(pop.Personas))
			}
			mother := pop.Persona(demo.Mother)
			var children []ident.Person
			for _, child := range pop.Children(mother.ID) {
				children = append(children, child.ID)
			}
			if want := []ident.Person{pop.Personas[demo.Daughter], pop.Personas[demo.Son]}; !slices.Equal(children, want) {
				t.Errorf("the mother's children are %v", children)
			}
			if len(mother.Benefits) != 1 || mother.Benefits[0].Kind != "child-allowance" {
				t.Errorf("the mother gets %+v", mother.Benefits)
			}
			if pop.Persona(demo.Husband).Spouse != pop.Personas[demo.Wife] {
				t.Error("husband and wife are not married")
			}
			if pop.Persona(demo.Brother).Household != pop.Persona(demo.YouthLeader).Household {
				t.Error("the brother does not live with the youth leader")
			}
			tree := profile(t).Territories
			if tree.Parent(pop.Home) == tree.Parent(pop.Other) {
				t.Error("home and the other mahalla lie in the same district")
			}
		}
	}
}

func TestEveryPostIsHeldByOneWhoHoldsNoOther(t *testing.T) {
	p := profile(t)
	tree := p.Territories
	for _, size := range []int{0, 5000} {
		pop := generate(t, 11, size)
		held := map[ident.Person]bool{}
		persona := map[ident.Person]demo.Persona{}
		for name, id := range pop.Personas {
			persona[id] = name
		}
		for _, official := range pop.Officials {
			person, found := pop.Person(official.Person)
			if !found || held[official.Person] {
				t.Fatalf("%+v is nobody, or holds two posts", official)
			}
			held[official.Person] = true
			if person.Employment.Status != demo.Employed || !tree.Contains(official.Territory, person.Residence) {
				t.Fatalf("%+v is held from %s by someone %s", official, person.Residence, person.Employment.Status)
			}
			if name := persona[official.Person]; name != "" && name != demo.YouthLeader && name != demo.Chair {
				t.Fatalf("%s holds a post by chance", name)
			}
		}
		for code := range tree.Within(tree.Root()) {
			if tree.Level(code) != "mahalla" {
				continue
			}
			district := tree.Parent(code)
			for _, post := range []struct {
				role ident.Role
				at   ident.Territory
			}{
				{"youth-leader", code},
				{"chair", code},
				{"social-worker", code},
				{"youth-leader", district},
				{"chair", district},
				{"inspector", district},
				{"engineer", district},
				{"adviser", district},
				{"youth-leader", tree.Parent(district)},
				{"adviser", tree.Parent(district)},
				{"treasurer", tree.Root()},
				{"publisher", tree.Root()},
				{"registrar", tree.Root()},
				{"operator", tree.Root()},
			} {
				if _, found := pop.Holder(post.role, post.at); !found {
					t.Errorf("nobody is %s of %s", post.role, post.at)
				}
			}
		}
		if leader, _ := pop.Holder("youth-leader", pop.Home); leader.Person != pop.Personas[demo.YouthLeader] {
			t.Error("the youth leader of the story does not lead at home")
		}
		if chair, _ := pop.Holder("chair", pop.Home); chair.Person != pop.Personas[demo.Chair] {
			t.Error("the chair of the story does not chair at home")
		}
		holders := map[ident.Agency]map[ident.Role]int{}
		for _, official := range pop.Officials {
			if holders[official.Agency] == nil {
				holders[official.Agency] = map[ident.Role]int{}
			}
			holders[official.Agency][official.Role]++
		}
		for agency, roles := range holders {
			for _, role := range []ident.Role{"treasurer", "publisher"} {
				if n, held := roles[role]; held && n != 2 {
					t.Errorf("%s has %d of the role %s; two are needed for four eyes", agency, n, role)
				}
			}
		}
	}
}

// In each mahalla of a practice ground some neighbours direct a business that has its seat there and in which they work;
// the others, who come first, ask for themselves.
func TestAPracticeGroundHasBusinessesWhoseDirectorsAreNeighbours(t *testing.T) {
	p := profile(t)
	pop, err := demo.GeneratePractice(1, p, today, 1)
	if err != nil {
		t.Fatal(err)
	}
	businesses, numbers := map[ident.Organisation]demo.Organisation{}, map[string]bool{}
	for _, one := range pop.Organisations {
		if err := p.Organisation.Validate(one.Number); err != nil || numbers[one.Number] {
			t.Errorf("%+v: %v", one, err)
		}
		businesses[one.ID], numbers[one.Number] = one, true
	}
	if len(pop.Neighbours) < 10 {
		t.Fatalf("only %d mahallas have neighbours", len(pop.Neighbours))
	}
	for place, near := range pop.Neighbours {
		directors := 0
		for _, id := range near {
			who, _ := pop.Person(id)
			business, directs := pop.Businesses[id]
			switch seat := businesses[business]; {
			case !directs && directors > 0:
				t.Errorf("%s asks for herself, but comes after a director", who.Name())
			case directs && (seat.Director != id || seat.Mahalla != place || who.Residence != place || who.Employment.Employer != business):
				t.Errorf("%+v of %s directs %+v", who, place, seat)
			case directs:
				directors++
			}
		}
		if directors < 4 || len(near)-directors < 10 {
			t.Errorf("%s has %d directors among %d neighbours", place, directors, len(near))
		}
	}
}

func TestAnotherCountryHasPeopleToo(t *testing.T) {
	p, err := invented()
	if err != nil {
		t.Fatal(err)
	}
	pop, err := demo.Generate(1, p, today, 300)
	if err != nil {
		t.Fatal(err)
	}
	for _, person := range pop.People {
		if err := p.Person.Validate(person.Number); err != nil || p.Territories.Level(person.Residence) != "canton" {
			t.Fatalf("%+v: %v", person, err)
		}
		if person.Account != "" {
			t.Fatal("an account was invented where the profile sets none aside")
		}
	}
}

func TestAProfileThatCannotHavePeopleIsRefused(t *testing.T) {
	p := *profile(t)
	single, err := territory.New([]territory.Level{{Name: "island"}}, []territory.Territory{{Code: "1", Level: "island"}})
	if err != nil {
		t.Fatal(err)
	}
	p.Territories = single
	if _, err := demo.Generate(1, &p, today, 10); fault.Code(err) != "demo.no-territory" {
		t.Errorf("people with nowhere to live: %v", err)
	}
	p = *profile(t)
	empty, err := invented()
	if err != nil {
		t.Fatal(err)
	}
	p.Person = empty.Account // a scheme without a layout
	if _, err := demo.Generate(1, &p, today, 10); fault.Code(err) != "country.no-layout" {
		t.Errorf("people without numbers: %v", err)
	}
}

func BenchmarkGenerate(b *testing.B) {
	p := profile(b)
	for b.Loop() {
		if _, err := demo.Generate(1, p, today, 5000); err != nil {
			b.Fatal(err)
		}
	}
}
