package web

import (
	"strings"

	"github.com/certtrail/certtrail/projections"
)

func (s *Server) newOrders() *list[projections.Order] {
	type order = projections.Order
	return &list[order]{
		s: s, model: "orders", title: "Orders", exportSort: "id", find: s.Store.Orders, join: s.fated,
		empty:  "Every order that a CA reports on appears here as soon as its first delivery arrives: what it waits for, and what comes next.",
		states: []string{"action_required", "pending", "issued", "reissue_ready", "rejected", "canceled", "revoked"},
		columns: []column{{Title: "State", Field: "state", Class: "state"}, {Title: "Name", Field: "common_name", Class: "name"}, {Title: "Order"},
			{Title: "Waits for"}, {Title: "Next step"}, {Title: "State since", Field: "state_since", Class: "time"}, {Title: "Ordered", Field: "first_event_at", Down: true, Class: "time"},
			{Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		key: func(o *order) projections.Key {
			return projections.Key{Model: "orders", Provider: o.Provider, ID: o.ID}
		},
		fields: []field[order]{
			{"provider", func(o *order) string { return o.Provider }}, {"id", func(o *order) string { return o.ID }},
			{"state", func(o *order) string { return o.State }}, {"common_name", func(o *order) string { return o.CommonName }},
			{"dns_names", func(o *order) string { return strings.Join(o.DNSNames, " ") }},
			{"certificate_id", func(o *order) string { return o.CertificateID }},
			{"checks", func(o *order) string { return checksText(o) }}, {"next_step", func(o *order) string { return o.NextStep }},
			{"state_since", func(o *order) string { return o.StateSince.String() }},
			{"first_event_at", func(o *order) string { return o.FirstEventAt.String() }},
			{"last_event_at", func(o *order) string { return o.LastEventAt.String() }},
			{"last_event_seq", func(o *order) string { return numberText(o.LastEventSeq) }},
			{"event_count", func(o *order) string { return intText(&o.EventCount) }},
		},
	}
}

// checksText is the checks in one cell: "organization=failed phone=passed".
func checksText(o *projections.Order) string {
	var parts []string
	for _, c := range checksOf(*o) {
		parts = append(parts, c.Name+"="+c.State)
	}
	return strings.Join(parts, " ")
}

// orderNames are what the order is for.
func orderNames(o projections.Order) nameList { return namesOf(o.CommonName, o.Names()) }
