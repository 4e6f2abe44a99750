package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/erasure"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/publication"
	"yagona/kernel/register"
	"yagona/kernel/service"
	"yagona/kernel/signature"
	"yagona/web/route"
)

func officialActor(agency ident.Agency) journal.Actor {
	return journal.Actor{Agency: agency, Component: "test"}
}

// delay journals a reading of the resident's data that a law delays by 30 days.
func (w *world) delay(definition *register.Definition) error {
	definition.Delay = &register.Delay{Days: 30, Legal: "illustrative law"}
	keeper := w.Registers.(*register.Keeper)
	return keeper.Disclose(w.Context(), officialActor("employment-agency"), access.Keep, definition, map[ident.Subject]any{
		w.resident.Subject(): map[string]any{"delayed": definition.Delay.Legal},
	})
}

// TestWhoIsRefused walks over every operation with everybody whom its access keeps out.
func TestWhoIsRefused(t *testing.T) {
	w := newWorld(t)
	people := map[string]ident.Person{
		"nobody": "", "resident": w.resident, "youth-leader": w.official("youth-agency", "youth-leader"),
		"treasurer": w.official("youth-agency", access.Treasurer), "registrar": w.official("employment-agency", access.Registrar),
		"operator": w.official("youth-agency", access.Operator), "data-protection-officer": w.officialFor("youth-agency", erasure.Officer, w.Profile.Territories.Root()),
	}
	wildcard := regexp.MustCompile(`\{[^}]+\}`)
	for _, one := range operations(w.Dependencies) {
		path := wildcard.ReplaceAllString(one.path, "00000000-0000-7000-8000-000000000000")
		var body any
		if one.body > 0 {
			body = map[string]any{}
		}
		for name, person := range people {
			t.Run(one.method+" "+one.path+" by "+name, func(t *testing.T) {
				w.T = t
				answer := w.ask(one.method, path, person, body)
				problem, _ := route.ReadProblem(answer.header.Get("Content-Type"), answer.body)
				refused := strings.HasPrefix(problem.Code(), "access.")
				var mayCome bool
				switch stated := one.access.String(); stated {
				case "public":
					mayCome = true
				case "signed in":
					mayCome = name != "nobody"
				case "official":
					mayCome = name != "nobody" && name != "resident"
				default:
					mayCome = strings.TrimPrefix(stated, "role ") == name
				}
				if !mayCome && !refused {
					t.Errorf("let in: %d %s", answer.status, answer.body)
				}
				if mayCome && refused {
					t.Errorf("refused: %d %s", answer.status, answer.body)
				}
				if answer.status >= 500 {
					t.Errorf("answered %d %s", answer.status, answer.body)
				}
			})
		}
	}
}

// TestWhoIsRefusedByTheKernel walks over everything that names an application or a task, with everybody but its owner.
func TestWhoIsRefusedByTheKernel(t *testing.T) {
	w := newWorld(t)
	leader, chair := w.official("youth-agency", "youth-leader"), w.official("youth-agency", "chair")
	family := w.official("youth-agency", "youth-leader")
	w.registers.related[family.Subject()] = []ident.Subject{w.resident.Subject()}
	path := "/applications/" + string(w.apply().Application.ID)
	for name, other := range map[string]ident.Person{"another resident": ident.Random[ident.Person](), "the official with the task": leader} {
		t.Run(name, func(t *testing.T) {
			w.T = t
			for _, what := range []string{"", "/payment"} {
				w.ask("GET", path+what, other, nil).refused(404, "application.unknown")
			}
			w.ask("PATCH", path, other, map[string]any{"answers": map[string]any{}}, "If-Match", `"1"`).refused(404, "application.unknown")
			w.ask("POST", path+"/preview", other, nil).refused(404, "application.unknown")
			for _, what := range []string{"/submit", "/withdraw"} {
				w.ask("POST", path+what, other, nil, "If-Match", `"1"`).refused(404, "application.unknown")
			}
			w.ask("POST", path+"/answer", other, Reply{"x"}, "If-Match", `"1"`).refused(404, "application.unknown")
			w.ask("POST", path+"/appeal", other, Grounds{"x"}, "If-Match", `"1"`).refused(404, "application.unknown")
		})
	}
	w.T = t
	task, tag := w.taskOf(leader)
	taskPath := "/tasks/" + string(task.Task.ID)
	for name, test := range map[string]struct {
		by   ident.Person
		code string
	}{
		"not their turn":  {chair, "access.forbidden"},
		"another agency":  {w.official("mahalla-association", "youth-leader"), "access.forbidden"},
		"own household":   {family, "task.own-interest"},
		"a resident":      {w.resident, "access.officials-only"},
		"without session": {"", "access.sign-in"},
	} {
		t.Run(name, func(t *testing.T) {
			w.T = t
			status := http.StatusForbidden
			if test.by == "" {
				status = http.StatusUnauthorized
			}
			w.ask("GET", taskPath, test.by, nil).refused(status, test.code)
			w.ask("POST", taskPath+"/claim", test.by, nil).refused(status, test.code)
			w.ask("POST", taskPath+"/hand-over", test.by, HandOver{}).refused(status, test.code)
			w.ask("POST", taskPath+"/decide", test.by, map[string]any{"action": "recommend"}, "If-Match", tag).refused(status, test.code)
		})
	}
}

