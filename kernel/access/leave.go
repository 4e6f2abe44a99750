package access

import (
	"context"
	"slices"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

// The faults of leave.
var (
	errLeaveTerm  = fault.New(fault.Invalid, "leave.term", "A leave ends after it begins, lies within your own appointment and lasts at most a year. Correct its days.").At("until")
	errNoStandIn  = fault.New(fault.Invalid, "leave.substitute", "This colleague cannot stand in for you in that time. Choose one of the list.").At("substitute")
	errLeaveTwice = fault.New(fault.Conflict, "leave.overlap", "Somebody stands in for you in this time already. End that leave first, or choose other days.")
)

// longestLeave is how long a leave may last.
const longestLeave = 366 * 24 * time.Hour

// TakeLeave records that the official is away and that a colleague stands in for them meanwhile: the colleague is
// appointed to the official's own post for that time, not before the act. The colleague is named by an appointment that
// they hold already, one of Colleagues, so nobody is let in whom no registrar has appointed.
func (o *Office) TakeLeave(ctx context.Context, by Actor, substitute ident.Appointment, from, until time.Time) (Appointment, error) {
	colleagues, err := o.Colleagues(ctx, by, from)
	if err != nil {
		return Appointment{}, err
	}
	i := slices.IndexFunc(colleagues, func(one Appointment) bool {
		return one.ID == substitute && (one.Until.IsZero() || !one.Until.Before(until))
	})
	if i < 0 {
		return Appointment{}, errNoStandIn
	}
	held := *by.Appointment
	wanted := Appointment{
		Person: colleagues[i].Person, Agency: held.Agency, Role: held.Role, Territory: held.Territory,
		From: from.UTC().Truncate(time.Microsecond), Until: until.UTC().Truncate(time.Microsecond), Substitutes: held.ID,
	}
	return o.save(ctx, by, wanted, "leave.recorded", func(tx Tx, made *Appointment) error {
		made.ID, made.MadeBy = ident.New[ident.Appointment](tx.Now()), by.Person
		if made.From.Before(tx.Now()) {
			made.From = tx.Now()
		}
		if !made.Until.After(made.From) || made.Until.Sub(made.From) > longestLeave || !held.Until.IsZero() && made.Until.After(held.Until) {
			return errLeaveTerm
		}
		standing, err := tx.AppointmentsIn(held.Agency, held.Role, held.Territory)
		if err != nil {
			return err
		}
		for _, one := range standing {
			if one.Substitutes == held.ID && one.From.Before(made.Until) && made.From.Before(one.Until) {
				return errLeaveTwice
			}
		}
		return substituted(tx, *made)
	})
}

// EndLeave ends a leave of the official now: their substitute's appointment ends.
func (o *Office) EndLeave(ctx context.Context, by Actor, leave ident.Appointment) (Appointment, error) {
	var found Appointment
	err := o.Store.View(ctx, func(tx Reader) (err error) {
		found, err = tx.Appointment(leave)
		return err
	})
	if err != nil {
		return Appointment{}, err
	}
	if by.Appointment == nil || found.Substitutes != by.Appointment.ID {
		return Appointment{}, ErrForbidden
	}
	return o.end(ctx, by, found, "leave.ended")
}

// Leaves returns the appointments of the official's substitutes that are not over, the next first.
func (o *Office) Leaves(ctx context.Context, by Actor, now time.Time) (leaves []Appointment, err error) {
	held := by.Appointment
	if held == nil {
		return nil, ErrForbidden
	}
	err = o.Store.View(ctx, func(tx Reader) error {
		leaves, err = tx.AppointmentsIn(held.Agency, held.Role, held.Territory)
		return err
	})
	return slices.DeleteFunc(leaves, func(one Appointment) bool { return one.Substitutes != held.ID || !one.Until.After(now) }), err
}

// Colleagues returns who can stand in for the official at a time: those who hold the same role for the same territory, a
// neighbouring one or one above. A substitute names no substitute.
func (o *Office) Colleagues(ctx context.Context, by Actor, at time.Time) (found []Appointment, err error) {
	held := by.Appointment
	if held == nil || held.Substitutes != "" || o.Territories == nil {
		return nil, ErrForbidden
	}
	places := o.Territories.Children(o.Territories.Parent(held.Territory)) // with their own
	for above := o.Territories.Parent(held.Territory); above != ""; above = o.Territories.Parent(above) {
		places = append(places, above)
	}
	err = o.Store.View(ctx, func(tx Reader) error {
		found = nil
		for _, place := range places {
			others, err := tx.AppointmentsIn(held.Agency, held.Role, place)
			if err != nil {
				return err
			}
			for _, one := range others {
				if one.Person != by.Person && one.Substitutes == "" && one.Holds(at) {
					found = append(found, one)
				}
			}
		}
		return nil
	})
	return found, err
}
