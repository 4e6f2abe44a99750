package studio

import (
	"net/http"
	"slices"

	"yagona/kernel/fault"
	"yagona/kernel/publication"
	"yagona/pack"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// home lists what waits for approval, the drafts, and the packs of the agency; a new pack begins here, too.
func (s *Studio) home(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return s.showHome(w, req, v, http.StatusOK, "", nil)
}

func (s *Studio) showHome(w http.ResponseWriter, req *http.Request, v route.Visitor, status int, name string, wrong *fault.Fault) error {
	r, agency := s.Shared.For(v), v.Actor.Appointment.Agency
	drafts, err := s.Drafting.All(req.Context(), v.Actor)
	if err != nil {
		return err
	}
	all, _, err := s.Press.All(req.Context(), false)
	if err != nil {
		return err
	}
	var body []ui.Component
	var waiting ui.TaskList
	for _, one := range slices.Backward(all) {
		if one.Agency != agency || one.State != publication.Proposed {
			continue
		}
		tag := ui.Tag{Text: r.Say("studio.waits-for-you"), Tone: ui.Wait}
		if one.By == v.Actor.Person {
			tag = ui.Tag{Text: r.Say("studio.waits-for-second"), Tone: ui.Info}
		}
		waiting.Items = append(waiting.Items, ui.TaskItem{
			Title: s.titleOf(r, one.Pack), Href: proposalPath(one.ID), Status: tag,
			Hint: r.Say("studio.proposed-by", "who", who(r, one.By), "when", r.Moment(one.Published)),
		})
	}
	if len(waiting.Items) > 0 {
		body = append(body, ui.Heading{Text: r.Say("studio.waiting")}, waiting)
	}
	begun := map[string]bool{}
	list := ui.TaskList{}
	for _, one := range drafts {
		begun[one.Pack] = true
		person, at := lastWritten(one)
		list.Items = append(list.Items, ui.TaskItem{
			Title: s.titleOf(r, one.Pack), Href: packPath(one.Pack), Status: ui.Tag{Text: r.Say("studio.draft"), Tone: ui.Plain},
			Hint: r.Say("studio.written-by", "who", who(r, person), "when", r.Moment(at)),
		})
	}
	body = append(body, ui.Heading{Text: r.Say("studio.drafts")})
	if len(list.Items) > 0 {
		body = append(body, list)
	} else {
		body = append(body, ui.Inset{Text: r.Say("studio.no-drafts")})
	}
	var own []ui.Option
	for _, one := range s.InForce() {
		if slices.Contains(one.Speakers(), agency) && !begun[one.Name] {
			own = append(own, ui.Option{Value: one.Name, Label: r.In(one.Title), Hint: r.Say("studio.holds", "services", len(one.Services), "registers", len(one.Registers)), Checked: len(own) == 0})
		}
	}
	if len(own) > 0 {
		body = append(body, ui.Heading{Text: r.Say("studio.change-pack")}, ui.Form{
			Action:  packsPath,
			Fields:  []ui.Component{ui.Choice{Question: ui.Question{Name: "pack", Label: r.Say("studio.which-pack")}, Options: own}},
			Buttons: ui.Buttons{{Text: r.Say("studio.begin-draft")}},
		})
	}
	question := ui.Question{Name: "name", Label: r.Say("studio.pack-name"), Hint: r.Say("studio.pack-name-hint")}
	if wrong != nil {
		question.Error = r.Problem(wrong)
	}
	body = append(body, ui.Heading{Text: r.Say("studio.new-pack")}, ui.Paragraph{Text: r.Say("studio.new-pack-text")}, ui.Form{
		Action: packsPath, Fields: []ui.Component{ui.TextInput{Question: question, Value: name}},
		Buttons: ui.Buttons{{Text: r.Say("studio.begin-new"), Quiet: len(own) > 0}},
	})
	return r.Render(w, status, ui.Page{
		Title: r.Say("studio.title"), Caption: r.Agency(agency), Lead: r.Say("studio.lead"), Body: body,
	})
}

// titleOf returns what a pack in force is called; the name of one that is not.
func (s *Studio) titleOf(r page.Reader, name string) string {
	for _, one := range s.InForce() {
		if one.Name == name {
			return r.In(one.Title)
		}
	}
	return name
}

// begin makes a draft of a pack in force, or of a new one of the name, and leads to it.
func (s *Studio) begin(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	name := req.PostForm.Get("pack")
	var files publication.Bundle
	if name == "" {
		name = req.PostForm.Get("name")
		fresh, err := s.scaffold(name, v)
		if err != nil {
			return s.showHome(w, req, v, http.StatusUnprocessableEntity, name, fault.Of(err))
		}
		if slices.ContainsFunc(s.InForce(), func(one *pack.Pack) bool { return one.Name == name }) {
			return s.showHome(w, req, v, http.StatusConflict, name, errTaken)
		}
		files = fresh
	} else if !slices.ContainsFunc(s.InForce(), func(one *pack.Pack) bool { return one.Name == name }) {
		return errNoPack
	}
	_, err := s.Drafting.Begin(req.Context(), v.Actor, name, files, 0)
	if err != nil && fault.Code(err) != "draft.exists" { // it is there: go on with it
		return err
	}
	return route.Redirect(w, req, packPath(name))
}

// scaffold returns the files of a new pack. It speaks for the visitor's agency, unless a pack in force does: an agency has
// one pack.
func (s *Studio) scaffold(name string, v route.Visitor) (publication.Bundle, error) {
	agency := v.Actor.Appointment.Agency
	if slices.ContainsFunc(s.InForce(), func(one *pack.Pack) bool { return slices.Contains(one.Speakers(), agency) }) {
		agency = ""
	}
	return pack.New(name, s.Shared.Words.Profile.Authoritative(), string(agency))
}

var (
	errTaken  = fault.New(fault.Conflict, "draft.name-taken", "A pack of this name is in force. Choose another name, or change that pack.")
	errNoPack = fault.New(fault.NotFound, "draft.no-pack", "No such pack is in force. Choose one of your agency's, or begin a new one.")
)
