package casework

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/representation"
	"yagona/kernel/service"
	"yagona/std/photo"
)

// Taken is a photo as an official's device announces it.
type Taken struct {
	ID       string // a UUID that the device made
	Size     int64  // bytes
	Digest   []byte // SHA-256 of all of them
	Made     time.Time
	Position *Position // where, if the step asks for it
}

// Position is where a device was, as it says itself (WGS 84).
type Position struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Accuracy  float64 `json:"accuracy"` // metres
}

// Photo is a photo that an official took in a step.
type Photo struct {
	ID       string       `json:"id"` // of the attachment
	Task     ident.Task   `json:"task"`
	By       ident.Person `json:"by"`
	Digest   []byte       `json:"digest"`            // SHA-256 of the file as it was taken; what is kept was drawn anew
	Made     time.Time    `json:"made,omitzero"`     // by the device's clock
	Received time.Time    `json:"received,omitzero"` // by the platform's
	Position *Position    `json:"position,omitempty"`
}

// Upload is a photo on its way, as the store keeps it under the applicant's key: no event vouches for it before a decision
// takes it up.
type Upload struct {
	ID        string
	Applicant ident.Subject
	Task      ident.Task
	By        ident.Person
	Size      int64
	Digest    []byte
	Received  int64 // bytes that have arrived
	Expires   time.Time
	Sealed    []byte // details and, when all has arrived, the picture
}

// of reports whether the official began it in the task.
func (u Upload) of(task *Task, by access.Actor) bool { return u.Task == task.ID && u.By == by.Person }

// Whole reports whether all of it has arrived.
func (u Upload) Whole() bool { return u.Received == u.Size }

// Piece is a part of a photo.
type Piece struct {
	Start  int64
	Sealed []byte
}

// UploadReader is what uploads need for reading.
type UploadReader interface {
	// Upload returns one of the applicant's, or fault.NotFound.
	Upload(applicant ident.Subject, id string) (Upload, error)
	// Uploads returns those of a task, in the order of their ids.
	Uploads(applicant ident.Subject, task ident.Task) ([]Upload, error)
	// Pieces returns what of an upload has arrived, in order.
	Pieces(applicant ident.Subject, upload string) ([]Piece, error)
}

// UploadTx is what uploads need of an act, under the applicant's key.
type UploadTx interface {
	// SaveUpload stores a new or changed upload.
	SaveUpload(upload Upload) error
	// AddPiece stores a piece.
	AddPiece(upload string, piece Piece) error
	// RemoveUpload removes an upload with its pieces.
	RemoveUpload(id string) error
	// RemovePieces removes the pieces of an upload.
	RemovePieces(upload string) error
}

// The limits of photos.
const (
	LargestPhoto = 12 << 20  // bytes of a file, as telephones make them
	LargestPiece = 512 << 10 // bytes
	uploadLasts  = 7 * 24 * time.Hour
	uploadsAhead = 3 // times as many as a decision takes may be on their way
)

var (
	errPhotos     = fault.New(fault.Invalid, "photo.missing", "This step needs photos, and not all of them are there. Take them or wait until they have arrived, then decide.").At("photo")
	errManyPhotos = fault.New(fault.Conflict, "photo.too-many", "There are more photos than this step takes. Remove one first.").At("photo")
	errNoPhotos   = fault.New(fault.Invalid, "photo.unwanted", "This step asks for no photos. Decide without them.").At("photo")
	errPosition   = fault.New(fault.Invalid, "photo.no-position", "This step asks where each photo was taken. Let the browser tell the position, then take the photo again.").At("photo")
	errAnnounced  = fault.New(fault.Invalid, "photo.announcement", "A photo has an id, a size of at most 12 megabytes, a digest and the time at which it was taken. Send them.").At("photo")
	errUpload     = fault.New(fault.NotFound, "photo.unknown", "No such photo is on its way: it has expired or never began. Begin it again.")
	errOffset     = fault.New(fault.Conflict, "photo.offset", "This piece does not follow what has arrived. Ask how much has arrived, and go on from there.")
	errPiece      = fault.New(fault.Invalid, "photo.piece", "This piece is not what its checksum says, or too long. Send it again.")
	errDamaged    = fault.New(fault.Invalid, "photo.damaged", "What has arrived is not the photo that was announced. Begin it again.").At("photo")
	errNoPhoto    = fault.New(fault.Invalid, "photo.type", "This file is no JPEG or PNG photo. Take another one.").At("photo")
	errOtherPhoto = fault.New(fault.Forbidden, "photo.other-official", "Another official takes this photo, or it belongs to another task. Take a new one.")
)

