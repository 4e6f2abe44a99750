package money_test

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"yagona/kernel/fault"
	"yagona/kernel/money"
)

// som stands for a currency with two digits; the country profile names the real ones.
var (
	som    = money.Currency{Code: "UZS", MinorDigits: 2}
	yen    = money.Currency{Code: "JPY", MinorDigits: 0}
	dinar  = money.Currency{Code: "KWD", MinorDigits: 3}
	rounds = []money.Rounding{
		money.Exactly, money.HalfEven, money.HalfAway, money.TowardZero, money.AwayFromZero,
	}
)

func TestParseReadsPlainAmounts(t *testing.T) {
	for _, test := range []struct {
		currency money.Currency
		text     string
		want     money.Amount
	}{
		{som, "1500000 UZS", 150000000},
		{som, "1500000.50 UZS", 150000050},
		{som, "1500000.00 UZS", 150000000},
		{som, "0 UZS", 0},
		{som, "0.01 UZS", 1},
		{som, "-3 UZS", -300},
		{som, "-0.05 UZS", -5},
		{som, "92233720368547758.07 UZS", money.Max},
		{yen, "12 JPY", 12},
		{dinar, "1.005 KWD", 1005},
	} {
		got, err := test.currency.Parse(test.text)
		if err != nil || got != test.want {
			t.Errorf("Parse(%q) = %d, %v, want %d", test.text, got, err, test.want)
		}
	}
}

func TestParseRefusesEverythingElse(t *testing.T) {
	for _, test := range []struct {
		currency   money.Currency
		text, code string
	}{
		{som, "", "money.malformed"},
		{som, "1500000", "money.malformed"},
		{som, "1500000 USD", "money.currency-unknown"},
		{som, "1500000 uzs", "money.currency-unknown"},
		{som, "1500000  UZS", "money.currency-unknown"},
		{som, "1 500 000 UZS", "money.currency-unknown"},
		{som, "UZS 1500000", "money.currency-unknown"},
		{som, " UZS", "money.malformed"},
		{som, "01 UZS", "money.malformed"},
		{som, "+1 UZS", "money.malformed"},
		{som, "--1 UZS", "money.malformed"},
		{som, "1.5 UZS", "money.malformed"},
		{som, "1.500 UZS", "money.malformed"},
		{som, "1. UZS", "money.malformed"},
		{som, ".50 UZS", "money.malformed"},
		{som, "1,50 UZS", "money.malformed"},
		{som, "1e3 UZS", "money.malformed"},
		{som, "1_000 UZS", "money.malformed"},
		{som, "١ UZS", "money.malformed"},
		{som, "92233720368547758.08 UZS", "money.too-large"},
		{som, "99999999999999999999999 UZS", "money.too-large"},
		{yen, "1.00 JPY", "money.malformed"},
		{yen, "1. JPY", "money.malformed"},
	} {
		got, err := test.currency.Parse(test.text)
		if fault.Code(err) != test.code || !fault.Is(err, fault.Invalid) {
			t.Errorf("Parse(%q) = %d, %v, want the code %s", test.text, got, err, test.code)
		}
	}
}

func TestFormatLeavesOutEmptyDecimalsOnly(t *testing.T) {
	for _, test := range []struct {
		currency money.Currency
		amount   money.Amount
		want     string
	}{
		{som, 150000000, "1500000 UZS"},
		{som, 150000050, "1500000.50 UZS"},
		{som, -5, "-0.05 UZS"},
		{som, 0, "0 UZS"},
		{som, math.MinInt64, "-92233720368547758.08 UZS"},
		{yen, 12, "12 JPY"},
		{dinar, 1005, "1.005 KWD"},
	} {
		if got := test.currency.Format(test.amount); got != test.want {
			t.Errorf("Format(%d) = %q, want %q", test.amount, got, test.want)
		}
	}
}

