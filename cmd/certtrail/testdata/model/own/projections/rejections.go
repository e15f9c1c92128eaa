package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
)

// Rejection is one order that a CA rejected.
type Rejection struct {
	Provider string `json:"provider"`
	ID       string `json:"id"` // the order's
	State    string `json:"state"`
	Times    int    `json:"times"`
	Reason   string `json:"reason,omitempty"`
	Row
}

// Rejections is the read model of orders that a CA rejected.
var Rejections = define(Table[lifecycle.Rejection, Rejection]{
	Spec: Spec{
		Name: lifecycle.Rejections, Title: "Rejections", Noun: "rejection", Key: "id",
		Sorts:  []string{"last_event_at", "id", "provider"},
		States: equalTo("state", lifecycle.Rejected),
		Exact:  []string{"id"},
		CSV:    []string{"provider", "id", "state", "times", "reason", "last_event_at"},
	},
	columns: func(r *lifecycle.Rejection) []Column {
		return []Column{
			{"state", &r.State},
			{"times", &r.Times},
			{"reason", &r.Reason},
		}
	},
	life:    func(r *lifecycle.Rejection) *lifecycle.Life { return &r.Life },
	fold:    lifecycle.Rejection.Fold,
	changes: lifecycle.Rejection.Changes,
	item: func(k Key, r *lifecycle.Rejection, _ time.Time) Rejection {
		return Rejection{Provider: k.Provider, ID: k.ID, State: r.State, Times: r.Times, Reason: r.Reason, Row: rowOf(&r.Life)}
	},
})
