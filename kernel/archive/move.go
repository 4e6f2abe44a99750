package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/signature"
	"yagona/std/c2sp"
)

// The months that the journal stays at hand: LeastKeep at least, so that nothing leaves that a draft still shows;
// DefaultKeep where an installation says nothing.
const (
	LeastKeep   = 2
	DefaultKeep = 36
)

// Cases tells what of a closed case may leave: casework.Casework.
type Cases interface {
	Papers(ctx context.Context, id ident.Application) (casework.Papers, error)
}

// Mover moves months out of the database. One at a time works on an installation; a second one that is started fails and
// harms nothing.
type Mover struct {
	Store    act.Store[Reader, Tx]
	Shelf    Shelf
	Cases    Cases
	Ring     signature.Ring // signs, as signature.Node, what is said of a volume
	Clock    act.Clock
	Location *time.Location // of whose months they are
	Keep     int            // for how many months after its end a month of the journal stays at hand; zero: DefaultKeep
	Origin   string         // the log's name
	// Told is told what was done, if it is not nil: a volume was made, or cleared.
	Told func(what string, volume Volume)
}

// MonthFormat is how a month is written: "2025-01".
const MonthFormat = "2006-01"

// Plan returns what Move would move, without moving anything. Ids, digests and parts are not known before.
func (m *Mover) Plan(ctx context.Context, before time.Time) ([]Volume, error) {
	var planned []Volume
	err := m.months(ctx, before, func(one month) error {
		volume := one.Volume
		volume.Events, volume.Cases = volume.Until-volume.From, int64(len(one.cases))
		planned = append(planned, volume)
		return nil
	})
	return planned, err
}

// Move moves the months before the one that the time is in, as far as they may leave, and returns the volumes that it made.
// It first ends what an earlier run left.
func (m *Mover) Move(ctx context.Context, before time.Time) (made []Volume, err error) {
	end := func() {}
	defer func() { end() }()
	begin := sync.OnceValue(func() error { // where nothing leaves, the folder is left alone
		let, err := m.Shelf.Begin()
		if err == nil {
			end = let
		}
		return err
	})
	volumes, err := m.volumes(ctx)
	if err != nil {
		return nil, err
	}
	for _, volume := range volumes {
		if !volume.Cleared.IsZero() {
			continue
		}
		if err := begin(); err != nil {
			return nil, err
		}
		if err := m.finish(ctx, volume); err != nil {
			return nil, err
		}
	}
	err = m.months(ctx, before, func(one month) error {
		if err := begin(); err != nil {
			return err
		}
		volume, err := m.make(ctx, one)
		if err != nil {
			return err
		}
		made = append(made, volume)
		return m.finish(ctx, volume)
	})
	return made, err
}

// month is what may leave of one month.
type month struct {
	Volume
	cases []casework.Papers
}

// months calls visit for each month of which something may leave, the oldest first. The next is looked at when visit has
// returned.
func (m *Mover) months(ctx context.Context, before time.Time, visit func(month) error) error {
	keep := m.Keep
	if keep == 0 {
		keep = DefaultKeep
	}
	if keep < LeastKeep {
		return fault.New(fault.Invalid, "archive.keep", "The journal stays at hand for two months at least. Give a greater number.")
	}
	now := m.Clock()
	begins := func(at time.Time) time.Time {
		year, month, _ := at.In(m.Location).Date()
		return time.Date(year, month, 1, 0, 0, 0, 0, m.Location)
	}
	end := begins(before)
	if end.After(begins(now)) {
		return fault.New(fault.Invalid, "archive.not-over", "Only months that are over can leave. Name this month or an earlier one.")
	}
	from, published, oldest, err := m.look(ctx)
	if err != nil || oldest.IsZero() {
		return err
	}
	for at := begins(oldest); at.Before(end); at = at.AddDate(0, 1, 0) {
		if err := ctx.Err(); err != nil {
			return err
		}
		over := at.AddDate(0, 1, 0)
		one := month{Volume: Volume{Month: at.Format(MonthFormat), From: from, Until: from}}
		if !over.AddDate(0, keep, 0).After(now) {
			if one.Until, err = m.boundary(ctx, from, published, over); err != nil {
				return err
			}
		}
		if one.cases, err = m.closed(ctx, at, over, now); err != nil {
			return err
		}
		if !one.HasEvents() && len(one.cases) == 0 {
			continue
		}
		if err := visit(one); err != nil {
			return err
		}
		from = one.Until
	}
	return nil
}

