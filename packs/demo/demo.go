// Package demo makes the people of the demonstration: synthetic residents, their households, jobs and benefits, and the
// officials of the story.
//
// It hands a Population to whoever seeds registers and appointments; it stores nothing and imports no store.
//
// Nobody in it exists, and it shows: each family name is made of a word for sample, test, example, pattern, exercise,
// experiment, condition or fiction (namuna, sinov, misol, andoza, mashq, tajriba, shart, toʻqima); each account,
// telephone and taxpayer number has the zeros that the profile's layout sets aside for synthetic ones; each national
// number has a right check digit and a serial number below 1000, which writes 000 where Uzbekistan's scheme has the
// district of issue.
//
// Invariants: the same seed, day, size and profile give the same population, ids included; a parent is at least 16
// years older than their child; spouses name each other and are of age; everyone lives in exactly one household, and
// a household lies in one territory of the lowest level; nobody holds two posts.
package demo

import (
	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/ident"
	"yagona/kernel/ledger/bank"
	"yagona/kernel/money"
)

// Population is everybody.
type Population struct {
	Today         calendar.Date // ages and terms are counted from here
	Home          ident.Territory
	Other         ident.Territory // lies in another territory of the level above, where there is one
	People        []Person
	Households    []Household
	Organisations []Organisation
	Officials     []Official
	Personas      map[Persona]ident.Person

	// Of a practice ground: in each territory of the lowest level neighbours who live alone, so that no official there has a
	// tie to them, the last of whom direct a business each, and for each official of one a relative who lives with them.
	Neighbours map[ident.Territory][]ident.Person
	Businesses map[ident.Person]ident.Organisation // of the neighbours who direct one
	Relatives  map[ident.Person]ident.Person

	index map[ident.Person]int
}

// Person is one resident, as the registers together know them.
type Person struct {
	ID         ident.Person
	Number     string // national number of the profile's scheme
	FamilyName string
	GivenName  string
	Patronymic string
	Sex        country.Sex
	Birth      calendar.Date
	Mother     ident.Person // "" : not in the population
	Father     ident.Person
	Spouse     ident.Person // "" : not married
	Married    calendar.Date
	Household  ident.Household
	Residence  ident.Territory // of the lowest level
	Resident   calendar.Date   // since when they live there
	Employment Employment
	Benefits   []Benefit
	Account    string // bank account; "" below the age of 16
	Phone      string // "" below the age of 16
	Language   string // the language of the profile in which they want to be written to
}

// Name returns the name as it is written to them: family name first.
func (p Person) Name() string { return p.FamilyName + " " + p.GivenName + " " + p.Patronymic }

// Age returns the whole years on the day.
func (p Person) Age(on calendar.Date) int { return calendar.Age(p.Birth, on) }

// Status says how someone stands to the world of work.
type Status string

// The states of employment.
const (
	Employed   Status = "employed"
	Unemployed Status = "unemployed" // and registered as such
	Inactive   Status = "inactive"   // children, students, pensioners, and who neither works nor registered
)

// Employment is what the employment register knows.
type Employment struct {
	Status   Status
	Employer ident.Organisation // of the employed
	Since    calendar.Date      // of the employed and the unemployed
}

// Benefit is one running payment of social protection. Its amount is illustrative.
type Benefit struct {
	Kind   string // "child-allowance", "disability", "pension"
	Since  calendar.Date
	Amount money.Amount // each month
}

// Household is who lives together.
type Household struct {
	ID        ident.Household
	Territory ident.Territory
	Members   []ident.Person
}

// Organisation is an employer.
type Organisation struct {
	ID        ident.Organisation
	Number    string
	Name      string
	Trade     string
	Territory ident.Territory
	Mahalla   ident.Territory // of the lowest level
	Director  ident.Person    // who may act for it; "": not in the population
}

// Official is one person in one post.
type Official struct {
	Person    ident.Person
	Agency    ident.Agency
	Role      ident.Role
	Territory ident.Territory
}

// Persona is a person whom the story, a test or a guide calls by what they stand for.
type Persona string

// The personas. All but Outsider live at Home.
const (
	Jobless     Persona = "jobless"      // 22, registered unemployed for three months: gets the subsidy
	Worker      Persona = "worker"       // 25, has a job: is refused with the reason
	TooOld      Persona = "too-old"      // 31, registered unemployed: is refused with the reason
	Newcomer    Persona = "newcomer"     // 18 today, registered unemployed today
	Mother      Persona = "mother"       // 33, alone with a daughter of 9 and a son of 4, gets a child allowance
	Daughter    Persona = "daughter"     // hers
	Son         Persona = "son"          // hers
	Husband     Persona = "husband"      // 27, has a job and is the director of the first organisation
	Wife        Persona = "wife"         // 24, his wife, registered unemployed
	Pensioner   Persona = "pensioner"    // 68, a widow, gets a pension
	Brother     Persona = "brother"      // 20, unemployed, lives with the youth leader, who may not decide for him
	YouthLeader Persona = "youth-leader" // 29, his sister and the youth leader of Home
	Chair       Persona = "chair"        // 52, the chair of Home
	Patient     Persona = "patient"      // born 1988, gets a disability benefit; the register that says so is slow and fails at first
	Unanswered  Persona = "unanswered"   // born 1979, of whom that register never answers
	Outsider    Persona = "outsider"     // 23, registered unemployed, lives at Other: Home's officials may not see them
)

// Person returns the person with the id, and false if there is none.
func (p *Population) Person(id ident.Person) (Person, bool) {
	i, found := p.index[id]
	if !found {
		return Person{}, false
	}
	return p.People[i], true
}

// Persona returns the person whom the story calls so. Every persona is in every population.
func (p *Population) Persona(name Persona) Person { return p.People[p.index[p.Personas[name]]] }

// Children returns the person's children, in the order of the population. It looks only around them: children are
// added soon after their parents.
func (p *Population) Children(of ident.Person) (children []Person) {
	at := p.index[of]
	for i := max(0, at-20); i < min(len(p.People), at+20); i++ {
		if p.People[i].Mother == of || p.People[i].Father == of {
			children = append(children, p.People[i])
		}
	}
	return children
}

// Holder returns who holds the role in exactly this territory, and false if nobody does. Of several it is the first.
func (p *Population) Holder(role ident.Role, territory ident.Territory) (Official, bool) {
	for _, official := range p.Officials {
		if official.Role == role && official.Territory == territory {
			return official, true
		}
	}
	return Official{}, false
}

// Accounts returns everybody's bank accounts, as their bank knows them.
func (p *Population) Accounts() map[string]bank.Account {
	accounts := map[string]bank.Account{}
	for _, one := range p.People {
		if one.Account != "" {
			accounts[one.Account] = bank.Account{Holder: one.Name(), NationalNumber: one.Number}
		}
	}
	return accounts
}
