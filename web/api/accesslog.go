package api

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
	"yagona/kernel/transparency"
	"yagona/web/route"
)

// OwnReadings journals that people read their own data: one event for a session, before the first bytes leave. It is
// safe for concurrent use.
type OwnReadings struct {
	store act.Store[journal.Reader, journal.Tx]
	vault *seal.Vault

	mu       sync.Mutex
	sessions map[ident.Session]*ownReading // guarded by mu
}

// ownReading is the reading of one session.
type ownReading struct {
	mu        sync.Mutex // held while it is journaled: what is asked for at the same time waits
	journaled bool       // guarded by mu
}

// remembered is how many sessions are remembered; a reading in a forgotten one is journaled once more.
const remembered = 100_000

// NewOwnReadings returns a recorder. A new one journals a running session once more.
func NewOwnReadings(store act.Store[journal.Reader, journal.Tx], vault *seal.Vault) *OwnReadings {
	return &OwnReadings{store: store, vault: vault, sessions: map[ident.Session]*ownReading{}}
}

// Record journals the reading, if this session has none yet. If it cannot be recorded, nothing may be shown.
func (o *OwnReadings) Record(ctx context.Context, reader access.Actor) error {
	if reader.Person == "" || reader.Session == "" {
		return access.ErrForbidden
	}
	reading := o.of(reader.Session)
	reading.mu.Lock()
	defer reading.mu.Unlock()
	if reading.journaled {
		return nil
	}
	subject := reader.Person.Subject()
	sealer, err := o.vault.Open(ctx, subject)
	if err != nil {
		return err
	}
	err = o.store.Update(ctx, act.Of(subject), func(tx journal.Tx) error {
		_, err := journal.Append(tx, sealer, journal.Event{
			Type: "own-data.read", Actor: journal.Actor{Person: reader.Person}, Purpose: string(access.Own),
			Parts: []journal.Part{{Subject: subject, Disclosure: true}},
		})
		return err
	})
	reading.journaled = err == nil
	return err
}

func (o *OwnReadings) of(session ident.Session) *ownReading {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.sessions[session]; !known {
		if len(o.sessions) >= remembered {
			clear(o.sessions)
		}
		o.sessions[session] = &ownReading{}
	}
	return o.sessions[session]
}

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
const pending = "at most 5 s"

// trail finds events and proves them.
type trail struct {
	store act.Store[journal.Reader, journal.Tx]
	vault *seal.Vault
	log   *transparency.Log
}

var errNoEvent = fault.New(fault.NotFound, "journal.unknown", "There is no such entry about you, or it is not yet for you to see.")

// proof returns what proves an event. Its subject gets what the journal says of them; for anyone else ("") only that
// the event is in the log is proven.
func (t *trail) proof(ctx context.Context, event journal.StoredEvent, part *journal.StoredPart) (Proof, error) {
	found := Proof{Event: event.ID, Entry: event.Entry}
	if part != nil {
		sealer, err := t.vault.Open(ctx, part.Subject)
		if err != nil {
			return Proof{}, err
		}
		opening, err := journal.Open(sealer, event, *part)
		if err != nil {
			return Proof{}, err
		}
		found.Opening = &opening
	}
	proven, err := t.log.Proof(ctx, event.Index)
	switch {
	case fault.Is(err, fault.Unavailable):
		found.Pending = pending
		return found, nil
	case err != nil:
		return Proof{}, err
	}
	found.Index, found.Proof = &proven.Index, string(proven.Bytes())
	return found, nil
}

// about returns an event with its part about the subject, as they may see it.
func (t *trail) about(ctx context.Context, subject ident.Subject, id ident.Event, now time.Time) (event journal.StoredEvent, part journal.StoredPart, err error) {
	err = t.store.View(ctx, func(tx journal.Reader) error {
		// Identifiers hold nothing after "~", so that the first part before "<id>~" is of this event if there is one.
		parts, err := tx.PartsOf(subject, false, id+"~", 1)
		if err != nil {
			return err
		}
		if len(parts) == 0 || parts[0].Event != id || parts[0].ShownFrom.After(now) {
			return errNoEvent
		}
		part = parts[0]
		event, err = tx.StoredEvent(part.Key, id)
		return err
	})
	return event, part, err
}

