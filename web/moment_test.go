package web_test

import (
	"context"
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
)

var rowsWithAPast = []string{"/orders/xolphin/960770001", "/certificates/xolphin/881002", "/domains/shop.example.com", "/dnssec/sectigo/42", "/organizations/digicert/5002", "/websites/sectigo/42",
	"/users/defguard/" + ada, "/targets/probely/t1", "/scans/probely/s1", "/findings/probely/t1:1"}

func TestMomentsAreRead(t *testing.T) {
	s, l := world(t, plain)
	h := handler(t, options(s, l))
	last, _ := l.Last(t.Context())
	at := time.Date(2026, 11, 21, 12, 30, 0, 0, time.UTC)
	for query, want := range map[string]projections.Moment{
		"":                                {},
		"?at_seq=&at=":                    {},
		"?at_seq=400":                     {Seq: 400},
		"?at=2026-11-21T12:30:00Z":        {Time: at},
		"?at=2026-11-21T12:30":            {Time: at},
		"?at=2026-11-21T13:30:00%2B01:00": {Time: at},
		"?at=2026-11-21T13:30:00+01:00":   {Time: at}, // a plus sign that became a space
		"?at=2026-11-21":                  {Time: at.Truncate(24 * time.Hour)},
	} {
		for _, path := range rowsWithAPast {
			page, w := get(h, path+query), get(h, "/api/v1"+path+query)
			young := strings.HasPrefix(path, "/scans/") || strings.HasPrefix(path, "/findings/") // than those times
			if young && !want.Time.IsZero() {
				if page.Code != http.StatusNotFound || w.Code != http.StatusNotFound {
					t.Errorf("%s%s: status %d and %d before its first event", path, query, page.Code, w.Code)
				}
				continue
			}
			if page.Code != http.StatusOK || w.Code != http.StatusOK {
				t.Fatalf("%s%s: status %d and %d", path, query, page.Code, w.Code)
			}
			got := object(t, path, w.Body.Bytes())
			seq, _ := got["as_of_seq"].(float64)
			switch {
			case want == projections.Moment{}:
				if got["as_of"] != nil || seq != 0 {
					t.Errorf("%s%s is as of %v, %v", path, query, got["as_of"], seq)
				}
			case want.Seq > 0:
				if seq < 1 || seq > float64(last) || got["as_of"] == nil {
					t.Errorf("%s%s is as of %v, %v", path, query, got["as_of"], seq)
				}
			case got["as_of"] != schema.At(want.Time).String():
				t.Errorf("%s%s is as of %v, want %s", path, query, got["as_of"], want.Time)
			}
		}
	}
}

func TestMomentsThatAreNone(t *testing.T) {
	s, l := world(t, plain)
	h := handler(t, options(s, l))
	for query, want := range map[string]int{"?at_seq=x": 400, "?at_seq=-1": 400, "?at_seq=1.5": 400, "?at_seq=99999999999999999999": 400, "?at=yesterday": 400,
		"?at=2026-13-01": 400, "?at_seq=1&at=2026-11-21": 400, "?at_seq=0": 404, "?at=0001-01-01": 404, "?at=1999-01-01": 404} {
		for _, path := range rowsWithAPast {
			wantProblem(t, path+query, get(h, "/api/v1"+path+query), want)
			if w := get(h, path+query); w.Code != want || !strings.Contains(w.Body.String(), `<a href="`+path+`">Show it as it is now</a>`) {
				t.Errorf("%s%s: status %d, want %d and a way to the present", path, query, w.Code, want)
			}
		}
	}
	if w := get(h, "/api/v1/orders/xolphin/none?at_seq=7"); !strings.Contains(w.Body.String(), "Order none of Xolphin: no event about it had arrived by then.") {
		t.Errorf("before the first event: %s", w.Body)
	}
	for _, path := range []string{"/orders", "/orders.csv", "/orders.json", "/quarantine", "/attention"} { // not overlooked
		if path != "/attention" {
			if w := get(h, path+"?at_seq=3"); w.Code != 400 {
				t.Errorf("%s: status %d", path, w.Code)
			}
		}
		if !strings.Contains(path, ".") {
			wantProblem(t, path, get(h, "/api/v1"+path+"?at=2026-11-21"), 400)
		}
	}
	before := map[string]string{} // the moment before the last event of a row
	for _, path := range rowsWithAPast {
		row := object(t, path, get(h, "/api/v1"+path).Body.Bytes())
		timeline, _ := row["timeline"].([]any)
		if timeline == nil {
			timeline = row["validations"].([]any)[0].(map[string]any)["timeline"].([]any) // of a domain
		}
		before[path] = fmt.Sprint("?at_seq=", timeline[len(timeline)-2].(map[string]any)["seq"])
	}
	last, _ := l.Last(t.Context())
	for seq := range last {
		l.Lose(seq + 1)
	}
	still, _ := frozen(t, worldStory(plain))
	o := options(still, nil)
	o.ReadOnly = &web.ReadOnly{AsOf: now, AsOfSeq: 1}
	for text, h := range map[string]http.Handler{"no log beside it": handler(t, o), "is gone": h} {
		for _, path := range rowsWithAPast {
			w := get(h, "/api/v1"+path+before[path])
			wantProblem(t, path, w, 409)
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: %s", path, w.Body)
			}
		}
	}
}

