// Package wire owns how a load generator speaks HTTP/1.1: it takes as little of the processors as it can, because it shares
// them with what it measures. The goroutine that sends a request reads its answer, and of an answer nothing is kept but its
// status and its content.
//
// It speaks plain HTTP to servers of this machine, and to nobody else: no TLS, no proxies, no redirects, no compression.
package wire

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// patience is how long an answer may take.
const patience = time.Minute

// rested is for how long a connection may have been idle until it is asked whether the server still has it.
const rested = time.Second

// Client sends requests. Its zero value is ready; it is safe for concurrent use, and keeps as many connections as were
// needed at a time.
type Client struct {
	mu   sync.Mutex
	idle map[string][]*connection // guarded by mu; by the server's address
}

type connection struct {
	net.Conn
	reader *bufio.Reader
	writer *bufio.Writer
	since  time.Time // idle
}

// Send sends a request to an address (http://127.0.0.1:8080/path) with its headers, name by name, and with a body as JSON if
// there is one. It returns the answer's status and content, whatever they are.
func (c *Client) Send(ctx context.Context, method, address string, body any, headers ...string) (status int, content []byte, err error) {
	var encoded []byte
	if body != nil {
		if encoded, err = json.Marshal(body); err != nil {
			return 0, nil, err
		}
	}
	host, path, _ := strings.Cut(strings.TrimPrefix(address, "http://"), "/")
	on, err := c.connection(ctx, host)
	if err != nil {
		return 0, nil, err
	}
	if err := on.write(method, host, "/"+path, encoded, headers); err != nil {
		return 0, nil, errors.Join(err, on.Close())
	}
	status, content, last, err := on.read()
	if err != nil || last {
		return status, content, errors.Join(err, on.Close())
	}
	on.since = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle == nil {
		c.idle = map[string][]*connection{}
	}
	c.idle[host] = append(c.idle[host], on)
	return status, content, nil
}

// write sends a request; body nil: it has none.
func (c *connection) write(method, host, path string, body []byte, headers []string) error {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	w := c.writer // it keeps its first error until Flush
	for _, part := range []string{method, " ", path, " HTTP/1.1\r\nHost: ", host} {
		_, _ = w.WriteString(part)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		for _, part := range []string{"\r\n", headers[i], ": ", headers[i+1]} {
			_, _ = w.WriteString(part)
		}
	}
	if body != nil {
		_, _ = w.WriteString("\r\nContent-Type: application/json")
	}
	if body != nil || method != http.MethodGet {
		_, _ = w.WriteString("\r\nContent-Length: " + strconv.Itoa(len(body)))
	}
	_, _ = w.WriteString("\r\n\r\n")
	_, _ = w.Write(body)
	return w.Flush()
}

// read reads an answer to its end. Last says that the server closes the connection behind it.
func (c *connection) read() (status int, content []byte, last bool, err error) {
	line, err := c.line()
	if err != nil {
		return 0, nil, false, err
	}
	version, rest, _ := bytes.Cut(line, []byte(" "))
	code, _, _ := bytes.Cut(rest, []byte(" "))
	if status, err = strconv.Atoi(string(code)); err != nil || status < http.StatusOK {
		return 0, nil, false, fmt.Errorf("this is no answer: %.40q", line)
	}
	last = string(version) != "HTTP/1.1"
	length, chunked := -1, false
	for {
		if line, err = c.line(); err != nil {
			return 0, nil, false, err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, nil, false, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("Connection")):
			last = last || bytes.EqualFold(value, []byte("close"))
		}
	}
	switch {
	case status == http.StatusNoContent || status == http.StatusNotModified:
	case chunked:
		if content, err = io.ReadAll(httputil.NewChunkedReader(c.reader)); err == nil {
			_, err = c.line() // the one behind the last chunk
		}
	case length >= 0:
		content = make([]byte, length)
		_, err = io.ReadFull(c.reader, content)
	default:
		last = true
		content, err = io.ReadAll(c.reader)
	}
	return status, content, last, err
}

// line returns the next line of an answer without its end. It is the reader's until the next one.
func (c *connection) line() ([]byte, error) {
	line, err := c.reader.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// connection returns one that is idle, the last one first, or a new one.
func (c *Client) connection(ctx context.Context, address string) (*connection, error) {
	for {
		on := c.take(address)
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

func (c *Client) take(address string) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	idle := c.idle[address]
	if len(idle) == 0 {
		return nil
	}
	last := idle[len(idle)-1]
	c.idle[address] = idle[:len(idle)-1]
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

// Close closes the connections that nobody uses.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, idle := range c.idle {
		for _, one := range idle {
			_ = one.Close()
		}
	}
	c.idle = nil
}
