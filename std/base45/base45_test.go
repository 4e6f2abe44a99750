package base45

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The examples of RFC 9285, sections 4.3 and 4.4.
func TestVectors(t *testing.T) {
	for _, vector := range []struct{ plain, encoded string }{
		{"AB", "BB8"},
		{"Hello!!", "%69 VD92EX0"},
		{"base-45", "UJCLQE7W581"},
		{"ietf!", "QED8WEX0"},
		{"", ""},
	} {
		if got := Encode([]byte(vector.plain)); got != vector.encoded {
			t.Errorf("Encode(%q) = %q, want %q", vector.plain, got, vector.encoded)
		}
		got, err := Decode(vector.encoded)
		if err != nil || string(got) != vector.plain {
			t.Errorf("Decode(%q) = %q, %v, want %q", vector.encoded, got, err, vector.plain)
		}
	}
}

// RFC 9285, section 6: texts that stand for too large a number, or that no encoder makes, must be refused.
func TestDecodeRefuses(t *testing.T) {
	for _, text := range []string{"GGW", ":::", "::", "A", "BB8A", "bb8", "BB\x00", "ʻBB", "BB8V5"} {
		if got, err := Decode(text); err == nil {
			t.Errorf("Decode(%q) = %x, want an error", text, got)
		}
	}
	if got, err := Decode("FGW"); err != nil || !bytes.Equal(got, []byte{0xFF, 0xFF}) {
		t.Errorf("Decode(FGW), the largest pair, = %x, %v", got, err)
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		text := Encode(data)
		if len(text) != EncodedLen(len(data)) {
			t.Fatalf("%d bytes became %d characters, EncodedLen says %d", len(data), len(text), EncodedLen(len(data)))
		}
		if strings.HasSuffix(text, " ") {
			t.Fatalf("%x ends in a space, which gets lost where text is copied", data)
		}
		got, err := Decode(text)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("Decode(Encode(%x)) = %x, %v", data, got, err)
		}
	})
}

// What decodes has one text only.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"BB8", "%69 VD92EX0", "GGW", "::", "", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data, err := Decode(text)
		if err == nil && Encode(data) != text {
			t.Errorf("%q decodes to %x, which is encoded as %q", text, data, Encode(data))
		}
	})
}
