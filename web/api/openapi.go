package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/service"
	"yagona/web/route"
	"yagona/web/signin"
)

// description describes all operations as an OpenAPI 3.1 document, anew when other services are loaded.
type description struct {
	catalogue  func() *service.Catalogue
	profile    *country.Profile
	clock      act.Clock
	operations []operation // set once, before the first request

	mu   sync.Mutex
	made map[string][]byte // guarded by mu: the document by language
	of   *service.Catalogue
	on   calendar.Date
}

func (d *description) operation() operation {
	return operation{
		id: "describe", tag: "catalogue", summary: "Describes this API, with the requests of every service that is loaded (OpenAPI 3.1).",
		method: "GET", path: "/openapi.json", access: route.Public(), response: json.RawMessage{}, produces: "application/vnd.oai.openapi+json", cached: true,
		handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
			made, err := d.document(r.Context(), v.Language)
			if err != nil {
				return err
			}
			w.Header().Set("Content-Type", "application/vnd.oai.openapi+json")
			w.Header().Set("Cache-Control", "no-cache")
			if route.NotModified(w, r, route.Tag(made)) {
				return nil
			}
			_, err = w.Write(made)
			return err
		},
	}
}

// document returns the document in a language. The services are those that take applications today.
func (d *description) document(ctx context.Context, language string) ([]byte, error) {
	catalogue, today := d.catalogue(), calendar.DateOf(d.clock(), d.profile.Location)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of != catalogue || d.on != today {
		d.of, d.on, d.made = catalogue, today, map[string][]byte{}
	}
	if made, ok := d.made[language]; ok {
		return made, nil
	}
	made, err := json.MarshalIndent(describe(d.operations, catalogue.All(today), d.profile, language, today), "", "  ")
	if err != nil {
		return nil, err
	}
	d.made[language] = append(made, '\n')
	return d.made[language], nil
}

var placeholder = regexp.MustCompile(`\{([^}]+)\}`)

