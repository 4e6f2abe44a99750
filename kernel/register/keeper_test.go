package register_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/register"
	"yagona/store/query"
	"yagona/store/sqlite"
	"yagona/store/storetest"
)

const unemployed = ident.Register("employment/unemployed")

func write(subject ident.Subject, values map[string]any) register.Write {
	if subject != "" {
		values["person"] = subject
	}
	return register.Write{Register: unemployed, Values: values, Reason: "they came in"}
}

func TestRecordIsAChainOfVersions(t *testing.T) {
	w, by, subject := newWorld(t), registrar("employment-agency"), newPerson()
	first, err := w.Save(t.Context(), by, write(subject, map[string]any{"registeredOn": date("2026-03-01")}))
	if err != nil {
		t.Fatal(err)
	}
	if first.Number != 1 || first.From != date("2026-03-02") || !first.At.Equal(w.now) || first.By.Person != "official" || first.Reason != "they came in" {
		t.Errorf("the first version is %+v", first)
	}
	w.now = w.now.AddDate(0, 1, 0)
	change := write(subject, map[string]any{"registeredOn": date("2026-03-01"), "closedOn": date("2026-04-01")})
	change.Record, change.Expect = first.Record, 1
	second, err := w.Save(t.Context(), by, change)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Save(t.Context(), by, change); fault.Code(err) != register.ErrChanged.Code {
		t.Errorf("a second writer on the same version got %v", err)
	}
	correction := write(subject, map[string]any{"registeredOn": date("2026-02-27")})
	correction.Record, correction.Expect, correction.Corrects, correction.Reason = first.Record, 2, 1, "a typing error"
	third, err := w.Correct(t.Context(), by, correction)
	if err != nil {
		t.Fatal(err)
	}
	if third.From != first.From || third.Corrects != 1 {
		t.Errorf("the correction is %+v", third)
	}
	history, err := w.History(t.Context(), by, unemployed, first.Record)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]register.Version{first, second, third}, history); diff != "" {
		t.Error(diff)
	}
	current, err := w.Current(t.Context(), by, unemployed, first.Record)
	if err != nil || current.Number != 2 {
		t.Errorf("after an older version was corrected, version %d counts, %v", current.Number, err)
	}
	correction.Expect = 3
	if _, err := w.Correct(t.Context(), by, correction); fault.Code(err) != "register.corrected-already" {
		t.Errorf("a second correction of the same version got %v", err)
	}
	fourth, err := w.Close(t.Context(), by, unemployed, first.Record, 3, date("2026-04-10"), "found work")
	if err != nil || !fourth.Closed || fourth.Values["closedOn"] != date("2026-04-01") {
		t.Errorf("closing gave %+v, %v", fourth, err)
	}
	w.now = w.now.AddDate(0, 1, 0)
	change.Expect = 4
	if _, err := w.Save(t.Context(), by, change); fault.Code(err) != "register.closed" {
		t.Errorf("changing a closed record gave %v", err)
	}
	if rows, differ := w.audit(t); rows != 4 || differ != nil {
		t.Errorf("of %d rows these differ from their events: %v", rows, differ)
	}
}

