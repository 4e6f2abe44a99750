package node_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"yagona/kernel/access"
	"yagona/kernel/ident"
	"yagona/packs/demo"
)

const (
	youthDraft  = "/studio/packs/youth"
	subsidyFile = youthDraft + "/files/services/tools-subsidy.yaml"
)

// publishers returns the browsers of two publishers of an agency.
func publishers(t *testing.T, s *site, agency ident.Agency) (first, second *browser) {
	t.Helper()
	var found []*browser
	for _, one := range s.people.Officials {
		if one.Agency == agency && one.Role == access.Publisher {
			person, _ := s.people.Person(one.Person)
			found = append(found, s.signedIn(t, "en", person))
		}
	}
	if len(found) < 2 {
		t.Fatalf("%s has %d publishers", agency, len(found))
	}
	return found[0], found[1]
}

// post sends a form to a path; the values are names and values in turn.
func (b *browser) post(path string, values ...string) {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(values); i += 2 {
		form.Set(values[i], values[i+1])
	}
	b.send(sent{b.site.url + path, form})
}

// editor returns the text and the revision that the page's editor holds.
func (b *browser) editor() (text, revision string) {
	b.t.Helper()
	for _, form := range all(b.one("main"), "form") {
		areas := all(form, "textarea")
		if len(areas) == 0 || attribute(areas[0], "name") != "content" {
			continue
		}
		for _, input := range all(form, "input") {
			if attribute(input, "name") == "revision" {
				revision = attribute(input, "value")
			}
		}
		if areas[0].FirstChild != nil {
			text = areas[0].FirstChild.Data
		}
		return text, revision
	}
	b.t.Fatalf("%s has no editor: %s", b.at, b.text(b.page))
	return "", ""
}

func TestTwoWhoWriteTheSameFileAreToldOfEachOther(t *testing.T) {
	s := open(t)
	anna, bek := publishers(t, s, "youth-agency")
	anna.post("/studio/packs", "pack", "youth")
	anna.want(http.StatusOK)
	anna.get(subsidyFile)
	text, revision := anna.editor()
	if !strings.HasPrefix(text, "service: tools-subsidy\n") || !strings.HasSuffix(text, "because: [assess]}\n") {
		t.Fatalf("the editor holds %.60q … %q", text, text[max(0, len(text)-40):])
	}
	bek.get("/studio")
	bek.follow("/studio/packs/youth") // the same draft
	bek.get(subsidyFile)
	theirs, seen := bek.editor()
	bek.post(subsidyFile, "content", strings.Replace(theirs, "title: Subsidy to buy tools", "title: Bek's subsidy", 1), "revision", seen)
	bek.want(http.StatusOK)

	mine := strings.Replace(text, "price:\n    type: money", "price:\n    type: money\n    # Anna's", 1)
	anna.post(subsidyFile, "content", mine, "revision", revision)
	anna.want(http.StatusConflict)
	anna.says("Your text is not saved yet.")
	anna.says("Bek's subsidy") // what is saved is shown beside it
	kept, against := anna.editor()
	if kept != mine {
		t.Error("the text that was typed is lost")
	}
	bek.get(subsidyFile)
	if now, _ := bek.editor(); !strings.Contains(now, "Bek's subsidy") {
		t.Error("the colleague's text was written over unseen")
	}
	anna.post(subsidyFile, "content", kept, "revision", against)
	anna.want(http.StatusOK)
	if now, _ := anna.editor(); now != mine {
		t.Error("after it was shown it cannot be saved")
	}
	// Browsers end lines with two characters; a file does not.
	_, against = anna.editor()
	anna.post(subsidyFile, "content", strings.ReplaceAll(mine, "\n", "\r\n"), "revision", against)
	if now, _ := anna.editor(); now != mine {
		t.Error("the ends of lines are changed")
	}
}

