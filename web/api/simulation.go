package api

import (
	"net/http"
	"time"

	"yagona/kernel/ident"
	"yagona/kernel/simulation"
	"yagona/web/route"
)

// SimulationTimeout is how long a simulation may take: it reads what the registers say of every resident.
const SimulationTimeout = 15 * time.Minute

// NewSimulation asks what a change of a service's rules would do.
type NewSimulation struct {
	Service   ident.Service     `json:"service"`
	Territory ident.Territory   `json:"territory,omitempty" doc:"whose residents are counted; absent: those of one's own"`
	Params    map[string]string `json:"params,omitempty" doc:"values that legal amounts and dates would have, as people write them, by name"`
	Assume    map[string]string `json:"assume,omitempty" doc:"what everybody would answer to a question, before the change and after it, by the name of the question"`
	Draft     string            `json:"draft,omitempty" doc:"the service's YAML file as it would be; absent: the one in force"`
}

// Simulation is what a change of a service's rules would do: counts that may be published, of nobody by name.
type Simulation struct {
	ID        ident.Simulation  `json:"id"`
	Service   ident.Service     `json:"service"`
	Version   string            `json:"version" doc:"hash of the definition in force"`
	Territory ident.Territory   `json:"territory"`
	Params    map[string]string `json:"params,omitempty"`
	Assume    map[string]string `json:"assume,omitempty"`
	Draft     string            `json:"draft,omitempty" doc:"SHA-256 of the file that was tried"`
	At        time.Time         `json:"at"`
	Event     ident.Event       `json:"event" doc:"everybody who was counted sees it among the readings of their data"`
	Result    simulation.Result `json:"result"`
}

func simulationShown(s simulation.Simulation) Simulation {
	return Simulation{
		s.ID, s.Service, s.Version, s.Territory, s.Change.Params, s.Change.Assume, s.Change.Digest(), s.At, s.Event, s.Result,
	}
}

func simulationOperations(simulator *simulation.Simulator) []operation {
	analyst := route.Role(simulation.Analyst)
	return []operation{
		{
			id: "simulate", tag: "simulations", summary: "Evaluates a service of one's agency, as it is and with a change, over all residents of a territory. One event of the journal tells all of them.",
			method: "POST", path: "/simulations", access: analyst, body: fileBody, timeout: SimulationTimeout,
			request: NewSimulation{}, response: Simulation{}, status: http.StatusCreated,
			codes: []string{
				"simulation.busy", "simulation.too-many", "simulation.not-granted", "simulation.people-only", "simulation.param", "simulation.assume", "simulation.no-value",
				"simulation.no-territory", "simulation.other-service", "territory.unknown", "service.unknown", "service.closed", "pack.problems",
				"field.option", "field.range", "field.type", "field.date-range", "field.required",
			},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				var sent NewSimulation
				if err := route.ReadJSON(r, &sent); err != nil {
					return err
				}
				made, err := simulator.Run(r.Context(), v.Actor, simulation.Wanted{
					Service: sent.Service, Territory: sent.Territory,
					Change: simulation.Change{Params: sent.Params, Assume: sent.Assume, Draft: sent.Draft},
				})
				if err != nil {
					return err
				}
				w.Header().Set("Location", Root+"/simulations/"+string(made.ID))
				return route.WriteJSON(w, http.StatusCreated, simulationShown(made))
			},
		},
		{
			id: "listSimulations", tag: "simulations", summary: "Lists the simulations of one's agency, the newest first.",
			method: "GET", path: "/simulations", access: analyst, query: []parameter{limitParameter, afterParameter}, response: Page[Simulation]{},
			codes: []string{"page.limit", "page.cursor"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				wanted, err := limit(r)
				if err != nil {
					return err
				}
				before, err := afterID[ident.Simulation](r)
				if err != nil {
					return err
				}
				found, next, err := simulator.List(r.Context(), v.Actor, before, wanted)
				if err != nil {
					return err
				}
				page := Page[Simulation]{Items: []Simulation{}}
				for _, one := range found {
					page.Items = append(page.Items, simulationShown(one))
				}
				if next != "" {
					page.Next = cursor(next)
				}
				return route.WriteJSON(w, http.StatusOK, page)
			},
		},
		{
			id: "showSimulation", tag: "simulations", summary: "Shows a simulation of one's agency.",
			method: "GET", path: "/simulations/{simulation}", access: analyst, response: Simulation{}, codes: []string{"simulation.unknown"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				found, err := simulator.Find(r.Context(), v.Actor, ident.Simulation(r.PathValue("simulation")))
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, simulationShown(found))
			},
		},
	}
}
