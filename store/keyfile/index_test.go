package keyfile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yagona/store/keyfile"
)

// Only a rotation makes an index key: what somebody laid into the folder is not believed.
func TestAnIndexKeyThatNoRotationMadeIsRefused(t *testing.T) {
	for name, one := range map[string]struct {
		file   string
		secret func(first []byte) []byte
		want   string
	}{
		"one that skips generations": {"index-7.secret", func([]byte) []byte { return bytes.Repeat([]byte{7}, 32) }, "index-7.secret does not follow"},
		"a copy":                     {"index-2.secret", func(first []byte) []byte { return first }, "index-2.secret is a copy of"},
		"a short one":                {"index-2.secret", func([]byte) []byte { return []byte{1} }, "has 32 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			folder, err := keyfile.Open(path, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			keys, err := folder.IndexKeys()
			if err != nil || len(keys) != 1 {
				t.Fatal(keys, err)
			}
			if err := os.WriteFile(filepath.Join(path, one.file), one.secret(keys[0].Secret), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := folder.IndexKeys(); err == nil || !strings.Contains(err.Error(), one.want) {
				t.Errorf("it is refused with %v", err)
			}
			if err := folder.ForgetIndexKeys(); err == nil {
				t.Error("the key before it is removed")
			}
		})
	}
}
