package portal

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"yagona/kernel/exchange"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/locale"
	"yagona/web/page"
	"yagona/web/reading"
	"yagona/web/route"
	"yagona/web/ui"
)

const readingsAtOnce = 25

func eventPath(id ident.Event) string { return "/me/events/" + string(id) }

// readings shows who read which of the visitor's data, when and for what.
func (p *Portal) readings(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	r := p.Shared.For(v)
	before := ident.Event(req.URL.Query().Get("before"))
	entries, next, err := p.Trail.Page(req.Context(), v.Actor.Person.Subject(), before, readingsAtOnce)
	if err != nil {
		return err
	}
	table := ui.Table{Caption: r.Say("reading.caption"), Empty: r.Say("reading.empty"), Columns: []ui.Column{
		{Text: r.Say("reading.when")}, {Text: r.Say("reading.who")}, {Text: r.Say("reading.what")}, {Text: r.Say("reading.for")},
	}}
	for _, entry := range entries {
		told := tellReading(r, entry)
		if told.who, err = p.reader(req.Context(), r, entry, told.who); err != nil {
			return err
		}
		table.Rows = append(table.Rows, ui.TableRow{
			{Text: r.Moment(entry.Header.At), Href: eventPath(entry.Event.ID)}, {Text: told.who}, {Text: told.what}, {Text: told.purpose},
		})
	}
	if next != "" || before != "" {
		table.Pages = &ui.Pagination{}
		if next != "" {
			table.Pages.Next = page.ReadingsPath + "?before=" + string(next)
		}
		if before != "" {
			table.Pages.Previous = page.ReadingsPath
		}
	}
	body := []ui.Component{table, ui.List{Items: []ui.Link{{Text: r.Say("log.title"), Href: page.LogPath}}}}
	missing, err := p.Trail.Missing(req.Context())
	if err != nil {
		return err
	}
	if missing != nil {
		body = append([]ui.Component{missingWords(r, *missing)}, body...)
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("page.who-read-my-data"), Lead: r.Say("reading.lead"), Wide: true, Body: body,
	})
}

// missingWords says which months are in archives that are not connected, and whom to ask for them.
func missingWords(r page.Reader, missing reading.Missing) ui.Banner {
	keeper := r.Say("reading.operator")
	if missing.Ask != "" {
		keeper = r.Agency(missing.Ask)
	}
	return ui.Banner{Tone: ui.Wait, Title: r.Say("reading.missing-title"), Text: r.Say("reading.missing",
		"from", monthWords(missing.From), "until", monthWords(missing.Until), "archives", strings.Join(missing.Archives, ", "), "agency", keeper)}
}

// monthWords writes "2025-01" as the figures that every language reads: 01.2025.
func monthWords(month string) string {
	year, number, _ := strings.Cut(month, "-")
	return number + "." + year
}

// reader says who read: somebody who may act for the visitor by name, everybody else as they were told.
func (p *Portal) reader(ctx context.Context, r page.Reader, entry reading.Entry, otherwise string) (string, error) {
	by := entry.Header.Actor
	if by.Person == "" || by.Agency != "" || entry.Opening == nil || by.Person.Subject() == entry.Opening.Subject {
		return otherwise, nil
	}
	if known, err := p.Representatives.IsKnown(ctx, by.Person, entry.Opening.Subject); err != nil || !known {
		return otherwise, err
	}
	name, err := page.NameOf(ctx, p.Representatives, r, by.Person.Subject())
	return r.Say("representation.reader", "name", name), err
}

// told is one reading in words.
type told struct {
	who, what, purpose, service, delayed string
	several                              []exchange.Disclosed // what was asked at once, for several services
}

