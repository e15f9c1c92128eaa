package xolphin

import (
	"encoding/pem"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

const apiPassword = "pa55-word-0123456789"

// client asks an API that expects just these calls, with the headers that the vendor's clients send.
func client(t *testing.T, calls ...ingesttest.Call) *Client {
	t.Helper()
	for i := range calls {
		calls[i].Method, calls[i].Path = "GET", "/v1/"+calls[i].Path
		calls[i].Header = map[string]string{"Authorization": "Basic dXNlcjpwYTU1LXdvcmQtMDEyMzQ1Njc4OQ==", "Accept": "application/json"}
	}
	caller, err := ask.NewCaller(ask.Options{
		Name: "Xolphin", Base: ingesttest.API(t, calls...).URL + "/v1", Authorize: Authorize("user", apiPassword), Secrets: []string{apiPassword, Basic("user", apiPassword)}, Tries: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return NewClient(caller)
}

// request writes the model of the vendor's clients, with the parts that differ.
func request(id, dcv, more string) string {
	return `{"id":` + id + `,"domainName":"WWW.Example.test","subjectAlternativeNames":["example.test","www.example.test"],"years":1,"company":"Example B.V.","dateOrdered":"2026-11-20T10:00:00+01:00",
		"validations":{"dcv":{"status":false,"statusDetail":0,"statusMessage":"","domains":[` + dcv + `]}` + more + `,
		"approverEmail":"a@example.test","_embedded":{"product":{"id":18},"notes":[]}}`
}

const twoDomains = `{"domain":"www.example.test","status":false,"statusDetail":0,"statusMessage":"not found yet","dcvType":"DNS"},{"domain":"example.test","status":1,"dcvType":"FILE"}`

func TestRequestChecks(t *testing.T) {
	for name, tc := range map[string]struct {
		dcv, more string
		want      schema.Checks
		reason    string
	}{
		"all passed": {`{"domain":"b\u00fccher.test","status":true}`, `,"docs":{"status":true},"organization":{"status":true},"phone":{"status":true},"whois":{"status":true},"request":{"status":true}},"requiresAction":false,"brandValidation":false`,
			schema.Checks{"domain:xn--bcher-kva.test": "passed", "organization": "passed", "phone": "passed", "whois": "passed", "csr": "passed", "brand": "passed"}, ""},
		"domains wait": {twoDomains, `,"phone":{"status":true}},"requiresAction":false`,
			schema.Checks{"domain:www.example.test": "pending", "domain:example.test": "passed", "phone": "passed"}, "not found yet"},
		"domains require action": {twoDomains, `,"phone":{"status":true}},"requiresAction":true`,
			schema.Checks{"domain:www.example.test": "failed", "domain:example.test": "passed", "phone": "passed"}, "not found yet"},
		"another requires action": {twoDomains, `,"phone":{"status":false,"statusMessage":"nobody answered"}},"requiresAction":1,"brandValidation":true`,
			schema.Checks{"domain:www.example.test": "pending", "domain:example.test": "passed", "phone": "failed", "brand": "delayed"}, "nobody answered"},
		"docs wait, organization passed": {"", `,"docs":{"status":0},"organization":{"status":true}}`, schema.Checks{"organization": "pending"}, ""},
		"organization waits":             {"", `,"docs":{"status":true},"organization":{"status":"0"}}`, schema.Checks{"organization": "pending"}, ""},
		"statuses that nobody knows":     {`{"domain":"a.test","status":2},{"domain":"b.test","status":"1"},{"domain":"c.test"},{"domain":"not a name","status":1}`, `,"phone":{"status":null},"whois":[],"mystery":{"status":true}}`, schema.Checks{"domain:b.test": "passed"}, ""},
		"nothing to do":                  {"", `},"requiresAction":true`, schema.Checks{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := client(t, ingesttest.Call{Path: "requests/960000024", Answer: request("960000024", tc.dcv, tc.more)}).Request(t.Context(), "960000024")
			if err != nil || !reflect.DeepEqual(r.Checks, tc.want) || r.Reason != tc.reason {
				t.Errorf("got %v, %q, %v; want %v", r.Checks, r.Reason, err, tc.want)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	body := request("960000024", twoDomains, `,"phone":{"status":true}},"requiresAction":true`)
	s, answer, err := client(t, ingesttest.Call{Path: "requests/960000024", Answer: body}).Describe(t.Context(), "960000024")
	if err != nil {
		t.Fatal(err)
	}
	checks := schema.Checks{"domain:www.example.test": "failed", "domain:example.test": "passed", "phone": "passed"}
	names := &schema.Certificate{CommonName: "www.example.test", DNSNames: []string{"www.example.test", "example.test"}}
	ingesttest.Equal(t, answer.Kind, answer.Data, schema.OrderDescribed, schema.Data{
		Event: "request", Decoder: "xolphin-api/1", OrderID: "960000024", OrganizationName: "Example B.V.", Checks: checks, Reason: "not found yet", Certificate: names,
	})
	if want := (provider.Standing{OrderID: "960000024", Word: "requires action", Checks: checks, Certificate: names}); !reflect.DeepEqual(s, want) {
		t.Errorf("got %+v, want %+v", s, want)
	}
	if string(answer.Delivery.Body) != body {
		t.Errorf("kept %s", answer.Delivery.Body)
	}
}

func certificate(id, first, more, issued string) string {
	return fmt.Sprintf(`{"id":%s,"domainName":%q,"subjectAlternativeNames":[%s],"dateIssued":%q,"dateExpired":"2027-06-07T00:00:00+02:00","dateSubscriptionExpired":null,"valid":true}`, id, first, more, issued)
}

func page(list string, page, pages int, items ...string) ingesttest.Call {
	return ingesttest.Call{Path: list, Query: fmt.Sprintf("page=%d", page),
		Answer: fmt.Sprintf(`{"page":%d,"pages":%d,"limit":2,"total":9,"_embedded":{%q:[%s]}}`, page, pages, list, strings.Join(items, ","))}
}

func TestStandings(t *testing.T) {
	c := client(t,
		page("requests", 1, 3, request("1", twoDomains, "}"), `{"domainName":"without.number"}`),
		page("requests", 2, 3, request("1", twoDomains, "}"), `"odd"`),
		page("requests", 3, 3, `{"id":"2","domainName":"other.test","subjectAlternativeNames":"a.other.test, b.other.test","requiresAction":true}`),
		page("certificates", 1, 1,
			certificate("11", "www.example.test", `"example.test"`, "2025-11-20T00:00:00+01:00"), certificate("12", "example.test", `"www.example.test"`, "2026-11-20T00:00:00+01:00"),
			certificate("13", "example.test", `"www.example.test"`, "2026-11-22T00:00:00+01:00"), certificate("14", "www.example.test", "", "2026-11-23T00:00:00+01:00")),
	)
	list, err := c.Standings(t.Context(), time.Time{}, time.Time{})
	if err != nil || len(list) != 2 {
		t.Fatalf("got %+v, %v", list, err)
	}
	if s := list[0]; s.OrderID != "1" || s.State != provider.StandingIssued || s.CertificateID != "13" || s.At.String() != "2026-11-21T23:00:00.000Z" {
		t.Errorf("got %+v", s)
	}
	if s := list[1]; s.OrderID != "2" || s.State != provider.StandingPending || s.CertificateID != "" || s.Word != "requires action" || len(s.Certificate.DNSNames) != 3 {
		t.Errorf("got %+v", s)
	}
}

func TestMatch(t *testing.T) {
	at := func(s string) *schema.Time {
		parsed, err := schema.ParseTime(s)
		if err != nil {
			t.Fatal(err)
		}
		return &parsed
	}
	r := Request{Names: []string{"a.test", "b.test"}, Ordered: at("2026-11-20T10:00:00+01:00")}
	for name, tc := range map[string]struct {
		certificates []Certificate
		want         string
	}{
		"none":             {nil, ""},
		"in any order":     {[]Certificate{{ID: "1", Names: []string{"b.test", "a.test"}, Issued: at("2026-11-21")}}, "1"},
		"the same day":     {[]Certificate{{ID: "1", Names: []string{"a.test", "b.test"}, Issued: at("2026-11-20T00:00:00+01:00")}}, "1"},
		"the order before": {[]Certificate{{ID: "1", Names: []string{"a.test", "b.test"}, Issued: at("2026-11-18")}}, ""},
		"a name more":      {[]Certificate{{ID: "1", Names: []string{"a.test", "b.test", "c.test"}, Issued: at("2026-11-21")}}, ""},
		"a name fewer":     {[]Certificate{{ID: "1", Names: []string{"a.test"}, Issued: at("2026-11-21")}}, ""},
		"no date":          {[]Certificate{{ID: "1", Names: []string{"a.test", "b.test"}}}, ""},
		"the newest":       {[]Certificate{{ID: "1", Names: r.Names, Issued: at("2026-11-21")}, {ID: "2", Names: r.Names, Issued: at("2026-11-23")}, {ID: "3", Names: r.Names, Issued: at("2026-11-22")}}, "2"},
	} {
		got, ok := Match(r, tc.certificates)
		if got.ID != tc.want || ok != (tc.want != "") {
			t.Errorf("%s: got %q, %v", name, got.ID, ok)
		}
	}
	if _, ok := Match(Request{}, []Certificate{{ID: "1", Issued: at("2026-11-21")}}); ok {
		t.Error("a request without names matches a certificate without names")
	}
}

// goldenPEM returns a certificate from a recorded delivery of another provider.
func goldenPEM(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../digicert/testdata/certificate_issued-chain.http")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(b), `\r\n`, "\n")
	_, rest, _ := strings.Cut(text, `"pem":"`)
	text, _, _ = strings.Cut(rest, `"`)
	return text
}

func TestCollect(t *testing.T) {
	text := goldenPEM(t)
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatalf("not PEM: %s", text)
	}
	download := func(id, format, answer string) ingesttest.Call {
		return ingesttest.Call{Path: "certificates/" + id + "/download", Query: "format=" + format, Answer: answer, Type: "application/octet-stream"}
	}
	want, err := provider.ParseCertificate(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		id    string
		calls []ingesttest.Call
	}{
		"PEM": {"12", []ingesttest.Call{download("12", "CRT", text), download("12", "CA_BUNDLE", "")}},
		"DER": {"12", []ingesttest.Call{download("12", "CRT", string(block.Bytes)), download("12", "CA_BUNDLE", "")}},
		"by the order": {"", []ingesttest.Call{{Path: "requests/1", Answer: request("1", "", "}")}, page("certificates", 1, 1, certificate("12", "example.test", `"www.example.test"`, "2026-11-20T00:00:00+01:00")),
			download("12", "CRT", text), download("12", "CA_BUNDLE", text)}},
	} {
		answer, err := client(t, tc.calls...).Collect(t.Context(), "1", tc.id)
		if d := answer.Data; err != nil || answer.Kind != schema.CertificateCollected || d.OrderID != "1" || d.CertificateID != "12" || !reflect.DeepEqual(d.Certificate, want) || d.Unreadable != nil {
			t.Errorf("%s: got %+v, %v", name, answer, err)
		}
	}
	answer, err := client(t, download("12", "CRT", "soon"), download("12", "CA_BUNDLE", "")).Collect(t.Context(), "1", "12")
	if err != nil || answer.Data.Certificate != nil || len(answer.Data.Unreadable) != 1 {
		t.Errorf("no certificate: got %+v, %v", answer, err)
	}
	c := client(t, ingesttest.Call{Path: "requests/1", Answer: request("1", "", "}")}, page("certificates", 1, 1))
	if _, err := c.Collect(t.Context(), "1", ""); err == nil || !strings.Contains(err.Error(), "it may not be issued yet, so ask again later") {
		t.Errorf("not issued: got %v", err)
	}
}

func TestRefusals(t *testing.T) {
	for want, call := range map[string]ingesttest.Call{
		"describe certificate 1 failed: it does not accept the credentials": {Path: "certificates/1", Status: 401, Answer: `{"message":"Account credentials are invalid."}`},
		"describe certificate 1 failed: it does not know of it":             {Path: "certificates/1", Status: 404, Answer: `{"message":"Resource not found."}`},
		`describe certificate 1 failed: it says "Bad [redacted]"`:           {Path: "certificates/1", Status: 422, Answer: `{"message":"Bad ` + apiPassword + `","errors":{}}`},
		`describe certificate 1 failed: it says "nothing"`:                  {Path: "certificates/1", Status: 400, Answer: `[]`},
		"it has no number": {Path: "certificates/1", Answer: `{"domainName":"a.test"}`},
	} {
		if _, err := client(t, call).Certificate(t.Context(), "1"); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), apiPassword) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := client(t).Request(t.Context(), " "); err == nil {
		t.Error("a request without a number is asked for")
	}
	c := client(t, ingesttest.Call{Path: "certificates/31", Answer: certificate("31", "a.test", "", "2026-11-20T00:00:00+01:00")})
	if got, err := c.Certificate(t.Context(), "31"); err != nil || got.ID != "31" || got.Expires.String() != "2027-06-06T22:00:00.000Z" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzRequest(f *testing.F) {
	f.Add(request("1", twoDomains, `,"docs":{"status":true},"phone":{"status":2}},"requiresAction":true,"brandValidation":1`))
	f.Add(`{"id":"x","validations":{"dcv":{"domains":{}},"phone":7},"subjectAlternativeNames":{"a":1}}`)
	f.Fuzz(func(t *testing.T, body string) {
		r, err := readRequest([]byte(body))
		if err != nil {
			return
		}
		s := r.standing(nil)
		e := schema.New("id", "/ask/xolphin", schema.Time{}, schema.OrderDescribed, schema.Data{OrderID: s.OrderID, Checks: s.Checks, Certificate: s.Certificate, Reason: r.Reason})
		if _, err := e.Encode(); err != nil || s.OrderID == "" || len(e.NATSSubject()) > 1000 {
			t.Errorf("%+v: %v", s, err)
		}
	})
}
