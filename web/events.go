package web

import (
	"context"
	"net/http"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/view"
)

// eventView shows one event on the log's page.
type eventView struct {
	Seq     uint64
	Subject string
	When    view.Moment
	Kind    schema.Kind
	Tone    string
	Source  string // the provider's title
	ID      string // of what it is about
	Href    string // its page
	Word    string // the provider's own, or the reason
	Broken  string // why the event could not be read
}

func viewOf(rec schema.Record, f *frame) eventView {
	v := eventView{Seq: rec.Seq, Subject: rec.Subject, When: view.When(schema.At(rec.Time), f.Now), Tone: "off"}
	e, err := schema.Decode(rec.Data)
	if err != nil {
		v.Broken = err.Error()
		return v
	}
	v.When, v.Kind, v.Source, v.Href = view.When(e.Time, f.Now), e.Kind(), f.Source(e.Data.Provider), address.Event(e)
	v.Tone, v.ID, v.Word = view.KindTone(v.Kind), shortID(schema.AggregateID(v.Kind, e.ID, &e.Data)), e.Data.Event
	if e.Data.Reason != "" {
		v.Word = e.Data.Reason
	}
	return v
}

// eventsPage holds the data of events.html.
type eventsPage struct {
	frame
	Subject, Limit string
	Events         []eventView // newest first
	Last           uint64
	Older, Newer   string
	Stopped        uint64 // before which event nobody has looked yet, since that would take too long; 0: all was looked at
	Examples       []link // filters to try
	Providers      []Provider
}

// logged lets h answer only where there is a log.
func (s *Server) logged(h answer.Handler) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.Log == nil {
			return answer.ErrNoLog
		}
		return h(w, r)
	}
}

// lastSeq returns the sequence of the log's last event; where there is no log, of the read models'.
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
	q, err := answer.ReadEventsQuery(values)
	if err != nil {
		return err
	}
	p := eventsPage{frame: s.frame(ctx, "Log", "events"), Subject: q.Subject, Limit: values.Get("limit"), Examples: s.examples(), Providers: s.Providers()}
	p.Model = anyModel
	if p.Last, err = s.Log.Last(ctx); err != nil {
		return err
	}
	found, err := s.searchLog(ctx, w, q, p.Last)
	if err != nil {
		return err
	}
	records := found.records
	for i := len(records) - 1; i >= 0; i-- {
		p.Events = append(p.Events, viewOf(records[i], &p.frame))
	}
	if p.Stopped = found.stopped; p.Stopped > 0 {
		p.Older = address.With("events", values, "before_seq", view.NumberText(p.Stopped), "after_seq", "", "cursor", "")
	} else if n := len(records); n > 0 && records[0].Seq > 1 && (q.Forward || found.full || n == q.Limit) {
		p.Older = address.With("events", values, "before_seq", view.NumberText(records[0].Seq), "after_seq", "", "cursor", "")
	}
	if last := lastOf(records, q); last < p.Last && (q.Forward && len(records) > 0 || q.Before > 0) {
		p.Newer = address.With("events", values, "after_seq", view.NumberText(last), "before_seq", "", "cursor", "")
	}
	return s.render(w, http.StatusOK, "events", p)
}

// lastOf returns the newest event that the page has looked at.
func lastOf(records []schema.Record, q answer.EventsQuery) uint64 {
	if len(records) > 0 {
		return records[len(records)-1].Seq
	}
	return max(q.Before, 1) - 1
}

// examples links to filters that show what can be asked.
func (s *Server) examples() []link {
	list := []link{{"issued orders", "certs.order.issued.>"}, {"domains below example.com", "certs.domain.*.*.com.example.>"}, {"not understood", "certs.delivery.>"}}
	for _, p := range s.Providers() {
		if p.On {
			list = append(list, link{p.Title, "certs.*.*." + schema.Token(p.Name) + ".>"})
		}
	}
	for i := range list {
		list[i].Href = address.With("events", nil, "subject", list[i].Href)
	}
	return list
}
