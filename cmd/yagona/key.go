package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"yagona/kernel/ident"
	"yagona/kernel/signature"
	"yagona/node"
	"yagona/store"
	"yagona/store/keyfile"
)

// keyCommand is what an operator does with an installation's keys.
type keyCommand struct {
	List    keyListCommand    `cmd:"" help:"List the signing keys: whose, in whose hands, since when."`
	Rotate  keyRotateCommand  `cmd:"" help:"Make a new signing key for a holder, in the journal; it signs from a time on at which every process knows it."`
	Reindex keyReindexCommand `cmd:"" help:"Index people and records under the newest index key, after key rotate index, while the installation is served."`
	Renew   keyRenewCommand   `cmd:"" name:"renew-master" help:"Make a new master key, in the journal; then start every process anew and run key rewrap."`
	Rewrap  keyRewrapCommand  `cmd:"" help:"Wrap the subjects' keys under the new master key."`
	Trust   keyTrustCommand   `cmd:"" help:"Take up the public key of a person who keeps the private half."`
}

// keyFolder is the installation whose keys they are.
type keyFolder struct {
	Folder string `required:"" type:"existingdir" placeholder:"DIR" help:"The installation's folder."`
}

func (f keyFolder) open() (*keyfile.Folder, error) {
	return keyfile.Open(filepath.Join(f.Folder, "keys"), time.Now)
}

// encodeKey returns a public key as it is printed and typed: base64.
func encodeKey(public ed25519.PublicKey) string { return base64.StdEncoding.EncodeToString(public) }

// decodeKey reads what encodeKey wrote.
func decodeKey(text string) (ed25519.PublicKey, error) {
	public, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(public) != ed25519.PublicKeySize {
		return nil, usageError{fmt.Errorf("%q is not a public key: it is 32 bytes in base64, as yagona key list prints it", text)}
	}
	return public, nil
}

type keyListCommand struct{ keyFolder }

// Run lists the keys.
func (c keyListCommand) Run(terminal terminal) error {
	keys, err := c.open()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(terminal.Out, 0, 0, 2, ' ', 0)
	for _, key := range keys.Keys() {
		until := "in force"
		switch {
		case !key.Until.IsZero():
			until = "until " + key.Until.UTC().Format(time.RFC3339)
		case key.From.After(time.Now()):
			until = "not yet"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n",
			key.ID, key.Holder, key.Custody, key.From.UTC().Format(time.RFC3339), until, encodeKey(key.Public))
	}
	return table.Flush()
}

type keyRotateCommand struct {
	keyFolder
	Database string        `env:"YAGONA_DATABASE" placeholder:"URL" help:"Address of the database, if it is on a PostgreSQL server."`
	Holder   string        `arg:"" help:"Whose key: node, log, agency:NAME; or index."`
	Reason   string        `required:"" help:"Why, and by whom; it is kept in the journal."`
	In       time.Duration `default:"2m" help:"After how long the new key signs. Until then every process that shares the folder must see the new file."`
}

// Run rotates a key.
func (c keyRotateCommand) Run(ctx context.Context, terminal terminal) (err error) {
	if c.In < 0 {
		return usageError{errors.New("--in: give a time from now on, like 2m")}
	}
	keys, err := c.open()
	if err != nil {
		return err
	}
	if c.Holder == "index" {
		return c.index(ctx, terminal, keys)
	}
	holder, known := signature.Holder(c.Holder), false
	for _, key := range keys.Keys() {
		known = known || key.Holder == holder && key.Custody == signature.HeldByNode
	}
	if !known {
		return usageError{fmt.Errorf("this installation holds no key of %s; yagona key list shows whose it holds", c.Holder)}
	}
	db, err := c.database(ctx, c.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	fresh, err := node.RotateKey(ctx, db, keys, holder, time.Now().Add(c.In).UTC().Truncate(time.Second), c.Reason)
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "%s %s signs from %s on\n", fresh.ID, fresh.Holder, fresh.From.UTC().Format(time.RFC3339))
	return nil
}

