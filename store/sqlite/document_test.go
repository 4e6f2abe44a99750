package sqlite_test

import (
	"testing"

	"yagona/store/storetest"
)

func TestDocument(t *testing.T) { storetest.TestDocument(t, open) }
