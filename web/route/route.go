// Package route owns how a request reaches a handler: the safe route is the only way to register one.
//
// A Route states its method, pattern, who may call it, how much it may send and how long it may take, as data. The
// Router enforces all of it, in this order: request id, panic recovery, security headers, cross-origin protection,
// body limit, time limit, language, session, access, idempotency key. A handler gets the Visitor whom the router has
// recognised and returns an error; a kernel/fault becomes an error page in the reader's language, or an RFC 9457 problem
// for programs. Routes lists what is registered, so that a hostile test suite can walk over every route there is.
//
// Invariants: a route without a stated access cannot be registered; a visitor's roles come from the server's records at
// each request; a response is sent whole or replaced by an error, unless its route streams; neither a log line nor an
// error shows a path's values, a query, a name or an address.
package route

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"yagona/kernel/ident"
)

// Face says who reads a route's responses, and so what an error looks like.
type Face uint8

// The faces. Zero is Page.
const (
	Page    Face = iota // a person with a browser: errors are pages
	Program             // a program: errors are RFC 9457 problems
)

// String returns "page" or "program".
func (f Face) String() string {
	if f == Program {
		return "program"
	}
	return "page"
}

// Handler answers a request. It reads, validates, saves and redirects, or returns an error; what it wrote before an
// error is discarded (unless its route streams). It gives the request's context to everything it calls.
type Handler func(w http.ResponseWriter, r *http.Request, v Visitor) error

// Route is one thing that can be asked over HTTP.
type Route struct {
	Method  string        // "GET" (which answers HEAD, too), "POST", "PUT", "PATCH" or "DELETE"
	Pattern string        // a path as net/http.ServeMux reads it: "/applications/{application}"
	Face    Face          // who reads the answer
	Access  Access        // who may ask; there is no default
	Body    int64         // the most bytes a request may carry; 0 means no body at all
	Timeout time.Duration // how long an answer may take; 0 means 10 seconds
	Costly  bool          // a GET that asks registers, draws or searches: it counts towards Limits, as everything that changes something does
	Stream  bool          // the answer is sent as it is written (an export): an error midway breaks the connection
	Handle  Handler
}

const defaultTimeout = 10 * time.Second

// level orders what a route asks of its visitor.
type level uint8

const (
	unstated level = iota
	public
	signedIn
	subject
	official
)

// Access says who may call a route. Its zero value says nothing and is refused.
type Access struct {
	level level
	roles []ident.Role
	value string // the path value that names the subject
}

// Public lets everyone in.
func Public() Access { return Access{level: public} }

// SignedIn lets in everyone who is signed in, as a resident or an official. What they may see of the thing they name
// is for the kernel to decide.
func SignedIn() Access { return Access{level: signedIn} }

// SubjectOnly lets in only the person whose id is the path value of that name.
func SubjectOnly(value string) Access { return Access{level: subject, value: value} }

// Official lets in whoever works in an appointment in force, whichever it is.
func Official() Access { return Access{level: official} }

// Role lets in whoever works in an appointment in force to one of the roles.
func Role(roles ...ident.Role) Access { return Access{level: official, roles: slices.Clone(roles)} }

// String says it as the table of routes shows it: "public", "signed in", "subject {person}", "official",
// "role chair, youth-leader".
func (a Access) String() string {
	switch a.level {
	case public:
		return "public"
	case signedIn:
		return "signed in"
	case subject:
		return "subject {" + a.value + "}"
	case official:
		if len(a.roles) == 0 {
			return "official"
		}
		names := make([]string, len(a.roles))
		for i, role := range a.roles {
			names[i] = string(role)
		}
		return "role " + strings.Join(names, ", ")
	}
	return "unstated"
}

// Info is one line of the table of routes.
type Info struct {
	Method, Pattern, Access, Face string
	Body                          int64
	Timeout                       time.Duration
}

// Name returns what a table of tests is keyed by: "POST /applications/{application}/withdraw".
func (i Info) Name() string { return i.Method + " " + i.Pattern }

var (
	methods   = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	wildcards = regexp.MustCompile(`\{([^{}$.]+)(\.\.\.)?\}`)
)

// check says what is wrong with a route as its author wrote it.
func (r Route) check() error {
	name := r.Method + " " + r.Pattern
	switch {
	case !slices.Contains(methods, r.Method):
		return fmt.Errorf("route %s: the method is not one of %s", name, strings.Join(methods, ", "))
	case !strings.HasPrefix(r.Pattern, "/"):
		return fmt.Errorf("route %s: the pattern must begin with a slash", name)
	case r.Access.level == unstated:
		return fmt.Errorf("route %s: say who may call it: Public, SignedIn, SubjectOnly, Official or Role", name)
	case r.Handle == nil:
		return fmt.Errorf("route %s: there is no handler", name)
	case r.Method == http.MethodGet && r.Body != 0:
		return fmt.Errorf("route %s: a GET carries no body", name)
	case r.Body < 0 || r.Timeout < 0:
		return fmt.Errorf("route %s: a limit is negative", name)
	}
	if r.Access.level == subject {
		for _, found := range wildcards.FindAllStringSubmatch(r.Pattern, -1) {
			if found[1] == r.Access.value {
				return nil
			}
		}
		return fmt.Errorf("route %s: the pattern has no {%s} to name the subject", name, r.Access.value)
	}
	return nil
}
