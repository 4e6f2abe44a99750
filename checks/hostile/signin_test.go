package hostile

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"yagona/node"
	"yagona/packs/demo"
)

const (
	back     = "http://127.0.0.1/return"
	verifier = "a-verifier-that-is-long-enough-for-the-protocol-0123456789"
	formType = "application/x-www-form-urlencoded"
)

// wish is what a program asks of the sign-in.
func wish() url.Values {
	challenge := sha256.Sum256([]byte(verifier))
	return url.Values{
		"client_id": {node.DemonstrationProgram}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {"openid"},
		"state": {"state"}, "nonce": {"nonce"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}
}

// code signs a person in at the demonstration's sign-in and returns the code.
func (w *world) code(name demo.Persona) string {
	w.t.Helper()
	values := wish()
	values.Set("person", w.pop.Persona(name).Number)
	got := w.nobody().send("POST", node.DemonstrationPath+"/authorize", values.Encode(), "Content-Type", formType)
	there, err := url.Parse(got.Header.Get("Location"))
	if err != nil || there.Query().Get("code") == "" {
		w.t.Fatalf("the sign-in gave no code: %v", got)
	}
	return there.Query().Get("code")
}

// redeem exchanges a code for tokens; change replaces values.
func (w *world) redeem(code string, change ...string) answer {
	values := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back}, "client_id": {node.DemonstrationProgram}, "code_verifier": {verifier},
	}
	for i := 0; i+1 < len(change); i += 2 {
		values.Set(change[i], change[i+1])
	}
	return w.nobody().send("POST", node.DemonstrationPath+"/token", values.Encode(), "Content-Type", formType)
}

// TestAProofOfIdentityCountsOnce replays codes and ID tokens, and redeems codes that are another's.
func TestAProofOfIdentityCountsOnce(t *testing.T) {
	w := open(t)
	code := w.code(demo.Jobless)
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	w.redeem(code).into(t, http.StatusOK, &tokens)
	if again := w.redeem(code); again.Status != http.StatusBadRequest {
		t.Errorf("a code was redeemed twice: %v", again)
	}
	for _, change := range [][]string{
		{"code_verifier", strings.Repeat("b", 43)}, {"redirect_uri", "http://127.0.0.1/other"}, {"client_id", node.DemonstrationClient}, {"code", "made-up"},
	} {
		if got := w.redeem(w.code(demo.Jobless), change...); got.Status != http.StatusBadRequest && got.Status != http.StatusUnauthorized {
			t.Errorf("a code was redeemed with another %s: %v", change[0], got)
		}
	}
	start := func(token string) answer {
		return w.nobody().send("POST", "/api/v1/sessions", map[string]string{"id_token": token})
	}
	start(tokens.IDToken).into(t, http.StatusCreated, nil)
	if again := start(tokens.IDToken); again.Status != http.StatusUnauthorized {
		t.Errorf("an ID token began two sessions: %v", again)
	}
	parts := strings.Split(tokens.IDToken, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	for name, forged := range map[string]string{
		"unsigned": none + "." + parts[1] + ".", "without a signature": parts[0] + "." + parts[1] + ".", "re-encoded": tokens.IDToken + "=",
		"cut": tokens.IDToken[:len(tokens.IDToken)-8], "no token": "x", "empty": "", "long": strings.Repeat("a.", 5000),
	} {
		if got := start(forged); got.Status != http.StatusUnauthorized && got.Status != http.StatusUnprocessableEntity && got.Status != http.StatusBadRequest {
			t.Errorf("an ID token that is %s: %v", name, got)
		}
	}
	for _, address := range []string{"https://evil.example/", back + "/../x", back + "@evil.example", ""} {
		values := wish()
		values.Set("redirect_uri", address)
		values.Set("person", w.pop.Persona(demo.Jobless).Number)
		got := w.nobody().send("POST", node.DemonstrationPath+"/authorize", values.Encode(), "Content-Type", formType)
		if got.Status == http.StatusSeeOther {
			t.Errorf("the sign-in returns to %s", got.Header.Get("Location"))
		}
	}
}

// cookies returns the cookies that an answer sets.
func cookies(got answer) map[string]string {
	found := map[string]string{}
	for _, one := range (&http.Response{Header: got.Header}).Cookies() {
		found[one.Name] = one.Value
	}
	return found
}

// TestASessionThatWasPlantedIsNotTakenOver signs a person in with a browser that carries a session of somebody else: they
// get a new one, and the planted one ends.
func TestASessionThatWasPlantedIsNotTakenOver(t *testing.T) {
	w := open(t)
	attacker := w.persona(demo.Worker)
	planted := "session=" + string(attacker.token)
	begun := w.nobody().send("GET", "/sign-in?next=/", nil, "Cookie", planted)
	attempt := cookies(begun)["sign-in"]
	there, err := url.Parse(begun.Header.Get("Location"))
	if err != nil || attempt == "" {
		t.Fatalf("the sign-in did not begin: %v", begun)
	}
	values := there.Query()
	values.Set("person", w.pop.Persona(demo.Jobless).Number)
	chosen := w.nobody().send("POST", node.DemonstrationPath+"/authorize", values.Encode(), "Content-Type", formType)
	returned := strings.TrimPrefix(chosen.Header.Get("Location"), w.site)
	if !strings.HasPrefix(returned, "/sign-in/return?") {
		t.Fatalf("the sign-in returns to %s", returned)
	}
	for name, cookie := range map[string]string{
		"another browser": "", "a browser that began another": "sign-in=" + cookies(w.nobody().send("GET", "/sign-in", nil))["sign-in"],
		"a made-up attempt": "sign-in=e30",
	} {
		if got := w.nobody().send("GET", returned, nil, "Cookie", cookie, "Accept", "text/html"); got.Status != http.StatusUnauthorized {
			t.Errorf("%s finished the sign-in: %v", name, got)
		}
	}
	finished := w.nobody().send("GET", returned, nil, "Cookie", planted+"; sign-in="+attempt)
	token := cookies(finished)["session"]
	if finished.Status != http.StatusSeeOther || token == "" || token == string(attacker.token) {
		t.Fatalf("the sign-in gave the session %q: %v", token, finished)
	}
	var me struct{ Person string }
	w.nobody().send("GET", "/api/v1/sessions/current", nil, "Cookie", "session="+token).into(t, http.StatusOK, &me)
	if me.Person != string(w.pop.Personas[demo.Jobless]) {
		t.Errorf("the new session is of %s", me.Person)
	}
	if got := attacker.send("GET", "/api/v1/me", nil); got.Status != http.StatusUnauthorized {
		t.Errorf("the planted session goes on: %v", got)
	}
	if got := w.nobody().send("GET", returned, nil, "Cookie", "sign-in="+attempt, "Accept", "text/html"); got.Status != http.StatusUnauthorized {
		t.Errorf("the way back works twice: %v", got)
	}
	for _, set := range finished.Header.Values("Set-Cookie") {
		if strings.HasPrefix(set, "session=") && (!strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Lax")) {
			t.Errorf("scripts or other sites get at the session's cookie: %s", strings.Replace(set, token, "…", 1))
		}
	}
}
