package defguard

import (
	"errors"
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

func delivery(event, body string) *provider.Delivery {
	header := map[string][]string{"Content-Type": {"application/json"}}
	if event != "" {
		header[headerEvent] = []string{event}
	}
	return &provider.Delivery{Method: "POST", Header: header, Body: []byte(body)}
}

func TestPromises(t *testing.T) { ingesttest.Run(t, System, setting) }

func TestGolden(t *testing.T) { ingesttest.Golden(t, System.New(setting)) }

func TestAuthenticate(t *testing.T) {
	p := System.New(func(string) string { return "0123456789abcdef" })
	for header, want := range map[string]bool{
		"Bearer 0123456789abcdef": true, "bearer 0123456789abcdef": true, "BEARER  0123456789abcdef ": true, "": false, "Bearer": false, "Bearer ": false,
		"0123456789abcdef": false, "Basic 0123456789abcdef": false, "Bearer 0123456789abcdeF": false, "Bearer 0123456789abcde": false, "Bearer0123456789abcdef": false,
	} {
		d := &provider.Delivery{Header: map[string][]string{"Authorization": {header}}}
		if got := p.Authenticate(d); got != want {
			t.Errorf("%q is let in: %v, want %v", header, got, want)
		}
	}
}

func yes(is bool) *bool { return &is }

func TestDecode(t *testing.T) {
	p := System.New(setting)
	for name, tc := range map[string]struct {
		event, body string
		kind        schema.Kind
		active      *bool
		person      schema.Person
	}{
		"deleted":         {"user_deleted", `{"username":"jdoe"}`, schema.UserDeleted, nil, schema.Person{Username: "jdoe"}},
		"a space":         {" user_deleted ", `{"username":" jdoe "}`, schema.UserDeleted, nil, schema.Person{Username: "jdoe"}},
		"byte order mark": {"user_deleted", "\ufeff" + `{"username":"jdoe"}`, schema.UserDeleted, nil, schema.Person{Username: "jdoe"}},
		"name made":       {"user_created", `{"username":"jdoe","first_name":"Jane","last_name":"Doe"}`, schema.UserCreated, nil, schema.Person{Username: "jdoe", Name: "Jane Doe", FirstName: "Jane", LastName: "Doe"}},
		"flags": {"user_modified", `{"username":"j","is_active":false,"is_admin":true,"enrolled":true,"mfa_enabled":false,"mfa_method":"None"}`, schema.UserModified, yes(false),
			schema.Person{Username: "j", Admin: yes(true), Enrolled: yes(true), MFA: yes(false), MFAMethod: "None"}},
		"odd members": {"user_created", `{"username":"j","id":"x7","email":null,"phone":5550100,"groups":"admin","devices":{"id":1},"is_active":"yes","first_name":["a"]}`, schema.UserCreated, nil,
			schema.Person{ID: "x7", Username: "j", Phone: "5550100"}},
		"lists": {"user_created", `{"username":"j","groups":["a",null,7],"devices":[null,{"id":5,"name":"l","device_type":"user","wireguard_pubkey":"k"},{}]}`, schema.UserCreated, nil,
			schema.Person{Username: "j", Groups: []string{"a", "7"}, Devices: []schema.Device{{ID: "5", Name: "l", Type: "user", PublicKey: "k"}}}},
		"keys": {"user_keys", `{"username":"j","ssh_key":"ssh-rsa A","pgp_key":"P","serial":"7","pgp_cert_id":"8"}`, schema.UserKeysProvisioned, nil,
			schema.Person{Username: "j", Keys: []schema.PersonKey{{Kind: "pgp", Value: "P"}, {Kind: "ssh", Value: "ssh-rsa A"}, {Kind: "hardware", Value: "7"}}}},
		"old keys": {"user_keys", `{"username":"j","ssh_key":null,"pgp_key":"","pgp_cert_id":"8"}`, schema.UserKeysProvisioned, nil,
			schema.Person{Username: "j", Keys: []schema.PersonKey{{Kind: "hardware", Value: "8"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			d := delivery(tc.event, tc.body)
			ingesttest.Check(t, p, d)
			ingesttest.Redacted(t, p, d)
			kind, data, err := p.Decode(d)
			if err != nil {
				t.Fatal(err)
			}
			if kind != tc.kind || data.Event != strings.TrimSpace(tc.event) || !reflect.DeepEqual(data.User.Person, &tc.person) || !reflect.DeepEqual(data.User.Active, tc.active) {
				t.Errorf("got %s %s %s", kind, ingesttest.JSON(t, data), ingesttest.JSON(t, data.User.Person))
			}
			if name, about := p.(provider.PersonFinder).Person(d); name != tc.person.Username || !about {
				t.Errorf("is about %q (%v), want %q", name, about, tc.person.Username)
			}
		})
	}
}

func TestDecodeQuarantine(t *testing.T) {
	p := System.New(setting)
	long := strings.Repeat("j", 257)
	for name, tc := range map[string]struct{ event, body, want, person string }{
		"no header":    {"", `{"username":"jdoe"}`, "! The delivery has no header X-Defguard-Event, which alone says what happened.", "jdoe"},
		"nothing":      {"", ``, "! The delivery has no header X-Defguard-Event, which alone says what happened.", ""},
		"not JSON":     {"user_created", `username=jdoe`, "! The body is not JSON.", ""},
		"no body":      {"user_created", ``, "! The body is not JSON.", ""},
		"cut off":      {"user_created", `{"username":"jdoe"`, "! The body is not JSON.", ""},
		"unknown":      {"user_promoted", `{"username":"jdoe"}`, `The event "user_promoted" is documented nowhere.`, "jdoe"},
		"unknown list": {"user_promoted", `[]`, `The event "user_promoted" is documented nowhere.`, ""},
		"no username":  {"user_created", `{"email":"jane@example.test"}`, "! The user_created event has no username.", ""},
		"a list":       {"user_created", `["jdoe"]`, "! The user_created event has no username.", ""},
		"null":         {"user_keys", `{"username":null}`, "! The user_keys event has no username.", ""},
		"long":         {"user_created", `{"username":"` + long + `"}`, "! The username cannot be used: an id of 257 bytes is longer than the 256 that a subject bears.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := delivery(tc.event, tc.body)
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
			if name, about := p.(provider.PersonFinder).Person(d); name != tc.person || !about {
				t.Errorf("is about %q (%v), want %q", name, about, tc.person)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	p := System.New(setting)
	for _, sample := range System.Samples {
		d := sample.Build(sample.Params)
		f.Add(d.Get(headerEvent), d.Body)
	}
	files, _ := filepath.Glob("testdata/*.http")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		_, body, _ := strings.Cut(string(b), "\n\n")
		f.Add("user_created", []byte(body))
	}
	f.Fuzz(func(t *testing.T, event string, body []byte) { ingesttest.Check(t, p, delivery(event, string(body))) })
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
