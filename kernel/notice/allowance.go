package notice

import (
	"context"
	"slices"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/ident"
)

// Allowance is that a message was let through.
type Allowance struct {
	Key act.Key // whose: an address's or a person's, as a keyed digest
	ID  string  // of the message
	At  time.Time
}

// limit is how many messages are let through in an hour and in a day.
type limit struct{ hour, day int }

// perAddress is for news: an address may be many people's, as the telephone of a household is.
var perAddress = limit{hour: 10, day: 20}

// Codes go to addresses that nobody has confirmed: few.
var (
	codesPerAddress = limit{hour: 3, day: 5}
	codesPerPerson  = limit{hour: 5, day: 10}
)

func (c *Courier) allowanceKey(scope, of string) act.Key {
	return act.Key("allowance:" + c.index(scope, of))
}

// allow lets a message through, or returns how long it must wait. Asked again for the same message it lets it through
// again: a retry is no second message.
func (c *Courier) allow(ctx context.Context, key act.Key, id string, most limit) (wait time.Duration, err error) {
	err = c.Store.Update(ctx, key, func(tx Tx) error {
		wait = 0
		day := tx.Now().Add(-24 * time.Hour)
		found, err := tx.Allowances(key, day)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(found, func(a Allowance) bool { return a.ID == id }) {
			return nil
		}
		if wait = most.wait(found, tx.Now()); wait > 0 {
			return nil
		}
		return tx.SaveAllowance(Allowance{Key: key, ID: id, At: tx.Now()}, day)
	})
	return wait, err
}

// wait returns how long the next message must wait after those of the last day.
func (l limit) wait(found []Allowance, now time.Time) (wait time.Duration) {
	slices.SortFunc(found, func(a, b Allowance) int { return b.At.Compare(a.At) }) // the newest first
	for _, one := range []struct {
		most int
		in   time.Duration
	}{{l.hour, time.Hour}, {l.day, 24 * time.Hour}} {
		if len(found) >= one.most {
			wait = max(wait, found[one.most-1].At.Add(one.in).Sub(now))
		}
	}
	return max(wait, 0)
}

// allowCode lets a code through that confirms an address.
func (c *Courier) allowCode(ctx context.Context, reader ident.Subject, added Address) error {
	wait, err := c.allow(ctx, c.allowanceKey("codes of", string(reader)), added.ID, codesPerPerson)
	if err != nil {
		return err
	}
	if wait == 0 && added.Value != "" {
		wait, err = c.allow(ctx, c.allowanceKey("codes to", added.Channel+" "+added.Value), added.ID, codesPerAddress)
	}
	if err == nil && wait > 0 {
		err = errTooMany
	}
	return err
}
