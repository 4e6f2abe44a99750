package fault

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// TestACopyOfAServersDatabasesIsWhole copies databases under load, and puts the copy back into other databases. Both are
// audited with the commands that an operator has.
func TestACopyOfAServersDatabasesIsWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a PostgreSQL server and a process")
	}
	c := newCluster(t, 100, 1)
	l := newLoad(c.installation)
	ctx, cancel := context.WithCancel(t.Context())
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		l.run(ctx, 4)
	}()
	time.Sleep(2 * time.Second)
	copies, keyCopies, restored := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "restored")
	run := func(says string, environment []string, arguments ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), c.binary, arguments...)
		command.Env = append(os.Environ(), environment...)
		if said, err := command.CombinedOutput(); err != nil || !strings.Contains(string(said), says) {
			t.Fatalf("%s: %v\n%s", strings.Join(arguments[:2], " "), err, said)
		}
	}
	only := func(under string) string {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(under, "2*"))
		if err != nil || len(found) != 1 {
			t.Fatalf("below %s there are %v, %v", under, found, err)
		}
		return found[0]
	}
	keys := filepath.Join(c.folder, "keys")
	run("database ", []string{"YAGONA_DATABASE=" + c.config.Database, "YAGONA_SUBJECT_KEYS=" + c.config.SubjectKeys},
		"backup", copies, "--folder", c.folder, "--subject-keys", keyCopies)
	cancel()
	<-worked
	if l.acknowledged() == 0 {
		t.Error("nothing happened meanwhile")
	}
	into := []string{"YAGONA_DATABASE=" + storetest.EmptyURL(t), "YAGONA_SUBJECT_KEYS=" + storetest.EmptyURL(t)}
	run("restored", into, "restore", "put", "--folder", restored, "--database", only(copies), "--subject-keys", only(keyCopies), "--keys", keys)
	run("VERIFIED", into, "audit", "verify", "--folder", restored, "--log", c.running.LogKey)
	run("VERIFIED", nil, "audit", "verify", "--folder", only(copies), "--log", c.running.LogKey)
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
