// Package witness owns a witness of transparency logs (C2SP tlog-witness): an HTTP server that cosigns a log's
// checkpoint only if it continues the last one that it cosigned, and the client by which a log asks it.
//
// A witness is run by someone other than the log's operator. It knows the logs' public keys, its own private key, and
// of each log the checkpoint that it cosigned last: one file, replaced as a whole and on the disk before the
// cosignature is given out. Whoever holds the log's database and key can therefore rewrite the log, but not have the
// rewriting cosigned, also not after this process was killed at any moment.
//
// The server uses the standard library and std/c2sp only. It keeps no metrics and has no other pages: what it holds is
// in its folder, in plain text.
package witness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"yagona/std/c2sp"
	"yagona/std/wholefile"
)

// maxRequest is the size of a request body: 63 hashes, and a checkpoint with 16 large signatures.
const maxRequest = 128 << 10

// Config says whom a witness watches.
type Config struct {
	Folder   string          // where the state is kept; made if it does not exist; for this process alone
	Cosigner *c2sp.Cosigner  // the witness's key
	Logs     []note.Verifier // the logs' keys; a key's name is its log's origin; an origin may have several keys
	Logger   *slog.Logger    // required
}

// Server is a witness. It is safe for concurrent use.
type Server struct {
	config Config
	lock   *os.File
	logs   map[string]*watched
	save   func(path string, content []byte) error // wholefile.Write, but in tests
}

// watched is a log that the witness watches.
type watched struct {
	keys []note.Verifier
	path string

	guard sync.Mutex // from reading last until the new one is on the disk: else two submissions could both continue it
	last  tlog.Tree  // what was cosigned last; size 0: nothing yet
}

// Open reads the state and takes the folder for this process. A state that cannot be read or is not signed by its log
// is an error: starting without it would forget what was cosigned.
func Open(config Config) (*Server, error) {
	if len(config.Logs) == 0 {
		return nil, errors.New("a witness needs at least one log to watch: give its origin and key")
	}
	if err := os.MkdirAll(config.Folder, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFolder(config.Folder)
	if err != nil {
		return nil, fmt.Errorf("the folder %s is in use by another witness: give each its own: %w", config.Folder, err)
	}
	s := &Server{config: config, lock: lock, logs: map[string]*watched{}, save: wholefile.Write}
	for _, key := range config.Logs {
		log := s.logs[key.Name()]
		if log == nil {
			sum := sha256.Sum256([]byte(key.Name()))
			log = &watched{path: filepath.Join(config.Folder, hex.EncodeToString(sum[:])+".checkpoint")}
			s.logs[key.Name()] = log
		}
		log.keys = append(log.keys, key)
	}
	for origin, log := range s.logs {
		if err := log.load(); err != nil {
			lock.Close()
			return nil, fmt.Errorf("the checkpoint that was kept of %s (%s): %w", origin, log.path, err)
		}
	}
	return s, nil
}

// Close gives the folder free. Requests must have ended.
func (s *Server) Close() error { return s.lock.Close() }

// Handler serves POST /add-checkpoint.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err != nil {
			http.Error(w, "The request cannot be read, or is over 128 KiB.", http.StatusBadRequest)
			return
		}
		cosignature, err := s.Add(r.Context(), body)
		refusal, refused := errors.AsType[*c2sp.Refusal](err)
		switch {
		case refused && refusal.Size >= 0:
			w.Header().Set("Content-Type", c2sp.SizeType)
			w.WriteHeader(refusal.Status)
			io.WriteString(w, c2sp.FormatSize(refusal.Size))
		case refused:
			http.Error(w, refusal.Reason, refusal.Status)
		case err != nil:
			s.config.Logger.ErrorContext(r.Context(), "a checkpoint could not be kept", "error", err)
			http.Error(w, "The witness cannot keep the checkpoint at the moment. Try again later.", http.StatusInternalServerError)
		default:
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Write(cosignature)
		}
	})
	return mux
}

// Add cosigns the checkpoint of an add-checkpoint request and returns the signature line. A refusal is a *c2sp.Refusal;
// any other error says that the state could not be kept, and then nothing was cosigned.
func (s *Server) Add(ctx context.Context, body []byte) ([]byte, error) {
	refuse := func(status int, reason string) error {
		return &c2sp.Refusal{Status: status, Size: -1, Reason: reason}
	}
	request, err := c2sp.ParseAddCheckpoint(body)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, err.Error())
	}
	claimed, err := c2sp.Unverified(request.Checkpoint)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, err.Error())
	}
	log := s.logs[claimed.Origin]
	if log == nil {
		return nil, refuse(http.StatusNotFound, "This witness does not watch a log of this origin.")
	}
	checkpoint, err := log.open(request.Checkpoint)
	if err != nil {
		return nil, refuse(http.StatusForbidden, "The checkpoint is not signed by a key that this witness knows of the log.")
	}
	tree := checkpoint.Tree
	if request.Old > tree.N {
		return nil, refuse(http.StatusBadRequest, "The old size is larger than the checkpoint's.")
	}

	log.guard.Lock()
	defer log.guard.Unlock()
	if request.Old != log.last.N {
		return nil, &c2sp.Refusal{Status: http.StatusConflict, Size: log.last.N}
	}
	if err := continues(log.last, tree, request.Proof); err != nil {
		// Signed by the log and not a continuation: evidence against the log, worth keeping in the witness's own log.
		s.config.Logger.WarnContext(ctx, "a signed checkpoint does not continue the log",
			"origin", checkpoint.Origin, "old", log.last.N, "new", tree.N, "root", tree.Hash.String(), "error", err)
		if tree.N == log.last.N && tree.Hash != log.last.Hash {
			return nil, &c2sp.Refusal{Status: http.StatusConflict, Size: log.last.N}
		}
		return nil, refuse(http.StatusUnprocessableEntity, "The proof does not show that the checkpoint continues the last one.")
	}
	if tree != log.last {
		if err := s.save(log.path, request.Checkpoint); err != nil {
			return nil, err
		}
		log.last = tree
	}
	text := checkpoint.String()
	cosigned, err := note.Sign(&note.Note{Text: text}, s.config.Cosigner)
	if err != nil {
		return nil, err
	}
	return cosigned[len(text)+1:], nil
}

// continues checks the proof that the new tree has the old one as its beginning.
func continues(last, next tlog.Tree, proof tlog.TreeProof) error {
	if last.N == 0 {
		empty, err := tlog.TreeHash(0, nil)
		switch {
		case err != nil:
			return err
		case len(proof) > 0:
			return errors.New("a proof from an empty log is empty")
		case next.N == 0 && next.Hash != empty:
			return errors.New("an empty log has another root")
		}
		return nil
	}
	return tlog.CheckTree(proof, next.N, next.Hash, last.N, last.Hash)
}

// open verifies a checkpoint with the keys of the log.
func (w *watched) open(signed []byte) (checkpoint c2sp.Checkpoint, err error) {
	for _, key := range w.keys {
		if checkpoint, _, err = c2sp.Open(signed, key); err == nil {
			return checkpoint, nil
		}
	}
	return checkpoint, err
}

func (w *watched) load() error {
	kept, err := os.ReadFile(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	checkpoint, err := w.open(kept)
	if err != nil {
		return err
	}
	w.last = checkpoint.Tree
	return nil
}
