package locale

import (
	"strconv"
	"strings"
)

// noBreakSpace (U+00A0) keeps a number, its groups and its unit on one line.
const noBreakSpace = "\u00a0"

// separators returns what stands between groups of three digits and before the decimals (CLDR, numbers of uz, ru, en;
// Karakalpak, which CLDR lacks, is written as Uzbek).
func separators(tag Tag) (group, decimal string) {
	if tag == English {
		return ",", "."
	}
	return noBreakSpace, ","
}

// Number writes a whole number with its digits in groups of three: 1 500 000 with no-break spaces, or 1,500,000.
func Number(tag Tag, n int64) string { return Decimal(tag, n, 0) }

// Decimal writes unscaled × 10^-decimals with exactly that many decimals (0 to 18), without any rounding:
// Decimal(Russian, 12345, 2) is "123,45".
func Decimal(tag Tag, unscaled int64, decimals int) string {
	decimals = min(max(decimals, 0), 18)
	group, point := separators(tag)
	digits := strconv.FormatInt(unscaled, 10)
	digits, negative := strings.CutPrefix(digits, "-")
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole, fraction := digits[:len(digits)-decimals], digits[len(digits)-decimals:]
	var out strings.Builder
	if negative {
		out.WriteByte('-')
	}
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			out.WriteString(group)
		}
		out.WriteRune(digit)
	}
	if decimals > 0 {
		out.WriteString(point + fraction)
	}
	return out.String()
}

// Percent writes unscaled × 10^-decimals per cent: Percent(English, 155, 1) is "15.5%". Russian puts a no-break space
// before the sign (CLDR).
func Percent(tag Tag, unscaled int64, decimals int) string {
	number := Decimal(tag, unscaled, decimals)
	if tag == Russian {
		return number + noBreakSpace + "%"
	}
	return number + "%"
}

// Currency says how a currency is shown. It comes from the country profile.
type Currency struct {
	Code     string         // ISO 4217: "UZS"; shown where Names lacks a language
	Decimals int            // digits of the minor unit: 2 for UZS
	Names    map[Tag]string // what stands after the amount: "soʻm", "сум"
}

// Money writes an amount, given in minor units, with its currency after it: "1 500 000 soʻm". Decimals are written only
// if there are any: "1 500 000,50 soʻm".
func Money(tag Tag, minor int64, currency Currency) string {
	unit := currency.Code
	if name := currency.Names[tag]; name != "" {
		unit = name
	} else if source, derived := tag.DerivedFrom(); derived && currency.Names[source] != "" {
		unit = ToCyrillic(source, currency.Names[source])
	}
	amount, decimals := minor, min(max(currency.Decimals, 0), 18)
	one := int64(1)
	for range decimals {
		one *= 10
	}
	if minor%one == 0 {
		amount, decimals = minor/one, 0
	}
	return Decimal(tag, amount, decimals) + noBreakSpace + unit
}
