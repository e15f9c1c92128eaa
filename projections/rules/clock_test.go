package rules

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// TestALifeGoesOneWay: over its whole life a certificate is active, then expiring, then expired, and never anything
// else.
func TestALifeGoesOneWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lasts := time.Duration(rapid.Int64Range(1, 400*86400).Draw(t, "seconds")) * time.Second
		from := schema.At(now)
		until := schema.At(from.Add(lasts))
		c, soon := certificate(&from, &until), Renewal(&from, &until)
		left, third := until.Sub(soon.Time), lasts/3
		if left > RenewalMost || left > third+time.Millisecond || left < min(RenewalMost, third)-time.Millisecond {
			t.Fatalf("of %s the last %s are soon", lasts, left)
		}
		var states []string
		for _, moment := range []time.Time{
			from.Time, soon.Add(-time.Millisecond), soon.Time, until.Time, until.Add(time.Millisecond),
		} {
			states = append(states, CertificateState(c, moment))
		}
		want := []string{lifecycle.Active, lifecycle.Active, lifecycle.Expiring, lifecycle.Expiring, lifecycle.Expired}
		if !slices.Equal(states, want) {
			t.Fatalf("of %s: %v", lasts, states)
		}
	})
}
