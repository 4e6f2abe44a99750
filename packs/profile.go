package packs

import (
	"slices"
	"strings"

	"yagona/kernel/country"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/locale"
	"yagona/pack"
)

// Language returns what the pack language asks of a country: its currency, its languages with those that follow from
// another by rules, its levels of territory, and the form of what people fill in. It takes any profile, not only the one
// that is shipped.
func Language(profile *country.Profile) pack.Profile {
	p := pack.Profile{
		Currency: profile.Currency, Languages: slices.Clone(profile.Languages), Derived: map[string]pack.Derivation{},
		Levels: profile.Territories.Levels(), Scheme: Scheme{profile},
	}
	for _, tag := range profile.Languages {
		if from, derived := locale.Tag(tag).DerivedFrom(); derived && profile.Speaks(string(from)) {
			p.Derived[tag] = pack.Derivation{From: string(from), With: func(text string) string { return locale.ToCyrillic(from, text) }}
		}
	}
	return p
}

// Scheme checks what people fill in against a country profile; it is a field.Scheme.
type Scheme struct{ Profile *country.Profile }

// CheckBankAccount returns the account without the spaces between its groups, or a fault of kind Invalid.
func (s Scheme) CheckBankAccount(text string) (string, error) {
	account := without(text, " \u00a0\u202f")
	return account, s.Profile.Account.Validate(account)
}

// CheckPhone returns the number without spaces, hyphens and parentheses, or a fault of kind Invalid.
func (s Scheme) CheckPhone(text string) (string, error) {
	phone := without(text, " \u00a0\u202f-()")
	return phone, s.Profile.Phone.Validate(phone)
}

// CheckTerritory returns a fault of kind Invalid if there is no such territory, or if it is of another level than the
// one that is named.
func (s Scheme) CheckTerritory(code ident.Territory, level string) error {
	if !s.Profile.Territories.Has(code) {
		return fault.New(fault.Invalid, "country.territory-unknown", "There is no such territory. Choose one from the list.")
	}
	if level != "" && s.Profile.Territories.Level(code) != level {
		return fault.Newf(fault.Invalid, "country.territory-level", "This territory is not of the level %s. Choose one that is.", level)
	}
	return nil
}

// ParseMoney returns the amount that a person wrote, with or without the currency and with spaces between the digits: "1
// 500 000". An amount that cannot be read is a fault of kind Invalid.
func (s Scheme) ParseMoney(text string) (money.Amount, error) {
	number := strings.TrimSuffix(strings.TrimSpace(text), s.Profile.Currency.Code)
	return s.Profile.Currency.ParseNumber(without(number, " \u00a0\u202f"))
}

// without returns the text without the characters.
func without(text, characters string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(characters, r) {
			return -1
		}
		return r
	}, text)
}
