// Package portal owns the pages of residents: the services, the application from draft to decision, what the state holds
// and gave out of a person's data, and the checking of documents by anybody.
//
// It hands routes to the router. What stands on a page follows from the service's definition: a service adds no handler
// and no template.
//
// Invariants: a form carries the revision that its page was made from, so that two windows cannot overwrite each other;
// every accepted form ends in a redirect; a refused one shows what was typed and what is wrong with it; before a page
// shows personal data, its reading is recorded; no address holds a name or a national number.
package portal

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/kernel/notice"
	"yagona/kernel/representation"
	"yagona/kernel/service"
	"yagona/kernel/signature"
	"yagona/web/opendata"
	"yagona/web/page"
	"yagona/web/reading"
	"yagona/web/route"
	"yagona/web/ui"
)

// Applications is what the pages need of casework.
type Applications interface {
	Start(ctx context.Context, by access.Actor, id ident.Application, path ident.Service, language string) (casework.Receipt, error)
	Save(ctx context.Context, by access.Actor, id ident.Application, revision int64, answers map[string]any) (casework.Application, error)
	Preview(ctx context.Context, by access.Actor, id ident.Application) (casework.Preview, error)
	Submit(ctx context.Context, by access.Actor, id ident.Application, revision int64) (casework.Receipt, error)
	Own(ctx context.Context, by access.Actor, id ident.Application) (casework.View, error)
	OwnAll(ctx context.Context, by access.Actor, before ident.Application, limit int) ([]casework.Application, error)
	Withdraw(ctx context.Context, by access.Actor, id ident.Application, revision int64) (casework.Receipt, error)
	Accept(ctx context.Context, by access.Actor, id ident.Application, revision int64) (casework.Receipt, error)
	Invited(ctx context.Context, by access.Actor, id ident.Application) (casework.Invitation, error)
	Confirm(ctx context.Context, by access.Actor, id ident.Application) error
	Licences(ctx context.Context, of ident.Service, after ident.Application, limit int) ([]casework.Entitlement, error)
	Answer(ctx context.Context, by access.Actor, id ident.Application, revision int64, text string) (casework.Receipt, error)
	Contest(ctx context.Context, by access.Actor, id ident.Application, revision int64, grounds string) (casework.Receipt, error)
	ChangeAccount(ctx context.Context, by access.Actor, id ident.Application, revision int64, account string) (casework.Receipt, error)
	OwnPhotograph(ctx context.Context, by access.Actor, id ident.Application, photo string) ([]byte, error)
	Eligibility(ctx context.Context, by access.Actor, path ident.Service, language string) (casework.Preview, error)
	Offers(ctx context.Context, by access.Actor) ([]casework.OpenOffer, error)
	TakeUp(ctx context.Context, of ident.Service) ([]casework.TakeUp, error)
	Statistics(ctx context.Context, of ident.Service) ([]casework.Count, error)
	Refusals(ctx context.Context, of ident.Service) ([]casework.RefusalCount, error)
	Performance(ctx context.Context, of ident.Service) (casework.Performance, error)
}

// Representatives is what the pages need of who may act for whom.
type Representatives interface {
	page.Namer
	Authorities(ctx context.Context, by ident.Person) ([]representation.Authority, error)
	IsKnown(ctx context.Context, by ident.Person, of ident.Subject) (bool, error)
}

// Fees is what the pages need to let fees be paid.
type Fees interface {
	Page(ctx context.Context, by access.Actor, id ident.Application) (address string, err error)
	Look(ctx context.Context, id ident.Application) error
}

// Config is what the portal stands on. All of it is required.
type Config struct {
	Shared          *page.Shared
	Services        func() *service.Catalogue
	Applications    Applications
	Documents       *document.Issuer
	Keys            signature.Ring
	Orders          act.Store[ledger.Reader, ledger.Tx]
	Notices         *notice.Board
	Fees            Fees
	Representatives Representatives
	Courier         *notice.Courier
	Readings        *access.OwnReadings
	Trail           *reading.Trail
	Origin          string // the log's name
	Site            *url.URL
	// LogKey returns the public key that verifies the log's newest checkpoint, as verifiers take it.
	LogKey func(context.Context) (string, error)
}

// Portal serves the pages of residents.
type Portal struct {
	Config
	finder *finder
}

// New returns the portal.
func New(config Config) *Portal { return &Portal{Config: config, finder: &finder{}} }

const (
	smallForm  = 64 << 10
	answerForm = 256 << 10 // a list of long texts
	fileForm   = 12 << 20
)

