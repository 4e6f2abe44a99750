// Package email owns the sending of messages by SMTP (RFC 5321) over TLS: STARTTLS (RFC 3207) or TLS from the first byte
// (RFC 8314). It implements notice.Carrier.
//
// Each try opens a connection of its own. A message carries its id as Message-ID, so that a receiver that gets it twice,
// after a connection that broke before the answer, can tell. What a server says is never passed on: it often repeats the
// address. Without TLS nothing is sent.
package email

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/notice"
)

// Carrier sends by one SMTP server.
type Carrier struct {
	Server   string // host and port: "mail.example:587"
	Implicit bool   // TLS from the first byte (port 465), instead of STARTTLS
	User     string // of AUTH PLAIN; empty: no AUTH
	Password string
	From     string // the sender's address; its domain stands in the Message-ID
	Clock    act.Clock
	TLS      *tls.Config   // nil: the system's roots, the server's name
	Timeout  time.Duration // of a whole try; zero: a minute
}

// Check reports what is wrong with the settings.
func (c *Carrier) Check() error {
	if _, _, err := net.SplitHostPort(c.Server); err != nil {
		return fmt.Errorf("the server is %q: give a host and a port, like mail.example:587", c.Server)
	}
	if _, err := Normalise(c.From); err != nil {
		return fmt.Errorf("the sender is %q: give an address, like noreply@services.example", c.From)
	}
	if (c.User == "") != (c.Password == "") {
		return errors.New("user and password belong together: give both or none")
	}
	return nil
}

// mostCharacters of an address: RFC 5321, section 4.5.3.1.3, without the angle brackets.
const mostCharacters = 254

// Normalise returns an e-mail address as it is kept: ASCII, with the domain in lower case.
func Normalise(text string) (string, error) {
	parsed, err := mail.ParseAddress(text)
	at := strings.LastIndexByte(text, '@')
	if err != nil || parsed.Address != text || len(text) > mostCharacters || at < 1 || !strings.Contains(text[at:], ".") ||
		strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", notice.ErrMalformed
	}
	return text[:at] + strings.ToLower(text[at:]), nil
}

// Send implements notice.Carrier.
func (c *Carrier) Send(ctx context.Context, message notice.Message) (notice.Receipt, error) {
	if _, err := Normalise(message.To); err != nil {
		return notice.Receipt{}, &notice.Failure{Reason: "malformed address", Final: true}
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.Server)
	if err != nil {
		return notice.Receipt{}, &notice.Failure{Reason: "unreachable"}
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	return notice.Receipt{}, c.send(conn, message)
}

func (c *Carrier) send(conn net.Conn, message notice.Message) error {
	host, _, _ := net.SplitHostPort(c.Server)
	settings := &tls.Config{ServerName: host}
	if c.TLS != nil {
		settings = c.TLS.Clone()
		settings.ServerName = host
	}
	settings.MinVersion = tls.VersionTLS12
	if c.Implicit {
		conn = tls.Client(conn, settings)
	}
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return failure("greeting", err)
	}
	if !c.Implicit {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return &notice.Failure{Reason: "no TLS offered"}
		}
		if err := client.StartTLS(settings); err != nil {
			return failure("TLS", err)
		}
	}
	if c.User != "" {
		if err := client.Auth(smtp.PlainAuth("", c.User, c.Password, host)); err != nil {
			return failure("sign-in", err)
		}
	}
	if err := client.Mail(c.From); err != nil {
		return failure("sender", err)
	}
	if err := client.Rcpt(message.To); err != nil {
		return final("recipient", err)
	}
	body, err := client.Data()
	if err != nil {
		return failure("message", err)
	}
	if _, err := body.Write(c.compose(message)); err != nil {
		return failure("message", err)
	}
	if err := body.Close(); err != nil { // a broken connection here leaves open whether it was taken
		return final("message", err)
	}
	_ = client.Quit() // it was taken
	return nil
}

// failure returns what a step of the conversation failed with: our word for the step and the server's status, never its
// text. It may pass: what is refused here is the installation, not the recipient.
func failure(step string, err error) *notice.Failure {
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		return &notice.Failure{Reason: fmt.Sprintf("%s %d", step, said.Code)}
	}
	return &notice.Failure{Reason: step + " unanswered"}
}

// final is failure where a permanent status (5xx) is about this recipient or this message.
func final(step string, err error) *notice.Failure {
	found := failure(step, err)
	said, ok := errors.AsType[*textproto.Error](err)
	found.Final = ok && said.Code >= 500
	return found
}

// compose writes the message (RFC 5322, RFC 2045), marked as sent by a machine (RFC 3834).
func (c *Carrier) compose(message notice.Message) []byte {
	var text bytes.Buffer
	domain := c.From[strings.LastIndexByte(c.From, '@')+1:]
	for _, header := range [][2]string{
		{"From", "<" + c.From + ">"},
		{"To", "<" + message.To + ">"},
		{"Subject", mime.BEncoding.Encode("utf-8", message.Subject)},
		{"Date", c.Clock().UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + message.ID + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"},
		{"Content-Language", message.Language},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "base64"},
	} {
		if header[1] != "" {
			fmt.Fprintf(&text, "%s: %s\r\n", header[0], header[1])
		}
	}
	text.WriteString("\r\n")
	encoded := base64.StdEncoding.EncodeToString([]byte(message.Text))
	for len(encoded) > 76 {
		text.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	text.WriteString(encoded + "\r\n")
	return text.Bytes()
}
