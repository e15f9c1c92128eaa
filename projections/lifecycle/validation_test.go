package lifecycle

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

// validationStates says which state (the lines) each event (the columns) leads to: the last word holds.
const validationStates = `
before    validated due              expired failed other
new       validated revalidation_due expired failed -
validated validated revalidation_due expired failed validated
due       validated revalidation_due expired failed revalidation_due
expired   validated revalidation_due expired failed expired
failed    validated revalidation_due expired failed failed
`

func TestValidationStates(t *testing.T) {
	one := func(k schema.Kind) []*schema.Event {
		return []*schema.Event{made(k, schema.Data{Domain: "a.example"})}
	}
	column := map[string][]*schema.Event{
		"validated": one(schema.DomainValidated), "due": one(schema.DomainRevalidationDue),
		"expired": one(schema.DomainExpired),
		"failed":  one(schema.DomainValidationFailed), "other": one("domain.renamed"),
	}
	before := map[string][]*schema.Event{"new": nil}
	for _, name := range []string{"validated", "due", "expired", "failed"} {
		before[name] = column[name]
	}
	grid(t, validationStates, before, column, Domain.Fold, func(d Domain) string {
		if d.State == "" {
			return "-"
		}
		return d.State
	})
}

// TestOrganizationStates: an organization's validation is one like a domain's.
func TestOrganizationStates(t *testing.T) {
	for kind, want := range map[schema.Kind]string{
		schema.OrganizationValidated: Validated, schema.OrganizationRevalidationDue: RevalidationDue,
		schema.OrganizationExpired: Expired,
	} {
		named := made(kind, schema.Data{OrganizationID: "1", OrganizationName: "Example", ValidationType: "ev"})
		bare := made(kind, schema.Data{OrganizationID: "1"})
		o := history(Organization.Fold, []*schema.Event{named, bare})
		if o.State != want || o.Name != "Example" || o.ValidationType != "ev" || *o.Since != schema.At(began) {
			t.Errorf("%s: %+v", kind, o)
		}
	}
}

// TestValidationTimes: until when a validation may be reused, when it was made, and since when it stands so.
func TestValidationTimes(t *testing.T) {
	spring, autumn := schema.At(began.AddDate(0, 6, 0)), schema.At(began.AddDate(1, 0, 0))
	heard := func(k schema.Kind, until *schema.Time) *schema.Event {
		return made(k, schema.Data{Domain: "a.example", ExpiresAt: until, Reason: "no record"})
	}
	unread := made(schema.DomainValidated, schema.Data{Domain: "a.example",
		Unreadable: []schema.Unreadable{{Part: "expires_at", Reason: "no time"}}})
	due, expired, validated, failed := schema.DomainRevalidationDue, schema.DomainExpired, schema.DomainValidated,
		schema.DomainValidationFailed
	for name, c := range map[string]struct {
		events           []*schema.Event
		until            *schema.Time
		validated, since int // the event that says so, by its place; -1: none does
		reason           string
		unreadable       bool
	}{
		"validated":         {[]*schema.Event{heard(validated, &spring)}, &spring, 0, 0, "", false},
		"validated, no end": {[]*schema.Event{heard(validated, nil)}, nil, 0, 0, "", false},
		"validated again": {[]*schema.Event{heard(validated, &spring), heard(validated, &autumn)}, &autumn, 1, 0,
			"", false},
		"validated again, no end": {[]*schema.Event{heard(validated, &spring), heard(validated, nil)}, nil, 1, 0, "",
			false},
		"the end stays":          {[]*schema.Event{heard(validated, &spring), heard(due, nil)}, &spring, 0, 1, "", false},
		"the notice has the end": {[]*schema.Event{heard(validated, nil), heard(due, &spring)}, &spring, 0, 1, "", false},
		"noticed twice":          {[]*schema.Event{heard(due, &spring), heard(due, &spring)}, &spring, -1, 0, "", false},
		"expired": {[]*schema.Event{heard(validated, &spring), heard(due, nil), heard(expired, nil)},
			&spring, 0, 2, "", false},
		"failed":                    {[]*schema.Event{heard(failed, nil)}, nil, -1, 0, "no record", false},
		"failed, validated":         {[]*schema.Event{heard(failed, nil), heard(validated, nil)}, nil, 1, 1, "", false},
		"failed, due":               {[]*schema.Event{heard(failed, nil), heard(due, nil)}, nil, -1, 1, "no record", false},
		"unreadable":                {[]*schema.Event{unread}, nil, 0, 0, "", true},
		"unreadable, then read":     {[]*schema.Event{unread, heard(due, &spring)}, &spring, 0, 1, "", false},
		"unreadable, then no word":  {[]*schema.Event{unread, heard(due, nil)}, nil, 0, 1, "", true},
		"the new one is unreadable": {[]*schema.Event{heard(validated, &spring), unread}, nil, 1, 0, "", true},
	} {
		for i, e := range c.events {
			copied := *e
			c.events[i] = &copied
		}
		d := history(Domain.Fold, c.events)
		at := func(i int) *schema.Time { t := schema.At(began.Add(time.Duration(i) * time.Minute)); return &t }
		same := func(got, want *schema.Time) bool { return got == want || got != nil && want != nil && *got == *want }
		if !same(d.ExpiresAt, c.until) || !same(d.Since, at(c.since)) || c.validated >= 0 && !same(d.ValidatedAt,
			at(c.validated)) || c.validated < 0 && d.ValidatedAt != nil {
			t.Errorf("%s: until %v, validated at %v, so since %v; want %v, event %d, event %d", name, d.ExpiresAt,
				d.ValidatedAt, d.Since, c.until, c.validated, c.since)
		}
		if d.Reason != c.reason || (d.Unreadable != "") != c.unreadable {
			t.Errorf("%s: because of %q, unreadable %q; want %q, %v", name, d.Reason, d.Unreadable, c.reason, c.unreadable)
		}
	}
}

