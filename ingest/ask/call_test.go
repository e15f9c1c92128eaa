package ask

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

const secret = "s3cret-key-0123456789"

// world has a clock that only waiting moves, and notes the waits.
type world struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func newWorld() *world { return &world{now: time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)} }

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) Wait(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waits = append(w.waits, d)
	w.now = w.now.Add(d)
	return ctx.Err()
}

// newCaller returns a caller of handler in the world w; change sets more options.
func newCaller(t *testing.T, w *world, handler http.HandlerFunc, change ...func(*Options)) *Caller {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	o := Options{
		Name: "Example", Base: server.URL + "/v1/", Secrets: []string{secret}, Now: w.Now, Wait: w.Wait, Jitter: func() float64 { return 0 },
		Authorize: func(h http.Header) { h.Set("X-Key", secret) },
	}
	for _, f := range change {
		f(&o)
	}
	c, err := NewCaller(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answers gives one answer after the other, and fails t when there are no more.
func answers(t *testing.T, list ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	next := 0
	t.Cleanup(func() {
		if next != len(list) {
			t.Errorf("it was asked %d times, want %d", next, len(list))
		}
	})
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if next == len(list) {
			t.Errorf("it was asked once too often: %s %s", r.Method, r.URL)
			return
		}
		next++
		list[next-1](w, r)
	}
}

func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestCallSendsWhatItIsToldTo(t *testing.T) {
	w := newWorld()
	c := newCaller(t, w, func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != "PUT" || r.URL.EscapedPath() != "/v1/a/b%2Fc" || r.URL.RawQuery != "q=1" || r.Header.Get("X-Key") != secret ||
			r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Accept") != "application/json" {
			t.Errorf("got %s %s %v", r.Method, r.URL, r.Header)
		}
		fmt.Fprint(rw, `{"n":7}`)
	})
	var out struct{ N int }
	if err := c.JSON(t.Context(), "PUT", "a/"+url.PathEscape("b/c"), url.Values{"q": {"1"}}, map[string]int{"m": 1}, &out); err != nil || out.N != 7 {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestCallTriesAgain(t *testing.T) {
	ok, down := says(200, `{}`), says(503, "")
	date := newWorld().now.Add(7 * time.Second).Format(http.TimeFormat)
	for name, tc := range map[string]struct {
		method  string
		answers []http.HandlerFunc
		waits   []time.Duration
		err     string
	}{
		"first":              {"GET", []http.HandlerFunc{ok}, nil, ""},
		"5xx":                {"GET", []http.HandlerFunc{down, says(500, ""), says(502, "<html>"), ok}, []time.Duration{5e8, 1e9, 2e9}, ""},
		"5xx for ever":       {"PUT", []http.HandlerFunc{down, down, down, down}, []time.Duration{5e8, 1e9, 2e9}, "Example's API, asked to PUT x, failed with status 503. Tries: 4. Ask again later, and see whether the provider tells of an outage."},
		"5xx, POST":          {"POST", []http.HandlerFunc{down}, nil, "Example's API, asked to POST x, failed with status 503."},
		"Retry-After":        {"GET", []http.HandlerFunc{says(503, "", "Retry-After", "9"), ok}, []time.Duration{9e9}, ""},
		"Retry-After, date":  {"GET", []http.HandlerFunc{says(429, "", "Retry-After", date), ok}, []time.Duration{7e9}, ""},
		"Retry-After, odd":   {"GET", []http.HandlerFunc{says(429, "", "Retry-After", "soon"), ok}, []time.Duration{5e8}, ""},
		"Retry-After, past":  {"GET", []http.HandlerFunc{says(429, "", "Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT"), ok}, []time.Duration{5e8}, ""},
		"429, POST":          {"POST", []http.HandlerFunc{says(429, "", "Retry-After", "1"), ok}, []time.Duration{1e9}, ""},
		"too long":           {"GET", []http.HandlerFunc{says(429, "", "Retry-After", "3600")}, nil, "Example's API, asked to GET x, answered that it was asked too often (status 429). It asks to be left alone until 2026-11-21 23:00:00 UTC: ask again then."},
		"page":               {"POST", []http.HandlerFunc{says(200, "<html>"+secret, "Content-Type", "text/html; charset=utf-8")}, nil, "Example's API, asked to POST x, answered with a page instead of JSON (status 200): see that its address leads to the API, and not to a login page or a proxy."},
		"page, then the API": {"GET", []http.HandlerFunc{says(200, "<html>"), ok}, []time.Duration{5e8}, ""},
		"nothing":            {"POST", []http.HandlerFunc{says(200, "")}, nil, "Example's API, asked to POST x, answered with nothing instead of JSON (status 200): see that its address leads to the API, and not to a login page or a proxy."},
		"elsewhere":          {"GET", []http.HandlerFunc{says(302, "", "Location", "http://127.0.0.1:1/")}, nil, "Example's API, asked to GET x, sent elsewhere (status 302), which is not followed with credentials: set its address to where it is now."},
		"too much":           {"GET", []http.HandlerFunc{says(200, strings.Repeat(" ", 1001))}, nil, "Example's API, asked to GET x, answered with more than the 1000 bytes that are read."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			c := newCaller(t, w, answers(t, tc.answers...), func(o *Options) { o.MaxBody = 1000 })
			var out any
			err := c.JSON(t.Context(), tc.method, "x", nil, nil, &out)
			if got := fmt.Sprint(err); tc.err == "" && err != nil || tc.err != "" && got != tc.err {
				t.Errorf("got %s, want %s", got, tc.err)
			}
			if fmt.Sprint(w.waits) != fmt.Sprint(tc.waits) {
				t.Errorf("waited %v, want %v", w.waits, tc.waits)
			}
		})
	}
}

