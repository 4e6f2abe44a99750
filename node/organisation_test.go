package node_test

import (
	"testing"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/packs/demo"
)

// The director of a business asks for it, and the tax inspector of its mahalla, one of the seven, decides.
func TestTheTaxInspectorOfTheMahallaDecidesOnABusiness(t *testing.T) {
	s := open(t)
	director, business := s.people.Persona(demo.Husband), s.people.Organisations[0]
	if business.Director != director.ID {
		t.Fatal("the first business has another director")
	}
	by := access.Actor{Person: director.ID, For: business.ID.Subject()}
	receipt, err := s.node.Casework.Apply(t.Context(), by, "", "tax/instalments", "en", map[string]any{"tax": "land", "months": int64(6), "why": "Sample text"})
	if err != nil || receipt.Application.State != casework.Deciding {
		t.Fatalf("sent, it is %s: %v", receipt.Application.State, err)
	}
	inspector := officialFor(t, s, "tax-committee", "tax-inspector", business.Mahalla)
	decides(t, s, "en", inspector, map[string]string{
		"action": "approve", "form.visitedOn-day": "2", "form.visitedOn-month": "3", "form.visitedOn-year": "2026", "form.findings": "It bakes.",
	})
	view, err := s.node.Casework.Own(t.Context(), by, receipt.Application.ID)
	if err != nil || view.Application.State != casework.Granted || view.Content.Granted.Document == "" {
		t.Errorf("decided, it is %s: %v", view.Application.State, err)
	}
}
