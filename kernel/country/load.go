package country

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a country's midnight must not depend on the machine's files
	"unicode/utf8"

	"golang.org/x/text/language"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/territory"
	"yagona/locale"
)

// ofAge is when people come of age where a profile does not say: Convention on the Rights of the Child, article 1.
const ofAge = 18

// maxFile is the size in bytes beyond which a file of a profile is refused.
const maxFile = 16 << 20

// Error is one thing that is wrong with a profile's files.
type Error struct {
	File    string
	Line    int // from 1; 0 if the file as a whole is wrong
	Column  int // from 1, in characters
	Problem string
}

// Error returns file:line:column: what is wrong; what to do.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Problem
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Problem)
}

// The files' shape. A key that is not here is an error.
type (
	profileFile struct {
		Country      string
		Names        Texts
		Languages    []string
		TimeZone     string `yaml:"time-zone"`
		Currency     currencyEntry
		Person       schemeEntry
		Organisation schemeEntry
		Account      schemeEntry `yaml:"bank-account"`
		Phone        schemeEntry
		SignIn       signInEntry `yaml:"sign-in"`
		Supervision  supervisionEntry
		OfAge        int `yaml:"of-age"`
		Territories  territoriesEntry
	}
	supervisionEntry struct {
		Agency       string
		KeepPayments int `yaml:"keep-payments"` // years
		Legal        string
		Status       Status
	}
	currencyEntry struct {
		Code        string
		MinorDigits int `yaml:"minor-digits"`
	}
	signInEntry struct {
		Kind  string
		Names Texts
	}
	schemeEntry struct {
		Name    string
		Labels  Texts
		Pattern string
		Example string
		Source  string
		Check   *checkEntry
		Layout  []partEntry
	}
	checkEntry struct {
		Weights    []int
		Modulus    int
		Complement bool
	}
	partEntry struct {
		Part   string
		Digits int
		Value  string            // of a fixed part
		Codes  map[string]string // of century-and-sex: "1900-male" to its digits
	}
	territoriesEntry struct {
		Levels []levelEntry
		Files  []string
		Tiles  [][]string // of the map: rows from north to south, codes from west to east, "" where nothing lies
	}
	levelEntry struct {
		Level string
		Names Texts
	}
	calendarFile struct {
		Weekend []string
		Decreed string
		Annual  []annualEntry
		Off     []datedEntry `yaml:"days-off"`
		Working []datedEntry `yaml:"working-days"`
	}
	annualEntry struct {
		Day    string // "03-21"
		Names  Texts
		Legal  string
		Status Status
	}
	datedEntry struct {
		Date   string
		Names  Texts
		Legal  string
		Status Status
	}
)

// Load reads and checks a country profile. Its error joins an *Error for each fault found.
func Load(fsys fs.FS) (*Profile, error) {
	l := &loader{fsys: fsys, profile: &Profile{}}
	var main profileFile
	doc := l.decode("profile.yaml", &main)
	if doc == nil {
		return nil, l.err()
	}
	l.general(doc, &main)
	p := l.profile
	p.Person = l.scheme(doc, &main.Person, "person")
	p.Organisation = l.scheme(doc, &main.Organisation, "organisation")
	p.Account = l.scheme(doc, &main.Account, "bank-account")
	p.Phone = l.scheme(doc, &main.Phone, "phone")
	l.calendar()
	l.territories(doc, &main.Territories)
	if err := l.err(); err != nil {
		return nil, err
	}
	return p, nil
}

type loader struct {
	fsys    fs.FS
	profile *Profile
	faults  []error
}

func (l *loader) err() error { return errors.Join(l.faults...) }

func (l *loader) fail(file string, line, column int, format string, args ...any) {
	l.faults = append(l.faults, &Error{file, line, column, fmt.Sprintf(format, args...)})
}

