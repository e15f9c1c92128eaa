// Package ingesttest holds the promises that every provider keeps, whatever it decodes. A provider's test calls Run and
// Golden; its fuzz test calls Check. What a provider's deliveries mean is that provider's own test.
package ingesttest

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/certtrail/certtrail/ingest/people"
	"github.com/certtrail/certtrail/ingest/people/peopletest"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// maxReason allows more than any sentence needs; a longer reason quotes too much of the delivery.
const maxReason = 500

// Run tests that s keeps the promises. Its credentials and other settings are as get gives them; they must be long
// enough to be found in a text.
func Run(t *testing.T, s provider.System, get func(setting string) string) {
	p := s.New(get)
	if p == nil {
		t.Fatal("New gave nothing although every setting has a value")
	}
	t.Run("system", func(t *testing.T) { system(t, s, p) })
	t.Run("credentials", func(t *testing.T) { credentials(t, s, get) })
	for _, sample := range s.Samples {
		t.Run("sample/"+sample.Event, func(t *testing.T) { decodesSample(t, s, p, sample, get) })
	}
	t.Run("junk", func(t *testing.T) { junk(t, s, p) })
	t.Run("at once", func(t *testing.T) { atOnce(t, s, p) })
}

func system(t *testing.T, s provider.System, p provider.Provider) {
	if !regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString(s.Kind) {
		t.Errorf("kind %q cannot be a folder, a route and a prefix of settings", s.Kind)
	}
	if s.Title == "" || s.Howto == "" || len(s.Samples) == 0 {
		t.Error("a title, a howto or samples are missing")
	}
	for _, setting := range s.Settings {
		if setting.Name == "" || setting.Usage == "" {
			t.Errorf("setting %+v lacks a name or its usage", setting)
		}
	}
	feeds := map[string]bool{}
	for _, f := range p.Feeds() {
		if feeds[f.Name] || len(f.Methods) == 0 {
			t.Errorf("feed %+v is there twice or takes no method", f)
		}
		feeds[f.Name] = true
	}
	events := map[string]bool{}
	for _, sample := range s.Samples {
		if events[sample.Event] {
			t.Errorf("sample %s is there twice", sample.Event)
		}
		events[sample.Event] = true
		d := build(sample)
		if !slices.ContainsFunc(p.Feeds(), func(f provider.Feed) bool { return f.Name == d.Feed && slices.Contains(f.Methods, d.Method) }) {
			t.Errorf("sample %s is a %s to feed %q, which no feed takes", sample.Event, d.Method, d.Feed)
		}
	}
}

func credentials(t *testing.T, s provider.System, get func(string) string) {
	p, wrong := s.New(get), s.New(func(name string) string { return "not-" + get(name) })
	sender, ok := p.(provider.Sender)
	if !ok {
		t.Fatal("the provider cannot sign samples")
	}
	for _, setting := range s.Settings {
		if !setting.Credential {
			continue
		}
		if p := s.New(without(setting.Name, get)); p != nil {
			t.Errorf("without %s the provider is on", setting.Name)
		}
	}
	for _, sample := range s.Samples {
		d := build(sample)
		if p.Authenticate(d) {
			t.Errorf("sample %s is let in without credentials", sample.Event)
		}
		wrong.(provider.Sender).Sign(d)
		if p.Authenticate(d) {
			t.Errorf("sample %s is let in with wrong credentials", sample.Event)
		}
		sender.Sign(d)
		if !p.Authenticate(d) {
			t.Errorf("sample %s is refused with the right credentials", sample.Event)
		}
	}
	if p.Authenticate(&provider.Delivery{}) {
		t.Error("an empty delivery is let in")
	}
}

func decodesSample(t *testing.T, s provider.System, p provider.Provider, sample provider.Sample, get func(string) string) {
	d := build(sample)
	p.(provider.Sender).Sign(d)
	_, data, err := p.Decode(d)
	if err != nil {
		t.Fatalf("is quarantined: %v", err)
	}
	if len(data.Unreadable) > 0 {
		t.Errorf("has unreadable parts: %v", data.Unreadable)
	}
	Check(t, p, d)
	var known []string
	for _, setting := range s.Settings {
		if setting.Credential {
			known = append(known, get(setting.Name))
		}
	}
	stored := Redacted(t, p, d, known...)
	for _, secret := range known {
		if text := JSON(t, data) + stored; strings.Contains(text, secret) {
			t.Errorf("the credential %q is in what is stored: %s", secret, text)
		}
	}
}

// Check decodes d and fails t where that breaks a promise: a kind whose parts are tokens or else a Quarantine with a
// sentence, the same for the same bytes, also when it is read again as it was stored, and an event that is the same
// after the log.
func Check(t testing.TB, p provider.Provider, d *provider.Delivery) {
	t.Helper()
	before := clone(d)
	kind, data, err := p.Decode(d)
	again, dataAgain, errAgain := p.Decode(d)
	if kind != again || !reflect.DeepEqual(data, dataAgain) || !reflect.DeepEqual(err, errAgain) {
		t.Fatalf("decoding twice gave %s %+v %v, then %s %+v %v", kind, data, err, again, dataAgain, errAgain)
	}
	if !reflect.DeepEqual(d, before) {
		t.Fatalf("decoding changed the delivery to %+v", d)
	}
	stored, dataStored, errStored := p.Decode(asStored(t, d))
	if kind != stored || !reflect.DeepEqual(data, dataStored) || !reflect.DeepEqual(err, errStored) {
		t.Errorf("as it was stored it gave %s %+v %v; want %s %+v %v", stored, dataStored, errStored, kind, data, err)
	}
	if f, ok := p.(provider.SecretFinder); ok {
		for _, pointer := range f.Secrets(d) {
			if !strings.HasPrefix(pointer, "/") {
				t.Errorf("%q is not a JSON Pointer into the body", pointer)
			}
		}
	}
	if data.Decoder == "" || data.Provider != "" || data.Original != nil {
		t.Errorf("decoder is %q, provider %q, original %v; want only the decoder", data.Decoder, data.Provider, data.Original)
	}
	if err != nil {
		checkQuarantine(t, kind, data, err)
		return
	}
	name, is := about(p, d)
	if data.User != nil && !is {
		t.Errorf("%s is about a user, and the provider does not find a person in it", kind)
	}
	checkEvent(t, kind, data, name)
}

