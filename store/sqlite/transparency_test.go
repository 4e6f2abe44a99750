package sqlite_test

import (
	"testing"

	"yagona/store/storetest"
)

func TestTransparency(t *testing.T) { storetest.TestTransparency(t, open) }
