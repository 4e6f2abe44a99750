package register

import (
	"context"
	"maps"
	"slices"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

// Current returns the version of a record that holds today, to an official who keeps the register. The disclosure is
// journaled first. A record that is closed gives its closing version.
func (k *Keeper) Current(ctx context.Context, by access.Actor, register ident.Register, record ident.Record) (Version, error) {
	shown, err := k.disclose(ctx, by, register, func() ([]StoredVersion, error) {
		versions, err := k.versions(ctx, Write{Register: register, Record: record})
		if err != nil {
			return nil, err
		}
		current, ok := valid(versions, k.today())
		if !ok {
			return nil, ErrNoRecord
		}
		return []StoredVersion{current}, nil
	})
	if err != nil {
		return Version{}, err
	}
	return shown[0], nil
}

// History returns all versions of a record, oldest first, to an official who keeps the register. The disclosure is
// journaled first.
func (k *Keeper) History(ctx context.Context, by access.Actor, register ident.Register, record ident.Record) ([]Version, error) {
	return k.disclose(ctx, by, register, func() ([]StoredVersion, error) {
		return k.versions(ctx, Write{Register: register, Record: record})
	})
}

// FindBySubject returns the version that holds today of each record about the subject, to an official who keeps the
// register; the newest first. The disclosure is journaled first.
func (k *Keeper) FindBySubject(ctx context.Context, by access.Actor, register ident.Register, subject ident.Subject) ([]Version, error) {
	shown, err := k.disclose(ctx, by, register, func() ([]StoredVersion, error) {
		definition, err := k.Definitions().Register(register)
		if err != nil {
			return nil, err
		}
		return k.about(ctx, definition, definition.Subject, subject)
	})
	newestFirst(shown)
	return shown, err
}

// Find returns the version that holds today of the records, at most 100, whose fields have the values; the fields are
// those of a declared unique key or index. It is for an official who keeps the register. The disclosure is journaled
// first.
func (k *Keeper) Find(ctx context.Context, by access.Actor, register ident.Register, values map[string]any) ([]Version, error) {
	shown, err := k.disclose(ctx, by, register, func() ([]StoredVersion, error) {
		definition, err := k.Definitions().Register(register)
		if err != nil {
			return nil, err
		}
		for _, fields := range definition.indexed() {
			if slices.Equal(slices.Sorted(slices.Values(fields)), slices.Sorted(maps.Keys(values))) {
				return k.having(ctx, definition, fields, values)
			}
		}
		return nil, fault.New(fault.Invalid, "register.no-index", "Records are not found by these fields. Search by those that the register declares as an index.")
	})
	newestFirst(shown)
	return shown, err
}

// disclose returns what find finds to an official who keeps the register, after journaling for each subject what of
// them is shown.
func (k *Keeper) disclose(ctx context.Context, by access.Actor, register ident.Register, find func() ([]StoredVersion, error)) ([]Version, error) {
	definition, err := k.keeps(by, register)
	if err != nil {
		return nil, err
	}
	found, err := find()
	if err != nil {
		return nil, err
	}
	shown, err := k.open(ctx, found)
	if err != nil {
		return nil, err
	}
	return shown, k.record(ctx, by.Journal(), access.Keep, definition, shown)
}

// record journals that the versions are shown.
func (k *Keeper) record(ctx context.Context, by journal.Actor, purpose access.Purpose, definition *Definition, shown []Version) error {
	records := map[ident.Subject][]ident.Record{}
	for _, one := range shown {
		if one.Subject != "" && !slices.Contains(records[one.Subject], one.Record) {
			records[one.Subject] = append(records[one.Subject], one.Record)
		}
	}
	told := map[ident.Subject]any{}
	for subject, read := range records {
		personal := map[string]any{"register": definition.Path, "agency": definition.Agency, "purpose": purpose, "records": read}
		if definition.Delay != nil {
			personal["delayed"] = definition.Delay.Legal
		}
		told[subject] = personal
	}
	return k.Disclose(ctx, by, purpose, definition, told)
}

// Disclose journals that data of the subjects in the register is disclosed: one event, with a part for each subject that
// holds what it is told. Nothing is journaled for nobody.
func (k *Keeper) Disclose(ctx context.Context, by journal.Actor, purpose access.Purpose, definition *Definition, told map[ident.Subject]any) error {
	subjects := slices.Sorted(maps.Keys(told))
	if len(subjects) == 0 {
		return nil
	}
	sealer, err := k.Vault.Open(ctx, subjects...)
	if err != nil {
		return err
	}
	key := act.OfRegister(definition.Path)
	if len(subjects) == 1 {
		key = act.Of(subjects[0])
	}
	return k.Store.Update(ctx, key, func(tx Tx) error {
		event := journal.Event{Type: "register.read", Actor: by, Purpose: string(purpose)}
		for _, subject := range subjects {
			part := journal.Part{Subject: subject, Disclosure: true, Personal: told[subject]}
			if definition.Delay != nil {
				part.ShownFrom = tx.Now().AddDate(0, 0, definition.Delay.Days)
			}
			event.Parts = append(event.Parts, part)
		}
		_, err := journal.Append(tx, sealer, event)
		return err
	})
}

// Own returns the version that holds today of each record about the reader themself, in all registers held here. The
// reading is journaled once for a session.
func (k *Keeper) Own(ctx context.Context, reader access.Actor) ([]Version, error) {
	subject := reader.Person.Subject()
	if reader.Person == "" {
		return nil, access.ErrForbidden
	}
	var found []StoredVersion
	err := k.Store.View(ctx, func(tx Reader) error {
		registers, err := tx.RegistersOf(act.Of(subject), k.Definitions().Paths()...)
		if err != nil {
			return err
		}
		for _, register := range registers {
			versions, err := tx.RegisterVersions(act.Of(subject), register, "")
			if err != nil {
				return err
			}
			found = append(found, k.holding(versions, true)...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := k.Readings.Record(ctx, reader); err != nil {
		return nil, err
	}
	return k.open(ctx, found)
}

// OwnHistory returns all versions of a record about the reader themself, oldest first. The reading is journaled once for
// a session. A record about anybody else is ErrNoRecord.
func (k *Keeper) OwnHistory(ctx context.Context, reader access.Actor, register ident.Register, record ident.Record) ([]Version, error) {
	if reader.Person == "" {
		return nil, access.ErrForbidden
	}
	if _, err := k.Definitions().Register(register); err != nil {
		return nil, err
	}
	if record == "" {
		return nil, ErrNoRecord // the store would give all of them
	}
	var found []StoredVersion
	err := k.Store.View(ctx, func(tx Reader) (err error) {
		found, err = tx.RegisterVersions(act.Of(reader.Person.Subject()), register, record)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNoRecord
	}
	if err := k.Readings.Record(ctx, reader); err != nil {
		return nil, err
	}
	return k.open(ctx, found)
}

// today is the day at the moment.
func (k *Keeper) today() calendar.Date { return calendar.DateOf(k.Clock(), k.Location) }

// holding returns the version of each record that holds today; of closed records only if asked for.
func (k *Keeper) holding(versions []StoredVersion, closed bool) []StoredVersion {
	var found []StoredVersion
	for _, record := range byRecord(versions) {
		if current, ok := valid(record, k.today()); ok && (closed || !current.Closed) {
			found = append(found, current)
		}
	}
	return found
}

// about returns the version that holds today of each living record whose field names the subject. Who calls it answers
// for the purpose and the journal.
func (k *Keeper) about(ctx context.Context, d *Definition, fieldName string, subject ident.Subject) (found []StoredVersion, err error) {
	if fieldName == "" {
		return nil, fault.New(fault.Invalid, "register.about-nobody", "This register is about nobody. Search it by its index.")
	}
	if fieldName != d.Subject {
		return k.having(ctx, d, []string{fieldName}, map[string]any{fieldName: subject})
	}
	err = k.Store.View(ctx, func(tx Reader) error {
		versions, err := tx.RegisterVersions(act.Of(subject), d.Path, "")
		found = k.holding(versions, false)
		return err
	})
	return found, err
}

// indexedRecords is how many records a search by index finds at most.
const indexedRecords = 100

// having returns the version that holds today of each living record whose indexed fields have the values. Who calls it
// answers for the purpose and the journal.
func (k *Keeper) having(ctx context.Context, d *Definition, fields []string, values map[string]any) (found []StoredVersion, err error) {
	if subject, ok := values[d.Subject].(ident.Subject); ok && d.bySubject(fields) {
		found, err = k.about(ctx, d, d.Subject, subject)
		return found[:min(len(found), indexedRecords)], err
	}
	sought := content(d.Path, fields, values)
	if sought == nil {
		return nil, nil
	}
	err = k.Store.View(ctx, func(tx Reader) error {
		found = nil
		for _, key := range k.IndexKeys() {
			versions, err := tx.IndexedVersions(indexUnder(key, sought), indexedRecords)
			if err != nil {
				return err
			}
			for _, one := range k.holding(versions, false) {
				if !slices.ContainsFunc(found, func(other StoredVersion) bool { return other.Key == one.Key && other.Record == one.Record }) {
					found = append(found, one)
				}
			}
		}
		found = found[:min(len(found), indexedRecords)]
		return nil
	})
	return found, err
}

// Rows calls visit for each version as the auditor needs it.
func Rows(tx Reader, visit func(journal.Row) error) error {
	var last StoredVersion
	for {
		page, err := tx.StoredVersions("", last, 500)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, one := range page {
			cover := one.Cover()
			if err := visit(journal.Row{Name: cover.Row, Key: one.Key, Event: one.Event, Digest: cover.Digest}); err != nil {
				return err
			}
		}
		last = page[len(page)-1]
	}
}
