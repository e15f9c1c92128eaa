package web_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/projectionstest"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

func TestQueriesArePassedOn(t *testing.T) {
	o := options(world(t, plain))
	var asked []projections.Query
	h, err := web.Watched(o, func(_ context.Context, q projections.Query) error { asked = append(asked, q); return nil })
	if err != nil {
		t.Fatal(err)
	}
	first := object(t, "first page", get(h, "/api/v1/orders?limit=1&q=example.org&provider=digicert&state=issued&sort=-common_name").Body.Bytes())
	cursor := first["next_cursor"].(string)
	want := projections.Query{Limit: 2, Cursor: cursor, Q: "example.org", Provider: "digicert", State: "issued", Sort: "-common_name", Now: now}
	for _, path := range []string{"/orders", "/api/v1/orders"} {
		w := get(h, path+"?limit=2&cursor="+url.QueryEscape(cursor)+"&q=+example.org+&provider=digicert&state=issued&sort=-common_name")
		got, want := asked[len(asked)-1], want
		if path != "/orders" {
			want.Bytes = web.ChunkBytes
		}
		if w.Code != 200 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: status %d, asked for %+v, want %+v", path, w.Code, got, want)
		}
		items, _, err := projections.List(t.Context(), o.Store, projections.Orders, want)
		if err != nil || len(items) != 2 {
			t.Fatalf("%d orders, %v", len(items), err)
		}
		for _, item := range items {
			if !strings.Contains(w.Body.String(), item.ID) {
				t.Errorf("%s lacks order %s", path, item.ID)
			}
		}
	}
	get(h, "/api/v1/orders")
	if got := asked[len(asked)-1]; !reflect.DeepEqual(got, projections.Query{Limit: projections.DefaultLimit, Bytes: web.ChunkBytes, Now: now}) {
		t.Errorf("without parameters: %+v", got)
	}
}

