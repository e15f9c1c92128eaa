package ask

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/certtrail/certtrail/schema"
)

// Limits of what is asked of the DNS.
const (
	dnsTimeout  = 5 * time.Second // of one question to one server
	dnsTries    = 2               // by UDP, before TCP
	maxServers  = 32              // name servers of a parent zone; the root has 13
	maxPerName  = 4               // addresses of one name server that are tried
	ednsPayload = 1232            // bytes, so that no datagram is fragmented
	dnsPort     = "53"
)

// What the servers of a parent zone say of a DS record.
const (
	DSSeen    = "seen"    // all of them have it
	DSGone    = "gone"    // none has it
	DSMixed   = "mixed"   // some have it: a change is on its way
	DSUnknown = "unknown" // one did not answer, and those that did agree: it may have either
)

// DNS asks the name servers of parent zones. What they answer is not validated: it is shown to people, and nothing is
// decided by it. Its methods may be called at once from many goroutines.
type DNS struct {
	resolver string // HOST:PORT
	port     string // of the parent's servers
	timeout  time.Duration
}

// NewDNS asks through the resolver at HOST:PORT, which only finds the parent's servers; "" is the system's.
func NewDNS(resolver string) (*DNS, error) {
	if resolver == "" {
		var err error
		if resolver, err = systemResolver("/etc/resolv.conf"); err != nil {
			return nil, err
		}
	}
	host, port, err := net.SplitHostPort(resolver)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("the resolver %.100q is not HOST:PORT: set dns-resolver to one such as 192.0.2.53:53", resolver)
	}
	return &DNS{resolver: resolver, port: dnsPort, timeout: dnsTimeout}, nil
}

// OnPort returns a copy of d that asks the parent's servers on another port than 53, as only a test's small internet
// has them.
func (d *DNS) OnPort(port string) *DNS {
	other := *d
	other.port = port
	return &other
}

func systemResolver(path string) (string, error) {
	config, err := dns.ClientConfigFromFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("the system's resolver cannot be read from %s: %w; set dns-resolver to HOST:PORT of one", path, err)
	}
	if err != nil || len(config.Servers) == 0 {
		return "", fmt.Errorf("%s names no resolver: set dns-resolver to HOST:PORT of one", path)
	}
	return net.JoinHostPort(config.Servers[0], config.Port), nil
}

// Sighting gathers what the servers of the parent zone say of a DS record.
type Sighting struct {
	State   string        // one of the DS constants
	Parent  string        // the parent zone, without final dot; "." is the root
	TTL     time.Duration // the longest of the DS records that were answered: for so long others may still see what was there before
	Servers []ServerSighting
}

// ServerSighting holds the answer of one name server of the parent zone.
type ServerSighting struct {
	Name string      // of the server, without final dot
	Addr string      // HOST:PORT that answered; "" if none did
	DS   []schema.DS // all that it has for the zone, digests in lower case
	Err  string      // why there is no answer; "" if there is one
}

// CheckDS asks every name server of the zone's parent for the zone's DS records, and tells whether want is among them.
// An error says that the parent's servers could not be found.
func (d *DNS) CheckDS(ctx context.Context, zone string, want schema.DS) (Sighting, error) {
	name, err := schema.DomainName(zone)
	if err != nil || strings.HasPrefix(name, "*.") {
		return Sighting{}, fmt.Errorf("%.80q is not the name of a zone", zone)
	}
	parent, servers, err := d.parent(ctx, dns.Fqdn(name))
	if err != nil {
		return Sighting{}, fmt.Errorf("the name servers above %s could not be found: %w", name, err)
	}
	s := Sighting{Parent: plainName(parent), Servers: make([]ServerSighting, len(servers))}
	ttls := make([]time.Duration, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		all.Go(func() { s.Servers[i], ttls[i] = d.askServer(ctx, server, dns.Fqdn(name)) })
	}
	all.Wait()
	s.TTL = slices.Max(ttls)
	s.State = agree(s.Servers, want)
	return s, ctx.Err()
}

// agree sums up what the servers say of want.
func agree(servers []ServerSighting, want schema.DS) string {
	seen, gone, silent := 0, 0, 0
	for _, server := range servers {
		switch {
		case server.Err != "":
			silent++
		case slices.ContainsFunc(server.DS, func(ds schema.DS) bool { return sameDS(ds, want) }):
			seen++
		default:
			gone++
		}
	}
	switch {
	case seen > 0 && gone > 0:
		return DSMixed
	case silent > 0 || seen+gone == 0:
		return DSUnknown
	case seen > 0:
		return DSSeen
	}
	return DSGone
}

func sameDS(a, b schema.DS) bool {
	return a.KeyTag == b.KeyTag && a.Algorithm == b.Algorithm && a.DigestType == b.DigestType && strings.EqualFold(a.Digest, b.Digest)
}

