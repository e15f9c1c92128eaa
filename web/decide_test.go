package web_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// failedMatter is a matter of an order whose number has to be escaped.
func failedMatter() projections.Matter {
	return projections.Matter{ID: "0123456789abcdef01234567", Severity: "warning", Kind: schema.MatterCheckFailed, About: "a", Since: ago(time.Hour), AsOf: now,
		Facts: projections.MatterFacts{Check: schema.CheckFailed},
		State: "open", Provider: "xolphin", Row: `a&"<b`, Part: "phone", When: ago(time.Hour)}
}

// TestDecisions sends every form that the start page has, and some that it has not.
func TestDecisions(t *testing.T) {
	var got []web.Decision
	o := options(&fakeStore{matters: []projections.Matter{failedMatter()}}, &fakeLog{})
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

// TestADecisionIsTakenOnce: sent again, by a second click or from a page that is old, it changes nothing; and nothing is decided about what was acknowledged.
func TestADecisionIsTakenOnce(t *testing.T) {
	s := &fakeStore{matters: []projections.Matter{failedMatter()}}
	o := options(s, &fakeLog{})
	var kept []schema.Kind
	o.Decide = func(_ context.Context, d web.Decision) error {
		m := &s.matters[0]
		kept = append(kept, d.Kind)
		if m.State = d.Kind.Name(); d.Kind == schema.AttentionReopened {
			m.State = projections.Undecided
		}
		m.Decision = &projections.Decision{At: ago(0), Until: d.Matter.Until, By: d.By, Note: d.Matter.Note}
		return nil
	}
	h := handler(t, o)
	m := failedMatter()
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

// TestNobodyDecides: without Decide, and over a database that nothing changes, there are no forms, and a form sent all the same changes nothing.
func TestNobodyDecides(t *testing.T) {
	o := options(&fakeStore{matters: []projections.Matter{failedMatter()}}, &fakeLog{})
	h := handler(t, o)
	if strings.Contains(get(h, "/").Body.String(), `action="/attention"`) {
		t.Error("there is a form")
	}
	if w := postForm(h, "/attention", url.Values{"decision": {"taken"}}); w.Code != 404 {
		t.Errorf("a form is answered %d", w.Code)
	}
}

// TestAnOrderShowsItsMatters: its page has the same buttons, which lead back to it; a page of the past has none.
func TestAnOrderShowsItsMatters(t *testing.T) {
	s, l := world(plain)
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
	open, taken := failedMatter(), failedMatter()
	until := schema.At(now.Add(48 * time.Hour))
	taken.ID, taken.State, taken.Decision = "1123456789abcdef01234567", "taken", &projections.Decision{At: ago(time.Hour), Until: &until, By: "Ada <b>", Note: "called"}
	o := options(&fakeStore{matters: []projections.Matter{open, taken}, more: true}, &fakeLog{})
	o.Decide = func(context.Context, web.Decision) error { return nil }
	page := get(handler(t, o), "/").Body.String()
	for _, want := range []string{"1&#43; need", `id="nav-attention"`, ">1+</span>", "1 snoozed or taken", "taken by Ada &lt;b&gt; until ", "“called”", `value="reopened"`, "more than two hundred"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