func TestAPIAnswersAsOfThen(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	o := object(t, "order", get(h, "/api/v1/orders/xolphin/960770001?at_seq=2").Body.Bytes())
	timeline := o["timeline"].([]any)
	if len(timeline) != 2 || o["as_of_seq"] != 2.0 || o["as_of"] != ago(51*time.Hour).String() {
		t.Errorf("as of 2: %v", o)
	}
	changes := map[any]any{}
	for _, change := range timeline[1].(map[string]any)["changes"].([]any) {
		c := change.(map[string]any)
		changes[c["field"]] = fmt.Sprint(c["before"], " to ", c["after"])
	}
	if got := strings.ReplaceAll(fmt.Sprint(changes["state"]), "_", " "); got != "pending to action required" {
		t.Errorf("changes %v", changes)
	}
	for _, key := range []string{"as_of", "as_of_seq", "Later", "Then"} {
		if v, ok := object(t, "order", get(h, "/api/v1/orders/xolphin/960770001").Body.Bytes())[key]; ok {
			t.Errorf("the present has %s: %v", key, v)
		}
	}
}

func TestPagesOfThePast(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	body := get(h, "/orders/xolphin/960770001?at_seq=2").Body.String()
	for _, text := range []string{
		"<b>As of event 2 of 4</b>", "19 Nov 2026, 19:00:00 UTC", `href="/orders/xolphin/960770001">now</a>`, "2 newer events are not shown", "state <i>pending</i> → <b>action required</b>",
		`min="1" max="5" step="1" value="2" data-stops="1 2 3 4"`, `aria-valuetext="event 2 of 4"`, `href="/orders/xolphin/960770001?at_seq=1" rel="prev"`,
		`href="/orders/xolphin/960770001?at_seq=3" rel="next"`, `<span data-then="changed">`, `class="here" aria-current="true"`, `href="/domains/bar.example?at_seq=2"`,
		`<main id="main" data-still tabindex`, `href="/api/v1/orders/xolphin/960770001?at_seq=2"`, `>1 h ago</time>`,
	} {
		if !strings.Contains(body, text) {
			t.Errorf("the page lacks %s", text)
		}
	}
	if n := strings.Count(body, `<li data-key="event-`); n != 2 {
		t.Errorf("%d events are shown, want 2", n)
	}
	present := get(h, "/orders/xolphin/960770001").Body.String()
	for _, text := range []string{`value="5" data-stops="1 2 3 4"`, `href="/orders/xolphin/960770001?at_seq=4" rel="prev"`, `<main id="main" data-live`, `href="/orders/xolphin/960770001?at_seq=3">as of then</a>`} {
		if !strings.Contains(present, text) {
			t.Errorf("the page of the present lacks %s", text)
		}
	}
	if strings.Contains(present, "As of event") || strings.Contains(present, `data-then="changed"`) {
		t.Error("the page of the present looks like one of the past")
	}
	if last := get(h, "/orders/xolphin/960770001?at=2026-11-21T21:59:59Z").Body.String(); !strings.Contains(last, "There is no newer event") || !strings.Contains(last, "Everything on this page, ages included, is as it was then") {
		t.Error("the page as of after the last event does not say so")
	}
	last := get(h, "/orders/xolphin/960770001?at=2030-01-01").Body.String()
	wantAll(t, "of a time to come", last, []string{"A day to come, as far as is known now", "1 Jan 2030, 00:00:00 UTC", "That day has not come yet: this is how things will stand if nothing more arrives", "as on 2030-01-01"})
	for _, wrong := range []string{"As of event", "newer", "as it was then", `data-then="changed"`} {
		if strings.Contains(last, wrong) {
			t.Errorf("the page of a time to come says %q", wrong)
		}
	}
	if !strings.Contains(last, `href="/orders/xolphin/960770001" rel="next"`) ||
		!strings.Contains(last, `href="/domains/bar.example?at=2030-01-01T00%3a00%3a00.000Z"`) && !strings.Contains(last, `href="/domains/bar.example?at=2030-01-01T00%3A00%3A00.000Z"`) {
		t.Error("the page of a time to come loses its moment in a link")
	}
}

