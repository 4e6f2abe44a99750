package ui

// Link leads somewhere.
type Link struct {
	Text    string
	Href    string
	About   string // what the link is about, for those who hear it out of context: "Change" + "your name"
	Current bool   // it leads to where the reader is
}

// Tone is the meaning that a colour only repeats: the words beside it say the same.
type Tone string

// The tones.
const (
	Plain Tone = "plain"
	Info  Tone = "info"
	Good  Tone = "good"
	Wait  Tone = "wait"
	Bad   Tone = "bad"
)

// Paragraph is running text.
type Paragraph struct{ Text string }

// Heading divides a page.
type Heading struct{ Text string }

// Title is the page's heading where the body holds it: use it with Page.Asks. An error that concerns all that follows
// stands below it.
type Title struct{ Text, Hint, Error, ID string }

func (t Title) problem() (Problem, bool) {
	return Problem{Href: "#" + t.ID, Text: t.Error}, t.Error != ""
}

// List is a few short texts, of which some may lead somewhere.
type List struct{ Items []Link }

// Texts returns a list of texts that lead nowhere.
func Texts(texts ...string) List {
	var list List
	for _, text := range texts {
		list.Items = append(list.Items, Link{Text: text})
	}
	return list
}

// Code is text for machines, to be read or copied as it is.
type Code struct{ Text string }

// Inset is text set apart: a rule, a condition.
type Inset struct{ Text string }

// Details is text that opens when asked for.
type Details struct {
	Summary string
	Body    []Component
}

// Reference is the number under which an operator finds what happened.
type Reference struct{ Number string }

// Tag is a status in a word or two.
type Tag struct {
	Text string
	Tone Tone
}

// Banner tells something about the whole page before all else.
type Banner struct {
	Tone  Tone
	Title string
	Text  string
	Link  *Link
}

// Receipt says that something was done, with its number.
type Receipt struct {
	Title  string
	Label  string // what the number is
	Number string
	Text   string
}

// Buttons are actions side by side; the first is the main one.
type Buttons []Button

// Button is an action: a link, or the sending of the form around it.
type Button struct {
	Text        string
	Key         string // of a text that all pages share, instead of Text
	Href        string // leads there; empty: sends the form
	Name, Value string // sent with the form
	Quiet       bool   // beside a main action
	Warning     bool   // what it does can't be undone
}

// Form asks for answers and sends them by POST to where it stands. A form with a file is sent as multipart.
type Form struct {
	Action  string // empty: to the page's own address
	Fields  []Component
	Hidden  []Hidden
	Buttons Buttons // without any: one that says "Continue"
	Files   bool
	ID      string // given by the page around it
}

// Hidden is sent with a form and not shown.
type Hidden struct{ Name, Value string }

// Question is what all inputs have in common. Its name is also the anchor to which the error summary leads.
type Question struct {
	Name     string
	Label    string
	Hint     string
	Error    string
	Optional bool
	Title    bool // the label is the page's heading: use it with Page.Asks
}

// ID returns the anchor of the input.
func (q Question) ID() string { return q.Name }

// DescribedBy returns the ids of what explains the input, or "".
func (q Question) DescribedBy() string {
	switch {
	case q.Hint != "" && q.Error != "":
		return q.Name + "-hint " + q.Name + "-error"
	case q.Hint != "":
		return q.Name + "-hint"
	case q.Error != "":
		return q.Name + "-error"
	}
	return ""
}

func (q Question) problem() (Problem, bool) {
	return Problem{Href: "#" + q.ID(), Text: q.Error, Label: q.Label}, q.Error != ""
}

// TextInput takes a line, or with Lines a paragraph.
type TextInput struct {
	Question
	Value        string
	Lines        int    // 0: one line
	Maximum      int    // characters; 0: no limit is shown
	Short        bool   // a number, a code
	Keyboard     string // inputmode: "numeric", "tel", "email"
	Autocomplete string // as HTML names it (WCAG 1.3.5)
	Unit         string // behind the input: "UZS", "kg"
}

// Money takes an amount of the currency's main unit; it is a text, so that grouped digits can be typed and read back.
func Money(question Question, value, currency string) TextInput {
	return TextInput{Question: question, Value: value, Short: true, Keyboard: "numeric", Unit: currency}
}

