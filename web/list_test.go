package web_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web"
)

func TestQueriesArePassedOn(t *testing.T) {
	s, l := world(plain)
	h := handler(t, options(s, l))
	want := projections.Query{Limit: 7, Cursor: "14", Q: "example.com", Provider: "digicert", State: "pending", Sort: "-common_name", Now: now}
	for _, path := range []string{"/orders", "/api/v1/orders"} {
		get(h, path+"?limit=7&cursor=14&q=+example.com+&provider=digicert&state=pending&sort=-common_name")
		asked := s.queries
		got, want := asked[len(asked)-1], want
		if path == "/orders" {
			got = asked[len(asked)-2] // the last one counts
		} else {
			want.Bytes = web.ChunkBytes
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s asked for %+v, want %+v", path, got, want)
		}
	}
	get(h, "/api/v1/orders")
	if got := s.lastQuery(); !reflect.DeepEqual(got, projections.Query{Limit: projections.DefaultLimit, Bytes: web.ChunkBytes, Now: now}) {
		t.Errorf("without parameters: %+v", got)
	}
}

func TestPagesFollowTheCursor(t *testing.T) {
	s, l := world(plain)
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
			path = "/api/v1/orders?limit=5&cursor=" + *page.Next
		}
	}
	if len(seen) != len(s.orders) {
		t.Errorf("%d orders on all pages, want %d", len(seen), len(s.orders))
	}
	body := get(h, "/orders?limit=5&state=issued").Body.String()
	for _, text := range []string{`href="/orders?cursor=5&amp;limit=5&amp;state=issued" rel="next"`, `href="/orders.csv?state=issued"`, `data-newest`,
		`href="/orders?limit=5" title="Clear this filter"`, `href="/orders?limit=5&amp;sort=common_name&amp;state=issued"`} {
		if !strings.Contains(body, text) {
			t.Errorf("the first page lacks %s", text)
		}
	}
	body = get(h, "/orders?limit=5&cursor=5").Body.String()
	if !strings.Contains(body, `href="/orders?limit=5">First page`) || strings.Contains(body, "data-newest") {
		t.Error("the second page does not lead back, or takes new rows")
	}
}

func TestSortedColumnsSaySo(t *testing.T) {
	h := handler(t, options(world(plain)))
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
	s, l := world(plain)
	h := handler(t, options(s, l))
	for n, want := range map[int]string{0: ">34<", 184: ">184<", 9999: ">9,999<", 10_000: ">10,000<", projections.CountLimit + 1: ">10,000+<"} {
		s.count = n
		if body := get(h, "/orders").Body.String(); !strings.Contains(body, `id="count" class="count"`+want) && !strings.Contains(body, strings.ReplaceAll(want, "+", "&#43;")) {
			t.Errorf("count %d is not shown as %s", n, want)
		}
	}
}

func TestLongListsOfferOnlyWhatAnIndexSorts(t *testing.T) {
	s, l := world(plain)
	h := handler(t, options(s, l))
	for n, offered := range map[int]bool{projections.SortLimit: true, projections.SortLimit + 1: false} {
		s.count = n
		body := get(h, "/orders").Body.String()
		if strings.Contains(body, `href="/orders?sort=state_since"`) != offered || !strings.Contains(body, `href="/orders?sort=common_name"`) {
			t.Errorf("%d rows: sorting by the state's beginning is offered %t", n, !offered)
		}
	}
}

func TestDownloadsHoldTheWholeList(t *testing.T) {
	s, l := world(plain)
	for len(s.orders) < 2*projections.MaxLimit+3 {
		s.orders = append(s.orders, s.orders[3])
	}
	h := handler(t, options(s, l))
	w := get(h, "/orders.csv")
	records, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(records) != len(s.orders)+1 {
		t.Fatalf("%d records, %v; want %d", len(records), err, len(s.orders)+1)
	}
	if got := strings.Join(records[0][:4], " "); got != "provider id state common_name" {
		t.Errorf("the head is %s", got)
	}
	if got := records[1][6]; got != "csr=passed organization=failed phone=delayed domain:bar.example=pending domain:www.bar.example=passed domain:xn--bcher-kva.example=passed" {
		t.Errorf("the checks are %q", got)
	}
	if !strings.Contains(w.Header().Get("Content-Disposition"), "certtrail-orders.csv") || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("headers %v", w.Header())
	}
	var list struct{ Items []projections.Order }
	if err := json.Unmarshal(get(h, "/orders.json?state=issued").Body.Bytes(), &list); err != nil || len(list.Items) < 2*projections.MaxLimit-50 {
		t.Errorf("%d items in the JSON, %v", len(list.Items), err)
	}
	if got := s.lastQuery(); got.Sort != "id" || got.State != "issued" {
		t.Errorf("a download asks for %+v, want an order that does not change meanwhile", got)
	}
	for _, path := range pagesOfLists {
		records, err := csv.NewReader(get(h, path+".csv").Body).ReadAll()
		if err != nil || len(records) < 3 {
			t.Errorf("%s.csv: %d records, %v", path, len(records), err)
		}
		if err := json.Unmarshal(get(h, path+".json").Body.Bytes(), &list); err != nil {
			t.Errorf("%s.json: %v", path, err)
		}
	}
	e, el := empty()
	if got := get(handler(t, options(e, el)), "/orders.json").Body.String(); strings.Join(strings.Fields(got), "") != `{"items":[],"next_cursor":""}` {
		t.Errorf("an empty download is %q", got)
	}
}

func TestCellsAreNoFormulas(t *testing.T) {
	s, l := empty()
	texts := map[string]string{"=1+1": "'=1+1", "+x": "'+x", "-x": "'-x", "@x": "'@x", "\tx": "'\tx", "-12": "-12", "x=1": "x=1", "": ""}
	for text := range texts {
		s.orders = append(s.orders, projections.Order{Provider: "p", ID: "1", CommonName: text})
	}
	records, err := csv.NewReader(get(handler(t, options(s, l)), "/orders.csv").Body).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range s.orders {
		if got := records[i+1][3]; got != texts[o.CommonName] {
			t.Errorf("%q became %q, want %q", o.CommonName, got, texts[o.CommonName])
		}
	}
}

func TestABrokenDownloadIsCut(t *testing.T) {
	s, l := world(plain)
	for len(s.orders) < projections.MaxLimit+1 {
		s.orders = append(s.orders, s.orders[3])
	}
	h := handler(t, options(s, l))
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("recovered %v, want the connection to be aborted", got)
		}
	}()
	w := &failing{ResponseRecorder: httptest.NewRecorder(), then: func() { s.err = errors.New("disk on fire") }}
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
