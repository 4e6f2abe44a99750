package fault

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"yagona/kernel/country"
	"yagona/node"
	"yagona/packs/demo"
	"yagona/packs/uz"
	"yagona/web/route"
)

// binary builds the platform once for all tests of the package.
var binary = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "yagona-fault-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "yagona")
	command := exec.Command("go", "build", "-o", path, "yagona/cmd/yagona")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the platform: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if encoded := os.Getenv(processVariable); encoded != "" {
		if err := serveAsProcess(encoded); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// installation is a demonstration in a process of its own, that may be killed and started again.
type installation struct {
	t       *testing.T
	binary  string
	folder  string
	address string // the same at every start: the log is named by it
	people  int

	process    *exec.Cmd
	ended      chan struct{} // closed when the process has ended
	output     *lines
	population *demo.Population
	client     *http.Client
	running    running  // what a verifier knows from elsewhere
	databases  []string // flags that name databases on a server
}

// running is what a demonstration leaves in its folder while it runs.
type running struct {
	Site      string   `json:"site"`
	LogKey    string   `json:"logKey"`
	Witnesses []string `json:"witnesses"`
}

// lines keeps what a process says.
type lines struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready chan struct{}
	once  sync.Once
}

func (l *lines) read(from io.Reader) {
	scanner := bufio.NewScanner(from)
	for scanner.Scan() {
		l.mu.Lock()
		l.text.WriteString(scanner.Text() + "\n")
		l.mu.Unlock()
		if strings.HasPrefix(scanner.Text(), "ready ") {
			l.once.Do(func() { close(l.ready) })
		}
	}
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// install prepares an installation in the folder; nothing is started yet.
func install(t *testing.T, folder string, people int) *installation {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	i := &installation{
		t: t, binary: path, folder: folder, address: listener.Addr().String(), people: people,
		client: &http.Client{
			Timeout:       30 * time.Second,
			Transport:     &http.Transport{MaxIdleConnsPerHost: 16},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	t.Cleanup(func() {
		if i.process != nil {
			i.kill()
		}
	})
	return i
}

// launch starts the process and does not wait for it.
func (i *installation) launch() {
	i.t.Helper()
	i.output = &lines{ready: make(chan struct{})}
	i.ended = make(chan struct{})
	i.process = exec.Command(i.binary, "demo", "--folder", i.folder, "--listen", i.address, "--people", fmt.Sprint(i.people), "--log")
	out, in := io.Pipe()
	i.process.Stdout, i.process.Stderr = in, in
	i.process.WaitDelay = 5 * time.Second
	go i.output.read(out)
	if err := i.process.Start(); err != nil {
		i.t.Fatal(err)
	}
	process, ended := i.process, i.ended
	go func() {
		_ = process.Wait() // it was killed, or says so itself
		in.Close()
		close(ended)
	}()
}

// start starts the process and waits until it serves.
func (i *installation) start() {
	i.t.Helper()
	i.launch()
	i.untilReady()
}

func (i *installation) untilReady() {
	i.t.Helper()
	select {
	case <-i.output.ready:
	case <-i.ended:
		i.t.Fatalf("the platform did not start:\n%s", i.tail())
	case <-time.After(patience):
		i.t.Fatalf("the platform is not ready after %s:\n%s", patience, i.tail())
	}
	read(i.t, filepath.Join(i.folder, "running.json"), &i.running)
	if i.population != nil {
		return
	}
	var stored node.Demonstration
	read(i.t, filepath.Join(i.folder, "demonstration.json"), &stored)
	profile, err := country.Load(uz.Files)
	if err != nil {
		i.t.Fatal(err)
	}
	if i.population, err = demo.Generate(stored.Seed, profile, stored.Today, stored.Size); err != nil {
		i.t.Fatal(err)
	}
}

// tail returns the end of what the process said, without the lines of ordinary requests.
func (i *installation) tail() string {
	var kept []string
	for line := range strings.Lines(i.output.String()) {
		if !strings.Contains(line, "level=INFO msg=request") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept[max(0, len(kept)-40):], "")
}

// kill ends the process as a power cut would, as far as it can tell.
func (i *installation) kill() {
	_ = i.process.Process.Kill()
	<-i.ended
	i.client.CloseIdleConnections()
}

// terminate asks the process to end and returns how it did.
func (i *installation) terminate() error {
	if err := i.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-i.ended:
	case <-time.After(30 * time.Second):
		return errors.New("it has not ended after 30 seconds")
	}
	i.client.CloseIdleConnections()
	if state := i.process.ProcessState; !state.Success() {
		return fmt.Errorf("it ended with %v:\n%s", state, i.tail())
	}
	return nil
}

// audit runs `yagona audit verify` on the folder and returns what it printed. An installation that is being served may
// be audited, too; if it is so new that its witnesses have cosigned nothing yet, this waits for them.
func (i *installation) audit() (string, error) {
	arguments := []string{"audit", "verify", "--folder", i.folder, "--log", i.running.LogKey}
	arguments = append(arguments, i.databases...)
	for _, witness := range i.running.Witnesses {
		arguments = append(arguments, "--witness", witness)
	}
	for begun := time.Now(); ; time.Sleep(500 * time.Millisecond) {
		said, err := exec.Command(i.binary, arguments...).CombinedOutput()
		if err == nil || !bytes.Contains(said, []byte("no published checkpoint")) || time.Since(begun) > patience {
			return string(said), err
		}
	}
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	encoded, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(encoded, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// errNoAnswer says that nothing was acknowledged: whoever asked does not know whether it happened.
var errNoAnswer = errors.New("no answer")

// answer is what the installation said.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// code returns the code of a problem.
func (a answer) code() string {
	problem, _ := route.ReadProblem(a.Header.Get("Content-Type"), a.Body)
	return problem.Code()
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.Status, a.Body) }

// request is one request of the API.
type request struct {
	token, method, path string
	body                any
	key, match          string
}

// send sends a request. Only errNoAnswer is an error: any answer is one.
func (i *installation) send(ctx context.Context, r request) (answer, error) {
	var content io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			panic(err)
		}
		content = bytes.NewReader(encoded)
	}
	made, err := http.NewRequestWithContext(ctx, r.method, "http://"+i.address+r.path, content)
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{"Idempotency-Key": r.key, "If-Match": r.match, "Accept-Language": "en"} {
		if value != "" {
			made.Header.Set(name, value)
		}
	}
	if r.body != nil {
		made.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		made.Header.Set("Authorization", "Bearer "+r.token)
	}
	return i.do(made)
}

func (i *installation) do(made *http.Request) (answer, error) {
	response, err := i.client.Do(made)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return answer{}, fmt.Errorf("%w: it broke off: %w", errNoAnswer, err)
	}
	return answer{response.StatusCode, response.Header, body}, nil
}

