// Package xlsx reads the cells of one sheet of a workbook in SpreadsheetML (ECMA-376, 5th edition, part 1: .xlsx). It owns
// the format and hands rows of text to whoever knows what they mean.
//
// It is made for files from strangers: what is unpacked, the rows, the columns and the merged ranges are bounded, formulas
// are never computed and what a program once computed is never taken for a value, links to other files are not followed.
// It reads no styles, so that a number in a cell of dates is the number of days that Date makes a date of.
//
// Invariants: no input makes it read more than MostUnpacked bytes or keep more than MostCells cells.
package xlsx

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"
)

// The bounds of what is read.
const (
	MostUnpacked = 64 << 20  // bytes of XML, of all parts together
	MostParts    = 5_000     // files in the archive
	MostLine     = 1 << 20   // the last line that the format has
	MostColumns  = 16_384    // of one row, as the format has it
	MostCells    = 2_000_000 // of the sheet, and lines that merged ranges cover
)

// The errors of a workbook as a whole.
var (
	ErrFormat   = errors.New("xlsx: this is no workbook")
	ErrTooLarge = errors.New("xlsx: the workbook is too large")
	ErrNoSheet  = errors.New("xlsx: the workbook has no such sheet")
)

// Problem says why a cell has no value that can be relied on.
type Problem string

// The problems of cells.
const (
	Formula Problem = "formula" // it is computed
	Merged  Problem = "merged"  // it is joined with others: which of them the value is about is not written
	Failed  Problem = "failed"  // it holds an error, such as #REF!
)

// Cell is a cell. A truth value is "true" or "false"; a number has no exponent.
type Cell struct {
	Text    string
	Number  bool
	Problem Problem // or ""
}

// Row is a row that has cells.
type Row struct {
	Line   int    // from 1
	Cells  []Cell // by column; the last has a value or a problem
	merged []span // columns that merged ranges cover
}

type span struct{ first, last int }

// Sheet is a sheet.
type Sheet struct {
	Name string
	Rows []Row // by line

	from1904 bool
}

// Cell returns the cell of the column, from 0; an empty one if the row does not reach so far.
func (r Row) Cell(column int) Cell {
	var found Cell
	if column < len(r.Cells) {
		found = r.Cells[column]
	}
	for _, one := range r.merged {
		if one.first <= column && column <= one.last {
			found.Problem = Merged
		}
	}
	return found
}

// Date returns the day that a number stands for in a cell of dates, and false if it stands for none.
func (s *Sheet) Date(cell Cell) (day time.Time, ok bool) {
	whole, _, _ := strings.Cut(cell.Text, ".") // the rest is the time of the day
	days, err := strconv.Atoi(whole)
	if err != nil || !cell.Number || days < 1 || days > 2_958_465 { // 9999-12-31
		return time.Time{}, false
	}
	// Day 60 of the older count is 29 February 1900, which there was not.
	zero := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case s.from1904:
		zero = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC)
	case days == 60:
		return time.Time{}, false
	case days < 60:
		zero = zero.AddDate(0, 0, 1)
	}
	return zero.AddDate(0, 0, days), true
}

// Read reads the sheet with the name; "" is the first.
func Read(file io.ReaderAt, size int64, name string) (*Sheet, error) {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if len(archive.File) > MostParts {
		return nil, ErrTooLarge
	}
	b := &book{left: MostUnpacked, parts: map[string]*zip.File{}}
	for _, one := range archive.File {
		b.parts[strings.ToLower(one.Name)] = one
	}
	sheet, part, err := b.find(name)
	if err != nil {
		return nil, err
	}
	if err := b.readTexts(); err != nil {
		return nil, err
	}
	return sheet, b.readSheet(part, sheet)
}

// book is a workbook that is being read.
type book struct {
	parts map[string]*zip.File // by name in small letters
	left  int64                // bytes that may still be unpacked
	texts []string             // that cells share
	cells int
}

// limited gives at most what is left, and ErrTooLarge beyond it.
type limited struct {
	reader io.Reader
	left   *int64
}

func (l limited) Read(into []byte) (int, error) {
	if *l.left <= 0 {
		return 0, ErrTooLarge
	}
	n, err := l.reader.Read(into[:min(int64(len(into)), *l.left)])
	*l.left -= int64(n)
	return n, err
}

