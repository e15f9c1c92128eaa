package words

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

func TestCheckAsHeading(t *testing.T) {
	for name, want := range map[string]string{"": "", schema.CheckCSR: "CSR", "moon_phase": "Moon phase", schema.DomainCheck("xn--bcher-kva.example"): "bücher.example"} {
		if got := CheckName(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{0: "just now", 59 * time.Second: "just now", time.Minute: "1 min ago", 59 * time.Minute: "59 min ago", time.Hour: "1 h ago",
		47 * time.Hour: "47 h ago", 48 * time.Hour: "2 d ago", 59 * 24 * time.Hour: "59 d ago", 60 * 24 * time.Hour: "22 Sep 2026", -90 * time.Minute: "in 1 h",
		-30 * 24 * time.Hour: "in 30 d", -400 * 24 * time.Hour: "26 Dec 2027"} {
		if got := Ago(now.Add(-d), now); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 days", 1: "1 day", 2: "2 days", 1234567: "1,234,567 days", -1: "-1 days", -1000: "-1,000 days"} {
		if got := Days(n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := Count(uint64(12403), "event"); got != "12,403 events" {
		t.Errorf("got %q", got)
	}
	for days, want := range map[int]string{-2: "ended 2 days ago", 0: "0 days left", 1: "1 day left"} {
		if got := DaysLeft(&days); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{"": "", "the body is not JSON": "The body is not JSON.", "it ended...": "It ended.", "éé.": "Éé.", "\xff": "\xff."} {
		if got := Sentence(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestSentencesStay: what is a sentence is left as it is.
func TestSentencesStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := Sentence(rapid.String().Draw(t, "text"))
		if again := Sentence(once); again != once {
			t.Fatalf("%q becomes %q", once, again)
		}
	})
}

func TestChanged(t *testing.T) {
	for change, want := range map[lifecycle.Changed]Change{
		{Field: "state", Before: "rotation_completed", After: "rotation_started"}:                    {"state", "rotation completed", "rotation under way"},
		{Field: "state", After: "action_required"}:                                                   {"state", "", "action required"},
		{Field: "severity", Before: "10", After: "30"}:                                               {"severity", "low", "high"},
		{Field: "not_after", After: "2027-05-25T16:21:07.000Z"}:                                      {"valid until", "", "25 May 2027, 16:21 UTC"},
		{Field: "started_at", Before: "2027-05-25T16:21:07.000Z", After: "2027-05-25T16:21:09.000Z"}: {"started", "25 May 2027, 16:21:07 UTC", "25 May 2027, 16:21:09 UTC"},
		{Field: "names_added", After: "xn--bcher-kva.example, a.example"}:                            {"names added", "", "bücher.example, a.example"},
		{Field: "names_removed", After: "a.example, b.example", More: 1234}:                          {"names removed", "", "a.example, b.example and 1,234 more"},
		{Field: "check:domain:xn--bcher-kva.example", After: "passed"}:                               {"check bücher.example", "", "passed"},
		{Field: "reason:csr", Before: "too short", After: "used before"}:                             {"reason of CSR", "too short", "used before"},
		{Field: "check:moon_phase", After: "failed"}:                                                 {"check moon phase", "", "failed"},
		{Field: "provider_state", Before: "notfixed", After: "fixed"}:                                {"provider's state", "not fixed", "fixed"},
		{Field: "fingerprint_sha256", After: "11593c9eab954debcd83ec4032e8b48d351c7ce737726e"}:       {"fingerprint", "", "11593c9eab95…"},
		{Field: "next_step", Before: "ds-submit", After: "ds-retract"}:                               {"next step", "publish the new DS", "remove the old DS"},
		{Field: "findings", Before: "high:1, low:0", After: "high:0, medium:2"}:                      {"findings", "1 high, 0 low", "0 high, 2 medium"},
		{Field: "keys_added", After: "ssh:efb8b828, pgp:ccef7937"}:                                   {"keys provisioned", "", "ssh key efb8b828, pgp key ccef7937"},
		{Field: "message", After: "unanswered"}:                                                      {"message from the CA", "", "unanswered"},
		{Field: "revocation_announced", After: "true"}:                                               {"revocation announced", "", "yes"},
		{Field: "validation_type", After: "ov"}:                                                      {"validation", "", "OV"},
		{Field: "last_report", After: "malware_found"}:                                               {"last report", "", "malware found"},
		{Field: "not_after", After: "some day"}:                                                      {"valid until", "", "some day"},
		{Field: "groups_added", After: "a, b"}:                                                       {"groups joined", "", "a, b"},
	} {
		if got := Changed(change); got != want {
			t.Errorf("%+v is %+v, want %+v", change, got, want)
		}
	}
}

// TestEveryFieldHasItsLabel: no label is a code, and no two fields of the same row are called the same.
func TestEveryFieldHasItsLabel(t *testing.T) {
	seen := map[string]string{}
	for _, field := range lifecycle.Fields() {
		label := Label(field)
		if other := seen[label]; label == "" || spaced(label) != label || other != "" {
			t.Errorf("%s is called %q, like %q", field, label, other)
		}
		seen[label] = field
	}
}

func TestSummary(t *testing.T) {
	at := schema.At(time.Date(2026, 11, 26, 22, 0, 0, 0, time.UTC))
	one, none := 1, 0
	for _, c := range []struct {
		kind             schema.Kind
		f                lifecycle.Facts
		people, programs string // programs "": the same
	}{
		{schema.OrderIssued, lifecycle.Facts{Certificate: "881001", Until: &at}, "Issued certificate 881001 until 26 Nov 2026", "Issued certificate 881001 until 2026-11-26"},
		{schema.OrderIssued, lifecycle.Facts{}, "Issued", ""},
		{schema.OrderCheckFailed, lifecycle.Facts{Check: "domain:*.xn--bcher-kva.example", Reason: "until 2026-11-26"}, "Domain *.bücher.example check failed: until 2026-11-26", "Domain *.xn--bcher-kva.example check failed: until 2026-11-26"},
		{schema.OrderCheckDelayed, lifecycle.Facts{}, "Unnamed check delayed", ""},
		{schema.OrderUpdated, lifecycle.Facts{Event: "X"}, "Updated: X", ""},
		{schema.OrderUpdated, lifecycle.Facts{Check: "csr", State: "passed"}, "CSR check passed", ""},
		{schema.OrderDescribed, lifecycle.Facts{}, "The provider described the order", ""},
		{schema.OrderDescribed, lifecycle.Facts{Open: schema.Checks{"phone": "failed", "csr": "pending"}, More: 2}, "The provider described the order: CSR pending, phone failed and 2 more", ""},
		{schema.OrderCanceled, lifecycle.Facts{}, "Canceled", ""},
		{schema.CertificateRevocationAnnounced, lifecycle.Facts{Certificate: "3", Until: &at, Reason: "seen 2026-11-01"}, "Revocation of certificate 3 announced for 26 Nov 2026: seen 2026-11-01", "Revocation of certificate 3 announced for 2026-11-26: seen 2026-11-01"},
		{schema.DomainValidated, lifecycle.Facts{Domain: "xn--bcher-kva.example"}, "Domain bücher.example validated", "Domain xn--bcher-kva.example validated"},
		{schema.OrganizationRevalidationDue, lifecycle.Facts{Organization: "until 2026-11-26"}, "Organization until 2026-11-26 revalidation due", ""},
		{schema.UserKeysProvisioned, lifecycle.Facts{Keys: []string{"ssh", "hardware"}}, "Keys provisioned: ssh, hardware", ""},
		{schema.UserModified, lifecycle.Facts{}, "User modified", ""},
		{schema.TargetVerificationFailed, lifecycle.Facts{Target: "a.example", Reason: "no file"}, "Target a.example verification failed: no file", ""},
		{schema.TargetDeleted, lifecycle.Facts{}, "Target deleted", ""},
		{schema.ScanStarted, lifecycle.Facts{}, "Scan started", ""},
		{schema.ScanCompleted, lifecycle.Facts{Findings: &lifecycle.Severities{Highs: &one, Lows: &none}}, "Scan completed: 1 high, 0 low", ""},
		{schema.FindingFixed, lifecycle.Facts{Finding: "t:1"}, "Fixed: t:1", ""},
		{schema.AttentionTaken, lifecycle.Facts{Matter: "check_failed", Check: "domain:a.example", Until: &at, Reason: "called"}, "Taken: check failed (domain a.example) until 26 Nov 2026: called", "Taken: check failed (domain a.example) until 2026-11-26: called"},
		{schema.AttentionReopened, lifecycle.Facts{}, "Reopened", ""},
		{"website.malware_found", lifecycle.Facts{}, "Malware found", ""},
		{"", lifecycle.Facts{}, "", ""},
	} {
		if c.programs == "" {
			c.programs = c.people
		}
		if got := Summary(c.kind, c.f, ForPeople); got != c.people {
			t.Errorf("%s for people: %q, want %q", c.kind, got, c.people)
		}
		if got := Summary(c.kind, c.f, ForPrograms); got != c.programs {
			t.Errorf("%s for programs: %q, want %q", c.kind, got, c.programs)
		}
	}
}

func TestEveryStepIsExplained(t *testing.T) {
	for _, step := range []string{lifecycle.StepWait, lifecycle.StepAnswer, lifecycle.StepRead, lifecycle.StepApprove, lifecycle.StepReissue, lifecycle.StepInstall, lifecycle.StepReplace,
		lifecycle.StepOrderAgain, lifecycle.StepDSSubmit, lifecycle.StepDSRetract} {
		if n := Step(step); n.Word == "" || n.Do == "" {
			t.Errorf("%s is %+v", step, n)
		}
	}
	if n := Step("look-up"); n != (StepText{Word: "look up"}) {
		t.Errorf("a step that nobody knows is %+v", n)
	}
}

func TestKind(t *testing.T) {
	for kind, want := range map[schema.Kind]string{"": "Unknown event", schema.OrderIssued: "Order issued", schema.DNSSECDSSeen: "DNSSEC ds seen", "website.malware_found": "Website malware found", "moon": "Moon"} {
		if got := Kind(kind); got != want {
			t.Errorf("%q is %q, want %q", kind, got, want)
		}
	}
}