func TestCallRefused(t *testing.T) {
	c := newCaller(t, newWorld(), says(404, `{"message":"no `+secret+`"}`))
	err := c.JSON(t.Context(), "GET", "x", nil, nil, nil)
	var refusal *provider.Refusal
	if !errors.As(err, &refusal) || refusal.Status != 404 || string(refusal.Body) != `{"message":"no [redacted]"}` {
		t.Errorf("got %+v", err)
	}
	if s := c.Breaker(); s.State != BreakerClosed || s.Failures != 0 {
		t.Errorf("a refusal counts as a failure: %+v", s)
	}
}

func TestCallTakesTooLong(t *testing.T) {
	c := newCaller(t, newWorld(), func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(o *Options) { o.Timeout, o.Tries = 20*time.Millisecond, 1 })
	if _, err := c.Bytes(t.Context(), "x", nil); err == nil || !strings.Contains(err.Error(), "did not answer: it took longer than 20ms. Tries: 1.") {
		t.Errorf("got %v", err)
	}
}

func TestCallGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := newCaller(t, newWorld(), func(w http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }, func(o *Options) { o.Failures = 1 })
	if _, err := c.Bytes(ctx, "x", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if s := c.Breaker(); s.State != BreakerClosed {
		t.Errorf("giving up counts as a failure: %+v", s)
	}
}