func TestHostileBodies(t *testing.T) {
	w := newWorld(t)
	good := `{"service":"youth/tools","answers":{"trade":"sewing","price":100,"account":"` + w.Profile.Account.Example + `"}}`
	into[Receipt](w.ask("POST", "/applications", w.resident, []byte(good)), http.StatusCreated)
	for name, test := range map[string]struct {
		body   []byte
		status int
		code   string
	}{
		"nothing":               {[]byte(" "), 400, "http.malformed"},
		"no JSON":               {[]byte("service=youth/tools"), 400, "http.malformed"},
		"cut off":               {[]byte(good[:40]), 400, "http.malformed"},
		"two values":            {[]byte(good + good), 400, "http.malformed"},
		"a list":                {[]byte("[]"), 400, "http.malformed"},
		"a wrong type":          {[]byte(`{"service":7}`), 422, "http.wrong-type"},
		"an unknown field":      {[]byte(`{"service":"youth/tools","role":"chair"}`), 422, "http.unknown-field"},
		"a field twice":         {[]byte(`{"service":"youth/tools","service":"youth/other"}`), 422, "http.duplicate-field"},
		"an answer twice":       {[]byte(`{"service":"youth/tools","answers":{"price":100,"price":200}}`), 422, "http.duplicate-field"},
		"a field in capitals":   {[]byte(`{"Service":"youth/tools"}`), 422, "http.unknown-field"},
		"a letter in capitals":  {[]byte(`{"service":"youth/tools","lAnguage":"en"}`), 422, "http.unknown-field"},
		"not UTF-8":             {[]byte("{\"service\":\"youth/tools\",\"answers\":{\"trade\":\"\xff\xfe\"}}"), 400, "http.malformed"},
		"nested too deeply":     {[]byte(`{"service":"youth/tools","answers":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`), 400, "http.malformed"},
		"nested, but read":      {[]byte(`{"service":"youth/tools","answers":{"price":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `}}`), 422, "field.type"},
		"an unknown question":   {[]byte(`{"service":"youth/tools","answers":{"colour":"red"}}`), 422, "field.unknown"},
		"answers are a list":    {[]byte(`{"service":"youth/tools","answers":[]}`), 422, "http.wrong-type"},
		"money with a point":    {[]byte(`{"service":"youth/tools","answers":{"price":1.5}}`), 422, "field.type"},
		"an enormous number":    {[]byte(`{"service":"youth/tools","answers":{"price":1e400}}`), 422, "field.type"},
		"no such service":       {[]byte(`{"service":"youth/none"}`), 404, "service.unknown"},
		"no such language":      {[]byte(`{"service":"youth/tools","language":"xx"}`), 422, "application.language"},
		"ten megabytes":         {append([]byte(`{"service":"`), bytes.Repeat([]byte("x"), 10<<20)...), 413, "http.too-large"},
		"a bad account, sent":   {[]byte(strings.Replace(good, w.Profile.Account.Example, "1", 1)[:len(good)-len(w.Profile.Account.Example)] + `,"send":true}`), 422, "country." + w.Profile.Account.Name + "-malformed"},
		"answers missing, sent": {[]byte(`{"service":"youth/tools","send":true}`), 422, "field.required"},
	} {
		t.Run(name, func(t *testing.T) {
			w.T = t
			problem := w.ask("POST", "/applications", w.resident, test.body).problem(test.status, test.code)
			if strings.Contains(problem.Detail, "role") || len(problem.Detail) > 300 {
				t.Errorf("the problem shows what was sent: %s", problem.Detail)
			}
		})
	}
	w.T = t
	w.ask("POST", "/applications", w.resident, []byte(good), "Content-Type", "text/plain").refused(415, "http.unsupported-media")
	w.ask("POST", "/applications", w.resident, []byte(good), "Sec-Fetch-Site", "cross-site").refused(403, "http.cross-origin")
	if list := into[Page[ApplicationSummary]](w.ask("GET", "/applications", w.resident, nil), http.StatusOK); len(list.Items) != 1 {
		t.Errorf("refused requests left %d applications", len(list.Items))
	}
	var wrong reply
	if wrong = w.ask("POST", "/applications/"+string(ident.New[ident.Application](w.now))+"/submit", w.resident, []byte("{}"), "If-Match", `"1"`); wrong.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body where none belongs: %d %s", wrong.status, wrong.body)
	}
}

