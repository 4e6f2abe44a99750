package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The settings of Patroni that docs/how-to/stay-up.md recommends and that are measured here, in seconds.
const (
	patroniTTL      = 20 // how long the leader's claim outlives the leader
	patroniLoopWait = 2
	patroniRetry    = 5
)

// replicated is two PostgreSQL servers under Patroni on loopback, one of which leads, with synchronous replication to the
// other; etcd remembers which. Everything ends with the test process, however that ends.
type replicated struct {
	t      *testing.T
	folder string
	as     *syscall.SysProcAttr // who the servers run as: PostgreSQL refuses to be root
	etcd   string
	nodes  [2]*server
}

// server is one PostgreSQL with the Patroni that keeps it.
type server struct {
	of      *replicated
	name    string
	address string // of PostgreSQL
	rest    string // the address of Patroni's own API
	patroni *exec.Cmd
	ended   chan struct{}
	frozen  []int // processes that were stopped
}

// startReplicated starts the servers and waits until the standby confirms commits. The test is skipped where Patroni or
// etcd is not installed, unless everything is to be tested.
func startReplicated(t *testing.T) *replicated {
	t.Helper()
	binaries, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"patroni", "etcd"} {
		if _, missing := exec.LookPath(tool); missing != nil {
			err = missing
		}
	}
	if err == nil && len(binaries) == 0 {
		err = fmt.Errorf("there is no PostgreSQL in /usr/lib/postgresql")
	}
	if err != nil {
		const advice = "install Debian's packages postgresql-15, patroni and etcd-server"
		if os.Getenv("YAGONA_TEST_ALL") != "" {
			t.Fatalf("%v: %s", err, advice)
		}
		t.Skipf("%v: %s", err, advice)
	}
	r := &replicated{t: t, as: &syscall.SysProcAttr{Setsid: true}}
	if r.folder, err = makeFolder(); err != nil {
		t.Fatal(err)
	}
	r.attend()
	if os.Getuid() == 0 {
		owner, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		r.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(r.folder, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	ports := freeAddresses(t, 6)
	r.etcd = ports[0]
	peer := "http://" + ports[1]
	r.launch("etcd", "etcd", "--enable-v2", "--data-dir", filepath.Join(r.folder, "etcd"),
		"--listen-client-urls", "http://"+r.etcd, "--advertise-client-urls", "http://"+r.etcd,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default="+peer)
	for i := range r.nodes {
		r.nodes[i] = &server{of: r, name: fmt.Sprintf("node%d", i+1), address: ports[2+i], rest: ports[4+i]}
		r.nodes[i].configure(filepath.Dir(binaries[len(binaries)-1]))
	}
	begun := time.Now()
	r.nodes[0].start()
	r.await("a first leader", func() bool { return r.nodes[0].is("primary") })
	r.nodes[1].start()
	r.awaitStandby()
	t.Logf("two servers replicate synchronously after %s", time.Since(begun).Round(100*time.Millisecond))
	return r
}

// makeFolder makes a folder in memory where there is a place, as storetest's server does: what is killed is a process, not
// the machine. It outlives the test for as long as it takes to end everything.
func makeFolder() (string, error) {
	const pattern = "yagona-patroni-"
	if folder, err := os.MkdirTemp("/dev/shm", pattern); err == nil {
		return folder, nil
	}
	return os.MkdirTemp("", pattern)
}

// freeAddresses returns addresses of loopback that nobody listens on.
func freeAddresses(t *testing.T, count int) (addresses []string) {
	t.Helper()
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses
}

// attend starts who ends everything and removes the folder once this process is gone or the test has ended.
func (r *replicated) attend() {
	r.t.Helper()
	// Patroni and etcd leave their numbers in files here; PostgreSQL leaves its own in its data.
	const script = `cat >/dev/null; cd "$1" || exit
		for file in *.pid; do kill -KILL "$(cat "$file")" 2>/dev/null; done
		for file in */postmaster.pid; do kill -CONT "$(head -n 1 "$file")" 2>/dev/null; kill -QUIT "$(head -n 1 "$file")" 2>/dev/null; done
		sleep 1; cd / && rm -rf "$1"`
	watch := exec.Command("sh", "-c", script, "sh", r.folder)
	watch.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	input, err := watch.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := watch.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		input.Close()
		_ = watch.Wait() // what it ends may have ended before
	})
}

