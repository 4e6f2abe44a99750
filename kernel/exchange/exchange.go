package exchange

import (
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/signature"
)

// Request is a question for evidence, from the server's own records.
type Request struct {
	Evidence    ident.Evidence
	Of          ident.Subject
	Service     ident.Service
	Version     string // hash of the service's definition
	Purpose     access.Purpose
	Application ident.Application // "" for a preview
	By          journal.Actor     // who makes the platform ask
	Asking      ident.Agency      // the service's competent authority
}

// Answer is what a register answered, verified and kept.
type Answer struct {
	Exchange  ident.Exchange
	Evidence  ident.Evidence
	Of        ident.Subject
	Status    Status
	Values    map[string]any // values of package rules by name; nil if there is no record
	At        time.Time      // when the answering agency stated it
	Answering ident.Agency
	VouchedBy VouchedBy
	Question  signature.Signature // by the asking agency
	Reply     signature.Signature // by the answering agency
}

// Result is what became of one request.
type Result struct {
	Answer Answer
	Err    error // fault.Forbidden: not granted; fault.Unavailable: unknown, ask again later; other
}

// StoredExchange is a question with its answer as the store keeps it.
type StoredExchange struct {
	Key    act.Key // of the subject
	ID     ident.Exchange
	At     time.Time
	Sealed []byte // SignedQuestion and SignedAnswer as JSON, sealed with the context "exchange:<id>"
	Event  ident.Event
	// Application is the one that it was asked for; "": for none. Not Known: the row is older than this column.
	Application ident.Application
	Known       bool
}

// Cover returns what an event says of the exchange.
func (s StoredExchange) Cover() journal.Cover {
	return journal.Cover{Row: "exchange/" + string(s.ID), Digest: journal.Digest(s.covered())}
}

// Content returns what the digest in the Cover is of. Which application it was asked for stands sealed in the question.
func (s StoredExchange) Content() []byte { return journal.Content(s.covered()) }

func (s StoredExchange) covered() []any { return []any{s.Key, s.ID, s.At.UnixMicro(), s.Sealed} }

// Reader is what the exchange needs for reading.
type Reader interface {
	// StoredExchange returns one, or fault.NotFound.
	StoredExchange(key act.Key, id ident.Exchange) (StoredExchange, error)
	// StoredExchanges calls visit for each that is kept, in order of key and id, until visit fails.
	StoredExchanges(visit func(StoredExchange) error) error
}

// Tx is what the exchange needs of an act.
type Tx interface {
	journal.Tx
	Reader
	// SaveExchange stores a new one under the act's key.
	SaveExchange(stored StoredExchange) error
}

// Rows calls visit for each kept exchange as the auditor needs it.
func Rows(tx Reader, visit func(journal.Row) error) error {
	return tx.StoredExchanges(func(stored StoredExchange) error {
		cover := stored.Cover()
		return visit(journal.Row{Name: cover.Row, Key: stored.Key, Event: stored.Event, Digest: cover.Digest})
	})
}
