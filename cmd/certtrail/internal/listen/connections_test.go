package listen

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// patience bounds every wait on a condition.
const patience = 20 * time.Second

func TestListenersFitTheDescriptors(t *testing.T) {
	for _, limit := range []int{64, 100, 128, 256, 1024, 4096, 1 << 20} {
		s := SharesOf(limit)
		if own := limit - s.Hooks - s.Web - s.Subscribers; own < min(spareDescriptors, limit*3/4) {
			t.Errorf("of %d descriptors %d are left to the process: %+v", limit, own, s)
		}
		if s.Hooks < 6 || s.Web < 6 || s.Subscribers < 4 {
			t.Errorf("of %d descriptors the listeners get too few: %+v", limit, s)
		}
	}
}

// addressed stands for a connection from anywhere.
type addressed struct {
	net.Conn
	addr net.Addr
}

func (c addressed) RemoteAddr() net.Addr { return c.addr }

// arrive opens a connection from the address, and says whether there was room for it.
func arrive(l *connections, from string) (*connection, bool) {
	inner, _ := net.Pipe()
	c := l.connection(addressed{inner, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 1))})
	taken, _ := l.admit(c)
	return c, taken
}

func TestOneAddressHasAPart(t *testing.T) {
	l := Bound(nil, 16, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	for from, want := range map[string]int{"192.0.2.1": 4, "2001:db8::1": 4, "127.0.0.1": 14, "::1": 14, "10.1.2.3": 14, "::ffff:10.9.9.9": 14} {
		var open []*connection
		for {
			c, taken := arrive(l, from)
			if !taken {
				break
			}
			c.setBusy(true) // else it would make room for the next
			open = append(open, c)
		}
		if len(open) != want {
			t.Errorf("%s has %d connections at most, want %d", from, len(open), want)
		}
		if from == "2001:db8::1" {
			if _, taken := arrive(l, "2001:db8::ffff:1"); taken {
				t.Error("another address of the same IPv6 network is taken for another customer")
			}
		}
		if _, taken := arrive(l, "198.51.100.1"); !taken {
			t.Errorf("while %s has all that it may, nobody else gets in", from)
		}
		for c := range l.open {
			c.Close()
		}
	}
}

// TestIdleConnectionsMakeRoom fills a listener with connections that say nothing, or have been answered, and with one
// at work: a new one is taken in the place of the one that has been idle longest, and the one at work stays.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	working, finish := make(chan bool), make(chan bool)
	l := New("test", Bound(inner, 4, nil), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/work" {
			working <- true
			<-finish
		}
		fmt.Fprint(w, r.URL.Path)
	}))
	l.l.known = 4
	l.Serve(make(chan error, 1))
	defer l.server.Close()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	ask := func(c net.Conn, path string) { fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path) }
	answered := func(c net.Conn, want string) {
		t.Helper()
		_ = c.SetReadDeadline(time.Now().Add(patience))
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != want {
			t.Errorf("%q, %v", body, err)
		}
	}
	atWork := dial()
	ask(atWork, "/work")
	<-working
	silent := dial()
	kept := dial()
	ask(kept, "/kept")
	answered(kept, "/kept") // so that silent has been idle for longer
	for i := range 20 {
		c := dial()
		ask(c, "/new")
		answered(c, "/new")
		if i == 2 {
			_ = silent.SetReadDeadline(time.Now().Add(patience))
			if _, err := silent.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the one that said nothing was not closed: %v", err)
			}
		}
	}
	close(finish)
	answered(atWork, "/work")
}

// TestAListenerAtWorkKeepsOthersWaiting has all connections at work: the next waits, and is served once one of them is
// done.
func TestAListenerAtWorkKeepsOthersWaiting(t *testing.T) {
	l := Bound(nil, 2, nil)
	a, _ := arrive(l, "192.0.2.1")
	b, _ := arrive(l, "192.0.2.2")
	a.setBusy(true)
	b.setBusy(true)
	if _, taken := arrive(l, "192.0.2.3"); taken {
		t.Fatal("a third was taken")
	}
	a.setBusy(false)
	select {
	case <-l.ended:
	default:
		t.Error("nobody was told that there is room again")
	}
	if _, taken := arrive(l, "192.0.2.3"); !taken {
		t.Error("there is no room for it")
	}
}

// TestWhoReadsNothingIsCutOff writes to a peer that stops reading, and to one that goes on slowly.
func TestWhoReadsNothingIsCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		reads int           // times writeChunk, then nothing more
		every time.Duration // how long each takes
		fails bool
		ends  time.Duration
	}{
		"nothing":        {0, 0, true, writeTimeout},
		"a part":         {3, time.Second, true, 3*time.Second + writeTimeout},
		"all, slowly":    {16, writeTimeout - time.Second, false, 16 * (writeTimeout - time.Second)},
		"all, too slow":  {16, writeTimeout + time.Second, true, writeTimeout},
		"all, and quick": {16, 0, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner, peer := net.Pipe()
				conn := &connection{Conn: inner, of: Bound(nil, 1, nil)}
				read := make(chan bool)
				go func() {
					defer close(read)
					for range c.reads {
						time.Sleep(c.every)
						if _, err := io.CopyN(io.Discard, peer, writeChunk); err != nil {
							return
						}
					}
				}()
				began := time.Now()
				n, err := conn.Write(make([]byte, 16*writeChunk))
				if failed := errors.Is(err, os.ErrDeadlineExceeded); failed != c.fails || time.Since(began) != c.ends || !failed && n != 16*writeChunk {
					t.Errorf("%d bytes after %s: %v", n, time.Since(began), err)
				}
				inner.Close()
				peer.Close()
				<-read
			})
		})
	}
}

// TestWhoStandsStillMakesRoom has connections at work whose peers take nothing: after a while they make room, the one
// first that has taken nothing for longest.
func TestWhoStandsStillMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Bound(nil, 2, nil)
		var peers []*connection
		for _, from := range []string{"192.0.2.1", "192.0.2.2"} {
			c, _ := arrive(l, from)
			c.setBusy(true)
			go func() { _, _ = c.Write([]byte("x")) }()
			peers = append(peers, c)
			synctest.Wait()
			time.Sleep(time.Second)
		}
		if _, taken := arrive(l, "192.0.2.3"); taken {
			t.Error("a place was taken from one that reads slowly")
		}
		time.Sleep(stillAfter)
		if _, taken := arrive(l, "192.0.2.3"); !taken || l.open[peers[0]] || !l.open[peers[1]] {
			t.Errorf("taken %t; open are %v, %v", taken, l.open[peers[0]], l.open[peers[1]])
		}
		for c := range l.open {
			c.Close()
		}
	})
}
