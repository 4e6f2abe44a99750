package query

import (
	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/correction"
	"yagona/kernel/erasure"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/notice"
	"yagona/kernel/offer"
	"yagona/kernel/person"
	"yagona/kernel/practice"
	"yagona/kernel/representation"
)

// One transaction type serves every kernel package.
var (
	_ journal.Tx  = (*Tx)(nil)
	_ job.Tx      = (*Tx)(nil)
	_ person.Tx   = (*Tx)(nil)
	_ access.Tx   = (*Tx)(nil)
	_ casework.Tx = (*Tx)(nil)
	_ practice.Tx = (*Tx)(nil)
	_ notice.Tx   = (*Tx)(nil)
	_ erasure.Tx  = (*Tx)(nil)

	_ correction.Tx     = (*Tx)(nil)
	_ offer.Tx          = (*Tx)(nil)
	_ representation.Tx = (*Tx)(nil)
)
