package gate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/streams"
)

func TestAccessLimits(t *testing.T) {
	w := newAccessWorld(t)
	nc := w.connect("subscriber")
	filters := make([]string, maxReaderFilters+1)
	for i := range filters {
		filters[i] = fmt.Sprintf("certs.order.issued.p%d", i)
	}
	config := jetstream.ConsumerConfig{Name: "own", AckPolicy: jetstream.AckNonePolicy, FilterSubjects: filters, MemoryStorage: true}
	js := w.jetstream(nc)
	if _, err := js.CreateConsumer(w.ctx, streams.StreamName, config); err == nil {
		t.Error("too many filters were taken")
	}
	if err := nc.Publish("$JS.API.STREAM.INFO.CERTTRAIL", make([]byte, maxReaderPayload+1)); !errors.Is(err, nats.ErrMaxPayload) {
		t.Errorf("a big request: %v", err)
	}
	direct := `{"stream_name":"CERTTRAIL","config":{"ack_policy":"none","deliver_subject":"_INBOX.x",%q:true}}`
	for _, kind := range []string{"direct", "sourcing"} { // they are not counted
		if answer := w.ask(nc, "$JS.API.CONSUMER.CREATE.CERTTRAIL", fmt.Sprintf(direct, kind)); answer.Error == nil {
			t.Errorf("a %s consumer was made", kind)
		}
	}
	config.FilterSubjects = nil
	for i := len(accessOurs); i < maxReaderConsumers; i++ {
		config.Name = fmt.Sprint("own-", i)
		_, err := js.CreateConsumer(w.ctx, streams.StreamName, config)
		w.must(err)
	}
	config.Name = "one-more"
	if _, err := js.CreateConsumer(w.ctx, streams.StreamName, config); err == nil {
		t.Error("too many consumers were made")
	}
	if _, err := w.js.CreateConsumer(w.ctx, streams.StreamName, jetstream.ConsumerConfig{Durable: "certtrail-more"}); err != nil {
		t.Errorf("our own consumer: %v", err)
	}
}

// A big answer passes, though big requests do not.
func TestAccessBigEvents(t *testing.T) {
	w := newAccessWorld(t)
	big := strings.Repeat("x", 4<<20)
	w.publish("certs.order.issued.digicert.big", big)
	nc := w.connect("subscriber")
	answer, err := nc.RequestWithContext(w.ctx, "$JS.API.STREAM.MSG.GET.CERTTRAIL", fmt.Appendf(nil, `{"seq":%d}`, accessEvents+1))
	w.must(err)
	if len(answer.Data) < len(big) {
		t.Errorf("got %d bytes", len(answer.Data))
	}
	c, err := w.jetstream(nc).OrderedConsumer(w.ctx, streams.StreamName, jetstream.OrderedConsumerConfig{FilterSubjects: []string{"certs.*.*.*.big"}})
	w.must(err)
	m, err := c.Next()
	w.must(err)
	if len(m.Data()) != len(big) {
		t.Errorf("got %d bytes", len(m.Data()))
	}
}

// An event that is too long as an answer in JSON is refused there, and comes all the same by a consumer.
func TestAccessLongestEvent(t *testing.T) {
	w := newAccessWorld(t)
	longest := strings.Repeat("x", 7<<20)
	w.publish("certs.order.issued.digicert.longest", longest)
	nc := w.connect("subscriber")
	if answer := w.ask(nc, "$JS.API.STREAM.MSG.GET.CERTTRAIL", fmt.Sprintf(`{"seq":%d}`, accessEvents+1)); answer.Error == nil {
		t.Error("an answer that is longer than a message")
	}
	stream, err := w.jetstream(nc).Stream(w.ctx, streams.StreamName)
	w.must(err)
	m, err := stream.GetMsg(w.ctx, accessEvents+1) // a direct get, which is no JSON
	w.must(err)
	if len(m.Data) != len(longest) {
		t.Errorf("got %d bytes", len(m.Data))
	}
}

// Requests that are wrong or about nothing are answered like others, so that they keep nobody waiting.
func TestAccessIdleQuestions(t *testing.T) {
	w := newAccessWorld(t)
	nc := w.connect("subscriber")
	began := time.Now()
	for _, q := range questions() {
		for _, name := range []string{"none", "*", ">", "a/b", `a\\b`} {
			for _, body := range []string{"", "{", "[]", "x", `{"seq":-1}`, `{"stream_name":"CERTTRAIL"}`, `{"stream_name":"OTHER","config":{"name":"none"}}`, `{"offset":1000000}`, `{"group":"x"}`} {
				subject := strings.NewReplacer("*", name, ">", name).Replace(q.subject)
				if _, err := nc.RequestWithContext(w.ctx, subject, []byte(body)); err != nil {
					t.Fatalf("%s %s: %v", subject, body, err)
				}
			}
		}
	}
	if took := time.Since(began); took >= gateTimeout {
		t.Errorf("took %s", took)
	}
}
