package page

import (
	"math"

	"yagona/kernel/ident"
	"yagona/web/ui"
)

// Place is a territory on a map, and what its shade and its number say.
type Place struct {
	Territory ident.Territory
	Text      string
	Level     int // 0 to 4
	Href      string
}

// Map shows the territories that lie in one: by their outlines where the operator has them, else as tiles where the country's
// profile puts them, else as tiles in the order given. A table with the same numbers stands beside it.
func (r Reader) Map(caption string, legend []string, around ident.Territory, places []Place) ui.Component {
	marked := map[ident.Territory]ui.Marked{}
	for _, one := range places {
		marked[one.Territory] = ui.Marked{Name: r.Place(one.Territory), Text: one.Text, Level: one.Level, Href: one.Href}
	}
	if picture, ok := r.Boundaries.Within(around); ok {
		drawn := ui.AreaMap{Caption: caption, Legend: legend, Width: picture.Width, Height: picture.Height}
		for _, shape := range picture.Shapes {
			if mark, shown := marked[shape.Territory]; shown {
				drawn.Areas = append(drawn.Areas, ui.Area{Path: shape.Path, X: shape.X, Y: shape.Y, Marked: mark})
			}
		}
		return drawn
	}
	tiles := ui.TileMap{Caption: caption, Legend: legend}
	placed := true
	for _, one := range places {
		_, known := r.Words.Profile.Tiles[one.Territory]
		placed = placed && known
	}
	across := int(math.Ceil(math.Sqrt(float64(len(places)) * 1.6)))
	for i, one := range places {
		tile := ui.Tile{Column: i % across, Row: i / across, Marked: marked[one.Territory]}
		if placed {
			at := r.Words.Profile.Tiles[one.Territory]
			tile.Column, tile.Row = at.Column, at.Row
		}
		tiles.Tiles = append(tiles.Tiles, tile)
	}
	return tiles
}
