package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
)

var targets = &table[lifecycle.Target, Target]{
	name: lifecycle.Targets, key: "id",
	fields:  []string{"state", "about", "verified_at", "reason", "since"},
	derived: []string{"name", "host"},
	bind: func(t *lifecycle.Target) []any {
		return []any{&t.State, whole(&t.About), optionalTime{&t.VerifiedAt}, &t.Reason, optionalTime{&t.Since}}
	},
	life:   func(t *lifecycle.Target) *lifecycle.Life { return &t.Life },
	derive: func(t *lifecycle.Target) []any { return []any{t.About.Name, t.About.Host} },
	fold:   lifecycle.Target.Fold,
	names:  func(_ string, t *lifecycle.Target) []string { return []string{t.About.Host} },
	named:  []namedIn{aloneIn("host")},
	sorts:  []string{"last_event_at", "first_event_at", "state", "name", "host", "verified_at", "id", "provider"},
	states: equalTo("state", lifecycle.TargetCreated, lifecycle.Verified, lifecycle.VerificationFailed, lifecycle.Deleted),
	exact:  []string{"id", "name", "host"},
	item: func(provider, id string, t *lifecycle.Target, _ time.Time) Target {
		return Target{
			Provider: provider, ID: id, State: t.State, Name: t.About.Name, Host: t.About.Host, URL: t.About.URL, VerifiedAt: t.VerifiedAt, VerificationMethod: t.About.VerificationMethod,
			Reason: t.Reason, Since: t.Since, Row: rowOf(&t.Life),
		}
	},
}

var scans = &table[lifecycle.Scan, Scan]{
	name: lifecycle.Scans, key: "id",
	fields:  []string{"state", "target_id", "host", "about"},
	derived: []string{"started_at", "completed_at"},
	bind: func(s *lifecycle.Scan) []any {
		return []any{&s.State, &s.TargetID, &s.Host, whole(&s.About)}
	},
	life: func(s *lifecycle.Scan) *lifecycle.Life { return &s.Life },
	derive: func(s *lifecycle.Scan) []any {
		return []any{timeText(s.About.StartedAt), timeText(s.About.CompletedAt)}
	},
	fold:   lifecycle.Scan.Fold,
	names:  func(_ string, s *lifecycle.Scan) []string { return []string{s.Host} },
	named:  []namedIn{aloneIn("host")},
	sorts:  []string{"last_event_at", "first_event_at", "state", "started_at", "completed_at", "target_id", "host", "id", "provider"},
	states: equalTo("state", lifecycle.ScanStarted, lifecycle.Completed, lifecycle.Canceled, lifecycle.Failed),
	exact:  []string{"id", "target_id", "host"},
	item: func(provider, id string, s *lifecycle.Scan, _ time.Time) Scan {
		return Scan{
			Provider: provider, ID: id, State: s.State, TargetID: s.TargetID, Host: s.Host, Profile: s.About.Profile, StartedAt: s.About.StartedAt, CompletedAt: s.About.CompletedAt,
			Lows: s.About.Lows, Mediums: s.About.Mediums, Highs: s.About.Highs, Row: rowOf(&s.Life),
		}
	},
}

// findingHost is SQL of the host that a finding is on; empty text where only its target is known.
const findingHost = "coalesce(json_extract(nullif(about, ''), '$.host'), '')"

var findings = &table[lifecycle.Finding, Finding]{
	name: lifecycle.Findings, key: "id",
	fields:  []string{"state", "target_id", "about", "detected_at", "fixed_at"},
	derived: []string{"name", "severity", "tls"},
	bind: func(f *lifecycle.Finding) []any {
		return []any{&f.State, &f.TargetID, whole(&f.About), optionalTime{&f.DetectedAt}, optionalTime{&f.FixedAt}}
	},
	life:    func(f *lifecycle.Finding) *lifecycle.Life { return &f.Life },
	derive:  func(f *lifecycle.Finding) []any { return []any{f.About.Name, f.About.Severity, f.TLS()} },
	fold:    lifecycle.Finding.Fold,
	names:   func(_ string, f *lifecycle.Finding) []string { return []string{f.About.Host} },
	named:   []namedIn{aloneIn(findingHost)},
	sorts:   []string{"last_event_at", "first_event_at", "state", "severity", "name", "target_id", "detected_at", "fixed_at", "id", "provider"},
	inOrder: []string{"name"},
	states:  equalTo("state", lifecycle.Detected, lifecycle.Fixed),
	exact:   []string{"id", "target_id", "name"},
	item: func(provider, id string, f *lifecycle.Finding, _ time.Time) Finding {
		return Finding{
			Provider: provider, ID: id, State: f.State, TargetID: f.TargetID, Name: f.About.Name, Severity: f.About.Severity, TLS: f.TLS(), URL: f.About.URL, Host: f.About.Host,
			Method: f.About.Method, Parameter: f.About.Parameter, ProviderState: f.About.State, DefinitionID: f.About.DefinitionID, CVSSScore: f.About.CVSSScore, CVSSVector: f.About.CVSSVector,
			LastFoundAt: f.About.LastFoundAt, DetectedAt: f.DetectedAt, FixedAt: f.FixedAt, Row: rowOf(&f.Life),
		}
	},
}
