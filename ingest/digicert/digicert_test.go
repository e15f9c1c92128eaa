package digicert

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
	p := System.New(func(string) string { return " 0123456789abcdef0123456789abcdef\n" })
	for key, want := range map[string]bool{
		"0123456789abcdef0123456789abcdef": true, "": false, "0123456789abcdef0123456789abcdeF": false,
		"0123456789abcdef": false, "0123456789abcdef0123456789abcdef0": false,
	} {
		if got := p.Authenticate(&provider.Delivery{Header: map[string][]string{"X-Webhook-Key": {key}}}); got != want {
			t.Errorf("key %q is let in: %v, want %v", key, got, want)
		}
	}
	if System.New(func(string) string { return " \n" }) != nil {
		t.Error("a key of white space turns the provider on")
	}
}

func TestDecode(t *testing.T) {
	p := System.New(setting)
	for name, tc := range map[string]struct {
		body string
		kind schema.Kind
		want schema.Data // without event and decoder
	}{
		"issued":               {`{"event":"certificate_issued","data":{"order_id":12345,"certificate_id":23456}}`, schema.OrderIssued, schema.Data{OrderID: "12345", CertificateID: "23456"}},
		"issued, ids as words": {`{"event":"certificate_issued","data":{"order_id":" 0012345 ","certificate_id":"a\u00e9"}}`, schema.OrderIssued, schema.Data{OrderID: "0012345", CertificateID: "aé"}},
		"issued, big id":       {`{"event":"certificate_issued","data":{"order_id":12345678901234567890123}}`, schema.OrderIssued, schema.Data{OrderID: "12345678901234567890123"}},
		"issued, null id":      {`{"event":"certificate_issued","data":{"order_id":1,"certificate_id":null,"certificate_chain":null}}`, schema.OrderIssued, schema.Data{OrderID: "1"}},
		"issued, empty chain":  {`{"event":"certificate_issued","data":{"order_id":1,"certificate_chain":[]}}`, schema.OrderIssued, schema.Data{OrderID: "1"}},
		"issued, odd chain": {`{"event":"certificate_issued","data":{"order_id":1,"certificate_chain":"x"}}`, schema.OrderIssued,
			schema.Data{OrderID: "1", Unreadable: []schema.Unreadable{{Part: "certificate", Reason: "the certificate_chain is not a list of certificates"}}}},
		"issued, chain of nothing": {`{"event":"certificate_issued","data":{"order_id":1,"certificate_chain":[{}]}}`, schema.OrderIssued,
			schema.Data{OrderID: "1", Unreadable: []schema.Unreadable{{Part: "certificate", Reason: "there is no certificate in it"}}}},
		"BOM and more keys":     {"\ufeff" + `{"x":[1],"event":"order_rejected","data":{"y":{},"order_id":1}}`, schema.OrderRejected, schema.Data{OrderID: "1"}},
		"revoked":               {`{"event":"certificate_revoked","data":{"order_id":1,"certificate_id":2}}`, schema.CertificateRevoked, schema.Data{OrderID: "1", CertificateID: "2"}},
		"revoked, with reason":  {`{"event":"certificate_revoked","data":{"certificate_id":2,"reason":"key compromise"}}`, schema.CertificateRevoked, schema.Data{CertificateID: "2", Reason: "key compromise"}},
		"rejected":              {`{"event":"order_rejected","data":{"order_id":1,"certificate_id":2}}`, schema.OrderRejected, schema.Data{OrderID: "1", CertificateID: "2"}},
		"approval sent":         {`{"event":"order_approval_email_sent","data":{"order_id":1,"orderApprovalEmailStatus":"sent","orderApprovalEmails":["a@example.test"]}}`, schema.OrderApprovalRequested, schema.Data{OrderID: "1", Check: "approval", CheckState: "pending"}},
		"approval, no status":   {`{"event":"order_approval_email_sent","data":{"order_id":1}}`, schema.OrderApprovalRequested, schema.Data{OrderID: "1", Check: "approval", CheckState: "pending"}},
		"approval complete":     {`{"event":"order_approval_completed","data":{"order_id":1,"orderApprovalEmailStatus":"complete"}}`, schema.OrderUpdated, schema.Data{OrderID: "1", Check: "approval", CheckState: "passed"}},
		"approval by any name":  {`{"event":"whatever","data":{"order_id":"1","orderApprovalEmailStatus":"Completed"}}`, schema.OrderUpdated, schema.Data{OrderID: "1", Check: "approval", CheckState: "passed"}},
		"sent, and complete":    {`{"event":"order_approval_email_sent","data":{"order_id":1,"orderApprovalEmailStatus":"complete"}}`, schema.OrderUpdated, schema.Data{OrderID: "1", Check: "approval", CheckState: "passed"}},
		"challenge":             {`{"event":"challenge_webhook_endpoint","data":{"token":"t0ken","webhook_id":12345}}`, schema.AccountChallengeReceived, schema.Data{WebhookID: "12345"}},
		"challenge, odd":        {`{"event":"challenge_webhook_endpoint","data":{"token":987654}}`, schema.AccountChallengeReceived, schema.Data{}},
		"test":                  {`{"event":"test_webhook_endpoint"}`, schema.AccountTestReceived, schema.Data{}},
		"test, with data":       {`{"event":"test_webhook_endpoint","data":{}}`, schema.AccountTestReceived, schema.Data{}},
		"organization":          {`{"event":"organization_validated"}`, schema.OrganizationValidated, schema.Data{}},
		"organization, null":    {`{"event":"organization_expired","data":null}`, schema.OrganizationExpired, schema.Data{}},
		"organization, array":   {`{"event":"organization_revalidation_notice","data":[1]}`, schema.OrganizationRevalidationDue, schema.Data{}},
		"organization, flat":    {`{"event":"organization_validated","data":{"organization_id":5,"organization_name":"Example Corp.","validation_type":"ov"}}`, schema.OrganizationValidated, schema.Data{OrganizationID: "5", OrganizationName: "Example Corp.", ValidationType: "ov"}},
		"organization, nested":  {`{"event":"organization_validated","data":{"organization":{"id":5,"name":"Example"},"type":"ev"}}`, schema.OrganizationValidated, schema.Data{OrganizationID: "5", OrganizationName: "Example", ValidationType: "ev"}},
		"organization, bare":    {`{"event":"organization_validated","data":{"id":"5","name":"Example"}}`, schema.OrganizationValidated, schema.Data{OrganizationID: "5", OrganizationName: "Example"}},
		"domain, flat":          {`{"event":"domain_validated","data":{"domain_id":6,"domain_name":"B\u00fccher.Example.","organization_id":5}}`, schema.DomainValidated, schema.Data{DomainID: "6", Domain: "xn--bcher-kva.example", OrganizationID: "5"}},
		"domain, nested":        {`{"event":"domain_expired","data":{"domain":{"id":6,"name":"example.test"},"organization":{"id":5,"name":"X"}}}`, schema.DomainExpired, schema.Data{DomainID: "6", Domain: "example.test", OrganizationID: "5", OrganizationName: "X"}},
		"domain, bare":          {`{"event":"domain_revalidation_notice","data":{"id":6,"name":"*.example.test"}}`, schema.DomainRevalidationDue, schema.Data{DomainID: "6", Domain: "*.example.test"}},
		"domain, as a word":     {`{"event":"domain_validated","data":{"domain":"example.test"}}`, schema.DomainValidated, schema.Data{Domain: "example.test"}},
		"domain, as a DNS name": {`{"event":"domain_validated","data":{"dns_name":"example.test"}}`, schema.DomainValidated, schema.Data{Domain: "example.test"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := post(tc.body)
			ingesttest.Check(t, p, d)
			ingesttest.Redacted(t, p, d)
			kind, data, err := p.Decode(d)
			if err != nil {
				t.Fatal(err)
			}
			tc.want.Event, tc.want.Decoder = data.Event, decoder
			ingesttest.Equal(t, kind, data, tc.kind, tc.want)
			if !strings.Contains(tc.body, `"`+data.Event+`"`) {
				t.Errorf("event is %q", data.Event)
			}
		})
	}
}

