package desk

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	_ "image/png" // photos and scans
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
	"golang.org/x/image/draw"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// Helping is what the pages need of casework to write an application down for a resident.
type Helping interface {
	Assist(ctx context.Context, by access.Actor, applicant ident.Person, id ident.Application, path ident.Service, language string, answers map[string]any) (casework.Application, error)
	AssistedDraft(ctx context.Context, by access.Actor, id ident.Application) (casework.View, error)
	ConfirmAssisted(ctx context.Context, by access.Actor, id ident.Application, revision int64, photo []byte) (casework.Receipt, error)
	Summary(ctx context.Context, by access.Actor, id ident.Task) ([]byte, error)
	Progress(ctx context.Context, id ident.Application) (casework.Progress, error)
}

// People finds who has a national number, or fault.NotFound.
type People interface {
	ByNumber(ctx context.Context, number string) (ident.Person, error)
}

const (
	assistPath = page.DeskPath + "/assist"
	statusPath = "/status"
	askPrefix  = "ask."
	photoForm  = 12 << 20 // a photo as telephones make them, and the form around it
	widest     = 1600     // pixels of a photo that is kept: a signed sheet stays readable
	mostPixels = 64 << 20 // of a photo that is opened
)

func (d *Desk) assistRoutes() []route.Route {
	const draft = assistPath + "/drafts/{application}"
	show := func(pattern string, access route.Access, handle route.Handler) route.Route {
		return route.Route{Method: "GET", Pattern: pattern, Access: access, Handle: handle}
	}
	return []route.Route{
		show(assistPath, route.Official(), d.assist),
		show(assistPath+"/{pack}/{service}", route.Official(), d.assistForm),
		{Method: "POST", Pattern: assistPath + "/{pack}/{service}", Access: route.Official(), Body: decisionForm, Handle: route.Form(d.writeDown)},
		show(draft, route.Official(), d.assistDraft),
		{Method: "POST", Pattern: draft + "/confirm", Access: route.Official(), Body: photoForm, Timeout: takeTimeout, Handle: route.Form(d.confirm)},
		show(assistPath+"/receipts/{application}", route.Official(), d.assistReceipt),
		show("/desk/tasks/{task}/summary", route.Official(), d.summary),
		show(statusPath+"/{application}", route.Public(), d.status),
	}
}

func draftPath(id ident.Application) string { return assistPath + "/drafts/" + string(id) }

// assist lists the services that a resident can be helped with.
func (d *Desk) assist(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
	r := d.Shared.For(v)
	cards := ui.Cards{}
	for _, one := range r.Sorted(d.Services().All(d.Shared.Today())) {
		if slices.Contains(one.For, "person") {
			cards.Items = append(cards.Items, ui.Card{Title: r.In(one.Title), Href: assistPath + "/" + string(one.Path), Text: r.In(one.Summary)})
		}
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("assist.title"), Lead: r.Say("assist.lead"), Back: &ui.Link{Text: r.Say("page.inbox"), Href: page.DeskPath}, Wide: true,
		Body: []ui.Component{cards},
	})
}

func (d *Desk) assistedService(req *http.Request) (*service.Definition, error) {
	return d.Services().Open(ident.Service(req.PathValue("pack")+"/"+req.PathValue("service")), d.Shared.Today())
}

func (d *Desk) assistForm(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	definition, err := d.assistedService(req)
	if err != nil {
		return err
	}
	return d.showAssist(w, http.StatusOK, v, definition, page.Typed{}, nil)
}

// showAssist asks an official everything at once that the service asks: they write down what the resident tells them.
func (d *Desk) showAssist(w http.ResponseWriter, status int, v route.Visitor, definition *service.Definition, typed page.Typed, wrong page.Wrong) error {
	r := d.Shared.For(v)
	say := func(name string) string {
		if f := wrong[name]; f != nil {
			return r.Problem(f)
		}
		return ""
	}
	scheme := d.Shared.Words.Profile.Person
	fields := []ui.Component{ui.TextInput{
		Question: ui.Question{
			Name: "number", Label: r.Say("assist.number", "name", scheme.Labels.In(r.Language, d.Shared.Words.Profile.Authoritative())),
			Hint: r.Say("assist.number-hint"), Error: say("number"),
		},
		Value: typed.Get("number"), Short: true, Keyboard: "numeric",
	}}
	write := ui.Form{Action: assistPath + "/" + string(definition.Path), Hidden: []ui.Hidden{{Name: "application", Value: applicationID(typed, d)}}}
	for _, question := range definition.Ask {
		one := question.Definition
		one.Optional = one.Optional || question.When != nil // whether it is asked follows from the other answers
		fields = append(fields, r.Inputs(one, askPrefix+one.Name, typed, wrong, false)...)
		buttons, hidden := r.ListButtons(one, askPrefix+one.Name, typed)
		write.Hidden = append(write.Hidden, hidden...)
		write.Buttons = append(write.Buttons, buttons...)
	}
	write.Fields = fields
	write.Buttons = append(ui.Buttons{{Text: r.Say("assist.write-down")}}, write.Buttons...)
	return r.Render(w, status, ui.Page{
		Title: r.In(definition.Title), Caption: r.Say("assist.title"), Lead: r.Say("assist.form-lead"),
		Back: &ui.Link{Text: r.Say("assist.title"), Href: assistPath}, Body: []ui.Component{write},
	})
}

