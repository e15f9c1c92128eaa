package ask

import (
	"fmt"
	"time"

	"github.com/certtrail/certtrail/schema"
)

const ruleDate = "2 January 2006"

// OutlivesRule says that a certificate Outlives what its limit allows, and what follows, as a sentence; "" if it does not.
func OutlivesRule(c *schema.Certificate) string {
	allowed, outlives := Outlives(c)
	if !outlives {
		return ""
	}
	when := "before " + limits[1].From.Format(ruleDate)
	if from := LimitOf(c.NotBefore.Time).From; !from.IsZero() {
		when = "since " + from.Format(ruleDate)
	}
	days := (c.NotAfter.Sub(c.NotBefore.Time) + time.Second + Day - 1) / Day // any excess counts as another day (BR 6.3.2)
	return fmt.Sprintf("It is valid for %s; what was issued %s may be valid for %d at most. Browsers refuse it, unless its CA is a private one.", plural(int(days), "day"), when, allowed/Day)
}

// LapsesFirst says that a domain's validation lapses before the next certificate for it is due for renewal, as a sentence; "" if it does not, or has lapsed,
// or no time is known. until is when it lapses; zero where the provider did not say: then it may be used as long as one of validated may be at all. renewals
// are when certificates become due.
func LapsesFirst(validated, until time.Time, renewals []time.Time, now time.Time) string {
	if until.IsZero() && !validated.IsZero() {
		until = ReusableUntil(validated)
	}
	var next time.Time
	for _, at := range renewals {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if next.Before(now) || !until.After(now) || !next.After(until) {
		return ""
	}
	return fmt.Sprintf("It lapses on %s, before the next renewal, which is due from %s on: have the domain validated again until then.", until.UTC().Format(ruleDate), next.UTC().Format(ruleDate))
}
