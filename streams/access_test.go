package streams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const accessEvents = 5 // in the stream when a test begins

var accessOurs = []string{"certtrail-projections", "certtrail-rebuild", "certtrail-tail", "certtrail-export", "certtrail-describe", "certtrail-live", "deploys"}

// accessWorld is a server with its stream, our consumers and the gate.
type accessWorld struct {
	t        *testing.T
	ctx      context.Context
	ns       *server.Server
	internal internalUser
	dir      string
	nc       *nats.Conn // our own
	js       jetstream.JetStream
	forbid   []*nats.Subscription // what must never be published in the log's account while readers are at work
}

func newAccessWorld(t *testing.T) *accessWorld {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	w := &accessWorld{t: t, ctx: ctx, dir: t.TempDir()}
	w.start()
	return w
}

var accessPasswords = Access{Subscriber: "s3cret/of subscriber", Operator: "s3cret of operator"}

// start starts a server and, where there is none, makes a stream with events and our consumers on it.
func (w *accessWorld) start() {
	w.t.Helper()
	w.internal = newInternalUser()
	opts := &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: w.dir, NoSigs: true, NoLog: true, DontListen: true, MaxPayload: 8 << 20}
	applyAccess(opts, accessPasswords, w.internal)
	ns, err := server.NewServer(opts)
	w.must(err)
	w.ns = ns
	ns.Start()
	w.t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(10 * time.Second) {
		w.t.Fatal("the server is not ready")
	}
	w.nc, err = nats.Connect("", nats.InProcessServer(ns), nats.UserInfo(w.internal.name, w.internal.password), nats.CustomInboxPrefix(w.internal.inboxPrefix))
	w.must(err)
	w.t.Cleanup(w.nc.Close)
	w.js, err = jetstream.New(w.nc)
	w.must(err)
	if _, err := w.js.Stream(w.ctx, StreamName); errors.Is(err, jetstream.ErrStreamNotFound) {
		w.fill()
	}
	g, err := startGate(ns, accessPasswords, w.internal, "Deploys")
	w.must(err)
	w.t.Cleanup(g.close)
	w.must(openListener(ns))
}

func (w *accessWorld) fill() {
	w.t.Helper()
	_, err := w.js.CreateStream(w.ctx, jetstream.StreamConfig{
		Name: StreamName, Subjects: []string{"certs.>"}, Discard: jetstream.DiscardNew, DenyDelete: true, DenyPurge: true, AllowDirect: true, MaxMsgSize: 8 << 20,
	})
	w.must(err)
	for i := range accessEvents {
		w.publish(fmt.Sprintf("certs.order.issued.digicert.%d", i), fmt.Sprintf(`{"id":"%d"}`, i))
	}
	for _, name := range accessOurs {
		_, err := w.js.CreateConsumer(w.ctx, StreamName, jetstream.ConsumerConfig{Durable: name, AckPolicy: jetstream.AckExplicitPolicy})
		w.must(err)
	}
	c, err := w.js.Consumer(w.ctx, StreamName, accessOurs[0])
	w.must(err)
	batch, err := c.Fetch(2) // one acknowledged, one pending
	w.must(err)
	m := <-batch.Messages()
	w.must(m.DoubleAck(w.ctx))
}

func (w *accessWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *accessWorld) publish(subject, data string) {
	w.t.Helper()
	_, err := w.js.Publish(w.ctx, subject, []byte(data))
	w.must(err)
}

// connect is an ordinary client that is given nothing but a URL.
func (w *accessWorld) connect(user string, opts ...nats.Option) *nats.Conn {
	w.t.Helper()
	password := map[string]string{"subscriber": accessPasswords.Subscriber, "operator": accessPasswords.Operator}[user]
	u := url.URL{Scheme: "nats", User: url.UserPassword(user, password), Host: w.ns.Addr().String()}
	nc, err := nats.Connect(u.String(), append([]nats.Option{nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})}, opts...)...)
	w.must(err)
	w.t.Cleanup(nc.Close)
	return nc
}