// part gives the tokens of a part, one after another, until the visit fails. A part that is not there gives false.
func (b *book) part(name string, visit func(*xml.Decoder, xml.StartElement) error) (found bool, err error) {
	stored := b.parts[strings.ToLower(name)]
	if stored == nil {
		return false, nil
	}
	if stored.UncompressedSize64 > uint64(max(b.left, 0)) { // what is not true is found out below
		return true, ErrTooLarge
	}
	opened, err := stored.Open()
	if err != nil {
		return true, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	defer opened.Close()
	decoder := xml.NewDecoder(limited{opened, &b.left})
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return true, of(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			if err := visit(decoder, start); err != nil {
				return true, of(err)
			}
		}
	}
}

// of returns the error of a workbook that was found while reading.
func of(err error) error {
	for _, one := range []error{ErrTooLarge, ErrNoSheet, ErrFormat} {
		if errors.Is(err, one) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrFormat, err)
}

func attribute(of xml.StartElement, name string) string {
	for _, one := range of.Attr {
		if one.Name.Local == name {
			return one.Value
		}
	}
	return ""
}

const workbook = "xl/workbook.xml"

// find returns the sheet with the name, empty, and the part that holds it.
func (b *book) find(name string) (sheet *Sheet, part string, err error) {
	sheet = &Sheet{}
	relation := ""
	found, err := b.part(workbook, func(_ *xml.Decoder, start xml.StartElement) error {
		switch start.Name.Local {
		case "workbookPr":
			date := attribute(start, "date1904")
			sheet.from1904 = date == "1" || date == "true"
		case "sheet":
			if title := attribute(start, "name"); relation == "" && (name == "" || name == title) {
				for _, one := range start.Attr {
					if one.Name.Local == "id" && one.Name.Space != "" {
						sheet.Name, relation = title, one.Value
					}
				}
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, "", err
	case !found:
		return nil, "", ErrFormat
	case relation == "":
		return nil, "", ErrNoSheet
	}
	_, err = b.part("xl/_rels/workbook.xml.rels", func(_ *xml.Decoder, start xml.StartElement) error {
		if start.Name.Local == "Relationship" && attribute(start, "Id") == relation && attribute(start, "TargetMode") != "External" {
			part = attribute(start, "Target")
		}
		return nil
	})
	if part == "" && err == nil {
		err = ErrFormat
	}
	if !strings.HasPrefix(part, "/") {
		part = "xl/" + part
	}
	return sheet, strings.TrimPrefix(path.Clean(part), "/"), err
}

// words returns the text in an element: that of its t elements, without how it is pronounced.
func words(decoder *xml.Decoder) (string, error) {
	var text strings.Builder
	depth, within, aside := 1, false, 0
	for depth > 0 {
		token, err := decoder.Token()
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			within = token.Name.Local == "t"
			if token.Name.Local == "rPh" {
				aside = depth
			}
		case xml.EndElement:
			if aside == depth {
				aside = 0
			}
			depth--
			within = false
		case xml.CharData:
			if within && aside == 0 {
				text.Write(token)
			}
		}
	}
	return text.String(), nil
}

func (b *book) readTexts() error {
	_, err := b.part("xl/sharedStrings.xml", func(decoder *xml.Decoder, start xml.StartElement) error {
		if start.Name.Local != "si" {
			return nil
		}
		if len(b.texts) >= MostCells {
			return ErrTooLarge
		}
		text, err := words(decoder)
		b.texts = append(b.texts, text)
		return err
	})
	return err
}

func (b *book) readSheet(part string, into *Sheet) error {
	lines := map[int]int{} // of into.Rows
	next := 1
	found, err := b.part(part, func(decoder *xml.Decoder, start xml.StartElement) error {
		switch start.Name.Local {
		case "row":
			row := Row{Line: next}
			if given := attribute(start, "r"); given != "" {
				line, err := strconv.Atoi(given)
				if err != nil || line < next {
					return ErrFormat
				}
				row.Line = line
			}
			if row.Line > MostLine {
				return ErrTooLarge
			}
			next = row.Line + 1
			if err := b.readRow(decoder, &row); err != nil {
				return err
			}
			lines[row.Line] = len(into.Rows)
			into.Rows = append(into.Rows, row)
		case "mergeCell":
			return b.merge(into, lines, attribute(start, "ref"))
		}
		return nil
	})
	if err == nil && !found {
		err = ErrFormat
	}
	return err
}

func (b *book) readRow(decoder *xml.Decoder, row *Row) error {
	for {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.EndElement:
			return nil // cells are read whole, so that it is the row's
		case xml.StartElement:
			if token.Name.Local != "c" {
				if err := decoder.Skip(); err != nil {
					return err
				}
				continue
			}
			column := len(row.Cells)
			if place := attribute(token, "r"); place != "" {
				if column, _, err = position(place); err != nil || column < len(row.Cells) {
					return ErrFormat
				}
			}
			cell, err := b.readCell(decoder, attribute(token, "t"))
			if err != nil {
				return err
			}
			if cell == (Cell{}) {
				continue
			}
			if b.cells += column + 1 - len(row.Cells); column >= MostColumns || b.cells > MostCells {
				return ErrTooLarge
			}
			row.Cells = append(row.Cells, make([]Cell, column-len(row.Cells))...)
			row.Cells = append(row.Cells, cell)
		}
	}
}

func (b *book) readCell(decoder *xml.Decoder, kind string) (cell Cell, err error) {
	var value string
	for {
		token, err := decoder.Token()
		if err != nil {
			return Cell{}, err
		}
		switch token := token.(type) {
		case xml.EndElement:
			if cell.Problem != "" {
				return cell, nil
			}
			return b.meant(kind, value)
		case xml.StartElement:
			switch token.Name.Local {
			case "f":
				cell.Problem = Formula
				err = decoder.Skip()
			case "v":
				err = decoder.DecodeElement(&value, &token)
			case "is":
				value, err = words(decoder)
			default:
				err = decoder.Skip()
			}
			if err != nil {
				return Cell{}, err
			}
		}
	}
}

// meant returns what a cell of the kind (ECMA-376, 18.18.11) says with the value.
func (b *book) meant(kind, value string) (Cell, error) {
	switch kind {
	case "s":
		at, err := strconv.Atoi(value)
		if err != nil || at < 0 || at >= len(b.texts) {
			return Cell{}, ErrFormat
		}
		return Cell{Text: b.texts[at]}, nil
	case "b":
		return Cell{Text: strconv.FormatBool(value == "1")}, nil
	case "e":
		return Cell{Problem: Failed}, nil
	case "str", "inlineStr", "d":
		return Cell{Text: value}, nil
	case "", "n":
		if value == "" {
			return Cell{}, nil
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return Cell{}, ErrFormat
		}
		return Cell{Text: strconv.FormatFloat(number, 'f', -1, 64), Number: true}, nil
	}
	return Cell{}, ErrFormat
}

// position reads a place such as AB12: the column from 0, and the line.
func position(place string) (column, line int, err error) {
	digits := strings.TrimLeft(place, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	letters := place[:len(place)-len(digits)]
	if letters == "" || len(letters) > 3 {
		return 0, 0, ErrFormat
	}
	for _, letter := range letters {
		column = column*26 + int(letter-'A') + 1
	}
	line, err = strconv.Atoi(digits)
	if err != nil || line < 1 || line > MostLine || column > MostColumns {
		return 0, 0, ErrFormat
	}
	return column - 1, line, nil
}

// merge marks the cells of a merged range.
func (b *book) merge(sheet *Sheet, lines map[int]int, reference string) error {
	from, to, _ := strings.Cut(reference, ":")
	first, top, err := position(from)
	if err != nil {
		return err
	}
	last, bottom := first, top
	if to != "" {
		if last, bottom, err = position(to); err != nil {
			return err
		}
	}
	if last < first || bottom < top {
		return ErrFormat
	}
	if first == last && top == bottom {
		return nil
	}
	if bottom-top > len(lines) { // fewer lines have cells than the range has
		for line, at := range lines {
			if line >= top && line <= bottom {
				sheet.Rows[at].merged = append(sheet.Rows[at].merged, span{first, last})
			}
		}
		b.cells += len(lines)
	} else {
		for line := top; line <= bottom; line++ {
			if at, ok := lines[line]; ok {
				sheet.Rows[at].merged = append(sheet.Rows[at].merged, span{first, last})
			}
		}
		b.cells += bottom - top + 1
	}
	if b.cells > MostCells {
		return ErrTooLarge
	}
	return nil
}
