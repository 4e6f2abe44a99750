package sqlite_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/ident"
	"yagona/store/sqlite"
)

type flagged bool

// What the store's rows are made of comes back from SQLite as it was given.
func TestValuesComeBackAsTheyWereGiven(t *testing.T) {
	db, err := sqlite.Temporary(t.Context(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	application := ident.Application("a1")
	type row struct {
		Text    string
		Subject ident.Subject
		Number  int
		Small   int8
		Large   uint64
		Half    float64
		Flag    bool
		Named   flagged
		Blob    []byte
		JSON    json.RawMessage
		Given   *ident.Application
		Missing *ident.Application
		Nothing []byte
		Any     any
	}
	given := row{"Oʻtkir", "person:1", -7, 7, 1 << 40, 0.5, true, true, []byte{0, 1}, json.RawMessage(`{}`), &application, nil, nil, int64(9)}
	var found row
	err = db.Select(t.Context(), []any{
		given.Text, given.Subject, given.Number, given.Small, given.Large, given.Half, given.Flag, given.Named, given.Blob, given.JSON,
		given.Given, given.Missing, nil, given.Any,
	}, &found.Text, &found.Subject, &found.Number, &found.Small, &found.Large, &found.Half, &found.Flag, &found.Named, &found.Blob, &found.JSON,
		&found.Given, &found.Missing, &found.Nothing, &found.Any)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(given, found); diff != "" {
		t.Error(diff)
	}
	var text string
	var number int8
	for name, into := range map[string]any{"nothing": &text, "a secret": &number, "300": &number} {
		value := map[string]any{"nothing": nil, "a secret": "a secret", "300": 300}[name]
		if err := db.Select(t.Context(), []any{value}, into); err == nil || strings.Contains(err.Error(), name) {
			t.Errorf("%s became %v, %v", name, into, err)
		}
	}
	if err := db.Select(t.Context(), []any{struct{}{}}, &text); err == nil {
		t.Error("a struct is stored")
	}
	if err := db.Select(t.Context(), []any{"one"}, &text, &text); err == nil {
		t.Error("one column fills two variables")
	}
}
