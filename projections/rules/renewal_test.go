package rules

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

func certificate(notBefore, notAfter *schema.Time) lifecycle.Certificate {
	return lifecycle.Certificate{Phase: lifecycle.Issued, Cert: schema.Certificate{NotBefore: notBefore, NotAfter: notAfter}}
}

func TestRenewal(t *testing.T) {
	for name, tc := range map[string]struct{ begin, end, want *schema.Time }{
		"a year's":               {in(0), in(398), in(368)},
		"of the limit to come":   {in(0), in(90), in(60)},
		"a third of a short one": {in(0), in(9), in(6)},
		"no beginning is known":  {nil, in(9), in(-21)},
		"no end is known":        {in(0), nil, nil},
	} {
		got := Renewal(tc.begin, tc.end)
		if (got == nil) != (tc.want == nil) || got != nil && !got.Equal(tc.want.Time) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		begin := in(rapid.IntRange(-400, 400).Draw(t, "begin"))
		end := schema.At(begin.Add(time.Duration(rapid.IntRange(0, 400*24).Draw(t, "hours")) * time.Hour))
		got := Renewal(begin, &end)
		if got.Before(begin.Time) || got.After(end.Time) || end.Sub(got.Time) > RenewalMost {
			t.Fatalf("from %s until %s: %s", begin, end, got)
		}
	})
}

func TestCertificateStates(t *testing.T) {
	long, short := certificate(in(0), in(200)), certificate(in(0), in(6))
	for _, tc := range []struct {
		c     lifecycle.Certificate
		after int // days
		want  string
	}{{long, 0, lifecycle.Active}, {long, 169, lifecycle.Active}, {long, 170, lifecycle.Expiring}, {long, 199, lifecycle.Expiring}, {long, 201, lifecycle.Expired},
		{short, 3, lifecycle.Active}, {short, 4, lifecycle.Expiring}, {short, 7, lifecycle.Expired}} {
		if got := CertificateState(tc.c, in(tc.after).Time); got != tc.want {
			t.Errorf("a certificate until %s is %s after %d days, want %s", tc.c.Cert.NotAfter, got, tc.after, tc.want)
		}
	}
	if got := CertificateState(certificate(nil, nil), now); got != lifecycle.Issued {
		t.Errorf("without validity it is %s, want issued", got)
	}
	endless := schema.At(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)) // RFC 5280 4.1.2.5: further away than a time.Duration reaches
	if got := CertificateState(certificate(in(0), &endless), now); got != lifecycle.Active {
		t.Errorf("without an end it is %s, want active", got)
	}
	for _, phase := range []string{lifecycle.Revoked, lifecycle.Replaced} {
		c := certificate(in(0), in(200))
		c.Phase = phase
		if got := CertificateState(c, in(300).Time); got != phase {
			t.Errorf("%s, it is %s", phase, got)
		}
	}
}

func TestFates(t *testing.T) {
	for state, want := range map[string][4]bool{ // in force, to be revoked, to be renewed without a successor, and with one
		lifecycle.Active: {true, true, false, false}, lifecycle.Expiring: {true, true, true, false}, lifecycle.Issued: {false, true, false, false},
		lifecycle.Expired: {false, false, true, false}, lifecycle.Revoked: {}, lifecycle.Replaced: {},
	} {
		if got := [4]bool{InForce(state), ToBeRevoked(state, true), ToBeRenewed(state, false), ToBeRenewed(state, true)}; got != want || ToBeRevoked(state, false) {
			t.Errorf("%s: %v, want %v", state, got, want)
		}
	}
}

func TestRotations(t *testing.T) {
	started := lifecycle.DNSSEC{Phase: lifecycle.RotationStarted, StartedAt: in(0)}
	for _, tc := range []struct {
		r     lifecycle.DNSSEC
		after int // days
		want  string
	}{
		{started, 0, lifecycle.RotationStarted}, {started, 6, lifecycle.RotationStarted}, {started, 7, lifecycle.RotationOverdue},
		{lifecycle.DNSSEC{Phase: lifecycle.RotationStarted}, 99, lifecycle.RotationStarted},
		{lifecycle.DNSSEC{Phase: lifecycle.RotationCompleted, StartedAt: in(0)}, 99, lifecycle.RotationCompleted}, {lifecycle.DNSSEC{}, 99, ""},
	} {
		if got := RotationState(tc.r, in(tc.after).Time); got != tc.want {
			t.Errorf("%+v is %s after %d days, want %s", tc.r, got, tc.after, tc.want)
		}
	}
}

func TestUncollected(t *testing.T) {
	for _, tc := range []struct {
		order, phase string
		end          *schema.Time
		want         bool
	}{
		{lifecycle.Issued, "", nil, true}, {lifecycle.Issued, lifecycle.Issued, nil, true}, {lifecycle.ReissueReady, "", nil, true},
		{lifecycle.Issued, lifecycle.Issued, in(9), false}, {lifecycle.Issued, lifecycle.Revoked, nil, false}, {lifecycle.Issued, lifecycle.Replaced, nil, false},
		{lifecycle.Pending, "", nil, false}, {lifecycle.Revoked, "", nil, false},
	} {
		if got := Uncollected(tc.order, tc.phase, tc.end); got != tc.want {
			t.Errorf("an order that is %s, its certificate %q until %v: %v", tc.order, tc.phase, tc.end, got)
		}
	}
}

// TestSilence tells a provider that is quiet as usual from one that has gone silent.
func TestSilence(t *testing.T) {
	pauses := func(every time.Duration, n int, more ...time.Duration) []time.Duration {
		for range n {
			more = append(more, every)
		}
		return more
	}
	for name, tc := range map[string]struct {
		pauses []time.Duration
		ago    time.Duration
		usual  time.Duration
		silent bool
	}{
		"too few to tell":                   {pauses(Day, 7), 40 * Day, 0, false},
		"short ones tell no rhythm":         {pauses(time.Minute, 99, pauses(Day, 7)...), 40 * Day, 0, false},
		"within the usual":                  {pauses(5*time.Hour, 40), 10 * time.Hour, 5 * time.Hour, false},
		"less than a day is never one":      {pauses(5*time.Hour, 40), 24 * time.Hour, 5 * time.Hour, false},
		"a day and a half":                  {pauses(5*time.Hour, 40), 36 * time.Hour, 5 * time.Hour, true},
		"twice the usual":                   {pauses(7*Day, 10), 14 * Day, 7 * Day, false},
		"more than twice the usual":         {pauses(7*Day, 10), 15 * Day, 7 * Day, true},
		"one failure teaches nothing":       {pauses(Day, 15, 20*Day), 5 * Day, Day, true},
		"a clock that went back is no time": {pauses(Day, 15), -Day, Day, false},
	} {
		got := SilenceOf(now.Add(-tc.ago), tc.pauses, now)
		if want := (Silence{max(0, tc.ago), tc.usual, tc.silent}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
