package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/demo"
)

// pages lists all there are, each as the demo's deliveries leave it. "*" stands for what a page's path cannot know: it
// is taken from the first link on the list before it.
var pages = []struct{ name, path string }{
	{"attention", "/"},
	{"orders", "/orders"},
	{"orders-filtered", "/orders?state=issued&provider=digicert"},
	{"orders-none", "/orders?q=nothing.example"},
	{"order", "/orders/xolphin/960770001"},
	{"order-past", "/orders/xolphin/960770002?at=2099-01-01"},
	{"order-issued", "/orders/digicert/771001"},
	{"order-announced", "/orders/sectigo/330770003"},
	{"certificates", "/certificates"},
	{"certificate", "/certificates/digicert/881001"},
	{"certificate-announced", "/certificates/sectigo/440880003"},
	{"domains", "/domains"},
	{"domain", "/domains/shop.example.com"},
	{"dnssec", "/dnssec"},
	{"rotation", "/dnssec/sectigo/42"},
	{"organizations", "/organizations"},
	{"organization", "/organizations/digicert/551001"},
	{"websites", "/websites"},
	{"website", "/websites/sectigo/43"},
	{"targets", "/targets"},
	{"target", "/targets/probely/3NnoNEvCLtsc"},
	{"findings", "/findings"},
	{"finding", "/findings/*"},
	{"scans", "/scans"},
	{"scan", "/scans/probely/3epwuyBoKQKN"},
	{"users", "/users"},
	{"user", "/users/*"},
	{"expiry", "/expiry"},
	{"search", "/search?q=example.com"},
	{"events", "/events"},
	{"event", "/events/2"},
	{"quarantine", "/quarantine"},
	{"system", "/system"},
	{"error", "/orders/digicert/0"},
}

var screenshots = flag.String("screenshots", "", "the `directory` in which TestEveryPage leaves a picture of each page, wide and narrow, light and dark")

// TestEveryPage opens every page with the demo's data, wide and narrow, light and dark: axe-core finds nothing serious,
// nothing breaks the policy or a script, and nothing is wider than the window.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	w := seeded(t)
	axe := axeCore(t)
	ctx := longBrowser(t, 10*time.Minute)
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			path := w.resolve(t, p.path)
			do(t, ctx, chromedp.EmulateViewport(1440, 1000))
			do(t, ctx, scheme("light"))
			do(t, ctx, chromedp.Navigate(w.web+path))
			do(t, ctx, chromedp.Evaluate[chromedp.Void](axe))
			for _, width := range []int64{1440, 390, 2560} {
				do(t, ctx, chromedp.EmulateViewport(width, 1000))
				if wide := do(t, ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); wide > width {
					t.Errorf("%s is %d wide in a window of %d", path, wide, width)
				}
				for _, colours := range []string{"light", "dark"} {
					rules, ok := judged[look{width, colours}]
					if !ok {
						continue
					}
					do(t, ctx, scheme(colours))
					if rules != "" {
						judge(t, ctx, fmt.Sprintf("%s, %d wide, %s", path, width, colours), rules)
					}
					if *screenshots != "" {
						picture(t, ctx, filepath.Join(*screenshots, fmt.Sprintf("%s-%d-%s.png", p.name, width, colours)))
					}
				}
			}
		})
	}
}

// look says how a reader sees a page.
type look struct {
	width   int64
	colours string
}

// judged says how each look is judged: the first by all rules, the others by those that it may change.
var judged = map[look]string{
	{1440, "light"}: `rules: {"target-size": {enabled: true}}`,
	{1440, "dark"}:  `runOnly: ["color-contrast", "link-in-text-block"]`,
	{390, "light"}:  `runOnly: ["color-contrast", "target-size", "scrollable-region-focusable"]`,
	{390, "dark"}:   "", // the colours of the one, the layout of the other
}

// seeded runs a server that got all that the demo begins with.
func seeded(t *testing.T) *world {
	t.Helper()
	w := begin(t, t.TempDir())
	s := settingsWith(t, map[string]string{
		"digicert-webhook-key": testKey, "sectigo-username": testUser, "sectigo-password": testPassword,
		"xolphin-token": testToken, "defguard-token": testToken, "probely-token": testToken,
	})
	player := demo.NewPlayer(w.hooks, s.Sources, 0)
	for _, story := range demo.OpeningStories(player.Now) {
		for _, step := range story {
			if err := player.Deliver(t.Context(), step); err != nil {
				t.Fatalf("%s %s: %v", step.Provider, step.Event, err)
			}
		}
	}
	w.caughtUp(t)
	return w
}

// resolve puts the first link of the path's list in place of "*".
func (w *world) resolve(t *testing.T, path string) string {
	t.Helper()
	list, ok := strings.CutSuffix(path, "/*")
	if !ok {
		return path
	}
	_, body, err := fetch(w.web + list)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`href="(` + list + `/[^"]+)"`).FindSubmatch(body)
	if m == nil {
		t.Fatalf("%s has no link to a row", list)
	}
	return string(m[1])
}

func scheme(colours string) chromedp.Action[cdp.Empty] {
	return func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: colours}}})
	}
}

func promise(p *runtime.EvaluateParams) { p.AwaitPromise = new(true) }

// axeCore returns the source of axe-core, which .ci/tools fetches.
func axeCore(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../.ci/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("axe-core is not installed: run make tools (%v)", err)
	}
	return string(b)
}

// judge lets axe-core look at the page as it stands, by the rules of its option.
func judge(t *testing.T, ctx context.Context, what, rules string) {
	t.Helper()
	for _, found := range do(t, ctx, chromedp.Evaluate[[]string](`axe.run(document, {resultTypes: ["violations"], `+rules+`}).then(r => r.violations.filter(v => ["serious", "critical"].includes(v.impact))
		.map(v => v.id + ": " + v.help + "\n" + v.nodes.slice(0, 5).map(n => n.html.slice(0, 200) + "\n  " + n.any.concat(n.all, n.none).map(c => c.message).join("; ")).join("\n")))`, promise)) {
		t.Errorf("%s: %s", what, found)
	}
}

func picture(t *testing.T, ctx context.Context, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, do(t, ctx, chromedp.FullScreenshot(100)), 0o644); err != nil {
		t.Fatal(err)
	}
}
