package web

import (
	"net/http"

	"github.com/certtrail/certtrail/projections"
)

func (s *Server) newRejections() *list[projections.Rejection] {
	return newList(s, projections.Rejections, list[projections.Rejection]{
		empty: "Every order that a CA rejects appears here.",
		columns: []column{{Title: "State", Class: "state"}, {Title: "Order", Field: "id", Class: "name"}, {Title: "Reason"},
			{Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		row: s.rejection,
	})
}

func (s *Server) rejection(w http.ResponseWriter, r *http.Request) error {
	p, err := readRow(s, w, r, projections.Rejections)
	if p == nil {
		return err
	}
	return s.render(w, http.StatusOK, "rejection", p)
}
