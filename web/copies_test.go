package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web"
)

// countingStore counts how often the list of orders is read.
type countingStore struct {
	*fakeStore
	read atomic.Int64
}

func (s *countingStore) Orders(ctx context.Context, q projections.Query) ([]projections.Order, string, error) {
	s.read.Add(1)
	return s.fakeStore.Orders(ctx, q)
}

// TestOpenPagesShareACopy has many open pages fetch the same address for the same event: it is made once, and each gets it.
func TestOpenPagesShareACopy(t *testing.T) {
	fake, l := world(plain)
	store := &countingStore{fakeStore: fake}
	o := options(fake, l)
	clock := now
	o.Store, o.Now = store, func() time.Time { return clock }
	h := handler(t, o)
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
		before := store.read.Load()
		ask()
		if got := store.read.Load() - before; got != want {
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
	fake.status[0].Seq = 100001
	made("the first that heard of a newer event", 1, func() { ask("/orders", "100001") })
	made("one that heard of less", 0, func() { ask("/orders", "100000") })
	clock = clock.Add(time.Second)
	made("a second later", 1, func() { ask("/orders", "100001") })
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
