package transparency

import (
	"context"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/fault"
	"yagona/kernel/signature"
)

// CheckpointSigner holds the log's key.
type CheckpointSigner interface {
	// Verifier returns the public half. Its name is the log's origin.
	Verifier() note.Verifier
	// SignCheckpoint signs a checkpoint's text and returns the bare signature. It may be slow; it is never called in a
	// transaction.
	SignCheckpoint(ctx context.Context, text []byte) ([]byte, error)
}

// NoteSigner returns the holder of a pair of keys as note.GenerateKey makes them.
func NoteSigner(private, public string) (CheckpointSigner, error) {
	signer, err := note.NewSigner(private)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return nil, err
	}
	if signer.Name() != verifier.Name() || signer.KeyHash() != verifier.KeyHash() {
		return nil, fault.New(fault.Invalid, "log.key-pair", "The log's private and public keys are not a pair. Give both halves of one key.")
	}
	return noteSigner{signer, verifier}, nil
}

type noteSigner struct {
	signer   note.Signer
	verifier note.Verifier
}

func (s noteSigner) Verifier() note.Verifier { return s.verifier }

func (s noteSigner) SignCheckpoint(_ context.Context, text []byte) ([]byte, error) {
	return s.signer.Sign(text)
}

// RingSigner returns the holder's key of a ring as the key of the log with the origin. The holder must sign nothing but
// this log's checkpoints: the context line of what it signs is the origin. A key that is rotated in signs only once the
// signer was made anew; the witnesses and auditors must know it by then.
func RingSigner(ring signature.Ring, holder signature.Holder, origin string) (CheckpointSigner, error) {
	for _, key := range ring.Keys() {
		if key.Holder != holder || !key.Until.IsZero() {
			continue
		}
		public, err := note.NewEd25519VerifierKey(origin, key.Public)
		if err != nil {
			return nil, err
		}
		verifier, err := note.NewVerifier(public)
		if err != nil {
			return nil, err
		}
		return ringSigner{ring, holder, verifier}, nil
	}
	return nil, fault.Newf(fault.NotFound, "log.no-key", "There is no key in force of %s to sign the log with. Make one.", holder)
}

type ringSigner struct {
	ring     signature.Ring
	holder   signature.Holder
	verifier note.Verifier
}

func (s ringSigner) Verifier() note.Verifier { return s.verifier }

func (s ringSigner) SignCheckpoint(ctx context.Context, text []byte) ([]byte, error) {
	made, err := s.ring.Sign(ctx, s.holder, text)
	return made.Bytes, err
}
