// Package wire owns how a load generator speaks HTTP/1.1: it takes as little of the processors as it can, because it shares
// them with what it measures. The goroutine that sends a request reads its answer; net/http's own transport has two more for
// each connection, and hands everything over to them.
//
// It speaks plain HTTP to servers of this machine, and to nobody else: no TLS, no proxies, no redirects of its own.
package wire

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// patience is how long an answer may take.
const patience = time.Minute

// rested is for how long a connection may have been idle until it is asked whether the server still has it.
const rested = time.Second

// Transport is an http.RoundTripper. Its zero value is ready; it is safe for concurrent use, and keeps as many connections as
// were needed at a time.
type Transport struct {
	mu   sync.Mutex
	idle map[string][]*connection // guarded by mu; by the server's address
}

type connection struct {
	net.Conn
	reader *bufio.Reader
	writer *bufio.Writer
	since  time.Time // idle
}

// RoundTrip implements http.RoundTripper. The answer is read to its end.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	on, err := t.connection(request.Context(), request.URL.Host)
	if err != nil {
		return nil, err
	}
	answer, err := on.exchange(request)
	if err != nil {
		return nil, errors.Join(err, on.Close())
	}
	if answer.Close {
		return answer, on.Close()
	}
	on.since = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.idle == nil {
		t.idle = map[string][]*connection{}
	}
	t.idle[request.URL.Host] = append(t.idle[request.URL.Host], on)
	return answer, nil
}

func (c *connection) exchange(request *http.Request) (*http.Response, error) {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if err := request.Write(c.writer); err != nil {
		return nil, err
	}
	if err := c.writer.Flush(); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(c.reader, request)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(content))
	return answer, nil
}

// connection returns one that is idle, the last one first, or a new one.
func (t *Transport) connection(ctx context.Context, address string) (*connection, error) {
	for {
		on := t.take(address)
		if on == nil {
			break
		}
		if time.Since(on.since) < rested || on.alive() {
			return on, nil
		}
		_ = on.Close() // the server has closed it
	}
	dialled, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: dialled, reader: bufio.NewReader(dialled), writer: bufio.NewWriter(dialled)}, nil
}

func (t *Transport) take(address string) *connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	idle := t.idle[address]
	if len(idle) == 0 {
		return nil
	}
	last := idle[len(idle)-1]
	t.idle[address] = idle[:len(idle)-1]
	return last
}

// alive reports whether the server has not closed an idle connection.
func (c *connection) alive() bool {
	if err := c.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		return false
	}
	_, err := c.reader.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// Send sends a request with its headers, name by name, and with a body as JSON if there is one. It returns the answer's
// status and content, whatever they are.
func Send(ctx context.Context, by *http.Client, method, address string, body any, headers ...string) (status int, answer []byte, err error) {
	var content io.Reader = http.NoBody
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return 0, nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := by.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// CloseIdleConnections closes the connections that nobody uses.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, idle := range t.idle {
		for _, one := range idle {
			_ = one.Close()
		}
	}
	t.idle = nil
}
