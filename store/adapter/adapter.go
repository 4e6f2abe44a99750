// Package adapter answers questions for evidence from registers that an agency keeps in an existing HTTP system, as a
// pack declares it (register.Adapter). It is an exchange.Source: it signs with the agency's key and says that an adapter
// vouches, for the system itself signs nothing.
//
// Invariants: nothing but the declared host is asked, and redirects are not followed; an answer that is late, too large,
// malformed, of a wrong type or about somebody else is unknown (fault.Unavailable), never a guess and never "no record";
// no personal value stands in an error or in the log.
package adapter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/register"
	"yagona/kernel/signature"
)

// answerLimit is how long a system's answer may be, in bytes.
const answerLimit = 1 << 20

// Source asks existing systems. It is safe for concurrent use.
type Source struct {
	Definitions func() *register.Catalogue
	Ring        signature.Ring
	Clock       act.Clock
	Location    *time.Location // in which a day is a day
	Scheme      field.Scheme
	// Secrets are what {secret.NAME} in a header stands for.
	Secrets map[string]string
	// Addresses are the scheme, host and port at which a register's system stands in this installation, where it is not
	// the declared one: "http://127.0.0.1:9000".
	Addresses map[ident.Register]string
	Log       *slog.Logger // nil: none

	once   sync.Once
	client *http.Client
}

var _ exchange.Source = (*Source)(nil)

var errUnavailable = fault.New(fault.Unavailable, "adapter.unavailable", "The system behind the register does not answer as declared. It is asked again later.")

// Answer implements exchange.Source.
func (s *Source) Answer(ctx context.Context, asked exchange.SignedQuestion) (exchange.SignedAnswer, error) {
	question, evidence, definition, err := exchange.Receive(s.Ring, s.Definitions(), asked)
	if err != nil {
		return exchange.SignedAnswer{}, err
	}
	values, err := s.ask(ctx, question, evidence, definition)
	if err != nil {
		s.log().Warn("a system behind an adapter did not answer as declared",
			"register", definition.Path, "evidence", question.Evidence, "exchange", question.ID, "error", err)
		return exchange.SignedAnswer{}, errUnavailable.Because(err)
	}
	reply, err := question.Reply(asked, values, exchange.VouchedByAdapter, s.Clock)
	if err != nil {
		return exchange.SignedAnswer{}, err
	}
	return exchange.SignReply(ctx, s.Ring, reply)
}

func (s *Source) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// ask returns what the evidence type says of the system's answer, nil if the system has no record.
func (s *Source) ask(ctx context.Context, q exchange.Question, e *register.EvidenceType, d *register.Definition) (map[string]any, error) {
	if d.Adapter == nil {
		return nil, errors.New("the register declares no adapter")
	}
	if timeout := d.Adapter.Timeout; timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	request, err := s.request(ctx, q, d)
	if err != nil {
		return nil, err
	}
	body, none, err := s.send(request, d.Adapter)
	if err != nil || none {
		return nil, err
	}
	record, err := s.record(q, e, d, body)
	if err != nil {
		return nil, err
	}
	answer, err := e.Compute(ctx, calendar.DateOf(s.Clock(), s.Location), []map[string]any{record})
	if err != nil {
		return nil, fmt.Errorf("the evidence type cannot be computed: %s", fault.Code(err))
	}
	return answer, nil
}

