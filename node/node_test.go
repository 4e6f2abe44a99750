package node_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"yagona/node"
	"yagona/node/nodetest"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
)

// openSmall opens a small demonstration in the folder.
func openSmall(t *testing.T, folder string) *node.Node {
	t.Helper()
	site, err := url.Parse("http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.OpenDemonstration(t.Context(), node.Config{
		Folder: folder, Site: site, Country: uz.Files, Packs: packs.All(), Clock: time.Now, Volatile: true,
	}, 300)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestASecondStartFindsTheSamePeople(t *testing.T) {
	folder := t.TempDir()
	first := openSmall(t, folder)
	catalogue := first.Catalogue()
	if len(catalogue.Packs.Services()) < 3 {
		t.Errorf("%d services are loaded", len(catalogue.Packs.Services()))
	}
	people, _, err := first.Visitors().ByNumber(t.Context(), firstOf(t, first, string(demo.Jobless)))
	if err != nil {
		t.Fatal(err)
	}
	person, err := first.People.ByNumber(t.Context(), people.Number)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := openSmall(t, folder)
	defer second.Close()
	again, err := second.People.ByNumber(t.Context(), firstOf(t, second, string(demo.Jobless)))
	if err != nil {
		t.Fatal(err)
	}
	if again != person {
		t.Error("the second start made other people")
	}
}

func firstOf(t *testing.T, n *node.Node, about string) string {
	t.Helper()
	found, err := n.Visitors().Search(t.Context(), about, 1)
	if err != nil || len(found) == 0 {
		t.Fatalf("nobody is %s: %v", about, err)
	}
	return found[0].Number
}

func TestTheDemonstrationSaysInEachLanguageWhomOneCanBe(t *testing.T) {
	n := openSmall(t, nodetest.Populated(t, 300, time.Now))
	defer n.Close()
	for asked, want := range map[string]string{
		string(demo.Jobless): "получает субсидию из рассказа",
		"treasurer":          " · Казначей · ", // by the post
		"ǵáziynashı":         " · Казначей · ", // by its title in another language
		"жумиссиз":           "",
		"ishsiz":             "безработн",
	} {
		found, err := n.Visitors().Search(t.Context(), asked, 1)
		switch {
		case err != nil:
			t.Fatal(err)
		case want == "":
			if len(found) != 0 {
				t.Errorf("%q, which nobody is called, finds %+v", asked, found)
			}
			continue
		case len(found) != 1 || !strings.Contains(found[0].About["ru"], want):
			t.Errorf("%q finds %+v, want %q", asked, found, want)
			continue
		}
		said := map[string]string{}
		for _, language := range n.Profile.Languages {
			about := found[0].About[language]
			if other := said[about]; other != "" || about == "" {
				t.Errorf("%s is described in %s as in %q: %q", found[0].Name, language, other, about)
			}
			said[about] = language
		}
	}
}
