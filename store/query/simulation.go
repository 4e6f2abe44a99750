package query

import (
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/register"
	"yagona/kernel/simulation"
)

var _ simulation.Tx = (*Tx)(nil)

// PeopleBetween implements simulation.Reader.
func (t *Tx) PeopleBetween(after, until ident.Subject, limit int) ([]ident.Subject, error) {
	return list(t, `SELECT key FROM person WHERE key > $1 AND key <= $2 ORDER BY key LIMIT $3`, args(after, until, limit),
		func(scan func(into ...any) error) (found ident.Subject, err error) {
			err = scan(&found)
			return found, err
		})
}

// VersionsBetween implements simulation.Reader.
func (t *Tx) VersionsBetween(path ident.Register, from, until ident.Subject) ([]register.StoredVersion, error) {
	return list(t, `SELECT key, record, number, at, from_date, closed, corrects, body FROM register_version
		WHERE register = $1 AND key >= $2 AND key <= $3 ORDER BY key, record, number`,
		args(path, from, until), func(scan func(into ...any) error) (v register.StoredVersion, err error) {
			v.Register = path
			err = scan(&v.Key, &v.Record, &v.Number, instant{&v.At}, validFrom{&v.From}, boolean{&v.Closed}, &v.Corrects, &v.Body)
			return v, err
		})
}

// CountPeople implements simulation.Reader.
func (t *Tx) CountPeople(after, until ident.Subject) (count int, err error) {
	err = t.row(nil, `SELECT count(*) FROM person WHERE key > $1 AND key <= $2`, args(after, until), &count)
	return count, err
}

// CountVersions implements simulation.Reader.
func (t *Tx) CountVersions(path ident.Register, after, until ident.Subject) (count int, err error) {
	err = t.row(nil, `SELECT count(*) FROM register_version WHERE register = $1 AND key > $2 AND key <= $3`, args(path, after, until), &count)
	return count, err
}

// CountsOfVersions implements simulation.Reader.
func (t *Tx) CountsOfVersions(path ident.Register, after, until ident.Subject) ([]simulation.Count, error) {
	return list(t, `SELECT key, count(*) FROM register_version WHERE register = $1 AND key > $2 AND key <= $3 GROUP BY key ORDER BY key`,
		args(path, after, until), func(scan func(into ...any) error) (found simulation.Count, err error) {
			err = scan(&found.Subject, &found.Versions)
			return found, err
		})
}

const simulationColumns = `key, id, at, service, content, event`

func scanSimulation(scan func(into ...any) error) (found simulation.Simulation, err error) {
	var content []byte
	if err := scan(&found.Agency, &found.ID, instant{&found.At}, &found.Service, &content, &found.Event); err != nil {
		return found, err
	}
	found.Agency = found.Agency[len(act.OfAgency("")):]
	if err := found.Decode(content); err != nil {
		return found, fault.New(fault.Internal, "store.simulation", "A stored simulation cannot be read: it was changed. Run yagona audit verify.").Because(err)
	}
	return found, nil
}

// Simulation implements simulation.Reader.
func (t *Tx) Simulation(agency ident.Agency, id ident.Simulation) (simulation.Simulation, error) {
	found, err := list(t, `SELECT `+simulationColumns+` FROM simulation WHERE key = $1 AND id = $2`, args(act.OfAgency(agency), id), scanSimulation)
	if err == nil && len(found) == 0 {
		err = simulation.ErrUnknown
	}
	if err != nil {
		return simulation.Simulation{}, err
	}
	return found[0], nil
}

// Simulations implements simulation.Reader.
func (t *Tx) Simulations(agency ident.Agency, before ident.Simulation, limit int) ([]simulation.Simulation, error) {
	if before == "" {
		before = "~" // after every identifier
	}
	return list(t, `SELECT `+simulationColumns+` FROM simulation WHERE key = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
		args(act.OfAgency(agency), before, limit), scanSimulation)
}

// CountSimulations implements simulation.Reader.
func (t *Tx) CountSimulations(agency ident.Agency, from ident.Simulation) (count int, err error) {
	err = t.row(nil, `SELECT count(*) FROM simulation WHERE key = $1 AND id >= $2`, args(act.OfAgency(agency), from), &count)
	return count, err
}

// SaveSimulation implements simulation.Tx.
func (t *Tx) SaveSimulation(made simulation.Simulation) error {
	content, err := made.Encode()
	if err != nil {
		return err
	}
	return t.send(`INSERT INTO simulation (`+simulationColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
		made.Key(), made.ID, micros(made.At), made.Service, content, made.Event)
}

// SimulationRows calls visit for every simulation; for the auditor.
func (t *Tx) SimulationRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT `+simulationColumns+` FROM simulation ORDER BY key, id`, nil, func(scan func(into ...any) error) error {
		found, err := scanSimulation(scan)
		if err != nil {
			return err
		}
		return visit(rowOf(found.Cover(), string(found.Key()), found.Event))
	})
}