func (m *Mover) volumes(ctx context.Context) (volumes []Volume, err error) {
	err = m.Store.View(ctx, func(tx Reader) error {
		volumes, err = tx.Volumes()
		return err
	})
	return volumes, err
}

// look returns where the journal at hand begins, how much of the log is published, and the time of the oldest thing that may
// leave, zero: there is none.
func (m *Mover) look(ctx context.Context) (from, published int64, oldest time.Time, err error) {
	err = m.Store.View(ctx, func(tx Reader) error {
		volumes, err := tx.Volumes()
		if err != nil {
			return err
		}
		from, published, oldest = end(volumes), 0, time.Time{}
		head, err := tx.LogHead()
		if err != nil {
			return err
		}
		if head.Published != nil {
			checkpoint, err := c2sp.Unverified(head.Published)
			if err != nil {
				return err
			}
			published = checkpoint.Tree.N
		}
		if from < published {
			events, err := tx.EventsByIndex(from, 1)
			if err != nil || len(events) == 0 {
				return errors.Join(err, errGap(from, len(events)))
			}
			oldest = events[0].At
		}
		closed, err := tx.ClosedApplications("", "~", 1)
		if err == nil && len(closed) > 0 {
			if at := ident.At(closed[0].Event); oldest.IsZero() || at.Before(oldest) {
				oldest = at
			}
		}
		return err
	})
	return from, published, oldest, err
}

func errGap(index int64, found int) error {
	if found > 0 {
		return nil
	}
	return fault.Newf(fault.Internal, "archive.gap", "The event with the log index %d is neither in the database nor in an archive: run yagona audit verify.", index)
}

// end returns the index after the last event that is in a volume.
func end(volumes []Volume) (end int64) {
	for _, one := range volumes {
		if one.HasEvents() {
			end = max(end, one.Until)
		}
	}
	return end
}

