//go:build unix

package node

import "syscall"

// freeSpace returns how many bytes an ordinary user can still write into the file system of the folder.
func freeSpace(folder string) (int64, error) {
	var found syscall.Statfs_t
	if err := syscall.Statfs(folder, &found); err != nil {
		return 0, err
	}
	return int64(found.Bavail) * int64(found.Bsize), nil //nolint:unconvert // the fields' types differ between systems
}
