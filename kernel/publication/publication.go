// Package publication owns how packs come into force on a running node: signed, dated, approved by a second person, kept
// for ever.
//
// A publication is one revision of one pack, with all its files. Whoever publishes signs the pack's name, its digest and
// the time; a second person signs that they approve. Both signers are known to the installation by their keys, and hold
// an appointment as publisher of an agency for which the pack speaks. Packs that come with the installation itself are
// kept as publications, too, without signatures, so that a version that an application used is never lost.
//
// A version of a service that turns out to be faulty is closed: it takes no new applications; running ones go on.
//
// A pack is signed by its publisher's own key, or in the name of a publisher who is signed in by the key that the node
// holds for their agency: that signature says so, and whom it names. Before it is published a pack can be a draft, which
// the publishers of an agency write together.
//
// Invariants: a publication's files never change; nobody approves what they published themselves; what is approved was
// checked together with all other packs in force; nobody writes over a file of a draft that they have not seen.
package publication

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
	"yagona/kernel/signature"
)

// Bundle is the files of a pack by their path in its folder.
type Bundle map[string][]byte

// Digest returns the SHA-256 of the bundle: of its JSON, paths in order.
func (b Bundle) Digest() string {
	encoded, err := json.Marshal(b) // encoding/json sorts the keys of a map
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}

// State is where a publication is.
type State string

// The states.
const (
	Proposed  State = "proposed"  // waits for a second person
	InForce   State = "in-force"  // approved, or came with the installation
	Rejected  State = "rejected"  // the second person refused it
	Withdrawn State = "withdrawn" // replaced by a later proposal before it was approved
)

// Publication is one revision of one pack.
type Publication struct {
	ID        ident.Publication
	Pack      string
	Digest    string
	Files     Bundle
	State     State
	Agency    ident.Agency // in whose name it is published; empty: it came with the installation
	Published time.Time    // as the publisher signed it
	By        ident.Person
	Signed    signature.Signature
	InForceAt time.Time
	Second    ident.Person
	Approved  signature.Signature
	Event     ident.Event
}

// Cover returns what an event says of the publication.
func (p Publication) Cover() journal.Cover {
	p.Event, p.Files = "", nil // the digest stands for the files
	return journal.Cover{Row: "publication/" + string(p.ID), Digest: journal.Digest(p)}
}

// Closure is a version of a service that takes no new applications.
type Closure struct {
	Version string // the hash
	Service ident.Service
	Reason  string
	By      ident.Person
	At      time.Time
	Event   ident.Event
}

// Cover returns what an event says of the closure.
func (c Closure) Cover() journal.Cover {
	c.Event = ""
	return journal.Cover{Row: "closure/" + c.Version, Digest: journal.Digest(c)}
}

// Reader is what publications need for reading.
type Reader interface {
	access.Reader
	// Publications returns all publications, oldest first, without their files unless asked for.
	Publications(files bool) ([]Publication, error)
	// Publication returns one with its files, or fault.NotFound.
	Publication(id ident.Publication) (Publication, error)
	// Closures returns all closed versions.
	Closures() ([]Closure, error)
	// Drafts returns the drafts of an agency without their files, by the names of their packs.
	Drafts(agency ident.Agency) ([]Draft, error)
	// Draft returns the agency's draft of a pack with its files, and false if there is none.
	Draft(agency ident.Agency, pack string) (Draft, bool, error)
}

// Tx is what publications need of an act.
type Tx interface {
	journal.Tx
	Reader
	// SavePublication stores a new or changed publication under the act's key, the platform's.
	SavePublication(publication Publication) error
	// SaveClosure stores a closure under the act's key, the platform's.
	SaveClosure(closure Closure) error
	// SaveDraft stores a new or changed draft under the act's key, its agency's.
	SaveDraft(draft Draft) error
}

// Proposal is what a publisher sends: the pack, when, and their signature over Message.
type Proposal struct {
	Pack      string              `json:"pack"`
	Agency    ident.Agency        `json:"agency"`
	Files     Bundle              `json:"files"`
	Published time.Time           `json:"published"`
	Signature signature.Signature `json:"signature"`
}

// Message returns what the publisher signs.
func (p Proposal) Message() []byte {
	return fmt.Appendf(nil, "yagona pack publication v1\n%s\n%s\n%s\n%s\n", p.Pack, p.Agency, p.Files.Digest(), p.Published.UTC().Format(time.RFC3339))
}

// ApprovalMessage returns what the second person signs.
func ApprovalMessage(id ident.Publication, digest string, approve bool) []byte {
	return fmt.Appendf(nil, "yagona pack approval v1\n%s\n%s\n%s\n", id, digest, verdictOf(approve))
}

func verdictOf(approve bool) string {
	if approve {
		return "approve"
	}
	return "reject"
}

