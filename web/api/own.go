package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/kernel/money"
	"yagona/kernel/notice"
	"yagona/kernel/person"
	"yagona/web/route"
	"yagona/web/signin"
)

// Payment is the payment order of a granted application.
type Payment struct {
	Order    ident.Order       `json:"order"`
	State    ledger.OrderState `json:"state,omitempty" doc:"absent: the order is not prepared yet"`
	Amount   money.Amount      `json:"amount"`
	Currency string            `json:"currency,omitempty"`
	Reason   string            `json:"reason,omitempty" doc:"why it was rejected: a bank's code of ISO 20022 (BE01: the account is somebody else's; AC01: there is no such account; AC04: it is closed), or a treasurer's reason"`
	Prepared time.Time         `json:"prepared,omitzero"`
	Released time.Time         `json:"released,omitzero"`
	Sent     time.Time         `json:"sent,omitzero"`
	Settled  time.Time         `json:"settled,omitzero" doc:"when it was confirmed or rejected"`
	Final    bool              `json:"final" doc:"it is confirmed or rejected: nothing more will happen to this order"`
	Account  bool              `json:"accountWanted" doc:"the bank did not take the payment: name another account"`
}

func paymentOperations(cases *casework.Casework, book *ledger.Ledger, readings *access.OwnReadings) []operation {
	return []operation{{
		id: "showPayment", tag: "applications", summary: "Shows what became of the payment of a granted application of one's own.",
		method: "GET", path: "/applications/{application}/payment", access: route.SignedIn(), response: Payment{},
		codes: []string{"application.unknown", "application.archived", "application.no-payment", "seal.erased"},
		handle: route.Own(readings, func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
			view, err := cases.Own(r.Context(), v.Actor, ident.Application(r.PathValue("application")))
			if err != nil {
				return err
			}
			payment := view.Definition.Output.Payment
			if payment == nil || view.Content.Granted == nil || view.Content.Granted.Order == "" {
				return fault.New(fault.Conflict, "application.no-payment", "Nothing is paid for this application.")
			}
			shown := Payment{Order: view.Content.Granted.Order, Amount: money.Amount(view.Content.Granted.Payment), Account: view.Content.Granted.Rejected != ""}
			err = book.Store.View(r.Context(), func(tx ledger.Reader) error {
				found, err := tx.PaymentOrder(fundAccount(payment.Fund), shown.Order)
				if fault.Is(err, fault.NotFound) {
					return nil // its job waits
				}
				if err != nil {
					return err
				}
				shown.State, shown.Currency, shown.Reason, shown.Prepared = found.State, found.Currency, found.Reason, found.Prepared
				shown.Released, shown.Sent, shown.Settled = found.Released, found.Sent, found.Settled
				shown.Final = found.State == ledger.Confirmed || found.State == ledger.Rejected
				return nil
			})
			if err != nil {
				return err
			}
			return route.WriteJSON(w, http.StatusOK, shown)
		}),
	}}
}

// fundAccount returns the ledger's account of a fund that a service names.
func fundAccount(name string) ident.Account { return ident.Account("fund:" + name) }

// DocumentSummary is one of a person's documents.
type DocumentSummary struct {
	ID          ident.Document    `json:"id"`
	Type        string            `json:"type"`
	Service     ident.Service     `json:"service"`
	Agency      ident.Agency      `json:"agency"`
	Application ident.Application `json:"application,omitempty"`
	Issued      time.Time         `json:"issued"`
	From        time.Time         `json:"from,omitzero"`
	Until       time.Time         `json:"until,omitzero"`
}

// Document is a document with its words.
type Document struct {
	DocumentSummary
	State   document.State   `json:"state"`
	Revoked time.Time        `json:"revoked,omitzero"`
	Reason  string           `json:"reason,omitempty" doc:"why it was revoked"`
	Content document.Content `json:"content" doc:"what it says, in the reader's language and in the one that counts"`
	Payload string           `json:"payload" doc:"the text of its QR code, which verifies offline"`
}

