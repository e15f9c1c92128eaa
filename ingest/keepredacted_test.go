package ingest

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/schema"
)

// learner is a provider whose decoder can be of either version. The second understands "granted", as event and as status, and reads domains; it no longer
// takes "obsolete" for an event. Some of what both read stands under names that are redacted.
type learner struct {
	version int
	panics  bool
}

func (l *learner) Feeds() []schema.Feed               { return []schema.Feed{{Methods: []string{"POST"}}} }
func (l *learner) Authenticate(*schema.Delivery) bool { return true }

func (l *learner) Decode(d *schema.Delivery) (schema.Kind, schema.Data, error) {
	if l.panics {
		panic("a mistake")
	}
	var body struct{ Event, Order, Domain, Note, Pin, Auth, Status, Date string }
	out := schema.Data{Decoder: fmt.Sprint("learner/", l.version)}
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return "", out, &schema.Quarantine{Reason: "The body is not JSON."}
	}
	out.Event = body.Event
	known := body.Event == "updated" || l.version > 1 && body.Event == "granted" || l.version == 1 && body.Event == "obsolete"
	if !known {
		return "", out, &schema.Quarantine{Event: body.Event, Reason: "The event " + body.Event + " is documented nowhere."}
	}
	out.OrderID, out.Reason = body.Order, body.Note
	if body.Pin == "failed" {
		out.Check, out.CheckState = schema.CheckPhone, schema.CheckFailed
	}
	if t, err := schema.ParseTime(body.Date); err == nil {
		out.ExpiresAt = &t
	} else if body.Date != "" {
		out.Unreadable = append(out.Unreadable, schema.Unreadable{Part: "expires_at", Reason: "the date is no date"})
	}
	if l.version > 1 {
		out.Domain = body.Domain
	}
	if body.Event == "granted" || body.Auth == "granted" || l.version > 1 && body.Status == "granted" {
		return schema.OrderIssued, out, nil
	}
	return schema.OrderUpdated, out, nil
}

func (l *learner) system() schema.System {
	return schema.System{Kind: "learner", New: func(func(string) string) schema.Provider { return l }}
}

