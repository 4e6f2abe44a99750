// Package ui owns how every page looks and speaks: the frame around it, the components in it, the style sheet, and the few
// words that all pages share. A page is data: a title and a list of components, each a struct with what it shows; the
// package turns them into HTML. A new kind of page is a new struct with a template of its name; a service adds neither.
//
// It hands pages to the ResponseWriter whole: a page that fails half-way is never sent.
//
// Invariants: templates decide nothing, they only show what a struct says; every text is escaped by html/template; every
// input has a label, every error is told in words beside its input and in the summary at the top that links to it;
// nothing needs a script, and nothing is loaded from another host.
package ui

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"

	"yagona/kernel/fault"
	"yagona/locale"
	"yagona/web/route"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

//go:embed messages
var messageFiles embed.FS

// Words returns the platform's texts together with the words that all pages share: messages/LANGUAGE/ui.yaml here.
func Words() (*locale.Catalogue, error) {
	platform, err := locale.Platform()
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(messageFiles, "messages")
	if err != nil {
		return nil, err
	}
	own, err := locale.Load(files, platform.Languages())
	if err != nil {
		return nil, err
	}
	return locale.Merge(platform, own)
}

// Language is one that a reader can choose.
type Language struct {
	Tag  string // BCP 47: "uz-Latn"
	Name string // in itself: "Oʻzbekcha"
	// RightToLeft says how it is written.
	RightToLeft bool
}

// Component is a part of a page. Its template shows it; a package that needs a component of its own gives New the
// template.
type Component interface {
	// Template returns the name of the template that shows the component.
	Template() string
}

// Frame is what surrounds a page and is the same for all pages of one visitor.
type Frame struct {
	Language   string     // the tag of the page's language
	Here       string     // path and query of the page, to which a choice of language returns
	Typed      url.Values // what stood in the page's form when its reader chose this language; nil: nothing
	Navigation []Link
	Foot       []Link   // at the end of the page
	Account    *Account // nil if nobody is signed in
	Bare       bool     // without navigation and account: a page on the way to somewhere
	Manifest   string   // address of the web app's manifest, where pages can be installed
}

// Account is who is signed in, as the header shows it.
type Account struct {
	Name    string // the person's name, or the role in which they work
	Detail  string // the agency and the place of an official, or empty
	Href    string // where the person finds their own data
	SignOut string // where the form to sign out is sent
}

// Page is what stands on one page.
type Page struct {
	Title   string // of the window, and the heading unless Asks is set
	Caption string // above the heading: what the page belongs to
	Lead    string // below the heading: what the page is for
	Trail   []Link // from the first page down to here; on a page of few levels, Back is enough
	Back    *Link
	Banner  *Banner
	Search  *Search // below the heading
	Asks    bool    // a component of the body holds the heading: a page that asks a single question
	Wide    bool    // for tables of the desk
	Hero    bool    // the heading stands on the house's ornament: the first page only
	Body    []Component
	Aside   []Component // beside the body where there is room, else below it
	Scripts []string    // addresses of scripts that make the page nicer: House.Script, or of an asset of the page's own
}

// House renders pages in one style.
type House struct {
	// Practice makes every page say that nothing on it is real: a ground on which officials learn.
	Practice bool
	// Named returns a variable of a fault, by its name, as people of the language read it: what an agency is called, a day. Nil:
	// each is shown as it is.
	Named func(language, name, value string) string

	site      string
	words     *locale.Catalogue
	languages []Language
	templates map[string]*template.Template // by language
	css, icon string                        // paths
	assets    assets
}

// New returns a house for a site of that name that speaks the catalogue's languages; the catalogue holds what Words
// returns. Further components bring their templates in files named *.html.
func New(site string, words *locale.Catalogue, further ...fs.FS) (*House, error) {
	own, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		return nil, err
	}
	house := &House{site: site, words: words, templates: map[string]*template.Template{}}
	if house.assets, err = ownAssets(); err != nil {
		return nil, err
	}
	house.css, house.icon = house.assets.path("house.css"), house.assets.path("mark.svg")
	for _, tag := range words.Languages().Tags {
		set := template.New(string(tag))
		set.Funcs(functions(set, func(key string, args locale.Args) string { return words.Text(tag, key, args) }))
		for _, files := range append([]fs.FS{own}, further...) {
			if _, err := set.ParseFS(files, "*.html"); err != nil {
				return nil, fmt.Errorf("templates of the pages: %w", err)
			}
		}
		house.templates[string(tag)] = set
		name := tag.Name()
		if key := "language." + string(tag); words.Has(tag, key) {
			name = words.Text(tag, key, nil)
		}
		house.languages = append(house.languages, Language{string(tag), name, tag.RightToLeft()})
	}
	return house, nil
}

