package node

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// TestRulesArePointedOut: the pages say of a certificate that it outlives its rule, and of a validation that it lapses before the next renewal; and of others nothing.
func TestRulesArePointedOut(t *testing.T) {
	i := newInside(t)
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	at := func(days int) *schema.Time { v := schema.At(now.AddDate(0, 0, days)); return &v }
	for name, days := range map[string]int{"long": 397, "short": 199} {
		i.told(now, schema.OrderIssued, schema.Data{Provider: "digicert", OrderID: name, CertificateID: name, Certificate: &schema.Certificate{
			CommonName: name + ".test", DNSNames: []string{name + ".test"}, NotBefore: at(-120), NotAfter: at(days - 120)}})
		i.told(now, schema.DomainValidated, schema.Data{Provider: "digicert", Domain: name + ".test", OccurredAt: at(-130)})
	}
	i.told(now, schema.OrderIssued, schema.Data{Provider: "digicert", OrderID: "bare", CertificateID: "bare"})
	h, err := web.New(web.Options{Store: i.o.Store, Log: i.o.log, Providers: func() []web.Provider { return nil }, Hosts: []string{"127.0.0.1"}, Now: func() time.Time { return now },
		Outlives: outlivesRule, LapsesFirst: lapsesFirst})
	if err != nil {
		t.Fatal(err)
	}
	pages := httptest.NewServer(h)
	t.Cleanup(pages.Close)
	const outlives, lapses = "It is valid for 398 days; what was issued since 15 March 2026 may be valid for 200 at most.", "It lapses on 3 February 2027, before the next renewal, which is due from "
	for path, want := range map[string]string{
		"/certificates/digicert/long": outlives, "/certificates/digicert/short": "", "/certificates/digicert/bare": "",
		"/domains/long.test": lapses + "30 July 2027 on", "/domains/short.test": "",
	} {
		status, page, err := fetch(pages.URL + path)
		if err != nil || status != 200 {
			t.Fatalf("%s: %d, %v", path, status, err)
		}
		if said := strings.Contains(string(page), "It is valid for ") || strings.Contains(string(page), "It lapses on "); said != (want != "") || !strings.Contains(string(page), want) {
			t.Errorf("%s: something is said: %v; want %q", path, said, want)
		}
	}
}