func TestCallKeepsItsRate(t *testing.T) {
	w := newWorld()
	c := newCaller(t, w, says(200, "{}"), func(o *Options) { o.Rate, o.Burst = 2, 3 })
	for range 7 {
		if _, err := c.Bytes(t.Context(), "x", nil); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(w.waits) != "[500ms 500ms 500ms 500ms]" {
		t.Errorf("waited %v", w.waits)
	}
}

func TestBreaker(t *testing.T) {
	w := newWorld()
	began := w.now
	status := 500
	asked := 0
	c := newCaller(t, w, func(rw http.ResponseWriter, r *http.Request) { asked++; rw.WriteHeader(status) }, func(o *Options) { o.Tries, o.Failures, o.Cooldown, o.Burst = 1, 3, time.Minute, 100 })
	call := func() error { _, err := c.Bytes(t.Context(), "x", nil); return err }
	for range 3 {
		if c.Breaker().State != BreakerClosed {
			t.Fatalf("after %d failures it is %s", asked, c.Breaker().State)
		}
		_ = call()
	}
	if s := c.Breaker(); s.State != BreakerOpen || s.Failures != 3 || !s.RetryAt.Equal(began.Add(time.Minute)) || !s.Since.Equal(began) || !strings.Contains(s.LastError, "status 500") {
		t.Errorf("got %+v", s)
	}
	var unavailable *Unavailable
	if err := call(); !errors.As(err, &unavailable) || !unavailable.Until.Equal(began.Add(time.Minute)) || asked != 3 || !strings.Contains(err.Error(), "is not asked at present; calls in a row that came to nothing: 3, the last: Example's API, asked to GET x, failed") {
		t.Errorf("open: got %v after %d calls", err, asked)
	}
	w.now = w.now.Add(time.Minute)
	if s := c.Breaker(); s.State != BreakerHalfOpen {
		t.Errorf("after a minute it is %s", s.State)
	}
	if _ = call(); asked != 4 || c.Breaker().State != BreakerOpen {
		t.Errorf("half-open and still down: %d calls, %s", asked, c.Breaker().State)
	}
	w.now = w.now.Add(time.Minute)
	status = 200
	if err := call(); err != nil || c.Breaker() != (BreakerState{State: BreakerClosed, Since: w.now}) {
		t.Errorf("back again: got %v, %+v", err, c.Breaker())
	}
}

// An API that asks to be left alone is left alone until then, by all.
func TestBreakerLeavesAlone(t *testing.T) {
	w := newWorld()
	until := w.now.Add(time.Hour)
	c := newCaller(t, w, answers(t, says(429, "", "Retry-After", "3600"), says(200, "{}")))
	for range 3 {
		var unavailable *Unavailable
		if _, err := c.Bytes(t.Context(), "x", nil); !errors.As(err, &unavailable) || !unavailable.Until.Equal(until) {
			t.Errorf("got %v", err)
		}
	}
	if s := c.Breaker(); s.State != BreakerOpen || !s.RetryAt.Equal(until) {
		t.Errorf("got %+v", s)
	}
	w.now = until
	if _, err := c.Bytes(t.Context(), "x", nil); err != nil {
		t.Error(err)
	}
}

func TestBytesIsNoPage(t *testing.T) {
	for body, header := range map[string]string{"sign in": "text/html; charset=utf-8", " <!doctype html>": "application/octet-stream"} {
		c := newCaller(t, newWorld(), says(200, body, "Content-Type", header), func(o *Options) { o.Tries = 1 })
		if _, err := c.Bytes(t.Context(), "x", nil); err == nil || !strings.Contains(err.Error(), "answered with a page instead of what it documents (status 200)") {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

// A half-open breaker lets one call through, however many come at once.
func TestBreakerHalfOpenLetsOneThrough(t *testing.T) {
	now := newWorld().now
	b := &breaker{after: 1, cooldown: time.Minute, state: BreakerState{State: BreakerClosed}}
	if !b.allow(now) {
		t.Fatal("closed lets nothing through")
	}
	b.done(now, errors.New("down"))
	later := now.Add(time.Minute)
	if b.allow(later.Add(-1)) || !b.allow(later) || b.allow(later) {
		t.Error("open until its time, then one call")
	}
	b.undone()
	if !b.allow(later) {
		t.Error("a call that was given up keeps the next from trying")
	}
	b.done(later, nil)
	if first, second := b.allow(later), b.allow(later); !first || !second {
		t.Error("closed again lets not all through")
	}
}

func TestBackoff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, jitter := rapid.IntRange(1, 1000).Draw(t, "n"), rapid.Float64Range(0, 1).Draw(t, "jitter")
		d := backoff(n, time.Second, time.Minute, jitter)
		full := backoff(n, time.Second, time.Minute, 0)
		if d < full/2 || d > full || full > time.Minute || full < backoff(max(1, n-1), time.Second, time.Minute, 0) {
			t.Fatalf("wait %d is %s of %s", n, d, full)
		}
	})
}

func TestNewCallerRefusesAddresses(t *testing.T) {
	for base, want := range map[string]string{
		"":                             "must begin with https://",
		"ftp://api.example.com":        "must begin with https://",
		"api.example.com/v1":           "must begin with https://",
		"https://":                     "must begin with https://",
		"https://u:" + secret + "@h":   "must have neither a user name nor a query",
		"https://h/?a=" + secret:       "must have neither a user name nor a query",
		"https://u:" + secret + "@h:x": "is not a URL",
	} {
		if _, err := NewCaller(Options{Name: "Example", Base: base}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v", base, err)
		}
	}
}

func TestEventIsRedacted(t *testing.T) {
	answer := provider.Answer{
		Kind: schema.OrderDescribed, Data: schema.Data{Event: "order_info", Decoder: "d/1", OrderID: "7", Reason: "with " + secret + ", ask jane.doe@example.test", OrganizationName: "Example B.V.",
			Unreadable: []schema.Unreadable{{Part: "expires_at", Reason: `"ask jane.doe@example.test" is not a time`}}},
		Delivery: &provider.Delivery{Method: "GET", Query: "key=" + secret, Body: []byte(`{"id":7,"note":"` + secret + `","password":"hush-hush"}`)},
	}
	e := Event("0199c0de-0000-7000-8000-000000000001", "digicert-eu", newWorld().now, answer, []string{secret})
	wire, err := e.Encode()
	if err != nil || strings.Contains(string(wire), secret) || strings.Contains(string(wire), "hush-hush") || strings.Contains(string(wire), "jane.doe") {
		t.Errorf("got %s, %v", wire, err)
	}
	if e.Source != "/ask/digicert-eu" || e.NATSSubject() != "certs.order.described.digicert-eu.7" || e.Data.OrganizationName != "Example B.V." || !strings.HasPrefix(answer.Data.Reason, "with "+secret) || !strings.Contains(answer.Data.Unreadable[0].Reason, "jane.doe") {
		t.Errorf("got %+v", e)
	}
}
