package register

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/seal"
)

// Bulk answers one evidence type about many subjects, one after another, for those who count and tell nobody's values.
// Few records say much that no other says: what the answer depends on is a state, and an answer is computed once for all
// subjects who are in the same state. Its State belongs to one goroutine, its Answer to any.
//
// Who uses it answers for the grant, the purpose and the journal.
type Bulk struct {
	Register ident.Register

	evidence EvidenceType // with the wanted answers alone
	fields   []string     // of a record, sorted: what the answer depends on; nil: the whole record

	current []StoredVersion // what holds on the day of one subject; kept for the next
	values  []json.RawMessage
	state   []byte
}

// ErrNoBulk is what asking for an evidence type in bulk gives that only answers one by one: its register is not held here, or
// it is asked about another than the one whose record it is.
var ErrNoBulk = fault.New(fault.Unavailable, "register.no-bulk", "This register answers one question at a time. What it would say counts as not known.")

// Bulk returns what answers the evidence type in bulk, with the wanted ones of its answers.
func (k *Keeper) Bulk(path ident.Evidence, wanted []string) (*Bulk, error) {
	found, definition, err := k.Definitions().Evidence(path)
	if err != nil {
		return nil, err
	}
	if definition.Held != HeldHere || definition.Subject == "" || found.Of != definition.Subject {
		return nil, ErrNoBulk
	}
	b := &Bulk{Register: definition.Path, evidence: *found}
	b.evidence.Answer = slices.DeleteFunc(slices.Clone(found.Answer), func(one Answer) bool { return !slices.Contains(wanted, one.Name) })
	var inputs []string
	if b.evidence.Where != nil {
		inputs = b.evidence.Where.Inputs()
	}
	for _, one := range b.evidence.Answer {
		inputs = append(inputs, one.Is.Inputs()...)
	}
	b.fields = []string{}
	for _, input := range inputs {
		if input == "today" {
			continue // the same for all
		}
		path := strings.Split(input, ".")
		if len(path) < 2 {
			b.fields = nil // the record as a whole
			break
		}
		name, _, _ := strings.Cut(path[1], "[")
		b.fields = append(b.fields, name)
	}
	slices.Sort(b.fields)
	b.fields = slices.Compact(b.fields)
	b.values = make([]json.RawMessage, len(b.fields))
	return b, nil
}

// What ends a value and a record of a state: neither stands in JSON.
const (
	valueEnd  = "\x00"
	recordEnd = "\x01"
)

// State returns what the answer depends on, by all versions of one subject's records, which are in order of record and
// number: of each record that holds on the day the values that are read, in the order in which they count; empty if there is
// none. It is valid until the next call. It stays the subject's state on later days until another version is written, unless
// one is there that holds only from a later day: then lasting is false.
func (b *Bulk) State(sealer *seal.Sealer, versions []StoredVersion, today calendar.Date) (state []byte, lasting bool, err error) {
	b.current, b.state, lasting = b.current[:0], b.state[:0], true
	for len(versions) > 0 {
		end := 1
		for end < len(versions) && versions[end].Record == versions[0].Record {
			end++
		}
		if current, ok := valid(versions[:end], today); ok && !current.Closed {
			b.current = append(b.current, current)
		}
		for _, one := range versions[:end] {
			lasting = lasting && !one.From.After(today)
		}
		versions = versions[end:]
	}
	slices.SortStableFunc(b.current, StoredVersion.older)
	for _, one := range b.current {
		text, err := one.plain(sealer)
		if err != nil {
			return nil, false, err
		}
		values, ok := member(text, "values")
		if !ok {
			return nil, false, errBroken.Because(errEncoded)
		}
		if b.fields == nil {
			b.state = append(append(b.state, values...), valueEnd...)
		} else {
			for _, value := range members(values, b.fields, b.values) {
				b.state = append(append(b.state, value...), valueEnd...)
			}
		}
		b.state = append(b.state, recordEnd...)
	}
	return b.state, lasting, nil
}

// Answer returns what the evidence type says on the day of a subject in the state, nil if there is no record.
func (b *Bulk) Answer(ctx context.Context, state string, today calendar.Date) (map[string]any, error) {
	var records []map[string]any
	for one := range strings.SplitSeq(strings.TrimSuffix(state, recordEnd), recordEnd) {
		if state == "" {
			break
		}
		record, err := DecodeValues(b.record(one))
		if err != nil {
			return nil, errBroken.Because(err)
		}
		records = append(records, record)
	}
	return b.evidence.Compute(ctx, today, records)
}

// record returns the JSON of a record of a state.
func (b *Bulk) record(values string) []byte {
	if b.fields == nil {
		return []byte(strings.TrimSuffix(values, valueEnd))
	}
	object := []byte{'{'}
	for _, name := range b.fields {
		value, rest, _ := strings.Cut(values, valueEnd)
		values = rest
		if value == "" {
			continue // the record has none
		}
		if len(object) > 1 {
			object = append(object, ',')
		}
		object = append(append(append(append(object, '"'), name...), `":`...), value...)
	}
	return append(object, '}')
}

// member returns the value of an object's member.
func member(object []byte, name string) (json.RawMessage, bool) {
	found := members(object, []string{name}, make([]json.RawMessage, 1))
	return found[0], found[0] != nil
}

// members returns the values of the named members of an object, nil for those that it lacks, into a slice of as many. The
// object is valid JSON that json.Marshal wrote: no white space, no names that need an escape.
func members(object []byte, names []string, into []json.RawMessage) []json.RawMessage {
	clear(into)
	at := 1 // after the brace
	for at < len(object) && object[at] == '"' {
		end := bytes.IndexByte(object[at+1:], '"')
		if end < 0 {
			break
		}
		name := object[at+1 : at+1+end]
		start := at + end + 3 // after the quotes and the colon
		at = skip(object, start)
		for i, wanted := range names {
			if string(name) == wanted && start <= at {
				into[i] = object[start:at]
			}
		}
		at++ // the comma
	}
	return into
}

// skip returns where the value ends that begins there.
func skip(text []byte, at int) int {
	depth := 0
	for ; at < len(text); at++ {
		switch text[at] {
		case '"':
			for at++; at < len(text) && text[at] != '"'; at++ {
				if text[at] == '\\' {
					at++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return at
			}
			depth--
		case ',':
			if depth == 0 {
				return at
			}
		}
	}
	return len(text)
}
