package streams

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/certtrail/certtrail/schema"
)

// ErrUnread says that the log has not been read to its end since it was opened, so that more may be gone from it than is known.
var ErrUnread = errors.New("the log has not been read to its end yet")

// missing is what is known to be gone from the log. Nothing is ever deleted from it, so a sequence without an event is damage. The server's own account of
// what is deleted does not tell: of a message that fails its checksum it knows only once somebody asks for that one. So whoever reads past a sequence that
// is not there notes it here, and LookForGaps reads past all of them.
type missing struct {
	mu   sync.Mutex
	gaps schema.Gaps
	all  bool  // the log was read to its end since it was opened
	err  error // what kept it from being read
}

// Gaps are the sequences that are gone from the log, as far as it was read. An error says why more of them may be: ErrUnread, or what cannot be read.
func (l *Log) Gaps() (schema.Gaps, error) {
	m := &l.missing
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.all:
		return m.gaps, nil
	case m.err != nil:
		return m.gaps, m.err
	}
	return m.gaps, ErrUnread
}

// LookForGaps reads the log to its end, so that Gaps knows all that are in it, which takes a second or two a gigabyte. After each part of at most
// maxRecords events it calls giveWay.
func (l *Log) LookForGaps(ctx context.Context, giveWay func()) error {
	err := l.Read(ctx, 0, l.durable.seq(), func([]schema.Record) error {
		giveWay()
		return ctx.Err()
	})
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("the log could not be read to its end: %w", err)
	}
	m := &l.missing
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all, m.err = err == nil, err
	return err
}

// gone notes that the sequences from first to last have no event.
func (l *Log) gone(first, last uint64) {
	m := &l.missing
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gaps = m.gaps.And(schema.Gap{First: first, Last: last})
}