func TestDecodeExpiry(t *testing.T) {
	p := System.New(setting)
	for fields, want := range map[string]string{
		`"validated_until":"2027-06-03T10:00:00+02:00"`:                          "2027-06-03T08:00:00.000Z",
		`"valid_until":"2027-06-03"`:                                             "2027-06-03T00:00:00.000Z",
		`"expires_at":"2027-06-03T10:00:00"`:                                     "2027-06-03T10:00:00.000Z",
		`"expiration_date":"2027-06-03 10:00:00"`:                                "2027-06-03T10:00:00.000Z",
		`"dcv_expiry_date":"2027-06-03"`:                                         "2027-06-03T00:00:00.000Z",
		`"reuse_until":"2027-06-03","a_date":"2026-01-01"`:                       "2027-06-03T00:00:00.000Z",
		`"created_date":"2026-01-01","z_date":"2027-06-03","b_date":null`:        "2027-06-03T00:00:00.000Z",
		`"domain":{"id":1,"name":"example.test","validated_until":"2027-06-03"}`: "2027-06-03T00:00:00.000Z",
		`"validated_until":null`:                                                 "",
		`"validation_date":"2026-01-01","created_date":"2026-01-01"`:             "",
		`"date_created":"2026-01-01"`:                                            "",
		`"validated_until":"soon"`:                                               `expires_at: "soon" is not a time`,
		`"validated_until":1811930400`:                                           `expires_at: "1811930400" is not a time`,
		`"domain_name":"not a domain"`:                                           `domain: "not a domain" is not a domain name`,
		`"organization_id":"` + strings.Repeat("5", 300) + `","domain":"a.test"`: `organization_id: an id of 300 bytes is longer than the 256 that a subject bears`,
		`"domain_id":"` + strings.Repeat("5", 300) + `","domain_name":"a.test"`:  `domain_id: an id of 300 bytes is longer than the 256 that a subject bears`,
	} {
		d := post(`{"event":"domain_validated","data":{` + fields + `}}`)
		ingesttest.Check(t, p, d)
		ingesttest.Redacted(t, p, d)
		_, data, err := p.Decode(d)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if data.ExpiresAt != nil {
			got = data.ExpiresAt.String()
		}
		for _, u := range data.Unreadable {
			got += u.Part + ": " + u.Reason
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", fields, got, want)
		}
	}
}

