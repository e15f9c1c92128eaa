package web

import (
	"net/http"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web/answer"
)

func (s *Server) newOrganizations() *list[projections.Organization] {
	return newList(s, projections.Organizations, list[projections.Organization]{
		empty: "Every organization that a CA has validated appears here, with the day until which the validation may be reused.",
		columns: []column{{Title: "State", Field: "state", Class: "state"}, {Title: "Organization", Field: "name", Class: "name"}, {Title: "ID"},
			{Title: "Validation"}, {Title: "Reusable until", Field: "expires_at", Class: "time"},
			{Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		row: s.organization,
	})
}

// organizationPage holds the data of organization.html.
type organizationPage struct {
	frame
	Organization *projections.Organization
	Timeline     timelineView
	Past         past
}

func (s *Server) organization(w http.ResponseWriter, r *http.Request) error {
	provider, id, err := answer.PathKey(r, "id")
	if err != nil {
		return err
	}
	f := s.frame(r.Context(), "Organization "+id, "organizations")
	m, err := answer.ReadMoment(r, s.Now())
	if err != nil {
		return s.missing(err, "organization", provider, id)
	}
	o, err := projections.One(r.Context(), s.Store, projections.Organizations, provider, id, m)
	if err != nil {
		return s.missing(err, "organization", provider, id)
	}
	if done, err := jump(w, r, o.Timeline); done || err != nil {
		return err
	}
	s.stand(&f, r, m, o.Timeline, o.Then)
	p := organizationPage{frame: f, Organization: o, Past: s.pastOf(r, &f, o.FirstEventAt, o.LastEventAt, o.LastEventSeq, o.EventCount)}
	p.Timeline = s.timeline(r, &p.frame, o.Timeline)
	return s.render(w, http.StatusOK, "organization", p)
}
