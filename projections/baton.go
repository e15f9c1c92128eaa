package projections

import (
	"context"
	"sync"
)

// baton grants the right to write the generation in use. Whoever follows the log into it has it, until somebody takes
// it, to compare that generation or to put another in its place.
type baton struct {
	mu    sync.Mutex
	freed *sync.Cond
	held  bool
	asked int                // how many have asked to take it and not given it back
	stop  context.CancelFunc // ends the follower that holds it
}

func newBaton() *baton {
	b := &baton{}
	b.freed = sync.NewCond(&b.mu)
	return b
}

// follow waits until nobody else has the baton or wants it, or ctx ends. The context it returns ends when somebody
// does; release must be called then.
func (b *baton) follow(ctx context.Context) (following context.Context, release func()) {
	defer context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.freed.Broadcast()
	})()
	b.mu.Lock()
	defer b.mu.Unlock()
	for (b.held || b.asked > 0) && ctx.Err() == nil {
		b.freed.Wait()
	}
	if ctx.Err() != nil {
		return ctx, func() {}
	}
	b.held = true
	following, b.stop = context.WithCancel(ctx)
	stop := b.stop
	return following, func() {
		stop()
		b.mu.Lock()
		defer b.mu.Unlock()
		b.held = false
		b.freed.Broadcast()
	}
}

// take stops the follower and holds the baton until it is given back.
func (b *baton) take() (giveBack func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if b.held && b.stop != nil {
		b.stop()
	}
	for b.held {
		b.freed.Wait()
	}
	b.held, b.stop = true, nil
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.held = false
		b.asked--
		b.freed.Broadcast()
	}
}
