package studio

import (
	"net/http"
	"slices"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/publication"
	"yagona/kernel/signature"
	"yagona/pack"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// publish says what still keeps a draft from being published, and proposes it.
func (s *Studio) publish(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	o, err := s.look(req, v)
	if err != nil {
		return err
	}
	return s.showPublish(w, http.StatusOK, o, nil)
}

func (s *Studio) showPublish(w http.ResponseWriter, status int, o *open, wrong *fault.Fault) error {
	r, shown := o.r, s.frame(o, "studio.publish")
	list := ui.TaskList{Found: true}
	ready := true
	say := func(key, href string, good bool) {
		item := ui.TaskItem{Title: r.Say(key), Status: ui.Tag{Text: r.Say("studio.done"), Tone: ui.Good}}
		if !good {
			ready = false
			item.Href, item.Status = href, ui.Tag{Text: r.Say("studio.to-do"), Tone: ui.Bad}
		}
		list.Items = append(list.Items, item)
	}
	path := packPath(o.draft.Pack)
	say("studio.must-correct", path, o.found.Pack != nil && len(o.found.Problems) == 0)
	say("studio.must-pass", path+"/examples", o.found.Pack != nil && o.found.Report.Passed())
	say("studio.must-speak", filePath(o.draft.Pack, "pack.yaml"), o.found.Pack != nil && slices.Contains(o.found.Pack.Speakers(), o.draft.Agency))
	say("studio.must-differ", path, o.changed())
	say("studio.must-follow", path+"/difference", !o.behind())
	if wrong != nil {
		shown.Body = append(shown.Body, ui.Warning{Text: r.Problem(wrong)})
	}
	shown.Body = append(shown.Body, ui.Paragraph{Text: r.Say("studio.publish-lead")}, list)
	if ready {
		shown.Body = append(shown.Body, ui.Form{
			Action: path + "/publish", Hidden: []ui.Hidden{revisionOf(o.draft.Revision)},
			Buttons: ui.Buttons{{Text: r.Say("studio.propose")}},
		}, ui.Inset{Text: r.Say("studio.signature-text", "agency", r.Agency(o.draft.Agency))})
	}
	return r.Render(w, status, shown)
}

// propose proposes a draft as it was seen.
func (s *Studio) propose(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	proposed, err := s.Drafting.Propose(req.Context(), v.Actor, req.PathValue("pack"), revision(req))
	if f := fault.Of(err); err != nil && (f.Kind == fault.Invalid || f.Kind == fault.Conflict) {
		o, err := s.look(req, v)
		if err != nil {
			return err
		}
		return s.showPublish(w, f.Kind.Status(), o, f)
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, req, proposalPath(proposed.ID))
}

// What the states of a publication and the hands in which a key is are called.
var (
	states = map[publication.State]string{
		publication.Proposed: "studio.state-proposed", publication.InForce: "studio.state-in-force",
		publication.Rejected: "studio.state-rejected", publication.Withdrawn: "studio.state-withdrawn",
	}
	custodies = map[signature.Custody]string{signature.HeldByNode: "studio.key-node", signature.HeldByHolder: "studio.key-holder"}
)

// own returns a publication of the visitor's agency.
func (s *Studio) own(req *http.Request, v route.Visitor) (publication.Publication, error) {
	id, err := ident.Parse[ident.Publication](req.PathValue("publication"))
	if err != nil {
		return publication.Publication{}, err
	}
	found, err := s.Press.Publication(req.Context(), id)
	if err == nil && found.Agency != v.Actor.Appointment.Agency {
		err = access.ErrForbidden
	}
	return found, err
}

// proposal shows what a second person must see before they approve.
func (s *Studio) proposal(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return s.showProposal(w, req, v, http.StatusOK, nil)
}

func (s *Studio) showProposal(w http.ResponseWriter, req *http.Request, v route.Visitor, status int, wrong *fault.Fault) error {
	proposed, err := s.own(req, v)
	if err != nil {
		return err
	}
	r := s.Shared.For(v)
	shown := ui.Page{
		Title: s.titleOf(r, proposed.Pack), Caption: r.Say("studio.proposal"), Wide: true, Back: &ui.Link{Text: r.Say("studio.title"), Href: page.StudioPath},
	}
	rows := []ui.SummaryRow{
		{Term: r.Say("studio.state"), Values: []string{r.Say(states[proposed.State])}},
		{Term: r.Say("studio.proposed"), Values: []string{r.Say("studio.signed-by", "who", who(r, proposed.By), "when", r.Moment(proposed.Published)), s.signed(r, proposed.Signed)}},
	}
	if proposed.Second != "" {
		values := []string{who(r, proposed.Second), s.signed(r, proposed.Approved)}
		if proposed.State == publication.InForce {
			values[0] = r.Say("studio.signed-by", "who", who(r, proposed.Second), "when", r.Moment(proposed.InForceAt))
		}
		rows = append(rows, ui.SummaryRow{Term: r.Say("studio.second"), Values: values})
	}
	rows = append(rows, ui.SummaryRow{Term: r.Say("studio.digest"), Values: []string{proposed.Digest}})
	if wrong != nil {
		shown.Body = append(shown.Body, ui.Warning{Text: r.Problem(wrong)})
	}
	shown.Body = append(shown.Body, ui.SummaryList{Rows: rows})
	if proposed.State != publication.Proposed {
		return r.Render(w, status, shown)
	}
	base, err := s.Press.InForce(req.Context(), proposed.Pack)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	found, err := s.examine(req.Context(), proposed.Pack, proposed.Files)
	if err != nil {
		return err
	}
	r = s.speaking(r, found.Pack)
	shown.Body = append(shown.Body, differences(r, base.Files, proposed.Files, nil)...)
	shown.Body = append(shown.Body, folded(r, found)...)
	shown.Body = append(shown.Body, s.settling(r, proposed)...)
	return r.Render(w, status, shown)
}

// folded holds the results of each service's examples, and its page, to be opened.
func folded(r page.Reader, found pack.Examination) []ui.Component {
	if found.Pack == nil {
		return []ui.Component{ui.Warning{Text: r.Say("studio.mend-first")}}
	}
	shown := []ui.Component{ui.Heading{Text: r.Say("studio.examples")}}
	for _, one := range found.Report.Services {
		only := pack.Examination{Report: pack.Report{Services: []pack.ServiceReport{one}}}
		summary := r.Service(one.Service) + " – " + r.Say("studio.examples-pass", "count", len(one.Examples))
		if failing := failed(only.Report); failing > 0 {
			summary = r.Service(one.Service) + " – " + r.Say("studio.examples-fail", "count", failing)
		}
		shown = append(shown, ui.Details{Summary: summary, Body: results(r, only, nil)})
	}
	shown = append(shown, ui.Heading{Text: r.Say("studio.as-page")})
	for _, one := range r.Sorted(found.Pack.Services) {
		shown = append(shown, ui.Details{Summary: r.In(one.Title), Body: previews(r, one, "", page.Typed{}, nil)[:1]})
	}
	return shown
}

// settling lets the second person approve or reject.
func (s *Studio) settling(r page.Reader, proposed publication.Publication) []ui.Component {
	if proposed.By == r.Visitor.Actor.Person {
		return []ui.Component{ui.Inset{Text: r.Say("studio.own-proposal")}}
	}
	path, digest := proposalPath(proposed.ID), []ui.Hidden{{Name: "digest", Value: proposed.Digest}}
	return []ui.Component{
		ui.Heading{Text: r.Say("studio.decide")},
		ui.Paragraph{Text: r.Say("studio.approve-lead")},
		ui.Form{Action: path + "/approve", Hidden: digest, Buttons: ui.Buttons{{Text: r.Say("studio.approve")}}},
		ui.Form{Action: path + "/reject", Hidden: digest, Buttons: ui.Buttons{{Text: r.Say("studio.reject"), Quiet: true}}},
	}
}

// signed says by which key, in whose hands it is.
func (s *Studio) signed(r page.Reader, made signature.Signature) string {
	key, err := s.Press.Ring.Key(made.Key)
	if err != nil {
		return made.Key
	}
	return r.Say(custodies[key.Custody], "key", key.ID)
}

func (s *Studio) approve(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return s.settle(w, req, v, true)
}

func (s *Studio) reject(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return s.settle(w, req, v, false)
}

// settle approves or rejects a proposal as it was seen.
func (s *Studio) settle(w http.ResponseWriter, req *http.Request, v route.Visitor, approve bool) error {
	proposed, err := s.own(req, v)
	if err != nil {
		return err
	}
	id := proposed.ID
	_, err = s.Press.SettleBy(req.Context(), v.Actor, id, req.PostForm.Get("digest"), approve)
	if f := fault.Of(err); err != nil && (f.Kind == fault.Invalid || f.Kind == fault.Conflict) {
		return s.showProposal(w, req, v, f.Kind.Status(), f)
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, req, proposalPath(id))
}
