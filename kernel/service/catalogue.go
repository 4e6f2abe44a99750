package service

import (
	"slices"
	"strings"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

var (
	errUnknown = fault.New(fault.Conflict, "service.unknown-value", "A value that the output needs is not known yet.")
	errAmount  = fault.New(fault.Conflict, "service.amount", "The amount comes out as less than nothing. Nothing is paid on it; an official looks at the rule.")

	// ErrNoService is what asking for an unknown service gives.
	ErrNoService = fault.New(fault.NotFound, "service.unknown", "There is no such service. Look in the catalogue.")
)

// Catalogue is all services that are loaded, in all versions that an application may still use. It is immutable: a
// publication makes a new one.
type Catalogue struct {
	byHash map[string]*Definition
	byPath map[ident.Service][]*Definition // in the order of their publication
	closed map[string]bool                 // hashes that take no new applications
	writes map[ident.Register]bool         // that any version writes into
}

// NewCatalogue returns the catalogue of the definitions, in the order in which they were published; closed are hashes of
// versions that take no new applications.
func NewCatalogue(definitions []*Definition, closed map[string]bool) *Catalogue {
	c := &Catalogue{byHash: map[string]*Definition{}, byPath: map[ident.Service][]*Definition{}, closed: closed, writes: map[ident.Register]bool{}}
	for _, d := range definitions {
		c.byHash[d.Hash] = d
		c.byPath[d.Path] = append(c.byPath[d.Path], d)
		if d.Output.Record != nil {
			c.writes[d.Output.Record.Register] = true
		}
	}
	return c
}

// Version returns the definition with the hash.
func (c *Catalogue) Version(hash string) (*Definition, error) {
	if d, ok := c.byHash[hash]; ok {
		return d, nil
	}
	return nil, ErrNoService
}

// Open returns the version of a service that takes new applications on the day: of those whose day has come and that are
// not closed, the one that was published last. So a correction takes the place of what it corrects also if both hold from
// the same day, and a version that was replaced before its day never comes into force.
func (c *Catalogue) Open(path ident.Service, day calendar.Date) (*Definition, error) {
	for _, d := range slices.Backward(c.byPath[path]) {
		if !d.From.After(day) && !c.closed[d.Hash] {
			return d, nil
		}
	}
	if len(c.byPath[path]) > 0 {
		return nil, fault.New(fault.Conflict, "service.closed", "This service takes no new applications at the moment. Look again later.")
	}
	return nil, ErrNoService
}

// Confidential reports whether any version of the service is: what was asked for in confidence stays so when a later version
// thinks otherwise, and what was asked for before is protected from then on.
func (c *Catalogue) Confidential(path ident.Service) bool {
	return slices.ContainsFunc(c.byPath[path], func(d *Definition) bool { return d.Confidential })
}

// Keep returns how long closed cases of the service stay at hand: as its newest version says, whatever version they were
// decided by.
func (c *Catalogue) Keep(path ident.Service) Period {
	if versions := c.byPath[path]; len(versions) > 0 && !versions[len(versions)-1].Keep.IsZero() {
		return versions[len(versions)-1].Keep
	}
	return DefaultKeep
}

// Writes reports whether any version of any service writes into the register.
func (c *Catalogue) Writes(register ident.Register) bool { return c.writes[register] }

// All returns the open version of every service on the day, by path.
func (c *Catalogue) All(day calendar.Date) []*Definition {
	var open []*Definition
	for path := range c.byPath {
		if d, err := c.Open(path, day); err == nil {
			open = append(open, d)
		}
	}
	slices.SortFunc(open, func(a, b *Definition) int { return strings.Compare(string(a.Path), string(b.Path)) })
	return open
}
