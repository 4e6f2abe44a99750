package keyfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"yagona/kernel/seal"
	"yagona/std/wholefile"
)

// The index key's first generation is in index.secret, the second in index-2.secret, and so on. All that are there are in use.

const indexName = "index"

// IndexFile returns where a generation of the index key is kept.
func (f *Folder) IndexFile(generation int) string {
	name := indexName
	if generation > 1 {
		name += "-" + strconv.Itoa(generation)
	}
	return filepath.Join(f.path, name+".secret")
}

// IndexKeys returns the index keys that are in the folder, the oldest first; it makes the first if there is none.
func (f *Folder) IndexKeys() ([]seal.IndexKey, error) {
	for {
		found, err := f.indexKeys()
		if err != nil || len(found) > 0 {
			return found, err
		}
		if _, err := f.Secret(indexName); err != nil {
			return nil, err
		}
	}
}

func (f *Folder) indexKeys() (found []seal.IndexKey, err error) {
	names, err := filepath.Glob(filepath.Join(f.path, indexName+"*.secret"))
	if err != nil {
		return nil, err
	}
	for _, path := range names {
		generation, said := 1, strings.TrimPrefix(strings.TrimSuffix(filepath.Base(path), ".secret"), indexName)
		if said != "" {
			if generation, err = strconv.Atoi(strings.TrimPrefix(said, "-")); err != nil || path != f.IndexFile(generation) {
				return nil, fmt.Errorf("%s: this is not the name of an index key: they are index.secret, index-2.secret and so on", path)
			}
		}
		secret, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if len(secret) != 32 {
			return nil, fmt.Errorf("%s: a secret has 32 bytes, this file has %d: put the right file back from its backup", path, len(secret))
		}
		found = append(found, seal.IndexKey{Generation: generation, Secret: secret})
	}
	slices.SortFunc(found, func(a, b seal.IndexKey) int { return a.Generation - b.Generation })
	for i := 1; i < len(found); i++ {
		switch newer, older := found[i], found[i-1]; {
		case newer.Generation != older.Generation+1:
			return nil, fmt.Errorf("%s does not follow %s: no rotation made it; remove it, or put back from a backup what is missing between them",
				f.IndexFile(newer.Generation), f.IndexFile(older.Generation))
		case slices.Equal(newer.Secret, older.Secret):
			return nil, fmt.Errorf("%s is a copy of %s: no rotation made it; remove it", f.IndexFile(newer.Generation), f.IndexFile(older.Generation))
		}
	}
	return found, nil
}

// WatchIndexKeys returns the index keys that are in the folder whenever they are asked for. While the folder cannot be
// read, they are what they were.
func (f *Folder) WatchIndexKeys() (seal.IndexKeys, error) {
	known, err := f.IndexKeys()
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var asOf time.Time // guarded by mu, as known is
	return func() []seal.IndexKey {
		mu.Lock()
		defer mu.Unlock()
		info, err := os.Stat(f.path)
		// A change so short ago may not have moved the time on.
		if err != nil || info.ModTime().Equal(asOf) && time.Since(asOf).Abs() > time.Second {
			return known
		}
		if found, err := f.indexKeys(); err == nil && len(found) > 0 {
			known, asOf = found, info.ModTime()
		}
		return known
	}, nil
}

// RotateIndexKey makes the next index key beside the one that is there. Announce is told of its generation before anything is
// written; its error leaves everything as it is.
func (f *Folder) RotateIndexKey(announce func(generation int) error) (generation int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	unlock, err := lockFolder(f.path)
	if err != nil {
		return 0, err
	}
	defer unlock()
	found, err := f.indexKeys()
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, errors.New("there is no index key yet: open the installation first")
	case len(found) > 1:
		return 0, errors.New("the index key was rotated before, and the previous one is still in use: finish that first, with yagona key reindex")
	}
	generation = found[0].Generation + 1
	if err := announce(generation); err != nil {
		return 0, err
	}
	fresh := make([]byte, 32)
	rand.Read(fresh)
	return generation, wholefile.Write(f.IndexFile(generation), fresh)
}

// ForgetIndexKeys removes all index keys but the newest: what was hashed under them is not found any more.
func (f *Folder) ForgetIndexKeys() error {
	found, err := f.indexKeys()
	if err != nil || len(found) == 0 {
		return err
	}
	for _, old := range found[:len(found)-1] {
		if err := os.Remove(f.IndexFile(old.Generation)); err != nil {
			return err
		}
	}
	return wholefile.Sync(f.path)
}
