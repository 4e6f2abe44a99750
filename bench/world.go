package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"yagona/bench/wire"
	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/kernel/job"
	"yagona/kernel/session"
	"yagona/kernel/transparency"
	"yagona/node"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/store/query"
	"yagona/web/route"
)

// world is a running installation with everybody who takes part, signed in.
type world struct {
	folder     string
	onServer   bool // the databases are a server's
	node       *node.Node
	site       *url.URL
	server     *http.Server
	lines      *os.File // what the installation logs
	wire       wire.Client
	tally      *tally
	log        transparency.Store
	applicants []applicant
	fresh      int // applicants from here on have not had the subsidy
	officials  map[post]*client
	treasurer  *client
	registrar  *client             // of the youth agency
	certified  []ident.Application // by the last measurement of the automatic service, in the order of its applicants
	whose      func(int) applicant // the applicants of the last measurement of the automatic service
	turn       atomic.Int64        // how many turns of residents there were
	made       []string            // records, by the last measurement that made some
	sent       []ident.Application // by the last measurement, in the order of its applicants
	orders     []ident.Order       // granted and not released yet
}

// applicant is a resident of 22 who is registered as unemployed and lives alone.
type applicant struct {
	*client
	demo.Person
}

// post is an official's role in a territory.
type post struct {
	role      ident.Role
	territory ident.Territory
}

// open makes an installation in the folder, stores everybody, and signs in whoever takes part.
func open(ctx context.Context, folder string, wanted options) (_ *world, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &world{
		folder: folder, onServer: wanted.Database != "", site: &url.URL{Scheme: "http", Host: listener.Addr().String()}, tally: &tally{}, officials: map[post]*client{},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, listener.Close(), w.close())
		}
	}()
	profile, err := peopled(packs.Country(), wanted.Mahallas)
	if err != nil {
		return w, err
	}
	if w.lines, err = os.Create(filepath.Join(folder, "log")); err != nil {
		return w, err
	}
	log, _ := node.Log(w.lines, slog.LevelInfo) // a line for each request, as the command that serves writes it
	config := node.Config{
		Log:    log,
		Folder: filepath.Join(folder, "installation"), Site: w.site, Country: profile, Packs: packs.All(), Clock: time.Now,
		Database: wanted.Database, SubjectKeys: wanted.SubjectKeys,
		Limits: route.Limits{Person: math.MaxInt, Program: math.MaxInt, Address: math.MaxInt}, // a few residents stand for many
	}
	if w.node, err = node.OpenDemonstration(ctx, config, wanted.People); err != nil {
		return nil, err
	}
	w.log = query.For[transparency.Reader, transparency.Tx](w.node.DB)
	w.tally.signatures = w.node.Ring.Count
	w.node.DB.OnCommit(w.tally.committed)
	node.Roomy() // as the command that serves does
	w.node.Start(context.WithoutCancel(ctx))
	w.server = &http.Server{Handler: w.node.Handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = w.server.Serve(listener) }() // it ends when the world is closed
	return w, w.people(ctx, wanted)
}

// people stores those who apply, and signs everybody in.
func (w *world) people(ctx context.Context, wanted options) error {
	profile := w.node.Profile
	today := profile.Calendar.Date(time.Now())
	// The demonstration's people are a function of its seed, its day and its size.
	population, err := demo.Generate(1, profile, today, wanted.People)
	if err != nil {
		return err
	}
	var homes []ident.Territory
	var deciding []demo.Official
	for _, one := range population.Officials {
		switch one.Role {
		case "youth-leader", "chair":
			deciding = append(deciding, one)
			if one.Role == "chair" && profile.Territories.Level(one.Territory) == profile.Territories.Level(population.Home) {
				homes = append(homes, one.Territory)
			}
		case "registrar":
			if one.Agency != "youth-agency" {
				continue
			}
			if w.registrar, err = w.signIn(ctx, one.Person); err != nil {
				return err
			}
		case "treasurer":
			if one.Agency != "youth-agency" || w.treasurer != nil {
				continue
			}
			if w.treasurer, err = w.signIn(ctx, one.Person); err != nil {
				return err
			}
		}
	}
	signed, err := w.signInAll(ctx, len(deciding), func(i int) ident.Person { return deciding[i].Person })
	if err != nil {
		return err
	}
	for i, one := range deciding {
		w.officials[post{one.Role, one.Territory}] = signed[i]
	}
	if len(homes) == 0 || w.treasurer == nil || w.registrar == nil {
		return errors.New("the demonstration has nobody to decide, to release or to keep a register")
	}
	newcomers, err := movers(profile, today, homes, wanted.newcomers())
	if err != nil {
		return err
	}
	err = newcomers.Seed(ctx, demo.Keepers{
		Vault: w.node.Vault, People: w.node.People, Registers: w.node.Registers, Office: w.node.Office, Ledger: w.node.Ledger,
	}, nil)
	if err != nil {
		return err
	}
	simulated := w.node.SimulatedBank()
	if simulated == nil {
		return errors.New("the demonstration's bank is not the simulated one any more: let it know the newcomers' accounts")
	}
	simulated.OpenAccounts(newcomers.Accounts())
	signed, err = w.signInAll(ctx, len(newcomers.People), func(i int) ident.Person { return newcomers.People[i].ID })
	for i, one := range signed {
		w.applicants = append(w.applicants, applicant{one, newcomers.People[i]})
	}
	return err
}

