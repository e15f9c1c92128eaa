package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/people"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/projectionstest"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// failedCheck tells of an order whose number has to be escaped, and that waits for a person since an hour ago.
func failedCheck() *story {
	w := &story{s: plain}
	w.say("xolphin", time.Hour, schema.OrderCheckFailed, schema.Data{OrderID: `a&"<b`, Check: schema.CheckPhone, CheckState: schema.CheckFailed})
	return w
}

// decider returns what keeps decisions in the log, and waits until the read models show them.
func decider(t *testing.T, s *projections.Store, l *projectionstest.Log) func(context.Context, web.Decision) error {
	n := 0
	return func(_ context.Context, d web.Decision) error {
		n++
		e := schema.NewDecision(fmt.Sprintf("0194-%d", n), schema.At(now), d.Kind, d.Provider, d.Row, d.Matter)
		if d.By != "" {
			if err := people.SealDecider(keys, e.ID, d.By, &e.Data); err != nil {
				return err
			}
		}
		l.Append(e)
		caughtUp(t, s)
		return nil
	}
}

// TestDecisions sends every form that the start page has, and some that it has not.
func TestDecisions(t *testing.T) {
	var got []web.Decision
	o := options(storeOf(t, failedCheck()))
	o.Decide = func(_ context.Context, d web.Decision) error { got = append(got, d); return nil }
	h := handler(t, o)
	base := func(pairs ...string) url.Values {
		v := url.Values{"decision": {"acknowledged"}, "kind": {schema.MatterCheckFailed}, "provider": {"xolphin"}, "row": {`a&"<b`}, "part": {"phone"}, "since": {ago(time.Hour).String()}, "days": {"7"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	tomorrow := now.AddDate(0, 0, 2).Format(time.DateOnly)
	for name, c := range map[string]struct {
		form   url.Values
		status int
		to     string
		want   func(web.Decision) bool
	}{
		"acknowledged": {base("note", "  sent  to a@b.example \n"), 303, "/", func(d web.Decision) bool {
			return d.Kind == schema.AttentionAcknowledged && d.Matter.Until == nil && d.Matter.Note == "sent to a…@b.example" && d.Row == `a&"<b` && d.Matter.Part == "phone" && d.Matter.Since == ago(time.Hour)
		}},
		"taken": {base("decision", "taken", "by", " Ada  Lovelace "), 303, "/", func(d web.Decision) bool {
			return d.By == "Ada Lovelace" && d.Matter.Until.Equal(now.AddDate(0, 0, 7))
		}},
		"snoozed for a day":    {base("decision", "snoozed", "days", "1"), 303, "/", func(d web.Decision) bool { return d.Matter.Until.Equal(now.AddDate(0, 0, 1)) }},
		"snoozed until a day":  {base("decision", "snoozed", "until", tomorrow), 303, "/", func(d web.Decision) bool { return d.Matter.Until.Format(time.DateOnly) == tomorrow }},
		"back to an order":     {base("back", "/orders/xolphin/a%2Fb?x=1"), 303, "/orders/xolphin/a%2Fb?x=1", func(web.Decision) bool { return true }},
		"back to elsewhere":    {base("back", "https://elsewhere.example/"), 303, "/", func(web.Decision) bool { return true }},
		"back to another host": {base("back", "//elsewhere.example/"), 303, "/", func(web.Decision) bool { return true }},
		"back by a trick":      {base("back", `/\elsewhere.example`), 303, "/", func(web.Decision) bool { return true }},
		"a past day":           {base("decision", "snoozed", "until", "2001-01-01"), 400, "", nil},
		"no day":               {base("decision", "snoozed", "until", "soon"), 400, "", nil},
		"too far":              {base("decision", "snoozed", "days", "999"), 400, "", nil},
		"no such decision":     {base("decision", "deleted"), 400, "", nil},
		"no such kind":         {base("kind", "weather"), 400, "", nil},
		"no since":             {base("since", ""), 400, "", nil},
		"no provider":          {base("provider", ""), 400, "", nil},
		"no part":              {base("part", ""), 409, "", nil},
		"no such row":          {base("row", "none"), 409, "", nil},
		"no such provider":     {base("provider", "nosuch"), 409, "", nil},
		"another occurrence":   {base("since", ago(2*time.Hour).String()), 409, "", nil},
		"open already":         {base("decision", "reopened"), 303, "/", nil},
		"a long name":          {base("by", strings.Repeat("a", 101)), 400, "", nil},
	} {
		got = nil
		w := postForm(h, "/attention", c.form)
		if w.Code != c.status || w.Header().Get("Location") != c.to {
			t.Errorf("%s: %d to %q, want %d to %q\n%s", name, w.Code, w.Header().Get("Location"), c.status, c.to, w.Body)
		}
		if want := c.want != nil; len(got) != map[bool]int{true: 1}[want] || want && !c.want(got[0]) {
			t.Errorf("%s: decided %+v", name, got)
		}
	}
	page := get(h, "/").Body.String()
	for _, want := range []string{`value="a&amp;&#34;&lt;b"`, `name="decision" value="acknowledged"`, `name="decision" value="taken"`, `name="decision" value="snoozed"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if w := get(h, "/attention"); w.Code != 303 || w.Header().Get("Location") != "/" {
		t.Errorf("GET /attention answers %d", w.Code)
	}
	o.Decide = func(context.Context, web.Decision) error { return errors.New("the log is full") }
	if w := postForm(handler(t, o), "/attention", base()); w.Code != 500 {
		t.Errorf("what the log does not take is answered %d", w.Code)
	}
}

// TestADecisionIsTakenOnce: sent again, by a second click or from a page that is old, it changes nothing; and nothing
// is decided about what was acknowledged.
func TestADecisionIsTakenOnce(t *testing.T) {
	s, l := storeOf(t, failedCheck())
	o := options(s, l)
	var kept []schema.Kind
	decide := decider(t, s, l)
	o.Decide = func(ctx context.Context, d web.Decision) error {
		kept = append(kept, d.Kind)
		return decide(ctx, d)
	}
	h := handler(t, o)
	found, err := s.Attention(t.Context(), now)
	if err != nil || len(found.Matters) != 1 {
		t.Fatalf("%+v %v", found, err)
	}
	m := found.Matters[0]
	send := func(decision string, more ...string) *httptest.ResponseRecorder {
		form := url.Values{"decision": {decision}, "kind": {m.Kind}, "provider": {m.Provider}, "row": {m.Row}, "part": {m.Part},
			"since": {m.When.String()}, "back": {"/orders/xolphin/a"}}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return postForm(h, "/attention", form)
	}
	for i, c := range []struct {
		decision string
		more     []string
		kept     int
	}{
		{"taken", []string{"by", "Ada"}, 1}, {"taken", []string{"by", "Ada"}, 1}, {"taken", []string{"by", "Bob"}, 2}, {"taken", []string{"by", "Bob", "note", "called"}, 3},
		{"snoozed", nil, 4}, {"snoozed", nil, 4}, {"snoozed", []string{"days", "3"}, 5}, {"reopened", nil, 6}, {"reopened", nil, 6},
	} {
		if w := send(c.decision, c.more...); w.Code != 303 || len(kept) != c.kept {
			t.Errorf("%d: %s %q: %d, and %d were kept, want %d", i, c.decision, c.more, w.Code, len(kept), c.kept)
		}
	}
	kept = nil
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if w := send("acknowledged", "by", "Ada"); w.Code != 303 {
				t.Errorf("acknowledged: %d", w.Code)
			}
		})
	}
	both.Wait()
	if len(kept) != 1 {
		t.Errorf("%d were kept of what was sent twice at once", len(kept))
	}
	for _, decision := range []string{"taken", "snoozed", "reopened", "acknowledged"} {
		w := send(decision, "by", "Bob")
		body := w.Body.String()
		if w.Code != 409 || len(kept) != 1 || !strings.Contains(body, "That is no matter any more: it was acknowledged by Ada at ") || !strings.Contains(body, `href="/orders/xolphin/a"`) {
			t.Errorf("%s after it was acknowledged: %d, %d kept\n%s", decision, w.Code, len(kept), body)
		}
	}
}

// TestNobodyDecides: without Decide, and over a database that nothing changes, there are no forms, and a form sent all
// the same changes nothing.
func TestNobodyDecides(t *testing.T) {
	h := handler(t, options(storeOf(t, failedCheck())))
	if strings.Contains(get(h, "/").Body.String(), `action="/attention"`) {
		t.Error("there is a form")
	}
	if w := postForm(h, "/attention", url.Values{"decision": {"taken"}}); w.Code != 404 {
		t.Errorf("a form is answered %d", w.Code)
	}
}

// TestAnOrderShowsItsMatters: its page has the same buttons, which lead back to it; a page of the past has none.
func TestAnOrderShowsItsMatters(t *testing.T) {
	s, l := world(t, plain)
	o := options(s, l)
	o.Decide = func(context.Context, web.Decision) error { return nil }
	h := handler(t, o)
	if page := get(h, "/orders/xolphin/960770001").Body.String(); !strings.Contains(page, `value="acknowledged"`) || !strings.Contains(page, `name="back" value="/orders/xolphin/960770001"`) {
		t.Error("the page has no buttons that lead back to it")
	}
	if strings.Contains(get(h, "/orders/xolphin/960770001?at_seq=1").Body.String(), `action="/attention"`) {
		t.Error("a page of the past has a form")
	}
}

// TestAttentionCounts: what is decided does not count, and that there are more than are listed is said.
func TestAttentionCounts(t *testing.T) {
	w := failedCheck()
	for i := range 201 {
		w.say("digicert", time.Minute, schema.OrderCheckFailed, schema.Data{OrderID: fmt.Sprint(i), Check: schema.CheckPhone, CheckState: schema.CheckFailed})
	}
	s, l := storeOf(t, w)
	until := schema.At(now.Add(48 * time.Hour))
	taken := schema.Matter{Kind: schema.MatterCheckFailed, Part: schema.CheckPhone, Since: ago(time.Hour), Until: &until, Note: "called"}
	o := options(s, l)
	o.Decide = decider(t, s, l)
	if err := o.Decide(t.Context(), web.Decision{Kind: schema.AttentionTaken, Provider: "xolphin", Row: `a&"<b`, Matter: taken, By: "Ada <b>"}); err != nil {
		t.Fatal(err)
	}
	page := get(handler(t, o), "/").Body.String()
	for _, want := range []string{"200&#43; need", `id="nav-attention"`, ">200+</span>", "1 snoozed or taken", "taken by Ada &lt;b&gt; until ", "“called”", `value="reopened"`, "more than two hundred"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
