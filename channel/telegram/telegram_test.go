package telegram_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/channel/telegram"
	"yagona/kernel/notice"
)

const token = "123456:AAAAAAAAAAAAAAAAAAAAAAAA"

// api is a fake of the Bot API: sendMessage, and getUpdates with its offset.
type api struct {
	mu      sync.Mutex
	refuse  string // what sendMessage answers instead
	status  int
	sent    []map[string]any
	updates []map[string]any
	offsets []int64
	failing int // so many calls of getUpdates are refused
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var asked map[string]any
	if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&asked) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch r.URL.Path {
	case "/bot" + token + "/sendMessage":
		if a.refuse != "" {
			w.WriteHeader(a.status)
			io.WriteString(w, a.refuse)
			return
		}
		a.sent = append(a.sent, asked)
		fmt.Fprintf(w, `{"ok": true, "result": {"message_id": %d}}`, len(a.sent))
	case "/bot" + token + "/getUpdates":
		if a.failing > 0 {
			a.failing--
			w.WriteHeader(http.StatusConflict)
			io.WriteString(w, `{"ok": false, "error_code": 409, "description": "another asks"}`)
			return
		}
		offset := int64(asked["offset"].(float64))
		a.offsets = append(a.offsets, offset)
		waiting := []map[string]any{}
		for i, one := range a.updates {
			if id := int64(100 + i); id >= offset {
				waiting = append(waiting, map[string]any{"update_id": id, "message": one})
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": waiting})
	default:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"ok": false, "error_code": 404, "description": "Not Found"}`)
	}
}

func start(t *testing.T) (*api, *telegram.Bot) {
	t.Helper()
	fake := &api{}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	return fake, &telegram.Bot{Name: "yagona_bot", Token: token, API: server.URL, Pause: time.Millisecond}
}

func TestAMessageArrives(t *testing.T) {
	fake, bot := start(t)
	receipt, err := bot.Send(t.Context(), notice.Message{ID: "x", To: "-77", Text: "news"})
	if err != nil || receipt != (notice.Receipt{ID: "1", Delivered: true}) {
		t.Fatalf("%v %v", receipt, err)
	}
	want := []map[string]any{{"chat_id": float64(-77), "text": "news", "link_preview_options": map[string]any{"is_disabled": true}}}
	if diff := cmp.Diff(want, fake.sent); diff != "" {
		t.Error(diff)
	}
}

func TestWhatTheBotAPIRefuses(t *testing.T) {
	for name, one := range map[string]struct {
		status int
		answer string
		want   notice.Failure
	}{
		"too many": {429, `{"ok": false, "error_code": 429, "description": "x", "parameters": {"retry_after": 35}}`, notice.Failure{Reason: "bot 429", After: 35 * time.Second}},
		"blocked":  {403, `{"ok": false, "error_code": 403, "description": "blocked by Malika"}`, notice.Failure{Reason: "bot 403", Final: true}},
		"no chat":  {400, `{"ok": false, "error_code": 400}`, notice.Failure{Reason: "bot 400", Final: true}},
		"no token": {401, `{"ok": false, "error_code": 401}`, notice.Failure{Reason: "bot 401"}},
		"a proxy":  {502, `<html>`, notice.Failure{Reason: "bot 502"}},
	} {
		t.Run(name, func(t *testing.T) {
			fake, bot := start(t)
			fake.status, fake.refuse = one.status, one.answer
			_, err := bot.Send(t.Context(), notice.Message{To: "77"})
			got, ok := errors.AsType[*notice.Failure](err)
			if !ok {
				t.Fatalf("the error is %v", err)
			}
			if diff := cmp.Diff(&one.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, bot := start(t)
	bot.API = "http://127.0.0.1:1"
	if _, err := bot.Send(t.Context(), notice.Message{To: "77"}); err == nil || strings.Contains(err.Error(), token) {
		t.Errorf("the error is %v", err)
	}
}

func TestCodesAreHeardFromPrivateChatsOnce(t *testing.T) {
	fake, bot := start(t)
	said := func(text, kind string, chat int) map[string]any {
		return map[string]any{"text": text, "chat": map[string]any{"id": chat, "type": kind}}
	}
	fake.failing = 1
	fake.updates = []map[string]any{
		said("hello", "private", 1), said("/start ABCDEFGHIJKL", "private", 2), said("ABCDEFGHIJKM", "group", 3), said(" ABCDEFGHIJKN ", "private", 4),
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var heard []string
	failed := false
	err := bot.Listen(ctx, func(_ context.Context, code, chat string) error {
		if chat == "4" && !failed { // storing it failed: it comes again
			failed = true
			return errors.New("no disk")
		}
		if heard = append(heard, code+" "+chat); len(heard) == 2 {
			end()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ABCDEFGHIJKL 2", "ABCDEFGHIJKN 4"}, heard); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{0, 103}, fake.offsets); diff != "" {
		t.Error(diff)
	}
	if got := bot.Invitation("ABCDEFGHIJKL"); got != "https://t.me/yagona_bot?start=ABCDEFGHIJKL" {
		t.Error(got)
	}
}
