package rules

import (
	"slices"
	"time"
)

// Silence says how long a provider has said nothing, held against its own rhythm.
type Silence struct {
	For    time.Duration // since the last delivery
	Usual  time.Duration // its longest pause but one; 0 where too few deliveries came to tell
	Silent bool          // longer than the usual explains
}

// A provider with little to say has long pauses and is given them; a weekend, which all have, is among the pauses of
// every rhythm.
const (
	rhythmPauses = 8         // fewer pauses tell no rhythm
	shortPause   = time.Hour // shorter ones are within a burst
	silenceTimes = 2         // the usual pause, so many times over, is a silence

	LeastSilence = 24 * time.Hour // less is never a silence
)

// SilenceOf holds the present pause, since last, against the longest but one of the pauses before: the longest may have
// been a failure, which must not teach that failures are usual.
func SilenceOf(last time.Time, pauses []time.Duration, now time.Time) Silence {
	s := Silence{For: max(0, now.Sub(last))}
	rhythm := slices.DeleteFunc(slices.Clone(pauses), func(pause time.Duration) bool { return pause < shortPause })
	if len(rhythm) < rhythmPauses {
		return s
	}
	slices.Sort(rhythm)
	s.Usual = rhythm[len(rhythm)-2]
	s.Silent = s.For > max(LeastSilence, silenceTimes*s.Usual)
	return s
}
