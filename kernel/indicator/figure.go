package indicator

import (
	"context"

	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
)

// Figure is an indicator's value for a territory and a month, as it is published, by the rule of casework.Count.
type Figure struct {
	Month       Month
	Territory   ident.Territory
	Told        bool  // the value is published: it is of casework.SmallestCell or more
	Numerator   int64 // rounded; 0 where it is not told
	Denominator int64 // rounded; 0 where the unit is Number, or where it is of fewer than casework.SmallestCell
	Tenths      int64 // the value in the indicator's unit, ten times; 0 where it is not told
}

// Reached reports whether the figure is what the target asks for; false where the figure is not told.
func (t Target) Reached(f Figure) bool {
	if t.Least {
		return f.Told && f.Tenths >= 10*t.Value
	}
	return f.Told && f.Tenths <= 10*t.Value
}

// Shown is an indicator with its figures for some territories, in their order.
type Shown struct {
	*Definition
	Counting bool       // what was there before the indicator is still being counted: no figure is told yet
	Series   [][]Figure // for each territory its months, the earliest first; the last is the month that was asked for
}

// Now returns the newest figure of the territory that is the i-th of those asked for.
func (s Shown) Now(i int) Figure { return s.Series[i][len(s.Series[i])-1] }

// Month returns the month of the clock.
func (c *Counter) Month() Month { return MonthOf(calendar.DateOf(c.Clock(), c.Location)) }

// Show returns the indicator's figures for the territories, of at most so many months up to the given one.
func (c *Counter) Show(ctx context.Context, d *Definition, through Month, months int, territories ...ident.Territory) (Shown, error) {
	shown := Shown{Definition: d}
	var progress Progress
	parts := make([][]Part, len(territories))
	err := c.Store.View(ctx, func(tx Reader) (err error) {
		if progress, err = tx.IndicatorCount(d.Key()); err != nil {
			return err
		}
		for i, one := range territories {
			if parts[i], err = tx.IndicatorParts(d.Key(), one); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Shown{}, err
	}
	shown.Counting = progress.Done.IsZero()
	first := max(d.Since, through-Month(max(months, 1))+1)
	for i, territory := range territories {
		series := []Figure{}
		for month := min(first, through); month <= through; month++ {
			if shown.Counting {
				series = append(series, Figure{Month: month, Territory: territory})
				continue
			}
			numerator := d.side(parts[i], d.Numerator, month, func(p Part) int64 { return p.Numerator })
			var denominator int64
			if d.Denominator != nil {
				denominator = d.side(parts[i], *d.Denominator, month, func(p Part) int64 { return p.Denominator })
			}
			figure := d.publish(numerator, denominator)
			figure.Month, figure.Territory = month, territory
			series = append(series, figure)
		}
		shown.Series = append(shown.Series, series)
	}
	return shown, nil
}

// side returns the exact sum of one side for a month.
func (d *Definition) side(parts []Part, of Measure, month Month, amount func(Part) int64) (total int64) {
	for _, one := range parts {
		var counts bool
		switch {
		case of.Holds():
			counts = one.Month <= month
		case d.Period == EachYear:
			counts = one.Month <= month && one.Month > month-12
		default:
			counts = one.Month == month
		}
		if counts {
			total += amount(one)
		}
	}
	return total
}

// publish returns what of the exact sums is published. A share is that of the rounded numbers, in whole units, so that
// it tells no more than they do; an average is of all, and is told of five or more. None looks like few.
func (d *Definition) publish(numerator, denominator int64) Figure {
	told := numerator
	if d.Unit == Average {
		told = denominator
	}
	if told < casework.SmallestCell || d.Unit != Number && denominator < casework.SmallestCell {
		return Figure{Denominator: casework.Rounded(denominator)}
	}
	figure := Figure{Told: true, Numerator: casework.Rounded(numerator), Denominator: casework.Rounded(denominator)}
	share := func(of int64) int64 {
		return (figure.Numerator*of + figure.Denominator/2) / figure.Denominator * 10
	}
	switch d.Unit {
	case Percent:
		figure.Tenths = share(100)
	case PerThousand:
		figure.Tenths = share(1000)
	case Average:
		figure.Numerator = 0 // a rounded sum would tell another average
		figure.Tenths = (numerator*10 + denominator/2) / denominator
	default:
		figure.Tenths = 10 * figure.Numerator
	}
	return figure
}
