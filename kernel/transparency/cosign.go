package transparency

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"yagona/kernel/fault"
	"yagona/std/c2sp"
)

const (
	// patience is how long the witnesses have to answer.
	patience = 2 * time.Second
	// grace is how long the others have once the quorum answered.
	grace = 100 * time.Millisecond
)

// Witness is someone outside the operator's hands who cosigns only what continues what they cosigned before.
type Witness interface {
	// Verifier returns the witness's public key.
	Verifier() *c2sp.CosignatureVerifier
	// Cosign submits a checkpoint (tlog-witness, add-checkpoint) and returns the body of the answer 200. Any other
	// answer of the witness is a *c2sp.Refusal.
	Cosign(ctx context.Context, request c2sp.AddCheckpoint) ([]byte, error)
}

// witnessed is a witness and what this process remembers of it.
type witnessed struct {
	Witness
	size  int64 // what it cosigned last; a hint, corrected by its answer 409
	known bool
}

// distinct checks that no witness is counted twice.
func distinct(keys []*c2sp.CosignatureVerifier) error {
	for i, key := range keys {
		for _, other := range keys[:i] {
			if bytes.Equal(key.PublicKey(), other.PublicKey()) {
				return fault.Newf(fault.Invalid, "log.same-witness", "The witnesses %s and %s have the same key: they are one. Remove one of them.", key.Name(), other.Name())
			}
		}
	}
	return nil
}

// cosign asks all witnesses at once and returns their cosignatures in the order of the configuration, or an error that
// says why the quorum was not reached. A witness of which nothing is known is taken to know the size from.
func (s *Sequencer) cosign(ctx context.Context, signed []byte, from, size int64) ([]note.Signature, error) {
	type answer struct {
		number    int
		signature note.Signature
		err       error
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answers := make(chan answer, len(s.witnesses))
	for number, witness := range s.witnesses {
		if !witness.known {
			witness.size = from
		}
		go func(start int64) {
			signature, err := s.ask(ctx, witness.Witness, signed, start, size)
			answers <- answer{number, signature, err}
		}(witness.size)
	}
	made := make([]note.Signature, len(s.witnesses))
	missing := make([]error, len(s.witnesses))
	count := 0
	var enough <-chan time.Time
	for waiting := len(s.witnesses); waiting > 0; {
		if count >= s.config.Quorum && enough == nil {
			enough = time.After(grace)
		}
		select {
		case one := <-answers:
			waiting--
			made[one.number], missing[one.number] = one.signature, one.err
			if one.err == nil {
				count++
			}
			s.remember(one.number, size, one.err)
		case <-enough:
			cancel() // the rest catch up with the next checkpoint
			enough = make(chan time.Time)
		}
	}
	if count < s.config.Quorum {
		return nil, fault.Newf(fault.Unavailable, "log.no-quorum", "%d of %d witnesses cosigned, %d must. What they did not cosign stays pending.",
			count, len(s.witnesses), s.config.Quorum).Because(errors.Join(missing...))
	}
	var cosignatures []note.Signature
	for number, signature := range made {
		if missing[number] == nil {
			cosignatures = append(cosignatures, signature)
		}
	}
	return cosignatures, nil
}

// WitnessedSizes asks each witness how far it has cosigned this log, by submitting once more the newest checkpoint that the
// log signed: who knows another size says so. It returns sizes and failures by the witnesses' names; in a log without a
// checkpoint there is nothing to ask with, and nothing is returned.
func (s *Sequencer) WitnessedSizes(ctx context.Context) (sizes map[string]int64, failures map[string]error, err error) {
	var head Head
	err = s.config.Store.View(ctx, func(reader Reader) (err error) {
		head, err = reader.LogHead()
		return err
	})
	if err != nil || head.Signed == nil {
		return nil, nil, err
	}
	signed, err := checkpointOf(head.Signed)
	if err != nil {
		return nil, nil, err
	}
	sizes, failures = s.sizes(ctx, signed.Tree.N, head.Signed)
	return sizes, failures, nil
}

// WitnessedUnder asks each witness how far it has cosigned a log under the signer's origin, whatever the store has: it
// submits the checkpoint of a log without entries, which contradicts none. A witness that does not know the origin is a
// failure.
func (s *Sequencer) WitnessedUnder(ctx context.Context) (sizes map[string]int64, failures map[string]error, err error) {
	root, err := tlog.TreeHash(0, nil)
	if err != nil {
		return nil, nil, err
	}
	empty, err := s.signCheckpoint(ctx, c2sp.Checkpoint{Origin: s.config.Signer.Verifier().Name(), Tree: tlog.Tree{Hash: root}})
	if err != nil {
		return nil, nil, err
	}
	sizes, failures = s.sizes(ctx, 0, empty)
	return sizes, failures, nil
}

// sizes asks each witness what it knows by submitting a checkpoint that adds nothing to its size.
func (s *Sequencer) sizes(ctx context.Context, size int64, signed []byte) (sizes map[string]int64, failures map[string]error) {
	sizes, failures = map[string]int64{}, map[string]error{}
	for _, witness := range s.witnesses {
		name := witness.Verifier().Name()
		asking, cancel := context.WithTimeout(ctx, patience)
		_, err := witness.Cosign(asking, c2sp.AddCheckpoint{Old: size, Checkpoint: signed})
		cancel()
		refusal, refused := errors.AsType[*c2sp.Refusal](err)
		switch {
		case err == nil:
			sizes[name] = size
		case refused && refusal.Size >= 0:
			sizes[name] = refusal.Size
		default:
			failures[name] = err
		}
	}
	return sizes, failures
}

// remember keeps what a witness answered.
func (s *Sequencer) remember(number int, size int64, err error) {
	witness := s.witnesses[number]
	s.guard.Lock()
	defer s.guard.Unlock()
	status := &s.statuses[number]
	status.Failure = ""
	if err == nil {
		witness.size, witness.known = size, true
		status.Size = size
		return
	}
	witness.known = false
	status.Failure = strings.ReplaceAll(err.Error(), "\n", " ")
}

// ask submits a checkpoint to one witness; if the witness knows another size than assumed, once more from that.
func (s *Sequencer) ask(ctx context.Context, witness Witness, signed []byte, from, size int64) (note.Signature, error) {
	body, err := s.submit(ctx, witness, signed, from, size)
	if refusal, ok := errors.AsType[*c2sp.Refusal](err); ok && refusal.Size >= 0 && refusal.Size != from {
		if refusal.Size > size {
			return note.Signature{}, fault.Newf(fault.Conflict, "log.set-back",
				"Witness %s has cosigned %d entries, this log has %d: the database is older than what was published. Restore the newest copy.",
				witness.Verifier().Name(), refusal.Size, size)
		}
		body, err = s.submit(ctx, witness, signed, refusal.Size, size)
	}
	if err != nil {
		return note.Signature{}, err
	}
	return c2sp.ParseCosignature(signed, body, witness.Verifier())
}

func (s *Sequencer) submit(ctx context.Context, witness Witness, signed []byte, from, size int64) ([]byte, error) {
	request := c2sp.AddCheckpoint{Old: from, Checkpoint: signed}
	if from > 0 && from < size {
		err := s.config.Store.View(ctx, func(reader Reader) (err error) {
			request.Proof, err = tlog.ProveTree(size, from, storedHashes(reader))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return witness.Cosign(ctx, request)
}
