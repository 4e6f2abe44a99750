package tutorial

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	subsidy = "youth/tools-subsidy"
	// The ceiling of the subsidy in the pack that is shipped, and in the one that is published: each with its example.
	ceiling, newCeiling = "10 * param.brv", "8 * param.brv"
	example, newExample = "payment: 4120000 UZS", "payment: 3296000 UZS"
)

// A changed pack comes into force on a running node when two publishers have signed it: new applications take the new
// version, running ones keep theirs, and a version that turns out to be faulty takes no more.
func TestAPackIsPublishedToARunningNode(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a demonstration: run ./test")
	}
	folder := t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "youth"), os.DirFS(filepath.Join("..", "..", "packs", "youth"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "youth", "services", "tools-subsidy.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer("version: 1", "version: 2", ceiling, newCeiling, example, newExample).Replace(string(text))
	if strings.Contains(changed, ceiling) || !strings.Contains(changed, newExample) {
		t.Fatal("the shipped subsidy has another ceiling by now: say here which")
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}

	demo := demonstrate(t, folder, "yagona demo")
	dear := map[string]any{"trade": "welding", "price": 900_000_000, "account": "00000000000000000001"}
	running := demo.as("Namunaev Jasur")
	before := running.apply(subsidy, dear)
	if before.State != "deciding" {
		t.Fatalf("the application is %+v", before)
	}

	publisher := func(number string) string {
		keys, err := filepath.Glob(filepath.Join(demo.folder, "publishers", "youth-agency-"+number, "*.key.json"))
		if err != nil || len(keys) != 1 {
			t.Fatalf("the keys of publisher %s are %v (%v)", number, keys, err)
		}
		return " --node " + demo.site.String() + " --key " + keys[0]
	}
	run(t, folder, "yagona pack check --release youth && yagona pack test youth")
	said := run(t, folder, "yagona pack publish youth --agency youth-agency"+publisher("1"))
	proposed := regexp.MustCompile(`^proposed (\S+) \(([0-9a-f]{64})\)`).FindStringSubmatch(said)
	if proposed == nil {
		t.Fatalf("publishing says: %s", said)
	}
	if open := demo.open(subsidy); open != before.Version {
		t.Errorf("what nobody has approved is in force: %s", open)
	}
	run(t, folder, "yagona pack approve "+proposed[1]+" --digest "+proposed[2]+publisher("2"))

	after := demo.as("Shartlieva Malika").apply(subsidy, dear)
	if after.State != "deciding" || after.Version == before.Version || after.Version != demo.open(subsidy) {
		t.Fatalf("after the publication an application is %+v", after)
	}
	leader, chair := demo.as("Namunaeva Kamola"), demo.as("Sinovov Rahim")
	for _, one := range []string{before.ID, after.ID} {
		leader.decide(one, map[string]any{"action": "recommend"})
		chair.decide(one, map[string]any{"action": "approve"})
	}
	old, fresh := running.application(before.ID), demo.as("Shartlieva Malika").application(after.ID)
	if old.Granted == nil || fresh.Granted == nil || old.Version != before.Version {
		t.Fatalf("granted are %+v and %+v", old, fresh)
	}
	if old.Granted.Payment == 0 || old.Granted.Payment*8 != fresh.Granted.Payment*10 {
		t.Errorf("by ten base values %d is paid, by eight %d", old.Granted.Payment, fresh.Granted.Payment)
	}

	closing := func(version string) {
		run(t, folder, "yagona pack close "+subsidy+" "+version+" --agency youth-agency --reason 'The ceiling is wrong.'"+publisher("1"))
	}
	closing(after.Version)
	if open := demo.open(subsidy); open != before.Version {
		t.Errorf("after the faulty version was closed, %s takes applications, want the one before", open)
	}
	closing(before.Version)
	if open := demo.open(subsidy); open != "" {
		t.Errorf("both versions are closed, and %s takes applications", open)
	}
	err = demo.as("Andozaev Umid").Post(t.Context(), "/api/v1/applications",
		map[string]any{"service": subsidy, "language": "en", "answers": dear, "send": true}, nil)
	if err == nil || !strings.Contains(err.Error(), "service.closed") {
		t.Errorf("applying for a closed service: %v", err)
	}
}

// open returns the version of a service that takes new applications, "" if none does.
func (i *installation) open(service string) string {
	i.t.Helper()
	var catalogue page[struct{ Service, Version string }]
	i.anyone().get("/api/v1/services", &catalogue)
	at := slices.IndexFunc(catalogue.Items, func(one struct{ Service, Version string }) bool { return one.Service == service })
	if at < 0 {
		return ""
	}
	return catalogue.Items[at].Version
}
