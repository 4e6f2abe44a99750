//go:build !unix

package keyfile

// lockFolder does nothing: on this system a folder belongs to one process.
func lockFolder(string) (unlock func(), err error) { return func() {}, nil }

// TryLock does nothing: on this system a folder belongs to one process.
func TryLock(string) (unlock func(), free bool, err error) { return func() {}, true, nil }
