package tutorial

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"yagona/node"
	"yagona/node/walk"
)

// programs is the folder of the program as it is built.
var programs string

func TestMain(m *testing.M) {
	code, err := testWithProgram(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func testWithProgram(m *testing.M) (int, error) {
	folder, err := os.MkdirTemp("", "yagona-tutorial-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	programs = folder
	build := exec.Command("go", "build", "-o", filepath.Join(folder, "yagona"), "yagona/cmd/yagona")
	if said, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building the program: %w\n%s", err, said)
	}
	return m.Run(), nil
}

// shell returns a command of the tutorial's reader, who stands in the folder.
func shell(folder, command string) *exec.Cmd {
	made := exec.Command("sh", "-e", "-c", command)
	made.Dir = folder
	made.Env = append(os.Environ(), "PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"))
	return made
}

// run runs a command that must succeed, and returns what it said.
func run(t *testing.T, folder, command string) string {
	t.Helper()
	said, err := shell(folder, command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, said)
	}
	return string(said)
}

// installation is a demonstration in a process of its own.
type installation struct {
	t      *testing.T
	folder string // of the demonstration
	site   *url.URL
}

// demonstrate starts the demonstration by the command of the tutorial, in a folder and at an address of its own, and
// ends it with the test.
func demonstrate(t *testing.T, folder, command string) *installation {
	t.Helper()
	kept := t.TempDir()
	process := shell(folder, "exec "+strings.TrimSpace(command)+" --folder "+kept+" --listen 127.0.0.1:0 --people 100")
	var complaints bytes.Buffer
	process.Stderr = &complaints
	said, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		if err := process.Wait(); err != nil {
			t.Errorf("the demonstration ended with %v:\n%s", err, complaints.String())
		}
	})
	ready := make(chan string, 1)
	lines := bufio.NewScanner(said)
	go func() {
		defer close(ready)
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
				ready <- rest
			}
		}
	}()
	select {
	case rest, ok := <-ready:
		if !ok {
			t.Fatalf("the demonstration ended before it was ready:\n%s", complaints.String())
		}
		address, _, _ := strings.Cut(rest, " ")
		site, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return &installation{t, kept, site}
	case <-time.After(2 * time.Minute):
		t.Fatalf("the demonstration is not ready after two minutes:\n%s", complaints.String())
	}
	return nil
}

// visitor is someone who uses the API.
type visitor struct {
	*walk.Client
	t *testing.T
}

// anyone returns a client as nobody.
func (i *installation) anyone() visitor { return visitor{walk.NewClient(i.site), i.t} }

// as signs in as the first person of whom the words say something.
func (i *installation) as(who string) visitor {
	i.t.Helper()
	client, err := walk.SignIn(i.t.Context(), i.site, node.DemonstrationPath, node.DemonstrationProgram, who)
	if err != nil {
		i.t.Fatal(err)
	}
	return visitor{client, i.t}
}

func (v visitor) get(path string, into any) {
	v.t.Helper()
	if err := v.Get(v.t.Context(), path, into); err != nil {
		v.t.Fatalf("%s: GET %s: %v", v.Name, path, err)
	}
}

func (v visitor) post(path string, body, into any, header ...string) {
	v.t.Helper()
	if err := v.Post(v.t.Context(), path, body, into, header...); err != nil {
		v.t.Fatalf("%s: POST %s: %v", v.Name, path, err)
	}
}

// The parts of the API's answers that the tests read.
type (
	application struct {
		ID       string `json:"id"`
		State    string `json:"state"`
		Version  string `json:"version"`
		Revision int64  `json:"revision"`
		Because  []struct{ Requirement, Text string }
		Tasks    []struct{ Step, Due string }
		Granted  *struct {
			Payment  int64
			Document string
		}
	}
	task struct {
		ID          string
		Application string
	}
	page[T any] struct {
		Items []T `json:"items"`
	}
)

// apply sends an application and returns it as its applicant sees it.
func (v visitor) apply(service string, answers map[string]any) application {
	v.t.Helper()
	var sent struct{ Application application }
	v.post("/api/v1/applications", map[string]any{"service": service, "language": "en", "answers": answers, "send": true}, &sent)
	return v.application(sent.Application.ID)
}

func (v visitor) application(id string) (shown application) {
	v.t.Helper()
	v.get("/api/v1/applications/"+id, &shown)
	return shown
}

// decide finds an application's task in the inbox, reads it, and decides.
func (v visitor) decide(application string, verdict map[string]any) {
	v.t.Helper()
	var inbox page[task]
	v.get("/api/v1/tasks?limit=100", &inbox)
	for _, one := range inbox.Items {
		if one.Application != application {
			continue
		}
		var read struct{ Application struct{ Revision int64 } }
		v.get("/api/v1/tasks/"+one.ID, &read)
		v.post("/api/v1/tasks/"+one.ID+"/decide", verdict, &json.RawMessage{}, "If-Match", fmt.Sprintf(`"%d"`, read.Application.Revision))
		return
	}
	v.t.Fatalf("%s: the application is not among the %d tasks of the inbox", v.Name, len(inbox.Items))
}
