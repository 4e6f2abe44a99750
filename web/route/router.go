package route

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/session"
)

// Config says how a Router knows its visitors and speaks to them. Only Recognise is required.
type Config struct {
	// Recognise looks up whose a session's token is.
	Recognise Recognise
	// ErrorPage answers a person whose request failed; the status is already decided. Without it the words stand alone.
	ErrorPage func(w http.ResponseWriter, r *http.Request, v Visitor, problem Problem) error
	// Say returns a fault's words in a language; without it they are English.
	Say Say
	// Languages are the tags of the languages in which the site answers, the default first; without them English.
	Languages []string
	// Cookies says whether the site is served over https.
	Cookies Cookies
	// SignIn is the page to which a person who must sign in is sent, with ?next= the page they wanted.
	SignIn string
	// Refused is told of every refusal, so that it can be journaled: by a route's access or by its handler; and of things
	// that a signed-in visitor named and that are not there, or not for them. Of a flood of one visitor it is told the
	// first Refusals in each minute.
	Refused func(ctx context.Context, v Visitor, refusal Refusal)
	// Refusals is how many refusals in a minute one session or one address may collect; 0 means 30. Over it a session
	// must wait, and refusals without a session become "too many requests".
	Refusals int
	// Limits are how many costly requests one visitor may make in a minute.
	Limits Limits
	// Siblings are the other processes, which count the same visitors; without them this process counts by itself.
	Siblings Siblings
	// Proxies are the networks of the proxies before this installation: they, and nobody else, are believed whom they speak
	// for (X-Forwarded-For).
	Proxies []netip.Prefix
	// Answers keeps answers for requests that carry an Idempotency-Key; without it the header is refused.
	Answers *session.Answers
	// Log receives one line for each request; without it nothing is logged.
	Log *slog.Logger
	// Observe is told when a request begins, and by the function that it returns how it was answered. The context that it
	// returns is the request's from then on. Without it nobody is told.
	Observe func(ctx context.Context) (context.Context, func(Answered))
	// Now tells the time; without it, the machine's.
	Now func() time.Time
}

// Refusal is a request that was refused.
type Refusal struct {
	Route  Info
	Object string // what was asked for, "task:<id>", if the path has an identifier; nothing else of what a stranger wrote
	Reason *fault.Fault
}

// Answered says how a request was answered. It holds nothing that a stranger wrote.
type Answered struct {
	Method  string // or "(other)"
	Pattern string // of the route, or "(none)"
	Status  int
	Bytes   int64
	Took    time.Duration
	Code    string // of the fault, or ""
}

// Router serves the routes that were added to it.
type Router struct {
	config    Config
	mux       *http.ServeMux
	routes    []Info
	origins   *http.CrossOriginProtection
	languages languages
	refusals  *limiter
	costs     costs
	// undeclared lets it be said once that a proxy is not declared.
	undeclared sync.Once
	told       *limiter // how much of what is not there Refused is told of
	// shared are the limiters that several processes share, by the names that all know them by.
	shared map[string]*limiter
}

