package main

import (
	"context"
	"errors"
	"fmt"

	"yagona/store/schema"
)

// dbCommand is about the database of a server.
type dbCommand struct {
	Plan dbPlanCommand `cmd:"" help:"Print how the tables are spread over several machines."`
}

// dbPlanCommand prints a plan; it changes nothing.
type dbPlanCommand struct {
	Citus bool `help:"As statements for the coordinator of a Citus cluster."`
}

// Run prints.
func (c dbPlanCommand) Run(_ context.Context, terminal terminal) error {
	if !c.Citus {
		return usageError{errors.New("say for what: yagona db plan --citus")}
	}
	fmt.Fprint(terminal.Out, schema.CitusPlan())
	return nil
}
