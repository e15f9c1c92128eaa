package schema

import (
	"math/rand/v2"
	"testing"
)

// TestGapsAreSets holds what is worked out with ranges against sets of sequences.
func TestGapsAreSets(t *testing.T) {
	const most = 12
	random := rand.New(rand.NewPCG(1, 2))
	some := func() (g Gaps, set [most + 2]bool) {
		for range random.IntN(4) {
			first := 1 + random.Uint64N(most)
			last := min(most, first+random.Uint64N(4))
			g = g.And(Gap{first, last})
			for seq := first; seq <= last; seq++ {
				set[seq] = true
			}
		}
		return g, set
	}
	holds := func(what string, g Gaps, want func(seq uint64) bool) {
		t.Helper()
		n := uint64(0)
		for seq := range uint64(most + 2) {
			in := 0
			for _, r := range g {
				if r.First <= seq && seq <= r.Last {
					in++
				}
			}
			if in > 1 || (in == 1) != want(seq) {
				t.Fatalf("%s: %v has %d %d times", what, g, seq, in)
			}
			n += uint64(in)
		}
		for i := 1; i < len(g); i++ {
			if g[i].First <= g[i-1].Last+1 {
				t.Fatalf("%s: %v is not in order, or touches", what, g)
			}
		}
		if g.Events() != n {
			t.Fatalf("%s: %v are %d events, not %d", what, g, g.Events(), n)
		}
	}
	for range 2000 {
		a, inA := some()
		b, inB := some()
		last := random.Uint64N(most + 2)
		holds("all of it", a, func(seq uint64) bool { return inA[seq] })
		holds("and", a.And(b...), func(seq uint64) bool { return inA[seq] || inB[seq] })
		holds("without", a.Without(b), func(seq uint64) bool { return inA[seq] && !inB[seq] })
		holds("up to", a.UpTo(last), func(seq uint64) bool { return inA[seq] && seq <= last })
	}
}
