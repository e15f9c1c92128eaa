package projections

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

func TestRandomHistoryIsDeterministic(t *testing.T) {
	long := randomHistory(1, 5000)
	if !reflect.DeepEqual(long[:1234], randomHistory(1, 1234)) {
		t.Error("the same seed gives other records when fewer are asked for")
	}
	if reflect.DeepEqual(long[:100], randomHistory(2, 100)) {
		t.Error("another seed gives the same records")
	}
	if n := len(randomHistory(1, 0)); n != 0 {
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
	for _, r := range randomHistory(3, n) {
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
		"website.malware_issue_found", "database.backup_restore_state_changed", "account.user_create", "target.verified", "user.created", "attention.snoozed", "unheard.of", "order.teleported",
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
	schema.AccountTestReceived, schema.DeliveryUnrecognized,
}

// TestRandomHistoryFolds has a history in the tables: what cannot be folded is parked, the rest has rows, gaps are noted and no true id counts twice.
func TestRandomHistoryFolds(t *testing.T) {
	records := randomHistory(4, 3000)
	s, _ := running(t, t.TempDir(), logOf(records))
	caughtUp(t, s)
	tables := dump(t, s)
	lines := map[string]int{}
	for line := range strings.Lines(tables) {
		table, _, _ := strings.Cut(line, "|")
		lines[table]++
	}
	for table, atLeast := range map[string]int{
		"orders": 100, "certificates": 50, "domains": 50, "dnssec": 10, "organizations": 10, "websites": 10, "accounts": 5, "timeline": 2500, "names": 100, "quarantine": 10, "gaps": 1, "seen": 10, "cursor": 1,
	} {
		if lines[table] < atLeast {
			t.Errorf("%s has %d rows, want at least %d", table, lines[table], atLeast)
		}
	}
	if want := fmt.Sprintf("cursor|1|%d|", records[len(records)-1].Seq); !strings.Contains(tables, want) {
		t.Errorf("the cursor is not at the last record: want %s", want)
	}
	parked := 0
	for line := range strings.Lines(tables) {
		if strings.HasPrefix(line, "quarantine|") && !strings.Contains(line, "carrier_pigeon") {
			parked++
		}
	}
	if parked == 0 || parked > len(records)/50 {
		t.Errorf("%d events were parked", parked)
	}
}

func BenchmarkRandomHistory(b *testing.B) {
	for b.Loop() {
		randomHistory(1, 100_000)
	}
}
