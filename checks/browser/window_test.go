package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"yagona/locale"
	"yagona/packs/demo"
)

// patience is how long a browser may take for one step; what it waits for takes far less.
const patience = time.Minute

// TestMain ends the browser after the last test, and tells what was looked at.
func TestMain(m *testing.M) {
	code := m.Run()
	endBrowser()
	if looked.pages > 0 {
		fmt.Println(looked)
	}
	os.Exit(code)
}

// chromium returns the browser of this test process, which is started when it is first needed: each window is private, so no
// test sees what another left. Without a browser the test is skipped, but fails where all tests are asked for.
func chromium(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("drives Chromium: run ./test")
	}
	browser, err := startedBrowser()
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("YAGONA_TEST_ALL") == "" {
		t.Skip("needs Chromium (Debian's chromium-headless-shell): run ./test")
	}
	if err != nil {
		t.Fatalf("starting Chromium (Debian's chromium-headless-shell): %v", err)
	}
	return browser
}

var (
	startedBrowser = sync.OnceValues(startBrowser)
	endBrowser     = func() {}
)

// browserPath returns where Chromium is: without the interface of a desktop browser, of which nobody here sees anything and
// which takes half of the processors' time; with it where there is no other.
func browserPath() (string, error) {
	path, err := exec.LookPath("chromium-headless-shell")
	if err != nil {
		path, err = exec.LookPath("chromium")
	}
	return path, err
}

func startBrowser() (context.Context, error) {
	path, err := browserPath()
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.Flag("disable-gpu", true), chromedp.Flag("lang", "en"))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to sandbox for root
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	first, closeFirst := chromedp.NewContext(allocator)
	endBrowser = func() {
		closeFirst()
		end()
	}
	return first, chromedp.Do(first)
}

// window is a private window of the browser, in which scripts are off. It is one person's.
type window struct {
	t        *testing.T
	ctx      context.Context
	told     *told
	language locale.Tag
	status   int64
	tab      *window // another of the same person, for the same page in other languages; nil until it is wanted
}

// window opens a private window in the language.
func (s *told) window(t *testing.T, language locale.Tag) *window {
	t.Helper()
	ctx, end := chromedp.NewContext(s.browser, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	w := &window{t: t, ctx: ctx, told: s, language: language}
	// A window is opened by the first command; it ends with the context of that command, so that has no time limit.
	if err := chromedp.Do(ctx, scripts(false)); err != nil {
		t.Fatal(err)
	}
	w.size(wide)
	w.open("/?lang=" + string(language))
	return w
}

// signedIn opens a private window in which someone has signed in through the demonstration's sign-in, leading to a page.
func (s *told) signedIn(t *testing.T, language locale.Tag, who demo.Person, next string) *window {
	t.Helper()
	w := s.window(t, language)
	w.open("/sign-in?next=" + url.QueryEscape(next))
	if kind := s.kind(t, w.address()); !s.kinds[kind] { // it is the same each time
		w.look("sign-in")
	}
	w.fill("number", who.Number)
	w.submit(`form:has(input[name="number"])`)
	w.at(next)
	return w
}

// scripts switches a window's scripts on or off.
func scripts(on bool) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return chromedp.Void{}, err
	}
}

// ask runs an action and returns what it gives.
func ask[T any](w *window, action chromedp.Action[T]) T {
	w.t.Helper()
	ctx, end := context.WithTimeout(w.ctx, patience)
	defer end()
	given, err := chromedp.Run(ctx, action)
	if err != nil {
		w.t.Fatalf("at %s: %v", w.address(), err)
	}
	return given
}

// run runs actions that stay on the page.
func (w *window) run(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ask(w, chromedp.Steps(actions...))
}

// leading runs actions that lead to another page, and waits for it.
func (w *window) leading(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, end := context.WithTimeout(w.ctx, patience)
	defer end()
	response, err := chromedp.RunResponse(ctx, actions...)
	if err != nil {
		w.t.Fatalf("at %s: %v", w.address(), err)
	}
	w.status = response.Status
	if w.status >= 500 {
		w.t.Fatalf("%s answers %d: %s", w.address(), w.status, w.text())
	}
}

// open opens a path of the site.
func (w *window) open(path string) {
	w.t.Helper()
	w.leading(chromedp.Navigate(w.told.site + path))
}

// address returns where the window is.
func (w *window) address() string {
	ctx, end := context.WithTimeout(w.ctx, patience)
	defer end()
	address, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		return fmt.Sprintf("(no address: %v)", err)
	}
	return strings.TrimPrefix(address, w.told.site)
}

// at holds the window to where it is.
func (w *window) at(path string) {
	w.t.Helper()
	if address := w.address(); address != path {
		w.t.Fatalf("the window is at %s, not %s: %s", address, path, w.text())
	}
}

// text returns the words of the page's main part.
func (w *window) text() string {
	w.t.Helper()
	return strings.Join(strings.Fields(ask(w, chromedp.TextContent(chromedp.CSS("main")))), " ")
}

// says holds the page to a text of the catalogue in the window's language, with the value of its variables.
func (w *window) says(key string, variables ...any) {
	w.t.Helper()
	args := locale.Args{}
	for i := 0; i+1 < len(variables); i += 2 {
		args[variables[i].(string)] = variables[i+1]
	}
	if !w.told.Words.Has(w.language, key) {
		w.t.Fatalf("no text %s", key)
	}
	w.shows(w.told.Words.Text(w.language, key, args))
}

