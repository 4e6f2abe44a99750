package document

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/signature"
	"yagona/std/base45"
	"yagona/std/cwt"
)

// exampleList is a revocation list of the day of issue.
func exampleList(revoked ...ident.Document) RevocationList {
	list := RevocationList{Node: exampleNode, Issued: exampleIssued, Next: exampleIssued.Add(24 * time.Hour)}
	for _, id := range revoked {
		list.Revoked = append(list.Revoked, Revocation{ID: id, At: exampleIssued})
	}
	return list
}

// change edits one key of a key set.
func change(set KeySet, holder signature.Holder, edit func(*PublishedKey)) KeySet {
	set.Keys = slices.Clone(set.Keys)
	for i := range set.Keys {
		if set.Keys[i].Holder == holder {
			edit(&set.Keys[i])
		}
	}
	return set
}

// Each row is found for the QR code and for the file alike.
func TestVerify(t *testing.T) {
	content := exampleContent()
	_, payload := examplePayload(t, content)
	file := exampleFile(t, content)
	keys := newKeyring().keySet()
	const youth = signature.Holder("agency:youth-agency")
	day := 24 * time.Hour
	suspended := exampleList(exampleID)
	suspended.Revoked[0].Suspended = true
	for name, test := range map[string]struct {
		keys     KeySet
		list     RevocationList
		now      time.Time
		state    State
		code     string
		warnings []string
	}{
		"on its first day":       {keys, exampleList(), exampleIssued, Valid, "document.valid", nil},
		"a clock that lags":      {keys, exampleList(), exampleIssued.Add(-clockSkew), Valid, "document.valid", nil},
		"before it is made":      {keys, exampleList(), exampleIssued.Add(-clockSkew - time.Second), NotYetValid, "document.not-yet", nil},
		"another is revoked":     {keys, exampleList("019c8f5e-6c00-7a10-8f00-00000000c0dd", "019c8f5e-6c00-7a10-8f00-00000000c0df"), exampleIssued, Valid, "document.valid", nil},
		"revoked":                {keys, exampleList(exampleID), exampleIssued, Revoked, "document.revoked", nil},
		"revoked by an old list": {keys, exampleList(exampleID), exampleIssued.Add(2 * day), Revoked, "document.revoked", nil},
		"suspended":              {keys, suspended, exampleIssued, Suspended, "document.suspended", nil},
		"an old list": {
			keys, exampleList(), exampleIssued.Add(2 * day), Valid, "document.valid",
			[]string{"document.revocations-stale"},
		},
		"no list": {keys, RevocationList{}, exampleIssued, Valid, "document.valid", []string{"document.revocations-missing"}},
		"the list of another node": {
			keys,
			RevocationList{Node: "other.example", Revoked: exampleList(exampleID).Revoked},
			exampleIssued, Valid, "document.valid",
			[]string{"document.revocations-missing"},
		},
		"expired, with old files": {
			keys, exampleList(), content.Until, Expired, "document.expired",
			[]string{"document.revocations-stale", "document.keys-stale"},
		},
		"no key": {KeySet{Node: exampleNode}, exampleList(), exampleIssued, UnknownKey, "document.key-unknown", nil},
		"the keys of another node": {
			KeySet{Node: "other.example", Keys: keys.Keys},
			exampleList(), exampleIssued,
			UnknownKey, "document.other-node", nil,
		},
		"the key of another agency": {
			change(keys, youth, func(k *PublishedKey) { k.Holder = "agency:other-agency" }),
			exampleList(), exampleIssued, UnknownKey, "document.key-of-another", nil,
		},
		"the key of the node itself": {
			change(keys, youth, func(k *PublishedKey) { k.Holder = signature.Node }),
			exampleList(), exampleIssued, UnknownKey, "document.key-of-another", nil,
		},
		"a stolen key": {
			change(keys, youth, func(k *PublishedKey) { k.Withdrawn = exampleIssued.Add(day) }),
			exampleList(), exampleIssued, UnknownKey, "document.key-withdrawn", nil,
		},
		"a key from later": {
			change(keys, youth, func(k *PublishedKey) { k.From = exampleIssued.Add(time.Second) }),
			exampleList(), exampleIssued, UnknownKey, "document.key-out-of-term", nil,
		},
		"a key of that second": {
			change(keys, youth, func(k *PublishedKey) { k.From = exampleIssued.Add(time.Millisecond) }),
			exampleList(), exampleIssued, Valid, "document.valid", nil,
		},
		"a key rotated out before": {
			change(keys, youth, func(k *PublishedKey) { k.Until = exampleIssued }),
			exampleList(), exampleIssued, UnknownKey, "document.key-out-of-term", nil,
		},
		"a key rotated out since": {
			change(keys, youth, func(k *PublishedKey) { k.Until = exampleIssued.Add(1) }),
			exampleList(), exampleIssued.Add(time.Hour), Valid, "document.valid", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, input := range map[string][]byte{"code": []byte(payload), "file": file} {
				result := Verify(input, test.keys, test.list, test.now)
				var warnings []string
				for _, warning := range result.Warnings {
					warnings = append(warnings, warning.Code)
				}
				if result.State != test.state || result.Code != test.code || !slices.Equal(warnings, test.warnings) {
					t.Errorf("%s: %s %s %v, want %s %s %v", kind, result.State, result.Code, warnings, test.state, test.code, test.warnings)
				}
				genuine := test.state != UnknownKey
				if (result.Claims != nil) != genuine || (result.Content != nil) != (genuine && kind == "file") {
					t.Errorf("%s: claims %v, content %v", kind, result.Claims, result.Content)
				}
			}
		})
	}
}

