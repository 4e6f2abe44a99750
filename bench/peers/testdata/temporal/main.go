// Command worker decides applications on a Temporal server: workflow submit validates and evaluates, and one activity
// gives back what would be written: the case, the entry of the register and the line of the journal. Temporal has no
// tables of its own for them: what it keeps is the history of the workflow, with all three in it.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"log/slog"
)

// Application is what somebody applies for.
type Application struct {
	Applicant string `json:"applicant"`
	Birth     string `json:"birth"`
	Trade     string `json:"trade"`
	Text      string `json:"text"`
}

// Written is what a granted application leaves.
type Written struct {
	Case    Application       `json:"case"`
	State   string            `json:"state"`
	Entry   map[string]string `json:"entry"`
	Journal map[string]string `json:"journal"`
}

func submit(ctx workflow.Context, application Application) (written Written, err error) {
	birth, err := time.Parse(time.DateOnly, application.Birth)
	if err != nil || application.Applicant == "" || application.Trade == "" {
		return written, temporal.NewNonRetryableApplicationError("the application is not complete", "invalid", errors.Join(err))
	}
	if birth.AddDate(16, 0, 0).After(workflow.Now(ctx)) {
		return Written{Case: application, State: "refused"}, nil
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	err = workflow.ExecuteActivity(ctx, write, application).Get(ctx, &written)
	return written, err
}

func write(_ context.Context, application Application) (Written, error) {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	return Written{
		Case: application, State: "granted",
		Entry:   map[string]string{"person": application.Applicant, "trade": application.Trade, "since": now[:10]},
		Journal: map[string]string{"type": "application.submitted", "actor": application.Applicant, "at": now},
	}, nil
}

func main() {
	quiet := sdklog.NewStructuredLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	var connection client.Client
	var err error
	for range 100 { // the server starts beside it
		connection, err = client.Dial(client.Options{HostPort: os.Args[1], Logger: quiet})
		if err == nil {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	if err != nil {
		log.Fatal(err)
	}
	hand := worker.New(connection, "submit", worker.Options{})
	hand.RegisterWorkflow(submit)
	hand.RegisterActivity(write)
	if err := hand.Run(worker.InterruptCh()); err != nil {
		log.Fatal(err)
	}
}
