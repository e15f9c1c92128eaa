package lifecycle

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

func probed(kind schema.Kind, d schema.Data) *schema.Event {
	d.Provider = "probely"
	return schema.New("probely:1", "/hooks/probely", schema.At(began), kind, d)
}

func TestTargetStates(t *testing.T) {
	plain := func(kinds ...schema.Kind) (events []*schema.Event) {
		for _, kind := range kinds {
			events = append(events, probed(kind, schema.Data{TargetID: "t", Reason: "why"}))
		}
		return events
	}
	for name, c := range map[string]struct {
		events []*schema.Event
		want   string
	}{
		"created":             {plain(schema.TargetCreated), "created "},
		"verified":            {plain(schema.TargetCreated, schema.TargetVerified), "verified "},
		"overtaken":           {plain(schema.TargetVerified, schema.TargetCreated), "verified "},
		"failed":              {plain(schema.TargetCreated, schema.TargetVerificationFailed), "verification_failed why"},
		"failed, verified":    {plain(schema.TargetVerificationFailed, schema.TargetVerified), "verified "},
		"verified, failed":    {plain(schema.TargetVerified, schema.TargetVerificationFailed), "verification_failed why"},
		"deleted":             {plain(schema.TargetVerified, schema.TargetDeleted), "deleted "},
		"overtaken by an end": {plain(schema.TargetDeleted, schema.TargetVerified), "deleted "},
		"created again":       {plain(schema.TargetDeleted, schema.TargetCreated), "created "},
	} {
		got := history(Target.Fold, c.events)
		if text := got.State + " " + got.Reason; text != c.want {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
		if (got.VerifiedAt != nil) != (c.events[0].Kind() == schema.TargetVerified || got.State == Verified) {
			t.Errorf("%s: verified at %v", name, got.VerifiedAt)
		}
	}
}

func TestScanStates(t *testing.T) {
	at := schema.At(began)
	start := probed(schema.ScanStarted, schema.Data{ScanID: "s", TargetID: "t", OccurredAt: &at, Target: &schema.Target{Host: "a.example"}})
	highs := 3
	end := probed(schema.ScanCompleted, schema.Data{ScanID: "s", Scan: &schema.Scan{Highs: &highs}})
	for _, events := range [][]*schema.Event{{start, end}, {end, start}, {start, start, end, start}} {
		s := history(Scan.Fold, events)
		if s.State != Completed || s.TargetID != "t" || s.Host != "a.example" || s.About.StartedAt == nil || *s.About.Highs != 3 {
			t.Errorf("%d events: %+v", len(events), s)
		}
	}
	for kind, want := range map[schema.Kind]string{schema.ScanStarted: ScanStarted, schema.ScanFailed: Failed, schema.ScanCanceled: Canceled} {
		if s := history(Scan.Fold, []*schema.Event{probed(kind, schema.Data{ScanID: "s"})}); s.State != want {
			t.Errorf("%s: %s", kind, s.State)
		}
	}
	if got := lastChanges(Scan.Fold, Scan.Changes, start, end); got != "[state: started > completed][findings:  > high:3]" {
		t.Error(got)
	}
}

func TestFindingLives(t *testing.T) {
	detected := probed(schema.FindingDetected, schema.Data{FindingID: "t:1", TargetID: "t", Target: &schema.Target{Host: "a.example"}, Finding: &schema.Finding{Name: "Expired certificate", Severity: 30}})
	fixed := probed(schema.FindingFixed, schema.Data{FindingID: "t:1", Finding: &schema.Finding{State: "fixed"}})
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.SampledFrom([]*schema.Event{detected, fixed}), 1, 10).Draw(t, "events")
		for i, e := range events {
			copied := *e
			events[i] = &copied
		}
		f := history(Finding.Fold, events)
		last := events[len(events)-1]
		if want := last.Kind().Name(); f.State != want || (f.FixedAt != nil) != (want == Fixed) {
			t.Fatalf("after %s it is %s, fixed at %v", want, f.State, f.FixedAt)
		}
		if twice := f.Fold(99, last); fmt.Sprint(twice.State, twice.About, twice.DetectedAt, twice.FixedAt) != fmt.Sprint(f.State, f.About, f.DetectedAt, f.FixedAt) {
			t.Fatalf("once  %+v\ntwice %+v", f, twice)
		}
	})
	if got := lastChanges(Finding.Fold, Finding.Changes, detected, fixed); got != "[state: detected > fixed][provider_state:  > fixed][fixed_at:  > 2026-11-21T22:01:00.000Z]" {
		t.Error(got)
	}
	if f := history(Finding.Fold, []*schema.Event{detected, fixed}); !f.TLS() || f.About.Host != "a.example" || f.About.Severity != 30 {
		t.Errorf("%+v", f)
	}
}

func TestAboutTLS(t *testing.T) {
	for name, want := range map[string]bool{
		"Weak cipher suites in TLS": true, "Expired TLS certificate": true, "SSL/TLS: POODLE": true, "Missing HSTS": true, "Strict-Transport-Security header missing": true, "HTTPS not enforced": true,
		"X.509 problem": true, "TLSv1.0 enabled": true, "SQL injection": false, "Missing robots.txt": false, "": false, "Certificated user": false, "Insecure classlessness": false, "Reflected cross-site scripting": false,
	} {
		if got := (Finding{About: schema.Finding{Name: name}}).TLS(); got != want {
			t.Errorf("%q is about TLS: %v, want %v", name, got, want)
		}
	}
}
