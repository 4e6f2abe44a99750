package register

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

var (
	// ErrNoRegister is what asking for an unknown register gives.
	ErrNoRegister = fault.New(fault.NotFound, "register.unknown", "There is no such register. Look in the catalogue.")
	// ErrNoEvidence is what asking for an unknown evidence type gives.
	ErrNoEvidence = fault.New(fault.NotFound, "register.no-evidence", "No register here answers this question. Look in the catalogue.")
	// ErrNoRelation is what asking for an unknown relation gives.
	ErrNoRelation = fault.New(fault.NotFound, "register.no-relation", "No register here knows this relation. Look in the catalogue.")
)

// Catalogue is all registers that are loaded. It is immutable: a publication makes a new one.
type Catalogue struct {
	registers map[ident.Register]*Definition
	evidence  map[ident.Evidence]*EvidenceType
	relations map[string]declared
	terms     map[string][]*EvidenceType
}

type declared struct {
	by       *Definition
	relation Relation
}

// NewCatalogue returns the catalogue of the definitions. No path and no relation may be declared twice.
func NewCatalogue(definitions []*Definition) (*Catalogue, error) {
	c := &Catalogue{
		registers: map[ident.Register]*Definition{}, evidence: map[ident.Evidence]*EvidenceType{},
		relations: map[string]declared{}, terms: map[string][]*EvidenceType{},
	}
	sorted := slices.SortedFunc(slices.Values(definitions), func(a, b *Definition) int {
		return strings.Compare(string(a.Path), string(b.Path))
	})
	for _, d := range sorted {
		if c.registers[d.Path] != nil {
			return nil, fmt.Errorf("the register %s is declared twice: keep one of them", d.Path)
		}
		c.registers[d.Path] = d
		for i := range d.Evidence {
			one := &d.Evidence[i]
			if c.evidence[one.Path] != nil {
				return nil, fmt.Errorf("the evidence type %s is declared twice: keep one of them", one.Path)
			}
			c.evidence[one.Path] = one
			for _, answer := range one.Answer {
				if answer.Term != "" && !slices.Contains(c.terms[answer.Term], one) {
					c.terms[answer.Term] = append(c.terms[answer.Term], one)
				}
			}
		}
		for _, relation := range d.Relations {
			if other, taken := c.relations[relation.Name]; taken {
				return nil, fmt.Errorf("the relation %s is declared by %s and by %s: keep one of them", relation.Name, other.by.Path, d.Path)
			}
			c.relations[relation.Name] = declared{d, relation}
		}
	}
	return c, nil
}

// Register returns the register with the path, or ErrNoRegister.
func (c *Catalogue) Register(path ident.Register) (*Definition, error) {
	if d, ok := c.registers[path]; ok {
		return d, nil
	}
	return nil, ErrNoRegister
}

// Evidence returns the evidence type with the path and the register that answers it, or ErrNoEvidence.
func (c *Catalogue) Evidence(path ident.Evidence) (*EvidenceType, *Definition, error) {
	if one, ok := c.evidence[path]; ok {
		return one, c.registers[one.Register], nil
	}
	return nil, nil, ErrNoEvidence
}

// Relation returns the relation with the name and the register that declares it, or ErrNoRelation.
func (c *Catalogue) Relation(name string) (Relation, *Definition, error) {
	if one, ok := c.relations[name]; ok {
		return one.relation, one.by, nil
	}
	return Relation{}, nil, ErrNoRelation
}

// Answering returns the evidence types that answer a term (CCCEV information concept), by path of their registers.
func (c *Catalogue) Answering(term string) []*EvidenceType { return c.terms[term] }

// Representing returns the relations by which their subject may act for whom they relate to, by name.
func (c *Catalogue) Representing() (found []Relation) {
	for _, one := range c.relations {
		if one.relation.Represents != "" {
			found = append(found, one.relation)
		}
	}
	slices.SortFunc(found, func(a, b Relation) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// Information concepts that the platform itself knows.
const (
	TermBirth            = "person.birth.date" // the day on which a person was born
	TermOrganisationName = "organisation.name" // what an organisation is called
)

// All returns all registers by path.
func (c *Catalogue) All() []*Definition {
	all := make([]*Definition, 0, len(c.registers))
	for _, path := range c.Paths() {
		all = append(all, c.registers[path])
	}
	return all
}

// Paths returns the paths of all registers, sorted.
func (c *Catalogue) Paths() []ident.Register { return slices.Sorted(maps.Keys(c.registers)) }

// Grants reports whether the service may ask for the evidence for the purpose.
func (e *EvidenceType) Grants(service ident.Service, purpose access.Purpose) bool {
	return grants(e.For, service, purpose)
}

// IsAnnounced reports whether some service may ask for the evidence proactively: it is then told of changes.
func (e *EvidenceType) IsAnnounced() bool {
	return slices.ContainsFunc(e.For, func(g Grant) bool { return slices.Contains(g.Purposes, access.Proactive) })
}

func grants(all []Grant, service ident.Service, purpose access.Purpose) bool {
	return slices.ContainsFunc(all, func(g Grant) bool {
		return g.Service == service && slices.Contains(g.Purposes, purpose)
	})
}

// RelationHousehold is the relation between people who live together. The platform needs it: nobody decides for those
// they live with.
const RelationHousehold = "household"

// CheckComplete reports what an installation cannot work without: a register that says who lives together.
func (c *Catalogue) CheckComplete() error {
	if _, ok := c.relations[RelationHousehold]; ok {
		return nil
	}
	return fault.Newf(fault.Invalid, "register.no-household",
		"No register declares the relation %[1]s, without which no official can open a task: nobody decides for those they live with. Load the pack that keeps the residents, or add to a register that names each person's household: relations: {%[1]s: {same: household, many: true}}.", RelationHousehold)
}
