package route

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

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

// ReadJSON decodes the request's body into the value that v points to: one JSON value in UTF-8 (RFC 7493), each name once
// and exactly as it is called, none that is not known.
func ReadJSON(r *http.Request, v any) error {
	if mediaTypeOf(r.Header.Get("Content-Type")) != "application/json" {
		return fault.New(fault.Invalid, "http.unsupported-media", "Send JSON, with the header Content-Type: application/json.")
	}
	return misread(jsonv2.UnmarshalRead(r.Body, v, jsonv2.RejectUnknownMembers(true)))
}

// misread returns what was wrong in a body, with the field in which it was and nothing that stood there.
func misread(err error) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); err == nil || large || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if wrong, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return fault.New(fault.Invalid, "http.duplicate-field", "This field stands here twice. Send it once.").At(fieldOf(wrong.JSONPointer)).Because(err)
		}
		return fault.Newf(fault.Invalid, "http.malformed", "This is not one JSON value in UTF-8: it breaks off or is wrong at byte %d.",
			wrong.ByteOffset).Because(err)
	}
	if wrong, ok := errors.AsType[*jsonv2.SemanticError](err); ok && wrong.JSONPointer != "" {
		if errors.Is(err, jsonv2.ErrUnknownName) {
			return fault.New(fault.Invalid, "http.unknown-field", "There is no such field. Remove it, or look up its name.").At(fieldOf(wrong.JSONPointer)).Because(err)
		}
		if said, ok := errors.AsType[*fault.Fault](wrong.Err); ok { // a date that there is not says so itself
			return said.At(fieldOf(wrong.JSONPointer))
		}
		return fault.New(fault.Invalid, "http.wrong-type", "This JSON value does not belong here, or is not written as it must be. Look up how.").At(fieldOf(wrong.JSONPointer)).Because(err)
	}
	return fault.New(fault.Invalid, "http.malformed", "This is not the JSON that is expected here.").Because(err)
}

// longestField is how many characters of a field's name are told, which a stranger may have made up.
const longestField = 64

// fieldOf names a place in JSON as the problems do: inner.price.
func fieldOf(place jsontext.Pointer) string {
	name := []rune(strings.Join(slices.Collect(place.Tokens()), "."))
	return string(name[:min(len(name), longestField)])
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

// WriteJSON answers with a value as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	return writeJSON(w, "application/json", status, v)
}

func writeJSON(w http.ResponseWriter, mediaType string, status int, v any) error {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(v)
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

// send lets what was gathered go.
func (w *response) send() {
	if w.sent {
		return
	}
	w.WriteHeader(http.StatusOK)
	if !w.stream {
		if length := w.body.Len(); length > 0 {
			w.Header().Set("Content-Length", strconv.Itoa(length)) // net/http would send what is long in chunks
		}
		w.ResponseWriter.WriteHeader(w.status)
		_, _ = w.ResponseWriter.Write(w.body.Bytes()) // a reader who has gone away is no error of ours
	}
}
