package projections

import (
	"strconv"
	"testing"
)

// TestABacklogIsNotHeld publishes what following a long backlog does: a few changes, each of thousands of rows. The hub lets go of them, and tells who is
// behind to read the log.
func TestABacklogIsNotHeld(t *testing.T) {
	h := newHub()
	const batch = 5000
	for n := range 200 {
		c := Change{Seq: uint64(n+1) * batch}
		for i := range batch {
			c.Rows = append(c.Rows, Key{"orders", "digicert", strconv.Itoa(i)})
		}
		h.publish(c)
	}
	held := 0
	for _, c := range h.changes {
		held += len(c.Rows)
	}
	if held > 2*keysHeld {
		t.Errorf("%d rows of %d changes are held", held, len(h.changes))
	}
	if _, _, ok := h.after(batch); ok {
		t.Error("who is far behind is told that all since is held")
	}
	last := h.changes[len(h.changes)-1]
	if changes, _, ok := h.after(last.Seq - 1); !ok || len(changes) != 1 || changes[0].Seq != 200*batch {
		t.Errorf("the last change is not held: %d changes, %v", len(changes), ok)
	}
	for _, c := range h.changes {
		if c.Seq <= h.first {
			t.Errorf("a change at %d is held, and said not to be: all after %d are", c.Seq, h.first)
		}
	}
}
