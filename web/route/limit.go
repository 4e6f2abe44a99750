package route

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"yagona/kernel/fault"
)

// limiter counts by session, person or address in windows of fixed length. It forgets a window that is over, and holds
// at most maxWindows: a flood from many addresses costs precision, not memory.
//
// Where there are several processes each tells the others whenever a key has spent another tenth of its limit here, so that
// all of them together let through little more than one alone would.
type limiter struct {
	most    int
	length  time.Duration
	observe func(key string, more int) // told of a key that has spent another tenth, and how much that is; may be nil

	mu      sync.Mutex // guards windows and swept
	windows map[string]window
	swept   time.Time
}

type window struct {
	began time.Time
	count int
	told  int // how much of the count the others know
}

const maxWindows = 1 << 16

func newLimiter(most int, length time.Duration) *limiter {
	return &limiter{most: most, length: length, windows: map[string]window{}}
}

// count adds one and reports whether the key is still within its limit.
func (l *limiter) count(key string, now time.Time) bool {
	within, untold := l.add(key, now)
	if untold > 0 && l.observe != nil {
		l.observe(key, untold)
	}
	return within
}

// hear adds what another process counted.
func (l *limiter) hear(key string, more int, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	current := l.current(key, now)
	current.count += more
	current.told += more
	l.windows[key] = current
}

// add counts, and returns how much the others are to be told.
func (l *limiter) add(key string, now time.Time) (within bool, untold int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	current := l.current(key, now)
	current.count++
	if untold = current.count - current.told; untold*10 < l.most || current.told > l.most {
		untold = 0 // too little to speak of, or they know enough
	}
	current.told += untold
	l.windows[key] = current
	return current.count <= l.most, untold
}

// exceeded reports whether the key has collected more than it may.
func (l *limiter) exceeded(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current(key, now).count > l.most
}

func (l *limiter) current(key string, now time.Time) window {
	if known, ok := l.windows[key]; ok && l.runs(known, now) {
		return known
	}
	return window{began: now}
}

// runs reports whether the window is of now; after the clock has jumped back it is not.
func (l *limiter) runs(w window, now time.Time) bool {
	return !now.Before(w.began) && now.Sub(w.began) < l.length
}

func (l *limiter) sweep(now time.Time) {
	if len(l.windows) < maxWindows && now.Sub(l.swept) < l.length && !now.Before(l.swept) {
		return
	}
	l.swept = now
	for key, one := range l.windows {
		if !l.runs(one, now) || len(l.windows) >= maxWindows {
			delete(l.windows, key)
		}
	}
}

// left returns for how long the key's window still runs.
func (l *limiter) left(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current(key, now).began.Add(l.length).Sub(now)
}

// Limits are how many costly requests one visitor may make in a minute. A request is costly that changes something, or
// whose route says so (Route.Costly). Zero values are the defaults.
type Limits struct {
	Person  int // who is signed in, with a browser; 0 means 120
	Program int // who is signed in, with a program; 0 means 3000
	Address int // who is not signed in, by address: many people can share one; 0 means 300
}

// Siblings are the other processes of the installation, which count the same visitors.
type Siblings struct {
	// Key is known to all of them and to nobody else: they name visitors by a hash under it.
	Key []byte
	// Tell says a word without spaces to all others, soon, or never if that cannot be. It must not block.
	Tell func(word string)
}

// share has the other processes told of what is counted here, and hears what they count.
func (router *Router) share(with Siblings) {
	router.shared = map[string]*limiter{
		"refused": router.refusals, "told": router.told,
		"person": router.costs.person, "program": router.costs.program, "address": router.costs.address,
	}
	for name, one := range router.shared {
		one.observe = func(key string, more int) { with.Tell(name + ":" + key + ":" + strconv.Itoa(more)) }
	}
}

