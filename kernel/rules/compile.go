package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"yagona/kernel/wording"
)

// Error is one thing that is wrong in an expression. Line and column count from 1; the column counts characters.
type Error struct {
	Line, Column int
	Message      wording.Phrase // what is wrong
	Hint         wording.Phrase // what to do
}

// Error returns "1:5: what is wrong: what to do".
func (e *Error) Error() string {
	return fmt.Sprintf("%d:%d: %s: %s", e.Line, e.Column, e.Message, e.Hint)
}

// Errors is everything that is wrong in an expression, in the order of the source. It is never empty.
type Errors []*Error

// Error returns the errors, one a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Compile checks the source against the environment and returns its program. The result must be of one of the kinds
// that are wanted. The error is Errors.
func (e *Environment) Compile(source string, wanted ...Kind) (*Program, error) {
	return e.compile(source, false, wanted)
}

// CompileOptional is Compile for a result that may be absent: where the whole expression names one input that may be
// absent ("record.closedOn"), an evaluation gives a result without a value and without unknowns.
func (e *Environment) CompileOptional(source string, wanted ...Kind) (*Program, error) {
	return e.compile(source, true, wanted)
}

func (e *Environment) compile(source string, optional bool, wanted []Kind) (*Program, error) {
	checked, issues := e.env.Compile(source)
	if issues != nil && len(issues.Errors()) > 0 {
		return nil, e.explain(source, issues)
	}
	tree := checked.NativeRep()
	result, ok := e.typeOf(checked.OutputType())
	if !ok || !slices.Contains(wanted, result.Kind) && !(result.Kind == KindText && slices.Contains(wanted, KindChoice)) {
		found := checked.OutputType().TypeName()
		if ok {
			found = result.String()
		}
		return nil, Errors{{1, 1, wording.Say("the expression gives %s", found), wording.Say("write one that gives %s", alternatives(wanted))}}
	}
	walk := newWalk(e, tree)
	start := scope{}
	if optional {
		path, field, ok := walk.input(tree.Expr(), start)
		if optional = ok && field.Optional; optional {
			start.present = map[string]bool{path: true}
		}
	}
	walk.visit(tree.Expr(), start)
	if len(walk.errors) > 0 {
		return nil, walk.errors
	}
	program, err := e.env.Program(checked,
		cel.EvalOptions(cel.OptOptimize), cel.CostLimit(costLimit), cel.InterruptCheckFrequency(100))
	if err != nil {
		// A constant part that cannot be computed, such as date("2026-02-30") or 1/0.
		return nil, Errors{{1, 1, wording.Say("a part without inputs cannot be computed"), wording.Say("correct the constants in it")}}
	}
	return &Program{
		environment: e, source: source, result: result, optional: optional,
		inputs: walk.inputs(), checked: tree, costed: checked, program: program,
	}, nil
}

func alternatives(kinds []Kind) wording.Phrase {
	said := wording.Verbatim(kinds[0])
	for _, kind := range kinds[1:] {
		said = wording.Say("%s or %s", said, kind)
	}
	return said
}

// The messages of CEL that deserve better words.
var (
	noOverload = regexp.MustCompile(`^found no matching overload for '(.*)' applied to '(.*)'$`)
	undeclared = regexp.MustCompile(`^undeclared reference to '(.*?)'`)
	noField    = regexp.MustCompile(`^undefined field '(.*)'`)
	noFields   = regexp.MustCompile(`^type '(.*)' does not support field selection`)
	syntax     = regexp.MustCompile(`^Syntax error: `)
)

func (e *Environment) explain(source string, issues *cel.Issues) Errors {
	var errs Errors
	for _, issue := range issues.Errors() {
		// Where the source is too large CEL knows no place.
		explained := &Error{Line: max(1, issue.Location.Line()), Column: max(0, issue.Location.Column()) + 1}
		explained.Message, explained.Hint = e.words(source, issue)
		errs = append(errs, explained)
	}
	return errs
}

