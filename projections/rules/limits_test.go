package rules

import (
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

func at(t testing.TB, s string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestLimitsByDateOfIssue(t *testing.T) {
	for issued, want := range map[string][3]int{
		"2020-09-01T00:00:00Z": {398, 398, 825}, "2026-03-14T23:59:59Z": {398, 398, 825},
		"2026-03-15T00:00:00Z": {200, 200, 398}, "2026-03-14T23:59:59-01:00": {200, 200, 398}, "2027-03-14T23:59:59Z": {200, 200, 398},
		"2027-03-15T00:00:00Z": {100, 100, 398}, "2029-03-14T23:59:59Z": {100, 100, 398},
		"2029-03-15T00:00:00Z": {47, 10, 398}, "2040-01-01T00:00:00Z": {47, 10, 398},
	} {
		l := LimitOf(at(t, issued))
		if got := [3]int{l.Validity, l.Reuse, l.SubjectReuse}; got != want {
			t.Errorf("%s: got %v, want %v", issued, got, want)
		}
		if MaxValidity(at(t, issued)) != time.Duration(want[0])*24*time.Hour {
			t.Errorf("%s: got %s", issued, MaxValidity(at(t, issued)))
		}
	}
}

// TestLimitsAreData: they ascend, each has its source, and nobody who asks for them can change them.
func TestLimitsAreData(t *testing.T) {
	all := Limits()
	for i, l := range all {
		if l.Source == "" || (i == 0) != l.From.IsZero() || i > 0 && !all[i-1].From.Before(l.From) {
			t.Errorf("limit %d is %+v", i, l)
		}
		if from := LimitsFrom(l.From); len(from) != len(all)-i || from[0] != l {
			t.Errorf("from %s on there are %d limits, the first %+v", l.From, len(from), from[0])
		}
		if i > 0 && len(LimitsFrom(l.From.Add(-time.Nanosecond))) != len(all)-i+1 {
			t.Errorf("just before %s there are %d limits", l.From, len(LimitsFrom(l.From.Add(-time.Nanosecond))))
		}
	}
	all[1].Validity = 1000
	LimitsFrom(time.Time{})[1].Validity = 1000
	if MaxValidity(at(t, "2026-04-01T00:00:00Z")) != 200*Day {
		t.Error("the limits have been changed")
	}
}

func TestOutlives(t *testing.T) {
	for _, tc := range []struct {
		from         string
		days         int
		more         time.Duration
		want         int // days; 0: it does not
		since, until string
	}{
		{"2026-03-14T23:59:59Z", 398, -time.Second, 0, "", ""}, {"2026-03-14T23:59:59Z", 398, 0, 399, "0001-01-01", "2026-03-15"},
		{"2026-03-15T00:00:00Z", 200, -time.Second, 0, "", ""}, {"2026-03-15T00:00:00Z", 200, 0, 201, "2026-03-15", "2027-03-15"},
		{"2026-03-15T00:00:00Z", 398, -time.Second, 398, "2026-03-15", "2027-03-15"},
		{"2027-03-15T00:00:00Z", 100, -time.Second, 0, "", ""}, {"2027-03-15T00:00:00Z", 100, 0, 101, "2027-03-15", "2029-03-15"},
		{"2029-03-15T00:00:00Z", 47, -time.Second, 0, "", ""}, {"2029-03-15T00:00:00Z", 47, time.Hour, 48, "2029-03-15", "0001-01-01"},
	} {
		notBefore := schema.At(at(t, tc.from))
		notAfter := schema.At(notBefore.Add(time.Duration(tc.days)*Day + tc.more))
		x, got := Outlives(&notBefore, &notAfter)
		if got != (tc.want > 0) || x.Days != tc.want {
			t.Errorf("%s, %d days and %s: got %v, %+v", tc.from, tc.days, tc.more, got, x)
		}
		if got && (x.Limit.From.Format(time.DateOnly) != tc.since || x.Until.Format(time.DateOnly) != tc.until) {
			t.Errorf("%s, %d days and %s: the limit is %+v", tc.from, tc.days, tc.more, x)
		}
	}
	now := schema.At(at(t, "2026-11-21T00:00:00Z"))
	for _, times := range [][2]*schema.Time{{nil, nil}, {&now, nil}, {nil, &now}} {
		if x, got := Outlives(times[0], times[1]); got || x != (Excess{}) {
			t.Errorf("%v outlives by %+v", times, x)
		}
	}
}
