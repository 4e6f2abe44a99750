package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"yagona/kernel/archive"
)

// archiveCommand moves months out of an installation's database, which may be served meanwhile.
type archiveCommand struct {
	Config string `required:"" type:"existingfile" placeholder:"FILE" help:"The installation's configuration."`
	Before string `required:"" placeholder:"YYYY-MM" help:"Months before this one leave, as far as they may: what is to stay at hand longer stays."`
	To     string `placeholder:"DIR" help:"Another folder for the volumes than the configuration's archive, with every earlier volume in it. Pages and audits find them once the configuration names it."`
	DryRun bool   `help:"Only say what would leave."`
}

// Run moves.
func (c archiveCommand) Run(ctx context.Context, terminal terminal) (err error) {
	before, err := time.Parse(archive.MonthFormat, c.Before)
	if err != nil {
		return usageError{fmt.Errorf("--before: %q is no month: give one like 2025-01", c.Before)}
	}
	opened, err := openUnserved(ctx, terminal, c.Config, noBank{}, slog.LevelError)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	another, err := opened.ArchiveTo(ctx, c.To)
	switch {
	case another && err != nil:
		return usageError{fmt.Errorf("--to: %w", err)}
	case err != nil:
		return err
	case another:
		fmt.Fprintf(terminal.Err, "warning: %s is not the folder that the configuration's archive names: until it does, pages and audits say that the months that leave are missing\n", c.To)
	}
	mover := opened.Mover(c.To)
	year, month, _ := before.Date()
	before = time.Date(year, month, 1, 0, 0, 0, 0, mover.Location)
	if c.DryRun {
		planned, err := mover.Plan(ctx, before)
		if err != nil {
			return err
		}
		for _, one := range planned {
			fmt.Fprintf(terminal.Out, "%s      %d events, %d cases would leave\n", one.Month, one.Events, one.Cases)
		}
		if len(planned) == 0 {
			fmt.Fprintln(terminal.Out, "nothing would leave")
		}
		return nil
	}
	moved := false
	mover.Told = func(what string, volume archive.Volume) {
		moved = true
		if what == "made" {
			fmt.Fprintf(terminal.Out, "%s  %d events, %d cases, %d answers of registers, %d attachments: %d bytes\n",
				volume.ID, volume.Events, volume.Cases, volume.Evidence, volume.Attachments, volume.Bytes)
			return
		}
		fmt.Fprintf(terminal.Out, "%s  the database has nothing of it any more\n", volume.ID)
	}
	if _, err := mover.Move(ctx, before); err != nil {
		return err
	}
	if !moved {
		fmt.Fprintln(terminal.Out, "nothing leaves: everything before is archived, or is to stay at hand")
	}
	return nil
}
