package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/transparency"
	"yagona/locale"
	"yagona/std/c2sp"
	"yagona/store/query"
)

// noted is a database that carries the mark of a restoration itself: one on a server.
type noted interface {
	Note(ctx context.Context) (string, error)
	SetNote(ctx context.Context, note string) error
}

// Restored returns what the installation was restored from and false if it was not, or was accepted since. One that may
// have been restored, because its note of that cannot be read, counts as restored, from something unknown.
func (n *Node) Restored() (Manifest, bool) {
	var manifest Manifest
	encoded, err := os.ReadFile(filepath.Join(n.config.Folder, restoredFile))
	if note := n.note.Load(); errors.Is(err, fs.ErrNotExist) && note != nil {
		encoded, err = []byte(*note), nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return manifest, false
	}
	if err == nil {
		err = json.Unmarshal(encoded, &manifest)
	}
	if err != nil {
		return Manifest{}, true
	}
	return manifest, true
}

// errRestored is what every act gets until somebody accepts what was restored.
var errRestored = fault.New(fault.CannotStore, "store.restored",
	"The platform was restored from a backup and takes nothing until the operator has accepted that. Nothing of this was done; try again later.")

// Lost is an act, or a stretch of the log, that others know of and what was restored does not.
type Lost struct {
	Kind  string `json:"kind"`  // "log", "key", "erasure", "payment", "fee", "revocation" or "unknown"
	What  string `json:"what"`  // its name, as far as it is known
	Known string `json:"known"` // who knows of it
}

// Kept is what people outside have kept of what the installation once said, and hand to whoever restores it.
type Kept struct {
	Checkpoint  []byte // a checkpoint of the log, or nil
	Revocations []byte // a list of revocations as the installation published it, signed, or nil
}

// reconciliation is one comparison of what was restored with what others know.
type reconciliation struct {
	node *Node
	kept Kept
	head transparency.Head
	// former is the newest checkpoint that the log signed under the name that it had in the copy; zero: none.
	former c2sp.Checkpoint
	ended  string // the log's name until now: in the copy, or, where nothing was signed in it, as a kept checkpoint tells it; "": not known
	size   int64  // how far others know that log: not less than what the copy has
	// payments are what the bank has paid and the books do not know, or know as not released.
	payments []ledger.Executed
	// collected are what the payment system has and the copy does not know of; returned, what it has given back and the copy
	// counts as paid.
	collected, returned []found
	// revocations are what was published, or is on the list beside the copies, and is not in the copy.
	revocations []document.Revocation
	lost        []Lost
}

// Lost asks those outside what the copy does not know: the witnesses and who kept a checkpoint how far the log went, the
// subjects' keys whom two people had erased, the bank what it has paid, the payment system which fees it has, and the lists
// of revocations what was revoked. What cannot be asked is named as unknown, never as nothing.
func (n *Node) Lost(ctx context.Context, kept Kept) ([]Lost, error) {
	if manifest, restored := n.Restored(); restored {
		if done, err := n.accepted(ctx, manifest); err != nil || done != nil {
			return nil, cmp.Or(err, errAccepted)
		}
	}
	r := &reconciliation{node: n, kept: kept}
	return r.compare(ctx)
}

func (r *reconciliation) compare(ctx context.Context) ([]Lost, error) {
	for _, step := range []func(context.Context) error{r.log, r.keys, r.erasures, r.bank, r.till, r.revoked} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(r.lost, func(a, b Lost) int {
		return slices.Compare([]string{a.Kind, a.What, a.Known}, []string{b.Kind, b.What, b.Known})
	})
	return r.lost, nil
}

func (r *reconciliation) unknown(what, why string, args ...any) {
	r.lost = append(r.lost, Lost{"unknown", what, fmt.Sprintf(why, args...)})
}

// howFar is what nobody may be able to say of the log.
const howFar = "how far the log went"

