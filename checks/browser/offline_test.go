package browser

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/locale"
	"yagona/packs/demo"
)

// connected switches the network on or off, for the page and for what works behind it.
func (w *window) connected(on bool) {
	w.t.Helper()
	w.told.cut.Store(!on)
	w.run(chromedp.Action[chromedp.Void](func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, network.OverrideNetworkState, network.OverrideNetworkStateParams{
			Offline: !on, DownloadThroughput: -1, UploadThroughput: -1,
		})
		return chromedp.Void{}, err
	}))
}

func partOf(name string) chromedp.CSS {
	return chromedp.CSS(fmt.Sprintf(`main [data-part=%q]`, name))
}

// enter types into a part of the offline page.
func (w *window) enter(part, text string) {
	w.t.Helper()
	w.run(chromedp.SendKeys(partOf(part), text))
}

// tap presses something that leads to no other page.
func (w *window) tap(selector string) {
	w.t.Helper()
	w.run(chromedp.Click(chromedp.CSS("main " + selector)))
}

// until waits until an expression is true on the page.
func (w *window) until(what, expression string) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if ask(w, chromedp.Evaluate[bool]("Boolean("+expression+")")) {
			return
		}
	}
	w.t.Fatalf("%s: not within %v: %s", what, patience, w.text())
}

// unlock opens what is on the device.
func (w *window) unlock(with string) {
	w.t.Helper()
	w.until("the lock", `document.querySelector('[data-part="unlock"]').hidden === false`)
	w.enter("pin", with)
	w.tap(`[data-part="unlock"] form button`)
}

// signIn signs in again.
func (w *window) signIn(who demo.Person, next string) {
	w.t.Helper()
	w.open("/sign-in?next=" + next)
	w.fill("number", who.Number)
	w.submit(`form:has(input[name="number"])`)
	w.at(next)
}

// lines waits until a list of the offline page has so many lines.
func (w *window) lines(part string, number int) {
	w.t.Helper()
	w.until(fmt.Sprintf("%d lines of %s", number, part), fmt.Sprintf(
		`document.querySelector('[data-part="work"]').hidden === false && document.querySelectorAll('[data-part=%q] > li').length === %d`, part, number))
}

// tells waits until the offline page says a text of the catalogue.
func (w *window) tells(key string) {
	w.t.Helper()
	w.until(key, fmt.Sprintf(`document.querySelector('[data-part="told"]').textContent.includes(%q)`, w.told.Words.Text(w.language, key, nil)))
}

// decideOffline decides the first task of the list that is not decided yet.
func (w *window) decideOffline(action string, more func()) {
	w.t.Helper()
	w.tap(`[data-part="tasks"] > li:not(:has(.tag)) a`)
	w.until("the case", `document.querySelector('[data-part="case"]').hidden === false`)
	w.choose("action", action)
	if more != nil {
		more()
	}
	before := ask(w, chromedp.Evaluate[int](decidedHere))
	w.tap(`[data-part="case"] form button`)
	w.until("one more decided here", fmt.Sprintf("%s > %d", decidedHere, before))
}

// decidedHere counts the tasks that were decided on the device. What the page says of it is soon overwritten by what it
// says of the connection.
const decidedHere = `document.querySelectorAll('[data-part="tasks"] > li:has(.tag)').length`

// decisions counts what was decided in all applications of the residents, and what arrived too late.
func (s *told) decisions(t *testing.T) (decided, offline, late int) {
	t.Helper()
	for _, one := range s.people.People {
		actor := access.Actor{Person: one.ID}
		all, err := s.Casework.OwnAll(t.Context(), actor, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, application := range all {
			view, err := s.Casework.Own(t.Context(), actor, application.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, decision := range view.Content.Decisions {
				decided++
				if !decision.Made.IsZero() && !decision.Made.After(decision.At) {
					offline++
				}
			}
			for _, arrival := range view.Content.Arrivals {
				if arrival.Late {
					late++
				}
			}
		}
	}
	return decided, offline, late
}

// heaviest is how much an official's first page may weigh over the wire, in bytes.
const heaviest = 200_000

// weighs opens a page as for the first time, and returns how many bytes came over the wire.
func (w *window) weighs(path string) int {
	w.t.Helper()
	without := func(cache bool) chromedp.Action[chromedp.Void] {
		return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: cache})
			return chromedp.Void{}, err
		}
	}
	w.run(without(true))
	w.open(path)
	w.until("all of the page", `document.readyState === "complete"`)
	bytes := ask(w, chromedp.Evaluate[int](`[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].reduce((sum, one) => sum + one.transferSize, 0)`))
	w.run(without(false))
	return bytes
}

const pin = "namuna-pin-2026"

