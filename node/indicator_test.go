package node_test

import (
	"encoding/csv"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/register"
	"yagona/node"
	"yagona/node/nodetest"
	"yagona/store/query"
)

// In an installation that is seeded, started and stopped, every figure is what counting anew gives, and the place's page
// and file tell it.
func TestTheIndicatorsOfADemonstration(t *testing.T) {
	n := openSmall(t, nodetest.Populated(t, 300, time.Now))
	defer n.Close()
	if err := n.Indicators.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(n.Sequencer.Advance(t.Context()), n.Indicators.Follow(t.Context()), n.Jobs.Drain(t.Context())); err != nil {
		t.Fatal(err)
	}
	all := n.Catalogue().Indicators.All()
	if len(all) < 8 {
		t.Errorf("only %d indicators are shipped", len(all))
	}
	residents := roundedResidents(t, n)
	country := n.Profile.Territories.Root()
	told := 0
	for _, d := range all {
		differences, err := n.Indicators.Verify(t.Context(), d)
		if err != nil || len(differences) > 0 {
			t.Errorf("%s: %v, counting anew differs: %v", d.Path, err, differences)
		}
		shown, err := n.Indicators.Show(t.Context(), d, n.Indicators.Month(), 1, country)
		if err != nil || shown.Counting {
			t.Errorf("%s is not counted: %v", d.Path, err)
		}
		if shown.Now(0).Told {
			told++
		}
		if d.Path == "mahalla/residents" && strconv.FormatInt(shown.Now(0).Numerator, 10) != residents {
			t.Errorf("%s people have a residence, it says %+v", residents, shown.Now(0))
		}
	}
	if told < 3 {
		t.Errorf("only %d indicators of the country are told", told)
	}
	ask := func(path string) *httptest.ResponseRecorder {
		recorder := httptest.NewRecorder()
		n.Handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return recorder
	}
	file, err := csv.NewReader(ask("/places/" + string(country) + "/indicators.csv").Body).ReadAll()
	if err != nil || !slices.ContainsFunc(file, func(row []string) bool { return row[1] == "mahalla/residents" && row[6] == residents }) {
		t.Errorf("the file does not tell of %s residents: %v", residents, err)
	}
	if page := ask("/places"); page.Code != http.StatusOK || !strings.Contains(page.Body.String(), residents) {
		t.Errorf("the page does not tell of %s residents: %d", residents, page.Code)
	}
	for _, path := range []string{"/places/nowhere", "/places/nowhere/indicators.csv", "/places/17/mahalla/nothing"} {
		if page := ask(path); page.Code != http.StatusNotFound {
			t.Errorf("%s is answered with %d", path, page.Code)
		}
	}
}

// roundedResidents returns how many people have a residence, counted from the stored records and rounded to fives.
func roundedResidents(t *testing.T, n *node.Node) string {
	t.Helper()
	people := map[act.Key]bool{}
	err := n.DB.View(t.Context(), func(tx *query.Tx) error {
		var last register.StoredVersion
		for {
			page, err := tx.StoredVersions("interior/residences", last, 500)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, one := range page {
				people[one.Key] = true
			}
			last = page[len(page)-1]
		}
	})
	if err != nil || len(people) < 100 || len(people) > 994 {
		t.Fatalf("%d people have a residence: %v", len(people), err) // a thousand is written with a space
	}
	return strconv.Itoa((len(people) + 2) / 5 * 5)
}
