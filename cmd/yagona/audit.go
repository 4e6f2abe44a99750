package main

import "errors"

// auditCommand recomputes what was recorded.
type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Recompute the log, the journal and every row that it vouches for; name what was tampered with."`
}

type auditVerifyCommand struct{}

// Run audits.
func (auditVerifyCommand) Run() error { return errors.New("not yet") }