func TestDecodeQuarantine(t *testing.T) {
	p := System.New(setting)
	long := strings.Repeat("1", 257)
	for name, tc := range map[string]struct{ body, event, reason string }{
		"no order id":       {`{"event":"certificate_issued","data":{"certificate_id":1}}`, "certificate_issued", "! The certificate_issued event has no order_id."},
		"no data":           {`{"event":"order_rejected"}`, "order_rejected", "! The order_rejected event has no order_id."},
		"data is a list":    {`{"event":"order_rejected","data":[{"order_id":1}]}`, "order_rejected", "! The order_rejected event has no order_id."},
		"no certificate id": {`{"event":"certificate_revoked","data":{"order_id":1}}`, "certificate_revoked", "! The certificate_revoked event has no certificate_id."},
		"id is an object":   {`{"event":"order_approval_email_sent","data":{"order_id":{"id":1}}}`, "order_approval_email_sent", "! The order_approval_email_sent event has no order_id."},
		"id is a fraction":  {`{"event":"certificate_issued","data":{"order_id":1.5}}`, "certificate_issued", "! The certificate_issued event has no order_id."},
		"id is too long":    {`{"event":"certificate_issued","data":{"order_id":"` + long + `"}}`, "certificate_issued", "! The order_id cannot be used: an id of 257 bytes is longer than the 256 that a subject bears."},
		"2nd id too long":   {`{"event":"certificate_issued","data":{"order_id":1,"certificate_id":` + long + `}}`, "certificate_issued", "! The certificate_id cannot be used: an id of 257 bytes is longer than the 256 that a subject bears."},
		"webhook id":        {`{"event":"challenge_webhook_endpoint","data":{"webhook_id":` + long + `}}`, "challenge_webhook_endpoint", "! The webhook_id cannot be used: an id of 257 bytes is longer than the 256 that a subject bears."},
		"not JSON":          {`event=certificate_issued`, "", "! The body is not JSON: invalid character 'e' looking for beginning of value."},
		"cut off":           {`{"event":"certificate_issued","data":{"order_id":1`, "", "! The body is not JSON: unexpected end of JSON input."},
		"two bodies":        {`{"event":"test_webhook_endpoint"}{}`, "", "! The body is not JSON: invalid character '{' after top-level value."},
		"empty":             {``, "", "! The body is not JSON: unexpected end of JSON input."},
		"a list":            {`[{"event":"certificate_issued"}]`, "", "The body is JSON, but not an object with an event."},
		"a word":            {`"certificate_issued"`, "", "The body is JSON, but not an object with an event."},
		"null":              {`null`, "", "The body names no event."},
		"no event":          {`{"data":{"order_id":1}}`, "", "The body names no event."},
		"event is a list":   {`{"event":["certificate_issued"],"data":{"order_id":1}}`, "", "The body names no event."},
		"unknown":           {`{"event":"order_eaten","data":{"order_id":1}}`, "order_eaten", `The event "order_eaten" is documented nowhere.`},
		"unknown, long id":  {`{"event":"order_eaten","data":{"order_id":` + long + `,"orderApprovalEmailStatus":"complete"}}`, "order_eaten", `The event "order_eaten" is documented nowhere.`},
		"approval, no id":   {`{"event":"order_done","data":{"orderApprovalEmailStatus":"complete"}}`, "order_done", `The event "order_done" is documented nowhere.`},
		"case":              {`{"event":"Certificate_Issued","data":{"order_id":1}}`, "Certificate_Issued", `The event "Certificate_Issued" is documented nowhere.`},
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
			reason, unreadable := strings.CutPrefix(tc.reason, "! ")
			if *q != (provider.Quarantine{Event: tc.event, Reason: reason, Unreadable: unreadable}) {
				t.Errorf("got %+v", *q)
			}
		})
	}
}

