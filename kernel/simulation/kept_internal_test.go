package simulation

import (
	"testing"
	"testing/synctest"
	"time"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
)

func TestWhatIsKeptGoesAnHourAfterTheLastRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k kept
		run := func() {
			t.Helper()
			if _, err := k.begin(calendar.Date{Year: 2026, Month: 3, Day: 2}, nil, nil, 0); err != nil {
				t.Fatal(err)
			}
			k.part(0)
		}
		isKept := func() bool {
			k.mu.RLock()
			defer k.mu.RUnlock()
			return k.parts[0] != nil
		}
		run()
		time.Sleep(2 * keepFor) // it takes long
		k.end()
		time.Sleep(keepFor - time.Second)
		if !isKept() {
			t.Fatal("it went too early")
		}
		run()
		k.end()
		time.Sleep(keepFor - time.Second)
		if !isKept() {
			t.Fatal("it went an hour after another run than the last")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if isKept() {
			t.Error("it is still there")
		}
	})
}

// A day that lies before the last one's asks for what was not read: which versions held then.
func TestADayBeforeTheLastIsReadAnew(t *testing.T) {
	var k kept
	for _, test := range []struct {
		day  int
		kept bool
	}{{2, false}, {2, true}, {4, true}, {3, false}} {
		if _, err := k.begin(calendar.Date{Year: 2026, Month: 3, Day: test.day}, nil, nil, 0); err != nil {
			t.Fatal(err)
		}
		if (k.parts[0] != nil) != test.kept {
			t.Errorf("on day %d what was read is kept: %t", test.day, k.parts[0] != nil)
		}
		k.part(0)
		k.end()
	}
}

func TestAPersonsIdIsPacked(t *testing.T) {
	var before who
	for _, text := range []ident.Subject{
		"person:00000000-0000-4000-8000-000000000001", "person:0fffffff-0000-4000-8000-000000000000", "person:a0000000-0000-4000-8000-000000000000",
	} {
		id, ok := packed(text)
		if !ok || id.subject() != text || before.compare(id) >= 0 {
			t.Errorf("%s becomes %s, or loses its place", text, id.subject())
		}
		before = id
	}
	if _, ok := packed("household:00000000-0000-4000-8000-000000000001"); ok {
		t.Error("a household is taken for a person")
	}
}
