package ask

import (
	"testing"
	"time"

	"pgregory.net/rapid"

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
		if MaxValidity(at(t, issued)) != time.Duration(want[0])*24*time.Hour || MaxReuse(at(t, issued)) != time.Duration(want[1])*24*time.Hour {
			t.Errorf("%s: got %s and %s", issued, MaxValidity(at(t, issued)), MaxReuse(at(t, issued)))
		}
	}
}

func TestOutlives(t *testing.T) {
	for _, tc := range []struct {
		from string
		days int
		more time.Duration
		want bool
	}{
		{"2026-03-14T23:59:59Z", 398, -time.Second, false}, {"2026-03-14T23:59:59Z", 398, 0, true},
		{"2026-03-15T00:00:00Z", 200, -time.Second, false}, {"2026-03-15T00:00:00Z", 200, 0, true}, {"2026-03-15T00:00:00Z", 398, -time.Second, true},
		{"2027-03-15T00:00:00Z", 100, -time.Second, false}, {"2027-03-15T00:00:00Z", 100, 0, true},
		{"2029-03-15T00:00:00Z", 47, -time.Second, false}, {"2029-03-15T00:00:00Z", 47, 0, true},
	} {
		notBefore := schema.At(at(t, tc.from))
		notAfter := schema.At(notBefore.Add(time.Duration(tc.days)*Day + tc.more))
		allowed, got := Outlives(&schema.Certificate{NotBefore: &notBefore, NotAfter: &notAfter})
		if got != tc.want || allowed != MaxValidity(notBefore.Time) {
			t.Errorf("%s, %d days and %s: got %v, %s", tc.from, tc.days, tc.more, got, allowed)
		}
	}
	now := schema.At(at(t, "2026-11-21T00:00:00Z"))
	for _, c := range []*schema.Certificate{nil, {}, {NotBefore: &now}, {NotAfter: &now}} {
		if allowed, got := Outlives(c); got || allowed != 0 {
			t.Errorf("%+v outlives %s", c, allowed)
		}
	}
}

// Until then a certificate may be issued on the validation, and from the next moment on it may not.
func TestReusableUntil(t *testing.T) {
	for validated, want := range map[string]string{
		"2025-01-01T00:00:00Z": "2026-02-03T00:00:00Z", // 398 days
		"2025-09-01T00:00:00Z": "2026-03-20T00:00:00Z", // 200 days, although it was made under 398
		"2025-08-01T00:00:00Z": "2026-03-14T23:59:59Z", // 200 days ended before they held
		"2026-11-21T00:00:00Z": "2027-03-14T23:59:59Z", // 100 days likewise
		"2027-01-01T00:00:00Z": "2027-04-11T00:00:00Z",
		"2029-02-01T00:00:00Z": "2029-03-14T23:59:59Z",
		"2029-03-10T00:00:00Z": "2029-03-20T00:00:00Z",
		"2030-01-01T00:00:00Z": "2030-01-11T00:00:00Z",
	} {
		if got := ReusableUntil(at(t, validated)); !got.Truncate(time.Second).Equal(at(t, want)) {
			t.Errorf("%s: got %s, want %s", validated, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		validated := time.Unix(rapid.Int64Range(1.7e9, 2e9).Draw(t, "validated"), 0).UTC()
		until := ReusableUntil(validated)
		allowed := func(issued time.Time) bool { return issued.Sub(validated) <= MaxReuse(issued) }
		if until.Before(validated) || !allowed(until) || allowed(until.Add(time.Nanosecond)) {
			t.Fatalf("validated %s, reusable until %s", validated, until)
		}
		later := time.Duration(rapid.Int64Range(1, int64(1000*Day)).Draw(t, "later"))
		if allowed(until.Add(later)) {
			t.Fatalf("validated %s, and again reusable at %s", validated, until.Add(later))
		}
		if earlier := validated.Add(time.Duration(rapid.Int64Range(0, int64(until.Sub(validated))).Draw(t, "earlier"))); !allowed(earlier) {
			t.Fatalf("validated %s, and not reusable at %s, before %s", validated, earlier, until)
		}
	})
}
