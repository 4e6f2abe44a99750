package postgres_test

import (
	"testing"

	"yagona/kernel/act"
	"yagona/store/postgres"
	"yagona/store/storetest"
)

func open(t *testing.T, clock act.Clock) storetest.DB {
	return openAt(t, storetest.ServerURL(t), clock)
}

// openAt opens one of several processes' databases.
func openAt(t *testing.T, url string, clock act.Clock) *postgres.DB {
	t.Helper()
	return openWith(t, postgres.Config{URL: url, Clock: clock})
}

// openWith opens a database until the end of the test.
func openWith(t *testing.T, config postgres.Config) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), config)
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

func TestAct(t *testing.T)          { storetest.TestAct(t, open) }
func TestJournal(t *testing.T)      { storetest.TestJournal(t, open) }
func TestCasework(t *testing.T)     { storetest.TestCasework(t, open) }
func TestUploads(t *testing.T)      { storetest.TestUploads(t, open) }
func TestDocument(t *testing.T)     { storetest.TestDocument(t, open) }
func TestArchive(t *testing.T)      { storetest.TestArchive(t, open) }
func TestExchange(t *testing.T)     { storetest.TestExchange(t, open) }
func TestLedger(t *testing.T)       { storetest.TestLedger(t, open) }
func TestRegister(t *testing.T)     { storetest.TestRegister(t, open) }
func TestSignIn(t *testing.T)       { storetest.TestSignIn(t, open) }
func TestInbox(t *testing.T)        { storetest.TestInbox(t, open) }
func TestTransparency(t *testing.T) { storetest.TestTransparency(t, open) }

func TestSubjectKeys(t *testing.T) {
	keys, err := postgres.OpenSubjectKeys(t.Context(), storetest.EmptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	storetest.TestSubjectKeys(t, keys)
}
