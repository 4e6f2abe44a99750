package casework_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/service"
)

// camera takes a photo: noise, so that it does not become small.
func camera(t *testing.T, side int) []byte {
	t.Helper()
	picture, noise := image.NewGray(image.Rect(0, 0, side, side)), rand.NewChaCha8([32]byte{1})
	if _, err := noise.Read(picture.Pix); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var tashkent = &casework.Position{Latitude: 41.311081, Longitude: 69.240562, Accuracy: 12}

// inspection returns a world in which the youth leader takes one or two photos, with their position.
func inspection(t *testing.T) (*world, access.Actor, casework.Task) {
	t.Helper()
	w := newWorld(t, func(def *service.Definition) {
		def.Process[0].Steps[0].Photos = service.Photos{Min: 1, Max: 2, Position: true}
	})
	leader := w.official("youth-leader", "X11")
	w.apply()
	return w, leader, w.open(leader)
}

func (w *world) announced(content []byte) casework.Taken {
	digest := sha256.Sum256(content)
	return casework.Taken{ID: ident.New[string](w.now), Size: int64(len(content)), Digest: digest[:], Made: w.now.Add(-time.Hour), Position: tashkent}
}

// begin announces a photo.
func (w *world) begin(by access.Actor, task ident.Task, content []byte) casework.Taken {
	w.Helper()
	taken := w.announced(content)
	if _, err := w.BeginUpload(w.Context(), by, task, taken); err != nil {
		w.Fatal(err)
	}
	return taken
}

func (w *world) piece(by access.Actor, task ident.Task, id string, content []byte, start, end int) (casework.Upload, error) {
	digest := sha256.Sum256(content[start:end])
	return w.AddPiece(w.Context(), by, task, id, int64(start), digest[:], content[start:end])
}

// arrive sends a whole photo in one piece.
func (w *world) arrive(by access.Actor, task ident.Task) string {
	w.Helper()
	content := camera(w.T, 64)
	taken := w.begin(by, task, content)
	if got, err := w.piece(by, task, taken.ID, content, 0, len(content)); err != nil || !got.Whole() {
		w.Fatalf("%+v, %v", got, err)
	}
	return taken.ID
}

// Who refuses because something cannot be done has nothing to record and no picture of it.
func TestARefusalNeedsNoFindings(t *testing.T) {
	w := newWorld(t, func(def *service.Definition) {
		step := &def.Process[0].Steps[0]
		step.Photos = service.Photos{Min: 1, Max: 2}
		step.Form = []field.Definition{{Name: "seen", Kind: field.Text}, {Name: "metres", Kind: field.Int}}
		step.Actions = append(step.Actions, service.Refuse)
	})
	leader := w.official("youth-leader", "X11")
	w.apply()
	task := w.open(leader)
	_, err := w.decide(leader, casework.Verdict{Action: service.Recommend, Photos: []string{w.arrive(leader, task.ID)}})
	w.refused(err, "field.required")
	_, err = w.decide(leader, casework.Verdict{Action: service.Recommend, Form: map[string]any{"seen": "A lathe", "metres": int64(3)}})
	w.refused(err, "photo.missing")
	verdict := casework.Verdict{Action: service.Refuse, Reasons: []casework.Reason{{Text: "Nobody opened the door."}}, Form: map[string]any{"metres": "three"}}
	_, err = w.decide(leader, verdict)
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("what is recorded all the same is not checked: %v", err)
	}
	verdict.Form = map[string]any{"seen": "A closed door"}
	if refused := w.must(w.decide(leader, verdict)); refused.State != casework.Refused {
		t.Errorf("refused, it is %s", refused.State)
	}
}

