package gate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/streams"
)

func TestAccessPlainSubscription(t *testing.T) {
	w := newAccessWorld(t)
	nc := w.connect("subscriber")
	for _, filter := range []string{"certs.order.issued.>", "certs.>", "certs.*.*.digicert.>"} {
		sub, err := nc.SubscribeSync(filter)
		w.must(err)
		queue, err := nc.QueueSubscribeSync(filter, "workers")
		w.must(err)
		w.must(nc.Flush())
		w.publish("certs.order.issued.digicert.77", `{"id":"77"}`)
		for _, s := range []*nats.Subscription{sub, queue} {
			if m := w.next(s); m.Subject != "certs.order.issued.digicert.77" || string(m.Data) != `{"id":"77"}` {
				t.Errorf("%s: got %s %s", filter, m.Subject, m.Data)
			}
			w.must(s.Unsubscribe())
		}
	}
}

func TestAccessStreamInfoAndMessages(t *testing.T) {
	w := newAccessWorld(t)
	for _, user := range []string{"subscriber", "operator"} {
		js := w.jetstream(w.connect(user))
		stream, err := js.Stream(w.ctx, streams.StreamName)
		w.must(err)
		info, err := stream.Info(w.ctx, jetstream.WithSubjectFilter("certs.order.issued.>"))
		w.must(err)
		if info.State.LastSeq != accessEvents || len(info.State.Subjects) != accessEvents {
			t.Errorf("%s: state %+v", user, info.State)
		}
		m, err := stream.GetMsg(w.ctx, 2)
		w.must(err)
		if m.Subject != "certs.order.issued.digicert.1" {
			t.Errorf("%s: message 2 is of %s", user, m.Subject)
		}
		m, err = stream.GetLastMsgForSubject(w.ctx, "certs.order.issued.digicert.3")
		w.must(err)
		if m.Sequence != 4 {
			t.Errorf("%s: last of 3 is %d", user, m.Sequence)
		}
		name, err := js.StreamNameBySubject(w.ctx, "certs.order.issued.>")
		w.must(err)
		if name != streams.StreamName {
			t.Errorf("%s: stream of the subject is %q", user, name)
		}
		account, err := js.AccountInfo(w.ctx)
		w.must(err)
		if account.Streams != 1 {
			t.Errorf("%s: account %+v", user, account)
		}
	}
}

// The requests that `nats stream ls`, `nats stream info` and `nats consumer ls` make.
func TestAccessListings(t *testing.T) {
	w := newAccessWorld(t)
	nc := w.connect("subscriber")
	for subject, body := range map[string]string{
		"STREAM.NAMES": "", "STREAM.LIST": "", "STREAM.INFO.CERTTRAIL": "", "CONSUMER.NAMES.CERTTRAIL": "", "CONSUMER.LIST.CERTTRAIL": "",
		"CONSUMER.INFO.CERTTRAIL.certtrail-tail": "", "STREAM.MSG.GET.CERTTRAIL": `{"seq":1}`,
	} {
		w.done(nc, "$JS.API."+subject, body)
	}
	stream, err := w.jetstream(nc).Stream(w.ctx, streams.StreamName)
	w.must(err)
	names := map[string]bool{}
	for info := range stream.ListConsumers(w.ctx).Info() {
		names[info.Name] = true
	}
	for _, name := range accessOurs {
		if !names[name] {
			t.Errorf("%s is not listed in %v", name, names)
		}
	}
}

func TestAccessOrderedConsumer(t *testing.T) {
	w := newAccessWorld(t)
	js := w.jetstream(w.connect("subscriber"))
	c, err := js.OrderedConsumer(w.ctx, streams.StreamName, jetstream.OrderedConsumerConfig{FilterSubjects: []string{"certs.order.issued.>"}})
	w.must(err)
	got := make(chan jetstream.Msg, 100)
	consuming, err := c.Consume(func(m jetstream.Msg) { got <- m })
	w.must(err)
	defer consuming.Stop()
	w.publish("certs.order.issued.digicert.live", `{}`)
	for seq := uint64(1); seq <= accessEvents+1; seq++ {
		select {
		case m := <-got:
			meta, err := m.Metadata()
			w.must(err)
			if meta.Sequence.Stream != seq || !strings.HasPrefix(m.Subject(), "certs.order.issued.digicert.") {
				t.Errorf("event %d came as %d on %s", seq, meta.Sequence.Stream, m.Subject())
			}
		case <-w.ctx.Done():
			t.Fatal("no event")
		}
	}
}

