package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/api"
)

// The bounds of one look into the log, which reads forwards only and may hold millions of events of which a filter
// matches none.
const (
	searchTime  = time.Second
	searchReads = 4000 // events that are read in vain, at most
)

// foundEvents holds the events of one page, ascending.
type foundEvents struct {
	records []schema.Record
	full    bool   // they hold pageBytes, so that there may be more in the direction of the search
	stopped uint64 // the search went no further back than this event; 0: it came to its end
}

// searchLog reads one page of the log.
func (s *Server) searchLog(ctx context.Context, w http.ResponseWriter, q answer.EventsQuery, last uint64) (foundEvents, error) {
	if q.Forward {
		records, more, err := s.Log.Events(ctx, q.After, q.Subject, q.Limit, answer.PageBytes)
		if err == nil {
			err = answer.Hold(w, answer.SizeOf(records))
		}
		return foundEvents{records: records, full: more}, err
	}
	end := last + 1
	if q.Before > 0 {
		end = min(end, q.Before)
	}
	b := &backwards{log: s.Log, subject: q.Subject, end: end, stretch: uint64(q.Limit), reads: searchReads}
	looking, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	for b.end > 1 && len(b.found) < q.Limit && !b.full {
		err := b.step(looking, q.Limit-len(b.found))
		if err != nil && ctx.Err() == nil && looking.Err() != nil || b.reads <= 0 {
			return foundEvents{records: b.found, stopped: b.end}, nil
		}
		if err == nil {
			err = answer.Hold(w, b.size)
		}
		if err != nil {
			return foundEvents{}, err
		}
	}
	return foundEvents{records: b.found, full: b.full}, nil
}

// backwards finds the last events before end that match. It looks through a stretch before the end: a longer one next
// time if that held too few, a shorter one if it held more than a page, of which only the first could be read.
type backwards struct {
	log     api.Log
	subject string
	found   []schema.Record // ascending
	size    int             // bytes of them
	full    bool            // the next one is too large for the page
	end     uint64          // all from here on has been looked through
	stretch uint64
	reads   int // that are left
}

// step looks through one stretch for n events at most.
func (b *backwards) step(ctx context.Context, n int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	after := uint64(0)
	if b.end-1 > b.stretch {
		after = b.end - 1 - b.stretch
	}
	page, more, err := b.log.Events(ctx, after, b.subject, n+1, answer.PageBytes-b.size)
	if err != nil {
		return errors.Join(err, ctx.Err())
	}
	b.reads -= len(page) + 1
	within := len(page)
	for within > 0 && page[within-1].Seq >= b.end {
		within--
	}
	size := answer.SizeOf(page[:within])
	fits := b.size+size <= answer.PageBytes || len(b.found) == 0 && within == 1
	unseen := more && within == len(page) && page[within-1].Seq+1 < b.end
	switch {
	case within > n: // there may be more behind them
		b.stretch = max(b.stretch/4, uint64(n))
	case unseen, !fits && b.stretch > 1:
		b.stretch = max(b.stretch/4, 1)
	case !fits:
		b.full = true
	default:
		b.found, b.size = append(page[:within:within], b.found...), b.size+size
		b.end = after + 1
		b.stretch *= 4
	}
	return nil
}
