package streams

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// missing is what is known to be gone from the log. Nothing is ever deleted from it, so a sequence without an event is damage. All of it is read before the
// server starts; what is damaged later is noted by whoever reads past it.
type missing struct {
	mu       sync.Mutex
	gaps     schema.Gaps
	accepted schema.Gaps
	losses   []schema.Loss
}

// set takes over what a reading found.
func (m *missing) set(r *reading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gaps, m.accepted, m.losses = r.gaps, r.accepted, r.account.Losses
}

// Gaps returns the sequences that are gone from the log, as far as is known.
func (l *Log) Gaps() schema.Gaps {
	m := &l.missing
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.gaps
}

// Accepted returns the sequences of which an operator has accepted that they are gone.
func (l *Log) Accepted() schema.Gaps {
	m := &l.missing
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.accepted
}

// Losses tells how events were lost that no operator has accepted.
func (l *Log) Losses() []schema.Loss {
	m := &l.missing
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.losses), func(loss schema.Loss) bool { return m.accepted.Covers(loss.Gap) })
}

// gone notes that the sequences from first to last have no event.
func (l *Log) gone(first, last uint64) {
	m := &l.missing
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, gap := range (schema.Gaps{{First: first, Last: last}}).Without(m.gaps) {
		m.losses = append(m.losses, schema.Loss{Gap: gap, Cause: schema.CauseUnknown, Found: schema.At(time.Now())})
		l.logger.Error("events are gone from the log; see the operating guide on gaps", "gap", gap)
	}
	m.gaps = m.gaps.And(schema.Gap{First: first, Last: last})
}

// AcceptGap appends the event that an operator accepts a gap, which is then settled: nobody is told of it any more.
func (l *Log) AcceptGap(ctx context.Context, e *schema.Event) (seq uint64, err error) {
	gap, ok := e.AcceptedGap()
	if !ok {
		return 0, fmt.Errorf("event %s accepts no gap of this log", e.ID)
	}
	switch gaps := l.Gaps(); {
	case len(gaps) == 0:
		return 0, fmt.Errorf("no event is missing from the log, so there is no gap %s to accept", gap)
	case !gaps.Covers(gap):
		return 0, fmt.Errorf("%s is no gap of the log: what is missing is %s", gap, gaps)
	case l.Accepted().Covers(gap):
		return 0, fmt.Errorf("the gap %s has been accepted already", gap)
	}
	report, err := l.Check(ctx, nil) // somebody may have noted what is there
	if err != nil {
		return 0, err
	}
	if !report.Gaps.And(report.Accepted...).Covers(gap) {
		return 0, fmt.Errorf("%s is no gap of the log: its files have events of it", gap)
	}
	if seq, err = l.Append(ctx, e); err != nil {
		return 0, fmt.Errorf("the gap was not accepted: %w", err)
	}
	m := &l.missing
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accepted = m.accepted.And(gap)
	return seq, nil
}
