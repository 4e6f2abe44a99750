package transparency

import (
	"context"
	"sync"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/fault"
	"yagona/kernel/signature"
)

// CheckpointSigner holds the log's key.
type CheckpointSigner interface {
	// Verifier returns the public half of the key that signed last. Its name is the log's origin.
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

// RingSigner returns the holder's keys of a ring as the keys of the log with the origin. The holder must sign nothing but
// this log's checkpoints: the context line of what it signs is the origin. Once another key has been rotated in, it is the
// one that signs; the witnesses and auditors must know it by then.
func RingSigner(ring signature.Ring, holder signature.Holder, origin string) (CheckpointSigner, error) {
	s := &ringSigner{ring: ring, holder: holder, origin: origin}
	made, err := ring.Sign(context.Background(), holder, []byte(origin+"\n")) // of a log without a size: it tells which key signs
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Newf(fault.NotFound, "log.no-key", "There is no key in force of %s to sign the log with. Make one.", holder)
	}
	if err != nil {
		return nil, err
	}
	return s, s.use(made.Key)
}

type ringSigner struct {
	ring   signature.Ring
	holder signature.Holder
	origin string

	mu       sync.Mutex
	key      string        // guarded by mu: the id of the key that signed last
	verifier note.Verifier // guarded by mu: its public half
}

// use makes the key the one whose public half verifies.
func (s *ringSigner) use(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == s.key {
		return nil
	}
	key, err := s.ring.Key(id)
	if err != nil {
		return err
	}
	public, err := note.NewEd25519VerifierKey(s.origin, key.Public)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(public)
	if err == nil {
		s.key, s.verifier = id, verifier
	}
	return err
}

// Verifier implements CheckpointSigner: of the key that signed last.
func (s *ringSigner) Verifier() note.Verifier {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.verifier
}

// SignCheckpoint implements CheckpointSigner.
func (s *ringSigner) SignCheckpoint(ctx context.Context, text []byte) ([]byte, error) {
	made, err := s.ring.Sign(ctx, s.holder, text)
	if err != nil {
		return nil, err
	}
	return made.Bytes, s.use(made.Key)
}
