package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

func TestExpiryIsAPictureAndATable(t *testing.T) {
	s, l := world(t, plain)
	o := options(s, l)
	body := get(handler(t, o), "/expiry").Body.String()
	week := `href="/certificates?expires_from=2026-12-05&amp;expires_until=2026-12-12&amp;sort=not_after&amp;state=valid"`
	if n := strings.Count(body, week); n != 2 { // the column and the table's row
		t.Errorf("the week from 5 Dec is linked %d times", n)
	}
	wantAll(t, "/expiry", body, []string{`<title id="ends-title">`, `<desc id="ends-desc">`, "from 15 Mar 2027: 100 days at most", `<a href="/expiry" aria-current="page">`,
		`<th scope="row">200 days</th><td>15 Mar 2026 <span class="muted">in force</span>`, "15 Mar 2029", `href="/domains?expires_from=2026-12-`})
	for _, not := range []string{"style=", "398 days", "47 days at most", `id="calendar"`} {
		if strings.Contains(body, not) {
			t.Errorf("/expiry has %s", not)
		}
	}
	for path, want := range map[string]projections.Query{
		"/certificates?expires_from=2026-12-05&expires_until=2026-12-12":   {ExpiresFrom: time.Date(2026, 12, 5, 0, 0, 0, 0, time.UTC), ExpiresUntil: time.Date(2026, 12, 12, 0, 0, 0, 0, time.UTC)},
		"/domains?expires_until=2026-12-12T08:00:00%2B02:00&state=expired": {ExpiresUntil: time.Date(2026, 12, 12, 6, 0, 0, 0, time.UTC), State: "expired"},
	} {
		var got projections.Query
		h, err := web.Watched(o, func(_ context.Context, q projections.Query) error { got = q; return nil })
		if err != nil {
			t.Fatal(err)
		}
		body := get(h, path).Body.String()
		if !got.ExpiresFrom.Equal(want.ExpiresFrom) || !got.ExpiresUntil.Equal(want.ExpiresUntil) || got.State != want.State {
			t.Errorf("%s asked for %+v", path, got)
		}
		wantAll(t, path, body, []string{`class="chip"`, `name="expires_until"`, "ends "})
	}
	if w := get(handler(t, o), "/certificates?expires_from=soon"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "expires_from must be a date such as") {
		t.Errorf("an end that is no time: %d", w.Code)
	}
}

func TestAFullYearOfExpiriesIsALightPage(t *testing.T) {
	w := &story{s: plain}
	for i := range 4000 {
		end := schema.At(now.Add(time.Duration(i) * 366 * day / 4000))
		w.say(providerOf(i), day, schema.CertificateCollected, schema.Data{CertificateID: fmt.Sprint(i), Certificate: &schema.Certificate{NotAfter: &end}})
		w.say("digicert", day, schema.DomainValidated, schema.Data{Domain: fmt.Sprintf("d%d.example", i), ExpiresAt: &end})
	}
	o := options(storeOf(t, w))
	if size := get(handler(t, o), "/expiry").Body.Len(); size > 100<<10 {
		t.Errorf("the page weighs %d bytes", size)
	}
}

// secret implements web.Calendar.
type secret struct {
	mu sync.Mutex
	n  int
}

func (s *secret) Secret() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("SECRET%d", s.n), nil
}

func (s *secret) Renew() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	return nil
}

func TestCalendarIsForWhoKnowsItsAddress(t *testing.T) {
	s, l := world(t, plain)
	hostile := &story{s: plain}
	about := hostile.certificateOf(0)
	about.CommonName = "a;b,c\\d\r\nBEGIN:VALARM " + strings.Repeat("ü", 60)
	hostile.say("digicert", day, schema.CertificateCollected, schema.Data{CertificateID: "881001", OrderID: "771002", Certificate: about})
	record(t, s, l, hostile)
	o := options(s, l)
	o.Calendar, o.URL = &secret{}, "https://certs.example.com/"
	h := handler(t, o)
	for _, path := range []string{"/calendar.ics", "/calendar.ics?token=", "/calendar.ics?token=SECRET", "/calendar.ics?token=SECRET1", "/calendar.ics?secret=SECRET0"} {
		if w := get(h, path); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "VCALENDAR") {
			t.Errorf("%s answers %d", path, w.Code)
		}
	}
	w := get(h, "/calendar.ics?token=SECRET0")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/calendar; charset=utf-8" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	body := w.Body.String()
	checkLines(t, body)
	feed, err := ics.ParseCalendar(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]*ics.VEvent{}
	for _, e := range feed.Events() {
		if entries[e.Id()] != nil {
			t.Errorf("%s is there twice", e.Id())
		}
		entries[e.Id()] = e
	}
	e := entries["certificates/digicert/881001@certtrail"]
	if e == nil {
		t.Fatalf("no entry of the first certificate among %d", len(entries))
	}
	if at, err := e.GetAllDayStartAt(); err != nil || at.Format(time.DateOnly) != about.NotAfter.Format(time.DateOnly) {
		t.Errorf("it is on %s (%v)", at, err)
	}
	if got, want := e.GetProperty(ics.ComponentPropertySummary).Value, "Certificate ends: a;b,c\\d BEGIN:VALARM "+strings.Repeat("ü", 60)+" +2"; strings.Join(strings.Fields(got), " ") != want {
		t.Errorf("its summary is %q, want %q", got, want)
	}
	if got := e.GetProperty(ics.ComponentPropertyUrl).Value; got != "https://certs.example.com/certificates/digicert/881001" {
		t.Errorf("its address is %s", got)
	}
	if e := entries["domains/xolphin/=2a.shop.example.com@certtrail"]; e == nil || !strings.Contains(e.GetProperty(ics.ComponentPropertyDescription).Value, "Xolphin may reuse the validation until") {
		t.Errorf("the entry of *.shop.example.com is %+v", e)
	}
	for id := range entries {
		if c := strings.Split(strings.TrimSuffix(id, "@certtrail"), "/"); c[0] == "certificates" && (c[2] == "881007" || c[2] == "881008") {
			t.Errorf("%s is in it, which is revoked or replaced", id)
		}
	}
	if again := get(h, "/calendar.ics?token=SECRET0").Body.String(); again != body {
		t.Error("it is another when nothing has changed")
	}
}