// launch starts a program of the cluster, which writes into a file of the folder.
func (r *replicated) launch(name, program string, arguments ...string) (*exec.Cmd, chan struct{}) {
	r.t.Helper()
	said, err := os.OpenFile(filepath.Join(r.folder, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	defer said.Close()
	command := exec.Command(program, arguments...)
	command.Stdout, command.Stderr, command.Dir, command.SysProcAttr = said, said, r.folder, r.as
	command.Env = append(os.Environ(), "HOME="+r.folder, "LC_ALL=C.UTF-8")
	if err := command.Start(); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.folder, name+".pid"), []byte(strconv.Itoa(command.Process.Pid)), 0o600); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // it is killed
		close(ended)
	}()
	return command, ended
}

// configure writes the settings of a server: those of docs/how-to/stay-up.md, on loopback.
func (s *server) configure(binaries string) {
	s.of.t.Helper()
	everyone := []string{"host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust", "local all all trust"}
	_, port, _ := net.SplitHostPort(s.address)
	type object = map[string]any
	encoded, err := json.MarshalIndent(object{
		"scope": "yagona", "name": s.name,
		// Not etcd3: what Patroni 3.0 (Debian 12) keeps of that in memory goes stale when it hangs; its issue 2779.
		"etcd":    object{"host": s.of.etcd},
		"restapi": object{"listen": s.rest, "connect_address": s.rest},
		"bootstrap": object{
			"dcs": object{
				"ttl": patroniTTL, "loop_wait": patroniLoopWait, "retry_timeout": patroniRetry,
				"synchronous_mode": true, // no standby that lacks a confirmed commit becomes the leader
				// A leader whose PostgreSQL died gives way at once; it does not try to come back first.
				"master_start_timeout": 0,
				"postgresql": object{
					"use_pg_rewind": true, "use_slots": true,
					"parameters": object{
						"wal_log_hints": "on", "synchronous_commit": "on", "max_connections": 100, "shared_buffers": "64MB",
						"wal_retrieve_retry_interval": "500ms", // a standby that came too early tries again soon
					},
				},
			},
			"initdb": []any{object{"encoding": "UTF8"}, object{"locale": "C"}, "data-checksums"},
			"pg_hba": everyone,
		},
		"postgresql": object{
			"listen": s.address, "connect_address": s.address, "bin_dir": binaries,
			"data_dir": filepath.Join(s.of.folder, s.name), "pgpass": filepath.Join(s.of.folder, "pgpass-"+s.name),
			"pg_hba": everyone, "parameters": object{"unix_socket_directories": s.of.folder, "port": port},
			"authentication": object{
				"superuser": object{"username": "postgres"}, "replication": object{"username": "postgres"}, "rewind": object{"username": "postgres"},
			},
		},
	}, "", " ")
	if err != nil {
		s.of.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.of.folder, s.name+".yaml"), encoded, 0o644); err != nil { // JSON is YAML
		s.of.t.Fatal(err)
	}
}

func (s *server) start() {
	s.of.t.Helper()
	s.patroni, s.ended = s.of.launch(s.name, "patroni", filepath.Join(s.of.folder, s.name+".yaml"))
}

// is asks Patroni whether the server is the primary, or a sync standby.
func (s *server) is(role string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	asked, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.rest+"/"+role, nil)
	if err != nil {
		panic(err)
	}
	answered, err := http.DefaultClient.Do(asked)
	if err != nil {
		return false
	}
	defer answered.Body.Close()
	_, _ = io.Copy(io.Discard, answered.Body)
	return answered.StatusCode == http.StatusOK
}

func (r *replicated) await(what string, there func() bool) {
	r.t.Helper()
	for begun := time.Now(); !there(); time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > patience {
			r.t.Fatalf("after %s there is not %s:\n%s", patience, what, r.said())
		}
	}
}

