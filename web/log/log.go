// Package log owns the public face of the transparency log: its files over HTTP under /log/, as C2SP tlog-tiles wants
// them, and the reader of such files on another machine. What the files hold is package kernel/transparency's.
//
// The files hold hashes only: anybody may read, copy and keep them.
package log

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"yagona/kernel/fault"
	"yagona/kernel/transparency"
)

// Prefix is where the log's files stand.
const Prefix = "/log/"

// Handler serves the log's files:
//
//	GET /log/checkpoint           the newest published checkpoint, not to be cached for more than a second
//	GET /log/tile/0/x001/234      a tile of hashes, full or partial (….p/17); immutable
//	GET /log/tile/entries/000     a bundle of entries, likewise
//
// Bundles are not compressed: entries are hashes.
func Handler(resources transparency.Resources, logger *slog.Logger) http.Handler {
	serve := func(contentType, caching string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			content, err := resources.Resource(r.Context(), strings.TrimPrefix(r.URL.Path, Prefix))
			if err != nil {
				refused := fault.Of(err)
				if refused.Kind == fault.Internal && r.Context().Err() == nil {
					logger.ErrorContext(r.Context(), "a file of the log cannot be read", "path", r.URL.Path, "error", err)
				}
				w.Header().Set("Cache-Control", "no-store")
				http.Error(w, refused.Message, refused.Kind.Status())
				return
			}
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Cache-Control", caching)
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Prefix+"checkpoint", serve("text/plain; charset=utf-8", "public, max-age=1"))
	mux.HandleFunc("GET "+Prefix+"tile/{path...}", serve("application/octet-stream", "public, max-age=31536000, immutable"))
	return mux
}

// maxResource is the size of the largest file: a bundle of 256 entries of 65,535 bytes.
const maxResource = 256 * (2 + 65535)

// Remote reads the files of a log over HTTP, for an audit.
type Remote struct {
	prefix string
	client *http.Client
}

// NewRemote returns the log whose files stand below the URL.
func NewRemote(prefix string, client *http.Client) *Remote {
	return &Remote{strings.TrimSuffix(prefix, "/"), client}
}

// Resource implements transparency.Resources.
func (r *Remote) Resource(ctx context.Context, path string) ([]byte, error) {
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, r.prefix+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := r.client.Do(get)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	content, err := io.ReadAll(io.LimitReader(response.Body, maxResource+1))
	if err == nil && len(content) > maxResource {
		err = fmt.Errorf("%s: over %d bytes", path, maxResource)
	}
	return content, err
}
