package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"yagona/kernel/ledger"
	"yagona/kernel/ledger/bank"
)

// connection is the bank that an installation is connected to.
type connection interface {
	ledger.Bank
	// Close ends it.
	Close() error
	// notice says to the operator what is to be known of it when services pay.
	notice() string
}

// bank returns the bank that the configuration names. Close it.
func (c Config) bank() (connection, error) {
	switch {
	case c.Bank == "" && c.BankAccounts == "":
		return noBank{}, nil
	case c.Bank == "":
		return nil, usageError{errors.New("bank-accounts: these are of the simulated bank: write bank: simulated, too, or remove them")}
	case c.Bank != "simulated":
		return nil, usageError{errors.New("bank: the only bank is simulated: write that for a rehearsal, or remove the key")}
	}
	accounts, err := readAccounts(c.BankAccounts)
	if err != nil {
		return nil, usageError{err}
	}
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return nil, err
	}
	opened, err := bank.Open(filepath.Join(c.Folder, "bank.journal"), time.Now)
	if err != nil {
		return nil, err
	}
	opened.Accounts = accounts
	return simulatedBank{opened}, nil
}

// readAccounts reads the accounts of the simulated bank, a CSV file with the columns account, number and name. An error
// names the line and no value.
func readAccounts(path string) (map[string]bank.Account, error) {
	accounts := map[string]bank.Account{}
	if path == "" {
		return accounts, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], []string{"account", "number", "name"}) {
		return nil, fmt.Errorf("%s:1: the columns are account,number,name: correct the head", path)
	}
	for i, row := range rows[1:] {
		if _, twice := accounts[row[0]]; twice || row[0] == "" {
			return nil, fmt.Errorf("%s: row %d: the account is missing or stands twice: correct it", path, i+2)
		}
		accounts[row[0]] = bank.Account{Holder: row[2], NationalNumber: row[1]}
	}
	return accounts, nil
}

// simulatedBank is the bank of a rehearsal.
type simulatedBank struct{ *bank.Bank }

func (simulatedBank) notice() string {
	return "warning: the bank is simulated: payments are confirmed, and no money moves"
}

// noBank is the bank of an installation that is connected to none: what is granted stands, its payment orders wait until
// a bank says whose accounts they go to.
type noBank struct{}

func (noBank) notice() string {
	return "warning: no bank is connected: payments are prepared and wait; nothing is lost. For a rehearsal write bank: simulated"
}

// Close implements connection.
func (noBank) Close() error { return nil }

// Verify implements ledger.Bank.
func (noBank) Verify(context.Context, ledger.IdentificationVerificationRequest) (ledger.IdentificationVerificationReport, error) {
	return ledger.IdentificationVerificationReport{}, ledger.ErrNoBank
}

// Send implements ledger.Bank.
func (noBank) Send(context.Context, ledger.CreditTransfer) (ledger.Report, error) {
	return ledger.Report{}, ledger.ErrNoBank
}

// State implements ledger.Bank.
func (noBank) State(context.Context, ledger.EndToEndID) (ledger.Report, error) {
	return ledger.Report{}, ledger.ErrNoBank
}

// Statement implements ledger.Bank.
func (noBank) Statement(context.Context, time.Time) ([]ledger.Executed, error) {
	return nil, ledger.ErrNoBank
}
