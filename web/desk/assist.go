package desk

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/page"
	"yagona/web/passkey"
	"yagona/web/route"
	"yagona/web/ui"
)

// Helping is what the pages need of casework to write an application down for a resident.
type Helping interface {
	Assist(ctx context.Context, by access.Actor, told casework.Dictated) (casework.Application, error)
	AssistedDrafts(ctx context.Context, by access.Actor) ([]casework.Application, error)
	AssistedDraft(ctx context.Context, by access.Actor, id ident.Application) (casework.View, error)
	CanConfirmByCode(ctx context.Context, by access.Actor, id ident.Application) (bool, error)
	SendCode(ctx context.Context, by access.Actor, id ident.Application) error
	ConfirmByCode(ctx context.Context, by access.Actor, id ident.Application, code string) (casework.Receipt, error)
	ConfirmByPasskey(ctx context.Context, by access.Actor, id ident.Application, verify func(draft casework.Application) error) (casework.Receipt, error)
	ConfirmAssisted(ctx context.Context, by access.Actor, id ident.Application, revision int64, photo []byte) (casework.Receipt, error)
	Summary(ctx context.Context, by access.Actor, id ident.Task) ([]byte, error)
	LookedAtSummary(ctx context.Context, by access.Actor, id ident.Task) error
	Progress(ctx context.Context, id ident.Application) (casework.Progress, error)
}

// Signing is what the pages need of passkeys.
type Signing interface {
	Ask(ctx context.Context, owner ident.Subject, purpose string) (passkey.Asked, bool, error)
	Check(ctx context.Context, owner ident.Subject, purpose, response string) error
}

// People finds who has a national number, or fault.NotFound.
type People interface {
	ByNumber(ctx context.Context, number string) (ident.Person, error)
}

const (
	assistPath = page.AssistPath
	statusPath = "/status"
	askPrefix  = "ask."
	photoForm  = casework.LargestPhoto + 64<<10 // a photo, and the form around it
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
		{Method: "POST", Pattern: draft + "/code", Access: route.Official(), Body: smallForm, Handle: route.Form(d.sendCode)},
		{Method: "POST", Pattern: draft + "/confirm", Access: route.Official(), Body: smallForm, Timeout: takeTimeout, Handle: route.Form(d.confirmByCode)},
		{Method: "POST", Pattern: draft + "/passkey", Access: route.Official(), Body: smallForm, Timeout: takeTimeout, Handle: route.Form(d.confirmByPasskey)},
		{Method: "POST", Pattern: draft + "/sheet", Access: route.Official(), Body: photoForm, Timeout: photoTimeout, Handle: route.Form(d.confirmByPaper)},
		show(assistPath+"/receipts/{application}", route.Official(), d.assistReceipt),
		show(summaryPattern, route.Official(), d.summary),
		{Method: "POST", Pattern: summaryPattern, Access: route.Official(), Body: smallForm, Handle: route.Form(d.lookedAtSummary)},
		show(statusPath+"/{application}", route.Public(), d.status),
	}
}

func draftPath(id ident.Application) string { return assistPath + "/drafts/" + string(id) }

