package casework

import (
	"context"
	"slices"
	"sync"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/offer"
	"yagona/kernel/register"
	"yagona/kernel/service"
)

// jobOffer evaluates one service for one person, because a register's record changed.
const jobOffer = "offer.evaluate"

type offering struct {
	Subject ident.Subject `json:"subject"`
	Service ident.Service `json:"service"`
	Record  ident.Record  `json:"record"`
}

// Offered says that the platform opened the draft by itself, and when.
type Offered struct {
	At time.Time `json:"at"`
}

// Started finds the services that a register's change starts, and has each evaluated (register.JobChanged).
func (c *Casework) Started(ctx context.Context, queued job.Job, change register.Change) error {
	var started []ident.Service
	for _, definition := range c.Catalogue().All(c.Calendar.Date(c.Clock())) {
		if definition.Start == change.Evidence && definition.IsFor(change.Of) {
			started = append(started, definition.Path)
		}
	}
	return c.Store.Update(ctx, queued.Key, func(tx Tx) error {
		for _, path := range started {
			if err := job.Queue(tx, jobOffer, 0, offering{change.Of, path, change.Record}); err != nil {
				return err
			}
		}
		return tx.FinishJob(queued.Key, queued.ID)
	})
}

// Offer evaluates a service for somebody, and if they meet its requirements as far as registers know, opens a draft for
// them and tells them (jobOffer). Of whom has declined nothing is asked. A register that does not answer makes the job wait.
func (c *Casework) Offer(ctx context.Context, _ job.Job, wanted offering) (err error) {
	made := offer.Offer{
		ID: offer.IDOf(wanted.Subject, wanted.Service, wanted.Record), Subject: wanted.Subject, Service: wanted.Service,
	}
	if done, err := c.settledOffer(ctx, made); err != nil || done {
		return err
	}
	definition, err := c.Catalogue().Open(wanted.Service, c.Calendar.Date(c.Clock()))
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict) {
		return nil // it takes no applications any more
	}
	if err != nil {
		return err
	}
	f, err := c.unasked(ctx, wanted.Subject, definition)
	if fault.Is(err, fault.Erased) {
		return nil
	}
	if err != nil {
		return err
	}
	entitled, facts, err := c.prospect(ctx, f, access.Proactive, platform("proactive"))
	defer func() { err = f.disclose(ctx, err) }()
	if err != nil || !entitled {
		return err
	}
	made.Application, made.Made, made.Territory = f.app.ID, f.now, c.placeFor(ctx, f, facts)
	f.offer = &made
	f.content = Content{Offered: &Offered{At: f.now}} // what was found is asked for again when they send it
	f.note("application.offered", platform("proactive"), "", "")
	f.queue(JobExpire, f.app.Expires, f.job(""))
	f.tell("application.offered")
	err = c.store(ctx, f, journal.Event{Type: "application.offered", Actor: platform("proactive")})
	if fault.Is(err, fault.Conflict) {
		return nil // meanwhile they declined, or began by themself
	}
	return err
}

// settledOffer reports whether an offer needs no evaluation: it was made, its person wants none, or is at the service
// already.
func (c *Casework) settledOffer(ctx context.Context, made offer.Offer) (done bool, err error) {
	err = c.Store.View(ctx, func(tx Reader) error {
		err := stillWanted(tx, made)
		done = fault.Is(err, fault.Conflict)
		if done {
			return nil
		}
		return err
	})
	return done, err
}

var errOffered = fault.New(fault.Conflict, "offer.settled", "This was offered already, or is not wanted.")

// stillWanted checks that an offer is new and wanted.
func stillWanted(tx Reader, made offer.Offer) error {
	chosen, err := tx.Participation(made.Subject)
	if err != nil || chosen.Declined {
		return firstError(err, errOffered)
	}
	if _, err := tx.Offer(made.Subject, made.ID); !fault.Is(err, fault.NotFound) {
		return firstError(err, errOffered)
	}
	all, err := tx.OutlinesOf(made.Subject, mostOpen)
	all = slices.DeleteFunc(all, func(o Outline) bool { return o.ID == made.Application })
	if err == nil && underWay(all, made.Service) {
		return errOffered
	}
	return err
}

