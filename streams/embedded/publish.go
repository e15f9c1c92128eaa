package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
)

// turnAfter limits how long messages may be unanswered before the server is asked for something that it refuses in its
// turn.
const turnAfter = time.Second

var (
	errDropped      = errors.New("the server could not write it")
	errNoAnswer     = errors.New("the server did not answer in time")
	errNoResponders = errors.New("nobody takes messages for the stream")
)

// publisher publishes messages together and takes the stream's answers. The client library's own gives each message a
// timer, a future and a reply subject of its own, which together cost more than all else between a delivery and its
// sync. One goroutine uses a publisher at a time.
type publisher struct {
	nc      *nats.Conn
	most    int           // messages at once
	timeout time.Duration // how long one may be unanswered after the last was published
	turn    time.Duration // turnAfter
	ordered bool          // none goes after one that could not be sent

	sub     *nats.Subscription // nil: none yet, or the last one may still bring late answers
	answers chan *nats.Msg
	prefix  string   // of the reply subjects, which end with a message's place
	replies []string // the reply subjects
}

func newPublisher(nc *nats.Conn, most int) *publisher {
	return &publisher{nc: nc, most: most, timeout: askTimeout, turn: turnAfter}
}

// outcome says what became of one message. A duplicate's sequence is that of its first.
type outcome struct {
	seq       uint64
	duplicate bool
	err       error // a clear no from the stream wraps *jetstream.APIError; after any other the message may be in the stream
}

// publish publishes at most p.most messages and returns what became of each, in their order.
func (p *publisher) publish(msgs []*nats.Msg) []outcome {
	outcomes := make([]outcome, len(msgs))
	if err := p.listen(); err != nil {
		fail(outcomes, err)
		return outcomes
	}
	waiting := 0
	for i, m := range msgs {
		m.Reply = p.replies[i]
		if err := p.nc.PublishMsg(m); err != nil {
			outcomes[i].err = err
			if p.ordered {
				fail(outcomes[i+1:], err)
				break
			}
			continue
		}
		outcomes[i].err = errNoAnswer
		waiting++
	}
	p.await(outcomes, waiting)
	return outcomes
}

func fail(outcomes []outcome, err error) {
	for i := range outcomes {
		outcomes[i].err = err
	}
}

// listen makes sure that answers arrive, and none of an earlier call.
func (p *publisher) listen() (err error) {
	if p.sub != nil {
		return nil
	}
	p.prefix = p.nc.NewInbox() + "."
	p.answers = make(chan *nats.Msg, p.most)
	p.replies = make([]string, p.most)
	for i := range p.replies {
		p.replies[i] = p.prefix + strconv.Itoa(i)
	}
	p.sub, err = p.nc.ChanSubscribe(p.prefix+"*", p.answers)
	return err
}

// await takes so many answers, as long as they come in time. What has none when the server has seen all of it was
// dropped.
func (p *publisher) await(outcomes []outcome, waiting int) {
	timer := time.NewTimer(p.timeout)
	defer timer.Stop()
	turn := time.NewTimer(p.turn)
	defer turn.Stop()
	asked := false
	for waiting > 0 {
		select {
		case m := <-p.answers:
			switch i, err := strconv.Atoi(m.Subject[len(p.prefix):]); {
			case err != nil: // it is the answer to the question
				p.forget()
				for i := range outcomes {
					if errors.Is(outcomes[i].err, errNoAnswer) {
						outcomes[i].err = errDropped
					}
				}
				return
			case i < len(outcomes) && outcomes[i].err == errNoAnswer:
				outcomes[i] = readAnswer(m)
				waiting--
			}
		case <-turn.C:
			asked = p.nc.PublishMsg(refusedInTurn(p.prefix+"turn")) == nil // if it cannot be sent, nothing can be answered
		case <-timer.C:
			p.forget()
			return
		}
	}
	if asked { // its answer is still to come, and would be taken for the next call's
		p.forget()
	}
}

// settle returns when the server has seen to all that was published before, or with an error when it does not say so in
// time.
func (p *publisher) settle(timeout time.Duration) error {
	answer, err := p.nc.RequestMsg(refusedInTurn(""), timeout)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	if o := readAnswer(answer); !isRefusal(o.err) {
		return fmt.Errorf("%w: %w", errNoResponders, o.err)
	}
	return nil
}

// refusedInTurn returns a message that names another stream, which the server refuses in its turn: after all that was
// published before it.
func refusedInTurn(reply string) *nats.Msg {
	return &nats.Msg{
		Subject: strings.TrimSuffix(schema.Subjects, ">") + "none", Reply: reply, Header: nats.Header{jetstream.ExpectedStreamHeader: []string{"none"}},
	}
}

// forget makes the next call listen elsewhere, so that answers that come too late are taken for nobody's.
func (p *publisher) forget() {
	p.sub.Unsubscribe() // it fails if the connection is closed, and then there is none
	p.sub = nil
}

// plainAnswer begins an answer that is neither a refusal nor for a duplicate, which is nearly every one.
var plainAnswer = []byte(`{"stream":"` + streams.StreamName + `","seq":`)

func readAnswer(m *nats.Msg) outcome {
	if rest, ok := bytes.CutPrefix(m.Data, plainAnswer); ok {
		if seq, err := strconv.ParseUint(string(bytes.TrimSuffix(rest, []byte("}"))), 10, 64); err == nil {
			return outcome{seq: seq}
		}
	}
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		return outcome{err: errNoResponders}
	}
	var ack struct {
		Error     *jetstream.APIError `json:"error"`
		Seq       uint64              `json:"seq"`
		Duplicate bool                `json:"duplicate"`
	}
	switch err := json.Unmarshal(m.Data, &ack); {
	case err != nil:
		return outcome{err: fmt.Errorf("the stream's answer cannot be read: %w", err)}
	case ack.Error != nil:
		return outcome{err: ack.Error}
	case ack.Seq == 0:
		return outcome{err: errors.New("the stream's answer has no sequence")}
	}
	return outcome{seq: ack.Seq, duplicate: ack.Duplicate}
}
