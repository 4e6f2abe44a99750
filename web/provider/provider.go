// Package provider owns the demonstration's sign-in service: a small OpenID Connect provider that plays the national
// single sign-on for synthetic people. Whoever comes chooses whom to be; there are no passwords, and the page says so. It
// exists so that the demonstration runs with nothing else, over the same protocol as the real thing.
//
// It hands ID tokens to clients by the authorization code flow alone (OpenID Connect Core 1.0, 3.1). It keeps everything in
// memory: its signing key is new at each start.
//
// Invariants: it runs in demonstration mode only; a code is good once, for a minute, for the client and the redirect
// address that asked for it, and only with the PKCE verifier that belongs to it (S256); a redirect address is compared
// character by character; a code that comes twice takes back the access token that it gave.
package provider

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/wording"
	"yagona/web/route"
	"yagona/web/ui"
)

// NumberClaim is the claim that carries a person's national number.
const NumberClaim = "national_number"

// Person is a synthetic person whom a visitor of the demonstration can be.
type Person struct {
	Number string // national number, valid-looking and invented
	Name   string
	About  wording.Text // who they are in the story: "22 years, unemployed"
}

// People are the synthetic people of the demonstration.
type People interface {
	// Search returns at most limit people whose name or number contains the text; all of them match "".
	Search(ctx context.Context, text string, limit int) ([]Person, error)
	// ByNumber returns the person, and false if there is none.
	ByNumber(ctx context.Context, number string) (Person, bool, error)
}

// Client is a site or a program that may ask who someone is.
type Client struct {
	ID        string
	Secret    string   // empty: a public client, which PKCE alone protects
	Redirects []string // whole addresses
}

// Config is what a Provider stands on.
type Config struct {
	// Demonstration must be true: New refuses to start anywhere else.
	Demonstration bool
	Issuer        *url.URL // the site's address and the provider's path on it: "http://127.0.0.1:8080/demo-sign-in"
	Clients       []Client
	People        People
	House         *ui.House
	Clock         act.Clock
}

// Provider plays the national single sign-on.
type Provider struct {
	config Config
	signer jose.Signer
	keys   jose.JSONWebKeySet

	mu     sync.Mutex             // guards grants and tokens
	grants map[string]*grant      // by code
	tokens map[string]accessToken // by access token
}

// grant is a code that was given out.
type grant struct {
	client, redirect, challenge, nonce string
	person                             Person
	ends                               time.Time
	token                              string // the access token that it gave, once it was used
}

type accessToken struct {
	person Person
	ends   time.Time
}

const (
	codeAge   = time.Minute
	tokenAge  = 5 * time.Minute
	shown     = 30    // people on the page
	maxGrants = 10000 // codes or tokens in memory
)

// New returns a provider with a new key. Outside of demonstration mode it returns an error.
func New(config Config) (*Provider, error) {
	if !config.Demonstration {
		return nil, fault.New(fault.Forbidden, "provider.demonstration-only",
			"The demonstration's sign-in lets everyone be anyone: it runs in demonstration mode only. Configure a real provider.")
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	id := rand.Text()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: id}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	public := jose.JSONWebKey{Key: key.Public(), KeyID: id, Algorithm: string(jose.RS256), Use: "sig"}
	return &Provider{
		config: config, signer: signer, keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}},
		grants: map[string]*grant{}, tokens: map[string]accessToken{},
	}, nil
}

// Routes returns the provider's endpoints, under the path of its issuer.
func (p *Provider) Routes() []route.Route {
	at := func(method, path string, face route.Face, body int64, handle route.Handler) route.Route {
		return route.Route{
			Method: method, Pattern: "/" + strings.Trim(p.config.Issuer.Path, "/") + path, Face: face, Access: route.Public(), Body: body, Handle: handle,
		}
	}
	return []route.Route{
		at("GET", "/.well-known/openid-configuration", route.Program, 0, p.discover),
		at("GET", "/jwks", route.Program, 0, p.publish),
		at("GET", "/authorize", route.Page, 0, p.ask),
		at("POST", "/authorize", route.Page, 16<<10, p.answer),
		at("POST", "/token", route.Program, 16<<10, p.token),
		at("GET", "/userinfo", route.Program, 0, p.userinfo),
	}
}

