package main

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// narrowPages lists pages with notices, steps, a slider or pictures below the bar.
var narrowPages = []string{"/", "/expiry", "/orders/sectigo/330770003", "/orders/xolphin/960770001?at_seq=30", "/certificates/sectigo/440880003", "/dnssec/sectigo/42", "/system", "/orders"}

// TestNarrowPages: nothing is wider than a small screen, and the open menu lies over what is below it; without
// JavaScript, when there are more buttons, the same.
func TestNarrowPages(t *testing.T) {
	t.Parallel()
	w := seeded(t)
	ctx := browser(t)
	for _, disabled := range []bool{false, true} {
		if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: disabled}); err != nil {
			t.Fatal(err)
		}
		for _, width := range []int64{390, 320} {
			do(t, ctx, chromedp.EmulateViewport(width, 1400))
			for _, path := range narrowPages {
				do(t, ctx, chromedp.Navigate(w.web+path))
				do(t, ctx, chromedp.Click(".more summary"))
				trouble := do(t, ctx, chromedp.Evaluate[[]string](`[
					...(document.documentElement.scrollWidth > innerWidth ? ["the page is " + document.documentElement.scrollWidth + " wide"] : []),
					...[...document.querySelectorAll(".more > div a")].filter(a => {
						const box = a.getBoundingClientRect(), top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
						return !box.width || !a.contains(top);
					}).map(a => "the menu's " + a.textContent + " is covered")]`))
				if len(trouble) > 0 {
					t.Errorf("%s, %d wide, JavaScript off: %v: %s", path, width, disabled, strings.Join(trouble, "; "))
				}
			}
		}
	}
}