func TestAccessDurablePullConsumer(t *testing.T) {
	w := newAccessWorld(t)
	for _, user := range []string{"subscriber", "operator"} {
		js := w.jetstream(w.connect(user))
		config := jetstream.ConsumerConfig{Durable: "own-" + user, AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 1, FilterSubject: "certs.order.>", Metadata: map[string]string{"team": "x"}}
		c, err := js.CreateOrUpdateConsumer(w.ctx, streams.StreamName, config)
		w.must(err)
		// Fetch, acknowledge, fetch: with one pending at most, the acknowledgement must not be overtaken.
		for seq := range uint64(3) {
			batch, err := c.FetchNoWait(1)
			w.must(err)
			m := <-batch.Messages()
			if m == nil {
				t.Fatalf("%s: no event %d: %v", user, seq+1, batch.Error())
			}
			if meta, err := m.Metadata(); err != nil || meta.Sequence.Stream != seq+1 {
				t.Fatalf("%s: metadata %+v, %v", user, meta, err)
			}
			w.must(m.Ack())
		}
		batch, err := c.Fetch(1)
		w.must(err)
		m := <-batch.Messages()
		w.must(m.InProgress())
		w.must(m.Nak())
		it, err := c.Messages()
		w.must(err)
		again, err := it.Next(jetstream.NextContext(w.ctx))
		w.must(err)
		if meta, err := again.Metadata(); err != nil || meta.Sequence.Stream != 4 || meta.NumDelivered != 2 {
			t.Errorf("%s: redelivered %+v, %v", user, meta, err)
		}
		w.must(again.DoubleAck(w.ctx))
		last, err := it.Next(jetstream.NextContext(w.ctx))
		w.must(err)
		w.must(last.TermWithReason("no use"))
		it.Stop()
		config.Description, config.MaxAckPending = "updated", 10
		c, err = js.UpdateConsumer(w.ctx, streams.StreamName, config)
		w.must(err)
		info, err := c.Info(w.ctx)
		w.must(err)
		if info.Config.Description != "updated" || info.Config.FilterSubject != "certs.order.>" || info.Config.Metadata["team"] != "x" {
			t.Errorf("%s: config %+v", user, info.Config)
		}
		_, err = js.PauseConsumer(w.ctx, streams.StreamName, "own-"+user, time.Now().Add(time.Hour))
		w.must(err)
		_, err = js.ResumeConsumer(w.ctx, streams.StreamName, "own-"+user)
		w.must(err)
		if info, err = c.Info(w.ctx); err != nil || info.AckFloor.Stream != accessEvents {
			t.Errorf("%s: read up to %+v, %v", user, info, err)
		}
		w.done(w.connect(user), "$JS.API.CONSUMER.RESET.CERTTRAIL.own-"+user, `{"seq":2}`)
		if info, err = c.Info(w.ctx); err != nil || info.AckFloor.Stream != 1 {
			t.Errorf("%s: after the reset, read up to %+v, %v", user, info, err)
		}
		w.must(js.DeleteConsumer(w.ctx, streams.StreamName, "own-"+user))
		if _, err := js.Consumer(w.ctx, streams.StreamName, "own-"+user); !errors.Is(err, jetstream.ErrConsumerNotFound) {
			t.Errorf("%s: a deleted consumer: %v", user, err)
		}
	}
}

func TestAccessDirectGetBatch(t *testing.T) {
	w := newAccessWorld(t)
	nc := w.connect("subscriber")
	inbox := nc.NewRespInbox()
	sub, err := nc.SubscribeSync(inbox)
	w.must(err)
	w.must(nc.PublishRequest("$JS.API.DIRECT.GET.CERTTRAIL", inbox, []byte(`{"seq":1,"batch":3}`)))
	for seq := range 3 {
		if m := w.next(sub); m.Header.Get("Nats-Sequence") != fmt.Sprint(seq+1) {
			t.Errorf("message %d: %v", seq+1, m.Header)
		}
	}
	if m := w.next(sub); m.Header.Get("Status") != "204" {
		t.Errorf("end of batch: %v", m.Header)
	}
}

