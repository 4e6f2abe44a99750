package query

import (
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

var errNoPerformance = fault.New(fault.Internal, "store.no-row", "A count gave no row.")

// Performance implements casework.Reader.
func (t *Tx) Performance(of ident.Service) (found casework.Performance, err error) {
	var micros int64
	err = t.row(errNoPerformance, `SELECT count(*), coalesce(max(CASE WHEN place * 2 <= decisions + 1 THEN took END), 0)
		FROM (
			SELECT decided - submitted AS took, row_number() OVER (ORDER BY decided - submitted) AS place, count(*) OVER () AS decisions
			FROM application WHERE service = $1 AND submitted IS NOT NULL AND decided IS NOT NULL AND state IN ('granted', 'refused', 'ended')
		) AS one`, args(of), &found.Decided, &micros)
	if err != nil {
		return found, err
	}
	found.Median = time.Duration(micros) * time.Microsecond
	err = t.row(errNoPerformance, `SELECT count(*), coalesce(sum(CASE WHEN escalated = 0 THEN 1 ELSE 0 END), 0)
		FROM task WHERE service = $1 AND state = 'done'`, args(of), &found.Steps, &found.OnTime)
	return found, err
}
