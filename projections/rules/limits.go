// Package rules holds the rules of the field: how long certificates may be valid and validations be reused, when a
// renewal should begin, what a validation covers and whether it lapses first, what is overdue, who is silent. Rules
// with dates are data with dates. All of it is pure: it knows no clock, no table and no sentence. Whoever asks passes
// the time, and puts the answer into words.
package rules

import (
	"slices"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Day lasts as long as the Baseline Requirements have it: 86,400 seconds, whatever the calendar says (BR 6.3.2).
const Day = 24 * time.Hour

// Limit holds for publicly trusted TLS certificates that are issued from From on, until the next limit.
type Limit struct {
	From         time.Time // 00:00 UTC of the day; zero for the first
	Validity     int       // days a certificate may be valid, at most (BR 6.3.2)
	Reuse        int       // days the validation of a domain or an IP address may be used again (BR 4.2.1)
	SubjectReuse int       // days the validation of a subject's identity may be used again (BR 4.2.1)
	Source       string    // the document that sets it
}

const (
	beforeSC081 = "CA/Browser Forum, Baseline Requirements 2.1.4, sections 4.2.1 and 6.3.2"
	ballotSC081 = "CA/Browser Forum, ballot SC-081v3; Baseline Requirements 2.2.6 of 31 March 2026, sections 4.2.1 and 6.3.2"
)

// limits ascend by date.
var limits = []Limit{
	{Validity: 398, Reuse: 398, SubjectReuse: 825, Source: beforeSC081},
	{From: day(2026, time.March, 15), Validity: 200, Reuse: 200, SubjectReuse: 398, Source: ballotSC081},
	{From: day(2027, time.March, 15), Validity: 100, Reuse: 100, SubjectReuse: 398, Source: ballotSC081},
	{From: day(2029, time.March, 15), Validity: 47, Reuse: 10, SubjectReuse: 398, Source: ballotSC081},
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// Limits returns all limits, by the day from which each holds, ascending.
func Limits() []Limit { return slices.Clone(limits) }

// LimitsFrom returns the limit in force at now, and those to come.
func LimitsFrom(now time.Time) []Limit { return slices.Clone(limits[inForce(now):]) }

// LimitOf returns the limit for certificates issued at issued.
func LimitOf(issued time.Time) Limit { return limits[inForce(issued)] }

// inForce returns the index of the limit that holds at a time.
func inForce(at time.Time) int {
	i := len(limits) - 1
	for i > 0 && at.Before(limits[i].From) {
		i--
	}
	return i
}

// MaxValidity returns how long a certificate issued at issued may be valid, its first and its last second included.
func MaxValidity(issued time.Time) time.Duration {
	return time.Duration(LimitOf(issued).Validity) * Day
}

// Excess says by how much a certificate outlives its limit.
type Excess struct {
	Days  int // of its validity, a begun day as a whole one
	Limit Limit
	Until time.Time // when the limit gave way to the next; zero for the last
}

// Outlives reports whether a certificate is valid for longer than it may be if it is publicly trusted. The validity
// runs from notBefore through notAfter, both included (BR 6.3.2); a certificate counts as issued at its notBefore. One
// whose times are not known outlives nothing.
func Outlives(notBefore, notAfter *schema.Time) (Excess, bool) {
	if notBefore == nil || notAfter == nil {
		return Excess{}, false
	}
	i, validity := inForce(notBefore.Time), notAfter.Sub(notBefore.Time)+time.Second
	if validity <= time.Duration(limits[i].Validity)*Day {
		return Excess{}, false
	}
	x := Excess{Days: int((validity + Day - 1) / Day), Limit: limits[i]}
	if i+1 < len(limits) {
		x.Until = limits[i+1].From
	}
	return x, true
}
