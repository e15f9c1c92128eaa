package rules

import (
	"iter"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// LapseNotice bounds how long before its end the validation of a domain or an organization needs a person, and how long
// after it, if its CA did not say so.
const LapseNotice = 30 * Day

// Reusable returns the last moment at which a certificate may be issued on a domain's validation of validated. A limit
// that comes meanwhile may end it at once: then it is the moment before that limit.
func Reusable(validated time.Time) time.Time {
	until := validated
	for i, l := range limits {
		until = validated.Add(time.Duration(l.Reuse) * Day)
		if until.Before(l.From) {
			return l.From.Add(-time.Nanosecond)
		}
		if i+1 < len(limits) && until.Before(limits[i+1].From) {
			break
		}
	}
	return until
}

// ReusableSince returns the first moment of which a validation may still be reused at until: it turns Reusable round.
func ReusableSince(until time.Time) time.Time {
	return until.Add(-time.Duration(LimitOf(until).Reuse) * Day)
}

// LapseOf returns when a domain's validation lapses: when its CA said, or else as the limit on reuse has it. It is nil
// where neither is known.
func LapseOf(validatedAt, expiresAt *schema.Time) *schema.Time {
	if expiresAt != nil || validatedAt == nil {
		return expiresAt
	}
	t := schema.At(Reusable(validatedAt.Time))
	return &t
}

// Usable reports whether a CA may issue at now on a validation in that state; lapse is nil where it is not known.
func Usable(state string, lapse *schema.Time, now time.Time) bool {
	return (state == lifecycle.Validated || state == lifecycle.RevalidationDue) && (lapse == nil || !now.After(lapse.Time))
}

// Validating yields the domains whose validation a CA may use for a certificate for name, the nearest first: the name
// itself, the one that its wildcard stands for, and those above it.
func Validating(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for ok := name != ""; ok; {
			if !yield(name) {
				return
			}
			_, name, ok = strings.Cut(name, ".")
			ok = ok && name != ""
		}
	}
}

// Covers reports whether a CA uses the validation of domain for a certificate for name: it is for that name, its
// wildcard, or a name above it, and no usable validation of the same account is nearer to the name.
func Covers(domain, name string, usable func(domain string) bool) bool {
	for d := range Validating(name) {
		if d == domain {
			return true
		}
		if usable(d) {
			return false
		}
	}
	return false
}

// Renewals says when the renewal of certificates for a name should begin, the earliest of those that are in force and
// have no successor.
type Renewals struct {
	Name string
	From schema.Time
}

// NextRenewal returns when the next renewal should begin of what the validation of domain covers: the earliest of all.
// It is nil where there is none. The renewals and usable are of the same CA account.
func NextRenewal(domain string, renewals []Renewals, usable func(domain string) bool) *schema.Time {
	var next *schema.Time
	for i := range renewals {
		r := &renewals[i]
		if (next == nil || r.From.Before(next.Time)) && Covers(domain, r.Name, usable) {
			next = &r.From
		}
	}
	return next
}

// LapsesFirst reports whether a validation lapses before the next renewal that needs it. A renewal that is due, and has
// not come, comes now at the earliest.
func LapsesFirst(lapse, renewal *schema.Time, now time.Time) bool {
	if lapse == nil || renewal == nil {
		return false
	}
	return renewal.After(lapse.Time) || now.After(lapse.Time)
}
