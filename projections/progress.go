package projections

import (
	"time"
)

// The phases of a building.
const (
	PhaseFinding    = "finding"     // the event that a moment ends with
	PhaseReading    = "reading"     // events from the first on
	PhaseIndexing   = "indexing"    // all events of then are read
	PhaseCatchingUp = "catching_up" // with what came meanwhile
	PhaseComparing  = "comparing"   // table by table, of a verification
)

// Progress tells how far a rebuild is.
type Progress struct {
	Reason          string  `json:"reason"` // why it is built, a clause: "this version of certtrail has other tables"
	Phase           string  `json:"phase"`
	Seq             uint64  `json:"seq"` // the last event it holds
	TargetSeq       uint64  `json:"target_seq"`
	Percent         float64 `json:"percent"` // of the events, 0 to 100
	EventsPerSecond float64 `json:"events_per_second"`
	SecondsLeft     float64 `json:"seconds_left"` // an estimate from the speed so far; 0 while there is none
}

// reportEvery bounds how often a progress is published.
const reportEvery = 100 * time.Millisecond

// progressMeter measures a building and publishes its progress.
type progressMeter struct {
	s           *Store
	report      func(Progress) // may be nil
	quiet       bool           // nobody waits for it
	began       time.Time
	publishedAt time.Time
	p           Progress
}

func (s *Store) newProgressMeter(reason string, report func(Progress)) *progressMeter {
	return &progressMeter{s: s, report: report, began: s.o.Now(), p: Progress{Reason: reason, Phase: PhaseReading}}
}

// aim begins a phase that ends at the event target.
func (m *progressMeter) aim(phase string, target uint64) {
	m.p.Phase, m.p.TargetSeq = phase, target
	m.publish()
}

// reached notes that the event seq has been.
func (m *progressMeter) reached(seq uint64) {
	m.p.Seq = seq
	if now := m.s.o.Now(); now.Sub(m.publishedAt) >= reportEvery {
		m.publish()
	}
}

func (m *progressMeter) publish() {
	m.publishedAt = m.s.o.Now()
	p := &m.p
	p.Percent = 100
	if p.TargetSeq > 0 {
		p.Percent = min(100, 100*float64(p.Seq)/float64(p.TargetSeq))
	}
	if took := m.publishedAt.Sub(m.began).Seconds(); took > 0 && p.Phase == PhaseReading {
		p.EventsPerSecond = float64(p.Seq) / took
	}
	p.SecondsLeft = 0
	if p.EventsPerSecond > 0 && p.TargetSeq > p.Seq {
		p.SecondsLeft = float64(p.TargetSeq-p.Seq) / p.EventsPerSecond
	}
	shown := *p
	if !m.quiet {
		m.s.setStatus(func(st *Status) { st.Rebuild = &shown })
	}
	if m.report != nil {
		m.report(shown)
	}
}

// done says that nothing is being built any more.
func (m *progressMeter) done() {
	if !m.quiet {
		m.s.setStatus(func(st *Status) { st.Rebuild = nil })
	}
}
