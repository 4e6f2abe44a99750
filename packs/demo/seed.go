package demo

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/money"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/seal"
)

// Keepers are those who keep what the population becomes.
type Keepers struct {
	Vault     *seal.Vault
	People    *person.Directory
	Registers *register.Keeper
	Office    *access.Office
	Ledger    *ledger.Ledger
}

// endowment is what each fund of the demonstration starts with: 10 billion in major units.
const endowment money.Amount = 1_000_000_000_000

// seeding is how the journal names who does this.
var seeding = journal.Actor{Component: "demonstration"}

// Seed stores the population: people, their records in the packs' registers, the officials' appointments, money in the
// funds. What is stored already stays, so that seeding that was interrupted can be run again. Several acts run at a time,
// so that they share commits.
func (p *Population) Seed(ctx context.Context, into Keepers, funds []ident.Account) error {
	subjects := make([]ident.Subject, len(p.People))
	for i := range p.People {
		subjects[i] = p.People[i].ID.Subject()
	}
	if _, err := into.Vault.Open(ctx, subjects...); err != nil { // makes all keys in one go
		return fmt.Errorf("making the people's keys: %w", err)
	}
	if err := each(len(p.People), func(i int) error { return p.seedPerson(ctx, into, &p.People[i]) }); err != nil {
		return err
	}
	if err := each(len(p.Organisations), func(i int) error { return p.seedOrganisation(ctx, into, p.Organisations[i]) }); err != nil {
		return err
	}
	if err := each(len(p.Officials), func(i int) error { return p.appoint(ctx, into, p.Officials[i]) }); err != nil {
		return err
	}
	for i, fund := range funds {
		_, err := into.Ledger.Appropriate(ctx, access.Actor{}, fund, ident.Transfer(fmt.Sprintf("00000000-0000-7000-8000-%012d", i+1)), endowment)
		if err != nil {
			return fmt.Errorf("endowing a fund: %w", err)
		}
	}
	return nil
}

