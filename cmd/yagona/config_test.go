package main

import (
	"os"
	"path/filepath"
	"regexp"
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
		Secrets: map[string]string{"BANK_TOKEN": "x"}, Log: 4,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it is not what was written (-want +got):\n%s", diff)
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
