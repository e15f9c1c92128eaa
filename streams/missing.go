package streams

import (
	"slices"
	"sync"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// GapList holds what is known to be gone from a log. Nothing is ever deleted from it, so a sequence without an event is
// damage. Whoever has read the stream's files sets it; what is damaged later is noted by whoever reads past it.
type GapList struct {
	mu       sync.Mutex
	gaps     schema.Gaps
	accepted schema.Gaps
	losses   []schema.Loss
}

// Set takes over what a reading of all files found: the gaps, those of them that an operator has accepted, and how the
// others came about.
func (m *GapList) Set(gaps, accepted schema.Gaps, losses []schema.Loss) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gaps, m.accepted, m.losses = gaps, accepted, losses
}

// Accept notes that an operator has accepted a gap.
func (m *GapList) Accept(gap schema.Gap) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accepted = m.accepted.And(gap)
}

// add notes a gap, and returns what of it was not known.
func (m *GapList) add(gap schema.Gap) (unknown schema.Gaps) {
	m.mu.Lock()
	defer m.mu.Unlock()
	unknown = schema.Gaps{gap}.Without(m.gaps)
	for _, gap := range unknown {
		m.losses = append(m.losses, schema.Loss{Gap: gap, Cause: schema.CauseUnknown, Found: schema.At(time.Now())})
	}
	m.gaps = m.gaps.And(gap)
	return unknown
}

// Gaps returns the sequences that are gone from the log, as far as is known.
func (l *Log) Gaps() schema.Gaps {
	m := l.gaps
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.gaps
}

// Accepted returns the sequences of which an operator has accepted that they are gone.
func (l *Log) Accepted() schema.Gaps {
	m := l.gaps
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.accepted
}

// Losses says how events were lost that no operator has accepted.
func (l *Log) Losses() []schema.Loss {
	m := l.gaps
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.losses), func(loss schema.Loss) bool { return m.accepted.Covers(loss.Gap) })
}

// noteGap notes that the sequences from first to last have no event.
func (l *Log) noteGap(first, last uint64) {
	for _, gap := range l.gaps.add(schema.Gap{First: first, Last: last}) {
		l.logger.Error("events are gone from the log; see the operating guide on gaps", "gap", gap)
	}
}