// failing is a journal that cannot be written.
type failing struct {
	act.Store[journal.Reader, journal.Tx]
}

func (failing) Update(context.Context, act.Key, func(journal.Tx) error) error {
	return errors.New("the disk is full")
}

func TestWhatCannotBeJournaledIsNotShown(t *testing.T) {
	w := newWorld(t)
	w.apply()
	w.OwnReadings = access.NewOwnReadings(failing{w.Trail.Store}, w.Vault)
	w.serve()
	for _, path := range []string{"/applications", "/documents", "/me", "/notices", "/access-log"} {
		answer := w.ask("GET", path, w.resident, nil)
		problem := answer.problem(500, "internal")
		if strings.Contains(string(answer.body), "disk") || strings.Contains(problem.Detail, "Test Person") {
			t.Errorf("%s shows %s", path, answer.body)
		}
	}
}

func TestRegisterRecords(t *testing.T) {
	w := newWorld(t)
	registrar := w.official("employment-agency", access.Registrar)
	const root = "/registers/employment/unemployed"
	subject := string(w.resident.Subject())
	record := map[string]any{"reason": "registered", "values": map[string]any{"person": subject, "registeredOn": "2026-02-01"}}
	made := w.ask("POST", root+"/records", registrar, record)
	version := into[Version](made, http.StatusCreated)
	path := root + "/records/" + string(version.Record)
	if made.header.Get("Location") != Root+path || version.Number != 1 {
		t.Errorf("the record is %+v at %s", version, made.header.Get("Location"))
	}
	w.ask("POST", root+"/records", registrar, record).refused(409, "register.not-unique")
	w.ask("POST", root+"/records", registrar, map[string]any{"reason": "x", "values": map[string]any{"person": "nobody"}}).refused(422, "field.subject")
	w.ask("POST", root+"/records", registrar, map[string]any{"reason": "x", "values": map[string]any{"colour": "red"}}).refused(422, "field.unknown")
	w.ask("POST", root+"/search", registrar, map[string]any{"values": map[string]any{"registeredOn": "2026-02-01"}}).refused(422, "register.no-index")
	w.ask("POST", "/registers/employment/none/search", registrar, map[string]any{"subject": subject}).refused(404, "register.unknown")
	w.ask("POST", root+"/search", registrar, map[string]any{"subject": "me"}).refused(422, "ident.malformed")
	if found := into[Page[Version]](w.ask("POST", root+"/search", registrar, map[string]any{"subject": subject}), http.StatusOK); len(found.Items) != 1 {
		t.Errorf("found %+v", found)
	}
	shown := w.ask("GET", path, registrar, nil)
	tag := shown.header.Get("ETag")
	if got := into[Record](shown, http.StatusOK); len(got.Versions) != 1 || tag != `"1"` {
		t.Errorf("the record shows %+v with %s", got, tag)
	}
	change := map[string]any{"reason": "learned", "values": map[string]any{"person": subject, "registeredOn": "2026-02-01", "skill": "welding"}}
	w.ask("PATCH", path, registrar, change).refused(428, "http.precondition-required")
	if got := into[Version](w.ask("PATCH", path, registrar, change, "If-Match", tag), http.StatusOK); got.Number != 2 {
		t.Errorf("the change is %+v", got)
	}
	w.ask("PATCH", path, registrar, change, "If-Match", tag).refused(412, "http.precondition-failed")
	correction := map[string]any{"reason": "mistyped", "corrects": 2, "values": map[string]any{"person": subject, "registeredOn": "2026-02-02"}}
	if got := into[Version](w.ask("PATCH", path, registrar, correction, "If-Match", `"2"`), http.StatusOK); got.Corrects != 2 {
		t.Errorf("the correction is %+v", got)
	}
	if got := into[Version](w.ask("POST", path+"/close", registrar, map[string]any{"reason": "found work"}, "If-Match", `"3"`), http.StatusOK); !got.Closed {
		t.Errorf("the end is %+v", got)
	}
	w.ask("POST", path+"/close", registrar, map[string]any{"reason": "x"}, "If-Match", `"3"`).refused(412, "http.precondition-failed")

	stranger := w.official("youth-agency", access.Registrar)
	w.ask("GET", path, stranger, nil).refused(403, "access.forbidden")
	w.ask("POST", root+"/search", stranger, map[string]any{"subject": subject}).refused(403, "access.forbidden")
	w.ask("PATCH", path, stranger, change, "If-Match", `"4"`).refused(403, "access.forbidden")
	readings := 0
	for _, one := range into[Page[Access]](w.ask("GET", "/access-log", w.resident, nil), http.StatusOK).Items {
		if one.Type == "register.read" {
			readings++
		}
	}
	if readings != 2 {
		t.Errorf("the person sees %d readings of their record instead of 2", readings)
	}
}

