package ask

import (
	"fmt"
	"time"
)

// Reading holds one look at the clock: the time of day, and how long ago an arbitrary start was by a clock that nobody
// sets.
type Reading struct {
	Wall time.Time
	Mono time.Duration
}

// Watch notices a clock that jumps: one set years ahead would make every certificate expire at once, and what the log
// has it keeps. It is not for use by many goroutines at once.
type Watch struct {
	Limit time.Duration // the longest jump forward that passes, between two looks

	last  *Reading
	ahead time.Duration // how far the clock is ahead of where it would be; 0 unless notices are held back
}

// Look notes r. While its error stands no notice may be told: the clock has jumped forward by more than the limit. A
// clock that comes back is believed again; one that stays ahead is, once there is a new Watch. A machine that slept
// looks the same, for its monotonic clock slept as well.
func (w *Watch) Look(r Reading) error {
	if w.last != nil {
		jump := r.Wall.Sub(w.last.Wall) - (r.Mono - w.last.Mono)
		if w.ahead > 0 || jump > w.Limit {
			w.ahead = max(0, w.ahead+jump)
		}
		if w.ahead <= w.Limit {
			w.ahead = 0
		}
	}
	w.last = &Reading{Wall: r.Wall.Round(0), Mono: r.Mono} // without the monotonic reading of its own, which would hide the jump
	if w.ahead == 0 {
		return nil
	}
	return fmt.Errorf("the clock jumped forward by %s, to %s, so notices of what expires are held back: set it right, or confirm it by starting certtrail again",
		w.ahead.Round(time.Second), r.Wall.UTC().Format("2006-01-02 15:04:05 MST"))
}
