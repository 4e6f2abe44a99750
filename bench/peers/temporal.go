package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// temporal is Temporal's server for development, and a worker of ours; testdata/temporal has both.
type temporal struct {
	client
	folder         string
	port, grpc     int
	file           bool  // it keeps what it has in a file
	said           int64 // how long its log was before it was started
	server, worker string
}

func (t *temporal) fetch(ctx context.Context, cache string) (err error) {
	var wrong error
	t.server, err = build(ctx, cache, "temporal", "temporal", "github.com/temporalio/cli/cmd/temporal")
	t.worker, wrong = build(ctx, cache, "temporal", "worker", ".")
	return errors.Join(err, wrong)
}

func (t *temporal) lay(context.Context) error { return nil }

func (t *temporal) commands() []*exec.Cmd {
	if log, err := os.Stat(t.log()); err == nil {
		t.said = log.Size()
	}
	arguments := []string{"server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", strconv.Itoa(t.grpc), "--http-port", strconv.Itoa(t.port), "--log-level", "error"}
	if t.file {
		arguments = append(arguments, "--db-filename", filepath.Join(t.folder, "temporal.db"), "--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=FULL")
	}
	return []*exec.Cmd{exec.Command(t.server, arguments...), exec.Command(t.worker, "127.0.0.1:"+strconv.Itoa(t.grpc))}
}

const namespace = "/api/v1/namespaces/default"

func (t *temporal) connect(ctx context.Context) error {
	return t.send(ctx, http.MethodGet, namespace, nil, nil)
}

func (t *temporal) log() string { return filepath.Join(t.folder, "log") }

// settle waits until the server says that it has started: it answers before, and gives up if it is stopped meanwhile.
func (t *temporal) settle(ctx context.Context) error {
	for {
		content, err := os.ReadFile(t.log())
		if err != nil || bytes.Contains(content[t.said:], []byte("Metrics:")) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (t *temporal) do(ctx context.Context, measure string, _ int, id string) (string, error) {
	switch measure {
	case create:
		return t.begin(ctx, "open", "desk") // nobody works there: the case waits
	case submit:
		id, err := t.begin(ctx, "submit", "submit")
		if err != nil {
			return "", err
		}
		var ended struct {
			History struct {
				Events []struct {
					EventType string `json:"eventType"`
				} `json:"events"`
			} `json:"history"`
		}
		err = t.send(ctx, http.MethodGet, namespace+"/workflows/"+id+"/history?waitNewEvent=true&historyEventFilterType=HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT", nil, &ended)
		if err == nil && (len(ended.History.Events) != 1 || ended.History.Events[0].EventType != "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED") {
			err = errors.New("the workflow did not complete")
		}
		return id, err
	case read:
		return id, t.send(ctx, http.MethodGet, namespace+"/workflows/"+id+"/history", nil, nil)
	}
	return "", errNotDone
}

func (t *temporal) begin(ctx context.Context, kind, queue string) (string, error) {
	id := rand.Text()
	return id, t.send(ctx, http.MethodPost, namespace+"/workflows/"+id, map[string]any{
		"workflowType": map[string]string{"name": kind}, "taskQueue": map[string]string{"name": queue},
		"input": []any{map[string]string{"applicant": id, "birth": "1990-05-01", "trade": "sewing", "text": text}},
	}, nil)
}
