package notice

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// State is what became of a delivery.
type State string

// The states of a delivery.
const (
	Queued    State = "queued"    // it waits for its first try, or for its address's allowance
	Failed    State = "failed"    // the last try failed; it is tried again
	Sent      State = "sent"      // the channel took it, and answers for the rest
	Delivered State = "delivered" // the channel says that it arrived
	GivenUp   State = "given-up"  // it was refused for good, or tried until it was too late
)

// Delivery is one message that leaves the house: a notice to one address.
type Delivery struct {
	ID       string // derived from notice and address: the same for every try
	Reader   ident.Subject
	Notice   string
	Channel  string
	Address  string // the id of the address, which is sealed in the contact
	State    State
	Reason   string // why it failed or was given up: a word of ours and a status, never the receiver's text
	Attempts int
	Receipt  string // the channel's own id of it
	Queued   time.Time
	Changed  time.Time
	Event    ident.Event
}

// Cover returns what an event says of the delivery.
func (d Delivery) Cover() journal.Cover {
	d.Event = ""
	return journal.Cover{Row: "delivery/" + d.ID, Digest: journal.Digest(d)}
}

// Message is what a channel sends.
type Message struct {
	ID       string // the same for every try: by it a receiver can tell a duplicate
	To       string
	Subject  string
	Text     string
	Language string // BCP 47
}

// Receipt is what a channel says of a message that it took.
type Receipt struct {
	ID        string // the channel's own id; empty: none
	Delivered bool   // it arrived already
}

// Failure is why a channel did not take a message, or is not known to have. Any other error counts as one that may pass.
type Failure struct {
	Reason string        // a word and a status: "refused 550"; no personal data
	Final  bool          // trying again cannot help
	After  time.Duration // how long the channel asks to wait; zero: it does not say
}

func (f *Failure) Error() string { return "the message was not taken: " + f.Reason }

// Carrier sends messages. It is safe for concurrent use.
type Carrier interface {
	// Send sends a message once; the error is a *Failure if the receiver said why.
	Send(ctx context.Context, message Message) (Receipt, error)
}

// Tracker is a carrier that can be asked what became of a message.
type Tracker interface {
	// Track returns Sent while it is under way, Delivered, or Failed with the reason.
	Track(ctx context.Context, receipt string) (State, string, error)
}

// Listener is a carrier to whose bot people send codes.
type Listener interface {
	// Listen hands over codes with the chats that sent them until the context ends.
	Listen(ctx context.Context, link func(ctx context.Context, code, chat string) error) error
	// Invitation returns the address that opens the bot with the code.
	Invitation(code string) string
}

// Channel is one way to reach people.
type Channel struct {
	Name string // "email", "sms", "telegram"
	// Normalise returns an address as it is kept, or a fault.Invalid at "address". Nil: chats are linked by a code.
	Normalise func(text string) (string, error)
	Carrier   Carrier
}

// Words are the texts of messages. None tells more than that there is something to look at.
type Words interface {
	// News says that there is news.
	News(language string) (subject, text string)
	// Code carries the code that confirms an address.
	Code(language, code string) (subject, text string)
	// Confirmation carries the code by which a person confirms what an official wrote down for them.
	Confirmation(language, code string) (subject, text string)
}

// Courier carries messages out of the house. It is safe for concurrent use.
type Courier struct {
	Store    act.Store[Reader, Tx]
	Vault    *seal.Vault
	Clock    act.Clock
	Key      []byte // of the indexes over addresses and codes
	Channels []Channel
	Words    Words
	Log      *slog.Logger // nil: none
}

// The kinds of job.
const (
	JobDeliver = "notice.deliver"
	JobCode    = "notice.send-code"
	JobTrack   = "notice.track"
)

type deliveryJob struct {
	Delivery string `json:"delivery"`
	Asked    int    `json:"asked,omitempty"` // how often the channel was asked what became of it
}

type codeJob struct {
	Address string `json:"address"`
}

// Handlers returns who does the courier's jobs.
func (c *Courier) Handlers() map[string]job.Handler {
	return map[string]job.Handler{JobDeliver: job.With(c.deliver), JobCode: job.With(c.sendCode), JobTrack: job.With(c.track)}
}

