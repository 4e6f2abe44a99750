package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/seal"
	"yagona/kernel/simulation"
	"yagona/packs/demo"
	"yagona/store/query"
)

// simulated is the service whose change is simulated: it reads four registers.
const simulated ident.Service = "youth/tools-subsidy"

// simulate measures how fast a change is simulated over so many residents, from looking for what changed to the committed
// result: the first run of a process, which reads all registers, and those that follow it, on one processor and on all; then
// one after the registers changed of one resident in a hundred.
func (w *world) simulate(ctx context.Context, wanted options, out io.Writer) error {
	analyst, err := w.analyst(ctx, wanted)
	if err != nil {
		return err
	}
	if err := w.quiet(ctx); err != nil { // what the demonstration left to do
		return err
	}
	begun := time.Now()
	var residents []moving
	err = profiled(wanted.Profile, "populate", func() (err error) {
		residents, err = w.populate(ctx, wanted.Simulated)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d residents stored in %.0f s\n", wanted.Simulated, time.Since(begun).Seconds())
	all := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(all)
	for _, processors := range slices.Compact([]int{1, all}) {
		runtime.GOMAXPROCS(processors)
		runtime.GC()
		before := resident()
		node := w.node.Simulator
		simulator := &simulation.Simulator{ // as after a start: nothing is kept
			Store: node.Store, Vault: node.Vault, Registers: node.Registers, Services: node.Services, Draft: node.Draft,
			Scheme: node.Scheme, Territories: node.Territories, Location: node.Location, Clock: node.Clock, Runs: math.MaxInt32,
		}
		run := func(name string) (rate, spent float64, err error) {
			var made simulation.Simulation
			used, begun := processorTime(), time.Now()
			err = profiled(wanted.Profile, fmt.Sprintf("simulate-%d-%s", processors, name), func() (err error) {
				made, err = simulator.Run(ctx, analyst, simulation.Wanted{Service: simulated, Change: simulation.Change{
					Params: map[string]string{"brv": "600000 UZS"}, Assume: map[string]string{"price": "9000000"},
				}})
				return err
			})
			took, used := time.Since(begun), processorTime()-used
			if err != nil {
				return 0, 0, err
			}
			if made.Result.Residents < int64(wanted.Simulated) || made.Result.Total.Before.Count == 0 {
				return 0, 0, fmt.Errorf("the simulation counted %d residents and %d entitled ones", made.Result.Residents, made.Result.Total.Before.Count)
			}
			count := float64(made.Result.Residents)
			rate, spent = count/took.Seconds(), float64(used.Microseconds())/count
			fmt.Fprintf(out, "%d processors  %-7s  %8.0f residents/s  %6.2f s  %6.1f µs of the processors each  resident %d MiB, %d more\n",
				processors, name, rate, took.Seconds(), spent, resident()>>20, (resident()-before)>>20)
			return rate, spent, nil
		}
		if _, _, err := run("first"); err != nil {
			return err
		}
		var rates, spent []float64
		for number := range wanted.Runs {
			rate, used, err := run(strconv.Itoa(number + 1))
			if err != nil {
				return err
			}
			rates, spent = append(rates, rate), append(spent, used)
		}
		slices.Sort(rates)
		slices.Sort(spent)
		fmt.Fprintf(out, "%d processors, median of %d following runs: %.0f residents/s (%.0f to %.0f), %.1f µs of the processors each (%.1f to %.1f)\n",
			processors, len(rates), rates[len(rates)/2], rates[0], rates[len(rates)-1], spent[len(spent)/2], spent[0], spent[len(spent)-1])
		if err := w.move(ctx, residents); err != nil {
			return err
		}
		if _, _, err := run("moved"); err != nil {
			return err
		}
	}
	return nil
}

// analyst returns who may simulate.
func (w *world) analyst(ctx context.Context, wanted options) (access.Actor, error) {
	population, err := demo.Generate(1, w.node.Profile, w.today(), wanted.People)
	if err != nil {
		return access.Actor{}, err
	}
	for _, one := range population.Officials {
		if one.Role != simulation.Analyst {
			continue
		}
		held, err := w.node.Office.Appointments(ctx, one.Person, time.Now())
		if err != nil {
			return access.Actor{}, err
		}
		for _, appointment := range held {
			if appointment.Role == simulation.Analyst {
				return access.Actor{Person: one.Person, Appointment: &appointment}, nil
			}
		}
	}
	return access.Actor{}, errors.New("the demonstration has no analyst")
}

// moving is a resident who moves between two runs: the newest version of their residence.
type moving struct {
	residence register.StoredVersion
	values    map[string]any
}

// oneMoves is of how many residents one moves.
const oneMoves = 100

// populate stores residents with what four registers say of them, as rows that are sealed like all others. They are no
// application's, and their rows stand in no event: they are there to be counted. It returns those who will move.
func (w *world) populate(ctx context.Context, count int) (residents []moving, err error) {
	const batch = 5000
	random := rand.New(rand.NewPCG(1, 2))
	homes := w.homes()
	for stored := 0; stored < count; stored += batch {
		subjects := make([]ident.Subject, min(batch, count-stored))
		for i := range subjects {
			subjects[i] = ident.Random[ident.Person]().Subject()
		}
		sealer, err := w.node.Vault.Open(ctx, subjects...)
		if err != nil {
			return nil, err
		}
		var rows []register.StoredVersion
		for i, subject := range subjects {
			made, values, err := w.versions(sealer, subject, random, homes)
			if err != nil {
				return nil, err
			}
			rows = append(rows, made...)
			if i%oneMoves == 0 {
				residents = append(residents, moving{made[1], values})
			}
		}
		err = w.node.DB.Update(ctx, act.Of(subjects[0]), func(tx *query.Tx) error {
			for _, subject := range subjects {
				who, _ := subject.Person()
				if err := tx.SavePerson(person.Stored{Person: who, Sealed: []byte("sealed"), Event: "none"}); err != nil {
					return err
				}
			}
			return save(tx, rows)
		})
		if err != nil {
			return nil, err
		}
	}
	return residents, nil
}

// move has each of the residents move to the mahalla of another.
func (w *world) move(ctx context.Context, residents []moving) error {
	for begin := 0; begin < len(residents); begin += 1000 {
		some := residents[begin:min(begin+1000, len(residents))]
		var subjects []ident.Subject
		for _, one := range some {
			subjects = append(subjects, one.residence.Subject())
		}
		sealer, err := w.node.Vault.Open(ctx, subjects...)
		if err != nil {
			return err
		}
		var rows []register.StoredVersion
		for i := range some {
			one := &some[i]
			one.values["mahalla"] = some[(i+1)%len(some)].values["mahalla"]
			one.residence.Number++
			if err := fill(sealer, &one.residence, one.values); err != nil {
				return err
			}
			rows = append(rows, one.residence)
		}
		if err := w.node.DB.Update(ctx, act.Of(subjects[0]), func(tx *query.Tx) error { return save(tx, rows) }); err != nil {
			return err
		}
	}
	return nil
}

func save(tx *query.Tx, rows []register.StoredVersion) error {
	for _, row := range rows {
		if err := tx.SaveVersion(row); err != nil {
			return err
		}
	}
	return nil
}

// homes returns the mahallas that have a chair.
func (w *world) homes() (homes []ident.Territory) {
	for at := range w.officials {
		if at.role == "chair" {
			homes = append(homes, at.territory)
		}
	}
	slices.Sort(homes)
	return homes
}

// versions returns what the registers say of one resident: a birth and a residence, whose values it returns, too; of one in
// ten that they are without work, of one in thirty that they got the subsidy once.
func (w *world) versions(sealer *seal.Sealer, subject ident.Subject, random *rand.Rand, homes []ident.Territory) (rows []register.StoredVersion, residence map[string]any, err error) {
	today := w.today()
	earlier := func(days int) calendar.Date { return today.AddDays(-1 - random.IntN(days)) }
	add := func(into ident.Register, values map[string]any) {
		values["person"] = subject
		row := register.StoredVersion{
			Key: act.Of(subject), Register: into, Record: ident.New[ident.Record](time.Now()), Number: 1, At: time.Now().UTC(),
			From: today.AddMonths(-12), Event: "none",
		}
		err = errors.Join(err, fill(sealer, &row, values))
		rows = append(rows, row)
	}
	birth := earlier(80 * 365)
	add("civil/births", map[string]any{"date": birth, "sex": []string{"female", "male"}[random.IntN(2)]})
	residence = map[string]any{
		"household": ident.Random[ident.Household]().Subject(), "mahalla": homes[random.IntN(len(homes))], "since": earlier(20 * 365),
	}
	add("interior/residences", residence)
	if random.IntN(10) == 0 {
		add("employment/unemployed", map[string]any{"registeredOn": earlier(365)})
	}
	if random.IntN(30) == 0 {
		add("youth/notebook", map[string]any{"support": "tools", "grantedOn": earlier(5 * 365)})
	}
	return rows, residence, err
}

// fill seals the values into a version.
func fill(sealer *seal.Sealer, row *register.StoredVersion, values map[string]any) error {
	encoded, err := register.EncodeValues(values)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(map[string]any{"values": encoded, "reason": "bench", "by": journal.Actor{Component: "bench"}})
	if err != nil {
		return err
	}
	row.Body, err = sealer.Seal(row.Subject(), fmt.Sprintf("register-version:%s/%s/%d", row.Register, row.Record, row.Number), plain)
	return err
}