// ErrLargePhoto says that a photo would take too much memory to open (photo.ErrTooLarge).
var ErrLargePhoto = fault.New(fault.Invalid, "photo.too-large",
	"This photo takes more than 160 megabytes once it is opened: a JPEG has at most 50 million pixels, a picture of 16 bits 20 million. Take it with fewer.").At("photo")

// photographed loads the file of a task for an official who takes or took photos in it. They may still arrive after the
// task went to the level above: the act that names them does, too.
func (c *Casework) photographed(ctx context.Context, by access.Actor, id ident.Task) (*file, *Task, service.Photos, error) {
	f, task, _, err := c.reached(ctx, by, id)
	if err != nil {
		return nil, nil, service.Photos{}, err
	}
	step, err := c.stepOf(f, task)
	if err == nil && step.Photos.Max == 0 {
		err = errNoPhotos
	}
	return f, task, step.Photos, err
}

func (f *file) uploadJob(upload string) uploadJob { return uploadJob{f.app.Applicant, upload} }

type uploadJob struct {
	Applicant ident.Subject `json:"applicant"`
	Upload    string        `json:"upload"`
}

func uploadContext(id string) string { return "upload:" + id }

func pieceContext(id string, start int64) string { return fmt.Sprintf("upload:%s/%d", id, start) }

