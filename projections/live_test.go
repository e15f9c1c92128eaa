package projections

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
)

// TestABacklogIsNotHeld publishes what following a long backlog does: a few changes, each of thousands of rows. The hub
// lets go of them, and tells who is behind to read the log.
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

// TestFromNowOnIsNotFromTheBeginning has somebody watch before the read models are there: once they are he is told what
// changes then, not all that the log holds.
func TestFromNowOnIsNotFromTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Store{hub: newHub(), log: logOf(randomHistory(5, 100))}
		ctx, cancel := context.WithCancel(t.Context())
		var seen []uint64
		go s.Live(ctx, 0, func(c Change) error {
			seen = append(seen, c.Seq)
			return nil
		})
		synctest.Wait()
		s.hub.begin(100)
		synctest.Wait()
		s.hub.publish(Change{Seq: 101})
		synctest.Wait()
		cancel()
		synctest.Wait()
		if len(seen) != 1 || seen[0] != 101 {
			t.Errorf("he is told of %v, want 101 alone", seen)
		}
	})
}
