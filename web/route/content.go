package route

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"yagona/kernel/fault"
)

// Negotiate returns which of the offered media types the request prefers (RFC 9110, 12.5.1); without an Accept header,
// or among equals, the first. It returns false if the request accepts none of them.
func Negotiate(r *http.Request, offers ...string) (string, bool) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return offers[0], true
	}
	best, quality := "", 0.0
	for _, offer := range offers {
		if q := qualityOf(accept, offer); q > quality {
			best, quality = offer, q
		}
	}
	return best, quality > 0
}

// qualityOf returns how much the Accept header wants the offer, 0 to 1: the most exact of its ranges decides.
func qualityOf(accept, offer string) float64 {
	quality, exactness := 0.0, 0
	for part := range strings.SplitSeq(accept, ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		exact := 0
		group, _, _ := strings.Cut(offer, "/")
		switch name {
		case offer:
			exact = 3
		case group + "/*":
			exact = 2
		case "*/*":
			exact = 1
		}
		if exact <= exactness {
			continue
		}
		exactness, quality = exact, 1
		if text, ok := parameters["q"]; ok {
			if quality, err = strconv.ParseFloat(text, 64); err != nil || quality < 0 || quality > 1 {
				quality = 0
			}
		}
	}
	return quality
}

func mediaTypeOf(header string) string {
	name, _, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}
	return name
}

// ReadJSON decodes the request's body, one JSON value with no unknown members, into the value that v points to.
func ReadJSON(r *http.Request, v any) error {
	if mediaTypeOf(r.Header.Get("Content-Type")) != "application/json" {
		return fault.New(fault.Invalid, "http.unsupported-media", "Send JSON, with the header Content-Type: application/json.")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return malformed(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return malformed(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "http.malformed", "There is something after the JSON value. Send exactly one.")
	}
	return exact(body, reflect.TypeOf(v))
}

// exact refuses members whose names differ from a struct's in their case: encoding/json would take them all the same.
func exact(raw json.RawMessage, of reflect.Type) error {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if into := reflect.PointerTo(of); into.Implements(reflect.TypeFor[json.Unmarshaler]()) || into.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return nil // it reads what it gets by itself
	}
	switch of.Kind() {
	case reflect.Slice, reflect.Array:
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return nil //nolint:nilerr // it is no list but a text, as of bytes
		}
		for _, one := range items {
			if err := exact(one, of.Elem()); err != nil {
				return err
			}
		}
	case reflect.Struct:
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			return malformed(err)
		}
		for name, value := range members {
			field, known := member(of, name)
			if !known {
				return unknown(name)
			}
			if err := exact(value, field); err != nil {
				return err
			}
		}
	}
	return nil
}

// member returns the type of the struct's member with exactly the name, those of embedded structs included.
func member(of reflect.Type, name string) (reflect.Type, bool) {
	for _, field := range reflect.VisibleFields(of) {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag == "" {
			tag = field.Name
		}
		if tag == name && tag != "-" && field.IsExported() {
			return field.Type, true
		}
	}
	return nil, false
}

func unknown(name string) *fault.Fault {
	return fault.New(fault.Invalid, "http.unknown-field", "There is no such field. Remove it, or look up its name.").At(name)
}

func malformed(err error) error {
	bad := fault.New(fault.Invalid, "http.malformed", "This is not the JSON that is expected here.").Because(err)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return fault.Newf(fault.Invalid, "http.wrong-type", "A JSON %s does not belong here.", jsonKind(wrong.Value)).
			At(wrong.Field).Because(err)
	}
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fault.Newf(fault.Invalid, "http.malformed", "This is not JSON: it breaks off or is wrong at byte %d.",
			wrong.Offset).Because(err)
	}
	if quoted, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if name, err := strconv.Unquote(quoted); err == nil {
			return unknown(name)
		}
	}
	return bad
}

// ReadForm parses the request's form: its answers are in r.PostForm, and in r.MultipartForm if it carries files.
func ReadForm(r *http.Request) error {
	err := r.ParseForm()
	if err == nil && mediaTypeOf(r.Header.Get("Content-Type")) == "multipart/form-data" {
		err = r.ParseMultipartForm(1 << 20) // what is larger waits in temporary files
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); err == nil || large {
		return err
	}
	return fault.New(fault.Invalid, "http.malformed", "This is not a form. Open the page again and send it from there.").Because(err)
}

// Form reads a request's form before the handler.
func Form(handle Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request, v Visitor) error {
		if err := ReadForm(r); err != nil {
			return err
		}
		return handle(w, r, v)
	}
}

// jsonKind cuts the value off what encoding/json calls "number 12.5": a message holds no data.
func jsonKind(value string) string {
	kind, _, _ := strings.Cut(value, " ")
	return kind
}

// WriteJSON answers with a value as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	return writeJSON(w, "application/json", status, v)
}

func writeJSON(w http.ResponseWriter, mediaType string, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}

// Redirect sends the browser to another page of this site with GET (303), as after every form that was accepted.
func Redirect(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// LocalPath returns the path if it is one of this site, and "/" otherwise: where to return to is never another site.
func LocalPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t\x00") {
		return "/"
	}
	return path
}

// Tag returns the strong entity tag of something whose versions the parts tell apart (RFC 9110, 8.8.3).
func Tag(parts ...any) string {
	sum := sha256.New()
	for _, part := range parts {
		text := fmt.Sprint(part)
		fmt.Fprintf(sum, "%d:%s", len(text), text)
	}
	return `"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:16]) + `"`
}

// CheckMatch holds a change to the version that its sender saw: the request must carry If-Match with the current tag.
func CheckMatch(r *http.Request, current string) error {
	header := r.Header.Get("If-Match")
	if header == "" {
		return fault.New(fault.Invalid, "http.precondition-required",
			"Say which version you change: send its ETag in If-Match.")
	}
	if header == "*" || matches(header, current, false) {
		return nil
	}
	return fault.New(fault.Conflict, "http.precondition-failed",
		"This has changed since you read it. Read it again, then repeat your change.")
}

// NotModified sends the tag, and 304 without content if the reader has this version already; then it returns true.
func NotModified(w http.ResponseWriter, r *http.Request, current string) bool {
	w.Header().Set("ETag", current)
	header := r.Header.Get("If-None-Match")
	if header == "" || header != "*" && !matches(header, current, true) {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

// matches reports whether a list of tags has the current one; a weak comparison ignores the mark W/.
func matches(header, current string, weak bool) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if weak {
			tag = strings.TrimPrefix(tag, "W/")
		}
		if tag == current {
			return true
		}
	}
	return false
}

// response gathers what a handler writes, so that it is sent whole or not at all.
type response struct {
	http.ResponseWriter
	stream bool // pass on at once
	sent   bool // something has left
	status int
	size   int64
	body   bytes.Buffer
}

func (w *response) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	if w.stream {
		w.sent = true
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.size += int64(len(p))
	if w.stream {
		return w.ResponseWriter.Write(p)
	}
	return w.body.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// reset forgets what was written and puts the headers back.
func (w *response) reset(headers http.Header) {
	clear(w.Header())
	for name, values := range headers {
		w.Header()[name] = values
	}
	w.status, w.size = 0, 0
	w.body.Reset()
}

// send lets what was gathered go.
func (w *response) send() {
	if w.sent {
		return
	}
	w.WriteHeader(http.StatusOK)
	if !w.stream {
		w.ResponseWriter.WriteHeader(w.status)
		_, _ = w.ResponseWriter.Write(w.body.Bytes()) // a reader who has gone away is no error of ours
	}
}
