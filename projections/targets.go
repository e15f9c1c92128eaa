package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// Target shows one thing that a scanner watches.
type Target struct {
	Provider           string       `json:"provider"`
	ID                 string       `json:"id"`
	State              string       `json:"state"` // created, verified, verification_failed, deleted
	Name               string       `json:"name,omitempty"`
	Host               string       `json:"host,omitempty"`
	URL                string       `json:"url,omitempty"`
	VerifiedAt         *schema.Time `json:"verified_at,omitempty"`
	VerificationMethod string       `json:"verification_method,omitempty"`
	Reason             string       `json:"reason,omitempty"` // why the verification failed
	Since              *schema.Time `json:"-"`                // when it was first heard to stand so
	Row
}

// Targets keeps the targets of scanners.
var Targets = define(Table[lifecycle.Target, Target]{
	Spec: Spec{
		Name: lifecycle.Targets, Title: "Targets", Noun: "target", Key: "id",
		Sorts:  []string{"last_event_at", "first_event_at", "state", "name", "host", "verified_at", "id", "provider"},
		States: equalTo("state", lifecycle.TargetCreated, lifecycle.Verified, lifecycle.VerificationFailed, lifecycle.Deleted),
		Exact:  []string{"id", "name", "host"},
		named:  []namedIn{aloneIn("host")},
		CSV: []string{"provider", "id", "state", "name", "host", "url", "verified_at", "verification_method", "reason",
			"first_event_at", "last_event_at"},
	},
	columns: func(t *lifecycle.Target) []Column {
		return []Column{
			{"state", &t.State},
			{"about", whole(&t.About)},
			{"verified_at", optionalTime{&t.VerifiedAt}},
			{"reason", &t.Reason},
			{"since", optionalTime{&t.Since}},
		}
	},
	derived: func(t *lifecycle.Target) []Column { return []Column{{"name", t.About.Name}, {"host", t.About.Host}} },
	life:    func(t *lifecycle.Target) *lifecycle.Life { return &t.Life },
	fold:    lifecycle.Target.Fold,
	changes: lifecycle.Target.Changes,
	names:   func(_ string, t *lifecycle.Target) []string { return []string{t.About.Host} },
	item: func(k Key, t *lifecycle.Target, _ time.Time) Target {
		return Target{
			Provider: k.Provider, ID: k.ID, State: t.State, Name: t.About.Name, Host: t.About.Host, URL: t.About.URL, VerifiedAt: t.VerifiedAt,
			VerificationMethod: t.About.VerificationMethod, Reason: t.Reason, Since: t.Since, Row: rowOf(&t.Life),
		}
	},
})
