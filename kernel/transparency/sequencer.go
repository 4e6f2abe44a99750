package transparency

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/std/c2sp"
)

const (
	// batch is how many events get their index in one act at most: it bounds how long other acts wait.
	batch = 1024
	// batches is how many of them one checkpoint covers at most: it bounds how long a backlog waits for its first proof.
	batches = 16
)

// Config says what a sequencer works with.
type Config struct {
	Store     Store
	Signer    CheckpointSigner // its verifier's name is the log's origin
	Witnesses []Witness
	Quorum    int           // how many of the witnesses must cosign; 0: none (an unwitnessed log)
	Delay     time.Duration // how long to gather events after the first; zero: 200 ms
	Logger    *slog.Logger  // required
	Indexed   func()        // called when events have got their places; must not block; nil: nobody is told
}

// Sequencer gives events their place in the log and publishes checkpoints. It is safe for concurrent use.
type Sequencer struct {
	config Config
	wake   chan struct{}

	advancing sync.Mutex // held by Advance: one run at a time
	witnesses []*witnessed

	guard    sync.Mutex // guards what Status reads while Advance runs
	statuses []WitnessStatus
	running  bool
	failure  error // of the last run, nil if it published all
}

// NewSequencer checks the configuration and returns a sequencer that does nothing yet.
func NewSequencer(config Config) (*Sequencer, error) {
	if config.Delay == 0 {
		config.Delay = 200 * time.Millisecond
	}
	if config.Quorum < 0 || config.Quorum > len(config.Witnesses) {
		return nil, fault.Newf(fault.Invalid, "log.quorum", "A quorum of %d of %d witnesses cannot be reached. Declare more witnesses or a smaller quorum.",
			config.Quorum, len(config.Witnesses))
	}
	s := &Sequencer{config: config, wake: make(chan struct{}, 1)}
	var keys []*c2sp.CosignatureVerifier
	for _, witness := range config.Witnesses {
		key := witness.Verifier()
		keys = append(keys, key)
		s.witnesses = append(s.witnesses, &witnessed{Witness: witness})
		s.statuses = append(s.statuses, WitnessStatus{Name: key.Name()})
	}
	if err := distinct(keys); err != nil {
		return nil, err
	}
	return s, nil
}

// Wake says that events may be waiting. It never blocks; call it after every commit that appended events.
func (s *Sequencer) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run advances the log until the context ends: at once, then whenever it is woken. While nothing happens it sleeps
// without a timer. What fails (a witness that does not answer, a full disk) is tried again after 1 s, 2 s, … 60 s.
func (s *Sequencer) Run(ctx context.Context) {
	const first, last = time.Second, time.Minute
	wait := first
	s.note(true, nil)
	defer s.note(false, nil)
	for {
		var retry <-chan time.Time
		var following Following
		err := s.Advance(ctx)
		if errors.As(err, &following) {
			s.note(true, nil)
			retry, wait = time.After(following.For), first // the leader does it, unless it is gone by then
		} else if s.note(true, err); err != nil && ctx.Err() == nil {
			s.config.Logger.WarnContext(ctx, "the log could not publish", "error", err, "again", wait)
			retry = time.After(wait)
			wait = min(2*wait, last)
		} else {
			wait = first
		}
		select {
		case <-ctx.Done():
			return
		case <-retry:
			continue
		case <-s.wake:
		}
		select { // gather what arrives together
		case <-ctx.Done():
			return
		case <-time.After(s.config.Delay):
		}
		select {
		case <-s.wake:
		default:
		}
	}
}

// note keeps whether the sequencer runs and how its last run ended.
func (s *Sequencer) note(running bool, failure error) {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.running, s.failure = running, failure
}

// Advance takes all waiting events into the log and publishes a checkpoint that covers them. It returns nil if
// everything that has an index is published.
func (s *Sequencer) Advance(ctx context.Context) error {
	s.advancing.Lock()
	defer s.advancing.Unlock()
	for {
		more := true
		for range batches {
			var err error
			if more, err = s.index(ctx); err != nil {
				return err
			}
			if !more {
				break
			}
		}
		if s.config.Indexed != nil {
			s.config.Indexed()
		}
		signed, err := s.sign(ctx)
		if err != nil {
			return err
		}
		if err := s.publish(ctx, signed); err != nil && !more {
			return err
		}
		if !more {
			return nil
		}
	}
}

