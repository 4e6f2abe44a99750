package route

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/session"
)

// Visitor is who makes a request, as the server's own records say. Its zero value is nobody.
type Visitor struct {
	Session      session.Session      // zero if nobody is signed in
	Actor        access.Actor         // the person, and the appointment by which they act in this session
	Appointments []access.Appointment // all that the person holds now, to choose among
	Language     string               // the tag of the language in which to answer
	Request      string               // the request's id, which the response and the log show
	Here         string               // this page's path and query, to return to with GET
	Typed        url.Values           // what stood in the page's form when its reader chose this language: to be shown again, nothing is done with it
	Key          string               // the Idempotency-Key, or empty: an act can derive the id of what it makes from it
}

// SignedIn reports whether the visitor is known.
func (v Visitor) SignedIn() bool { return v.Session.Person != "" }

// Resident is the visitor acting for themself, whatever office they hold.
func (v Visitor) Resident() access.Actor {
	return access.Actor{Person: v.Actor.Person, Session: v.Actor.Session}
}

// Own runs a handler that shows people their own data, after the reading is recorded.
func Own(readings *access.OwnReadings, handle Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request, v Visitor) error {
		if err := readings.Record(r.Context(), v.Actor); err != nil {
			return err
		}
		return handle(w, r, v)
	}
}

// Recognise looks up whose the token of a session is, and which appointments that person holds now. A token of no
// running session gives Unauthorized. Appointments are read from the records anew each time.
type Recognise func(ctx context.Context, token session.Token) (session.Session, []access.Appointment, error)

// know takes up what the records say. The person acts by the appointment that they chose in this session, if they still
// hold it; whoever holds exactly one and chose none acts by that one.
func (v *Visitor) know(found session.Session, held []access.Appointment) {
	v.Session, v.Appointments = found, held
	v.Actor = access.Actor{Person: found.Person, Session: found.ID}
	for i, one := range held {
		if one.ID == found.Appointment || found.Appointment == "" && len(held) == 1 {
			v.Actor.Appointment = &held[i]
		}
	}
}

// allow says whether the visitor may call a route with this access.
func (a Access) allow(r *http.Request, v Visitor) error {
	if a.level == public {
		return nil
	}
	if !v.SignedIn() {
		return fault.New(fault.Unauthorized, "access.sign-in", "Sign in first.")
	}
	switch a.level {
	case signedIn:
		return nil
	case subject:
		if person := ident.Person(r.PathValue(a.value)); person != "" && person == v.Session.Person {
			return nil
		}
		return fault.New(fault.Forbidden, "access.not-yours", "Only the person whose data this is can see it.")
	case official:
		return a.allowWork(v)
	}
	return fault.New(fault.Forbidden, "access.closed", "Nobody can use this.")
}

func (a Access) allowWork(v Visitor) error {
	if len(v.Appointments) == 0 {
		return fault.New(fault.Forbidden, "access.officials-only", "Only officials can use this.")
	}
	if v.Actor.Appointment == nil {
		return fault.New(fault.Forbidden, "access.choose-appointment",
			"You have several appointments. Choose the one in which you work now, then try again.")
	}
	if len(a.roles) > 0 && !slices.Contains(a.roles, v.Actor.Appointment.Role) {
		return fault.New(fault.Forbidden, "access.other-role", "Your role in this appointment does not allow this.")
	}
	return nil
}

// Cookies makes cookies that only this host gets back. A browser takes a name with the __Host- prefix only over https,
// from this host, for the whole site (RFC 6265bis, 4.1.3.2).
type Cookies struct {
	Secure bool // the site is served over https: false only for plain http on a loopback address
}

// Name returns the name that a cookie has on this site: with https it carries the __Host- prefix.
func (c Cookies) Name(name string) string {
	if c.Secure {
		return "__Host-" + name
	}
	return name
}

// Set sends a cookie that scripts can't read and that other sites' forms don't carry. A negative age removes it; zero
// makes it last as long as the browser runs.
func (c Cookies) Set(w http.ResponseWriter, name, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: c.Name(name), Value: value, Path: "/", MaxAge: seconds,
		Secure: c.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// Value returns the cookie's value, or "" if the request has none.
func (c Cookies) Value(r *http.Request, name string) string {
	found, err := r.Cookie(c.Name(name))
	if err != nil {
		return ""
	}
	return found.Value
}

// SessionCookie is the name of the cookie that carries a browser's session token.
const SessionCookie = "session"

// token returns the session token that a request carries: a program's in its Authorization header, a browser's in its
// cookie. Whoever sends the header has said who they are: their cookie does not count.
func (c Cookies) token(r *http.Request) (token session.Token, bearer bool) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, rest, _ := strings.Cut(header, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return session.Token(strings.TrimSpace(rest)), true
		}
		return "", false
	}
	return session.Token(c.Value(r, SessionCookie)), false
}
