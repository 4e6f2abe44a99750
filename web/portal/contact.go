package portal

import (
	"net/http"
	"slices"

	"yagona/kernel/notice"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// inPerson is the choice of who wants no messages.
const inPerson = "in-person"

// ways are the texts of the channels' names.
var ways = map[string]string{"email": "contact.email", "sms": "contact.sms", "telegram": "contact.telegram"}

// deliveryStates are the texts and tones of what became of a message.
var deliveryStates = map[notice.State]struct {
	text string
	tone ui.Tone
}{
	notice.Queued: {"contact.state-queued", ui.Wait}, notice.Failed: {"contact.state-failed", ui.Wait},
	notice.Sent: {"contact.state-sent", ui.Good}, notice.Delivered: {"contact.state-delivered", ui.Good},
	notice.GivenUp: {"contact.state-given-up", ui.Bad},
}

// contact shows where messages to the visitor go.
func (p *Portal) contact(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return p.askContact(w, req, v, http.StatusOK, nil)
}

func (p *Portal) askContact(w http.ResponseWriter, req *http.Request, v route.Visitor, status int, wrong page.Wrong) error {
	r, reader := p.Shared.For(v), v.Actor.Person.Subject()
	known, err := p.Courier.Contact(req.Context(), reader)
	if err != nil {
		return err
	}
	deliveries, err := p.Notices.Deliveries(req.Context(), reader, shownAtOnce)
	if err != nil {
		return err
	}
	shown := ui.Page{
		Title: r.Say("contact.title"), Lead: r.Say("contact.lead"), Back: &ui.Link{Text: r.Say("portal.mine"), Href: page.MinePath},
	}
	if len(p.Courier.Names()) == 0 && len(known.Addresses) == 0 {
		shown.Body = []ui.Component{ui.Paragraph{Text: r.Say("contact.none-offered")}}
		return r.Render(w, status, shown)
	}
	shown.Body = append(shown.Body, chooseForm(r, known, wrong))
	for _, one := range known.Addresses {
		shown.Body = append(shown.Body, p.addressForms(r, req, one, wrong)...)
	}
	if len(p.Courier.Names()) > 0 {
		shown.Body = append(shown.Body, ui.Heading{Text: r.Say("contact.add")}, p.addForm(r, req, wrong))
	}
	shown.Body = append(shown.Body, deliveryTable(r, deliveries))
	return r.Render(w, status, shown)
}

func problemOf(r page.Reader, wrong page.Wrong, name string) string {
	if f := wrong[name]; f != nil {
		return r.Problem(f)
	}
	return ""
}

func addressText(r page.Reader, one notice.Address) string {
	if one.Channel == "telegram" || one.Value == "" {
		return r.Say(ways[one.Channel])
	}
	return one.Value
}

func chooseForm(r page.Reader, known notice.Contact, wrong page.Wrong) ui.Form {
	choice := ui.Choice{Several: true, Question: ui.Question{
		Name: "chosen", Label: r.Say("contact.where"), Hint: r.Say("contact.where-hint"), Error: problemOf(r, wrong, "chosen"),
	}}
	for _, one := range known.Addresses {
		if !one.Confirmed.IsZero() {
			choice.Options = append(choice.Options, ui.Option{
				Value: one.ID, Label: addressText(r, one), Hint: r.Say(ways[one.Channel]), Checked: one.Chosen && !known.InPerson,
			})
		}
	}
	choice.Options = append(choice.Options, ui.Option{Value: inPerson, Label: r.Say("contact.in-person"), Checked: known.InPerson})
	return ui.Form{Action: page.ContactPath, Fields: []ui.Component{choice}, Buttons: ui.Buttons{{Text: r.Say("contact.save")}}}
}

// addressForms are what can be done with an address: confirm it, remove it.
func (p *Portal) addressForms(r page.Reader, req *http.Request, one notice.Address, wrong page.Wrong) []ui.Component {
	text := addressText(r, one)
	remove := ui.Button{Text: r.Say("contact.remove", "address", text), Name: "do", Value: "remove", Quiet: true}
	form := ui.Form{Action: page.ContactPath + "/addresses/" + one.ID, Buttons: ui.Buttons{remove}}
	if !one.Confirmed.IsZero() {
		return []ui.Component{form}
	}
	body := []ui.Component{ui.Heading{Text: text + ": " + r.Say("contact.waiting")}}
	if invitation := p.Courier.Invitation(one); invitation != "" {
		return append(body, ui.Paragraph{Text: r.Say("contact.send-code")}, ui.Code{Text: one.Code},
			ui.Buttons{{Text: r.Say("contact.open-bot"), Href: invitation}}, form)
	}
	code := ui.TextInput{Short: true, Keyboard: "numeric", Autocomplete: "one-time-code", Question: ui.Question{
		Name: "code-" + one.ID, Label: r.Say("contact.type-code", "address", text), Hint: r.Say("contact.code-hint"),
	}}
	if req.PathValue("address") == one.ID {
		code.Error = problemOf(r, wrong, "code")
	}
	form.Fields = []ui.Component{code}
	form.Buttons = ui.Buttons{{Text: r.Say("contact.confirm"), Name: "do", Value: "confirm"}, remove}
	return append(body, form)
}

func (p *Portal) addForm(r page.Reader, req *http.Request, wrong page.Wrong) ui.Form {
	way := ui.Choice{Question: ui.Question{Name: "channel", Label: r.Say("contact.way"), Error: problemOf(r, wrong, "channel")}}
	for _, name := range p.Courier.Names() {
		way.Options = append(way.Options, ui.Option{Value: name, Label: r.Say(ways[name]), Checked: req.PostForm.Get("channel") == name})
	}
	address := ui.TextInput{Value: req.PostForm.Get("address"), Question: ui.Question{
		Name: "address", Label: r.Say("contact.address"), Hint: r.Say("contact.address-hint"), Error: problemOf(r, wrong, "address"), Optional: true,
	}}
	return ui.Form{
		Action: page.ContactPath + "/addresses", Fields: []ui.Component{way, address}, Buttons: ui.Buttons{{Text: r.Say("contact.add")}},
	}
}

func deliveryTable(r page.Reader, deliveries []notice.Delivery) ui.Table {
	table := ui.Table{Caption: r.Say("contact.sent"), Empty: r.Say("contact.none-sent"), Columns: []ui.Column{
		{Text: r.Say("contact.when")}, {Text: r.Say("contact.way")}, {Text: r.Say("contact.state")},
	}}
	for _, one := range deliveries {
		state := deliveryStates[one.State]
		table.Rows = append(table.Rows, ui.TableRow{
			{Text: r.Moment(one.Changed)}, {Text: r.Say(ways[one.Channel])}, {Status: &ui.Tag{Text: r.Say(state.text), Tone: state.tone}},
		})
	}
	return table
}

func (p *Portal) chooseContact(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	chosen := req.PostForm["chosen"]
	none := slices.Contains(chosen, inPerson)
	chosen = slices.DeleteFunc(slices.Clone(chosen), func(id string) bool { return id == inPerson })
	return p.contactChanged(w, req, v, p.Courier.Choose(req.Context(), v.Actor.Person.Subject(), chosen, none, v.Language))
}

func (p *Portal) addAddress(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	_, err := p.Courier.AddAddress(req.Context(), v.Actor.Person.Subject(), req.PostForm.Get("channel"), req.PostForm.Get("address"), v.Language)
	return p.contactChanged(w, req, v, err)
}

func (p *Portal) changeAddress(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	reader, id := v.Actor.Person.Subject(), req.PathValue("address")
	if req.PostForm.Get("do") == "remove" {
		return p.contactChanged(w, req, v, p.Courier.Remove(req.Context(), reader, id))
	}
	return p.contactChanged(w, req, v, p.Courier.Confirm(req.Context(), reader, id, req.PostForm.Get("code-"+id)))
}

// contactChanged goes back to the page, or shows it with what is wrong.
func (p *Portal) contactChanged(w http.ResponseWriter, req *http.Request, v route.Visitor, err error) error {
	if wrong, ok := correctable(err); ok {
		return p.askContact(w, req, v, http.StatusUnprocessableEntity, wrong)
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, req, page.ContactPath)
}
