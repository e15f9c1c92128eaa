package streams

import (
	"context"
	"sync"
)

// watermark is the last durable sequence. One goroutine advances it; many read it and wait for it.
type watermark struct {
	mu    sync.Mutex
	at    uint64
	moved chan struct{} // closed when at has grown
}

func newWatermark() *watermark { return &watermark{moved: make(chan struct{})} }

func (w *watermark) seq() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *watermark) advance(to uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if to <= w.at {
		return
	}
	w.at = to
	close(w.moved)
	w.moved = make(chan struct{})
}

// wait returns the watermark once it is at least seq.
func (w *watermark) wait(ctx context.Context, seq uint64) (uint64, error) {
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
