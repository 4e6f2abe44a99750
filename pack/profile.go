package pack

import (
	"yagona/kernel/country"
	"yagona/locale"
)

// ProfileOf returns what the language asks of a country.
func ProfileOf(profile *country.Profile) Profile {
	asked := Profile{
		Currency: profile.Currency, Languages: profile.Languages, Levels: profile.Territories.Levels(), Scheme: profile,
		Derived: map[string]Derivation{},
	}
	for _, language := range profile.Languages {
		if from, derived := locale.Tag(language).DerivedFrom(); derived {
			asked.Derived[language] = Derivation{
				From: string(from), With: func(text string) string { return locale.ToCyrillic(from, text) },
			}
		}
	}
	return asked
}
