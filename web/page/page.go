// Package page owns what the pages of the portal and of the desk have in common: the frame around them, the words in
// the reader's language, a field as a question, an application as components of package ui.
//
// It hands a Reader, who reads in one language, to the handlers; they say what stands on a page, and the Reader renders
// it. Nothing here knows a service: what is shown follows from its definition.
//
// Invariants: every text comes from a catalogue or from a pack; a value is written as the country's people read it.
package page

import (
	"embed"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/register"
	"yagona/kernel/service"
	"yagona/kernel/simulation"
	"yagona/kernel/wording"
	"yagona/locale"
	"yagona/web/boundary"
	"yagona/web/route"
	"yagona/web/ui"
)

//go:embed messages
var messageFiles embed.FS

// Words returns all texts of the pages: those of package ui, and those of the portal and the desk. They are embedded, so they
// are read once.
func Words() (*locale.Catalogue, error) { return words() }

var words = sync.OnceValues(func() (*locale.Catalogue, error) {
	shared, err := ui.Words()
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(messageFiles, "messages")
	if err != nil {
		return nil, err
	}
	own, err := locale.Load(files, shared.Languages())
	if err != nil {
		return nil, err
	}
	return locale.Merge(shared, own)
})

// Names tells what the things of the loaded packs are called, and which there are.
type Names interface {
	// Agency returns what an agency is called.
	Agency(agency ident.Agency) wording.Text
	// Role returns what an official of the agency in the role is called; empty if its pack does not say.
	Role(agency ident.Agency, role ident.Role) wording.Text
	// Fund returns what a fund is called; empty if there is none.
	Fund(name string) wording.Text
	// Register returns a register, or fault.NotFound.
	Register(path ident.Register) (*register.Definition, error)
	// Service returns the newest version of a service, or fault.NotFound.
	Service(path ident.Service) (*service.Definition, error)
}

// Shared is what all pages stand on.
type Shared struct {
	House *ui.House
	Words country.Words
	Names func() Names
	Clock act.Clock
	Desk  Desk // set by package desk
	// Boundaries are the territories' outlines; nil: maps are made of tiles.
	Boundaries *boundary.Boundaries
}

// Desk is what every page of an official loads, whichever it is.
type Desk struct {
	Manifest string   // of the web app
	Scripts  []string // addresses
}

// Paths that pages of one package link to in the other.
const (
	HomePath            = "/"
	ServicesPath        = "/services"
	MinePath            = "/me"
	DataPath            = "/me/data"
	CorrectionsPath     = "/me/corrections"
	ReadingsPath        = "/me/readings"
	RepresentativesPath = "/me/representatives"
	RepresentedPath     = "/me/represented"
	OffersPath          = "/me/offers"
	ContactPath         = "/me/contact"
	PasskeysPath        = "/me/passkeys"
	VerifyPath          = "/verify"
	LogPath             = "/transparency"
	CataloguePath       = "/catalogue"
	PlacesPath          = "/places"
	AppointmentsPath    = "/sign-in/appointment"
	DeskPath            = "/desk"
	TeamPath            = "/desk/team"
	OfflinePath         = "/desk/offline"
	PaymentsPath        = "/desk/payments"
	SimulationsPath     = "/desk/simulations"
	StudioPath          = "/studio"

	CorrectionTasksPath = "/desk/corrections"
	NotebooksPath       = "/desk/notebooks"

	AssistPath   = "/desk/assist"
	DocumentPath = "/me/documents/" // and its number

	PracticePath = "/desk/practice" // only on a practice ground
)

// ContestPath returns where somebody says that a field of a register, or a value of its answers, is wrong.
func ContestPath(register ident.Register, field string) string {
	return CorrectionsPath + "/new?" + url.Values{"register": {string(register)}, "field": {field}}.Encode()
}

// Reader is who reads a page, and in which language.
type Reader struct {
	*Shared
	Visitor  route.Visitor
	Language string
}

// For returns the reader that a visitor is.
func (s *Shared) For(v route.Visitor) Reader { return Reader{s, v, v.Language} }

// Say returns a text of the catalogue; the variables are names and values in turn.
func (r Reader) Say(key string, variables ...any) string {
	args := locale.Args{}
	for i := 0; i+1 < len(variables); i += 2 {
		args[variables[i].(string)] = variables[i+1]
	}
	return r.Words.Text(locale.Tag(r.Language), key, args)
}

