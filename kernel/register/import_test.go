package register_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/person"
	"yagona/kernel/register"
)

// known takes up a person with the number.
func (w *world) known(t *testing.T, number string) ident.Subject {
	t.Helper()
	id, err := w.directory.TakeUp(t.Context(), journal.Actor{}, "", person.Attributes{Number: number})
	if err != nil {
		t.Fatal(err)
	}
	return id.Subject()
}

// imports imports the text and returns what became of it, and the rejects as "line code field" by line.
func (w *world) imports(t *testing.T, path ident.Register, format register.Format, text string, atomic bool) (register.Reconciliation, []string, error) {
	t.Helper()
	definition, err := w.catalogue.Register(path)
	if err != nil {
		t.Fatal(err)
	}
	var rejects []register.Reject
	wanted := register.Import{
		Register: path, Reason: "import", Atomic: atomic,
		Rejected: func(r register.Reject) { rejects = append(rejects, r) },
	}
	done, err := w.ImportFrom(t.Context(), registrar(definition.Agency), wanted, func() (register.RowReader, error) {
		if format == register.CSV {
			return register.NewCSV(definition, scheme{}, strings.NewReader(text))
		}
		return register.NewNDJSON(definition, strings.NewReader(text)), nil
	})
	if done.Read != done.Created+done.Changed+done.Unchanged+done.Rejected {
		t.Errorf("it does not reconcile: %+v", done)
	}
	slices.SortFunc(rejects, func(a, b register.Reject) int { return a.Line - b.Line })
	var told []string
	for _, one := range rejects {
		told = append(told, strings.TrimSpace(fmt.Sprintf("%d %s %s", one.Line, one.Reason.Code, one.Reason.Field)))
	}
	return done, told, err
}

func TestImportReconciles(t *testing.T) {
	w := newWorld(t)
	one, two := w.known(t, "1"), w.known(t, "2")
	if _, err := w.Save(t.Context(), registrar("employment-agency"), write(one, map[string]any{"registeredOn": date("2026-03-01")})); err != nil {
		t.Fatal(err)
	}
	const text = "\ufeffperson,registeredOn,skill,@from\n" +
		"1,2026-03-01,,\n" + // says what is known
		"2,2026-03-01,\"welding,\nsewing\",2026-03-01\n" + // new
		"2,2026-02-01,,\n" + // changes the row before
		"3,2026-03-01,,\n" + // nobody knows
		"1,2026-02-30,,\n" + // no such date
		"1,2026-03-01\n" + // truncated
		"1,2026-03-01,\xff,\n" + // not UTF-8
		"1,,,\n" + // required
		"1,2026-03-01,,yesterday\n"
	done, rejects, err := w.imports(t, unemployed, register.CSV, text, false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(register.Reconciliation{Read: 9, Created: 1, Changed: 1, Unchanged: 1, Rejected: 6}, done); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"6 import.person-unknown person", "7 field.date registeredOn", "8 import.columns", "9 import.utf8 skill",
		"10 field.required registeredOn", "11 import.from @from",
	}
	if diff := cmp.Diff(want, rejects); diff != "" {
		t.Error(diff)
	}
	found, err := w.FindBySubject(t.Context(), registrar("employment-agency"), unemployed, two)
	if err != nil || len(found) != 1 || found[0].Number != 2 || found[0].Values["registeredOn"] != date("2026-02-01") || found[0].Values["skill"] != nil {
		t.Errorf("the record is %+v, %v", found, err)
	}
	if _, differ := w.audit(t); differ != nil {
		t.Errorf("these differ from their events: %v", differ)
	}
	t.Run("importing again changes nothing more", func(t *testing.T) {
		done, _, err := w.imports(t, unemployed, register.NDJSON, `{"person":"2","registeredOn":"2026-02-01"}`+"\n\n"+`{"person":"1","registeredOn":"2026-03-01"}`, false)
		if err != nil || done != (register.Reconciliation{Read: 2, Unchanged: 2}) {
			t.Errorf("%+v, %v", done, err)
		}
	})
}

