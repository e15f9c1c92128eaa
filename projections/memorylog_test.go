package projections

import (
	"context"
	"io/fs"
	"sync"

	"github.com/certtrail/certtrail/schema"
)

// memoryLog keeps a log in memory, which may have gaps. Follow yields what there is in batches of the sizes that split
// gives, then waits for more.
type memoryLog struct {
	mu      sync.Mutex
	records []schema.Record
	moved   chan struct{}
	split   func() int
}

func newMemoryLog(events ...*schema.Event) *memoryLog {
	l := &memoryLog{moved: make(chan struct{}), split: func() int { return 1000 }}
	l.append(events...)
	return l
}

func (l *memoryLog) append(events ...*schema.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		data, err := e.Encode()
		if err != nil {
			panic(err)
		}
		l.records = append(l.records, schema.Record{Seq: l.last() + 1, Subject: e.NATSSubject(), Time: e.Time.Time, Data: data})
	}
	close(l.moved)
	l.moved = make(chan struct{})
}

func (l *memoryLog) Last(context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last(), nil
}

func (l *memoryLog) Get(_ context.Context, seq uint64) (schema.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := l.after(seq); i > 0 && l.records[i-1].Seq == seq {
		return l.records[i-1], nil
	}
	return schema.Record{}, fs.ErrNotExist
}

func (l *memoryLog) Read(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	l.mu.Lock()
	rest := l.records[l.after(after):l.after(until)]
	l.mu.Unlock()
	for len(rest) > 0 {
		n := min(max(1, l.split()), len(rest))
		if err := yield(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return ctx.Err()
}

func (l *memoryLog) Follow(ctx context.Context, after uint64, yield func([]schema.Record) error) error {
	for {
		l.mu.Lock()
		rest, moved := l.records[l.after(after):], l.moved
		l.mu.Unlock()
		for len(rest) > 0 {
			n := min(max(1, l.split()), len(rest))
			if err := yield(rest[:n]); err != nil {
				return err
			}
			after = rest[n-1].Seq
			rest = rest[n:]
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
