// Command peers stands an installation beside PocketBase, Temporal, Request Tracker and bare PostgreSQL on the same work:
// create a case, read it, submit an application; start; memory; what kill -9 loses. README.md says what each of them does
// in each measurement, how durable it is, whom a comparison favours, and has the figures.
//
// Every program runs as its own processes, on loopback, in a temporary folder. They take turns: in each round each
// measurement is taken of one after the other, and whoever is not measured is stopped (SIGSTOP), so that it takes no
// processor. In the end all processes are killed.
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
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// options say how much is done.
type options struct {
	rounds, clients, people, kills, starts int
	turn                                   time.Duration // of one program in one measurement of a round
	only                                   string        // names, with commas; "": all
	cache                                  string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" { // it starts itself as the installation that is measured
		if err := serve(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "peers:", err)
			os.Exit(1)
		}
		return
	}
	var wanted options
	flag.IntVar(&wanted.rounds, "rounds", 10, "how often to measure each")
	flag.IntVar(&wanted.clients, "clients", 64, "how many clients at a time")
	flag.IntVar(&wanted.people, "people", 4000, "how many people our demonstration has")
	flag.IntVar(&wanted.kills, "kills", 3, "how often to kill each under load")
	flag.IntVar(&wanted.starts, "starts", 5, "how often to start each")
	flag.DurationVar(&wanted.turn, "turn", 2*time.Second, "how long each has its turn")
	flag.StringVar(&wanted.only, "only", "", "whom to measure, by the beginnings of their names with commas; nobody named: all")
	flag.StringVar(&wanted.cache, "cache", "", "where what is built stays for the next run (default: in the user's cache)")
	flag.Parse()
	debug.SetGCPercent(800) // it shares the processors with what it measures, and keeps little
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, wanted, contestants, os.Stdout); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1) //nolint:gocritic // the deferred call has been made
	}
}

// run gets, starts, measures and kills everybody.
func run(ctx context.Context, wanted options, contestants func(folder string, wanted options) []*contestant, out io.Writer) (err error) {
	if wanted.rounds < 1 || wanted.clients < 1 || wanted.people < 1 || wanted.kills < 0 || wanted.starts < 0 || wanted.turn <= 0 {
		return errors.New("there is at least one round, one client and one person, and a turn takes time")
	}
	if wanted.cache == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		wanted.cache = filepath.Join(cache, "yagona", "peers")
	}
	folder, err := os.MkdirTemp("", "yagona-peers-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := os.Chmod(folder, 0o755); err != nil { // PostgreSQL does not run as root, and passes through
		return err
	}
	fmt.Fprintf(out, "%s %s/%s, %d processors, load average %s; %d rounds, turns of %s, %d clients\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load(), wanted.rounds, wanted.turn, wanted.clients)
	var present []*contestant
	defer func() {
		for _, one := range present {
			one.kill()
		}
	}()
	for _, one := range contestants(folder, wanted) {
		if !chosen(one.name, wanted.only) {
			continue
		}
		begun := time.Now()
		if err := one.appear(ctx, wanted.cache); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			one.kill()
			fmt.Fprintf(out, "%s cannot be had: %s\n", one.name, strings.Join(strings.Fields(err.Error()), " "))
			continue
		}
		present = append(present, one)
		fmt.Fprintf(out, "%s: %s; there after %.1f s\n", one.name, one.setting, time.Since(begun).Seconds())
		one.pause()
	}
	if len(present) == 0 {
		return errors.New("nobody is there to be measured")
	}
	for number := range wanted.rounds + 1 { // round 0 warms up and does not count
		for _, measure := range measures {
			for _, one := range present {
				measured, err := one.measure(ctx, measure, wanted)
				if errors.Is(err, errNotDone) {
					continue
				}
				if err != nil {
					return fmt.Errorf("round %d, %s, %s: %w", number, measure, one.name, err)
				}
				fmt.Fprintf(out, "round %2d  %-8s %-24s %s\n", number, measure, one.name, measured)
				if number > 0 {
					one.measured[measure] = append(one.measured[measure], measured)
				}
			}
		}
	}
	for _, one := range present {
		if err := one.weigh(ctx, wanted); err != nil {
			return fmt.Errorf("%s, starting: %w", one.name, err)
		}
		fmt.Fprintf(out, "%s: started in %s s; resident %d MiB after its start, %d MiB under load\n", one.name, spread("%.2f", one.starts), one.idle>>20, one.busy>>20)
	}
	for number := range wanted.kills {
		for _, one := range present {
			if err := one.lose(ctx, wanted); err != nil {
				return fmt.Errorf("%s, killed: %w", one.name, err)
			}
			fmt.Fprintf(out, "kill %d: %s: of %d acknowledged by now, %d lost\n", number+1, one.name, one.acknowledged, one.lost)
		}
	}
	fmt.Fprintf(out, "load average at the end %s\n\n", load())
	report(out, present)
	return nil
}

func chosen(name, only string) bool {
	return only == "" || slices.ContainsFunc(strings.Split(only, ","), func(one string) bool {
		return strings.HasPrefix(strings.ToLower(name), strings.ToLower(one))
	})
}

// load returns how busy the machine is, as the system says it.
func load() string {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(content))[:3], " ")
}
