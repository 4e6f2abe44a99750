package sqlite

import (
	"context"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/store/query"
)

// What a store that cannot write answers. Each is a state: it lasts until a commit succeeds, but for errDamaged and what
// Refuse sets, which last until the store is opened anew.
var (
	errFull = fault.New(fault.CannotStore, "store.full",
		"The platform's storage is full. Nothing of this was done; try again later.")
	errDamaged = fault.New(fault.CannotStore, "store.damaged",
		"The platform's storage is damaged, and nothing is stored until it is repaired. Nothing of this was done; try again later.")
	errCannotWrite = fault.New(fault.CannotStore, "store.cannot-write",
		"The platform cannot store anything at the moment. Nothing of this was done; try again later.")
)

// The result codes of SQLite that tell of the storage (https://sqlite.org/rescode.html).
const (
	codeNoMemory     = 7
	codeReadOnly     = 8
	codeIO           = 10
	codeCorrupt      = 11
	codeFull         = 13
	codeCannotOpen   = 14
	codeNotADatabase = 26
)

// storageFailure returns what an error says of the storage; nil if it says nothing.
func storageFailure(err error) *fault.Fault {
	switch resultCode(err) & 0xff { // the upper bits tell more of the same
	case codeFull:
		return errFull
	case codeCorrupt, codeNotADatabase:
		return errDamaged
	case codeIO, codeReadOnly, codeCannotOpen, codeNoMemory:
		return errCannotWrite
	}
	return nil
}

// Condition returns why the store cannot write as far as its last commit tells, nil if it can. Use Probe to try.
func (db *DB) Condition() error {
	if condition := db.condition.Load(); condition != nil {
		return condition
	}
	return nil
}

// lasting reports whether a condition ends only when the store is opened anew.
func lasting(condition *fault.Fault) bool {
	return condition != nil && condition.Code != errFull.Code && condition.Code != errCannotWrite.Code
}

// note keeps what a commit or a reading told of the storage: nil after a commit that succeeded.
func (db *DB) note(failure *fault.Fault) {
	for {
		now := db.condition.Load()
		if lasting(now) || now == nil && failure == nil || db.condition.CompareAndSwap(now, failure) {
			return
		}
	}
}

// Refuse makes the store answer every act with the reason from now on, until it is opened anew: an operator has to
// decide something first. Readings go on.
func (db *DB) Refuse(reason *fault.Fault) { db.condition.Store(reason) }

// Allow ends what Refuse began, and whatever else the last commit told of the storage.
func (db *DB) Allow() { db.condition.Store(nil) }

// Probe returns why the store cannot write, nil if it can. It writes only where the last commit failed, so that asking
// often wakes no disk.
func (db *DB) Probe(ctx context.Context) error {
	condition := db.condition.Load()
	if condition == nil {
		return nil
	}
	if lasting(condition) {
		return condition
	}
	return db.Update(ctx, act.Platform, func(tx *query.Tx) error { return tx.SaveProbe() })
}
