package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/act"
	"yagona/kernel/archive"
	"yagona/kernel/document"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/register"
	"yagona/kernel/seal"
	"yagona/kernel/transparency"
	"yagona/std/c2sp"
	"yagona/store"
	"yagona/store/query"
)

// Audit is what an auditor has and trusts.
type Audit struct {
	// DB is the installation's database or a copy of it. It is only read, all of it in one snapshot. Required.
	DB store.DB
	// Subjects and Master open the parts of the journal. Without them the parts are compared with nothing; the report
	// says how many were left closed. Nothing is added to Subjects.
	Subjects seal.Store
	Master   []byte
	Previous [][]byte // master keys that some parts' keys may still be wrapped under
	// Log is the log's key. Required once anything was logged.
	Log note.Verifier
	// Tiles are the log as it is published; nil: as the database has it.
	Tiles transparency.Resources
	// Old is a checkpoint that the auditor kept, or nil: the log must continue it.
	Old       []byte
	Witnesses []*c2sp.CosignatureVerifier
	Quorum    int // how many of them must have cosigned
	// Shelf has the volumes of the archive; nil: they are not connected, and each is missing.
	Shelf archive.Shelf
	// Folder is where temporary files are written, about 200 bytes for each row; "" : the system's own.
	Folder string
}

// Report is what an audit found.
type Report struct {
	Log      transparency.Report // of the published log; zero if nothing was ever logged
	Events   int64               // events recomputed, those included that are still without a place in the log
	Pending  int64               // of them, without a place in the log
	Parts    int64               // what they say of subjects
	Erased   int64               // of these, erased by law: their hashes stand, their content is gone
	Closed   int64               // of these, not opened because the auditor has no keys
	Rows     int64               // rows compared with the event that vouches for them
	GivenUp  int                 // jobs that failed until they were given up: an operator decides on them
	Archived []archive.Volume    // what was moved out of the database; each that is here and not what it was is a finding
	Missing  []Finding           // the volumes that are not connected: of what they have nothing can be said
	Funds    int                 // books recomputed from their entries
	Findings []Finding           // the first maxFindings by their place in the log; none: nothing that is here was tampered with
	Found    int                 // how many there are in all
}

// Finding is something that is not as it was recorded.
type Finding struct {
	Index   int64       // the place in the log of the event that it concerns; -1: it has none
	Event   ident.Event // that event, or ""
	Thing   string      // what is wrong: "event", the name of a row, "checkpoint", a tile, "book of <fund>"
	Problem string
}

// String returns the finding as one line.
func (f Finding) String() string {
	var at []string
	if f.Event != "" {
		at = append(at, "event "+string(f.Event))
	}
	if f.Index >= 0 {
		at = append(at, fmt.Sprintf("log index %d", f.Index))
	}
	if len(at) == 0 {
		return f.Thing + ": " + f.Problem
	}
	return f.Thing + " (" + strings.Join(at, ", ") + "): " + f.Problem
}

// maxFindings is how many findings a report lists.
const maxFindings = 100

// Verify recomputes everything that an installation recorded, from its database and its log's tiles:
//
//   - the log: entries, tiles, root, the log's signature, the witnesses' cosignatures, and that it continues an older
//     checkpoint (transparency.Verify);
//   - every event: its entry from its header, its columns, and every part that can be opened from its commitment
//     (journal.Check);
//   - the log's head: how much has a place in the log, and the newest checkpoint that the log signed;
//   - every row that events vouch for: it must be what the last event that covers it vouched for. A row that is gone,
//     and a row that no event covers, are findings as well;
//   - every volume of the archive, which must be the file whose digest the journal has: its events and rows are recomputed
//     with the others. One that is missing and that an event vouches for is no finding but missing, and what only it could tell
//     is not judged;
//   - every fund's book (ledger.Check);
//   - everything that waits for a job (a deadline, a register, a payment, an erasure): the job must be there;
//   - every job that no process will do by itself: it must have failed until it was given up (job.Job.GivenUp);
//   - every key of a subject that was destroyed: two people must have confirmed its erasure (package erasure).
//
// It reads page by page and sorts on the disk: its memory does not grow with the installation. The error says that the
// audit could not be carried out; whatever is wrong with what was recorded is a finding.
func (a Audit) Verify(ctx context.Context) (Report, error) {
	var report Report
	if a.Tiles != nil {
		// The checkpoint is read before the database: of an installation that is being served, the database then has
		// everything that the checkpoint covers.
		checkpoint, err := a.Tiles.Resource(ctx, "checkpoint")
		a.Tiles = pinned{a.Tiles, checkpoint, err}
	}
	err := a.DB.View(ctx, func(tx *query.Tx) error {
		rows, err := newCollation(a.Folder)
		if err != nil {
			return err
		}
		defer rows.remove()
		audit := &auditing{Audit: a, ctx: ctx, tx: tx, rows: rows, report: &report}
		for _, step := range []func() error{audit.vault, audit.archive, audit.log, audit.events, audit.stored, audit.compare, audit.books, audit.erasures, audit.waiting, audit.held} {
			if err := step(); err != nil {
				return err
			}
		}
		audit.sort()
		return nil
	})
	return report, err
}

