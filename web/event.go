package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/view"
)

// eventPage holds the data of event.html.
type eventPage struct {
	frame
	Event    eventView
	Concerns []link // the rows that it concerns
	Delivery *deliveryView
	Whole    string
	Cut      bool // Whole is longer than a page shows
	Prev     uint64
	Next     uint64
	API      string
	Around   string // the log as of it
}

func (s *Server) event(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	rec, last, err := s.oneEvent(r)
	if err != nil {
		return err
	}
	f := s.frame(ctx, "Event "+view.NumberText(rec.Seq), "events")
	p := eventPage{frame: f, Event: viewOf(rec, &f), API: address.With("api/v1/events", nil, "after_seq", view.NumberText(rec.Seq-1), "limit", "1"),
		Around: address.With("events", nil, "before_seq", view.NumberText(rec.Seq+1))}
	if p.Whole = view.Indent(rec.Data); len(p.Whole) > maxWhole {
		p.Whole, p.Cut = view.ClipTo(p.Whole, maxWhole), true
	}
	if e, err := schema.Decode(rec.Data); err == nil {
		p.Delivery = deliveryOf(e, rec.Seq)
		p.Concerns = concerns(e)
	}
	p.Prev, p.Next = s.neighbours(ctx, rec.Seq, last)
	return s.render(w, http.StatusOK, "event", p)
}

// concerns links to the rows that e concerns, or to where people see what concerns none.
func concerns(e *schema.Event) []link {
	if e.Kind() == schema.DeliveryUnrecognized {
		return []link{{"the quarantine", address.With("quarantine", nil, "provider", e.Data.Provider)}}
	}
	var list []link
	for _, k := range projections.Concerns(e) {
		text, target := strings.TrimSuffix(k.Model, "s")+" "+shortID(k.ID), address.Row(k)
		if k.Model == "accounts" { // which have no pages
			text, target = "what the provider said of its account", "/system#provider-"+e.Data.Provider
		}
		list = append(list, link{text, target})
	}
	return list
}

// oneEvent returns the event that the route names, and the last sequence of the log.
func (s *Server) oneEvent(r *http.Request) (rec schema.Record, last uint64, err error) {
	text, err := answer.PathVar(r, "seq")
	if err != nil {
		return rec, 0, err
	}
	if last, err = s.Log.Last(r.Context()); err != nil {
		return rec, 0, err
	}
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil || seq == 0 || seq > last {
		return rec, 0, fmt.Errorf("%w: the log has no event %s yet", answer.ErrNoRoute, text)
	}
	rec, err = s.Log.Get(r.Context(), seq)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: event %s is gone from the log", answer.ErrNoRoute, text)
	}
	return rec, last, err
}

// neighbours returns the events before and after seq, past what is gone from the log; 0 where there is none.
func (s *Server) neighbours(ctx context.Context, seq, last uint64) (prev, next uint64) {
	prev = seq - 1
	if seq < last {
		next = seq + 1
	}
	_, missing, err := s.Store.Status(ctx)
	if err != nil {
		return prev, next
	}
	for _, g := range missing.Gaps.And(missing.Accepted...) {
		if g.First <= prev && prev <= g.Last {
			prev = g.First - 1
		}
		if g.First <= next && next <= g.Last {
			next = g.Last + 1
		}
	}
	return prev, next
}

// eventBody sends the body of an event's delivery as the log holds it, to be kept as a file: a browser must not look
// into what came from outside.
func (s *Server) eventBody(w http.ResponseWriter, r *http.Request) error {
	rec, _, err := s.oneEvent(r)
	if err != nil {
		return err
	}
	e, err := schema.Decode(rec.Data)
	if err != nil {
		return fmt.Errorf("%w: event %d cannot be read, so it has no delivery", answer.ErrNoRoute, rec.Seq)
	}
	body, err := bodyOf(e.Data.Original)
	if err != nil || len(body) == 0 {
		return fmt.Errorf("%w: event %d has no body", answer.ErrNoRoute, rec.Seq)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="event-%d-body"`, rec.Seq))
	w.Write(body)
	return nil
}