// DateInput takes a day, a month and a year: NAME-day, NAME-month, NAME-year.
type DateInput struct {
	Question
	Day, Month, Year string
	Birth            bool // a date of birth, which browsers fill in
}

// ID returns the anchor of the first of the three inputs.
func (d DateInput) ID() string { return d.Name + "-day" }

func (d DateInput) problem() (Problem, bool) {
	return Problem{Href: "#" + d.ID(), Text: d.Error, Label: d.Label}, d.Error != ""
}

// FileInput takes files.
type FileInput struct {
	Question
	Accept   string // media types and endings, as HTML writes them
	Multiple bool
}

// Choice takes one of the options, or with Several any of them.
type Choice struct {
	Question
	Several bool
	Options []Option
	Inline  bool // two short options side by side
}

// Option is one that can be chosen.
type Option struct {
	Value   string
	Label   string
	Hint    string
	Checked bool
}

// ShownOption is an option with what its template needs of the choice around it.
type ShownOption struct {
	Option
	ID, Name, Kind string
}

// Shown returns the options as the template shows them; the first has the anchor of the choice.
func (c Choice) Shown() []ShownOption {
	kind := "radio"
	if c.Several {
		kind = "checkbox"
	}
	shown := make([]ShownOption, len(c.Options))
	for i, option := range c.Options {
		shown[i] = ShownOption{Option: option, ID: c.Name + "-" + option.Value, Name: c.Name, Kind: kind}
	}
	if len(shown) > 0 {
		shown[0].ID = c.ID()
	}
	return shown
}

// SummaryList shows what is known, to be checked before it is sent or read afterwards.
type SummaryList struct {
	Title string
	Under bool // it belongs under the heading before it
	Rows  []SummaryRow
}

// SummaryRow is one of its lines.
type SummaryRow struct {
	Term   string
	Values []string
	Source string // where the platform has it from, if nobody typed it: "Civil register, today"
	Change *Link
	// Contest leads to where the reader can say that it is wrong.
	Contest *Link
}

// HasLinks reports whether the row leads somewhere.
func (r SummaryRow) HasLinks() bool { return r.Change != nil || r.Contest != nil }

// TaskList shows the steps of something that is done in any order.
type TaskList struct {
	Items []TaskItem
	Found bool // what was found, not what is to be done: nothing of it waits
}

// TaskItem is one of its steps.
type TaskItem struct {
	Title  string
	Href   string // empty: can't be begun yet
	Hint   string
	Status Tag
}

// Cards are things to choose among, each with a few words.
type Cards struct {
	Items []Card
	Under bool // they belong under the heading before them
}

// Card is one of them; without Href it only holds its links.
type Card struct {
	Title, Href, Text string
	Status            *Tag
	Links             []Link
}

// Table shows many things of one kind. On a narrow screen each row becomes a card with the column's name at each value.
type Table struct {
	Caption string
	Columns []Column
	Rows    []TableRow
	Empty   string // what is said when there is no row
	Pages   *Pagination
}

// Column heads a table's column.
type Column struct {
	Text   string
	Number bool // digits, set to the right
	Prose  bool // sentences, which on a telephone stand below the column's name
}

// TableRow is one thing of a table, with one cell for each column.
type TableRow []Cell

// Cell is a value: a text, a link, or a status.
type Cell struct {
	Text   string
	Href   string
	Status *Tag
}

// ShownCell is a cell with its column.
type ShownCell struct {
	Cell
	Column Column
	First  bool // names the row
}

// Shown returns the cells with their columns; cells beyond the columns are left out.
func (t Table) Shown() [][]ShownCell {
	shown := make([][]ShownCell, len(t.Rows))
	for i, row := range t.Rows {
		for j, cell := range row[:min(len(row), len(t.Columns))] {
			shown[i] = append(shown[i], ShownCell{Cell: cell, Column: t.Columns[j], First: j == 0})
		}
	}
	return shown
}

// Pagination leads through the pages of a list.
type Pagination struct {
	Previous, Next string // addresses; empty: there is none
	From, To, Of   int    // which of how many are shown; Of is 0 if that is not known
}

// Timeline shows what happened, the newest first.
type Timeline struct{ Events []TimelineEvent }

