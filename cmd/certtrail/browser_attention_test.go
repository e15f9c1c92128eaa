package main

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/certtrail/certtrail/ingest/provider"
)

// TestDecideLive takes, reopens, snoozes and acknowledges a matter on one page, while a second shows each change by
// itself.
func TestDecideLive(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	if status, body, err := w.deliver("xolphin", &provider.Delivery{Method: "GET", Query: "RequestId=960000031&Status=Updated&State=Phone"}); err != nil || status != 200 {
		t.Fatalf("%d %s %v", status, body, err)
	}
	w.caughtUp(t)
	ctx := browser(t)
	second, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	for _, tab := range []context.Context{ctx, second} {
		do(t, tab, chromedp.Navigate(w.web+"/"))
		until(t, tab, "the page is live", isLive)
	}
	do(t, second, chromedp.Evaluate[chromedp.Void](`window.sameDocument = true`))
	become := func(what, condition string) {
		t.Helper()
		for name, tab := range map[string]context.Context{"the first": ctx, "the second": second} {
			until(t, tab, what+", on "+name+" page", condition)
		}
	}
	const heading, below, badge = `document.querySelector("h1").innerText`, `(document.querySelector("#decided")?.textContent ?? "")`, `document.querySelector("#nav-attention")`
	click := func(selector string) {
		t.Helper()
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector('`+selector+`').click()`))
	}
	become("it needs a person", heading+` === "1 needs you" && `+badge+`.innerText === "1"`)

	for how, close := range map[string]string{
		"a click beside it": `document.querySelector("h1").click()`,
		"Escape":            `document.querySelector("input[name=note]").dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true}))`,
	} {
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector(".decide details").open = true; `+close))
		become(how+" closes what Snooze opened", `!document.querySelector(".decide details[open]")`)
	}

	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector('.decide details').open = true; document.querySelector('input[name=by]').value = "Ada"; document.querySelector('input[name=note]').value = "I call them"`))
	click(`button[value=taken]`)
	become("taken", heading+` === "Nothing needs you" && `+below+`.includes("taken by Ada until") && `+below+`.includes("I call them") && `+badge+`.hidden`)

	click(`#decided button[value=reopened]`)
	become("reopened", heading+` === "1 needs you" && !document.querySelector("#decided")`)

	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector('select[name=days]').value = "1"`))
	click(`button[value=snoozed]`)
	become("snoozed", heading+` === "Nothing needs you" && `+below+`.includes("snoozed until")`)

	click(`#decided button[value=reopened]`)
	become("reopened again", heading+` === "1 needs you"`)
	click(`button[value=acknowledged]`)
	become("acknowledged", heading+` === "Nothing needs you" && !document.querySelector("#decided") && document.querySelector("#waiting").innerText === "1"`)
	if !do(t, second, chromedp.Evaluate[bool](`window.sameDocument === true`)) {
		t.Error("the second page was loaded again")
	}
}
