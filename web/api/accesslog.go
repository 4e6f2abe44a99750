package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/transparency"
	"yagona/web/reading"
	"yagona/web/route"
)

// Access is one entry of who read a person's data.
type Access struct {
	Event   ident.Event     `json:"event"`
	At      time.Time       `json:"at"`
	Type    string          `json:"type"`
	By      Official        `json:"by"`
	Purpose string          `json:"purpose,omitempty"`
	What    json.RawMessage `json:"what" doc:"what was read, as the journal keeps it for this person"`
	Shown   time.Time       `json:"shown,omitzero" doc:"a law delayed this entry until then; what names the law"`
	Erased  bool            `json:"erased,omitempty" doc:"what it said was erased by law"`
	Times   int             `json:"times" doc:"how many readings this stands for: one's own ones, one after the other, are one entry, the newest of them"`
	Since   time.Time       `json:"since,omitzero" doc:"of several readings, when the oldest was"`
	// Of an evaluation in bulk, which tells nobody's values.
	Population ident.Territory   `json:"population,omitempty" doc:"it counted all residents of this territory and showed nobody's data"`
	Facts      map[string]string `json:"facts,omitempty" doc:"of such a count: the service, its change, the evidence that was read"`
}

// AccessLog is one page of who read a person's data.
type AccessLog struct {
	Items   []Access         `json:"items"`
	Next    string           `json:"next,omitempty" doc:"the cursor of the next page; absent: this is the last one"`
	Missing *reading.Missing `json:"missing,omitempty" doc:"entries of these months are in archives that are not connected now, and are left out"`
}

// Official is who did something: an official by agency and role, the person themself, or a part of the platform.
type Official struct {
	Agency    ident.Agency `json:"agency,omitempty"`
	Role      ident.Role   `json:"role,omitempty"`
	Person    ident.Person `json:"person,omitempty"`
	Component string       `json:"component,omitempty" doc:"a part of the platform, if no person did it"`
}

func officialOf(actor journal.Actor) Official {
	return Official{actor.Agency, actor.Role, actor.Person, actor.Component}
}

// Proof is all that anybody needs to verify, offline, that the log has an event and what it says of a person.
type Proof struct {
	Event   ident.Event      `json:"event"`
	Opening *journal.Opening `json:"opening,omitempty" doc:"what the journal says of the person: header, number, subject, salt, personal; check its commitment against the header"`
	Entry   []byte           `json:"entry" doc:"the log's entry: 0x01 and the SHA-256 of the header"`
	Index   *int64           `json:"index,omitempty" doc:"the entry's place in the log"`
	Proof   string           `json:"proof,omitempty" doc:"C2SP tlog-proof: inclusion proof and cosigned checkpoint"`
	Pending string           `json:"pending,omitempty" doc:"there is no proof yet; it will be there within this time"`
}

// pending is what stands in a receipt before its event is published.
var pending = fmt.Sprintf("at most %d s", transparency.PublishWithin/time.Second)

// proofOf proves an entry: what the journal says of its subject is in it if they may see it and it was not erased.
func proofOf(ctx context.Context, trail *reading.Trail, entry reading.Entry) (Proof, error) {
	found := Proof{Event: entry.Event.ID, Entry: entry.Event.Entry, Opening: entry.Opening}
	proven, published, err := trail.Proof(ctx, entry)
	if err != nil {
		return Proof{}, err
	}
	if !published {
		found.Pending = pending
		return found, nil
	}
	found.Index, found.Proof = &proven.Index, string(proven.Bytes())
	return found, nil
}

// receiptOf returns the proof of an act's event to whoever did it.
func receiptOf(ctx context.Context, trail *reading.Trail, by access.Actor, receipt casework.Receipt) (Proof, error) {
	entry, err := trail.Receipt(ctx, by.Person.Subject(), receipt.Application.Applicant, receipt.Event, receipt.Recorded)
	if err != nil {
		return Proof{}, err
	}
	return proofOf(ctx, trail, entry)
}

func accessLogOperations(trail *reading.Trail, readings *access.OwnReadings) []operation {
	return []operation{
		{
			id: "listAccess", tag: "access log", summary: "Lists who read which of one's data, when and for what, the newest first.",
			method: "GET", path: "/access-log", access: route.SignedIn(), query: []parameter{limitParameter, afterParameter},
			response: AccessLog{}, codes: []string{"page.limit", "page.cursor"},
			handle: route.Own(readings, listAccess(trail)),
		},
		{
			id: "proveAccess", tag: "access log", summary: "Proves an event about oneself: everything that anybody needs to verify it offline.",
			method: "GET", path: "/access-log/{event}/proof", costly: true, access: route.SignedIn(), response: Proof{},
			codes: []string{"archive.away", "journal.unknown", "seal.erased"},
			handle: route.Own(readings, func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				entry, err := trail.Find(r.Context(), v.Actor.Person.Subject(), ident.Event(r.PathValue("event")))
				if err != nil {
					return err
				}
				found, err := proofOf(r.Context(), trail, entry)
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, found)
			}),
		},
	}
}

func listAccess(trail *reading.Trail) route.Handler {
	return func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
		wanted, err := limit(r)
		if err != nil {
			return err
		}
		before, err := afterID[ident.Event](r)
		if err != nil {
			return err
		}
		entries, next, err := trail.Page(r.Context(), v.Actor.Person.Subject(), before, wanted)
		if err != nil {
			return err
		}
		page := AccessLog{Items: []Access{}}
		if page.Missing, err = trail.Missing(r.Context()); err != nil {
			return err
		}
		if next != "" {
			page.Next = cursor(next)
		}
		for _, entry := range entries {
			page.Items = append(page.Items, accessOf(entry))
		}
		return route.WriteJSON(w, http.StatusOK, page)
	}
}

func accessOf(entry reading.Entry) Access {
	shown := Access{
		Event: entry.Event.ID, At: entry.Event.At, Type: entry.Header.Type, By: officialOf(entry.Header.Actor),
		Purpose: entry.Header.Purpose, What: json.RawMessage("{}"), Shown: entry.Shown, Since: entry.Since, Times: entry.Times,
		Erased: entry.Opening == nil && entry.Header.Population == nil,
	}
	if population := entry.Header.Population; population != nil {
		shown.Population, shown.Facts = population.Of, entry.Header.Facts
	}
	if entry.Opening != nil {
		shown.What = entry.Opening.Personal
	}
	return shown
}
