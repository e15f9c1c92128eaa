package words

import (
	"strconv"
	"time"
)

// Number groups digits by three: "12,403".
func Number[T int | uint64](n T) string {
	if n < 0 {
		return "-" + Number(-n)
	}
	s := strconv.FormatUint(uint64(n), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Count writes a number of things, of which one is called noun: "1 day", "2 days".
func Count[T int | uint64](n T, noun string) string {
	return Number(n) + " " + noun + either(n == 1, "", "s")
}

// Day writes the day of t in UTC: "25 Nov 2026".
func Day(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

// Minute writes t in UTC to the minute: "25 Nov 2026, 18:00 UTC".
func Minute(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") }

// Second writes t in UTC to the second: "25 Nov 2026, 18:00:05 UTC".
func Second(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") }

// Ago writes "3 h ago" or "in 3 h"; from two months on the day says more.
func Ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d.Abs() < time.Minute:
		return "just now"
	case d.Abs() >= 60*24*time.Hour:
		return Day(t)
	case d < 0:
		return "in " + Duration(-d)
	}
	return Duration(d) + " ago"
}

// Duration writes a length of time in its largest unit: "12 min", "3 h", from two days on "4 d".
func Duration(d time.Duration) string {
	switch {
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + " d"
}

// Days writes a number of days.
func Days(n int) string { return Count(n, "day") }

// DaysLeft says how long a certificate is still valid; "" where that is not known.
func DaysLeft(days *int) string {
	switch {
	case days == nil:
		return ""
	case *days < 0:
		return "ended " + Days(-*days) + " ago"
	}
	return Days(*days) + " left"
}
