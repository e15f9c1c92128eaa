package ingest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/ingest/defguard"
	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/ingest/people"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// learner decodes by either of two versions. The second understands "granted", as event and as status, and reads
// domains; it no longer takes "obsolete" for an event.
type learner struct {
	version int
	panics  bool
}

func (l *learner) Feeds() []provider.Feed               { return []provider.Feed{{Methods: []string{"POST"}}} }
func (l *learner) Authenticate(*provider.Delivery) bool { return true }

func (l *learner) Decode(d *provider.Delivery) (schema.Kind, schema.Data, error) {
	if l.panics {
		panic("a mistake")
	}
	var body struct{ Event, Order, Domain, Note, Status string }
	out := schema.Data{Decoder: fmt.Sprint("learner/", l.version)}
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return "", out, &provider.Quarantine{Reason: "The body is not JSON."}
	}
	out.Event = body.Event
	known := body.Event == "updated" || l.version > 1 && body.Event == "granted" || l.version == 1 && body.Event == "obsolete"
	if !known {
		return "", out, &provider.Quarantine{Event: body.Event, Reason: "The event " + body.Event + " is documented nowhere."}
	}
	out.OrderID, out.Reason = body.Order, body.Note
	if l.version > 1 {
		out.Domain = body.Domain
	}
	if body.Event == "granted" || l.version > 1 && body.Status == "granted" {
		return schema.OrderIssued, out, nil
	}
	return schema.OrderUpdated, out, nil
}

func (l *learner) system() provider.System {
	return provider.System{Kind: "learner", New: func(func(string) string) provider.Provider { return l }}
}

// TestIDsThatAreNotStored: what would be called by a mark is quarantined, with the reason, and is the same when it is
// read again. Nothing else is lost by a secret beside.
func TestIDsThatAreNotStored(t *testing.T) {
	const secret = "0123456789abcdef"
	for name, c := range map[string]struct {
		body   string
		reason string // "" for what is understood
		want   schema.Data
	}{
		"a credential":        {`{"event":"updated","order":"` + secret + `","note":"why"}`, idNotStored, schema.Data{}},
		"part of it":          {`{"event":"updated","order":"7-` + secret + `"}`, idNotStored, schema.Data{}},
		"escaped":             {`{"event":"updated","order":"\u0030123456789abcdef"}`, idNotStored, schema.Data{}},
		"of another thing":    {`{"event":"updated","order":"5","domain":"` + secret + `"}`, idNotStored, schema.Data{}},
		"a person's address":  {`{"event":"updated","order":"jane@example.test"}`, idNotStored, schema.Data{}},
		"looks like a secret": {`{"event":"updated","order":"password=x"}`, idNotStored, schema.Data{}},
		"beside it":           {`{"event":"updated","order":"5","note":"is ` + secret + `"}`, "", schema.Data{OrderID: "5", Reason: "is [redacted]"}},
		"an address beside":   {`{"event":"updated","order":"5","note":"ask jane@example.test"}`, "", schema.Data{OrderID: "5", Reason: "ask j…@example.test"}},
		"not understood":      {`{"event":"` + secret + `","order":"5"}`, "The event [redacted] is documented nowhere.", schema.Data{}},
	} {
		l := &learner{version: 2}
		e := received(t, &Source{Name: "one", Provider: l, Secrets: []string{secret}}, &provider.Delivery{Method: "POST", Body: []byte(c.body)})
		c.want.Provider, c.want.Event, c.want.Decoder, c.want.Original = "one", "updated", "learner/2", e.Data.Original
		kind := schema.OrderUpdated
		if c.reason != "" {
			kind, c.want.Reason = schema.DeliveryUnrecognized, c.reason
		}
		if name == "not understood" {
			c.want.Event = "[redacted]"
		}
		if got, want := wire(t, e), wire(t, e.WithMeaning(kind, c.want)); got != want {
			t.Errorf("%s: is stored as\n%s, want\n%s", name, got, want)
		}
		if again := NewRedecoder([]provider.System{l.system()}, nil).Redecode(e); again != e {
			t.Errorf("%s: read again, %s\nbecomes %s", name, wire(t, e), wire(t, again))
		}
	}
}