func TestWhatAWriteIsRefusedFor(t *testing.T) {
	w, by, subject := newWorld(t), registrar("employment-agency"), newPerson()
	good := func() register.Write { return write(subject, map[string]any{"registeredOn": date("2026-03-01")}) }
	saved, err := w.Save(t.Context(), by, good())
	if err != nil {
		t.Fatal(err)
	}
	ended := registrar("employment-agency")
	ended.Appointment.Until = w.now
	clerk := registrar("employment-agency")
	clerk.Appointment.Role = "clerk"
	for name, c := range map[string]struct {
		by   access.Actor
		with func(*register.Write)
		code string
	}{
		"another agency":          {registrar("tax"), func(*register.Write) {}, "access.forbidden"},
		"a resident":              {access.Actor{Person: "a"}, func(*register.Write) {}, "access.forbidden"},
		"another role":            {clerk, func(*register.Write) {}, "access.forbidden"},
		"an ended term":           {ended, func(*register.Write) {}, "access.forbidden"},
		"no reason":               {by, func(w *register.Write) { w.Reason = "  " }, "register.no-reason"},
		"an unknown field":        {by, func(w *register.Write) { w.Values["more"] = true }, "field.unknown"},
		"a wrong type":            {by, func(w *register.Write) { w.Values["registeredOn"] = "2026-03-01" }, "field.type"},
		"a missing field":         {by, func(w *register.Write) { delete(w.Values, "registeredOn") }, "field.required"},
		"an unknown register":     {by, func(w *register.Write) { w.Register = "no/such" }, "register.unknown"},
		"the same unique value":   {by, func(w *register.Write) {}, "register.not-unique"},
		"an unknown record":       {by, func(w *register.Write) { w.Record, w.Expect = "none", 1 }, "register.no-record"},
		"another subject":         {by, func(w *register.Write) { w.Record, w.Expect, w.Values["person"] = saved.Record, 1, newPerson() }, "register.subject-fixed"},
		"a day before the newest": {by, func(w *register.Write) { w.Record, w.Expect, w.From = saved.Record, 1, date("2025-01-01") }, "register.out-of-order"},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := good()
			c.with(&wanted)
			if _, err := w.Save(t.Context(), c.by, wanted); fault.Code(err) != c.code {
				t.Errorf("got %v, wanted %s", err, c.code)
			}
		})
	}
	if _, err := w.Save(t.Context(), registrar("tax"), register.Write{Register: "tax/income", Values: map[string]any{"person": subject}, Reason: "r"}); fault.Code(err) != "register.not-here" {
		t.Errorf("writing into another's system gave %v", err)
	}
	if rows, _ := w.audit(t); rows != 1 {
		t.Errorf("refused writes left %d rows", rows)
	}
}

