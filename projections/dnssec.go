package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
)

var dnssecs = &table[lifecycle.DNSSEC, DNSSEC]{
	name: lifecycle.DNSSECs, key: "website_id",
	fields:  []string{"domain", "phase", "next_step", "ds", "previous_ds", "started_at", "completed_at"},
	derived: []string{"overdue_from"},
	bind: func(r *lifecycle.DNSSEC) []any {
		return []any{&r.Domain, &r.Phase, &r.NextStep, record(&r.DS), record(&r.PreviousDS), optionalTime{&r.StartedAt}, optionalTime{&r.CompletedAt}}
	},
	life:   func(r *lifecycle.DNSSEC) *lifecycle.Life { return &r.Life },
	derive: func(r *lifecycle.DNSSEC) []any { return []any{timeText(rules.Overdue(r.Phase, r.StartedAt))} },
	fold:   lifecycle.DNSSEC.Fold,
	names:  func(_ string, r *lifecycle.DNSSEC) []string { return []string{r.Domain} },
	named:  []namedIn{aloneIn("domain")},
	sorts:  []string{"last_event_at", "started_at", "completed_at", "domain", "website_id", "provider"},
	exact:  []string{"website_id"},
	states: map[string]func(string) (string, []any){
		lifecycle.RotationCompleted: func(string) (string, []any) { return "phase = 'rotation_completed'", nil },
		lifecycle.RotationStarted: func(now string) (string, []any) {
			return "phase = 'rotation_started' AND overdue_from > ?", []any{now}
		},
		lifecycle.RotationOverdue: func(now string) (string, []any) {
			return "phase = 'rotation_started' AND overdue_from <= ?", []any{now}
		},
	},
	item: func(provider, id string, r *lifecycle.DNSSEC, now time.Time) DNSSEC {
		return DNSSEC{
			Provider: provider, WebsiteID: id, Domain: r.Domain, State: rules.RotationState(*r, now), NextStep: r.NextStep, DS: r.DS, PreviousDS: r.PreviousDS,
			StartedAt: r.StartedAt, CompletedAt: r.CompletedAt, Unreadable: r.Unreadable,
			FirstEventAt: r.FirstEventAt, LastEventAt: r.LastEventAt, LastEventSeq: r.LastEventSeq, EventCount: r.EventCount,
		}
	},
}

// rotationChanges returns what an event received at a time changed.
func rotationChanges(before, after lifecycle.DNSSEC, at time.Time) []Changed {
	return before.Changes(after, func(r lifecycle.DNSSEC) string { return rules.RotationState(r, at) })
}