// discover answers by OpenID Connect Discovery 1.0, 3.
func (p *Provider) discover(w http.ResponseWriter, _ *http.Request, _ route.Visitor) error {
	at := func(path string) string { return p.config.Issuer.JoinPath(path).String() }
	return route.WriteJSON(w, http.StatusOK, map[string]any{
		"issuer": p.config.Issuer.String(), "authorization_endpoint": at("authorize"), "token_endpoint": at("token"),
		"jwks_uri": at("jwks"), "userinfo_endpoint": at("userinfo"),
		"response_types_supported": []string{"code"}, "response_modes_supported": []string{"query"},
		"grant_types_supported": []string{"authorization_code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "scopes_supported": []string{"openid", "profile"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post", "none"},
		"code_challenge_methods_supported":               []string{"S256"},
		"claims_supported":                               []string{"sub", "name", NumberClaim},
		"authorization_response_iss_parameter_supported": true,
	})
}

func (p *Provider) publish(w http.ResponseWriter, _ *http.Request, _ route.Visitor) error {
	return route.WriteJSON(w, http.StatusOK, p.keys)
}

// wish is a request to be told who someone is.
type wish struct {
	client   Client
	redirect *url.URL
	values   url.Values
}

// asked are the parameters of a wish, which the page carries on to its answer.
var asked = []string{
	"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
}

// read checks who asks. Only when client and address are known may an error go back to the client (RFC 6749, 4.1.2.1).
func (p *Provider) read(values url.Values) (wish, error) {
	known := slices.IndexFunc(p.config.Clients, func(c Client) bool { return c.ID == values.Get("client_id") })
	if known < 0 {
		return wish{}, fault.New(fault.Invalid, "provider.unknown-client",
			"The site that sent you here is not known. Go back and begin again.")
	}
	client := p.config.Clients[known]
	redirect := values.Get("redirect_uri")
	if !slices.Contains(client.Redirects, redirect) {
		return wish{}, fault.New(fault.Invalid, "provider.unknown-redirect",
			"The site that sent you here wants the answer at an address that it has not registered. Go back and begin again.")
	}
	address, err := url.Parse(redirect)
	return wish{client, address, values}, err
}

// refusal returns the protocol's error code for a wish that this provider does not grant, or "".
func (w wish) refusal() string {
	switch {
	case w.values.Get("response_type") != "code":
		return "unsupported_response_type"
	case !slices.Contains(strings.Fields(w.values.Get("scope")), "openid"):
		return "invalid_scope"
	case w.values.Get("code_challenge_method") != "S256" || len(w.values.Get("code_challenge")) != 43:
		return "invalid_request" // PKCE is required
	case w.values.Get("prompt") == "none":
		return "login_required" // nobody is ever signed in here
	}
	return ""
}

// back returns to the client with an answer.
func (p *Provider) back(w http.ResponseWriter, r *http.Request, asked wish, name, value string) error {
	query := asked.redirect.Query()
	query.Set(name, value)
	query.Set("iss", p.config.Issuer.String()) // RFC 9207
	if state := asked.values.Get("state"); state != "" {
		query.Set("state", state)
	}
	there := *asked.redirect
	there.RawQuery = query.Encode()
	return route.Redirect(w, r, there.String())
}

// ask shows the people whom a visitor can be.
func (p *Provider) ask(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	asked, err := p.read(r.URL.Query())
	if err != nil {
		return err
	}
	if code := asked.refusal(); code != "" {
		return p.back(w, r, asked, "error", code)
	}
	return p.choose(w, r, v, asked, "", "")
}

