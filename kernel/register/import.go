package register

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash/fnv"
	"io"
	"slices"
	"sync"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// Import is what a file is imported into, and how.
type Import struct {
	Register ident.Register
	Reason   string        // of every version that is written; required
	From     calendar.Date // from which day rows hold that do not say; zero: the day of the act
	// Atomic imports nothing if any row is rejected: all rows are checked before the first is written. A machine that
	// fails in between leaves what it wrote; importing the file again writes the rest.
	Atomic bool
	// Rejected is told of each rejected row, from one goroutine at a time, not in order of lines; nil: nobody is.
	Rejected func(Reject)

	// ID is the import's of a notebook that was kept elsewhere; empty: it is none. All that it writes can be found by it and
	// be undone, and no service starts by it. No two rows may say different things of one record.
	ID ident.Import
	// Dry says what would become of the rows, and writes nothing.
	Dry bool
	// Settled says by line whose number a person gave to a row that names somebody; empty: they are not known here.
	Settled map[int]string
	// Known are the candidates that were found for rows before, by line; nil: everybody's name is looked at.
	Known map[int][]Candidate
	// Settle is told of each row that a person has to settle, as Rejected is of rejected ones; nil: nobody is.
	Settle func(Unsettled)
}

// Reject is a row that was not imported. It never holds a value of the row.
type Reject struct {
	Line   int
	Reason *fault.Fault
}

// Reconciliation says what became of the rows: Read = Created + Changed + Unchanged + Rejected + ToSettle. Where an atomic
// import imports nothing, all rows count as rejected; a dry one says what it would do.
type Reconciliation struct {
	Read, Created, Changed, Unchanged, Rejected int
	ToSettle                                    int // who they are about is for a person to say: they were not imported
}

var (
	errImportPeople = fault.New(fault.NotFound, "import.person-unknown", "No person with this number is known here. Check the number.")
	errImportUnique = fault.New(fault.Invalid, "import.no-unique", "This register is about nobody and has no unique key, so that importing twice would double it. Declare a unique key.")
	errImportTwice  = fault.New(fault.Conflict, "import.twice", "An earlier row of this file has the same unique values. Keep one of them.")
	errFileChanged  = fault.New(fault.Conflict, "import.file-changed", "A row was rejected that had been found good: the file or the register changed meanwhile. What was written stays; import the file again.")
)

// importWriters is how many rows are written at the same time; the store shares commits among them.
const importWriters = 16

// ImportFrom imports rows; open opens the file, twice if the import is atomic. By keeps the register. Each row creates a
// record or changes the one with the same value of the register's first unique key, as Put does; rows about the same
// record are written in the file's order. The reconciliation counts also when there is an error.
func (k *Keeper) ImportFrom(ctx context.Context, by access.Actor, wanted Import, open func() (RowReader, error)) (Reconciliation, error) {
	if _, err := k.keeps(by, wanted.Register); err != nil {
		return Reconciliation{}, err
	}
	return k.Import(ctx, by.Journal(), wanted, open)
}

// Import is ImportFrom for the platform itself, which answers for the right to write.
func (k *Keeper) Import(ctx context.Context, by journal.Actor, wanted Import, open func() (RowReader, error)) (Reconciliation, error) {
	definition, err := k.Definitions().Register(wanted.Register)
	if err != nil {
		return Reconciliation{}, err
	}
	switch {
	case definition.Held != HeldHere:
		return Reconciliation{}, errNotHere
	case wanted.Reason == "":
		return Reconciliation{}, errNoReason
	case definition.Subject == "" && len(definition.Unique) == 0:
		return Reconciliation{}, errImportUnique
	}
	alike, err := k.alike(ctx, by, wanted, open)
	if err != nil {
		return Reconciliation{}, err
	}
	run := func(write bool) (Reconciliation, error) {
		rows, err := open()
		if err != nil {
			return Reconciliation{}, err
		}
		if closer, ok := rows.(io.Closer); ok {
			defer closer.Close()
		}
		one := &importing{
			k: k, definition: definition, by: by, wanted: wanted, writes: write, keys: k.IndexKeys(), alike: alike,
			seen: map[Index]string{}, records: map[string]checked{}, said: map[[sha256.Size]byte]bool{},
		}
		return one.run(ctx, rows)
	}
	if wanted.Dry {
		return run(false)
	}
	if !wanted.Atomic {
		return run(true)
	}
	settle := wanted.Settle
	wanted.Settle = nil // it is told once
	first, err := run(false)
	wanted.Settle = settle
	if err != nil || first.Rejected > 0 {
		return Reconciliation{Read: first.Read, Rejected: first.Read}, err
	}
	done, err := run(true)
	if err == nil && done.Rejected > 0 {
		err = errFileChanged
	}
	return done, err
}

