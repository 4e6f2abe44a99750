// Package signin owns how a person proves who they are: with any OpenID Connect provider, by the authorization code flow
// with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1; RFC 7636). Which provider, and which of its claims carries the
// national number, is configuration; the national single sign-on of a country that speaks no OpenID Connect is an adapter
// that plays a provider.
//
// It hands the router a session's owner and the appointments that they hold at that moment, and offers the pages and the
// API by which a session begins, is given an appointment to work in, and ends. A browser holds its session in a cookie; a
// program exchanges an ID token for a bearer token.
//
// Invariants: the national number is passed on to the directory and nowhere else; an ID token opens one session; a new
// sign-in never reuses the token of an earlier session; where a sign-in returns to is a page of this site.
package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/session"
	"yagona/web/route"
)

// Directory finds a person by national number; an unknown one gives NotFound.
type Directory interface {
	ByNumber(ctx context.Context, number string) (ident.Person, error)
}

// Office knows who holds which appointment.
type Office interface {
	// Appointments returns the person's appointments in force at the time.
	Appointments(ctx context.Context, person ident.Person, at time.Time) ([]access.Appointment, error)
}

// Provider says whom to trust with proving who people are.
type Provider struct {
	Issuer   string   // the provider's address, as its ID tokens name it
	Client   string   // this site's client id there
	Secret   string   // this site's client secret there; empty for a public client
	Programs []string // the client ids of programs whose ID tokens open a session of the API
	Number   string   // the claim that carries the national number
	Scopes   []string // asked for beside "openid"
}

// Config is what a Service stands on. All of it is required, but HTTP.
type Config struct {
	Provider  Provider
	Site      *url.URL // this site's own address, without a path: "https://services.example"
	Sessions  *session.Sessions
	Directory Directory
	Office    Office
	Cookies   route.Cookies
	Clock     act.Clock
	HTTP      *http.Client // to the provider; nil: one that gives up after 5 seconds
}

// Service signs people in and out.
type Service struct {
	config Config

	mu       sync.Mutex     // guards provider, which is found when it is first needed: it may start after us
	provider *oidc.Provider // nil until then
}

// New returns the service. It does not talk to the provider yet.
func New(config Config) *Service {
	if config.HTTP == nil {
		config.HTTP = &http.Client{Timeout: 5 * time.Second}
	}
	return &Service{config: config}
}

// The paths of the pages.
const (
	SignInPath      = "/sign-in"
	ReturnPath      = "/sign-in/return"
	SignOutPath     = "/sign-out"
	AppointmentPath = "/sign-in/appointment"
)

// Routes returns the pages and the API of signing in and out.
func (s *Service) Routes() []route.Route {
	return []route.Route{
		{Method: "GET", Pattern: SignInPath, Access: route.Public(), Costly: true, Handle: s.begin},
		{Method: "GET", Pattern: ReturnPath, Access: route.Public(), Costly: true, Timeout: 20 * time.Second, Handle: s.finish},
		{Method: "POST", Pattern: SignOutPath, Access: route.Public(), Body: 1 << 10, Handle: s.signOut},
		{Method: "POST", Pattern: AppointmentPath, Access: route.SignedIn(), Body: 4 << 10, Handle: s.work},
		{
			Method: "POST", Pattern: "/api/v1/sessions", Face: route.Program, Access: route.Public(), Body: 16 << 10,
			Timeout: 20 * time.Second, Handle: s.exchange,
		},
		{
			Method: "GET", Pattern: "/api/v1/sessions/current", Face: route.Program, Access: route.SignedIn(), Handle: s.current,
		},
		{
			Method: "PUT", Pattern: "/api/v1/sessions/current", Face: route.Program, Access: route.SignedIn(), Body: 4 << 10,
			Handle: s.change,
		},
		{
			Method: "DELETE", Pattern: "/api/v1/sessions/current", Face: route.Program, Access: route.SignedIn(), Handle: s.end,
		},
	}
}

