// Package simulation owns what a change of rules would do: it evaluates a service as it is in force, and as it would be
// with a change, over all residents, and hands whoever asked the counts that may be published.
//
// The registers are read in bulk, through the grant that each gives the service for the purpose "simulate"; a register that
// does not grant it is refused, one that answers only one question at a time counts as not known. Nothing about one person
// leaves: a cell of few is not shown, neither is a second one that would tell of it, and what is shown is rounded.
//
// What a run reads is kept in this process's memory for the next ones, so that these read only what is new (docs/adr/0021).
//
// Invariants: only an analyst of the service's own agency runs one, for their own territory; nothing of a run is shown before
// one event, which names its population, and the kept result are committed in one act; a run finds what it would find if
// nothing were kept; what was opened of people's data is in memory alone, in bounds, until an hour after the last run, and
// goes with the key of whoever is erased.
package simulation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/register"
	"yagona/kernel/seal"
	"yagona/kernel/service"
	"yagona/kernel/territory"
)

// Analyst is the role of those who simulate changes of their agency's services.
const Analyst ident.Role = "analyst"

// Change is what is to be tried.
type Change struct {
	Params map[string]string `json:"params,omitempty"` // the values that legal amounts and dates would have, as people write them
	Assume map[string]string `json:"assume,omitempty"` // what everybody would answer to a question, before the change and after it
	Draft  string            `json:"draft,omitempty"`  // the service's file as it would be; empty: the one in force
}

// Digest returns the SHA-256 of the draft, "" without one.
func (c Change) Digest() string {
	if c.Draft == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(c.Draft))
	return hex.EncodeToString(sum[:])
}

// Simulation is one run, as it is kept: what was asked, and what of its result may be published.
type Simulation struct {
	ID        ident.Simulation
	Agency    ident.Agency
	Service   ident.Service
	Version   string // of the definition in force
	Territory ident.Territory
	Change    Change
	At        time.Time
	Result    Result
	Event     ident.Event
}

// Key returns what the simulation is distributed by.
func (s Simulation) Key() act.Key { return act.OfAgency(s.Agency) }

// Cover returns what an event says of the simulation.
func (s Simulation) Cover() journal.Cover {
	s.Event = ""
	return journal.Cover{Row: "simulation/" + string(s.ID), Digest: journal.Digest(s)}
}

// Reader is what simulations need for reading.
type Reader interface {
	// PeopleBetween returns the people whose subjects come after the one and not after the other, in order, at most limit.
	PeopleBetween(after, until ident.Subject, limit int) ([]ident.Subject, error)
	// CountPeople returns how many people there are whose subjects come after the one and not after the other.
	CountPeople(after, until ident.Subject) (int, error)
	// CountVersions returns how many versions the register has of the records of the subjects after the one and not after
	// the other. Versions are only ever added, so that as many as before are the same as before.
	CountVersions(register ident.Register, after, until ident.Subject) (int, error)
	// CountsOfVersions returns the same of each of these subjects that has any, in order.
	CountsOfVersions(register ident.Register, after, until ident.Subject) ([]Count, error)
	// VersionsBetween returns all versions of the register's records of the subjects from the one to the other, in order of
	// subject, record and number; of each what answering needs: no cause, no event.
	VersionsBetween(register ident.Register, from, until ident.Subject) ([]register.StoredVersion, error)
	// Simulation returns one of the agency, or fault.NotFound.
	Simulation(agency ident.Agency, id ident.Simulation) (Simulation, error)
	// Simulations returns those of the agency, newest first, before the given one ("" : from the newest), at most limit.
	Simulations(agency ident.Agency, before ident.Simulation, limit int) ([]Simulation, error)
	// CountSimulations counts those of the agency from the bound on (ident.From).
	CountSimulations(agency ident.Agency, from ident.Simulation) (int, error)
}

// Count is how many versions a register has of one subject's records.
type Count struct {
	Subject  ident.Subject
	Versions int
}

