package xolphin

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

func setting(name string) string { return "a-" + name + "-of-at-least-32-characters" }

func get(query string) *provider.Delivery { return &provider.Delivery{Method: "GET", Query: query} }

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

func TestDecode(t *testing.T) {
	p := System.New(setting)
	for query, tc := range map[string]struct {
		kind schema.Kind
		want schema.Data // without order id and decoder
	}{
		"RequestId=960000024&Status=Issued":                                {schema.OrderIssued, schema.Data{Event: "Issued"}},
		"RequestId=960000024&Status=Deleted":                               {schema.OrderCanceled, schema.Data{Event: "Deleted"}},
		"Status=Issued&State=Phone&RequestId=960000024":                    {schema.OrderIssued, schema.Data{Event: "Issued"}},
		"requestid=+960000024+&STATUS=issued&x=1":                          {schema.OrderIssued, schema.Data{Event: "Issued"}},
		"RequestId=&RequestId=960000024&status=&Status=DELETED":            {schema.OrderCanceled, schema.Data{Event: "Deleted"}},
		"RequestId=960000024&Status=Updated&State=Phone":                   {schema.OrderCheckFailed, schema.Data{Event: "Updated/Phone", Check: "phone", CheckState: "failed"}},
		"RequestId=960000024&Status=Updated&State=organization":            {schema.OrderCheckFailed, schema.Data{Event: "Updated/Organization", Check: "organization", CheckState: "failed"}},
		"RequestId=960000024&Status=Updated&State=CSR":                     {schema.OrderCheckFailed, schema.Data{Event: "Updated/CSR", Check: "csr", CheckState: "failed"}},
		"RequestId=960000024&Status=Updated&State=Whois":                   {schema.OrderCheckFailed, schema.Data{Event: "Updated/Whois", Check: "whois", CheckState: "failed"}},
		"RequestId=960000024&Status=Updated&State=PhonecallDelayed":        {schema.OrderCheckDelayed, schema.Data{Event: "Updated/PhonecallDelayed", Check: "phone", CheckState: "delayed"}},
		"RequestId=960000024&Status=Updated&State=Message":                 {schema.OrderMessageReceived, schema.Data{Event: "Updated/Message"}},
		"RequestId=960000024&Status=Updated&State=ReadyForReissue":         {schema.OrderReissueReady, schema.Data{Event: "Updated/ReadyForReissue"}},
		"RequestId=960000024&Status=Updated&State=DCV&Domain=WWW.Bar.test": {schema.DomainValidated, schema.Data{Event: "Updated/DCV", Domain: "www.bar.test", Check: "domain:www.bar.test", CheckState: "passed"}},
		"RequestId=960000024&Status=Updated&State=dcv&domain=%2A.bar.test": {schema.DomainValidated, schema.Data{Event: "Updated/DCV", Domain: "*.bar.test", Check: "domain:*.bar.test", CheckState: "passed"}},
		"RequestId=960000024&Status=Updated&State=DCV&Domain=b%C3%BCr.test": {schema.DomainValidated, schema.Data{
			Event: "Updated/DCV", Domain: "xn--br-xka.test", Check: "domain:xn--br-xka.test", CheckState: "passed"}},
		"RequestId=960000024&Status=Updated&State=Docs":  {schema.OrderUpdated, schema.Data{Event: "Updated/Docs"}},
		"RequestId=960000024&Status=Updated&State=":      {schema.OrderUpdated, schema.Data{Event: "Updated"}},
		"RequestId=960000024&Status=Updated":             {schema.OrderUpdated, schema.Data{Event: "Updated"}},
		"RequestId=960000024&Status=Updated&State=a%FFb": {schema.OrderUpdated, schema.Data{Event: "Updated/a\ufffdb"}},
	} {
		d := get(query)
		ingesttest.Check(t, p, d)
		ingesttest.Redacted(t, p, d)
		kind, data, err := p.Decode(d)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		tc.want.OrderID, tc.want.Decoder = "960000024", decoder
		ingesttest.Equal(t, kind, data, tc.kind, tc.want)
	}
}

func TestDecodeQuarantine(t *testing.T) {
	p := System.New(setting)
	for query, tc := range map[string]struct{ event, reason string }{
		"Status=Issued":                                                 {"Issued", "! The Issued delivery has no RequestId."},
		"Status=Updated&State=Phone&RequestId=+":                        {"Updated/Phone", "! The Updated/Phone delivery has no RequestId."},
		"Status=Updated&State=DCV&RequestId=1":                          {"Updated/DCV", "! The Updated/DCV delivery has no Domain."},
		"Status=Updated&State=DCV&RequestId=1&Domain=not+a+domain":      {"Updated/DCV", `! The Domain "not a domain" is not a domain name.`},
		"Status=Issued&RequestId=" + strings.Repeat("1", 257):           {"Issued", "! The RequestId cannot be used: an id of 257 bytes is longer than the 256 that a subject bears."},
		"RequestId=1&Status=%zz":                                        {"", "! The query cannot be read: it has a broken percent escape."},
		"RequestId=1&Status=Issued&%=1":                                 {"", "! The query cannot be read: it has a broken percent escape."},
		"RequestId=1&Status=Issued" + strings.Repeat("&a=1", maxParams): {"", "! The query has more than 100 parameters."},
		"RequestId=1&Status=Expired":                                    {"Expired", `The Status "Expired" is documented nowhere.`},
		"RequestId=1":                                                   {"", "The query has no Status."},
		"":                                                              {"", "The query has no Status."},
	} {
		d := get(query)
		ingesttest.Check(t, p, d)
		ingesttest.Redacted(t, p, d)
		_, _, err := p.Decode(d)
		var q *provider.Quarantine
		if !errors.As(err, &q) {
			t.Errorf("%s is not quarantined: %v", query, err)
			continue
		}
		reason, unreadable := strings.CutPrefix(tc.reason, "! ")
		if *q != (provider.Quarantine{Event: tc.event, Reason: reason, Unreadable: unreadable}) {
			t.Errorf("%s: got %+v", query, *q)
		}
	}
}

func FuzzDecode(f *testing.F) {
	p := System.New(setting)
	for _, sample := range System.Samples {
		f.Add(sample.Build(sample.Params).Query)
	}
	files, _ := filepath.Glob("testdata/*.http")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		line, _, _ := strings.Cut(string(b), "\n")
		_, query, _ := strings.Cut(line, "?")
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) { ingesttest.Check(t, p, get(query)) })
}

func BenchmarkDecode(b *testing.B) {
	p, d := System.New(setting), get("RequestId=960000024&Status=Updated&State=DCV&Domain=www.example.test")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := p.Decode(d); err != nil {
			b.Fatal(err)
		}
	}
}
