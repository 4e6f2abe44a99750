package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/register"
	"yagona/web/route"
)

// Registers keeps the registers that are held here. Every reading is journaled before it returns.
type Registers interface {
	Own(ctx context.Context, reader access.Actor) ([]register.Version, error)
	OwnHistory(ctx context.Context, reader access.Actor, register ident.Register, record ident.Record) ([]register.Version, error)
	History(ctx context.Context, by access.Actor, register ident.Register, record ident.Record) ([]register.Version, error)
	FindBySubject(ctx context.Context, by access.Actor, register ident.Register, subject ident.Subject) ([]register.Version, error)
	Find(ctx context.Context, by access.Actor, register ident.Register, values map[string]any) ([]register.Version, error)
	Save(ctx context.Context, by access.Actor, wanted register.Write) (register.Version, error)
	Correct(ctx context.Context, by access.Actor, wanted register.Write) (register.Version, error)
	Close(ctx context.Context, by access.Actor, register ident.Register, record ident.Record, expect int, from calendar.Date, reason string) (register.Version, error)
	Export(ctx context.Context, by access.Actor, register ident.Register, format register.Format, to io.Writer) (int, error)
	ImportFrom(ctx context.Context, by access.Actor, wanted register.Import, open func() (register.RowReader, error)) (register.Reconciliation, error)
}

// Register is a register in the catalogue.
type Register struct {
	Register ident.Register  `json:"register"`
	Agency   ident.Agency    `json:"agency" doc:"keeps it and answers for it"`
	Held     register.Held   `json:"held" doc:"here, node or adapter"`
	Title    string          `json:"title"`
	Subject  string          `json:"subject,omitempty" doc:"the field that names whom a record is about"`
	Fields   []RegisterField `json:"fields"`
	Evidence []EvidenceType  `json:"evidence" doc:"the only questions that others may ask"`
}

// RegisterField is a field of a register.
type RegisterField struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Label    string `json:"label"`
	Optional bool   `json:"optional"`
}

// EvidenceType is a question that others may ask.
type EvidenceType struct {
	Evidence ident.Evidence  `json:"evidence"`
	Title    string          `json:"title"`
	For      []ident.Service `json:"for" doc:"the services that may ask"`
}

// Version is one version of a record.
type Version struct {
	Record   ident.Record   `json:"record"`
	Number   int            `json:"number" doc:"from 1, without gaps"`
	At       time.Time      `json:"at" doc:"when it was recorded"`
	From     calendar.Date  `json:"from" doc:"from which day it holds"`
	Closed   bool           `json:"closed" doc:"the record ends with it"`
	Corrects int            `json:"corrects,omitempty" doc:"the number of the version that it corrects"`
	Values   map[string]any `json:"values"`
	Reason   string         `json:"reason"`
	By       Official       `json:"by"`
	Event    ident.Event    `json:"event"`
}

// Record is a record with all its versions.
type Record struct {
	Record   ident.Record `json:"record"`
	Versions []Version    `json:"versions" doc:"the oldest first; the ETag is the number of the last"`
}

// Search looks for records: about a subject, or with the values of an index that the register declares.
type Search struct {
	Subject ident.Subject   `json:"subject,omitempty"`
	Values  json.RawMessage `json:"values,omitempty"`
}

// NewVersion is what is recorded.
type NewVersion struct {
	Values   json.RawMessage `json:"values" doc:"all of them, by field"`
	From     calendar.Date   `json:"from,omitzero" doc:"from which day they hold; absent: today, or the day of the corrected version"`
	Reason   string          `json:"reason"`
	Corrects int             `json:"corrects,omitempty" doc:"the number of the version that was wrong; absent: it is a change"`
}

// Closing ends a record.
type Closing struct {
	From   calendar.Date `json:"from,omitzero" doc:"from which day; absent: today"`
	Reason string        `json:"reason"`
}

// keepers are what the handlers of a registrar's operations stand on.
type keepers struct {
	keeper    Registers
	catalogue func() *register.Catalogue
	scheme    field.Scheme
	say       route.Say
}

