// Package seal owns the keys under which each subject's personal data is encrypted, so that destroying one key erases
// that subject everywhere: in records, in the journal, in copies and in backups of the database.
//
// The keys live in a store of their own, with a backup of its own, each wrapped by the installation's master key. A
// Vault opens the keys of the subjects that an act is about before the act begins; the Sealer it hands out then works
// without I/O, inside transactions.
//
// Sealing is AES-256-GCM with a random nonce; the subject and a context ("record:civil/person") are authenticated with
// it, so that a sealed value moved to another subject or another place does not open.
package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"sync"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

// KeySize is the size of a subject's key and of the master key, in bytes.
const KeySize = 32

// ErrErased is what opening erased data gives.
var ErrErased = fault.New(fault.Erased, "seal.erased", "This was erased by law. It cannot be brought back.")

// WrappedKey is a subject's key as the store keeps it.
type WrappedKey struct {
	Subject ident.Subject
	Wrapped []byte // encrypted under the master key; empty once erased
	Erased  bool
}

// Store keeps the wrapped keys, apart from every other data. Each method is durable when it returns.
type Store interface {
	// SubjectKeys returns the keys of those subjects that have one.
	SubjectKeys(ctx context.Context, subjects []ident.Subject) ([]WrappedKey, error)
	// AddSubjectKeys stores keys for subjects that have none; where another was faster, the stored one stays.
	AddSubjectKeys(ctx context.Context, keys []WrappedKey) error
	// EraseSubjectKey destroys the key for good, so that not even the store's file holds it, and remembers that it did.
	EraseSubjectKey(ctx context.Context, subject ident.Subject) error
	// Erased returns the subjects whose keys were destroyed, in order.
	Erased(ctx context.Context) ([]ident.Subject, error)
}

// Vault opens subjects' keys. It is safe for concurrent use.
type Vault struct {
	store    Store
	master   cipher.AEAD
	previous []cipher.AEAD // open what the master does not: keys that were not wrapped anew yet

	mu        sync.Mutex
	cache     map[ident.Subject]cipher.AEAD // guarded by mu; nil value: erased
	forgotten int                           // guarded by mu: how often keys were erased or forgotten
	onForget  []func(...ident.Subject)      // guarded by mu
}

// most keys that a vault keeps in memory; a key with its schedule takes about 600 bytes.
const cacheSize = 50_000

