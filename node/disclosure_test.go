package node_test

import (
	"testing"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/packs/demo"
	"yagona/store/query"
)

// An application whose act fails has asked registers all the same: what they answered is in the journal before the
// applicant hears that it failed.
func TestWhatAFailedApplicationAskedForIsJournaled(t *testing.T) {
	s := open(t)
	var applicant demo.Person
	for _, one := range s.people.People {
		if age := today.Year - one.Birth.Year; one.Employment.Status == demo.Unemployed && age > 18 && age < 30 && one.Account != "" {
			applicant = one
		}
	}
	journaled := func(kind string) (count int) {
		t.Helper()
		subject := applicant.ID.Subject()
		sealer, err := s.node.Vault.Open(t.Context(), subject)
		if err != nil {
			t.Fatal(err)
		}
		err = s.node.DB.View(t.Context(), func(tx *query.Tx) error {
			parts, err := tx.PartsOf(subject, false, "", 1000)
			if err != nil {
				return err
			}
			for _, part := range parts {
				event, err := tx.StoredEvent(part.Key, part.Event)
				if err != nil {
					return err
				}
				opening, err := journal.Open(sealer, event, part)
				if err != nil {
					return err
				}
				header, _, err := opening.Verify()
				if err != nil {
					return err
				}
				if header.Type == kind {
					count++
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	apply := func() error {
		_, err := s.node.Casework.Apply(t.Context(), access.Actor{Person: applicant.ID}, ident.Application(""), "youth/tools-subsidy", "en",
			map[string]any{"trade": "sewing", "price": int64(150_000_000), "account": applicant.Account})
		return err
	}
	before := journaled("evidence.disclosed")
	if err := apply(); err != nil {
		t.Fatal(err)
	}
	asked := journaled("evidence.disclosed") - before
	if asked == 0 {
		t.Fatal("an application asked for nothing")
	}
	if err := apply(); fault.Code(err) != "application.already-open" {
		t.Fatalf("a second application gave %v", err)
	}
	if again := journaled("evidence.disclosed") - before - asked; again != asked {
		t.Errorf("the application that failed has %d disclosures in the journal, the one that succeeded %d", again, asked)
	}
	if sent := journaled("application.submitted"); sent != 1 {
		t.Errorf("the journal has %d applications", sent)
	}
}
