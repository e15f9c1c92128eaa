package ask

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

func living(days float64) Certificate {
	begin := day(2026, time.November, 1)
	return Certificate{Provider: "digicert", ID: "23456", OrderID: "12345", NotBefore: begin, NotAfter: begin.Add(time.Duration(days*24) * time.Hour), Heard: begin}
}

// told writes the notices as "kind threshold @ days from the beginning".
func told(notices []Notice, begin time.Time) string {
	var list []string
	for _, n := range notices {
		list = append(list, fmt.Sprintf("%s %s @%.1f", n.Kind.Name(), n.ID[strings.LastIndex(n.ID, "/")+1:], n.At.Sub(begin).Hours()/24))
	}
	return strings.Join(list, ", ")
}

func TestThresholdsByLifetime(t *testing.T) {
	for days, want := range map[float64]string{
		398: "expiring 30d @368.0, expiring 14d @384.0, expiring 7d @391.0, expiring 1d @397.0, expired 0 @398.0",
		200: "expiring 30d @170.0, expiring 14d @186.0, expiring 7d @193.0, expiring 1d @199.0, expired 0 @200.0",
		90:  "expiring 30d @60.0, expiring 14d @76.0, expiring 7d @83.0, expiring 1d @89.0, expired 0 @90.0",
		47:  "expiring 33% @31.5, expiring 10% @42.3, expiring 1d @46.0, expired 0 @47.0",
		10:  "expiring 33% @6.7, expiring 10% @9.0, expired 0 @10.0",
		6:   "expiring 33% @4.0, expiring 10% @5.4, expired 0 @6.0",
		0.5: "expiring 33% @0.3, expiring 10% @0.5, expired 0 @0.5",
		0:   "expired 0 @0.0",
	} {
		c := living(days)
		if got := told(DefaultThresholds.Due(c.NotAfter.Add(Day), time.Time{}, []Certificate{c}, nil), c.NotBefore); got != want {
			t.Errorf("%g days: got %s, want %s", days, got, want)
		}
	}
}