func documentSummary(d document.Stored) DocumentSummary {
	return DocumentSummary{d.ID, d.Type, d.Service, d.Agency, d.Application, d.Issued, d.From, d.Until}
}

func documentOperations(issuer *document.Issuer, clock act.Clock, readings *access.OwnReadings) []operation {
	held := func(r *http.Request, v route.Visitor) (document.Held, error) {
		return ownDocument(r.Context(), issuer, v.Actor.Person, ident.Document(r.PathValue("document")), clock())
	}
	codes := []string{"document.unknown", "seal.erased"}
	return []operation{
		{
			id: "listDocuments", tag: "documents", summary: "Lists one's own documents, the newest first.",
			method: "GET", path: "/documents", access: route.SignedIn(), response: Page[DocumentSummary]{},
			handle: route.Own(readings, func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				page := Page[DocumentSummary]{Items: []DocumentSummary{}}
				err := issuer.Store.View(r.Context(), func(tx document.Reader) error {
					found, err := tx.DocumentsOf(v.Actor.Person.Subject())
					for _, one := range found {
						page.Items = append(page.Items, documentSummary(one))
					}
					return err
				})
				if err != nil {
					return err
				}
				slices.SortStableFunc(page.Items, func(a, b DocumentSummary) int { return b.Issued.Compare(a.Issued) })
				return route.WriteJSON(w, http.StatusOK, page)
			}),
		},
		{
			id: "showDocument", tag: "documents", summary: "Shows a document of one's own.",
			method: "GET", path: "/documents/{document}", access: route.SignedIn(), response: Document{}, codes: codes,
			handle: route.Own(readings, func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				found, err := held(r, v)
				if err != nil {
					return err
				}
				shown := Document{
					DocumentSummary: documentSummary(found.Stored), State: found.State, Revoked: found.Revoked,
					Content: found.Content, Payload: found.Payload,
				}
				if found.Reason != nil {
					shown.Reason = found.Reason.Text
				}
				return route.WriteJSON(w, http.StatusOK, shown)
			}),
		},
		{
			id: "downloadDocument", tag: "documents", summary: "Gives a document of one's own as a sealed PDF.",
			method: "GET", path: "/documents/{document}/file", costly: true, access: route.SignedIn(), produces: "application/pdf", codes: codes,
			handle: route.Own(readings, func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				found, err := held(r, v)
				if err != nil {
					return err
				}
				file, err := issuer.File(r.Context(), found, clock())
				if err != nil {
					return err
				}
				w.Header().Set("Content-Type", "application/pdf")
				w.Header().Set("Content-Disposition", `attachment; filename="`+string(found.Stored.ID)+`.pdf"`)
				_, err = w.Write(file)
				return err
			}),
		},
	}
}

// ownDocument opens a document for its subject; for anyone else there is no such document.
func ownDocument(ctx context.Context, issuer *document.Issuer, reader ident.Person, id ident.Document, now time.Time) (document.Held, error) {
	err := issuer.Store.View(ctx, func(tx document.Reader) error {
		stored, err := tx.Document(id)
		if err == nil && (reader == "" || stored.Subject != reader.Subject()) {
			return document.ErrUnknown
		}
		return err
	})
	if err != nil {
		return document.Held{}, err
	}
	return issuer.Open(ctx, id, now)
}

// OwnRecord is what a register says of the person who asks: the version that holds today.
type OwnRecord struct {
	Register ident.Register `json:"register"`
	Agency   ident.Agency   `json:"agency" doc:"keeps the register and answers for it"`
	Title    string         `json:"title" doc:"of the register"`
	Version
}

