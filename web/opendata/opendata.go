// Package opendata owns the catalogue of services as open data: CPSV-AP 3.2 and schema.org GovernmentService for each
// service, DCAT-AP for the catalogue, in JSON-LD at addresses that stay.
//
// It hands routes to the router. The address of a service is its identifier: a browser is led to the page for people, a
// program gets the data, as each asks (RFC 9110, 12.5.1); ?format=jsonld asks for the data whatever the header says.
//
// Invariants: nothing but published definitions is told; every text stands in all languages of the country; what the
// vocabularies have no term for is left out, not put under another's term.
package opendata

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"yagona/kernel/act"
	"yagona/kernel/country"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/kernel/wording"
	"yagona/locale"
	"yagona/web/page"
	"yagona/web/route"
)

// Config is what the catalogue stands on. All of it is required.
type Config struct {
	Site     *url.URL // the installation's address, without a path
	Title    string   // what the installation is called
	Services func() *service.Catalogue
	Agency   func(ident.Agency) wording.Text
	Words    country.Words
	Clock    act.Clock
	// Licences returns the open list of a service's licences, after the given one.
	Licences Licensees
}

// Catalogue serves it.
type Catalogue struct{ Config }

// New returns the catalogue.
func New(config Config) *Catalogue { return &Catalogue{config} }

// Path is where the catalogue is; a service is below it.
const Path = page.CataloguePath

const mediaType = "application/ld+json"

// Routes returns the addresses of the catalogue and of its services.
func (c *Catalogue) Routes() []route.Route {
	return []route.Route{
		{Method: "GET", Pattern: Path, Access: route.Public(), Handle: c.all},
		{Method: "GET", Pattern: Path + "/{pack}/{service}", Access: route.Public(), Handle: c.one},
		{Method: "GET", Pattern: Path + "/{pack}/{service}/licences", Access: route.Public(), Handle: c.licences},
	}
}

// wantsPage reports whether the request is a person's.
func wantsPage(r *http.Request) bool {
	if r.URL.Query().Get("format") == "jsonld" {
		return false
	}
	found, ok := route.Negotiate(r, mediaType, "application/json", "text/html")
	return ok && found == "text/html"
}

func (c *Catalogue) all(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
	w.Header().Add("Vary", "Accept")
	if wantsPage(r) {
		return route.Redirect(w, r, "/services")
	}
	open := c.Services().All(c.Words.Profile.Calendar.Date(c.Clock()))
	services := make([]any, len(open))
	statistics := make([]any, len(open))
	for i, definition := range open {
		services[i] = c.Service(definition)
		statistics[i] = node{"@type": "dcat:Distribution", "dcat:accessURL": c.at("/api/v1/services/" + string(definition.Path) + "/statistics"), "dct:format": "application/json"}
	}
	return c.write(w, node{
		"@context": context, "@id": c.at(Path)["@id"], "@type": "dcat:Catalog", "dct:title": c.Title, "foaf:homepage": c.at("/"),
		"dct:language": c.languages(),
		"dcat:dataset": []any{
			node{
				"@id": c.at(Path)["@id"].(string) + "#services", "@type": "dcat:Dataset", "dct:title": c.say("page.services"),
				"dct:conformsTo": iri("http://data.europa.eu/m8g/"),
				"dcat:distribution": []any{
					node{"@type": "dcat:Distribution", "dcat:accessURL": c.at(Path + "?format=jsonld"), "dcat:mediaType": mediaType},
					node{"@type": "dcat:Distribution", "dcat:accessURL": c.at("/api/v1/services"), "dcat:mediaType": "application/json"},
				},
			},
			node{"@id": c.at(Path)["@id"].(string) + "#statistics", "@type": "dcat:Dataset", "dct:title": c.say("portal.statistics"), "dcat:distribution": statistics},
		},
		"dct:hasPart": services,
	})
}

func (c *Catalogue) one(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
	w.Header().Add("Vary", "Accept")
	path := ident.Service(r.PathValue("pack") + "/" + r.PathValue("service"))
	definition, err := c.Services().Open(path, c.Words.Profile.Calendar.Date(c.Clock()))
	if err != nil {
		return err
	}
	if wantsPage(r) {
		return route.Redirect(w, r, "/services/"+string(path))
	}
	described := c.Service(definition)
	described["@context"] = context
	return c.write(w, described)
}

func (c *Catalogue) write(w http.ResponseWriter, described node) error {
	body, err := json.MarshalIndent(described, "", " ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Access-Control-Allow-Origin", "*") // open data is for programs of every site
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err = w.Write(append(body, '\n'))
	return err
}

// node is a JSON-LD node object.
type node map[string]any

// context says which vocabularies the names belong to (CPSV-AP 3.2, 2; DCAT-AP 3, 3; schema.org).
var context = node{
	"cpsv": "http://purl.org/vocab/cpsv#", "cv": "http://data.europa.eu/m8g/", "dct": "http://purl.org/dc/terms/",
	"dcat": "http://www.w3.org/ns/dcat#", "eli": "http://data.europa.eu/eli/ontology#", "foaf": "http://xmlns.com/foaf/0.1/",
	"schema": "https://schema.org/", "skos": "http://www.w3.org/2004/02/skos/core#", "xsd": "http://www.w3.org/2001/XMLSchema#",
}

func iri(address string) node { return node{"@id": address} }

// at returns the node of an address of this installation.
func (c *Catalogue) at(path string) node { return iri(c.Site.String() + path) }

