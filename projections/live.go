package projections

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
)

// Bounds of what is held of the last changes for those who wait for them: so many changes, or so many keys of rows in
// them, and at most twice that. Who is further behind reads the log.
const (
	changesHeld = 1024
	keysHeld    = 20_000 // while a backlog is worked off, one change has thousands
)

// hub tells many readers what the writer changed, without waiting for any of them.
type hub struct {
	mu      sync.Mutex
	begun   bool   // or else nothing is followed yet, and the next change may come after a long history
	first   uint64 // changes holds all after this sequence
	last    uint64
	changes []Change
	keys    int           // of the rows in changes
	moved   chan struct{} // closed when changes has grown
}

func newHub() *hub { return &hub{moved: make(chan struct{})} }

// begin opens the hub at seq, before the first change: seq may lie past changes that were never published, which
// another generation knows.
func (h *hub) begin(seq uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.begun, h.first, h.last, h.changes, h.keys = true, seq, seq, nil, 0
	close(h.moved)
	h.moved = make(chan struct{})
}

func (h *hub) publish(c Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changes = append(h.changes, c)
	h.last = c.Seq
	if h.keys += len(c.Rows); len(h.changes) > 2*changesHeld || h.keys > 2*keysHeld {
		h.trim()
	}
	close(h.moved)
	h.moved = make(chan struct{})
}

// trim leaves the newest changes, in memory of their own: readers may still hold the old.
func (h *hub) trim() {
	first, keys := len(h.changes), 0
	for first > 0 && len(h.changes)-first < changesHeld && keys < keysHeld {
		first--
		keys += len(h.changes[first].Rows)
	}
	if first > 0 {
		h.first = h.changes[first-1].Seq
	}
	h.changes, h.keys = slices.Clone(h.changes[first:]), keys
}

// after returns the changes after seq, and what to wait on for more; ok is false when some of them are no longer held.
func (h *hub) after(seq uint64) (changes []Change, moved <-chan struct{}, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if seq < h.first {
		return nil, h.moved, false
	}
	i := len(h.changes)
	for i > 0 && h.changes[i-1].Seq > seq {
		i--
	}
	return h.changes[i:len(h.changes):len(h.changes)], h.moved, true
}

// wait returns the last event that was published, once the log is followed and reached says that this is enough.
func (h *hub) wait(ctx context.Context, reached func(last uint64) bool) (uint64, error) {
	for {
		h.mu.Lock()
		begun, last, moved := h.begun, h.last, h.moved
		h.mu.Unlock()
		if begun && reached(last) {
			return last, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// Await returns once the read models in use hold the event seq and all before it, or ctx ends.
func (s *Store) Await(ctx context.Context, seq uint64) error {
	_, err := s.hub.wait(ctx, func(last uint64) bool {
		current, _ := s.inUse()
		return current != nil && last >= seq
	})
	return err
}

// Live yields what changed after the event seq `after`, then each change as it happens, until ctx ends or yield fails.
// 0 means from now on, or from when the log begins to be followed, if that is yet to come.
func (s *Store) Live(ctx context.Context, after uint64, yield func(Change) error) (err error) {
	if after == 0 {
		if after, err = s.hub.wait(ctx, func(uint64) bool { return true }); err != nil {
			return err
		}
	}
	for {
		changes, moved, ok := s.hub.after(after)
		if !ok {
			next, err := s.missed(ctx, after, yield)
			if err != nil {
				return err
			}
			after = next
			continue
		}
		for _, c := range changes {
			if err := yield(c); err != nil {
				return err
			}
			after = c.Seq
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// missed yields what the event after `after` changed, from the log, and returns its sequence.
func (s *Store) missed(ctx context.Context, after uint64, yield func(Change) error) (uint64, error) {
	r, err := s.log.Get(ctx, after+1)
	if errors.Is(err, fs.ErrNotExist) { // a gap: what is not there changed nothing
		return after + 1, nil
	}
	if err != nil {
		return after, err
	}
	c := Change{Seq: r.Seq}
	if e, err := s.meaningFor(s.areRedecoded())(r); err == nil {
		c.Rows = Concerns(e)
	}
	return c.Seq, yield(c)
}