func TestNobodyElseGetsIntoTheStudio(t *testing.T) {
	s := open(t)
	anna, bek := publishers(t, s, "youth-agency")
	anna.post("/studio/packs", "pack", "youth")
	anna.get(subsidyFile)
	text, revision := anna.editor()
	changed := strings.Replace(text, "hint: The whole price", "hint: The whole new price", 1)
	paths := []string{"/studio", youthDraft, subsidyFile, youthDraft + "/form", youthDraft + "/examples", youthDraft + "/difference", youthDraft + "/publish"}
	for what, who := range map[string]demo.Person{
		"a resident": s.people.Persona(demo.Jobless), "an official without the post": s.people.Persona(demo.YouthLeader),
		"the agency's treasurer": official(t, s, "youth-agency", access.Treasurer),
	} {
		b := s.signedIn(t, "en", who)
		for _, path := range paths {
			b.get(path)
			if b.status != http.StatusForbidden {
				t.Errorf("%s gets %s: %d", what, path, b.status)
			}
		}
		b.post(subsidyFile, "content", changed, "revision", revision)
		b.want(http.StatusForbidden)
	}
	nobody := s.browser(t, "en")
	for _, path := range paths {
		if nobody.get(path); nobody.at.Path == path {
			t.Errorf("nobody gets %s", path)
		}
	}
	other, _ := publishers(t, s, "employment-agency")
	for _, path := range paths[1:] {
		if other.get(path); other.status != http.StatusNotFound {
			t.Errorf("a publisher of another agency gets %s: %d", path, other.status)
		}
	}
	other.post("/studio/packs", "pack", "youth")
	other.want(http.StatusForbidden)
	other.post(subsidyFile, "content", changed, "revision", revision)
	other.want(http.StatusNotFound)

	// The same holds for a proposal, and nobody approves their own.
	anna.post(subsidyFile, "content", changed, "revision", revision)
	anna.get(youthDraft + "/publish") // the translations of the hint are stale now
	if strings.Contains(string(anna.raw), `action="/studio/packs/youth/publish"`) {
		t.Error("what lacks translations can be proposed")
	}
	anna.get(subsidyFile)
	_, revision = anna.editor()
	anna.post(subsidyFile, "content", strings.Replace(text, "min: 1 UZS", "min: 2 UZS", 1), "revision", revision)
	anna.get(youthDraft + "/publish")
	anna.press("/publish")
	proposal := anna.at.Path
	if !strings.HasPrefix(proposal, "/studio/proposals/") {
		t.Fatalf("proposing leads to %s: %s", anna.at, anna.text(anna.page))
	}
	bek.get(proposal)
	digest := bek.form(map[string]string{"digest": "x"}, "")
	if digest.values.Get("digest") != "x" || !strings.HasSuffix(digest.to, "/approve") {
		t.Fatalf("the second person cannot approve: %+v", digest)
	}
	real := attributeOf(bek, "digest")
	anna.post(proposal+"/approve", "digest", real)
	anna.want(http.StatusForbidden)
	other.get(proposal)
	other.want(http.StatusForbidden)
	other.post(proposal+"/approve", "digest", real)
	other.want(http.StatusForbidden)
	bek.post(proposal+"/approve", "digest", "another")
	bek.want(http.StatusConflict)
	bek.post(proposal+"/approve", "digest", real)
	bek.want(http.StatusOK)
	bek.says("Approved: came into force")
	bek.post(proposal+"/reject", "digest", real)
	bek.want(http.StatusConflict)
}

// attributeOf returns the value of the first input of the name.
func attributeOf(b *browser, name string) string {
	b.t.Helper()
	for _, input := range all(b.one("main"), "input") {
		if attribute(input, "name") == name {
			return attribute(input, "value")
		}
	}
	b.t.Fatalf("%s has no input %s", b.at, name)
	return ""
}

