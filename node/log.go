package node

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// How long a line of the log may wait for others, and how many bytes may: a system call for each line takes longer than
// making it, a tenth of what a small request takes.
const (
	lineWaits     = 100 * time.Millisecond
	linesTogether = 64 << 10
)

// Log writes records of a level and above as lines of JSON. A line waits a moment for others, but none from a warning on:
// that one leaves at once, with those before it. Flush writes what waits, for the end of the process.
func Log(to io.Writer, level slog.Level) (log *slog.Logger, flush func()) {
	waiting := &lines{to: to}
	return slog.New(lineHandler{slog.NewJSONHandler(waiting, &slog.HandlerOptions{Level: level}), waiting}), waiting.flush
}

type lineHandler struct {
	slog.Handler
	waiting *lines
}

// Handle implements slog.Handler.
func (h lineHandler) Handle(ctx context.Context, record slog.Record) error {
	err := h.Handler.Handle(ctx, record)
	if record.Level >= slog.LevelWarn {
		h.waiting.flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (h lineHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return lineHandler{h.Handler.WithAttrs(attributes), h.waiting}
}

// WithGroup implements slog.Handler.
func (h lineHandler) WithGroup(name string) slog.Handler {
	return lineHandler{h.Handler.WithGroup(name), h.waiting}
}

// lines gathers lines. It is safe for concurrent use.
type lines struct {
	to      io.Writer
	mu      sync.Mutex
	content bytes.Buffer // guarded by mu
	due     bool         // guarded by mu: what is there will be written by itself
}

// Write implements io.Writer. Nobody hears of a log that cannot be written: there is nowhere to say it.
func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.content.Write(line)
	switch {
	case l.content.Len() >= linesTogether:
		l.write()
	case !l.due:
		l.due = true
		time.AfterFunc(lineWaits, l.flush)
	}
	return len(line), nil
}

func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = false
	l.write()
}

// write is called with mu locked.
func (l *lines) write() {
	if l.content.Len() > 0 {
		_, _ = l.to.Write(l.content.Bytes())
		l.content.Reset()
	}
}
