package query

import (
	"slices"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
)

const appointmentColumns = `id, person, agency, role, territory, from_time, until_time, substitutes, made_by, waits, event`

func scanAppointment(scan func(into ...any) error) (a access.Appointment, err error) {
	err = scan(&a.ID, &a.Person, &a.Agency, &a.Role, &a.Territory, instant{&a.From}, instant{&a.Until}, &a.Substitutes, &a.MadeBy, &a.Waits, &a.Event)
	return a, err
}

// AppointmentsOf implements access.Reader.
func (t *Tx) AppointmentsOf(person ident.Person) ([]access.Appointment, error) {
	found, err := cached(t, "appointment", string(person), func() ([]access.Appointment, error) {
		return list(t, `SELECT `+appointmentColumns+` FROM appointment WHERE person = $1 ORDER BY from_time, id`, args(person), scanAppointment)
	})
	return slices.Clone(found), err
}

// Appointment implements access.Reader.
func (t *Tx) Appointment(id ident.Appointment) (found access.Appointment, err error) {
	err = t.row(notFound("appointment.unknown", "appointment"), `SELECT `+appointmentColumns+` FROM appointment WHERE id = $1`, args(id),
		&found.ID, &found.Person, &found.Agency, &found.Role, &found.Territory, instant{&found.From}, instant{&found.Until}, &found.Substitutes, &found.MadeBy, &found.Waits, &found.Event)
	return found, err
}

// AppointmentsIn implements access.Reader.
func (t *Tx) AppointmentsIn(agency ident.Agency, role ident.Role, place ident.Territory) ([]access.Appointment, error) {
	return list(t, `SELECT `+appointmentColumns+` FROM appointment WHERE agency = $1 AND role = $2 AND territory = $3 ORDER BY from_time, id`,
		args(agency, role, place), scanAppointment)
}

// AppointmentsBy implements access.Reader.
func (t *Tx) AppointmentsBy(agency ident.Agency, after ident.Appointment, limit int) ([]access.Appointment, error) {
	return list(t, `SELECT `+appointmentColumns+` FROM appointment WHERE key = $1 AND id > $2 ORDER BY id LIMIT $3`,
		args(act.OfAgency(agency), after, limit), scanAppointment)
}

// SaveAppointment implements access.Tx.
func (t *Tx) SaveAppointment(a access.Appointment) error {
	t.overwrites("appointment", string(a.Person))
	return t.send(`INSERT INTO appointment (key, `+appointmentColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (key, id) DO UPDATE SET from_time = excluded.from_time, until_time = excluded.until_time,
			waits = excluded.waits, event = excluded.event`,
		t.key, a.ID, a.Person, a.Agency, a.Role, a.Territory, micros(a.From), micros(a.Until), a.Substitutes, a.MadeBy, flag(a.Waits), a.Event)
}

// PersonOfIndex implements person.Reader.
func (t *Tx) PersonOfIndex(index person.Index) (found ident.Person, err error) {
	err = t.row(person.ErrUnknown, `SELECT person FROM person_index WHERE number_index = $1`, args(index), &found)
	return found, err
}

// ClaimedNumbers implements person.Reader.
func (t *Tx) ClaimedNumbers(after person.Index, limit int) ([]person.Claimed, error) {
	return list(t, `SELECT number_index, person FROM person_index WHERE number_index > $1 ORDER BY number_index LIMIT $2`, args(after, limit),
		func(scan func(into ...any) error) (found person.Claimed, err error) {
			err = scan(&found.Index, &found.Person)
			return found, err
		})
}

// StoredPerson implements person.Reader.
func (t *Tx) StoredPerson(id ident.Person) (person.Stored, error) {
	return cached(t, "person", string(id), func() (person.Stored, error) {
		found := person.Stored{Person: id}
		err := t.row(person.ErrUnknown, `SELECT sealed, event FROM person WHERE key = $1`, args(id.Subject()), &found.Sealed, &found.Event)
		return found, err
	})
}

// StoredPeople implements person.Reader.
func (t *Tx) StoredPeople(after ident.Person, limit int) ([]person.Stored, error) {
	from := ident.Subject("")
	if after != "" {
		from = after.Subject()
	}
	return list(t, `SELECT key, sealed, event FROM person WHERE key > $1 ORDER BY key LIMIT $2`, args(from, limit),
		func(scan func(into ...any) error) (found person.Stored, err error) {
			var key ident.Subject
			if err := scan(&key, &found.Sealed, &found.Event); err != nil {
				return found, err
			}
			found.Person, _ = key.Person()
			return found, nil
		})
}

// ClaimIndex implements person.Tx.
func (t *Tx) ClaimIndex(index person.Index, claimed ident.Person) error {
	return t.send(`INSERT INTO person_index (number_index, person) VALUES ($1, $2)`, index, claimed)
}

// ReleaseIndex implements person.Tx.
func (t *Tx) ReleaseIndex(index person.Index) error {
	return t.send(`DELETE FROM person_index WHERE number_index = $1`, index)
}

// SavePerson implements person.Tx.
func (t *Tx) SavePerson(stored person.Stored) error {
	t.overwrites("person", string(stored.Person))
	return t.send(`INSERT INTO person (key, sealed, event) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET sealed = excluded.sealed, event = excluded.event`,
		stored.Person.Subject(), stored.Sealed, stored.Event)
}

// AppointmentRows calls visit for every appointment; for the auditor.
func (t *Tx) AppointmentRows(visit func(journal.Row) error) error {
	return covered(t, `SELECT key, `+appointmentColumns+` FROM appointment ORDER BY key, id`, scanAppointment,
		func(a access.Appointment) (journal.Cover, ident.Event) { return a.Cover(), a.Event }, visit)
}

// PersonRows calls visit for every person; for the auditor.
func (t *Tx) PersonRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT key, sealed, event FROM person ORDER BY key`, nil, func(scan func(into ...any) error) error {
		var key ident.Subject
		var stored person.Stored
		if err := scan(&key, &stored.Sealed, &stored.Event); err != nil {
			return err
		}
		stored.Person, _ = key.Person()
		return visit(rowOf(stored.Cover(), string(key), stored.Event))
	})
}

// PersonIndexRows calls visit for every claim of a national number; for the auditor.
func (t *Tx) PersonIndexRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT number_index, person FROM person_index ORDER BY number_index`, nil, func(scan func(into ...any) error) error {
		var index person.Index
		var claimed ident.Person
		if err := scan(&index, &claimed); err != nil {
			return err
		}
		return visit(rowOf(index.Cover(claimed), string(index.Key()), ""))
	})
}
