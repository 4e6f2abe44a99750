package sqlite_test

import (
	"testing"

	"yagona/store/storetest"
)

func TestRegister(t *testing.T) { storetest.TestRegister(t, open) }
func TestExchange(t *testing.T) { storetest.TestExchange(t, open) }

func TestArchive(t *testing.T) { storetest.TestArchive(t, open) }
