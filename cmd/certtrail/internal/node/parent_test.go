package node

import (
	"net"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/certtrail/certtrail/ingest/ask"
)

// parent runs a small internet on loopback, a resolver and the one server of test. in one, with the DS records of
// example.test. that a test sets.
type parent struct {
	mu sync.Mutex
	ds []string
}

func (p *parent) has(ds ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ds = ds
}

func (p *parent) ServeDNS(w dns.ResponseWriter, r *dns.Msg) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := new(dns.Msg).SetReply(r)
	m.Authoritative = true
	var records []string
	switch q := r.Question[0]; {
	case q.Qtype == dns.TypeNS && q.Name == "test.":
		records = []string{"test. 60 IN NS ns.test."}
	case q.Qtype == dns.TypeA && q.Name == "ns.test.":
		records = []string{"ns.test. 60 IN A 127.0.0.1"}
	case q.Qtype == dns.TypeDS && q.Name == "example.test.":
		records = p.ds
	}
	for _, s := range records {
		rr, err := dns.NewRR(s)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	_ = w.WriteMsg(m) // a client that has gone is the test's own doing
}

func newParent(t *testing.T) (*parent, *ask.DNS) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &parent{}
	server, started := &dns.Server{PacketConn: conn, Handler: p}, make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go func() { _ = server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown() })
	d, err := ask.NewDNS(conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
	return p, d.OnPort(port)
}
