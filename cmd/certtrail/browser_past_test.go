package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/certtrail/certtrail/schema"
)

// TestSliderStandsInThePast moves an order's slider by the keyboard: the page turns into the one of that moment without being loaded anew, the
// slider keeps its focus, what comes meanwhile does not change it, and the end of the slider is the live page again.
func TestSliderStandsInThePast(t *testing.T) {
	w := begin(t, t.TempDir())
	xolphin := func(query string) {
		t.Helper()
		if status, body, err := w.deliver("xolphin", &schema.Delivery{Method: "GET", Query: "RequestId=960000025&Status=" + query}); err != nil || status != 200 {
			t.Fatalf("%d %s %v", status, body, err)
		}
	}
	xolphin("Updated&State=Organization")
	xolphin("Updated&State=Message")
	xolphin("Issued")
	w.caughtUp(t)
	ctx := browser(t)
	do(t, ctx, chromedp.Navigate(w.web+"/orders/xolphin/960000025"))
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.sameDocument = true; document.getElementById("moment-at").focus()`))
	become := func(what, condition string) {
		t.Helper()
		_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(10*time.Second)))
		if err != nil {
			t.Fatalf("%s: %v at %s\n%s", what, err, do(t, ctx, chromedp.Evaluate[string](`location.href`)), do(t, ctx, chromedp.Evaluate[string](`document.querySelector("main").innerText`)))
		}
	}
	const banner, state = `document.querySelector(".banner")?.innerText ?? ""`, `document.querySelector(".now .tone").innerText`
	become("the page is live", `document.querySelector("#live").textContent.includes("live")`)

	press(t, ctx, kb.ArrowLeft+kb.ArrowLeft)
	become("two steps back", `(`+banner+`).includes("As of event 2 of 3") && `+state+`.includes("action required") && location.search.startsWith("?at_seq=")`)
	become("it says what changed", `document.querySelector(".as-of").innerText.includes("message from the CA unanswered")`)
	if focused := do(t, ctx, chromedp.Evaluate[string](`document.activeElement.id + " " + document.activeElement.getAttribute("aria-valuetext")`)); focused != "moment-at event 2 of 3" {
		t.Errorf("the focus is on %q, want the slider, which says where it stands", focused)
	}

	xolphin("Deleted")
	become("it says that something newer came", `(`+banner+`).includes("As of event 2 of 4") && document.querySelector(".as-of").innerText.includes("2 newer events")`)
	if got := do(t, ctx, chromedp.Evaluate[string](state)); !strings.Contains(got, "action required") {
		t.Errorf("a page of the past changed to %s", got)
	}

	press(t, ctx, kb.End)
	become("the present", `!document.querySelector(".banner") && `+state+`.includes("canceled") && location.search === ""`)
	xolphin("Issued")
	become("the present is live", state+`.includes("issued") && document.getElementById("moment-at").value === "6"`)
	if same := do(t, ctx, chromedp.Evaluate[bool](`window.sameDocument === true`)); !same {
		t.Error("the page was loaded anew")
	}
}

func press(t *testing.T, ctx context.Context, keys string) {
	t.Helper()
	do(t, ctx, chromedp.KeyEvent(keys))
}