func TestImportNDJSONRejects(t *testing.T) {
	w := newWorld(t)
	lines := []string{
		`{"code":"B1","kilograms":5}`,
		`{"code":"B1","kilograms":5,"kilograms":6}`,
		`{"code":"B1","kilograms":5.5}`,
		`{"code":"B1","kilograms":"5"}`,
		`{"code":"B1"`,
		`{"code":"B1","kilograms":5} {}`,
		`["B1",5]`,
		`null`,
		`{"code":"B1","kilograms":5,"Aliyev Ali":true}`,
		`{"code":"` + strings.Repeat("x", 10<<20) + `","kilograms":5}`,
		`{"code":"` + strings.Repeat("x", 17<<20) + `","kilograms":5}`,
		"{\"code\":\"\xff\",\"kilograms\":5}",
		`{"code":"B2","kilograms":5,"@from":"soon"}`,
		`{"code":"B3","kilograms":5,"@from":"2026-01-01"}`,
	}
	done, rejects, err := w.imports(t, "trade/batches", register.NDJSON, strings.Join(lines, "\n"), false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(register.Reconciliation{Read: 14, Created: 2, Rejected: 12}, done); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"2 import.member-twice", "3 field.type kilograms", "4 field.type kilograms", "5 import.json", "6 import.json", "7 import.json",
		"8 import.json", "9 field.unknown", "10 field.too-long code", "11 import.row-size", "12 import.utf8", "13 import.from @from",
	}
	if diff := cmp.Diff(want, rejects); diff != "" {
		t.Error(diff)
	}
}

func TestImportStopsWhereRowsCannotBeToldApart(t *testing.T) {
	for name, c := range map[string]struct{ text, code string }{
		"an open quote":     {"code,kilograms\nB1,5\nB2,\"5\nB3,5\n", "import.quotes"},
		"a stray quote":     {"code,kilograms\nB1,5\nB2,\"5\"6\nB3,5\n", "import.quotes"},
		"20 MB in quotes":   {"code,kilograms\nB1,5\nB2,\"" + strings.Repeat("B3,5\n", 4<<20) + "\"\n", "import.row-size"},
		"20 MB on one line": {"code,kilograms\nB1,5\nB2," + strings.Repeat("5", 20<<20) + "\nB3,5\n", "import.row-size"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			done, rejects, err := w.imports(t, "trade/batches", register.CSV, c.text, false)
			if fault.Code(err) != c.code || done != (register.Reconciliation{Read: 2, Created: 1, Rejected: 1}) || !cmp.Equal(rejects, []string{"3 " + c.code}) {
				t.Errorf("%+v, %v, %v", done, rejects, err)
			}
		})
	}
}

