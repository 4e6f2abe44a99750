package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// IndexKey is a key under which values are found whose holders' data is sealed: a table holds the value's hash under it. It
// is not in the database. Who has both can try every value there may be; so it is rotated, and each hash says by which
// generation of the key it was made.
type IndexKey struct {
	Generation int    // from 1
	Secret     []byte // 32 bytes
}

// IndexKeys returns the keys that are in use now, the oldest first: one; more while the key is rotated. Whoever writes a hash
// writes it under each of them, and whoever claims a value claims it in this order, so that processes that do not know the
// newest key yet and those that have forgotten the oldest agree with those that know both. Where two keys lead to two holders,
// the newest one's is right.
type IndexKeys func() []IndexKey

// OneIndexKey returns a key that is not rotated: its first generation.
func OneIndexKey(secret []byte) IndexKeys {
	keys := []IndexKey{{Generation: 1, Secret: secret}}
	return func() []IndexKey { return keys }
}

// Hash returns the first bytes of the content's HMAC-SHA-256 under the key in hexadecimal, after the key's generation and a
// full stop if it is not the first.
func (k IndexKey) Hash(bytes int, content []byte) string {
	mac := hmac.New(sha256.New, k.Secret)
	mac.Write(content)
	return k.Prefix() + hex.EncodeToString(mac.Sum(nil)[:bytes])
}

// Prefix returns what every hash under the key begins with: nothing under the first generation.
func (k IndexKey) Prefix() string {
	if k.Generation == 1 {
		return ""
	}
	return strconv.Itoa(k.Generation) + "."
}

// MadeBy reports whether the hash was made by one of the keys.
func MadeBy(keys []IndexKey, hash string) bool {
	generation := 1
	if before, _, later := strings.Cut(hash, "."); later {
		generation, _ = strconv.Atoi(before)
	}
	for _, key := range keys {
		if key.Generation == generation {
			return true
		}
	}
	return false
}