// underWay reports whether one of the applications is to the service, and being written or decided.
func underWay(all []Outline, path ident.Service) bool {
	return slices.ContainsFunc(all, func(o Outline) bool { return o.Service == path && (o.State == Draft || o.State.IsOpen()) })
}

// unasked returns a new file that nobody asked for.
func (c *Casework) unasked(ctx context.Context, subject ident.Subject, definition *service.Definition) (*file, error) {
	now := c.Clock().UTC().Truncate(time.Microsecond)
	f := &file{def: definition, app: Application{
		ID: ident.New[ident.Application](now), Applicant: subject, Service: definition.Path, Version: definition.Hash, Agency: definition.Agency,
		State: Draft, Created: now, Expires: now.AddDate(0, 0, draftDays),
	}}
	if c.Language != nil {
		language, err := c.Language(ctx, subject)
		if err != nil {
			return nil, err
		}
		f.app.Language = language
	}
	f.prepare(now)
	var err error
	f.sealer, err = c.Vault.Open(ctx, subject)
	return f, err
}

// errSilentProspect makes a job wait for a register.
var errSilentProspect = fault.New(fault.Unavailable, "offer.register-silent", "A register does not answer. It is asked again later.")

// prospect asks the registers and reports whether the subject meets all requirements, as far as no answer of theirs is
// needed.
func (c *Casework) prospect(ctx context.Context, f *file, purpose access.Purpose, by journal.Actor) (bool, service.Facts, error) {
	again, _, err := c.gather(ctx, f, purpose, by, all)
	switch {
	case err != nil:
		return false, service.Facts{}, err
	case again:
		return false, service.Facts{}, errSilentProspect
	}
	facts, err := c.facts(ctx, f)
	if err != nil {
		return false, facts, err
	}
	entitled, err := f.def.Offers(ctx, facts)
	return entitled, facts, err
}

// placeFor returns where the first step would be taken; empty where nobody decides, or it cannot be told yet.
func (c *Casework) placeFor(ctx context.Context, f *file, facts service.Facts) ident.Territory {
	if len(f.def.Process) == 0 || f.def.Process[0].Steps[0].Territory == nil {
		return ""
	}
	result, err := f.def.Process[0].Steps[0].Territory.Evaluate(ctx, f.def.Values(facts))
	if err != nil {
		return ""
	}
	place, _ := result.Value.(ident.Territory)
	return place
}

// OpenOffer is an offer that its person has neither taken up nor let lapse.
type OpenOffer struct {
	offer.Offer
	Expires time.Time
}

// Offers returns the person's open offers, newest first.
func (c *Casework) Offers(ctx context.Context, by access.Actor) (open []OpenOffer, err error) {
	if by.Person == "" {
		return nil, access.ErrForbidden
	}
	err = c.Store.View(ctx, func(tx Reader) error {
		open = nil
		all, err := tx.OffersOf(by.Person.Subject(), 100)
		if err != nil {
			return err
		}
		for _, one := range all {
			app, err := tx.Application(one.Application)
			if err != nil {
				return err
			}
			if app.State == Draft {
				open = append(open, OpenOffer{one, app.Expires})
			}
		}
		return nil
	})
	return open, err
}

