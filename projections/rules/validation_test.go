package rules

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

var now = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// in returns the time so many days after now.
func in(days int) *schema.Time {
	t := schema.At(now.Add(time.Duration(days) * Day))
	return &t
}

// mayReuse applies the limit itself, as the requirements put it.
func mayReuse(validated, issued time.Time) bool {
	return issued.Sub(validated) <= time.Duration(LimitOf(issued).Reuse)*Day
}

// TestReusable: until then a certificate may be issued on the validation, and from the next moment on it may not.
func TestReusable(t *testing.T) {
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
		if got := Reusable(at(t, validated)); !got.Truncate(time.Second).Equal(at(t, want)) {
			t.Errorf("%s: got %s, want %s", validated, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		validated := time.Unix(rapid.Int64Range(1.7e9, 2e9).Draw(t, "validated"), 0).UTC()
		until := Reusable(validated)
		if until.Before(validated) || !mayReuse(validated, until) || mayReuse(validated, until.Add(time.Nanosecond)) {
			t.Fatalf("validated %s, reusable until %s", validated, until)
		}
		later := time.Duration(rapid.Int64Range(1, int64(1000*Day)).Draw(t, "later"))
		if mayReuse(validated, until.Add(later)) {
			t.Fatalf("validated %s, and again reusable at %s", validated, until.Add(later))
		}
		if earlier := validated.Add(time.Duration(rapid.Int64Range(0, int64(until.Sub(validated))).Draw(t, "earlier"))); !mayReuse(validated, earlier) {
			t.Fatalf("validated %s, and not reusable at %s, before %s", validated, earlier, until)
		}
	})
}

// TestReusableSince: what was validated then may still be reused, and what was validated any earlier may not.
func TestReusableSince(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		until := time.Unix(rapid.Int64Range(1.7e9, 2e9).Draw(t, "until"), 0).UTC()
		if near := rapid.IntRange(-1, len(limits)-1).Draw(t, "limit"); near > 0 {
			until = limits[near].From.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "seconds")) * time.Second)
		}
		since := ReusableSince(until)
		if Reusable(since).Before(until) || !Reusable(since.Add(-time.Nanosecond)).Before(until) {
			t.Fatalf("until %s since %s, of which it is reusable until %s", until, since, Reusable(since))
		}
	})
}

func TestLapse(t *testing.T) {
	validated, said := in(-100), in(20)
	if got := LapseOf(validated, said); !got.Equal(said.Time) {
		t.Errorf("as the CA said: %s", got)
	}
	if got := LapseOf(in(0), nil); !got.Equal(at(t, "2027-03-14T23:59:59.999Z")) {
		t.Errorf("by the limit: %s", got)
	}
	if got := LapseOf(nil, nil); got != nil {
		t.Errorf("of nothing: %s", got)
	}
	for _, tc := range []struct {
		state string
		lapse *schema.Time
		want  bool
	}{
		{lifecycle.Validated, nil, true}, {lifecycle.Validated, in(0), true}, {lifecycle.Validated, in(-1), false}, {lifecycle.RevalidationDue, in(1), true},
		{lifecycle.Expired, in(1), false}, {lifecycle.Failed, nil, false}, {"", nil, false},
	} {
		if got := Usable(tc.state, tc.lapse, now); got != tc.want {
			t.Errorf("%s until %v: usable %v", tc.state, tc.lapse, got)
		}
	}
}

