package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/store/query"
)

// TestInbox checks which tasks the store finds for officials, in which order, and what it counts of them.
func TestInbox(t *testing.T, open Open) {
	db := open(t, Still)
	number := 0
	var applicants []ident.Subject // of the tasks, in their order
	// save saves a task that is due in so many hours, counted from Start, and returns its name.
	save := func(place string, state casework.TaskState, due time.Duration, change ...func(*casework.Task)) {
		t.Helper()
		number++
		applicant := ident.Random[ident.Person]().Subject()
		applicants = append(applicants, applicant)
		task := casework.Task{
			ID: ident.Task(fmt.Sprintf("task-%02d", number)), Application: "a", Applicant: applicant, Service: "a/one", Step: "assess",
			Agency: "agency", Role: "clerk", Territory: ident.Territory(place[len(place)-3 : len(place)-1]), Place: place, State: state,
			Opened: Start.Add(-10 * time.Hour), Event: "e",
		}
		switch state {
		case casework.TaskDone:
			task.Closed = task.Opened.Add(due)
		case casework.TaskOpen, casework.TaskClaimed:
			task.Due = Start.Add(due)
		}
		for _, one := range change {
			one(&task)
		}
		if err := db.Update(t.Context(), act.Of(applicant), func(tx *query.Tx) error { return tx.SaveTask(task) }); err != nil {
			t.Fatal(err)
		}
	}
	by := func(assignee ident.Appointment) func(*casework.Task) {
		return func(task *casework.Task) { task.Assignee = assignee }
	}
	other := func(task *casework.Task) { task.Service, task.Step = "a/two", "approve" }
	save("/X0/X1/X2/", casework.TaskOpen, 3*time.Hour)                                                                         // 01
	save("/X0/X1/X2/", casework.TaskOpen, -time.Hour)                                                                          // 02
	save("/X0/X1/X3/", casework.TaskClaimed, time.Hour, by("me"))                                                              // 03
	save("/X0/X1/X3/", casework.TaskClaimed, 2*time.Hour, by("you"), other)                                                    // 04
	save("/X0/X1/", casework.TaskOpen, time.Hour, other)                                                                       // 05
	save("/X0/X4/X5/", casework.TaskOpen, time.Hour)                                                                           // 06
	save("/X0/X1/X2/", casework.TaskWaiting, 0, by("me"))                                                                      // 07
	save("/X0/X1/X2/", casework.TaskDone, 5*time.Hour, by("me"))                                                               // 08
	save("/X0/X1/X3/", casework.TaskDone, 90*time.Minute, by("you"))                                                           // 09
	save("/X0/X1/X3/", casework.TaskDone, 100*time.Minute, by("you"))                                                          // 10
	save("/X0/X1/X2/", casework.TaskVoid, 0)                                                                                   // 11
	save("/X0/X1/X2/", casework.TaskOpen, time.Hour, func(task *casework.Task) { task.Role = "chair" })                        // 12
	save("/X0/X1/X2/", casework.TaskDone, time.Hour, func(task *casework.Task) { task.Closed = Start.Add(-1000 * time.Hour) }) // 13
	inbox := casework.Inbox{Agency: "agency", Role: "clerk", Place: "/X0/X1/", Limit: 10}
	change := func(change func(*casework.Inbox)) casework.Inbox {
		changed := inbox
		change(&changed)
		return changed
	}
	for name, test := range map[string]struct {
		inbox casework.Inbox
		want  []ident.Task
	}{
		"the most urgent first":         {inbox, []ident.Task{"task-02", "task-03", "task-05", "task-04", "task-01"}},
		"of a wide place":               {change(func(i *casework.Inbox) { i.Wide = true }), []ident.Task{"task-02", "task-03", "task-05", "task-04", "task-01"}},
		"of a place in it":              {change(func(i *casework.Inbox) { i.Place = "/X0/X1/X3/" }), []ident.Task{"task-03", "task-04"}},
		"of a service":                  {change(func(i *casework.Inbox) { i.Service = "a/two" }), []ident.Task{"task-05", "task-04"}},
		"of a step":                     {change(func(i *casework.Inbox) { i.Step = "assess" }), []ident.Task{"task-02", "task-03", "task-01"}},
		"overdue":                       {change(func(i *casework.Inbox) { i.Before = Start }), []ident.Task{"task-02"}},
		"my own":                        {change(func(i *casework.Inbox) { i.Work, i.Assignees = casework.Mine, []ident.Appointment{"me"} }), []ident.Task{"task-03"}},
		"of whom I stand in for":        {change(func(i *casework.Inbox) { i.Work, i.Assignees = casework.Mine, []ident.Appointment{"me", "you"} }), []ident.Task{"task-03", "task-04"}},
		"unclaimed":                     {change(func(i *casework.Inbox) { i.Work = casework.Unclaimed }), []ident.Task{"task-02", "task-05", "task-01"}},
		"without whom they are tied to": {change(func(i *casework.Inbox) { i.Without = []ident.Subject{applicants[0], applicants[2]} }), []ident.Task{"task-02", "task-05", "task-04"}},
		"waiting":                       {change(func(i *casework.Inbox) { i.Work = casework.Waiting }), []ident.Task{"task-07"}},
		"the next page": {change(func(i *casework.Inbox) {
			i.Limit, i.After = 2, casework.Cursor{Due: Start.Add(time.Hour), Task: "task-03"}
		}), []ident.Task{"task-05", "task-04"}},
		"the next page of a wide place": {change(func(i *casework.Inbox) {
			i.Wide, i.Limit, i.After = true, 2, casework.Cursor{Due: Start.Add(time.Hour), Task: "task-03"}
		}), []ident.Task{"task-05", "task-04"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := db.View(t.Context(), func(tx *query.Tx) error {
				found, err := tx.Inbox(test.inbox)
				var got []ident.Task
				for _, one := range found {
					got = append(got, one.ID)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("tasks (-want +got):\n%s", diff)
				}
				if err != nil {
					return err
				}
				all := test.inbox
				all.After = casework.Cursor{}
				all.Limit = 3
				count, err := tx.InboxCount(all)
				if test.inbox.After.Due.IsZero() && count != min(len(test.want), 3) {
					t.Errorf("counts %d up to 3", count)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	team := casework.TeamOf{Agency: "agency", Role: "clerk", Place: "/X0/X1/", Officials: true}
	err := db.View(t.Context(), func(tx *query.Tx) error {
		loads, err := tx.Loads(team, Start)
		if err != nil {
			return err
		}
		if diff := cmp.Diff([]casework.Load{
			{Territory: "X1", Open: 1, Unclaimed: 1},
			{Territory: "X2", Open: 2, Unclaimed: 2, Overdue: 1},
			{Territory: "X3", Assignee: "me", Open: 1},
			{Territory: "X3", Assignee: "you", Open: 1},
			{Territory: "X2", Assignee: "me", Waiting: 1},
		}, loads); diff != "" {
			t.Errorf("loads (-want +got):\n%s", diff)
		}
		spans, err := tx.Spans(team, Start.Add(-100*time.Hour))
		if diff := cmp.Diff([]casework.Span{
			{Territory: "X2", Assignee: "me", Hours: 5, Number: 1},
			{Territory: "X3", Assignee: "you", Hours: 1, Number: 2},
		}, spans); diff != "" {
			t.Errorf("spans (-want +got):\n%s", diff)
		}
		if err != nil {
			return err
		}
		team.Officials = false
		if loads, err = tx.Loads(team, Start); err != nil {
			return err
		}
		if diff := cmp.Diff([]casework.Load{
			{Territory: "X1", Open: 1, Unclaimed: 1},
			{Territory: "X2", Open: 2, Unclaimed: 2, Overdue: 1},
			{Territory: "X3", Open: 2},
			{Territory: "X2", Waiting: 1},
		}, loads); diff != "" {
			t.Errorf("loads of places (-want +got):\n%s", diff)
		}
		spans, err = tx.Spans(team, Start.Add(-100*time.Hour))
		if diff := cmp.Diff([]casework.Span{{Territory: "X2", Hours: 5, Number: 1}, {Territory: "X3", Hours: 1, Number: 2}}, spans); diff != "" {
			t.Errorf("spans of places (-want +got):\n%s", diff)
		}
		if err != nil {
			return err
		}
		team.Without = []ident.Subject{applicants[0], applicants[6], applicants[7]}
		if loads, err = tx.Loads(team, Start); err != nil {
			return err
		}
		if diff := cmp.Diff([]casework.Load{
			{Territory: "X1", Open: 1, Unclaimed: 1},
			{Territory: "X2", Open: 1, Unclaimed: 1, Overdue: 1},
			{Territory: "X3", Open: 2},
		}, loads); diff != "" {
			t.Errorf("loads without some (-want +got):\n%s", diff)
		}
		spans, err = tx.Spans(team, Start.Add(-100*time.Hour))
		if diff := cmp.Diff([]casework.Span{{Territory: "X3", Hours: 1, Number: 2}}, spans); diff != "" {
			t.Errorf("spans without some (-want +got):\n%s", diff)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
