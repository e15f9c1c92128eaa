package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/demo"
	"github.com/certtrail/certtrail/ingest/provider"
)

// hostileText holds a link that runs, an element and a way out of an attribute, in one.
const hostileText = `javascript:h0st()//'"><xss onerror=h0st()><script>h0st()</script>`

// hostileDeliveries returns d with the text in each of its fields, one at a time: parts of its query, headers, form or
// JSON, names and all; and as its whole body.
func hostileDeliveries(t *testing.T, d *provider.Delivery) (list []*provider.Delivery) {
	t.Helper()
	add := func(change func(*provider.Delivery)) {
		c := *d
		c.Header = map[string][]string{}
		maps.Copy(c.Header, d.Header)
		change(&c)
		list = append(list, &c)
	}
	pairs := func(text string, put func(*provider.Delivery, string)) {
		values, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			hostile := maps.Clone(values)
			hostile[name] = []string{hostileText}
			add(func(c *provider.Delivery) { put(c, hostile.Encode()) })
		}
		values.Set(hostileText, hostileText)
		add(func(c *provider.Delivery) { put(c, values.Encode()) })
	}
	if d.Query != "" {
		pairs(d.Query, func(c *provider.Delivery, q string) { c.Query = q })
	}
	for name := range d.Header {
		if name != "Content-Type" {
			add(func(c *provider.Delivery) { c.Header[name] = []string{hostileText} })
		}
	}
	switch {
	case strings.HasPrefix(d.Get("Content-Type"), "application/x-www-form-urlencoded"):
		pairs(string(d.Body), func(c *provider.Delivery, form string) { c.Body = []byte(form) })
	case json.Valid(d.Body):
		for _, body := range hostileJSON(t, d.Body) {
			add(func(c *provider.Delivery) { c.Body = body })
		}
	}
	if len(d.Body) > 0 {
		add(func(c *provider.Delivery) { c.Body = []byte(hostileText) })
	}
	return list
}

// hostileJSON returns the JSON with the text in the place of each of its values, also of those in JSON inside its
// strings, and as one name more in each object.
func hostileJSON(t *testing.T, text []byte) (list [][]byte) {
	t.Helper()
	decode := func() (v any) {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	encode := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for n, more := 0, true; more; n++ { // the nth place, counted again in a fresh copy
		place := 0
		more = false
		changed := atPlaces(decode(), func(old any) any {
			if place++; place-1 != n {
				return old
			}
			more = true
			return hostileText
		})
		if more {
			list = append(list, encode(changed))
		}
	}
	for n, more := 0, true; more; n++ { // JSON inside strings
		place := 0
		more = false
		var inner []byte
		atPlaces(decode(), func(old any) any {
			if place++; place-1 == n {
				more = true
				if s, ok := old.(string); ok && strings.HasPrefix(s, "{") && json.Valid([]byte(s)) {
					inner = []byte(s)
				}
			}
			return old
		})
		if inner == nil {
			continue
		}
		for _, hostile := range hostileJSON(t, inner) {
			place = 0
			list = append(list, encode(atPlaces(decode(), func(old any) any {
				if place++; place-1 == n {
					return string(hostile)
				}
				return old
			})))
		}
	}
	return list
}

// atPlaces puts what change makes of it in the place of each value that holds no others, and of one named by the
// hostile text in each object.
func atPlaces(v any, change func(any) any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			v[name] = atPlaces(v[name], change)
		}
		if extra := change(nil); extra != nil {
			v[hostileText] = extra
		}
		return v
	case []any:
		for i := range v {
			v[i] = atPlaces(v[i], change)
		}
		return v
	}
	return change(v)
}