func checkQuarantine(t testing.TB, kind schema.Kind, data schema.Data, err error) {
	t.Helper()
	var q *provider.Quarantine
	if !errors.As(err, &q) {
		t.Fatalf("the error is %T, not a *Quarantine: %v", err, err)
	}
	if kind != "" {
		t.Errorf("a quarantined delivery has the kind %q", kind)
	}
	if q.Event != data.Event || len(q.Event) > maxReason || !utf8.ValidString(q.Event) {
		t.Errorf("the quarantine is about event %q, the data about %q", q.Event, data.Event)
	}
	if !sentence.MatchString(q.Reason) || len(q.Reason) > maxReason || !utf8.ValidString(q.Reason) {
		t.Errorf("%q is no sentence", q.Reason)
	}
}

// sentence matches what a page shows, also an error with one more sentence added.
var sentence = regexp.MustCompile(`(?s)^[A-Z].* .*\.$`)

var token = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// checkEvent has the event in the log and reads it there; person is the name of whom it is about, if it is about a
// user.
func checkEvent(t testing.TB, kind schema.Kind, data schema.Data, person string) {
	t.Helper()
	if (data.User != nil) != (kind.Aggregate() == schema.AggregateUser) || data.User != nil && (data.User.Person == nil || data.User.Sealed != "" || data.UserID != "") {
		t.Errorf("%s tells of the user %+v, %q", kind, data.User, data.UserID)
		return
	}
	if !token.MatchString(kind.Aggregate()) || !token.MatchString(kind.Name()) {
		t.Errorf("kind %q is not two tokens of a subject", kind)
	}
	if data.Event == "" {
		t.Error("the data does not say what the provider called the event")
	}
	if (data.Check == "") != (data.CheckState == "") {
		t.Errorf("check %q is %q", data.Check, data.CheckState)
	}
	if name, err := schema.DomainName(data.Domain); data.Domain != "" && (err != nil || name != data.Domain) {
		t.Errorf("domain %q is not in its one form: %q, %v", data.Domain, name, err)
	}
	for _, u := range data.Unreadable {
		if u.Part == "" || !strings.Contains(u.Reason, " ") || len(u.Reason) > maxReason {
			t.Errorf("unreadable part %q, because %q", u.Part, u.Reason)
		}
	}
	const id = "01890000-0000-7000-8000-000000000000"
	data.Provider = "source-1"
	plain := data
	if data.User != nil {
		if err := people.SealUser(&peopletest.Keys{}, id, person, &data); err != nil {
			t.Fatalf("the user cannot be sealed: %v", err)
		}
	}
	event := schema.New(id, "/hooks/source-1", schema.At(time.Unix(1795300000, 0)), kind, data)
	wire, err := event.Encode()
	if err != nil {
		t.Fatalf("the event does not encode: %v", err)
	}
	read, err := schema.Decode(wire)
	if err != nil {
		t.Fatalf("the event does not decode: %v", err)
	}
	if !reflect.DeepEqual(read.Data, data) {
		t.Errorf("after the log the data is\n%+v, was\n%+v", read.Data, data)
	}
	if people.OpenPerson(&peopletest.Keys{}, read); plain.User != nil && !reflect.DeepEqual(read.Data.User.Person, plain.User.Person) {
		t.Errorf("opened, the person is\n%+v, was\n%+v", read.Data.User.Person, plain.User.Person)
	}
	address, err := schema.ParseSubject(event.NATSSubject())
	if err != nil || address.Kind != kind || address.Provider != data.Provider {
		t.Errorf("subject %q reads as %+v, error %v", event.NATSSubject(), address, err)
	}
	if len(event.NATSSubject()) > 2000 {
		t.Errorf("the subject has %d bytes", len(event.NATSSubject()))
	}
}

// atOnce has the race detector look at one provider used by many.
func atOnce(t *testing.T, s provider.System, p provider.Provider) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, sample := range s.Samples {
				d := build(sample)
				p.(provider.Sender).Sign(d)
				p.Authenticate(d)
				p.Decode(d)
			}
		})
	}
	wg.Wait()
}

func build(sample provider.Sample) *provider.Delivery { return sample.Build(maps.Clone(sample.Params)) }

func without(missing string, get func(string) string) func(string) string {
	return func(name string) string {
		if name == missing {
			return ""
		}
		return get(name)
	}
}

func clone(d *provider.Delivery) *provider.Delivery {
	c := *d
	c.Body = slices.Clone(d.Body)
	c.Header = maps.Clone(d.Header)
	for name, values := range c.Header {
		c.Header[name] = slices.Clone(values)
	}
	return &c
}

// Equal fails t unless the kind and the data are the wanted ones.
func Equal(t testing.TB, kind schema.Kind, data schema.Data, wantKind schema.Kind, want schema.Data) {
	t.Helper()
	if kind != wantKind || !reflect.DeepEqual(data, want) {
		t.Errorf("got  %s %s\nwant %s %s", kind, JSON(t, data), wantKind, JSON(t, want))
	}
}

// JSON writes v as JSON.
func JSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
