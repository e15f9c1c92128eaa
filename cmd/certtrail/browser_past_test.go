package main

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web"
)

// TestSliderStandsInThePast moves an order's slider by the keyboard: the page turns into the one of that moment without being loaded anew, the
// slider keeps its focus, what comes meanwhile does not change it, and the end of the slider is the live page again.
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
		t.Error("the page was loaded anew")
	}
}

// rebuildingStore is read models that cannot be read, and a little further at each look.
type rebuildingStore struct {
	web.Store
	looks atomic.Int64
}

func (s *rebuildingStore) Status(context.Context) ([]projections.Status, projections.Missing, error) {
	percent := min(float64(s.looks.Add(1)), 99)
	return []projections.Status{{Name: "read-models", State: projections.StateRebuilding, Rebuild: &projections.Progress{Reason: "they are new", Percent: percent, TargetSeq: 100}}}, projections.Missing{}, nil
}

func (s *rebuildingStore) Traffic(context.Context, time.Time) ([]projections.Traffic, error) {
	return nil, projections.ErrRebuilding
}

func (s *rebuildingStore) Attention(context.Context, time.Time) (*projections.Attention, error) {
	return nil, projections.ErrRebuilding
}

func (s *rebuildingStore) Accounts(context.Context, projections.Query) ([]projections.Website, string, error) {
	return nil, "", projections.ErrRebuilding
}

func (s *rebuildingStore) Live(ctx context.Context, _ uint64, _ func(projections.Change) error) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestProgressMovesByItself opens pages while the read models are being built and no event comes: they show each step without being loaded anew.
func TestProgressMovesByItself(t *testing.T) {
	t.Parallel()
	h, err := web.New(web.Options{Store: &rebuildingStore{}, Log: noLog{}, Providers: func() []web.Provider { return nil }, Hosts: []string{"127.0.0.1"}})
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

// noLog is a log without events.
type noLog struct{ web.Log }

func (noLog) Last(context.Context) (uint64, error) { return 0, nil }

func press(t *testing.T, ctx context.Context, keys string) {
	t.Helper()
	do(t, ctx, chromedp.KeyEvent(keys))
}
