package person

import (
	"context"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// Reindex claims each number under the newest index key where it is claimed under an older one only, each in an act of its
// own, and returns how many those were. It may be ended at any moment and be run again.
func (d *Directory) Reindex(ctx context.Context, by journal.Actor) (added int, err error) {
	err = d.Each(ctx, func(whose ident.Person, known Attributes) error {
		indexes := d.Indexes(known.Number)
		newest := indexes[len(indexes)-1]
		missing := false
		err := d.Store.View(ctx, func(tx Reader) error {
			missing = false
			if _, err := tx.PersonOfIndex(newest); !fault.Is(err, fault.NotFound) {
				return err
			}
			holder, err := claimed(tx, indexes)
			if fault.Is(err, fault.NotFound) {
				return nil // they have another number now
			}
			missing = err == nil && holder == whose
			return err
		})
		if err != nil || !missing {
			return err
		}
		if _, err := d.claim(ctx, by, newest, whose); err != nil {
			return err
		}
		added++
		return nil
	})
	return added, err
}

// ForgetIndexes removes the claims that were made under index keys that are none any more, each in an act of its own, and returns
// how many those were. It may be ended at any moment and be run again.
func (d *Directory) ForgetIndexes(ctx context.Context, by journal.Actor) (removed int, err error) {
	for last := Index(""); ; {
		var page []Claimed
		err := d.Store.View(ctx, func(tx Reader) (err error) {
			page, err = tx.ClaimedNumbers(last, eachPage)
			return err
		})
		if err != nil || len(page) == 0 {
			return removed, err
		}
		last = page[len(page)-1].Index
		for _, one := range page {
			if seal.MadeBy(d.Keys(), string(one.Index)) {
				continue
			}
			if err := d.release(ctx, by, one); err != nil {
				return removed, err
			}
			removed++
		}
	}
}

func (d *Directory) release(ctx context.Context, by journal.Actor, old Claimed) error {
	return d.Store.Update(ctx, old.Index.Key(), func(tx Tx) error {
		if err := tx.ReleaseIndex(old.Index); err != nil {
			return err
		}
		_, err := journal.Append(tx, nil, journal.Event{
			Type: "person.number-released", Actor: by, Object: string(old.Person.Subject()),
			Covers: []journal.Cover{journal.Gone(old.Index.Cover(old.Person).Row)},
		})
		return err
	})
}
