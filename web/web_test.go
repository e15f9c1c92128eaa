package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/projectionstest"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
	"github.com/certtrail/certtrail/web/api"
)

func options(s *projections.Store, l api.Log) web.Options {
	return web.Options{Store: s, Log: l, Providers: providers(true), Version: "1.2.3", Hosts: []string{"localhost", "Certs.Example.com", "::1"},
		Now: func() time.Time { return now }, Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "up 1") })}
}

func handler(t *testing.T, o web.Options) http.Handler {
	t.Helper()
	h, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// get asks h for the path, as localhost.
func get(h http.Handler, path string) *httptest.ResponseRecorder {
	return request(h, http.MethodGet, "http://localhost:8080"+path)
}

func request(h http.Handler, method, url string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, url, nil))
	return w
}

var pagesOfLists = []string{"/orders", "/certificates", "/domains", "/dnssec", "/organizations", "/websites", "/users", "/targets", "/scans", "/findings", "/quarantine"}

func TestPagesShowWhatThereIs(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	for path, want := range map[string][]string{
		"/":                            {"need you", "Revocation announced: app01.example.org", "22 h left"},
		"/orders":                      {"action required", "Organization failed", "answer the CA", "bar.example", "name not known", `data-row="orders/xolphin/960770001"`},
		"/orders/xolphin/960770001":    {"The CA could not verify the organization", "Bar Trading B.V.", "What to do", "2 of 3", "bücher.example", "certificate_id&#34;: 23456"},
		"/certificates":                {"to be revoked", "Example TLS ECC CA 2026", "31 May 2027"},
		"/certificates/xolphin/881002": {"0a1b 2c3d", "191 days left", "announced that it will revoke", `href="/orders/xolphin/771003"`},
		"/certificates/xolphin/881005": {"expired"},
		"/domains":                     {"bücher.example", "xn--bcher-kva.example", "no TXT record was found"},
		"/domains/xn--bcher-kva.example": {"<h1>bücher.example</h1>", "DigiCert CertCentral", "rotation completed",
			`data-row="orders/xolphin/960770001"`},
		"/domains/B%C3%BCcher.example.": {"<h1>bücher.example</h1>"},
		"/dnssec":                       {"rotation overdue", "publish the new DS"},
		"/dnssec/sectigo/42":            {"zone.example.com. IN DS 38696 13 2 683D7A16", "zone.example.com. IN DS 11042 13 2 49FD46E6", "keep it until"},
		"/organizations":                {"Bücher &amp; Söhne GmbH", "revalidation due"},
		"/organizations/digicert/5002":  {"Bücher &amp; Söhne GmbH", "20 Dec 2026"},
		"/websites":                     {"malware issue found"},
		"/websites/sectigo/42":          {"Website 42", "malware issue found"},
		"/events":                       {"certs.domain.validated.xolphin.", "organization revalidation due", "certs.finding.detected.probely."},
		"/events/1":                     {"order described", "&#34;specversion&#34;: &#34;1.0&#34;"},
		"/quarantine":                   {"certificate_exploded", "&lt;script&gt;alert(1)&lt;/script&gt;", "POST, text, 25 bytes", "certtrail replay --redecode"},
		"/system":                       {"DigiCert CertCentral", "12,403", "certtrail reconcile sectigo", "xolphin-token", "up to date"},
	} {
		t.Run(path, func(t *testing.T) {
			w := get(h, path)
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
				t.Fatalf("status %d, %s", w.Code, w.Header().Get("Content-Type"))
			}
			for _, text := range want {
				if !strings.Contains(strings.ToLower(w.Body.String()), strings.ToLower(text)) {
					t.Errorf("the page lacks %q", text)
				}
			}
		})
	}
}

func TestEmptyPagesSayHowToFillThem(t *testing.T) {
	h := handler(t, options(empty(t)))
	for _, path := range append(pagesOfLists, "/", "/events", "/system") {
		w := get(h, path)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", path, w.Code)
		}
		for _, text := range []string{"https://hooks.example.com/hooks/digicert", "certtrail send digicert certificate_issued"} {
			if path != "/quarantine" && !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s lacks %q", path, text)
			}
		}
	}
}

