package script

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"yagona/store/sqlite"
)

// binary is the folder of the command as it is built.
var binary string

func TestMain(m *testing.M) {
	code, err := testWithBinary(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func testWithBinary(m *testing.M) (int, error) {
	folder, err := os.MkdirTemp("", "yagona-script-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	binary = folder
	build := exec.Command("go", "build", "-o", filepath.Join(folder, "yagona"), "yagona/cmd/yagona")
	if said, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building the command: %w\n%s", err, said)
	}
	return m.Run(), nil
}

func TestCommandLine(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", binary+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("PACKS", filepath.Join(root, "packs"))
			env.Setenv("GUIDES", filepath.Join(root, "docs", "how-to"))
			env.Setenv("NATIONAL", filepath.Join(root, "pack", "testdata", "national"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await": await, "tamper": tamper, "issue": issue, "split": split, "exits": exits, "answers": answers, "keep": keep,
			"provider": openProvider, "visit": visit, "obtain": obtain, "guide": guide, "live": live,
		},
		RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

// await waits until a file that another command writes matches a pattern, and sets the variable to its first group:
// await FILE PATTERN [VARIABLE].
func await(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		ts.Fatalf("usage: await FILE PATTERN [VARIABLE]")
	}
	pattern := regexp.MustCompile(args[1])
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		content, err := os.ReadFile(ts.MkAbs(args[0]))
		if found := pattern.FindSubmatch(content); err == nil && found != nil {
			if len(args) > 2 {
				ts.Setenv(args[2], string(found[1]))
			}
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s never said %s, but:\n%s", args[0], args[1], content)
		}
	}
}

// exits runs a command that must end with the exit code: exits CODE COMMAND….
func exits(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	ended, ok := errors.AsType[*exec.ExitError](ts.Exec(args[1], args[2:]...))
	if !ok || strconv.Itoa(ended.ExitCode()) != args[0] {
		ts.Fatalf("it did not end with %s: %v", args[0], ended)
	}
}

// answers waits until an address answers: answers URL.
func answers(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 1 {
		ts.Fatalf("usage: answers URL")
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(args[0])
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s does not answer: %v", args[0], err)
		}
	}
}

// keep writes what an address answers into a file; with a third argument, once it is another than in that file: keep URL
// FILE [BEFORE].
func keep(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: keep URL FILE [BEFORE]")
	}
	before := ""
	if len(args) == 3 {
		before = ts.ReadFile(args[2])
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(args[0])
		ts.Check(err)
		content, err := io.ReadAll(response.Body)
		response.Body.Close()
		ts.Check(err)
		if response.StatusCode == http.StatusOK && string(content) != before {
			ts.Check(os.WriteFile(ts.MkAbs(args[1]), content, 0o600))
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s answers %s, always the same:\n%s", args[0], response.Status, content)
		}
	}
}

// split sets a variable to the first group of a pattern in a file: split FILE PATTERN VARIABLE.
func split(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 3 {
		ts.Fatalf("usage: split FILE PATTERN VARIABLE")
	}
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile(args[0]))
	if found == nil {
		ts.Fatalf("%s does not match %s", args[0], args[1])
	}
	ts.Setenv(args[2], found[1])
}

// tamper runs a statement on a database behind the back of the platform: tamper FILE STATEMENT.
func tamper(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 2 {
		ts.Fatalf("usage: tamper FILE STATEMENT")
	}
	db, err := sqlite.OpenFile(ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	result, err := db.ExecContext(context.Background(), args[1])
	ts.Check(err)
	if changed, err := result.RowsAffected(); err != nil || changed == 0 {
		ts.Fatalf("the statement changed nothing: %v", err)
	}
}
