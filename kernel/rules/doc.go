// Package rules owns the expressions of the pack language: their types, their compilation and their evaluation.
//
// An expression is CEL (the Common Expression Language, github.com/google/cel-spec) over the few types that a public
// service speaks of: bool, int, text, date, money, choice, territory, subject, lists and objects of these. There are no
// floating-point numbers, no clock and no loops without an end: the same values give the same result, always.
//
// An Environment declares the names that an expression may use; Compile checks an expression against it once and gives
// a Program, which is immutable and safe for concurrent use. Evaluate gives a Result: the value, or that it is unknown
// and which inputs are missing, and every input that was read with its value, so that a decision explains itself.
//
// Three things are never confused: a value that is false, a value that is absent (there is none: has(x) tells) and a
// value that is unknown (nobody could say yet). An expression that reads an input which may be absent without asking
// has(x) first does not compile.
//
// Invariants: an evaluation ends (its cost is limited, its context is watched); money never becomes a number by itself;
// an overflow is an error, never a wrong amount; no error text of this package holds an evaluated value.
package rules
