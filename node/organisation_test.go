package node_test

import (
	"testing"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/register"
	"yagona/packs/demo"
)

// The director of a business asks for it, and the tax inspector of its mahalla, one of the seven, decides.
func TestTheTaxInspectorOfTheMahallaDecidesOnABusiness(t *testing.T) {
	s := open(t)
	director := s.people.Persona(demo.Husband)
	business := ident.Random[ident.Organisation]().Subject()
	for path, values := range map[ident.Register]map[string]any{
		"tax/businesses": {"business": business, "mahalla": director.Residence, "trade": "Sample bakery", "since": today.AddMonths(-12)},
		"tax/officers":   {"person": director.ID.Subject(), "business": business, "office": "director", "since": today.AddMonths(-12)},
	} {
		if _, _, err := s.node.Registers.Put(t.Context(), journal.Actor{Component: "test"}, register.Write{
			Register: path, From: today.AddMonths(-12), Values: values, Reason: "test", Takeover: true,
		}); err != nil {
			t.Fatal(err)
		}
	}
	by := access.Actor{Person: director.ID, For: business}
	receipt, err := s.node.Casework.Apply(t.Context(), by, "", "tax/instalments", "en", map[string]any{"tax": "land", "months": int64(6), "why": "Sample text"})
	if err != nil || receipt.Application.State != casework.Deciding {
		t.Fatalf("sent, it is %s: %v", receipt.Application.State, err)
	}
	inspector := officialFor(t, s, "tax-committee", "tax-inspector", director.Residence)
	decides(t, s, "en", inspector, map[string]string{
		"action": "approve", "form.visitedOn-day": "2", "form.visitedOn-month": "3", "form.visitedOn-year": "2026", "form.findings": "It bakes.",
	})
	view, err := s.node.Casework.Own(t.Context(), by, receipt.Application.ID)
	if err != nil || view.Application.State != casework.Granted || view.Content.Granted.Document == "" {
		t.Errorf("decided, it is %s: %v", view.Application.State, err)
	}
}