func TestCurrencyIsChecked(t *testing.T) {
	for _, good := range []money.Currency{som, yen, dinar} {
		if err := good.Check(); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for _, bad := range []money.Currency{{}, {Code: "uzs"}, {Code: "UZSS"}, {Code: "UZS", MinorDigits: 5}, {Code: "UZS", MinorDigits: -1}} {
		if fault.Code(bad.Check()) != "money.currency-malformed" {
			t.Errorf("%v is accepted", bad)
		}
	}
}

func TestArithmeticNeverWraps(t *testing.T) {
	for name, run := range map[string]func() (money.Amount, error){
		"max + 1":           func() (money.Amount, error) { return money.Max.Add(1) },
		"min - 1":           func() (money.Amount, error) { return money.Min.Sub(1) },
		"min + min":         func() (money.Amount, error) { return money.Min.Add(money.Min) },
		"0 - int64 minimum": func() (money.Amount, error) { return money.Amount(0).Sub(math.MinInt64) },
		"max * 2":           func() (money.Amount, error) { return money.Max.Times(2, 1, money.HalfEven) },
		"max * max":         func() (money.Amount, error) { return money.Max.Times(math.MaxInt64, 1, money.HalfEven) },
		"sum":               func() (money.Amount, error) { return money.Sum(money.Max, 1, -1) },
	} {
		if got, err := run(); fault.Code(err) != "money.too-large" {
			t.Errorf("%s = %d, %v", name, got, err)
		}
	}
	if got, err := money.Max.Times(math.MaxInt64, math.MaxInt64, money.Exactly); err != nil || got != money.Max {
		t.Errorf("a product that fits after division = %d, %v", got, err)
	}
	if got, err := money.Sum(1, 2, -4); err != nil || got != -1 {
		t.Errorf("Sum = %d, %v", got, err)
	}
}

func TestTimesRoundsAsDeclared(t *testing.T) {
	for _, test := range []struct {
		amount                           money.Amount
		numerator, denominator           int64
		halfEven, halfAway, toward, away money.Amount
	}{
		{5, 1, 2, 2, 3, 2, 3},
		{7, 1, 2, 4, 4, 3, 4},
		{-5, 1, 2, -2, -3, -2, -3},
		{5, -1, 2, -2, -3, -2, -3},
		{5, 1, -2, -2, -3, -2, -3},
		{-5, -1, 2, 2, 3, 2, 3},
		{1, 1, 3, 0, 0, 0, 1},
		{2, 1, 3, 1, 1, 0, 1},
		{100, 15, 100, 15, 15, 15, 15},
	} {
		for rounding, want := range map[money.Rounding]money.Amount{
			money.HalfEven: test.halfEven, money.HalfAway: test.halfAway,
			money.TowardZero: test.toward, money.AwayFromZero: test.away,
		} {
			got, err := test.amount.Times(test.numerator, test.denominator, rounding)
			if err != nil || got != want {
				t.Errorf("%d × %d/%d rounded by %d = %d, %v, want %d",
					test.amount, test.numerator, test.denominator, rounding, got, err, want)
			}
		}
	}
	if _, err := money.Amount(5).Times(1, 2, money.Exactly); fault.Code(err) != "money.not-whole" {
		t.Errorf("an undeclared rounding: %v", err)
	}
	if _, err := money.Amount(5).Times(1, 0, money.HalfEven); fault.Code(err) != "money.division-by-zero" {
		t.Errorf("division by zero: %v", err)
	}
}

func TestTimesAgreesWithBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64().Draw(t, "amount")
		n := rapid.Int64().Draw(t, "numerator")
		d := rapid.Int64().Filter(func(d int64) bool { return d != 0 }).Draw(t, "denominator")
		rounding := rapid.SampledFrom(rounds).Draw(t, "rounding")

		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(a), big.NewInt(n)), big.NewInt(d))
		got, err := money.Amount(a).Times(n, d, rounding)
		if err != nil {
			limit := new(big.Rat).SetInt64(math.MaxInt64 - 1)
			if fault.Code(err) == "money.too-large" && new(big.Rat).Abs(exact).Cmp(limit) <= 0 {
				t.Fatalf("%v fits but is refused", exact)
			}
			if fault.Code(err) == "money.not-whole" && (rounding != money.Exactly || exact.IsInt()) {
				t.Fatalf("%v is whole or its rounding is declared, but it is refused", exact)
			}
			return
		}
		distance := new(big.Rat).Sub(new(big.Rat).SetInt64(int64(got)), exact)
		distance.Abs(distance)
		limit := big.NewRat(1, 1)
		if rounding == money.HalfEven || rounding == money.HalfAway {
			limit = big.NewRat(1, 2)
		}
		if distance.Cmp(limit) > 0 || (rounding == money.Exactly && distance.Sign() != 0) {
			t.Fatalf("%v became %d", exact, got)
		}
	})
}

func TestAddAndSubAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := money.Amount(rapid.Int64().Draw(t, "a"))
		b := money.Amount(rapid.Int64().Draw(t, "b"))
		exact := new(big.Int).Add(big.NewInt(int64(a)), big.NewInt(int64(b)))
		sum, err := a.Add(b)
		fits := exact.CmpAbs(big.NewInt(math.MaxInt64)) <= 0
		if (err == nil) != fits || (fits && exact.Int64() != int64(sum)) {
			t.Fatalf("%d + %d = %d, %v", a, b, sum, err)
		}
		if err == nil && a >= money.Min && b >= money.Min {
			if back, err := sum.Sub(b); err != nil || back != a {
				t.Fatalf("%d - %d = %d, %v, want %d", sum, b, back, err, a)
			}
		}
	})
}

func TestJSONIsWholeMinorUnits(t *testing.T) {
	out, err := json.Marshal(map[string]money.Amount{"price": 150000050})
	if err != nil || string(out) != `{"price":150000050}` {
		t.Fatalf("%s, %v", out, err)
	}
	for _, bad := range []string{`1.5`, `"150"`, `1e3`, `9223372036854775808`} {
		var amount money.Amount
		if json.Unmarshal([]byte(bad), &amount) == nil {
			t.Errorf("%s is read as %d", bad, amount)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"1500000 UZS", "1500000.50 UZS", "-0.05 UZS", "0 UZS", "1 USD", "", "-", "1. UZS", "00 UZS"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, currency := range []money.Currency{som, {Code: "UZS"}, {Code: "UZS", MinorDigits: 3}} {
			amount, err := currency.Parse(text)
			if err != nil {
				if !fault.Is(err, fault.Invalid) {
					t.Fatalf("%q: %v", text, err)
				}
				continue
			}
			again, err := currency.Parse(currency.Format(amount))
			if err != nil || again != amount {
				t.Fatalf("%q is %d, written %q, read %d, %v", text, amount, currency.Format(amount), again, err)
			}
		}
	})
}
