package sectigo

import (
	"encoding/base64"
	"errors"
	"slices"
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
	p := System.New(func(name string) string {
		return map[string]string{"username": "certtrail", "password": "pass:word"}[name]
	})
	basic := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for authorization, want := range map[string]bool{
		"Basic " + basic("certtrail:pass:word"): true, "basic " + basic("certtrail:pass:word"): true,
		"": false, "Basic": false, "Basic ": false, "Basic !": false, "Bearer " + basic("certtrail:pass:word"): false,
		basic("certtrail:pass:word"): false, "Basic " + basic("certtrail:"): false, "Basic " + basic(":pass:word"): false,
		"Basic " + basic("certtrail:pass:wordx"): false, "Basic " + basic("certtrail:pass:word") + "!": false,
	} {
		d := &provider.Delivery{Header: map[string][]string{"Authorization": {authorization}}}
		for _, feed := range []string{"", "push"} {
			d.Feed = feed
			if got := p.Authenticate(d); got != want {
				t.Errorf("%q is let in to feed %q: %v, want %v", authorization, feed, got, want)
			}
		}
	}
}

// The sixteen events of the "Webhook Events" page.
var events = map[string]schema.Kind{
	"database_backup_restore_state_changed":  "database.backup_restore_state_changed",
	"database_backup_zip_download_available": "database.backup_zip_download_available",
	"user_create":                            "account.user_create",
	"user_login_link":                        "account.user_login_link",
	"user_reset_password":                    "account.user_reset_password",
	"website_accelerate_enabled":             "website.accelerate_enabled",
	"website_backup_change_alert":            "website.backup_change_alert",
	"website_clean_enabled":                  "website.clean_enabled",
	"website_dnssec_rotation_complete":       "dnssec.rotation_completed",
	"website_dnssec_rotation_start":          "dnssec.rotation_started",
	"website_firewall_enabled":               "website.firewall_enabled",
	"website_malware_issue_fixed":            "website.malware_issue_fixed",
	"website_malware_issue_found":            "website.malware_issue_found",
	"website_monitor_enabled":                "website.monitor_enabled",
	"website_restore_state_changed":          "website.restore_state_changed",
	"website_zip_download_available":         "website.zip_download_available",
}

func TestDecodeEvents(t *testing.T) {
	p := System.New(setting)
	for event, kind := range events {
		for target, want := range map[string]schema.Data{
			`{"type":"Website","id":42,"owner_id":1}`: {TargetType: "Website", TargetID: "42"},
			`{"id":" a-b "}`: {TargetID: "a-b"},
		} {
			d := post(`{"id":123456,"event":"` + event + `","target":` + target + `,"body":[],"partner":{"id":1}}`)
			ingesttest.Check(t, p, d)
			ingesttest.Redacted(t, p, d)
			got, data, err := p.Decode(d)
			if err != nil {
				t.Errorf("%s: %v", event, err)
				continue
			}
			want.Event, want.Decoder, want.WebhookID = event, decoder, "123456"
			if kind.Aggregate() == "dnssec" {
				want.WebsiteID, want.Unreadable = want.TargetID, []schema.Unreadable{{Part: "ds", Reason: "the body holds no DS record"}}
			}
			ingesttest.Equal(t, got, data, kind, want)
		}
		if !slices.ContainsFunc(System.Samples, func(s provider.Sample) bool { return s.Event == event }) {
			t.Errorf("%s has no sample", event)
		}
	}
	if len(events) != 16 {
		t.Errorf("%d events, the page has 16", len(events))
	}
}

func TestDecodeQuarantine(t *testing.T) {
	for name, tc := range map[string]struct{ body, event, reason string }{
		"no target":        {`{"event":"user_create","body":{}}`, "user_create", "! The user_create event has no target with an id."},
		"no target id":     {`{"event":"user_create","target":{"type":"User"}}`, "user_create", "! The user_create event has no target with an id."},
		"target is a word": {`{"event":"user_create","target":"User"}`, "user_create", "! The user_create event has no target with an id."},
		"id too long": {`{"event":"user_create","target":{"id":"` + strings.Repeat("1", 257) + `"}}`, "user_create",
			"! The target's id cannot be used: an id of 257 bytes is longer than the 256 that a subject bears."},
		"unknown":    {`{"event":"website_polished","target":{"id":1}}`, "website_polished", `The event "website_polished" is documented nowhere.`},
		"prefix":     {`{"event":"website_","target":{"id":1}}`, "website_", `The event "website_" is documented nowhere.`},
		"no event":   {`{"id":1}`, "", "The body names no event."},
		"a list":     {`[]`, "", "The body is JSON, but not an object with an event."},
		"null":       {`null`, "", "The body names no event."},
		"not JSON":   {`a=1`, "", "! The body is not JSON: invalid character 'a' looking for beginning of value."},
		"colon lost": {`{"id":1,"event":"user_create","partner" {}}`, "", "! The body is not JSON: invalid character '{' after object key."},
	} {
		t.Run(name, func(t *testing.T) { quarantined(t, post(tc.body), tc.event, tc.reason) })
	}
}

