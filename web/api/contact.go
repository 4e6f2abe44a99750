package api

import (
	"net/http"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/country"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/notice"
	"yagona/web/route"
)

// Contact is how a person wants to be told.
type Contact struct {
	Channels  []string  `json:"channels" doc:"the ways by which messages can leave here: email, sms, telegram"`
	Language  string    `json:"language,omitempty" doc:"of the messages"`
	InPerson  bool      `json:"inPerson" doc:"no message is sent: the person asks an official"`
	Addresses []Address `json:"addresses"`
}

// Address is where messages to a person may go.
type Address struct {
	ID         string    `json:"id"`
	Channel    string    `json:"channel"`
	Address    string    `json:"address,omitempty" doc:"absent: of a chat, or not linked yet"`
	Chosen     bool      `json:"chosen"`
	Confirmed  time.Time `json:"confirmed,omitzero" doc:"absent: its code is waited for"`
	Until      time.Time `json:"until,omitzero" doc:"when its code ends"`
	Invitation string    `json:"invitation,omitempty" doc:"opens the bot with the code that links the chat"`
	Code       string    `json:"code,omitempty" doc:"what to send to the bot; a code that was sent to an address is never shown"`
}

// NewAddress is an address to be added.
type NewAddress struct {
	Channel  string `json:"channel"`
	Address  string `json:"address,omitempty" doc:"an e-mail address or a telephone number; none for a chat, which its code links"`
	Language string `json:"language" doc:"of the messages"`
}

// AddressCode confirms an address.
type AddressCode struct {
	Code string `json:"code"`
}

// ContactChoice is what a person chooses.
type ContactChoice struct {
	Chosen   []string `json:"chosen" doc:"the ids of confirmed addresses that are to be used"`
	InPerson bool     `json:"inPerson,omitempty" doc:"true: no message is sent"`
	Language string   `json:"language" doc:"of the messages"`
}

// Delivery is a message that left the house.
type Delivery struct {
	ID       string       `json:"id"`
	Notice   string       `json:"notice"`
	Channel  string       `json:"channel"`
	Address  string       `json:"address" doc:"its id"`
	State    notice.State `json:"state"`
	Reason   string       `json:"reason,omitempty" doc:"why it failed or was given up"`
	Attempts int          `json:"attempts"`
	Queued   time.Time    `json:"queued"`
	Changed  time.Time    `json:"changed"`
}

func addressOf(courier *notice.Courier, one notice.Address) Address {
	shown := Address{ID: one.ID, Channel: one.Channel, Address: one.Value, Chosen: one.Chosen, Confirmed: one.Confirmed, Until: one.Until}
	if shown.Invitation = courier.Invitation(one); shown.Invitation != "" {
		shown.Code = one.Code
	} else if one.Channel == "telegram" {
		shown.Address = "" // the chat's number tells its person nothing
	}
	return shown
}

var errLanguage = fault.New(fault.Invalid, "application.language", "Nothing is written in this language here. Choose one of the country's.").At("language")

func contactOperations(profile *country.Profile, board *notice.Board, courier *notice.Courier, readings *access.OwnReadings) []operation {
	reader := func(v route.Visitor) ident.Subject { return v.Actor.Person.Subject() }
	change := []string{"contact.unknown", "contact.changed", "seal.erased"}
	return []operation{
		{
			id: "showContact", tag: "person", summary: "Shows how one wants to be told of news.",
			method: "GET", path: "/me/contact", access: route.SignedIn(), response: Contact{}, codes: []string{"seal.erased"},
			handle: route.Own(readings, func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				found, err := courier.Contact(r.Context(), reader(v))
				if err != nil {
					return err
				}
				shown := Contact{Channels: courier.Names(), Language: found.Language, InPerson: found.InPerson, Addresses: []Address{}}
				for _, one := range found.Addresses {
					shown.Addresses = append(shown.Addresses, addressOf(courier, one))
				}
				return route.WriteJSON(w, http.StatusOK, shown)
			}),
		},
		{
			id: "chooseContact", tag: "person", summary: "Chooses the confirmed addresses that are used, or none: one asks an official.",
			method: "PUT", path: "/me/contact", access: route.SignedIn(), body: smallBody, request: ContactChoice{}, status: http.StatusNoContent,
			codes: append([]string{"contact.not-confirmed", "application.language"}, change...),
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				var wanted ContactChoice
				if err := route.ReadJSON(r, &wanted); err != nil {
					return err
				}
				if !profile.Speaks(wanted.Language) {
					return errLanguage
				}
				if err := courier.Choose(r.Context(), reader(v), wanted.Chosen, wanted.InPerson, wanted.Language); err != nil {
					return err
				}
				w.WriteHeader(http.StatusNoContent)
				return nil
			},
		},
		{
			id: "addAddress", tag: "person", summary: "Adds an address, to which a code is sent; it is used after its code came back.",
			method: "POST", path: "/me/contact/addresses", access: route.SignedIn(), body: smallBody, request: NewAddress{}, response: Address{},
			status: http.StatusCreated,
			codes: append([]string{
				"contact.channel", "contact.malformed", "application.language", "contact.again", "contact.too-many", "contact.too-many-codes",
			}, change...),
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				var wanted NewAddress
				if err := route.ReadJSON(r, &wanted); err != nil {
					return err
				}
				if !profile.Speaks(wanted.Language) {
					return errLanguage
				}
				added, err := courier.AddAddress(r.Context(), reader(v), wanted.Channel, wanted.Address, wanted.Language)
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusCreated, addressOf(courier, added))
			},
		},
		{
			id: "confirmAddress", tag: "person", summary: "Confirms an address with the code that was sent to it.",
			method: "POST", path: "/me/contact/addresses/{address}/confirm", access: route.SignedIn(), body: smallBody, request: AddressCode{},
			status: http.StatusNoContent, codes: append([]string{"contact.code"}, change...),
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				var wanted AddressCode
				if err := route.ReadJSON(r, &wanted); err != nil {
					return err
				}
				if err := courier.Confirm(r.Context(), reader(v), r.PathValue("address"), wanted.Code); err != nil {
					return err
				}
				w.WriteHeader(http.StatusNoContent)
				return nil
			},
		},
		{
			id: "removeAddress", tag: "person", summary: "Forgets an address of one's own.",
			method: "DELETE", path: "/me/contact/addresses/{address}", access: route.SignedIn(), status: http.StatusNoContent, codes: change,
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				if err := courier.Remove(r.Context(), reader(v), r.PathValue("address")); err != nil {
					return err
				}
				w.WriteHeader(http.StatusNoContent)
				return nil
			},
		},
		{
			id: "listDeliveries", tag: "person", summary: "Lists what became of the messages to oneself that left the house, the newest first.",
			method: "GET", path: "/me/deliveries", access: route.SignedIn(), query: []parameter{limitParameter}, response: Page[Delivery]{},
			codes: []string{"page.limit"},
			handle: route.Own(readings, func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				wanted, err := limit(r)
				if err != nil {
					return err
				}
				found, err := board.Deliveries(r.Context(), reader(v), wanted)
				if err != nil {
					return err
				}
				page := Page[Delivery]{Items: []Delivery{}}
				for _, d := range found {
					page.Items = append(page.Items, Delivery{d.ID, d.Notice, d.Channel, d.Address, d.State, d.Reason, d.Attempts, d.Queued, d.Changed})
				}
				return route.WriteJSON(w, http.StatusOK, page)
			}),
		},
	}
}
