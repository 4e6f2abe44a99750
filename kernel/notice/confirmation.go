package notice

import (
	"context"
	"errors"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

var errNowhere = fault.New(fault.Conflict, "contact.none", "No confirmed address is known to which a code could be sent. Confirm in another way.")

// reached returns the addresses to which a code for the reader goes: all that they confirmed and chose.
func (c *Courier) reached(ctx context.Context, reader ident.Subject) (found []Address, language string, err error) {
	contact, err := c.Contact(ctx, reader)
	if err != nil || contact.InPerson {
		return nil, "", err
	}
	for _, one := range contact.Addresses {
		if one.used() && c.channel(one.Channel) != nil {
			found = append(found, one)
		}
	}
	return found, contact.Language, nil
}

// CanReach reports whether a code can be sent to the reader.
func (c *Courier) CanReach(ctx context.Context, reader ident.Subject) (bool, error) {
	found, _, err := c.reached(ctx, reader)
	return len(found) > 0, err
}

// AllowCode lets a code with the id through to the reader: they have an address, and did not get too many codes.
func (c *Courier) AllowCode(ctx context.Context, reader ident.Subject, id string) error {
	reachable, err := c.CanReach(ctx, reader)
	switch {
	case err != nil:
		return err
	case !reachable:
		return errNowhere
	}
	return c.allowCode(ctx, reader, Address{ID: id})
}

// SendCode sends a code by which the reader confirms something, at least once to each of their addresses. The id is the
// same for every try. It fails if no address took it and one may take it later; what a receiver said stays out of the error.
func (c *Courier) SendCode(ctx context.Context, reader ident.Subject, id, code string) error {
	found, language, err := c.reached(ctx, reader)
	if fault.Is(err, fault.Erased) {
		return nil
	}
	if err != nil {
		return err
	}
	subject, text := c.Words.Confirmation(language, code)
	taken, later := false, false
	for _, one := range found {
		_, err := c.channel(one.Channel).Carrier.Send(ctx, Message{
			ID: digest("confirmation", id, one.ID), To: one.Value, Subject: subject, Text: text, Language: language,
		})
		failure, told := errors.AsType[*Failure](err)
		taken = taken || err == nil
		later = later || err != nil && (!told || !failure.Final)
	}
	if later && !taken {
		return fault.New(fault.Unavailable, "contact.not-sent", "The code was not sent. It is sent again; or try another address.")
	}
	return nil
}