func (w *accessWorld) jetstream(nc *nats.Conn) jetstream.JetStream {
	w.t.Helper()
	js, err := jetstream.New(nc)
	w.must(err)
	return js
}

func (w *accessWorld) ask(nc *nats.Conn, subject, body string) (answer struct {
	Error *struct{ Description string } `json:"error"`
}) {
	w.t.Helper()
	w.must(json.Unmarshal(w.again(nc, subject, body).Data, &answer))
	return answer
}

func (w *accessWorld) next(sub *nats.Subscription) *nats.Msg {
	w.t.Helper()
	m, err := sub.NextMsgWithContext(w.ctx)
	w.must(err)
	return m
}

// state is all that a reader must not change.
func (w *accessWorld) state() map[string]string {
	w.t.Helper()
	state := map[string]string{}
	note := func(key string, v any) {
		b, err := json.Marshal(v)
		w.must(err)
		state[key] = string(b)
	}
	stream, err := w.js.Stream(w.ctx, StreamName)
	if err != nil {
		w.t.Fatalf("the stream is gone: %v", err)
	}
	info := stream.CachedInfo()
	note("config", info.Config)
	note("range", []uint64{info.State.FirstSeq, info.State.LastSeq, info.State.Msgs})
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq; seq++ {
		m, err := stream.GetMsg(w.ctx, seq)
		w.must(err)
		note(fmt.Sprint("event ", seq), m)
	}
	for _, name := range accessOurs {
		c, err := stream.Consumer(w.ctx, name)
		if err != nil {
			w.t.Fatalf("our consumer %s is gone: %v", name, err)
		}
		i := c.CachedInfo()
		note(name, []any{i.Config, i.Created, i.Delivered.Stream, i.Delivered.Consumer, i.AckFloor.Stream, i.NumAckPending, i.NumRedelivered, i.NumWaiting, i.NumPending, i.Paused})
	}
	return state
}

// watch listens in the log's account for what readers must not be able to have published.
func (w *accessWorld) watch() {
	w.t.Helper()
	for _, subject := range append([]string{"certs.>", w.internal.inboxPrefix + ".victim", "$JS.API.CONSUMER.MSG.NEXT.CERTTRAIL.certtrail-projections"}, accessForbiddenAPI...) {
		sub, err := w.nc.SubscribeSync(subject)
		w.must(err)
		w.forbid = append(w.forbid, sub)
	}
	w.must(w.nc.Flush())
}

// settle waits until the server has done all that nc asked for before: what its gate passes on, and what its consumers do.
// Consumers in memory, here and below: the server (2.15.2) sometimes fails to make one in files whose name was deleted just before.
func (w *accessWorld) settle(nc *nats.Conn) {
	w.t.Helper()
	w.must(nc.Flush())
	w.done(nc, "$JS.API.CONSUMER.CREATE.CERTTRAIL.fence", `{"stream_name":"CERTTRAIL","config":{"name":"fence","ack_policy":"explicit","mem_storage":true}}`)
	w.again(nc, "$JS.API.CONSUMER.MSG.NEXT.CERTTRAIL.fence", `{"batch":1,"no_wait":true}`)
	w.again(nc, "$JS.ACK.CERTTRAIL.fence.1.1.1.1.1", "")
	w.again(nc, "$JS.API.CONSUMER.DELETE.CERTTRAIL.fence", "")
	w.must(w.nc.Flush())
	w.must(nc.Flush())
}

// again asks until there is an answer, as clients do: JetStream leaves some questions without one (of a consumer that is just coming or going).
func (w *accessWorld) again(nc *nats.Conn, subject, body string) *nats.Msg {
	w.t.Helper()
	for {
		m, err := nc.Request(subject, []byte(body), 2*time.Second)
		if err == nil {
			return m
		}
		if w.ctx.Err() != nil {
			w.t.Fatalf("%s: %v", subject, err)
		}
	}
}

