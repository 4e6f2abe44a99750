package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/job"
	"yagona/node/telemetry"
	"yagona/store/keyfile"
	"yagona/store/query"
	"yagona/web/route"
)

// The paths by which a machine asks how the node is.
const (
	HealthPath  = "/healthz" // the process answers
	ReadyPath   = "/readyz"  // it can do its work
	MetricsPath = "/metrics"
)

const (
	// clockTolerance is how far the machine's clock may lie before the last act: clocks are corrected by some seconds.
	clockTolerance = 10 * time.Second
	// logPatience is how long an event may wait for its index before the sequencer is taken for dead.
	logPatience = 30 * time.Second
)

// Reason is why a node is not ready: what was looked at, what is wrong with it, and what to do. It names no person.
type Reason struct {
	Check   string `json:"check"` // "database", "disk", "keys", "clock" or "log"
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
}

// Unready returns why the node cannot do its work; nothing if it can. It writes nothing unless the last commit failed.
func (n *Node) Unready(ctx context.Context) (reasons []Reason) {
	add := func(check, remedy string, err error) {
		if err != nil {
			reasons = append(reasons, Reason{check, err.Error(), remedy})
		}
	}
	if _, restored := n.Restored(); restored {
		add("restored", "Run yagona restore check, then yagona restore accept, and start the node again: docs/how-to/keep-backups.md.", errRestored)
	}
	if n.closing.Load() {
		add("node", "Wait for the next start.", errors.New("the node is ending"))
	}
	works := n.databaseWorks(ctx)
	add("database", databaseRemedy(works), works)
	add("disk", "Make room, or give the folder a larger disk.", n.hasRoom())
	add("keys", "Put back the file from its backup, readable by the node's user.", n.keysAreReadable(ctx))
	add("clock", "Set the machine's clock, and let it follow a time server.", n.clockIsSane())
	add("log", "Look at the node's log; run yagona audit verify.", n.logAdvances(ctx))
	return reasons
}

func databaseRemedy(condition error) string {
	switch fault.Code(condition) {
	case "store.full":
		return "Make room on the disk; the node goes on by itself."
	case "store.damaged":
		return "Stop the node, look at the disk, restore the newest copy: docs/how-to/keep-backups.md."
	}
	return "Look at the node's log and at the disk."
}

// storage is a database that knows the state of its disk: that of the embedded engine.
type storage interface {
	// Probe returns why nothing can be written, nil if it can. It writes only where the last commit failed.
	Probe(ctx context.Context) error
}

func (n *Node) databaseWorks(ctx context.Context) error {
	if file, ok := n.DB.(storage); ok {
		if err := file.Probe(ctx); err != nil {
			return err
		}
	}
	return query.For[job.Reader, job.Tx](n.DB).View(ctx, func(tx job.Reader) error {
		_, err := tx.NextJob()
		return err
	})
}

func (n *Node) hasRoom() error {
	free, err := freeSpace(n.config.Folder)
	if err != nil {
		return err
	}
	if free < n.config.DiskReserve {
		return fmt.Errorf("%d MiB are free, less than the %d MiB that are kept in reserve", free>>20, n.config.DiskReserve>>20)
	}
	return nil
}

// keysAreReadable looks at the files anew: what the process holds in memory would not survive its next start.
func (n *Node) keysAreReadable(ctx context.Context) error {
	stored, err := keyfile.Open(filepath.Join(n.config.Folder, keysFolder), n.config.Clock)
	if err != nil {
		return err
	}
	if have, want := len(stored.Keys()), len(n.Keys.Keys()); have < want {
		return fmt.Errorf("%d of %d key files are there", have, want)
	}
	needed := secretFiles(n.config.Folder)
	if n.config.Database == "" {
		needed = append(needed, subjectKeysFile)
	}
	for _, name := range needed {
		if path := filepath.Join(n.config.Folder, name); !exists(path) {
			return fmt.Errorf("%s is missing", path)
		}
	}
	_, err = n.subjectKeys.Some(ctx)
	return err
}

func (n *Node) clockIsSane() error {
	now := n.config.Clock()
	if behind := n.DB.Now().Sub(now); behind > clockTolerance { // the database's time is never before its last act
		return fmt.Errorf("the clock is %s behind the last act", behind.Round(time.Second))
	}
	return nil
}

// logAdvances looks whether events get their place in the log. Witnesses that do not answer make no node unready: what it
// does stays pending, and is said to be.
func (n *Node) logAdvances(ctx context.Context) error {
	status, err := n.Sequencer.Status(ctx)
	if err != nil {
		return err
	}
	switch {
	case !status.Running:
		return errors.New("the sequencer does not run")
	case fault.Is(status.Failure, fault.Internal):
		return status.Failure
	case status.Waiting > 0 && n.DB.Now().Sub(status.Oldest) > logPatience:
		return fmt.Errorf("%d events have no place in the log yet, the oldest for %s", status.Waiting, n.DB.Now().Sub(status.Oldest).Round(time.Second))
	}
	return nil
}

// Operator returns what only the operator may see: metrics, health and readiness with its reasons. It knows no visitors:
// serve it where only the operator's own network reaches it.
func (n *Node) Operator() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+MetricsPath, n.Telemetry.Metrics(n.levels))
	mux.HandleFunc("GET "+HealthPath, healthy)
	mux.HandleFunc("GET "+ReadyPath, func(w http.ResponseWriter, r *http.Request) {
		reasons := n.Unready(r.Context())
		status := http.StatusOK
		if len(reasons) > 0 {
			status = http.StatusServiceUnavailable
		}
		w.Header().Set("Cache-Control", "no-store")
		if err := route.WriteJSON(w, status, map[string]any{"ready": len(reasons) == 0, "reasons": append([]Reason{}, reasons...)}); err != nil {
			n.config.Log.ErrorContext(r.Context(), "readiness could not be told", "error", err)
		}
	})
	return mux
}

// readiness tells everybody whether the node is ready: a word, without reasons.
func (n *Node) readiness() http.Handler {
	var (
		mu    sync.Mutex
		asked time.Time // guarded by mu
		ready bool      // guarded by mu: what the answer was then
	)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		mu.Lock()
		defer mu.Unlock()
		if time.Since(asked) > time.Second { // strangers who ask often cost nothing
			asked, ready = time.Now(), len(n.Unready(context.WithoutCancel(r.Context()))) == 0
		}
		if !ready {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintln(w, "alive")
}

// levels looks up what the metrics tell and nobody counts.
func (n *Node) levels(ctx context.Context) (telemetry.Levels, error) {
	now := telemetry.Levels{Now: n.config.Clock(), Unready: len(n.Unready(ctx))}
	err := query.For[job.Reader, job.Tx](n.DB).View(ctx, func(tx job.Reader) (err error) {
		now.Jobs, err = tx.JobBacklog(now.Now)
		return err
	})
	if err != nil {
		return now, err
	}
	status, err := n.Sequencer.Status(ctx)
	now.Sequenced, now.Signed, now.Cosigned = status.Indexed, status.Signed, status.Published
	now.Waiting, now.LogFailing = status.Waiting, status.Failure != nil
	return now, err
}
