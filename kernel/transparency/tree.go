package transparency

import (
	"golang.org/x/mod/sumdb/tlog"

	"yagona/std/c2sp"
)

// appendEntries appends entries to the bundles and tiles of a log of the given size.
func appendEntries(tx Tx, size int64, entries []Entry) error {
	bundle, err := edge(tx, c2sp.EntriesLevel, size)
	if err != nil {
		return err
	}
	hashes := make([]tlog.Hash, len(entries))
	for i, entry := range entries {
		hashes[i] = tlog.RecordHash(entry.Data)
		if bundle, err = c2sp.AppendEntry(bundle, entry.Data); err != nil {
			return err
		}
		next := size + int64(i) + 1
		if next%c2sp.TileWidth != 0 && i < len(entries)-1 {
			continue
		}
		if err := tx.SaveLogTile(c2sp.EntriesLevel, (next-1)/c2sp.TileWidth, bundle); err != nil {
			return err
		}
		bundle = nil
	}
	for level := 0; len(hashes) > 0; level++ {
		if hashes, err = appendHashes(tx, level, c2sp.Hashes(level, size), hashes); err != nil {
			return err
		}
	}
	return nil
}

// appendHashes appends hashes to a level that holds count of them, and returns the roots of the tiles that became full:
// what the level above gets.
func appendHashes(tx Tx, level int, count int64, hashes []tlog.Hash) (roots []tlog.Hash, err error) {
	tile, err := edge(tx, level, count)
	if err != nil {
		return nil, err
	}
	for i, hash := range hashes {
		tile = append(tile, hash[:]...)
		full := len(tile) == c2sp.TileWidth*tlog.HashSize
		if !full && i < len(hashes)-1 {
			continue
		}
		if err := tx.SaveLogTile(level, (count+int64(i))/c2sp.TileWidth, tile); err != nil {
			return nil, err
		}
		if full {
			roots = append(roots, tileRoot(tile))
			tile = nil
		}
	}
	return roots, nil
}

// edge returns what the tile holds that grows next, nil if it is a new one.
func edge(tx Tx, level int, count int64) ([]byte, error) {
	number, width := count/c2sp.TileWidth, int(count%c2sp.TileWidth)
	if width == 0 {
		return nil, nil
	}
	data, err := tx.LogTile(level, number)
	if err != nil {
		return nil, err
	}
	tile := tlog.Tile{H: c2sp.TileHeight, L: level, N: number, W: width}
	if held, err := widthOf(level, data); err != nil || held != width {
		return nil, errDamaged("%s holds %d instead of %d: audit the log and restore it.", c2sp.Path(tile), held, width)
	}
	return data, nil
}

// widthOf returns how many hashes or entries a tile's data holds.
func widthOf(level int, data []byte) (int, error) {
	if level == c2sp.EntriesLevel {
		entries, err := c2sp.ParseEntries(data)
		return len(entries), err
	}
	if len(data)%tlog.HashSize != 0 {
		return 0, errDamaged("A tile of %d bytes.", len(data))
	}
	return len(data) / tlog.HashSize, nil
}

// tileRoot returns the root of a full tile, or of one whose width is a power of two.
func tileRoot(data []byte) tlog.Hash {
	if len(data) == tlog.HashSize {
		return tlog.Hash(data)
	}
	half := len(data) / 2
	return tlog.NodeHash(tileRoot(data[:half]), tileRoot(data[half:]))
}

// hashReader reads hashes of the tree out of tiles; read returns at least the tile's width of them. It trusts what it
// reads: who uses it compares the outcome with a root.
func hashReader(read func(tile tlog.Tile) ([]byte, error)) tlog.HashReader {
	tiles := map[tlog.Tile][]byte{}
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			tile := tlog.TileForIndex(c2sp.TileHeight, index)
			at := tlog.Tile{L: tile.L, N: tile.N}
			data, ok := tiles[at]
			if !ok || len(data) < tile.W*tlog.HashSize {
				var err error
				if data, err = read(tile); err != nil {
					return nil, err
				}
				tiles[at] = data
			}
			if len(data) < tile.W*tlog.HashSize {
				return nil, errDamaged("%s is too short: audit the log and restore it.", c2sp.Path(tile))
			}
			var err error
			if hashes[i], err = tlog.HashFromTile(tile, data, index); err != nil {
				return nil, err
			}
		}
		return hashes, nil
	})
}

// Root returns the root of the first entries of a log, as the store's tiles give it.
func Root(reader Reader, size int64) (tlog.Hash, error) {
	return tlog.TreeHash(size, storedHashes(reader))
}

// storedHashes reads hashes out of the store's tiles.
func storedHashes(reader Reader) tlog.HashReader {
	return hashReader(func(tile tlog.Tile) ([]byte, error) { return reader.LogTile(tile.L, tile.N) })
}
