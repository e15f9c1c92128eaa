package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestButtonInABrowser presses a provider's button, and follows the answer to its event.
func TestButtonInABrowser(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	ctx := browser(t)
	do(t, ctx, chromedp.Navigate(w.web+"/system"))
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#provider-xolphin form button").click()`))
	until(t, ctx, "the answer is told", `/answered 200 in \d+ ms; event 1/.test(document.querySelector("#provider-xolphin").innerText)`)
	if hash := do(t, ctx, chromedp.Evaluate[string](`location.pathname + location.hash`)); hash != "/system#provider-xolphin" {
		t.Errorf("the page is %s", hash)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#provider-xolphin .tested a").click()`))
	until(t, ctx, "the event's page", `location.pathname === "/events/1" && /certtrail_test/.test(document.querySelector("main").innerText)`)
}

// TestLogInABrowser filters the log, sees a new event come in at the top, and none while the page is paused.
func TestLogInABrowser(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	issue := func(order int) {
		t.Helper()
		if status, body, err := w.deliver("digicert", issuedDelivery(order)); err != nil || status != 200 {
			t.Fatalf("%d %s %v", status, body, err)
		}
		w.caughtUp(t)
	}
	const rows = `[...document.querySelectorAll("#list tbody tr")].map(r => r.innerText).join("|")`
	issue(1)
	ctx := browser(t)
	do(t, ctx, chromedp.Navigate(w.web+"/events"))
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll(".examples a")].find(a => a.innerText === "issued orders").click()`))
	until(t, ctx, "the filtered log", `location.search === "?subject=certs.order.issued.%3E" && document.querySelector("#live").textContent.includes("live")`)
	issue(2)
	until(t, ctx, "two events match", `document.querySelectorAll("#list tbody tr").length === 2`)
	if first, _, _ := strings.Cut(do(t, ctx, chromedp.Evaluate[string](rows)), "|"); !strings.Contains(first, "certs.order.issued.digicert.2") {
		t.Errorf("the newest does not stand first: %s", first)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#live").click()`))
	until(t, ctx, "the log is paused", `document.querySelector("#live").textContent.includes("paused")`)
	issue(3)
	issue(4)
	if shown := do(t, ctx, chromedp.Evaluate[string](rows)); strings.Contains(shown, "digicert.3") {
		t.Errorf("a paused page moves: %s", shown)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#live").click()`))
	until(t, ctx, "the log goes on", `document.querySelectorAll("#list tbody tr").length === 4`)
	do(t, ctx, chromedp.Navigate(w.web+"/events?subject=certs.order..issued"))
	until(t, ctx, "a wrong filter is explained", `/is not a NATS filter/.test(document.querySelector("main").innerText)`)
}
