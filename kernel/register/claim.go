package register

import (
	"context"
	"slices"
	"strings"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
)

// A unique key that holds the subject's field, or that is of a register about nobody, has all its holders under one key:
// the writing act itself sees another holder. Any other is claimed first, in an act under a key of its own that may be
// repeated. A claim whose write never came (the machine stopped between the two acts) may be taken over after claimTerm;
// the writing act checks that the claim still is its own.

// claimTerm is after how long a claim without its record may be taken over.
const claimTerm = 10 * time.Minute

// jobRelease is the kind of job that gives back claims that a record no longer needs.
const jobRelease = "register.release"

// unique is one value of a unique key.
type unique struct {
	index   Index
	claimed bool // its holders may live under different keys
	fields  []string
}

func (u unique) taken() error { return errNotUnique.At(strings.Join(u.fields, ", ")) }

// check checks in the writing act that the record may hold the value.
func (u unique) check(tx Tx, record ident.Record) error {
	if u.claimed {
		claim, err := tx.RegisterClaim(u.index)
		if fault.Is(err, fault.NotFound) || err == nil && claim.Record != record {
			return u.taken()
		}
		return err
	}
	places, err := tx.IndexedRecords(u.index, 2)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(places, func(p Place) bool { return p.Record != record }) {
		return u.taken()
	}
	return nil
}

// claim claims the unique values that span keys.
func (k *Keeper) claim(ctx context.Context, p plan) error {
	for _, one := range p.unique {
		if !one.claimed {
			continue
		}
		err := k.Store.Update(ctx, Claim{Index: one.index}.Key(), func(tx Tx) error {
			claim, err := tx.RegisterClaim(one.index)
			switch {
			case fault.Is(err, fault.NotFound):
			case err != nil:
				return err
			case claim.Record == p.wanted.Record:
				return nil
			default:
				held, err := holds(tx, claim)
				if err != nil {
					return err
				}
				if held || tx.Now().Sub(claim.At) < claimTerm {
					return one.taken()
				}
			}
			made := Claim{Index: one.index, Record: p.wanted.Record, At: tx.Now()}
			if err := tx.SaveClaim(made); err != nil {
				return err
			}
			_, err = journal.Append(tx, nil, journal.Event{
				Type: "register.value-claimed", Actor: p.by, Object: "record:" + string(made.Record), Covers: []journal.Cover{made.Cover()},
			})
			return err
		})
		if err != nil {
			k.release(ctx, p)
			return err
		}
	}
	return nil
}

// holds reports whether the claim's record has the claimed value.
func holds(tx Reader, claim Claim) (bool, error) {
	places, err := tx.IndexedRecords(claim.Index, 100)
	return slices.ContainsFunc(places, func(p Place) bool { return p.Record == claim.Record }), err
}

// release gives back the claims of a write that was not done. If it fails, claimTerm mends it.
func (k *Keeper) release(ctx context.Context, p plan) {
	for _, one := range p.unique {
		if one.claimed {
			_ = k.giveBack(context.WithoutCancel(ctx), Claim{Index: one.index, Record: p.wanted.Record})
		}
	}
}

// giveBack removes the claim unless its record holds the value.
func (k *Keeper) giveBack(ctx context.Context, claim Claim) error {
	return k.Store.Update(ctx, claim.Key(), func(tx Tx) error {
		held, err := holds(tx, claim)
		if held || err != nil {
			return err
		}
		switch stored, err := tx.RegisterClaim(claim.Index); {
		case fault.Is(err, fault.NotFound):
			return nil
		case err != nil:
			return err
		case stored.Record != claim.Record:
			return nil // somebody else's by now
		}
		return removeClaim(tx, journal.Actor{Component: "register"}, claim)
	})
}

// removeClaim removes a claim in its act, in the journal.
func removeClaim(tx Tx, by journal.Actor, claim Claim) error {
	if err := tx.RemoveClaim(claim); err != nil {
		return err
	}
	_, err := journal.Append(tx, nil, journal.Event{
		Type: "register.value-released", Actor: by, Object: "record:" + string(claim.Record),
		Covers: []journal.Cover{journal.Gone(claim.Cover().Row)},
	})
	return err
}

// queueReleases queues that the claims of the version before are given back where the new one does not hold them.
func (k *Keeper) queueReleases(tx Tx, p plan, newest StoredVersion) error {
	before, err := newest.open(p.sealer)
	if err != nil {
		return err
	}
	_, once := indexes(k.IndexKeys(), p.definition, before.Values)
	for _, one := range once {
		if !one.claimed || slices.Contains(p.indexes, one.index) {
			continue
		}
		if err := job.Queue(tx, jobRelease, 0, Claim{Index: one.index, Record: p.wanted.Record}); err != nil {
			return err
		}
	}
	return nil
}

// doRelease is the handler of jobRelease.
func (k *Keeper) doRelease(ctx context.Context, _ job.Job, claim Claim) error {
	return k.giveBack(ctx, claim)
}
