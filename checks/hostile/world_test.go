package hostile

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"yagona/kernel/access"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/session"
	"yagona/node"
	"yagona/node/nodetest"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
	"yagona/store/sqlite"
	"yagona/web/route"
)

// clock is the machine's clock, which a test may set.
type clock struct {
	mu     sync.Mutex
	offset time.Duration // guarded by mu
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// world is a demonstration that is served over HTTP in this process.
type world struct {
	t      *testing.T
	node   *node.Node
	site   string
	clock  *clock
	pop    *demo.Population
	folder string
	db     *sql.DB // beside the node's own connections, to look at what it wrote
	client *http.Client
}

func TestMain(m *testing.M) { nodetest.Main(m) }

func open(t *testing.T) *world {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	site, err := url.Parse("http://" + server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, site: site.String(), clock: &clock{}}
	folder := nodetest.Populated(t, 300, time.Now)
	w.folder = folder
	w.node, err = node.OpenDemonstration(t.Context(), node.Config{
		Folder: folder, Site: site, Country: uz.Files, Packs: packs.All(), Clock: w.clock.now, Volatile: true,
	}, 300)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = w.node.Handler
	server.Start()
	w.node.Start(t.Context())
	if w.db, err = sqlite.OpenFile(filepath.Join(folder, "yagona.db"), "query_only(1)"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.db.Close()
		server.Close()
		if err := w.node.Close(); err != nil {
			t.Error(err)
		}
	})
	w.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if w.pop, err = demo.Generate(1, w.node.Profile, w.node.Profile.Calendar.Date(w.clock.now()), 300); err != nil {
		t.Fatal(err)
	}
	return w
}

// visitor is who sends requests: nobody, or a person with a session.
type visitor struct {
	*world
	person ident.Person
	token  session.Token
}

func (w *world) nobody() visitor { return visitor{world: w} }

// as signs a person in. Who people are is proven in signin_test.go.
func (w *world) as(person ident.Person) visitor {
	w.t.Helper()
	token, _, err := w.node.Sessions.Start(w.t.Context(), person, session.Program, false)
	if err != nil {
		w.t.Fatal(err)
	}
	return visitor{w, person, token}
}

func (w *world) persona(name demo.Persona) visitor { return w.as(w.pop.Personas[name]) }

// official signs in the one with the role in the agency for a territory.
func (w *world) official(role ident.Role, agency ident.Agency, territory ident.Territory) visitor {
	w.t.Helper()
	for _, one := range w.pop.Officials {
		if one.Role == role && one.Agency == agency && one.Territory == territory {
			return w.as(one.Person)
		}
	}
	w.t.Fatalf("nobody is %s of %s in %q", role, agency, territory)
	return visitor{}
}

