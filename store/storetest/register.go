package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/simulation"
	"yagona/store/query"
)

// TestRegister checks what package register needs of a store.
func TestRegister(t *testing.T, open Open) {
	ctx := t.Context()
	subject := ident.Random[ident.Person]().Subject()
	version := func(path ident.Register, record ident.Record, number int) register.StoredVersion {
		return register.StoredVersion{
			Key: act.Of(subject), Register: path, Record: record, Number: number, At: Start.Add(time.Microsecond),
			From: calendar.Date{Year: 2026, Month: 3, Day: number}, Closed: number == 3, Corrects: number / 2,
			Body: []byte{0, byte(number)}, Event: ident.Event(fmt.Sprint("event-", number)),
		}
	}
	save := func(t *testing.T, db DB, versions ...register.StoredVersion) {
		t.Helper()
		for _, one := range versions {
			if err := db.Update(ctx, one.Key, func(tx *query.Tx) error { return tx.SaveVersion(one) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	view := func(t *testing.T, db DB, run func(*query.Tx) error) {
		t.Helper()
		if err := db.View(ctx, run); err != nil {
			t.Fatal(err)
		}
	}
	list := func(t *testing.T, want ...register.StoredVersion) func([]register.StoredVersion, error) {
		return func(got []register.StoredVersion, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
	}

	t.Run("a notebook is one official's, and goes", func(t *testing.T) {
		db := open(t, Still)
		owner, id := ident.Random[ident.Person]().Subject(), ident.New[ident.Import](Start)
		one := register.Notebook{Owner: owner, ID: id, Register: "a/one", Begun: Start, Revision: 1, Sealed: []byte{0, 1}}
		changed := one
		changed.Revision, changed.Sealed = 2, []byte{2}
		for _, step := range []struct {
			do   func(*query.Tx) error
			want []register.Notebook
		}{
			{func(tx *query.Tx) error { return tx.SaveNotebook(one) }, []register.Notebook{one}},
			{func(tx *query.Tx) error { return tx.SaveNotebook(changed) }, []register.Notebook{changed}},
			{func(tx *query.Tx) error { return tx.RemoveNotebook(id) }, nil},
			{func(tx *query.Tx) error { return tx.RemoveNotebook(id) }, nil},
		} {
			if err := db.Update(ctx, act.Of(owner), step.do); err != nil {
				t.Fatal(err)
			}
			view(t, db, func(tx *query.Tx) error {
				got, err := tx.Notebooks(owner)
				if diff := cmp.Diff(step.want, got); diff != "" {
					t.Error(diff)
				}
				others, failed := tx.Notebooks(ident.Random[ident.Person]().Subject())
				if failed != nil || len(others) != 0 {
					t.Errorf("another official has %v, %v", others, failed)
				}
				return err
			})
		}
	})

	t.Run("people come in pages", func(t *testing.T) {
		db := open(t, Still)
		var want []ident.Person
		for range 5 {
			one := person.Stored{Person: ident.Random[ident.Person](), Sealed: []byte{1}, Event: "event"}
			want = append(want, one.Person)
			if err := db.Update(ctx, act.Of(one.Person.Subject()), func(tx *query.Tx) error { return tx.SavePerson(one) }); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(want)
		var got []ident.Person
		for {
			var last ident.Person
			if len(got) > 0 {
				last = got[len(got)-1]
			}
			var page []person.Stored
			view(t, db, func(tx *query.Tx) (err error) {
				page, err = tx.StoredPeople(last, 2)
				return err
			})
			if len(page) == 0 {
				break
			}
			for _, one := range page {
				got = append(got, one.Person)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("versions come back as they were saved, in order", func(t *testing.T) {
		db := open(t, Still)
		a1, a2, a3, b1 := version("a/one", "ra", 1), version("a/one", "ra", 2), version("a/one", "ra", 3), version("a/one", "rb", 1)
		c1, n1 := version("a/two", "rc", 1), version("a/two", "rn", 1)
		n1.Key = act.OfRegister("a/two")
		save(t, db, c1, b1, a1, n1, a2, a3)
		view(t, db, func(tx *query.Tx) error {
			list(t, a1, a2, a3)(tx.RegisterVersions(act.Of(subject), "a/one", "ra"))
			list(t, a1, a2, a3, b1)(tx.RegisterVersions(act.Of(subject), "a/one", ""))
			list(t)(tx.RegisterVersions(act.Of(subject), "a/none", ""))
			list(t, a1, a2, a3)(tx.RecordVersions("ra"))
			list(t)(tx.RecordVersions("none"))
			list(t, a1, a2, a3, b1, c1, n1)(tx.StoredVersions("", register.StoredVersion{}, 10))
			list(t, a1, a2)(tx.StoredVersions("", register.StoredVersion{}, 2))
			list(t, a3, b1)(tx.StoredVersions("", a2, 2))
			list(t, c1, n1)(tx.StoredVersions("a/two", register.StoredVersion{}, 10))
			list(t, n1)(tx.StoredVersions("a/two", c1, 10))
			list(t)(tx.StoredVersions("", n1, 10))
			registers, err := tx.RegistersOf(act.Of(subject), "a/two", "a/one", "a/none")
			if err != nil || !cmp.Equal(registers, []ident.Register{"a/one", "a/two"}) {
				t.Errorf("registers %v, %v", registers, err)
			}
			if registers, err = tx.RegistersOf(act.Of(subject), "a/two"); err != nil || !cmp.Equal(registers, []ident.Register{"a/two"}) {
				t.Errorf("of one register %v, %v", registers, err)
			}
			if registers, err = tx.RegistersOf(act.Of(subject)); err != nil || len(registers) > 0 {
				t.Errorf("of no register %v, %v", registers, err)
			}
			var names []string
			err = register.Rows(tx, func(row journal.Row) error {
				names = append(names, row.Name)
				return nil
			})
			if len(names) != 6 || names[0] != "register-version/ra/1" {
				t.Errorf("the auditor sees %v", names)
			}
			return err
		})
	})
	t.Run("whose versions became more is seen in counts", func(t *testing.T) {
		db := open(t, Still)
		var people []ident.Subject
		for range 4 {
			one := person.Stored{Person: ident.Random[ident.Person](), Sealed: []byte{1}, Event: "event"}
			people = append(people, one.Person.Subject())
			if err := db.Update(ctx, act.Of(one.Person.Subject()), func(tx *query.Tx) error { return tx.SavePerson(one) }); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(people)
		of := func(who ident.Subject, path ident.Register, record ident.Record, number int) {
			one := version(path, record, number)
			one.Key = act.Of(who)
			save(t, db, one)
		}
		of(people[0], "a/one", "r0", 1)
		of(people[1], "a/one", "r1", 1)
		of(people[1], "a/one", "r1", 2)
		of(people[1], "a/two", "r2", 1)
		of(people[3], "a/one", "r3", 1)
		view(t, db, func(tx *query.Tx) error {
			for _, test := range []struct {
				after, until ident.Subject
				people       int
				path         ident.Register
				versions     []simulation.Count
			}{
				{"person:", "person:~", 4, "a/one", []simulation.Count{{Subject: people[0], Versions: 1}, {Subject: people[1], Versions: 2}, {Subject: people[3], Versions: 1}}},
				{people[0], people[2], 2, "a/one", []simulation.Count{{Subject: people[1], Versions: 2}}},
				{people[0], people[3], 3, "a/two", []simulation.Count{{Subject: people[1], Versions: 1}}},
				{people[2], people[3], 1, "a/two", nil},
			} {
				found, err := tx.CountPeople(test.after, test.until)
				if err != nil || found != test.people {
					t.Errorf("there are %d people, not %d (%v)", found, test.people, err)
				}
				want := 0
				for _, one := range test.versions {
					want += one.Versions
				}
				if total, err := tx.CountVersions(test.path, test.after, test.until); err != nil || total != want {
					t.Errorf("there are %d versions, not %d (%v)", total, want, err)
				}
				counts, err := tx.CountsOfVersions(test.path, test.after, test.until)
				if diff := cmp.Diff(test.versions, counts); err != nil || diff != "" {
					t.Error(diff, err)
				}
			}
			return nil
		})
	})
	t.Run("a number is taken once", func(t *testing.T) {
		db := open(t, Still)
		first := version("a/one", "ra", 1)
		save(t, db, first)
		second := first
		second.Body = []byte("other")
		err := db.Update(ctx, second.Key, func(tx *query.Tx) error { return tx.SaveVersion(second) })
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("the second gave %v", err)
		}
		view(t, db, func(tx *query.Tx) error {
			list(t, first)(tx.RecordVersions("ra"))
			return nil
		})
	})
	t.Run("a cause is written once", func(t *testing.T) {
		db := open(t, Still)
		first, second, other := version("a/one", "ra", 1), version("a/one", "rb", 1), version("a/two", "rc", 1)
		first.Cause, second.Cause, other.Cause = "application:1", "application:1", "application:1"
		save(t, db, first, other, version("a/one", "rd", 1), version("a/one", "re", 1))
		err := db.Update(ctx, second.Key, func(tx *query.Tx) error { return tx.SaveVersion(second) })
		if fault.Code(err) != register.ErrCauseDone.Code {
			t.Errorf("the second gave %v", err)
		}
		view(t, db, func(tx *query.Tx) error {
			found, err := tx.VersionOfCause(act.Of(subject), "a/one", "application:1")
			if diff := cmp.Diff(first, found); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			for _, cause := range []string{"application:2", ""} {
				if _, err := tx.VersionOfCause(act.Of(subject), "a/one", cause); !fault.Is(err, fault.NotFound) {
					t.Errorf("the cause %q gave %v", cause, err)
				}
			}
			return nil
		})
	})
	t.Run("an index is removed as a whole and replaced", func(t *testing.T) {
		db := open(t, Still)
		places := []register.Place{{Key: "person:a", Register: "a/one", Record: "ra"}, {Key: "person:b", Register: "a/one", Record: "rb"}}
		index := func(place register.Place, indexes ...register.Index) {
			t.Helper()
			err := db.Update(ctx, place.Key, func(tx *query.Tx) error {
				return errors.Join(tx.UnindexRecord(place), tx.IndexRecord(place, indexes))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		find := func(index register.Index, limit int, want ...register.Place) {
			t.Helper()
			view(t, db, func(tx *query.Tx) error {
				got, err := tx.IndexedRecords(index, limit)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				return err
			})
		}
		index(places[1], "x", "y")
		index(places[0], "x")
		find("x", 10, places...)
		find("x", 1, places[0])
		find("y", 10, places[1])
		index(places[1], "z")
		find("x", 10, places[0])
		find("y", 10)
		find("z", 10, places[1])
		index(places[0])
		find("x", 10)
	})
	t.Run("what the records say that an index finds comes with them", func(t *testing.T) {
		db := open(t, Still)
		saved := []register.StoredVersion{version("a/one", "ra", 1), version("a/one", "rb", 1), version("a/one", "rb", 2), version("a/one", "rc", 1)}
		for _, one := range saved {
			err := db.Update(ctx, one.Key, func(tx *query.Tx) error {
				if err := tx.SaveVersion(one); err != nil || one.Record == "rc" || one.Number > 1 {
					return err
				}
				return tx.IndexRecord(register.Place{Key: one.Key, Register: one.Register, Record: one.Record}, []register.Index{"x"})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		view(t, db, func(tx *query.Tx) error {
			for limit, want := range map[int][]register.StoredVersion{10: saved[:3], 1: saved[:1]} {
				got, err := tx.IndexedVersions("x", limit)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("of %d records: %v %s", limit, err, diff)
				}
			}
			none, err := tx.IndexedVersions("y", 10)
			if len(none) > 0 {
				t.Errorf("found %v", none)
			}
			return err
		})
	})
	t.Run("a claim is one record's until it is removed", func(t *testing.T) {
		db := open(t, Still)
		change := func(run func(*query.Tx) error) {
			t.Helper()
			if err := db.Update(ctx, "unique:x", run); err != nil {
				t.Fatal(err)
			}
		}
		claimed := func(want ident.Record) {
			t.Helper()
			view(t, db, func(tx *query.Tx) error {
				claim, err := tx.RegisterClaim("x")
				if want == "" {
					if !fault.Is(err, fault.NotFound) {
						t.Errorf("no claim gave %v", err)
					}
					return nil
				}
				if claim != (register.Claim{Index: "x", Record: want, At: Start}) {
					t.Errorf("the claim is %+v", claim)
				}
				return err
			})
		}
		claimed("")
		change(func(tx *query.Tx) error { return tx.SaveClaim(register.Claim{Index: "x", Record: "ra", At: tx.Now()}) })
		claimed("ra")
		change(func(tx *query.Tx) error { return tx.SaveClaim(register.Claim{Index: "x", Record: "rb", At: tx.Now()}) })
		claimed("rb")
		change(func(tx *query.Tx) error { return tx.RemoveClaim(register.Claim{Index: "x", Record: "ra"}) })
		claimed("rb")
		change(func(tx *query.Tx) error { return tx.RemoveClaim(register.Claim{Index: "x", Record: "rb"}) })
		claimed("")
	})
}