// importing is one pass over a file.
type importing struct {
	k          *Keeper
	definition *Definition
	by         journal.Actor
	wanted     Import
	writes     bool
	keys       []seal.IndexKey            // when checking: as they were at its beginning
	alike      map[int][]Candidate        // by line of a notebook
	seen       map[Index]string           // when checking: unique values of the rows so far, and which record they are of
	records    map[string]checked         // when checking
	said       map[[sha256.Size]byte]bool // when checking a register without a unique key: what the rows so far say

	mu    sync.Mutex
	count Reconciliation // guarded by mu
	err   error          // guarded by mu; the first that is no row's fault
}

func (i *importing) run(ctx context.Context, rows RowReader) (Reconciliation, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var workers sync.WaitGroup
	queues := make([]chan Row, importWriters)
	for n := range queues {
		queues[n] = make(chan Row, 4)
		workers.Go(func() {
			for row := range queues[n] {
				i.settle(ctx, row, stop)
			}
		})
	}
	err := i.feed(ctx, rows, queues)
	for _, queue := range queues {
		close(queue)
	}
	workers.Wait()
	if i.err != nil {
		err = i.err
	}
	return i.count, err
}

// feed reads rows, resolves their people, and hands them to the writers: rows about one record to the same one.
func (i *importing) feed(ctx context.Context, rows RowReader, queues []chan Row) error {
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		i.add(func(c *Reconciliation) { c.Read++ })
		if row.Err == nil && row.named != nil {
			row.settling, row.Err = i.identify(ctx, row)
		}
		if row.Err == nil && row.settling == nil {
			row.Err = i.resolve(ctx, i.definition.Fields, row.Values)
		}
		if row.Err == nil && row.settling == nil && (!i.writes || i.wanted.ID != "") {
			row.effect, row.Err = i.check(ctx, row)
		}
		select {
		case queues[i.queue(row)%importWriters] <- row:
		case <-ctx.Done():
			i.add(func(c *Reconciliation) { c.Read-- }) // it was not looked at
			return ctx.Err()
		}
	}
}

// queue returns the same number for rows about one record.
func (i *importing) queue(row Row) uint32 {
	fields := []string{i.definition.Subject}
	if len(i.definition.Unique) > 0 {
		fields = i.definition.Unique[0]
	}
	sum := fnv.New32a()
	sum.Write(content(i.definition.Path, fields, row.Values))
	return sum.Sum32()
}

// settle imports one row, or only says what would become of it.
func (i *importing) settle(ctx context.Context, row Row, stop func()) {
	effect := row.effect
	err := row.Err
	if err == nil && i.writes && row.settling == nil {
		from := row.From
		if from.IsZero() {
			from = i.wanted.From
		}
		_, effect, err = i.k.Put(ctx, i.by, Write{
			Register: i.definition.Path, Values: row.Values, From: from, Reason: i.wanted.Reason, once: true,
			Takeover: i.wanted.ID != "", Cause: causeOf(i.wanted.ID, row.Line),
		})
	}
	switch {
	case err == nil && row.settling != nil:
		i.mu.Lock()
		i.count.ToSettle++
		if i.wanted.Settle != nil {
			i.wanted.Settle(Unsettled{row.Line, row.named.name, row.named.birth, row.settling})
		}
		i.mu.Unlock()
	case err == nil:
		i.add(func(c *Reconciliation) {
			switch effect {
			case Created:
				c.Created++
			case Changed:
				c.Changed++
			default:
				c.Unchanged++
			}
		})
	case ofRow(err):
		i.reject(row.Line, err)
	default:
		// The machine failed, not the row: it counts as rejected, so that the sum holds, and the import ends.
		i.reject(row.Line, err)
		i.mu.Lock()
		if i.err == nil {
			i.err = err
		}
		i.mu.Unlock()
		stop()
	}
}

