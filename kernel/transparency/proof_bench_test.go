package transparency_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"yagona/kernel/act"
	"yagona/kernel/transparency"
	"yagona/std/c2sp"
)

// BenchmarkProof measures an inclusion proof in a log of ten million entries, which may take 5 ms. All entries are the
// same, so that the tiles of a level are too; they stand in the database one by one all the same.
func BenchmarkProof(b *testing.B) {
	const size = 10_000_000
	s := newSetup(b, 0, 0)
	hash := tlog.RecordHash([]byte("entry"))
	for level := 0; c2sp.Hashes(level, size) > 0; level++ {
		count := c2sp.Hashes(level, size)
		var tile []byte
		for range c2sp.TileWidth {
			tile = append(tile, hash[:]...)
		}
		for first := int64(0); first < count; {
			err := s.Update(context.Background(), act.Platform, func(tx transparency.Tx) error {
				for range 1000 {
					if first >= count {
						return nil
					}
					width := min(c2sp.TileWidth, count-first)
					if err := tx.SaveLogTile(level, first/c2sp.TileWidth, tile[:width*tlog.HashSize]); err != nil {
						return err
					}
					first += c2sp.TileWidth
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		for range c2sp.TileHeight {
			hash = tlog.NodeHash(hash, hash)
		}
	}
	err := s.Update(context.Background(), act.Platform, func(tx transparency.Tx) error {
		return tx.SaveLogHead(transparency.Head{Size: size})
	})
	if err != nil {
		b.Fatal(err)
	}
	s.advance(b)
	log := s.log()
	b.ResetTimer()
	for b.Loop() {
		if _, err := log.Proof(context.Background(), rand.Int64N(size)); err != nil {
			b.Fatal(err)
		}
	}
}
