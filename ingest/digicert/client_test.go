package digicert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

const orderIssued = `{"id":123456789,"certificate":{"id":112358,"thumbprint":"7D236B","serial_number":"00:0669D46C","common_name":"WWW.Example.test","dns_names":["www.example.test","b\u00fccher.test"],
	"date_created":"2026-08-19T18:16:07+00:00","date_issued":"2026-08-19T18:20:00+00:00","valid_from":"2026-08-19","valid_till":"2027-03-05","signature_hash":"sha256","key_size":2048,
	"ca_cert":{"id":"f7slk4","name":"Example Issuing CA"},"organization":{"id":5}},"status":"issued","is_renewal":true,"container":{"id":5,"name":"Default"},
	"organization":{"id":5,"name":"Example Corp."},"product":{"name_id":"ssl_plus","name":"SSL Plus","type":"ssl_certificate","validation_type":"ov"},"requests":[{"id":1,"status":"approved"}]}`

const orderValidation = `{"order_id":"112211","order_status":"pending","order_dcv_method":"email","organization_id":"12345","organization_name":"Example Organization",
	"organization_validations":[{"type":"ov","status":"active"},{"type":"ev","status":"pending","verification_details":{"organization_type":"pending"}}],
	"dns_name_validations":[{"domain_id":"1234","name_scope":"example.test","status":"approved","method":"email","dns_names":["www.example.test","*.example.test"]},
		{"name_scope":"other.test","status":"pending"},{"name_scope":"odd.test","status":"puzzled","dns_names":["odd.test","not a name"]},{"dns_names":["gone.test"],"status":"expired"}]}`

func TestOrderInfo(t *testing.T) {
	c := client(t, ingesttest.Call{Method: "GET", Path: "order/certificate/123456789", Answer: orderIssued})
	s, answer, err := c.OrderInfo(t.Context(), "123456789")
	if err != nil {
		t.Fatal(err)
	}
	names := &schema.Certificate{SerialNumber: "0669d46c", CommonName: "www.example.test", DNSNames: []string{"www.example.test", "xn--bcher-kva.test"}, Issuer: "Example Issuing CA"}
	at := schema.At(time.Date(2026, 8, 19, 18, 20, 0, 0, time.UTC))
	if want := (provider.Standing{OrderID: "123456789", CertificateID: "112358", State: "issued", Word: "issued", At: &at, Certificate: names}); !reflect.DeepEqual(s, want) {
		t.Errorf("got %+v, want %+v", s, want)
	}
	ingesttest.Equal(t, answer.Kind, answer.Data, schema.OrderDescribed, schema.Data{
		Event: "order_info", Decoder: "digicert-api/1", OrderID: "123456789", CertificateID: "112358", Certificate: names,
		OrganizationID: "5", OrganizationName: "Example Corp.", ValidationType: "ov",
	})
	if answer.Delivery.Method != "GET" || string(answer.Delivery.Body) != orderIssued {
		t.Errorf("kept %+v", answer.Delivery)
	}
}

func TestOrderInfoByStatus(t *testing.T) {
	for status, want := range map[string]struct {
		state  string
		checks schema.Checks
	}{
		"pending": {"pending", nil}, "needs_approval": {"pending", schema.Checks{"approval": "pending"}}, "needs_csr": {"pending", schema.Checks{"csr": "pending"}},
		"waiting_pickup": {"pending", nil}, "awaiting_pickup": {"pending", nil}, "processing": {"pending", nil}, "approved": {"pending", nil}, "issued": {"issued", nil},
		"reissue_pending": {"", nil}, "renewed": {"", nil}, "expired": {"", nil}, "rejected": {"rejected", nil}, "denied": {"rejected", nil},
		"canceled": {"canceled", nil}, "Cancelled": {"canceled", nil}, "revoked": {"revoked", nil}, "eaten": {"", nil}, "": {"", nil},
	} {
		c := client(t, ingesttest.Call{Method: "GET", Path: "order/certificate/1", Answer: `{"id":1,"status":"` + status + `","certificate":{"ca_cert":[],"organization":null},"organization":[]}`})
		s, answer, err := c.OrderInfo(t.Context(), "1")
		if err != nil || s.State != want.state || s.Word != status || !reflect.DeepEqual(s.Checks, want.checks) || !reflect.DeepEqual(answer.Data.Checks, want.checks) || answer.Data.OrganizationID != "" {
			t.Errorf("%s: got %+v, %+v, %v", status, s, answer.Data, err)
		}
	}
}