// ofRow reports whether the error is the row's own fault.
func ofRow(err error) bool {
	switch fault.Of(err).Kind {
	case fault.Invalid, fault.Conflict, fault.NotFound, fault.TooLarge, fault.Erased:
		return true
	}
	return false
}

func (i *importing) add(change func(*Reconciliation)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(&i.count)
}

func (i *importing) reject(line int, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.count.Rejected++
	if i.wanted.Rejected != nil {
		i.wanted.Rejected(Reject{Line: line, Reason: fault.Of(err)})
	}
}

// checked is what the register will say of a record once the rows so far are written.
type checked struct {
	values [sha256.Size]byte
	from   calendar.Date
}

// check checks, before anything is written, what writing the row will check, and says what it will do.
func (i *importing) check(ctx context.Context, row Row) (Effect, error) {
	values, problems := field.CheckAll(i.k.Scheme, i.definition.Fields, row.Values, nil)
	if err := problems.Err(); err != nil {
		return "", err
	}
	attempt := Write{Register: i.definition.Path, Values: values, Takeover: true, once: true}
	done, found, err := i.k.match(ctx, i.definition, &attempt)
	if err != nil {
		return "", err
	}
	subject, _ := values[i.definition.Subject].(ident.Subject)
	if attempt.Record != "" && found.Subject != subject {
		return "", errSubject
	}
	effect := Created
	switch {
	case done:
		effect = Unchanged
	case attempt.Record != "":
		effect = Changed
	}
	_, once := indexes(i.keys, i.definition, values)
	if len(once) == 0 {
		encoded, err := EncodeValues(values)
		digest := sha256.Sum256(encoded)
		if i.said[digest] && len(i.definition.Unique) == 0 {
			effect = Unchanged
		}
		i.said[digest] = true
		return effect, err
	}
	record := string(once[0].index) + " " + string(subject)
	var unseen []unique
	for _, one := range once {
		first, known := i.seen[one.index]
		if known && first != record {
			return "", errImportTwice
		}
		if !known {
			unseen = append(unseen, one) // any other was checked, and may be written by now, with an earlier row
		}
		i.seen[one.index] = record
	}
	err = i.k.Store.View(ctx, func(tx Reader) error {
		for _, one := range unseen {
			places, err := tx.IndexedRecords(one.index, 2)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(places, func(p Place) bool { return p.Record != attempt.Record }) {
				return one.taken()
			}
		}
		return nil
	})
	if err != nil {
		for _, one := range unseen {
			delete(i.seen, one.index) // this row will not have it
		}
		return "", err
	}
	return i.checkOrder(record, effect, attempt, found, row)
}

// checkOrder checks that a row that changes its record holds from no earlier day than what it changes. Effect is what it
// does to what is stored.
func (i *importing) checkOrder(record string, effect Effect, attempt Write, found Version, row Row) (Effect, error) {
	encoded, err := EncodeValues(attempt.Values)
	if err != nil {
		return "", err
	}
	now := checked{values: sha256.Sum256(encoded), from: cmp.Or(row.From, i.wanted.From, i.k.today())}
	before, earlier := i.records[record]
	known := earlier
	if !known && attempt.Record != "" {
		if encoded, err = EncodeValues(found.Values); err != nil {
			return "", err
		}
		before, known = checked{values: sha256.Sum256(encoded), from: found.From}, true
	}
	switch {
	case known && before.values == now.values:
		now, effect = before, Unchanged
	case earlier && i.wanted.ID != "":
		return "", errTwiceInTable
	case known && now.from.Before(before.from):
		return "", errOutOfOrder
	case earlier:
		effect = Changed
	}
	i.records[record] = now
	return effect, nil
}

