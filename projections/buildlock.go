package projections

import (
	"context"
	"sync"
	"time"
)

// buildLock lets one database at a time be built from the log.
type buildLock struct {
	free chan struct{} // holds one while nobody builds

	mu      sync.Mutex
	yield   context.CancelFunc // ends a building that can wait; nil: there is none
	idle    bool               // the building is one that nobody waits for
	claims  int                // how many want to build and cannot wait
	waiting int                // how many wait to build
}

// lockWait bounds how long whoever is asked to build waits for another building, which may be about to end.
const lockWait = time.Second

// idleWait bounds how long a building that nobody waits for may take to end.
const idleWait = 10 * time.Second

func newBuildLock() *buildLock {
	l := &buildLock{free: make(chan struct{}, 1)}
	l.free <- struct{}{}
	return l
}

// acquire begins a building that others can do without: its context ends when the read models themselves must be built.
// ErrBusy if another does not end.
func (l *buildLock) acquire(ctx context.Context) (building context.Context, leave func(), err error) {
	l.mu.Lock()
	wait := lockWait
	if l.waiting++; l.idle {
		l.yield()
		wait = idleWait
	}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.waiting--
	}()
	select {
	case <-l.free:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case <-time.After(wait):
		return nil, nil, ErrBusy
	}
	building, leave = l.begin(ctx, false)
	return building, leave, nil
}

// acquireIdle begins a building that nobody waits for: its context ends when anybody else wants to build.
func (l *buildLock) acquireIdle(ctx context.Context) (building context.Context, leave func(), err error) {
	select {
	case <-l.free:
	default:
		return nil, nil, ErrBusy
	}
	building, leave = l.begin(ctx, true)
	return building, leave, nil
}

func (l *buildLock) begin(ctx context.Context, idle bool) (building context.Context, leave func()) {
	building, cancel := context.WithCancel(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.yield, l.idle = cancel, idle
	if l.claims > 0 || idle && l.waiting > 0 { // it was before them, and can wait all the same
		cancel()
	}
	return building, func() {
		cancel()
		l.mu.Lock()
		l.yield, l.idle = nil, false
		l.mu.Unlock()
		l.free <- struct{}{}
	}
}

// claim begins a building that cannot wait: whatever can is ended for it.
func (l *buildLock) claim(ctx context.Context) (leave func(), err error) {
	l.mu.Lock()
	if l.claims++; l.yield != nil {
		l.yield()
	}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.claims--
	}()
	select {
	case <-l.free:
		return func() { l.free <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
