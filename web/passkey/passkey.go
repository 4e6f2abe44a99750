// Package passkey owns the page on which people add and remove their passkeys, and the check of what they sign with one
// (W3C Web Authentication, Level 3).
//
// What is signed is a challenge that names its purpose, its owner and its end under a key of the platform: nothing waits
// in a store, and a signature for one thing counts for nothing else. The device asks its user (PIN, finger, face) each
// time. How often a key was used is not kept: keys that a person has on several devices do not count.
package passkey

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/passkey"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

//go:embed templates/*.html
var templateFiles embed.FS

// Templates returns the templates of the component that asks a passkey, for ui.New.
func Templates() fs.FS {
	files, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return files
}

// Config is what the pages stand on. All of it is required.
type Config struct {
	Shared   *page.Shared
	Passkeys *passkey.Passkeys
	Readings *access.OwnReadings
	Site     *url.URL // where people open the pages
	Key      []byte   // of the challenges
}

// Pages are the pages of passkeys, and the check of signatures.
type Pages struct {
	Config
	check *webauthn.WebAuthn // nil: the site's address has no name, and browsers offer no passkeys there
}

// New returns the pages.
func New(config Config) (*Pages, error) {
	p := &Pages{Config: config}
	if _, err := netip.ParseAddr(config.Site.Hostname()); err == nil {
		return p, nil
	}
	var err error
	p.check, err = webauthn.New(&webauthn.Config{
		RPID: config.Site.Hostname(), RPDisplayName: config.Shared.House.Site(), RPOrigins: []string{config.Site.Scheme + "://" + config.Site.Host},
	})
	return p, err
}

const (
	smallForm = 64 << 10
	lasts     = 5 * time.Minute // of a challenge
	adding    = "add a passkey"
)

// Routes returns all pages of passkeys.
func (p *Pages) Routes() []route.Route {
	own := func(method, pattern string, body int64, handle route.Handler) route.Route {
		if body > 0 {
			handle = route.Form(handle)
		}
		return route.Route{Method: method, Pattern: pattern, Access: route.SignedIn(), Body: body, Handle: route.Own(p.Readings, handle)}
	}
	return []route.Route{
		own("GET", page.PasskeysPath, 0, p.list),
		own("POST", page.PasskeysPath, smallForm, p.add),
		own("POST", page.PasskeysPath+"/{passkey}/remove", smallForm, p.remove),
	}
}

var encoding = base64.RawURLEncoding

// challenge names its purpose, its owner and its end: eight bytes of time, and a keyed digest of all three.
func (p *Pages) challenge(owner ident.Subject, purpose string, until time.Time) []byte {
	made := binary.BigEndian.AppendUint64(nil, uint64(until.Unix())) //nolint:gosec // it is after 1970
	mac := hmac.New(sha256.New, p.Key)
	mac.Write([]byte("passkey-challenge\x00" + string(owner) + "\x00" + purpose + "\x00"))
	mac.Write(made)
	return mac.Sum(made)
}

var (
	errSignature = fault.New(fault.Invalid, "signature.passkey", "This is not a signature of a passkey of theirs for this, or its time is over. Try again.").At("passkey")
	errNotHere   = fault.New(fault.Conflict, "signature.no-passkeys", "Passkeys cannot be used at this address. Confirm in another way.")
)

// signed returns the challenge that a response answers, if it is one for the purpose and its time is not over.
func (p *Pages) signed(owner ident.Subject, purpose, answered string) (string, error) {
	given, err := encoding.DecodeString(answered)
	if err != nil || len(given) < 8 {
		return "", errSignature
	}
	until := time.Unix(int64(binary.BigEndian.Uint64(given)), 0) //nolint:gosec // what is none fails the digest
	if !hmac.Equal(given, p.challenge(owner, purpose, until)) || !p.Shared.Clock().Before(until) {
		return "", errSignature
	}
	return answered, nil
}

// user is a person as the library knows one.
type user struct {
	owner ident.Subject
	site  string
	keys  []webauthn.Credential
}

func (u user) WebAuthnID() []byte {
	sum := sha256.Sum256([]byte("passkey-user\x00" + string(u.owner)))
	return sum[:]
}
func (u user) WebAuthnName() string                       { return u.site }
func (u user) WebAuthnDisplayName() string                { return u.site }
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.keys }

func (p *Pages) user(ctx context.Context, owner ident.Subject) (user, []passkey.Passkey, error) {
	held, err := p.Passkeys.Of(ctx, owner)
	found := user{owner: owner, site: p.Shared.House.Site()}
	for _, one := range held {
		var credential webauthn.Credential
		if err := json.Unmarshal(one.Credential, &credential); err != nil {
			return found, nil, err
		}
		found.keys = append(found.keys, credential)
	}
	return found, held, err
}

// Asked is what a page gives to its script, to ask a passkey for a signature or for a new key.
type Asked struct {
	Challenge, Site, User, Name string
	Keys                        string // the ids of the owner's keys, separated by spaces
	Form                        ui.Form
	Failed                      string // what the script says if nothing is signed
}

// Template implements ui.Component.
func (Asked) Template() string { return "passkey" }