// log compares the log with what the witnesses have cosigned of it, and with a checkpoint that somebody kept.
func (r *reconciliation) log(ctx context.Context) error {
	n := r.node
	err := n.DB.View(ctx, func(tx *query.Tx) (err error) {
		r.head, err = tx.LogHead()
		return err
	})
	if err != nil {
		return err
	}
	if r.head.Signed != nil {
		if r.former, err = c2sp.Unverified(r.head.Signed); err != nil {
			return fmt.Errorf("the checkpoint in the copy cannot be read: audit the copy, and restore another: %w", err)
		}
	}
	r.size, r.ended = r.head.Size, r.former.Origin
	ask := n.Sequencer.WitnessedSizes
	if r.head.Signed == nil { // there is nothing to ask with but the log's name
		ask = n.Sequencer.WitnessedUnder
	}
	sizes, failures, err := ask(ctx)
	if err != nil {
		return err
	}
	if len(n.config.Witnesses) == 0 {
		r.unknown(howFar, "no witness is configured")
	}
	for name, failure := range failures {
		r.unknown(howFar, "witness %s does not say: %v", name, failure)
	}
	for name, size := range sizes {
		r.logWent(size, "witness "+name)
	}
	return r.checkpoint(ctx)
}

// logWent notes how far somebody knows the log.
func (r *reconciliation) logWent(size int64, known string) {
	if size > r.head.Size {
		r.lost = append(r.lost, Lost{"log", fmt.Sprintf("the events at the log's indexes %d to %d", r.head.Size, size-1), known})
		r.size = max(r.size, size)
	}
}

// checkpoint compares the log with the checkpoint that somebody kept.
func (r *reconciliation) checkpoint(ctx context.Context) error {
	if r.kept.Checkpoint == nil {
		return nil
	}
	kept, err := r.node.signedByLog(r.kept.Checkpoint)
	if err != nil {
		return fmt.Errorf("the checkpoint that was kept: %w", err)
	}
	if r.former.Origin != "" && kept.Origin != r.former.Origin {
		return fmt.Errorf("the checkpoint that was kept is of the log %s, the copy has the log %s: give one of that", kept.Origin, r.former.Origin)
	}
	r.ended = kept.Origin
	r.logWent(kept.Tree.N, "the checkpoint that was kept")
	if kept.Tree.N > r.head.Size {
		return nil
	}
	return r.node.DB.View(ctx, func(tx *query.Tx) error {
		root, err := transparency.Root(tx, kept.Tree.N)
		if err == nil && root != kept.Tree.Hash {
			err = fmt.Errorf("the copy's first %d entries are not those of the checkpoint that was kept: it is a copy of something else, or was changed; audit it", kept.Tree.N)
		}
		return err
	})
}

// signedByLog returns the checkpoint of a note that a key of this installation's log has signed, under whichever name.
func (n *Node) signedByLog(signed []byte) (c2sp.Checkpoint, error) {
	claimed, err := c2sp.Unverified(signed)
	if err != nil {
		return c2sp.Checkpoint{}, err
	}
	for _, key := range n.Keys.Keys() {
		if key.Holder != LogHolder {
			continue
		}
		verifier, err := logVerifier(claimed.Origin, key.Public)
		if err != nil {
			return c2sp.Checkpoint{}, err
		}
		if checkpoint, _, err := c2sp.Open(signed, verifier); err == nil {
			return checkpoint, nil
		}
	}
	return c2sp.Checkpoint{}, errors.New("no key of this installation's log has signed it: give one that it has published")
}

// keys names how many people's data cannot be read any more, because the copy of their keys was older than that of the
// database.
func (r *reconciliation) keys(context.Context) error {
	if manifest, _ := r.node.Restored(); manifest.Keyless > 0 {
		r.lost = append(r.lost, Lost{"key", fmt.Sprintf("the data of people whose keys are not in the copy of the keys: %d", manifest.Keyless), "the copy of the database"})
	}
	return nil
}

