package ui

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Figures are a few numbers that tell most of a thing.
type Figures struct{ Items []Figure }

// Figure is one of them.
type Figure struct {
	Value string // as the reader's language writes it
	Label string // what it counts
	Text  string // what to know about it
}

// BarPlot compares numbers: a table with a bar beside each, so that it says the same to those who do not see the bars.
type BarPlot struct {
	Caption string
	Of      string // heads the names
	Unit    string // heads the numbers
	Bars    []Bar
	Empty   string  // what is said when there is none
	Full    float64 // the value of a whole bar; 0: the largest of all
}

// Bar is one of the numbers.
type Bar struct {
	Label string
	Href  string
	Text  string  // the number as the reader's language writes it, or why it is not told
	Value float64 // 0 shows no bar
	Mark  float64 // a second number, shown as a line across the bar: what it was before; 0 shows none
	Tone  Tone
}

// ShownBar is a bar with its length.
type ShownBar struct {
	Bar
	Width  string // of 100
	MarkAt string // of 100; empty: there is none
}

// Shown returns the bars with their lengths.
func (p BarPlot) Shown() []ShownBar {
	full := p.Full
	if full == 0 {
		for _, bar := range p.Bars {
			full = max(full, bar.Value, bar.Mark)
		}
	}
	shown := make([]ShownBar, len(p.Bars))
	for i, bar := range p.Bars {
		if bar.Tone == "" {
			bar.Tone = Info
		}
		of := func(value float64) string {
			part := 0.0
			if full > 0 {
				part = min(max(value/full, 0), 1) * 100
			}
			return strconv.FormatFloat(part, 'f', 1, 64)
		}
		shown[i] = ShownBar{Bar: bar, Width: of(bar.Value)}
		if bar.Mark > 0 {
			shown[i].MarkAt = of(bar.Mark - full/100) // the line ends where the number is
		}
	}
	return shown
}

// TileMap shows one square for each territory, roughly where it lies: small ones are as easy to see as large ones. The
// number in each says what its shade says; a table with the same numbers stands beside it.
type TileMap struct {
	Caption string
	Tiles   []Tile
	Legend  []string // what the shades mean, the lightest first; at most 5
}

// Tile is the square of a territory.
type Tile struct {
	Column, Row int // from 0
	Marked
}

// Marked is a territory on a map.
type Marked struct {
	Name  string // in full; as much of it as there is room for stands in the picture
	Text  string // the number
	Level int    // its shade, 0 to 4
	Href  string
}

const (
	tileSide = 84
	tileGap  = 4
	roomy    = 10 // characters of a name that a tile has room for
	scant    = 4  // the same on a telephone
	longText = 6  // characters of a number, above which it is written smaller
)

// Long reports whether the number needs smaller letters.
func (m Marked) Long() bool { return utf8.RuneCountInString(m.Text) > longText }

// Shade returns the level, within bounds.
func (m Marked) Shade() int { return min(max(m.Level, 0), 4) }

// telling returns of each name the word that tells it from the others: the longest of those that few of them share
// ("Tashkent" of "Tashkent city", "Karakalpakstan" of "Republic of Karakalpakstan").
func telling(names []string) []string {
	const few = 2
	shared := map[string]int{}
	for _, name := range names {
		for _, word := range strings.Fields(name) {
			shared[word]++
		}
	}
	words := make([]string, len(names))
	for i, name := range names {
		for _, word := range strings.Fields(name) {
			if shared[word] <= few && utf8.RuneCountInString(word) > utf8.RuneCountInString(words[i]) {
				words[i] = word
			}
		}
		if words[i] == "" {
			words[i] = name
		}
	}
	return words
}

func cut(name string, room int) string {
	runes := []rune(name)
	return string(runes[:min(len(runes), room)])
}

// ShownTile is a tile with its place in the picture.
type ShownTile struct {
	Tile
	X, Y, Side, Middle, NameAt, ValueAt int

	Word, Sign string // as much of the name as there is room for, on a computer and on a telephone
}

// Shown returns the tiles with their places.
func (m TileMap) Shown() []ShownTile {
	shown, names := make([]ShownTile, len(m.Tiles)), make([]string, len(m.Tiles))
	for i, tile := range m.Tiles {
		names[i] = tile.Name
	}
	words := telling(names)
	for i, tile := range m.Tiles {
		x, y := tile.Column*(tileSide+tileGap), tile.Row*(tileSide+tileGap)
		shown[i] = ShownTile{Tile: tile, X: x, Y: y, Side: tileSide, Middle: x + tileSide/2, NameAt: y + 32, ValueAt: y + 62, Word: cut(words[i], roomy), Sign: cut(words[i], scant)}
	}
	return shown
}

// Width returns the width of the picture.
func (m TileMap) Width() int {
	return m.size(func(tile Tile) int { return tile.Column })
}

// Height returns the height of the picture.
func (m TileMap) Height() int {
	return m.size(func(tile Tile) int { return tile.Row })
}

func (m TileMap) size(of func(Tile) int) int {
	most := 0
	for _, tile := range m.Tiles {
		most = max(most, of(tile)+1)
	}
	return most*(tileSide+tileGap) - tileGap
}

// AreaMap shows territories by their outlines, with the same as a TileMap in each.
type AreaMap struct {
	Caption       string
	Width, Height int
	Areas         []Area
	Legend        []string
}

// Area is the outline of a territory.
type Area struct {
	Path string // of SVG
	X, Y int    // where its number stands
	Marked
}

// Proof is what the script proof.js verifies in the reader's browser: that the public log has an entry.
type Proof struct {
	Proof      string // C2SP tlog-proof
	Header     string // of the event, byte for byte as hashed; base64
	Entry      string // in the log; base64
	Key        string // the log's, as verifiers take it
	Unverified string // what stands there without the script
	Good, Bad  string // what the script says
	Unsigned   string // the entry is in the checkpoint, but the browser cannot verify signatures
}

// Camera offers to read a QR code into the form's text "payload"; the script camera.js shows it where the browser can.
type Camera struct{ Text string }

// The templates of the figures.
func (Proof) Template() string   { return "proof" }
func (Camera) Template() string  { return "camera" }
func (Figures) Template() string { return "figures" }
func (BarPlot) Template() string { return "bar-plot" }
func (TileMap) Template() string { return "tile-map" }
func (AreaMap) Template() string { return "area-map" }
