package main

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/certtrail/certtrail/ingest/provider"
)

// withOrders runs a server that has heard of n orders, the last of them with two names.
func withOrders(t *testing.T, n int) *world {
	t.Helper()
	w := begin(t, t.TempDir())
	for i := range n {
		query := fmt.Sprintf("RequestId=%d&Status=%s", 960000100+i, []string{"Issued", "Updated&State=Organization"}[i%2])
		if status, body, err := w.deliver("xolphin", &provider.Delivery{Method: "GET", Query: query}); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s %v", status, body, err)
		}
	}
	for _, domain := range []string{"shop.example.com", "www.shop.example.com", "xn--bcher-kva.example"} {
		if status, body, err := w.deliver("xolphin", &provider.Delivery{Method: "GET", Query: "RequestId=960000999&Status=Updated&State=DCV&Domain=" + domain}); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s %v", status, body, err)
		}
	}
	w.caughtUp(t)
	return w
}

// TestSearchFromAnywhere types what people paste into the search box of any page, and lands where that is.
func TestSearchFromAnywhere(t *testing.T) {
	t.Parallel()
	w := withOrders(t, 2)
	ctx := browser(t)
	for _, look := range []struct{ from, typed, path, shown string }{
		{"/system", "960000101", "/orders/xolphin/960000101", "Order"},
		{"/domains", " #960000100 ", "/orders/xolphin/960000100", "Order"},
		{"/expiry", "https://WWW.shop.example.com/cart?x=1", "/domains/www.shop.example.com", "www.shop.example.com"},
		{"/", "bücher.example", "/domains/xn--bcher-kva.example", "bücher.example"},
		{"/orders/xolphin/960000100", "example.com", "/search", "Results for"},
		{"/certificates", "shop.example.com", "/search", "Everything about shop.example.com"},
		{"/dnssec", "<b>no such thing", "/search", "Nothing matches"},
	} {
		do(t, ctx, chromedp.Navigate(w.web+look.from))
		until(t, ctx, "the page is there", `document.documentElement.classList.contains("js")`)
		press(t, ctx, "/")
		until(t, ctx, "the search box has the focus", `document.activeElement.id === "search"`)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.activeElement.value = ""`))
		press(t, ctx, look.typed+kb.Enter)
		w.await(t, fmt.Sprintf("%q from %s does not lead to %s and %q", look.typed, look.from, look.path, look.shown), func() bool {
			there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf(`location.pathname === %q && document.readyState === "complete" && document.querySelector("main").innerText.includes(%q)`,
				look.path, look.shown))) // fails while one page gives way to the other
			return err == nil && there
		})
	}
}

// TestListsWithoutJavaScript filters, sorts, pages through and downloads a list in a browser that runs no script.
func TestListsWithoutJavaScript(t *testing.T) {
	t.Parallel()
	w := withOrders(t, 12)
	ctx := browser(t)
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.Navigate(w.web+"/orders?limit=4"))
	click := func(selector, path string) {
		t.Helper()
		do(t, ctx, chromedp.Click(selector))
		w.await(t, "the address "+path, func() bool {
			return strings.HasPrefix(strings.TrimPrefix(do(t, ctx, chromedp.Location()), w.web), path)
		})
	}
	shows := func(rows int) { // the address changes before the page is there
		t.Helper()
		w.await(t, fmt.Sprint(rows, " rows"), func() bool {
			return len(do(t, ctx, chromedp.Nodes(`table.rows tbody tr`, chromedp.AtLeast(0)))) == rows
		})
	}
	shows(4)
	do(t, ctx, chromedp.SetValue(`select[name=state]`, "issued"))
	click(`.filters button`, "/orders?q=&state=issued&provider=&limit=4")
	if chip := do(t, ctx, chromedp.Text(`.chip`)); !strings.Contains(chip, "issued") {
		t.Errorf("the chip says %q", chip)
	}
	click(`th.time a[href*="first_event_at"]`, "/orders?limit=4&sort=-first_event_at&state=issued")
	if sorted := do(t, ctx, chromedp.Text(`th[aria-sort=descending]`)); sorted != "Ordered" {
		t.Errorf("it says to be sorted by %q", sorted)
	}
	click(`.pager a[rel=next]`, "/orders?cursor=")
	shows(2)
	download, err := http.Get(w.web + "/orders.csv?state=issued&sort=-first_event_at")
	if err != nil {
		t.Fatal(err)
	}
	defer download.Body.Close()
	records, err := csv.NewReader(download.Body).ReadAll()
	if err != nil || len(records) != 7 {
		t.Fatalf("the download is %v (%v)", records, err)
	}
	ordered := slices.Index(records[0], "first_event_at")
	if !slices.IsSortedFunc(records[1:], func(a, b []string) int { return strings.Compare(b[ordered], a[ordered]) }) {
		t.Errorf("the download is not in the order of its page: %v", records)
	}
	click(`.chip`, "/orders?limit=4&sort=-first_event_at")
	shows(4)
}