// erasures names destroyed keys whose act is not in the copy.
func (r *reconciliation) erasures(ctx context.Context) error {
	erased, err := r.node.subjectKeys.Erased(ctx)
	if err != nil {
		return err
	}
	return r.node.DB.View(ctx, func(tx *query.Tx) error {
		for _, one := range erased {
			lawful, err := tx.ErasedByLaw(one)
			if err != nil {
				return err
			}
			if !lawful {
				r.lost = append(r.lost, Lost{"erasure", "the erasure of " + string(one), "the subjects' keys"})
			}
		}
		return nil
	})
}

// bankMargin is how long before the copy's last act the bank's statement begins: clocks differ.
const bankMargin = 24 * time.Hour

// bank compares the books with what the bank has paid since the copy was made.
func (r *reconciliation) bank(ctx context.Context) error {
	n := r.node
	manifest, restored := n.Restored()
	if !restored || n.config.Bank == nil {
		return nil
	}
	const paid = "what the bank has paid since"
	asking, done := context.WithTimeout(ctx, bankPatience)
	defer done()
	statement, err := n.config.Bank.Statement(asking, manifest.LastAct.Add(-bankMargin))
	if errors.Is(err, ledger.ErrNoBank) {
		return nil
	}
	if err != nil {
		r.unknown(paid, "the bank does not say: %v", err)
		return nil
	}
	missing, others, err := n.Ledger.Missing(ctx, statement)
	if err != nil {
		return err
	}
	for _, line := range others {
		r.unknown("whose payment "+string(line.EndToEndID)+" of "+string(line.Debtor)+" is", "the bank's statement, of %s", line.Taken.UTC().Format(time.RFC3339))
	}
	for _, line := range missing {
		r.lost = append(r.lost, Lost{
			"payment", fmt.Sprintf("the payment of order %s from %s", line.Order(), line.Debtor),
			"the bank's statement, of " + line.Taken.UTC().Format(time.RFC3339),
		})
	}
	r.payments = missing
	return nil
}

// till compares the fees with what the payment system has collected and given back since the copy was made.
func (r *reconciliation) till(ctx context.Context) error {
	n := r.node
	manifest, restored := n.Restored()
	if !restored || n.config.Till == nil {
		return nil
	}
	asking, done := context.WithTimeout(ctx, bankPatience)
	defer done()
	statement, err := n.config.Till.Collected(asking, manifest.LastAct.Add(-bankMargin))
	if err != nil {
		r.unknown("which fees were paid since", "the payment system does not say: %v", err)
		return nil
	}
	var unclear []ledger.CollectedFee
	if r.collected, r.returned, unclear, err = (fees{n}).compare(ctx, statement); err != nil {
		return err
	}
	for _, line := range unclear {
		r.unknown("whether the fee of application "+string(line.Application)+" is booked", "the applicant is erased; the payment system has it since %s",
			line.Paid.UTC().Format(time.RFC3339))
	}
	for _, one := range r.collected {
		became := "it is booked"
		if one.fund == "" {
			became = "the copy has nothing that it could be for: it is given back"
		}
		r.lost = append(r.lost, Lost{
			"fee", fmt.Sprintf("the fee of application %s, %s; %s", one.Application, one.Purpose, became),
			"the payment system, paid " + one.Paid.UTC().Format(time.RFC3339),
		})
	}
	for _, one := range r.returned {
		r.lost = append(r.lost, Lost{
			"fee", fmt.Sprintf("that the fee of application %s, %s, was given back", one.Application, one.Purpose),
			"the payment system, on " + one.Returned.UTC().Format(time.RFC3339),
		})
	}
	return nil
}

