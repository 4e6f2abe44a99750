package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/node"
	"yagona/store"
	"yagona/store/query"
)

// backupCommand copies an installation that may be served meanwhile.
type backupCommand struct {
	To              string        `arg:"" optional:"" name:"dir" help:"Folder for copies of the database. Keep them long. Without it only the subjects' keys are copied: where the database is copied all the time."`
	Folder          string        `required:"" type:"existingdir" placeholder:"DIR" help:"The installation's folder."`
	SubjectKeys     string        `required:"" placeholder:"DIR" help:"Folder for copies of the subjects' keys, in other hands than the database's."`
	From            string        `env:"YAGONA_DATABASE" placeholder:"URL" help:"Address of the database, if it is on a PostgreSQL server."`
	FromSubjectKeys string        `env:"YAGONA_SUBJECT_KEYS" placeholder:"URL" help:"Address of the database of the subjects' keys, if it is on a server."`
	KeepSubjectKeys time.Duration `default:"72h" help:"How long copies of the subjects' keys live. An erasure is final when the last copy from before it is gone."`
}

// Run makes a backup.
func (c backupCommand) Run(ctx context.Context, terminal terminal) error {
	if c.KeepSubjectKeys <= 0 {
		return usageError{errors.New("--keep-subject-keys: give a time, like 72h")}
	}
	backup := node.Backup{
		Folder: c.Folder, On: node.Databases{Database: c.From, SubjectKeys: c.FromSubjectKeys}, To: c.To, Keys: c.SubjectKeys, KeepKeys: c.KeepSubjectKeys, Clock: time.Now,
	}
	database, keys, err := backup.Make(ctx)
	if err != nil {
		return err
	}
	if database != "" {
		fmt.Fprintf(terminal.Out, "database     %s\n", database)
	}
	fmt.Fprintf(terminal.Out, "subject-keys %s (removed after %s)\n", keys, c.KeepSubjectKeys)
	return nil
}

// restoreCommand brings an installation back from copies.
type restoreCommand struct {
	Put    restorePutCommand    `cmd:"" help:"Put copies together in a new folder. A node starts read-only there until that is accepted."`
	Check  restoreCheckCommand  `cmd:"" help:"Name what the witnesses, the bank and the subjects' keys know of and what was restored does not."`
	Accept restoreAcceptCommand `cmd:"" help:"Accept what was restored, in the journal; the next start serves."`
}

type restorePutCommand struct {
	Folder          string `required:"" placeholder:"DIR" help:"The new folder."`
	Database        string `required:"" type:"existingdir" placeholder:"DIR" help:"A copy of the database, as yagona backup made it; or a folder with a yagona.db that something else has copied whole."`
	SubjectKeys     string `required:"" type:"existingdir" placeholder:"DIR" help:"A copy of the subjects' keys; the newest."`
	Keys            string `required:"" type:"existingdir" placeholder:"DIR" help:"The copy of the folder keys: signing keys and secrets."`
	Into            string `env:"YAGONA_DATABASE" placeholder:"URL" help:"Address of an empty PostgreSQL database to restore into; the folder then gets the keys only."`
	IntoSubjectKeys string `env:"YAGONA_SUBJECT_KEYS" placeholder:"URL" help:"Address of another one, for the subjects' keys. Required with --into."`
	Erased          string `type:"existingfile" placeholder:"FILE" help:"The newest erased-subjects.json; without it, the one beside the copy of the database."`
	Revoked         string `type:"existingfile" placeholder:"FILE" help:"The newest revoked-documents.json; without it, the one beside the copy of the database."`
}

// Run puts copies together.
func (c restorePutCommand) Run(ctx context.Context, terminal terminal) error {
	if c.Erased == "" {
		c.Erased = filepath.Join(filepath.Dir(filepath.Clean(c.Database)), "erased-subjects.json")
	}
	if c.Revoked == "" {
		c.Revoked = filepath.Join(filepath.Dir(filepath.Clean(c.Database)), "revoked-documents.json")
	}
	again, err := node.Restoration{
		Database: c.Database, SubjectKeys: c.SubjectKeys, Keys: c.Keys, Erased: c.Erased, Revoked: c.Revoked, Folder: c.Folder, Clock: time.Now,
		Into: node.Databases{Database: c.Into, SubjectKeys: c.IntoSubjectKeys},
	}.Put(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "restored %s; %d erased subjects were erased again\nAudit it (yagona audit verify), then run yagona restore check.\n", c.Folder, again)
	return nil
}

// restored is a restored installation, opened without being served.
type restored struct {
	Config     string `required:"" type:"existingfile" placeholder:"FILE" help:"The installation's configuration; its folder is the restored one."`
	Checkpoint string `type:"existingfile" placeholder:"FILE" help:"A checkpoint of the log that somebody kept; the newest. It tells how far the log went."`

	Revocations string `placeholder:"FILE|URL" help:"The newest copy of /api/v1/revocations that somebody kept: what it names is revoked again."`
}

// kept reads what others have kept.
func (r restored) kept(ctx context.Context) (kept node.Kept, err error) {
	if r.Checkpoint != "" {
		if kept.Checkpoint, err = os.ReadFile(r.Checkpoint); err != nil {
			return kept, err
		}
	}
	if r.Revocations != "" {
		published, err := readSigned(ctx, r.Revocations)
		if err != nil {
			return kept, err
		}
		kept.Revocations = published.Token
	}
	return kept, nil
}

