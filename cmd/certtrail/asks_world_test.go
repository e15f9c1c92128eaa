package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/demo"
	"github.com/certtrail/certtrail/ingest/provider"
)

const testAPIKey = "test-api-key-0123456789abcdef"

// certCentral plays DigiCert as its documented API shows it: orders with their certificates, and one webhook. It fails
// the test on any call that no page of the reference has, or without the key.
type certCentral struct {
	t      *testing.T
	server *httptest.Server
	ca     *demo.Authority

	mu      sync.Mutex
	orders  map[string]*centralOrder
	changed []string // orders, in the order of their last change
	calls   map[string]int
	broken  func(w http.ResponseWriter) bool // answers instead; nil: nothing does
	webhook map[string]any                   // nil: there is none
	token   string                           // of the last challenge; "" once it was checked
	send    func(body string) int            // delivers to the endpoint, and is its status
}

type centralOrder struct {
	id, certificate, status, name string
	validation                    string // of the organization
}

func newCertCentral(t *testing.T) *certCentral {
	ca, err := demo.NewAuthority("Central Test CA", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c := &certCentral{t: t, ca: ca, orders: map[string]*centralOrder{}, calls: map[string]int{}}
	c.server = httptest.NewServer(c)
	t.Cleanup(c.server.Close)
	return c
}

// settings returns those of a server that asks it.
func (c *certCentral) settings() []string {
	return []string{"--digicert-api-key", testAPIKey, "--digicert-api-url", c.server.URL + "/services/v2"}
}

// set makes or changes an order.
func (c *certCentral) set(o centralOrder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.orders[o.id] = &o
	rest := c.changed[:0]
	for _, id := range c.changed {
		if id != o.id {
			rest = append(rest, id)
		}
	}
	c.changed = append(rest, o.id)
}

// breaks has every call answered by f; nil mends it.
func (c *certCentral) breaks(f func(w http.ResponseWriter) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = f
}

// called counts the calls of the path.
func (c *certCentral) called(path string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[path]
}

func (c *certCentral) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Dc-Devkey") != testAPIKey {
		c.t.Errorf("%s %s without the key", r.Method, r.URL)
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/services/v2/")
	body, err := io.ReadAll(r.Body)
	if !ok || err != nil {
		c.t.Errorf("%s %s (%v)", r.Method, r.URL, err)
	}
	c.mu.Lock()
	c.calls[path]++
	broken := c.broken
	c.mu.Unlock()
	if broken != nil && broken(w) {
		return
	}
	if rest, ok := strings.CutPrefix(path, "webhook"); ok {
		c.webhooks(w, r.Method, strings.TrimPrefix(rest, "/"), body)
		return
	}
	wellAsked := r.URL.RawQuery == ""
	if path == "order/certificate/status-changes" {
		from, to, _ := strings.Cut(r.URL.Query().Get("filters[status_last_updated]"), "...")
		first, errFrom := time.Parse(time.DateOnly, from)
		last, errTo := time.Parse(time.DateOnly, to)
		minutes, _ := strconv.Atoi(r.URL.Query().Get("minutes"))
		// Seven days at most, named by their dates, both included, or as minutes back from now.
		wellAsked = errFrom == nil && errTo == nil && last.Sub(first) < 7*demo.Day || 0 < minutes && minutes <= 7*24*60
	}
	if r.Method != http.MethodGet || len(body) > 0 || !wellAsked {
		c.t.Errorf("%s %s with %d bytes is no call of the reference", r.Method, r.URL, len(body))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	rest, isOrder := strings.CutPrefix(path, "order/certificate/")
	id, validation := strings.CutSuffix(rest, "/validation")
	o := c.orders[id]
	switch {
	case path == "order/certificate/status-changes":
		c.statusChanges(w)
	case isOrder && validation && o != nil:
		answerJSON(w, map[string]any{"order_id": o.id, "organization_validations": []any{map[string]any{"status": o.validation}}, "dns_name_validations": []any{
			map[string]any{"name_scope": o.name, "status": "pending", "dns_names": []string{o.name}}}})
	case isOrder && o != nil:
		answerJSON(w, map[string]any{"id": numeral(o.id), "status": o.status, "certificate": map[string]any{"id": numeral(o.certificate), "common_name": o.name, "dns_names": []string{o.name}}})
	default:
		c.certificate(w, r, path)
	}
}

func (c *certCentral) statusChanges(w http.ResponseWriter) {
	list := []any{}
	for _, id := range c.changed {
		o := c.orders[id]
		list = append(list, map[string]any{"order_id": numeral(o.id), "certificate_id": numeral(o.certificate), "status": o.status})
	}
	answerJSON(w, map[string]any{"orders": list})
}

// certificate hands out a certificate by its number.
func (c *certCentral) certificate(w http.ResponseWriter, r *http.Request, path string) {
	id, ok := strings.CutSuffix(strings.TrimPrefix(path, "certificate/"), "/download/format/pem_all")
	for _, o := range c.orders {
		if ok && o.certificate == id {
			pem, err := c.ca.Issue(time.Now().Add(-time.Hour), time.Now().Add(198*demo.Day), o.name)
			if err != nil {
				c.t.Error(err)
			}
			w.Header().Set("Content-Type", "application/x-pem-file")
			io.WriteString(w, pem)
			return
		}
	}
	c.t.Errorf("%s %s is no call that the test knows", r.Method, r.URL)
	w.WriteHeader(http.StatusNotFound)
}

// webhooks answers the calls about the webhook, as the pages from "Create webhook" to "Webhook event logs" have them.
func (c *certCentral) webhooks(w http.ResponseWriter, method, path string, body []byte) {
	var in struct {
		Endpoint, Secret, Token string
		Events                  []string
		Settings                map[string]any `json:"webhook_settings"`
	}
	_ = json.Unmarshal(body, &in)
	c.mu.Lock()
	defer c.mu.Unlock()
	refuse := func(code string) {
		w.WriteHeader(http.StatusBadRequest)
		answerJSON(w, map[string]any{"errors": []any{map[string]any{"code": code, "message": code}}})
	}
	switch method + " " + path {
	case "POST ":
		if c.webhook != nil {
			refuse("webhook_configured_already")
			return
		}
		c.webhook = map[string]any{"id": 1234, "endpoint": in.Endpoint, "secret": in.Secret, "events": in.Events, "status": "pending", "webhook_settings": in.Settings}
		w.WriteHeader(http.StatusCreated)
		answerJSON(w, map[string]any{"webhook_id": 1234})
	case "GET ":
		if c.webhook == nil {
			refuse("webhook_invalid_account")
			return
		}
		answerJSON(w, map[string]any{"webhooks": []any{c.webhook}})
	case "POST test-endpoint":
		if c.deliver(`{"event":"test_webhook_endpoint"}`) != http.StatusOK {
			refuse("webhook_endpoint_error")
		}
	case "PUT 1234/send-challenge":
		c.token = fmt.Sprintf("CANARY-TOKEN-%d", time.Now().UnixNano())
		c.deliver(fmt.Sprintf(`{"event":"challenge_webhook_endpoint","data":{"token":%q,"webhook_id":1234}}`, c.token))
		w.WriteHeader(http.StatusNoContent)
	case "PUT 1234/check-challenge":
		if in.Token == "" || in.Token != c.token {
			refuse("webhook_invalid_token")
			return
		}
		c.token, c.webhook["checked"] = "", true
		w.WriteHeader(http.StatusNoContent)
	case "PUT 1234/activate":
		if c.webhook["checked"] != true {
			refuse("webhook_invalid_action")
			return
		}
		c.webhook["status"] = "active"
		w.WriteHeader(http.StatusNoContent)
	case "PUT 1234":
		c.webhook["events"] = in.Events
		w.WriteHeader(http.StatusNoContent)
	case "PUT 1234/deactivate":
		c.webhook["status"] = "inactive"
		w.WriteHeader(http.StatusNoContent)
	case "GET 1234/event-logs":
		answerJSON(w, map[string]any{"events": []any{map[string]any{"event_name": "test_webhook_endpoint", "request_status": "success", "response_code": 200,
			"request_sent_time": "2026-11-21T18:38:35"}}, "page": map[string]any{"total": 1, "limit": 1000, "offset": 0}})
	default:
		c.t.Errorf("%s webhook/%s is no call of the reference", method, path)
	}
}

// deliver sends body to the endpoint, without holding up calls that follow from it.
func (c *certCentral) deliver(body string) int {
	c.mu.Unlock()
	defer c.mu.Lock()
	return c.send(body)
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func numeral(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// asking starts a server that asks c.
func (c *certCentral) begin(dir string, args ...string) *world {
	c.t.Helper()
	args = append(append([]string{"--data-dir", filepath.Join(dir, "data")}, c.settings()...), args...)
	w, err := launch(dir, append(os.Environ(), testEnvironment()...), args...)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(w.end)
	return w
}

// hook delivers body to the server's endpoint for DigiCert, which must take it.
func (w *world) hook(t *testing.T, body string) {
	t.Helper()
	d := &provider.Delivery{Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(body)}
	if status, answer, err := w.deliver("digicert", d); err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s (%v)", body, status, answer, err)
	}
}

// until waits until the JSON at path of the API satisfies ok.
func (w *world) until(t *testing.T, path string, ok func(body map[string]any) bool) {
	t.Helper()
	w.await(t, path+" does not become what it should", func() bool {
		var v map[string]any
		_, body, err := fetch(w.web + "/api/v1" + path)
		return err == nil && json.Unmarshal(body, &v) == nil && ok(v)
	})
}

// await waits for a condition.
func (w *world) await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s\n%s", what, w.log.String())
		}
	}
}
