package exchange

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/signature"
)

// Status says what a register answers.
type Status string

// The statuses. That nobody could tell is no status but an error of kind fault.Unavailable.
const (
	StatusAnswered Status = "answered" // there is a record, and these are the declared values of it
	StatusNone     Status = "none"     // there is no record
)

// VouchedBy says what stands behind the answering agency's signature.
type VouchedBy string

// Who vouches.
const (
	VouchedByRegister VouchedBy = "register" // the agency's register of record, kept by the platform
	VouchedByAdapter  VouchedBy = "adapter"  // an adapter, which passes on what an existing system said without a signature
)

// The first lines of what is signed.
const (
	questionContext = "yagona evidence question v1\n"
	answerContext   = "yagona evidence answer v1\n"
)

// statementLimit bounds a statement that comes from elsewhere, in bytes.
const statementLimit = 1 << 20

// Question is what the asking agency states.
type Question struct {
	ID          ident.Exchange    `json:"id"`
	Evidence    ident.Evidence    `json:"evidence"`
	Of          ident.Subject     `json:"of"`
	Number      string            `json:"number,omitempty"` // national number: for a source that does not know the subject by our id
	Service     ident.Service     `json:"service"`
	Version     string            `json:"version"` // hash of the service's definition
	Purpose     access.Purpose    `json:"purpose"`
	Application ident.Application `json:"application,omitempty"`
	Asking      ident.Agency      `json:"asking"`
	Answering   ident.Agency      `json:"answering"`
	At          time.Time         `json:"at"`
}

// Reply is what the answering agency states.
type Reply struct {
	ID        ident.Exchange  `json:"id"`
	Question  []byte          `json:"question"` // SHA-256 of the question's statement
	Evidence  ident.Evidence  `json:"evidence"`
	Of        ident.Subject   `json:"of"`
	Status    Status          `json:"status"`
	Values    json.RawMessage `json:"values,omitempty"` // register.EncodeValues; absent if there is no record
	Answering ident.Agency    `json:"answering"`
	VouchedBy VouchedBy       `json:"vouchedBy"`
	At        time.Time       `json:"at"`
}

// SignedQuestion is a question as it travels: the JSON of a Question, byte for byte as it was signed.
type SignedQuestion struct {
	Statement []byte              `json:"statement"`
	Signature signature.Signature `json:"signature"`
}

// SignedAnswer is an answer as it travels: the JSON of a Reply, byte for byte as it was signed.
type SignedAnswer struct {
	Statement []byte              `json:"statement"`
	Signature signature.Signature `json:"signature"`
}

// Source answers questions: a register held here, one behind an adapter, another node. Its messages are all that it
// shares with who asks. It verifies the question and its grant for itself. It may be slow; it heeds the context.
//
// An error of kind fault.Unavailable means that the answer is unknown; fault.Forbidden that the question is refused.
type Source interface {
	Answer(ctx context.Context, question SignedQuestion) (SignedAnswer, error)
}

var errStatement = fault.New(fault.Invalid, "exchange.statement", "This is not a statement of the evidence exchange in its canonical form.")

// SignQuestion states the question in the asking agency's name.
func SignQuestion(ctx context.Context, ring signature.Ring, question Question) (SignedQuestion, error) {
	statement, made, err := sign(ctx, ring, question.Asking, questionContext, question)
	return SignedQuestion{statement, made}, err
}

// Verify checks the asking agency's signature, and returns what it asks.
func (s SignedQuestion) Verify(ring signature.Ring) (Question, error) {
	var question Question
	if err := parse(s.Statement, &question); err != nil {
		return Question{}, err
	}
	return question, verify(ring, question.Asking, questionContext, s.Statement, s.Signature, question.At)
}

// SignReply states the reply in the answering agency's name.
func SignReply(ctx context.Context, ring signature.Ring, reply Reply) (SignedAnswer, error) {
	statement, made, err := sign(ctx, ring, reply.Answering, answerContext, reply)
	return SignedAnswer{statement, made}, err
}

// Verify checks the answering agency's signature and that this answers the question, and returns what it says.
func (s SignedAnswer) Verify(ring signature.Ring, asked SignedQuestion) (Reply, error) {
	var question Question
	if err := parse(asked.Statement, &question); err != nil {
		return Reply{}, err
	}
	return s.verify(ring, asked, question)
}

// verify is Verify where the question of the statement is known already.
func (s SignedAnswer) verify(ring signature.Ring, asked SignedQuestion, question Question) (Reply, error) {
	var reply Reply
	if err := parse(s.Statement, &reply); err != nil {
		return Reply{}, err
	}
	digest := asked.Digest()
	if !bytes.Equal(reply.Question, digest) || reply.ID != question.ID || reply.Evidence != question.Evidence ||
		reply.Of != question.Of || reply.Answering != question.Answering {
		return Reply{}, fault.New(fault.Forbidden, "exchange.other-question", "This answers another question than was asked.")
	}
	known := reply.Status == StatusAnswered && len(reply.Values) > 0 || reply.Status == StatusNone && len(reply.Values) == 0
	if !known || reply.VouchedBy != VouchedByRegister && reply.VouchedBy != VouchedByAdapter {
		return Reply{}, errStatement
	}
	return reply, verify(ring, reply.Answering, answerContext, s.Statement, s.Signature, reply.At)
}

// Digest returns the SHA-256 of the question's statement: how an answer names it.
func (s SignedQuestion) Digest() []byte {
	sum := sha256.Sum256(s.Statement)
	return sum[:]
}

func sign(ctx context.Context, ring signature.Ring, by ident.Agency, context string, what any) ([]byte, signature.Signature, error) {
	statement, err := canonical(what)
	if err != nil {
		return nil, signature.Signature{}, err
	}
	made, err := ring.Sign(ctx, signature.OfAgency(by), append([]byte(context), statement...))
	return statement, made, err
}

func verify(ring signature.Ring, by ident.Agency, context string, statement []byte, made signature.Signature, at time.Time) error {
	return signature.Verify(ring, signature.OfAgency(by), append([]byte(context), statement...), made, at)
}

// canonical returns the one JSON form of a statement: members in the order of its type, no white space, no escapes that
// JSON does not ask for.
func canonical(statement any) ([]byte, error) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(statement); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(encoded.Bytes(), []byte("\n")), nil
}

// parse reads a statement and refuses one that is not in canonical form: there is one reading of what was signed.
func parse[T Question | Reply](statement []byte, into *T) error {
	if len(statement) > statementLimit {
		return errStatement
	}
	if err := jsonv2.Unmarshal(statement, into); err != nil {
		return errStatement // the inner error could hold a value
	}
	again, err := canonical(*into) // without what the type does not know
	if err != nil || !bytes.Equal(again, statement) {
		return errStatement
	}
	return nil
}
