// Package keyfile keeps signing keys and secrets as files in one folder, readable by their owner only: the default
// keeper behind signature.Ring. A hardware module takes its place by implementing the same interface.
//
// A signing key is one JSON file. A holder may have several: the newest whose term has begun signs, all verify. Writing is
// atomic (a new file, synced, then renamed), so a crash leaves a whole file or none. Several processes may share a folder:
// what one of them makes the others find when they need it. A key is therefore rotated in ahead of time: every process has
// read the new one before its term begins, and all change at the same moment.
package keyfile

import (
	"bytes"
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
	"yagona/std/wholefile"
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

// Rotate makes a new key for the holder, whose term begins at the time; there the terms of the old ones end. Announce is
// told of it before anything is written; its error leaves everything as it is. If the process dies in between, a key was
// announced that never signs.
func (f *Folder) Rotate(holder signature.Holder, from time.Time, announce func(fresh signature.Key, old []signature.Key) error) (signature.Key, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	unlock, err := lockFolder(f.path) // so that two do not rotate at once
	if err != nil {
		return signature.Key{}, err
	}
	defer unlock()
	if err := f.read(); err != nil {
		return signature.Key{}, err
	}
	var old []signature.Key
	for _, key := range f.keys {
		if key.Holder == holder && key.Custody == signature.HeldByNode && key.Until.IsZero() {
			old = append(old, key)
		}
	}
	if len(old) == 0 {
		return signature.Key{}, noKey(holder)
	}
	if newest := old[len(old)-1]; newest.From.After(f.clock()) {
		return signature.Key{}, fmt.Errorf("a key of %s was rotated in already, and its term begins at %s: rotate again after it", holder, newest.From.UTC().Format(time.RFC3339))
	}
	fresh, err := generate(holder, from)
	if err != nil {
		return signature.Key{}, err
	}
	if err := announce(fresh.Key, old); err != nil {
		return signature.Key{}, err
	}
	if err := f.write(fresh); err != nil {
		return signature.Key{}, err
	}
	for _, key := range old {
		key.Until = fresh.From
		if err := f.write(file{Key: key, Seed: f.private[key.ID].Seed()}); err != nil {
			return signature.Key{}, err
		}
	}
	return fresh.Key, f.read()
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
	stored, err := generate(holder, f.clock())
	if err != nil {
		return signature.Key{}, err
	}
	if err := f.write(stored); err != nil {
		return signature.Key{}, err
	}
	return stored.Key, f.add(stored)
}

// generate makes a key that is nowhere yet.
func generate(holder signature.Holder, from time.Time) (file, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return file{}, err
	}
	return file{Key: signature.Key{
		ID: signature.KeyID(public), Holder: holder, Public: public, Custody: signature.HeldByNode, From: from.UTC(),
	}, Seed: private.Seed()}, nil
}

func (f *Folder) write(stored file) error {
	data, err := json.MarshalIndent(stored, "", "\t")
	if err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(f.path, stored.ID+".key.json"), append(data, '\n'))
}

// inForce returns the holder's newest key whose term has begun; its oldest, if the clock stands before all of them.
func (f *Folder) inForce(holder signature.Holder) (found signature.Key, ok bool) {
	now := f.clock()
	for _, key := range f.keys {
		if _, own := f.private[key.ID]; own && key.Holder == holder && (!ok || !key.From.After(now)) {
			found, ok = key, true
		}
	}
	return found, ok
}

func noKey(holder signature.Holder) error {
	return fault.Newf(fault.NotFound, "signature.no-key", "This installation holds no key of %s in force. Make or import one.", holder)
}

// refresh reads the keys again if another process changed them.
func (f *Folder) refresh() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	f.mu.RLock()
	same := info.ModTime().Equal(f.asOf)
	f.mu.RUnlock()
	if same {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.readAgain()
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
	if err := f.refresh(); err != nil {
		return signature.Signature{}, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	key, ok := f.inForce(holder)
	if !ok {
		return signature.Signature{}, noKey(holder)
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
		return nil, noKey(holder)
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
		err = wholefile.Write(path, secret)
	}
	if err == nil && len(secret) != 32 {
		err = fmt.Errorf("%s: a secret has 32 bytes, this file has %d: put the right file back from its backup", path, len(secret))
	}
	return secret, err
}

// previousSecret is where the secret that was renewed last stays, until nothing needs it any more.
const previousSecret = "-previous.secret"

// PreviousSecret returns the secret that was in place of the one of the name before it was renewed; nil: there is none.
func (f *Folder) PreviousSecret(name string) ([]byte, error) {
	secret, err := os.ReadFile(filepath.Join(f.path, name+previousSecret))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return secret, err
}

// RenewSecret makes a new secret in place of the one of the name, and keeps that as the previous one. Announce is called
// before anything is written; its error leaves everything as it is.
func (f *Folder) RenewSecret(name string, announce func() error) error {
	old, err := f.Secret(name)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	unlock, err := lockFolder(f.path)
	if err != nil {
		return err
	}
	defer unlock()
	if previous, err := f.PreviousSecret(name); err != nil || previous != nil && !bytes.Equal(previous, old) {
		return errors.Join(err, fmt.Errorf("the secret %s was renewed before, and the previous one is still there: finish that first", name))
	}
	if err := announce(); err != nil {
		return err
	}
	// The old one is safe before the new one takes its place.
	if err := wholefile.Write(filepath.Join(f.path, name+previousSecret), old); err != nil {
		return err
	}
	fresh := make([]byte, 32)
	rand.Read(fresh)
	return wholefile.Write(filepath.Join(f.path, name+".secret"), fresh)
}

// ForgetPreviousSecret removes the previous secret. What is still sealed under it is lost.
func (f *Folder) ForgetPreviousSecret(name string) error {
	return os.Remove(filepath.Join(f.path, name+previousSecret))
}