// TimelineEvent is one of its entries.
type TimelineEvent struct {
	Title string
	When  string // as the reader's language writes it
	Time  string // the same, as RFC 3339
	By    string
	Text  string
	Tone  Tone
	Link  *Link
	Next  bool // it has not happened yet: what is to happen next
}

// ErrorSummary is what is wrong on the page, each with a link to where.
type ErrorSummary struct{ Problems []Problem }

// Count returns how many problems there are.
func (e ErrorSummary) Count() int { return len(e.Problems) }

// Problem is one of them.
type Problem struct {
	Href, Text string
	Label      string // of the input: said too where another problem has the same text
}

// Select takes one of many options; of few, Choice is easier to use.
type Select struct {
	Question
	Options []Option
}

// Search finds things by words. It is sent by GET, so that what was found has an address.
type Search struct {
	Action  string // where the words are sent
	Name    string // of the words
	Label   string
	Hint    string
	Value   string
	Suggest string // where the script search.js asks for answers while the reader types; empty: nowhere
}

// Filter narrows a list down. It is sent by GET to where it stands.
type Filter struct {
	Action string
	Hidden []Hidden
	Fields []Component
}

// Tabs are views of the same thing, each with an address of its own.
type Tabs struct {
	Label string // of what they are views
	Items []Tab
}

// Tab is one of the views.
type Tab struct {
	Text    string
	Href    string
	Current bool
	Count   string // how many it holds, as the reader's language writes it; empty: not said
}

// Warning is one sentence that must not be missed.
type Warning struct{ Text string }

// Progress says how far one has come in something that has one thing per page.
type Progress struct{ Position, Of int }

// Width returns how much is done, of 100.
func (p Progress) Width() int { return 100 * p.Position / max(p.Of, 1) }

// The templates of the components.
func (Paragraph) Template() string   { return "paragraph" }
func (Heading) Template() string     { return "heading" }
func (Title) Template() string       { return "title" }
func (List) Template() string        { return "list" }
func (Code) Template() string        { return "code" }
func (Inset) Template() string       { return "inset" }
func (Details) Template() string     { return "details" }
func (Reference) Template() string   { return "reference" }
func (Tag) Template() string         { return "tag" }
func (Banner) Template() string      { return "banner" }
func (Receipt) Template() string     { return "receipt" }
func (Buttons) Template() string     { return "buttons" }
func (Form) Template() string        { return "form" }
func (TextInput) Template() string   { return "text-input" }
func (DateInput) Template() string   { return "date-input" }
func (FileInput) Template() string   { return "file-input" }
func (Choice) Template() string      { return "choice" }
func (SummaryList) Template() string { return "summary-list" }
func (TaskList) Template() string    { return "task-list" }
func (Cards) Template() string       { return "cards" }
func (Table) Template() string       { return "table" }
func (Pagination) Template() string  { return "pagination" }
func (Timeline) Template() string    { return "timeline" }
func (Select) Template() string      { return "select" }
func (Search) Template() string      { return "search" }
func (Filter) Template() string      { return "filter" }
func (Tabs) Template() string        { return "tabs" }
func (Warning) Template() string     { return "warning" }
func (Progress) Template() string    { return "progress" }

// Actions returns the form's buttons, or the one that every form has.
func (f Form) Actions() Buttons {
	if len(f.Buttons) == 0 {
		return Buttons{{Key: "actions.continue"}}
	}
	return f.Buttons
}

// summarise gathers the problems of all inputs in the order in which they stand, or returns nil.
func summarise(body []Component) *ErrorSummary {
	var found []Problem
	for _, component := range body {
		switch component := component.(type) {
		case Form:
			if inner := summarise(component.Fields); inner != nil {
				found = append(found, inner.Problems...)
			}
		case interface{ problem() (Problem, bool) }:
			if problem, is := component.problem(); is {
				found = append(found, problem)
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	return &ErrorSummary{Problems: found}
}

// apart lets problems with the same text name their inputs.
func (e *ErrorSummary) apart() *ErrorSummary {
	if e == nil {
		return nil
	}
	count := map[string]int{}
	for _, one := range e.Problems {
		count[one.Text]++
	}
	for i, one := range e.Problems {
		if count[one.Text] > 1 && one.Label != "" {
			e.Problems[i].Text = one.Label + " – " + one.Text
		}
	}
	return e
}
