package opendata

import (
	stdcontext "context"
	"encoding/json"
	"net/http"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/route"
)

// Licensees returns the open list of a service's licences, after the given one.
type Licensees func(ctx stdcontext.Context, of ident.Service, after ident.Application, limit int) ([]casework.Entitlement, error)

// Licence is one licence of the open list. Its holder is not named.
type Licence struct {
	Number ident.Document    `json:"number"` // of the document, which anybody can check
	State  casework.Standing `json:"state"`
	Since  time.Time         `json:"since"`
	Until  time.Time         `json:"until"`
	Lines  json.RawMessage   `json:"lines"` // of the document, those that the service publishes
}

// Licences is a page of the list.
type Licences struct {
	Service  ident.Service     `json:"service"`
	Licences []Licence         `json:"licences"`
	Next     ident.Application `json:"next,omitempty"` // ask for ?after=…
}

// LicencesPath is where the open list of a service's licences is.
func LicencesPath(of ident.Service) string { return Path + "/" + string(of) + "/licences" }

const mostLicences = 1000

func (c *Catalogue) licences(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
	definition, err := c.Services().Open(ident.Service(r.PathValue("pack")+"/"+r.PathValue("service")), c.Words.Profile.Calendar.Date(c.Clock()))
	if err != nil {
		return err
	}
	if definition.Licence == nil {
		return service.ErrNoService
	}
	found, err := c.Config.Licences(r.Context(), definition.Path, ident.Application(r.URL.Query().Get("after")), mostLicences)
	if err != nil {
		return err
	}
	list := Licences{Service: definition.Path, Licences: []Licence{}}
	for _, one := range found {
		list.Licences = append(list.Licences, Licence{one.Published.Document, one.State, one.Since, one.Until, one.Published.Lines})
	}
	if len(found) == mostLicences {
		list.Next = found[len(found)-1].Application
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Set("Cache-Control", "public, max-age=300")
	return route.WriteJSON(w, http.StatusOK, list)
}