func tellReading(r page.Reader, entry reading.Entry) told {
	// An entry is either an evidence that was answered, or an application that an official read.
	var said struct {
		exchange.Disclosed
		exchange.DisclosedTogether
		Step string `json:"step"`
	}
	shown := told{who: r.Actor(entry.Header.Actor), what: r.Event(entry.Header.Type), purpose: r.Purpose(entry.Header.Purpose)}
	if population := entry.Header.Population; population != nil && entry.Header.Type == "register.matched" {
		shown.what = r.Say("reading.matched", "register", r.Register(ident.Register(entry.Header.Facts["register"])), "place", r.Place(population.Of))
		return shown
	} else if population != nil {
		shown.what = r.Say("reading.counted", "place", r.Place(population.Of), "count", r.Words.Value(r.Language, residents(entry.Header)))
		shown.service = r.Service(ident.Service(entry.Header.Facts["service"]))
		shown.purpose += ": " + shown.service
		return shown
	}
	if entry.Times > 1 {
		shown.what = r.Say("reading.own-times", "count", entry.Times, "date", r.Moment(entry.Since))
		return shown
	}
	if entry.Opening == nil || entry.Told(&said) != nil {
		shown.what = r.Say("reading.erased")
		return shown
	}
	if said.Evidence != "" {
		shown.what = evidenceWords(r, said.Disclosed)
		if said.Asking != "" && entry.Header.Actor.Agency == "" {
			shown.who = r.Agency(said.Asking)
			switch asked := entry.Header.Actor.Person; {
			case asked != "" && entry.Opening.Subject == asked.Subject():
				shown.who = r.Say("reading.for-you", "agency", r.Agency(said.Asking))
			case asked != "":
				shown.who = r.Say("reading.asked-by", "agency", r.Agency(said.Asking), "who", r.Actor(entry.Header.Actor))
			}
		}
	}
	if len(said.Together) > 0 {
		shown.several = said.Together
		shown.who, shown.what = severalWords(r, said.Together)
		said.Delayed = said.Together[0].Delayed // one law delays one entry
	}
	if said.Service != "" {
		shown.service = r.Service(said.Service)
		shown.purpose += ": " + shown.service
	}
	if !entry.Shown.IsZero() {
		shown.delayed = r.Say("reading.delayed", "date", r.Day(entry.Shown), "law", said.Delayed)
		shown.what += ". " + shown.delayed
	}
	return shown
}

// severalWords says how many agencies looked at how much, for how many services.
func severalWords(r page.Reader, all []exchange.Disclosed) (who, what string) {
	agencies, evidence, services := map[ident.Agency]bool{}, map[ident.Evidence]bool{}, map[ident.Service]bool{}
	for _, one := range all {
		agencies[one.Asking], evidence[one.Evidence], services[one.Service] = true, true, true
	}
	return r.Say("reading.for-you-agencies", "count", len(agencies)), r.Say("reading.together", "count", len(evidence), "services", len(services))
}

// severalTable shows which agency was given which evidence, for which services.
func severalTable(r page.Reader, all []exchange.Disclosed) ui.Table {
	table := ui.Table{Caption: r.Say("reading.together-caption"), Columns: []ui.Column{
		{Text: r.Say("reading.what"), Prose: true}, {Text: r.Say("reading.who")}, {Text: r.Say("reading.for"), Prose: true},
	}}
	rows := map[[2]string]int{}
	for _, one := range all {
		key := [2]string{evidenceWords(r, one), r.Agency(one.Asking)}
		at, known := rows[key]
		if !known {
			at = len(table.Rows)
			rows[key] = at
			table.Rows = append(table.Rows, ui.TableRow{{Text: key[0]}, {Text: key[1]}, {Text: r.Service(one.Service)}})
			continue
		}
		table.Rows[at][2].Text += "; " + r.Service(one.Service)
	}
	locale.Sort(locale.Tag(r.Language), table.Rows, func(row ui.TableRow) string { return row[0].Text + "\n" + row[1].Text })
	return table
}

// residents returns how many an evaluation in bulk counted.
func residents(header journal.Header) int64 {
	count, err := strconv.ParseInt(header.Facts["residents"], 10, 64)
	if err != nil {
		return 0
	}
	return count
}

// evidenceWords says which kind of data was given: what the evidence is called, and its values' names.
func evidenceWords(r page.Reader, said exchange.Disclosed) string {
	register, err := r.Names().Register(said.Register)
	if err != nil {
		return string(said.Evidence)
	}
	for _, one := range register.Evidence {
		if one.Path != said.Evidence {
			continue
		}
		var labels []string
		for _, answer := range one.Answer {
			for _, given := range said.Values {
				if given == answer.Name {
					labels = append(labels, r.In(answer.Label))
				}
			}
		}
		if len(labels) > 0 {
			return r.In(one.Title) + " (" + strings.Join(labels, ", ") + ")"
		}
		return r.In(one.Title)
	}
	return r.In(register.Title)
}

