package register

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"golang.org/x/text/encoding/charmap"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/std/xlsx"
)

// Mapping says how a notebook that was kept elsewhere, as a table, becomes records of a register: which column is which
// field, and how a row says whom it is about. It is written in YAML.
type Mapping struct {
	Sheet     string            `yaml:"sheet"`     // of a workbook; absent: the first
	Head      int               `yaml:"head"`      // the line that names the columns; absent: the first
	Separator string            `yaml:"separator"` // of a text file: "," or ";" or a tab; absent: ","
	Encoding  string            `yaml:"encoding"`  // of a text file: utf-8 or windows-1251; absent: utf-8
	Person    PersonColumns     `yaml:"person"`
	Fields    map[string]Column `yaml:"fields"` // by field of the register
	From      *Column           `yaml:"from"`   // from which day a row holds; absent: the day of the import
}

// PersonColumns say whom a row is about. A row with a number is about whoever has it, and a name beside it must be like
// theirs; a row with a name only is settled by a person.
type PersonColumns struct {
	Number string   `yaml:"number"` // the column of the national number
	Name   []string `yaml:"name"`   // the columns of the name, read one after the other
	Birth  *Column  `yaml:"birth"`  // of the date of birth, which tells namesakes apart
}

// Column says where a field's value stands and how it is written.
type Column struct {
	Column string            `yaml:"column"` // its head; or
	Value  string            `yaml:"value"`  // what all rows say
	Values map[string]string `yaml:"values"` // what the notebook writes → what the register says; absent: the same
	Dates  Dates             `yaml:"dates"`  // how dates are written as text; absent: d.m.y
}

// Dates say in which order a date is written: its numbers, parted by points, slashes or hyphens.
type Dates string

// The orders of dates.
const (
	DayFirst   Dates = "d.m.y"
	YearFirst  Dates = "y-m-d"
	MonthFirst Dates = "m/d/y"
)

// LargestTable is the most bytes that a notebook has as a file.
const LargestTable = 32 << 20

func errMapping(format string, values ...any) *fault.Fault {
	detail := fmt.Sprintf(format, values...)
	return fault.Newf(fault.Invalid, "import.mapping", "The mapping does not fit: %s. Correct it.", detail).With("detail", detail)
}

var (
	errNoTable      = fault.New(fault.Invalid, "import.table", "This file cannot be read as a table. Save it as a workbook (.xlsx) or as CSV in UTF-8.")
	errLargeTable   = fault.Newf(fault.TooLarge, "import.table-size", "The file is larger than %d MB, or unpacks to far more than its size. Save only the sheet that is imported, without pictures.", LargestTable>>20)
	errComputed     = fault.New(fault.Invalid, "import.formula", "This row has a formula, or an error that one gave. Put the value itself into the cell.")
	errJoined       = fault.New(fault.Invalid, "import.merged", "This row has a merged cell, so that it is not written which row its value is about. Part it and write the value into each row.")
	errNoPerson     = fault.New(fault.Invalid, "import.no-person", "This row says neither a number nor a name. Write whom it is about.")
	errMappedValue  = fault.New(fault.Invalid, "import.value", "The mapping does not say what this value means in the register. Add it to the column's values, or correct the row.")
	errMissingHead  = fault.New(fault.Invalid, "import.column-missing", "The head lacks a column that the mapping names, or has it twice. Correct the mapping, or say in which line the head is.")
	errWrittenDate  = fault.New(fault.Invalid, "import.date", "This is no date in the order that the mapping says. Correct the row, or the mapping.")
	errTwiceInTable = fault.New(fault.Conflict, "import.record-twice", "An earlier row is about the same record and says something else. Keep the one that is right.")
)

// ReadMapping reads a mapping and holds it to the register that it is for.
func ReadMapping(content []byte, definition *Definition) (*Mapping, error) {
	m := &Mapping{}
	if err := yaml.UnmarshalWithOptions(content, m, yaml.Strict()); err != nil {
		return nil, errMapping("%s", yaml.FormatError(err, false, false)).Because(err)
	}
	return m, m.check(definition)
}