// quarantined fails t unless d is; a reason with "! " in front is that of something unreadable.
func quarantined(t *testing.T, d *provider.Delivery, event, reason string) {
	t.Helper()
	p := System.New(setting)
	ingesttest.Check(t, p, d)
	ingesttest.Redacted(t, p, d)
	_, _, err := p.Decode(d)
	var q *provider.Quarantine
	if !errors.As(err, &q) {
		t.Fatalf("is not quarantined: %v", err)
	}
	reason, unreadable := strings.CutPrefix(reason, "! ")
	if *q != (provider.Quarantine{Event: event, Reason: reason, Unreadable: unreadable}) {
		t.Errorf("got %+v", *q)
	}
}

func TestSecrets(t *testing.T) {
	p := System.New(setting).(provider.SecretFinder)
	for event := range events {
		var want []string
		if event == "user_login_link" || event == "user_reset_password" || strings.HasSuffix(event, "_zip_download_available") {
			want = []string{"/body"}
		}
		if got := p.Secrets(post(`{"event":"` + event + `","target":{"id":1},"body":{"a":"b"}}`)); !slices.Equal(got, want) {
			t.Errorf("%s: secrets at %q, want %q", event, got, want)
		}
	}
	for body, want := range map[string]string{
		`{"event":"user_\u006cogin_link","body":"b"}`:       "/body",
		`{"event":"USER_RESET_PASSWORD","Body":"b"}`:        "/Body",
		`{"Event":"x","event":"user_login_link","BODY":[]}`: "/BODY",
		`{"event":"user_login_link"}`:                       "",
		`[{"event":"user_login_link"}]`:                     "",
		`[7,{"event":"user_login_link","body":{"x":"y"}}]`:  "/1/body",
		`{"event":"user_login_link","body":`:                "",
	} {
		if got := strings.Join(p.Secrets(post(body)), " "); got != want {
			t.Errorf("%s: secrets at %q, want %q", body, got, want)
		}
	}
	if got := p.Secrets(&provider.Delivery{Feed: "push", Body: []byte(`{"event":"user_login_link","body":1}`)}); got != nil {
		t.Errorf("a push has secrets at %q", got)
	}
}

func TestSecretsOfSamples(t *testing.T) {
	p := System.New(setting)
	for _, sample := range System.Samples {
		secret := sample.Params["url"] + sample.Params["temporary"]
		if secret == "" {
			continue
		}
		d := sample.Build(sample.Params)
		_, data, err := p.Decode(d)
		if err != nil {
			t.Fatal(err)
		}
		if text := ingesttest.JSON(t, data) + ingesttest.Redacted(t, p, d); strings.Contains(text, secret) {
			t.Errorf("%s: the secret is in what is stored: %s", sample.Event, text)
		}
	}
}

func FuzzDecode(f *testing.F) {
	p := System.New(setting)
	for _, sample := range System.Samples {
		d := sample.Build(sample.Params)
		f.Add(d.Feed == feedPush, strings.Join(d.Header["Content-Type"], ""), d.Query, d.Body)
	}
	f.Add(false, "", "", []byte(`{"event":"website_dnssec_rotation_start","target":{"id":1},"body":{"ds":"a. IN DS 1 RSASHA256 2 (ab cd); x","domain":{"name":"A.test"}}}`))
	f.Add(true, "multipart/form-data; boundary=x", "", []byte("--x\r\nContent-Disposition: form-data; name=\"eventType\"\r\n\r\nCallBack\r\n--x--\r\n"))
	f.Add(true, "application/json", "", []byte(`{"eventType":"PreRevocationNotification","certificateID":1,"revocationTime":1795300000}`))
	f.Fuzz(func(t *testing.T, push bool, contentType, query string, body []byte) {
		d := &provider.Delivery{Method: "POST", Query: query, Body: body}
		if push {
			d.Feed = feedPush
		}
		if contentType != "" {
			d.Header = map[string][]string{"Content-Type": {contentType}}
		}
		ingesttest.Check(t, p, d)
	})
}

func BenchmarkDecode(b *testing.B) {
	p := System.New(setting)
	for _, event := range []string{"website_dnssec_rotation_start", "website_malware_issue_found", "push-issued"} {
		i := slices.IndexFunc(System.Samples, func(s provider.Sample) bool { return s.Event == event })
		d := System.Samples[i].Build(System.Samples[i].Params)
		b.Run(event, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := p.Decode(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
