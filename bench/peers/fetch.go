package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// recipes are the modules from which peers are built, each with its versions pinned. A folder with a go.mod cannot be
// embedded, so that the ending .txt is taken off when a recipe is laid out.
//
//go:embed testdata/pocketbase testdata/temporal
var recipes embed.FS

// build builds a package of a recipe's module, once for all runs, and returns the program's path. The modules come through
// the module proxy as those of any program do.
func build(ctx context.Context, cache, recipe, name, from string) (string, error) {
	source, err := fs.Sub(recipes, "testdata/"+recipe)
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	err = fs.WalkDir(source, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(source, path)
		digest.Write([]byte(path))
		digest.Write(content)
		return err
	})
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, recipe+"-"+hex.EncodeToString(digest.Sum(nil))[:12])
	binary := filepath.Join(folder, "bin", name)
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := os.RemoveAll(filepath.Join(folder, "source")); err != nil {
		return "", err
	}
	if err := os.CopyFS(filepath.Join(folder, "source"), source); err != nil {
		return "", err
	}
	for _, one := range []string{"go.mod", "go.sum"} {
		path := filepath.Join(folder, "source", one)
		if err := os.Rename(path+".txt", path); err != nil {
			return "", err
		}
	}
	command := exec.CommandContext(ctx, "go", "build", "-o", binary+".new", from)
	command.Dir = filepath.Join(folder, "source")
	command.Env = append(os.Environ(), "GOWORK=off")
	if err := quietly(command); err != nil {
		return "", err
	}
	return binary, os.Rename(binary+".new", binary)
}
