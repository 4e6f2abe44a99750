package notice

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// Contact is how a person wants to be told.
type Contact struct {
	Language string `json:"language,omitempty"` // of the messages; empty: the country's first
	// InPerson: no message leaves the house; the person asks an official.
	InPerson  bool      `json:"inPerson,omitempty"`
	Addresses []Address `json:"addresses,omitempty"`
}

// Address is where messages may go.
type Address struct {
	ID        string    `json:"id"` // random: it tells nothing
	Channel   string    `json:"channel"`
	Value     string    `json:"value,omitempty"` // an e-mail address, a telephone number, a chat; empty: not linked yet
	Chosen    bool      `json:"chosen,omitempty"`
	Confirmed time.Time `json:"confirmed,omitzero"`
	Code      string    `json:"code,omitempty"` // that confirms it; empty: none in force
	Until     time.Time `json:"until,omitzero"` // when the code ends
	Tries     int       `json:"tries,omitempty"`
}

// StoredContact is a contact as the store keeps it.
type StoredContact struct {
	Reader ident.Subject
	Routes string // of the addresses in use: "channel:id", separated by spaces
	Sealed []byte // Contact as JSON, sealed with the context "contact"
	Event  ident.Event
}

// Cover returns what an event says of the contact.
func (s StoredContact) Cover() journal.Cover {
	return journal.Cover{Row: "contact/" + string(s.Reader), Digest: journal.Digest([]any{s.Reader, s.Routes, s.Sealed})}
}

type routed struct{ channel, address string }

func (s StoredContact) routes() (all []routed) {
	for _, one := range strings.Fields(s.Routes) {
		channel, address, _ := strings.Cut(one, ":")
		all = append(all, routed{channel, address})
	}
	return all
}

// routes returns the addresses in use, as the store keeps them.
func (c Contact) routes() string {
	var used []string
	for _, one := range c.Addresses {
		if one.used() && !c.InPerson {
			used = append(used, one.Channel+":"+one.ID)
		}
	}
	return strings.Join(used, " ")
}

func (a Address) used() bool { return a.Chosen && !a.Confirmed.IsZero() }

func (c *Contact) address(id string) *Address {
	if i := slices.IndexFunc(c.Addresses, func(a Address) bool { return a.ID == id }); i >= 0 {
		return &c.Addresses[i]
	}
	return nil
}

// Link leads from a code that a person sends to a bot to the address that waits for it. It only finds: what counts is
// the code in the contact.
type Link struct {
	Key     act.Key // of the code
	Reader  ident.Subject
	Address string
	Until   time.Time
}

// Limits of addresses and of their codes.
const (
	mostAddresses = 5
	mostTries     = 5
	codeLasts     = 30 * time.Minute
)

// The faults of addresses.
var (
	ErrAddress      = fault.New(fault.NotFound, "contact.unknown", "There is no such address among yours. Look at your addresses again.")
	ErrChannel      = fault.New(fault.Invalid, "contact.channel", "Messages are not sent this way here. Choose one of the ways that are offered.").At("channel")
	ErrMalformed    = fault.New(fault.Invalid, "contact.malformed", "This is not a well-formed address. Write it as in the example.").At("address")
	errMany         = fault.New(fault.Conflict, "contact.too-many", "You have five addresses already. Remove one before you add another.")
	errTwice        = fault.New(fault.Conflict, "contact.again", "This address is among yours already. Confirm it with its code, or remove it.")
	errCode         = fault.New(fault.Invalid, "contact.code", "This is not the code that was sent, or its time is over. Type the newest code, or add the address again.").At("code")
	errNotConfirmed = fault.New(fault.Invalid, "contact.not-confirmed", "This address is not confirmed yet. Confirm it with its code first.").At("chosen")
	errChanged      = fault.New(fault.Conflict, "contact.changed", "Your addresses were changed meanwhile. Look at them again.")
	errTooMany      = fault.New(fault.TooMany, "contact.too-many-codes", "Too many codes were asked for. Try again tomorrow.")
)

// Names returns the names of the channels that are configured.
func (c *Courier) Names() []string {
	names := []string{}
	for _, one := range c.Channels {
		names = append(names, one.Name)
	}
	return names
}