func TestFirstStartExplainsThreeSteps(t *testing.T) {
	o := options(empty(t))
	o.Providers = providers(false)
	body := get(handler(t, o), "/").Body.String()
	for _, text := range []string{"certtrail init", "certtrail.yaml", "digicert-webhook-key", "sectigo-username", "xolphin-token",
		"https://hooks.example.com/hooks/xolphin/{token}", "certtrail send xolphin Issued"} {
		if !strings.Contains(body, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
}

const hostile = `"'><script>alert(1)</script>`

// TestHostileDeliveries puts a script into every text that comes from outside, and follows every link there is.
func TestHostileDeliveries(t *testing.T) {
	s, l := world(t, func(text string) string { return text + hostile })
	h := handler(t, options(s, l))
	seen := map[string]bool{}
	crawl(h, seen, "/", append(pagesOfLists, "/events", "/system", "/domains/reason.example"), func(path string, w *httptest.ResponseRecorder) {
		body := w.Body.String()
		if n := strings.Count(body, "<script"); n != 2 {
			t.Errorf("%s has %d <script>, want only its own two", path, n)
		}
		if strings.Contains(body, `href="javascript:`) {
			t.Errorf("%s has a link to a script", path)
		}
		if strings.HasPrefix(path, "/orders/") && !strings.Contains(body, "&lt;script&gt;alert(1)&lt;/script&gt;") {
			t.Errorf("%s does not show the text as text", path)
		}
		if w.Code != http.StatusOK && !strings.HasPrefix(path, "/domains/") { // what is no domain name has no page
			t.Errorf("%s: status %d", path, w.Code)
		}
	})
	if len(seen) < 100 {
		t.Errorf("only %d pages were found", len(seen))
	}
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	crawl(h, map[string]bool{}, "/", append(pagesOfLists, "/events", "/system"), func(path string, w *httptest.ResponseRecorder) {
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", path, w.Code)
		}
	})
}

// addresses returns what a page links to and loads from its own server. A regular expression takes most of a test's
// time for it.
func addresses(body string) (list []string) {
	for _, attribute := range []string{`href="/`, `src="/`} {
		for _, part := range strings.Split(body, attribute)[1:] {
			address, _, _ := strings.Cut(part, `"`)
			list = append(list, "/"+address)
		}
	}
	return list
}

func crawl(h http.Handler, seen map[string]bool, path string, more []string, visit func(string, *httptest.ResponseRecorder)) {
	todo := append([]string{path}, more...)
	for len(todo) > 0 {
		path, todo = todo[0], todo[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		w := get(h, path)
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			visit(path, w)
			if strings.Contains(path, "?at") && !strings.HasPrefix(path, "/orders/xolphin/960770001") {
				continue // the links of all pages of the past cross every moment with every row
			}
			for _, address := range addresses(w.Body.String()) {
				todo = append(todo, strings.NewReplacer("&amp;", "&", "&#43;", "+").Replace(address))
			}
		} else if w.Code != http.StatusOK {
			visit(path, w)
		}
	}
}

func TestErrorsArePagesOrProblems(t *testing.T) {
	s, l := world(t, plain)
	h := handler(t, options(s, l))
	for path, want := range map[string]int{
		"/orders/digicert/none": 404, "/nothing": 404, "/events/0": 404, "/events/999999": 404, "/events/x": 404, "/domains/no.example": 404, "/domains/a%20b": 404,
		"/orders/": 404, "/orders?limit=0": 400, "/orders?limit=1001": 400, "/orders?limit=x": 400, "/events?subject=a..b": 400,
		"/events?subject=certs.%3E.x": 400, "/events?after_seq=-1": 400, "/quarantine?q=x": 400,
	} {
		w := get(h, path)
		if w.Code != want || !strings.Contains(w.Body.String(), "<main") {
			t.Errorf("%s: status %d, want the page of a %d", path, w.Code, want)
		}
	}
	for path, want := range map[string]int{
		"/api/v1/orders/digicert/none": 404, "/api/v1/nothing": 404, "/api/v1/persons": 404, "/api": 404, "/api/v2/orders": 404, "/api/v1/domains/no.example": 404,
		"/api/v1/orders?limit=0": 400, "/api/v1/orders?limit=1001": 400, "/api/v1/events?limit=-1": 400, "/api/v1/events?subject=x.y": 400,
		"/api/v1/live?last_event_id=x": 400, "/static/none.css": 404, "/orders.csv?limit=0": 400, "/orders.json?limit=a": 400,
	} {
		wantProblem(t, path, get(h, path), want)
	}
	for _, path := range []string{"/orders", "/api/v1/orders"} {
		w := request(h, http.MethodPost, "http://localhost"+path)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: status %d, Allow %q", path, w.Code, w.Header().Get("Allow"))
		}
	}
}

func wantProblem(t *testing.T, path string, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Errorf("%s: %v", path, err)
	}
	if w.Code != status || p.Status != status || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: status %d and %d, type %s; want a problem %d", path, w.Code, p.Status, w.Header().Get("Content-Type"), status)
	}
	if !strings.HasSuffix(p.Detail, ".") || p.Title == "" || p.Type == "" {
		t.Errorf("%s: the problem is not a sentence: %+v", path, p)
	}
}

