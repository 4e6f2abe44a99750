package country

import (
	"time"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/locale"
)

// Words writes values as this country's people read them, and the platform's own texts. It is safe for concurrent use.
type Words struct {
	*locale.Catalogue
	Profile *Profile
}

// Value writes a value of package rules in a language: an amount with its currency, a date, a territory's name. A value
// of which only its field knows the words (an option of a choice) is written as it is; an empty one is a dash.
func (w Words) Value(language string, value any) string {
	tag := locale.Tag(language)
	switch value := value.(type) {
	case nil:
		return "–"
	case bool:
		if value {
			return w.Text(tag, "value.yes", nil)
		}
		return w.Text(tag, "value.no", nil)
	case int64:
		return locale.Number(tag, value)
	case money.Amount:
		return w.Money(language, value)
	case calendar.Date:
		return w.Date(language, value)
	case ident.Territory:
		return w.Profile.Territories.Name(value, language, w.Profile.Authoritative())
	case string:
		return value
	case ident.Subject:
		return value.Kind()
	case []any:
		return locale.Number(tag, int64(len(value)))
	}
	return "–"
}

// Money writes an amount with its currency.
func (w Words) Money(language string, amount money.Amount) string {
	currency := w.Profile.Currency
	return locale.Money(locale.Tag(language), int64(amount), locale.Currency{Code: currency.Code, Decimals: currency.MinorDigits})
}

// Date writes a date in full.
func (w Words) Date(language string, date calendar.Date) string {
	return locale.Date(locale.Tag(language), locale.Long, date.Start(time.UTC), time.UTC)
}

// Day writes the date of a moment as it stands on the country's calendars.
func (w Words) Day(language string, moment time.Time) string {
	return locale.Date(locale.Tag(language), locale.Long, moment, w.Profile.Location)
}

// Moment writes date and time of day as they stand on the country's clocks.
func (w Words) Moment(language string, moment time.Time) string {
	return locale.Date(locale.Tag(language), locale.LongTime, moment, w.Profile.Location)
}
