package projections

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// TestUncollected counts the issued orders of which nobody knows when their certificates end, while certificates are
// collected, revoked and issued again.
func TestUncollected(t *testing.T) {
	l := newMemoryLog()
	s, _ := running(t, t.TempDir(), l)
	n := 0
	say := func(kind schema.Kind, provider, order, certificate string, known bool) {
		n++
		d := schema.Data{Provider: provider, OrderID: order, CertificateID: certificate}
		if known {
			from, to := schema.At(began), schema.At(began.AddDate(0, 0, 90))
			d.Certificate = &schema.Certificate{FingerprintSHA256: fmt.Sprint(n), NotBefore: &from, NotAfter: &to}
		}
		l.append(event(n, kind, d))
	}
	check := func(when, want string) {
		t.Helper()
		caughtUp(t, s)
		if got, err := s.Uncollected(t.Context()); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v (%v), want %s", when, got, err, want)
		}
	}
	check("nothing", "[]")
	for i := range 4 {
		say(schema.OrderIssued, "xolphin", fmt.Sprint(i), "", false) // whose certificates it never names
	}
	say(schema.OrderUpdated, "xolphin", "9", "", false)
	say(schema.OrderIssued, "digicert", "1", "11", true)
	say(schema.OrderIssued, "digicert", "2", "12", false)
	say(schema.OrderIssued, "digicert", "3", "13", false)
	say(schema.OrderIssued, "sectigo", "1", "12", true) // another provider's number
	check("issued", "[{digicert 2} {xolphin 4}]")
	say(schema.CertificateCollected, "xolphin", "0", "70", true)
	say(schema.CertificateCollected, "digicert", "2", "12", true)
	say(schema.CertificateRevoked, "digicert", "3", "13", false)
	check("collected and revoked", "[{xolphin 3}]")
	say(schema.OrderIssued, "sectigo", "1", "14", false)
	check("issued again", "[{sectigo 1} {xolphin 3}]")
	if v, err := s.Verify(t.Context(), nil); err != nil || v.Differing != 0 {
		t.Errorf("a rebuild counts otherwise: %v (%v)", v.Differences, err)
	}
}

// TestUncollectedIsTheRule holds what SQL counts against what the rule says, row by row.
func TestUncollectedIsTheRule(t *testing.T) {
	kinds := []schema.Kind{schema.OrderIssued, schema.OrderUpdated, schema.OrderReissueReady, schema.OrderRejected, schema.CertificateCollected, schema.CertificateRevoked, schema.CertificateReplaced}
	l := newMemoryLog()
	s, _ := running(t, t.TempDir(), l)
	n, provider := 0, ""
	rapid.Check(t, func(rt *rapid.T) {
		provider = fmt.Sprint("provider", n)
		for range rapid.IntRange(1, 12).Draw(rt, "events") {
			n++
			d := schema.Data{Provider: provider, OrderID: rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "order")}
			if certificate := rapid.SampledFrom([]string{"", "1", "2"}).Draw(rt, "certificate"); certificate != "" {
				d.CertificateID = d.OrderID + certificate
			}
			if rapid.Bool().Draw(rt, "known") {
				from, to := schema.At(began), schema.At(began.AddDate(0, 0, 90))
				d.Certificate = &schema.Certificate{FingerprintSHA256: fmt.Sprint(n), NotBefore: &from, NotAfter: &to}
			}
			l.append(event(n, rapid.SampledFrom(kinds).Draw(rt, "kind"), d))
		}
		caughtUp(t, s)
		orders, _, err := List(t.Context(), s, Orders, Query{Now: began, Provider: provider})
		if err != nil {
			rt.Fatal(err)
		}
		want := 0
		for _, o := range orders {
			phase, end := "", (*schema.Time)(nil)
			if c, err := One(t.Context(), s, Certificates, o.Provider, o.CertificateID, Moment{Now: began}); err == nil {
				if end = c.NotAfter; end == nil || c.State == lifecycle.Revoked || c.State == lifecycle.Replaced {
					phase = c.State
				}
			}
			if rules.Uncollected(o.State, phase, end) {
				want++
			}
		}
		got := 0
		list, err := s.Uncollected(t.Context())
		for _, u := range list {
			if u.Provider == provider {
				got = u.Orders
			}
		}
		if err != nil || got != want {
			rt.Fatalf("%d are counted (%v), by the rule it is %d of %+v", got, err, want, orders)
		}
	})
}

// TestUncollectedAreFoundByIndexes: a million orders whose certificates are known cost nothing.
func TestUncollectedAreFoundByIndexes(t *testing.T) {
	s, _ := running(t, t.TempDir(), newMemoryLog())
	caughtUp(t, s)
	text := strings.Join(planOf(t, s, uncollected, "xolphin", CountLimit+1), "\n")
	for _, want := range []string{"INDEX orders_uncollected (provider=?)", "INDEX certificates_after (not_after=? AND provider=?)", "INDEX orders_certificate (certificate_id=? AND provider=?)"} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan lacks %s:\n%s", want, text)
		}
	}
}
