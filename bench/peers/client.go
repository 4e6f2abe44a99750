package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strconv"

	"yagona/bench/wire"
)

// client speaks HTTP to everybody in the same way: connections are kept, answers are read to their end.
type client struct {
	wire *wire.Client
	base string
}

func newClient(port int) client {
	return client{wire: &wire.Client{}, base: "http://127.0.0.1:" + strconv.Itoa(port)}
}

// send sends a request with its headers, name by name, and decodes the answer if it is wanted. Anything but success is an
// error: refused, and errLost if it was not found.
func (c client) send(ctx context.Context, method, path string, body, into any, headers ...string) error {
	status, answer, err := c.wire.Send(ctx, method, c.base+path, body, headers...)
	switch {
	case err != nil:
		return err
	case status == http.StatusNotFound:
		return errLost
	case status >= http.StatusMultipleChoices:
		return refused{status, string(answer[:min(len(answer), 300)])}
	case into == nil:
		return nil
	}
	return json.Unmarshal(answer, into)
}

// free returns a port of loopback that nobody listens on.
func free() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	return port, listener.Close()
}

// text is what every case says, besides its fields.
const text = "A wedding in the street before our house, with about a hundred and twenty guests, from noon until the evening. " +
	"We clean the street afterwards."