func TestUniqueValueAcrossSubjects(t *testing.T) {
	w, by := newWorld(t), registrar("transport-agency")
	save := func(owner ident.Subject, plate string, record ident.Record, expect int) (register.Version, error) {
		return w.Save(t.Context(), by, register.Write{
			Register: "transport/vehicles", Record: record, Expect: expect, Reason: "bought",
			Values: map[string]any{"owner": owner, "plate": plate},
		})
	}
	owner := newPerson()
	first, err := save(owner, "01A111AA", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := save(newPerson(), "01A111AA", "", 0); fault.Code(err) != "register.not-unique" || !strings.HasPrefix(err.Error(), "plate: ") {
		t.Errorf("the same plate for another owner gave %v", err)
	}
	if _, err := save(owner, "01A222AA", first.Record, 1); err != nil {
		t.Fatal(err)
	}
	runner := job.Runner{Store: query.For[job.Reader, job.Tx](w.db), Clock: w.Clock, Handlers: w.Handlers(nil)}
	if err := runner.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := save(newPerson(), "01A111AA", "", 0); err != nil {
		t.Errorf("a plate that was given back is not free: %v", err)
	}
	if _, err := w.Close(t.Context(), by, "transport/vehicles", first.Record, 2, date("2026-03-02"), "scrapped"); err != nil {
		t.Fatal(err)
	}
	if err := runner.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := save(newPerson(), "01A222AA", "", 0); err != nil {
		t.Errorf("the plate of a closed record is not free: %v", err)
	}
	t.Run("many at once", func(t *testing.T) {
		var writers sync.WaitGroup
		var mu sync.Mutex
		var won int
		for range 20 {
			writers.Go(func() {
				_, err := save(newPerson(), "01A333AA", "", 0)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if fault.Code(err) != "register.not-unique" {
					t.Error(err)
				}
			})
		}
		writers.Wait()
		if won != 1 {
			t.Errorf("%d owners have the plate", won)
		}
	})
	t.Run("a claim whose write never came", func(t *testing.T) {
		w.Keeper.Store = &failing{Store: w.Keeper.Store, prefix: "person:", later: "unique:"}
		if _, err := save(newPerson(), "01A444AA", "", 0); !errors.Is(err, errBroken) {
			t.Fatal(err)
		}
		w.Keeper.Store = w.Keeper.Store.(*failing).Store
		if _, err := save(newPerson(), "01A444AA", "", 0); fault.Code(err) != "register.not-unique" {
			t.Errorf("a fresh claim was taken over: %v", err)
		}
		w.now = w.now.Add(time.Hour)
		if _, err := save(newPerson(), "01A444AA", "", 0); err != nil {
			t.Errorf("an old claim without a record was not taken over: %v", err)
		}
	})
}

var errBroken = errors.New("broken on purpose")

// failing is a store in which acts under keys with the prefix fail, and from then on also those with the later prefix:
// a process that stops.
type failing struct {
	act.Store[register.Reader, register.Tx]
	prefix, later string
	stopped       bool
}

func (f *failing) Update(ctx context.Context, key act.Key, run func(register.Tx) error) error {
	if strings.HasPrefix(string(key), f.prefix) || f.stopped && strings.HasPrefix(string(key), f.later) {
		f.stopped = true
		return errBroken
	}
	return f.Store.Update(ctx, key, run)
}

func TestReadingIsJournaledBeforeItIsShown(t *testing.T) {
	w, subject := newWorld(t), newPerson()
	by := registrar("interior")
	saved, err := w.Save(t.Context(), by, register.Write{Register: "interior/residence", Reason: "moved in", Values: map[string]any{"person": subject, "dwelling": "7"}})
	if err != nil {
		t.Fatal(err)
	}
	if told := w.told(t, subject); len(told) != 0 {
		t.Fatalf("writing counts as a disclosure: %v", told)
	}
	found, err := w.FindBySubject(t.Context(), by, "interior/residence", subject)
	if err != nil || len(found) != 1 || found[0].Record != saved.Record {
		t.Fatalf("found %v, %v", found, err)
	}
	want := []map[string]any{{
		"register": "interior/residence", "agency": "interior", "purpose": "keep", "records": []any{string(saved.Record)},
		"delayed": "illustrative", "shownFrom": w.now.AddDate(0, 0, 30),
	}}
	if diff := cmp.Diff(want, w.told(t, subject)); diff != "" {
		t.Error(diff)
	}
	if _, err := w.FindBySubject(t.Context(), registrar("tax"), "interior/residence", subject); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another agency got %v", err)
	}
	broken := &failing{Store: w.Keeper.Store, prefix: "person:"}
	w.Keeper.Store = broken
	if found, err := w.Current(t.Context(), by, "interior/residence", saved.Record); !errors.Is(err, errBroken) || found.Values != nil {
		t.Errorf("without a journal it was shown: %v, %v", found, err)
	}
	w.Keeper.Store = broken.Store
	person, _ := subject.Person()
	for range 3 {
		own, err := w.Own(t.Context(), access.Actor{Person: person, Session: "s1"})
		if err != nil || len(own) != 1 || own[0].Values["dwelling"] != "7" {
			t.Fatalf("their own records are %v, %v", own, err)
		}
	}
	err = w.db.View(t.Context(), func(tx *query.Tx) error {
		parts, err := tx.PartsOf(subject, false, "", 100)
		if len(parts) != 3 { // written, read by the registrar, own reading
			t.Errorf("%d events are about the subject", len(parts))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFindByIndex(t *testing.T) {
	w, by, subject := newWorld(t), registrar("employment-agency"), newPerson()
	if _, err := w.Save(t.Context(), by, write(subject, map[string]any{"registeredOn": date("2026-03-01"), "skill": "welding"})); err != nil {
		t.Fatal(err)
	}
	found, err := w.Find(t.Context(), by, unemployed, map[string]any{"skill": "welding"})
	if err != nil || len(found) != 1 || found[0].Subject != subject {
		t.Errorf("found %v, %v", found, err)
	}
	if found, err := w.Find(t.Context(), by, unemployed, map[string]any{"skill": "sewing"}); err != nil || len(found) != 0 {
		t.Errorf("found %v, %v", found, err)
	}
	if _, err := w.Find(t.Context(), by, unemployed, map[string]any{"registeredOn": date("2026-03-01")}); fault.Code(err) != "register.no-index" {
		t.Errorf("a search without an index gave %v", err)
	}
}

// Records lie under their subject's key: an index by the subject alone is nothing to keep.
func TestFindByTheSubjectAlone(t *testing.T) {
	w, by, subject := newWorld(t), registrar("civil"), newPerson()
	values := map[string]any{"person": subject, "spouse": newPerson(), "ended": false}
	saved, err := w.Save(t.Context(), by, register.Write{Register: "civil/marriages", Reason: "married", Values: values})
	if err != nil {
		t.Fatal(err)
	}
	found, err := w.Find(t.Context(), by, "civil/marriages", map[string]any{"person": subject})
	if err != nil || len(found) != 1 || found[0].Record != saved.Record {
		t.Errorf("found %v, %v", found, err)
	}
	if found, err := w.Find(t.Context(), by, "civil/marriages", map[string]any{"person": newPerson()}); err != nil || len(found) != 0 {
		t.Errorf("of somebody else: found %v, %v", found, err)
	}
	err = w.db.View(t.Context(), func(tx *query.Tx) error {
		kept, err := tx.IndexesOf(register.Place{Key: act.Of(subject), Register: "civil/marriages", Record: saved.Record})
		if len(kept) != 0 {
			t.Errorf("it keeps %v", kept)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoPersonalValueInPlain(t *testing.T) {
	w, by, subject := newWorld(t), registrar("employment-agency"), newPerson()
	if _, err := w.Save(t.Context(), by, write(subject, map[string]any{"registeredOn": date("2026-03-01"), "skill": "glassblowing"})); err != nil {
		t.Fatal(err)
	}
	err := w.db.View(t.Context(), func(tx *query.Tx) error {
		versions, err := tx.StoredVersions("", register.StoredVersion{}, 10)
		if err != nil {
			return err
		}
		event, err := tx.StoredEvent(versions[0].Key, versions[0].Event)
		if err != nil {
			return err
		}
		for _, plain := range []string{"glassblowing", "they came in"} {
			if strings.Contains(string(versions[0].Body), plain) || strings.Contains(string(event.Header), plain) {
				t.Errorf("%q is stored in plain", plain)
			}
		}
		if strings.Contains(string(event.Header), "unemployed") {
			t.Error("the header tells which register has a record of someone")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.vault.Erase(t.Context(), subject); err != nil {
		t.Fatal(err)
	}
	if _, err := w.FindBySubject(t.Context(), by, unemployed, subject); !fault.Is(err, fault.Erased) {
		t.Errorf("erased data gave %v", err)
	}
	if rows, differ := w.audit(t); rows != 1 || differ != nil {
		t.Errorf("erasing changed digests of %d rows: %v", rows, differ)
	}
}

func TestFlippedByteIsFoundAndNamed(t *testing.T) {
	w, path := newFile(t)
	by, subject := registrar("employment-agency"), newPerson()
	saved, err := w.Save(t.Context(), by, write(subject, map[string]any{"registeredOn": date("2026-03-01")}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Save(t.Context(), registrar("plant-agency"), register.Write{Register: "trade/batches", Reason: "made", Values: map[string]any{"code": "B1", "kilograms": int64(5)}}); err != nil {
		t.Fatal(err)
	}
	var stored []register.StoredVersion
	err = w.db.View(t.Context(), func(tx *query.Tx) (err error) {
		stored, err = tx.StoredVersions("", register.StoredVersion{}, 10)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, original := range stored {
		for name, change := range map[string]func(*register.StoredVersion){
			"a byte of the body":   func(v *register.StoredVersion) { v.Body[len(v.Body)/2] ^= 1 },
			"the day it holds":     func(v *register.StoredVersion) { v.From = date("2020-01-01") },
			"the recorded time":    func(v *register.StoredVersion) { v.At = v.At.Add(time.Microsecond) },
			"whether it is closed": func(v *register.StoredVersion) { v.Closed = true },
			"what it corrects":     func(v *register.StoredVersion) { v.Corrects = 1 },
			"the cause":            func(v *register.StoredVersion) { v.Cause = "application:x" },
			"the number":           func(v *register.StoredVersion) { v.Number = 2 },
			"the register":         func(v *register.StoredVersion) { v.Register = "trade/other" },
		} {
			changed := original
			changed.Body = append([]byte(nil), original.Body...)
			change(&changed)
			if string(changed.Cover().Digest) == string(original.Cover().Digest) {
				t.Errorf("changing %s is not seen", name)
			}
		}
	}
	if _, differ := w.audit(t); differ != nil {
		t.Fatalf("before anything was changed these differ: %v", differ)
	}
	flip(t, path, saved.Record)
	storetest.Changed(t, w.db)
	if _, differ := w.audit(t); !cmp.Equal(differ, []string{"register-version/" + string(saved.Record) + "/1"}) {
		t.Errorf("the auditor names %v", differ)
	}
	if _, err := w.FindBySubject(t.Context(), by, unemployed, subject); fault.Code(err) != "seal.broken" {
		t.Errorf("reading it gave %v", err)
	}
}

// flip flips one bit of the record's stored body, as somebody with access to the database's file could.
func flip(t *testing.T, path string, record ident.Record) {
	t.Helper()
	pool, err := sqlite.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var body []byte
	if err := pool.QueryRow(`SELECT body FROM register_version WHERE record = $1`, record).Scan(&body); err != nil {
		t.Fatal(err)
	}
	body[len(body)/2] ^= 1
	if _, err := pool.Exec(`UPDATE register_version SET body = $1 WHERE record = $2`, body, record); err != nil {
		t.Fatal(err)
	}
}

func TestPutIsIdempotent(t *testing.T) {
	w, subject := newWorld(t), newPerson()
	application := ident.New[ident.Application](w.now)
	calls := 0
	output := func(context.Context, ident.Application) (register.Output, error) {
		calls++
		return register.Output{
			Register: unemployed, Reason: "granted", By: journal.Actor{Component: "casework"}, Agency: w.agency(t, unemployed),
			Values: map[string]any{"person": subject, "registeredOn": date("2026-03-01")},
		}, nil
	}
	payload, err := json.Marshal(register.WritePayload{Application: application})
	if err != nil {
		t.Fatal(err)
	}
	do := func() {
		t.Helper()
		if err := w.Handlers(output)[register.JobWrite](t.Context(), job.Job{Payload: payload}); err != nil {
			t.Fatal(err)
		}
	}
	do()
	do()
	if rows, _ := w.audit(t); rows != 1 || calls != 2 {
		t.Errorf("the job done twice made %d versions", rows)
	}
	// Somebody changes the record in between: the job done once more must not change it back.
	found, err := w.FindBySubject(t.Context(), registrar("employment-agency"), unemployed, subject)
	if err != nil {
		t.Fatal(err)
	}
	change := write(subject, map[string]any{"registeredOn": date("2026-02-01")})
	change.Record, change.Expect = found[0].Record, 1
	if _, err := w.Save(t.Context(), registrar("employment-agency"), change); err != nil {
		t.Fatal(err)
	}
	do()
	if rows, _ := w.audit(t); rows != 2 {
		t.Errorf("the job done a third time made %d versions", rows)
	}
	_, effect, err := w.Put(t.Context(), journal.Actor{}, register.Write{Register: unemployed, Reason: "r", Values: map[string]any{"person": subject, "registeredOn": date("2026-01-01")}})
	if err != nil || effect != register.Changed {
		t.Errorf("putting other values gave %s, %v", effect, err)
	}
}

func TestEvidence(t *testing.T) {
	w, by, subject := newWorld(t), registrar("employment-agency"), newPerson()
	evidence, _, err := w.catalogue.Evidence("employment/unemployment")
	if err != nil {
		t.Fatal(err)
	}
	answer := func() map[string]any {
		t.Helper()
		values, _, err := w.Answer(t.Context(), evidence, subject)
		if err != nil {
			t.Fatal(err)
		}
		return values
	}
	if got := answer(); got != nil {
		t.Errorf("without a record it answers %v", got)
	}
	saved, err := w.Save(t.Context(), by, write(subject, map[string]any{"registeredOn": date("2026-03-01")}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"registered": true, "since": date("2026-03-01")}, answer()); diff != "" {
		t.Error(diff)
	}
	later := write(subject, map[string]any{"registeredOn": date("2026-03-01"), "closedOn": date("2026-04-01")})
	later.Record, later.Expect, later.From = saved.Record, 1, date("2026-04-01")
	if _, err := w.Save(t.Context(), by, later); err != nil {
		t.Fatal(err)
	}
	if got := answer(); got["registered"] != true {
		t.Error("a version that holds from next month counts today")
	}
	w.now = w.now.AddDate(0, 1, 0)
	if got := answer(); got["registered"] != false {
		t.Error("a version that holds since today does not count")
	}
	if _, err := w.Close(t.Context(), by, unemployed, saved.Record, 2, date("2026-04-02"), "left"); err != nil {
		t.Fatal(err)
	}
	if got := answer(); got != nil {
		t.Errorf("a closed record answers %v", got)
	}
	if answering := w.catalogue.Answering("person.unemployed"); len(answering) != 1 || answering[0].Path != "employment/unemployment" {
		t.Errorf("the term is answered by %v", answering)
	}
}

func TestEvidenceOfSomebodyInAnothersRecord(t *testing.T) {
	w, owner, driver := newWorld(t), newPerson(), newPerson()
	_, err := w.Save(t.Context(), registrar("transport-agency"), register.Write{
		Register: "transport/vehicles", Reason: "r", Values: map[string]any{"owner": owner, "plate": "01A", "driver": driver},
	})
	if err != nil {
		t.Fatal(err)
	}
	evidence, _, err := w.catalogue.Evidence("transport/driven")
	if err != nil {
		t.Fatal(err)
	}
	values, others, err := w.Answer(t.Context(), evidence, driver)
	if err != nil || values["plate"] != "01A" || !cmp.Equal(others, []ident.Subject{owner}) {
		t.Errorf("got %v from %v, %v", values, others, err)
	}
}

func TestRelations(t *testing.T) {
	w := newWorld(t)
	a, b, c := newPerson(), newPerson(), newPerson()
	save := func(agency ident.Agency, path ident.Register, values map[string]any) {
		t.Helper()
		if _, err := w.Save(t.Context(), registrar(agency), register.Write{Register: path, Reason: "r", Values: values}); err != nil {
			t.Fatal(err)
		}
	}
	save("interior", "interior/residence", map[string]any{"person": a, "dwelling": "7"})
	save("interior", "interior/residence", map[string]any{"person": b, "dwelling": "7"})
	save("interior", "interior/residence", map[string]any{"person": c, "dwelling": "8"})
	save("civil", "civil/marriages", map[string]any{"person": a, "spouse": c, "ended": true})
	save("civil", "civil/marriages", map[string]any{"person": a, "spouse": b, "ended": false})
	for _, one := range []struct {
		relation string
		of       ident.Subject
		want     []ident.Subject
	}{
		{"household", a, []ident.Subject{b}},
		{"household", c, nil},
		{"household", newPerson(), nil},
		{"spouse", a, []ident.Subject{b}},
		{"spouse", c, nil},
	} {
		got, err := w.Related(t.Context(), one.relation, one.of)
		if err != nil || !cmp.Equal(got, one.want) {
			t.Errorf("%s: got %v, wanted %v, %v", one.relation, got, one.want, err)
		}
		for _, other := range []ident.Subject{a, b, c} {
			if yes, err := w.AreRelated(t.Context(), one.relation, one.of, other); err != nil || yes != slices.Contains(one.want, other) {
				t.Errorf("%s: %s and %s are related: %v, %v", one.relation, one.of, other, yes, err)
			}
		}
	}
	if _, err := w.Related(t.Context(), "cousins", a); fault.Code(err) != "register.no-relation" {
		t.Errorf("an unknown relation gave %v", err)
	}
	if _, err := w.AreRelated(t.Context(), "cousins", a, b); fault.Code(err) != "register.no-relation" {
		t.Errorf("an unknown relation of two gave %v", err)
	}
}

func TestWhoMovesOutIsOfTheHouseholdUntilThatDay(t *testing.T) {
	w := newWorld(t)
	a, b := newPerson(), newPerson()
	save := func(of register.Write) register.Version {
		t.Helper()
		of.Register, of.Reason = "interior/residence", "r"
		saved, err := w.Save(t.Context(), registrar("interior"), of)
		if err != nil {
			t.Fatal(err)
		}
		return saved
	}
	save(register.Write{Values: map[string]any{"person": a, "dwelling": "7"}})
	moving := save(register.Write{Values: map[string]any{"person": b, "dwelling": "7"}})
	next := calendar.DateOf(w.now, w.Location).AddDays(7)
	save(register.Write{Record: moving.Record, Expect: 1, From: next, Values: map[string]any{"person": b, "dwelling": "8"}})
	for _, one := range []struct {
		on   calendar.Date
		want bool
	}{{next.AddDays(-1), true}, {next, false}} {
		w.now = one.on.Start(w.Location).UTC()
		for _, pair := range [][2]ident.Subject{{a, b}, {b, a}} {
			if yes, err := w.AreRelated(t.Context(), "household", pair[0], pair[1]); err != nil || yes != one.want {
				t.Errorf("on %s: %v, %v", one.on, yes, err)
			}
		}
	}
}

func (w *world) agency(t *testing.T, path ident.Register) ident.Agency {
	t.Helper()
	definition, err := w.Definitions().Register(path)
	if err != nil {
		t.Fatal(err)
	}
	return definition.Agency
}

func TestOnlyAWriterOfTheRegisterWrites(t *testing.T) {
	w, subject := newWorld(t), newPerson()
	definition, err := w.Definitions().Register(unemployed)
	if err != nil {
		t.Fatal(err)
	}
	definition.Writers = []ident.Service{"youth/tools"}
	for name, c := range map[string]struct {
		service ident.Service
		agency  ident.Agency
		written bool
	}{
		"a service of the register's agency": {"employment/any", definition.Agency, true},
		"a writer of another agency":         {"youth/tools", "youth-agency", true},
		"a service of another agency":        {"youth/course", "youth-agency", false},
		"nobody's service":                   {"", "", false},
	} {
		output := func(context.Context, ident.Application) (register.Output, error) {
			return register.Output{
				Register: unemployed, Reason: "granted", By: journal.Actor{Component: "casework"}, Service: c.service, Agency: c.agency,
				Values: map[string]any{"person": subject, "registeredOn": date("2026-03-01")},
			}, nil
		}
		payload, err := json.Marshal(register.WritePayload{Application: ident.New[ident.Application](w.now)})
		if err != nil {
			t.Fatal(err)
		}
		err = w.Handlers(output)[register.JobWrite](t.Context(), job.Job{Payload: payload})
		if c.written && err != nil || !c.written && fault.Code(err) != "register.no-writer" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnInstallationNeedsToKnowWhoLivesTogether(t *testing.T) {
	catalogue, err := register.NewCatalogue([]*register.Definition{{Path: "interior/residences"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := catalogue.CheckComplete(); fault.Code(err) != "register.no-household" {
		t.Error(err)
	}
	if err := newWorld(t).Definitions().CheckComplete(); err != nil {
		t.Error(err)
	}
}

func TestAWrittenRecordIsAnnouncedToServicesThatStartByIt(t *testing.T) {
	w, owner, driver := newWorld(t), newPerson(), newPerson()
	announced := func() (found []string) {
		t.Helper()
		err := w.db.View(t.Context(), func(tx *query.Tx) error {
			jobs, err := tx.DueJobs(w.now.Add(time.Hour), 100)
			for _, one := range jobs {
				if one.Kind == register.JobChanged {
					found = append(found, string(one.Key)+" "+string(one.Payload))
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	vehicle := register.Write{
		Register: "transport/vehicles", Reason: "an old list", Takeover: true, Values: map[string]any{"owner": owner, "plate": "01A", "driver": driver},
	}
	taken, _, err := w.Put(t.Context(), journal.Actor{}, vehicle)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Put(t.Context(), journal.Actor{}, write(owner, map[string]any{"registeredOn": date("2026-03-01")})); err != nil {
		t.Fatal(err)
	}
	if found := announced(); len(found) != 0 {
		t.Errorf("what was taken over, or starts nothing, is announced: %v", found)
	}
	vehicle.Record, vehicle.Expect, vehicle.Takeover, vehicle.Reason = taken.Record, 1, false, "sold"
	vehicle.Values = map[string]any{"owner": owner, "plate": "01A", "driver": newPerson()}
	if _, err := w.Save(t.Context(), registrar("transport-agency"), vehicle); err != nil {
		t.Fatal(err)
	}
	found := announced()
	if len(found) != 1 || !strings.HasPrefix(found[0], string(owner)+" ") || !strings.Contains(found[0], string(vehicle.Values["driver"].(ident.Subject))) ||
		!strings.Contains(found[0], `"transport/driven"`) {
		t.Errorf("announced is %v", found)
	}
}
