package node_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/journal"
	"yagona/node"
	"yagona/packs"
	"yagona/packs/uz"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// asked returns the status of a path of the operator's and the checks that say no.
func asked(t *testing.T, n *node.Node, path string) (status int, checks []string) {
	t.Helper()
	answer := httptest.NewRecorder()
	n.Operator().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	var read struct {
		Ready   bool
		Reasons []node.Reason
	}
	if path == node.ReadyPath {
		if err := json.Unmarshal(answer.Body.Bytes(), &read); err != nil || read.Ready != (len(read.Reasons) == 0) {
			t.Fatalf("%s is no readiness: %v", answer.Body, err)
		}
	}
	for _, one := range read.Reasons {
		if one.Problem == "" || one.Remedy == "" {
			t.Errorf("%+v does not say what is wrong and what to do", one)
		}
		checks = append(checks, one.Check)
	}
	return answer.Code, checks
}

func TestEachWayOfBeingUnreadyIsTold(t *testing.T) {
	site, err := url.Parse("http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	morning := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	for _, one := range []struct {
		name   string
		config func(*node.Config)
		spoil  func(t *testing.T, n *node.Node, folder string, ahead *atomic.Int64)
		idle   bool // nothing runs in the background
		wanted []string
	}{
		{name: "nothing is wrong"},
		{name: "the disk is too small", config: func(c *node.Config) { c.DiskReserve = 1 << 62 }, wanted: []string{"disk"}},
		{
			name: "a key file is gone", wanted: []string{"keys"},
			spoil: func(t *testing.T, _ *node.Node, folder string, _ *atomic.Int64) {
				files, err := filepath.Glob(filepath.Join(folder, "keys", "*.key.json"))
				if err != nil || len(files) == 0 {
					t.Fatal("there are no key files", err)
				}
				if err := os.Remove(files[0]); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "the master key is gone", wanted: []string{"keys"},
			spoil: func(t *testing.T, _ *node.Node, folder string, _ *atomic.Int64) {
				if err := os.Remove(filepath.Join(folder, "keys", "master.secret")); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "the clock has jumped back", wanted: []string{"clock"},
			spoil: func(_ *testing.T, _ *node.Node, _ string, ahead *atomic.Int64) { ahead.Store(-int64(time.Hour)) },
		},
		{name: "the sequencer does not run", idle: true, wanted: []string{"log"}},
		{
			name: "events wait for their place in the log", wanted: []string{"log"},
			spoil: func(t *testing.T, n *node.Node, _ string, ahead *atomic.Int64) {
				n.DB.OnEvents(func() {}) // the sequencer is not woken
				sealer, err := n.Vault.Open(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				// It may have been woken before, and gathers or works: what comes after that waits.
				eventually(t, "an event waits", func() bool {
					err := n.DB.Update(t.Context(), act.Platform, func(tx *query.Tx) error {
						_, err := journal.Append(tx, sealer, journal.Event{Type: "test.happened", Actor: journal.Actor{Component: "test"}})
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(2 * time.Second)
					status, err := n.Sequencer.Status(t.Context())
					return err == nil && status.Waiting > 0
				})
				ahead.Store(int64(time.Minute))
			},
		},
		{
			name: "the database takes no acts", wanted: []string{"database"},
			spoil: func(_ *testing.T, n *node.Node, _ string, _ *atomic.Int64) {
				n.DB.(*sqlite.DB).Refuse(fault.New(fault.Unavailable, "test.refused", "It is not to write."))
			},
		},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			folder, ahead := t.TempDir(), &atomic.Int64{}
			config := node.Config{
				Folder: folder, Site: site, Country: uz.Files, Packs: packs.All(), Volatile: true,
				Clock: func() time.Time { return morning.Add(time.Duration(ahead.Load())) },
			}
			if one.config != nil {
				one.config(&config)
			}
			n, err := node.Open(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			if !one.idle {
				n.Start(context.WithoutCancel(t.Context()))
				eventually(t, "the log has begun", func() bool {
					status, err := n.Sequencer.Status(t.Context())
					return err == nil && status.Running && status.Waiting == 0
				})
			}
			if one.spoil != nil {
				one.spoil(t, n, folder, ahead)
			}
			status, checks := asked(t, n, node.ReadyPath)
			if !slices.Equal(checks, one.wanted) || (status == http.StatusOK) != (len(one.wanted) == 0) {
				t.Errorf("it says %d %v, not %v", status, checks, one.wanted)
			}
			if status, _ := asked(t, n, node.HealthPath); status != http.StatusOK {
				t.Errorf("a process that answers is not alive: %d", status)
			}
			// Everybody gets the word, nobody the reasons.
			public := httptest.NewRecorder()
			n.Handler.ServeHTTP(public, httptest.NewRequestWithContext(t.Context(), http.MethodGet, node.ReadyPath, nil))
			if public.Code != status || strings.Contains(public.Body.String(), "reason") || public.Body.Len() > 20 {
				t.Errorf("everybody is told %d %s", public.Code, public.Body)
			}
		})
	}
}
