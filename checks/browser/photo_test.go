package browser

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/service"
	"yagona/locale"
)

// stands says where a window's device is, and that the person lets the site know it.
func (w *window) stands(latitude, longitude float64) {
	w.t.Helper()
	in := chromedp.FromContext(w.ctx)
	_, err := cdp.Call(w.ctx, in.Browser, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "geolocation"}, Setting: "granted", Origin: w.told.site, BrowserContextID: in.BrowserContextID,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	accuracy := 7.0
	w.run(chromedp.Action[chromedp.Void](func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetGeolocationOverride, emulation.SetGeolocationOverrideParams{
			Latitude: &latitude, Longitude: &longitude, Accuracy: &accuracy,
		})
		return chromedp.Void{}, err
	}))
}

// piece is how much of a photo goes at once, in bytes.
const piece = 128 << 10

// plot is a photo of several pieces: noise, so that it stays large.
func plot(t *testing.T) string {
	t.Helper()
	picture, noise := image.NewGray(image.Rect(0, 0, 800, 800)), rand.NewChaCha8([32]byte{2})
	if _, err := noise.Read(picture.Pix); err != nil {
		t.Fatal(err)
	}
	var content bytes.Buffer
	if err := jpeg.Encode(&content, picture, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "plot.jpg")
	if err := os.WriteFile(name, content.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// surveyed lets somebody apply for a plot, and returns their application.
func (s *told) surveyed(t *testing.T) (access.Actor, casework.Application) {
	t.Helper()
	for _, one := range s.people.People {
		actor := access.Actor{Person: one.ID}
		answers := map[string]any{"crop": "lemons", "area": int64(600)}
		sent, err := s.Casework.Apply(t.Context(), actor, "", "land/plot-lease", "en", answers)
		if err == nil && sent.Application.State == casework.Deciding {
			return actor, sent.Application
		}
	}
	t.Fatal("nobody gets a plot")
	return access.Actor{}, casework.Application{}
}

// A surveyor takes photos with the network off, the position before each. They go in pieces when there is a connection; a
// cut in the middle does not begin anew; the decision takes them along.
func TestPhotosWithoutAConnection(t *testing.T) {
	s := begin(t, chromium(t), axe(t))
	applicant, application := s.surveyed(t)
	place := s.Profile.Territories.Parent(application.Territory)
	w := s.official(t, locale.English, "surveyor", place, "/desk")
	w.stands(41.311081, 69.240562)
	task := s.survey(t, applicant, application)

	// With a connection the page of the task does the same.
	w.run(scripts(true))
	w.open("/desk/tasks/" + string(task.ID))
	photo := plot(t)
	w.run(chromedp.SetUploadFiles(chromedp.CSS(`main input[type="file"]`), []string{photo}))
	w.run(chromedp.Evaluate[chromedp.Void](`(() => { const form = document.querySelector("[data-photos] form"); form.requestSubmit(); form.requestSubmit(); })()`))
	w.until("the photo", `document.querySelector('form[action$="/remove"]')`)
	about, err := os.Stat(photo)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.pieces.Load(), (about.Size()+piece-1)/piece; got != want || got < 3 {
		t.Errorf("pressed twice it went in %d pieces; it has %d", got, want)
	}
	w.press("/remove")
	w.until("no photo", `!document.querySelector('form[action$="/remove"]')`)

	w.begins(pin, 1)
	w.connected(false)
	w.tap(`[data-part="tasks"] > li a`)
	w.until("the position", `document.getElementById("take-photo")?.disabled === false`)
	w.shows(s.Words.Text(locale.English, "photo.here", locale.Args{"position": "41.31108, 69.24056", "metres": "7"}))
	w.choose("action", "recommend")
	w.tap(`[data-part="case"] form button`)
	w.tells("fault.photo.missing")
	for i := range 2 {
		w.until("the next position", `document.getElementById("take-photo")?.disabled === false`)
		w.run(chromedp.SetUploadFiles(chromedp.CSS("#take-photo"), []string{plot(t)}))
		w.until("the photo", fmt.Sprintf(`document.querySelectorAll('[data-part="album"] li').length === %d`, i+1))
	}
	w.tap(`[data-part="album"] li:first-child button`)
	w.until("one photo", `document.querySelectorAll('[data-part="album"] li').length === 1`)
	w.picture("offline-photos")
	for name, answer := range map[string]string{"form.measuredOn-day": "2", "form.measuredOn-month": "3", "form.measuredOn-year": "2026"} {
		w.fill(name, answer)
	}
	w.choose("form.water", "true")
	w.tap(`[data-part="case"] form button`)
	w.lines("acts", 1)
	kept := ask(w, chromedp.Evaluate[string](`(async () => {
		const db = await new Promise((resolve) => { const r = indexedDB.open("yagona-desk"); r.onsuccess = () => resolve(r.result); });
		const found = await new Promise((resolve) => { const r = db.transaction("pictures").objectStore("pictures").getAll(); r.onsuccess = () => resolve(r.result); });
		return found.length + " " + found.map(({ sealed }) => new TextDecoder("latin1").decode(sealed.data)).join("");
	})()`, chromedp.EvalAwaitPromise))
	if !strings.HasPrefix(kept, "1 ") || strings.Contains(kept, "JFIF") || len(kept) < 300_000 {
		t.Errorf("the device keeps %d bytes of photos, beginning %.20q", len(kept), kept)
	}

	// The connection is cut after two pieces, and comes back.
	s.after.Store(2)
	w.connected(true)
	for deadline := time.Now().Add(patience); !s.cut.Load() && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	w.tells("device.not-sent")
	by := s.holder(t, "surveyor", place)
	own, err := s.Casework.OwnUploads(t.Context(), by, task.ID)
	if err != nil || len(own) != 1 || own[0].Received != 2*piece {
		t.Fatalf("after the cut %+v, %v", own, err)
	}
	pieces := s.pieces.Load()
	s.cut.Store(false)
	w.tap(`[data-part="send"]`)
	w.tells("device.sent")
	w.lines("acts", 0)
	if got, most := s.pieces.Load()-pieces, (own[0].Size-own[0].Received)/piece+1; got > most {
		t.Errorf("%d pieces were sent after the cut; %d were missing", got, most)
	}
	view, err := s.Casework.Own(t.Context(), applicant, application.ID)
	if err != nil || len(view.Content.Photos) != 1 {
		t.Fatalf("%d photos are kept, %v", len(view.Content.Photos), err)
	}
	if at := view.Content.Photos[0].Position; at == nil || at.Latitude != 41.311081 || at.Accuracy != 7 {
		t.Errorf("it was taken at %+v", at)
	}
	if decision := view.Content.Decisions; len(decision) != 1 || decision[0].Action != service.Recommend || decision[0].Made.IsZero() {
		t.Errorf("it was decided as %+v", decision)
	}
	if left := ask(w, chromedp.Evaluate[string](everythingKept, chromedp.EvalAwaitPromise)); len(left) > 300_000 {
		t.Errorf("%d bytes are left on the device", len(left))
	}
}

// survey returns the task of the survey.
func (s *told) survey(t *testing.T, applicant access.Actor, application casework.Application) casework.Task {
	t.Helper()
	view, err := s.Casework.Own(t.Context(), applicant, application.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range view.Tasks {
		if one.Step == "survey" {
			return one
		}
	}
	t.Fatal("there is no survey")
	return casework.Task{}
}
