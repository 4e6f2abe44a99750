package main

import (
	"context"
	"errors"
	"fmt"

	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/node"
)

// indicatorCommand is what an operator or an auditor does with the indicators.
type indicatorCommand struct {
	Verify  indicatorVerifyCommand  `cmd:"" help:"Count the indicators anew from records and applications; name each figure that differs."`
	Recount indicatorRecountCommand `cmd:"" help:"Forget what was counted of an indicator; the installation counts all anew when it is served."`
}

// mostDifferences is how many figures that differ are printed of one indicator.
const mostDifferences = 20

type indicatorVerifyCommand struct {
	setupConfig
	Indicator []string `arg:"" optional:"" help:"Indicators: employment/unemployed; all, if none is named."`
}

// Run verifies. Figures may differ by what of the log was not looked at yet.
func (c indicatorVerifyCommand) Run(ctx context.Context, terminal terminal) (err error) {
	opened, err := c.open(ctx, terminal)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	all, err := indicators(opened, c.Indicator)
	if err != nil {
		return err
	}
	wrong := false
	for _, d := range all {
		differences, err := opened.Indicators.Verify(ctx, d)
		if err != nil {
			return err
		}
		if len(differences) == 0 {
			fmt.Fprintf(terminal.Out, "%s: every figure is what counting anew gives\n", d.Path)
			continue
		}
		wrong = true
		fmt.Fprintf(terminal.Out, "%s: %d figures differ\n", d.Path, len(differences))
		for _, one := range differences[:min(len(differences), mostDifferences)] {
			published, counted := one.Published, one.Counted
			at := published
			if at.Territory == "" {
				at = counted
			}
			fmt.Fprintf(terminal.Out, "  %s %s: %d of %d, counted anew %d of %d\n",
				at.Month, at.Territory, published.Numerator, published.Denominator, counted.Numerator, counted.Denominator)
		}
	}
	if wrong {
		fmt.Fprintln(terminal.Err, "Figures that are not counted yet, because the counts have not followed the log to its end, differ too: serve the installation for a moment and verify again. If they still differ, look into the log (yagona audit verify), then count anew with yagona indicator recount.")
		return errSaid
	}
	return nil
}

type indicatorRecountCommand struct {
	setupConfig
	Indicator []string `arg:"" help:"Indicators: employment/unemployed."`
}

// Run begins the count anew.
func (c indicatorRecountCommand) Run(ctx context.Context, terminal terminal) (err error) {
	opened, err := c.open(ctx, terminal)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	all, err := indicators(opened, c.Indicator)
	if err != nil {
		return err
	}
	for _, d := range all {
		if err := opened.Indicators.Recount(ctx, d); err != nil {
			return err
		}
		fmt.Fprintf(terminal.Out, "%s: is counted anew as soon as the installation is served\n", d.Path)
	}
	return nil
}

// indicators returns the named indicators, or all.
func indicators(opened *node.Node, names []string) (found []*indicator.Definition, err error) {
	catalogue := opened.Catalogue().Indicators
	if len(names) == 0 {
		return catalogue.All(), nil
	}
	for _, name := range names {
		d, err := catalogue.Indicator(ident.Indicator(name))
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", name, err)}
		}
		found = append(found, d)
	}
	return found, nil
}
