// Command bench measures what an installation does in a second: applications for the service that is decided by rule,
// the whole story of the subsidy, releases of payments, and evidence answers. It stands each figure beside a floor that
// is measured in the same run: a bare loop that commits the same bytes to the same database, in commits of the same
// sizes, and makes and verifies the same number of signatures.
//
// The installation runs in this process, durable, behind a real HTTP server on loopback; the load generator shares the
// processors with it. A run takes all measurements one after another, each with its floor right behind it, and runs are
// repeated, so that what else the machine does hits all of them. README.md has the figures and says how to read them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options say how much is done.
type options struct {
	Runs         int
	Clients      int // at a time
	People       int // of the demonstration; those who apply come on top
	Applications int // for the automatic service, in a run
	Stories      int // of the subsidy, in a run: each takes a resident who has not had it
	Answers      int // of evidence, in a run
	Records      int // made, and read, in a run; as many events
	Lifecycles   int // of a case, in a run
	Residents    int // whom stored cases are of
	Mahallas     int // at least, each with its seven officials; 0: those that the profile names
	Cases        []int
	Bursts       []int         // lifecycles a second, at each size
	Burst        time.Duration // how long each burst lasts
	Day          time.Duration // into how long a working day is compressed; 0: none
	Simulated    int           // residents over whom a change is simulated; alone
	Profile      string
	Only         []string // slugs of the measurements to take; none: all
	// Database and SubjectKeys are the addresses of two empty databases of a PostgreSQL server; empty: files.
	Database, SubjectKeys string
}

// newcomers is how many applicants are needed: each has the subsidy once, and one in two of those about whom a record is made
// or evidence is asked is somebody else.
func (o options) newcomers() int {
	count := (o.Runs + 1) * max(o.Stories, o.Applications, o.Records/2, o.Answers/2) * max(len(o.Cases), 1)
	if o.Day > 0 {
		count += o.Residents/1000 + len(curve) // about five times as many as a day has
	}
	return count
}

// limit is how long everything may take together.
const limit = 15 * time.Minute

// growLimit is how long everything may take where cases are stored first.
const growLimit = 6 * time.Hour

func main() {
	wanted := options{People: 400, Clients: 64, Bursts: []int{15, 25, 35}}
	quick := flag.Bool("quick", false, "do very little, in seconds: whether it works, not how fast it is")
	flag.IntVar(&wanted.Runs, "runs", 10, "how often to measure")
	flag.IntVar(&wanted.Clients, "clients", wanted.Clients, "how many clients at a time")
	flag.IntVar(&wanted.People, "people", wanted.People, "how many people the demonstration has; those who apply come on top")
	flag.IntVar(&wanted.Applications, "applications", 1000, "applications for the automatic service in a run")
	flag.IntVar(&wanted.Stories, "stories", 96, "stories of the subsidy in a run")
	flag.IntVar(&wanted.Answers, "answers", 4000, "evidence answers in a run")
	flag.IntVar(&wanted.Records, "records", 4000, "records made, read by an official, read by their owners, and events appended, in a run")
	flag.IntVar(&wanted.Lifecycles, "lifecycles", 320, "lifecycles of a case in a run")
	flag.IntVar(&wanted.Residents, "residents", 10_000, "how many residents stored cases are of")
	flag.IntVar(&wanted.Mahallas, "mahallas", 0, "how many mahallas the country has at least, each with its seven officials; 0: those of its profile")
	flag.Func("cases", "sizes at which to measure how every kind of act grows with stored cases, as 10000,100000,1000000; alone", func(text string) (err error) {
		wanted.Cases, err = sizes(text)
		return err
	})
	flag.Func("bursts", "lifecycles a second that arrive at each of these sizes, whatever became of those before (default 15,25,35)", func(text string) (err error) {
		wanted.Bursts, err = sizes(text)
		return err
	})
	flag.DurationVar(&wanted.Burst, "burst", 20*time.Second, "how long each burst lasts")
	flag.DurationVar(&wanted.Day, "day", 0, "into how long to compress a working day of the residents, with every kind of act, at the last of these sizes; 0: none")
	flag.IntVar(&wanted.Simulated, "simulate", 0, "residents over whom to simulate a change of a service, as 300000; alone")
	flag.Func("only", "measurements to take, as record,own, with those whose results they take; without it all", func(text string) error {
		wanted.Only = strings.Split(text, ",")
		return nil
	})
	flag.StringVar(&wanted.Database, "database", "", "address of an empty PostgreSQL database (postgres://…) to measure instead of the embedded one; without floors")
	flag.StringVar(&wanted.SubjectKeys, "subject-keys", "", "address of another one, for the subjects' keys; required with -database")
	flag.StringVar(&wanted.Profile, "profile", "", "folder into which to write a CPU profile of each measurement")
	flag.Parse()
	if *quick {
		wanted = smallest()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, wanted, os.Stdout); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // both deferred calls have been made
	}
}

