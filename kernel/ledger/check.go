package ledger

import (
	"fmt"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/money"
)

// page is how many rows Check reads at once.
const page = 500

// Check recomputes a fund's book from its entries and transfers. It returns nil, or a fault with the code "ledger.wrong"
// that names the first account that is not right.
func Check(tx Reader, fund ident.Account) error {
	var total Balance
	steps := map[ident.Transfer][]Entry{}
	for after := ident.Account(""); ; {
		accounts, err := tx.LedgerAccounts(fund, after, page)
		if err != nil {
			return err
		}
		for _, account := range accounts {
			sum, err := checkAccount(tx, account, steps)
			if err != nil {
				return err
			}
			if total, err = total.Add(sum); err != nil {
				return err
			}
			after = account.ID
		}
		if len(accounts) < page {
			break
		}
	}
	if total.Posted != 0 || total.PendingDebits != total.PendingCredits {
		return wrong(fund, "the accounts of the book do not balance")
	}
	for id, entries := range steps {
		if err := checkTransfer(tx, fund, id, entries); err != nil {
			return err
		}
	}
	return nil
}

// checkAccount recomputes an account from its entries, and collects them by transfer.
func checkAccount(tx Reader, account Account, steps map[ident.Transfer][]Entry) (sum Balance, err error) {
	number := int64(0)
	for {
		entries, err := tx.LedgerEntries(account.ID, number, page)
		if err != nil {
			return Balance{}, err
		}
		for _, entry := range entries {
			if number++; entry.Number != number {
				return Balance{}, wrong(account.ID, fmt.Sprintf("entry %d is missing", number))
			}
			if sum, err = sum.Add(entry.Change); err != nil {
				return Balance{}, err
			}
			if !account.Overdraft && sum.Available() < 0 {
				return Balance{}, wrong(account.ID, fmt.Sprintf("entry %d overdraws it", number))
			}
			steps[entry.Transfer] = append(steps[entry.Transfer], entry)
		}
		if len(entries) < page {
			break
		}
	}
	if number != account.Entries || sum != account.Balance {
		return Balance{}, wrong(account.ID, "its balance is not the sum of its entries")
	}
	return sum, nil
}

// checkTransfer compares a transfer with the entries that name it.
func checkTransfer(tx Reader, fund ident.Account, id ident.Transfer, entries []Entry) error {
	transfer, err := tx.LedgerTransfer(fund, id)
	if fault.Is(err, fault.NotFound) {
		return wrong(fund, fmt.Sprintf("transfer %s is missing", id))
	}
	if err != nil {
		return err
	}
	var pending, posted money.Amount
	switch transfer.State {
	case Pending:
		pending = transfer.Amount
	case Posted:
		posted = transfer.Amount
	}
	sums := map[ident.Account]Balance{}
	for _, entry := range entries {
		if sums[entry.Account], err = sums[entry.Account].Add(entry.Change); err != nil {
			return err
		}
	}
	if len(sums) != 2 ||
		sums[transfer.Debit] != (Balance{Posted: -posted, PendingDebits: pending}) ||
		sums[transfer.Credit] != (Balance{Posted: posted, PendingCredits: pending}) {
		return wrong(fund, fmt.Sprintf("the entries of transfer %s are not those of a %s transfer", id, transfer.State))
	}
	return nil
}

func wrong(account ident.Account, how string) error {
	return fault.Newf(fault.Internal, "ledger.wrong", "The book of %s is wrong: %s. Run yagona audit verify.", account, how)
}