func TestAFileOfRecordsIsImported(t *testing.T) {
	w := newWorld(t)
	registrar, stranger := w.official("employment-agency", access.Registrar), w.official("youth-agency", access.Registrar)
	const path = "/registers/employment/unemployed/import"
	file := map[string]any{"format": "csv", "reason": "taken over", "atomic": true, "content": "person,registeredOn\n30000000000001,2026-02-01\n30000000000009,2026-02-01\n"}
	w.ask("POST", path, stranger, file).refused(403, "access.forbidden")
	got := into[Imported](w.ask("POST", path, registrar, file), http.StatusOK)
	if got.Read != 2 || got.Rejected != 2 || len(got.Rejects) != 1 || got.Rejects[0].Line != 3 || got.Rejects[0].Code != "import.person-unknown" {
		t.Errorf("an atomic import with a bad row gives %+v", got)
	}
	file["atomic"] = false
	want := Imported{Read: 2, Created: 1, Rejected: 1, Rejects: got.Rejects}
	if diff := cmp.Diff(want, into[Imported](w.ask("POST", path, registrar, file), http.StatusOK)); diff != "" {
		t.Error(diff)
	}
	file["format"], file["content"] = "ndjson", `{"person": "30000000000001", "registeredOn": "2026-02-01"}`
	if again := into[Imported](w.ask("POST", path, registrar, file), http.StatusOK); again.Unchanged != 1 {
		t.Errorf("the same again gives %+v", again)
	}
	const records = "/registers/employment/unemployed/records."
	w.ask("GET", records+"csv", stranger, nil).refused(403, "access.forbidden")
	out := w.ask("GET", records+"csv", registrar, nil)
	if rows := string(out.body); out.status != http.StatusOK || !strings.Contains(rows, "30000000000001") || !strings.Contains(rows, "2026-02-01") {
		t.Errorf("exported %d %q", out.status, rows)
	}
	file["format"], file["content"] = "ndjson", string(w.ask("GET", records+"ndjson", registrar, nil).body)
	if again := into[Imported](w.ask("POST", path, registrar, file), http.StatusOK); again.Read == 0 || again.Unchanged != again.Read {
		t.Errorf("what was exported, imported again, gives %+v", again)
	}
	file["format"] = "xlsx"
	w.ask("POST", path, registrar, file).refused(422, "import.format")
	file["format"], file["content"] = "csv", "colour\nred\n"
	w.ask("POST", path, registrar, file).refused(422, "import.column-unknown")
	delete(file, "reason")
	w.ask("POST", path, registrar, file).refused(422, "register.no-reason")
}

