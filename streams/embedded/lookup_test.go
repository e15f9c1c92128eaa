package embedded

import (
	"context"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/streams/streamstest"
)

// breaking gives, as a stream, no event from a sequence on, as when the time for a look is over.
type breaking struct {
	jetstream.Stream
	from uint64
}

func (s *breaking) GetMsg(ctx context.Context, seq uint64, o ...jetstream.GetMsgOpt) (*jetstream.RawStreamMsg, error) {
	if seq >= s.from {
		return nil, errNoAnswer
	}
	return s.Stream.GetMsg(ctx, seq, o...)
}

// TestALookGoesOnWhereItBrokeOff breaks a look off in its midst: what it has found counts, and the next begins behind
// it.
func TestALookGoesOnWhereItBrokeOff(t *testing.T) {
	l := openLog(t, Options{})
	list := streamstest.Raws(t, 0, 9)
	if n, err := l.AppendAll(t.Context(), list); n != 9 || err != nil {
		t.Fatal(n, err)
	}
	whole := l.session.Reading
	early, late := &submission{id: list[2].ID, retry: true}, &submission{id: list[7].ID, retry: true}
	batch := []*submission{early, late}
	l.session.Reading = &breaking{whole, 6}
	broken := lookup{log: l}
	if found, err := broken.find(early, batch); !found || early.seq != 3 || err != nil {
		t.Errorf("the early one: %v at %d, %v", found, early.seq, err)
	}
	if found, err := broken.find(late, batch); found || err == nil || late.since != 5 {
		t.Errorf("the late one: %v, %v, and the next look begins after %d, want 5", found, err, late.since)
	}
	l.session.Reading = whole
	next := lookup{log: l}
	if found, err := next.find(late, batch); !found || late.seq != 8 || err != nil {
		t.Errorf("the late one in the end: %v at %d, %v", found, late.seq, err)
	}
}
