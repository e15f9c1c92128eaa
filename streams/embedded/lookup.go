package embedded

import (
	"context"
	"errors"
	"math"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
)

// lookup finds the events of a batch of which an earlier publish was not acknowledged, among what the log has taken
// since: all that was published is in it by now, or nothing would be published again (revive). That others were
// acknowledged says nothing of these. Each event is read once for all of them.
type lookup struct {
	log *Log
	ids map[string]uint64 // of the events that were read; nil: none was
	err error             // why not all were
}

// find reports whether the log has a, at a.seq then. batch is what is looked for with it.
func (l *lookup) find(a *submission, batch []*submission) (found bool, err error) {
	if l.ids == nil {
		l.read(batch)
	}
	if a.seq, found = l.ids[a.id]; found {
		return true, nil
	}
	return false, l.err
}

// read reads what the log has taken since the oldest of the batch was published. After an error the next look goes on
// where this one ended.
func (l *lookup) read(batch []*submission) {
	since := uint64(math.MaxUint64)
	for _, a := range batch {
		if a.retry {
			since = min(since, a.since)
		}
	}
	l.ids = map[string]uint64{}
	var last uint64
	last, l.err = l.log.idsSince(since, l.ids)
	for _, a := range batch {
		if _, found := l.ids[a.id]; a.retry && !found {
			a.since = max(a.since, last)
		}
	}
}

// idsSince notes the sequences of all events after since by their ids. It returns the last sequence that it has looked
// at, also with an error.
func (l *Log) idsSince(since uint64, ids map[string]uint64) (last uint64, err error) {
	s, err := l.use()
	if err != nil {
		return since, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	stored, err := s.LastStored(ctx)
	if err != nil {
		return since, err
	}
	for last = since; last < stored; last++ {
		msg, err := s.Reading.GetMsg(ctx, last+1)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return last, err
		}
		if e, err := schema.Decode(msg.Data); err == nil { // another is none of ours
			ids[e.ID] = last + 1
		}
	}
	return last, nil
}
