package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// cluster is a PostgreSQL server with its data in the folder, as initdb makes it.
type cluster struct {
	folder string
	port   int
	bin    string
	as     *syscall.SysProcAttr // it does not run as root
}

func (c *cluster) fetch(context.Context, string) error {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return errors.Join(err, errors.New("PostgreSQL is not installed (as root: apt-get install postgresql-15)"))
	}
	c.bin = filepath.Dir(slices.Max(found))
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		one, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, wrong := strconv.ParseUint(one.Uid, 10, 32)
		gid, err := strconv.ParseUint(one.Gid, 10, 32)
		if err := errors.Join(wrong, err); err != nil {
			return err
		}
		c.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		return nil
	}
	return errors.New("PostgreSQL does not run as root, and there is nobody else")
}

func (c *cluster) data() string { return filepath.Join(c.folder, "postgres") }

func (c *cluster) lay(ctx context.Context) error {
	if err := os.MkdirAll(c.data(), 0o700); err != nil {
		return err
	}
	if c.as != nil {
		if err := os.Chown(c.data(), int(c.as.Credential.Uid), int(c.as.Credential.Gid)); err != nil {
			return err
		}
	}
	command := exec.CommandContext(ctx, filepath.Join(c.bin, "initdb"), "-D", filepath.Join(c.data(), "data"), "-A", "trust", "-U", "postgres", "--locale=C", "--encoding=UTF8")
	command.Dir, command.SysProcAttr = c.data(), c.as
	return quietly(command)
}

func (c *cluster) command() *exec.Cmd {
	command := exec.Command(filepath.Join(c.bin, "postgres"), "-D", filepath.Join(c.data(), "data"), "-p", strconv.Itoa(c.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+c.data())
	command.Dir = c.data()
	if c.as != nil {
		as := *c.as
		command.SysProcAttr = &as
	}
	return command
}

// quietly runs a command, and returns what it said if it failed.
func quietly(command *exec.Cmd) error {
	said, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(command.Path), err, said[max(0, len(said)-600):])
	}
	return nil
}

// postgres is PostgreSQL with four tables and a function, and nothing before it.
type postgres struct {
	cluster
	clients int
	pool    *pgxpool.Pool
}

func (p *postgres) commands() []*exec.Cmd { return []*exec.Cmd{p.command()} }

const schema = `
CREATE TABLE IF NOT EXISTS people (id int PRIMARY KEY, birth date NOT NULL);
CREATE TABLE IF NOT EXISTS cases (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), person int NOT NULL, trade text NOT NULL, said text NOT NULL,
	state text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS cases_person ON cases (person);
CREATE TABLE IF NOT EXISTS register (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person int NOT NULL, trade text NOT NULL, since timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS register_person ON register (person);
CREATE TABLE IF NOT EXISTS journal (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person int NOT NULL, what text NOT NULL, object uuid NOT NULL, at timestamptz NOT NULL DEFAULT now());
INSERT INTO people SELECT n, '1990-05-01' FROM generate_series(0, 63) n ON CONFLICT DO NOTHING;
CREATE OR REPLACE FUNCTION submit(who int, what text, words text, OUT made uuid) LANGUAGE plpgsql AS $$
DECLARE
	born date;
	earlier bigint;
	outcome text := 'granted';
BEGIN
	IF what = '' OR length(words) > 2000 THEN RAISE EXCEPTION 'invalid'; END IF;
	SELECT birth INTO STRICT born FROM people WHERE id = who;
	SELECT id INTO earlier FROM register WHERE person = who ORDER BY id DESC LIMIT 1;
	IF born + interval '16 years' > now() THEN outcome := 'refused'; END IF;
	INSERT INTO cases (person, trade, said, state) VALUES (who, what, words, outcome) RETURNING id INTO made;
	IF outcome = 'granted' THEN INSERT INTO register (person, trade) VALUES (who, what); END IF;
	INSERT INTO journal (person, what, object) VALUES (who, 'application.submitted', made);
END $$`

func (p *postgres) connect(ctx context.Context) error {
	if p.pool != nil {
		p.pool.Close()
		p.pool = nil
	}
	config, err := pgxpool.ParseConfig(fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres", p.port))
	if err != nil {
		return err
	}
	config.MaxConns = int32(p.clients)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, schema); err != nil {
		pool.Close()
		return err
	}
	p.pool = pool
	return nil
}

func (p *postgres) settle(context.Context) error { return nil }

func (p *postgres) do(ctx context.Context, measure string, i int, id string) (made string, err error) {
	who := i % 64
	switch measure {
	case create:
		err = p.pool.QueryRow(ctx, `INSERT INTO cases (person, trade, said, state) VALUES ($1, $2, $3, 'open') RETURNING id::text`, who, "wedding", text).Scan(&made)
	case submit:
		err = p.pool.QueryRow(ctx, `SELECT submit($1, $2, $3)::text`, who, "sewing", text).Scan(&made)
	case read:
		var trade, said, state string
		made = id
		err = p.pool.QueryRow(ctx, `SELECT person, trade, said, state FROM cases WHERE id = $1::uuid`, id).Scan(&who, &trade, &said, &state)
		if errors.Is(err, pgx.ErrNoRows) {
			err = errLost
		}
	default:
		err = errNotDone
	}
	return made, err
}
