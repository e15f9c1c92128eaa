package probely

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

func setting(name string) string { return "a-" + name + "-of-at-least-32-characters" }

func post(body string) *provider.Delivery {
	return &provider.Delivery{Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

func TestPromises(t *testing.T) { ingesttest.Run(t, System, setting) }

func TestGolden(t *testing.T) { ingesttest.Golden(t, System.New(setting)) }

func TestAuthenticate(t *testing.T) {
	p := System.New(func(string) string { return "0123456789abcdef" })
	for token, want := range map[string]bool{"0123456789abcdef": true, "": false, "0123456789abcdeF": false, "0123456789abcde": false, "0123456789abcdef0": false} {
		if got := p.Authenticate(&provider.Delivery{Token: token}); got != want {
			t.Errorf("token %q is let in: %v, want %v", token, got, want)
		}
	}
}

// TestContentInAString: what is inside a JSON-encoded string means what it means outside.
func TestContentInAString(t *testing.T) {
	p := System.New(setting)
	for _, sample := range System.Samples {
		var body map[string]json.RawMessage
		if err := json.Unmarshal(sample.Build(sample.Params).Body, &body); err != nil {
			t.Fatal(err)
		}
		as := func(content json.RawMessage) (*provider.Delivery, schema.Kind, schema.Data) {
			body["content"] = content
			d := post(ingesttest.JSON(t, body))
			kind, data, err := p.Decode(d)
			if err != nil {
				t.Fatal(err)
			}
			ingesttest.Check(t, p, d)
			ingesttest.Redacted(t, p, d)
			return d, kind, data
		}
		object, kind, data := as(body["content"])
		text, kindOfText, dataOfText := as(json.RawMessage(ingesttest.JSON(t, string(body["content"]))))
		if kind != kindOfText || !reflect.DeepEqual(data, dataOfText) {
			t.Errorf("%s in a string is %s %s, want %s %s", sample.Event, kindOfText, ingesttest.JSON(t, dataOfText), kind, ingesttest.JSON(t, data))
		}
		f := p.(provider.PersonFinder)
		nameOfObject, aboutObject := f.Person(object)
		nameOfText, aboutText := f.Person(text)
		if nameOfObject != nameOfText || aboutObject != aboutText || aboutObject != strings.HasPrefix(sample.Event, "user") {
			t.Errorf("%s is about %q (%v), in a string about %q (%v)", sample.Event, nameOfObject, aboutObject, nameOfText, aboutText)
		}
	}
}

func TestDecode(t *testing.T) {
	p := System.New(setting)
	at, seven := schema.Time{}, 7
	if err := at.UnmarshalJSON([]byte(`"2023-08-09T13:27:43.820Z"`)); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		event, content string
		kind           schema.Kind
		want           schema.Data
	}{
		"short":          {"scan_completed", `{"id":"s","status":"completed"}`, schema.ScanCompleted, schema.Data{ScanID: "s", Scan: &schema.Scan{Status: "completed"}}},
		"no more":        {"scan_failed", `{"id":"s"}`, schema.ScanFailed, schema.Data{ScanID: "s"}},
		"target's id":    {"scan_canceled", `{"id":"s","target":"t","highs":7,"lows":"many"}`, schema.ScanCanceled, schema.Data{ScanID: "s", TargetID: "t", Scan: &schema.Scan{Highs: &seven}}},
		"zone-less time": {"scan_started", `{"id":"s","started":"2023-08-09T13:27:43.8208302"}`, schema.ScanStarted, schema.Data{ScanID: "s", Scan: &schema.Scan{StartedAt: &at}}},
		"no time": {"scan_started", `{"id":"s","started":"soon","completed":5}`, schema.ScanStarted, schema.Data{ScanID: "s", Unreadable: []schema.Unreadable{
			{Part: "started", Reason: "it is not a time in RFC 3339"}, {Part: "completed", Reason: "it is not a time in RFC 3339"}}}},
		"target": {"target_verified", `{"id":"t","name":"n","site":{"url":"https://u:p@B\u00fccher.example:8443/a?b#c","verified":true}}`, schema.TargetVerified,
			schema.Data{TargetID: "t", Target: &schema.Target{Name: "n", URL: "https://B%C3%BCcher.example:8443/a", Host: "xn--bcher-kva.example", Verified: yes(true)}}},
		"address": {"target_created", `{"id":"t","site":{"host":"2001:DB8::1"}}`, schema.TargetCreated, schema.Data{TargetID: "t", Target: &schema.Target{Host: "2001:db8::1"}}},
		"failed": {"target_verification_failed", `{"id":"t","site":{"host":"a b","verification_last_error":"no file"}}`, schema.TargetVerificationFailed,
			schema.Data{TargetID: "t", Reason: "no file"}},
		"finding": {"finding_detected", `{"id":12,"target":{"id":"t"},"definition":"x","severity":40,"cvss_score":"high","url":"not a url"}`, schema.FindingDetected,
			schema.Data{FindingID: "t:12", TargetID: "t", Finding: &schema.Finding{Severity: 40}}},
		"numbers as strings": {"finding_detected", `{"id":"12","target":{"id":"t","site":{"verified":"true"}},"severity":"30","cvss_score":"6.1"}`, schema.FindingDetected,
			schema.Data{FindingID: "t:12", TargetID: "t", Target: &schema.Target{Verified: yes(true)}, Finding: &schema.Finding{Severity: 30, CVSSScore: 6.1}}},
		"no numbers": {"finding_detected", `{"id":"12","target":{"id":"t"},"severity":"","cvss_score":"NaN"}`, schema.FindingDetected, schema.Data{FindingID: "t:12", TargetID: "t"}},
		"nobody's finding": {"finding_fixed", `{"id":"12"}`, schema.FindingFixed, schema.Data{FindingID: "_:12", Unreadable: []schema.Unreadable{
			{Part: "target_id", Reason: "the finding does not say of which target it is, and its number is unique only there"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			d := post(fmt.Sprintf(`{"id":"e","event_type":%q,"content":%s}`, tc.event, tc.content))
			ingesttest.Check(t, p, d)
			ingesttest.Redacted(t, p, d)
			kind, data, err := p.Decode(d)
			if err != nil {
				t.Fatal(err)
			}
			tc.want.Event, tc.want.Decoder = tc.event, decoder
			ingesttest.Equal(t, kind, data, tc.kind, tc.want)
		})
	}
}

func yes(is bool) *bool { return &is }

func TestDecodeQuarantine(t *testing.T) {
	p := System.New(setting)
	long := strings.Repeat("x", 257)
	for name, tc := range map[string]struct {
		body, event, want string
		about             bool
	}{
		"not JSON":        {`event_type=user_created`, "", "! The body is not JSON.", true},
		"nothing":         {``, "", "! The body is not JSON.", true},
		"a list":          {`[]`, "", "The body is JSON, but not an object with an event_type.", false},
		"null":            {`null`, "", "The body names no event_type.", false},
		"no event":        {`{"id":"e","object_type":"scan","content":{"id":"s"}}`, "", "The body names no event_type.", false},
		"nameless user":   {`{"id":"e","object_type":"user","content":{"id":"s"}}`, "", "The body names no event_type.", true},
		"unknown":         {`{"event_type":"scan_paused","content":{"id":"s"}}`, "scan_paused", `The event_type "scan_paused" is documented nowhere.`, false},
		"unknown, a user": {`{"event_type":"user_invited","content":{"id":"s"}}`, "user_invited", `The event_type "user_invited" is documented nowhere.`, true},
		"a user's list":   {`[7,{"event_type":"user_created","content":{"name":"Jane"}}]`, "", "The body is JSON, but not an object with an event_type.", true},
		"a user, aloud":   {`{"event_type":"USER_CREATED","content":{"name":"Jane"}}`, "USER_CREATED", `The event_type "USER_CREATED" is documented nowhere.`, true},
		"a User object":   {`{"event_type":"created","object_type":"User","content":{"name":"Jane"}}`, "created", `The event_type "created" is documented nowhere.`, true},
		"a word":          {`{"event_type":"scan_failed","content":"string"}`, "scan_failed", "! The scan_failed event has no content.id.", false},
		"no content":      {`{"event_type":"finding_fixed"}`, "finding_fixed", "! The finding_fixed event has no content.id.", false},
		"no user":         {`{"event_type":"user_created","content":{"name":"Jane"}}`, "user_created", "! The user_created event has no content.id.", true},
		"long":            {`{"event_type":"target_created","content":{"id":"` + long + `"}}`, "target_created", "! The target_created event has a content.id that cannot be used: an id of 257 bytes is longer than the 256 that a subject bears.", false},
		"long together":   {`{"event_type":"finding_fixed","content":{"id":"` + long[:200] + `","target":{"id":"` + long[:200] + `"}}}`, "finding_fixed", "! The finding_fixed event has a content.id that cannot be used: an id of 401 bytes is longer than the 256 that a subject bears.", false},
	} {
		t.Run(name, func(t *testing.T) {
			d := post(tc.body)
			ingesttest.Check(t, p, d)
			ingesttest.Redacted(t, p, d)
			_, _, err := p.Decode(d)
			var q *provider.Quarantine
			if !errors.As(err, &q) {
				t.Fatalf("is not quarantined: %v", err)
			}
			reason, unreadable := strings.CutPrefix(tc.want, "! ")
			if *q != (provider.Quarantine{Event: tc.event, Reason: reason, Unreadable: unreadable}) {
				t.Errorf("got %+v", *q)
			}
			if _, about := p.(provider.PersonFinder).Person(d); about != tc.about {
				t.Errorf("is about a person: %v, want %v", about, tc.about)
			}
		})
	}
}

func TestEventID(t *testing.T) {
	p := System.New(setting).(provider.Identifier)
	for body, want := range map[string]string{
		`{"id":"2LByjGetTqcN","event_type":"x"}`: "2LByjGetTqcN", `{"id":7}`: "7", `{"id":null}`: "", `{}`: "", `[]`: "", `{"id":"` + strings.Repeat("1", 257) + `"}`: "", `{"id":" a b "}`: "a b",
	} {
		if got := p.EventID(post(body)); got != want {
			t.Errorf("the id of %s is %q, want %q", body, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	p := System.New(setting)
	for _, sample := range System.Samples {
		f.Add(sample.Build(sample.Params).Body)
	}
	files, _ := filepath.Glob("testdata/*.http")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		_, body, _ := strings.Cut(string(b), "\n\n")
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := post(string(body))
		ingesttest.Check(t, p, d)
		if id := p.(provider.Identifier).EventID(d); len(id) > 256 {
			t.Errorf("the event's id has %d bytes", len(id))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	p := System.New(setting)
	sample := System.Samples[0]
	d := sample.Build(sample.Params)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := p.Decode(d); err != nil {
			b.Fatal(err)
		}
	}
}