// shows holds the page to a text.
func (w *window) shows(text string) {
	w.t.Helper()
	text = strings.Join(strings.Fields(text), " ")
	if shown := w.text(); !strings.Contains(shown, text) {
		w.t.Fatalf("%s does not say %q but: %s", w.address(), text, shown)
	}
}

// with has pages run a script of the test's own before their own, from the next page on.
func (w *window) with(script string) {
	w.t.Helper()
	w.run(chromedp.Action[chromedp.Void](func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return chromedp.Void{}, err
	}))
}

// fill types an answer into an input.
func (w *window) fill(name, answer string) {
	w.t.Helper()
	input := chromedp.CSS(fmt.Sprintf(`main [name=%q]`, name))
	if ask(w, chromedp.Value(input)) != "" {
		// Not its attribute: what a script has put there, or a person typed, is not in that.
		w.run(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`void (document.querySelector(%q).value = "")`, input)))
	}
	w.run(chromedp.SendKeys(input, answer))
}

// choose chooses an answer among those that are offered, by its label, as people do.
func (w *window) choose(name, answer string) {
	w.t.Helper()
	input := chromedp.CSS(fmt.Sprintf(`main input[name=%q][value=%q]`, name, answer))
	id := ask(w, chromedp.AttributeValue(input, "id"))
	w.run(chromedp.Click(chromedp.CSS(fmt.Sprintf(`main label[for=%q]`, id.Value))))
}

// submit presses the button of a form.
func (w *window) submit(form string) {
	w.t.Helper()
	w.leading(chromedp.Click(chromedp.CSS("main " + form + " button:not([type=button])")))
}

// press presses the button of the form that is sent to a path with this end.
func (w *window) press(end string) {
	w.t.Helper()
	w.submit(fmt.Sprintf(`form[action$=%q]`, end))
}

// follow follows the first link of the page's main part whose address contains the text.
func (w *window) follow(part string) {
	w.t.Helper()
	w.leading(chromedp.Click(chromedp.CSS(fmt.Sprintf(`main a[href*=%q]`, part))))
}

// eventually opens a path until the page says something: what a job does in the background.
func (w *window) eventually(path string, is func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		w.open(path)
		if is() {
			return
		}
	}
	w.t.Fatalf("%s is not as it should be after %v: %s", path, patience, w.text())
}

// Widths in CSS pixels: a computer's at 400 % zoom (WCAG 2.2, 1.4.10), a small telephone, a tablet, a computer.
const (
	zoomed = 320
	narrow = 360
	tablet = 768
	wide   = 1280
)

// shown are the pages of which the documentation has pictures (docs/images), with the language and the width of each.
var shown = map[string]bool{
	"home-en-1280": true, "home-uz-Latn-360": true, "home-ru-1280": true, "service-en-1280": true, "service-uz-Latn-360": true, "service-ru-1280": true,
	"eligibility-en-1280": true, "question-choice-uz-Latn-360": true, "question-wrong-ru-360": true, "check-en-1280": true, "check-uz-Latn-1280": true,
	"receipt-uz-Latn-360": true, "application-deciding-en-1280": true, "application-deciding-ru-360": true,
	"own-page-en-1280": true, "own-page-uz-Latn-360": true, "own-page-ru-1280": true, "readings-en-1280": true, "my-data-en-1280": true, "contact-ru-1280": true,
	"correction-ru-360": true, "correction-task-en-1280": true, "inbox-en-1280": true, "inbox-uz-Latn-768": true, "inbox-region-ru-768": true, "task-en-1280": true,
	"task-ru-768": true, "team-uz-Latn-768": true, "document-standing-uz-Latn-360": true, "statistics-tiles-en-1280": true, "statistics-tiles-uz-Latn-360": true,
	"studio-guide-ru-1280": true, "studio-question-uz-Latn-768": true, "simulation-ru-1280": true, "notebook-uz-Latn-1280": true, "benefit-uz-Cyrl-360": true,
	"place-offered-kaa-360": true, "desk-licence-ru-768": true, "licences-open-list-uz-Latn-1280": true, "check-for-a-business-en-1280": true,
}

func (w *window) size(width int64) {
	w.t.Helper()
	w.run(chromedp.EmulateViewport(width, 800))
}

// picture keeps pictures of the page, where they are wanted.
func (w *window) picture(name string) {
	w.t.Helper()
	all, images := os.Getenv("YAGONA_TEST_SCREENSHOTS"), os.Getenv("YAGONA_TEST_IMAGES")
	if all == "" && images == "" {
		return
	}
	for _, width := range []int64{narrow, tablet, wide} {
		file := fmt.Sprintf("%s-%s-%d", name, w.language, width)
		var folders []string
		if all != "" {
			folders = append(folders, all)
		}
		if images != "" && shown[file] {
			folders = append(folders, images)
		}
		if len(folders) == 0 {
			continue
		}
		w.size(width)
		picture := ask(w, chromedp.FullScreenshot(100))
		if images != "" {
			picture = smaller(w.t, picture)
		}
		for _, folder := range folders {
			if err := os.WriteFile(filepath.Join(folder, file+".png"), picture, 0o600); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	w.size(wide)
}

// smaller packs a picture as small as it gets: it is kept with the documentation.
func smaller(t *testing.T, picture []byte) []byte {
	t.Helper()
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&packed, decoded); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}
