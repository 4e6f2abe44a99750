package main

import (
	"context"
	"errors"

	"yagona/kernel/ledger"
)

// noBank is the bank of an installation that is connected to none: released orders wait, and are carried out by the
// bank that a later release connects.
type noBank struct{}

var errNoBank = errors.New("this installation is connected to no bank")

// Verify implements ledger.Bank.
func (noBank) Verify(context.Context, ledger.IdentificationVerificationRequest) (ledger.IdentificationVerificationReport, error) {
	return ledger.IdentificationVerificationReport{}, errNoBank
}

// Send implements ledger.Bank.
func (noBank) Send(context.Context, ledger.CreditTransfer) (ledger.Report, error) {
	return ledger.Report{}, errNoBank
}

// State implements ledger.Bank.
func (noBank) State(context.Context, ledger.EndToEndID) (ledger.Report, error) {
	return ledger.Report{}, errNoBank
}
