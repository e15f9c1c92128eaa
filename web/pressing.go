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

// pressingShare is the share of the time, as one in so many, that counting them may take.
const pressingShare = 20

// pressing is how much needs a person, counted at most once a second however many pages ask.
type pressing struct {
	mu       sync.Mutex
	at       time.Time
	seq      uint64 // the last event that it was counted of
	took     time.Duration
	matters  int
	more     bool // than that
	critical bool
}

// forget has them counted anew for the next page.
func (p *pressing) forget() {
	p.mu.Lock()
	p.at = time.Time{}
	p.mu.Unlock()
}

// count fills in the number of matters as of about now, and whether one of them is critical.
func (p *pressing) count(ctx context.Context, store Store, f *frame) error {
	p.mu.Lock() // who comes meanwhile waits for the same answer
	defer p.mu.Unlock()
	valid := pressingWhileIdle
	if f.Seq != p.seq {
		valid = max(pressingWhileLive, pressingShare*p.took)
	}
	if age := f.Now.Sub(p.at); age < 0 || age >= valid {
		began := time.Now()
		found, err := store.Attention(ctx, f.Now)
		if err != nil {
			return err
		}
		p.at, p.seq, p.took, p.matters, p.more = f.Now, f.Seq, time.Since(began), len(found.Matters), found.More
		p.critical = slices.ContainsFunc(found.Matters, func(m projections.Matter) bool { return m.Severity == projections.Critical })
	}
	f.Attention, f.AttentionMore, f.Critical = p.matters, p.more, p.critical
	return nil
}