// SayIf returns a text of the catalogue, or the other text if there is none with the key.
func (r Reader) SayIf(key, otherwise string) string {
	if !r.Words.Has(locale.Tag(r.Language), key) {
		return otherwise
	}
	return r.Say(key)
}

// In returns a text of a pack.
func (r Reader) In(text wording.Text) string {
	return text.In(r.Language, r.Words.Profile.Authoritative())
}

// Day writes the date of a moment.
func (r Reader) Day(at time.Time) string { return r.Words.Day(r.Language, at) }

// LastDay writes the last day before a moment that is too late.
func (r Reader) LastDay(tooLate time.Time) string { return r.Day(tooLate.Add(-time.Second)) }

// Moment writes date and time of day.
func (r Reader) Moment(at time.Time) string { return r.Words.Moment(r.Language, at) }

// Date writes a date.
func (r Reader) Date(date calendar.Date) string { return r.Words.Date(r.Language, date) }

// Money writes an amount with its currency.
func (r Reader) Money(amount money.Amount) string { return r.Words.Money(r.Language, amount) }

// Place writes the name of a territory.
func (r Reader) Place(code ident.Territory) string {
	profile := r.Words.Profile
	return profile.Territories.Name(code, r.Language, profile.Authoritative())
}

// Agency returns what an agency is called.
func (r Reader) Agency(agency ident.Agency) string {
	if title := r.In(r.Names().Agency(agency)); title != "" {
		return title
	}
	return r.SayIf("agency."+string(agency), string(agency))
}

// Role returns what an official is called.
func (r Reader) Role(agency ident.Agency, role ident.Role) string {
	if title := r.In(r.Names().Role(agency, role)); title != "" {
		return title
	}
	return r.SayIf("role."+string(role), string(role))
}

// Fund returns what a fund is called.
func (r Reader) Fund(name string) string {
	if title := r.In(r.Names().Fund(name)); title != "" {
		return title
	}
	return name
}

// Service returns what a service is called.
func (r Reader) Service(path ident.Service) string {
	definition, err := r.Names().Service(path)
	if err != nil {
		return string(path)
	}
	return r.In(definition.Title)
}

// Register returns what a register is called.
func (r Reader) Register(path ident.Register) string {
	definition, err := r.Names().Register(path)
	if err != nil {
		return string(path)
	}
	return r.In(definition.Title)
}

// Actor says who did something, without naming a person: the reader, an official by role and agency, the platform.
func (r Reader) Actor(by journal.Actor) string {
	switch {
	case by.Agency != "":
		return r.Role(by.Agency, by.Role) + ", " + r.Agency(by.Agency)
	case by.Person == "":
		return r.SayIf("actor."+by.Component, r.Say("actor.platform"))
	case by.Person == r.Visitor.Session.Person:
		return r.Say("actor.you")
	}
	return r.Say("actor.applicant")
}

// Named implements ui.House.Named: an agency by what it is called, the time since when something is so as a day.
func (s *Shared) Named(language, name, value string) string {
	switch name {
	case "agency":
		return s.For(route.Visitor{Language: language}).Agency(ident.Agency(value))
	case "since":
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			return s.Words.Day(language, at)
		}
	}
	return value
}

// Problem says what is wrong with an input.
func (r Reader) Problem(f *fault.Fault) string {
	_, detail := r.House.Say(r.Language, f)
	return detail
}

// WritePhoto answers with a photo that the platform drew.
func WritePhoto(w http.ResponseWriter, content []byte) error {
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Content-Disposition", "inline")
	_, err := w.Write(content)
	return err
}

// Render answers with a page in the frame of the reader.
func (r Reader) Render(w http.ResponseWriter, status int, shown ui.Page) error {
	if r.Visitor.Actor.Appointment != nil {
		shown.Scripts = append(shown.Scripts, r.Desk.Scripts...)
	}
	return r.House.Render(w, status, r.frame(), shown)
}

// ErrorPage answers a person whose request failed (route.Config.ErrorPage): who is signed in stays so, and sees the way on.
func (s *Shared) ErrorPage(w http.ResponseWriter, _ *http.Request, v route.Visitor, problem route.Problem) error {
	return s.For(v).Render(w, problem.Status, ui.PageOf(v, problem))
}

