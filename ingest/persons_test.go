package ingest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/defguard"
	"github.com/certtrail/certtrail/ingest/digicert"
	"github.com/certtrail/certtrail/ingest/people"
	"github.com/certtrail/certtrail/ingest/people/peopletest"
	"github.com/certtrail/certtrail/ingest/probely"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// kept keeps a log in memory.
type kept struct {
	mu     sync.Mutex
	events []*schema.Event
}

func (k *kept) Append(_ context.Context, e *schema.Event) (uint64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, e)
	return uint64(len(k.events)), nil
}

func edge(log Log, keys people.Keys, sources ...*Source) *Handler {
	return New(Options{Sources: sources, Log: log, Keys: keys, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
}

// TestBodyOfAGet: servers of Defguard before v0.8.0 send their body with a GET, with and without its length.
func TestBodyOfAGet(t *testing.T) {
	for _, length := range []bool{true, false} {
		log := &kept{}
		h := edge(log, persons, source(defguard.System, "defguard"))
		var body io.Reader = strings.NewReader(`{"username":"jdoe"}`)
		if !length {
			body = io.MultiReader(body) // of which net/http cannot tell the length
		}
		r := httptest.NewRequest("GET", "/hooks/defguard", body)
		r.Header.Set("Authorization", "Bearer "+credential("token"))
		r.Header.Set("X-Defguard-Event", "user_deleted")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != 200 || len(log.events) != 1 || log.events[0].Kind() != schema.UserDeleted {
			t.Errorf("with a length %v: %d %s, events %v", length, w.Code, w.Body, log.events)
		}
	}
}

// noKeys behaves like a store that cannot keep any key.
type noKeys struct{ peopletest.Keys }

func (*noKeys) Make(string) ([]byte, error) { return nil, errors.New("the disk is full") }

// TestWithoutKeysNobodyIsStored: what cannot be sealed is not taken.
func TestWithoutKeysNobodyIsStored(t *testing.T) {
	for name, keys := range map[string]people.Keys{"none": nil, "a full disk": &noKeys{}} {
		for body, event := range map[string]string{`{"username":"jdoe"}`: "user_created", `{"username":"jane"}`: "", `jdoe`: "user_keys"} {
			log := &kept{}
			s := source(defguard.System, "defguard")
			h := edge(log, keys, s, source(digicert.System, "digicert"))
			r := httptest.NewRequest("POST", "/hooks/defguard", strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+credential("token"))
			r.Header.Set("X-Defguard-Event", event)
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != 503 || len(log.events) != 0 || s.Counts().Lost != 1 {
				t.Errorf("%s: %d %s, events %v, counts %+v", name, w.Code, w.Body, log.events, s.Counts())
			}
			r = httptest.NewRequest("POST", "/hooks/digicert", strings.NewReader(`{"event":"test_webhook_endpoint"}`))
			r.Header.Set("X-Webhook-Key", credential("webhook-key"))
			w = httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != 200 || len(log.events) != 1 {
				t.Errorf("%s: what is about nobody is answered %d %s", name, w.Code, w.Body)
			}
		}
	}
}

func TestEventIDs(t *testing.T) {
	body := func(id string) *provider.Delivery {
		return &provider.Delivery{Method: "POST", Body: []byte(`{"id":` + id + `,"event_type":"scan_failed","content":{"id":"s"}}`)}
	}
	for id, want := range map[string]string{`"2LByjGetTqcN"`: "probely-eu:2LByjGetTqcN", `7`: "probely-eu:7", `"a:b/c\r\nd"`: "probely-eu:a%3Ab%2Fc%0D%0Ad"} {
		e := received(t, source(probely.System, "probely-eu"), body(id))
		if e.ID != want || !e.TrulyIdentified() {
			t.Errorf("%s: the event is %s, want %s", id, e.ID, want)
		}
	}
	for _, id := range []string{`null`, `""`, `" "`, `{}`} {
		if e := received(t, source(probely.System, "probely"), body(id)); e.TrulyIdentified() || e.Kind() != schema.ScanFailed {
			t.Errorf("%s: the event is %s, %s", id, e.ID, e.Type)
		}
	}
}

// TestForgottenIsLeftAlone: without its key an event stays what it is, and so does one of which only the key of its
// person is unknown here.
func TestForgottenIsLeftAlone(t *testing.T) {
	keys := &peopletest.Keys{}
	older := func(d *provider.Delivery) *schema.Event {
		e := received(t, source(defguard.System, "defguard"), d)
		e.Data.Decoder = "defguard/0"
		return e
	}
	jane := &provider.Delivery{Method: "POST", Header: map[string][]string{"X-Defguard-Event": {"user_created"}}, Body: []byte(`{"username":"jane","email":"jane@example.test"}`)}
	nobody := &provider.Delivery{Method: "POST", Body: []byte(`{"username":"jane","email":"jane@example.test"}`)}
	for _, d := range []*provider.Delivery{jane, nobody} {
		e := older(d)
		again := NewRedecoder(systems, nil).WithKeys(keys).Redecode(e)
		if again == e || again.Data.Decoder != "defguard/1" || again.Data.UserID != e.Data.UserID || again.Data.Original != e.Data.Original {
			t.Errorf("%s becomes %s", wire(t, e), wire(t, again))
		}
		if again := NewRedecoder(systems, nil).Redecode(e); again != e {
			t.Errorf("without keys it becomes %s", wire(t, again))
		}
		gone := &peopletest.Keys{}
		gone.Destroy(e.Data.UserID)
		if again := NewRedecoder(systems, nil).WithKeys(gone).Redecode(e); again != e {
			t.Errorf("forgotten, it becomes %s", wire(t, again))
		}
	}
}