// auditing is an audit under way.
type auditing struct {
	Audit
	ctx    context.Context
	tx     *query.Tx
	opened *seal.Vault
	head   transparency.Head
	rows   *collation
	unread []string // the nouns of rows that could not be read to the end
	erased map[ident.Subject]bool
	whole  whole
	report *Report
}

// found notes a finding and keeps the first ones.
func (a *auditing) found(finding Finding) {
	a.report.Found++
	a.report.Findings = append(a.report.Findings, finding)
	if len(a.report.Findings) >= 2*maxFindings {
		a.sort()
	}
}

// sort brings the findings into the order of the log: what concerns the whole log first, what has no place in it last.
func (a *auditing) sort() {
	place := func(f Finding) int64 {
		if f.Index < 0 && f.Thing != "checkpoint" && f.Thing != "old checkpoint" {
			return math.MaxInt64
		}
		return f.Index
	}
	slices.SortStableFunc(a.report.Findings, func(x, y Finding) int { return cmp.Compare(place(x), place(y)) })
	a.report.Findings = a.report.Findings[:min(len(a.report.Findings), maxFindings)]
}

// vault prepares the opening of parts.
func (a *auditing) vault() (err error) {
	keys := seal.Store(noKeys{})
	master := make([]byte, seal.KeySize)
	if a.Subjects != nil {
		a.erased = map[ident.Subject]bool{}
		keys, master = readOnlyKeys{a.Subjects, a.erased}, a.Master
	}
	a.opened, err = seal.NewVault(keys, master, a.Previous...)
	return err
}

// log verifies the log.
func (a *auditing) log() error {
	store := snapshot{a.tx}
	first, err := a.eventsByIndex(0, 1)
	if err != nil {
		return err
	}
	if a.head, err = a.tx.LogHead(); err != nil {
		return err
	}
	own := a.Tiles == nil
	if own {
		if len(first) == 0 && a.head.Size == 0 && a.Old == nil {
			return nil // nothing was logged yet
		}
		a.Tiles = transparency.NewLog(store)
	}
	if own && a.head.Published == nil && a.Old == nil {
		return fmt.Errorf("the log has %d entries, and no published checkpoint to verify them by. A new log publishes its first one some seconds "+
			"after its witnesses answer: serve the installation, and audit it then. If one was published before, it was removed: restore a copy", a.head.Size)
	}
	if a.Log == nil {
		return errors.New("the log's key is missing: give it as the installation publishes it")
	}
	a.report.Log, err = transparency.Verify(a.ctx, a.Tiles, transparency.Audit{
		Trust: transparency.Trust{Log: a.Log, Witnesses: a.Witnesses, Quorum: a.Quorum},
		Old:   a.Old, Elsewhere: a.whole.misses,
		Events: func(_ context.Context, from int64, limit int) ([]journal.StoredEvent, error) {
			return a.eventsByIndex(from, limit)
		},
	})
	for _, finding := range a.report.Log.Findings {
		event, _ := strings.CutPrefix(finding.Resource, "event ")
		named := Finding{Index: finding.Index, Thing: finding.Resource, Problem: finding.Problem}
		if event != finding.Resource {
			named.Event, named.Thing = ident.Event(event), "event"
		}
		a.found(named)
	}
	if err != nil {
		return err
	}
	return a.logHead()
}

