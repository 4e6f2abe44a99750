package desk

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// Photographing is what the pages need of casework for the photos of a step.
type Photographing interface {
	BeginUpload(ctx context.Context, by access.Actor, id ident.Task, taken casework.Taken) (casework.Upload, error)
	AddPiece(ctx context.Context, by access.Actor, id ident.Task, upload string, start int64, digest, piece []byte) (casework.Upload, error)
	OwnUploads(ctx context.Context, by access.Actor, id ident.Task) ([]casework.Upload, error)
	RemoveUpload(ctx context.Context, by access.Actor, id ident.Task, upload string) error
	Photograph(ctx context.Context, by access.Actor, id ident.Task, photo string) ([]byte, error)
}

const (
	photosPath   = page.OfflinePath + "/photos"
	photoTimeout = 2 * time.Minute // a whole photo over a slow connection
)

func (d *Desk) photoRoutes() []route.Route {
	const one, announced = "/desk/tasks/{task}/photos", photosPath + "/{appointment}/{task}/{photo}"
	return []route.Route{
		{Method: "PUT", Pattern: announced, Face: route.Program, Access: route.Official(), Body: smallForm, Handle: d.beginPhoto},
		{Method: "PATCH", Pattern: announced, Face: route.Program, Access: route.Official(), Body: casework.LargestPiece, Timeout: takeTimeout, Handle: d.addPiece},
		{Method: "GET", Pattern: one + "/{photo}", Access: route.Official(), Handle: d.photo},
		{Method: "POST", Pattern: one, Access: route.Official(), Body: photoForm, Timeout: photoTimeout, Handle: route.Form(d.takePhoto)},
		{Method: "POST", Pattern: one + "/{photo}/remove", Access: route.Official(), Body: smallForm, Handle: route.Form(d.removePhoto)},
	}
}

// announcement is a photo as a device announces it.
type announcement struct {
	Size     int64              `json:"size"`
	Digest   string             `json:"digest"` // hexadecimal SHA-256
	Made     time.Time          `json:"made"`   // by the device's clock
	Position *casework.Position `json:"position,omitempty"`
}

// progress says how much of a photo has arrived.
type progress struct {
	Received int64 `json:"received"`
	Whole    bool  `json:"whole"`
}

func writeProgress(w http.ResponseWriter, of casework.Upload) error {
	return route.WriteJSON(w, http.StatusOK, progress{of.Received, of.Whole()})
}

// beginPhoto announces a photo that comes in pieces, or says how much of it has arrived: from there a device goes on.
func (d *Desk) beginPhoto(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	var sent announcement
	if err := route.ReadJSON(req, &sent); err != nil {
		return err
	}
	by, held := actorOf(v, ident.Appointment(req.PathValue("appointment")))
	if !held {
		return errOwner
	}
	digest, _ := hex.DecodeString(sent.Digest) // what is none has not its length
	began, err := d.Photos.BeginUpload(req.Context(), by, taskOf(req), casework.Taken{
		ID: req.PathValue("photo"), Size: sent.Size, Digest: digest, Made: sent.Made, Position: sent.Position,
	})
	if err != nil {
		return err
	}
	return writeProgress(w, began)
}

// addPiece takes up a piece: its place and checksum stand in headers as in tus (resumable uploads, 1.0.0).
func (d *Desk) addPiece(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	by, held := actorOf(v, ident.Appointment(req.PathValue("appointment")))
	if !held {
		return errOwner
	}
	start, err := strconv.ParseInt(req.Header.Get("Upload-Offset"), 10, 64)
	if err != nil {
		start = -1
	}
	checksum, _ := strings.CutPrefix(req.Header.Get("Upload-Checksum"), "sha256 ")
	digest, _ := base64.StdEncoding.DecodeString(checksum) // what is none is not the piece's
	piece, err := io.ReadAll(req.Body)
	if err != nil {
		return err
	}
	came, err := d.Photos.AddPiece(req.Context(), by, taskOf(req), req.PathValue("photo"), start, digest, piece)
	if err != nil {
		return err
	}
	return writeProgress(w, came)
}

// photo shows an official a photo of the application. That it was read is recorded before.
func (d *Desk) photo(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	content, err := d.Photos.Photograph(req.Context(), v.Actor, taskOf(req), req.PathValue("photo"))
	if err != nil {
		return err
	}
	return page.WritePhoto(w, content)
}

// takePhoto takes a whole photo out of a form: for browsers without scripts.
func (d *Desk) takePhoto(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	content, err := sentPhoto(req)
	if err == nil {
		err = d.takeWhole(req, v, content)
	}
	if f := fault.Of(err); err != nil && f.Field == "photo" {
		view, failed := d.Tasks.Read(req.Context(), v.Actor, taskOf(req))
		if failed != nil {
			return failed
		}
		return d.show(w, req, http.StatusUnprocessableEntity, v, view, page.Typed{}, page.Wrong{"photo": f}, nil)
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, req, pathOf(taskOf(req)))
}

