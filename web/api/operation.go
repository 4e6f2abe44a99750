package api

import (
	"net/http"
	"time"

	"yagona/web/route"
)

// Root is where every path of the API begins.
const Root = "/api/v1"

// operation is one thing that programs can ask for: its route, and its description.
type operation struct {
	id      string // in the document: a verb and a noun in camel case
	tag     string // the group under which the document shows it
	summary string // one sentence

	method, path string // below Root
	access       route.Access
	body         int64 // the most bytes of the request; 0: no body
	timeout      time.Duration
	handle       route.Handler // nil: another package serves it, and the API only describes it

	query    []parameter
	ifMatch  bool   // If-Match with the ETag that the sender saw is required
	request  any    // a zero value of what the body decodes into; nil: no JSON body
	accepts  string // the body's media type, if it is not JSON
	response any    // a zero value of what is answered; nil: no content
	produces string // the answer's media type, if it is not JSON
	stream   bool   // the answer is sent as it is made; an error midway breaks it off
	status   int    // of success; 0: 200
	etag     bool   // the answer carries an ETag
	costly   bool   // a GET that draws, proves or counts: it counts towards the limits
	cached   bool   // it may be asked for again with If-None-Match
	codes    []string
}

// parameter is one of a request's query parameters. None may hold personal data: addresses end up in logs.
type parameter struct{ name, description, kind string }

var (
	limitParameter = parameter{"limit", "How many entries to return at most: 1 to 100.", "integer"}
	afterParameter = parameter{"after", "The cursor next of the page before; without it, the first page.", "string"}
)

func (o operation) route() route.Route {
	return route.Route{
		Method: o.method, Pattern: Root + o.path, Face: route.Program, Access: o.access, Body: o.body, Timeout: o.timeout,
		Costly: o.costly, Stream: o.stream, Handle: o.handle,
	}
}

func (o operation) success() int {
	if o.status == 0 {
		return http.StatusOK
	}
	return o.status
}

// Sizes of bodies.
const (
	smallBody  = 16 << 10
	wordsBody  = 64 << 10  // a text of 5,000 characters, each escaped
	answerBody = 512 << 10 // answers to a service's questions
	fileBody   = 8 << 20   // a document, a pack
)

// askTimeout is how long an operation may take that asks registers.
const askTimeout = 20 * time.Second