func TestAPhotoArrivesInPiecesAndIsKeptWithTheDecision(t *testing.T) {
	w, leader, task := inspection(t)
	content := camera(t, 300)
	taken := w.begin(leader, task.ID, content)
	third := len(content) / 3
	if got, err := w.piece(leader, task.ID, taken.ID, content, 0, third); err != nil || got.Received != int64(third) {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err := w.piece(leader, task.ID, taken.ID, content, 0, third); err != nil || got.Received != int64(third) { // twice
		t.Errorf("a piece that arrives twice: %+v, %v", got, err)
	}
	_, err := w.piece(leader, task.ID, taken.ID, content, 2*third, len(content))
	w.refused(err, "photo.offset") // out of order

	// The connection is cut; the device announces it once more and goes on from where it was.
	resumed, err := w.BeginUpload(t.Context(), leader, task.ID, taken)
	if err != nil || resumed.Received != int64(third) {
		t.Fatalf("it goes on from %d, %v", resumed.Received, err)
	}
	if _, err := w.piece(leader, task.ID, taken.ID, content, third, 2*third); err != nil {
		t.Fatal(err)
	}
	_, err = w.Decide(t.Context(), leader, task.ID, 1, casework.Verdict{Action: service.Recommend, Photos: []string{taken.ID}})
	w.refused(err, "photo.missing") // not all of it is there
	last, err := w.piece(leader, task.ID, taken.ID, content, 2*third, len(content))
	if err != nil || !last.Whole() {
		t.Fatalf("%+v, %v", last, err)
	}
	if bytes.Contains(last.Sealed, []byte("41.3")) || bytes.Contains(last.Sealed, []byte("JFIF")) {
		t.Error("it is stored in the clear")
	}
	w.must(w.Decide(t.Context(), leader, task.ID, 1, casework.Verdict{Action: service.Recommend, Photos: []string{taken.ID}}))

	own := w.state(task.Application)
	if len(own.Content.Photos) != 1 {
		t.Fatalf("%d photos are kept", len(own.Content.Photos))
	}
	got := own.Content.Photos[0]
	if got.ID != taken.ID || got.Task != task.ID || got.By != leader.Person || !got.Made.Equal(taken.Made) || !got.Received.Equal(w.now) ||
		!bytes.Equal(got.Digest, taken.Digest) || *got.Position != *tashkent {
		t.Errorf("it is kept as %+v", got)
	}
	decided := w.headers("task.recommend")
	if len(decided) != 1 || len(decided[0].Covers) != 4 { // application, two tasks, photo
		t.Errorf("the decision vouches for %+v", decided)
	}
	chair := w.official("chair", "X11")
	before := len(w.headers("application.read"))
	picture, err := w.Photograph(t.Context(), chair, w.open(chair).ID, got.ID)
	if err != nil {
		t.Fatal(err)
	}
	if size, kind, err := image.DecodeConfig(bytes.NewReader(picture)); err != nil || kind != "jpeg" || size.Width != 300 {
		t.Errorf("the chair sees a %s of %d pixels, %v", kind, size.Width, err)
	}
	if len(w.headers("application.read")) != before+1 {
		t.Error("that the chair saw it is not journaled")
	}
	if mine, err := w.OwnPhotograph(t.Context(), w.applicant, task.Application, got.ID); err != nil || !bytes.Equal(mine, picture) {
		t.Errorf("the applicant does not see it: %v", err)
	}
	if _, err := w.OwnPhotograph(t.Context(), leader, task.Application, got.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("it is somebody else's: %v", err)
	}
	// A device that did not hear of it goes on: nothing is left to send.
	if again, err := w.BeginUpload(t.Context(), leader, task.ID, taken); err != nil || !again.Whole() {
		t.Errorf("after the decision: %+v, %v", again, err)
	}
}

func TestWhatIsNoPieceOfThePhoto(t *testing.T) {
	w, leader, task := inspection(t)
	content := camera(t, 64)
	taken := w.begin(leader, task.ID, content)
	for what, try := range map[string]func() error{
		"another checksum": func() error {
			digest := sha256.Sum256([]byte("something else"))
			_, err := w.AddPiece(t.Context(), leader, task.ID, taken.ID, 0, digest[:], content)
			return err
		},
		"longer than the photo": func() error {
			long := append(bytes.Clone(content), 0)
			_, err := w.piece(leader, task.ID, taken.ID, long, 0, len(long))
			return err
		},
		"longer than a piece": func() error {
			long := make([]byte, casework.LargestPiece+1)
			_, err := w.piece(leader, task.ID, taken.ID, long, 0, len(long))
			return err
		},
		"nothing": func() error { _, err := w.piece(leader, task.ID, taken.ID, content, 0, 0); return err },
		"before the beginning": func() error {
			digest := sha256.Sum256(content)
			_, err := w.AddPiece(t.Context(), leader, task.ID, taken.ID, -1, digest[:], content)
			return err
		},
	} {
		if err := try(); fault.Code(err) != "photo.piece" {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := w.piece(w.official("youth-leader", "X11"), task.ID, taken.ID, content, 0, len(content))
	w.refused(err, "photo.unknown") // a colleague's photo is not theirs
	_, err = w.piece(w.official("youth-leader", "X21"), task.ID, taken.ID, content, 0, len(content))
	w.refused(err, "access.forbidden")
	_, err = w.piece(w.official("chair", "X11"), task.ID, taken.ID, content, 0, len(content))
	w.refused(err, "access.forbidden")

	for what, wrong := range map[string][]byte{"a text": []byte("<html>photo.jpg</html>"), "half a photo": content[:len(content)/2]} {
		begun := w.begin(leader, task.ID, wrong)
		if _, err := w.piece(leader, task.ID, begun.ID, wrong, 0, len(wrong)); fault.Code(err) != "photo.type" {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := w.piece(leader, task.ID, begun.ID, wrong, 0, len(wrong)); fault.Code(err) != "photo.unknown" {
			t.Errorf("%s is still there: %v", what, err)
		}
	}
	// The header of a PNG of 7,200 by 7,200 pixels of 16 bits: more is not looked at.
	vast := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x1c\x20\x00\x00\x1c\x20\x10\x06\x00\x00\x00")
	vast = binary.BigEndian.AppendUint32(vast, crc32.ChecksumIEEE(vast[12:]))
	begun := w.begin(leader, task.ID, vast)
	_, err = w.piece(leader, task.ID, begun.ID, vast, 0, len(vast))
	w.refused(err, "photo.too-large")
	lied := w.announced(content)
	lied.Digest = make([]byte, sha256.Size)
	if _, err := w.BeginUpload(t.Context(), leader, task.ID, lied); err != nil {
		t.Fatal(err)
	}
	_, err = w.piece(leader, task.ID, lied.ID, content, 0, len(content))
	w.refused(err, "photo.damaged")
}

func TestWhatCannotBeAnnounced(t *testing.T) {
	w, leader, task := inspection(t)
	content := camera(t, 64)
	for code, change := range map[string]func(*casework.Taken){
		"photo.announcement": func(p *casework.Taken) { p.Size = casework.LargestPhoto + 1 },
		"photo.no-position":  func(p *casework.Taken) { p.Position = nil },
	} {
		taken := w.announced(content)
		change(&taken)
		_, err := w.BeginUpload(t.Context(), leader, task.ID, taken)
		w.refused(err, code)
	}
	far := w.announced(content)
	far.Position = &casework.Position{Latitude: 91}
	_, err := w.BeginUpload(t.Context(), leader, task.ID, far)
	w.refused(err, "photo.no-position")

	taken := w.begin(leader, task.ID, content)
	_, err = w.BeginUpload(t.Context(), w.official("youth-leader", "X11"), task.ID, taken)
	w.refused(err, "photo.other-official")
	for range 5 {
		w.begin(leader, task.ID, content)
	}
	_, err = w.BeginUpload(t.Context(), leader, task.ID, w.announced(content))
	w.refused(err, "photo.too-many")
	if err := w.RemoveUpload(t.Context(), leader, task.ID, taken.ID); err != nil {
		t.Fatal(err)
	}
	w.begin(leader, task.ID, content)

	plain := newWorld(t)
	plain.apply()
	assessor := plain.official("youth-leader", "X11")
	_, err = plain.BeginUpload(t.Context(), assessor, plain.open(assessor).ID, plain.announced(content))
	w.refused(err, "photo.unwanted")
}

func TestADecisionTakesAsManyPhotosAsItsStepAsksFor(t *testing.T) {
	w, leader, task := inspection(t)
	decide := func(photos ...string) error {
		_, err := w.Decide(t.Context(), leader, task.ID, 1, casework.Verdict{Action: service.Recommend, Photos: photos})
		return err
	}
	one, two, three := w.arrive(leader, task.ID), w.arrive(leader, task.ID), w.arrive(leader, task.ID)
	w.refused(decide(), "photo.missing")
	w.refused(decide(one, two, three), "photo.too-many")
	w.refused(decide(one, ident.New[string](w.now)), "photo.missing")
	colleague := w.official("youth-leader", "X11")
	w.refused(decide(w.arrive(colleague, task.ID)), "photo.missing")
	if err := decide(one, one, two); err != nil { // named twice
		t.Fatal(err)
	}
	if kept := w.state(task.Application).Content.Photos; len(kept) != 2 {
		t.Errorf("%d photos are kept", len(kept))
	}
}

func TestPhotosThatNoDecisionTakesUpAreForgotten(t *testing.T) {
	w, leader, task := inspection(t)
	content := camera(t, 64)
	half := w.begin(leader, task.ID, content)
	if _, err := w.piece(leader, task.ID, half.ID, content, 0, 100); err != nil {
		t.Fatal(err)
	}
	whole := w.arrive(leader, task.ID)
	if own, err := w.OwnUploads(t.Context(), leader, task.ID); err != nil || len(own) != 2 {
		t.Fatalf("%+v, %v", own, err)
	}
	w.now = w.now.Add(7 * 24 * time.Hour)
	if err := w.jobs.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := w.Store.View(t.Context(), func(tx casework.Reader) error {
		for _, id := range []string{half.ID, whole} {
			if _, err := tx.Upload(task.Applicant, id); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s is still there: %v", id, err)
			}
			if pieces, err := tx.Pieces(task.Applicant, id); err != nil || len(pieces) > 0 {
				t.Errorf("%d pieces are still there, %v", len(pieces), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPhotosStillArriveAfterTheTaskWentUp(t *testing.T) {
	w, leader, task := inspection(t)
	view := w.along(leader, 1)[0]
	made := w.now
	w.later(7 * 24 * time.Hour) // nobody decides: it goes to the district
	id := w.arrive(leader, task.ID)
	arrival, err := w.Arrive(t.Context(), leader, w.offline(view, made, casework.Verdict{Action: service.Recommend, Photos: []string{id}}))
	if err != nil || !arrival.Late {
		t.Fatalf("%+v, %v", arrival, err)
	}
	if kept := w.state(task.Application).Content.Photos; len(kept) != 1 || kept[0].ID != id {
		t.Errorf("the level above sees %+v", kept)
	}
}

func TestAPhotosIdBelongsToWhoBeganItAndToItsTask(t *testing.T) {
	w := newWorld(t, func(def *service.Definition) {
		step := &def.Process[0].Steps[0]
		step.Photos = service.Photos{Min: 1, Max: 2, Position: true}
		other := *step
		other.Name = "survey"
		def.Process[0].Steps = append(def.Process[0].Steps, other)
	})
	leader, colleague := w.official("youth-leader", "X11"), w.official("youth-leader", "X11")
	w.apply()
	tasks, err := w.Tasks(t.Context(), leader, casework.Filter{}, casework.Cursor{}, 10)
	if err != nil || len(tasks) != 2 {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	one, two := tasks[0].ID, tasks[1].ID
	content, different := camera(t, 64), camera(t, 65)
	taken := w.begin(leader, one, content)
	if _, err := w.piece(leader, one, taken.ID, content, 0, 100); err != nil {
		t.Fatal(err)
	}
	same := w.announced(different)
	same.ID = taken.ID
	nobodyElses := func(when string) {
		t.Helper()
		for what, try := range map[string]func() error{
			"another official": func() error { _, err := w.BeginUpload(t.Context(), colleague, one, taken); return err },
			"another task":     func() error { _, err := w.BeginUpload(t.Context(), leader, two, taken); return err },
			"both":             func() error { _, err := w.BeginUpload(t.Context(), colleague, two, same); return err },
			"another photo":    func() error { _, err := w.BeginUpload(t.Context(), leader, one, same); return err },
		} {
			if err := try(); fault.Code(err) != "photo.other-official" {
				t.Errorf("%s, %s: %v", when, what, err)
			}
		}
	}
	nobodyElses("half of it is there")
	if _, err := w.piece(leader, one, taken.ID, content, 100, len(content)); err != nil {
		t.Fatal(err)
	}
	nobodyElses("it has arrived")
	decide := func(task ident.Task, photo string) error {
		view, err := w.Read(t.Context(), leader, task)
		if err != nil {
			return err
		}
		_, err = w.Decide(t.Context(), leader, task, view.Application.Revision, casework.Verdict{Action: service.Recommend, Photos: []string{photo}})
		return err
	}
	if err := decide(one, taken.ID); err != nil {
		t.Fatal(err)
	}
	nobodyElses("a decision took it up")
	w.refused(decide(two, taken.ID), "photo.missing")
	_, err = w.piece(leader, one, taken.ID, content, 0, len(content))
	w.refused(err, "photo.unknown") // nothing is left to send
	kept := w.state(tasks[0].Application).Content.Photos
	if len(kept) != 1 || kept[0].By != leader.Person || kept[0].Task != one || !bytes.Equal(kept[0].Digest, taken.Digest) {
		t.Errorf("it is kept as %+v", kept)
	}
}
