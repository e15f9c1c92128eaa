package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/view"
)

// standing places a page in its row's life. moment.html shows it.
type standing struct {
	Past     bool   // as of a moment; else in the present
	At       string // "?at_seq=4", the same moment on another row's page; "" in the present
	Position int    // how many of the row's events the page knows; one more in the present
	Count    int    // of the row's events
	First    int    // the first of them that the slider reaches
	Last     int    // the last one; after it comes the present, if it is the newest
	Stops    string // the sequences of those, for live.js
	Seq      uint64 // the last event that the page knows
	Event    string // its page; "" where there is no log
	Summary  string
	When     view.Moment // the clock
	Field    string      // the clock as a form's field has it
	Changes  []projections.Changed
	Newer    int
	Ahead    bool   // the clock is of a time yet to come
	Path     string // the page in the present
	Prev     string // "" before the first
	Next     string // "" in the present
	Log      bool   // the past can be folded at all
}

// Slider tells whether there is a way to go.
func (t *standing) Slider() bool { return t.Log && (t.Past || t.Count > 1) }

// Stop returns the last stop of the slider: the present, after all events, unless there are more of them than it
// reaches.
func (t *standing) Stop() int {
	if t.Last < t.Count {
		return t.Last
	}
	return t.Count + 1
}

// stops bounds the events that the slider of a page reaches, those around where it stands; the arrows go on from there.
const stops = 400

// window returns the part of count events, counted from 1, that the slider reaches from position.
func window(position, count int) (first, last int) {
	first = max(min(position-stops/2, count-stops+1), 1)
	return first, min(first+stops-1, count)
}

// Mark returns "changed" if the event that the page stands at changed the field, one of lifecycle's Fields. At the
// first event, of which everything is new, nothing is marked.
func (f frame) Mark(field string) string {
	if f.Standing == nil || !f.Standing.Past || f.Standing.Position < 2 {
		return ""
	}
	for _, c := range f.Standing.Changes {
		if c.Field == field {
			return "changed"
		}
	}
	return ""
}

// MarkCheck returns the Mark of a check: "organization", "domain:example.com".
func (f frame) MarkCheck(name string) string {
	return f.Mark(lifecycle.CheckField(name))
}

// At returns the parameter that keeps a link at the page's moment.
func (f frame) At() string {
	if f.Standing == nil {
		return ""
	}
	return f.Standing.At
}

// stand makes f the frame of a row's page as of the moment: its clock is the moment's from then on. told are the row's
// events up to then, ascending.
func (s *Server) stand(f *frame, r *http.Request, m projections.Moment, told []projections.TimelineEntry, then projections.Then) {
	all := append(told[:len(told):len(told)], then.Later...)
	t := &standing{Path: r.URL.EscapedPath(), Count: len(all), Position: len(told), Newer: len(then.Later), Log: s.Log != nil}
	f.Standing = t
	t.First, t.Last = window(len(told), len(all))
	var seqs []string
	for _, e := range all[t.First-1 : t.Last] {
		seqs = append(seqs, view.NumberText(e.Seq))
	}
	t.Stops = strings.Join(seqs, " ")
	at := func(i int) string { return t.Path + "?at_seq=" + view.NumberText(all[i].Seq) }
	if then.AsOf == nil {
		t.Position++
		t.Field = f.Now.UTC().Format(fieldTime)
		if len(all) > 1 {
			t.Prev = at(len(all) - 1)
		}
		return
	}
	f.Now, f.Still = then.AsOf.Time, true
	t.Ahead = then.AsOf.After(s.Now())
	t.Past, t.At, t.When, t.Field = true, momentQuery(m), view.When(*then.AsOf, s.Now()), then.AsOf.UTC().Format(fieldTime)
	t.Seq, t.Event = then.AsOfSeq, s.eventPath(then.AsOfSeq)
	if n := len(told); n > 0 {
		if !t.Ahead {
			t.Summary, t.Changes = words.Summary(schema.KindOf(told[n-1].Type), told[n-1].Facts, words.ForPeople), told[n-1].Changes
		}
		if n > 1 {
			t.Prev = at(n - 2)
		}
	}
	if t.Next = t.Path; t.Newer > 0 {
		t.Next = at(len(told))
	}
	if t.Ahead {
		f.Title += ", as on " + t.Field[:len(time.DateOnly)]
		return
	}
	f.Title += ", as of event " + view.NumberText(t.Seq)
}

// fieldTime formats a time for a field of a form.
const fieldTime = "2006-01-02T15:04:05"

func momentQuery(m projections.Moment) string {
	if m.Seq > 0 {
		return "?at_seq=" + view.NumberText(m.Seq)
	}
	return "?at=" + url.QueryEscape(schema.At(m.Time).String())
}

// jump answers the slider's form, which knows events by their place in the row's life only, with the address of the
// moment. Before that it refuses what is no place in the timeline.
func jump(w http.ResponseWriter, r *http.Request, all []projections.TimelineEntry) (done bool, err error) {
	if _, err := placeOf(r); err != nil {
		return false, err
	}
	text := r.URL.Query().Get("event")
	if text == "" {
		return false, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > len(all)+1 {
		return false, fmt.Errorf("%w: event must be a number from 1 to %d, not %q", answer.ErrMoment, len(all)+1, text)
	}
	to := r.URL.EscapedPath()
	if n <= len(all) {
		to += "?at_seq=" + view.NumberText(all[n-1].Seq)
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return true, nil
}

// eventPath returns the address of an event's page; "" where there is no log to show it from.
func (s *Server) eventPath(seq uint64) string {
	if s.Log == nil {
		return ""
	}
	return "/events/" + view.NumberText(seq)
}
