package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"
)

// curve is which share of a working day's acts falls into each of its hours, in the country's time, in thousandths: most
// in the morning, a dip at noon, a second rise in the afternoon, a little at night. Like how often people do what
// (kind.yearly), it is an assumption.
var curve = [24]int{4, 2, 2, 2, 3, 6, 12, 25, 55, 100, 115, 105, 70, 60, 90, 85, 75, 60, 40, 30, 25, 18, 11, 5}

// workingDays is how many days of a year have such a curve; nothing is counted on the others.
const workingDays = 250

// arrival is when something is due, counted from the beginning.
type arrival struct {
	due  time.Duration
	hour int
	kind kind
}

// arrivals spreads so many acts over a working day that is compressed into so long: each hour has its share of the curve,
// within the hour they come by chance, and of which kind they are is drawn by how often people do it. Each kind comes at
// least once. The same seed gives the same day.
func arrivals(seed uint64, kinds []kind, acts int, within time.Duration) (day []arrival) {
	random := rand.New(rand.NewPCG(seed, 1))
	hour := within / time.Duration(len(curve))
	for i := range max(acts, len(kinds)) {
		at, drawn := 0, random.IntN(total(curve[:]))
		for ; drawn >= curve[at]; at++ {
			drawn -= curve[at]
		}
		one := kinds[i%len(kinds)]
		if i >= len(kinds) {
			one = draw(random, kinds)
		}
		day = append(day, arrival{time.Duration(at)*hour + rand.N(hour), at, one})
	}
	slices.SortFunc(day, func(a, b arrival) int { return int(a.due - b.due) })
	return day
}

func draw(random *rand.Rand, kinds []kind) kind {
	drawn := random.Float64() * yearly(kinds)
	for _, one := range kinds {
		if drawn -= one.yearly; drawn < 0 {
			return one
		}
	}
	return kinds[len(kinds)-1]
}

// yearly is how many acts a resident makes in a year.
func yearly(kinds []kind) (sum float64) {
	for _, one := range kinds {
		sum += one.yearly
	}
	return sum
}

// atOnce is how many acts may be under way at a time. What is due while so many are waits, and its wait counts.
const atOnce = 512

// arrive does each piece when it is due, whatever became of those before. It returns how long each took, counted from when
// it was due, and its error.
func arrive(ctx context.Context, due []time.Duration, do func(context.Context, int) error) ([]time.Duration, []error) {
	took, errs := make([]time.Duration, len(due)), make([]error, len(due))
	places := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	begun := time.Now()
	for i, at := range due {
		select {
		case <-ctx.Done():
			errs[i] = ctx.Err()
			continue
		case <-time.After(at - time.Since(begun)):
		}
		places <- struct{}{}
		group.Go(func() {
			errs[i] = do(ctx, i)
			took[i] = time.Since(begun) - at
			<-places
		})
	}
	group.Wait()
	return took, errs
}

// day lets a working day of the residents arrive, compressed, and reports it by the hour and by kind.
func (w *world) day(ctx context.Context, wanted options, people *cast, out io.Writer) error {
	if err := w.signInAgain(ctx); err != nil {
		return err
	}
	kinds := w.kinds(people)
	acts := int(float64(wanted.Residents) * yearly(kinds) / workingDays)
	day := arrivals(1, kinds, acts, wanted.Day)
	due := make([]time.Duration, len(day))
	for i, one := range day {
		due[i] = one.due
	}
	before, err := w.checkpointed(ctx)
	if err != nil {
		return err
	}
	spent, begun := processorTime(), time.Now()
	took, errs := arrive(ctx, due, func(ctx context.Context, i int) error { return day[i].kind.do(ctx, i) })
	if err := w.drained(ctx); err != nil {
		return err
	}
	clock, spent := time.Since(begun), processorTime()-spent
	after, err := w.checkpointed(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nA working day of %d residents, %d acts, in %s (%.0f times as fast): processors %.0f %% busy with it, load generator included; %d MiB more stored\n",
		wanted.Residents, len(day), clock.Round(time.Second), 24*time.Hour.Seconds()/wanted.Day.Seconds(),
		100*spent.Seconds()/clock.Seconds()/float64(runtime.NumCPU()), (after-before)>>20)
	fmt.Fprintln(out, "\n| hour | acts | per second | p50 ms | p99 ms | p99.9 ms | errors |\n|---:|---:|---:|---:|---:|---:|---:|")
	hour := wanted.Day / time.Duration(len(curve))
	for at := range curve {
		line(out, fmt.Sprintf("%d", at), hour, took, errs, func(i int) bool { return day[i].hour == at })
	}
	fmt.Fprintln(out, "\n| kind of act | acts | per second | p50 ms | p99 ms | p99.9 ms | errors |\n|---|---:|---:|---:|---:|---:|---:|")
	for _, one := range kinds {
		line(out, one.name, wanted.Day, took, errs, func(i int) bool { return day[i].kind.slug == one.slug })
	}
	return failed(errs)
}

// burst lets so many lifecycles a second arrive for a while.
func (w *world) burst(ctx context.Context, wanted options, people *cast, rate int, out io.Writer) error {
	count := max(int(float64(rate)*wanted.Burst.Seconds()), 1)
	due := make([]time.Duration, count)
	for i := range due {
		due[i] = time.Duration(i) * time.Second / time.Duration(rate)
	}
	base := int(people.done.Add(int64(count))) - count
	took, errs := arrive(ctx, due, func(ctx context.Context, i int) error {
		return w.celebrate(ctx, w.applicants[(base+i)%len(w.applicants)])
	})
	line(out, fmt.Sprintf("%d a second", rate), wanted.Burst, took, errs, func(int) bool { return true })
	return errors.Join(failed(errs), w.quiet(ctx))
}

// line prints the row of a table about those pieces that are chosen.
func line(out io.Writer, name string, within time.Duration, took []time.Duration, errs []error, chosen func(int) bool) {
	var those result
	wrong := 0
	for i := range took {
		if !chosen(i) {
			continue
		}
		those.latencies = append(those.latencies, took[i])
		if errs[i] != nil {
			wrong++
		}
	}
	if len(those.latencies) == 0 {
		return
	}
	fmt.Fprintf(out, "| %s | %d | %.1f | %.1f | %.1f | %.1f | %d |\n", name, len(those.latencies), float64(len(those.latencies))/within.Seconds(),
		those.percentile(0.5), those.percentile(0.99), those.percentile(0.999), wrong)
}

// failed returns the first error and how many there are; nil if there is none.
func failed(errs []error) error {
	var first error
	count := 0
	for _, err := range errs {
		if err != nil {
			count++
			if first == nil {
				first = err
			}
		}
	}
	if first == nil {
		return nil
	}
	return fmt.Errorf("%d of %d acts failed, the first: %w", count, len(errs), first)
}
