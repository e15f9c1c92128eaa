package gate

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/streams"
)

func TestAccessSignIn(t *testing.T) {
	w := newAccessWorld(t)
	address := "nats://" + w.ns.Addr().String()
	for _, user := range []string{"", "subscriber", "operator", w.service.Name, w.service.Name + "-subscriber", w.service.Name + "-operator"} {
		for _, password := range []string{"", "wrong", w.service.Password} {
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
	service := NewServiceUser()
	Access{Operator: "x"}.Configure(opts, service)
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
	g, err := Open(ns, Access{Operator: "x"}, service)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	nc, err := nats.Connect("", nats.InProcessServer(ns), nats.UserInfo(service.Name, service.Password))
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

// The stream lies where StreamAccount says, and what readers left on it does not keep it from coming back.
func TestAccessRestart(t *testing.T) {
	w := newAccessWorld(t)
	nc := w.connect("subscriber")
	w.done(nc, "$JS.API.CONSUMER.CREATE.CERTTRAIL.odd",
		`{"stream_name":"CERTTRAIL","config":{"durable_name":"odd","name":"odd","ack_policy":"explicit","metadata":{"_nats.req.level":"99","_nats.ver":"99.0.0"}}}`)
	before := w.state()
	w.ns.Shutdown()
	w.ns.WaitForShutdown()
	if _, err := os.Stat(filepath.Join(w.dir, "jetstream", StreamAccount, "streams", streams.StreamName, "msgs")); err != nil {
		t.Error(err)
	}
	w.start()
	if after := w.state(); !reflect.DeepEqual(before, after) {
		t.Errorf("after the restart:\n%v\nbefore:\n%v", after, before)
	}
	if _, err := w.js.Consumer(w.ctx, streams.StreamName, "odd"); err != nil {
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
	Access{Subscriber: "x"}.Configure(opts, NewServiceUser())
	ns, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	defer func() { ns.Shutdown(); ns.WaitForShutdown() }()
	if err := Listen(ns); err == nil {
		t.Error("the port is taken, yet the listener is open")
	}
}
