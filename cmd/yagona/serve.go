package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"yagona/node"
)

// serveCommand serves an installation until it is asked to end.
type serveCommand struct {
	Config      string   `placeholder:"FILE" help:"Configuration file (YAML)."`
	Folder      string   `placeholder:"DIR" help:"Folder of everything that is kept."`
	Database    string   `placeholder:"URL" help:"Address of a PostgreSQL database (postgres://…), which several processes may serve; without it a file in the folder."`
	SubjectKeys string   `placeholder:"URL" help:"Address of another one, for the subjects' keys. Required with --database."`
	Site        string   `placeholder:"URL" help:"Address by which people reach the installation."`
	Listen      string   `placeholder:"ADDRESS" help:"Address to listen on; 127.0.0.1:8080 if nothing says another."`
	Packs       []string `placeholder:"DIR" help:"Folders of packs, beside the shipped ones. Repeat it for several."`
	Check       bool     `help:"Check the configuration and end."`
}

// Run serves. The first signal ends it: no new requests are taken, those that have begun are answered, acts under way
// are finished, and the stores are closed.
func (c serveCommand) Run(ctx context.Context, terminal terminal) (err error) {
	settings, err := readConfig(c.Config)
	if err != nil {
		return usageError{err}
	}
	for flag, setting := range map[*string]*string{
		&c.Folder: &settings.Folder, &c.Database: &settings.Database, &c.SubjectKeys: &settings.SubjectKeys, &c.Site: &settings.Site,
		&c.Listen: &settings.Listen,
	} {
		if *flag != "" {
			*setting = *flag
		}
	}
	settings.Packs = append(settings.Packs, c.Packs...)
	config, err := settings.node()
	if err != nil {
		return usageError{err}
	}
	if c.Check {
		fmt.Fprintln(terminal.Out, "the configuration is correct")
		return nil
	}
	config.Clock = time.Now
	connected, err := settings.bank()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connected.Close()) }()
	config.Bank = connected
	config.Log = slog.New(slog.NewJSONHandler(terminal.Err, &slog.HandlerOptions{Level: settings.Log}))
	// The listener comes first: an address in use says so before anything is opened.
	listener, err := net.Listen("tcp", settings.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	opened, err := node.Open(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	if len(opened.Catalogue().Funds) > 0 {
		fmt.Fprintln(terminal.Err, connected.notice())
	}
	opened.Start(context.WithoutCancel(ctx)) // it is ended by Close, after the last request
	key, err := node.LogKey(config)
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "log %s\nready http://%s\n", key, listener.Addr())
	return serveUntil(ctx, listener, opened.Handler)
}
