package schema

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEventOnTheWire(t *testing.T) {
	at := At(time.Date(2026, 11, 21, 22, 0, 0, 123456789, time.FixedZone("CET", 3600)))
	e := New("0199", "/hooks/digicert", at, OrderIssued, Data{
		Provider: "digicert", Event: "certificate_issued", Decoder: "digicert/1", OrderID: "12345", CertificateID: "23456",
		Original: &Original{Method: "POST", Headers: map[string]string{"content-type": "application/json"}, Body: json.RawMessage(`{"a":"<b>"}`)},
	})
	got, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"specversion":"1.0","id":"0199","source":"/hooks/digicert","type":"certtrail.order.issued.v1","subject":"order/digicert/12345",` +
		`"time":"2026-11-21T21:00:00.123Z","datacontenttype":"application/json","dataschema":"` + DataSchema + `",` +
		`"data":{"provider":"digicert","event":"certificate_issued","decoder":"digicert/1","order_id":"12345","certificate_id":"23456",` +
		`"original":{"method":"POST","query":"","headers":{"content-type":"application/json"},"body":{"a":"<b>"}}}}`
	if string(got) != want {
		t.Errorf("wire form\n got %s\nwant %s", got, want)
	}
	if subject := e.NATSSubject(); subject != "certs.order.issued.digicert.12345" {
		t.Errorf("subject %s", subject)
	}
}

func TestDecodeMeaning(t *testing.T) {
	wire := `{"specversion":"1.0","id":"1","source":"/hooks/x","type":"certtrail.order.issued.v1","subject":"order/x/9","time":"2026-11-21T21:00:00.000Z",` +
		`"data":{"provider":"x","event":"e","decoder":"x/1","order_id":"9","original":{"method":"POST","query":"","headers":{"a":"b"},"body":{"c":1}}}}`
	whole, err := Decode([]byte(wire))
	if err != nil {
		t.Fatal(err)
	}
	meaning, err := DecodeMeaning([]byte(wire))
	if err != nil {
		t.Fatal(err)
	}
	if whole.Data.Original == nil || meaning.Data.Original != nil {
		t.Errorf("original %v and %v, want it in the whole event only", whole.Data.Original, meaning.Data.Original)
	}
	whole.Data.Original, meaning.wire = nil, nil
	if !reflect.DeepEqual(whole, meaning) {
		t.Errorf("without the original\n%+v, want\n%+v", meaning, whole)
	}
	for _, bad := range []string{"", "[]", "{}", `{"id":"1"}`} {
		if _, err := DecodeMeaning([]byte(bad)); err == nil {
			t.Errorf("%q is read as an event", bad)
		}
	}
}

func TestUnknownMembersSurvive(t *testing.T) {
	wire := `{"specversion":"1.0","id":"1","source":"/hooks/x","type":"certtrail.order.teleported.v7","subject":"order/x/9","time":"2026-11-21T21:00:00.000Z",` +
		`"traceparent":"00-ab","data":{"provider":"x","event":"e","decoder":"x/1","order_id":"9","warp":{"factor":9}}}`
	e, err := Decode([]byte(wire))
	if err != nil {
		t.Fatal(err)
	}
	if e.Kind() != "order.teleported" {
		t.Errorf("kind %q", e.Kind())
	}
	e.Imported = "true"
	again, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"traceparent":"00-ab"`, `"warp":{"factor":9}`, `"certtrailimported":"true"`, `"type":"certtrail.order.teleported.v7"`} {
		if !strings.Contains(string(again), part) {
			t.Errorf("%s is lost in %s", part, again)
		}
	}
}

