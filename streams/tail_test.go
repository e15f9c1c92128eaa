package streams

import (
	"math"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

// TestTailIsBounded adds events of all sizes: a tail holds some of the last ones, in a row, and not much more than it
// may.
func TestTailIsBounded(t *testing.T) {
	tl := &tail{}
	for seq := uint64(1); seq <= 20_000; seq++ {
		size := 100
		if seq > 10_000 {
			size = 50_000
		}
		tl.add([]schema.Record{{Seq: seq, Data: make([]byte, size)}})
		if tl.bytes > 2*tailBytes+size || len(tl.records) > 2*tailEvents {
			t.Fatalf("after event %d it holds %d events, %d bytes", seq, len(tl.records), tl.bytes)
		}
		if got := tl.after(seq-1, math.MaxUint64); len(got) != 1 || got[0].Seq != seq {
			t.Fatalf("after event %d comes %v", seq-1, got)
		}
	}
	if got := tl.after(20_000, math.MaxUint64); got != nil {
		t.Errorf("after the last comes %v", got)
	}
	if got := tl.after(1, math.MaxUint64); got != nil {
		t.Errorf("it goes on from an event that it does not hold with %d", got[0].Seq)
	}
	tl.add([]schema.Record{{Seq: 30_000}})
	if tl.after(20_000, math.MaxUint64) != nil || len(tl.after(29_999, math.MaxUint64)) != 1 {
		t.Error("a hole is not seen")
	}
}
