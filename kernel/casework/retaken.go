package casework

import (
	"context"

	"yagona/kernel/document"
	"yagona/kernel/journal"
)

// TakeBackAgain revokes a document once more whose revocation a restoration has lost, for a reason in the words of its
// holder. A licence that is in force by this document is suspended with it: what two officials had decided on it, if they
// did, is lost, and two officials decide once more. Doing it again gives the fault document.ErrRevoked.
func (c *Casework) TakeBackAgain(ctx context.Context, by journal.Actor, stored document.Stored, reason string) error {
	again := func() error { return c.Documents.Revoke(ctx, by, stored.ID, document.Reason{Text: reason}) }
	if stored.Application == "" {
		return again()
	}
	f, err := c.load(ctx, stored.Application)
	if isArchived(err) {
		return again() // nothing that the case gave is in force any more
	}
	if err != nil {
		return err
	}
	if f.def.Licence == nil || f.right == nil || f.right.State != InForce || f.content.Granted == nil || f.content.Granted.Document != stored.ID {
		return again()
	}
	f.revoked = append(f.revoked, revocation{stored.ID, document.Reason{Text: reason}})
	f.content.Ended, f.right.State = &End{At: f.now, Because: []Reason{{Text: reason}}}, Suspended
	f.tell("licence.suspended")
	f.note("licence.suspended", by, "", "")
	err = c.store(ctx, f, journal.Event{Type: "licence.suspended", Actor: by, Facts: map[string]string{"document": string(stored.ID)}})
	return err
}
