package lifecycle

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

// told folds events and says what the last of them changed.
func told[S any](fold func(S, uint64, *schema.Event) S, changes func(S, S, time.Time) []Changed, events ...*schema.Event) string {
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

func TestChangesInWords(t *testing.T) {
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
		"first event":    {told(Order.Fold, Order.Changes, updated), "[state:  > pending]"},
		"check":          {told(Order.Fold, Order.Changes, updated, failed), "[state: pending > action required][check organization:  > failed]"},
		"reason alone":   {told(Order.Fold, Order.Changes, failed, again), "[reason of organization: not listed > moved]"},
		"repeated":       {told(Order.Fold, Order.Changes, failed, failed), ""},
		"nothing":        {told(Order.Fold, Order.Changes, issued("1", "a.example"), updated), ""},
		"domain's check": {told(Order.Fold, Order.Changes, updated, validated), "[check domain a.example:  > passed]"},
		"issued": {told(Order.Fold, Order.Changes, failed, issued("881001", "a.example", "b.example")),
			"[state: action required > issued][check organization: failed > passed][certificate:  > 881001][common name:  > a.example][names added:  > a.example, b.example]"},
		"reissued": {told(Order.Fold, Order.Changes, issued("881001", "a.example", "b.example"), issued("881090", "a.example", "c.example")),
			"[certificate: 881001 > 881090][names added:  > c.example][names removed:  > b.example]"},
		"message": {told(Order.Fold, Order.Changes, updated, made(schema.OrderMessageReceived, schema.Data{})), "[state: pending > action required][message from the CA:  > unanswered]"},
		"revoked": {told(Order.Fold, Order.Changes, issued("1", "a.example"), made(schema.CertificateRevoked, schema.Data{CertificateID: "1"})),
			"[state: issued > revoked][certificates revoked:  > 1]"},
		// the clock made it expiring long before, so the event did not
		"the event's own doing": {told(Certificate.Fold, certificateChanges, issued("1", "a.example"), made(schema.CertificateRevocationAnnounced, schema.Data{CertificateID: "1", RevokesAt: &until})),
			"[revocation announced:  > yes][revocation due:  > 2026-11-26 22:00 UTC]"},
		"certificate": {told(Certificate.Fold, certificateChanges, issued("1", "a.example")),
			"[state:  > expiring][order:  > 12345][common name:  > a.example][names added:  > a.example][valid from:  > 2026-05-10 22:00 UTC][valid until:  > 2026-11-26 22:00 UTC]"},
		"domain": {told(Domain.Fold, Domain.Changes, validated, made(schema.DomainExpired, schema.Data{Domain: "a.example"})), "[state: validated > expired]"},
		"rotation": {told(DNSSEC.Fold, rotationChanges, rotation(schema.DNSSECRotationStarted, 1), rotation(schema.DNSSECRotationCompleted, 1)),
			"[state: rotation started > rotation completed][next step: publish the new DS > remove the old DS][completed:  > 2026-11-21 22:01 UTC]"},
		"next rotation": {told(DNSSEC.Fold, rotationChanges, rotation(schema.DNSSECRotationCompleted, 1), rotation(schema.DNSSECRotationStarted, 2)),
			"[state: rotation completed > rotation started][next step: remove the old DS > publish the new DS][DS: 1 13 2 AB > 2 13 2 AB][old DS:  > 1 13 2 AB][started:  > 2026-11-21 22:01 UTC][completed: 2026-11-21 22:00 UTC > ]"},
		"organization": {told(Organization.Fold, Organization.Changes, made(schema.OrganizationRevalidationDue, schema.Data{OrganizationID: "1", OrganizationName: "Example"})),
			"[state:  > revalidation due][name:  > Example]"},
		"website": {told(Website.Fold, Website.Changes, made("website.malware_found", schema.Data{}), made("website.malware_gone", schema.Data{})), "[last report: malware found > malware gone]"},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, c.got, c.want)
		}
	}
}

// TestChangesMissNothing folds on from any state: if what an order means is other than before, its changes say so, and only then.
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

func TestManyNamesAreCounted(t *testing.T) {
	var names []string
	for i := range changedNames + 3 {
		names = append(names, fmt.Sprint(i))
	}
	if got := namesText(names); got != "0, 1, 2, 3, 4, 5, 6, 7 and 3 more" {
		t.Errorf("got %s", got)
	}
}
