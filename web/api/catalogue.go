package api

import (
	"context"
	"net/http"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/country"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/route"
)

// ServiceSummary is a service in the catalogue.
type ServiceSummary struct {
	Service ident.Service `json:"service"`
	Version string        `json:"version" doc:"the hash of the version that takes new applications"`
	Agency  ident.Agency  `json:"agency" doc:"the competent authority"`
	Title   string        `json:"title"`
	Summary string        `json:"summary"`
	For     []string      `json:"for" doc:"kinds of applicant"`
	Events  []string      `json:"events" doc:"life and business events"`
}

// Service is a service as people see it.
type Service struct {
	ServiceSummary
	From     calendar.Date     `json:"from"`
	Legal    []Legal           `json:"legal"`
	Ask      []Question        `json:"ask" doc:"what only the applicant knows"`
	Evidence []ServiceEvidence `json:"evidence" doc:"what the platform fetches itself"`
	Require  []Requirement     `json:"require"`
	Process  [][]Step          `json:"process" doc:"stages, one after the other; the steps of a stage run at the same time; none: granted by rule alone"`
	Gives    []string          `json:"gives" doc:"what comes out: document, payment, record"`
	Fee      bool              `json:"fee" doc:"the applicant pays before officials begin"`
	Appeal   int               `json:"appeal" doc:"working days to contest a refusal; 0: the platform's usual term"`
	Request  *openapi3.Schema  `json:"request" doc:"the JSON Schema of the answers"`
}

// Legal is an act that a service stands on.
type Legal struct {
	Act     string `json:"act"`
	Article string `json:"article,omitempty"`
	URL     string `json:"url,omitempty"`
	Status  string `json:"status" doc:"in force, or illustrative: it stands for what a law would say"`
}

// Question is a question to the applicant.
type Question struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Label    string `json:"label"`
	Hint     string `json:"hint,omitempty"`
	Optional bool   `json:"optional"`
	Depends  bool   `json:"depends" doc:"it is asked only if earlier answers call for it"`
	Why      string `json:"why,omitempty" doc:"why no register knows it"`
}

// ServiceEvidence is what a service asks of a register.
type ServiceEvidence struct {
	Name   string         `json:"name"`
	Title  string         `json:"title"`
	From   ident.Evidence `json:"from"`
	Agency ident.Agency   `json:"agency" doc:"who answers"`
	Of     string         `json:"of" doc:"applicant, or a relation of theirs"`
	None   string         `json:"none" doc:"what it means that there is no record: refuse, attest or allow"`
}

// Requirement is a rule that must be met.
type Requirement struct {
	ID        string `json:"id"`
	Otherwise string `json:"otherwise" doc:"what a refused person reads"`
}

// Step is a task of an official.
type Step struct {
	Name    string       `json:"name"`
	Title   string       `json:"title"`
	Agency  ident.Agency `json:"agency"`
	Role    ident.Role   `json:"role"`
	Within  int          `json:"within" doc:"working days"`
	Late    string       `json:"late" doc:"what silence means: escalate, refuse or grant"`
	Actions []string     `json:"actions"`
}

// Territory is a territory with those that lie directly in it.
type Territory struct {
	Code         ident.Territory `json:"code"`
	Level        string          `json:"level"`
	Name         string          `json:"name"`
	Illustrative bool            `json:"illustrative" doc:"invented for a demonstration"`
	Within       []Territory     `json:"within,omitempty"`
}

// Count is a public figure of a service.
type Count struct {
	Territory ident.Territory `json:"territory" doc:"of a confidential service, the whole country"`
	State     casework.State  `json:"state"`
	Number    int64           `json:"number,omitempty" doc:"how many, rounded to roundedTo"`
	Median    int64           `json:"median,omitempty" doc:"seconds from receipt to decision, in whole hours; absent: none is decided, or it is not published"`
}

// RefusalCount is how often a service was refused for a reason.
type RefusalCount struct {
	Territory   ident.Territory `json:"territory" doc:"of a confidential service, the whole country"`
	Requirement string          `json:"requirement,omitempty" doc:"of the service, or the name of an evidence that has no record; absent: an official's own words, or nobody acted in time"`
	Number      int64           `json:"number,omitempty" doc:"how many refusals had this reason, rounded to roundedTo"`
}