// ClosureMessage returns what a publisher signs to close a version.
func ClosureMessage(of ident.Service, version, reason string) []byte {
	return fmt.Appendf(nil, "yagona version closure v1\n%s\n%s\n%s\n", of, version, reason)
}

// Press brings packs into force. It is safe for concurrent use.
type Press struct {
	Store act.Store[Reader, Tx]
	Vault *seal.Vault
	Ring  signature.Ring
	Clock act.Clock
	// Check compiles the packs in force with this one in its place, and returns the agencies that may publish it. Its
	// error says, with file, line and column, what is wrong.
	Check func(ctx context.Context, pack string, files Bundle) ([]ident.Agency, error)
	// Changed is told after a publication came into force or a version was closed, so that the node loads them.
	Changed func()
}

// MessageBy returns what the agency's key signs in the name of a publisher who is signed in.
func (p Proposal) MessageBy(person ident.Person) []byte {
	return fmt.Appendf(nil, "yagona pack publication by session v1\n%s\n%s\n%s\n%s\n%s\n", p.Pack, p.Agency, p.Files.Digest(), p.Published.UTC().Format(time.RFC3339), person)
}

// ApprovalMessageBy returns what the agency's key signs in the name of a second person who is signed in.
func ApprovalMessageBy(id ident.Publication, digest string, approve bool, person ident.Person) []byte {
	return fmt.Appendf(nil, "yagona pack approval by session v1\n%s\n%s\n%s\n%s\n", id, digest, verdictOf(approve), person)
}

// clockSkew is how far the publisher's clock may be from the node's.
const clockSkew = 24 * time.Hour

// Propose takes a signed proposal. A later proposal for the same pack replaces one that still waits.
func (p *Press) Propose(ctx context.Context, proposal Proposal) (Publication, error) {
	now := p.Clock()
	if apart := now.Sub(proposal.Published).Abs(); apart > clockSkew {
		return Publication{}, fault.New(fault.Invalid, "publication.time", "The proposal is dated more than a day from now. Check the clock and sign it again.")
	}
	by, err := p.signer(ctx, proposal.Signature, proposal.Message(), proposal.Agency, now)
	if err != nil {
		return Publication{}, err
	}
	return p.propose(ctx, by, proposal)
}

// ProposeBy takes a proposal of a publisher who is signed in, and has the agency's key sign it in their name.
func (p *Press) ProposeBy(ctx context.Context, by access.Actor, pack string, files Bundle) (Publication, error) {
	agency, err := publisher(by)
	if err != nil {
		return Publication{}, err
	}
	proposal := Proposal{Pack: pack, Agency: agency, Files: files, Published: p.Clock().UTC().Truncate(time.Second)}
	if proposal.Signature, err = p.Ring.Sign(ctx, signature.OfAgency(agency), proposal.MessageBy(by.Person)); err != nil {
		return Publication{}, err
	}
	return p.propose(ctx, by.Person, proposal)
}

// propose checks and keeps a proposal whose signature is right.
func (p *Press) propose(ctx context.Context, by ident.Person, proposal Proposal) (Publication, error) {
	agencies, err := p.Check(ctx, proposal.Pack, proposal.Files)
	if err != nil {
		return Publication{}, err
	}
	if !slices.Contains(agencies, proposal.Agency) {
		return Publication{}, fault.New(fault.Forbidden, "publication.agency", "Your agency may not publish this pack. Ask an agency for which it speaks, before and after the change.")
	}
	proposed := Publication{
		Pack: proposal.Pack, Digest: proposal.Files.Digest(), Files: proposal.Files, State: Proposed, Agency: proposal.Agency,
		Published: proposal.Published.UTC(), By: by, Signed: proposal.Signature,
	}
	var replaced []journal.Cover
	return p.save(ctx, by, "publication.proposed", &replaced, func(tx Tx, event ident.Event) (Publication, error) {
		replaced = nil
		all, err := tx.Publications(false)
		if err != nil {
			return Publication{}, err
		}
		for _, earlier := range all {
			switch {
			case earlier.Digest == proposed.Digest && earlier.Pack == proposed.Pack && earlier.State == Proposed:
				return Publication{}, fault.New(fault.Conflict, "publication.again", "The same pack already waits for approval.")
			case earlier.Pack == proposed.Pack && earlier.State == Proposed:
				full, err := tx.Publication(earlier.ID)
				if err != nil {
					return Publication{}, err
				}
				full.State, full.Event = Withdrawn, event
				replaced = append(replaced, full.Cover())
				if err := tx.SavePublication(full); err != nil {
					return Publication{}, err
				}
			}
		}
		proposed := proposed
		proposed.ID = ident.New[ident.Publication](tx.Now())
		return proposed, nil
	})
}

