package projections

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// TestARevocationThatIsOverdueIsNotToCome: once the time of an announced revocation has passed, its matter does not speak of it as of something to come.
func TestARevocationThatIsOverdueIsNotToCome(t *testing.T) {
	now := began
	at := func(d time.Duration) *schema.Time { t := schema.At(now.Add(d)); return &t }
	for name, test := range map[string]struct {
		revokes *schema.Time
		heir    *CertificateRef
		over    bool
	}{
		"to come": {at(time.Hour), nil, false}, "without a time": {nil, nil, false}, "over": {at(-time.Hour), nil, true}, "at this moment": {at(0), nil, true},
		"over, and followed": {at(-time.Hour), &CertificateRef{"digicert", "2"}, true},
	} {
		list := announcedMatters(&Certificate{Provider: "digicert", ID: "1", State: lifecycle.Active, RevocationNotice: true, RevokesAt: test.revokes, NotAfter: at(90 * 24 * time.Hour), Successor: test.heir}, now)
		if len(list) != 1 {
			t.Fatalf("%s: %d matters", name, len(list))
		}
		m := list[0]
		if over := !strings.HasPrefix(m.Means, "From then on") && !strings.Contains(m.Do, "before the CA revokes it"); over != test.over || m.Do == "" || m.Means == "" {
			t.Errorf("%s: %q %q", name, m.Means, m.Do)
		}
		if strings.Contains(m.Do, "successor") != (test.heir != nil) {
			t.Errorf("%s: what to do is %q", name, m.Do)
		}
	}
}

// TestARecordToCopyIsOne: a DS matter's record is in presentation format, whether its zone is known or not.
func TestARecordToCopyIsOne(t *testing.T) {
	ds := &schema.DS{KeyTag: 38696, Algorithm: 13, DigestType: 2, Digest: "49FD"}
	for domain, want := range map[string]string{"": "IN DS 38696 13 2 49FD", "zone.example.com": "zone.example.com. IN DS 38696 13 2 49FD"} {
		for _, d := range []DNSSEC{{DS: ds, NextStep: lifecycle.StepDSSubmit}, {PreviousDS: ds, NextStep: lifecycle.StepDSRetract}} {
			d.Provider, d.WebsiteID, d.Domain = "sectigo", "42", domain
			if m := dnssecMatter(&d); m.Copy != want || strings.Contains(m.Do, "put the zone’s name before it") != (domain == "") {
				t.Errorf("of zone %q: %q, %q", domain, m.Copy, m.Do)
			}
		}
	}
}

// TestQuarantineMattersNameTheirEvent: deliveries that were not understood are told apart, and lead to their events.
func TestQuarantineMattersNameTheirEvent(t *testing.T) {
	l := newMemoryLog(event(1, schema.DeliveryUnrecognized, schema.Data{Event: "a", Reason: `The event "a" is documented nowhere.`}),
		event(2, schema.DeliveryUnrecognized, schema.Data{Reason: "The body is not JSON: " + strings.Repeat("ü", 100)}))
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	a, err := s.Attention(context.Background(), began)
	if err != nil || len(a.Matters) != 2 {
		t.Fatalf("%+v, %v", a, err)
	}
	got := map[string]string{}
	for _, m := range a.Matters {
		got[m.Href] = m.Heading("DigiCert")
	}
	want := map[string]string{"/events/1": `Not understood: The event "a" is documented nowhere: DigiCert event 1`,
		"/events/2": "Not understood: The body is not JSON: " + strings.Repeat("ü", titleReason-len("The body is not JSON: ")-1) + "…: DigiCert event 2"}
	for href, title := range want {
		if got[href] != title {
			t.Errorf("%s is %q, want %q", href, got[href], title)
		}
	}
}
