package register

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
)

// Notebook is a notebook that an official is taking into a register, as the store keeps it: under the official's key and
// sealed with it, until it is imported or dropped. Nobody else sees it.
type Notebook struct {
	Owner    ident.Subject
	ID       ident.Import
	Register ident.Register
	Begun    time.Time
	Revision int64  // from 1
	Sealed   []byte // notebook as JSON
}

// notebook is what an official is taking over.
type notebook struct {
	Mapping []byte              `json:"mapping"`
	Content []byte              `json:"content"`
	Reason  string              `json:"reason"`
	Found   map[int][]Candidate `json:"found"`   // by line: who was found when it began
	Settled map[int]string      `json:"settled"` // by line: whose number; "": nobody's known here
}

// The limits of what is taken over on pages.
const (
	LargestNotebook = 8 << 20 // bytes of the file
	mostNotebooks   = 10      // of one official
	mostShown       = 20      // rows to settle that are shown at a time: no candidate is shown before their turn
)

var (
	errNoNotebook    = fault.New(fault.NotFound, "import.notebook-unknown", "You are taking over no such notebook. Begin with its file.")
	errManyNotebooks = fault.New(fault.Conflict, "import.notebooks", "You are taking over ten notebooks already. Finish or drop one of them first.")
	errNotebook      = fault.New(fault.TooLarge, "import.notebook-size", "On this page a notebook has at most 8 MB. Save only the sheet that is imported, or have whoever runs the installation import it.").At("file")
	errNoChoice      = fault.New(fault.Invalid, "import.choice", "Choose one of those who are shown for the row, or nobody.")
)

// Looked is a notebook as its official sees it: what would become of its rows, and the next of those to settle with whom
// they may be about.
type Looked struct {
	Notebook
	Reconciliation
	Reason   string
	Rejects  []Reject    // by line
	ToSettle []Unsettled // by line, at most 20 of them
	Shown    map[int][]ShownCandidate
}

// Begin begins to take a notebook over: it is read, its names are looked for, and it is kept for the official. By keeps
// the register.
func (k *Keeper) Begin(ctx context.Context, by access.Actor, register ident.Register, reason string, mapping, content []byte) (Notebook, error) {
	definition, err := k.keeps(by, register)
	switch {
	case err != nil:
		return Notebook{}, err
	case reason == "":
		return Notebook{}, errNoReason
	case len(content) > LargestNotebook:
		return Notebook{}, errNotebook
	}
	read, err := ReadMapping(mapping, definition)
	if err != nil {
		return Notebook{}, err
	}
	made := Notebook{Owner: by.Person.Subject(), ID: ident.New[ident.Import](k.Clock()), Register: register, Begun: k.Clock(), Revision: 1}
	if known, err := k.Taking(ctx, by); err != nil {
		return Notebook{}, err
	} else if len(known) >= mostNotebooks {
		return Notebook{}, errManyNotebooks
	}
	held := notebook{Mapping: mapping, Content: content, Reason: reason, Settled: map[int]string{}}
	held.Found, err = k.alike(ctx, by.Journal(), Import{Register: register, ID: made.ID}, k.tableOf(definition, read, content))
	if err != nil {
		return Notebook{}, err
	}
	if held.Found == nil {
		held.Found = map[int][]Candidate{}
	}
	return made, k.keep(ctx, made, held)
}

func (k *Keeper) tableOf(definition *Definition, mapping *Mapping, content []byte) func() (RowReader, error) {
	return func() (RowReader, error) { return mapping.NewTable(definition, k.Scheme, content) }
}

func (k *Keeper) keep(ctx context.Context, one Notebook, held notebook) error {
	sealer, err := k.Vault.Open(ctx, one.Owner)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(held)
	if err != nil {
		return err
	}
	if one.Sealed, err = sealer.Seal(one.Owner, "notebook:"+string(one.ID), plain); err != nil {
		return err
	}
	return k.Store.Update(ctx, act.Of(one.Owner), func(tx Tx) error {
		known, err := tx.Notebooks(one.Owner)
		if err != nil {
			return err
		}
		stored := int64(0)
		if i := slices.IndexFunc(known, func(other Notebook) bool { return other.ID == one.ID }); i >= 0 {
			stored = known[i].Revision
		}
		if stored != one.Revision-1 {
			return ErrChanged
		}
		if stored == 0 {
			if err := job.QueueAt(tx, jobForget, one.Begun.Add(notebookLasts), forgetting{one.Owner, one.ID}); err != nil {
				return err
			}
		}
		return tx.SaveNotebook(one)
	})
}

// jobForget is the kind of job that forgets a notebook that was neither finished nor dropped, under its official's key.
const jobForget = "register.forget-notebook"

// notebookLasts is for how long a notebook is kept.
const notebookLasts = 30 * 24 * time.Hour

type forgetting struct {
	Owner  ident.Subject `json:"owner"`
	Import ident.Import  `json:"import"`
}

func (k *Keeper) forget(ctx context.Context, _ job.Job, payload forgetting) error {
	return k.Store.Update(ctx, act.Of(payload.Owner), func(tx Tx) error { return tx.RemoveNotebook(payload.Import) })
}

// Taking returns the notebooks that the official is taking over, the oldest first.
func (k *Keeper) Taking(ctx context.Context, by access.Actor) (found []Notebook, err error) {
	err = k.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Notebooks(by.Person.Subject())
		return err
	})
	return found, err
}

