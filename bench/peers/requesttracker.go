package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// requestTracker is Request Tracker on a PostgreSQL server of its own, served by Starlet as its Debian package does it.
type requestTracker struct {
	client
	cluster
	folder string
	port   int
	cookie string
}

const (
	trackerServer = "/usr/share/request-tracker5/libexec/standalone_httpd"
	trackerSetup  = "/usr/sbin/rt-setup-database-5"
)

func (r *requestTracker) fetch(ctx context.Context, cache string) error {
	if _, err := os.Stat(trackerServer); err != nil {
		return errors.New("it is not installed (as root: apt-get install --no-install-recommends request-tracker5 rt5-standalone rt5-db-postgresql dbconfig-no-thanks msmtp-mta)")
	}
	return r.cluster.fetch(ctx, cache)
}

// trackerData is the queues, fields and the script that stand for the service.
const trackerData = `
our @Queues = ({ Name => 'cases' }, { Name => 'register' });
our @CustomFields = (
  { Name => 'birth', Type => 'FreeformSingle', Queue => ['cases', 'register'], Pattern => '^\d{4}-\d\d-\d\d$' },
  { Name => 'trade', Type => 'FreeformSingle', Queue => ['cases', 'register'], Pattern => '(?#Mandatory).' },
);
our @Scrips = ({
  Queue => 'cases', Description => 'evaluate', ScripCondition => 'On Create', ScripAction => 'User Defined', Template => 'Blank',
  CustomPrepareCode => 'return $self->TicketObj->Subject eq "apply";',
  CustomCommitCode => <<'CODE',
my $ticket = $self->TicketObj;
my ($year) = ($ticket->FirstCustomFieldValue('birth') // '') =~ /^(\d{4})/;
if (!$year || (localtime)[5] + 1900 - $year < 16) { $ticket->SetStatus('rejected'); return 1; }
my $entry = RT::Ticket->new(RT->SystemUser);
my ($id) = $entry->Create(Queue => 'register', Subject => 'entry', RefersTo => $ticket->id);
$ticket->SetStatus('resolved');
return $id ? 1 : 0;
CODE
});
1;
`

func (r *requestTracker) lay(ctx context.Context) error {
	settings := fmt.Sprintf(`Set($rtname, 'peers'); Set($Organization, 'peers'); Set($WebPath, ''); Set($WebDomain, '127.0.0.1'); Set($WebPort, %d);
Set($DatabaseType, 'Pg'); Set($DatabaseHost, '127.0.0.1'); Set($DatabaseRTHost, '127.0.0.1'); Set($DatabasePort, '%d');
Set($DatabaseUser, 'rt'); Set($DatabasePassword, 'rt'); Set($DatabaseName, 'rt');
Set($SendmailPath, '/bin/true'); Set($LogToSyslog, undef); Set($LogToSTDERR, 'error');
1;
`, r.port, r.cluster.port)
	for name, content := range map[string]string{"settings.pm": settings, "data.pl": trackerData} {
		if err := os.WriteFile(filepath.Join(r.folder, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	if err := r.cluster.lay(ctx); err != nil {
		return err
	}
	database := &contestant{processes: []*exec.Cmd{r.command()}}
	if err := launch(database.processes[0]); err != nil {
		return err
	}
	defer database.end()
	return errors.Join(
		quietly(r.tool(ctx, "/bin/sh", "-c", r.databaseAnswers())),
		quietly(r.tool(ctx, trackerSetup, "--action", "init", "--dba", "postgres", "--dba-password", "none")),
		quietly(r.tool(ctx, trackerSetup, "--action", "insert", "--skip-create", "--datafile", filepath.Join(r.folder, "data.pl"))),
	)
}

// tool is a command with the settings of this Request Tracker.
func (r *requestTracker) tool(ctx context.Context, path string, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, path, arguments...)
	command.Env = append(os.Environ(), "RT_SITE_CONFIG="+filepath.Join(r.folder, "settings.pm"), "RT_SITE_CONFIG_DIR="+filepath.Join(r.folder, "none"))
	return command
}

func (r *requestTracker) commands() []*exec.Cmd {
	return []*exec.Cmd{r.command(), r.tool(context.Background(), "/bin/sh", "-c",
		fmt.Sprintf("%s; exec %s --server Starlet --host 127.0.0.1 --port %d", r.databaseAnswers(), trackerServer, r.port))}
}

// databaseAnswers is a line for the shell that waits until it does: without it Request Tracker does not start.
func (r *requestTracker) databaseAnswers() string {
	return fmt.Sprintf("until %s -q -h 127.0.0.1 -p %d; do sleep 0.02; done", filepath.Join(r.bin, "pg_isready"), r.cluster.port)
}

// connect signs in as a browser does: a password or a token would cost a slow hash at each request.
func (r *requestTracker) connect(ctx context.Context) error {
	form := url.Values{"user": {"root"}, "pass": {"password"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.base+"/NoAuth/Login.html", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(request) // it follows no redirect
	if err != nil {
		return err
	}
	defer response.Body.Close()
	for _, one := range response.Cookies() {
		r.cookie = one.Name + "=" + one.Value
	}
	return r.send(ctx, http.MethodGet, "/REST/2.0/queue/cases", nil, nil, "Cookie", r.cookie)
}

func (r *requestTracker) settle(context.Context) error { return nil }

func (r *requestTracker) do(ctx context.Context, measure string, _ int, id string) (string, error) {
	subject := "case"
	switch measure {
	case read:
		return id, r.send(ctx, http.MethodGet, "/REST/2.0/ticket/"+id, nil, nil, "Cookie", r.cookie)
	case submit:
		subject = "apply"
	case create:
	default:
		return "", errNotDone
	}
	var made struct {
		ID string `json:"id"`
	}
	err := r.send(ctx, http.MethodPost, "/REST/2.0/ticket", map[string]any{
		"Queue": "cases", "Subject": subject, "Content": text, "CustomFields": map[string]string{"birth": "1990-05-01", "trade": "sewing"},
	}, &made, "Cookie", r.cookie)
	if err == nil && made.ID == "" {
		err = errors.New("no ticket was made")
	}
	return made.ID, err
}