// takeUpFees books what the payment system has of applications that are here, and what it has given back of them.
func (r *reconciliation) takeUpFees(ctx context.Context) error {
	for _, one := range r.collected {
		if one.fund == "" {
			continue
		}
		if _, err := r.node.Ledger.Collect(ctx, one.fund, one.Application, one.Amount); err != nil {
			return fmt.Errorf("booking the fee of application %s: %w", one.Application, err)
		}
	}
	for _, one := range r.returned {
		if err := r.node.Casework.FeeFoundReturned(ctx, operator, one.Application); err != nil {
			return fmt.Errorf("settling the fee of application %s: %w", one.Application, err)
		}
	}
	return nil
}

// bankPatience is how long the bank, or the payment system, may take for its statement.
const bankPatience = time.Minute

// revoked compares the copy with the lists of revocations.
func (r *reconciliation) revoked(ctx context.Context) error {
	n := r.node
	listed, err := readRevoked(filepath.Join(n.config.Folder, revokedFile))
	if err != nil {
		return err
	}
	if r.kept.Revocations != nil {
		now := n.config.Clock()
		published, err := document.ReadRevocationList(r.kept.Revocations, document.NewKeySet(n.Documents.Node, n.Keys.Keys(), now, now.Add(time.Hour)))
		if err != nil {
			return fmt.Errorf("the list of revocations that was kept: %w", err)
		}
		if manifest, _ := n.Restored(); published.Issued.Before(manifest.LastAct) {
			return fmt.Errorf("the list of revocations that was kept is of %s, older than the copy, whose last act is of %s: what was given back since would be "+
				"revoked again, and the copy knows the rest. Give a newer list, or none", published.Issued.UTC().Format(time.RFC3339), manifest.LastAct.UTC().Format(time.RFC3339))
		}
		listed = append(published.Revoked, listed...)
	}
	slices.SortStableFunc(listed, func(a, b document.Revocation) int { return cmp.Compare(a.ID, b.ID) })
	listed = slices.CompactFunc(listed, func(a, b document.Revocation) bool { return a.ID == b.ID })
	if r.revocations, err = n.Documents.Unrevoked(ctx, listed); err != nil {
		return err
	}
	for _, one := range r.revocations {
		r.lost = append(r.lost, Lost{"revocation", "the revocation of document " + string(one.ID), "the list of revocations, of " + one.At.UTC().Format(time.RFC3339)})
	}
	return nil
}

// revokeAgain revokes what the lists name, and keeps the revocations of what is not here any more.
func (r *reconciliation) revokeAgain(ctx context.Context, one document.Revocation) error {
	n := r.node
	stored, err := n.Documents.Find(ctx, one.ID)
	if fault.Is(err, fault.NotFound) {
		return n.Documents.KeepRevocation(ctx, operator, one)
	}
	if err != nil {
		return err
	}
	language, err := n.language(ctx, stored.Subject)
	if err == nil {
		reason := n.Words.Text(locale.Tag(language), "verify.revoked-before-restoration", locale.Args{"date": n.Words.Day(language, one.At)})
		err = n.Casework.TakeBackAgain(ctx, operator, stored, reason)
	}
	if fault.Code(err) == document.ErrRevoked.Code {
		return nil
	}
	if fault.Is(err, fault.Erased) { // nobody can be told why
		return n.Documents.KeepRevocation(ctx, operator, one)
	}
	return err
}

// renamed reports whether the log is configured under another name than it had in the copy.
func (r *reconciliation) renamed() bool {
	return r.ended != "" && r.ended != r.node.Origin()
}

