package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/projections/projectionstest"
)

func TestHeadersOnEverything(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	for _, path := range []string{"/", "/orders.csv", "/api/v1/orders", "/api/v1/nothing", "/nothing", "/healthz", "/metrics", "/static/app.css"} {
		header := get(h, path).Header()
		csp := header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "style-src 'self'", "script-src 'self'", "connect-src 'self'", "img-src 'self'",
			"form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: the policy lacks %s", path, part)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: the policy allows what is unsafe: %s", path, csp)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"} {
			if header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, header.Get(name), want)
			}
		}
	}
}

// TestNothingInline holds the pages to their own policy.
func TestNothingInline(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	inline := regexp.MustCompile(`<style| style=| on[a-z]+=|<script>|https?://[^"]*\.(js|css|woff2?)"`)
	for _, path := range append(pagesOfLists, "/", "/system", "/events", "/orders/xolphin/960770001", "/dnssec/sectigo/42") {
		if found := inline.FindString(get(h, path).Body.String()); found != "" {
			t.Errorf("%s has %q", path, found)
		}
	}
}

func TestHosts(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	for host, want := range map[string]int{"localhost": 200, "localhost:8080": 200, "LOCALHOST:1": 200, "certs.example.com": 200, "certs.example.com.": 200, "[::1]:8080": 200,
		"evil.example": 421, "localhost.evil.example": 421, "127.0.0.1": 421, "": 421} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/healthz", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("host %q: status %d, want %d", host, w.Code, want)
		}
	}
}

func TestStaticFilesAreKeptByTheirHash(t *testing.T) {
	h := handler(t, options(empty(t)))
	page := get(h, "/").Body.String()
	for name, mime := range map[string]string{"app": "text/css; charset=utf-8", "live": "text/javascript; charset=utf-8", "favicon": "image/svg+xml"} {
		path := regexp.MustCompile(`/static/` + name + `\.[0-9a-f]{12}\.[a-z]+`).FindString(page)
		w := get(h, path)
		if w.Code != 200 || w.Header().Get("Content-Type") != mime || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %s %s", path, w.Code, w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"))
		}
	}
}

func TestTheFrame(t *testing.T) {
	w := worldStory(plain)
	last := len(w.events)
	l := projectionstest.NewLog(w.events...)
	s, stop := run(t, storeOptions(t.TempDir(), l))
	caughtUp(t, s)
	found, err := s.Attention(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	for range 1240 {
		l.Append(w.events[0])
	}
	body := get(handler(t, options(s, l)), "/orders").Body.String()
	for _, text := range []string{fmt.Sprintf(`data-seq="%d"`, last), `data-model="orders"`, `<b>1,240</b>`, fmt.Sprintf(`class="badge bad">%d<`, len(found.Matters)), `href="/orders" aria-current="page"`} {
		if !strings.Contains(body, text) {
			t.Errorf("the frame lacks %s", text)
		}
	}
}
