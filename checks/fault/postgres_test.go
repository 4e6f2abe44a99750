package fault

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/store"
	"yagona/store/query"
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
	l.await(t, 20)
	if said, err := c.audit(); err != nil { // a copy from before the first checkpoint could not be audited
		t.Fatalf("%v\n%s", err, said)
	}
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
	into := []string{"YAGONA_DATABASE=" + storetest.EmptyURL(t), "YAGONA_SUBJECT_KEYS=" + storetest.EmptyURL(t)}
	run("restored", into, "restore", "put", "--folder", restored, "--database", only(copies), "--subject-keys", only(keyCopies), "--keys", keys)
	run("VERIFIED", into, "audit", "verify", "--folder", restored, "--log", c.running.LogKey)
	run("VERIFIED", nil, "audit", "verify", "--folder", only(copies), "--log", c.running.LogKey)
}

// TestAnOperatorsCommandsWorkOnAServersDatabases looks at an installation on a server with the doctor, and lets a job run again
// that was given up.
func TestAnOperatorsCommandsWorkOnAServersDatabases(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a PostgreSQL server and a process")
	}
	c := newCluster(t, 100, 1)
	db, err := store.Open(t.Context(), store.Config{Location: c.config.Database, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	given := job.Job{
		ID: ident.New[ident.Job](time.Now()), Key: act.Platform, Kind: "application.notify", Due: time.Now().Add(time.Hour), Payload: []byte("{}"), Failure: "internal",
	}
	err = db.Update(t.Context(), act.Platform, func(tx *query.Tx) error {
		if err := tx.QueueJob(given); err != nil {
			return err
		}
		given.Dead, given.Attempts = true, 20
		return tx.DelayJob(given)
	})
	if err != nil {
		t.Fatal(err)
	}
	says := func(wanted []string, fails bool, arguments ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), c.binary, arguments...)
		command.Env = append(os.Environ(), "YAGONA_DATABASE="+c.config.Database, "YAGONA_SUBJECT_KEYS="+c.config.SubjectKeys)
		said, err := command.CombinedOutput()
		if (err != nil) != fails {
			t.Errorf("%s: %v\n%s", strings.Join(arguments[:2], " "), err, said)
		}
		for _, one := range wanted {
			if !strings.Contains(string(said), one) {
				t.Errorf("%s does not say %q:\n%s", strings.Join(arguments[:2], " "), one, said)
			}
		}
	}
	says([]string{string(given.ID), "1 given up"}, false, "jobs", "list")
	says([]string{string(given.ID) + " application.notify runs again"}, false, "jobs", "retry", "--reason", "drill", string(given.ID))
	says([]string{"0 given up"}, false, "jobs", "list")

	config := filepath.Join(t.TempDir(), "yagona.yaml")
	content := "folder: " + c.folder + "\nsite: " + c.config.Site + "\ndisk-reserve: 0\nsign-in: {issuer: \"http://127.0.0.1:1\", client: yagona, number: number}\n"
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	says([]string{
		"ok    database answers", "ok    database of the subjects' keys answers", "ok    packs, keys and stores open", "ok    log continues what witnesses saw",
		"FOUND database checks its pages: the server was made without data-checksums", "FOUND sign-in provider",
	}, true, "doctor", "--config", config)
}

// TestADayInOneMahalla walks through the day of the seven officials of a mahalla in a demonstration of one file, with as many people as it has
// by itself.
func TestADayInOneMahalla(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), path, "demo", "--walk", "mahalla", "--folder", t.TempDir()).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "The day works: 40 acts, 7 officials") {
		t.Errorf("%v\n%s", err, said)
	}
}