// request builds the HTTP request as declared.
func (s *Source) request(ctx context.Context, q exchange.Question, d *register.Definition) (*http.Request, error) {
	variables := variables(q)
	template := d.Adapter.URL
	if base, ok := s.Addresses[d.Path]; ok {
		declared, err := url.Parse(withoutVariables(template))
		if err != nil {
			return nil, errors.New("the declared URL cannot be read")
		}
		template = strings.TrimSuffix(base, "/") + strings.TrimPrefix(template, declared.Scheme+"://"+declared.Host)
	}
	address, err := expandURL(template, variables)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if d.Adapter.Body != "" {
		escape := escapeJSON
		if strings.HasPrefix(header(d.Adapter, "Content-Type"), "application/x-www-form-urlencoded") {
			escape = url.QueryEscape
		}
		text, err := expand(d.Adapter.Body, variables, escape)
		if err != nil {
			return nil, err
		}
		body = strings.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, d.Adapter.Method, address, body)
	if err != nil {
		return nil, errors.New("the declared method or URL is not one of HTTP") // the inner error could hold the number
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	secrets := map[string]string{}
	for name, value := range s.Secrets {
		secrets["secret."+name] = value
	}
	for name, value := range d.Adapter.Header {
		expanded, err := expand(value, secrets, func(value string) string { return value })
		if err != nil {
			return nil, err
		}
		request.Header.Set(name, expanded)
	}
	return request, nil
}

func header(declared *register.Adapter, wanted string) string {
	for name, value := range declared.Header {
		if http.CanonicalHeaderKey(name) == wanted {
			return value
		}
	}
	return ""
}

func variables(q exchange.Question) map[string]string {
	variables := map[string]string{}
	if q.Number != "" {
		variables["number"] = q.Number
	}
	if person, ok := q.Of.Person(); ok {
		variables["person"] = string(person)
	}
	return variables
}

// expandURL fills in a URL's variables, escaped for where they stand. The scheme and the host hold none: whom is asked
// never depends on what is asked.
func expandURL(template string, variables map[string]string) (string, error) {
	declared, err := url.Parse(withoutVariables(template))
	if err != nil || declared.Scheme != "http" && declared.Scheme != "https" || declared.Host == "" || declared.User != nil {
		return "", errors.New("the declared URL is not one of HTTP with a host")
	}
	fixed := declared.Scheme + "://" + declared.Host
	if !strings.HasPrefix(template, fixed) {
		return "", errors.New("the declared URL has a variable in its host")
	}
	path, query, asks := strings.Cut(template[len(fixed):], "?")
	if path != "" && path[0] != '/' {
		return "", errors.New("the declared URL has a variable in its host")
	}
	// A value that is a dot or two would be another path.
	path, err = expand(path, variables, func(value string) string {
		return strings.ReplaceAll(url.PathEscape(value), ".", "%2E")
	})
	if err != nil {
		return "", err
	}
	if query, err = expand(query, variables, url.QueryEscape); err != nil {
		return "", err
	}
	if asks {
		path += "?" + query
	}
	return fixed + path, nil
}

// withoutVariables returns the template with every variable replaced by a letter, so that it parses.
func withoutVariables(template string) string {
	text, err := replace(template, func(string) (string, error) { return "x", nil })
	if err != nil {
		return ""
	}
	return text
}

// expand fills in the variables.
func expand(template string, variables map[string]string, escape func(string) string) (string, error) {
	return replace(template, func(name string) (string, error) {
		value, ok := variables[name]
		if !ok {
			return "", fmt.Errorf("nothing is known for {%s}: configure the secret, or ask about a person with a national number", name)
		}
		return escape(value), nil
	})
}

// replace replaces each {name} where name is of letters and dots; other braces stay, for they are JSON's.
func replace(template string, with func(name string) (string, error)) (string, error) {
	var text strings.Builder
	for {
		open := strings.IndexByte(template, '{')
		if open < 0 {
			text.WriteString(template)
			return text.String(), nil
		}
		end := strings.IndexFunc(template[open+1:], func(r rune) bool { return !isNameRune(r) })
		text.WriteString(template[:open])
		if end <= 0 || template[open+1+end] != '}' {
			text.WriteByte('{')
			template = template[open+1:]
			continue
		}
		value, err := with(template[open+1 : open+1+end])
		if err != nil {
			return "", err
		}
		text.WriteString(value)
		template = template[open+2+end:]
	}
}

func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_'
}

func escapeJSON(value string) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(encoded[1 : len(encoded)-1])
}