func TestPagesFollowTheCursor(t *testing.T) {
	s, l := world(t, plain)
	h := handler(t, options(s, l))
	seen := map[string]bool{}
	path := "/api/v1/orders?limit=5"
	for path != "" {
		var page struct {
			Items []struct{ Provider, ID string }
			Next  *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(get(h, path).Body.Bytes(), &page); err != nil || page.Next == nil {
			t.Fatalf("%s: %v, next_cursor %v", path, err, page.Next)
		}
		for _, o := range page.Items {
			seen[o.Provider+"/"+o.ID] = true
		}
		path = ""
		if *page.Next != "" {
			path = "/api/v1/orders?limit=5&cursor=" + url.QueryEscape(*page.Next)
		}
	}
	if n, err := s.Count(t.Context(), "orders", projections.Query{Now: now}); err != nil || len(seen) != n {
		t.Errorf("%d orders on all pages, want %d (%v)", len(seen), n, err)
	}
	body := get(h, "/orders?limit=5&state=issued").Body.String()
	next := regexp.MustCompile(`href="/orders\?cursor=([^&"]+)&amp;limit=5&amp;state=issued" rel="next"`).FindStringSubmatch(body)
	if next == nil {
		t.Fatal("the first page does not lead to the next")
	}
	for _, text := range []string{`href="/orders.csv?state=issued"`, `data-newest`,
		`href="/orders?limit=5" title="Clear this filter"`, `href="/orders?limit=5&amp;sort=common_name&amp;state=issued"`} {
		if !strings.Contains(body, text) {
			t.Errorf("the first page lacks %s", text)
		}
	}
	body = get(h, "/orders?limit=5&state=issued&cursor="+next[1]).Body.String()
	if !strings.Contains(body, `href="/orders?limit=5&amp;state=issued">First page`) || strings.Contains(body, "data-newest") {
		t.Error("the second page does not lead back, or takes new rows")
	}
}

func TestSortedColumnsSaySo(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	for path, want := range map[string]string{
		"/orders":                     `aria-sort="descending"><a href="/orders?sort=last_event_at">Last event`,
		"/orders?sort=last_event_at":  `aria-sort="ascending"><a href="/orders">Last event`,
		"/orders?sort=common_name":    `aria-sort="ascending"><a href="/orders?sort=-common_name">Name`,
		"/certificates?sort=issuer":   `aria-sort="none"><a href="/certificates">Last event`,
		"/domains?sort=-validated_at": `aria-sort="descending"><a href="/domains?sort=validated_at">Validated`,
	} {
		if !strings.Contains(get(h, path).Body.String(), want) {
			t.Errorf("%s lacks %s", path, want)
		}
	}
}

func TestCounts(t *testing.T) {
	for n, want := range map[int]string{0: "0", 184: "184", 9999: "9,999", 10_000: "10,000", projections.CountLimit + 1: "10,000+"} {
		if got := web.CountText(n); got != want {
			t.Errorf("count %d is shown as %s, want %s", n, got, want)
		}
	}
	small, large := handler(t, options(world(t, plain))), handler(t, options(crowd(t)))
	wantAll(t, "/orders", get(small, "/orders").Body.String(), []string{`id="count" class="count">34<`})
	wantAll(t, "/orders of many", get(large, "/orders").Body.String(), []string{`id="count" class="count">10,000&#43;<`})
}

// crowd opens a store of orders of which nobody knows when their certificates end: one of digicert, three of sectigo,
// and of xolphin as many as are counted, all of them below crowd.example, and one more.
func crowd(t *testing.T) (*projections.Store, *projectionstest.Log) {
	t.Helper()
	w := &story{s: plain}
	issued := func(provider string, name string) {
		w.say(provider, day, schema.OrderIssued, schema.Data{OrderID: fmt.Sprint(len(w.events)), Certificate: named(name),
			Original: &schema.Original{Method: http.MethodGet}})
	}
	issued("digicert", "a.example")
	for range 3 {
		issued("sectigo", "b.example")
	}
	for i := range projections.CountLimit {
		issued("xolphin", fmt.Sprintf("host%d.crowd.example", i))
	}
	issued("xolphin", "c.example")
	return storeOf(t, w)
}

func TestLongListsOfferOnlyWhatAnIndexSorts(t *testing.T) {
	h := handler(t, options(crowd(t)))
	for query, offered := range map[string]bool{"?q=crowd.example": true, "": false} { // projections.SortLimit rows, and more
		body := get(h, "/orders"+query).Body.String()
		if strings.Contains(body, `sort=state_since"`) != offered || !strings.Contains(body, `sort=common_name"`) {
			t.Errorf("/orders%s: sorting by the state's beginning is offered %t", query, !offered)
		}
	}
}

func TestDownloadsHoldTheWholeList(t *testing.T) {
	o := options(crowd(t))
	var asked projections.Query
	h, err := web.Watched(o, func(_ context.Context, q projections.Query) error { asked = q; return nil })
	if err != nil {
		t.Fatal(err)
	}
	const orders = projections.CountLimit + 5
	w := get(h, "/orders.csv")
	records, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(records) != orders+1 {
		t.Fatalf("%d records, %v; want %d", len(records), err, orders+1)
	}
	if got := strings.Join(records[0][:4], " "); got != "provider id state common_name" {
		t.Errorf("the head is %s", got)
	}
	if !strings.Contains(w.Header().Get("Content-Disposition"), "certtrail-orders.csv") || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("headers %v", w.Header())
	}
	var list struct{ Items []projections.Order }
	if err := json.Unmarshal(get(h, "/orders.json?state=issued").Body.Bytes(), &list); err != nil || len(list.Items) != orders {
		t.Errorf("%d items in the JSON, %v", len(list.Items), err)
	}
	if asked.Sort != "id" || asked.State != "issued" {
		t.Errorf("a download asks for %+v, want an order that does not change meanwhile", asked)
	}
	small := handler(t, options(world(t, plain)))
	for _, path := range pagesOfLists {
		records, err := csv.NewReader(get(small, path+".csv").Body).ReadAll()
		if err != nil || len(records) < 3 {
			t.Errorf("%s.csv: %d records, %v", path, len(records), err)
		}
		if err := json.Unmarshal(get(small, path+".json").Body.Bytes(), &list); err != nil {
			t.Errorf("%s.json: %v", path, err)
		}
	}
	wantAll(t, "/orders.csv", get(small, "/orders.csv").Body.String(), []string{
		",csr=passed organization=failed phone=delayed domain:bar.example=pending domain:www.bar.example=passed domain:xn--bcher-kva.example=passed,"})
	if got := get(handler(t, options(empty(t))), "/orders.json").Body.String(); strings.Join(strings.Fields(got), "") != `{"items":[],"next_cursor":""}` {
		t.Errorf("an empty download is %q", got)
	}
}

func TestCellsAreNoFormulas(t *testing.T) {
	w := &story{s: plain}
	texts := map[string]string{"=1+1": "'=1+1", "+x": "'+x", "-x": "'-x", "@x": "'@x", "\tx": "'\tx", "-12": "-12", "x=1": "x=1", "": ""}
	want := map[string]string{}
	for text, cell := range texts {
		id := fmt.Sprint(len(want))
		want[id] = cell
		w.say("p", day, schema.OrderDescribed, schema.Data{OrderID: id, Certificate: named(text)})
	}
	records, err := csv.NewReader(get(handler(t, options(storeOf(t, w))), "/orders.csv").Body).ReadAll()
	if err != nil || len(records) != len(texts)+1 {
		t.Fatal(len(records), err)
	}
	for _, record := range records[1:] {
		if got := record[3]; got != want[record[1]] {
			t.Errorf("got the cell %q, want %q", got, want[record[1]])
		}
	}
}

func TestABrokenDownloadIsCut(t *testing.T) {
	var broken error
	h, err := web.Watched(options(crowd(t)), func(context.Context, projections.Query) error { return broken })
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("recovered %v, want the connection to be aborted", got)
		}
	}()
	w := &failing{ResponseRecorder: httptest.NewRecorder(), then: func() { broken = errors.New("disk on fire") }}
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/orders.csv", nil))
	t.Error("half a list was sent as a whole one")
}

// failing calls then after the first write.
type failing struct {
	*httptest.ResponseRecorder
	then func()
}

func (f *failing) Write(b []byte) (int, error) {
	f.then()
	return f.ResponseRecorder.Write(b)
}