// appoint appoints a person besides.
func (w *world) appoint(person ident.Person, agency ident.Agency, role ident.Role, territory ident.Territory) access.Appointment {
	w.t.Helper()
	made, err := w.node.Office.Appoint(w.t.Context(), access.Actor{}, access.Appointment{
		Person: person, Agency: agency, Role: role, Territory: territory,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

// work lets the visitor's session work in an appointment.
func (v visitor) work(in access.Appointment) visitor {
	v.t.Helper()
	if err := v.node.Sessions.Work(v.t.Context(), v.token.Digest(), in.ID); err != nil {
		v.t.Fatal(err)
	}
	return v
}

// answer is what the installation said.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// code returns the stable code of a problem, or "".
func (a answer) code() string {
	if problem, ok := route.ReadProblem(a.Header.Get("Content-Type"), a.Body); ok {
		return problem.Code()
	}
	return ""
}

func (a answer) String() string { return fmt.Sprintf("%d %.600s", a.Status, a.Body) }

// tells reports whether a word or words stand in the answer, in capitals or not. In the midst of letters they tell nothing: an
// id or a hash may hold a short name by chance.
func (a answer) tells(words string) bool {
	text, words := strings.ToLower(string(a.Body)), strings.ToLower(words)
	inWord := func(r rune, size int) bool { return size > 0 && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
	for {
		at := strings.Index(text, words)
		if at < 0 {
			return false
		}
		after := text[at+len(words):]
		if !inWord(utf8.DecodeLastRuneInString(text[:at])) && !inWord(utf8.DecodeRuneInString(after)) {
			return true
		}
		text = text[at+1:]
	}
}

// into decodes the answer, which must have the status.
func (a answer) into(t *testing.T, status int, value any) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("it was answered %v", a)
	}
	if value == nil {
		return
	}
	if err := json.Unmarshal(a.Body, value); err != nil {
		t.Fatal(err)
	}
}

// send sends a request; header holds names and values in turn. A body that is text is sent as it is, anything else as
// JSON. It may be called on any goroutine.
func (v visitor) send(method, path string, body any, header ...string) answer {
	var content io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(body)
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.site+path, content)
	if err != nil {
		panic(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Accept-Language", "en")
	if v.token != "" {
		request.Header.Set("Authorization", "Bearer "+string(v.token))
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := v.client.Do(request)
	if err != nil {
		v.t.Errorf("%s %s: %v", method, path, err)
		return answer{Header: http.Header{}}
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Errorf("%s %s: %v", method, path, err)
	}
	return answer{response.StatusCode, response.Header, read}
}

// The parts of the API's answers that are read here.
type (
	application struct {
		ID       string
		State    string
		Revision int64
		Event    string
		Answers  map[string]any
		Tasks    []struct{ ID, Step, State string }
		Because  []struct{ Requirement, Text string }
		Granted  *struct{ Order, Document string }
		History  []struct{ What string }
	}
	receipt struct{ Application application }
)

// subsidy is an application for money.
func subsidy(account string) map[string]any {
	return map[string]any{
		"service": "youth/tools-subsidy", "language": "en", "send": true,
		"answers": map[string]any{"trade": "sewing", "price": 150_000_000, "account": account},
	}
}

// apply sends an application for the subsidy and returns it as the applicant sees it.
func (v visitor) apply() application {
	v.t.Helper()
	person, _ := v.pop.Person(v.person)
	var sent receipt
	v.withdrawOpen()
	v.send("POST", "/api/v1/applications", subsidy(person.Account)).into(v.t, http.StatusCreated, &sent)
	return v.own(sent.Application.ID)
}

// withdrawOpen takes back what is not decided yet: nobody has two open applications to a service that pays.
func (v visitor) withdrawOpen() {
	v.t.Helper()
	var listed struct{ Items []application }
	v.send("GET", "/api/v1/applications?limit=50", nil).into(v.t, http.StatusOK, &listed)
	for _, one := range listed.Items {
		if slices.Contains([]string{"gathering", "deciding", "asked", "appealed"}, one.State) {
			v.send("POST", "/api/v1/applications/"+one.ID+"/withdraw", nil, "If-Match", match(one.Revision)).into(v.t, http.StatusOK, nil)
		}
	}
}

func (v visitor) own(id string) (shown application) {
	v.t.Helper()
	v.send("GET", "/api/v1/applications/"+id, nil).into(v.t, http.StatusOK, &shown)
	return shown
}

// task returns the id of the application's open task.
func (a application) task(t *testing.T) string {
	t.Helper()
	for _, one := range a.Tasks {
		if one.State == "open" {
			return one.ID
		}
	}
	t.Fatalf("no task is open: %+v", a)
	return ""
}

func match(revision int64) string { return fmt.Sprintf(`"%d"`, revision) }

// decide takes a step.
func (v visitor) decide(a application, action string) {
	v.t.Helper()
	v.send("POST", "/api/v1/tasks/"+a.task(v.t)+"/decide", map[string]any{"action": action}, "If-Match", match(a.Revision)).into(v.t, http.StatusOK, nil)
}

// wait asks until it is so.
func (w *world) wait(what string, so func() bool) {
	w.t.Helper()
	for begun := time.Now(); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			w.t.Fatalf("it does not happen: %s", what)
		}
	}
}

// file reads a file of the installation.
func (w *world) file(name string) []byte {
	w.t.Helper()
	content, err := os.ReadFile(filepath.Join(w.folder, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return content
}

// refusals returns the refusals that the journal has of a person, oldest first.
func (w *world) refusals(of ident.Person) (found []journal.Header) {
	w.t.Helper()
	rows, err := w.db.Query(`SELECT header FROM event WHERE key = $1 ORDER BY id`, string(of.Subject()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var encoded []byte
		if err := rows.Scan(&encoded); err != nil {
			w.t.Fatal(err)
		}
		var header journal.Header
		if err := json.Unmarshal(encoded, &header); err != nil {
			w.t.Fatal(err)
		}
		if header.Type == "access.refused" && header.Actor.Person == of {
			found = append(found, header)
		}
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return found
}
