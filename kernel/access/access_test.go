package access_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/seal"
	"yagona/kernel/territory"
	"yagona/store/query"
	"yagona/store/storetest"
)

var monday = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// world is an office of one country with two districts.
type world struct {
	*testing.T
	*access.Office
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: monday}
	db, keys := storetest.Temporary(t, func() time.Time { return w.now }), storetest.Keys(t)
	vault, err := seal.NewVault(keys, make([]byte, seal.KeySize))
	w.must(err)
	name := map[string]string{"en": "Name"}
	tree, err := territory.New(
		[]territory.Level{{Name: "country", Names: name}, {Name: "district", Names: name}},
		[]territory.Territory{
			{Code: "X", Level: "country", Names: name},
			{Code: "X1", Parent: "X", Level: "district", Names: name},
			{Code: "X2", Parent: "X", Level: "district", Names: name},
		})
	w.must(err)
	w.Office = &access.Office{
		Store: query.For[access.Reader, access.Tx](db), Vault: vault, Territories: tree,
		Roles: func(agency ident.Agency) []ident.Role {
			if agency == "youth-agency" {
				return []ident.Role{"youth-leader", "chair", access.Registrar}
			}
			return nil
		},
		Sensitive: []ident.Role{access.Registrar}, Supervisor: "data-authority",
	}
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) refused(what string, err error, code string) {
	w.Helper()
	if fault.Code(err) != code {
		w.Errorf("%s: got %v instead of %s", what, err, code)
	}
}

// registrar sets up a registrar of the agency.
func (w *world) registrar(agency ident.Agency, place ident.Territory) access.Actor {
	w.Helper()
	made, err := w.Appoint(w.Context(), access.Actor{}, access.Appointment{
		Person: ident.Random[ident.Person](), Agency: agency, Role: access.Registrar, Territory: place,
	})
	w.must(err)
	return access.Actor{Person: made.Person, Appointment: &made}
}

// leader returns a wanted appointment of somebody as a youth leader.
func leader(change ...func(*access.Appointment)) access.Appointment {
	wanted := access.Appointment{Person: ident.Random[ident.Person](), Agency: "youth-agency", Role: "youth-leader", Territory: "X1"}
	for _, one := range change {
		one(&wanted)
	}
	return wanted
}

func TestARegistrarAppoints(t *testing.T) {
	w := newWorld(t)
	registrar, district := w.registrar("youth-agency", "X"), w.registrar("youth-agency", "X1")
	other := registrar
	other.Appointment = &access.Appointment{Agency: "youth-agency", Role: "chair", Territory: "X"}
	for name, test := range map[string]struct {
		by     access.Actor
		wanted access.Appointment
		code   string
	}{
		"a resident":            {access.Actor{Person: registrar.Person}, leader(), "access.forbidden"},
		"another role":          {other, leader(), "access.forbidden"},
		"another agency":        {w.registrar("social-agency", "X"), leader(), "access.forbidden"},
		"oneself":               {registrar, leader(func(a *access.Appointment) { a.Person = registrar.Person }), "access.forbidden"},
		"outside the territory": {district, leader(func(a *access.Appointment) { a.Territory = "X2" }), "access.forbidden"},
		"above the territory":   {district, leader(func(a *access.Appointment) { a.Territory = "X" }), "access.forbidden"},
		"nobody":                {registrar, leader(func(a *access.Appointment) { a.Person = "" }), "appointment.incomplete"},
		"no territory":          {registrar, leader(func(a *access.Appointment) { a.Territory = "" }), "appointment.incomplete"},
		"no such territory":     {registrar, leader(func(a *access.Appointment) { a.Territory = "Y" }), "territory.unknown"},
		"no such role":          {registrar, leader(func(a *access.Appointment) { a.Role = "emperor" }), "appointment.role"},
		"a beginning gone by":   {registrar, leader(func(a *access.Appointment) { a.From = monday.Add(-time.Second) }), "appointment.term"},
		"an end gone by":        {registrar, leader(func(a *access.Appointment) { a.Until = monday }), "appointment.term"},
		"an end before it begins": {registrar, leader(func(a *access.Appointment) {
			a.From, a.Until = monday.Add(2*time.Hour), monday.Add(time.Hour)
		}), "appointment.term"},
		"a substitute for no one": {registrar, leader(func(a *access.Appointment) {
			a.Until, a.Substitutes = monday.Add(time.Hour), ident.New[ident.Appointment](monday)
		}), "appointment.unknown"},
	} {
		_, err := w.Appoint(t.Context(), test.by, test.wanted)
		w.refused(name, err, test.code)
	}
	made, err := w.Appoint(t.Context(), district, leader())
	w.must(err)
	if made.ID == "" || made.Event == "" || !made.From.Equal(monday) || !made.Holds(w.now) {
		t.Errorf("made is %+v", made)
	}
	if held, err := w.Appointments(t.Context(), made.Person, w.now); err != nil || len(held) != 1 || held[0].ID != made.ID {
		t.Errorf("the official holds %+v, %v", held, err)
	}
}