// receipt returns the proof of an act's event; its subject, if they are the one who acts, gets its opening, too.
func (t *trail) receipt(ctx context.Context, by access.Actor, applicant ident.Subject, id ident.Event) (Proof, error) {
	var event journal.StoredEvent
	var part *journal.StoredPart
	err := t.store.View(ctx, func(tx journal.Reader) (err error) {
		part = nil
		if event, err = tx.StoredEvent(act.Of(applicant), id); err != nil || by.Person.Subject() != applicant {
			return err
		}
		parts, err := tx.StoredParts(event.Key, id)
		for i := range parts {
			if parts[i].Subject == applicant && part == nil {
				part = &parts[i]
			}
		}
		return err
	})
	if err != nil {
		return Proof{}, err
	}
	return t.proof(ctx, event, part)
}

func accessLogOperations(trail *trail, clock act.Clock, readings *OwnReadings) []operation {
	return []operation{
		{
			id: "listAccess", tag: "access log", summary: "Lists who read which of one's data, when and for what, the newest first.",
			method: "GET", path: "/access-log", access: route.SignedIn(), query: []parameter{limitParameter, afterParameter},
			response: Page[Access]{}, codes: []string{"page.limit", "page.cursor"},
			handle: route.Own(readings, listAccess(trail, clock)),
		},
		{
			id: "proveAccess", tag: "access log", summary: "Proves an event about oneself: everything that anybody needs to verify it offline.",
			method: "GET", path: "/access-log/{event}/proof", costly: true, access: route.SignedIn(), response: Proof{},
			codes: []string{"journal.unknown", "seal.erased"},
			handle: route.Own(readings, func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				event, part, err := trail.about(r.Context(), v.Actor.Person.Subject(), ident.Event(r.PathValue("event")), clock())
				if err != nil {
					return err
				}
				found, err := trail.proof(r.Context(), event, &part)
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, found)
			}),
		},
	}
}

func listAccess(trail *trail, clock act.Clock) route.Handler {
	return func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
		wanted, err := limit(r)
		if err != nil {
			return err
		}
		place, err := after(r, 1)
		if err != nil {
			return err
		}
		var before ident.Event
		if place != nil {
			if before, err = ident.Parse[ident.Event](place[0]); err != nil {
				return errCursor
			}
		}
		page, err := trail.page(r.Context(), v.Actor.Person.Subject(), before, wanted, clock())
		if err != nil {
			return err
		}
		return route.WriteJSON(w, http.StatusOK, page)
	}
}

// page returns entries before an event. What a law still delays is left out.
func (t *trail) page(ctx context.Context, subject ident.Subject, before ident.Event, wanted int, now time.Time) (Page[Access], error) {
	page := Page[Access]{Items: []Access{}}
	sealer, err := t.vault.Open(ctx, subject)
	if err != nil {
		return page, err
	}
	err = t.store.View(ctx, func(tx journal.Reader) error {
		page = Page[Access]{Items: []Access{}}
		parts, err := tx.PartsOf(subject, true, before, wanted+1)
		if err != nil {
			return err
		}
		if len(parts) > wanted {
			parts = parts[:wanted]
			page.Next = cursor(parts[wanted-1].Event)
		}
		for _, part := range parts {
			if part.ShownFrom.After(now) {
				continue
			}
			entry, err := entryOf(tx, sealer, part)
			if err != nil {
				return err
			}
			page.Items = append(page.Items, entry)
		}
		return nil
	})
	return page, err
}

func entryOf(tx journal.Reader, sealer *seal.Sealer, part journal.StoredPart) (Access, error) {
	event, err := tx.StoredEvent(part.Key, part.Event)
	if err != nil {
		return Access{}, err
	}
	var header journal.Header
	if err := json.Unmarshal(event.Header, &header); err != nil {
		return Access{}, journal.ErrTampered(event, "its header cannot be read")
	}
	entry := Access{
		Event: event.ID, At: event.At, Type: header.Type, By: officialOf(header.Actor), Purpose: header.Purpose,
		What: json.RawMessage("{}"), Shown: part.ShownFrom,
	}
	opening, err := journal.Open(sealer, event, part)
	switch {
	case fault.Is(err, fault.Erased):
		entry.Erased = true
	case err != nil:
		return Access{}, err
	default:
		entry.What = opening.Personal
	}
	return entry, nil
}
