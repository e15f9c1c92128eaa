package streams

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
)

// errReadAll ends a Follow that has yielded all that was asked for.
var errReadAll = errors.New("everything has been read")

// NewReader returns a reader that no other shares its name with, for one use; release gives back what the server keeps
// for it.
func (l *Log) NewReader(purpose string) (r *Reader, release func()) {
	r = l.Reader(purpose + "-" + rand.Text())
	return r, func() {
		ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
		defer cancel()
		if s, err := l.server.Session(); err == nil {
			s.Reading.DeleteConsumer(ctx, r.name)
		} // one that stays is removed by the server when readerLifetime has passed
	}
}

// maxServed limits how many events are taken from the server where the block files are unclear, before those are tried
// again: they are read at many times its speed.
const maxServed = 2 * maxRecords

// Read yields the events after the sequence `after` up to `until`, in order, and returns when there are no more. It
// waits until they are durable. Records share memory with others that were read beside them.
func (l *Log) Read(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	last, err := l.lastMessage(ctx)
	if err != nil {
		return err
	}
	if until = min(until, last); until <= after {
		return nil
	}
	if _, err := l.durable.Wait(ctx, until); err != nil {
		return err
	}
	for after < until {
		err = l.readFiles(ctx, after, until, func(records []schema.Record) error {
			after = records[len(records)-1].Seq
			return yield(records)
		})
		if !errors.Is(err, ErrUnclear) {
			return err
		}
		served := 0
		err = l.readServed(ctx, after, until, func(records []schema.Record) error {
			after = records[len(records)-1].Seq
			if err := yield(records); err != nil {
				return err
			}
			if served += len(records); served >= maxServed && l.files != nil {
				return ErrUnclear
			}
			return nil
		})
		if !errors.Is(err, ErrUnclear) {
			return err
		}
	}
	return nil
}

// readFiles does what Read does, out of the server's files, as far as they are plain.
func (l *Log) readFiles(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	if l.files == nil {
		return ErrUnclear
	}
	return l.files.Read(ctx, after, until, l.Gaps(), yield)
}

// readServed does what Read does, as the server delivers it.
func (l *Log) readServed(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	r, release := l.NewReader("read")
	defer release()
	r.serverOnly = true
	err := r.Follow(ctx, after, func(records []schema.Record) error {
		n := len(records)
		all := records[n-1].Seq >= until
		for n > 0 && records[n-1].Seq > until {
			n--
		}
		if n > 0 {
			if err := yield(records[:n]); err != nil {
				return err
			}
		}
		if all {
			return errReadAll
		}
		return nil
	})
	if errors.Is(err, errReadAll) {
		return nil
	}
	return err
}

// lastMessage returns the sequence of the last event that can be read. The stream's own last sequence lies beyond it
// when the log's end was lost, and the server's index of subjects may still name an event that is damaged; so it is
// looked for from the end.
func (l *Log) lastMessage(ctx context.Context) (uint64, error) {
	s, err := l.server.Session()
	if err != nil {
		return 0, err
	}
	stored, err := s.LastStored(ctx)
	if err != nil {
		return 0, err
	}
	seq := stored
	if end, ok := l.Gaps().At(stored); ok {
		seq = end.First - 1
	}
	for ; seq > 0; seq-- {
		_, err := s.Reading.GetMsg(ctx, seq)
		if err == nil {
			break
		}
		if !errors.Is(err, jetstream.ErrMsgNotFound) {
			return 0, fmt.Errorf("couldn't find the log's last event: %w", err)
		}
	}
	if seq < stored {
		l.noteGap(seq+1, stored) // it may be known
	}
	return seq, nil
}
