package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// rowPage is the data of a row's page, for models whose pages need little else.
type rowPage[T any] struct {
	frame
	Row      *T
	Timeline timelineView
	Past     past
}

// told is what every row has of its history.
type told struct {
	timeline    []projections.TimelineEntry
	then        projections.Then
	first, last schema.Time
	seq         uint64
	count       int
}

// readRow is the page of the row that the route names, as of the moment asked for, with noun and id for its title; nil once the slider's form
// is answered instead. nav is the entry in the navigation.
func readRow[T any](s *Server, w http.ResponseWriter, r *http.Request, nav, noun string,
	find func(ctx context.Context, provider, id string, m projections.Moment) (*T, error), history func(*T) told) (*rowPage[T], error) {
	provider, id, err := pathKey(r, "id")
	if err != nil {
		return nil, err
	}
	f := s.frame(r.Context(), strings.ToUpper(noun[:1])+noun[1:]+" "+shortID(id), nav)
	m, err := s.moment(r)
	if err != nil {
		return nil, s.missing(err, noun, provider, id)
	}
	row, err := find(r.Context(), provider, id, m)
	if err != nil {
		return nil, s.missing(err, noun, provider, id)
	}
	h := history(row)
	if done, err := jump(w, r, h.timeline); done || err != nil {
		return nil, err
	}
	s.stand(&f, r, m, h.timeline, h.then)
	p := &rowPage[T]{frame: f, Row: row, Past: s.pastOf(r, &f, h.first, h.last, h.seq, h.count)}
	p.Timeline = s.timeline(r, &p.frame, h.timeline)
	return p, nil
}

// name puts what the row is called before the title, which has its number.
func (p *rowPage[T]) name(name string) {
	if name != "" {
		p.Title = name + ", " + strings.ToLower(p.Title[:1]) + p.Title[1:]
	}
}

// shortID is the beginning of a keyed hash, which nobody reads to its end; any other id as it is.
func shortID(id string) string {
	if len(id) == 32 && strings.Trim(id, "0123456789abcdef") == "" {
		return id[:12]
	}
	return id
}
