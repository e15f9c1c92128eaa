package ingesttest

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Call holds one call that an API expects, to the letter, and its answer.
type Call struct {
	Method, Path string            // "GET", "/services/v2/webhook": the path as sent, escapes included
	Query        string            // the decoded pairs, sorted by name: "limit=1000&offset=0"
	Header       map[string]string // beside those that any client sends; none is missing, and none is more
	Body         string            // JSON, in any spelling; "" is none

	Status int // 200 where it is 0
	Answer string
	Type   string // the answer's content type; JSON where it is empty
}

// clientHeaders lists the headers that any client sends of itself.
var clientHeaders = []string{"Accept-Encoding", "Content-Length", "User-Agent", "Connection"}

// API serves just these calls in this order, and fails t on any other, and on those that do not come.
func API(t testing.TB, calls ...Call) *httptest.Server {
	t.Helper()
	var mu sync.Mutex
	next := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if next == len(calls) {
			t.Errorf("a call too many: %s %s", r.Method, r.URL)
			http.Error(w, "a call too many", http.StatusTeapot)
			return
		}
		call := calls[next]
		next++
		if wrong := call.differs(r); len(wrong) > 0 {
			t.Errorf("call %d: %s", next, strings.Join(wrong, "; "))
			http.Error(w, "another call", http.StatusTeapot)
			return
		}
		if call.Type == "" {
			call.Type = "application/json"
		}
		w.Header().Set("Content-Type", call.Type)
		if call.Status == 0 {
			call.Status = http.StatusOK
		}
		w.WriteHeader(call.Status)
		_, _ = io.WriteString(w, call.Answer) // a client that has gone is the test's own doing
	}))
	t.Cleanup(func() {
		server.Close()
		mu.Lock()
		defer mu.Unlock()
		if next < len(calls) {
			t.Errorf("%d calls were made, want %d: next is %s %s", next, len(calls), calls[next].Method, calls[next].Path)
		}
	})
	return server
}

// differs returns what of r is not as the call should be.
func (c Call) differs(r *http.Request) []string {
	var wrong []string
	differ := func(what, got, want string) {
		if got != want {
			wrong = append(wrong, what+" "+got+", want "+want)
		}
	}
	differ("method", r.Method, c.Method)
	differ("path", r.URL.EscapedPath(), c.Path)
	differ("query", pairs(r.URL.Query()), c.Query)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if _, expected := c.Header[name]; !expected && !slices.Contains(clientHeaders, name) {
			wrong = append(wrong, "header "+name+": "+r.Header.Get(name)+", want none")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		differ("header "+name+":", strings.Join(r.Header.Values(name), ", "), c.Header[name])
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return append(wrong, "its body broke off")
	}
	if !sameJSON(string(body), c.Body) {
		differ("body", string(body), c.Body)
	}
	return wrong
}

func pairs(query map[string][]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, value := range query[name] {
			list = append(list, name+"="+value)
		}
	}
	return strings.Join(list, "&")
}

func sameJSON(a, b string) bool {
	var va, vb any
	if json.Unmarshal([]byte(a), &va) != nil || json.Unmarshal([]byte(b), &vb) != nil {
		return a == b
	}
	return reflect.DeepEqual(va, vb)
}
