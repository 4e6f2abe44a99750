package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"yagona/kernel/calendar"
	"yagona/kernel/ledger/bank"
	"yagona/node"
	"yagona/node/nodetest"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
	"yagona/store/query"
	"yagona/web/provider"
)

var today = calendar.Date{Year: 2026, Month: time.March, Day: 2}

// site is a demonstration that serves over loopback.
type site struct {
	node   *node.Node
	people *demo.Population
	url    string
	bank   *bank.Bank
	folder string
}

func TestMain(m *testing.M) { nodetest.Main(m) }

// people are those whom the demonstration's sign-in offers.
type people struct{ *demo.Population }

func (p people) Search(_ context.Context, text string, limit int) (found []provider.Person, err error) {
	for _, one := range p.People {
		if len(found) < limit && strings.Contains(one.Name()+one.Number, text) {
			found = append(found, provider.Person{Number: one.Number, Name: one.Name()})
		}
	}
	return found, nil
}

func (p people) ByNumber(_ context.Context, number string) (provider.Person, bool, error) {
	for _, one := range p.People {
		if one.Number == number {
			return provider.Person{Number: one.Number, Name: one.Name()}, true, nil
		}
	}
	return provider.Person{}, false, nil
}

// open opens a demonstration on the morning of its day, whose clock then runs.
func open(t *testing.T) *site {
	t.Helper()
	profile, err := packs.Profile()
	if err != nil {
		t.Fatal(err)
	}
	population, err := demo.Generate(1, profile, today, 60)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := &url.URL{Scheme: "http", Host: listener.Addr().String()}
	began, morning := time.Now(), today.Start(profile.Location).Add(9*time.Hour)
	clock := func() time.Time { return morning.Add(time.Since(began)).UTC() }
	simulated := bank.New(clock)
	simulated.Accounts = population.Accounts()
	folder := nodetest.Populated(t, 60, func() time.Time { return morning.UTC() })
	opened, err := node.Open(t.Context(), node.Config{
		Folder: folder, Site: address, Country: uz.Files, Packs: packs.All(), Demonstration: true, People: people{population},
		Bank: simulated, Clock: clock, Volatile: true,
		Secrets: map[string]string{"social-agency": "test"},
	})
	if err != nil {
		t.Fatal(err)
	}
	opened.Start(context.WithoutCancel(t.Context()))
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: opened.Handler}}
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return &site{opened, population, address.String(), simulated, folder}
}

// browser is one without scripts: it keeps cookies, follows redirects and sends the forms that it was shown.
type browser struct {
	t      *testing.T
	site   *site
	client *http.Client
	// What it shows now.
	at     *url.URL
	status int
	page   *html.Node
	raw    []byte
}

func (s *site) browser(t *testing.T, language string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, site: s, client: &http.Client{Jar: jar}}
	b.get("/?lang=" + language)
	return b
}

// signedIn returns the browser of someone who has signed in through the demonstration's provider.
func (s *site) signedIn(t *testing.T, language string, who demo.Person) *browser {
	t.Helper()
	b := s.browser(t, language)
	b.get("/sign-in?next=/me")
	b.fill(map[string]string{"number": who.Number}, "")
	if b.at.Path != "/me" {
		t.Fatalf("signing in leads to %s: %s", b.at, b.text(b.page))
	}
	return b
}

func (b *browser) get(path string) {
	b.t.Helper()
	address, err := url.Parse(path)
	if err != nil {
		b.t.Fatal(err)
	}
	base := b.at
	if base == nil {
		if base, err = url.Parse(b.site.url); err != nil {
			b.t.Fatal(err)
		}
	}
	response, err := b.client.Get(base.ResolveReference(address).String())
	if err != nil {
		b.t.Fatal(err)
	}
	b.show(response)
}

func (b *browser) show(response *http.Response) {
	b.t.Helper()
	defer response.Body.Close()
	var err error
	if b.raw, err = io.ReadAll(response.Body); err != nil {
		b.t.Fatal(err)
	}
	b.at, b.status, b.page = response.Request.URL, response.StatusCode, nil
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		if b.page, err = html.Parse(strings.NewReader(string(b.raw))); err != nil {
			b.t.Fatal(err)
		}
		if missing := strings.Contains(string(b.raw), "%!"); missing {
			b.t.Errorf("%s has a badly formatted text", b.at)
		}
	}
	if b.status >= 500 {
		b.t.Fatalf("%s: %d %s", b.at, b.status, b.text(b.page))
	}
}

// want holds the status of what is shown.
func (b *browser) want(status int) {
	b.t.Helper()
	if b.status != status {
		b.t.Fatalf("%s: got %d, want %d: %s", b.at, b.status, status, b.text(b.page))
	}
}

// says holds the page to a text.
func (b *browser) says(text string) {
	b.t.Helper()
	if !strings.Contains(b.text(b.page), text) {
		b.t.Fatalf("%s does not say %q: %s", b.at, text, b.text(b.page))
	}
}

// say returns a text of the catalogue in the browser's language.
func (b *browser) say(key string) string {
	b.t.Helper()
	language := attribute(b.one("html"), "lang")
	words := b.site.node.Words
	for _, tag := range words.Languages().Tags {
		if string(tag) == language {
			if !words.Has(tag, key) {
				b.t.Fatalf("no text %s", key)
			}
			return words.Text(tag, key, nil)
		}
	}
	b.t.Fatalf("the page speaks %q", language)
	return ""
}