func registerOperations(k keepers, authoritative string) []operation {
	const root = "/registers/{pack}/{register}"
	registrar := route.Role(access.Registrar)
	known := []string{"register.unknown"}
	record := append([]string{"register.no-record", "seal.erased"}, known...)
	writing := append(append([]string{
		"register.not-here", "register.no-reason", "register.subject-fixed", "register.closed", "register.out-of-order", "register.not-unique",
		"register.busy", "register.corrects-nothing", "register.corrected-already",
	}, answerCodes...), record...)
	changing := append([]string{"http.precondition-required", "http.precondition-failed"}, writing...)
	return []operation{
		{
			id: "listRegisters", tag: "registers", summary: "Lists the registers, what they hold, and who may ask them what.",
			method: "GET", path: "/registers", access: route.Public(), response: Page[Register]{},
			handle: func(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
				page := Page[Register]{Items: []Register{}}
				for _, one := range k.catalogue().All() {
					page.Items = append(page.Items, registerShown(one, v.Language, authoritative))
				}
				return route.WriteJSON(w, http.StatusOK, page)
			},
		},
		{
			id: "searchRecords", tag: "registers", summary: "Looks for records of a register that one's agency keeps. Whose data is shown sees it.",
			method: "POST", path: root + "/search", access: registrar, body: smallBody, request: Search{}, response: Page[Version]{},
			codes: append([]string{"register.no-index", "register.about-nobody", "ident.malformed"}, append(answerCodes, record...)...), handle: k.search,
		},
		{
			id: "createRecord", tag: "registers", summary: "Makes a record.",
			method: "POST", path: root + "/records", access: registrar, body: answerBody, request: NewVersion{}, response: Version{},
			status: http.StatusCreated, etag: true, codes: writing, handle: k.create,
		},
		{
			id: "showRecord", tag: "registers", summary: "Shows a record with all its versions. Whose data it is sees it.",
			method: "GET", path: root + "/records/{record}", access: registrar, response: Record{}, etag: true, codes: record, handle: k.show,
		},
		{
			id: "changeRecord", tag: "registers", summary: "Changes a record, or corrects a version that was wrong. The versions before stay.",
			method: "PATCH", path: root + "/records/{record}", access: registrar, body: answerBody, ifMatch: true, request: NewVersion{},
			response: Version{}, etag: true, codes: changing, handle: k.change,
		},
		{
			id: "closeRecord", tag: "registers", summary: "Ends a record. Its versions stay.",
			method: "POST", path: root + "/records/{record}/close", access: registrar, body: wordsBody, ifMatch: true, request: Closing{},
			response: Version{}, etag: true, codes: changing, handle: k.close,
		},
		k.importOperation(),
		k.exportOperation("exportRecordsAsCSV", register.CSV, "text/csv"),
		k.exportOperation("exportRecordsAsNDJSON", register.NDJSON, "application/x-ndjson"),
	}
}

func registerShown(d *register.Definition, languages ...string) Register {
	shown := Register{
		Register: d.Path, Agency: d.Agency, Held: d.Held, Title: d.Title.In(languages...), Subject: d.Subject,
		Fields: []RegisterField{}, Evidence: []EvidenceType{},
	}
	for _, one := range d.Fields {
		shown.Fields = append(shown.Fields, RegisterField{one.Name, string(one.Kind), one.Label.In(languages...), one.Optional})
	}
	for _, one := range d.Evidence {
		evidence := EvidenceType{Evidence: one.Path, Title: one.Title.In(languages...), For: []ident.Service{}}
		for _, grant := range one.For {
			evidence.For = append(evidence.For, grant.Service)
		}
		shown.Evidence = append(shown.Evidence, evidence)
	}
	return shown
}

func versionShown(v register.Version) Version {
	return Version{v.Record, v.Number, v.At, v.From, v.Closed, v.Corrects, v.Values, v.Reason, officialOf(v.By), v.Event}
}

