package embedded

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go"

	"github.com/certtrail/certtrail/streams"
)

// Bounds of a bulk append. One that fails in the middle has published at most one window that it does not count, and
// that can be read when it returns.
const (
	windowMessages = 4096
	windowBytes    = 16 << 20 // far below freeReserve
	perMessage     = 256      // bytes that the server adds to a message at most: its frame, and the headers
	fullReserve    = 1 << 20  // bytes of the stream that a bulk append leaves to deliveries
)

// AppendAll appends the events in their order and returns how many of them, from the first on, are durable: all, unless
// there is an error. After an error more of them may be in the log. Appends of others go on meanwhile, and may come to
// stand between any two.
func (l *Log) AppendAll(ctx context.Context, events []streams.Raw) (int, error) {
	l.bulking.Lock()
	defer l.bulking.Unlock()
	done := 0
	for done < len(events) {
		n, bytes := 0, 0
		for n < windowMessages && done+n < len(events) && (n == 0 || bytes+len(events[done+n].Data) <= windowBytes) {
			bytes += len(events[done+n].Data)
			n++
		}
		if err := l.appendWindow(ctx, events[done:done+n], bytes); err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// appendWindow publishes all but the last event, waits until the server has them, and gives the last one to the
// committer, with how far the server has stored: the sync after it covers all of them. So the log has one owner of its
// syncs and of its watermark.
func (l *Log) appendWindow(ctx context.Context, window []streams.Raw, bytes int) error {
	if err := l.Err(); err != nil {
		return err
	}
	if err := l.hasRoom(ctx, bytes+len(window)*perMessage); err != nil {
		return err
	}
	last := len(window) - 1
	stored, err := l.publishAll(window[:last])
	if err == nil {
		err = l.commitLast(ctx, &window[last], stored)
	}
	if err != nil {
		l.settle(stored)
	}
	return err
}

// publishAll publishes the events and waits for every answer. It returns the highest sequence that was acknowledged: a
// duplicate's is that of its first.
func (l *Log) publishAll(events []streams.Raw) (stored uint64, failed error) {
	msgs := make([]*nats.Msg, len(events))
	for i := range events {
		msgs[i] = events[i].Message()
	}
	s, err := l.use()
	if err != nil {
		return 0, err
	}
	for _, o := range s.bulk.publish(msgs) {
		if o.err != nil {
			failed = cmp.Or(failed, o.err)
			continue
		}
		stored = max(stored, o.seq)
	}
	if failed != nil {
		return stored, fmt.Errorf("%w: %w", streams.ErrUnavailable, failed)
	}
	return stored, nil
}

func (l *Log) commitLast(ctx context.Context, e *streams.Raw, stored uint64) error {
	ctx, cancel := context.WithTimeout(ctx, 2*askTimeout)
	defer cancel()
	own := streams.Raw{ID: e.ID, Subject: e.Subject, Data: slices.Clone(e.Data)} // the tail keeps it when the caller has its memory back
	_, err := l.commits.append(ctx, &submission{id: own.ID, msg: own.Message(), stored: stored})
	return err
}

// settle makes durable, and so visible, what a failed window left in the log: whoever runs the import again must see
// it, or it is appended twice. The caller may have given up, and has an error already; so nothing is told of what fails
// here, and the next append will do the same.
func (l *Log) settle(stored uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*askTimeout)
	defer cancel()
	// A message that got no answer may yet be on its way into the log.
	if s, err := l.use(); err == nil {
		newPublisher(s.nc, 1).settle(askTimeout)
	}
	if last, err := l.lastStored(ctx); err == nil {
		stored = max(stored, last)
	}
	if stored > 0 {
		l.commits.append(ctx, &submission{stored: stored})
	}
}

// hasRoom makes sure that the whole window fits: a full stream refuses each message by itself, so that a small one
// could pass a large one.
func (l *Log) hasRoom(ctx context.Context, bytes int) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s, err := l.use()
	if err != nil {
		return err
	}
	info, err := s.Stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("%w: couldn't read the stream's state: %w", streams.ErrUnavailable, err)
	}
	if free := info.Config.MaxBytes - int64(info.State.Bytes) - fullReserve; int64(bytes) > free {
		return fmt.Errorf("%w: it holds %d MiB and may grow to %d MiB: raise max-bytes", streams.ErrUnavailable, info.State.Bytes>>20, info.Config.MaxBytes>>20)
	}
	disk := diskSpace{dir: l.blocks.dir}
	if err := disk.check(); err != nil {
		return fmt.Errorf("%w: %w", streams.ErrUnavailable, err)
	}
	return nil
}
