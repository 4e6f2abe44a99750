package publication

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

// Draft is a pack while the publishers of one agency write it. It is kept until it is begun anew, and is in force nowhere.
type Draft struct {
	Agency  ident.Agency
	Pack    string
	Base    ident.Publication  // in force when its files were taken over; "" : the pack was new
	Begun   time.Time          // when its files were taken over
	By      ident.Person       // who did so
	Files   Bundle             `json:",omitempty"`
	First   int64              // the revision with which they were
	Written map[string]Written // of each file that was written since
	// Revision counts the acts on the draft: it says which state of the whole somebody saw.
	Revision int64
	Event    ident.Event
}

// Written says who wrote a file of a draft last. What was removed stays listed, without a digest.
type Written struct {
	Digest   string // SHA-256 of the content; "" : the file is removed
	Revision int64  // of the draft with this act
	By       ident.Person
	At       time.Time
}

// Cover returns what an event says of the draft.
func (d Draft) Cover() journal.Cover {
	digest := d.Files.Digest()
	d.Event, d.Files = "", nil
	return journal.Cover{Row: "draft/" + string(d.Agency) + "/" + d.Pack, Digest: journal.Digest(struct {
		Draft Draft
		Files string
	}{d, digest})}
}

// Limits of a draft. What the language allows in one file is for its checker to say; this keeps the store from being filled.
const (
	DraftFileBytes = 256 << 10
	draftBytes     = 4 << 20
	draftFiles     = 500
	drafts         = 100 // of one agency
)

// draftPath is what a file of a pack is called. Nothing of it leads out of the pack.
var draftPath = regexp.MustCompile(`^(pack|(services|registers|indicators|locale)/[A-Za-z0-9][A-Za-z0-9-]{0,63})\.yaml$`)

// IsDraftPath reports whether a file of a pack can be called so.
func IsDraftPath(path string) bool { return draftPath.MatchString(path) }

// The faults of drafts.
var (
	errNoDraft      = fault.New(fault.NotFound, "draft.unknown", "Your agency has no draft of this pack. Begin one.")
	errDraftExists  = fault.New(fault.Conflict, "draft.exists", "Your agency has a draft of this pack already. Go on with it, or look at it before you begin anew.")
	errDraftPack    = fault.New(fault.Forbidden, "draft.other-agency", "Another agency speaks for this pack. Choose a pack of your own agency, or another name.")
	errDraftPath    = fault.New(fault.Invalid, "draft.path", "A file of a pack is pack.yaml, or lies in services, registers, indicators or locale and ends in .yaml. Its name is made of Latin letters, digits and hyphens.").At("path")
	ErrDraftFile    = fault.New(fault.NotFound, "draft.no-file", "The draft has no such file. It may have been removed; look at the list of files.")
	errDraftChanged = fault.New(fault.Conflict, "draft.changed", "This file was changed since you opened it. Compare both texts, then save what shall stand.")
	errDraftText    = fault.New(fault.Invalid, "draft.text", "This is not UTF-8 text. Save the file as UTF-8 and paste it again.").At("content")
	errDraftLarge   = fault.New(fault.Invalid, "draft.large", "The draft is larger than a pack may be: 256 KiB for a file, 4 MiB and 500 files for all. Split the file or remove what is not needed.").At("content")
	errDraftBase    = fault.New(fault.Conflict, "draft.base", "Another revision of this pack came into force since the draft was begun. Look at the difference, then say that the draft goes on from it.")
	errManyDrafts   = fault.New(fault.Conflict, "draft.too-many", "Your agency has 100 drafts. Go on with one of them.")
	errPackFile     = fault.New(fault.Invalid, "draft.pack-file", "A pack needs its pack.yaml. Change it instead of removing it.").At("path")
)

// Drafting keeps the drafts of packs. Whoever acts is a publisher, as the server's records say, and sees and writes the
// drafts of their own agency only.
type Drafting struct {
	Press *Press
	// Speakers returns the agencies for which the pack in force speaks, nil if there is none of the name.
	Speakers func(pack string) []ident.Agency
}

// All returns the drafts of the actor's agency without their files, by the names of the packs.
func (d *Drafting) All(ctx context.Context, by access.Actor) (all []Draft, err error) {
	agency, err := publisher(by)
	if err != nil {
		return nil, err
	}
	err = d.Press.Store.View(ctx, func(tx Reader) error {
		all, err = tx.Drafts(agency)
		return err
	})
	return all, err
}

