package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/projectionstest"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// TestButtonSendsATestDelivery presses the button of a provider, of one that is off and of one that is none.
func TestButtonSendsATestDelivery(t *testing.T) {
	s, l := empty(t)
	var sent []string
	var result *web.Tested
	o := options(s, l)
	all := o.Providers
	o.Providers = func() []web.Provider {
		list := all()
		list[0].Tested = result
		return list
	}
	o.TestDelivery = func(_ context.Context, provider string) error {
		sent = append(sent, provider)
		result = &web.Tested{At: ago(time.Minute), Endpoints: []web.TestedEndpoint{
			{Path: "/hooks/digicert", Status: 200, Took: 3 * time.Millisecond, Seq: 1234}, {Path: "/hooks/digicert-more", Status: 403, Took: time.Millisecond, Trouble: "Not from this address."}}}
		return nil
	}
	h := handler(t, o)
	if page := get(h, "/system").Body.String(); !strings.Contains(page, "Send a test delivery") || strings.Contains(page, "answered") {
		t.Error("the page before has no button, or knows an answer")
	}
	if w := postForm(h, "/system/test", url.Values{"provider": {"digicert"}}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/system#provider-digicert" {
		t.Errorf("%d to %s", w.Code, w.Header().Get("Location"))
	}
	page := get(h, "/system").Body.String()
	for _, want := range []string{`<code>/hooks/digicert</code> answered 200 in 3 ms; <a href="/events/1234">`, "answered 403 in 1 ms: Not from this address."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page after lacks %q", want)
		}
	}
	for _, name := range []string{"", "nobody"} {
		if w := postForm(h, "/system/test", url.Values{"provider": {name}}); w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", name, w.Code)
		}
	}
	foreign := map[string]string{"Sec-Fetch-Site": "cross-site"}
	if w := sendForm(h, "/system/test", url.Values{"provider": {"digicert"}}, foreign); w.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", w.Code)
	}
	if fmt.Sprint(sent) != "[digicert]" {
		t.Errorf("sent to %v", sent)
	}
	o.TestDelivery, o.ReadOnly = nil, &web.ReadOnly{}
	if page := get(handler(t, o), "/system").Body.String(); strings.Contains(page, `<form method="post"`) {
		t.Error("a database has a form")
	}
}

