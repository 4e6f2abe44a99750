package boundary

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"yagona/kernel/territory"
)

func tree(t testing.TB) *territory.Tree {
	t.Helper()
	built, err := territory.New([]territory.Level{{Name: "land"}, {Name: "town"}}, []territory.Territory{
		{Code: "1", Level: "land"}, {Code: "11", Parent: "1", Level: "town"}, {Code: "12", Parent: "1", Level: "town"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return built
}

const east = `{"type": "Feature", "properties": {"code": 12, "name": "not read"}, "geometry": {"type": "Polygon", "coordinates": [[[61,40],[62,40],[62,41],[61,41],[61,40]]]}}`

func file(features ...string) []byte {
	return []byte(`{"type": "FeatureCollection", "features": [` + strings.Join(features, ",") + `]}`)
}

// feature is one of the town 11 with a geometry.
func town(kind, coordinates string) string {
	return fmt.Sprintf(`{"type": "Feature", "properties": {"code": "11"}, "geometry": {"type": %q, "coordinates": %s}}`, kind, coordinates)
}

const square = `[[[60,40],[61,40],[61,41],[60,41],[60,40]]]`

func TestTerritoriesStandSideBySide(t *testing.T) {
	read, err := Read(file(town("Polygon", square), east), tree(t))
	if err != nil {
		t.Fatal(err)
	}
	drawn, ok := read.Within("1")
	if !ok || len(drawn.Shapes) != 2 {
		t.Fatalf("drawn %t: %+v", ok, drawn)
	}
	// At 40.5° a degree of longitude is 0.76 of one of latitude: the two squares are 1.52 wide and 1 high.
	if ratio := float64(drawn.Width) / float64(drawn.Height); math.Abs(ratio-1.52) > 0.02 {
		t.Errorf("the picture is %d × %d", drawn.Width, drawn.Height)
	}
	west, right := drawn.Shapes[0], drawn.Shapes[1]
	if west.X >= right.X || west.Y != right.Y {
		t.Errorf("the numbers stand at %d,%d and %d,%d", west.X, west.Y, right.X, right.Y)
	}
	if west.Path != "M3 394l297 0 0 -391 -297 0z" {
		t.Errorf("a square is drawn as %q", west.Path)
	}
	if _, ok := read.Within("11"); ok {
		t.Error("what holds nothing has a picture")
	}
	if alone, err := Read(file(east), tree(t)); err != nil {
		t.Error(err)
	} else if _, ok := alone.Within("1"); ok {
		t.Error("a picture leaves a territory out")
	}
	if _, ok := (*Boundaries)(nil).Within("1"); ok {
		t.Error("without boundaries there is a picture")
	}
}

// coast is a ring of n positions around a point, with a fine jitter.
func coast(x, y float64, n int) string {
	positions := make([][2]float64, n+1)
	for i := range n {
		angle := 2 * math.Pi * float64(i) / float64(n)
		far := 0.5 + 0.0005*math.Sin(float64(i))
		positions[i] = [2]float64{x + far*math.Cos(angle), y + far*math.Sin(angle)}
	}
	positions[n] = positions[0]
	written, _ := json.Marshal([][][2]float64{positions})
	return string(written)
}

func TestAPictureIsSmallHoweverFineTheFileIs(t *testing.T) {
	read, err := Read(file(town("Polygon", coast(60, 40, 100_000)), east), tree(t))
	if err != nil {
		t.Fatal(err)
	}
	drawn, ok := read.Within("1")
	if !ok || len(drawn.Shapes[0].Path) > 2_000 || len(drawn.Shapes[0].Path) < 200 {
		t.Errorf("100,000 positions are drawn as %d bytes", len(drawn.Shapes[0].Path))
	}
}

func TestHolesStayAndSpecksAreSeen(t *testing.T) {
	read, err := Read(file(town("MultiPolygon", `[[[[60,40],[61,40],[61,41],[60,41],[60,40]],[[60.4,40.4],[60.6,40.4],[60.6,40.6],[60.4,40.6],[60.4,40.4]]]]`),
		strings.ReplaceAll(strings.ReplaceAll(east, "62", "61.0001"), "41", "40.0001")), tree(t))
	if err != nil {
		t.Fatal(err)
	}
	drawn, _ := read.Within("1")
	if rings := strings.Count(drawn.Shapes[0].Path, "M"); rings != 2 {
		t.Errorf("an outline with a hole has %d rings", rings)
	}
	if path := drawn.Shapes[1].Path; !strings.HasSuffix(path, "l6 0 0 6 -6 0z") {
		t.Errorf("a speck is drawn as %q", path)
	}
}

func TestAWrongFileIsRefusedWithWhatToDo(t *testing.T) {
	for name, one := range map[string]struct {
		content []byte
		want    string
	}{
		"no JSON":           {[]byte(`shape`), "no GeoJSON"},
		"one feature alone": {[]byte(east), "write a FeatureCollection"},
		"nothing":           {file(), "with 0 features"},
		"no code":           {file(strings.Replace(town("Polygon", square), "code", "name", 1)), `feature 1 of the boundaries (code ""): the country has no such territory`},
		"an unknown code":   {file(east, strings.Replace(town("Polygon", square), "11", "99", 1)), `feature 2 of the boundaries (code "99"): the country has no such territory`},
		"twice":             {file(east, east), `(code "12"): the territory stands here twice`},
		"a point":           {file(town("Point", `[60,40]`)), `its geometry is a "Point"`},
		"no geometry":       {file(`{"type": "Feature", "properties": {"code": "11"}, "geometry": null}`), `its geometry is a ""`},
		"an open ring":      {file(town("Polygon", `[[[60,40],[61,40],[61,41],[60,41]]]`)), "does not end where it begins"},
		"a line":            {file(town("Polygon", `[[[60,40],[61,40],[60,40]]]`)), "has 3 positions"},
		"metres":            {file(town("Polygon", strings.ReplaceAll(square, "60", "600000"))), "is no longitude and latitude"},
		"no numbers":        {file(town("Polygon", `[["x"]]`)), "its coordinates cannot be read"},
		"no ring":           {file(town("Polygon", `[]`)), "it has no ring"},
	} {
		if _, err := Read(one.content, tree(t)); err == nil || !strings.Contains(err.Error(), one.want) {
			t.Errorf("%s gives %v, not %q", name, err, one.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range [][]byte{file(town("Polygon", square), east), file(town("MultiPolygon", "["+square+"]")), file(), []byte("[")} {
		f.Add(seed)
	}
	towns := tree(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		read, err := Read(content, towns)
		if err != nil {
			return
		}
		if drawn, ok := read.Within("1"); ok && (drawn.Width > pictureWidth+1 || drawn.Height > mostHeight+1 || drawn.Shapes[0].Path == "") {
			t.Errorf("drawn as %+v", drawn)
		}
	})
}
