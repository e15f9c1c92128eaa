package projections

import (
	"maps"
	"slices"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// rejectedFor bounds how long the rejection of an order is a matter.
const rejectedFor = 30 * 24 * time.Hour

// rejectedLately lists the orders that a CA rejected lately.
var rejectedLately = restated(limited(Orders, ""), func(now string) (string, []any) {
	// The last bound follows from the first, and an index finds by it.
	since := timeAfter(now, -rejectedFor)
	return "state = 'rejected' AND state_since > ? AND last_event_at > ?", []any{since, since}
})

func (s *Store) rejectedOrders(q Query) finder {
	q.State = matter
	return finding(s, rejectedLately, q, func(o *Order) []Matter {
		m := Matter{Severity: Warning, Kind: schema.MatterRejected, Provider: o.Provider, About: firstName(o), Number: o.ID, Since: o.StateSince}
		for _, check := range slices.Sorted(maps.Keys(o.Reasons)) {
			m.Facts.Reasons = append(m.Facts.Reasons, o.Reasons[check])
		}
		return []Matter{m.identified(o.ID, "", m.Since)}
	})
}
