// Package money owns amounts of money: whole minor units of one currency, never a float.
//
// It hands out Amount to whoever asks for, pays or books money, and Currency to whoever reads or writes an amount as
// text. Which currency a country uses is its profile's; an installation has one.
//
// Invariants: an amount is exact; a sum, difference or product that does not fit is an error and never wraps; a
// division that has a remainder is rounded only in the way that the caller declared.
package money

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"yagona/kernel/fault"
)

// Amount is a number of minor units: of tiyin, of cents. Its JSON form is a plain integer of minor units.
type Amount int64

// The largest and the smallest amount. The smallest is the negative of the largest, so that every amount has a
// negative.
const (
	Max Amount = math.MaxInt64
	Min Amount = -math.MaxInt64
)

// maxMinorDigits is what ISO 4217 knows at most.
const maxMinorDigits = 4

// Currency says how amounts are written.
type Currency struct {
	Code        string // three capital letters: ISO 4217
	MinorDigits int    // decimal digits of the minor unit, 0 to 4: 2 where a unit has 100 minor units
}

// Check reports what is wrong with the currency's definition.
func (c Currency) Check() error {
	wrong := len(c.Code) != 3
	for _, r := range c.Code {
		wrong = wrong || r < 'A' || r > 'Z'
	}
	if wrong {
		return fault.New(fault.Invalid, "money.currency-malformed",
			"A currency is three capital letters of ISO 4217. Write its code.")
	}
	if c.MinorDigits < 0 || c.MinorDigits > maxMinorDigits {
		return fault.Newf(fault.Invalid, "money.currency-malformed",
			"A currency has 0 to %d digits of minor units. Write how many.", maxMinorDigits)
	}
	return nil
}

// Parse reads an amount with its currency: "1500000 UZS", "1500000.50 UZS", "-3 UZS". The decimals are either left
// out or all there. Nothing else is accepted: no grouping, no other currency, no other order.
func (c Currency) Parse(text string) (Amount, error) {
	number, code, ok := strings.Cut(text, " ")
	if !ok {
		return 0, c.malformed()
	}
	if code != c.Code {
		return 0, fault.Newf(fault.Invalid, "money.currency-unknown",
			"Amounts are in %s here. Write the number, one space and %s.", c.Code, c.Code).With("currency", c.Code)
	}
	return c.ParseNumber(number)
}

// ParseNumber reads an amount without its currency, as Parse does: "1500000", "1500000.50".
func (c Currency) ParseNumber(text string) (Amount, error) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, hasFraction := strings.Cut(digits, ".")
	if !isDigits(whole) || (len(whole) > 1 && whole[0] == '0') {
		return 0, c.malformed()
	}
	if hasFraction && (c.MinorDigits == 0 || len(fraction) != c.MinorDigits || !isDigits(fraction)) {
		return 0, c.malformed()
	}
	if !hasFraction {
		fraction = strings.Repeat("0", c.MinorDigits)
	}
	minor, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return 0, tooLarge()
	}
	if negative {
		minor = -minor
	}
	return Amount(minor), nil
}

// Format writes the amount in the one form that Parse reads back to the same amount: decimals only where they are not
// all zero. How a person of some language likes to see it is another package's matter.
func (c Currency) Format(amount Amount) string {
	return c.FormatNumber(amount) + " " + c.Code
}

// FormatNumber is Format without the currency's code.
func (c Currency) FormatNumber(amount Amount) string {
	sign := ""
	minor := uint64(amount)
	if amount < 0 {
		sign, minor = "-", -minor
	}
	unit := uint64(1)
	for range c.MinorDigits {
		unit *= 10
	}
	text := sign + strconv.FormatUint(minor/unit, 10)
	if rest := minor % unit; rest != 0 {
		decimals := strconv.FormatUint(rest, 10)
		text += "." + strings.Repeat("0", c.MinorDigits-len(decimals)) + decimals
	}
	return text
}

func (c Currency) malformed() error {
	example := "1500000 " + c.Code
	if c.MinorDigits > 0 {
		example += " or 1500000." + strings.Repeat("0", c.MinorDigits-1) + "5 " + c.Code
	}
	return fault.Newf(fault.Invalid, "money.malformed",
		"This is not an amount of money. Write it with plain digits, like %s.", example).With("example", example)
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

func tooLarge() error {
	return fault.New(fault.Invalid, "money.too-large", "The amount is larger than can be counted. Check the figures.")
}

// Add returns a + b, or an error if the sum does not fit.
func (a Amount) Add(b Amount) (Amount, error) {
	sum := a + b
	if (b > 0 && sum < a) || (b < 0 && sum > a) || sum < Min {
		return 0, tooLarge()
	}
	return sum, nil
}

// Sub returns a - b, or an error if the difference does not fit.
func (a Amount) Sub(b Amount) (Amount, error) {
	if b < Min {
		return 0, tooLarge()
	}
	return a.Add(-b)
}

// Sum adds amounts, or returns an error as soon as a partial sum does not fit.
func Sum(amounts ...Amount) (Amount, error) {
	var total Amount
	for _, amount := range amounts {
		var err error
		if total, err = total.Add(amount); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// Rounding says what becomes of the part of a minor unit that a division leaves. The zero value declares nothing and is
// refused wherever a remainder is left.
type Rounding uint8

// The ways to round.
const (
	Exactly      Rounding = iota // a remainder is an error
	HalfEven                     // to the nearest; a half to the even neighbour
	HalfAway                     // to the nearest; a half away from zero
	TowardZero                   // cut off
	AwayFromZero                 // up in size
)

// Times returns the amount times numerator/denominator, rounded as declared. The product is computed in 128 bits, so
// that only a result that does not fit is an error: 15 % of an amount is amount.Times(15, 100, money.HalfAway).
func (a Amount) Times(numerator, denominator int64, rounding Rounding) (Amount, error) {
	if denominator == 0 {
		return 0, fault.New(fault.Invalid, "money.division-by-zero",
			"An amount cannot be divided by zero. Correct the ratio.")
	}
	negative := (a < 0) != (numerator < 0) != (denominator < 0)
	divisor := magnitude(denominator)
	high, low := bits.Mul64(magnitude(int64(a)), magnitude(numerator))
	if high >= divisor {
		return 0, tooLarge()
	}
	quotient, rest := bits.Div64(high, low, divisor)
	if rest != 0 {
		up := false
		switch rounding {
		case HalfEven:
			up = rest > divisor-rest || (rest == divisor-rest && quotient%2 == 1)
		case HalfAway:
			up = rest >= divisor-rest
		case TowardZero:
		case AwayFromZero:
			up = true
		default:
			return 0, fault.New(fault.Invalid, "money.not-whole",
				"The result is not a whole number of minor units. Say how it is to be rounded.")
		}
		if up {
			quotient++ // cannot wrap: rest != 0 means divisor > 1, so the quotient is below 2^64 - 1
		}
	}
	if quotient > uint64(Max) {
		return 0, tooLarge()
	}
	if negative {
		return -Amount(quotient), nil
	}
	return Amount(quotient), nil
}

// magnitude is the absolute value, which for the smallest int64 does not fit an int64.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}
