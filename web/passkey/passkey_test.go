package passkey_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/passkey"
	"yagona/kernel/seal"
	"yagona/store/query"
	"yagona/store/storetest"
	"yagona/web/page"
	passkeys "yagona/web/passkey"
	"yagona/web/ui"
)

// world has the pages, and people with devices.
type world struct {
	*testing.T
	*passkeys.Pages
	held *passkey.Passkeys
	now  time.Time
}

func newWorld(t *testing.T, site string) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	vault, err := seal.NewVault(storetest.Keys(t), make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	w.held = &passkey.Passkeys{Store: query.For[passkey.Reader, passkey.Tx](storetest.Temporary(t, clock)), Vault: vault, Clock: clock}
	words, err := page.Words()
	if err != nil {
		t.Fatal(err)
	}
	house, err := ui.New("Yagona", words, passkeys.Templates())
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(site)
	if err != nil {
		t.Fatal(err)
	}
	w.Pages, err = passkeys.New(passkeys.Config{
		Shared: &page.Shared{House: house, Clock: clock}, Passkeys: w.held, Site: address, Key: []byte("0123456789abcdef0123456789abcdef"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// device is what a person carries.
type device struct {
	owner ident.Person
	id    []byte
	key   *ecdsa.PrivateKey
}

// device gives a person a device whose passkey is known.
func (w *world) device(owner ident.Person) device {
	w.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		w.Fatal(err)
	}
	public, err := webauthncbor.Marshal(webauthncose.EC2PublicKeyData{
		PublicKeyData: webauthncose.PublicKeyData{KeyType: 2, Algorithm: -7}, Curve: 1, XCoord: point[1:33], YCoord: point[33:],
	})
	if err != nil {
		w.Fatal(err)
	}
	d := device{owner, []byte(rand.Text()), key}
	credential, err := json.Marshal(webauthn.Credential{ID: d.id, PublicKey: public})
	if err != nil {
		w.Fatal(err)
	}
	if err := w.held.Add(w.Context(), owner, d.id, credential); err != nil {
		w.Fatal(err)
	}
	return d
}

// ask returns the challenge of a page.
func (w *world) ask(owner ident.Person, purpose string) string {
	w.Helper()
	asked, offered, err := w.Ask(w.Context(), owner.Subject(), purpose)
	if err != nil || !offered {
		w.Fatalf("a signature is not asked for: %v", err)
	}
	return asked.Challenge
}

const (
	present  = 0x01
	verified = 0x04
)

// signs answers a challenge as a browser does, for a page at the origin, with what the device knows of its user.
func (d device) signs(t *testing.T, challenge, origin string, user byte) string {
	t.Helper()
	client := fmt.Appendf(nil, `{"type":"webauthn.get","challenge":%q,"origin":%q,"crossOrigin":false}`, challenge, origin)
	site, _ := url.Parse(origin)
	name, about := sha256.Sum256([]byte(site.Hostname())), sha256.Sum256(client)
	data := append(append([]byte{}, name[:]...), user, 0, 0, 0, 1)
	digest := sha256.Sum256(append(append([]byte{}, data...), about[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	return fmt.Sprintf(`{"id":%q,"rawId":%q,"type":"public-key","response":{"clientDataJSON":%q,"authenticatorData":%q,"signature":%q}}`,
		text(d.id), text(d.id), text(client), text(data), text(signature))
}

const (
	site    = "https://services.example"
	purpose = "confirm 1"
)

func TestASignatureCountsForItsPurposeItsOwnerAndItsTime(t *testing.T) {
	w := newWorld(t, site)
	owner, other := ident.Random[ident.Person](), ident.Random[ident.Person]()
	mine, theirs := w.device(owner), w.device(other)
	challenge := w.ask(owner, purpose)
	check := func(response string) error { return w.Check(t.Context(), owner.Subject(), purpose, response) }
	if err := check(mine.signs(t, challenge, site, present|verified)); err != nil {
		t.Fatal(err)
	}
	for what, response := range map[string]string{
		"nothing":                      "",
		"somebody else's key":          theirs.signs(t, challenge, site, present|verified),
		"a device that asked nobody":   mine.signs(t, challenge, site, present),
		"another site":                 mine.signs(t, challenge, "https://services.example.net", present|verified),
		"another purpose":              mine.signs(t, w.ask(owner, "confirm 2"), site, present|verified),
		"another's challenge":          mine.signs(t, w.ask(other, purpose), site, present|verified),
		"a challenge that nobody made": mine.signs(t, base64.RawURLEncoding.EncodeToString(make([]byte, 40)), site, present|verified),
		"a short challenge":            mine.signs(t, "AAAA", site, present|verified),
	} {
		if err := check(response); fault.Code(err) != "signature.passkey" {
			t.Errorf("%s: %v", what, err)
		}
	}
	late := mine.signs(t, challenge, site, present|verified)
	w.now = w.now.Add(5 * time.Minute)
	if err := check(late); fault.Code(err) != "signature.passkey" {
		t.Errorf("too late: %v", err)
	}
	again := mine.signs(t, w.ask(owner, purpose), site, present|verified)
	if err := w.held.Remove(t.Context(), owner, mine.id); err != nil {
		t.Fatal(err)
	}
	if err := check(again); fault.Code(err) != "signature.passkey" {
		t.Errorf("a key that was removed: %v", err)
	}
	if _, offered, err := w.Ask(t.Context(), owner.Subject(), purpose); offered || err != nil {
		t.Errorf("who has no passkey is asked for one: %v", err)
	}
}

func TestAPersonHasAFewPasskeys(t *testing.T) {
	w := newWorld(t, site)
	owner := ident.Random[ident.Person]()
	var first device
	for i := range 5 {
		if one := w.device(owner); i == 0 {
			first = one
		}
	}
	if err := w.held.Add(t.Context(), owner, first.id, nil); err != nil { // the same again
		t.Error(err)
	}
	if err := w.held.Add(t.Context(), owner, []byte("sixth"), json.RawMessage("{}")); fault.Code(err) != "passkey.too-many" {
		t.Errorf("a sixth: %v", err)
	}
	if err := w.held.Remove(t.Context(), ident.Random[ident.Person](), first.id); fault.Code(err) != "passkey.unknown" {
		t.Errorf("somebody else's: %v", err)
	}
	if all, err := w.held.Of(t.Context(), owner.Subject()); err != nil || len(all) != 5 {
		t.Errorf("%d passkeys, %v", len(all), err)
	}
}

func TestAnAddressWithoutANameHasNoPasskeys(t *testing.T) {
	w := newWorld(t, "http://192.0.2.1:8080")
	owner := ident.Random[ident.Person]()
	w.device(owner)
	if _, offered, err := w.Ask(t.Context(), owner.Subject(), purpose); offered || err != nil {
		t.Errorf("it is offered: %v", err)
	}
	if err := w.Check(t.Context(), owner.Subject(), purpose, "{}"); fault.Code(err) != "signature.no-passkeys" {
		t.Errorf("it is checked: %v", err)
	}
}
