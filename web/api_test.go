package web_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/projectionstest"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

func object(t *testing.T, path string, b []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%s: %v in %.200s", path, err, b)
	}
	return v
}

func TestAPIAnswersRows(t *testing.T) {
	h := handler(t, options(world(t, plain)))
	for path, want := range map[string]map[string]any{
		"/api/v1/orders/xolphin/960770001":      {"provider": "xolphin", "id": "960770001", "state": "action_required", "next_step": "answer-ca", "event_count": 4.0},
		"/api/v1/certificates/xolphin/881002":   {"order_id": "771003", "days_left": 191.0, "serial_number": "0a1b2c3d4e5f60718293a4b5c6d7e8f9"},
		"/api/v1/domains/XN--BCHER-KVA.example": {"name": "xn--bcher-kva.example"},
		"/api/v1/dnssec/sectigo/42":             {"website_id": "42", "next_step": "ds-submit"},
		"/api/v1/organizations/digicert/5002":   {"name": "Bücher & Söhne GmbH"},
		"/api/v1/websites/sectigo/42":           {"kind": "website"},
		"/api/v1/users/defguard/" + ada:         {"username": "ada", "state": "active"},
		"/api/v1/users/defguard/" + gone:        {"username": "[forgotten]", "forgotten": true},
		"/api/v1/targets/probely/t2":            {"state": "verification_failed", "reason": "no file was found"},
		"/api/v1/scans/probely/s1":              {"target_id": "t1", "highs": 1.0},
		"/api/v1/findings/probely/t1:1":         {"severity": 20.0, "tls": true},
		"/api/v1/findings/probely/t1%3A1":       {"id": "t1:1"},
	} {
		w := get(h, path)
		got := object(t, path, w.Body.Bytes())
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s: %s is %v, want %v", path, key, got[key], value)
			}
		}
		if w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s", path, w.Header().Get("Content-Type"))
		}
	}
	order := object(t, "order", get(h, "/api/v1/orders/xolphin/960770001").Body.Bytes())
	if n := len(order["timeline"].([]any)); n != 4 {
		t.Errorf("the timeline has %d entries", n)
	}
}

