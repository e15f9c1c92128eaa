package projections

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// TestAttentionOfScanners: what needs a person is the failed verification and the open findings about TLS, and nothing
// that is settled, gone or fixed.
func TestAttentionOfScanners(t *testing.T) {
	l := newMemoryLog()
	n := 0
	say := func(kind schema.Kind, d schema.Data) {
		n++
		d.Provider, d.Event, d.Decoder = "probely", kind.Name(), "probely/1"
		l.append(schema.New(fmt.Sprintf("probely:%d", n), "/hooks/probely", schema.At(began.Add(time.Duration(n)*time.Minute)), kind, d))
	}
	target := func(id, host string) schema.Data {
		return schema.Data{TargetID: id, Target: &schema.Target{Host: host}}
	}
	finding := func(target string, number, severity int, name, state string) schema.Data {
		return schema.Data{TargetID: target, FindingID: schema.FindingID(target, fmt.Sprint(number)), Finding: &schema.Finding{Name: name, Host: target + ".example", Severity: severity, State: state}}
	}
	failed := target("a/b", "news.example")
	failed.Reason = "no file was found"
	say(schema.TargetVerificationFailed, failed)
	say(schema.TargetVerificationFailed, target("t2", "again.example"))
	say(schema.TargetVerified, target("t2", "again.example"))
	say(schema.FindingDetected, finding("t1", 1, 10, "HSTS header not set", "notfixed"))
	say(schema.FindingDetected, finding("t1", 2, 40, "Expired TLS certificate", "notfixed"))
	say(schema.FindingDetected, finding("t1", 3, 30, "SQL injection", "notfixed"))
	say(schema.FindingDetected, finding("t1", 4, 30, "Weak cipher", "accepted"))
	say(schema.FindingDetected, finding("t1", 5, 30, "Weak cipher", "invalid"))
	say(schema.FindingDetected, finding("t1", 6, 30, "Weak cipher", "notfixed"))
	say(schema.FindingFixed, finding("t1", 6, 30, "Weak cipher", "fixed"))
	say(schema.FindingDetected, finding("gone", 1, 30, "Weak cipher", "notfixed"))
	say(schema.TargetDeleted, target("gone", "gone.example"))
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)

	attention, err := s.Attention(context.Background(), began.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	matters := attention.Matters
	var got []string
	for _, m := range matters {
		got = append(got, strings.Join([]string{m.Severity, m.Kind, m.Facts.Finding, m.About, m.Number, m.Row}, " | "))
	}
	want := []string{
		"warning | target_verification_failed |  | news.example | a/b | a/b",
		"warning | finding_detected | Expired TLS certificate | t1.example | t1:2 | t1:2",
		"notice | finding_detected | HSTS header not set | t1.example | t1:1 | t1:1",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(matters) > 0 && !slices.Equal(matters[0].Facts.Reasons, []string{"no file was found"}) {
		t.Errorf("the reasons are %q", matters[0].Facts.Reasons)
	}
}

// kinds lists the matters that need a person at now, most urgent first: "kind row severity".
func kinds(t *testing.T, s *Store, now time.Time) string {
	t.Helper()
	a, err := s.Attention(context.Background(), now)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	ids := map[string]bool{}
	for _, m := range a.Matters {
		list = append(list, strings.Join(strings.Fields(m.Kind+" "+m.Row+" "+m.Severity), " "))
		if ids[m.ID] || len(m.ID) != 24 || m.Since.IsZero() || !m.AsOf.Equal(now) {
			t.Errorf("the matter is not whole, or has another's id: %+v", m)
		}
		one, err := s.MatterOf(context.Background(), m.Provider, m.Row, schema.Matter{Kind: m.Kind, Part: m.Part, Since: m.When}, now)
		if err != nil || one.ID != m.ID || one.State != m.State || !reflect.DeepEqual(one.Facts, m.Facts) || !one.AsOf.Equal(now) {
			t.Errorf("by itself the matter %s of %s is %+v (%v)", m.Kind, m.Row, one, err)
		}
		ids[m.ID] = true
	}
	return strings.Join(list, "\n")
}

// TestAttentionOfCertificates: what is revoked, is going to be or expires, unless another takes its place; the least
// time left first.
func TestAttentionOfCertificates(t *testing.T) {
	l := newMemoryLog()
	n := 0
	say := func(k schema.Kind, id string, change func(*schema.Data)) {
		n++
		d := schema.Data{Provider: "digicert", OrderID: id, CertificateID: id}
		if change != nil {
			change(&d)
		}
		l.append(event(n, k, d))
	}
	issue := func(id string, from, until int, name string) {
		say(schema.OrderIssued, id, func(d *schema.Data) {
			a, b := schema.At(began.AddDate(0, 0, from)), schema.At(began.AddDate(0, 0, until))
			d.Certificate = &schema.Certificate{SerialNumber: "0" + id, CommonName: name, DNSNames: []string{name}, NotBefore: &a, NotAfter: &b}
		})
	}
	announce := func(id string, hours int) {
		say(schema.CertificateRevocationAnnounced, id, func(d *schema.Data) { at := schema.At(began.Add(time.Duration(hours) * time.Hour)); d.RevokesAt = &at })
	}
	issue("1", -90, 5, "critical.example")
	issue("2", -90, 20, "soon.example")
	issue("3", -90, 20, "renewed.example")
	issue("4", -1, 89, "renewed.example")
	issue("5", -90, 60, "active.example")
	issue("6", -90, -3, "expired.example")
	issue("7", -190, -100, "long-over.example")
	issue("8", -10, 80, "announced.example")
	issue("9", -10, 80, "announced-sooner.example")
	issue("10", -10, 80, "revoked.example")
	issue("11", -20, 70, "replaced.example")
	issue("12", -10, 80, "replaced.example")
	issue("13", -20, 70, "announced-renewed.example")
	issue("14", -10, 80, "announced-renewed.example")
	announce("8", 22)
	announce("9", 2)
	announce("13", 1)
	say(schema.CertificateRevoked, "10", nil)
	say(schema.CertificateRevoked, "11", nil)
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	want := "revocation_announced 9 critical\nrevocation_announced 8 critical\ncertificate_revoked 10 critical\ncertificate_expires 6 critical\ncertificate_expires 1 critical\nrevocation_announced 13 warning\ncertificate_expires 2 warning"
	if got := kinds(t, s, began.Add(time.Minute)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestAttentionOfDomains: a validation that lapses is a matter if the next renewal of a certificate needs it, or the CA
// says so.
func TestAttentionOfDomains(t *testing.T) {
	l := newMemoryLog()
	n := 0
	say := func(k schema.Kind, domain string, days int) {
		n++
		until := schema.At(began.AddDate(0, 0, days))
		l.append(event(n, k, schema.Data{Domain: domain, ExpiresAt: &until}))
	}
	certificate := func(provider, id string, until int, name string) {
		n++
		a, b := schema.At(began.AddDate(0, 0, until-90)), schema.At(began.AddDate(0, 0, until))
		l.append(event(n, schema.OrderIssued, schema.Data{Provider: provider, OrderID: id, CertificateID: id, Certificate: &schema.Certificate{DNSNames: []string{name}, NotBefore: &a, NotAfter: &b}}))
	}
	say(schema.DomainValidated, "unused.example", 10)
	say(schema.DomainValidated, "before.example", 20)
	certificate("digicert", "1", 60, "www.before.example") // to be renewed from day 30 on
	say(schema.DomainValidated, "after.example", 29)
	certificate("digicert", "2", 50, "after.example") // from day 20 on
	say(schema.DomainValidated, "late.example", 50)
	certificate("digicert", "3", 89, "late.example")
	say(schema.DomainValidated, "elsewhere.example", 10)
	certificate("xolphin", "4", 89, "elsewhere.example")
	say(schema.DomainValidated, "over.example", -3)
	certificate("digicert", "5", 80, "over.example")
	say(schema.DomainRevalidationDue, "said.example", 25)
	say(schema.DomainExpired, "gone.example", -1)
	say(schema.DomainValidationFailed, "failed.example", 0)
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	want := "domain_expired over.example warning\ndomain_expired gone.example warning\ndomain_failed failed.example warning\ndomain_lapses before.example notice\ndomain_lapses said.example notice"
	if got := kinds(t, s, began.Add(time.Minute)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestAttentionOfOrganizations: an organization whose validation has ended, or is about to, by its CA's word or by the
// clock.
func TestAttentionOfOrganizations(t *testing.T) {
	l := newMemoryLog()
	n := 0
	say := func(k schema.Kind, id string, days int) {
		n++
		until := schema.At(began.AddDate(0, 0, days))
		l.append(event(n, k, schema.Data{OrganizationID: id, OrganizationName: "Example " + id, ExpiresAt: &until}))
	}
	say(schema.OrganizationValidated, "fine", 300)
	say(schema.OrganizationValidated, "soon", 20)
	say(schema.OrganizationValidated, "over", -2)
	say(schema.OrganizationValidated, "long-over", -100)
	say(schema.OrganizationRevalidationDue, "due", 25)
	say(schema.OrganizationExpired, "expired", -1)
	say(schema.OrganizationExpired, "again", -1)
	say(schema.OrganizationValidated, "again", 300)
	l.append(event(n+1, schema.OrganizationExpired, schema.Data{OrganizationID: "dateless"}))
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	want := "organization_expired over warning\norganization_expired expired warning\norganization_expired dateless warning\n" +
		"organization_lapses soon notice\norganization_lapses due notice"
	if got := kinds(t, s, began.Add(time.Minute)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	over := schema.At(began.AddDate(0, 0, -2))
	m := schema.Matter{Kind: schema.MatterOrganizationExpired, Since: over}
	l.append(schema.NewDecision("0199-decided", schema.At(began.Add(time.Minute)), schema.AttentionAcknowledged, "digicert", "over", m))
	caughtUp(t, s)
	if got := kinds(t, s, began.Add(time.Minute)); strings.Contains(got, " over ") {
		t.Errorf("once it is acknowledged there is still\n%s", got)
	}
	o, err := One(context.Background(), s, Organizations, "digicert", "over", Moment{Now: began.Add(time.Minute)})
	if err != nil || o.State != "validated" || len(o.Timeline) != 2 {
		t.Errorf("the organization is %+v (%v), want it validated, with its validation and the decision in its timeline", o, err)
	}
}

// TestAttentionOfRejectedOrders: one that was rejected lately, and not yet ordered again under its number.
func TestAttentionOfRejectedOrders(t *testing.T) {
	l := newMemoryLog()
	for i, id := range []string{"old", "late", "again"} {
		l.append(event(i, schema.OrderCheckFailed, schema.Data{OrderID: id, Check: schema.CheckOrganization, CheckState: schema.CheckFailed, Reason: "not in the register"}))
		e := event(i+10, schema.OrderRejected, schema.Data{OrderID: id})
		if id == "old" {
			e.Time = schema.At(began.Add(-rejectedFor))
		}
		l.append(e)
	}
	l.append(event(20, schema.OrderIssued, schema.Data{OrderID: "again"}))
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	now := began.Add(time.Minute)
	if got, want := kinds(t, s, now), "order_rejected late warning"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if a, err := s.Attention(context.Background(), now); err != nil || !slices.Equal(a.Matters[0].Facts.Reasons, []string{"not in the register"}) {
		t.Errorf("%v: the reasons are %q", err, a.Matters[0].Facts.Reasons)
	}
	if got := kinds(t, s, now.Add(rejectedFor)); got != "" {
		t.Errorf("30 days later there is still\n%s", got)
	}
}

// TestAttentionLooksBehindMany: a validation that lapses is found however many end before it, of which no certificate
// needs any, also at the same time.
func TestAttentionLooksBehindMany(t *testing.T) {
	l := newMemoryLog()
	say := func(n int, name string, days int) {
		until := schema.At(began.AddDate(0, 0, days))
		l.append(event(n, schema.DomainValidated, schema.Data{Domain: name, ExpiresAt: &until}))
	}
	for i := range MaxLimit + 2 {
		say(i, fmt.Sprintf("host%d.example", i), 10)
	}
	say(MaxLimit+2, "needed.example", 10)
	say(MaxLimit+3, "needed-later.example", 11)
	for i, name := range []string{"needed.example", "needed-later.example"} {
		a, b := schema.At(began), schema.At(began.AddDate(0, 0, 90))
		l.append(event(MaxLimit+4+i, schema.OrderIssued, schema.Data{OrderID: name, CertificateID: name, Certificate: &schema.Certificate{DNSNames: []string{name}, NotBefore: &a, NotAfter: &b}}))
	}
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	if got, want := kinds(t, s, began.Add(time.Hour)), "domain_lapses needed.example notice\ndomain_lapses needed-later.example notice"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestAttentionOfSilence: a provider that has a rhythm and breaks it is a matter until it speaks.
func TestAttentionOfSilence(t *testing.T) {
	l := newMemoryLog()
	at := began
	for i := range 20 {
		at = at.Add(10 * time.Hour)
		l.append(schema.New(fmt.Sprint("0199-", i), "/hooks/xolphin", schema.At(at), schema.OrderUpdated, schema.Data{Provider: "xolphin", OrderID: "1"}))
	}
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	if got := kinds(t, s, at.Add(23*time.Hour)); got != "" {
		t.Errorf("after 23 hours: %s", got)
	}
	if got := kinds(t, s, at.Add(30*time.Hour)); got != "provider_silent warning" {
		t.Errorf("after 30 hours: %s", got)
	}
}

// TestAttentionCountsRight: nothing is left out silently, and what is acknowledged makes room for what was not listed.
func TestAttentionCountsRight(t *testing.T) {
	l := newMemoryLog()
	n := 0
	fail := func(order string) {
		n++
		l.append(event(n, schema.OrderCheckFailed, schema.Data{OrderID: order, Check: schema.CheckPhone, CheckState: schema.CheckFailed}))
	}
	for i := range mattersEach {
		fail(fmt.Sprint(i))
	}
	for i := range 5 { // what nobody documents is listed too, and acknowledged without being cleared
		n++
		l.append(event(n, schema.DeliveryUnrecognized, schema.Data{Reason: fmt.Sprint("Why ", i)}))
	}
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	now := began.Add(time.Hour)
	see := func(what string, matters, decided int, more bool) *Attention {
		t.Helper()
		caughtUp(t, s)
		a, err := s.Attention(context.Background(), now)
		if err != nil || len(a.Matters) != matters || len(a.Decided) != decided || a.More != more {
			t.Fatalf("%s: %d and %d decided, more %v (%v), want %d and %d, %v", what, len(a.Matters), len(a.Decided), a.More, err, matters, decided, more)
		}
		return a
	}
	a := see("as many as are listed", mattersEach+5, 0, false)
	fail("one more")
	see("one more", mattersEach+5, 0, true)
	decide := func(kind schema.Kind, m Matter) {
		n++
		until := schema.At(now.Add(time.Hour))
		e := schema.NewDecision(fmt.Sprint("0199-", n), schema.At(began.Add(time.Duration(n)*time.Second)), kind, m.Provider, m.Row, schema.Matter{Kind: m.Kind, Part: m.Part, Since: m.When, Until: &until})
		if kind == schema.AttentionAcknowledged {
			e.Data.Matter.Until = nil
		}
		l.append(e)
	}
	decide(schema.AttentionAcknowledged, a.Matters[0])
	see("one of them acknowledged", mattersEach+5, 0, false)
	decide(schema.AttentionSnoozed, a.Matters[1])
	decide(schema.AttentionAcknowledged, a.Matters[mattersEach+1])
	see("another snoozed, and a delivery acknowledged", mattersEach+3, 1, false)
	now = now.Add(2 * time.Hour)
	see("the snoozed one again", mattersEach+4, 0, false)
}

// TestDecideManyMatters looks up more matters at once than a statement of SQLite may have arguments: orders with many
// names bring some hundred each.
func TestDecideManyMatters(t *testing.T) {
	s, _ := running(t, t.TempDir(), newMemoryLog())
	caughtUp(t, s)
	matters := make([]Matter, 40_000)
	for i := range matters {
		matters[i].ID = strconv.Itoa(i)
	}
	if err := s.decide(t.Context(), matters, began); err != nil {
		t.Fatal(err)
	}
	for i := range matters {
		if matters[i].State != Undecided {
			t.Fatalf("matter %d is %q", i, matters[i].State)
		}
	}
}