// Recognise implements route.Recognise.
func (s *Service) Recognise(ctx context.Context, token session.Token) (session.Session, []access.Appointment, error) {
	found, err := s.config.Sessions.Find(ctx, token)
	if err != nil {
		return session.Session{}, nil, err
	}
	held, err := s.config.Office.Appointments(ctx, found.Person, s.config.Clock())
	return found, held, err
}

// attempt is one sign-in on its way, kept by the browser that began it.
type attempt struct {
	State, Nonce, Verifier, Next string
	Shared                       bool // several people use the device
}

const (
	attemptCookie  = "sign-in"
	attemptSeconds = 600
)

// begin sends the browser to the provider.
func (s *Service) begin(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
	client, _, err := s.client(r.Context())
	if err != nil {
		return err
	}
	going := attempt{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
		Next: route.LocalPath(r.URL.Query().Get("next")), Shared: r.URL.Query().Has("shared"),
	}
	kept, err := json.Marshal(going)
	if err != nil {
		return err
	}
	s.config.Cookies.Set(w, attemptCookie, base64.RawURLEncoding.EncodeToString(kept), attemptSeconds)
	there := client.AuthCodeURL(going.State, oidc.Nonce(going.Nonce), oauth2.S256ChallengeOption(going.Verifier))
	return route.Redirect(w, r, there)
}

// finish takes the browser back from the provider and begins its session.
func (s *Service) finish(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	going, err := s.attempt(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(going.State)) != 1 {
		return errStale
	}
	if query.Get("code") == "" { // RFC 6749, 4.1.2.1
		return fault.New(fault.Unauthorized, "signin.not-proved",
			"You were not signed in, because the sign-in was stopped there. You can begin again.")
	}
	claims, err := s.redeem(r.Context(), query.Get("code"), going)
	if err != nil {
		return err
	}
	person, err := s.person(r.Context(), claims)
	if err != nil {
		return err
	}
	if v.SignedIn() {
		if err := s.config.Sessions.Revoke(r.Context(), v.Session.Digest); err != nil {
			return err
		}
	}
	token, _, err := s.config.Sessions.Start(r.Context(), person, session.Browser, going.Shared)
	if err != nil {
		return err
	}
	s.config.Cookies.Set(w, attemptCookie, "", -1)
	s.config.Cookies.Set(w, route.SessionCookie, string(token), 0)
	return route.Redirect(w, r, going.Next)
}

var errStale = fault.New(fault.Unauthorized, "signin.stale",
	"This sign-in took too long, was done in another window, or was not begun here. Begin again.")

func (s *Service) attempt(r *http.Request) (going attempt, err error) {
	kept, err := base64.RawURLEncoding.DecodeString(s.config.Cookies.Value(r, attemptCookie))
	if err != nil || json.Unmarshal(kept, &going) != nil || going.State == "" || going.Nonce == "" {
		return attempt{}, errStale
	}
	going.Next = route.LocalPath(going.Next)
	return going, nil
}