// done asks what must not be refused.
func (w *accessWorld) done(nc *nats.Conn, subject, body string) {
	w.t.Helper()
	if answer := w.ask(nc, subject, body); answer.Error != nil {
		w.t.Fatalf("%s: %s", subject, answer.Error.Description)
	}
}

func (w *accessWorld) must2(_ *nats.Msg, err error) {
	w.t.Helper()
	w.must(err)
}

func (w *accessWorld) silent(what string, subs ...*nats.Subscription) {
	w.t.Helper()
	for _, sub := range subs {
		if n, _, _ := sub.Pending(); n > 0 {
			m, err := sub.NextMsg(time.Second)
			w.must(err)
			w.t.Errorf("%s brought a message on %q to a subscription of %q: %.80q", what, m.Subject, sub.Subject, m.Data)
		}
	}
}

var (
	accessForbiddenAPI = []string{
		"$JS.API.STREAM.CREATE.>", "$JS.API.STREAM.UPDATE.>", "$JS.API.STREAM.DELETE.>", "$JS.API.STREAM.PURGE.>", "$JS.API.STREAM.MSG.DELETE.>",
		"$JS.API.STREAM.SNAPSHOT.>", "$JS.API.STREAM.RESTORE.>", "$JS.API.STREAM.LEADER.>", "$JS.API.STREAM.PEER.>", "$JS.API.CONSUMER.LEADER.>",
	}
	accessOwn = `{"stream_name":"CERTTRAIL","config":{"name":"own","ack_policy":"explicit","mem_storage":true%s}}`
)

func accessOwnWith(more string) string { return fmt.Sprintf(accessOwn, more) }

