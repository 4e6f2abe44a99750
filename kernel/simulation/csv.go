package simulation

import (
	"encoding/csv"
	"io"
	"strconv"

	"yagona/kernel/money"
)

// The dimensions by which the rows of a result are grouped.
const (
	ByAll       = "all"
	ByTerritory = "territory"
	ByAge       = "age"
	BySex       = "sex"
)

// Grouped are the rows of one dimension.
type Grouped struct {
	By   string
	Rows []Row
}

// Groups returns all rows, by dimension; those that the service does not read are left out.
func (r Result) Groups() []Grouped {
	groups := []Grouped{{ByAll, []Row{r.Total}}}
	for _, one := range []Grouped{{ByTerritory, r.Territories}, {ByAge, r.Ages}, {BySex, r.Sexes}} {
		if len(one.Rows) > 0 {
			groups = append(groups, one)
		}
	}
	return groups
}

// WriteCSV writes the rows as CSV with a line of names. What is not shown is empty.
func (r Result) WriteCSV(to io.Writer, currency money.Currency) error {
	writer := csv.NewWriter(to)
	lines := [][]string{{"by", "group", "before", "after", "in", "out", "not_known", "cost", "new_cost"}}
	number := func(n Number) string {
		if n.Hidden {
			return ""
		}
		return strconv.FormatInt(n.Count, 10)
	}
	amount := func(of Number, cost money.Amount) string {
		if !r.Pays || of.Hidden {
			return ""
		}
		return currency.Format(cost)
	}
	for _, group := range r.Groups() {
		for _, row := range group.Rows {
			lines = append(lines, []string{
				group.By, row.Group, number(row.Before), number(row.After), number(row.In), number(row.Out), number(row.NotKnown),
				amount(row.Before, row.Cost), amount(row.After, row.NewCost),
			})
		}
	}
	return writer.WriteAll(lines)
}