// Draft returns the draft of a pack with its files, or fault.NotFound.
func (d *Drafting) Draft(ctx context.Context, by access.Actor, pack string) (found Draft, err error) {
	agency, err := publisher(by)
	if err != nil {
		return Draft{}, err
	}
	err = d.Press.Store.View(ctx, func(tx Reader) error {
		found, err = draftOf(tx, agency, pack)
		return err
	})
	return found, err
}

// Begin makes a draft of the pack that is in force, or with the given files if none of its name is. Revision is that of
// the draft whose place it takes, as the actor saw it; 0: there is none yet.
func (d *Drafting) Begin(ctx context.Context, by access.Actor, pack string, files Bundle, revision int64) (Draft, error) {
	if !ident.IsName(pack) {
		return Draft{}, fault.New(fault.Invalid, "pack.name", "A pack's name is lower-case Latin words joined by hyphens, like youth-affairs.").At("name")
	}
	agency, err := publisher(by)
	if err != nil {
		return Draft{}, err
	}
	base, err := d.Press.InForce(ctx, pack)
	switch {
	case err == nil && !slices.Contains(d.Speakers(pack), agency):
		return Draft{}, errDraftPack
	case err == nil:
		files = base.Files
	case !fault.Is(err, fault.NotFound):
		return Draft{}, err
	}
	return d.save(ctx, by, "draft.begun", pack, func(tx Tx, draft *Draft) error {
		all, err := tx.Drafts(agency)
		switch {
		case err != nil:
			return err
		case draft.Revision == 0 && len(all) >= drafts:
			return errManyDrafts
		case draft.Revision != revision && revision == 0:
			return errDraftExists
		case draft.Revision != revision:
			return errDraftChanged
		}
		*draft = Draft{
			Base: base.ID, Begun: tx.Now(), By: by.Person, Files: maps.Clone(files), First: draft.Revision + 1, Revision: draft.Revision,
		}
		return checkSize(draft.Files)
	})
}

// Write writes a file of a draft. Revision is that of the file as the actor saw it: Draft.FileRevision.
func (d *Drafting) Write(ctx context.Context, by access.Actor, pack, path string, revision int64, content []byte) (Draft, error) {
	if err := writable(path, content); err != nil {
		return Draft{}, err
	}
	return d.save(ctx, by, "draft.written", pack, func(tx Tx, draft *Draft) error {
		if err := draft.unchanged(path, revision); err != nil {
			return err
		}
		draft.Files[path] = content
		draft.write(path, Written{Digest: digestOf(content), Revision: draft.Revision + 1, By: by.Person, At: tx.Now()})
		return checkSize(draft.Files)
	})
}

// writable checks what is to be written into a draft.
func writable(path string, content []byte) error {
	switch {
	case !IsDraftPath(path):
		return errDraftPath
	case !utf8.Valid(content):
		return errDraftText
	}
	return nil
}

// WriteFiles writes several files of a draft in one act, each as it would be written alone. Revision is that of the draft in
// which the actor saw them: a file that was written since is not written over.
func (d *Drafting) WriteFiles(ctx context.Context, by access.Actor, pack string, revision int64, files Bundle) (Draft, error) {
	for path, content := range files {
		if err := writable(path, content); err != nil {
			return Draft{}, err
		}
	}
	return d.save(ctx, by, "draft.written", pack, func(tx Tx, draft *Draft) error {
		for path, content := range files {
			if draft.FileRevision(path) > revision {
				return errDraftChanged
			}
			draft.Files[path] = content
			draft.write(path, Written{Digest: digestOf(content), Revision: draft.Revision + 1, By: by.Person, At: tx.Now()})
		}
		return checkSize(draft.Files)
	})
}

// Remove removes a file of a draft.
func (d *Drafting) Remove(ctx context.Context, by access.Actor, pack, path string, revision int64) (Draft, error) {
	if path == "pack.yaml" {
		return Draft{}, errPackFile
	}
	return d.save(ctx, by, "draft.written", pack, func(tx Tx, draft *Draft) error {
		if _, ok := draft.Files[path]; !ok {
			return ErrDraftFile
		}
		if err := draft.unchanged(path, revision); err != nil {
			return err
		}
		delete(draft.Files, path)
		draft.write(path, Written{Revision: draft.Revision + 1, By: by.Person, At: tx.Now()})
		return nil
	})
}

