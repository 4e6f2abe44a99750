package notice_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/notice"
	"yagona/kernel/seal"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// post is a fake of a channel: it keeps what it was given, and fails as it is told.
type post struct {
	got    []notice.Message
	fails  []error // of the next tries
	after  func()  // runs when a message was taken
	status notice.State
}

func (p *post) Send(_ context.Context, message notice.Message) (notice.Receipt, error) {
	if len(p.fails) > 0 {
		err := p.fails[0]
		p.fails = p.fails[1:]
		if err != nil {
			return notice.Receipt{}, err
		}
	}
	p.got = append(p.got, message)
	if p.after != nil {
		p.after()
	}
	return notice.Receipt{ID: fmt.Sprint("g", len(p.got))}, nil
}

func (p *post) Track(context.Context, string) (notice.State, string, error) {
	return p.status, "not delivered", nil
}

// bot is a fake of a channel that hears codes.
type bot struct{ post }

func (b *bot) Listen(context.Context, func(context.Context, string, string) error) error { return nil }

func (b *bot) Invitation(code string) string { return "https://bot.example/" + code }

type words struct{}

func (words) News(language string) (string, string) { return "news", "news in " + language }

func (words) Code(language, code string) (string, string) { return "code", code }

func (words) Confirmation(language, code string) (string, string) { return "confirmation", code }

type world struct {
	*testing.T
	now     time.Time
	db      *sqlite.DB
	board   *notice.Board
	courier *notice.Courier
	jobs    *job.Runner
	sms     *post
	bot     *bot
	reader  ident.Subject
	failing error // the next act of the courier fails with it
}

// unsteady is a store whose acts can be made to fail before they begin, as they do when the process dies.
type unsteady struct {
	act.Store[notice.Reader, notice.Tx]
	w *world
}

func (u unsteady) Update(ctx context.Context, key act.Key, run func(notice.Tx) error) error {
	if err := u.w.failing; err != nil {
		u.w.failing = nil
		return err
	}
	return u.Store.Update(ctx, key, run)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC), sms: &post{status: notice.Sent}, bot: &bot{}, reader: ident.Random[ident.Person]().Subject()}
	clock := func() time.Time { return w.now }
	var err error
	w.db, err = sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "yagona.db"), Clock: clock})
	w.must(err)
	t.Cleanup(func() { w.db.Close() })
	keys, err := sqlite.OpenSubjectKeys(t.Context(), filepath.Join(t.TempDir(), "keys.db"), false)
	w.must(err)
	t.Cleanup(func() { keys.Close() })
	vault, err := seal.NewVault(keys, make([]byte, seal.KeySize))
	w.must(err)
	store := query.For[notice.Reader, notice.Tx](w.db)
	w.board = &notice.Board{Store: store, Vault: vault}
	plain := func(text string) (string, error) {
		if strings.Trim(text, "+0123456789") != "" {
			return "", notice.ErrMalformed
		}
		return text, nil
	}
	w.courier = &notice.Courier{
		Store: unsteady{store, w}, Vault: vault, Clock: clock, Key: make([]byte, 32), Words: words{},
		Channels: []notice.Channel{{Name: "sms", Normalise: plain, Carrier: w.sms}, {Name: "telegram", Carrier: w.bot}},
	}
	w.jobs = &job.Runner{Store: query.For[job.Reader, job.Tx](w.db), Clock: clock, Handlers: w.courier.Handlers()}
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) refused(err error, code string) {
	w.Helper()
	if got := fault.Code(err); got != code {
		w.Fatalf("refused with %q (%v), not with %q", got, err, code)
	}
}

// confirmed gives the reader a confirmed address, and forgets the code that was sent.
func (w *world) confirmed(value string) notice.Address {
	w.Helper()
	added, err := w.courier.AddAddress(w.Context(), w.reader, "sms", value, "ru")
	w.must(err)
	w.must(w.jobs.Drain(w.Context()))
	w.must(w.courier.Confirm(w.Context(), w.reader, added.ID, added.Code))
	w.sms.got = nil
	return added
}

// posted posts a notice and does what is due.
func (w *world) posted(cause string) {
	w.Helper()
	w.must(w.board.Post(w.Context(), w.reader, "application.granted", "an application", cause))
	w.must(w.jobs.Drain(w.Context()))
}

// later lets time pass and does what is due.
func (w *world) later(by time.Duration) {
	w.Helper()
	w.now = w.now.Add(by)
	w.must(w.jobs.Drain(w.Context()))
}

func (w *world) only() notice.Delivery {
	w.Helper()
	found, err := w.board.Deliveries(w.Context(), w.reader, 10)
	w.must(err)
	if len(found) != 1 {
		w.Fatalf("%d deliveries, not one", len(found))
	}
	return found[0]
}

func (w *world) is(state notice.State, reason string, attempts int) {
	w.Helper()
	got := w.only()
	if got.State != state || got.Reason != reason || got.Attempts != attempts {
		w.Fatalf("the delivery is %s %q after %d tries, not %s %q after %d", got.State, got.Reason, got.Attempts, state, reason, attempts)
	}
}