// mayGoOn returns an error that says what to do, unless the log can go on: where everybody saw it last, or, when something
// of it is lost, under a name under which nothing was ever cosigned.
func (r *reconciliation) mayGoOn(ctx context.Context, despiteUnknown bool) error {
	var missing bool
	for _, one := range r.lost {
		switch {
		case one.Kind == "unknown" && !despiteUnknown:
			return fmt.Errorf("it is not known %s (%s): let it be known, or accept that it is not", one.What, one.Known)
		case one.Kind == "log" && !r.renamed():
			return fmt.Errorf("%s knows %s, which this copy does not have: the log %s cannot go on without them. Restore a newer copy; "+
				"if there is none, let a new log begin: raise log-number in the configuration, and give the witnesses its key", one.Known, one.What, cmp.Or(r.ended, r.node.Origin()))
		}
		missing = missing || one.Kind == "log" || one.Kind == "unknown" && one.What == howFar
	}
	if !r.renamed() {
		return nil
	}
	if !missing {
		return fmt.Errorf("the log %s has lost nothing, and goes on: take log-number and site as they were", r.ended)
	}
	sizes, failures, err := r.node.Sequencer.WitnessedUnder(ctx)
	if err != nil {
		return err
	}
	for name, size := range sizes {
		if size > 0 {
			return fmt.Errorf("witness %s has cosigned %d entries of the log %s already: take a higher log-number", name, size, r.node.Origin())
		}
	}
	for name, failure := range failures {
		if !despiteUnknown {
			return fmt.Errorf("witness %s does not say whether it knows the log %s; give it the log's new key: %w", name, r.node.Origin(), failure)
		}
	}
	return nil
}

// operator is how the journal names whoever holds the machine.
var operator = journal.Actor{Component: "operator"}

// Acceptance is what an operator says who lets a restored installation serve again.
type Acceptance struct {
	Reason         string // why, and by whom; kept in the journal. Required.
	DespiteUnknown bool   // although something cannot be asked
	Kept           Kept
}

// errAccepted is what a comparison gives whose result stands in the journal already.
var errAccepted = errors.New("it was accepted already, and the mark of the restoration is still there: run yagona restore accept once more, which only removes it")

// accepted returns what the journal says of the acceptance of this restoration, nil while nobody accepted it. A copy cannot
// have that of a restoration that was made from it.
func (n *Node) accepted(ctx context.Context, manifest Manifest) (facts map[string]string, err error) {
	err = n.DB.View(ctx, func(tx *query.Tx) (err error) {
		facts, err = acceptedIn(tx, manifest)
		return err
	})
	return facts, err
}

// acceptedIn is accepted, in an act. It reads the platform's events since the copy's last act: few, nothing else was taken.
func acceptedIn(tx *query.Tx, manifest Manifest) (facts map[string]string, err error) {
	made, lastAct := manifest.named()
	for limit := 64; ; limit *= 8 {
		events, err := tx.EventsUnder(act.Platform, limit)
		if err != nil {
			return nil, err
		}
		for _, event := range events {
			var header journal.Header
			if err := json.Unmarshal(event.Header, &header); err != nil {
				return nil, err
			}
			if header.Type == restoredEvent && header.Facts["made"] == made && header.Facts["last-act"] == lastAct {
				return header.Facts, nil
			}
		}
		if len(events) < limit || events[0].At.Before(manifest.LastAct) {
			return nil, nil
		}
	}
}

// restoredEvent is the type of the event that accepts a restoration.
const restoredEvent = "installation.restored"

// named returns how the journal names the copy.
func (m Manifest) named() (made, lastAct string) {
	return m.Made.Format(time.RFC3339), m.LastAct.Format(time.RFC3339)
}