// describe returns the document of the operations and of the requests of the services.
func describe(operations []operation, services []*service.Definition, profile *country.Profile, language string, today calendar.Date) *openapi3.T {
	doc := &openapi3.T{
		OpenAPI: "3.1.0",
		Info: &openapi3.Info{
			Title: "Public services", Version: "1",
			Description: "Money is a whole number of minor units of " + profile.Currency.Code + ". Moments are RFC 3339 in UTC, dates are ISO 8601. " +
				"Errors are problem details (RFC 9457): the type is urn:yagona:problem: and a stable code. " +
				"A POST may carry an Idempotency-Key: the same request again gets the same answer.",
			License: &openapi3.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Servers: openapi3.Servers{{URL: "/"}},
		Paths:   openapi3.NewPaths(),
		Components: &openapi3.Components{
			Schemas: openapi3.Schemas{},
			SecuritySchemes: openapi3.SecuritySchemes{
				"bearer": {Value: openapi3.NewSecurityScheme().WithType("http").WithScheme("bearer").
					WithDescription("the token of a session: POST " + Root + "/sessions gives one for an ID token")},
			},
		},
	}
	requests := &schemas{components: doc.Components.Schemas, closed: true}
	answers := &schemas{components: doc.Components.Schemas}
	answers.of(reflect.TypeFor[route.Problem]())
	application := applicationSchemas(doc.Components.Schemas, services, profile, language, today)
	shared := sharedProblems(doc.Components)
	for _, one := range operations {
		operation := one.describe(requests, answers, shared, profile)
		if _, ok := one.request.(NewApplication); ok && application != nil {
			operation.RequestBody.Value.Content["application/json"].Schema = application
			delete(doc.Components.Schemas, "NewApplication") // the services' own requests stand for it
		}
		doc.AddOperation(Root+one.path, one.method, operation)
		if !slices.ContainsFunc(doc.Tags, func(t *openapi3.Tag) bool { return t.Name == one.tag }) {
			doc.Tags = append(doc.Tags, &openapi3.Tag{Name: one.tag, Description: tags[one.tag]})
		}
	}
	return doc
}

// applicationSchemas adds, for each service, "<pack>.<service>.answers" and the request that begins an application to
// it, and returns the schema of all such requests together, nil without a service.
func applicationSchemas(components openapi3.Schemas, services []*service.Definition, profile *country.Profile, language string, today calendar.Date) *openapi3.SchemaRef {
	if len(services) == 0 {
		return nil
	}
	whole := &openapi3.Schema{Discriminator: &openapi3.Discriminator{PropertyName: "service", Mapping: map[string]openapi3.MappingRef{}}}
	const at = "#/components/schemas/"
	for _, d := range services {
		name := strings.ReplaceAll(string(d.Path), "/", ".")
		answers := answersSchema(d, profile, language, today)
		components[name+".answers"] = answers.NewRef()
		named := openapi3.NewStringSchema()
		named.Const = string(d.Path)
		request := openapi3.NewObjectSchema().WithProperty("service", named).
			WithProperty("language", openapi3.NewStringSchema().WithEnum(words(profile.Languages...)...)).
			WithPropertyRef("answers", &openapi3.SchemaRef{Ref: at + name + ".answers", Value: answers}).
			WithProperty("for", openapi3.NewStringSchema().WithPattern("^(person|organisation|household):")).
			WithProperty("send", openapi3.NewBoolSchema())
		request.Required = []string{"service"}
		request.AdditionalProperties = openapi3.AdditionalProperties{Has: new(bool)}
		example := map[string]any{
			"service": string(d.Path), "language": profile.Authoritative(), "answers": answers.Examples[0], "send": true,
		}
		if !slices.Contains(d.For, "person") { // whoever sends it acts for somebody
			request.Required = append(request.Required, "for")
			example["for"] = d.For[0] + ":00000000-0000-4000-8000-000000000000"
		}
		request.Examples = []any{example}
		components[name] = request.NewRef()
		whole.OneOf = append(whole.OneOf, &openapi3.SchemaRef{Ref: at + name, Value: request})
		whole.Discriminator.Mapping[string(d.Path)] = openapi3.MappingRef{Ref: at + name}
	}
	return whole.NewRef()
}

// tags are the groups of operations.
var tags = map[string]string{
	"catalogue":    "What there is: services, territories, this document.",
	"verification": "What a document is worth; the published keys and revocations to tell it offline.",
	"applications": "One's own applications, from the draft to the appeal.",
	"documents":    "One's own documents.",
	"person":       "Who is signed in, and what the platform tells them.",
	"access log":   "Who read which of one's data, with proofs that anybody can verify.",
	"tasks":        "What waits for an official.",
	"orders":       "Payment orders, for treasurers.",
	"operation":    "Outages and jobs that were given up, for operators.",
	"registers":    "Records of registers, for the registrars of the agencies that keep them.",
	"publications": "Packs and how two publishers bring them into force.",
	"appointments": "Who holds which post of an agency, for its registrars.",
	"erasures":     "Erasing by law, for two data protection officers of an agency.",
	"sessions":     "How a program signs a person in and out.",
}

// sharedProblems adds the responses that are the same for many operations, and returns their references by description.
func sharedProblems(components *openapi3.Components) map[string]*openapi3.ResponseRef {
	shared := map[string]*openapi3.ResponseRef{}
	components.Responses = openapi3.ResponseBodies{}
	for name, one := range map[string]struct {
		status int
		codes  []string
	}{
		"TooLarge": {http.StatusRequestEntityTooLarge, []string{"http.too-large"}},
		"TooMany":  {http.StatusTooManyRequests, []string{"http.too-many"}},
		"Internal": {http.StatusInternalServerError, []string{"internal"}},
		"Timeout":  {http.StatusServiceUnavailable, []string{"http.timeout"}},
		"SignIn":   {http.StatusUnauthorized, []string{"access.sign-in", "session.ended"}},
	} {
		response := problemResponse(one.status, one.codes, &openapi3.SchemaRef{
			Ref: "#/components/schemas/Problem", Value: components.Schemas["Problem"].Value,
		})
		components.Responses[name] = &openapi3.ResponseRef{Value: response}
		shared[*response.Description] = &openapi3.ResponseRef{Ref: "#/components/responses/" + name, Value: response}
	}
	return shared
}

func problemResponse(status int, codes []string, problem *openapi3.SchemaRef) *openapi3.Response {
	response := openapi3.NewResponse().WithDescription(http.StatusText(status) + ": " + strings.Join(codes, ", "))
	response.Content = openapi3.Content{route.ProblemType: openapi3.NewMediaType().WithSchemaRef(problem)}
	return response
}

func (o operation) describe(requests, answers *schemas, shared map[string]*openapi3.ResponseRef, profile *country.Profile) *openapi3.Operation {
	described := &openapi3.Operation{
		OperationID: o.id, Tags: []string{o.tag}, Summary: o.summary, Responses: openapi3.NewResponsesWithCapacity(8),
		Security: &openapi3.SecurityRequirements{},
	}
	if o.access.String() != route.Public().String() {
		described.Security = &openapi3.SecurityRequirements{{"bearer": {}}}
		described.Description = "For: " + o.access.String() + "."
	}
	for _, found := range placeholder.FindAllStringSubmatch(o.path, -1) {
		described.AddParameter(openapi3.NewPathParameter(found[1]).WithSchema(openapi3.NewStringSchema()))
	}
	for _, one := range o.query {
		schema := openapi3.NewStringSchema()
		if one.kind == "integer" {
			schema = openapi3.NewIntegerSchema().WithMin(1).WithMax(100)
		}
		described.AddParameter(openapi3.NewQueryParameter(one.name).WithDescription(one.description).WithSchema(schema))
	}
	if o.ifMatch {
		described.AddParameter(openapi3.NewHeaderParameter("If-Match").WithRequired(true).WithSchema(openapi3.NewStringSchema()).
			WithDescription("the ETag that the sender saw"))
	}
	if o.method == http.MethodPost && o.access.String() != route.Public().String() {
		key := openapi3.NewStringSchema().WithMinLength(16).WithMaxLength(255)
		text := "a new random key for each new request; the same request with the same key gets the same answer"
		if slices.Contains(o.codes, codeNotUUID) {
			key = openapi3.NewUUIDSchema()
			text += "; here a UUID of version 7 (RFC 9562) in lower case, of which the application's id is made"
		}
		described.AddParameter(openapi3.NewHeaderParameter("Idempotency-Key").WithSchema(key).WithDescription(text))
	}
	if o.request != nil {
		content := openapi3.NewContentWithJSONSchemaRef(requests.of(reflect.TypeOf(o.request)))
		if o.accepts != "" {
			content[o.accepts] = openapi3.NewMediaType()
		}
		described.RequestBody = &openapi3.RequestBodyRef{Value: openapi3.NewRequestBody().WithRequired(true).WithContent(content)}
	}
	o.describeAnswers(described, answers, shared, profile)
	return described
}

func (o operation) describeAnswers(described *openapi3.Operation, answers *schemas, shared map[string]*openapi3.ResponseRef, profile *country.Profile) {
	success := openapi3.NewResponse().WithDescription(http.StatusText(o.success()))
	switch {
	case o.response != nil && o.produces == "":
		success.Content = openapi3.NewContentWithJSONSchemaRef(answers.of(reflect.TypeOf(o.response)))
	case o.response != nil:
		success.Content = openapi3.Content{o.produces: openapi3.NewMediaType().WithSchemaRef(answers.of(reflect.TypeOf(o.response)))}
	case o.produces != "":
		success.Content = openapi3.Content{o.produces: openapi3.NewMediaType()}
	}
	if o.etag {
		header := &openapi3.Header{Parameter: openapi3.Parameter{Description: "the revision", Schema: openapi3.NewStringSchema().NewRef()}}
		success.Headers = openapi3.Headers{"ETag": {Value: header}}
	}
	described.Responses.Set(strconv.Itoa(o.success()), &openapi3.ResponseRef{Value: success})

	if o.cached {
		described.Responses.Set("304", &openapi3.ResponseRef{Value: openapi3.NewResponse().WithDescription(http.StatusText(http.StatusNotModified))})
	}
	byStatus := map[int][]string{}
	for _, code := range o.problemCodes(profile) {
		status := statusOf(code)
		if !slices.Contains(byStatus[status], code) {
			byStatus[status] = append(byStatus[status], code)
		}
	}
	for status, codes := range byStatus {
		slices.Sort(codes)
		response := problemResponse(status, codes, answers.of(reflect.TypeFor[route.Problem]()))
		reference, ok := shared[*response.Description]
		if !ok {
			reference = &openapi3.ResponseRef{Value: response}
		}
		described.Responses.Set(strconv.Itoa(status), reference)
	}
}

// choice is what a program sends to choose an appointment.
type choice struct {
	Appointment string `json:"appointment" doc:"one of one's own; empty: none, as a resident"`
}

// sessionOperations describe the operations that package signin serves.
func sessionOperations() []operation {
	const path = "/sessions/current"
	timeout := 20 * time.Second
	return []operation{
		{
			id: "beginSession", tag: "sessions", summary: "Begins a session with a person's ID token. The session's token is shown once.",
			method: "POST", path: "/sessions", access: route.Public(), body: smallBody, timeout: timeout, request: signin.Proof{},
			response: signin.Session{}, status: http.StatusCreated,
			codes: []string{"signin.not-trusted", "signin.no-number", "signin.unknown-person", "signin.provider-unavailable", "session.proof-used"},
		},
		{
			id: "showSession", tag: "sessions", summary: "Shows the session.", method: "GET", path: path, access: route.SignedIn(),
			response: signin.Session{},
		},
		{
			id: "chooseAppointment", tag: "sessions", summary: "Chooses the appointment to work in.", method: "PUT", path: path,
			access: route.SignedIn(), body: smallBody, request: choice{}, response: signin.Session{}, codes: []string{"signin.not-your-appointment"},
		},
		{
			id: "endSession", tag: "sessions", summary: "Ends the session.", method: "DELETE", path: path, access: route.SignedIn(),
			status: http.StatusNoContent,
		},
	}
}