func TestOperatorsSeeAndRetryDeadJobs(t *testing.T) {
	w := newWorld(t)
	operator := w.official("youth-agency", access.Operator)
	w.must(w.Jobs.Update(t.Context(), act.Of(w.resident.Subject()), func(tx JobTx) error {
		return tx.QueueJob(job.Job{ID: ident.New[ident.Job](w.now), Key: tx.Key(), Kind: "nobody.does-it", Due: w.now, Payload: []byte("{}")})
	}))
	w.must(w.jobs.Drain(t.Context()))
	dead := w.ask("GET", "/jobs/dead", operator, nil)
	list := into[Page[DeadJob]](dead, http.StatusOK)
	if len(list.Items) != 1 || list.Items[0].Failure != "job.no-handler" {
		t.Fatalf("the dead jobs are %+v", list)
	}
	if strings.Contains(string(dead.body), string(w.resident)) {
		t.Errorf("an operator sees whose job it is: %s", dead.body)
	}
	into[DeadJob](w.ask("POST", "/jobs/"+string(list.Items[0].ID)+"/retry", operator, nil), http.StatusAccepted)
	w.ask("POST", "/jobs/"+string(list.Items[0].ID)+"/retry", operator, nil).refused(404, "job.unknown")
}

func TestOutages(t *testing.T) {
	w := newWorld(t)
	operator := w.official("youth-agency", access.Operator)
	outage := map[string]any{"from": w.now.Add(-3 * time.Hour), "until": w.now.Add(-time.Hour), "reason": "a power cut"}
	into[Outage](w.ask("POST", "/outages", operator, outage), http.StatusCreated)
	outage["until"] = w.now.Add(time.Hour)
	w.ask("POST", "/outages", operator, outage).refused(422, "outage.time")
	outage["from"], outage["until"] = w.now.AddDate(-26, 0, 0), w.now
	w.ask("POST", "/outages", operator, outage).refused(422, "outage.too-long")
	if list := into[Page[Outage]](w.ask("GET", "/outages", "", nil), http.StatusOK); len(list.Items) != 1 {
		t.Errorf("the outages are %+v", list)
	}
}

func TestTwoPublishersBringAPackIntoForce(t *testing.T) {
	w := newWorld(t)
	first, second, stranger := w.official("youth-agency", access.Publisher), w.official("youth-agency", access.Publisher), ident.Random[ident.Person]()
	_, err := w.keys.Ensure(signature.OfPerson(first), signature.OfPerson(second), signature.OfPerson(stranger))
	w.must(err)
	sign := func(who ident.Person, message []byte) signature.Signature {
		made, err := w.keys.Sign(t.Context(), signature.OfPerson(who), message)
		w.must(err)
		return made
	}
	proposal := publication.Proposal{Pack: "youth", Agency: "youth-agency", Files: publication.Bundle{"pack.yaml": []byte("pack: youth")}, Published: w.now}
	proposal.Signature = sign(stranger, proposal.Message())
	w.ask("POST", "/publications", "", proposal).refused(403, "access.forbidden")
	proposal.Signature.Bytes = bytes.Clone(proposal.Signature.Bytes)
	proposal.Signature.Bytes[0] ^= 1
	w.ask("POST", "/publications", "", proposal).refused(403, "signature.wrong")
	proposal.Signature = sign(first, proposal.Message())
	proposed := into[Publication](w.ask("POST", "/publications", "", proposal), http.StatusCreated)
	w.ask("POST", "/publications", "", proposal).refused(409, "publication.again")
	path := "/publications/" + string(proposed.ID)
	approval := publication.ApprovalMessage(proposed.ID, proposed.Digest, true)
	w.ask("POST", path+"/approve", "", Approval{sign(first, approval)}).refused(403, "publication.same-person")
	w.ask("POST", path+"/reject", "", Approval{sign(second, approval)}).refused(403, "signature.wrong")
	if got := into[Publication](w.ask("POST", path+"/approve", "", Approval{sign(second, approval)}), http.StatusOK); got.State != publication.InForce {
		t.Errorf("it is %s", got.State)
	}
	w.ask("POST", path+"/approve", "", Approval{sign(second, approval)}).refused(409, "publication.settled")
	closure := NewClosure{Service: "youth/tools", Agency: "youth-agency", Version: "1", Reason: "faulty"}
	closure.Signature = sign(first, publication.ClosureMessage(closure.Service, closure.Version, closure.Reason))
	into[Closure](w.ask("POST", "/closures", "", closure), http.StatusCreated)
	if list := into[Page[Publication]](w.ask("GET", "/publications", "", nil), http.StatusOK); len(list.Items) != 1 {
		t.Errorf("the publications are %+v", list)
	}
}

