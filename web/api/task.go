package api

import (
	"context"
	"encoding/json"
	"net/http"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/country"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/web/reading"
	"yagona/web/route"
)

// TaskSummary is a task in the inbox. It tells nothing about a person.
type TaskSummary struct {
	TaskShown
	Application ident.Application `json:"application"`
	Service     ident.Service     `json:"service"`
	Mine        bool              `json:"mine" doc:"the one who asks works on it"`
}

// Task is a task with its application, as its official sees it.
type Task struct {
	Task        TaskSummary `json:"task"`
	Application Application `json:"application"`
}

// HandOver gives a task to a colleague.
type HandOver struct {
	To ident.Appointment `json:"to,omitempty" doc:"the colleague's appointment; absent: back to all who may take it"`
}

// Verdict is what an official says in a step.
type Verdict struct {
	Action   service.Action             `json:"action"`
	Reasons  []Reason                   `json:"reasons,omitempty" doc:"of a refusal: at least one"`
	Question string                     `json:"question,omitempty" doc:"to the applicant, when asking"`
	Form     json.RawMessage            `json:"form,omitempty" doc:"the step's form, by field"`
	Photos   []string                   `json:"photos,omitempty" doc:"the ids of the photos that the official took in the step, on the pages of the desk"`
	Attest   map[string]json.RawMessage `json:"attest,omitempty" doc:"by evidence that has no record: the values that the official checked and signs for"`
}

// Decided is what an official keeps of a decision.
type Decided struct {
	Application ident.Application `json:"application"`
	State       casework.State    `json:"state"`
	Revision    int64             `json:"revision"`
	Receipt     Proof             `json:"receipt"`
}

// tasks are what the handlers of an official's operations stand on.
type tasks struct {
	cases     *casework.Casework
	catalogue func() *service.Catalogue
	profile   *country.Profile
	trail     *reading.Trail
}

func taskOperations(t tasks) []operation {
	codes := append([]string{"task.unknown", "task.own-interest", "application.unknown", "application.archived"}, exchangeCodes...)
	changing := append([]string{"task.not-open", "task.claimed", "http.precondition-failed"}, codes...)
	return []operation{
		{
			id: "listTasks", tag: "tasks", summary: "Lists the open tasks of the appointment that one works in, the most urgent first.",
			method: "GET", path: "/tasks", access: route.Official(), query: []parameter{limitParameter, afterParameter},
			response: Page[TaskSummary]{}, codes: []string{"page.limit", "page.cursor"}, handle: t.list,
		},
		{
			id: "readTask", tag: "tasks", summary: "Opens a task with its application. The applicant sees that it was read, by whom and for what.",
			method: "GET", path: "/tasks/{task}", costly: true, access: route.Official(), timeout: askTimeout, response: Task{}, etag: true,
			codes: append([]string{"seal.erased"}, codes...), handle: t.show,
		},
		{
			id: "claimTask", tag: "tasks", summary: "Takes a task. Claiming one's own again changes nothing.",
			method: "POST", path: "/tasks/{task}/claim", access: route.Official(), timeout: askTimeout, response: TaskSummary{}, codes: changing,
			handle: t.assign(func(ctx context.Context, r *http.Request, by access.Actor, id ident.Task) (casework.Task, error) {
				return t.cases.Claim(ctx, by, id)
			}),
		},
		{
			id: "handOverTask", tag: "tasks", summary: "Gives a task to a colleague who could have claimed it, or back to all.",
			method: "POST", path: "/tasks/{task}/hand-over", access: route.Official(), body: smallBody, timeout: askTimeout,
			request: HandOver{}, response: TaskSummary{}, codes: append([]string{"appointment.unknown"}, changing...),
			handle: t.assign(func(ctx context.Context, r *http.Request, by access.Actor, id ident.Task) (casework.Task, error) {
				var wish HandOver
				if err := route.ReadJSON(r, &wish); err != nil {
					return casework.Task{}, err
				}
				return t.cases.HandOver(ctx, by, id, wish.To)
			}),
		},
		{
			id: "decideTask", tag: "tasks", summary: "Recommends, approves, refuses, or asks the applicant. If-Match holds it to the application as it was read.",
			method: "POST", path: "/tasks/{task}/decide", access: route.Official(), body: answerBody, timeout: askTimeout, ifMatch: true,
			request: Verdict{}, response: Decided{}, etag: true,
			codes: append(append([]string{
				"task.action", "task.same-person", "licence.same-person", "task.summary-unseen", "photo.missing", "photo.too-many", "photo.unwanted", "task.reason", "task.no-reason", "task.attest", "task.attest-type",
				"task.requirement-not-met", "task.requirement-unknown", "task.evidence-changed", "task.register-silent", "application.granted-meanwhile",
				"service.unknown-value", "service.amount", "http.precondition-required",
			}, answerCodes...), changing...),
			handle: t.decide,
		},
	}
}