// --- what a subscriber may do

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
		stream, err := js.Stream(w.ctx, StreamName)
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
		if name != StreamName {
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
	stream, err := w.jetstream(nc).Stream(w.ctx, StreamName)
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
	c, err := js.OrderedConsumer(w.ctx, StreamName, jetstream.OrderedConsumerConfig{FilterSubjects: []string{"certs.order.issued.>"}})
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
		c, err := js.CreateOrUpdateConsumer(w.ctx, StreamName, config)
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
		c, err = js.UpdateConsumer(w.ctx, StreamName, config)
		w.must(err)
		info, err := c.Info(w.ctx)
		w.must(err)
		if info.Config.Description != "updated" || info.Config.FilterSubject != "certs.order.>" || info.Config.Metadata["team"] != "x" {
			t.Errorf("%s: config %+v", user, info.Config)
		}
		_, err = js.PauseConsumer(w.ctx, StreamName, "own-"+user, time.Now().Add(time.Hour))
		w.must(err)
		_, err = js.ResumeConsumer(w.ctx, StreamName, "own-"+user)
		w.must(err)
		if info, err = c.Info(w.ctx); err != nil || info.AckFloor.Stream != accessEvents {
			t.Errorf("%s: read up to %+v, %v", user, info, err)
		}
		w.done(w.connect(user), "$JS.API.CONSUMER.RESET.CERTTRAIL.own-"+user, `{"seq":2}`)
		if info, err = c.Info(w.ctx); err != nil || info.AckFloor.Stream != 1 {
			t.Errorf("%s: after the reset, read up to %+v, %v", user, info, err)
		}
		w.must(js.DeleteConsumer(w.ctx, StreamName, "own-"+user))
		if _, err := js.Consumer(w.ctx, StreamName, "own-"+user); !errors.Is(err, jetstream.ErrConsumerNotFound) {
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
	_, err = js.AddConsumer(StreamName, &nats.ConsumerConfig{Durable: "queue", DeliverSubject: nats.NewInbox(), DeliverGroup: "workers", AckPolicy: nats.AckExplicitPolicy})
	w.must(err)
	for round := range 2 {
		if round == 1 {
			w.publish("certs.order.issued.digicert.later", `{}`)
		}
		sub, err := js.QueueSubscribeSync("", "workers", nats.Bind(StreamName, "queue"), nats.ManualAck())
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
		if _, err := w.jetstream(nc).Stream(w.ctx, StreamName); err == nil {
			return
		} else if w.ctx.Err() != nil {
			t.Fatal("the gate did not come back")
		}
	}
}

func TestAccessOperatorManagesOurConsumers(t *testing.T) {
	w := newAccessWorld(t)
	js := w.jetstream(w.connect("operator"))
	_, err := js.PauseConsumer(w.ctx, StreamName, "certtrail-tail", time.Now().Add(time.Hour))
	w.must(err)
	_, err = js.ResumeConsumer(w.ctx, StreamName, "certtrail-tail")
	w.must(err)
	w.must(js.DeleteConsumer(w.ctx, StreamName, "certtrail-tail"))
	if _, err := w.js.Consumer(w.ctx, StreamName, "certtrail-tail"); !errors.Is(err, jetstream.ErrConsumerNotFound) {
		t.Errorf("a deleted consumer: %v", err)
	}
}

// --- what nobody from outside can do

// attack runs f as user and fails if it changed the stream or our consumers, or had anything published where it must not.
func (w *accessWorld) attack(user, name string, f func(*nats.Conn)) {
	w.t.Helper()
	w.t.Run(user+" "+name, func(t *testing.T) {
		t.Helper()
		w := *w
		w.t = t
		before := w.state()
		nc, bystander := w.connect(user), w.connect("subscriber")
		events, err := bystander.SubscribeSync("certs.>")
		w.must(err)
		w.must(bystander.Flush())
		w.done(nc, "$JS.API.CONSUMER.CREATE.CERTTRAIL.own", accessOwnWith(""))
		f(nc)
		w.settle(nc)
		w.must(bystander.Flush())
		if after := w.state(); !reflect.DeepEqual(before, after) {
			for key := range after {
				if before[key] != after[key] {
					t.Errorf("%s changed:\n%s\n%s", key, before[key], after[key])
				}
			}
			t.Fatal("the log is not what it was")
		}
		w.silent(name, append([]*nats.Subscription{events}, w.forbid...)...)
		w.ask(nc, "$JS.API.CONSUMER.DELETE.CERTTRAIL.own", "")
	})
}

// accessTargets are subjects that a server which publishes there does harm by.
func (w *accessWorld) targets() []string {
	return []string{
		"certs.order.issued.forged.1", "$JS.API.STREAM.DELETE.CERTTRAIL", "$JS.API.STREAM.PURGE.CERTTRAIL",
		"$JS.API.CONSUMER.DELETE.CERTTRAIL.certtrail-projections", "$JS.API.CONSUMER.MSG.NEXT.CERTTRAIL.certtrail-projections",
		"$JS.API.CONSUMER.RESET.CERTTRAIL.certtrail-projections", "$JS.ACK.CERTTRAIL.certtrail-projections.1.2.2.1.1",
		w.internal.inboxPrefix + ".victim", "_reader.subscriber.x", "_reader.operator.x", "_INBOX.>", "_INBOX.*", "_INBOX.", "_INBOX",
	}
}

func TestAccessRepliesGoToInboxesOnly(t *testing.T) {
	w := newAccessWorld(t)
	w.watch()
	requests := []struct{ subject, body string }{
		{"$JS.API.INFO", ""},
		{"$JS.API.STREAM.INFO.CERTTRAIL", ""},
		{"$JS.API.STREAM.NAMES", ""},
		{"$JS.API.STREAM.MSG.GET.CERTTRAIL", `{"seq":1}`},
		{"$JS.API.DIRECT.GET.CERTTRAIL", `{"seq":1}`},
		{"$JS.API.DIRECT.GET.CERTTRAIL.certs.order.issued.digicert.1", ""},
		{"$JS.API.CONSUMER.CREATE.CERTTRAIL.own", accessOwnWith("")},
		{"$JS.API.CONSUMER.INFO.CERTTRAIL.own", ""},
		{"$JS.API.CONSUMER.DELETE.CERTTRAIL.other", ""},
		{"$JS.API.CONSUMER.MSG.NEXT.CERTTRAIL.own", `{"batch":3,"no_wait":true}`},
		{"$JS.API.CONSUMER.MSG.NEXT.CERTTRAIL.own", `{"batch":300,"max_bytes":1,"no_wait":true}`},
		{"$JS.ACK.CERTTRAIL.own.1.1.1.1.1", "+NXT"},
		{"$JS.ACK.CERTTRAIL.own.1.1.1.1.1", "+ACK"},
		{"$JS.ACK.CERTTRAIL.own.1.1.1.1.1", "-NAK"},
	}
	for _, user := range []string{"subscriber", "operator"} {
		for _, target := range w.targets() {
			w.attack(user, "reply "+target, func(nc *nats.Conn) {
				for _, r := range requests {
					w.must2(nc.RequestWithContext(w.ctx, "$JS.API.CONSUMER.MSG.NEXT.CERTTRAIL.own", []byte(`{"batch":1,"no_wait":true}`)))
					_ = nc.PublishRequest(r.subject, target, []byte(r.body))
				}
			})
		}
	}
}

func TestAccessDeliveriesGoToInboxesOnly(t *testing.T) {
	w := newAccessWorld(t)
	w.watch()
	for _, user := range []string{"subscriber", "operator"} {
		for _, target := range w.targets() {
			deliver := fmt.Sprintf(`,"deliver_subject":%q`, target)
			w.attack(user, "deliver "+target, func(nc *nats.Conn) {
				for _, body := range []string{
					accessOwnWith(deliver),
					accessOwnWith(deliver + `,"headers_only":true`),
					accessOwnWith(deliver + `,"deliver_policy":"new","idle_heartbeat":100000000,"flow_control":true`),
					accessOwnWith(strings.Replace(deliver, "deliver_subject", "Deliver_SUBJECT", 1)),
					accessOwnWith(`,"deliver_subject":"_INBOX.x"` + deliver),
					accessOwnWith("") + accessOwnWith(deliver),
					accessOwnWith(`,"deliver_subject":"_INBOX.x"`) + accessOwnWith(deliver),
					strings.Replace(accessOwnWith(deliver), `"config"`, `"config":{"name":"own"},"CONFIG"`, 1),
				} {
					w.ask(nc, "$JS.API.CONSUMER.DELETE.CERTTRAIL.own", "")
					for _, subject := range []string{"$JS.API.CONSUMER.CREATE.CERTTRAIL.own", "$JS.API.CONSUMER.CREATE.CERTTRAIL"} {
						m, err := nc.RequestWithContext(w.ctx, subject, []byte(body))
						w.must(err)
						if strings.Contains(string(m.Data), fmt.Sprintf("%q", target)) {
							t.Errorf("a consumer that delivers to %s: %s", target, m.Data)
						}
					}
				}
			})
		}
	}
}

func TestAccessOurConsumersAreDenied(t *testing.T) {
	w := newAccessWorld(t)
	w.watch()
	names := append([]string{"Certtrail-Projections", "CERTTRAIL-TAIL", "certtrail-new", "Deploys"}, accessOurs...)
	for _, name := range names {
		for _, user := range []string{"subscriber", "operator"} {
			w.attack(user, "uses "+name, func(nc *nats.Conn) {
				inbox := nc.NewRespInbox()
				config := func(config string) string {
					return `{"stream_name":"CERTTRAIL","config":{` + config + `,"ack_policy":"explicit"}}`
				}
				refused := func(subject, body string) {
					w.t.Helper()
					if answer := w.ask(nc, subject, body); answer.Error == nil {
						t.Errorf("%s was not refused", subject)
					}
				}
				refused("$JS.API.CONSUMER.CREATE.CERTTRAIL."+name, config(`"durable_name":"`+name+`","name":"`+name+`","description":"taken"`))
				refused("$JS.API.CONSUMER.CREATE.CERTTRAIL."+name, config(`"description":"taken"`))
				refused("$JS.API.CONSUMER.CREATE.CERTTRAIL."+name, config(`"name":"own","description":"taken"`))
				refused("$JS.API.CONSUMER.CREATE.CERTTRAIL."+name+".certs.>", config(`"name":"`+name+`","filter_subject":"certs.>"`))
				refused("$JS.API.CONSUMER.CREATE.CERTTRAIL", config(`"name":"`+name+`","description":"taken"`))
				refused("$JS.API.CONSUMER.CREATE.CERTTRAIL", config(`"name":"own","NAME":"`+name+`"`))
				refused("$JS.API.CONSUMER.CREATE.CERTTRAIL", config(`"direct":true,"sourcing":true,"deliver_subject":"_INBOX.x","name":"`+name+`"`))
				refused("$JS.API.CONSUMER.DURABLE.CREATE.CERTTRAIL."+name, config(`"durable_name":"`+name+`","description":"taken"`))
				if user != "operator" {
					refused("$JS.API.CONSUMER.DELETE.CERTTRAIL."+name, "")
					refused("$JS.API.CONSUMER.PAUSE.CERTTRAIL."+name, `{"pause_until":"2099-01-01T00:00:00Z"}`)
					refused("$JS.API.CONSUMER.UNPIN.CERTTRAIL."+name, `{"group":"x"}`)
					_ = nc.PublishRequest("$JS.API.CONSUMER.RESET.CERTTRAIL."+name, inbox, []byte(`{"seq":5}`))
				}
				for _, subject := range []string{
					"$JS.API.CONSUMER.MSG.NEXT.CERTTRAIL." + name, "$JS.API.CONSUMER.LEADER.STEPDOWN.CERTTRAIL." + name, "$JS.API.CONSUMER.PEER.REMOVE.CERTTRAIL." + name,
					"$JS.ACK.CERTTRAIL." + name + ".1.2.2.1.1", "$JS.ACK._.x.CERTTRAIL." + name + ".1.2.2.1.1", "$JS.FC.CERTTRAIL." + name + ".x", "$JS.ACK.CERTTRAIL." + name,
				} {
					for _, body := range []string{"", "+NXT", "-NAK", "+TERM", "1"} {
						_ = nc.PublishRequest(subject, inbox, []byte(body))
						_ = nc.Publish(subject, []byte(body))
					}
				}
			})
		}
	}
}

// A subject with wildcards in it names nobody's consumer, not everybody's.
func TestAccessWildcardsAreNoNames(t *testing.T) {
	w := newAccessWorld(t)
	w.watch()
	for _, user := range []string{"subscriber", "operator"} {
		for _, name := range []string{"*", ">", "certtrail-*"} {
			w.attack(user, "uses "+name, func(nc *nats.Conn) {
				for _, subject := range []string{"DELETE", "PAUSE", "UNPIN", "RESET", "MSG.NEXT"} {
					for _, body := range []string{"", `{"batch":1}`, `{"seq":4}`, `{"pause_until":"2099-01-01T00:00:00Z"}`} {
						_ = nc.PublishRequest("$JS.API.CONSUMER."+subject+".CERTTRAIL."+name, nc.NewRespInbox(), []byte(body))
					}
				}
				for _, body := range []string{"", "+NXT", "-NAK"} {
					_ = nc.PublishRequest("$JS.ACK.CERTTRAIL."+name+".1.2.2.1.1", nc.NewRespInbox(), []byte(body))
					_ = nc.PublishRequest("$JS.ACK.CERTTRAIL."+name, nc.NewRespInbox(), []byte(body))
				}
			})
		}
	}
}

func TestAccessPublishesAreDenied(t *testing.T) {
	w := newAccessWorld(t)
	w.watch()
	subjects := append([]string{
		"certs.order.issued.forged.1", "_INBOX.x", "_reader.subscriber.x", "_reader.operator.x", "_reader.nobody", w.internal.inboxPrefix + ".victim", "$SYS.REQ.SERVER.PING",
		"$SYS.REQ.USER.INFO", "$JS.API.META.LEADER.STEPDOWN", "$JS.API.ACCOUNT.PURGE.CERTTRAIL", "$JS.API.SERVER.REMOVE", "$JS.SNAPSHOT.RESTORE.CERTTRAIL.x",
		"$JS.API.STREAM.TEMPLATE.CREATE.x", "$JS.CERTTRAIL.API.STREAM.DELETE.CERTTRAIL", "$KV.x.y",
	}, accessForbiddenAPI...)
	for _, user := range []string{"subscriber", "operator"} {
		for _, subject := range subjects {
			w.attack(user, "publishes "+subject, func(*nats.Conn) {
				denied := make(chan error, 10)
				nc := w.connect(user, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err }))
				subject := strings.Replace(subject, ">", "CERTTRAIL", 1)
				_ = nc.Publish(subject, []byte(`{}`))
				_ = nc.PublishRequest(subject, nc.NewRespInbox(), nil)
				for range 2 {
					select {
					case err := <-denied:
						if !errors.Is(err, nats.ErrPermissionViolation) {
							t.Errorf("%s: %v", subject, err)
						}
					case <-w.ctx.Done():
						t.Fatalf("%s is not denied", subject)
					}
				}
			})
		}
		// The last of these the user may publish on: at the gate, which refuses it, not in the log's account.
		for _, dest := range append(subjects, "$JS.API.CONSUMER.MSG.NEXT.CERTTRAIL.certtrail-projections") {
			w.attack(user, "traces to "+dest, func(nc *nats.Conn) {
				for _, subject := range []string{"$JS.API.CONSUMER.MSG.NEXT.CERTTRAIL.own", "$JS.API.STREAM.INFO.CERTTRAIL"} {
					m := nats.NewMsg(subject)
					m.Reply, m.Data = nc.NewRespInbox(), []byte("1")
					m.Header.Set("Nats-Trace-Dest", strings.Replace(dest, ">", "CERTTRAIL", 1))
					_ = nc.PublishMsg(m)
				}
			})
		}
	}
}

