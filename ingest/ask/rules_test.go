package ask

import (
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

func TestOutlivesRule(t *testing.T) {
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
		end := schema.At(begin.Add(time.Duration(tc.days)*Day + tc.extra))
		got := OutlivesRule(&schema.Certificate{NotBefore: &begin, NotAfter: &end})
		if tc.want == "" && got != "" || !strings.HasPrefix(got, tc.want) {
			t.Errorf("%d days from %s: %q, want %q", tc.days, tc.from, got, tc.want)
		}
	}
	if got := OutlivesRule(&schema.Certificate{}); got != "" {
		t.Errorf("of no times: %q", got)
	}
}

func TestLapsesFirst(t *testing.T) {
	now := day(2026, time.November, 25)
	at := func(days int) time.Time { return now.Add(time.Duration(days) * Day) }
	const want = "It lapses on 15 December 2026, before the next renewal, which is due from 25 December 2026 on: have the domain validated again until then."
	for name, tc := range map[string]struct {
		validated, until time.Time
		renewals         []time.Time
		want             string
	}{
		"before":           {time.Time{}, at(20), []time.Time{at(60), at(30)}, want},
		"by the rule":      {at(20 - 200), time.Time{}, []time.Time{at(30)}, want},
		"after the next":   {time.Time{}, at(20), []time.Time{at(60), at(10)}, ""},
		"renewal is due":   {time.Time{}, at(20), []time.Time{at(-1)}, ""},
		"lapsed":           {time.Time{}, at(-1), []time.Time{at(30)}, ""},
		"no certificate":   {time.Time{}, at(20), nil, ""},
		"nothing is known": {time.Time{}, time.Time{}, []time.Time{at(30)}, ""},
	} {
		if got := LapsesFirst(tc.validated, tc.until, tc.renewals, now); got != tc.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
