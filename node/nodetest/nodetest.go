// Package nodetest owns what tests of a whole installation begin with: the folder of a demonstration whose people are stored
// already. They are stored once in a test process; each test gets a copy of its own, which node.OpenDemonstration or node.Open
// goes on with. Most tests are about something else than the first start, and would pay for it again and again.
package nodetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/node"
	"yagona/packs"
	"yagona/packs/uz"
)

// stored is who lives in a folder.
type stored struct {
	size  int
	today calendar.Date
}

var (
	mu        sync.Mutex
	templates = map[stored]string{} // guarded by mu: folders that are copied
)

// Populated returns a fresh folder in which a demonstration of so many people, with the packs that are shipped, was begun on
// the clock's day and ended. Its first log entry is still to be made, so it takes the name of whatever site goes on with it.
// The clock must not stand before one that was given for the same day earlier.
func Populated(t testing.TB, size int, clock act.Clock) string {
	t.Helper()
	template, err := populated(context.WithoutCancel(t.Context()), size, clock)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "installation")
	if err := copyFolder(folder, template); err != nil {
		t.Fatal(err)
	}
	return folder
}

// copyFolder copies a folder with the permissions of its files: some hold keys.
func copyFolder(to, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if entry.IsDir() {
			return os.Mkdir(target, info.Mode().Perm())
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, info.Mode().Perm())
	})
}

// Main runs the tests of a package that calls Populated, and removes what the copies were made from: its TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if err := End(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// End removes what the copies were made from.
func End() (err error) {
	mu.Lock()
	defer mu.Unlock()
	for _, template := range templates {
		err = errors.Join(err, os.RemoveAll(template))
	}
	clear(templates)
	return err
}

func populated(ctx context.Context, size int, clock act.Clock) (string, error) {
	profile, err := country.Load(uz.Files)
	if err != nil {
		return "", err
	}
	mu.Lock()
	defer mu.Unlock()
	who := stored{size, profile.Calendar.Date(clock())}
	if template, ok := templates[who]; ok {
		return template, nil
	}
	template, err := os.MkdirTemp("", "yagona-populated-")
	if err != nil {
		return "", err
	}
	n, err := node.OpenDemonstration(ctx, node.Config{
		Folder: template, Site: &url.URL{Scheme: "http", Host: "127.0.0.1"}, Country: uz.Files, Packs: packs.All(), Clock: clock, Volatile: true,
	}, size)
	if err == nil {
		err = n.Close()
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(template))
	}
	templates[who] = template
	return template, nil
}
