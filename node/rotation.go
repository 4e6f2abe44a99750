package node

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
	"yagona/kernel/signature"
	"yagona/store"
	"yagona/store/keyfile"
	"yagona/store/query"
)

// RotateKey makes a new signing key for a holder, whose term begins at the time, and journals it before the key is
// anywhere: whoever finds a signature by a key of which the journal knows nothing knows that nobody here made it. Every
// process that shares the folder changes to the new key at that time. The old ones verify what they signed in their term.
func RotateKey(ctx context.Context, db query.DB, keys *keyfile.Folder, holder signature.Holder, from time.Time, reason string) (signature.Key, error) {
	if strings.TrimSpace(reason) == "" {
		return signature.Key{}, errors.New("say why the key is rotated, and by whom: it is kept in the journal")
	}
	return keys.Rotate(holder, from, func(fresh signature.Key, old []signature.Key) error {
		var ended []string
		for _, key := range old {
			ended = append(ended, key.ID)
		}
		return journalKey(ctx, db, "key.rotated", fresh.ID, map[string]string{
			"holder": string(holder), "public": base64.StdEncoding.EncodeToString(fresh.Public), "from": fresh.From.Format(time.RFC3339),
			"old": strings.Join(ended, " "), "reason": reason,
		})
	})
}

// journalKey appends what an operator does to a key.
func journalKey(ctx context.Context, db query.DB, what, key string, facts map[string]string) error {
	return query.For[journal.Reader, journal.Tx](db).Update(ctx, act.Platform, func(tx journal.Tx) error {
		_, err := journal.Append(tx, nil, journal.Event{
			Type: what, Actor: journal.Actor{Component: "operator"}, Object: "key:" + key, Facts: facts,
		})
		return err
	})
}

// previousMasters returns the master keys before the one in force under which keys may still be wrapped: none or one.
func previousMasters(keys *keyfile.Folder) ([][]byte, error) {
	previous, err := keys.PreviousSecret("master")
	if err != nil || previous == nil {
		return nil, err
	}
	return [][]byte{previous}, nil
}

// RenewMaster makes a new master key, in the journal. From their next start on, processes wrap new keys of subjects under
// it, and open those under the previous one, too, until Rewrap has wrapped them all anew.
func RenewMaster(ctx context.Context, db query.DB, keys *keyfile.Folder, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return errors.New("say why the master key is renewed, and by whom: it is kept in the journal")
	}
	return keys.RenewSecret("master", func() error {
		return journalKey(ctx, db, "master.renewed", "master", map[string]string{"reason": reason})
	})
}

// Rewrap wraps the keys of all subjects that are still wrapped under the previous master key under the one in force, and
// returns how many. The previous one stays, for processes that were not started anew; forget removes it if there was
// nothing left to wrap.
func Rewrap(ctx context.Context, db query.DB, keys *keyfile.Folder, subjects store.SubjectKeys, forget bool) (count int, err error) {
	master, err := keys.Secret("master")
	if err != nil {
		return 0, err
	}
	previous, err := previousMasters(keys)
	if err != nil {
		return 0, err
	}
	if previous == nil {
		return 0, errors.New("there is no previous master key: renew the master key first")
	}
	vault, err := seal.NewVault(subjects, master, previous...)
	if err != nil {
		return 0, err
	}
	if count, err = vault.Rewrap(ctx, subjects); err != nil {
		return count, err
	}
	if count > 0 {
		err = journalKey(ctx, db, "master.rewrapped", "master", map[string]string{"keys": strconv.Itoa(count)})
	}
	switch {
	case err != nil || !forget:
		return count, err
	case count > 0:
		return count, errors.New("keys were still wrapped under the previous master key, so a process may still use it: it was kept; start every process anew, then do this again")
	}
	return 0, keys.ForgetPreviousSecret("master")
}

// RotateIndexKey makes the next index key beside the one in force, in the journal before it is anywhere, and returns its
// generation. From when they see it, which is at once where they share the folder, processes index under both.
func RotateIndexKey(ctx context.Context, db query.DB, keys *keyfile.Folder, reason string) (generation int, err error) {
	if strings.TrimSpace(reason) == "" {
		return 0, errors.New("say why the index key is rotated, and by whom: it is kept in the journal")
	}
	return keys.RotateIndexKey(func(generation int) error {
		return journalKey(ctx, db, "index.rotated", "index", map[string]string{"generation": strconv.Itoa(generation), "reason": reason})
	})
}

// Reindexed is what Reindex did.
type Reindexed struct {
	Added   int // people and records that were indexed under the newest key
	Removed int // records and claims of which entries under forgotten keys were removed
}

// Reindex indexes everybody and every record under the newest index key who are indexed under an older one only, in acts of
// their own, while others serve. Forget then removes the older key, if there was nothing left to index, and what was indexed
// under it. It may be ended at any moment and be run again: what was done is found.
func (n *Node) Reindex(ctx context.Context, forget bool) (done Reindexed, err error) {
	by := journal.Actor{Component: "operator"}
	keys := n.indexKeys()
	if len(keys) > 1 {
		people, err := n.People.Reindex(ctx, by)
		done.Added = people
		if err != nil {
			return done, err
		}
		records, err := n.Registers.Reindex(ctx, by)
		done.Added += records
		if err != nil {
			return done, err
		}
		switch {
		case !forget:
			return done, nil
		case done.Added > 0:
			return done, errors.New("there was still something to index under the newest key, so a process may not know it: the previous key was kept; see that every process has the newest file, then do this again")
		}
		err = journalKey(ctx, n.DB, "index.forgotten", "index", map[string]string{"kept": strconv.Itoa(keys[len(keys)-1].Generation)})
		if err != nil {
			return done, err
		}
		if err := n.Keys.ForgetIndexKeys(); err != nil {
			return done, err
		}
	}
	people, err := n.People.ForgetIndexes(ctx, by)
	done.Removed = people
	if err != nil {
		return done, err
	}
	records, err := n.Registers.ForgetIndexes(ctx, by)
	done.Removed += records
	return done, err
}
