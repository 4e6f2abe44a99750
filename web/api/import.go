package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/register"
	"yagona/web/route"
)

// Import is a file of records.
type Import struct {
	Format  string        `json:"format" doc:"csv or ndjson"`
	Content string        `json:"content" doc:"the file; its columns or members are fields of the register, and @from"`
	Reason  string        `json:"reason"`
	From    calendar.Date `json:"from,omitzero" doc:"from which day rows hold that do not say; absent: today"`
	Atomic  bool          `json:"atomic,omitempty" doc:"import nothing if any row is rejected"`
}

// Imported says what became of the rows: read = created + changed + unchanged + rejected.
type Imported struct {
	Read      int      `json:"read"`
	Created   int      `json:"created"`
	Changed   int      `json:"changed"`
	Unchanged int      `json:"unchanged"`
	Rejected  int      `json:"rejected" doc:"all rows, where an atomic import imports nothing"`
	Rejects   []Reject `json:"rejects" doc:"the first 1,000, by line"`
}

// Reject is a row that was not imported. It holds no value of the row.
type Reject struct {
	Line   int    `json:"line"`
	Field  string `json:"field,omitempty"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// shownRejects is how many rejects an answer lists.
const shownRejects = 1000

func (k keepers) importOperation() operation {
	return operation{
		id: "importRecords", tag: "registers", summary: "Imports a file of records. Importing it again changes nothing.",
		method: "POST", path: "/registers/{pack}/{register}/import", access: route.Role(access.Registrar), body: fileBody, timeout: 5 * time.Minute,
		request: Import{}, response: Imported{},
		codes: []string{
			"register.unknown", "register.not-here", "register.no-reason", "import.format", "import.no-unique", "import.columns", "import.column-twice",
			"import.column-unknown", "import.head", "import.row-size", "import.file-changed",
		},
		handle: k.load,
	}
}

// exportOperation gives a register's records in a format that can be imported again.
func (k keepers) exportOperation(id string, format register.Format, mediaType string) operation {
	return operation{
		id: id, tag: "registers", summary: "Gives the living records of a register as they hold today, to be imported elsewhere. Each is journaled for its subject.",
		method: "GET", path: "/registers/{pack}/{register}/records." + string(format), costly: true, access: route.Role(access.Registrar), timeout: 5 * time.Minute,
		produces: mediaType, stream: true, codes: []string{"register.unknown", "register.not-here"},
		handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
			w.Header().Set("Content-Type", mediaType)
			_, err := k.keeper.Export(r.Context(), v.Actor, registerIn(r), format, w)
			return err
		},
	}
}

func (k keepers) load(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	var sent Import
	if err := route.ReadJSON(r, &sent); err != nil {
		return err
	}
	definition, err := k.catalogue().Register(registerIn(r))
	if err != nil {
		return err
	}
	open := func() (register.RowReader, error) { return rowsOf(definition, k.scheme, sent) }
	var rejects []register.Reject
	done, err := k.keeper.ImportFrom(r.Context(), v.Actor, register.Import{
		Register: definition.Path, Reason: sent.Reason, From: sent.From, Atomic: sent.Atomic,
		Rejected: func(one register.Reject) { rejects = append(rejects, one) },
	}, open)
	if err != nil {
		return err
	}
	shown := Imported{done.Read, done.Created, done.Changed, done.Unchanged, done.Rejected, []Reject{}}
	slices.SortFunc(rejects, func(a, b register.Reject) int { return a.Line - b.Line })
	for _, one := range rejects[:min(len(rejects), shownRejects)] {
		_, detail := k.say(v.Language, one.Reason)
		shown.Rejects = append(shown.Rejects, Reject{one.Line, one.Reason.Field, one.Reason.Code, detail})
	}
	return route.WriteJSON(w, http.StatusOK, shown)
}

func rowsOf(definition *register.Definition, scheme field.Scheme, sent Import) (register.RowReader, error) {
	switch sent.Format {
	case "csv":
		return register.NewCSV(definition, scheme, strings.NewReader(sent.Content))
	case "ndjson":
		return register.NewNDJSON(definition, strings.NewReader(sent.Content)), nil
	}
	return nil, fault.New(fault.Invalid, "import.format", "A file is csv or ndjson. Say which.").At("format")
}
