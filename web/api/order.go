package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/kernel/money"
	"yagona/web/route"
)

// Order is a payment order as a treasurer sees it. It names no payee: the bank gets that sealed.
type Order struct {
	ID          ident.Order       `json:"id"`
	Fund        ident.Account     `json:"fund"`
	Application ident.Application `json:"application,omitempty"`
	Amount      money.Amount      `json:"amount"`
	Currency    string            `json:"currency"`
	Remittance  string            `json:"remittance"`
	State       ledger.OrderState `json:"state"`
	Reason      string            `json:"reason,omitempty"`
	ByRule      bool              `json:"byRule" doc:"granted by rule alone: nobody decided"`
	Prepared    time.Time         `json:"prepared"`
	Released    time.Time         `json:"released,omitzero"`
	Sent        time.Time         `json:"sent,omitzero"`
	Settled     time.Time         `json:"settled,omitzero"`
	Event       ident.Event       `json:"event"`
}

// OrderRefusal says why an order is not paid.
type OrderRefusal struct {
	Reason string `json:"reason" doc:"a name, never about a person: wrong-amount"`
}

func orderShown(o ledger.Order) Order {
	return Order{
		o.ID, o.Fund, o.Application, o.Amount, o.Currency, o.Remittance, o.State, o.Reason, o.ByRule, o.Prepared, o.Released, o.Sent, o.Settled, o.Event,
	}
}

// Fund is a fund of the treasurer's agency with what its book says.
type Fund struct {
	ID        ident.Account `json:"id"`
	Currency  string        `json:"currency"`
	Posted    money.Amount  `json:"posted" doc:"what came in less what went out"`
	Available money.Amount  `json:"available" doc:"what may still be paid: posted less what orders have reserved"`
}

// Appropriation is money that the budget has put at the disposal of a fund.
type Appropriation struct {
	ID     ident.Transfer `json:"id" doc:"made by whoever asks, a UUIDv7: sent twice with the same content it is booked once"`
	Amount money.Amount   `json:"amount" doc:"above zero"`
}

// Booked is an appropriation in the fund's book.
type Booked struct {
	Appropriation
	Fund   ident.Account        `json:"fund"`
	State  ledger.TransferState `json:"state"`
	Booked time.Time            `json:"booked"`
	Event  ident.Event          `json:"event"`
}

func fundOperations(book *ledger.Ledger) []operation {
	return []operation{
		{
			id: "listFunds", tag: "funds", summary: "Lists the funds of one's agency and what their books say.",
			method: "GET", path: "/funds", access: route.Role(access.Treasurer), response: Page[Fund]{},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				page := Page[Fund]{Items: []Fund{}}
				err := book.Store.View(r.Context(), func(tx ledger.Reader) error {
					page.Items = page.Items[:0]
					own, err := funds(tx, v.Actor.Appointment.Agency)
					for _, one := range own {
						page.Items = append(page.Items, Fund{one.ID, one.Currency, one.Balance.Posted, one.Balance.Available()})
					}
					return err
				})
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, page)
			},
		},
		{
			id: "appropriate", tag: "funds", summary: "Books an appropriation: money that the budget has put at the disposal of a fund of one's agency.",
			method: "POST", path: "/funds/{fund}/appropriations", access: route.Role(access.Treasurer), body: smallBody,
			request: Appropriation{}, response: Booked{},
			codes: []string{"ledger.account-unknown", "ledger.amount", "ledger.transfer-differs", "access.forbidden", "ident.malformed"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				var sent Appropriation
				if err := route.ReadJSON(r, &sent); err != nil {
					return err
				}
				done, err := book.Appropriate(r.Context(), v.Actor, fundAccount(strings.TrimPrefix(r.PathValue("fund"), "fund:")), sent.ID, sent.Amount)
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, Booked{sent, done.Credit, done.State, done.Made, done.Event})
			},
		},
	}
}

var orderStates = []ledger.OrderState{ledger.Prepared, ledger.Verified, ledger.Released, ledger.Sent, ledger.Confirmed, ledger.Rejected}

