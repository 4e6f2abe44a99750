package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"

	"yagona/bench/wire"
)

// client speaks HTTP to everybody in the same way: connections are kept, answers are read to their end.
type client struct {
	http *http.Client
	base string
}

func newClient(port int) client {
	return client{
		http: &http.Client{
			Transport:     &wire.Transport{},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		base: "http://127.0.0.1:" + strconv.Itoa(port),
	}
}

// send sends a request with its headers, name by name, and decodes the answer if it is wanted. Anything but success is an
// error: refused, and errLost if it was not found.
func (c client) send(ctx context.Context, method, path string, body, into any, headers ...string) error {
	var content io.Reader = http.NoBody
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode == http.StatusNotFound:
		return errLost
	case response.StatusCode >= http.StatusMultipleChoices:
		return refused{response.StatusCode, string(answer[:min(len(answer), 300)])}
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
