package fault

import (
	"os/exec"
	"strings"
	"testing"

	"yagona/store/storetest"
)

// TestTheStoryOnPostgreSQL walks through the whole story in a demonstration whose databases are on a server.
func TestTheStoryOnPostgreSQL(t *testing.T) {
	database, subjectKeys := storetest.ServerURL(t), storetest.EmptyURL(t)
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), path, "demo", "--walk", "--folder", t.TempDir(), "--people", "300",
		"--database", database, "--subject-keys", subjectKeys).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "The story works") {
		t.Errorf("%v\n%s", err, said)
	}
}

// TestADayInOneMahalla walks through the day of the seven officials of a mahalla in a demonstration of one file.
func TestADayInOneMahalla(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), path, "demo", "--walk", "mahalla", "--folder", t.TempDir(), "--people", "300").CombinedOutput()
	if err != nil || !strings.Contains(string(said), "The day works: 40 acts, 7 officials") {
		t.Errorf("%v\n%s", err, said)
	}
}
