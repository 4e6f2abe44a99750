package storetest

import (
	"bytes"
	"testing"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/seal"
	"yagona/store"
)

// TestSubjectKeys checks what every store of subjects' keys keeps. Keys are fresh.
func TestSubjectKeys(t *testing.T, keys store.SubjectKeys) {
	t.Helper()
	first, second := bytes.Repeat([]byte{1}, seal.KeySize), bytes.Repeat([]byte{2}, seal.KeySize)
	vault := func(master []byte, previous ...[]byte) *seal.Vault {
		t.Helper()
		made, err := seal.NewVault(keys, master, previous...)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	var subjects []ident.Subject
	for range 2500 { // more than one batch
		subjects = append(subjects, ident.Random[ident.Subject]())
	}
	sealer, err := vault(first).Open(t.Context(), subjects...)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := sealer.Seal(subjects[1], "test", []byte("a name"))
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.EraseSubjectKey(t.Context(), subjects[0]); err != nil {
		t.Fatal(err)
	}
	if erased, err := keys.Erased(t.Context()); err != nil || len(erased) != 1 || erased[0] != subjects[0] {
		t.Errorf("erased are %v, %v", erased, err)
	}

	// One key is wrapped anew from what it no longer is: it stays as it is.
	stored, err := keys.SubjectKeys(t.Context(), subjects[2:3])
	if err != nil {
		t.Fatal(err)
	}
	stale := []seal.WrappedKey{{Subject: subjects[2], Wrapped: []byte("something else")}}
	if err := keys.RewrapSubjectKeys(t.Context(), stale, []seal.WrappedKey{{Subject: subjects[2], Wrapped: []byte("nothing")}}); err != nil {
		t.Fatal(err)
	}
	if now, err := keys.SubjectKeys(t.Context(), subjects[2:3]); err != nil || !bytes.Equal(now[0].Wrapped, stored[0].Wrapped) {
		t.Errorf("a key was wrapped anew over another one (%v)", err)
	}

	both := vault(second, first)
	for i, wanted := range []int{len(subjects) - 1, 0} {
		if count, err := both.Rewrap(t.Context(), keys); err != nil || count != wanted {
			t.Errorf("time %d: %d keys are wrapped anew instead of %d (%v)", i+1, count, wanted, err)
		}
	}
	opened, err := vault(second).Open(t.Context(), subjects[0], subjects[1])
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := opened.Unseal(subjects[1], "test", sealed); err != nil || string(plain) != "a name" {
		t.Errorf("under the new master key the data opens to %q, %v", plain, err)
	}
	if _, err := opened.Seal(subjects[0], "test", nil); !fault.Is(err, fault.Erased) {
		t.Errorf("who was erased is back: %v", err)
	}
	if _, err := vault(first).Open(t.Context(), subjects[1]); fault.Code(err) != "seal.master-key" {
		t.Errorf("the old master key still opens: %v", err)
	}
}
