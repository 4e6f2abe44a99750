package route

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"yagona/kernel/fault"
)

// limiter counts refusals by session or address in windows of fixed length. It forgets a window that is over, and holds
// at most maxWindows: a flood from many addresses costs precision, not memory.
type limiter struct {
	most   int
	length time.Duration

	mu      sync.Mutex // guards windows and swept
	windows map[string]window
	swept   time.Time
}

type window struct {
	began time.Time
	count int
}

const maxWindows = 1 << 16

func newLimiter(most int, length time.Duration) *limiter {
	return &limiter{most: most, length: length, windows: map[string]window{}}
}

// count adds one and reports whether the key is still within its limit.
func (l *limiter) count(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	current := l.current(key, now)
	current.count++
	l.windows[key] = current
	return current.count <= l.most
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

// limitKey is whose refusals are counted together: a session's, or without one those of an address; of IPv6 those of a
// /64, which is what one household gets.
func (v Visitor) limitKey(r *http.Request) string {
	if v.SignedIn() {
		return string(v.Session.ID)
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "unknown"
	}
	address := from.Addr().Unmap()
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}

func tooMany() *fault.Fault {
	return fault.New(fault.TooMany, "http.too-many", "Too many requests were refused. Wait a minute, then try again.")
}
