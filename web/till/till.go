// Package till owns the demonstration's payment system: a page on which whoever comes pays a fee with one press, with no
// money and no card. It plays the system that an installation is connected to, as package provider plays the sign-in.
//
// It hands ledger.Collector to the node, and its page to the router. It keeps everything in memory: what was paid before a
// restart was booked long before, and what it does not know it gives back without a word.
//
// Invariants: it runs in demonstration mode only; a fee is paid once and given back once; it knows no payer.
package till

import (
	"context"
	"net/http"
	"net/url"
	"sync"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/kernel/money"
	"yagona/web/route"
	"yagona/web/ui"
)

// Path is where its pages are.
const Path = "/demo-payment"

// Config is what a Till stands on. All of it is required.
type Config struct {
	Site  *url.URL
	House *ui.House
	Money func(language string, amount money.Amount) string
	// Tell says that something about a fee has changed; nobody has to believe it.
	Tell func(ctx context.Context, fee ident.Application) error
}

// Till plays a payment system. It is safe for concurrent use.
type Till struct {
	config Config

	mu   sync.Mutex                     // guards fees
	fees map[ident.Application]standing // guarded by mu
}

type standing struct {
	fee            ledger.FeeRequest
	paid, returned bool
}

// most is how many fees it remembers: a demonstration has fewer.
const most = 10000

// New returns a payment system that knows no fee yet.
func New(config Config) *Till {
	return &Till{config: config, fees: map[ident.Application]standing{}}
}

// Ask implements ledger.Collector.
func (t *Till) Ask(_ context.Context, fee ledger.FeeRequest) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.fees) >= most {
		clear(t.fees)
	}
	if _, known := t.fees[fee.Application]; !known {
		t.fees[fee.Application] = standing{fee: fee}
	}
	return t.config.Site.JoinPath(Path, string(fee.Application)).String(), nil
}

// Paid implements ledger.Collector.
func (t *Till) Paid(_ context.Context, fee ledger.FeeRequest) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.fees[fee.Application]
	return known.paid && known.fee.Amount == fee.Amount, nil
}

// Return implements ledger.Collector.
func (t *Till) Return(_ context.Context, fee ledger.FeeRequest) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.fees[fee.Application]
	known.fee, known.paid, known.returned = fee, false, true
	t.fees[fee.Application] = known
	return nil
}

// Routes returns its page.
func (t *Till) Routes() []route.Route {
	const pattern = Path + "/{fee}"
	return []route.Route{
		{Method: "GET", Pattern: pattern, Access: route.Public(), Handle: t.show},
		{Method: "POST", Pattern: pattern, Access: route.Public(), Body: 4 << 10, Handle: route.Form(t.pay)},
	}
}

// find returns the fee that the address names.
func (t *Till) find(r *http.Request) (standing, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.fees[ident.Application(r.PathValue("fee"))]
	if !ok {
		return standing{}, fault.New(fault.NotFound, "fee.unknown", "The payment system knows no such fee. Go back to your application and begin again.")
	}
	return known, nil
}

func (t *Till) show(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	known, err := t.find(r)
	if err != nil {
		return err
	}
	say := func(key string) string { return t.config.House.Text(v.Language, "demonstration."+key, nil) }
	frame := ui.FrameOf(v)
	frame.Bare = true
	body := []ui.Component{ui.SummaryList{Rows: []ui.SummaryRow{{Term: say("pay-amount"), Values: []string{t.config.Money(v.Language, known.fee.Amount)}}}}}
	if known.paid || known.returned {
		body = append(body, ui.Buttons{{Text: say("pay-back"), Href: known.fee.Back}})
	} else {
		body = append(body, ui.Form{
			Action:  Path + "/" + string(known.fee.Application),
			Buttons: ui.Buttons{{Text: say("pay-now")}, {Text: say("pay-back"), Href: known.fee.Back, Quiet: true}},
		})
	}
	return t.config.House.Render(w, http.StatusOK, frame, ui.Page{
		Title: say("pay-title"), Lead: say("pay-lead"), Banner: &ui.Banner{Tone: ui.Wait, Title: say("warning"), Text: say("pay-advice")}, Body: body,
	})
}

func (t *Till) pay(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
	known, err := t.find(r)
	if err != nil {
		return err
	}
	t.mu.Lock()
	if now, ok := t.fees[known.fee.Application]; ok && !now.returned {
		now.paid = true
		t.fees[known.fee.Application] = now
	}
	t.mu.Unlock()
	if err := t.config.Tell(r.Context(), known.fee.Application); err != nil {
		return err
	}
	return route.Redirect(w, r, known.fee.Back)
}
