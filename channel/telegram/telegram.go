// Package telegram owns the sending of messages by a Telegram bot (Bot API, core.telegram.org/bots/api): sendMessage, and
// getUpdates, by which a chat is linked with the code that its person sends to the bot. It implements notice.Carrier and
// notice.Listener.
//
// The bot's token stands in the Bot API's addresses: no error of this package carries an address. The Bot API knows no
// duplicate: a message whose answer was lost is sent once more.
package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"yagona/kernel/notice"
)

// Bot sends by one bot.
type Bot struct {
	Name   string // without "@"
	Token  string
	API    string        // empty: https://api.telegram.org
	Pause  time.Duration // after a failed asking for updates; zero: ten seconds
	Client *http.Client  // nil: the default
}

var (
	names  = regexp.MustCompile(`^[A-Za-z0-9_]{5,32}$`)
	tokens = regexp.MustCompile(`^[0-9]+:[A-Za-z0-9_-]{20,}$`)
	codes  = regexp.MustCompile(`^(?:/start )?([A-Z2-7]{12})$`)
)

// Check reports what is wrong with the settings.
func (b *Bot) Check() error {
	if !names.MatchString(b.Name) {
		return fmt.Errorf("the bot is %q: give its name without the @", b.Name)
	}
	if !tokens.MatchString(b.Token) {
		return errors.New("the token is not one that BotFather gives")
	}
	if b.API != "" && !strings.HasPrefix(b.API, "https://") {
		return errors.New("the Bot API's address begins with https://")
	}
	return nil
}

// Invitation implements notice.Listener.
func (b *Bot) Invitation(code string) string {
	return "https://t.me/" + b.Name + "?start=" + url.QueryEscape(code)
}

// Send implements notice.Carrier.
func (b *Bot) Send(ctx context.Context, message notice.Message) (notice.Receipt, error) {
	chat, err := strconv.ParseInt(message.To, 10, 64)
	if err != nil {
		return notice.Receipt{}, &notice.Failure{Reason: "malformed chat", Final: true}
	}
	var sent struct {
		ID int64 `json:"message_id"`
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := b.call(ctx, "sendMessage", map[string]any{
		"chat_id": chat, "text": message.Text, "link_preview_options": map[string]any{"is_disabled": true},
	}, &sent); err != nil {
		return notice.Receipt{}, err
	}
	return notice.Receipt{ID: strconv.FormatInt(sent.ID, 10), Delivered: true}, nil
}

// Listen implements notice.Listener: it asks for updates, and waits where there are none.
func (b *Bot) Listen(ctx context.Context, link func(ctx context.Context, code, chat string) error) error {
	pause := b.Pause
	if pause == 0 {
		pause = 10 * time.Second
	}
	var offset int64
	for {
		var updates []update
		asked, cancel := context.WithTimeout(ctx, 70*time.Second)
		err := b.call(asked, "getUpdates", map[string]any{"offset": offset, "timeout": 50, "allowed_updates": []string{"message"}}, &updates)
		cancel()
		for _, one := range updates {
			found := codes.FindStringSubmatch(strings.TrimSpace(one.Message.Text))
			if found != nil && one.Message.Chat.Type == "private" {
				// A code that leads nowhere stays unanswered: who guesses learns nothing. Where storing failed, the
				// update is asked for again.
				if failed := link(ctx, found[1], strconv.FormatInt(one.Message.Chat.ID, 10)); failed != nil {
					err = failed
					break
				}
			}
			offset = one.ID + 1
		}
		wait := time.Duration(0)
		if err != nil {
			wait = pause
			if failure, ok := errors.AsType[*notice.Failure](err); ok {
				wait = max(wait, failure.After)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

type update struct {
	ID      int64 `json:"update_id"`
	Message struct {
		Text string `json:"text"`
		Chat struct {
			ID   int64  `json:"id"`
			Type string `json:"type"`
		} `json:"chat"`
	} `json:"message"`
}

// mostAnswer is how much of an answer is read, in bytes: a hundred updates with long texts.
const mostAnswer = 4 << 20

// call calls a method of the Bot API. The error is a *notice.Failure without the address and without the answer's text.
func (b *Bot) call(ctx context.Context, method string, parameters map[string]any, into any) error {
	body, err := json.Marshal(parameters)
	if err != nil {
		return err
	}
	api := b.API
	if api == "" {
		api = "https://api.telegram.org"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, api+"/bot"+b.Token+"/"+method, bytes.NewReader(body))
	if err != nil {
		return &notice.Failure{Reason: "the Bot API's address is malformed"}
	}
	request.Header.Set("Content-Type", "application/json")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if b.Client != nil {
		client.Transport = b.Client.Transport
	}
	response, err := client.Do(request)
	if err != nil {
		return &notice.Failure{Reason: "unreachable"}
	}
	defer response.Body.Close()
	var answer struct {
		OK         bool            `json:"ok"`
		Result     json.RawMessage `json:"result"`
		Code       int             `json:"error_code"`
		Parameters struct {
			RetryAfter int `json:"retry_after"`
		} `json:"parameters"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, mostAnswer)).Decode(&answer); err != nil {
		return &notice.Failure{Reason: "bot " + strconv.Itoa(response.StatusCode)}
	}
	if !answer.OK {
		// 400: there is no such chat; 403: the person blocked the bot. 401 and 404 are about the token.
		return &notice.Failure{
			Reason: "bot " + strconv.Itoa(answer.Code), Final: answer.Code == http.StatusBadRequest || answer.Code == http.StatusForbidden,
			After: min(time.Duration(max(answer.Parameters.RetryAfter, 0))*time.Second, 24*time.Hour),
		}
	}
	if err := json.Unmarshal(answer.Result, into); err != nil {
		return &notice.Failure{Reason: "bot answered with another shape"}
	}
	return nil
}
