package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// TestLongHistories: a page of a history of a thousand events shows the newest, links to the others, stays small, and
// its slider reaches the events around.
func TestLongHistories(t *testing.T) {
	s, l := world(t, plain)
	lengthen := func(events int) {
		w := &story{s: plain}
		for i := range events {
			d := schema.Data{OrderID: "960770001", Check: schema.CheckOrganization, CheckState: schema.CheckFailed, Original: original(`"` + strings.Repeat("x<", 1500) + `"`)}
			if i%2 > 0 {
				d.CheckState = schema.CheckPending
			}
			w.say("xolphin", 0, schema.OrderUpdated, d)
		}
		record(t, s, l, w)
	}
	lengthen(996)
	o, err := projections.One(t.Context(), s, projections.Orders, "xolphin", "960770001", projections.Moment{Now: now})
	if err != nil {
		t.Fatal(err)
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
	lengthen(2000) // too many to tell what each changed
	page("", 50, "stand at an event to see it.")
}
