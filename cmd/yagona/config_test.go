package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigIsReadFromTheFileThenFromTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "yagona.yaml")
	content := `folder: /var/lib/yagona
site: https://services.example
shipped-packs: false
packs: [a, b]
witnesses: [{url: "https://one.example", key: one}]
quorum: 0
sign-in: {issuer: "https://id.example", client: yagona, number: national_id}
secrets: {CIVIL_TOKEN: from the file}
proxies: [192.0.2.10, 10.0.0.0/8]
limits: {address: 50}
log: warn
`
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("YAGONA_SITE", "https://other.example")
	t.Setenv("YAGONA_SIGN_IN_SECRET", "from the environment")
	t.Setenv("YAGONA_QUORUM", "1")
	t.Setenv("YAGONA_SECRETS", "BANK_TOKEN:x")
	got, err := readConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	quorum := 1
	want := Config{
		Folder: "/var/lib/yagona", Site: "https://other.example", Listen: "127.0.0.1:8080", Packs: []string{"a", "b"},
		Witnesses: []WitnessConfig{{URL: "https://one.example", Key: "one"}}, Quorum: &quorum,
		SignIn:  SignInConfig{Issuer: "https://id.example", Client: "yagona", Secret: "from the environment", Number: "national_id"},
		Secrets: map[string]string{"BANK_TOKEN": "x"}, Log: 4, DiskReserve: 256, KeepJournal: 36, Traces: TracesConfig{Share: 0.01},
		Proxies: []string{"192.0.2.10", "10.0.0.0/8"}, Limits: LimitsConfig{Person: 120, Program: 3000, Address: 50},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it is not what was written (-want +got):\n%s", diff)
	}
}

func TestProxiesAreAddressesOrNetworks(t *testing.T) {
	for text, want := range map[string]string{"192.0.2.10": "192.0.2.10/32", "10.1.2.3/8": "10.0.0.0/8", "2001:db8::1": "2001:db8::1/128"} {
		if got, err := networkOf(text); err != nil || got.String() != want {
			t.Errorf("%s is %s, %v", text, got, err)
		}
	}
	for _, wrong := range []string{"proxy.example", "10.0.0.0/40", ""} {
		if got, err := networkOf(wrong); err == nil {
			t.Errorf("%q is %s", wrong, got)
		}
	}
}

func TestAVariableThatNobodyKnowsIsRefused(t *testing.T) {
	err := checkEnvironment([]string{
		"PATH=/bin", "YAGONA_FOLDER=a", "YAGONA_WITNESSES_3_KEY=k", "YAGONA_SIGN_IN_SECRET=hush", "YAGONA_TEST_ALL=1", "YAGONA_FAULT_KILLS=1",
	})
	if err != nil {
		t.Errorf("known variables are refused: %v", err)
	}
	for _, wrong := range []string{"YAGONA_QUROUM", "YAGONA_WITNESSES_KEY", "YAGONA_SIGNIN_SECRET"} {
		err := checkEnvironment([]string{"YAGONA_SITE=a", wrong + "=hush"})
		if err == nil || !strings.Contains(err.Error(), wrong+",") || !strings.Contains(err.Error(), "YAGONA_WITNESSES_0_KEY") {
			t.Errorf("%s: %v", wrong, err)
		} else if strings.Contains(err.Error(), "hush") {
			t.Errorf("the refusal tells a value: %v", err)
		}
	}
}