// assist lists what the official wrote down and nobody has confirmed yet, and the services that a resident can be helped
// with.
func (d *Desk) assist(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	r := d.Shared.For(v)
	waiting, err := d.Helping.AssistedDrafts(req.Context(), v.Actor)
	if err != nil {
		return err
	}
	var body []ui.Component
	if len(waiting) > 0 {
		list := ui.TaskList{}
		for _, one := range waiting {
			list.Items = append(list.Items, ui.TaskItem{
				Title: r.Service(one.Service), Href: draftPath(one.ID), Status: ui.Tag{Text: r.Say("assist.unconfirmed"), Tone: ui.Wait},
				Hint: r.Say("assist.written-until", "when", r.Moment(one.Created), "until", r.LastDay(one.Expires)),
			})
		}
		body = append(body, ui.Heading{Text: r.Say("assist.waiting")}, list, ui.Heading{Text: r.Say("assist.begin")})
	}
	cards := ui.Cards{}
	for _, one := range r.Sorted(d.Services().All(d.Shared.Today())) {
		if slices.Contains(one.For, "person") {
			cards.Items = append(cards.Items, ui.Card{Title: r.In(one.Title), Href: assistPath + "/" + string(one.Path), Text: r.In(one.Summary)})
		}
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("assist.title"), Lead: r.Say("assist.lead"), Back: &ui.Link{Text: r.Say("page.inbox"), Href: page.DeskPath}, Wide: true,
		Body: append(body, cards),
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
	typed := v.Typed
	if typed == nil {
		typed = page.Typed{}
	}
	return d.showAssist(w, http.StatusOK, v, definition, typed, nil)
}

// showAssist asks an official everything at once that the service asks: they write down what the resident tells them.
func (d *Desk) showAssist(w http.ResponseWriter, status int, v route.Visitor, definition *service.Definition, typed page.Typed, wrong page.Wrong) error {
	r := d.Shared.For(v)
	write := d.assistQuestions(r, definition, typed, wrong)
	write.Hidden = append(write.Hidden, ui.Hidden{Name: "application", Value: applicationID(typed, d)})
	return r.Render(w, status, ui.Page{
		Title: r.In(definition.Title), Caption: r.Say("assist.title"), Lead: r.Say("assist.form-lead"),
		Back: &ui.Link{Text: r.Say("assist.title"), Href: assistPath}, Body: []ui.Component{write},
	})
}

// assistQuestions is the form in which an official writes an application down.
func (d *Desk) assistQuestions(r page.Reader, definition *service.Definition, typed page.Typed, wrong page.Wrong) ui.Form {
	scheme := d.Shared.Words.Profile.Person
	number := ui.TextInput{
		Question: ui.Question{
			Name: "number", Label: r.Say("assist.number", "name", scheme.Labels.In(r.Language, d.Shared.Words.Profile.Authoritative())),
			Hint: r.Say("assist.number-hint"),
		},
		Value: typed.Get("number"), Short: true, Keyboard: "numeric",
	}
	if f := wrong["number"]; f != nil {
		number.Error = r.Problem(f)
	}
	write := ui.Form{Action: assistPath + "/" + string(definition.Path), Fields: []ui.Component{number}, Buttons: ui.Buttons{{Text: r.Say("assist.write-down")}}}
	for _, question := range definition.Ask {
		one := question.Definition
		one.Optional = one.Optional || question.When != nil // whether it is asked follows from the other answers
		write.Fields = append(write.Fields, r.Inputs(one, askPrefix+one.Name, typed, wrong, false)...)
		buttons, hidden := r.ListButtons(one, askPrefix+one.Name, typed)
		write.Hidden = append(write.Hidden, hidden...)
		write.Buttons = append(write.Buttons, buttons...)
	}
	return write
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
	told, err := d.dictated(req.Context(), definition, typed, wrong)
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return d.showAssist(w, http.StatusUnprocessableEntity, v, definition, typed, wrong)
	}
	told.ID, told.Language = ident.Application(typed.Get("application")), v.Language
	draft, err := d.Helping.Assist(req.Context(), v.Actor, told)
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

// dictated reads what an official typed into the form of a service, for whom it names.
func (d *Desk) dictated(ctx context.Context, definition *service.Definition, typed page.Typed, wrong page.Wrong) (casework.Dictated, error) {
	var asked []field.Definition
	for _, question := range definition.Ask {
		one := question.Definition
		one.Optional = one.Optional || question.When != nil
		asked = append(asked, one)
	}
	told := casework.Dictated{Service: definition.Path, Answers: d.values(askPrefix, asked, typed, wrong)}
	var err error
	told.Applicant, err = d.People.ByNumber(ctx, strings.TrimSpace(typed.Get("number")))
	if fault.Is(err, fault.NotFound) {
		wrong["number"], err = fault.Of(err), nil
	}
	return told, err
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
