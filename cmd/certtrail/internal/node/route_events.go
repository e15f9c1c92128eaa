package node

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams/transfer"
)

// EventsEnd ends the answer of the route for events.
type EventsEnd struct {
	Last uint64 `json:"last_seq"` // the log's end; the event itself may be gone
}

// events streams the events after after_seq whose subject matches filter: those that are there, or with follow=1 also
// those to come.
func (o *Node) events(ctx context.Context, a *owner.Answer, r *http.Request) (any, error) {
	after, err := number(r.URL.Query(), "after_seq", 0)
	if err != nil {
		return nil, err
	}
	filter, err := schema.ParseFilter(r.URL.Query().Get("filter"))
	if err != nil {
		return nil, err
	}
	w := a.Stream(owner.EventsType)
	yield := func(records []schema.Record) error {
		for i := range records {
			if filter.Matches(records[i].Subject) {
				if err := owner.WriteEvent(w, &records[i]); err != nil {
					return err
				}
			}
		}
		return a.Flush()
	}
	last, err := o.log.Last(ctx)
	if err != nil {
		return nil, err
	}
	if r.URL.Query().Get("follow") == "" {
		return EventsEnd{last}, o.log.Read(ctx, after, last, yield)
	}
	if r.URL.Query().Get("after_seq") == "" {
		after = last
	}
	if after > last {
		return nil, fmt.Errorf("the log ends at event %d, before %d", last, after)
	}
	reader, release := o.log.NewReader("tail")
	defer release()
	return nil, reader.Follow(ctx, after, yield)
}

// summary answers what the log holds up to the sequence until, and tells meanwhile how many events it has read.
func (o *Node) summary(ctx context.Context, a *owner.Answer, r *http.Request) (any, error) {
	until, err := number(r.URL.Query(), "until", math.MaxUint64)
	if err != nil {
		return nil, err
	}
	if last, err := o.log.Last(ctx); err != nil {
		return nil, err
	} else if until == math.MaxUint64 {
		until = last
	}
	return transfer.Summarize(ctx, o.log, until, func(events uint64) { a.Progress(events) })
}

func number(q url.Values, name string, standard uint64) (uint64, error) {
	s := q.Get(name)
	if s == "" {
		return standard, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not a sequence", name, s)
	}
	return n, nil
}