func ownRecordOperations(k keepers, authoritative string) []operation {
	return []operation{
		{
			id: "listOwnRecords", tag: "person", summary: "Lists what the registers that are held here say of oneself today. Who finds it wrong asks for a correction.",
			method: "GET", path: "/me/records", access: route.SignedIn(), response: Page[OwnRecord]{}, codes: []string{"seal.erased"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				found, err := k.keeper.Own(r.Context(), v.Resident())
				if err != nil {
					return err
				}
				page := Page[OwnRecord]{Items: []OwnRecord{}}
				for _, one := range found {
					definition, err := k.catalogue().Register(one.Register)
					if err != nil {
						return err
					}
					page.Items = append(page.Items, OwnRecord{one.Register, definition.Agency, definition.Title.In(v.Language, authoritative), versionShown(one)})
				}
				return route.WriteJSON(w, http.StatusOK, page)
			},
		},
		{
			id: "showOwnRecord", tag: "person", summary: "Shows a record about oneself with all its versions.",
			method: "GET", path: "/me/records/{pack}/{register}/{record}", access: route.SignedIn(), response: Record{}, etag: true,
			codes: []string{"register.unknown", "register.no-record", "seal.erased"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				record := ident.Record(r.PathValue("record"))
				found, err := k.keeper.OwnHistory(r.Context(), v.Resident(), registerIn(r), record)
				if err != nil {
					return err
				}
				return answerRecord(w, record, found)
			},
		},
	}
}

// Person is who is signed in.
type Person struct {
	ID           ident.Person         `json:"id"`
	Name         string               `json:"name"`
	Birth        calendar.Date        `json:"birth,omitzero"`
	Language     string               `json:"language,omitempty"`
	Appointments []signin.Appointment `json:"appointments" doc:"in force; choose the one to work in with PUT /sessions/current"`
	Appointment  ident.Appointment    `json:"appointment,omitempty" doc:"the one that this session works in"`
}

// Notice is a message to a person.
type Notice struct {
	ID          string            `json:"id"`
	Kind        string            `json:"kind" doc:"what happened: application.granted"`
	Application ident.Application `json:"application,omitempty"`
	At          time.Time         `json:"at"`
}

func personOperations(people *person.Directory, board *notice.Board, readings *access.OwnReadings) []operation {
	return []operation{
		{
			id: "showMe", tag: "person", summary: "Shows who is signed in.",
			method: "GET", path: "/me", access: route.SignedIn(), response: Person{}, codes: []string{"person.unknown", "seal.erased"},
			handle: route.Own(readings, func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				known, err := people.Attributes(r.Context(), v.Actor.Person)
				if err != nil {
					return err
				}
				shown := Person{
					ID: v.Actor.Person, Name: known.Name, Birth: known.Birth, Language: known.Language, Appointments: appointments(v),
				}
				if v.Actor.Appointment != nil {
					shown.Appointment = v.Actor.Appointment.ID
				}
				return route.WriteJSON(w, http.StatusOK, shown)
			}),
		},
		{
			id: "listAppointments", tag: "person", summary: "Lists the appointments that one holds now. PUT /sessions/current chooses the one to work in.",
			method: "GET", path: "/me/appointments", access: route.SignedIn(), response: Page[signin.Appointment]{},
			handle: func(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
				return route.WriteJSON(w, http.StatusOK, Page[signin.Appointment]{Items: appointments(v)})
			},
		},
		{
			id: "listNotices", tag: "person", summary: "Lists the messages to oneself, the newest first.",
			method: "GET", path: "/notices", access: route.SignedIn(), query: []parameter{limitParameter}, response: Page[Notice]{},
			codes: []string{"page.limit"},
			handle: route.Own(readings, func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				wanted, err := limit(r)
				if err != nil {
					return err
				}
				found, err := board.Of(r.Context(), v.Actor.Person.Subject(), wanted)
				if err != nil {
					return err
				}
				page := Page[Notice]{Items: []Notice{}}
				for _, one := range found {
					page.Items = append(page.Items, Notice{one.ID, one.Kind, one.Application, one.At})
				}
				return route.WriteJSON(w, http.StatusOK, page)
			}),
		},
	}
}

func appointments(v route.Visitor) []signin.Appointment {
	shown := []signin.Appointment{}
	for _, one := range v.Appointments {
		shown = append(shown, signin.Appointment{ID: one.ID, Agency: one.Agency, Role: one.Role, Territory: one.Territory})
	}
	return shown
}
