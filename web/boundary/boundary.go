// Package boundary owns the outlines of territories: it reads them from GeoJSON (RFC 7946), where an operator has them, and
// draws those that lie in one territory side by side, small enough for a page.
//
// It hands paths of SVG to package page. Each feature of the file is a Polygon or a MultiPolygon and carries the territory's
// code as the property "code".
//
// Invariants: a file is taken whole or refused with the feature that is wrong; no line strays from the file's by more than
// its stroke is wide; nothing of the file but codes and positions reaches a page.
package boundary

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"yagona/kernel/ident"
	"yagona/kernel/territory"
)

// Boundaries are pictures of territories, by what they lie in. Nil has none.
type Boundaries struct {
	pictures map[ident.Territory]Picture
}

// point is a position: degrees of longitude and latitude in the file, units of the picture on a page.
type point struct{ x, y float64 }

type ring []point

type collection struct {
	Type     string    `json:"type"`
	Features []feature `json:"features"`
}

type feature struct {
	Properties struct {
		Code json.RawMessage `json:"code"`
	} `json:"properties"`
	Geometry struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	} `json:"geometry"`
}

// Read reads a file of GeoJSON. An error names the feature that is wrong and what to do.
func Read(content []byte, tree *territory.Tree) (*Boundaries, error) {
	var file collection
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("the boundaries are no GeoJSON: %w: write a FeatureCollection (RFC 7946)", err)
	}
	if file.Type != "FeatureCollection" || len(file.Features) == 0 {
		return nil, fmt.Errorf("the boundaries are a %q with %d features: write a FeatureCollection with one feature for each territory", file.Type, len(file.Features))
	}
	outlines := map[ident.Territory][]ring{}
	for i, one := range file.Features {
		code := ident.Territory(strings.Trim(string(one.Properties.Code), `"`))
		wrong := func(format string, args ...any) error {
			return fmt.Errorf("feature %d of the boundaries (code %q): %s", i+1, code, fmt.Sprintf(format, args...))
		}
		if !tree.Has(code) {
			return nil, wrong(`the country has no such territory: give its code as the property "code"`)
		}
		if outlines[code] != nil {
			return nil, wrong("the territory stands here twice: join its parts to one MultiPolygon")
		}
		outline, err := one.rings()
		if err != nil {
			return nil, wrong("%v", err)
		}
		outlines[code] = outline
	}
	read := &Boundaries{pictures: map[ident.Territory]Picture{}}
	for code := range outlines {
		around := tree.Parent(code)
		if _, done := read.pictures[around]; done || around == "" {
			continue
		}
		if drawn, ok := draw(tree.Children(around), outlines); ok {
			read.pictures[around] = drawn
		}
	}
	return read, nil
}

