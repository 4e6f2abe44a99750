package browser

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/chromedp/chromedp"

	"yagona/kernel/access"
	"yagona/kernel/country"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/locale"
	"yagona/node"
	"yagona/packs/uz"
)

// figures lets everybody who has an account apply for the subsidy, some of them several times: most are refused at once.
func (s *told) figures(t *testing.T) {
	t.Helper()
	for i, one := range s.people.People {
		for range 1 + i%4 {
			if one.Account == "" {
				break
			}
			answers := map[string]any{"trade": "sewing", "price": money.Amount(150_000_000), "account": one.Account}
			if _, err := s.Casework.Apply(t.Context(), access.Actor{Person: one.ID}, "", "youth/tools-subsidy", "uz-Latn", answers); err != nil && !fault.Is(err, fault.Conflict) {
				t.Fatal(err)
			}
		}
	}
}

// invented makes outlines for the regions and their districts: rings around the places of their tiles. No such borders exist.
func invented(t *testing.T) []byte {
	t.Helper()
	profile, err := country.Load(uz.Files)
	if err != nil {
		t.Fatal(err)
	}
	tree := profile.Territories
	var features []any
	add := func(code ident.Territory, x, y, size float64) {
		const corners = 120
		ring := make([][2]float64, corners+1)
		for i := range corners {
			angle := 2 * math.Pi * float64(i) / corners
			far := size / 2 / max(math.Abs(math.Cos(angle)), math.Abs(math.Sin(angle))) * (1 + 0.05*math.Sin(7*angle))
			ring[i] = [2]float64{x + far*math.Cos(angle), y + far*math.Sin(angle)}
		}
		ring[corners] = ring[0]
		features = append(features, map[string]any{
			"type": "Feature", "properties": map[string]any{"code": code}, "geometry": map[string]any{"type": "Polygon", "coordinates": [][][2]float64{ring}},
		})
	}
	for _, region := range tree.Children(tree.Root()) {
		at := profile.Tiles[region]
		x, y := 60+2*float64(at.Column), 44-2*float64(at.Row)
		add(region, x, y, 2)
		for i, district := range tree.Children(region) {
			add(district, x-0.8+0.4*float64(i%5), y+0.8-0.4*float64(i/5), 0.4)
		}
	}
	written, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// Statistics and the leader's view show places on a map, whose numbers stand in a table as well.
func TestMapsInABrowser(t *testing.T) {
	source := axe(t)
	browser := chromium(t)
	for name, change := range map[string]func(*node.Config){
		"tiles":    func(*node.Config) {},
		"outlines": func(config *node.Config) { config.Boundaries = invented(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := begin(t, browser, source, change)
			s.figures(t)
			region := s.Profile.Territories.Parent(s.Profile.Territories.Parent(s.people.Home))
			for _, language := range []locale.Tag{locale.English, locale.UzbekLatin, locale.Russian} {
				w := s.window(t, language)
				w.eventually(subsidy+"/statistics", func() bool {
					return ask(w, chromedp.Evaluate[int](`document.querySelectorAll(".bars tbody tr").length`)) > 0
				})
				w.look("statistics-" + name)
				if cells := ask(w, chromedp.Evaluate[int](`document.querySelectorAll("figure.map svg[role=group] > [aria-label]").length`)); cells != 14 {
					t.Errorf("the map shows %d regions", cells)
				}
				w.follow("/statistics?place=" + string(region))
				w.look("statistics-region-" + name)
				if language != locale.English {
					continue
				}
				leader := s.official(t, language, "youth-leader", region, "/desk/team")
				leader.look("team-" + name)
			}
		})
	}
}
