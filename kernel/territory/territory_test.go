package territory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"yagona/kernel/ident"
	"yagona/kernel/territory"
)

var levels = []territory.Level{
	{Name: "country"}, {Name: "region", Names: map[string]string{"en": "Region"}}, {Name: "district"}, {Name: "mahalla"},
}

func sample(t testing.TB) *territory.Tree {
	t.Helper()
	tree, err := territory.New(levels, []territory.Territory{
		{Code: "1726290-1", Parent: "1726290", Level: "mahalla", Names: map[string]string{"en": "Bogʻcha"}, Illustrative: true},
		{Code: "17", Level: "country", Names: map[string]string{"en": "Land"}},
		{Code: "1726", Parent: "17", Level: "region", Names: map[string]string{"en": "City", "ru": "Город"}},
		{Code: "1703", Parent: "17", Level: "region"},
		{Code: "1726290", Parent: "1726", Level: "district"},
		{Code: "1726291", Parent: "1726", Level: "district"},
		{Code: "1703202", Parent: "1703", Level: "district"},
		{Code: "1703-1", Parent: "1703", Level: "mahalla"}, // a level may be left out
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestATreeAnswersWhereATerritoryLies(t *testing.T) {
	tree := sample(t)
	for _, test := range []struct {
		ancestor, descendant ident.Territory
		want                 bool
	}{
		{"17", "17", true},
		{"17", "1726290-1", true},
		{"1726", "1726290-1", true},
		{"1726290", "1726290-1", true},
		{"1726290-1", "1726290", false},
		{"1726291", "1726290-1", false},
		{"1703", "1726290-1", false},
		{"1726", "1703202", false},
		{"nowhere", "nowhere", false},
		{"17", "", false},
		{"", "17", false},
	} {
		if got := tree.Contains(test.ancestor, test.descendant); got != test.want {
			t.Errorf("Contains(%s, %s) = %v", test.ancestor, test.descendant, got)
		}
	}
	if got := tree.Path("1726290-1"); !slices.Equal(got, []ident.Territory{"17", "1726", "1726290", "1726290-1"}) {
		t.Errorf("Path = %v", got)
	}
	if got := tree.Path("nowhere"); got != nil {
		t.Errorf("the path of an unknown code = %v", got)
	}
	if district, ok := tree.At("1726290-1", "district"); !ok || district != "1726290" {
		t.Errorf("At = %v, %v", district, ok)
	}
	if _, ok := tree.At("1703-1", "district"); ok {
		t.Error("a territory without a district lies in one")
	}
	if _, ok := tree.At("1726", "mahalla"); ok {
		t.Error("a region lies in a mahalla")
	}
	if got := tree.Children("1726"); !slices.Equal(got, []ident.Territory{"1726290", "1726291"}) {
		t.Errorf("Children = %v", got)
	}
	if got := slices.Collect(tree.Within("1726")); !slices.Equal(got, []ident.Territory{"1726", "1726290", "1726290-1", "1726291"}) {
		t.Errorf("Within = %v", got)
	}
	if tree.Root() != "17" || tree.Parent("1703") != "17" || tree.Parent("17") != "" || tree.Len() != 8 {
		t.Errorf("root %v, parent %v, %d territories", tree.Root(), tree.Parent("1703"), tree.Len())
	}
}

func TestATreeTellsNames(t *testing.T) {
	tree := sample(t)
	if got := tree.Name("1726", "uz-Latn", "ru", "en"); got != "Город" {
		t.Errorf("Name = %q", got)
	}
	if got := tree.Name("1703", "ru", "en"); got != "1703" {
		t.Errorf("the name of a territory without one = %q", got)
	}
	if got := tree.LevelName("region", "ru", "en"); got != "Region" {
		t.Errorf("LevelName = %q", got)
	}
	if got := tree.LevelName("district", "en"); got != "district" {
		t.Errorf("LevelName = %q", got)
	}
	if got := tree.Level("1726290"); got != "district" {
		t.Errorf("Level = %q", got)
	}
	if got := tree.Levels(); !slices.Equal(got, []string{"country", "region", "district", "mahalla"}) {
		t.Errorf("Levels = %v", got)
	}
}

func TestATreeCannotBeChangedFromOutside(t *testing.T) {
	tree := sample(t)
	found, ok := tree.Lookup("1726")
	if !ok {
		t.Fatal("the region is missing")
	}
	found.Names["en"] = "changed"
	again, _ := tree.Lookup("1726")
	want := territory.Territory{
		Code: "1726", Parent: "17", Level: "region", Names: map[string]string{"en": "City", "ru": "Город"},
	}
	if diff := cmp.Diff(want, again); diff != "" {
		t.Error(diff)
	}
	if _, ok := tree.Lookup("nowhere"); ok || tree.Has("nowhere") || !tree.Has("17") {
		t.Error("an unknown code is found")
	}
	mahalla, _ := tree.Lookup("1726290-1")
	if !mahalla.Illustrative {
		t.Error("an invented territory is no longer marked")
	}
}

func TestAWrongListIsRefusedWhereItIsWrong(t *testing.T) {
	root := territory.Territory{Code: "17", Level: "country"}
	region := territory.Territory{Code: "1726", Parent: "17", Level: "region"}
	for _, test := range []struct {
		name    string
		levels  []territory.Level
		list    []territory.Territory
		index   int
		problem string
	}{
		{"empty", levels, nil, -1, "no territory is without a parent"},
		{"a level twice", []territory.Level{{Name: "a"}, {Name: "a"}}, nil, -1, "stands twice"},
		{"a level that is no name", []territory.Level{{Name: "A b"}}, nil, -1, "is no name"},
		{"no code", levels, []territory.Territory{root, {Parent: "17", Level: "region"}}, 1, "has no code"},
		{"a code twice", levels, []territory.Territory{root, region, region}, 2, "already that of territory 2"},
		{"two roots", levels, []territory.Territory{root, {Code: "18", Level: "country"}}, 1, "17 is the root already"},
		{"an unknown parent", levels, []territory.Territory{root, {Code: "1", Parent: "9", Level: "region"}}, 1, "parent 9 is not"},
		{"an unknown level", levels, []territory.Territory{root, {Code: "1", Parent: "17", Level: "state"}}, 1, `"state" is not declared`},
		{"a level upside down", levels, []territory.Territory{root, region, {Code: "1", Parent: "1726", Level: "region"}}, 2, "cannot lie in"},
		{"its own parent", levels, []territory.Territory{root, {Code: "1", Parent: "1", Level: "region"}}, 1, "cannot lie in"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := territory.New(test.levels, test.list)
			var wrong *territory.Error
			if !errors.As(err, &wrong) || wrong.Index != test.index || !strings.Contains(wrong.Problem, test.problem) {
				t.Errorf("%+v", err)
			}
		})
	}
}

// grown is a random list in which a territory stands anywhere, before or after its parent.
func grown(t *rapid.T) []territory.Territory {
	list := []territory.Territory{{Code: "r", Level: "country"}}
	rank := []int{0}
	for i := range rapid.IntRange(0, 60).Draw(t, "size") {
		parent := rapid.IntRange(0, len(list)-1).Draw(t, "parent")
		if rank[parent] == len(levels)-1 {
			continue
		}
		depth := rapid.IntRange(rank[parent]+1, len(levels)-1).Draw(t, "depth")
		list = append(list, territory.Territory{
			Code: ident.Territory(fmt.Sprint(i)), Parent: list[parent].Code, Level: levels[depth].Name,
		})
		rank = append(rank, depth)
	}
	return rapid.Permutation(list).Draw(t, "order")
}

func TestContainsAgreesWithTheParents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := grown(t)
		tree, err := territory.New(levels, list)
		if err != nil {
			t.Fatal(err)
		}
		parent := make(map[ident.Territory]ident.Territory)
		for _, node := range list {
			parent[node.Code] = node.Parent
		}
		holds := func(ancestor, code ident.Territory) bool {
			for ; code != ""; code = parent[code] {
				if code == ancestor {
					return true
				}
			}
			return false
		}
		for _, a := range list {
			within := slices.Collect(tree.Within(a.Code))
			for _, d := range list {
				want := holds(a.Code, d.Code)
				if tree.Contains(a.Code, d.Code) != want || slices.Contains(within, d.Code) != want ||
					slices.Contains(tree.Path(d.Code), a.Code) != want {
					t.Fatalf("%s and %s: want %v", a.Code, d.Code, want)
				}
			}
		}
	})
}

func BenchmarkTenThousandTerritories(b *testing.B) {
	list := large()
	for b.Loop() {
		tree, err := territory.New(levels, list)
		if err != nil || tree.Len() != len(list) {
			b.Fatal(tree.Len(), err)
		}
	}
}

func large() []territory.Territory {
	list := []territory.Territory{{Code: "c", Level: "country"}}
	for r := range 14 {
		region := ident.Territory(fmt.Sprintf("r%d", r))
		list = append(list, territory.Territory{Code: region, Parent: "c", Level: "region"})
		for d := range 15 {
			district := ident.Territory(fmt.Sprintf("%s-%d", region, d))
			list = append(list, territory.Territory{Code: district, Parent: region, Level: "district"})
			for m := range 48 {
				list = append(list, territory.Territory{
					Code: ident.Territory(fmt.Sprintf("%s-%d", district, m)), Parent: district, Level: "mahalla",
				})
			}
		}
	}
	return list
}

func BenchmarkContains(b *testing.B) {
	tree, err := territory.New(levels, large())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !tree.Contains("r7", "r7-3-40") {
			b.Fatal("not contained")
		}
	}
}
