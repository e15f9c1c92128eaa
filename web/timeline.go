package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/view"
)

// The limits of a timeline on a page; behind them is a link.
const (
	timelinePage = 50       // events
	rawsShown    = 12       // of them, the newest, that bring their delivery with them
	rawBudget    = 24 << 10 // bytes of HTML that those deliveries take
)

// timelineView shows a part of a row's timeline, newest first.
type timelineView struct {
	Items        []timelineItem
	Count        int    // of the events as of the page's moment
	Capped       bool   // there are more than that
	First, Last  int    // which of them, counted from the newest, are shown
	Older, Newer string // the pages with those before and after; "": none
	Note         string // for which events it does not tell what they changed
}

// timelineItem shows one event of a row's timeline on a page.
type timelineItem struct {
	projections.TimelineEntry
	Kind    schema.Kind
	Tone    string
	When    view.Moment
	Raw     view.Raw
	Open    bool   // the delivery was asked for
	RawHref string // this page with the delivery, where it is not in it; "" where there is no log
	Page    string // of the event; "" where there is no log
	Then    string // this page as of the event; "" where the past cannot be folded
	Here    bool   // the page stands at it
}

// place selects the part of a timeline that a page is asked for.
type place struct {
	before uint64 // only events before this one; 0: from the newest on
	raw    uint64 // the event whose delivery is wanted in any case
}

func placeOf(r *http.Request) (p place, err error) {
	for name, seq := range map[string]*uint64{"before": &p.before, "raw": &p.raw} {
		if text := r.URL.Query().Get(name); text != "" && err == nil {
			if *seq, err = strconv.ParseUint(text, 10, 64); err != nil {
				err = answer.Wrong("%s must be the sequence of an event, not %q", name, text)
			}
		}
	}
	return p, err
}

// here returns the page's own address at its moment, with parameters set, or taken out where they are "".
func here(r *http.Request, set ...string) string {
	q := url.Values{}
	for _, name := range []string{"at_seq", "at", "before"} {
		if v := r.URL.Query().Get(name); v != "" {
			q.Set(name, v)
		}
	}
	for i := 0; i < len(set); i += 2 {
		if q.Del(set[i]); set[i+1] != "" {
			q.Set(set[i], set[i+1])
		}
	}
	if len(q) == 0 {
		return r.URL.EscapedPath()
	}
	return r.URL.EscapedPath() + "?" + q.Encode()
}

// timeline returns a page of a row's events, newest first, as the request asks for it. entries holds all of them,
// ascending.
func (s *Server) timeline(r *http.Request, f *frame, entries []projections.TimelineEntry) timelineView {
	p, _ := placeOf(r) // jump has refused what cannot be read
	to := len(entries)
	if p.before > 0 {
		to, _ = slices.BinarySearchFunc(entries, p.before, func(e projections.TimelineEntry, seq uint64) int { return cmp.Compare(e.Seq, seq) })
	}
	from := max(to-timelinePage, 0)
	v := timelineView{Count: len(entries), Capped: len(entries) >= projections.TimelineLimit, First: len(entries) - to + 1, Last: len(entries) - from}
	if from > 0 {
		v.Older = here(r, "before", view.NumberText(entries[from].Seq)) + "#timeline"
	}
	switch newer := to + timelinePage; {
	case newer < len(entries):
		v.Newer = here(r, "before", view.NumberText(entries[newer].Seq)) + "#timeline"
	case to < len(entries):
		v.Newer = here(r, "before", "") + "#timeline"
	}
	for i := to - 1; i >= from; i-- {
		v.Items = append(v.Items, s.timelineItem(r, f, &entries[i]))
	}
	s.deliveries(r, f, p.raw, v.Items)
	v.Note = changesNote(v.Items, from, len(entries))
	return v
}

func (s *Server) timelineItem(r *http.Request, f *frame, e *projections.TimelineEntry) timelineItem {
	kind := schema.KindOf(e.Type)
	item := timelineItem{TimelineEntry: *e, Kind: kind, Tone: view.KindTone(kind), When: view.When(e.Time, f.Now), Page: s.eventPath(e.Seq)}
	if s.Log != nil {
		item.RawHref = here(r, "raw", view.NumberText(e.Seq)) + "#event-" + view.NumberText(e.Seq)
		if f.Standing != nil {
			item.Then = r.URL.EscapedPath() + "?at_seq=" + view.NumberText(e.Seq)
			item.Here = f.Standing.Past && f.Standing.Seq == e.Seq
		}
	}
	item.Summary = words.Summary(kind, e.Facts, words.ForPeople)
	return item
}

// deliveries puts the delivery asked for into its event, and those of the newest as far as a page has room for them.
// One that cannot be read from the log is left out: the rest of the page is as good without it.
func (s *Server) deliveries(r *http.Request, f *frame, asked uint64, items []timelineItem) {
	ctx := r.Context()
	if s.Log == nil {
		return
	}
	if i := slices.IndexFunc(items, func(t timelineItem) bool { return t.Seq == asked }); i >= 0 {
		items[i].Raw, items[i].Open = s.raw(ctx, asked), true
		f.raws += items[i].Raw.Size()
	}
	for i := range items[:min(len(items), rawsShown)] {
		if ctx.Err() != nil || items[i].Open || f.raws >= rawBudget {
			continue
		}
		raw := s.raw(ctx, items[i].Seq)
		if f.raws+raw.Size() <= rawBudget {
			items[i].Raw = raw
			f.raws += raw.Size()
		}
	}
}

func (s *Server) raw(ctx context.Context, seq uint64) view.Raw {
	rec, err := s.Log.Get(ctx, seq)
	if err == nil {
		var e *schema.Event
		if e, err = schema.Decode(rec.Data); err == nil {
			return view.OriginalText(e.Data.Original)
		}
	}
	if ctx.Err() == nil {
		s.Logger.Warn("a timeline's event could not be read", "seq", seq, "error", err)
	}
	return view.Raw{}
}

// changesNote says for which events a page does not tell what they changed; "" when it tells of all. from is the oldest
// shown, of all events ascending.
func changesNote(items []timelineItem, from, all int) string {
	if from >= all-projections.ChangesLimit {
		if all <= projections.ChangesLimit || slices.ContainsFunc(items, func(t timelineItem) bool { return t.Changes != nil }) {
			return ""
		}
		return "This history is too long to tell at once what each event changed; stand at an event to see it."
	}
	return "What an event changed is told of the newest " + words.Number(projections.ChangesLimit) + "; stand at an older one to see it."
}

// past closes the facts on every row's page: when events came, how many, and where the same row is as JSON.
type past struct {
	First, Last view.Moment
	Seq         uint64
	Event       string // the last event's page; "" where there is no log
	Count       int
	API         string // the same row as JSON
}

func (s *Server) pastOf(r *http.Request, f *frame, first, last schema.Time, seq uint64, count int) past {
	return past{view.When(first, f.Now), view.When(last, f.Now), seq, s.eventPath(seq), count, apiPrefix + r.URL.EscapedPath() + f.At()}
}
