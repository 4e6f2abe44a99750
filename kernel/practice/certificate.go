package practice

import (
	"context"
	"crypto/sha256"
	"slices"

	"github.com/google/uuid"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

// What a document says that somebody did all lessons of their role: its type, and in place of a service, for there is
// none.
const (
	CertificateType               = "practice-certificate"
	allLessons      ident.Service = "practice/lessons"
)

var errNotAll = fault.New(fault.Conflict, "practice.not-all", "Some of your lessons are not done yet. Do them first; then the certificate is issued.")

// certificateOf returns the number of the learner's certificate: they get one.
func certificateOf(who Learner) ident.Document {
	return ident.Document(uuid.NewHash(sha256.New(), uuid.Nil, []byte("certificate "+string(who.Appointment)), 8).String())
}

// Certificate returns the certificate of the official who asks, and false if they have none yet.
func (g *Ground) Certificate(ctx context.Context, by access.Actor) (id ident.Document, issued bool, err error) {
	if by.Appointment == nil {
		return "", false, access.ErrForbidden
	}
	who, ok := g.learner(*by.Appointment)
	if !ok {
		return "", false, nil
	}
	id = certificateOf(who)
	err = g.Store.View(ctx, func(tx Reader) error {
		_, err := tx.Document(id)
		issued = err == nil
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		return err
	})
	return id, issued, err
}

// Certify issues the certificate of a learner who has done all lessons of their role, in a language beside the one that
// counts. Who has it already gets the same.
func (g *Ground) Certify(ctx context.Context, by access.Actor, language string) (ident.Document, error) {
	id, issued, err := g.Certificate(ctx, by)
	if err != nil || issued {
		return id, err
	}
	own, err := g.Own(ctx, by)
	if err != nil {
		return "", err
	}
	if len(own) == 0 {
		return "", errNoLesson
	}
	if slices.ContainsFunc(own, func(s Standing) bool { return s.Done.IsZero() }) {
		return "", errNotAll
	}
	who, _ := g.learner(*by.Appointment)
	draft, err := g.Compose(ctx, who, own, language)
	if err != nil {
		return "", err
	}
	draft.Content.ID, draft.Subject = id, who.Person.Subject()
	draft.Content.Type, draft.Content.Service = CertificateType, allLessons
	draft.Content.Link += string(id)
	prepared, err := g.Documents.Prepare(ctx, draft, g.Clock())
	if err != nil {
		return "", err
	}
	sealer, err := g.Documents.Vault.Open(ctx, draft.Subject)
	if err != nil {
		return "", err
	}
	err = g.Store.Update(ctx, act.Of(draft.Subject), func(tx Tx) error {
		return document.Issue(tx, sealer, journal.Actor{Component: "practice"}, prepared)
	})
	if fault.Code(err) == document.ErrIssued.Code { // by another request of theirs
		err = nil
	}
	return id, err
}
