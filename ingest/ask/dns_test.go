package ask

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/certtrail/certtrail/schema"
)

// zones runs a small internet on loopback: a resolver and the name servers of test., all on one port.
type zones struct {
	mu   sync.Mutex
	ns   map[string]string   // name of a server of test., and its address
	ds   map[string][]string // by address: the DS records of example.test. that the server has
	how  map[string]string   // by address: what is odd about the server
	asks map[string]int      // by address and net
	port string
}

const (
	resolverIP = "127.0.0.1"
	dsOld      = "example.test. 300 IN DS 11111 13 2 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	dsNew      = "example.test. 600 IN DS 22222 13 2 BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
	dsDecoy    = "example.test. 900 IN DS 22222 13 4 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func newZones(t *testing.T) *zones {
	t.Helper()
	z := &zones{
		ns: map[string]string{"a.nic.test.": "127.0.0.2", "b.nic.test.": "127.0.0.3", "c.nic.test.": "127.0.0.4"},
		ds: map[string][]string{}, how: map[string]string{}, asks: map[string]int{},
	}
	addresses := []string{resolverIP, "127.0.0.2", "127.0.0.3", "127.0.0.4"}
	for range 20 {
		if z.listen(t, addresses) {
			return z
		}
	}
	t.Fatal("no port is free on all loopback addresses")
	return nil
}

func (z *zones) listen(t *testing.T, addresses []string) bool {
	t.Helper()
	z.port = "0"
	var servers []*dns.Server
	for _, address := range addresses {
		l, err := net.Listen("tcp", net.JoinHostPort(address, z.port))
		if err == nil {
			_, z.port, _ = net.SplitHostPort(l.Addr().String())
			servers = append(servers, &dns.Server{Listener: l, Handler: z.handler(address, "tcp")})
			var p net.PacketConn
			if p, err = net.ListenPacket("udp", net.JoinHostPort(address, z.port)); err == nil {
				servers = append(servers, &dns.Server{PacketConn: p, Handler: z.handler(address, "udp")})
			}
		}
		if err != nil {
			for _, s := range servers {
				if s.Listener != nil {
					s.Listener.Close()
				} else {
					s.PacketConn.Close()
				}
			}
			return false
		}
	}
	for _, s := range servers {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() { _ = s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return true
}

func (z *zones) handler(address, network string) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		z.mu.Lock()
		defer z.mu.Unlock()
		z.asks[address+" "+network]++
		m := new(dns.Msg).SetReply(r)
		if address == resolverIP {
			z.resolve(m, r.Question[0])
		} else if !z.serve(m, r, address, network) {
			return
		}
		_ = w.WriteMsg(m)
	})
}

func (z *zones) resolve(m *dns.Msg, q dns.Question) {
	m.RecursionAvailable = true
	switch {
	case z.how[resolverIP] != "":
		m.Rcode = dns.StringToRcode[z.how[resolverIP]]
	case q.Qtype == dns.TypeNS && q.Name == "test.":
		for name := range z.ns {
			m.Answer = append(m.Answer, record("TEST. 60 IN NS "+strings.ToUpper(name)))
		}
	case q.Qtype == dns.TypeA && z.ns[q.Name] != "":
		m.Answer = append(m.Answer, record(q.Name+" 60 IN A "+z.ns[q.Name]))
	case q.Qtype == dns.TypeNS && q.Name != ".":
		m.Rcode = dns.RcodeNameError
	}
}

// serve answers as a server of test.; false is no answer at all.
func (z *zones) serve(m, r *dns.Msg, address, network string) bool {
	q := r.Question[0]
	m.Authoritative = true
	if r.RecursionDesired || q.Qtype != dns.TypeDS || q.Name != "example.test." {
		m.Rcode = dns.RcodeRefused
		return true
	}
	switch how := z.how[address]; {
	case how == "silent", how == "no UDP" && network == "udp":
		return false
	case how == "denies": // as a signed zone says that there is no DS
		m.Ns = []dns.RR{record("test. 60 IN SOA a.nic.test. admin.test. 1 60 60 60 60"), record("example.test. 60 IN NSEC zzz.test. NS RRSIG NSEC")}
		return true
	case how == "lame":
		m.Authoritative = false
	case how == "another question":
		m.Question[0].Name = "another.test."
	case how == "truncates" && network == "udp":
		m.Truncated = true
		return true
	case strings.HasPrefix(how, "rcode "):
		m.Rcode = dns.StringToRcode[how[6:]]
		return true
	}
	for _, ds := range z.ds[address] {
		m.Answer = append(m.Answer, record(ds))
	}
	return true
}

