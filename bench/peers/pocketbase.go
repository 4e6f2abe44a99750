package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// pocketbase is PocketBase as a framework; testdata/pocketbase has the program.
type pocketbase struct {
	client
	folder, synchronous string // "": as it is shipped
	port                int
	binary              string
	users               []struct{ ID, Token string }
}

func (p *pocketbase) fetch(ctx context.Context, cache string) (err error) {
	p.binary, err = build(ctx, cache, "pocketbase", "pocketbase", ".")
	return err
}

func (p *pocketbase) lay(context.Context) error { return nil }

func (p *pocketbase) commands() []*exec.Cmd {
	command := exec.Command(p.binary, "serve", "--dir", filepath.Join(p.folder, "data"), "--http", "127.0.0.1:"+strconv.Itoa(p.port))
	command.Dir = p.folder
	command.Env = append(os.Environ(), "PEERS_SYNCHRONOUS="+p.synchronous)
	return []*exec.Cmd{command}
}

func (p *pocketbase) connect(ctx context.Context) error {
	if err := p.send(ctx, http.MethodGet, "/api/health", nil, nil); err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Join(p.folder, "data", "tokens.json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(content, &p.users)
}

func (p *pocketbase) settle(context.Context) error { return nil }

func (p *pocketbase) do(ctx context.Context, measure string, i int, id string) (string, error) {
	const cases = "/api/collections/cases/records"
	who := i % len(p.users)
	var made struct {
		ID    string `json:"id"`
		State string `json:"state"`
	}
	var err error
	switch measure {
	case create:
		err = p.send(ctx, http.MethodPost, cases, map[string]any{
			"applicant": p.users[who].ID, "trade": "wedding", "text": text, "state": "open",
		}, &made, "Authorization", p.users[who].Token)
	case submit:
		err = p.send(ctx, http.MethodPost, "/submit", map[string]any{"trade": "sewing", "text": text}, &made, "Authorization", p.users[who].Token)
		if err == nil && made.State != "granted" {
			err = refused{http.StatusOK, "the application is " + made.State}
		}
	case read:
		owner, record, _ := strings.Cut(id, "/")
		if who, err = strconv.Atoi(owner); err == nil {
			err = p.send(ctx, http.MethodGet, cases+"/"+record, nil, nil, "Authorization", p.users[who].Token)
		}
		return id, err
	default:
		return "", errNotDone
	}
	return strconv.Itoa(who) + "/" + made.ID, err
}
