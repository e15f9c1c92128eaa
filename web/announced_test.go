package web_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/certtrail/certtrail/projections"
)

func (s *fakeStore) Announced(context.Context, projections.Query) (items []projections.Certificate, next string, err error) {
	for _, c := range s.certificates {
		if c.RevocationNotice {
			items = append(items, c)
		}
	}
	return items, "", s.err
}

func (s *fakeStore) Fates(_ context.Context, of []projections.CertificateRef, _ time.Time) (map[projections.CertificateRef]projections.Fate, error) {
	found := map[projections.CertificateRef]projections.Fate{}
	for i := range s.certificates {
		c := &s.certificates[i]
		if ref := (projections.CertificateRef{Provider: c.Provider, ID: c.ID}); c.Fate() != 0 && slices.Contains(of, ref) {
			found[ref] = c.Fate()
		}
	}
	return found, s.err
}

// doomed is an issued order whose last certificate the CA is about to revoke, or was.
func doomed(revokes *time.Duration, state string, heir *projections.CertificateRef) projections.Order {
	c := projections.Certificate{Provider: "sectigo", ID: "440880003", OrderID: "330770003", State: state, CommonName: "pay.example.com", NotBefore: pago(20 * day), NotAfter: pago(-180 * day),
		RevocationNotice: true, Reason: "keyCompromise", Successor: heir}
	if revokes != nil {
		c.RevokesAt = pago(-*revokes)
	}
	older := projections.Certificate{Provider: "sectigo", ID: "440880001", OrderID: "330770003", State: "active", NotAfter: pago(-10 * day)}
	return projections.Order{Provider: "sectigo", ID: "330770003", State: "issued", NextStep: "install", CommonName: "pay.example.com", CertificateID: c.ID,
		StateSince: ago(20 * day), Row: projections.Row{FirstEventAt: ago(21 * day), LastEventAt: ago(time.Hour)}, Certificates: []projections.Certificate{c, older}}
}

// TestOrderOfACertificateThatEnds: what was installed long ago is to be renewed, or its successor installed.
func TestOrderOfACertificateThatEnds(t *testing.T) {
	heir := &projections.CertificateRef{Provider: "sectigo", ID: "440880009"}
	for name, test := range map[string]struct {
		state, want string
		heir        *projections.CertificateRef
	}{
		"in use":             {"active", "Next: install it<", nil},
		"expiring":           {"expiring", "Next: renew it<", nil},
		"expired":            {"expired", "Next: renew it<", nil},
		"expiring, followed": {"expiring", "Next: install its successor<", heir},
		"replaced":           {"replaced", "Next: install it<", nil},
	} {
		s, l := empty()
		order := doomed(nil, test.state, test.heir)
		order.Certificates[0].RevocationNotice = false
		s.orders, s.certificates = []projections.Order{order}, order.Certificates
		h := handler(t, options(s, l))
		wantAll(t, name, get(h, "/orders/sectigo/330770003").Body.String(), []string{test.want})
		renew := strings.Contains(test.want, "renew")
		for _, path := range []string{"/orders", "/domains/pay.example.com"} {
			if list := get(h, path).Body.String(); strings.Contains(list, ">renew it<") != renew || strings.Contains(list, "install it<") == renew {
				t.Errorf("%s: %s does not say what its order's page says", name, path)
			}
		}
	}
}

