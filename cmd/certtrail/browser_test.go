package main

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/certtrail/certtrail/ingest/provider"
)

// browser runs a headless Chromium of the distribution, for as long as the test runs.
func browser(t *testing.T) context.Context {
	t.Helper()
	return longBrowser(t, time.Minute)
}

// longBrowser does the same for a test that takes its time.
func longBrowser(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("no Chromium is installed: run make tools")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute),
		chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.WindowSize(1440, 1000))
	allocated, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(cancel)
	do(t, ctx, chromedp.Navigate("about:blank")) // the browser lives as long as the context of its first action
	ctx, cancel = context.WithTimeout(ctx, limit)
	t.Cleanup(cancel)
	return ctx
}

func do[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestPageChangesLive opens an order's page, sends a delivery, and sees the page change within a second, without a
// reload.
func TestPageChangesLive(t *testing.T) {
	w := begin(t, t.TempDir())
	xolphin := func(query string) {
		t.Helper()
		if status, body, err := w.deliver("xolphin", &provider.Delivery{Method: "GET", Query: query}); err != nil || status != 200 {
			t.Fatalf("%d %s %v", status, body, err)
		}
	}
	xolphin("RequestId=960000024&Status=Updated&State=Organization")
	w.caughtUp(t)
	ctx := browser(t)
	do(t, ctx, chromedp.Navigate(w.web+"/orders/xolphin/960000024"))
	const main = `document.querySelector("main").innerText`
	if before := do(t, ctx, chromedp.Evaluate[string](main)); !strings.Contains(strings.ToLower(before), "action required") {
		t.Fatalf("the page before:\n%s", before)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.sameDocument = true`))
	until(t, ctx, "the page is live", isLive)
	sent := time.Now()
	xolphin("RequestId=960000024&Status=Issued")
	_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](`!/action required/i.test(`+main+`.split("Timeline")[0]) && /issued/i.test(`+main+`)`,
		chromedp.WithPollingInterval(10*time.Millisecond), chromedp.WithPollingTimeout(10*time.Second)))
	took := time.Since(sent)
	if err != nil {
		t.Fatalf("the page does not change: %v\n%s", err, do(t, ctx, chromedp.Evaluate[string](main)))
	}
	same := do(t, ctx, chromedp.Evaluate[bool](`window.sameDocument === true`))
	if !same {
		t.Error("the page was loaded again")
	}
	if took > time.Second {
		t.Errorf("the page changed after %s, want at most a second", took)
	}
	t.Logf("changed %s after the delivery", took)
}