func TestTheCatalogueIsPublic(t *testing.T) {
	w := newWorld(t)
	list := into[Page[ServiceSummary]](w.ask("GET", "/services", "", nil), http.StatusOK)
	if len(list.Items) != 1 || list.Items[0].Title != "Subsidy to buy tools" {
		t.Errorf("the services are %+v", list)
	}
	w.ask("GET", "/services/youth/tools", "", nil, "Accept-Language", "en")
	w.ask("GET", "/services/youth/none", "", nil).refused(404, "service.unknown")
	w.ask("GET", "/services/youth/none/statistics", "", nil).refused(404, "service.unknown")
	whole := into[Territory](w.ask("GET", "/territories", "", nil), http.StatusOK)
	if len(whole.Within) != 14 {
		t.Errorf("the country has %d regions", len(whole.Within))
	}
	if region := into[Territory](w.ask("GET", "/territories?code="+string(whole.Within[0].Code), "", nil), http.StatusOK); len(region.Within) == 0 {
		t.Error("a region has no districts")
	}
	w.ask("GET", "/territories?code=none", "", nil).refused(422, "territory.unknown")
	me := into[Person](w.ask("GET", "/me", w.resident, nil), http.StatusOK)
	if me.Name != "Test Person" || me.Birth != (calendar.Date{Year: 2003, Month: 11, Day: 5}) {
		t.Errorf("who is signed in is %+v", me)
	}
	if got := into[Page[Register]](w.ask("GET", "/registers", "", nil), http.StatusOK); len(got.Items) != 1 {
		t.Errorf("the registers are %+v", got)
	}
	w.ask("GET", "/orders?state=lost", w.official("youth-agency", access.Treasurer), nil).refused(422, "order.state")
}

// figures are the public figures of any service.
type figures []casework.Count

func (f figures) Statistics(context.Context, ident.Service) ([]casework.Count, error) { return f, nil }

func (figures) TakeUp(context.Context, ident.Service) ([]casework.TakeUp, error) {
	return []casework.TakeUp{{Territory: "1703", NotTaken: 10, Granted: 25}}, nil
}

func (figures) Refusals(context.Context, ident.Service) ([]casework.RefusalCount, error) {
	return []casework.RefusalCount{{Territory: "1703", Requirement: "age", Number: 15}}, nil
}

func TestStatisticsArePublic(t *testing.T) {
	w := newWorld(t)
	found := figures{
		{Service: "youth/tools", Territory: w.mahalla, State: casework.Granted, Number: 10, Median: time.Hour},
	}
	w.router = route.New(route.Config{Recognise: w.recognise})
	for _, one := range catalogueOperations(w.Dependencies.Catalogue, found, w.Profile, w.Clock) {
		w.router.Add(one.route())
	}
	answer := w.ask("GET", "/services/youth/tools/statistics", "", nil)
	if bytes.Contains(answer.body, []byte(`:0`)) {
		t.Errorf("what is not published stands there as zero: %s", answer.body)
	}
	got := into[Statistics](answer, http.StatusOK)
	want := Statistics{Service: "youth/tools", RoundedTo: 5, Counts: []Count{
		{Territory: w.mahalla, State: casework.Granted, Number: 10, Median: 3600},
	}, TakeUp: []TakeUp{}, Refusals: []RefusalCount{{Territory: "1703", Requirement: "age", Number: 15}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	w.ask("GET", "/services/youth/none/statistics", "", nil).refused(404, "service.unknown")
}

func TestTheTakeUpGapOfAServiceThatStartsByItselfIsPublic(t *testing.T) {
	w := newWorld(t)
	definition := w.subsidy()
	definition.Start = "employment/unemployment"
	starting := service.NewCatalogue([]*service.Definition{definition}, nil)
	w.router = route.New(route.Config{Recognise: w.recognise})
	for _, one := range catalogueOperations(func() *service.Catalogue { return starting }, figures{}, w.Profile, w.Clock) {
		w.router.Add(one.route())
	}
	got := into[Statistics](w.ask("GET", "/services/youth/tools/statistics", "", nil), http.StatusOK)
	if diff := cmp.Diff([]TakeUp{{Territory: "1703", NotTaken: 10, Granted: 25}}, got.TakeUp); diff != "" {
		t.Error(diff)
	}
}
