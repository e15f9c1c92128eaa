package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// scriptTable sends every delivery of a table to the world's server and prints the table with what became of each, so
// that "cmp stdout FILE" holds the table to it, and rewrites it with -update. Blocks are separated by empty lines:
//
//	# what it is
//	POST /hooks/SOURCE?QUERY
//	Header: value
//	the body, in which @FILE@ is a file's content
//	? PATH TEXT          the page shows the text
//	= STATUS SUBJECT     the answer, and the subject of the event
//	= stored BODY        what redaction left, where that is not what was sent
//	= PATH ITEM          every row of the API that the event changed
//
// The table holds what the deliveries mean. Each delivery is also held to what is the same for all: the envelope, that
// no credential is stored, and that the API's item and the page of each row show what its list shows.
func scriptTable(ts *testscript.TestScript, _ bool, args []string) {
	t := table{TestScript: ts, world: theWorld(ts)}
	t.readModels()
	var out []string
	for _, block := range strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n\n") {
		out = append(out, t.block(block))
	}
	fmt.Fprintln(ts.Stdout(), strings.Join(out, "\n\n"))
}

// table holds the state of one table while its deliveries are sent.
type table struct {
	*testscript.TestScript
	world  *world
	models []string // the API's paths of one row: /orders/{provider}/{id}
	seq    uint64   // of the last event
	times  []string // pairs: the time of each event as JSON has it, and what the table says for it
}

// readModels learns from the API's own description which lists it has, so that the table misses no new one.
func (t *table) readModels() {
	paths := regexp.MustCompile(`(?m)^  /api/v1(/[a-z]+/\{.*\}):$`)
	for _, m := range paths.FindAllSubmatch(t.get("/api/v1/openapi.yaml"), -1) {
		t.models = append(t.models, string(m[1]))
	}
	if len(t.models) < 10 {
		t.Fatalf("the API describes the rows %v", t.models)
	}
}

// block sends one delivery, and returns its part of the table.
func (t *table) block(text string) string {
	var lines, request, shown []string
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "= ") {
			continue
		}
		switch lines = append(lines, line); {
		case strings.HasPrefix(line, "? "):
			shown = append(shown, line[2:])
		case !strings.HasPrefix(line, "# "):
			request = append(request, line)
		}
	}
	if len(request) == 0 {
		return text
	}
	source, d := t.delivery(request)
	status, answer, err := t.world.deliver(source, d)
	t.Check(err)
	t.world.caughtUp(t)
	e := t.event()
	if e == nil {
		return strings.Join(append(lines, fmt.Sprintf("= %d %s", status, answer)), "\n")
	}
	t.envelope(e, source, d)
	lines = append(lines, fmt.Sprintf("= %d %s", status, hashes.ReplaceAllString(e.NATSSubject(), "*")))
	if left := stored(e, d); left != "" {
		lines = append(lines, "= stored "+left)
	}
	for _, model := range t.models {
		lines = append(lines, t.rows(model)...)
	}
	for _, line := range shown {
		path, want, _ := strings.Cut(line, " ")
		t.shows(path, want)
	}
	return strings.Join(lines, "\n")
}

var headerLine = regexp.MustCompile(`^([A-Za-z-]+): (.*)$`)

// delivery reads a request as it goes over the wire.
func (t *table) delivery(lines []string) (source string, d *provider.Delivery) {
	method, target, _ := strings.Cut(lines[0], " ")
	path, query, _ := strings.Cut(target, "?")
	d = &provider.Delivery{Method: method, Query: query, Header: map[string][]string{}}
	rest := lines[1:]
	for ; len(rest) > 0 && headerLine.MatchString(rest[0]); rest = rest[1:] {
		m := headerLine.FindStringSubmatch(rest[0])
		d.Header[http.CanonicalHeaderKey(m[1])] = []string{m[2]}
	}
	body, escape := strings.Join(rest, "\n"), url.QueryEscape
	switch {
	case strings.HasPrefix(body, "{"):
		d.Header["Content-Type"] = []string{"application/json"}
		escape = func(s string) string { b, _ := json.Marshal(s); return strings.Trim(string(b), `"`) }
	case body != "":
		d.Header["Content-Type"] = []string{"application/x-www-form-urlencoded"}
	}
	d.Body = []byte(insertion.ReplaceAllStringFunc(body, func(m string) string {
		return escape(t.ReadFile(strings.Trim(m, "@")))
	}))
	return strings.TrimPrefix(path, "/hooks/"), d
}

// event returns what the delivery became: the one event that is new in the log; nil if there is none.
func (t *table) event() *schema.Event {
	var page struct{ Items []json.RawMessage }
	t.Check(json.Unmarshal(t.get(fmt.Sprintf("/api/v1/events?after_seq=%d", t.seq)), &page))
	if len(page.Items) == 0 {
		return nil
	}
	if len(page.Items) > 1 {
		t.Fatalf("one delivery became %d events", len(page.Items))
	}
	e, err := schema.Decode(page.Items[0])
	t.Check(err)
	t.seq++
	t.times = append(t.times, `"`+e.Time.String()+`"`, fmt.Sprintf(`"event %d"`, t.seq))
	return e
}