// checkLines checks the ends and lengths of content lines, which the parser does not.
func checkLines(t *testing.T, body string) {
	t.Helper()
	if !strings.HasSuffix(body, "\r\n") || strings.Count(body, "\n") != strings.Count(body, "\r\n") || strings.Count(body, "\r") != strings.Count(body, "\r\n") {
		t.Error("not every line ends in CR LF")
	}
	for line := range strings.SplitSeq(body, "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) {
			t.Errorf("a line of %d octets, or that ends within a character: %q", len(line), line)
		}
	}
}

func TestCalendarGetsANewAddress(t *testing.T) {
	s, l := world(t, plain)
	o := options(s, l)
	o.Calendar, o.URL = &secret{}, "http://localhost:8080"
	h := handler(t, o)
	page := get(h, "/expiry")
	wantAll(t, "/expiry", page.Body.String(), []string{"http://localhost:8080/calendar.ics?token=SECRET0", `action="/expiry/calendar"`})
	w := sendForm(h, "/expiry/calendar", url.Values{}, map[string]string{"Sec-Fetch-Site": "cross-site"})
	if w.Code != http.StatusForbidden || get(h, "/calendar.ics?token=SECRET0").Code != http.StatusOK {
		t.Errorf("a form of another site is answered %d", w.Code)
	}
	if w := postForm(h, "/expiry/calendar", url.Values{}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/expiry#calendar" {
		t.Errorf("%d to %s", w.Code, w.Header().Get("Location"))
	}
	if get(h, "/calendar.ics?token=SECRET0").Code != http.StatusNotFound || get(h, "/calendar.ics?token=SECRET1").Code != http.StatusOK {
		t.Error("the old address still leads to it, or the new one does not")
	}
	o.Calendar = nil
	if w := get(handler(t, o), "/calendar.ics?token="); w.Code != http.StatusNotFound {
		t.Errorf("without a feed: %d", w.Code)
	}
}

func TestADomainsCAsStandBesideEachOther(t *testing.T) {
	w := &story{s: plain}
	for i, provider := range []string{"digicert", "sectigo", "digicert"} {
		end := schema.At(now.AddDate(0, i+1, 0))
		w.say(provider, day, schema.DomainValidated, schema.Data{Domain: []string{"a.example", "a.example", "b.example"}[i], ExpiresAt: &end})
	}
	s, l := storeOf(t, w)
	body := get(handler(t, options(s, l)), "/domains").Body.String()
	if n := strings.Count(body, `<tr data-row="domains/`); n != 2 {
		t.Errorf("%d rows for two names", n)
	}
	wantAll(t, "/domains", body, []string{`data-watch="domains/sectigo/a.example"`, "21 Dec 2026", "21 Jan 2027", "21 Feb 2027"})
	if got := get(handler(t, options(s, l)), "/api/v1/domains").Body.String(); strings.Count(got, `"name":"a.example"`) != 2 {
		t.Errorf("the API does not keep an item for each provider: %s", got)
	}
}

// TestExpirySaysWhatItDoesNotKnow: issued orders that the pictures lack are counted, with what helps.
func TestExpirySaysWhatItDoesNotKnow(t *testing.T) {
	if body := get(handler(t, options(empty(t))), "/expiry").Body.String(); strings.Contains(body, "Not among them") {
		t.Error("it lacks orders that there are not")
	}
	o := options(crowd(t))
	all := providers(true)()
	for i := range all {
		switch all[i].Name {
		case "digicert":
			all[i].Asked = &web.Asked{Collects: true, Circuit: "closed"}
		case "sectigo":
			all[i].Asked = &web.Asked{HowtoEnable: []string{"sectigo-api-login"}}
		case "xolphin":
			all[i].Asked = &web.Asked{Collects: true, HowtoEnable: []string{"xolphin-api-username", "xolphin-api-password"}}
		}
	}
	o.Providers = func() []web.Provider { return all }
	body := get(handler(t, o), "/expiry").Body.String()
	wantAll(t, "/expiry", body, []string{
		`<a href="/orders?provider=digicert&amp;state=issued">1 issued order</a> of DigiCert CertCentral, because it is not known when its certificate expires. Ask for it: <code class="cmd">certtrail reconcile digicert --describe</code>`,
		`>3 issued orders</a> of Sectigo, because it is not known when their certificates expire.</p>`,
		`&#43; issued orders</a> of Xolphin, because it is not known when their certificates expire. With <code>xolphin-api-username</code> and <code>xolphin-api-password</code> set in <code>certtrail.yaml</code>, certtrail can ask for them: <code class="cmd">certtrail reconcile xolphin --describe</code>`,
	})
}
