package sqlite_test

import (
	"testing"

	"yagona/store/storetest"
)

func TestLedger(t *testing.T) { storetest.TestLedger(t, open) }