func (p *Provider) choose(w http.ResponseWriter, r *http.Request, v route.Visitor, wished wish, search, mistake string) error {
	people, err := p.config.People.Search(r.Context(), search, shown)
	if err != nil {
		return err
	}
	say := func(key string) string { return p.config.House.Text(v.Language, "demonstration."+key, nil) }
	var hidden []ui.Hidden
	for _, name := range asked {
		hidden = append(hidden, ui.Hidden{Name: name, Value: wished.values.Get(name)})
	}
	choice := ui.Choice{Question: ui.Question{Name: "person", Label: say("who"), Error: mistake}}
	for _, one := range people {
		choice.Options = append(choice.Options, ui.Option{Value: one.Number, Label: one.Name, Hint: one.About.In(v.Language)})
	}
	form := ui.Form{Hidden: hidden, Fields: []ui.Component{
		choice,
		ui.TextInput{
			Question: ui.Question{Name: "number", Label: say("number"), Hint: say("number-hint")},
			Short:    true, Keyboard: "numeric",
		},
		ui.TextInput{Question: ui.Question{Name: "search", Label: say("search")}, Value: search},
	}, Buttons: ui.Buttons{
		{Key: "actions.sign-in"},
		{Key: "actions.search", Name: "do", Value: "search", Quiet: true},
		{Key: "actions.cancel", Name: "do", Value: "cancel", Quiet: true},
	}}
	frame := ui.FrameOf(v)
	frame.Bare = true
	route.AllowFormTarget(w, wished.redirect)
	status := http.StatusOK
	if mistake != "" {
		status = http.StatusUnprocessableEntity
	}
	return p.config.House.Render(w, status, frame, ui.Page{
		Title: say("title"), Lead: say("lead"),
		Banner: &ui.Banner{Tone: ui.Wait, Title: say("warning"), Text: say("advice")},
		Body:   []ui.Component{form},
	})
}

// answer takes the choice and returns to the client with a code.
func (p *Provider) answer(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	if err := route.ReadForm(r); err != nil {
		return err
	}
	wished, err := p.read(r.PostForm)
	if err != nil {
		return err
	}
	if code := wished.refusal(); code != "" {
		return p.back(w, r, wished, "error", code)
	}
	switch r.PostForm.Get("do") {
	case "cancel":
		return p.back(w, r, wished, "error", "access_denied")
	case "search":
		return p.choose(w, r, v, wished, strings.TrimSpace(r.PostForm.Get("search")), "")
	}
	number := r.PostForm.Get("person")
	if typed := strings.TrimSpace(r.PostForm.Get("number")); typed != "" {
		number = typed
	}
	person, found, err := p.config.People.ByNumber(r.Context(), number)
	if err != nil {
		return err
	}
	if !found {
		return p.choose(w, r, v, wished, "", p.config.House.Text(v.Language, "demonstration.mistake", nil))
	}
	code := rand.Text()
	p.mu.Lock()
	p.sweep()
	p.grants[code] = &grant{
		client: wished.client.ID, redirect: wished.values.Get("redirect_uri"), challenge: wished.values.Get("code_challenge"),
		nonce: wished.values.Get("nonce"), person: person, ends: p.config.Clock().Add(codeAge),
	}
	p.mu.Unlock()
	return p.back(w, r, wished, "code", code)
}

// sweep forgets what is over; a used code is remembered as long as its access token. The caller holds mu.
func (p *Provider) sweep() {
	now := p.config.Clock()
	for code, one := range p.grants {
		if now.After(one.ends.Add(tokenAge)) || len(p.grants) >= maxGrants {
			delete(p.grants, code)
		}
	}
	for token, one := range p.tokens {
		if now.After(one.ends) || len(p.tokens) >= maxGrants {
			delete(p.tokens, token)
		}
	}
}