func TestNothingLeavesToWhoConfirmedNothing(t *testing.T) {
	w := newWorld(t)
	w.posted("1")
	added, err := w.courier.AddAddress(t.Context(), w.reader, "sms", "+1", "ru")
	w.must(err)
	w.posted("2")
	if len(w.sms.got) != 1 || w.sms.got[0].Text != added.Code {
		t.Fatalf("sent was %v, not only the code", w.sms.got)
	}
	if found, err := w.board.Deliveries(t.Context(), w.reader, 10); err != nil || len(found) > 0 {
		t.Fatalf("deliveries: %v %v", found, err)
	}
}

func TestANoticeIsSentOnceInTheReadersLanguageAndSaysNoMoreThanThatThereIsNews(t *testing.T) {
	w := newWorld(t)
	w.confirmed("+1")
	w.posted("1")
	w.posted("1")
	want := []notice.Message{{ID: w.only().ID, To: "+1", Subject: "news", Text: "news in ru", Language: "ru"}}
	if diff := cmp.Diff(want, w.sms.got); diff != "" {
		t.Fatal(diff)
	}
	w.is(notice.Sent, "", 1)
	w.sms.status = notice.Delivered
	w.later(time.Minute)
	w.is(notice.Delivered, "", 1)
}

func TestWhatTheGatewaySaysIsNotDeliveredIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.confirmed("+1")
	w.posted("1")
	w.later(time.Minute)
	w.is(notice.Sent, "", 1)
	w.sms.status = notice.Failed
	w.later(10 * time.Minute)
	w.is(notice.GivenUp, "not delivered", 1)
}

func TestAFailureIsTriedAgainAsLateAsTheChannelAsks(t *testing.T) {
	w := newWorld(t)
	w.confirmed("+1")
	w.sms.fails = []error{&notice.Failure{Reason: "gateway 429", After: 30 * time.Minute}, errors.New("no route to +1")}
	w.posted("1")
	w.is(notice.Failed, "gateway 429", 1)
	w.later(29 * time.Minute)
	w.is(notice.Failed, "gateway 429", 1)
	w.later(time.Minute)
	w.is(notice.Failed, "unreachable", 2) // what an error says may be personal: it is not kept
	w.later(5 * time.Minute)
	w.is(notice.Sent, "", 3)
}

func TestWhatIsRefusedForGoodOrTooLateIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.confirmed("+1")
	w.sms.fails = []error{&notice.Failure{Reason: "gateway 400", Final: true}}
	w.posted("1")
	w.is(notice.GivenUp, "gateway 400", 1)

	w = newWorld(t)
	w.confirmed("+1")
	w.sms.fails = slices.Repeat([]error{&notice.Failure{Reason: "gateway 500"}}, 100)
	w.posted("1")
	for range 20 {
		w.later(4 * time.Hour)
	}
	if got := w.only(); got.State != notice.GivenUp || got.Reason != "too late" || got.Attempts < 10 {
		t.Fatalf("it is %s %q after %d tries", got.State, got.Reason, got.Attempts)
	}
}

// The process dies after the channel took the message and before that was recorded.
func TestSentButNotRecordedIsSentAgainWithTheSameID(t *testing.T) {
	w := newWorld(t)
	w.confirmed("+1")
	w.sms.after = func() { w.failing, w.sms.after = errors.New("the process died"), nil }
	w.posted("1")
	w.is(notice.Queued, "", 0)
	w.later(2 * time.Second)
	w.is(notice.Sent, "", 1)
	if len(w.sms.got) != 2 || w.sms.got[0].ID != w.sms.got[1].ID {
		t.Fatalf("sent was %v: a receiver cannot tell the duplicate", w.sms.got)
	}
}

// The process dies after the allowance was recorded and before the channel was asked: the retry takes no second one.
func TestRecordedButNotSentIsSent(t *testing.T) {
	w := newWorld(t)
	w.confirmed("+1")
	for i := range 9 {
		w.posted(fmt.Sprint("before ", i))
	}
	w.sms.fails = []error{context.Canceled}
	w.posted("the tenth")
	w.later(time.Minute)
	if len(w.sms.got) != 10 {
		t.Fatalf("%d of 10 were sent", len(w.sms.got))
	}
}

func TestNobodyIsFlooded(t *testing.T) {
	w := newWorld(t)
	w.confirmed("+1")
	for i := range 25 {
		w.posted(fmt.Sprint(i))
	}
	if len(w.sms.got) != 10 {
		t.Fatalf("%d were sent in the first hour, not 10", len(w.sms.got))
	}
	w.later(time.Hour)
	if len(w.sms.got) != 20 {
		t.Fatalf("%d were sent after an hour, not 20", len(w.sms.got))
	}
	w.later(3 * time.Hour)
	if len(w.sms.got) != 20 {
		t.Fatalf("%d were sent within a day, not 20", len(w.sms.got))
	}
	w.later(24 * time.Hour)
	if len(w.sms.got) != 25 {
		t.Fatalf("%d were sent at last, not all 25", len(w.sms.got))
	}
}