// TestAValueOfAnotherKindIsRefusedByName gives every number, level and switch a wrong value, in the file and in the
// environment: the refusal names the setting, the value and an example that is taken.
func TestAValueOfAnotherKindIsRefusedByName(t *testing.T) {
	checked := 0
	for _, one := range settings(reflect.TypeFor[Config](), "", environmentPrefix) {
		wrong := []string{"abc", "12 MiB"}
		switch one.Kind.Kind() {
		case reflect.String, reflect.Slice, reflect.Map:
			continue
		case reflect.Int, reflect.Int64:
			wrong = append(wrong, "1.5", "99999999999999999999")
		case reflect.Bool:
			wrong, one.Example = append(wrong, "1"), "true"
		}
		checked++
		write := func(value string) []byte {
			text, parts := value, strings.Split(one.Key, ".")
			for i := len(parts) - 1; i >= 0; i-- {
				text = parts[i] + ": " + text
				if i > 0 {
					text = "{" + text + "}"
				}
			}
			return []byte(text + "\n")
		}
		for _, value := range wrong {
			for want, err := range map[string]error{
				one.Variable + ": ":      checkEnvironment([]string{one.Variable + "=" + value}),
				"f.yaml:1:":              decodeConfig("f.yaml", write(value), &Config{}),
				one.Key + ": \"" + value: decodeConfig("f.yaml", write(value), &Config{}),
			} {
				if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("%q is ", value)) ||
					!strings.Contains(err.Error(), one.Example) || strings.Contains(err.Error(), "parse") {
					t.Errorf("%s = %s: %v", one.Key, value, err)
				}
			}
		}
		if err := checkEnvironment([]string{one.Variable + "=" + one.Example, one.Variable + "="}); err != nil {
			t.Errorf("the example of %s is refused: %v", one.Variable, err)
		}
		for _, right := range []string{one.Example, ""} {
			if err := decodeConfig("f.yaml", write(right), &Config{}); err != nil {
				t.Errorf("%s: %q is refused: %v", one.Key, right, err)
			}
		}
	}
	if checked < 11 {
		t.Errorf("only %d settings are checked", checked)
	}
	err := checkEnvironment([]string{"YAGONA_SECRETS=CIVIL_TOKEN:hush,hash"})
	if err == nil || !strings.Contains(err.Error(), "YAGONA_SECRETS: ") || !strings.Contains(err.Error(), "NAME:value") || strings.Contains(err.Error(), "hash") {
		t.Errorf("a secret with a comma gives %v", err)
	}
}

// TestNoSecretIsPrinted fills every text of the configuration, and holds what is printed to show all of them but those
// whose name says that they are secret.
func TestNoSecretIsPrinted(t *testing.T) {
	config := Config{Secrets: map[string]string{"CIVIL_TOKEN": "hush-1"}, Witnesses: []WitnessConfig{{}}}
	count := 1
	var shown []string
	var fill func(reflect.Value)
	fill = func(in reflect.Value) {
		for field, value := range in.Fields() {
			switch value.Kind() {
			case reflect.String:
				count++
				if secret := regexp.MustCompile("(?i)secret|token|password|database|subjectkeys"); secret.MatchString(field.Name) {
					value.SetString(fmt.Sprintf("hush-%d", count))
					continue
				}
				value.SetString(fmt.Sprintf("shown-%d", count))
				shown = append(shown, value.String())
			case reflect.Struct:
				fill(value)
			case reflect.Slice:
				if value.Type().Elem().Kind() == reflect.Struct {
					fill(value.Index(0))
				}
			}
		}
	}
	fill(reflect.ValueOf(&config).Elem())
	printed, err := config.effective()
	if err != nil || strings.Contains(printed, "hush") || !strings.Contains(printed, "CIVIL_TOKEN: "+hidden) {
		t.Errorf("printed is (%v)\n%s", err, printed)
	}
	for _, one := range shown {
		if !strings.Contains(printed, one+"\n") {
			t.Errorf("%s is not printed:\n%s", one, printed)
		}
	}
	if config.SignIn.Secret == hidden || config.Secrets["CIVIL_TOKEN"] == hidden {
		t.Error("printing changes the configuration")
	}
	var again Config
	if err := decodeConfig("printed.yaml", []byte(printed), &again); err != nil {
		t.Errorf("what is printed cannot be read again: %v", err)
	}
}

// FuzzConfig holds every refusal to file:line:column.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("folder: a\nbogus: 1\n"))
	f.Add([]byte("quorum: [secret-value]\n"))
	f.Add([]byte("folder: a\nfolder: b\n"))
	f.Add([]byte("secrets: {A: secret-value"))
	f.Add([]byte("\t- :\x00"))
	f.Add([]byte("log: loud\n"))
	located := regexp.MustCompile(`^file.yaml:[0-9]+:[0-9]+: `)
	f.Fuzz(func(t *testing.T, content []byte) {
		var config Config
		err := decodeConfig("file.yaml", content, &config)
		if err != nil && !located.MatchString(err.Error()) {
			t.Errorf("the refusal names no place: %v", err)
		}
	})
}