// applicationID returns the id that a form names, so that a form sent twice begins one application.
func applicationID(typed page.Typed, d *Desk) string {
	if id := typed.Get("application"); id != "" {
		return id
	}
	return ident.New[string](d.Shared.Clock())
}

// writeDown stores a draft for a resident.
func (d *Desk) writeDown(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	definition, err := d.assistedService(req)
	if err != nil {
		return err
	}
	typed, wrong := req.PostForm, page.Wrong{}
	for _, one := range definition.Ask {
		if page.Resize(typed, askPrefix+one.Name, one.Definition, typed.Get("do")) {
			return d.showAssist(w, http.StatusOK, v, definition, typed, nil)
		}
	}
	var asked []field.Definition
	for _, question := range definition.Ask {
		one := question.Definition
		one.Optional = one.Optional || question.When != nil
		asked = append(asked, one)
	}
	answers := d.values(askPrefix, asked, typed, wrong)
	applicant, err := d.People.ByNumber(req.Context(), strings.TrimSpace(typed.Get("number")))
	switch {
	case fault.Is(err, fault.NotFound):
		wrong["number"] = fault.Of(err)
	case err != nil:
		return err
	}
	if len(wrong) > 0 {
		return d.showAssist(w, http.StatusUnprocessableEntity, v, definition, typed, wrong)
	}
	draft, err := d.Helping.Assist(req.Context(), v.Actor, applicant, ident.Application(typed.Get("application")), definition.Path, v.Language, answers)
	if f := fault.Of(err); err != nil && f.Kind == fault.Invalid {
		for _, one := range route.Faults(err) {
			wrong[askPrefix+one.Field] = one
		}
		return d.showAssist(w, http.StatusUnprocessableEntity, v, definition, typed, wrong)
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, req, draftPath(draft.ID))
}

// assistDraft shows what was written down: to be printed, read to the resident, signed, photographed and sent.
func (d *Desk) assistDraft(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return d.showDraft(w, req, http.StatusOK, v, "")
}

func (d *Desk) showDraft(w http.ResponseWriter, req *http.Request, status int, v route.Visitor, problem string) error {
	id := ident.Application(req.PathValue("application"))
	view, err := d.Helping.AssistedDraft(req.Context(), v.Actor, id)
	if fault.Code(err) == "application.sent" {
		return route.Redirect(w, req, assistPath+"/receipts/"+string(id))
	}
	if err != nil {
		return err
	}
	r, held := d.Shared.For(v), v.Actor.Appointment
	answers := r.Answers(view, nil, nil)
	answers.Title = r.In(view.Definition.Title)
	body := []ui.Component{
		ui.SummaryList{Rows: []ui.SummaryRow{
			{Term: r.Say("desk.number"), Values: []string{string(id)}},
			{Term: r.Say("assist.helper"), Values: []string{r.Role(held.Agency, held.Role) + ", " + r.Place(held.Territory)}},
		}},
		answers,
		ui.Inset{Text: r.Say("assist.consent")},
		ui.SummaryList{Rows: []ui.SummaryRow{toFill(r.Say("assist.name")), toFill(r.Say("assist.signature")), toFill(r.Say("assist.day"))}},
		ui.Heading{Text: r.Say("assist.confirm")},
		ui.Form{
			Action: draftPath(id) + "/confirm", Files: true, Hidden: []ui.Hidden{{Name: "revision", Value: strconv.FormatInt(view.Application.Revision, 10)}},
			Fields: []ui.Component{ui.FileInput{
				Question: ui.Question{Name: "photo", Label: r.Say("assist.photo"), Hint: r.Say("assist.photo-hint"), Error: problem}, Accept: "image/jpeg,image/png",
			}},
			Buttons: ui.Buttons{{Text: r.Say("assist.send")}},
		},
	}
	return r.Render(w, status, ui.Page{
		Title: r.Say("assist.summary"), Lead: r.Say("assist.summary-lead"), Body: body, Back: &ui.Link{Text: r.Say("page.inbox"), Href: page.DeskPath},
	})
}

