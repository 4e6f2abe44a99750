package register_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/store/query"
)

// mapping is that of a notebook in Uzbek, as a clerk would write it.
const mapping = `
separator: ";"
head: 2
person: {number: PINFL, name: [Familiya, Ism], birth: {column: Tugʻilgan}}
fields:
  registeredOn: {column: Sana}
  skill: {column: Kasb, values: {tikuvchi: sewing, payvandchi: welding}}
`

const head = "Namuna daftari;;;;;\nPINFL;Familiya;Ism;Tugʻilgan;Sana;Kasb\n"

var keeping = journal.Actor{Component: "test"}

// named takes up a person with a number, a name and a birth date.
func (w *world) named(t *testing.T, number, name, birth string) ident.Person {
	t.Helper()
	id, err := w.directory.TakeUp(t.Context(), keeping, "", person.Attributes{Number: number, Name: name, Birth: date(birth)})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// notebook is an import of a notebook and what became of it.
type notebook struct {
	id       ident.Import
	done     register.Reconciliation
	rejects  map[int]string // code by line
	unsettle map[int][]register.Candidate
	rows     []register.Unsettled
}

func (w *world) notebook(t *testing.T, mapping string, content []byte, change func(*register.Import)) (notebook, error) {
	t.Helper()
	definition, err := w.catalogue.Register(unemployed)
	if err != nil {
		t.Fatal(err)
	}
	read, err := register.ReadMapping([]byte(mapping), definition)
	if err != nil {
		return notebook{}, err
	}
	got := notebook{id: ident.New[ident.Import](w.now), rejects: map[int]string{}, unsettle: map[int][]register.Candidate{}}
	wanted := register.Import{
		Register: unemployed, Reason: "taken over from paper", Atomic: true, ID: got.id,
		Rejected: func(one register.Reject) { got.rejects[one.Line] = one.Reason.Code },
		Settle: func(one register.Unsettled) {
			got.unsettle[one.Line] = append(got.unsettle[one.Line], one.Candidates...)
			got.rows = append(got.rows, one)
		},
	}
	if change != nil {
		change(&wanted)
	}
	got.done, err = w.Import(t.Context(), keeping, wanted, func() (register.RowReader, error) {
		return read.NewTable(definition, scheme{}, content)
	})
	if d := got.done; d.Read != d.Created+d.Changed+d.Unchanged+d.Rejected+d.ToSettle {
		t.Errorf("it does not reconcile: %+v", d)
	}
	return got, err
}

func dry(one *register.Import) { one.Dry = true }

func TestANotebookIsTakenOver(t *testing.T) {
	w := newWorld(t)
	one, two := w.named(t, "1", "Namunaeva Sinov Misol qizi", "1987-09-17"), w.named(t, "2", "Misolov Andoza Mashq oʻgʻli", "1990-02-03")
	if _, err := w.Save(t.Context(), registrar("employment-agency"), write(two.Subject(), map[string]any{"registeredOn": date("2025-01-15")})); err != nil {
		t.Fatal(err)
	}
	text := []byte(head + "1;;;;02.03.2026;tikuvchi\n;;;;;\n2;;;;1.12.2025;\n")
	want := register.Reconciliation{Read: 2, Created: 1, Changed: 1}
	rows, _ := w.audit(t)
	if got, err := w.notebook(t, mapping, text, dry); err != nil || got.done != want {
		t.Errorf("dry: %+v, %v", got.done, err)
	}
	if after, _ := w.audit(t); after != rows {
		t.Errorf("a dry run wrote %d rows", after-rows)
	}
	got, err := w.notebook(t, mapping, text, nil)
	if err != nil || got.done != want {
		t.Fatalf("%+v, %v", got.done, err)
	}
	found, err := w.FindBySubject(t.Context(), registrar("employment-agency"), unemployed, one.Subject())
	if err != nil || len(found) != 1 || found[0].Values["registeredOn"] != date("2026-03-02") || found[0].Values["skill"] != "sewing" {
		t.Errorf("the record is %+v, %v", found, err)
	}
	again, err := w.notebook(t, mapping, text, nil)
	if err != nil || again.done != (register.Reconciliation{Read: 2, Unchanged: 2}) {
		t.Errorf("again: %+v, %v", again.done, err)
	}
	if _, differ := w.audit(t); differ != nil {
		t.Errorf("these differ from their events: %v", differ)
	}
}

func TestNamesAreNeverChosenSilently(t *testing.T) {
	w := newWorld(t)
	jasur := w.named(t, "1", "Yoʻldoshev Jasur Mashq oʻgʻli", "1987-09-17")
	namesake := w.named(t, "2", "Yoʻldoshev Jasur Sinov oʻgʻli", "1990-02-03")
	w.named(t, "3", "Misolova Andoza Mashq qizi", "1990-02-03")
	for name, c := range map[string]struct {
		row        string
		candidates []register.Candidate
		reject     string
	}{
		"as it is written":      {";Yo'ldoshev;Jasur Mashq o‘g‘li;17.09.1987;", []register.Candidate{{Person: jasur, Name: register.Same, Birth: register.Same}}, ""},
		"in Cyrillic":           {";Йўлдошев;Жасур;17.09.1987;", []register.Candidate{{Person: jasur, Name: register.Alike, Birth: register.Same}}, ""},
		"as Russian writes it":  {";Юлдашев;Жасур Машкович;17.09.1987;", []register.Candidate{{Person: jasur, Name: register.Alike, Birth: register.Same}}, ""},
		"with an initial":       {";Yoʻldoshev J.;;17.09.1987;", []register.Candidate{{Person: jasur, Name: register.Alike, Birth: register.Same}}, ""},
		"a name that two have":  {";Yoʻldoshev;Jasur;;", []register.Candidate{{Person: jasur, Name: register.Alike, Birth: register.NotSaid}, {Person: namesake, Name: register.Alike, Birth: register.NotSaid}}, ""},
		"born on another day":   {";Yoʻldoshev;Jasur;18.09.1987;", nil, "import.nobody-alike"},
		"a family name alone":   {";Yoʻldoshev;;;", nil, "import.nobody-alike"},
		"nobody":                {";Toʻqimaev;Shart;;", nil, "import.nobody-alike"},
		"a number and its name": {"1;Йўлдошев;Жасур;17.09.1987;", nil, ""},
		"somebody else's name":  {"3;Yoʻldoshev;Jasur;;", []register.Candidate{{Name: register.Different, Birth: register.NotSaid}}, ""},
		"a number of nobody":    {"4;Yoʻldoshev;Jasur;;", nil, "import.person-unknown"},
		"nothing at all":        {";;;;01.02.2026;", nil, "import.no-person"},
	} {
		t.Run(name, func(t *testing.T) {
			row := c.row
			if strings.Count(row, ";") == 4 {
				row = strings.TrimSuffix(row, ";") + ";02.03.2026;"
			} else {
				row += ";"
			}
			row = strings.Join(strings.Split(row, ";")[:6], ";")
			got, err := w.notebook(t, mapping, []byte(head+row+"\n"), dry)
			if err != nil {
				t.Fatal(err)
			}
			if got.rejects[3] != c.reject {
				t.Errorf("it is rejected with %q", got.rejects[3])
			}
			candidates := got.unsettle[3]
			slices.SortFunc(candidates, func(a, b register.Candidate) int { return strings.Compare(string(a.Person), string(b.Person)) })
			slices.SortFunc(c.candidates, func(a, b register.Candidate) int { return strings.Compare(string(a.Person), string(b.Person)) })
			if len(c.candidates) == 1 && c.candidates[0].Person == "" && len(candidates) == 1 {
				candidates[0].Person = ""
			}
			if diff := cmp.Diff(c.candidates, candidates); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAClerkSettlesWhoARowIsAbout(t *testing.T) {
	w := newWorld(t)
	jasur, other := w.named(t, "1", "Yoʻldoshev Jasur Mashq oʻgʻli", "1987-09-17"), w.named(t, "2", "Yoʻldoshev Jasur Sinov oʻgʻli", "1990-02-03")
	text := []byte(head + ";Йўлдошев;Жасур;;02.03.2026;\n;Yoʻldoshev;Jasur;;03.03.2026;\n")
	got, err := w.notebook(t, mapping, text, nil)
	if err != nil || got.done != (register.Reconciliation{Read: 2, ToSettle: 2}) {
		t.Fatalf("%+v, %v", got.done, err)
	}
	if told := w.told(t, jasur.Subject()); len(told) != 0 {
		t.Errorf("who looked at nobody stands in the log: %v", told)
	}
	shown, err := w.Candidates(t.Context(), registrar("employment-agency").Journal(), unemployed, got.rows)
	if err != nil || len(shown[3]) != 2 || len(shown[4]) != 2 || shown[3][0].Known.Number == "" {
		t.Fatalf("%v, %v", shown, err)
	}
	for _, one := range []ident.Person{jasur, other} {
		if told := w.told(t, one.Subject()); len(told) != 1 || told[0]["candidate"] != true {
			t.Errorf("that they were shown stands in the log as %v", told)
		}
	}
	settled := func(one *register.Import) { one.Settled, one.Atomic = map[int]string{3: "2", 4: ""}, false }
	got, err = w.notebook(t, mapping, text, settled)
	if err != nil || got.done != (register.Reconciliation{Read: 2, Created: 1, Rejected: 1}) || got.rejects[4] != "import.settled-none" {
		t.Errorf("%+v, %v, %v", got.done, got.rejects, err)
	}
	found, err := w.FindBySubject(t.Context(), registrar("employment-agency"), unemployed, other.Subject())
	if err != nil || len(found) != 1 {
		t.Errorf("the record is %+v, %v", found, err)
	}
}

func TestLookingAtEverybodysNameIsOneEvent(t *testing.T) {
	w := newWorld(t)
	w.named(t, "1", "Yoʻldoshev Jasur Mashq oʻgʻli", "1987-09-17")
	count := func() (found int) {
		err := w.db.View(t.Context(), func(tx *query.Tx) error {
			events, err := tx.PopulationEvents(w.now, "", 100)
			found = len(events)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if _, err := w.notebook(t, mapping, []byte(head+"1;;;;02.03.2026;\n"), nil); err != nil {
		t.Fatal(err)
	}
	if found := count(); found != 0 {
		t.Errorf("numbers alone are %d evaluations", found)
	}
	if _, err := w.notebook(t, mapping, []byte(head+";Yoʻldoshev;Jasur;;02.03.2026;\n;Misolov;Andoza;;02.03.2026;\n"), dry); err != nil {
		t.Fatal(err)
	}
	if found := count(); found != 1 {
		t.Errorf("two names are %d evaluations", found)
	}
}

func TestAnImportIsUndone(t *testing.T) {
	w := newWorld(t)
	keeper := registrar("employment-agency")
	made, changed, since := w.named(t, "1", "A B", "1987-09-17"), w.named(t, "2", "C D", "1987-09-17"), w.named(t, "3", "E F", "1987-09-17")
	if _, err := w.Save(t.Context(), keeper, write(changed.Subject(), map[string]any{"registeredOn": date("2025-01-15")})); err != nil {
		t.Fatal(err)
	}
	got, err := w.notebook(t, mapping, []byte(head+"1;;;;02.03.2026;\n2;;;;02.03.2026;\n3;;;;02.03.2026;\n"), nil)
	if err != nil || got.done != (register.Reconciliation{Read: 3, Created: 2, Changed: 1}) {
		t.Fatalf("%+v, %v", got.done, err)
	}
	found, err := w.FindBySubject(t.Context(), keeper, unemployed, since.Subject())
	if err != nil {
		t.Fatal(err)
	}
	later := write(since.Subject(), map[string]any{"registeredOn": date("2026-03-01")})
	later.Record, later.Expect = found[0].Record, 1
	if _, err := w.Save(t.Context(), keeper, later); err != nil {
		t.Fatal(err)
	}
	refused := map[ident.Record]string{}
	undo := func() register.Undoing {
		done, err := w.Undo(t.Context(), keeping, unemployed, got.id, "the wrong notebook", func(record ident.Record, why *fault.Fault) { refused[record] = why.Code })
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	if done := undo(); done != (register.Undoing{Read: 3, Undone: 2, Refused: 1}) {
		t.Errorf("%+v", done)
	}
	if diff := cmp.Diff(map[ident.Record]string{found[0].Record: "import.changed-since"}, refused); diff != "" {
		t.Error(diff)
	}
	for who, want := range map[ident.Person]any{made: nil, changed: date("2025-01-15"), since: date("2026-03-01")} {
		found, err := w.FindBySubject(t.Context(), keeper, unemployed, who.Subject())
		if err != nil {
			t.Fatal(err)
		}
		var says any
		if len(found) > 0 && !found[0].Closed {
			says = found[0].Values["registeredOn"]
		}
		if says != want {
			t.Errorf("the record says %v instead of %v", says, want)
		}
	}
	if done := undo(); done != (register.Undoing{Read: 3, Before: 2, Refused: 1}) {
		t.Errorf("again: %+v", done)
	}
	if _, differ := w.audit(t); differ != nil {
		t.Errorf("these differ from their events: %v", differ)
	}
	_, err = w.Undo(t.Context(), keeping, unemployed, ident.New[ident.Import](w.now), "r", nil)
	wantKind(t, err, fault.NotFound, "import.unknown")
	again, err := w.notebook(t, mapping, []byte(head+"1;;;;02.03.2026;\n"), nil)
	if err != nil || again.done != (register.Reconciliation{Read: 1, Created: 1}) {
		t.Errorf("after it was undone: %+v, %v", again.done, err)
	}
}

func TestMappingsThatDoNotFitAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"an unknown key":      "colour: red\n" + mapping,
		"an unknown field":    "person: {number: N}\nfields: {colour: {column: C}}",
		"whom it is about":    "person: {number: N}\nfields: {person: {column: C}}",
		"nobody":              "fields: {skill: {column: C}}",
		"no field":            "person: {number: N}",
		"two sources":         "person: {number: N}\nfields: {skill: {column: C, value: x}}",
		"no source":           "person: {number: N}\nfields: {skill: {}}",
		"another order":       "person: {number: N}\nfields: {registeredOn: {column: C, dates: y.d.m}}",
		"another encoding":    "encoding: koi8-r\nperson: {number: N}\nfields: {skill: {column: C}}",
		"no YAML":             "person: [",
		"a separator of many": "separator: ';;'\nperson: {number: N}\nfields: {skill: {column: C}}",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := newWorld(t).notebook(t, text, nil, dry); fault.Code(err) != "import.mapping" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestHostileTables(t *testing.T) {
	cyrillic, err := charmap.Windows1251.NewEncoder().String("ПИНФЛ;Касб\n1;тикувчи\n")
	if err != nil {
		t.Fatal(err)
	}
	const plain = "person: {number: N}\nfields: {registeredOn: {value: 2026-03-02}, skill: {column: S}}"
	for name, c := range map[string]struct {
		mapping, text string
		code          string // of the whole
		rejects       map[int]string
		created       int
	}{
		"formulas":          {plain, "N,S\n1,=1+1\n1,@SUM(A1)\n1,+cmd|' /C calc'!A0\n1,-1\n", "", map[int]string{2: "import.formula", 3: "import.formula", 4: "import.formula"}, 1},
		"not UTF-8":         {plain, "N,S\n1,\xff\n", "", map[int]string{2: "import.utf8"}, 0},
		"UTF-16":            {plain, "\xff\xfeN\x00,\x00S\x00", "import.table", nil, 0},
		"windows-1251":      {"encoding: windows-1251\nseparator: ;\nperson: {number: ПИНФЛ}\nfields: {registeredOn: {value: 2026-03-02}, skill: {column: Касб, values: {тикувчи: sewing}}}", cyrillic, "", map[int]string{}, 1},
		"too few columns":   {plain, "N,S\n1\n", "", map[int]string{2: "import.columns"}, 0},
		"no such column":    {plain, "N,T\n1,a\n", "import.column-missing", nil, 0},
		"a column twice":    {plain, "N,S,S\n1,a,b\n", "import.column-missing", nil, 0},
		"nothing":           {plain, "", "import.column-missing", nil, 0},
		"an open quote":     {plain, "N,S\n1,\"a\n1,b\n", "", map[int]string{2: "import.quotes"}, 0},
		"the same twice":    {plain, "N,S\n1,a\n1,a\n1,b\n", "", map[int]string{4: "import.record-twice"}, 1},
		"an unknown value":  {"person: {number: N}\nfields: {registeredOn: {value: 2026-03-02}, skill: {column: S, values: {a: b}}}", "N,S\n1,c\n", "", map[int]string{2: "import.value"}, 0},
		"two-digit years":   {"person: {number: N}\nfields: {registeredOn: {column: S}}", "N,S\n1,02.03.26\n1,31.02.2026\n1,2026-03-02\n", "", map[int]string{2: "import.date", 3: "import.date", 4: "import.date"}, 0},
		"not a workbook":    {plain, "PK\x03\x04 and nothing more", "import.table", nil, 0},
		"larger than large": {plain, strings.Repeat("x", register.LargestTable+1), "import.table-size", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.named(t, "1", "A B", "1987-09-17")
			got, err := w.notebook(t, c.mapping, []byte(c.text), dry)
			if fault.Code(err) != c.code {
				t.Fatalf("got %v", err)
			}
			if c.code == "" {
				if diff := cmp.Diff(c.rejects, got.rejects); diff != "" || got.done.Created != c.created {
					t.Errorf("%+v %s", got.done, diff)
				}
			}
		})
	}
}

// workbook returns a workbook with the rows of XML, and what follows them.
func workbook(t *testing.T, rows, after string) []byte {
	t.Helper()
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	parts := map[string]string{
		"xl/workbook.xml":            `<workbook xmlns:r="r"><sheets><sheet name="Daftar" r:id="1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="1" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   `<worksheet><sheetData>` + rows + `</sheetData>` + after + `</worksheet>`,
	}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		part, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(parts[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestARowMaySayWhatTheOneBeforeSaid repeats every row at once: it is checked while the one before is being written.
func TestARowMaySayWhatTheOneBeforeSaid(t *testing.T) {
	w := newWorld(t)
	const people = 150
	var text strings.Builder
	text.WriteString(head)
	for n := range people {
		number := strconv.Itoa(n + 1)
		w.named(t, number, "Namunaeva Sinov "+number, "1987-09-17")
		text.WriteString(strings.Repeat(number+";;;;02.03.2026;tikuvchi\n", 2))
	}
	got, err := w.notebook(t, mapping, []byte(text.String()), func(one *register.Import) { one.Atomic = false })
	if want := (register.Reconciliation{Read: 2 * people, Created: people, Unchanged: people}); err != nil || got.done != want {
		t.Errorf("%+v, %v, %v", got.done, got.rejects, err)
	}
}

func TestAWorkbookIsTakenOver(t *testing.T) {
	w := newWorld(t)
	w.named(t, "31709870009019", "Namunaeva Sinov", "1987-09-17")
	text := func(value string) string { return `<c t="inlineStr"><is><t>` + value + `</t></is></c>` }
	row := func(number, date, skill string) string { return "<row>" + number + date + skill + "</row>" }
	number, day := `<c><v>3.1709870009019E13</v></c>`, `<c><v>46083</v></c>`
	content := workbook(t, row(text("N"), text("Sana"), text("Kasb"))+
		row(number, day, text("tikuvchi"))+
		row(number, text("02.03.2026"), text("tikuvchi"))+
		row(number, `<c><f>TODAY()</f><v>46083</v></c>`, text("tikuvchi"))+
		row(number, day, text("tikuvchi"))+
		row(number, day, `<c t="e"><v>#REF!</v></c>`),
		`<mergeCell ref="A5:A6"/>`)
	const mapping = "sheet: Daftar\nperson: {number: N}\nfields: {registeredOn: {column: Sana}, skill: {column: Kasb}}"
	got, err := w.notebook(t, mapping, content, func(one *register.Import) { one.Atomic = false })
	if err != nil || got.done != (register.Reconciliation{Read: 5, Created: 1, Unchanged: 1, Rejected: 3}) {
		t.Errorf("%+v, %v", got.done, err)
	}
	if diff := cmp.Diff(map[int]string{4: "import.formula", 5: "import.merged", 6: "import.formula"}, got.rejects); diff != "" {
		t.Error(diff)
	}
	if _, err := w.notebook(t, "sheet: Other\nperson: {number: N}\nfields: {skill: {column: Kasb}}", content, dry); fault.Code(err) != "import.mapping" {
		t.Errorf("of a sheet that is not there: %v", err)
	}
	bomb := workbook(t, "", fmt.Sprintf("<x>%s</x>", strings.Repeat(" ", 70<<20)))
	if _, err := w.notebook(t, mapping, bomb, dry); fault.Code(err) != "import.table-size" {
		t.Errorf("of a zip bomb: %v", err)
	}
}

func FuzzTables(f *testing.F) {
	f.Add(mapping, head+"1;Yoʻldoshev;Jasur;17.09.1987;02.03.2026;tikuvchi\n")
	f.Add("person: {number: N}\nfields: {skill: {column: S}}", "N,S\n1,=1\n\"")
	f.Fuzz(func(t *testing.T, mapping, text string) {
		definition := definitions(t)[0]
		read, err := register.ReadMapping([]byte(mapping), definition)
		if err != nil {
			if fault.Code(err) != "import.mapping" {
				t.Fatalf("%q: %v", mapping, err)
			}
			return
		}
		rows, err := read.NewTable(definition, scheme{}, []byte(text))
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		last := 0
		for {
			row, err := rows.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil || row.Line <= last || row.Err != nil && fault.Is(row.Err, fault.Internal) {
				t.Fatalf("%q: line %d after %d: %v, %v", text, row.Line, last, row.Err, err)
			}
			last = row.Line
		}
	})
}

func TestAnOfficialTakesANotebookOver(t *testing.T) {
	w := newWorld(t)
	official := registrar("employment-agency")
	official.Person = w.named(t, "9", "Shartov Mashq Sinov oʻgʻli", "1980-01-01")
	jasur, other := w.named(t, "1", "Yoʻldoshev Jasur Mashq oʻgʻli", "1987-09-17"), w.named(t, "2", "Yoʻldoshev Jasur Sinov oʻgʻli", "1990-02-03")
	text := []byte(head + ";Йўлдошев;Жасур;;02.03.2026;\n1;;;;02.03.2026;\n;Toʻqimaev;Shart;;02.03.2026;\n")
	begun, err := w.Begin(t.Context(), official, unemployed, "from paper", []byte(mapping), text)
	if err != nil {
		t.Fatal(err)
	}
	looked, err := w.Look(t.Context(), official, begun.ID)
	want := register.Reconciliation{Read: 3, Created: 1, Rejected: 1, ToSettle: 1}
	if err != nil || looked.Reconciliation != want || len(looked.Shown[3]) != 2 || looked.ToSettle[0].Name != "Йўлдошев Жасур" || looked.Rejects[0].Line != 5 {
		t.Fatalf("%+v, %v", looked, err)
	}
	for _, one := range []ident.Person{jasur, other} {
		if told := w.told(t, one.Subject()); len(told) != 1 {
			t.Errorf("that they were shown stands in the log as %v", told)
		}
	}
	t.Run("nobody else sees it", func(t *testing.T) {
		another := official
		another.Person = jasur
		_, err := w.Look(t.Context(), another, begun.ID)
		wantKind(t, err, fault.NotFound, "import.notebook-unknown")
		_, err = w.Begin(t.Context(), registrar("tax"), unemployed, "r", []byte(mapping), text)
		wantKind(t, err, fault.Forbidden, "access.forbidden")
		moved := official
		moved.Appointment = registrar("tax").Appointment
		_, err = w.Look(t.Context(), moved, begun.ID)
		wantKind(t, err, fault.Forbidden, "access.forbidden")
	})
	t.Run("only who was shown can be chosen", func(t *testing.T) {
		for line, who := range map[int]ident.Person{3: official.Person, 4: jasur} {
			err := w.SettleRows(t.Context(), official, begun.ID, 1, map[int]ident.Person{line: who})
			wantKind(t, err, fault.Invalid, "import.choice")
		}
		err := w.SettleRows(t.Context(), official, begun.ID, 2, map[int]ident.Person{3: other})
		wantKind(t, err, fault.Conflict, "register.changed")
	})
	if err := w.SettleRows(t.Context(), official, begun.ID, 1, map[int]ident.Person{3: other}); err != nil {
		t.Fatal(err)
	}
	done, err := w.Finish(t.Context(), official, begun.ID)
	if err != nil || done.Reconciliation != (register.Reconciliation{Read: 3, Created: 2, Rejected: 1}) {
		t.Fatalf("%+v, %v", done.Reconciliation, err)
	}
	if taking, err := w.Taking(t.Context(), official); err != nil || len(taking) != 0 {
		t.Errorf("it is kept: %v, %v", taking, err)
	}
	found, err := w.FindBySubject(t.Context(), official, unemployed, other.Subject())
	if err != nil || len(found) != 1 {
		t.Errorf("the record is %+v, %v", found, err)
	}
	undone, refused, err := w.UndoImport(t.Context(), official, unemployed, begun.ID, "the wrong notebook")
	if err != nil || undone != (register.Undoing{Read: 2, Undone: 2}) || len(refused) != 0 {
		t.Errorf("%+v, %v, %v", undone, refused, err)
	}
	if _, _, err := w.UndoImport(t.Context(), registrar("tax"), unemployed, begun.ID, "r"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another agency undid it: %v", err)
	}
}

func TestANotebookThatIsLeftIsForgotten(t *testing.T) {
	w := newWorld(t)
	official := registrar("employment-agency")
	official.Person = w.named(t, "9", "Shartov Mashq", "1980-01-01")
	text := []byte(head + "9;;;;02.03.2026;\n")
	for range 10 {
		if _, err := w.Begin(t.Context(), official, unemployed, "r", []byte(mapping), text); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.Begin(t.Context(), official, unemployed, "r", []byte(mapping), text)
	wantKind(t, err, fault.Conflict, "import.notebooks")
	handlers := w.Handlers(nil)
	err = w.db.View(t.Context(), func(tx *query.Tx) error {
		jobs, err := tx.DueJobs(w.now.AddDate(0, 0, 31), 100)
		if err != nil {
			return err
		}
		for _, one := range jobs {
			if handle := handlers[one.Kind]; one.Kind == "register.forget-notebook" {
				if err := handle(t.Context(), one); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if taking, err := w.Taking(t.Context(), official); err != nil || len(taking) != 0 {
		t.Errorf("%d are kept, %v", len(taking), err)
	}
}
