package desk

import (
	"encoding/base64"
	"errors"
	"html/template"
	"io"
	"net/http"
	"strconv"

	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/std/photo"
	"yagona/web/page"
	"yagona/web/passkey"
	"yagona/web/route"
	"yagona/web/ui"
)

// assistDraft shows what was written down: to be read to the resident and confirmed by them, with a code or on paper.
func (d *Desk) assistDraft(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return d.showDraft(w, req, http.StatusOK, v, nil)
}

func (d *Desk) showDraft(w http.ResponseWriter, req *http.Request, status int, v route.Visitor, wrong page.Wrong) error {
	id := ident.Application(req.PathValue("application"))
	view, err := d.Helping.AssistedDraft(req.Context(), v.Actor, id)
	if fault.Code(err) == "application.sent" {
		return route.Redirect(w, req, assistPath+"/receipts/"+string(id))
	}
	if err != nil {
		return err
	}
	reachable, err := d.Helping.CanConfirmByCode(req.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	r, held := d.Shared.For(v), v.Actor.Appointment
	answers := r.Answers(view, nil, nil)
	answers.Title = r.In(view.Definition.Title)
	about := ui.SummaryList{Rows: append([]ui.SummaryRow{
		{Term: r.Say("desk.number"), Values: []string{string(id)}},
		{Term: r.Say("assist.helper"), Values: []string{r.Role(held.Agency, held.Role) + ", " + r.Place(held.Territory)}},
	}, writtenDown(r, *view.Content.Assisted)...)}
	body := append([]ui.Component{about, answers, ui.Heading{Text: r.Say("assist.confirm")}}, d.byCode(r, view, reachable, wrong)...)
	asked, offered, err := d.Signing.Ask(req.Context(), view.Application.Applicant, signs(view.Application))
	if err != nil {
		return err
	}
	var scripts []string
	if offered {
		body = append(body, byPasskey(r, view, asked, wrong)...)
		scripts = []string{r.House.Script("passkey.js")}
	}
	body = append(body, byPaper(r, view, wrong)...)
	return r.Render(w, status, ui.Page{
		Scripts: scripts,
		Title:   r.Say("assist.summary"), Lead: r.Say("assist.summary-lead"), Body: body, Back: &ui.Link{Text: r.Say("page.inbox"), Href: page.DeskPath},
	})
}

// confirmations are the texts of how a resident confirmed.
var confirmations = map[casework.Confirmation]string{
	casework.ConfirmedBySignIn: "desk.assisted-own-sign-in", casework.ConfirmedByCode: "desk.assisted-code",
	casework.ConfirmedByPasskey: "desk.assisted-passkey", casework.ConfirmedByPaper: "desk.assisted-signed-summary",
}

// writtenDown says when an application was written down: by the device's clock, too, if it had no connection.
func writtenDown(r page.Reader, assisted casework.Assisted) []ui.SummaryRow {
	if assisted.Made.IsZero() {
		return nil
	}
	return []ui.SummaryRow{
		{Term: r.Say("assist.made"), Values: []string{r.Moment(assisted.Made)}},
		{Term: r.Say("assist.received"), Values: []string{r.Moment(assisted.At)}},
	}
}

// byCode lets the resident confirm with a code that is sent to an address of theirs.
func (d *Desk) byCode(r page.Reader, view casework.View, reachable bool, wrong page.Wrong) []ui.Component {
	path, code := draftPath(view.Application.ID), view.Content.Assisted.Code
	if !reachable {
		return []ui.Component{ui.Paragraph{Text: r.Say("assist.no-address")}}
	}
	again := ui.Form{Action: path + "/code", Buttons: ui.Buttons{{Text: r.Say("assist.send-code")}}}
	if code == nil || !d.Shared.Clock().Before(code.Until) {
		return []ui.Component{ui.Paragraph{Text: r.Say("assist.code-text")}, again}
	}
	again.Buttons = ui.Buttons{{Text: r.Say("assist.send-again"), Quiet: true}}
	typed := ui.TextInput{Short: true, Keyboard: "numeric", Question: ui.Question{
		Name: "code", Label: r.Say("assist.told-code"), Hint: r.Say("assist.told-code-hint", "time", r.Moment(code.Until)),
	}}
	if f := wrong["code"]; f != nil {
		typed.Error = r.Problem(f)
	}
	return []ui.Component{
		ui.Form{Action: path + "/confirm", Fields: []ui.Component{typed}, Buttons: ui.Buttons{{Text: r.Say("assist.send")}}}, again,
	}
}

// signs is what a resident's passkey signs: the draft as it stands.
func signs(draft casework.Application) string {
	return "confirm " + string(draft.ID) + " " + strconv.FormatInt(draft.Revision, 10)
}

// byPasskey lets the resident confirm with a passkey: on a device of their own, which the browser finds.
func byPasskey(r page.Reader, view casework.View, asked passkey.Asked, wrong page.Wrong) []ui.Component {
	asked.Failed = r.Say("passkey.no-script")
	asked.Form = ui.Form{
		Action: draftPath(view.Application.ID) + "/passkey", Hidden: []ui.Hidden{{Name: "passkey"}},
		Buttons: ui.Buttons{{Text: r.Say("assist.by-passkey"), Quiet: true}},
	}
	body := []ui.Component{ui.Heading{Text: r.Say("passkey.title")}}
	if f := wrong["passkey"]; f != nil {
		body = append(body, ui.Banner{Tone: ui.Bad, Title: r.Say("passkey.failed"), Text: r.Problem(f)})
	}
	return append(body, ui.Paragraph{Text: r.Say("assist.by-passkey-text")}, asked)
}

// confirmByPasskey sends the draft that the resident's passkey signed.
func (d *Desk) confirmByPasskey(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	id := ident.Application(req.PathValue("application"))
	_, err := d.Helping.ConfirmByPasskey(req.Context(), v.Actor, id, func(draft casework.Application) error {
		return d.Signing.Check(req.Context(), draft.Applicant, signs(draft), req.PostForm.Get("passkey"))
	})
	return d.confirmed(w, req, v, err)
}

// byPaper lets the resident confirm by signing the printed summary, which is photographed.
func byPaper(r page.Reader, view casework.View, wrong page.Wrong) []ui.Component {
	photo := ui.FileInput{Question: ui.Question{Name: "photo", Label: r.Say("assist.photo"), Hint: r.Say("assist.photo-hint")}, Accept: "image/jpeg,image/png"}
	if f := wrong["photo"]; f != nil {
		photo.Error = r.Problem(f)
	}
	return []ui.Component{
		ui.Heading{Text: r.Say("assist.on-paper")},
		ui.Inset{Text: r.Say("assist.consent")},
		ui.SummaryList{Rows: []ui.SummaryRow{toFill(r.Say("assist.name")), toFill(r.Say("assist.signature")), toFill(r.Say("assist.day"))}},
		ui.Form{
			Action: draftPath(view.Application.ID) + "/sheet", Files: true,
			Hidden: []ui.Hidden{{Name: "revision", Value: strconv.FormatInt(view.Application.Revision, 10)}},
			Fields: []ui.Component{photo}, Buttons: ui.Buttons{{Text: r.Say("assist.send"), Quiet: true}},
		},
	}
}

// toFill is a line that is filled in by hand.
func toFill(term string) ui.SummaryRow {
	const noBreakSpace = "\u00a0"
	return ui.SummaryRow{Term: term, Values: []string{noBreakSpace}}
}

// sendCode sends the resident a code.
func (d *Desk) sendCode(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	id := ident.Application(req.PathValue("application"))
	if err := d.Helping.SendCode(req.Context(), v.Actor, id); err != nil {
		return err
	}
	return route.Redirect(w, req, draftPath(id))
}

// confirmByCode sends the draft with the code that the resident told.
func (d *Desk) confirmByCode(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	_, err := d.Helping.ConfirmByCode(req.Context(), v.Actor, ident.Application(req.PathValue("application")), req.PostForm.Get("code"))
	return d.confirmed(w, req, v, err)
}

// confirmed leads to the receipt, or shows the draft again with what is wrong with the confirmation.
func (d *Desk) confirmed(w http.ResponseWriter, req *http.Request, v route.Visitor, err error) error {
	if err == nil {
		return route.Redirect(w, req, assistPath+"/receipts/"+req.PathValue("application"))
	}
	if f := fault.Of(err); f.Field == "code" || f.Field == "photo" || f.Field == "passkey" {
		return d.showDraft(w, req, http.StatusUnprocessableEntity, v, page.Wrong{f.Field: f})
	}
	return err
}

var errPhoto = fault.New(fault.Invalid, "assist.photo", "Add a photo of the signed summary, at most two megabytes.").At("photo")

// confirmByPaper sends the draft with the photo of the signed summary.
func (d *Desk) confirmByPaper(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	content, err := sentPhoto(req)
	if err != nil {
		return d.confirmed(w, req, v, err)
	}
	drawn, err := photo.Redraw(content)
	if errors.Is(err, photo.ErrTooLarge) {
		return d.confirmed(w, req, v, casework.ErrLargePhoto.Because(err))
	}
	if errors.Is(err, photo.ErrNotPhoto) {
		return d.confirmed(w, req, v, errPhoto.Because(err))
	}
	if err != nil {
		return err
	}
	revision, err := strconv.ParseInt(req.PostForm.Get("revision"), 10, 64)
	if err != nil {
		revision = -1
	}
	_, err = d.Helping.ConfirmAssisted(req.Context(), v.Actor, ident.Application(req.PathValue("application")), revision, drawn)
	return d.confirmed(w, req, v, err)
}

// sentPhoto reads the file of a form.
func sentPhoto(req *http.Request) ([]byte, error) {
	sent, _, err := req.FormFile("photo")
	if err != nil {
		return nil, errPhoto.Because(err)
	}
	defer sent.Close()
	return io.ReadAll(sent)
}

const summaryPattern = "/desk/tasks/{task}/summary"

// picture is a photo that stands in the page itself: one answer, one disclosure.
type picture struct {
	Source template.URL
	About  string
}

// Template implements ui.Component.
func (picture) Template() string { return "desk-picture" }

// summary shows an official the photo of the signed summary, and asks them to say that they looked at it.
func (d *Desk) summary(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	content, err := d.Helping.Summary(req.Context(), v.Actor, taskOf(req))
	if err != nil {
		return err
	}
	r, path := d.Shared.For(v), pathOf(taskOf(req))
	source := "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(content)
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("desk.assisted-photo"), Lead: r.Say("desk.assisted-photo-text"), Back: &ui.Link{Text: r.Say("page.decision"), Href: path},
		Body: []ui.Component{
			picture{Source: template.URL(source), About: r.Say("assist.photo")}, //nolint:gosec // base64 of what the platform drew
			ui.Form{Action: path + "/summary", Buttons: ui.Buttons{{Text: r.Say("desk.assisted-looked")}}},
		},
	})
}

func (d *Desk) lookedAtSummary(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	if err := d.Helping.LookedAtSummary(req.Context(), v.Actor, taskOf(req)); err != nil {
		return err
	}
	return route.Redirect(w, req, pathOf(taskOf(req)))
}
