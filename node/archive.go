package node

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"yagona/kernel/act"
	"yagona/kernel/archive"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	archived "yagona/store/archive"
	"yagona/store/query"
)

// archiveFolder is where volumes stand if nothing else is said.
const archiveFolder = "archive"

// ArchiveFolder returns the folder of an installation's volumes: the one that is named, or that in its folder.
func ArchiveFolder(folder, named string) string {
	return cmp.Or(named, filepath.Join(folder, archiveFolder))
}

// journal returns the journal as the database and the archive have it together.
func (n *Node) journal() *archive.Together {
	return &archive.Together{Store: query.For[archive.Reader, archive.Tx](n.store), Shelf: n.shelf}
}

// Mover returns what moves months out of the database, into the installation's folder of volumes or, if it is given,
// another one.
func (n *Node) Mover(folder string) *archive.Mover {
	shelf := n.shelf
	if folder != "" {
		shelf = archived.Open(folder)
		n.closers = append(n.closers, shelf.Close)
	}
	return &archive.Mover{
		Store: query.For[archive.Reader, archive.Tx](n.store), Shelf: shelf, Cases: n.Casework, Ring: n.Ring, Clock: n.DB.Now,
		Location: n.Profile.Location, Keep: n.config.KeepJournal, Origin: n.Origin(),
	}
}

// ArchiveTo reports whether a folder for new volumes is another than the one that the installation reads. The error says that
// volumes from before would not stand with the new ones: pages, audits and later runs look for all of them in one folder.
func (n *Node) ArchiveTo(ctx context.Context, folder string) (another bool, err error) {
	configured := ArchiveFolder(n.config.Folder, n.config.Archive)
	if folder == "" || sameFolder(folder, configured) {
		return false, nil
	}
	var volumes []archive.Volume
	err = n.DB.View(ctx, func(tx *query.Tx) (err error) {
		volumes, err = tx.Volumes()
		return err
	})
	if err != nil {
		return false, err
	}
	shelf := archived.Open(folder)
	for _, one := range volumes {
		if !shelf.Present(one) {
			return true, fmt.Errorf("the volume %s of an earlier run is not in %s (of %d that there are): all volumes of an installation stand in one folder, else "+
				"readings, audits and the next run miss some. Copy the earlier ones there and let the configuration's archive name it, or leave --to out to write into %s",
				one.ID, folder, len(volumes), configured)
		}
	}
	return true, nil
}

// sameFolder reports whether two paths name one folder, also where it is not there yet.
func sameFolder(one, other string) bool {
	first, err := os.Stat(one)
	second, failed := os.Stat(other)
	if err == nil && failed == nil {
		return os.SameFile(first, second)
	}
	one, err = filepath.Abs(one)
	other, failed = filepath.Abs(other)
	return err == nil && failed == nil && one == other
}

// ArchiveFound returns what is wrong with the folder of volumes, nil if nothing is: a volume that is missing or not of its
// size, one that a run has not ended with, a file that belongs to none. It reads no file to its end: the audit does.
func (n *Node) ArchiveFound(ctx context.Context) error {
	var volumes []archive.Volume
	err := n.DB.View(ctx, func(tx *query.Tx) (err error) {
		volumes, err = tx.Volumes()
		return err
	})
	if err != nil {
		return err
	}
	var wrong []error
	for _, one := range volumes {
		switch {
		case !n.shelf.Present(one):
			wrong = append(wrong, fmt.Errorf("%s is missing or not of %d bytes", n.shelf.Path(one), one.Bytes))
		case one.Cleared.IsZero():
			wrong = append(wrong, fmt.Errorf("yagona archive was ended while it moved %s", one.ID))
		case !n.shelf.Described(one):
			wrong = append(wrong, fmt.Errorf("the signed description beside %s is missing: put it back from a copy", n.shelf.Path(one)))
		}
	}
	strangers, err := n.shelf.Strangers(volumes)
	for _, name := range strangers {
		wrong = append(wrong, fmt.Errorf("%s is none of this installation's: a run was ended before it counted, or it belongs elsewhere; remove it", name))
	}
	return errors.Join(append(wrong, err)...)
}

// whole is an archive of an audit: the volumes that are as the journal has them.
type whole struct {
	volumes []archive.Volume // with events, by their place in the log
	all     []archive.Volume
	away    []archive.Volume // that are not here, or not what they were
}

// has returns the volume that has the event with the index; nil: none that is here.
func (w *whole) has(index int64) *archive.Volume {
	i, _ := slices.BinarySearchFunc(w.volumes, index, func(v archive.Volume, index int64) int { return cmp.Compare(v.Until-1, index) })
	if i < len(w.volumes) && w.volumes[i].From <= index {
		return &w.volumes[i]
	}
	return nil
}