func TestWhatTheJournalVouchesForIsWhatIsStored(t *testing.T) {
	w := newWorld(t)
	made, err := w.Appoint(t.Context(), w.registrar("youth-agency", "X"), leader(func(a *access.Appointment) {
		a.From = monday.Add(time.Hour + time.Nanosecond).In(time.FixedZone("", 5*3600))
		a.Until = monday.Add(2*time.Hour + 999*time.Nanosecond)
	}))
	w.must(err)
	var stored access.Appointment
	w.must(w.Store.View(t.Context(), func(tx access.Reader) (err error) {
		stored, err = tx.Appointment(made.ID)
		return err
	}))
	if diff := cmp.Diff(made.Cover(), stored.Cover()); diff != "" {
		t.Error(diff)
	}
}

func TestASubstituteStandsInForTheSamePostAndNoLonger(t *testing.T) {
	w := newWorld(t)
	registrar := w.registrar("youth-agency", "X")
	day := 24 * time.Hour
	open, err := w.Appoint(t.Context(), registrar, leader())
	w.must(err)
	short, err := w.Appoint(t.Context(), registrar, leader(func(a *access.Appointment) { a.From, a.Until = monday.Add(day), monday.Add(10*day) }))
	w.must(err)
	elsewhere, err := w.Appoint(t.Context(), access.Actor{}, leader(func(a *access.Appointment) { a.Agency = "social-agency" }))
	w.must(err)
	substitute := func(of access.Appointment, from, until time.Duration, change ...func(*access.Appointment)) access.Appointment {
		return leader(append([]func(*access.Appointment){func(a *access.Appointment) {
			a.Substitutes, a.From, a.Until = of.ID, monday.Add(from), monday.Add(until)
		}}, change...)...)
	}
	for name, test := range map[string]struct {
		wanted access.Appointment
		code   string
	}{
		"another role":      {substitute(open, 0, day, func(a *access.Appointment) { a.Role = "chair" }), "appointment.other-post"},
		"another territory": {substitute(open, 0, day, func(a *access.Appointment) { a.Territory = "X2" }), "appointment.other-post"},
		"another agency":    {substitute(elsewhere, 0, day), "appointment.other-post"},
		"the same person":   {substitute(open, 0, day, func(a *access.Appointment) { a.Person = open.Person }), "appointment.own-substitute"},
		"the registrar":     {substitute(open, 0, day, func(a *access.Appointment) { a.Person = registrar.Person }), "access.forbidden"},
		"no end":            {substitute(open, 0, day, func(a *access.Appointment) { a.Until = time.Time{} }), "appointment.substitute-term"},
		"a later end":       {substitute(short, day, 10*day+time.Microsecond), "appointment.substitute-term"},
		"an earlier start":  {substitute(short, 0, 2*day), "appointment.substitute-term"},
	} {
		_, err := w.Appoint(t.Context(), registrar, test.wanted)
		w.refused(name, err, test.code)
	}
	for _, wanted := range []access.Appointment{substitute(open, 0, 100*day), substitute(short, day, 10*day)} {
		if made, err := w.Appoint(t.Context(), registrar, wanted); err != nil || made.Substitutes != wanted.Substitutes {
			t.Errorf("made is %+v, %v", made, err)
		}
	}
	w.now = w.now.Add(time.Hour)
	_, err = w.End(t.Context(), registrar, open.ID)
	w.must(err)
	_, err = w.Appoint(t.Context(), registrar, substitute(open, 2*time.Hour, day))
	w.refused("for one whose appointment has ended", err, "appointment.substitute-term")
}