// New returns a router without routes.
func New(config Config) *Router {
	if config.Say == nil {
		config.Say = english
	}
	if config.ErrorPage == nil {
		config.ErrorPage = plainError
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Refusals == 0 {
		config.Refusals = 30
	}
	if len(config.Languages) == 0 {
		config.Languages = []string{"en"}
	}
	router := &Router{
		config: config, mux: http.NewServeMux(), origins: http.NewCrossOriginProtection(),
		languages: newLanguages(config.Languages), refusals: newLimiter(config.Refusals, time.Minute),
		costs: newCosts(config.Limits), told: newLimiter(config.Refusals, time.Minute),
	}
	if config.Siblings.Tell != nil {
		router.share(config.Siblings)
	}
	return router
}

// Add registers routes. It panics on a route that is wrong or that another one hides: that is a mistake in the program.
func (router *Router) Add(routes ...Route) {
	for _, one := range routes {
		if err := one.check(); err != nil {
			panic(err)
		}
		if one.Timeout == 0 {
			one.Timeout = defaultTimeout
		}
		info := Info{
			Method: one.Method, Pattern: one.Pattern, Access: one.Access.String(), Face: one.Face.String(),
			Body: one.Body, Timeout: one.Timeout,
		}
		router.mux.Handle(info.Name(), &endpoint{router: router, route: one, info: info})
		router.routes = append(router.routes, info)
	}
}

// Routes returns the table of all routes, by pattern and method.
func (router *Router) Routes() []Info {
	return slices.SortedFunc(slices.Values(router.routes), func(a, b Info) int {
		return strings.Compare(a.Pattern+" "+a.Method, b.Pattern+" "+b.Method)
	})
}

// call is one request on its way through the router.
type call struct {
	began   time.Time
	visitor Visitor
	face    Face
	info    Info
	matched bool
	known   bool        // who asks was looked up, whatever came out
	headers http.Header // what an error keeps, besides what every answer carries
	problem *fault.Fault
	wait    time.Duration // until the visitor may ask again; zero: a minute
}

type callKey struct{}

// ServeHTTP answers a request, whatever it is.
func (router *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{began: router.config.Now(), face: faceOf(r)}
	c.visitor.Request = rand.Text()
	c.visitor.Language = router.languages.of(r, router.config.Cookies)
	c.visitor.Here = here(r)
	out := &response{ResponseWriter: w}
	router.dress(w.Header(), c)

	ctx, answered := context.WithValue(r.Context(), callKey{}, c), func(Answered) {}
	if router.config.Observe != nil {
		ctx, answered = router.config.Observe(ctx)
	}
	r = r.WithContext(ctx)
	if err := router.origins.Check(r); err != nil {
		router.fail(out, r, c, fault.New(fault.Forbidden, "http.cross-origin",
			"This came from another site. Open the page here and try again.").Because(err))
	} else if r, err = router.keepTyped(out, r, c); err != nil {
		router.fail(out, r, c, classify(err))
	} else {
		router.mux.ServeHTTP(out, r)
		if !c.matched && out.status >= http.StatusBadRequest {
			allowed := out.Header().Get("Allow")
			router.fail(out, r, c, unmatched(out.status))
			if allowed != "" {
				out.Header().Set("Allow", allowed)
			}
		}
	}
	leave(out, c.visitor)
	compress(out, r, c.visitor)
	if r.Context().Err() != nil && !out.sent {
		// net/http gives this connection up, and would still read requests from it whose contexts have ended before they begin.
		out.Header().Set("Connection", "close")
	}
	out.send()
	how := router.answered(r, c, out)
	answered(how)
	router.log(r, c, how)
	if out.stream && c.problem != nil {
		panic(http.ErrAbortHandler) // the reader must see that the answer broke off
	}
}

// leave makes a page on a shared device leave the screen when its session has ended: whoever comes next finds the first
// page. It needs no script.
func leave(w *response, v Visitor) {
	if v.Session.Shared && !w.sent && strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		w.Header().Set("Refresh", strconv.Itoa(int(session.SharedIdle/time.Second))+"; url=/")
	}
}

// A handler's context ends first, so that it can say itself that its time is up; then reading ends, and only when that
// could be answered, writing.
const (
	readGrace  = time.Second
	writeGrace = 5 * time.Second
)

// endpoint is a registered route.
type endpoint struct {
	router *Router
	route  Route
	info   Info
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, out := r.Context().Value(callKey{}).(*call), w.(*response)
	c.matched, c.info, c.face = true, e.info, e.route.Face
	ctx, cancel := context.WithTimeout(r.Context(), e.route.Timeout)
	defer cancel()
	r = r.WithContext(ctx)
	if err := e.run(out, r, c); err != nil {
		e.router.fail(out, r, c, classify(err))
	}
}

