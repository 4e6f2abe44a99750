package document

import (
	"cmp"
	"context"
	"slices"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

// KeptRevocation is a revocation that the installation has published and that a restoration has lost: of a document that
// was issued after the copy was made, or whose subject is erased. The published list goes on naming it.
type KeptRevocation struct {
	Revocation
	Event ident.Event
}

// Cover returns what an event says of the kept revocation.
func (k KeptRevocation) Cover() journal.Cover {
	return journal.Cover{Row: "kept-revocation/" + string(k.ID), Digest: journal.Digest([]any{k.ID, k.At.UnixMicro(), k.Suspended})}
}

// Unrevoked returns those revocations of a list of which the installation knows nothing any more.
func (i *Issuer) Unrevoked(ctx context.Context, list []Revocation) (unrevoked []Revocation, err error) {
	err = i.Store.View(ctx, func(tx Reader) error {
		unrevoked = nil
		kept, err := tx.KeptRevocations()
		if err != nil {
			return err
		}
		for _, one := range list {
			if slices.ContainsFunc(kept, func(k KeptRevocation) bool { return k.ID == one.ID }) {
				continue
			}
			_, err := tx.DocumentRevocation(one.ID)
			if fault.Is(err, fault.NotFound) {
				unrevoked, err = append(unrevoked, one), nil
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return unrevoked, err
}

// Find returns a document as it is stored, or ErrUnknown.
func (i *Issuer) Find(ctx context.Context, id ident.Document) (Stored, error) {
	return i.stored(ctx, id)
}

// KeepRevocation keeps a revocation of a document that the installation cannot revoke: it does not know it, or its subject
// is erased. Keeping it again changes nothing.
func (i *Issuer) KeepRevocation(ctx context.Context, by journal.Actor, revocation Revocation) error {
	sealer, err := i.Vault.Open(ctx)
	if err != nil {
		return err
	}
	return i.Store.Update(ctx, act.Platform, func(tx Tx) error {
		kept, err := tx.KeptRevocations()
		if err != nil || slices.ContainsFunc(kept, func(k KeptRevocation) bool { return k.ID == revocation.ID }) {
			return err
		}
		revocation.At = revocation.At.UTC().Truncate(time.Microsecond)
		one := KeptRevocation{revocation, journal.NewID(tx)}
		if err := tx.SaveKeptRevocation(one); err != nil {
			return err
		}
		return journal.AppendAs(tx, sealer, one.Event, journal.Event{
			Type: "document.revocation-kept", Actor: by, Object: "document:" + string(one.ID), Covers: []journal.Cover{one.Cover()},
		})
	})
}

// withKept adds the kept revocations to those of a list.
func withKept(tx Reader, revoked []Revocation) ([]Revocation, error) {
	kept, err := tx.KeptRevocations()
	if err != nil || len(kept) == 0 {
		return revoked, err
	}
	for _, one := range kept {
		revoked = append(revoked, one.Revocation)
	}
	byID := func(a, b Revocation) int { return cmp.Compare(a.ID, b.ID) }
	slices.SortStableFunc(revoked, byID)
	return slices.CompactFunc(revoked, func(a, b Revocation) bool { return a.ID == b.ID }), nil
}
