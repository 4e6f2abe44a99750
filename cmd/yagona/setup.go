package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/kernel/register"
	"yagona/node"
)

// setupCommand fills an installation that is empty: its people, the first registrar of each agency, its registers. It is
// for whoever has the installation's folder and keys, while nothing serves it; each act is journaled as setup's.
type setupCommand struct {
	People    setupPeople    `cmd:"" help:"Take up the people of a CSV file: number, name, birth, language."`
	Registrar setupRegistrar `cmd:"" help:"Appoint the first registrar of an agency; their national number is read from standard input."`
	Register  setupRegister  `cmd:"" help:"Import a file of CSV or NDJSON into a register, all of it or nothing."`
	Notebook  setupNotebook  `cmd:"" help:"Take a notebook that was kept as a table (.xlsx, .csv) into a register."`
	Undo      setupUndo      `cmd:"" help:"Undo the import of a notebook."`
}

// setupConfig says which installation.
type setupConfig struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration file (YAML) of the installation."`
}

// open opens the installation without serving it.
func (c setupConfig) open(ctx context.Context, terminal terminal) (*node.Node, error) {
	return openUnserved(ctx, terminal, c.Config, noBank{}, slog.LevelWarn)
}

// openUnserved opens the installation of a configuration file without serving it, and says on the terminal's error output
// what is of the level or worse.
func openUnserved(ctx context.Context, terminal terminal, file string, bank ledger.Bank, level slog.Level) (*node.Node, error) {
	settings, err := readConfig(file)
	if err != nil {
		return nil, usageError{err}
	}
	config, err := settings.node()
	if err != nil {
		return nil, usageError{err}
	}
	config.Clock, config.Bank = time.Now, bank
	config.Log = slog.New(slog.NewJSONHandler(terminal.Err, &slog.HandlerOptions{Level: level}))
	return node.Open(ctx, config)
}

type setupPeople struct {
	setupConfig
	File string `arg:"" type:"existingfile" help:"CSV file with a head."`
}

// Run takes people up.
func (c setupPeople) Run(ctx context.Context, terminal terminal) (err error) {
	opened, err := c.open(ctx, terminal)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	count, err := opened.TakeUpPeople(ctx, file)
	if err != nil {
		return fmt.Errorf("%s:%w", c.File, err)
	}
	fmt.Fprintf(terminal.Out, "taken up: %d people\n", count)
	return nil
}

type setupRegistrar struct {
	setupConfig
	Agency string `arg:"" help:"Name of the agency, as its pack has it."`
}

// Run appoints a registrar. The number is not an argument: every user of the machine sees the arguments of a command.
func (c setupRegistrar) Run(ctx context.Context, terminal terminal) (err error) {
	opened, err := c.open(ctx, terminal)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	number, err := bufio.NewReader(io.LimitReader(os.Stdin, 200)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	made, err := opened.AppointFirstRegistrar(ctx, ident.Agency(c.Agency), strings.TrimSpace(number))
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "appointed: registrar of %s, appointment %s\n", c.Agency, made.ID)
	fmt.Fprintln(terminal.Err, "this act stands in the log as the installation's own: tell the agency's head the appointment's number")
	return nil
}

type setupRegister struct {
	setupConfig
	Register string `arg:"" help:"The register, as PACK/NAME."`
	File     string `arg:"" type:"existingfile" help:"File that ends in .csv or .ndjson."`
}

// Run imports a register.
func (c setupRegister) Run(ctx context.Context, terminal terminal) (err error) {
	ndjson := strings.HasSuffix(c.File, ".ndjson")
	if !ndjson && !strings.HasSuffix(c.File, ".csv") {
		return usageError{fmt.Errorf("%s ends neither in .csv nor in .ndjson", c.File)}
	}
	opened, err := c.open(ctx, terminal)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	content, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	done, err := opened.ImportRegister(ctx, ident.Register(c.Register), ndjson, func() (io.Reader, error) { return bytes.NewReader(content), nil },
		func(reject register.Reject) {
			fmt.Fprintf(terminal.Err, "%s:%d: %s\n", c.File, reject.Line, reject.Reason.Message)
		})
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "read %d = created %d + changed %d + unchanged %d + rejected %d\n", done.Read, done.Created, done.Changed, done.Unchanged, done.Rejected)
	if done.Rejected > 0 {
		fmt.Fprintln(terminal.Err, "nothing was imported: correct these rows and import the file again")
		return errSaid
	}
	return nil
}
