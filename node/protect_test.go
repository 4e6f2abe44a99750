package node_test

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yagona/node"
	"yagona/packs"
	"yagona/packs/uz"
)

// demonstration opens a small demonstration in the folder.
func demonstration(t *testing.T, folder string) (*node.Node, error) {
	t.Helper()
	return node.OpenDemonstration(t.Context(), node.Config{
		Folder: folder, Site: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, Country: uz.Files, Packs: packs.All(), Clock: time.Now, Volatile: true,
	}, 30)
}

func TestNobodyElseReadsTheFilesOfAnInstallation(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "installation")
	check := func() {
		t.Helper()
		opened, err := demonstration(t, folder)
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		count := 0
		err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			count++
			if info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has the mode %s", path, info.Mode())
			}
			return nil
		})
		if err != nil || count < 8 {
			t.Errorf("looked at %d files: %v", count, err)
		}
	}
	check()
	// A copy that was put back is as open as the copying left it.
	for _, name := range []string{".", "yagona.db", "subject-keys.db", "bank.journal", "keys/index.secret"} {
		if err := os.Chmod(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	check()
}

func TestAnIndexKeyOfAnotherInstallationIsNoticedAtTheStart(t *testing.T) {
	folder := t.TempDir()
	opened, err := demonstration(t, folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "keys", "index.secret")
	right, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	stranger, err := demonstration(t, other)
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.Close(); err != nil {
		t.Fatal(err)
	}
	wrong, err := os.ReadFile(filepath.Join(other, "keys", "index.secret"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, wrong, 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err := demonstration(t, folder); err == nil {
		again.Close()
		t.Fatal("it was opened")
	} else if !strings.Contains(err.Error(), "index.secret is not the key of the indexes") || !strings.Contains(err.Error(), "put it back") {
		t.Errorf("it says %v", err)
	}
	if err := os.WriteFile(path, right, 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := demonstration(t, folder)
	if err != nil {
		t.Fatalf("with the right key: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
