package gate

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// attack runs f as user and fails if it changed the stream or our consumers, or had anything published where it must
// not.
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
		w.service.InboxPrefix + ".victim", "_reader.subscriber.x", "_reader.operator.x", "_INBOX.>", "_INBOX.*", "_INBOX.", "_INBOX",
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
	names := append([]string{"Certtrail-Projections", "CERTTRAIL-TAIL", "certtrail-new", "Certtrail-Ask-Digicert"}, accessOurs...)
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
		"certs.order.issued.forged.1", "_INBOX.x", "_reader.subscriber.x", "_reader.operator.x", "_reader.nobody", w.service.InboxPrefix + ".victim", "$SYS.REQ.SERVER.PING",
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
			">", "*", "*.>", "$JS.>", "$JS.ACK.>", "$JS.API.>", "$JS.EVENT.>", "$SYS.>", "_reader.>", "_reader.*.>", "_certtrail.>", w.service.InboxPrefix + ".>", "_R_.>", "_GR_.>",
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