// toFill is a line that is filled in by hand.
func toFill(term string) ui.SummaryRow {
	const noBreakSpace = "\u00a0"
	return ui.SummaryRow{Term: term, Values: []string{noBreakSpace}}
}

var errPhoto = fault.New(fault.Invalid, "assist.photo", "Add a photo of the signed summary, at most two megabytes.").At("photo")

// confirm sends the draft with the photo of the signed summary.
func (d *Desk) confirm(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	id := ident.Application(req.PathValue("application"))
	photo, err := photoOf(req)
	if err == nil {
		revision, parsed := strconv.ParseInt(req.PostForm.Get("revision"), 10, 64)
		if parsed != nil {
			revision = -1
		}
		_, err = d.Helping.ConfirmAssisted(req.Context(), v.Actor, id, revision, photo)
	}
	f := fault.Of(err)
	switch {
	case err == nil:
		return route.Redirect(w, req, assistPath+"/receipts/"+string(id))
	case f.Code == errPhoto.Code:
		return d.showDraft(w, req, http.StatusUnprocessableEntity, v, d.Shared.For(v).Problem(f))
	}
	return err
}

// photoOf reads the photo of a form and draws it anew, smaller: what the file says beside the picture is gone.
func photoOf(req *http.Request) ([]byte, error) {
	sent, _, err := req.FormFile("photo")
	if err != nil {
		return nil, errPhoto.Because(err)
	}
	defer sent.Close()
	content, err := io.ReadAll(sent)
	if err != nil {
		return nil, err
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil || size.Width < 1 || size.Height < 1 || size.Width > mostPixels/size.Height {
		return nil, errPhoto.Because(err)
	}
	picture, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, errPhoto.Because(err)
	}
	scale := min(1, float64(widest)/float64(max(size.Width, size.Height)))
	drawn := image.NewRGBA(image.Rect(0, 0, max(1, int(float64(size.Width)*scale)), max(1, int(float64(size.Height)*scale))))
	draw.ApproxBiLinear.Scale(drawn, drawn.Bounds(), picture, picture.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, drawn, &jpeg.Options{Quality: 80}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// summary shows an official who decides the photo of the signed summary.
func (d *Desk) summary(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	photo, err := d.Helping.Summary(req.Context(), v.Actor, taskOf(req))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Content-Disposition", "inline")
	_, err = w.Write(photo)
	return err
}

// receiptCode is a code that a telephone's camera reads.
type receiptCode struct {
	Label, Path string
	Side        int
}

// Template implements ui.Component.
func (receiptCode) Template() string { return "desk-code" }

// codeOf draws an address as a QR code (ISO/IEC 18004, level M), with the four modules of quiet around it.
func codeOf(label, address string) (receiptCode, error) {
	code, err := qr.Encode(address, qr.M, qr.Auto)
	if err != nil {
		return receiptCode{}, err
	}
	const quiet = 4
	var path strings.Builder
	bounds := code.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if dark, _, _, _ := code.At(x, y).RGBA(); dark == 0 {
				path.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h1v1h-1z")
			}
		}
	}
	return receiptCode{Label: label, Path: path.String(), Side: bounds.Dx() + 2*quiet}, nil
}

// assistReceipt is printed for the resident: the number, and a code that leads to where it says how far it is. It names
// neither them nor the service.
func (d *Desk) assistReceipt(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	id := ident.Application(req.PathValue("application"))
	if _, err := d.Helping.Progress(req.Context(), id); err != nil {
		return err
	}
	r := d.Shared.For(v)
	address := d.Site + statusPath + "/" + string(id)
	code, err := codeOf(r.Say("assist.code"), address)
	if err != nil {
		return err
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("assist.receipt"), Lead: r.Say("assist.receipt-lead"), Back: &ui.Link{Text: r.Say("page.inbox"), Href: page.DeskPath},
		Body: []ui.Component{
			ui.Receipt{Title: r.Say("assist.sent"), Label: r.Say("desk.number"), Number: string(id), Text: r.Say("assist.keep")},
			code,
			ui.List{Items: []ui.Link{{Text: address, Href: statusPath + "/" + string(id)}}},
		},
	})
}

// status says how far an application is, to whoever has its number, and nothing else of it.
func (d *Desk) status(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	progress, err := d.Helping.Progress(req.Context(), ident.Application(req.PathValue("application")))
	if err != nil {
		return err
	}
	r := d.Shared.For(v)
	tone := map[casework.Progress]ui.Tone{casework.ProgressReceived: ui.Info, casework.ProgressDecided: ui.Good}[progress]
	if tone == "" {
		tone = ui.Plain
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("assist.status"), Body: []ui.Component{
			ui.Tag{Text: r.Say("progress." + string(progress)), Tone: tone},
			ui.Paragraph{Text: r.Say("progress." + string(progress) + "-text")},
		},
	})
}
