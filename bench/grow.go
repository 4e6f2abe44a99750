package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/service"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// grown is what was measured at one number of stored cases.
type grown struct {
	cases    int
	database int64 // bytes of the database
	resident int64 // bytes of the process
	results  [][]result
	disk     [][]float64 // bytes that a piece added, by measurement and run
}

// grow measures how the work of a day grows with the cases that are stored: every kind of act at every size, and bursts
// of lifecycles. In the end it lets a whole day arrive, and says what a country needs.
func (w *world) grow(ctx context.Context, wanted options, out io.Writer) error {
	before, err := w.checkpointed(ctx)
	if err != nil {
		return err
	}
	begun := time.Now()
	residents, err := w.takeUp(ctx, wanted.Residents)
	if err != nil {
		return err
	}
	if err := w.quiet(ctx); err != nil {
		return err
	}
	after, err := w.checkpointed(ctx)
	if err != nil {
		return err
	}
	perResident := float64(after-before) / float64(len(residents))
	fmt.Fprintf(out, "%d residents taken up in %.0f s, %.1f KiB each\n", len(residents), time.Since(begun).Seconds(), perResident/1024)
	people, err := w.gather(ctx, wanted)
	if err != nil {
		return err
	}
	measurements := append(w.measurements(wanted), w.further(wanted, people)...)
	var all []grown
	stored := 0
	for _, size := range wanted.Cases {
		spent, begun := processorTime(), time.Now()
		if err := w.storeCases(ctx, residents, stored, size); err != nil {
			return err
		}
		if err := w.quiet(ctx); err != nil {
			return err
		}
		fmt.Fprintf(out, "%d cases of %d residents stored: %d more in %.0f s, %.2f ms of the processors each\n", size, len(residents), size-stored,
			time.Since(begun).Seconds(), float64((processorTime()-spent).Microseconds())/1000/float64(size-stored))
		stored = size
		one, err := w.at(ctx, size, wanted, measurements, out)
		if err != nil {
			return err
		}
		all = append(all, one)
		fmt.Fprintf(out, "\nBursts of lifecycles at %d stored cases, %s each\n\n| | cases | per second | p50 ms | p99 ms | p99.9 ms | errors |\n|---|---:|---:|---:|---:|---:|---:|\n", size, wanted.Burst)
		for _, rate := range wanted.Bursts {
			if err := w.burst(ctx, wanted, people, rate, out); err != nil {
				return fmt.Errorf("with %d cases, %d lifecycles a second: %w", size, rate, err)
			}
		}
	}
	sizing(out, measurements, all)
	last := all[len(all)-1]
	if len(all) > 1 {
		lifecycles := func(of grown) []float64 {
			i := slices.IndexFunc(measurements, func(one measurement) bool { return one.slug == "lifecycle" })
			return column(of.results[i], func(r result) float64 { return r.percentile(0.5) })
		}
		fmt.Fprintln(out)
		compare(out, "Lifecycle", all[len(all)-2], last, lifecycles)
	}
	measured := map[string]taken{}
	for i, one := range measurements {
		measured[one.slug] = taken{median(last.disk[i]), median(column(last.results[i], func(r result) float64 { return r.each(r.spent) }))}
	}
	paper(out, w.kinds(people), measured, perResident)
	if wanted.Day > 0 {
		return w.day(ctx, wanted, people, out)
	}
	return nil
}

// at measures everything at one number of stored cases.
func (w *world) at(ctx context.Context, size int, wanted options, measurements []measurement, out io.Writer) (grown, error) {
	one := grown{cases: size, results: make([][]result, len(measurements)), disk: make([][]float64, len(measurements))}
	for number := range wanted.Runs + 1 { // run 0 warms up and does not count
		for i, measurement := range measurements {
			before, err := w.checkpointed(ctx)
			if err != nil {
				return grown{}, err
			}
			measured, err := w.measure(ctx, measurement, wanted.Profile, number)
			if err != nil {
				return grown{}, fmt.Errorf("with %d cases, run %d, %s: %w", size, number, measurement.name, err)
			}
			after, err := w.checkpointed(ctx)
			if err != nil {
				return grown{}, err
			}
			fmt.Fprintf(out, "%8d cases, run %2d  %s\n", size, number, measured.line(measurement))
			if number > 0 {
				one.results[i] = append(one.results[i], measured)
				one.disk[i] = append(one.disk[i], float64(after-before)/float64(len(measured.latencies)))
			}
			one.database = after
		}
	}
	one.resident = resident()
	return one, nil
}

