package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// TestOpenPagesShareACopy has many open pages fetch the same address for the same event: it is made once, and each gets
// it.
func TestOpenPagesShareACopy(t *testing.T) {
	store, l := world(t, plain)
	o := options(store, l)
	clock := now
	o.Now = func() time.Time { return clock }
	var read atomic.Int64
	h, err := web.Watched(o, func(context.Context, projections.Query) error { read.Add(1); return nil })
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path, heard string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil)
		if heard != "" {
			r.Header.Set("Certtrail-Heard", heard)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	made := func(what string, want int64, ask func()) {
		t.Helper()
		before := read.Load()
		ask()
		if got := read.Load() - before; got != want {
			t.Errorf("%s: the orders were read %d times, want %d", what, got, want)
		}
	}
	first := ask("/orders", "").Body.String()
	made("fifty open pages", 1, func() {
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if w := ask("/orders", "1"); w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Body.String() != first {
					t.Errorf("%d %s: not the page that a reader who comes for the first time gets", w.Code, w.Header().Get("Content-Type"))
				}
			})
		}
		group.Wait()
	})
	made("another address", 1, func() { ask("/orders?state=issued", "1") })
	newer := l.Append(schema.New("newer", "/hooks/digicert", ago(0), schema.OrderUpdated, schema.Data{Provider: "digicert", OrderID: "771001"}))
	caughtUp(t, store)
	heard := strconv.FormatUint(newer, 10)
	made("the first that heard of a newer event", 1, func() { ask("/orders", heard) })
	made("one that heard of less", 0, func() { ask("/orders", strconv.FormatUint(newer-1, 10)) })
	clock = clock.Add(time.Second)
	made("a second later", 1, func() { ask("/orders", heard) })
	made("readers who come for the first time", 2, func() { ask("/orders", ""); ask("/orders", "") })
	if w := ask("/nothing", "1"); w.Code != http.StatusNotFound {
		t.Errorf("a page that is not there: status %d", w.Code)
	}
}

// TestRolesShareNoCopy: a copy is for those who may see the same.
func TestRolesShareNoCopy(t *testing.T) {
	if !web.ShareCopy("anyone", "anyone") || web.ShareCopy("anyone", "operators") {
		t.Error("readers of one role get different copies, or those of two the same")
	}
}