func versionsShown(found []register.Version) []Version {
	shown := make([]Version, len(found))
	for i, one := range found {
		shown[i] = versionShown(one)
	}
	return shown
}

func registerIn(r *http.Request) ident.Register {
	return ident.Register(r.PathValue("pack") + "/" + r.PathValue("register"))
}

func (k keepers) search(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	var sent Search
	if err := route.ReadJSON(r, &sent); err != nil {
		return err
	}
	definition, err := k.catalogue().Register(registerIn(r))
	if err != nil {
		return err
	}
	var found []register.Version
	if sent.Subject != "" {
		if _, err := ident.ParseSubject(string(sent.Subject)); err != nil {
			return err
		}
		found, err = k.keeper.FindBySubject(r.Context(), v.Actor, definition.Path, sent.Subject)
	} else {
		var values map[string]any
		if values, err = decodeValues("values", field.TypeOf(definition.Fields), sent.Values); err != nil {
			return err
		}
		found, err = k.keeper.Find(r.Context(), v.Actor, definition.Path, values)
	}
	if err != nil {
		return err
	}
	return route.WriteJSON(w, http.StatusOK, Page[Version]{Items: versionsShown(found)})
}

// write reads what is to be recorded.
func (k keepers) write(r *http.Request) (register.Write, error) {
	var sent NewVersion
	if err := route.ReadJSON(r, &sent); err != nil {
		return register.Write{}, err
	}
	definition, err := k.catalogue().Register(registerIn(r))
	if err != nil {
		return register.Write{}, err
	}
	values, err := decodeValues("values", field.TypeOf(definition.Fields), sent.Values)
	return register.Write{
		Register: definition.Path, Values: values, From: sent.From, Reason: sent.Reason, Corrects: sent.Corrects,
	}, err
}

func (k keepers) create(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	wanted, err := k.write(r)
	if err != nil {
		return err
	}
	wanted.Corrects = 0
	made, err := k.keeper.Save(r.Context(), v.Actor, wanted)
	if err != nil {
		return under("values", err)
	}
	w.Header().Set("Location", Root+"/registers/"+string(made.Register)+"/records/"+string(made.Record))
	return answerVersion(w, http.StatusCreated, made)
}

func (k keepers) show(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	record := ident.Record(r.PathValue("record"))
	found, err := k.keeper.History(r.Context(), v.Actor, registerIn(r), record)
	if err != nil {
		return err
	}
	return answerRecord(w, record, found)
}

func answerRecord(w http.ResponseWriter, record ident.Record, found []register.Version) error {
	w.Header().Set("ETag", etag(int64(len(found))))
	return route.WriteJSON(w, http.StatusOK, Record{Record: record, Versions: versionsShown(found)})
}

func (k keepers) change(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	seen, err := expected(r)
	if err != nil {
		return err
	}
	wanted, err := k.write(r)
	if err != nil {
		return err
	}
	wanted.Record, wanted.Expect = ident.Record(r.PathValue("record")), int(seen)
	record := k.keeper.Save
	if wanted.Corrects != 0 {
		record = k.keeper.Correct
	}
	made, err := record(r.Context(), v.Actor, wanted)
	if err != nil {
		return preconditioned(under("values", err))
	}
	return answerVersion(w, http.StatusOK, made)
}

func (k keepers) close(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	seen, err := expected(r)
	if err != nil {
		return err
	}
	var sent Closing
	if err := route.ReadJSON(r, &sent); err != nil {
		return err
	}
	made, err := k.keeper.Close(r.Context(), v.Actor, registerIn(r), ident.Record(r.PathValue("record")), int(seen), sent.From, sent.Reason)
	if err != nil {
		return preconditioned(err)
	}
	return answerVersion(w, http.StatusOK, made)
}

func answerVersion(w http.ResponseWriter, status int, made register.Version) error {
	w.Header().Set("ETag", etag(int64(made.Number)))
	return route.WriteJSON(w, status, versionShown(made))
}
