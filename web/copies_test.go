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

// TestOpenPagesShareACopy has many open pages fetch the same address for the same event: it is made once, and each gets it with its own token.
func TestOpenPagesShareACopy(t *testing.T) {
	fake, l := world(plain)
	store := &countingStore{fakeStore: fake}
	o := options(fake, l)
	clock := now
	o.Store, o.Now = store, func() time.Time { return clock }
	h := handler(t, o)
	ask := func(path, heard, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil)
		r.AddCookie(&http.Cookie{Name: "certtrail_form", Value: token})
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
	first := ask("/orders", "", "A").Body.String()
	made("fifty open pages", 1, func() {
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if w := ask("/orders", "1", "A"); w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Body.String() != first {
					t.Errorf("%d %s: not the page that a reader who comes for the first time gets", w.Code, w.Header().Get("Content-Type"))
				}
			})
		}
		group.Wait()
	})
	made("another address", 1, func() { ask("/orders?state=issued", "1", "A") })
	fake.status[0].Seq = 100001
	made("the first that heard of a newer event", 1, func() { ask("/orders", "100001", "A") })
	made("one that heard of less", 0, func() { ask("/orders", "100000", "B") })
	clock = clock.Add(time.Second)
	made("a second later", 1, func() { ask("/orders", "100001", "A") })
	made("readers who come for the first time", 2, func() { ask("/orders", "", "A"); ask("/orders", "", "A") })
	if w := ask("/nothing", "1", "A"); w.Code != http.StatusNotFound {
		t.Errorf("a page that is not there: status %d", w.Code)
	}
}

// TestACopyBearsTheBrowsersOwnToken asks for a page with a form: the token in it is that of who asks, and text whatever his cookie says.
func TestACopyBearsTheBrowsersOwnToken(t *testing.T) {
	store, l := empty()
	h, err := web.Forming(options(store, l))
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{"A": "A", "B": "B", `'><script>`: "&#39;&gt;&lt;script&gt;"} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/form", nil)
		r.AddCookie(&http.Cookie{Name: "certtrail_form", Value: token})
		r.Header.Set("Certtrail-Heard", "0")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if body := w.Body.String(); body != "form "+want || len(w.Result().Cookies()) > 0 {
			t.Errorf("the page for %s is %q with the cookies %v", token, body, w.Result().Cookies())
		}
	}
}