// parent finds the zone above zone: the nearest name that has name servers of its own, and those.
func (d *DNS) parent(ctx context.Context, zone string) (string, []string, error) {
	for at := zone; at != "."; {
		labels := dns.SplitDomainName(at)
		at = dns.Fqdn(strings.Join(labels[1:], "."))
		reply, err := d.resolve(ctx, at, dns.TypeNS)
		if err != nil {
			return "", nil, err
		}
		var servers []string
		for _, rr := range reply.Answer {
			if ns, ok := rr.(*dns.NS); ok && strings.EqualFold(ns.Hdr.Name, at) && len(servers) < maxServers {
				servers = append(servers, strings.ToLower(ns.Ns))
			}
		}
		if len(servers) > 0 {
			slices.Sort(servers)
			return at, slices.Compact(servers), nil
		}
	}
	return "", nil, errors.New("no name above it has name servers: see that dns-resolver is a resolver")
}

// askServer asks one name server of the parent, at the first of its addresses that answers.
func (d *DNS) askServer(ctx context.Context, server, zone string) (ServerSighting, time.Duration) {
	s := ServerSighting{Name: plainName(server)}
	addresses, err := d.addresses(ctx, server)
	if err != nil {
		s.Err = err.Error()
		return s, 0
	}
	for _, address := range addresses {
		at := net.JoinHostPort(address, d.port)
		reply, err := d.exchange(ctx, at, dnsQuestion(zone, dns.TypeDS, false))
		if err == nil {
			err = usable(reply)
		}
		if err != nil {
			s.Err = fmt.Sprintf("%s: %v", at, err)
			continue
		}
		s.Addr, s.Err = at, ""
		var ttl time.Duration
		for _, rr := range reply.Answer {
			if ds, ok := rr.(*dns.DS); ok && strings.EqualFold(ds.Hdr.Name, zone) {
				s.DS = append(s.DS, schema.DS{KeyTag: ds.KeyTag, Algorithm: ds.Algorithm, DigestType: ds.DigestType, Digest: strings.ToLower(ds.Digest)})
				ttl = max(ttl, time.Duration(ds.Hdr.Ttl)*time.Second)
			}
		}
		return s, ttl
	}
	return s, 0
}

// usable tells whether a reply of a parent's server says what its zone holds: with authority, and without an error but
// that there is no such name.
func usable(reply *dns.Msg) error {
	switch {
	case reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError:
		return fmt.Errorf("it answers %s", dns.RcodeToString[reply.Rcode])
	case !reply.Authoritative:
		return errors.New("it answers without authority for the parent zone")
	}
	return nil
}

// addresses returns the addresses of a name server, IPv4 first.
func (d *DNS) addresses(ctx context.Context, server string) ([]string, error) {
	var list []string
	for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA} {
		reply, err := d.resolve(ctx, server, kind)
		if err != nil {
			if len(list) > 0 {
				break
			}
			return nil, err
		}
		for _, rr := range reply.Answer {
			var ip net.IP
			switch rr := rr.(type) {
			case *dns.A:
				ip = rr.A
			case *dns.AAAA:
				ip = rr.AAAA
			}
			if address, ok := netip.AddrFromSlice(ip); ok && len(list) < maxPerName {
				list = append(list, address.Unmap().String())
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no address", plainName(server))
	}
	return list, nil
}

// resolve asks the resolver. That there is no such name is an answer.
func (d *DNS) resolve(ctx context.Context, name string, kind uint16) (*dns.Msg, error) {
	reply, err := d.exchange(ctx, d.resolver, dnsQuestion(name, kind, true))
	if err != nil {
		return nil, fmt.Errorf("the resolver %s, asked for %s of %s: %w", d.resolver, dns.TypeToString[kind], name, err)
	}
	if reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError {
		return nil, fmt.Errorf("the resolver %s, asked for %s of %s, answers %s", d.resolver, dns.TypeToString[kind], name, dns.RcodeToString[reply.Rcode])
	}
	return reply, nil
}

// dnsQuestion makes one question. The servers of a zone are asked for what they have themselves, the resolver for what
// there is.
func dnsQuestion(name string, kind uint16, recurse bool) *dns.Msg {
	m := new(dns.Msg).SetQuestion(name, kind)
	m.RecursionDesired = recurse
	return m.SetEdns0(ednsPayload, false)
}

// exchange asks by UDP, and by TCP where UDP is truncated or brings no answer.
func (d *DNS) exchange(ctx context.Context, server string, m *dns.Msg) (*dns.Msg, error) {
	udp := &dns.Client{Net: "udp", Timeout: d.timeout, UDPSize: ednsPayload}
	for range dnsTries {
		reply, _, err := udp.ExchangeContext(ctx, m, server)
		if err == nil && !reply.Truncated && isReply(reply, m) {
			return reply, nil
		}
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tcp := &dns.Client{Net: "tcp", Timeout: d.timeout}
	reply, _, err := tcp.ExchangeContext(ctx, m, server)
	if err != nil {
		return nil, fmt.Errorf("it does not answer, neither by UDP nor by TCP: %w", err)
	}
	if !isReply(reply, m) {
		return nil, errors.New("it answers another question")
	}
	return reply, nil
}

// isReply tells whether reply is one to m; the client has compared their ids.
func isReply(reply, m *dns.Msg) bool {
	q := m.Question[0]
	return reply.Response && len(reply.Question) == 1 && strings.EqualFold(reply.Question[0].Name, q.Name) && reply.Question[0].Qtype == q.Qtype
}

func plainName(name string) string {
	if name == "." {
		return name
	}
	return strings.TrimSuffix(strings.ToLower(name), ".")
}
