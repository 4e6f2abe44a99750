package signature

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"sync"
	"sync/atomic"
)

// remembered is how many signatures a generation of a Memory holds; it has two. One takes about 50 bytes.
const remembered = 1 << 15

// Memory is a ring that remembers which signatures fit: those that it made, and those that were verified through it.
// Verify computes each of them once at most while it is remembered, then compares a digest of the public key, the
// signature and the message. Whether the key belongs to the holder and was in force at the time is checked each time.
// It is safe for concurrent use.
type Memory struct {
	Ring

	mu              sync.Mutex
	recent, earlier map[[sha256.Size]byte]struct{} // guarded by mu

	made, computed atomic.Int64
}

// Remember returns the ring with a memory.
func Remember(ring Ring) *Memory {
	return &Memory{Ring: ring, recent: map[[sha256.Size]byte]struct{}{}}
}

// Sign implements Ring.
func (m *Memory) Sign(ctx context.Context, holder Holder, message []byte) (Signature, error) {
	made, err := m.Ring.Sign(ctx, holder, message)
	if err != nil {
		return made, err
	}
	m.made.Add(1)
	key, err := m.Key(made.Key)
	if err == nil && key.Custody == HeldByNode {
		m.remember(digest(key.Public, message, made.Bytes))
	}
	return made, nil
}

// Count returns how many signatures were made so far, and how many were verified by computing.
func (m *Memory) Count() (made, computed int64) { return m.made.Load(), m.computed.Load() }

func (m *Memory) fits(public ed25519.PublicKey, message, made []byte) bool {
	name := digest(public, message, made)
	m.mu.Lock()
	_, known := m.recent[name]
	if !known {
		_, known = m.earlier[name]
	}
	m.mu.Unlock()
	if known {
		return true
	}
	m.computed.Add(1)
	if !ed25519.Verify(public, message, made) {
		return false
	}
	m.remember(name)
	return true
}

func (m *Memory) remember(name [sha256.Size]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.recent) >= remembered {
		m.recent, m.earlier = make(map[[sha256.Size]byte]struct{}, remembered), m.recent
	}
	m.recent[name] = struct{}{}
}

// digest names a signature: key and signature have one length each, so that two different ones never have one name.
func digest(public ed25519.PublicKey, message, made []byte) (name [sha256.Size]byte) {
	hash := sha256.New()
	hash.Write(public)
	hash.Write(made)
	hash.Write(message)
	hash.Sum(name[:0])
	return name
}

// fits verifies a signature with the ring's memory, if it has one.
func fits(ring Ring, public ed25519.PublicKey, message, made []byte) bool {
	if len(made) != ed25519.SignatureSize || len(public) != ed25519.PublicKeySize {
		return false
	}
	if memory, ok := ring.(*Memory); ok {
		return memory.fits(public, message, made)
	}
	return ed25519.Verify(public, message, made)
}
