package country_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lakeland "yagona/checks/country"
	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/ledger/bank"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/node"
	"yagona/node/walk"
	"yagona/pack"
	"yagona/web/provider"
)

// citizen is someone of Lakeland.
type citizen struct {
	id     ident.Person
	number string
	name   string
}

// citizens are those whom the sign-in offers.
type citizens []citizen

func (c citizens) Search(_ context.Context, text string, limit int) (found []provider.Person, err error) {
	for _, one := range c {
		if len(found) < limit && strings.Contains(one.name, text) {
			found = append(found, provider.Person{Number: one.number, Name: one.name})
		}
	}
	return found, nil
}

func (c citizens) ByNumber(_ context.Context, number string) (provider.Person, bool, error) {
	for _, one := range c {
		if one.number == number {
			return provider.Person{Number: one.number, Name: one.name}, true, nil
		}
	}
	return provider.Person{}, false, nil
}

// lakes is an installation of the invented country. It is Sunday 22 March 2026 there, one o'clock in the afternoon.
type lakes struct {
	*node.Node
	site                          *url.URL
	boatwoman, keeper, accountant citizen
}

func open(t *testing.T) *lakes {
	t.Helper()
	profile, err := country.Load(lakeland.Files())
	if err != nil {
		t.Fatal(err)
	}
	birth := calendar.Date{Year: 1990, Month: time.June, Day: 1}
	made := func(name string, sex country.Sex, serial int) citizen {
		number, err := profile.Person.Compose(birth, sex, serial)
		if err != nil {
			t.Fatal(err)
		}
		return citizen{ident.Random[ident.Person](), number, name}
	}
	l := &lakes{
		boatwoman: made("Exemple Aurore", country.Female, 1), keeper: made("Modèle Basile", country.Male, 2),
		accountant: made("Fictif Camille", country.Female, 3),
	}
	everybody := citizens{l.boatwoman, l.keeper, l.accountant}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.site = &url.URL{Scheme: "http", Host: listener.Addr().String()}
	began, noon := time.Now(), time.Date(2026, 3, 22, 13, 0, 0, 0, profile.Location)
	clock := func() time.Time { return noon.Add(time.Since(began)).UTC() }
	simulated := bank.New(clock)
	simulated.Accounts = map[string]bank.Account{"LK00000001": {Holder: l.boatwoman.name, NationalNumber: l.boatwoman.number}}
	l.Node, err = node.Open(t.Context(), node.Config{
		Folder: t.TempDir(), Site: l.site, Country: lakeland.Files(), Packs: []pack.Source{lakeland.Pack()}, Demonstration: true,
		People: everybody, Bank: simulated, Clock: clock, Volatile: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	l.settle(t, everybody, birth, clock())
	l.Start(context.WithoutCancel(t.Context()))
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: l.Handler}}
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// settle takes the citizens up, lets them live at the Lac Vert, gives two of them their posts, and endows the fund.
func (l *lakes) settle(t *testing.T, everybody citizens, birth calendar.Date, now time.Time) {
	t.Helper()
	foundation := journal.Actor{Component: "foundation"}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, one := range everybody {
		_, err := l.People.TakeUp(t.Context(), foundation, one.id, person.Attributes{Number: one.number, Name: one.name, Birth: birth, Language: "fr"})
		must(err)
		_, _, err = l.Registers.Put(t.Context(), foundation, register.Write{
			Register: "harbour/dwellers", From: birth, Reason: "foundation",
			Values: map[string]any{"person": one.id.Subject(), "household": ident.Random[ident.Household]().Subject(), "canton": ident.Territory("XK-2"), "since": birth},
		})
		must(err)
	}
	for _, post := range []access.Appointment{
		{Person: l.keeper.id, Agency: "harbour-office", Role: "keeper", Territory: "XK-2"},
		{Person: l.accountant.id, Agency: "harbour-office", Role: "treasurer", Territory: "XK"},
	} {
		_, err := l.Office.Appoint(t.Context(), access.Actor{}, post)
		must(err)
	}
	const fund ident.Account = "fund:boat-fund"
	_, err := l.Ledger.Transfer(t.Context(), access.Actor{}, ledger.Transfer{
		ID: ident.New[ident.Transfer](now), Debit: ledger.OutsideOf(fund), Credit: fund, Amount: 1_000_000, Reason: "appropriation",
	})
	must(err)
}

// as signs in.
func (l *lakes) as(t *testing.T, who citizen) *walk.Client {
	t.Helper()
	client, err := walk.SignIn(t.Context(), l.site, node.DemonstrationPath, node.DemonstrationProgram, who.name)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

type application struct {
	ID, State, Title string
	Revision         int64
	Tasks            []struct{ ID, Due, Territory string }
	Granted          *struct {
		Payment         int64
		Order, Document string
	}
}

// The story works in a country of which the code knows nothing: other identifiers, money with three digits, another week,
// two levels of territory, languages without texts of the platform.
func TestTheInventedCountryServesItsPeople(t *testing.T) {
	l := open(t)
	boatwoman := l.as(t, l.boatwoman)

	wrong := map[string]any{"price": 1005, "account": "00000000000000000001"}
	wish := map[string]any{"service": "harbour/boat-grant", "language": "fr", "answers": wrong, "send": true}
	if err := boatwoman.Post(t.Context(), "/api/v1/applications", wish, nil); err == nil || !strings.Contains(err.Error(), "account") {
		t.Errorf("another country's bank account is taken: %v", err)
	}
	wrong["account"] = "LK00000001"
	var sent struct{ Application application }
	if err := boatwoman.Post(t.Context(), "/api/v1/applications", wish, &sent); err != nil {
		t.Fatal(err)
	}
	own := "/api/v1/applications/" + sent.Application.ID
	var shown application
	get(t, boatwoman, own, &shown)
	// Sunday is worked and counts as the day of receipt. Monday counts, Tuesday is the Day of the Lakes, Wednesday and
	// Thursday count, Friday 27 is worked in exchange: it is due at its end.
	due := time.Date(2026, 3, 28, 0, 0, 0, 0, l.Profile.Location).UTC().Format(time.RFC3339)
	if shown.State != "deciding" || len(shown.Tasks) != 1 || shown.Tasks[0].Due != due || shown.Tasks[0].Territory != "XK-2" {
		t.Fatalf("the application is %+v, want it due at %s", shown, due)
	}

	keeper := l.as(t, l.keeper)
	task := "/api/v1/tasks/" + shown.Tasks[0].ID
	var read struct{ Application application }
	get(t, keeper, task, &read)
	decision := map[string]any{"action": "approve"}
	if err := keeper.Post(t.Context(), task+"/decide", decision, &json.RawMessage{}, "If-Match", fmt.Sprintf(`"%d"`, read.Application.Revision)); err != nil {
		t.Fatal(err)
	}
	get(t, boatwoman, own, &shown)
	if shown.State != "granted" || shown.Granted == nil || shown.Granted.Payment != 1005 {
		t.Fatalf("the application is %+v", shown)
	}

	accountant := l.as(t, l.accountant)
	eventually(t, "the payment is ready to be released", func() bool {
		return accountant.Post(t.Context(), "/api/v1/orders/"+shown.Granted.Order+"/release", nil, nil) == nil
	})
	eventually(t, "the payment is confirmed", func() bool {
		var payment struct{ State, Currency string }
		get(t, boatwoman, own+"/payment", &payment)
		return payment.State == "confirmed" && payment.Currency == "XLD"
	})

	file, err := boatwoman.Send(t.Context(), http.MethodGet, "/api/v1/documents/"+shown.Granted.Document+"/file", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("its document", func(t *testing.T) { itsDocument(t, file.Body) })
	t.Run("its pages", func(t *testing.T) { itsPages(t, l) })
}

// itsDocument holds the document to the language and the money of the country.
func itsDocument(t *testing.T, file []byte) {
	if _, err := exec.LookPath("pdftotext"); err != nil && os.Getenv("YAGONA_TEST_ALL") == "" {
		t.Skip("needs pdftotext (Debian's poppler-utils) to read the document: run ./test")
	}
	path := filepath.Join(t.TempDir(), "decision.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", path, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Décision sur l'aide pour un bateau", "Office du port", "Montant de l'aide", "1,005 XLD", "Exemple Aurore"} {
		if !strings.Contains(strings.ReplaceAll(string(text), "\u00a0", " "), want) {
			t.Errorf("the document lacks %q:\n%s", want, text)
		}
	}
}

// itsPages holds the pages to the languages of the country: their names, their direction, and no other country's.
func itsPages(t *testing.T, l *lakes) {
	for language, opens := range map[string]string{"fr": `<html lang="fr">`, "ar": `<html lang="ar" dir="rtl">`, "en": `<html lang="en">`} {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		reader := http.Client{Jar: jar} // the choice of a language is kept in a cookie
		response, err := reader.Get(l.site.String() + "/services/harbour/boat-grant?lang=" + language)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", language, response.StatusCode, err)
		}
		for _, want := range []string{opens, "Aide pour un bateau", "français", "العربية"} {
			if !strings.Contains(string(page), want) {
				t.Errorf("%s: the page lacks %s", language, want)
			}
		}
		for _, other := range []string{"Oʻz", "Русский", "UZS", "soʻm"} {
			if strings.Contains(string(page), other) {
				t.Errorf("%s: the page speaks of another country: %s", language, other)
			}
		}
	}
}

func get(t *testing.T, who *walk.Client, path string, into any) {
	t.Helper()
	if err := who.Get(t.Context(), path, into); err != nil {
		t.Fatalf("%s: %s: %v", who.Name, path, err)
	}
}

// eventually waits for what a job does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("not so after two minutes: %s", what)
}
