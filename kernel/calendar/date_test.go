package calendar_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
)

func day(t testing.TB, text string) calendar.Date {
	t.Helper()
	date, err := calendar.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return date
}

func TestDateIsISOText(t *testing.T) {
	type person struct {
		Birth calendar.Date `json:"birth"`
		Death calendar.Date `json:"death"`
	}
	out, err := json.Marshal(person{Birth: calendar.Date{Year: 2003, Month: time.November, Day: 5}})
	if err != nil || string(out) != `{"birth":"2003-11-05","death":""}` {
		t.Fatalf("%s, %v", out, err)
	}
	var back person
	if err := json.Unmarshal(out, &back); err != nil || back.Birth != day(t, "2003-11-05") || !back.Death.IsZero() {
		t.Fatalf("%+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"birth":"2003-11-31"}`), &back); fault.Code(err) != "calendar.date-malformed" {
		t.Fatalf("a day that does not exist: %v", err)
	}
}

func TestParseDateRefusesWhatIsNoDate(t *testing.T) {
	for _, text := range []string{
		"", "2026-2-3", "2026-02-29", "2026-13-01", "2026-00-10", "26-02-03", "0000-01-01", "2026/02/03",
		"2026-02-03T00:00:00Z", "03.02.2026", "２０２６-02-03", "2026-02-3 ",
	} {
		if date, err := calendar.ParseDate(text); fault.Code(err) != "calendar.date-malformed" {
			t.Errorf("ParseDate(%q) = %v, %v", text, date, err)
		}
	}
	if _, err := calendar.NewDate(2026, time.February, 29); err == nil {
		t.Error("NewDate accepts 29 February 2026")
	}
	if date, err := calendar.NewDate(2024, time.February, 29); err != nil || date.String() != "2024-02-29" {
		t.Errorf("NewDate = %v, %v", date, err)
	}
}

func TestAgeIsWholeYearsCompleted(t *testing.T) {
	for _, test := range []struct {
		birth, on string
		want      int
	}{
		{"2003-11-05", "2026-03-02", 22},
		{"2003-11-05", "2026-11-04", 22},
		{"2003-11-05", "2026-11-05", 23},
		{"2003-11-05", "2003-11-05", 0},
		{"2003-11-05", "2003-11-04", -1},
		{"2008-02-29", "2026-02-28", 17}, // no leap year: the year is complete on 1 March
		{"2008-02-29", "2026-03-01", 18},
		{"2008-02-29", "2024-02-28", 15},
		{"2008-02-29", "2024-02-29", 16},
	} {
		if got := calendar.Age(day(t, test.birth), day(t, test.on)); got != test.want {
			t.Errorf("born %s, on %s: %d, want %d", test.birth, test.on, got, test.want)
		}
	}
}

func TestAddMonthsEndsOnTheCorrespondingDayOrTheLast(t *testing.T) {
	for _, test := range []struct {
		from   string
		months int
		want   string
	}{
		{"2026-01-31", 1, "2026-02-28"},
		{"2024-01-31", 1, "2024-02-29"},
		{"2024-02-29", 12, "2025-02-28"},
		{"2026-03-02", 12, "2027-03-02"},
		{"2026-03-31", -1, "2026-02-28"},
		{"2026-11-30", 3, "2027-02-28"},
	} {
		if got := day(t, test.from).AddMonths(test.months); got != day(t, test.want) {
			t.Errorf("%s + %d months = %v, want %s", test.from, test.months, got, test.want)
		}
	}
}

func TestADayStartsAndEndsAtMidnightOfItsPlace(t *testing.T) {
	tashkent := location(t, "Asia/Tashkent")
	d := day(t, "2026-03-02")
	if got, want := d.Start(tashkent), time.Date(2026, 3, 1, 19, 0, 0, 0, time.UTC); !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("starts at %v, want %v", got, want)
	}
	if got, want := d.End(tashkent), time.Date(2026, 3, 2, 19, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("ends at %v, want %v", got, want)
	}
	if got := calendar.DateOf(time.Date(2026, 3, 1, 19, 0, 0, 0, time.UTC), tashkent); got != d {
		t.Errorf("the first moment lies on %v", got)
	}
	// Clocks went forward at midnight: 2018-11-04 began at 01:00 in São Paulo.
	sao := location(t, "America/Sao_Paulo")
	if got := calendar.DateOf(day(t, "2018-11-04").Start(sao), sao); got != day(t, "2018-11-04") {
		t.Errorf("the day without a midnight starts on %v", got)
	}
}

func anyDate() *rapid.Generator[calendar.Date] {
	return rapid.Custom(func(t *rapid.T) calendar.Date {
		return calendar.Date{Year: 1900, Month: time.January, Day: 1}.AddDays(rapid.IntRange(0, 73000).Draw(t, "days"))
	})
}

func TestDatesCountAndCompare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyDate().Draw(t, "a")
		n := rapid.IntRange(-5000, 5000).Draw(t, "n")
		b := a.AddDays(n)
		if got := a.DaysUntil(b); got != n {
			t.Fatalf("%v is %d days after %v, want %d", b, got, a, n)
		}
		if a.Before(b) != (n > 0) || a.After(b) != (n < 0) || a.String() < b.String() != (n > 0) {
			t.Fatalf("%v and %v are in the wrong order", a, b)
		}
		if back, err := calendar.ParseDate(b.String()); err != nil || back != b {
			t.Fatalf("%v is read back as %v, %v", b, back, err)
		}
	})
}

func TestAgeNeverFallsAndGrowsByOneEachYear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		birth, on := anyDate().Draw(t, "birth"), anyDate().Draw(t, "on")
		age := calendar.Age(birth, on)
		if next := calendar.Age(birth, on.AddDays(1)); next != age && next != age+1 {
			t.Fatalf("born %v: %d on %v, %d the day after", birth, age, on, next)
		}
		leapDay := on.Month == time.February && on.Day == 29
		if later := calendar.Age(birth, on.AddMonths(12)); later != age+1 && !leapDay {
			t.Fatalf("born %v: %d on %v, %d a year later", birth, age, on, later)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{"2026-03-02", "2024-02-29", "0001-01-01", "9999-12-31", "2026-02-30", "", "2026-3-2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		date, err := calendar.ParseDate(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if date.String() != text {
			t.Fatalf("%q is written back as %q", text, date)
		}
	})
}