// misses reports whether the event with the index is in a volume that is not here.
func (w *whole) misses(index int64) bool {
	return slices.ContainsFunc(w.away, func(v archive.Volume) bool { return v.From <= index && index < v.Until })
}

// archive looks which volumes there are, and reads each to its end: its digest is that of the journal.
func (a *auditing) archive() error {
	volumes, err := a.tx.Volumes()
	if a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	if err != nil {
		a.found(Finding{Index: -1, Thing: "rows of archive-volume", Problem: "they cannot be read: " + err.Error()})
		return nil //nolint:nilerr // it is a finding
	}
	var gone []Finding
	for _, one := range volumes {
		a.report.Archived = append(a.report.Archived, one)
		problem := error(archive.ErrAway)
		if a.Shelf != nil {
			problem = a.Shelf.Check(a.ctx, one)
		}
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if problem == nil {
			a.whole.all = append(a.whole.all, one)
			if one.HasEvents() {
				a.whole.volumes = append(a.whole.volumes, one)
			}
			continue
		}
		a.whole.away = append(a.whole.away, one)
		named := Finding{Index: one.From, Event: one.Event, Thing: "archive " + one.ID, Problem: problem.Error()}
		switch {
		case a.Shelf == nil:
			named.Problem = "its folder was not given: connect the archive"
			gone = append(gone, named)
		case errors.Is(problem, archive.ErrAway):
			gone = append(gone, named)
		default:
			a.found(named)
		}
	}
	slices.SortFunc(a.whole.volumes, func(x, y archive.Volume) int { return cmp.Compare(x.From, y.From) })
	return a.missing(gone)
}

// missing notes the volumes that are not connected. Each is believed to be one only if an event vouches for its row: one that is
// here, or one that may be in another missing volume that is believed to be one. So nobody hides what was removed behind a
// volume that never was.
func (a *auditing) missing(gone []Finding) error {
	slices.SortFunc(gone, func(x, y Finding) int { return cmp.Compare(y.Event, x.Event) }) // whose event can be in which
	var believed []archive.Volume
	for _, named := range gone {
		i := slices.IndexFunc(a.whole.away, func(v archive.Volume) bool { return "archive "+v.ID == named.Thing })
		volume := a.whole.away[i]
		vouched, err := a.vouched(volume)
		if err != nil {
			return err
		}
		elsewhere := slices.ContainsFunc(believed, func(v archive.Volume) bool {
			return v.HasEvents() && v.Oldest <= volume.Event && volume.Event <= v.Newest
		})
		if !vouched && !elsewhere {
			a.found(Finding{Index: -1, Event: volume.Event, Thing: volume.Cover().Row, Problem: "no event vouches for this volume, which is not here: it was put in from outside, or changed"})
			continue
		}
		believed = append(believed, volume)
		a.report.Missing = append(a.report.Missing, named)
	}
	slices.SortFunc(a.report.Missing, func(x, y Finding) int { return cmp.Or(cmp.Compare(x.Index, y.Index), cmp.Compare(x.Thing, y.Thing)) })
	return nil
}

// vouched reports whether an event that is here vouches for the volume's row. Whether the event is what was logged is
// checked with all others.
func (a *auditing) vouched(volume archive.Volume) (vouched bool, err error) {
	look := func(from journal.Reader) error {
		event, err := from.StoredEvent(act.Platform, volume.Event)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		var header journal.Header
		if err != nil || json.Unmarshal(event.Header, &header) != nil {
			return err
		}
		cover := volume.Cover()
		vouched = vouched || slices.ContainsFunc(header.Covers, func(c journal.Cover) bool { return c.Row == cover.Row && bytes.Equal(c.Digest, cover.Digest) })
		return nil
	}
	if err := look(a.tx); err != nil {
		return false, err
	}
	for _, one := range a.whole.volumes {
		if one.Oldest <= volume.Event && volume.Event <= one.Newest {
			if err := a.Shelf.View(a.ctx, one, func(contents archive.Contents) error { return look(contents) }); err != nil {
				return false, err
			}
		}
	}
	return vouched, nil
}

// blind reports whether events are missing with a volume: which of those that are here was the last is then not known.
func (w *whole) blind() bool { return slices.ContainsFunc(w.away, archive.Volume.HasEvents) }

// mayHave reports whether a row of the noun may be in a volume that is missing.
func (w *whole) mayHave(noun string) bool {
	return w.blind() || len(w.away) > 0 && slices.Contains([]string{"application", "attachment", "exchange"}, noun)
}

// next returns the index from which on a volume that is here has events again, after the given one.
func (w *whole) next(index int64) int64 {
	for _, one := range w.volumes {
		if one.From > index {
			return one.From
		}
	}
	return math.MaxInt64
}

