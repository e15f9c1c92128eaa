package embedded

import (
	"slices"
	"testing"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// TestGapsAreKnown damages events of a closed log, which knows of them when it is open again, and gives their numbers
// to no others.
func TestGapsAreKnown(t *testing.T) {
	for name, always := range map[string]bool{"block files": false, "served": true} {
		t.Run(name, func(t *testing.T) {
			o := Options{Dir: t.TempDir(), Always: always}
			l := openLog(t, o)
			streamstest.Append(t, l, 20)
			l.Close()
			streamstest.Damage(t, o.Dir, `"order_id":"0"`, `"order_id":"6"`, `"order_id":"7"`, `"order_id":"19"`)
			want := schema.Gaps{{First: 1, Last: 1}, {First: 7, Last: 8}, {First: 20, Last: 20}}
			for start := range 3 {
				l = openLog(t, o)
				if got := l.Gaps(); !slices.Equal(got, want) {
					t.Errorf("start %d: gaps %v, want %v", start, got, want)
				}
				if seq, err := l.Append(t.Context(), streamstest.Event(21)); seq != uint64(21+start) || err != nil {
					t.Errorf("start %d: the next event got %d, %v", start, seq, err)
				}
				if got := streamstest.Read(t, l, 0, uint64(21+start)); len(got) != 17+start || got[0].Seq != 2 || got[0].Missing != 1 || got[5].Seq != 9 || got[5].Missing != 2 {
					t.Errorf("start %d: %d events, of which the first is %d, with %d missing", start, len(got), got[0].Seq, got[0].Missing)
				}
				l.Close()
			}
		})
	}
}