// Hear counts what another process has told (Siblings.Tell). What it does not understand it leaves.
func (router *Router) Hear(word string) {
	name, rest, _ := strings.Cut(word, ":")
	key, count, _ := strings.Cut(rest, ":")
	more, err := strconv.Atoi(count)
	if one := router.shared[name]; one != nil && err == nil && more > 0 && more <= one.most {
		one.hear(key, more, router.config.Now())
	}
}

// pseudonym names a visitor by a keyed hash, where other processes are told of them.
func (router *Router) pseudonym(visitor string) string {
	if router.config.Siblings.Tell == nil {
		return visitor
	}
	hash := hmac.New(sha256.New, router.config.Siblings.Key)
	hash.Write([]byte("visitor " + visitor))
	return hex.EncodeToString(hash.Sum(nil)[:12])
}

// costs counts costly requests.
type costs struct{ person, program, address *limiter }

func newCosts(limits Limits) costs {
	most := func(said, otherwise int) *limiter {
		if said == 0 {
			said = otherwise
		}
		return newLimiter(said, time.Minute)
	}
	return costs{most(limits.Person, 120), most(limits.Program, 3000), most(limits.Address, 300)}
}

// spend counts a costly request, or refuses it and says in wait after how long the visitor may try again. A person's
// sessions count together. Nobody comes from this machine but the operator and proxies that are not declared: neither is
// limited, since all visitors would share the limit.
func (e *endpoint) spend(r *http.Request, c *call) error {
	if e.route.Method == http.MethodGet && !e.route.Costly {
		return nil
	}
	counted := e.router.costs.address
	var key string
	switch {
	case c.visitor.SignedIn() && e.route.Face == Program:
		counted, key = e.router.costs.program, string(c.visitor.Session.Person)
	case c.visitor.SignedIn():
		counted, key = e.router.costs.person, string(c.visitor.Session.Person)
	default:
		address := e.router.address(r)
		if address.IsLoopback() {
			return nil
		}
		key = household(address)
	}
	key = e.router.pseudonym(key)
	if counted.count(key, c.began) {
		return nil
	}
	c.wait = counted.left(key, c.began)
	return fault.New(fault.TooMany, "http.too-often", "This was asked for too often. Wait a minute, go back and try again.")
}

// forwarded is the header in which proxies name whom they speak for.
const forwarded = "X-Forwarded-For"

// address returns from where a request comes: the address of the connection, unless that is a declared proxy's. Then it is
// the last one that the proxies name and that is no proxy itself: what stands before it, anybody can write.
func (router *Router) address(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address := from.Addr().Unmap()
	if !router.isProxy(address) {
		if r.Header.Get(forwarded) != "" {
			router.undeclared.Do(func() {
				router.config.Log.Warn("somebody speaks for others (X-Forwarded-For) and is no declared proxy: if it is a proxy of this installation, declare it, or all its visitors count as one")
			})
		}
		return address
	}
	named := strings.Split(strings.Join(r.Header.Values(forwarded), ","), ",")
	for i := len(named) - 1; i >= 0; i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(named[i]))
		if err != nil {
			return address
		}
		if address = before.Unmap(); !router.isProxy(address) {
			return address
		}
	}
	return address
}

func (router *Router) isProxy(address netip.Addr) bool {
	return slices.ContainsFunc(router.config.Proxies, func(network netip.Prefix) bool { return network.Contains(address) })
}

// household returns what is counted together of an address: of IPv6 a /64, which is what one household gets.
func household(address netip.Addr) string {
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}

// limitKey is whose refusals are counted together: a session's, or without one those of an address.
func (router *Router) limitKey(r *http.Request, v Visitor) string {
	if v.SignedIn() {
		return router.pseudonym(string(v.Session.ID))
	}
	return router.pseudonym(household(router.address(r)))
}

func tooMany() *fault.Fault {
	return fault.New(fault.TooMany, "http.too-many", "Too many requests were refused. Wait a minute, then try again.")
}
