package erasure_test

import (
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/erasure"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/seal"
	"yagona/store/query"
	"yagona/store/storetest"

	"github.com/google/go-cmp/cmp"
)

func TestErasingIsAnActOfTwoAndLeavesEveryHash(t *testing.T) {
	ctx := t.Context()
	now := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	db, keys := storetest.Temporary(t, clock), storetest.Keys(t)
	vault, err := seal.NewVault(keys, make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	people := &person.Directory{Store: query.For[person.Reader, person.Tx](db), Vault: vault, Keys: seal.OneIndexKey(make([]byte, 32))}
	someone, err := people.TakeUp(ctx, journal.Actor{}, "", person.Attributes{Number: "1", Name: "Somebody"})
	if err != nil {
		t.Fatal(err)
	}
	all := &erasure.Erasures{
		Store: query.For[erasure.Reader, erasure.Tx](db), Vault: vault, Country: "X", KeepPayments: 5,
		Registers: func(agency ident.Agency) []ident.Register {
			return map[ident.Agency][]ident.Register{"registry": {"civil/births"}}[agency]
		},
	}
	officer := func(agency ident.Agency, place ...ident.Territory) access.Actor {
		held := &access.Appointment{Agency: agency, Role: erasure.Officer, Territory: append(place, "X")[0]}
		return access.Actor{Person: ident.Random[ident.Person](), Appointment: held}
	}
	first, second := officer("registry"), officer("authority")
	write := func(key act.Key, save func(tx *query.Tx) error) {
		t.Helper()
		if err := db.Update(ctx, key, save); err != nil {
			t.Fatal(err)
		}
	}
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
	_, err = all.Propose(ctx, officer("registry", "X1"), someone.Subject(), "an act")
	refused(err, "access.forbidden") // an erasure reaches beyond a district
	_, err = all.Propose(ctx, first, someone.Subject(), "an act")
	refused(err, "erasure.no-supervisor")
	all.Supervisor = "authority"
	_, err = all.Propose(ctx, first, someone.Subject(), "an act")
	refused(err, "erasure.no-standing")
	write(act.Of(someone.Subject()), func(tx *query.Tx) error {
		return tx.SaveVersion(register.StoredVersion{
			Key: tx.Key(), Register: "civil/births", Record: ident.New[ident.Record](tx.Now()), Number: 1, At: tx.Now(), From: calendar.DateOf(tx.Now(), time.UTC), Body: []byte("sealed"), Event: "e",
		})
	})
	_, err = all.Propose(ctx, officer("employment"), someone.Subject(), "an act")
	refused(err, "erasure.no-standing")

	// Nothing is erased while something is open, and the error says what.
	application := casework.Application{
		ID: ident.New[ident.Application](clock()), Applicant: someone.Subject(), Service: "youth/tools", State: casework.Deciding, Created: clock(), Submitted: clock(), Sealed: []byte("sealed"),
	}
	order := ledger.Order{
		ID: ident.New[ident.Order](clock()), Fund: "fund:youth", Subject: someone.Subject(), Amount: 1, State: ledger.Sent, Prepared: clock(), Released: clock(), Sent: clock(),
	}
	save := func() {
		write(act.Of(someone.Subject()), func(tx *query.Tx) error { return tx.SaveApplication(application) })
		write(act.OfAccount(order.Fund), func(tx *query.Tx) error { return tx.SavePaymentOrder(order) })
	}
	save()
	_, err = all.Propose(ctx, first, someone.Subject(), "an act")
	refused(err, "erasure.open-business")
	listed := fault.Of(err)
	want := map[string]string{"applications": string(application.ID), "payments": "none", "orders": string(order.ID), "corrections": "none", "kept": "none"}
	if diff := cmp.Diff(want, listed.Args); diff != "" {
		t.Errorf("it does not list what is open (-want +got):\n%s", diff)
	}
	application.State, order.State, order.Settled = casework.Granted, ledger.Confirmed, now
	save()
	_, err = all.Propose(ctx, first, someone.Subject(), "an act")
	if refused(err, "erasure.open-business"); fault.Of(err).Args["kept"] != string(order.ID)+" (2031-03-02)" {
		t.Errorf("it does not say how long the law keeps the payment: %v", err)
	}
	now = now.AddDate(5, 0, 0)
	write(act.Of(someone.Subject()), func(tx *query.Tx) error {
		return tx.QueueJob(job.Job{ID: "j", Key: tx.Key(), Kind: casework.JobPay, Due: now.Add(time.Hour), Payload: []byte("{}")})
	})
	_, err = all.Propose(ctx, first, someone.Subject(), "an act")
	if refused(err, "erasure.open-business"); fault.Of(err).Args["payments"] != "j" {
		t.Errorf("it does not say which payment is not prepared: %v", fault.Of(err).Args)
	}
	write(act.Of(someone.Subject()), func(tx *query.Tx) error { return tx.FinishJob(tx.Key(), "j") })
	proposed, err := all.Propose(ctx, first, someone.Subject(), "an act")
	if err != nil {
		t.Fatal(err)
	}
	_, err = all.Confirm(ctx, first, proposed.ID)
	refused(err, "erasure.same-person")
	for _, agency := range []ident.Agency{"another", "registry"} {
		_, err = all.Confirm(ctx, officer(agency), proposed.ID)
		refused(err, "access.forbidden")
	}
	application.State = casework.Appealed // what comes up between the two acts
	save()
	_, err = all.Confirm(ctx, second, proposed.ID)
	refused(err, "erasure.open-business")
	application.State = casework.Refused
	save()
	for _, agency := range []ident.Agency{"registry", "authority"} {
		if found, err := all.All(ctx, officer(agency), 10); err != nil || len(found) != 1 {
			t.Errorf("officers of %s see %v, %v", agency, found, err)
		}
	}
	if found, err := all.All(ctx, officer("another"), 10); err != nil || len(found) != 0 {
		t.Errorf("others see %v, %v", found, err)
	}
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