// form sends a form, as a browser would.
func (i *installation) form(ctx context.Context, path string, values url.Values) (answer, error) {
	made, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+i.address+path, strings.NewReader(values.Encode()))
	if err != nil {
		panic(err)
	}
	made.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return i.do(made)
}

// signIn returns the token of a session of the person with the national number: authorization code with PKCE at the
// demonstration's sign-in, then its ID token for a session. Without an error in between it returns the last answer, too.
func (i *installation) signIn(ctx context.Context, number string) (token string, last answer, err error) {
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	const back = "http://127.0.0.1/return"
	chosen, err := i.form(ctx, node.DemonstrationPath+"/authorize", url.Values{
		"client_id": {node.DemonstrationProgram}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {"openid"},
		"state": {rand.Text()}, "nonce": {rand.Text()}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "person": {number},
	})
	if err != nil {
		return "", answer{}, err
	}
	there, err := url.Parse(chosen.Header.Get("Location"))
	if err != nil || there.Query().Get("code") == "" {
		return "", chosen, fmt.Errorf("the sign-in gave no code: %v", chosen)
	}
	granted, err := i.form(ctx, node.DemonstrationPath+"/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {there.Query().Get("code")}, "redirect_uri": {back},
		"client_id": {node.DemonstrationProgram}, "code_verifier": {verifier},
	})
	if err != nil {
		return "", answer{}, err
	}
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	if err := json.Unmarshal(granted.Body, &tokens); err != nil {
		return "", granted, fmt.Errorf("the sign-in gave no ID token: %v", granted)
	}
	begun, err := i.send(ctx, request{
		method: http.MethodPost, path: "/api/v1/sessions", body: map[string]string{"id_token": tokens.IDToken},
	})
	if err != nil {
		return "", answer{}, err
	}
	var session struct{ Token string }
	if err := json.Unmarshal(begun.Body, &session); err != nil || session.Token == "" {
		return "", begun, fmt.Errorf("no session began: %v", begun)
	}
	return session.Token, begun, nil
}
