package query

import (
	"bytes"
	"encoding/json"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

const applicationColumns = `key, id, service, version, agency, state, revision, stage, language,
	created, submitted, decided, expires, territory, helper, sealed, event, archived`

func scanApplication(scan func(into ...any) error) (a casework.Application, err error) {
	err = scan(&a.Applicant, &a.ID, &a.Service, &a.Version, &a.Agency, &a.State, &a.Revision, &a.Stage, &a.Language,
		instant{&a.Created}, instant{&a.Submitted}, instant{&a.Decided}, instant{&a.Expires}, &a.Territory, &a.Helper, &a.Sealed, &a.Event, &a.Archived)
	return a, err
}

// Application implements casework.Reader.
func (t *Tx) Application(id ident.Application) (casework.Application, error) {
	found, err := list(t, `SELECT `+applicationColumns+` FROM application WHERE id = $1`, args(id), scanApplication)
	if err == nil && len(found) == 0 {
		err = notFound("application.unknown", "application")
	}
	if err != nil {
		return casework.Application{}, err
	}
	return found[0], nil
}

// RevisionOf implements casework.Reader.
func (t *Tx) RevisionOf(id ident.Application) (revision int64, archived bool, err error) {
	var volume string
	err = t.row(notFound("application.unknown", "application"), `SELECT revision, archived FROM application WHERE id = $1`, args(id), &revision, &volume)
	return revision, volume != "", err
}

// ApplicationsOf implements casework.Reader.
func (t *Tx) ApplicationsOf(applicant ident.Subject, before ident.Application, limit int) ([]casework.Application, error) {
	if before == "" {
		before = "~" // after every identifier
	}
	return list(t, `SELECT `+applicationColumns+` FROM application WHERE key = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
		args(applicant, before, limit), scanApplication)
}

// OutlinesOf implements casework.Reader. It selects no column behind the sealed one: what lies on further pages of the row is
// not read.
func (t *Tx) OutlinesOf(applicant ident.Subject, limit int) ([]casework.Outline, error) {
	return list(t, `SELECT id, service, version, state, revision, decided FROM application WHERE key = $1 ORDER BY id DESC LIMIT $2`,
		args(applicant, limit), func(scan func(into ...any) error) (o casework.Outline, err error) {
			err = scan(&o.ID, &o.Service, &o.Version, &o.State, &o.Revision, instant{&o.Decided})
			return o, err
		})
}

// AssistedDrafts implements casework.Reader.
func (t *Tx) AssistedDrafts(helper ident.Person, limit int) ([]casework.Application, error) {
	return list(t, `SELECT `+applicationColumns+` FROM application WHERE helper = $1 AND helper <> '' AND state = 'draft' ORDER BY id DESC LIMIT $2`,
		args(helper, limit), scanApplication)
}

// SaveApplication implements casework.Tx.
func (t *Tx) SaveApplication(a casework.Application) error {
	return t.send(`INSERT INTO application (`+applicationColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (key, id) DO UPDATE SET state = excluded.state, revision = excluded.revision, stage = excluded.stage,
			submitted = excluded.submitted, decided = excluded.decided, expires = excluded.expires,
			territory = excluded.territory, sealed = excluded.sealed, event = excluded.event`,
		t.key, a.ID, a.Service, a.Version, a.Agency, a.State, a.Revision, a.Stage, a.Language,
		micros(a.Created), micros(a.Submitted), micros(a.Decided), micros(a.Expires), a.Territory, a.Helper, a.Sealed, a.Event, a.Archived)
}

const taskColumns = `key, id, application, service, step, agency, role, territory, place, escalated, state, assignee,
	opened, clock, due, closed, event`

func scanTask(scan func(into ...any) error) (casework.Task, error) {
	task, clock, err := scanTaskRow(scan)
	if err != nil {
		return task, err
	}
	return task, jsonv2.Unmarshal(clock, &task.Clock)
}

// scanTaskRow returns the clock also as it is stored; one that cannot be read is left out of the task.
func scanTaskRow(scan func(into ...any) error) (task casework.Task, clock []byte, err error) {
	err = scan(&task.Applicant, &task.ID, &task.Application, &task.Service, &task.Step, &task.Agency, &task.Role, &task.Territory,
		&task.Place, &task.Escalated, &task.State, &task.Assignee, instant{&task.Opened}, &clock, instant{&task.Due},
		instant{&task.Closed}, &task.Event)
	if err != nil {
		return task, nil, err
	}
	if read := task.Clock; jsonv2.Unmarshal(clock, &read) == nil {
		task.Clock = read
	}
	return task, clock, nil
}

// Task implements casework.Reader.
func (t *Tx) Task(id ident.Task) (casework.Task, error) {
	found, err := list(t, `SELECT `+taskColumns+` FROM task WHERE id = $1`, args(id), scanTask)
	if err == nil && len(found) == 0 {
		err = notFound("task.unknown", "task")
	}
	if err != nil {
		return casework.Task{}, err
	}
	return found[0], nil
}

// TasksOf implements casework.Reader.
func (t *Tx) TasksOf(applicant ident.Subject, application ident.Application) ([]casework.Task, error) {
	return list(t, `SELECT `+taskColumns+` FROM task WHERE key = $1 AND application = $2 ORDER BY opened, id`,
		args(applicant, application), scanTask)
}

// OpenTasks implements casework.Reader.
func (t *Tx) OpenTasks(after casework.Cursor, limit int) ([]casework.Task, error) {
	from := int64(-1)
	if !after.Due.IsZero() {
		from = after.Due.UnixMicro()
	}
	return list(t, `SELECT `+taskColumns+` FROM task
		WHERE state IN ('open', 'claimed') AND (due > $1 OR due = $1 AND id > $2) ORDER BY due, id LIMIT $3`,
		args(from, after.Task, limit), scanTask)
}

// SaveTask implements casework.Tx.
func (t *Tx) SaveTask(task casework.Task) error {
	clock, err := json.Marshal(task.Clock)
	if err != nil {
		return err
	}
	return t.send(`INSERT INTO task (`+taskColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (key, id) DO UPDATE SET territory = excluded.territory, place = excluded.place, escalated = excluded.escalated,
			state = excluded.state, assignee = excluded.assignee, clock = excluded.clock, due = excluded.due,
			closed = excluded.closed, event = excluded.event`,
		t.key, task.ID, task.Application, task.Service, task.Step, task.Agency, task.Role, task.Territory, task.Place, task.Escalated,
		task.State, task.Assignee, micros(task.Opened), string(clock), micros(task.Due), micros(task.Closed), task.Event)
}

// Outages implements casework.Reader.
func (t *Tx) Outages() ([]casework.Outage, error) {
	return list(t, `SELECT id, from_time, until_time, reason, event FROM outage ORDER BY from_time, id`, nil, scanOutage)
}

func scanOutage(scan func(into ...any) error) (o casework.Outage, err error) {
	err = scan(&o.ID, instant{&o.From}, instant{&o.Until}, &o.Reason, &o.Event)
	return o, err
}

// OutageRows calls visit for every declared outage; for the auditor.
func (t *Tx) OutageRows(visit func(journal.Row) error) error {
	return covered(t, `SELECT key, id, from_time, until_time, reason, event FROM outage ORDER BY key, id`, scanOutage,
		func(o casework.Outage) (journal.Cover, ident.Event) { return o.Cover(), o.Event }, visit)
}

// SaveOutage implements casework.Tx.
func (t *Tx) SaveOutage(o casework.Outage) error {
	return t.send(`INSERT INTO outage (key, id, from_time, until_time, reason, event) VALUES ($1, $2, $3, $4, $5, $6)`,
		t.key, o.ID, micros(o.From), micros(o.Until), o.Reason, o.Event)
}

// Counts implements casework.Reader.
func (t *Tx) Counts(of ident.Service) ([]casework.Count, error) {
	// The lower median: the largest of the first half, the decided ones ordered by how long they took.
	return list(t, `SELECT service, territory, state, count(*),
			coalesce(max(CASE WHEN place * 2 <= decisions + 1 THEN took END), 0)
		FROM (
			SELECT service, territory, state, decided - submitted AS took,
				row_number() OVER (PARTITION BY territory, state ORDER BY decided IS NULL, decided - submitted) AS place,
				count(decided) OVER (PARTITION BY territory, state) AS decisions
			FROM application WHERE service = $1 AND submitted IS NOT NULL
		) AS one
		GROUP BY service, territory, state ORDER BY territory, state`,
		args(of), func(scan func(into ...any) error) (c casework.Count, err error) {
			var micros int64
			err = scan(&c.Service, &c.Territory, &c.State, &c.Number, &micros)
			c.Median = time.Duration(micros) * time.Microsecond
			return c, err
		})
}

// Applicants implements casework.Reader.
func (t *Tx) Applicants(of ident.Service) ([]casework.Count, error) {
	return list(t, `SELECT service, state, count(*) FROM (
			SELECT service, state, row_number() OVER (PARTITION BY key ORDER BY submitted DESC, id DESC) AS place
			FROM application WHERE service = $1 AND submitted IS NOT NULL
		) AS one WHERE place = 1 GROUP BY service, state ORDER BY state`,
		args(of), func(scan func(into ...any) error) (c casework.Count, err error) {
			err = scan(&c.Service, &c.State, &c.Number)
			return c, err
		})
}

// AddRefusal implements casework.Tx.
func (t *Tx) AddRefusal(r casework.Refusal) error {
	return t.send(`INSERT INTO refusal (key, id, requirement, service, territory) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (key, id, requirement) DO NOTHING`, t.key, r.ID, r.Requirement, r.Service, r.Territory)
}

// RefusalCounts implements casework.Reader.
func (t *Tx) RefusalCounts(of ident.Service) ([]casework.RefusalCount, error) {
	return list(t, `SELECT service, territory, requirement, count(*) FROM refusal WHERE service = $1
		GROUP BY service, territory, requirement`, args(of), func(scan func(into ...any) error) (c casework.RefusalCount, err error) {
		err = scan(&c.Service, &c.Territory, &c.Requirement, &c.Number)
		return c, err
	})
}

// CaseworkRows calls visit for every row of casework that an event covers; for the auditor.
func (t *Tx) CaseworkRows(visit func(journal.Row) error) error {
	row := func(cover journal.Cover, key string, event ident.Event) error {
		return visit(rowOf(cover, key, event))
	}
	err := t.rows(`SELECT `+applicationColumns+` FROM application`, nil, func(scan func(into ...any) error) error {
		a, err := scanApplication(scan)
		if err != nil || a.Archived != "" { // the volume has the row that the event covers
			return err
		}
		return row(a.Cover(), string(a.Applicant), a.Event)
	})
	if err != nil {
		return err
	}
	return t.rows(`SELECT `+taskColumns+` FROM task`, nil, func(scan func(into ...any) error) error {
		task, clock, err := scanTaskRow(scan)
		if err != nil {
			return err
		}
		cover := task.Cover()
		if written, err := json.Marshal(task.Clock); err != nil || !bytes.Equal(written, clock) {
			cover.Digest = nil // the clock is not as it was written
		}
		return row(cover, string(task.Applicant), task.Event)
	})
}
