package adapter

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"yagona/kernel/register"
)

// NewDouble returns a stand-in for the system behind an adapter: it answers as the adapter's test double is declared,
// slow and failing where it says so. It is for demonstrations and tests. An answer that counts for a number is given
// when the request holds that number; one without a number to everybody else; with neither, the answer is that there is
// no record.
func NewDouble(declared *register.Adapter) http.Handler {
	return &double{declared: declared, failed: map[string]int{}}
}

type double struct {
	declared *register.Adapter
	mu       sync.Mutex
	failed   map[string]int // guarded by mu; how often each answer has failed, by number
}

// ServeHTTP implements http.Handler.
func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, answerLimit))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	said, ok := d.choose(r.URL, string(body))
	if !ok {
		status := http.StatusNotFound
		if len(d.declared.None) > 0 {
			status = d.declared.None[0]
		}
		w.WriteHeader(status)
		return
	}
	select {
	case <-time.After(said.After):
	case <-r.Context().Done():
		return
	}
	if d.fails(said) {
		http.Error(w, "failing on purpose", http.StatusServiceUnavailable)
		return
	}
	status := said.Status
	if status == 0 {
		status = http.StatusOK
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if said.Answer != nil {
		_ = json.NewEncoder(w).Encode(said.Answer) // whoever asked may be gone
	}
}

func (d *double) choose(address *url.URL, body string) (register.Double, bool) {
	query, err := url.QueryUnescape(address.RawQuery)
	if err != nil {
		query = address.RawQuery
	}
	request := strings.Join([]string{address.Path, query, body}, "\n")
	var everybody register.Double
	found := false
	for _, one := range d.declared.Double {
		if one.Number != "" && strings.Contains(request, one.Number) {
			return one, true
		}
		if one.Number == "" && !found {
			everybody, found = one, true
		}
	}
	return everybody, found
}

func (d *double) fails(said register.Double) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed[said.Number] >= said.Fail {
		return false
	}
	d.failed[said.Number]++
	return true
}
