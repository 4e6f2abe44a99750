package signature_test

import (
	"bytes"
	"testing"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/signature"
	"yagona/store/keyfile"
)

func TestARememberedSignatureIsTakenForNothingElse(t *testing.T) {
	now := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	keys, err := keyfile.Open(t.TempDir(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Ensure("agency:a", "agency:b"); err != nil {
		t.Fatal(err)
	}
	memory := signature.Remember(keys)
	message := []byte("a statement")
	made, err := memory.Sign(t.Context(), "agency:a", message)
	if err != nil {
		t.Fatal(err)
	}
	verify := func(ring signature.Ring, holder signature.Holder, message []byte, made signature.Signature, at time.Time) string {
		return fault.Code(signature.Verify(ring, holder, message, made, at))
	}
	if code := verify(memory, "agency:a", message, made, now); code != "" {
		t.Fatalf("what was signed does not verify: %s", code)
	}
	if signed, computed := memory.Count(); signed != 1 || computed != 0 {
		t.Errorf("%d were made and %d computed", signed, computed)
	}
	flipped := signature.Signature{Key: made.Key, Bytes: bytes.Clone(made.Bytes)}
	flipped.Bytes[7] ^= 1
	others, err := keys.Ensure("agency:b")
	if err != nil {
		t.Fatal(err)
	}
	for name, code := range map[string]string{
		"another message":   verify(memory, "agency:a", []byte("another statement"), made, now),
		"another signature": verify(memory, "agency:a", message, flipped, now),
		"a shorter one":     verify(memory, "agency:a", message, signature.Signature{Key: made.Key, Bytes: made.Bytes[:63]}, now),
		"another's key":     verify(memory, "agency:b", message, signature.Signature{Key: others[0].ID, Bytes: made.Bytes}, now),
	} {
		if code != "signature.wrong" {
			t.Errorf("%s gave %q", name, code)
		}
	}
	// The term and the holder count each time, remembered or not.
	if code := verify(memory, "agency:b", message, made, now); code != "signature.other-holder" {
		t.Errorf("another holder gave %q", code)
	}
	if code := verify(memory, "agency:a", message, made, now.Add(-time.Second)); code != "signature.out-of-term" {
		t.Errorf("before its term it gave %q", code)
	}
	// A ring that did not make it computes it once.
	fresh := signature.Remember(keys)
	for range 3 {
		if code := verify(fresh, "agency:a", message, made, now); code != "" {
			t.Errorf("elsewhere it gave %q", code)
		}
	}
	if _, computed := fresh.Count(); computed != 1 {
		t.Errorf("computed %d times", computed)
	}
}