func (e *Environment) words(source string, issue *cel.Error) (message, hint wording.Phrase) {
	text, _, _ := strings.Cut(issue.Message, "\n")
	if m := noOverload.FindStringSubmatch(text); m != nil {
		return overloadWords(m[1], m[2])
	}
	if m := undeclared.FindStringSubmatch(text); m != nil {
		asked, presence := strings.CutPrefix(m[1], presenceOf)
		if _, ok := e.variables.Field(asked); ok && presence {
			return wording.Say("%s is always there", asked), wording.Say("leave has() out, or ask for one of its fields")
		}
		m[1] = asked
		if e.isFunction(source, m[1]) {
			return wording.Say("there is no function %s()", m[1]), suggest(m[1], e.functionNames(), functionList)
		}
		return wording.Say("nothing here is called %s", m[1]), suggest(m[1], e.names(), strings.Join(e.names(), ", "))
	}
	if m := noField.FindStringSubmatch(text); m != nil {
		fields := e.fieldsBefore(source, issue)
		return wording.Say("there is no field %s", m[1]), suggest(m[1], fields, strings.Join(fields, ", "))
	}
	if m := noFields.FindStringSubmatch(text); m != nil {
		if strings.HasPrefix(m[1], "list") {
			return wording.Say("a list has no fields"), wording.Say("look at its elements: %s", "list.exists(x, …), list.all(x, …), list.map(x, …)")
		}
		return wording.Say("%s has no fields", typeNames.Replace(m[1])), wording.Say("leave out what follows the dot")
	}
	if syntax.MatchString(text) {
		text = syntax.ReplaceAllString(text, "")
		text, _, _ = strings.Cut(text, " expecting ")
		found := wording.Verbatim(wording.English(text))
		if strings.HasSuffix(text, "'<EOF>'") {
			found = wording.Say("it ends too early")
		}
		return wording.Say("this is not an expression: %s", found), wording.Say("check the parentheses, quotes and operators here")
	}
	if text == presenceOfNothing {
		return wording.Say("has() takes one name"), wording.Say("write %s", "has(ask.price)")
	}
	return wording.Verbatim(wording.English(strings.ReplaceAll(text, "\"", "'"))), wording.Say("correct the expression")
}

// operatorNames turns CEL's names of operators into what the source shows.
var operatorNames = strings.NewReplacer("_", "", "@", "")

// typeNames turns CEL's names of types into ours.
var typeNames = strings.NewReplacer("string", "text", "double", "a number with a point")

func overloadWords(name, args string) (message, hint wording.Phrase) {
	args = typeNames.Replace(strings.TrimSuffix(strings.TrimPrefix(args, "("), ")"))
	if strings.Contains(name, "_") || strings.HasPrefix(name, "@") {
		name = operatorNames.Replace(name)
		switch {
		case strings.Contains(args, "money") && strings.Contains(args, "int"):
			hint = wording.Say("an amount and a number only multiply (10 * param.brv); compare an amount with an amount")
		case name == "in":
			hint = wording.Say("after in stands a list or range(low, high)")
		case strings.Contains(args, "date"):
			hint = wording.Say("compare dates with dates; count with days(), months(), age(); move with plusDays(), plusMonths()")
		default:
			hint = wording.Say("bring both sides to the same type")
		}
		sides := strings.Split(args, ", ")
		both := wording.Verbatim(sides[0])
		for _, side := range sides[1:] {
			both = wording.Say("%s and %s", both, side)
		}
		return wording.Say("%s does not work with %s", name, both), hint
	}
	return wording.Say("%s() does not take (%s)", name, args), signatures[name]
}

