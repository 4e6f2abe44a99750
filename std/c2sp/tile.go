package c2sp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// TileHeight is the height of every tile.
	TileHeight = 8
	// TileWidth is how many hashes a full tile has, and how many entries a full bundle.
	TileWidth = 1 << TileHeight
	// EntriesLevel is the level of an entry bundle in a tlog.Tile.
	EntriesLevel = -1
	// maxLevel is the highest level that a path may name.
	maxLevel = 63
)

// Path returns where a tile of height 8, or an entry bundle (level EntriesLevel), stands below the log's prefix:
// "tile/0/x001/234", "tile/entries/000.p/17".
func Path(tile tlog.Tile) string {
	// x/mod writes the height before the level and "data" for the entries; all else is the same.
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	if rest, ok := strings.CutPrefix(path, "data/"); ok {
		path = "entries/" + rest
	}
	return "tile/" + path
}

// ParsePath reads what Path writes, and nothing else.
func ParsePath(path string) (tlog.Tile, error) {
	malformed := fmt.Errorf("c2sp: %.80q is not the path of a tile", path)
	rest, ok := strings.CutPrefix(path, "tile/")
	level, number, found := strings.Cut(rest, "/")
	if !ok || !found || level == "data" {
		return tlog.Tile{}, malformed
	}
	if level == "entries" {
		level = "data"
	}
	tile, err := tlog.ParseTilePath("tile/8/" + level + "/" + number)
	if err != nil || tile.L > maxLevel || Path(tile) != path {
		return tlog.Tile{}, malformed
	}
	return tile, nil
}

// TileOf returns the tile of the level that holds hash (or entry) number n of that level, as wide as it is in a tree of
// the given size. It returns false if the tree has no such hash.
func TileOf(level int, n, size int64) (tlog.Tile, bool) {
	count := Hashes(level, size)
	if n < 0 || n >= count {
		return tlog.Tile{}, false
	}
	number := n / TileWidth
	return tlog.Tile{H: TileHeight, L: level, N: number, W: int(min(TileWidth, count-number*TileWidth))}, true
}

// Hashes returns how many hashes the tiles of a level hold in a tree of the given size: those of its complete subtrees
// of height 8*level. For EntriesLevel it is the number of entries.
func Hashes(level int, size int64) int64 {
	level = max(level, 0)
	if level*TileHeight >= 63 {
		return 0
	}
	return size >> (level * TileHeight)
}

// AppendEntry appends an entry to a bundle. An entry is at most 65,535 bytes.
func AppendEntry(bundle, entry []byte) ([]byte, error) {
	if len(entry) > math.MaxUint16 {
		return nil, fmt.Errorf("c2sp: an entry of %d bytes: at most %d fit into a bundle", len(entry), math.MaxUint16)
	}
	bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(entry)))
	return append(bundle, entry...), nil
}

// ParseEntries cuts a bundle into its entries, 1 to 256 of them. They share the bundle's memory.
func ParseEntries(bundle []byte) ([][]byte, error) {
	var entries [][]byte
	for len(bundle) > 0 {
		if len(entries) == TileWidth {
			return nil, fmt.Errorf("c2sp: a bundle of more than %d entries", TileWidth)
		}
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return nil, fmt.Errorf("c2sp: the bundle ends inside entry %d", len(entries))
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		entries = append(entries, bundle[2:end:end])
		bundle = bundle[end:]
	}
	if len(entries) == 0 {
		return nil, errors.New("c2sp: an empty bundle")
	}
	return entries, nil
}
