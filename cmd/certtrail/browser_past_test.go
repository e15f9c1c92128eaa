package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/projectionstest"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// TestSliderStandsInThePast moves an order's slider by the keyboard: the page turns into the one of that moment without
// being loaded again, the slider keeps its focus, what comes meanwhile does not change it, and the end of the slider is
// the live page again.
func TestSliderStandsInThePast(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	xolphin := func(query string) {
		t.Helper()
		if status, body, err := w.deliver("xolphin", &provider.Delivery{Method: "GET", Query: "RequestId=960000025&Status=" + query}); err != nil || status != 200 {
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
		until(t, ctx, what, condition)
	}
	const banner, state = `document.querySelector(".banner")?.innerText ?? ""`, `document.querySelector(".now .tone").innerText`
	become("the page is live", isLive)

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
		t.Error("the page was loaded again")
	}
}

// slowLog reads slowly: ten events in every twentieth of a second.
type slowLog struct{ *projectionstest.Log }

func (l slowLog) Read(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	const step = 10
	for ; after < until; after += step {
		select {
		case <-time.After(time.Second / 20):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := l.Log.Read(ctx, after, min(after+step, until), yield); err != nil {
			return err
		}
	}
	return nil
}

// TestProgressMovesByItself opens pages while the read models are being built and no event comes: they show each step
// without being loaded again.
func TestProgressMovesByItself(t *testing.T) {
	t.Parallel()
	l := slowLog{projectionstest.NewLog()}
	for n := range 10_000 {
		l.Append(schema.New(fmt.Sprint(n), "/hooks/digicert", schema.At(madeNow), schema.OrderUpdated, schema.Data{Provider: "digicert", OrderID: "1"}))
	}
	store, err := projections.Open(projections.Options{Dir: t.TempDir(), Log: l, Aside: l, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); store.Run(running) }()
	t.Cleanup(func() { stop(); <-ended; store.Close() })
	h, err := web.New(web.Options{Store: store, Log: l, Providers: func() []web.Provider { return nil }, Hosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	ctx := browser(t)
	for _, path := range []string{"/system", "/"} {
		do(t, ctx, chromedp.Navigate(server.URL+path))
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.sameDocument = true; window.seen = new Set()`))
		moved := `window.seen.add(document.querySelector("progress").value) && window.seen.size >= 3 && window.sameDocument`
		until(t, ctx, path+" moves", moved)
	}
}

func press(t *testing.T, ctx context.Context, keys string) {
	t.Helper()
	do(t, ctx, chromedp.KeyEvent(keys))
}