// signatures is what the functions take, for people; a test keeps it complete.
var signatures = map[string]wording.Phrase{
	"age":        wording.Say("write %s", "age(birth, day)"),
	"contains":   wording.Say("write %s", "text.contains(part)"),
	"date":       wording.Say("write %s", `date("2026-03-01")`),
	"day":        wording.Say("write %s", "day(date)"),
	"days":       wording.Say("write %s", "days(from, to)"),
	"endsWith":   wording.Say("write %s", "text.endsWith(part)"),
	"greatest":   wording.Say("write %s with numbers, amounts or dates, up to four of one type, or one list", "greatest(a, b)"),
	"least":      wording.Say("write %s with numbers, amounts or dates, up to four of one type, or one list", "least(a, b)"),
	"month":      wording.Say("write %s", "month(date)"),
	"months":     wording.Say("write %s", "months(from, to)"),
	"percent":    wording.Say("write %s", "percent(15, amount)"),
	"plusDays":   wording.Say("write %s", "plusDays(date, 10)"),
	"plusMonths": wording.Say("write %s", "plusMonths(date, 6)"),
	"plusYears":  wording.Say("write %s", "plusYears(date, 1)"),
	"positive":   wording.Say("write %s", "positive(amount)"),
	"range":      wording.Say("write %s with two numbers, amounts or dates", "range(low, high)"),
	"size":       wording.Say("write %s or %s", "size(list)", "size(text)"),
	"startsWith": wording.Say("write %s", "text.startsWith(part)"),
	"sum":        wording.Say("write %s with numbers or amounts", "sum(list)"),
	"year":       wording.Say("write %s", "year(date)"),
	"years":      wording.Say("write %s", "years(from, to)"),
}

const functionList = "age, days, months, years, date, range, least, greatest, sum, percent, positive, size, has"

func (e *Environment) functionNames() []string {
	names := []string{"has", "all", "exists", "exists_one", "filter", "map"}
	for name := range signatures {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (e *Environment) names() []string {
	names := make([]string, len(e.variables.Fields))
	for i, variable := range e.variables.Fields {
		names[i] = variable.Name
	}
	return names
}

// isFunction reports whether the name stands before a parenthesis.
func (e *Environment) isFunction(source, name string) bool {
	_, after, found := strings.Cut(source, name)
	return found && strings.HasPrefix(strings.TrimSpace(after), "(")
}

// fieldsBefore returns the fields of the object that the dot at the place of the error follows.
func (e *Environment) fieldsBefore(source string, issue *cel.Error) []string {
	lines := strings.Split(source, "\n")
	if issue.Location.Line() < 1 || issue.Location.Line() > len(lines) {
		return nil
	}
	before := []rune(lines[issue.Location.Line()-1])
	before = before[:min(len(before), max(0, issue.Location.Column()))]
	path := trailingPath.FindString(string(before))
	object, ok := e.variables.At(path)
	if !ok {
		return nil
	}
	names := make([]string, len(object.Type.Fields))
	for i, field := range object.Type.Fields {
		names[i] = field.Name
	}
	return names
}

var trailingPath = regexp.MustCompile(`[A-Za-z0-9_.]+$`)

// suggest says which of the names is near, or all of them.
func suggest(name string, names []string, all string) wording.Phrase {
	if near, ok := Nearest(name, names); ok {
		return wording.Say("did you mean %s?", near)
	}
	if len(names) == 0 {
		return wording.Say("check the name")
	}
	return wording.Say("use one of %s", all)
}

// longestName is the longest that is compared with others, in bytes: the comparison takes its square.
const longestName = 128

// Nearest returns the name that was probably meant: the one at the smallest edit distance, if that is at most a third
// of the name's length.
func Nearest(name string, names []string) (string, bool) {
	if len(name) > longestName {
		return "", false
	}
	best, distance := "", max(1, len([]rune(name))/3)+1
	for _, candidate := range names {
		if d := editDistance(strings.ToLower(name), strings.ToLower(candidate)); d < distance {
			best, distance = candidate, d
		}
	}
	return best, best != ""
}

// editDistance is the number of insertions, deletions, substitutions and exchanges of neighbours that turn one text
// into the other (the restricted Damerau-Levenshtein distance).
func editDistance(a, b string) int {
	from, to := []rune(a), []rune(b)
	rows := make([][]int, len(from)+1)
	for i := range rows {
		rows[i] = make([]int, len(to)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(from); i++ {
		for j := 1; j <= len(to); j++ {
			changed := 1
			if from[i-1] == to[j-1] {
				changed = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+changed)
			if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(from)][len(to)]
}