// taking loads a notebook of the official, who still keeps its register.
func (k *Keeper) taking(ctx context.Context, by access.Actor, id ident.Import) (one Notebook, held notebook, definition *Definition, err error) {
	known, err := k.Taking(ctx, by)
	if err != nil {
		return one, held, nil, err
	}
	i := slices.IndexFunc(known, func(other Notebook) bool { return other.ID == id })
	if i < 0 {
		return one, held, nil, errNoNotebook
	}
	one = known[i]
	if definition, err = k.keeps(by, one.Register); err != nil {
		return one, held, nil, err
	}
	sealer, err := k.Vault.Open(ctx, one.Owner)
	if err != nil {
		return one, held, nil, err
	}
	plain, err := sealer.Unseal(one.Owner, "notebook:"+string(one.ID), one.Sealed)
	if err != nil {
		return one, held, nil, err
	}
	return one, held, definition, json.Unmarshal(plain, &held)
}

// run imports a notebook, or says what would become of it.
func (k *Keeper) run(ctx context.Context, by journal.Actor, one Notebook, held notebook, definition *Definition, dry bool) (Looked, error) {
	looked := Looked{Notebook: one, Reason: held.Reason}
	read, err := ReadMapping(held.Mapping, definition)
	if err != nil {
		return looked, err
	}
	looked.Reconciliation, err = k.Import(ctx, by, Import{
		Register: one.Register, Reason: held.Reason, ID: one.ID, Dry: dry, Settled: held.Settled, Known: held.Found,
		Rejected: func(reject Reject) { looked.Rejects = append(looked.Rejects, reject) },
		Settle:   func(row Unsettled) { looked.ToSettle = append(looked.ToSettle, row) },
	}, k.tableOf(definition, read, held.Content))
	slices.SortFunc(looked.Rejects, func(a, b Reject) int { return a.Line - b.Line })
	slices.SortFunc(looked.ToSettle, func(a, b Unsettled) int { return a.Line - b.Line })
	looked.ToSettle = looked.ToSettle[:min(len(looked.ToSettle), mostShown)]
	return looked, err
}

// Look shows a notebook to its official. That the candidates of its next rows are shown is recorded before anything is
// returned.
func (k *Keeper) Look(ctx context.Context, by access.Actor, id ident.Import) (Looked, error) {
	one, held, definition, err := k.taking(ctx, by, id)
	if err != nil {
		return Looked{}, err
	}
	looked, err := k.run(ctx, by.Journal(), one, held, definition, true)
	if err != nil {
		return Looked{}, err
	}
	looked.Shown, err = k.Candidates(ctx, by.Journal(), one.Register, looked.ToSettle)
	return looked, err
}

// SettleRows says who rows of a notebook are about: by line a candidate, or "" for nobody who is known here.
func (k *Keeper) SettleRows(ctx context.Context, by access.Actor, id ident.Import, revision int64, chosen map[int]ident.Person) error {
	one, held, definition, err := k.taking(ctx, by, id)
	switch {
	case err != nil:
		return err
	case one.Revision != revision:
		return ErrChanged
	}
	looked, err := k.run(ctx, by.Journal(), one, held, definition, true)
	if err != nil {
		return err
	}
	settled := maps.Clone(held.Settled)
	for line, who := range chosen {
		i := slices.IndexFunc(looked.ToSettle, func(row Unsettled) bool { return row.Line == line })
		if i < 0 || who != "" && !slices.ContainsFunc(looked.ToSettle[i].Candidates, func(c Candidate) bool { return c.Person == who }) {
			return errNoChoice
		}
		settled[line] = ""
		if who != "" {
			known, err := k.People.Attributes(ctx, who)
			if err != nil {
				return err
			}
			settled[line] = known.Number
		}
	}
	held.Settled = settled
	one.Revision++
	return k.keep(ctx, one, held)
}

// Finish imports the good rows of a notebook. If none is left to settle, it is not kept any more.
func (k *Keeper) Finish(ctx context.Context, by access.Actor, id ident.Import) (Looked, error) {
	one, held, definition, err := k.taking(ctx, by, id)
	if err != nil {
		return Looked{}, err
	}
	done, err := k.run(ctx, by.Journal(), one, held, definition, false)
	if err != nil || done.Reconciliation.ToSettle > 0 {
		return done, err
	}
	return done, k.Drop(ctx, by, id)
}

// Drop forgets a notebook. What was imported of it stays.
func (k *Keeper) Drop(ctx context.Context, by access.Actor, id ident.Import) error {
	if _, _, _, err := k.taking(ctx, by, id); err != nil {
		return err
	}
	return k.Store.Update(ctx, act.Of(by.Person.Subject()), func(tx Tx) error { return tx.RemoveNotebook(id) })
}

// UndoImport is Undo for an official who keeps the register. Refused are the records that are left as they are.
func (k *Keeper) UndoImport(ctx context.Context, by access.Actor, register ident.Register, id ident.Import, reason string) (done Undoing, refused map[ident.Record]*fault.Fault, err error) {
	if _, err := k.keeps(by, register); err != nil {
		return done, nil, err
	}
	if reason == "" {
		return done, nil, errNoReason
	}
	refused = map[ident.Record]*fault.Fault{}
	done, err = k.Undo(ctx, by.Journal(), register, id, reason, func(record ident.Record, why *fault.Fault) { refused[record] = why })
	return done, refused, err
}