func TestSubjects(t *testing.T) {
	for _, c := range []struct {
		kind         Kind
		provider, id string
		want         string
	}{
		{OrderIssued, "digicert", "12345", "certs.order.issued.digicert.12345"},
		{CertificateRevoked, "sectigo", "", "certs.certificate.revoked.sectigo._"},
		{CertificateRevoked, "sectigo", "_", "certs.certificate.revoked.sectigo.%5F"},
		{OrderIssued, "digicert", "a.b *>é", "certs.order.issued.digicert.a%2Eb%20%2A%3E%C3%A9"},
		{DomainValidated, "xolphin", "www.example.com", "certs.domain.validated.xolphin.com.example.www"},
		{DomainValidated, "xolphin", "*.example.com", "certs.domain.validated.xolphin.com.example._wildcard"},
		{DomainValidated, "xolphin", "_wildcard.example.com", "certs.domain.validated.xolphin.com.example.%5Fwildcard"},
		{DomainValidated, "digicert", "", "certs.domain.validated.digicert._"},
		{"account.user_create", "sectigo", "123", "certs.account.user_create.sectigo.123"},
	} {
		if got := SubjectFor(c.kind, c.provider, c.id); got != c.want {
			t.Errorf("SubjectFor(%s, %s, %q) = %s, want %s", c.kind, c.provider, c.id, got, c.want)
		}
	}
}

func TestSubjectsAreReversible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]Kind{OrderIssued, CertificateRevoked, DomainValidated, "website.firewall_enabled"}).Draw(t, "kind")
		id := rapid.String().Draw(t, "id")
		if kind == DomainValidated {
			id = strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"com", "example", "*", "_wildcard", "xn--bcher-kva", "_dmarc", "a b"}), 1, 5).Draw(t, "labels"), ".")
		}
		subject := SubjectFor(kind, "digicert-eu", id)
		got, err := ParseSubject(subject)
		if err != nil || got != (Address{kind, "digicert-eu", id}) {
			t.Fatalf("%q became %s, which reads as %+v (%v)", id, subject, got, err)
		}
		for _, token := range strings.Split(subject, ".") {
			if token == "" || strings.ContainsAny(token, "*> \t\r\n") {
				t.Fatalf("%s has the token %q", subject, token)
			}
		}
	})
}

func TestTokensThatTokenNeverWrote(t *testing.T) {
	for _, token := range []string{"a%", "a%4", "a%4gb", "a%g4b", "a%+4b", "a% 4b"} {
		if id, err := ParseToken(token); err == nil {
			t.Errorf("ParseToken(%q) = %q, want an error", token, id)
		}
	}
}

func TestDomainNames(t *testing.T) {
	for in, want := range map[string]string{
		"WWW.Example.COM.": "www.example.com", "bücher.example": "xn--bcher-kva.example", "*.Example.com": "*.example.com",
		"_acme-challenge.example.com": "_acme-challenge.example.com", " example.com ": "example.com", "XN--BCHER-KVA.example": "xn--bcher-kva.example",
	} {
		if got, err := DomainName(in); err != nil || got != want {
			t.Errorf("DomainName(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", ".", "..", "0..", "a。。", "*", "*.", "a..b", "a b.example", "\u00a8a.example", "xn-- a-z4g.example", "https://example.com/", "a*.example.com", strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 130) + "example"} {
		if got, err := DomainName(in); err == nil {
			t.Errorf("DomainName(%q) = %q, want an error", in, got)
		}
	}
	for in, want := range map[string]string{"*.xn--bcher-kva.example": "*.bücher.example", "xn--a.example": "xn--a.example", "46aGYvJUPCtW": "46aGYvJUPCtW"} {
		if got := DisplayName(in); got != want {
			t.Errorf("DisplayName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTimes(t *testing.T) {
	for in, want := range map[string]string{
		"2026-07-29T15:51:28.071Z": "2026-07-29T15:51:28.071Z", "2026-11-20T10:00:00+01:00": "2026-11-20T09:00:00.000Z",
		"2023-08-09T13:27:43.8208302": "2023-08-09T13:27:43.820Z", "2026-07-10T18:38:35": "2026-07-10T18:38:35.000Z", "2027-06-03": "2027-06-03T00:00:00.000Z",
	} {
		if got, err := ParseTime(in); err != nil || got.String() != want {
			t.Errorf("ParseTime(%q) = %s, %v; want %s", in, got, err, want)
		}
	}
	if _, err := ParseTime("tomorrow"); err == nil {
		t.Error("tomorrow is read as a time")
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(-62_135_596_799_999, 400_000_000_000_000).Draw(t, "ms")).In(time.FixedZone("", rapid.IntRange(-50_000, 50_000).Draw(t, "zone")))
		if got, want := (Time{at}).String(), at.UTC().Format(TimeFormat); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}
