package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/session"
	"yagona/node"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/store/query"
	"yagona/web/route"
)

// yagona is an installation of synthetic people, served by this program.
type yagona struct {
	client
	folder       string
	port, people int
	signed       signed
}

// signed is who takes part, with the tokens of their sessions.
type signed struct {
	Residents []resident `json:"residents"`
	Registrar string     `json:"registrar"`
	Day       string     `json:"day"`
}

type resident struct {
	ID      ident.Person    `json:"id"`
	Mahalla ident.Territory `json:"mahalla"`
	Token   string          `json:"token"`
}

func (y *yagona) fetch(context.Context, string) error { return nil }
func (y *yagona) lay(context.Context) error           { return nil }

func (y *yagona) commands() []*exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return []*exec.Cmd{exec.Command(self, "serve", filepath.Join(y.folder, "installation"), strconv.Itoa(y.port), strconv.Itoa(y.people))}
}

func (y *yagona) connect(ctx context.Context) error {
	if err := y.send(ctx, http.MethodGet, "/api/v1/keys", nil, nil); err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Join(y.folder, "installation", "signed.json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(content, &y.signed)
}

func (y *yagona) settle(ctx context.Context) error {
	return y.send(ctx, http.MethodGet, "/settled", nil, nil)
}

func (y *yagona) do(ctx context.Context, measure string, i int, id string) (string, error) {
	who := i % len(y.signed.Residents)
	one := y.signed.Residents[who]
	switch measure {
	case create:
		return y.apply(ctx, who, "mahalla/street-event", map[string]any{"occasion": "wedding", "day": y.signed.Day, "guests": 120}, "deciding")
	case submit:
		return y.apply(ctx, who, "interior/empty-home", map[string]any{"where": one.Mahalla, "from": y.signed.Day, "until": y.signed.Day}, "received")
	case record:
		var made struct {
			Record string `json:"record"`
		}
		err := y.send(ctx, http.MethodPost, "/api/v1/registers/youth/notebook/records", map[string]any{"reason": "measured", "values": map[string]any{
			"person": one.ID.Subject(), "support": "help", "amount": 100_000, "grantedOn": "2026-01-12",
		}}, &made, "Authorization", "Bearer "+y.signed.Registrar)
		return strconv.Itoa(who) + "/" + made.Record, err
	}
	owner, name, _ := strings.Cut(id, "/")
	who, err := strconv.Atoi(owner)
	if err != nil {
		return "", err
	}
	path := "/api/v1/applications/" + name
	if measure == own {
		path = "/api/v1/me/records/youth/notebook/" + name
	}
	return id, y.send(ctx, http.MethodGet, path, nil, nil, "Authorization", "Bearer "+y.signed.Residents[who].Token)
}

// apply sends an application and expects its state. Its id is the resident's number and the application's own.
func (y *yagona) apply(ctx context.Context, who int, service string, answers map[string]any, expected string) (string, error) {
	var sent struct {
		Application struct {
			ID    string `json:"id"`
			State string `json:"state"`
		} `json:"application"`
	}
	err := y.send(ctx, http.MethodPost, "/api/v1/applications", map[string]any{
		"service": service, "language": "en", "answers": answers, "send": true,
	}, &sent, "Authorization", "Bearer "+y.signed.Residents[who].Token)
	if err == nil && sent.Application.State != expected {
		err = fmt.Errorf("the application is %s instead of %s", sent.Application.State, expected)
	}
	return strconv.Itoa(who) + "/" + sent.Application.ID, err
}

// serve serves an installation in a folder on a port until it is asked to end.
func serve(arguments []string) (err error) {
	if len(arguments) != 3 {
		return errors.New("usage: peers serve FOLDER PORT PEOPLE")
	}
	folder := arguments[0]
	size, err := strconv.Atoi(arguments[2])
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", arguments[1]))
	if err != nil {
		return err
	}
	log, _ := node.Log(os.Stderr, slog.LevelInfo) // a line for each request, as the command that serves writes it
	opened, err := node.OpenDemonstration(ctx, node.Config{
		Folder: folder, Site: &url.URL{Scheme: "http", Host: listener.Addr().String()}, Country: packs.Country(), Packs: packs.All(), Clock: time.Now,
		Log:    log,
		Limits: route.Limits{Person: math.MaxInt, Program: math.MaxInt, Address: math.MaxInt}, // a few residents stand for many
	}, size)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	if err := signIn(ctx, opened, folder, size); err != nil {
		return err
	}
	node.Roomy() // as the command that serves does
	opened.Start(context.WithoutCancel(ctx))
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/settled" {
			opened.Handler.ServeHTTP(w, r)
			return
		}
		if err := settled(r.Context(), opened); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Shutdown(context.WithoutCancel(ctx)) // the process ends
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// signIn begins a session of every adult and of a registrar at the first start, and writes their tokens into a file.
func signIn(ctx context.Context, opened *node.Node, folder string, size int) error {
	path := filepath.Join(folder, "signed.json")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	today := opened.Profile.Calendar.Date(time.Now())
	population, err := demo.Generate(1, opened.Profile, today, size)
	if err != nil {
		return err
	}
	who := signed{Day: today.AddDays(20).String()}
	for _, one := range population.People {
		if one.Age(today) < 18 {
			continue
		}
		token, _, err := opened.Sessions.Start(ctx, one.ID, session.Program, false)
		if err != nil {
			return err
		}
		who.Residents = append(who.Residents, resident{one.ID, one.Residence, string(token)})
	}
	at := slices.IndexFunc(population.Officials, func(one demo.Official) bool { return one.Role == "registrar" && one.Agency == "youth-agency" })
	if at < 0 {
		return errors.New("the demonstration has no registrar")
	}
	token, _, err := opened.Sessions.Start(ctx, population.Officials[at].Person, session.Program, false)
	if err != nil {
		return err
	}
	who.Registrar = string(token)
	encoded, err := json.Marshal(who)
	if err != nil {
		return err
	}
	return os.WriteFile(path, encoded, 0o600)
}

// settled waits until no job is due.
func settled(ctx context.Context, opened *node.Node) error {
	jobs := query.For[job.Reader, job.Tx](opened.DB)
	for {
		var next time.Time
		err := jobs.View(ctx, func(tx job.Reader) (err error) {
			next, err = tx.NextJob()
			return err
		})
		if err != nil || next.IsZero() || next.After(time.Now().Add(time.Minute)) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}
