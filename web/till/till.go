// Package till owns the demonstration's payment system: a page on which whoever comes pays a fee with one press, with no
// money and no card. It plays the system that an installation is connected to, as package provider plays the sign-in.
//
// It hands ledger.Collector to the node, and its page to the router. What it knows lies in a file, as with the simulated
// bank, written before anything is answered: a payment outlives the process, and the installation when that is restored.
//
// Invariants: it runs in demonstration mode only; a fee is paid once and given back once; what was paid is never forgotten;
// it knows no payer.
package till

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"yagona/kernel/act"
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
	Clock act.Clock
	// Tell says that something about a fee has changed; nobody has to believe it.
	Tell func(ctx context.Context, fee ident.Application) error
	// Path is the file in which it keeps what it knows; Write writes a file whole and durably, or not at all.
	Path  string
	Write func(path string, content []byte) error
}

// Till plays a payment system. It is safe for concurrent use.
type Till struct {
	// Fault is called by each call of the installation; an error of it is what that gets. Set it before the first. Nil never
	// fails.
	Fault func(context.Context) error

	config Config

	mu   sync.Mutex                     // guards fees and the file
	fees map[ident.Application]standing // guarded by mu
}

type standing struct {
	Fee       ledger.FeeRequest `json:"fee"`
	Paid      time.Time         `json:"paid,omitzero"`
	Returned  time.Time         `json:"returned,omitzero"`
	Cancelled bool              `json:"cancelled,omitempty"`
}

// payable reports whether whoever comes can pay it.
func (s standing) payable() bool { return s.Paid.IsZero() && !s.Cancelled }

// held reports whether the till has the payer's money, as far as it knows.
func (s standing) held() bool { return !s.Paid.IsZero() && s.Returned.IsZero() }

// most is how many fees it remembers that nobody has paid: a demonstration has fewer.
const most = 10000

// Open returns a payment system that knows what stands in its file, and no fee if there is none.
func Open(config Config) (*Till, error) {
	t := &Till{config: config, fees: map[ident.Application]standing{}}
	content, err := os.ReadFile(config.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t, nil
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(content, &t.fees); err != nil {
		return nil, fmt.Errorf("%s is no file of the simulated payment system: put the file back from its backup: %w", config.Path, err)
	}
	return t, nil
}

// change lets a function change what is known of a fee, and keeps it durably before it returns. What could not be kept did
// not happen.
func (t *Till) change(id ident.Application, to func(known standing, ok bool) standing) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, ok := t.fees[id]
	after := to(before, ok)
	if after == before {
		return nil
	}
	if len(t.fees) >= most {
		maps.DeleteFunc(t.fees, func(_ ident.Application, one standing) bool { return one.Paid.IsZero() })
	}
	t.fees[id] = after
	content, err := json.Marshal(t.fees)
	if err == nil {
		err = t.config.Write(t.config.Path, content)
	}
	if err == nil {
		return nil
	}
	if t.fees[id] = before; !ok {
		delete(t.fees, id)
	}
	return err
}

// called is what each call of the installation begins with.
func (t *Till) called(ctx context.Context) error {
	if t.Fault != nil {
		return t.Fault(ctx)
	}
	return ctx.Err()
}

// Ask implements ledger.Collector.
func (t *Till) Ask(ctx context.Context, fee ledger.FeeRequest) (string, error) {
	if err := t.called(ctx); err != nil {
		return "", err
	}
	err := t.change(fee.Application, func(known standing, _ bool) standing {
		if known.held() {
			return known
		}
		return standing{Fee: fee}
	})
	return t.config.Site.JoinPath(Path, string(fee.Application)).String(), err
}

// Paid implements ledger.Collector.
func (t *Till) Paid(ctx context.Context, fee ledger.FeeRequest) (bool, error) {
	if err := t.called(ctx); err != nil {
		return false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.fees[fee.Application]
	return known.held() && known.Fee.Amount == fee.Amount, nil
}

// Return implements ledger.Collector.
func (t *Till) Return(ctx context.Context, fee ledger.FeeRequest) error {
	if err := t.called(ctx); err != nil {
		return err
	}
	return t.change(fee.Application, func(known standing, _ bool) standing {
		if known.held() {
			known.Returned = t.config.Clock().UTC()
		}
		return known
	})
}

// Cancel implements ledger.Collector.
func (t *Till) Cancel(ctx context.Context, fee ledger.FeeRequest) error {
	if err := t.called(ctx); err != nil {
		return err
	}
	return t.change(fee.Application, func(known standing, ok bool) standing {
		known.Cancelled = ok && known.Paid.IsZero()
		return known
	})
}

// Collected implements ledger.Collector.
func (t *Till) Collected(ctx context.Context, since time.Time) ([]ledger.CollectedFee, error) {
	if err := t.called(ctx); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var collected []ledger.CollectedFee
	for _, id := range slices.Sorted(maps.Keys(t.fees)) {
		one := t.fees[id]
		if !one.Paid.IsZero() && (!one.Paid.Before(since) || !one.Returned.Before(since)) {
			collected = append(collected, ledger.CollectedFee{FeeRequest: one.Fee, Paid: one.Paid, Returned: one.Returned})
		}
	}
	return collected, nil
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
	body := []ui.Component{ui.SummaryList{Rows: []ui.SummaryRow{{Term: say("pay-amount"), Values: []string{t.config.Money(v.Language, known.Fee.Amount)}}}}}
	if !known.payable() {
		if known.Cancelled {
			body = append(body, ui.Paragraph{Text: say("pay-cancelled")})
		}
		body = append(body, ui.Buttons{{Text: say("pay-back"), Href: known.Fee.Back}})
	} else {
		body = append(body, ui.Form{
			Action:  Path + "/" + string(known.Fee.Application),
			Buttons: ui.Buttons{{Text: say("pay-now")}, {Text: say("pay-back"), Href: known.Fee.Back, Quiet: true}},
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
	err = t.change(known.Fee.Application, func(now standing, _ bool) standing {
		if now.payable() {
			now.Paid = t.config.Clock().UTC()
		}
		return now
	})
	if err != nil {
		return err
	}
	if err := t.config.Tell(r.Context(), known.Fee.Application); err != nil {
		return err
	}
	return route.Redirect(w, r, known.Fee.Back)
}