// TestRedecodeKeepsWhatRedactionTook has a delivery read by one version of a decoder, stored, and read again by the same or another.
func TestRedecodeKeepsWhatRedactionTook(t *testing.T) {
	const secret = "0123456789abcdef"
	until, err := schema.ParseTime("2027-06-03")
	if err != nil {
		t.Fatal(err)
	}
	unrecognized := func(event string) schema.Data {
		return schema.Data{Event: event, Reason: "The event " + event + " is documented nowhere."}
	}
	for name, c := range map[string]struct {
		body     string
		headers  map[string][]string
		secrets  []string
		was, now int // versions of the decoder
		wantSame bool
		kind     schema.Kind
		wantData schema.Data
	}{
		"learned an event":                  {body: `{"event":"granted","order":"5"}`, was: 1, now: 2, kind: schema.OrderIssued, wantData: schema.Data{Event: "granted", OrderID: "5"}},
		"learned a field":                   {body: `{"event":"updated","order":"5","domain":"example.test"}`, was: 1, now: 2, kind: schema.OrderUpdated, wantData: schema.Data{Event: "updated", OrderID: "5", Domain: "example.test"}},
		"knows better now":                  {body: `{"event":"obsolete","order":"5"}`, was: 1, now: 2, kind: schema.DeliveryUnrecognized, wantData: unrecognized("obsolete")},
		"still not understood":              {body: `{"event":"unheard_of"}`, was: 1, now: 2, kind: schema.DeliveryUnrecognized, wantData: unrecognized("unheard_of")},
		"a person's address, same decoder":  {body: `{"event":"updated","order":"5","note":"ask jane@example.test"}`, was: 2, now: 2, wantSame: true},
		"a person's address, new decoder":   {body: `{"event":"updated","order":"5","note":"ask jane@example.test","domain":"example.test"}`, was: 1, now: 2, kind: schema.OrderUpdated, wantData: schema.Data{Event: "updated", OrderID: "5", Domain: "example.test", Reason: "ask j…@example.test"}},
		"a state, same decoder":             {body: `{"event":"updated","order":"5","pin":"failed"}`, was: 2, now: 2, wantSame: true},
		"a state, new decoder":              {body: `{"event":"updated","order":"5","pin":"failed","domain":"example.test"}`, was: 1, now: 2, kind: schema.OrderUpdated, wantData: schema.Data{Event: "updated", OrderID: "5", Domain: "example.test", Check: schema.CheckPhone, CheckState: schema.CheckFailed}},
		"what happened":                     {body: `{"event":"updated","order":"5","auth":"granted"}`, was: 1, now: 2, wantSame: true},
		"what happened, anew":               {body: `{"event":"updated","order":"5","auth":"no","status":"granted"}`, was: 1, now: 2, kind: schema.OrderIssued, wantData: schema.Data{Event: "updated", OrderID: "5"}},
		"an id, same decoder":               {body: `{"event":"updated","order":"` + secret + `"}`, was: 2, now: 2, secrets: []string{secret}, wantSame: true},
		"an id, new decoder":                {body: `{"event":"updated","order":"` + secret + `","domain":"example.test"}`, was: 1, now: 2, secrets: []string{secret}, kind: schema.OrderUpdated, wantData: schema.Data{Event: "updated", OrderID: secret, Domain: "example.test"}},
		"an id that was never known":        {body: `{"event":"granted","order":"` + secret + `"}`, was: 1, now: 2, secrets: []string{secret}, wantSame: true},
		"an id learned only as a mark":      {body: `{"event":"updated","order":"5","domain":"` + secret + `"}`, was: 1, now: 2, secrets: []string{secret}, wantSame: true},
		"a date":                            {body: `{"event":"updated","order":"5","domain":"example.test","date":"2027-06-03"}`, was: 1, now: 2, secrets: []string{"2027-06-03"}, kind: schema.OrderUpdated, wantData: schema.Data{Event: "updated", OrderID: "5", Domain: "example.test", ExpiresAt: &until}},
		"the event's name":                  {body: `{"event":"obsolete","order":"5","note":"jane@example.test"}`, was: 1, now: 2, wantSame: true},
		"a secret beside, new event":        {body: `{"event":"granted","order":"5","password":"x"}`, was: 1, now: 2, kind: schema.OrderIssued, wantData: schema.Data{Event: "granted", OrderID: "5"}},
		"a credential in the headers":       {body: `{"event":"obsolete","order":"5"}`, was: 1, now: 2, headers: map[string][]string{"Authorization": {"Basic eA=="}}, kind: schema.DeliveryUnrecognized, wantData: unrecognized("obsolete")},
		"part of a header":                  {body: `{"event":"obsolete","order":"5"}`, was: 1, now: 2, headers: map[string][]string{"From": {"jane@example.test"}}, wantSame: true},
		"an older program":                  {body: `{"event":"granted","order":"5"}`, was: 2, now: 1, wantSame: true},
		"not understood, an older program":  {body: `{"event":"obsolete","order":"5"}`, was: 2, now: 1, kind: schema.OrderUpdated, wantData: schema.Data{Event: "obsolete", OrderID: "5"}},
		"not UTF-8, same decoder":           {body: "{\"event\":\"updated\",\"order\":\"5\xff\xff\"}", was: 2, now: 2, wantSame: true},
		"not JSON, and without its secrets": {body: `{"event":"granted" password="x"`, was: 1, now: 2, kind: schema.DeliveryUnrecognized, wantData: schema.Data{Reason: "The body is not JSON."}},
	} {
		s := &Source{Name: "one", Provider: &learner{version: c.was}, Secrets: c.secrets}
		e := received(t, s, &schema.Delivery{Method: "POST", Header: c.headers, Body: []byte(c.body)})
		r := NewRedecoder([]schema.System{(&learner{version: c.now}).system()}, nil)
		again := r.Redecode(e)
		if c.wantSame {
			if again != e {
				t.Errorf("%s: %s\nbecame %s", name, wire(t, e), wire(t, again))
			}
			continue
		}
		c.wantData.Provider, c.wantData.Decoder, c.wantData.Original = "one", fmt.Sprint("learner/", c.now), e.Data.Original
		if got, want := wire(t, again), wire(t, e.Anew(c.kind, c.wantData)); got != want {
			t.Errorf("%s: %s\nbecame %s\nwant   %s", name, wire(t, e), got, want)
		}
		if twice := r.Redecode(logged(t, again)); wire(t, twice) != wire(t, again) {
			t.Errorf("%s: once %s\ntwice %s", name, wire(t, again), wire(t, twice))
		}
	}
}

// TestRedecodeSurvivesTheDecoder: a decoder that panics on history gives no meaning, and takes none away.
func TestRedecodeSurvivesTheDecoder(t *testing.T) {
	r := NewRedecoder([]schema.System{(&learner{version: 2, panics: true}).system(), {Kind: "off", New: func(func(string) string) schema.Provider { return nil }}}, nil)
	for _, body := range []string{`{"event":"updated","order":"5"}`, `{"event":"granted"}`} {
		e := received(t, &Source{Name: "learner", Provider: &learner{version: 1}}, &schema.Delivery{Method: "POST", Body: []byte(body)})
		if again := r.Redecode(e); again != e {
			t.Errorf("%s: became %s", body, ingesttest.JSON(t, again))
		}
	}
}