// envelope holds what every delivery's event has in common.
func (t *table) envelope(e *schema.Event, source string, d *provider.Delivery) {
	kind, _, _ := strings.Cut(source, "-")
	if e.Source != "/hooks/"+source || e.SpecVersion != "1.0" || e.DataContentType != "application/json" || e.ID == "" ||
		e.Data.Provider != kind || !strings.HasPrefix(e.Data.Decoder, kind+"/") {
		t.Fatalf("the envelope is %+v", e)
	}
	if e.Data.Original == nil || e.Data.Original.Method != d.Method {
		t.Fatalf("the delivery is stored as %+v", e.Data.Original)
	}
	text := string(t.get("/api/v1/events?subject=" + url.QueryEscape(e.NATSSubject())))
	if !strings.Contains(text, e.ID) {
		t.Fatalf("nobody who follows %s is told of event %s", e.NATSSubject(), e.ID)
	}
	for _, secret := range []string{testKey, testPassword, testToken, "CANARY"} {
		if strings.Contains(text, secret) {
			t.Fatalf("%s is stored: %s", secret, text)
		}
	}
}

// stored returns what redaction left of the body or the query of d; "" if it left all.
func stored(e *schema.Event, d *provider.Delivery) string {
	o := e.Data.Original
	switch {
	case o.Sealed != "" && len(o.Body)+len(o.BodyBase64)+len(o.Query) == 0:
		return "sealed"
	case o.Query != d.Query:
		return "?" + o.Query
	case len(o.Body) == 0:
		if text, _ := base64.StdEncoding.DecodeString(o.BodyBase64); string(text) != string(d.Body) {
			return string(text)
		}
		return ""
	}
	var is, was any
	if json.Unmarshal(o.Body, &is) == nil && json.Unmarshal(d.Body, &was) == nil && missing(is, was, "") == "" {
		return ""
	}
	return string(o.Body)
}

// rows returns the lines about those rows of a model that the event changed last.
func (t *table) rows(model string) (lines []string) {
	list := model[:strings.Index(model, "/{")]
	var page struct{ Items []map[string]any }
	t.Check(json.Unmarshal(t.get("/api/v1"+list+"?limit=1000"), &page))
	for _, item := range page.Items {
		if item["last_event_seq"] != float64(t.seq) {
			continue
		}
		path := regexp.MustCompile(`\{[a-z_]+\}`).ReplaceAllStringFunc(model, func(m string) string {
			return url.PathEscape(fmt.Sprint(item[strings.Trim(m, "{}")]))
		})
		t.shown(path, item)
		lines = append(lines, "= "+hashes.ReplaceAllString(path, "*")+" "+t.item(model, item))
	}
	slices.Sort(lines)
	return lines
}

// shown holds the API's answer for one row, and the row's page, to the item of its list.
func (t *table) shown(path string, item map[string]any) {
	var one map[string]any
	t.Check(json.Unmarshal(t.get("/api/v1"+path), &one))
	if list, many := one["validations"].([]any); many && one["id"] == nil { // a domain's, of one provider each
		one = list[0].(map[string]any)
	}
	if why := missing(one, item, path); why != "" {
		t.Fatalf("the list has more than the row: %s", why)
	}
	state, _ := item["state"].(string)
	t.shows(path, strings.ReplaceAll(state, "_", " "))
	for _, name := range []string{"checks", "reasons"} {
		said, _ := item[name].(map[string]any)
		for check, word := range said {
			kind, _, _ := strings.Cut(check, ":")
			t.shows(path, kind)
			t.shows(path, fmt.Sprint(word))
		}
	}
	for _, name := range []string{"common_name", "host", "reason", "issuer"} {
		if word, said := item[name].(string); said {
			t.shows(path, word)
		}
	}
}

// shows holds a page to the words on it, in whatever case.
func (t *table) shows(path, words string) {
	if !bytes.Contains(bytes.ToLower(t.get(path)), []byte(strings.ToLower(words))) {
		t.Fatalf("the page %s does not show %s", path, words)
	}
}

// hashes matches names that no two installations share: those of people, of keys and of fresh certificates.
var hashes = regexp.MustCompile(`\b[0-9a-f]{16,}\b`)

// unlisted names the members of an item that its path says, or that only count events.
var unlisted = []string{
	"provider", "first_event_at", "last_event_at", "last_event_seq", "event_count", "state_since", "checks_since",
}

// item writes the row as the table shows it: times of events name the event, and what each run makes up afresh is "*".
func (t *table) item(model string, item map[string]any) string {
	for name := range item {
		if slices.Contains(unlisted, name) || strings.Contains(model, "{"+name+"}") {
			delete(item, name)
		}
	}
	for _, name := range []string{"not_before", "not_after", "renew_from"} { // of a certificate that the script has made
		if item[name] != nil {
			item[name] = "*"
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	t.Check(enc.Encode(item))
	return hashes.ReplaceAllString(strings.NewReplacer(t.times...).Replace(strings.TrimSpace(b.String())), "*")
}

func (t *table) get(path string) []byte {
	status, body, err := fetch(t.world.web + path)
	t.Check(err)
	if status != http.StatusOK {
		t.Fatalf("%s answers %d: %s", path, status, body)
	}
	return body
}
