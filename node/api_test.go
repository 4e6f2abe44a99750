package node_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/ident"
	"yagona/kernel/session"
	"yagona/node"
	"yagona/node/nodetest"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
	"yagona/store/query"
	"yagona/web/api"
)

// ask sends a request to the API of the installation as a person, and returns the answer's status and body.
func ask(t *testing.T, n *node.Node, method, path string, as ident.Person, body string) (status int, answer []byte) {
	t.Helper()
	token, _, err := n.Sessions.Start(t.Context(), as, session.Program, false)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, api.Root+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+string(token))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	recorder := httptest.NewRecorder()
	n.Handler.ServeHTTP(recorder, r)
	return recorder.Code, recorder.Body.Bytes()
}

func TestARegistrarAppointsToTheRolesOfTheirPackAndThePlatform(t *testing.T) {
	site, err := url.Parse("http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.OpenDemonstration(t.Context(), node.Config{
		Folder: nodetest.Populated(t, 40, time.Now), Site: site, Country: uz.Files, Packs: packs.All(), Clock: time.Now, Volatile: true,
	}, 40)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	root := n.Profile.Territories.Root()
	var registrars []access.Appointment
	err = n.DB.View(t.Context(), func(tx *query.Tx) (err error) {
		registrars, err = tx.AppointmentsIn("youth-agency", access.Registrar, root)
		return err
	})
	if err != nil || len(registrars) != 1 {
		t.Fatalf("there are %d registrars, %v", len(registrars), err)
	}
	number := firstOf(t, n, string(demo.Jobless))
	for role, want := range map[ident.Role]int{
		"youth-leader": http.StatusCreated, access.Treasurer: http.StatusCreated, "data-protection-officer": http.StatusCreated,
		"adviser": http.StatusUnprocessableEntity, "chair": http.StatusUnprocessableEntity, // those of other agencies
	} {
		wanted := fmt.Sprintf(`{"number": %q, "role": %q, "territory": %q}`, number, role, root)
		if status, answer := ask(t, n, "POST", "/appointments", registrars[0].Person, wanted); status != want {
			t.Errorf("appointing as %s gives %d %s", role, status, answer)
		}
	}
}