// TestOrderWarnsOfARevocation: who opens the order of a certificate that the CA is about to revoke reads that first, and is not told to install it.
func TestOrderWarnsOfARevocation(t *testing.T) {
	soon, over := 22*time.Hour, -3*time.Hour
	const unit = `<a href="/certificates/sectigo/440880003"><code>440880003</code></a>`
	for name, test := range map[string]struct {
		order projections.Order
		want  []string
		not   []string
	}{
		"to come": {doomed(&soon, "active", nil), []string{"The CA will revoke certificate " + unit, ">in 22 h</time>, on 22 Nov 2026, 20:00:00 UTC.", "Reason given: <q>keyCompromise</q>",
			"Order a replacement, and install it wherever this one is in use before then.", "Next: replace it", `to be revoked <time`, "none yet"}, []string{"was due"}},
		"followed": {doomed(&soon, "expiring", &projections.CertificateRef{Provider: "sectigo", ID: "440880009"}), []string{"The CA will revoke certificate " + unit,
			`Its successor <a href="/certificates/sectigo/440880009"><code>440880009</code></a> has been issued`, "Next: install its successor", "Install its successor, certificate 440880009"}, []string{"Order a replacement"}},
		"without a time": {doomed(nil, "issued", nil), []string{"The CA will revoke certificate " + unit + ". Reason", "Next: replace it", `<span class="tone bad">to be revoked</span>`}, nil},
		"past due":       {doomed(&over, "active", nil), []string{"The CA was due to revoke certificate " + unit, ">3 h ago</time>", "wherever this one is in use.", "revocation was due <time"}, []string{"before then"}},
		"revoked":        {doomed(&over, "revoked", nil), []string{"440880003"}, []string{"was due", "to be revoked"}},
		"expired":        {doomed(&soon, "expired", nil), []string{"440880003"}, []string{"was due", "to be revoked"}},
	} {
		s, l := empty()
		s.orders, s.certificates = []projections.Order{test.order}, test.order.Certificates
		h := handler(t, options(s, l))
		body := get(h, "/orders/sectigo/330770003").Body.String()
		wantAll(t, name, body, test.want)
		for _, not := range test.not {
			if strings.Contains(body, not) {
				t.Errorf("%s: the order's page says %q", name, not)
			}
		}
		warned := len(test.want) > 1
		if warned {
			wantInOrder(t, name+": parts", body, "</header>", `<p class="notice bad"`, `<ol class="steps"`)
		}
		if strings.Contains(body, "Next: install it<") == (warned || name == "expired") {
			t.Errorf("%s: the order's page warns: %v, and says to install it all the same, or does not say so", name, warned)
		}
		if page := get(h, "/certificates/sectigo/440880003").Body.String(); strings.Contains(page, "The CA has announced that it will revoke this certificate") != warned {
			t.Errorf("%s: the certificate's page warns of a revocation that has come, or not of one to come: %v", name, warned)
		}
		for _, path := range []string{"/orders", "/domains/pay.example.com"} {
			if list := get(h, path).Body.String(); strings.Contains(list, "install it<") == (warned || name == "expired") || strings.Contains(list, ">replace it<") != warned {
				t.Errorf("%s: %s says to install what is to be revoked, or not to install what is not: %v", name, path, warned)
			}
		}
		for _, path := range []string{"/certificates", "/domains/pay.example.com"} {
			lists := get(h, path).Body.String()
			if marked := strings.Contains(lists, "to be revoked") || strings.Contains(lists, "revocation was due"); marked != warned {
				t.Errorf("%s: %s marks the certificate as one to be revoked: %v, want %v", name, path, marked, warned)
			}
		}
	}
}

// TestARevocationIsInCalendarsAndDownloads: an announced revocation is a moment of its own beside the certificate's end, and a column.
func TestARevocationIsInCalendarsAndDownloads(t *testing.T) {
	s, l := empty()
	soon, over := 22*time.Hour, -40*day
	for _, o := range []projections.Order{doomed(&soon, "active", nil), doomed(nil, "active", nil), doomed(&over, "active", nil), doomed(&soon, "revoked", nil)} {
		c := o.Certificates[0]
		c.ID += "/" + fmt.Sprint(len(s.certificates))
		s.certificates = append(s.certificates, c)
	}
	o := options(s, l)
	o.Calendar, o.URL = &secret{}, "https://certs.example.com/"
	h := handler(t, o)
	body := get(h, "/calendar.ics?token=SECRET0").Body.String()
	checkLines(t, body)
	feed, err := ics.ParseCalendar(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]*ics.VEvent{}
	for _, e := range feed.Events() {
		entries[e.Id()] = e
	}
	e := entries["revocations/sectigo/440880003/0@certtrail"]
	if e == nil || entries["certificates/sectigo/440880003/0@certtrail"] == nil || len(entries) != 4 { // one moment, and the ends of the three that are not revoked
		t.Fatalf("the entries are %v", slices.Sorted(maps.Keys(entries)))
	}
	if at, err := e.GetStartAt(); err != nil || !at.Equal(now.Add(soon)) {
		t.Errorf("it is at %s (%v), want %s", at, err, now.Add(soon))
	}
	about := e.GetProperty(ics.ComponentPropertyDescription).Value
	wantAll(t, "the entry", e.GetProperty(ics.ComponentPropertySummary).Value+about, []string{"Certificate to be revoked: pay.example.com", "on 22 Nov 2026, 20:00:00 UTC", "Sectigo certificate 440880003/0", "keyCompromise"})
	wantAll(t, "the download", get(h, "/certificates.csv").Body.String(), []string{",revocation_announced,revokes_at,reason,last_event_at\n", ",true,2026-11-22T20:00:00.000Z,keyCompromise,"})
}
