package ask

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestBreakerKeepsItsRules: whatever calls begin and end in whatever order, an API that is down is left alone until its
// time, and then one call tries it.
func TestBreakerKeepsItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const after, cooldown = 3, time.Minute
		b := &breaker{after: after, cooldown: cooldown, state: BreakerState{State: BreakerClosed}}
		now := newWorld().now
		var until time.Time // before which nothing may be asked
		failed, underWay, testing, half := 0, 0, false, false
		end := func(success bool) {
			underWay--
			testing = false
			if failed++; success {
				failed, until, half = 0, time.Time{}, false
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"wait": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t,
					"seconds")) * time.Second)
			},
			"call": func(t *rapid.T) {
				may := !now.Before(until) && !testing
				if got := b.allow(now); got != may {
					t.Fatalf("after %d failures, until %s, testing %v, it lets a call through at %s: %v", failed,
						until, testing, now, got)
				}
				if may {
					underWay, testing, half = underWay+1, !until.IsZero(), !until.IsZero()
				}
			},
			"succeed": func(t *rapid.T) {
				if underWay == 0 {
					t.Skip("no call")
				}
				end(true)
				b.done(now, nil)
			},
			"fail": func(t *rapid.T) {
				if underWay == 0 {
					t.Skip("no call")
				}
				end(false)
				b.done(now, errors.New("It is down."))
				if half || failed >= after {
					until, half = now.Add(cooldown), false
				}
			},
			"be told to wait": func(t *rapid.T) {
				if underWay == 0 {
					t.Skip("no call")
				}
				end(false)
				until, half = now.Add(5*time.Minute), false
				b.leave(now, until, errors.New("It asks to be left alone."))
			},
			"": func(t *rapid.T) {
				s := b.snapshot(now)
				if s.Failures != failed || (s.LastError == "") != (failed == 0) || s.State == BreakerOpen &&
					!s.RetryAt.Equal(until) || s.State != BreakerOpen && !s.RetryAt.IsZero() {
					t.Fatalf("it shows %+v, want %d failures, until %s", s, failed, until)
				}
				if s.Since.After(now) || (s.State == BreakerOpen) != now.Before(until) {
					t.Fatalf("at %s it shows %+v, want it open until %s", now, s, until)
				}
			},
		})
	})
}

// TestBreakerForgetsWhatWasGivenUp: a call that was given up on this side tells nothing of the API.
func TestBreakerForgetsWhatWasGivenUp(t *testing.T) {
	b := &breaker{after: 1, cooldown: time.Minute, state: BreakerState{State: BreakerClosed}}
	now := newWorld().now
	for range 5 {
		if !b.allow(now) {
			t.Fatal("calls that were given up have opened it")
		}
		b.undone()
	}
	b.allow(now)
	b.done(now, errors.New("It is down."))
	later := now.Add(time.Minute)
	for range 3 { // the one call that tries is given up, and another tries instead
		if !b.allow(later) || b.allow(later) {
			t.Fatal("half open, it does not let just one call through")
		}
		b.undone()
	}
	if s := b.snapshot(later); s.State != BreakerHalfOpen || s.Failures != 1 {
		t.Errorf("it shows %+v", s)
	}
}
