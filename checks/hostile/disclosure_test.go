package hostile

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"yagona/packs/demo"
)

// namesWhoAsked are routes on which somebody learns the name of who gave them a mandate: the giver told it themself, and the
// event of that act is one of theirs.
var namesWhoAsked = map[string]bool{"GET /api/v1/me/mandates": true, "GET /me/representatives": true}

// TestWhatIsShownOfSomebodyIsJournaled calls every route that only reads, as the person it is about and as officials of many
// roles, each in a session of its own. Whatever answer holds something of the person has left a disclosure in the journal
// by the time it arrives.
func TestWhatIsShownOfSomebodyIsJournaled(t *testing.T) {
	w := open(t)
	leader, chair := w.persona(demo.YouthLeader), w.persona(demo.Chair)
	victim := w.victim(demo.Jobless, leader, chair)
	second := w.pop.Persona(demo.Newcomer) // whose order and document they are
	root := w.node.Profile.Territories.Root()
	readers := map[string]visitor{
		"the person": w.persona(demo.Jobless), "the second": w.persona(demo.Newcomer), "the representative": w.persona(demo.TooOld),
		"the youth leader": leader, "the chair": chair,
		"a treasurer":               w.official("treasurer", "youth-agency", root),
		"a registrar":               w.official("registrar", "interior-ministry", root),
		"a civil registrar":         w.official("registrar", "civil-registry", root),
		"a data protection officer": w.official("data-protection-officer", "civil-registry", root),
		"an operator":               w.official("operator", "platform-operator", root),
	}
	told := map[string][]string{} // what may not be shown without a trace, by subject
	for _, one := range []demo.Person{victim.Person, second} {
		told[string(one.ID.Subject())] = []string{one.Number, one.Name(), one.Phone, one.Birth.String()}
	}
	disclosures := func(subject string) (count int) {
		t.Helper()
		if err := w.db.QueryRow(`SELECT count(*) FROM event_part WHERE subject = $1 AND disclosure = 1`, subject).Scan(&count); err != nil {
			t.Fatal(err)
		}
		return count
	}
	shown := map[string]bool{}
	for _, info := range w.node.Router.Routes() {
		if found, ok := rowOf(info); info.Method != http.MethodGet || !ok || found.kind == open4All {
			continue
		}
		w.clock.pass(61 * time.Second) // what was refused on the route before is forgiven
		for name, reader := range readers {
			before := map[string]int{}
			for subject := range told {
				before[subject] = disclosures(subject)
			}
			got := w.as(reader.person).send(http.MethodGet, victim.fill(info.Pattern), nil)
			for subject, secrets := range told {
				i := slices.IndexFunc(secrets, func(one string) bool { return one != "" && got.tells(one) })
				if i < 0 {
					continue
				}
				shown[info.Name()] = true
				if name == "the representative" && namesWhoAsked[info.Name()] && secrets[i] == victim.Name() {
					continue
				}
				if disclosures(subject) == before[subject] {
					t.Errorf("%s shows %s %q, and no disclosure was journaled", info.Name(), name, secrets[i])
				}
			}
		}
	}
	if len(shown) < 10 {
		t.Errorf("only %d routes showed anything of anybody: what was tried?", len(shown))
	}
	t.Logf("%d routes showed something: %v", len(shown), shown)
}