func TestChallengeTokenIsNotKept(t *testing.T) {
	p := System.New(setting)
	for _, token := range []string{`"t0ken-0123456789"`, `9876543210`} {
		d := post(`{"event":"challenge_webhook_endpoint","data":{"token":` + token + `,"webhook_id":1}}`)
		_, data, err := p.Decode(d)
		if err != nil {
			t.Fatal(err)
		}
		if text := ingesttest.JSON(t, data) + ingesttest.Redacted(t, p, d); strings.Contains(text, strings.Trim(token, `"`)) {
			t.Errorf("the token is in what is stored: %s", text)
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
	f.Fuzz(func(t *testing.T, body []byte) { ingesttest.Check(t, p, post(string(body))) })
}

// FuzzReading holds what is read of a delivery in one pass against what encoding/json reads.
func FuzzReading(f *testing.F) {
	for _, s := range []string{
		`{"event":"e","data":{"order_id":1}}`, `{"event":"a","event":null,"data":1,"data":{}}`, `{"Event":"a"}`, `{"order_id":1,"order_id":" 2 ","ORDER_ID":3}`,
		`{"certificate_id":1.5,"reason":"\ud800","webhook_id":"\u00e9","certificate_chain": [ {"pem":"x"} ] }`, `{"orderApprovalEmailStatus":"complete","order_id":7}`, `[]`, `null`, `{"a":1}x`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var wantEnvelope envelope
		wantErr := json.Unmarshal(b, &wantEnvelope)
		if got, err := readEnvelope(b); (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, wantEnvelope) {
			t.Fatalf("%s is read as %+v (%v), want %+v (%v)", b, got, err, wantEnvelope, wantErr)
		}
		var want documented
		_ = json.Unmarshal(b, &want)
		if got := readDocumented(b); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s is read as %+v, want %+v", b, got, want)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	p := System.New(setting)
	for name, body := range map[string]string{
		"issued": `{"event":"certificate_issued","data":{"order_id":12345,"certificate_id":23456}}`,
		"domain": `{"event":"domain_validated","data":{"domain_id":1,"domain_name":"example.test","validated_until":"2027-06-03T10:00:00+00:00"}}`,
	} {
		d := post(body)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := p.Decode(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestHandshake(t *testing.T) {
	p := System.New(setting).(provider.Handshaker)
	const challenge = `{"event":"challenge_webhook_endpoint","data":{"token":%s,"webhook_id":12345}}`
	for body, want := range map[string]string{
		fmt.Sprintf(challenge, `"abc"`): "abc", fmt.Sprintf(challenge, "123"): "123", "\ufeff" + fmt.Sprintf(challenge, `"abc"`): "abc",
		fmt.Sprintf(challenge, "null"): "", `{"event":"certificate_issued","data":{"token":"abc"}}`: "", "": "",
	} {
		if _, token := p.Handshake(&provider.Delivery{Method: "POST", Body: []byte(body)}); token != want {
			t.Errorf("%s has the token %q, want %q", body, token, want)
		}
	}
}