// texts writes a text in all its languages.
func texts(text wording.Text) []any {
	var values []any
	for _, tag := range slices.Sorted(maps.Keys(text)) {
		values = append(values, node{"@language": tag, "@value": text[tag]})
	}
	return values
}

// say writes a text of the platform in all languages.
func (c *Catalogue) say(key string) []any {
	text := wording.Text{}
	for _, tag := range c.Words.Languages().Tags {
		if c.Words.Has(tag, key) {
			text[string(tag)] = c.Words.Text(tag, key, locale.Args{})
		}
	}
	return texts(text)
}

func (c *Catalogue) languages() []string {
	tags := make([]string, 0, len(c.Words.Languages().Tags))
	for _, tag := range c.Words.Languages().Tags {
		tags = append(tags, string(tag))
	}
	return tags
}

// Service describes a service: a cpsv:PublicService and a schema:GovernmentService at once.
func (c *Catalogue) Service(d *service.Definition) node {
	id := c.Site.String() + Path + "/" + string(d.Path)
	part := func(kind, name string) string { return id + "#" + kind + "-" + name }
	authority := node{
		"@id": c.Site.String() + Path + "#agency-" + string(d.Agency), "@type": []any{"cv:PublicOrganisation", "schema:GovernmentOrganization"},
		"dct:title": texts(c.Agency(d.Agency)), "schema:name": texts(c.Agency(d.Agency)), "dct:spatial": string(c.Words.Profile.Territories.Root()),
	}
	described := node{
		"@id": id, "@type": []any{"cpsv:PublicService", "schema:GovernmentService"}, "dct:identifier": string(d.Path),
		"dct:title": texts(d.Title), "schema:name": texts(d.Title), "dct:description": texts(d.Summary), "schema:description": texts(d.Summary),
		"dct:language": c.languages(), "schema:availableLanguage": c.languages(),
		"cv:hasCompetentAuthority": authority, "schema:provider": iri(authority["@id"].(string)),
		"cv:hasChannel": node{
			"@id": part("channel", "web"), "@type": []any{"cv:Channel", "schema:ServiceChannel"},
			"foaf:page": iri(c.Site.String() + "/services/" + string(d.Path)), "schema:serviceUrl": iri(c.Site.String() + "/services/" + string(d.Path)),
		},
		"cv:hasCost": node{"@id": part("cost", "none"), "@type": "cv:Cost", "cv:value": node{"@type": "xsd:decimal", "@value": "0"}, "cv:currency": c.Words.Profile.Currency.Code},
	}
	optional := func(term string, values []any) {
		if len(values) > 0 {
			described[term] = values
		}
	}
	var events, legal, requirements, inputs, outputs []any
	for _, event := range d.Events {
		kind := "cv:LifeEvent"
		if len(d.For) > 0 && !slices.Contains(d.For, "person") {
			kind = "cv:BusinessEvent"
		}
		events = append(events, node{"@id": c.Site.String() + Path + "#event-" + event, "@type": kind, "dct:title": c.say("life." + event)})
	}
	for i, act := range d.Legal {
		resource := node{"@type": "eli:LegalResource", "@id": part("law", fmt.Sprint(i+1)), "dct:title": texts(act.Act), "skos:note": act.Status}
		if len(act.Article) > 0 {
			resource["dct:description"] = texts(act.Article)
		}
		if act.URL != "" {
			resource["@id"] = act.URL
		}
		legal = append(legal, resource)
	}
	for _, requirement := range d.Require {
		requirements = append(requirements, node{"@id": part("requirement", requirement.ID), "@type": "cv:Requirement", "dct:description": texts(requirement.Otherwise)})
	}
	for _, evidence := range d.Evidence {
		inputs = append(inputs, node{
			"@id": part("evidence", evidence.Name), "@type": "cv:Evidence", "dct:title": texts(evidence.Title),
			"cv:isProvidedBy": iri(c.Site.String() + Path + "#agency-" + string(evidence.Agency)), "dct:type": string(evidence.From),
		})
	}
	if d.Output.Document != nil {
		outputs = append(outputs, node{"@id": part("output", "document"), "@type": "cpsv:Output", "dct:title": texts(d.Output.Document.Title)})
	}
	if d.Output.Payment != nil {
		outputs = append(outputs, node{"@id": part("output", "payment"), "@type": "cpsv:Output", "dct:title": c.say("portal.payment")})
	}
	if d.Fee != nil {
		described["cv:hasCost"] = node{
			"@id": part("cost", "fee"), "@type": "cv:Cost", "cv:currency": c.Words.Profile.Currency.Code, "dct:description": c.say("portal.fee-by-answers"),
		}
	}
	optional("cv:isGroupedBy", events)
	optional("cv:hasLegalResource", legal)
	optional("cv:holdsRequirement", requirements)
	optional("cpsv:hasInput", inputs)
	optional("cpsv:produces", outputs)
	if days := longest(d); days > 0 {
		described["cv:processingTime"] = node{"@type": "xsd:duration", "@value": fmt.Sprintf("P%dD", days)}
	}
	return described
}

// longest returns how many days officials have at most, one after the other; of steps side by side the longest counts.
func longest(d *service.Definition) (days int) {
	for _, stage := range d.Process {
		most := 0
		for _, step := range stage.Steps {
			most = max(most, step.Within)
		}
		days += most
	}
	return days
}
