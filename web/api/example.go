package api

import (
	"regexp/syntax"
	"strings"

	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/field"
	"yagona/kernel/ident"
)

// exampleAnswers returns answers that the fields accept, for people who read the document. They belong to nobody.
func exampleAnswers(fields []field.Definition, profile *country.Profile, today calendar.Date) map[string]any {
	answers := make(map[string]any, len(fields))
	for _, one := range fields {
		answers[one.Name] = example(one, profile, today)
	}
	return answers
}

func example(d field.Definition, profile *country.Profile, today calendar.Date) any {
	switch d.Kind {
	case field.Bool:
		return true
	case field.Int:
		return within(d, 1)
	case field.Money:
		return within(d, 150_000_000)
	case field.Date:
		return exampleDate(d, today)
	case field.Choice:
		if len(d.Options) > 0 {
			return d.Options[0].Value
		}
	case field.Person, field.Organisation, field.Household:
		return string(d.Kind) + ":00000000-0000-4000-8000-000000000000"
	case field.Territory:
		return string(exampleTerritory(d.Level, profile))
	case field.BankAccount:
		return exampleOf(profile.Account)
	case field.Phone:
		return exampleOf(profile.Phone)
	case field.List:
		var groups []any
		for range max(1, within(d, 1)) {
			groups = append(groups, exampleAnswers(d.Fields, profile, today))
		}
		return groups
	}
	return exampleText(d)
}

// within returns the usual number, or the bound that it breaks.
func within(d field.Definition, usual int64) int64 {
	if d.Max != nil {
		usual = min(usual, *d.Max)
	}
	if d.Min != nil {
		usual = max(usual, *d.Min)
	}
	return usual
}

func exampleDate(d field.Definition, today calendar.Date) string {
	switch {
	case !d.Earliest.IsZero() && today.Before(d.Earliest):
		return d.Earliest.String()
	case !d.Latest.IsZero() && today.After(d.Latest):
		return d.Latest.String()
	}
	return today.String()
}

func exampleTerritory(level string, profile *country.Profile) ident.Territory {
	tree := profile.Territories
	for code := range tree.Within(tree.Root()) {
		if level == "" || tree.Level(code) == level {
			return code
		}
	}
	return tree.Root()
}

func exampleOf(scheme *country.Scheme) string {
	if scheme == nil {
		return "20208000900000000001"
	}
	return scheme.Example
}

// exampleText returns the shortest text that the field accepts, or a word.
func exampleText(d field.Definition) string {
	if d.Pattern != nil {
		if parsed, err := syntax.Parse(d.Pattern.String(), syntax.Perl); err == nil {
			return shortest(parsed.Simplify())
		}
	}
	text := "Example"
	if d.Min != nil && int64(len(text)) < *d.Min {
		text += strings.Repeat("e", int(*d.Min)-len(text))
	}
	if d.Max != nil && int64(len(text)) > *d.Max {
		text = text[:max(1, *d.Max)]
	}
	return text
}

// shortest returns a short text that the expression matches.
func shortest(expression *syntax.Regexp) string {
	switch expression.Op {
	case syntax.OpLiteral:
		return string(expression.Rune)
	case syntax.OpCharClass:
		for _, usual := range "aA0 " {
			for i := 0; i+1 < len(expression.Rune); i += 2 {
				if expression.Rune[i] <= usual && usual <= expression.Rune[i+1] {
					return string(usual)
				}
			}
		}
		if len(expression.Rune) > 0 {
			return string(expression.Rune[len(expression.Rune)-1])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "e"
	case syntax.OpCapture, syntax.OpPlus:
		return shortest(expression.Sub[0])
	case syntax.OpRepeat:
		return strings.Repeat(shortest(expression.Sub[0]), expression.Min)
	case syntax.OpAlternate:
		return shortest(expression.Sub[0])
	case syntax.OpConcat:
		var text strings.Builder
		for _, sub := range expression.Sub {
			text.WriteString(shortest(sub))
		}
		return text.String()
	}
	return "" // a star, an option, an anchor: nothing matches it
}