// TestWebsites: the last report is all that is kept of a website or a database.
func TestWebsites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(rapid.SampledFrom([]schema.Kind{"website.malware_issue_found",
			"website.malware_issue_fixed", "website.x", "database.backup_restore_state_changed"}), 1, 6).Draw(t, "kinds")
		var events []*schema.Event
		for _, kind := range kinds {
			events = append(events, made(kind, schema.Data{TargetID: "42"}))
		}
		last := kinds[len(kinds)-1]
		if w := history(Website.Fold, events); w.State != last.Name() || w.Kind != last.Aggregate() ||
			w.EventCount != len(kinds) {
			t.Fatalf("after %v it is %+v", kinds, w)
		}
	})
}

// TestRotationsAreConsistent: what the parts of a rotation say about each other, after any history.
func TestRotationsAreConsistent(t *testing.T) {
	kinds := []schema.Kind{schema.DNSSECRotationStarted, schema.DNSSECRotationCompleted, schema.DNSSECDSSeen,
		schema.DNSSECDSGone, schema.DNSSECDescribed}
	rapid.Check(t, func(t *rapid.T) {
		var r DNSSEC
		for i := range rapid.IntRange(1, 12).Draw(t, "events") {
			d := schema.Data{WebsiteID: "42", DS: rapid.SampledFrom([]*schema.DS{nil, dsOf(1, 2), dsOf(2, 2), dsOf(3,
				2)}).Draw(t, "ds")}
			e := made(rapid.SampledFrom(kinds).Draw(t, "kind"), d)
			e.Time = schema.At(began.Add(time.Duration(i) * time.Minute))
			before := r
			r = r.Fold(uint64(i+1), e)
			told := e.Kind() == schema.DNSSECRotationStarted || e.Kind() == schema.DNSSECRotationCompleted
			if !told && (r.Phase != before.Phase || r.PreviousDS != before.PreviousDS || r.StartedAt != before.StartedAt ||
				r.CompletedAt != before.CompletedAt) {
				t.Fatalf("%s changed %+v to %+v", e.Kind(), before, r)
			}
			if told && e.Data.DS != nil && !SameDS(r.DS, e.Data.DS) {
				t.Fatalf("%s of DS %d leaves DS %d", e.Kind(), tag(e.Data.DS), tag(r.DS))
			}
		}
		steps := map[string][]string{"": {""}, RotationStarted: {StepDSSubmit, ""}, RotationCompleted: {StepDSRetract, ""}}
		if !slices.Contains(steps[r.Phase], r.NextStep) {
			t.Fatalf("%s, next %q", r.Phase, r.NextStep)
		}
		if (r.Phase == RotationCompleted) != (r.CompletedAt != nil) || r.Phase == RotationStarted && r.StartedAt == nil {
			t.Fatalf("%s, started at %v, completed at %v", r.Phase, r.StartedAt, r.CompletedAt)
		}
	})
}

func TestSameDS(t *testing.T) {
	ds := schema.DS{KeyTag: 1, Algorithm: 13, DigestType: 2, Digest: "ab"}
	upper, tagged, other, digest, long := ds, ds, ds, ds, ds
	upper.Digest, tagged.KeyTag, other.Algorithm, digest.DigestType, long.Digest = "AB", 2, 8, 1, "abcd"
	for _, c := range []struct {
		a, b *schema.DS
		want bool
	}{{&ds, &ds, true}, {&ds, &upper, true}, {&ds, &tagged, false}, {&ds, &other, false}, {&ds, &digest, false}, {&ds,
		&long, false}, {&ds, nil, false}, {nil, nil, false}} {
		if SameDS(c.a, c.b) != c.want || SameDS(c.b, c.a) != c.want {
			t.Errorf("%+v and %+v are the same: %v", c.a, c.b, !c.want)
		}
	}
}
