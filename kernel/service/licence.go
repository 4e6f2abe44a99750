package service

import (
	"slices"

	"yagona/kernel/ident"
	"yagona/kernel/wording"
)

// Licence says that what is granted is a right for a time, which can be suspended, restored and revoked. One official
// proposes it with reasons, another decides. The document that was issued follows.
type Licence struct {
	Renew    Period     // so long before its end its holder is reminded, and can apply anew
	Proposes ident.Role // of the service's agency
	Decides  ident.Role
	Within   int          // working days to decide on a proposal
	Publish  []string     // the lines of the document that stand in the open list
	Over     wording.Text // what a person reads whose licence has reached its last day
}

// Measure is what can be done to a licence. It is also the step in which it is decided on.
type Measure string

// The measures.
const (
	Suspend Measure = "suspend"
	Restore Measure = "restore"
	Revoke  Measure = "revoke"
)

// Measures are all of them; no step of a process is called so.
var Measures = []Measure{Suspend, Restore, Revoke}

// MeasureStep returns the step in which a measure is decided on; false if the name is another step's.
func (d *Definition) MeasureStep(name string) (Step, bool) {
	if d.Licence == nil || !slices.Contains(Measures, Measure(name)) {
		return Step{}, false
	}
	return Step{
		Name: name, Agency: d.Agency, Role: d.Licence.Decides, Within: d.Licence.Within, Late: LateEscalate, Actions: []Action{Approve, Refuse},
	}, true
}
