package projections

import (
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// Order shows one order at one provider.
type Order struct {
	Provider      string                       `json:"provider"`
	ID            string                       `json:"id"`
	State         string                       `json:"state"` // pending, action_required, issued, reissue_ready, rejected, canceled, revoked
	CommonName    string                       `json:"common_name,omitempty"`
	DNSNames      []string                     `json:"dns_names,omitempty"`
	CertificateID string                       `json:"certificate_id,omitempty"` // the last issued
	StateSince    schema.Time                  `json:"state_since"`              // of the event that brought the present state
	Checks        map[string]schema.CheckState `json:"checks"`
	ChecksSince   map[string]schema.Time       `json:"checks_since,omitempty"` // check name to the time of the event that brought its present state
	Reasons       map[string]string            `json:"reasons,omitempty"`      // check name to the provider's words on why it failed or waits
	NextStep      string                       `json:"next_step,omitempty"`    // one of lifecycle's Step codes
	Waiting       []lifecycle.Waiting          `json:"-"`                      // what of it waits for a person
	Fate          Fate                         `json:"-"`                      // of its last certificate; only where that was asked for
	MessageAt     *schema.Time                 `json:"message_at,omitempty"`   // of the CA's message that nothing has answered
	Validations   []Domain                     `json:"validations,omitempty"`  // only of one order: what its provider says of its names and those above, by name
	Certificates  []Certificate                `json:"certificates,omitempty"` // only of one order: those issued for it, newest first
	Row
}

// Orders keeps the orders.
var Orders = define(Table[lifecycle.Order, Order]{
	Spec: Spec{
		Name: lifecycle.Orders, Title: "Orders", Noun: "order", Key: "id",
		Sorts:   []string{"last_event_at", "first_event_at", "state_since", "state", "common_name", "id", "provider", "event_count"},
		InOrder: []string{"common_name", "first_event_at"},
		States: equalTo("state", lifecycle.ActionRequired, lifecycle.Pending, lifecycle.Issued, lifecycle.ReissueReady,
			lifecycle.Rejected, lifecycle.Canceled, lifecycle.Revoked),
		ByState: true,
		Exact:   []string{"id", "certificate_id"},
		named:   []namedIn{aloneIn("common_name"), listedIn("dns_names"), checkedIn("checks")},
		CSV: []string{"provider", "id", "state", "common_name", "dns_names", "certificate_id", "checks", "next_step", "state_since",
			"first_event_at", "last_event_at", "last_event_seq", "event_count"},
	},
	columns: func(o *lifecycle.Order) []Column {
		return []Column{
			{"phase", &o.Phase},
			{"common_name", &o.CommonName},
			{"dns_names", list(&o.DNSNames)},
			{"certificate_id", &o.CertificateID},
			{"checks", object(&o.Checks)},
			{"checks_since", times(&o.ChecksSince)},
			{"reasons", object(&o.Reasons)},
			{"message_at", optionalTime{&o.MessageAt}},
			{"state_since", timeColumn{&o.StateSince}},
			{"revoked_ids", list(&o.RevokedIDs)},
		}
	},
	derived: func(o *lifecycle.Order) []Column {
		return []Column{
			{"state", o.State()},
			{"next_step", o.NextStep()},
			{"waiting_since", o.WaitingSince()}, // the earliest of what waits for a person
		}
	},
	life:    func(o *lifecycle.Order) *lifecycle.Life { return &o.Life },
	fold:    lifecycle.Order.Fold,
	changes: lifecycle.Order.Changes,
	names:   orderNames,
	item: func(k Key, o *lifecycle.Order, _ time.Time) Order {
		checks := o.Checks
		if checks == nil {
			checks = map[string]schema.CheckState{}
		}
		return Order{
			Provider: k.Provider, ID: k.ID, State: o.State(), CommonName: o.CommonName, DNSNames: o.DNSNames, CertificateID: o.CertificateID,
			Checks: checks, ChecksSince: o.ChecksSince, Reasons: o.Reasons, NextStep: o.NextStep(), Waiting: o.Waiting(),
			MessageAt: o.MessageAt, StateSince: o.StateSince, Row: rowOf(&o.Life),
		}
	},
})

// orderNames returns the names its certificate bears, and those whose validation was heard of before there is one.
func orderNames(_ string, o *lifecycle.Order) []string {
	names := append([]string{o.CommonName}, o.DNSNames...)
	for check := range o.Checks {
		if domain, ok := strings.CutPrefix(check, schema.DomainCheck("")); ok {
			names = append(names, domain)
		}
	}
	return names
}

// equalTo lists states that stand in a column as they are.
func equalTo(column string, names ...string) []State {
	states := make([]State, len(names))
	for i, name := range names {
		states[i] = State{name, func(string) (string, []any) { return column + " = ?", []any{name} }}
	}
	return states
}
