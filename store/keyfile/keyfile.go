// Package keyfile keeps signing keys and secrets as files in one folder, readable by their owner only: the default
// keeper behind signature.Ring. A hardware module takes its place by implementing the same interface.
//
// A signing key is one JSON file. A holder may have several: the newest in force signs, all verify. Writing is atomic
// (a new file, synced, then renamed), so a crash leaves a whole file or none. Several processes may share a folder: what
// one of them makes the others find when they need it.
package keyfile

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/signature"
)

// Folder is an open folder of keys. It is safe for concurrent use.
type Folder struct {
	path  string
	clock act.Clock

	mu      sync.RWMutex
	keys    []signature.Key               // guarded by mu; oldest first
	private map[string]ed25519.PrivateKey // guarded by mu; by key id
	asOf    time.Time                     // guarded by mu; when the folder had changed last as the keys were read
}

type file struct {
	signature.Key
	Seed []byte `json:"seed,omitempty"` // 32 bytes; absent where only the public half is known
}

// Open opens the folder and reads its keys; the folder is made if it is not there.
func Open(path string, clock act.Clock) (*Folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	folder := &Folder{path: path, clock: clock}
	return folder, folder.read()
}

// read reads all keys, in place of those that are known. The folder's mu is held, or nobody else has the folder.
func (f *Folder) read() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(f.path, "*.key.json"))
	if err != nil {
		return err
	}
	fresh := &Folder{private: map[string]ed25519.PrivateKey{}}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var stored file
		if err := json.Unmarshal(data, &stored); err != nil {
			return fmt.Errorf("%s: this is not a key file: %w", name, err)
		}
		if err := fresh.add(stored); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	f.keys, f.private, f.asOf = fresh.keys, fresh.private, info.ModTime()
	return nil
}

// readAgain reads the keys again if another process may have changed them. The folder's mu is held.
func (f *Folder) readAgain() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	// A change so short ago may not have moved the time on.
	if info.ModTime().Equal(f.asOf) && time.Since(f.asOf).Abs() > time.Second {
		return nil
	}
	return f.read()
}

func (f *Folder) add(stored file) error {
	if len(stored.Public) != ed25519.PublicKeySize || stored.ID != signature.KeyID(stored.Public) {
		return errors.New("the key's id does not fit its public half: the file was changed")
	}
	if stored.Seed != nil {
		if len(stored.Seed) != ed25519.SeedSize {
			return errors.New("the key's seed is not 32 bytes long")
		}
		private := ed25519.NewKeyFromSeed(stored.Seed)
		if !stored.Public.Equal(private.Public()) {
			return errors.New("the key's two halves do not belong together: the file was changed")
		}
		f.private[stored.ID] = private
	}
	f.keys = append(f.keys, stored.Key)
	slices.SortStableFunc(f.keys, func(a, b signature.Key) int { return a.From.Compare(b.From) })
	return nil
}

// Ensure makes a key for each holder that has none in force, and returns the holders' keys in force.
func (f *Folder) Ensure(holders ...signature.Holder) ([]signature.Key, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	missing := slices.ContainsFunc(holders, func(holder signature.Holder) bool { _, ok := f.inForce(holder); return !ok })
	if missing {
		unlock, err := lockFolder(f.path) // so that two processes do not make two
		if err != nil {
			return nil, err
		}
		defer unlock()
		if err := f.readAgain(); err != nil {
			return nil, err
		}
	}
	keys := make([]signature.Key, len(holders))
	for i, holder := range holders {
		key, ok := f.inForce(holder)
		if !ok {
			var err error
			if key, err = f.create(holder); err != nil {
				return nil, err
			}
		}
		keys[i] = key
	}
	return keys, nil
}

// Rotate makes a new key for the holder and ends the term of the old ones.
func (f *Folder) Rotate(holder signature.Holder) (signature.Key, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fresh, err := f.create(holder)
	if err != nil {
		return signature.Key{}, err
	}
	for i, key := range f.keys {
		if key.Holder != holder || key.ID == fresh.ID || !key.Until.IsZero() {
			continue
		}
		f.keys[i].Until = fresh.From
		stored := file{Key: f.keys[i]}
		if private, ok := f.private[key.ID]; ok {
			stored.Seed = private.Seed()
		}
		if err := f.write(stored); err != nil {
			return signature.Key{}, err
		}
	}
	return fresh, nil
}