// open opens it with the bank that it is connected to. Closing it closes the bank, too.
func (r restored) open(ctx context.Context, terminal terminal) (opened *openedRestored, err error) {
	settings, err := readConfig(r.Config)
	if err != nil {
		return nil, usageError{err}
	}
	connected, err := settings.bank()
	if err != nil {
		return nil, err
	}
	unserved, err := openUnserved(ctx, terminal, r.Config, connected, slog.LevelError)
	if err != nil {
		return nil, errors.Join(err, connected.Close())
	}
	return &openedRestored{unserved, connected}, nil
}

// openedRestored is a restored installation with its bank.
type openedRestored struct {
	*node.Node
	bank connection
}

// Close closes both.
func (o *openedRestored) Close() error { return errors.Join(o.Node.Close(), o.bank.Close()) }

func printLost(terminal terminal, lost []node.Lost) {
	for _, one := range lost {
		fmt.Fprintf(terminal.Out, "%s: %s (%s)\n", one.Kind, one.What, one.Known)
	}
}

type restoreCheckCommand struct{ restored }

// Run names what is lost.
func (c restoreCheckCommand) Run(ctx context.Context, terminal terminal) (err error) {
	kept, err := c.kept(ctx)
	if err != nil {
		return err
	}
	opened, err := c.open(ctx, terminal)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	lost, err := opened.Lost(ctx, kept)
	if err != nil {
		return err
	}
	printLost(terminal, lost)
	if len(lost) > 0 {
		return errSaid
	}
	fmt.Fprintln(terminal.Out, "nothing is lost that the witnesses, the bank, the payment system or the subjects' keys know of")
	return nil
}

type restoreAcceptCommand struct {
	restored
	Reason         string `required:"" help:"Why it is accepted, and by whom; it is kept in the journal."`
	DespiteUnknown bool   `help:"Accept although something cannot be asked, like a witness that does not answer."`
}

// Run accepts.
func (c restoreAcceptCommand) Run(ctx context.Context, terminal terminal) (err error) {
	kept, err := c.kept(ctx)
	if err != nil {
		return err
	}
	opened, err := c.open(ctx, terminal)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	lost, err := opened.Accept(ctx, node.Acceptance{Reason: c.Reason, DespiteUnknown: c.DespiteUnknown, Kept: kept})
	printLost(terminal, lost)
	if err != nil {
		return err
	}
	fmt.Fprintln(terminal.Out, "accepted: start the node")
	return nil
}

// jobsCommand is what an operator does with jobs that were given up.
type jobsCommand struct {
	List  jobsListCommand  `cmd:"" help:"List the jobs that were given up."`
	Retry jobsRetryCommand `cmd:"" help:"Let a job that was given up run again, in the journal."`
}

// jobFolder is the installation whose jobs they are; it may be served meanwhile.
type jobFolder struct {
	Folder   string `type:"existingdir" placeholder:"DIR" help:"The installation's folder. Required unless the database is on a server."`
	Database string `env:"YAGONA_DATABASE" placeholder:"URL" help:"Address of the database, if it is on a PostgreSQL server."`
}

// mostDeadJobs is how many jobs that were given up are looked at.
const mostDeadJobs = 10_000

func (f jobFolder) open(ctx context.Context) (store.DB, error) {
	if f.Folder == "" && f.Database == "" {
		return nil, usageError{errors.New("whose jobs? give --folder, or the address of the database with --database")}
	}
	return keyFolder{Folder: f.Folder}.database(ctx, f.Database)
}

type jobsListCommand struct{ jobFolder }

// Run lists.
func (c jobsListCommand) Run(ctx context.Context, terminal terminal) (err error) {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var dead []job.Job
	var waiting job.Backlog
	err = db.View(ctx, func(tx *query.Tx) (err error) {
		if waiting, err = tx.JobBacklog(time.Now()); err != nil {
			return err
		}
		dead, err = tx.DeadJobs(mostDeadJobs)
		return err
	})
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(terminal.Out, 0, 0, 2, ' ', 0)
	for _, one := range dead {
		fmt.Fprintf(table, "%s\t%s\t%d tries\t%s\n", one.ID, one.Kind, one.Attempts, one.Failure)
	}
	fmt.Fprintf(table, "%d given up, %d due\n", waiting.Dead, waiting.Due)
	return table.Flush()
}

type jobsRetryCommand struct {
	jobFolder
	Job    string `arg:"" help:"The job's id, as yagona jobs list prints it."`
	Reason string `required:"" help:"Why, and by whom; it is kept in the journal."`
}

// Run retries. A node that is being served finds the job within a minute.
func (c jobsRetryCommand) Run(ctx context.Context, terminal terminal) (err error) {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	find := func(tx *query.Tx) (job.Job, error) {
		dead, err := tx.DeadJobs(mostDeadJobs)
		if err != nil {
			return job.Job{}, err
		}
		for _, one := range dead {
			if one.ID == ident.Job(c.Job) {
				return one, nil
			}
		}
		return job.Job{}, fmt.Errorf("no job %s was given up; yagona jobs list shows those that were", c.Job)
	}
	var wanted job.Job
	if err := db.View(ctx, func(tx *query.Tx) (err error) { wanted, err = find(tx); return err }); err != nil {
		return err
	}
	err = db.Update(ctx, wanted.Key, func(tx *query.Tx) error {
		again, err := find(tx)
		if err != nil {
			return err
		}
		again.Dead, again.Attempts, again.Due = false, 0, tx.Now()
		if err := tx.DelayJob(again); err != nil {
			return err
		}
		_, err = journal.Append(tx, nil, journal.Event{
			Type: "job.retried", Actor: journal.Actor{Component: "operator"}, Object: "job:" + string(again.ID),
			Facts: map[string]string{"kind": again.Kind, "reason": c.Reason},
		})
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "%s %s runs again\n", wanted.ID, wanted.Kind)
	return nil
}
