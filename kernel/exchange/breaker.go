package exchange

import (
	"sync"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/register"
)

// Limits of asking one register.
const (
	breakerFailures = 5                // failures in a row after which it is left alone
	breakerRest     = 30 * time.Second // for how long, before one question tries it again
	breakerAtOnce   = 64               // questions under way at once to a register elsewhere
)

// breaker keeps a register that fails, or that is too slow for what it is asked, from holding up everybody else.
type breaker struct {
	mu       sync.Mutex
	failures int       // guarded by mu; in a row
	until    time.Time // guarded by mu; left alone until then
	underWay int       // guarded by mu
}

// Why a register is not asked now.
var (
	errLeftAlone = fault.New(fault.Unavailable, "exchange.left-alone", "The register has failed several times and is left alone for a moment. It is asked again later.")
	errBusy      = fault.New(fault.Unavailable, "exchange.busy", "Many are asking this register at the moment. It is asked again later.")
)

// breaker returns the register's breaker.
func (x *Exchange) breaker(path ident.Register) *breaker {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.breakers == nil {
		x.breakers = map[ident.Register]*breaker{}
	}
	if x.breakers[path] == nil {
		x.breakers[path] = &breaker{}
	}
	return x.breakers[path]
}

// enter lets a question to a register that is held so pass, and returns what to call when it is answered; or errBusy
// or errLeftAlone.
func (b *breaker) enter(held register.Held, now time.Time) (finish func(time.Time, error), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.until) {
		return nil, errLeftAlone
	}
	if held != register.HeldHere && b.underWay >= breakerAtOnce {
		return nil, errBusy
	}
	if b.failures >= breakerFailures {
		b.until = now.Add(breakerRest) // this one tries; the others wait for what becomes of it
	}
	b.underWay++
	return b.finish, nil
}

func (b *breaker) finish(now time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.underWay--
	if !brokenDown(err) {
		b.failures, b.until = 0, time.Time{}
		return
	}
	b.failures++
	if b.failures >= breakerFailures {
		b.until = now.Add(breakerRest)
	}
}

// brokenDown reports whether the error says that the register does not work; a refusal is an answer.
func brokenDown(err error) bool {
	switch {
	case err == nil:
		return false
	case fault.Is(err, fault.Forbidden), fault.Is(err, fault.Erased), fault.Is(err, fault.NotFound), fault.Is(err, fault.Invalid):
		return false
	}
	return true
}
