package email_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/channel/email"
	"yagona/kernel/fault"
	"yagona/kernel/notice"
)

// server is a small SMTP server: EHLO, STARTTLS, AUTH PLAIN, MAIL, RCPT, DATA, QUIT. It answers the commands in answers
// otherwise, and drops the connection after the message if told.
type server struct {
	address  string
	settings *tls.Config
	roots    *x509.CertPool
	implicit bool
	plain    bool              // it offers no STARTTLS
	answers  map[string]string // by command; "." is the end of the message
	drop     bool
	commands []string // of the last connection
	messages []string
	done     chan struct{} // one for each connection that ended
}

func newServer(t *testing.T, implicit bool) *server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		implicit: implicit, answers: map[string]string{}, roots: x509.NewCertPool(), done: make(chan struct{}, 10),
		settings: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
	}
	s.roots.AddCert(parsed)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.serve(conn)
			conn.Close()
			s.done <- struct{}{}
		}
	}()
	return s
}

func (s *server) serve(conn net.Conn) {
	secure := s.implicit
	if s.implicit {
		conn = tls.Server(conn, s.settings)
	}
	s.commands = nil
	lines := bufio.NewReader(conn)
	say := func(text string) { fmt.Fprintf(conn, "%s\r\n", text) }
	say("220 fake")
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.commands = append(s.commands, line)
		verb := strings.ToUpper(strings.Fields(line + " ?")[0])
		if otherwise := s.answers[verb]; otherwise != "" {
			say(otherwise)
			continue
		}
		switch verb {
		case "EHLO":
			switch {
			case secure:
				say("250-fake\r\n250 AUTH PLAIN")
			case s.plain:
				say("250 fake")
			default:
				say("250-fake\r\n250 STARTTLS")
			}
		case "STARTTLS":
			say("220 go on")
			conn, secure = tls.Server(conn, s.settings), true
			lines = bufio.NewReader(conn)
		case "AUTH":
			want := base64.StdEncoding.EncodeToString([]byte("\x00user\x00secret"))
			if !secure || line != "AUTH PLAIN "+want {
				say("535 no")
				continue
			}
			say("235 yes")
		case "MAIL", "RCPT":
			say("250 yes")
		case "DATA":
			say("354 go on")
			var message strings.Builder
			for {
				line, err := lines.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				message.WriteString(strings.TrimPrefix(line, "."))
			}
			if otherwise := s.answers["."]; otherwise != "" {
				say(otherwise)
				continue
			}
			s.messages = append(s.messages, message.String())
			if s.drop {
				return
			}
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("500 what")
		}
	}
}

func (s *server) carrier() *email.Carrier {
	return &email.Carrier{
		Server: s.address, Implicit: s.implicit, User: "user", Password: "secret", From: "noreply@services.example",
		Clock: func() time.Time { return time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC) }, TLS: &tls.Config{RootCAs: s.roots}, Timeout: 20 * time.Second,
	}
}

var message = notice.Message{
	ID: "0123abcd", To: "malika@mail.example", Subject: "Arizangiz boʻyicha yangilik", Language: "uz-Latn",
	Text: strings.Repeat("Arizangiz boʻyicha yangilik bor. ", 5) + "https://services.example/me",
}

func TestAMessageGoesOutOverTLS(t *testing.T) {
	for name, implicit := range map[string]bool{"STARTTLS": false, "from the first byte": true} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, implicit)
			if _, err := s.carrier().Send(t.Context(), message); err != nil {
				t.Fatal(err)
			}
			<-s.done
			if len(s.messages) != 1 {
				t.Fatalf("%d messages", len(s.messages))
			}
			got, err := mail.ReadMessage(strings.NewReader(s.messages[0]))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, got.Body))
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"<0123abcd@services.example>", "<malika@mail.example>", "auto-generated", "uz-Latn", message.Subject, message.Text}
			have := []string{
				got.Header.Get("Message-ID"), got.Header.Get("To"), got.Header.Get("Auto-Submitted"), got.Header.Get("Content-Language"), subject, string(text),
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatAServerRefusesIsFinalOnlyIfItIsAboutTheRecipientOrTheMessage(t *testing.T) {
	for name, one := range map[string]struct {
		command, answer string
		want            notice.Failure
	}{
		"no such recipient": {"RCPT", "550 5.1.1 <malika@mail.example> unknown", notice.Failure{Reason: "recipient 550", Final: true}},
		"greylisted":        {"RCPT", "451 4.7.1 later", notice.Failure{Reason: "recipient 451"}},
		"sender refused":    {"MAIL", "553 not you", notice.Failure{Reason: "sender 553"}},
		"wrong password":    {"AUTH", "535 no", notice.Failure{Reason: "sign-in 535"}},
		"message refused":   {".", "554 spam", notice.Failure{Reason: "message 554", Final: true}},
		"message deferred":  {".", "452 disk full", notice.Failure{Reason: "message 452"}},
		"no data":           {"DATA", "421 closing", notice.Failure{Reason: "message 421"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, false)
			s.answers[one.command] = one.answer
			_, err := s.carrier().Send(t.Context(), message)
			got, ok := errors.AsType[*notice.Failure](err)
			if !ok {
				t.Fatalf("the error is %v", err)
			}
			if diff := cmp.Diff(&one.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAConnectionThatBreaksAfterTheMessageIsTriedAgainWithTheSameMessageID(t *testing.T) {
	s := newServer(t, false)
	s.drop = true
	_, err := s.carrier().Send(t.Context(), message)
	if got, ok := errors.AsType[*notice.Failure](err); !ok || got.Final || got.Reason != "message unanswered" {
		t.Fatalf("the error is %v", err)
	}
	<-s.done
	s.drop = false
	if _, err := s.carrier().Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	<-s.done
	if len(s.messages) != 2 || !strings.Contains(s.messages[0], "Message-ID: <0123abcd@") || s.messages[0] != s.messages[1] {
		t.Fatalf("a receiver cannot tell the duplicate: %q", s.messages)
	}
}

func TestNothingIsSentWithoutTLS(t *testing.T) {
	s := newServer(t, false)
	s.plain = true
	_, err := s.carrier().Send(t.Context(), message)
	if got, ok := errors.AsType[*notice.Failure](err); !ok || got.Reason != "no TLS offered" {
		t.Fatalf("the error is %v", err)
	}
	other := newServer(t, false)
	carrier := other.carrier()
	carrier.TLS = &tls.Config{RootCAs: s.roots} // another's certificate
	if _, err := carrier.Send(t.Context(), message); err == nil {
		t.Fatal("sent to a server that nobody vouches for")
	}
	for _, one := range []*server{s, other} {
		<-one.done
		for _, command := range one.commands {
			if strings.HasPrefix(command, "AUTH") || strings.HasPrefix(command, "RCPT") {
				t.Errorf("said in the clear: %s", command)
			}
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, seed := range []string{"a@b.c", "Malika@Mail.Example", "a b@c.d", "a@b.c\r\nBcc: d@e.f", "<a@b.c>", "мария@почта.рф", "@", "\"a\\\"b\"@c.d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := email.Normalise(text)
		if err != nil {
			if fault.Code(err) != "contact.malformed" {
				t.Fatal(err)
			}
			return
		}
		if strings.ContainsAny(got, "\r\n\x00 <>") && !strings.HasPrefix(got, `"`) || !strings.Contains(got, "@") {
			t.Fatalf("%q became %q", text, got)
		}
		if again, err := email.Normalise(got); err != nil || again != got {
			t.Fatalf("%q became %q, and then %q: %v", text, got, again, err)
		}
	})
}
