package pack

import (
	"strings"

	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// fee compiles what an applicant pays.
func (sc *serviceCompiler) fee() {
	given := &sc.doc.Fee
	if !given.given() {
		return
	}
	sc.checkFund(given.Fund)
	out := &service.Fee{Amount: sc.compile(sc.environment, given.Amount, rules.KindMoney), Fund: given.Fund.text, Within: given.Within.days}
	for _, one := range given.Back {
		switch one.value {
		case "late":
			out.IfLate = true
			if len(sc.d.Process) == 0 {
				sc.fail(one.place(), "remove late, or add a step", "nobody can be late: the service has no officials")
			}
		case "refused":
			out.IfRefused = true
		}
	}
	if sc.doc.Places.given() {
		sc.fail(given.place(), "remove one of the two", "who waits for a place would have paid for what may never be free")
	}
	if out.Amount == nil {
		return
	}
	if out.Amount.Interval().Low < 0 {
		sc.fail(given.Amount.place(), "write positive(…) around what may fall below zero", "the fee can be negative")
	}
	for _, input := range out.Amount.Inputs() {
		if !strings.HasPrefix(input, "param.") && !strings.HasPrefix(input, "ask.") {
			sc.fail(given.Amount.place(), "read answers and params only", "the fee would depend on %s, and people know what they pay before they apply", input)
		}
	}
	sc.d.Fee = out
}

// checkFee refuses a fee of which no example says how much it is.
func (sc *serviceCompiler) checkFee() {
	for _, x := range sc.s.compiled.examples[sc.d.Path] {
		if x.expect.fee != nil {
			return
		}
	}
	if sc.d.Fee != nil {
		sc.fail(sc.doc.Fee.place(), "add an example with expect: {fee: …}", "no example says how much people pay")
	}
}
