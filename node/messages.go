package node

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"yagona/channel/email"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/notice"
)

// The ways by which notices may leave the house.
const (
	byEmail    = "email"
	bySMS      = "sms"
	byTelegram = "telegram"
)

// wireMessages gives the courier the ways that are configured.
func (n *Node) wireMessages() error {
	carriers := n.config.Messages
	if len(carriers) == 0 && n.config.Demonstration {
		shown := &shownMessages{path: filepath.Join(n.config.Folder, "messages.log"), clock: n.config.Clock}
		carriers = map[string]notice.Carrier{byEmail: shown.by(byEmail), bySMS: shown.by(bySMS)}
	}
	for _, name := range []string{byEmail, bySMS, byTelegram} {
		carrier, configured := carriers[name]
		if !configured {
			continue
		}
		channel := notice.Channel{Name: name, Carrier: carrier}
		_, listens := carrier.(notice.Listener)
		switch {
		case name == byEmail:
			channel.Normalise = email.Normalise
		case name == bySMS && n.Profile.Phone != nil:
			channel.Normalise = n.telephone
		case name == byTelegram && listens:
		default:
			return fmt.Errorf("messages by %s: the country profile has no scheme of telephone numbers, or its bot hears no codes", name)
		}
		n.Courier.Channels = append(n.Courier.Channels, channel)
	}
	if known := len(n.Courier.Channels); known < len(carriers) {
		return fmt.Errorf("messages leave by %s, %s and %s, and by nothing else", byEmail, bySMS, byTelegram)
	}
	return nil
}

// telephone returns a telephone number as the country writes it, without the spaces and hyphens that people put in.
func (n *Node) telephone(text string) (string, error) {
	number := string(slices.DeleteFunc([]rune(text), func(r rune) bool { return r == ' ' || r == '-' || r == '(' || r == ')' }))
	if n.Profile.Phone.Validate(number) != nil {
		return "", notice.ErrMalformed
	}
	return number, nil
}

// listen hears the codes that people send to bots.
func (n *Node) listen(ctx context.Context, run func(string, func() error)) {
	for _, channel := range n.Courier.Channels {
		listener, ok := channel.Carrier.(notice.Listener)
		if !ok {
			continue
		}
		run("codes by "+channel.Name, func() error {
			return listener.Listen(ctx, func(ctx context.Context, code, chat string) error {
				err := n.Courier.LinkChat(ctx, code, chat)
				if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Erased) {
					return nil // the code leads nowhere, or no longer
				}
				return err
			})
		})
	}
}

// shownMessages writes what a demonstration would have sent, one line of JSON each: the way, the id, the words. It writes no
// address. The codes that confirm addresses do stand there: nobody else tells them to who tries the demonstration.
type shownMessages struct {
	path  string
	clock act.Clock
	mu    sync.Mutex // held while a line is written
}

type shownWay struct {
	*shownMessages
	name string
}

func (s *shownMessages) by(name string) shownWay { return shownWay{s, name} }

// Send implements notice.Carrier.
func (s shownWay) Send(_ context.Context, message notice.Message) (notice.Receipt, error) {
	line, err := json.Marshal(struct {
		At       time.Time `json:"at"`
		Channel  string    `json:"channel"`
		ID       string    `json:"id"`
		Language string    `json:"language"`
		Subject  string    `json:"subject"`
		Text     string    `json:"text"`
	}{s.clock().UTC(), s.name, message.ID, message.Language, message.Subject, message.Text})
	if err != nil {
		return notice.Receipt{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	file, err := os.OpenFile(s.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return notice.Receipt{}, err
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		file.Close()
		return notice.Receipt{}, err
	}
	return notice.Receipt{}, file.Close()
}