func TestTheStudioTakesHostileFiles(t *testing.T) {
	s := open(t)
	anna, _ := publishers(t, s, "youth-agency")
	anna.post("/studio/packs", "pack", "youth")
	anna.get(subsidyFile)
	text, revision := anna.editor()
	aliases := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		aliases += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 8) + "*" + string(c-1) + "]\n"
	}
	for what, test := range map[string]struct {
		content string
		status  int
	}{
		"10 MB":             {strings.Repeat("a", 10<<20), http.StatusRequestEntityTooLarge},
		"more than 256 KiB": {strings.Repeat("a: b\n", 60_000), http.StatusRequestEntityTooLarge},
		"bad UTF-8":         {"service: \xff\xfe\n", http.StatusOK},
		"a YAML bomb":       {aliases, http.StatusOK},
		"open brackets":     {strings.Repeat("[", 100_000), http.StatusOK},
		"deep blocks":       {strings.Repeat("- ", 50_000), http.StatusOK},
		"markup":            {"title: </textarea><script>alert(1)</script>\n", http.StatusOK},
		"nothing":           {"", http.StatusOK},
		"a bomb of rules":   {strings.Replace(text, "that: unemployment.registered", "that: \""+strings.Repeat("!", 100_000)+"unemployment.registered\"", 1), http.StatusOK},
	} {
		// What takes longer than the route may is answered with 503.
		anna.post(youthDraft+"/check/services/tools-subsidy.yaml", "content", test.content, "revision", revision)
		if anna.status != test.status {
			t.Errorf("%s is checked with %d, want %d", what, anna.status, test.status)
		}
		if strings.Contains(string(anna.raw), "<script>alert") {
			t.Errorf("%s is not escaped", what)
		}
		if what != "nothing" && test.status == http.StatusOK && !strings.Contains(string(anna.raw), `class="error"`) {
			t.Errorf("%s has no error: %s", what, anna.text(anna.page))
		}
	}
	anna.post(subsidyFile, "content", "service: \xff\xfe\n", "revision", revision)
	anna.want(http.StatusUnprocessableEntity)
	anna.says("UTF-8")
	for _, path := range []string{
		"/files/..%2F..%2Fetc%2Fpasswd", "/files/%2e%2e/pack.yaml", "/files/services/..%2Fx.yaml", "/files/services%2Fa%2Fb.yaml", "/files/x.txt", "/files/%00",
		"/files/services/%FF.yaml", "/check/..%2Fx",
	} {
		anna.post(youthDraft+path, "content", "service: x\n", "revision", "1")
		if anna.status < 400 {
			t.Errorf("%s is answered with %d at %s", path, anna.status, anna.at)
		}
		if strings.HasPrefix(path, "/files") {
			if anna.get(youthDraft + path); anna.status < 400 {
				t.Errorf("%s is shown with %d", path, anna.status)
			}
		}
	}
	for _, name := range []string{"../x", "x/../../y", "", ".yaml", strings.Repeat("a", 200), "a\x00b"} {
		anna.post(youthDraft+"/add", "folder", "services", "file", name)
		anna.want(http.StatusUnprocessableEntity)
	}
	for _, folder := range []string{"..", "", "/etc", "other"} {
		if anna.post(youthDraft+"/add", "folder", folder, "file", "x"); anna.status < 400 {
			t.Errorf("a file is added in %q", folder)
		}
	}
	anna.get(subsidyFile)
	if now, at := anna.editor(); now != text || at != revision {
		t.Error("one of them changed the draft")
	}
}

func TestANewPackIsWrittenInTheStudio(t *testing.T) {
	s := open(t)
	anna, _ := publishers(t, s, "youth-agency")
	anna.get("/studio")
	anna.fill(map[string]string{"name": "Not A Name"}, "")
	anna.want(http.StatusUnprocessableEntity)
	anna.fill(map[string]string{"name": "youth"}, "")
	anna.want(http.StatusConflict)
	anna.fill(map[string]string{"name": "youth-sport"}, "")
	anna.want(http.StatusOK)
	anna.get("/studio/packs/youth-sport/examples")
	anna.says("Passes")
	anna.post("/studio/packs/youth-sport/add", "folder", "services", "file", "sport-card")
	anna.want(http.StatusOK)
	anna.says("Nothing is wrong in this file")
	anna.post("/studio/packs/youth-sport/files/services/sport-card.yaml", "content", "service: sport-card\n", "revision", "2")
	anna.says("the key title is missing")
	anna.fill(map[string]string{"path": "services/sport-card.yaml"}, "")
	anna.want(http.StatusOK)
	anna.get("/studio/packs/youth-sport/files/services/sport-card.yaml")
	anna.want(http.StatusNotFound)
	anna.post("/studio/packs/youth-sport/add", "folder", "indicators", "file", "days")
	anna.want(http.StatusOK)
	anna.says("write the pack's name, a slash and the name") // which service it counts is still to be said
	anna.fill(map[string]string{"path": "indicators/days.yaml"}, "")
	anna.want(http.StatusOK)
	// Its agency is another: that of a publisher may not publish it.
	anna.get("/studio/packs/youth-sport/publish")
	if strings.Contains(string(anna.raw), `action="/studio/packs/youth-sport/publish"`) {
		t.Error("a pack of another agency can be proposed")
	}
	anna.post("/studio/packs/youth-sport/begin-anew", "revision", "1")
	anna.want(http.StatusConflict)
	anna.get("/studio/packs/youth-sport")
	anna.press("/begin-anew")
	anna.want(http.StatusOK)
}