// sizes reads whole numbers that grow, with commas between them.
func sizes(text string) (found []int, err error) {
	for part := range strings.SplitSeq(text, ",") {
		size, err := strconv.Atoi(part)
		if err != nil || size < 1 || len(found) > 0 && size <= found[len(found)-1] {
			return nil, errors.New("they are whole numbers that grow, as 10000,100000")
		}
		found = append(found, size)
	}
	return found, nil
}

// smallest is the least that still does everything once.
func smallest() options {
	return options{Runs: 1, People: 50, Clients: 4, Applications: 8, Stories: 4, Answers: 16, Records: 16, Lifecycles: 4, Residents: 20, Burst: time.Second}
}

// run measures and prints.
func run(ctx context.Context, wanted options, out io.Writer) (err error) {
	if wanted.Runs < 1 || wanted.Clients < 1 || wanted.Applications < 1 || wanted.Stories < 1 || wanted.Answers < 1 ||
		wanted.Records < 1 || wanted.Lifecycles < 1 || wanted.Residents < 1 || wanted.Burst <= 0 || wanted.Day < 0 {
		return errors.New("each number is at least 1")
	}
	within := limit
	if len(wanted.Cases) > 0 || wanted.Simulated > 0 {
		within = growLimit
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	folder, err := os.MkdirTemp("", "yagona-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	engine := "WAL, synchronous FULL"
	if wanted.Database != "" {
		engine = "PostgreSQL, whose processes' time is not in the processors'"
	}
	fmt.Fprintf(out, "%s %s/%s, %d processors; %d clients, witnesses off, %s\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), wanted.Clients, engine)
	begun := time.Now()
	var w *world
	err = profiled(wanted.Profile, "opening", func() (err error) {
		w, err = open(ctx, folder, wanted)
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	fmt.Fprintf(out, "opened and seeded in %.1f s, resident %d MiB\n", time.Since(begun).Seconds(), resident()>>20)
	if len(wanted.Cases) > 0 {
		return w.grow(ctx, wanted, out)
	}
	if wanted.Simulated > 0 {
		return w.simulate(ctx, wanted, out)
	}
	measurements, err := only(w.measurements(wanted), wanted.Only)
	if err != nil {
		return err
	}
	least, err := openBare(ctx, folder, wanted.Clients)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, least.close()) }()
	all := make([][]result, len(measurements))
	for number := range wanted.Runs + 1 { // run 0 warms up and does not count
		for i, one := range measurements {
			measured, err := w.measure(ctx, one, wanted.Profile, number)
			if err != nil {
				return fmt.Errorf("run %d, %s: %w", number, one.name, err)
			}
			fmt.Fprintf(out, "run %2d  %s\n", number, measured.line(one))
			if number > 0 {
				all[i] = append(all[i], measured)
			}
		}
		if err := least.measure(ctx, wanted, number > 0); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "resident at the end: %d MiB\n\n", resident()>>20)
	summarise(out, measurements, all)
	least.report(out)
	return nil
}

// only returns the measurements of the slugs and those whose results they take, in their order; all, if none is named.
func only(all []measurement, slugs []string) ([]measurement, error) {
	if len(slugs) == 0 {
		return all, nil
	}
	wanted := map[string]bool{}
	for _, slug := range slugs {
		i := slices.IndexFunc(all, func(one measurement) bool { return one.slug == slug })
		if i < 0 {
			return nil, fmt.Errorf("there is no measurement %q", slug)
		}
		wanted[slug], wanted[all[i].after] = true, true
	}
	return slices.DeleteFunc(all, func(one measurement) bool { return !wanted[one.slug] }), nil
}

// measure does one measurement with nothing else under way, and its floor.
func (w *world) measure(ctx context.Context, one measurement, profile string, number int) (measured result, err error) {
	if err := w.quiet(ctx); err != nil {
		return result{}, err
	}
	err = profiled(profile, fmt.Sprintf("%s-%d", one.slug, number), func() (err error) {
		w.tally.start()
		spent, begun := processorTime(), time.Now()
		if measured.latencies, err = one.do(ctx); err == nil {
			err = w.drained(ctx) // what the answers left to do counts
		}
		measured.took, measured.spent = time.Since(begun), processorTime()-spent
		measured.work = w.tally.stop()
		return err
	})
	if err != nil {
		return result{}, err
	}
	if one.check != nil {
		if err := one.check(ctx); err != nil {
			return result{}, fmt.Errorf("afterwards: %w", err)
		}
	}
	if err := w.quiet(ctx); err != nil {
		return result{}, err
	}
	if w.onServer {
		return measured, nil // the floor is of the embedded engine
	}
	spent := processorTime()
	measured.floor, err = measured.work.floor(ctx, w.folder)
	measured.floorSpent = processorTime() - spent
	return measured, err
}

// profiled runs something and writes its CPU profile into the folder; without a folder it only runs it.
func profiled(folder, name string, do func() error) error {
	if folder == "" {
		return do()
	}
	file, err := os.Create(filepath.Join(folder, name+".pprof"))
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return errors.Join(err, file.Close())
	}
	err = do()
	pprof.StopCPUProfile()
	return errors.Join(err, file.Close())
}