// read returns the file's content, or nil after reporting what is wrong with it.
func (l *loader) read(file string) []byte {
	opened, err := l.fsys.Open(file)
	if err != nil {
		l.fail(file, 0, 0, "the file cannot be read (%v); add it to the profile's folder", errors.Unwrap(err))
		return nil
	}
	defer opened.Close()
	content, err := io.ReadAll(io.LimitReader(opened, maxFile+1))
	switch {
	case err != nil:
		l.fail(file, 0, 0, "the file cannot be read (%v); check the disk", err)
		return nil
	case len(content) > maxFile:
		l.fail(file, 0, 0, "the file is larger than %d MB; split it", maxFile>>20)
		return nil
	case !utf8.Valid(content):
		l.fail(file, invalidLine(content), 1, "a character of this line is not UTF-8; save the file as UTF-8")
		return nil
	}
	return content
}

// invalidLine is the line, from 1, of the first byte that is not UTF-8.
func invalidLine(content []byte) int {
	for i, line := range bytes.Split(content, []byte("\n")) {
		if !utf8.Valid(line) {
			return i + 1
		}
	}
	return 1
}

// general checks what stands at the top of the profile.
func (l *loader) general(doc *document, main *profileFile) {
	p := l.profile
	if len(main.Languages) == 0 {
		doc.fail(l, path{"languages"}, "no language is named; list them, the authoritative one first")
	}
	for i, tag := range main.Languages {
		if parsed, err := language.Parse(tag); err != nil || parsed.String() != tag {
			doc.fail(l, path{"languages", i}, "%q is no language tag; write one of BCP 47, like en or uz-Latn", tag)
		}
		if slices.Contains(main.Languages[:i], tag) {
			doc.fail(l, path{"languages", i}, "the language %s stands twice; write it once", tag)
		}
	}
	p.Languages = main.Languages

	if len(main.Country) != 2 || main.Country != strings.ToUpper(main.Country) {
		doc.fail(l, path{"country"}, "the country's code has two capital letters; write that of ISO 3166-1")
	}
	p.Code = main.Country
	p.Names = doc.texts(l, path{"names"}, main.Names)

	location, err := time.LoadLocation(main.TimeZone)
	if err != nil || main.TimeZone == "" || main.TimeZone == "Local" {
		doc.fail(l, path{"time-zone"},
			"%q is no time zone; write one of the IANA database, like Asia/Tokyo", main.TimeZone)
		location = time.UTC
	}
	p.Location = location

	p.Currency = money.Currency{Code: main.Currency.Code, MinorDigits: main.Currency.MinorDigits}
	if err := p.Currency.Check(); err != nil {
		doc.fail(l, path{"currency"}, "the currency is malformed; write its ISO 4217 code and 0 to 4 minor-digits")
	}

	if !ident.IsName(main.SignIn.Kind) {
		doc.fail(l, path{"sign-in", "kind"},
			"%q is no kind of sign-in; write oidc or an adapter's name", main.SignIn.Kind)
	}
	if main.OfAge < 0 || main.OfAge > 30 {
		doc.fail(l, path{"of-age"}, "people come of age between 1 and 30; correct it")
	}
	p.OfAge = cmp.Or(main.OfAge, ofAge)
	supervision := main.Supervision
	if supervision != (supervisionEntry{}) {
		if !ident.IsName(supervision.Agency) {
			doc.fail(l, path{"supervision", "agency"}, "%q is no agency's name; write it as its pack does", supervision.Agency)
		}
		if supervision.KeepPayments < 0 || supervision.KeepPayments > 100 {
			doc.fail(l, path{"supervision", "keep-payments"}, "payments are kept for 0 to 100 years; correct it")
		}
		if supervision.Legal == "" || supervision.Status != InForce && supervision.Status != Illustrative {
			doc.fail(l, path{"supervision"}, "say by which act, and whether it is in force or illustrative: legal and status")
		}
	}
	p.Supervision = Supervision{ident.Agency(supervision.Agency), supervision.KeepPayments}
	p.SignIn = SignIn{main.SignIn.Kind, doc.texts(l, path{"sign-in", "names"}, main.SignIn.Names)}
}