func TestCodesAreFew(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		_, err := w.courier.AddAddress(t.Context(), w.reader, "sms", "+1", "ru")
		w.must(err)
		w.reader = ident.Random[ident.Person]().Subject() // another who knows the number
	}
	_, err := w.courier.AddAddress(t.Context(), w.reader, "sms", "+1", "ru")
	w.refused(err, "contact.too-many-codes")
	for i := range 4 {
		_, err := w.courier.AddAddress(t.Context(), w.reader, "sms", fmt.Sprint("+2", i), "ru")
		w.must(err)
	}
	_, err = w.courier.AddAddress(t.Context(), w.reader, "sms", "+3", "ru")
	w.refused(err, "contact.too-many-codes")
}

func TestAnAddressIsUsedOnlyAfterItsCode(t *testing.T) {
	w := newWorld(t)
	_, err := w.courier.AddAddress(t.Context(), w.reader, "sms", "a@b", "ru")
	w.refused(err, "contact.malformed")
	_, err = w.courier.AddAddress(t.Context(), w.reader, "pigeon", "+1", "ru")
	w.refused(err, "contact.channel")
	added, err := w.courier.AddAddress(t.Context(), w.reader, "sms", "+1", "ru")
	w.must(err)
	w.refused(w.courier.Choose(t.Context(), w.reader, []string{added.ID}, false, "ru"), "contact.not-confirmed")
	w.refused(w.courier.Confirm(t.Context(), ident.Random[ident.Person]().Subject(), added.ID, added.Code), "contact.unknown")
	wrong := "000000"
	if added.Code == wrong {
		wrong = "000001"
	}
	for range 5 {
		w.refused(w.courier.Confirm(t.Context(), w.reader, added.ID, wrong), "contact.code")
	}
	w.refused(w.courier.Confirm(t.Context(), w.reader, added.ID, added.Code), "contact.code") // after five guesses the right one is worth nothing
	added, err = w.courier.AddAddress(t.Context(), w.reader, "sms", "+1", "ru")
	w.must(err)
	w.now = w.now.Add(30 * time.Minute)
	w.refused(w.courier.Confirm(t.Context(), w.reader, added.ID, added.Code), "contact.code")
	w.posted("1")
	if found, err := w.board.Deliveries(t.Context(), w.reader, 10); err != nil || len(found) > 0 {
		t.Fatalf("deliveries: %v %v", found, err)
	}
}

func TestWhoAsksInPersonIsNotWrittenTo(t *testing.T) {
	w := newWorld(t)
	added := w.confirmed("+1")
	w.must(w.board.Post(t.Context(), w.reader, "application.granted", "an application", "1"))
	w.must(w.courier.Choose(t.Context(), w.reader, []string{added.ID}, true, "ru"))
	w.must(w.jobs.Drain(t.Context()))
	w.posted("2")
	w.is(notice.GivenUp, "address not in use", 0) // what waited; the second left none
	w.must(w.courier.Choose(t.Context(), w.reader, []string{added.ID}, false, "en"))
	w.posted("3")
	if len(w.sms.got) != 1 || w.sms.got[0].Text != "news in en" {
		t.Fatalf("sent was %v", w.sms.got)
	}
	w.must(w.courier.Remove(t.Context(), w.reader, added.ID))
	w.posted("4")
	if len(w.sms.got) != 1 {
		t.Fatalf("sent to a removed address: %v", w.sms.got)
	}
}

func TestAChatIsLinkedByTheCodeThatItSends(t *testing.T) {
	w := newWorld(t)
	added, err := w.courier.AddAddress(t.Context(), w.reader, "telegram", "", "ru")
	w.must(err)
	w.refused(w.courier.Confirm(t.Context(), w.reader, added.ID, added.Code), "contact.code") // only the chat can
	w.refused(w.courier.LinkChat(t.Context(), "AAAAAAAAAAAA", "77"), "contact.unknown")
	w.must(w.courier.LinkChat(t.Context(), added.Code, "77"))
	w.refused(w.courier.LinkChat(t.Context(), added.Code, "78"), "contact.unknown") // once
	w.posted("1")
	if len(w.bot.got) != 1 || w.bot.got[0].To != "77" {
		t.Fatalf("sent was %v", w.bot.got)
	}
	late, err := w.courier.AddAddress(t.Context(), w.reader, "telegram", "", "ru")
	w.must(err)
	w.now = w.now.Add(30 * time.Minute)
	w.refused(w.courier.LinkChat(t.Context(), late.Code, "79"), "contact.unknown")
}

func TestAnErasedPersonsMessageIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.confirmed("+1")
	w.must(w.board.Post(t.Context(), w.reader, "application.granted", "an application", "1"))
	w.must(w.courier.Vault.Erase(t.Context(), w.reader))
	w.must(w.jobs.Drain(t.Context()))
	w.is(notice.GivenUp, "erased", 0)
	if len(w.sms.got) > 0 {
		t.Fatalf("sent was %v", w.sms.got)
	}
}
