package embedded

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/streams"
)

// TestEachMessageHasItsOutcome publishes together what the stream takes, knows already, refuses, and what nobody takes.
func TestEachMessageHasItsOutcome(t *testing.T) {
	l := openLog(t, Options{})
	p := newPublisher(l.session.nc, 10)
	known := nats.Header{jetstream.MsgIDHeader: []string{"probely:1"}}
	const subject = "certs.order.issued.digicert.1"
	outcomes := p.publish([]*nats.Msg{
		{Subject: subject, Data: []byte("1")},
		{Subject: subject, Data: []byte("2"), Header: known},
		{Subject: subject, Data: []byte("2"), Header: known},
		{Subject: subject, Header: nats.Header{jetstream.ExpectedStreamHeader: []string{"none"}}},
		{Subject: "nobody.listens"},
		{Subject: subject, Data: make([]byte, streams.MaxMessage+1)},
		{Subject: subject, Data: []byte("3")},
	})
	for i, want := range []outcome{{seq: 1}, {seq: 2}, {seq: 2, duplicate: true}, {}, {err: errNoResponders}, {err: nats.ErrMaxPayload}, {seq: 3}} {
		if got := outcomes[i]; i != 3 && (got.seq != want.seq || got.duplicate != want.duplicate || !errors.Is(got.err, want.err)) {
			t.Errorf("message %d: %+v, want %+v", i, got, want)
		}
	}
	if !isRefusal(outcomes[3].err) || isRefusal(outcomes[4].err) {
		t.Errorf("a message for another stream: %v; a message for nobody: %v", outcomes[3].err, outcomes[4].err)
	}
}

// TestLateAnswersAreNobodys gives up on messages before they can be answered: the next are not told what became of
// them.
func TestLateAnswersAreNobodys(t *testing.T) {
	l := openLog(t, Options{})
	p := newPublisher(l.session.nc, 100)
	publish := func(n int) (unanswered int, last uint64) {
		msgs := make([]*nats.Msg, n)
		for i := range msgs {
			msgs[i] = &nats.Msg{Subject: "certs.order.issued.digicert.1", Data: []byte(strings.Repeat("x", 1000))}
		}
		for _, o := range p.publish(msgs) {
			if errors.Is(o.err, errNoAnswer) {
				unanswered++
			}
			if o.err == nil && o.seq <= last {
				t.Errorf("sequence %d after %d", o.seq, last)
			}
			last = max(last, o.seq)
		}
		return unanswered, last
	}
	for round := range uint64(20) {
		p.timeout = 1
		unanswered, _ := publish(99)
		p.timeout = askTimeout
		if left, last := publish(1); left != 0 || last != 100*(round+1) {
			t.Fatalf("round %d: after %d messages without an answer the next has sequence %d", round, unanswered, last)
		}
	}
}

// TestTheTurnIsAskedForInVain asks whose turn it is all the time: what the server takes is not taken for dropped.
func TestTheTurnIsAskedForInVain(t *testing.T) {
	l := openLog(t, Options{})
	p := newPublisher(l.session.nc, 100)
	p.turn = time.Microsecond
	for round := range 200 {
		msgs := make([]*nats.Msg, 1+round%100)
		for i := range msgs {
			msgs[i] = &nats.Msg{Subject: "certs.order.issued.digicert.1", Data: []byte(strings.Repeat("x", 1000))}
		}
		for i, o := range p.publish(msgs) {
			if o.err != nil {
				t.Fatalf("round %d, message %d: %v", round, i, o.err)
			}
		}
	}
}