// BeginUpload announces a photo, or says how much of it has arrived. What is not taken up by a decision within a week is
// forgotten.
func (c *Casework) BeginUpload(ctx context.Context, by access.Actor, id ident.Task, taken Taken) (Upload, error) {
	if _, err := ident.Parse[string](taken.ID); err != nil || taken.Size < 1 || taken.Size > LargestPhoto || len(taken.Digest) != sha256.Size || taken.Made.IsZero() {
		return Upload{}, errAnnounced
	}
	f, task, wanted, err := c.photographed(ctx, by, id)
	if err != nil {
		return Upload{}, err
	}
	if slices.ContainsFunc(f.content.Photos, func(one Photo) bool { // a decision took it up
		return one.ID == taken.ID && one.By == by.Person && one.Task == task.ID && bytes.Equal(one.Digest, taken.Digest)
	}) {
		return Upload{ID: taken.ID, Size: taken.Size, Received: taken.Size}, nil
	}
	if !wanted.Position {
		taken.Position = nil // what nobody asked for is not kept
	} else if taken.Position == nil || !taken.Position.valid() {
		return Upload{}, errPosition
	}
	details, err := json.Marshal(Photo{
		ID: taken.ID, Task: task.ID, By: by.Person, Digest: taken.Digest, Made: taken.Made.UTC().Truncate(time.Microsecond), Position: taken.Position,
	})
	if err != nil {
		return Upload{}, err
	}
	upload := Upload{
		ID: taken.ID, Applicant: f.app.Applicant, Task: task.ID, By: by.Person, Size: taken.Size, Digest: taken.Digest, Expires: f.now.Add(uploadLasts),
	}
	if upload.Sealed, err = f.sealer.Seal(f.app.Applicant, uploadContext(upload.ID), details); err != nil {
		return Upload{}, err
	}
	err = c.Store.Update(ctx, act.Of(f.app.Applicant), func(tx Tx) error {
		begun, err := tx.Upload(f.app.Applicant, upload.ID)
		switch {
		case err == nil && (!begun.of(task, by) || begun.Size != upload.Size || !bytes.Equal(begun.Digest, upload.Digest)):
			return errOtherPhoto
		case err == nil:
			upload = begun
			return nil
		case !fault.Is(err, fault.NotFound):
			return err
		}
		// An id of the applicant's is never used again: what was taken up under it stays what it is.
		if _, err := tx.Attachment(f.app.Applicant, upload.ID); err == nil {
			return errOtherPhoto
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		known, err := tx.Uploads(f.app.Applicant, task.ID)
		if err != nil {
			return err
		}
		own := 0
		for _, one := range known {
			if one.By == by.Person {
				own++
			}
		}
		if own >= wanted.Max*uploadsAhead {
			return errManyPhotos
		}
		if err := tx.SaveUpload(upload); err != nil {
			return err
		}
		return job.QueueAt(tx, JobForget, upload.Expires, f.uploadJob(upload.ID))
	})
	return upload, err
}

func (p *Position) valid() bool {
	return p.Latitude >= -90 && p.Latitude <= 90 && p.Longitude >= -180 && p.Longitude <= 180 && p.Accuracy >= 0
}

// AddPiece takes up the next piece of a photo. A piece that has arrived before changes nothing. With the last one the photo
// is put together, checked against its digest, and drawn anew, so that only the picture is kept.
func (c *Casework) AddPiece(ctx context.Context, by access.Actor, id ident.Task, upload string, start int64, digest, piece []byte) (Upload, error) {
	sum := sha256.Sum256(piece)
	if len(piece) == 0 || len(piece) > LargestPiece || start < 0 || subtle.ConstantTimeCompare(sum[:], digest) != 1 {
		return Upload{}, errPiece
	}
	f, task, _, err := c.photographed(ctx, by, id)
	if err != nil {
		return Upload{}, err
	}
	known, pieces, err := c.upload(ctx, f, task, by, upload)
	if err != nil {
		return Upload{}, err
	}
	end := start + int64(len(piece))
	switch {
	case end > known.Size:
		return Upload{}, errPiece
	case end <= known.Received:
		return known, nil
	case start != known.Received:
		return Upload{}, errOffset
	}
	next := known
	next.Received = end
	added := Piece{Start: start}
	if added.Sealed, err = f.sealer.Seal(f.app.Applicant, pieceContext(known.ID, start), piece); err != nil {
		return Upload{}, err
	}
	var bad error // a photo that is none is forgotten, so that it can begin again
	if next.Whole() {
		next.Sealed, err = c.assemble(f, known, append(pieces, added))
		if fault.Is(err, fault.Invalid) {
			bad, err = err, nil
		}
		if err != nil {
			return Upload{}, err
		}
	}
	err = c.Store.Update(ctx, act.Of(f.app.Applicant), func(tx Tx) error {
		stored, err := tx.Upload(f.app.Applicant, known.ID)
		switch {
		case fault.Is(err, fault.NotFound):
			return errUpload
		case err != nil:
			return err
		case !stored.of(task, by) || !bytes.Equal(stored.Digest, known.Digest): // meanwhile it was removed, and begun anew
			return errUpload
		case stored.Received != known.Received:
			return errOffset // the same piece, sent twice at once
		case bad != nil:
			return tx.RemoveUpload(known.ID)
		case next.Whole():
			err = tx.RemovePieces(known.ID)
		default:
			err = tx.AddPiece(known.ID, added)
		}
		if err != nil {
			return err
		}
		return tx.SaveUpload(next)
	})
	if err == nil {
		err = bad
	}
	return next, err
}

// upload returns one of the official's uploads in the task, with what has arrived of it.
func (c *Casework) upload(ctx context.Context, f *file, task *Task, by access.Actor, id string) (found Upload, pieces []Piece, err error) {
	err = c.Store.View(ctx, func(tx Reader) error {
		if found, err = tx.Upload(f.app.Applicant, id); err != nil {
			return err
		}
		if !found.Whole() {
			pieces, err = tx.Pieces(f.app.Applicant, id)
		}
		return err
	})
	if fault.Is(err, fault.NotFound) || err == nil && !found.of(task, by) {
		return Upload{}, nil, errUpload
	}
	return found, pieces, err
}

// kept is what an upload keeps of a photo that has arrived: its attachment is sealed already, as it will be kept.
type kept struct {
	Photo   Photo  `json:"photo"`
	Picture []byte `json:"picture"`
}

// assemble puts a photo together and draws it anew.
func (c *Casework) assemble(f *file, upload Upload, pieces []Piece) ([]byte, error) {
	whole := make([]byte, 0, upload.Size)
	for _, one := range pieces {
		plain, err := f.sealer.Unseal(f.app.Applicant, pieceContext(upload.ID, one.Start), one.Sealed)
		if err != nil {
			return nil, err
		}
		whole = append(whole, plain...)
	}
	if sum := sha256.Sum256(whole); !bytes.Equal(sum[:], upload.Digest) {
		return nil, errDamaged
	}
	picture, err := photo.Redraw(whole)
	if errors.Is(err, photo.ErrTooLarge) {
		return nil, ErrLargePhoto.Because(err)
	}
	if err != nil {
		return nil, errNoPhoto.Because(err)
	}
	if len(picture) > largestAttachment {
		return nil, errNoPhoto
	}
	details, err := f.sealer.Unseal(f.app.Applicant, uploadContext(upload.ID), upload.Sealed)
	if err != nil {
		return nil, err
	}
	whatIsKept := kept{Picture: picture}
	if err := json.Unmarshal(details, &whatIsKept.Photo); err != nil {
		return nil, err
	}
	whatIsKept.Photo.Received = f.now
	plain, err := json.Marshal(whatIsKept)
	if err != nil {
		return nil, err
	}
	return f.sealer.Seal(f.app.Applicant, uploadContext(upload.ID), plain)
}

// OwnUploads returns the photos of the official in the task that no decision has taken up: what they have taken so far.
func (c *Casework) OwnUploads(ctx context.Context, by access.Actor, id ident.Task) (own []Upload, err error) {
	f, task, _, err := c.photographed(ctx, by, id)
	if err != nil {
		return nil, err
	}
	err = c.Store.View(ctx, func(tx Reader) error {
		all, err := tx.Uploads(f.app.Applicant, task.ID)
		own = slices.DeleteFunc(all, func(one Upload) bool { return one.By != by.Person || !one.Expires.After(f.now) })
		return err
	})
	return own, err
}

// RemoveUpload forgets a photo of the official that no decision has taken up.
func (c *Casework) RemoveUpload(ctx context.Context, by access.Actor, id ident.Task, upload string) error {
	f, task, _, err := c.photographed(ctx, by, id)
	if err != nil {
		return err
	}
	if _, _, err := c.upload(ctx, f, task, by, upload); err != nil {
		return err
	}
	return c.Store.Update(ctx, act.Of(f.app.Applicant), func(tx Tx) error { return tx.RemoveUpload(upload) })
}

// forget removes an upload that no decision has taken up in time (JobForget).
func (c *Casework) forget(ctx context.Context, queued job.Job, payload uploadJob) error {
	return c.Store.Update(ctx, act.Of(payload.Applicant), func(tx Tx) error {
		if err := tx.FinishJob(queued.Key, queued.ID); err != nil {
			return err
		}
		return tx.RemoveUpload(payload.Upload)
	})
}

// takeUp takes the photos that a verdict names up into the file: as attachments, in the same act as the decision.
func (c *Casework) takeUp(ctx context.Context, f *file, task *Task, by access.Actor, wanted service.Photos, verdict Verdict) error {
	named := slices.Compact(slices.Sorted(slices.Values(verdict.Photos)))
	switch {
	case verdict.Action == service.Ask:
		return nil // they wait for the decision
	case wanted.Max == 0 && len(named) > 0:
		return errNoPhotos
	case len(named) < wanted.Min:
		return errPhotos
	case len(named) > wanted.Max:
		return errManyPhotos
	}
	for _, id := range named {
		found, _, err := c.upload(ctx, f, task, by, id)
		if fault.Is(err, fault.NotFound) || err == nil && !found.Whole() {
			return errPhotos
		}
		if err != nil {
			return err
		}
		plain, err := f.sealer.Unseal(f.app.Applicant, uploadContext(id), found.Sealed)
		if err != nil {
			return err
		}
		var arrived kept
		if err := json.Unmarshal(plain, &arrived); err != nil {
			return err
		}
		attachment := Attachment{ID: id, Applicant: f.app.Applicant, Application: f.app.ID, Kind: "photo"}
		if attachment.Sealed, err = f.sealer.Seal(f.app.Applicant, attachmentContext(id), arrived.Picture); err != nil {
			return err
		}
		f.attachments = append(f.attachments, attachment)
		f.takenUp = append(f.takenUp, id)
		f.content.Photos = append(f.content.Photos, arrived.Photo)
	}
	return nil
}

// leavePhotos undoes takeUp: the decision is not carried out, the photos wait for the next one.
func (f *file) leavePhotos() {
	f.content.Photos = f.content.Photos[:len(f.content.Photos)-len(f.takenUp)]
	f.attachments, f.takenUp = nil, nil
}

// Photograph returns a photo of the application to an official who has a task of it. That it was read is recorded first.
func (c *Casework) Photograph(ctx context.Context, by access.Actor, id ident.Task, photo string) ([]byte, error) {
	f, task, err := c.taken(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(f.content.Photos, func(one Photo) bool { return one.ID == photo }) {
		return nil, errUnknown
	}
	return c.attachment(ctx, f, by, task, photo)
}

// attachment opens an attachment for an official. That it was read is recorded first.
func (c *Casework) attachment(ctx context.Context, f *file, by access.Actor, task *Task, id string) ([]byte, error) {
	if err := c.disclose(ctx, f, by, access.Decide, task); err != nil {
		return nil, err
	}
	return c.openAttachment(ctx, f, id)
}

// OwnPhotograph returns a photo of the application to its applicant, or to who may see it for them.
func (c *Casework) OwnPhotograph(ctx context.Context, by access.Actor, id ident.Application, photo string) ([]byte, error) {
	f, err := c.own(ctx, by, id, representation.Read)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(f.content.Photos, func(one Photo) bool { return one.ID == photo }) {
		return nil, errUnknown
	}
	if err := c.readFor(ctx, f, by); err != nil {
		return nil, err
	}
	return c.openAttachment(ctx, f, photo)
}

func (c *Casework) openAttachment(ctx context.Context, f *file, id string) ([]byte, error) {
	var stored Attachment
	err := c.Store.View(ctx, func(tx Reader) (err error) {
		stored, err = tx.Attachment(f.app.Applicant, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f.sealer.Unseal(f.app.Applicant, attachmentContext(stored.ID), stored.Sealed)
}