func TestWhoeverStandsInEndsWithThePost(t *testing.T) {
	w := newWorld(t)
	registrar := w.registrar("youth-agency", "X")
	held, err := w.Appoint(t.Context(), registrar, leader())
	w.must(err)
	var standing []access.Appointment
	for _, from := range []time.Duration{0, 48 * time.Hour} { // one who stands in already, one who would later
		made, err := w.Appoint(t.Context(), registrar, leader(func(a *access.Appointment) {
			a.Substitutes, a.From, a.Until = held.ID, monday.Add(from), monday.Add(from+24*time.Hour)
		}))
		w.must(err)
		standing = append(standing, made)
	}
	bystander, err := w.Appoint(t.Context(), registrar, leader())
	w.must(err)
	w.now = w.now.Add(time.Hour)
	_, err = w.End(t.Context(), registrar, held.ID)
	w.must(err)
	for _, one := range standing {
		for _, at := range []time.Duration{0, time.Hour, 50 * time.Hour} {
			if held, err := w.Appointments(t.Context(), one.Person, w.now.Add(at)); err != nil || len(held) != 0 {
				t.Errorf("a substitute still holds %+v, %v", held, err)
			}
		}
	}
	if held, err := w.Appointments(t.Context(), bystander.Person, w.now); err != nil || len(held) != 1 {
		t.Errorf("a colleague holds %+v, %v", held, err)
	}
}

func TestASensitiveRoleNeedsASecondRegistrar(t *testing.T) {
	w := newWorld(t)
	registrar, second := w.registrar("youth-agency", "X"), w.registrar("youth-agency", "X")
	district, authority := w.registrar("youth-agency", "X1"), w.registrar("data-authority", "X")
	other := w.registrar("social-agency", "X")
	sensitive := func() access.Appointment {
		made, err := w.Appoint(t.Context(), registrar, leader(func(a *access.Appointment) { a.Role, a.Territory = access.Registrar, "X2" }))
		w.must(err)
		return made
	}
	made := sensitive()
	if !made.Waits || made.MadeBy != registrar.Person || made.Holds(w.now) {
		t.Errorf("made is %+v", made)
	}
	if held, err := w.Appointments(t.Context(), made.Person, w.now); err != nil || len(held) != 0 {
		t.Errorf("before the approval the official holds %+v, %v", held, err)
	}
	itself := access.Actor{Person: made.Person, Appointment: second.Appointment}
	for name, test := range map[string]struct {
		by   access.Actor
		code string
	}{
		"who made it":                   {registrar, "appointment.same-registrar"},
		"whom it is for":                {itself, "access.forbidden"},
		"a registrar of elsewhere":      {district, "access.forbidden"},
		"a registrar of another agency": {other, "access.forbidden"},
		"a resident":                    {access.Actor{Person: second.Person}, "access.forbidden"},
	} {
		_, err := w.Approve(t.Context(), test.by, made.ID)
		w.refused(name, err, test.code)
	}
	w.now = w.now.Add(time.Hour)
	approved, err := w.Approve(t.Context(), second, made.ID)
	w.must(err)
	if approved.Waits || !approved.From.Equal(w.now) || !approved.Holds(w.now) {
		t.Errorf("approved is %+v", approved)
	}
	_, err = w.Approve(t.Context(), second, made.ID)
	w.refused("a second time", err, "appointment.approved-already")
	if _, err = w.Approve(t.Context(), authority, sensitive().ID); err != nil {
		t.Errorf("the supervising agency's registrar: %v", err)
	}
	refused := sensitive()
	_, err = w.End(t.Context(), second, refused.ID)
	w.must(err)
	_, err = w.Approve(t.Context(), second, refused.ID)
	w.refused("one that was ended instead", err, "appointment.ended")
	if plain, err := w.Appoint(t.Context(), registrar, leader()); err != nil || plain.Waits {
		t.Errorf("a plain role: %+v, %v", plain, err)
	}
}

