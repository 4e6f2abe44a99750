package sqlite_test

import (
	"path/filepath"
	"testing"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/seal"
	"yagona/store/sqlite"
	"yagona/store/storetest"
)

func open(t *testing.T, clock act.Clock) storetest.DB {
	t.Helper()
	db, err := sqlite.Temporary(t.Context(), clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestAct(t *testing.T)     { storetest.TestAct(t, open) }
func TestJournal(t *testing.T) { storetest.TestJournal(t, open) }

func TestErasedKeyStaysErased(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	master := make([]byte, seal.KeySize)
	subject := ident.Random[ident.Person]().Subject()
	vault := func() *seal.Vault {
		keys, err := sqlite.OpenSubjectKeys(t.Context(), path, true)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { keys.Close() })
		vault, err := seal.NewVault(keys, master)
		if err != nil {
			t.Fatal(err)
		}
		return vault
	}
	first := vault()
	sealer, err := first.Open(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := sealer.Seal(subject, "test", []byte("a name"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := vault().Open(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := again.Unseal(subject, "test", sealed); err != nil || string(plain) != "a name" {
		t.Errorf("after a restart it opened as %q, %v", plain, err)
	}
	if _, err := again.Unseal(subject, "elsewhere", sealed); !fault.Is(err, fault.Internal) {
		t.Errorf("a value moved elsewhere opened: %v", err)
	}
	if err := first.Erase(t.Context(), subject); err != nil {
		t.Fatal(err)
	}
	for name, vault := range map[string]*seal.Vault{"the vault that erased it": first, "a vault after a restart": vault()} {
		sealer, err := vault.Open(t.Context(), subject)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sealer.Unseal(subject, "test", sealed); !fault.Is(err, fault.Erased) {
			t.Errorf("%s gave %v", name, err)
		}
		if _, err := sealer.Seal(subject, "test", nil); !fault.Is(err, fault.Erased) {
			t.Errorf("%s sealed again: %v", name, err)
		}
	}
}

func TestSubjectKeys(t *testing.T) {
	keys, err := sqlite.OpenSubjectKeys(t.Context(), filepath.Join(t.TempDir(), "keys.db"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	storetest.TestSubjectKeys(t, keys)
}
