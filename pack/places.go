package pack

import (
	"fmt"
	"slices"
	"strings"

	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// mostCriteria is how many criteria an order may have: people shall understand it.
const mostCriteria = 5

// places compiles how many places there are, and who comes first.
func (sc *serviceCompiler) places() {
	p := &sc.doc.Places
	if !p.given() {
		return
	}
	out := &service.Places{
		Of:     sc.compile(sc.environment, p.Of, rules.KindChoice, rules.KindTerritory),
		Count:  sc.compile(sc.environment, p.Count, rules.KindInt),
		Accept: p.Accept.days,
	}
	sc.countOfPlaces(out)
	if len(p.Order) > mostCriteria {
		sc.fail(p.Order[mostCriteria].place(), "order by fewer criteria", "people do not understand an order by more than %d criteria", mostCriteria)
	}
	for i, one := range p.Order {
		by := sc.compile(sc.environment, one.By, rules.KindBool, rules.KindInt, rules.KindDate)
		if by == nil {
			continue
		}
		if len(by.Inputs()) == 0 {
			sc.fail(one.By.place(), "let it read an answer or an evidence, or remove it", "this puts nobody before anybody")
		}
		out.Order = append(out.Order, service.Criterion{
			Title: sc.s.texts.say(fmt.Sprintf("%s.places.order.%d", sc.key, i+1), one.Title), By: by, Private: sc.readsOthers(by),
		})
	}
	if sc.doc.Every.given() {
		sc.fail(sc.doc.Every.place(), "grant the place by one service and the benefit by another", "a place is not paid again and again")
	}
	sc.d.Places = out
}

// countOfPlaces checks that how many places there are is the same for all in a queue.
func (sc *serviceCompiler) countOfPlaces(out *service.Places) {
	if out.Count == nil {
		return
	}
	at := sc.doc.Places.Count.place()
	if out.Count.Interval().Low < 0 {
		sc.fail(at, "bound it with greatest(…, 0)", "there can be fewer places than none")
	}
	for _, input := range out.Count.Inputs() {
		switch {
		case strings.HasPrefix(input, "param."):
		case !strings.HasPrefix(input, "ask."):
			sc.fail(at, "read answers and params only", "how many places there are would depend on %s, which is one applicant's", input)
		case out.Of == nil || !slices.Contains(out.Of.Inputs(), input):
			sc.fail(at, "name the answer in of:, so that each has a queue of its own", "two people in one queue can answer %s otherwise", input)
		}
	}
}