// Accept lets a restored installation serve again, in the name of whoever holds the machine: with a reason, and only if
// the log can go on without contradicting what anybody saw of it. What the bank has paid is booked, so that it is not paid
// again; a fee that was paid is booked, or given back if there is nothing here that it is for; what was revoked is revoked
// again; what stays lost is declared by name, in the journal. The next start serves. Accepting again after a failure does
// what is left; of what was accepted whole, only the mark, and nothing is compared or journaled once more.
func (n *Node) Accept(ctx context.Context, accepted Acceptance) ([]Lost, error) {
	manifest, restored := n.Restored()
	if !restored {
		return nil, errors.New("this folder is not waiting to be accepted")
	}
	if strings.TrimSpace(accepted.Reason) == "" {
		return nil, errors.New("say why it is accepted, and by whom: it is kept in the journal")
	}
	if manifest.Made.IsZero() {
		return nil, fmt.Errorf("%s in the folder cannot be read, so that nobody can say what is lost: restore the backup once more", restoredFile)
	}
	switch done, err := n.accepted(ctx, manifest); {
	case err != nil:
		return nil, err
	case done != nil && cmp.Or(done["log-begun"], n.Origin()) != n.Origin():
		return nil, fmt.Errorf("it was accepted already, for the log %s: write its log-number into the configuration, not that of %s", done["log-begun"], n.Origin())
	case done != nil:
		return nil, n.removeMark(ctx)
	}
	r := &reconciliation{node: n, kept: accepted.Kept}
	lost, err := r.compare(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.mayGoOn(ctx, accepted.DespiteUnknown); err != nil {
		return lost, err
	}
	n.DB.Allow()
	if err := r.accept(ctx, manifest, accepted.Reason); err != nil {
		n.DB.Refuse(errRestored)
		return lost, err
	}
	return lost, nil
}

// accept does what was lost again, as far as it can be, journals the rest, and takes the mark away.
func (r *reconciliation) accept(ctx context.Context, manifest Manifest, reason string) error {
	n := r.node
	for _, line := range r.payments {
		if err := n.Ledger.TakeUp(ctx, operator, line); err != nil {
			return fmt.Errorf("booking the payment of order %s: %w", line.Order(), err)
		}
	}
	if err := r.takeUpFees(ctx); err != nil {
		return err
	}
	for _, one := range r.revocations {
		if err := r.revokeAgain(ctx, one); err != nil {
			return fmt.Errorf("revoking document %s again: %w", one.ID, err)
		}
	}
	made, lastAct := manifest.named()
	facts := map[string]string{"reason": reason, "made": made, "last-act": lastAct}
	if len(r.payments) > 0 { // each has an event of its own
		facts["payments-found"] = fmt.Sprint(len(r.payments))
	}
	if len(r.revocations) > 0 {
		facts["revoked-again"] = fmt.Sprint(len(r.revocations))
	}
	back := slices.DeleteFunc(slices.Clone(r.collected), func(one found) bool { return one.fund != "" })
	if len(back) > 0 {
		facts["fees-returned"] = fmt.Sprint(len(back))
	}
	for i, one := range r.lost {
		if one.Kind == "payment" || one.Kind == "revocation" {
			continue
		}
		facts[fmt.Sprintf("lost-%d", i+1)] = one.What + " (" + one.Known + ")"
	}
	if r.renamed() {
		facts["log-ended"], facts["log-begun"] = r.ended, n.Origin()
		facts["log-kept"], facts["log-witnessed"] = fmt.Sprint(r.head.Size), fmt.Sprint(r.size)
	}
	sealer, err := n.Vault.Open(ctx)
	if err != nil {
		return err
	}
	err = n.DB.Update(ctx, act.Platform, func(tx *query.Tx) error {
		if done, err := acceptedIn(tx, manifest); err != nil || done != nil {
			return err // by another process
		}
		if r.renamed() {
			if err := transparency.BeginAnew(tx, r.former.Origin); err != nil {
				return err
			}
		}
		for _, one := range back {
			if err := job.Queue(tx, jobReturnLost, 0, one.FeeRequest); err != nil {
				return err
			}
		}
		_, err := journal.Append(tx, sealer, journal.Event{Type: restoredEvent, Actor: operator, Facts: facts})
		return err
	})
	if err != nil {
		return err
	}
	return n.removeMark(ctx)
}

// removeMark lets the next start serve. The list of the revoked goes before the mark that it belongs to.
func (n *Node) removeMark(ctx context.Context) error {
	remove := func(name string) error {
		err := os.Remove(filepath.Join(n.config.Folder, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if err := remove(revokedFile); err != nil {
		return err
	}
	if server, ok := n.DB.(noted); ok {
		if err := server.SetNote(ctx, ""); err != nil {
			return err
		}
		n.note.Store(nil)
	}
	return remove(restoredFile)
}