// Tx is what simulations need of an act.
type Tx interface {
	journal.Tx
	Reader
	// SaveSimulation stores a new one under the act's key, its agency's.
	SaveSimulation(made Simulation) error
}

// Draft compiles a service's file among the packs in force.
type Draft func(ctx context.Context, of ident.Service, file string) (*service.Definition, error)

// Simulator runs simulations. It is safe for concurrent use, and runs one at a time.
type Simulator struct {
	Store       act.Store[Reader, Tx]
	Vault       *seal.Vault
	Registers   *register.Keeper
	Services    func() *service.Catalogue
	Draft       Draft
	Scheme      field.Scheme
	Territories *territory.Tree
	Location    *time.Location
	Clock       act.Clock
	Memory      int64 // bytes for what is kept of the residents from one run to the next; 0: 256 MiB
	Runs        int   // that an agency may have in 24 hours; 0: 100

	running  atomic.Bool
	watching sync.Once // whom the vault tells of erasures
	kept     kept
}

// The faults.
var (
	// ErrUnknown is what asking for an unknown simulation gives.
	ErrUnknown = fault.New(fault.NotFound, "simulation.unknown", "There is no such simulation here, or it is not for you to see.")

	errTooMany    = fault.New(fault.TooMany, "simulation.too-many", "Your agency has had as many simulations as a day allows: from many runs that differ little, one person could be told. Look at the earlier results, or go on tomorrow.")
	errBusy       = fault.New(fault.Conflict, "simulation.busy", "Another simulation is running, and one takes all processors. Try again when it is done.")
	errPeople     = fault.New(fault.Invalid, "simulation.people-only", "Only a service for people can be simulated: residents are counted, not organisations or households.")
	errParam      = fault.New(fault.Invalid, "simulation.param", "The service has no such legal amount or date. Name one that its pack declares: param.brv.")
	errAssume     = fault.New(fault.Invalid, "simulation.assume", "The service does not ask this. Name one of its questions: ask.price.")
	errNoPlace    = fault.New(fault.Invalid, "simulation.no-territory", "The service reads nothing that tells where somebody lives, so that a part of the country cannot be told apart. Simulate the whole country.")
	errOtherDraft = fault.New(fault.Invalid, "simulation.other-service", "The file describes another service, or one of another agency. Change a copy of the file of the service that you name.")
)

// Wanted is what an analyst asks for.
type Wanted struct {
	Service   ident.Service
	Territory ident.Territory // "" : the analyst's own
	Change    Change
}

// Run evaluates a service and its change over all residents of a territory. Its event and its result are committed when it
// returns.
func (s *Simulator) Run(ctx context.Context, by access.Actor, wanted Wanted) (Simulation, error) {
	run, err := s.prepare(ctx, by, wanted)
	if err != nil {
		return Simulation{}, err
	}
	if err := s.mayRun(ctx, run.before.Agency); err != nil {
		return Simulation{}, err
	}
	if !s.running.CompareAndSwap(false, true) {
		return Simulation{}, errBusy
	}
	defer s.running.Store(false)
	counted, err := run.count(ctx)
	if err != nil {
		return Simulation{}, err
	}
	made := Simulation{
		Agency: run.before.Agency, Service: run.before.Path, Version: run.before.Hash, Territory: run.territory, Change: wanted.Change,
		Result: counted.published(run),
	}
	err = s.Store.Update(ctx, made.Key(), func(tx Tx) error {
		made.At, made.ID, made.Event = tx.Now(), ident.New[ident.Simulation](tx.Now()), journal.NewID(tx)
		if err := tx.SaveSimulation(made); err != nil {
			return err
		}
		return journal.AppendAs(tx, nil, made.Event, journal.Event{
			Type: "simulation.run", Actor: by.Journal(), Object: "simulation:" + string(made.ID), Purpose: string(access.Simulate),
			Facts: made.facts(), Covers: []journal.Cover{made.Cover()},
			Population: &journal.Population{Of: made.Territory, From: run.shownFrom(tx.Now())},
		})
	})
	return made, err
}