// logHead checks what the sequencer goes on from: how much has an index, and the newest checkpoint that the log signed,
// whether witnesses have cosigned it yet or not.
func (a *auditing) logHead() error {
	wrong := func(problem string, args ...any) error {
		a.found(Finding{Index: -1, Thing: "log head", Problem: fmt.Sprintf(problem, args...)})
		return nil
	}
	last, err := a.eventsByIndex(max(a.head.Size-1, 0), 2)
	if err != nil || a.whole.misses(a.head.Size-1) {
		return err
	}
	if size := int64(len(last)); size != min(a.head.Size, 1) || size == 1 && last[0].Index != a.head.Size-1 {
		return wrong("it says that %d events have a place in the log, and the events say otherwise", a.head.Size)
	}
	if a.head.Size == 0 {
		return nil
	}
	signed, _, err := transparency.Trust{Log: a.Log}.Open(a.head.Signed)
	if err != nil {
		if a.head.Signed == nil && a.head.Published == nil {
			return nil // the first checkpoint is about to be signed
		}
		return wrong("its newest checkpoint is not signed by the log: %v", err)
	}
	if signed.Tree.N > a.head.Size {
		return wrong("its newest checkpoint is of %d entries", signed.Tree.N)
	}
	if root, err := transparency.Root(a.tx, signed.Tree.N); err != nil || root != signed.Tree.Hash {
		return wrong("the tiles do not give the root of the newest checkpoint that the log signed")
	}
	return nil
}

// eventsPage is how many events are read at once.
const eventsPage = 500

// events checks every event by itself and collects which rows it vouches for.
func (a *auditing) events() error {
	if err := a.archivedEvents(); err != nil {
		return err
	}
	for from := int64(0); ; {
		page, err := a.tx.EventsByIndex(from, eventsPage)
		if err != nil {
			return err
		}
		for _, event := range page {
			from = event.Index + 1
			if a.whole.has(event.Index) != nil {
				continue // it was compared with the volume, which counts
			}
			if err := a.event(a.tx, event); err != nil {
				return err
			}
		}
		if len(page) < eventsPage {
			break
		}
	}
	// What is pending are the events of a few seconds.
	pending, err := a.tx.PendingEntries(math.MaxInt32)
	if err != nil {
		return err
	}
	for _, entry := range pending {
		event, err := a.tx.StoredEvent(entry.Key, entry.Event)
		if err != nil {
			return err
		}
		a.report.Pending++
		if err := a.event(a.tx, event); err != nil {
			return err
		}
	}
	return nil
}

