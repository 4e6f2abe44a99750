package browser

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/node"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
)

// installation is a demonstration that serves over loopback.
type installation struct {
	*node.Node
	people *demo.Population
	site   string

	folder string

	cut    atomic.Bool  // no request reaches it: the network is off
	after  atomic.Int64 // if positive: so many pieces of photos arrive before the network is off
	pieces atomic.Int64 // of photos that arrived
	wire   atomic.Int64 // bytes that it has sent, with all headers
	ahead  atomic.Int64 // by how much its clock is ahead of the machine's
}

// ServeHTTP answers as the installation does, or breaks the connection while the network is cut.
func (i *installation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if i.cut.Load() {
		panic(http.ErrAbortHandler)
	}
	i.Handler.ServeHTTP(w, r)
	if r.Method == http.MethodPatch {
		i.pieces.Add(1)
		if i.after.Add(-1) == 0 {
			i.cut.Store(true)
		}
	}
}

// counted is a listener that counts what its connections send.
type counted struct {
	net.Listener
	sent *atomic.Int64
}

// Accept returns a connection that counts.
func (c counted) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	return countedConn{conn, c.sent}, err
}

type countedConn struct {
	net.Conn
	sent *atomic.Int64
}

// Write counts what is sent.
func (c countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

func (i *installation) now() time.Time { return time.Now().Add(time.Duration(i.ahead.Load())) }

const people = 60

// open opens a demonstration of its own for one test, with the configuration changed.
func open(t *testing.T, change ...func(*node.Config)) *installation {
	t.Helper()
	return serve(t, func(profile *country.Profile, today calendar.Date) (*demo.Population, error) {
		return demo.Generate(1, profile, today, people)
	}, func(config node.Config) (*node.Node, io.Closer, error) {
		for _, one := range change {
			one(&config)
		}
		opened, err := node.OpenDemonstration(t.Context(), config, people)
		if err == nil {
			opened.Start(context.WithoutCancel(t.Context()))
		}
		return opened, opened, err
	})
}

// serve serves an installation of synthetic people for one test.
func serve(t *testing.T, generate func(*country.Profile, calendar.Date) (*demo.Population, error),
	open func(node.Config) (*node.Node, io.Closer, error),
) *installation {
	t.Helper()
	profile, err := country.Load(uz.Files)
	if err != nil {
		t.Fatal(err)
	}
	population, err := generate(profile, profile.Calendar.Date(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i := &installation{people: population, folder: t.TempDir()}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	address := &url.URL{Scheme: "http", Host: "localhost:" + port} // passkeys want a name
	opened, ending, err := open(node.Config{Folder: i.folder, Site: address, Country: uz.Files, Packs: packs.All(), Clock: i.now, Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	i.Node, i.site = opened, address.String()
	server := &httptest.Server{Listener: counted{listener, &i.wire}, Config: &http.Server{Handler: i}}
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := ending.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}
