// Package walk drives the story that must always work through a running demonstration, over real HTTP and with nothing
// but what anybody has: a resident asks for a subsidy and carries no certificate, two officials decide, a third person
// releases the payment, the document verifies offline, and the resident sees who read what and proves it.
//
// Each step is printed with its ids and how long it took; the first step that fails ends the walk with its error.
package walk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/document"
	"yagona/kernel/journal"
	"yagona/std/c2sp"
)

// Demonstration is the running demonstration that a walk goes through.
type Demonstration struct {
	Site       *url.URL
	SignInPath string // of its sign-in service
	Client     string // the client id of programs there
	// NodeKey is the public half of the key with which the installation signs its set of keys: Ed25519, 32 bytes.
	NodeKey []byte
	// LogKey is the verifier key of the log, Witnesses those of its witnesses, of whom Quorum must have cosigned: what a
	// verifier knows from elsewhere.
	LogKey    string
	Witnesses []string
	Quorum    int
}

// walker is a walk under way.
type walker struct {
	Demonstration
	out     io.Writer
	started time.Time
	number  int
}

// Walk walks through the demonstration and tells of it.
func Walk(ctx context.Context, through Demonstration, out io.Writer) error {
	w := &walker{Demonstration: through, out: out, started: time.Now()}
	story := &story{walker: w}
	err := w.take(ctx, []step{
		{"a resident signs in", story.resident},
		{"the resident asks for the subsidy and brings no certificate", story.apply},
		{"the receipt gets its proof", story.receipt},
		{"the youth leader of the mahalla reads the case and recommends", story.recommend},
		{"the chair of the mahalla approves", story.approve},
		{"whoever decided may not release the payment, nor may the resident", story.refuseRelease},
		{"a treasurer releases the payment", story.release},
		{"the bank confirms the payment", story.paid},
		{"the resident fetches the document", story.fetch},
		{"the document verifies offline, and a changed one does not", story.verify},
		{"the support stands in the youth notebook: a second application is refused with the reason", story.again},
		{"the resident sees who read which data, for what", story.accessLog},
		{"an entry of the access log is in the cosigned log", story.inclusion},
		{"someone with a job is refused at once, with the reason", story.worker},
		{"the certificate of unemployment is granted at once, by rule alone", story.certificate},
		{"nobody decides for their own household, out of turn, or on what is not theirs", story.conflict},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The story works: %d steps in %.1f s.\n", w.number, time.Since(w.started).Seconds())
	return nil
}

// step is one thing that happens in a walk. Told is what there is to say of it, by lines.
type step struct {
	what string
	do   func(context.Context) (told string, err error)
}

// take takes steps one after the other and tells of each; the first that fails ends it.
func (w *walker) take(ctx context.Context, steps []step) error {
	for _, one := range steps {
		w.number++
		begun := time.Now()
		told, err := one.do(ctx)
		if err != nil {
			fmt.Fprintf(w.out, "%2d. %s\n    FAILED: %v\n", w.number, one.what, err)
			return fmt.Errorf("step %d, %s: %w", w.number, one.what, err)
		}
		fmt.Fprintf(w.out, "%2d. %s (%d ms)\n", w.number, one.what, time.Since(begun).Milliseconds())
		for line := range strings.Lines(told) {
			fmt.Fprintf(w.out, "    %s\n", strings.TrimRight(line, "\n"))
		}
	}
	return nil
}

// story is what the steps of the walk hand to each other.
type story struct {
	*walker
	applicant, leader, chair *Client
	application, document    string
	order                    string
	sent                     receipt
	file                     []byte
}

// The parts of the API's answers that the walk reads.
type (
	application struct {
		ID       string `json:"id"`
		State    string `json:"state"`
		Revision int64  `json:"revision"`
		Evidence []struct {
			Name, Title, Status, Agency string
		} `json:"evidence"`
		Because []struct{ Requirement, Text string } `json:"because"`
		Rules   []struct{ ID, Outcome, Text string } `json:"rules"`
		Tasks   []struct {
			ID, State, Territory string
			Due                  time.Time
		} `json:"tasks"`
		Queue *struct {
			Ahead []struct {
				By    string
				Count int64
			}
			Waiting, Places int64
		} `json:"queue"`
		Decisions   []struct{ At time.Time } `json:"decisions"`
		AppealUntil time.Time                `json:"appealUntil"`
		Expires     time.Time                `json:"expires"`
		Granted     *struct {
			Payment         int64
			Order, Document string
		} `json:"granted"`
	}
	proof struct {
		Event   string           `json:"event"`
		Opening *journal.Opening `json:"opening"`
		Entry   []byte           `json:"entry"`
		Proof   string           `json:"proof"`
		Pending string           `json:"pending"`
	}
	receipt struct {
		Application application `json:"application"`
		Receipt     proof       `json:"receipt"`
	}
	task struct {
		Task struct {
			ID          string `json:"id"`
			Application string `json:"application"`
		} `json:"task"`
		Application application `json:"application"`
	}
	page[T any] struct {
		Items []T    `json:"items"`
		Next  string `json:"next"`
	}
)

func (w *walker) as(ctx context.Context, about string) (*Client, error) {
	return SignIn(ctx, w.Site, w.SignInPath, w.Client, about)
}

func (s *story) resident(ctx context.Context) (told string, err error) {
	s.applicant, err = s.as(ctx, "jobless")
	if err != nil {
		return "", err
	}
	var me struct{ Name string }
	if err := s.applicant.Get(ctx, "/api/v1/me", &me); err != nil {
		return "", err
	}
	return me.Name + ", a synthetic person", nil
}

// subsidy is what the resident answers: the plan, and nothing that a register knows.
var subsidy = map[string]any{"trade": "sewing", "price": 150_000_000, "account": "00000000000000000001"}

func (s *story) apply(ctx context.Context) (string, error) {
	err := s.applicant.Post(ctx, "/api/v1/applications", map[string]any{
		"service": "youth/tools-subsidy", "language": "uz-Latn", "answers": subsidy, "send": true,
	}, &s.sent)
	if err != nil {
		return "", err
	}
	s.application = s.sent.Application.ID
	var shown application
	if err := s.applicant.Get(ctx, "/api/v1/applications/"+s.application, &shown); err != nil {
		return "", err
	}
	if shown.State != "deciding" {
		return "", fmt.Errorf("the application is %s instead of deciding: is this a fresh demonstration?", shown.State)
	}
	var told strings.Builder
	fmt.Fprintf(&told, "application %s, %s\n", s.application, shown.State)
	for _, evidence := range shown.Evidence {
		fmt.Fprintf(&told, "%s: %s, answered by %s\n", evidence.Title, evidence.Status, evidence.Agency)
	}
	return told.String(), nil
}

// wait asks again until it is so, for at most a minute.
func wait(ctx context.Context, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		done, err := ask()
		if err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("it did not happen within a minute")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *story) receipt(ctx context.Context) (string, error) {
	return s.proven(ctx, s.applicant, s.sent.Receipt.Event)
}

// proven fetches the proof of an event about the resident and verifies all of it here: the commitment, the entry, the
// inclusion, the log's signature and the witnesses'.
func (w *walker) proven(ctx context.Context, resident *Client, event string) (string, error) {
	var found proof
	err := wait(ctx, func() (bool, error) {
		found = proof{}
		err := resident.Get(ctx, "/api/v1/access-log/"+event+"/proof", &found)
		return found.Pending == "", err
	})
	if err != nil {
		return "", err
	}
	if found.Opening == nil {
		return "", errors.New("the proof does not say what the journal has about the resident")
	}
	header, entry, err := found.Opening.Verify()
	if err != nil {
		return "", err
	}
	log, err := note.NewVerifier(w.LogKey)
	if err != nil {
		return "", err
	}
	var witnesses []note.Verifier
	for _, key := range w.Witnesses {
		witness, err := c2sp.NewCosignatureVerifier(key)
		if err != nil {
			return "", err
		}
		witnesses = append(witnesses, witness)
	}
	parsed, err := c2sp.ParseProof([]byte(found.Proof))
	if err != nil {
		return "", err
	}
	checkpoint, err := parsed.Verify(entry, log, witnesses, w.Quorum)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("event %s (%s) is entry %d of %d in the log %s, cosigned by %d witnesses",
		header.ID, header.Type, parsed.Index, checkpoint.Tree.N, checkpoint.Origin, w.Quorum), nil
}

// task finds the application's task in the official's inbox and reads it.
func (w *walker) task(ctx context.Context, official *Client, application string) (found task, err error) {
	var inbox page[struct{ ID, Application string }]
	if err := official.Get(ctx, "/api/v1/tasks?limit=100", &inbox); err != nil {
		return found, err
	}
	i := slices.IndexFunc(inbox.Items, func(one struct{ ID, Application string }) bool { return one.Application == application })
	if i < 0 {
		return found, fmt.Errorf("the application is not among the %d tasks of the inbox of %s", len(inbox.Items), official.Name)
	}
	return found, official.Get(ctx, "/api/v1/tasks/"+inbox.Items[i].ID, &found)
}

// decide reads the application's task as an official and decides it.
func (w *walker) decide(ctx context.Context, official *Client, application string, verdict map[string]any) (told string, err error) {
	read, err := w.task(ctx, official, application)
	if err != nil {
		return "", err
	}
	var decided struct{ State string }
	err = official.Post(ctx, "/api/v1/tasks/"+read.Task.ID+"/decide", verdict, &decided, "If-Match", fmt.Sprintf(`"%d"`, read.Application.Revision))
	return fmt.Sprintf("%s: task %s, now %s", official.Name, read.Task.ID, decided.State), err
}

func (s *story) decideAs(ctx context.Context, about, action string) (official *Client, told string, err error) {
	if official, err = s.as(ctx, about); err != nil {
		return nil, "", err
	}
	told, err = s.decide(ctx, official, s.application, map[string]any{"action": action})
	return official, told, err
}

func (s *story) recommend(ctx context.Context) (told string, err error) {
	s.leader, told, err = s.decideAs(ctx, "youth-leader", "recommend")
	return told, err
}

func (s *story) approve(ctx context.Context) (told string, err error) {
	if s.chair, told, err = s.decideAs(ctx, "· chair ·", "approve"); err != nil {
		return "", err
	}
	var shown application
	if err := s.applicant.Get(ctx, "/api/v1/applications/"+s.application, &shown); err != nil {
		return "", err
	}
	if shown.State != "granted" || shown.Granted == nil || shown.Granted.Order == "" || shown.Granted.Document == "" {
		return "", fmt.Errorf("the application is %s, without document or payment", shown.State)
	}
	s.document, s.order = shown.Granted.Document, shown.Granted.Order
	return told + fmt.Sprintf("\ndocument %s, payment order %s of %d.%02d", s.document, s.order, shown.Granted.Payment/100, shown.Granted.Payment%100), nil
}

// forbidden checks that a request is refused.
func forbidden(err error, statuses ...string) error {
	if err == nil {
		return errors.New("it was allowed")
	}
	for _, code := range statuses {
		if strings.Contains(err.Error(), code) {
			return nil
		}
	}
	return fmt.Errorf("it was refused for another reason: %w", err)
}

func (s *story) refuseRelease(ctx context.Context) (string, error) {
	for _, one := range []*Client{s.applicant, s.leader, s.chair} {
		err := one.Post(ctx, "/api/v1/orders/"+s.order+"/release", nil, nil)
		if err := forbidden(err, "access."); err != nil {
			return "", fmt.Errorf("%s: %w", one.Name, err)
		}
	}
	return "", nil
}

func (s *story) release(ctx context.Context) (string, error) {
	return s.releaseBy(ctx, "treasurer · youth-agency", s.order)
}

// releaseBy signs in as a treasurer and releases an order, once the bank has said whose account it is.
func (w *walker) releaseBy(ctx context.Context, about, order string) (string, error) {
	treasurer, err := w.as(ctx, about)
	if err != nil {
		return "", err
	}
	err = wait(ctx, func() (bool, error) {
		var orders page[struct{ ID, State string }]
		if err := treasurer.Get(ctx, "/api/v1/orders?limit=100", &orders); err != nil {
			return false, err
		}
		return slices.ContainsFunc(orders.Items, func(one struct{ ID, State string }) bool { return one.ID == order }), nil
	})
	if err != nil {
		return "", err
	}
	return treasurer.Name, treasurer.Post(ctx, "/api/v1/orders/"+order+"/release", nil, nil)
}

func (s *story) paid(ctx context.Context) (string, error) {
	return s.paidTo(ctx, s.applicant, s.application)
}

// paidTo waits until the bank has confirmed the payment of an application.
func (w *walker) paidTo(ctx context.Context, applicant *Client, application string) (string, error) {
	var payment struct{ Order, State string }
	err := wait(ctx, func() (bool, error) {
		err := applicant.Get(ctx, "/api/v1/applications/"+application+"/payment", &payment)
		return payment.State == "confirmed", err
	})
	return "payment order " + payment.Order + ": " + payment.State, err
}

func (s *story) fetch(ctx context.Context) (string, error) {
	got, err := s.applicant.Send(ctx, http.MethodGet, "/api/v1/documents/"+s.document+"/file", nil)
	if err != nil {
		return "", err
	}
	s.file = got.Body
	if !bytes.HasPrefix(s.file, []byte("%PDF-")) {
		return "", errors.New("the document is no PDF")
	}
	return fmt.Sprintf("%d bytes of PDF", len(s.file)), nil
}

func (s *story) verify(ctx context.Context) (string, error) { return s.verified(ctx, s.file) }

// verified verifies a document's file offline, and holds that a changed copy does not verify.
func (w *walker) verified(ctx context.Context, file []byte) (string, error) {
	anyone := NewClient(w.Site)
	var published, revoked struct{ Token []byte }
	if err := anyone.Get(ctx, "/api/v1/keys", &published); err != nil {
		return "", err
	}
	if err := anyone.Get(ctx, "/api/v1/revocations", &revoked); err != nil {
		return "", err
	}
	// From here on nothing is asked for: the two files are all that an offline verifier has.
	keys, err := document.ReadKeySet(published.Token, w.NodeKey)
	if err != nil {
		return "", err
	}
	list, err := document.ReadRevocationList(revoked.Token, keys)
	if err != nil {
		return "", err
	}
	result := document.Verify(file, keys, list, time.Now())
	if result.State != document.Valid {
		return "", fmt.Errorf("it is %s: %s", result.State, result.Reason)
	}
	changed := bytes.Clone(file)
	changed[len(changed)/2] ^= 1
	if worse := document.Verify(changed, keys, list, time.Now()); worse.State == document.Valid {
		return "", errors.New("a changed document verifies, too")
	}
	return fmt.Sprintf("%s, signed by %s@%s with key %s", result.State, result.Claims.Agency, result.Claims.Node, result.KeyID), nil
}

// immediate sends an application for oneself and returns it as it then stands: decided, if the service is.
func (w *walker) immediate(ctx context.Context, who *Client, service string, answers map[string]any) (application, error) {
	return w.ask(ctx, who, map[string]any{"service": service, "answers": answers, "send": true, "language": "en"})
}

// ask begins an application and returns it as it then stands.
func (w *walker) ask(ctx context.Context, who *Client, wanted map[string]any) (application, error) {
	var sent receipt
	if err := who.Post(ctx, "/api/v1/applications", wanted, &sent); err != nil {
		return application{}, err
	}
	var shown application
	return shown, who.Get(ctx, "/api/v1/applications/"+sent.Application.ID, &shown)
}

func expectRefusal(shown application, requirement string) (string, error) {
	if shown.State != "refused" || len(shown.Because) == 0 || shown.Because[0].Requirement != requirement {
		return "", fmt.Errorf("the application is %s because of %v", shown.State, shown.Because)
	}
	return "refused: " + shown.Because[0].Text, nil
}

func (s *story) again(ctx context.Context) (string, error) {
	var told string
	// The record is written by a job of its own, under its register's key.
	return told, wait(ctx, func() (bool, error) {
		shown, err := s.immediate(ctx, s.applicant, "youth/tools-subsidy", subsidy)
		if err != nil {
			return false, err
		}
		if shown.State == "deciding" {
			withdrawn := s.applicant.Post(ctx, "/api/v1/applications/"+shown.ID+"/withdraw", nil, nil, "If-Match", fmt.Sprintf(`"%d"`, shown.Revision))
			return false, withdrawn
		}
		told, err = expectRefusal(shown, "once")
		return err == nil, err
	})
}

func (s *story) accessLog(ctx context.Context) (string, error) {
	var entries page[struct {
		Event, Type, Purpose string
		By                   struct{ Agency, Role string }
	}]
	if err := s.applicant.Get(ctx, "/api/v1/access-log?limit=100", &entries); err != nil {
		return "", err
	}
	var told strings.Builder
	readers := map[string]bool{}
	for _, one := range entries.Items {
		readers[one.By.Role] = true
	}
	for _, role := range []string{"youth-leader", "chair"} {
		if !readers[role] {
			return "", fmt.Errorf("that the %s read the case does not stand in the log", role)
		}
	}
	for i, one := range entries.Items {
		if i == 5 {
			fmt.Fprintf(&told, "… and %d more", len(entries.Items)-i)
			break
		}
		fmt.Fprintf(&told, "%s %s %s, for %s\n", one.Type, one.By.Agency, one.By.Role, one.Purpose)
	}
	return told.String(), nil
}

func (s *story) inclusion(ctx context.Context) (string, error) {
	var entries page[struct {
		Event, Type string
	}]
	if err := s.applicant.Get(ctx, "/api/v1/access-log?limit=100", &entries); err != nil {
		return "", err
	}
	i := slices.IndexFunc(entries.Items, func(one struct{ Event, Type string }) bool { return one.Type == "application.read" })
	if i < 0 {
		return "", errors.New("no reading stands in the log")
	}
	return s.proven(ctx, s.applicant, entries.Items[i].Event)
}

func (s *story) worker(ctx context.Context) (string, error) {
	worker, err := s.as(ctx, "· worker")
	if err != nil {
		return "", err
	}
	shown, err := s.immediate(ctx, worker, "youth/tools-subsidy", subsidy)
	if err != nil {
		return "", err
	}
	return expectRefusal(shown, "unemployment")
}

func (s *story) certificate(ctx context.Context) (string, error) {
	shown, err := s.immediate(ctx, s.applicant, "employment/unemployment-certificate", map[string]any{})
	if err != nil {
		return "", err
	}
	if shown.State != "granted" || shown.Granted == nil || shown.Granted.Document == "" {
		encoded, _ := json.Marshal(shown)
		return "", fmt.Errorf("the application is %s: %s", shown.State, encoded)
	}
	return "document " + shown.Granted.Document, nil
}

func (s *story) conflict(ctx context.Context) (string, error) {
	brother, err := s.as(ctx, "brother")
	if err != nil {
		return "", err
	}
	shown, err := s.immediate(ctx, brother, "youth/tools-subsidy", subsidy)
	if err != nil {
		return "", err
	}
	told, err := s.kept(ctx, s.leader, shown)
	if err != nil {
		return "", fmt.Errorf("her own brother's case: %w", err)
	}
	err = s.chair.Get(ctx, "/api/v1/tasks/"+shown.Tasks[0].ID, &task{})
	if err := forbidden(err, "access.forbidden"); err != nil {
		return "", fmt.Errorf("the chair reads what is not the chair's turn: %w", err)
	}
	return told, s.applicant.withdrawFor(ctx, brother, shown)
}

// kept checks that an application of somebody close to an official is kept from them: it waits at the level above, and they
// neither find it nor may open it.
func (w *walker) kept(ctx context.Context, official *Client, shown application) (told string, err error) {
	if len(shown.Tasks) != 1 {
		return "", fmt.Errorf("the application has %d tasks instead of one", len(shown.Tasks))
	}
	if read, err := w.task(ctx, official, shown.ID); err == nil {
		return "", fmt.Errorf("%s finds the task %s", official.Name, read.Task.ID)
	}
	err = official.Get(ctx, "/api/v1/tasks/"+shown.Tasks[0].ID, &task{})
	return "it waits at " + shown.Tasks[0].Territory + ", above who lives with the applicant", forbidden(err, "task.own-interest", "access.forbidden")
}

// withdrawFor takes the brother's application back, and checks that nobody else can.
func (c *Client) withdrawFor(ctx context.Context, owner *Client, shown application) error {
	path, match := "/api/v1/applications/"+shown.ID+"/withdraw", fmt.Sprintf(`"%d"`, shown.Revision)
	if err := forbidden(c.Post(ctx, path, nil, nil, "If-Match", match), "application.unknown"); err != nil {
		return err
	}
	return owner.Post(ctx, path, nil, nil, "If-Match", match)
}