func TestDue(t *testing.T) {
	end := living(200).NotAfter
	for name, tc := range map[string]struct {
		change    func(c *Certificate)
		now, last time.Time
		want      string
	}{
		"not yet":              {nil, end.Add(-30*Day - 1), time.Time{}, ""},
		"at the moment":        {nil, end.Add(-30 * Day), time.Time{}, "expiring 30d @170.0"},
		"was told":             {nil, end.Add(-29 * Day), end.Add(-30 * Day), ""},
		"down for a while":     {nil, end.Add(-6 * Day), end.Add(-31 * Day), "expiring 30d @170.0, expiring 14d @186.0, expiring 7d @193.0"},
		"the last second":      {nil, end, end.Add(-Day), ""},
		"the second after":     {nil, end.Add(time.Second), end, "expired 0 @200.0"},
		"clock went back":      {nil, end.Add(-10 * Day), end, ""},
		"heard late":           {func(c *Certificate) { c.Heard = end.Add(-10 * Day) }, end.Add(-7 * Day), time.Time{}, "expiring 7d @193.0"},
		"heard after its end":  {func(c *Certificate) { c.Heard = end.Add(Day) }, end.Add(2 * Day), time.Time{}, ""},
		"revoked":              {func(c *Certificate) { c.Over = true }, end.Add(Day), time.Time{}, ""},
		"its end is not known": {func(c *Certificate) { c.NotAfter = time.Time{} }, end.Add(Day), time.Time{}, ""},
		"its beginning is not": {func(c *Certificate) { c.NotBefore = time.Time{} }, end, time.Time{}, "expiring 30d @170.0, expiring 14d @186.0, expiring 7d @193.0, expiring 1d @199.0"},
	} {
		c := living(200)
		begin := c.NotBefore
		if tc.change != nil {
			tc.change(&c)
		}
		if got := told(DefaultThresholds.Due(tc.now, tc.last, []Certificate{c}, nil), begin); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

func TestValidationsAreDue(t *testing.T) {
	begin := day(2026, time.April, 1)
	v := Validation{Provider: "digicert-eu", Domain: "*.example.test", ValidatedAt: begin, ExpiresAt: begin.Add(200 * Day), Heard: begin}
	run := func(v Validation) string {
		return told(DefaultThresholds.Due(begin.AddDate(2, 0, 0), time.Time{}, nil, []Validation{v}), begin)
	}
	if got, want := run(v), "revalidation_due 30d @170.0, revalidation_due 14d @186.0, revalidation_due 7d @193.0, revalidation_due 1d @199.0, expired 0 @200.0"; got != want {
		t.Errorf("as long as it may be used: got %s, want %s", got, want)
	}
	v.ExpiresAt = begin.Add(10 * Day)
	if got, want := run(v), "revalidation_due 33% @6.7, revalidation_due 10% @9.0, expired 0 @10.0"; got != want {
		t.Errorf("as the provider said: got %s, want %s", got, want)
	}
	v.Over = true
	if got := run(v); got != "" {
		t.Errorf("over: got %s", got)
	}
	if got := run(Validation{Domain: "a.test"}); got != "" {
		t.Errorf("nothing known: got %s", got)
	}
}

func TestNoticeEvents(t *testing.T) {
	c := living(200)
	c.ID = "a/b"
	now := c.NotAfter.Add(-29 * Day)
	e := DefaultThresholds.Due(now, time.Time{}, []Certificate{c}, nil)[0].Event(now)
	if e.ID != "certificate.expiring/digicert/a%2Fb/2027-05-20T00:00:00.000Z/30d" || e.Source != schema.ClockSource || !e.TrulyIdentified() || e.Type != "certtrail.certificate.expiring.v1" ||
		e.NATSSubject() != "certs.certificate.expiring.digicert.a%2Fb" || e.Data.Reason != "It expires on 2027-05-20: 30 days before its end." || e.Data.OrderID != "12345" ||
		!e.OccurredAt().Equal(c.NotAfter.Add(-30*Day)) || !e.Time.Equal(now) || !e.Data.Certificate.NotAfter.Equal(c.NotAfter) {
		t.Errorf("got %+v", e)
	}
	v := Validation{Provider: "digicert", Domain: "www.example.test", ExpiresAt: day(2027, time.May, 20), Heard: day(2026, time.May, 20)}
	v.Renewal = day(2027, time.June, 1)
	all := DefaultThresholds.Due(v.ExpiresAt.Add(Day), time.Time{}, nil, []Validation{v})
	e = all[0].Event(v.ExpiresAt)
	if want := "Its validation may be used until 2027-05-20: 30 days before its end. The next renewal of what it covers should begin on 2027-06-01."; e.Data.Reason != want {
		t.Errorf("the reason is %q, want %q", e.Data.Reason, want)
	}
	e = all[len(all)-1].Event(v.ExpiresAt.Add(Day))
	if e.ID != "domain.expired/digicert/www.example.test/2027-05-20T00:00:00.000Z/0" || e.NATSSubject() != "certs.domain.expired.digicert.test.example.www" || !e.Data.ExpiresAt.Equal(v.ExpiresAt) {
		t.Errorf("got %+v", e)
	}
}

func anyLife(t *rapid.T) (begin, end, heard time.Time) {
	begin = day(2026, time.January, 1).Add(time.Duration(rapid.IntRange(0, 400*24).Draw(t, "begin")) * time.Hour)
	end = begin.Add(time.Duration(rapid.IntRange(0, 400*24).Draw(t, "life")) * time.Hour)
	heard = begin.Add(time.Duration(rapid.IntRange(-24, 500*24).Draw(t, "heard")) * time.Hour)
	return begin, end, heard
}

// However irregularly it runs, each notice falls due once, in the run that comes first after its moment; and none for
// what was past when it was heard of.
func TestEachNoticeOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var certificates []Certificate
		var validations []Validation
		for i := range rapid.IntRange(0, 4).Draw(t, "certificates") {
			begin, end, heard := anyLife(t)
			certificates = append(certificates, Certificate{Provider: "p", ID: fmt.Sprint(i), NotBefore: begin, NotAfter: end, Heard: heard, Over: rapid.IntRange(0, 9).Draw(t, "over") == 0})
			_, end, heard = anyLife(t)
			validations = append(validations, Validation{Provider: "p", Domain: fmt.Sprintf("d%d.test", i), ValidatedAt: begin, ExpiresAt: end, Heard: heard})
		}
		first := day(2025, time.December, 1)
		last := first
		var stepwise []Notice
		for _, hours := range rapid.SliceOfN(rapid.IntRange(-48, 60*24), 1, 40).Draw(t, "runs") {
			now := last.Add(time.Duration(hours) * time.Hour)
			known := slices.DeleteFunc(slices.Clone(certificates), func(c Certificate) bool { return c.Heard.After(now) })
			for _, n := range DefaultThresholds.Due(now, last, known, validations) {
				if n.At.After(now) || !n.At.After(last) {
					t.Fatalf("%s of %s is told between %s and %s", n.ID, n.At, last, now)
				}
				stepwise = append(stepwise, n)
			}
			if now.After(last) { // as the caller notes it
				last = now
			}
		}
		atOnce := DefaultThresholds.Due(last, first, certificates, validations)
		seen := map[string]bool{}
		for _, n := range stepwise {
			if seen[n.ID] {
				t.Fatalf("%s is told twice", n.ID)
			}
			seen[n.ID] = true
		}
		for _, n := range atOnce {
			if !seen[n.ID] {
				t.Fatalf("%s of %s is told at once, and not step by step", n.ID, n.At)
			}
		}
		if len(atOnce) != len(stepwise) || !slices.IsSortedFunc(atOnce, func(a, b Notice) int { return a.At.Compare(b.At) }) {
			t.Fatalf("%d are told step by step, %d at once, or out of order", len(stepwise), len(atOnce))
		}
		for _, c := range certificates {
			for _, n := range DefaultThresholds.Due(last, time.Time{}, []Certificate{c}, nil) {
				if !n.At.After(c.Heard) {
					t.Fatalf("%s fell due at %s, and was heard of at %s", n.ID, n.At, c.Heard)
				}
			}
		}
	})
}

