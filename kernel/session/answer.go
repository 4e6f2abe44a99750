package session

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

// Answer is what a program was answered to a request that carried an Idempotency-Key.
//
// An answer may hold personal data, so it is encrypted with a key derived from the Idempotency-Key, which the store never
// sees: its name is a digest of it, Request an HMAC under it. Whoever holds the database alone can open none of them.
type Answer struct {
	Key     act.Key // whose answer it is
	Name    Digest  // of the Idempotency-Key
	Request []byte  // HMAC-SHA-256 of the request's method, route and content
	Sealed  []byte  // AES-256-GCM of the response, nonce first; empty while the request is being carried out
	Until   time.Time
}

// Answers keeps the answers to requests that may be repeated.
type Answers struct {
	store act.Store[Reader, Tx]
	keep  time.Duration
	claim time.Duration
}

// NewAnswers returns the answers of a store. An answer is kept for a day; a request that was begun and never answered
// (the machine stopped) may be begun again after claim, which must be longer than any request takes; zero: 30 seconds.
func NewAnswers(store act.Store[Reader, Tx], claim time.Duration) *Answers {
	if claim == 0 {
		claim = 30 * time.Second
	}
	return &Answers{store: store, keep: 24 * time.Hour, claim: claim}
}

// MinKey and MaxKey bound an Idempotency-Key, in bytes: it must not be guessed, and UUIDs have 36.
const (
	MinKey = 16
	MaxKey = 255
)

// Begin claims the idempotency key for a request of the person. If the same request has been answered under it, Begin
// returns that answer and true. If another request has used it, or this one is still being carried out, it returns
// Invalid or Conflict.
func (a *Answers) Begin(ctx context.Context, person ident.Person, key string, request []byte) ([]byte, bool, error) {
	if len(key) < MinKey || len(key) > MaxKey {
		return nil, false, fault.Newf(fault.Invalid, "idempotency.malformed",
			"An Idempotency-Key has %d to %d characters. Use a new random UUID for each new request.", MinKey, MaxKey)
	}
	lock, err := derive(key)
	if err != nil {
		return nil, false, err
	}
	name, print := Digest(sha256.Sum256([]byte(key))), lock.print(request)
	var known Answer
	var found bool
	err = a.store.Update(ctx, act.Of(person.Subject()), func(tx Tx) (err error) {
		known, found, err = tx.Answer(tx.Key(), name)
		if err != nil {
			return err
		}
		if found && tx.Now().Before(known.Until) {
			return nil
		}
		found = false
		return tx.SaveAnswer(Answer{Key: tx.Key(), Name: name, Request: print, Until: tx.Now().Add(a.claim)})
	})
	switch {
	case err != nil || !found:
		return nil, false, err
	case !hmac.Equal(known.Request, print):
		return nil, false, fault.New(fault.Invalid, "idempotency.other-request",
			"This Idempotency-Key was used for another request. Use a new one for a new request.")
	case len(known.Sealed) == 0:
		return nil, false, fault.New(fault.Conflict, "idempotency.in-progress",
			"The first request with this Idempotency-Key is still being carried out. Ask again in a few seconds.")
	}
	response, err := lock.open(known.Sealed)
	return response, err == nil, err
}

// Finish keeps the answer to a request that Begin let through.
func (a *Answers) Finish(ctx context.Context, person ident.Person, key string, request, response []byte) error {
	lock, err := derive(key)
	if err != nil {
		return err
	}
	sealed := lock.seal(response)
	return a.store.Update(ctx, act.Of(person.Subject()), func(tx Tx) error {
		return tx.SaveAnswer(Answer{
			Key: tx.Key(), Name: sha256.Sum256([]byte(key)), Request: lock.print(request), Sealed: sealed,
			Until: tx.Now().Add(a.keep),
		})
	})
}

// Abandon gives the key back after a request that failed on our side, so that it can be tried again.
func (a *Answers) Abandon(ctx context.Context, person ident.Person, key string) error {
	return a.store.Update(ctx, act.Of(person.Subject()), func(tx Tx) error {
		return tx.RemoveAnswer(sha256.Sum256([]byte(key)))
	})
}

// lock is what an Idempotency-Key derives: one key to recognise the request, one to seal the answer.
type lock struct {
	recognise []byte
	aead      cipher.AEAD
}

func derive(key string) (lock, error) {
	keys, err := hkdf.Key(sha256.New, []byte(key), nil, "yagona answer 1", 64)
	if err != nil {
		return lock{}, err
	}
	block, err := aes.NewCipher(keys[32:])
	if err != nil {
		return lock{}, err
	}
	aead, err := cipher.NewGCM(block)
	return lock{recognise: keys[:32], aead: aead}, err
}

func (l lock) print(request []byte) []byte {
	mac := hmac.New(sha256.New, l.recognise)
	mac.Write(request)
	return mac.Sum(nil)
}

func (l lock) seal(plain []byte) []byte {
	nonce := make([]byte, l.aead.NonceSize())
	rand.Read(nonce)
	return l.aead.Seal(nonce, nonce, plain, nil)
}

func (l lock) open(sealed []byte) ([]byte, error) {
	if len(sealed) < l.aead.NonceSize() {
		return nil, fmt.Errorf("a kept answer of %d bytes is cut short", len(sealed))
	}
	nonce, rest := sealed[:l.aead.NonceSize()], sealed[l.aead.NonceSize():]
	plain, err := l.aead.Open(nil, nonce, rest, nil)
	if err != nil {
		return nil, fmt.Errorf("open a kept answer: %w", err)
	}
	return plain, nil
}
