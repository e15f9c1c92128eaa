package web

import (
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web/api"
	"github.com/certtrail/certtrail/web/view"
)

func (s *Server) newOrders() *list[projections.Order] {
	return newList(s, projections.Orders, list[projections.Order]{
		empty: "Every order that a CA reports on appears here as soon as its first delivery arrives: what it waits for, and what comes next.",
		columns: []column{{Title: "State", Field: "state", Class: "state"}, {Title: "Name", Field: "common_name", Class: "name"}, {Title: "Order"},
			{Title: "Waits for"}, {Title: "Next step"}, {Title: "State since", Field: "state_since", Class: "time"}, {Title: "Ordered", Field: "first_event_at", Down: true, Class: "time"},
			{Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		List: api.List[projections.Order]{Cells: map[string]func(*projections.Order) string{
			"checks": func(o *projections.Order) string { return checksText(o) },
		}},
		join: s.fated,
		row:  s.order,
	})
}

// checksText lists the checks in one cell: "organization=failed phone=passed".
func checksText(o *projections.Order) string {
	var parts []string
	for _, c := range view.ChecksOf(*o) {
		parts = append(parts, c.Name+"="+c.State)
	}
	return strings.Join(parts, " ")
}

// orderNames returns the names that the order is for.
func orderNames(o projections.Order) view.NameList { return view.NamesOf(o.CommonName, o.Names()) }
