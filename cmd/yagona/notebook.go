package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/register"
	"yagona/node"
)

// setupNotebook takes a notebook into a register. Rows that name somebody without a number are settled by a person, who
// marks one candidate of each in the file of candidates.
type setupNotebook struct {
	setupConfig
	Mapping    string `required:"" type:"existingfile" placeholder:"FILE" help:"Which column is which field (YAML)."`
	Reason     string `required:"" placeholder:"TEXT" help:"Why, as it stands in the history of each record."`
	DryRun     bool   `help:"Say what would become of the rows, and write nothing."`
	Partly     bool   `help:"Import the good rows even if others are rejected."`
	Candidates string `placeholder:"FILE" help:"Write who the rows to settle may be about into a new file (CSV). Each of them sees that they were shown."`
	Settled    string `type:"existingfile" placeholder:"FILE" help:"That file, with an x in the column chosen."`
	Register   string `arg:"" help:"The register, as PACK/NAME."`
	File       string `arg:"" type:"existingfile" help:"The notebook: a workbook (.xlsx) or CSV."`
}

// Run takes the notebook over.
func (c setupNotebook) Run(ctx context.Context, terminal terminal) (err error) {
	wanted := node.Notebook{
		Register: ident.Register(c.Register), Reason: c.Reason, Dry: c.DryRun, Partly: c.Partly,
		Rejected: func(one register.Reject) {
			at := ""
			if one.Reason.Field != "" {
				at = one.Reason.Field + ": "
			}
			fmt.Fprintf(terminal.Err, "%s:%d: %s%s\n", c.File, one.Line, at, one.Reason.Message)
		},
	}
	if wanted.Mapping, err = os.ReadFile(c.Mapping); err != nil {
		return err
	}
	if info, err := os.Stat(c.File); err != nil {
		return err
	} else if info.Size() > register.LargestTable {
		return fmt.Errorf("%s is larger than %d MB: save only the sheet that is imported", c.File, register.LargestTable>>20)
	}
	if wanted.Content, err = os.ReadFile(c.File); err != nil {
		return err
	}
	if c.Settled != "" {
		content, err := os.ReadFile(c.Settled)
		if err != nil {
			return err
		}
		if wanted.Settled, err = readSettled(content, wanted.Content); err != nil {
			return fmt.Errorf("%s:%w", c.Settled, err)
		}
	}
	opened, err := c.open(ctx, terminal)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	done, err := opened.TakeOver(ctx, wanted)
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "read %d = created %d + changed %d + unchanged %d + rejected %d + to settle %d\n",
		done.Read, done.Created, done.Changed, done.Unchanged, done.Rejected, done.ToSettle)
	if c.Candidates != "" && len(done.Unsettled) > 0 {
		if err := c.writeCandidates(ctx, opened, wanted.Content, done.Unsettled); err != nil {
			return err
		}
		fmt.Fprintf(terminal.Err, "%s: mark one candidate of each line with an x in the column chosen, then run this again with --settled\n", c.Candidates)
	}
	switch {
	case c.DryRun:
		fmt.Fprintln(terminal.Err, "nothing was written: this was a dry run")
	case done.Rejected > 0 && !c.Partly:
		fmt.Fprintln(terminal.Err, "nothing was imported: correct these rows and import the notebook again, or leave them out with --partly")
		return errSaid
	case done.Created+done.Changed > 0:
		fmt.Fprintf(terminal.Out, "import %s: undo it with yagona setup undo\n", done.Import)
	}
	return nil
}

// candidateColumns are those of the file of candidates after the first, which names the notebook. A line of nobody stands
// after the candidates of each row.
var candidateColumns = []string{"chosen", "number", "name", "birth", "name is", "birth is"}

// lineColumn is the head of the column of lines: a choice counts for the very notebook that it was made for.
func lineColumn(notebook []byte) string {
	digest := sha256.Sum256(notebook)
	return "line of " + hex.EncodeToString(digest[:8])
}

// writeCandidates writes who the rows may be about. It holds personal data: nobody else may read the file.
func (c setupNotebook) writeCandidates(ctx context.Context, opened *node.Node, notebook []byte, rows []register.Unsettled) error {
	if _, err := os.Stat(c.Candidates); err == nil {
		return fmt.Errorf("%s is there already: choose another file", c.Candidates)
	}
	shown, err := opened.Candidates(ctx, ident.Register(c.Register), rows)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	out := csv.NewWriter(&file)
	write := func(fields ...string) error { return out.Write(fields) }
	err = write(append([]string{lineColumn(notebook)}, candidateColumns...)...)
	for _, row := range rows {
		line := strconv.Itoa(row.Line)
		for _, one := range shown[row.Line] {
			birth := ""
			if !one.Known.Birth.IsZero() {
				birth = one.Known.Birth.String()
			}
			err = errors.Join(err, write(line, "", one.Known.Number, one.Known.Name, birth, string(one.Name), string(one.Birth)))
		}
		err = errors.Join(err, write(line, "", "", "nobody of these", "", "", ""))
	}
	out.Flush()
	if err := errors.Join(err, out.Error()); err != nil {
		return err
	}
	return writeNewFile(c.Candidates, file.Bytes())
}

// readSettled reads the numbers that were chosen for the rows of a notebook, by line. A line without a choice is left to
// settle.
func readSettled(content, notebook []byte) (map[int]string, error) {
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\ufeff"))))
	reader.FieldsPerRecord = 1 + len(candidateColumns)
	settled := map[int]string{}
	for first := true; ; first = false {
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return settled, nil
		}
		if err != nil {
			return nil, fmt.Errorf(" this is not the file of candidates: %w", err)
		}
		at, _ := reader.FieldPos(0)
		if first {
			if row[0] != lineColumn(notebook) {
				return nil, errors.New("1: these are the candidates of another notebook, or it was changed since: have them written again")
			}
			continue
		}
		if strings.TrimSpace(row[1]) == "" {
			continue
		}
		line, err := strconv.Atoi(row[0])
		if err != nil {
			return nil, fmt.Errorf("%d: the line is no number: leave the first column as it was", at)
		}
		if _, twice := settled[line]; twice {
			return nil, fmt.Errorf("%d: two candidates are chosen for line %d: choose one", at, line)
		}
		settled[line] = row[2]
	}
}

type setupUndo struct {
	setupConfig
	Reason   string `required:"" placeholder:"TEXT" help:"Why, as it stands in the history of each record."`
	Register string `arg:"" help:"The register, as PACK/NAME."`
	Import   string `arg:"" help:"The number of the import, as it was printed."`
}

// Run undoes the import.
func (c setupUndo) Run(ctx context.Context, terminal terminal) (err error) {
	opened, err := c.open(ctx, terminal)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	done, err := opened.UndoImport(ctx, ident.Register(c.Register), ident.Import(c.Import), c.Reason, func(record ident.Record, why *fault.Fault) {
		fmt.Fprintf(terminal.Err, "record %s: %s\n", record, why.Message)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "read %d = undone %d + undone before %d + refused %d\n", done.Read, done.Undone, done.Before, done.Refused)
	if done.Refused > 0 {
		return errSaid
	}
	return nil
}
