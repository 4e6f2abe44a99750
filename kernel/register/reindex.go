package register

import (
	"context"
	"slices"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// reindexPage is how many versions, index entries or claims are read at a time.
const reindexPage = 500

// Reindex makes the index entries and claims under the newest index key of each record that has them under an older one only,
// each record in acts of its own, and returns of how many. What was erased cannot be indexed anew, and is left. It may be
// ended at any moment and be run again.
func (k *Keeper) Reindex(ctx context.Context, by journal.Actor) (added int, err error) {
	var record []StoredVersion
	visit := func() error {
		if len(record) == 0 {
			return nil
		}
		done, err := k.reindex(ctx, by, record)
		if done {
			added++
		}
		return err
	}
	for last := (StoredVersion{}); ; {
		var page []StoredVersion
		err := k.Store.View(ctx, func(tx Reader) (err error) {
			page, err = tx.StoredVersions("", last, reindexPage)
			return err
		})
		if err != nil {
			return added, err
		}
		if len(page) == 0 {
			return added, visit()
		}
		for _, one := range page {
			if len(record) > 0 && one.Record != record[0].Record {
				if err := visit(); err != nil {
					return added, err
				}
				record = nil
			}
			record = append(record, one)
		}
		last = page[len(page)-1]
	}
}

// reindex makes what the record lacks, and reports whether it lacked anything.
func (k *Keeper) reindex(ctx context.Context, by journal.Actor, versions []StoredVersion) (done bool, err error) {
	newest, ok := valid(versions, latestDate)
	if !ok || newest.Closed {
		return false, nil
	}
	definition, err := k.Definitions().Register(newest.Register)
	if fault.Is(err, fault.NotFound) || err == nil && definition.Held != HeldHere {
		return false, nil // nobody looks for it here any more
	}
	if err != nil {
		return false, err
	}
	place := Place{newest.Key, newest.Register, newest.Record}
	var subjects []ident.Subject
	if subject := newest.Subject(); subject != "" {
		subjects = append(subjects, subject)
	}
	sealer, err := k.Vault.OpenOnce(ctx, subjects...)
	if err != nil {
		return false, err
	}
	opened, err := newest.open(sealer)
	if fault.Is(err, fault.Erased) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p := plan{definition: definition, by: by, wanted: Write{Record: newest.Record}}
	p.indexes, p.unique = indexes(k.IndexKeys(), definition, opened.Values)
	lacks := false
	err = k.Store.View(ctx, func(tx Reader) error {
		stored, err := tx.IndexesOf(place)
		lacks = slices.ContainsFunc(p.indexes, func(index Index) bool { return !slices.Contains(stored, index) })
		return err
	})
	if err != nil || !lacks {
		return false, err
	}
	if err := k.claim(ctx, p); err != nil {
		return false, err
	}
	written := false
	err = k.Store.Update(ctx, place.Key, func(tx Tx) error {
		known, err := tx.RegisterVersions(place.Key, place.Register, place.Record)
		if err != nil {
			return err
		}
		if written = len(known) != len(versions); written {
			versions = known
			return nil
		}
		return indexRecord(tx, by, place, p.indexes)
	})
	if err == nil && written { // by somebody else meanwhile, who may not know the newest key
		k.release(ctx, p)
		_, err = k.reindex(ctx, by, versions)
	}
	return true, err
}

// indexRecord makes these the record's index entries, in the journal.
func indexRecord(tx Tx, by journal.Actor, place Place, indexes []Index) error {
	if err := tx.UnindexRecord(place); err != nil {
		return err
	}
	if err := tx.IndexRecord(place, indexes); err != nil {
		return err
	}
	_, err := journal.Append(tx, nil, journal.Event{
		Type: "register.reindexed", Actor: by, Object: "record:" + string(place.Record), Covers: []journal.Cover{IndexCover(place, indexes)},
	})
	return err
}

// ForgetIndexes removes the index entries and claims that were made under index keys that are none any more, in one act for each
// record and each claim, and returns of how many. It may be ended at any moment and be run again.
func (k *Keeper) ForgetIndexes(ctx context.Context, by journal.Actor) (removed int, err error) {
	old := func(index Index) bool { return !seal.MadeBy(k.IndexKeys(), string(index)) }
	var done Place
	for last := (Entry{}); ; {
		var page []Entry
		err := k.Store.View(ctx, func(tx Reader) (err error) {
			page, err = tx.IndexEntries(last, reindexPage)
			return err
		})
		if err != nil {
			return removed, err
		}
		if len(page) == 0 {
			break
		}
		last = page[len(page)-1]
		for _, one := range page {
			if one.Place == done || !old(one.Index) {
				continue
			}
			done = one.Place
			err := k.Store.Update(ctx, one.Key, func(tx Tx) error {
				stored, err := tx.IndexesOf(one.Place)
				if err != nil {
					return err
				}
				return indexRecord(tx, by, one.Place, slices.DeleteFunc(stored, old))
			})
			if err != nil {
				return removed, err
			}
			removed++
		}
	}
	for last := Index(""); ; {
		var page []Claim
		err := k.Store.View(ctx, func(tx Reader) (err error) {
			page, err = tx.RegisterClaims(last, reindexPage)
			return err
		})
		if err != nil || len(page) == 0 {
			return removed, err
		}
		last = page[len(page)-1].Index
		for _, one := range page {
			if !old(one.Index) {
				continue
			}
			err := k.Store.Update(ctx, one.Key(), func(tx Tx) error {
				stored, err := tx.RegisterClaim(one.Index)
				if fault.Is(err, fault.NotFound) {
					return nil
				}
				if err != nil {
					return err
				}
				return removeClaim(tx, by, stored)
			})
			if err != nil {
				return removed, err
			}
			removed++
		}
	}
}
