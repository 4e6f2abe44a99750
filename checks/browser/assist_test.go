package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/locale"
	"yagona/packs/demo"
)

// reachable gives a resident a telephone to which codes go.
func (s *told) reachable(t *testing.T, who demo.Person) {
	t.Helper()
	added, err := s.Courier.AddAddress(t.Context(), who.ID.Subject(), "sms", who.Phone, who.Language)
	if err == nil {
		err = s.Courier.Confirm(t.Context(), who.ID.Subject(), added.ID, added.Code)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// received waits for the newest code to confirm an application, as the resident reads it.
func (s *told) received(t *testing.T, language locale.Tag) string {
	t.Helper()
	confirms := strings.ReplaceAll(regexp.QuoteMeta(s.Words.Text(language, "message.confirmation", locale.Args{"code": "CODE", "host": "HOST"})), "CODE", `(\d{6})`)
	pattern := regexp.MustCompile(strings.ReplaceAll(confirms, "HOST", ".+"))
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		written, err := os.ReadFile(filepath.Join(s.folder, "messages.log"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(written)), "\n")
		var last struct{ Text string }
		if json.Unmarshal([]byte(lines[len(lines)-1]), &last) == nil {
			if found := pattern.FindStringSubmatch(last.Text); found != nil {
				return found[1]
			}
		}
	}
	t.Fatal("no code arrived")
	return ""
}

// begins sets up an official's device: the PIN, and what is taken along.
func (w *window) begins(with string, tasks int) {
	w.t.Helper()
	w.run(scripts(true))
	w.open("/desk/offline")
	w.until("the worker", `document.getElementById("offline").dataset.ready`)
	w.enter("new-pin", with)
	w.enter("again", with)
	w.tap(`[data-part="set"] form button`)
	w.tells("device.taken")
	w.lines("tasks", tasks)
}

// dictates writes the subsidy down for a resident, without a connection.
func (w *window) dictates(who demo.Person, number string) {
	w.t.Helper()
	w.isTold(who, number)
	w.tap(`[data-part="case-body"] form button`)
}

// isTold fills in the subsidy's form for a resident, without a connection, up to pressing its button.
func (w *window) isTold(who demo.Person, number string) {
	w.t.Helper()
	w.opensSubsidy()
	w.fill("number", number)
	w.choose("ask.trade", "sewing")
	w.fill("ask.price", "1500000")
	w.tap(`[data-part="case-body"] form button`) // the account is missing: the device says so itself
	w.tells("fault.field.required")
	w.fill("ask.account", who.Account)
}

// opensSubsidy opens the form with which the subsidy is written down, without a connection.
func (w *window) opensSubsidy() {
	w.t.Helper()
	w.tap(`[data-part="assist"]`)
	w.until("the forms", `document.querySelector('[data-part="forms"]').hidden === false`) // those from before go away first
	w.tap(`[data-part="services"] a[href="#youth/tools-subsidy"]`)
	w.until("the form", `document.querySelector('[data-part="case"]').hidden === false`)
}

// A hurried official presses twice and goes on typing, leaves forms unfinished and corrections open. That is one application,
// the next resident's form is empty or says that it is not, and nothing goes away that nobody threw away.
func TestHelpingInHaste(t *testing.T) {
	const empty = `!document.querySelector('[data-part="draft"]') && document.querySelector('[data-part="case-body"] [name="ask.price"]').value === ""`
	s := begin(t, chromium(t), axe(t))
	resident, leader := s.people.Persona(demo.Jobless), s.people.Persona(demo.YouthLeader)
	w := s.signedIn(t, locale.English, leader, "/desk")
	w.begins(pin, 0)
	w.connected(false)
	w.isTold(resident, resident.Number)
	w.run(chromedp.Evaluate[chromedp.Void](`(() => {
		const form = document.querySelector('[data-part="case-body"] form');
		form.requestSubmit();
		form.requestSubmit();
		const typing = setInterval(() => form.isConnected ? form.dispatchEvent(new Event("input")) : clearInterval(typing), 0);
	})()`))
	w.tells("device.not-sent")
	w.opensSubsidy()
	if found := ask(w, chromedp.Value(chromedp.CSS(`main [name="number"]`))); found != "" {
		t.Error("the next form has what was typed for the resident before")
	}

	// What is not finished is there again, says so, and can be thrown away.
	w.fill("ask.price", "700000")
	w.tap(`[data-part="case"] .back`)
	w.opensSubsidy()
	w.until("the draft", `document.querySelector('[data-part="draft"]') && document.querySelector('[data-part="case-body"] [name="ask.price"]').value === "700000"`)
	w.picture("offline-draft")
	w.tap(`[data-part="draft"] button`)
	w.until("an empty form", empty)
	w.tap(`[data-part="case"] .back`)
	w.opensSubsidy()
	w.until("an empty form", empty)
	w.tap(`[data-part="case"] .back`)
	w.lines("acts", 1)

	// One that was not taken is opened again, and left: it stays, whatever else is written down.
	w.connected(true)
	w.tap(`[data-part="send"]`)
	w.until("it waits for the resident", `document.querySelector('[data-part="acts"] a')`)
	w.connected(false)
	w.dictates(resident, strings.Repeat("1", len(resident.Number)))
	w.lines("acts", 2)
	w.connected(true)
	w.tap(`[data-part="send"]`)
	w.until("one was not taken", `document.querySelector('[data-part="acts"] .tag.bad')`)
	w.connected(false)
	w.opensSubsidy()
	w.fill("ask.price", "700000")
	w.tap(`[data-part="case"] .back`)
	w.tap(`[data-part="acts"] li:has(.tag.bad) button`) // open and correct
	w.until("what was said", `document.querySelector('[data-part="case-body"] [name="ask.price"]')?.value === "1500000"`)
	w.fill("ask.price", "1600000")
	w.tap(`[data-part="case"] .back`)
	w.opensSubsidy()
	w.until("the other's draft", `document.querySelector('[data-part="case-body"] [name="ask.price"]').value === "700000"`)
	w.tap(`[data-part="draft"] button`)
	w.tap(`[data-part="case"] .back`)
	w.dictates(resident, resident.Number)
	w.lines("acts", 3)
	w.tap(`[data-part="acts"] li:has(.tag.bad) button`)
	w.until("the correction", `document.querySelector('[data-part="case-body"] [name="ask.price"]')?.value === "1600000"`)
	w.fill("number", resident.Number)
	w.tap(`[data-part="case-body"] form button`)
	w.lines("acts", 3)
	w.until("it is replaced", `!document.querySelector('[data-part="acts"] .tag.bad')`)
}

// Whoever unlocks a device and is called away leaves it locked, without having touched it again.
func TestADeviceLocksByItself(t *testing.T) {
	s := begin(t, chromium(t), axe(t))
	w := s.signedIn(t, locale.English, s.people.Persona(demo.YouthLeader), "/desk")
	w.with(`{ const later = setTimeout; window.setTimeout = (does, after, ...more) => later(does, after === 600_000 ? 5_000 : after, ...more); }`)
	w.begins(pin, 0)
	w.unlock(pin) // waits until it is locked
	w.lines("tasks", 0)
	w.unlock(pin)
	w.lines("tasks", 0)
}

// Who asks for the day's tasks and goes on to a resident meanwhile is still there when they have come.
func TestHelpingWhileTasksCome(t *testing.T) {
	s := begin(t, chromium(t), axe(t))
	w := s.signedIn(t, locale.English, s.people.Persona(demo.YouthLeader), "/desk")
	w.begins(pin, 0)
	w.run(chromedp.Evaluate[chromedp.Void](`(() => {
		const at = document.getElementById("offline").dataset.tasks, fetched = fetch;
		window.fetch = async (...asked) => {
			if (asked[0] === at) await new Promise((go) => { window.come = go; });
			return fetched(...asked);
		};
	})()`))
	w.tap(`[data-part="take"]`)
	w.until("the tasks are on their way", `window.come`)
	w.opensSubsidy()
	w.run(chromedp.Evaluate[chromedp.Void](`come()`))
	w.tells("device.taken")
	if !ask(w, chromedp.Evaluate[bool](`!document.querySelector('[data-part="case"]').hidden`)) {
		t.Error("the resident's form has given way to the list")
	}
}

// An official writes an application down with the network off. It waits, sealed, for them alone; arrives once; and nothing
// is asked of a register before the resident tells the code that was sent to them.
func TestHelpingWithoutAConnection(t *testing.T) {
	s := begin(t, chromium(t), axe(t))
	resident, leader := s.people.Persona(demo.Jobless), s.people.Persona(demo.YouthLeader)
	s.reachable(t, resident)
	w := s.signedIn(t, locale.English, leader, "/desk")
	w.begins(pin, 0)
	w.connected(false)
	w.tap(`[data-part="assist"]`)
	w.until("the forms", `document.querySelectorAll('[data-part="services"] > li').length > 5`)
	w.picture("offline-forms")
	w.enter("search", "subsidy tools")
	w.until("the one that is searched for", `document.querySelectorAll('[data-part="services"] > li').length === 1`)
	w.tap(`[data-part="forms"] .back`)
	w.dictates(resident, strings.Repeat("1", len(resident.Number)))
	w.lines("acts", 1)
	w.dictates(resident, resident.Number)
	w.lines("acts", 2)
	w.tells("device.not-sent")
	w.picture("offline-written-down")

	// It outlives the read copies, signing out and the end of the session, and tells nobody else anything.
	w.tap(`[data-part="drop"]`)
	w.tells("device.dropped")
	kept := ask(w, chromedp.Evaluate[string](everythingKept, chromedp.EvalAwaitPromise))
	for _, secret := range []string{resident.Number, resident.Account, "1500000"} {
		if strings.Contains(kept, secret) {
			t.Errorf("the device keeps %q in the clear", secret)
		}
	}
	s.ahead.Store(int64(24 * time.Hour))
	w.connected(true)
	w.tap(`[data-part="send"]`)
	w.tells("device.sign-in")
	other, ok := s.people.Holder("social-worker", s.people.Home)
	if !ok {
		t.Fatal("nobody is the social worker")
	}
	colleague, _ := s.people.Person(other.Person)
	w.run(scripts(false))
	w.signIn(colleague, "/desk/offline")
	w.run(scripts(true))
	w.open("/desk/offline")
	w.until("the lock", `document.querySelector('[data-part="unlock"]').hidden === false`)
	w.tap(`[data-part="other"]`)
	w.enter("new-pin", "another-"+pin)
	w.enter("again", "another-"+pin)
	w.tap(`[data-part="set"] form button`)
	w.tells("device.taken")
	w.lines("acts", 0) // it is not theirs to see
	w.leading(chromedp.Click(chromedp.CSS(`form[action="/sign-out"] button`)))
	w.run(scripts(false))
	w.signIn(leader, "/desk/offline")
	w.run(scripts(true))
	w.open("/desk/offline")
	w.until("the lock", `document.querySelector('[data-part="unlock"]').hidden === false`)
	w.run(chromedp.Evaluate[chromedp.Void](`(() => { const owners = document.querySelector('[data-part="owner"]');
		owners.value = [...owners.options].find((o) => o.text.startsWith("Youth leader")).value; })()`))
	w.unlock(pin)
	w.tells("device.sent")
	w.lines("acts", 2)
	w.until("one was not taken, one waits", fmt.Sprintf(`[...document.querySelectorAll('[data-part="acts"] .tag')].map((tag) => tag.textContent).join("|") === %q`,
		s.Words.Text(locale.English, "device.problem", nil)+"|"+s.Words.Text(locale.English, "device.confirm", nil)))
	w.picture("offline-waits-for-confirmation")

	drafts := s.applications(t, resident)
	if len(drafts) != 1 || drafts[0].State != casework.Draft {
		t.Fatalf("there are %d applications", len(drafts))
	}
	w.tap(`[data-part="acts"] li:first-child button`) // open and correct
	w.until("the form", `document.querySelector('[data-part="case-body"] [name="ask.price"]')?.value === "1500000"`)
	w.tap(`[data-part="case"] .back`)

	w.follow("/desk/assist/drafts/")
	w.run(scripts(false))
	w.says("assist.made")
	w.look("assist-draft")
	w.press("/code")
	w.says("assist.told-code")
	w.look("assist-code")
	code := s.received(t, locale.Tag(resident.Language))
	w.fill("code", "000001"[:5]+string('0'+('9'-code[5])))
	w.press("/confirm")
	w.says("fault.assist.code")
	w.look("assist-code-wrong")
	if read := s.applications(t, resident)[0]; read.State != casework.Draft {
		t.Fatalf("a wrong code makes it %s", read.State)
	}
	w.fill("code", code)
	w.press("/confirm")
	w.says("assist.sent")
	sent := s.applications(t, resident)
	if len(sent) != 1 || sent[0].State != casework.Deciding {
		t.Fatalf("there are %d applications, the first is %s", len(sent), sent[0].State)
	}
	view, err := s.Casework.Own(t.Context(), access.Actor{Person: resident.ID}, sent[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := view.Content.Assisted; got.Means != casework.ConfirmedByCode || got.Made.IsZero() || got.At.Sub(got.Made) < 20*time.Hour {
		t.Errorf("it was written down as %+v", got)
	}
}

// A resident adds a passkey of their device, and confirms with it what an official wrote down for them.
func TestConfirmingWithAPasskey(t *testing.T) {
	s := begin(t, chromium(t), axe(t))
	resident, leader := s.people.Persona(demo.Jobless), s.people.Persona(demo.YouthLeader)
	helper := s.holder(t, "youth-leader", s.people.Home)
	told := casework.Dictated{
		Applicant: resident.ID, Service: "youth/tools-subsidy", Language: "en",
		Answers: map[string]any{"trade": "sewing", "price": money.Amount(150_000_000), "account": resident.Account},
	}
	draft, err := s.Casework.Assist(t.Context(), helper, told)
	if err != nil {
		t.Fatal(err)
	}
	w := s.signedIn(t, locale.English, resident, "/me/passkeys")
	w.says("passkey.none")
	w.carries(t)
	w.run(scripts(true))
	w.open("/me/passkeys")
	w.submit(`form[action="/me/passkeys"]`)
	w.says("passkey.one", "number", 1, "day", s.Words.Day("en", s.now()))
	w.look("passkeys-one")

	// The device is at hand when the official asks.
	w.leading(chromedp.Click(chromedp.CSS(`form[action="/sign-out"] button`)))
	w.run(scripts(false))
	path := "/desk/assist/drafts/" + string(draft.ID)
	w.signIn(leader, path)
	w.look("assist-passkey")
	w.run(scripts(true))
	w.open(path)
	if sent := s.applications(t, resident); len(sent) != 1 || sent[0].State != casework.Draft {
		t.Fatalf("before it is signed it is %+v", sent)
	}
	w.submit(`form[action$="/passkey"]`)
	w.says("assist.sent")
	view, err := s.Casework.Own(t.Context(), access.Actor{Person: resident.ID}, draft.ID)
	if err != nil {
		t.Fatal(err)
	}
	if view.Content.Assisted.Means != casework.ConfirmedByPasskey || view.Application.State != casework.Deciding {
		t.Errorf("it was confirmed by %s, and is %s", view.Content.Assisted.Means, view.Application.State)
	}
}

// carries gives the window's device an authenticator that knows its user.
func (w *window) carries(t *testing.T) {
	t.Helper()
	w.run(chromedp.Action[chromedp.Void](func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		if _, err := cdp.Call(ctx, target, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return chromedp.Void{}, err
		}
		_, err := cdp.Call(ctx, target, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
			Options: &webauthn.VirtualAuthenticatorOptions{
				Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
			},
		})
		return chromedp.Void{}, err
	}))
}

// applications returns a resident's applications.
func (s *told) applications(t *testing.T, of demo.Person) []casework.Application {
	t.Helper()
	found, err := s.Casework.OwnAll(t.Context(), access.Actor{Person: of.ID}, ident.Application(""), 10)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