func TestAccessSubscriptionsAreDenied(t *testing.T) {
	w := newAccessWorld(t)
	for _, user := range []string{"subscriber", "operator"} {
		for _, subject := range []string{
			">", "*", "*.>", "$JS.>", "$JS.ACK.>", "$JS.API.>", "$JS.EVENT.>", "$SYS.>", "_reader.>", "_reader.*.>", "_certtrail.>", w.internal.inboxPrefix + ".>", "_R_.>", "_GR_.>",
		} {
			denied := make(chan error, 1)
			nc := w.connect(user, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
				select {
				case denied <- err:
				default:
				}
			}))
			sub, err := nc.SubscribeSync(subject)
			w.must(err)
			select {
			case err := <-denied:
				if !errors.Is(err, nats.ErrPermissionViolation) {
					t.Errorf("%s %s: %v", user, subject, err)
				}
			case <-w.ctx.Done():
				t.Fatalf("%s may subscribe to %s", user, subject)
			}
			w.publish("certs.order.issued.digicert.secret", `{}`)
			w.settle(nc)
			w.silent(subject, sub)
		}
	}
}

// One user's answers and deliveries are not another's.
func TestAccessInboxesAreSeparate(t *testing.T) {
	w := newAccessWorld(t)
	for user, other := range map[string]string{"subscriber": "operator", "operator": "subscriber"} {
		nc, nosy := w.connect(user), w.connect(other)
		sub, err := nosy.SubscribeSync("_INBOX.>")
		w.must(err)
		w.must(nosy.Flush())
		js, err := nc.JetStream(nats.Context(w.ctx))
		w.must(err)
		push, err := js.SubscribeSync("certs.>", nats.OrderedConsumer())
		w.must(err)
		for range accessEvents {
			w.next(push)
		}
		w.settle(nc)
		w.must(nosy.Flush())
		w.silent(user+"'s reading", sub)
	}
}

