package pack

import (
	"slices"

	"yagona/kernel/service"
)

// notification compiles whether nobody decides, and refuses what would need a decision.
func (sc *serviceCompiler) notification() {
	sc.d.Notification = sc.doc.Receives.value == "notification"
	if !sc.d.Notification {
		return
	}
	at := sc.doc.Receives.place()
	for _, decided := range []struct {
		given bool
		key   string
	}{
		{len(sc.doc.Require) > 0, "require"},
		{sc.doc.Appeal.given(), "appeal"},
		{sc.doc.Fee.given(), "fee"},
		{sc.doc.Places.given(), "places"},
		{sc.doc.Every.given(), "every"},
		{sc.doc.Licence.given(), "licence"},
		{sc.doc.Start.given(), "start"},
		{sc.doc.Output.Payment.given(), "payment"},
		{sc.doc.Output.Document.given(), "document"},
	} {
		if decided.given {
			sc.refuse(at, phrase("remove %s, or let somebody decide", decided.key), "nobody decides on a notification, and %s needs a decision", decided.key)
		}
	}
	if len(sc.doc.Process) > 1 {
		sc.fail(at, "put the steps below parallel:", "nobody waits for another to take note of a notification")
	}
	for _, e := range sc.d.Evidence {
		if declared, _ := sc.doc.Evidence.get(e.Name); e.None != service.NoneAllow && !e.Of.Each {
			sc.fail(declared.From.place(), "write none: allow", "a notification would be refused for want of %s", e.Name)
		}
	}
}

// checkNoting refuses steps of a notification in which more is done than noting, and noting where somebody decides.
func (sc *serviceCompiler) checkNoting() {
	for _, stage := range sc.d.Process {
		for _, s := range stage.Steps {
			switch notes := slices.Equal(s.Actions, []service.Action{service.Note}); {
			case sc.d.Notification && (!notes || s.Late != service.LateEscalate):
				sc.fail(sc.stepPlace(s.Name), "write late: escalate and no actions", "in the step %s of a notification something would be decided", s.Name)
			case !sc.d.Notification && s.Allows(service.Note):
				sc.fail(sc.stepPlace(s.Name), "remove note, or write receives: notification", "in the step %s somebody would take note of what they decide on", s.Name)
			}
		}
	}
}