func (a *auditing) event(from journal.Reader, event journal.StoredEvent) error {
	a.report.Events++
	if event.Index >= a.head.Size {
		a.found(Finding{Index: event.Index, Event: event.ID, Thing: "event", Problem: "its place lies beyond the end of the log"})
	}
	parts, err := from.StoredParts(event.Key, event.ID)
	if err != nil {
		return err
	}
	subjects := make([]ident.Subject, len(parts))
	for i, part := range parts {
		subjects[i] = part.Subject
	}
	var header journal.Header
	var erased int
	sealer, err := a.opened.Open(a.ctx, subjects...)
	if err == nil {
		header, erased, err = journal.Check(sealer, event, parts)
	} else if fault.Code(err) != errNoKey.Code {
		return err
	}
	if err != nil {
		problem := fault.Of(err).Message
		if _, short, ok := strings.Cut(problem, "has been tampered with: "); ok {
			problem = "it has been tampered with: " + short
		}
		a.found(Finding{Index: event.Index, Event: event.ID, Thing: "event", Problem: problem})
		// What it vouched for is compared as far as its header still says.
		if json.Unmarshal(event.Header, &header) != nil {
			return nil //nolint:nilerr // the event is a finding already
		}
	}
	a.report.Parts += int64(len(parts))
	if a.Subjects != nil {
		a.report.Erased += int64(erased)
	} else {
		a.report.Closed += int64(erased)
	}
	for _, cover := range header.Covers {
		err := a.rows.add(voucher{
			Row: cover.Row, Key: event.Key, Event: event.ID, Index: event.Index, At: event.At.UnixMicro(), Digest: cover.Digest,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// stored collects every row that an event has to vouch for.
func (a *auditing) stored() error {
	visit := func(row journal.Row) error {
		a.report.Rows++
		return a.rows.add(voucher{Row: row.Name, Key: row.Key, Event: row.Event, Digest: row.Digest, Stored: true})
	}
	for _, nouns := range []struct {
		names []string
		rows  func(func(journal.Row) error) error
	}{
		{[]string{"person"}, a.tx.PersonRows},
		{[]string{"person-index"}, a.tx.PersonIndexRows},
		{[]string{"session"}, a.tx.SessionRows},
		{[]string{"appointment"}, a.tx.AppointmentRows},
		{[]string{"register-version"}, func(visit func(journal.Row) error) error { return register.Rows(a.tx, visit) }},
		{[]string{"register-index"}, a.tx.RegisterIndexRows},
		{[]string{"register-claim"}, a.tx.RegisterClaimRows},
		{[]string{"exchange"}, func(visit func(journal.Row) error) error { return exchange.Rows(a.tx, visit) }},
		{[]string{"application", "task"}, a.tx.CaseworkRows},
		{[]string{"entitlement"}, a.tx.EntitlementRows},
		{[]string{"queue-entry"}, a.tx.QueueRows},
		{[]string{"attachment"}, a.tx.AttachmentRows},
		{[]string{"passkeys"}, a.tx.PasskeyRows},
		{[]string{"outage"}, a.tx.OutageRows},
		{[]string{"document", "document-revocation", "kept-revocation"}, func(visit func(journal.Row) error) error { return document.Rows(a.tx, visit) }},
		{[]string{"ledger-account", "ledger-entry", "ledger-transfer", "payment-order", "found-payment"}, a.tx.LedgerRows},
		{[]string{"notice"}, a.tx.NoticeRows},
		{[]string{"contact"}, a.tx.ContactRows},
		{[]string{"delivery"}, a.tx.DeliveryRows},
		{[]string{"correction"}, a.tx.CorrectionRows},
		{[]string{"mandate"}, a.tx.MandateRows},
		{[]string{"offer", "participation"}, a.tx.OfferRows},
		{[]string{"simulation"}, a.tx.SimulationRows},
		{[]string{"erasure"}, a.tx.ErasureRows},
		{[]string{"publication", "closure"}, a.tx.PublicationRows},
		{[]string{"draft"}, a.tx.DraftRows},
		{[]string{"archive-volume"}, a.tx.VolumeRows},
		{[]string{"application", "attachment", "exchange"}, a.archivedRows},
	} {
		err := nouns.rows(visit)
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if err != nil {
			a.unread = append(a.unread, nouns.names...)
			a.found(Finding{Index: -1, Thing: "rows of " + strings.Join(nouns.names, ", "), Problem: "they cannot be read: " + err.Error()})
		}
	}
	return nil
}

// compare compares what is stored with what was vouched for.
func (a *auditing) compare() error {
	return a.rows.each(func(row string, vouched []voucher, stored []voucher) {
		last := lastOf(vouched)
		noun, _, _ := strings.Cut(row, "/")
		switch {
		case len(stored) > 0:
		case slices.Contains(a.unread, noun):
			return // it is not known whether the row is there
		case a.whole.mayHave(noun):
			return // it may be in a volume that is missing
		case noun == "session":
			return // what has ended is forgotten, and whose session is removed before only signs in again
		case slices.ContainsFunc(last, func(v voucher) bool { return v.Digest == nil }):
			return // the event removed it
		default:
			a.found(Finding{Index: last[0].Index, Event: last[0].Event, Thing: row, Problem: "this row was recorded and is gone"})
			return
		}
		for _, one := range stored {
			a.row(row, one, vouched, last)
		}
		if len(stored) > 1 {
			a.found(Finding{Index: -1, Event: stored[1].Event, Thing: row, Problem: "there is more than one such row"})
		}
	})
}

// row judges a stored row.
func (a *auditing) row(row string, stored voucher, vouched, last []voucher) {
	if stored.Event == "" && a.whole.blind() {
		return // a later event may be missing with a volume
	}
	by := func(v voucher) bool { return v.Event == stored.Event && v.Key == stored.Key }
	if stored.Event == "" { // it does not name its event: it must be what the last one vouched for
		by = func(v voucher) bool {
			return v.Key == stored.Key && (len(last) == 1 || slices.Equal(v.Digest, stored.Digest))
		}
	}
	if i := slices.IndexFunc(last, by); i >= 0 && last[i].Digest == nil {
		a.found(Finding{Index: last[i].Index, Event: last[i].Event, Thing: row, Problem: "the event removed this row, and it is there again"})
		return
	}
	if i := slices.IndexFunc(last, by); i >= 0 {
		if !slices.Equal(last[i].Digest, stored.Digest) {
			a.found(Finding{
				Index: last[i].Index, Event: last[i].Event, Thing: row, Problem: "this row is not what the event vouched for: it has been changed",
			})
		}
		return
	}
	if a.whole.blind() {
		return // an event that is missing with a volume may have written it
	}
	if len(last) == 0 {
		a.found(Finding{Index: -1, Event: stored.Event, Thing: row, Problem: "no event vouches for this row: it was put in from outside"})
		return
	}
	problem := "this row names another event than the last that wrote it"
	if slices.ContainsFunc(vouched, by) {
		problem = "this row was set back to what it was before the event"
	}
	a.found(Finding{Index: last[0].Index, Event: last[0].Event, Thing: row, Problem: problem})
}

// lastOf returns the vouchers of the latest time: more than one if acts were as close as the clock tells.
func lastOf(vouched []voucher) (last []voucher) {
	for _, one := range vouched {
		if len(last) > 0 && one.At > last[0].At {
			last = last[:0]
		}
		if len(last) == 0 || one.At == last[0].At {
			last = append(last, one)
		}
	}
	return last
}

// books recomputes every fund's book.
func (a *auditing) books() error {
	funds, err := a.tx.Funds()
	if err != nil {
		return err
	}
	for _, fund := range funds {
		a.report.Funds++
		err := ledger.Check(a.tx, fund.ID)
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if err != nil {
			a.found(Finding{Index: -1, Thing: "book of " + string(fund.ID), Problem: fault.Of(err).Message})
		}
	}
	return nil
}

// erasures asks of every destroyed key for the act that ordered it.
func (a *auditing) erasures() error {
	for subject := range a.erased {
		lawful, err := a.tx.ErasedByLaw(subject)
		if err != nil {
			return err
		}
		if !lawful {
			a.found(Finding{Index: -1, Thing: "key of " + string(subject), Problem: "it was destroyed, and nobody confirmed an erasure"})
		}
	}
	return nil
}

// pinned is a log of which the checkpoint was read already.
type pinned struct {
	transparency.Resources
	checkpoint []byte
	err        error
}

// Resource implements transparency.Resources.
func (p pinned) Resource(ctx context.Context, path string) ([]byte, error) {
	if path == "checkpoint" {
		return p.checkpoint, p.err
	}
	return p.Resources.Resource(ctx, path)
}

// snapshot is one reading as the store of the log.
type snapshot struct{ tx *query.Tx }

// View implements act.Store.
func (s snapshot) View(_ context.Context, run func(transparency.Reader) error) error {
	return run(s.tx)
}

// Update implements act.Store; an audit changes nothing.
func (s snapshot) Update(context.Context, act.Key, func(transparency.Tx) error) error {
	return errors.New("an audit changes nothing")
}

// errNoKey is not errErased: an erased key leaves a trace among the keys.
var errNoKey = fault.New(fault.Conflict, "audit.no-key",
	"it speaks of a subject who has no key and never had one: it was changed, or the keys are from another backup")

// readOnlyKeys are subjects' keys to which an audit adds none.
type readOnlyKeys struct {
	seal.Store
	erased map[ident.Subject]bool // those that were asked for and are erased
}

// SubjectKeys implements seal.Store.
func (k readOnlyKeys) SubjectKeys(ctx context.Context, subjects []ident.Subject) ([]seal.WrappedKey, error) {
	keys, err := k.Store.SubjectKeys(ctx, subjects)
	for _, key := range keys {
		if key.Erased {
			k.erased[key.Subject] = true
		}
	}
	return keys, err
}

// AddSubjectKeys implements seal.Store.
func (readOnlyKeys) AddSubjectKeys(context.Context, []seal.WrappedKey) error { return errNoKey }

// EraseSubjectKey implements seal.Store.
func (readOnlyKeys) EraseSubjectKey(context.Context, ident.Subject) error {
	return errors.New("an audit changes nothing")
}

// noKeys leaves every subject's data closed.
type noKeys struct{ readOnlyKeys }

// SubjectKeys implements seal.Store.
func (noKeys) SubjectKeys(_ context.Context, subjects []ident.Subject) ([]seal.WrappedKey, error) {
	closed := make([]seal.WrappedKey, len(subjects))
	for i, subject := range subjects {
		closed[i] = seal.WrappedKey{Subject: subject, Erased: true}
	}
	return closed, nil
}
