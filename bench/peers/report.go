package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

func (t turn) rate() float64 { return float64(len(t.latencies)) / t.took.Seconds() }

// each returns the processor time of a piece, of the program's own processes, in milliseconds.
func (t turn) each() float64 { return milliseconds(t.spent) / float64(max(len(t.latencies), 1)) }

// percentile returns the latency that the share of all pieces did not exceed (nearest rank), in milliseconds.
func (t turn) percentile(share float64) float64 {
	if len(t.latencies) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(t.latencies))
	rank := int(math.Ceil(share * float64(len(sorted))))
	return milliseconds(sorted[max(rank, 1)-1])
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (t turn) String() string {
	return fmt.Sprintf("%8.1f/s p50 %7.1f ms p99 %7.1f ms | processors %6.2f ms each | %d", t.rate(), t.percentile(0.5), t.percentile(0.99), t.each(), len(t.latencies))
}

// report prints the tables: the median of the rounds, the least and the most.
func report(out io.Writer, present []*contestant) {
	fmt.Fprintln(out, "Medians of the rounds (least to most):")
	for _, measure := range measures {
		if !slices.ContainsFunc(present, func(one *contestant) bool { return len(one.measured[measure]) > 0 }) {
			continue
		}
		fmt.Fprintf(out, "\n| %s | per second | p50 ms | p99 ms | processor ms each |\n|---|---:|---:|---:|---:|\n", measure)
		for _, one := range present {
			turns := one.measured[measure]
			if len(turns) == 0 {
				continue
			}
			column := func(format string, of func(turn) float64) string {
				values := make([]float64, len(turns))
				for i, measured := range turns {
					values[i] = of(measured)
				}
				return spread(format, values)
			}
			fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", one.name, column("%.1f", turn.rate),
				column("%.1f", func(t turn) float64 { return t.percentile(0.5) }), column("%.1f", func(t turn) float64 { return t.percentile(0.99) }),
				column("%.2f", turn.each))
		}
	}
	fmt.Fprintln(out, "\n| | durability | start s | resident MiB after it | under load | acknowledged before kill -9 | lost |\n|---|---|---:|---:|---:|---:|---:|")
	for _, one := range present {
		fmt.Fprintf(out, "| %s | %s | %s | %d | %d | %d | %d |\n", one.name, one.setting, spread("%.2f", one.starts), one.idle>>20, one.busy>>20, one.acknowledged, one.lost)
	}
}

// spread formats the median, the least and the most; a dash where there is nothing.
func spread(format string, values []float64) string {
	if len(values) == 0 {
		return "–"
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		middle = (sorted[len(sorted)/2-1] + middle) / 2
	}
	return fmt.Sprintf(format+" ("+format+"–"+format+")", middle, sorted[0], sorted[len(sorted)-1])
}
