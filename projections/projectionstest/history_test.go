package projectionstest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

func TestRandomHistoryIsDeterministic(t *testing.T) {
	long := RandomHistory(1, 5000)
	if !reflect.DeepEqual(long[:1234], RandomHistory(1, 1234)) {
		t.Error("the same seed gives other records when fewer are asked for")
	}
	if reflect.DeepEqual(long[:100], RandomHistory(2, 100)) {
		t.Error("another seed gives the same records")
	}
	if n := len(RandomHistory(1, 0)); n != 0 {
		t.Errorf("none asked for, %d made", n)
	}
}

// TestRandomHistoryHasEverything: a property over histories proves nothing about what never occurs in one.
func TestRandomHistoryHasEverything(t *testing.T) {
	const n = 20_000
	found := map[string]int{}
	ids := map[string]int{}
	orders := map[string]int{}
	var last schema.Record
	for _, r := range RandomHistory(3, n) {
		if r.Seq != last.Seq+1+r.Missing || r.Time.Before(last.Time) {
			t.Fatalf("the record at %d, with %d missing, comes after %d", r.Seq, r.Missing, last.Seq)
		}
		last = r
		if r.Missing > 0 {
			found["gap"]++
		}
		e, err := schema.Decode(r.Data)
		if err != nil {
			found["no event"]++
			continue
		}
		if e.NATSSubject() != r.Subject {
			t.Fatalf("the subject of %s is %s, want %s", r.Data, r.Subject, e.NATSSubject())
		}
		found[string(e.Kind())]++
		found[e.Data.Provider]++
		if e.Imported != "" {
			found["imported"]++
		}
		if strings.Contains(string(r.Data), `"severity":`) {
			found["unknown member"]++
		}
		if e.Source == schema.ClockSource {
			found["clock"]++
		}
		if len(e.Data.Unreadable) > 0 {
			found["unreadable part"]++
		}
		if strings.Contains(r.Subject, "%") {
			found["escaped id"]++
		}
		if ids[e.ID]++; ids[e.ID] > 1 {
			if !e.TrulyIdentified() {
				t.Fatalf("%s comes twice and is no true id", e.ID)
			}
			found["known id again"]++
		}
		if e.Data.OrderID != "" && e.Data.Provider != "probely" && e.Data.Decoder != "probely/7" {
			orders[e.Data.Provider+"/"+e.Data.OrderID]++
		}
	}
	want := []string{
		"gap", "no event", "imported", "unknown member", "clock", "unreadable part", "escaped id", "known id again", "digicert", "digicert-eu", "xolphin", "sectigo", "probely", "defguard",
		"website.malware_issue_found", "database.backup_restore_state_changed", "account.user_create", "target.moved", "user.promoted", "attention.framed", "unheard.of", "order.teleported",
	}
	for _, k := range knownKinds {
		want = append(want, string(k))
	}
	for _, name := range want {
		if found[name] < 3 {
			t.Errorf("%s occurs %d times among %d records", name, found[name], n)
		}
	}
	sum := 0
	for _, events := range orders {
		sum += events
	}
	if mean := float64(sum) / float64(len(orders)); mean < 8 || mean > 16 {
		t.Errorf("an order has %.1f events, want about ten", mean)
	}
}

var knownKinds = []schema.Kind{
	schema.OrderDescribed, schema.OrderUpdated, schema.OrderIssued, schema.OrderRejected, schema.OrderCanceled, schema.OrderReissueReady, schema.OrderMessageReceived, schema.OrderCheckFailed,
	schema.OrderCheckDelayed, schema.OrderApprovalRequested, schema.CertificateCollected, schema.CertificateRevoked, schema.CertificateReplaced, schema.CertificateRevocationAnnounced,
	schema.DomainValidated, schema.DomainValidationFailed, schema.DomainRevalidationDue, schema.DomainExpired, schema.OrganizationValidated, schema.OrganizationRevalidationDue,
	schema.OrganizationExpired, schema.DNSSECRotationStarted, schema.DNSSECRotationCompleted, schema.DNSSECDSSeen, schema.DNSSECDSGone, schema.AccountChallengeReceived,
	schema.AccountTestReceived, schema.DeliveryUnrecognized, schema.UserCreated, schema.UserModified, schema.UserDeleted, schema.UserKeysProvisioned, schema.TargetCreated, schema.TargetDeleted,
	schema.TargetVerified, schema.TargetVerificationFailed, schema.ScanStarted, schema.ScanCanceled, schema.ScanCompleted, schema.ScanFailed, schema.FindingDetected, schema.FindingFixed,
	schema.AttentionAcknowledged, schema.AttentionSnoozed, schema.AttentionTaken, schema.AttentionReopened,
}

func BenchmarkRandomHistory(b *testing.B) {
	for b.Loop() {
		RandomHistory(1, 100_000)
	}
}