// Statistics are the public figures of a service.
type Statistics struct {
	Service   ident.Service  `json:"service"`
	RoundedTo int64          `json:"roundedTo" doc:"each number is rounded to the nearest multiple of this; no total is published, for small numbers could be computed from it"`
	Counts    []Count        `json:"counts"`
	TakeUp    []TakeUp       `json:"takeUp" doc:"of a service that starts by itself: who receives it, and who was offered it and did not take it up"`
	Refusals  []RefusalCount `json:"refusals" doc:"why applications were refused; a refusal counts for each of its reasons, also if it was contested later"`
}

// TakeUp is the take-up gap of a service in a territory.
type TakeUp struct {
	Territory ident.Territory `json:"territory,omitempty" doc:"absent: not known"`
	NotTaken  int64           `json:"notTaken,omitempty" doc:"how many were offered it and did not take it up, rounded to roundedTo"`
	Granted   int64           `json:"granted,omitempty" doc:"how many receive it, rounded to roundedTo"`
}

// counter gives the public figures of a service.
type counter interface {
	Statistics(ctx context.Context, of ident.Service) ([]casework.Count, error)
	Refusals(ctx context.Context, of ident.Service) ([]casework.RefusalCount, error)
	TakeUp(ctx context.Context, of ident.Service) ([]casework.TakeUp, error)
}

func catalogueOperations(catalogue func() *service.Catalogue, counts counter, profile *country.Profile, clock act.Clock) []operation {
	today := func() calendar.Date { return calendar.DateOf(clock(), profile.Location) }
	return []operation{
		{
			id: "listServices", tag: "catalogue", summary: "Lists the services that take applications.",
			method: "GET", path: "/services", access: route.Public(), response: Page[ServiceSummary]{},
			handle: func(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
				page := Page[ServiceSummary]{Items: []ServiceSummary{}}
				for _, d := range catalogue().All(today()) {
					page.Items = append(page.Items, summaryOf(d, v.Language, profile.Authoritative()))
				}
				return route.WriteJSON(w, http.StatusOK, page)
			},
		},
		{
			id: "showService", tag: "catalogue", summary: "Shows a service, with the JSON Schema of its answers.",
			method: "GET", path: "/services/{pack}/{service}", access: route.Public(), response: Service{},
			codes: []string{"service.unknown", "service.closed"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				d, err := catalogue().Open(pathOf(r), today())
				if err != nil {
					return err
				}
				shown := serviceOf(d, v.Language, profile.Authoritative())
				shown.Request = answersSchema(d, profile, v.Language, today())
				return route.WriteJSON(w, http.StatusOK, shown)
			},
		},
		{
			id: "showStatistics", tag: "catalogue", summary: "Shows the public figures of a service: how many applied, what became of it, why it was refused. Numbers are rounded; what is of fewer than five is left out, as if there were none.",
			method: "GET", path: "/services/{pack}/{service}/statistics", costly: true, access: route.Public(), response: Statistics{},
			codes: []string{"service.unknown"},
			handle: func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
				of := pathOf(r)
				definition, err := catalogue().Open(of, today())
				if fault.Is(err, fault.NotFound) {
					return err
				}
				found, err := counts.Statistics(r.Context(), of)
				if err != nil {
					return err
				}
				refusals, err := counts.Refusals(r.Context(), of)
				if err != nil {
					return err
				}
				shown := Statistics{Service: of, RoundedTo: casework.RoundedTo, Counts: []Count{}, TakeUp: []TakeUp{}, Refusals: []RefusalCount{}}
				if definition != nil && definition.Start != "" {
					gaps, err := counts.TakeUp(r.Context(), of)
					if err != nil {
						return err
					}
					for _, one := range gaps {
						shown.TakeUp = append(shown.TakeUp, TakeUp(one))
					}
				}
				for _, one := range refusals {
					shown.Refusals = append(shown.Refusals, RefusalCount{Territory: one.Territory, Requirement: one.Requirement, Number: one.Number})
				}
				for _, one := range found {
					shown.Counts = append(shown.Counts, Count{Territory: one.Territory, State: one.State, Number: one.Number, Median: int64(one.Median / time.Second)})
				}
				return route.WriteJSON(w, http.StatusOK, shown)
			},
		},
		{
			id: "showTerritory", tag: "catalogue", summary: "Shows a territory with those that lie directly in it.",
			method: "GET", path: "/territories", access: route.Public(), response: Territory{},
			query:  []parameter{{"code", "The territory's code; without it, the whole country.", "string"}},
			codes:  []string{"territory.unknown"},
			handle: showTerritory(profile),
		},
	}
}