func TestAccessLimits(t *testing.T) {
	w := newAccessWorld(t)
	nc := w.connect("subscriber")
	filters := make([]string, maxReaderFilters+1)
	for i := range filters {
		filters[i] = fmt.Sprintf("certs.order.issued.p%d", i)
	}
	config := jetstream.ConsumerConfig{Name: "own", AckPolicy: jetstream.AckNonePolicy, FilterSubjects: filters, MemoryStorage: true}
	js := w.jetstream(nc)
	if _, err := js.CreateConsumer(w.ctx, StreamName, config); err == nil {
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
		_, err := js.CreateConsumer(w.ctx, StreamName, config)
		w.must(err)
	}
	config.Name = "one-more"
	if _, err := js.CreateConsumer(w.ctx, StreamName, config); err == nil {
		t.Error("too many consumers were made")
	}
	if _, err := w.js.CreateConsumer(w.ctx, StreamName, jetstream.ConsumerConfig{Durable: "certtrail-more"}); err != nil {
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
	c, err := w.jetstream(nc).OrderedConsumer(w.ctx, StreamName, jetstream.OrderedConsumerConfig{FilterSubjects: []string{"certs.*.*.*.big"}})
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
	stream, err := w.jetstream(nc).Stream(w.ctx, StreamName)
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

func TestAccessSignIn(t *testing.T) {
	w := newAccessWorld(t)
	address := "nats://" + w.ns.Addr().String()
	for _, user := range []string{"", "subscriber", "operator", w.internal.name, w.internal.name + "-subscriber", w.internal.name + "-operator"} {
		for _, password := range []string{"", "wrong", w.internal.password} {
			nc, err := nats.Connect(address, nats.UserInfo(user, password))
			if !errors.Is(err, nats.ErrAuthorization) {
				t.Errorf("user %q with password %q over the network: %v", user, password, err)
			}
			if nc != nil {
				nc.Close()
			}
		}
	}
}

func TestAccessListenerStaysClosed(t *testing.T) {
	opts := &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true}
	internal := newInternalUser()
	applyAccess(opts, Access{Operator: "x"}, internal)
	ns, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	defer func() { ns.Shutdown(); ns.WaitForShutdown() }()
	if !ns.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server is not ready")
	}
	if ns.Addr() != nil {
		t.Errorf("listens on %s", ns.Addr())
	}
	g, err := startGate(ns, Access{Operator: "x"}, internal)
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	nc, err := nats.Connect("", nats.InProcessServer(ns), nats.UserInfo(internal.name, internal.password))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if js, err := jetstream.New(nc); err != nil {
		t.Fatal(err)
	} else if _, err := js.AccountInfo(t.Context()); err != nil {
		t.Errorf("our own JetStream: %v", err)
	}
}

