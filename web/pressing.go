package web

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/certtrail/certtrail/projections"
)

// How long the number of matters that every page's frame shows may be old: while events come, and while none do, when
// only the clock changes it.
const (
	pressingWhileLive = time.Second
	pressingWhileIdle = 30 * time.Second
)

// pressingShare limits the share of the time, as one in so many, that counting the matters may take.
const pressingShare = 20

// pressing keeps what needs a person, looked for at most once a second however many pages ask how much it is.
type pressing struct {
	mu    sync.Mutex
	at    time.Time
	seq   uint64 // the last event that it was found of
	took  time.Duration
	found *projections.Attention
}

// forget has it looked for anew for the next page.
func (p *pressing) forget() {
	p.mu.Lock()
	p.at = time.Time{}
	p.mu.Unlock()
}

// count fills in the number of matters as of about now, and whether one of them is critical.
func (p *pressing) count(ctx context.Context, store *projections.Store, f *frame) error {
	valid := pressingWhileIdle
	p.mu.Lock() // who comes meanwhile waits for the same answer
	defer p.mu.Unlock()
	if f.Seq != p.seq {
		valid = max(pressingWhileLive, pressingShare*p.took)
	}
	if err := p.find(ctx, store, f, valid); err != nil {
		return err
	}
	f.Attention, f.AttentionMore = len(p.found.Matters), p.found.More
	f.Critical = slices.ContainsFunc(p.found.Matters, func(m projections.Matter) bool { return m.Severity == projections.Critical })
	return nil
}

// list returns what needs a person, of the events that the frame is of.
func (p *pressing) list(ctx context.Context, store *projections.Store, f *frame) (*projections.Attention, error) {
	valid := pressingWhileIdle
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.Seq != p.seq {
		valid = 0
	}
	err := p.find(ctx, store, f, valid)
	return p.found, err
}

// find looks for what needs a person, unless that was done so lately that it is valid. What is found is shared, and
// stays as it is.
func (p *pressing) find(ctx context.Context, store *projections.Store, f *frame, valid time.Duration) error {
	if age := f.Now.Sub(p.at); age >= 0 && age < valid {
		return nil
	}
	began := time.Now()
	found, err := store.Attention(ctx, f.Now)
	if err != nil {
		return err
	}
	p.at, p.seq, p.took, p.found = f.Now, f.Seq, time.Since(began), found
	return nil
}