// eventsByIndex returns events as the volumes and the database have them together: what a volume has comes from there.
func (a *auditing) eventsByIndex(from int64, limit int) (found []journal.StoredEvent, err error) {
	for len(found) < limit {
		wanted := limit - len(found)
		var more []journal.StoredEvent
		next := a.whole.next(from)
		if volume := a.whole.has(from); volume != nil {
			next = volume.Until
			err = a.Shelf.View(a.ctx, *volume, func(contents archive.Contents) (err error) {
				more, err = contents.EventsByIndex(from, wanted)
				return err
			})
		} else {
			more, err = a.tx.EventsByIndex(from, wanted)
		}
		if err != nil {
			return nil, err
		}
		all := len(more) == wanted
		more = slices.DeleteFunc(more, func(e journal.StoredEvent) bool { return e.Index >= next })
		found = append(found, more...)
		if all && len(more) == wanted || next == math.MaxInt64 {
			break
		}
		from = next
	}
	return found, nil
}

// archivedEvents checks every event that a volume has, and what the database still has of it.
func (a *auditing) archivedEvents() error {
	for _, volume := range a.whole.volumes {
		err := a.Shelf.View(a.ctx, volume, func(contents archive.Contents) error {
			for from := volume.From; ; {
				page, err := contents.EventsByIndex(from, eventsPage)
				if err != nil {
					return err
				}
				for _, event := range page {
					if err := a.event(contents, event); err != nil {
						return err
					}
					from = event.Index + 1
				}
				if len(page) < eventsPage {
					return a.unforgotten(volume, contents)
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// unforgotten compares what the database still has of a volume's events with the volume.
func (a *auditing) unforgotten(volume archive.Volume, contents archive.Contents) error {
	for from := volume.From; from < volume.Until; {
		page, err := a.tx.EventsByIndex(from, eventsPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, event := range page {
			if from = event.Index + 1; event.Index >= volume.Until {
				return nil
			}
			same, err := alike(event, a.tx, contents)
			if err != nil {
				return err
			}
			if !same {
				a.found(Finding{Index: event.Index, Event: event.ID, Thing: "event", Problem: "it is not what the archive " + volume.ID + " has"})
			}
		}
	}
	return nil
}

// alike reports whether both have the same event with the same parts.
func alike(event journal.StoredEvent, one, other journal.Reader) (bool, error) {
	again, err := other.StoredEvent(event.Key, event.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return false, err
	}
	parts, err := one.StoredParts(event.Key, event.ID)
	if err != nil {
		return false, err
	}
	also, err := other.StoredParts(event.Key, event.ID)
	return bytes.Equal(journal.Content([]any{event, parts}), journal.Content([]any{again, also})), err
}

// archivedRows collects the rows that volumes have, as far as the database has them no more: what it has counts.
func (a *auditing) archivedRows(visit func(journal.Row) error) error {
	for _, volume := range a.whole.all {
		err := a.Shelf.View(a.ctx, volume, func(contents archive.Contents) error {
			var after archive.Row
			for {
				page, err := contents.Rows(after, eventsPage)
				if err != nil {
					return err
				}
				for _, row := range page {
					counts, err := a.counts(volume, row)
					if err != nil {
						return err
					}
					if counts {
						if err := visit(journal.Row{Name: row.Name, Key: row.Key, Event: row.Event, Digest: row.Digest()}); err != nil {
							return err
						}
					}
					after = row
				}
				if len(page) < eventsPage {
					return nil
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// counts reports whether a volume speaks for the row. Of a case it does if the case's row in the database says so; that row
// must be what the volume has, but for what was said.
func (a *auditing) counts(volume archive.Volume, row archive.Row) (bool, error) {
	noun, id, _ := strings.Cut(row.Name, "/")
	if row.Case != "" {
		left, err := a.tx.Application(row.Case)
		if fault.Is(err, fault.NotFound) {
			a.found(Finding{Index: -1, Event: row.Event, Thing: row.Name, Problem: "this row was moved into the archive " + volume.ID + ", and nothing in the database says that it was there"})
			return true, nil
		}
		if err != nil || left.Archived != volume.ID {
			return false, err
		}
		if noun == "application" {
			var kept casework.Application
			if json.Unmarshal(row.Content, &kept) != nil {
				return true, nil //nolint:nilerr // its digest is compared with the event's
			}
			left.Sealed, kept.Sealed, left.Event = nil, nil, ""
			if !bytes.Equal(journal.Digest(left), journal.Digest(kept)) {
				a.found(Finding{Index: -1, Event: row.Event, Thing: row.Name, Problem: "what the database still says of it is not what the archive " + volume.ID + " has: it has been changed"})
			}
			return true, nil
		}
	}
	if noun != "exchange" {
		return true, nil
	}
	_, err := a.tx.StoredExchange(row.Key, ident.Exchange(id))
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	return false, err
}
