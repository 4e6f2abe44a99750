package cwt

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/veraison/go-cose"
)

// The claims set of RFC 8392, appendix A.1.
const appendixA1 = "a70175636f61703a2f2f61732e6578616d706c652e636f6d02656572696b77037818636f61703a2f2f6c696768742e6578616d706c" +
	"652e636f6d041a5612aeb0051a5610d9f0061a5610d9f007420b71"

// The signed token of RFC 8392, appendix A.3 (ES256), and the public key of appendix A.2.3.
const (
	appendixA3 = "d28443a10126a104524173796d6d657472696345434453413235365850a70175636f61703a2f2f61732e6578616d706c652e636f6d02" +
		"656572696b77037818636f61703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f0061a5610d9f007420b71" +
		"58405427c1ff28d23fbad1f29c4c7c6a555e601d6fa29f9179bc3d7438bacaca5acd08c8d4d4f96131680c429a01f85951ecee743a52b9" +
		"b63632c57209120e1c9e30"
	appendixA2x = "143329cce7868e416927599cf65a34f3ce2ffda55a7eca69ed8919a394d42f0f"
	appendixA2y = "60f7f1a780d8a783bfb7a2dd6b2796e8128dbbcef9d3d168db9529971a36e7b9"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func exampleClaims() Claims {
	return Claims{
		Issuer: "coap://as.example.com", Subject: "erikw", Audience: "coap://light.example.com",
		Expires: time.Unix(1444064944, 0).UTC(), NotBefore: time.Unix(1443944944, 0).UTC(),
		IssuedAt: time.Unix(1443944944, 0).UTC(), ID: []byte{0x0b, 0x71},
	}
}

func TestClaimsOfTheStandard(t *testing.T) {
	encoded, err := exampleClaims().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(encoded); got != appendixA1 {
		t.Errorf("the claims of appendix A.1 became\n%s, want\n%s", got, appendixA1)
	}
	claims, err := UnmarshalClaims(unhex(t, appendixA1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exampleClaims(), claims); diff != "" {
		t.Errorf("the claims of appendix A.1 (-want +got):\n%s", diff)
	}
}

// The library beneath verifies the standard's own signed token, and its payload is our claims set; Parse, which knows
// EdDSA only, refuses it.
func TestSignedTokenOfTheStandard(t *testing.T) {
	var message cose.Sign1Message
	if err := message.UnmarshalCBOR(unhex(t, appendixA3)); err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), unhex(t, "04"+appendixA2x+appendixA2y)) // SEC 1, 2.3.3
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := cose.NewVerifier(cose.AlgorithmES256, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := message.Verify(nil, verifier); err != nil {
		t.Errorf("the token of appendix A.3 does not verify: %v", err)
	}
	if hex.EncodeToString(message.Payload) != appendixA1 {
		t.Error("the token of appendix A.3 does not carry the claims of appendix A.1")
	}
	if _, err := Parse(unhex(t, appendixA3)); err == nil {
		t.Error("Parse took a token that is not signed with EdDSA")
	}
}

var testKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

func testSign(message []byte) ([]byte, []byte, error) {
	return []byte("key-7"), ed25519.Sign(testKey, message), nil
}

func signed(t testing.TB, claims Claims) []byte {
	t.Helper()
	token, err := Sign(claims, testSign)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestSignParseVerify(t *testing.T) {
	value, err := Marshal([]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	claims := exampleClaims()
	claims.Others = map[int64]Encoded{-70000: value}
	token, err := Parse(signed(t, claims))
	if err != nil {
		t.Fatal(err)
	}
	if string(token.KeyID) != "key-7" {
		t.Errorf("key id %q", token.KeyID)
	}
	if diff := cmp.Diff(claims, token.Claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if err := token.Verify(testKey.Public().(ed25519.PublicKey)); err != nil {
		t.Errorf("the signer's key: %v", err)
	}
	other := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	if err := token.Verify(other); !errors.Is(err, ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	if err := token.Verify(nil); err == nil {
		t.Error("no key at all verified")
	}
}

// Whichever bit flips: the token is not read, names another key, or does not verify.
func TestEveryBitCounts(t *testing.T) {
	token := signed(t, exampleClaims())
	for i := range len(token) * 8 {
		changed := bytes.Clone(token)
		changed[i/8] ^= 1 << (i % 8)
		parsed, err := Parse(changed)
		if err != nil || string(parsed.KeyID) != "key-7" {
			continue
		}
		if parsed.Verify(testKey.Public().(ed25519.PublicKey)) == nil {
			t.Errorf("bit %d flipped and nobody noticed", i)
		}
	}
}

func TestRefused(t *testing.T) {
	half := exampleClaims()
	half.IssuedAt = half.IssuedAt.Add(time.Millisecond)
	registered := Claims{Others: map[int64]Encoded{4: {0x01}}}
	for name, claims := range map[string]Claims{"half a second": half, "a registered number": registered} {
		if _, err := Sign(claims, testSign); err == nil {
			t.Errorf("%s was signed", name)
		}
	}
	refusal := errors.New("no key")
	if _, err := Sign(exampleClaims(), func([]byte) ([]byte, []byte, error) { return nil, nil, refusal }); !errors.Is(err, refusal) {
		t.Errorf("the signer's error became %v", err)
	}
	for name, text := range map[string]string{
		"a claim twice":         "a2061a5610d9f0061a5610d9f0",
		"unknown length":        "bf061a5610d9f0ff",
		"a time with its tag":   "a106c11a5610d9f0",
		"a time as a fraction":  "a106fb41d584367c000000",
		"a time before 1970":    "a10620",
		"text that is no UTF-8": "a10161ff",
		"something behind":      "a000",
		"cut off":               "a1061a5610",
	} {
		if claims, err := UnmarshalClaims(unhex(t, text)); err == nil {
			t.Errorf("%s: read as %+v", name, claims)
		}
	}
	// The same claims, the time in more bytes than needed.
	if _, err := Parse(lengthen(t)); err == nil {
		t.Error("a token that is not in deterministic encoding was read")
	}
}

// lengthen returns a token with a well-made signature over a claims set in another encoding.
func lengthen(t *testing.T) []byte {
	message := cose.NewSign1Message()
	message.Payload = unhex(t, "a1061b000000005610d9f0")
	message.Headers.Protected.SetAlgorithm(cose.AlgorithmEdDSA)
	message.Headers.Unprotected[cose.HeaderLabelKeyID] = []byte("key-7")
	if err := message.Sign(nil, nil, &signer{sign: testSign}); err != nil {
		t.Fatal(err)
	}
	token, err := message.MarshalCBOR()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// What Parse takes it writes again to the same bytes.
func FuzzParse(f *testing.F) {
	f.Add(signed(f, exampleClaims()))
	f.Add(signed(f, Claims{}))
	f.Add(unhex(f, appendixA3))
	f.Fuzz(func(t *testing.T, data []byte) {
		token, err := Parse(data)
		if err != nil {
			return
		}
		again, err := token.rewrite()
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%x was read and became %x, %v", data, again, err)
		}
	})
}
