package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// DNSSEC shows the key rotation of one website's zone.
type DNSSEC struct {
	Provider    string       `json:"provider"`
	WebsiteID   string       `json:"website_id"`
	Domain      string       `json:"domain,omitempty"`
	State       string       `json:"state"`     // rotation_started, rotation_overdue, rotation_completed
	NextStep    string       `json:"next_step"` // ds-submit, ds-retract or empty
	DS          *schema.DS   `json:"ds,omitempty"`
	PreviousDS  *schema.DS   `json:"previous_ds,omitempty"`
	StartedAt   *schema.Time `json:"started_at,omitempty"`
	CompletedAt *schema.Time `json:"completed_at,omitempty"`
	Row
}

// DNSSECs keeps the key rotations.
var DNSSECs = define(Table[lifecycle.DNSSEC, DNSSEC]{
	Spec: Spec{
		Name: lifecycle.DNSSECs, Title: "DNSSEC rotations", Noun: "rotation of website", Key: "website_id",
		Sorts: []string{"last_event_at", "started_at", "completed_at", "domain", "website_id", "provider"},
		States: []State{
			{lifecycle.RotationStarted, func(now string) (string, []any) {
				return "phase = 'rotation_started' AND overdue_from > ?", []any{now}
			}},
			{lifecycle.RotationOverdue, func(now string) (string, []any) {
				return "phase = 'rotation_started' AND overdue_from <= ?", []any{now}
			}},
			{lifecycle.RotationCompleted, func(string) (string, []any) { return "phase = 'rotation_completed'", nil }},
		},
		Exact: []string{"website_id"},
		named: []namedIn{aloneIn("domain")},
		CSV:   []string{"provider", "website_id", "domain", "state", "next_step", "ds", "previous_ds", "started_at", "completed_at", "last_event_at"},
	},
	columns: func(r *lifecycle.DNSSEC) []Column {
		return []Column{
			{"domain", &r.Domain},
			{"phase", &r.Phase}, // rotation_started, rotation_completed; overdue is worked out when it is read
			{"next_step", &r.NextStep},
			{"ds", record(&r.DS)},
			{"previous_ds", record(&r.PreviousDS)},
			{"started_at", optionalTime{&r.StartedAt}},
			{"completed_at", optionalTime{&r.CompletedAt}},
		}
	},
	derived: func(r *lifecycle.DNSSEC) []Column {
		return []Column{{"overdue_from", timeText(rules.Overdue(r.Phase, r.StartedAt))}}
	},
	life:    func(r *lifecycle.DNSSEC) *lifecycle.Life { return &r.Life },
	fold:    lifecycle.DNSSEC.Fold,
	changes: rotationChanges,
	names:   func(_ string, r *lifecycle.DNSSEC) []string { return []string{r.Domain} },
	item: func(k Key, r *lifecycle.DNSSEC, now time.Time) DNSSEC {
		return DNSSEC{
			Provider: k.Provider, WebsiteID: k.ID, Domain: r.Domain, State: rules.RotationState(*r, now), NextStep: r.NextStep, DS: r.DS, PreviousDS: r.PreviousDS,
			StartedAt: r.StartedAt, CompletedAt: r.CompletedAt, Row: rowOf(&r.Life),
		}
	},
})

// rotationChanges returns what an event received at a time changed.
func rotationChanges(before, after lifecycle.DNSSEC, at time.Time) []Changed {
	return before.Changes(after, func(r lifecycle.DNSSEC) string { return rules.RotationState(r, at) })
}