func TestImportRefusesWrongHeads(t *testing.T) {
	for name, c := range map[string]struct{ text, code string }{
		"an unknown column": {"code,colour\n", "import.column-unknown"},
		"a column twice":    {"code,code\n", "import.column-twice"},
		"nothing":           {"", "import.head"},
		"a broken head":     {"\"code,kilograms", "import.head"},
		"another encoding":  {"c\x00o\x00d\x00e", "import.column-unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := newWorld(t).imports(t, "trade/batches", register.CSV, c.text, false); fault.Code(err) != c.code {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAtomicImportIsAllOrNothing(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		rejects []string
	}{
		"a bad value":               {"B9,9\nB1,5\nB2,x\n", []string{"4 field.number kilograms"}},
		"truncated":                 {"B9,9\nB1\n", []string{"3 import.columns"}},
		"before the newest version": {"B9,9,\nB0,7,2025-01-01\n", []string{"3 register.out-of-order from"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			head := "code,kilograms\n"
			if strings.Contains(c.text, ",2025") {
				head = "code,kilograms,@from\n"
			}
			if _, _, err := w.imports(t, "trade/batches", register.CSV, "code,kilograms\nB0,1\n", false); err != nil {
				t.Fatal(err)
			}
			done, rejects, err := w.imports(t, "trade/batches", register.CSV, head+c.text, true)
			if err != nil || !cmp.Equal(rejects, c.rejects) || done.Rejected != done.Read {
				t.Errorf("%+v, %v, %v", done, rejects, err)
			}
			if rows, _ := w.audit(t); rows != 1 {
				t.Errorf("%d versions were written", rows-1)
			}
		})
	}
	t.Run("a unique value that two rows claim", func(t *testing.T) {
		w := newWorld(t)
		w.known(t, "1")
		w.known(t, "2")
		const text = "owner,plate\n1,01A\n2,01A\n"
		done, _, err := w.imports(t, "transport/vehicles", register.CSV, text, true)
		if err != nil || done.Rejected != 2 {
			t.Errorf("%+v, %v", done, err)
		}
		if rows, _ := w.audit(t); rows != 0 {
			t.Errorf("%d versions were written", rows)
		}
	})
	t.Run("a row that holds before an earlier one", func(t *testing.T) {
		w := newWorld(t)
		const text = "code,kilograms,@from\nB1,5,2026-02-01\nB1,5,2026-01-01\nB1,6,2026-01-01\n"
		done, rejects, err := w.imports(t, "trade/batches", register.CSV, text, true)
		if err != nil || !cmp.Equal(rejects, []string{"4 register.out-of-order from"}) {
			t.Errorf("%+v, %v, %v", done, rejects, err)
		}
		if rows, _ := w.audit(t); rows != 0 {
			t.Errorf("%d versions were written", rows)
		}
	})
	t.Run("all good", func(t *testing.T) {
		done, rejects, err := newWorld(t).imports(t, "trade/batches", register.CSV, "code,kilograms\nB1,5\nB2,6\nB1,7\n", true)
		if err != nil || rejects != nil || done != (register.Reconciliation{Read: 3, Created: 2, Changed: 1}) {
			t.Errorf("%+v, %v, %v", done, rejects, err)
		}
	})
}

func TestImportWhenTheStoreFails(t *testing.T) {
	w := newWorld(t)
	w.Keeper.Store = &failing{Store: w.Keeper.Store, prefix: "register:"}
	done, _, err := w.imports(t, "trade/batches", register.CSV, "code,kilograms\n"+strings.Repeat("B1,5\n", 100), false)
	if !errors.Is(err, errBroken) || done.Created != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestImportIsForWhoKeepsTheRegister(t *testing.T) {
	w := newWorld(t)
	_, err := w.ImportFrom(t.Context(), registrar("tax"), register.Import{Register: "trade/batches", Reason: "r"}, func() (register.RowReader, error) {
		t.Error("the file was opened")
		return nil, io.EOF
	})
	wantKind(t, err, fault.Forbidden, "access.forbidden")
	_, err = w.Export(t.Context(), registrar("tax"), "trade/batches", register.CSV, io.Discard)
	wantKind(t, err, fault.Forbidden, "access.forbidden")
}

func TestExportCanBeImportedAgain(t *testing.T) {
	for _, format := range []register.Format{register.CSV, register.NDJSON} {
		t.Run(string(format), func(t *testing.T) {
			w := newWorld(t)
			var text strings.Builder
			text.WriteString("person,registeredOn,skill\n")
			var subjects []ident.Subject
			for i := range 250 {
				number := fmt.Sprint(1000 + i)
				subjects = append(subjects, w.known(t, number))
				fmt.Fprintf(&text, "%s,2026-01-02,\"a, %d\"\n", number, i)
			}
			if done, rejects, err := w.imports(t, unemployed, register.CSV, text.String(), false); err != nil || done.Created != 250 {
				t.Fatal(done, rejects, err)
			}
			var out bytes.Buffer
			n, err := w.Export(t.Context(), registrar("employment-agency"), unemployed, format, &out)
			if err != nil || n != 250 {
				t.Fatal(n, err)
			}
			for _, subject := range subjects[:3] {
				if told := w.told(t, subject); len(told) != 1 || told[0]["purpose"] != "keep" {
					t.Errorf("the subject is told %v", told)
				}
			}
			done, rejects, err := w.imports(t, unemployed, format, out.String(), true)
			if err != nil || done != (register.Reconciliation{Read: 250, Unchanged: 250}) {
				t.Errorf("%+v, %v, %v", done, rejects, err)
			}
		})
	}
	t.Run("nothing is written that cannot be journaled", func(t *testing.T) {
		w := newWorld(t)
		w.known(t, "1")
		if _, _, err := w.imports(t, unemployed, register.CSV, "person,registeredOn\n1,2026-01-02\n", false); err != nil {
			t.Fatal(err)
		}
		w.Keeper.Store = &failing{Store: w.Keeper.Store, prefix: "person:"}
		var out bytes.Buffer
		if n, err := w.Export(t.Context(), registrar("employment-agency"), unemployed, register.NDJSON, &out); !errors.Is(err, errBroken) || n != 0 || out.Len() != 0 {
			t.Errorf("%d records, %q, %v", n, &out, err)
		}
	})
}

// TestAnyImportReconciles imports generated files and compares the register with a model: the last good row of each code
// counts.
func TestAnyImportReconciles(t *testing.T) {
	w := newWorld(t)
	definition, err := w.catalogue.Register("trade/batches")
	if err != nil {
		t.Fatal(err)
	}
	model := map[string]int64{}
	rapid.Check(t, func(r *rapid.T) {
		type row struct {
			code  string
			value int64
			bad   bool
		}
		rows := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) row {
			return row{rapid.SampledFrom([]string{"A", "B", "C", "D"}).Draw(r, "code"), rapid.Int64Range(0, 3).Draw(r, "value"), rapid.IntRange(0, 4).Draw(r, "bad") == 0}
		}), 0, 12).Draw(r, "rows")
		atomic := rapid.Bool().Draw(r, "atomic")
		want := register.Reconciliation{Read: len(rows)}
		next := map[string]int64{}
		for code, value := range model {
			next[code] = value
		}
		var text strings.Builder
		text.WriteString("code,kilograms\n")
		for _, one := range rows {
			before, known := next[one.code]
			switch {
			case one.bad:
				fmt.Fprintf(&text, "%s,no\n", one.code)
				want.Rejected++
				continue
			case !known:
				want.Created++
			case before == one.value:
				want.Unchanged++
			default:
				want.Changed++
			}
			next[one.code] = one.value
			fmt.Fprintf(&text, "%s,%d\n", one.code, one.value)
		}
		if atomic && want.Rejected > 0 {
			want = register.Reconciliation{Read: len(rows), Rejected: len(rows)}
			next = model
		}
		got, err := w.ImportFrom(t.Context(), registrar("plant-agency"), register.Import{Register: "trade/batches", Reason: "r", Atomic: atomic},
			func() (register.RowReader, error) {
				return register.NewCSV(definition, scheme{}, strings.NewReader(text.String()))
			})
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatal(diff)
		}
		model = next
		for code, value := range model {
			found, err := w.Find(t.Context(), registrar("plant-agency"), "trade/batches", map[string]any{"code": code})
			if err != nil || len(found) != 1 || found[0].Values["kilograms"] != value {
				r.Fatalf("%s is %v instead of %d, %v", code, found, value, err)
			}
		}
	})
}

