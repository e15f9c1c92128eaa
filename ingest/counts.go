package ingest

import (
	"sync/atomic"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Counts says what happened to a source's deliveries since the process began.
type Counts struct {
	Accepted    uint64      // appended, understood
	Quarantined uint64      // appended, not understood
	Refused     uint64      // not allowed, too large or too many
	Lost        uint64      // the log could not take them
	LastAt      schema.Time // when the last was appended

	RefusedFor map[string]uint64 // Refused by the reason, one of the Refused words; reasons for which none was are left out
}

// Why deliveries are refused. None of them is kept.
const (
	RefusedCredentials = "wrong credentials"
	RefusedAddress     = "wrong address"
	RefusedMethod      = "wrong method"
	RefusedSize        = "too large"
	RefusedRate        = "too many"
	RefusedBroken      = "broken off"
	RefusedEncoding    = "unknown encoding"
	RefusedOff         = "source is off"
)

type counts struct {
	accepted, quarantined, lost                                            atomic.Uint64
	credentials, address, method, tooLarge, tooMany, broken, encoding, off atomic.Uint64
	last                                                                   atomic.Int64 // Unix milliseconds
}

// refused returns the counter of those refused for the reason.
func (c *counts) refused(reason string) *atomic.Uint64 {
	switch reason {
	case RefusedCredentials:
		return &c.credentials
	case RefusedAddress:
		return &c.address
	case RefusedMethod:
		return &c.method
	case RefusedSize:
		return &c.tooLarge
	case RefusedRate:
		return &c.tooMany
	case RefusedBroken:
		return &c.broken
	case RefusedEncoding:
		return &c.encoding
	}
	return &c.off
}

func (c *counts) took(at time.Time, quarantined bool) {
	if quarantined {
		c.quarantined.Add(1)
	} else {
		c.accepted.Add(1)
	}
	c.last.Store(at.UnixMilli())
}

// Counts returns the source's counts now.
func (s *Source) Counts() Counts {
	c := Counts{Accepted: s.counts.accepted.Load(), Quarantined: s.counts.quarantined.Load(), Lost: s.counts.lost.Load(), RefusedFor: map[string]uint64{}}
	for _, reason := range []string{RefusedCredentials, RefusedAddress, RefusedMethod, RefusedSize, RefusedRate, RefusedBroken, RefusedEncoding, RefusedOff} {
		if n := s.counts.refused(reason).Load(); n > 0 {
			c.RefusedFor[reason] = n
			c.Refused += n
		}
	}
	if last := s.counts.last.Load(); last > 0 {
		c.LastAt = schema.At(time.UnixMilli(last))
	}
	return c
}
