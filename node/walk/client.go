package walk

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"yagona/web/route"
)

// Client speaks to an installation over HTTP, as a program does: as one person or as nobody. It may be used by one
// goroutine at a time.
type Client struct {
	http  *http.Client
	site  *url.URL
	token string // of the session; empty: nobody is signed in
	// Name and Number are those of the person, as the demonstration's sign-in offers them.
	Name, Number string
}

// NewClient returns a client as nobody.
func NewClient(site *url.URL) *Client {
	return &Client{site: site, http: &http.Client{
		Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// mostAnswer is how much of an answer is read, in bytes.
const mostAnswer = 16 << 20

// Answer is what the installation said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Send sends a request with a JSON body (nil: none) and returns the answer; a problem is an error.
func (c *Client) Send(ctx context.Context, method, path string, body any, header ...string) (Answer, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return Answer{}, err
		}
		content = bytes.NewReader(encoded)
	}
	address, err := c.site.Parse(path)
	if err != nil {
		return Answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), content)
	if err != nil {
		return Answer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	request.Header.Set("Accept-Language", "en")
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return c.do(request)
}

func (c *Client) do(request *http.Request) (Answer, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	if err != nil {
		return Answer{}, err
	}
	got := Answer{response.StatusCode, response.Header, read}
	if got.Status < 400 {
		return got, nil
	}
	if problem, ok := route.ReadProblem(response.Header.Get("Content-Type"), read); ok {
		return got, problem
	}
	return got, fmt.Errorf("%s %s answered %d", request.Method, request.URL.Path, got.Status)
}

// Get decodes what the path answers.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	got, err := c.Send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(got.Body, into)
}

// Post sends a body and decodes what the path answers.
func (c *Client) Post(ctx context.Context, path string, body, into any, header ...string) error {
	got, err := c.Send(ctx, http.MethodPost, path, body, header...)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(got.Body, into)
}

// SignIn signs in as the first person of the demonstration of whom the words say something, by the same protocol as with
// a real provider: authorization code with PKCE, then the ID token for a session.
func SignIn(ctx context.Context, site *url.URL, path, clientID, about string) (*Client, error) {
	return SignInWhere(ctx, site, path, clientID, about, func(*Client) (bool, error) { return true, nil })
}

// SignInWhere is SignIn as the first of those of whom the words say something who is the one that is meant.
func SignInWhere(ctx context.Context, site *url.URL, path, clientID, about string, is func(*Client) (bool, error)) (*Client, error) {
	wish := newWish(clientID)
	offered, err := NewClient(site).form(ctx, path+"/authorize", cloned(wish.form, "do", "search", "search", about))
	if err != nil {
		return nil, err
	}
	people, err := peopleOn(offered.Body)
	if err != nil {
		return nil, err
	}
	for _, one := range people {
		c, err := signInAs(ctx, site, path, clientID, one)
		if err != nil {
			return nil, err
		}
		meant, err := is(c)
		if err != nil || meant {
			return c, err
		}
	}
	return nil, fmt.Errorf("none of %d people here is %q: is this a demonstration?", len(people), about)
}

// wish is a request to be signed in, with what only its sender knows.
type wish struct {
	form     url.Values
	verifier string
}

const signInReturn = "http://127.0.0.1/return"

func newWish(clientID string) wish {
	verifier, nonce := rand.Text()+rand.Text(), rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	return wish{verifier: verifier, form: url.Values{
		"client_id": {clientID}, "redirect_uri": {signInReturn}, "response_type": {"code"}, "scope": {"openid"}, "nonce": {nonce},
		"state": {rand.Text()}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}}
}

// person is somebody whom the sign-in offers.
type person struct{ number, name string }

func signInAs(ctx context.Context, site *url.URL, path, clientID string, who person) (*Client, error) {
	c, wished := NewClient(site), newWish(clientID)
	c.Name, c.Number = who.name, who.number
	chosen, err := c.form(ctx, path+"/authorize", cloned(wished.form, "person", who.number))
	if err != nil {
		return nil, err
	}
	there, err := url.Parse(chosen.Header.Get("Location"))
	if err != nil || there.Query().Get("code") == "" {
		return nil, errors.New("the sign-in gave no code")
	}
	granted, err := c.form(ctx, path+"/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {there.Query().Get("code")}, "redirect_uri": {signInReturn},
		"client_id": {clientID}, "code_verifier": {wished.verifier},
	})
	if err != nil {
		return nil, err
	}
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	if err := json.Unmarshal(granted.Body, &tokens); err != nil {
		return nil, err
	}
	var session struct {
		Token string `json:"token"`
	}
	if err := c.Post(ctx, "/api/v1/sessions", map[string]string{"id_token": tokens.IDToken}, &session); err != nil {
		return nil, err
	}
	c.token = session.Token
	return c, nil
}

// Token returns the token of the session.
func (c *Client) Token() string { return c.token }

func cloned(values url.Values, more ...string) url.Values {
	all := url.Values{}
	for name, value := range values {
		all[name] = value
	}
	for i := 0; i+1 < len(more); i += 2 {
		all.Set(more[i], more[i+1])
	}
	return all
}

// form sends a form, as a browser would.
func (c *Client) form(ctx context.Context, path string, values url.Values) (Answer, error) {
	address, err := c.site.Parse(path)
	if err != nil {
		return Answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), strings.NewReader(values.Encode()))
	if err != nil {
		return Answer{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(request)
}

// peopleOn returns whom the page offers, in its order.
func peopleOn(page []byte) (people []person, err error) {
	document, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return nil, err
	}
	labels := map[string]string{}
	for node := range document.Descendants() {
		if node.DataAtom == atom.Label {
			labels[attribute(node, "for")] = text(node)
		}
	}
	for node := range document.Descendants() {
		if node.DataAtom == atom.Input && attribute(node, "type") == "radio" && attribute(node, "name") == "person" {
			people = append(people, person{attribute(node, "value"), labels[attribute(node, "id")]})
		}
	}
	return people, nil
}

func attribute(node *html.Node, name string) string {
	for _, one := range node.Attr {
		if one.Key == name {
			return one.Val
		}
	}
	return ""
}

func text(node *html.Node) string {
	var words []string
	for one := range node.Descendants() {
		if one.Type == html.TextNode {
			words = append(words, strings.Fields(one.Data)...)
		}
	}
	return strings.Join(words, " ")
}