// Settle approves or rejects a proposal with the signature of a second person over ApprovalMessage.
func (p *Press) Settle(ctx context.Context, id ident.Publication, approve bool, signed signature.Signature) (Publication, error) {
	found, err := p.Publication(ctx, id)
	if err != nil {
		return Publication{}, err
	}
	second, err := p.signer(ctx, signed, ApprovalMessage(id, found.Digest, approve), found.Agency, p.Clock())
	if err != nil {
		return Publication{}, err
	}
	return p.settle(ctx, second, found, approve, signed)
}

// SettleBy approves or rejects a proposal, of which the second person saw the digest, in the name of whoever is signed in.
func (p *Press) SettleBy(ctx context.Context, by access.Actor, id ident.Publication, digest string, approve bool) (Publication, error) {
	agency, err := publisher(by)
	if err != nil {
		return Publication{}, err
	}
	found, err := p.Publication(ctx, id)
	switch {
	case err != nil:
		return Publication{}, err
	case found.Agency != agency:
		return Publication{}, access.ErrForbidden
	case found.Digest != digest:
		return Publication{}, errSettled
	}
	signed, err := p.Ring.Sign(ctx, signature.OfAgency(agency), ApprovalMessageBy(id, digest, approve, by.Person))
	if err != nil {
		return Publication{}, err
	}
	return p.settle(ctx, by.Person, found, approve, signed)
}

// settle carries out what the second person signed.
func (p *Press) settle(ctx context.Context, second ident.Person, found Publication, approve bool, signed signature.Signature) (Publication, error) {
	if second == found.By {
		return Publication{}, fault.New(fault.Forbidden, "publication.same-person", "Whoever published a pack does not approve it. Ask a second publisher of your agency.")
	}
	what := "publication.rejected"
	if approve {
		what = "publication.approved"
		if _, err := p.Check(ctx, found.Pack, found.Files); err != nil {
			return Publication{}, err // other packs have changed since
		}
	}
	settled, err := p.save(ctx, second, what, nil, func(tx Tx, _ ident.Event) (Publication, error) {
		now, err := tx.Publication(found.ID)
		if err != nil {
			return Publication{}, err
		}
		if now.State != Proposed {
			return Publication{}, errSettled
		}
		now.State, now.Second, now.Approved = Rejected, second, signed
		if approve {
			now.State, now.InForceAt = InForce, tx.Now()
		}
		return now, nil
	})
	if err == nil && approve && p.Changed != nil {
		p.Changed()
	}
	return settled, err
}

var errSettled = fault.New(fault.Conflict, "publication.settled", "This proposal is settled already. Look at it again.")

// Publication returns one with its files, or fault.NotFound.
func (p *Press) Publication(ctx context.Context, id ident.Publication) (found Publication, err error) {
	err = p.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Publication(id)
		return err
	})
	return found, err
}

// InForce returns the revision of a pack that is in force, with its files, or fault.NotFound.
func (p *Press) InForce(ctx context.Context, pack string) (found Publication, err error) {
	err = p.Store.View(ctx, func(tx Reader) error {
		if found, err = inForce(tx, pack); err == nil {
			found, err = tx.Publication(found.ID)
		}
		return err
	})
	return found, err
}

// Bundles returns the files of all packs in force, by the packs' names.
func (p *Press) Bundles(ctx context.Context) (bundles map[string]Bundle, err error) {
	err = p.Store.View(ctx, func(tx Reader) error {
		all, err := tx.Publications(false)
		if err != nil {
			return err
		}
		bundles = map[string]Bundle{}
		for _, one := range all {
			if _, known := bundles[one.Pack]; known || one.State != InForce {
				continue
			}
			last, err := inForce(tx, one.Pack)
			if err != nil {
				return err
			}
			if last, err = tx.Publication(last.ID); err != nil {
				return err
			}
			bundles[one.Pack] = last.Files
		}
		return nil
	})
	return bundles, err
}

// inForce returns the revision of a pack that came into force last, without its files.
func inForce(tx Reader, pack string) (last Publication, err error) {
	all, err := tx.Publications(false)
	for _, one := range all {
		if one.Pack == pack && one.State == InForce && !one.InForceAt.Before(last.InForceAt) {
			last = one
		}
	}
	if err == nil && last.ID == "" {
		err = fault.New(fault.NotFound, "publication.none", "No pack of this name is in force.")
	}
	return last, err
}

