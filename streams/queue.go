package streams

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
)

// Limits of a queue.
const (
	queueAckWait = 10 * time.Minute // after which a record that nobody has seen to is given again: longer than anybody takes for one
	queuePending = 1000             // records given and not yet done, those put off among them
	queuePull    = 30 * time.Second // one question to the server for the next record
)

// Queue gives records to somebody who acts on them, each again until it is done. The server keeps what is done, so that
// a restart forgets no record; one that was done just before a crash may be given once more. Its Next is for one
// goroutine at a time.
type Queue struct {
	log      *Log
	config   jetstream.ConsumerConfig
	consumer jetstream.Consumer
}

// Queue opens the queue of that name of the events whose subject matches the NATS filter. What the log held before the
// queue first existed is not in it.
func (l *Log) Queue(ctx context.Context, name, filter string) (*Queue, error) {
	q := &Queue{log: l, config: jetstream.ConsumerConfig{
		Durable: ConsumerPrefix + name, FilterSubject: filter, DeliverPolicy: jetstream.DeliverNewPolicy, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: queueAckWait, MaxAckPending: queuePending, Replicas: 1,
	}}
	if err := q.open(ctx); err != nil {
		return nil, fmt.Errorf("couldn't open the queue %s of the log: %w", name, err)
	}
	return q, nil
}

func (q *Queue) open(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s, err := q.log.server.Session()
	if err != nil {
		return err
	}
	q.consumer, err = s.Stream.CreateOrUpdateConsumer(ctx, q.config)
	return err
}

// Next returns the next record that is durable and not done, once there is one.
func (q *Queue) Next(ctx context.Context) (schema.Task, error) {
	for {
		m, err := q.pull(ctx)
		if err != nil {
			return schema.Task{}, err
		}
		if m == nil {
			continue
		}
		meta, err := m.Metadata()
		if err != nil {
			return schema.Task{}, fmt.Errorf("the log's queue gave what is no record of it: %w", err)
		}
		seq := meta.Sequence.Stream
		if _, err := q.log.durable.Wait(ctx, seq); err != nil {
			return schema.Task{}, errors.Join(err, m.Nak())
		}
		return schema.Task{
			Record: schema.Record{Seq: seq, Subject: m.Subject(), Time: meta.Timestamp, Data: m.Data()}, Try: int(meta.NumDelivered), Done: m.Ack, Later: m.NakWithDelay,
		}, nil
	}
}

// pull asks for one record, and returns nil when none came for a while.
func (q *Queue) pull(ctx context.Context) (jetstream.Msg, error) {
	asking, cancel := context.WithTimeout(ctx, queuePull)
	defer cancel()
	batch, err := q.consumer.Fetch(1, jetstream.FetchContext(asking))
	if err == nil {
		for m := range batch.Messages() {
			return m, nil
		}
		err = batch.Error()
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, jetstream.ErrNoMessages):
		return nil, nil
	}
	if _, err := q.log.server.Session(); errors.Is(err, ErrClosed) {
		return nil, ErrClosed
	}
	// The server is about to stop, or an operator deleted the consumer.
	if err := pause(ctx, retryInterval); err != nil {
		return nil, err
	}
	if err := q.open(ctx); err != nil {
		q.log.logger.Warn("a queue of the log cannot be read, which is tried again", "queue", q.config.Durable, "error", err)
	}
	return nil, nil
}