// Invitation returns the address that opens the bot of the address's channel with its code; "" if a code is sent to it.
func (c *Courier) Invitation(address Address) string {
	if channel := c.channel(address.Channel); channel != nil && address.Code != "" {
		if listener, ok := channel.Carrier.(Listener); ok {
			return listener.Invitation(address.Code)
		}
	}
	return ""
}

// Contact returns how the reader wants to be told. Who calls it answers for the journal.
func (c *Courier) Contact(ctx context.Context, reader ident.Subject) (Contact, error) {
	found, _, _, err := c.open(ctx, reader)
	return found, err
}

func (c *Courier) open(ctx context.Context, reader ident.Subject) (found Contact, stored StoredContact, sealer *seal.Sealer, err error) {
	if sealer, err = c.Vault.Open(ctx, reader); err != nil {
		return found, stored, nil, err
	}
	err = c.Store.View(ctx, func(tx Reader) error {
		stored, err = tx.StoredContact(reader)
		return err
	})
	if err != nil || len(stored.Sealed) == 0 {
		return found, stored, sealer, err
	}
	plain, err := sealer.Unseal(reader, "contact", stored.Sealed)
	if err != nil {
		return found, stored, nil, err
	}
	return found, stored, sealer, json.Unmarshal(plain, &found)
}

// change changes the reader's contact in an act of theirs, whose event has the type that apply returns; also runs in it.
func (c *Courier) change(ctx context.Context, reader ident.Subject, apply func(*Contact) (string, error), also func(Tx) error) (Contact, error) {
	found, read, sealer, err := c.open(ctx, reader)
	if err != nil {
		return found, err
	}
	event, err := apply(&found)
	if err != nil {
		return found, err
	}
	plain, err := json.Marshal(found)
	if err != nil {
		return found, err
	}
	sealed, err := sealer.Seal(reader, "contact", plain)
	if err != nil {
		return found, err
	}
	by, _ := reader.Person()
	return found, c.Store.Update(ctx, act.Of(reader), func(tx Tx) error {
		stored, err := tx.StoredContact(reader)
		if err != nil {
			return err
		}
		if stored.Event != read.Event {
			return errChanged
		}
		stored = StoredContact{Reader: reader, Routes: found.routes(), Sealed: sealed, Event: journal.NewID(tx)}
		if err := tx.SaveContact(stored); err != nil {
			return err
		}
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		return journal.AppendAs(tx, sealer, stored.Event, journal.Event{
			Type: event, Actor: journal.Actor{Person: by}, Object: string(reader), Covers: []journal.Cover{stored.Cover()},
			Parts: []journal.Part{{Subject: reader}},
		})
	})
}

// AddAddress adds an address, not used before it is confirmed: a code is sent to it, or, where the channel is linked, the
// person sends the code in the returned address to the channel's bot. An address that waits for its code gets a new one.
func (c *Courier) AddAddress(ctx context.Context, reader ident.Subject, channel, value, language string) (Address, error) {
	way := c.channel(channel)
	if way == nil {
		return Address{}, ErrChannel
	}
	if way.Normalise != nil {
		var err error
		if value, err = way.Normalise(strings.TrimSpace(value)); err != nil {
			return Address{}, err
		}
	} else {
		value = ""
	}
	code, err := newCode(way.Normalise == nil)
	if err != nil {
		return Address{}, err
	}
	added := Address{ID: ident.Random[string](), Channel: channel, Value: value, Code: code}
	if err := c.allowCode(ctx, reader, added); err != nil {
		return Address{}, err
	}
	now := c.Clock()
	added.Until = now.Add(codeLasts)
	if way.Normalise == nil {
		link := Link{Key: c.codeKey(code), Reader: reader, Address: added.ID, Until: added.Until}
		if err := c.Store.Update(ctx, link.Key, func(tx Tx) error { return tx.SaveLink(link) }); err != nil {
			return Address{}, err
		}
	}
	_, err = c.change(ctx, reader, func(contact *Contact) (string, error) {
		contact.Language = language
		contact.Addresses = slices.DeleteFunc(contact.Addresses, func(a Address) bool {
			return a.Confirmed.IsZero() && (a.Channel == channel && a.Value == value || a.Until.Before(now))
		})
		if slices.ContainsFunc(contact.Addresses, func(a Address) bool { return a.Channel == channel && a.Value == value }) {
			return "", errTwice
		}
		if len(contact.Addresses) >= mostAddresses {
			return "", errMany
		}
		contact.Addresses = append(contact.Addresses, added)
		return "contact.address-added", nil
	}, func(tx Tx) error {
		if way.Normalise == nil {
			return nil
		}
		return job.Queue(tx, JobCode, 0, codeJob{Address: added.ID})
	})
	return added, err
}

