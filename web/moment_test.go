package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// momentOf is the moment that the store was last asked for.
func (s *fakeStore) momentOf() projections.Moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moments[len(s.moments)-1]
}

var rowsWithAPast = []string{"/orders/xolphin/960770001", "/certificates/xolphin/881002", "/domains/shop.example.com", "/dnssec/sectigo/42", "/organizations/digicert/5002", "/websites/sectigo/42",
	"/users/defguard/e9e1cbc04dc9917d74fb257a41ed1873", "/targets/probely/t1", "/scans/probely/s1", "/findings/probely/t1:1"}

func TestMomentsAreRead(t *testing.T) {
	s, l := world(plain)
	h := handler(t, options(s, l))
	at := time.Date(2026, 11, 21, 12, 30, 0, 0, time.UTC)
	for query, want := range map[string]projections.Moment{
		"":                                {Now: now},
		"?at_seq=&at=":                    {Now: now},
		"?at_seq=400":                     {Seq: 400, Now: now},
		"?at=2026-11-21T12:30:00Z":        {Time: at, Now: now},
		"?at=2026-11-21T12:30":            {Time: at, Now: now},
		"?at=2026-11-21T13:30:00%2B01:00": {Time: at, Now: now},
		"?at=2026-11-21T13:30:00+01:00":   {Time: at, Now: now}, // a plus sign that became a space
		"?at=2026-11-21":                  {Time: at.Truncate(24 * time.Hour), Now: now},
	} {
		for _, path := range append(rowsWithAPast, "/api/v1"+rowsWithAPast[0]) {
			if w := get(h, path+query); w.Code != http.StatusOK && w.Code != http.StatusNotFound {
				t.Errorf("%s%s: status %d", path, query, w.Code)
			}
			if got := s.momentOf(); got.Seq != want.Seq || !got.Time.Equal(want.Time) || !got.Now.Equal(want.Now) {
				t.Errorf("%s%s asks for %+v, want %+v", path, query, got, want)
			}
		}
	}
}

func TestMomentsThatAreNone(t *testing.T) {
	s, l := world(plain)
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
	for err, text := range map[error]string{projections.ErrNoLog: "no log beside it", fmt.Errorf("%w: event 7, which is part of it, is gone", projections.ErrNoPast): "event 7"} {
		s.noPast = err
		for _, path := range rowsWithAPast {
			w := get(h, "/api/v1"+path+"?at_seq=400")
			wantProblem(t, path, w, 409)
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: %s", path, w.Body)
			}
		}
	}
}

func TestAPIAnswersAsOfThen(t *testing.T) {
	h := handler(t, options(world(plain)))
	o := object(t, "order", get(h, "/api/v1/orders/xolphin/960770001?at_seq=2").Body.Bytes())
	timeline := o["timeline"].([]any)
	if len(timeline) != 2 || o["as_of_seq"] != 2.0 || o["as_of"] != ago(51*time.Hour).String() {
		t.Errorf("as of 2: %v", o)
	}
	if got := fmt.Sprint(timeline[1].(map[string]any)["changes"]); got != "[map[after:issued before:pending field:state] map[after:a.example field:names_added]]" {
		t.Errorf("changes %s", got)
	}
	for _, key := range []string{"as_of", "as_of_seq", "Later", "Then"} {
		if v, ok := object(t, "order", get(h, "/api/v1/orders/xolphin/960770001").Body.Bytes())[key]; ok {
			t.Errorf("the present has %s: %v", key, v)
		}
	}
}