// redeem exchanges the code and checks the ID token that comes for it.
func (s *Service) redeem(ctx context.Context, code string, going attempt) (map[string]any, error) {
	client, provider, err := s.client(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := client.Exchange(oidc.ClientContext(ctx, s.config.HTTP), code, oauth2.VerifierOption(going.Verifier))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.ErrorCode == "invalid_grant" {
		return nil, errStale.Because(errors.New("the provider refused the code"))
	}
	if err != nil {
		return nil, unavailable(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	proof, err := provider.Verifier(s.verifier(s.config.Provider.Client)).Verify(oidc.ClientContext(ctx, s.config.HTTP), raw)
	if err != nil {
		return nil, distrusted(err)
	}
	if subtle.ConstantTimeCompare([]byte(proof.Nonce), []byte(going.Nonce)) != 1 {
		return nil, errStale
	}
	claims, err := claimsOf(proof)
	if _, there := claims[s.config.Provider.Number]; err != nil || there || provider.UserInfoEndpoint() == "" {
		return claims, err
	}
	// A provider may give what it knows of a person at its UserInfo endpoint only (OpenID Connect Core 1.0, section 5.4).
	told, err := provider.UserInfo(oidc.ClientContext(ctx, s.config.HTTP), oauth2.StaticTokenSource(tokens))
	if err != nil {
		return nil, unavailable(err)
	}
	if told.Subject != proof.Subject { // section 5.3.2: else it may be somebody else's
		return nil, distrusted(errors.New("the UserInfo endpoint tells of another person than the ID token"))
	}
	if told.Claims(&claims) != nil {
		return nil, distrusted(errors.New("the claims are not JSON"))
	}
	return claims, nil
}

func claimsOf(proof *oidc.IDToken) (map[string]any, error) {
	var claims map[string]any
	if err := proof.Claims(&claims); err != nil {
		return nil, distrusted(errors.New("the claims are not JSON"))
	}
	return claims, nil
}

// distrusted is what an ID token that does not hold gets. The reason is the verifier's: it names claims, not people.
func distrusted(err error) error {
	return fault.New(fault.Unauthorized, "signin.not-trusted",
		"The proof of who you are is not valid here, or not any more. Sign in again.").Because(err)
}

func unavailable(err error) error {
	return fault.New(fault.Unavailable, "signin.provider-unavailable",
		"The sign-in service does not answer at the moment. Try again in a few minutes.").Because(err)
}

// person finds whom the claims are about.
func (s *Service) person(ctx context.Context, claims map[string]any) (ident.Person, error) {
	number, _ := claims[s.config.Provider.Number].(string)
	if number == "" {
		return "", fault.New(fault.Forbidden, "signin.no-number",
			"The sign-in service did not say your national number, so we cannot tell who you are. Ask it to confirm your identity.")
	}
	person, err := s.config.Directory.ByNumber(ctx, number)
	if fault.Is(err, fault.NotFound) {
		return "", fault.New(fault.Forbidden, "signin.unknown-person",
			"You are signed in there, but not known here yet. Ask for help at a public service centre.")
	}
	return person, err
}

// client returns this site as the provider's client.
func (s *Service) client(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.provider == nil {
		// The provider keeps the context to fetch keys later: it must not end with this request.
		found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), s.config.HTTP), s.config.Provider.Issuer)
		if err != nil {
			return nil, nil, unavailable(err)
		}
		s.provider = found
	}
	return &oauth2.Config{
		ClientID: s.config.Provider.Client, ClientSecret: s.config.Provider.Secret, Endpoint: s.provider.Endpoint(),
		RedirectURL: s.config.Site.JoinPath(ReturnPath).String(),
		Scopes:      append([]string{oidc.ScopeOpenID}, s.config.Provider.Scopes...),
	}, s.provider, nil
}

func (s *Service) verifier(client string) *oidc.Config {
	return &oidc.Config{ClientID: client, SkipClientIDCheck: client == "", Now: s.config.Clock}
}

func (s *Service) signOut(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	if v.SignedIn() {
		if err := s.config.Sessions.Revoke(r.Context(), v.Session.Digest); err != nil {
			return err
		}
	}
	s.config.Cookies.Set(w, route.SessionCookie, "", -1)
	w.Header().Set("Clear-Site-Data", `"cache"`)
	if v.Session.Shared { // nothing is left to whoever comes next, not even the language
		w.Header().Set("Clear-Site-Data", `"cache", "cookies"`)
	}
	return route.Redirect(w, r, "/")
}

// work takes up one of the visitor's own appointments.
func (s *Service) work(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	if err := route.ReadForm(r); err != nil {
		return err
	}
	if err := s.choose(r.Context(), v, ident.Appointment(r.PostForm.Get("appointment"))); err != nil {
		return err
	}
	return route.Redirect(w, r, route.LocalPath(r.PostForm.Get("next")))
}

// choose holds the wish to the records: a request picks among what its person holds, and nothing else.
func (s *Service) choose(ctx context.Context, v route.Visitor, wanted ident.Appointment) error {
	held := slices.ContainsFunc(v.Appointments, func(a access.Appointment) bool { return a.ID == wanted })
	if wanted != "" && !held {
		return fault.New(fault.Forbidden, "signin.not-your-appointment",
			"This is not an appointment that you hold now. Choose one of yours.").At("appointment")
	}
	return s.config.Sessions.Work(ctx, v.Session.Digest, wanted)
}

