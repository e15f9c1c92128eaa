package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/streams"
)

const accessEvents = 5 // in the stream when a test begins

var accessOurs = []string{"certtrail-projections", "certtrail-rebuild", "certtrail-tail", "certtrail-export", "certtrail-describe", "certtrail-live", "certtrail-ask-digicert"}

// accessWorld runs a server with its stream, our consumers and the gate.
type accessWorld struct {
	t       *testing.T
	ctx     context.Context
	ns      *server.Server
	service ServiceUser
	dir     string
	nc      *nats.Conn // our own
	js      jetstream.JetStream
	forbid  []*nats.Subscription // what must never be published in the log's account while readers are at work
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
	w.service = NewServiceUser()
	opts := &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: w.dir, NoSigs: true, NoLog: true, DontListen: true, MaxPayload: 8 << 20}
	accessPasswords.Configure(opts, w.service)
	ns, err := server.NewServer(opts)
	w.must(err)
	w.ns = ns
	ns.Start()
	w.t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(10 * time.Second) {
		w.t.Fatal("the server is not ready")
	}
	w.nc, err = nats.Connect("", nats.InProcessServer(ns), nats.UserInfo(w.service.Name, w.service.Password), nats.CustomInboxPrefix(w.service.InboxPrefix))
	w.must(err)
	w.t.Cleanup(w.nc.Close)
	w.js, err = jetstream.New(w.nc)
	w.must(err)
	if _, err := w.js.Stream(w.ctx, streams.StreamName); errors.Is(err, jetstream.ErrStreamNotFound) {
		w.fill()
	}
	g, err := Open(ns, accessPasswords, w.service)
	w.must(err)
	w.t.Cleanup(g.Close)
	w.must(Listen(ns))
}

func (w *accessWorld) fill() {
	w.t.Helper()
	_, err := w.js.CreateStream(w.ctx, jetstream.StreamConfig{
		Name: streams.StreamName, Subjects: []string{"certs.>"}, Discard: jetstream.DiscardNew, DenyDelete: true, DenyPurge: true, AllowDirect: true, MaxMsgSize: 8 << 20,
	})
	w.must(err)
	for i := range accessEvents {
		w.publish(fmt.Sprintf("certs.order.issued.digicert.%d", i), fmt.Sprintf(`{"id":"%d"}`, i))
	}
	for _, name := range accessOurs {
		_, err := w.js.CreateConsumer(w.ctx, streams.StreamName, jetstream.ConsumerConfig{Durable: name, AckPolicy: jetstream.AckExplicitPolicy})
		w.must(err)
	}
	c, err := w.js.Consumer(w.ctx, streams.StreamName, accessOurs[0])
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

// connect makes an ordinary client that is given nothing but a URL.
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

// state returns all that a reader must not change.
func (w *accessWorld) state() map[string]string {
	w.t.Helper()
	state := map[string]string{}
	note := func(key string, v any) {
		b, err := json.Marshal(v)
		w.must(err)
		state[key] = string(b)
	}
	stream, err := w.js.Stream(w.ctx, streams.StreamName)
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
	for _, subject := range append([]string{"certs.>", w.service.InboxPrefix + ".victim", "$JS.API.CONSUMER.MSG.NEXT.CERTTRAIL.certtrail-projections"}, accessForbiddenAPI...) {
		sub, err := w.nc.SubscribeSync(subject)
		w.must(err)
		w.forbid = append(w.forbid, sub)
	}
	w.must(w.nc.Flush())
}

// settle waits until the server has done all that nc asked for before: what its gate passes on, and what its consumers
// do. Consumers in memory, here and below: the server (2.15.2) sometimes fails to make one in files whose name was
// deleted just before.
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

// again asks until there is an answer, as clients do: JetStream leaves some questions without one (of a consumer that
// is just coming or going).
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