// proven says whether the log has an event already.
func (p *Portal) proven(ctx context.Context, r page.Reader, subject ident.Subject, id ident.Event) (string, error) {
	entry, err := p.Trail.Find(ctx, subject, id)
	if err != nil {
		return "", err
	}
	proof, proven, err := p.Trail.Proof(ctx, entry)
	if err != nil || !proven {
		return r.Say("proof.pending"), err
	}
	return r.Say("proof.index", "index", strconv.FormatInt(proof.Index, 10)), nil
}

// event shows one entry about the visitor, with its proof.
func (p *Portal) event(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	entry, err := p.Trail.Find(req.Context(), v.Actor.Person.Subject(), ident.Event(req.PathValue("event")))
	if err != nil {
		return err
	}
	proof, proven, err := p.Trail.Proof(req.Context(), entry)
	if err != nil {
		return err
	}
	key, err := p.LogKey(req.Context())
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	said := tellReading(r, entry)
	rows := []ui.SummaryRow{
		{Term: r.Say("reading.what"), Values: []string{said.what}},
		{Term: r.Say("reading.when"), Values: []string{r.Moment(entry.Header.At)}},
		{Term: r.Say("reading.who"), Values: []string{said.who}},
	}
	if said.purpose != "" {
		rows = append(rows, ui.SummaryRow{Term: r.Say("reading.for"), Values: []string{said.purpose}})
	}
	body := []ui.Component{ui.SummaryList{Rows: rows}}
	if len(said.several) > 0 {
		body = append(body, severalTable(r, said.several))
	}
	body = append(body, ui.Heading{Text: r.Say("proof.title")})
	if proven {
		body = append(body,
			ui.Paragraph{Text: r.Say("proof.text", "index", strconv.FormatInt(proof.Index, 10), "log", p.Origin)},
			ui.Proof{
				Proof: string(proof.Bytes()), Header: base64.StdEncoding.EncodeToString(entry.Event.Header),
				Entry: base64.StdEncoding.EncodeToString(entry.Event.Entry), Key: key, Unverified: r.Say("proof.unverified"),
				Good: r.Say("proof.good"), Bad: r.Say("proof.bad"), Unsigned: r.Say("proof.unsigned"),
			},
			ui.Buttons{{Text: r.Say("proof.download"), Href: eventPath(entry.Event.ID) + "/proof"}},
			ui.Details{Summary: r.Say("proof.checkpoint"), Body: []ui.Component{ui.Code{Text: string(proof.Checkpoint)}}})
	} else {
		body = append(body, ui.Banner{Tone: ui.Wait, Title: r.Say("proof.pending"), Text: r.Say("proof.pending-text")})
	}
	body = append(body,
		ui.Details{Summary: r.Say("proof.entry"), Body: []ui.Component{ui.Code{Text: base64.StdEncoding.EncodeToString(entry.Event.Entry)}}},
		ui.Details{Summary: r.Say("proof.header"), Body: []ui.Component{ui.Paragraph{Text: r.Say("proof.header-text")}, ui.Code{Text: indented(entry.Event.Header)}}},
		ui.List{Items: []ui.Link{{Text: r.Say("log.title"), Href: page.LogPath}}})
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Event(entry.Header.Type), Caption: r.Say("proof.caption"),
		Back: &ui.Link{Text: r.Say("page.who-read-my-data"), Href: page.ReadingsPath}, Body: body,
		Scripts: []string{p.Shared.House.Script("proof.js")},
	})
}

func indented(header []byte) string {
	var shown any
	if json.Unmarshal(header, &shown) != nil {
		return string(header)
	}
	text, err := json.MarshalIndent(shown, "", "  ")
	if err != nil {
		return string(header)
	}
	return string(text)
}

// proof sends what anybody needs to verify an entry offline.
func (p *Portal) proof(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	entry, err := p.Trail.Find(req.Context(), v.Actor.Person.Subject(), ident.Event(req.PathValue("event")))
	if err != nil {
		return err
	}
	proof, proven, err := p.Trail.Proof(req.Context(), entry)
	if err != nil {
		return err
	}
	if !proven {
		return route.Redirect(w, req, eventPath(entry.Event.ID)) // which says that it is pending
	}
	w.Header().Set("Content-Disposition", `attachment; filename="proof-`+string(entry.Event.ID)+`.json"`)
	w.Header().Set("Cache-Control", "no-store")
	return route.WriteJSON(w, http.StatusOK, entry.Evidence(proof))
}