// functions are the only two that templates know: a text by key, with its variables as names and values in turn, and
// another component.
func functions(set *template.Template, say func(key string, args locale.Args) string) template.FuncMap {
	return template.FuncMap{
		"text": func(key string, variables ...any) (string, error) {
			args := locale.Args{}
			for i := 0; i+1 < len(variables); i += 2 {
				name, ok := variables[i].(string)
				if !ok {
					return "", fmt.Errorf("text %s: the name of a variable is %T", key, variables[i])
				}
				args[name] = variables[i+1]
			}
			return say(key, args), nil
		},
		"render": func(component Component) (template.HTML, error) {
			var out bytes.Buffer
			if err := set.ExecuteTemplate(&out, component.Template(), component); err != nil {
				return "", err
			}
			return template.HTML(out.String()), nil //nolint:gosec // html/template has just escaped it
		},
	}
}

// whole is what the layout's template gets.
type whole struct {
	Site, Stylesheet, Icon string
	Practice               bool
	Frame                  Frame
	Page                   Page
	Language               Language
	Languages              []choice
	Errors                 *ErrorSummary
	SignIn                 string
	Asked                  *asked // the form whose answers stay in another language; nil: the page asks nothing
}

// choice is a language in the list: it leads back to the same page, by a link or by sending the form that the page asks.
type choice struct {
	Language
	Href    string
	Current bool
}

// Render answers with a page.
func (h *House) Render(w http.ResponseWriter, status int, frame Frame, page Page) error {
	set, ok := h.templates[frame.Language]
	if !ok {
		return fmt.Errorf("no pages in the language %q", frame.Language)
	}
	var form *asked
	page.Body, form = keep(page.Body, frame)
	if form != nil {
		page.Scripts = append(slices.Clone(page.Scripts), h.Script("keep.js"))
	}
	view := whole{
		Asked: form,
		Site:  h.site, Stylesheet: h.css, Icon: h.icon, Practice: h.Practice, Frame: frame, Page: page, Errors: summarise(page.Body).apart(),
		SignIn: "/sign-in?next=" + url.QueryEscape(frame.Here),
	}
	for _, language := range h.languages {
		current := language.Tag == frame.Language
		if current {
			view.Language = language
		}
		view.Languages = append(view.Languages, choice{language, inLanguage(frame.Here, language.Tag), current})
	}
	var out bytes.Buffer
	if err := set.ExecuteTemplate(&out, "layout", view); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := w.Write(out.Bytes())
	return err
}

// Site returns the site's name.
func (h *House) Site() string { return h.site }

// Fragment returns components as they stand on a page, without the page around them.
func (h *House) Fragment(language string, body ...Component) (string, error) {
	set, ok := h.templates[language]
	if !ok {
		return "", fmt.Errorf("no pages in the language %q", language)
	}
	var out bytes.Buffer
	for _, component := range body {
		if err := set.ExecuteTemplate(&out, component.Template(), component); err != nil {
			return "", fmt.Errorf("part of a page: %w", err)
		}
	}
	return out.String(), nil
}

// inLanguage returns the address that shows the same page in the language.
func inLanguage(here, tag string) string {
	address, err := url.Parse(here)
	if err != nil {
		return "/?lang=" + url.QueryEscape(tag)
	}
	query := address.Query()
	query.Set("lang", tag)
	address.RawQuery = query.Encode()
	return address.String()
}

// FrameOf returns the frame of a visitor's page; the caller adds navigation and account.
func FrameOf(v route.Visitor) Frame { return Frame{Language: v.Language, Here: v.Here, Typed: v.Typed} }

// Text returns a text of the catalogue in the visitor's language.
func (h *House) Text(language, key string, args locale.Args) string {
	return h.words.Text(locale.Tag(language), key, args)
}

// Say returns a fault's words in a language: route.Config.Say. The title is that of its kind. The detail is the message
// of its code, or of the family that its code is of; if the catalogue has none, the fault's own words for readers of English, and those of its kind for all
// others.
func (h *House) Say(language string, f *fault.Fault) (title, detail string) {
	args := locale.Args{}
	for name, value := range f.Args {
		if h.Named != nil {
			value = h.Named(language, name, value)
		}
		args[name] = value
	}
	title = h.Text(language, "kind."+f.Kind.String(), nil)
	tag, key := locale.Tag(language), "fault."+cmp.Or(f.Family, f.Code)
	switch {
	case f.Kind != fault.Internal && h.words.Has(tag, key):
		return title, h.Text(language, key, args)
	case f.Kind != fault.Internal && tag == locale.English:
		return title, f.Message
	}
	return title, h.Text(language, "fault."+f.Kind.String(), nil)
}

// ErrorPage answers a person whose request failed, where there are no pages of a portal around it (route.Config.ErrorPage).
func (h *House) ErrorPage(w http.ResponseWriter, _ *http.Request, v route.Visitor, problem route.Problem) error {
	return h.Render(w, problem.Status, FrameOf(v), PageOf(v, problem))
}

// PageOf returns what a page says of a problem to a person, in whichever frame.
func PageOf(v route.Visitor, problem route.Problem) Page {
	body := []Component{Paragraph{Text: problem.Detail}}
	if problem.Status == http.StatusUnauthorized {
		body = append(body, Buttons{{Key: "actions.sign-in", Href: "/sign-in?next=" + url.QueryEscape(v.Here)}})
	}
	return Page{Title: problem.Title, Body: append(body, Reference{Number: problem.Instance})}
}