// each calls do for every number below n, a hundred at a time, and returns the first error.
func each(n int, do func(int) error) error {
	var (
		work  = make(chan int)
		group sync.WaitGroup
		once  sync.Once
		first error
	)
	for range min(n, 100) {
		group.Go(func() {
			for i := range work {
				if err := do(i); err != nil {
					once.Do(func() { first = err })
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	group.Wait()
	return first
}

func (p *Population) seedPerson(ctx context.Context, into Keepers, one *Person) error {
	_, err := into.People.TakeUp(ctx, seeding, one.ID, person.Attributes{
		Number: one.Number, Name: one.Name(), Birth: one.Birth, Language: one.Language,
	})
	if err != nil {
		return fmt.Errorf("taking up a person: %w", err)
	}
	for _, record := range p.records(one) {
		if _, _, err := into.Registers.Put(ctx, seeding, record); err != nil {
			return fmt.Errorf("writing into the register %s: %w", record.Register, err)
		}
	}
	return nil
}

// founded is since when every business of the demonstration is registered, in months before the day.
const founded = 60

// seedOrganisation writes a business into its register, and who may act for it.
func (p *Population) seedOrganisation(ctx context.Context, into Keepers, one Organisation) error {
	since := p.Today.AddMonths(-founded)
	records := []register.Write{{Register: "tax/businesses", Values: map[string]any{
		"business": one.ID.Subject(), "name": one.Name, "mahalla": one.Mahalla, "trade": one.Trade, "since": since,
	}}}
	if one.Director != "" {
		records = append(records, register.Write{Register: "tax/officers", Values: map[string]any{
			"person": one.Director.Subject(), "business": one.ID.Subject(), "office": "director", "since": since,
		}})
	}
	for _, record := range records {
		record.From, record.Reason, record.Takeover = since, "demonstration", true
		if _, _, err := into.Registers.Put(ctx, seeding, record); err != nil {
			return fmt.Errorf("writing into the register %s: %w", record.Register, err)
		}
	}
	return nil
}

// records returns what the registers of the shipped packs hold of a person.
func (p *Population) records(one *Person) []register.Write {
	self := one.ID.Subject()
	write := func(into ident.Register, from calendar.Date, values map[string]any) register.Write {
		values["person"] = self
		return register.Write{Register: into, Values: values, From: from, Reason: "demonstration", Takeover: true}
	}
	birth := map[string]any{"date": one.Birth, "sex": string(one.Sex)}
	for field, parent := range map[string]ident.Person{"mother": one.Mother, "father": one.Father} {
		if parent != "" {
			birth[field] = parent.Subject()
		}
	}
	records := []register.Write{
		write("civil/births", one.Birth, birth),
		write("interior/residences", one.Resident, map[string]any{
			"household": one.Household.Subject(), "mahalla": one.Residence, "since": one.Resident,
		}),
	}
	if one.Spouse != "" {
		records = append(records, write("civil/family", one.Married, map[string]any{
			"relative": one.Spouse.Subject(), "tie": "spouse", "since": one.Married,
		}))
	}
	for _, child := range p.Children(one.ID) {
		records = append(records, write("civil/family", child.Birth, map[string]any{
			"relative": child.ID.Subject(), "tie": "child", "since": child.Birth,
		}))
	}
	if kind, institution, since := p.enrolled(one); kind != "" {
		records = append(records, write("education/enrolments", since, map[string]any{"kind": kind, "institution": institution, "since": since}))
	}
	if i := slices.IndexFunc(one.Benefits, func(b Benefit) bool { return b.Kind == "child-allowance" }); i >= 0 {
		records = append(records, write("social/families", one.Benefits[i].Since, map[string]any{
			"category": "poor", "since": one.Benefits[i].Since,
		}))
	}
	if one.owns(p.Today) {
		records = append(records, register.Write{Register: "land/dwellings", From: one.Resident, Reason: "demonstration", Takeover: true, Values: map[string]any{
			"owner": self, "number": "SAMPLE-" + one.Account[12:], "mahalla": one.Residence, "area": dwelling, "since": one.Resident,
		}})
	}
	switch one.Employment.Status {
	case Employed:
		records = append(records, write("tax/incomes", calendar.Date{Year: p.Today.Year - 1, Month: 12, Day: 31}, map[string]any{
			"year": int64(p.Today.Year - 1), "amount": 12 * wage,
		}))
		records = append(records, write("employment/jobs", one.Employment.Since, map[string]any{
			"employer": one.Employment.Employer.Subject(), "since": one.Employment.Since, "wage": wage,
		}))
	case Unemployed:
		records = append(records, write("employment/unemployed", one.Employment.Since, map[string]any{"registeredOn": one.Employment.Since}))
	}
	return records
}

// The school years of the demonstration, which are not those of a law.
const (
	nursery    = 3 // the age of the youngest in a nursery; only every second child has a place
	firstClass = 7 // the age at which a child has begun school
	lastClass  = 17
)

// enrolled returns which nursery or school somebody goes to, and since when; of who goes to none the kind is empty.
func (p *Population) enrolled(one *Person) (kind, institution string, since calendar.Date) {
	switch age := one.Age(p.Today); {
	case age < nursery || age > lastClass:
		return "", "", since
	case age >= firstClass:
		return "school", "Namuna maktabi", one.Birth.AddMonths(12 * firstClass)
	case one.ID == p.Personas[Son] || one.Birth.Day%2 == 0:
		return "", "", since
	}
	return "nursery", "Namuna bogʻchasi", one.Birth.AddMonths(12 * nursery)
}

// dwelling is how many square metres every dwelling of the demonstration has.
const dwelling int64 = 72

// owns says whether the dwelling is theirs: a husband's, or that of an adult who lives without parents and spouse.
func (p *Person) owns(today calendar.Date) bool {
	return p.Age(today) >= adult && p.Account != "" && p.Mother == "" && p.Father == "" && (p.Spouse == "" || p.Sex == country.Male)
}

// wage is what every job of the demonstration pays in a month: 3 million in major units, illustrative.
const wage money.Amount = 300_000_000

func (p *Population) appoint(ctx context.Context, into Keepers, official Official) error {
	held, err := into.Office.Appointments(ctx, official.Person, p.Today.Start(into.Registers.Location).AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	for _, one := range held {
		if one.Agency == official.Agency && one.Role == official.Role && one.Territory == official.Territory {
			return nil
		}
	}
	_, err = into.Office.Appoint(ctx, access.Actor{}, access.Appointment{
		Person: official.Person, Agency: official.Agency, Role: official.Role, Territory: official.Territory,
	})
	return err
}
