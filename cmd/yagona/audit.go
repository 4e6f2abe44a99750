package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/transparency"
	"yagona/node"
	"yagona/std/c2sp"
	archived "yagona/store/archive"
)

// auditCommand recomputes what was recorded.
type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Recompute the log, the journal and every row that it vouches for; name what was tampered with or is missing."`
}

// auditVerifyCommand audits an installation's folder or a copy of it.
type auditVerifyCommand struct {
	Folder      string   `required:"" type:"existingdir" placeholder:"DIR" help:"The installation's folder, or a copy of it."`
	Database    string   `env:"YAGONA_DATABASE" placeholder:"URL" help:"Address of the database, if it is on a PostgreSQL server."`
	SubjectKeys string   `env:"YAGONA_SUBJECT_KEYS" placeholder:"URL" help:"Address of the database of the subjects' keys, if it is on a server."`
	Archive     string   `env:"YAGONA_ARCHIVE" placeholder:"DIR" help:"The folder of the months that were moved out of the database. Without it, archive in the folder."`
	Tiles       string   `placeholder:"DIR|URL" help:"The log as it is published: a copy of its files, or its address (…/log/). Without it, the log in the database."`
	Log         string   `placeholder:"KEY" help:"The log's verifier key, as the installation publishes it. Without it, the key in the folder is believed."`
	Checkpoint  string   `type:"existingfile" placeholder:"FILE" help:"A checkpoint that you kept: the log must continue it."`
	Witness     []string `sep:"none" placeholder:"KEY" help:"The verifier key of a witness. Repeat it for several."`
	Quorum      *int     `placeholder:"N" help:"How many of the witnesses must have cosigned; all of them if it is not given."`
}

// Run audits.
func (c auditVerifyCommand) Run(ctx context.Context, terminal terminal) error {
	var witnesses []*c2sp.CosignatureVerifier
	for _, key := range c.Witness {
		verifier, err := c2sp.NewCosignatureVerifier(key)
		if err != nil {
			return usageError{fmt.Errorf("the witness %q: %w", key, err)}
		}
		witnesses = append(witnesses, verifier)
	}
	quorum := len(witnesses)
	if c.Quorum != nil {
		quorum = *c.Quorum
	}
	if quorum < 0 || quorum > len(witnesses) {
		return usageError{fmt.Errorf("%d of %d witnesses cannot have cosigned: give the key of each with --witness", quorum, len(witnesses))}
	}
	var log note.Verifier
	if c.Log != "" {
		var err error
		if log, err = note.NewVerifier(c.Log); err != nil {
			return usageError{fmt.Errorf("the log's key %q: %w", c.Log, err)}
		}
	}
	copied, err := node.OpenCopy(ctx, c.Folder, node.Databases{Database: c.Database, SubjectKeys: c.SubjectKeys})
	if err != nil {
		return err
	}
	defer copied.Close()
	audit := copied.Audit()
	audit.Witnesses, audit.Quorum = witnesses, quorum
	if log != nil {
		audit.Log = log
	}
	if c.Archive != "" {
		shelf := archived.Open(c.Archive)
		defer shelf.Close()
		audit.Shelf = shelf
	}
	if c.Tiles != "" {
		audit.Tiles = tiles(c.Tiles)
	}
	if c.Checkpoint != "" {
		if audit.Old, err = os.ReadFile(c.Checkpoint); err != nil {
			return err
		}
	}
	report, err := audit.Verify(ctx)
	if err != nil {
		return err
	}
	printReport(terminal, c, report)
	switch {
	case report.Found > 0:
		return errSaid
	case len(report.Missing) > 0:
		return errMissing
	}
	return nil
}

func printReport(terminal terminal, c auditVerifyCommand, report node.Report) {
	out := terminal.Out
	if tree := report.Log.Checkpoint.Tree; report.Log.Checkpoint.Origin != "" {
		fmt.Fprintf(out, "log         %s: %d entries, root %s\n", report.Log.Checkpoint.Origin, tree.N, tree.Hash)
	} else {
		fmt.Fprintln(out, "log         nothing is published yet")
	}
	if c.Log == "" {
		fmt.Fprintln(terminal.Err, "warning: the log's key was taken from the audited folder itself; give the published one with --log")
	}
	if len(report.Log.Cosigners) > 0 {
		fmt.Fprintf(out, "witnesses   cosigned by %s\n", strings.Join(report.Log.Cosigners, ", "))
	} else {
		fmt.Fprintln(terminal.Err, "warning: no witness vouches for this log here; give their keys with --witness")
	}
	if report.Log.Old > 0 {
		fmt.Fprintf(out, "continues   the checkpoint of %d entries that you kept\n", report.Log.Old)
	}
	fmt.Fprintf(out, "events      %d, %d of them not in the log yet\n", report.Events, report.Pending)
	fmt.Fprintf(out, "parts       %d, %d of them erased", report.Parts, report.Erased)
	if report.Closed > 0 {
		fmt.Fprintf(out, ", %d not opened: their keys are not here", report.Closed)
	}
	fmt.Fprintf(out, "\nrows        %d\nbooks       %d\n", report.Rows, report.Funds)
	if n := len(report.Archived); n > 0 {
		var events, cases, evidence int64
		for _, one := range report.Archived {
			events, cases, evidence = events+one.Events, cases+one.Cases, evidence+one.Evidence
		}
		fmt.Fprintf(out, "archive     %d volumes, %s to %s: %d of the events, %d cases, %d answers of registers\n",
			n, report.Archived[0].Month, report.Archived[n-1].Month, events, cases, evidence)
	}
	if report.GivenUp > 0 {
		fmt.Fprintf(out, "jobs        %d given up after failing: see the operator's list\n", report.GivenUp)
	}
	switch {
	case report.Found > 0:
		listed(out, "TAMPERED WITH: first ", report.Findings)
		if more := report.Found - len(report.Findings); more > 0 {
			fmt.Fprintf(out, "  and %d more\n", more)
		}
	case len(report.Missing) == 0:
		fmt.Fprintln(out, "VERIFIED: everything is as it was recorded")
	}
	if len(report.Missing) > 0 {
		listed(out, "MISSING: ", report.Missing)
		fmt.Fprintln(out, "  Of what is in it nothing can be said until it is connected: then verify again")
	}
	if report.Found == 0 && len(report.Missing) > 0 {
		fmt.Fprintln(out, "  Everything that is here is as it was recorded")
	}
}

// listed prints findings, the first one behind the verdict.
func listed(out io.Writer, verdict string, findings []node.Finding) {
	fmt.Fprintf(out, "%s%s\n", verdict, findings[0])
	for _, finding := range findings[1:] {
		fmt.Fprintf(out, "  also %s\n", finding)
	}
}

// tiles returns the files of a log in a folder or at an address.
func tiles(place string) transparency.Resources {
	if isAddress(place) {
		return logAt(strings.TrimSuffix(place, "/") + "/")
	}
	return transparency.Folder(os.DirFS(place))
}

// logAt is a log at an address.
type logAt string

// Resource implements transparency.Resources.
func (l logAt) Resource(ctx context.Context, path string) ([]byte, error) {
	if !fs.ValidPath(path) {
		return nil, errors.New("this is no path of a log")
	}
	return readPlace(ctx, string(l)+path)
}
