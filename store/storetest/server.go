package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/store"
	"yagona/store/postgres"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// Server is a PostgreSQL server of a test process: it is started when it is first needed, listens on loopback, and ends
// with the process, however that ends.
type Server struct {
	Folder string // of its data; its log is server.log
	Port   int
	bin    string
	attend io.Closer // the standard input of who watches over it
}

var started = sync.OnceValues(start)

// errNoServer says that there is no PostgreSQL on this machine.
var errNoServer = errors.New("there is no PostgreSQL 15 or newer in /usr/lib/postgresql: install Debian's package postgresql-15")

// ServerURL returns the address of a fresh database with all tables in the server of this test process. It is removed
// when the test ends. The test is skipped in short mode, and where no PostgreSQL is installed, unless everything is to be
// tested.
func ServerURL(t testing.TB) string {
	t.Helper()
	return StartServer(t).fresh(t, template)
}

// EmptyURL is ServerURL without the tables.
func EmptyURL(t testing.TB) string {
	t.Helper()
	return StartServer(t).fresh(t, `template0 ENCODING 'UTF8' LOCALE 'C'`)
}

const template = "yagona_template"

func (s *Server) fresh(t testing.TB, template string) string {
	t.Helper()
	name := "yagona_" + fmt.Sprintf("%x", ident.Random[string]())[:40]
	ctx := context.WithoutCancel(t.Context())
	if err := s.admin(ctx, `CREATE DATABASE `+name+` TEMPLATE `+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.admin(ctx, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	})
	return s.URL(name)
}

// StartServer returns the server of this test process.
func StartServer(t testing.TB) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts a PostgreSQL server")
	}
	server, err := started()
	if errors.Is(err, errNoServer) && os.Getenv("YAGONA_TEST_ALL") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// URL returns the address of a database of the server.
func (s *Server) URL(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.User("postgres"), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)), Path: "/" + database,
		RawQuery: "sslmode=disable",
	}).String()
}

func (s *Server) admin(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, one := range statements {
		if _, err := conn.Exec(ctx, one); err != nil {
			return fmt.Errorf("%s: %w", one, err)
		}
	}
	return nil
}

// start starts a server and makes the template of the databases.
func start() (*Server, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return nil, err
	}
	version := func(path string) int {
		number, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return number
	}
	found = slices.DeleteFunc(found, func(path string) bool { return version(path) < 15 })
	if len(found) == 0 {
		return nil, errNoServer
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	s := &Server{bin: filepath.Dir(found[len(found)-1])}
	// In memory where there is a place: the server syncs its files as it would on a disk, and what a test kills is a
	// process, not the machine.
	if s.Folder, err = os.MkdirTemp("/dev/shm", "yagona-postgres-"); err != nil {
		s.Folder, err = os.MkdirTemp("", "yagona-postgres-")
	}
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.Port = listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	// The server refuses to run as root.
	attributes := &syscall.SysProcAttr{Setsid: true} // what ends the tests does not end who tidies up after them
	if os.Getuid() == 0 {
		owner, err := user.Lookup("postgres")
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(s.Folder, uid, gid); err != nil {
			return nil, err
		}
	}
	// Whoever watches over the server ends it when its standard input ends: when this process does.
	script := `cd "$1" && "$2/initdb" -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >server.log 2>&1 &&
		{ "$2/postgres" -D data -c listen_addresses=127.0.0.1 -c port="$3" -c unix_socket_directories= \
			-c max_connections=200 -c shared_buffers=64MB -c autovacuum_naptime=5 \
			-c log_min_messages=fatal >>server.log 2>&1 & server=$!; cat >/dev/null; kill -QUIT $server; wait $server; }
		cd / && rm -rf "$1"`
	watch := exec.Command("sh", "-c", script, "sh", s.Folder, s.bin, strconv.Itoa(s.Port))
	watch.SysProcAttr, watch.Dir = attributes, "/"
	input, err := watch.StdinPipe()
	if err != nil {
		return nil, err
	}
	s.attend = input
	if err := watch.Start(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		err := s.admin(ctx, `CREATE DATABASE `+template+` TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'`)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			said, _ := os.ReadFile(filepath.Join(s.Folder, "server.log"))
			return nil, fmt.Errorf("the server did not start: %w\n%s", err, said)
		}
		time.Sleep(50 * time.Millisecond)
	}
	db, err := postgres.Open(ctx, postgres.Config{URL: s.URL(template), Clock: Still})
	if err != nil {
		return nil, err
	}
	return s, db.Close()
}

// Variable says that what takes a store from Temporary and Keys is tested on PostgreSQL.
const Variable = "YAGONA_TEST_POSTGRES"

// Temporary returns a fresh store that ends with the test: a temporary file of the embedded engine, or with
// YAGONA_TEST_POSTGRES=1 a database in the server of this test process.
func Temporary(t testing.TB, clock act.Clock) store.DB {
	t.Helper()
	var db store.DB
	var err error
	if os.Getenv(Variable) == "" {
		db, err = sqlite.Temporary(context.WithoutCancel(t.Context()), clock)
	} else {
		db, err = postgres.Open(context.WithoutCancel(t.Context()), postgres.Config{URL: ServerURL(t), Clock: clock})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// File returns a fresh store of the embedded engine that ends with the test, and the path of its file: for a test that looks
// into the file or changes it.
func File(t testing.TB, clock act.Clock) (db *sqlite.DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "yagona.db")
	db, err := sqlite.Open(context.WithoutCancel(t.Context()), sqlite.Config{Path: path, Clock: clock, Readers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, path
}

// Changed has readings see what the test wrote into the database's file past the store, which keeps its snapshots while it
// commits nothing itself.
func Changed(t testing.TB, db query.DB) {
	t.Helper()
	if err := db.Update(t.Context(), "test", func(*query.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
}

// Keys is Temporary for the subjects' keys.
func Keys(t testing.TB) store.SubjectKeys {
	t.Helper()
	location := filepath.Join(t.TempDir(), "keys.db")
	if os.Getenv(Variable) != "" {
		location = EmptyURL(t)
	}
	keys, err := store.OpenSubjectKeys(context.WithoutCancel(t.Context()), location, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := keys.Close(); err != nil {
			t.Error(err)
		}
	})
	return keys
}