// proofAge is how long after it was issued an ID token opens a session of the API.
const proofAge = 5 * time.Minute

// Session is a session as the API shows it.
type Session struct {
	ID           ident.Session     `json:"id"`
	Person       ident.Person      `json:"person"`
	Ends         time.Time         `json:"ends"`
	Appointment  ident.Appointment `json:"appointment,omitempty"` // the one that the person acts by
	Appointments []Appointment     `json:"appointments"`          // those to choose among
	Token        session.Token     `json:"token,omitempty"`       // once, when the session begins: send it as a bearer token
}

// Appointment is an appointment as the API shows it.
type Appointment struct {
	ID        ident.Appointment `json:"id"`
	Agency    ident.Agency      `json:"agency"`
	Role      ident.Role        `json:"role"`
	Territory ident.Territory   `json:"territory,omitempty"`
}

func shown(v route.Visitor) Session {
	view := Session{
		ID: v.Session.ID, Person: v.Session.Person, Ends: v.Session.Ends, Appointments: list(v.Appointments),
	}
	if v.Actor.Appointment != nil {
		view.Appointment = v.Actor.Appointment.ID
	}
	return view
}

func list(held []access.Appointment) []Appointment {
	view := make([]Appointment, len(held))
	for i, one := range held {
		view[i] = Appointment{ID: one.ID, Agency: one.Agency, Role: one.Role, Territory: one.Territory}
	}
	return view
}

// Proof is what a program sends to sign a person in.
type Proof struct {
	IDToken string `json:"id_token"`
}

// exchange begins a session for a program that holds a person's ID token.
func (s *Service) exchange(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
	var wish Proof
	if err := route.ReadJSON(r, &wish); err != nil {
		return err
	}
	_, provider, err := s.client(r.Context())
	if err != nil {
		return err
	}
	proof, err := provider.Verifier(s.verifier("")).Verify(oidc.ClientContext(r.Context(), s.config.HTTP), wish.IDToken)
	if err != nil {
		return distrusted(err)
	}
	known := func(audience string) bool { return slices.Contains(s.config.Provider.Programs, audience) }
	if len(proof.Audience) != 1 || !known(proof.Audience[0]) {
		return distrusted(errors.New("the ID token was issued to a client that is no program of ours"))
	}
	if s.config.Clock().After(proof.IssuedAt.Add(proofAge)) {
		return distrusted(errors.New("the ID token is too old to begin a session with"))
	}
	claims, err := claimsOf(proof)
	if err != nil {
		return err
	}
	person, err := s.person(r.Context(), claims)
	if err != nil {
		return err
	}
	// A token is spent by its signed part: another encoding of the same signature is no other proof.
	signed := wish.IDToken[:strings.LastIndexByte(wish.IDToken, '.')]
	if err := s.config.Sessions.Spend(r.Context(), signed, proof.Expiry); err != nil {
		return err
	}
	token, begun, err := s.config.Sessions.Start(r.Context(), person, session.Program, false)
	if err != nil {
		return err
	}
	held, err := s.config.Office.Appointments(r.Context(), person, s.config.Clock())
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/api/v1/sessions/current")
	return route.WriteJSON(w, http.StatusCreated, Session{
		ID: begun.ID, Person: person, Ends: begun.Ends, Appointments: list(held), Token: token,
	})
}

func (s *Service) current(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
	return route.WriteJSON(w, http.StatusOK, shown(v))
}

// change takes up another appointment.
func (s *Service) change(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	var wish struct {
		Appointment ident.Appointment `json:"appointment"`
	}
	if err := route.ReadJSON(r, &wish); err != nil {
		return err
	}
	if err := s.choose(r.Context(), v, wish.Appointment); err != nil {
		return err
	}
	view := shown(v)
	view.Appointment = wish.Appointment
	return route.WriteJSON(w, http.StatusOK, view)
}

func (s *Service) end(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	if err := s.config.Sessions.Revoke(r.Context(), v.Session.Digest); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