// newCode returns six digits to copy, or twelve letters and digits that nobody guesses among all that wait.
func newCode(linked bool) (string, error) {
	if linked {
		return rand.Text()[:12], nil
	}
	return NewCode()
}

// NewCode returns six random digits, to be copied by hand.
func NewCode() (string, error) {
	number, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	return fmt.Sprintf("%06d", number), err
}

// Confirm confirms an address with the code that was sent to it; it is used from then on.
func (c *Courier) Confirm(ctx context.Context, reader ident.Subject, id, code string) error {
	var wrong error
	_, err := c.change(ctx, reader, func(contact *Contact) (string, error) {
		wrong = nil
		one := contact.address(id)
		if one == nil {
			return "", ErrAddress
		}
		if one.Value == "" || one.Code == "" || one.Tries >= mostTries || !c.Clock().Before(one.Until) {
			return "", errCode
		}
		if one.Tries++; subtle.ConstantTimeCompare([]byte(one.Code), []byte(strings.TrimSpace(code))) != 1 {
			wrong = errCode // the try is stored
			return "contact.code-wrong", nil
		}
		*one = Address{ID: one.ID, Channel: one.Channel, Value: one.Value, Chosen: true, Confirmed: c.Clock()}
		contact.InPerson = false
		return "contact.address-confirmed", nil
	}, nil)
	if err != nil {
		return err
	}
	return wrong
}

// LinkChat confirms the address that waits for the code which a chat sent. Any other code gives ErrAddress.
func (c *Courier) LinkChat(ctx context.Context, code, chat string) error {
	var link Link
	err := c.Store.View(ctx, func(tx Reader) (err error) {
		link, err = tx.Link(c.codeKey(code))
		return err
	})
	if err != nil {
		return err
	}
	_, err = c.change(ctx, link.Reader, func(contact *Contact) (string, error) {
		one := contact.address(link.Address)
		if one == nil || one.Code == "" || !c.Clock().Before(one.Until) || subtle.ConstantTimeCompare([]byte(one.Code), []byte(code)) != 1 {
			return "", ErrAddress
		}
		*one = Address{ID: one.ID, Channel: one.Channel, Value: chat, Chosen: true, Confirmed: c.Clock()}
		contact.InPerson = false
		return "contact.address-confirmed", nil
	}, nil)
	return err
}

// Choose stores which confirmed addresses are used, and in which language; inPerson that none is.
func (c *Courier) Choose(ctx context.Context, reader ident.Subject, chosen []string, inPerson bool, language string) error {
	_, err := c.change(ctx, reader, func(contact *Contact) (string, error) {
		for _, id := range chosen {
			one := contact.address(id)
			if one == nil {
				return "", ErrAddress
			}
			if one.Confirmed.IsZero() {
				return "", errNotConfirmed
			}
		}
		contact.InPerson, contact.Language = inPerson, language
		for i := range contact.Addresses {
			contact.Addresses[i].Chosen = slices.Contains(chosen, contact.Addresses[i].ID)
		}
		return "contact.chosen", nil
	}, nil)
	return err
}

// Remove forgets an address. What waits to be sent there is given up.
func (c *Courier) Remove(ctx context.Context, reader ident.Subject, id string) error {
	_, err := c.change(ctx, reader, func(contact *Contact) (string, error) {
		if contact.address(id) == nil {
			return "", ErrAddress
		}
		contact.Addresses = slices.DeleteFunc(contact.Addresses, func(a Address) bool { return a.ID == id })
		return "contact.address-removed", nil
	}, nil)
	return err
}

// index returns a keyed digest of something that must not be found by guessing.
func (c *Courier) index(scope, text string) string {
	mac := hmac.New(sha256.New, c.Key)
	mac.Write([]byte("notice " + scope + "\x00" + text))
	return hex.EncodeToString(mac.Sum(nil))
}

func (c *Courier) codeKey(code string) act.Key { return act.Key("link:" + c.index("code", code)) }
