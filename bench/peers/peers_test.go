package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test's own binary serves as a program that is measured: it keeps cases in files, or in memory only.
func TestMain(m *testing.M) {
	if port := os.Getenv("PEERS_TEST_PORT"); port != "" {
		if err := pretend(port, os.Getenv("PEERS_TEST_FOLDER")); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// pretend serves cases. In another process group it starts a child that does nothing, as databases do.
func pretend(port, folder string) error {
	child := exec.Command("sleep", "600")
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if err := child.Start(); err != nil {
		return err
	}
	kept := make(chan map[string]bool, 1)
	kept <- map[string]bool{}
	handler := http.NewServeMux()
	handler.HandleFunc("POST /cases/{id}", func(w http.ResponseWriter, r *http.Request) {
		if folder != "" {
			if err := os.WriteFile(filepath.Join(folder, r.PathValue("id")), nil, 0o600); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
			return
		}
		all := <-kept
		all[r.PathValue("id")] = true
		kept <- all
	})
	handler.HandleFunc("GET /cases/{id}", func(w http.ResponseWriter, r *http.Request) {
		all := <-kept
		_, err := os.Stat(filepath.Join(folder, r.PathValue("id")))
		if !all[r.PathValue("id")] && (folder == "" || err != nil) {
			w.WriteHeader(http.StatusNotFound)
		}
		kept <- all
	})
	handler.HandleFunc("GET /ready", func(http.ResponseWriter, *http.Request) {})
	return http.ListenAndServe("127.0.0.1:"+port, handler)
}

type pretended struct {
	client
	port   int
	folder string // "": in memory
	wrong  error  // why it cannot be had
}

func (p *pretended) fetch(context.Context, string) error { return p.wrong }
func (p *pretended) lay(context.Context) error           { return nil }
func (p *pretended) settle(context.Context) error        { return nil }

func (p *pretended) commands() []*exec.Cmd {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "PEERS_TEST_PORT="+strconv.Itoa(p.port), "PEERS_TEST_FOLDER="+p.folder)
	return []*exec.Cmd{command}
}

func (p *pretended) connect(ctx context.Context) error {
	return p.send(ctx, http.MethodGet, "/ready", nil, nil)
}

func (p *pretended) do(ctx context.Context, measure string, _ int, id string) (string, error) {
	switch measure {
	case create, submit:
		id = rand.Text()
		return id, p.send(ctx, http.MethodPost, "/cases/"+id, nil, nil)
	case read:
		return id, p.send(ctx, http.MethodGet, "/cases/"+id, nil, nil)
	}
	return "", errNotDone
}

func contestantOf(t *testing.T, name string, durable bool) *contestant {
	t.Helper()
	port, err := free()
	if err != nil {
		t.Fatal(err)
	}
	program := &pretended{client: newClient(port), port: port}
	if durable {
		program.folder = t.TempDir()
	}
	return &contestant{program: program, name: name, setting: "a setting", folder: t.TempDir(), limit: 20 * time.Second, made: map[string][]string{}, measured: map[string][]turn{}}
}

var small = options{rounds: 1, clients: 4, people: 1, kills: 1, starts: 1, turn: 40 * time.Millisecond}

func TestARunMeasuresEverybodyAndNamesWhoCannotBeHad(t *testing.T) {
	durable, forgetful, absent := contestantOf(t, "Durable", true), contestantOf(t, "Forgetful", false), contestantOf(t, "Absent", true)
	absent.program.(*pretended).wrong = errors.New("it is not installed")
	wanted := small
	wanted.cache = t.TempDir()
	var out strings.Builder
	err := run(t.Context(), wanted, func(string, options) []*contestant { return []*contestant{durable, absent, forgetful} }, &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, expected := range []string{
		"Absent cannot be had: it is not installed",
		"round  0  create   Durable", "round  1  create   Durable", "round  1  create   Forgetful", "round  1  read     Forgetful", "round  1  submit   Durable",
		"| create | per second", "| Forgetful | a setting | ",
	} {
		if !strings.Contains(out.String(), expected) {
			t.Errorf("the report does not say %q:\n%s", expected, out.String())
		}
	}
	if strings.Contains(out.String(), "| record | per second | p50 ms | p99 ms | processor ms each |\n|---|---:|---:|---:|---:|\n| Durable") {
		t.Error("what a program does not do has figures")
	}
	if durable.acknowledged == 0 || durable.lost != 0 {
		t.Errorf("who keeps files lost %d of %d", durable.lost, durable.acknowledged)
	}
	if forgetful.acknowledged == 0 || forgetful.lost != forgetful.acknowledged {
		t.Errorf("who keeps nothing lost %d of %d", forgetful.lost, forgetful.acknowledged)
	}
	if len(durable.starts) != 1 || durable.starts[0] <= 0 || durable.idle < 1<<20 {
		t.Errorf("it was started in %v, with %d bytes", durable.starts, durable.idle)
	}
}

func TestProcessesAreStoppedAndKilledWithTheirFamilies(t *testing.T) {
	one := contestantOf(t, "One", true)
	if err := one.appear(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	defer one.kill()
	family := one.family()
	if len(family) != 2 {
		t.Fatalf("the family is %v", family)
	}
	states := func() (found string) {
		for _, id := range family {
			if fields := stat(id); fields != nil {
				found += string(fields[0])
			}
		}
		return found
	}
	one.pause()
	for states() != "TT" { // the system takes its time
		time.Sleep(time.Millisecond)
	}
	one.resume()
	for strings.Contains(states(), "T") {
		time.Sleep(time.Millisecond)
	}
	if one.memory() < 1<<20 {
		t.Errorf("it has %d bytes resident", one.memory())
	}
	one.kill()
	if left := strings.Trim(states(), "Z"); left != "" {
		t.Errorf("after the kill they are %q", left)
	}
}

func TestTheFirstErrorEndsATurnAndIsTold(t *testing.T) {
	one := contestantOf(t, "One", true)
	one.program = failing{one.program}
	pieces, err := one.work(t.Context(), create, 3, time.Now().Add(time.Minute))
	if len(pieces) != 0 || err == nil || !strings.Contains(err.Error(), "answered 500: out of order") {
		t.Errorf("%d pieces were done, %v", len(pieces), err)
	}
}

type failing struct{ program }

func (failing) do(context.Context, string, int, string) (string, error) {
	return "", refused{http.StatusInternalServerError, "out of order\n"}
}

func TestEachRecipePinsItsVersions(t *testing.T) {
	for recipe, module := range map[string]string{"pocketbase": "github.com/pocketbase/pocketbase v", "temporal": "github.com/temporalio/cli v"} {
		for _, name := range []string{"main.go", "go.mod.txt", "go.sum.txt"} {
			content, err := fs.ReadFile(recipes, "testdata/"+recipe+"/"+name)
			if err != nil {
				t.Error(err)
			}
			if name != "main.go" && !strings.Contains(string(content), module) {
				t.Errorf("%s of %s does not name %s", name, recipe, module)
			}
		}
	}
}

func TestWhatIsBuiltIsNotBuiltAgain(t *testing.T) {
	cache := t.TempDir()
	if _, err := build(t.Context(), cache, "pocketbase", "pocketbase", "./none"); err == nil {
		t.Fatal("a package that is not there was built")
	}
	laid, err := filepath.Glob(filepath.Join(cache, "pocketbase-*", "source", "go.mod"))
	if err != nil || len(laid) != 1 {
		t.Fatalf("the recipe lies in %v, %v", laid, err)
	}
	binary := filepath.Join(filepath.Dir(filepath.Dir(laid[0])), "bin", "pocketbase")
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if found, err := build(t.Context(), cache, "pocketbase", "pocketbase", "./none"); err != nil || found != binary {
		t.Errorf("it is %s, %v", found, err)
	}
}

func TestEverybodyIsAskedFor(t *testing.T) {
	var names []string
	for _, one := range contestants(t.TempDir(), small) {
		if chosen(one.name, "temporal,post") {
			names = append(names, one.name)
		}
		if !chosen(one.name, "") || one.setting == "" {
			t.Errorf("%s is left out, or nobody says how durable it is", one.name)
		}
	}
	if want := []string{"Temporal", "Temporal, FULL", "PostgreSQL"}; !slices.Equal(names, want) {
		t.Errorf("chosen are %v, want %v", names, want)
	}
}

func TestFiguresOfATurn(t *testing.T) {
	measured := turn{took: 2 * time.Second, spent: 400 * time.Millisecond}
	for i := range 100 {
		measured.latencies = append(measured.latencies, time.Duration(100-i)*time.Millisecond)
	}
	if measured.rate() != 50 || measured.percentile(0.5) != 50 || measured.percentile(0.99) != 99 || measured.each() != 4 {
		t.Errorf("it says %s", measured)
	}
	if got, want := spread("%.0f", []float64{3, 1, 2, 10}), "2 (1–10)"; got != want {
		t.Errorf("spread is %s, want %s", got, want)
	}
	if got := spread("%.0f", nil); got != "–" {
		t.Errorf("nothing is spread as %s", got)
	}
}
