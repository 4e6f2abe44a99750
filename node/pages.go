package node

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"path/filepath"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/register"
	"yagona/kernel/service"
	"yagona/kernel/session"
	"yagona/kernel/wording"
	"yagona/pack"
	"yagona/std/c2sp"
	"yagona/std/wholefile"
	"yagona/store"
	"yagona/store/query"
	correcting "yagona/web/correction"
	"yagona/web/desk"
	counted "yagona/web/indicator"
	"yagona/web/log"
	"yagona/web/notebook"
	offering "yagona/web/offer"
	"yagona/web/opendata"
	"yagona/web/page"
	passkeys "yagona/web/passkey"
	"yagona/web/portal"
	practising "yagona/web/practice"
	"yagona/web/provider"
	representing "yagona/web/representation"
	"yagona/web/route"
	"yagona/web/signin"
	simulating "yagona/web/simulation"
	"yagona/web/studio"
	"yagona/web/till"
	"yagona/web/ui"
)

// The demonstration's sign-in: its path on the site, and the client id under which the site is known there.
const (
	DemonstrationPath   = "/demo-sign-in"
	DemonstrationClient = "yagona"
	// DemonstrationProgram is the client id of programs that use the API of a demonstration.
	DemonstrationProgram = "yagona-program"
)

// openPages makes the handler: the pages, the API, the sign-in, the log.
func (n *Node) openPages(ctx context.Context) error {
	house, err := ui.New("Yagona", n.Words.Catalogue, desk.Templates(), studio.Templates(), passkeys.Templates())
	if err != nil {
		return err
	}
	house.Practice = n.Practice != nil
	cookies := route.Cookies{Secure: n.config.Site.Scheme == "https"}
	trusted := signin.Provider{
		Issuer: n.config.Provider.Issuer, Client: n.config.Provider.Client, Secret: n.config.Provider.Secret, Number: n.config.Provider.Number,
	}
	issuer := *n.config.Site
	issuer.Path = DemonstrationPath
	if n.config.Demonstration && trusted.Issuer == "" {
		trusted = signin.Provider{
			Issuer: issuer.String(), Client: DemonstrationClient, Number: provider.NumberClaim, Programs: []string{DemonstrationProgram},
		}
	}
	entrance := signin.New(signin.Config{
		Provider: trusted, Site: n.config.Site, Sessions: n.Sessions, Directory: n.People, Office: n.Office, Cookies: cookies, Clock: n.config.Clock,
	})
	shared := &page.Shared{House: house, Words: n.Words, Clock: n.config.Clock, Names: func() page.Names { return n.Catalogue() }, Boundaries: n.boundaries}
	house.Named = shared.Named
	var siblings route.Siblings
	others, several := n.DB.(store.Shared)
	if several {
		siblings = route.Siblings{Key: n.digest, Tell: others.Tell}
	}
	router := route.New(route.Config{
		Recognise: entrance.Recognise, ErrorPage: shared.ErrorPage, Say: house.Say, Languages: n.Profile.Languages, Cookies: cookies,
		SignIn: signin.SignInPath, Refused: n.refused, Answers: session.NewAnswers(query.For[session.Reader, session.Tx](n.store), 0),
		Log: n.config.Log, Observe: n.Telemetry.Request, Now: n.config.Clock, Limits: n.config.Limits, Siblings: siblings, Proxies: n.config.Proxies,
	})
	if several {
		others.OnTold(router.Hear)
	}
	router.Add(entrance.Routes()...)
	router.Add(house.Routes()...)
	router.Add(n.api(house.Say)...)
	if err := n.addPages(router, shared); err != nil {
		return err
	}
	if n.config.Demonstration && n.config.Till == nil {
		played, err := till.Open(till.Config{
			Site: n.config.Site, House: house, Money: n.Words.Money, Clock: n.config.Clock, Tell: fees{n}.Look,
			Path: filepath.Join(n.config.Folder, tillFile), Write: wholefile.Write,
		})
		if err != nil {
			return err
		}
		n.config.Till = played
		router.Add(played.Routes()...)
	}
	if n.config.Demonstration {
		program := provider.Client{ID: DemonstrationProgram, Redirects: []string{"http://127.0.0.1/return"}}
		site := provider.Client{ID: DemonstrationClient, Redirects: []string{n.config.Site.String() + signin.ReturnPath}}
		demonstration, err := provider.New(provider.Config{
			Demonstration: true, Issuer: &issuer, Clients: []provider.Client{site, program}, People: n.config.People, House: house, Clock: n.config.Clock,
		})
		if err != nil {
			return err
		}
		router.Add(demonstration.Routes()...)
		router.Add(house.Gallery()...)
	}
	mux := http.NewServeMux()
	mux.Handle("/", router)
	beside := map[string]http.Handler{
		"/log/": log.Handler(n.Log, n.config.Log), "GET " + HealthPath: http.HandlerFunc(healthy), "GET " + ReadyPath: n.readiness(),
	}
	for pattern, handler := range beside {
		mux.Handle(pattern, handler)
	}
	n.Beside = slices.Sorted(maps.Keys(beside))
	n.Handler = mux
	n.Router = router
	return nil
}

