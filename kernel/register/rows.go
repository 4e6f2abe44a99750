package register

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/money"
	"yagona/kernel/rules"
)

// fromColumn names the day from which a row's values hold, in files that are imported and exported. No field can have
// this name.
const fromColumn = "@from"

// rowLimit bounds one row of a file, in bytes.
const rowLimit = 16 << 20

// Row is one row of a file: values of the register's fields, not yet checked against bounds. Person fields hold
// ident.Subject values made of national numbers, which the import resolves.
type Row struct {
	Line   int // where it begins, from 1
	Values map[string]any
	From   calendar.Date // zero: not given
	Err    error         // why it cannot be used, or nil

	named    *named      // of a notebook: whom it is about, in words
	settling []Candidate // who it may be about, for a person to settle; nil: it is known
	effect   Effect      // what it would do, once that was found out
}

// RowReader reads rows. Next returns io.EOF after the last. Any other error means that the rest of the file cannot be
// told into rows; what was read before counts.
type RowReader interface {
	Next() (Row, error)
}

var (
	errUTF8    = fault.New(fault.Invalid, "import.utf8", "This row is not UTF-8 text. Save the file as UTF-8.")
	errRowSize = fault.Newf(fault.TooLarge, "import.row-size", "A row is longer than %d MB, or a quotation mark is missing. Correct the row; what follows it was not read.", rowLimit>>20).
			With("limit", strconv.Itoa(rowLimit>>20))
	errQuote   = fault.New(fault.Invalid, "import.quotes", "The quotation marks of this row do not match. Correct the row; what follows it was not read, for it could be part of the same value.")
	errColumns = fault.New(fault.Invalid, "import.columns", "This row has another number of columns than the first line. Correct the row.")
	errJSON    = fault.New(fault.Invalid, "import.json", "This row is not one JSON object. Correct the row.")
	errTwice   = fault.New(fault.Invalid, "import.member-twice", "This row gives one field twice. Keep one of them.")
	errFrom    = fault.New(fault.Invalid, "import.from", "This is not a date. Write it like 2026-03-02.").At(fromColumn)
)

// bounded is a reader that fails once it has read more than rowLimit bytes since it was last told that a row is done.
type bounded struct {
	reader io.Reader
	read   int
}

func (b *bounded) Read(into []byte) (int, error) {
	if b.read > rowLimit {
		return 0, errRowSize
	}
	n, err := b.reader.Read(into)
	b.read += n
	return n, err
}

// csvRows reads comma-separated values (RFC 4180) whose first line names the columns.
type csvRows struct {
	scheme  field.Scheme
	columns []field.Definition // one for each column; the zero definition: fromColumn
	bounded *bounded
	reader  *csv.Reader
	line    int   // on which the last row ended
	stopped error // why the rest is not read, or nil
}

// NewCSV reads the first line. Each column is a field of the register or "@from", the day from which the values hold.
// Fields that are not given stay without a value; a list cannot be given.
func NewCSV(definition *Definition, scheme field.Scheme, from io.Reader) (RowReader, error) {
	buffered := bufio.NewReader(from)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		if _, err := buffered.Discard(3); err != nil {
			return nil, err
		}
	}
	rows := &csvRows{scheme: scheme, bounded: &bounded{reader: buffered}}
	rows.reader = csv.NewReader(rows.bounded)
	rows.line = 1
	head, err := rows.reader.Read()
	if err != nil {
		return nil, fault.New(fault.Invalid, "import.head", "The first line must name the columns, separated by commas.")
	}
	seen := map[string]bool{}
	for _, name := range head {
		column, ok := field.Find(definition.Fields, name)
		switch {
		case seen[name]:
			return nil, fault.Newf(fault.Invalid, "import.column-twice", "A column stands twice in the first line. Keep one of them.").With("column", shown(name))
		case name == fromColumn:
		case !ok || column.Kind == field.List:
			return nil, fault.Newf(fault.Invalid, "import.column-unknown", "The first line names a column that the register does not have. Use %s.", columnNames(definition)).
				With("column", shown(name)).With("columns", columnNames(definition))
		}
		seen[name] = true
		rows.columns = append(rows.columns, column)
	}
	return rows, nil
}

// shown returns a column's name as a message may hold it, or "none": whoever wrote a value where the columns belong does
// not see it in a log.
func shown(name string) string {
	if len(name) > 64 || !rules.IsName(name) {
		return "none"
	}
	return name
}

func columnNames(d *Definition) string {
	var names []string
	for _, one := range d.Fields {
		if one.Kind != field.List {
			names = append(names, one.Name)
		}
	}
	return strings.Join(append(names, fromColumn), ", ")
}

// Next implements RowReader.
func (c *csvRows) Next() (Row, error) {
	if c.stopped != nil {
		return Row{}, c.stopped
	}
	c.bounded.read = 0
	texts, err := c.reader.Read()
	if err == io.EOF {
		return Row{}, io.EOF
	}
	var broken *csv.ParseError
	if errors.As(err, &broken) {
		row := Row{Line: broken.StartLine, Err: errColumns}
		if !errors.Is(err, csv.ErrFieldCount) {
			c.stopped, row.Err = errQuote, errQuote
		}
		c.line = row.Line
		return row, nil
	}
	if fault.Code(err) == errRowSize.Code {
		c.stopped = errRowSize
		return Row{Line: c.line + 1, Err: errRowSize}, nil
	}
	if err != nil {
		return Row{}, err
	}
	line, _ := c.reader.FieldPos(0)
	c.line, _ = c.reader.FieldPos(len(texts) - 1)
	row := Row{Line: line, Values: map[string]any{}}
	for i, text := range texts {
		if row.Err = c.cell(&row, c.columns[i], text); row.Err != nil {
			break
		}
	}
	return row, nil //nolint:nilerr // the row carries what is wrong with it
}

