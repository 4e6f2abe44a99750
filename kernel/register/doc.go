// Package register owns registers of record: the authoritative records that an agency keeps, their versions, their
// history, and what others may ask of them (evidence types). It hands answers to package exchange, which asks on
// others' behalf, and takes what decided applications write from package casework, through a job.
//
// A record is a chain of versions. A version says who recorded what, when and why, and from which day it holds: recorded
// time and valid time are two things. A version is never changed or removed; a wrong one is corrected by a new version
// that names it. A record lives under its subject's key and is sealed with it; a register about nobody lives under the
// register's key and is plain. Each version is covered by the journal's event that wrote it.
//
// What makes a record unique and how it is found goes through keyed hashes (HMAC-SHA-256), never through plain values.
// A unique key whose holders may live under different keys is claimed first, in an act under a key of its own.
//
// Invariants: numbers of versions have no gaps; no personal value stands in a row, a log line or an error in plain; what
// an official of the keeping agency reads is journaled before it is returned.
package register