func taskSummary(one casework.Task, by access.Actor) TaskSummary {
	return TaskSummary{
		TaskShown: taskShown(one), Application: one.Application, Service: one.Service,
		Mine: by.Appointment != nil && one.Assignee == by.Appointment.ID,
	}
}

func (t tasks) list(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	wanted, err := limit(r)
	if err != nil {
		return err
	}
	due, task, err := afterDue[ident.Task](r)
	if err != nil {
		return err
	}
	found, err := t.cases.Tasks(r.Context(), v.Actor, casework.Filter{}, casework.Cursor{Due: due, Task: task}, wanted+1)
	if err != nil {
		return err
	}
	shown := make([]TaskSummary, len(found))
	for i, one := range found {
		shown[i] = taskSummary(one, v.Actor)
	}
	return route.WriteJSON(w, http.StatusOK, pageOf(shown, wanted, func(last TaskSummary) string { return cursor(last.Due.UnixMicro(), last.ID) }))
}

func (t tasks) show(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	view, err := t.cases.Read(r.Context(), v.Actor, ident.Task(r.PathValue("task")))
	if err != nil {
		return err
	}
	application, err := shownTo(v.Actor.Person, view, v.Language, t.profile.Authoritative())
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(view.Application.Revision))
	return route.WriteJSON(w, http.StatusOK, Task{Task: taskSummary(*view.Task, v.Actor), Application: application})
}

// assign runs an act that changes who works on a task.
func (t tasks) assign(change func(context.Context, *http.Request, access.Actor, ident.Task) (casework.Task, error)) route.Handler {
	return func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
		changed, err := change(r.Context(), r, v.Actor, ident.Task(r.PathValue("task")))
		if err != nil {
			return preconditioned(err)
		}
		return route.WriteJSON(w, http.StatusOK, taskSummary(changed, v.Actor))
	}
}

func (t tasks) decide(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	revision, err := expected(r)
	if err != nil {
		return err
	}
	var sent Verdict
	if err := route.ReadJSON(r, &sent); err != nil {
		return err
	}
	id := ident.Task(r.PathValue("task"))
	verdict, err := t.verdict(r.Context(), id, sent)
	if err != nil {
		return err
	}
	receipt, err := t.cases.Decide(r.Context(), v.Actor, id, revision, verdict)
	if err != nil {
		return preconditioned(under("form", err))
	}
	proof, err := receiptOf(r.Context(), t.trail, v.Actor, receipt)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(receipt.Application.Revision))
	return route.WriteJSON(w, http.StatusOK, Decided{receipt.Application.ID, receipt.Application.State, receipt.Application.Revision, proof})
}

// verdict gives what was sent the types of the step's form and of the evidence. Nothing of the application is shown:
// who may decide is checked with the decision.
func (t tasks) verdict(ctx context.Context, id ident.Task, sent Verdict) (casework.Verdict, error) {
	verdict := casework.Verdict{Action: sent.Action, Question: sent.Question, Photos: sent.Photos}
	for _, one := range sent.Reasons {
		verdict.Reasons = append(verdict.Reasons, casework.Reason(one))
	}
	if len(sent.Form) == 0 && len(sent.Attest) == 0 {
		return verdict, nil
	}
	var definition *service.Definition
	var task casework.Task
	err := t.cases.Store.View(ctx, func(tx casework.Reader) (err error) {
		if task, err = tx.Task(id); err != nil {
			return err
		}
		application, err := tx.Application(task.Application)
		if err != nil {
			return err
		}
		definition, err = t.catalogue().Version(application.Version)
		return err
	})
	if err != nil {
		return verdict, err
	}
	if len(sent.Form) > 0 {
		_, step, _ := definition.Step(task.Step)
		if verdict.Form, err = decodeValues("form", field.TypeOf(step.Form), sent.Form); err != nil {
			return verdict, err
		}
	}
	for name, raw := range sent.Attest {
		of := rules.ObjectOf() // an evidence that there is not is refused with the decision
		for _, one := range definition.Evidence {
			if one.Name == name {
				of = one.Type
			}
		}
		values, err := decodeValues("attest."+short(name), of, raw)
		if err != nil {
			return verdict, err
		}
		if verdict.Attest == nil {
			verdict.Attest = map[string]map[string]any{}
		}
		verdict.Attest[name] = values
	}
	return verdict, nil
}
