// Package studio owns the pages on which analysts of an agency write its packs: the drafts, an editor that shows errors at
// their line, the form as residents will see it, the results of the examples, the difference to what is in force, and the
// proposal that a second publisher approves.
//
// It hands routes to the router. The text of the files is the truth: everything else is computed from it by package pack,
// and shown with the components that residents see. A service that is written here needs no code of this package.
//
// Invariants: only publishers come in, and each sees the drafts and proposals of their own agency, as the server's records
// name it; what is saved over a file carries the revision that its writer saw; nothing is published by one person; nothing
// that is shown here holds personal data. Every page works without a script.
package studio

import (
	"context"
	"net/http"
	"strings"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/publication"
	"yagona/kernel/register"
	"yagona/kernel/service"
	"yagona/kernel/wording"
	"yagona/pack"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// Config is what the studio stands on. All of it is required.
type Config struct {
	Shared   *page.Shared
	Press    *publication.Press
	Drafting *publication.Drafting
	// Examine looks at a pack among those in force.
	Examine func(ctx context.Context, pack string, files publication.Bundle) (pack.Examination, error)
	// InForce returns the packs that are in force.
	InForce func() []*pack.Pack
}

// Studio serves the pages of those who write packs.
type Studio struct {
	Config
	script string
	assets []route.Route
	// examining holds a place for each examination that runs: each compiles all packs, and nobody needs the whole machine.
	examining chan struct{}
}

// New returns the studio.
func New(config Config) (*Studio, error) {
	content, err := files.ReadFile("assets/studio.js")
	if err != nil {
		return nil, err
	}
	path, asset, err := ui.Asset("studio.js", content)
	if err != nil {
		return nil, err
	}
	return &Studio{Config: config, script: path, assets: []route.Route{asset}, examining: make(chan struct{}, 2)}, nil
}

const (
	smallForm = 16 << 10
	// A form writes a Cyrillic letter, two bytes of a file, in six.
	fileForm = 3*publication.DraftFileBytes + smallForm
	// Every pack of the country is compiled for an answer.
	examination = 20 * time.Second
)

const (
	packsPath     = page.StudioPath + "/packs"
	proposalsPath = page.StudioPath + "/proposals"
)

// Routes returns all pages of the studio.
func (s *Studio) Routes() []route.Route {
	show := func(pattern string, handle route.Handler) route.Route {
		return route.Route{Method: "GET", Pattern: pattern, Access: route.Role(access.Publisher), Timeout: examination, Handle: handle}
	}
	send := func(pattern string, body int64, handle route.Handler) route.Route {
		return route.Route{Method: "POST", Pattern: pattern, Access: route.Role(access.Publisher), Body: body, Timeout: examination, Handle: route.Form(handle)}
	}
	const one, file, proposal = packsPath + "/{pack}", packsPath + "/{pack}/files/{path...}", proposalsPath + "/{publication}"
	return append([]route.Route{
		show(page.StudioPath, s.home),
		send(packsPath, smallForm, s.begin),
		show(one, s.draft),
		send(one+"/begin-anew", smallForm, s.beginAnew),
		send(one+"/rebase", smallForm, s.rebase),
		send(one+"/add", smallForm, s.add),
		send(one+"/remove", smallForm, s.remove),
		show(file, s.editor),
		send(file, fileForm, s.write),
		send(one+"/check/{path...}", fileForm, s.check),
		show(one+"/guide", s.guide),
		show(one+"/guide/{service}/questions/{question}", s.guideForm(question)),
		send(one+"/guide/{service}/questions/{question}", fileForm, s.guideSave(question)),
		send(one+"/guide/{service}/questions/{question}/move", smallForm, s.guideChange(move)),
		send(one+"/guide/{service}/questions/{question}/remove", smallForm, s.guideChange(removal)),
		show(one+"/guide/{service}/new-question", s.guideForm(newQuestion)),
		send(one+"/guide/{service}/new-question", fileForm, s.guideSave(newQuestion)),
		show(one+"/guide/{service}/refusals/{rule}", s.guideForm(refusal)),
		send(one+"/guide/{service}/refusals/{rule}", fileForm, s.guideSave(refusal)),
		show(one+"/translations", s.translations),
		show(one+"/translations/{key}", s.guideForm(translation)),
		send(one+"/translations/{key}", fileForm, s.guideSave(translation)),
		show(one+"/form", s.form),
		send(one+"/form", fileForm, s.tryForm),
		show(one+"/examples", s.examples),
		show(one+"/difference", s.difference),
		show(one+"/publish", s.publish),
		send(one+"/publish", smallForm, s.propose),
		show(proposal, s.proposal),
		send(proposal+"/approve", smallForm, s.approve),
		send(proposal+"/reject", smallForm, s.reject),
	}, s.assets...)
}

// open is a draft that somebody looks at, with what there is to say of it.
type open struct {
	r     page.Reader
	draft publication.Draft
	found pack.Examination
	base  publication.Publication // in force now; zero: none of the name
}

// look returns the draft that the address names.
func (s *Studio) look(req *http.Request, v route.Visitor) (*open, error) {
	draft, err := s.Drafting.Draft(req.Context(), v.Actor, req.PathValue("pack"))
	if err != nil {
		return nil, err
	}
	return s.examined(req.Context(), v, draft)
}

func (s *Studio) examined(ctx context.Context, v route.Visitor, draft publication.Draft) (*open, error) {
	o := &open{r: s.Shared.For(v), draft: draft}
	var err error
	if o.base, err = s.Press.InForce(ctx, draft.Pack); err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	if o.found, err = s.examine(ctx, draft.Pack, draft.Files); err != nil {
		return nil, err
	}
	o.r = s.speaking(o.r, o.found.Pack)
	return o, nil
}

// examine waits for its turn.
func (s *Studio) examine(ctx context.Context, name string, files publication.Bundle) (pack.Examination, error) {
	select {
	case s.examining <- struct{}{}:
		defer func() { <-s.examining }()
		return s.Examine(ctx, name, files)
	case <-ctx.Done():
		return pack.Examination{}, ctx.Err()
	}
}

// title returns what the pack is called; its name as long as it does not compile.
func (o *open) title() string {
	if o.found.Pack != nil {
		if title := o.r.In(o.found.Pack.Title); title != "" {
			return title
		}
	}
	return o.draft.Pack
}

// behind reports whether another revision came into force since the draft was begun.
func (o *open) behind() bool { return o.base.ID != o.draft.Base && o.changed() }

// changed reports whether the draft is another than what is in force.
func (o *open) changed() bool { return o.base.Digest != o.draft.Files.Digest() }

// problemsOf returns the problems of a file, and how many there are elsewhere.
func problemsOf(found pack.Examination, name, path string) (here pack.Problems, elsewhere int) {
	for _, one := range found.Problems {
		if one.File == name+"/"+path {
			here = append(here, one)
		} else {
			elsewhere++
		}
	}
	return here, elsewhere
}

// failed returns how many examples come out otherwise than expected.
func failed(report pack.Report) (count int) {
	for _, one := range report.Services {
		for _, example := range one.Examples {
			if len(example.Failed) > 0 {
				count++
			}
		}
	}
	return count
}

func packPath(name string) string { return packsPath + "/" + name }

func filePath(name, path string) string { return packPath(name) + "/files/" + path }

func proposalPath(id ident.Publication) string { return proposalsPath + "/" + string(id) }

// frame returns a page about a draft, with its views as tabs.
func (s *Studio) frame(o *open, view string) ui.Page {
	tabs := ui.Tabs{Label: o.r.Say("studio.views")}
	count := func(n int) string {
		if n == 0 {
			return ""
		}
		return o.r.Words.Value(o.r.Language, int64(n))
	}
	for _, one := range []struct{ view, path, count string }{
		{"studio.files", "", count(len(o.found.Problems))},
		{"studio.guide", "/guide", ""},
		{"studio.translations", "/translations", ""},
		{"studio.form", "/form", ""},
		{"studio.examples", "/examples", count(failed(o.found.Report))},
		{"studio.difference", "/difference", count(len(pack.Difference(o.base.Files, o.draft.Files)))},
		{"studio.publish", "/publish", ""},
	} {
		tabs.Items = append(tabs.Items, ui.Tab{Text: o.r.Say(one.view), Href: packPath(o.draft.Pack) + one.path, Current: one.view == view, Count: one.count})
	}
	return ui.Page{
		Title: o.title(), Caption: o.r.Say("studio.draft-of", "agency", o.r.Agency(o.draft.Agency)), Wide: true,
		Back: &ui.Link{Text: o.r.Say("studio.title"), Href: page.StudioPath}, Body: []ui.Component{tabs},
	}
}

// who says who did something, without a name: all who see it are publishers of the agency.
func who(r page.Reader, person ident.Person) string {
	if person == r.Visitor.Actor.Person {
		return r.Say("actor.you")
	}
	return r.Say("studio.colleague")
}

// names are those of the packs in force with a draft among them.
type names struct {
	page.Names
	draft *pack.Pack
}

// speaking returns a reader who knows what a draft calls its agencies, roles, funds and services.
func (s *Studio) speaking(r page.Reader, draft *pack.Pack) page.Reader {
	if draft == nil {
		return r
	}
	shared, inForce := *s.Shared, s.Shared.Names()
	shared.Names = func() page.Names { return names{inForce, draft} }
	return page.Reader{Shared: &shared, Visitor: r.Visitor, Language: r.Language}
}

// Agency implements page.Names.
func (n names) Agency(name ident.Agency) wording.Text {
	for _, one := range n.draft.Agencies {
		if one.Name == name {
			return one.Title
		}
	}
	return n.Names.Agency(name)
}

// Role implements page.Names.
func (n names) Role(agency ident.Agency, name ident.Role) wording.Text {
	for _, one := range n.draft.Agencies {
		for _, role := range one.Roles {
			if one.Name == agency && role.Name == name {
				return role.Title
			}
		}
	}
	return n.Names.Role(agency, name)
}

// Fund implements page.Names.
func (n names) Fund(name string) wording.Text {
	for _, one := range n.draft.Funds {
		if one.Name == name {
			return one.Title
		}
	}
	return n.Names.Fund(name)
}

// Register implements page.Names.
func (n names) Register(path ident.Register) (*register.Definition, error) {
	for _, one := range n.draft.Registers {
		if one.Path == path {
			return one, nil
		}
	}
	return n.Names.Register(path)
}

// Service implements page.Names.
func (n names) Service(path ident.Service) (*service.Definition, error) {
	for _, one := range n.draft.Services {
		if one.Path == path {
			return one, nil
		}
	}
	return n.Names.Service(path)
}

// sourceLine returns a line of a file as it stands there, "" if there is none.
func sourceLine(content []byte, line int) string {
	lines := strings.Split(string(content), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	return lines[line-1]
}