func (c *Courier) channel(name string) *Channel {
	for i := range c.Channels {
		if c.Channels[i].Name == name {
			return &c.Channels[i]
		}
	}
	return nil
}

// lasts is how long a message is tried: later it would tell old news, which stand on the person's page.
const lasts = 48 * time.Hour

// retries are the waits after the first failures; later ones wait as long as the last.
var retries = [...]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour}

// questions are when a channel is asked what became of a message that it took.
var questions = [...]time.Duration{time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

// deliver tries a delivery once. What came of it, the end of this job and the next one are one act: if the process dies
// before it, the message is sent again with the same id.
func (c *Courier) deliver(ctx context.Context, queued job.Job, payload deliveryJob) error {
	reader := ident.Subject(queued.Key)
	delivery, err := c.delivery(ctx, reader, payload.Delivery)
	if err != nil {
		return err
	}
	if delivery.State != Queued && delivery.State != Failed {
		return nil
	}
	contact, _, sealer, err := c.open(ctx, reader)
	switch {
	case fault.Is(err, fault.Erased):
		return c.settle(ctx, queued, nil, delivery, outcome{state: GivenUp, reason: "erased"})
	case err != nil:
		return err
	}
	came, err := c.try(ctx, delivery, contact)
	if err != nil {
		return err
	}
	return c.settle(ctx, queued, sealer, delivery, came)
}

// outcome is what came of a try.
type outcome struct {
	state     State
	reason    string
	receipt   string
	tried     bool
	next      time.Duration // until the next job; zero: none
	following string        // its kind
	asked     int
}

func (c *Courier) try(ctx context.Context, delivery Delivery, contact Contact) (outcome, error) {
	address, channel := contact.address(delivery.Address), c.channel(delivery.Channel)
	switch {
	case address == nil || !address.used() || contact.InPerson:
		return outcome{state: GivenUp, reason: "address not in use"}, nil
	case channel == nil:
		return outcome{state: GivenUp, reason: "channel not configured"}, nil
	case c.Clock().Sub(delivery.Queued) > lasts:
		return outcome{state: GivenUp, reason: "too late"}, nil
	}
	wait, err := c.allow(ctx, c.allowanceKey("address", address.Channel+" "+address.Value), delivery.ID, perAddress)
	if err != nil {
		return outcome{}, err
	}
	if wait > 0 {
		return outcome{state: Queued, reason: "too many to this address", next: wait, following: JobDeliver}, nil
	}
	subject, text := c.Words.News(contact.Language)
	receipt, err := channel.Carrier.Send(ctx, Message{ID: delivery.ID, To: address.Value, Subject: subject, Text: text, Language: contact.Language})
	if err == nil {
		came := outcome{state: Sent, receipt: receipt.ID, tried: true}
		if receipt.Delivered {
			came.state = Delivered
		} else if _, ok := channel.Carrier.(Tracker); ok && receipt.ID != "" {
			came.next, came.following = questions[0], JobTrack
		}
		return came, nil
	}
	if ctx.Err() != nil { // the process stops: the job stays
		return outcome{}, ctx.Err()
	}
	failure, told := errors.AsType[*Failure](err)
	if !told {
		failure = &Failure{Reason: "unreachable"}
	}
	if failure.Final {
		return outcome{state: GivenUp, reason: failure.Reason, tried: true}, nil
	}
	next := max(retries[min(delivery.Attempts, len(retries)-1)], failure.After)
	return outcome{state: Failed, reason: failure.Reason, tried: true, next: next, following: JobDeliver}, nil
}

// settle stores what came of a job: the delivery, the job's end, the next job, the event.
func (c *Courier) settle(ctx context.Context, done job.Job, sealer *seal.Sealer, delivery Delivery, came outcome) error {
	if c.Log != nil && came.reason != "" {
		c.Log.Warn("a message was not delivered", "delivery", delivery.ID, "channel", delivery.Channel, "state", came.state, "reason", came.reason)
	}
	// What was sent is recorded even if the process was told to stop meanwhile.
	return c.Store.Update(context.WithoutCancel(ctx), done.Key, func(tx Tx) error {
		if err := tx.FinishJob(done.Key, done.ID); err != nil {
			return err
		}
		delivery := delivery
		delivery.State, delivery.Reason, delivery.Changed, delivery.Event = came.state, came.reason, tx.Now(), journal.NewID(tx)
		if came.receipt != "" {
			delivery.Receipt = came.receipt
		}
		if came.tried {
			delivery.Attempts++
		}
		if err := tx.SaveDelivery(delivery); err != nil {
			return err
		}
		if came.next > 0 {
			if err := job.Queue(tx, came.following, came.next, deliveryJob{Delivery: delivery.ID, Asked: came.asked}); err != nil {
				return err
			}
		}
		event := journal.Event{
			Type: "notice.delivery", Actor: journal.Actor{Component: "notice"}, Object: "notice:" + delivery.Notice,
			Facts:  map[string]string{"channel": delivery.Channel, "state": string(delivery.State), "attempts": strconv.Itoa(delivery.Attempts)},
			Covers: []journal.Cover{delivery.Cover()},
		}
		if came.reason != "" {
			event.Facts["reason"] = came.reason
		}
		if sealer != nil {
			event.Parts = []journal.Part{{Subject: delivery.Reader}}
		}
		return journal.AppendAs(tx, sealer, delivery.Event, event)
	})
}

func (c *Courier) delivery(ctx context.Context, reader ident.Subject, id string) (found Delivery, err error) {
	err = c.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Delivery(reader, id)
		return err
	})
	return found, err
}