// brokenLog fails.
type brokenLog struct{ *projectionstest.Log }

var errFire = errors.New("disk on fire")

func (brokenLog) Last(context.Context) (uint64, error) { return 0, errFire }

func (brokenLog) Get(context.Context, uint64) (schema.Record, error) { return schema.Record{}, errFire }

func TestFaultsOfTheStore(t *testing.T) {
	s, l := world(t, plain)
	o := options(s, l)
	lists, err := web.Watched(o, func(context.Context, projections.Query) error { return errFire })
	if err != nil {
		t.Fatal(err)
	}
	log := &unreadable{Log: l}
	past := options(openStore(t, l, func(o *projections.Options) { o.Log = log }), l)
	log.broken.Store(true)
	start := o
	start.Log = brokenLog{l}
	for _, c := range []struct {
		h      http.Handler
		status int
		text   string
		paths  []string
	}{
		{handler(t, o), 400, `not a state of orders`, []string{"/orders?state=odd", "/api/v1/orders?state=odd", "/orders.csv?state=odd"}},
		{handler(t, options(unbuilt(t))), 503, "being rebuilt", []string{"/orders", "/api/v1/orders", "/orders.csv", "/orders/digicert/1", "/api/v1/orders/digicert/1", "/"}},
		{lists, 500, "its log says what", []string{"/orders", "/api/v1/orders", "/orders.csv"}},
		{handler(t, past), 500, "its log says what", []string{"/orders/xolphin/960770001?at_seq=2", "/api/v1/orders/xolphin/960770001?at_seq=2"}},
		{handler(t, start), 500, "its log says what", []string{"/"}},
	} {
		for _, path := range c.paths {
			w := get(c.h, path)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) || strings.Contains(w.Body.String(), "fire") {
				t.Errorf("%s: status %d: %s", path, w.Code, w.Body)
			}
			if (c.status == 503) != (w.Header().Get("Retry-After") != "") {
				t.Errorf("%s: Retry-After %q", path, w.Header().Get("Retry-After"))
			}
		}
		if w := get(c.h, "/system"); w.Code != http.StatusOK && c.paths[0] != "/" { // it says where the log ends
			t.Errorf("/system: status %d", w.Code)
		}
	}
}

// unreadable serves a log of which single events cannot be read once it is broken.
type unreadable struct {
	*projectionstest.Log
	broken atomic.Bool
}

func (l *unreadable) Get(ctx context.Context, seq uint64) (schema.Record, error) {
	if l.broken.Load() {
		return schema.Record{}, errFire
	}
	return l.Log.Get(ctx, seq)
}

func TestIDsOfAnyBytes(t *testing.T) {
	for _, id := range []string{"a/b", "a b", "ä", "%2F", "a?b#c", "..", "a\"b", "\xff\xfe", "+", "a%"} {
		w := &story{s: plain}
		w.say("digicert", day, schema.OrderUpdated, schema.Data{OrderID: id})
		h := handler(t, options(storeOf(t, w)))
		m := regexp.MustCompile(`href="(/orders/digicert/[^"]*)"`).FindStringSubmatch(get(h, "/orders").Body.String())
		if m == nil {
			t.Fatalf("%q: the list has no link", id)
		}
		path := strings.ReplaceAll(m[1], "&#43;", "+")
		if w := get(h, path); w.Code != http.StatusOK {
			t.Errorf("%q: %s: status %d", id, path, w.Code)
		}
		if w := get(h, "/api/v1"+path); w.Code != http.StatusOK {
			t.Errorf("%q: API: status %d", id, w.Code)
		}
	}
}

func TestHealth(t *testing.T) {
	o := options(empty(t))
	ready := true
	o.Ready = func() (bool, any) { return ready, map[string]bool{"log": ready} }
	h := handler(t, o)
	if w := get(h, "/healthz"); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("healthz: %d %q", w.Code, w.Body)
	}
	if w := get(h, "/readyz"); w.Code != 200 || w.Body.String() != "{\"log\":true}\n" {
		t.Errorf("readyz: %d %q", w.Code, w.Body)
	}
	ready = false
	if w := get(h, "/readyz"); w.Code != 503 || w.Body.String() != "{\"log\":false}\n" {
		t.Errorf("readyz: %d %q", w.Code, w.Body)
	}
	if w := get(h, "/metrics"); w.Body.String() != "up 1\n" {
		t.Errorf("metrics: %q", w.Body)
	}
}

func TestOptionsAreNeeded(t *testing.T) {
	if _, err := web.New(web.Options{}); err == nil {
		t.Error("New took options without anything in them")
	}
}
