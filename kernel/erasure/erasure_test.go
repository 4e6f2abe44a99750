package erasure_test

import (
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/erasure"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/seal"
	"yagona/store/query"
	"yagona/store/sqlite"
)

func TestErasingIsAnActOfTwoAndLeavesEveryHash(t *testing.T) {
	ctx := t.Context()
	clock := func() time.Time { return time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC) }
	db, err := sqlite.Temporary(ctx, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keys, err := sqlite.OpenSubjectKeys(ctx, t.TempDir()+"/keys.db", false)
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	vault, err := seal.NewVault(keys, make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	people := &person.Directory{Store: query.For[person.Reader, person.Tx](db), Vault: vault, Key: make([]byte, 32)}
	someone, err := people.TakeUp(ctx, journal.Actor{}, "", person.Attributes{Number: "1", Name: "Somebody"})
	if err != nil {
		t.Fatal(err)
	}
	all := &erasure.Erasures{Store: query.For[erasure.Reader, erasure.Tx](db), Vault: vault}
	officer := func(agency ident.Agency) access.Actor {
		return access.Actor{Person: ident.Random[ident.Person](), Appointment: &access.Appointment{Agency: agency, Role: erasure.Officer}}
	}
	first, second := officer("registry"), officer("registry")
	refused := func(err error, code string) {
		t.Helper()
		if fault.Code(err) != code {
			t.Errorf("got %v instead of %s", err, code)
		}
	}
	_, err = all.Propose(ctx, access.Actor{Person: first.Person}, someone.Subject(), "an act")
	refused(err, "access.forbidden")
	_, err = all.Propose(ctx, first, someone.Subject(), " ")
	refused(err, "erasure.law")
	own := first
	own.Person = someone
	_, err = all.Propose(ctx, own, someone.Subject(), "an act")
	refused(err, "access.forbidden")
	proposed, err := all.Propose(ctx, first, someone.Subject(), "an act")
	if err != nil {
		t.Fatal(err)
	}
	_, err = all.Confirm(ctx, first, proposed.ID)
	refused(err, "erasure.same-person")
	_, err = all.Confirm(ctx, officer("another"), proposed.ID)
	refused(err, "access.forbidden")
	if _, err := people.Attributes(ctx, someone); err != nil {
		t.Errorf("a proposal erased already: %v", err)
	}
	if _, err := all.Confirm(ctx, second, proposed.ID); err != nil {
		t.Fatal(err)
	}
	_, err = all.Confirm(ctx, second, proposed.ID)
	refused(err, "erasure.confirmed-already")
	jobs := &job.Runner{Store: query.For[job.Reader, job.Tx](db), Clock: clock, Handlers: map[string]job.Handler{erasure.JobErase: all.Carry}}
	if err := jobs.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := people.Attributes(ctx, someone); !fault.Is(err, fault.Erased) {
		t.Errorf("after the erasure the person's attributes gave %v", err)
	}
	sealer, err := vault.Open(ctx, someone.Subject())
	if err != nil {
		t.Fatal(err)
	}
	erased := 0
	err = db.View(ctx, func(tx *query.Tx) error {
		parts, err := tx.PartsOf(someone.Subject(), false, "", 10)
		if err != nil {
			return err
		}
		for _, part := range parts {
			event, err := tx.StoredEvent(part.Key, part.Event)
			if err != nil {
				return err
			}
			_, n, err := journal.Check(sealer, event, parts)
			if err != nil {
				return err
			}
			erased += n
		}
		return nil
	})
	if err != nil || erased != 1 {
		t.Errorf("the auditor finds %d erased parts, %v", erased, err)
	}
}