func TestVerifyTellsWhatWasIssued(t *testing.T) {
	content := exampleContent()
	result := Verify(exampleFile(t, content), newKeyring().keySet(), exampleList(), exampleIssued)
	if result.Claims == nil || result.Content == nil {
		t.Fatalf("got %+v", result)
	}
	if diff := cmp.Diff(content, *result.Content); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
	want := Claims{
		ID: exampleID, Agency: "youth-agency", Node: exampleNode, Type: "subsidy-decision",
		Issued: exampleIssued, Until: content.Until, Language: "uz-Latn",
		Title: "Asbob-uskuna sotib olish uchun subsidiya berish toʻgʻrisida qaror",
		Facts: []Fact{
			{Label: "Ariza beruvchi", Value: "Namunayeva Gʻuncha Oʻktam qizi"},
			{Label: "Qaror", Value: "Subsidiya berilsin"},
			{Label: "Summa", Value: "1 500 000,00 soʻm"},
		},
		Digest: result.Claims.Digest,
	}
	if diff := cmp.Diff(want, *result.Claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}

// Whichever byte of a file changes, is lost or comes in between: it does not pass for the issued one.
func TestEveryByteOfAFileCounts(t *testing.T) {
	file := exampleFile(t, exampleContent())
	keys, list := newKeyring().keySet(), exampleList()
	pages := bytes.Index(file, []byte("%%EOF\n"))
	refused := func(what string, at int, changed []byte) {
		result := Verify(changed, keys, list, exampleIssued)
		switch result.State {
		case Tampered, UnknownKey, Unreadable:
			if result.Content != nil {
				t.Errorf("byte %d %s: content was shown", at, what)
			}
		default:
			t.Errorf("byte %d %s: %s", at, what, result.State)
		}
	}
	for at := 0; at < len(file); at++ {
		changed := bytes.Clone(file)
		changed[at] ^= 1 << (at % 8)
		refused("changed", at, changed)
		if at%16 == 0 {
			refused("removed", at, slices.Delete(bytes.Clone(file), at, at+1))
			refused("added", at, slices.Insert(bytes.Clone(file), at, file[at]))
		}
		if at < pages {
			at += 12 // a sample of the drawn pages, all of the rest
		}
	}
}

func TestFilesThatArePutTogether(t *testing.T) {
	content := exampleContent()
	file := exampleFile(t, content)
	other := exampleContent()
	other.ID = "019c8f5e-6c00-7a10-8f00-00000000c0df"
	other.Texts[0].Lines[4].Value = "9 900 000,00 сум"
	richer := exampleFile(t, other)
	encoded, _ := examplePayload(t, content)
	_, otherPayload := examplePayload(t, other)
	mixed, err := sealFile(t.Context(), newKeyring(), encoded, otherPayload, exampleIssued)
	if err != nil {
		t.Fatal(err)
	}
	seal := regexp.MustCompile(`\n%YAGONA1 .*\n`)
	unsealed := seal.ReplaceAll(file, []byte("\n"))
	// An editor appends its change and leaves all that was there, as PDF allows.
	appended := append(bytes.Clone(file), "4 0 obj\n<< /Length 0 >>\nstream\n\nendstream\nendobj\nxref\n4 1\n0000000000 00000 n \ntrailer\n<< /Size 20 /Root 1 0 R >>\nstartxref\n1\n%%EOF\n"...)
	for name, test := range map[string]struct {
		file  []byte
		state State
		code  string
	}{
		"the pages of one, the seal of another":       {seal.ReplaceAllLiteral(richer, seal.Find(file)), Tampered, "document.file-changed"},
		"the seal twice":                              {seal.ReplaceAllLiteral(file, bytes.Repeat(seal.Find(file), 2)), Tampered, "document.file-changed"},
		"the seal again at the end":                   {append(bytes.Clone(file), seal.Find(file)...), Tampered, "document.file-changed"},
		"something appended":                          {appended, Tampered, "document.file-changed"},
		"something appended and sealed once more":     {append(appended, seal.Find(file)...), Tampered, "document.file-changed"},
		"without a seal":                              {unsealed, Unreadable, "document.file-unsealed"},
		"any other PDF":                               {[]byte("%PDF-1.4\n%%EOF\n"), Unreadable, "document.file-unsealed"},
		"sealed by the agency over another's content": {mixed, Tampered, "document.file-mixed"},
		"cut in half":                                 {file[:len(file)/2], Unreadable, "document.file-unsealed"},
		"a seal with a line end inside":               {bytes.Replace(file, []byte(sealMark), []byte(sealMark+"\r"), 1), Tampered, "document.file-changed"},
		"a seal that is no token":                     {seal.ReplaceAll(file, []byte("\n%YAGONA1 AAAA\n")), Tampered, "document.file-changed"},
	} {
		result := Verify(test.file, newKeyring().keySet(), exampleList(), exampleIssued)
		if result.State != test.state || result.Code != test.code || result.Claims != nil || result.Content != nil {
			t.Errorf("%s: %+v, want %s %s and nothing shown", name, result, test.state, test.code)
		}
	}
}

// An agency draws what it likes around another agency's genuine content and payload, and seals it with its own key.
func TestASealOfAnotherAgency(t *testing.T) {
	ring, content := newKeyring(), exampleContent()
	encoded, payload := examplePayload(t, content)
	drawn := content
	drawn.Texts = slices.Clone(content.Texts)
	drawn.Texts[0].Title = "Something else"
	pages, err := Render(drawn, payload)
	if err != nil {
		t.Fatal(err)
	}
	head, tail, claim, err := attach(pages, content, encoded, payload)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(slices.Concat(head, tail))
	claim.Digest = digest[:]
	private, err := cwt.Marshal(claim)
	if err != nil {
		t.Fatal(err)
	}
	for says, want := range map[string]struct {
		state State
		code  string
	}{
		"other-agency": {Tampered, "document.file-mixed"},
		"youth-agency": {UnknownKey, "document.key-of-another"},
	} {
		token, err := sign(t.Context(), ring, "agency:other-agency", cwt.Claims{
			Issuer: says + "@" + exampleNode, IssuedAt: exampleIssued, Others: map[int64]cwt.Encoded{claimFile: private},
		})
		if err != nil {
			t.Fatal(err)
		}
		file := slices.Concat(head, []byte(sealMark+base64.StdEncoding.EncodeToString(token)+"\n"), tail)
		result := Verify(file, ring.keySet(), exampleList(), exampleIssued)
		if result.State != want.state || result.Code != want.code || result.Content != nil {
			t.Errorf("as %s: %+v", says, result)
		}
	}
}

// A token that was signed for one purpose is worth nothing for another.
func TestTokensOfOtherKinds(t *testing.T) {
	ring := newKeyring()
	asText := func(token []byte) []byte { return []byte(Prefix + base45.Encode(token)) }
	file := exampleFile(t, exampleContent())
	sealed, err := readFile(file)
	if err != nil {
		t.Fatal(err)
	}
	private, err := cwt.Marshal(fileClaim{Digest: sealed.digest})
	if err != nil {
		t.Fatal(err)
	}
	seal, err := sign(t.Context(), ring, "agency:youth-agency", cwt.Claims{
		Issuer: "youth-agency@" + exampleNode, IssuedAt: exampleIssued, Others: map[int64]cwt.Encoded{claimFile: private},
	})
	if err != nil {
		t.Fatal(err)
	}
	bare, err := sign(t.Context(), ring, "agency:youth-agency", cwt.Claims{Issuer: "youth-agency@" + exampleNode, IssuedAt: exampleIssued})
	if err != nil {
		t.Fatal(err)
	}
	document, err := cwt.Marshal(claim{Type: "certificate", Digest: sealed.digest, Language: "en", Title: "A", Facts: []Fact{}})
	if err != nil {
		t.Fatal(err)
	}
	double, err := sign(t.Context(), ring, "agency:youth-agency", cwt.Claims{
		Issuer: "youth-agency@" + exampleNode, IssuedAt: exampleIssued, ID: make([]byte, 16),
		Others: map[int64]cwt.Encoded{claimFile: private, claimDocument: document},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string][]byte{"a seal": seal, "no claim": bare, "both": double} {
		result := Verify(asText(token), ring.keySet(), exampleList(), exampleIssued)
		if result.State != Unreadable || result.Claims != nil {
			t.Errorf("%s as a payload: %+v", name, result)
		}
	}
	set, err := ring.keySet().Sign(t.Context(), ring)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadRevocationList(set, ring.keySet()); fault.Code(err) != errUntrusted.Code {
		t.Error("a key set was read as a revocation list")
	}
}

func TestUnreadablePayloads(t *testing.T) {
	_, payload := examplePayload(t, exampleContent())
	bomb, err := new(packer).pack(make([]byte, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing": "", "a link": "https://node.example", "another format": "HC1:" + payload[5:], "small letters": strings.ToLower(payload),
		"cut off": payload[:len(payload)-7], "the prefix alone": Prefix, "a bomb": Prefix + base45.Encode(bomb),
		"something behind": payload + "BB8",
	} {
		if result := Verify([]byte(text), newKeyring().keySet(), exampleList(), exampleIssued); result.State != Unreadable || result.Claims != nil {
			t.Errorf("%s: %+v", name, result)
		}
	}
	if result := Verify([]byte(" \t"+payload+" \r\n"), newKeyring().keySet(), exampleList(), exampleIssued); result.State != Valid {
		t.Errorf("a line with the payload: %+v", result)
	}
}

func TestASignerThatFails(t *testing.T) {
	content := exampleContent()
	encoded, err := content.encode()
	if err != nil {
		t.Fatal(err)
	}
	refusal := errors.New("the hardware module is off")
	if _, err := signPayload(t.Context(), brokenSigner{refusal}, new(packer), content, encoded); !errors.Is(err, refusal) {
		t.Errorf("got %v", err)
	}
}

type brokenSigner struct{ err error }

func (b brokenSigner) Sign(context.Context, signature.Holder, []byte) (signature.Signature, error) {
	return signature.Signature{}, b.err
}

// Whatever is scanned: only what was signed is shown, and nothing panics.
func FuzzVerifyPayload(f *testing.F) {
	_, payload := examplePayload(f, exampleContent())
	f.Add(payload)
	f.Add(Prefix)
	f.Add(Prefix + "BB8")
	keys, list := newKeyring().keySet(), exampleList()
	want := Verify([]byte(payload), keys, list, exampleIssued)
	f.Fuzz(func(t *testing.T, text string) {
		result := Verify([]byte(text), keys, list, exampleIssued)
		if result.Claims != nil && !cmp.Equal(*want.Claims, *result.Claims) {
			t.Errorf("%q shows %+v", text, result.Claims)
		}
	})
}

// Whatever file is opened: only the issued bytes show a content, and nothing panics.
func FuzzVerifyFile(f *testing.F) {
	file := exampleFile(f, exampleContent(exampleLatin()))
	f.Add(file[len(file)-4000:])
	f.Add([]byte("%PDF-1.7\n%YAGONA1 \n"))
	keys, list := newKeyring().keySet(), exampleList()
	f.Fuzz(func(t *testing.T, tail []byte) {
		for _, changed := range [][]byte{append(bytes.Clone(file[:len(file)-4000]), tail...), append([]byte("%PDF-"), tail...)} {
			if result := Verify(changed, keys, list, exampleIssued); result.Content != nil && !bytes.Equal(changed, file) {
				t.Errorf("a changed file shows its content: %+v", result)
			}
		}
	})
}
