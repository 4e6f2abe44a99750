package main

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// inhabitants is how many residents the country has for which an installation is sized on paper.
const inhabitants = 37_000_000

// taken is what a piece of a kind adds to the database, and takes of the processors.
type taken struct{ bytes, milliseconds float64 }

// paper prints what a country needs, were every resident as one of those measured: for each kind of act, how often it is
// assumed, and the storage of a year and the processors of the busiest hour that follow. perResident is what somebody
// takes up who does nothing.
func paper(out io.Writer, kinds []kind, measured map[string]taken, perResident float64) {
	peak := float64(slices.Max(curve[:])) / float64(total(curve[:]))
	fmt.Fprintf(out, "\nOn paper: %d million residents, %d working days, %.1f %% of a day's acts in its busiest hour, no copies, nothing archived\n",
		inhabitants/1_000_000, workingDays, 100*peak)
	fmt.Fprintln(out, "\n| kind of act | of a resident in a year (assumed) | a second, busiest hour | processors, busiest hour | KiB each | TiB a year |\n|---|---:|---:|---:|---:|---:|")
	var rates, busy, bytes float64
	for _, one := range kinds {
		each := measured[one.slug]
		rate := one.yearly * inhabitants / workingDays * peak / 3600
		taken := rate * each.milliseconds / 1000
		grown := one.yearly * inhabitants * each.bytes
		rates, busy, bytes = rates+rate, busy+taken, bytes+grown
		fmt.Fprintf(out, "| %s | %g | %.1f | %.2f | %.1f | %.2f |\n", one.name, one.yearly, rate, taken, each.bytes/1024, grown/tebibyte)
	}
	fmt.Fprintf(out, "| together | %g | %.0f | %.2f | | %.2f |\n", yearly(kinds), rates, busy, bytes/tebibyte)
	fmt.Fprintf(out, "\nThe residents themselves, taken up, take %.1f KiB each: %.2f TiB once.\n", perResident/1024, perResident*inhabitants/tebibyte)
}

const tebibyte = float64(1 << 40)

func total(numbers []int) (sum int) {
	for _, one := range numbers {
		sum += one
	}
	return sum
}

// interval returns an interval that holds the median of what the values are drawn from with at least 95 % of chance,
// whatever they are distributed by: between the values that stand so far from both ends. Of fewer than six values there is
// none, and it returns the least and the most.
func interval(values []float64) (least, most float64) {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	from, outside := 0, 2*math.Pow(0.5, float64(n)) // the chance that the median lies outside of the least and the most
	for chosen := outside; ; from++ {
		chosen *= float64(n-from) / float64(from+1)
		if outside += chosen; outside > 0.05 || from+1 >= n-1-(from+1) {
			break
		}
	}
	return sorted[from], sorted[n-1-from]
}

// compare tells whether two intervals of medians overlap.
func compare(out io.Writer, name string, before, after grown, of func(grown) []float64) {
	low, high := interval(of(before))
	lower, higher := interval(of(after))
	verdict := "they overlap"
	if high < lower {
		verdict = "slower: they do not overlap"
	} else if higher < low {
		verdict = "faster: they do not overlap"
	}
	if runs := len(of(after)); runs < 6 {
		verdict = fmt.Sprintf("%d runs are too few to tell", runs)
	}
	fmt.Fprintf(out, "%s, median of p50: %.1f–%.1f ms at %d stored cases, %.1f–%.1f ms at %d: %s\n",
		name, low, high, before.cases, lower, higher, after.cases, verdict)
}
