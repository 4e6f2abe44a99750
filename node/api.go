package node

import (
	"slices"

	"yagona/kernel/access"
	"yagona/kernel/erasure"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/kernel/register"
	"yagona/kernel/service"
	"yagona/kernel/simulation"
	"yagona/store/query"
	"yagona/web/api"
	"yagona/web/route"
)

// api returns the routes of the JSON API.
func (n *Node) api(say route.Say) []route.Route {
	return api.New(api.Dependencies{
		Profile: n.Profile, Clock: n.config.Clock, Catalogue: func() *service.Catalogue { return n.Catalogue().Services },
		Casework: n.Casework, Fees: fees{n}, Documents: n.Documents, Ring: n.Ring, Notices: n.Notices, Courier: n.Courier, People: n.People,
		Trail: n.trail, Vault: n.Vault, Ledger: n.Ledger, Jobs: query.For[api.JobReader, api.JobTx](n.store),
		Publications: n.Press, Erasures: n.Erasures, Representatives: n.Representatives, Participations: n.Participations, Simulator: n.Simulator, Office: n.Office, Registers: n.Registers, Corrections: n.Corrections,
		Definitions: func() *register.Catalogue { return n.Catalogue().Registers },
		OwnReadings: n.readings, Say: say,
		Figures: n.Indicators, Indicators: func() *indicator.Catalogue { return n.Catalogue().Indicators },
	})
}

// platformRoles are the roles that the platform itself knows. Each of them gives power over money, data or other officials,
// so that nobody is appointed to it by one registrar alone.
var platformRoles = []ident.Role{access.Registrar, access.Treasurer, access.Publisher, access.Operator, erasure.Officer, simulation.Analyst}

// registersOf returns the registers that the agency keeps.
func (n *Node) registersOf(agency ident.Agency) (kept []ident.Register) {
	for _, definition := range n.Catalogue().Registers.All() {
		if definition.Agency == agency {
			kept = append(kept, definition.Path)
		}
	}
	return kept
}

// roles returns the roles that officials of the agency may hold: those that its pack declares, and the platform's.
func (n *Node) roles(agency ident.Agency) []ident.Role {
	roles := slices.Clone(platformRoles)
	for _, one := range n.Catalogue().Agencies[agency].Roles {
		roles = append(roles, one.Name)
	}
	return roles
}