func orderOperations(book *ledger.Ledger) []operation {
	codes := []string{"order.unknown", "order.moved"}
	return []operation{
		{
			id: "listOrders", tag: "orders", summary: "Lists the payment orders on the funds of one's agency that are in a state, the oldest first.",
			method: "GET", path: "/orders", access: route.Role(access.Treasurer),
			query:    []parameter{{"state", "The orders' state: prepared (the bank is asked whose account it is), verified (the default: to be released), released, sent, confirmed or rejected.", "string"}, limitParameter, afterParameter},
			response: Page[Order]{}, codes: []string{"page.limit", "page.cursor", "order.state"}, handle: listOrders(book),
		},
		{
			id: "releaseOrder", tag: "orders", summary: "Releases a payment order, once the bank has confirmed that the account is the payee's. Whoever prepared or decided it cannot; nor can its payee.",
			method: "POST", path: "/orders/{order}/release", access: route.Role(access.Treasurer), response: Order{},
			codes: append([]string{"order.four-eyes", "order.own", "order.not-verified"}, codes...),
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				fund, id, err := orderOf(r, book, v)
				if err != nil {
					return err
				}
				released, err := book.Release(r.Context(), v.Actor, fund, id)
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, orderShown(released))
			},
		},
		{
			id: "refuseOrder", tag: "orders", summary: "Ends a payment order unpaid that is prepared or verified.",
			method: "POST", path: "/orders/{order}/refuse", access: route.Role(access.Treasurer), body: smallBody, request: OrderRefusal{},
			response: Order{}, codes: append([]string{"order.reason"}, codes...),
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				var sent OrderRefusal
				if err := route.ReadJSON(r, &sent); err != nil {
					return err
				}
				fund, id, err := orderOf(r, book, v)
				if err != nil {
					return err
				}
				refused, err := book.Refuse(r.Context(), v.Actor, fund, id, sent.Reason)
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, orderShown(refused))
			},
		},
	}
}

// funds returns the accounts of the agency's funds.
func funds(tx ledger.Reader, agency ident.Agency) (own []ledger.Account, err error) {
	all, err := tx.Funds()
	for _, one := range all {
		if one.Agency == agency {
			own = append(own, one)
		}
	}
	return own, err
}

// orderOf finds the fund of the order in the path among those of the treasurer's agency; in any other there is none.
func orderOf(r *http.Request, book *ledger.Ledger, v route.Visitor) (fund ident.Account, id ident.Order, err error) {
	id = ident.Order(r.PathValue("order"))
	err = book.Store.View(r.Context(), func(tx ledger.Reader) error {
		own, err := funds(tx, v.Actor.Appointment.Agency)
		if err != nil {
			return err
		}
		for _, one := range own {
			if _, err := tx.PaymentOrder(one.ID, id); err == nil {
				fund = one.ID
				return nil
			} else if !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		return ledger.ErrUnknownOrder
	})
	return fund, id, err
}

func listOrders(book *ledger.Ledger) route.Handler {
	return func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
		wanted, err := limit(r)
		if err != nil {
			return err
		}
		state := ledger.Verified
		if text := r.URL.Query().Get("state"); text != "" {
			state = ledger.OrderState(text)
		}
		known := false
		for _, one := range orderStates {
			known = known || one == state
		}
		if !known {
			return fault.New(fault.Invalid, "order.state", "An order is in no such state. Choose one of the documented ones.").At("state")
		}
		place, err := after(r, 2)
		if err != nil {
			return err
		}
		found, err := ordersIn(r.Context(), book, v.Actor.Appointment.Agency, state, place, wanted+1)
		if err != nil {
			return err
		}
		return route.WriteJSON(w, http.StatusOK, pageOf(found, wanted, func(last Order) string { return cursor(last.Fund, last.ID) }))
	}
}

// ordersIn returns orders on the agency's funds, fund by fund, after a place: a fund and an order.
func ordersIn(ctx context.Context, book *ledger.Ledger, agency ident.Agency, state ledger.OrderState, place []string, wanted int) (found []Order, err error) {
	err = book.Store.View(ctx, func(tx ledger.Reader) error {
		found = nil
		own, err := funds(tx, agency)
		if err != nil {
			return err
		}
		for _, fund := range own {
			var from ident.Order
			if place != nil {
				if string(fund.ID) < place[0] {
					continue
				}
				if string(fund.ID) == place[0] {
					from = ident.Order(place[1])
				}
			}
			orders, err := tx.PaymentOrders(fund.ID, state, from, wanted-len(found))
			if err != nil {
				return err
			}
			for _, one := range orders {
				found = append(found, orderShown(one))
			}
			if len(found) >= wanted {
				break
			}
		}
		return nil
	})
	return found, err
}
