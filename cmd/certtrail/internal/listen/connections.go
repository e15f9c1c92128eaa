package listen

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// How long a peer may take to accept what is written, and when it has stood still for so long that its place may be
// given to another.
const (
	writeChunk   = 64 << 10         // must be taken within writeTimeout
	writeTimeout = 30 * time.Second // so that whoever reads on, however slowly a network does, is served to the end
	stillAfter   = 5 * time.Second
)

// connections bounds the connections of a listener, in all and from one address. When they are full the one that has
// been idle longest makes room for a new one, so that whoever has something to say gets in while others hold
// connections and say nothing.
type connections struct {
	net.Listener
	most    int // in all
	each    int // from one address
	known   int // from one that many may stand behind: this machine, a trusted proxy
	proxies []netip.Prefix

	mu     sync.Mutex
	open   map[*connection]bool
	from   map[netip.Prefix]int
	ended  chan struct{} // holds one: a connection has ended or become idle
	closed chan struct{} // closed with the listener
	close  sync.Once
}

// Bound limits the connections that l accepts to most, and those of one address to a quarter of them; proxies and this
// machine may have all but an eighth.
func Bound(l net.Listener, most int, proxies []netip.Prefix) *connections {
	return &connections{
		Listener: l, most: most, each: max(most/4, 1), known: max(most-max(most/8, 1), 1), proxies: proxies,
		open: map[*connection]bool{}, from: map[netip.Prefix]int{}, ended: make(chan struct{}, 1), closed: make(chan struct{}),
	}
}

// Close closes the listener; its connections go on.
func (l *connections) Close() error {
	l.close.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// Accept returns the next connection that there is room for. While all are at work it takes none: who comes waits in
// the kernel's queue.
func (l *connections) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := l.connection(inner)
		for {
			taken, wait := l.admit(c)
			if taken {
				return c, nil
			}
			if !wait {
				inner.Close()
				break
			}
			select {
			case <-l.ended:
			case <-time.After(stillAfter): // somebody may stand still by now
			case <-l.closed:
				inner.Close()
				return nil, net.ErrClosed
			}
		}
	}
}

func (l *connections) connection(inner net.Conn) *connection {
	c := &connection{Conn: inner, of: l, most: l.each, since: time.Now()}
	if tcp, ok := inner.RemoteAddr().(*net.TCPAddr); ok {
		addr := tcp.AddrPort().Addr().Unmap().WithZone("")
		c.from = network(addr)
		if addr.IsLoopback() || slices.ContainsFunc(l.proxies, func(p netip.Prefix) bool { return p.Contains(addr) }) {
			c.most = l.known
		}
	}
	return c
}

// admit takes c, if there is room or another makes it some. wait tells that it may be tried again.
func (l *connections) admit(c *connection) (taken, wait bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.from[c.from] >= c.most && !l.evict(func(o *connection) bool { return o.from == c.from }) {
		return false, false
	}
	if len(l.open) >= l.most && !l.evict(func(*connection) bool { return true }) {
		return false, true
	}
	l.open[c] = true
	l.from[c.from]++
	return true, false
}

// evict closes the connection among those that has been idle longest, or else has taken nothing for longest; false
// where none is.
func (l *connections) evict(among func(*connection) bool) bool {
	var victim *connection
	still := time.Now().Add(-stillAfter)
	for c := range l.open {
		idle := !c.busy || !c.writing.IsZero() && c.writing.Before(still)
		if idle && among(c) && (victim == nil || c.before(victim)) {
			victim = c
		}
	}
	if victim == nil {
		return false
	}
	l.forget(victim)
	victim.Conn.Close()
	return true
}

func (l *connections) forget(c *connection) {
	if !l.open[c] {
		return
	}
	delete(l.open, c)
	if l.from[c.from]--; l.from[c.from] == 0 {
		delete(l.from, c.from)
	}
	select {
	case l.ended <- struct{}{}:
	default:
	}
}

// network returns what counts as one address: an IPv4 address, or an IPv6 network of 64 bits, the least that a customer
// is given.
func network(addr netip.Addr) netip.Prefix {
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // of an address that is one: cannot fail
	return p
}

// connection counts towards its limits until it is closed. of.mu guards what is beside Conn.
type connection struct {
	net.Conn
	of      *connections
	from    netip.Prefix
	most    int       // connections from there
	busy    bool      // a handler has its request
	since   time.Time // when it last said something, or was answered
	writing time.Time // since when the peer has taken nothing; zero: nothing waits for it
}

// before reports whether c makes room sooner than o: who waits with nothing under way, and then who has been still for
// longer.
func (c *connection) before(o *connection) bool {
	switch {
	case c.busy != o.busy:
		return o.busy
	case c.busy:
		return c.writing.Before(o.writing)
	}
	return c.since.Before(o.since)
}

// Write gives the peer writeTimeout for each writeChunk.
func (c *connection) Write(b []byte) (n int, err error) {
	defer c.setWriting(time.Time{})
	for {
		now := time.Now()
		c.setWriting(now)
		if err := c.SetWriteDeadline(now.Add(writeTimeout)); err != nil {
			return n, err
		}
		m, err := c.Conn.Write(b[n:min(n+writeChunk, len(b))])
		if n += m; err != nil || n == len(b) {
			return n, err
		}
	}
}

func (c *connection) setWriting(since time.Time) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.writing = since
}

// CloseWrite lets the peer read the answer to its end before the connection is closed.
func (c *connection) CloseWrite() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.CloseWrite()
	}
	return nil
}

// Close ends the connection and makes room for another.
func (c *connection) Close() error {
	err := c.Conn.Close()
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.forget(c)
	return err
}

func (c *connection) setBusy(busy bool) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if c.busy, c.since = busy, time.Now(); !busy {
		select {
		case c.of.ended <- struct{}{}:
		default:
		}
	}
}

// connectionKey finds a request's connection in its context.
type connectionKey struct{}

// watch has s tell its connections whether a handler works for them.
func watch(s *http.Server) {
	h := s.Handler
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, c)
	}
	s.ConnState = func(c net.Conn, state http.ConnState) {
		if c, ok := c.(*connection); ok && (state == http.StateActive || state == http.StateIdle) {
			c.setBusy(false) // a request has begun to come, or its answer is sent
		}
	}
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connectionKey{}).(*connection); ok {
			c.setBusy(true)
			defer c.setBusy(false)
		}
		h.ServeHTTP(w, r)
	})
}