func TestPagesOfThePast(t *testing.T) {
	h := handler(t, options(world(plain)))
	body := get(h, "/orders/xolphin/960770001?at_seq=2").Body.String()
	for _, text := range []string{
		"<b>As of event 2 of 4</b>", "19 Nov 2026, 19:00:00 UTC", `href="/orders/xolphin/960770001">now</a>`, "2 newer events are not shown", "state <i>pending</i> → <b>issued</b>",
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
	h := handler(t, options(world(plain)))
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

func TestProgressOfARebuild(t *testing.T) {
	s, l := world(plain)
	h := handler(t, options(s, l))
	if body := get(h, "/system").Body.String(); !strings.Contains(body, "No rebuild is running") || strings.Contains(body, "<progress") {
		t.Error("the system page does not say that no rebuild is running")
	}
	rebuild := &projections.Progress{Reason: "the tables are of another version", Seq: 430_200, TargetSeq: 1_000_000, Percent: 43.02, EventsPerSecond: 85_123.4, SecondsLeft: 6.7}
	progress := []string{`<progress max="100" value="43.0"`, "43 %", "430,200 of 1,000,000", "85,123 events/s", "about 7 s left", "Why: the tables are of another version.", `data-poll="1000"`}
	s.status = []projections.Status{{Name: "read-models", State: "live", Seq: 1_000_000, Rebuild: rebuild}}
	wantAll(t, "/system", get(h, "/system").Body.String(), append(progress, "until that is done, the pages show the old ones"))
	status := object(t, "status", get(h, "/api/v1/status").Body.Bytes())
	if got := status["projections"].([]any)[0].(map[string]any)["rebuild"].(map[string]any); got["percent"] != 43.02 || got["target_seq"] != 1_000_000.0 {
		t.Errorf("status %v", got)
	}

	s.err = projections.ErrRebuilding
	s.status[0].State = "rebuilding"
	for _, path := range []string{"/", "/orders", rowsWithAPast[0], rowsWithAPast[0] + "?at_seq=1"} {
		w := get(h, path)
		wantAll(t, path, w.Body.String(), append(progress, `<noscript><meta http-equiv="refresh" content="2"></noscript>`))
		if w.Code != 503 || w.Header().Get("Retry-After") != "7" {
			t.Errorf("%s: status %d, Retry-After %s", path, w.Code, w.Header().Get("Retry-After"))
		}
	}
	w := get(h, "/api/v1/orders")
	wantProblem(t, "/api/v1/orders", w, 503)
	wantAll(t, "/api/v1/orders", w.Body.String(), []string{"43 % done, about 7 s left"})
	s.status[0].Rebuild = nil
	wantAll(t, "/orders", get(h, "/orders").Body.String(), []string{`<progress aria-label`})
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
	s, l := world(plain)
	o := options(s, l)
	o.Log = nil
	if _, err := web.New(o); err == nil {
		t.Error("New took options without a log that are not read-only")
	}
	s.noPast = projections.ErrNoLog
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
	if got := object(t, "status", get(h, "/api/v1/status").Body.Bytes())["stream"].(map[string]any)["last_seq"]; got != float64(len(l.records)) {
		t.Errorf("the status ends at %v", got)
	}
	empty, _ := empty()
	o.Store, o.ReadOnly = empty, &web.ReadOnly{}
	h = handler(t, o)
	for _, path := range append(pagesOfLists, "/", "/system") {
		body := get(h, path).Body.String()
		wantAll(t, path, body, []string{"A database as of no event; nothing here is live"})
		if regexp.MustCompile(`certtrail (send|init)`).MatchString(body) {
			t.Errorf("%s says how to fill what nothing fills", path)
		}
	}
}

// TestLongHistories: a page of a history of a thousand events shows the newest, links to the others, stays small, and its slider reaches the events around.
func TestLongHistories(t *testing.T) {
	s, l := world(plain)
	o := &s.orders[0]
	for len(o.Timeline) < 1000 {
		seq := l.add(schema.New("long", "/hooks/xolphin", ago(0), schema.OrderUpdated, schema.Data{Provider: "xolphin", OrderID: o.ID, Original: original(`"` + strings.Repeat("x<", 1500) + `"`)}))
		o.Timeline = append(o.Timeline, projections.TimelineEntry{Seq: seq, Time: ago(0), Type: "certtrail.order.updated.v1", Facts: lifecycle.Facts{Event: "Something"},
			Changes: []projections.Changed{{Field: "check:organization", Before: "pending", After: "failed"}}})
	}
	at := func(n int) string { return fmt.Sprint(o.Timeline[n-1].Seq) } // the nth event
	path := rowsWithAPast[0]
	h := handler(t, options(s, l))
	page := func(query string, shown int, want ...string) {
		t.Helper()
		w := get(h, path+query)
		body := w.Body.String()
		wantAll(t, query, body, want)
		if n := strings.Count(body, `<li data-key="event-`); w.Code != 200 || n != shown {
			t.Errorf("%q: status %d, %d events, want %d", query, w.Code, n, shown)
		}
		if w.Body.Len() > 100_000 {
			t.Errorf("%q weighs %d bytes", query, w.Body.Len())
		}
	}
	page("", 50, "1 to 50 of 1,000", path+"?before="+at(951)+"#timeline", `min="601" max="1001" step="1" value="1001"`, "<details><summary>Delivery", path+"?raw="+at(960)+"#event-"+at(960))
	page("?before="+at(951), 50, "51 to 100 of 1,000", `href="`+path+`#timeline" rel="prev"`, "?before="+at(901)+"#timeline", "?before="+at(951)+"&amp;raw="+at(905))
	page("?before="+at(901), 50, "?before="+at(951)+"#timeline")
	page("?before="+at(31), 30, "971 to 1,000 of 1,000", "What an event changed is told of the newest 500; stand at an older one")
	page("?raw="+at(955), 50, `<details open><summary>Delivery`)
	page("?at_seq="+at(300), 50, "<b>As of event 300 of 1,000</b>", `min="100" max="499" step="1" value="300"`, "1 to 50 of 300", "?at_seq="+at(300)+"&amp;before="+at(251)+"#timeline")
	for _, query := range []string{"?before=x", "?raw=-1"} {
		if w := get(h, path+query); w.Code != http.StatusBadRequest {
			t.Errorf("%s: status %d", query, w.Code)
		}
	}
	if w := get(h, path+"?event=300"); w.Header().Get("Location") != path+"?at_seq="+at(300) {
		t.Errorf("the slider's form leads to %s", w.Header().Get("Location"))
	}
	for i := range o.Timeline {
		o.Timeline[i].Changes = nil
	}
	page("", 50, "stand at an event to see it.")
}
