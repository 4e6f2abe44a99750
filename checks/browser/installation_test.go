package browser

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

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
}

const people = 60

// open opens a demonstration of its own for one test.
func open(t *testing.T) *installation {
	t.Helper()
	profile, err := country.Load(uz.Files)
	if err != nil {
		t.Fatal(err)
	}
	population, err := demo.Generate(1, profile, profile.Calendar.Date(time.Now()), people)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := &url.URL{Scheme: "http", Host: listener.Addr().String()}
	opened, err := node.OpenDemonstration(t.Context(), node.Config{
		Folder: t.TempDir(), Site: address, Country: uz.Files, Packs: packs.All(), Clock: time.Now, Volatile: true,
	}, people)
	if err != nil {
		t.Fatal(err)
	}
	opened.Start(context.WithoutCancel(t.Context()))
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: opened.Handler}}
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return &installation{opened, population, address.String()}
}
