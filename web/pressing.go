package web

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/certtrail/certtrail/projections"
)

// How long the number of matters that every page's frame shows may be old: while events come, and while none do, when only the clock changes it.
const (
	pressingWhileLive = time.Second
	pressingWhileIdle = 30 * time.Second
)

// pressing is how much needs a person, counted at most once a second however many pages ask.
type pressing struct {
	mu       sync.Mutex
	at       time.Time
	seq      uint64 // the last event that it was counted of
	matters  int
	critical bool
}

// count is the number of matters as of about now, and whether one of them is critical.
func (p *pressing) count(ctx context.Context, store Store, seq uint64, now time.Time) (matters int, critical bool, err error) {
	p.mu.Lock() // who comes meanwhile waits for the same answer
	defer p.mu.Unlock()
	valid := pressingWhileIdle
	if seq != p.seq {
		valid = pressingWhileLive
	}
	if age := now.Sub(p.at); age < 0 || age >= valid {
		found, err := store.Attention(ctx, now)
		if err != nil {
			return 0, false, err
		}
		p.at, p.seq, p.matters = now, seq, len(found)
		p.critical = slices.ContainsFunc(found, func(m projections.Matter) bool { return m.Severity == projections.Critical })
	}
	return p.matters, p.critical, nil
}
