package web

import (
	"net/http"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/answer"
)

func (s *Server) newWebsites() *list[projections.Website] {
	return newList(s, projections.Websites, list[projections.Website]{
		empty: "Every website and database that a provider watches appears here with the last thing reported about it: malware, backups, restores.",
		columns: []column{{Title: "Last report", Field: "state", Class: "state"}, {Title: "ID", Field: "id", Class: "name"}, {Title: "Kind", Field: "kind"}, {Title: "Provider"}, {Title: "Events"},
			{Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		row: s.website,
	})
}

// websitePage holds the data of website.html.
type websitePage struct {
	frame
	Website  *projections.Website
	Number   string // without databasePrefix
	Timeline timelineView
	Past     past
}

func (s *Server) website(w http.ResponseWriter, r *http.Request) error {
	provider, id, err := answer.PathKey(r, "id")
	if err != nil {
		return err
	}
	f := s.frame(r.Context(), "Website "+id, "websites")
	m, err := answer.ReadMoment(r, s.Now())
	if err != nil {
		return s.missing(err, "website", provider, id)
	}
	x, err := projections.One(r.Context(), s.Store, projections.Websites, provider, id, m)
	if err != nil {
		return s.missing(err, "website", provider, id)
	}
	if done, err := jump(w, r, x.Timeline); done || err != nil {
		return err
	}
	s.stand(&f, r, m, x.Timeline, x.Then)
	p := websitePage{frame: f, Website: x, Number: strings.TrimPrefix(id, address.DatabasePrefix), Past: s.pastOf(r, &f, x.FirstEventAt, x.LastEventAt, x.LastEventSeq, x.EventCount)}
	p.Timeline = s.timeline(r, &p.frame, x.Timeline)
	return s.render(w, http.StatusOK, "website", p)
}
