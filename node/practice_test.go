package node_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/node"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
)

// learningDay is so late that the services existed for longer than any of their steps takes.
var learningDay = calendar.Date{Year: 2026, Month: time.April, Day: 8}

// openPractice opens a practice ground on the morning of its day.
func openPractice(t *testing.T) (*site, *node.PracticeGround, string) {
	t.Helper()
	profile, err := packs.Profile()
	if err != nil {
		t.Fatal(err)
	}
	population, err := demo.GeneratePractice(1, profile, learningDay, 1)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address, folder := &url.URL{Scheme: "http", Host: listener.Addr().String()}, t.TempDir()
	began, morning := time.Now(), learningDay.Start(profile.Location).Add(9*time.Hour)
	ground, err := node.OpenPractice(t.Context(), node.Config{
		Folder: folder, Site: address, Country: uz.Files, Packs: packs.All(), Volatile: true,
		Clock: func() time.Time { return morning.Add(time.Since(began)).UTC() },
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: ground}}
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := ground.Close(); err != nil {
			t.Error(err)
		}
	})
	return &site{node: ground.Node(), people: population, url: address.String()}, ground, folder
}

// holder returns who holds the role for a territory.
func holder(t *testing.T, s *site, role ident.Role, place ident.Territory) demo.Person {
	t.Helper()
	held, ok := s.people.Holder(role, place)
	if !ok {
		t.Fatalf("nobody is %s of %s", role, place)
	}
	one, _ := s.people.Person(held.Person)
	return one
}

// Only a practice ground has the pages, and only officials see them.
func TestThePagesOfAPracticeGroundAreOfficials(t *testing.T) {
	s, _, _ := openPractice(t)
	resident := s.signedIn(t, "en", s.people.Persona(demo.Jobless))
	treasurer := s.signedIn(t, "en", holder(t, s, "treasurer", s.node.Profile.Territories.Root()))
	for _, path := range []string{"/desk/practice", "/desk/practice/lessons/decide", "/desk/practice/team", "/desk/practice/again"} {
		resident.get(path)
		resident.want(http.StatusForbidden)
		treasurer.get(path)
		if path == "/desk/practice" {
			treasurer.says(treasurer.say("practice.none"))
		} else if treasurer.status != http.StatusForbidden && treasurer.status != http.StatusNotFound {
			t.Errorf("an official without lessons gets %d for %s", treasurer.status, path)
		}
	}
	demonstration := open(t)
	official := demonstration.signedIn(t, "en", demonstration.people.Persona(demo.YouthLeader))
	official.get("/desk/practice")
	official.want(http.StatusNotFound)
	if text := official.text(official.page); strings.Contains(text, official.say("ui.practice")) {
		t.Errorf("a page of a demonstration says: %s", text)
	}
}

func TestALearnerDoesALessonAndTheDistrictSeesIt(t *testing.T) {
	s, ground, folder := openPractice(t)
	leader := s.signedIn(t, "uz-Latn", s.people.Persona(demo.YouthLeader))
	leader.get("/desk/practice")
	leader.want(http.StatusOK)
	leader.says(leader.say("ui.practice"))
	leader.get("/desk/practice/lessons/decide")
	leader.says(leader.say("practice.not-yet"))
	leader.press("/begin")
	leader.want(http.StatusOK)
	leader.says(leader.say("practice.open-task"))
	leader.follow("/desk/tasks/")
	task := leader.at.Path
	leader.press("/claim")
	leader.fill(map[string]string{"action": "recommend"}, "")
	if leader.at.Path != "/desk" {
		t.Fatalf("the decision leads to %s: %s", leader.at, leader.text(leader.page))
	}
	leader.get("/desk/practice/lessons/decide")
	leader.says(leader.say("deed.decide"))
	if text := leader.text(leader.one("main")); strings.Contains(text, leader.say("practice.not-yet")) {
		t.Errorf("%s was decided, and the lesson says: %s", task, text)
	}
	leader.get("/desk/practice/team")
	leader.want(http.StatusForbidden)

	district := s.signedIn(t, "en", holder(t, s, "youth-leader", s.node.Profile.Territories.Parent(s.people.Home)))
	district.get("/desk/practice/team")
	district.want(http.StatusOK)
	district.says("The first decision")
	district.says("1 of 6")
	district.get("/desk/practice/again")
	district.press("/again")
	district.want(http.StatusAccepted)
	district.says(district.say("practice.laying-out"))
	earlier := s.node
	eventually(t, "the ground is laid out anew", func() bool { return ground.Node() != earlier })
	s.node = ground.Node()
	district = s.signedIn(t, "en", holder(t, s, "youth-leader", s.node.Profile.Territories.Parent(s.people.Home)))
	district.get("/desk/practice/team")
	if strings.Contains(district.text(district.page), "1 of 6") {
		t.Error("the progress is still there after the ground was laid out anew")
	}
	eventually(t, "the earlier layout is removed", func() bool {
		_, err := os.Stat(filepath.Join(folder, "1"))
		return os.IsNotExist(err)
	})
}