// mostRuns is how many runs an agency may have in 24 hours. Each tells a little, and what two tell that differ in one person's
// data is about that person.
const mostRuns = 100

// mayRun refuses a run for which the agency has had too many.
func (s *Simulator) mayRun(ctx context.Context, agency ident.Agency) error {
	most := s.Runs
	if most == 0 {
		most = mostRuns
	}
	return s.Store.View(ctx, func(tx Reader) error {
		made, err := tx.CountSimulations(agency, ident.From[ident.Simulation](s.Clock().Add(-24*time.Hour)))
		if err == nil && made >= most {
			err = errTooMany
		}
		return err
	})
}

// facts are what the journal says of a run: which rules were evaluated, with what change, over whose data.
func (s Simulation) facts() map[string]string {
	facts := map[string]string{
		"service": string(s.Service), "version": s.Version, "territory": string(s.Territory), "residents": strconv.FormatInt(s.Result.Residents, 10),
	}
	for name, value := range s.Change.Params {
		facts["param."+name] = value
	}
	for name, value := range s.Change.Assume {
		facts["ask."+name] = value
	}
	if digest := s.Change.Digest(); digest != "" {
		facts["draft"] = digest
	}
	var read []string
	for _, one := range s.Result.Read {
		read = append(read, string(one))
	}
	facts["evidence"] = strings.Join(read, " ")
	return facts
}

// Find returns a simulation of the analyst's agency, for a territory of theirs.
func (s *Simulator) Find(ctx context.Context, by access.Actor, id ident.Simulation) (found Simulation, err error) {
	agency, err := s.analyst(by)
	if err != nil {
		return Simulation{}, err
	}
	err = s.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Simulation(agency, id)
		return err
	})
	if err == nil && !s.Territories.Contains(by.Appointment.Territory, found.Territory) {
		return Simulation{}, ErrUnknown
	}
	return found, err
}

// List returns the simulations of the analyst's agency for territories of theirs, newest first, those before the given one
// ("" : from the newest), and the one after which the next page begins ("" : there is none). It looks at so many at most.
func (s *Simulator) List(ctx context.Context, by access.Actor, before ident.Simulation, limit int) (found []Simulation, next ident.Simulation, err error) {
	agency, err := s.analyst(by)
	if err != nil {
		return nil, "", err
	}
	err = s.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Simulations(agency, before, limit)
		return err
	})
	if len(found) == limit {
		next = found[limit-1].ID
	}
	return slices.DeleteFunc(found, func(one Simulation) bool {
		return !s.Territories.Contains(by.Appointment.Territory, one.Territory)
	}), next, err
}

// analyst returns the agency for which the actor simulates.
func (s *Simulator) analyst(by access.Actor) (ident.Agency, error) {
	if by.Appointment == nil || by.Appointment.Role != Analyst || !by.Appointment.Holds(s.Clock()) {
		return "", access.ErrForbidden
	}
	return by.Appointment.Agency, nil
}

