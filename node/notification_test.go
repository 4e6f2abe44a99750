package node_test

import (
	"strings"
	"testing"

	"yagona/packs/demo"
)

// Who notifies gets a receipt, and that is the end for them: the inspector reads it, and the register has it.
func TestANotificationIsReadByWhoItIsForAndDecidedByNobody(t *testing.T) {
	const language = "en"
	s := open(t)
	resident := s.people.Persona(demo.Husband)
	b := s.signedIn(t, language, resident)
	b.get("/services/interior/empty-home")
	b.says(b.say("portal.course-notification"))
	b.press("/apply")
	b.fill(map[string]string{"where": string(resident.Residence)}, "")
	b.fill(map[string]string{"from-day": "10", "from-month": "3", "from-year": "2026"}, "")
	b.fill(map[string]string{"until-day": "9", "until-month": "3", "until-year": "2026"}, "")
	b.says(b.say("fault.field.before"))
	b.fill(map[string]string{"until-day": "10", "until-month": "3", "until-year": "2026"}, "")
	b.get(strings.TrimSuffix(b.at.Path, "/check") + "/questions/from")
	b.fill(map[string]string{"from-day": "11", "from-month": "3", "from-year": "2026"}, "")
	b.says("Until which day?") // the later day no longer fits the first
	b.fill(map[string]string{"until-day": "10", "until-month": "4", "until-year": "2026"}, "")
	b.says(b.say("portal.course-notification"))
	b.press("/submit")
	b.says(b.say("portal.received"))
	application := b.at.Path[:len(b.at.Path)-len("/receipt")]
	b.get(application)
	b.says(b.say("portal.received-text"))

	decides(t, s, language, officialFor(t, s, "interior-ministry", "prevention-inspector", resident.Residence), map[string]string{"action": "note"})
	b.get(application)
	b.says(b.say("event.task.note"))
	b.says(b.say("portal.state-received"))
}
