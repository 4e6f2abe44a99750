package xlsx

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// packed returns a workbook with one sheet, Namuna, of this XML, and these shared texts.
func packed(t testing.TB, sheet, texts string) []byte {
	t.Helper()
	return archived(t, map[string]string{
		"[Content_Types].xml": `<Types/>`,
		"xl/workbook.xml": `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
			xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr/>
			<sheets><sheet name="Namuna" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels":  `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/sharedStrings.xml":        `<sst>` + texts + `</sst>`,
		"xl/worksheets/sheet1.xml":    `<worksheet>` + sheet + `</worksheet>`,
		"xl/externalLinks/link1.xml":  `<externalLink/>`,
		"xl/media/a picture nobody.x": "x",
	})
}

func archived(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	for name, content := range parts {
		part, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func read(file []byte, name string) (*Sheet, error) {
	return Read(bytes.NewReader(file), int64(len(file)), name)
}

func TestCellsOfEveryKind(t *testing.T) {
	sheet, err := read(packed(t, `<sheetData>
		<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><r><t>Jas</t></r><r><t>ur</t></r><rPh><t>no</t></rPh></is></c></row>
		<row><c><v>3.1709870009019E13</v></c><c t="b"><v>1</v></c><c t="e"><v>#REF!</v></c><c><v>46083.75</v></c><c/></row>
		<row r="9"><c r="B9"><f>SUM(A1:A2)</f><v>7</v></c><c r="C9" t="str"><f t="shared" si="0"/><v>x</v></c></row>
		</sheetData>`, `<si><t xml:space="preserve"> Toʻqima </t></si>`), "")
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{
		{Line: 1, Cells: []Cell{{Text: " Toʻqima "}, {}, {Text: "Jasur"}}},
		{Line: 2, Cells: []Cell{
			{Text: "31709870009019", Number: true},
			{Text: "true"},
			{Problem: Failed},
			{Text: "46083.75", Number: true},
		}},
		{Line: 9, Cells: []Cell{{}, {Problem: Formula}, {Problem: Formula}}},
	}
	if diff := cmp.Diff(want, sheet.Rows, cmpopts.IgnoreUnexported(Row{})); diff != "" {
		t.Error(diff)
	}
	if day, ok := sheet.Date(sheet.Rows[1].Cell(3)); !ok || day.Format(time.DateOnly) != "2026-03-02" {
		t.Errorf("the day is %v, %t", day, ok)
	}
}

func TestDaysAreCountedFromTwoBeginnings(t *testing.T) {
	for _, c := range []struct {
		text     string
		from1904 bool
		want     string
	}{
		{"1", false, "1900-01-01"},
		{"59", false, "1900-02-28"},
		{"61", false, "1900-03-01"},
		{"46083", false, "2026-03-02"},
		{"44621", true, "2026-03-02"},
		{"60", false, ""},
		{"0", false, ""},
		{"-5", false, ""},
		{"2958465", false, "9999-12-31"},
		{"2958466", false, ""},
	} {
		day, ok := (&Sheet{from1904: c.from1904}).Date(Cell{Text: c.text, Number: true})
		if ok != (c.want != "") || ok && day.Format(time.DateOnly) != c.want {
			t.Errorf("%s is %v, %t", c.text, day, ok)
		}
	}
	if _, ok := (&Sheet{}).Date(Cell{Text: "46083"}); ok {
		t.Error("a text is a day")
	}
}

func TestMergedCellsAreMarkedThroughout(t *testing.T) {
	sheet, err := read(packed(t, `<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="C2"><v>2</v></c></row></sheetData>
		<mergeCells><mergeCell ref="A1:B2"/><mergeCell ref="D1:E1048576"/><mergeCell ref="C1"/></mergeCells>`, ""), "Namuna")
	if err != nil {
		t.Fatal(err)
	}
	for place, want := range map[[2]int]Problem{
		{0, 0}: Merged, {0, 1}: Merged, {1, 0}: Merged, {1, 1}: Merged, {0, 2}: "", {1, 2}: "", {0, 3}: Merged, {1, 4}: Merged, {1, 5}: "",
	} {
		if got := sheet.Rows[place[0]].Cell(place[1]).Problem; got != want {
			t.Errorf("%v is %q", place, got)
		}
	}
}

func TestHostileWorkbooksAreRefused(t *testing.T) {
	bomb := "<v>" + strings.Repeat(" ", MostUnpacked) + "</v>"
	for name, c := range map[string]struct {
		file  []byte
		sheet string
		want  error
	}{
		"no archive":         {[]byte("number,name\n"), "", ErrFormat},
		"an archive":         {archived(t, map[string]string{"a": "b"}), "", ErrFormat},
		"no such sheet":      {packed(t, "", ""), "Other", ErrNoSheet},
		"a zip bomb":         {packed(t, "<sheetData>"+bomb+"</sheetData>", ""), "", ErrTooLarge},
		"a far cell":         {packed(t, `<sheetData><row><c r="XFE1"><v>1</v></c></row></sheetData>`, ""), "", ErrFormat},
		"a far line":         {packed(t, `<sheetData><row r="1048577"/></sheetData>`, ""), "", ErrTooLarge},
		"lines backwards":    {packed(t, `<sheetData><row r="2"/><row r="1"/></sheetData>`, ""), "", ErrFormat},
		"many wide rows":     {packed(t, "<sheetData>"+strings.Repeat(`<row><c/><c r="XFD1"><v>1</v></c></row>`, 200)+"</sheetData>", ""), "", ErrTooLarge},
		"many merged ranges": {packed(t, "<sheetData>"+strings.Repeat("<row/>", 3000)+"</sheetData>"+strings.Repeat(`<mergeCell ref="A1:B3000"/>`, 1000), ""), "", ErrTooLarge},
		"a text of nobody":   {packed(t, `<sheetData><row><c t="s"><v>5</v></c></row></sheetData>`, ""), "", ErrFormat},
		"entities": {archived(t, map[string]string{
			"xl/workbook.xml": `<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><workbook>&b;</workbook>`,
		}), "", ErrFormat},
		"a sheet elsewhere": {archived(t, map[string]string{
			"xl/workbook.xml":            `<workbook xmlns:r="r"><sheet name="A" r:id="1"/></workbook>`,
			"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="1" Target="https://a.example/sheet.xml" TargetMode="External"/></Relationships>`,
		}), "", ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := read(c.file, c.sheet); !errors.Is(err, c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData><mergeCell ref="A1:B2"/>`, `<si><t>a</t></si>`)
	f.Add(`<row><c><f>1</f></c><c t="b"><v>1</v></c></row>`, ``)
	f.Fuzz(func(t *testing.T, sheet, texts string) {
		found, err := read(packed(t, sheet, texts), "")
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
				t.Fatal(err)
			}
			return
		}
		last := 0
		for _, row := range found.Rows {
			if row.Line <= last || len(row.Cells) > MostColumns {
				t.Fatalf("line %d after %d, %d cells", row.Line, last, len(row.Cells))
			}
			last = row.Line
			for i := range row.Cells {
				if cell := row.Cell(i); cell.Problem != "" && cell.Problem != Merged && cell.Text != "" {
					t.Fatal(fmt.Sprint("a value that cannot be relied on is told: ", cell))
				}
			}
		}
	})
}