func (m *Mapping) check(definition *Definition) error {
	if m.Head == 0 {
		m.Head = 1
	}
	switch {
	case m.Head < 1 || m.Head > 1000:
		return errMapping("head is a line from 1 to 1000")
	case !slices.Contains([]string{"", ",", ";", "\t"}, m.Separator):
		return errMapping("separator is a comma, a semicolon or a tab")
	case !slices.Contains([]string{"", "utf-8", "windows-1251"}, m.Encoding):
		return errMapping("encoding is utf-8 or windows-1251")
	case len(m.Fields) == 0:
		return errMapping("fields names no field of the register")
	}
	subject, about := field.Find(definition.Fields, definition.Subject)
	people := about && subject.Kind == field.Person
	switch named := m.Person.Number != "" || len(m.Person.Name) > 0; {
	case people && !named:
		return errMapping("the register is about people, and person has neither number nor name")
	case !people && named:
		return errMapping("the register is not about people: leave person out")
	}
	for name, column := range m.Fields {
		one, ok := field.Find(definition.Fields, name)
		switch {
		case !ok:
			return errMapping("the register has no field %s", shown(name))
		case people && name == definition.Subject:
			return errMapping("the field %s is who the row is about: person says it", name)
		case one.Kind == field.List || one.Kind == field.Person || one.Kind == field.Organisation || one.Kind == field.Household:
			return errMapping("the field %s is a list or somebody else, which a table cannot say", name)
		}
		if err := column.check(name); err != nil {
			return err
		}
	}
	for name, column := range map[string]*Column{"from": m.From, "birth": m.Person.Birth} {
		if column != nil {
			if err := column.check(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c Column) check(name string) error {
	if (c.Column == "") == (c.Value == "") {
		return errMapping("%s names either a column or a value", name)
	}
	if !slices.Contains([]Dates{"", DayFirst, YearFirst, MonthFirst}, c.Dates) {
		return errMapping("dates of %s are d.m.y, y-m-d or m/d/y", name)
	}
	return nil
}

// columns returns the heads that are read.
func (m *Mapping) columns() (names []string) {
	add := func(name string) {
		if name = tidy(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, one := range m.Fields {
		add(one.Column)
	}
	add(m.Person.Number)
	for _, one := range m.Person.Name {
		add(one)
	}
	for _, one := range []*Column{m.Person.Birth, m.From} {
		if one != nil {
			add(one.Column)
		}
	}
	return names
}

// tidy takes away the white space that a head or a value has around and too often within.
func tidy(text string) string { return strings.Join(strings.Fields(text), " ") }

// named is whom a row of a notebook names.
type named struct {
	number string
	name   string
	birth  calendar.Date // zero: not said
}

// cell is a value of a table.
type cell struct {
	text string
	day  calendar.Date // of a number in a workbook: the day that it would be; zero: none
	err  error         // why it cannot be relied on, or nil
}

// table gives rows of cells; io.EOF after the last. A row's error says why it cannot be told into cells.
type table interface {
	next() (line int, cells []cell, rowErr, err error)
}

// NewTable reads a notebook by its mapping: a workbook, if it is one, and otherwise CSV. The rows name people by number or
// by name, which the import tells apart.
func (m *Mapping) NewTable(definition *Definition, scheme field.Scheme, content []byte) (RowReader, error) {
	if len(content) > LargestTable {
		return nil, errLargeTable
	}
	rows := &mapped{mapping: m, definition: definition, scheme: scheme}
	var err error
	if bytes.HasPrefix(content, []byte("PK\x03\x04")) {
		rows.table, err = m.workbook(content)
	} else {
		rows.table, err = m.text(content)
	}
	if err != nil {
		return nil, err
	}
	return rows, rows.head()
}

// sheet is a table in a workbook.
type sheet struct {
	*xlsx.Sheet
	at int
}

func (m *Mapping) workbook(content []byte) (table, error) {
	found, err := xlsx.Read(bytes.NewReader(content), int64(len(content)), m.Sheet)
	switch {
	case errors.Is(err, xlsx.ErrTooLarge):
		return nil, errLargeTable.Because(err)
	case errors.Is(err, xlsx.ErrNoSheet):
		return nil, errMapping("the workbook has no sheet of this name")
	case err != nil:
		return nil, errNoTable.Because(err)
	}
	return &sheet{Sheet: found}, nil
}

func (s *sheet) next() (line int, cells []cell, rowErr, err error) {
	if s.at == len(s.Rows) {
		return 0, nil, nil, io.EOF
	}
	row := s.Rows[s.at]
	s.at++
	for column := range row.Cells {
		found := row.Cell(column)
		one := cell{text: found.Text}
		switch found.Problem {
		case xlsx.Formula, xlsx.Failed:
			one.err = errComputed
		case xlsx.Merged:
			one.err = errJoined
		}
		if day, ok := s.Date(found); ok {
			one.day = calendar.DateOf(day, time.UTC)
		}
		cells = append(cells, one)
	}
	return row.Line, cells, nil, nil
}

// text is a table in a file of text.
type text struct {
	bounded *bounded
	reader  *csv.Reader
	line    int
	stopped bool
}

func (m *Mapping) text(content []byte) (table, error) {
	if bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff")) || bytes.IndexByte(content, 0) >= 0 {
		return nil, errNoTable
	}
	var from io.Reader = bytes.NewReader(bytes.TrimPrefix(content, []byte("\ufeff")))
	if m.Encoding == "windows-1251" {
		from = charmap.Windows1251.NewDecoder().Reader(from)
	}
	t := &text{bounded: &bounded{reader: from}}
	t.reader = csv.NewReader(t.bounded)
	t.reader.FieldsPerRecord = -1 // what stands before the head may have any number
	if m.Separator != "" {
		t.reader.Comma = rune(m.Separator[0])
	}
	return t, nil
}

func (t *text) next() (line int, cells []cell, rowErr, err error) {
	if t.stopped {
		return 0, nil, nil, io.EOF
	}
	t.bounded.read = 0
	texts, err := t.reader.Read()
	var broken *csv.ParseError
	switch {
	case errors.As(err, &broken):
		t.stopped = true
		return broken.StartLine, nil, errQuote, nil
	case fault.Code(err) == errRowSize.Code:
		t.stopped = true
		return t.line + 1, nil, errRowSize, nil
	case err != nil:
		return 0, nil, nil, err
	}
	line, _ = t.reader.FieldPos(0)
	t.line, _ = t.reader.FieldPos(len(texts) - 1)
	for _, one := range texts {
		found := cell{text: one}
		switch {
		case !utf8.ValidString(one):
			found.err = errUTF8
		case computes(one):
			found.err = errComputed
		}
		cells = append(cells, found)
	}
	return line, cells, nil, nil
}

// computes reports whether a spreadsheet would take the text for a formula: whoever opens an export of it would run it.
func computes(text string) bool {
	text = strings.TrimSpace(text)
	if text == "" {
		return false
	}
	switch text[0] {
	case '=', '@':
		return true
	case '+', '-':
		return strings.Trim(text[1:], "0123456789 ()-.,") != ""
	}
	return false
}

// mapped reads rows of a register out of a table.
type mapped struct {
	mapping    *Mapping
	definition *Definition
	scheme     field.Scheme
	table      table
	at         map[string]int // where a column stands, from 0
	width      int            // how many columns the head has
}

// head reads the line that names the columns.
func (r *mapped) head() error {
	for {
		line, cells, rowErr, err := r.table.next()
		switch {
		case errors.Is(err, io.EOF) || err == nil && line > r.mapping.Head:
			return errMissingHead
		case err != nil:
			return err
		case line < r.mapping.Head:
			continue
		case rowErr != nil:
			return rowErr
		}
		r.at, r.width = map[string]int{}, len(cells)
		for _, name := range r.mapping.columns() {
			is := func(one cell) bool { return one.err == nil && tidy(one.text) == name }
			first := slices.IndexFunc(cells, is)
			if first < 0 || slices.IndexFunc(cells[first+1:], is) >= 0 {
				return errMissingHead
			}
			r.at[name] = first
		}
		return nil
	}
}

// Next implements RowReader. Empty lines are skipped.
func (r *mapped) Next() (Row, error) {
	for {
		line, cells, rowErr, err := r.table.next()
		if err != nil {
			return Row{}, err
		}
		if rowErr == nil && !slices.ContainsFunc(cells, func(one cell) bool { return one.err != nil || strings.TrimSpace(one.text) != "" }) {
			continue
		}
		row := Row{Line: line, Values: map[string]any{}, Err: rowErr}
		if _, isText := r.table.(*text); isText && rowErr == nil && len(cells) != r.width {
			row.Err = errColumns
		}
		if row.Err == nil {
			row.Err = r.read(&row, cells)
		}
		return row, nil
	}
}

// cell returns what stands in a column of a row.
func (r *mapped) cell(cells []cell, column string) (cell, error) {
	at := r.at[tidy(column)]
	if at >= len(cells) {
		return cell{}, nil
	}
	return cells[at], cells[at].err
}

func (r *mapped) read(row *Row, cells []cell) error {
	for _, one := range r.definition.Fields {
		column, ok := r.mapping.Fields[one.Name]
		if !ok {
			continue
		}
		value, err := r.value(one, column, cells)
		if err != nil {
			return fault.Of(err).At(one.Name)
		}
		if value != nil {
			row.Values[one.Name] = value
		}
	}
	if from := r.mapping.From; from != nil {
		day, err := r.day(*from, cells)
		if err != nil {
			return fault.Of(err).At(fromColumn)
		}
		row.From = day
	}
	if len(r.mapping.Person.Name) == 0 && r.mapping.Person.Number == "" {
		return nil
	}
	err := r.person(row, cells)
	if err != nil {
		return fault.Of(err).At(r.definition.Subject)
	}
	return nil
}

// person reads whom a row names.
func (r *mapped) person(row *Row, cells []cell) error {
	row.named = &named{}
	if column := r.mapping.Person.Number; column != "" {
		found, err := r.cell(cells, column)
		if err != nil {
			return err
		}
		row.named.number = strings.Join(strings.Fields(found.text), "")
	}
	var parts []string
	for _, column := range r.mapping.Person.Name {
		found, err := r.cell(cells, column)
		if err != nil {
			return err
		}
		parts = append(parts, found.text)
	}
	row.named.name = tidy(strings.Join(parts, " "))
	if row.named.number == "" && row.named.name == "" {
		return errNoPerson
	}
	if birth := r.mapping.Person.Birth; birth != nil {
		day, err := r.day(*birth, cells)
		row.named.birth = day
		return err
	}
	return nil
}

// value returns what a row says of a field; nil: nothing.
func (r *mapped) value(one field.Definition, column Column, cells []cell) (any, error) {
	said := column.Value
	if column.Column != "" {
		found, err := r.cell(cells, column.Column)
		if err != nil {
			return nil, err
		}
		said = found.text
	}
	if one.Kind == field.Date && column.Column != "" {
		day, err := r.day(column, cells)
		if err != nil || day.IsZero() {
			return nil, err
		}
		return day, nil
	}
	if column.Values != nil && strings.TrimSpace(said) != "" {
		meant, ok := column.Values[tidy(said)]
		if !ok {
			return nil, errMappedValue
		}
		said = meant
	}
	value, problems := one.Parse(r.scheme, said)
	return value, problems.Err()
}

// day returns the day in a row's column; zero: there is none.
func (r *mapped) day(column Column, cells []cell) (calendar.Date, error) {
	said := cell{text: column.Value}
	if column.Column != "" {
		var err error
		if said, err = r.cell(cells, column.Column); err != nil {
			return calendar.Date{}, err
		}
	}
	switch text := strings.TrimSpace(said.text); {
	case text == "":
		return calendar.Date{}, nil
	case !said.day.IsZero():
		return said.day, nil
	default:
		return column.Dates.parse(text)
	}
}

// parse reads a date that is written in the order.
func (d Dates) parse(text string) (calendar.Date, error) {
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("./-", r) })
	if len(parts) != 3 {
		return calendar.Date{}, errWrittenDate
	}
	switch d {
	case MonthFirst:
		parts[0], parts[1], parts[2] = parts[2], parts[0], parts[1]
	case YearFirst:
	default:
		parts[0], parts[2] = parts[2], parts[0]
	}
	if len(parts[0]) != 4 { // two digits do not say the century
		return calendar.Date{}, errWrittenDate
	}
	for i := range parts[1:] {
		if len(parts[i+1]) == 1 {
			parts[i+1] = "0" + parts[i+1]
		}
	}
	day, err := calendar.ParseDate(strings.Join(parts, "-"))
	if err != nil {
		return calendar.Date{}, errWrittenDate
	}
	return day, nil
}
