package node

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// Built ends the answer of POST /replay.
type Built struct {
	Seq     uint64      `json:"seq"` // the last event
	Seconds float64     `json:"seconds"`
	Gone    schema.Gaps `json:"gone,omitempty"` // what only the read models before held
}

// replay answers POST /replay: it rebuilds the read models, or with out builds those of a moment.
func (o *Node) replay(ctx context.Context, a *owner.Answer, r *http.Request) (any, error) {
	store, err := o.readModels()
	if err != nil {
		return nil, err
	}
	query := r.URL.Query()
	redecode := query.Get("redecode") == "true"
	ctx, report := progressTo(ctx, a)
	began := time.Now()
	if out := query.Get("out"); out != "" {
		m, err := momentOf(query)
		if err != nil {
			return nil, err
		}
		seq, err := store.BuildSide(ctx, out, m, redecode, report)
		return Built{Seq: seq, Seconds: time.Since(began).Seconds()}, err
	}
	rebuilt, err := store.Rebuild(ctx, redecode, report)
	return Built{rebuilt.Seq, time.Since(began).Seconds(), rebuilt.Gone}, err
}

func momentOf(query url.Values) (m projections.Moment, err error) {
	if t := query.Get("until_time"); t != "" {
		at, err := schema.ParseTime(t)
		return projections.Moment{Time: at.Time}, err
	}
	m.Seq, err = strconv.ParseUint(query.Get("until_seq"), 10, 64)
	return m, err
}

// verify answers POST /verify.
func (o *Node) verify(ctx context.Context, a *owner.Answer, r *http.Request) (any, error) {
	store, err := o.readModels()
	if err != nil {
		return nil, err
	}
	ctx, report := progressTo(ctx, a)
	return store.Verify(ctx, report)
}

// progressTo sends progress to whoever asked; once nobody listens any more, the context ends.
func progressTo(ctx context.Context, a *owner.Answer) (context.Context, func(projections.Progress)) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, func(p projections.Progress) {
		if err := a.Progress(p); err != nil {
			cancel(err)
		}
	}
}