func (c *csvRows) cell(row *Row, column field.Definition, text string) (err error) {
	if !utf8.ValidString(text) {
		return errUTF8.At(column.Name)
	}
	if column.Name == "" {
		if text != "" {
			if row.From, err = calendar.ParseDate(text); err != nil {
				return errFrom
			}
		}
		return nil
	}
	value, problems := column.Parse(c.scheme, text)
	if value != nil {
		row.Values[column.Name] = value
	}
	return problems.Err()
}

// jsonRows reads one JSON object a line.
type jsonRows struct {
	object rules.Type
	reader *bufio.Reader
	line   int
}

// NewNDJSON reads one JSON object a line; its members are fields of the register, and "@from". Empty lines are skipped.
func NewNDJSON(definition *Definition, from io.Reader) RowReader {
	return &jsonRows{object: field.TypeOf(definition.Fields), reader: bufio.NewReaderSize(from, 64<<10)}
}

// Next implements RowReader.
func (j *jsonRows) Next() (Row, error) {
	for {
		text, tooLong, err := j.readLine()
		if err != nil {
			return Row{}, err
		}
		j.line++
		row := Row{Line: j.line}
		switch {
		case tooLong:
			row.Err = fault.Newf(fault.TooLarge, "import.row-size", "This row is longer than %d MB. Correct the row.", rowLimit>>20).
				With("limit", strconv.Itoa(rowLimit>>20))
			return row, nil
		case len(strings.TrimSpace(text)) == 0:
			continue
		case !utf8.ValidString(text):
			row.Err = errUTF8
			return row, nil
		}
		row.Values, row.From, row.Err = j.parse(text)
		return row, nil
	}
}

// readLine returns the next line without its end. Of a line over rowLimit the rest is skipped.
func (j *jsonRows) readLine() (text string, tooLong bool, err error) {
	var line []byte
	for {
		part, err := j.reader.ReadSlice('\n')
		if len(line)+len(part) > rowLimit {
			tooLong, line = true, line[:0]
		}
		if !tooLong {
			line = append(line, part...)
		}
		switch {
		case err == nil, err == io.EOF && (len(line) > 0 || tooLong):
			return strings.TrimSuffix(string(line), "\n"), tooLong, nil
		case errors.Is(err, bufio.ErrBufferFull):
		default:
			return "", false, err
		}
	}
}

func (j *jsonRows) parse(text string) (map[string]any, calendar.Date, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, calendar.Date{}, errJSON
	}
	members := map[string]json.RawMessage{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, calendar.Date{}, errJSON
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, calendar.Date{}, errJSON
		}
		if _, twice := members[name.(string)]; twice {
			return nil, calendar.Date{}, errTwice
		}
		members[name.(string)] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, calendar.Date{}, errJSON
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, calendar.Date{}, errJSON
	}
	var from calendar.Date
	if given, ok := members[fromColumn]; ok {
		delete(members, fromColumn)
		if err := json.Unmarshal(given, &from); err != nil {
			return nil, calendar.Date{}, errFrom
		}
	}
	encoded, err := json.Marshal(members)
	if err != nil {
		return nil, calendar.Date{}, errJSON
	}
	values, err := field.Decode(j.object, encoded)
	if err != nil {
		return nil, calendar.Date{}, unnamed(j.object, err)
	}
	return values, from, nil
}

// unnamed takes the name of an unknown member out of an error: it comes from the file and could be a person's.
func unnamed(object rules.Type, err error) error {
	found := *fault.Of(err)
	found.Err = nil
	if name, _, _ := strings.Cut(found.Field, "."); !slices.ContainsFunc(object.Fields, func(f rules.Field) bool { return f.Name == name }) {
		found.Field = ""
	}
	return &found
}

// writer writes records as they are exported.
type writer interface {
	write(from calendar.Date, values map[string]any) error
	flush() error
}

type csvWriter struct {
	writer   *csv.Writer
	currency money.Currency
	fields   []field.Definition
	texts    []string
}

func newCSVWriter(d *Definition, currency money.Currency, to io.Writer) (*csvWriter, error) {
	w := &csvWriter{writer: csv.NewWriter(to), currency: currency}
	var head []string
	for _, one := range d.Fields {
		if one.Kind == field.List {
			return nil, fault.New(fault.Invalid, "export.list", "A register with lists cannot be written as CSV. Export it as NDJSON.")
		}
		if one.Kind == field.Money {
			if err := currency.Check(); err != nil {
				return nil, err // an amount without its currency would be read again as another
			}
		}
		w.fields = append(w.fields, one)
		head = append(head, one.Name)
	}
	w.texts = make([]string, len(head)+1)
	return w, w.writer.Write(append(head, fromColumn))
}

func (w *csvWriter) write(from calendar.Date, values map[string]any) error {
	for i, one := range w.fields {
		switch value := values[one.Name].(type) {
		case nil:
			w.texts[i] = ""
		case money.Amount:
			w.texts[i] = w.currency.Format(value)
		default:
			w.texts[i] = fmt.Sprint(value)
		}
	}
	w.texts[len(w.fields)] = from.String()
	return w.writer.Write(w.texts)
}

func (w *csvWriter) flush() error {
	w.writer.Flush()
	return w.writer.Error()
}

type jsonWriter struct{ encoder *json.Encoder }

func (w jsonWriter) write(from calendar.Date, values map[string]any) error {
	row := map[string]any{fromColumn: from}
	for name, value := range values {
		row[name] = value
	}
	return w.encoder.Encode(row)
}

func (w jsonWriter) flush() error { return nil }