func (d *Desk) takeWhole(req *http.Request, v route.Visitor, content []byte) error {
	ctx, digest, now := req.Context(), sha256.Sum256(content), d.Shared.Clock()
	taken := casework.Taken{ID: ident.New[string](now), Size: int64(len(content)), Digest: digest[:], Made: now}
	var position casework.Position
	var bad error
	for name, into := range map[string]*float64{"latitude": &position.Latitude, "longitude": &position.Longitude, "accuracy": &position.Accuracy} {
		value, err := strconv.ParseFloat(req.PostForm.Get(name), 64)
		if err != nil {
			bad = err
		}
		*into = value
	}
	if bad == nil {
		taken.Position = &position
	}
	if _, err := d.Photos.BeginUpload(ctx, v.Actor, taskOf(req), taken); err != nil {
		return err
	}
	start := int64(0)
	for piece := range slices.Chunk(content, casework.LargestPiece) {
		sum := sha256.Sum256(piece)
		if _, err := d.Photos.AddPiece(ctx, v.Actor, taskOf(req), taken.ID, start, sum[:], piece); err != nil {
			return err
		}
		start += int64(len(piece))
	}
	return nil
}

func (d *Desk) removePhoto(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	if err := d.Photos.RemoveUpload(req.Context(), v.Actor, taskOf(req), req.PathValue("photo")); err != nil {
		return err
	}
	return route.Redirect(w, req, pathOf(taskOf(req)))
}

// photoForm is where photos of a step are added: its script reads the position and sends the photo in pieces.
type photoForms struct {
	Task, By, Path string // where pieces go
	Position       bool
	Add            ui.Form
	Words          []shellText
}

// Template implements ui.Component.
func (photoForms) Template() string { return "desk-photos" }

// photoWords are what the scripts say of photos.
func photoWords(r page.Reader) []shellText {
	return []shellText{
		{"photo-position", r.Say("photo.position")},
		{"photo-no-position", r.Say("fault.photo.no-position")},
		{"photo-sending", r.Say("photo.sending")},
		{"photo-cut", r.Say("photo.cut")},
		{"photo-type", r.Say("fault.photo.type")},
		{"photo-too-large", r.Say("photo.too-large")},
	}
}

// photographs shows the photos that an official has taken in the step so far, and lets them add and remove some. Those
// that have arrived go with the decision.
func (d *Desk) photographs(ctx context.Context, r page.Reader, v route.Visitor, view casework.View, wrong page.Wrong) (body []ui.Component, ready []ui.Hidden, err error) {
	wanted := stepOf(view).Photos
	if wanted.Max == 0 {
		return nil, nil, nil
	}
	own, err := d.Photos.OwnUploads(ctx, v.Actor, view.Task.ID)
	if err != nil {
		return nil, nil, err
	}
	path := pathOf(view.Task.ID) + "/photos"
	body = []ui.Component{ui.Heading{Text: r.Say("photo.title")}, ui.Paragraph{Text: photosWanted(r, wanted)}}
	for _, one := range own {
		if !one.Whole() {
			continue
		}
		ready = append(ready, ui.Hidden{Name: "photo", Value: one.ID})
		body = append(body, ui.Form{Action: path + "/" + one.ID + "/remove", Buttons: ui.Buttons{{Text: r.Say("photo.remove", "number", len(ready)), Quiet: true}}})
	}
	if len(ready) < wanted.Max {
		input := ui.FileInput{Question: ui.Question{Name: "photo", Label: r.Say("photo.add"), Hint: r.Say("assist.photo-hint")}, Accept: "image/jpeg,image/png"}
		if f := wrong["photo"]; f != nil {
			input.Error = r.Problem(f)
		}
		add := ui.Form{Action: path, Files: true, Fields: []ui.Component{input}, Buttons: ui.Buttons{{Text: r.Say("photo.send"), Quiet: true}}}
		body = append(body, photoForms{
			Task: string(view.Task.ID), By: string(v.Actor.Appointment.ID), Path: photosPath, Position: wanted.Position, Add: add, Words: photoWords(r),
		})
	}
	return body, ready, nil
}

// photosWanted says how many photos a step takes.
func photosWanted(r page.Reader, wanted service.Photos) string {
	text := r.Say("photo.wanted", "min", wanted.Min, "max", wanted.Max)
	if wanted.Position {
		text += " " + r.Say("photo.with-position")
	}
	return text
}
