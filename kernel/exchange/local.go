package exchange

import (
	"context"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/register"
	"yagona/kernel/signature"
)

// Local answers for the registers that are held here.
type Local struct {
	Registers *register.Keeper
	Ring      signature.Ring
	Clock     act.Clock
}

// Receive verifies a question for its source: who asks, and that its evidence is granted and answered by the agency
// that is asked. It returns the question with its evidence type and register.
func Receive(ring signature.Ring, catalogue *register.Catalogue, asked SignedQuestion) (Question, *register.EvidenceType, *register.Definition, error) {
	question, err := asked.Verify(ring)
	if err != nil {
		return Question{}, nil, nil, err
	}
	evidence, definition, err := catalogue.Evidence(question.Evidence)
	if err != nil {
		return Question{}, nil, nil, err
	}
	if definition.Agency != question.Answering {
		return Question{}, nil, nil, fault.New(fault.Forbidden, "exchange.other-agency", "Another agency answers this question.")
	}
	return question, evidence, definition, granted(evidence, question.Service, question.Purpose)
}

// Reply answers the question in the answering agency's name; nil values: there is no record.
func (q Question) Reply(asked SignedQuestion, values map[string]any, by VouchedBy, clock act.Clock) (Reply, error) {
	reply := Reply{
		ID: q.ID, Question: asked.Digest(), Evidence: q.Evidence, Of: q.Of, Status: StatusNone,
		Answering: q.Answering, VouchedBy: by, At: clock().UTC(),
	}
	if values == nil {
		return reply, nil
	}
	var err error
	reply.Status = StatusAnswered
	reply.Values, err = register.EncodeValues(values)
	return reply, err
}

// Answer implements Source.
func (l *Local) Answer(ctx context.Context, asked SignedQuestion) (SignedAnswer, error) {
	question, evidence, definition, err := Receive(l.Ring, l.Registers.Definitions(), asked)
	if err != nil {
		return SignedAnswer{}, err
	}
	values, others, err := l.Registers.Answer(ctx, evidence, question.Of)
	if err != nil {
		return SignedAnswer{}, err
	}
	told := map[ident.Subject]any{}
	for _, other := range others {
		told[other] = Disclosed{
			Exchange: question.ID, Evidence: question.Evidence, Register: definition.Path, Answering: question.Answering,
			Asking: question.Asking, Service: question.Service, Purpose: question.Purpose, Application: question.Application,
			Status: StatusAnswered,
		}
	}
	// The asker journals for whom it asked about; of those whose records answered it knows nothing.
	by := journal.Actor{Agency: question.Asking, Component: "exchange"}
	if err := l.Registers.Disclose(ctx, by, question.Purpose, definition, told); err != nil {
		return SignedAnswer{}, err
	}
	reply, err := question.Reply(asked, values, VouchedByRegister, l.Clock)
	if err != nil {
		return SignedAnswer{}, err
	}
	return SignReply(ctx, l.Ring, reply)
}
