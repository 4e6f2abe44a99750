package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// result is what one measurement of one run gave.
type result struct {
	latencies         []time.Duration
	took, spent       time.Duration // on the clock, on the processors
	work              work
	floor, floorSpent time.Duration
}

// hasFloor reports whether a floor was measured: what commits nothing has none, and what a server stores.
func (r result) hasFloor() bool { return r.floor > 0 && len(r.work.commits) > 0 }

func (r result) rate() float64      { return float64(len(r.latencies)) / r.took.Seconds() }
func (r result) floorRate() float64 { return float64(len(r.latencies)) / r.floor.Seconds() }
func (r result) ratio() float64     { return r.floor.Seconds() / r.took.Seconds() }

// each returns the processor time of one piece, in milliseconds.
func (r result) each(spent time.Duration) float64 {
	return float64(spent.Microseconds()) / 1000 / float64(len(r.latencies))
}

// percentile returns the latency that the share of all pieces did not exceed (nearest rank), in milliseconds.
func (r result) percentile(share float64) float64 {
	sorted := slices.Sorted(slices.Values(r.latencies))
	rank := int(math.Ceil(share * float64(len(sorted))))
	return float64(sorted[max(rank, 1)-1].Microseconds()) / 1000
}

// line tells of one run.
func (r result) line(of measurement) string {
	pieces := float64(len(r.latencies))
	floor := "no floor"
	if r.hasFloor() {
		floor = fmt.Sprintf("floor %8.1f/s ratio %.3f, processor %.2f ms", r.floorRate(), r.ratio(), r.each(r.floorSpent))
	}
	return fmt.Sprintf("%-9s %7.1f/s p50 %6.1f ms p99 %6.1f ms, processor %.2f ms | %s | each %.1f acts, %.1f statements, %.1f KiB, "+
		"%.1f signed, %.1f verified; %.1f acts a commit",
		of.slug, r.rate(), r.percentile(0.5), r.percentile(0.99), r.each(r.spent), floor, float64(r.work.acts)/pieces, float64(r.work.write)/pieces, float64(r.work.bytes)/1024/pieces,
		float64(r.work.signed)/pieces, float64(r.work.verified)/pieces, float64(r.work.acts)/float64(max(len(r.work.commits), 1)))
}

// summarise prints a table with the median of the runs, and the least and the most.
func summarise(out io.Writer, measurements []measurement, all [][]result) {
	fmt.Fprintf(out, "Median of %d runs (least to most):\n\n", len(all[0]))
	fmt.Fprintln(out, "| | per second | p50 ms | p99 ms | floor per second | ours / floor | processor ms each | floor's |")
	fmt.Fprintln(out, "|---|---:|---:|---:|---:|---:|---:|---:|")
	for i, one := range measurements {
		column := func(format string, of func(result) float64) string {
			values := make([]float64, len(all[i]))
			for j, measured := range all[i] {
				values[j] = of(measured)
			}
			return spread(format, values)
		}
		floorRate, ratio, floorSpent := column("%.0f", result.floorRate), column("%.3f", result.ratio), column("%.2f", func(r result) float64 { return r.each(r.floorSpent) })
		if !slices.ContainsFunc(all[i], result.hasFloor) {
			floorRate, ratio, floorSpent = "–", "–", "–"
		}
		fmt.Fprintf(out, "| %s |\n", strings.Join([]string{
			one.name, column("%.0f", result.rate),
			column("%.1f", func(r result) float64 { return r.percentile(0.5) }),
			column("%.1f", func(r result) float64 { return r.percentile(0.99) }),
			floorRate, ratio, column("%.2f", func(r result) float64 { return r.each(r.spent) }), floorSpent,
		}, " | "))
	}
}

// spread formats the median, the least and the most.
func spread(format string, values []float64) string {
	return fmt.Sprintf(format+" ("+format+"–"+format+")", median(values), slices.Min(values), slices.Max(values))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		middle = (sorted[len(sorted)/2-1] + middle) / 2
	}
	return middle
}
