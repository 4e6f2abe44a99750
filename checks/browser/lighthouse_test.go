package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"yagona/locale"
	"yagona/packs/demo"
)

// What Lighthouse must give a page at least, of 100.
const (
	leastAccessibility = 100
	leastPractices     = 95
)

// judgement is what of Lighthouse's report counts here.
type judgement struct {
	Version    string `json:"lighthouseVersion"`
	Categories map[string]struct {
		Score     float64 `json:"score"`
		AuditRefs []struct {
			ID     string  `json:"id"`
			Weight float64 `json:"weight"`
		} `json:"auditRefs"`
	} `json:"categories"`
	Audits map[string]struct {
		Score   *float64 `json:"score"`
		Title   string   `json:"title"`
		Numeric float64  `json:"numericValue"`
	} `json:"audits"`
}

// TestLighthouse measures the main pages with Lighthouse, which YAGONA_TEST_LIGHTHOUSE names: docs/how-to/measure-the-pages.md.
func TestLighthouse(t *testing.T) {
	tool := os.Getenv("YAGONA_TEST_LIGHTHOUSE")
	if tool == "" {
		t.Skip("measured by hand, as docs/how-to/measure-the-pages.md says")
	}
	s := begin(t, chromium(t), axe(t))
	who := s.people.Persona(demo.Jobless)
	resident := s.signedIn(t, locale.English, who, subsidy)
	resident.press("/apply")
	question := resident.address()
	resident.open(subsidy)
	application := s.send(resident, who)
	leader := s.signedIn(t, locale.English, s.people.Persona(demo.YouthLeader), "/desk")
	leader.follow("/desk/tasks/")
	for _, page := range []struct {
		name, path string
		by         *window
	}{
		{"home", "/", nil},
		{"service", subsidy, nil},
		{"statistics", subsidy + "/statistics", nil},
		{"question", question, resident},
		{"status", application, resident},
		{"inbox", "/desk", leader},
		{"case", leader.address(), leader},
	} {
		found := s.lighthouse(t, tool, page.path, page.by)
		score := func(category string) float64 { return math.Round(100 * found.Categories[category].Score) }
		t.Logf("%-10s accessibility %3.0f  best practices %3.0f  performance %3.0f  first contentful paint %4.1f s  %3.0f KiB (Lighthouse %s)", page.name,
			score("accessibility"), score("best-practices"), score("performance"), found.Audits["first-contentful-paint"].Numeric/1000, found.Audits["total-byte-weight"].Numeric/1024, found.Version)
		for category, least := range map[string]float64{"accessibility": leastAccessibility, "best-practices": leastPractices} {
			if score(category) >= least {
				continue
			}
			t.Errorf("%s has %.0f of %.0f for %s", page.name, score(category), least, category)
			for _, audit := range found.Categories[category].AuditRefs {
				if got := found.Audits[audit.ID]; audit.Weight > 0 && got.Score != nil && *got.Score < 1 {
					t.Logf("  %s: %s", audit.ID, got.Title)
				}
			}
		}
	}
}

// lighthouse measures a page as whoever is signed in in the window sees it.
func (s *told) lighthouse(t *testing.T, tool, path string, by *window) (found judgement) {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report.json")
	headers := map[string]string{}
	if by != nil {
		cookies := ask(by, func(ctx context.Context, target *chromedp.Target) ([]*network.Cookie, error) {
			got, err := cdp.Call(ctx, target, network.GetCookies, network.GetCookiesParams{})
			return got.Cookies, err
		})
		for _, cookie := range cookies {
			headers["Cookie"] += cookie.Name + "=" + cookie.Value + "; "
		}
	}
	written, err := json.Marshal(headers)
	if err != nil {
		t.Fatal(err)
	}
	arguments := []string{
		s.site + path, "--quiet", "--output=json", "--output-path=" + report, "--extra-headers=" + string(written),
		"--only-categories=accessibility,best-practices,performance", "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
	}
	const tries = 3 // it loses the trace now and then, and says so: "Please run Lighthouse again"
	for try := 1; ; try++ {
		command := exec.CommandContext(t.Context(), tool, arguments...)
		command.Env = append(os.Environ(), "CHROME_PATH=/usr/bin/chromium")
		output, err := command.CombinedOutput()
		if err == nil {
			break
		}
		if try == tries {
			t.Fatal(fmt.Errorf("%s: %w\n%s", path, err, output))
		}
		t.Logf("%s: try %d: %v", path, try, err)
	}
	content, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &found); err != nil {
		t.Fatal(err)
	}
	return found
}
