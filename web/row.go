package web

import (
	"net/http"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/web/answer"
)

// rowPage holds the data of a row's page, for models whose pages need little else.
type rowPage[T any] struct {
	frame
	Row      *T
	Timeline timelineView
	Past     past
}

// readRow reads the page of the row that the route names, as of the moment asked for, with the model's noun and the id
// for its title; it returns nil once the slider's form is answered instead.
func readRow[S, T any](s *Server, w http.ResponseWriter, r *http.Request, t *projections.Table[S, T]) (*rowPage[T], error) {
	provider, id, err := answer.PathKey(r, t.Key)
	if err != nil {
		return nil, err
	}
	f := s.frame(r.Context(), strings.ToUpper(t.Noun[:1])+t.Noun[1:]+" "+shortID(id), t.Name)
	m, err := answer.ReadMoment(r, s.Now())
	if err != nil {
		return nil, s.missing(err, t.Noun, provider, id)
	}
	item, err := projections.One(r.Context(), s.Store, t, provider, id, m)
	if err != nil {
		return nil, s.missing(err, t.Noun, provider, id)
	}
	row := projections.RowOf(item)
	if done, err := jump(w, r, row.Timeline); done || err != nil {
		return nil, err
	}
	s.stand(&f, r, m, row.Timeline, row.Then)
	p := &rowPage[T]{frame: f, Row: item, Past: s.pastOf(r, &f, row.FirstEventAt, row.LastEventAt, row.LastEventSeq, row.EventCount)}
	p.Timeline = s.timeline(r, &p.frame, row.Timeline)
	return p, nil
}

// name puts what the row is called before the title, which has its number.
func (p *rowPage[T]) name(name string) {
	if name != "" {
		p.Title = name + ", " + strings.ToLower(p.Title[:1]) + p.Title[1:]
	}
}

// shortID returns the beginning of a keyed hash, which nobody reads to its end; any other id as it is.
func shortID(id string) string {
	if len(id) == 32 && strings.Trim(id, "0123456789abcdef") == "" {
		return id[:12]
	}
	return id
}
