package tutorial

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// browser is one without scripts: it keeps cookies, follows redirects, and sends the forms that it was shown.
type browser struct {
	t      *testing.T
	client *http.Client
	at     *url.URL
	page   *html.Node
}

// signIn returns the browser of the first person of whom the words say something, who chose English.
func (i *installation) signIn(who string) *browser {
	i.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		i.t.Fatal(err)
	}
	b := &browser{t: i.t, client: &http.Client{Jar: jar, Timeout: time.Minute}, at: i.site}
	b.get("/?lang=en")
	b.get("/sign-in?next=/me")
	b.fill(map[string]string{"search": who}, "do=search")
	for _, offered := range all(b.page, "input") {
		if attribute(offered, "name") == "person" {
			b.fill(map[string]string{"person": attribute(offered, "value"), "search": ""}, "")
			if b.at.Path != "/me" {
				i.t.Fatalf("signing in leads to %s", b.at)
			}
			return b
		}
	}
	i.t.Fatalf("the sign-in offers nobody who is %q: %s", who, b.text())
	return nil
}

func (b *browser) get(path string) {
	b.t.Helper()
	address, err := b.at.Parse(path)
	if err != nil {
		b.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address.String(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.show(request)
}

// show sends a request and shows the page that answers it, which is no refusal.
func (b *browser) show(request *http.Request) {
	b.t.Helper()
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	b.at = response.Request.URL
	if b.page, err = html.Parse(response.Body); err != nil {
		b.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		b.t.Fatalf("%s %s: %s: %s", request.Method, b.at, response.Status, b.text())
	}
}

// says holds the page to a text.
func (b *browser) says(text string) {
	b.t.Helper()
	if !strings.Contains(b.text(), text) {
		b.t.Fatalf("%s does not say %q: %s", b.at, text, b.text())
	}
}

// offered returns what choosing an option of these words sends.
func (b *browser) offered(words string) string {
	b.t.Helper()
	for _, one := range all(b.content(), "option") {
		if textOf(one) == words {
			return attribute(one, "value")
		}
	}
	for _, label := range all(b.content(), "label") {
		for _, input := range all(b.content(), "input") {
			if attribute(input, "id") == attribute(label, "for") && textOf(label) == words {
				return attribute(input, "value")
			}
		}
	}
	b.t.Fatalf("%s does not offer %q: %s", b.at, words, b.text())
	return ""
}

// follow follows the first link of the page's content whose address contains the text.
func (b *browser) follow(part string) {
	b.t.Helper()
	for _, link := range all(b.content(), "a") {
		if address := attribute(link, "href"); strings.Contains(address, part) {
			b.get(address)
			return
		}
	}
	b.t.Fatalf("%s has no link to %s: %s", b.at, part, b.text())
}

// fill fills in and sends the first form that has all these inputs and the button ("name=value"; "": any). What is not
// named is sent as it was shown.
func (b *browser) fill(answers map[string]string, button string) {
	b.t.Helper()
	for _, form := range all(b.content(), "form") {
		if values, ok := filled(form, answers, button); ok {
			b.post(attribute(form, "action"), values)
			return
		}
	}
	b.t.Fatalf("%s has no form with %v and the button %q: %s", b.at, answers, button, b.text())
}

// press sends the form whose address ends so.
func (b *browser) press(action string) {
	b.t.Helper()
	for _, form := range all(b.content(), "form") {
		if values, ok := filled(form, nil, ""); ok && strings.HasSuffix(attribute(form, "action"), action) {
			b.post(attribute(form, "action"), values)
			return
		}
	}
	b.t.Fatalf("%s has no form to %s: %s", b.at, action, b.text())
}

func (b *browser) post(action string, values url.Values) {
	b.t.Helper()
	to, err := b.at.Parse(action)
	if err != nil {
		b.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, to.String(), strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", to.Scheme+"://"+to.Host)
	b.show(request)
}

// filled returns what a browser sends of a form; false if it lacks one of the inputs, an option or the button.
func filled(form *html.Node, answers map[string]string, button string) (url.Values, bool) {
	values := url.Values{}
	for _, input := range append(all(form, "input"), all(form, "textarea")...) {
		name, value := attribute(input, "name"), attribute(input, "value")
		answer, given := answers[name]
		switch attribute(input, "type") {
		case "radio", "checkbox":
			checked := slices.ContainsFunc(input.Attr, func(one html.Attribute) bool { return one.Key == "checked" })
			if given {
				checked = answer == value
			}
			if checked {
				values.Add(name, value)
			}
		case "file":
		default:
			if given {
				value = answer
			}
			values.Add(name, value)
		}
	}
	for _, choice := range all(form, "select") {
		if answer, given := answers[attribute(choice, "name")]; given && slices.ContainsFunc(all(choice, "option"), func(one *html.Node) bool {
			return attribute(one, "value") == answer
		}) {
			values.Add(attribute(choice, "name"), answer)
		}
	}
	for name, answer := range answers {
		if !slices.Contains(values[name], answer) {
			return nil, false
		}
	}
	for _, one := range all(form, "button") {
		if name, value := attribute(one, "name"), attribute(one, "value"); button == "" || button == name+"="+value {
			if name != "" {
				values.Add(name, value)
			}
			return values, true
		}
	}
	return nil, false
}

// content returns what stands between a page's header and its footer.
func (b *browser) content() *html.Node {
	b.t.Helper()
	found := all(b.page, "main")
	if len(found) != 1 {
		b.t.Fatalf("%s has %d <main>", b.at, len(found))
	}
	return found[0]
}

func (b *browser) text() string { return textOf(b.page) }

func textOf(of *html.Node) string {
	var text strings.Builder
	for node := range of.Descendants() {
		if node.Type == html.TextNode {
			text.WriteString(node.Data)
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
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
	for _, one := range node.Attr {
		if one.Key == name {
			return one.Val
		}
	}
	return ""
}