// takeUp takes up invented residents, by the way that every resident is taken up.
func (w *world) takeUp(ctx context.Context, count int) ([]ident.Subject, error) {
	const batch = 500
	residents := make([]ident.Subject, 0, count)
	for len(residents) < count {
		people := make([]ident.Person, min(batch, count-len(residents)))
		subjects := make([]ident.Subject, len(people))
		for i := range people {
			people[i] = ident.Random[ident.Person]()
			subjects[i] = people[i].Subject()
		}
		if _, err := w.node.Vault.Open(ctx, subjects...); err != nil { // their keys, in one transaction
			return nil, err
		}
		_, err := each(ctx, storing, len(people), func(ctx context.Context, i int) error {
			_, err := w.node.People.TakeUp(ctx, journal.Actor{Component: "bench"}, people[i], person.Attributes{
				Number: fmt.Sprintf("synthetic %s", people[i]), Name: "Sinovova Namuna Misol qizi", Birth: calendar.Date{Year: 1990, Month: time.May, Day: 1},
			})
			return err
		})
		if err != nil {
			return nil, err
		}
		residents = append(residents, subjects...)
	}
	return residents, nil
}

// storing is how many cases are stored at a time: as many as share a commit.
const storing = 64

// storeCases stores closed cases, spread over the residents, the places and the last three years: an application with
// what was said in it, its task and its event, as they are after a decision. One in a hundred of each place's first
// thousand is still open, so that an inbox has some ten of them.
func (w *world) storeCases(ctx context.Context, residents []ident.Subject, from, to int) error {
	definition, err := w.node.Catalogue().Services.Open(celebration, w.today())
	if err != nil {
		return err
	}
	var homes []ident.Territory
	for at := range w.officials {
		if at.role == "chair" {
			homes = append(homes, at.territory)
		}
	}
	if len(homes) == 0 {
		return errors.New("no chair decides anywhere")
	}
	places := w.node.Profile.Territories
	var paths sync.Map
	_, err = each(ctx, storing, to-from, func(ctx context.Context, i int) error {
		i += from
		home := homes[i%len(homes)]
		place, ok := paths.Load(home)
		if !ok {
			var path strings.Builder
			path.WriteByte('/')
			for _, one := range places.Path(home) {
				path.WriteString(string(one) + "/")
			}
			place, _ = paths.LoadOrStore(home, path.String())
		}
		open := i/len(homes) < 1000 && i/len(homes)%100 == 0
		made := time.Now().UTC().Add(-3 * 365 * 24 * time.Hour).Add(time.Duration(i%1_000_000) * 90 * time.Second).Truncate(time.Microsecond)
		return w.storeCase(ctx, definition, residents[i%len(residents)], home, place.(string), made, open)
	})
	return err
}

