package route

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strconv"
	"strings"

	"yagona/kernel/fault"
)

// ProblemType is the media type of a Problem.
const ProblemType = "application/problem+json"

const problemURI = "urn:yagona:problem:"

// Problem is an error as a program reads it: problem details by RFC 9457.
type Problem struct {
	Type     string         `json:"type"`               // "urn:yagona:problem:" and the stable code
	Title    string         `json:"title"`              // what kind of error it is, in the reader's language
	Status   int            `json:"status"`             // the HTTP status
	Detail   string         `json:"detail,omitempty"`   // what is wrong and what to do, in the reader's language
	Instance string         `json:"instance,omitempty"` // "urn:yagona:request:" and the request's id: quote it to the operator
	Fields   []ProblemField `json:"fields,omitempty"`   // the inputs that are wrong
}

// ProblemField is one input that is wrong.
type ProblemField struct {
	Field  string `json:"field"` // the path in the request: "ask.price"
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Code returns the problem's stable code, e.g. "application.already-decided".
func (p Problem) Code() string { return strings.TrimPrefix(p.Type, problemURI) }

// Error makes a problem that a client received an error.
func (p Problem) Error() string { return p.Code() + ": " + p.Detail }

// ReadProblem decodes the problem in an answer's body; it returns false if the media type says that it is none.
func ReadProblem(mediaType string, body []byte) (Problem, bool) {
	var found Problem
	if mediaTypeOf(mediaType) != ProblemType || json.Unmarshal(body, &found) != nil {
		return Problem{}, false
	}
	return found, true
}

// Say returns a fault's words in a language: a short title of its kind and what is wrong.
type Say func(language string, f *fault.Fault) (title, detail string)

// english says faults in the words of the one who made them.
func english(_ string, f *fault.Fault) (title, detail string) {
	return http.StatusText(status(f)), f.Message
}

// Faults returns every fault in the tree of err that names the input that is wrong, in the order in which they were
// joined.
func Faults(err error) []*fault.Fault {
	var found []*fault.Fault
	walk(err, func(f *fault.Fault) {
		if f.Field != "" {
			found = append(found, f)
		}
	})
	return found
}

func walk(err error, visit func(*fault.Fault)) {
	if err == nil {
		return
	}
	if f, ok := err.(*fault.Fault); ok { //nolint:errorlint // each node by itself: errors.As would stop at the first of several
		visit(f)
	}
	switch inner := err.(type) { //nolint:errorlint // this walks the wrapping itself
	case interface{ Unwrap() error }:
		walk(inner.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, one := range inner.Unwrap() {
			walk(one, visit)
		}
	}
}

// NewProblem returns err as a program reads it. Of an error that is no fault nothing shows but that it happened.
func NewProblem(err error, request, language string, say Say) Problem {
	main := fault.Of(err)
	title, detail := say(language, main)
	problem := Problem{
		Type: problemURI + main.Code, Title: title, Status: status(main), Detail: detail,
		Instance: "urn:yagona:request:" + request,
	}
	if main.Kind == fault.Internal {
		return problem // its inner errors are the operator's
	}
	problem.Fields = Fields(err, language, say)
	return problem
}

// Fields returns every input that is wrong, in the reader's language, in the order in which the errors were joined.
func Fields(err error, language string, say Say) []ProblemField {
	fields := []ProblemField{}
	for _, f := range Faults(err) {
		_, detail := say(language, f)
		fields = append(fields, ProblemField{Field: f.Field, Code: f.Code, Detail: detail})
	}
	return fields
}

// statuses are the codes for which HTTP has a status of its own, more exact than that of their kind (RFC 9110, RFC 6585).
var statuses = map[string]int{
	"http.method-not-allowed":    http.StatusMethodNotAllowed,
	"http.not-acceptable":        http.StatusNotAcceptable,
	"http.precondition-failed":   http.StatusPreconditionFailed,
	"http.unsupported-media":     http.StatusUnsupportedMediaType,
	"http.precondition-required": http.StatusPreconditionRequired,
	"http.malformed":             http.StatusBadRequest,
}

func status(f *fault.Fault) int {
	if known, ok := statuses[f.Code]; ok {
		return known
	}
	return f.Kind.Status()
}

// classify turns the errors of net/http that a handler passes on into faults.
func classify(err error) error {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(large.Limit).Because(err)
	}
	if _, known := errors.AsType[*fault.Fault](err); known {
		return err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fault.New(fault.Unavailable, "http.timeout",
			"This took too long and was given up. Look whether it was done before you try again.").Because(err)
	case errors.Is(err, context.Canceled):
		return fault.New(fault.Unavailable, "http.gone-away", "The reader has gone away.").Because(err)
	}
	return err
}

func tooLarge(limit int64) *fault.Fault {
	if limit == 0 {
		return fault.New(fault.TooLarge, "http.too-large", "This request takes no content. Send it without a body.").With("limit", "0")
	}
	return fault.Newf(fault.TooLarge, "http.too-large",
		"This is too large: at most %d bytes can be sent here. Send less.", limit).With("limit", strconv.FormatInt(limit, 10))
}
