package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
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

// simulate measures how fast a change is simulated over so many residents: from reading the registers to the committed
// result.
func (w *world) simulate(ctx context.Context, wanted options, out io.Writer) error {
	analyst, err := w.analyst(ctx, wanted)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := w.populate(ctx, wanted.Simulated); err != nil {
		return err
	}
	if err := w.quiet(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d residents stored in %.0f s\n", wanted.Simulated, time.Since(begun).Seconds())
	var rates, spent []float64
	for number := range wanted.Runs + 1 { // run 0 warms up and does not count
		var made simulation.Simulation
		used, begun := processorTime(), time.Now()
		err := profiled(wanted.Profile, fmt.Sprintf("simulate-%d", number), func() (err error) {
			made, err = w.node.Simulator.Run(ctx, analyst, simulation.Wanted{Service: simulated, Change: simulation.Change{
				Params: map[string]string{"brv": "600000 UZS"}, Assume: map[string]string{"price": "9000000"},
			}})
			return err
		})
		took, used := time.Since(begun), processorTime()-used
		if err != nil {
			return err
		}
		if made.Result.Residents < int64(wanted.Simulated) || made.Result.Total.Before.Count == 0 {
			return fmt.Errorf("the simulation counted %d residents and %d entitled ones", made.Result.Residents, made.Result.Total.Before.Count)
		}
		count := float64(made.Result.Residents)
		fmt.Fprintf(out, "run %2d  simulate  %8.0f residents/s  %6.2f s  %6.1f µs of the processors each  resident %d MiB\n",
			number, count/took.Seconds(), took.Seconds(), float64(used.Microseconds())/count, resident()>>20)
		if number > 0 {
			rates, spent = append(rates, count/took.Seconds()), append(spent, float64(used.Microseconds())/count)
		}
	}
	slices.Sort(rates)
	slices.Sort(spent)
	fmt.Fprintf(out, "median of %d: %.0f residents/s, %.1f µs of the processors each; best %.0f, %.1f\n",
		len(rates), rates[len(rates)/2], spent[len(spent)/2], rates[len(rates)-1], spent[0])
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

// populate stores residents with what four registers say of them, as rows that are sealed like all others. They are no
// application's, and their rows stand in no event: they are there to be counted.
func (w *world) populate(ctx context.Context, count int) error {
	const batch = 1000
	random := rand.New(rand.NewPCG(1, 2))
	var homes []ident.Territory
	for at := range w.officials {
		if at.role == "chair" {
			homes = append(homes, at.territory)
		}
	}
	slices.Sort(homes)
	for stored := 0; stored < count; stored += batch {
		subjects := make([]ident.Subject, min(batch, count-stored))
		for i := range subjects {
			subjects[i] = ident.Random[ident.Person]().Subject()
		}
		sealer, err := w.node.Vault.Open(ctx, subjects...)
		if err != nil {
			return err
		}
		var rows []register.StoredVersion
		for _, subject := range subjects {
			made, err := w.versions(sealer, subject, random, homes)
			if err != nil {
				return err
			}
			rows = append(rows, made...)
		}
		err = w.node.DB.Update(ctx, act.Of(subjects[0]), func(tx *query.Tx) error {
			for _, subject := range subjects {
				who, _ := subject.Person()
				if err := tx.SavePerson(person.Stored{Person: who, Sealed: []byte("sealed"), Event: "none"}); err != nil {
					return err
				}
			}
			for _, row := range rows {
				if err := tx.SaveVersion(row); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// versions returns what the registers say of one resident: a birth and a residence; of one in ten that they are without
// work, of one in thirty that they got the subsidy once.
func (w *world) versions(sealer *seal.Sealer, subject ident.Subject, random *rand.Rand, homes []ident.Territory) (rows []register.StoredVersion, err error) {
	today := w.today()
	earlier := func(days int) calendar.Date { return today.AddDays(-1 - random.IntN(days)) }
	add := func(into ident.Register, values map[string]any) {
		values["person"] = subject
		encoded, encoding := register.EncodeValues(values)
		row := register.StoredVersion{
			Key: act.Of(subject), Register: into, Record: ident.New[ident.Record](time.Now()), Number: 1, At: time.Now().UTC(),
			From: today.AddMonths(-12), Event: "none",
		}
		plain, marshalling := json.Marshal(map[string]any{"values": encoded, "reason": "bench", "by": journal.Actor{Component: "bench"}})
		var sealing error
		row.Body, sealing = sealer.Seal(subject, fmt.Sprintf("register-version:%s/%s/%d", into, row.Record, row.Number), plain)
		err = errors.Join(err, encoding, marshalling, sealing)
		rows = append(rows, row)
	}
	birth := earlier(80 * 365)
	add("civil/births", map[string]any{"date": birth, "sex": []string{"female", "male"}[random.IntN(2)]})
	add("interior/residences", map[string]any{
		"household": ident.Random[ident.Household]().Subject(), "mahalla": homes[random.IntN(len(homes))], "since": earlier(20 * 365),
	})
	if random.IntN(10) == 0 {
		add("employment/unemployed", map[string]any{"registeredOn": earlier(365)})
	}
	if random.IntN(30) == 0 {
		add("youth/notebook", map[string]any{"support": "tools", "grantedOn": earlier(5 * 365)})
	}
	return rows, err
}
