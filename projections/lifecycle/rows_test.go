package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

// TestRows: which rows an event concerns follows from its kind and the ids that it gives, whatever its subject.
func TestRows(t *testing.T) {
	type D = schema.Data
	matter := func(kind, id string) *schema.Matter { return &schema.Matter{Kind: kind, ID: id} }
	serial := &schema.Certificate{SerialNumber: "0a"}
	for _, c := range []struct {
		kind schema.Kind
		data D
		want string // "parked": no row can take it
	}{
		{schema.OrderUpdated, D{OrderID: "1", CertificateID: "2"}, "orders 1"},
		{schema.OrderIssued, D{OrderID: "1"}, "orders 1"},
		{schema.OrderIssued, D{OrderID: "1", CertificateID: "2"}, "orders 1, certificates 2"},
		{schema.OrderIssued, D{OrderID: "1", Certificate: serial}, "orders 1, certificates 0a"},
		{schema.OrderIssued, D{OrderID: "1", CertificateID: "2", Certificate: serial}, "orders 1, certificates 2"},
		{schema.OrderIssued, D{CertificateID: "2"}, "parked"},
		{"order.teleported", D{OrderID: "1"}, "orders 1"},
		{schema.CertificateRevoked, D{CertificateID: "2"}, "certificates 2"},
		{schema.CertificateRevoked, D{CertificateID: "2", OrderID: "1"}, "certificates 2, orders 1"},
		{schema.CertificateRevoked, D{OrderID: "1"}, "orders 1"},
		{schema.CertificateCollected, D{Certificate: serial}, "certificates 0a"},
		{schema.CertificateReplaced, D{}, "parked"},
		{schema.DomainValidated, D{Domain: "a.example"}, "domains a.example"},
		{schema.DomainValidated, D{Domain: "a.example", OrderID: "1"}, "domains a.example, orders 1"},
		{schema.DomainExpired, D{DomainID: "7"}, "parked"},
		{schema.OrganizationExpired, D{OrganizationID: "3", OrderID: "1"}, "organizations 3"},
		{schema.OrganizationExpired, D{OrganizationName: "Example"}, "parked"},
		{schema.DNSSECRotationStarted, D{WebsiteID: "42", Domain: "a.example"}, "dnssec 42"},
		{schema.DNSSECRotationStarted, D{Domain: "a.example"}, "parked"},
		{"website.malware_issue_found", D{TargetID: "42"}, "websites 42"},
		{"database.backup_restore_state_changed", D{TargetID: "42"}, "websites database:42"},
		{"database.backup_restore_state_changed", D{}, "parked"},
		{"account.user_create", D{TargetID: "5"}, "accounts 5"},
		{schema.AccountChallengeReceived, D{WebhookID: "9"}, "accounts 9"},
		{schema.AccountTestReceived, D{Event: "test_webhook_endpoint"}, "accounts "},
		{schema.AccountTestReceived, D{Event: schema.OwnTest}, ""},
		{schema.UserKeysProvisioned, D{UserID: "h"}, "users h"},
		{schema.UserKeysProvisioned, D{}, "parked"},
		{schema.TargetVerified, D{TargetID: "t"}, "targets t"},
		{schema.ScanStarted, D{ScanID: "s", TargetID: "t"}, "scans s"},
		{schema.ScanStarted, D{TargetID: "t"}, "parked"},
		{schema.FindingFixed, D{FindingID: "t:1", TargetID: "t"}, "findings t:1"},
		{schema.FindingFixed, D{TargetID: "t"}, "parked"},
		{schema.AttentionTaken, D{Matter: matter(schema.MatterMessage, "m"), OrderID: "1"}, "attention m, orders 1"},
		{schema.AttentionTaken, D{Matter: matter(schema.MatterRevoked, "m"), CertificateID: "2"},
			"attention m, certificates 2"},
		{schema.AttentionTaken, D{Matter: matter(schema.MatterDomainLapses, "m"), Domain: "a.example"},
			"attention m, domains a.example"},
		{schema.AttentionTaken, D{Matter: matter(schema.MatterOrganizationLapses, "m"), OrganizationID: "3"},
			"attention m, organizations 3"},
		{schema.AttentionTaken, D{Matter: matter(schema.MatterDSPublish, "m"), WebsiteID: "42"}, "attention m, dnssec 42"},
		{schema.AttentionTaken, D{Matter: matter(schema.MatterTargetFailed, "m"), TargetID: "t"}, "attention m, targets t"},
		{schema.AttentionTaken, D{Matter: matter(schema.MatterFinding, "m"), FindingID: "t:1"}, "attention m, findings t:1"},
		{schema.AttentionTaken, D{Matter: matter(schema.MatterSilent, "m"), OrderID: "1"}, "attention m"},
		{schema.AttentionTaken, D{Matter: matter(schema.MatterMessage, "m")}, "attention m"},
		{schema.AttentionTaken, D{Matter: matter(schema.MatterMessage, ""), OrderID: "1"}, "parked"},
		{schema.AttentionTaken, D{OrderID: "1"}, "parked"},
		{schema.DeliveryUnrecognized, D{OrderID: "1"}, ""},
		{schema.LogGapAccepted, D{}, ""},
		{"weather.changed", D{OrderID: "1", TargetID: "t"}, ""},
	} {
		c.data.Provider = "digicert"
		rows, err := Rows(schema.New("id", "/hooks/digicert", schema.At(began), c.kind, c.data))
		var names []string
		for _, row := range rows {
			names = append(names, row.Model+" "+row.ID)
		}
		got := strings.Join(names, ", ")
		if errors.Is(err, ErrParked) {
			got += "parked"
		}
		if got != c.want {
			t.Errorf("%s of %+v concerns %q (%v), want %q", c.kind, c.data, got, err, c.want)
		}
	}
}