func TestAnswersAreTriedInTheStudioAndNotKept(t *testing.T) {
	s := open(t)
	anna, _ := publishers(t, s, "youth-agency")
	anna.post("/studio/packs", "pack", "youth")
	anna.get(youthDraft + "/form?service=youth%2Ftools-subsidy")
	anna.says("How much do the tools cost?")
	anna.fill(map[string]string{"price": "0"}, "")
	anna.want(http.StatusUnprocessableEntity)
	anna.says("Enter 1 UZS or more.")
	anna.fill(map[string]string{"trade": "sewing", "price": "1 500 000", "account": s.people.Persona(demo.Jobless).Account}, "")
	anna.want(http.StatusOK)
	anna.says("These answers would be accepted")
}

// Who writes a draft reads what is wrong in it in their own language. The words of the language stay as files have them.
func TestAWrongDraftIsToldOfInTheLanguageOfWhoWritesIt(t *testing.T) {
	s := open(t)
	anna, _ := publishers(t, s, "youth-agency")
	anna.post("/studio/packs", "pack", "youth")
	anna.get(subsidyFile)
	text, revision := anna.editor()
	wrong := strings.NewReplacer("title: Subsidy", "titel: Subsidy", "late: escalate", "late: esc", "that: unemployment.registered", "that: unemployment.registred").Replace(text)
	for tag, want := range map[string][]string{
		"en":      {"there is no key titel here: did you mean title?", "there is no field registred: did you mean registered?", "“esc” is not possible here: use one of escalate, refuse, grant"},
		"ru":      {"здесь нет ключа titel: может быть, title?", "нет поля registred: может быть, registered?", "“esc” здесь невозможно: используйте одно из: escalate, refuse, grant"},
		"kaa":     {"bul jerde titel gilti joq: bálkim, title?", "registred maydanı joq: bálkim, registered?", "“esc” bul jerde múmkin emes: bulardıń birin jazıń: escalate, refuse, grant"},
		"uz-Latn": {"bu yerda titel kaliti yoʻq: balki, title?", "registred maydoni yoʻq: balki, registered?", "“esc” bu yerda mumkin emas: bulardan birini yozing: escalate, refuse, grant"},
		"uz-Cyrl": {"бу ерда titel калити йўқ: балки, title?", "registred майдони йўқ: балки, registered?", "“esc” бу ерда мумкин эмас: булардан бирини ёзинг: escalate, refuse, grant"},
	} {
		b := s.signedIn(t, tag, official(t, s, "youth-agency", access.Publisher))
		b.post(youthDraft+"/check/services/tools-subsidy.yaml", "content", wrong, "revision", revision)
		b.want(http.StatusOK)
		for _, said := range want {
			b.says(strings.NewReplacer("“", `"`, "”", `"`).Replace(said))
		}
		if strings.Contains(string(b.raw), `<span lang="en">`) {
			t.Errorf("in %s something is said in English: %s", tag, b.text(b.page))
		}
	}
}

// What came out of an example otherwise is said in the language of who looks.
func TestAnExampleThatFailsIsToldOfInTheLanguageOfWhoLooks(t *testing.T) {
	s := open(t)
	anna, _ := publishers(t, s, "youth-agency")
	anna.post("/studio/packs", "pack", "youth")
	anna.get(subsidyFile)
	text, revision := anna.editor()
	anna.post(subsidyFile, "content", strings.Replace(text, "because: [age]", "because: [unemployed]", 1), "revision", revision)
	anna.want(http.StatusOK)
	for tag, want := range map[string]string{
		"en":  "because: expected unemployed, came out age",
		"ru":  "because: ожидалось unemployed, вышло age",
		"kaa": "because: kútilgeni unemployed, shıqqanı age",
	} {
		b := s.signedIn(t, tag, official(t, s, "youth-agency", access.Publisher))
		b.get(youthDraft + "/examples")
		b.want(http.StatusOK)
		b.says(want)
	}
}
