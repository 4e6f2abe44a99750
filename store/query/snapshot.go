package query

import (
	"context"

	"yagona/kernel/fault"
)

// within is under which a context holds the reading whose snapshot is used.
type within struct{}

var errActWithin = fault.New(fault.Internal, "store.act-within-reading", "An act was begun within a reading. Begin it when the reading is over.")

// Within implements act.Snapshot.
func (t *Tx) Within(ctx context.Context) context.Context { return context.WithValue(ctx, within{}, t) }

// underway returns the reading of the database on whose snapshot the context has others made; nil: there is none, or it is
// over.
func underway(ctx context.Context, db DB) *Tx {
	if tx, ok := ctx.Value(within{}).(*Tx); ok && tx.reads == db {
		return tx
	}
	return nil
}
