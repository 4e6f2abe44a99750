package node_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"yagona/kernel/calendar"
)

// linked returns a JSON-LD document of the site, as a program asks for it.
func linked(t *testing.T, s *site, path string) map[string]any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/ld+json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var found map[string]any
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/ld+json" {
		t.Fatalf("%s: %d, %s, %v", path, response.StatusCode, response.Header.Get("Content-Type"), err)
	}
	return found
}

// prefixed returns the words of a JSON-LD document that name their vocabulary.
func prefixed(of any, found map[string]bool) {
	switch of := of.(type) {
	case map[string]any:
		for key, value := range of {
			if key != "@context" {
				found[key] = true
				prefixed(value, found)
			}
		}
		if kinds, ok := of["@type"].([]any); ok {
			for _, kind := range kinds {
				found[kind.(string)] = true
			}
		} else if kind, ok := of["@type"].(string); ok {
			found[kind] = true
		}
	case []any:
		for _, one := range of {
			prefixed(one, found)
		}
	}
}

// The catalogue is open data: every service as CPSV-AP and schema.org describe one, the whole as DCAT-AP describes a
// catalogue, each in all languages, and each word of a vocabulary that the document names.
func TestTheCatalogueIsOpenData(t *testing.T) {
	s := open(t)
	catalogue := linked(t, s, "/catalogue")
	one := linked(t, s, "/catalogue/youth/tools-subsidy")
	for name, document := range map[string]map[string]any{"the catalogue": catalogue, "a service": one} {
		vocabularies, _ := document["@context"].(map[string]any)
		words := map[string]bool{}
		prefixed(document, words)
		for word := range words {
			prefix, _, ok := strings.Cut(word, ":")
			if !ok && !strings.HasPrefix(word, "@") {
				t.Errorf("%s says %q of no vocabulary", name, word)
			}
			if ok && vocabularies[prefix] == nil {
				t.Errorf("%s says %q of a vocabulary that it does not name", name, word)
			}
		}
	}
	if catalogue["@type"] != "dcat:Catalog" {
		t.Errorf("the catalogue is a %v", catalogue["@type"])
	}
	parts, _ := catalogue["dct:hasPart"].([]any)
	if open := s.node.Catalogue().Services.All(calendar.Date{Year: 2026, Month: 3, Day: 2}); len(parts) != len(open) || len(open) == 0 {
		t.Errorf("the catalogue has %d services of %d", len(parts), len(open))
	}
	kinds, _ := one["@type"].([]any)
	if !slices.Contains(kinds, any("cpsv:PublicService")) || !slices.Contains(kinds, any("schema:GovernmentService")) {
		t.Errorf("a service is a %v", kinds)
	}
	for _, word := range []string{
		"dct:identifier", "dct:title", "dct:description", "cv:hasCompetentAuthority", "cv:hasLegalResource", "cv:holdsRequirement", "cpsv:hasInput",
		"cpsv:produces", "cv:hasChannel", "cv:hasCost", "cv:isGroupedBy", "cv:processingTime", "schema:provider",
	} {
		if one[word] == nil {
			t.Errorf("a service has no %s", word)
		}
	}
	var languages []string
	titles, _ := one["dct:title"].([]any)
	for _, title := range titles {
		languages = append(languages, title.(map[string]any)["@language"].(string))
	}
	if !slices.Equal(languages, []string{"en", "kaa", "ru", "uz-Cyrl", "uz-Latn"}) {
		t.Errorf("the title is said in %v", languages)
	}
	// People are led to the page.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/catalogue/youth/tools-subsidy", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if to := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther || to != "/services/youth/tools-subsidy" {
		t.Errorf("a browser is answered with %d and led to %q", response.StatusCode, to)
	}
}
