package node_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"yagona/kernel/access"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/packs/demo"
)

// officialFor returns who holds the role for the place: of several, the nearest.
func officialFor(t *testing.T, s *site, agency ident.Agency, role ident.Role, place ident.Territory) demo.Person {
	t.Helper()
	path := s.node.Profile.Territories.Path(place)
	slices.Reverse(path)
	for _, at := range path {
		for _, one := range s.people.Officials {
			if one.Agency == agency && one.Role == role && one.Territory == at {
				person, _ := s.people.Person(one.Person)
				return person
			}
		}
	}
	t.Fatalf("nobody is %s of %s for %s", role, agency, place)
	return demo.Person{}
}

// photograph sends a photo with its position, as the form of a step does.
func (b *browser) photograph(task string) {
	b.t.Helper()
	picture, noise := image.NewGray(image.Rect(0, 0, 320, 240)), rand.NewChaCha8([32]byte{1})
	if _, err := noise.Read(picture.Pix); err != nil {
		b.t.Fatal(err)
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, picture, nil); err != nil {
		b.t.Fatal(err)
	}
	b.upload(task+"/photos", map[string]string{"latitude": "41.311081", "longitude": "69.240562", "accuracy": "12"}, "photo", "home.jpg", "image/jpeg", photo.Bytes())
	b.want(http.StatusOK)
	if b.at.Path != task {
		b.t.Fatalf("the photo leads to %s: %s", b.at, b.text(b.page))
	}
}

// The register behind an adapter is slow and fails twice: the application waits with a receipt, keeps its day, and goes on
// by itself. Two agencies then look at it at the same time, an inspector at the home, and the grant is paid.
func TestAGrantWaitsForASlowRegisterAndForTwoAgencies(t *testing.T) {
	const language = "en"
	s := open(t)
	patient := s.people.Persona(demo.Patient)
	b := s.signedIn(t, language, patient)
	b.get("/services/housing/accessible-home")
	b.press("/apply")
	for _, answer := range []map[string]string{{"works": "bathroom"}, {"cost": "15 000 000"}, {"remarks": ""}, {"account": patient.Account}} {
		b.fill(answer, "")
	}
	if !strings.HasSuffix(b.at.Path, "/check") {
		t.Fatalf("after the questions stands %s: %s", b.at, b.text(b.page))
	}
	b.says(b.say("portal.forecast-unknown"))
	b.press("/submit")
	if !strings.HasSuffix(b.at.Path, "/receipt") {
		t.Fatalf("after sending stands %s: %s", b.at, b.text(b.page))
	}
	application := strings.TrimSuffix(b.at.Path, "/receipt")
	b.says(b.say("portal.received"))
	b.says(b.say("application.state.waiting-for-evidence"))
	b.get(application)
	b.says(b.say("portal.gathering"))
	eventually(t, "the register has answered", func() bool {
		b.get(application)
		return !contains(b, b.say("portal.gathering"))
	})

	worker := officialFor(t, s, "social-agency", "social-worker", patient.Residence)
	engineer := officialFor(t, s, "construction-inspectorate", "engineer", patient.Residence)
	inspector := officialFor(t, s, "housing-agency", "inspector", patient.Residence)
	head := officialFor(t, s, "housing-agency", "head", patient.Residence)
	waits := func(who demo.Person, tasks bool) {
		t.Helper()
		d := s.signedIn(t, language, who)
		d.get("/desk")
		if got := !contains(d, d.say("desk.empty")); got != tasks {
			t.Fatalf("that a task waits for %s is %v", who.Name(), got)
		}
	}
	waits(worker, true) // both at once
	decides(t, s, language, engineer, map[string]string{"action": "recommend"})
	waits(inspector, false)
	decides(t, s, language, worker, map[string]string{"action": "recommend"})

	d := s.signedIn(t, language, inspector)
	d.get("/desk")
	d.follow("/desk/tasks/")
	task := d.at.Path
	found := map[string]string{
		"action": "recommend", "form.visitedOn-day": "2", "form.visitedOn-month": "3", "form.visitedOn-year": "2026",
		"form.stairs": "14", "form.doorWidth": "72", "form.condition": "worn", "form.estimatedCost": "14 000 000", "form.findings": "The bath cannot be entered.",
	}
	d.fill(found, "")
	d.want(http.StatusUnprocessableEntity) // without a photo
	d.get(task)
	d.photograph(task)
	d.fill(found, "")
	if d.at.Path != "/desk" {
		t.Fatalf("the inspection leads to %s: %s", d.at, d.text(d.page))
	}
	decides(t, s, language, head, map[string]string{"action": "approve"})

	b.get(application)
	b.says(b.say("application.state.granted"))
	// It says which legal amounts held on its day.
	b.says(b.say("case.params"))
	amount := func(of money.Amount) string {
		return strings.Join(strings.Fields(s.node.Words.Money(language, of)), " ")
	}
	for _, most := range []money.Amount{12_000_000_00, 8_000_000_00} {
		b.says(amount(most) + ", in force since 1 January 2026")
	}
	var photos int
	for _, link := range all(b.one("main"), "a") {
		if strings.Contains(attribute(link, "href"), "/photos/") {
			photos++
		}
	}
	if photos != 1 {
		t.Errorf("the applicant is shown %d photos of their home", photos)
	}
	treasurer := s.signedIn(t, language, official(t, s, "housing-agency", access.Treasurer))
	eventually(t, "the payment is prepared", func() bool {
		treasurer.get("/desk/payments")
		return len(all(treasurer.one("main"), "a")) > 0
	})
	treasurer.follow("/desk/payments/housing-fund/")
	treasurer.says(amount(12_000_000_00))
	treasurer.press("/release")
	eventually(t, "the bank has paid", func() bool {
		b.get(application)
		return strings.Contains(b.text(b.page), b.say("payment.confirmed"))
	})
}