// Install keeps a pack that comes with the installation, if its newest revision in force is another. It reports whether
// it was new.
func (p *Press) Install(ctx context.Context, pack string, files Bundle) (bool, error) {
	digest := files.Digest()
	errKnown := fault.New(fault.Conflict, "publication.known", "This revision is in force already.")
	_, err := p.save(ctx, "", "publication.installed", nil, func(tx Tx, _ ident.Event) (Publication, error) {
		all, err := tx.Publications(false)
		if err != nil {
			return Publication{}, err
		}
		for _, known := range all {
			// A revision that came with an installation once is not brought back over a later publication.
			if known.Pack == pack && known.Digest == digest {
				return Publication{}, errKnown
			}
		}
		return Publication{
			ID: ident.New[ident.Publication](tx.Now()), Pack: pack, Digest: digest, Files: files, State: InForce,
			Published: tx.Now(), InForceAt: tx.Now(),
		}, nil
	})
	if fault.Code(err) == errKnown.Code {
		return false, nil
	}
	return err == nil, err
}

// CloseVersion closes a version of a service to new applications, with the signature of a publisher of its agency over
// ClosureMessage.
func (p *Press) CloseVersion(ctx context.Context, of ident.Service, agency ident.Agency, version, reason string, signed signature.Signature) (Closure, error) {
	if reason == "" {
		return Closure{}, fault.New(fault.Invalid, "closure.reason", "Say why the version is closed.").At("reason")
	}
	by, err := p.signer(ctx, signed, ClosureMessage(of, version, reason), agency, p.Clock())
	if err != nil {
		return Closure{}, err
	}
	sealer, err := p.Vault.Open(ctx, by.Subject())
	if err != nil {
		return Closure{}, err
	}
	closed := Closure{Version: version, Service: of, Reason: reason, By: by}
	err = p.Store.Update(ctx, act.Platform, func(tx Tx) error {
		closed.At, closed.Event = tx.Now(), journal.NewID(tx)
		if err := tx.SaveClosure(closed); err != nil {
			return err
		}
		return journal.AppendAs(tx, sealer, closed.Event, journal.Event{
			Type: "version.closed", Actor: journal.Actor{Person: by, Agency: agency, Role: access.Publisher}, Object: "service:" + string(of),
			Facts: map[string]string{"version": version}, Covers: []journal.Cover{closed.Cover()},
		})
	})
	if err == nil && p.Changed != nil {
		p.Changed()
	}
	return closed, err
}

// All returns all publications, oldest first, and the closed versions.
func (p *Press) All(ctx context.Context, files bool) (all []Publication, closed []Closure, err error) {
	err = p.Store.View(ctx, func(tx Reader) error {
		if all, err = tx.Publications(files); err != nil {
			return err
		}
		closed, err = tx.Closures()
		return err
	})
	return all, closed, err
}

// signer returns the person whose signature it is, if they are a publisher of the agency now.
func (p *Press) signer(ctx context.Context, made signature.Signature, message []byte, agency ident.Agency, at time.Time) (ident.Person, error) {
	key, err := p.Ring.Key(made.Key)
	if err != nil {
		return "", err
	}
	if err := signature.Verify(p.Ring, key.Holder, message, made, at); err != nil {
		return "", err
	}
	var held []access.Appointment
	id, ok := strings.CutPrefix(string(key.Holder), "person:")
	if !ok {
		return "", access.ErrForbidden
	}
	person := ident.Person(id)
	err = p.Store.View(ctx, func(tx Reader) error {
		held, err = tx.AppointmentsOf(person)
		return err
	})
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(held, func(a access.Appointment) bool {
		return a.Agency == agency && a.Role == access.Publisher && a.Holds(at)
	}) {
		return "", access.ErrForbidden
	}
	return person, nil
}

// save commits what change makes of a publication; also are covers of other rows that it wrote.
func (p *Press) save(ctx context.Context, by ident.Person, what string, also *[]journal.Cover, change func(Tx, ident.Event) (Publication, error)) (saved Publication, err error) {
	actor := journal.Actor{Component: "installation"}
	var subjects []ident.Subject
	if by != "" {
		actor = journal.Actor{Person: by, Role: access.Publisher}
		subjects = append(subjects, by.Subject())
	}
	sealer, err := p.Vault.Open(ctx, subjects...)
	if err != nil {
		return Publication{}, err
	}
	err = p.Store.Update(ctx, act.Platform, func(tx Tx) error {
		event := journal.NewID(tx)
		if saved, err = change(tx, event); err != nil {
			return err
		}
		saved.Event = event
		if err := tx.SavePublication(saved); err != nil {
			return err
		}
		actor := actor
		actor.Agency = saved.Agency
		covers := []journal.Cover{saved.Cover()}
		if also != nil {
			covers = append(covers, *also...)
		}
		return journal.AppendAs(tx, sealer, saved.Event, journal.Event{
			Type: what, Actor: actor, Object: "publication:" + string(saved.ID),
			Facts:  map[string]string{"pack": saved.Pack, "digest": saved.Digest},
			Covers: covers,
		})
	})
	return saved, err
}
