package country

import (
	"strings"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/money"
)

// CheckBankAccount returns the account number in canonical form: without spaces. Together with the methods below it
// makes a Profile a field.Scheme.
func (p *Profile) CheckBankAccount(text string) (string, error) {
	text = strings.Join(strings.Fields(text), "")
	return text, p.Account.Validate(text)
}

// CheckPhone returns the telephone number in canonical form: without spaces, hyphens and brackets.
func (p *Profile) CheckPhone(text string) (string, error) {
	text = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(text)
	return text, p.Phone.Validate(text)
}

// CheckTerritory checks that there is such a territory, of the level if one is named.
func (p *Profile) CheckTerritory(code ident.Territory, level string) error {
	switch {
	case !p.Territories.Has(code):
		return fault.New(fault.Invalid, "territory.unknown", "There is no such territory. Choose one of the list.")
	case level != "" && p.Territories.Level(code) != level:
		return fault.New(fault.Invalid, "territory.level", "This territory is not of the right level. Choose one of the list.").With("level", level)
	}
	return nil
}

// ParseMoney returns the amount that a person wrote: with or without the currency, digits grouped or not, and a comma or
// a point before the minor units.
func (p *Profile) ParseMoney(text string) (money.Amount, error) {
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), p.Currency.Code))
	text = strings.Join(strings.Fields(text), "") // Fields parts at no-break spaces, too
	return p.Currency.ParseNumber(strings.Replace(text, ",", ".", 1))
}
