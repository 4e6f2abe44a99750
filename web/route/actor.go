package route

import "yagona/kernel/ident"

// Actor is a person with the appointments in force now.
type Actor struct {
	Person       ident.Person
	Appointments []Appointment
}

// Appointment is one person in one role of one agency.
type Appointment struct {
	ID        ident.Appointment
	Agency    ident.Agency
	Role      ident.Role
	Territory ident.Territory
}