// The stream lies where streamAccount says, and what readers left on it does not keep it from coming back.
func TestAccessRestart(t *testing.T) {
	w := newAccessWorld(t)
	nc := w.connect("subscriber")
	w.done(nc, "$JS.API.CONSUMER.CREATE.CERTTRAIL.odd",
		`{"stream_name":"CERTTRAIL","config":{"durable_name":"odd","name":"odd","ack_policy":"explicit","metadata":{"_nats.req.level":"99","_nats.ver":"99.0.0"}}}`)
	before := w.state()
	w.ns.Shutdown()
	w.ns.WaitForShutdown()
	if _, err := os.Stat(filepath.Join(w.dir, "jetstream", streamAccount, "streams", StreamName, "msgs")); err != nil {
		t.Error(err)
	}
	w.start()
	if after := w.state(); !reflect.DeepEqual(before, after) {
		t.Errorf("after the restart:\n%v\nbefore:\n%v", after, before)
	}
	if _, err := w.js.Consumer(w.ctx, StreamName, "odd"); err != nil {
		t.Errorf("the reader's consumer: %v", err)
	}
}

func TestAccessPortIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	opts := &server.Options{Host: "127.0.0.1", Port: taken.Addr().(*net.TCPAddr).Port, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true, DontListen: true}
	applyAccess(opts, Access{Subscriber: "x"}, newInternalUser())
	ns, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	defer func() { ns.Shutdown(); ns.WaitForShutdown() }()
	if err := openListener(ns); err == nil {
		t.Error("the port is taken, yet the listener is open")
	}
}