// Trust adds the public key of a holder who keeps the private half.
func (f *Folder) Trust(holder signature.Holder, public ed25519.PublicKey) (signature.Key, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range f.keys {
		if key.ID == signature.KeyID(public) {
			if key.Holder != holder {
				return signature.Key{}, fault.New(fault.Conflict, "signature.other-holder", "This key is known as somebody else's.")
			}
			return key, nil
		}
	}
	stored := file{Key: signature.Key{
		ID: signature.KeyID(public), Holder: holder, Public: public, Custody: signature.HeldByHolder, From: f.clock().UTC(),
	}}
	if err := f.write(stored); err != nil {
		return signature.Key{}, err
	}
	return stored.Key, f.add(stored)
}

func (f *Folder) create(holder signature.Holder) (signature.Key, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return signature.Key{}, err
	}
	stored := file{Key: signature.Key{
		ID: signature.KeyID(public), Holder: holder, Public: public, Custody: signature.HeldByNode, From: f.clock().UTC(),
	}, Seed: private.Seed()}
	if err := f.write(stored); err != nil {
		return signature.Key{}, err
	}
	return stored.Key, f.add(stored)
}

func (f *Folder) write(stored file) error {
	data, err := json.MarshalIndent(stored, "", "\t")
	if err != nil {
		return err
	}
	return WriteWhole(filepath.Join(f.path, stored.ID+".key.json"), append(data, '\n'))
}

// WriteWhole writes a file that only its owner reads, whole or not at all.
func WriteWhole(path string, data []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(data)
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

func (f *Folder) inForce(holder signature.Holder) (signature.Key, bool) {
	for _, key := range slices.Backward(f.keys) {
		if _, own := f.private[key.ID]; own && key.Holder == holder && key.Until.IsZero() {
			return key, true
		}
	}
	return signature.Key{}, false
}

func (f *Folder) known(id string) (signature.Key, bool) {
	at := slices.IndexFunc(f.keys, func(key signature.Key) bool { return key.ID == id })
	if at < 0 {
		return signature.Key{}, false
	}
	return f.keys[at], true
}

// Sign implements signature.Ring.
func (f *Folder) Sign(_ context.Context, holder signature.Holder, message []byte) (signature.Signature, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	key, ok := f.inForce(holder)
	if !ok {
		return signature.Signature{}, fault.Newf(fault.NotFound, "signature.no-key", "This installation holds no key of %s in force. Make or import one.", holder)
	}
	return signature.Signature{Key: key.ID, Bytes: ed25519.Sign(f.private[key.ID], message)}, nil
}

// Key implements signature.Ring.
func (f *Folder) Key(id string) (signature.Key, error) {
	f.mu.RLock()
	key, ok := f.known(id)
	f.mu.RUnlock()
	if ok {
		return key, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.readAgain(); err != nil {
		return signature.Key{}, err
	}
	if key, ok := f.known(id); ok {
		return key, nil
	}
	return signature.Key{}, fault.Newf(fault.NotFound, "signature.unknown-key", "The key %s is not known here.", id)
}

// Keys implements signature.Ring.
func (f *Folder) Keys() []signature.Key {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return slices.Clone(f.keys)
}

// Private returns the private half of the holder's key in force, for formats that sign themselves (signed notes).
func (f *Folder) Private(holder signature.Holder) (ed25519.PrivateKey, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	key, ok := f.inForce(holder)
	if !ok {
		return nil, fault.Newf(fault.NotFound, "signature.no-key", "This installation holds no key of %s in force. Make or import one.", holder)
	}
	return f.private[key.ID], nil
}

// Secret returns the 32 random bytes kept under the name, and makes them if they are not there.
func (f *Folder) Secret(name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := filepath.Join(f.path, name+".secret")
	secret, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		unlock, failed := lockFolder(f.path)
		if failed != nil {
			return nil, failed
		}
		defer unlock()
		secret, err = os.ReadFile(path) // another process may have made it
	}
	if errors.Is(err, fs.ErrNotExist) {
		secret = make([]byte, 32)
		rand.Read(secret)
		err = WriteWhole(path, secret)
	}
	if err == nil && len(secret) != 32 {
		err = fmt.Errorf("%s: a secret has 32 bytes, this file has %d: put the right file back from its backup", path, len(secret))
	}
	return secret, err
}
