package lifecycle

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

// lastChanges folds events and returns what the last of them changed.
func lastChanges[S any](fold func(S, uint64, *schema.Event) S, changes func(S, S, time.Time) []Changed, events ...*schema.Event) string {
	n := len(events) - 1
	before := history(fold, events[:n])
	last := events[n]
	last.Time = schema.At(began.Add(time.Duration(n) * time.Minute))
	text := ""
	for _, c := range changes(before, fold(before, uint64(n+1), last), last.Time.Time) {
		text += fmt.Sprintf("[%s: %s > %s]", c.Field, c.Before, c.After)
	}
	return text
}

// certificateChanges has every certificate that is issued expire soon.
func certificateChanges(before, after Certificate, _ time.Time) []Changed {
	return before.Changes(after, func(c Certificate) string {
		if c.Phase == Issued {
			return Expiring
		}
		return c.Phase
	})
}

func rotationChanges(before, after DNSSEC, _ time.Time) []Changed {
	return before.Changes(after, func(r DNSSEC) string { return r.Phase })
}

func TestChanges(t *testing.T) {
	from, until := schema.At(began.AddDate(0, 0, -195)), schema.At(began.AddDate(0, 0, 5))
	later := schema.At(began.AddDate(0, 0, 200))
	issued := func(id string, names ...string) *schema.Event {
		return made(schema.OrderIssued, schema.Data{CertificateID: id, Certificate: &schema.Certificate{CommonName: names[0], DNSNames: names, NotBefore: &from, NotAfter: &until}})
	}
	failed := made(schema.OrderCheckFailed, schema.Data{Check: schema.CheckOrganization, CheckState: schema.CheckFailed, Reason: "not listed"})
	again := made(schema.OrderCheckFailed, schema.Data{Check: schema.CheckOrganization, CheckState: schema.CheckFailed, Reason: "moved"})
	validated := made(schema.DomainValidated, schema.Data{Domain: "a.example", Check: schema.DomainCheck("a.example"), CheckState: schema.CheckPassed, ExpiresAt: &later})
	updated := made(schema.OrderUpdated, schema.Data{})
	rotation := func(kind schema.Kind, tag uint16) *schema.Event {
		return made(kind, schema.Data{WebsiteID: "42", Domain: "zone.example", DS: &schema.DS{KeyTag: tag, Algorithm: 13, DigestType: 2, Digest: "AB"}})
	}
	for name, c := range map[string]struct{ got, want string }{
		"first event":    {lastChanges(Order.Fold, Order.Changes, updated), "[state:  > pending]"},
		"check":          {lastChanges(Order.Fold, Order.Changes, updated, failed), "[state: pending > action_required][check:organization:  > failed]"},
		"reason alone":   {lastChanges(Order.Fold, Order.Changes, failed, again), "[reason:organization: not listed > moved]"},
		"repeated":       {lastChanges(Order.Fold, Order.Changes, failed, failed), ""},
		"nothing":        {lastChanges(Order.Fold, Order.Changes, issued("1", "a.example"), updated), ""},
		"domain's check": {lastChanges(Order.Fold, Order.Changes, updated, validated), "[check:domain:a.example:  > passed]"},
		"issued": {lastChanges(Order.Fold, Order.Changes, failed, issued("881001", "a.example", "b.example")),
			"[state: action_required > issued][check:organization: failed > passed][certificate_id:  > 881001][common_name:  > a.example][names_added:  > a.example, b.example]"},
		"reissued": {lastChanges(Order.Fold, Order.Changes, issued("881001", "a.example", "b.example"), issued("881090", "a.example", "c.example")),
			"[certificate_id: 881001 > 881090][names_added:  > c.example][names_removed:  > b.example]"},
		"message": {lastChanges(Order.Fold, Order.Changes, updated, made(schema.OrderMessageReceived, schema.Data{})), "[state: pending > action_required][message:  > unanswered]"},
		"revoked": {lastChanges(Order.Fold, Order.Changes, issued("1", "a.example"), made(schema.CertificateRevoked, schema.Data{CertificateID: "1"})),
			"[state: issued > revoked][revoked_certificates_added:  > 1]"},
		// the clock made it expiring long before, so the event did not
		"the event's own doing": {lastChanges(Certificate.Fold, certificateChanges, issued("1", "a.example"), made(schema.CertificateRevocationAnnounced, schema.Data{CertificateID: "1", RevokesAt: &until})),
			"[revocation_announced:  > true][revokes_at:  > 2026-11-26T22:00:00.000Z]"},
		"certificate": {lastChanges(Certificate.Fold, certificateChanges, issued("1", "a.example")),
			"[state:  > expiring][order_id:  > 12345][common_name:  > a.example][names_added:  > a.example][not_before:  > 2026-05-10T22:00:00.000Z][not_after:  > 2026-11-26T22:00:00.000Z]"},
		"domain": {lastChanges(Domain.Fold, Domain.Changes, validated, made(schema.DomainExpired, schema.Data{Domain: "a.example"})), "[state: validated > expired]"},
		"rotation": {lastChanges(DNSSEC.Fold, rotationChanges, rotation(schema.DNSSECRotationStarted, 1), rotation(schema.DNSSECRotationCompleted, 1)),
			"[state: rotation_started > rotation_completed][next_step: ds-submit > ds-retract][completed_at:  > 2026-11-21T22:01:00.000Z]"},
		"next rotation": {lastChanges(DNSSEC.Fold, rotationChanges, rotation(schema.DNSSECRotationCompleted, 1), rotation(schema.DNSSECRotationStarted, 2)),
			"[state: rotation_completed > rotation_started][next_step: ds-retract > ds-submit][ds: 1 13 2 AB > 2 13 2 AB][previous_ds:  > 1 13 2 AB][started_at:  > 2026-11-21T22:01:00.000Z][completed_at: 2026-11-21T22:00:00.000Z > ]"},
		"organization": {lastChanges(Organization.Fold, Organization.Changes, made(schema.OrganizationRevalidationDue, schema.Data{OrganizationID: "1", OrganizationName: "Example"})),
			"[state:  > revalidation_due][name:  > Example]"},
		"website": {lastChanges(Website.Fold, Website.Changes, made("website.malware_found", schema.Data{}), made("website.malware_gone", schema.Data{})), "[last_report: malware_found > malware_gone]"},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, c.got, c.want)
		}
	}
}

