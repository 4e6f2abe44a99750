package sqlite_test

import (
	"testing"

	"yagona/store/storetest"
)

func TestCasework(t *testing.T) { storetest.TestCasework(t, open) }

func TestUploads(t *testing.T) { storetest.TestUploads(t, open) }

func TestInbox(t *testing.T) { storetest.TestInbox(t, open) }
