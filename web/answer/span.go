package answer

import (
	"net/url"
	"time"

	"github.com/certtrail/certtrail/projections/words"
)

// readBound reads one of them; the zero time where it is not given.
func readBound(v url.Values, name string) (time.Time, error) {
	text := v.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := readTime(text)
	if err != nil || t.IsZero() {
		return time.Time{}, Wrong("%s must be a date such as 2026-11-25, or a time such as 2026-11-25T09:12:00Z, not %q", name, text)
	}
	return t.Time, nil
}

// SpanText tells people the span that a list is limited to; "" where there is none, or none that can be read.
func SpanText(from, until string) string {
	f, errFrom := readTime(from)
	u, errUntil := readTime(until)
	last := lastDay(u.Time)
	switch {
	case errFrom != nil && errUntil != nil:
		return ""
	case errUntil != nil:
		return "ends from " + words.Day(f.Time) + " on"
	case errFrom != nil:
		return "ends before " + words.Day(u.Time)
	case words.Day(f.Time) == words.Day(last):
		return "ends on " + words.Day(f.Time)
	}
	return "ends " + words.Day(f.Time) + " to " + words.Day(last)
}

// lastDay returns a time on the last day before until.
func lastDay(until time.Time) time.Time { return until.Add(-time.Nanosecond) }

// Midnight returns the start of t's day in UTC.
func Midnight(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