// TestChangesMissNothing folds on from any state: if what an order means is other than before, its changes say so, and
// only then.
func TestChangesMissNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := history(Order.Fold, rapid.SliceOfN(orderEvent(), 1, 8).Draw(t, "before"))
		after := before.Fold(99, orderEvent().Draw(t, "event"))
		changed := before.Changes(after, began)
		same := before.State() == after.State() && before.CertificateID == after.CertificateID && reflect.DeepEqual(before.Checks, after.Checks) &&
			(before.MessageAt == nil) == (after.MessageAt == nil) && fmt.Sprint(before.Reasons) == fmt.Sprint(after.Reasons) && fmt.Sprint(before.RevokedIDs) == fmt.Sprint(after.RevokedIDs)
		if same != (len(changed) == 0) {
			t.Fatalf("from %s\n  to %s: %v", meaning(before), meaning(after), changed)
		}
	})
}

// TestLongListsAreCounted: of a list a change has the first, and how many more there are.
func TestLongListsAreCounted(t *testing.T) {
	var names []string
	for i := range namesListed + 3 {
		names = append(names, fmt.Sprint(i))
	}
	var c changes
	c.list(FieldNamesAdded, FieldNamesRemoved, nil, names)
	if want := (Changed{Field: FieldNamesAdded, After: "0, 1, 2, 3, 4, 5, 6, 7", More: 3}); len(c) != 1 || c[0] != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
}

// TestEveryFieldIsListed: the fields that changes have are those that Fields lists, and each is told from the others.
func TestEveryFieldIsListed(t *testing.T) {
	source, err := os.ReadFile("fields.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\tField\w+ += "([a-z0-9_]+)"`).FindAllStringSubmatch(string(source), -1)
	listed := Fields()
	for _, d := range declared {
		if !slices.Contains(listed, d[1]) {
			t.Errorf("%s is not listed", d[1])
		}
	}
	if slices.Sort(listed); len(slices.Compact(listed)) != len(declared) || len(declared) < 40 {
		t.Errorf("%d fields are declared, %d listed", len(declared), len(listed))
	}
}

// TestChangesAreValues: whatever an order goes through, a change is a field of the list or a check's, and its times and
// states are such as programs read.
func TestChangesAreValues(t *testing.T) {
	fields := Fields()
	rapid.Check(t, func(t *rapid.T) {
		before := history(Order.Fold, rapid.SliceOfN(orderEvent(), 0, 8).Draw(t, "before"))
		after := before.Fold(99, orderEvent().Draw(t, "event"))
		for _, c := range before.Changes(after, began) {
			_, check := CheckOf(c.Field)
			_, reason := ReasonOf(c.Field)
			if !check && !reason && !slices.Contains(fields, c.Field) {
				t.Fatalf("no such field: %+v", c)
			}
			if (c.Field == FieldState || check) && strings.Contains(c.Before+c.After, " ") {
				t.Fatalf("a state is no code: %+v", c)
			}
		}
	})
}
