package fault

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"yagona/node"
)

// litestreamVariable names the program Litestream; without it there is nothing to test.
const litestreamVariable = "YAGONA_TEST_LITESTREAM"

// TestTheMachineIsLostAndLitestreamHasACopy lets Litestream copy the database of an installation in files, as
// docs/how-to/keep-backups.md sets it up, and kills the platform and Litestream with SIGKILL under load. What Litestream
// has is put into another folder, audited, reconciled with what the witnesses and the bank know, accepted and served. What
// was acknowledged some seconds before must be there; what is printed is how much was lost.
//
// It needs Litestream, whose version make fault pins:
//
//	make litestream
func TestTheMachineIsLostAndLitestreamHasACopy(t *testing.T) {
	program := os.Getenv(litestreamVariable)
	if program == "" {
		t.Skip("it needs Litestream: make litestream installs it and runs this")
	}
	c := newClusterOn(t, "", "", 400, 1)
	c.databases = nil
	replica, copies, keyCopies := t.TempDir(), t.TempDir(), t.TempDir()
	settings := filepath.Join(t.TempDir(), "litestream.yml")
	content := fmt.Sprintf("dbs:\n  - path: %s\n    replica:\n      path: %s\n      sync-interval: 1s\n", filepath.Join(c.folder, "yagona.db"), replica)
	if err := os.WriteFile(settings, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	copying := exec.Command(program, "replicate", "-config", settings)
	copying.Stdout, copying.Stderr = &said, &said
	if err := copying.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = copying.Wait() // it is killed
	}()
	t.Cleanup(func() { _ = copying.Process.Kill() })
	run := func(says, name string, arguments ...string) {
		t.Helper()
		if printed, err := exec.Command(name, arguments...).CombinedOutput(); err != nil || !strings.Contains(string(printed), says) {
			t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(arguments[:1], " "), err, printed)
		}
	}

	l := newLoad(c.installation)
	work := func(meanwhile func()) {
		ctx, cancel := context.WithCancel(t.Context())
		worked := make(chan struct{})
		go func() {
			defer close(worked)
			l.run(ctx, 6)
		}()
		meanwhile()
		cancel()
		<-worked
	}
	work(func() { l.await(t, 40) })
	before := make([]story, len(l.stories))
	for i, s := range l.stories {
		before[i] = *s
	}
	time.Sleep(5 * time.Second) // Litestream has what was acknowledged so far
	done := l.acknowledged()
	var lost time.Time
	work(func() {
		l.await(t, l.answered()+leastWork)
		// The keys' copy is the newest there is; after it only a moment passes.
		run("subject-keys ", c.binary, "backup", "--folder", c.folder, "--subject-keys", keyCopies)
		lost = time.Now()
		_ = copying.Process.Kill()
		c.processes[0].kill(syscall.SIGKILL)
	})
	<-ended
	if strings.Contains(said.String(), "level=ERROR") {
		t.Errorf("Litestream says:\n%s", said.String())
	}

	restored := filepath.Join(t.TempDir(), "restored")
	newest, err := filepath.Glob(filepath.Join(keyCopies, "2*"))
	if err != nil || len(newest) != 1 {
		t.Fatalf("there are the copies %v of the keys (%v)", newest, err)
	}
	run("", program, "restore", "-o", filepath.Join(copies, "yagona.db"), "file://"+replica)
	run("restored", c.binary, "restore", "put", "--folder", restored, "--database", copies, "--subject-keys", newest[0], "--keys", filepath.Join(c.folder, "keys"))
	run("VERIFIED", c.binary, "audit", "verify", "--folder", restored, "--log", c.running.LogKey)
	c.config.Folder, c.folder = restored, restored
	var lastAct time.Time
	missing := c.reconcile(t, func(opened *node.Node) ([]node.Lost, error) {
		manifest, marked := opened.Restored()
		if !marked {
			t.Error("what was restored is served as if nothing were lost")
		}
		lastAct = manifest.LastAct
		return opened.Lost(t.Context(), node.Kept{})
	})
	for _, one := range missing {
		t.Logf("the reconciliation names: %s (%s)", one.What, one.Known)
		if one.Kind == "log" {
			c.config.LogNumber, c.running.LogKey = 2, c.nextLog
		}
	}
	c.reconcile(t, func(opened *node.Node) ([]node.Lost, error) {
		return opened.Accept(t.Context(), node.Acceptance{Reason: "the machine is lost"})
	})
	c.launch(c.processes[0])
	c.await(c.processes[0])
	l.tokens = map[string]string{}
	for i := range before {
		if err := l.verify(t.Context(), &before[i], false); err != nil {
			t.Errorf("acknowledged five seconds before: application %s: %v", before[i].id, err)
		}
	}
	behind := 0
	for _, s := range l.stories {
		if s.sent && l.verify(t.Context(), s, false) != nil {
			behind++
		}
	}
	t.Logf("%d applications were acknowledged, %d of them in the last seconds; %d are lost or lost an act; the newest act that is left is %s older than the loss; served again after %s",
		l.acknowledged(), l.acknowledged()-done, behind, lost.Sub(lastAct).Round(time.Millisecond), time.Since(lost).Round(100*time.Millisecond))
	again := newLoad(c.installation)
	again.each, again.next, again.waiting = 1, l.next/l.each+1, l.waiting
	again.goesOn(t, 3)
	again.settle(t)
	again.check(t, true)
	again.checkAudit(t)
	c.paidOnce(t)
}
