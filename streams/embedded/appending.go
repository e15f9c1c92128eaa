package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/certtrail/certtrail/streams"
)

// submission asks for an event to be appended, or what others published and the next sync shall cover, or both; or a
// question whether one would be taken.
type submission struct {
	id       string
	msg      *nats.Msg // nil: there is only something to sync
	question bool
	stored   uint64      // a sequence up to which JetStream has stored what others published
	since    uint64      // a sequence that the event can only stand after: the last one stored before the first publish, or looked at since
	retry    bool        // an earlier publish of it was not acknowledged, yet may have been stored
	claimed  atomic.Bool // by the committer, which then publishes it, or by a caller who waits no more
	seq      uint64
	fresh    bool       // the acknowledgement of the last publish says that it was no duplicate
	at       time.Time  // when it was published
	err      error      // why JetStream did not take it, this time
	done     chan error // buffered: the committer waits for no caller
}

// Append appends e, for the log.
func (c *committer) Append(ctx context.Context, e *streams.Raw) (uint64, error) {
	return c.append(ctx, &submission{id: e.ID, msg: e.Message()})
}

// Durable returns the log's watermark.
func (c *committer) Durable() *streams.Watermark { return c.durable }

// append commits a, and holds on while the log is away, until ctx ends.
func (c *committer) append(ctx context.Context, a *submission) (uint64, error) {
	for {
		err := c.submit(ctx, a)
		if err == nil {
			return a.seq, nil
		}
		if !errors.Is(err, streams.ErrUnavailable) || errors.Is(err, streams.ErrClosed) || c.err() != nil || ctx.Err() != nil {
			return 0, err
		}
		if pause(ctx, retryInterval) != nil {
			return 0, err
		}
	}
}

// ask asks whether an event would be taken now, in its turn.
func (c *committer) ask(ctx context.Context) error { return c.submit(ctx, &submission{question: true}) }

// submit hands a to the committer and waits for its answer until ctx ends. After that it is the committer's alone: it
// is not published any more, or it was and nobody knows yet whether it will be in the log.
func (c *committer) submit(ctx context.Context, a *submission) error {
	a.done = make(chan error, 1)
	a.claimed.Store(false)
	if err := c.enqueue(a); err != nil {
		return err
	}
	select {
	case err := <-a.done:
		return err
	case <-ctx.Done():
	}
	if a.claimed.CompareAndSwap(false, true) {
		return fmt.Errorf("%w: it had no time for it: %w", streams.ErrUnavailable, ctx.Err())
	}
	select {
	case err := <-a.done:
		return err
	default:
		return fmt.Errorf("%w: the disk or the server is slow, and has not said whether it took the event: %w", streams.ErrUnavailable, ctx.Err())
	}
}

func (c *committer) enqueue(a *submission) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure != nil {
		return c.failure
	}
	if c.closing {
		return fmt.Errorf("%w: %w", streams.ErrUnavailable, streams.ErrClosed)
	}
	select {
	case c.queue <- a:
		return nil
	default:
		return fmt.Errorf("%w: %d appends are waiting already", streams.ErrUnavailable, maxBatch)
	}
}
