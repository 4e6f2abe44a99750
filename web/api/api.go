// Package api owns the JSON API over HTTP and the OpenAPI 3.1 document that describes it. It hands routes to package
// web/route, which is the only way in.
//
// Every operation is data: a route, what it takes, what it answers, and the codes of the problems that it can give. The
// routes and the document are made of the same operations, so neither can say what the other does not. The requests of
// the services are described from the definitions that are loaded; nothing about one service is written here.
//
// In JSON, money is a whole number of minor units, a date is "2026-03-02", a moment is RFC 3339 in UTC. A request with
// a field that is not known, a field twice, or text that is not UTF-8 is refused whole. An application has its revision
// as its ETag; whoever changes it sends the revision that they saw in If-Match.
//
// Invariants: who asks is the route.Visitor whom the server's records know; nobody's data is shown before the journal
// has it; the address of a request never holds personal data.
package api

import (
	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/correction"
	"yagona/kernel/country"
	"yagona/kernel/document"
	"yagona/kernel/erasure"
	"yagona/kernel/indicator"
	"yagona/kernel/ledger"
	"yagona/kernel/notice"
	"yagona/kernel/offer"
	"yagona/kernel/person"
	"yagona/kernel/publication"
	"yagona/kernel/register"
	"yagona/kernel/representation"
	"yagona/kernel/seal"
	"yagona/kernel/service"
	"yagona/kernel/signature"
	"yagona/kernel/simulation"
	"yagona/web/reading"
	"yagona/web/route"
)

// Dependencies are what the API stands on. All of it is required.
type Dependencies struct {
	Profile         *country.Profile
	Clock           act.Clock
	Catalogue       func() *service.Catalogue
	Casework        *casework.Casework
	Fees            Fees
	Documents       *document.Issuer
	Ring            signature.Ring
	Notices         *notice.Board
	Courier         *notice.Courier
	People          *person.Directory
	Trail           *reading.Trail
	Vault           *seal.Vault
	Ledger          *ledger.Ledger
	Jobs            act.Store[JobReader, JobTx]
	Publications    *publication.Press
	Erasures        *erasure.Erasures
	Simulator       *simulation.Simulator
	Representatives *representation.Representatives
	Participations  *offer.Participations
	Figures         Indicators
	Indicators      func() *indicator.Catalogue
	Office          *access.Office // one that knows territories and roles
	Registers       Registers
	Corrections     *correction.Corrections
	Definitions     func() *register.Catalogue
	OwnReadings     *access.OwnReadings // shared with whoever else shows people their own data
	Say             route.Say
}

// New returns the routes of the API.
func New(d Dependencies) []route.Route {
	all := operations(d)
	routes := make([]route.Route, len(all))
	for i, one := range all {
		routes[i] = one.route()
	}
	return routes
}

// operations returns all operations in the order in which the document lists them.
func operations(d Dependencies) []operation {
	registers := keepers{d.Registers, d.Definitions, d.Profile, d.Say}
	cases := applications{d.Casework, d.Catalogue, d.Profile, d.Clock, d.OwnReadings, d.Trail, d.Say}
	groups := [][]operation{
		catalogueOperations(d.Catalogue, d.Casework, d.Profile, d.Clock),
		indicatorOperations(d.Figures, d.Indicators, d.Profile),
		verificationOperations(d.Documents, d.Ring, d.Clock, d.Say),
		revocationOperations(revocations{d.Documents, d.Casework}),
		licenceOperations(d.Casework),
		applicationOperations(cases),
		people{d.Representatives, d.Participations, cases}.operations(),
		feeOperations(d.Fees),
		paymentOperations(d.Casework, d.Ledger, d.OwnReadings),
		documentOperations(d.Documents, d.Clock, d.OwnReadings),
		personOperations(d.People, d.Notices, d.OwnReadings),
		ownRecordOperations(registers, d.Profile.Authoritative()),
		correctionOperations(d.Corrections, d.OwnReadings),
		contactOperations(d.Profile, d.Notices, d.Courier, d.OwnReadings),
		accessLogOperations(d.Trail, d.OwnReadings),
		taskOperations(tasks{d.Casework, d.Catalogue, d.Profile, d.Trail}),
		orderOperations(d.Ledger),
		fundOperations(d.Ledger),
		operatorOperations(d.Casework, d.Jobs, d.Vault),
		registerOperations(registers, d.Profile.Authoritative()),
		publicationOperations(d.Publications),
		appointmentOperations(posts{d.Office, d.People}),
		erasureOperations(d.Erasures),
		simulationOperations(d.Simulator),
	}
	var all []operation
	for _, group := range groups {
		all = append(all, group...)
	}
	description := &description{catalogue: d.Catalogue, profile: d.Profile, clock: d.Clock}
	all = append(all, description.operation())
	description.operations = append(all, sessionOperations()...)
	return all
}