// frame leads to what the reader may see. It shows no personal data.
func (r Reader) frame() ui.Frame {
	frame := ui.FrameOf(r.Visitor)
	here, _, _ := strings.Cut(r.Visitor.Here, "?")
	link := func(key, href string) {
		within := here == href || href != HomePath && strings.HasPrefix(here, href+"/")
		if href == DeskPath && (strings.HasPrefix(here, PaymentsPath) || strings.HasPrefix(here, TeamPath) || strings.HasPrefix(here, CorrectionTasksPath) || strings.HasPrefix(here, NotebooksPath) || strings.HasPrefix(here, SimulationsPath) || strings.HasPrefix(here, PracticePath)) || href == MinePath && strings.HasPrefix(here, ReadingsPath) {
			within = false
		}
		frame.Navigation = append(frame.Navigation, ui.Link{Text: r.Say(key), Href: href, Current: within})
	}
	if held := r.Visitor.Actor.Appointment; held != nil {
		frame.Manifest = r.Shared.Desk.Manifest
		if r.House.Practice {
			link("practice.title", PracticePath)
		}
		link("page.inbox", DeskPath)
		link("desk.team", TeamPath)
		if held.Role == access.Treasurer {
			link("desk.payments", PaymentsPath)
		}
		if held.Role == access.Publisher {
			link("studio.title", StudioPath)
		}
		if held.Role == access.Registrar {
			link("correction.tasks", CorrectionTasksPath)
			link("notebook.title", NotebooksPath)
		}
		if held.Role == simulation.Analyst {
			link("simulate.title", SimulationsPath)
		}
	}
	link("page.services", ServicesPath)
	if r.Visitor.SignedIn() {
		link("portal.mine", MinePath)
		link("page.who-read-my-data", ReadingsPath)
		frame.Account = r.account()
	}
	link("page.verify-document", VerifyPath)
	frame.Foot = []ui.Link{
		{Text: r.Say("indicator.places"), Href: PlacesPath},
		{Text: r.Say("log.title"), Href: LogPath},
		{Text: r.Say("portal.all-open-data"), Href: CataloguePath + "?format=jsonld"},
	}
	return frame
}

func (r Reader) account() *ui.Account {
	account := &ui.Account{Name: r.Say("portal.account"), Href: MinePath, SignOut: "/sign-out"}
	if held := r.Visitor.Actor.Appointment; held != nil {
		account.Name = r.Role(held.Agency, held.Role)
		account.Detail = r.Place(held.Territory)
	}
	if len(r.Visitor.Appointments) > 0 {
		account.Href = AppointmentsPath
		if r.Visitor.Actor.Appointment == nil {
			account.Name = r.Say("portal.choose-hat")
		}
	}
	return account
}

// Legal writes the acts that something stands on.
func (r Reader) Legal(acts []service.Legal) []ui.Link {
	links := make([]ui.Link, len(acts))
	for i, legal := range acts {
		text := legal.In(r.Language, r.Words.Profile.Authoritative())
		if legal.Status == "illustrative" {
			text += " (" + r.Say("document.illustrative") + ")"
		}
		links[i] = ui.Link{Text: text, Href: legal.URL}
	}
	return links
}

// Today returns the country's date.
func (s *Shared) Today() calendar.Date { return s.Words.Profile.Calendar.Date(s.Clock()) }

// Sorted returns services by their titles as the language sorts.
func (r Reader) Sorted(definitions []*service.Definition) []*service.Definition {
	sorted := slices.Clone(definitions)
	locale.Sort(locale.Tag(r.Language), sorted, func(d *service.Definition) string { return r.In(d.Title) })
	return sorted
}

// Period writes a span of calendar time.
func (r Reader) Period(period service.Period) string {
	var parts []string
	if years := period.Months / 12; years > 0 {
		parts = append(parts, r.Say("period.years", "count", years))
	}
	if months := period.Months % 12; months > 0 {
		parts = append(parts, r.Say("period.months", "count", months))
	}
	if period.Days > 0 {
		parts = append(parts, r.Say("duration.days", "count", period.Days))
	}
	return strings.Join(parts, " ")
}