func record(s string) dns.RR {
	rr, err := dns.NewRR(s)
	if err != nil {
		panic(err) // a mistake in the test
	}
	return rr
}

func (z *zones) set(how map[string]string, ds map[string][]string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.how, z.ds = how, ds
	clear(z.asks)
}

func (z *zones) asked(what string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asks[what]
}

func (z *zones) client(t *testing.T) *DNS {
	t.Helper()
	d, err := NewDNS(net.JoinHostPort(resolverIP, z.port))
	if err != nil {
		t.Fatal(err)
	}
	d.port = z.port
	return d
}

var wantNew = schema.DS{KeyTag: 22222, Algorithm: 13, DigestType: 2, Digest: strings.Repeat("Bb", 32)}

// A rollover as the parent shows it: the new DS comes to one server after the other, then the old one goes.
func TestDSAppearsAtTheParent(t *testing.T) {
	z := newZones(t)
	d := z.client(t)
	wantOld := schema.DS{KeyTag: 11111, Algorithm: 13, DigestType: 2, Digest: strings.Repeat("A", 64)}
	for step, tc := range []struct {
		a, b, c  []string
		new, old string
		ttl      time.Duration
	}{
		{[]string{dsOld}, []string{dsOld}, []string{dsOld}, DSGone, DSSeen, 5 * time.Minute},
		{[]string{dsOld, dsNew}, []string{dsOld}, []string{dsOld, dsDecoy}, DSMixed, DSSeen, 15 * time.Minute},
		{[]string{dsOld, dsNew}, []string{dsNew, dsOld}, []string{dsOld, dsNew}, DSSeen, DSSeen, 10 * time.Minute},
		{[]string{dsNew}, []string{dsNew, dsOld}, []string{dsNew}, DSSeen, DSMixed, 10 * time.Minute},
		{[]string{dsNew}, []string{dsNew}, []string{dsNew}, DSSeen, DSGone, 10 * time.Minute},
		{nil, nil, nil, DSGone, DSGone, 0},
	} {
		z.set(map[string]string{}, map[string][]string{"127.0.0.2": tc.a, "127.0.0.3": tc.b, "127.0.0.4": tc.c})
		s, err := d.CheckDS(t.Context(), "Example.test.", wantNew)
		if err != nil || s.State != tc.new || s.Parent != "test" || s.TTL != tc.ttl || len(s.Servers) != 3 || s.Servers[0].Name != "a.nic.test" || s.Servers[0].Err != "" {
			t.Errorf("step %d: got %+v, %v; want %s", step, s, err, tc.new)
		}
		if s, err := d.CheckDS(t.Context(), "example.test", wantOld); err != nil || s.State != tc.old {
			t.Errorf("step %d: the old one is %s, %v; want %s", step, s.State, err, tc.old)
		}
	}
}

