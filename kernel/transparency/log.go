package transparency

import (
	"context"
	"encoding/binary"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"yagona/kernel/fault"
	"yagona/std/c2sp"
)

// Log reads the published part of the log. It is safe for concurrent use.
type Log struct{ store Store }

// NewLog returns the log that is in the store.
func NewLog(store Store) *Log { return &Log{store} }

// Resource returns a file of the log by its path below the log's prefix: "checkpoint", "tile/0/000.p/17",
// "tile/entries/000". What the published checkpoint does not cover gives fault.NotFound.
func (l *Log) Resource(ctx context.Context, path string) (content []byte, err error) {
	err = l.store.View(ctx, func(reader Reader) error {
		head, err := reader.LogHead()
		if err != nil {
			return err
		}
		if path == "checkpoint" {
			if content = head.Published; content == nil {
				return errNoResource
			}
			return nil
		}
		tile, err := c2sp.ParsePath(path)
		if err != nil {
			return errNoResource.Because(err)
		}
		published, err := checkpointOf(head.Published)
		if err != nil {
			return err
		}
		if covered := c2sp.Hashes(tile.L, published.Tree.N); tile.N > covered/c2sp.TileWidth || tile.N*c2sp.TileWidth+int64(tile.W) > covered {
			return errNoResource
		}
		content, err = reader.LogTile(tile.L, tile.N)
		if err != nil {
			return err
		}
		content, err = narrow(tile, content)
		return err
	})
	return content, err
}

// narrow returns the first hashes or entries of a tile that may have grown since.
func narrow(tile tlog.Tile, content []byte) ([]byte, error) {
	end := tile.W * tlog.HashSize
	if tile.L == c2sp.EntriesLevel {
		end = 0
		for range tile.W {
			if end+2 > len(content) {
				end = len(content) + 1
				break
			}
			end += 2 + int(binary.BigEndian.Uint16(content[end:]))
		}
	}
	if end > len(content) {
		return nil, errDamaged("%s is too short: audit the log and restore it.", c2sp.Path(tile))
	}
	return content[:end], nil
}

// Proof proves that the entry with the index is in the log: one text (C2SP tlog-proof) that verifies offline. An entry
// that is not published yet, or has no index yet (-1), gives the fault "log.pending".
func (l *Log) Proof(ctx context.Context, index int64) (c2sp.Proof, error) {
	if index < 0 {
		return c2sp.Proof{}, errPending
	}
	proof := c2sp.Proof{Index: index}
	err := l.store.View(ctx, func(reader Reader) error {
		head, err := reader.LogHead()
		if err != nil {
			return err
		}
		published, err := checkpointOf(head.Published)
		if err != nil {
			return err
		}
		if index >= published.Tree.N {
			return errPending
		}
		proof.Checkpoint = head.Published
		hashes := storedHashes(reader)
		if proof.Hashes, err = tlog.ProveRecord(published.Tree.N, index, hashes); err != nil {
			return err
		}
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return err
		}
		// A proof that does not verify must not leave the house.
		if err := tlog.CheckRecord(proof.Hashes, published.Tree.N, published.Tree.Hash, index, leaf[0]); err != nil {
			return errDamaged("The tiles do not give the published root: audit the log and restore it.").Because(err)
		}
		return nil
	})
	return proof, err
}

// Consistency proves that the log of the newer size continues that of the older one (RFC 6962, section 2.1.2). Both
// sizes must be published.
func (l *Log) Consistency(ctx context.Context, older, newer int64) (proof tlog.TreeProof, err error) {
	err = l.store.View(ctx, func(reader Reader) error {
		head, err := reader.LogHead()
		if err != nil {
			return err
		}
		published, err := checkpointOf(head.Published)
		if err != nil {
			return err
		}
		if older < 1 || older > newer || newer > published.Tree.N {
			return fault.Newf(fault.Invalid, "log.sizes", "Ask for a proof between two sizes from 1 to %d, the older first.", published.Tree.N).
				With("max", strconv.FormatInt(published.Tree.N, 10))
		}
		proof, err = tlog.ProveTree(newer, older, storedHashes(reader))
		return err
	})
	return proof, err
}