// fill fills in and sends the form of the page that has all these inputs, with the button of that name=value ("" : the
// first). What is not named is sent as it was shown.
func (b *browser) fill(answers map[string]string, button string) {
	b.t.Helper()
	b.send(b.form(answers, button))
}

type sent struct {
	to     string
	values url.Values
}

func (b *browser) send(s sent) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, s.to, strings.NewReader(s.values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", b.site.url)
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	b.show(response)
}

// form makes what a browser would send.
func (b *browser) form(answers map[string]string, button string) sent {
	b.t.Helper()
	main := b.one("main")
forms:
	for _, form := range all(main, "form") {
		values := url.Values{}
		names := map[string]bool{}
		for _, input := range append(all(form, "input"), all(form, "textarea")...) {
			name, value := attribute(input, "name"), attribute(input, "value")
			if input.Data == "textarea" {
				value = b.text(input)
			}
			names[name] = true
			_, checked := find(input, "checked")
			switch attribute(input, "type") {
			case "radio", "checkbox":
				names[name+"="+value] = true
				if answer, given := answers[name]; given {
					checked = answer == value
				}
				if checked {
					values.Add(name, value)
				}
			case "file":
			default:
				if answer, given := answers[name]; given {
					value = answer
				}
				values.Add(name, value)
			}
		}
		for name, answer := range answers {
			if !names[name] {
				continue forms
			}
			if !slices.Contains(values[name], answer) {
				b.t.Fatalf("%s offers no %s=%s", b.at, name, answer)
			}
		}
		pressed := false
		for _, one := range all(form, "button") {
			name := attribute(one, "name") + "=" + attribute(one, "value")
			if !pressed && (button == "" || button == name) {
				pressed = true
				if name != "=" {
					values.Add(attribute(one, "name"), attribute(one, "value"))
				}
			}
		}
		action, err := b.at.Parse(attribute(form, "action"))
		if err != nil || !pressed {
			if button != "" {
				continue
			}
			b.t.Fatalf("%s: a form without a button (%v)", b.at, err)
		}
		return sent{action.String(), values}
	}
	b.t.Fatalf("%s has no form with %v: %s", b.at, answers, b.text(b.page))
	return sent{}
}

// press sends the form whose address ends so.
func (b *browser) press(action string) {
	b.t.Helper()
	for _, form := range all(b.one("main"), "form") {
		if strings.HasSuffix(attribute(form, "action"), action) {
			values := url.Values{}
			for _, input := range all(form, "input") {
				values.Add(attribute(input, "name"), attribute(input, "value"))
			}
			to, err := b.at.Parse(attribute(form, "action"))
			if err != nil {
				b.t.Fatal(err)
			}
			b.send(sent{to.String(), values})
			return
		}
	}
	b.t.Fatalf("%s has no form to %s: %s", b.at, action, b.text(b.page))
}

// follow follows the first link of the page's content whose address contains the text.
func (b *browser) follow(part string) {
	b.t.Helper()
	for _, link := range all(b.one("main"), "a") {
		if strings.Contains(attribute(link, "href"), part) {
			b.get(attribute(link, "href"))
			return
		}
	}
	b.t.Fatalf("%s has no link to %s: %s", b.at, part, b.text(b.page))
}

func (b *browser) one(tag string) *html.Node {
	b.t.Helper()
	if b.page == nil {
		b.t.Fatalf("%s is no page", b.at)
	}
	found := all(b.page, tag)
	if len(found) != 1 {
		b.t.Fatalf("%s has %d <%s>", b.at, len(found), tag)
	}
	return found[0]
}

func (b *browser) text(of *html.Node) string {
	if of == nil {
		return fmt.Sprintf("%d bytes", len(b.raw))
	}
	var text strings.Builder
	for node := range of.Descendants() {
		if node.Type == html.TextNode {
			text.WriteString(node.Data)
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

// upload sends a form with a file, as a browser does.
func (b *browser) upload(path string, values map[string]string, field, file, kind string, content []byte) {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range values {
		if err := form.WriteField(name, value); err != nil {
			b.t.Fatal(err)
		}
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, field, file)}, "Content-Type": {kind},
	})
	if err == nil {
		_, err = part.Write(content)
	}
	if err := errors.Join(err, form.Close()); err != nil {
		b.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.site.url+path, &body)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Origin", b.site.url)
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	b.show(response)
}

func all(of *html.Node, tag string) (found []*html.Node) {
	for node := range of.Descendants() {
		if node.Type == html.ElementNode && node.Data == tag {
			found = append(found, node)
		}
	}
	return found
}

func attribute(node *html.Node, name string) string {
	value, _ := find(node, name)
	return value
}

func find(node *html.Node, name string) (string, bool) {
	for _, one := range node.Attr {
		if one.Key == name {
			return one.Val, true
		}
	}
	return "", false
}

// eventually tries until it is so: what a job or the log does in the background.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("not so after two minutes: %s", what)
}

// settled waits until no job is due.
func settled(t *testing.T, n *node.Node, now func() time.Time) {
	t.Helper()
	eventually(t, "all jobs are done", func() bool {
		due := false
		err := n.DB.View(t.Context(), func(tx *query.Tx) error {
			waiting, err := tx.JobBacklog(now())
			due = waiting.Due > 0
			return err
		})
		return err == nil && !due
	})
}

// contains reports whether the browser shows a text.
func contains(b *browser, text string) bool { return strings.Contains(b.text(b.page), text) }
