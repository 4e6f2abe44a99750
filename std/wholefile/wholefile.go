// Package wholefile writes files that are there as a whole or not at all, however the process or the machine ends: small
// ones on which the next start stands, such as keys.
//
// It owns nothing. Only the owner of a file reads it.
package wholefile

import (
	"errors"
	"os"
	"path/filepath"
)

// Write writes a file, in the place of another of that name if there is one. After it has returned nil the content is on
// the disk; after an end at any moment before, the file is what it was. What was begun then lies beside it, hidden, as
// ".new-…".
func Write(path string, content []byte) error {
	folder := filepath.Dir(path)
	temporary, err := os.CreateTemp(folder, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(content)
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return err
	}
	return Sync(folder)
}

// Sync puts on the disk what a file holds, or what was written, renamed and removed in a folder.
func Sync(path string) error {
	opened, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(opened.Sync(), opened.Close())
}