func TestWatch(t *testing.T) {
	began := day(2026, time.November, 21)
	type look struct {
		wall, mono time.Duration
		held       bool
	}
	h := time.Hour
	for name, looks := range map[string][]look{
		"steady":                 {{0, 0, false}, {h, h, false}, {100 * h, 100 * h, false}},
		"a long pause":           {{0, 0, false}, {1000 * h, 1000 * h, false}},
		"small steps":            {{0, 0, false}, {h + h/2, h, false}, {3 * h, 2 * h, false}, {4*h + h/2, 3 * h, false}},
		"at the limit":           {{0, 0, false}, {2 * h, h, false}},
		"jumps":                  {{0, 0, false}, {h, h, false}, {2*h + 24*h, 2 * h, true}, {3*h + 24*h, 3 * h, true}},
		"jumps and comes back":   {{0, 0, false}, {24 * h, 0, true}, {h, h, false}, {2 * h, 2 * h, false}},
		"comes back in part":     {{0, 0, false}, {24 * h, 0, true}, {12 * h, 0, true}, {h / 2, 0, false}},
		"jumps twice":            {{0, 0, false}, {24 * h, 0, true}, {48 * h, 0, true}, {24 * h, 0, true}, {0, 0, false}},
		"goes back":              {{0, 0, false}, {-24 * h, h, false}, {-23 * h, 2 * h, false}},
		"goes back, and forward": {{0, 0, false}, {-24 * h, 0, false}, {0, 0, true}},
	} {
		w := &Watch{Limit: h}
		for i, l := range looks {
			err := w.Look(Reading{began.Add(l.wall), l.mono})
			if (err != nil) != l.held {
				t.Errorf("%s, look %d: got %v, held back: %v", name, i+1, err, l.held)
			}
		}
	}
	w := &Watch{Limit: h}
	_ = w.Look(Reading{began, 0})
	err := w.Look(Reading{began.Add(48 * h), h})
	if err == nil || !strings.HasPrefix(err.Error(), "the clock jumped forward by 47h0m0s, to 2026-11-23 00:00:00 UTC, so") {
		t.Errorf("got %v", err)
	}
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}