// Every lesson of each of the seven officials comes to its learner: its case waits, or the resident to write it down for
// is told.
func TestEveryLessonCanBeBegunByEachOfTheSeven(t *testing.T) {
	s, _, _ := openPractice(t)
	ground := s.node.Practice
	for role, most := range map[ident.Role]int{
		"chair": 6, "hokim-assistant": 6, "youth-leader": 6, "women-activist": 6, "social-worker": 6, "tax-inspector": 9, "prevention-inspector": 6,
	} {
		learner := holder(t, s, role, s.people.Home)
		held, err := s.node.Office.Appointments(t.Context(), learner.ID, ground.Clock())
		if err != nil || len(held) != 1 {
			t.Fatalf("the %s holds %v: %v", role, held, err)
		}
		by := access.Actor{Person: learner.ID, Appointment: &held[0]}
		own, err := ground.Own(t.Context(), by)
		if err != nil || len(own) != most {
			t.Fatalf("the %s has %d lessons, not %d: %v", role, len(own), most, err)
		}
		for _, one := range own {
			begun, err := ground.Begin(t.Context(), by, one.Lesson.Name)
			if err != nil {
				t.Errorf("%s of the %s: %v", one.Lesson.Name, role, err)
				continue
			}
			if !one.Lesson.Prepared {
				if begun.About.Number == "" || begun.Task != "" {
					t.Errorf("%s of the %s is about %+v", one.Lesson.Name, role, begun.About)
				}
				continue
			}
			view, err := s.node.Casework.Read(t.Context(), by, begun.Task)
			if err != nil {
				t.Errorf("%s of the %s: %v", one.Lesson.Name, role, err)
				continue
			}
			if left := view.Task.Due.Sub(ground.Clock()); left <= 0 || one.Lesson.LastDay && left > 24*time.Hour {
				t.Errorf("%s of the %s is due in %v", one.Lesson.Name, role, left)
			}
			if _, err := ground.Begin(t.Context(), by, one.Lesson.Name); fault.Code(err) != "practice.waits" {
				t.Errorf("%s of the %s is begun twice: %v", one.Lesson.Name, role, err)
			}
		}
	}
}

