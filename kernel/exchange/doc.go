// Package exchange owns asking and answering for evidence: between agencies inside a node, with existing systems behind
// adapters, and, through the same messages, between nodes. It hands answers to package casework, which decides on them.
//
// A question and its answer are statements in canonical JSON, signed by the asking and by the answering agency; each
// side verifies the other's, and both are kept, sealed under the subject's key. Only what the evidence type declares
// leaves a register. What is not granted to the service for the purpose is refused, and the refusal is journaled.
//
// Three things are never confused: the register has no record (StatusNone), nobody could tell (fault.Unavailable, to be
// retried), and a value that is false.
//
// Invariants: the disclosure is committed, with question and answer, before values are returned; if it cannot be, none
// are. A register that is slow or fails delays its own questions only.
package exchange
