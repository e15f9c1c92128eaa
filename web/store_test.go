package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/people"
	"github.com/certtrail/certtrail/ingest/people/peopletest"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/projectionstest"
	"github.com/certtrail/certtrail/schema"
)

var now = time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)

func ago(d time.Duration) schema.Time { return schema.At(now.Add(-d)) }

func pago(d time.Duration) *schema.Time { t := ago(d); return &t }

const day = 24 * time.Hour

// keys holds the keys of all persons but gone, who was forgotten.
var keys = func() *peopletest.Keys {
	k := &peopletest.Keys{}
	k.Destroy(gone)
	return k
}()

// storeOptions returns the options of the read models of a log in that folder.
func storeOptions(dir string, l *projectionstest.Log) projections.Options {
	return projections.Options{Dir: dir, Log: l, Aside: l, Logger: slog.New(slog.DiscardHandler), Open: func(e *schema.Event) { people.OpenPerson(keys, e) }}
}

// run opens read models, and lets them follow their log until stop is called; they can be read until the test ends.
func run(t testing.TB, o projections.Options) (s *projections.Store, stop func()) {
	t.Helper()
	s, err := projections.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	stop = func() { cancel(); <-ended }
	t.Cleanup(func() { stop(); s.Close() })
	return s, stop
}

// openStore returns the read models of a log once they hold it.
func openStore(t testing.TB, l *projectionstest.Log, change ...func(*projections.Options)) *projections.Store {
	t.Helper()
	o := storeOptions(t.TempDir(), l)
	for _, c := range change {
		c(&o)
	}
	s, _ := run(t, o)
	caughtUp(t, s)
	return s
}

// frozen returns the read models of what the story says as a database that nothing changes any more, and its last
// event.
func frozen(t testing.TB, w *story) (*projections.Store, uint64) {
	t.Helper()
	o := storeOptions(t.TempDir(), projectionstest.NewLog(w.events...))
	live, stop := run(t, o)
	caughtUp(t, live)
	stop()
	live.Close()
	name, err := os.ReadFile(filepath.Join(o.Dir, "current"))
	if err != nil {
		t.Fatal(err)
	}
	still, seq, _, err := projections.OpenReadOnly(filepath.Join(o.Dir, strings.TrimSpace(string(name))), o.Logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(still.Close)
	return still, seq
}

// caughtUp waits until the read models hold the whole log.
func caughtUp(t testing.TB, s *projections.Store) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		status, _, err := s.Status(context.Background())
		if err == nil && status[0].Lag == 0 && status[0].State == projections.StateLive {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the read models do not catch up: %+v %v", status, err)
		}
		<-time.After(time.Millisecond)
	}
}

// empty returns a log without events and its read models.
func empty(t testing.TB) (*projections.Store, *projectionstest.Log) {
	t.Helper()
	l := projectionstest.NewLog()
	return openStore(t, l), l
}

// record appends what the story says to the log, and waits until the read models hold it.
func record(t testing.TB, s *projections.Store, l *projectionstest.Log, w *story) {
	t.Helper()
	l.Append(w.events...)
	w.events = nil
	caughtUp(t, s)
}

// storeOf returns the read models of a log that holds what the story says.
func storeOf(t testing.TB, w *story) (*projections.Store, *projectionstest.Log) {
	t.Helper()
	l := projectionstest.NewLog(w.events...)
	w.events = nil
	return openStore(t, l), l
}

// story collects what providers say, one event after another. Every text in it goes through s.
type story struct {
	s      func(string) string
	events []*schema.Event
	ids    int
}

func plain(s string) string { return s }

// say adds an event that was received so long ago.
func (w *story) say(provider string, age time.Duration, kind schema.Kind, d schema.Data) {
	d.Provider, d.Decoder = provider, provider+"/1"
	if d.Event == "" {
		d.Event = w.s(string(kind))
	}
	if d.Original == nil {
		d.Original = w.original()
	}
	w.events = append(w.events, schema.New(w.id(), "/hooks/"+provider, ago(age), kind, d))
}

// sayOf adds an event about a person of that name, which is sealed.
func (w *story) sayOf(provider, name string, age time.Duration, kind schema.Kind, u schema.User) {
	d, id := schema.Data{Provider: provider, Decoder: provider + "/1", Event: string(kind), User: &u}, w.id()
	if err := people.SealPerson(keys, id, name, &d, w.original()); err != nil {
		panic(err)
	}
	w.events = append(w.events, schema.New(id, "/hooks/"+provider, ago(age), kind, d))
}

func (w *story) id() string {
	w.ids++
	return fmt.Sprintf("0193-%p-%d", w, w.ids)
}

func (w *story) original() *schema.Original {
	event, err := json.Marshal(w.s("e"))
	if err != nil {
		panic(err)
	}
	return original(`{"event":` + string(event) + `,"data":{"order_id":12345,"certificate_id":23456}}`)
}

func original(body string) *schema.Original {
	return &schema.Original{Method: "POST", Headers: map[string]string{"content-type": "application/json", "x-webhook-key": "[redacted]"}, Body: json.RawMessage(body)}
}

// named returns the certificate of an order's names.
func named(cn string, names ...string) *schema.Certificate {
	return &schema.Certificate{CommonName: cn, DNSNames: names}
}