// said returns the end of what the servers' keepers wrote.
func (r *replicated) said() string {
	var all strings.Builder
	for _, s := range r.nodes {
		written, _ := os.ReadFile(filepath.Join(r.folder, s.name+".log"))
		all.WriteString(s.name + ":\n" + string(written[max(0, len(written)-3000):]) + "\n")
	}
	return all.String()
}

// awaitStandby waits until one server leads and the other confirms its commits, and returns them.
func (r *replicated) awaitStandby() (leader, standby *server) {
	r.t.Helper()
	r.await("a leader with a synchronous standby", func() bool {
		leader, standby = r.nodes[0], r.nodes[1]
		if standby.is("primary") {
			leader, standby = standby, leader
		}
		return leader.is("primary") && standby.is("sync")
	})
	return leader, standby
}

// url returns the address of a database by way of all servers: whoever leads is used.
func (r *replicated) url(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.User("postgres"), Host: r.nodes[0].address + "," + r.nodes[1].address, Path: "/" + database,
		RawQuery: "target_session_attrs=read-write&connect_timeout=2&sslmode=disable",
	}).String()
}

// create makes an empty database and returns its address.
func (r *replicated) create(name string) string {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), r.url("postgres"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(r.t.Context()))
	if _, err := conn.Exec(r.t.Context(), `CREATE DATABASE `+name+` TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'`); err != nil {
		r.t.Fatal(err)
	}
	return r.url(name)
}

// confirmNothing stops the standby's receiver: the leader writes on, and no commit is confirmed. The function that is
// returned lets it go on.
func (s *server) confirmNothing() (again func()) {
	s.of.t.Helper()
	ctx := s.of.t.Context()
	conn, err := pgx.Connect(ctx, "postgres://postgres@"+s.address+"/postgres?sslmode=disable")
	if err != nil {
		s.of.t.Fatal(err)
	}
	defer conn.Close(ctx)
	var receiver int
	if err := conn.QueryRow(ctx, `SELECT pid FROM pg_stat_wal_receiver`).Scan(&receiver); err != nil {
		s.of.t.Fatal(err)
	}
	if err := syscall.Kill(receiver, syscall.SIGSTOP); err != nil {
		s.of.t.Fatal(err)
	}
	return func() { _ = syscall.Kill(receiver, syscall.SIGCONT) } // it may have been ended
}

// postmaster returns the number of the server's process.
func (s *server) postmaster() int {
	s.of.t.Helper()
	written, err := os.ReadFile(filepath.Join(s.of.folder, s.name, "postmaster.pid"))
	if err != nil {
		s.of.t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(written), "\n")
	number, err := strconv.Atoi(line)
	if err != nil {
		s.of.t.Fatal(err)
	}
	return number
}

// family returns the process and its children.
func family(of int) []int {
	all := []int{of}
	found, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", of, of))
	for child := range strings.FieldsSeq(string(found)) {
		number, _ := strconv.Atoi(child)
		all = append(all, number)
	}
	return all
}

// killPostgres kills PostgreSQL with SIGKILL; Patroni lives on.
func (s *server) killPostgres() {
	for _, process := range family(s.postmaster()) {
		_ = syscall.Kill(process, syscall.SIGKILL) // a child may have ended
	}
}

// killAll kills PostgreSQL and Patroni with SIGKILL, as if the machine were gone.
func (s *server) killAll() {
	processes := append(family(s.postmaster()), family(s.patroni.Process.Pid)...)
	for _, process := range processes {
		_ = syscall.Kill(process, syscall.SIGSTOP) // none of them sees another go
	}
	for _, process := range processes {
		_ = syscall.Kill(process, syscall.SIGKILL)
	}
	<-s.ended
}

// freeze stops all processes of the server, as a machine that hangs; thaw lets them go on.
func (s *server) freeze() {
	s.frozen = append(family(s.patroni.Process.Pid), family(s.postmaster())...)
	for _, process := range s.frozen {
		_ = syscall.Kill(process, syscall.SIGSTOP)
	}
}

func (s *server) thaw() {
	for _, process := range s.frozen {
		_ = syscall.Kill(process, syscall.SIGCONT)
	}
}
