package desk

import (
	"context"
	"net/http"
	"strings"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

const ordersAtOnce = 100

func fundName(fund ident.Account) string { return strings.TrimPrefix(string(fund), "fund:") }

func orderPath(order ledger.Order) string {
	return page.PaymentsPath + "/" + fundName(order.Fund) + "/" + string(order.ID)
}

// payments lists the payments of the treasurer's agency that wait for a second person.
func (d *Desk) payments(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	agency := v.Actor.Appointment.Agency
	orders, err := d.ordersIn(req.Context(), agency, ledger.Verified)
	if err != nil {
		return err
	}
	atBank, err := d.ordersIn(req.Context(), agency, ledger.Prepared)
	if err != nil {
		return err
	}
	turnedDown, err := d.ordersOf(req.Context(), agency, func(tx ledger.Reader, fund ident.Account) ([]ledger.Order, error) {
		return tx.UnreplacedOrders(fund, ordersAtOnce)
	})
	if err != nil {
		return err
	}
	r := d.Shared.For(v)
	columns := []ui.Column{
		{Text: r.Say("desk.service")}, {Text: r.Say("desk.fund")}, {Text: r.Say("desk.prepared-on")}, {Text: r.Say("portal.amount"), Number: true},
	}
	table := ui.Table{Caption: r.Say("desk.prepared"), Empty: r.Say("desk.no-payments"), Columns: columns}
	for _, order := range orders {
		table.Rows = append(table.Rows, ui.TableRow{
			{Text: r.Service(ident.Service(order.Remittance)), Href: orderPath(order)}, {Text: r.Fund(fundName(order.Fund))}, {Text: r.Moment(order.Prepared)}, {Text: r.Money(order.Amount)},
		})
	}
	body := []ui.Component{table}
	if len(atBank) > 0 {
		waiting := ui.Table{Caption: r.Say("desk.at-bank"), Columns: columns}
		for _, order := range atBank {
			waiting.Rows = append(waiting.Rows, ui.TableRow{
				{Text: r.Service(ident.Service(order.Remittance))}, {Text: r.Fund(fundName(order.Fund))}, {Text: r.Moment(order.Prepared)}, {Text: r.Money(order.Amount)},
			})
		}
		body = append(body, waiting)
	}
	if len(turnedDown) > 0 {
		body = append(body, d.turnedDown(r, turnedDown))
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("desk.payments"), Caption: r.Agency(agency), Lead: r.Say("desk.payments-lead"), Wide: true, Body: body,
	})
}

// patience is after how many days without another account somebody should ask the applicant.
const patience = 10

// turnedDown lists the payments that the bank did not take, with what to do next.
func (d *Desk) turnedDown(r page.Reader, orders []ledger.Order) ui.Table {
	table := ui.Table{Caption: r.Say("desk.turned-down"), Columns: []ui.Column{
		{Text: r.Say("desk.service")},
		{Text: r.Say("desk.fund")},
		{Text: r.Say("desk.turned-down-on")},
		{Text: r.Say("portal.amount"), Number: true},
		{Text: r.Say("desk.why-rejected"), Prose: true},
		{Text: r.Say("desk.next"), Prose: true},
	}}
	for _, order := range orders {
		table.Rows = append(table.Rows, ui.TableRow{
			{Text: r.Service(ident.Service(order.Remittance)), Href: orderPath(order)},
			{Text: r.Fund(fundName(order.Fund))},
			{Text: r.Day(order.Settled)},
			{Text: r.Money(order.Amount)},
			{Text: r.PaymentReason(order.Reason)},
			{Text: d.next(r, order)},
		})
	}
	return table
}

// next says what follows for an order that the bank did not take.
func (d *Desk) next(r page.Reader, order ledger.Order) string {
	if days := int(d.Shared.Clock().Sub(order.Settled) / (24 * time.Hour)); days >= patience {
		return r.Say("desk.next-ask", "days", r.Say("duration.days", "count", days))
	}
	return r.Say("desk.next-account")
}

func (d *Desk) ordersIn(ctx context.Context, agency ident.Agency, state ledger.OrderState) ([]ledger.Order, error) {
	return d.ordersOf(ctx, agency, func(tx ledger.Reader, fund ident.Account) ([]ledger.Order, error) {
		return tx.PaymentOrders(fund, state, "", ordersAtOnce)
	})
}

// ordersOf returns orders on all funds of an agency.
func (d *Desk) ordersOf(ctx context.Context, agency ident.Agency, read func(ledger.Reader, ident.Account) ([]ledger.Order, error)) (orders []ledger.Order, err error) {
	err = d.Books.View(ctx, func(tx ledger.Reader) error {
		orders = nil
		funds, err := tx.Funds()
		if err != nil {
			return err
		}
		for _, fund := range funds {
			if fund.Agency != agency {
				continue
			}
			found, err := read(tx, fund.ID)
			if err != nil {
				return err
			}
			orders = append(orders, found...)
		}
		return nil
	})
	return orders, err
}

