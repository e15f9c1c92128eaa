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
	Page string // of the event; "" where there is no log
	Then string // this page as of the event; "" where the past cannot be folded
	Here bool   // the page stands at it
}

// timeline is a row's events, newest first. A delivery that cannot be read from the log is left out: the rest of the page is as good without it.
func (s *Server) timeline(r *http.Request, f *frame, entries []projections.TimelineEntry) []timelineItem {
	ctx := r.Context()
	items := make([]timelineItem, 0, len(entries))
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		kind := schema.KindOf(e.Type)
		item := timelineItem{TimelineEntry: e, Kind: kind, Tone: kindTone(kind), When: when(e.Time, f.Now), Page: s.eventPath(e.Seq)}
		if s.Log != nil && f.Standing != nil {
			item.Then = r.URL.EscapedPath() + "?at_seq=" + numberText(e.Seq)
			item.Here = f.Standing.Past && f.Standing.Seq == e.Seq
		}
		if s.Log != nil && len(items) < maxRawEntries && ctx.Err() == nil {
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

// changesNote says for which events a page does not tell what they changed; "" when it tells of all.
func changesNote(items []timelineItem) string {
	if len(items) <= projections.ChangesLimit {
		return ""
	}
	for i := range items {
		if items[i].Changes != nil {
			return "What an event changed is told of the newest " + number(projections.ChangesLimit) + "."
		}
	}
	return "This history is too long to tell at once what each event changed; stand at an event to see it."
}

// past is what every row's page says at the end of its facts.
type past struct {
	First, Last moment
	Seq         uint64
	Event       string // the last event's page; "" where there is no log
	Count       int
	API         string // the same row as JSON
}

func (s *Server) pastOf(r *http.Request, f *frame, first, last schema.Time, seq uint64, count int) past {
	return past{when(first, f.Now), when(last, f.Now), seq, s.eventPath(seq), count, apiPrefix + r.URL.EscapedPath() + f.At()}
}