// rings returns the rings of a feature, holes as well: drawn by the rule "evenodd" they stay empty.
func (f feature) rings() (rings []ring, err error) {
	var polygons [][][][]float64
	switch f.Geometry.Type {
	case "Polygon":
		polygons = make([][][][]float64, 1)
		err = json.Unmarshal(f.Geometry.Coordinates, &polygons[0])
	case "MultiPolygon":
		err = json.Unmarshal(f.Geometry.Coordinates, &polygons)
	default:
		return nil, fmt.Errorf("its geometry is a %q: give a Polygon or a MultiPolygon", f.Geometry.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("its coordinates cannot be read: %w", err)
	}
	for _, polygon := range polygons {
		for _, positions := range polygon {
			one, err := ringOf(positions)
			if err != nil {
				return nil, err
			}
			rings = append(rings, one)
		}
	}
	if len(rings) == 0 {
		return nil, fmt.Errorf("it has no ring: give its outline")
	}
	return rings, nil
}

func ringOf(positions [][]float64) (ring, error) {
	if len(positions) < 4 {
		return nil, fmt.Errorf("a ring has %d positions: give at least four, the last the same as the first", len(positions))
	}
	one := make(ring, len(positions))
	for i, position := range positions {
		if len(position) < 2 || math.Abs(position[0]) > 180 || math.Abs(position[1]) > 90 {
			return nil, fmt.Errorf("%v is no longitude and latitude: give degrees of WGS 84, as RFC 7946 asks", position)
		}
		one[i] = point{position[0], position[1]}
	}
	if one[0] != one[len(one)-1] {
		return nil, fmt.Errorf("a ring does not end where it begins: close it")
	}
	return one, nil
}

// Shape is a territory as it is drawn.
type Shape struct {
	Territory ident.Territory
	Path      string // of SVG, to be filled by the rule "evenodd"
	X, Y      int    // where its number stands
}

// Picture are territories side by side, in the units of its size.
type Picture struct {
	Width, Height int
	Shapes        []Shape
}

// pictureWidth is how many units a picture is wide: what is finer than one cannot be seen. mostHeight keeps a country that is
// long from north to south on the screen.
const (
	pictureWidth = 600
	mostHeight   = 600
	margin       = 3
)

// Within returns the picture of the territories directly below one; false if one of them has no outline.
func (b *Boundaries) Within(around ident.Territory) (Picture, bool) {
	if b == nil {
		return Picture{}, false
	}
	drawn, ok := b.pictures[around]
	return drawn, ok
}

// draw draws territories side by side, as one sees them from above their middle; false if one of them has no outline.
func draw(codes []ident.Territory, outlines map[ident.Territory][]ring) (Picture, bool) {
	low, high := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, code := range codes {
		if outlines[code] == nil {
			return Picture{}, false
		}
		for _, one := range outlines[code] {
			for _, p := range one {
				low, high = point{min(low.x, p.x), min(low.y, p.y)}, point{max(high.x, p.x), max(high.y, p.y)}
			}
		}
	}
	// A degree of longitude is shorter than one of latitude, by the cosine of the latitude.
	shorter := math.Cos((low.y + high.y) / 2 * math.Pi / 180)
	across, down := (high.x-low.x)*shorter, high.y-low.y
	if across <= 0 || down <= 0 {
		return Picture{}, false
	}
	scale := min((pictureWidth-2*margin)/across, (mostHeight-2*margin)/down)
	drawn := Picture{Width: int(math.Ceil(across*scale)) + 2*margin, Height: int(math.Ceil(down*scale)) + 2*margin}
	place := func(p point) point {
		return point{margin + (p.x-low.x)*shorter*scale, margin + (high.y-p.y)*scale}
	}
	for _, code := range codes {
		drawn.Shapes = append(drawn.Shapes, shape(code, outlines[code], place))
	}
	return drawn, true
}

// shape draws a territory. Its number stands in the middle of its largest part. Of a territory that is smaller than the
// grid a square stays, so that it can be seen.
func shape(code ident.Territory, outline []ring, place func(point) point) Shape {
	var path strings.Builder
	largest, middle := -1.0, point{}
	for _, one := range outline {
		placed := make(ring, len(one))
		for i, p := range one {
			placed[i] = place(p)
		}
		simple := simplify(placed)
		size, centre := simple.area()
		if size > largest {
			largest, middle = size, centre
		}
		for i, p := range simple {
			simple[i] = point{math.Round(p.x), math.Round(p.y)}
		}
		if simple = slices.Compact(simple); len(simple) >= 4 {
			simple.draw(&path)
		}
	}
	if path.Len() == 0 {
		x, y := math.Round(middle.x), math.Round(middle.y)
		ring{{x - 3, y - 3}, {x + 3, y - 3}, {x + 3, y + 3}, {x - 3, y + 3}, {x - 3, y - 3}}.draw(&path)
	}
	return Shape{Territory: code, Path: path.String(), X: int(math.Round(middle.x)), Y: int(math.Round(middle.y))}
}

// draw writes a closed ring, each point as the step from the one before: short numbers.
func (r ring) draw(into *strings.Builder) {
	into.WriteString("M" + strconv.Itoa(int(r[0].x)) + " " + strconv.Itoa(int(r[0].y)) + "l")
	for i := 1; i < len(r)-1; i++ {
		if i > 1 {
			into.WriteByte(' ')
		}
		into.WriteString(strconv.Itoa(int(r[i].x-r[i-1].x)) + " " + strconv.Itoa(int(r[i].y-r[i-1].y)))
	}
	into.WriteString("z")
}

// area returns the area of a closed ring and its centroid.
func (r ring) area() (size float64, centre point) {
	for i := 0; i+1 < len(r); i++ {
		cross := r[i].x*r[i+1].y - r[i+1].x*r[i].y
		size += cross
		centre.x += (r[i].x + r[i+1].x) * cross
		centre.y += (r[i].y + r[i+1].y) * cross
	}
	if size == 0 {
		return 0, r[0]
	}
	return math.Abs(size / 2), point{centre.x / (3 * size), centre.y / (3 * size)}
}

// tolerance is by how many units a line may leave the outline: less than its stroke is wide.
const tolerance = 0.8

// simplify leaves those points of a line out from which it strays by no more than the tolerance (Douglas and Peucker, 1973).
// A ring is cut at the point that is farthest from its first.
func simplify(line ring) ring {
	if len(line) < 4 {
		return line
	}
	far := 0
	for i, p := range line {
		if math.Hypot(p.x-line[0].x, p.y-line[0].y) > math.Hypot(line[far].x-line[0].x, line[far].y-line[0].y) {
			far = i
		}
	}
	return append(thin(line[:far+1]), thin(line[far:])[1:]...)
}

// thin simplifies an open line. Its stack holds what is still to be looked at, since a coast may have a million points.
func thin(line ring) ring {
	keep := make([]bool, len(line))
	keep[0], keep[len(line)-1] = true, true
	for todo := [][2]int{{0, len(line) - 1}}; len(todo) > 0; {
		from, to := todo[len(todo)-1][0], todo[len(todo)-1][1]
		todo = todo[:len(todo)-1]
		at, most := from, tolerance
		for i := from + 1; i < to; i++ {
			if strays := distance(line[i], line[from], line[to]); strays > most {
				at, most = i, strays
			}
		}
		if at > from {
			keep[at] = true
			todo = append(todo, [2]int{from, at}, [2]int{at, to})
		}
	}
	var kept ring
	for i, p := range line {
		if keep[i] {
			kept = append(kept, p)
		}
	}
	return kept
}

// distance returns how far a point is from the segment between two others.
func distance(p, from, to point) float64 {
	dx, dy := to.x-from.x, to.y-from.y
	length := dx*dx + dy*dy
	if length == 0 {
		return math.Hypot(p.x-from.x, p.y-from.y)
	}
	along := min(max(((p.x-from.x)*dx+(p.y-from.y)*dy)/length, 0), 1)
	return math.Hypot(p.x-from.x-along*dx, p.y-from.y-along*dy)
}
