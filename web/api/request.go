package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/rules"
)

// short cuts a name that a stranger made up.
func short(name string) string {
	if runes := []rune(name); len(runes) > 64 {
		return string(runes[:64])
	}
	return name
}

// decodeValues decodes an object of the fields' types; a null stands in the result as nil. At is where the object
// stands in the request, for the problems.
func decodeValues(at string, of rules.Type, raw json.RawMessage) (map[string]any, error) {
	if len(raw) == 0 {
		return map[string]any{}, nil
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return nil, fault.New(fault.Invalid, "http.wrong-type", "This must be an object.").At(at)
	}
	values, err := field.Decode(of, raw)
	if err != nil {
		return nil, under(at, err)
	}
	for name, one := range given {
		if string(bytes.TrimSpace(one)) == "null" {
			values[name] = nil
		}
	}
	return values, nil
}

// under returns the error with its fields named as they stand in the request: every problem of several inputs by
// itself, in the order of their names.
func under(at string, err error) error {
	problems, ok := errors.AsType[field.Problems](err)
	if !ok {
		return err
	}
	problems = slices.SortedStableFunc(slices.Values(problems), func(a, b *fault.Fault) int { return strings.Compare(a.Field, b.Field) })
	several := make([]error, len(problems))
	for i, one := range problems {
		several[i] = one.At(at + "." + one.Field)
	}
	return errors.Join(several...)
}

// etag returns the entity tag of a revision.
func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// expected returns the revision that the sender saw. Another tag than one of ours is -1, which is no revision.
func expected(r *http.Request) (int64, error) {
	header := strings.TrimSpace(r.Header.Get("If-Match"))
	if header == "" {
		return 0, fault.New(fault.Invalid, "http.precondition-required",
			"Say which version you change: send its ETag in If-Match.")
	}
	revision, err := strconv.ParseInt(strings.Trim(header, `"`), 10, 64)
	if err != nil || revision < 0 || etag(revision) != header {
		return -1, nil //nolint:nilerr // such a tag is never the current one: the sender hears that it is outdated
	}
	return revision, nil
}

// preconditioned gives the conflict with another's change its HTTP name.
func preconditioned(err error) error {
	switch fault.Code(err) {
	case "application.changed", "register.changed", "correction.changed":
		return fault.New(fault.Conflict, "http.precondition-failed",
			"This has changed since you read it. Read it again, then repeat your change.").Because(err)
	}
	return err
}

// limit returns how many entries are wanted.
func limit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return 50, nil
	}
	wanted, err := strconv.Atoi(text)
	if err != nil || wanted < 1 || wanted > 100 {
		return 0, fault.New(fault.Invalid, "page.limit", "A page has 1 to 100 entries. Correct limit.").At("limit")
	}
	return wanted, nil
}

// cursor returns a place in a list as programs hand it back, opaque to them.
func cursor(parts ...any) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = fmt.Sprint(part)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(texts, " ")))
}

// after returns the parts of the cursor in the request, nil if it has none.
func after(r *http.Request, parts int) ([]string, error) {
	text := r.URL.Query().Get("after")
	if text == "" {
		return nil, nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	found := strings.Split(string(decoded), " ")
	if err != nil || len(found) != parts {
		return nil, errCursor
	}
	return found, nil
}

// afterID returns the identifier that is the cursor in the request, "" if it has none.
func afterID[T ~string](r *http.Request) (id T, err error) {
	place, err := after(r, 1)
	if err != nil || place == nil {
		return "", err
	}
	if id, err = ident.Parse[T](place[0]); err != nil {
		return "", errCursor
	}
	return id, nil
}

// afterDue returns the due time and the identifier that are the cursor in the request, zero if it has none.
func afterDue[T ~string](r *http.Request) (due time.Time, id T, err error) {
	place, err := after(r, 2)
	if err != nil || place == nil {
		return time.Time{}, "", err
	}
	micros, err := strconv.ParseInt(place[0], 10, 64)
	if err != nil {
		return time.Time{}, "", errCursor
	}
	if id, err = ident.Parse[T](place[1]); err != nil {
		return time.Time{}, "", errCursor
	}
	return time.UnixMicro(micros).UTC(), id, nil
}

var errCursor = fault.New(fault.Invalid, "page.cursor", "This is no cursor of ours. Begin again without after.").At("after")

// Page is one page of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"the cursor of the next page; absent: this is the last one"`
}

// pageOf returns the page of at most limit items, which were read with one more than that.
func pageOf[T any](items []T, limit int, place func(T) string) Page[T] {
	page := Page[T]{Items: items}
	if len(items) > limit {
		page.Items = items[:limit]
		page.Next = place(items[limit-1])
	}
	if page.Items == nil {
		page.Items = []T{}
	}
	return page
}
