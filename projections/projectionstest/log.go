package projectionstest

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/certtrail/certtrail/schema"
)

// Log keeps a log in memory, for read models to follow and for pages to read. Many goroutines may use it at once.
type Log struct {
	mu      sync.Mutex
	records []schema.Record // ascending by sequence; some may be missing
	last    uint64
	moved   chan struct{} // closed when something was appended
}

// NewLog returns a log that holds the events.
func NewLog(events ...*schema.Event) *Log {
	l := &Log{moved: make(chan struct{})}
	l.Append(events...)
	return l
}

// Append appends the events and returns the sequence of the last.
func (l *Log) Append(events ...*schema.Event) uint64 {
	records := make([]schema.Record, len(events))
	for i, e := range events {
		data, err := e.Encode()
		if err != nil {
			panic(err) // a test made it
		}
		records[i] = schema.Record{Subject: e.NATSSubject(), Time: e.Time.Time, Data: data}
	}
	return l.AppendRecords(records...)
}

// AppendRecords appends records of any bytes, gives each its sequence and returns that of the last.
func (l *Log) AppendRecords(records ...schema.Record) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		l.last++
		r.Seq = l.last
		l.records = append(l.records, r)
	}
	close(l.moved)
	l.moved = make(chan struct{})
	return l.last
}

// Lose takes an event out of the log.
func (l *Log) Lose(seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = slices.Clone(l.records)
	i := slices.IndexFunc(l.records, func(r schema.Record) bool { return r.Seq == seq })
	if i+1 < len(l.records) {
		l.records[i+1].Missing += l.records[i].Missing + 1
	}
	l.records = slices.Delete(l.records, i, i+1)
}

// after returns the records after the sequence.
func (l *Log) after(seq uint64) (rest []schema.Record, moved <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearchFunc(l.records, seq+1, func(r schema.Record, seq uint64) int { return int(r.Seq) - int(seq) })
	return l.records[i:len(l.records):len(l.records)], l.moved
}

// Last returns the sequence of the last event.
func (l *Log) Last(context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last, nil
}

// Get returns one event; fs.ErrNotExist where there is none of that sequence.
func (l *Log) Get(_ context.Context, seq uint64) (schema.Record, error) {
	if seq > 0 {
		if rest, _ := l.after(seq - 1); len(rest) > 0 && rest[0].Seq == seq {
			return rest[0], nil
		}
	}
	return schema.Record{}, fmt.Errorf("event %d: %w", seq, fs.ErrNotExist)
}

// Read yields the events after one sequence up to another.
func (l *Log) Read(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	rest, _ := l.after(after)
	rest = slices.DeleteFunc(slices.Clone(rest), func(r schema.Record) bool { return r.Seq > until })
	if len(rest) > 0 {
		if err := yield(rest); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Follow yields the events after a sequence, and then each that is appended, until ctx ends; schema.ErrPastEnd if the
// log ends before.
func (l *Log) Follow(ctx context.Context, after uint64, yield func([]schema.Record) error) error {
	if last, _ := l.Last(ctx); after > last {
		return fmt.Errorf("%w: it ends at %d, before %d", schema.ErrPastEnd, last, after)
	}
	for {
		rest, moved := l.after(after)
		if len(rest) > 0 {
			if err := yield(rest); err != nil {
				return err
			}
			after = rest[len(rest)-1].Seq
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Events returns at most limit events after the sequence whose subject matches. They end before the event with which
// they would hold more than so many bytes, and then there is more; the first is among them however large it is.
func (l *Log) Events(_ context.Context, after uint64, subject string, limit, bytes int) (found []schema.Record, more bool, err error) {
	filter, err := schema.ParseFilter(subject)
	if err != nil {
		return nil, false, err
	}
	rest, _ := l.after(after)
	for _, r := range rest {
		if !filter.Matches(r.Subject) {
			continue
		}
		if len(found) == limit {
			break
		}
		if bytes -= len(r.Data); bytes < 0 && len(found) > 0 {
			return found, true, nil
		}
		found = append(found, r)
	}
	return found, false, nil
}
