package ingest

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/ingest/defguard"
	"github.com/certtrail/certtrail/ingest/digicert"
	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/ingest/people/peopletest"
	"github.com/certtrail/certtrail/ingest/probely"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/ingest/redact"
	"github.com/certtrail/certtrail/ingest/sectigo"
	"github.com/certtrail/certtrail/ingest/xolphin"
	"github.com/certtrail/certtrail/schema"
)

var systems = []provider.System{digicert.System, sectigo.System, xolphin.System, defguard.System, probely.System}

// persons holds the keys of everybody in these tests.
var persons = &peopletest.Keys{}

// credential makes a setting's value, long enough to be searched for in what is stored.
func credential(setting string) string { return "a-" + setting + "-of-at-least-32-characters" }

// source makes a source of the system as the endpoints have it.
func source(system provider.System, name string) *Source {
	s := &Source{Name: name, Provider: system.New(credential)}
	for _, setting := range system.Settings {
		if setting.Credential {
			s.Secrets = append(s.Secrets, credential(setting.Name))
		}
	}
	return s
}

// received makes the event of a delivery, as it is read from the log.
func received(t testing.TB, s *Source, d *provider.Delivery) *schema.Event {
	t.Helper()
	s.redactor = redact.New(s.Secrets)
	e, _, err := (&Handler{o: Options{Keys: persons}}).event(s, provider.Feed{Name: d.Feed}, d, time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return logged(t, e)
}

func logged(t testing.TB, e *schema.Event) *schema.Event {
	t.Helper()
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := schema.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// wire writes e as JSON with its members in order.
func wire(t testing.TB, e *schema.Event) string {
	t.Helper()
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(b, &members); err != nil {
		t.Fatal(err)
	}
	return ingesttest.JSON(t, members)
}

// deliveries returns all that is known of what providers send: the samples, signed, and the golden deliveries, by a
// name.
func deliveries(t testing.TB, system provider.System) map[string]*provider.Delivery {
	t.Helper()
	all := map[string]*provider.Delivery{}
	for _, sample := range system.Samples {
		d := sample.Build(maps.Clone(sample.Params))
		system.New(credential).(provider.Sender).Sign(d)
		all["sample "+sample.Event] = d
	}
	files, err := filepath.Glob(filepath.Join(system.Kind, "testdata", "*.http"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden deliveries of %s: %v", system.Kind, err)
	}
	for _, file := range files {
		all[filepath.Base(file)] = ingesttest.ReadRequest(t, file)
	}
	return all
}

// TestRedecodeIsWhatWasReceived: the decoder of today reads from what is stored exactly what it read from what came,
// and what a version before read the same way is as if today's had read it.
func TestRedecodeIsWhatWasReceived(t *testing.T) {
	for _, system := range systems {
		r := NewRedecoder(systems, map[string]string{"one-more": system.Kind}).WithKeys(persons)
		for _, name := range []string{system.Kind, "one-more", "no-longer-there"} {
			s := source(system, name)
			for of, d := range deliveries(t, system) {
				e := received(t, s, d)
				if again := r.Redecode(e); again != e {
					t.Errorf("%s of %s: %s\nbecomes %s", of, name, wire(t, e), wire(t, again))
				}
				older := *e
				older.Data.Decoder = system.Kind + "/0"
				if again := r.Redecode(logged(t, &older)); wire(t, again) != wire(t, e) {
					t.Errorf("%s of %s, read by an older decoder: becomes %s\nwant %s", of, name, wire(t, again), wire(t, e))
				}
			}
		}
	}
}

// TestRedecodeGivesMeaning: an event that was not understood, or that an older decoder read, becomes what its delivery
// means today.
func TestRedecodeGivesMeaning(t *testing.T) {
	r := NewRedecoder(systems, nil).WithKeys(persons)
	understoodAny := false
	for _, system := range systems {
		s := source(system, system.Kind)
		for of, d := range deliveries(t, system) {
			want := received(t, s, d)
			if !understood(want.Kind()) {
				continue
			}
			understoodAny = true
			old := schema.Data{Provider: s.Name, Event: "once", Decoder: system.Kind + "/0", Original: want.Data.Original}
			quarantined, misread, failed := old, old, old
			quarantined.Reason = "The event is documented nowhere."
			misread.OrderID, misread.Check, misread.CheckState = "1", schema.CheckCSR, schema.CheckFailed
			failed.Decoder, failed.Event = "", "" // the decoder panicked
			for was, e := range map[string]*schema.Event{
				"quarantined": schema.New(want.ID, want.Source, want.Time, schema.DeliveryUnrecognized, quarantined),
				"panicked":    schema.New(want.ID, want.Source, want.Time, schema.DeliveryUnrecognized, failed),
				"misread":     schema.New(want.ID, want.Source, want.Time, schema.OrderCheckFailed, misread),
			} {
				before := wire(t, e)
				if got := wire(t, r.Redecode(logged(t, e))); got != wire(t, want) {
					t.Errorf("%s, %s: becomes %s\nwant %s", of, was, got, wire(t, want))
				}
				if wire(t, e) != before {
					t.Errorf("%s, %s: the event itself was changed", of, was)
				}
			}
		}
	}
	if !understoodAny {
		t.Error("nothing was tried")
	}
}

func TestRedecodeLeavesTheRest(t *testing.T) {
	r := NewRedecoder(systems, map[string]string{"eu": "digicert", "odd": "nobody"}).WithKeys(persons)
	original := &schema.Original{Method: "POST", Body: []byte(`{"event":"order_rejected","data":{"order_id":5}}`)}
	data := func(change func(*schema.Data)) schema.Data {
		d := schema.Data{Provider: "digicert", Event: "e", Decoder: "digicert/0", Original: original}
		change(&d)
		return d
	}
	same := func(*schema.Data) {}
	for name, c := range map[string]struct {
		source string
		data   schema.Data
		anew   bool
	}{
		"a hook's":             {"/hooks/digicert", data(same), true},
		"of another source":    {"/hooks/eu", data(func(d *schema.Data) { d.Provider = "eu" }), true},
		"by a configured kind": {"/hooks/eu", data(func(d *schema.Data) { d.Provider, d.Decoder = "eu", "" }), true},
		"the clock's":          {schema.ClockSource, data(same), false},
		"asked for":            {"/ask/digicert", data(same), false},
		"a decision":           {"/attention", data(same), false},
		"of another feed":      {"/hooks/digicert-push", data(same), false},
		"of a longer name":     {"/hooks/digicerts", data(same), false},
		"of an empty feed":     {"/hooks/digicert-", data(same), false},
		"of another path":      {"/hooks/eu", data(same), false},
		"without a provider":   {"/hooks/", data(func(d *schema.Data) { d.Provider = "" }), false},
		"without an original":  {"/hooks/digicert", data(func(d *schema.Data) { d.Original = nil }), false},
		"of an unknown kind":   {"/hooks/x", data(func(d *schema.Data) { d.Provider, d.Decoder = "x", "x/1" }), false},
		"of a kind that went":  {"/hooks/odd", data(func(d *schema.Data) { d.Provider, d.Decoder = "odd", "" }), false},
		"of a newer decoder":   {"/hooks/digicert", data(func(d *schema.Data) { d.Decoder = "digicert/999" }), false},
		"not base64":           {"/hooks/digicert", data(func(d *schema.Data) { d.Original = &schema.Original{BodyBase64: "?"} }), false},
	} {
		e := schema.New("7", c.source, schema.Time{}, "order.updated", c.data)
		again := r.Redecode(e)
		if (again != e) != c.anew {
			t.Errorf("%s: anew is %v, want %v", name, again != e, c.anew)
		}
		if c.anew && (again.Kind() != schema.OrderRejected || again.Data.OrderID != "5" || again.Data.Provider != c.data.Provider || again.Source != c.source || again.Data.Original != original) {
			t.Errorf("%s: became %+v", name, again)
		}
	}
	quarantined := schema.New("7", "/hooks/digicert", schema.Time{}, schema.DeliveryUnrecognized, data(func(d *schema.Data) { d.Decoder = "digicert/999" }))
	if again := r.Redecode(quarantined); again.Kind() != schema.OrderRejected {
		t.Errorf("what a newer decoder did not understand stays %s", again.Kind())
	}
}

func TestRedecodeKeepsTheOccurrence(t *testing.T) {
	const before = `{"specversion":"1.0","id":"probely:7","source":"/hooks/digicert-eu","type":"certtrail.delivery.unrecognized.v1","subject":"delivery/digicert-eu/7","time":"2026-11-21T22:00:00.123Z",` +
		`"certtrailimported":"from elsewhere","traceparent":"00-1","data":{"provider":"digicert-eu","event":"x","decoder":"digicert/1","reason":"Why not.","new":{"a":1},` +
		`"original":{"method":"POST","query":"","headers":{"x-webhook-key":"[redacted]"},"body":{"event":"order_rejected","data":{"order_id":771001}}}}}`
	const want = `{"specversion":"1.0","id":"probely:7","source":"/hooks/digicert-eu","type":"certtrail.order.rejected.v1","subject":"order/digicert-eu/771001","time":"2026-11-21T22:00:00.123Z",` +
		`"certtrailimported":"from elsewhere","traceparent":"00-1","data":{"provider":"digicert-eu","event":"order_rejected","decoder":"digicert/1","order_id":"771001","new":{"a":1},` +
		`"original":{"method":"POST","query":"","headers":{"x-webhook-key":"[redacted]"},"body":{"event":"order_rejected","data":{"order_id":771001}}}}}`
	e, err := schema.Decode([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	again := NewRedecoder(systems, nil).WithKeys(persons).Redecode(e)
	wanted, err := schema.Decode([]byte(want))
	if err != nil {
		t.Fatal(err)
	}
	if got := wire(t, again); got != wire(t, wanted) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := again.NATSSubject(); got != "certs.order.rejected.digicert-eu.771001" {
		t.Errorf("its subject is %s", got)
	}
}

// junk makes a delivery of no documented shape, or a documented one with changes, to any source; more may stand in it.
func junk(t *rapid.T, all []*provider.Delivery, more ...string) *provider.Delivery {
	d := *rapid.SampledFrom(all).Draw(t, "delivery")
	parts := []string{"token=x", `"password":"x"`, "jane@example.test", "\xff", "\u2026@x", "[redacted]", " pin: failed ", "%zz", "12345678", `"`, "&", "{", "}", "event", "order_id", "issued", ":", ","}
	parts = append(parts, more...)
	spoil := func(s, label string) string {
		for range rapid.IntRange(0, 3).Draw(t, label) {
			at, part := rapid.IntRange(0, len(s)).Draw(t, "at"), rapid.SampledFrom(parts).Draw(t, "part")
			end := min(len(s), at+rapid.IntRange(0, 12).Draw(t, "cut"))
			s = s[:at] + part + s[end:]
		}
		return s
	}
	d.Body, d.Query = []byte(spoil(string(d.Body), "body")), spoil(d.Query, "query")
	return &d
}

// TestRedecodeOfJunk: whatever comes, the decoder that read it reads the same in what is stored, and so does the next
// version of it.
func TestRedecodeOfJunk(t *testing.T) {
	r := NewRedecoder(systems, nil).WithKeys(persons)
	for _, system := range systems {
		known := deliveries(t, system)
		var all []*provider.Delivery
		for _, name := range slices.Sorted(maps.Keys(known)) {
			all = append(all, known[name])
		}
		s := source(system, system.Kind)
		rapid.Check(t, func(rt *rapid.T) {
			d := junk(rt, all, s.Secrets...)
			e := received(t, s, d)
			if again := r.Redecode(e); again != e {
				rt.Fatalf("%s\nbecomes %s", wire(t, e), wire(t, again))
			}
			older := *e
			older.Data.Decoder = system.Kind + "/0"
			for _, start := range []*schema.Event{e, &older} {
				once := r.Redecode(start)
				if twice := r.Redecode(logged(t, once)); wire(t, twice) != wire(t, once) {
					rt.Fatalf("once  %s\ntwice %s", wire(t, once), wire(t, twice))
				}
				if once.ID != e.ID || once.Source != e.Source || once.Time != e.Time || once.Data.Provider != e.Data.Provider || once.Data.Original != start.Data.Original {
					rt.Fatalf("another occurrence: %s, was %s", wire(t, once), wire(t, e))
				}
				if e.Data.Decoder != "" && wire(t, once) != wire(t, e) {
					rt.Fatalf("%s\nbecomes %s", wire(t, e), wire(t, once))
				}
			}
		})
	}
}

func TestRedecodeAtOnce(t *testing.T) {
	r := NewRedecoder(systems, nil).WithKeys(persons)
	var events []*schema.Event
	for _, system := range systems {
		for _, d := range deliveries(t, system) {
			e := received(t, source(system, system.Kind), d)
			e.Data.Decoder = system.Kind + "/0"
			events = append(events, e)
		}
	}
	var wg sync.WaitGroup
	results := make([]string, 4)
	for i := range results {
		wg.Go(func() {
			var b strings.Builder
			for _, e := range events {
				fmt.Fprintln(&b, r.Redecode(e).Type, r.Redecode(e).Subject)
			}
			results[i] = b.String()
		})
	}
	wg.Wait()
	for _, result := range results[1:] {
		if result != results[0] {
			t.Fatal("at once the same events become different ones")
		}
	}
}

// BenchmarkRedecode has events of every sample as the log holds them: as today's decoders wrote them, of which nothing
// changes, and as decoders of the version before did, of which everything does. Reading the event (schema.Decode) is
// half of either, the provider's decoder a quarter.
func BenchmarkRedecode(b *testing.B) {
	r := NewRedecoder(systems, nil).WithKeys(persons)
	for name, old := range map[string]string{"same decoder": "", "new decoder": "/0"} {
		var records [][]byte
		for _, system := range systems {
			for of, d := range deliveries(b, system) {
				if !strings.HasPrefix(of, "sample ") {
					continue
				}
				e := received(b, source(system, system.Kind), d)
				if old != "" {
					e.Data.Decoder = system.Kind + old
				}
				data, err := e.Encode()
				if err != nil {
					b.Fatal(err)
				}
				records = append(records, data)
			}
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				e, err := schema.Decode(records[i%len(records)])
				if err != nil {
					b.Fatal(err)
				}
				r.Redecode(e)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
