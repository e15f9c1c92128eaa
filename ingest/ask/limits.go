package ask

import (
	"slices"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Day is the day of the Baseline Requirements: 86,400 seconds, whatever the calendar says (BR 6.3.2).
const Day = 24 * time.Hour

// Limit is what holds for publicly trusted TLS certificates that are issued from From on, until the next limit.
type Limit struct {
	From         time.Time // 00:00 UTC of the day; zero for the first
	Validity     int       // days a certificate may be valid, at most (BR 6.3.2)
	Reuse        int       // days the validation of a domain or an IP address may be used again (BR 4.2.1)
	SubjectReuse int       // days the validation of a subject's identity may be used again (BR 4.2.1)
}

// limits are those of the CA/Browser Forum's Baseline Requirements 2.2.6 of 31 March 2026, as ballot SC-081 set them; ascending.
var limits = []Limit{
	{Validity: 398, Reuse: 398, SubjectReuse: 825},
	{From: day(2026, time.March, 15), Validity: 200, Reuse: 200, SubjectReuse: 398},
	{From: day(2027, time.March, 15), Validity: 100, Reuse: 100, SubjectReuse: 398},
	{From: day(2029, time.March, 15), Validity: 47, Reuse: 10, SubjectReuse: 398},
}

// Limits are all limits, by the day from which each holds, ascending.
func Limits() []Limit { return slices.Clone(limits) }

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// LimitOf is the limit for what is issued at issued.
func LimitOf(issued time.Time) Limit {
	found := limits[0]
	for _, l := range limits[1:] {
		if issued.Before(l.From) {
			break
		}
		found = l
	}
	return found
}

// MaxValidity is how long a certificate that is issued at issued may be valid, its first and its last second included.
func MaxValidity(issued time.Time) time.Duration {
	return time.Duration(LimitOf(issued).Validity) * Day
}

// MaxReuse is how long before issued a domain may have been validated.
func MaxReuse(issued time.Time) time.Duration { return time.Duration(LimitOf(issued).Reuse) * Day }

// Outlives tells whether a certificate is valid for longer than it may be, if it is publicly trusted, and how long it may be. The validity runs
// from notBefore through notAfter, both included (BR 6.3.2); a certificate counts as issued at its notBefore. One whose times are not known does not
// outlive anything.
func Outlives(c *schema.Certificate) (allowed time.Duration, outlives bool) {
	if c == nil || c.NotBefore == nil || c.NotAfter == nil {
		return 0, false
	}
	allowed = MaxValidity(c.NotBefore.Time)
	return allowed, c.NotAfter.Sub(c.NotBefore.Time)+time.Second > allowed
}

// ReusableUntil is the last moment at which a certificate may be issued on a domain's validation of validated. A limit that comes meanwhile may end it
// at once: then it is the moment before that limit.
func ReusableUntil(validated time.Time) time.Time {
	for i, l := range limits {
		until := validated.Add(time.Duration(l.Reuse) * Day)
		if i+1 == len(limits) || until.Before(limits[i+1].From) {
			if until.Before(l.From) {
				return l.From.Add(-time.Nanosecond)
			}
			return until
		}
	}
	return validated // not reached: the last limit has no end
}