func (p *Pages) asked(of user, purpose string) Asked {
	var keys []string
	for _, one := range of.keys {
		keys = append(keys, encoding.EncodeToString(one.ID))
	}
	return Asked{
		Challenge: encoding.EncodeToString(p.challenge(of.owner, purpose, p.Shared.Clock().Add(lasts))), Site: p.Site.Hostname(),
		Keys: strings.Join(keys, " "),
	}
}

// Ask returns what a page needs to ask the owner for a signature; false if they have no passkey.
func (p *Pages) Ask(ctx context.Context, owner ident.Subject, purpose string) (Asked, bool, error) {
	if p.check == nil {
		return Asked{}, false, nil
	}
	of, _, err := p.user(ctx, owner)
	if err != nil || len(of.keys) == 0 {
		return Asked{}, false, err
	}
	return p.asked(of, purpose), true, nil
}

// Check checks that the owner has signed for the purpose, with the person present and known to their device.
func (p *Pages) Check(ctx context.Context, owner ident.Subject, purpose, response string) error {
	if p.check == nil {
		return errNotHere
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(response))
	if err != nil {
		return errSignature.Because(err)
	}
	challenge, err := p.signed(owner, purpose, parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return err
	}
	of, _, err := p.user(ctx, owner)
	if err != nil {
		return err
	}
	session := webauthn.SessionData{
		Challenge: challenge, RelyingPartyID: p.Site.Hostname(), UserID: of.WebAuthnID(), UserVerification: protocol.VerificationRequired,
	}
	if _, err := p.check.ValidateLogin(of, session, parsed); err != nil {
		return errSignature.Because(err)
	}
	return nil
}

// list shows the visitor's passkeys.
func (p *Pages) list(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return p.show(w, req, http.StatusOK, v, nil)
}

func (p *Pages) show(w http.ResponseWriter, req *http.Request, status int, v route.Visitor, wrong *fault.Fault) error {
	r := p.Shared.For(v)
	shown := ui.Page{Title: r.Say("passkey.title"), Lead: r.Say("passkey.lead"), Back: &ui.Link{Text: r.Say("portal.mine"), Href: page.MinePath}}
	if p.check == nil {
		shown.Body = []ui.Component{ui.Paragraph{Text: r.Say("passkey.not-offered")}}
		return r.Render(w, status, shown)
	}
	of, held, err := p.user(req.Context(), v.Actor.Person.Subject())
	if err != nil {
		return err
	}
	if wrong != nil {
		shown.Banner = &ui.Banner{Tone: ui.Bad, Title: r.Say("passkey.failed"), Text: r.Problem(wrong)}
	}
	if len(held) == 0 {
		shown.Body = append(shown.Body, ui.Inset{Text: r.Say("passkey.none")})
	}
	for i, one := range held {
		shown.Body = append(shown.Body, ui.Heading{Text: r.Say("passkey.one", "number", i+1, "day", r.Day(one.Added))}, ui.Form{
			Action:  page.PasskeysPath + "/" + encoding.EncodeToString(one.ID) + "/remove",
			Buttons: ui.Buttons{{Text: r.Say("passkey.remove", "number", i+1), Quiet: true}},
		})
	}
	add := p.asked(of, adding)
	add.User, add.Name, add.Failed = encoding.EncodeToString(of.WebAuthnID()), of.site, r.Say("passkey.no-script")
	add.Form = ui.Form{Action: page.PasskeysPath, Hidden: []ui.Hidden{{Name: "passkey"}}, Buttons: ui.Buttons{{Text: r.Say("passkey.add")}}}
	shown.Body = append(shown.Body, add)
	shown.Scripts = []string{p.Shared.House.Script("passkey.js")}
	return r.Render(w, status, shown)
}

// add keeps a new passkey of the visitor.
func (p *Pages) add(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	if p.check == nil {
		return p.show(w, req, http.StatusOK, v, nil) // it says that there are none here
	}
	owner := v.Actor.Person
	refuse := func(f *fault.Fault) error { return p.show(w, req, http.StatusUnprocessableEntity, v, f) }
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(req.PostForm.Get("passkey")))
	if err != nil {
		return refuse(errSignature)
	}
	challenge, err := p.signed(owner.Subject(), adding, parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return refuse(errSignature)
	}
	of, _, err := p.user(req.Context(), owner.Subject())
	if err != nil {
		return err
	}
	session := webauthn.SessionData{
		Challenge: challenge, RelyingPartyID: p.Site.Hostname(), UserID: of.WebAuthnID(), UserVerification: protocol.VerificationRequired,
		CredParams: webauthn.CredentialParametersDefault(),
	}
	made, err := p.check.CreateCredential(of, session, parsed)
	if err != nil {
		return refuse(errSignature.Because(err))
	}
	credential, err := json.Marshal(made)
	if err != nil {
		return err
	}
	if err := p.Passkeys.Add(req.Context(), owner, bytes.Clone(made.ID), credential); err != nil {
		return err
	}
	return route.Redirect(w, req, page.PasskeysPath)
}

func (p *Pages) remove(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	id, err := encoding.DecodeString(req.PathValue("passkey"))
	if err != nil {
		id = nil // there is none like it
	}
	if err := p.Passkeys.Remove(req.Context(), v.Actor.Person, id); err != nil {
		return err
	}
	return route.Redirect(w, req, page.PasskeysPath)
}
