package ui_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"text/template/parse"

	"golang.org/x/net/html"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/session"
	"yagona/locale"
	"yagona/web/route"
	"yagona/web/ui"
)

func words(t *testing.T) *locale.Catalogue {
	t.Helper()
	catalogue, err := ui.Words()
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}

func house(t *testing.T) *ui.House {
	t.Helper()
	built, err := ui.New("Sample services", words(t))
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// page renders a page and parses what came out.
func page(t *testing.T, frame ui.Frame, page ui.Page) *html.Node {
	t.Helper()
	w := httptest.NewRecorder()
	if err := house(t).Render(w, http.StatusOK, frame, page); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// find returns the elements that match the selector: steps divided by spaces, each TAG, .CLASS, #ID, [NAME] or
// [NAME=VALUE] joined without spaces.
func find(root *html.Node, selector string) (found []*html.Node) {
	steps := strings.Fields(selector)
	var visit func(node *html.Node, step int)
	visit = func(node *html.Node, step int) {
		for child := node.FirstChild; child != nil; child = child.NextSibling {
			if child.Type == html.ElementNode && matches(child, steps[step]) {
				if step == len(steps)-1 {
					if !slices.Contains(found, child) {
						found = append(found, child)
					}
				} else {
					visit(child, step+1)
				}
			}
			visit(child, step)
		}
	}
	visit(root, 0)
	return found
}

var selectorParts = regexp.MustCompile(`\[([a-z-]+)(?:=([^\]]*))?\]|\.([a-z0-9-]+)|#([A-Za-z0-9-]+)|([a-z0-9]+)`)

func matches(node *html.Node, step string) bool {
	for _, part := range selectorParts.FindAllStringSubmatch(step, -1) {
		switch {
		case part[1] != "":
			value, ok := attribute(node, part[1])
			if !ok || strings.Contains(part[0], "=") && value != part[2] {
				return false
			}
		case part[3] != "":
			class, _ := attribute(node, "class")
			if !slices.Contains(strings.Fields(class), part[3]) {
				return false
			}
		case part[4] != "":
			if id, _ := attribute(node, "id"); id != part[4] {
				return false
			}
		case node.Data != part[5]:
			return false
		}
	}
	return true
}

func attribute(node *html.Node, name string) (string, bool) {
	for _, one := range node.Attr {
		if one.Key == name {
			return one.Val, true
		}
	}
	return "", false
}

func text(node *html.Node) string {
	var words []string
	for inner := range node.Descendants() {
		if inner.Type == html.TextNode {
			words = append(words, strings.Fields(inner.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// one returns the text of the only element that matches.
func one(t *testing.T, root *html.Node, selector string) string {
	t.Helper()
	found := find(root, selector)
	if len(found) != 1 {
		t.Fatalf("%d elements match %s", len(found), selector)
	}
	return text(found[0])
}

func router(t *testing.T) *route.Router {
	t.Helper()
	built := house(t)
	var tags []string
	for _, tag := range words(t).Languages().Tags {
		tags = append(tags, string(tag))
	}
	nobody := func(context.Context, session.Token) (session.Session, []access.Appointment, error) {
		return session.Session{}, nil, fault.New(fault.Unauthorized, "session.ended", "Sign in again.")
	}
	serving := route.New(route.Config{Recognise: nobody, Languages: tags, ErrorPage: built.ErrorPage, Say: built.Say})
	serving.Add(built.Routes()...)
	serving.Add(built.Gallery()...)
	serving.Add(route.Route{
		Method: "GET", Pattern: "/mine", Access: route.SignedIn(), Handle: func(http.ResponseWriter, *http.Request, route.Visitor) error { return nil },
	})
	return serving
}

func get(t *testing.T, handler http.Handler, target, language string) (*http.Response, *html.Node) {
	t.Helper()
	r := httptest.NewRequest("GET", target, nil)
	r.Header.Set("Accept-Language", language)
	r.Header.Set("Accept", "text/html")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	root, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), root
}

var galleries = []string{"/ui", "/ui/form", "/ui/question", "/ui/desk"}

func TestEveryPageIsSoundInEveryLanguage(t *testing.T) {
	serving := router(t)
	for _, language := range words(t).Languages().Tags {
		for _, path := range append(galleries, "/mine", "/nothing-here") {
			t.Run(string(language)+path, func(t *testing.T) {
				_, root := get(t, serving, path, string(language))
				sound(t, root)
				if got := find(root, "html[lang="+string(language)+"]"); len(got) != 1 {
					t.Error("the page does not say its language")
				}
			})
		}
	}
}

// sound checks what holds for every page.
func sound(t *testing.T, root *html.Node) {
	t.Helper()
	for _, selector := range []string{"h1", "main#main", "title", "meta[name=viewport]", "a.skip[href=#main]", "details.languages"} {
		if got := len(find(root, selector)); got != 1 {
			t.Errorf("%d elements match %s", got, selector)
		}
	}
	ids := map[string]bool{}
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		id, ok := attribute(node, "id")
		if ok && (ids[id] || id == "" || strings.ContainsAny(id, " \t")) {
			t.Errorf("the id %q stands twice or is none", id)
		}
		ids[id] = true
		for _, name := range []string{"style", "onclick", "onload"} {
			if _, ok := attribute(node, name); ok {
				t.Errorf("<%s %s=…>: the policy forbids it", node.Data, name)
			}
		}
		if _, from := attribute(node, "src"); node.Data == "style" || node.Data == "script" && !from {
			t.Errorf("there is a <%s> in the page", node.Data)
		}
		for _, name := range []string{"src", "href", "action"} {
			if link, _ := attribute(node, name); strings.Contains(link, "//") {
				t.Errorf("%s=%q leads to another host", name, link)
			}
		}
	}
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		described, _ := attribute(node, "aria-describedby")
		for _, id := range strings.Fields(described) {
			if !ids[id] {
				t.Errorf("described by %q, which is not there", id)
			}
		}
		if href, _ := attribute(node, "href"); strings.HasPrefix(href, "#") && len(href) > 1 && !ids[href[1:]] {
			t.Errorf("a link leads to %q, which is not there", href)
		}
		if kind, _ := attribute(node, "type"); node.Data == "textarea" || node.Data == "input" && kind != "hidden" {
			id, _ := attribute(node, "id")
			if labels := find(root, "label[for="+id+"]"); len(labels) != 1 || text(labels[0]) == "" {
				t.Errorf("the input %q has %d labels", id, len(labels))
			}
		}
		if (node.Data == "a" || node.Data == "button") && text(node) == "" {
			t.Errorf("a <%s> without words", node.Data)
		}
	}
}

func TestErrorsAreSaidAtTheTopAndAtTheInput(t *testing.T) {
	_, root := get(t, router(t), "/ui/form", "en")
	if got := one(t, root, "title"); !strings.HasPrefix(got, "Error: ") {
		t.Errorf("the title is %q", got)
	}
	if got := one(t, root, ".errors h2"); got != "There are 2 things to correct" {
		t.Errorf("the summary is %q", got)
	}
	links := find(root, ".errors a")
	for i, want := range []string{"trade", "price"} {
		href, _ := attribute(links[i], "href")
		input := find(root, "input[id="+want+"]")
		if href != "#"+want || len(input) != 1 {
			t.Errorf("error %d leads to %s, %d inputs", i, href, len(input))
		}
		if got := one(t, root, "#"+want+"-error"); got != "Error: "+text(links[i]) {
			t.Errorf("at the input: %q", got)
		}
	}
	_, question := get(t, router(t), "/ui/question", "en")
	if href, _ := attribute(find(question, ".errors a")[0], "href"); href != "#birth-day" {
		t.Errorf("the error of a date leads to %s", href)
	}
}

func TestProblemsWithTheSameWordsNameTheirInputs(t *testing.T) {
	input := func(name, label, wrong string) ui.Component {
		return ui.TextInput{Question: ui.Question{Name: name, Label: label, Error: wrong}}
	}
	answer := httptest.NewRecorder()
	err := house(t).Render(answer, http.StatusUnprocessableEntity, ui.Frame{Language: "en", Here: "/"}, ui.Page{Title: "Form", Body: []ui.Component{
		ui.Form{Fields: []ui.Component{input("why", "Reasons", "Fill it in."), input("what", "Measure", "Fill it in."), input("when", "Day", "No date.")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, link := range find(root, ".errors a") {
		said = append(said, text(link))
	}
	if want := []string{"Reasons – Fill it in.", "Measure – Fill it in.", "No date."}; !slices.Equal(said, want) {
		t.Errorf("the summary says %q", said)
	}
}

func TestChoosingALanguageKeepsThePage(t *testing.T) {
	root := page(t, ui.Frame{Language: "ru", Here: "/desk?page=2&q=%D0%B0"}, ui.Page{Title: "x"})
	links := find(root, ".languages a")
	if len(links) != 5 {
		t.Fatalf("%d languages", len(links))
	}
	for _, link := range links {
		tag, _ := attribute(link, "lang")
		href, _ := attribute(link, "href")
		if want := "/desk?lang=" + tag + "&page=2&q=%D0%B0"; href != want {
			t.Errorf("%s leads to %s, want %s", tag, href, want)
		}
		if _, current := attribute(link, "aria-current"); current != (tag == "ru") {
			t.Errorf("%s is current: %t", tag, current)
		}
	}
}

// On a page that asks, choosing a language sends the form that asks for most to the page itself, which shows it again; the
// key Enter still does what the form's own button does.
func TestChoosingALanguageKeepsTheAnswers(t *testing.T) {
	body := []ui.Component{
		ui.Form{Action: "/other", Fields: []ui.Component{ui.TextInput{Question: ui.Question{Name: "text", Label: "x"}}}},
		ui.Form{
			Hidden: []ui.Hidden{{Name: "revision", Value: "2"}, {Name: "at", Value: "here"}},
			Fields: []ui.Component{
				ui.TextInput{Question: ui.Question{Name: "text", Label: "x"}, Value: "before"},
				ui.DateInput{Question: ui.Question{Name: "day", Label: "x"}, Year: "2020"},
				ui.Choice{Question: ui.Question{Name: "several", Label: "x"}, Several: true, Options: []ui.Option{{Value: "a", Label: "a", Checked: true}, {Value: "b", Label: "b"}}},
				ui.Select{Question: ui.Question{Name: "one", Label: "x"}, Options: []ui.Option{{Value: "c", Label: "c"}, {Value: "d", Label: "d"}}},
				ui.TextInput{Question: ui.Question{Name: "untouched", Label: "x"}, Value: "kept"},
			},
			Buttons: ui.Buttons{{Text: "Back", Href: "/"}, {Text: "Send", Name: "do", Value: "send"}},
		},
	}
	typed := url.Values{"text": {"now"}, "day-day": {"3"}, "day-month": {""}, "day-year": {"2021"}, "several": {"b"}, "one": {"d"}, "revision": {"1"}}
	root := page(t, ui.Frame{Language: "ru", Here: "/page?q=1", Typed: typed}, ui.Page{Title: "x", Body: body})
	buttons := find(root, ".languages button")
	if len(buttons) != 5 || len(find(root, ".languages a")) != 0 {
		t.Fatalf("%d languages", len(buttons))
	}
	for _, button := range buttons {
		tag, _ := attribute(button, "lang")
		to, _ := attribute(button, "formaction")
		if form, _ := attribute(button, "form"); form != "asked" || to != "/page?lang="+tag+"&q=1" {
			t.Errorf("%s sends %s to %s", tag, form, to)
		}
	}
	if name, _ := attribute(find(root, "header button")[0], "name"); name != "do" {
		t.Errorf("the key Enter means %q", name)
	}
	form := find(root, "main form")[1]
	if action, _ := attribute(form, "action"); action != "/page?q=1" {
		t.Errorf("the form would be sent to %s", action)
	}
	shown := map[string]string{}
	for _, input := range append(find(form, "input"), find(form, "option")...) {
		name, _ := attribute(input, "name")
		value, _ := attribute(input, "value")
		_, checked := attribute(input, "checked")
		_, selected := attribute(input, "selected")
		if kind, _ := attribute(input, "type"); kind == "checkbox" || input.Data == "option" {
			name, value = value, strconv.FormatBool(checked || selected)
		}
		shown[name] = value
	}
	want := map[string]string{
		"revision": "1", "at": "here", "text": "now", "day-day": "3", "day-month": "", "day-year": "2021",
		"a": "false", "b": "true", "c": "false", "d": "true", "untouched": "kept",
	}
	if !maps.Equal(shown, want) {
		t.Errorf("shown again: %v", shown)
	}
	if len(find(page(t, ui.Frame{Language: "ru", Here: "/"}, ui.Page{Title: "x"}), ".languages button")) != 0 {
		t.Error("a page that asks nothing sends a form")
	}
}

func TestTextFromOutsideIsEscaped(t *testing.T) {
	const hostile = `<script>alert("x")</script>`
	question := ui.Question{Name: "n", Label: hostile, Hint: hostile, Error: hostile}
	root := page(t, ui.Frame{Language: "en", Here: "/"}, ui.Page{
		Title: hostile, Caption: hostile, Lead: hostile, Banner: &ui.Banner{Title: hostile, Text: hostile},
		Body: []ui.Component{
			ui.Paragraph{Text: hostile},
			ui.TextInput{Question: question, Value: hostile},
			ui.Table{
				Columns: []ui.Column{{Text: hostile}}, Rows: []ui.TableRow{
					{{Text: hostile, Href: "javascript:alert(1)"}},
				},
			},
		},
	})
	if got := len(find(root, "script")); got != 0 {
		t.Errorf("%d scripts", got)
	}
	if got := one(t, root, "h1"); got != hostile {
		t.Errorf("the heading is %q", got)
	}
	if value, _ := attribute(find(root, "input#n")[0], "value"); value != hostile {
		t.Errorf("the value is %q", value)
	}
	if href, _ := attribute(find(root, "tbody a")[0], "href"); strings.HasPrefix(href, "javascript") {
		t.Errorf("a link runs %q", href)
	}
}

func TestComponentsShowTheirData(t *testing.T) {
	long := &ui.Pagination{Next: "?page=2", From: 1, To: 20, Of: 41}
	for name, one := range map[string]struct {
		component ui.Component
		selector  string
		want      []string // the texts of what matches
	}{
		"paragraph": {ui.Paragraph{Text: "a"}, "main p", []string{"a"}},
		"heading":   {ui.Heading{Text: "a"}, "main h2", []string{"a"}},
		"inset":     {ui.Inset{Text: "a"}, "p.inset", []string{"a"}},
		"details": {
			ui.Details{Summary: "why", Body: []ui.Component{ui.Paragraph{Text: "so"}}}, ".more p", []string{"so"},
		},
		"reference": {ui.Reference{Number: "n-1"}, ".reference code", []string{"n-1"}},
		"tag":       {ui.Tag{Text: "Granted", Tone: ui.Good}, "strong.tag.good", []string{"Granted"}},
		"banner": {
			ui.Banner{
				Tone: ui.Bad, Title: "a", Link: &ui.Link{Text: "b", Href: "/", About: "c"},
			}, "section.banner.bad a", []string{"b c"},
		},
		"receipt": {ui.Receipt{Title: "a", Label: "number", Number: "7"}, ".receipt .number", []string{"7"}},
		"buttons": {
			ui.Buttons{
				{Key: "actions.send"}, {Text: "b", Href: "/b", Quiet: true},
			}, ".buttons .button", []string{"Send", "b"},
		},
		"form": {ui.Form{}, "form[method=post] button.button", []string{"Continue"}},
		"form with hidden": {
			ui.Form{Hidden: []ui.Hidden{{"v", "1"}}}, "form input[type=hidden][name=v][value=1]", []string{""},
		},
		"file form": {ui.Form{Files: true}, "form[enctype=multipart/form-data]", []string{"Continue"}},
		"optional": {
			ui.TextInput{
				Question: ui.Question{Name: "n", Label: "a", Optional: true},
			}, "label", []string{"a (optional)"},
		},
		"text": {
			ui.TextInput{
				Question: ui.Question{Name: "n", Label: "a"}, Lines: 3, Value: "v", Maximum: 200,
			}, "textarea[rows=3]", []string{"v"},
		},
		"text maximum": {
			ui.TextInput{
				Question: ui.Question{Name: "n", Label: "a"}, Lines: 3, Maximum: 200,
			}, "main .field .hint", []string{"At most 200 characters"},
		},
		"money": {ui.Money(ui.Question{Name: "n", Label: "a"}, "5", "XTS"), ".unit", []string{"XTS"}},
		"date": {
			ui.DateInput{Question: ui.Question{Name: "n", Label: "a"}}, ".date label", []string{"Day", "Month", "Year"},
		},
		"file": {
			ui.FileInput{
				Question: ui.Question{Name: "n", Label: "a"}, Accept: ".pdf", Multiple: true,
			}, "input[type=file][accept=.pdf][multiple]", []string{""},
		},
		"radios": {
			ui.Choice{
				Question: ui.Question{Name: "n", Label: "a"}, Options: []ui.Option{
					{Value: "x", Label: "X", Checked: true}, {Value: "y", Label: "Y"},
				},
			}, "input[type=radio][checked][value=x]", []string{""},
		},
		"checkboxes": {
			ui.Choice{
				Question: ui.Question{Name: "n", Label: "a"}, Several: true, Options: []ui.Option{
					{Value: "x", Label: "X"}, {Value: "y", Label: "Y"},
				},
			}, "input[type=checkbox]", []string{"", ""},
		},
		"option with a hint": {
			ui.Choice{
				Question: ui.Question{Name: "n", Label: "a"}, Options: []ui.Option{
					{Value: "x"}, {Value: "y", Label: "Y", Hint: "h"},
				},
			}, "#n-y-about", []string{"h"},
		},
		"summary": {
			ui.SummaryList{
				Rows: []ui.SummaryRow{{Term: "a", Values: []string{"b", "c"}, Source: "d"}},
			}, "dl.summary dd", []string{"b c d"},
		},
		"tasks": {
			ui.TaskList{
				Items: []ui.TaskItem{{Title: "a", Href: "/a"}, {Title: "b", Status: ui.Tag{Text: "later"}}},
			}, ".tasks a", []string{"a"},
		},
		"cards": {
			ui.Cards{
				Items: []ui.Card{{Title: "a", Href: "/a", Status: &ui.Tag{Text: "new"}}},
			}, ".cards .tag", []string{"new"},
		},
		"table": {
			ui.Table{
				Columns: []ui.Column{{Text: "A"}, {Text: "B", Number: true}}, Rows: []ui.TableRow{
					{{Text: "x"}, {Text: "1"}, {Text: "beyond"}},
				},
			}, "tbody tr", []string{"x1"},
		},
		"table's names": {
			ui.Table{
				Columns: []ui.Column{{Text: "A"}, {Text: "B", Number: true}}, Rows: []ui.TableRow{{{Text: "x"}, {Text: "1"}}},
			}, "td.figure[data-column=B]", []string{"1"},
		},
		"empty table": {ui.Table{Columns: []ui.Column{{Text: "A"}}, Empty: "none"}, ".empty", []string{"none"}},
		"pages":       {*long, ".pages span", []string{"1 to 20 of 41"}},
		"pages, first": {
			ui.Table{
				Columns: []ui.Column{{Text: "A"}}, Rows: []ui.TableRow{{{Text: "x"}}}, Pages: long,
			}, ".pages a", []string{"Next"},
		},
		"contested": {
			ui.SummaryList{
				Rows: []ui.SummaryRow{{Term: "a", Values: []string{"b"}, Contest: &ui.Link{Text: "wrong", Href: "/c"}}},
			}, "dd.change a", []string{"wrong"},
		},
		"card of links": {
			ui.Cards{Under: true, Items: []ui.Card{{Title: "a", Links: []ui.Link{{Text: "b", Href: "/b"}}}}}, ".cards h3", []string{"a"},
		},
		"select": {
			ui.Select{
				Question: ui.Question{Name: "n", Label: "a"}, Options: []ui.Option{{Value: "x", Label: "X"}, {Value: "y", Label: "Y", Checked: true}},
			}, "select[name=n] option[selected]", []string{"Y"},
		},
		"search": {
			ui.Search{Action: "/s", Name: "q", Label: "a", Value: "v", Suggest: "/hints"}, "form[role=search][method=get] input[value=v]", []string{""},
		},
		"filter": {
			ui.Filter{Hidden: []ui.Hidden{{Name: "view", Value: "all"}}}, "form[method=get] input[type=hidden][value=all]", []string{""},
		},
		"tabs": {
			ui.Tabs{Label: "l", Items: []ui.Tab{{Text: "a", Href: "/a"}, {Text: "b", Href: "/b", Current: true, Count: "3"}}}, "nav.tabs a[aria-current=page]", []string{"b 3"},
		},
		"warning":  {ui.Warning{Text: "a"}, ".warn", []string{"Warning: a"}},
		"progress": {ui.Progress{Position: 2, Of: 4}, ".progress rect[width=50]", []string{""}},
		"figures": {
			ui.Figures{Items: []ui.Figure{{Value: "7", Label: "a", Text: "b"}}}, "dl.figures div", []string{"a 7 b"},
		},
		"bar plot": {
			ui.BarPlot{Of: "o", Unit: "u", Bars: []ui.Bar{{Label: "a", Text: "2", Value: 2}, {Label: "b", Text: "8", Value: 8}}}, "tbody tr", []string{"a 2", "b 8"},
		},
		"bar's length": {
			ui.BarPlot{Bars: []ui.Bar{{Label: "a", Value: 2}, {Label: "b", Value: 8}}}, "rect[width=25.0]", []string{""},
		},
		"tile map": {
			ui.TileMap{Tiles: []ui.Tile{{Column: 1, Marked: ui.Marked{Name: "A", Text: "9", Level: 7, Href: "/a"}}}}, "a[href=/a] rect.level-4[x=88]", []string{""},
		},
		"tile's names": {
			ui.TileMap{Tiles: []ui.Tile{
				{Marked: ui.Marked{Name: "Республика Каракалпакстан", Text: "1 234 / 5"}},
				{Marked: ui.Marked{Name: "Навоийская область"}},
				{Marked: ui.Marked{Name: "город Ташкент"}},
				{Marked: ui.Marked{Name: "Хорезмская область"}},
				{Marked: ui.Marked{Name: "Ош область"}},
			}}, "g[aria-hidden] text.word", []string{"Каракалпак", "Навоийская", "Ташкент", "Хорезмская", "Ош"},
		},
		"area map": {
			ui.AreaMap{Areas: []ui.Area{{Path: "M0 0l9 0 0 9z", Marked: ui.Marked{Name: "A", Text: "9", Level: 1}}}, Legend: []string{"none", "some"}}, "g[role=img] path.level-1", []string{""},
		},
		"a map's legend": {ui.AreaMap{Legend: []string{"none", "some"}}, ".legend li", []string{"none", "some"}},
		"proof": {
			ui.Proof{Proof: "p", Header: "h", Entry: "e", Key: "k", Unverified: "u", Good: "g", Bad: "b"}, "div[data-proof=p][data-entry=e][data-good=g] p", []string{"u"},
		},
		"camera": {ui.Camera{Text: "a"}, "button[data-camera][hidden]", []string{"a"}},
		"what is next": {
			ui.Timeline{Events: []ui.TimelineEvent{{Title: "a", When: "soon", Tone: ui.Info, Next: true}}}, "li.ahead", []string{"a soon"},
		},
		"timeline": {
			ui.Timeline{
				Events: []ui.TimelineEvent{
					{Title: "a", When: "today", Time: "2026-03-02T04:00:00Z", By: "b", Tone: ui.Good},
				},
			}, "li.good time[datetime=2026-03-02T04:00:00Z]", []string{"today"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := page(t, ui.Frame{Language: "en", Here: "/"}, ui.Page{
				Title: "t", Body: []ui.Component{one.component},
			})
			var got []string
			for _, node := range find(root, one.selector) {
				got = append(got, strings.ReplaceAll(text(node), "x 1", "x1"))
			}
			if !slices.Equal(got, one.want) {
				t.Errorf("%s shows %q, want %q", one.selector, got, one.want)
			}
		})
	}
}

// Every component that has a template stands in the gallery, where it is looked at and held to the rules of accessibility.
func TestTheGalleryIsComplete(t *testing.T) {
	source, err := os.ReadFile("gallery.go")
	if err != nil {
		t.Fatal(err)
	}
	components := 0
	for _, file := range []string{"component.go", "figure.go"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^func \((\w+)\) Template\(\)`).FindAllStringSubmatch(string(content), -1) {
			components++
			if !regexp.MustCompile(`\b` + found[1] + `[({]`).Match(source) {
				t.Errorf("the gallery shows no %s", found[1])
			}
		}
	}
	if components < 25 {
		t.Fatalf("only %d components were found", components)
	}
}

func TestAPackageBringsAComponentOfItsOwn(t *testing.T) {
	further := fstest.MapFS{"map.html": {Data: []byte(`{{define "map"}}<p class="map">{{.Place}}</p>{{end}}`)}}
	built, err := ui.New("Sample services", words(t), further)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := built.Render(w, 200, ui.Frame{Language: "en"}, ui.Page{Body: []ui.Component{placed{"here"}}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.Body.String(), `<p class="map">here</p>`) {
		t.Error("the component is not shown")
	}
	w = httptest.NewRecorder()
	if err := built.Render(w, 200, ui.Frame{Language: "en"}, ui.Page{Body: []ui.Component{unknown{}}}); err == nil || w.Body.Len() > 0 {
		t.Errorf("a page that fails is not sent: %v, %d bytes", err, w.Body.Len())
	}
	if err := built.Render(w, 200, ui.Frame{Language: "tlh"}, ui.Page{}); err == nil {
		t.Error("a language that nobody speaks was rendered")
	}
}

type placed struct{ Place string }

func (placed) Template() string { return "map" }

type unknown struct{}

func (unknown) Template() string { return "unknown" }

func TestSharedWordsAreCompleteAndUsed(t *testing.T) {
	catalogue := words(t)
	used := map[string]bool{}
	note := regexp.MustCompile(`^[a-z]+\.[a-z-]+$`)
	files, err := os.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile("templates/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		trees, err := parse.Parse(file.Name(), string(content), "{{", "}}", map[string]any{"text": true, "render": true})
		if err != nil {
			t.Fatal(err)
		}
		for _, tree := range trees {
			strung(tree.Root, func(s string) {
				if note.MatchString(s) {
					used[s] = true
				}
			})
		}
	}
	if len(used) < 10 {
		t.Fatalf("only %d texts found in the templates", len(used))
	}
	for key := range used {
		for _, tag := range catalogue.Languages().Tags {
			if !catalogue.Has(tag, key) {
				t.Errorf("%s has no text %s", tag, key)
			}
		}
	}
	for _, key := range catalogue.Keys() {
		if strings.HasPrefix(key, "ui.") && !used[key] {
			t.Errorf("no page says %s", key)
		}
	}
	for _, problem := range catalogue.Check() {
		if area, _, _ := strings.Cut(problem.Key, "."); area == "ui" || area == "kind" || area == "demonstration" {
			t.Error(problem)
		}
	}
}

// strung visits the string constants of a template.
func strung(node parse.Node, visit func(string)) {
	switch node := node.(type) {
	case *parse.ListNode:
		if node == nil {
			return
		}
		for _, inner := range node.Nodes {
			strung(inner, visit)
		}
	case *parse.ActionNode:
		strung(node.Pipe, visit)
	case *parse.PipeNode:
		for _, command := range node.Cmds {
			for _, argument := range command.Args {
				strung(argument, visit)
			}
		}
	case *parse.StringNode:
		visit(node.Text)
	case *parse.IfNode:
		strung(node.List, visit)
		strung(node.ElseList, visit)
	case *parse.RangeNode:
		strung(node.List, visit)
		strung(node.ElseList, visit)
	case *parse.WithNode:
		strung(node.List, visit)
		strung(node.ElseList, visit)
	}
}

func TestTheStyleIsSmallAndOurOwn(t *testing.T) {
	serving := router(t)
	_, root := get(t, serving, "/ui", "en")
	href, _ := attribute(find(root, "link[rel=stylesheet]")[0], "href")
	r, w := httptest.NewRequest("GET", href, nil), httptest.NewRecorder()
	serving.ServeHTTP(w, r)
	if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Fatalf("%s: %d %s", href, w.Code, w.Header().Get("Cache-Control"))
	}
	for _, found := range regexp.MustCompile(`url\(([^)]*)\)`).FindAllStringSubmatch(w.Body.String(), -1) {
		if !strings.HasPrefix(found[1], `"data:image/svg+xml,`) && !strings.HasPrefix(found[1], "/ui/") {
			t.Errorf("the style loads %s", found[1])
		}
	}
	if strings.Contains(w.Body.String(), "@import") {
		t.Error("the style loads another")
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := zip.Write(w.Body.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	if packed.Len() > 12<<10 {
		t.Errorf("%d bytes packed", packed.Len())
	}
}

func TestAnErrorPageSaysWhatToDoNext(t *testing.T) {
	answer, root := get(t, router(t), "/mine", "en")
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("got %d", answer.StatusCode)
	}
	if href, _ := attribute(find(root, "main a.button")[0], "href"); href != "/sign-in?next=%2Fmine" {
		t.Errorf("the button leads to %s", href)
	}
	if got := one(t, root, ".reference code"); !strings.HasSuffix(got, answer.Header.Get("X-Request-Id")) {
		t.Errorf("the number to quote is %s", got)
	}
}

func TestFaultsAreSaidInTheReadersLanguage(t *testing.T) {
	built := house(t)
	gone := fault.New(fault.NotFound, "application.unknown", "There is no such application.")
	inner := fault.New(fault.Internal, "application.broken", "Secret words.")
	for name, one := range map[string]struct {
		language      string
		fault         *fault.Fault
		title, detail string
	}{
		"English has the fault's own words": {"en", gone, "Not found", "There is no such application."},
		"others those of its kind":          {"ru", gone, "Не найдено", built.Text("ru", "fault.not-found", nil)},
		"a fault of ours tells nothing": {
			"en", inner, "A fault on our side", built.Text("en", "fault.internal", nil),
		},
		"a code that has words": {
			"ru", fault.New(fault.Invalid, "too-many", "?"), "Нужно кое-что исправить", built.Text("ru", "fault.too-many", nil),
		},
	} {
		title, detail := built.Say(one.language, one.fault)
		if title != one.title || detail != one.detail {
			t.Errorf("%s: got %q, %q", name, title, detail)
		}
	}
}

// TestColoursCanBeTold checks the contrast of what stands on what (WCAG 2.2, 1.4.3 and 1.4.11), by light and by dark.
func TestColoursCanBeTold(t *testing.T) {
	content, err := os.ReadFile("assets/house.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark := map[string]string{}, map[string]string{}
	before, after, ok := strings.Cut(string(content), "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("there are no colours for the dark")
	}
	after, _, _ = strings.Cut(after, "*, ::before")
	colour := regexp.MustCompile(`--([a-z0-9-]+): #([0-9a-f]{3,6});`)
	for _, found := range colour.FindAllStringSubmatch(before, -1) {
		light[found[1]], dark[found[1]] = found[2], found[2]
	}
	for _, found := range colour.FindAllStringSubmatch(after, -1) {
		dark[found[1]] = found[2]
	}
	for _, pair := range []struct {
		front, ground string
		least         float64
	}{
		{"ink", "paper", 7},
		{"ink", "card", 7},
		{"soft", "paper", 4.5},
		{"soft", "card", 4.5},
		{"link", "paper", 4.5},
		{"link", "card", 4.5},
		{"link", "info-ground", 4.5},
		{"link-hover", "paper", 4.5},
		{"on-lapis", "lapis", 4.5},
		{"on-lapis", "lapis-deep", 4.5},
		{"on-action", "action", 4.5},
		{"on-action", "action-hover", 4.5},
		{"card", "bad", 4.5},
		{"bad", "paper", 4.5},
		{"bad", "bad-ground", 4.5},
		{"good", "good-ground", 4.5},
		{"wait", "wait-ground", 4.5},
		{"info", "info-ground", 4.5},
		{"plain", "plain-ground", 4.5},
		{"ink", "bad-ground", 4.5},
		{"ink", "good-ground", 4.5},
		{"ink", "wait-ground", 4.5},
		{"ink", "info-ground", 4.5},
		{"edge", "card", 3},
		{"edge", "paper", 3},
		{"focus", "focus-ink", 3},
		{"tile", "card", 3},
		{"level-ink", "level-0", 7},
		{"level-ink", "level-1", 7},
		{"level-ink", "level-2", 7},
		{"level-ink", "level-3", 4.5},
		{"level-ink", "level-4", 4.5},
	} {
		for name, colours := range map[string]map[string]string{"light": light, "dark": dark} {
			front, ground := luminance(t, colours[pair.front]), luminance(t, colours[pair.ground])
			if got := (max(front, ground) + .05) / (min(front, ground) + .05); got < pair.least {
				t.Errorf("by %s, %s on %s has a contrast of %.2f, less than %g", name, pair.front, pair.ground, got, pair.least)
			}
		}
	}
}

// luminance is the relative luminance of a colour (WCAG 2.2, definitions).
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	value, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, weight := range []float64{.2126, .7152, .0722} {
		part := float64(value>>(16-8*i)&0xff) / 255
		if part <= .04045 {
			sum += weight * part / 12.92
		} else {
			sum += weight * math.Pow((part+.055)/1.055, 2.4)
		}
	}
	return sum
}