// send sends the request and returns the answer's body, or that the system has no record.
func (s *Source) send(request *http.Request, declared *register.Adapter) (body []byte, none bool, err error) {
	s.once.Do(func() {
		s.client = &http.Client{
			// No proxy and no redirect: only the declared host gets the request and its secrets.
			Transport:     &http.Transport{MaxConnsPerHost: 32, MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	})
	response, err := s.client.Do(request)
	if err != nil {
		return nil, false, withoutURL(err)
	}
	defer response.Body.Close()
	if slices.Contains(declared.None, response.StatusCode) {
		return nil, true, nil
	}
	if response.StatusCode != http.StatusOK {
		return nil, false, fmt.Errorf("the system answered with status %d", response.StatusCode)
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, answerLimit+1))
	if err != nil {
		return nil, false, withoutURL(err)
	}
	if len(body) > answerLimit {
		return nil, false, fmt.Errorf("the system's answer is longer than %d bytes", answerLimit)
	}
	return body, false, nil
}

// withoutURL takes the URL, which holds a national number, out of an error.
func withoutURL(err error) error {
	if found, ok := errors.AsType[*url.Error](err); ok {
		return found.Err
	}
	return err
}

// record returns the system's answer as values of the register's fields. Errors name fields, never values.
func (s *Source) record(q exchange.Question, e *register.EvidenceType, d *register.Definition, body []byte) (map[string]any, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("the system's answer is not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var answer any
	if err := decoder.Decode(&answer); err != nil {
		return nil, errors.New("the system's answer is not JSON")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("the system's answer is more than one JSON value")
	}
	record := map[string]any{e.Of: q.Of}
	for name, pointer := range d.Adapter.Fields {
		declared, ok := field.Find(d.Fields, name)
		if !ok {
			return nil, fmt.Errorf("the adapter maps the field %s, which the register does not have", name)
		}
		found, err := lookUp(answer, pointer)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if found == nil {
			continue // whether it may be absent is checked with all fields
		}
		if name == e.Of {
			if text, ok := found.(string); !ok || text != q.Number {
				return nil, fmt.Errorf("%s: the system answers about somebody else than was asked", name)
			}
			continue
		}
		if record[name], err = s.value(declared, d.Adapter.Values[name], found); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	checked, problems := field.CheckAll(s.Scheme, d.Fields, record, nil)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the system's answer does not fit the register: %s: %s", problems[0].Field, problems[0].Code)
	}
	return checked, nil
}

// value returns a value of the field from JSON. With a mapping, what the system says must be in it.
func (s *Source) value(declared field.Definition, mapping map[string]string, found any) (any, error) {
	if mapping != nil {
		said, ok := found.(string)
		if !ok {
			said = fmt.Sprint(found) // a number or a bool as JSON writes it
		}
		mapped, known := mapping[said]
		if !known {
			return nil, errors.New("the system says a value that the adapter does not map")
		}
		value, problems := declared.Parse(s.Scheme, mapped)
		if len(problems) > 0 {
			return nil, errors.New("what the adapter maps to is not of the field's type")
		}
		return value, nil
	}
	encoded, err := json.Marshal(map[string]any{declared.Name: found})
	if err != nil {
		return nil, err
	}
	values, err := field.Decode(field.TypeOf([]field.Definition{declared}), encoded)
	if err != nil {
		return nil, errors.New("the system's value is not of the field's type")
	}
	return values[declared.Name], nil
}

// lookUp returns what a JSON pointer (RFC 6901) points to, nil if there is nothing or null.
func lookUp(document any, pointer string) (any, error) {
	if pointer == "" {
		return document, nil
	}
	if pointer[0] != '/' {
		return nil, errors.New("this is not a JSON pointer: it begins with a slash")
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for _, token := range strings.Split(pointer[1:], "/") {
		token = unescape.Replace(token)
		switch inner := document.(type) {
		case map[string]any:
			document = inner[token]
		case []any:
			i, ok := arrayIndex(token, len(inner))
			if !ok {
				return nil, nil
			}
			document = inner[i]
		case nil:
			return nil, nil
		default:
			return nil, errors.New("the system's answer has a plain value where the pointer goes on")
		}
	}
	return document, nil
}

// arrayIndex reads an index of RFC 6901: digits without a leading zero.
func arrayIndex(token string, length int) (int, bool) {
	if token == "" || len(token) > 1 && token[0] == '0' || len(token) > 7 {
		return 0, false
	}
	index := 0
	for _, digit := range token {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		index = index*10 + int(digit-'0')
	}
	return index, index < length
}