// addPages adds the pages of residents and of officials.
func (n *Node) addPages(router *route.Router, shared *page.Shared) error {
	house := shared.House
	books := query.For[ledger.Reader, ledger.Tx](n.store)
	router.Add(portal.New(portal.Config{
		Shared: shared, Services: func() *service.Catalogue { return n.Catalogue().Services }, Applications: n.Casework,
		Documents: n.Documents, Keys: n.Keys, Orders: books, Notices: n.Notices, Fees: fees{n}, Representatives: n.Representatives, Courier: n.Courier,
		Readings: n.readings,
		Trail:    n.trail,
		Site:     n.config.Site,
		Origin:   n.Origin(), LogKey: n.logKey,
	}).Routes()...)
	router.Add(opendata.New(opendata.Config{
		Site: n.config.Site, Title: house.Site(), Services: func() *service.Catalogue { return n.Catalogue().Services },
		Agency: func(name ident.Agency) wording.Text { return n.Catalogue().Agency(name) }, Words: n.Words, Clock: n.config.Clock,
		Licences: n.Casework.Licences,
	}).Routes()...)
	router.Add(counted.New(counted.Config{
		Shared: shared, Figures: n.Indicators, Indicators: func() *indicator.Catalogue { return n.Catalogue().Indicators },
	}).Routes()...)
	router.Add(correcting.New(correcting.Config{
		Shared: shared, Corrections: n.Corrections, Registers: n.Registers, Readings: n.readings,
	}).Routes()...)
	router.Add(notebook.New(notebook.Config{
		Shared: shared, Registers: n.Registers, Catalogue: func() *register.Catalogue { return n.Catalogue().Registers },
	}).Routes()...)
	signing, err := passkeys.New(passkeys.Config{
		Shared: shared, Passkeys: n.Passkeys, Readings: n.readings, Site: n.config.Site, Key: n.digest,
	})
	if err != nil {
		return err
	}
	router.Add(signing.Routes()...)
	router.Add(representing.New(representing.Config{
		Shared: shared, Representatives: n.Representatives, Applications: n.Casework,
		Services: func() *service.Catalogue { return n.Catalogue().Services }, Readings: n.readings,
	}).Routes()...)
	router.Add(offering.New(offering.Config{
		Shared: shared, Applications: n.Casework, Participations: n.Participations, Readings: n.readings,
	}).Routes()...)
	router.Add(simulating.New(simulating.Config{
		Shared: shared, Simulations: n.Simulator, Services: func() *service.Catalogue { return n.Catalogue().Services },
	}).Routes()...)
	office, err := desk.New(house.Site(), desk.Config{
		Shared: shared, Tasks: n.Casework, Helping: n.Casework, Photos: n.Casework, Signing: signing, People: n.People, Site: n.config.Site.String(),
		Services: func() *service.Catalogue { return n.Catalogue().Services },
		Office:   n.Office, Orders: n.Ledger, Books: books,
	})
	if err != nil {
		return err
	}
	router.Add(office.Routes()...)
	writing, err := studio.New(studio.Config{
		Shared: shared, Press: n.Press, Drafting: n.Drafting, Examine: n.examine, InForce: func() []*pack.Pack { return n.Catalogue().Packs.Packs },
	})
	if err != nil {
		return err
	}
	router.Add(writing.Routes()...)
	if n.Practice != nil {
		router.Add(practising.New(practising.Config{Shared: shared, Ground: n.Practice}).Routes()...)
	}
	return nil
}

// logKey returns the public key that verifies the newest published checkpoint as verifiers take it: "name+hash+key". Before
// the first one it is the key that signs next.
func (n *Node) logKey(ctx context.Context) (string, error) {
	var published []byte
	err := n.DB.View(ctx, func(tx *query.Tx) error {
		head, err := tx.LogHead()
		published = head.Published
		return err
	})
	if err != nil {
		return "", err
	}
	public := ""
	for _, key := range n.Keys.Keys() {
		if key.Holder != LogHolder || public != "" && key.From.After(n.config.Clock()) {
			continue
		}
		if public, err = note.NewEd25519VerifierKey(n.Origin(), key.Public); err != nil {
			return "", err
		}
		verifier, err := note.NewVerifier(public)
		if err != nil {
			return "", err
		}
		if _, _, err := c2sp.Open(published, verifier); err == nil {
			return public, nil
		}
	}
	if public == "" {
		return "", errors.New("there is no key to sign the log with")
	}
	return public, nil
}

// refused journals a refusal: of a signed-in visitor one event that names them, what they asked for and why they did not
// get it; of visitors without a session only how many there were. It tells nothing of a subject: the thing may be nobody's.
func (n *Node) refused(ctx context.Context, visitor route.Visitor, refusal route.Refusal) {
	if !visitor.SignedIn() {
		n.Refusals.Count(refusal.Route.Name() + " " + refusal.Reason.Code)
		return
	}
	actor := visitor.Actor.Journal()
	store := query.For[journal.Reader, journal.Tx](n.store)
	err := store.Update(context.WithoutCancel(ctx), act.Of(visitor.Actor.Person.Subject()), func(tx journal.Tx) error {
		_, err := journal.Append(tx, nil, journal.Event{
			Type: "access.refused", Actor: actor, Object: refusal.Object,
			Facts: map[string]string{"route": refusal.Route.Name(), "reason": refusal.Reason.Code},
		})
		return err
	})
	if err != nil { // it stays refused, and is at least counted
		n.config.Log.ErrorContext(ctx, "journaling a refusal failed", "route", refusal.Route.Name(), "error", err)
		n.Refusals.Count(refusal.Route.Name() + " " + refusal.Reason.Code)
	}
}