// TestLives: whatever an event says, each fold counts it, once, and leaves the state before as it was.
func TestLives(t *testing.T) {
	at, yes := schema.At(began), true
	full := schema.Data{
		Provider: "digicert", OrderID: "1", CertificateID: "2", Domain: "a.example", OrganizationID: "3",
		OrganizationName: "Example", WebsiteID: "42", TargetID: "t", ScanID: "s",
		FindingID: "t:1", UserID: "h", Check: schema.CheckPhone, CheckState: schema.CheckFailed, Reason: "why",
		ExpiresAt: &at, OccurredAt: &at,
		Checks:      schema.Checks{schema.CheckCSR: schema.CheckDelayed},
		Certificate: &schema.Certificate{CommonName: "a.example", NotAfter: &at},
		DS:          &schema.DS{KeyTag: 1}, User: &schema.User{Active: &yes}, Target: &schema.Target{Host: "a.example"},
		Scan:    &schema.Scan{Status: "x"},
		Finding: &schema.Finding{Name: "x"}, Unreadable: []schema.Unreadable{{Part: "ds", Reason: "no hex"}},
	}
	kinds := []schema.Kind{
		schema.OrderDescribed, schema.OrderUpdated, schema.OrderIssued, schema.OrderReissueReady,
		schema.OrderMessageReceived, schema.OrderCheckFailed, schema.CertificateCollected,
		schema.CertificateRevoked, schema.CertificateRevocationAnnounced, schema.DomainValidated, schema.DomainExpired,
		schema.DNSSECRotationStarted,
		schema.DNSSECRotationCompleted, schema.DNSSECDescribed, schema.DNSSECDSSeen, schema.UserCreated, schema.UserDeleted,
		schema.TargetCreated,
		schema.TargetVerificationFailed, schema.ScanStarted, schema.ScanFailed, schema.FindingDetected, schema.FindingFixed,
		"website.teleported",
	}
	life(t, "order", kinds, full, Order.Fold, func(o Order) Life { return o.Life })
	life(t, "certificate", kinds, full, Certificate.Fold, func(c Certificate) Life { return c.Life })
	life(t, "domain", kinds, full, Domain.Fold, func(d Domain) Life { return d.Life })
	life(t, "organization", kinds, full, Organization.Fold, func(o Organization) Life { return o.Life })
	life(t, "rotation", kinds, full, DNSSEC.Fold, func(r DNSSEC) Life { return r.Life })
	life(t, "website", kinds, full, Website.Fold, func(w Website) Life { return w.Life })
	life(t, "user", kinds, full, User.Fold, func(u User) Life { return u.Life })
	life(t, "target", kinds, full, Target.Fold, func(x Target) Life { return x.Life })
	life(t, "scan", kinds, full, Scan.Fold, func(s Scan) Life { return s.Life })
	life(t, "finding", kinds, full, Finding.Fold, func(f Finding) Life { return f.Life })
}

func life[S any](t *testing.T, what string, kinds []schema.Kind, d schema.Data, fold func(S, uint64, *schema.Event) S,
	life func(S) Life) {
	t.Helper()
	var state S
	for i, kind := range kinds {
		e := schema.New(fmt.Sprint(i), "/hooks/digicert", schema.At(began.AddDate(0, 0, i)), kind, d)
		before := inFull(t, state)
		next := fold(state, uint64(10+i), e)
		if after := inFull(t, state); after != before {
			t.Errorf("%s: %s changed the state before from %s to %s", what, kind, before, after)
		}
		if once, again := inFull(t, next), inFull(t, fold(state, uint64(10+i), e)); once != again {
			t.Errorf("%s: %s gives %s, and then %s", what, kind, once, again)
		}
		l := life(next)
		if l.EventCount != i+1 || l.LastEventSeq != uint64(10+i) || l.LastEventAt != e.Time ||
			l.FirstEventAt != schema.At(began) {
			t.Errorf("%s: after %s its life is %+v", what, kind, l)
		}
		clock := *e
		clock.Source = schema.ClockSource
		if own := fold(next, 99, &clock); life(own) != l {
			t.Errorf("%s: the clock's %s changed its life to %+v", what, kind, life(own))
		}
		state = next
	}
}

// inFull prints a state with what its pointers point to.
func inFull(t *testing.T, state any) string {
	t.Helper()
	b, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