func TestValidating(t *testing.T) {
	for name, want := range map[string]string{
		"www.shop.example.com": "www.shop.example.com shop.example.com example.com com",
		"*.example.com":        "*.example.com example.com com",
		"localhost":            "localhost", "": "", "a.": "a.",
	} {
		if got := strings.Join(slices.Collect(Validating(name)), " "); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for range Validating("a.b.c") { // who has found theirs stops
		break
	}
}

func TestCovers(t *testing.T) {
	for _, tc := range []struct {
		domain, name, usable string
		want                 bool
	}{
		{"example.com", "example.com", "", true},
		{"example.com", "*.example.com", "", true},
		{"example.com", "www.example.com", "", true},
		{"example.com", "a.b.example.com", "", true},
		{"example.com", "www.example.com", "example.com", true},
		{"example.com", "www.example.com", "www.example.com", false},
		{"example.com", "*.example.com", "*.example.com", false},
		{"example.com", "*.b.example.com", "b.example.com", false},
		{"example.com", "a.b.example.com", "b.example.com", false},
		{"example.com", "a.b.example.com", "c.example.com", true},
		{"example.com", "example.com", "com", true},
		{"www.example.com", "www.example.com", "example.com", true},
		{"www.example.com", "example.com", "", false},
		{"www.example.com", "*.example.com", "", false},
		{"*.example.com", "*.example.com", "", true},
		{"*.example.com", "www.example.com", "", false},
		{"ample.com", "example.com", "", false},
	} {
		if got := Covers(tc.domain, tc.name, func(d string) bool { return d == tc.usable }); got != tc.want {
			t.Errorf("the validation of %s for %s, with one of %q beside: %v", tc.domain, tc.name, tc.usable, got)
		}
	}
}

// TestEachNameHasOneValidation: of the usable validations of an account exactly one covers a name, if any is for it or
// above it.
func TestEachNameHasOneValidation(t *testing.T) {
	label := rapid.SampledFrom([]string{"a", "b", "*"})
	name := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(append(rapid.SliceOfN(label, 0, 3).Draw(t, "labels"), "test"), ".")
	})
	rapid.Check(t, func(t *rapid.T) {
		domains := rapid.SliceOfDistinct(name, func(s string) string { return s }).Draw(t, "domains")
		n := name.Draw(t, "name")
		covering, above := 0, false
		for _, d := range domains {
			if Covers(d, n, func(d string) bool { return slices.Contains(domains, d) }) {
				covering++
			}
			above = above || n == d || strings.HasSuffix(n, "."+d)
		}
		if covering > 1 || (covering == 1) != above {
			t.Fatalf("%d of %v cover %s", covering, domains, n)
		}
	})
}

// TestNextRenewal: it is the earliest of what the validation covers.
func TestNextRenewal(t *testing.T) {
	www, api := Renewals{"www.example.com", *in(10)}, Renewals{"api.example.com", *in(150)}
	none := func(string) bool { return false }
	for name, tc := range map[string]struct {
		renewals []Renewals
		usable   func(string) bool
		want     *schema.Time
	}{
		"none":                     {nil, none, nil},
		"elsewhere":                {[]Renewals{{"www.example.org", *in(10)}}, none, nil},
		"the earliest":             {[]Renewals{api, www}, none, in(10)},
		"www has one of its own":   {[]Renewals{api, www}, func(d string) bool { return d == "www.example.com" }, in(150)},
		"the name, and wildcards":  {[]Renewals{{"example.com", *in(30)}, {"*.example.com", *in(20)}}, none, in(20)},
		"one that should be begun": {[]Renewals{api, {"example.com", *in(-3)}}, none, in(-3)},
	} {
		got := NextRenewal("example.com", tc.renewals, tc.usable)
		if (got == nil) != (tc.want == nil) || got != nil && !got.Equal(tc.want.Time) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Renewals {
			return Renewals{rapid.SampledFrom([]string{"example.com", "*.example.com", "www.example.com", "example.org"}).Draw(t, "name"), *in(rapid.IntRange(-9, 99).Draw(t, "days"))}
		}), 0, 8).Draw(t, "renewals")
		next := NextRenewal("example.com", list, none)
		for _, r := range list {
			if covered := strings.HasSuffix(r.Name, "example.com"); covered && (next == nil || next.After(r.From.Time)) {
				t.Fatalf("%v is earlier than %v", r, next)
			}
		}
		if next != nil && !slices.ContainsFunc(list, func(r Renewals) bool { return r.From == *next }) {
			t.Fatalf("there is no renewal at %v", next)
		}
	})
}

func TestLapsesFirst(t *testing.T) {
	for name, tc := range map[string]struct {
		lapse, renewal *schema.Time
		want           bool
	}{
		"before":                    {in(20), in(30), true},
		"after the next":            {in(20), in(10), false},
		"at the same time":          {in(20), in(20), false},
		"renewal is due":            {in(20), in(-1), false},
		"lapsed":                    {in(-1), in(30), true},
		"lapsed, the renewal due":   {in(-1), in(-3), true}, // and can no more be made
		"no certificate":            {in(20), nil, false},
		"lapsed, no certificate":    {in(-1), nil, false},
		"nobody knows when it ends": {nil, in(30), false},
	} {
		if got := LapsesFirst(tc.lapse, tc.renewal, now); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
