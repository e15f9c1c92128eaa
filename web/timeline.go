package web

import (
	"context"
	"net/http"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// maxRawEntries is how many events of a timeline, the newest, bring their delivery with them.
const maxRawEntries = 50

// timelineItem is one event of a row's timeline as a page shows it.
type timelineItem struct {
	projections.TimelineEntry
	Kind schema.Kind
	Tone string
	When moment
	Raw  raw
}

// timeline is a row's events, newest first. A delivery that cannot be read from the log is left out: the rest of the page is as good without it.
func (s *Server) timeline(ctx context.Context, f *frame, entries []projections.TimelineEntry) []timelineItem {
	items := make([]timelineItem, 0, len(entries))
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		kind := schema.KindOf(e.Type)
		item := timelineItem{TimelineEntry: e, Kind: kind, Tone: kindTone(kind), When: when(e.Time, f.Now)}
		if len(items) < maxRawEntries && ctx.Err() == nil {
			item.Raw = s.raw(ctx, e.Seq)
		}
		items = append(items, item)
	}
	return items
}

func (s *Server) raw(ctx context.Context, seq uint64) raw {
	rec, err := s.Log.Get(ctx, seq)
	if err == nil {
		var e *schema.Event
		if e, err = schema.Decode(rec.Data); err == nil {
			return originalText(e.Data.Original)
		}
	}
	if ctx.Err() == nil {
		s.Logger.Warn("a timeline's event could not be read", "seq", seq, "error", err)
	}
	return raw{}
}

// past is what every row's page says at the end of its facts.
type past struct {
	First, Last moment
	Seq         uint64
	Count       int
	API         string // the same row as JSON
}

func pastOf(r *http.Request, f *frame, first, last schema.Time, seq uint64, count int) past {
	return past{when(first, f.Now), when(last, f.Now), seq, count, apiPrefix + r.URL.EscapedPath()}
}
