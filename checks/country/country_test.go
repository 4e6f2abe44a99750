package country_test

import (
	"testing"
	"time"

	lakeland "yagona/checks/country"
	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/fault"
)

func TestAnInventedCountryLoads(t *testing.T) {
	p, err := country.Load(lakeland.Files())
	if err != nil {
		t.Fatal(err)
	}
	if p.Authoritative() != "fr" || !p.Speaks("ar") || p.Speaks("ru") {
		t.Errorf("languages %v", p.Languages)
	}
	if got := p.Currency.Format(1005); got != "1.005 XLD" {
		t.Errorf("money is written %q", got)
	}
	if got := p.Territories.Name("XK-2", "ar", "fr"); got != "Lac Vert, rive nord" {
		t.Errorf("the canton is called %q", got)
	}
	if !p.Territories.Contains("XK", "XK-3") || p.Territories.Contains("XK-1", "XK-3") {
		t.Error("a canton lies in the wrong place")
	}
	if got := p.Territories.LevelName("canton", "ar", "en"); got != "Canton" {
		t.Errorf("the level is called %q", got)
	}
	if p.SignIn.Kind != "oidc" || p.SignIn.Names.In("ar", "en") != "Lake Key" {
		t.Errorf("sign-in %+v", p.SignIn)
	}
}

func TestItsWeekIsItsOwn(t *testing.T) {
	p, err := country.Load(lakeland.Files())
	if err != nil {
		t.Fatal(err)
	}
	// Received on Sunday 22 March 2026; Monday counts, Tuesday is the Day of the Lakes, Wednesday and Thursday count,
	// Friday 27 is worked in exchange.
	received := time.Date(2026, 3, 22, 15, 0, 0, 0, time.UTC)
	last := calendar.Date{Year: 2026, Month: time.March, Day: 27}
	if got := p.Calendar.Deadline(received, 4); !got.Equal(last.End(p.Location)) {
		t.Errorf("due %v", got)
	}
	if p.Calendar.IsWorking(calendar.Date{Year: 2028, Month: time.February, Day: 29}) {
		t.Error("the leap day is worked")
	}
	if len(p.Holidays) != 4 || !p.Holidays[3].Working || p.Holidays[0].Status != country.Illustrative {
		t.Errorf("holidays %+v", p.Holidays)
	}
}

func TestItsIdentifiersAreItsOwn(t *testing.T) {
	p, err := country.Load(lakeland.Files())
	if err != nil {
		t.Fatal(err)
	}
	birth := calendar.Date{Year: 2003, Month: time.November, Day: 3}
	text, err := p.Person.Compose(birth, country.Male, 17)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Person.Validate(text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	got, _ := p.Person.BirthDate(text)
	sex, _ := p.Person.Sex(text)
	if got != birth || sex != country.Male {
		t.Errorf("%s tells %v, %v", text, got, sex)
	}
	if _, err := p.Person.Compose(calendar.Date{Year: 1890, Month: 1, Day: 1}, country.Male, 1); fault.Code(err) != "country.no-cohort" {
		t.Errorf("a century without a code: %v", err)
	}
	if _, err := p.Account.Compose(birth, country.Male, 1); fault.Code(err) != "country.no-layout" {
		t.Errorf("a scheme without a layout: %v", err)
	}
	if _, ok := p.Account.BirthDate("LK00000001"); ok {
		t.Error("an account tells a birth date")
	}
}