func TestDSOfOddServers(t *testing.T) {
	z := newZones(t)
	d := z.client(t)
	all := map[string][]string{"127.0.0.2": {dsNew}, "127.0.0.3": {dsNew}, "127.0.0.4": {dsNew}}
	for name, tc := range map[string]struct {
		how  map[string]string
		ds   map[string][]string
		want string
		err  string // of the second server
	}{
		"one is silent":                {map[string]string{"127.0.0.3": "silent"}, all, DSUnknown, "it does not answer, neither by UDP nor by TCP"},
		"one is lame":                  {map[string]string{"127.0.0.3": "lame"}, all, DSUnknown, "it answers without authority for the parent zone"},
		"one refuses":                  {map[string]string{"127.0.0.3": "rcode REFUSED"}, all, DSUnknown, "it answers REFUSED"},
		"one fails, and none has it":   {map[string]string{"127.0.0.3": "rcode SERVFAIL"}, nil, DSUnknown, "it answers SERVFAIL"},
		"one fails, the others differ": {map[string]string{"127.0.0.3": "rcode SERVFAIL"}, map[string][]string{"127.0.0.2": {dsNew}}, DSMixed, "it answers SERVFAIL"},
		"all fail":                     {map[string]string{"127.0.0.2": "lame", "127.0.0.3": "lame", "127.0.0.4": "lame"}, all, DSUnknown, "without authority"},
		"one answers something else":   {map[string]string{"127.0.0.3": "another question"}, all, DSUnknown, "it answers another question"},
		"the zone is not there":        {map[string]string{"127.0.0.2": "rcode NXDOMAIN", "127.0.0.3": "rcode NXDOMAIN", "127.0.0.4": "rcode NXDOMAIN"}, all, DSGone, ""},
		"one denies it by NSEC":        {map[string]string{"127.0.0.3": "denies"}, all, DSMixed, ""},
		"all deny it by NSEC":          {map[string]string{"127.0.0.2": "denies", "127.0.0.3": "denies", "127.0.0.4": "denies"}, all, DSGone, ""},
		"truncated by UDP":             {map[string]string{"127.0.0.3": "truncates"}, all, DSSeen, ""},
		"no UDP":                       {map[string]string{"127.0.0.3": "no UDP"}, all, DSSeen, ""},
	} {
		t.Run(name, func(t *testing.T) {
			z.set(tc.how, tc.ds)
			d.timeout = dnsTimeout
			if how := tc.how["127.0.0.3"]; how == "silent" || how == "no UDP" {
				d.timeout = time.Second // which has to pass
			}
			s, err := d.CheckDS(t.Context(), "example.test", wantNew)
			if err != nil || s.State != tc.want {
				t.Fatalf("got %+v, %v; want %s", s, err, tc.want)
			}
			if got := s.Servers[1]; tc.err == "" && got.Err != "" || !strings.Contains(got.Err, tc.err) || (got.Addr == "") != (tc.err != "") {
				t.Errorf("got %+v; want %q", got, tc.err)
			}
			if tcp := z.asked("127.0.0.3 tcp"); (tc.want == DSSeen || strings.Contains(name, "something else")) && tcp != 1 {
				t.Errorf("asked %d times by TCP", tcp)
			}
		})
	}
}

func TestParentIsNotFound(t *testing.T) {
	z := newZones(t)
	d := z.client(t)
	for name, tc := range map[string]struct{ zone, how, want string }{
		"no name":        {"not a name", "", `"not a name" is not the name of a zone`},
		"a wildcard":     {"*.example.test", "", "is not the name of a zone"},
		"nothing above":  {"example.nowhere", "", "the name servers above example.nowhere could not be found: no name above it has name servers"},
		"resolver fails": {"example.test", "SERVFAIL", "asked for NS of test., answers SERVFAIL"},
	} {
		z.set(map[string]string{resolverIP: tc.how}, nil)
		if _, err := d.CheckDS(t.Context(), tc.zone, wantNew); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestResolver(t *testing.T) {
	for _, resolver := range []string{"192.0.2.53", ":53", "192.0.2.53:", "x"} {
		if _, err := NewDNS(resolver); err == nil || !strings.Contains(err.Error(), "set dns-resolver to one such as") {
			t.Errorf("%s: got %v", resolver, err)
		}
	}
	path := filepath.Join(t.TempDir(), "resolv.conf")
	for text, want := range map[string]string{"": "names no resolver", "nameserver 192.0.2.53\nnameserver 192.0.2.54\n": "192.0.2.53:53", "nameserver 2001:db8::53\n": "[2001:db8::53]:53"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := systemResolver(path); !strings.Contains(fmt.Sprint(got, err), want) {
			t.Errorf("%q: got %s, %v", text, got, err)
		}
	}
	if _, err := systemResolver(path + "x"); err == nil || !strings.Contains(err.Error(), "names no resolver: set dns-resolver") {
		t.Errorf("got %v", err)
	}
}
