//go:build !unix

package witness

import (
	"os"
	"path/filepath"
)

// lockFolder opens the lock file without locking it: the standard library has no lock for this system, and the operator
// must see to it that one witness runs in a folder.
func lockFolder(folder string) (*os.File, error) {
	return os.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
}
