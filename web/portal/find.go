package portal

import (
	"net/http"
	"strings"
	"sync"

	"yagona/kernel/calendar"
	"yagona/kernel/service"
	"yagona/kernel/wording"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/search"
	"yagona/web/ui"
)

const (
	suggestPath  = page.ServicesPath + "/suggest"
	foundAtOnce  = 30
	suggested    = 6
	longestQuery = 200 // characters; more is no query
)

// finder finds services. It makes its index anew when the catalogue or the day has changed.
type finder struct {
	mu        sync.Mutex // guards what follows
	catalogue *service.Catalogue
	day       calendar.Date
	index     *search.Index
	services  []*service.Definition
}

func (p *Portal) find(query string, most int) []*service.Definition {
	query = strings.TrimSpace(query)
	if letters := []rune(query); len(letters) > longestQuery {
		query = string(letters[:longestQuery])
	}
	if query == "" {
		return nil
	}
	index, services := p.finder.of(p.Services(), p.Shared.Today(), p.Shared)
	var found []*service.Definition
	for _, i := range index.Find(query, most) {
		found = append(found, services[i])
	}
	return found
}

func (f *finder) of(catalogue *service.Catalogue, day calendar.Date, shared *page.Shared) (*search.Index, []*service.Definition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.catalogue == catalogue && f.day == day {
		return f.index, f.services
	}
	f.catalogue, f.day, f.services = catalogue, day, catalogue.All(day)
	things := make([][]search.Text, len(f.services))
	for i, definition := range f.services {
		things[i] = textsOf(definition, shared)
	}
	f.index = search.New(things)
	return f.index, f.services
}

// textsOf returns what a service can be found by, in all languages.
func textsOf(definition *service.Definition, shared *page.Shared) (texts []search.Text) {
	add := func(weight int, words wording.Text) {
		for _, text := range words {
			texts = append(texts, search.Text{Text: text, Weight: weight})
		}
	}
	add(search.Title, definition.Title)
	add(search.Summary, definition.Summary)
	add(search.Other, shared.Names().Agency(definition.Agency))
	for _, event := range definition.Events {
		for _, tag := range shared.Words.Languages().Tags {
			if key := "life." + event; shared.Words.Has(tag, key) {
				texts = append(texts, search.Text{Text: shared.Words.Text(tag, key, nil), Weight: search.Event})
			}
		}
	}
	for _, question := range definition.Ask {
		add(search.Other, question.Label)
		for _, option := range question.Options {
			add(search.Other, option.Label)
		}
	}
	for _, evidence := range definition.Evidence {
		add(search.Other, evidence.Title)
	}
	if definition.Output.Document != nil {
		add(search.Summary, definition.Output.Document.Title)
	}
	return texts
}

func (p *Portal) searchBox(r page.Reader, value string) *ui.Search {
	return &ui.Search{
		Action: page.ServicesPath, Name: "q", Label: r.Say("portal.search"), Hint: r.Say("portal.search-hint"), Value: value, Suggest: suggestPath,
	}
}

func (p *Portal) searchScript() []string { return []string{p.Shared.House.Script("search.js")} }

// services lists the services that the reader's words find, or all of them.
func (p *Portal) services(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	r, query := p.Shared.For(v), strings.TrimSpace(req.URL.Query().Get("q"))
	shown := ui.Page{Title: r.Say("page.services"), Lead: r.Say("portal.services-lead"), Wide: true, Search: p.searchBox(r, query), Scripts: p.searchScript()}
	everything := func(*service.Definition) bool { return true }
	if query != "" {
		found := p.find(query, foundAtOnce)
		shown.Lead = ""
		shown.Body = append(shown.Body, ui.Heading{Text: r.Say("portal.found", "count", len(found))})
		if len(found) > 0 {
			shown.Body = append(shown.Body, cards(r, found, everything))
			return r.Render(w, http.StatusOK, shown)
		}
		shown.Body = append(shown.Body, ui.Paragraph{Text: r.Say("portal.found-nothing")})
	}
	shown.Body = append(shown.Body, ui.Heading{Text: r.Say("portal.all-services")}, cards(r, r.Sorted(p.Services().All(p.Shared.Today())), everything))
	return r.Render(w, http.StatusOK, shown)
}

// suggest answers while the reader types.
func (p *Portal) suggest(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	type one struct {
		Title string `json:"title"`
		Href  string `json:"href"`
	}
	r := p.Shared.For(v)
	answer := struct {
		Found []one `json:"found"`
	}{Found: []one{}}
	for _, definition := range p.find(req.URL.Query().Get("q"), suggested) {
		answer.Found = append(answer.Found, one{r.In(definition.Title), servicePath(definition.Path)})
	}
	return route.WriteJSON(w, http.StatusOK, answer)
}