// Visit looks, for a person who agreed to it, for the services whose requirements they meet, as far as registers know, and
// to which they are not applying already.
// Only what is about themself is asked. What a register does not answer today is left out.
func (c *Casework) Visit(ctx context.Context, by access.Actor) (offer.Found, error) {
	var chosen offer.Participation
	var known []Outline
	err := c.Store.View(ctx, func(tx Reader) (err error) {
		if chosen, err = tx.Participation(by.Person.Subject()); err != nil {
			return err
		}
		known, err = tx.OutlinesOf(by.Person.Subject(), mostOpen)
		return err
	})
	if err != nil || !chosen.Visits {
		return offer.Found{}, firstError(err, offer.ErrDeclined)
	}
	var looked []*service.Definition
	for _, definition := range c.Catalogue().All(c.Calendar.Date(c.Clock())) {
		if definition.IsFor(by.Person.Subject()) && len(definition.Evidence) > 0 && !underWay(known, definition.Path) &&
			!slices.ContainsFunc(definition.Evidence, func(e service.Evidence) bool { return e.Of.Relation != "" }) {
			looked = append(looked, definition)
		}
	}
	meets, errs, unkept := make([]bool, len(looked)), make([]error, len(looked)), make([]*exchange.Unkept, len(looked))
	const atOnce = 8
	free := make(chan struct{}, atOnce)
	var under sync.WaitGroup
	for i, definition := range looked {
		free <- struct{}{}
		under.Go(func() {
			defer func() { <-free }()
			meets[i], unkept[i], errs[i] = c.meets(ctx, by, definition)
		})
	}
	under.Wait()
	// One entry of the journal tells of the visit: what was asked, by whom, for which service.
	if err := exchange.Together(unkept...).Settle(context.WithoutCancel(ctx)); err != nil {
		return offer.Found{}, err
	}
	found := offer.Found{At: c.Clock().UTC().Truncate(time.Microsecond)}
	for i, definition := range looked {
		if errs[i] != nil {
			return offer.Found{}, errs[i]
		}
		if meets[i] {
			found.Services = append(found.Services, definition.Path)
		}
	}
	return found, nil
}

// meets reports whether a person meets a service's requirements, as far as registers know. What they were asked is not
// journaled yet.
func (c *Casework) meets(ctx context.Context, by access.Actor, definition *service.Definition) (entitled bool, unkept *exchange.Unkept, err error) {
	f, err := c.unasked(ctx, by.Person.Subject(), definition)
	if err != nil {
		return false, nil, err
	}
	entitled, _, err = c.prospect(ctx, f, access.Preview, by.Journal())
	if fault.Is(err, fault.Unavailable) {
		return false, f.unkept, nil
	}
	return entitled, f.unkept, err
}

// TakeUp is how many people of a territory receive a service, and how many were offered it and did not take it up.
type TakeUp struct {
	Territory ident.Territory
	NotTaken  int64 // of offers that are open or were let lapse, as it is published; 0: fewer than SmallestCell
	Granted   int64 // likewise
}

// TakeUp returns the take-up gap of a service by territory, as it is published: rounded, and of fewer than SmallestCell
// nothing; that of a confidential service is not published.
func (c *Casework) TakeUp(ctx context.Context, of ident.Service) (gaps []TakeUp, err error) {
	if c.Catalogue().Confidential(of) {
		return nil, nil
	}
	var missed []offer.TakeUp
	var counts []Count
	err = c.Store.View(ctx, func(tx Reader) (err error) {
		if missed, err = tx.TakeUp(of); err != nil {
			return err
		}
		counts, err = tx.Counts(of)
		return err
	})
	at := func(place ident.Territory) *TakeUp {
		i := slices.IndexFunc(gaps, func(g TakeUp) bool { return g.Territory == place })
		if i < 0 {
			gaps = append(gaps, TakeUp{Territory: place})
			i = len(gaps) - 1
		}
		return &gaps[i]
	}
	for _, one := range missed {
		at(one.Territory).NotTaken += one.NotTaken
	}
	for _, one := range counts {
		if one.State == Granted {
			at(one.Territory).Granted += one.Number
		}
	}
	for i := range gaps {
		gaps[i].NotTaken, gaps[i].Granted = Rounded(gaps[i].NotTaken), Rounded(gaps[i].Granted)
	}
	return slices.DeleteFunc(gaps, func(g TakeUp) bool { return g.NotTaken == 0 && g.Granted == 0 }), err
}

// saveOffer stores the offer that an act makes, if it is still wanted, and returns what its event vouches for.
func (f *file) saveOffer(tx Tx, event ident.Event) ([]journal.Cover, error) {
	if f.offer == nil {
		return nil, nil
	}
	if err := stillWanted(tx, *f.offer); err != nil {
		return nil, err
	}
	stored := *f.offer
	stored.Event = event
	return []journal.Cover{stored.Cover()}, tx.SaveOffer(stored)
}