func (w *world) storeCase(ctx context.Context, definition *service.Definition, of ident.Subject, home ident.Territory, place string, made time.Time, open bool) error {
	sealer, err := w.node.Vault.Open(ctx, of)
	if err != nil {
		return err
	}
	resident, _ := of.Person()
	by := journal.Actor{Person: resident}
	decided := made.Add(30 * time.Hour)
	application := casework.Application{
		ID: ident.New[ident.Application](made), Applicant: of, Service: definition.Path, Version: definition.Hash, Agency: definition.Agency,
		State: casework.Granted, Revision: 2, Language: "en", Created: made, Submitted: made, Decided: decided, Territory: home,
	}
	task := casework.Task{
		ID: ident.New[ident.Task](made), Application: application.ID, Applicant: of, Service: definition.Path, Step: "look",
		Agency: definition.Agency, Role: "chair", Territory: home, Place: place, State: casework.TaskDone, Opened: made,
		Clock: calendar.StartClock(made, 2), Closed: decided,
	}
	if open {
		application.State, application.Revision, application.Decided = casework.Deciding, 1, time.Time{}
		task.State, task.Due, task.Closed = casework.TaskOpen, time.Now().UTC().Add(48*time.Hour).Truncate(time.Microsecond), time.Time{}
	}
	content, err := json.Marshal(casework.Content{
		Answers: json.RawMessage(`{"day":"2026-04-11","guests":150,"occasion":"wedding"}`),
		Rules:   []casework.RuleResult{{ID: "in-time", Outcome: "met"}, {ID: "guests", Outcome: "met"}},
		History: []casework.Entry{{At: made, What: "application.submitted", By: by}, {At: decided, What: "task.approve", By: by, Step: "look"}},
	})
	if err != nil {
		return err
	}
	if application.Sealed, err = sealer.Seal(of, "application:"+string(application.ID), content); err != nil {
		return err
	}
	return query.For[casework.Reader, casework.Tx](w.node.DB).Update(ctx, act.Of(of), func(tx casework.Tx) error {
		event := journal.NewID(tx)
		application, task := application, task
		application.Event, task.Event = event, event
		if err := errors.Join(tx.SaveApplication(application), tx.SaveTask(task)); err != nil {
			return err
		}
		return journal.AppendAs(tx, sealer, event, journal.Event{
			Type: "task.approve", Actor: by, Object: "application:" + string(application.ID),
			Facts:  map[string]string{"service": string(definition.Path), "state": string(application.State)},
			Covers: []journal.Cover{application.Cover(), task.Cover()}, Parts: []journal.Part{{Subject: of}},
		})
	})
}

// checkpointed returns how large the database is once its write-ahead log is in it.
func (w *world) checkpointed(ctx context.Context) (size int64, err error) {
	path := filepath.Join(w.folder, "installation", "yagona.db")
	pool, err := sqlite.OpenFile(path)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	err = eventually(ctx, func() (bool, error) { // whoever reads an older state holds it up
		var busy, log, done int
		err := pool.QueryRowContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &log, &done)
		return log == done, err
	})
	if err != nil {
		return 0, err
	}
	file, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return file.Size(), nil
}

// sizing prints what an installation of each size needs, and how fast it is.
func sizing(out io.Writer, measurements []measurement, all []grown) {
	fmt.Fprintln(out, "\nMedians (least to most):")
	fmt.Fprintln(out, "\n| cases stored | database MiB | resident MiB | | per second | p50 ms | p99 ms | p99.9 ms | processor ms each | disk KiB each |")
	fmt.Fprintln(out, "|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|")
	for _, size := range all {
		for i, one := range measurements {
			figure := func(format string, of func(result) float64) string {
				return spread(format, column(size.results[i], of))
			}
			disk := column(size.disk[i], func(bytes float64) float64 { return bytes / 1024 })
			fmt.Fprintf(out, "| %d | %d | %d | %s | %s | %s | %s | %s | %s | %s |\n", size.cases, size.database>>20, size.resident>>20, one.name,
				figure("%.0f", result.rate), figure("%.1f", func(r result) float64 { return r.percentile(0.5) }),
				figure("%.1f", func(r result) float64 { return r.percentile(0.99) }), figure("%.1f", func(r result) float64 { return r.percentile(0.999) }),
				figure("%.2f", func(r result) float64 { return r.each(r.spent) }), spread("%.1f", disk))
		}
	}
}

func column[T any](of []T, value func(T) float64) []float64 {
	values := make([]float64, len(of))
	for i, one := range of {
		values[i] = value(one)
	}
	return values
}
