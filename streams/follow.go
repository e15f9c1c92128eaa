package streams

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
)

// Bounds of what is on its way to a reader, in messages and in bytes: deliveries may be some KiB or a MiB. There are at
// most two pulls under way.
const (
	pullMessages   = 2000     // asked of the server at once
	pullBytes      = 16777213 // 16 MiB, but a prime: the server says nothing of a pull that it fills to the byte, and the next one waits for the heartbeat
	pullHeartbeat  = 5 * time.Second
	heldBytes      = 16 << 20 // fetched, and not yet taken; and one message more
	maxRecords     = 5000     // given to a reader at once
	recordsBytes   = 16 << 20 // the same; and one event more
	readerLifetime = time.Minute
)

// errBroken says that a consumer no longer gives every message in order and must be made again.
var errBroken = errors.New("the consumer lost its place")

// Reader reads the log in order. Two of the same name must not follow at once.
type Reader struct {
	log        *Log
	name       string // of its consumer, which subscribers cannot touch
	serverOnly bool   // it is given only what the server says: the tail knows a record's time no better than when it was published
}

// Reader returns the reader of that name: "projections".
func (l *Log) Reader(name string) *Reader { return &Reader{log: l, name: ConsumerPrefix + name} }

// Last returns the sequence of the last durable event.
func (r *Reader) Last(ctx context.Context) (uint64, error) { return r.log.Last(ctx) }

// Get returns the event with sequence seq.
func (r *Reader) Get(ctx context.Context, seq uint64) (schema.Record, error) {
	return r.log.Get(ctx, seq)
}

// Follow yields every durable event after the sequence `after`, in order: in batches while there is a backlog, at once
// when there is none. It returns when yield fails, with its error, when ctx ends, or with schema.ErrPastEnd when the
// log ends before `after`. The server keeps no position of a reader: it owns its cursor.
func (r *Reader) Follow(ctx context.Context, after uint64, yield func([]schema.Record) error) error {
	if last := r.log.durable.Seq(); after > last {
		return fmt.Errorf("%w: it ends at %d, before %d", schema.ErrPastEnd, last, after)
	}
	for {
		var err error
		if !r.serverOnly && r.log.durable.tail.holds(after, r.log.durable.Seq()) {
			err = r.followTail(ctx, &after, yield)
		} else {
			err = r.follow(ctx, &after, yield)
		}
		if errors.Is(err, errHeld) || errors.Is(err, errNotHeld) {
			continue
		}
		if !errors.Is(err, errBroken) {
			return err
		}
		r.log.logger.Warn("reading the log goes on with a new consumer", "reader", r.name, "after", after, "error", err)
		if err := pause(ctx, retryInterval); err != nil {
			return err
		}
	}
}

// follow yields what a consumer of its own delivers, until the tail holds what comes next, which is errHeld.
func (r *Reader) follow(ctx context.Context, after *uint64, yield func([]schema.Record) error) error {
	consumer, err := r.create(ctx, *after+1)
	if err != nil {
		return broken(ctx, err)
	}
	fetched := newPrefetch()
	broke := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		fetched.put(ctx, m)
	}, jetstream.PullMaxMessagesWithBytesLimit(pullMessages, pullBytes), jetstream.PullHeartbeat(pullHeartbeat), jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
		select {
		case broke <- err:
		default:
		}
	}))
	if err != nil {
		return broken(ctx, err)
	}
	defer func() { // a callback may run on after Stop, so wait until none does
		cancel()
		consuming.Stop()
		<-consuming.Closed()
	}()
	p := place{at: *after, fetched: fetched, gap: r.log.noteGap}
	for {
		if err := p.await(ctx, broke); err != nil {
			return err
		}
		durable, err := r.log.durable.Wait(ctx, p.waiting.Seq)
		if err != nil {
			return err
		}
		batch, err := p.gather(durable)
		if err == nil {
			err = yield(batch)
		}
		if err != nil {
			return err
		}
		*after = batch[len(batch)-1].Seq
		if !r.serverOnly && r.log.durable.tail.running(*after) {
			return errHeld
		}
	}
}

func (r *Reader) create(ctx context.Context, from uint64) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s, err := r.log.server.Session()
	if err != nil {
		return nil, err
	}
	// A reader that broke leaves its consumer behind, standing where that one stood.
	if err := s.Reading.DeleteConsumer(ctx, r.name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil, err
	}
	return s.Reading.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Name: r.name, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: readerLifetime, MaxDeliver: 1,
	})
}

func broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", errBroken, err)
}

// prefetch holds what a consumer delivered and nobody has taken yet. While it is full no more is asked of the server.
// One goroutine puts, one takes.
type prefetch struct {
	messages chan jetstream.Msg
	bytes    atomic.Int64
	room     chan struct{} // holds one: there may be room again
}

func newPrefetch() *prefetch {
	return &prefetch{messages: make(chan jetstream.Msg, pullMessages), room: make(chan struct{}, 1)}
}

// put waits until there is room for m, or ctx ends.
func (f *prefetch) put(ctx context.Context, m jetstream.Msg) {
	for f.bytes.Load() > heldBytes {
		select {
		case <-f.room:
		case <-ctx.Done():
			return
		}
	}
	f.bytes.Add(int64(len(m.Data())))
	select {
	case f.messages <- m:
	case <-ctx.Done():
	}
}

// release makes the room of m, which has been taken from messages, free.
func (f *prefetch) release(m jetstream.Msg) {
	n := int64(len(m.Data()))
	if left := f.bytes.Add(-n); left+n > heldBytes {
		select {
		case f.room <- struct{}{}:
		default:
		}
	}
}

// place says where a reader stands in the stream and in what its consumer delivered.
type place struct {
	at        uint64 // the last stream sequence taken from fetched
	delivered uint64 // the last consumer sequence
	fetched   *prefetch
	gap       func(first, last uint64) // called for sequences that no event has
	waiting   *schema.Record           // taken, but not yet given to the reader
}

// await takes the next message, unless one is waiting already.
func (p *place) await(ctx context.Context, broke <-chan error) error {
	if p.waiting != nil {
		return nil
	}
	select {
	case m := <-p.fetched.messages:
		return p.take(m)
	case err := <-broke:
		return broken(ctx, err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *place) take(m jetstream.Msg) error {
	p.fetched.release(m)
	meta, err := m.Metadata()
	if err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	if meta.Sequence.Consumer != p.delivered+1 {
		return fmt.Errorf("%w: it jumped from its message %d to %d", errBroken, p.delivered, meta.Sequence.Consumer)
	}
	p.delivered++
	seq := meta.Sequence.Stream
	if seq > p.at+1 {
		p.gap(p.at+1, seq-1)
	}
	p.waiting = &schema.Record{Seq: seq, Missing: seq - p.at - 1, Subject: m.Subject(), Time: meta.Timestamp, Data: m.Data()}
	p.at = seq
	return nil
}

// gather returns the batch that begins with what is waiting: all that has arrived, up to the durable sequence.
func (p *place) gather(durable uint64) ([]schema.Record, error) {
	var batch []schema.Record
	for bytes := 0; p.waiting != nil && p.waiting.Seq <= durable && len(batch) < maxRecords && bytes < recordsBytes; {
		bytes += len(p.waiting.Data)
		batch = append(batch, *p.waiting)
		p.waiting = nil
		select {
		case m := <-p.fetched.messages:
			if err := p.take(m); err != nil {
				return nil, err
			}
		default:
		}
	}
	return batch, nil
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
