package practice

import (
	"testing"

	"yagona/kernel/practice"
	"yagona/locale"
	"yagona/packs"
	lessons "yagona/packs/practice"
	"yagona/web/page"
)

func TestWhatIsSeenOfEachLessonHasWords(t *testing.T) {
	profile, err := packs.Profile()
	if err != nil {
		t.Fatal(err)
	}
	all, err := practice.Load(lessons.Lessons(), profile.Languages)
	if err != nil {
		t.Fatal(err)
	}
	words, err := page.Words()
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, lesson := range all {
		for _, deed := range lesson.Done {
			named++
			if key := "deed." + deed.Name(); !words.Has(locale.English, key) {
				t.Errorf("%s: there is no text %s", lesson.Name, key)
			}
		}
	}
	if named < 10 {
		t.Errorf("only %d deeds were looked at", named)
	}
}