// TestSliderWithoutScript sends the slider's form as a browser does.
func TestSliderWithoutScript(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	for event, want := range map[string]string{"1": "?at_seq=1", "3": "?at_seq=3", "4": "?at_seq=4", "5": ""} {
		w := get(h, "/orders/xolphin/960770001?event="+event)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/orders/xolphin/960770001"+want {
			t.Errorf("event %s: %d to %s", event, w.Code, w.Header().Get("Location"))
		}
	}
	for _, event := range []string{"0", "6", "x", "-1"} {
		if w := get(h, "/orders/xolphin/960770001?event="+event); w.Code != http.StatusBadRequest {
			t.Errorf("event %s: status %d", event, w.Code)
		}
	}
	if w := get(h, "/domains/bar.example?event=1"); w.Code != http.StatusSeeOther {
		t.Errorf("of a domain: status %d", w.Code)
	}
}

// pausedLog stops after the event 430 while it is read, once it is armed, and says that five seconds have passed.
type pausedLog struct {
	*projectionstest.Log
	armed, passed atomic.Bool
}

func (l *pausedLog) Read(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	if !l.armed.Load() {
		return l.Log.Read(ctx, after, until, yield)
	}
	l.passed.Store(true)
	if err := l.Log.Read(ctx, after, 430, yield); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

func (l *pausedLog) now() time.Time {
	if l.passed.Load() {
		return now.Add(5 * time.Second)
	}
	return now
}

// rebuilding returns read models whose rebuild has come to the event 430 of 1000: of the first that there are, or of
// others while those answer.
func rebuilding(t *testing.T, first bool) (*projections.Store, *projectionstest.Log) {
	t.Helper()
	w := &story{s: plain}
	for range 1000 {
		w.say("xolphin", day, schema.OrderUpdated, schema.Data{OrderID: "960770001"})
	}
	l := &pausedLog{Log: projectionstest.NewLog(w.events...)}
	o := storeOptions(t.TempDir(), l.Log)
	o.Aside, o.Now = l, l.now
	l.armed.Store(first)
	s, _ := run(t, o)
	if !first {
		caughtUp(t, s)
		l.armed.Store(true)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _, _ = s.Rebuild(ctx, false, nil) }()
		t.Cleanup(func() { cancel(); <-ended })
	}
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(time.Millisecond) {
		status, _, err := s.Status(t.Context())
		if err == nil && status[0].Rebuild != nil && status[0].Rebuild.Seq == 430 {
			return s, l.Log
		}
		if time.Now().After(deadline) {
			t.Fatalf("the rebuild does not come to its middle: %+v %v", status, err)
		}
	}
}