// NewVault returns a vault over the store, with a master key of KeySize bytes. Previous master keys open what was wrapped
// under them and wrap nothing.
func NewVault(store Store, master []byte, previous ...[]byte) (*Vault, error) {
	aead, err := newAEAD(master)
	if err != nil {
		return nil, err
	}
	v := &Vault{store: store, master: aead, cache: map[ident.Subject]cipher.AEAD{}}
	for _, key := range previous {
		if aead, err = newAEAD(key); err != nil {
			return nil, err
		}
		v.previous = append(v.previous, aead)
	}
	return v, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Open returns a sealer for the subjects, and makes keys for those that have none yet. Call it before the act.
func (v *Vault) Open(ctx context.Context, subjects ...ident.Subject) (*Sealer, error) {
	sealer := &Sealer{keys: make(map[ident.Subject]cipher.AEAD, len(subjects))}
	var unknown []ident.Subject
	v.mu.Lock()
	for _, subject := range subjects {
		if key, ok := v.cache[subject]; ok {
			sealer.keys[subject] = key
		} else if _, asked := sealer.keys[subject]; !asked {
			sealer.keys[subject] = nil
			unknown = append(unknown, subject)
		}
	}
	v.mu.Unlock()
	if len(unknown) == 0 {
		return sealer, nil
	}
	if err := v.load(ctx, sealer, unknown, true); err != nil {
		return nil, err
	}
	return sealer, nil
}

// OpenOnce returns a sealer for those subjects that have a key, for whoever reads of very many subjects once: it makes no
// keys, and pushes no key out of memory that others go on to use.
func (v *Vault) OpenOnce(ctx context.Context, subjects ...ident.Subject) (*Sealer, error) {
	sealer := &Sealer{keys: make(map[ident.Subject]cipher.AEAD, len(subjects))}
	stored, err := v.store.SubjectKeys(ctx, subjects)
	if err != nil {
		return nil, err
	}
	for _, wrapped := range stored {
		if sealer.keys[wrapped.Subject], err = v.unwrap(wrapped); err != nil {
			return nil, err
		}
	}
	return sealer, nil
}

// unwrap returns the key, nil if it was erased.
func (v *Vault) unwrap(wrapped WrappedKey) (cipher.AEAD, error) {
	if wrapped.Erased {
		return nil, nil
	}
	plain, _, err := v.plain(wrapped)
	if err != nil {
		return nil, err
	}
	return newAEAD(plain)
}

// plain returns a subject's key, and whether it is wrapped under a previous master key.
func (v *Vault) plain(wrapped WrappedKey) (key []byte, old bool, err error) {
	key, err = v.master.Open(nil, nil, wrapped.Wrapped, []byte(wrapped.Subject))
	if err == nil {
		return key, false, nil
	}
	for _, previous := range v.previous {
		if key, failed := previous.Open(nil, nil, wrapped.Wrapped, []byte(wrapped.Subject)); failed == nil {
			return key, true, nil
		}
	}
	return nil, false, fault.New(fault.Internal, "seal.master-key", "A subject's key does not open with this master key. Check which master key is configured.").Because(err)
}

// RewrapStore is a store whose keys can be wrapped anew.
type RewrapStore interface {
	// WrappedKeys returns up to so many keys that are not erased, of the subjects after the given one, in their order.
	WrappedKeys(ctx context.Context, after ident.Subject, limit int) ([]WrappedKey, error)
	// RewrapSubjectKeys stores what each key is wrapped as now, if it still is what it was; one that was erased meanwhile
	// stays erased. Keys are given with what they were before, in the same order.
	RewrapSubjectKeys(ctx context.Context, before, now []WrappedKey) error
}

// Rewrap wraps all keys that are wrapped under a previous master key under the newest, and returns how many those were. It
// may be ended at any moment and be run again. The keys themselves stay what they are, so nothing that they seal changes.
func (v *Vault) Rewrap(ctx context.Context, store RewrapStore) (count int, err error) {
	const batch = 1000
	for after := ident.Subject(""); ; {
		stored, err := store.WrappedKeys(ctx, after, batch)
		if err != nil || len(stored) == 0 {
			return count, err
		}
		after = stored[len(stored)-1].Subject
		var before, now []WrappedKey
		for _, one := range stored {
			key, old, err := v.plain(one)
			if err != nil {
				return count, err
			}
			if old {
				before = append(before, one)
				now = append(now, WrappedKey{Subject: one.Subject, Wrapped: v.master.Seal(nil, nil, key, []byte(one.Subject))})
			}
		}
		if err := store.RewrapSubjectKeys(ctx, before, now); err != nil {
			return count, err
		}
		count += len(now)
	}
}

// load fetches keys of the subjects into the sealer and the cache, and makes missing ones if asked to.
func (v *Vault) load(ctx context.Context, sealer *Sealer, subjects []ident.Subject, create bool) error {
	v.mu.Lock()
	asOf := v.forgotten
	v.mu.Unlock()
	stored, err := v.store.SubjectKeys(ctx, subjects)
	if err != nil {
		return err
	}
	found := make(map[ident.Subject]bool, len(stored))
	for _, wrapped := range stored {
		found[wrapped.Subject] = true
		key, err := v.unwrap(wrapped)
		if err != nil {
			return err
		}
		sealer.keys[wrapped.Subject] = key
		v.remember(wrapped.Subject, key, asOf)
	}
	if !create || len(found) == len(subjects) {
		return nil
	}
	var added []WrappedKey
	var missing []ident.Subject
	for _, subject := range subjects {
		if !found[subject] {
			plain := make([]byte, KeySize)
			rand.Read(plain)
			added = append(added, WrappedKey{Subject: subject, Wrapped: v.master.Seal(nil, nil, plain, []byte(subject))})
			missing = append(missing, subject)
		}
	}
	if err := v.store.AddSubjectKeys(ctx, added); err != nil {
		return err
	}
	// Read back: where another act was faster, its key counts.
	return v.load(ctx, sealer, missing, false)
}

// remember keeps a key that was read when so many had been forgotten; if others were since, it may be one of them.
func (v *Vault) remember(subject ident.Subject, key cipher.AEAD, asOf int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if asOf != v.forgotten {
		return
	}
	if len(v.cache) >= cacheSize {
		for some := range v.cache { // any one: the map's order is random
			delete(v.cache, some)
			break
		}
	}
	v.cache[subject] = key
}

// Forget drops the keys of the subjects from memory, those of all without any: another process may have erased them.
func (v *Vault) Forget(subjects ...ident.Subject) {
	v.mu.Lock()
	v.forgotten++
	if len(subjects) == 0 {
		clear(v.cache)
	}
	for _, subject := range subjects {
		delete(v.cache, subject)
	}
	told := v.onForget
	v.mu.Unlock()
	for _, forget := range told {
		forget(subjects...)
	}
}

// OnForget has whoever keeps opened data told what Forget is told, before Forget returns: that data goes with the keys.
func (v *Vault) OnForget(forget func(...ident.Subject)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.onForget = append(v.onForget, forget)
}

// Erased returns the subjects whose keys were destroyed, by any process, in order.
func (v *Vault) Erased(ctx context.Context) ([]ident.Subject, error) { return v.store.Erased(ctx) }

// Erase destroys the subject's key. The act that decides it and the event that names what is erased come first; this
// is their effect, and doing it twice does no harm.
func (v *Vault) Erase(ctx context.Context, subject ident.Subject) error {
	if err := v.store.EraseSubjectKey(ctx, subject); err != nil {
		return err
	}
	v.Forget(subject)
	return nil
}

// Sealer seals and unseals for the subjects it was opened for. It does no I/O and is safe for concurrent use.
type Sealer struct {
	keys map[ident.Subject]cipher.AEAD // nil value: erased
}

// Seal encrypts a value of the subject for the place that context names.
func (s *Sealer) Seal(subject ident.Subject, context string, plain []byte) ([]byte, error) {
	key, err := s.key(subject)
	if err != nil {
		return nil, err
	}
	return key.Seal(nil, nil, plain, authenticated(subject, context)), nil
}

// Unseal decrypts what Seal made for the same subject and context. Erased data gives ErrErased; changed data gives a
// fault with the code "seal.broken".
func (s *Sealer) Unseal(subject ident.Subject, context string, sealed []byte) ([]byte, error) {
	key, err := s.key(subject)
	if err != nil {
		return nil, err
	}
	plain, err := key.Open(nil, nil, sealed, authenticated(subject, context))
	if err != nil {
		return nil, fault.New(fault.Internal, "seal.broken", "Stored data does not open: it was changed, or its key was lost in a restoration (yagona restore check counts those). Run yagona audit verify.").Because(err)
	}
	return plain, nil
}

func (s *Sealer) key(subject ident.Subject) (cipher.AEAD, error) {
	key, opened := s.keys[subject]
	switch {
	case !opened:
		return nil, fault.New(fault.Internal, "seal.not-opened", "An act touched a subject whose key it did not open.")
	case key == nil:
		return nil, ErrErased
	}
	return key, nil
}

func authenticated(subject ident.Subject, context string) []byte {
	return []byte(string(subject) + "\x00" + context)
}
