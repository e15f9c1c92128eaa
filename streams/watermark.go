package streams

import (
	"context"
	"sync"

	"github.com/certtrail/certtrail/schema"
)

// Watermark says up to which sequence the log is durable, and holds the last events before it. One goroutine advances
// it; many read it and wait for it.
type Watermark struct {
	tail tail // the last events before it, and for a moment the next

	mu    sync.Mutex
	at    uint64
	moved chan struct{} // closed when at has grown
}

// NewWatermark returns the watermark of an empty log.
func NewWatermark() *Watermark { return &Watermark{moved: make(chan struct{})} }

// Seq returns the last durable sequence.
func (w *Watermark) Seq() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

// Advance moves the watermark on to a sequence, if it is not there already. appended are those of the events up to it
// that this process appended, in their order: readers who keep up get them from here.
func (w *Watermark) Advance(to uint64, appended []schema.Record) {
	w.tail.add(appended)
	w.mu.Lock()
	defer w.mu.Unlock()
	if to <= w.at {
		return
	}
	w.at = to
	close(w.moved)
	w.moved = make(chan struct{})
}

// Wait returns the watermark once it is at least seq.
func (w *Watermark) Wait(ctx context.Context, seq uint64) (uint64, error) {
	for {
		w.mu.Lock()
		at, moved := w.at, w.moved
		w.mu.Unlock()
		if at >= seq {
			return at, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return at, ctx.Err()
		}
	}
}