func TestProgressOfARebuild(t *testing.T) {
	if body := get(handler(t, options(world(t, plain))), "/system").Body.String(); !strings.Contains(body, "No rebuild is running") || strings.Contains(body, "<progress") {
		t.Error("the system page does not say that no rebuild is running")
	}
	progress := []string{`<progress max="100" value="43.0"`, "43 %", "430 of 1,000", "86 events/s", "about 7 s left", `data-poll="1000"`}
	h := handler(t, options(rebuilding(t, false)))
	wantAll(t, "/system", get(h, "/system").Body.String(), append(progress, "Why: it was asked for.", "until that is done, the pages show the old ones"))
	status := object(t, "status", get(h, "/api/v1/status").Body.Bytes())
	if got := status["projections"].([]any)[0].(map[string]any)["rebuild"].(map[string]any); got["percent"] != 43.0 || got["target_seq"] != 1000.0 {
		t.Errorf("status %v", got)
	}

	h = handler(t, options(rebuilding(t, true)))
	for _, path := range []string{"/", "/orders", rowsWithAPast[0], rowsWithAPast[0] + "?at_seq=1"} {
		w := get(h, path)
		wantAll(t, path, w.Body.String(), append(progress, "Why: there are none yet.", `<noscript><meta http-equiv="refresh" content="2"></noscript>`))
		if w.Code != 503 || w.Header().Get("Retry-After") != "7" {
			t.Errorf("%s: status %d, Retry-After %s", path, w.Code, w.Header().Get("Retry-After"))
		}
	}
	w := get(h, "/api/v1/orders")
	wantProblem(t, "/api/v1/orders", w, 503)
	wantAll(t, "/api/v1/orders", w.Body.String(), []string{"43 % done, about 7 s left"})
	wantAll(t, "/orders", get(handler(t, options(unbuilt(t))), "/orders").Body.String(), []string{`<progress aria-label`})
}

// unbuilt returns read models that nobody has begun to build.
func unbuilt(t *testing.T) (*projections.Store, *projectionstest.Log) {
	t.Helper()
	l := projectionstest.NewLog(worldStory(plain).events...)
	s, err := projections.Open(storeOptions(t.TempDir(), l))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, l
}

func wantAll(t *testing.T, path, body string, texts []string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("%s lacks %s", path, text)
		}
	}
}

// TestADatabaseWithoutALog goes everywhere in one: nothing may need the log or promise that anything comes.
func TestADatabaseWithoutALog(t *testing.T) {
	s, last := frozen(t, worldStory(plain))
	o := options(s, nil)
	if _, err := web.New(o); err == nil {
		t.Error("New took options without a log that are not read-only")
	}
	o.ReadOnly = &web.ReadOnly{AsOf: now.Add(-time.Hour), AsOfSeq: 1234}
	o.Providers = func() []web.Provider { return nil }
	h := handler(t, o)
	crawl(h, map[string]bool{}, "/", append(pagesOfLists, "/system"), func(path string, w *httptest.ResponseRecorder) {
		body := w.Body.String()
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", path, w.Code)
		}
		wantAll(t, path, body, []string{"A database as of event <b>1,234</b>, 21 Nov 2026, 21:00:00 UTC; nothing here is live", "data-static", "data-still"})
		for _, text := range []string{"/events", `id="live"`, "certtrail send", "Enter this URL", "as of then", `type="range"`, "data-poll", "Waiting for the first"} {
			if strings.Contains(body, text) && strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				t.Errorf("%s has %s", path, text)
			}
		}
	})
	for _, path := range []string{"/events", "/events/1"} {
		if w := get(h, path); w.Code != 404 || !strings.Contains(w.Body.String(), "has no log beside it") {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	wantProblem(t, "events", get(h, "/api/v1/events"), 404)
	wantProblem(t, "live", get(h, "/api/v1/live"), 404)
	if got := object(t, "status", get(h, "/api/v1/status").Body.Bytes())["stream"].(map[string]any)["last_seq"]; got != float64(last) {
		t.Errorf("the status ends at %v", got)
	}
	o.Store, _ = frozen(t, &story{})
	o.ReadOnly = &web.ReadOnly{}
	h = handler(t, o)
	for _, path := range append(pagesOfLists, "/", "/system") {
		body := get(h, path).Body.String()
		wantAll(t, path, body, []string{"A database as of no event; nothing here is live"})
		if regexp.MustCompile(`certtrail (send|init)`).MatchString(body) {
			t.Errorf("%s says how to fill what nothing fills", path)
		}
	}
}
