package portal

import (
	"context"
	"net/http"

	"yagona/kernel/casework"
	"yagona/kernel/money"
	"yagona/kernel/service"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// pay leads to the page of the payment system on which the fee is paid.
func (p *Portal) pay(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	address, err := p.Fees.Page(r.Context(), v.Resident(), applicationOf(r))
	if err != nil {
		return err
	}
	return route.Redirect(w, r, address)
}

// paid is where who paid comes back to: the payment system is asked before the application is shown.
func (p *Portal) paid(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	if _, err := p.Applications.Own(r.Context(), v.Resident(), applicationOf(r)); err != nil {
		return err
	}
	if err := p.Fees.Look(r.Context(), applicationOf(r)); err != nil {
		return err
	}
	return route.Redirect(w, r, pathOf(applicationOf(r)))
}

// cost says what a service costs: the amount, where it is the same for all.
func (p *Portal) cost(ctx context.Context, r page.Reader, definition *service.Definition) []string {
	if definition.Fee == nil {
		return []string{r.Say("portal.free")}
	}
	said := []string{r.Say("portal.fee-by-answers")}
	today := p.Shared.Today()
	if amount, _, err := definition.Charge(ctx, service.Facts{Submitted: today, Decided: today}); err == nil {
		said = []string{r.Money(amount)}
	}
	return append(said, backWhen(r, definition.Fee)...)
}

// backWhen says when a fee is given back.
func backWhen(r page.Reader, fee *service.Fee) []string {
	said := []string{r.Say("portal.fee-back-withdrawn")}
	if fee.IfRefused {
		said = append(said, r.Say("portal.fee-back-refused"))
	}
	if fee.IfLate {
		said = append(said, r.Say("portal.fee-back-late"))
	}
	return said
}

// whyBack are the words for why a fee is given back.
var whyBack = map[casework.Back]string{
	casework.BackWithdrawn: "portal.fee-back-withdrawn", casework.BackRefused: "portal.fee-back-refused",
	casework.BackLate: "portal.fee-back-late", casework.BackTooLate: "portal.fee-back-too-late",
	casework.BackFound: "portal.fee-back-found",
}

// charged shows the fee of an application: what was paid, and what became of it.
func charged(r page.Reader, view casework.View) []ui.Component {
	fee := view.Content.Fee
	if fee == nil || fee.Amount == 0 {
		return nil
	}
	list := ui.SummaryList{Title: r.Say("portal.fee"), Rows: []ui.SummaryRow{
		{Term: r.Say("portal.fee-amount"), Values: []string{r.Money(money.Amount(fee.Amount))}},
	}}
	row := func(term string, values ...string) {
		list.Rows = append(list.Rows, ui.SummaryRow{Term: r.Say(term), Values: values})
	}
	if !fee.Paid.IsZero() {
		row("portal.fee-paid", r.Moment(fee.Paid))
	}
	if fee.Back != "" {
		returned := r.Say("portal.fee-on-its-way")
		if !fee.Returned.IsZero() {
			returned = r.Moment(fee.Returned)
		}
		row("portal.fee-returned", returned, r.Say(whyBack[fee.Back]))
	}
	return []ui.Component{list}
}

// toPay says what has to be paid, and until when.
func toPay(r page.Reader, view casework.View) string {
	return r.Say("portal.fee-due", "amount", r.Money(money.Amount(view.Content.Fee.Amount)), "date", r.LastDay(view.Application.Expires))
}