func TestAPIListsAreNeverNull(t *testing.T) {
	h := handler(t, options(empty(t)))
	for _, path := range append(pagesOfLists, "/attention", "/events") {
		if got := strings.TrimSpace(get(h, "/api/v1"+path).Body.String()); got != `{"items":[],"next_cursor":""}` {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestAPIEvents(t *testing.T) {
	s, l := world(t, plain)
	h := handler(t, options(s, l))
	last, _ := l.Last(t.Context())
	seqs := []float64{}
	for path := "/api/v1/events?after_seq=3&limit=40"; path != ""; {
		page := object(t, path, get(h, path).Body.Bytes())
		for _, item := range page["items"].([]any) {
			e := item.(map[string]any)
			seqs = append(seqs, e["seq"].(float64))
			if e["specversion"] != "1.0" || e["data"] == nil {
				t.Fatalf("not an event: %v", e)
			}
		}
		path = ""
		if next := page["next_cursor"]; next != "" {
			path = "/api/v1/events?after_seq=3&limit=40&cursor=" + next.(string)
		}
	}
	if len(seqs) != int(last)-3 || seqs[0] != 4 || !slices.IsSorted(seqs) {
		t.Errorf("%d events from %v on", len(seqs), seqs[0])
	}
	page := object(t, "subject", get(h, "/api/v1/events?subject=certs.dnssec.%3E").Body.Bytes())
	if n := len(page["items"].([]any)); n != 5 {
		t.Errorf("%d events of DNSSEC, want 5", n)
	}
}

func TestAPIEventsAreAsTheyStandInTheLog(t *testing.T) {
	l := projectionstest.NewLog()
	l.AppendRecords([]schema.Record{
		{Subject: "certs.order.issued.x.1", Data: []byte(`{"id":"1","type":"t","later":{"big":12345678901234567890},"html":"<b>"}`)},
		{Subject: "certs.order.issued.x.1", Data: []byte(`{}`)}, {Subject: "certs.order.issued.x.1", Data: []byte(`junk`)}}...)
	s, _ := empty(t)
	want := `{"items":[{"seq":1,"id":"1","type":"t","later":{"big":12345678901234567890},"html":"<b>"},{"seq":2},{"seq":3}],"next_cursor":""}`
	if got := strings.TrimSpace(get(handler(t, options(s, l)), "/api/v1/events").Body.String()); got != want {
		t.Errorf("got %s", got)
	}
}

func TestNewestEventsOfASubject(t *testing.T) {
	s, l := world(t, plain)
	all, _, err := l.Events(t.Context(), 0, "", 1000, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	long := projectionstest.NewLog()
	long.AppendRecords(all...)
	long.AppendRecords(slices.Repeat(all[:1], 5000)...) // so that the last event of DNSSEC is far from the end
	h := handler(t, options(s, long))
	body := get(h, "/events?subject=certs.dnssec.%3E&limit=2").Body.String()
	rows := regexp.MustCompile(`data-row="events//(\d+)"`).FindAllStringSubmatch(body, -1)
	if len(rows) != 2 || rows[0][1] <= rows[1][1] {
		t.Errorf("rows %v, want the two newest, newest first", rows)
	}
	older := regexp.MustCompile(`href="([^"]*before_seq[^"]*)"`).FindStringSubmatch(body)
	if older == nil {
		t.Fatal("no way to older events")
	}
	body = get(h, strings.ReplaceAll(older[1], "&amp;", "&")).Body.String()
	if n := len(regexp.MustCompile(`data-row="events//`).FindAllString(body, -1)); n != 2 {
		t.Errorf("%d older events, want the two before those", n)
	}
	if !strings.Contains(body, "Newest") {
		t.Error("no way back to the newest")
	}
}

func TestAPIStatus(t *testing.T) {
	w := &story{s: plain}
	w.stuckOrders()
	w.ordinaryOrder(0)
	l := projectionstest.NewLog(w.events...)
	var gone atomic.Value
	gone.Store(schema.Gaps{{First: 3, Last: 3}, {First: 5, Last: 5}, {First: 9, Last: 9}})
	for _, seq := range []uint64{3, 5, 9} {
		l.Lose(seq)
	}
	s := openStore(t, l, func(o *projections.Options) {
		o.Gaps = func() (all, accepted schema.Gaps) { return gone.Load().(schema.Gaps), schema.Gaps{{First: 9, Last: 9}} }
	})
	gone.Store(schema.Gaps{{First: 3, Last: 5}, {First: 9, Last: 9}}) // once it was folded
	got := object(t, "status", get(handler(t, options(s, l)), "/api/v1/status").Body.Bytes())
	if got["version"] != "1.2.3" || len(got["providers"].([]any)) != 3 || len(got["projections"].([]any)) != 1 {
		t.Errorf("status %v", got)
	}
	stream := got["stream"].(map[string]any)
	if stream["last_seq"] != float64(len(w.events)) || !reflect.DeepEqual(stream["gaps"], []any{map[string]any{"first_seq": 3.0, "last_seq": 5.0}}) ||
		!reflect.DeepEqual(stream["gaps_held"], []any{map[string]any{"first_seq": 4.0, "last_seq": 4.0}}) || !reflect.DeepEqual(stream["gaps_accepted"], []any{map[string]any{"first_seq": 9.0, "last_seq": 9.0}}) {
		t.Errorf("stream %v", stream)
	}
}

func TestOpenAPIDescribesTheRoutes(t *testing.T) {
	o := options(empty(t))
	table, err := web.Routes(o)
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("static/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var routes, described []string
	for _, route := range table {
		if strings.HasPrefix(route.Path, "/api/") {
			routes = append(routes, route.Path)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^  (/\S+):$`).FindAllSubmatch(document, -1) {
		described = append(described, string(m[1]))
	}
	slices.Sort(routes)
	slices.Sort(described)
	if !slices.Equal(routes, described) {
		t.Errorf("the routes are\n%s\nthe document describes\n%s", strings.Join(routes, "\n"), strings.Join(described, "\n"))
	}
	w := get(handler(t, o), "/api/v1/openapi.yaml")
	if w.Body.String() != string(document) || w.Header().Get("Content-Type") != "application/yaml" {
		t.Errorf("served as %s", w.Header().Get("Content-Type"))
	}
	for _, m := range regexp.MustCompile(`#/components/(\w+)/(\w+)`).FindAllStringSubmatch(string(document), -1) {
		if !strings.Contains(string(document), "\n    "+m[2]+":") {
			t.Errorf("%s is described nowhere", m[0])
		}
	}
}

// TestOpenAPIDescribesTheParameters holds the document's parameters against those that a route says it takes when it is
// asked by another, and each of those against whether it is taken.
func TestOpenAPIDescribesTheParameters(t *testing.T) {
	document, err := os.ReadFile("static/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	paths, components, _ := strings.Cut(string(document), "\ncomponents:\n")
	inQuery := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^    (\w+):\n      name: (\w+)\n      in: query$`).FindAllStringSubmatch(components, -1) {
		inQuery[m[1]] = m[2]
	}
	examples := map[string]string{"limit": "1", "after_seq": "1", "at_seq": "9999", "at": "2100-01-01", "expires_from": "2026-01-01", "expires_until": "2026-01-01"}
	keys := strings.NewReplacer("orders/{provider}/{id}", "orders/xolphin/960770001", "certificates/{provider}/{id}", "certificates/xolphin/881002", "{name}", "xn--bcher-kva.example",
		"{provider}/{website_id}", "sectigo/42", "organizations/{provider}/{id}", "organizations/digicert/5002", "websites/{provider}/{id}", "websites/sectigo/42", "users/{provider}/{id}", "users/defguard/"+ada,
		"targets/{provider}/{id}", "targets/probely/t2", "scans/{provider}/{id}", "scans/probely/s1", "findings/{provider}/{id}", "findings/probely/t1:1")
	h := handler(t, options(world(t, plain)))
	for _, part := range regexp.MustCompile(`(?m)^  /`).Split(paths, -1)[1:] {
		path, _, _ := strings.Cut(part, ":")
		if path == "api/v1/live" || path == "api/v1/openapi.yaml" {
			continue
		}
		var want []string
		for _, m := range regexp.MustCompile(`(?m)components/parameters/(\w+)|- name: (\w+)\n          in: query$`).FindAllStringSubmatch(part, -1) {
			if name := inQuery[m[1]] + m[2]; name != "" {
				want = append(want, name)
			}
		}
		path = "/" + keys.Replace(path)
		var problem struct{ Detail string }
		if err := json.Unmarshal(get(h, path+"?none=1").Body.Bytes(), &problem); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		_, list, _ := strings.Cut(strings.TrimSuffix(problem.Detail, "."), "here, only ")
		got := strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(", ", r) })
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s says it takes %q, and is described with %q: %s", path, got, want, problem.Detail)
		}
		for _, name := range got {
			example := examples[name]
			if name == "cursor" {
				example = url.QueryEscape(object(t, path, get(h, path+"?limit=1").Body.Bytes())["next_cursor"].(string))
			}
			if w := get(h, path+"?"+name+"="+example); w.Code != 200 {
				t.Errorf("%s does not take %s: %s", path, name, w.Body)
			}
		}
	}
}

// TestOpenAPIDescribesTheItems holds the document's properties against the fields of the items.
func TestOpenAPIDescribesTheItems(t *testing.T) {
	document, err := os.ReadFile("static/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, item := range map[string]any{"Order": projections.Order{}, "Certificate": projections.Certificate{}, "Domain": projections.Domain{}, "DNSSEC": projections.DNSSEC{},
		"Organization": projections.Organization{}, "Website": projections.Website{}, "User": projections.User{}, "Target": projections.Target{}, "Scan": projections.Scan{}, "Finding": projections.Finding{}, "Device": schema.Device{},
		"Matter": web.Matter{}, "Quarantined": projections.Quarantined{},
		"DomainDetail": projections.DomainDetail{}, "Changed": projections.Changed{}, "Progress": projections.Progress{}, "TimelineEntry": projections.TimelineEntry{}, "DS": schema.DS{}, "Original": schema.Original{}} {
		part := regexp.MustCompile(`(?ms)^    ` + name + `:$.*?(^    \w+:$|\z)`).FindString(string(document))
		history := regexp.MustCompile(`(?ms)^    History:$.*?^    \w+:$`).FindString(string(document))
		for _, f := range reflect.VisibleFields(reflect.TypeOf(item)) {
			field, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous || field == "-" {
				continue
			}
			if !strings.Contains(part, " "+field+":") && !(strings.Contains(part, "/History") && strings.Contains(history, " "+field+":")) {
				t.Errorf("%s lacks %s", name, field)
			}
		}
	}
}

// TestFieldsOfChangesAreDescribed: the document has every field that a change may have, and so have the release notes
// those that took the place of words.
func TestFieldsOfChangesAreDescribed(t *testing.T) {
	document, err := os.ReadFile("static/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	part := regexp.MustCompile(`(?ms)^    Changed:$.*?(^    \w+:$|\z)`).FindString(string(document))
	for _, field := range append(lifecycle.Fields(), lifecycle.CheckField("NAME"), lifecycle.ReasonField("NAME")) {
		if !regexp.MustCompile(`\b` + field + `\b`).MatchString(part) {
			t.Errorf("Changed lacks the field %s", field)
		}
	}
}

// TestMarkedFieldsExist: what a page marks as changed is a field that changes have.
func TestMarkedFieldsExist(t *testing.T) {
	files, err := filepath.Glob("templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	marked := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\$\.Mark "([^"]*)"`).FindAllStringSubmatch(string(text), -1) {
			if marked++; !slices.Contains(lifecycle.Fields(), m[1]) {
				t.Errorf("%s marks %q, which is no field", file, m[1])
			}
		}
	}
	if marked < 50 {
		t.Errorf("only %d marks were found", marked)
	}
}
