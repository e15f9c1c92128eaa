package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// endingOrganizations lists organizations: those that their CA says are expired or due, and those whose validation ends
// about now, though their CA has not said so.
var endingOrganizations = func() *Table[lifecycle.Organization, Organization] {
	t := limited(Organizations, "")
	t.States = equalTo("state", lifecycle.Expired, lifecycle.RevalidationDue)
	t.States = append(t.States, State{matter, func(now string) (string, []any) {
		return "state = 'validated' AND expires_at > ? AND expires_at <= ?", []any{timeAfter(now, -rules.LapseNotice), timeAfter(now, rules.LapseNotice)}
	}})
	return t
}()

func (s *Store) organizations(state string, q Query) finder {
	q.State = state
	return finding(s, endingOrganizations, q, func(o *Organization) []Matter { return []Matter{organizationMatter(o, q.Now)} })
}

func organizationMatter(o *Organization, now time.Time) Matter {
	m := Matter{Severity: Warning, Kind: schema.MatterOrganizationExpired, Provider: o.Provider, Since: firstOf(o.Since, &o.FirstEventAt), Due: o.ExpiresAt,
		About: o.Name, Number: o.ID}
	if o.State != lifecycle.Expired && (o.ExpiresAt == nil || !now.After(o.ExpiresAt.Time)) {
		m.Severity, m.Kind = Notice, schema.MatterOrganizationLapses
	}
	return m.identified(o.ID, "", firstOf(o.ExpiresAt, &m.Since))
}