// Rebase says that the draft goes on from what is in force now, after its writer looked at the difference.
func (d *Drafting) Rebase(ctx context.Context, by access.Actor, pack string, base ident.Publication) (Draft, error) {
	return d.save(ctx, by, "draft.rebased", pack, func(tx Tx, draft *Draft) error {
		now, err := inForce(tx, pack)
		if err != nil {
			return err
		}
		if now.ID != base {
			return errDraftBase
		}
		draft.Base = base
		return nil
	})
}

// Propose proposes a draft, as the actor saw it, in the name of whoever is signed in.
func (d *Drafting) Propose(ctx context.Context, by access.Actor, pack string, revision int64) (Publication, error) {
	draft, err := d.Draft(ctx, by, pack)
	if err != nil {
		return Publication{}, err
	}
	base, err := d.Press.InForce(ctx, pack)
	switch {
	case draft.Revision != revision:
		return Publication{}, errDraftChanged
	case err != nil && !fault.Is(err, fault.NotFound):
		return Publication{}, err
	case base.ID != draft.Base:
		return Publication{}, errDraftBase
	}
	return d.Press.ProposeBy(ctx, by, pack, draft.Files)
}

// FileRevision returns the revision of the draft with which a file was last written, whether or not there is such a file.
func (d Draft) FileRevision(path string) int64 { return max(d.First, d.Written[path].Revision) }

// unchanged checks that the file is still the one that somebody saw.
func (d Draft) unchanged(path string, revision int64) error {
	if d.FileRevision(path) != revision {
		return errDraftChanged
	}
	return nil
}

func (d *Draft) write(path string, written Written) {
	if d.Written == nil {
		d.Written = map[string]Written{}
	}
	d.Written[path] = written
}

func digestOf(content []byte) string { return Bundle{"": content}.Digest() }

func checkSize(files Bundle) error {
	whole := 0
	for _, content := range files {
		if whole += len(content); len(content) > DraftFileBytes {
			return errDraftLarge
		}
	}
	if whole > draftBytes || len(files) > draftFiles {
		return errDraftLarge
	}
	return nil
}

// publisher returns the agency in which the actor publishes.
func publisher(by access.Actor) (ident.Agency, error) {
	if by.Appointment == nil || by.Appointment.Role != access.Publisher {
		return "", access.ErrForbidden
	}
	return by.Appointment.Agency, nil
}

func draftOf(tx Reader, agency ident.Agency, pack string) (Draft, error) {
	if !ident.IsName(pack) {
		return Draft{}, errNoDraft
	}
	found, ok, err := tx.Draft(agency, pack)
	if err == nil && !ok {
		err = errNoDraft
	}
	return found, err
}

// follow lets a draft that is the same as what is in force go on from that: it was published since.
func follow(tx Reader, pack string, draft *Draft) error {
	now, err := inForce(tx, pack)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		return err
	}
	if now.ID != draft.Base && now.Digest == draft.Files.Digest() {
		draft.Base = now.ID
	}
	return nil
}

// save commits what change makes of the draft of a pack, which has no revision if there is none yet.
func (d *Drafting) save(ctx context.Context, by access.Actor, what, pack string, change func(Tx, *Draft) error) (saved Draft, err error) {
	agency, err := publisher(by)
	if err != nil {
		return Draft{}, err
	}
	if !ident.IsName(pack) {
		return Draft{}, errNoDraft
	}
	sealer, err := d.Press.Vault.Open(ctx, by.Person.Subject())
	if err != nil {
		return Draft{}, err
	}
	err = d.Press.Store.Update(ctx, act.OfAgency(agency), func(tx Tx) error {
		draft, known, err := tx.Draft(agency, pack)
		if err != nil {
			return err
		}
		if !known && what != "draft.begun" {
			return errNoDraft
		}
		if err := follow(tx, pack, &draft); err != nil {
			return err
		}
		if err := change(tx, &draft); err != nil {
			return err
		}
		draft.Agency, draft.Pack, draft.Event = agency, pack, journal.NewID(tx)
		draft.Revision++
		if err := tx.SaveDraft(draft); err != nil {
			return err
		}
		saved = draft
		return journal.AppendAs(tx, sealer, draft.Event, journal.Event{
			Type: what, Actor: by.Journal(), Object: fmt.Sprintf("draft:%s/%s", agency, pack),
			Facts: map[string]string{"pack": pack}, Covers: []journal.Cover{draft.Cover()},
		})
	})
	return saved, err
}