// index makes the next index key.
func (c keyRotateCommand) index(ctx context.Context, terminal terminal, keys *keyfile.Folder) (err error) {
	db, err := c.database(ctx, c.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	generation, err := node.RotateIndexKey(ctx, db, keys, c.Reason)
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "there is an index key of generation %d; copy it to where processes have a folder of their own, then run yagona key reindex\n", generation)
	return nil
}

// database opens the installation's database, which may be served meanwhile.
func (f keyFolder) database(ctx context.Context, location string) (store.DB, error) {
	if location == "" {
		location = filepath.Join(f.Folder, "yagona.db")
		if _, err := os.Stat(location); err != nil {
			return nil, fmt.Errorf("%s has no yagona.db: give the address of the database with --database", f.Folder)
		}
	}
	return store.Open(ctx, store.Config{Location: location, Clock: time.Now, Durable: true})
}

// keyServer says where the databases are that belong to the keys.
type keyServer struct {
	keyFolder
	Database    string `env:"YAGONA_DATABASE" placeholder:"URL" help:"Address of the database, if it is on a PostgreSQL server."`
	SubjectKeys string `env:"YAGONA_SUBJECT_KEYS" placeholder:"URL" help:"Address of the database of the subjects' keys, if it is on a server."`
}

// both opens the keys and the database that they belong to.
func (s keyServer) both(ctx context.Context) (*keyfile.Folder, store.DB, error) {
	keys, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	db, err := s.database(ctx, s.Database)
	return keys, db, err
}

type keyRenewCommand struct {
	keyServer
	Reason string `required:"" help:"Why, and by whom; it is kept in the journal."`
}

// Run renews the master key.
func (c keyRenewCommand) Run(ctx context.Context, terminal terminal) (err error) {
	keys, db, err := c.both(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := node.RenewMaster(ctx, db, keys, c.Reason); err != nil {
		return err
	}
	fmt.Fprintln(terminal.Out, "there is a new master key; start every process anew, then run yagona key rewrap")
	return nil
}

type keyRewrapCommand struct {
	keyServer
	Forget bool `help:"Remove the previous master key, if nothing was left to wrap anew."`
}

// Run wraps.
func (c keyRewrapCommand) Run(ctx context.Context, terminal terminal) (err error) {
	keys, db, err := c.both(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if c.SubjectKeys == "" {
		c.SubjectKeys = filepath.Join(c.Folder, "subject-keys.db")
	}
	subjects, err := store.OpenSubjectKeys(ctx, c.SubjectKeys, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, subjects.Close()) }()
	count, err := node.Rewrap(ctx, db, keys, subjects, c.Forget)
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "%d keys were wrapped under the new master key\n", count)
	if c.Forget {
		fmt.Fprintln(terminal.Out, "the previous master key is removed")
	}
	return nil
}

type keyReindexCommand struct {
	setupConfig
	Forget bool `help:"Remove the previous index key, if nothing was left to index anew, and what is indexed under it."`
}

// Run indexes.
func (c keyReindexCommand) Run(ctx context.Context, terminal terminal) (err error) {
	opened, err := c.open(ctx, terminal)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	done, err := opened.Reindex(ctx, c.Forget)
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "%d people and records were indexed under the newest key\n", done.Added)
	if done.Removed > 0 {
		fmt.Fprintf(terminal.Out, "the previous key is removed, and %d entries under it\n", done.Removed)
	}
	return nil
}

type keyTrustCommand struct {
	keyFolder
	Person string `arg:"" help:"The person's id in the installation."`
	Public string `arg:"" help:"Their public key, as yagona pack keygen prints it."`
}

// Run takes up a key.
func (c keyTrustCommand) Run(terminal terminal) error {
	public, err := decodeKey(c.Public)
	if err != nil {
		return err
	}
	keys, err := c.open()
	if err != nil {
		return err
	}
	taken, err := keys.Trust(signature.OfPerson(ident.Person(c.Person)), public)
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "%s %s\n", taken.ID, taken.Holder)
	return nil
}