// movers makes synthetic people of 22 and more without work, each alone in a household, spread over the territories. Their
// serial numbers are those that the demonstration's own people do not reach.
func movers(profile *country.Profile, today calendar.Date, homes []ident.Territory, count int) (*demo.Population, error) {
	population := &demo.Population{Today: today}
	for i := range count {
		const days = 2000 // from 22 years to 27
		birth := today.AddMonths(-12 * 22).AddDays(-i % days)
		number, err := "", error(nil)
		for serial := 900 + i/days; serial < 1000; serial++ {
			if number, err = profile.Person.Compose(birth, country.Female, serial); fault.Code(err) != "country.never-issued" {
				break
			}
		}
		if err != nil {
			return nil, err
		}
		account, err := profile.Account.Compose(calendar.Date{}, "", 500_000+i)
		if err != nil {
			return nil, err
		}
		population.People = append(population.People, demo.Person{
			ID: ident.Random[ident.Person](), Number: number, FamilyName: "Sinovova", GivenName: "Namuna", Patronymic: "Misol qizi",
			Sex: country.Female, Birth: birth, Household: ident.Random[ident.Household](), Residence: homes[i%len(homes)],
			Resident: today.AddMonths(-24), Account: account, Language: profile.Languages[0],
			Employment: demo.Employment{Status: demo.Unemployed, Since: today.AddDays(-30)},
		})
	}
	return population, nil
}

// signIn begins a session, as the sign-in does for a program once the provider has said who it is.
func (w *world) signIn(ctx context.Context, who ident.Person) (*client, error) {
	token, _, err := w.node.Sessions.Start(ctx, who, session.Program, false)
	return &client{site: w.site, wire: &w.wire, person: who, token: string(token)}, err
}

// signInAgain begins a new session for everybody: the others may have been idle for too long. Nobody speaks meanwhile.
func (w *world) signInAgain(ctx context.Context) error {
	everybody := append(slices.Collect(maps.Values(w.officials)), w.registrar, w.treasurer)
	for _, one := range w.applicants {
		everybody = append(everybody, one.client)
	}
	signed, err := w.signInAll(ctx, len(everybody), func(i int) ident.Person { return everybody[i].person })
	if err != nil {
		return err
	}
	for i, one := range everybody {
		one.token = signed[i].token
	}
	return nil
}

// signInAll signs in many people, as many at a time as share a commit.
func (w *world) signInAll(ctx context.Context, count int, who func(int) ident.Person) ([]*client, error) {
	signed := make([]*client, count)
	_, err := each(ctx, storing, count, func(ctx context.Context, i int) (err error) {
		signed[i], err = w.signIn(ctx, who(i))
		return err
	})
	return signed, err
}

// quiet waits until no job is due and the log has everything.
func (w *world) quiet(ctx context.Context) error {
	if err := w.drained(ctx); err != nil {
		return err
	}
	return eventually(ctx, func() (bool, error) {
		waiting := 0
		err := w.log.Update(ctx, "platform", func(tx transparency.Tx) error {
			pending, err := tx.PendingEntries(1)
			waiting = len(pending)
			return err
		})
		if err != nil || waiting > 0 {
			return false, err
		}
		status, err := w.node.Sequencer.Status(ctx)
		if err != nil || status.Pending() {
			return false, err
		}
		counted := false
		err = query.For[indicator.Reader, indicator.Tx](w.node.DB).View(ctx, func(tx indicator.Reader) error {
			head, err := tx.LogHead()
			if err != nil {
				return err
			}
			place, _, err := tx.IndicatorPlace()
			counted = place.Next == head.Size
			return err
		})
		return counted, err
	})
}

// drained waits until no job is due: what an answered request left to do is done. A job that failed fails the
// measurement.
func (w *world) drained(ctx context.Context) error {
	jobs := query.For[job.Reader, job.Tx](w.node.DB)
	return eventually(ctx, func() (bool, error) {
		var next time.Time
		err := jobs.View(ctx, func(tx job.Reader) error {
			dead, err := tx.DeadJobs(1)
			if err == nil && len(dead) > 0 {
				err = fmt.Errorf("a job of the kind %s was given up: %s", dead[0].Kind, dead[0].Failure)
			}
			if err != nil {
				return err
			}
			next, err = tx.NextJob()
			return err
		})
		return next.IsZero() || next.After(time.Now().Add(time.Minute)), err
	})
}

// eventually asks again until it is so.
func eventually(ctx context.Context, ask func() (bool, error)) error {
	for {
		done, err := ask()
		if err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (w *world) close() error {
	var errs []error
	if w.server != nil {
		errs = append(errs, w.server.Close())
	}
	w.wire.Close()
	if w.node != nil {
		errs = append(errs, w.node.Close())
	}
	if w.lines != nil {
		errs = append(errs, w.lines.Close())
	}
	return errors.Join(errs...)
}

// resident returns how much memory this process has resident, in bytes; 0 where the system does not tell.
func resident() (size int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		if _, err := fmt.Sscanf(string(line), "VmRSS: %d kB", &size); err == nil {
			return size << 10
		}
	}
	return 0
}

// processorTime returns how long this process has had the processors, the load generator included.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // only for a process that it does not know
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
