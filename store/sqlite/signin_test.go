package sqlite_test

import (
	"testing"

	"yagona/store/storetest"
)

func TestSignIn(t *testing.T) { storetest.TestSignIn(t, open) }
