// Package act owns the promise that every change keeps: one act, one key, one transaction.
//
// A key is what a table that grows with the population is distributed by: a subject, an account, an agency. An act
// changes only what lives under its key; its records, its journal events and its jobs are committed together or not at
// all. What belongs under another key, and what leaves the process, is a job queued in the act.
//
// Kernel packages say what they need of a store as two small interfaces, a reading R and a writing W that includes R,
// and get a Store[R, W]; the stores hand out one transaction that implements them all.
package act

import (
	"context"
	"time"

	"yagona/kernel/ident"
)

// Key is what an act locks and what its rows are distributed by.
type Key string

// The kinds of key.
func Of(subject ident.Subject) Key           { return Key(subject) }
func OfAccount(account ident.Account) Key    { return Key("account:" + account) }
func OfAgency(agency ident.Agency) Key       { return Key("agency:" + agency) }
func OfRegister(register ident.Register) Key { return Key("register:" + register) }

// Platform is the key of what belongs to the installation as a whole: publications, the log.
const Platform Key = "platform"

// Clock tells the time in UTC. The kernel never asks the machine.
type Clock func() time.Time

// Tx is what every transaction tells of itself.
type Tx interface {
	// Key returns the key that the act locked.
	Key() Key
	// Now returns the act's time: UTC, whole microseconds, never before that of an act already committed in this
	// store, even if the machine's clock has jumped back.
	Now() time.Time
}

// Snapshot is a reading under way.
type Snapshot interface {
	// Within returns a context under which the readings of this store, whichever package makes them, are made on this
	// snapshot as long as it lasts: so what is asked for one answer is of one moment, and one snapshot is begun for it. It
	// is for the reading's own goroutine; an act that is begun under it fails.
	Within(ctx context.Context) context.Context
}

// Store runs acts and readings.
type Store[R, W any] interface {
	// Update locks the key, runs the function and commits all that it wrote, or nothing if it returns an error. The
	// commit is durable when Update returns nil: it survives kill -9 and loss of power.
	//
	// The function may be run more than once and on another goroutine; it does no I/O but through W, makes no
	// signature, and what it computed counts only after Update returned nil. When several acts share a commit and that
	// commit fails, each is run again alone or reported as failed; an act that returns an error never harms its
	// neighbours.
	Update(ctx context.Context, key Key, run func(W) error) error

	// View runs readings on one consistent snapshot that includes everything committed before it began: under a context
	// that Snapshot.Within returned on that snapshot, else on one of its own.
	View(ctx context.Context, run func(R) error) error
}
