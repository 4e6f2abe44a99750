package route

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"yagona/kernel/fault"
)

const idempotencyHeader = "Idempotency-Key"

// kept is a response as it is kept for a program that asks again.
type kept struct {
	Status  int         `json:"status"`
	Headers http.Header `json:"headers"`
	Body    []byte      `json:"body"`
}

// repeated are the headers that an answer given again carries as the first time.
var repeated = []string{"Content-Type", "Content-Language", "Location", "ETag"}

// keep runs the handler. If a program's POST carries an Idempotency-Key, the handler runs once: the same request again
// gets the answer kept, with Idempotency-Replayed: true. What failed on our side is not kept and can be tried again.
//
// Between the handler's act and the keeping of its answer the machine can stop; then the request runs again. A handler
// whose act must not happen twice derives the id of what it makes from the visitor's Key.
func (e *endpoint) keep(w *response, r *http.Request, c *call) error {
	key := r.Header.Get(idempotencyHeader)
	if key == "" || e.route.Face != Program || e.route.Method != http.MethodPost {
		return e.handle(w, r, c)
	}
	answers, person := e.router.config.Answers, c.visitor.Session.Person
	if answers == nil || person == "" || e.route.Stream {
		return fault.New(fault.Invalid, "idempotency.not-here", "This request takes no Idempotency-Key. Send it without one.")
	}
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(content))
	request := fmt.Appendf(nil, "%s %s\n%s\n", r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"))
	if seen := r.Header.Get("If-Match"); seen != "" {
		request = fmt.Appendf(request, "%s\n", seen)
	}
	request = append(request, content...)

	before, found, err := answers.Begin(r.Context(), person, key, request)
	if err != nil {
		return err
	}
	if found {
		return replay(w, before)
	}
	c.visitor.Key = key
	finished := false
	defer func() {
		if !finished { // an error of ours, or a panic
			_ = answers.Abandon(context.WithoutCancel(r.Context()), person, key)
		}
	}()
	if err := classify(e.handle(w, r, c)); err != nil {
		switch fault.Of(err).Kind {
		case fault.Internal, fault.Unavailable, fault.CannotStore, fault.TooMany:
			return err
		}
		e.router.fail(w, r, c, err)
	}
	w.WriteHeader(http.StatusOK) // unless the handler has said otherwise
	response, err := json.Marshal(kept{Status: w.status, Headers: pick(w.Header()), Body: w.body.Bytes()})
	if err != nil {
		return err
	}
	// The act is done: its answer is kept even if the program has gone away meanwhile.
	if err := answers.Finish(context.WithoutCancel(r.Context()), person, key, request, response); err != nil {
		return errors.Join(errors.New("keep the answer"), err)
	}
	finished = true
	return nil
}

func pick(headers http.Header) http.Header {
	picked := http.Header{}
	for _, name := range repeated {
		if values := headers.Values(name); len(values) > 0 {
			picked[http.CanonicalHeaderKey(name)] = values
		}
	}
	return picked
}

func replay(w http.ResponseWriter, response []byte) error {
	var before kept
	if err := json.Unmarshal(response, &before); err != nil {
		return err
	}
	for name, values := range before.Headers {
		w.Header()[name] = values
	}
	w.Header().Set("Idempotency-Replayed", "true")
	w.WriteHeader(before.Status)
	_, err := w.Write(before.Body)
	return err
}
