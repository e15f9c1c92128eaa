package projections

import (
	"context"
	"sync"
	"time"
)

// site lets one database at a time be built from the log.
type site struct {
	free chan struct{} // holds one while nobody builds

	mu     *sync.Mutex
	yield  context.CancelFunc // ends a building that can wait; nil: there is none
	claims int                // how many wait to build and cannot
}

// siteWait is how long whoever is asked to build waits for another building, which may be about to end.
const siteWait = time.Second

func newSite() site {
	s := site{free: make(chan struct{}, 1), mu: new(sync.Mutex)}
	s.free <- struct{}{}
	return s
}

// enter begins a building that others can do without: its context ends when the read models themselves must be built. ErrBusy if another does not end.
func (s *site) enter(ctx context.Context) (building context.Context, leave func(), err error) {
	select {
	case <-s.free:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case <-time.After(siteWait):
		return nil, nil, ErrBusy
	}
	building, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	if s.yield = cancel; s.claims > 0 { // it was before them, and can wait all the same
		cancel()
	}
	s.mu.Unlock()
	return building, func() {
		cancel()
		s.mu.Lock()
		s.yield = nil
		s.mu.Unlock()
		s.free <- struct{}{}
	}, nil
}

// claim begins a building that cannot wait: whatever can is ended for it.
func (s *site) claim(ctx context.Context) (leave func(), err error) {
	s.mu.Lock()
	if s.claims++; s.yield != nil {
		s.yield()
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.claims--
	}()
	select {
	case <-s.free:
		return func() { s.free <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
