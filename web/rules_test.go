package web

import (
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

func TestOutlives(t *testing.T) {
	for _, tc := range []struct {
		from  string
		days  int
		extra time.Duration
		want  string // "" for nothing
	}{
		{"2026-03-14", 398, -time.Second, ""},
		{"2026-03-14", 398, 0, "It is valid for 399 days; what was issued before 15 March 2026 may be valid for 398 at most."},
		{"2026-03-15", 200, -time.Second, ""},
		{"2026-03-15", 398, -time.Second, "It is valid for 398 days; what was issued since 15 March 2026 may be valid for 200 at most."},
		{"2027-04-01", 101, -time.Second, "It is valid for 101 days; what was issued since 15 March 2027 may be valid for 100 at most."},
		{"2029-03-15", 47, time.Hour, "It is valid for 48 days; what was issued since 15 March 2029 may be valid for 47 at most."},
	} {
		begin, err := schema.ParseTime(tc.from + "T00:00:00Z")
		if err != nil {
			t.Fatal(err)
		}
		end := schema.At(begin.Add(time.Duration(tc.days)*rules.Day + tc.extra))
		c := projections.Certificate{State: lifecycle.Active, NotBefore: &begin, NotAfter: &end}
		if got := outlives(&c); tc.want == "" && got != "" || !strings.HasPrefix(got, tc.want) {
			t.Errorf("%d days from %s: %q, want %q", tc.days, tc.from, got, tc.want)
		}
		if c.State = lifecycle.Revoked; outlives(&c) != "" {
			t.Errorf("%d days from %s, and revoked: %q", tc.days, tc.from, outlives(&c))
		}
	}
	if got := outlives(&projections.Certificate{State: lifecycle.Active}); got != "" {
		t.Errorf("of no times: %q", got)
	}
}

func TestLapsesFirst(t *testing.T) {
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	in := func(days int) *schema.Time {
		t := schema.At(now.Add(time.Duration(days) * rules.Day))
		return &t
	}
	const want = "It lapses on 15 December 2026, before the next renewal, which is due from 25 December 2026 on: have the domain validated again until then."
	for name, tc := range map[string]struct {
		v    projections.Domain
		want string
	}{
		"before":      {projections.Domain{ExpiresAt: in(20), NextRenewal: in(30), LapsesFirst: true}, want},
		"by the rule": {projections.Domain{ValidatedAt: in(20 - 200), NextRenewal: in(30), LapsesFirst: true}, want},
		"after":       {projections.Domain{ExpiresAt: in(20), NextRenewal: in(10)}, ""},
		"lapsed":      {projections.Domain{ExpiresAt: in(-1), NextRenewal: in(30), LapsesFirst: true}, ""},
	} {
		if got := lapsesFirst(&tc.v, now); got != tc.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
