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
// Few records say much that no other says: an answer is computed once for all subjects whose records agree in the fields
// that it depends on. It belongs to one goroutine.
//
// Who uses it answers for the grant, the purpose and the journal.
type Bulk struct {
	Register ident.Register

	evidence EvidenceType // with the wanted answers alone
	today    calendar.Date
	fields   []string // of a record, sorted: what the answer depends on; nil: the whole record
	computed map[string]int
	answers  []map[string]any // by number; 0: there is no record

	current []StoredVersion // what holds today of one subject; kept for the next
	values  []json.RawMessage
	key     []byte
}

// mostComputed is how many answers a Bulk remembers. What comes later is computed for each subject anew.
const mostComputed = 1 << 20

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
	b := &Bulk{Register: definition.Path, evidence: *found, today: k.today(), computed: map[string]int{}, answers: []map[string]any{nil}}
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

// Answer returns what the evidence type says today by all versions of one subject's records, which are in order of record
// and number, and the answer's number: the same for the same answer, 0 if there is no record, -1 if it has none. The
// answer is not to be changed.
func (b *Bulk) Answer(ctx context.Context, sealer *seal.Sealer, versions []StoredVersion) (answer map[string]any, number int, err error) {
	b.current = b.current[:0]
	for len(versions) > 0 {
		end := 1
		for end < len(versions) && versions[end].Record == versions[0].Record {
			end++
		}
		if current, ok := valid(versions[:end], b.today); ok && !current.Closed {
			b.current = append(b.current, current)
		}
		versions = versions[end:]
	}
	if len(b.current) == 0 {
		return nil, 0, nil
	}
	slices.SortStableFunc(b.current, StoredVersion.older)
	plain := make([]json.RawMessage, len(b.current))
	b.key = b.key[:0]
	whole := b.fields == nil
	for i, one := range b.current {
		text, err := one.plain(sealer)
		if err != nil {
			return nil, 0, err
		}
		values, ok := member(text, "values")
		if !ok {
			return nil, 0, errBroken.Because(errEncoded)
		}
		plain[i] = values
		for _, value := range members(values, b.fields, b.values) {
			b.key = append(append(b.key, value...), 0)
		}
		b.key = append(b.key, 1) // neither stands in JSON
	}
	if number, known := b.computed[string(b.key)]; known && !whole {
		return b.answers[number], number, nil
	}
	records := make([]map[string]any, len(plain))
	for i, one := range plain {
		if records[i], err = DecodeValues(one); err != nil {
			return nil, 0, errBroken.Because(err)
		}
	}
	if answer, err = b.evidence.Compute(ctx, b.today, records); err != nil {
		return nil, 0, err
	}
	if whole || len(b.answers) >= mostComputed {
		if answer == nil {
			return nil, 0, nil
		}
		return answer, -1, nil
	}
	number = 0
	if answer != nil {
		number = len(b.answers)
		b.answers = append(b.answers, answer)
	}
	b.computed[string(b.key)] = number
	return answer, number, nil
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