// boundary returns the first index from one on, below another, whose event is not before the time. Events are numbered in
// the order of their commits, which is that of their times but for moments: what lies a moment on the other side of
// midnight goes with its neighbours.
func (m *Mover) boundary(ctx context.Context, from, below int64, over time.Time) (int64, error) {
	low, high := from, max(from, below)
	for low < high {
		middle := low + (high-low)/2
		var at time.Time
		err := m.Store.View(ctx, func(tx Reader) error {
			events, err := tx.EventsByIndex(middle, 1)
			if err != nil || len(events) == 0 {
				return errors.Join(err, errGap(middle, len(events)))
			}
			at = events[0].At
			return nil
		})
		if err != nil {
			return 0, err
		}
		if at.Before(over) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

// page is how much is read, compared or forgotten at once.
const page = 200

// closed returns the papers of the cases whose last act was in the month and that may leave.
func (m *Mover) closed(ctx context.Context, at, over, now time.Time) (found []casework.Papers, err error) {
	after := ident.From[ident.Event](at)
	for {
		var applications []casework.Application
		err := m.Store.View(ctx, func(tx Reader) (err error) {
			applications, err = tx.ClosedApplications(after, ident.From[ident.Event](over), page)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, one := range applications {
			after = one.Event
			papers, err := m.Cases.Papers(ctx, one.ID)
			if err != nil {
				return nil, fmt.Errorf("looking at the application %s: %w", one.ID, err)
			}
			if papers.Until.IsZero() || papers.Until.After(now) || papers.Application.Event != one.Event {
				continue
			}
			waits, err := m.waits(ctx, one)
			if err != nil {
				return nil, err
			}
			if !waits {
				papers.Application.Sealed = nil // it is read again when it is written
				found = append(found, papers)
			}
		}
		if len(applications) < page {
			return found, nil
		}
	}
}

// waits reports whether a job or a payment order of the case is not done.
func (m *Mover) waits(ctx context.Context, of casework.Application) (waits bool, err error) {
	err = m.Store.View(ctx, func(tx Reader) error {
		waits, err = undone(tx, of)
		return err
	})
	return waits, err
}

func undone(tx Reader, of casework.Application) (bool, error) {
	jobs, err := tx.JobsOf(act.Of(of.Applicant))
	if err != nil {
		return false, err
	}
	for _, one := range jobs {
		if bytes.Contains(one.Payload, []byte(of.ID)) {
			return true, nil
		}
	}
	orders, err := tx.OrdersTo(of.Applicant)
	if err != nil {
		return false, err
	}
	for _, one := range orders {
		if one.Application == of.ID && one.Settled.IsZero() {
			return true, nil
		}
	}
	return false, nil
}

// make writes a month's volume, compares it with the database, and says so in the journal.
func (m *Mover) make(ctx context.Context, one month) (Volume, error) {
	volume, err := m.Shelf.Make(ctx, one.Volume, func(into Writer) error {
		one.Counts = Counts{}
		if err := m.writeCases(ctx, &one, into); err != nil {
			return err
		}
		return m.writeEvents(ctx, &one, into)
	})
	if err != nil {
		return Volume{}, err
	}
	volume.Counts, volume.Oldest, volume.Newest = one.Counts, one.Oldest, one.Newest
	volume.Made = m.Clock().UTC().Truncate(time.Microsecond)
	if err := m.compare(ctx, volume); err != nil {
		return Volume{}, err
	}
	if err := m.describe(ctx, volume); err != nil {
		return Volume{}, err
	}
	err = m.save(ctx, &volume, "archive.made", func(tx Tx) error {
		volumes, err := tx.Volumes()
		if err != nil {
			return err
		}
		if volume.HasEvents() && end(volumes) != volume.From || slices.ContainsFunc(volumes, func(v Volume) bool { return v.ID == volume.ID }) {
			return ErrAtWork
		}
		return nil
	})
	if err == nil && m.Told != nil {
		m.Told("made", volume)
	}
	return volume, err
}

// writeCases writes the papers of the month's cases. One that is not at hand any more as it was found is left out.
func (m *Mover) writeCases(ctx context.Context, one *month, into Writer) error {
	for _, papers := range one.cases {
		if err := ctx.Err(); err != nil {
			return err
		}
		var rows []Row
		err := m.Store.View(ctx, func(tx Reader) (err error) {
			rows, err = rowsOf(tx, papers)
			return err
		})
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := one.add(into, row); err != nil {
				return err
			}
		}
	}
	return nil
}

func (one *month) add(into Writer, row Row) error {
	added, err := into.AddRow(row)
	if err != nil || !added {
		return err
	}
	switch noun, _, _ := strings.Cut(row.Name, "/"); noun {
	case "application":
		one.Cases++
	case "attachment":
		one.Attachments++
	case "exchange":
		one.Evidence++
	}
	return nil
}

func rowsOf(tx Reader, papers casework.Papers) (rows []Row, err error) {
	application, err := tx.Application(papers.Application.ID)
	if err != nil || application.Event != papers.Application.Event || application.Archived != "" {
		return nil, err
	}
	key := act.Of(application.Applicant)
	rows = append(rows, Row{application.Cover().Row, application.ID, key, application.Event, application.Content()})
	attachments, err := tx.AttachmentsOf(application.Applicant, application.ID)
	if err != nil {
		return nil, err
	}
	for _, one := range attachments {
		rows = append(rows, Row{one.Cover().Row, application.ID, key, one.Event, one.Content()})
	}
	exchanges, err := tx.ExchangesFor(application.Applicant, application.ID)
	if err != nil {
		return nil, err
	}
	for _, bound := range papers.Evidence {
		if bound.Exchange == "" {
			continue
		}
		one, err := tx.StoredExchange(act.Of(bound.Of), bound.Exchange)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		if err == nil {
			exchanges = append(exchanges, one)
		}
	}
	for _, one := range exchanges {
		rows = append(rows, Row{one.Cover().Row, application.ID, one.Key, one.Event, one.Content()})
	}
	return rows, nil
}

// writeEvents writes the month's stretch of the journal, and the evidence of the month that belongs to no case at hand.
func (m *Mover) writeEvents(ctx context.Context, one *month, into Writer) error {
	return m.eachEvent(ctx, one.Volume, func(tx Reader, event journal.StoredEvent, parts []journal.StoredPart) error {
		if err := into.AddEvent(event, parts); err != nil {
			return err
		}
		one.Events++
		one.Parts += int64(len(parts))
		if one.Oldest == "" || event.ID < one.Oldest {
			one.Oldest = event.ID
		}
		one.Newest = max(one.Newest, event.ID)
		var header journal.Header
		if err := json.Unmarshal(event.Header, &header); err != nil {
			return journal.ErrTampered(event, "its header cannot be read")
		}
		for _, cover := range header.Covers {
			id, ok := strings.CutPrefix(cover.Row, "exchange/")
			if !ok {
				continue
			}
			stored, err := tx.StoredExchange(event.Key, ident.Exchange(id))
			if fault.Is(err, fault.NotFound) {
				continue // it left with its case
			}
			if err != nil {
				return err
			}
			free, err := belongsNowhere(tx, stored.Known, stored.Application)
			if err != nil {
				return err
			}
			if !free {
				continue
			}
			if err := one.add(into, Row{cover.Row, "", stored.Key, stored.Event, stored.Content()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// belongsNowhere reports whether an answer that was asked for the application is of no case at hand.
func belongsNowhere(tx Reader, known bool, application ident.Application) (bool, error) {
	if !known || application == "" {
		return known, nil
	}
	of, err := tx.Application(application)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	return of.Archived != "", err
}

// eachEvent calls visit for each event of a volume's stretch as the database has it, in order.
func (m *Mover) eachEvent(ctx context.Context, of Volume, visit func(Reader, journal.StoredEvent, []journal.StoredPart) error) error {
	for from := of.From; from < of.Until; {
		err := m.Store.View(ctx, func(tx Reader) error {
			events, err := tx.EventsByIndex(from, int(min(page, of.Until-from)))
			if err != nil {
				return err
			}
			for i, event := range events {
				if event.Index != from+int64(i) {
					return errGap(from+int64(i), 0)
				}
				parts, err := tx.StoredParts(event.Key, event.ID)
				if err != nil {
					return err
				}
				if err := visit(tx, event, parts); err != nil {
					return err
				}
			}
			if len(events) == 0 {
				return errGap(from, 0)
			}
			from += int64(len(events))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// compare reads the volume again, all of it, and compares it with what the database has.
func (m *Mover) compare(ctx context.Context, volume Volume) error {
	if err := m.Shelf.Check(ctx, volume); err != nil {
		return err
	}
	differs := func(what string) error {
		return fault.Newf(fault.Internal, "archive.differs", "%s is not in the volume %s as it is in the database: nothing was removed. Look at the disk, then run it again.", what, volume.ID)
	}
	return m.Shelf.View(ctx, volume, func(contents Contents) error {
		err := m.eachEvent(ctx, volume, func(_ Reader, event journal.StoredEvent, parts []journal.StoredPart) error {
			written, err := contents.StoredEvent(event.Key, event.ID)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			also, err := contents.StoredParts(event.Key, event.ID)
			if err != nil {
				return err
			}
			if !bytes.Equal(journal.Content([]any{event, parts}), journal.Content([]any{written, also})) {
				return differs("event " + string(event.ID))
			}
			return nil
		})
		if err != nil {
			return err
		}
		var count int64
		err = eachRow(contents, func(row Row) error {
			count++
			return m.Store.View(ctx, func(tx Reader) error {
				same, err := stillThere(tx, row)
				if err == nil && !same {
					// The case went on meanwhile: what is in the database counts.
					if _, err := tx.Application(row.Case); row.Case == "" || err != nil {
						return differs(row.Name)
					}
				}
				return err
			})
		})
		if err == nil && count != volume.Cases+volume.Evidence+volume.Attachments {
			return differs("the number of rows")
		}
		return err
	})
}

// eachRow calls visit for each row of a volume.
func eachRow(contents Contents, visit func(Row) error) error {
	var after Row
	for {
		rows, err := contents.Rows(after, page)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := visit(row); err != nil {
				return err
			}
			after = row
		}
		if len(rows) < page {
			return nil
		}
	}
}

// stillThere reports whether the database has the row as the volume does.
func stillThere(tx Reader, row Row) (bool, error) {
	noun, id, _ := strings.Cut(row.Name, "/")
	var content []byte
	var err error
	switch noun {
	case "application":
		var found casework.Application
		found, err = tx.Application(ident.Application(id))
		if found.Archived == "" {
			content = found.Content()
		}
	case "exchange":
		found, failed := tx.StoredExchange(row.Key, ident.Exchange(id))
		content, err = found.Content(), failed
	case "attachment":
		var all []casework.Attachment
		subject := ident.Subject(row.Key)
		if all, err = tx.AttachmentsOf(subject, row.Case); err == nil {
			for _, one := range all {
				if one.ID == id {
					content = one.Content()
				}
			}
		}
	}
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return bytes.Equal(content, row.Content), err
}

// Manifest is what stands beside a volume: what it is, and the installation's signature on that.
type Manifest struct {
	Format    string              `json:"format"` // "yagona archive v1"
	Log       string              `json:"log"`    // the log's name
	Volume    Volume              `json:"volume"`
	Signature signature.Signature `json:"signature"` // by signature.Node over Message
}

// ManifestFormat names the format of volumes and manifests.
const ManifestFormat = "yagona archive v1"

// Message returns what is signed: a line with the format, then the manifest as JSON without its signature.
func (m Manifest) Message() []byte {
	m.Signature = signature.Signature{}
	return append([]byte(ManifestFormat+"\n"), journal.Content(m)...)
}

// Verify checks the signature.
func (m Manifest) Verify(ring signature.Ring) error {
	return signature.Verify(ring, signature.Node, m.Message(), m.Signature, m.Volume.Made)
}

func (m *Mover) describe(ctx context.Context, volume Volume) error {
	manifest := Manifest{Format: ManifestFormat, Log: m.Origin, Volume: volume}
	var err error
	if manifest.Signature, err = m.Ring.Sign(ctx, signature.Node, manifest.Message()); err != nil {
		return err
	}
	encoded, err := json.MarshalIndent(manifest, "", "\t")
	if err != nil {
		return err
	}
	return m.Shelf.Describe(volume, append(encoded, '\n'))
}

// save stores a volume's row with its event.
func (m *Mover) save(ctx context.Context, volume *Volume, what string, check func(Tx) error) error {
	return m.Store.Update(ctx, act.Platform, func(tx Tx) error {
		if err := check(tx); err != nil {
			return err
		}
		saved := *volume
		saved.Event = journal.NewID(tx)
		if err := tx.SaveVolume(saved); err != nil {
			return err
		}
		err := journal.AppendAs(tx, nil, saved.Event, journal.Event{
			Type: what, Actor: journal.Actor{Component: "archive"}, Object: "archive-volume:" + saved.ID,
			Facts:  map[string]string{"month": saved.Month, "from": fmt.Sprint(saved.From), "until": fmt.Sprint(saved.Until)},
			Covers: []journal.Cover{saved.Cover()},
		})
		if err == nil {
			volume.Event = saved.Event
		}
		return err
	})
}

// finish makes the database forget what a volume has. Before that the volume is read once more: what is forgotten must be
// there.
func (m *Mover) finish(ctx context.Context, volume Volume) error {
	if err := m.Shelf.Check(ctx, volume); err != nil {
		return err
	}
	if err := m.Shelf.View(ctx, volume, func(contents Contents) error { return m.clear(ctx, volume, contents) }); err != nil {
		return err
	}
	volume.Cleared = m.Clock().UTC().Truncate(time.Microsecond)
	err := m.save(ctx, &volume, "archive.cleared", func(Tx) error { return nil })
	if err == nil && m.Told != nil {
		m.Told("cleared", volume)
	}
	return err
}

// actsAtOnce is how many acts run at a time: they share commits.
const actsAtOnce = 16

// clear removes from the database what the volume has, in short acts under the keys that the rows lie under.
func (m *Mover) clear(ctx context.Context, volume Volume, contents Contents) error {
	var group []Row // of one case, or the next rows of no case
	flush := func() error {
		rows := group
		group = nil
		if len(rows) == 0 || rows[0].Case == "" {
			return m.atOnce(len(rows), func(i int) error { return m.forgetRow(ctx, rows[i]) })
		}
		return m.forgetCase(ctx, volume, rows)
	}
	err := eachRow(contents, func(row Row) error {
		if len(group) > 0 && (group[0].Case != row.Case || row.Case == "" && len(group) == page) {
			if err := flush(); err != nil {
				return err
			}
		}
		group = append(group, row)
		return nil
	})
	if err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	var after Place
	for {
		places, err := contents.Places(after, page)
		if err != nil || len(places) == 0 {
			return err
		}
		after = places[len(places)-1]
		var keys [][]Place
		for _, one := range places {
			if n := len(keys); n > 0 && keys[n-1][0].Key == one.Key {
				keys[n-1] = append(keys[n-1], one)
				continue
			}
			keys = append(keys, []Place{one})
		}
		err = m.atOnce(len(keys), func(i int) error {
			of := keys[i]
			return m.Store.Update(ctx, of[0].Key, func(tx Tx) error {
				return tx.ForgetEvents(volume.From, volume.Until, of)
			})
		})
		if err != nil {
			return err
		}
	}
}

func (m *Mover) atOnce(count int, do func(int) error) error {
	errs := make([]error, count)
	places := make(chan struct{}, actsAtOnce)
	var running sync.WaitGroup
	for i := range count {
		places <- struct{}{}
		running.Go(func() {
			errs[i] = do(i)
			<-places
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

// forgetRow forgets an answer of no case.
func (m *Mover) forgetRow(ctx context.Context, row Row) error {
	return m.Store.Update(ctx, row.Key, func(tx Tx) error { return forgetExchange(tx, row) })
}

// forgetExchange removes an answer if the volume has it as it is.
func forgetExchange(tx Tx, row Row) error {
	same, err := stillThere(tx, row)
	if err != nil || !same {
		return err
	}
	return tx.ForgetExchange(ident.Exchange(strings.TrimPrefix(row.Name, "exchange/")))
}

// forgetCase forgets the papers of a case, unless it has gone on since they were written. What is under other people's keys
// goes last.
func (m *Mover) forgetCase(ctx context.Context, volume Volume, rows []Row) error {
	i := slices.IndexFunc(rows, func(row Row) bool { return strings.HasPrefix(row.Name, "application/") })
	if i < 0 {
		return nil
	}
	own, left := rows[i], false
	err := m.Store.Update(ctx, own.Key, func(tx Tx) error {
		left = false
		now, err := tx.Application(own.Case)
		if err != nil {
			return err
		}
		if now.Archived == volume.ID {
			left = true // an earlier run came as far as here
			return nil
		}
		same, err := stillThere(tx, own)
		if err != nil || !same {
			return err
		}
		if waits, err := undone(tx, now); err != nil || waits {
			return err
		}
		if err := tx.ForgetContent(own.Case, volume.ID); err != nil {
			return err
		}
		if err := tx.ForgetAttachments(own.Case); err != nil {
			return err
		}
		for _, row := range rows {
			if strings.HasPrefix(row.Name, "exchange/") && row.Key == own.Key {
				if err := forgetExchange(tx, row); err != nil {
					return err
				}
			}
		}
		left = true
		return nil
	})
	if err != nil || !left {
		return err
	}
	for _, row := range rows {
		if strings.HasPrefix(row.Name, "exchange/") && row.Key != own.Key {
			if err := m.forgetRow(ctx, row); err != nil {
				return err
			}
		}
	}
	return nil
}
