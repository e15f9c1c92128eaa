package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/certtrail/certtrail/ingest/provider"
)

const isLive = `document.getElementById("live").dataset.state === "live"`

// until waits for a condition, which may come true on another page than the one that is open now. It looks again each
// time: a poll inside a document ends with it, and chromedp may still know the one before, right after it went to
// another.
func until(t *testing.T, ctx context.Context, what, condition string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; <-time.After(10 * time.Millisecond) {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](condition))
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v at %s\n%s", what, err, do(t, ctx, chromedp.Evaluate[string](`location.href`)), do(t, ctx, chromedp.Evaluate[string](`document.body.innerText`)))
		}
	}
}

// xolphin sends what Xolphin says of one request.
func (w *world) xolphin(t *testing.T, request int, status string) {
	t.Helper()
	query := fmt.Sprintf("RequestId=%d&Status=%s", request, status)
	if code, body, err := w.deliver("xolphin", &provider.Delivery{Method: "GET", Query: query}); err != nil || code != 200 {
		t.Fatalf("%d %s %v", code, body, err)
	}
}

func stateIs(state string) string {
	return `document.querySelector(".now .tone").innerText.includes("` + state + `")`
}

// TestServerRestartsUnderAnOpenPage kills the server, starts it again at the same address, and sends what the page
// could not hear of.
func TestServerRestartsUnderAnOpenPage(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir)
	w.xolphin(t, 960000031, "Updated&State=Organization")
	w.caughtUp(t)
	ctx := browser(t)
	do(t, ctx, chromedp.Navigate(w.web+"/orders/xolphin/960000031"))
	until(t, ctx, "the page is live", isLive)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.sameDocument = true`))
	address := strings.TrimPrefix(w.web, "http://")
	w.end()
	until(t, ctx, "the page says that it is not", `document.getElementById("live").innerText === "reconnecting"`)
	w = begin(t, dir, "--web-listen", address)
	w.xolphin(t, 960000031, "Issued")
	until(t, ctx, "the page catches up by itself", isLive+` && `+stateIs("issued")+` && window.sameDocument`)
}

// TestTwentyTabs opens as many windows of one browser, which allows six connections per host: all of them change, and
// one more still loads.
func TestTwentyTabs(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	w.xolphin(t, 960000032, "Updated&State=Organization")
	w.caughtUp(t)
	first := longBrowser(t, 3*time.Minute)
	tabs := []context.Context{first}
	for range 19 {
		tab, cancel := chromedp.NewContext(first)
		t.Cleanup(cancel)
		tabs = append(tabs, tab)
	}
	for _, tab := range tabs {
		do(t, tab, chromedp.Navigate(w.web+"/orders/xolphin/960000032"))
		until(t, tab, "the tab is live", isLive+` && !document.hidden`)
	}
	w.xolphin(t, 960000032, "Issued")
	for _, tab := range tabs {
		until(t, tab, "the tab changes", stateIs("issued"))
	}
	do(t, first, chromedp.Navigate(w.web+"/orders"))
	until(t, first, "one more page loads", isLive+` && document.querySelectorAll("tr[data-row]").length === 1`)
}

// TestReadersPlaceSurvives changes an order's page while its reader has a delivery open, text selected, the focus on a
// link and has scrolled.
func TestReadersPlaceSurvives(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	for _, status := range []string{"Updated&State=Organization", "Updated&State=Message", "Updated&State=PhonecallDelayed"} {
		w.xolphin(t, 960000033, status)
	}
	w.caughtUp(t)
	ctx := browser(t)
	do(t, ctx, chromedp.EmulateViewport(1000, 240))
	do(t, ctx, chromedp.Navigate(w.web+"/orders/xolphin/960000033"))
	until(t, ctx, "the page is live", isLive)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`{
		const last = [...document.querySelectorAll(".events > li")].at(-1);
		last.querySelector("details").open = true;
		getSelection().selectAllChildren(last.querySelector(".what"));
		last.querySelector("a").focus({ preventScroll: true });
		last.scrollIntoView({ block: "center" });
		new MutationObserver(all => { window.marked ||= all.some(m => "changed" in m.target.dataset); }).observe(document.getElementById("main"), { subtree: true, attributeFilter: ["data-changed"] });
		window.before = { text: getSelection().toString(), focus: document.activeElement, open: last.querySelector("details"), last, top: last.getBoundingClientRect().top };
	}`))
	w.xolphin(t, 960000033, "Issued")
	until(t, ctx, "the page changes", stateIs("issued")+` && document.querySelectorAll(".events > li").length === 4`)
	for what, kept := range map[string]string{
		"selection": `before.text !== "" && getSelection().toString() === before.text`, "focus": `document.activeElement === before.focus`,
		"open details": `before.open.open && before.open.isConnected`, "place in the window": `Math.abs(before.last.getBoundingClientRect().top - before.top) < 5`,
		"mark of what changed": `window.marked === true`,
	} {
		if !do(t, ctx, chromedp.Evaluate[bool](kept)) {
			t.Errorf("the %s did not survive", what)
		}
	}
}

// TestPause stops a page and lets it go on, also after it was loaded again.
func TestPause(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	w.xolphin(t, 960000034, "Updated&State=Organization")
	w.caughtUp(t)
	ctx := browser(t)
	do(t, ctx, chromedp.Navigate(w.web+"/orders/xolphin/960000034"))
	until(t, ctx, "the page is live", isLive)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("live").click()`))
	do(t, ctx, chromedp.Reload())
	until(t, ctx, "the page is still paused", `document.getElementById("live").innerText === "paused"`)
	w.xolphin(t, 960000034, "Issued")
	w.caughtUp(t)
	if !do(t, ctx, chromedp.Evaluate[bool](stateIs("action required"))) {
		t.Error("a paused page changed")
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("live").click()`))
	until(t, ctx, "the page goes on", isLive+` && `+stateIs("issued"))
}

// TestKeys goes through a list without a mouse.
func TestKeys(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	for i := range 3 {
		w.xolphin(t, 960000040+i, "Updated&State=Organization")
	}
	w.caughtUp(t)
	ctx := browser(t)
	do(t, ctx, chromedp.Navigate(w.web+"/orders"))
	const row = `document.activeElement.closest("tr")?.dataset.row ?? document.activeElement.id`
	for _, c := range []struct{ keys, focus string }{
		{"j", "orders/xolphin/960000042"}, {"jj", "orders/xolphin/960000040"}, {"j", "orders/xolphin/960000040"}, {"k", "orders/xolphin/960000041"}, {"/", "search"},
		{"jk?", "search"},
	} {
		press(t, ctx, c.keys)
		if got := do(t, ctx, chromedp.Evaluate[string](row)); got != c.focus {
			t.Errorf("after %q the focus is on %q, want %q", c.keys, got, c.focus)
		}
	}
	if text := do(t, ctx, chromedp.Evaluate[string](`document.getElementById("search").value`)); strings.TrimPrefix(text, "/") != "jk?" { // the slash's own letter comes after the focus has moved, here only
		t.Errorf("the search has %q: letters are typed there", text)
	}
	press(t, ctx, kb.Escape+"?")
	until(t, ctx, "the help opens", `document.getElementById("help").matches(":modal")`)
	press(t, ctx, kb.Escape)
	until(t, ctx, "the help closes", `!document.getElementById("help").open`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("keys").click()`))
	press(t, ctx, "?")
	if do(t, ctx, chromedp.Evaluate[bool](`document.getElementById("help").open`)) {
		t.Error("a single letter acts though that was turned off")
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("keys").click()`))
	press(t, ctx, "jj"+kb.Enter)
	until(t, ctx, "the row opens", `location.pathname.startsWith("/orders/xolphin/96000004")`)
}

// TestWithoutScript reads, searches and goes into the past with scripts off.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	w.xolphin(t, 960000050, "Updated&State=Organization")
	w.xolphin(t, 960000050, "Issued")
	w.xolphin(t, 960000051, "Issued")
	w.caughtUp(t)
	ctx := browser(t)
	do(t, ctx, chromedp.Action[cdp.Empty](func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}))
	do(t, ctx, chromedp.Navigate(w.web+"/orders"))
	shown := func(what, text string) {
		t.Helper()
		until(t, ctx, what, `document.body.innerText.includes("`+text+`")`)
	}
	shown("the list", "960000051")
	if do(t, ctx, chromedp.Evaluate[bool](`document.documentElement.classList.contains("js") || document.getElementById("live").checkVisibility() || document.getElementById("help-open").checkVisibility()`)) {
		t.Error("the page offers what needs scripts")
	}
	do(t, ctx, chromedp.SendKeys("#search", "960000050"+kb.Enter))
	until(t, ctx, "the search leads to the order's page", `location.pathname === "/orders/xolphin/960000050" && `+stateIs("issued"))
	do(t, ctx, chromedp.Click(`a[rel=prev]`))
	shown("the moment of the last event", "As of event 2 of 2")
	do(t, ctx, chromedp.Click(`a[rel=prev]`))
	shown("the moment before", "As of event 1 of 2")
	do(t, ctx, chromedp.Click(`.events summary`))
	until(t, ctx, "a delivery unfolds", `document.querySelector(".events details").open`)
}

// TestTimesInTheReadersZone opens a page in India: the exact time is there in both zones.
func TestTimesInTheReadersZone(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	w.xolphin(t, 960000060, "Issued")
	w.caughtUp(t)
	ctx := browser(t)
	do(t, ctx, chromedp.Action[cdp.Empty](func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kolkata"})
	}))
	do(t, ctx, chromedp.Navigate(w.web+"/orders/xolphin/960000060"))
	const both = `/^\d+ \w+ \d{4}, \d\d:\d\d:\d\d GMT\+5:30 = \d+ \w+ \d{4}, \d\d:\d\d:\d\d UTC$/`
	check := `[...document.querySelectorAll("time.exact")].every(t => ` + both + `.test(t.innerText)) && [...document.querySelectorAll("time[data-rel]")].every(t => ` + both + `.test(t.title))`
	until(t, ctx, "both zones", isLive+` && `+check)
	w.xolphin(t, 960000060, "Deleted")
	until(t, ctx, "both zones after a change", stateIs("canceled")+` && `+check)
}