// calendar reads calendar.yaml.
func (l *loader) calendar() {
	var file calendarFile
	doc := l.decode("calendar.yaml", &file)
	if doc == nil {
		return
	}
	p := l.profile
	before := len(l.faults)
	definition := calendar.Definition{Location: p.Location}
	for i, name := range file.Weekend {
		day := weekday(name)
		if day < 0 || slices.Contains(definition.Weekend, day) {
			doc.fail(l, path{"weekend", i}, "%q is no day of the week or stands twice; write saturday, sunday, …", name)
			continue
		}
		definition.Weekend = append(definition.Weekend, day)
	}
	decreed, err := calendar.ParseDate(file.Decreed)
	if err != nil {
		doc.fail(l, path{"decreed"}, "%q is no date; write the last day for which days off are known", file.Decreed)
	}
	p.Decreed = decreed
	for i, entry := range file.Annual {
		at := path{"annual", i}
		day, err := calendar.ParseDate("2000-" + entry.Day)
		annual := calendar.Annual{Month: day.Month, Day: day.Day}
		if err != nil || slices.Contains(definition.Annual, annual) {
			doc.fail(l, append(at, "day"),
				"%q is no day of the year or stands twice; write month and day, like 03-21", entry.Day)
			continue
		}
		definition.Annual = append(definition.Annual, annual)
		p.Holidays = append(p.Holidays, Holiday{
			Annual: annual, Names: doc.texts(l, append(at, "names"), entry.Names),
			Legal: entry.Legal, Status: entry.Status,
		})
		doc.legal(l, at, entry.Legal, entry.Status)
	}
	var dated []calendar.Date
	days := func(key string, entries []datedEntry, working bool) (dates []calendar.Date) {
		for i, entry := range entries {
			at := path{key, i}
			date, err := calendar.ParseDate(entry.Date)
			if err != nil || slices.Contains(dated, date) {
				doc.fail(l, append(at, "date"),
					"%q is no date or stands twice; write each day once, like 2026-03-23", entry.Date)
				continue
			}
			dated, dates = append(dated, date), append(dates, date)
			p.Holidays = append(p.Holidays, Holiday{
				Date: date, Working: working, Names: doc.texts(l, append(at, "names"), entry.Names),
				Legal: entry.Legal, Status: entry.Status,
			})
			doc.legal(l, at, entry.Legal, entry.Status)
		}
		return dates
	}
	definition.Off = days("days-off", file.Off, false)
	definition.Working = days("working-days", file.Working, true)
	if len(l.faults) > before {
		return
	}
	if p.Calendar, err = calendar.New(definition); err != nil {
		doc.fail(l, nil, "the calendar cannot be (%v); correct it", err)
	}
}

func weekday(name string) time.Weekday {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.ToLower(day.String()) == name {
			return day
		}
	}
	return -1
}

// territories reads the CSV files of the territories into one tree.
func (l *loader) territories(doc *document, entry *territoriesEntry) {
	before := len(l.faults)
	var levels []territory.Level
	for i, level := range entry.Levels {
		at := path{"territories", "levels", i}
		names := doc.texts(l, append(at, "names"), level.Names)
		twice := slices.ContainsFunc(levels, func(other territory.Level) bool { return other.Name == level.Level })
		if twice || !ident.IsName(level.Level) {
			doc.fail(l, append(at, "level"),
				"%q is no name or stands twice; give each level a name of its own", level.Level)
		}
		levels = append(levels, territory.Level{Name: level.Level, Names: names})
	}
	if len(entry.Files) == 0 {
		doc.fail(l, path{"territories", "files"}, "no file of territories is named; list the CSV files")
	}
	var rows []row
	for _, file := range entry.Files {
		rows = append(rows, l.rows(file)...)
	}
	if len(l.faults) > before {
		return
	}
	list := make([]territory.Territory, len(rows))
	for i, r := range rows {
		list[i] = r.Territory
	}
	tree, err := territory.New(levels, list)
	if wrong, ok := errors.AsType[*territory.Error](err); ok && wrong.Index >= 0 {
		r := rows[wrong.Index]
		l.fail(r.file, r.line, 1, "%s", wrong.Problem)
	} else if err != nil {
		doc.fail(l, path{"territories"}, "%v", err)
	}
	l.profile.Territories = tree
	if tree != nil {
		l.tiles(doc, entry.Tiles, tree)
	}
}

