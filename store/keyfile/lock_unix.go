//go:build unix

package keyfile

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockFolder keeps other processes from making keys in the folder until it is unlocked.
func lockFolder(path string) (unlock func(), err error) {
	unlock, _, err = lock(path, unix.LOCK_EX)
	return unlock, err
}

// TryLock takes a folder for this process until it is unlocked, or the process ends, and reports whether it was free.
func TryLock(path string) (unlock func(), free bool, err error) {
	return lock(path, unix.LOCK_EX|unix.LOCK_NB)
}

func lock(path string, how int) (unlock func(), free bool, err error) {
	held, err := os.OpenFile(filepath.Join(path, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	if err := unix.Flock(int(held.Fd()), how); errors.Is(err, unix.EWOULDBLOCK) {
		return nil, false, held.Close()
	} else if err != nil {
		return nil, false, errors.Join(err, held.Close())
	}
	return func() { _ = held.Close() }, true, nil // closing unlocks
}