// A tax inspector does every lesson of theirs: they decide on what businesses ask for, write down what residents tell them,
// both with a connection and without, are kept from helping whom they live with, and get a certificate that verifies and says
// what it is worth.
func TestALearnerWhoDidAllLessonsGetsACertificate(t *testing.T) {
	s, _, folder := openPractice(t)
	ground := s.node.Practice
	learner := holder(t, s, "tax-inspector", s.people.Home)
	held, err := s.node.Office.Appointments(t.Context(), learner.ID, ground.Clock())
	if err != nil || len(held) != 1 {
		t.Fatalf("the tax inspector holds %v: %v", held, err)
	}
	by := access.Actor{Person: learner.ID, Appointment: &held[0]}
	inspector := s.signedIn(t, "en", learner)
	if _, err := ground.Certify(t.Context(), by, "en"); fault.Code(err) != "practice.not-all" {
		t.Fatalf("before any lesson is done: %v", err)
	}
	for _, lesson := range []string{"certificate", "subsidy-help", "register-says-no", "conflict"} {
		one, err := ground.Lesson(t.Context(), by, lesson)
		if err != nil {
			t.Fatal(err)
		}
		inspector.get("/desk/practice/lessons/" + lesson)
		inspector.says(one.About.Number)
		inspector.follow("/desk/assist/" + string(one.Service))
		answers := map[string]string{"number": one.About.Number}
		if lesson == "subsidy-help" {
			answers["ask.equipment"], answers["ask.price"], answers["ask.account"] = "oven", "1500000", one.About.Account
		}
		inspector.fill(answers, "")
		if lesson == "conflict" {
			inspector.want(http.StatusForbidden)
			continue
		}
		inspector.want(http.StatusOK)
		draft := inspector.at.Path[strings.LastIndexByte(inspector.at.Path, '/')+1:]
		person, _ := s.people.Person(one.About.Person)
		resident := s.signedIn(t, "en", person)
		resident.get("/applications/" + draft + "/check")
		resident.press("/submit")
		resident.want(http.StatusOK)
	}
	for _, lesson := range []string{"decide", "contradiction", "deadline"} {
		inspector.get("/desk/practice/lessons/" + lesson)
		inspector.press("/begin")
		inspector.follow("/desk/tasks/")
		inspector.press("/claim")
		answers := map[string]string{"action": "ask", "question": "You own no building. Which property is taxed?"}
		if lesson != "contradiction" {
			answers = map[string]string{
				"action": "approve", "form.visitedOn-day": "8", "form.visitedOn-month": "4", "form.visitedOn-year": "2026", "form.findings": "They work.",
			}
		}
		inspector.fill(answers, "")
		inspector.want(http.StatusOK)
	}
	taken, err := ground.Begin(t.Context(), by, "offline")
	if err != nil {
		t.Fatal(err)
	}
	along, err := s.node.Casework.TakeAlong(t.Context(), by)
	if err != nil || len(along) != 1 || along[0].Task.ID != taken.Task {
		t.Fatalf("%d tasks are taken along: %v", len(along), err)
	}
	_, err = s.node.Casework.Arrive(t.Context(), by, casework.Offline{
		Act: ident.Random[string](), Made: ground.Clock(), Digest: make([]byte, 32), Task: taken.Task, Revision: along[0].Application.Revision,
		Verdict: func(casework.View) (casework.Verdict, error) {
			return casework.Verdict{Action: service.Approve, Form: map[string]any{"visitedOn": learningDay, "findings": "They work."}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	last, err := ground.Lesson(t.Context(), by, "offline-writing")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.node.Casework.Assist(t.Context(), by, casework.Dictated{
		ID: ident.Random[ident.Application](), Applicant: last.About.Person, Service: last.Service, Language: "en", Answers: map[string]any{"trade": "crafts"},
		Made: ground.Clock().Add(-time.Hour), Digest: make([]byte, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	// The document of a lesson says what it is worth.
	helped, err := ground.Lesson(t.Context(), by, "certificate")
	if err != nil {
		t.Fatal(err)
	}
	person, _ := s.people.Person(helped.About.Person)
	resident := s.signedIn(t, "en", person)
	resident.get("/me")
	resident.follow("/me/documents/")
	stranger := s.browser(t, "en")
	stranger.verify(resident.raw)
	stranger.says("Faqat mashq maydoni uchun") // in the language that counts
	inspector.get("/desk/practice")
	inspector.says(inspector.say("practice.all-done"))
	inspector.press("/certificate")
	inspector.want(http.StatusOK)
	inspector.get("/me")
	inspector.says(inspector.say("practice.certificate"))
	inspector.follow("/me/documents/")
	if !strings.HasPrefix(string(inspector.raw), "%PDF-") {
		t.Fatal("the certificate is no PDF")
	}
	stranger.verify(inspector.raw)
	stranger.says(stranger.say("verify.valid"))
	stranger.says("Faqat mashq maydoni uchun") // in the language that counts
	first, err := ground.Certify(t.Context(), by, "en")
	again, issued, _ := ground.Certificate(t.Context(), by)
	if err != nil || !issued || first != again {
		t.Errorf("asked for again, it is %s, not %s: %v", first, again, err)
	}
	published(t, s.node)
	if report := verify(t, filepath.Join(folder, "1")); report.Found > 0 || report.Rows == 0 {
		t.Errorf("the audit of the practice ground finds %v in %d rows", report.Findings, report.Rows)
	}
}