func TestValidationStatus(t *testing.T) {
	c := client(t, ingesttest.Call{Method: "GET", Path: "order/certificate/a%2Fb/validation", Answer: orderValidation})
	answer, err := c.ValidationStatus(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	ingesttest.Equal(t, answer.Kind, answer.Data, schema.OrderDescribed, schema.Data{
		Event: "order_info", Decoder: "digicert-api/1", OrderID: "a/b", OrganizationID: "12345", OrganizationName: "Example Organization",
		Checks: schema.Checks{"organization": "pending", "domain:www.example.test": "passed", "domain:*.example.test": "passed", "domain:other.test": "pending", "domain:gone.test": "failed"},
	})
}

func TestDescribe(t *testing.T) {
	pending := strings.Replace(strings.Replace(orderIssued, `"status":"issued"`, `"status":"needs_approval"`, 1), `"name":"Example Corp."`, `"x":1`, 1)
	c := client(t,
		ingesttest.Call{Method: "GET", Path: "order/certificate/1", Answer: pending},
		ingesttest.Call{Method: "GET", Path: "order/certificate/1/validation", Answer: strings.Replace(orderValidation, `"12345"`, `"5"`, 1)},
		ingesttest.Call{Method: "GET", Path: "order/certificate/2", Answer: orderIssued},
	)
	s, answer, err := c.Describe(t.Context(), "1")
	if err != nil || s.State != provider.StandingPending || s.Checks["approval"] != "pending" || s.Checks["domain:other.test"] != "pending" || len(s.Checks) != 6 ||
		!reflect.DeepEqual(s.Checks, answer.Data.Checks) || answer.Data.OrganizationName != "Example Organization" || answer.Data.Certificate.CommonName != "www.example.test" {
		t.Errorf("got %+v, %+v, %v", s, answer.Data, err)
	}
	if body := string(answer.Delivery.Body); !strings.HasPrefix(body, `{"order_info":{"id"`) || !strings.Contains(body, `,"validation":{"order_id"`) {
		t.Errorf("kept %s", body)
	}
	if s, _, err := c.Describe(t.Context(), "2"); err != nil || s.State != provider.StandingIssued {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestOrderIsNotThere(t *testing.T) {
	c := client(t, ingesttest.Call{Method: "GET", Path: "order/certificate/1", Status: 404, Answer: `{"errors":[{"code":"not_found|order","message":"x"}]}`},
		ingesttest.Call{Method: "GET", Path: "order/certificate/1", Answer: `[1]`})
	for _, want := range []string{"DigiCert could not be made to describe order 1: it does not know of it (not_found|order). See", "DigiCert, asked to describe order 1, answered with JSON of another shape"} {
		if _, _, err := c.Describe(t.Context(), "1"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v", err)
		}
	}
}

func chain(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x669d46c), Subject: pkix.Name{CommonName: "www.example.test"}, DNSNames: []string{"www.example.test"},
		NotBefore: time.Date(2026, 8, 19, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 3, 5, 23, 59, 59, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestCollect(t *testing.T) {
	bytes := map[string]string{"X-Dc-Devkey": apiKey, "Content-Type": "application/json", "Accept": "*/*"}
	text := chain(t)
	c := client(t,
		ingesttest.Call{Method: "GET", Path: "certificate/112358/download/format/pem_all", Header: bytes, Answer: text, Type: "application/x-pem-file"},
		ingesttest.Call{Method: "GET", Path: "certificate/download/order/7/format/pem_all", Header: bytes, Answer: "PK\x03\x04zip", Type: "application/zip"},
		ingesttest.Call{Method: "GET", Path: "certificate/9/download/format/pem_all", Header: bytes, Status: 404, Answer: `{"errors":[{"code":"not_found|certificate"}]}`},
	)
	answer, err := c.Collect(t.Context(), "7", "112358")
	if d := answer.Data; err != nil || answer.Kind != schema.CertificateCollected || d.OrderID != "7" || d.CertificateID != "112358" || d.Certificate == nil || d.Certificate.SerialNumber != "0669d46c" ||
		d.Certificate.NotAfter.String() != "2027-03-05T23:59:59.000Z" || d.Unreadable != nil || string(answer.Delivery.Body) != text {
		t.Errorf("got %+v, %v", answer, err)
	}
	answer, err = c.Collect(t.Context(), "7", "")
	if d := answer.Data; err != nil || d.Certificate != nil || len(d.Unreadable) != 1 || d.Unreadable[0].Part != "certificate" || d.CertificateID != "" {
		t.Errorf("got %+v, %v", answer, err)
	}
	if _, err := c.Collect(t.Context(), "7", "9"); err == nil || !strings.Contains(err.Error(), "hand out certificate 9: it does not know of it") {
		t.Errorf("got %v", err)
	}
	if _, err := c.Collect(t.Context(), "", ""); err == nil {
		t.Error("it is asked for nothing")
	}
}

func TestDomainInfo(t *testing.T) {
	const query = "include_dcv=true&include_validation=true"
	domain := func(more string) ingesttest.Call {
		return ingesttest.Call{Method: "GET", Path: "domain/12345678", Query: query, Answer: `{"id":12345678,"is_active":true,"status":"pending","name":"Example.test","organization":{"id":5,"name":"Example Corp.","is_active":"1"}` + more + `}`}
	}
	c := client(t, domain(`,"dcv_approval_datetime":"2026-05-27T22:11:22+00:00","dcv_expiration_datetime":"2026-12-12T22:11:22+00:00"`), domain(""), domain(`,"dcv_expiration_datetime":"soon"`))
	answer, err := c.DomainInfo(t.Context(), "12345678")
	if err != nil {
		t.Fatal(err)
	}
	approved, expires := schema.At(time.Date(2026, 5, 27, 22, 11, 22, 0, time.UTC)), schema.At(time.Date(2026, 12, 12, 22, 11, 22, 0, time.UTC))
	ingesttest.Equal(t, answer.Kind, answer.Data, schema.DomainValidated, schema.Data{
		Event: "domain_info", Decoder: "digicert-api/1", Domain: "example.test", DomainID: "12345678", OrganizationID: "5", OrganizationName: "Example Corp.", OccurredAt: &approved, ExpiresAt: &expires,
	})
	if answer.Delivery.Query != query {
		t.Errorf("kept %+v", answer.Delivery)
	}
	if answer, err = c.DomainInfo(t.Context(), "12345678"); err != nil || answer.Kind != "" {
		t.Errorf("not proven: got %+v, %v", answer, err)
	}
	if answer, err = c.DomainInfo(t.Context(), "12345678"); err != nil || answer.Kind != "" || len(answer.Data.Unreadable) != 1 {
		t.Errorf("odd time: got %+v, %v", answer, err)
	}
}

func TestStatusChanges(t *testing.T) {
	now := time.Date(2026, 11, 21, 22, 0, 30, 0, time.UTC)
	one := func(query, answer string) ingesttest.Call {
		return ingesttest.Call{Method: "GET", Path: "order/certificate/status-changes", Query: query, Answer: answer}
	}
	const three = `{"orders":[{"order_id":265,"certificate_id":112233,"status":"issued"},{"order_id":264,"certificate_id":112232,"status":"canceled"},{"order_id":"262","status":"rejected"},{"status":"issued"}]}`
	standings := "[265 112233 issued] [264 112232 canceled] [262  rejected]"
	for name, tc := range map[string]struct {
		back  time.Duration
		calls []ingesttest.Call
		want  string
	}{
		"minutes":     {10 * time.Minute, []ingesttest.Call{one("minutes=10", three)}, standings},
		"part of one": {61 * time.Second, []ingesttest.Call{one("minutes=2", "{}")}, ""},
		"a week":      {7 * 24 * time.Hour, []ingesttest.Call{one("minutes=10080", three)}, standings},
		"the future":  {-time.Hour, nil, ""},
		"over a week": {7*24*time.Hour + time.Second, []ingesttest.Call{one("filters[status_last_updated]=2026-11-14...2026-11-20", "{}"), one("minutes=10080", three)}, standings},
		"over two weeks": {15 * 24 * time.Hour, []ingesttest.Call{
			one("filters[status_last_updated]=2026-11-06...2026-11-12", `{"orders":[{"order_id":9,"status":"needs_approval"},{"order_id":264,"certificate_id":1,"status":"issued"}]}`),
			one("filters[status_last_updated]=2026-11-13...2026-11-19", "{}"), one("minutes=10080", three),
		}, "[9  pending] [264 112232 canceled] [265 112233 issued] [262  rejected]"},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := client(t, tc.calls...).Standings(t.Context(), now.Add(-tc.back), now)
			var got []string
			for _, s := range list {
				got = append(got, fmt.Sprintf("[%s %s %s]", s.OrderID, s.CertificateID, s.State))
			}
			if err != nil || strings.Join(got, " ") != tc.want {
				t.Errorf("got %v, %v; want %s", got, err, tc.want)
			}
		})
	}
	if _, err := client(t).StatusChanges(t.Context(), now.AddDate(-2, 0, 0), now); err == nil || !strings.Contains(err.Error(), "at most 366 days back, not since 2024-11-21") {
		t.Errorf("got %v", err)
	}
	c := client(t, ingesttest.Call{Method: "GET", Path: "order/certificate/status-changes", Query: "minutes=1", Status: 400, Answer: `{"errors":[{"code":"time_frame_too_long"}]}`})
	if _, err := c.StatusChanges(t.Context(), now.Add(-time.Second), now); err == nil || !strings.Contains(err.Error(), "at most seven days at a time") {
		t.Errorf("got %v", err)
	}
}

// Whatever is answered, nothing panics, and what comes out can be an event.
func FuzzOrderInfo(f *testing.F) {
	f.Add(orderIssued)
	f.Add(orderValidation)
	f.Add(`{"status":[],"certificate":{"dns_names":["",1,null],"serial_number":"xyz","id":{}},"organization":{"id":[]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		var order orderJSON
		var v validationJSON
		if json.Unmarshal([]byte(body), &order) == nil {
			data := schema.Data{Checks: order.checks(), Certificate: order.names()}
			order.organization(&data)
			if _, err := schema.New("id", "/ask/digicert", schema.Time{}, schema.OrderDescribed, data).Encode(); err != nil {
				t.Error(err)
			}
		}
		if json.Unmarshal([]byte(body), &v) == nil {
			for check := range v.checks() {
				if check != schema.CheckOrganization && !strings.HasPrefix(check, "domain:") {
					t.Errorf("a check %q", check)
				}
			}
		}
	})
}
