package register

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// Version is one version of a record, opened.
type Version struct {
	Register ident.Register
	Record   ident.Record
	Subject  ident.Subject // whose data it is; empty: nobody's
	Number   int           // from 1, without gaps
	At       time.Time     // when it was recorded
	From     calendar.Date // from which day it holds
	Closed   bool          // the record ends with it
	Corrects int           // the number of the version that it corrects; 0: none
	Event    ident.Event   // the journal's event that wrote it

	Values map[string]any // by field
	Reason string         // why
	By     journal.Actor  // who
}

// StoredVersion is a version as the store keeps it.
type StoredVersion struct {
	Key      act.Key // of the subject, or of the register if it is about nobody
	Register ident.Register
	Record   ident.Record
	Number   int
	At       time.Time
	From     calendar.Date
	Closed   bool
	Corrects int
	Cause    string // what it was written for, at most once: "application:<id>"; empty: nothing of the kind
	Body     []byte // body as JSON; sealed if the record has a subject
	Event    ident.Event
}

// Subject returns whose data the version is, or "".
func (s StoredVersion) Subject() ident.Subject {
	if s.Key == act.OfRegister(s.Register) {
		return ""
	}
	return ident.Subject(s.Key)
}

// keyOf returns the key under which a record about the subject ("": nobody) lives.
func keyOf(register ident.Register, subject ident.Subject) act.Key {
	if subject == "" {
		return act.OfRegister(register)
	}
	return act.Of(subject)
}

// body is what a version says, as it is stored.
type body struct {
	Values json.RawMessage `json:"values"`
	Reason string          `json:"reason"`
	By     journal.Actor   `json:"by"`
}

// context binds a sealed body to its place.
func (s StoredVersion) context() string {
	return "register-version:" + string(s.Register) + "/" + string(s.Record) + "/" + strconv.Itoa(s.Number)
}

// Cover returns what an event says of the version.
func (s StoredVersion) Cover() journal.Cover {
	return journal.Cover{Row: fmt.Sprintf("register-version/%s/%d", s.Record, s.Number), Digest: journal.Digest(struct {
		Key      act.Key
		Register ident.Register
		Record   ident.Record
		Number   int
		At       int64
		From     string
		Closed   bool
		Corrects int
		Cause    string
		Body     []byte
	}{s.Key, s.Register, s.Record, s.Number, s.At.UnixMicro(), s.From.String(), s.Closed, s.Corrects, s.Cause, s.Body})}
}

// close fills in the body.
func (s *StoredVersion) close(sealer *seal.Sealer, content body) error {
	plain, err := json.Marshal(content)
	if err != nil {
		return err
	}
	s.Body = plain
	if subject := s.Subject(); subject != "" {
		s.Body, err = sealer.Seal(subject, s.context(), plain)
	}
	return err
}

// open returns what the version says.
func (s StoredVersion) open(sealer *seal.Sealer) (Version, error) {
	plain, err := s.plain(sealer)
	if err != nil {
		return Version{}, err
	}
	var content body
	if err := jsonv2.Unmarshal(plain, &content); err != nil {
		return Version{}, errBroken.Because(errEncoded)
	}
	values, err := DecodeValues(content.Values)
	if err != nil {
		return Version{}, errBroken.Because(err)
	}
	return s.saying(values, content.Reason, content.By), nil
}

// saying returns the version with what its body says.
func (s StoredVersion) saying(values map[string]any, reason string, by journal.Actor) Version {
	return Version{
		Register: s.Register, Record: s.Record, Subject: s.Subject(), Number: s.Number, At: s.At, From: s.From,
		Closed: s.Closed, Corrects: s.Corrects, Event: s.Event, Values: values, Reason: reason, By: by,
	}
}

// plain returns the body as it was before it was sealed.
func (s StoredVersion) plain(sealer *seal.Sealer) ([]byte, error) {
	subject := s.Subject()
	if subject == "" {
		return s.Body, nil
	}
	return sealer.Unseal(subject, s.context(), s.Body)
}

// valid returns the version of one record that holds on the day, as far as is recorded: of those that no later version
// corrects and that hold from that day or before, the one that holds from the latest day. None holds: false.
func valid(versions []StoredVersion, on calendar.Date) (StoredVersion, bool) {
	if len(versions) == 1 && versions[0].Corrects == 0 { // as most records are
		return versions[0], !versions[0].From.After(on)
	}
	corrected := map[int]bool{}
	for _, one := range versions {
		corrected[one.Corrects] = true
	}
	var found StoredVersion
	for _, one := range versions {
		if corrected[one.Number] || one.From.After(on) {
			continue
		}
		if found.Number == 0 || cmp.Or(one.From.Compare(found.From), one.Number-found.Number) > 0 {
			found = one
		}
	}
	return found, found.Number != 0
}

// byRecord groups versions, which are in order of record and number, by record.
func byRecord(versions []StoredVersion) [][]StoredVersion {
	var groups [][]StoredVersion
	for i, one := range versions {
		if i == 0 || versions[i-1].Record != one.Record || versions[i-1].Key != one.Key {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], one)
	}
	return groups
}

// newestFirst sorts opened versions of different records: what holds from the latest day first, then what was recorded
// last.
func newestFirst(versions []Version) {
	slices.SortStableFunc(versions, func(a, b Version) int {
		return cmp.Or(b.From.Compare(a.From), b.At.Compare(a.At), strings.Compare(string(b.Record), string(a.Record)))
	})
}

// older is the same order for versions that are not opened.
func (s StoredVersion) older(other StoredVersion) int {
	return cmp.Or(other.From.Compare(s.From), other.At.Compare(s.At), strings.Compare(string(other.Record), string(s.Record)))
}
