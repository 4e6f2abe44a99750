package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"yagona/node"
	"yagona/packs"
	"yagona/packs/uz"
)

// practiceCommand serves a practice ground: a demonstration that says on each page that nothing is real, with lessons for
// the officials of its mahallas.
type practiceCommand struct {
	Folder string `default:"data/practice" placeholder:"DIR" help:"Folder of everything that is kept; a second start finds it again."`
	Listen string `default:"127.0.0.1:8081" placeholder:"ADDRESS" help:"Loopback address to listen on."`
	People int    `default:"300" help:"How many people to make at the first start, beside those to practise with."`
	Log    bool   `help:"Write the log to standard error."`
}

// Run serves until it is asked to end. The log has no witnesses: what is done here proves nothing to anybody.
func (c practiceCommand) Run(ctx context.Context, terminal terminal) (err error) {
	begun := time.Now()
	listener, site, err := listenLoopback(c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	config := node.Config{Folder: c.Folder, Site: site, Country: uz.Files, Packs: packs.All(), Clock: time.Now}
	if c.Log {
		config.Log = slog.New(slog.NewTextHandler(terminal.Err, nil))
	}
	ground, err := node.OpenPractice(ctx, config, c.People)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ground.Close()) }()
	fmt.Fprintf(terminal.Out, "ready %s (%.1f s, nothing there is real)\n", site, time.Since(begun).Seconds())
	return serveUntil(ctx, listener, ground)
}
