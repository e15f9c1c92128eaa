package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// endingOrganizations is the organizations as lists: of those that their CA says are expired or due, and of those whose validation ends about now,
// though their CA has not said so.
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
	m := Matter{Severity: Warning, Provider: o.Provider, Since: firstOf(o.Since, &o.FirstEventAt), Due: o.ExpiresAt, About: o.Name, Number: o.ID, Href: href("organizations", o.Provider, o.ID)}
	if o.State == lifecycle.Expired || o.ExpiresAt != nil && now.After(o.ExpiresAt.Time) {
		m.Kind, m.What, m.Detail = schema.MatterOrganizationExpired, "Validation expired", "The CA’s validation of the organization has lapsed."
		m.Means, m.Do = "The CA issues no OV or EV certificate for it until it is validated again.", "Have the CA validate the organization again before the next order or renewal."
	} else {
		m.Severity, m.Kind, m.What, m.Detail = Notice, schema.MatterOrganizationLapses, "Revalidation due", "The CA’s validation of the organization is about to lapse."
		if o.ExpiresAt != nil {
			m.Detail = "The CA’s validation of the organization lapses on " + o.ExpiresAt.UTC().Format(dayLayout) + "."
		}
		m.Means, m.Do = "After that the CA issues no OV or EV certificate for it, renewals included.", "Have the CA validate the organization again before then: it may call, or ask for documents."
	}
	return m.identified(o.ID, "", firstOf(o.ExpiresAt, &m.Since))
}