// index gives waiting events their indexes and reports whether more are waiting.
func (s *Sequencer) index(ctx context.Context) (more bool, err error) {
	err = s.config.Store.Update(ctx, act.Platform, func(tx Tx) error {
		entries, err := tx.PendingEntries(batch)
		if err != nil {
			return err
		}
		more = len(entries) == batch
		if len(entries) == 0 {
			return nil
		}
		head, err := tx.LogHead()
		if err != nil {
			return err
		}
		for i, entry := range entries {
			if err := tx.SaveLogIndex(entry.Key, entry.Event, head.Size+int64(i)); err != nil {
				return err
			}
		}
		if err := appendEntries(tx, head.Size, entries); err != nil {
			return err
		}
		head.Size += int64(len(entries))
		return tx.SaveLogHead(head)
	})
	return more, err
}

// Continues returns an error if the log was begun under another origin than the signer's: nothing would be published.
func (s *Sequencer) Continues(ctx context.Context) error {
	return s.config.Store.View(ctx, func(reader Reader) error {
		head, err := reader.LogHead()
		if err != nil {
			return err
		}
		last, err := checkpointOf(head.Signed)
		if err != nil {
			return err
		}
		return s.continues(last)
	})
}

func (s *Sequencer) continues(last c2sp.Checkpoint) error {
	if origin := s.config.Signer.Verifier().Name(); last.Origin != "" && last.Origin != origin {
		return fault.Newf(fault.Invalid, "log.origin",
			"This log was begun as %q and cannot go on as %q. Serve it under the address that it was begun with, or begin in another folder.", last.Origin, origin)
	}
	return nil
}

