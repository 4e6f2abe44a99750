package practice

import (
	"context"
	"testing"

	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/service"
)

// asked is a store that knows who has asked for which service.
type asked map[ident.Subject]ident.Service

type askedReader struct {
	Reader
	asked
}

func (r askedReader) OutlinesOf(of ident.Subject, _ int) ([]casework.Outline, error) {
	if wanted, ok := r.asked[of]; ok {
		return []casework.Outline{{Service: wanted}}, nil
	}
	return nil, nil
}

type askedStore struct {
	act.Store[Reader, Tx]
	asked
}

func (s askedStore) View(_ context.Context, run func(Reader) error) error {
	return run(askedReader{asked: s.asked})
}

// village are the neighbours of every mahalla.
type village []Someone

func (v village) Neighbours(ident.Territory) []Someone { return v }

func (village) Relative(ident.Person) (Someone, bool) { return Someone{}, false }

func TestACaseIsOfSomebodyWhomTheServiceIsFor(t *testing.T) {
	const benefit, instalments ident.Service = "p/benefit", "p/instalments"
	ground := &Ground{Residents: village{
		{Person: "helped-1"},
		{Person: "helped-2"},
		{Person: "helped-3"},
		{Person: "helped-4"},
		{Person: "first"},
		{Person: "second"},
		{Person: "baker", For: ident.Organisation("bakery").Subject()},
		{Person: "weaver", For: ident.Organisation("mill").Subject()},
	}}
	first, second := ident.Person("first").Subject(), ident.Person("second").Subject()
	bakery, mill := ident.Organisation("bakery").Subject(), ident.Organisation("mill").Subject()
	baker := ident.Person("baker").Subject()
	for name, test := range map[string]struct {
		service ident.Service
		whom    []string
		before  asked
		want    ident.Person
	}{
		"a resident for themself":                    {benefit, []string{"person"}, nil, "first"},
		"another resident, if one has asked":         {benefit, []string{"person"}, asked{first: benefit}, "second"},
		"the same, if they asked for something else": {benefit, []string{"person"}, asked{first: instalments}, "first"},
		"no director, for they have a business":      {benefit, []string{"person"}, asked{first: benefit, second: benefit}, ""},
		"a director for their business":              {instalments, []string{"organisation"}, nil, "baker"},
		"the same, if they asked for themself":       {instalments, []string{"organisation"}, asked{baker: instalments}, "baker"},
		"another, if one's business has asked":       {instalments, []string{"organisation"}, asked{bakery: instalments}, "weaver"},
		"nobody, if every business has asked":        {instalments, []string{"organisation"}, asked{bakery: instalments, mill: instalments}, ""},
		"anybody, if it is for everybody":            {benefit, nil, asked{first: benefit, second: benefit}, "baker"},
	} {
		t.Run(name, func(t *testing.T) {
			ground.Store = askedStore{asked: test.before}
			found, err := ground.applicant(t.Context(), learner, &service.Definition{Path: test.service, For: test.whom})
			if found.Person != test.want || (err != nil) != (test.want == "") || err != nil && fault.Code(err) != "practice.nobody-left" {
				t.Errorf("%q asks for it, not %q: %v", found.Person, test.want, err)
			}
		})
	}
}