// run takes a request through all that its route asks for, up to the handler.
func (e *endpoint) run(w *response, r *http.Request, c *call) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			if aborted, ok := cause.(error); ok && errors.Is(aborted, http.ErrAbortHandler) {
				panic(cause)
			}
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	if r.ContentLength > e.route.Body {
		return tooLarge(e.route.Body)
	}
	// A body that trickles in, or a reader who doesn't read, holds the connection no longer than the route may take. Where no
	// body is awaited, net/http reads already, to see whether the sender goes away, and would take a deadline that passes for
	// their going: for this request and for all that follow on the connection.
	deadlines := http.NewResponseController(w.ResponseWriter)
	last := time.Now().Add(e.route.Timeout) // the machine's own time: it is the operating system that waits
	r.Body = http.MaxBytesReader(w.ResponseWriter, r.Body, e.route.Body)
	if r.ContentLength != 0 {
		_ = deadlines.SetReadDeadline(last.Add(readGrace))
	}
	_ = deadlines.SetWriteDeadline(last.Add(writeGrace)) // what has no deadlines (a test's recorder) says so: nothing to do

	if e.switchLanguage(w, r, c) {
		return nil
	}
	if e.route.Method != http.MethodGet && e.route.Face == Page {
		c.visitor.Here = e.router.cameFrom(r)
	}
	if err := e.recognise(r, c); err != nil {
		return err
	}
	if done, err := e.admit(w, r, c); done || err != nil {
		return err
	}
	if err := e.spend(r, c); err != nil {
		return err
	}
	w.stream = e.route.Stream
	return e.keep(w, r, c)
}

// cameFrom returns the page of this site on which a form stood: what the browser says, or the page at the form's own
// address, or "/".
func (router *Router) cameFrom(r *http.Request) string {
	for _, address := range []string{r.Referer(), r.URL.String()} {
		page, err := url.Parse(address)
		if err != nil || page.Path == "" || page.Host != "" && page.Host != r.Host {
			continue
		}
		stood := &http.Request{URL: page, Host: r.Host}
		if router.at(http.MethodGet, stood) != nil {
			return here(stood)
		}
	}
	return "/"
}

// recognise finds out who asks. A cookie of a session that has ended makes the visitor nobody; a program's token must
// be good.
func (e *endpoint) recognise(r *http.Request, c *call) error {
	c.known = true
	token, bearer := e.router.config.Cookies.token(r)
	if token == "" && !bearer {
		return nil
	}
	found, appointments, err := e.router.config.Recognise(r.Context(), token)
	switch {
	case err == nil:
		c.visitor.know(found, appointments)
		return nil
	case fault.Is(err, fault.Unauthorized) && (!bearer || e.route.Access.level == public):
		return nil
	case fault.Is(err, fault.Unauthorized):
		return e.refuse(r, c, err)
	}
	return err
}

// greet lets the page that tells somebody signed in what went wrong be theirs, also where it went wrong before anybody was
// asked for: an address that there is not, a photo that is too large. What cannot be looked up now leaves them nobody.
func (router *Router) greet(r *http.Request, c *call) {
	if c.known || c.face != Page {
		return
	}
	c.known = true
	token, bearer := router.config.Cookies.token(r)
	if token == "" || bearer {
		return
	}
	if found, appointments, err := router.config.Recognise(r.Context(), token); err == nil {
		c.visitor.know(found, appointments)
	}
}

// admit holds the visitor to the route's access. It returns true if it has sent them to sign in.
func (e *endpoint) admit(w *response, r *http.Request, c *call) (done bool, err error) {
	if e.route.Access.level == public {
		return false, nil
	}
	if c.visitor.SignedIn() && e.router.refusals.exceeded(e.router.limitKey(r, c.visitor), c.began) {
		return false, tooMany()
	}
	err = e.route.Access.allow(r, c.visitor)
	if err == nil {
		return false, nil
	}
	if !c.visitor.SignedIn() && e.route.Face == Page && e.router.config.SignIn != "" {
		return true, Redirect(w, r, e.router.config.SignIn+"?next="+url.QueryEscape(c.visitor.Here))
	}
	return false, e.refuse(r, c, err)
}