// An official takes tasks along, decides two with the network off, and both are carried out once; what arrives after its
// step has gone to the level above changes nothing and is shown there.
func TestTheDeskWithoutAConnection(t *testing.T) {
	s := begin(t, chromium(t), axe(t))
	s.busy(t)
	leader := s.people.Persona(demo.YouthLeader)
	w := s.signedIn(t, locale.English, leader, "/desk")
	w.open("/desk/offline")
	w.look("offline-new")
	w.run(scripts(true))
	for _, path := range []string{"/desk", "/desk/offline"} {
		if bytes := w.weighs(path); bytes > heaviest || bytes < 10_000 {
			t.Errorf("%s weighs %d bytes over the wire; it may weigh %d", path, bytes, heaviest)
		} else {
			t.Logf("%s weighs %d bytes over the wire", path, bytes)
		}
	}
	w.until("the worker", `document.getElementById("offline").dataset.ready`)
	w.enter("new-pin", pin)
	w.enter("again", pin)
	w.tap(`[data-part="set"] form button`)
	w.tells("device.taken")
	w.lines("tasks", 3)

	// Signing out drops what can be read.
	w.leading(chromedp.Click(chromedp.CSS(`form[action="/sign-out"] button`)))
	w.run(scripts(false))
	w.signIn(leader, "/desk/offline")
	w.run(scripts(true))
	w.open("/desk/offline")
	w.unlock(pin)
	w.lines("tasks", 0)
	w.tap(`[data-part="take"]`)
	w.tells("device.taken")
	w.lines("tasks", 3)

	w.connected(false)
	w.open("/desk") // the worker shows the page that it keeps
	w.unlock("wrong-" + pin)
	w.tells("device.wrong-pin")
	w.unlock(pin)
	w.lines("tasks", 3)
	w.decideOffline("recommend", nil)
	w.tells("device.not-sent")
	w.decideOffline("refuse", func() { w.run(chromedp.SendKeys(chromedp.CSS(`main [name="reason"]`), "?")) })
	w.lines("acts", 2)
	w.picture("offline-unsent")
	if decided, _, _ := s.decisions(t); decided != 0 {
		t.Fatalf("%d decisions went through the cut network", decided)
	}

	// What was not sent outlives the read copies and the page.
	w.tap(`[data-part="drop"]`)
	w.tells("device.dropped")
	w.lines("tasks", 0)
	w.open("/desk/offline")
	w.unlock(pin)
	w.lines("acts", 2)
	kept := ask(w, chromedp.Evaluate[string](everythingKept, chromedp.EvalAwaitPromise))
	for _, secret := range []string{"recommend", "refuse", "price", "Namunaev"} {
		if strings.Contains(kept, secret) {
			t.Errorf("the device keeps %q in the clear", secret)
		}
	}

	w.connected(true)
	w.lines("acts", 0)
	w.tells("device.sent")
	if decided, offline, late := s.decisions(t); decided != 2 || offline != 2 || late != 0 {
		t.Errorf("%d decisions, %d with a device's time, %d too late", decided, offline, late)
	}

	// One more, which reaches the platform days later.
	w.tap(`[data-part="take"]`)
	w.tells("device.taken")
	w.lines("tasks", 1)
	w.connected(false)
	w.decideOffline("recommend", nil)
	s.ahead.Store(int64(10 * 24 * time.Hour))
	s.Jobs.Wake()
	s.escalated(t)
	w.connected(true)
	w.tells("device.sign-in") // the session has ended meanwhile; what was decided is still there
	w.lines("acts", 1)
	w.run(scripts(false))
	w.signIn(leader, "/desk/offline")
	w.run(scripts(true))
	w.open("/desk/offline")
	w.unlock(pin)
	w.until("the late act", fmt.Sprintf(`document.querySelector('[data-part="acts"]').textContent.includes(%q)`, s.Words.Text(locale.English, "device.late-text", nil)))
	w.picture("offline-late")
	if decided, _, late := s.decisions(t); decided != 2 || late != 1 {
		t.Errorf("%d decisions, %d too late", decided, late)
	}
	above := s.official(t, locale.English, "youth-leader", s.Profile.Territories.Parent(s.people.Home), "/desk")
	above.follow("/desk/tasks/")
	above.says("desk.late-title")
	above.look("task-late")
}

// everythingKept reads all that the device keeps, bytes as characters, but for the forms of services: they are the same
// for everybody.
const everythingKept = `(async () => {
	const db = await new Promise((resolve) => { const r = indexedDB.open("yagona-desk"); r.onsuccess = () => resolve(r.result); });
	const all = [];
	for (const name of db.objectStoreNames) {
		if (name === "forms") continue;
		const found = await new Promise((resolve) => { const r = db.transaction(name).objectStore(name).getAll(); r.onsuccess = () => resolve(r.result); });
		all.push(JSON.stringify(found, (k, v) => v instanceof ArrayBuffer ? String.fromCharCode(...new Uint8Array(v)) : v));
	}
	return all.join("\n");
})()`

// holder returns whoever holds the role for a territory.
func (s *told) holder(t *testing.T, role ident.Role, place ident.Territory) access.Actor {
	t.Helper()
	holder, _ := s.people.Holder(role, place)
	held, err := s.Office.Appointments(t.Context(), holder.Person, s.now())
	if err != nil || len(held) != 1 {
		t.Fatalf("appointments: %v, %v", held, err)
	}
	return access.Actor{Person: holder.Person, Appointment: &held[0]}
}

// escalated waits until the open task of the home mahalla has gone to the level above.
func (s *told) escalated(t *testing.T) {
	t.Helper()
	by := s.holder(t, "youth-leader", s.Profile.Territories.Parent(s.people.Home))
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		tasks, err := s.Casework.Tasks(t.Context(), by, casework.Filter{}, casework.Cursor{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range tasks {
			if one.Escalated > 0 && one.Territory != s.people.Home {
				return
			}
		}
	}
	t.Fatal("nothing was escalated")
}