// TestNoOneIsCalledByAMark: a person whose name is a credential is nobody in particular, and what happened to them is
// quarantined.
func TestNoOneIsCalledByAMark(t *testing.T) {
	s := source(defguard.System, "defguard")
	body := fmt.Sprintf(`{"username":%q,"email":"jane@example.test"}`, s.Secrets[0])
	e := received(t, s, &provider.Delivery{Method: "POST", Header: map[string][]string{"X-Defguard-Event": {"user_created"}}, Body: []byte(body)})
	if e.Kind() != schema.DeliveryUnrecognized || e.Data.Reason != idNotStored || e.Data.UserID != persons.Hash("defguard", "") || e.Data.User != nil {
		t.Errorf("is stored as %s", wire(t, e))
	}
	if text := wire(t, e); strings.Contains(text, "jane") || strings.Contains(text, s.Secrets[0]) {
		t.Errorf("is stored as %s", text)
	}
	if again := NewRedecoder(systems, nil).WithKeys(persons).Redecode(e); again != e {
		t.Errorf("read again, it becomes %s", wire(t, again))
	}
}

// TestWhatIsDecodedIsWhatIsStored: the event of any delivery, known or hostile, says what its stored original says, and
// no more.
func TestWhatIsDecodedIsWhatIsStored(t *testing.T) {
	for _, system := range systems {
		r := NewRedecoder(systems, nil).WithKeys(persons)
		s := source(system, system.Kind)
		stored := func(f interface{ Fatalf(string, ...any) }, d *provider.Delivery, e *schema.Event) {
			original, err := people.OpenOriginal(persons, e.Data.Original, e.ID)
			if err != nil {
				f.Fatalf("%v", err)
			}
			again, err := provider.Redelivery(original, d.Feed)
			if err != nil {
				f.Fatalf("%v", err)
			}
			m := understand(s.Provider, again)
			got, want := m.data, e.Data
			people.OpenPerson(persons, e)
			if got.User != nil && (e.Data.User == nil || !reflect.DeepEqual(got.User.Person, e.Data.User.Person)) {
				f.Fatalf("the person %+v is stored as %+v", got.User, e.Data.User)
			}
			got.User, want.User, want.UserID, want.Provider, want.Original = nil, nil, "", "", nil
			if m.kind != e.Kind() || !reflect.DeepEqual(got, want) {
				f.Fatalf("%s %s\nis stored as %s %s", m.kind, ingesttest.JSON(t, got), e.Kind(), ingesttest.JSON(t, want))
			}
			if text := string(original.Body) + string(again.Body); strings.Contains(text, s.Secrets[0]) {
				f.Fatalf("a credential is stored: %s", text)
			}
		}
		known := deliveries(t, system)
		var all []*provider.Delivery
		for _, name := range slices.Sorted(maps.Keys(known)) {
			d := known[name]
			all = append(all, d)
			e := received(t, s, d)
			stored(t, d, e)
			if again := r.Redecode(e); wire(t, again) != wire(t, e) {
				t.Errorf("%s of %s: read again, %s\nbecomes %s", name, system.Kind, wire(t, e), wire(t, again))
			}
		}
		rapid.Check(t, func(rt *rapid.T) {
			d := junk(rt, all, s.Secrets...)
			stored(rt, d, received(t, s, d))
		})
	}
}

// TestRedecodeSurvivesTheDecoder: a decoder that panics on history gives no meaning, and takes none away.
func TestRedecodeSurvivesTheDecoder(t *testing.T) {
	r := NewRedecoder([]provider.System{(&learner{version: 2, panics: true}).system(), {Kind: "off", New: func(func(string) string) provider.Provider { return nil }}}, nil)
	for _, body := range []string{`{"event":"updated","order":"5"}`, `{"event":"granted"}`} {
		e := received(t, &Source{Name: "learner", Provider: &learner{version: 1}}, &provider.Delivery{Method: "POST", Body: []byte(body)})
		if again := r.Redecode(e); again != e {
			t.Errorf("%s: became %s", body, ingesttest.JSON(t, again))
		}
	}
}
