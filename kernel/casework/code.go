package casework

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/notice"
)

// Code is a code by which a resident confirms what an official wrote down for them: they get it, and tell it. It is for
// the answers as they stand: a changed draft has none.
type Code struct {
	ID     string    `json:"id"`
	Digits string    `json:"digits,omitempty"` // nobody but its receiver sees them: a View has none
	Until  time.Time `json:"until"`            // the first moment that is too late
	Tries  int       `json:"tries,omitempty"`
}

// Messenger is what casework needs to send codes to people, at the addresses that they confirmed.
type Messenger interface {
	// CanReach reports whether a code can be sent to the reader.
	CanReach(ctx context.Context, reader ident.Subject) (bool, error)
	// AllowCode lets a code with the id through, or says why not: there is no address, or there were too many.
	AllowCode(ctx context.Context, reader ident.Subject, id string) error
	// SendCode sends the code at least once.
	SendCode(ctx context.Context, reader ident.Subject, id, code string) error
}

// The limits of a code. A person gets ten codes in a day at most (package notice): whoever guesses has fifty tries at a
// million codes.
const (
	codeLasts = 15 * time.Minute
	codeTries = 5
)

var errCode = fault.New(fault.Invalid, "assist.code", "This is not the code that was sent, or its time is over. Type the newest code, or send another one.").At("code")

// CanConfirmByCode reports whether a code can be sent to the applicant of a draft that the official wrote down.
func (c *Casework) CanConfirmByCode(ctx context.Context, by access.Actor, id ident.Application) (bool, error) {
	f, err := c.assisted(ctx, by, id)
	if err != nil {
		return false, err
	}
	return c.Messenger.CanReach(ctx, f.app.Applicant)
}

type codeJob struct {
	Application ident.Application `json:"application"`
	Code        string            `json:"code"` // its id
}

// SendCode sends the applicant a code by which they confirm a draft that the official wrote down. It replaces the one
// before.
func (c *Casework) SendCode(ctx context.Context, by access.Actor, id ident.Application) error {
	f, err := c.assisted(ctx, by, id)
	switch {
	case err != nil:
		return err
	case f.app.State != Draft:
		return errNotDraft
	}
	code := Code{ID: ident.Random[string](), Until: f.now.Add(codeLasts)}
	if code.Digits, err = notice.NewCode(); err != nil {
		return err
	}
	if err := c.Messenger.AllowCode(ctx, f.app.Applicant, code.ID); err != nil {
		return err
	}
	f.content.Assisted.Code = &code
	f.queue(JobCode, time.Time{}, codeJob{Application: id, Code: code.ID})
	err = c.store(ctx, f, journal.Event{Type: "application.code-sent", Actor: by.Journal()})
	return err
}

// deliverCode sends the code that waits in a draft (JobCode).
func (c *Casework) deliverCode(ctx context.Context, _ job.Job, payload codeJob) error {
	f, err := c.load(ctx, payload.Application)
	if fault.Is(err, fault.Erased) {
		return nil
	}
	if err != nil {
		return err
	}
	if code := f.code(); f.app.State == Draft && code != nil && code.ID == payload.Code {
		return c.Messenger.SendCode(ctx, f.app.Applicant, code.ID, code.Digits)
	}
	return nil
}

// code returns the code that confirms the draft now, if there is one.
func (f *file) code() *Code {
	if f.content.Assisted == nil {
		return nil
	}
	code := f.content.Assisted.Code
	if code == nil || code.Tries >= codeTries || !f.now.Before(code.Until) {
		return nil
	}
	return code
}

// confirmedBefore returns the receipt of what was sent already; a draft is not, and an expired one cannot be any more.
func (f *file) confirmedBefore() (receipt Receipt, sent bool, err error) {
	switch f.app.State {
	case Draft:
		return Receipt{}, false, nil
	case Expired:
		return Receipt{}, false, errClosed
	default:
		return f.receipt(), true, nil
	}
}

// ConfirmByCode sends a draft that the official wrote down, with the code that the applicant told. Only now are the
// registers asked. Each try is stored before the code is looked at, so that tries at the same time do not add up. Sending
// again gives the same receipt.
func (c *Casework) ConfirmByCode(ctx context.Context, by access.Actor, id ident.Application, digits string) (Receipt, error) {
	f, err := c.assisted(ctx, by, id)
	if err != nil {
		return Receipt{}, err
	}
	if receipt, sent, err := f.confirmedBefore(); sent || err != nil {
		return receipt, err
	}
	code := f.code()
	if code == nil {
		return Receipt{}, errCode
	}
	code.Tries++
	if err := c.store(ctx, f, journal.Event{Type: "application.code-tried", Actor: by.Journal()}); err != nil {
		return Receipt{}, err
	}
	if subtle.ConstantTimeCompare([]byte(code.Digits), []byte(strings.TrimSpace(digits))) != 1 {
		return Receipt{}, errCode
	}
	f.confirmed(ConfirmedByCode)
	return c.submit(ctx, by, f)
}

// ConfirmByPasskey sends a draft that the official wrote down, after the applicant has signed with their passkey on the
// answers as they stand: verify checks that they did. Only now are the registers asked. Sending again gives the same
// receipt.
func (c *Casework) ConfirmByPasskey(ctx context.Context, by access.Actor, id ident.Application, verify func(draft Application) error) (Receipt, error) {
	f, err := c.assisted(ctx, by, id)
	if err != nil {
		return Receipt{}, err
	}
	if receipt, sent, err := f.confirmedBefore(); sent || err != nil {
		return receipt, err
	}
	if err := verify(f.app); err != nil {
		return Receipt{}, err
	}
	f.confirmed(ConfirmedByPasskey)
	return c.submit(ctx, by, f)
}