func pathOf(r *http.Request) ident.Service {
	return ident.Service(r.PathValue("pack") + "/" + r.PathValue("service"))
}

func showTerritory(profile *country.Profile) route.Handler {
	tree := profile.Territories
	return func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
		show := func(code ident.Territory) Territory {
			found, _ := tree.Lookup(code)
			return Territory{
				Code: code, Level: found.Level, Name: tree.Name(code, v.Language, profile.Authoritative()), Illustrative: found.Illustrative,
			}
		}
		code := ident.Territory(r.URL.Query().Get("code"))
		if code == "" {
			code = tree.Root()
		}
		if !tree.Has(code) {
			return fault.New(fault.Invalid, "territory.unknown", "There is no territory with this code. Begin without a code.").At("code")
		}
		shown := show(code)
		for _, child := range tree.Children(code) {
			shown.Within = append(shown.Within, show(child))
		}
		return route.WriteJSON(w, http.StatusOK, shown)
	}
}

func summaryOf(d *service.Definition, languages ...string) ServiceSummary {
	return ServiceSummary{
		Service: d.Path, Version: d.Hash, Agency: d.Agency, Title: d.Title.In(languages...), Summary: d.Summary.In(languages...),
		For: listed(d.For), Events: listed(d.Events),
	}
}

// listed returns a list that is never null in JSON.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func serviceOf(d *service.Definition, languages ...string) Service {
	shown := Service{
		ServiceSummary: summaryOf(d, languages...), From: d.From, Legal: []Legal{}, Ask: []Question{},
		Evidence: []ServiceEvidence{}, Require: []Requirement{}, Process: [][]Step{}, Gives: []string{}, Fee: d.Fee != nil, Appeal: d.Appeal.Within,
	}
	for _, one := range d.Legal {
		shown.Legal = append(shown.Legal, Legal{one.Act.In(languages...), one.Article.In(languages...), one.URL, one.Status})
	}
	for _, one := range d.Ask {
		shown.Ask = append(shown.Ask, Question{
			Name: one.Name, Kind: string(one.Kind), Label: one.Label.In(languages...), Hint: one.Hint.In(languages...),
			Optional: one.Optional, Depends: one.When != nil, Why: one.OnlyApplicant.In(languages...),
		})
	}
	for _, one := range d.Evidence {
		shown.Evidence = append(shown.Evidence, ServiceEvidence{
			Name: one.Name, Title: one.Title.In(languages...), From: one.From, Agency: one.Agency, Of: ofWhom(one), None: string(one.None),
		})
	}
	for _, one := range d.Require {
		shown.Require = append(shown.Require, Requirement{one.ID, one.Otherwise.In(languages...)})
	}
	for _, stage := range d.Process {
		var steps []Step
		for _, one := range stage.Steps {
			step := Step{
				Name: one.Name, Title: one.Title.In(languages...), Agency: one.Agency, Role: one.Role, Within: one.Within, Late: string(one.Late),
				Actions: []string{},
			}
			for _, action := range one.Actions {
				step.Actions = append(step.Actions, string(action))
			}
			steps = append(steps, step)
		}
		shown.Process = append(shown.Process, steps)
	}
	if d.Output.Document != nil {
		shown.Gives = append(shown.Gives, "document")
	}
	if d.Output.Payment != nil {
		shown.Gives = append(shown.Gives, "payment")
	}
	if d.Output.Record != nil {
		shown.Gives = append(shown.Gives, "record")
	}
	return shown
}

// ofWhom says whom an evidence is about, without naming anyone.
func ofWhom(evidence service.Evidence) string {
	if evidence.Of.Relation == "" {
		return "applicant"
	}
	return evidence.Of.Relation
}
