package portal

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/practice"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// published is how long the keys and the revocations that a verification uses count.
const published = time.Hour

func standingTag(r page.Reader, state document.State) ui.Tag {
	tone := ui.Bad
	switch state {
	case document.Valid:
		tone = ui.Good
	case document.NotYetValid, document.Expired, document.Suspended, document.UnknownKey, document.Unreadable:
		tone = ui.Wait
	}
	return ui.Tag{Text: r.Say("verify." + string(state)), Tone: tone}
}

// documentTitle returns what a document of a service is called.
func (p *Portal) documentTitle(r page.Reader, stored document.Stored) string {
	if stored.Type == practice.CertificateType {
		return r.Say("practice.certificate")
	}
	definition, err := r.Names().Service(stored.Service)
	if err != nil || definition.Output.Document == nil || definition.Output.Document.Type != stored.Type {
		return stored.Type
	}
	return r.In(definition.Output.Document.Title)
}

func (p *Portal) showVerify(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
	return p.askDocument(w, http.StatusOK, p.Shared.For(v), "", nil)
}

// askDocument asks for a document; above the form stands the result of the one before.
func (p *Portal) askDocument(w http.ResponseWriter, status int, r page.Reader, mistake string, result []ui.Component) error {
	body := append(result, ui.Form{Files: true, Action: page.VerifyPath, Buttons: ui.Buttons{{Key: "actions.verify"}}, Fields: []ui.Component{
		ui.FileInput{Question: ui.Question{Name: "file", Label: r.Say("verify.file"), Hint: r.Say("verify.file-hint"), Error: mistake}, Accept: "application/pdf,.pdf"},
		ui.TextInput{Question: ui.Question{Name: "payload", Label: r.Say("verify.payload"), Hint: r.Say("verify.payload-hint")}, Lines: 4},
		ui.Camera{Text: r.Say("verify.camera")},
	}}, ui.Details{Summary: r.Say("verify.offline"), Body: []ui.Component{ui.Paragraph{Text: r.Say("verify.offline-text")}}})
	return r.Render(w, status, ui.Page{Title: r.Say("page.verify-document"), Lead: r.Say("verify.lead"), Body: body, Scripts: []string{p.Shared.House.Script("camera.js")}})
}

// verify says what a file or the text of a QR code is worth. Nothing of it is kept.
func (p *Portal) verify(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	r := p.Shared.For(v)
	content, err := uploaded(req)
	if err != nil {
		return err
	}
	if len(content) == 0 {
		return p.askDocument(w, http.StatusUnprocessableEntity, r, r.Say("verify.nothing"), nil)
	}
	if id := ident.Document(content); len(content) == 36 {
		if _, err := ident.Parse[ident.Document](string(id)); err == nil {
			return route.Redirect(w, req, page.VerifyPath+"/"+string(id))
		}
	}
	result, err := p.examine(req.Context(), content)
	if err != nil {
		return err
	}
	return p.askDocument(w, http.StatusOK, r, "", verdict(r, result))
}

func uploaded(r *http.Request) ([]byte, error) {
	file, _, err := r.FormFile("file")
	if err == nil {
		defer file.Close()
		content, err := io.ReadAll(file)
		if err != nil || len(content) > 0 {
			return content, err
		}
	}
	return bytes.TrimSpace([]byte(strings.Trim(r.PostForm.Get("payload"), "\r\n"))), nil
}

func (p *Portal) examine(ctx context.Context, content []byte) (document.Result, error) {
	now := p.Shared.Clock().UTC().Truncate(time.Second)
	revocations, err := p.Documents.Revocations(ctx, now, now.Add(published))
	if err != nil {
		return document.Result{}, err
	}
	keys := document.NewKeySet(p.Documents.Node, p.Keys.Keys(), now, now.Add(published))
	return document.Verify(content, keys, revocations, now), nil
}

func verdict(r page.Reader, result document.Result) []ui.Component {
	state := standingTag(r, result.State)
	body := []ui.Component{ui.Banner{Tone: state.Tone, Title: state.Text, Text: r.Problem(result.Fault())}}
	if result.Claims == nil {
		return body
	}
	claims := result.Claims
	rows := []ui.SummaryRow{
		{Term: r.Say("portal.document"), Values: []string{claims.Title}},
		{Term: r.Say("verify.issuer"), Values: []string{r.Agency(claims.Agency)}},
		{Term: r.Say("document.issued"), Values: []string{r.Day(claims.Issued)}},
	}
	if !claims.Until.IsZero() {
		rows = append(rows, ui.SummaryRow{Term: r.Say("document.until"), Values: []string{r.LastDay(claims.Until)}})
	}
	for _, fact := range claims.Facts {
		rows = append(rows, ui.SummaryRow{Term: fact.Label, Values: []string{fact.Value}})
	}
	rows = append(rows, ui.SummaryRow{Term: r.Say("document.number"), Values: []string{string(claims.ID)}})
	return append(body, ui.SummaryList{Title: r.Say("verify.says"), Rows: rows}, ui.Paragraph{Text: r.Say("verify.compare")})
}

// standing says whether a document counts, and nothing of whom or what it is about.
func (p *Portal) standing(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	id := ident.Document(req.PathValue("document"))
	found, err := p.Documents.Standing(req.Context(), id, p.Shared.Clock())
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	state := standingTag(r, found.State)
	banner := ui.Banner{Tone: state.Tone, Title: state.Text, Text: r.Say("verify.standing-text")}
	switch {
	case found.State == document.Suspended:
		banner.Text = r.Say("verify.suspended-on", "date", r.Day(found.Revoked))
	case !found.Revoked.IsZero():
		banner.Text = r.Say("verify.revoked-on", "date", r.Day(found.Revoked))
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("page.verify-document"), Caption: r.Say("verify.number", "number", string(id)),
		Back: &ui.Link{Text: r.Say("page.verify-document"), Href: page.VerifyPath}, Body: []ui.Component{banner, ui.Paragraph{Text: r.Say("verify.standing-more")}},
	})
}

// log tells how anybody verifies the transparency log.
func (p *Portal) log(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	r := p.Shared.For(v)
	checkpoint, err := p.Trail.Log.Resource(req.Context(), "checkpoint")
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	key, err := p.LogKey(req.Context())
	if err != nil {
		return err
	}
	body := []ui.Component{
		ui.Paragraph{Text: r.Say("log.what")},
		ui.SummaryList{Title: r.Say("log.facts"), Rows: []ui.SummaryRow{
			{Term: r.Say("log.name"), Values: []string{p.Origin}},
			{Term: r.Say("log.key"), Values: []string{key}},
			{Term: r.Say("log.files"), Values: []string{"/log/checkpoint", "/log/tile/…"}},
		}},
		ui.Heading{Text: r.Say("log.how")},
		ui.Texts(r.Say("log.step-1"), r.Say("log.step-2"), r.Say("log.step-3"), r.Say("log.step-4")),
	}
	if len(checkpoint) > 0 {
		body = append(body, ui.Heading{Text: r.Say("proof.checkpoint")}, ui.Code{Text: string(checkpoint)},
			ui.List{Items: []ui.Link{{Text: r.Say("log.download"), Href: "/log/checkpoint"}}})
	}
	return r.Render(w, http.StatusOK, ui.Page{Title: r.Say("log.title"), Lead: r.Say("log.lead"), Body: body})
}
