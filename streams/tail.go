package streams

import (
	"context"
	"errors"
	"sync"

	"github.com/certtrail/certtrail/schema"
)

// Bounds of a tail, in events and in bytes: it holds at least this many of the last events, or this much of them, and
// at most twice.
const (
	tailEvents = 2048
	tailBytes  = 4 << 20
	// tailRun counts the events in a row that must have come from this process before a reader leaves its consumer for
	// the tail: if others append between, it would have to go back at once.
	tailRun = 32
)

// errNotHeld says that what comes next is not in the tail, and errHeld that it is.
var (
	errNotHeld = errors.New("the tail does not hold the next event")
	errHeld    = errors.New("the tail holds the next event")
)

// tail holds the end of the log as this process appended it: events in a row, all of them durable. A reader that keeps
// up takes them from here, so that the server need not send back what it was sent a moment ago.
type tail struct {
	mu      sync.Mutex
	records []schema.Record
	bytes   int
}

// add adds events in a row. If they do not follow what the tail holds it begins again.
func (t *tail) add(records []schema.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range records {
		if n := len(t.records); n > 0 && t.records[n-1].Seq+1 != r.Seq {
			t.records, t.bytes = nil, 0
		}
		t.records = append(t.records, r)
		t.bytes += len(r.Data)
	}
	if len(t.records) > 2*tailEvents || t.bytes > 2*tailBytes {
		t.trim()
	}
}

// trim leaves the newest events, in memory of their own: readers may still hold the old.
func (t *tail) trim() {
	first, bytes := len(t.records), 0
	for first > 0 && len(t.records)-first < tailEvents && bytes < tailBytes {
		first--
		bytes += len(t.records[first].Data)
	}
	t.records, t.bytes = append(make([]schema.Record, 0, 2*tailEvents), t.records[first:]...), bytes
}

// after returns the events after seq, up to until, that a reader may be given at once, which nobody may change; none
// when the tail does not hold the next one.
func (t *tail) after(seq, until uint64) []schema.Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.records) == 0 || seq+1 < t.records[0].Seq || seq >= t.records[len(t.records)-1].Seq {
		return nil
	}
	from := int(seq + 1 - t.records[0].Seq)
	to, bytes := from, 0
	for to < len(t.records) && t.records[to].Seq <= until && to-from < maxRecords && bytes < recordsBytes {
		bytes += len(t.records[to].Data)
		to++
	}
	return t.records[from:to:to]
}

// holds reports whether a reader that has read up to seq may go on here: it is at the end of the log, or the tail
// reaches back to it.
func (t *tail) holds(seq, durable uint64) bool {
	if seq == durable {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.records)
	return n > 0 && t.records[0].Seq <= seq+1 && seq < t.records[n-1].Seq
}

// running reports whether the last events up to seq came from this process, enough of them in a row.
func (t *tail) running(seq uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.records)
	return n >= tailRun && t.records[0].Seq <= seq+1 && seq <= t.records[n-1].Seq
}

// followTail yields what this process appends after *after, until it is not the one that appended, which is errNotHeld.
func (r *Reader) followTail(ctx context.Context, after *uint64, yield func([]schema.Record) error) error {
	for {
		durable, err := r.log.durable.Wait(ctx, *after+1)
		if err != nil {
			return err
		}
		records := r.log.durable.tail.after(*after, durable) // which may hold more already
		if len(records) == 0 {
			return errNotHeld
		}
		if err := yield(records); err != nil {
			return err
		}
		*after = records[len(records)-1].Seq
	}
}
