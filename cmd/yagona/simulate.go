package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"yagona/kernel/country"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/simulation"
	"yagona/node"
	"yagona/node/walk"
	"yagona/web/api"
)

// simulateCommand asks a running node what a change of a service's rules would do.
type simulateCommand struct {
	Service   string   `arg:"" help:"The service: youth/tools-subsidy."`
	Node      *url.URL `required:"" placeholder:"URL" help:"Address of the running node."`
	Token     string   `type:"existingfile" placeholder:"FILE" help:"File with the token of an analyst's session."`
	As        string   `placeholder:"WORDS" help:"In a demonstration: sign in as the first person of whom these words are said, as analyst."`
	With      []string `sep:"none" placeholder:"param.NAME=VALUE" help:"A legal amount or date that would change. Repeat it for several."`
	WithFile  string   `type:"existingfile" placeholder:"FILE" help:"The service's file as it would be."`
	Assume    []string `sep:"none" placeholder:"ask.NAME=VALUE" help:"What everybody would answer to a question. Repeat it for several."`
	Territory string   `placeholder:"CODE" help:"Whose residents are counted; the analyst's own without it."`
	CSV       bool     `name:"csv" help:"Print CSV instead of tables."`
	Profile   string   `type:"existingdir" placeholder:"DIR" help:"Country profile; the shipped one if none is named."`
}

// Run simulates.
func (c simulateCommand) Run(ctx context.Context, terminal terminal) error {
	if !ident.IsPath(c.Service) {
		return usageError{fmt.Errorf("%q names no service: write pack and service, as youth/tools-subsidy", c.Service)}
	}
	wanted := api.NewSimulation{Service: ident.Service(c.Service), Territory: ident.Territory(c.Territory)}
	var err error
	if wanted.Params, err = named("param.", c.With); err != nil {
		return usageError{fmt.Errorf("--with: %w", err)}
	}
	if wanted.Assume, err = named("ask.", c.Assume); err != nil {
		return usageError{fmt.Errorf("--assume: %w", err)}
	}
	if c.WithFile != "" {
		content, err := os.ReadFile(c.WithFile)
		if err != nil {
			return err
		}
		wanted.Draft = string(content)
	}
	profile, err := loadProfile(c.Profile)
	if err != nil {
		return err
	}
	token, err := c.token(ctx)
	if err != nil {
		return err
	}
	var made api.Simulation
	if err := call(ctx, c.Node, token, api.SimulationTimeout, "POST", "/simulations", wanted, &made); err != nil {
		return err
	}
	if c.CSV {
		return made.Result.WriteCSV(terminal.Out, profile.Currency)
	}
	return printSimulation(terminal, made, profile)
}

// named returns values by the names that stand before their "=", which all begin with the prefix.
func named(prefix string, pairs []string) (map[string]string, error) {
	values := map[string]string{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		name, begins := strings.CutPrefix(strings.TrimSpace(name), prefix)
		if !ok || !begins || name == "" {
			return nil, fmt.Errorf("write %sNAME=VALUE instead of %q", prefix, pair)
		}
		if _, twice := values[name]; twice {
			return nil, fmt.Errorf("%s%s stands twice: keep one of them", prefix, name)
		}
		values[name] = strings.TrimSpace(value)
	}
	return values, nil
}

// token returns the token of the session in which to ask.
func (c simulateCommand) token(ctx context.Context) (string, error) {
	switch {
	case (c.Token == "") == (c.As == ""):
		return "", usageError{errors.New("say who asks: --token with the file of an analyst's token, or in a demonstration --as analyst")}
	case c.As != "":
		client, err := walk.SignIn(ctx, c.Node, node.DemonstrationPath, node.DemonstrationProgram, c.As)
		if err != nil {
			return "", err
		}
		return client.Token(), nil
	}
	content, err := os.ReadFile(c.Token)
	return strings.TrimSpace(string(content)), err
}

// printSimulation prints one table for all, and one for each dimension.
func printSimulation(terminal terminal, made api.Simulation, profile *country.Profile) error {
	out, result := terminal.Out, made.Result
	fmt.Fprintf(out, "%s, %s: %d residents, simulation %s\n", made.Service, territoryName(profile, string(made.Territory)), result.Residents, made.ID)
	for _, one := range []struct {
		prefix string
		values map[string]string
	}{{"param.", made.Params}, {"ask.", made.Assume}} {
		for _, name := range slices.Sorted(maps.Keys(one.values)) {
			fmt.Fprintf(out, "with %s%s=%s\n", one.prefix, name, one.values[name])
		}
	}
	if made.Draft != "" {
		fmt.Fprintf(out, "with a file of SHA-256 %s\n", made.Draft)
	}
	for _, unread := range result.Unread {
		fmt.Fprintf(out, "not read: %s answers one question at a time, and counts as not known\n", unread)
	}
	for _, question := range result.Lacks() {
		fmt.Fprintf(out, "not known: what people answer to ask.%s; say --assume ask.%[1]s=VALUE\n", question)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, group := range result.Groups() {
		fmt.Fprintf(table, "\nby %s\tin force\tchanged\tnewly in\tnewly out\tnot known\t", group.By)
		if result.Pays {
			fmt.Fprint(table, "cost\tnew cost\t")
		}
		fmt.Fprintln(table)
		for _, row := range group.Rows {
			name := row.Group
			switch {
			case group.By == simulation.ByAll:
				name = "residents"
			case name == "":
				name = "not known"
			case group.By == simulation.ByTerritory:
				name = territoryName(profile, name)
			}
			fmt.Fprint(table, name, "\t")
			for _, one := range []simulation.Number{row.Before, row.After, row.In, row.Out, row.NotKnown} {
				fmt.Fprint(table, shownNumber(one), "\t")
			}
			if result.Pays {
				fmt.Fprint(table, shownCost(row.Before, row.Cost, profile), "\t", shownCost(row.After, row.NewCost, profile), "\t")
			}
			fmt.Fprintln(table)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nNumbers are rounded to fives; – is not shown, so that nobody is recognised. Cost: if everybody entitled asks once.\n")
	return nil
}

func territoryName(profile *country.Profile, code string) string {
	if name := profile.Territories.Name(ident.Territory(code), "en", profile.Authoritative()); name != "" {
		return name
	}
	return code
}

func shownNumber(n simulation.Number) string {
	if n.Hidden {
		return "–"
	}
	return strconv.FormatInt(n.Count, 10)
}

func shownCost(of simulation.Number, cost money.Amount, profile *country.Profile) string {
	if of.Hidden {
		return "–"
	}
	return profile.Currency.Format(cost)
}
