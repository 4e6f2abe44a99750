// Package fault owns the few kinds of error that the platform tells apart.
//
// Every error that a person or a program may see is a *Fault: a kind (which decides the HTTP status), a stable code
// (which is also the key of its message in the catalogues), an English message that says what to do next, and an inner
// error for the operator's log. Any other error is Internal: its text never reaches the one who asked.
//
// Invariants: a code never changes its meaning; Message and Args never hold personal data.
package fault

import (
	"errors"
	"fmt"
	"net/http"
)

// Kind says what the one who asked can do about an error.
type Kind uint8

// The kinds. Zero is Internal, so that an error nobody classified is never shown.
const (
	Internal     Kind = iota // a defect or a broken machine: report it
	Invalid                  // the request is wrong: correct it
	Unauthorized             // nobody is signed in: sign in
	Forbidden                // not this person, role, territory, turn or purpose: ask someone who may
	NotFound                 // there is no such thing, or not for this reader
	Conflict                 // the thing has changed or the act is already done: look again
	Archived                 // it was moved into an archive, out of the platform: ask whoever keeps it
	Erased                   // it was erased by law and will not come back
	TooLarge                 // the request is over a limit: send less
	TooMany                  // too often: wait
	Unavailable              // another system does not answer: it is retried, or try again later
	CannotStore              // the platform itself cannot store anything, as on a full disk: nothing was done; its operator makes room
)

var kinds = [...]struct {
	name   string
	status int
}{
	Internal:     {"internal", http.StatusInternalServerError},
	Invalid:      {"invalid", http.StatusUnprocessableEntity},
	Unauthorized: {"unauthorized", http.StatusUnauthorized},
	Forbidden:    {"forbidden", http.StatusForbidden},
	NotFound:     {"not-found", http.StatusNotFound},
	Conflict:     {"conflict", http.StatusConflict},
	Archived:     {"archived", http.StatusGone},
	Erased:       {"erased", http.StatusGone},
	TooLarge:     {"too-large", http.StatusRequestEntityTooLarge},
	TooMany:      {"too-many", http.StatusTooManyRequests},
	Unavailable:  {"unavailable", http.StatusServiceUnavailable},
	CannotStore:  {"cannot-store", http.StatusServiceUnavailable},
}

// String returns the kind's name as it stands in the API.
func (k Kind) String() string { return kinds[k].name }

// Status returns the HTTP status of the kind.
func (k Kind) Status() int { return kinds[k].status }

// Fault is an error of a known kind.
type Fault struct {
	Kind    Kind
	Code    string            // stable, e.g. "application.already-decided"; the key of the message in the catalogues, unless Family is
	Family  string            // the key of the message that codes with a name in them share ("country.pinfl-malformed"), or empty
	Message string            // English: what is wrong, and what to do
	Field   string            // the input that is wrong, as a path ("ask.price"), or empty
	Args    map[string]string // the variables of the message
	Err     error             // for the operator's log only, or nil
}

// New returns a fault. The message says what is wrong and what to do.
func New(kind Kind, code, message string) *Fault {
	return &Fault{Kind: kind, Code: code, Message: message}
}

// Newf is New with a formatted message. The arguments must not be personal data.
func Newf(kind Kind, code, format string, args ...any) *Fault {
	return New(kind, code, fmt.Sprintf(format, args...))
}

// At returns a copy that names the input that is wrong.
func (f Fault) At(field string) *Fault { f.Field = field; return &f }

// In returns a copy whose message in the catalogues is that of a family of codes.
func (f Fault) In(family string) *Fault { f.Family = family; return &f }

// Because returns a copy that carries an inner error for the operator's log.
func (f Fault) Because(err error) *Fault { f.Err = err; return &f }

// With returns a copy whose message has one more variable.
func (f Fault) With(name, value string) *Fault {
	args := make(map[string]string, len(f.Args)+1)
	for k, v := range f.Args {
		args[k] = v
	}
	args[name] = value
	f.Args = args
	return &f
}

// Error tells all, the inner error included: it is for logs, never for a response.
func (f *Fault) Error() string {
	text := f.Code + ": " + f.Message
	if f.Field != "" {
		text = f.Field + ": " + text
	}
	if f.Err != nil {
		text += ": " + f.Err.Error()
	}
	return text
}

// Unwrap returns the inner error.
func (f *Fault) Unwrap() error { return f.Err }

// Of returns the fault in err's chain; an error without one becomes Internal and keeps err as its inner error.
// Of(nil) is nil.
func Of(err error) *Fault {
	if err == nil {
		return nil
	}
	if found, ok := errors.AsType[*Fault](err); ok {
		return found
	}
	return New(Internal, "internal", "Something went wrong on our side. Nothing was lost; try again later.").Because(err)
}

// Is reports whether err is a fault of the kind.
func Is(err error, kind Kind) bool {
	return err != nil && Of(err).Kind == kind
}

// Code returns the code of the fault in err's chain, "" for nil.
func Code(err error) string {
	if err == nil {
		return ""
	}
	return Of(err).Code
}
