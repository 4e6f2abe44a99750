package query

import (
	"fmt"
	"strings"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
)

// where is a condition that is put together of parts, with its arguments.
type where struct {
	parts []string
	args  []any
}

// and adds a part; each ? in it stands for the next of the values.
func (w *where) and(part string, values ...any) {
	var text strings.Builder
	for _, r := range part {
		if r != '?' {
			text.WriteRune(r)
			continue
		}
		w.args = append(w.args, values[0])
		values = values[1:]
		fmt.Fprintf(&text, "$%d", len(w.args))
	}
	w.parts = append(w.parts, text.String())
}

func (w *where) String() string { return strings.Join(w.parts, " AND ") }

// without leaves out the tasks of the applicants.
func (w *where) without(applicants []ident.Subject) {
	if len(applicants) == 0 {
		return
	}
	w.and("key NOT IN "+listed(len(applicants)), anys(applicants)...)
}

// listed returns a list of so many values for where.and, one at least.
func listed(count int) string { return "(?" + strings.Repeat(", ?", count-1) + ")" }

func anys[T any](values []T) []any {
	all := make([]any, len(values))
	for i, one := range values {
		all[i] = one
	}
	return all
}

// value adds a value to the arguments and returns its place.
func (w *where) value(value any) string {
	w.args = append(w.args, value)
	return fmt.Sprintf("$%d", len(w.args))
}

// inboxWhere returns the condition of an inbox, and by what its tasks are ordered. Which index finds them is said by how
// the due time and the place are written: as it stands, an index serves; plus nothing, none does.
func inboxWhere(inbox casework.Inbox) (where, string) {
	var w where
	due := "due + 0"
	switch inbox.Work {
	case casework.Waiting:
		w.and("state = 'waiting' AND agency = ? AND role = ?", inbox.Agency, inbox.Role)
		due = "opened"
	case casework.Mine:
		// An appointment is of one agency and role.
		first, second := inbox.Assignees[0], inbox.Assignees[len(inbox.Assignees)-1]
		w.and("state = 'claimed' AND assignee IN (?, ?)", first, second)
	default:
		w.and("state IN ('open', 'claimed') AND agency = ? AND role = ?", inbox.Agency, inbox.Role)
		if inbox.Wide {
			due = "due"
		}
		if inbox.Work == casework.Unclaimed {
			w.and("state = 'open'")
		}
	}
	if inbox.Wide {
		w.and("place || '' >= ? AND place || '' < ?", inbox.Place, inbox.Place+"~")
	} else {
		w.and("place >= ? AND place < ?", inbox.Place, inbox.Place+"~")
	}
	if inbox.Service != "" {
		w.and("service = ?", inbox.Service)
	}
	if inbox.Step != "" {
		w.and("step = ?", inbox.Step)
	}
	if !inbox.Before.IsZero() {
		w.and(due+" <= ?", inbox.Before.UnixMicro())
	}
	w.without(inbox.Without)
	return w, due
}

// Inbox implements casework.InboxReader.
func (t *Tx) Inbox(inbox casework.Inbox) ([]casework.Task, error) {
	w, due := inboxWhere(inbox)
	if after := inbox.After; !after.Due.IsZero() {
		from := after.Due.UnixMicro()
		w.and(due+" >= ? AND ("+due+" > ? OR id > ?)", from, from, after.Task)
	}
	limit := w.value(inbox.Limit)
	return list(t, `SELECT `+taskColumns+` FROM task WHERE `+w.String()+` ORDER BY `+due+`, id LIMIT `+limit, w.args, scanTask)
}

// InboxCount implements casework.InboxReader.
func (t *Tx) InboxCount(inbox casework.Inbox) (count int, err error) {
	w, _ := inboxWhere(inbox)
	limit := w.value(inbox.Limit)
	err = t.row(nil, `SELECT count(*) FROM (SELECT 1 AS one FROM task WHERE `+w.String()+` LIMIT `+limit+`) AS found`, w.args, &count)
	return count, err
}

// grouped returns what the figures of a place are grouped by: the place alone, in the order of its index, or also the
// official.
func grouped(officials bool) (assignee, by string) {
	if officials {
		return "assignee", "place, assignee"
	}
	return "''", "place"
}

// teamWhere returns the condition of a team's tasks in a state.
func teamWhere(state string, team casework.TeamOf) (w where) {
	w.and(state+" AND agency = ? AND role = ? AND place >= ? AND place < ?", team.Agency, team.Role, team.Place, team.Place+"~")
	w.without(team.Without)
	return w
}

// Loads implements casework.InboxReader.
func (t *Tx) Loads(team casework.TeamOf, now time.Time) ([]casework.Load, error) {
	assignee, by := grouped(team.Officials)
	w := teamWhere("state IN ('open', 'claimed')", team)
	late := w.value(now.UnixMicro())
	running, err := list(t, `SELECT max(territory), `+assignee+`, count(*), sum(CASE WHEN assignee = '' THEN 1 ELSE 0 END),
			sum(CASE WHEN due <= `+late+` THEN 1 ELSE 0 END), 0 FROM task
		WHERE `+w.String()+` GROUP BY `+by+` ORDER BY `+by, w.args, scanLoad)
	if err != nil {
		return nil, err
	}
	w = teamWhere("state = 'waiting'", team)
	waiting, err := list(t, `SELECT max(territory), `+assignee+`, 0, 0, 0, count(*) FROM task
		WHERE `+w.String()+` GROUP BY `+by+` ORDER BY `+by, w.args, scanLoad)
	return append(running, waiting...), err
}

func scanLoad(scan func(into ...any) error) (l casework.Load, err error) {
	err = scan(&l.Territory, &l.Assignee, &l.Open, &l.Unclaimed, &l.Overdue, &l.Waiting)
	return l, err
}

// hour is an hour in microseconds.
const hour = int64(time.Hour / time.Microsecond)

// Spans implements casework.InboxReader.
func (t *Tx) Spans(team casework.TeamOf, since time.Time) ([]casework.Span, error) {
	assignee, by := grouped(team.Officials)
	w := teamWhere("state = 'done'", team)
	w.and("closed >= ?", since.UnixMicro())
	whole := w.value(hour)
	return list(t, `SELECT max(territory), `+assignee+`, hours, count(*) FROM (
			SELECT place, territory, assignee, (closed - opened) / `+whole+` AS hours FROM task WHERE `+w.String()+`
		) AS took GROUP BY `+by+`, hours ORDER BY `+by+`, hours`, w.args,
		func(scan func(into ...any) error) (s casework.Span, err error) {
			err = scan(&s.Territory, &s.Assignee, &s.Hours, &s.Number)
			return s, err
		})
}
