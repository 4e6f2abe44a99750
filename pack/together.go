package pack

import (
	"strings"

	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// mostMembers is how many others may have to confirm: a household is no street.
const mostMembers = 20

// together compiles who confirms what a household asks for.
func (sc *serviceCompiler) together() {
	given := &sc.doc.Together
	if !given.given() {
		return
	}
	if sc.doc.Confidential.value {
		sc.fail(given.place(), "remove one of the two", "a household would learn of what is asked for in confidence")
	}
	if sc.d.Notification {
		sc.fail(given.place(), "remove one of the two", "nobody waits for anybody in a notification")
	}
	for _, kind := range sc.doc.For.list {
		if kind.value != "person" {
			sc.fail(given.place(), "write for: person", "it is a person who asks the others of their household, and no %s", kind.value)
		}
	}
	members := sc.compile(sc.environment, given.Members, rules.KindInt)
	if members == nil {
		return
	}
	for _, input := range members.Inputs() {
		if !strings.HasPrefix(input, "param.") && !strings.HasPrefix(input, "ask.") {
			sc.fail(given.Members.place(), "read answers and params only", "how many confirm would depend on %s, and who applies declares it", input)
		}
	}
	if within := members.Interval(); within.Low < 0 || within.High > mostMembers {
		sc.fail(given.Members.place(), "bound it: min: 0 and max: 20 at the question", "fewer than none or more than %d would have to confirm", mostMembers)
	}
	sc.d.Together = &service.Together{Members: members, Within: given.Within.days}
}
