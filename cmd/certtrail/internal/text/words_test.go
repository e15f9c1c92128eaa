package text

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

func TestCounts(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 events", 1: "1 event", 2: "2 events", 999: "999 events", 1000: "1,000 events", 12345: "12,345 events",
		999999:  "999,999 events",
		1234567: "1,234,567 events", math.MaxUint64: "18,446,744,073,709,551,615 events",
	} {
		if got := Count(n, "event"); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{0: "0 orders", 1: "1 order", 2: "2 orders", 1000: "1000 orders"} {
		if got := Counted(n, "order"); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	for gap, want := range map[schema.Gap]string{{First: 7, Last: 7}: "event 7 is", {First: 7,
		Last: 9}: "events 7 to 9 are"} {
		if got := EventsAre(gap); got != want {
			t.Errorf("%+v is %q, want %q", gap, got, want)
		}
	}
}

func TestCommasOnlySeparate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64().Draw(t, "n")
		groups := strings.Split(Commas(n), ",")
		for i, group := range groups {
			if len(group) > 3 || len(group) < 3 && i > 0 || group == "" {
				t.Fatalf("%d is %q", n, Commas(n))
			}
		}
		if strings.Join(groups, "") != strconv.FormatUint(n, 10) {
			t.Fatalf("%d is %q", n, Commas(n))
		}
	})
}

// TestDistance: it is a distance, and one slip of the hand is one.
func TestDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{
		{"", ""}: 0, {"", "abc"}: 3, {"abc", "abc"}: 0, {"abc", "abd"}: 1, {"abc", "ab"}: 1, {"abc", "acb"}: 1,
		{"abc", "bac"}: 1, {"abc", "cba"}: 2, {"kitten", "sitting"}: 3,
	} {
		if got := distance(pair[0], pair[1]); got != want {
			t.Errorf("from %q to %q it is %d, want %d", pair[0], pair[1], got, want)
		}
	}
	word := rapid.StringOfN(rapid.RuneFrom([]rune("abc-")), 0, 8, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		d := distance(a, b)
		if d != distance(b, a) || (d == 0) != (a == b) || d > max(len(a), len(b)) ||
			d < max(len(a), len(b))-min(len(a), len(b)) {
			t.Fatalf("between %q and %q it is %d, and back %d", a, b, d, distance(b, a))
		}
		if len(a) > 1 {
			i := rapid.IntRange(0, len(a)-2).Draw(t, "i")
			for _, slip := range []string{a[:i] + a[i+1:], a[:i] + "x" + a[i:], a[:i] + "x" + a[i+1:], a[:i] +
				a[i+1:i+2] + a[i:i+1] + a[i+2:]} {
				if got := distance(a, slip); got > 1 {
					t.Fatalf("from %q to %q it is %d", a, slip, got)
				}
			}
		}
	})
}

func TestNothingNearSuggestsNothing(t *testing.T) {
	if got := DidYouMean("nonsense", []string{"serve", "send"}); got != "" {
		t.Errorf("got %q", got)
	}
	if got := Near("serv", []string{"serve", "serva", "servi", "servo"}); len(got) != mostNear {
		t.Errorf("%d are suggested: %q", len(got), got)
	}
}