// TestHostileFieldsAreText sends every provider's samples with HTML in every field through the real endpoints and
// decoders, and looks at every page that shows any of it: lists and their further pages, rows now and then, events and
// the quarantine.
func TestHostileFieldsAreText(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	sent := 0
	send := func(kind string, d *provider.Delivery) {
		t.Helper()
		source := kind
		if d.Feed != "" {
			source += "-" + d.Feed
		}
		status, body, err := w.deliver(source, d)
		if err != nil || status >= 500 {
			t.Fatalf("%s: %d %s %v", source, status, body, err)
		}
		sent++
	}
	ca, err := demo.NewAuthority(hostileText, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Issue(time.Now(), time.Now().Add(demo.Day), hostileText, "shop.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, system := range systems {
		for _, sample := range system.Samples {
			whole := sample.Build(maps.Clone(sample.Params))
			send(system.Kind, whole)
			for i, d := range hostileDeliveries(t, whole) {
				d.Body = withID(whole.Body, d.Body, fmt.Sprint(sample.Event, i))
				send(system.Kind, d)
			}
			if _, bears := sample.Params["certificate"]; bears {
				params := maps.Clone(sample.Params)
				params["certificate"], params["ca_certificate"] = leaf, ca.PEM
				send(system.Kind, sample.Build(params))
			}
		}
	}
	w.caughtUp(t)

	shown := map[string]int{} // pages that show the text as text, by the first part of their path
	pages := 0
	crawlPages(t, w.web, func(path, body string) {
		pages++
		if found := rawIn(body); found != "" {
			t.Errorf("%s has %q", path, found)
		}
		if strings.Contains(html.UnescapeString(body), "<xss onerror=h0st()>") {
			shown[strings.SplitN(path, "/", 3)[1]]++
		}
	})
	t.Logf("%d deliveries, %d pages, the text on %v", sent, pages, shown)
	for _, part := range []string{"orders", "certificates", "organizations", "dnssec", "websites", "users", "targets", "scans", "findings", "events", "quarantine"} {
		if shown[part] == 0 {
			t.Errorf("no page under /%s shows the text at all, so that nothing was tried there", part)
		}
	}
}

// rawIn returns what a page has of the text unescaped; "" if all of it is escaped.
func rawIn(body string) string {
	lower := strings.ToLower(body)
	for _, bad := range []string{"<xss", "<script>h0st", `"&gt;&lt;xss`, `'&gt;&lt;xss`, `href="javascript:`, `href='javascript:`, "href=javascript:", `src="javascript:`, `action="javascript:`} {
		if strings.Contains(lower, bad) {
			return bad
		}
	}
	return ""
}

// withID gives the body another id than the delivery has that it was made of, if that is a text: a delivery has its
// own, and a second of it is ignored.
func withID(whole, body []byte, id string) []byte {
	var was struct{ ID any }
	if json.Unmarshal(whole, &was) != nil {
		return body
	}
	old, ok := was.ID.(string)
	if !ok || old == "" {
		return body
	}
	return bytes.ReplaceAll(body, []byte(`"`+old+`"`), []byte(`"`+id+`"`))
}

var (
	skipped  = regexp.MustCompile(`^/(api|static)/|\.(csv|json|ics)(\?|$)|^/events/\d+/body$`) // what is no page, and is sent as such
	followed = []string{"cursor", "before_seq"}                                                // the parameters that lead to other rows
)

// crawlPages visits every page that links lead to, each at most once now and once as of the past.
func crawlPages(t *testing.T, base string, visit func(path, body string)) {
	t.Helper()
	seen := map[string]bool{}
	todo := []string{"/", "/orders", "/certificates", "/domains", "/dnssec", "/organizations", "/websites", "/users", "/targets", "/scans", "/findings", "/events", "/quarantine", "/system"}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		u, err := url.Parse(path)
		if err != nil || skipped.MatchString(path) {
			continue
		}
		key := u.EscapedPath()
		for _, name := range followed {
			key += "?" + u.Query().Get(name)
		}
		if u.Query().Has("at_seq") {
			key += "@"
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		status, body, err := fetch(base + path)
		if err != nil || status != http.StatusOK && status != http.StatusNotFound {
			t.Errorf("%s: %d %v", path, status, err)
			continue
		}
		visit(path, string(body))
		for _, part := range strings.Split(string(body), `href="/`)[1:] {
			to, _, _ := strings.Cut(part, `"`)
			to, _, _ = strings.Cut(to, "#")
			if strings.HasPrefix(path, "/events/") && strings.HasPrefix(to, "events?") {
				continue // the log around an event, which the log's own pages lead to
			}
			todo = append(todo, "/"+html.UnescapeString(to))
		}
	}
	if len(seen) < 300 {
		t.Error(fmt.Sprint("only ", len(seen), " pages were found"))
	}
}
