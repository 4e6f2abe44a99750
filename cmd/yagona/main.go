// Command yagona is the whole platform in one binary: it serves an installation, checks and publishes packs, witnesses a
// log, and verifies what others issued.
//
// It owns flags, configuration and what is printed; every rule is in the packages that it calls. Exit codes: 0, it is
// so; 1, it is not so, or it failed; 2, the command line or the configuration is wrong; 3, it cannot be said, because something
// is missing that is to be connected.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"yagona/kernel/fault"
)

// The exit codes.
const (
	exitFailed  = 1
	exitUsage   = 2
	exitMissing = 3
)

// commandLine is every command with its flags.
type commandLine struct {
	Serve     serveCommand     `cmd:"" help:"Serve an installation."`
	Setup     setupCommand     `cmd:"" help:"Fill an empty installation: people, first registrars, registers."`
	Demo      demoCommand      `cmd:"" help:"Serve a demonstration with synthetic people."`
	Practice  practiceCommand  `cmd:"" help:"Serve a practice ground, on which officials learn with synthetic people."`
	Simulate  simulateCommand  `cmd:"" help:"Ask what a change of a service's rules would do, counted over all residents."`
	Pack      packCommand      `cmd:"" help:"Write, check and publish packs."`
	Verify    verifyCommand    `cmd:"" help:"Verify a document offline."`
	Witness   witnessCommand   `cmd:"" help:"Witness the log of an installation."`
	Audit     auditCommand     `cmd:"" help:"Recompute what an installation has recorded."`
	Indicator indicatorCommand `cmd:"" help:"Count the indicators anew, and compare."`
	Key       keyCommand       `cmd:"" help:"List and rotate the keys of an installation."`
	DB        dbCommand        `cmd:"" name:"db" help:"Plan how an installation's tables are spread over machines."`
	Jobs      jobsCommand      `cmd:"" help:"List and retry the jobs that were given up."`
	Backup    backupCommand    `cmd:"" help:"Copy an installation, which may be served meanwhile."`
	Restore   restoreCommand   `cmd:"" help:"Bring an installation back from copies."`
	Archive   archiveCommand   `cmd:"" help:"Move months that need not be at hand out of the database, while it is served."`
	Doctor    doctorCommand    `cmd:"" help:"Look at an installation, and say what to do about what is wrong."`
}

// terminal is where a command prints: what was asked for, and what is to be said about it.
type terminal struct{ Out, Err io.Writer }

// usageError says that the command line or the configuration is wrong.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// errSaid ends a command that failed and has said why.
var errSaid = errors.New("the command failed and has said why")

// errMissing ends a command that cannot tell and has said what is missing.
var errMissing = errors.New("something is missing, and the command has said what")

func main() {
	// The first signal asks a command to end in good order; a second one ends it at once.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], terminal{os.Stdout, os.Stderr}))
}

// run carries out a command line and returns the exit code.
func run(ctx context.Context, args []string, terminal terminal) int {
	exit := -1
	parser, err := kong.New(&commandLine{},
		kong.Name("yagona"), kong.Description("A platform on which a country runs its public services."),
		kong.UsageOnError(), kong.Writers(terminal.Out, terminal.Err), kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(terminal),
	)
	if err != nil {
		panic(err) // the structs above are malformed, and every test would say so
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 {
		return exit // help was asked for and printed
	}
	if err != nil {
		err = usageError{err}
	} else {
		err = parsed.Run()
	}
	if err == nil {
		return 0
	}
	if errors.Is(err, errMissing) {
		return exitMissing
	}
	if !errors.Is(err, errSaid) {
		fmt.Fprintf(terminal.Err, "yagona: %s\n", explain(err))
	}
	if _, usage := errors.AsType[usageError](err); usage {
		return exitUsage
	}
	return exitFailed
}

// explain returns what to tell about an error: a fault's own words, with what it says in detail.
func explain(err error) string {
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok {
		return err.Error()
	}
	if f.Err != nil && !strings.Contains(f.Message, f.Err.Error()) {
		return fmt.Sprintf("%s (%v)", f.Message, f.Err)
	}
	return f.Message
}
