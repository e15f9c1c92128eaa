package projections

import (
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

var orders = &table[lifecycle.Order, Order]{
	name: lifecycle.Orders, key: "id",
	fields:  []string{"phase", "common_name", "dns_names", "certificate_id", "checks", "checks_since", "reasons", "message_at", "state_since", "revoked_ids"},
	derived: []string{"state", "next_step", "waiting_since"},
	bind: func(o *lifecycle.Order) []any {
		return []any{&o.Phase, &o.CommonName, list(&o.DNSNames), &o.CertificateID, object(&o.Checks), times(&o.ChecksSince), object(&o.Reasons),
			optionalTime{&o.MessageAt}, timeColumn{&o.StateSince}, list(&o.RevokedIDs)}
	},
	life:    func(o *lifecycle.Order) *lifecycle.Life { return &o.Life },
	derive:  func(o *lifecycle.Order) []any { return []any{o.State(), o.NextStep(), o.WaitingSince()} },
	fold:    lifecycle.Order.Fold,
	names:   orderNames,
	named:   []namedIn{aloneIn("common_name"), listedIn("dns_names"), checkedIn("checks")},
	sorts:   []string{"last_event_at", "first_event_at", "state_since", "state", "common_name", "id", "provider", "event_count"},
	inOrder: []string{"common_name", "first_event_at"},
	byState: true,
	states:  equalTo("state", lifecycle.Pending, lifecycle.ActionRequired, lifecycle.Issued, lifecycle.ReissueReady, lifecycle.Rejected, lifecycle.Canceled, lifecycle.Revoked),
	exact:   []string{"id", "certificate_id"},
	item: func(provider, id string, o *lifecycle.Order, _ time.Time) Order {
		checks := o.Checks
		if checks == nil {
			checks = map[string]schema.CheckState{}
		}
		return Order{
			Provider: provider, ID: id, State: o.State(), CommonName: o.CommonName, DNSNames: o.DNSNames, CertificateID: o.CertificateID,
			Checks: checks, ChecksSince: o.ChecksSince, Reasons: o.Reasons, NextStep: o.NextStep(), Waiting: o.Waiting(), MessageAt: o.MessageAt, StateSince: o.StateSince,
			Row: rowOf(&o.Life),
		}
	},
}

// orderNames are the names its certificate bears, and those whose validation was heard of before there is one.
func orderNames(_ string, o *lifecycle.Order) []string {
	names := append([]string{o.CommonName}, o.DNSNames...)
	for check := range o.Checks {
		if domain, ok := strings.CutPrefix(check, schema.DomainCheck("")); ok {
			names = append(names, domain)
		}
	}
	return names
}

// equalTo are the conditions of states that stand in a column as they are.
func equalTo(column string, states ...string) map[string]func(string) (string, []any) {
	m := make(map[string]func(string) (string, []any), len(states))
	for _, state := range states {
		m[state] = func(string) (string, []any) { return column + " = ?", []any{state} }
	}
	return m
}
