package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/store/query"
)

// TestCasework checks what the store computes of applications: the public figures of a service, and what waits for a helper.
func TestCasework(t *testing.T, open Open) {
	db := open(t, Still)
	helped(t, db)
	save := func(of ident.Service, at ident.Territory, state casework.State, submitted, took time.Duration, by ...ident.Subject) {
		t.Helper()
		applicant := ident.Random[ident.Person]().Subject()
		if len(by) > 0 {
			applicant = by[0]
		}
		one := casework.Application{
			ID: ident.New[ident.Application](Start), Applicant: applicant, Service: of, Version: "v", Agency: "agency", State: state,
			Revision: 1, Language: "en", Created: Start, Territory: at, Sealed: []byte{1}, Event: ident.New[ident.Event](Start),
		}
		if submitted > 0 {
			one.Submitted = Start.Add(submitted)
		}
		if took > 0 {
			one.Decided = one.Submitted.Add(took)
		}
		err := db.Update(t.Context(), act.Of(applicant), func(tx *query.Tx) error { return tx.SaveApplication(one) })
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, took := range []time.Duration{5, 1, 3} { // an odd number: the one in the middle
		save("a/one", "T1", casework.Granted, time.Minute, took*time.Hour)
	}
	for _, took := range []time.Duration{8, 2} { // an even number: the lower one
		save("a/one", "T2", casework.Granted, time.Hour, took*time.Hour)
	}
	save("a/one", "T1", casework.Deciding, time.Minute, 0)
	save("a/one", "T1", casework.Draft, 0, 0) // was not sent: it does not count
	save("a/two", "T1", casework.Granted, time.Minute, 9*time.Hour)
	several := ident.Random[ident.Person]().Subject() // of one applicant, only the last counts
	save("a/three", "T1", casework.Granted, time.Minute, time.Hour, several)
	save("a/three", "T2", casework.Refused, 2*time.Hour, time.Hour, several)
	save("a/three", "T2", casework.Granted, time.Hour, time.Hour, several)
	save("a/three", "T1", casework.Draft, 0, 0, several)
	save("a/three", "T1", casework.Granted, time.Minute, time.Hour)
	save("a/three", "T2", casework.Granted, time.Minute, time.Hour)
	want := []casework.Count{
		{Service: "a/one", Territory: "T1", State: casework.Deciding, Number: 1},
		{Service: "a/one", Territory: "T1", State: casework.Granted, Number: 3, Median: 3 * time.Hour},
		{Service: "a/one", Territory: "T2", State: casework.Granted, Number: 2, Median: 2 * time.Hour},
	}
	err := db.View(t.Context(), func(tx *query.Tx) error {
		got, err := tx.Counts("a/one")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("figures (-want +got):\n%s", diff)
		}
		if err != nil {
			return err
		}
		got, err = tx.Applicants("a/three")
		if diff := cmp.Diff([]casework.Count{
			{Service: "a/three", State: casework.Granted, Number: 2}, {Service: "a/three", State: casework.Refused, Number: 1},
		}, got); diff != "" {
			t.Errorf("applicants (-want +got):\n%s", diff)
		}
		if err != nil {
			return err
		}
		whole, err := tx.ApplicationsOf(several, "", 10)
		if err != nil {
			return err
		}
		for _, one := range whole {
			if revision, archived, err := tx.RevisionOf(one.ID); err != nil || revision != one.Revision || archived {
				t.Errorf("the revision of %s is %d, not %d; archived: %v, %v", one.ID, revision, one.Revision, archived, err)
			}
		}
		if _, _, err := tx.RevisionOf("unknown"); !fault.Is(err, fault.NotFound) {
			t.Errorf("the revision of no application: %v", err)
		}
		for _, limit := range []int{2, 10} {
			outlines, err := tx.OutlinesOf(several, limit)
			if err != nil {
				return err
			}
			var outlined []casework.Outline
			for _, one := range whole[:min(limit, len(whole))] {
				outlined = append(outlined, casework.Outline{
					ID: one.ID, Service: one.Service, Version: one.Version, State: one.State, Revision: one.Revision, Decided: one.Decided,
				})
			}
			if diff := cmp.Diff(outlined, outlines); diff != "" || len(whole) != 4 {
				t.Errorf("outlines of %d applications (-want +got):\n%s", len(whole), diff)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// helped checks which drafts an official finds again: their own, the newest first.
func helped(t *testing.T, db DB) {
	t.Helper()
	helper, other := ident.Random[ident.Person](), ident.Random[ident.Person]()
	save := func(id ident.Application, by ident.Person, state casework.State) {
		applicant := ident.Random[ident.Person]().Subject()
		one := casework.Application{ID: id, Applicant: applicant, Service: "a/helped", State: state, Revision: 1, Created: time.Unix(1, 0).UTC(), Helper: by, Sealed: []byte("sealed")}
		if err := db.Update(t.Context(), act.Of(applicant), func(tx *query.Tx) error { return tx.SaveApplication(one) }); err != nil {
			t.Fatal(err)
		}
	}
	save("helped-1", helper, casework.Draft)
	save("helped-2", helper, casework.Draft)
	save("helped-3", other, casework.Draft)
	save("helped-4", helper, casework.Deciding)
	save("helped-5", "", casework.Draft)
	for _, one := range []struct {
		by    ident.Person
		limit int
		want  []ident.Application
	}{{helper, 10, []ident.Application{"helped-2", "helped-1"}}, {helper, 1, []ident.Application{"helped-2"}}, {other, 10, []ident.Application{"helped-3"}}, {"", 10, nil}} {
		var found []ident.Application
		err := db.View(t.Context(), func(tx *query.Tx) error {
			all, err := tx.AssistedDrafts(one.by, one.limit)
			found = nil
			for _, draft := range all {
				if found = append(found, draft.ID); draft.Helper != one.by {
					t.Errorf("%s was written down by %q", draft.ID, draft.Helper)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(one.want, found); diff != "" {
			t.Errorf("of the drafts of %q (-want +got):\n%s", one.by, diff)
		}
	}
}
