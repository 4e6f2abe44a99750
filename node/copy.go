package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/seal"
	"yagona/std/c2sp"
	"yagona/store"
	archived "yagona/store/archive"
	"yagona/store/keyfile"
	"yagona/store/query"
)

// Copy is an installation's folder, or a copy of one, that is opened to be audited, not to be served. An installation
// that is being served may be opened at the same time.
type Copy struct {
	audit    Audit
	subjects store.SubjectKeys
	shelf    *archived.Folder
}

// Databases are the addresses of an installation's databases on a server, both empty if they are files in its folder.
type Databases struct {
	Database, SubjectKeys string
}

// OpenCopy opens a folder. The database must be there; the subjects' keys and the signing keys may be missing.
func OpenCopy(ctx context.Context, folder string, on Databases) (_ *Copy, err error) {
	c := &Copy{shelf: archived.Open(ArchiveFolder(folder, ""))}
	c.audit.Shelf = c.shelf
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	database, subjects := on.Database, on.SubjectKeys
	if database == "" {
		database, subjects = filepath.Join(folder, databaseFile), filepath.Join(folder, subjectKeysFile)
		if !exists(database) {
			return nil, fmt.Errorf("%s is not the folder of an installation: it has no %s", folder, databaseFile)
		}
		if !exists(subjects) {
			subjects = ""
		}
	}
	if c.audit.DB, err = store.Open(ctx, store.Config{Location: database, Clock: time.Now, Unhurried: true}); err != nil {
		return nil, err
	}
	keys := filepath.Join(folder, keysFolder)
	if subjects != "" && exists(filepath.Join(keys, "master.secret")) {
		if c.subjects, err = store.OpenSubjectKeys(ctx, subjects, true); err != nil {
			return nil, err
		}
		c.audit.Subjects = c.subjects
	}
	if !exists(keys) {
		return c, nil
	}
	ring, err := keyfile.Open(keys, time.Now)
	if err != nil {
		return nil, err
	}
	if c.audit.Subjects != nil {
		if c.audit.Master, err = ring.Secret("master"); err != nil {
			return nil, err
		}
		if len(c.audit.Master) != seal.KeySize {
			return nil, errors.New("the master key is of a wrong size: put the right one back from its backup")
		}
		if c.audit.Previous, err = previousMasters(ring); err != nil {
			return nil, err
		}
	}
	c.audit.Log, err = c.log(ctx, ring)
	return c, err
}

// log returns the key that the folder has for its log, under the origin that the log gives itself; nil before the first
// checkpoint. It is as good as the folder is.
func (c *Copy) log(ctx context.Context, ring *keyfile.Folder) (verifier note.Verifier, err error) {
	err = c.audit.DB.View(ctx, func(tx *query.Tx) error {
		head, err := tx.LogHead()
		if err != nil {
			return err
		}
		for _, signed := range [][]byte{head.Published, head.Signed} {
			checkpoint, err := c2sp.Unverified(signed)
			if err != nil {
				continue
			}
			for _, key := range ring.Keys() {
				if key.Holder != LogHolder {
					continue
				}
				if verifier, err = logVerifier(checkpoint.Origin, key.Public); err != nil {
					return err
				}
				if _, _, err := c2sp.Open(signed, verifier); err == nil {
					return nil // of several keys, the one that signed it
				}
			}
			return nil
		}
		return nil
	})
	return verifier, err
}

// Audit returns what the folder has for an audit. Whoever trusts other than the folder replaces its Log; whose archive
// stands elsewhere, its Shelf.
func (c *Copy) Audit() Audit { return c.audit }

// Close closes the stores.
func (c *Copy) Close() error {
	errs := []error{c.shelf.Close()}
	if c.audit.DB != nil {
		errs = append(errs, c.audit.DB.Close())
	}
	if c.subjects != nil {
		errs = append(errs, c.subjects.Close())
	}
	return errors.Join(errs...)
}

// The files of an installation's folder.
const (
	databaseFile    = "yagona.db"
	subjectKeysFile = "subject-keys.db"
	keysFolder      = "keys"
)

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
