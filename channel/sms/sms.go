// Package sms owns the sending of messages through an operator's SMS gateway over HTTP. It implements notice.Carrier, and
// notice.Tracker where the gateway tells what became of a message.
//
// Every gateway has an interface of its own: method, address, body and headers are configuration. The telephone number and
// the text stand in the body only, never in the address, which ends up in logs. Each request carries the message's id as
// Idempotency-Key, and as {id} where the body names it, so that a gateway can tell a duplicate. Redirects are not followed:
// the secret is for the gateway alone.
package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"yagona/kernel/notice"
)

// Gateway sends by one HTTP gateway.
type Gateway struct {
	URL    string // https, or http on loopback
	Method string // empty: POST
	// Type is the body's media type: application/json (the default) or application/x-www-form-urlencoded. What is put
	// into the body is escaped as the type asks.
	Type string
	// Body has {to}, {text} and {id} where these belong: {"phone": "{to}", "message": "{text}", "ref": "{id}"}.
	Body   string
	Header map[string]string // the secret, for one: "Authorization"
	// Receipt names the member of the answer's JSON object that holds the gateway's own id: "message_id"; empty: none.
	Receipt string
	// Status is the address at which the gateway tells what became of a message, with {receipt}; empty: it does not.
	Status string
	// StatusMember names the member of that answer's object; StatusDelivered and StatusFailed are its values that end it.
	StatusMember, StatusDelivered, StatusFailed string

	Client *http.Client // nil: one with a timeout of 30 s
}

// Check reports what is wrong with the settings.
func (g *Gateway) Check() error {
	for _, address := range []string{g.URL, g.Status} {
		if address == "" && address == g.Status {
			continue
		}
		parsed, err := url.Parse(strings.ReplaceAll(address, "{receipt}", "0"))
		if err != nil || parsed.Host == "" || parsed.Scheme != "https" && (parsed.Scheme != "http" || !loopback(parsed.Hostname())) {
			return errors.New("the gateway's addresses begin with https://")
		}
		if strings.Contains(address, "{to}") || strings.Contains(address, "{text}") {
			return errors.New("number and text belong in the body: an address ends up in logs")
		}
	}
	if !strings.Contains(g.Body, "{to}") || !strings.Contains(g.Body, "{text}") {
		return errors.New("the body must say where {to} and {text} belong")
	}
	switch g.mediaType() {
	case typeJSON:
		if !json.Valid([]byte(g.fill("0", "0", "0"))) {
			return errors.New("the body is not JSON: write {to}, {text} and {id} inside quotation marks")
		}
	case typeForm:
	default:
		return fmt.Errorf("the type is %q: it is %s or %s", g.Type, typeJSON, typeForm)
	}
	if g.Status != "" && (g.Receipt == "" || g.StatusMember == "" || g.StatusDelivered == "" || !strings.Contains(g.Status, "{receipt}")) {
		return errors.New("to ask for the status, give receipt, status.member, status.delivered, and {receipt} in status.url")
	}
	return nil
}

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
	// mostAnswer is how much of an answer is read, in bytes.
	mostAnswer = 64 << 10
)

func loopback(host string) bool { return host == "127.0.0.1" || host == "::1" || host == "localhost" }

func (g *Gateway) mediaType() string {
	if g.Type == "" {
		return typeJSON
	}
	return g.Type
}

// fill returns the body with the values in their places, each escaped.
func (g *Gateway) fill(to, text, id string) string {
	escape := url.QueryEscape
	if g.mediaType() == typeJSON {
		escape = func(value string) string {
			var quoted bytes.Buffer
			encoder := json.NewEncoder(&quoted)
			encoder.SetEscapeHTML(false)
			_ = encoder.Encode(value) // a string can always be encoded
			return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(quoted.String()), `"`), `"`)
		}
	}
	return strings.NewReplacer("{to}", escape(to), "{text}", escape(text), "{id}", escape(id)).Replace(g.Body)
}

// Send implements notice.Carrier.
func (g *Gateway) Send(ctx context.Context, message notice.Message) (notice.Receipt, error) {
	method := g.Method
	if method == "" {
		method = http.MethodPost
	}
	answer, err := g.ask(ctx, method, g.URL, g.fill(message.To, message.Text, message.ID), message.ID)
	if err != nil {
		return notice.Receipt{}, err
	}
	return notice.Receipt{ID: member(answer, g.Receipt)}, nil
}

// Track implements notice.Tracker.
func (g *Gateway) Track(ctx context.Context, receipt string) (notice.State, string, error) {
	if g.Status == "" {
		return notice.Sent, "", nil
	}
	answer, err := g.ask(ctx, http.MethodGet, strings.ReplaceAll(g.Status, "{receipt}", url.PathEscape(receipt)), "", "")
	if err != nil {
		return "", "", err
	}
	switch member(answer, g.StatusMember) {
	case g.StatusDelivered:
		return notice.Delivered, "", nil
	case "":
	case g.StatusFailed:
		return notice.Failed, "not delivered", nil
	}
	return notice.Sent, "", nil
}

// ask asks the gateway. Its answer's text is not passed on in errors: it may repeat the number.
func (g *Gateway) ask(ctx context.Context, method, address, body, id string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, &notice.Failure{Reason: "the gateway's address is malformed"}
	}
	for name, value := range g.Header {
		request.Header.Set(name, value)
	}
	if id != "" {
		request.Header.Set("Content-Type", g.mediaType())
		request.Header.Set("Idempotency-Key", id)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if g.Client != nil {
		client.Transport = g.Client.Transport
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, &notice.Failure{Reason: "unreachable"}
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	status := response.StatusCode
	switch {
	case status < 200 || status > 299:
		return nil, &notice.Failure{
			Reason: "gateway " + strconv.Itoa(status), After: after(response),
			// Who is refused with 401 or 403 is the installation; the others are about this message.
			Final: status == http.StatusBadRequest || status == http.StatusGone || status == http.StatusUnprocessableEntity,
		}
	case err != nil: // it was taken, but its id is lost
		return nil, nil
	}
	return answer, nil
}

// after returns how long the gateway asks to wait, at most a day.
func after(response *http.Response) time.Duration {
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, 24*time.Hour)
}

// member returns a text or a number of the answer's object; "" if there is none.
func member(answer []byte, name string) string {
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber()
	if name == "" || decoder.Decode(&object) != nil {
		return ""
	}
	switch value := object[name].(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	}
	return ""
}
