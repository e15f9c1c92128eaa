package projections

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// TestAnnouncedRevocations: one is critical until another certificate has taken its place, and none once its
// certificate has come to its end by itself.
func TestAnnouncedRevocations(t *testing.T) {
	due := schema.At(began.Add(time.Hour))
	announced := Certificate{Provider: "digicert", ID: "1", State: lifecycle.Active, RevocationNotice: true, RevokesAt: &due, Reason: "keyCompromise", CommonName: "a.example"}
	succeeded, expired := announced, announced
	succeeded.Successor, expired.State = &CertificateRef{"digicert", "2"}, lifecycle.Expired
	if list := announcedMatters(&announced); len(list) != 1 || list[0].Severity != Critical || list[0].Due != &due || list[0].About != "a.example" ||
		!slices.Equal(list[0].Facts.Reasons, []string{"keyCompromise"}) || list[0].Facts.Successor != "" {
		t.Errorf("without a successor: %+v", list)
	}
	if list := announcedMatters(&succeeded); len(list) != 1 || list[0].Severity != Warning || list[0].Facts.Successor != "2" {
		t.Errorf("with a successor: %+v", list)
	}
	if list := announcedMatters(&expired); len(list) != 0 {
		t.Errorf("after its end: %+v", list)
	}
}

// TestARecordToCopyIsOne: a DS matter's record is in presentation format, whether its zone is known or not.
func TestARecordToCopyIsOne(t *testing.T) {
	ds := &schema.DS{KeyTag: 38696, Algorithm: 13, DigestType: 2, Digest: "49FD"}
	for domain, want := range map[string]string{"": "IN DS 38696 13 2 49FD", "zone.example.com": "zone.example.com. IN DS 38696 13 2 49FD"} {
		for _, d := range []DNSSEC{{DS: ds, NextStep: lifecycle.StepDSSubmit}, {PreviousDS: ds, NextStep: lifecycle.StepDSRetract}} {
			d.Provider, d.WebsiteID, d.Domain = "sectigo", "42", domain
			if m := dnssecMatter(&d); m.Copy != want || m.About != domain || (m.Number == "42") != (domain == "") {
				t.Errorf("of zone %q: %+v", domain, m)
			}
		}
	}
}

// TestQuarantineMattersNameTheirEvent: deliveries that were not understood are told apart, by their events and why.
func TestQuarantineMattersNameTheirEvent(t *testing.T) {
	l := newMemoryLog(event(1, schema.DeliveryUnrecognized, schema.Data{Event: "a", Reason: `The event "a" is documented nowhere.`}),
		event(2, schema.DeliveryUnrecognized, schema.Data{Reason: "The body is not JSON"}))
	s, _ := running(t, t.TempDir(), l)
	caughtUp(t, s)
	a, err := s.Attention(context.Background(), began)
	if err != nil || len(a.Matters) != 2 {
		t.Fatalf("%+v, %v", a, err)
	}
	got := map[string]string{}
	for _, m := range a.Matters {
		got[m.Part] = m.Facts.Reasons[0]
	}
	if got["1"] != `The event "a" is documented nowhere.` || got["2"] != "The body is not JSON" {
		t.Errorf("got %q", got)
	}
}