// refuse counts a refusal, tells it on, and returns what to answer.
func (e *endpoint) refuse(r *http.Request, c *call, reason error) error {
	if !e.router.refusals.count(e.router.limitKey(r, c.visitor), c.began) {
		return tooMany().Because(reason)
	}
	e.tell(r, c, reason)
	return reason
}

// tell tells of a refusal.
func (e *endpoint) tell(r *http.Request, c *call, reason error) {
	if e.router.config.Refused != nil {
		e.router.config.Refused(r.Context(), c.visitor, Refusal{Route: e.info, Object: e.object(r), Reason: fault.Of(reason)})
	}
}

// object names what the path asks for, by its last value that is an identifier.
func (e *endpoint) object(r *http.Request) (object string) {
	for _, found := range wildcards.FindAllStringSubmatch(e.info.Pattern, -1) {
		if id, err := ident.Parse[string](r.PathValue(found[1])); err == nil {
			object = found[1] + ":" + id
		}
	}
	return object
}

// handle calls the handler, counts its refusals and tells of them. What is another's is not there for its reader, so that
// a signed-in visitor who names something that is not there may have looked for it.
func (e *endpoint) handle(w *response, r *http.Request, c *call) error {
	err := e.route.Handle(w, r, c.visitor)
	switch {
	case fault.Is(err, fault.Forbidden):
		if e.router.refusals.count(e.router.limitKey(r, c.visitor), c.began) {
			e.tell(r, c, err)
		}
	case fault.Is(err, fault.NotFound) && c.visitor.SignedIn() && e.object(r) != "":
		if e.router.told.count(e.router.limitKey(r, c.visitor), c.began) {
			e.tell(r, c, err)
		}
	}
	return err
}

// fail replaces what was written by what went wrong.
func (router *Router) fail(w *response, r *http.Request, c *call, err error) {
	c.problem = fault.Of(err)
	if c.problem.Kind == fault.Internal {
		c.problem = c.problem.Because(err)
	}
	if w.sent {
		return
	}
	w.stream = false
	router.reset(w, c)
	problem := NewProblem(err, c.visitor.Request, c.visitor.Language, router.config.Say)
	if problem.Status == http.StatusTooManyRequests {
		wait := time.Minute
		if c.wait > 0 {
			wait = c.wait
		}
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	if problem.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer") // RFC 9110, 15.5.2 asks for a challenge
	}
	if c.face == Program {
		if err := writeJSON(w, ProblemType, problem.Status, problem); err != nil {
			c.problem = c.problem.Because(errors.Join(c.problem.Err, err))
		}
		return
	}
	router.greet(r, c)
	if err := router.config.ErrorPage(w, r, c.visitor, problem); err != nil {
		router.reset(w, c)
		c.problem = c.problem.Because(errors.Join(c.problem.Err, err))
		_ = plainError(w, r, c.visitor, problem)
	}
}

// plainError answers a person in words alone.
func plainError(w http.ResponseWriter, _ *http.Request, _ Visitor, problem Problem) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(problem.Status)
	_, err := fmt.Fprintf(w, "%s\n\n%s\n\n%s\n", problem.Title, problem.Detail, problem.Instance)
	return err
}

// answered returns how a request was answered: the pattern, never the path; the fault's code.
func (router *Router) answered(r *http.Request, c *call, w *response) Answered {
	how := Answered{
		Method: methodName(r.Method), Pattern: c.info.Pattern, Status: w.status, Bytes: w.size, Took: router.config.Now().Sub(c.began),
	}
	if !c.matched {
		how.Pattern = "(none)"
	}
	if c.problem != nil {
		how.Code = c.problem.Code
	}
	return how
}

// RequestOf returns the id of the request whose context this is, as the response and the log show it, or "".
func RequestOf(ctx context.Context) string {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return ""
	}
	return c.visitor.Request
}

