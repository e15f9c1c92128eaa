package projections

import (
	"context"
	"sync"
	"time"
)

// site lets one database at a time be built from the log.
type site struct {
	free chan struct{} // holds one while nobody builds

	mu     sync.Mutex
	yield  context.CancelFunc // ends a building that can wait; nil: there is none
	idle   bool               // the building is one that nobody waits for
	claims int                // how many wait to build and cannot
	asked  int                // how many wait to build
}

// siteWait is how long whoever is asked to build waits for another building, which may be about to end.
const siteWait = time.Second

// idleWait is how long a building that nobody waits for may take to end.
const idleWait = 10 * time.Second

func newSite() *site {
	s := &site{free: make(chan struct{}, 1)}
	s.free <- struct{}{}
	return s
}

// enter begins a building that others can do without: its context ends when the read models themselves must be built. ErrBusy if another does not end.
func (s *site) enter(ctx context.Context) (building context.Context, leave func(), err error) {
	s.mu.Lock()
	wait := siteWait
	if s.asked++; s.idle {
		s.yield()
		wait = idleWait
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked--
	}()
	select {
	case <-s.free:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case <-time.After(wait):
		return nil, nil, ErrBusy
	}
	building, leave = s.begin(ctx, false)
	return building, leave, nil
}

// enterIdle begins a building that nobody waits for: its context ends when anybody else wants to build.
func (s *site) enterIdle(ctx context.Context) (building context.Context, leave func(), err error) {
	select {
	case <-s.free:
	default:
		return nil, nil, ErrBusy
	}
	building, leave = s.begin(ctx, true)
	return building, leave, nil
}

func (s *site) begin(ctx context.Context, idle bool) (building context.Context, leave func()) {
	building, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.yield, s.idle = cancel, idle
	if s.claims > 0 || idle && s.asked > 0 { // it was before them, and can wait all the same
		cancel()
	}
	return building, func() {
		cancel()
		s.mu.Lock()
		s.yield, s.idle = nil, false
		s.mu.Unlock()
		s.free <- struct{}{}
	}
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
