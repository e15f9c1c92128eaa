package ingest

import (
	"sync/atomic"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Counts are what happened to a source's deliveries since the process began.
type Counts struct {
	Accepted    uint64      // appended, understood
	Quarantined uint64      // appended, not understood
	Refused     uint64      // not allowed, too large or too many
	Lost        uint64      // the log could not take them
	LastAt      schema.Time // when the last was appended
}

type counts struct {
	accepted, quarantined, refused, lost atomic.Uint64
	last                                 atomic.Int64 // Unix milliseconds
}

func (c *counts) took(at time.Time, quarantined bool) {
	if quarantined {
		c.quarantined.Add(1)
	} else {
		c.accepted.Add(1)
	}
	c.last.Store(at.UnixMilli())
}

// Counts are the source's counts now.
func (s *Source) Counts() Counts {
	c := Counts{Accepted: s.counts.accepted.Load(), Quarantined: s.counts.quarantined.Load(), Refused: s.counts.refused.Load(), Lost: s.counts.lost.Load()}
	if last := s.counts.last.Load(); last > 0 {
		c.LastAt = schema.At(time.UnixMilli(last))
	}
	return c
}
