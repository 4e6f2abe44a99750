package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"yagona/node"
	"yagona/store"
	"yagona/store/sqlite"
)

// doctorCommand looks at an installation: at its files, and at what it needs of others.
type doctorCommand struct {
	Config string `required:"" type:"existingfile" placeholder:"FILE" help:"The installation's configuration."`
}

// doctor collects what was looked at.
type doctor struct {
	terminal terminal
	found    int
}

// look says how one thing is: fine, or what is wrong with it and what to do.
func (d *doctor) look(what string, err error, remedy string) bool {
	if err == nil {
		fmt.Fprintf(d.terminal.Out, "ok    %s\n", what)
		return true
	}
	d.found++
	fmt.Fprintf(d.terminal.Out, "FOUND %s: %v\n      %s\n", what, err, remedy)
	return false
}

// Run looks. It ends with 1 if it found something. It changes nothing but what opening an installation changes.
func (c doctorCommand) Run(ctx context.Context, terminal terminal) (err error) {
	d := &doctor{terminal: terminal}
	settings, err := readConfig(c.Config)
	var config node.Config
	if err == nil {
		config, err = settings.node()
	}
	if !d.look("configuration", err, "Correct it; the reference is docs/reference/configuration.md.") {
		return errSaid
	}
	config.Clock, config.Bank = time.Now, noBank{}
	config.Log = slog.New(slog.DiscardHandler)
	d.look("file permissions", private(settings.Folder), "Run chmod -R go-rwx on the folder: whoever reads it signs in your name.")
	look := d.files
	if settings.Database != "" {
		look = d.servers
	}
	if look(ctx, settings) {
		opened, err := node.Open(ctx, config)
		if d.look("packs, keys and stores open", err, "Do what the message says.") {
			defer func() { err = errors.Join(err, opened.Close()) }()
			d.inside(ctx, opened)
		}
	}
	for _, one := range config.Witnesses {
		d.look("witness "+one.URL, reachable(ctx, one.URL), "Ask whoever runs it; until the quorum is there, everything stays pending.")
	}
	d.look("sign-in provider", reachable(ctx, config.Provider.Issuer), "Ask whoever runs it; until then nobody can sign in.")
	if d.found > 0 {
		fmt.Fprintf(terminal.Out, "%d found\n", d.found)
		return errSaid
	}
	return nil
}

// files looks at the databases of an installation that has them in its folder, and reports whether they may be opened.
func (d *doctor) files(ctx context.Context, settings Config) bool {
	database := filepath.Join(settings.Folder, "yagona.db")
	if _, err := os.Stat(database); !d.look("database", err, "Start the node once with yagona serve, or restore a copy.") {
		return false
	}
	whole := d.look("database pages", sqlite.CheckFile(ctx, database), "Stop the node, look at the disk, restore the newest copy: docs/how-to/keep-backups.md.")
	d.look("subjects' keys pages", sqlite.CheckFile(ctx, filepath.Join(settings.Folder, "subject-keys.db")),
		"Stop the node, look at the disk, restore the newest copy of the subjects' keys.")
	return whole
}

// servers looks at the databases of an installation that has them on a server. Their pages are the server's to check: it does at
// each reading, if it was made with data-checksums.
func (d *doctor) servers(ctx context.Context, settings Config) bool {
	const remedy = "Look whether the server runs, and whether the address, the user and the password are right."
	there := true
	for _, what := range []string{"database", "database of the subjects' keys"} {
		location := settings.Database
		if what != "database" {
			location = settings.SubjectKeys
		}
		condition, err := store.Ask(ctx, location)
		if !d.look(what+" answers", err, remedy) {
			there = false
			continue
		}
		err = nil
		if !condition.Checksums {
			err = errors.New("the server was made without data-checksums: a damaged page is read as if it were whole")
		}
		d.look(what+" checks its pages", err, "Stop the server, run pg_checksums --enable, and start it again.")
		if condition.Empty && what == "database" {
			there = d.look("database is filled", errors.New("it has no tables"), "Start the node once with yagona serve, or restore a copy.")
		}
	}
	return there
}

// inside looks at what only an open installation tells.
func (d *doctor) inside(ctx context.Context, opened *node.Node) {
	reasons := map[string]node.Reason{}
	for _, one := range opened.Unready(ctx) {
		reasons[one.Check] = one
	}
	for check, what := range map[string]string{"disk": "room on the disk", "keys": "key files", "clock": "clock", "restored": "no restoration waits"} {
		var err error
		if reasons[check].Problem != "" {
			err = errors.New(reasons[check].Problem)
		}
		d.look(what, err, reasons[check].Remedy)
	}
	d.look("archive", opened.ArchiveFound(ctx), "Connect the folder, or put the file back from a copy; run yagona archive again if one was ended: docs/how-to/archive-old-months.md.")
	status, err := opened.Sequencer.Status(ctx)
	if err == nil && status.Indexed > status.Published {
		err = fmt.Errorf("%d entries wait for the witnesses", status.Indexed-status.Published)
	}
	d.look("log", err, "If the node runs, wait a minute and look at the witnesses; else start it.")
	sizes, _, err := opened.Sequencer.WitnessedSizes(ctx)
	if err == nil {
		for name, size := range sizes {
			if size > status.Indexed {
				err = fmt.Errorf("witness %s has cosigned %d entries, this log has %d", name, size, status.Indexed)
			}
		}
	}
	d.look("log continues what witnesses saw", err, "This folder is older than what was published: restore the newest copy.")
}

// private checks that nobody else can read what must stay secret.
func private(folder string) error {
	for _, name := range []string{".", "keys"} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			return fmt.Errorf("%s can be entered by others (%o)", filepath.Join(folder, name), mode)
		}
	}
	return nil
}

// reachable tries whether something listens at the address.
func reachable(ctx context.Context, address string) error {
	place, err := parseAddress(address)
	if err != nil {
		return err
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", place)
	if err != nil {
		return errors.New("nothing answers there")
	}
	return conn.Close()
}

// parseAddress returns host and port of a URL.
func parseAddress(address string) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	port := parsed.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[parsed.Scheme]
	}
	return net.JoinHostPort(parsed.Hostname(), port), nil
}