// TestSystemSaysWhatIsWrong shows every warning there is, on the page and in the API.
func TestSystemSaysWhatIsWrong(t *testing.T) {
	if page := get(handler(t, options(empty(t))), "/system").Body.String(); strings.Contains(page, "held back") {
		t.Error("a fresh server has a trouble with its clock")
	}
	w := &story{s: plain}
	for range 1200 {
		w.say("xolphin", 100*day, schema.OrderUpdated, schema.Data{OrderID: "1"})
	}
	var last schema.Time
	for i := range 20 {
		age := time.Duration(20-i)*12*time.Hour + 5*day
		last = ago(age)
		w.say("digicert", age, schema.OrderUpdated, schema.Data{OrderID: "1"})
		w.say("digicert", age, schema.OrderUpdated, schema.Data{OrderID: "1"})
		w.say("digicert", age, []schema.Kind{schema.OrderUpdated, schema.DeliveryUnrecognized}[i%2], schema.Data{OrderID: "1"})
	}
	l := projectionstest.NewLog(w.events...)
	var gone atomic.Value
	gone.Store(schema.Gaps{{First: 2, Last: 3}, {First: 8, Last: 1200}})
	for _, gap := range gone.Load().(schema.Gaps) {
		for seq := gap.First; seq <= gap.Last; seq++ {
			l.Lose(seq)
		}
	}
	s := openStore(t, l, func(o *projections.Options) {
		o.Gaps = func() (all, accepted schema.Gaps) { return gone.Load().(schema.Gaps), nil }
	})
	gone.Store(schema.Gaps{{First: 5, Last: 5}, {First: 8, Last: 1200}}) // two came back, and another went, after they were folded
	o := options(s, l)
	o.ClockTrouble = func() string { return "the clock jumped forward by 40 h\nand back" }
	o.Warnings = func(context.Context) []web.Warning {
		return []web.Warning{{Title: "The disk is nearly full", Text: "The disk of <data> has 12 MiB left."}}
	}
	o.Providers = func() []web.Provider {
		return []web.Provider{{Name: "digicert", Title: "DigiCert", On: true, Lost: 3, Refused: 1200, RefusedFor: map[string]uint64{"wrong credentials": 1199, "too large": 1}, Remarks: []string{"The key has 8 characters."},
			Asked: &web.Asked{Circuit: "open", Until: schema.At(now.Add(time.Minute)), Trouble: "It answered 500.", Reconciled: "2 deliveries were missed", Missed: 2, Unreconciled: "It never answered."}}}
	}
	h := handler(t, o)
	page := get(h, "/system").Body.String()
	wants := []string{"The disk of &lt;data&gt; has 12 MiB left.", "1 event is missing from the log (5). The pages still show what came of it, and a replay would lose that", "1,193 events are missing from the log (8 to 1,200). The pages were built without them. Restore a backup elsewhere",
		"built while 2 to 3 could not", "The clock jumped forward by 40 h; and back.", "could not store 3 deliveries",
		"DigiCert has gone silent", "No delivery has arrived for 5 d", "The key has 8 characters.", "It answered 500.", "It never answered.", "2 deliveries were missed", "1,199 wrong credentials, 1 too large", "60 deliveries in the last 60 days", `class="bad"`}
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	var status struct {
		Warnings  []struct{ Severity, Title, Detail string }
		Providers []struct {
			Silent     bool
			UsualPause uint64 `json:"usual_pause_seconds"`
			LastAt     string `json:"last_delivery_at"`
		}
	}
	if err := json.Unmarshal(get(h, "/api/v1/status").Body.Bytes(), &status); err != nil {
		t.Fatal(err)
	}
	if len(status.Warnings) != 11 || status.Warnings[0].Severity != "critical" || status.Warnings[0].Title != "The disk is nearly full" {
		t.Errorf("%+v", status.Warnings)
	}
	if p := status.Providers[0]; !p.Silent || p.UsualPause != 12*3600 || p.LastAt != last.String() {
		t.Errorf("%+v", p)
	}
}

// TestSystemSaysThatTheLogWasReplaced opens read models beside a log that ends before what they hold.
func TestSystemSaysThatTheLogWasReplaced(t *testing.T) {
	w := &story{s: plain}
	for range 9 {
		w.say("xolphin", day, schema.OrderUpdated, schema.Data{OrderID: "1"})
	}
	dir := t.TempDir()
	before, stop := run(t, storeOptions(dir, projectionstest.NewLog(w.events...)))
	caughtUp(t, before)
	stop()
	before.Close()
	l := projectionstest.NewLog(w.events[:4]...)
	s, _ := run(t, storeOptions(dir, l))
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(time.Millisecond) {
		if status, _, err := s.Status(t.Context()); err == nil && status[0].Torn != "" && status[0].State == projections.StateLive {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the read models do not notice")
		}
	}
	wantAll(t, "/system", get(handler(t, options(s, l)), "/system").Body.String(), []string{"The log was damaged or replaced", "it ends at 4, before 9.", "reconcile with the providers"})
}

// TestUnknownParametersGetASentence asks the API for what it does not know.
func TestUnknownParametersGetASentence(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	for path, want := range map[string]string{
		"/api/v1/orders?stat=issued":                 `There is no parameter \"stat\" here, only limit`,
		"/api/v1/status?verbose=1":                   `There is no parameter \"verbose\" here, nor any other`,
		"/api/v1/attention?foo=1":                    `There is no parameter \"foo\" here, nor any other`,
		"/api/v1/orders?provider=a&provider=b":       `provider is given 2 times: give it once`,
		"/api/v1/orders/digicert/771001?at_seq=":     "At_seq is empty",
		"/api/v1/orders/digicert/771001?at=":         "At is empty",
		"/api/v1/orders/digicert/771001?as_of=1":     `There is no parameter \"as_of\" here, only at_seq, at`,
		"/api/v1/events?after_seq=":                  "after_seq must be the sequence of an event",
		"/api/v1/events?subject=certs.order..issued": "is not a NATS filter",
		"/orders/digicert/771001?at_seq=":            "is empty: give it a value",
	} {
		w := get(h, path)
		if w.Code != http.StatusBadRequest || !strings.Contains(strings.ToLower(w.Body.String()), strings.ToLower(want)) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