func TestARegistrarPagesThroughWhatTheyKeep(t *testing.T) {
	w := newWorld(t)
	registrar, district := w.registrar("youth-agency", "X"), w.registrar("youth-agency", "X1")
	w.registrar("social-agency", "X")
	for i := range 7 {
		_, err := w.Appoint(t.Context(), registrar, leader(func(a *access.Appointment) { a.Territory = []ident.Territory{"X1", "X2"}[i%2] }))
		w.must(err)
		w.now = w.now.Add(time.Second)
	}
	for name, test := range map[string]struct {
		by   access.Actor
		want int
	}{"of the country": {registrar, 9}, "of a district": {district, 5}} {
		for _, limit := range []int{1, 2, 3, 100} {
			var seen []ident.Appointment
			for after := ident.Appointment(""); ; {
				page, err := w.Of(t.Context(), test.by, after, limit)
				w.must(err)
				if len(page) > limit {
					t.Fatalf("%s: a page has %d of at most %d", name, len(page), limit)
				}
				for _, one := range page {
					if one.Agency != "youth-agency" || one.ID <= after {
						t.Errorf("%s: got %+v after %s", name, one, after)
					}
					after = one.ID
					seen = append(seen, one.ID)
				}
				if len(page) < limit {
					break
				}
			}
			if len(seen) != test.want {
				t.Errorf("%s, %d a page: %d appointments instead of %d", name, limit, len(seen), test.want)
			}
		}
	}
	_, err := w.Of(t.Context(), access.Actor{Person: registrar.Person}, "", 10)
	w.refused("a resident who looks", err, "access.forbidden")
}

func TestAnAppointmentEndsOnce(t *testing.T) {
	w := newWorld(t)
	registrar, district := w.registrar("youth-agency", "X"), w.registrar("youth-agency", "X2")
	made, err := w.Appoint(t.Context(), registrar, leader())
	w.must(err)
	w.now = w.now.Add(time.Hour)
	_, err = w.End(t.Context(), district, made.ID)
	w.refused("a registrar of elsewhere", err, "access.forbidden")
	_, err = w.End(t.Context(), w.registrar("social-agency", "X"), made.ID)
	w.refused("a registrar of another agency", err, "access.forbidden")
	_, err = w.End(t.Context(), registrar, registrar.Appointment.ID)
	w.refused("one's own", err, "access.forbidden")
	_, err = w.End(t.Context(), registrar, ident.New[ident.Appointment](w.now))
	w.refused("one that is not there", err, "appointment.unknown")
	ended, err := w.End(t.Context(), registrar, made.ID)
	w.must(err)
	if !ended.Until.Equal(w.now) || ended.Holds(w.now) {
		t.Errorf("ended is %+v", ended)
	}
	w.now = w.now.Add(time.Hour)
	_, err = w.End(t.Context(), registrar, made.ID)
	w.refused("a second time", err, "appointment.ended")

	found, err := w.In(t.Context(), registrar, "X1")
	w.must(err)
	if diff := cmp.Diff([]access.Appointment{ended}, found); diff != "" {
		t.Error(diff)
	}
	_, err = w.In(t.Context(), district, "X1")
	w.refused("looking elsewhere", err, "access.forbidden")
	_, err = w.In(t.Context(), registrar, "Y")
	w.refused("looking nowhere", err, "territory.unknown")
	_, err = w.In(t.Context(), access.Actor{Person: registrar.Person}, "X1")
	w.refused("a resident who looks", err, "access.forbidden")
}

func TestAnOfficeThatKnowsNoRolesLetsNoRegistrarAct(t *testing.T) {
	w := newWorld(t)
	registrar := w.registrar("youth-agency", "X")
	bare := &access.Office{Store: w.Store, Vault: w.Vault}
	_, err := bare.Appoint(t.Context(), registrar, leader())
	w.refused("without territories and roles", err, "internal")
}