// prepare checks what is asked for and compiles it, before anything of anybody is read.
func (s *Simulator) prepare(ctx context.Context, by access.Actor, wanted Wanted) (*run, error) {
	agency, err := s.analyst(by)
	if err != nil {
		return nil, err
	}
	place := wanted.Territory
	if place == "" {
		place = by.Appointment.Territory
	}
	if !s.Territories.Has(place) {
		return nil, fault.New(fault.Invalid, "territory.unknown", "There is no such territory. Choose one of the list.").At("territory")
	}
	today := calendar.DateOf(s.Clock(), s.Location)
	before, err := s.Services().Open(wanted.Service, today)
	if err != nil {
		return nil, err
	}
	if before.Agency != agency || !s.Territories.Contains(by.Appointment.Territory, place) {
		return nil, access.ErrForbidden
	}
	after := before
	if wanted.Change.Draft != "" {
		if after, err = s.Draft(ctx, wanted.Service, wanted.Change.Draft); err != nil {
			return nil, err
		}
		if after.Path != before.Path || after.Agency != before.Agency {
			return nil, errOtherDraft.At("draft")
		}
	}
	if !slices.Contains(before.For, "person") || !slices.Contains(after.For, "person") {
		return nil, errPeople
	}
	if after, err = s.withParams(after, wanted.Change.Params); err != nil {
		return nil, err
	}
	run := &run{simulator: s, territory: place, today: today, before: before, after: after}
	if run.assumed[0], err = s.assumed(before, after, wanted.Change.Assume); err != nil {
		return nil, err
	}
	if run.assumed[1], err = s.assumed(after, before, wanted.Change.Assume); err != nil {
		return nil, err
	}
	if err := run.plan(); err != nil {
		return nil, err
	}
	if place != s.Territories.Root() && run.where.source < 0 {
		return nil, errNoPlace.At("territory")
	}
	return run, nil
}

// withParams returns the definition with other values of its legal amounts and dates.
func (s *Simulator) withParams(definition *service.Definition, values map[string]string) (*service.Definition, error) {
	if len(values) == 0 {
		return definition, nil
	}
	changed := *definition
	changed.Params = slices.Clone(definition.Params)
	for name, text := range values {
		i := slices.IndexFunc(changed.Params, func(p service.Param) bool { return p.Name == name })
		if i < 0 {
			return nil, errParam.At("param." + name)
		}
		kind := field.Kind(changed.Params[i].Type.Kind.String())
		value, err := s.parse(field.Definition{Name: "param." + name, Kind: kind}, text)
		if err != nil {
			return nil, err
		}
		changed.Params[i].Values = []service.ParamValue{{Value: value, Source: "simulated"}}
	}
	return &changed, nil
}

// assumed returns what everybody answers to the definition's questions. A question that only the other definition asks is
// no mistake.
func (s *Simulator) assumed(definition, other *service.Definition, values map[string]string) (map[string]any, error) {
	answers := map[string]any{}
	for name, text := range values {
		question, ok := field.Find(definition.Fields(), name)
		if !ok {
			if _, ok := field.Find(other.Fields(), name); ok {
				continue
			}
			return nil, errAssume.At("ask." + name)
		}
		question.Name = "ask." + name
		value, err := s.parse(question, text)
		if err != nil {
			return nil, err
		}
		answers[name] = value
	}
	return answers, nil
}

// parse returns the value that somebody wrote, checked against the field's bounds.
func (s *Simulator) parse(of field.Definition, text string) (any, error) {
	value, problems := of.Parse(s.Scheme, text)
	if len(problems) == 0 && value == nil {
		return nil, fault.New(fault.Invalid, "simulation.no-value", "Say which value is to be tried: param.brv=450000.").At(of.Name)
	}
	if len(problems) == 0 {
		value, problems = of.Check(s.Scheme, value)
	}
	return value, problems.Err()
}

// Encode returns what of a simulation is stored beside its columns.
func (s Simulation) Encode() ([]byte, error) {
	return json.Marshal(content{s.Version, s.Territory, s.Change, s.Result})
}

// Decode fills in what Encode returned. Anything else is an error: there is one reading of what an event vouches for.
func (s *Simulation) Decode(stored []byte) error {
	var c content
	if err := json.Unmarshal(stored, &c); err != nil {
		return err
	}
	s.Version, s.Territory, s.Change, s.Result = c.Version, c.Territory, c.Change, c.Result
	if again, err := s.Encode(); err != nil || !bytes.Equal(again, stored) {
		return errors.Join(errors.New("it is not what was stored"), err)
	}
	return nil
}

type content struct {
	Version   string          `json:"version"`
	Territory ident.Territory `json:"territory"`
	Change    Change          `json:"change"`
	Result    Result          `json:"result"`
}