// log writes the request's line; a fault's inner error only if the fault is ours.
func (router *Router) log(r *http.Request, c *call, how Answered) {
	severity := slog.LevelInfo
	attributes := []slog.Attr{
		slog.String("method", how.Method), slog.String("pattern", how.Pattern), slog.Int("status", how.Status),
		slog.Int64("bytes", how.Bytes), slog.Duration("took", how.Took), slog.String("request", c.visitor.Request),
	}
	if c.problem != nil {
		attributes = append(attributes, slog.String("code", how.Code))
		switch c.problem.Kind {
		case fault.Internal, fault.CannotStore:
			severity = slog.LevelError
			attributes = append(attributes, slog.Any("error", c.problem.Err))
		case fault.Unavailable:
			severity = slog.LevelWarn
			attributes = append(attributes, slog.Any("error", c.problem.Err))
		}
	}
	router.config.Log.LogAttrs(r.Context(), severity, "request", attributes...)
}

// methodName keeps what a stranger wrote as a method out of the log.
func methodName(method string) string {
	if slices.Contains(methods, method) || method == http.MethodHead || method == http.MethodOptions {
		return method
	}
	return "(other)"
}

// at returns what answers at the request's path to a method, or nil.
func (router *Router) at(method string, r *http.Request) *endpoint {
	found, _ := router.mux.Handler(&http.Request{Method: method, URL: &url.URL{Path: r.URL.Path}, Host: r.Host})
	one, _ := found.(*endpoint)
	return one
}

// faceOf guesses who reads the answer to a request that meets no route.
func faceOf(r *http.Request) Face {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return Program
	}
	if found, ok := Negotiate(r, "text/html", ProblemType, "application/json"); ok && found != "text/html" {
		return Program
	}
	return Page
}

func unmatched(status int) error {
	if status == http.StatusMethodNotAllowed {
		return fault.New(fault.Invalid, "http.method-not-allowed", "This cannot be done here. The header Allow names what can.")
	}
	if status == http.StatusNotFound {
		return fault.New(fault.NotFound, "http.not-found", "There is no such page. Check the address, or begin at the start page.")
	}
	return fault.New(fault.Invalid, "http.malformed", "This request is not well-formed HTTP.")
}

// secured are the headers that make an answer safe. Their values are shared by all answers: whoever wants another sets it
// anew, as a handler that serves public files does with Cache-Control.
var secured = http.Header{
	"Content-Security-Policy":      {policy("")},
	"X-Content-Type-Options":       {"nosniff"},
	"Referrer-Policy":              {"same-origin"},
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Permissions-Policy":           {"camera=(self), geolocation=(self), microphone=()"},
	"Cache-Control":                {"no-store"},
}

// dress sets the headers that every answer carries.
func (router *Router) dress(headers http.Header, c *call) {
	maps.Copy(headers, secured)
	if router.config.Cookies.Secure {
		headers.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
	headers.Set("X-Request-Id", c.visitor.Request)
	headers.Set("Content-Language", c.visitor.Language)
}

// reset forgets what was written, and the headers but those that an error keeps.
func (router *Router) reset(w *response, c *call) {
	clear(w.Header())
	router.dress(w.Header(), c)
	maps.Copy(w.Header(), c.headers)
	w.status, w.size = 0, 0
	w.body.Reset()
}

func policy(formTarget string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'; manifest-src 'self'; form-action 'self'" + formTarget +
		"; frame-ancestors 'none'; base-uri 'none'"
}

// AllowFormTarget lets the form on this page lead to another site by a redirect, as a sign-in provider's must: browsers
// hold redirects after a form to the policy's form-action. The origin is "https://host" with an optional port.
func AllowFormTarget(w http.ResponseWriter, origin *url.URL) {
	if origin.Scheme != "" && origin.Host != "" && !strings.ContainsAny(origin.Host, " ;,'\"") {
		w.Header().Set("Content-Security-Policy", policy(" "+origin.Scheme+"://"+origin.Host))
	}
}
