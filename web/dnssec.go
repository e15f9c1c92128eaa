package web

import (
	"net/http"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/api"
	"github.com/certtrail/certtrail/web/view"
)

func (s *Server) newDNSSECs() *list[projections.DNSSEC] {
	return newList(s, projections.DNSSECs, list[projections.DNSSEC]{
		empty: "Every key rotation of a signed zone appears here, with the DS record to publish in the parent zone or to remove from it.",
		columns: []column{{Title: "State", Class: "state"}, {Title: "Zone", Field: "domain", Class: "name"}, {Title: "Website"}, {Title: "New DS"},
			{Title: "Next step"}, {Title: "Started", Field: "started_at", Down: true, Class: "time"},
			{Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		List: api.List[projections.DNSSEC]{Cells: map[string]func(*projections.DNSSEC) string{
			"ds":          func(d *projections.DNSSEC) string { return view.DSText(d.Domain, d.DS) },
			"previous_ds": func(d *projections.DNSSEC) string { return view.DSText(d.Domain, d.PreviousDS) },
		}},
		row: s.dnssec,
	})
}

// rotationPage holds the data of rotation.html.
type rotationPage struct {
	frame
	Rotation *projections.DNSSEC
	Timeline timelineView
	Past     past

	Delegation *delegationView // nil: the parent was not asked
}

func (s *Server) dnssec(w http.ResponseWriter, r *http.Request) error {
	provider, id, err := answer.PathKey(r, "website_id")
	if err != nil {
		return err
	}
	f := s.frame(r.Context(), "DNSSEC of website "+id, "dnssec")
	m, err := answer.ReadMoment(r, s.Now())
	if err != nil {
		return s.missing(err, "rotation of website", provider, id)
	}
	d, err := projections.One(r.Context(), s.Store, projections.DNSSECs, provider, id, m)
	if err != nil {
		return s.missing(err, "rotation of website", provider, id)
	}
	if done, err := jump(w, r, d.Timeline); done || err != nil {
		return err
	}
	s.stand(&f, r, m, d.Timeline, d.Then)
	p := rotationPage{frame: f, Rotation: d, Past: s.pastOf(r, &f, d.FirstEventAt, d.LastEventAt, d.LastEventSeq, d.EventCount)}
	p.Timeline = s.timeline(r, &p.frame, d.Timeline)
	p.Delegation = s.delegationOf(d, p.Now)
	return s.render(w, http.StatusOK, "rotation", p)
}
