package register

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

// causeOf is what a row of an import is written for; "" of no import.
func causeOf(id ident.Import, line int) string {
	if id == "" {
		return ""
	}
	return fmt.Sprintf("import:%s/%d", id, line)
}

// Undoing says what became of the versions that an import wrote: Read = Undone + Before + Refused.
type Undoing struct {
	Read    int
	Undone  int // corrected: the record says what it said before, or is closed if the import made it
	Before  int // had been corrected before
	Refused int // the record was changed since, or what it said before is not free any more
}

var (
	errNoImport     = fault.New(fault.NotFound, "import.unknown", "No import with this number wrote into this register. Check both.")
	errChangedSince = fault.New(fault.Conflict, "import.changed-since", "The record was changed after the import. Look at it, and correct it by hand.")
)

// Undo undoes an import of a notebook: each version that it wrote is corrected, so that the record says what it said before,
// and a record that it made is closed. Nothing is removed. A record that was changed since is left as it is, and refused is
// told of it. Undoing again changes nothing more. Who calls it answers for the right to write.
func (k *Keeper) Undo(ctx context.Context, by journal.Actor, register ident.Register, id ident.Import, reason string, refused func(ident.Record, *fault.Fault)) (done Undoing, err error) {
	if _, err := ident.Parse[ident.Import](string(id)); err != nil {
		return done, errNoImport
	}
	prefix := fmt.Sprintf("import:%s/", id)
	var last StoredVersion
	for {
		var page []StoredVersion
		err := k.Store.View(ctx, func(tx Reader) (err error) {
			page, err = tx.StoredVersions(register, last, exportPage)
			return err
		})
		if err != nil {
			return done, err
		}
		if len(page) == 0 {
			break
		}
		last = page[len(page)-1]
		for _, one := range page {
			if !strings.HasPrefix(one.Cause, prefix) {
				continue
			}
			done.Read++
			undone, err := k.undo(ctx, by, one, reason)
			switch {
			case err == nil && undone:
				done.Undone++
			case err == nil:
				done.Before++
			case ofRow(err):
				done.Refused++
				refused(one.Record, fault.Of(err))
			default:
				return done, err
			}
		}
	}
	if done.Read == 0 {
		return done, errNoImport
	}
	return done, nil
}

// undo corrects a version, and reports whether there was anything to do.
func (k *Keeper) undo(ctx context.Context, by journal.Actor, wrong StoredVersion, reason string) (bool, error) {
	var all []StoredVersion
	err := k.Store.View(ctx, func(tx Reader) (err error) {
		all, err = tx.RegisterVersions(wrong.Key, wrong.Register, wrong.Record)
		return err
	})
	switch {
	case err != nil:
		return false, err
	case slices.ContainsFunc(all, func(one StoredVersion) bool { return one.Corrects == wrong.Number }):
		return false, nil
	case len(all) != wrong.Number:
		return false, errChangedSince
	}
	wanted := Write{
		Register: wrong.Register, Record: wrong.Record, Expect: len(all), Corrects: wrong.Number, Reason: reason, Takeover: true,
	}
	before, existed := valid(all[:len(all)-1], latestDate)
	if existed && !before.Closed {
		opened, err := k.open(ctx, []StoredVersion{before})
		if err != nil {
			return false, err
		}
		wanted.Values = opened[0].Values
	} else {
		wanted.closes = true
	}
	_, err = k.write(ctx, by, wanted)
	return err == nil, err
}
