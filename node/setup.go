package node

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/register"
)

// settingUp is how the journal names who sets an installation up: whoever has its folder and its keys.
var settingUp = journal.Actor{Component: "setup"}

// TakeUpPeople takes up the people of a CSV file with the columns number and name, and perhaps birth (2003-11-05) and
// language. All rows are checked before the first is taken up; one that is wrong is an error that names its line and no
// value, and nobody is taken up. People who are known already get the name, birth and language of the file.
func (n *Node) TakeUpPeople(ctx context.Context, file io.Reader) (count int, err error) {
	reader := csv.NewReader(file)
	head, err := reader.Read()
	if err != nil {
		return 0, fmt.Errorf("the head of the file cannot be read: write the columns number,name,birth,language: %w", err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	for i, column := range head {
		if !slices.Contains([]string{"number", "name", "birth", "language"}, column) || slices.Contains(head[:i], column) {
			return 0, fmt.Errorf("1: column %d is unknown or stands twice: the columns are number, name, birth and language", i+1)
		}
	}
	if !slices.Contains(head, "number") || !slices.Contains(head, "name") {
		return 0, errors.New("1: the columns number and name are required: add them")
	}
	var people []person.Attributes
	for {
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("nobody was taken up: %w", err)
		}
		line, _ := reader.FieldPos(0)
		one, wrong := n.readPerson(head, row)
		if wrong != "" {
			return 0, fmt.Errorf("%d: %s: correct the row; nobody was taken up", line, wrong)
		}
		people = append(people, one)
	}
	for _, one := range people {
		if _, err := n.People.TakeUp(ctx, settingUp, "", one); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

// readPerson reads a row; wrong says what is, without any value.
func (n *Node) readPerson(head, row []string) (one person.Attributes, wrong string) {
	for i, column := range head {
		value := strings.TrimSpace(row[i])
		switch column {
		case "number":
			if n.Profile.Person.Validate(value) != nil {
				return one, "this is no national number of the country profile"
			}
			one.Number = value
		case "name":
			if value == "" {
				return one, "the name is missing"
			}
			one.Name = value
		case "birth":
			if value == "" {
				continue
			}
			date, err := calendar.ParseDate(value)
			if err != nil {
				return one, "the birth is no date like 2003-11-05"
			}
			one.Birth = date
		case "language":
			if value != "" && !n.Profile.Speaks(value) {
				return one, "the language is none of the country's"
			}
			one.Language = value
		}
	}
	return one, ""
}

// AppointFirstRegistrar appoints a person who was taken up registrar of an agency that has none. It is how an
// installation begins: all later appointments are made by registrars.
func (n *Node) AppointFirstRegistrar(ctx context.Context, agency ident.Agency, number string) (access.Appointment, error) {
	if _, known := n.Catalogue().Agencies[agency]; !known {
		return access.Appointment{}, fault.New(fault.NotFound, "setup.agency-unknown", "No pack that is loaded has this agency. Check its name and the configuration's packs.")
	}
	who, err := n.People.ByNumber(ctx, number)
	if err != nil {
		return access.Appointment{}, err
	}
	now := n.DB.Now()
	tree := n.Profile.Territories
	err = n.Office.Store.View(ctx, func(tx access.Reader) error {
		for place := range tree.Within(tree.Root()) {
			held, err := tx.AppointmentsIn(agency, access.Registrar, place)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(held, func(a access.Appointment) bool { return a.Holds(now) }) {
				return fault.New(fault.Conflict, "setup.has-registrar", "This agency has a registrar. They appoint the others, on the page of appointments.")
			}
		}
		return nil
	})
	if err != nil {
		return access.Appointment{}, err
	}
	return n.Office.Appoint(ctx, access.Actor{}, access.Appointment{Person: who, Agency: agency, Role: access.Registrar, Territory: tree.Root()})
}

// ImportRegister imports a file of CSV, or of NDJSON, into a register that is held here, all of it or nothing. Rejected
// is told of each rejected row.
func (n *Node) ImportRegister(ctx context.Context, path ident.Register, ndjson bool, open func() (io.Reader, error), rejected func(register.Reject)) (register.Reconciliation, error) {
	definition, err := n.Catalogue().Registers.Register(path)
	if err != nil {
		return register.Reconciliation{}, err
	}
	wanted := register.Import{Register: path, Reason: "setup", Atomic: true, Rejected: rejected}
	return n.Registers.Import(ctx, settingUp, wanted, func() (register.RowReader, error) {
		file, err := open()
		if err != nil {
			return nil, err
		}
		if ndjson {
			return register.NewNDJSON(definition, file), nil
		}
		return register.NewCSV(definition, n.Profile, file)
	})
}

// Notebook is a notebook that was kept elsewhere, to be taken into a register.
type Notebook struct {
	Register ident.Register
	Mapping  []byte // as YAML: register.Mapping
	Content  []byte // a workbook, or CSV
	Reason   string
	Dry      bool // say what would become of the rows
	Partly   bool // import the good rows even if others are rejected
	// Settled says by line whose number a person gave to a row; empty: nobody's who is known here.
	Settled  map[int]string
	Rejected func(register.Reject)
}

// TakenOver is what became of a notebook.
type TakenOver struct {
	Import ident.Import // by which it can be undone
	register.Reconciliation
	Unsettled []register.Unsettled // by line
}

// TakeOver takes a notebook into a register that is held here.
func (n *Node) TakeOver(ctx context.Context, wanted Notebook) (done TakenOver, err error) {
	definition, err := n.Catalogue().Registers.Register(wanted.Register)
	if err != nil {
		return done, err
	}
	mapping, err := register.ReadMapping(wanted.Mapping, definition)
	if err != nil {
		return done, err
	}
	done.Import = ident.New[ident.Import](n.DB.Now())
	done.Reconciliation, err = n.Registers.Import(ctx, settingUp, register.Import{
		Register: wanted.Register, Reason: wanted.Reason, Atomic: !wanted.Partly, ID: done.Import, Dry: wanted.Dry,
		Settled: wanted.Settled, Rejected: wanted.Rejected,
		Settle: func(one register.Unsettled) { done.Unsettled = append(done.Unsettled, one) },
	}, func() (register.RowReader, error) { return mapping.NewTable(definition, n.Profile, wanted.Content) })
	slices.SortFunc(done.Unsettled, func(a, b register.Unsettled) int { return a.Line - b.Line })
	return done, err
}

// Candidates shows who the rows of a notebook may be about; that each of them was shown is recorded before.
func (n *Node) Candidates(ctx context.Context, of ident.Register, rows []register.Unsettled) (map[int][]register.ShownCandidate, error) {
	return n.Registers.Candidates(ctx, settingUp, of, rows)
}

// UndoImport undoes the import of a notebook; refused is told of each record that is left as it is.
func (n *Node) UndoImport(ctx context.Context, from ident.Register, id ident.Import, reason string, refused func(ident.Record, *fault.Fault)) (register.Undoing, error) {
	return n.Registers.Undo(ctx, settingUp, from, id, reason, refused)
}
