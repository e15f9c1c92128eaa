package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// eventsQuery is which part of the log is asked for.
type eventsQuery struct {
	subject string // a NATS subject with wildcards; "": all
	limit   int
	after   uint64 // only later events than this
	before  uint64 // only earlier events than this; 0: no bound
	forward bool   // after was given, so reading goes upwards from there
}

func readEventsQuery(v url.Values) (eventsQuery, error) {
	q := eventsQuery{subject: strings.TrimSpace(v.Get("subject"))}
	var err error
	if q.limit, err = readLimit(v); err != nil {
		return q, err
	}
	if q.limit == 0 {
		q.limit = projections.DefaultLimit
	}
	if err := checkFilter(q.subject); err != nil {
		return q, err
	}
	for _, name := range []string{"after_seq", "cursor"} { // a cursor goes on from where after_seq began
		if v.Get(name) != "" {
			q.forward = true
			if q.after, err = readSeq(v, name); err != nil {
				return q, err
			}
		}
	}
	q.before, err = readSeq(v, "before_seq")
	return q, err
}

func readSeq(v url.Values, name string) (uint64, error) {
	if v.Get(name) == "" {
		return 0, nil
	}
	seq, err := strconv.ParseUint(v.Get(name), 10, 64)
	if err != nil {
		return 0, wrong("%s must be the sequence of an event, not %q", name, v.Get(name))
	}
	return seq, nil
}

// checkFilter refuses what NATS would refuse as a subject filter, or what could match no event of ours.
func checkFilter(subject string) error {
	if subject == "" || subject == ">" {
		return nil
	}
	tokens := strings.Split(subject, ".")
	for i, t := range tokens {
		whole := t == "*" || t == ">" && i == len(tokens)-1
		if t == "" || !whole && strings.ContainsAny(t, "*> \t\r\n") {
			return wrong("the subject %q is not a NATS filter such as certs.order.issued.>", subject)
		}
	}
	if tokens[0] != "certs" && tokens[0] != "*" {
		return wrong("the subject %q matches nothing: all events stand below certs", subject)
	}
	return nil
}

// eventView is one event as the log's page shows it.
type eventView struct {
	Seq     uint64
	Subject string
	When    moment
	Kind    schema.Kind
	Tone    string
	Source  string // the provider's title
	ID      string // of what it is about
	Href    string // its page
	Word    string // the provider's own, or the reason
	Broken  string // why the event could not be read
}

func viewOf(rec schema.Record, f *frame) eventView {
	v := eventView{Seq: rec.Seq, Subject: rec.Subject, When: when(schema.At(rec.Time), f.Now), Tone: "off"}
	e, err := schema.Decode(rec.Data)
	if err != nil {
		v.Broken = err.Error()
		return v
	}
	v.When, v.Kind, v.Source, v.Href = when(e.Time, f.Now), e.Kind(), f.Source(e.Data.Provider), eventHref(e)
	v.Tone, v.ID, v.Word = kindTone(v.Kind), shortID(schema.AggregateID(v.Kind, e.ID, &e.Data)), e.Data.Event
	if e.Data.Reason != "" {
		v.Word = e.Data.Reason
	}
	return v
}

// eventsPage is the data of events.html.
type eventsPage struct {
	frame
	Subject, Limit string
	Events         []eventView // newest first
	Last           uint64
	Older, Newer   string
	Providers      []Provider
}

// logged is a handler that needs the log.
func (s *Server) logged(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.Log == nil {
			return errNoLog
		}
		return h(w, r)
	}
}

// lastSeq is the sequence of the log's last event; where there is no log, of the read models'.
func (s *Server) lastSeq(ctx context.Context, status []projections.Status) (uint64, error) {
	if s.Log != nil {
		return s.Log.Last(ctx)
	}
	last := uint64(0)
	for _, st := range status {
		last = max(last, st.Seq)
	}
	return last, nil
}

func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	ctx, values := r.Context(), r.URL.Query()
	q, err := readEventsQuery(values)
	if err != nil {
		return err
	}
	p := eventsPage{frame: s.frame(ctx, "Log", "events"), Subject: q.subject, Limit: values.Get("limit"), Providers: s.Providers()}
	p.Model = anyModel
	if p.Last, err = s.Log.Last(ctx); err != nil {
		return err
	}
	var records []schema.Record
	if q.forward {
		records, err = s.Log.Events(ctx, q.after, q.subject, q.limit)
	} else {
		records, err = s.newest(ctx, q, p.Last)
	}
	if err != nil {
		return err
	}
	for i := len(records) - 1; i >= 0; i-- {
		p.Events = append(p.Events, viewOf(records[i], &p.frame))
	}
	if n := len(records); n > 0 {
		if records[0].Seq > 1 && (q.forward || n == q.limit) {
			p.Older = with("events", values, "before_seq", numberText(records[0].Seq), "after_seq", "", "cursor", "")
		}
		if last := records[n-1].Seq; last < p.Last && (q.forward || q.before > 0) {
			p.Newer = with("events", values, "after_seq", numberText(last), "before_seq", "", "cursor", "")
		}
	}
	return s.render(w, http.StatusOK, "events", p)
}

// newest finds the last events before q.before that match. The log only reads forwards, so it looks through a stretch before the end, and
// through longer ones as long as they hold too few.
func (s *Server) newest(ctx context.Context, q eventsQuery, last uint64) ([]schema.Record, error) {
	end := last + 1
	if q.before > 0 {
		end = min(end, q.before)
	}
	var found []schema.Record
	for stretch := uint64(q.limit); end > 1 && len(found) < q.limit; stretch *= 4 {
		after := uint64(0)
		if end-1 > stretch {
			after = end - 1 - stretch
		}
		part, err := s.lastBetween(ctx, after, end, q.subject, q.limit-len(found))
		if err != nil {
			return nil, err
		}
		found = append(part, found...)
		end = after + 1
	}
	return found, nil
}

// lastBetween is the last n matching events after one sequence and before another.
func (s *Server) lastBetween(ctx context.Context, after, before uint64, subject string, n int) ([]schema.Record, error) {
	var found []schema.Record
	for {
		page, err := s.Log.Events(ctx, after, subject, projections.MaxLimit)
		if err != nil {
			return nil, err
		}
		for _, rec := range page {
			if rec.Seq >= before {
				return found, nil
			}
			if found = append(found, rec); len(found) > n {
				found = found[1:]
			}
		}
		if len(page) < projections.MaxLimit {
			return found, nil
		}
		after = page[len(page)-1].Seq
	}
}

// eventPage is the data of event.html.
type eventPage struct {
	frame
	Event eventView
	Whole string
	Prev  uint64
	Next  uint64
	API   string
}

func (s *Server) event(w http.ResponseWriter, r *http.Request) error {
	text, err := pathVar(r, "seq")
	if err != nil {
		return err
	}
	ctx := r.Context()
	f := s.frame(ctx, "Event "+text, "events")
	last, err := s.Log.Last(ctx)
	if err != nil {
		return err
	}
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil || seq == 0 || seq > last {
		return fmt.Errorf("%w: the log has no event %s yet", errNoRoute, text)
	}
	rec, err := s.Log.Get(ctx, seq)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: event %s is gone from the log", errNoRoute, text)
	}
	if err != nil {
		return err
	}
	p := eventPage{frame: f, Event: viewOf(rec, &f), Whole: indent(rec.Data), Prev: seq - 1, API: with("api/v1/events", nil, "after_seq", numberText(seq-1), "limit", "1")}
	if seq < last {
		p.Next = seq + 1
	}
	return s.render(w, http.StatusOK, "event", p)
}