// order returns an order on a fund of the treasurer's agency.
func (d *Desk) order(req *http.Request, v route.Visitor) (order ledger.Order, err error) {
	fund := ident.Account("fund:" + req.PathValue("fund"))
	err = d.Books.View(req.Context(), func(tx ledger.Reader) error {
		account, err := tx.LedgerAccount(fund)
		if err == nil && account.Agency != v.Actor.Appointment.Agency {
			err = ledger.ErrUnknownOrder
		}
		if err != nil {
			return err
		}
		order, err = tx.PaymentOrder(fund, ident.Order(req.PathValue("order")))
		return err
	})
	return order, err
}

func (d *Desk) payment(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	order, err := d.order(req, v)
	if err != nil {
		return err
	}
	return d.showPayment(w, http.StatusOK, v, order, nil)
}

// whyNot are the reasons for which a payment is refused.
var whyNot = []string{"wrong-amount", "wrong-payee", "paid-already", "decision-withdrawn"}

func (d *Desk) showPayment(w http.ResponseWriter, status int, v route.Visitor, order ledger.Order, banner *ui.Banner) error {
	r := d.Shared.For(v)
	by := r.Say("desk.by-rule")
	if !order.ByRule {
		by = r.Say("desk.by-people", "count", len(order.PreparedBy))
	}
	summary := ui.SummaryList{Rows: []ui.SummaryRow{
		{Term: r.Say("portal.amount"), Values: []string{r.Money(order.Amount)}},
		{Term: r.Say("desk.service"), Values: []string{r.Service(ident.Service(order.Remittance))}},
		{Term: r.Say("desk.fund"), Values: []string{r.Fund(fundName(order.Fund))}},
		{Term: r.Say("desk.number"), Values: []string{string(order.Application)}},
		{Term: r.Say("desk.prepared-on"), Values: []string{r.Moment(order.Prepared)}},
		{Term: r.Say("desk.decided-by"), Values: []string{by}},
		{Term: r.Say("portal.state"), Values: []string{r.Say("payment." + string(order.State))}},
	}}
	if order.Reason != "" {
		summary.Rows = append(summary.Rows, ui.SummaryRow{Term: r.Say("desk.why-rejected"), Values: []string{r.PaymentReason(order.Reason)}})
	}
	body := []ui.Component{summary}
	if order.RejectedByBank() {
		body = append(body, ui.Inset{Text: d.next(r, order)})
	}
	if order.State == ledger.Verified {
		reasons := ui.Choice{Question: ui.Question{Name: "reason", Label: r.Say("desk.why-not")}}
		for _, reason := range whyNot {
			reasons.Options = append(reasons.Options, ui.Option{Value: reason, Label: r.Say("payment-reason." + reason)})
		}
		body = append(body,
			ui.Inset{Text: r.Say("desk.four-eyes")},
			ui.Form{Action: orderPath(order) + "/release", Buttons: ui.Buttons{{Text: r.Say("desk.release")}}},
			ui.Details{Summary: r.Say("desk.refuse-payment"), Body: []ui.Component{ui.Form{
				Action: orderPath(order) + "/refuse", Fields: []ui.Component{reasons}, Buttons: ui.Buttons{{Text: r.Say("desk.refuse-payment"), Warning: true}},
			}}})
	}
	return r.Render(w, status, ui.Page{
		Title: r.Say("desk.payment"), Caption: r.Agency(v.Actor.Appointment.Agency), Banner: banner, Body: body,
		Back: &ui.Link{Text: r.Say("desk.payments"), Href: page.PaymentsPath},
	})
}

func (d *Desk) release(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	order, err := d.order(req, v)
	if err != nil {
		return err
	}
	_, err = d.Orders.Release(req.Context(), v.Actor, order.Fund, order.ID)
	return d.settled(w, req, v, err)
}

func (d *Desk) refuse(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	order, err := d.order(req, v)
	if err != nil {
		return err
	}
	_, err = d.Orders.Refuse(req.Context(), v.Actor, order.Fund, order.ID, req.PostForm.Get("reason"))
	return d.settled(w, req, v, err)
}

// settled goes back to the list, or shows the payment with why nothing was done.
func (d *Desk) settled(w http.ResponseWriter, req *http.Request, v route.Visitor, err error) error {
	f := fault.Of(err)
	switch {
	case err == nil:
		return route.Redirect(w, req, page.PaymentsPath)
	case f.Kind != fault.Invalid && f.Kind != fault.Conflict:
		return err
	}
	order, err := d.order(req, v)
	if err != nil {
		return err
	}
	r := d.Shared.For(v)
	return d.showPayment(w, f.Kind.Status(), v, order, &ui.Banner{Tone: ui.Bad, Title: r.Say("desk.not-done"), Text: r.Problem(f)})
}