func FuzzRows(f *testing.F) {
	f.Add(true, "person,registeredOn,skill\n1,2026-03-01,\"a\nb\"\n")
	f.Add(true, "\ufeffperson,@from\n1,\n\"")
	f.Add(false, `{"person":"1","registeredOn":"2026-03-01"}`+"\n{\"a\":[[[[")
	f.Add(false, "\n\n\xff\n")
	f.Fuzz(func(t *testing.T, comma bool, text string) {
		definition := definitions(t)[0]
		var rows register.RowReader
		var err error
		if comma {
			if rows, err = register.NewCSV(definition, scheme{}, strings.NewReader(text)); err != nil {
				if !fault.Is(err, fault.Invalid) {
					t.Fatalf("%q: %v", text, err)
				}
				return
			}
		} else {
			rows = register.NewNDJSON(definition, strings.NewReader(text))
		}
		last := 0
		for range strings.Count(text, "\n") + 3 {
			row, err := rows.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) {
					t.Fatalf("%q: %v", text, err)
				}
				return
			}
			if row.Line < last || row.Line == 0 {
				t.Fatalf("%q: line %d comes after line %d", text, row.Line, last)
			}
			last = row.Line
			if row.Err != nil {
				if fault.Is(row.Err, fault.Internal) {
					t.Fatalf("%q: %v", text, row.Err)
				}
				continue
			}
			for name, value := range row.Values {
				if err := definition.Fields[slices.IndexFunc(definition.Fields, func(f fieldDefinition) bool { return f.Name == name })].Type().Check(value); err != nil {
					t.Fatalf("%q: %s: %v", text, name, err)
				}
			}
		}
		t.Fatalf("%q has no end", text)
	})
}

// What is kept since before is found by hashes of these bytes: they stay what encoding/json made of them.
func TestEncodedValuesAreCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, number, yes := rapid.String().Draw(t, "text"), rapid.Int64().Draw(t, "number"), rapid.Bool().Draw(t, "yes")
		name := rapid.StringMatching(`[a-z<&"]{1,5}`).Draw(t, "name")
		got, err := register.EncodeValues(map[string]any{
			"z": text, name: number, "yes": yes, "day": calendar.Date{Year: 2026, Month: 3, Day: 2}, "paid": money.Amount(number), "place": ident.Territory(text),
			"who": ident.Subject("person:" + text), "all": []any{text, number}, "in": map[string]any{text: text, "none": nil}, "none": nil,
		})
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(map[string]any{
			"z": text, name: number, "yes": yes, "day": map[string]any{"date": "2026-03-02"}, "paid": map[string]any{"money": number}, "place": map[string]any{"territory": text},
			"who": map[string]any{"subject": "person:" + text}, "all": []any{text, number}, "in": map[string]any{"object": map[string]any{text: text}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("it is\n%s\ninstead of\n%s", got, want)
		}
	})
}

func FuzzValues(f *testing.F) {
	f.Add([]byte(`{"a":{"date":"2026-03-02"},"b":{"object":{"c":[{"money":5},true,"x",7]}}}`))
	f.Add([]byte(`{"a":{"date":"2026-03-02","money":5}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		values, err := register.DecodeValues(data)
		if err != nil {
			return
		}
		encoded, err := register.EncodeValues(values)
		if err != nil {
			t.Fatal(err)
		}
		again, err := register.DecodeValues(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(values, again); diff != "" {
			t.Error(diff)
		}
	})
}
