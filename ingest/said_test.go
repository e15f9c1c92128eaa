package ingest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/defguard"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/ingest/sectigo"
	"github.com/certtrail/certtrail/ingest/xolphin"
	"github.com/certtrail/certtrail/schema"
)

// takesAll takes everything, as a log.
type takesAll struct{}

func (takesAll) Append(context.Context, *schema.Event) (uint64, error) { return 1, nil }

// answered sends d to a handler that serves s, and gives the answer and what the handler logged.
func answered(s *Source, d *provider.Delivery) (*httptest.ResponseRecorder, string) {
	var logged bytes.Buffer
	h := New(Options{Sources: []*Source{s}, Log: takesAll{}, Keys: persons, Now: time.Now, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	s.Provider.(provider.Sender).Sign(d)
	r := httptest.NewRequest(d.Method, Path(s.Name, provider.Feed{Name: d.Feed, Token: d.Token != ""}, d.Token)+"?"+d.Query, bytes.NewReader(d.Body))
	r.Header = http.Header(d.Header)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w, logged.String()
}

// TestNothingOfAPersonIsLogged: why a delivery was not understood is logged and answered in the words that are stored.
func TestNothingOfAPersonIsLogged(t *testing.T) {
	for _, c := range []struct {
		system provider.System
		d      provider.Delivery
		status int
	}{
		{sectigo.System, provider.Delivery{Method: "POST", Body: []byte(`{"event":"canary@example.test"}`)}, 200},
		{xolphin.System, provider.Delivery{Method: "GET", Query: "RequestId=1&Status=canary%40example.test"}, 200},
		{xolphin.System, provider.Delivery{Method: "GET", Query: "RequestId=1&Status=Updated&State=DCV&Domain=canary%40example.test"}, 400},
		{defguard.System, provider.Delivery{Method: "POST", Header: map[string][]string{"X-Defguard-Event": {"canary@example.test"}}, Body: []byte(`{"username":"canary"}`)}, 200},
	} {
		w, logged := answered(source(c.system, c.system.Kind), &c.d)
		if w.Code != c.status || !strings.Contains(logged, "quarantine") {
			t.Errorf("%s: answered %d, want %d; logged %s", c.d.Query, w.Code, c.status, logged)
		}
		if strings.Contains(logged, "canary") || strings.Contains(w.Body.String(), "canary") {
			t.Errorf("logged %sanswered %s", logged, w.Body)
		}
	}
}

// TestRefusalsAreLogged: why a delivery was refused, and whose it was, behind a proxy too; a token in the path is not
// said.
func TestRefusalsAreLogged(t *testing.T) {
	for name, c := range map[string]struct {
		source *Source
		method string
		path   string
		status int
		logged string
	}{
		"a wrong token":  {source(xolphin.System, "xolphin"), "GET", "/hooks/xolphin/canary-0123456789", 404, `status=404 reason="wrong credentials"`},
		"a wrong method": {source(xolphin.System, "xolphin"), "POST", "/hooks/xolphin/canary-0123456789", 405, `reason="wrong method"`},
		"too large":      {source(xolphin.System, "xolphin"), "GET", "/hooks/xolphin/" + credential("token"), 413, `reason="too large"`},
		"no credentials": {source(defguard.System, "defguard"), "POST", "/hooks/defguard", 401, `reason="wrong credentials"`},
	} {
		var logged bytes.Buffer
		h := New(Options{
			Sources: []*Source{c.source}, Log: takesAll{}, Now: time.Now, Logger: slog.New(slog.NewTextHandler(&logged, nil)),
			MaxBody: 3, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, // which httptest's requests come from
		})
		r := httptest.NewRequest(c.method, c.path, strings.NewReader("more than that"))
		r.Header.Set("X-Forwarded-For", "203.0.113.7")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		text := logged.String()
		if w.Code != c.status || !strings.Contains(text, c.logged) || !strings.Contains(text, "client=203.0.113.7") {
			t.Errorf("%s: answered %d, want %d; logged %q", name, w.Code, c.status, text)
		}
		if strings.Contains(text, "canary") || strings.Contains(text, credential("token")) {
			t.Errorf("%s: the token stands in %q", name, text)
		}
	}
}
