package api

import (
	"net/http"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
	"yagona/web/route"
)

// JobReader is what the operator's operations read.
type JobReader interface{ job.Reader }

// JobTx is what the operator's operations write.
type JobTx interface {
	job.Tx
	journal.Tx
}

// Outage is a time in which the platform could not be used. It counts against the state.
type Outage struct {
	ID     string      `json:"id"`
	From   time.Time   `json:"from"`
	Until  time.Time   `json:"until"`
	Reason string      `json:"reason"`
	Event  ident.Event `json:"event"`
}

// NewOutage declares an outage.
type NewOutage struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until" doc:"in the past, and at most 31 days after its beginning"`
	Reason string    `json:"reason" doc:"what happened: 1 to 5,000 characters, nothing personal"`
}

// DeadJob is a job that was given up.
type DeadJob struct {
	ID       ident.Job `json:"id"`
	Kind     string    `json:"kind"`
	Due      time.Time `json:"due"`
	Attempts int       `json:"attempts"`
	Failure  string    `json:"failure" doc:"the code of the last failure"`
}

// mostDead is how many dead letters are looked at.
const mostDead = 1000

var errNoJob = fault.New(fault.NotFound, "job.unknown", "No job with this id was given up. Look at the list again.")

func operatorOperations(cases *casework.Casework, jobs act.Store[JobReader, JobTx], vault *seal.Vault) []operation {
	return []operation{
		{
			id: "listOutages", tag: "operation", summary: "Lists the declared outages, which move deadlines in favour of applicants.",
			method: "GET", path: "/outages", access: route.Public(), response: Page[Outage]{},
			handle: func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
				page := Page[Outage]{Items: []Outage{}}
				err := cases.Store.View(r.Context(), func(tx casework.Reader) error {
					found, err := tx.Outages()
					for _, one := range found {
						page.Items = append(page.Items, Outage(one))
					}
					return err
				})
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, page)
			},
		},
		{
			id: "declareOutage", tag: "operation", summary: "Declares that the platform could not be used. Deadlines move.",
			method: "POST", path: "/outages", access: route.Role(access.Operator), body: wordsBody, request: NewOutage{}, response: Outage{},
			status: http.StatusCreated, codes: []string{"outage.time", "outage.too-long", "field.required", "field.characters", "field.too-long"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				var sent NewOutage
				if err := route.ReadJSON(r, &sent); err != nil {
					return err
				}
				declared, err := cases.DeclareOutage(r.Context(), v.Actor, sent.From, sent.Until, sent.Reason)
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusCreated, Outage(declared))
			},
		},
		{
			id: "listDeadJobs", tag: "operation", summary: "Lists the jobs that were given up, the oldest first. They show no personal data.",
			method: "GET", path: "/jobs/dead", access: route.Role(access.Operator), query: []parameter{limitParameter}, response: Page[DeadJob]{},
			codes: []string{"page.limit"},
			handle: func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
				wanted, err := limit(r)
				if err != nil {
					return err
				}
				page := Page[DeadJob]{Items: []DeadJob{}}
				err = jobs.View(r.Context(), func(tx JobReader) error {
					dead, err := tx.DeadJobs(wanted)
					for _, one := range dead {
						page.Items = append(page.Items, deadJob(one))
					}
					return err
				})
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, page)
			},
		},
		{
			id: "retryJob", tag: "operation", summary: "Lets a job that was given up run again.",
			method: "POST", path: "/jobs/{job}/retry", access: route.Role(access.Operator), response: DeadJob{}, status: http.StatusAccepted,
			codes:  []string{"job.unknown"},
			handle: retryJob(jobs, vault),
		},
	}
}

func deadJob(one job.Job) DeadJob {
	return DeadJob{one.ID, one.Kind, one.Due, one.Attempts, one.Failure}
}

func find(tx job.Reader, id ident.Job) (job.Job, error) {
	dead, err := tx.DeadJobs(mostDead)
	if err != nil {
		return job.Job{}, err
	}
	for _, one := range dead {
		if one.ID == id {
			return one, nil
		}
	}
	return job.Job{}, errNoJob
}

func retryJob(jobs act.Store[JobReader, JobTx], vault *seal.Vault) route.Handler {
	return func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
		var wanted job.Job
		err := jobs.View(r.Context(), func(tx JobReader) (err error) {
			wanted, err = find(tx, ident.Job(r.PathValue("job")))
			return err
		})
		if err != nil {
			return err
		}
		sealer, err := vault.Open(r.Context())
		if err != nil {
			return err
		}
		err = jobs.Update(r.Context(), wanted.Key, func(tx JobTx) (err error) {
			if wanted, err = find(tx, wanted.ID); err != nil {
				return err
			}
			wanted.Dead, wanted.Attempts, wanted.Due = false, 0, tx.Now()
			if err := tx.DelayJob(wanted); err != nil {
				return err
			}
			_, err = journal.Append(tx, sealer, journal.Event{
				Type: "job.retried", Actor: v.Actor.Journal(), Object: "job:" + string(wanted.ID), Facts: map[string]string{"kind": wanted.Kind},
			})
			return err
		})
		if err != nil {
			return err
		}
		return route.WriteJSON(w, http.StatusAccepted, deadJob(wanted))
	}
}