// resolve replaces national numbers by the people who have them.
func (i *importing) resolve(ctx context.Context, fields []field.Definition, values map[string]any) error {
	for _, one := range fields {
		switch value := values[one.Name].(type) {
		case ident.Subject:
			if one.Kind != field.Person {
				continue
			}
			if i.k.People == nil {
				return errImportPeople.At(one.Name)
			}
			found, err := i.k.People.ByNumber(ctx, string(value))
			if fault.Is(err, fault.NotFound) {
				return errImportPeople.At(one.Name)
			}
			if err != nil {
				return err
			}
			values[one.Name] = found.Subject()
		case []any:
			for _, group := range value {
				if inner, ok := group.(map[string]any); ok {
					if err := i.resolve(ctx, one.Fields, inner); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// Format is how a register is exported.
type Format string

// The formats.
const (
	CSV    Format = "csv"
	NDJSON Format = "ndjson"
)

// exportPage is how many versions are read for one event of the journal.
const exportPage = 200

// Export writes the version that holds today of each living record, in a form that can be imported again: people as
// national numbers, amounts in CSV with their currency. By keeps the register. Records are disclosed page by page, each
// page journaled for each subject before it is written.
func (k *Keeper) Export(ctx context.Context, by access.Actor, register ident.Register, format Format, to io.Writer) (records int, err error) {
	definition, err := k.keeps(by, register)
	if err != nil {
		return 0, err
	}
	var out writer = jsonWriter{json.NewEncoder(to)}
	if format == CSV {
		if out, err = newCSVWriter(definition, k.Currency, to); err != nil {
			return 0, err
		}
	}
	var last StoredVersion
	for {
		page, next, err := k.exportPage(ctx, definition, last)
		if err != nil {
			return records, err
		}
		shown, err := k.open(ctx, page)
		if err != nil {
			return records, err
		}
		if err := k.record(ctx, by.Journal(), access.Keep, definition, shown); err != nil {
			return records, err
		}
		for _, one := range shown {
			if err := k.number(ctx, definition.Fields, one.Values); err != nil {
				return records, err
			}
			if err := out.write(one.From, one.Values); err != nil {
				return records, err
			}
			records++
		}
		if next.Number == 0 {
			return records, out.flush()
		}
		last = next
	}
}

// exportPage returns the living records' versions after the last, and the last version of the page; zero: no more.
func (k *Keeper) exportPage(ctx context.Context, d *Definition, last StoredVersion) (found []StoredVersion, next StoredVersion, err error) {
	err = k.Store.View(ctx, func(tx Reader) error {
		found, next = nil, StoredVersion{}
		versions, err := tx.StoredVersions(d.Path, last, exportPage)
		if err != nil || len(versions) == 0 {
			return err
		}
		next = versions[len(versions)-1]
		// The page may end within a record: take all of that record.
		whole, err := tx.RegisterVersions(next.Key, d.Path, next.Record)
		if err != nil {
			return err
		}
		versions = slices.DeleteFunc(versions, func(v StoredVersion) bool { return v.Key == next.Key && v.Record == next.Record })
		next = whole[len(whole)-1]
		found = k.holding(append(versions, whole...), false)
		return nil
	})
	return found, next, err
}

// number replaces people by their national numbers.
func (k *Keeper) number(ctx context.Context, fields []field.Definition, values map[string]any) error {
	for _, one := range fields {
		switch value := values[one.Name].(type) {
		case ident.Subject:
			whose, ok := value.Person()
			if !ok || k.People == nil {
				continue
			}
			known, err := k.People.Attributes(ctx, whose)
			if err != nil {
				return err
			}
			values[one.Name] = known.Number
		case []any:
			for _, group := range value {
				if inner, ok := group.(map[string]any); ok {
					if err := k.number(ctx, one.Fields, inner); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}