// Routes returns all pages of the portal.
func (p *Portal) Routes() []route.Route {
	public := func(pattern string, handle route.Handler) route.Route {
		return route.Route{Method: "GET", Pattern: pattern, Access: route.Public(), Handle: handle}
	}
	own := func(pattern string, handle route.Handler) route.Route {
		return route.Route{Method: "GET", Pattern: pattern, Access: route.SignedIn(), Handle: route.Own(p.Readings, handle)}
	}
	costly := func(one route.Route) route.Route {
		one.Costly = true
		return one
	}
	send := func(pattern string, body int64, handle route.Handler) route.Route {
		return route.Route{Method: "POST", Pattern: pattern, Access: route.SignedIn(), Body: body, Handle: route.Own(p.Readings, route.Form(handle))}
	}
	const one = "/applications/{application}"
	return []route.Route{
		public("/{$}", p.home),
		costly(public(page.ServicesPath, p.services)),
		public(suggestPath, p.suggest),
		public("/services/{pack}/{service}", p.service),
		costly(public("/services/{pack}/{service}/statistics", p.statistics)),
		costly(own("/services/{pack}/{service}/eligibility", p.eligibility)),
		public("/services/{pack}/{service}/licences", p.licences),
		send("/services/{pack}/{service}/apply", smallForm, p.start),
		own(one, p.application),
		own(one+"/questions/{question}", p.question),
		send(one+"/questions/{question}", answerForm, p.saveAnswer),
		costly(own(one+"/check", p.check)),
		send(one+"/submit", smallForm, p.submit),
		own(one+"/receipt", p.receipt),
		own(one+"/answer", p.showAnswer),
		send(one+"/answer", smallForm, p.answer),
		own(one+"/appeal", p.showAppeal),
		send(one+"/appeal", smallForm, p.appeal),
		own(one+"/account", p.showAccount),
		send(one+"/account", smallForm, p.account),
		own(one+"/withdraw", p.showWithdraw),
		send(one+"/withdraw", smallForm, p.withdraw),
		own(one+"/photos/{photo}", p.photo),
		costly(own(one+"/join", p.showJoin)),
		send(one+"/join", smallForm, p.join),
		costly(own(one+"/pay", p.pay)),
		costly(own(one+"/paid", p.paid)),
		send(one+"/accept", smallForm, p.accept),
		own(page.MinePath, p.mine),
		costly(own("/me/documents/{document}", p.file)),
		own(page.ContactPath, p.contact),
		send(page.ContactPath, smallForm, p.chooseContact),
		send(page.ContactPath+"/addresses", smallForm, p.addAddress),
		send(page.ContactPath+"/addresses/{address}", smallForm, p.changeAddress),
		own(page.ReadingsPath, p.readings),
		own("/me/events/{event}", p.event),
		costly(own("/me/events/{event}/proof", p.proof)),
		public(page.VerifyPath, p.showVerify),
		{Method: "POST", Pattern: page.VerifyPath, Access: route.Public(), Body: fileForm, Handle: route.Form(p.verify)},
		costly(public("/verify/{document}", p.standing)),
		public(page.LogPath, p.log),
		{Method: "GET", Pattern: page.AppointmentsPath, Access: route.SignedIn(), Handle: p.appointments},
	}
}

func applicationOf(r *http.Request) ident.Application {
	return ident.Application(r.PathValue("application"))
}

func pathOf(id ident.Application) string { return "/applications/" + string(id) }

// catalogueServicePath leads to a service as open data.
func catalogueServicePath(path ident.Service) string {
	return opendata.Path + "/" + string(path) + "?format=jsonld"
}

func servicePath(path ident.Service) string { return page.ServicesPath + "/" + string(path) }

// revision returns the revision that a form was made from.
func revision(r *http.Request) int64 {
	number, err := strconv.ParseInt(r.PostForm.Get("revision"), 10, 64)
	if err != nil {
		return -1 // of no application: the form is asked for again
	}
	return number
}

func carrying(revision int64) []ui.Hidden {
	return []ui.Hidden{{Name: "revision", Value: strconv.FormatInt(revision, 10)}}
}

// correctable returns the problems of input in an error, by the name of the input; false if it is another error.
func correctable(err error) (page.Wrong, bool) {
	if !fault.Is(err, fault.Invalid) {
		return nil, false
	}
	wrong := page.Wrong{}
	wrong.Add("", field.Problems(route.Faults(err)))
	return wrong, len(wrong) > 0
}