// sign signs the checkpoint of the current size, unless it is signed already, and returns it; nil for an empty log.
func (s *Sequencer) sign(ctx context.Context) ([]byte, error) {
	var head Head
	next := c2sp.Checkpoint{Origin: s.config.Signer.Verifier().Name()}
	var last c2sp.Checkpoint
	err := s.config.Store.View(ctx, func(reader Reader) (err error) {
		if head, err = reader.LogHead(); err != nil || head.Size == 0 {
			return err
		}
		if last, err = checkpointOf(head.Signed); err != nil || last.Tree.N == head.Size {
			return err
		}
		hashes := storedHashes(reader)
		if last.Tree.N > 0 {
			root, err := tlog.TreeHash(last.Tree.N, hashes)
			if err != nil {
				return err
			}
			if last.Tree.N > head.Size || root != last.Tree.Hash {
				return errDamaged("The tiles do not give the root that was signed for %d entries: nothing more is signed. Audit the log and restore it.", last.Tree.N)
			}
		}
		next.Tree.N = head.Size
		next.Tree.Hash, err = tlog.TreeHash(head.Size, hashes)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.continues(last); err != nil {
		return nil, err
	}
	if last.Tree.N == head.Size {
		return head.Signed, nil
	}
	signed, err := s.signCheckpoint(ctx, next)
	if err != nil {
		return nil, err
	}
	err = s.config.Store.Update(ctx, act.Platform, func(tx Tx) error {
		head, err := tx.LogHead()
		if err != nil {
			return err
		}
		if last, err := checkpointOf(head.Signed); err != nil || last.Tree.N >= next.Tree.N {
			return err // another process was faster: its checkpoint stands
		}
		head.Signed = signed
		return tx.SaveLogHead(head)
	})
	return signed, err
}

// signCheckpoint returns the checkpoint as a note that the log's key has signed.
func (s *Sequencer) signCheckpoint(ctx context.Context, checkpoint c2sp.Checkpoint) ([]byte, error) {
	text := []byte(checkpoint.String())
	signature, err := s.config.Signer.SignCheckpoint(ctx, text)
	if err != nil {
		return nil, err
	}
	key := s.config.Signer.Verifier()
	if !key.Verify(text, signature) {
		return nil, fault.New(fault.Internal, "log.signature", "The log's key made a signature that its public half does not verify. Check which keys are in use.")
	}
	return c2sp.Sign(checkpoint, key.Name(), key.KeyHash(), signature), nil
}

// BeginAnew ends the log that was signed under the origin, in an act of whoever declares why: its tiles stay as they are,
// and the next checkpoint is the first under another origin. It is for a store that was set back to before what witnesses
// have cosigned: under the old origin the log would have to say something else where it has spoken already.
func BeginAnew(tx Tx, ended string) error {
	head, err := tx.LogHead()
	if err != nil {
		return err
	}
	last, err := checkpointOf(head.Signed)
	if err != nil {
		return err
	}
	if last.Origin != ended {
		return fault.Newf(fault.Conflict, "log.origin", "This log was begun as %q, not as %q. Look at it again.", last.Origin, ended)
	}
	head.Signed, head.Published = nil, nil
	return tx.SaveLogHead(head)
}

// publish publishes a signed checkpoint once the quorum has cosigned it.
func (s *Sequencer) publish(ctx context.Context, signed []byte) error {
	next, err := checkpointOf(signed)
	if err != nil || next.Tree.N == 0 {
		return err
	}
	covered := func(reader Reader) (Head, bool, error) {
		head, err := reader.LogHead()
		if err != nil {
			return head, false, err
		}
		last, err := checkpointOf(head.Published)
		return head, last.Tree.N >= next.Tree.N, err
	}
	done := false
	var from int64
	err = s.config.Store.View(ctx, func(reader Reader) (err error) {
		var head Head
		if head, done, err = covered(reader); err != nil {
			return err
		}
		last, err := checkpointOf(head.Published)
		from = last.Tree.N
		return err
	})
	if err != nil || done {
		return err
	}
	cosignatures, err := s.cosign(ctx, signed, from, next.Tree.N)
	if err != nil {
		return err
	}
	published := c2sp.Append(signed, cosignatures...)
	return s.config.Store.Update(ctx, act.Platform, func(tx Tx) error {
		head, done, err := covered(tx)
		if err != nil || done {
			return err
		}
		head.Published = published
		return tx.SaveLogHead(head)
	})
}

// checkpointOf reads a checkpoint that this log wrote itself; the zero Checkpoint for nil.
func checkpointOf(signed []byte) (c2sp.Checkpoint, error) {
	if signed == nil {
		return c2sp.Checkpoint{}, nil
	}
	checkpoint, err := c2sp.Unverified(signed)
	if err != nil {
		return checkpoint, errDamaged("The checkpoint in the database cannot be read: audit the log and restore it.").Because(err)
	}
	return checkpoint, nil
}

// Status is how far the log is, for the operator and for receipts.
type Status struct {
	Indexed   int64 // events with an index
	Signed    int64 // covered by a checkpoint that the log signed
	Published int64 // covered by a checkpoint with the quorum's cosignatures; what lies above is pending
	Quorum    int
	Witnesses []WitnessStatus
	Waiting   int       // events without an index
	Oldest    time.Time // when the oldest of them happened, zero if there is none
	Running   bool      // whether Run is at work in this process
	Failure   error     // why its last run did not publish everything, or nil
}

// Pending reports whether something has an index and is not published yet.
func (s Status) Pending() bool { return s.Indexed > s.Published }

// WitnessStatus is how a witness answered last.
type WitnessStatus struct {
	Name    string
	Size    int64  // the size that it cosigned last, as far as this process knows
	Failure string // why it did not cosign the last checkpoint, or ""
}

// Status tells how far the log is.
func (s *Sequencer) Status(ctx context.Context) (Status, error) {
	status := Status{Quorum: s.config.Quorum}
	err := s.config.Store.View(ctx, func(reader Reader) error {
		head, err := reader.LogHead()
		signed, err1 := checkpointOf(head.Signed)
		published, err2 := checkpointOf(head.Published)
		status.Indexed, status.Signed, status.Published = head.Size, signed.Tree.N, published.Tree.N
		if err := errors.Join(err, err1, err2); err != nil {
			return err
		}
		status.Waiting, status.Oldest, err = reader.WaitingEvents()
		return err
	})
	s.guard.Lock()
	defer s.guard.Unlock()
	status.Running, status.Failure = s.running, s.failure
	status.Witnesses = append(status.Witnesses, s.statuses...)
	return status, err
}
