package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// Finding shows one weakness of a target. Its id is the target's and the number it has there: 3NnoNEvCLtsc:12.
type Finding struct {
	Provider      string       `json:"provider"`
	ID            string       `json:"id"`
	State         string       `json:"state"` // detected, fixed
	TargetID      string       `json:"target_id,omitempty"`
	Name          string       `json:"name,omitempty"`
	Severity      int          `json:"severity,omitempty"` // Probely: 10 low, 20 medium, 30 high
	TLS           bool         `json:"tls"`                // whether it is about TLS or certificates
	URL           string       `json:"url,omitempty"`
	Host          string       `json:"host,omitempty"`
	Method        string       `json:"method,omitempty"`
	Parameter     string       `json:"parameter,omitempty"`
	ProviderState string       `json:"provider_state,omitempty"` // notfixed, invalid, accepted, fixed
	DefinitionID  string       `json:"definition_id,omitempty"`
	CVSSScore     float64      `json:"cvss_score,omitempty"`
	CVSSVector    string       `json:"cvss_vector,omitempty"`
	LastFoundAt   *schema.Time `json:"last_found_at,omitempty"`
	DetectedAt    *schema.Time `json:"detected_at,omitempty"`
	FixedAt       *schema.Time `json:"fixed_at,omitempty"`
	Row
}

// findingHost selects the host that a finding is on, as SQL; empty text where only its target is known.
const findingHost = "coalesce(json_extract(nullif(about, ''), '$.host'), '')"

// Findings keeps the weaknesses that scanners found.
var Findings = define(Table[lifecycle.Finding, Finding]{
	Spec: Spec{
		Name: lifecycle.Findings, Title: "Findings", Noun: "finding", Key: "id",
		Sorts:   []string{"last_event_at", "first_event_at", "state", "severity", "name", "target_id", "detected_at", "fixed_at", "id", "provider"},
		InOrder: []string{"name"},
		States:  equalTo("state", lifecycle.Detected, lifecycle.Fixed),
		Exact:   []string{"id", "target_id", "name"},
		named:   []namedIn{aloneIn(findingHost)},
		CSV: []string{"provider", "id", "state", "target_id", "name", "severity", "tls", "host", "url", "provider_state", "cvss_score",
			"detected_at", "fixed_at", "last_event_at"},
	},
	columns: func(f *lifecycle.Finding) []Column {
		return []Column{
			{"state", &f.State},
			{"target_id", &f.TargetID},
			{"about", whole(&f.About)},
			{"detected_at", optionalTime{&f.DetectedAt}},
			{"fixed_at", optionalTime{&f.FixedAt}},
		}
	},
	derived: func(f *lifecycle.Finding) []Column {
		return []Column{
			{"name", f.About.Name},
			{"severity", f.About.Severity},
			{"tls", f.TLS()}, // whether it is about TLS or certificates
		}
	},
	life:    func(f *lifecycle.Finding) *lifecycle.Life { return &f.Life },
	fold:    lifecycle.Finding.Fold,
	changes: lifecycle.Finding.Changes,
	names:   func(_ string, f *lifecycle.Finding) []string { return []string{f.About.Host} },
	item: func(k Key, f *lifecycle.Finding, _ time.Time) Finding {
		return Finding{
			Provider: k.Provider, ID: k.ID, State: f.State, TargetID: f.TargetID, Name: f.About.Name, Severity: f.About.Severity, TLS: f.TLS(),
			URL: f.About.URL, Host: f.About.Host, Method: f.About.Method, Parameter: f.About.Parameter, ProviderState: f.About.State,
			DefinitionID: f.About.DefinitionID, CVSSScore: f.About.CVSSScore, CVSSVector: f.About.CVSSVector, LastFoundAt: f.About.LastFoundAt,
			DetectedAt: f.DetectedAt, FixedAt: f.FixedAt, Row: rowOf(&f.Life),
		}
	},
})
