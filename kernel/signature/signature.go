// Package signature owns who stands behind what: the holders of signing keys, their public keys and their terms.
//
// All signatures are Ed25519 (RFC 8032). A signature is made outside every transaction. Each use of it begins its
// message with a context line of its own ("yagona evidence question v1\n"), so that a signature made for one purpose is
// worth nothing for another. A key that the node holds for an agency says so (Custody): the agency's name on a
// signature is then only as good as the node's operator.
//
// Invariants: a key's id is derived from its public half and never reused; a key that was rotated out no longer signs
// and still verifies what it signed during its term.
package signature

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

// Holder is who a key belongs to.
type Holder string

// Node is the holder of what the installation itself signs.
const Node Holder = "node"

// OfAgency returns the holder that an agency is.
func OfAgency(agency ident.Agency) Holder { return Holder("agency:" + agency) }

// OfPerson returns the holder that a person is.
func OfPerson(person ident.Person) Holder { return Holder("person:" + person) }

// Custody says in whose hands the private half is.
type Custody string

// The custodies.
const (
	HeldByNode   Custody = "node"   // the installation holds it on the holder's behalf
	HeldByHolder Custody = "holder" // the installation knows the public half only
)

// Key is the public half of a signing key with its term.
type Key struct {
	ID      string            `json:"id"` // KeyID of Public
	Holder  Holder            `json:"holder"`
	Public  ed25519.PublicKey `json:"public"` // 32 bytes
	Custody Custody           `json:"custody"`
	From    time.Time         `json:"from"`
	Until   time.Time         `json:"until,omitzero"` // zero: in force
}

// KeyID returns the id of a public key: the first 16 hexadecimal digits of its SHA-256.
func KeyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// Signature is an Ed25519 signature and the key that made it.
type Signature struct {
	Key   string `json:"key"`
	Bytes []byte `json:"bytes"` // 64 bytes
}

// Ring makes and checks signatures. It is safe for concurrent use.
type Ring interface {
	// Sign signs the message with the holder's key in force. A holder whose key is not in this ring's hands gives
	// fault.NotFound. It may take as long as a hardware module takes: never call it inside a transaction.
	Sign(ctx context.Context, holder Holder, message []byte) (Signature, error)
	// Key returns the public key with the id, in force or not.
	Key(id string) (Key, error)
	// Keys returns all public keys, oldest first.
	Keys() []Key
}

// Verify checks that the holder signed the message, with a key whose term includes the given time.
func Verify(ring Ring, holder Holder, message []byte, made Signature, at time.Time) error {
	key, err := ring.Key(made.Key)
	if err != nil {
		return err
	}
	switch {
	case key.Holder != holder:
		return fault.Newf(fault.Forbidden, "signature.other-holder", "The key %s does not belong to %s.", made.Key, holder)
	case at.Before(key.From), !key.Until.IsZero() && !at.Before(key.Until):
		return fault.Newf(fault.Forbidden, "signature.out-of-term", "The key %s was not in force at that time.", made.Key)
	case !fits(ring, key.Public, message, made.Bytes):
		return fault.Newf(fault.Forbidden, "signature.wrong", "The signature by key %s does not fit: what was signed has been changed.", made.Key)
	}
	return nil
}
