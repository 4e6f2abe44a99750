package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"yagona/node"
	"yagona/node/telemetry"
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
	Check       bool     `help:"Check the configuration, print what is in force without its secrets, and end."`
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
		shown, err := settings.effective()
		if err != nil {
			return err
		}
		fmt.Fprintf(terminal.Out, "the configuration is correct; in force is\n\n%s", shown)
		return nil
	}
	config.Clock = time.Now
	connected, err := settings.bank()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connected.Close()) }()
	config.Bank = connected
	log, flush := node.Log(terminal.Err, settings.Log)
	defer flush()
	config.Log = log
	// The listener comes first: an address in use says so before anything is opened.
	listener, err := net.Listen("tcp", settings.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	if settings.Traces.To != "" {
		shutdown, err := settings.Traces.begin(ctx, &config)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, shutdown()) }()
	}
	opened, err := node.Open(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	if settings.OperatorListen != "" {
		// It answers until all is closed: how a node ends is worth seeing, too.
		operator, err := net.Listen("tcp", settings.OperatorListen)
		if err != nil {
			return err
		}
		server := &http.Server{Handler: opened.Operator(), ReadHeaderTimeout: 10 * time.Second}
		defer server.Close()
		go func() {
			if err := server.Serve(operator); !errors.Is(err, http.ErrServerClosed) {
				config.Log.Error("serving the operator ended", "error", err)
			}
		}()
		fmt.Fprintf(terminal.Out, "operator http://%s\n", operator.Addr())
	}
	if len(opened.Catalogue().Funds) > 0 {
		fmt.Fprintln(terminal.Err, connected.notice())
	}
	node.Roomy()
	opened.Start(context.WithoutCancel(ctx)) // it is ended by Close, after the last request
	key, err := node.LogKey(config)
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "log %s\nready http://%s\n", key, listener.Addr())
	return serveUntil(ctx, listener, opened.Handler)
}

// begin makes the node's configuration send spans, and returns what sends the last of them.
func (c TracesConfig) begin(ctx context.Context, config *node.Config) (shutdown func() error, err error) {
	to, err := url.Parse(c.To)
	if err != nil {
		return nil, err
	}
	provider, err := telemetry.Exporter(ctx, to, c.Share)
	if err != nil {
		return nil, err
	}
	config.Traces = provider
	return func() error {
		// A collector that is away must not keep a node from ending.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := provider.Shutdown(ending); err != nil {
			config.Log.Warn("the last spans were not sent", "error", err)
		}
		return nil
	}, nil
}
