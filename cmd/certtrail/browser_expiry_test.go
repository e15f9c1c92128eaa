package main

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPicturesFit opens the page of what expires when, wide and narrow: all of its pictures can be seen without
// scrolling across, and no word covers another.
func TestPicturesFit(t *testing.T) {
	w := seeded(t)
	ctx := browser(t)
	do(t, ctx, chromedp.Navigate(w.web+"/expiry"))
	for _, width := range []int64{1440, 390, 320} {
		do(t, ctx, chromedp.EmulateViewport(width, 1000))
		if n := do(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll(".picture rect").length`)); n < 400 {
			t.Fatalf("the pictures have %d parts", n)
		}
		for _, trouble := range do(t, ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll(".picture")].flatMap(picture => {
			const words = [...picture.querySelectorAll("text")].map(e => ({ text: e.textContent, box: e.getBoundingClientRect() })).filter(w => w.box.width);
			const parts = [...picture.querySelectorAll("rect")].map(e => ({ text: "a part", box: e.getBoundingClientRect() }));
			return [
				...(picture.scrollWidth > picture.clientWidth ? ["it scrolls"] : []),
				...[...words, ...parts].filter(w => w.box.left < 0 || w.box.right > innerWidth).map(w => w.text + " is cut off"),
				...words.flatMap((a, i) => words.slice(i + 1).filter(b => a.box.left < b.box.right && b.box.left < a.box.right && a.box.top < b.box.bottom && b.box.top < a.box.bottom).map(b => a.text + " covers " + b.text)),
			];
		})`)) {
			t.Errorf("%d wide: %s", width, trouble)
		}
	}
}