func TestAccessPushConsumer(t *testing.T) {
	w := newAccessWorld(t)
	for _, user := range []string{"subscriber", "operator"} {
		js, err := w.connect(user).JetStream(nats.Context(w.ctx))
		w.must(err)
		for name, opts := range map[string][]nats.SubOpt{
			"ephemeral": {nats.DeliverAll()},
			"durable":   {nats.Durable("push-" + user), nats.DeliverAll(), nats.ManualAck()},
			"ordered":   {nats.OrderedConsumer()},
			"flow":      {nats.DeliverAll(), nats.EnableFlowControl(), nats.IdleHeartbeat(time.Second), nats.AckExplicit()},
		} {
			sub, err := js.SubscribeSync("certs.order.issued.>", opts...)
			if err != nil {
				t.Fatalf("%s %s: %v", user, name, err)
			}
			for seq := range uint64(accessEvents) {
				m := w.next(sub)
				if meta, err := m.Metadata(); err != nil || meta.Sequence.Stream != seq+1 || m.Subject != fmt.Sprintf("certs.order.issued.digicert.%d", seq) {
					t.Fatalf("%s %s: event %d came as %+v on %s (%v)", user, name, seq+1, meta, m.Subject, err)
				}
				if name != "ordered" {
					w.must(m.AckSync(nats.Context(w.ctx)))
				}
			}
			info, err := sub.ConsumerInfo()
			w.must(err)
			if !strings.HasPrefix(info.Config.DeliverSubject, "_INBOX.") {
				t.Errorf("%s %s: delivers to %q", user, name, info.Config.DeliverSubject)
			}
			w.must(sub.Unsubscribe())
		}
	}
}

// A client that comes back finds its durable push consumer by what its information says of the delivery subject.
func TestAccessPushConsumerIsFoundAgain(t *testing.T) {
	w := newAccessWorld(t)
	nc := w.connect("subscriber")
	js, err := nc.JetStream(nats.Context(w.ctx))
	w.must(err)
	_, err = js.AddConsumer(streams.StreamName, &nats.ConsumerConfig{Durable: "queue", DeliverSubject: nats.NewInbox(), DeliverGroup: "workers", AckPolicy: nats.AckExplicitPolicy})
	w.must(err)
	for round := range 2 {
		if round == 1 {
			w.publish("certs.order.issued.digicert.later", `{}`)
		}
		sub, err := js.QueueSubscribeSync("", "workers", nats.Bind(streams.StreamName, "queue"), nats.ManualAck())
		w.must(err)
		for acked := uint64(0); acked < uint64(accessEvents+round); {
			m := w.next(sub)
			w.must(m.AckSync(nats.Context(w.ctx)))
			meta, err := m.Metadata()
			w.must(err)
			acked = meta.Sequence.Stream
		}
		w.must(sub.Unsubscribe())
		w.must(nc.Flush()) // else the next event may still be sent to this subscription
	}
}

func TestAccessLegacyPullSubscription(t *testing.T) {
	w := newAccessWorld(t)
	js, err := w.connect("subscriber").JetStream(nats.Context(w.ctx))
	w.must(err)
	sub, err := js.PullSubscribe("certs.order.>", "pull")
	w.must(err)
	messages, err := sub.Fetch(accessEvents, nats.Context(w.ctx))
	w.must(err)
	if len(messages) != accessEvents {
		t.Errorf("%d events", len(messages))
	}
	w.must(sub.Unsubscribe())
}

// The gate's connections come back by themselves, say after the server dropped them for being slow.
func TestAccessGateReconnects(t *testing.T) {
	w := newAccessWorld(t)
	nc := w.connect("subscriber")
	conns, err := w.ns.Connz(&server.ConnzOptions{Username: true})
	w.must(err)
	dropped := 0
	for _, c := range conns.Conns {
		if strings.HasPrefix(c.Name, "certtrail gate") {
			w.must(w.ns.DisconnectClientByID(c.Cid))
			dropped++
		}
	}
	if dropped != 4 {
		t.Errorf("%d connections of the gate, not 4", dropped)
	}
	for {
		if _, err := w.jetstream(nc).Stream(w.ctx, streams.StreamName); err == nil {
			return
		} else if w.ctx.Err() != nil {
			t.Fatal("the gate did not come back")
		}
	}
}

func TestAccessOperatorManagesOurConsumers(t *testing.T) {
	w := newAccessWorld(t)
	js := w.jetstream(w.connect("operator"))
	_, err := js.PauseConsumer(w.ctx, streams.StreamName, "certtrail-tail", time.Now().Add(time.Hour))
	w.must(err)
	_, err = js.ResumeConsumer(w.ctx, streams.StreamName, "certtrail-tail")
	w.must(err)
	w.must(js.DeleteConsumer(w.ctx, streams.StreamName, "certtrail-tail"))
	if _, err := w.js.Consumer(w.ctx, streams.StreamName, "certtrail-tail"); !errors.Is(err, jetstream.ErrConsumerNotFound) {
		t.Errorf("a deleted consumer: %v", err)
	}
}
