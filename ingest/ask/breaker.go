package ask

import (
	"sync"
	"time"
)

// The states of a circuit breaker.
const (
	BreakerClosed   = "closed"    // calls go through
	BreakerOpen     = "open"      // no call is made until RetryAt
	BreakerHalfOpen = "half-open" // one call tries whether the API is back; others wait for what it finds
)

// BreakerState tells a page whether an API is asked, and if not, since when, why, and until when.
type BreakerState struct {
	State     string
	Failures  int       // calls in a row that came to nothing
	Since     time.Time // of the last change of State; zero if there was none
	RetryAt   time.Time // when an open one lets a call through; else zero
	LastError string    // a sentence; "" while nothing has failed since the last success
}

// breaker keeps an API that is down from being asked, after so many failures in a row, for a while. Its methods may be
// called at once from many goroutines.
type breaker struct {
	after    int           // failures in a row
	cooldown time.Duration // how long it stays open

	mu      sync.Mutex
	state   BreakerState
	testing bool // half-open, and its one call is under way
}

// allow tells whether a call may be made at now; if so, one of done and undone must follow.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state.State == BreakerOpen && !now.Before(b.state.RetryAt) {
		b.turn(BreakerHalfOpen, now)
	}
	switch {
	case b.state.State == BreakerOpen, b.testing:
		return false
	case b.state.State == BreakerHalfOpen:
		b.testing = true
	}
	return true
}

// done notes how a call ended; nil is a success.
func (b *breaker) done(now time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.testing = false
	if err == nil {
		b.state.Failures, b.state.LastError = 0, ""
		if b.state.State != BreakerClosed {
			b.turn(BreakerClosed, now)
		}
		return
	}
	b.state.Failures++
	b.state.LastError = err.Error()
	if b.state.State == BreakerHalfOpen || b.state.Failures >= b.after {
		b.open(now, now.Add(b.cooldown))
	}
}

// leave notes that the API asked to be left alone until then.
func (b *breaker) leave(now, until time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.testing = false
	b.state.Failures++
	b.state.LastError = err.Error()
	b.open(now, until)
}

func (b *breaker) open(now, until time.Time) {
	b.turn(BreakerOpen, now)
	b.state.RetryAt = until
}

// undone notes that a call ended without telling anything of the API: it was given up on this side.
func (b *breaker) undone() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.testing = false
}

func (b *breaker) turn(state string, now time.Time) {
	if b.state.State != state {
		b.state.State, b.state.Since = state, now
	}
	b.state.RetryAt = time.Time{}
}

func (b *breaker) snapshot(now time.Time) BreakerState {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.state
	if s.State == BreakerOpen && !now.Before(s.RetryAt) {
		s.State, s.RetryAt = BreakerHalfOpen, time.Time{}
	}
	return s
}
