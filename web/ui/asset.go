package ui

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"

	"yagona/web/route"
)

//go:generate ./assets/font/subset.sh

// asset is a file that pages load. Its address changes with its content, so browsers keep it for good.
type asset struct {
	name, path, kind string
	content          []byte
}

type assets []asset

// kinds are the media types of what pages load, by the ending of the file's name.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2",
	".png": "image/png", ".webmanifest": "application/manifest+json",
}

func newAsset(name string, content []byte) (asset, error) {
	kind, known := kinds[path.Ext(name)]
	if !known {
		return asset{}, fmt.Errorf("the asset %s has no media type", name)
	}
	sum := sha256.Sum256(content)
	return asset{name: name, path: "/ui/" + hex.EncodeToString(sum[:6]) + "/" + name, kind: kind, content: content}, nil
}

func (a assets) path(name string) string {
	if at := slices.IndexFunc(a, func(one asset) bool { return one.name == name }); at >= 0 {
		return a[at].path
	}
	return ""
}

// loaded is a file that the style sheet names: url(NAME).
var loaded = regexp.MustCompile(`url\(([a-z0-9.-]+)\)`)

// ownAssets returns the files of all pages. Ornaments stand in the style sheet itself, which saves a request; fonts are
// files of their own, of which a browser loads those whose letters a page shows.
func ownAssets() (assets, error) {
	var all assets
	for _, pattern := range []string{"assets/mark.svg", "assets/font/*.woff2", "assets/script/*.js"} {
		names, err := fs.Glob(assetFiles, pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			content, err := assetFiles.ReadFile(name)
			if err != nil {
				return nil, err
			}
			one, err := newAsset(path.Base(name), content)
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	style, err := assetFiles.ReadFile("assets/house.css")
	if err != nil {
		return nil, err
	}
	var missing error
	style = loaded.ReplaceAllFunc(style, func(found []byte) []byte {
		name := string(loaded.FindSubmatch(found)[1])
		if address := all.path(name); address != "" {
			return []byte("url(" + address + ")")
		}
		ornament, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			missing = fmt.Errorf("the style sheet loads %s: %w", name, err)
		}
		return []byte(`url("data:image/svg+xml,` + url.PathEscape(string(bytes.TrimSpace(ornament))) + `")`)
	})
	one, err := newAsset("house.css", style)
	if err != nil || missing != nil {
		return nil, errors.Join(err, missing)
	}
	return append(all, one), nil
}

// Script returns the address of one of the scripts in assets/script, for Page.Scripts; "" if there is none of that name.
func (h *House) Script(name string) string { return h.assets.path(name) }

// Routes returns the files that pages load.
func (h *House) Routes() []route.Route {
	routes := make([]route.Route, len(h.assets))
	for i, one := range h.assets {
		routes[i] = fileRoute(one)
	}
	return routes
}

// Asset returns the address of a file that a package brings for its pages and the route that serves it. Its name tells
// its media type: .css, .js, .svg, .png, .woff2 or .webmanifest.
func Asset(name string, content []byte) (string, route.Route, error) {
	one, err := newAsset(name, content)
	if err != nil {
		return "", route.Route{}, err
	}
	return one.path, fileRoute(one), nil
}

func fileRoute(one asset) route.Route {
	return route.Route{
		Method: "GET", Pattern: one.path, Access: route.Public(),
		Handle: func(w http.ResponseWriter, _ *http.Request, _ route.Visitor) error {
			w.Header().Set("Content-Type", one.kind)
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			_, err := w.Write(one.content)
			return err
		},
	}
}