// tiles reads where each territory stands on the map of tiles.
func (l *loader) tiles(doc *document, rows [][]string, tree *territory.Tree) {
	l.profile.Tiles = map[ident.Territory]Tile{}
	for row, codes := range rows {
		for column, text := range codes {
			code, at := ident.Territory(text), path{"territories", "tiles", row, column}
			switch _, twice := l.profile.Tiles[code]; {
			case text == "":
				continue
			case !tree.Has(code):
				doc.fail(l, at, "there is no territory %q; write the code of one, or \"\" where nothing lies", text)
			case twice:
				doc.fail(l, at, "%s stands on the map twice; take one out", text)
			}
			l.profile.Tiles[code] = Tile{column, row}
		}
	}
}

type row struct {
	territory.Territory
	file string
	line int
}

// rows reads one CSV file: code, parent, level, status, then a column for each language.
func (l *loader) rows(file string) []row {
	content := l.read(file)
	if content == nil {
		return nil
	}
	reader := csv.NewReader(bytes.NewReader(content))
	reader.ReuseRecord = true
	header, err := reader.Read()
	fixed := []string{"code", "parent", "level", "status"}
	if err != nil || len(header) < len(fixed) || !slices.Equal(header[:len(fixed)], fixed) {
		l.fail(file, 1, 1, "the first line is not code,parent,level,status and languages; write it")
		return nil
	}
	languages := slices.Clone(header[len(fixed):])
	for i, tag := range languages {
		if !l.profile.Speaks(tag) || slices.Contains(languages[:i], tag) {
			line, column := reader.FieldPos(len(fixed) + i)
			l.fail(file, line, column,
				"the language %q is not declared or stands twice; use those of profile.yaml", tag)
			return nil
		}
	}
	var rows []row
	for {
		record, err := reader.Read()
		if err == io.EOF {
			return rows
		}
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			l.fail(file, wrong.Line, max(wrong.Column, 1),
				"the line is no CSV of %d columns (%v); correct it", len(header), wrong.Err)
			return rows
		}
		r := row{file: file}
		r.line, _ = reader.FieldPos(0)
		r.Code, r.Parent, r.Level = ident.Territory(record[0]), ident.Territory(record[1]), record[2]
		switch Status(record[3]) {
		case InForce:
		case Illustrative:
			r.Illustrative = true
		default:
			_, column := reader.FieldPos(3)
			l.fail(file, r.line, column, "%q is no status; write %s or %s", record[3], InForce, Illustrative)
		}
		r.Names = make(map[string]string, len(languages))
		for i, tag := range languages {
			if name := record[len(fixed)+i]; name != "" {
				r.Names[tag] = name
			}
		}
		for _, tag := range l.profile.Languages {
			if from, derived := locale.Tag(tag).DerivedFrom(); derived && r.Names[tag] == "" && r.Names[string(from)] != "" {
				r.Names[tag] = locale.ToCyrillic(from, r.Names[string(from)])
			}
		}
		if len(l.profile.Languages) > 0 && r.Names[l.profile.Authoritative()] == "" {
			l.fail(file, r.line, 1, "%s has no name in %s; write it", r.Code, l.profile.Authoritative())
		}
		rows = append(rows, r)
	}
}

// texts checks that a text has the authoritative language and none that the country does not use.
func (d *document) texts(l *loader, at path, texts Texts) Texts {
	languages := l.profile.Languages
	if len(languages) > 0 && texts[languages[0]] == "" {
		d.fail(l, at, "the text in %s is missing; write it: it is the authoritative language", languages[0])
	}
	tags := make([]string, 0, len(texts))
	for tag := range texts {
		tags = append(tags, tag)
	}
	slices.SortFunc(tags, cmp.Compare[string])
	for _, tag := range tags {
		if !slices.Contains(languages, tag) {
			d.fail(l, append(slices.Clone(at), tag),
				"the language %s is not declared; add it to languages or take it out", tag)
		}
	}
	return texts
}

// legal checks that a day off names its act and status.
func (d *document) legal(l *loader, at path, legal string, status Status) {
	if legal == "" {
		d.fail(l, append(at, "legal"), "the act is missing; name the one that sets this day")
	}
	if status != InForce && status != Illustrative {
		d.fail(l, append(at, "status"), "%q is no status; write %s or %s", status, InForce, Illustrative)
	}
}
