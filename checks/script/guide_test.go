package script

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// runnable is a block of a guide that is to be run as it stands.
var runnable = regexp.MustCompile("(?ms)^```sh run\n(.*?)^```$")

// guide runs the commands of a guide of docs/how-to against the node that runs, in place of the address in the guide; what
// all of them print can be looked at afterwards: guide FILE.
func guide(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 1 {
		ts.Fatalf("usage: guide FILE")
	}
	text, err := os.ReadFile(filepath.Join(ts.Getenv("GUIDES"), args[0]))
	ts.Check(err)
	blocks := runnable.FindAllStringSubmatch(string(text), -1)
	if len(blocks) == 0 {
		ts.Fatalf("%s has no block to run", args[0])
	}
	var script strings.Builder
	for _, block := range blocks {
		script.WriteString(strings.ReplaceAll(block[1], "http://127.0.0.1:8080", ts.Getenv("NODE")))
	}
	ts.Check(ts.Exec("sh", "-e", "-c", script.String()))
}
