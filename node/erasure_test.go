package node_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/erasure"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/node"
	"yagona/node/nodetest"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
	"yagona/store/query"
	"yagona/web/api"
)

func TestWhatOfficersEraseTheAuditorCallsErased(t *testing.T) {
	folder := nodetest.Populated(t, 40, time.Now)
	site, err := url.Parse("http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.OpenDemonstration(t.Context(), node.Config{
		Folder: folder, Site: site, Country: uz.Files, Packs: packs.All(), Clock: time.Now, Volatile: true,
	}, 40)
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	defer func() {
		if !closed {
			n.Close()
		}
	}()
	resident, err := n.People.ByNumber(t.Context(), firstOf(t, n, string(demo.Jobless)))
	if err != nil {
		t.Fatal(err)
	}
	officers := officersOf(t, n)
	n.Start(t.Context())
	if status, answer := ask(t, n, "GET", "/me", resident, ""); status != http.StatusOK {
		t.Fatalf("before the erasure the resident gets %d %s", status, answer)
	}
	status, answer := ask(t, n, "POST", "/erasures", officers[0].Person, `{"subject": "`+string(resident.Subject())+`", "law": "illustrative act"}`)
	var proposed api.Erasure
	if err := json.Unmarshal(answer, &proposed); err != nil || status != http.StatusCreated {
		t.Fatalf("proposing gives %d %s", status, answer)
	}
	if status, answer = ask(t, n, "POST", "/erasures/"+proposed.ID+"/confirm", officers[1].Person, ""); status != http.StatusOK {
		t.Fatalf("confirming gives %d %s", status, answer)
	}
	eventually(t, "the key is destroyed", func() bool {
		_, err := n.People.Attributes(t.Context(), resident)
		return fault.Is(err, fault.Erased)
	})
	if status, answer = ask(t, n, "GET", "/me", resident, ""); status != http.StatusGone || !strings.Contains(string(answer), "seal.erased") {
		t.Errorf("after the erasure the resident gets %d %s", status, answer)
	}
	published(t, n)
	closed = true
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	report := verify(t, folder)
	if report.Found != 0 || report.Erased == 0 {
		t.Errorf("%d parts are erased, and the findings are %v", report.Erased, report.Findings)
	}
}

// officersOf returns the officer who proposes an erasure and the one who confirms it.
func officersOf(t *testing.T, n *node.Node) (officers []access.Appointment) {
	t.Helper()
	err := n.DB.View(t.Context(), func(tx *query.Tx) error {
		for _, agency := range []ident.Agency{"civil-registry", n.Profile.Supervision.Agency} {
			held, err := tx.AppointmentsIn(agency, erasure.Officer, n.Profile.Territories.Root())
			if err != nil {
				return err
			}
			officers = append(officers, held...)
		}
		return nil
	})
	if err != nil || len(officers) != 2 {
		t.Fatalf("there are %d officers, %v", len(officers), err)
	}
	return officers
}
