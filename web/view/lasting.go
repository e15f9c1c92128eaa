package view

import (
	"strconv"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Lasting shows how long something has been as it is, with since when behind it.
type Lasting struct {
	Moment
	For string // "2 d 4 h"
}

func Since(t schema.Time, now time.Time) Lasting {
	if t.IsZero() {
		return Lasting{}
	}
	return Lasting{When(t, now), lastedText(now.Sub(t.Time))}
}

// lastedText formats a length of time in its two largest units: "2 d 4 h".
func lastedText(d time.Duration) string {
	const day = 24 * time.Hour
	n := func(unit time.Duration, of string) string { return strconv.Itoa(int(d/unit)) + " " + of }
	second := func(large, small time.Duration, of string) string {
		if rest := d % large / small; rest > 0 {
			return " " + strconv.Itoa(int(rest)) + " " + of
		}
		return ""
	}
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return n(time.Minute, "min")
	case d < day:
		return n(time.Hour, "h") + second(time.Hour, time.Minute, "min")
	case d < 60*day:
		return n(day, "d") + second(day, time.Hour, "h")
	}
	return n(day, "d")
}