// track asks the channel what became of a message that it took.
func (c *Courier) track(ctx context.Context, queued job.Job, payload deliveryJob) error {
	delivery, err := c.delivery(ctx, ident.Subject(queued.Key), payload.Delivery)
	if err != nil {
		return err
	}
	channel := c.channel(delivery.Channel)
	if delivery.State != Sent || channel == nil {
		return nil
	}
	tracker, ok := channel.Carrier.(Tracker)
	if !ok {
		return nil
	}
	state, reason, err := tracker.Track(ctx, delivery.Receipt)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	sealer, opened := c.Vault.Open(ctx, delivery.Reader)
	switch {
	case fault.Is(opened, fault.Erased):
		return nil
	case opened != nil:
		return opened
	case err == nil && state == Delivered:
		return c.settle(ctx, queued, sealer, delivery, outcome{state: Delivered})
	case err == nil && state == Failed:
		return c.settle(ctx, queued, sealer, delivery, outcome{state: GivenUp, reason: reason})
	}
	asked := payload.Asked + 1
	if asked >= len(questions) {
		return nil // it stays sent: the channel tells no more
	}
	return c.Store.Update(ctx, queued.Key, func(tx Tx) error {
		if err := tx.FinishJob(queued.Key, queued.ID); err != nil {
			return err
		}
		return job.Queue(tx, JobTrack, questions[asked], deliveryJob{Delivery: delivery.ID, Asked: asked})
	})
}

// sendCode sends the code that confirms an address.
func (c *Courier) sendCode(ctx context.Context, queued job.Job, payload codeJob) error {
	contact, _, _, err := c.open(ctx, ident.Subject(queued.Key))
	if fault.Is(err, fault.Erased) {
		return nil
	}
	if err != nil {
		return err
	}
	address := contact.address(payload.Address)
	if address == nil || address.Code == "" || !c.Clock().Before(address.Until) {
		return nil
	}
	channel := c.channel(address.Channel)
	if channel == nil {
		return nil
	}
	subject, text := c.Words.Code(contact.Language, address.Code)
	_, err = channel.Carrier.Send(ctx, Message{
		ID: digest("code", address.ID), To: address.Value, Subject: subject, Text: text, Language: contact.Language,
	})
	if failure, ok := errors.AsType[*Failure](err); ok && failure.Final {
		return nil // whoever waits for it adds the right address
	}
	if err != nil { // what the receiver said stays out of the log
		return fault.New(fault.Unavailable, "contact.not-sent", "The code was not sent. It is sent again; or try another address.")
	}
	return nil
}