// token exchanges a code for tokens. Its errors have the form of RFC 6749, 5.2.
func (p *Provider) token(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
	if err := route.ReadForm(r); err != nil {
		return err
	}
	client, ok := p.authenticate(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
		return refuse(w, http.StatusUnauthorized, "invalid_client")
	}
	if r.PostForm.Get("grant_type") != "authorization_code" {
		return refuse(w, http.StatusBadRequest, "unsupported_grant_type")
	}
	access := rand.Text()
	given, ok := p.use(r.PostForm, client, access)
	if !ok {
		return refuse(w, http.StatusBadRequest, "invalid_grant")
	}
	signed, err := p.sign(given)
	if err != nil {
		return err
	}
	w.Header().Set("Pragma", "no-cache")
	return route.WriteJSON(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(tokenAge.Seconds()),
		"id_token": signed, "scope": "openid profile",
	})
}

func refuse(w http.ResponseWriter, status int, code string) error {
	return route.WriteJSON(w, status, map[string]string{"error": code})
}

// authenticate tells which client asks (RFC 6749, 2.3.1).
func (p *Provider) authenticate(r *http.Request) (Client, bool) {
	id, secret, basic := r.BasicAuth()
	if basic {
		var err, other error
		id, err = url.QueryUnescape(id)
		secret, other = url.QueryUnescape(secret)
		if err != nil || other != nil {
			return Client{}, false
		}
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	for _, client := range p.config.Clients {
		if client.ID == id {
			return client, subtle.ConstantTimeCompare([]byte(client.Secret), []byte(secret)) == 1
		}
	}
	return Client{}, false
}

// use takes a code, once.
func (p *Provider) use(form url.Values, client Client, access string) (grant, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep()
	found, ok := p.grants[form.Get("code")]
	if !ok {
		return grant{}, false
	}
	if found.token != "" { // used before: someone has copied it (RFC 6749, 4.1.2)
		delete(p.tokens, found.token)
		return grant{}, false
	}
	challenge := sha256.Sum256([]byte(form.Get("code_verifier"))) // RFC 7636, 4.6
	proved := base64.RawURLEncoding.EncodeToString(challenge[:])
	if found.client != client.ID || found.redirect != form.Get("redirect_uri") || p.config.Clock().After(found.ends) ||
		subtle.ConstantTimeCompare([]byte(proved), []byte(found.challenge)) != 1 {
		return grant{}, false
	}
	found.token = access
	p.tokens[access] = accessToken{found.person, p.config.Clock().Add(tokenAge)}
	return *found, true
}

// sign makes the ID token. The subject is a digest: the number stands in its own claim only.
func (p *Provider) sign(given grant) (string, error) {
	now := p.config.Clock()
	claims, err := json.Marshal(struct {
		Issuer   string           `json:"iss"`
		Audience string           `json:"aud"`
		Issued   *jwt.NumericDate `json:"iat"`
		Expires  *jwt.NumericDate `json:"exp"`
		Nonce    string           `json:"nonce,omitempty"`
		person
	}{
		p.config.Issuer.String(), given.client, jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(tokenAge)), given.nonce,
		claimsOf(given.person),
	})
	if err != nil {
		return "", err
	}
	signed, err := p.signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// person is what the provider tells of someone.
type person struct {
	Subject string `json:"sub"`
	Name    string `json:"name"`
	Number  string `json:"national_number"`
}

func claimsOf(one Person) person {
	sum := sha256.Sum256([]byte("demonstration subject " + one.Number))
	return person{base64.RawURLEncoding.EncodeToString(sum[:16]), one.Name, one.Number}
}

// userinfo tells of whom an access token was given (OpenID Connect Core 1.0, 5.3).
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	found, ok := p.tokens[token]
	p.mu.Unlock()
	if !ok || p.config.Clock().After(found.ends) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		return refuse(w, http.StatusUnauthorized, "invalid_token")
	}
	return route.WriteJSON(w, http.StatusOK, claimsOf(found.person))
}
